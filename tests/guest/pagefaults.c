/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page rights of long mode and the error codes of page faults: U/S, R/W, NX,
 * WP, SMEP, SMAP, reserved bits, protection keys; accessed and dirty bits;
 * accesses over two pages; the processor's own accesses to tables.
 */
#include "tests/guest/lib/shot_names.h"

#include "lib/string.h"

#define OK 0xff /* no fault */

#define FIRST  SHOT_DATA
#define SECOND (SHOT_DATA + PAGE_SIZE)
#define INSIDE (FIRST + 0x40)

#define MSR_EFER 0xc0000080
#define EFER_NXE BIT(11)
#define CR0_WP	 BIT(16)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define CR4_PKE	 BIT(22)
#define PTE_RSVD BIT(51) /* above what any of our processors has */
#define PTE_KEY	 BIT(59) /* key 1 */

/* Error code */
#define F_P  1
#define F_W  2
#define F_U  4
#define F_R  8
#define F_I  16
#define F_PK 32

enum access { READ, WRITE, RMW, LOCKED, FETCH };

static const struct {
	const char *name;
	uint8_t code[4];
} accesses[] = {
	/* clang-format off */
	[READ] = { "read", { 0x8b, 0x03, 0x90, 0x90 } },
	[WRITE] = { "write", { 0x89, 0x03, 0x90, 0x90 } },
	[RMW] = { "rmw", { 0x01, 0x03, 0x90, 0x90 } },
	[LOCKED] = { "locked", { 0xf0, 0xff, 0x03, 0x90 } },
	[FETCH] = { "fetch", { 0xff, 0xe3, 0x90, 0x90 } }, /* jmp rbx */
	/* clang-format on */
};

#define U PTE_U
#define W PTE_W

static const struct row {
	const char *name;
	uint8_t level;
	uint8_t access;
	uint64_t entry; /* besides P and the address */
	bool is_absent;
	uint64_t cr0, cr4, flags;
	uint8_t error; /* or OK */
} rows[] = {
	/* clang-format off */
	{ "absent", 0, READ, W, true, 0, 0, 0, 0 },
	{ "absent-write", 0, WRITE, W, true, 0, 0, 0, F_W },
	{ "absent-rmw", 0, RMW, W, true, 0, 0, 0, F_W },
	{ "absent-fetch", 0, FETCH, W, true, 0, 0, 0, F_I },
	{ "absent-user", 3, READ, W | U, true, 0, 0, 0, F_U },
	{ "absent-user-write", 3, WRITE, W | U, true, 0, 0, 0, F_U | F_W },
	{ "absent-user-fetch", 3, FETCH, W | U, true, 0, 0, 0, F_U | F_I },
	{ "good", 0, READ, W, false, 0, 0, 0, OK },
	{ "good-write", 0, WRITE, W, false, 0, 0, 0, OK },
	{ "user-good", 3, READ, W | U, false, 0, 0, 0, OK },
	{ "user-good-write", 3, WRITE, W | U, false, 0, 0, 0, OK },
	{ "user-good-fetch", 3, FETCH, W | U, false, 0, 0, 0, OK },
	{ "user-supervisor", 3, READ, W, false, 0, 0, 0, F_P | F_U },
	{ "user-supervisor-write", 3, WRITE, W, false, 0, 0, 0,
	  F_P | F_U | F_W },
	{ "user-supervisor-fetch", 3, FETCH, W, false, 0, 0, 0,
	  F_P | F_U | F_I },
	{ "user-read-only", 3, READ, U, false, 0, 0, 0, OK },
	{ "user-read-only-write", 3, WRITE, U, false, 0, 0, 0,
	  F_P | F_U | F_W },
	{ "user-read-only-rmw", 3, RMW, U, false, 0, 0, 0, F_P | F_U | F_W },
	{ "user-read-only-locked", 3, LOCKED, U, false, CR0_WP, 0, 0,
	  F_P | F_U | F_W },
	{ "read-only-no-wp", 0, WRITE, 0, false, 0, 0, 0, OK },
	{ "read-only-wp", 0, WRITE, 0, false, CR0_WP, 0, 0, F_P | F_W },
	{ "read-only-wp-read", 0, READ, 0, false, CR0_WP, 0, 0, OK },
	{ "read-only-user-page-wp", 0, WRITE, U, false, CR0_WP, 0, 0,
	  F_P | F_W },
	{ "nx", 0, FETCH, W | PTE_NX, false, 0, 0, 0, F_P | F_I },
	{ "nx-read", 0, READ, W | PTE_NX, false, 0, 0, 0, OK },
	{ "nx-user", 3, FETCH, W | U | PTE_NX, false, 0, 0, 0,
	  F_P | F_U | F_I },
	{ "nx-supervisor-user", 3, FETCH, W | PTE_NX, false, 0, 0, 0,
	  F_P | F_U | F_I },
	{ "reserved", 0, READ, W | PTE_RSVD, false, 0, 0, 0, F_P | F_R },
	{ "reserved-user-write", 3, WRITE, W | U | PTE_RSVD, false, 0, 0, 0,
	  F_P | F_R | F_U | F_W },
	{ "reserved-absent", 0, READ, W | PTE_RSVD, true, 0, 0, 0, 0 },
	{ "no-smep", 0, FETCH, W | U, false, 0, 0, 0, OK },
	{ "smep", 0, FETCH, W | U, false, 0, CR4_SMEP, 0, F_P | F_I },
	{ "smep-read", 0, READ, W | U, false, 0, CR4_SMEP, 0, OK },
	{ "smep-user", 3, FETCH, W | U, false, 0, CR4_SMEP, 0, OK },
	{ "smep-supervisor-page", 0, FETCH, W, false, 0, CR4_SMEP, 0, OK },
	{ "smap-read", 0, READ, W | U, false, 0, CR4_SMAP, 0, F_P },
	{ "smap-write", 0, WRITE, W | U, false, 0, CR4_SMAP, 0, F_P | F_W },
	{ "smap-ac", 0, READ, W | U, false, 0, CR4_SMAP, X86_FLAG_AC, OK },
	{ "smap-ac-write", 0, WRITE, W | U, false, 0, CR4_SMAP, X86_FLAG_AC,
	  OK },
	{ "smap-user", 3, READ, W | U, false, 0, CR4_SMAP, 0, OK },
	{ "smap-supervisor-page", 0, WRITE, W, false, 0, CR4_SMAP, 0, OK },
	/* clang-format on */
};

