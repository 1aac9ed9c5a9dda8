/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is no plain RAM, string instructions over pages and ports, and
 * LOCK against another processor.
 */
#include "tests/unit/emulate_test.h"

#include <pthread.h>

#define DEVICE	 0x80000000UL
#define ACCESSES 64

/* What the device saw. */
static struct {
	uint64_t gpa;
	uint64_t value;
	unsigned size;
	bool is_write;
} seen[ACCESSES];
static unsigned seen_count;
static bool is_retry_wanted;

static enum emul_status device_read(void *ctx, uint64_t gpa, void *data,
				    unsigned size)
{
	uint64_t value = 0x1122334455667788;

	(void)ctx;
	if (is_retry_wanted)
		return EMUL_RETRY;
	memcpy(data, &value, size);
	assert_true(seen_count < ACCESSES);
	seen[seen_count].gpa = gpa;
	seen[seen_count].is_write = false;
	seen[seen_count++].size = size;
	return EMUL_OK;
}

static enum emul_status device_write(void *ctx, uint64_t gpa, const void *data,
				     unsigned size)
{
	(void)ctx;
	assert_true(seen_count < ACCESSES);
	seen[seen_count].gpa = gpa;
	seen[seen_count].is_write = true;
	seen[seen_count].value = 0;
	memcpy(&seen[seen_count].value, data, size);
	seen[seen_count++].size = size;
	return EMUL_OK;
}

static unsigned bulk_room, mmio_room, bulk_calls;

static size_t port_bulk(void *ctx, uint16_t port, unsigned size, bool is_write,
			void *ram, size_t count)
{
	(void)ctx;
	(void)port;
	if (count > bulk_room)
		count = bulk_room;
	bulk_room -= (unsigned)count;
	if (!is_write)
		memset(ram, 0x77, count * size);
	return count;
}

static size_t device_bulk(void *ctx, uint64_t gpa, unsigned size,
			  const void *items, size_t count)
{
	if (count > mmio_room)
		count = mmio_room;
	mmio_room -= (unsigned)count;
	bulk_calls++;
	for (size_t i = 0; i < count; i++)
		(void)!device_write(ctx, gpa + i * size,
				    (const uint8_t *)items + i * size, size);
	return count;
}

static const struct emul_ops device_ops = {
	.mmio_read = device_read,
	.mmio_write = device_write,
	.mmio_bulk = device_bulk,
	.io = pc_io,
	.io_bulk = port_bulk,
};

static void begin(void)
{
	pc_protected(0);
	pc.emul.ops = &device_ops;
	pc.state.gpr[X86_RDI] = DEVICE;
	pc.state.gpr[X86_RSI] = DEVICE;
	pc.state.gpr[X86_RAX] = 0xaabbccdd;
	seen_count = 0;
	is_retry_wanted = false;
	bulk_room = mmio_room = bulk_calls = 0;
}

static void device_access(void **state)
{
	(void)state;
	begin();
	assert_int_equal(STEP(0x88, 0x07), EMUL_OK); /* mov [edi], al */
	assert_int_equal(STEP(0x66, 0x89, 0x47, 0x02), EMUL_OK);
	assert_int_equal(STEP(0x89, 0x47, 0x04), EMUL_OK);
	assert_int_equal(seen_count, 3);
	assert_int_equal(seen[0].size, 1);
	assert_int_equal(seen[0].value, 0xdd);
	assert_int_equal(seen[1].gpa, DEVICE + 2);
	assert_int_equal(seen[1].value, 0xccdd);
	assert_int_equal(seen[2].size, 4);
	assert_int_equal(STEP(0x0f, 0xb7, 0x06), EMUL_OK); /* movzx eax */
	assert_int_equal(seen[3].size, 2);
	assert_int_equal(pc.state.gpr[X86_RAX], 0x7788);
	/* A read-modify-write is one of each. */
	assert_int_equal(STEP(0x83, 0x0f, 0x01), EMUL_OK); /* or, 1 */
	assert_int_equal(seen_count, 6);
	assert_false(seen[4].is_write);
	assert_int_equal(seen[5].value, 0x55667789);
}

static void device_wide_access(void **state)
{
	(void)state;
	begin();
	pc.state.cr4 |= X86_CR4_OSFXSR;
	pc.xstate.xstate_bv = 3;
	assert_int_equal(STEP(0x0f, 0x11, 0x07), EMUL_OK); /* movups */
	assert_int_equal(seen_count, 2);
	assert_int_equal(seen[0].size, 8);
	assert_int_equal(seen[1].gpa, DEVICE + 8);
}

