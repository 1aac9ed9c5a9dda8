/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: calibration, conversions and the timer queues.
 *
 * The TSC's rate is CPUID leaf 15h's where it is given, else measured against
 * channel 2 of the 8254; so is the local APIC's, unless it has a TSC deadline
 * mode.  All CPUs' TSCs are taken to be in step, as on every machine with an
 * invariant TSC and on the simulators.
 *
 * Queues are sorted lists: a CPU has a handful of timers.  The hardware is
 * only reprogrammed for an earlier deadline; a later one is put in when the
 * old one goes off, so arming and disarming the same timer over and over
 * costs no register access.
 *
 * References: SDM volume 3, "Time-Stamp Counter", "APIC Timer"; 8254 data
 * sheet; PIIX4 data sheet (port 61h).
 */
#include "kernel/time.h"

#include "kernel/host.h"
#include "include/panic.h"

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
#define CALIBRATE_TICKS	  (PIT_HZ / 50) /* 20 ms */
#define CALIBRATE_EDGES	  8
#define CALIBRATE_ROUNDS  3  /* that were not held up */
#define CALIBRATE_TRIES	  50
#define TIMER_COUNT_MAX	  0x7fffffff
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
	uint64_t error; /* of tsc, in ticks; UINT64_MAX: of no use */
};

static struct calibration calibrate_once(const struct lapic *lapic)
{
	struct calibration result = { .error = UINT64_MAX };
	struct clocks from, to;
	uint16_t ticks;

	lapic_timer_start(lapic, UINT32_MAX);
	pit_start();
	from = clocks_read(lapic);
	while (from.pit - pit_read() < CALIBRATE_TICKS &&
	       !(port_read8(PORT_61) & PORT_61_OUT2))
		;
	to = clocks_read(lapic);
	lapic_timer_start(lapic, 0);
	if (port_read8(PORT_61) & PORT_61_OUT2 || to.pit >= from.pit)
		return result; /* held up until the count was gone */
	ticks = (uint16_t)(from.pit - to.pit);
	result.tsc = (to.tsc - from.tsc) * PIT_HZ / ticks;
	result.timer = (from.timer - to.timer) * PIT_HZ / ticks;
	result.error = from.width + to.width;
	return result;
}

static struct calibration calibrate(const struct lapic *lapic)
{
	struct calibration best = { .error = UINT64_MAX };

	for (unsigned i = 0, good = 0;
	     i < CALIBRATE_TRIES && good < CALIBRATE_ROUNDS; i++) {
		struct calibration next = calibrate_once(lapic);

		good += next.error != UINT64_MAX;
		if (next.error < best.error)
			best = next;
	}
	VERIFY(best.error != UINT64_MAX);
	return best;
}

/* 0 if the processor does not say. */
static uint64_t cpuid_tsc_hz(void)
{
	struct cpuid_regs r;

	if (cpuid_read(0, 0).eax < CPUID_TSC_RATIO)
		return 0;
	r = cpuid_read(CPUID_TSC_RATIO, 0);
	return r.eax ? (uint64_t)r.ecx * r.ebx / r.eax : 0;
}

void time_init(struct time_base *base)
{
	const struct lapic *lapic = &this_host()->lapic;
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

void time_init_cpu(struct cpu *cpu)
{
	cpu->timers.first = NULL;
	cpu->timers.programmed = TIMER_NEVER;
}

uint64_t time_tsc_to_ns(uint64_t tsc)
{
	return time_scale(this_host()->time.tsc_to_ns, tsc);
}

uint64_t time_ns_to_tsc(uint64_t ns)
{
	return time_scale(this_host()->time.ns_to_tsc, ns);
}

uint64_t time_now_ns(void)
{
	const struct time_base *base = &this_host()->time;

	return time_scale(base->tsc_to_ns, tsc_read() - base->boot_tsc);
}

uint64_t time_tsc_hz(void)
{
	return this_host()->time.tsc_hz;
}

void time_delay_ns(uint64_t ns)
{
	uint64_t end = tsc_read() + time_ns_to_tsc(ns);

	while ((int64_t)(end - tsc_read()) > 0)
		cpu_relax();
}

/* Has the hardware interrupt this CPU at the deadline, or soon if it is past.
 */
static void timer_program(struct cpu *cpu, uint64_t deadline)
{
	const struct host *host = cpu->host;
	uint64_t now, count;

	cpu->timers.programmed = deadline;
	if (host->lapic.has_tsc_deadline) {
		lapic_timer_deadline(deadline);
		return;
	}
	now = tsc_read();
	count = deadline > now
			? time_scale(host->time.tsc_to_timer, deadline - now) +
				  1
			: 1;
	lapic_timer_start(&host->lapic, (uint32_t)MIN(count, TIMER_COUNT_MAX));
}

static void queue_insert(struct timer_queue *queue, struct timer *timer)
{
	struct timer **at = &queue->first;

	while (*at && (*at)->deadline_tsc <= timer->deadline_tsc)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
}

static void queue_remove(struct timer_queue *queue, struct timer *timer)
{
	struct timer **at = &queue->first;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = timer->next;
}

/* Off whatever queue it is on; timer->lock held: nobody puts it on another. */
static void timer_unlink(struct timer *timer)
{
	struct cpu *cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);

	if (!cpu)
		return;
	spin_lock(&cpu->timers.lock);
	/* Unless it has expired meanwhile. */
	if (timer->cpu == cpu) {
		queue_remove(&cpu->timers, timer);
		timer->cpu = NULL;
	}
	spin_unlock(&cpu->timers.lock);
}

void timer_cancel(struct timer *timer)
{
	uint64_t flags = spin_lock_irqsave(&timer->lock);

	timer_unlink(timer);
	spin_unlock_irqrestore(&timer->lock, flags);
}

void timer_cancel_sync(struct timer *timer)
{
	timer_cancel(timer);
	while (__atomic_load_n(&timer->running, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void timer_arm(struct timer *timer, uint64_t deadline_tsc)
{
	uint64_t flags = spin_lock_irqsave(&timer->lock);
	struct cpu *cpu = this_cpu();

	timer_unlink(timer);
	spin_lock(&cpu->timers.lock);
	timer->deadline_tsc = deadline_tsc;
	timer->cpu = cpu;
	queue_insert(&cpu->timers, timer);
	if (cpu->timers.first->deadline_tsc < cpu->timers.programmed)
		timer_program(cpu, cpu->timers.first->deadline_tsc);
	spin_unlock(&cpu->timers.lock);
	spin_unlock_irqrestore(&timer->lock, flags);
}

/* The queue is locked, but not while the function runs. */
static void timer_expire(struct timer_queue *queue, struct timer *timer)
{
	queue->first = timer->next;
	__atomic_fetch_add(&timer->running, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&timer->cpu, NULL, __ATOMIC_RELEASE);
	spin_unlock(&queue->lock);
	timer->fn(timer->ctx);
	/* The last that is done with it: timer_cancel_sync() waits for it. */
	__atomic_fetch_sub(&timer->running, 1, __ATOMIC_RELEASE);
	spin_lock(&queue->lock);
}

void timer_interrupt(struct cpu *cpu)
{
	struct timer_queue *queue = &cpu->timers;
	struct timer *timer;

	spin_lock(&queue->lock);
	queue->programmed = TIMER_NEVER;
	while ((timer = queue->first) && timer->deadline_tsc <= tsc_read())
		timer_expire(queue, timer);
	if (timer && timer->deadline_tsc < queue->programmed)
		timer_program(cpu, timer->deadline_tsc);
	spin_unlock(&queue->lock);
}
