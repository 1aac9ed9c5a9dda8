/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 and port 0x61.  See pit.h for what is modelled and what is not.
 *
 * All arithmetic is in input clocks ("ticks") since the VM began, so that no
 * rounding adds up.  A channel's state at any moment follows from the tick its
 * count was loaded at; only channel 0 needs a timer, at its output's next
 * rise, which is when the interrupt controllers hear of it.
 *
 * References: Intel 8254 data sheet (231164-005), "Mode Definitions".
 */
#include "devices/pit.h"

#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define PIT_BASE	0x40
#define PIT_CONTROL	3 /* offset of the control word register */
#define SYSTEM_CONTROL	0x61

#define CONTROL_BCD		BIT(0)
#define CONTROL_MODE		MASK(3, 1)
#define CONTROL_ACCESS		MASK(5, 4)
#define CONTROL_STATUS		MASK(5, 0) /* what the status repeats */
#define   ACCESS_LATCH		0
#define   ACCESS_LOW		1
#define   ACCESS_HIGH		2
#define   ACCESS_BOTH		3
#define CONTROL_CHANNEL		MASK(7, 6)
#define   CHANNEL_READ_BACK	3
#define READ_BACK_NO_STATUS	BIT(4)
#define READ_BACK_NO_COUNT	BIT(5)

#define STATUS_NULL_COUNT	BIT(6)
#define STATUS_OUT		BIT(7)

#define PORT61_GATE2	BIT(0)
#define PORT61_SPEAKER	BIT(1)
#define PORT61_WRITABLE	MASK(3, 0)
#define PORT61_REFRESH	BIT(4)
#define PORT61_OUT2	BIT(5)

/* Channel 1 refreshes memory every 18 clocks, as the BIOS of a PC sets it. */
#define REFRESH_TICKS	18

#define NEVER	UINT64_MAX

/* ---- Time -------------------------------------------------------------- */

/* 2^64 ticks per nanosecond, and 2^32 nanoseconds per tick, rounded down. */
#define TICKS_PER_NS_64 \
	((uint64_t)(((unsigned __int128)PIT_HZ << 64) / NSEC_PER_SEC))
#define NS_PER_TICK_32	((NSEC_PER_SEC << 32) / PIT_HZ)
/* clang-format on */

static uint64_t ns_to_ticks(uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns * TICKS_PER_NS_64) >> 64);
}

/* A time at which ns_to_ticks() gives at least tick, and hardly more. */
static uint64_t ticks_to_ns(uint64_t tick)
{
	return (uint64_t)(((unsigned __int128)tick * (NS_PER_TICK_32 + 1)) >>
			  32) +
	       1;
}

static uint64_t now_tick(const struct pit *pit)
{
	return ns_to_ticks(clock_now(pit->clock));
}

/* ---- Counting ---------------------------------------------------------- */

static bool is_periodic(const struct pit_channel *ch)
{
	return ch->mode == 2 || ch->mode == 3;
}

static bool is_gate_triggered(const struct pit_channel *ch)
{
	return ch->mode == 1 || ch->mode == 5;
}

/* Does a low gate stop the count where it is? */
static bool is_gate_paused(const struct pit_channel *ch)
{
	return ch->mode == 0 || ch->mode == 4;
}

/* Clocks that mode 3's output is high for in a period. */
static uint32_t high_clocks(uint32_t count)
{
	return (count + 1) / 2;
}

/* Is the count that is due in the middle of mode 3's period, at its fall? */
static bool is_switch_at_half(const struct pit_channel *ch)
{
	return ch->mode == 3 &&
	       (ch->switch_tick - ch->start_tick) % ch->count != 0;
}

/*
 * Carries out a reload if it has become due.  One at mode 3's fall makes the
 * low half the new count's: as if the new count's high half ended there, which
 * may have begun before time 0.
 */
static __noinline void sync_due(struct pit_channel *ch, uint64_t tick)
{
	if (tick < ch->switch_tick)
		return;
	ch->start_tick = ch->switch_tick -
			 (is_switch_at_half(ch) ? high_clocks(ch->reload) : 0);
	ch->count = ch->reload;
	ch->switch_tick = 0;
	ch->is_null = false;
}

static void sync(struct pit_channel *ch, uint64_t tick)
{
	if (unlikely(ch->switch_tick))
		sync_due(ch, tick);
}

static uint64_t elapsed(const struct pit_channel *ch, uint64_t tick)
{
	if (is_gate_paused(ch) && !ch->gate)
		return ch->paused_at;
	return tick - ch->start_tick;
}