static void device_retry(void **state)
{
	(void)state;
	begin();
	is_retry_wanted = true;
	assert_int_equal(STEP(0x8b, 0x06), EMUL_RETRY);
	assert_int_equal(pc.state.rip, CODE);
	assert_int_equal(pc.state.gpr[X86_RAX], 0xaabbccdd);
	is_retry_wanted = false;
	assert_int_equal(STEP(0x8b, 0x06), EMUL_OK);
}

/* The last byte of RAM and the first of a device. */
static void ram_and_device(void **state)
{
	(void)state;
	begin();
	pc.state.gpr[X86_RDI] = RAM_SIZE - 1;
	assert_int_equal(STEP(0x89, 0x07), EMUL_OK);
	assert_int_equal(get(RAM_SIZE - 1, 1), 0xdd);
	assert_int_equal(seen[0].gpa, RAM_SIZE);
	assert_int_equal(seen[0].size, 2);
	assert_int_equal(seen[0].value, 0xbbcc);
	assert_int_equal(seen[1].size, 1);
	assert_int_equal(seen[1].value, 0xaa);
}

/* ---- What the processor has translated ----------------------------------- */

#define LINEAR 0x3080UL /* of 64-bit code, where nothing is mapped */

#define STEP_DEVICE(gpa, is_write, ...)                       \
	({                                                    \
		const uint8_t step_bytes[] = { __VA_ARGS__ }; \
		code(step_bytes, sizeof(step_bytes));         \
		emul_step_device(&pc.emul, gpa, is_write);    \
	})

static unsigned groups_needed;

static int need_groups(void *ctx, uint32_t groups)
{
	(void)ctx;
	pc.state.valid |= groups;
	groups_needed++;
	return 0;
}

/* As an exit leaves 64-bit code: with what is needed to fetch. */
static void begin_device(void)
{
	static struct emul_ops ops;

	begin();
	ops = device_ops;
	ops.state_need = need_groups;
	pc_long(0);
	pc.emul.ops = &ops;
	put(pte_at(LINEAR), 0, 8);
	pc.state.valid = X86_GROUP_GPR_RIP | X86_GROUP_FETCH;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		if (i != X86_CS)
			pc.state.seg[i].base = 0x1111;
	pc.state.gpr[X86_RDI] = LINEAR;
	pc.state.gpr[X86_RAX] = 0xaabbccdd;
	groups_needed = 0;
}

static void met_stores(void **state)
{
	const uint64_t gpa = DEVICE + (LINEAR & 0xfff);

	(void)state;
	begin_device();
	assert_int_equal(STEP_DEVICE(gpa, true, 0x89, 0x07), EMUL_OK);
	assert_int_equal(seen[0].gpa, gpa);
	assert_int_equal(seen[0].value, 0xaabbccdd);
	assert_int_equal(STEP_DEVICE(gpa, true, 0xc6, 0x07, 0x99), EMUL_OK);
	assert_int_equal(seen[1].size, 1);
	assert_int_equal(seen[1].value, 0x99);
	/* 64 bits of an immediate's 32 */
	assert_int_equal(STEP_DEVICE(gpa, true, 0x48, 0xc7, 0x07, 0xff, 0xff,
				     0xff, 0xff),
			 EMUL_OK);
	assert_int_equal(seen[2].value, UINT64_MAX);
	assert_int_equal(seen[2].size, 8);
	assert_int_equal(seen_count, 3);
	assert_int_equal(pc.state.rip, CODE + 2 + 3 + 7);
	assert_int_equal(groups_needed, 0);
}

static void met_loads(void **state)
{
	const uint64_t gpa = DEVICE + (LINEAR & 0xfff);
	uint64_t *gpr = pc.state.gpr;

	(void)state;
	begin_device();
	assert_int_equal(STEP_DEVICE(gpa, false, 0x8b, 0x07), EMUL_OK);
	assert_int_equal(gpr[X86_RAX], 0x55667788);
	gpr[X86_RBX] = 0x1234567890;
	assert_int_equal(STEP_DEVICE(gpa, false, 0x66, 0x8b, 0x1f), EMUL_OK);
	assert_int_equal(gpr[X86_RBX], 0x1234567788);
	assert_int_equal(STEP_DEVICE(gpa, false, 0x8a, 0x27), EMUL_OK); /* ah */
	assert_int_equal(gpr[X86_RAX], 0x55668888);
	assert_int_equal(STEP_DEVICE(gpa, false, 0x48, 0x0f, 0xb6, 0x07),
			 EMUL_OK); /* movzx */
	assert_int_equal(gpr[X86_RAX], 0x88);
	assert_int_equal(seen_count, 4);
	assert_int_equal(pc.state.rip, CODE + 2 + 3 + 2 + 4);
	assert_int_equal(groups_needed, 0);
	is_retry_wanted = true;
	assert_int_equal(STEP_DEVICE(gpa, false, 0x8b, 0x07), EMUL_RETRY);
	assert_int_equal(gpr[X86_RAX], 0x88);
}

