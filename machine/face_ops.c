/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the face (machine/face.h) wants of the machine: visits, the guard of
 * video memory, counts of exits, the debugger, and the guest's standing still.
 *
 * While the guest is paused, or a core of it is made, the thread that came
 * first to its stop owns the rendezvous, so that all the others are at theirs,
 * and goes on serving the face.  The channel's events come to it, and stay for
 * its next GATE_RESUME: it looks at the rings whenever GATE_WAIT returns.
 * Timers and disks wait meanwhile.  A reset is done at once.
 */
#include "machine/machine.h"

#include "include/errno.h"
#include "lib/user/gate_calls.h"

#define EVENT	 GATE_EVENT_CHANNEL_BIT(SEAT_CONSOLE_SLOT)
/* For the guest, between two visits without a doorbell. */
#define AGAIN_NS 200000

static void op_bell(void *ctx)
{
	(void)ctx;
	/* -EPIPE: whoever comes next looks at the rings first. */
	(void)gate_doorbell(SEAT_CONSOLE_SLOT);
}

static void op_again(void *ctx)
{
	struct machine *machine = ctx;

	machine->is_face_busy = true;
	clock_timer_arm(&machine->clock, &machine->face_timer,
			clock_now(&machine->clock) + AGAIN_NS);
}

static void op_reset(void *ctx)
{
	machine_reset_want(ctx);
}

static void op_nmi(void *ctx)
{
	const struct machine *machine = ctx;
	const struct board *board = machine->board;

	/* A processor without power hears none. */
	if (board->ops->sleep &&
	    board->ops->sleep(board->object) != BOARD_AWAKE)
		return;
	gate_line(GATE_LINE_NMI, true);
	gate_line(GATE_LINE_NMI, false);
}

static int op_cable(void *ctx, unsigned nic, bool is_in)
{
	struct machine *machine = ctx;

	if (nic >= machine->config->nic_count)
		return -ENODEV;
	net_cable_plug(&machine->cable[nic], is_in);
	return 0;
}

/* A write to guarded memory is done again by the guest. */
static void exit_guarded(struct machine_vcpu *vcpu)
{
	const struct board *board = vcpu->machine->board;
	const struct gate_page *page = vcpu->page;
	enum board_guard guard = BOARD_GUARD_NONE;

	if (page->mmio.access & GATE_MMIO_WRITE) {
		machine_lock(vcpu);
		guard = board->ops->screen->unguard(board->object,
						    page->mmio.gpa);
		machine_unlock(vcpu);
	}
	if (guard != BOARD_GUARD_LIFTED)
		machine_emulate_mmio(vcpu);
}

/* Another vCPU may use it now: either is right. */
static void exit_set(machine_exit_fn *table, unsigned exit, machine_exit_fn to)
{
	__atomic_store_n(&table[exit], to, __ATOMIC_RELEASE);
}

static void op_watched(void *ctx, bool is_watched)
{
	struct machine *machine = ctx;

	exit_set(&machine->mmio, 0,
		 is_watched ? exit_guarded : machine_emulate_mmio);
	if (machine->memory.is_given)
		return; /* that one is asked behind its own */
	exit_set(machine->handler, GATE_EXIT_MMIO, machine->mmio);
	if (!machine->is_counting)
		exit_set(machine->exit, GATE_EXIT_MMIO,
			 machine->handler[GATE_EXIT_MMIO]);
}

/* ---- Statistics ---------------------------------------------------------- */

static void exit_counted(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	uint32_t exit = vcpu->page->exit;
	uint64_t begun = __builtin_ia32_rdtsc();

	__atomic_load_n(&machine->handler[exit], __ATOMIC_ACQUIRE)(vcpu);
	vcpu->counts.exits[exit]++;
	vcpu->counts.ticks[exit] += __builtin_ia32_rdtsc() - begun;
}

/* Other vCPUs count on meanwhile: a word is read whole. */
static void counts_add(struct face_statistics *to,
		       const struct machine_counts *counts)
{
	for (unsigned i = 0; i < GATE_EXIT_COUNT; i++) {
		to->exits[i] +=
			__atomic_load_n(&counts->exits[i], __ATOMIC_RELAXED);
		to->ticks[i] +=
			__atomic_load_n(&counts->ticks[i], __ATOMIC_RELAXED);
	}
}

/* Of a count that is negative as long as it grows by itself. */
static uint64_t ticks_until(const uint64_t *count, uint64_t now)
{
	uint64_t ticks = __atomic_load_n(count, __ATOMIC_RELAXED);

	return (int64_t)ticks < 0 ? ticks + now : ticks;
}

