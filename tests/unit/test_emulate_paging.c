/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page walks: formats, rights, accessed and dirty bits, accesses over two
 * pages.
 */
#include "tests/unit/emulate_test.h"

#define A  0x20
#define D  0x40
#define NX (1UL << 63)

/* mov [rdi], eax and mov eax, [rsi] */
#define STORE  STEP(0x89, 0x07)
#define LOAD   STEP(0x8b, 0x06)
/* Of what is at RIP, as CPUID. */
#define LENGTH emul_insn_length(&pc.emul, EMUL_EXPECT_CPUID)

static void page_set(uint64_t linear, uint64_t bits)
{
	put(pte_at(linear), (linear & ~0xfffUL) | bits, 8);
}

static void begin(unsigned cpl)
{
	pc_long(cpl);
	pc.state.gpr[X86_RDI] = pc.state.gpr[X86_RSI] = DATA;
	pc.state.gpr[X86_RAX] = 0x11223344;
}

static void accessed_and_dirty(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(LOAD, EMUL_OK);
	assert_int_equal(get(pte_at(DATA), 8) & 0xfff, PTE_RWU | A);
	assert_int_equal(get(TABLES, 8) & 0xfff, PTE_RWU | A);
	assert_int_equal(STORE, EMUL_OK);
	assert_int_equal(get(pte_at(DATA), 8) & 0xfff, PTE_RWU | A | D);
	/* Cleared by the guest, set again though the walk is remembered. */
	page_set(DATA, PTE_RWU | A);
	assert_int_equal(STORE, EMUL_OK);
	assert_int_equal(get(pte_at(DATA), 8) & 0xfff, PTE_RWU | A | D);
}

static void faults(void **state)
{
	(void)state;
	begin(3);
	page_set(DATA, 0);
	assert_fault(STORE, X86_VECTOR_PF, 6);
	assert_int_equal(pc.emul.fault.cr2, DATA);
	assert_int_equal(pc.state.rip, CODE);
	assert_fault(LOAD, X86_VECTOR_PF, 4);
	page_set(DATA, 5);
	assert_fault(STORE, X86_VECTOR_PF, 7);
	assert_int_equal(LOAD, EMUL_OK);
	pc.state.rip = CODE;
	page_set(DATA, 3);
	assert_fault(LOAD, X86_VECTOR_PF, 5);
	page_set(DATA, PTE_RWU | 1UL << 51);
	assert_fault(LOAD, X86_VECTOR_PF, 0xd);
	page_set(CODE, PTE_RWU | NX);
	assert_fault(LOAD, X86_VECTOR_PF, 0x15);
}

static void write_protect(void **state)
{
	(void)state;
	begin(0);
	page_set(DATA, 5);
	assert_fault(STORE, X86_VECTOR_PF, 3);
	pc.state.cr0 &= ~X86_CR0_WP;
	assert_int_equal(STORE, EMUL_OK);
	/* The dirty bit even so. */
	assert_int_equal(get(pte_at(DATA), 8) & 0xfff, 5 | A | D);
}

static void smep_and_smap(void **state)
{
	(void)state;
	begin(0);
	pc.state.cr4 |= X86_CR4_SMAP;
	assert_fault(LOAD, X86_VECTOR_PF, 1);
	pc.state.rflags |= X86_FLAG_AC;
	assert_int_equal(LOAD, EMUL_OK);
	pc.state.rip = CODE;
	pc.state.rflags &= ~X86_FLAG_AC;
	page_set(DATA, 3);
	assert_int_equal(LOAD, EMUL_OK);
	pc.state.rip = CODE;
	pc.state.cr4 |= X86_CR4_SMEP;
	assert_fault(LOAD, X86_VECTOR_PF, 0x11);
	page_set(CODE, 3);
	assert_int_equal(LOAD, EMUL_OK);
}

static void protection_keys(void **state)
{
	(void)state;
	begin(3);
	pc.state.cr4 |= X86_CR4_PKE;
	page_set(DATA, PTE_RWU | 5UL << 59);
	assert_int_equal(STORE, EMUL_OK);
	pc.state.rip = CODE;
	pc.state.pkru = 2U << 10;
	assert_fault(STORE, X86_VECTOR_PF, 0x27);
	assert_int_equal(LOAD, EMUL_OK);
	pc.state.rip = CODE;
	pc.state.pkru = 1U << 10;
	assert_fault(LOAD, X86_VECTOR_PF, 0x25);
}

