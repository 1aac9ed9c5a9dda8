/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INS and OUTS: counts, directions, registers afterwards, page faults in the
 * middle.
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000u
#define PORT_NONE   0x1e0
#define PORT_POST   0x80
#define PAGE	    0x2000000UL /* may be unmapped */
#define HOLE	    0xd0000000UL

static uint8_t buffer[4096] __aligned(4096);

struct string_regs {
	uint64_t pointer;
	uint64_t count;
};

#define REP(instruction, port, regs)                                \
	__asm__ volatile("rep " instruction                         \
			 : "+D"((regs).pointer), "+c"((regs).count) \
			 : "d"((uint16_t)(port))                    \
			 : "memory")
#define REP_OUT(instruction, port, regs)                            \
	__asm__ volatile("rep " instruction                         \
			 : "+S"((regs).pointer), "+c"((regs).count) \
			 : "d"((uint16_t)(port))                    \
			 : "memory")

static bool all_are(const uint8_t *at, uint8_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (at[i] != value)
			return false;
	return true;
}

static void test_ins(void)
{
	struct string_regs r = { (uint64_t)buffer, 256 };

	memset(buffer, 0, sizeof(buffer));
	REP("insw", PORT_NONE, r);
	check_equal("insw-count", r.count, 0);
	check_equal("insw-pointer", r.pointer, (uint64_t)buffer + 512);
	check("insw-data", all_are(buffer, 0xff, 512) && buffer[512] == 0);
	out32(PCI_ADDRESS, PCI_ENABLE);
	r = (struct string_regs){ (uint64_t)buffer, 5 };
	REP("insl", PCI_DATA, r);
	check_equal("insl-first", *(uint32_t *)buffer, 0x12378086);
	check_equal("insl-last", *(uint32_t *)(buffer + 16), 0x12378086);
	r = (struct string_regs){ (uint64_t)buffer, 3 };
	REP("insb", PCI_DATA + 3, r);
	check_equal("insb", *(uint32_t *)buffer, 0x12121212);
}

static void test_zero(void)
{
	struct string_regs r = { (uint64_t)buffer, 0 };

	buffer[0] = 0x77;
	REP("insb", PORT_NONE, r);
	check("count-0",
	      !r.count && r.pointer == (uint64_t)buffer && buffer[0] == 0x77);
}

static void test_backward(void)
{
	struct string_regs r = { (uint64_t)buffer + 100, 10 };

	memset(buffer, 0, sizeof(buffer));
	__asm__ volatile("std");
	REP("insw", PORT_NONE, r);
	__asm__ volatile("cld");
	check_equal("backward-pointer", r.pointer, (uint64_t)buffer + 80);
	check("backward-data",
	      all_are(buffer + 82, 0xff, 20) && !buffer[81] && !buffer[102]);
}

/* The last of several writes to the address register counts. */
static void test_outs(void)
{
	uint32_t words[3] = { PCI_ENABLE | 0x800, PCI_ENABLE | 0x900,
			      PCI_ENABLE };
	struct string_regs r = { (uint64_t)words, 3 };

	REP_OUT("outsl", PCI_ADDRESS, r);
	check_equal("outsl", in32(PCI_ADDRESS), PCI_ENABLE);
	check_equal("outsl-pointer", r.pointer, (uint64_t)(words + 3));
	r = (struct string_regs){ (uint64_t)buffer, sizeof(buffer) };
	REP_OUT("outsb", PORT_POST, r);
	check_equal("outsb-count", r.count, 0);
}

static volatile uint64_t fault_rdi, fault_rcx, fault_cr2;

static void map_page(struct trap_frame *frame)
{
	fault_rdi = frame->rdi;
	fault_rcx = frame->rcx;
	fault_cr2 = READ_CR(2);
	*page_entry(PAGE) |= PTE_P;
	invlpg(PAGE);
}

/* A fault after some elements: registers say how far, then it goes on. */
static void test_fault(void)
{
	struct string_regs r = { PAGE - 20, 20 };

	memset((void *)(PAGE - 32), 0, 64);
	*page_entry(PAGE) &= ~PTE_P;
	invlpg(PAGE);
	trap_hook(X86_VECTOR_PF, map_page);
	REP("insw", PORT_NONE, r);
	trap_hook(X86_VECTOR_PF, NULL);
	check_equal("fault-cr2", fault_cr2, PAGE);
	check_equal("fault-rdi", fault_rdi, PAGE);
	check_equal("fault-rcx", fault_rcx, 10);
	check("fault-resumed", r.pointer == PAGE + 20 && !r.count &&
				       all_are((void *)(PAGE - 20), 0xff, 40));
}

/* Between a port and an address that nobody claims. */
static void test_hole(void)
{
	struct string_regs r = { HOLE, 4 };

	REP("insl", PORT_NONE, r);
	check_equal("ins-to-hole", r.pointer, HOLE + 16);
	r = (struct string_regs){ HOLE, 4 };
	REP_OUT("outsb", PORT_POST, r);
	check_equal("outs-from-hole", r.pointer, HOLE + 4);
}

/* 32-bit addressing: EDI and ECX alone count, and are zero-extended. */
static void test_address_size(void)
{
	struct string_regs r = { (uint64_t)buffer, 0xffffffff00000002 };

	memset(buffer, 0, 16);
	__asm__ volatile("addr32 rep insw"
			 : "+D"(r.pointer), "+c"(r.count)
			 : "d"((uint16_t)PORT_NONE)
			 : "memory");
	check_equal("addr32-count", r.count & 0xffffffff, 0);
	check("addr32-data", all_are(buffer, 0xff, 4) && !buffer[4]);
}

void guest_main(void)
{
	test_ins();
	test_zero();
	test_backward();
	test_outs();
	test_fault();
	test_hole();
	test_address_size();
}
