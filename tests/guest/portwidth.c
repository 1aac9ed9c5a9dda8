/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port accesses of every width reach the device that they should, whole or
 * split.
 */
#include "tests/guest/lib/guest.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000u
#define PIC1	    0x20
#define CMOS	    0x70
#define CMOS_FREE   0x6f /* a cell that nobody uses */
#define PORT_NONE   0x1e0

static void test_pci(void)
{
	out32(PCI_ADDRESS, PCI_ENABLE);
	check_equal("pci-address-32", in32(PCI_ADDRESS), PCI_ENABLE);
	check_equal("pci-data-32", in32(PCI_DATA), 0x12378086);
	check_equal("pci-data-16-low", in16(PCI_DATA), 0x8086);
	check_equal("pci-data-16-high", in16(PCI_DATA + 2), 0x1237);
	check_equal("pci-data-8-0", in8(PCI_DATA), 0x86);
	check_equal("pci-data-8-1", in8(PCI_DATA + 1), 0x80);
	check_equal("pci-data-8-2", in8(PCI_DATA + 2), 0x37);
	check_equal("pci-data-8-3", in8(PCI_DATA + 3), 0x12);
	/* Only a 32-bit write sets the address. */
	out8(PCI_ADDRESS, 0x10);
	out16(PCI_ADDRESS, 0x1234);
	check_equal("pci-address-narrow-ignored", in32(PCI_ADDRESS),
		    PCI_ENABLE);
	out32(PCI_ADDRESS, 0);
	check_equal("pci-disabled", in32(PCI_DATA), 0xffffffff);
}

static void test_split(void)
{
	out8(PIC1 + 1, 0xa5);
	check_equal("split-read-16", in16(PIC1) >> 8, 0xa5);
	out16(CMOS, CMOS_FREE | 0x5a00);
	out8(CMOS, CMOS_FREE);
	check_equal("split-write-16", in8(CMOS + 1), 0x5a);
	out16(CMOS, CMOS_FREE);
	out8(PIC1 + 1, 0xff);
}

/* An IN of 8 or 16 bits leaves the rest of RAX; 32 bits clear it. */
static void test_merge(void)
{
	uint64_t rax = 0x1122334455667788;

	__asm__ volatile("inb %w1, %%al" : "+a"(rax) : "d"(PORT_NONE));
	check_equal("in-8-merges", rax, 0x11223344556677ff);
	rax = 0x1122334455667788;
	__asm__ volatile("inw %w1, %%ax" : "+a"(rax) : "d"(PORT_NONE));
	check_equal("in-16-merges", rax, 0x112233445566ffff);
	rax = 0x1122334455667788;
	__asm__ volatile("inl %w1, %%eax" : "+a"(rax) : "d"(PORT_NONE));
	check_equal("in-32-zero-extends", rax, 0xffffffff);
}

void guest_main(void)
{
	test_pci();
	test_split();
	test_merge();
}
