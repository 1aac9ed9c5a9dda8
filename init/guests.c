/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests' lives, and the host's; see init.h for the states.
 *
 * The host ends when all guests have stopped for good.  One that the operator
 * has stopped may be started again by the operator, so the host stays on for
 * it, as long as there is an operator's console.
 */
#include "init/init.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define BACK_OFF_NS    (100 * NSEC_PER_MS)
#define BACK_OFF_LIMIT 6 /* doublings */
#define GOOD_RUN_NS    (60 * NSEC_PER_SEC)
#define FLUSH_NS       (2 * NSEC_PER_SEC)
#define CODE_FAILED    1

void init_log(const struct init *init, gate_id id, enum log_level level,
	      const char *format, ...)
{
	char text[GATE_LOG_MAX + 1];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	init->gate->log(init->gate->ctx, id, level, text);
}

bool back_off_next(struct back_off *back_off, uint64_t now)
{
	if (now - back_off->started_ns >= GOOD_RUN_NS)
		back_off->count = 0;
	if (back_off->count == BACK_OFF_MAX) {
		back_off->at_ns = now + GOOD_RUN_NS;
		return false;
	}
	back_off->at_ns =
		now + (BACK_OFF_NS << MIN(back_off->count, BACK_OFF_LIMIT));
	back_off->count++;
	return true;
}

/* ---- Memory -------------------------------------------------------------- */

/* All that the host has given for it, but for its channels. */
static void say_memory(const struct init *init, const struct guest *guest,
		       const char *when,
		       const struct gate_domain_status *status)
{
	uint64_t pages = status->pages - status->copied_pages;

	/* Two lines: they are cut at 79 columns. */
	init_log(init, guest->id, LOG_INFO,
		 "%s %lu KiB beside %lu MiB RAM, %lu MiB video", when,
		 pages * KIB_PER_PAGE,
		 (unsigned long)(guest->ram_size / MIB(1)),
		 (unsigned long)(guest->vram_size / MIB(1)));
	init_log(init, guest->id, LOG_INFO,
		 "program %lu, tables %lu, monitor %lu; nested %lu, disks %lu",
		 (pages - status->table_pages - status->monitor_pages) *
			 KIB_PER_PAGE,
		 status->table_pages * KIB_PER_PAGE,
		 status->monitor_pages * KIB_PER_PAGE,
		 status->nested_pages * KIB_PER_PAGE,
		 status->copied_pages * KIB_PER_PAGE);
}

/* ---- Ended --------------------------------------------------------------- */

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
	return "its machine gave up";
}

/* The guest ended itself by port 0xf4. */
static bool has_code(const struct gate_domain_status *status)
{
	return status->end == GATE_END_EXIT && status->code & ~0xffULL;
}

static void say_end(const struct init *init, const struct guest *guest,
		    const struct gate_domain_status *status)
{
	if (has_code(status))
		init_log(init, guest->id, LOG_INFO,
			 "stopped: ended by the guest through port 0xf4, "
			 "code %u",
			 (uint8_t)status->code);
	else
		init_log(init, guest->id, LOG_INFO, "stopped: %s",
			 end_text(status));
}

static bool is_crash(const struct gate_domain_status *status)
{
	return status->end != GATE_END_STOPPED &&
	       (status->end != GATE_END_EXIT ||
		status->code == MACHINE_EXIT_ERROR);
}

/* Its console's last words first, and disk lets go; then the domain goes. */
static void leave(struct guest *guest)
{
	guest->state = GUEST_LEAVING;
	guest->is_returning = false;
}

static bool is_to_return(const struct init *init, const struct guest *guest,
			 const struct gate_domain_status *status)
{
	uint32_t restart = guest->manifest->restart;

	if (init->is_off_wanted || guest->wish != WISH_NONE)
		return false;
	return restart == MANIFEST_RESTART_ALWAYS ||
	       (restart == MANIFEST_RESTART_ON_CRASH && is_crash(status));
}

static void ended(struct init *init, struct guest *guest,
		  const struct gate_domain_status *status)
{
	report_end(init, guest->id, status);
	say_memory(init, guest, "at the end", status);
	say_end(init, guest, status);
	leave(guest);
	guest->is_held = guest->wish == WISH_STOP;
	if (!is_to_return(init, guest, status)) {
		/* The host's: the first that is not 0. */
		if (has_code(status) && !init->code)
			init->code = (uint8_t)status->code;
		return;
	}
	guest->is_returning =
		back_off_next(&guest->back_off, init_now_ns(init));
	if (guest->is_returning)
		init_log(init, guest->id, LOG_INFO,
			 "to be started again, time %u", guest->back_off.count);
	else
		init_log(init, guest->id, LOG_ERROR,
			 "stays stopped: started again %u times in a row",
			 BACK_OFF_MAX);
}

/* ---- Started ------------------------------------------------------------- */