/* The second page faults: nothing is written. */
static void two_pages(void **state)
{
	(void)state;
	begin(0);
	pc.state.gpr[X86_RDI] = DATA + 0xffe;
	page_set(DATA + 0x1000, 0);
	assert_fault(STORE, X86_VECTOR_PF, 2);
	assert_int_equal(pc.emul.fault.cr2, DATA + 0x1000);
	assert_int_equal(get(DATA + 0xffe, 2), 0);
	page_set(DATA + 0x1000, PTE_RWU);
	put(pte_at(DATA + 0x1000), (DATA + 0x5000) | PTE_RWU, 8);
	assert_int_equal(STORE, EMUL_OK);
	assert_int_equal(get(DATA + 0xffe, 2), 0x3344);
	assert_int_equal(get(DATA + 0x5000, 2), 0x1122);
}

static void large_pages(void **state)
{
	uint64_t gpa;

	(void)state;
	begin(0);
	put(TABLES + 0x2000, 0 | PTE_RWU | 0x80, 8); /* 2 MiB at 0 */
	assert_int_equal(STORE, EMUL_OK);
	assert_int_equal(get(TABLES + 0x2000, 8), PTE_RWU | 0x80 | A | D);
	put(TABLES + 0x1008, (1UL << 30) | PTE_RWU | 0x80, 8); /* 1 GiB */
	assert_int_equal(
		emul_translate(&pc.emul, 0x40123456, EMUL_ACCESS_PROBE, &gpa),
		EMUL_OK);
	assert_int_equal(gpa, 0x40123456);
	assert_int_equal(get(TABLES + 0x1008, 8) & A, 0);
	put(TABLES + 0x1008, (1UL << 30) | PTE_RWU | 0x80 | 1 << 13, 8);
	assert_int_equal(
		emul_translate(&pc.emul, 0x40123456, EMUL_ACCESS_PROBE, &gpa),
		EMUL_FAULT);
	/* Remembered or not: bits below the address are reserved. */
	put(TABLES + 0x1008, 1UL << 30 | 1UL << 29 | PTE_RWU | 0x80 | A | D, 8);
	assert_int_equal(emul_translate(&pc.emul, 0x40123456, 0, &gpa),
			 EMUL_FAULT);
	put(TABLES + 0x1008, (1UL << 30) | PTE_RWU | 0x80 | A | D, 8);
	assert_int_equal(emul_translate(&pc.emul, 0x40123456, 0, &gpa),
			 EMUL_OK);
	pc.emul.features &= ~EMUL_FEATURE_1G_PAGES;
	emul_forget(&pc.emul);
	assert_int_equal(emul_translate(&pc.emul, 0x40123456, 0, &gpa),
			 EMUL_FAULT);
}

static void five_levels(void **state)
{
	(void)state;
	begin(0);
	pc.state.cr4 |= X86_CR4_LA57;
	put(TABLES + 0x8000, TABLES | PTE_RWU, 8);
	pc.state.cr3 = TABLES + 0x8000;
	assert_int_equal(STORE, EMUL_OK);
	assert_int_equal(get(TABLES + 0x8000, 8) & A, A);
	pc.state.gpr[X86_RSI] = 1UL << 50; /* canonical, absent */
	assert_fault(LOAD, X86_VECTOR_PF, 0);
	pc.state.cr4 &= ~X86_CR4_LA57;
	pc.state.cr3 = TABLES;
	assert_fault(LOAD, X86_VECTOR_GP, 0);
}

static void narrow_begin(void)
{
	pc_protected(0);
	pc.state.gpr[X86_RDI] = pc.state.gpr[X86_RSI] = DATA;
	pc.state.cr3 = TABLES;
	pc.state.cr0 |= X86_CR0_PG;
	put(TABLES, (TABLES + 0x1000) | PTE_RWU, 4);
	for (unsigned i = 0; i < RAM_SIZE >> 12; i++)
		put(TABLES + 0x1000 + 4 * i, i << 12 | PTE_RWU, 4);
}

