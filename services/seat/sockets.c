/* SPDX-License-Identifier: BSD-2-Clause */
/* See sockets.h. */
#include "services/seat/sockets.h"

#include "lib/printf.h"
#include "lib/string.h"

#define PACKETS_MAX	16 /* of a guest's, at a time */
/* Between two lines of the log about what one guest was denied: its place there
 * is the other guests', too. */
#define DENIED_PAUSE_NS 1000000000ULL
/* Flags of VSOCK_SHUTDOWN: it neither reads nor writes any more. */
#define SHUTDOWN_BOTH	3

/* ---- Packets that go ----------------------------------------------------- */

static struct vsock_header header_of(const struct socket *socket,
				     enum vsock_operation operation,
				     uint32_t length)
{
	return (struct vsock_header){
		.from = VSOCK_CID_HOST,
		.to = socket->cid,
		.from_port = SEAT_SOCKET_PORT,
		.to_port = socket->port,
		.length = length,
		.type = VSOCK_STREAM,
		.operation = (uint16_t)operation,
		.room = SOCKET_BUFFER,
		.taken = socket->used,
	};
}

/* False: the ring is full, or nobody is there. */
static bool packet_send(struct sockets *sockets, unsigned n,
			const struct vsock_header *header, const void *payload)
{
	const struct vsock_backend *backend = sockets->backend;
	enum vsock_sent sent = backend->send(backend->ctx, n, header, payload);

	sockets->socket[n]->is_full = sent == VSOCK_FULL;
	return sent == VSOCK_SENT;
}

/* It has no payload; what finds no room waits, and none of them waits. */
static void control_send(struct sockets *sockets, unsigned n,
			 const struct vsock_header *header)
{
	struct socket *socket = sockets->socket[n];

	if (packet_send(sockets, n, header, NULL) || !socket->is_full)
		return;
	socket->owed = *header;
	socket->is_owed = true;
}

static void reset_send(struct sockets *sockets, unsigned n,
		       const struct vsock_header *of)
{
	const struct vsock_header reset = {
		.from = of->to,
		.to = of->from,
		.from_port = of->to_port,
		.to_port = of->from_port,
		.type = VSOCK_STREAM,
		.operation = VSOCK_RESET,
	};

	control_send(sockets, n, &reset);
}

/* What its guest has room for. */
static uint32_t credit_of(const struct socket *socket)
{
	uint32_t outstanding = socket->sent - socket->taken;

	return outstanding < socket->room ? socket->room - outstanding : 0;
}

static void credit_ask(struct sockets *sockets, unsigned n)
{
	struct socket *socket = sockets->socket[n];
	const struct vsock_header header =
		header_of(socket, VSOCK_CREDIT_WANTED, 0);

	if (!socket->is_asked)
		control_send(sockets, n, &header);
	socket->is_asked = true;
}

/* True: the guest has been told how much was used, by some packet. */
static bool data_send(struct sockets *sockets, unsigned n)
{
	struct socket *socket = sockets->socket[n];
	struct link *link = &socket->remote.link;
	bool has_sent = false;

	while (!socket->is_owed) {
		struct vsock_header header;
		size_t length;
		const void *bytes = link_pending(link, &length);

		if (!length)
			break;
		length = MIN(length, (size_t)VSOCK_PAYLOAD_MAX);
		length = MIN(length, (size_t)credit_of(socket));
		if (!length) {
			credit_ask(sockets, n);
			break;
		}
		header = header_of(socket, VSOCK_DATA, (uint32_t)length);
		if (!packet_send(sockets, n, &header, bytes))
			break;
		link_sent(link, length);
		socket->sent += (uint32_t)length;
		socket->told = socket->used;
		has_sent = true;
	}
	return has_sent;
}

static bool flush(struct sockets *sockets, unsigned n)
{
	struct socket *socket = sockets->socket[n];
	struct vsock_header header;
	bool has_sent;

	if (socket->is_full)
		return false;
	if (socket->is_owed) {
		socket->is_owed = false;
		header = socket->owed;
		control_send(sockets, n, &header);
	}
	if (!socket->is_open || socket->is_owed)
		return false;
	has_sent = data_send(sockets, n);
	if (!socket->is_owed &&
	    socket->used - socket->told >= SOCKET_BUFFER / 2) {
		header = header_of(socket, VSOCK_CREDIT, 0);
		socket->told = socket->used;
		control_send(sockets, n, &header);
	}
	return has_sent;
}

/* ---- Packets that come --------------------------------------------------- */

