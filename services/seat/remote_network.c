/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks for a client: docs/control.md, "join" and "capture".
 *
 * Frames wait in their port's ring while the client does not read; the switch
 * loses what comes then, and says how much.
 */
#include "include/errno.h"
#include "lib/string.h"
#include "services/seat/remote.h"

#define FRAMES_MAX 16 /* of a port, at a time */

/* Before each frame. */
struct head {
	uint64_t time_ns;
	uint32_t lost, reserved;
};
_Static_assert(8 + sizeof(struct head) + NET_FRAME_MAX + NET_VLAN_TAG <=
		       FACE_RECORD_MAX,
	       "it has the room of a piece of a picture");

static void told(void *ctx, uint32_t id, const struct seat_message *message)
{
	struct remote *remote = ctx;

	if (message->text[0])
		remote_refuse(remote, id, "refused",
			      message->name[0] ? message->name : "network",
			      message->text);
	else
		remote_say(remote,
			   "{\"id\":%u,\"ok\":true,\"network\":\"%s\","
			   "\"time\":%lu}",
			   id, message->name,
			   remote->ports->ops->time_ns(remote->ports->ctx));
	remote->is_again = true;
}

void remote_network(struct remote *remote, const struct request *request,
		    uint32_t verb)
{
	const struct port like = {
		.owner = remote,
		.id = request->id,
		.verb = verb,
		.told = told,
	};
	struct ask ask = { .vlan = request->vlan };
	struct port *port = ports_find(remote->ports, remote, request->id);
	int error = 0;

	if (request->vlan > SWITCH_VLAN_MAX) {
		remote_refuse(remote, request->id, "bad request", "vlan",
			      "it is 4094 at most");
		return;
	}
	/* Asked again, for its answer may have been lost. */
	if (port && port->state == PORT_ASKING)
		return;
	if (port)
		ports_close(remote->ports, port);
	memcpy(ask.name, request->network, sizeof(ask.name));
	error = ports_open(remote->ports, &like, &ask);
	if (error)
		remote_answer(remote, request->id, error, request->verb);
}

void remote_network_close(struct remote *remote, uint32_t id)
{
	struct port *port = ports_find(remote->ports, remote, id);

	if (id && port)
		ports_close(remote->ports, port);
}

long remote_network_send(struct remote *remote, uint32_t id, const void *bytes,
			 uint32_t length, bool **is_stuck)
{
	struct port *port = ports_find(remote->ports, remote, id);

	if (!port || port->state != PORT_OPEN)
		return -ENOENT;
	*is_stuck = &port->is_stuck;
	return ports_send(port, bytes, length);
}

static void frame_send(struct remote *remote, const struct port *port,
		       const struct port_frame *frame)
{
	const struct head head = {
		.time_ns = frame->time_ns,
		.lost = frame->lost,
	};

	remote_binary(remote, port->id, REMOTE_NETWORK,
		      (uint32_t)sizeof(head) + frame->length);
	link_add(&remote->link, &head, sizeof(head));
	link_add(&remote->link, frame->bytes, frame->length);
	link_end(&remote->link);
}

static void port_run(struct remote *remote, struct port *port)
{
	struct port_frame frame;
	unsigned frames;
	long n = 1;

	for (frames = 0; frames < FRAMES_MAX && n > 0; frames++) {
		if (!remote_has_room(remote, REMOTE_TAP_QUEUE)) {
			remote->is_waiting = true;
			return;
		}
		n = ports_receive(remote->ports, port, &frame);
		if (n > 0)
			frame_send(remote, port, &frame);
	}
	remote->is_again |= n > 0;
	if (n < 0) {
		remote_say(remote, "{\"id\":%u,\"event\":\"gone\"}", port->id);
		ports_close(remote->ports, port);
	}
}

void remote_network_run(struct remote *remote)
{
	for (unsigned i = 0; i < SEAT_PORTS; i++) {
		struct port *port = &remote->ports->port[i];

		if (port->owner == remote && port->state == PORT_OPEN)
			port_run(remote, port);
	}
}
