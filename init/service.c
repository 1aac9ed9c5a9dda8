/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is the same of all services: a domain that is started again when it
 * ends, and the channel by which init and it speak; see init.h for the states.
 *
 * The channel is made anew with each, so that nothing of what one has done to
 * it is the next one's trouble.  Nothing a service says is believed: what makes
 * no sense has the same end as a crash.
 */
#include "include/errno.h"
#include "include/seat.h"
#include "include/switch.h"
#include "init/init.h"
#include "lib/printf.h"

#define END_INIT     0 /* of the control channel */
#define END_SERVICE  1
#define MESSAGES_MAX 16 /* at a time */
#define MESSAGE_SIZE_MAX \
	MAX(sizeof(struct seat_message), sizeof(struct disk_message))
_Static_assert(sizeof(struct switch_message) <= MESSAGE_SIZE_MAX, "fits");

/* ---- Its channel --------------------------------------------------------- */

static void stop(struct init *init, struct service *service)
{
	service->state = SERVICE_STOPPING;
	(void)init->gate->stop(init->gate->ctx, service->id);
}

void service_distrust(struct init *init, struct service *service,
		      const char *why)
{
	if (service->state != SERVICE_RUNNING)
		return;
	init_log(init, service->id, LOG_ERROR, "is stopped: %s", why);
	stop(init, service);
}

void service_ring(struct init *init, struct service *service)
{
	/* -EPIPE: it has ended, which will be seen. */
	(void)init->gate->doorbell(init->gate->ctx, service->kind->slot);
}

bool service_say(struct init *init, struct service *service,
		 const void *message, bool *bell)
{
	long n;

	do {
		n = ring_put(&service->to, message, service->kind->message_size,
			     bell);
	} while (!n && !ring_sleep(&service->to));
	if (n < 0)
		service_distrust(init, service, "its ring is broken");
	return n > 0;
}

/* Some of its records. */
static void hear(struct init *init, struct service *service, bool *bell)
{
	uint64_t message[DIV_ROUND_UP(MESSAGE_SIZE_MAX, sizeof(uint64_t))];
	uint32_t size = service->kind->message_size;
	long n = 1;

	for (unsigned i = 0; n > 0 && i < MESSAGES_MAX; i++) {
		n = ring_get(&service->from, message, size, bell);
		if (n == (long)size)
			service->kind->heard(init, message);
		else if (n)
			service_distrust(init, service,
					 "it says what nobody understands");
		if (service->state != SERVICE_RUNNING)
			return;
	}
	if (n || !ring_sleep(&service->from))
		service->is_again = true;
}

/* ---- Its life ------------------------------------------------------------ */

static int connect(struct init *init, struct service *service)
{
	const struct init_gate *gate = init->gate;
	const struct service_kind *kind = service->kind;
	long error = gate->channel_create(gate->ctx, kind->control_pages);

	if (error <= 0)
		return (int)error;
	service->channel = (gate_id)error;
	error = gate->channel_attach(gate->ctx, service->channel, END_INIT,
				     GATE_SELF, kind->slot);
	if (!error)
		error = gate->channel_attach(gate->ctx, service->channel,
					     END_SERVICE, service->id,
					     kind->peer_slot);
	return (int)error;
}

/* Its domain, not running, and the channel; whatever of them there is. */
static void unmake(struct init *init, struct service *service)
{
	const struct init_gate *gate = init->gate;

	if (service->id)
		(void)gate->destroy(gate->ctx, service->id);
	if (service->channel) {
		(void)gate->channel_detach(gate->ctx, service->kind->slot);
		(void)gate->channel_close(gate->ctx, service->channel);
	}
	service->id = service->channel = 0;
	service->is_again = false;
}

/* All guests wait for it. */
#define SERVICE_WEIGHT (4 * GATE_WEIGHT_DEFAULT)

/*
 * Where a single vCPU is pinned and no other may run it is left alone, as long
 * as there is another CPU.  0: anywhere.
 */
static uint64_t cpus_of_services(const struct init *init)
{
	uint64_t all = MASK(MIN(init->info->cpu_count, GATE_CPUS_MAX) - 1, 0);
	uint64_t once = 0, twice = 0, pinned = 0;

	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		const struct guest_manifest *guest = &init->manifest->guest[i];

		for (unsigned n = 0; n < guest->vcpus; n++) {
			uint64_t cpus = guest->cpus[n] ? guest->cpus[n] : all;

			twice |= once & cpus;
			once |= cpus;
			if (!(cpus & (cpus - 1)))
				pinned |= cpus;
		}
	}
	return all & ~(pinned & ~twice);
}