static uint64_t features; /* of CR4 that CPUID offers */

static void entry_put(uint64_t at, uint64_t entry)
{
	*page_entry(at) = entry;
	invlpg(at);
}

static void prepare(struct shot *s, unsigned level)
{
	shot_reset64(s);
	if (level)
		shot_user(s);
	else
		/* SMEP looks at the code, too. */
		entry_put(SHOT_CODE, SHOT_CODE | PTE_P | PTE_W);
	s->cr0 &= ~CR0_WP;
	s->cr4 &= ~(CR4_SMEP | CR4_SMAP | CR4_PKE);
	memset((void *)(uint64_t)FIRST, 0, 2 * PAGE_SIZE);
	*(volatile uint16_t *)(uint64_t)INSIDE = SHOT_END << 8 | 0xcd;
	s->gpr[SHOT_EBX] = INSIDE;
}

static void test_row(const struct row *row)
{
	const uint8_t *code = accesses[row->access].code;
	bool is_good = row->error == OK, is_write, is_read_back;
	uint64_t entry, want;
	struct shot s;

	if (row->cr4 & ~features) {
		skip(row->name, "CPUID does not offer it");
		return;
	}
	prepare(&s, row->level);
	s.cr0 |= row->cr0;
	s.cr4 |= row->cr4;
	s.flags |= row->flags;
	entry_put(FIRST, FIRST | row->entry | (row->is_absent ? 0 : PTE_P));
	SHOT64(&s, code[0], code[1], code[2], code[3]);
	shot_expect_end("rights", row->name, &s, is_good ? END : PF,
			is_good ? 0 : row->error);
	if (!is_good)
		shot_expect("rights", row->name, "cr2", s.cr2, INSIDE);
	entry = *page_entry(FIRST);
	is_write = row->access == WRITE || row->access == RMW ||
		   row->access == LOCKED;
	want = is_good ? is_write ? PTE_A | PTE_D : PTE_A : 0;
	shot_expect("rights", row->name, "accessed-dirty",
		    entry & (PTE_A | PTE_D), want);
	entry_put(FIRST, FIRST | PTE_P | PTE_W);
	is_read_back = peek16(INSIDE) == (SHOT_END << 8 | 0xcd);
	shot_expect("rights", row->name, "memory", is_read_back,
		    !(is_good && is_write));
}

