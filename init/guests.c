/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests' lives; see init.h for the states.
 *
 * A guest that is to be started again waits first, twice as long each time, so
 * that one which fails at once does not keep the host busy; after
 * RESTARTS_MAX in a row it stays stopped.  A minute's run makes all that
 * forgotten.
 */
#include "init/init.h"

#include "lib/printf.h"
#include "lib/string.h"

#define BACK_OFF_NS    (100 * NSEC_PER_MS)
#define BACK_OFF_LIMIT 6 /* doublings */
#define RESTARTS_MAX   16
#define GOOD_RUN_NS    (60 * NSEC_PER_SEC)
#define KIB_PER_PAGE   4UL
#define CODE_FAILED    1

void init_log(const struct init *init, const struct guest *guest,
	      enum log_level level, const char *format, ...)
{
	char text[GATE_LOG_MAX + 1];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	init->gate->log(init->gate->ctx, guest ? guest->id : 0, level, text);
}

static const char *end_text(const struct gate_domain_status *status)
{
	switch (status->end) {
	case GATE_END_FAULT:
		return "its machine crashed";
	case GATE_END_GUEST:
		return "its guest cannot go on";
	case GATE_END_REFUSED:
		return "the processor refused the guest's state";
	case GATE_END_MACHINE_CHECK:
		return "machine check while the guest ran";
	case GATE_END_MEMORY:
		return "out of memory";
	case GATE_END_STOPPED:
		return "by the operator";
	default:
		break;
	}
	if (status->code == MACHINE_EXIT_POWER_OFF)
		return "powered off";
	return status->code & ~0xffULL ? "ended by the guest through port 0xf4"
				       : "its machine gave up";
}

static bool is_crash(const struct gate_domain_status *status)
{
	return status->end != GATE_END_STOPPED &&
	       (status->end != GATE_END_EXIT ||
		status->code == MACHINE_EXIT_ERROR);
}

/* ---- Started ------------------------------------------------------------- */

static void say_started(struct init *init, const struct guest *guest)
{
	struct gate_domain_status status = { 0 };

	(void)init->gate->query(init->gate->ctx, guest->id, &status);
	init_log(init, guest, LOG_INFO,
		 "%lu MiB RAM, %u vCPUs; monitor's own memory %lu KiB, "
		 "nested tables at start %lu KiB",
		 (unsigned long)(guest->config.ram_size / MIB(1)),
		 guest->manifest->vcpus, status.pages * KIB_PER_PAGE,
		 status.nested_pages * KIB_PER_PAGE);
}

static void start(struct init *init, struct guest *guest)
{
	long error;

	say_started(init, guest);
	error = init->gate->start(init->gate->ctx, guest->id, guest->entry);
	if (!error) {
		guest->state = GUEST_RUNNING;
		guest->started_ns = init->gate->now_ns(init->gate->ctx);
		return;
	}
	init_log(init, guest, LOG_ERROR, "cannot be started: %ld", error);
	(void)init->gate->destroy(init->gate->ctx, guest->id);
	guest->id = 0;
	guest->state = GUEST_STOPPED;
}

/* ---- Ended --------------------------------------------------------------- */

static void back_off(struct init *init, struct guest *guest)
{
	uint64_t now = init->gate->now_ns(init->gate->ctx);

	if (now - guest->started_ns >= GOOD_RUN_NS)
		guest->restarts = 0;
	if (guest->restarts == RESTARTS_MAX) {
		init_log(init, guest, LOG_ERROR,
			 "stays stopped: started again %u times in a row",
			 RESTARTS_MAX);
		guest->state = GUEST_STOPPED;
		return;
	}
	guest->restart_ns =
		now + (BACK_OFF_NS << MIN(guest->restarts, BACK_OFF_LIMIT));
	guest->restarts++;
	guest->state = GUEST_WAITING;
	init_log(init, guest, LOG_INFO, "to be started again, time %u",
		 guest->restarts);
}

static void ended(struct init *init, struct guest *guest,
		  const struct gate_domain_status *status)
{
	uint32_t restart = guest->manifest->restart;

	init_log(init, guest, LOG_INFO, "stopped: %s", end_text(status));
	init->code = status->end == GATE_END_EXIT && status->code & ~0xffULL
			     ? (uint8_t)status->code
			     : 0;
	guest->state = GUEST_STOPPED;
	if (restart == MANIFEST_RESTART_ALWAYS ||
	    (restart == MANIFEST_RESTART_ON_CRASH && is_crash(status)))
		back_off(init, guest);
	(void)init->gate->destroy(init->gate->ctx, guest->id);
	guest->id = 0;
}

static void look_at(struct init *init, struct guest *guest)
{
	struct gate_domain_status status;

	if (guest->state == GUEST_RUNNING &&
	    !init->gate->query(init->gate->ctx, guest->id, &status) &&
	    status.state == GATE_DOMAIN_ENDED)
		ended(init, guest, &status);
	if (guest->state == GUEST_WAITING &&
	    init->gate->now_ns(init->gate->ctx) >= guest->restart_ns) {
		guest->state = GUEST_STOPPED;
		if (!guest_load(init, guest))
			start(init, guest);
	}
}

/* ---- The host ------------------------------------------------------------ */

static enum gate_off how_off(const struct init *init)
{
	switch (init->manifest->end) {
	case MANIFEST_END_ISA_DEBUG:
		return GATE_OFF_ISA_DEBUG;
	case MANIFEST_END_BOCHS:
		return GATE_OFF_BOCHS;
	default:
		return GATE_OFF_POWER;
	}
}

void init_events(struct init *init)
{
	uint64_t next_ns = UINT64_MAX;
	unsigned alive = 0;

	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		struct guest *guest = &init->guest[i];

		look_at(init, guest);
		alive += guest->state != GUEST_STOPPED;
		if (guest->state == GUEST_WAITING)
			next_ns = MIN(next_ns, guest->restart_ns);
	}
	init->gate->timer(init->gate->ctx, next_ns);
	if (alive)
		return;
	init_log(init, NULL, LOG_INFO, "all guests have stopped");
	init->gate->off(init->gate->ctx, how_off(init), init->code);
}

void init_start(struct init *init, const struct init_gate *gate,
		const struct gate_init_info *info,
		const struct manifest *manifest)
{
	unsigned vcpus = 0, alive = 0;

	memset(init, 0, sizeof(*init));
	init->gate = gate;
	init->info = info;
	init->manifest = manifest;
	for (unsigned i = 0; i < manifest->guest_count; i++)
		vcpus += manifest->guest[i].vcpus;
	init->is_overcommitted = vcpus > info->cpu_count;
	/* All are there before the first runs: they share the console. */
	for (unsigned i = 0; i < manifest->guest_count; i++) {
		init->guest[i].manifest = &manifest->guest[i];
		if (guest_load(init, &init->guest[i]))
			init->guest[i].state = GUEST_STOPPED;
	}
	for (unsigned i = 0; i < manifest->guest_count; i++) {
		if (init->guest[i].id)
			start(init, &init->guest[i]);
		alive += init->guest[i].state == GUEST_RUNNING;
	}
	if (alive)
		return;
	init_log(init, NULL, LOG_ERROR, "no guest could be started");
	gate->off(gate->ctx, how_off(init), CODE_FAILED);
}
