/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calibration: the TSC's rate is CPUID leaf 15h's where it is given, else
 * measured against channel 2 of the 8254; so is the local APIC's timer's,
 * unless it has a TSC deadline mode.
 *
 * A round looks at both clocks as the 8254's count changes, and again some time
 * later.  When it changed is known but for the time that two looks take, so
 * that the rate is wrong by no more than the sum of both times in that between
 * them: where ports are slow the round goes on for 20 ms, where they are fast,
 * as simulated ones are, a few are enough.
 *
 * References: SDM volume 2, "CPUID"; SDM volume 3, "Time-Stamp Counter", "APIC
 * Timer"; 8254 data sheet; PIIX4 data sheet (port 61h).
 */
#include "boot/boot.h"

#include "include/panic.h"
#include "include/x86.h"
#include "kernel/host.h"

/* clang-format off */
#define PIT_CHANNEL2	  0x42
#define PIT_COMMAND	  0x43
#define   PIT_ONE_SHOT_2  0xb0 /* channel 2, low then high byte, mode 0 */
#define   PIT_LATCH_2	  0x80
#define PIT_COUNT_MAX	  0xffff
#define PIT_HZ		  1193182
#define PORT_61		  0x61
#define   PORT_61_GATE2	  BIT(0)
#define   PORT_61_SPEAKER BIT(1)
#define   PORT_61_OUT2	  BIT(5)

#define CPUID_TSC_RATIO	  0x15
#define CALIBRATE_TICKS	  (PIT_HZ / 50)	  /* 20 ms: a round at most */
#define CALIBRATE_LOOK	  (PIT_HZ / 1000) /* from one look to the next */
#define CALIBRATE_GOOD	  20000 /* a rate wrong by less than 1 in so many */
#define CALIBRATE_EDGES	  8
#define CALIBRATE_ROUNDS  3  /* that were not held up, if none is good */
#define CALIBRATE_TRIES	  50
/* clang-format on */

/* mul and shift for to/from; to_hz << shift must stay below 2^63. */
static struct time_rate rate_make(uint64_t from_hz, uint64_t to_hz)
{
	struct time_rate rate = { 0, 32 };

	while (rate.shift > 0 && to_hz >> (63 - rate.shift))
		rate.shift--;
	rate.mul = ((to_hz << rate.shift) + from_hz / 2) / from_hz;
	return rate;
}

/* Starts channel 2 counting down; its output goes up at 0. */
static void pit_start(void)
{
	uint8_t port = port_read8(PORT_61);

	port = (uint8_t)((port & ~PORT_61_SPEAKER) | PORT_61_GATE2);
	port_write8(PORT_61, port);
	port_write8(PIT_COMMAND, PIT_ONE_SHOT_2);
	port_write8(PIT_CHANNEL2, PIT_COUNT_MAX & 0xff);
	port_write8(PIT_CHANNEL2, PIT_COUNT_MAX >> 8);
}

static uint16_t pit_read(void)
{
	uint8_t low;

	port_write8(PIT_COMMAND, PIT_LATCH_2);
	low = port_read8(PIT_CHANNEL2);
	return (uint16_t)(low | port_read8(PIT_CHANNEL2) << 8);
}

/* The three clocks at one moment, the moment being spread over .width. */
struct clocks {
	uint16_t pit;
	uint64_t tsc;
	uint64_t timer;
	uint64_t width; /* TSC ticks from before to after the change */
};

/*
 * The moment at which the 8254's count changes.  Of several the narrowest: a
 * simulated host may lose the processor at any instruction.
 */
static struct clocks clocks_read(const struct lapic *lapic)
{
	struct clocks best = { .width = UINT64_MAX };

	for (unsigned i = 0; i < CALIBRATE_EDGES; i++) {
		uint16_t before = pit_read(), now;
		uint64_t tsc, last;

		last = tsc_read();
		while ((now = pit_read()) == before)
			last = tsc_read();
		tsc = tsc_read();
		if (tsc - last >= best.width)
			continue;
		best.pit = now;
		best.tsc = tsc;
		best.timer = lapic_timer_left(lapic);
		best.width = tsc - last;
	}
	return best;
}

struct calibration {
	uint64_t tsc;
	uint64_t timer;
	uint64_t span;	/* between both looks; 0: of no use */
	uint64_t error; /* of span */
};

static bool is_good(const struct calibration *c)
{
	return c->span && c->error * CALIBRATE_GOOD < c->span;
}

static bool is_better(const struct calibration *c, const struct calibration *d)
{
	return c->span && (!d->span || c->error * d->span < d->error * c->span);
}

/* Held up until the count was gone: .span 0. */
static struct calibration rates_between(const struct clocks *from,
					const struct clocks *to)
{
	struct calibration result = { 0 };
	uint16_t ticks = (uint16_t)(from->pit - to->pit);

	if (port_read8(PORT_61) & PORT_61_OUT2 || to->pit >= from->pit)
		return result;
	result.span = to->tsc - from->tsc;
	result.error = from->width + to->width;
	result.tsc = result.span * PIT_HZ / ticks;
	result.timer = (from->timer - to->timer) * PIT_HZ / ticks;
	return result;
}

static struct calibration calibrate_once(const struct lapic *lapic)
{
	struct calibration result;
	struct clocks from, to;
	unsigned ticks = 0;

	lapic_timer_start(lapic, UINT32_MAX);
	pit_start();
	from = clocks_read(lapic);
	do {
		ticks += CALIBRATE_LOOK;
		while (from.pit - pit_read() < (int)ticks &&
		       !(port_read8(PORT_61) & PORT_61_OUT2))
			;
		to = clocks_read(lapic);
		result = rates_between(&from, &to);
	} while (result.span && !is_good(&result) && ticks < CALIBRATE_TICKS);
	lapic_timer_start(lapic, 0);
	return result;
}

static struct calibration calibrate(const struct lapic *lapic)
{
	struct calibration best = { 0 };

	for (unsigned i = 0, rounds = 0;
	     i < CALIBRATE_TRIES && !is_good(&best) &&
	     rounds < CALIBRATE_ROUNDS;
	     i++) {
		struct calibration next = calibrate_once(lapic);

		rounds += next.span != 0;
		if (is_better(&next, &best))
			best = next;
	}
	VERIFY(best.span);
	return best;
}

/* 0 if the processor does not say. */
static uint64_t cpuid_tsc_hz(void)
{
	struct cpuid_regs r = cpuid_leaf(CPUID_TSC_RATIO, 0);

	return r.eax ? (uint64_t)r.ecx * r.ebx / r.eax : 0;
}

void time_calibrate(struct time_base *base, const struct lapic *lapic)
{
	uint64_t tsc_hz = cpuid_tsc_hz();
	struct calibration measured = { .tsc = tsc_hz };

	if (!tsc_hz || !lapic->has_tsc_deadline)
		measured = calibrate(lapic);
	base->tsc_hz = tsc_hz ? tsc_hz : measured.tsc;
	base->timer_hz = lapic->has_tsc_deadline ? 0 : measured.timer;
	VERIFY(base->tsc_hz && (base->timer_hz || lapic->has_tsc_deadline));
	base->tsc_to_ns = rate_make(base->tsc_hz, NSEC_PER_SEC);
	base->ns_to_tsc = rate_make(NSEC_PER_SEC, base->tsc_hz);
	if (base->timer_hz)
		base->tsc_to_timer = rate_make(base->tsc_hz, base->timer_hz);
}