static bool output(const struct pit_channel *ch, uint64_t tick)
{
	uint64_t gone;

	if (!ch->is_running)
		return ch->mode != 0;
	gone = elapsed(ch, tick);
	switch (ch->mode) {
	case 0:
	case 1:
		return gone >= ch->count;
	case 2:
		return !ch->gate || gone % ch->count != ch->count - 1;
	case 3:
		return !ch->gate || gone % ch->count < high_clocks(ch->count);
	default:
		return gone != ch->count;
	}
}

/* What the counting element holds, before BCD. */
static uint32_t counter(const struct pit_channel *ch, uint64_t tick)
{
	uint32_t wrap = ch->is_bcd ? 10000 : 0x10000;
	uint64_t gone;

	if (!ch->is_running)
		return ch->count;
	gone = elapsed(ch, tick);
	if (is_periodic(ch)) {
		if (!ch->gate)
			return ch->count;
		gone %= ch->count;
		if (ch->mode == 2)
			return ch->count - (uint32_t)gone;
		/* Counts down by two, twice a period; the odd count's extra
		 * clock falls into the first half. */
		if (gone >= high_clocks(ch->count))
			gone -= high_clocks(ch->count);
		return (ch->count & ~1U) -
		       2 * (uint32_t)MIN(gone, ch->count / 2 - 1);
	}
	if (gone <= ch->count)
		return ch->count - (uint32_t)gone;
	return wrap - 1 - (uint32_t)((gone - ch->count - 1) % wrap);
}

static uint16_t to_bcd(uint32_t value)
{
	uint32_t bcd = 0;
	unsigned shift;

	for (shift = 0; shift < 16; shift += 4) {
		bcd |= value % 10 << shift;
		value /= 10;
	}
	return (uint16_t)bcd;
}

static uint32_t from_bcd(uint16_t bcd)
{
	uint32_t value = 0;
	int shift;

	for (shift = 12; shift >= 0; shift -= 4)
		value = value * 10 + (bcd >> shift & 0xf);
	return value;
}

static uint16_t visible_count(const struct pit_channel *ch, uint64_t tick)
{
	uint32_t value;

	/* What every PC's channel 0 does, and what is read most. */
	if (likely(ch->mode == 2 && ch->is_running && ch->gate && !ch->is_bcd))
		return (uint16_t)(ch->count -
				  (tick - ch->start_tick) % ch->count);
	value = counter(ch, tick);

	return ch->is_bcd ? to_bcd(value) : (uint16_t)value;
}

/* The first tick after now at which the output goes from low to high. */
static uint64_t next_rise(const struct pit_channel *ch, uint64_t tick)
{
	uint64_t gone;

	if (!ch->is_running || (!ch->gate && !is_gate_triggered(ch)))
		return NEVER;
	gone = elapsed(ch, tick);
	if (is_periodic(ch)) {
		if (ch->switch_tick)
			return ch->switch_tick +
			       (is_switch_at_half(ch) ? ch->reload / 2 : 0);
		return ch->start_tick + (gone / ch->count + 1) * ch->count;
	}
	if (ch->mode == 0 || ch->mode == 1)
		return gone < ch->count ? ch->start_tick + ch->count : NEVER;
	return gone <= ch->count ? ch->start_tick + ch->count + 1 : NEVER;
}

/* When a count written to a running periodic mode becomes the count. */
static uint64_t next_load(const struct pit_channel *ch, uint64_t tick)
{
	uint64_t gone = elapsed(ch, tick);
	uint64_t phase = gone % ch->count;
	uint32_t high = high_clocks(ch->count);

	if (ch->mode == 3 && phase < high)
		return tick - phase + high;
	return tick - phase + ch->count;
}

/* ---- Channel 0's interrupt --------------------------------------------- */

/*
 * Periods that passed while the host was busy elsewhere are made up for, so
 * that a guest which counts ticks keeps its time: at this rate, and not more
 * than a second's worth of the usual ones.
 */
#define CATCH_UP_RATE 8
#define OWED_MAX      1000

static void schedule(struct pit *pit, uint64_t tick)
{
	const struct pit_channel *ch = &pit->state.channel[0];

	pit->state.rise_tick = next_rise(ch, tick);
	if (pit->state.rise_tick == NEVER) {
		pit->state.owed = 0;
		clock_timer_disarm(pit->clock, &pit->timer);
	} else if (pit->state.owed) {
		uint64_t next = tick + ch->count / CATCH_UP_RATE + 1;

		clock_timer_arm(pit->clock, &pit->timer,
				ticks_to_ns(MIN(next, pit->state.rise_tick)));
	} else {
		clock_timer_arm(pit->clock, &pit->timer,
				ticks_to_ns(pit->state.rise_tick));
	}
}

