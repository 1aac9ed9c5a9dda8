/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's own use of its time: machine/throttle.h. */
#include "machine/machine.h"

#include "lib/user/gate_calls.h"

/* Of a count that is negative as long as it grows by itself. */
static uint64_t idle_ticks(unsigned vcpu, uint64_t now)
{
	const uint64_t *count = &gate_page(vcpu)->idle_ticks;
	uint64_t ticks = __atomic_load_n(count, __ATOMIC_RELAXED);

	return (int64_t)ticks < 0 ? ticks + now : ticks;
}

/* Of the vCPU that was idle for the shortest time since the turn began. */
static uint64_t idle_ns(const struct machine *machine)
{
	const struct machine_throttle *throttle = &machine->throttle;
	uint64_t now = __builtin_ia32_rdtsc(), least = UINT64_MAX;

	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		least = MIN(least, idle_ticks(i, now) - throttle->idle[i]);
	return (uint64_t)(((unsigned __int128)least *
			   machine->gate->tsc_mult) >>
			  32);
}

/* With the machine's lock. */
static void turn_begin(struct machine *machine)
{
	struct machine_throttle *throttle = &machine->throttle;
	uint64_t now = __builtin_ia32_rdtsc();

	throttle->begun_ns = gate_now_ns();
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		throttle->idle[i] = idle_ticks(i, now);
	clock_timer_arm(&machine->clock, &throttle->timer,
			throttle->begun_ns +
				throttle_run_ns(throttle->percent));
}

static void turn_ended(void *dev)
{
	struct machine *machine = dev;
	struct machine_throttle *throttle = &machine->throttle;
	uint64_t now_ns = gate_now_ns();
	uint64_t rest_ns =
		throttle_rest_ns(throttle->percent, now_ns - throttle->begun_ns,
				 idle_ns(machine), &throttle->credit_ns);

	if (!rest_ns) {
		turn_begin(machine);
		return;
	}
	throttle->until_ns = now_ns + rest_ns;
	rendezvous_wish(&machine->rendezvous, RENDEZVOUS_REST);
}

void machine_rest(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	uint64_t until_ns = machine->throttle.until_ns;

	/* Nobody else sets the timer, for all others are at their stops. */
	(void)gate_event_route(GATE_EVENT_TIMER_BIT, vcpu->id);
	gate_timer(until_ns);
	while (gate_now_ns() < until_ns)
		(void)gate_wait();
	(void)gate_event_route(GATE_EVENT_TIMER_BIT, 0);
	machine_lock(vcpu);
	gate_timer(machine->console.timer_ns);
	turn_begin(machine);
	machine_unlock(vcpu);
}

void machine_throttle_init(struct machine *machine)
{
	struct machine_throttle *throttle = &machine->throttle;

	throttle->percent = machine->config->duty_percent;
	if (!throttle->percent || throttle->percent >= 100)
		return;
	throttle->timer.expired = turn_ended;
	throttle->timer.dev = machine;
	turn_begin(machine);
}