static void start(struct init *init, struct guest *guest)
{
	struct gate_domain_status status = { 0 };
	long error;

	(void)init->gate->query(init->gate->ctx, guest->id, &status);
	say_memory(init, guest, "at start", &status);
	error = init->gate->start(init->gate->ctx, guest->id, guest->entry);
	if (error) {
		init_log(init, guest->id, LOG_ERROR, "cannot be started: %ld",
			 error);
		leave(guest);
		return;
	}
	client_start(init, guest_index(init, guest));
	guest->state = GUEST_RUNNING;
	guest->is_held = false;
	guest->back_off.started_ns = init_now_ns(init);
	guest->starts++;
}

/* Once those before it run, and it has its disks. */
static void connect(struct init *init, struct guest *guest)
{
	enum order order = order_look(init, guest);
	int error = client_connected(init, guest_index(init, guest));

	guest->state = GUEST_CONNECTING;
	if (order == ORDER_NEVER)
		leave(guest);
	if (order != ORDER_DUE)
		return;
	if (!error)
		start(init, guest);
	else if (error != -EAGAIN)
		leave(guest);
}

/* STOPPED if it cannot be. */
static void make(struct init *init, struct guest *guest)
{
	guest->state = GUEST_STOPPED;
	guest->wish = WISH_NONE;
	guest->is_ordered = false;
	guest->off_ns = 0;
	if (permit_guest(init, guest) && !guest_load(init, guest))
		connect(init, guest);
}

static void left(struct init *init, struct guest *guest)
{
	(void)init->gate->destroy(init->gate->ctx, guest->id);
	guest->id = 0;
	guest->state = guest->is_returning ? GUEST_WAITING : GUEST_STOPPED;
	if (guest->wish != WISH_RESTART)
		return;
	make(init, guest);
	guest->is_held = guest->state != GUEST_RUNNING;
}

/* Console, switch and disk are told at the same time. */
static bool has_left(struct init *init, const struct guest *guest)
{
	unsigned index = guest_index(init, guest);
	bool is_shown = console_close(init, index);
	bool is_unplugged = nets_close(init, index);

	vsocks_close(init, index);
	return client_close(init, index) && is_unplugged && is_shown;
}

static void look_at(struct init *init, struct guest *guest)
{
	struct gate_domain_status status;

	if (guest->state == GUEST_RUNNING &&
	    !init->gate->query(init->gate->ctx, guest->id, &status) &&
	    status.state == GATE_DOMAIN_ENDED)
		ended(init, guest, &status);
	if (guest->state == GUEST_CONNECTING)
		connect(init, guest);
	if (guest->state == GUEST_LEAVING && has_left(init, guest))
		left(init, guest);
	if (guest->state == GUEST_WAITING &&
	    init_now_ns(init) >= guest->back_off.at_ns)
		make(init, guest);
}

/* ---- The operator's wishes ----------------------------------------------- */

/* Nothing is started any more; what was would keep the host on, or be cut off.
 */
static const char *start_refusal(const struct init *init)
{
	return init->is_off_wanted || init->state == HOST_ENDING
		       ? "is not started: the host goes off"
		       : NULL;
}

/* One that cannot be started stays for another try. */
const char *guest_start(struct init *init, struct guest *guest)
{
	const char *refusal = start_refusal(init);

	if (refusal)
		return refusal;
	switch (guest->state) {
	case GUEST_RUNNING:
		if (guest->wish != WISH_STOP)
			return "runs already";
		guest->wish = WISH_RESTART;
		return NULL;
	case GUEST_CONNECTING:
		if (!guest->is_ordered)
			return "waits for its disks already";
		guest->is_ordered = false;
		connect(init, guest);
		return NULL;
	case GUEST_LEAVING:
		guest->wish = WISH_RESTART;
		return NULL;
	default:
		break;
	}
	guest->back_off.count = 0;
	make(init, guest);
	guest->is_held = guest->state != GUEST_RUNNING;
	return guest->is_held && guest->state != GUEST_CONNECTING
		       ? "cannot be started: see the log"
		       : NULL;
}

const char *guest_stop(struct init *init, struct guest *guest)
{
	bool was_stopped = guest->state == GUEST_STOPPED;

	if (guest->state == GUEST_RUNNING) {
		guest->wish = WISH_STOP;
		(void)init->gate->stop(init->gate->ctx, guest->id);
		return NULL;
	}
	guest->is_held = true;
	guest->is_returning = false;
	guest->wish = WISH_NONE;
	if (guest->state == GUEST_WAITING)
		guest->state = GUEST_STOPPED;
	if (guest->state == GUEST_CONNECTING)
		leave(guest);
	return was_stopped ? "is stopped already" : NULL;
}

const char *guest_restart(struct init *init, struct guest *guest)
{
	if (guest->state != GUEST_RUNNING || start_refusal(init))
		return guest_start(init, guest);
	guest->wish = WISH_RESTART;
	(void)init->gate->stop(init->gate->ctx, guest->id);
	return NULL;
}

const char *guest_shutdown(struct init *init, struct guest *guest)
{
	if (guest->state != GUEST_RUNNING)
		return guest_stop(init, guest);
	guest->wish = WISH_STOP;
	order_shutdown(init, guest);
	return NULL;
}

