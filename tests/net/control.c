/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Speaks the host's control protocol by a socket (docs/control.md), for
 * tests/net/init:
 *
 *	control REQUEST...
 *
 * Each argument is a JSON object with "id", the first one's being 1 and so on.
 * It is sent when the one before has its answer; what comes is printed, a line
 * each.  The exit status is 0 if all were answered, whatever the answers say.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "tests/unit/link_test.h"

#define PORT	    1
#define PAYLOAD_MAX 32768
#define REQUEST_MAX 4096

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "control: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int reach(void)
{
	const struct sockaddr_vm host = { .svm_family = AF_VSOCK,
					  .svm_cid = VMADDR_CID_HOST,
					  .svm_port = PORT };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&host, sizeof(host)))
		fail("connect");
	return fd;
}

static void get(int fd, uint8_t *to, size_t length)
{
	while (length) {
		ssize_t n = read(fd, to, length);

		if (n <= 0)
			fail("read");
		to += n;
		length -= (size_t)n;
	}
}

/* The next one's payload, with a NUL. */
static const char *frame_get(int fd)
{
	static uint8_t frame[8 + PAYLOAD_MAX + 4 + 1];
	uint32_t length, crc;

	get(fd, frame, 8);
	memcpy(&length, frame + 4, sizeof(length));
	if (frame[0] != 0xc5 || frame[1] != 0x5a || length > PAYLOAD_MAX)
		fail("no frame");
	get(fd, frame + 8, length + 4);
	memcpy(&crc, frame + 8 + length, sizeof(crc));
	if (crc != frame_crc(frame + 2, 6 + length))
		fail("CRC");
	frame[8 + length] = '\0';
	return (const char *)frame + 8;
}

static void ask(int fd, const char *request, int id)
{
	uint8_t frame[REQUEST_MAX + 12];
	size_t length = strlen(request);
	const char *heard;
	char answer[32];

	if (length > REQUEST_MAX)
		fail(request);
	length = frame_make(frame, 'J', request, (uint32_t)length);
	if (write(fd, frame, length) != (ssize_t)length)
		fail("write");
	snprintf(answer, sizeof(answer), "{\"id\":%d,\"ok\":", id);
	do {
		heard = frame_get(fd);
		fputs(heard, stdout);
	} while (strncmp(heard, answer, strlen(answer)));
}

int main(int argc, char **argv)
{
	int fd = reach();

	for (int i = 1; i < argc; i++)
		ask(fd, argv[i], i);
	return 0;
}