static void two_levels(void **state)
{
	uint64_t gpa;

	(void)state;
	narrow_begin();
	assert_int_equal(STORE, EMUL_OK);
	assert_int_equal(get(TABLES + 0x1000 + 4 * (DATA >> 12), 4) & 0xfff,
			 PTE_RWU | A | D);
	assert_int_equal(get(TABLES, 4) & 0xfff, PTE_RWU | A);
	pc.state.cr4 = X86_CR4_PSE;
	put(TABLES + 4, 0x00c00000 | 1 << 13 | PTE_RWU | 0x80, 4);
	assert_int_equal(emul_translate(&pc.emul, 0x00412345, 0, &gpa),
			 EMUL_OK);
	assert_int_equal(gpa, 0x100c12345UL);
}

static void pae(void **state)
{
	uint64_t gpa;

	(void)state;
	pc_protected(0);
	pc.state.cr0 |= X86_CR0_PG;
	pc.state.cr4 = X86_CR4_PAE;
	pc.state.cr3 = TABLES + 0x20;
	put(TABLES + 0x20, (TABLES + 0x1000) | 1, 8);
	put(TABLES + 0x1000, 0 | PTE_RWU | 0x80, 8);
	put(TABLES + 0x1008, 0x123400000UL | PTE_RWU | 0x80, 8);
	pc.state.gpr[X86_RDI] = DATA;
	assert_int_equal(STORE, EMUL_OK);
	assert_int_equal(emul_translate(&pc.emul, 0x234567, 0, &gpa), EMUL_OK);
	assert_int_equal(gpa, 0x123434567UL);
	put(TABLES + 0x20, (TABLES + 0x1000) | 3, 8); /* reserved in a PDPTE */
	assert_int_equal(emul_translate(&pc.emul, 0x234567, 0, &gpa),
			 EMUL_FAULT);
	assert_int_equal(pc.emul.fault.error_code, 9);
}

/* The processor's own accesses are the supervisor's at any level. */
static void implicit_access(void **state)
{
	(void)state;
	narrow_begin();
	pc.state.cpl = 3;
	segment_set(X86_CS, CODE3);
	segment_set(X86_DS, DATA3);
	put(TABLES + 0x1000 + 4 * (GDT >> 12), GDT | 3, 4);
	pc.state.gpr[X86_RAX] = DATA3;
	assert_int_equal(STEP(0x8e, 0xd8), EMUL_OK); /* mov ds, ax */
}

/* Where a mode's tables have the entries that lead to DATA. */
struct remembered {
	unsigned count;
	unsigned size; /* of an entry */
	uint64_t at[5];
};

static void long_begin(void)
{
	begin(0);
}

static void deep_begin(void)
{
	begin(0);
	pc.state.cr4 |= X86_CR4_LA57;
	put(TABLES + 0x8000, TABLES | PTE_RWU, 8);
	pc.state.cr3 = TABLES + 0x8000;
}

static void pae_begin(void)
{
	begin(0);
	segment_set(X86_CS, CODE0);
	pc.state.efer = 0;
	pc.state.cr3 = TABLES + 0x8020;
	put(TABLES + 0x8020, (TABLES + 0x2000) | 1, 8);
}

static uint64_t first_after(void)
{
	pc.state.rip = CODE;
	pc.state.gpr[X86_RAX] = 0;
	assert_int_equal(LOAD, EMUL_OK);
	return pc.state.gpr[X86_RAX];
}