/* What is not surely that operand is walked: here it is a page fault. */
static void not_met(void **state)
{
	static const struct {
		uint64_t at;
		bool is_write;
		uint8_t bytes[4];
	} cases[] = {
		{ 0x84, false, { 0x8b, 0x07 } },       /* elsewhere there */
		{ 0x80, false, { 0x89, 0x07 } },       /* it writes */
		{ 0x80, true, { 0x8b, 0x07 } },	       /* it reads */
		{ 0x80, true, { 0x09, 0x07 } },	       /* or */
		{ 0x80, true, { 0x88, 0x27 } },	       /* ah */
		{ 0x80, true, { 0x8c, 0x0f } },	       /* cs */
		{ 0x80, false, { 0xff, 0x37 } },       /* push */
		{ 0x80, false, { 0x8e, 0x07 } },       /* to es */
		{ 0x80, false, { 0x64, 0x8b, 0x07 } }, /* fs */
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		begin_device();
		pc.state.seg[X86_FS].base = 0;
		code(cases[i].bytes, sizeof(cases[i].bytes));
		assert_fault(emul_step_device(&pc.emul, DEVICE + cases[i].at,
					      cases[i].is_write),
			     X86_VECTOR_PF, pc.emul.fault.error_code);
		assert_int_equal(seen_count, 0);
		assert_int_equal(pc.state.rip, CODE);
	}
	begin_device();
	assert_fault(STEP_DEVICE(DEVICE + 0x80, true, 0xf0, 0x89, 0x07),
		     X86_VECTOR_UD, 0); /* lock */
	begin_device();
	pc.state.gpr[X86_RDI] = LINEAR | 0xffe; /* over two pages */
	assert_fault(STEP_DEVICE(DEVICE + 0xffe, false, 0x8b, 0x07),
		     X86_VECTOR_PF, 0);
	begin_device();
	pc.state.valid |= X86_GROUPS_COMMON;
	pc.state.interrupt_shadow = X86_SHADOW_STI;
	assert_fault(STEP_DEVICE(DEVICE + 0x80, false, 0x8b, 0x07),
		     X86_VECTOR_PF, 0);
	assert_int_equal(groups_needed, 0);
	begin_device();
	pc.state.rflags |= X86_FLAG_TF;
	assert_fault(STEP_DEVICE(DEVICE + 0x80, false, 0x8b, 0x07),
		     X86_VECTOR_PF, 0);
}

/* Outside of 64-bit code the segment's base counts, and all is there. */
static void met_in_segment(void **state)
{
	(void)state;
	begin();
	pc.state.seg[X86_DS].base = 0x10;
	pc.state.gpr[X86_RDI] = 0x70;
	assert_int_equal(STEP_DEVICE(DEVICE + 0x80, true, 0x89, 0x07), EMUL_OK);
	assert_int_equal(seen[0].gpa, DEVICE + 0x80);
	assert_int_equal(seen_count, 1);
	/* Else it is RAM, to which the base leads. */
	assert_int_equal(STEP_DEVICE(DEVICE + 0x70, true, 0x89, 0x07), EMUL_OK);
	assert_int_equal(seen_count, 1);
	assert_int_equal(get(0x80, 4), 0xaabbccdd);
	pc.state.valid &= ~(uint32_t)X86_GROUP_FETCH;
	assert_int_equal(STEP_DEVICE(DEVICE + 0x80, true, 0x89, 0x07), EMUL_OK);
	assert_int_equal(seen_count, 1);
}

