/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which measures a processor needs: as the simulators show theirs, and as real
 * ones with their microcode say it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "boot/speculation.h"

/* clang-format off */
#define PAGE_TABLES	BIT(0)
#define IBRS		BIT(1)
#define AUTO_IBRS	BIT(2)
#define IBPB		BIT(3)
#define RSB		BIT(4)
#define RSB_AT_EXIT	BIT(5)
#define VERW		BIT(6)
#define L1D_FLUSH	BIT(7)
#define MULTIHIT	BIT(8)
#define SMT		BIT(9)
#define FPU		BIT(10)
#define NO_IBPB		BIT(11)
#define NO_VERW		BIT(12)
#define NO_L1D_FLUSH	BIT(13)

#define EDX_MD_CLEAR	BIT(10)
#define EDX_IBPB	BIT(26)
#define EDX_L1D_FLUSH	BIT(28)
#define EDX_ALL		(EDX_MD_CLEAR | EDX_IBPB | EDX_L1D_FLUSH)
#define RETURNS		(RSB | RSB_AT_EXIT)

static const struct {
	const char *name;
	struct speculation_facts facts;
	uint32_t needs;
} rows[] = {
	/* As the simulators show them: no microcode. */
	{ "EPYC in QEMU", { .vendor = SPECULATION_AMD, .family = 0x17,
	  .model = 1, .has_smap = true }, RETURNS | NO_IBPB | FPU },
	{ "ryzen in Bochs", { .vendor = SPECULATION_AMD, .family = 0x17,
	  .model = 1, .has_smap = true }, RETURNS | NO_IBPB | FPU },
	{ "phenom in Bochs", { .vendor = SPECULATION_AMD, .family = 0x10,
	  .model = 2 }, PAGE_TABLES | RETURNS | NO_IBPB | FPU },
	{ "haswell in Bochs", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x3c, .is_vtx = true },
	  PAGE_TABLES | RETURNS | L1D_FLUSH | MULTIHIT | SMT | NO_IBPB |
	  NO_VERW | NO_L1D_FLUSH },
	{ "skylake_x in Bochs", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x55, .has_smap = true, .has_rtm = true, .is_vtx = true },
	  PAGE_TABLES | RETURNS | L1D_FLUSH | MULTIHIT | SMT | NO_IBPB |
	  NO_VERW | NO_L1D_FLUSH },
	{ "icelake in Bochs", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x7e, .has_smap = true, .is_vtx = true },
	  RETURNS | NO_IBPB | NO_VERW },
	{ "tigerlake in Bochs", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x8c, .has_smap = true, .is_vtx = true },
	  RETURNS | NO_IBPB },
	/* Real ones. */
	{ "Haswell", { .vendor = SPECULATION_INTEL, .family = 6, .model = 0x3c,
	  .leaf7_edx = EDX_ALL, .is_vtx = true },
	  PAGE_TABLES | IBPB | RETURNS | VERW | L1D_FLUSH | MULTIHIT | SMT },
	{ "Cascade Lake", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x55, .leaf7_edx = EDX_ALL, .has_smap = true,
	  .has_rtm = true, .is_vtx = true,
	  .arch_capabilities = 0x2b /* RDCL IBRS L1DFL MDS */ },
	  IBRS | IBPB | RETURNS | VERW | MULTIHIT | SMT },
	{ "Cascade Lake without TSX", { .vendor = SPECULATION_INTEL,
	  .family = 6, .model = 0x55, .leaf7_edx = EDX_ALL, .has_smap = true,
	  .is_vtx = true, .arch_capabilities = 0x2b | BIT(6) | MASK(15, 13) },
	  IBRS | IBPB | RETURNS },
	{ "Ice Lake SP", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x6a, .leaf7_edx = EDX_ALL, .has_smap = true,
	  .is_vtx = true, .arch_capabilities = 0x6b | BIT(8) | BIT(17) },
	  IBRS | IBPB | RETURNS | VERW },
	{ "Sapphire Rapids", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x8f, .leaf7_edx = EDX_ALL, .has_smap = true,
	  .is_vtx = true, .arch_capabilities = 0x6b | BIT(8) | BIT(24) },
	  IBRS | IBPB | RSB },
	{ "Alder Lake", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x97, .leaf7_edx = EDX_ALL & ~EDX_MD_CLEAR,
	  .has_smap = true, .is_vtx = true,
	  .arch_capabilities = 0x6b | BIT(28) },
	  IBRS | IBPB | RETURNS | VERW },
	{ "Alder Lake, P cores only", { .vendor = SPECULATION_INTEL,
	  .family = 6, .model = 0x97, .leaf7_edx = EDX_ALL, .has_smap = true,
	  .is_vtx = true, .arch_capabilities = 0x6b | BIT(27) },
	  IBRS | IBPB | RETURNS },
	{ "Bonnell", { .vendor = SPECULATION_INTEL, .family = 6, .model = 0x1c,
	  .has_smap = true }, 0 },
	{ "Bonnell without SMAP", { .vendor = SPECULATION_INTEL, .family = 6,
	  .model = 0x1c }, PAGE_TABLES },
	{ "Zen 2", { .vendor = SPECULATION_AMD, .family = 0x17, .model = 0x31,
	  .amd8_ebx = BIT(2) | BIT(12), .has_smap = true }, IBPB | RETURNS },
	{ "Zen 4", { .vendor = SPECULATION_AMD, .family = 0x19, .model = 0x11,
	  .amd8_ebx = BIT(2) | BIT(12), .amd21_eax = BIT(8),
	  .has_smap = true }, AUTO_IBRS | IBPB | RSB },
	{ "an unknown vendor's", { .vendor = SPECULATION_OTHER, .family = 7,
	  .model = 0x8c, .has_smap = true, .is_vtx = true },
	  PAGE_TABLES | RETURNS | L1D_FLUSH | MULTIHIT | SMT | NO_IBPB |
	  NO_VERW | NO_L1D_FLUSH },
	/* AMD-V: no L1TF, no nested tables of Intel's. */
	{ "unknown with AMD-V", { .vendor = SPECULATION_OTHER, .family = 7,
	  .leaf7_edx = EDX_ALL, .has_smap = true },
	  PAGE_TABLES | IBPB | RETURNS | VERW | SMT },
};
/* clang-format on */

