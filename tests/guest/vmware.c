/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMware's backdoor: a port read that has results in other registers than EAX.
 * The pointer says who it is and obeys; that it moves nobody here can do.
 */
#include "tests/guest/lib/guest.h"

#define PORT	       0x5658
#define MAGIC	       0x564d5868
#define CALL_VERSION   10
#define CALL_DATA      39
#define CALL_STATUS    40
#define CALL_COMMAND   41
#define COMMAND_ON     0x45414552
#define COMMAND_OFF    0xf5
#define COMMAND_PLACES 0x53424152
#define POINTER_ID     0x3442554a
#define STATUS_OFF     0xffff0000

struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi;
};

static struct registers call_with(uint32_t magic, uint32_t number,
				  uint32_t parameter)
{
	struct registers r = {
		.rax = magic,
		.rbx = 0x1234567800000000 | parameter,
		.rcx = 0xabcd0000 | number,
		.rdx = PORT,
		.rsi = 0x1111222233334444,
		.rdi = 0x5555666677778888,
	};

	__asm__ volatile("inl %%dx, %%eax"
			 : "+a"(r.rax), "+b"(r.rbx), "+c"(r.rcx), "+d"(r.rdx),
			   "+S"(r.rsi), "+D"(r.rdi)
			 :
			 : "memory");
	return r;
}

static struct registers call(uint32_t number, uint32_t parameter)
{
	return call_with(MAGIC, number, parameter);
}

void guest_main(void)
{
	struct registers r = call(CALL_VERSION, 0);

	check_equal("version", r.rax, 6);
	check_equal("version-magic", r.rbx, MAGIC);
	check_equal("version-rdx", r.rdx, PORT);
	check_equal("version-rsi", r.rsi, 0x1111222233334444);
	check_equal("status-off", call(CALL_STATUS, 0).rax, STATUS_OFF);
	(void)call(CALL_COMMAND, COMMAND_ON);
	check_equal("status-on", call(CALL_STATUS, 0).rax, 1);
	r = call(CALL_DATA, 1);
	check_equal("id", r.rax, POINTER_ID);
	check_equal("id-rbx", r.rbx, 0x1234567800000001);
	(void)call(CALL_COMMAND, COMMAND_PLACES);
	check_equal("status-empty", call(CALL_STATUS, 0).rax, 0);
	check_equal("data-none", call(CALL_DATA, 4).rax, UINT32_MAX);
	check_equal("status-lost", call(CALL_STATUS, 0).rax, STATUS_OFF);
	r = call(99, 7);
	check_equal("unknown", r.rax, UINT32_MAX);
	check_equal("unknown-rbx", r.rbx, 0x1234567800000007);
	/* Without the magic number, and narrower, nobody is there. */
	r = call_with(MAGIC + 1, CALL_VERSION, 0);
	check_equal("no-magic", r.rax, UINT32_MAX);
	check_equal("no-magic-rbx", r.rbx, 0x1234567800000000);
	check_equal("narrow", in16(PORT), UINT16_MAX);
}
