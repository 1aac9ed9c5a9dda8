/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real-time clock.  See rtc.h for what is modelled and what is not.
 *
 * Nothing ticks: the time registers are computed from the clock when read, and
 * a timer is armed only for an interrupt somebody asked for.  Flags in register
 * C are brought up to date when it is read.
 *
 * References: Motorola MC146818A data sheet (1988), "Registers".
 */
#include "devices/rtc.h"

#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

#define RTC_PORT      0x70
#define INDEX_MASK    MASK(6, 0) /* bit 7 masks NMI, of which is none */
#define EXTENDED_BANK BIT(7)

enum rtc_cell {
	RTC_SECONDS = 0,
	RTC_SECONDS_ALARM = 1,
	RTC_MINUTES = 2,
	RTC_MINUTES_ALARM = 3,
	RTC_HOURS = 4,
	RTC_HOURS_ALARM = 5,
	RTC_WEEKDAY = 6,
	RTC_DAY = 7,
	RTC_MONTH = 8,
	RTC_YEAR = 9,
	RTC_A = 10,
	RTC_B = 11,
	RTC_C = 12,
	RTC_D = 13,
};

/* clang-format off */
#define A_RATE		MASK(3, 0)
#define A_DIVIDER	MASK(6, 4)
#define   DIVIDER_32K	2
#define A_UIP		BIT(7)
#define B_24H		BIT(1)
#define B_BINARY	BIT(2)
#define B_UIE		BIT(4)
#define B_AIE		BIT(5)
#define B_PIE		BIT(6)
#define B_SET		BIT(7)
#define B_INTERRUPTS	(B_UIE | B_AIE | B_PIE)
#define B_SQWE		BIT(3)
#define C_UF		BIT(4)
#define C_AF		BIT(5)
#define C_PF		BIT(6)
#define C_IRQF		BIT(7)
#define D_VRT		BIT(7)

#define HOURS_PM	BIT(7)
#define ALARM_ANY	MASK(7, 6)

/* Announced that long, an update takes that long; its end is the new second. */
#define BEFORE_UPDATE_NS (244 * NSEC_PER_US)
#define UPDATE_NS	(1984 * NSEC_PER_US)
#define UIP_NS		(BEFORE_UPDATE_NS + UPDATE_NS)
#define CRYSTAL_HZ	32768
#define SECONDS_A_DAY	86400
/* clang-format on */

/* ---- Calendar ---------------------------------------------------------- */

struct rtc_time {
	int year; /* 0..9999 */
	unsigned month, day, hour, minute, second;
	unsigned weekday; /* 0: Sunday */
};

/* Days since 1970-01-01; any month and day will do. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t era_day;

	/* Years that begin in March have the odd day at their end. */
	year += (month + 9) / 12 - 1;
	month = (month + 9) % 12;
	era_day = 365 * year + year / 4 - year / 100 + year / 400;
	return era_day + (month * 306 + 5) / 10 + day - 1 - 719468;
}

static void date_from_days(int64_t days, struct rtc_time *time)
{
	int64_t year, day, month;

	days += 719468;
	year = (10000 * days + 14780) / 3652425;
	day = days - (365 * year + year / 4 - year / 100 + year / 400);
	if (day < 0) {
		year--;
		day = days - (365 * year + year / 4 - year / 100 + year / 400);
	}
	month = (100 * day + 52) / 3060;
	time->day = (unsigned)(day - (month * 306 + 5) / 10 + 1);
	time->month = (unsigned)((month + 2) % 12 + 1);
	time->year = (int)(year + (month + 2) / 12);
}

static void time_from_seconds(int64_t seconds, struct rtc_time *time)
{
	int64_t days;
	unsigned rest;

	if (seconds < 0)
		seconds = 0;
	days = seconds / SECONDS_A_DAY;
	rest = (unsigned)(seconds % SECONDS_A_DAY);
	date_from_days(days, time);
	time->hour = rest / 3600;
	time->minute = rest / 60 % 60;
	time->second = rest % 60;
	time->weekday = (unsigned)((days + 4) % 7); /* 1970 began Thursday */
}

/* ---- Encoding ---------------------------------------------------------- */

