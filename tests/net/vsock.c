/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connects two guests by a stream socket, for tests/net/init:
 *
 *	vsock listen PORT	takes one connection
 *	vsock connect CID PORT
 *
 * What is on standard input goes there, and its end; what comes from there goes
 * to standard output, until both have ended.  The exit status is 0, or 1 with
 * the reason on standard error.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "vsock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_vm address(uint32_t cid, const char *port)
{
	return (struct sockaddr_vm){
		.svm_family = AF_VSOCK,
		.svm_cid = cid,
		.svm_port = (uint32_t)strtoul(port, NULL, 0),
	};
}

static int take_one(const char *port)
{
	struct sockaddr_vm own = address(VMADDR_CID_ANY, port);
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0), one;

	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) ||
	    listen(fd, 1))
		fail("listen");
	one = accept(fd, NULL, NULL);
	if (one < 0)
		fail("accept");
	return one;
}

static int reach(const char *cid, const char *port)
{
	struct sockaddr_vm other =
		address((uint32_t)strtoul(cid, NULL, 0), port);
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&other, sizeof(other)))
		fail("connect");
	return fd;
}

/* What there is, or its end: 0. */
static size_t copy(int from, int to, const char *what)
{
	static uint8_t bytes[65536];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n < 0)
		fail(what);
	for (ssize_t at = 0, m; at < n; at += m) {
		m = write(to, bytes + at, (size_t)(n - at));
		if (m < 0)
			fail("write");
	}
	return (size_t)n;
}

static void pump(int fd)
{
	struct pollfd fds[] = { { fd, POLLIN, 0 }, { 0, POLLIN, 0 } };

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, 2, -1) < 0)
			fail("poll");
		if (fds[1].revents && !copy(0, fd, "input")) {
			fds[1].fd = -1;
			if (shutdown(fd, SHUT_WR))
				fail("shutdown");
		}
		if (fds[0].revents && !copy(fd, 1, "read"))
			fds[0].fd = -1;
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "listen"))
		pump(take_one(argv[2]));
	else if (argc == 4 && !strcmp(argv[1], "connect"))
		pump(reach(argv[2], argv[3]));
	else
		return 2;
	return 0;
}
