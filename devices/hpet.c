/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HPET.  See hpet.h for what is modelled and what is not.
 *
 * References: Intel, IA-PC HPET Specification 1.0a, chapter 2.
 */
#include "devices/hpet.h"

#include "devices/state.h"
#include "lib/string.h"

/* clang-format off */
#define HPET_LENGTH	0x400

#define REG_CAPABILITIES	0x000
#define   CAP_REVISION		FIELD_PUT(MASK(7, 0), 1)
#define   CAP_LAST_TIMER	FIELD_PUT(MASK(12, 8), HPET_TIMERS - 1)
#define   CAP_64_BITS		BIT(13)
#define   CAP_LEGACY		BIT(15)
#define   CAP_VENDOR		FIELD_PUT(MASK(31, 16), 0x8086)
#define   CAP_PERIOD_FS		FIELD_PUT(MASK(63, 32), HPET_NS * 1000000)
#define REG_CONFIG		0x010
#define   CONFIG_ENABLE		BIT(0)
#define   CONFIG_LEGACY		BIT(1)
#define   CONFIG_WRITABLE	(CONFIG_ENABLE | CONFIG_LEGACY)
#define REG_STATUS		0x020
#define REG_COUNTER		0x0f0
#define REG_TIMERS		0x100
#define TIMER_LENGTH		0x20

#define TIMER_CONFIG		0x00
#define   TIMER_LEVEL		BIT(1)
#define   TIMER_ENABLE		BIT(2)
#define   TIMER_PERIODIC	BIT(3)
#define   TIMER_CAP_PERIODIC	BIT(4)
#define   TIMER_CAP_64		BIT(5)
#define   TIMER_SET		BIT(6) /* the next write sets the accumulator */
#define   TIMER_32		BIT(8)
#define   TIMER_ROUTE		MASK(13, 9)
#define   TIMER_ROUTES		MASK(63, 32)
#define   TIMER_WRITABLE \
	(TIMER_LEVEL | TIMER_ENABLE | TIMER_PERIODIC | TIMER_SET | TIMER_32 |  \
	 TIMER_ROUTE)
#define TIMER_COMPARATOR	0x08
#define TIMER_FSB		0x10

#define PIN_LEGACY_TIMER	0
#define PIN_LEGACY_RTC		8
#define PIN_NONE		32 /* a route there is not */

/* Nobody can handle interrupts that come faster: 1 us. */
#define LEAST_TICKS	100

#define NEVER		UINT64_MAX
/* clang-format on */

/* ---- The counter ------------------------------------------------------- */

static bool is_enabled(const struct hpet *hpet)
{
	return hpet->state.config & CONFIG_ENABLE;
}

static uint64_t counter(const struct hpet *hpet)
{
	if (!is_enabled(hpet))
		return hpet->state.counter;
	return (clock_now(hpet->clock) - hpet->state.start_ns) / HPET_NS;
}

/* ---- Interrupts -------------------------------------------------------- */

static uint8_t timer_pin(const struct hpet_timer *timer)
{
	uint8_t route = (uint8_t)FIELD_GET(TIMER_ROUTE, timer->state->config);

	if ((timer->hpet->state.config & CONFIG_LEGACY) && timer->number < 2)
		return timer->number ? PIN_LEGACY_RTC : PIN_LEGACY_TIMER;
	return HPET_ROUTES & BIT(route) ? route : PIN_NONE;
}

static void pin_set(const struct hpet *hpet, unsigned pin, bool level)
{
	if (pin != PIN_NONE)
		hpet->out.set(hpet->out.sink, pin, level);
}

/* What the timers that share the pin make of it. */
static void pin_update(const struct hpet *hpet, unsigned pin)
{
	bool level = false;
	unsigned i;

	for (i = 0; i < HPET_TIMERS; i++)
		level |= hpet->state.timer[i].level &&
			 hpet->state.timer[i].pin == pin;
	pin_set(hpet, pin, level);
}