static int make(struct init *init, struct service *service)
{
	const struct init_gate *gate = init->gate;
	const struct service_kind *kind = service->kind;
	struct gate_domain_spec spec = { .thread_count = 1,
					 .weight = SERVICE_WEIGHT,
					 .cpus = { cpus_of_services(init) } };
	uint64_t entry = 0;
	long error;

	(void)snprintf(spec.name, sizeof(spec.name), "%s", kind->name);
	kind->spec(init, &spec);
	error = gate->create(gate->ctx, &spec);
	if (error <= 0)
		return (int)error;
	service->id = (gate_id)error;
	error = program_load(init, service->id, kind->program, &entry);
	if (!error)
		error = connect(init, service);
	if (!error)
		error = kind->fill(init,
				   gate->channel_memory(gate->ctx, kind->slot));
	if (!error)
		error = gate->start(gate->ctx, service->id, entry);
	return (int)error;
}

/* It is gone. */
static void wait_for_next(struct init *init, struct service *service)
{
	service->state = SERVICE_WAITING;
	service->is_failing = false;
	if (service->is_wished)
		service->back_off.at_ns = init_now_ns(init);
	else
		service->is_failing =
			!back_off_next(&service->back_off, init_now_ns(init));
	if (service->is_failing)
		init_log(init, 0, LOG_ERROR,
			 "%s: started again %u times in a row; next in a "
			 "minute",
			 service->kind->name, BACK_OFF_MAX);
	service->is_wished = false;
	service->kind->gone(init);
}

static void try_start(struct init *init, struct service *service)
{
	int error;

	service->starts++;
	error = make(init, service);
	if (error) {
		init_log(init, 0, LOG_ERROR, "%s cannot be started: %d",
			 service->kind->name, error);
		unmake(init, service);
		wait_for_next(init, service);
		return;
	}
	service->state = SERVICE_RUNNING;
	service->back_off.started_ns = init_now_ns(init);
}

static void service_ended(struct init *init, struct service *service,
			  const struct gate_domain_status *status)
{
	if (!service->is_wished)
		init_log(init, service->id, LOG_ERROR,
			 "has ended: reason %u, code %lu, vector %u at %lx",
			 status->end, status->code, status->vector,
			 status->rip);
	report_end(init, service->id, status);
	unmake(init, service);
	wait_for_next(init, service);
}

void service_init(struct init *init, struct service *service,
		  const struct service_kind *kind)
{
	service->kind = kind;
	if (init_module_find(init->info, kind->program) >= 0)
		try_start(init, service);
}

static void follow(struct init *init, struct service *service)
{
	struct gate_domain_status status;

	if (service_has_domain(service) &&
	    !init->gate->query(init->gate->ctx, service->id, &status) &&
	    status.state == GATE_DOMAIN_ENDED)
		service_ended(init, service, &status);
	if (service->state == SERVICE_WAITING && init->state == HOST_RUNNING &&
	    init_now_ns(init) >= service->back_off.at_ns)
		try_start(init, service);
}

void service_run(struct init *init, struct service *service)
{
	bool bell = false;

	follow(init, service);
	if (service->state != SERVICE_RUNNING)
		return;
	service->is_again = false;
	hear(init, service, &bell);
	if (service->state == SERVICE_RUNNING)
		service->kind->check(init, &bell);
	if (bell)
		service_ring(init, service);
}

const char *service_restart(struct init *init, struct service *service)
{
	if (init->is_off_wanted || init->state == HOST_ENDING)
		return "is not started: the host goes off";
	switch (service->state) {
	case SERVICE_NONE:
		return "is not there";
	case SERVICE_RUNNING:
		init_log(init, service->id, LOG_INFO,
			 "is stopped: by the operator");
		stop(init, service);
		break;
	default:
		break;
	}
	service->is_wished = service->state == SERVICE_STOPPING;
	service->back_off.at_ns = init_now_ns(init);
	return NULL;
}

uint64_t service_deadline(const struct init *init,
			  const struct service *service)
{
	if (service->state == SERVICE_WAITING && init->state == HOST_RUNNING)
		return service->back_off.at_ns;
	if (service->state == SERVICE_RUNNING && service->is_again)
		return init_now_ns(init);
	return UINT64_MAX;
}