/* Each entry on the way counts, however often the way was taken. */
static void remembered_in(void (*mode_begin)(void), const struct remembered *r)
{
	const uint64_t twin = TABLES + 0x9000, page = DATA + 0x5000;

	for (unsigned i = 0; i < r->count; i++) {
		uint64_t old;

		mode_begin();
		put(DATA, 0x1111, 4);
		put(page, 0x2222, 4);
		for (unsigned n = 0; n < 3; n++)
			assert_int_equal(first_after(), 0x1111);
		old = get(r->at[i], r->size);
		/* Its next level again, in which only the leaf differs. */
		for (uint64_t n = 0, from = old & 0xffffff000; n < 512; n++)
			put(twin + 8 * n, get(from + 8 * n, 8), 8);
		put(r->at[i], (i + 1 < r->count ? twin : page) | (old & 0xfff),
		    r->size);
		assert_int_equal(first_after(),
				 i + 1 < r->count ? 0x1111 : 0x2222);
		put(r->at[i], old & ~1UL, r->size);
		pc.state.rip = CODE;
		/* Of the data, or of the code. */
		assert_int_equal(LOAD, EMUL_FAULT);
		assert_int_equal(pc.emul.fault.vector, X86_VECTOR_PF);
		assert_int_equal(pc.emul.fault.error_code & 1, 0);
		put(r->at[i], old, r->size);
		assert_int_equal(first_after(), 0x1111);
	}
}

static void remembered(void **state)
{
	const struct remembered four = {
		4, 8, { TABLES, TABLES + 0x1000, TABLES + 0x2000, pte_at(DATA) }
	};
	const struct remembered five = { 5,
					 8,
					 { TABLES + 0x8000, TABLES,
					   TABLES + 0x1000, TABLES + 0x2000,
					   pte_at(DATA) } };
	const struct remembered three = {
		3, 8, { TABLES + 0x8020, TABLES + 0x2000, pte_at(DATA) }
	};
	const struct remembered two = {
		2, 4, { TABLES, TABLES + 0x1000 + 4 * (DATA >> 12) }
	};

	(void)state;
	remembered_in(long_begin, &four);
	remembered_in(deep_begin, &five);
	remembered_in(pae_begin, &three);
	remembered_in(narrow_begin, &two);
}

/* Tables that are in the second window, as low memory is of a PC. */
static void remembered_elsewhere(void **state)
{
	(void)state;
	begin(0);
	pc.emul.window[0] = (struct emul_window){ .start = DATA,
						  .size = 0x1000,
						  .host = pc.ram + DATA };
	pc.emul.window[1] =
		(struct emul_window){ .size = RAM_SIZE, .host = pc.ram };
	emul_forget(&pc.emul);
	put(DATA, 0x1111, 4);
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(first_after(), 0x1111);
	assert_true(pc.emul.walked[DATA >> 12 & 3].key);
	put(pte_at(DATA), (DATA + 0x5000) | PTE_RWU, 8);
	put(DATA + 0x5000, 0x2222, 4);
	assert_int_equal(first_after(), 0x2222);
}

static uint64_t device_entry;

static enum emul_status device_read(void *ctx, uint64_t gpa, void *data,
				    unsigned size)
{
	(void)ctx;
	(void)gpa;
	memcpy(data, &device_entry, size);
	return EMUL_OK;
}

/* A guest may put its tables where there is no memory: all ones are read. */
static void tables_in_a_device(void **state)
{
	static const struct emul_ops ops = { .mmio_read = device_read };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		static void (*const begins[])(void) = { long_begin, pae_begin,
							narrow_begin };
		uint64_t gpa;

		begins[i]();
		pc.emul.ops = &ops;
		pc.state.cr3 = 0xd0000000;
		device_entry = UINT64_MAX;
		pc.state.cr4 |= i == 2 ? X86_CR4_PSE : 0;
		assert_int_equal(LOAD, EMUL_FAULT);
		assert_int_equal(pc.emul.fault.vector, X86_VECTOR_PF);
		assert_int_equal(pc.emul.fault.error_code & 9, 9);
		device_entry = 0;
		assert_int_equal(LOAD, EMUL_FAULT);
		assert_int_equal(pc.emul.fault.error_code & 9, 0);
		/* Whose entries all lead to RAM; of the leaf a page of 4 KiB.
		 */
		device_entry = i == 1 ? 0xd0000001 : 0xd0000000 | PTE_RWU;
		assert_int_equal(emul_translate(&pc.emul, DATA, 0, &gpa),
				 EMUL_OK);
		assert_int_equal(gpa, 0xd0000000);
	}
}