static void socket_end(struct socket *socket)
{
	if (!socket->is_open)
		return;
	socket->is_open = false;
	remote_end(&socket->remote);
}

static void denied_tell(struct sockets *sockets, unsigned n,
			const struct vsock_header *header)
{
	struct socket *socket = sockets->socket[n];
	char text[128];

	if (sockets->now_ns < socket->quiet_ns)
		return;
	socket->quiet_ns = sockets->now_ns + DENIED_PAUSE_NS;
	if (header->to_port != SEAT_SOCKET_PORT)
		(void)snprintf(text, sizeof(text),
			       "guest %s is refused: at port %u of the host "
			       "nobody listens to sockets",
			       socket->name, header->to_port);
	else
		(void)snprintf(text, sizeof(text),
			       "guest %s is refused: it has a socket for the "
			       "control protocol already",
			       socket->name);
	sockets->ops->denied(sockets->ctx, text);
}

static void request(struct sockets *sockets, unsigned n,
		    const struct vsock_header *header)
{
	struct socket *socket = sockets->socket[n];
	struct vsock_header answer;

	if (header->to_port != SEAT_SOCKET_PORT || socket->is_open) {
		denied_tell(sockets, n, header);
		reset_send(sockets, n, header);
		return;
	}
	socket->is_open = true;
	socket->is_asked = false;
	socket->cid = header->from;
	socket->port = header->from_port;
	socket->sent = socket->received = socket->used = socket->told = 0;
	socket->room = header->room;
	socket->taken = header->taken;
	answer = header_of(socket, VSOCK_RESPONSE, 0);
	control_send(sockets, n, &answer);
}

/* False: it is more than the guest was told that there is room for. */
static bool data_take(struct socket *socket, const uint8_t *bytes,
		      uint32_t length)
{
	if (length > SOCKET_BUFFER - (socket->received - socket->used))
		return false;
	for (uint32_t i = 0; i < length; i++)
		socket->bytes[socket->received++ % SOCKET_BUFFER] = bytes[i];
	return true;
}

/* Of the connection that there is. */
static void packet_take(struct sockets *sockets, unsigned n,
			const struct vsock_header *header,
			const uint8_t *payload)
{
	struct socket *socket = sockets->socket[n];
	struct vsock_header answer;
	bool ends = header->operation == VSOCK_SHUTDOWN &&
		    (header->flags & SHUTDOWN_BOTH) == SHUTDOWN_BOTH;

	socket->room = header->room;
	socket->taken = header->taken;
	socket->is_asked &= !credit_of(socket);
	if (header->operation == VSOCK_DATA)
		ends = !data_take(socket, payload, header->length);
	if (header->operation == VSOCK_CREDIT_WANTED) {
		answer = header_of(socket, VSOCK_CREDIT, 0);
		control_send(sockets, n, &answer);
	}
	if (ends || header->operation == VSOCK_RESET)
		socket_end(socket);
	if (ends)
		reset_send(sockets, n, header);
}

static bool is_sensible(const struct vsock_header *header, uint32_t length)
{
	return length >= sizeof(*header) &&
	       header->length == length - sizeof(*header) &&
	       header->to == VSOCK_CID_HOST && header->type == VSOCK_STREAM &&
	       header->operation >= VSOCK_REQUEST &&
	       header->operation < VSOCK_OPERATIONS &&
	       (!header->length || header->operation == VSOCK_DATA);
}

static void record_take(struct sockets *sockets, unsigned n,
			const uint8_t *record, uint32_t length)
{
	const struct socket *socket = sockets->socket[n];
	struct vsock_header header = { 0 };

	memcpy(&header, record, MIN(length, (uint32_t)sizeof(header)));
	if (!is_sensible(&header, length))
		return;
	if (header.operation == VSOCK_REQUEST)
		request(sockets, n, &header);
	else if (socket->is_open && header.to_port == SEAT_SOCKET_PORT &&
		 header.from == socket->cid && header.from_port == socket->port)
		packet_take(sockets, n, &header, record + sizeof(header));
	else if (header.operation != VSOCK_RESET)
		reset_send(sockets, n, &header);
}

static void receive(struct sockets *sockets, unsigned n)
{
	const struct vsock_backend *backend = sockets->backend;
	const struct socket *socket = sockets->socket[n];
	unsigned packets = 0;

	for (; packets < PACKETS_MAX && !socket->is_owed; packets++) {
		uint32_t length;
		const uint8_t *record =
			backend->receive(backend->ctx, n, &length);

		if (!record)
			return;
		record_take(sockets, n, record, length);
		backend->release(backend->ctx, n);
	}
	sockets->is_again |= packets == PACKETS_MAX;
}

