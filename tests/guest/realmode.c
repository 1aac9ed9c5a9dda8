/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real mode: segments, interrupts through the IVT, exceptions, string
 * instructions that wrap, exits, device memory by 4 GiB limits, interrupts
 * that end HLT.
 */
#include "tests/guest/lib/modes.h"

/* Of realmode_code.asm; results follow the code's first jump. */
extern char real_code[], real_code_end[];

struct real_results {
	uint8_t jump[4];
	uint16_t es_base;
	uint16_t int_ax;
	uint16_t int_flags;
	uint16_t de_seen;
	uint16_t ud_seen;
	uint16_t stos_di;
	uint16_t far_call;
	uint16_t enter_sp;
	uint32_t wide;
	uint32_t cpuid_ebx;
	uint32_t mmio;
	uint32_t port;
	uint16_t insw_di;
	uint16_t insw_cx;
	uint16_t hlt_ticks;
	uint16_t bound_seen;
	uint32_t loop_count;
} __packed;

void guest_main(void)
{
	const volatile struct real_results *r =
		(const volatile struct real_results *)MODE16_CODE;
	volatile uint8_t *segment = (volatile uint8_t *)0x30000;

	modes_init();
	segment[0xffff] = segment[0] = segment[1] = segment[2] = 0;
	mode16_run(real_code, (uint32_t)(real_code_end - real_code), 0);
	check_equal("segment", *(volatile uint16_t *)0x20010, 0xbeef);
	check_equal("segment-read", r->es_base, 0xbeef);
	check_equal("int", r->int_ax, 0x4242);
	check_equal("int-clears-if", r->int_flags & X86_FLAG_IF, 0);
	check_equal("de", r->de_seen, 1);
	check_equal("ud", r->ud_seen, 1);
	check_equal("bound", r->bound_seen, 1);
	check_equal("string-wraps-di", r->stos_di, 2);
	check("string-wraps",
	      segment[0xffff] == 0x77 && segment[1] == 0x77 && !segment[2]);
	check_equal("far-call", r->far_call, 0xfa12);
	check_equal("enter-leave", r->enter_sp, 0);
	check_equal("32-bit-operand", r->wide, 0x12345678u * 3);
	check_equal("cpuid", r->cpuid_ebx, cpuid(0, 0).ebx);
	check_equal("mmio", r->mmio, lapic_read(LAPIC_VERSION));
	check_equal("port", r->port, 0xffffffff);
	check_equal("rep-insw-di", r->insw_di, 0x110);
	check_equal("rep-insw-cx", r->insw_cx, 0);
	check_equal("rep-insw", *(volatile uint64_t *)0x30108, UINT64_MAX);
	check("hlt", r->hlt_ticks >= 1);
	check_equal("loop", r->loop_count, 1000);
}