/* What the output is by status and configuration; a pulse lasts, see pulse().
 */
static bool output(const struct hpet_timer *timer)
{
	const struct hpet_timer_state *state = timer->state;

	if (!(state->config & TIMER_ENABLE))
		return false;
	if (state->config & TIMER_LEVEL)
		return timer->hpet->state.status & BIT(timer->number);
	return state->level && !state->was_level &&
	       state->pin == timer_pin(timer);
}

static void update_level(struct hpet_timer *timer)
{
	struct hpet_timer_state *state = timer->state;
	bool was_high = state->level;
	uint8_t old_pin = state->pin;

	state->level = output(timer);
	state->pin = timer_pin(timer);
	state->was_level = state->config & TIMER_LEVEL;
	if (was_high && (!state->level || state->pin != old_pin))
		pin_update(timer->hpet, old_pin);
	if (state->level && (!was_high || state->pin != old_pin))
		pin_update(timer->hpet, state->pin);
}

/*
 * The I/O APIC latches an edge; the 8259s want the line to stay high until
 * they have acknowledged it, so there it falls when the next pulse begins.
 */
static void pulse(struct hpet_timer *timer)
{
	struct hpet_timer_state *state = timer->state;

	state->pin = timer_pin(timer);
	state->level = false;
	pin_update(timer->hpet, state->pin);
	state->level = true;
	pin_update(timer->hpet, state->pin);
	if (state->pin == PIN_LEGACY_TIMER || state->pin == PIN_LEGACY_RTC)
		return;
	state->level = false;
	pin_update(timer->hpet, state->pin);
}

static void fire(struct hpet_timer *timer)
{
	if (!(timer->state->config & TIMER_LEVEL)) {
		pulse(timer);
		return;
	}
	timer->hpet->state.status |= BIT(timer->number);
	update_level(timer);
}

/* ---- Timers ------------------------------------------------------------ */

static uint64_t width_mask(const struct hpet_timer *timer)
{
	return timer->state->config & TIMER_32 ? UINT32_MAX : UINT64_MAX;
}

static bool is_periodic(const struct hpet_timer *timer)
{
	return (timer->state->config & TIMER_PERIODIC) && timer->state->period;
}

/*
 * Does the comparator lie ahead?  By less than half of the counter's range it
 * does, and by no more than a period, however long that is.
 */
static bool is_ahead(const struct hpet_timer *timer, uint64_t now)
{
	uint64_t ticks = (timer->state->comparator - now) & width_mask(timer);

	if (ticks && is_periodic(timer) && ticks <= timer->state->period)
		return true;
	return ticks && ticks <= width_mask(timer) / 2;
}

/*
 * Ticks from now to the comparator's match; 0: it has gone by, and nobody has
 * seen it; NEVER.  After a match 32 bits match again when they have wrapped.
 */
static uint64_t distance(const struct hpet_timer *timer, uint64_t now)
{
	uint64_t ticks = timer->state->comparator - now;

	if (!timer->state->is_due)
		return timer->state->config & TIMER_32
			       ? (uint32_t)(ticks - 1) + 1ULL
			       : NEVER;
	return is_ahead(timer, now) ? ticks & width_mask(timer) : 0;
}

/*
 * Periods that passed while the host was busy elsewhere are made up for, so
 * that a guest which counts ticks keeps its time: at this rate, and not more
 * than a second's worth of the usual ones.
 */
#define CATCH_UP_RATE 8
#define OWED_MAX      1000

static void schedule(struct hpet_timer *timer)
{
	struct hpet *hpet = timer->hpet;
	uint64_t now = clock_now(hpet->clock);
	uint64_t ticks;

	if (!is_enabled(hpet) || !(timer->state->config & TIMER_ENABLE)) {
		timer->state->owed = 0;
		clock_timer_disarm(hpet->clock, &timer->clock_timer);
		return;
	}
	ticks = distance(timer, counter(hpet));
	if (timer->state->owed && timer->state->is_due)
		ticks = MIN(ticks, timer->state->period / CATCH_UP_RATE);
	/* Farther than the machine will run. */
	if (ticks > (UINT64_MAX - now) / HPET_NS - 1) {
		clock_timer_disarm(hpet->clock, &timer->clock_timer);
		return;
	}
	clock_timer_arm(hpet->clock, &timer->clock_timer,
			now + MAX(ticks, LEAST_TICKS) * HPET_NS);
}

