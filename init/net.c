/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch as init sees it: a service (init/service.c), and a port for each
 * network card of a guest; include/switch.h has what is said, init.h the
 * states.
 *
 * A guest does not wait for its ports: its cable is plugged in when the switch
 * has one.  Channels stay when the switch ends, and the next one has them.
 *
 * seat has ports for its clients, which join a network or capture its frames;
 * they end with it.
 */
#include "include/errno.h"
#include "include/switch.h"
#include "init/init.h"
#include "lib/printf.h"
#include "lib/string.h"

#define END_MACHINE 0 /* of a port's channel; or seat's */
#define END_SWITCH  1
#define ANSWER_NS   (5 * NSEC_PER_SEC)
/* Beside the program's own: stack, tables, what the monitor keeps. */
#define QUOTA_PAGES 256
#define QUOTA_PORT  4
_Static_assert(NET_PORTS < SWITCH_SLOTS, "a slot of the switch's for each");

static struct net_port *port_of(struct init *init, unsigned guest, unsigned nic)
{
	for (unsigned i = 0; i < guest; i++)
		nic += init->manifest->guest[i].nic_count;
	return &init->nets.port[nic];
}

static unsigned slot_of(unsigned port)
{
	return port + SWITCH_CONTROL_SLOT + 1;
}

/* The guest that a card's port is of; *nic is its card. */
static const struct guest_manifest *guest_of(const struct init *init,
					     unsigned port, unsigned *nic)
{
	const struct guest_manifest *m = init->manifest->guest;

	for (; port >= m->nic_count; m++)
		port -= m->nic_count;
	*nic = port;
	return m;
}

/* As "web/nic0", "client/0". */
static void port_name(const struct init *init, unsigned port,
		      char name[SWITCH_PORT_SIZE])
{
	const struct guest_manifest *m;
	unsigned nic;

	if (port < NET_CARDS) {
		m = guest_of(init, port, &nic);
		(void)snprintf(name, SWITCH_PORT_SIZE, "%.*s/nic%u",
			       MANIFEST_NAME_SIZE - 1, m->name,
			       m->nic[nic].number);
	} else {
		(void)snprintf(name, SWITCH_PORT_SIZE, "client/%u",
			       port - NET_CARDS);
	}
}

/* ---- Ports --------------------------------------------------------------- */

static void port_drop(struct init *init, struct net_port *port)
{
	(void)init->gate->channel_close(init->gate->ctx, port->channel);
	*port = (struct net_port){ 0 };
}

/* Virtio's drivers leave packets whole. */
static bool is_wide(const struct nic_manifest *nic)
{
	return nic->model == MACHINE_NIC_VIRTIO;
}

static unsigned channel_pages(const struct nic_manifest *nic)
{
	return is_wide(nic) ? SWITCH_WIDE_PAGES : SWITCH_CHANNEL_PAGES;
}

/* One more for each is the monitor's. */
uint64_t guest_port_pages(const struct guest_manifest *guest)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < guest->nic_count; i++)
		pages += channel_pages(&guest->nic[i]) + 1;
	return pages;
}

static int port_open(struct init *init, struct net_port *port, unsigned pages,
		     gate_id id, unsigned slot)
{
	const struct init_gate *gate = init->gate;
	long error = gate->channel_create(gate->ctx, pages);

	if (error <= 0)
		return (int)error;
	*port = (struct net_port){ .state = NET_PORT_ADDING,
				   .channel = (gate_id)error };
	error = gate->channel_attach(gate->ctx, port->channel, END_MACHINE, id,
				     slot);
	if (error)
		port_drop(init, port);
	return (int)error;
}

int nets_open(struct init *init, unsigned guest, gate_id id)
{
	const struct guest_manifest *m = &init->manifest->guest[guest];
	int error = 0;

	if (m->nic_count && init->nets.service.state == SERVICE_NONE) {
		init_log(init, 0, LOG_ERROR,
			 "/guests/%s/nic%u: switch: needs the service switch, "
			 "and no boot module is called " SWITCH_PROGRAM,
			 m->name, m->nic[0].number);
		return -ENOENT;
	}
	for (unsigned i = 0; !error && i < m->nic_count; i++)
		error = port_open(init, port_of(init, guest, i),
				  channel_pages(&m->nic[i]), id,
				  SWITCH_CLIENT_SLOT + i);
	return error;
}

/* True: there is no port any more. */
static bool port_close(struct init *init, struct net_port *port)
{
	if (port->state == NET_PORT_NONE)
		return true;
	if (port->state == NET_PORT_ADDING && !port->is_attached) {
		port_drop(init, port);
		return true;
	}
	if (port->state < NET_PORT_REMOVING) {
		port->state = NET_PORT_REMOVING;
		port->deadline_ns = init_now_ns(init) + ANSWER_NS;
	}
	return false;
}

bool nets_close(struct init *init, unsigned guest)
{
	bool is_closed = true;

	for (unsigned i = 0; i < init->manifest->guest[guest].nic_count; i++)
		is_closed &= port_close(init, port_of(init, guest, i));
	return is_closed;
}

/* ---- Ports of seat's clients --------------------------------------------- */