/* A vCPU that does not wait runs, or would if it had a processor. */
static void time_put(struct face_statistics *to, const struct machine *machine)
{
	uint64_t now = __builtin_ia32_rdtsc();

	to->tsc_hz = machine->gate->tsc_hz;
	to->lived = now - machine->gate->tsc_base;
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		if (machine->vcpu[i])
			to->idle[i] =
				ticks_until(&gate_page(i)->idle_ticks, now) +
				ticks_until(&machine->vcpu[i]->counts.stopped,
					    now);
}

static void op_statistics(void *ctx, struct face_statistics *to)
{
	struct machine *machine = ctx;

	_Static_assert(GATE_EXIT_COUNT <= FACE_EXITS, "one each");
	_Static_assert(GATE_THREADS_MAX <= FACE_VCPUS, "one each");
	time_put(to, machine);
	if (!machine->is_counting)
		for (unsigned i = 0; i < GATE_EXIT_COUNT; i++)
			exit_set(machine->exit, i, exit_counted);
	machine->is_counting = true;
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		if (machine->vcpu[i])
			counts_add(to, &machine->vcpu[i]->counts);
}

/* ---- The debugger -------------------------------------------------------- */

static void op_debug(void *ctx, const void *data, size_t size)
{
	machine_debug_input(ctx, data, size);
}

static size_t op_debug_output(void *ctx, void *data, size_t size)
{
	return machine_debug_output(ctx, data, size);
}

static void op_debug_close(void *ctx)
{
	machine_debug_close(ctx);
}

/* ---- Standing ------------------------------------------------------------ */

static void op_hold(void *ctx)
{
	rendezvous_wish(&((struct machine *)ctx)->rendezvous, RENDEZVOUS_STAND);
}

/* An owner that has not yet got all others to their stops has no lock. */
static bool op_is_held(void *ctx)
{
	const struct machine *machine = ctx;

	return machine->rendezvous.owner == machine->holder + 1;
}

static const struct x86_state *op_state(void *ctx, unsigned vcpu)
{
	return machine_debug_state(ctx, vcpu);
}

static const struct face_ops ops = {
	.bell = op_bell,
	.again = op_again,
	.reset = op_reset,
	.nmi = op_nmi,
	.cable = op_cable,
	.watched = op_watched,
	.statistics = op_statistics,
	.debug = op_debug,
	.debug_output = op_debug_output,
	.debug_close = op_debug_close,
	.hold = op_hold,
	.is_held = op_is_held,
	.state = op_state,
};

static void timer_expired(void *dev)
{
	face_visit(&((struct machine *)dev)->face);
}

/* A visit while vCPUs stand; machine/debug.h: for the debugger's sake. */
static bool serve(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	if (machine->rendezvous.owner == vcpu->id + 1)
		(void)gate_event_route(EVENT, vcpu->id);
	machine_lock(vcpu);
	machine->is_face_busy = false;
	machine_face_event(machine);
	machine_unlock(vcpu);
	return machine->is_face_busy;
}

void machine_debug_stand(struct machine_vcpu *vcpu)
{
	machine_debug_hold(vcpu);
	(void)gate_event_route(EVENT, 0);
}

void machine_face_init(struct machine *machine)
{
	const struct face_config config = {
		.board = machine->board,
		.ops = &ops,
		.ctx = machine,
		.vcpus = machine->config->vcpu_count,
	};

	machine->face_timer.expired = timer_expired;
	machine->face_timer.dev = machine;
	face_init(&machine->face, &config);
	/* Before what waits in the ring is looked at: that may be the end of
	 * it.  Without a channel nobody could say so. */
	if (machine->config->devices & MACHINE_DEVICE_PAUSED &&
	    gate_channel_state(SEAT_CONSOLE_SLOT) != GATE_CHANNEL_NONE)
		face_pause(&machine->face);
	machine->debug.serve = serve;
}

void machine_face_event(struct machine *machine)
{
	long state = gate_channel_state(SEAT_CONSOLE_SLOT);

	if (state == GATE_CHANNEL_NONE)
		return;
	face_open(&machine->face, gate_channel(SEAT_CONSOLE_SLOT));
	if (state != GATE_CHANNEL_OPEN)
		face_peer_gone(&machine->face);
	face_visit(&machine->face);
}

void machine_stand(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;
	const struct face *face = &machine->face;

	if (!face_holds(face))
		return;
	gate_log(GATE_LOG_DEBUG, "the guest stands");
	for (;;) {
		bool is_busy = serve(vcpu);

		if (!face_holds(face))
			break;
		/* Fulfilling may have waited, and have been woken by what is
		 * waited for here.  The timer is the guest's, which stands. */
		if (machine_fulfil_wishes(vcpu))
			continue;
		if (is_busy)
			gate_yield();
		else
			gate_wait();
	}
	(void)gate_event_route(EVENT, 0);
	gate_log(GATE_LOG_DEBUG, "the guest goes on");
}