/* ---- The conversation ---------------------------------------------------- */

/* As far as the link takes it.  True: there is more. */
static bool feed(struct socket *socket)
{
	struct link *link = &socket->remote.link;
	size_t left = MIN(link_wants(link),
			  (size_t)(socket->received - socket->used));

	while (left) {
		uint32_t at = socket->used % SOCKET_BUFFER;
		size_t piece = MIN(left, (size_t)(SOCKET_BUFFER - at));

		link_received(link, socket->bytes + at, piece);
		socket->used += (uint32_t)piece;
		left -= piece;
	}
	return socket->received != socket->used;
}

static void socket_run(struct sockets *sockets, unsigned n)
{
	struct socket *socket = sockets->socket[n];
	bool has_more;

	if (!socket->has_rights)
		return;
	(void)flush(sockets, n);
	receive(sockets, n);
	if (!socket->is_open)
		return;
	has_more = feed(socket);
	remote_run(&socket->remote, sockets->now_ns);
	socket->remote.is_again |= has_more && link_wants(&socket->remote.link);
}

void sockets_run(struct sockets *sockets, uint64_t now_ns)
{
	sockets->now_ns = now_ns;
	sockets->is_again = false;
	for (unsigned n = 0; n < sockets->count; n++)
		socket_run(sockets, n);
}

bool sockets_flush(struct sockets *sockets)
{
	bool has_sent = false;

	for (unsigned n = 0; n < sockets->count; n++)
		has_sent |= flush(sockets, n);
	return has_sent;
}

uint64_t sockets_deadline(const struct sockets *sockets)
{
	uint64_t deadline_ns = UINT64_MAX;

	if (sockets->is_again)
		return sockets->now_ns;
	for (unsigned n = 0; n < sockets->count; n++)
		if (sockets->socket[n]->is_open)
			deadline_ns =
				MIN(deadline_ns,
				    remote_deadline(&sockets->socket[n]->remote,
						    sockets->now_ns));
	return deadline_ns;
}

void sockets_heard(struct sockets *sockets, unsigned slot, const char *bytes,
		   size_t length)
{
	for (unsigned n = 0; n < sockets->count; n++)
		if (sockets->socket[n]->is_open)
			remote_heard(&sockets->socket[n]->remote, slot, bytes,
				     length);
}

void sockets_gone(struct sockets *sockets, unsigned slot)
{
	for (unsigned n = 0; n < sockets->count; n++)
		remote_gone(&sockets->socket[n]->remote, slot);
}

/* ---- The backend, and life ----------------------------------------------- */

static void received(void *dev)
{
	((struct sockets *)dev)->is_again = true;
}

static void writable(void *dev, unsigned peer)
{
	struct sockets *sockets = dev;

	if (peer < sockets->count)
		sockets->socket[peer]->is_full = false;
}

/* The machine is gone, and so are all that it was to get. */
static void lost(void *dev, unsigned peer)
{
	struct sockets *sockets = dev;

	if (peer >= sockets->count)
		return;
	socket_end(sockets->socket[peer]);
	sockets->socket[peer]->is_owed = false;
	writable(sockets, peer);
}

void sockets_init(struct sockets *sockets, const struct sockets_ops *ops,
		  void *ctx, const struct vsock_backend *backend)
{
	const struct vsock_device device = {
		.received = received,
		.writable = writable,
		.lost = lost,
		.dev = sockets,
	};

	*sockets =
		(struct sockets){ .ops = ops, .ctx = ctx, .backend = backend };
	backend->attach(backend->ctx, &device);
}

void sockets_add(struct sockets *sockets, struct socket *socket,
		 struct mux *mux, struct faces *faces, struct asks *asks,
		 struct ports *nets)
{
	remote_init(&socket->remote, mux, faces, asks, nets);
	sockets->socket[sockets->count++] = socket;
}

void sockets_rights(struct sockets *sockets, const struct seat_message *message)
{
	unsigned n = message->slot - SEAT_SOCKET_SLOT;

	if (n >= sockets->count)
		return;
	sockets->socket[n]->remote.rights = message->rights;
	(void)snprintf(sockets->socket[n]->name, GATE_NAME_SIZE, "%.*s",
		       GATE_NAME_SIZE - 1, message->name);
	sockets->socket[n]->has_rights = true;
}