/* Simulators look at neither the limit nor the rights: who is there must. */
static void not_met_in_segment(void **state)
{
	static const struct {
		uint16_t attributes;
		uint32_t limit;
		bool is_write, is_good;
	} cases[] = {
		{ X86_ATTR_P | X86_ATTR_WRITABLE, 0x73, true, true },
		{ X86_ATTR_P | X86_ATTR_WRITABLE, 0x72, true, false },
		{ X86_ATTR_P | X86_ATTR_WRITABLE, 0x72, false, false },
		{ X86_ATTR_P, 0x73, false, true },
		{ X86_ATTR_P, 0x73, true, false },
		{ X86_ATTR_WRITABLE, 0x73, false, false },
		{ X86_ATTR_P | X86_ATTR_WRITABLE | X86_ATTR_EXPAND, 0x73, true,
		  false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct x86_segment *ds = &pc.state.seg[X86_DS];
		enum emul_status status;

		begin();
		ds->base = DEVICE + 0x10;
		ds->limit = cases[i].limit;
		ds->attributes = cases[i].attributes | X86_ATTR_S;
		pc.state.gpr[X86_RDI] = 0x70;
		status = STEP_DEVICE(DEVICE + 0x80, cases[i].is_write,
				     cases[i].is_write ? 0x89 : 0x8b, 0x07);
		assert_int_equal(seen_count, cases[i].is_good);
		if (cases[i].is_good)
			assert_int_equal(status, EMUL_OK);
		else
			assert_fault(status, X86_VECTOR_GP, 0);
	}
}

static void rom(void **state)
{
	(void)state;
	begin();
	pc.emul.window[0].size = DATA;
	pc.emul.window[1] = (struct emul_window){
		.start = DATA,
		.size = 0x1000,
		.host = pc.ram + DATA,
		.is_read_only = true,
	};
	emul_forget(&pc.emul);
	put(DATA, 0x10, 4);
	pc.state.gpr[X86_RDI] = DATA;
	assert_int_equal(STEP(0x83, 0x0f, 0x01), EMUL_OK);
	assert_int_equal(get(DATA, 4), 0x10);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].value, 0x11);
}

static void strings(void **state)
{
	(void)state;
	begin();
	/* Upwards over itself: a pattern. */
	memcpy(pc.ram + DATA, "ab", 2);
	pc.state.gpr[X86_RSI] = DATA;
	pc.state.gpr[X86_RDI] = DATA + 2;
	pc.state.gpr[X86_RCX] = 6;
	assert_int_equal(STEP(0xf3, 0xa4), EMUL_OK);
	assert_memory_equal(pc.ram + DATA, "abababab", 8);
	/* Downwards. */
	pc.state.rflags |= X86_FLAG_DF;
	pc.state.gpr[X86_RSI] = DATA + 3;
	pc.state.gpr[X86_RDI] = DATA + 0x103;
	pc.state.gpr[X86_RCX] = 4;
	assert_int_equal(STEP(0xf3, 0xa4), EMUL_OK);
	assert_memory_equal(pc.ram + DATA + 0x100, "abab", 4);
	assert_int_equal(pc.state.gpr[X86_RSI], DATA - 1);
	/* To a device, item by item. */
	pc.state.rflags &= ~X86_FLAG_DF;
	pc.state.gpr[X86_RSI] = DATA;
	pc.state.gpr[X86_RDI] = DEVICE;
	pc.state.gpr[X86_RCX] = 3;
	assert_int_equal(STEP(0xf3, 0x66, 0xa5), EMUL_OK);
	assert_int_equal(seen_count, 3);
	assert_int_equal(seen[2].gpa, DEVICE + 4);
	assert_int_equal(seen[2].value, 'a' | 'b' << 8);
	/* None is none. */
	pc.state.gpr[X86_RCX] = 0;
	assert_int_equal(STEP(0xf3, 0xa4), EMUL_OK);
	assert_int_equal(seen_count, 3);
}

/* The fault of the second page leaves the state of its iteration. */
static void string_fault(void **state)
{
	(void)state;
	pc_long(0);
	put(pte_at(DATA + 0x1000), 0, 8);
	pc.state.gpr[X86_RDI] = DATA + 0xff0;
	pc.state.gpr[X86_RCX] = 8;
	pc.state.gpr[X86_RAX] = 0x5a5a5a5a;
	assert_fault(STEP(0xf3, 0xab), X86_VECTOR_PF, 2); /* rep stosd */
	assert_int_equal(pc.state.gpr[X86_RCX], 4);
	assert_int_equal(pc.state.gpr[X86_RDI], DATA + 0x1000);
	assert_int_equal(pc.state.rip, CODE);
	assert_int_equal(get(DATA + 0xffc, 4), 0x5a5a5a5a);
	put(pte_at(DATA + 0x1000), (DATA + 0x1000) | PTE_RWU, 8);
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RCX], 0);
	assert_int_equal(pc.state.rip, CODE + 2);
}