/* Past a match: a period's next, the first that lies ahead; how many did not.
 */
static uint64_t match_pass(struct hpet_timer *timer, uint64_t now)
{
	struct hpet_timer_state *state = timer->state;
	uint64_t missed;

	if (!is_periodic(timer)) {
		state->is_due = false;
		return 0;
	}
	missed =
		((now - state->comparator) & width_mask(timer)) / state->period;
	state->comparator += (missed + 1) * state->period;
	state->comparator &= width_mask(timer);
	state->is_due = true;
	return missed;
}

static void expired(void *opaque)
{
	struct hpet_timer *timer = opaque;
	uint64_t now = counter(timer->hpet);

	if (timer->state->owed && distance(timer, now)) {
		timer->state->owed--;
	} else {
		uint64_t owed = timer->state->owed + match_pass(timer, now);

		timer->state->owed = (uint32_t)MIN(owed, OWED_MAX);
	}
	fire(timer);
	schedule(timer);
}

/*
 * A timer whose interrupt is off "will still operate and generate appropriate
 * status bits": no clock timer runs for it, it is brought up to date here.
 */
static void sync_quiet(struct hpet *hpet)
{
	uint64_t now = counter(hpet);
	unsigned i;

	for (i = 0; i < HPET_TIMERS; i++) {
		struct hpet_timer *timer = &hpet->timer[i];

		if (!is_enabled(hpet) ||
		    (timer->state->config & TIMER_ENABLE) ||
		    distance(timer, now))
			continue;
		(void)match_pass(timer, now);
		if (timer->state->config & TIMER_LEVEL)
			hpet->state.status |= BIT(i);
	}
}

/* ---- Registers --------------------------------------------------------- */

static uint64_t timer_read(const struct hpet_timer *timer, unsigned offset)
{
	switch (offset) {
	case TIMER_CONFIG:
		return timer->state->config | TIMER_CAP_PERIODIC |
		       TIMER_CAP_64 | FIELD_PUT(TIMER_ROUTES, HPET_ROUTES);
	case TIMER_COMPARATOR:
		return timer->state->comparator & width_mask(timer);
	default:
		return 0;
	}
}

/* The aligned eight bytes at offset. */
static uint64_t read(struct hpet *hpet, unsigned offset)
{
	if (likely(offset == REG_COUNTER))
		return counter(hpet);
	sync_quiet(hpet);
	switch (offset) {
	case REG_CAPABILITIES:
		return CAP_REVISION | CAP_LAST_TIMER | CAP_64_BITS |
		       CAP_LEGACY | CAP_VENDOR | CAP_PERIOD_FS;
	case REG_CONFIG:
		return hpet->state.config;
	case REG_STATUS:
		return hpet->state.status;
	}
	if (offset < REG_TIMERS ||
	    offset >= REG_TIMERS + HPET_TIMERS * TIMER_LENGTH)
		return 0;
	return timer_read(&hpet->timer[(offset - REG_TIMERS) / TIMER_LENGTH],
			  offset % TIMER_LENGTH);
}

static void timer_config_write(struct hpet_timer *timer, uint64_t value)
{
	uint64_t route = BIT(FIELD_GET(TIMER_ROUTE, value));

	/* "The value read back will not match" where there is no such route. */
	if (!(route & HPET_ROUTES))
		value = (value & ~TIMER_ROUTE) |
			(timer->state->config & TIMER_ROUTE);
	timer->state->config = value & TIMER_WRITABLE;
	if (timer->state->config & TIMER_32) {
		timer->state->comparator = (uint32_t)timer->state->comparator;
		timer->state->period = (uint32_t)timer->state->period;
	}
	/* An edge timer has no status to hold a line by. */
	if (!(timer->state->config & TIMER_LEVEL))
		timer->hpet->state.status &= ~BIT(timer->number);
	update_level(timer);
	schedule(timer);
}