/* Of the guests' cards, the one after that; NULL: there is no other. */
static const char *network_next(const struct init *init, const char *after)
{
	const char *next = NULL;

	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		const struct guest_manifest *m = &init->manifest->guest[i];

		for (unsigned k = 0; k < m->nic_count; k++) {
			const char *name = m->nic[k].network;

			if ((!after || strcmp(name, after) > 0) &&
			    (!next || strcmp(name, next) < 0))
				next = name;
		}
	}
	return next;
}

/* "" is the only one that there is. */
static const char *network_find(const struct init *init, const char *name)
{
	const char *network = network_next(init, NULL);

	if (!name[0])
		return network && !network_next(init, network) ? network : NULL;
	while (network && strcmp(network, name))
		network = network_next(init, network);
	return network;
}

static void networks_text(const struct init *init, const char *before,
			  char text[SEAT_TEXT_SIZE])
{
	const char *network = network_next(init, NULL);
	size_t length = (size_t)snprintf(text, SEAT_TEXT_SIZE, "%s", before);

	if (!network)
		(void)snprintf(text, SEAT_TEXT_SIZE, "there is no network");
	for (const char *comma = ""; network && length < SEAT_TEXT_SIZE;
	     comma = ", ", network = network_next(init, network))
		length +=
			(size_t)snprintf(text + length, SEAT_TEXT_SIZE - length,
					 "%s%s", comma, network);
}

/* Its channel goes when the switch has let it go. */
static void seat_port_leave(struct init *init, uint32_t slot)
{
	unsigned index = slot - SEAT_PORT_SLOT;

	if (index < SEAT_PORTS)
		(void)port_close(init, &init->nets.port[NET_CARDS + index]);
}

static const char *seat_port_open(struct init *init, struct seat_message *what,
				  const char *network)
{
	struct net_port *port = &init->nets.port[NET_CARDS];
	unsigned index = 0;

	while (index < SEAT_PORTS && port[index].state != NET_PORT_NONE)
		index++;
	if (index == SEAT_PORTS)
		return "has no port left for a client: end another one";
	what->slot = SEAT_PORT_SLOT + index;
	if (port_open(init, &port[index], SWITCH_CHANNEL_PAGES,
		      init->seat.service.id, what->slot))
		return "has no memory left for a port";
	port[index].network = network;
	port[index].vlan = what->verb == SEAT_JOIN ? what->vlan : 0;
	port[index].flags = what->verb == SEAT_CAPTURE ? SWITCH_MIRROR : 0;
	(void)snprintf(what->name, sizeof(what->name), "%s", network);
	return NULL;
}

void nets_ask(struct init *init, struct seat_ask *ask)
{
	struct seat_message *what = &ask->what;
	const char *network;

	ask->why = NULL;
	if (what->verb == SEAT_LEAVE) {
		seat_port_leave(init, what->slot);
		return;
	}
	network = network_find(init, what->name);
	if (!network)
		networks_text(init,
			      what->name[0] ? "is no network: there are "
					    : "which one? There are ",
			      ask->text);
	else if (what->vlan > SWITCH_VLAN_MAX)
		ask->why = "has no such VLAN";
	else if (init->nets.service.state == SERVICE_NONE)
		ask->why = "needs the service switch";
	else if (!permit_client(init, network))
		ask->why = "is not for clients: the policy says so";
	else
		ask->why = seat_port_open(init, what, network);
}

void nets_seat_gone(struct init *init)
{
	for (unsigned i = 0; i < SEAT_PORTS; i++)
		seat_port_leave(init, SEAT_PORT_SLOT + i);
}

/* ---- What is said -------------------------------------------------------- */

static int port_attach(struct init *init, unsigned index)
{
	long error = init->gate->channel_attach(
		init->gate->ctx, init->nets.port[index].channel, END_SWITCH,
		init->nets.service.id, slot_of(index));

	char name[SWITCH_PORT_SIZE];

	if (!error)
		return 0;
	port_name(init, index, name);
	init_log(init, 0, LOG_ERROR, "%s: it cannot be connected: %ld", name,
		 error);
	return (int)error;
}

static bool port_say_add(struct init *init, unsigned index, bool *bell)
{
	const struct net_port *port = &init->nets.port[index];
	struct switch_message message = {
		.kind = SWITCH_ADD,
		.slot = slot_of(index),
		.vlan = port->vlan,
		.flags = port->flags,
	};
	const char *network = port->network;

	if (index < NET_CARDS) {
		unsigned number;
		const struct guest_manifest *m = guest_of(init, index, &number);
		const struct nic_manifest *nic = &m->nic[number];

		message.vlan = nic->vlan;
		message.kib_limit = nic->kib_limit;
		message.flags = is_wide(nic) ? SWITCH_WIDE : 0;
		network = nic->network;
	}
	port_name(init, index, message.port);
	(void)snprintf(message.network, sizeof(message.network), "%s", network);
	return service_say(init, &init->nets.service, &message, bell);
}

