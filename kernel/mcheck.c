/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the machine-check banks.  All that is wanted is to know whether what
 * was interrupted can go on: a VM whose guest or machine cannot ends, a monitor
 * that cannot panics.
 *
 * Does not model: corrected-error interrupts (CMCI), recovery by page, Intel's
 * rendezvous of all CPUs: a CPU that finds no error of its own goes on if the
 * processor says that it can.
 *
 * References: SDM volume 3, "Machine-Check Architecture"; APM volume 2,
 * "Machine Check Architecture".
 */
#include "kernel/mcheck.h"

#include "include/x86.h"
#include "include/x86_state.h"

/* clang-format off */
#define CPUID_1_EDX_MCE	  BIT(7)
#define CPUID_1_EDX_MCA	  BIT(14)

#define MSR_MCG_CAP	  0x179
#define   MCG_CAP_COUNT	  MASK(7, 0)
#define   MCG_CAP_CTL	  BIT(8)
#define MSR_MCG_STATUS	  0x17a
#define   MCG_STATUS_RIPV BIT(0)
#define   MCG_STATUS_MCIP BIT(2)
#define MSR_MCG_CTL	  0x17b
#define MSR_MC_CTL(n)	  (0x400 + 4 * (n))
#define MSR_MC_STATUS(n)  (0x401 + 4 * (n))
#define   MC_STATUS_VAL	  BIT(63)
#define   MC_STATUS_UC	  BIT(61)
#define   MC_STATUS_EN	  BIT(60)
#define   MC_STATUS_ADDRV BIT(58)
#define   MC_STATUS_PCC	  BIT(57)
#define MSR_MC_ADDR(n)	  (0x402 + 4 * (n))
/* Beyond them MSRs of other kinds begin. */
#define BANKS_MAX	  32
/* clang-format on */

/* Bochs 2.7 says MCA and has none of its MSRs. */
static unsigned bank_count(void)
{
	uint64_t cap;

	if (!(cpuid_read(1, 0).edx & CPUID_1_EDX_MCA) ||
	    msr_try_read(MSR_MCG_CAP, &cap))
		return 0;
	return MIN(FIELD_GET(MCG_CAP_COUNT, cap), BANKS_MAX);
}

void mcheck_init_cpu(void)
{
	unsigned count = bank_count();

	if (!(cpuid_read(1, 0).edx & CPUID_1_EDX_MCE))
		return;
	if (count && msr_read(MSR_MCG_CAP) & MCG_CAP_CTL)
		msr_write(MSR_MCG_CTL, ~0ULL);
	/* Bank 0 of some is firmware's: what it refuses it keeps. */
	for (unsigned i = 0; i < count; i++) {
		(void)msr_try_write(MSR_MC_CTL(i), ~0ULL);
		(void)msr_try_write(MSR_MC_STATUS(i), 0);
	}
	cr4_write(cr4_read() | X86_CR4_MCE);
}

/* One bank's error, if it has one; false if it lets the context go on. */
static bool bank_take(unsigned bank, struct mcheck_error *error, bool *is_lost)
{
	uint64_t status = msr_read(MSR_MC_STATUS(bank));

	if (!(status & MC_STATUS_VAL))
		return false;
	if (!error->status) {
		error->bank = bank;
		error->status = status;
		if (status & MC_STATUS_ADDRV)
			error->address = msr_read(MSR_MC_ADDR(bank));
	}
	if (status & MC_STATUS_PCC)
		*is_lost = true;
	msr_write(MSR_MC_STATUS(bank), 0);
	return status & MC_STATUS_UC && status & MC_STATUS_EN;
}

enum mcheck_verdict mcheck_take(struct mcheck_error *error)
{
	unsigned count = bank_count();
	bool is_lost = false, is_error = false;
	uint64_t global;

	*error = (struct mcheck_error){ 0 };
	if (!count)
		return MCHECK_LOST; /* and no word of why */
	global = msr_read(MSR_MCG_STATUS);
	for (unsigned i = 0; i < count; i++)
		is_error |= bank_take(i, error, &is_lost);
	/* Not a machine check at all: INT 18. */
	if (!(global & MCG_STATUS_MCIP) && !is_error)
		return MCHECK_NOTHING;
	is_lost |= !(global & MCG_STATUS_RIPV);
	msr_write(MSR_MCG_STATUS, 0);
	if (is_lost)
		return MCHECK_LOST;
	return is_error ? MCHECK_GOES_ON : MCHECK_NOTHING;
}