/*
 * In periodic mode the accumulator is written behind TIMER_SET only, which is
 * good for one write: 32-bit software sets it before either half.
 */
static void comparator_write(struct hpet_timer *timer, uint64_t value,
			     uint64_t mask)
{
	struct hpet_timer_state *state = timer->state;
	uint64_t now = counter(timer->hpet);

	mask &= width_mask(timer);
	if (!(state->config & TIMER_PERIODIC) || (state->config & TIMER_SET)) {
		state->comparator =
			(state->comparator & ~mask) | (value & mask);
		/* A counter that stands has not run past it unseen. */
		state->is_due = is_enabled(timer->hpet) || is_ahead(timer, now);
		state->owed = 0;
	}
	if (state->config & TIMER_PERIODIC)
		state->period = (state->period & ~mask) | (value & mask);
	state->config &= ~TIMER_SET;
	schedule(timer);
}

static void config_write(struct hpet *hpet, uint64_t value)
{
	uint64_t now = counter(hpet);
	uint64_t changed = hpet->state.config ^ (value & CONFIG_WRITABLE);
	unsigned i;

	hpet->state.config ^= changed;
	if (changed & CONFIG_ENABLE) {
		hpet->state.counter = now;
		hpet->state.start_ns = clock_now(hpet->clock) - now * HPET_NS;
	}
	if (changed & CONFIG_LEGACY)
		hpet->legacy_changed(hpet->ctx,
				     hpet->state.config & CONFIG_LEGACY);
	for (i = 0; i < HPET_TIMERS; i++) {
		update_level(&hpet->timer[i]);
		schedule(&hpet->timer[i]);
	}
}

static void status_write(struct hpet *hpet, uint64_t value)
{
	unsigned i;

	hpet->state.status &= ~value;
	for (i = 0; i < HPET_TIMERS; i++)
		update_level(&hpet->timer[i]);
}

static void counter_write(struct hpet *hpet, uint64_t value)
{
	unsigned i;

	hpet->state.counter = value;
	hpet->state.start_ns = clock_now(hpet->clock) - value * HPET_NS;
	for (i = 0; i < HPET_TIMERS; i++) {
		struct hpet_timer *timer = &hpet->timer[i];

		/* What was jumped over does not match. */
		timer->state->is_due = is_ahead(timer, value);
		timer->state->owed = 0;
		schedule(timer);
	}
}

/* value has in it what the register holds beside mask, but of the status. */
static void write(struct hpet *hpet, unsigned offset, uint64_t value,
		  uint64_t mask)
{
	struct hpet_timer *timer;

	sync_quiet(hpet);
	switch (offset) {
	case REG_CONFIG:
		config_write(hpet, value);
		return;
	case REG_STATUS:
		status_write(hpet, value);
		return;
	case REG_COUNTER:
		counter_write(hpet, value);
		return;
	}
	if (offset < REG_TIMERS ||
	    offset >= REG_TIMERS + HPET_TIMERS * TIMER_LENGTH)
		return;
	timer = &hpet->timer[(offset - REG_TIMERS) / TIMER_LENGTH];
	if (offset % TIMER_LENGTH == TIMER_CONFIG)
		timer_config_write(timer, value);
	else if (offset % TIMER_LENGTH == TIMER_COMPARATOR)
		comparator_write(timer, value, mask);
}