/* Before the next rise is looked for: how many rises nobody has seen. */
static void count_missed(struct pit *pit, uint64_t tick)
{
	const struct pit_channel *ch = &pit->state.channel[0];
	uint64_t missed;

	if (tick < pit->state.rise_tick) {
		pit->state.owed -= pit->state.owed > 0;
		return;
	}
	if (!is_periodic(ch) || !ch->count)
		return;
	missed = (tick - pit->state.rise_tick) / ch->count;
	pit->state.owed = (uint32_t)MIN(pit->state.owed + missed, OWED_MAX);
}

static void out_set(struct pit *pit, bool level)
{
	pit->state.out_level = level;
	irq_line_set(&pit->out, level);
}

static void expired(void *opaque)
{
	struct pit *pit = opaque;
	uint64_t tick = now_tick(pit);

	sync(&pit->state.channel[0], tick);
	count_missed(pit, tick);
	/* The low phase before the rise is nobody's business but the edge's. */
	out_set(pit, false);
	out_set(pit, true);
	schedule(pit, tick);
}

/* After anything that may have changed channel 0. */
static void update(struct pit *pit, unsigned number, uint64_t tick)
{
	if (number != 0)
		return;
	pit->state.owed = 0; /* programmed anew */
	out_set(pit, output(&pit->state.channel[0], tick));
	schedule(pit, tick);
}

/* ---- Programming ------------------------------------------------------- */

static void load(struct pit_channel *ch, uint16_t written, uint64_t tick)
{
	uint32_t count = ch->is_bcd ? from_bcd(written) : written;

	if (!count)
		count = ch->is_bcd ? 10000 : 0x10000;
	/* Modes 2 and 3 cannot count 1; real chips then do what they like. */
	if (is_periodic(ch) && count == 1)
		count = 2;
	ch->is_loaded = true;
	ch->is_null = true;
	if (is_periodic(ch) && ch->is_running && ch->gate) {
		ch->reload = count;
		ch->switch_tick = next_load(ch, tick);
		return;
	}
	if (is_gate_triggered(ch) && ch->is_running) {
		ch->reload = count; /* until the next trigger */
		return;
	}
	ch->count = count;
	ch->reload = count;
	ch->start_tick = tick;
	ch->paused_at = 0;
	ch->is_running = !is_gate_triggered(ch);
	ch->is_null = !ch->is_running;
}

static void write_count(struct pit *pit, unsigned number, uint8_t value)
{
	struct pit_channel *ch = &pit->state.channel[number];
	uint64_t tick = now_tick(pit);

	sync(ch, tick);
	if (ch->access == ACCESS_LOW) {
		load(ch, value, tick);
	} else if (ch->access == ACCESS_HIGH) {
		load(ch, (uint16_t)(value << 8), tick);
	} else if (ch->write_next == PIT_LOW_BYTE) {
		ch->written_low = value;
		ch->write_next = PIT_HIGH_BYTE;
		/* The first byte already stops a running mode 0. */
		if (ch->mode == 0)
			ch->is_running = false;
	} else {
		ch->write_next = PIT_LOW_BYTE;
		load(ch, (uint16_t)(value << 8 | ch->written_low), tick);
	}
	update(pit, number, tick);
}

static void latch_count(struct pit_channel *ch, uint64_t tick)
{
	if (ch->has_latch)
		return;
	ch->latch = visible_count(ch, tick);
	ch->has_latch = true;
}

static void latch_status(struct pit_channel *ch, uint64_t tick)
{
	if (ch->has_status)
		return;
	ch->status = ch->control;
	if (output(ch, tick))
		ch->status |= STATUS_OUT;
	if (ch->is_null)
		ch->status |= STATUS_NULL_COUNT;
	ch->has_status = true;
}

static void read_back(struct pit *pit, uint8_t value)
{
	uint64_t tick = now_tick(pit);
	unsigned i;

	for (i = 0; i < PIT_CHANNELS; i++) {
		struct pit_channel *ch = &pit->state.channel[i];

		if (!(value & BIT(i + 1)))
			continue;
		sync(ch, tick);
		if (!(value & READ_BACK_NO_COUNT))
			latch_count(ch, tick);
		if (!(value & READ_BACK_NO_STATUS))
			latch_status(ch, tick);
	}
}