/* Where an instruction's bytes were is as old as the tables that say so. */
static void code_moves(void **state)
{
	static const uint8_t rex[] = { 0x48, 0x0f, 0xa2 };

	(void)state;
	begin(0);
	put(CODE, 0xa20f, 2);
	memcpy(pc.ram + DATA + (CODE & 0xfff), rex, sizeof(rex));
	for (unsigned i = 0; i < 3; i++) {
		page_set(CODE, PTE_RWU | A);
		assert_int_equal(LENGTH, 2);
		put(pte_at(CODE), DATA | PTE_RWU | A, 8);
		assert_int_equal(LENGTH, 3);
		put(pte_at(CODE), 0, 8);
		assert_int_equal(LENGTH, -1);
	}
	page_set(CODE, PTE_RWU | A);
	assert_int_equal(LENGTH, 2);
	memcpy(pc.ram + CODE, rex, sizeof(rex));
	assert_int_equal(LENGTH, 3);
	/* The same address is another's code, or its tables are others. */
	page_set(CODE, (PTE_RWU | A) & ~4UL);
	assert_int_equal(LENGTH, 3);
	pc.state.cpl = 3;
	assert_int_equal(LENGTH, -1);
	pc.state.cpl = 0;
	pc.state.cr3 = DATA;
	assert_int_equal(LENGTH, -1);
	pc.state.cr3 = TABLES;
	assert_int_equal(LENGTH, 3);
	/* A segment that begins elsewhere. */
	pc.state.seg[X86_CS].attributes &= ~X86_ATTR_L;
	pc.state.seg[X86_CS].base = 16;
	assert_int_equal(LENGTH, -1);
	pc.state.seg[X86_CS].base = 0;
	assert_int_equal(LENGTH, -1); /* REX is another instruction there */
	pc.state.seg[X86_CS].attributes |= X86_ATTR_L;
	/* Another instruction of the page was there first when it had moved. */
	put(CODE, 0xa20f, 2);
	put(CODE + 5, 0xa20f, 2);
	memcpy(pc.ram + DATA + (CODE & 0xfff) + 5, rex, sizeof(rex));
	page_set(CODE, PTE_RWU | A);
	for (unsigned i = 0; i < 2; i++, pc.state.rip = CODE + 5)
		assert_int_equal(LENGTH, 2);
	put(pte_at(CODE), DATA | PTE_RWU | A, 8);
	for (unsigned i = 0; i < 2; i++, pc.state.rip = CODE)
		assert_int_equal(LENGTH, 3);
	page_set(CODE, PTE_RWU | A);
	/* Windows that are others are told of. */
	pc.emul.window[0].size = 0;
	emul_forget(&pc.emul);
	assert_int_equal(LENGTH, -1);
}

/* The same tables, but paging is off, and on again. */
static void code_unpaged(void **state)
{
	static const uint8_t prefixed[] = { 0x66, 0x0f, 0xa2 };

	(void)state;
	pc_long(0);
	pc.state.efer = 0;
	pc.state.cr4 &= ~X86_CR4_PAE;
	pc.state.seg[X86_CS].attributes ^= X86_ATTR_L | X86_ATTR_DB;
	put(CODE, 0xa20f, 2);
	memcpy(pc.ram + DATA, prefixed, sizeof(prefixed));
	put(TABLES, (TABLES + 0x1000) | PTE_RWU | A, 4);
	put(TABLES + 0x1000 + (CODE >> 12) * 4, DATA | PTE_RWU | A, 4);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(LENGTH, 3);
		pc.state.cr0 &= ~X86_CR0_PG;
		assert_int_equal(LENGTH, 2);
		pc.state.cr0 |= X86_CR0_PG;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accessed_and_dirty),
		cmocka_unit_test(faults),
		cmocka_unit_test(write_protect),
		cmocka_unit_test(smep_and_smap),
		cmocka_unit_test(protection_keys),
		cmocka_unit_test(two_pages),
		cmocka_unit_test(large_pages),
		cmocka_unit_test(five_levels),
		cmocka_unit_test(two_levels),
		cmocka_unit_test(pae),
		cmocka_unit_test(implicit_access),
		cmocka_unit_test(remembered),
		cmocka_unit_test(remembered_elsewhere),
		cmocka_unit_test(tables_in_a_device),
		cmocka_unit_test(code_moves),
		cmocka_unit_test(code_unpaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