/* False: there is no room. */
static bool port_say(struct init *init, unsigned index, bool *bell)
{
	struct net_port *port = &init->nets.port[index];
	const struct switch_message message = { .kind = SWITCH_REMOVE,
						.slot = slot_of(index) };

	switch (port->state) {
	case NET_PORT_ADDING:
		if (!port->is_attached && port_attach(init, index)) {
			port_drop(init, port);
			return true;
		}
		port->is_attached = true;
		if (!port_say_add(init, index, bell))
			return false;
		port->state = NET_PORT_OPEN;
		return true;
	case NET_PORT_REMOVING:
		if (!service_say(init, &init->nets.service, &message, bell))
			return false;
		port->state = NET_PORT_REMOVED;
		return true;
	default:
		return true;
	}
}

void nets_send(struct init *init)
{
	bool bell = false;

	for (unsigned i = 0; i < NET_PORTS; i++)
		if (init->nets.service.state != SERVICE_RUNNING ||
		    !port_say(init, i, &bell))
			break;
	if (bell)
		service_ring(init, &init->nets.service);
}

/* ---- What is heard ------------------------------------------------------- */

static void say_counters(const struct init *init, unsigned index,
			 const struct switch_counters *counters)
{
	char name[SWITCH_PORT_SIZE];

	port_name(init, index, name);
	init_log(init, 0, LOG_INFO,
		 "%s: sent %lu frames, received %lu, %lu dropped, "
		 "%lu refused",
		 name, counters->sent, counters->received, counters->dropped,
		 counters->refused);
}

static void heard(struct init *init, const void *record)
{
	const struct switch_message *message = record;
	unsigned index = message->slot - slot_of(0);

	if (message->kind != SWITCH_REMOVED || index >= NET_PORTS ||
	    init->nets.port[index].state != NET_PORT_REMOVED) {
		service_distrust(init, &init->nets.service,
				 "it says what nobody asked for");
		return;
	}
	say_counters(init, index, &message->counters);
	port_drop(init, &init->nets.port[index]);
}

/* ---- Its life ------------------------------------------------------------ */

static uint64_t quota(const struct init *init)
{
	uint64_t pages = QUOTA_PAGES + program_pages(init, SWITCH_PROGRAM) +
			 SEAT_PORTS * QUOTA_PORT;

	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		pages += init->manifest->guest[i].nic_count * QUOTA_PORT;
	return pages;
}

static void switch_spec(struct init *init, struct gate_domain_spec *spec)
{
	spec->quota_pages = quota(init);
}

static int switch_fill(struct init *init, void *channel)
{
	struct service *service = &init->nets.service;
	struct switch_control *memory = channel;
	const struct switch_argument argument = { SWITCH_VERSION,
						  service->starts };

	ring_init(&service->to, &memory->to_switch, memory->to_switch_data,
		  SWITCH_CONTROL_SIZE, true, false);
	ring_init(&service->from, &memory->from_switch,
		  memory->from_switch_data, SWITCH_CONTROL_SIZE, false, false);
	return domain_write_argument(init, service->id, &argument,
				     sizeof(argument));
}

/* To the next one all is said again; what was to be removed is. */
static void switch_gone(struct init *init)
{
	for (unsigned i = 0; i < NET_PORTS; i++) {
		struct net_port *port = &init->nets.port[i];

		if (port->state == NET_PORT_OPEN)
			port->state = NET_PORT_ADDING;
		else if (port->state >= NET_PORT_REMOVING)
			port_drop(init, port);
		port->is_attached = false;
	}
}

static uint64_t answers_deadline(const struct init *init)
{
	uint64_t next_ns = UINT64_MAX;

	for (unsigned i = 0; i < NET_PORTS; i++)
		if (init->nets.port[i].state >= NET_PORT_REMOVING)
			next_ns = MIN(next_ns, init->nets.port[i].deadline_ns);
	return next_ns;
}

static void switch_check(struct init *init, bool *bell)
{
	(void)bell;
	if (init_now_ns(init) >= answers_deadline(init))
		service_distrust(init, &init->nets.service,
				 "it does not answer");
}

static const struct service_kind switch_kind = {
	.name = "switch",
	.program = SWITCH_PROGRAM,
	.slot = 2,
	.peer_slot = SWITCH_CONTROL_SLOT,
	.control_pages = SWITCH_CONTROL_PAGES,
	.message_size = sizeof(struct switch_message),
	.spec = switch_spec,
	.fill = switch_fill,
	.heard = heard,
	.check = switch_check,
	.gone = switch_gone,
};

void nets_init(struct init *init)
{
	struct service *service = &init->nets.service;
	unsigned nics = 0;

	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		nics += init->manifest->guest[i].nic_count;
	if (!nics || init_module_find(init->info, SWITCH_PROGRAM) < 0)
		return;
	service->promised = quota(init) + SWITCH_CONTROL_PAGES + 1 +
			    SEAT_PORTS * (SWITCH_CHANNEL_PAGES + 1);
	service_init(init, service, &switch_kind);
}

uint64_t nets_deadline(const struct init *init)
{
	uint64_t next_ns = service_deadline(init, &init->nets.service);

	if (init->nets.service.state == SERVICE_RUNNING)
		next_ns = MIN(next_ns, answers_deadline(init));
	return next_ns;
}