static void set_mode(struct pit_channel *ch, uint8_t value)
{
	ch->mode = (uint8_t)FIELD_GET(CONTROL_MODE, value);
	if (ch->mode > 5)
		ch->mode -= 4; /* the top bit of modes 2 and 3 is not decoded */
	ch->control = value & CONTROL_STATUS;
	ch->access = (uint8_t)FIELD_GET(CONTROL_ACCESS, value);
	ch->is_bcd = value & CONTROL_BCD;
	ch->is_loaded = false;
	ch->is_null = true;
	ch->is_running = false;
	ch->switch_tick = 0;
	ch->has_latch = false;
	ch->has_status = false;
	ch->read_next = PIT_LOW_BYTE;
	ch->write_next = PIT_LOW_BYTE;
}

static void write_control(struct pit *pit, uint8_t value)
{
	unsigned number = (unsigned)FIELD_GET(CONTROL_CHANNEL, value);
	struct pit_channel *ch = &pit->state.channel[number % PIT_CHANNELS];
	uint64_t tick;

	if (number == CHANNEL_READ_BACK) {
		read_back(pit, value);
		return;
	}
	tick = now_tick(pit);
	sync(ch, tick);
	if (FIELD_GET(CONTROL_ACCESS, value) == ACCESS_LATCH) {
		latch_count(ch, tick);
		return;
	}
	set_mode(ch, value);
	update(pit, number, tick);
}

static uint8_t read_count(struct pit *pit, struct pit_channel *ch)
{
	bool is_high = ch->access == ACCESS_HIGH;
	uint16_t value;

	if (ch->has_status) {
		ch->has_status = false;
		return ch->status;
	}
	if (ch->has_latch) {
		value = ch->latch;
	} else {
		uint64_t tick = now_tick(pit);

		sync(ch, tick);
		value = visible_count(ch, tick);
	}
	if (ch->access == ACCESS_BOTH) {
		is_high = ch->read_next == PIT_HIGH_BYTE;
		ch->read_next = is_high ? PIT_LOW_BYTE : PIT_HIGH_BYTE;
	}
	if (ch->access != ACCESS_BOTH || is_high)
		ch->has_latch = false;
	return (uint8_t)(is_high ? value >> 8 : value);
}

static void counter_access(void *opaque, struct io_access *io)
{
	struct pit *pit = opaque;

	if (io->offset == PIT_CONTROL) {
		if (io->is_write)
			write_control(pit, (uint8_t)io->data);
	} else if (io->is_write) {
		write_count(pit, (unsigned)io->offset, (uint8_t)io->data);
	} else {
		io->data = read_count(pit, &pit->state.channel[io->offset]);
	}
}

/* ---- Gate and port 0x61 ------------------------------------------------ */

static void gate_set(struct pit_channel *ch, bool gate, uint64_t tick)
{
	if (gate == ch->gate)
		return;
	sync(ch, tick);
	if (!gate && is_gate_paused(ch) && ch->is_running)
		ch->paused_at = tick - ch->start_tick;
	ch->gate = gate;
	if (!gate)
		return;
	if (is_gate_paused(ch)) {
		ch->start_tick = tick - ch->paused_at;
	} else if (ch->is_loaded) {
		/* A rising gate restarts the periodic and one-shot modes. */
		ch->count = ch->reload;
		ch->switch_tick = 0;
		ch->start_tick = tick;
		ch->is_running = true;
		ch->is_null = false;
	}
}

static uint8_t read_system_control(struct pit *pit)
{
	uint64_t tick = now_tick(pit);
	uint8_t value = pit->state.control;

	sync(&pit->state.channel[2], tick);
	if (output(&pit->state.channel[2], tick))
		value |= PORT61_OUT2;
	if (tick / REFRESH_TICKS & 1)
		value |= PORT61_REFRESH;
	return value;
}

static void system_control_access(void *opaque, struct io_access *io)
{
	struct pit *pit = opaque;

	if (!io->is_write) {
		io->data = read_system_control(pit);
		return;
	}
	pit->state.control = io->data & PORT61_WRITABLE;
	gate_set(&pit->state.channel[2], pit->state.control & PORT61_GATE2,
		 now_tick(pit));
}

uint32_t pit_speaker_hz(const struct pit *pit)
{
	const struct pit_channel *ch = &pit->state.channel[2];

	if (!(pit->state.control & PORT61_SPEAKER) || !ch->gate ||
	    ch->mode != 3 || !ch->is_running)
		return 0;
	return PIT_HZ / ch->count;
}

/* ---- State ------------------------------------------------------------- */

