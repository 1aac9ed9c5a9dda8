/* SPDX-License-Identifier: BSD-2-Clause */
/* See pump.h. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "scripts/vnc/pump.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 65536
#define UNREAD_MAX                                                 \
	(64U << 20) /* bytes; a viewer asks before it is sent more \
		     */
#define FROM_VIEWER  4096
#define SEND_OPTIONS (MSG_DONTWAIT | MSG_NOSIGNAL)

struct pump {
	int viewer, server;
	char *unread; /* of the server's, for the viewer */
	size_t at, length, size;
};

/* Room for a piece behind what is there. */
static bool make_room(struct pump *pump)
{
	char *more;

	if (pump->at) {
		memmove(pump->unread, pump->unread + pump->at,
			pump->length - pump->at);
		pump->length -= pump->at;
		pump->at = 0;
	}
	if (pump->size - pump->length >= PIECE)
		return true;
	if (pump->size >= UNREAD_MAX)
		return false;
	more = realloc(pump->unread, 2 * pump->size + PIECE);
	if (!more)
		return false;
	pump->unread = more;
	pump->size = 2 * pump->size + PIECE;
	return true;
}

/* False: it has ended. */
static bool is_alive(ssize_t n)
{
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool from_server(struct pump *pump)
{
	ssize_t n;

	if (!make_room(pump))
		return false;
	n = recv(pump->server, pump->unread + pump->length, PIECE,
		 MSG_DONTWAIT);
	if (n > 0)
		pump->length += (size_t)n;
	return is_alive(n);
}

static bool to_viewer(struct pump *pump)
{
	ssize_t n = send(pump->viewer, pump->unread + pump->at,
			 pump->length - pump->at, SEND_OPTIONS);

	if (n > 0)
		pump->at += (size_t)n;
	return is_alive(n);
}

/* What the viewer says is little: the server's socket has room for it, or the
 * server is busy, and the viewer waits. */
static bool from_viewer(struct pump *pump)
{
	char bytes[FROM_VIEWER];
	ssize_t n = recv(pump->viewer, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n <= 0)
		return is_alive(n);
	return send(pump->server, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static void *run(void *ctx)
{
	struct pump *pump = ctx;
	bool is_on = true;

	while (is_on) {
		struct pollfd polls[2] = {
			{ .fd = pump->server, .events = POLLIN },
			{ .fd = pump->viewer, .events = POLLIN },
		};

		if (pump->at != pump->length)
			polls[1].events |= POLLOUT;
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			break;
		if (polls[0].revents)
			is_on = from_server(pump);
		if (is_on && polls[1].revents & POLLOUT)
			is_on = to_viewer(pump);
		if (is_on && polls[1].revents & ~POLLOUT)
			is_on = from_viewer(pump);
	}
	/* The last words, a refusal say, as far as they go at once. */
	(void)to_viewer(pump);
	close(pump->viewer);
	close(pump->server);
	free(pump->unread);
	free(pump);
	return NULL;
}

int pump_start(int viewer)
{
	struct pump *pump = calloc(1, sizeof(*pump));
	int ends[2];
	pthread_t thread;

	if (!pump)
		goto close_viewer;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		goto free_pump;
	pump->viewer = viewer;
	pump->server = ends[1];
	if (pthread_create(&thread, NULL, run, pump))
		goto close_ends;
	(void)pthread_detach(thread);
	return ends[0];

close_ends:
	close(ends[0]);
	close(ends[1]);
free_pump:
	free(pump);
close_viewer:
	close(viewer);
	return -1;
}