/* Nothing starts any more; who runs goes on. */
static void host_quiet(struct init *init)
{
	init->is_off_wanted = true;
	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		struct guest *guest = &init->guest[i];

		guest->wish = WISH_NONE;
		guest->is_held = guest->is_returning = false;
		if (guest->state == GUEST_CONNECTING)
			leave(guest);
		else if (guest->state == GUEST_WAITING)
			guest->state = GUEST_STOPPED;
	}
}

void host_off(struct init *init)
{
	host_quiet(init);
	init->is_shutting_down = false;
	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		if (init->guest[i].state == GUEST_RUNNING)
			(void)init->gate->stop(init->gate->ctx,
					       init->guest[i].id);
}

void host_shutdown(struct init *init)
{
	host_quiet(init);
	init->is_shutting_down = true;
	init_log(init, 0, LOG_INFO,
		 "shutting down: guests are asked to go off");
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

/* When seat has shown it all. */
static void end(struct init *init, enum log_level level, const char *why,
		uint8_t code)
{
	init_log(init, 0, level, "%s", why);
	init->state = HOST_ENDING;
	init->code = code;
	init->deadline_ns = init_now_ns(init) + FLUSH_NS;
}

/* Off, if all is shown, or if that takes too long. */
static void run_end(struct init *init, unsigned alive)
{
	if ((seat_flush(init) && !alive) ||
	    init_now_ns(init) >= init->deadline_ns)
		init->gate->off(init->gate->ctx, how_off(init), init->code);
}

/* disk does not let go of its memory; but it is not to be used again, and what
 * a device writes into it until the power is off does no harm. */
static bool is_given_up(const struct init *init, const struct guest *guest)
{
	return guest->state == GUEST_LEAVING && !guest->is_returning &&
	       guest->wish != WISH_RESTART &&
	       client_is_stuck(init, guest_index(init, guest));
}

/* How many there are for which the host stays on. */
static unsigned run_guests(struct init *init)
{
	bool has_operator = init->seat.service.state != SERVICE_NONE;
	unsigned alive = 0;

	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		struct guest *guest = &init->guest[i];

		look_at(init, guest);
		alive += (guest->state != GUEST_STOPPED &&
			  !is_given_up(init, guest)) ||
			 (has_operator && guest->is_held);
	}
	return alive;
}

/* All there were have stopped. */
static void end_of_guests(struct init *init)
{
	uint32_t starts = 0;

	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		starts += init->guest[i].starts;
	if (starts && init->code)
		init_log(init, 0, LOG_INFO, "exit code %u", init->code);
	if (starts)
		end(init, LOG_INFO, "all guests have stopped", init->code);
	else
		end(init, LOG_ERROR, "no guest could be started", CODE_FAILED);
}

static uint64_t next_deadline(const struct init *init)
{
	uint64_t next_ns = MIN(seat_deadline(init), disks_deadline(init));

	next_ns = MIN(next_ns, nets_deadline(init));
	next_ns = MIN(next_ns, order_deadline(init));
	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		if (init->guest[i].state == GUEST_WAITING)
			next_ns = MIN(next_ns, init->guest[i].back_off.at_ns);
	if (init->state == HOST_ENDING)
		next_ns = MIN(next_ns, init->deadline_ns);
	return next_ns;
}

void init_events(struct init *init)
{
	unsigned alive;

	service_run(init, &init->seat.service);
	service_run(init, &init->disks.service);
	service_run(init, &init->nets.service);
	alive = run_guests(init);
	order_run(init);
	if (init->state == HOST_RUNNING && !alive)
		end_of_guests(init);
	if (init->state == HOST_ENDING)
		run_end(init, alive);
	disks_send(init);
	nets_send(init);
	seat_send(init);
	init->gate->timer(init->gate->ctx, next_deadline(init));
}

/* Of a host that starts: the guest is made, and nothing more. */
static void begin(struct init *init, struct guest *guest)
{
	order_begin(guest);
	if (permit_guest(init, guest))
		(void)!guest_load(init, guest);
}

void init_start(struct init *init, const struct init_gate *gate,
		const struct gate_init_info *info,
		const struct manifest *manifest)
{
	unsigned vcpus = 0;

	memset(init, 0, sizeof(*init));
	init->gate = gate;
	init->info = info;
	init->manifest = manifest;
	for (unsigned i = 0; i < manifest->guest_count; i++)
		vcpus += manifest->guest[i].vcpus;
	init->is_overcommitted = vcpus > info->cpu_count;
	init->pages = gate->pages_free(gate->ctx);
	seat_init(init);
	disks_init(init);
	nets_init(init);
	/* All are there before the first runs: they share the console. */
	for (unsigned i = 0; i < manifest->guest_count; i++) {
		init->guest[i].manifest = &manifest->guest[i];
		init->guest[i].is_held = manifest->guest[i].is_manual;
		if (!init->guest[i].is_held)
			begin(init, &init->guest[i]);
	}
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (init->guest[i].id)
			connect(init, &init->guest[i]);
	init_events(init);
}