#define COUNT_MAX 0x10000
#define CONTROL_RESET \
	(FIELD_PUT(CONTROL_ACCESS, ACCESS_BOTH) | FIELD_PUT(CONTROL_MODE, 3))

static const struct state_field channel_fields[] = {
	STATE_VALUE(struct pit_channel, start_tick),
	STATE_VALUE(struct pit_channel, paused_at),
	STATE_VALUE(struct pit_channel, switch_tick),
	STATE_VALUE(struct pit_channel, count, .reset = COUNT_MAX, .min = 1,
		    .max = COUNT_MAX),
	STATE_VALUE(struct pit_channel, reload, .reset = COUNT_MAX, .min = 1,
		    .max = COUNT_MAX),
	STATE_VALUE(struct pit_channel, read_next, .max = PIT_HIGH_BYTE),
	STATE_VALUE(struct pit_channel, write_next, .max = PIT_HIGH_BYTE),
	STATE_VALUE(struct pit_channel, latch),
	STATE_VALUE(struct pit_channel, status),
	STATE_VALUE(struct pit_channel, written_low),
	STATE_VALUE(struct pit_channel, mode, .reset = 3, .max = 5),
	STATE_VALUE(struct pit_channel, access, .reset = ACCESS_BOTH, .min = 1,
		    .max = ACCESS_BOTH),
	STATE_VALUE(struct pit_channel, control, .reset = CONTROL_RESET,
		    .max = CONTROL_STATUS),
	STATE_VALUE(struct pit_channel, is_bcd),
	STATE_VALUE(struct pit_channel, gate, .reset = true),
	STATE_VALUE(struct pit_channel, is_loaded),
	STATE_VALUE(struct pit_channel, is_null, .reset = true),
	STATE_VALUE(struct pit_channel, is_running),
	STATE_VALUE(struct pit_channel, has_latch),
	STATE_VALUE(struct pit_channel, has_status),
	STATE_RESERVED(struct pit_channel, reserved),
};

static const struct state_description channel_description =
	STATE_DESCRIPTION(struct pit_channel, channel_fields);

static const struct state_field fields[] = {
	STATE_STRUCTS(struct pit_state, channel, &channel_description),
	STATE_VALUE(struct pit_state, rise_tick, .reset = NEVER),
	STATE_VALUE(struct pit_state, timer_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct pit_state, owed, .max = OWED_MAX),
	STATE_VALUE(struct pit_state, out_level),
	STATE_VALUE(struct pit_state, control),
	STATE_RESERVED(struct pit_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct pit_state, fields);

static void reset(void *opaque)
{
	struct pit *pit = opaque;

	pit->state.channel[2].gate = false;
	update(pit, 0, now_tick(pit));
}

static void restored(void *opaque)
{
	struct pit *pit = opaque;

	irq_line_set(&pit->out, pit->state.out_level);
}

/*
 * A count began in the past and its successor is due within a period: else
 * the next rise would lie behind, and the timer never come to an end.
 */
static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct pit_state *state = opaque;
	uint64_t tick = ns_to_ticks(now_ns);
	unsigned i;

	(void)dev;
	for (i = 0; i < PIT_CHANNELS; i++) {
		const struct pit_channel *ch = &state->channel[i];

		if ((int64_t)(tick - ch->start_tick) < 0 ||
		    ch->paused_at > tick || ch->switch_tick > tick + COUNT_MAX)
			return false;
	}
	return true;
}

const struct device_ops pit_ops = {
	.name = "pit",
	.version = 2,
	.state = &description,
	.reset = reset,
	.restored = restored,
	.is_valid = is_valid,
};

/* ---- Life -------------------------------------------------------------- */

void pit_reset(struct pit *pit)
{
	device_reset(&pit->device);
}

int pit_init(struct pit *pit, struct bus *ports, struct clock *clock,
	     struct irq_line out)
{
	struct io_region region = {
		.name = "pit",
		.base = PIT_BASE,
		.length = 4,
		.fn = counter_access,
		.dev = pit,
		.width_max = 1,
	};
	int error;

	memset(pit, 0, sizeof(*pit));
	pit->clock = clock;
	pit->out = out;
	device_init(&pit->device, &pit_ops, pit, &pit->state);
	device_timer_init(&pit->device, clock, &pit->timer, expired, pit,
			  &pit->state.timer_ns);
	pit_reset(pit);
	error = bus_add(ports, &region);
	if (error)
		return error;
	region.name = "system-control";
	region.base = SYSTEM_CONTROL;
	region.length = 1;
	region.fn = system_control_access;
	return bus_add(ports, &region);
}