static uint8_t encode(const struct rtc *rtc, unsigned value)
{
	if (rtc->state.cell[RTC_B] & B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc *rtc, uint8_t cell)
{
	if (rtc->state.cell[RTC_B] & B_BINARY)
		return cell;
	return (cell >> 4) * 10U + (cell & 0xf);
}

static uint8_t encode_hour(const struct rtc *rtc, unsigned hour)
{
	uint8_t cell;

	if (rtc->state.cell[RTC_B] & B_24H)
		return encode(rtc, hour);
	cell = encode(rtc, hour % 12 ? hour % 12 : 12);
	return hour >= 12 ? cell | HOURS_PM : cell;
}

static unsigned decode_hour(const struct rtc *rtc, uint8_t cell)
{
	if (rtc->state.cell[RTC_B] & B_24H)
		return decode(rtc, cell);
	return decode(rtc, cell & (uint8_t)~HOURS_PM) % 12 +
	       (cell & HOURS_PM ? 12 : 0);
}

/* ---- The running clock ------------------------------------------------- */

/* Since base_ns, which never lies in the future. */
static uint64_t phase_ns(const struct rtc *rtc)
{
	return clock_now(rtc->clock) - (uint64_t)rtc->state.base_ns;
}

static int64_t now_s(const struct rtc *rtc)
{
	return rtc->state.base_s + (int64_t)(phase_ns(rtc) / NSEC_PER_SEC);
}

static uint64_t ns_to_32k(uint64_t ns)
{
	return ns / NSEC_PER_SEC * CRYSTAL_HZ +
	       ns % NSEC_PER_SEC * CRYSTAL_HZ / NSEC_PER_SEC;
}

static uint64_t now_32k(const struct rtc *rtc)
{
	return ns_to_32k(clock_now(rtc->clock));
}

/* VM time at which the wall clock turns to second. */
static uint64_t second_to_ns(const struct rtc *rtc, int64_t second)
{
	return (uint64_t)rtc->state.base_ns +
	       (uint64_t)(second - rtc->state.base_s) * NSEC_PER_SEC;
}

static uint64_t crystal_to_ns(uint64_t ticks)
{
	return ticks / CRYSTAL_HZ * NSEC_PER_SEC +
	       DIV_ROUND_UP(ticks % CRYSTAL_HZ * NSEC_PER_SEC, CRYSTAL_HZ);
}

static void cells_from_time(struct rtc *rtc)
{
	struct rtc_time time;

	time_from_seconds(now_s(rtc), &time);
	rtc->state.cell[RTC_SECONDS] = encode(rtc, time.second);
	rtc->state.cell[RTC_MINUTES] = encode(rtc, time.minute);
	rtc->state.cell[RTC_HOURS] = encode_hour(rtc, time.hour);
	rtc->state.cell[RTC_WEEKDAY] =
		encode(rtc, (time.weekday + rtc->state.weekday_shift) % 7 + 1);
	rtc->state.cell[RTC_DAY] = encode(rtc, time.day);
	rtc->state.cell[RTC_MONTH] = encode(rtc, time.month);
	rtc->state.cell[RTC_YEAR] = encode(rtc, (unsigned)time.year % 100);
	rtc->state.cell[RTC_CENTURY] =
		encode(rtc, (unsigned)time.year / 100 % 100);
}

/* Nonsense in the registers gives some time, the same each time. */
static int64_t time_from_cells(struct rtc *rtc)
{
	int64_t year =
		(int64_t)decode(rtc, rtc->state.cell[RTC_CENTURY]) * 100 +
		decode(rtc, rtc->state.cell[RTC_YEAR]);
	unsigned month = decode(rtc, rtc->state.cell[RTC_MONTH]);
	unsigned weekday = decode(rtc, rtc->state.cell[RTC_WEEKDAY]) + 6;
	int64_t days, seconds;

	if (month < 1 || month > 12)
		month = 1;
	days = days_from_date(year, month,
			      decode(rtc, rtc->state.cell[RTC_DAY]));
	seconds = (int64_t)days * SECONDS_A_DAY +
		  decode_hour(rtc, rtc->state.cell[RTC_HOURS]) * 3600 +
		  decode(rtc, rtc->state.cell[RTC_MINUTES]) * 60 +
		  decode(rtc, rtc->state.cell[RTC_SECONDS]);
	if (seconds < 0)
		seconds = 0;
	rtc->state.weekday_shift =
		(uint8_t)((weekday + 7 -
			   (unsigned)((seconds / SECONDS_A_DAY + 4) % 7)) %
			  7);
	return seconds;
}

static bool divides(const struct rtc *rtc)
{
	return FIELD_GET(A_DIVIDER, rtc->state.cell[RTC_A]) == DIVIDER_32K;
}

static bool should_stand(const struct rtc *rtc)
{
	return (rtc->state.cell[RTC_B] & B_SET) || !divides(rtc);
}

/* ---- Flags and interrupts ---------------------------------------------- */

/* 32 kHz ticks between periodic interrupts; 0: none, as from a held divider. */
static uint64_t period_32k(const struct rtc *rtc)
{
	unsigned rate = (unsigned)FIELD_GET(A_RATE, rtc->state.cell[RTC_A]);

	if (!rate || !divides(rtc))
		return 0;
	/* The two fastest rates of this divider are those of 8 and 9. */
	return 1ULL << (rate <= 2 ? rate + 6 : rate - 1);
}

/* The least value >= from that an alarm field allows below limit, or -1. */
static int alarm_next(int field, int from, int limit)
{
	if (from >= limit)
		return -1;
	if (field < 0)
		return from;
	return field >= from && field < limit ? field : -1;
}

/* First match of the alarm at or after that time of day, or -1. */
static int alarm_in_day(const int field[3], int from)
{
	int hour = alarm_next(field[0], from / 3600, 24);
	int minute = 0, second = 0;

	if (hour == from / 3600) {
		minute = alarm_next(field[1], from / 60 % 60, 60);
		if (minute == from / 60 % 60) {
			second = alarm_next(field[2], from % 60, 60);
			if (second >= 0)
				return hour * 3600 + minute * 60 + second;
			minute = alarm_next(field[1], minute + 1, 60);
		}
		if (minute < 0)
			hour = alarm_next(field[0], hour + 1, 24);
	}
	if (hour < 0)
		return -1;
	if (hour != from / 3600)
		minute = alarm_next(field[1], 0, 60);
	second = alarm_next(field[2], 0, 60);
	if (minute < 0 || second < 0)
		return -1;
	return hour * 3600 + minute * 60 + second;
}

/* First second at or after from that matches the alarm; INT64_MAX: never. */
static int64_t alarm_after(const struct rtc *rtc, int64_t from)
{
	static const uint8_t cells[3] = { RTC_HOURS_ALARM, RTC_MINUTES_ALARM,
					  RTC_SECONDS_ALARM };
	int64_t day = from - from % SECONDS_A_DAY;
	int field[3], match;
	unsigned i;

	for (i = 0; i < 3; i++) {
		uint8_t cell = rtc->state.cell[cells[i]];

		field[i] =
			(int)(i ? decode(rtc, cell) : decode_hour(rtc, cell));
		if ((cell & ALARM_ANY) == ALARM_ANY)
			field[i] = -1;
	}
	match = alarm_in_day(field, (int)(from - day));
	if (match >= 0)
		return day + match;
	match = alarm_in_day(field, 0);
	return match >= 0 ? day + SECONDS_A_DAY + match : INT64_MAX;
}

static void alarm_update(struct rtc *rtc)
{
	bool level = rtc->state.cell[RTC_C] & rtc->state.cell[RTC_B] & B_AIE;

	if (level == rtc->alarm_level)
		return;
	rtc->alarm_level = level;
	irq_line_set(&rtc->alarm, level);
}

static void update_irq(struct rtc *rtc)
{
	bool level =
		rtc->state.cell[RTC_C] & rtc->state.cell[RTC_B] & B_INTERRUPTS;

	if (level)
		rtc->state.cell[RTC_C] |= C_IRQF;
	else
		rtc->state.cell[RTC_C] &= (uint8_t)~C_IRQF;
	alarm_update(rtc);
	if (level == rtc->state.out_level)
		return;
	rtc->state.out_level = level;
	irq_line_set(&rtc->out, level);
}

/* Sets the flags of all that has happened since it was last called. */
static void collect(struct rtc *rtc)
{
	uint64_t period = period_32k(rtc);
	uint64_t ticks = now_32k(rtc);

	if (period && ticks / period != rtc->state.seen_32k / period)
		rtc->state.cell[RTC_C] |= C_PF;
	rtc->state.seen_32k = ticks;
	if (!rtc->state.is_stopped) {
		int64_t second = now_s(rtc);

		if (second > rtc->state.seen_s) {
			rtc->state.cell[RTC_C] |= C_UF;
			if (alarm_after(rtc, rtc->state.seen_s + 1) <= second)
				rtc->state.cell[RTC_C] |= C_AF;
		}
		rtc->state.seen_s = second;
	}
	update_irq(rtc);
}

static void schedule(struct rtc *rtc)
{
	uint8_t wanted =
		rtc->state.cell[RTC_B] & ~rtc->state.cell[RTC_C] & B_INTERRUPTS;
	uint64_t period = period_32k(rtc);
	uint64_t deadline = UINT64_MAX;

	/* A flag that already stands cannot interrupt again. */
	if ((wanted & B_PIE) && period)
		deadline = crystal_to_ns((rtc->state.seen_32k / period + 1) *
					 period);
	if ((wanted & B_UIE) && !rtc->state.is_stopped)
		deadline =
			MIN(deadline, second_to_ns(rtc, rtc->state.seen_s + 1));
	if ((wanted & B_AIE) && !rtc->state.is_stopped) {
		int64_t second = alarm_after(rtc, rtc->state.seen_s + 1);

		if (second != INT64_MAX)
			deadline = MIN(deadline, second_to_ns(rtc, second));
	}
	if (deadline == UINT64_MAX)
		clock_timer_disarm(rtc->clock, &rtc->timer);
	else
		clock_timer_arm(rtc->clock, &rtc->timer, deadline);
}

static void expired(void *opaque)
{
	struct rtc *rtc = opaque;

	collect(rtc);
	schedule(rtc);
}

/* ---- Registers --------------------------------------------------------- */

static bool is_time(unsigned index)
{
	return index <= RTC_YEAR ? index != RTC_SECONDS_ALARM &&
					   index != RTC_MINUTES_ALARM &&
					   index != RTC_HOURS_ALARM
				 : index == RTC_CENTURY;
}

/* The registers have been written: go on from there, in the same phase. */
static void set_time(struct rtc *rtc)
{
	uint64_t whole = phase_ns(rtc) / NSEC_PER_SEC * NSEC_PER_SEC;

	rtc->state.base_ns += (int64_t)whole;
	rtc->state.base_s = time_from_cells(rtc);
	rtc->state.seen_s = rtc->state.base_s;
}

/* After a change of registers A or B. */
static void stop_or_start(struct rtc *rtc, bool was_dividing)
{
	bool stand = should_stand(rtc);

	/* The first update comes half a second after the divider's reset. */
	if (divides(rtc) && !was_dividing)
		rtc->state.base_ns = (int64_t)clock_now(rtc->clock) -
				     (int64_t)(NSEC_PER_SEC / 2);
	if (rtc->state.is_stopped && !stand)
		set_time(rtc);
	rtc->state.is_stopped = stand;
}

static void control_write(struct rtc *rtc, unsigned index, uint8_t value)
{
	bool divided = divides(rtc);

	collect(rtc);
	/* Freeze the time in the encoding it still has. */
	if (!rtc->state.is_stopped)
		cells_from_time(rtc);
	if (index == RTC_A)
		rtc->state.cell[RTC_A] = value & (uint8_t)~A_UIP;
	else
		rtc->state.cell[RTC_B] =
			value & B_SET ? value & (uint8_t)~B_UIE : value;
	stop_or_start(rtc, divided);
	update_irq(rtc);
	schedule(rtc);
}

static void time_write(struct rtc *rtc, unsigned index, uint8_t value)
{
	if (rtc->state.is_stopped) {
		rtc->state.cell[index] = value;
		return;
	}
	collect(rtc);
	cells_from_time(rtc);
	rtc->state.cell[index] = value;
	set_time(rtc);
	schedule(rtc);
}

static void cell_write(struct rtc *rtc, unsigned index, uint8_t value)
{
	if (is_time(index)) {
		time_write(rtc, index, value);
		return;
	}
	switch (index) {
	case RTC_A:
	case RTC_B:
		control_write(rtc, index, value);
		break;
	case RTC_C:
	case RTC_D:
		break;
	case RTC_SECONDS_ALARM:
	case RTC_MINUTES_ALARM:
	case RTC_HOURS_ALARM:
		collect(rtc);
		rtc->state.cell[index] = value;
		schedule(rtc);
		break;
	default:
		rtc->state.cell[index] = value;
	}
}

static bool is_updating(const struct rtc *rtc)
{
	return !rtc->state.is_stopped &&
	       phase_ns(rtc) % NSEC_PER_SEC >= NSEC_PER_SEC - UIP_NS;
}

static uint8_t read_flags(struct rtc *rtc)
{
	uint8_t flags;

	collect(rtc);
	flags = rtc->state.cell[RTC_C];
	rtc->state.cell[RTC_C] = 0;
	update_irq(rtc);
	schedule(rtc);
	return flags;
}

static uint8_t cell_read(struct rtc *rtc, unsigned index)
{
	if (is_time(index) && !rtc->state.is_stopped)
		cells_from_time(rtc);
	switch (index) {
	case RTC_A:
		return rtc->state.cell[RTC_A] | (is_updating(rtc) ? A_UIP : 0);
	case RTC_C:
		return read_flags(rtc);
	case RTC_D:
		return D_VRT;
	default:
		return rtc->state.cell[index];
	}
}

static void port_access(void *opaque, struct io_access *io)
{
	struct rtc *rtc = opaque;
	bool is_extended = io->offset & 2;
	uint8_t index =
		is_extended ? rtc->state.extended_index : rtc->state.index;

	if (io->offset & 1) {
		if (io->is_write)
			cell_write(rtc, index, (uint8_t)io->data);
		else
			io->data = cell_read(rtc, index);
	} else if (io->is_write) { /* an index cannot be read back */
		if (is_extended)
			rtc->state.extended_index =
				(uint8_t)(io->data | EXTENDED_BANK);
		else
			rtc->state.index = io->data & INDEX_MASK;
	}
}

void rtc_cell_set(struct rtc *rtc, uint8_t index, uint8_t value)
{
	bool is_clock = index <= RTC_D || index == RTC_CENTURY;

	if (!is_clock)
		rtc->state.cell[index] = value;
}

uint8_t rtc_cell_get(const struct rtc *rtc, uint8_t index)
{
	return rtc->state.cell[index];
}

/* ---- State ------------------------------------------------------------- */

/* No register holds a later second: some 34,000 years. */
#define SECONDS_MAX BIT(40)

/* All but interrupts lives on from the battery. */
static const struct state_field fields[] = {
	STATE_VALUE(struct rtc_state, base_s, .max = SECONDS_MAX,
		    .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, base_ns, .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, seen_s, .max = 2 * SECONDS_MAX,
		    .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, seen_32k, .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, timer_ns, .reset = CLOCK_NEVER),
	STATE_ARRAY(struct rtc_state, cell, .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, index, .max = INDEX_MASK,
		    .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, extended_index, .reset = EXTENDED_BANK,
		    .min = EXTENDED_BANK, .max = UINT8_MAX,
		    .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, weekday_shift, .max = 6,
		    .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, is_stopped, .flags = STATE_KEPT),
	STATE_VALUE(struct rtc_state, out_level),
	STATE_RESERVED(struct rtc_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct rtc_state, fields);

static void tell_out(void *opaque)
{
	struct rtc *rtc = opaque;

	irq_line_set(&rtc->out, rtc->state.out_level);
	rtc->alarm_level =
		rtc->state.cell[RTC_C] & rtc->state.cell[RTC_B] & B_AIE;
	irq_line_set(&rtc->alarm, rtc->alarm_level);
}

static void reset(void *opaque)
{
	struct rtc *rtc = opaque;

	rtc->state.cell[RTC_B] &= (uint8_t) ~(B_INTERRUPTS | B_SQWE);
	rtc->state.cell[RTC_C] = 0;
	tell_out(rtc);
}

/* Nothing has been seen, or begun, that is yet to come. */
static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct rtc_state *state = opaque;

	(void)dev;
	return state->base_ns >= -(int64_t)NSEC_PER_SEC &&
	       state->base_ns <= (int64_t)now_ns &&
	       state->seen_32k <= ns_to_32k(now_ns);
}

const struct device_ops rtc_ops = {
	.name = "rtc",
	.version = 1,
	.state = &description,
	.reset = reset,
	.restored = tell_out,
	.is_valid = is_valid,
};

/* ---- Life -------------------------------------------------------------- */

void rtc_reset(struct rtc *rtc)
{
	device_reset(&rtc->device);
}

void rtc_alarm_keep(struct rtc *rtc, uint8_t b, uint8_t c)
{
	rtc->state.cell[RTC_B] |= b & B_AIE;
	rtc->state.cell[RTC_C] |= c & C_AF;
	collect(rtc);
	schedule(rtc);
}

int rtc_init(struct rtc *rtc, struct bus *ports, struct clock *clock,
	     struct irq_line out)
{
	const struct io_region region = {
		.name = "rtc",
		.base = RTC_PORT,
		.length = 4,
		.fn = port_access,
		.dev = rtc,
		.width_max = 1,
	};

	memset(rtc, 0, sizeof(*rtc));
	rtc->clock = clock;
	rtc->out = out;
	device_init(&rtc->device, &rtc_ops, rtc, &rtc->state);
	device_timer_init(&rtc->device, clock, &rtc->timer, expired, rtc,
			  &rtc->state.timer_ns);
	rtc->state.base_s = (int64_t)clock->epoch_s;
	rtc->state.seen_s = now_s(rtc);
	rtc->state.seen_32k = now_32k(rtc);
	rtc->state.cell[RTC_A] =
		FIELD_PUT(A_DIVIDER, DIVIDER_32K) | 6; /* 1024 Hz */
	rtc->state.cell[RTC_B] = B_24H;
	return bus_add(ports, &region);
}
