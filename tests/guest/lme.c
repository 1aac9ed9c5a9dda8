/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EFER.LME before CR4.PAE, CR4.PAE before EFER.LME, and PAE cleared again, each
 * followed by exits: the host goes on, and the guest sees its EFER as it left
 * it.  QEMU 7.2 restores its host's CR0 before CR4 and EFER, which a guest with
 * LME set and PAE and PG clear would break.
 *
 * Reference: SDM volume 3, "Initializing IA-32e Mode", "IA-32e Mode System Data
 * Structures".
 */
#include "tests/guest/lib/modes.h"

#define LME BIT(8)
#define LMA BIT(10)
#define PAE BIT(5)

/* lme_code.asm: pairs of EFER and CR4, or a vector and CR0's upper half. */
void lme_code(void);
extern volatile uint32_t lme_results[][2];

static const struct {
	const char *name;
	uint32_t efer, cr4;
} rows[] = {
	{ "lme-first", LME, 0 },
	{ "lme-first-then-pae", LME, PAE },
	{ "pae-cleared-again", LME, 0 },
	{ "paging-without-pae", X86_VECTOR_GP, 0 },
	{ "lme-cleared", 0, 0 },
	{ "pae-first", 0, PAE },
	{ "pae-first-then-lme", LME, PAE },
	{ "pae-cleared-after-lme", LME, 0 },
	{ "into-long-mode", LME | LMA, PAE },
	{ "out-of-long-mode", LME, PAE },
	{ "out-of-long-mode-pae-cleared", LME, 0 },
	{ "into-long-mode-again", LME | LMA, PAE },
};

void guest_main(void)
{
	modes_init();
	mode32_run(lme_code, 0, 0, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		if (lme_results[i][0] != rows[i].efer ||
		    lme_results[i][1] != rows[i].cr4)
			fail(rows[i].name, "%x and %x, not %x and %x",
			     lme_results[i][0], lme_results[i][1], rows[i].efer,
			     rows[i].cr4);
		else
			pass(rows[i].name);
	}
}