static void register_access(void *opaque, struct io_access *io)
{
	struct hpet *hpet = opaque;
	unsigned offset = (unsigned)io->offset & ~7U;
	unsigned shift = 8 * ((unsigned)io->offset & 7);
	uint64_t mask;

	/* No register lies across a boundary of eight. */
	if (shift + 8U * io->size > 64)
		return;
	if (!io->is_write) {
		io->data = read(hpet, offset) >> shift;
		return;
	}
	if (io->size < 4)
		return;
	mask = io->size == 8 ? ~0ULL : MASK(31, 0) << shift;
	/* Of the status, half a write must not clear the other half. */
	if (offset == REG_STATUS)
		write(hpet, offset, io->data << shift & mask, mask);
	else
		write(hpet, offset,
		      (read(hpet, offset) & ~mask) | (io->data << shift & mask),
		      mask);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field timer_fields[] = {
	STATE_VALUE(struct hpet_timer_state, config),
	STATE_VALUE(struct hpet_timer_state, comparator, .reset = UINT64_MAX),
	STATE_VALUE(struct hpet_timer_state, period),
	STATE_VALUE(struct hpet_timer_state, timer_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct hpet_timer_state, owed, .max = OWED_MAX),
	STATE_VALUE(struct hpet_timer_state, pin, .reset = PIN_NONE,
		    .max = PIN_NONE),
	STATE_VALUE(struct hpet_timer_state, is_due),
	STATE_VALUE(struct hpet_timer_state, level),
	STATE_VALUE(struct hpet_timer_state, was_level),
};

static const struct state_description timer_description =
	STATE_DESCRIPTION(struct hpet_timer_state, timer_fields);

static const struct state_field fields[] = {
	STATE_VALUE(struct hpet_state, config),
	STATE_VALUE(struct hpet_state, status),
	STATE_VALUE(struct hpet_state, counter),
	STATE_VALUE(struct hpet_state, start_ns),
	STATE_STRUCTS(struct hpet_state, timer, &timer_description),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct hpet_state, fields);

/* All pins a timer may be on. */
#define PINS (HPET_ROUTES | BIT(PIN_LEGACY_TIMER) | BIT(PIN_LEGACY_RTC))

static void tell_all(void *opaque)
{
	struct hpet *hpet = opaque;
	unsigned pin;

	for (pin = 0; pin < PIN_NONE; pin++)
		if (PINS & BIT(pin))
			pin_update(hpet, pin);
	hpet->legacy_changed(hpet->ctx, hpet->state.config & CONFIG_LEGACY);
}

static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct hpet_state *state = opaque;
	unsigned i;

	(void)dev;
	(void)now_ns;
	for (i = 0; i < HPET_TIMERS; i++)
		if (!((PINS | BIT(PIN_NONE)) & BIT(state->timer[i].pin)))
			return false;
	return true;
}

const struct device_ops hpet_ops = {
	.name = "hpet",
	.version = 2,
	.state = &description,
	.reset = tell_all,
	.restored = tell_all,
	.is_valid = is_valid,
};

/* ---- Life -------------------------------------------------------------- */

void hpet_reset(struct hpet *hpet)
{
	device_reset(&hpet->device);
}

int hpet_init(struct hpet *hpet, struct bus *memory, struct clock *clock,
	      struct irq_line out,
	      void (*legacy_changed)(void *ctx, bool is_legacy), void *ctx)
{
	const struct io_region region = {
		.name = "hpet",
		.base = HPET_BASE,
		.length = HPET_LENGTH,
		.fn = register_access,
		.dev = hpet,
		.width_max = 8,
	};
	unsigned i;

	memset(hpet, 0, sizeof(*hpet));
	hpet->clock = clock;
	hpet->out = out;
	hpet->legacy_changed = legacy_changed;
	hpet->ctx = ctx;
	device_init(&hpet->device, &hpet_ops, hpet, &hpet->state);
	for (i = 0; i < HPET_TIMERS; i++) {
		struct hpet_timer *timer = &hpet->timer[i];

		timer->hpet = hpet;
		timer->state = &hpet->state.timer[i];
		timer->number = i;
		device_timer_init(&hpet->device, clock, &timer->clock_timer,
				  expired, timer, &timer->state->timer_ns);
	}
	return bus_add(memory, &region);
}