/* What was compared before an item faults shows in the registers, and on AMD's
 * processors in the flags. */
static void compare_fault(void **state)
{
	(void)state;
	for (unsigned is_intel = 0; is_intel < 2; is_intel++) {
		uint64_t flags, *gpr = pc.state.gpr;

		begin();
		if (is_intel)
			pc.emul.features |= EMUL_FEATURE_INTEL;
		gpr[X86_RSI] = DATA;
		gpr[X86_RDI] = 0xffffffff - 3 - 8;
		gpr[X86_RCX] = 8;
		pc.state.seg[X86_ES].base = DATA - gpr[X86_RDI];
		pc.state.seg[X86_ES].limit = 0xffffffff - 4;
		put(DATA, 0x0000000500000005, 8);
		pc.state.rflags |= X86_FLAG_CF | X86_FLAG_PF;
		flags = pc.state.rflags;
		/* REPE CMPSD */
		assert_fault(STEP(0xf3, 0xa7), X86_VECTOR_GP, 0);
		assert_int_equal(gpr[X86_RCX], 6);
		assert_int_equal(gpr[X86_RSI], DATA + 8);
		if (!is_intel)
			flags ^= X86_FLAG_CF | X86_FLAG_ZF;
		assert_int_equal(pc.state.rflags & ~X86_FLAG_RF, flags);
		/* The first one has not been compared. */
		flags = pc.state.rflags;
		assert_fault(STEP(0xf3, 0xa7), X86_VECTOR_GP, 0);
		assert_int_equal(pc.state.rflags, flags);
	}
}

/* A count of zero in ECX, and what Intel's processors write then. */
static void strings_of_none(void **state)
{
	static const struct {
		uint8_t opcode;
		bool si, di; /* are cut to 32 bits */
	} rows[] = {
		{ 0xa4, true, true },	{ 0xa5, true, true },
		{ 0xaa, false, true },	{ 0xab, false, true },
		{ 0xa6, false, false }, { 0xac, false, false },
		{ 0xae, false, false },
	};
	const uint64_t high = 0x1234567800000000;

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		bool is_intel = i & 1;
		uint64_t *gpr = pc.state.gpr;

		pc_long(0);
		pc.emul.features &= ~EMUL_FEATURE_INTEL;
		pc.emul.features |= is_intel ? EMUL_FEATURE_INTEL : 0;
		gpr[X86_RCX] = high;
		gpr[X86_RSI] = gpr[X86_RDI] = high | DATA;
		assert_int_equal(STEP(0x67, 0xf3, rows[i / 2].opcode), EMUL_OK);
		assert_int_equal(gpr[X86_RCX], is_intel ? 0 : high);
		assert_int_equal(gpr[X86_RSI], is_intel && rows[i / 2].si
						       ? DATA
						       : high | DATA);
		assert_int_equal(gpr[X86_RDI], is_intel && rows[i / 2].di
						       ? DATA
						       : high | DATA);
	}
}

/* Each item as if alone, in order; what is not taken goes one by one. */
static void strings_to_device(void **state)
{
	(void)state;
	begin();
	mmio_room = 20;
	pc.state.gpr[X86_RCX] = 30;
	assert_int_equal(STEP(0xf3, 0x66, 0xab), EMUL_OK); /* rep stosw */
	assert_int_equal(pc.state.gpr[X86_RCX], 0);
	assert_int_equal(pc.state.gpr[X86_RDI], DEVICE + 60);
	assert_int_equal(seen_count, 30);
	for (unsigned i = 0; i < 30; i++) {
		assert_true(seen[i].is_write);
		assert_int_equal(seen[i].gpa, DEVICE + 2 * i);
		assert_int_equal(seen[i].size, 2);
		assert_int_equal(seen[i].value, 0xccdd);
	}
	begin();
	mmio_room = 100;
	put(DATA, 0x8877665544332211, 8);
	pc.state.gpr[X86_RSI] = DATA;
	pc.state.gpr[X86_RCX] = 8;
	assert_int_equal(STEP(0xf3, 0xa4), EMUL_OK); /* rep movsb */
	assert_int_equal(bulk_calls, 1);
	assert_int_equal(pc.state.gpr[X86_RSI], DATA + 8);
	assert_int_equal(pc.state.gpr[X86_RDI], DEVICE + 8);
	assert_int_equal(seen_count, 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(seen[i].gpa, DEVICE + i);
		assert_int_equal(seen[i].value, 0x11 * (i + 1));
	}
}