static uint32_t bits(const struct speculation *s)
{
	return (s->page_tables ? PAGE_TABLES : 0) | (s->ibrs ? IBRS : 0) |
	       (s->auto_ibrs ? AUTO_IBRS : 0) | (s->ibpb ? IBPB : 0) |
	       (s->rsb ? RSB : 0) | (s->rsb_at_exit ? RSB_AT_EXIT : 0) |
	       (s->verw ? VERW : 0) | (s->l1d_flush ? L1D_FLUSH : 0) |
	       (s->itlb_multihit ? MULTIHIT : 0) | (s->smt_idle ? SMT : 0) |
	       (s->fpu_pointers ? FPU : 0) |
	       (s->lacks & SPECULATION_LACKS_IBPB ? NO_IBPB : 0) |
	       (s->lacks & SPECULATION_LACKS_VERW ? NO_VERW : 0) |
	       (s->lacks & SPECULATION_LACKS_L1D_FLUSH ? NO_L1D_FLUSH : 0);
}

static void test_processors(void **state)
{
	struct speculation s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		speculation_decide(&rows[i].facts, true, &s);
		if (bits(&s) != rows[i].needs)
			fail_msg("%s: %x, not %x", rows[i].name, bits(&s),
				 rows[i].needs);
		assert_int_equal(s.at_switch,
				 s.ibpb || s.rsb || s.verw || s.l1d_flush);
	}
}

/* FIP and FDP need no speculation to be read. */
static void test_off(void **state)
{
	struct speculation s;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		speculation_decide(&rows[i].facts, false, &s);
		assert_int_equal(bits(&s), rows[i].needs & FPU);
		assert_false(s.at_switch);
	}
}

static void test_thread_bits(void **state)
{
	static const struct {
		struct speculation_facts facts;
		unsigned bits;
	} ways[] = {
		{ { .leaf1_edx = 0 }, 0 },
		/* Leaf 0B: one bit of threads; none. */
		{ { .leafb_ecx = 0x100, .leafb_eax = 1 }, 1 },
		{ { .leafb_ecx = 0x100, .leafb_eax = 0 }, 0 },
		/* Leaves 1 and 4: 16 threads and 8 cores; 12 and 6; 8 and 8. */
		{ { .leaf1_edx = BIT(28),
		    .leaf1_ebx = 16 << 16,
		    .leaf4_eax = 7U << 26 },
		  1 },
		{ { .leaf1_edx = BIT(28),
		    .leaf1_ebx = 12 << 16,
		    .leaf4_eax = 5U << 26 },
		  1 },
		{ { .leaf1_edx = BIT(28),
		    .leaf1_ebx = 8 << 16,
		    .leaf4_eax = 7U << 26 },
		  0 },
		/* A subleaf of another kind says nothing. */
		{ { .leafb_ecx = 0x200, .leafb_eax = 5 }, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++)
		assert_int_equal(speculation_thread_bits(&ways[i].facts),
				 ways[i].bits);
}

static void test_words(void **state)
{
	struct speculation s;
	char text[160], small[12];

	(void)state;
	speculation_decide(&rows[3].facts, true, &s);
	assert_string_equal(
		speculation_describe(&s, text, sizeof(text)),
		"page tables, RSB, RSB at exits, L1D flush, no large "
		"executable pages, second threads idle; not there: IBPB, "
		"VERW, L1D flush");
	assert_string_equal(speculation_describe(&s, small, sizeof(small)),
			    "page tables");
	speculation_decide(&rows[3].facts, false, &s);
	assert_string_equal(speculation_describe(&s, text, sizeof(text)),
			    "off by configuration");
	memset(&s, 0, sizeof(s));
	s.is_on = true;
	assert_string_equal(speculation_describe(&s, text, sizeof(text)),
			    "nothing needed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processors),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_thread_bits),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