/* ---- Over two pages ------------------------------------------------------ */

static const struct {
	const char *name;
	uint8_t code[5];
	uint32_t rbx;
	uint64_t first, second; /* entries without addresses */
	uint8_t error;
	uint32_t cr2;
} pairs[] = {
#define GOOD (PTE_P | W | U)
	/* clang-format off */
	{ "write", { 0x48, 0x89, 0x03 }, SECOND - 4, GOOD, W | U, F_U | F_W,
	  SECOND },
	{ "write-first", { 0x48, 0x89, 0x03 }, SECOND - 4, W | U, GOOD,
	  F_U | F_W, SECOND - 4 },
	{ "write-both", { 0x48, 0x89, 0x03 }, SECOND - 4, W | U, W | U,
	  F_U | F_W, SECOND - 4 },
	{ "write-read-only", { 0x48, 0x89, 0x03 }, SECOND - 1, GOOD,
	  PTE_P | U, F_P | F_U | F_W, SECOND },
	{ "read", { 0x48, 0x8b, 0x03 }, SECOND - 7, GOOD, W | U, F_U, SECOND },
	{ "rmw", { 0x48, 0x01, 0x03 }, SECOND - 2, GOOD, PTE_P | U,
	  F_P | F_U | F_W, SECOND },
	{ "locked", { 0xf0, 0x48, 0x01, 0x03 }, SECOND - 2, GOOD, PTE_P | U,
	  F_P | F_U | F_W, SECOND },
	{ "xchg", { 0x87, 0x03 }, SECOND - 2, GOOD, W | U, F_U | F_W,
	  SECOND },
	{ "bts", { 0x48, 0x0f, 0xba, 0x2b, 0x05 }, SECOND - 4, GOOD,
	  PTE_P | U, F_P | F_U | F_W, SECOND },
	{ "movups", { 0x0f, 0x11, 0x03 }, SECOND - 8, GOOD, W | U, F_U | F_W,
	  SECOND },
	{ "push", { 0x48, 0x89, 0xdc, 0x50 }, SECOND + 4, GOOD, PTE_P | U,
	  F_P | F_U | F_W, SECOND },
	{ "pop-to-memory", { 0x8f, 0x03 }, SECOND - 4, GOOD, PTE_P | U,
	  F_P | F_U | F_W, SECOND },
	{ "fetch", { 0xff, 0xe3 }, SECOND - 1, GOOD, W | U, F_U | F_I,
	  SECOND },
	/* clang-format on */
};

static void test_pairs(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
		uint8_t code[7] = { 0x90, 0x90, 0x90, 0x90, 0x90, SHOT_INT };
		uint64_t rsp;
		bool is_clean = true;

		prepare(&s, 3);
		s.cr4 |= BIT(9); /* OSFXSR */
		for (unsigned n = 0; n < 5; n++)
			if (pairs[i].code[n])
				code[n] = pairs[i].code[n];
		/* The first byte of MOV EAX, imm32 */
		*(volatile uint8_t *)(uint64_t)(SECOND - 1) = 0xb8;
		s.gpr[SHOT_EBX] = pairs[i].rbx;
		s.gpr[SHOT_EAX] = ~0ull;
		rsp = s.gpr[SHOT_ESP] -= 16;
		entry_put(FIRST, FIRST | pairs[i].first);
		entry_put(SECOND, SECOND | pairs[i].second);
		shot_run64(&s, code, sizeof(code));
		shot_expect_end("pair", pairs[i].name, &s, PF, pairs[i].error);
		shot_expect("pair", pairs[i].name, "cr2", s.cr2, pairs[i].cr2);
		entry_put(FIRST, FIRST | PTE_P | W);
		entry_put(SECOND, SECOND | PTE_P | W);
		for (uint64_t at = SECOND - 16; at < SECOND + 16; at++)
			is_clean &= *(volatile uint8_t *)at ==
				    (at == SECOND - 1 ? 0xb8 : 0);
		shot_expect("pair", pairs[i].name, "nothing-written", is_clean,
			    true);
		if (pairs[i].code[0] == 0x8f)
			shot_expect("pair", pairs[i].name, "rsp",
				    s.gpr[SHOT_ESP], rsp);
	}
}