/* Not over a page's end at once, not downwards, not where an item is askew. */
static void strings_to_device_slowly(void **state)
{
	static const struct {
		uint64_t at, flags;
		unsigned calls; /* that take an item at least */
	} rows[] = {
		{ DEVICE + PAGE_SIZE - 8, 0, 2 },
		{ DEVICE + 16, X86_FLAG_DF, 0 },
		{ DEVICE + 2, 0, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		mmio_room = 100;
		pc.state.rflags |= rows[i].flags;
		pc.state.gpr[X86_RDI] = rows[i].at;
		pc.state.gpr[X86_RCX] = 4;
		assert_int_equal(STEP(0xf3, 0xab), EMUL_OK); /* rep stosd */
		assert_int_equal(pc.state.gpr[X86_RCX], 0);
		assert_int_equal(bulk_calls, rows[i].calls);
		assert_int_equal(seen[0].gpa, rows[i].at);
	}
	/* A target that faults writes nothing. */
	begin();
	mmio_room = 100;
	pc.state.seg[X86_ES].limit = 0x10;
	pc.state.gpr[X86_RCX] = 4;
	assert_fault(STEP(0xf3, 0xab), X86_VECTOR_GP, 0);
	assert_int_equal(seen_count, 0);
}

static void string_ports(void **state)
{
	(void)state;
	begin();
	pc.state.gpr[X86_RDI] = DATA;
	pc.state.gpr[X86_RDX] = 0x1f0;
	pc.state.gpr[X86_RCX] = 256;
	pc.port_value = 0x99;
	bulk_room = 100; /* the rest one by one */
	assert_int_equal(STEP(0xf3, 0x66, 0x6d), EMUL_OK); /* rep insw */
	assert_int_equal(pc.state.gpr[X86_RCX], 0);
	assert_int_equal(pc.state.gpr[X86_RDI], DATA + 512);
	assert_int_equal(pc.port_count, 156);
	assert_int_equal(get(DATA + 198, 2), 0x7777);
	assert_int_equal(get(DATA + 200, 2), 0x99);
	/* A target that faults reads no port. */
	pc.state.seg[X86_ES].limit = 0x10;
	pc.state.gpr[X86_RCX] = 1;
	assert_fault(STEP(0x66, 0x6d), X86_VECTOR_GP, 0);
	assert_int_equal(pc.port_count, 156);
}

/* Two processors, one counter. */
#define ROUNDS 20000

struct other {
	struct x86_state state;
	struct emul emul;
};

static void *other_run(void *arg)
{
	struct other *other = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		other->state.rip = CODE;
		if (emul_step(&other->emul) != EMUL_OK)
			return other;
	}
	return NULL;
}

static void locked(void **state)
{
	static struct other other[2];
	pthread_t thread[2];
	void *failed;

	(void)state;
	begin();
	pc.state.gpr[X86_RDI] = DATA + 1; /* at any alignment */
	code("\xf0\xff\x07", 3);	  /* lock inc dword [edi] */
	for (unsigned i = 0; i < 2; i++) {
		other[i].state = pc.state;
		emul_init(&other[i].emul, &other[i].state, &device_ops, NULL);
		other[i].emul.window[0] = pc.emul.window[0];
		assert_int_equal(
			pthread_create(&thread[i], NULL, other_run, &other[i]),
			0);
	}
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(get(DATA + 1, 4), 2 * ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_access),
		cmocka_unit_test(device_wide_access),
		cmocka_unit_test(device_retry),
		cmocka_unit_test(ram_and_device),
		cmocka_unit_test(met_stores),
		cmocka_unit_test(met_loads),
		cmocka_unit_test(not_met),
		cmocka_unit_test(met_in_segment),
		cmocka_unit_test(not_met_in_segment),
		cmocka_unit_test(rom),
		cmocka_unit_test(strings),
		cmocka_unit_test(string_fault),
		cmocka_unit_test(compare_fault),
		cmocka_unit_test(strings_of_none),
		cmocka_unit_test(strings_to_device),
		cmocka_unit_test(strings_to_device_slowly),
		cmocka_unit_test(string_ports),
		cmocka_unit_test(locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
