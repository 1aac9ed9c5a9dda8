/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOV to a control register with a reserved bit set raises #GP(0), changes
 * nothing, and the guest goes on.
 *
 * References: SDM volume 3, "Control Registers"; APM volume 2, "System-Control
 * Registers".
 */
#include "tests/guest/lib/guest.h"

#define E8_EAX_PHYS MASK(7, 0)
#define CR4_KNOWN   MASK(25, 0) /* by any processor */
#define CR4_VMXE    BIT(13)
#define CR4_SMXE    BIT(14)

static void write_cr0(void *value)
{
	WRITE_CR(0, *(uint64_t *)value);
}

static void write_cr3(void *value)
{
	WRITE_CR(3, *(uint64_t *)value);
}

static void write_cr4(void *value)
{
	WRITE_CR(4, *(uint64_t *)value);
}

static uint64_t read_cr(unsigned number)
{
	return number == 0 ? READ_CR(0) : number == 3 ? READ_CR(3) : READ_CR(4);
}

/* Each bit of mask by itself; the first that is taken, or 64. */
static unsigned first_taken(unsigned number, void (*write)(void *value),
			    uint64_t mask)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t old = read_cr(number), value = old | BIT(bit);

		if (!(mask & BIT(bit)))
			continue;
		if (trap_catch(write, &value) != X86_VECTOR_GP ||
		    trap_last.error != 0 || read_cr(number) != old)
			return bit;
	}
	return 64;
}

void guest_main(void)
{
	unsigned phys = FIELD_GET(E8_EAX_PHYS, cpuid(0x80000008, 0).eax);

	check_equal("cr0", first_taken(0, write_cr0, MASK(63, 32)), 64);
	if (phys < 52)
		check_equal("cr3-address",
			    first_taken(3, write_cr3, MASK(51, phys)), 64);
	else
		skip("cr3-address", "all of its bits are there");
	check_equal("cr3-high", first_taken(3, write_cr3, MASK(62, 52)), 64);
	check_equal("cr4-high", first_taken(4, write_cr4, MASK(63, 32)), 64);
	check_equal("cr4", first_taken(4, write_cr4, ~CR4_KNOWN & MASK(31, 0)),
		    64);
	if (is_bulkhead())
		check_equal("cr4-hidden",
			    first_taken(4, write_cr4, CR4_VMXE | CR4_SMXE), 64);
	else
		skip("cr4-hidden", "not under Bulkhead");
}