/* A string instruction stops at the item that faults. */
static void test_string(void)
{
	struct shot s;

	prepare(&s, 3);
	entry_put(SECOND, SECOND | W | U);
	s.gpr[SHOT_ESI] = SHOT_STACK - 0x200;
	s.gpr[SHOT_EDI] = SECOND - 6;
	s.gpr[SHOT_ECX] = 20;
	SHOT64(&s, 0xf3, 0x66, 0xa5); /* rep movsw */
	shot_expect_end("string", "movs", &s, PF, F_U | F_W);
	shot_expect("string", "movs", "cr2", s.cr2, SECOND);
	shot_expect("string", "movs", "rcx", s.gpr[SHOT_ECX], 17);
	shot_expect("string", "movs", "rdi", s.gpr[SHOT_EDI], SECOND);
	shot_expect("string", "movs", "rsi", s.gpr[SHOT_ESI],
		    SHOT_STACK - 0x200 + 6);
	shot_expect("string", "movs", "rip", s.rip, SHOT_CODE);
	prepare(&s, 3);
	entry_put(FIRST, FIRST | U);
	entry_put(SECOND, SECOND | PTE_P | W | U);
	s.flags |= X86_FLAG_DF;
	s.gpr[SHOT_EDI] = SECOND + 6;
	s.gpr[SHOT_ECX] = 20;
	SHOT64(&s, 0xf3, 0xaa); /* rep stosb, downwards */
	shot_expect_end("string", "stos", &s, PF, F_U | F_W);
	shot_expect("string", "stos", "cr2", s.cr2, SECOND - 1);
	shot_expect("string", "stos", "rcx", s.gpr[SHOT_ECX], 13);
	shot_expect("string", "stos", "rdi", s.gpr[SHOT_EDI], SECOND - 1);
}

/* ---- The processor's own accesses ---------------------------------------- */

#define LOCAL_USER 0xf /* entry 1 of the LDT, RPL 3 */

/* MOV DS from an LDT in the first page, at level 3. */
static void load_local(struct shot *s, uint64_t entry, uint64_t cr0,
		       uint64_t cr4)
{
	prepare(s, 3);
	s->cr0 |= cr0;
	s->cr4 |= cr4;
	s->flags |= X86_FLAG_AC; /* of no help to such accesses */
	s->ldtr = S(0);
	shot_gdt[S(0) / 8] = descriptor(FIRST, 15, 0x82, 0);
	shot_gdt[S(1) / 8] = 0;
	poke64(FIRST + 8, descriptor(0, 0xfffff, 0xf2, DESC_G | DESC_DB));
	s->gpr[SHOT_EAX] = LOCAL_USER;
	entry_put(FIRST, FIRST | entry);
	SHOT64(s, 0x8e, 0xd8);
	entry_put(FIRST, FIRST | PTE_P | W);
}

static void test_tables(void)
{
	struct shot s;

	load_local(&s, PTE_P | W, 0, 0);
	shot_expect_end("table", "supervisor-page", &s, END, 0);
	shot_expect("table", "accessed", "", peek64(FIRST + 8) >> 40 & 1, 1);
	load_local(&s, W, 0, 0);
	shot_expect_end("table", "absent", &s, PF, 0);
	shot_expect("table", "absent", "cr2", s.cr2, FIRST + 8);
	load_local(&s, PTE_P, 0, 0);
	shot_expect_end("table", "read-only-no-wp", &s, END, 0);
	load_local(&s, PTE_P, CR0_WP, 0);
	shot_expect_end("table", "read-only-wp", &s, PF, F_P | F_W);
	shot_expect("table", "not-accessed", "", peek64(FIRST + 8) >> 40 & 1,
		    0);
	if (!(features & CR4_SMAP)) {
		skip("table-smap", "CPUID does not offer it");
		return;
	}
	load_local(&s, PTE_P | W | U, 0, CR4_SMAP);
	shot_expect_end("table", "smap", &s, PF, F_P);
}

