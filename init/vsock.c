/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may talk to whom by sockets: a channel for each pair of guests that name
 * each other (include/vsock.h), made with the first of the two and closed when
 * both are gone.  A guest that comes again has the same one, and its machine
 * tells the other's.
 *
 * Of guests that may speak the control protocol each has a channel with seat,
 * made when one of the two is, and kept: either may come again.
 */
#include "include/errno.h"
#include "include/seat.h"
#include "init/init.h"

/* The pair of that guest and its n-th peer, which is an end of it. */
struct pair {
	struct vsock_pair *channel;
	unsigned end;
};

static unsigned index_of(const struct vsock_manifest *vsock, unsigned guest)
{
	unsigned n = 0;

	while (n < vsock->peer_count && vsock->peer[n] != guest)
		n++;
	return n;
}

/* Kept with the guest that the manifest has first. */
static struct pair pair_of(struct init *init, unsigned guest, unsigned n)
{
	const struct manifest *manifest = init->manifest;
	unsigned peer = manifest->guest[guest].vsock.peer[n];

	if (guest < peer)
		return (struct pair){ &init->vsock.pair[guest][n], 0 };
	n = index_of(&manifest->guest[peer].vsock, guest);
	return (struct pair){ &init->vsock.pair[peer][n], 1 };
}

static void leave(struct init *init, const struct pair *pair)
{
	pair->channel->is_used[pair->end] = false;
	if (!pair->channel->id || pair->channel->is_used[!pair->end])
		return;
	(void)init->gate->channel_close(init->gate->ctx, pair->channel->id);
	pair->channel->id = 0;
}

static int join(struct init *init, const struct pair *pair, gate_id id,
		unsigned slot)
{
	const struct init_gate *gate = init->gate;
	long error = 0;

	if (!pair->channel->id) {
		error = gate->channel_create(gate->ctx, VSOCK_CHANNEL_PAGES);
		if (error <= 0)
			return (int)error;
		pair->channel->id = (gate_id)error;
	}
	pair->channel->is_used[pair->end] = true;
	error = gate->channel_attach(gate->ctx, pair->channel->id, pair->end,
				     id, slot);
	if (error)
		leave(init, pair);
	return (int)error;
}

/* ---- The host ------------------------------------------------------------ */

/* Also while the first seat is being made. */
static bool has_control(const struct init *init, unsigned guest)
{
	return init->manifest->guest[guest].vsock.control &&
	       init_module_find(init->info, init->seat.service.kind->program) >=
		       0;
}

/* Its channel is there; or -errno. */
static int control_make(struct init *init, gate_id *channel)
{
	long error = *channel;

	if (!error)
		error = init->gate->channel_create(init->gate->ctx,
						   VSOCK_CHANNEL_PAGES);
	if (error > 0)
		*channel = (gate_id)error;
	return error > 0 ? 0 : (int)error;
}

static int control_attach(struct init *init, unsigned guest, unsigned end,
			  gate_id id, unsigned slot)
{
	gate_id *channel = &init->vsock.control[guest];
	int error = control_make(init, channel);

	return error ? error
		     : (int)init->gate->channel_attach(init->gate->ctx,
						       *channel, end, id, slot);
}

/* The next guest that has sockets to the host; guest_count behind the last. */
static unsigned control_next(const struct init *init, unsigned guest)
{
	while (guest < init->manifest->guest_count && !has_control(init, guest))
		guest++;
	return guest;
}

unsigned vsocks_control_count(const struct init *init)
{
	unsigned count = 0;

	for (unsigned i = control_next(init, 0);
	     i < init->manifest->guest_count; i = control_next(init, i + 1))
		count++;
	return count;
}

const struct guest_manifest *vsocks_control(const struct init *init, unsigned n)
{
	unsigned guest = control_next(init, 0);

	while (n--)
		guest = control_next(init, guest + 1);
	return &init->manifest->guest[guest];
}

int vsocks_seat_open(struct init *init, gate_id seat)
{
	unsigned guest = control_next(init, 0), slot = SEAT_SOCKET_SLOT;
	int error = 0;

	for (; !error && guest < init->manifest->guest_count; slot++) {
		error = domain_map_zero(
			init, seat, SEAT_SOCKET_VA(slot - SEAT_SOCKET_SLOT),
			SEAT_SOCKET_PAGES * PAGE_SIZE, GATE_MEMORY_ZERO,
			GATE_PROT_READ | GATE_PROT_WRITE);
		if (!error)
			error = control_attach(init, guest, 1, seat, slot);
		guest = control_next(init, guest + 1);
	}
	return error;
}

/* ---- Guests -------------------------------------------------------------- */

int vsocks_open(struct init *init, unsigned guest, gate_id id)
{
	const struct vsock_manifest *vsock =
		&init->manifest->guest[guest].vsock;
	int error = 0;

	for (unsigned n = 0; !error && n < vsock->peer_count; n++) {
		const struct pair pair = pair_of(init, guest, n);

		error = join(init, &pair, id, VSOCK_CLIENT_SLOT + n);
	}
	if (!error && has_control(init, guest))
		error = control_attach(init, guest, 0, id,
				       VSOCK_CLIENT_SLOT + vsock->peer_count);
	return error;
}

void vsocks_close(struct init *init, unsigned guest)
{
	const struct vsock_manifest *vsock =
		&init->manifest->guest[guest].vsock;

	for (unsigned n = 0; n < vsock->peer_count; n++) {
		const struct pair pair = pair_of(init, guest, n);

		leave(init, &pair);
	}
}

void vsocks_config(const struct init *init, unsigned guest,
		   struct machine_vsock_config *config)
{
	const struct manifest *manifest = init->manifest;
	const struct vsock_manifest *vsock = &manifest->guest[guest].vsock;

	config->cid = vsock->cid;
	config->peer_count = vsock->peer_count;
	for (unsigned n = 0; n < vsock->peer_count; n++) {
		config->peer[n].cid = manifest->guest[vsock->peer[n]].vsock.cid;
		config->peer[n].end = guest > vsock->peer[n];
	}
	if (has_control(init, guest))
		config->peer[config->peer_count++].cid = VSOCK_CID_HOST;
}
