/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Usage: bulkhead-vnc GUEST CONTROL LISTENER [PASSWORD-FILE]
 * Shows a guest's screen to VNC viewers and passes on what they type.  CONTROL
 * is the number of a descriptor that leads to the host or its broker, LISTENER
 * that of a socket that listens for viewers: `bulkhead vnc` opens both.  The
 * password is the file's first line, of which VNC uses eight characters.
 *
 * Exit status: 1 when the host has gone, 2 for wrong words.
 */
#define _GNU_SOURCE /* accept4() */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "scripts/vnc/control.h"
#include "scripts/vnc/server.h"

#define VIEWERS_MAX  64
#define PASSWORD_MAX 64
#define MILLI_NS     (NSEC_PER_SEC / 1000)

static struct control control;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
}

static bool password_read(const char *path, char *password)
{
	FILE *file = fopen(path, "r");
	bool is_read = file && fgets(password, PASSWORD_MAX, file);

	if (file)
		fclose(file);
	if (!is_read)
		return false;
	password[strcspn(password, "\r\n")] = '\0';
	return password[0];
}

/* What hinders a picture, once for each that is another than the last. */
static void complain(const char *guest)
{
	static char said[CONTROL_TEXT];

	if (!strcmp(said, control.trouble))
		return;
	memcpy(said, control.trouble, sizeof(said));
	if (said[0])
		fprintf(stderr, "bulkhead-vnc: %s: %s\n", guest, said);
}

static int milliseconds_until(uint64_t due_ns)
{
	uint64_t now_ns = now();

	if (due_ns <= now_ns)
		return 0;
	if (due_ns == UINT64_MAX)
		return -1;
	return (int)MIN(DIV_ROUND_UP(due_ns - now_ns, MILLI_NS),
			(uint64_t)INT_MAX);
}

static void wait_for_more(const struct server *server, int listener)
{
	struct pollfd polls[2 + VIEWERS_MAX];
	uint64_t due = MIN(server_deadline(server),
			   control_deadline(&control, server_is_ready(server)));
	unsigned count = 2;

	polls[0] = (struct pollfd){ .fd = control.fd, .events = POLLIN };
	if (control_wants_to_write(&control))
		polls[0].events |= POLLOUT;
	polls[1] = (struct pollfd){ .fd = listener, .events = POLLIN };
	count += server_polls(server, polls + 2, VIEWERS_MAX);
	(void)poll(polls, count, milliseconds_until(due));
}

static void run(struct server *server, int listener)
{
	while (!control.is_over) {
		int viewer = accept4(listener, NULL, NULL,
				     SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (viewer >= 0)
			server_accept(server, viewer, now());
		/* What viewers want, then the host: a deadline of the server's
		 * is over when something has come to be shown. */
		server_run(server, now());
		control_run(&control, server_is_looked_at(server),
			    server_is_ready(server), now());
		complain(control.guest);
		wait_for_more(server, listener);
	}
}

int main(int argc, char **argv)
{
	char password[PASSWORD_MAX] = "";
	struct server *server;
	int listener;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: bulkhead-vnc GUEST CONTROL LISTENER "
				"[PASSWORD-FILE]\n");
		return 2;
	}
	if (argc == 5 && !password_read(argv[4], password)) {
		fprintf(stderr, "bulkhead-vnc: %s: no password in it\n",
			argv[4]);
		return 2;
	}
	/* Whoever opened the descriptors ends us with it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)signal(SIGPIPE, SIG_IGN);
	control_init(&control, atoi(argv[2]), argv[1], now());
	listener = atoi(argv[3]);
	server = server_new(&control, argv[1], password[0] ? password : NULL);
	if (!server) {
		fprintf(stderr, "bulkhead-vnc: out of memory\n");
		return 2;
	}
	run(server, listener);
	fprintf(stderr, "bulkhead-vnc: the host or its broker has gone\n");
	return 1;
}