/* A fault while INT pushes: at the new level, with RIP at the INT. */
static void test_delivery(void)
{
	struct shot s;

	prepare(&s, 3);
	shot_idt[0x90][0] = gate(SEL_CODE64, SHOT_TARGET, 0xee, 0);
	shot_idt[0x90][1] = 0;
	shot_tss.wide.rsp[0] = SECOND;
	entry_put(FIRST, FIRST | W);
	SHOT64(&s, 0xcd, 0x90);
	shot_expect_end("delivery", "absent", &s, PF, F_W);
	shot_expect("delivery", "absent", "cr2", s.cr2, SECOND - 8);
	shot_expect("delivery", "absent", "rip", s.rip, SHOT_CODE);
	shot_expect("delivery", "absent", "rsp", s.gpr[SHOT_ESP], SHOT_STACK);
	if (!(features & CR4_SMAP))
		return;
	/* A stack in a user page, which SMAP forbids. */
	prepare(&s, 3);
	shot_idt[0x90][0] = gate(SEL_CODE64, SHOT_TARGET, 0xee, 0);
	shot_idt[0x90][1] = 0;
	shot_tss.wide.rsp[0] = SECOND;
	s.cr4 |= CR4_SMAP;
	SHOT64(&s, 0xcd, 0x90);
	shot_expect_end("delivery", "smap", &s, PF, F_P | F_W);
}

/* Rights are those of all levels together. */
static void test_levels(void)
{
	uint64_t old = boot_pd[0];
	struct shot s;

	prepare(&s, 3);
	entry_put(FIRST, FIRST | PTE_P | W | U);
	boot_pd[0] = old & ~PTE_W;
	WRITE_CR(3, READ_CR(3));
	s.cr0 &= ~CR0_WP;
	SHOT64(&s, 0x89, 0x03);
	boot_pd[0] = old;
	WRITE_CR(3, READ_CR(3));
	shot_expect_end("levels", "directory-read-only", &s, PF,
			F_P | F_U | F_W);
	prepare(&s, 0);
	s.gpr[SHOT_EBX] = 0x3f000000000ull;
	SHOT64(&s, 0x89, 0x03);
	shot_expect_end("levels", "top-absent", &s, PF, F_W);
	shot_expect("levels", "top-absent", "cr2", s.cr2, 0x3f000000000ull);
}

static void test_keys(void)
{
	struct shot s;

	if (!(cpuid(7, 0).ecx & BIT(3))) {
		skip("keys", "CPUID does not offer them");
		return;
	}
	prepare(&s, 3);
	s.cr4 |= CR4_PKE;
	s.gpr[SHOT_EAX] = 4; /* AD of key 1 */
	s.gpr[SHOT_ECX] = s.gpr[SHOT_EDX] = 0;
	entry_put(FIRST, FIRST | PTE_P | W | U | PTE_KEY);
	SHOT64(&s, 0x0f, 0x01, 0xef, 0x8b, 0x03); /* wrpkru; mov */
	shot_expect_end("keys", "access", &s, PF, F_P | F_U | F_PK);
	prepare(&s, 3);
	s.cr4 |= CR4_PKE;
	s.gpr[SHOT_EAX] = 8; /* WD of key 1 */
	s.gpr[SHOT_ECX] = s.gpr[SHOT_EDX] = 0;
	entry_put(FIRST, FIRST | PTE_P | W | U | PTE_KEY);
	SHOT64(&s, 0x0f, 0x01, 0xef, 0x8b, 0x03, 0x89, 0x03);
	shot_expect_end("keys", "write", &s, PF, F_P | F_U | F_W | F_PK);
	prepare(&s, 0);
	s.cr4 |= CR4_PKE;
	s.gpr[SHOT_EAX] = 0;
	s.gpr[SHOT_ECX] = s.gpr[SHOT_EDX] = 0;
	SHOT64(&s, 0x0f, 0x01, 0xef);
	shot_expect_end("keys", "open-again", &s, END, 0);
}

void guest_main(void)
{
	uint32_t ebx = cpuid(7, 0).ebx;

	features =
		(ebx & BIT(7) ? CR4_SMEP : 0) | (ebx & BIT(20) ? CR4_SMAP : 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		test_row(&rows[i]);
	test_pairs();
	test_string();
	test_tables();
	test_delivery();
	test_levels();
	test_keys();
}
