/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first user program of two Linux guests that measure what a frame costs
 * between them, for tests/bench/net/run: argument "ask" or "echo".  The one who
 * asks sends from span_begin() on and has its answer at span_end(), so that
 * tests/bench/paths counts what the whole host takes:
 *
 *	a frame of 60 bytes there, and one back: two frames, one at a time
 *	32 frames of 1514 bytes, and a short one back for all of them
 *
 * Raw sockets: nothing of Linux's protocols is among it.  It is linked to where
 * nobody else's code is.
 */
#include "tests/bench/linux/first.h"

#define SYS_IOCTL      16
#define SYS_SOCKET     41
#define SYS_SENDTO     44
#define SYS_RECVFROM   45
#define SYS_BIND       49
#define SYS_SETSOCKOPT 54
#define AF_PACKET      17
#define SOCK_RAW       3
#define SOL_SOCKET     1
#define SO_RCVTIMEO    20
#define SIOCGIFINDEX   0x8933
#define SIOCSIFFLAGS   0x8914
#define IFF_UP_RUNNING 0x41
#define TYPE	       0xb588 /* 88B5h, for experiments, as it is sent */
#define TRIES	       300
#define WARM	       20
#define SAMPLES	       200
#define BURST	       32
#define SHORT	       60
#define LONG	       1514
#define BYTE_ANSWER    14 /* of a frame: 1, it wants an answer */

struct interface {
	char name[16];
	union {
		int32_t index;
		uint16_t flags;
		char room[24];
	};
};

struct link_address {
	uint16_t family, type;
	int32_t index;
	uint16_t hardware;
	uint8_t kind, length, mac[8];
};

static uint8_t frame[LONG], answer[LONG];

void __attribute__((noreturn)) guest_main(long *stack);

/* A socket on eth0 that gives up waiting after a while. */
static long open_card(void)
{
	static const int64_t patience[2] = { 0, 100000 };
	struct interface card = { .name = "eth0" };
	struct link_address address = { .family = AF_PACKET, .type = TYPE };
	long fd = call(SYS_SOCKET, AF_PACKET, SOCK_RAW, TYPE, 0, 0);

	if (fd < 0)
		leave("NET FAIL socket\n");
	if (call(SYS_IOCTL, fd, SIOCGIFINDEX, (long)&card, 0, 0))
		leave("NET FAIL no eth0\n");
	address.index = card.index;
	card.flags = IFF_UP_RUNNING;
	if (call(SYS_IOCTL, fd, SIOCSIFFLAGS, (long)&card, 0, 0) ||
	    call(SYS_BIND, fd, (long)&address, 20, 0, 0))
		leave("NET FAIL eth0\n");
	call(SYS_SETSOCKOPT, fd, SOL_SOCKET, SO_RCVTIMEO, (long)patience, 16);
	return fd;
}

static void header_make(uint8_t to, uint8_t from)
{
	static const uint8_t prefix[] = { 0x52, 0x54, 0, 0, 0 };

	for (unsigned i = 0; i < sizeof(prefix); i++)
		frame[i] = frame[i + 6] = prefix[i];
	frame[5] = to;
	frame[11] = from;
	frame[12] = TYPE & 0xff;
	frame[13] = TYPE >> 8;
}

static bool put(long fd, long length, uint8_t wants_answer)
{
	frame[BYTE_ANSWER] = wants_answer;
	return call(SYS_SENDTO, fd, (long)frame, length, 0, 0) == length;
}

static long get(long fd)
{
	return call(SYS_RECVFROM, fd, (long)answer, sizeof(answer), 0, 0);
}

static void __attribute__((noreturn)) echo(long fd)
{
	header_make(2, 1);
	for (;;)
		if (get(fd) >= SHORT && answer[BYTE_ANSWER])
			put(fd, SHORT, 0);
}

/* count frames, the last of which is answered. */
static void exchange(long fd, unsigned count, long length)
{
	while (--count)
		if (!put(fd, length, 0))
			leave("NET FAIL send\n");
	if (!put(fd, length, 1) || get(fd) != SHORT)
		leave("NET FAIL no answer\n");
}

static void series(long fd, unsigned count, long length)
{
	for (unsigned i = 0; i < WARM + SAMPLES; i++) {
		if (i >= WARM)
			span_begin();
		exchange(fd, count, length);
		if (i >= WARM)
			span_end();
	}
	series_end();
}

static void __attribute__((noreturn)) ask(long fd)
{
	unsigned tries = 0;

	header_make(1, 2);
	do {
		if (++tries == TRIES)
			leave("NET FAIL nobody is there\n");
		put(fd, SHORT, 1);
	} while (get(fd) != SHORT);
	while (get(fd) > 0) /* of earlier ones */
		;
	series(fd, 1, SHORT);
	series(fd, 1, LONG);
	series(fd, BURST, SHORT);
	series(fd, BURST, LONG);
	leave("NET done\n");
}

/* argc, argv, ... as the kernel puts them. */
void __attribute__((noreturn)) guest_main(long *stack)
{
	const char *job = stack[0] > 1 ? (const char *)stack[2] : "";

	load_drivers();
	if (job[0] == 'a')
		ask(open_card());
	echo(open_card());
}

__asm__(".globl _start\n"
	"_start:\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call guest_main\n");
