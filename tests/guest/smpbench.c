/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an interrupt from one vCPU to another costs, for scripts/bench: both
 * share a CPU of the host, so that every turn is a switch; or each has one,
 * then neither has to halt.  Lines as exitbench prints them; times are ticks of
 * the TSC.
 */
#include "tests/guest/lib/smp.h"

#define VECTOR_PING 0x61
#define VECTOR_PONG 0x62
#define WARM	    16
#define SAMPLES	    256
/* Nobody waits so long for one that runs: they share a CPU. */
#define TICKS_APART 1000000

static volatile uint32_t pings, pongs;
static uint64_t sample[SAMPLES];
static bool is_pong_wanted;

static void on_ping(struct trap_frame *frame)
{
	(void)frame;
	pings++;
	if (is_pong_wanted)
		smp_send(0, ICR_FIXED | VECTOR_PONG);
	smp_eoi();
}

static void on_pong(struct trap_frame *frame)
{
	(void)frame;
	pongs++;
	smp_eoi();
}

/* There and back, both halted when it comes. */
static void round_trips(unsigned id)
{
	if (id > 1)
		return;
	if (id == 1) {
		smp_wait_count(&pings, WARM + SAMPLES);
		return;
	}
	for (uint32_t i = 0; i < WARM + SAMPLES; i++) {
		uint64_t start = rdtsc();

		smp_send(1, ICR_FIXED | VECTOR_PING);
		smp_wait_count(&pongs, i + 1);
		if (i >= WARM)
			sample[i - WARM] = rdtsc() - start;
	}
}

/* Only sending, to one that does not run: the command alone. */
static void sends(unsigned id)
{
	if (id > 1)
		return;
	if (id == 1) {
		smp_wait_count(&pongs, 1);
		return;
	}
	for (uint32_t i = 0; i < WARM + SAMPLES; i++) {
		uint64_t start = rdtsc();

		smp_send(1, ICR_FIXED | VECTOR_PING);
		if (i >= WARM)
			sample[i - WARM] = rdtsc() - start;
	}
	pongs = 1;
	smp_wake(1);
}

/*
 * Until it is taken, by one that neither halts nor does anything else; the time
 * is that of both, who run at once.
 */
static bool is_apart; /* nobody waited too long */

static void running(unsigned id)
{
	if (id > 1)
		return;
	if (id == 1) {
		sti();
		while (!pongs)
			__asm__ volatile("pause");
		cli();
		return;
	}
	is_apart = true;
	for (uint32_t i = 0; i < WARM + SAMPLES && is_apart; i++) {
		uint64_t start = rdtsc();

		smp_send(1, ICR_FIXED | VECTOR_PING);
		while (pings != i + 1)
			__asm__ volatile("pause");
		if (i >= WARM)
			sample[i - WARM] = rdtsc() - start;
		else if (i)
			is_apart = rdtsc() - start < TICKS_APART;
	}
	pongs = 1;
}

static void sort(void)
{
	for (unsigned i = 1; i < SAMPLES; i++) {
		uint64_t value = sample[i];
		unsigned j = i;

		for (; j && sample[j - 1] > value; j--)
			sample[j] = sample[j - 1];
		sample[j] = value;
	}
}

static void measure(const char *name, void (*fn)(unsigned id))
{
	pings = pongs = 0;
	is_pong_wanted = fn == round_trips;
	smp_run(fn);
	if (fn == running && !is_apart)
		return;
	sort();
	print("EB %s min=%llu p50=%llu max=%llu n=%u\n", name,
	      (unsigned long long)sample[0],
	      (unsigned long long)sample[SAMPLES / 2],
	      (unsigned long long)sample[SAMPLES - 1], SAMPLES);
}

static void enter_x2apic(unsigned id)
{
	(void)id;
	smp_apic_mode(true);
	smp_barrier();
}

void guest_main(void)
{
	smp_start();
	if (smp_cpu_count() < 2) {
		skip("ipi", "one vCPU");
		return;
	}
	trap_hook(VECTOR_PING, on_ping);
	trap_hook(VECTOR_PONG, on_pong);
	measure("lapic.ipi.send", sends);
	measure("lapic.ipi.pingpong", round_trips);
	measure("lapic.ipi.running", running);
	if (smp_has_x2apic()) {
		smp_run(enter_x2apic);
		measure("x2apic.ipi.send", sends);
		measure("x2apic.ipi.pingpong", round_trips);
		measure("x2apic.ipi.running", running);
	}
	pass("measured");
}
