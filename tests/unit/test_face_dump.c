/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A core of a guest, from the machine's end of its face: the file that comes of
 * it, and a seat that takes it slowly, does not take it, or goes away.
 */
#include "tests/unit/face_test.h"

#include "include/elf.h"

#define HIGH	   GIB(4)
#define LOW_SIZE   (16 * PAGE_SIZE)
#define HIGH_SIZE  (8 * PAGE_SIZE)
#define HOLE	   5 /* a page of the low region that cannot be read */
#define VCPUS	   3
#define FILE_MAX   (64 * PAGE_SIZE)
#define STATUS	   336
#define QEMU	   440
#define NOTE_HEAD  20
#define NOTES	   (VCPUS * (2 * NOTE_HEAD + STATUS + QEMU))
#define HEADERS	   (64 + 3 * 56)
#define MEMORY	   PAGE_SIZE /* where it begins in the file */
#define FILE_SIZE  (MEMORY + LOW_SIZE + HIGH_SIZE)
#define PAGES_MAX  (4 * ELF_CORE_PAGES)
#define MANY_PAGES (40 * ELF_CORE_PAGES)
_Static_assert(HEADERS + NOTES <= MEMORY, "");

static uint8_t low[LOW_SIZE] __aligned(4096), high[HIGH_SIZE] __aligned(4096);
static uint8_t file[FILE_MAX], is_there[FILE_MAX / PAGE_SIZE];
static unsigned looks; /* at pages */
static uint32_t granted;

/* ---- A board with memory ------------------------------------------------- */

static void *ram_at(void *object, gpa_t gpa, size_t length, bool write)
{
	(void)object;
	looks++;
	assert_false(write);
	assert_true(length == PAGE_SIZE && gpa % PAGE_SIZE == 0);
	if (gpa < LOW_SIZE)
		return gpa == HOLE * PAGE_SIZE ? NULL : low + gpa;
	assert_true(gpa >= HIGH && gpa - HIGH < HIGH_SIZE);
	return high + (gpa - HIGH);
}

static unsigned regions(void *object,
			struct board_region region[BOARD_REGIONS_MAX])
{
	(void)object;
	region[0] = (struct board_region){ 0, LOW_SIZE };
	region[1] = (struct board_region){ HIGH, HIGH_SIZE };
	return 2;
}

/* The same page again and again. */
static void *same_at(void *object, gpa_t gpa, size_t length, bool write)
{
	(void)object;
	(void)gpa;
	(void)length;
	(void)write;
	looks++;
	return low;
}

static unsigned one_large(void *object,
			  struct board_region region[BOARD_REGIONS_MAX])
{
	(void)object;
	region[0] = (struct board_region){ 0, MANY_PAGES * PAGE_SIZE };
	return 1;
}

static const struct board_ops memory_ops = { .ram_at = ram_at,
					     .regions = regions };
static const struct board memory = { .ops = &memory_ops };
static const struct board_ops large_ops = { .ram_at = same_at,
					    .regions = one_large };
static const struct board large = { .ops = &large_ops };

static int setup_dump(void **state)
{
	(void)state;
	face_start(&memory);
	memset(low, 0, sizeof(low));
	memset(high, 0, sizeof(high));
	memset(file, 0, sizeof(file));
	memset(is_there, 0, sizeof(is_there));
	looks = granted = 0;
	return 0;
}

/* ---- Seat ---------------------------------------------------------------- */

static void grant(uint32_t tag_of, uint32_t count)
{
	const struct face_dump_more record = {
		.head = { .kind = FACE_DUMP_MORE, .tag = tag_of },
		.count = count,
	};

	(void)ask(&record, sizeof(record));
	face_visit(&b.face);
}

static uint64_t size_of_file(void)
{
	const struct face_dump_begin *begin = (const void *)b.record;

	return begin->size;
}

static uint32_t reason(void)
{
	return ((const struct face_dump_end *)b.record)->reason;
}

/* One is wanted, and the guest stands. */
static void begin(uint32_t with)
{
	unsigned holds = b.holds;

	b.is_held = false;
	ask_kind(FACE_DUMP, with);
	face_visit(&b.face);
	assert_int_equal(b.holds, holds + 1);
	assert_true(face_holds(&b.face));
	assert_int_equal(get(), 0);
	b.is_held = true;
	face_visit(&b.face);
	expect(FACE_DUMP_BEGIN, with);
}

static void take_core(void)
{
	const struct face_core *core = (const void *)b.record;
	size_t length = (size_t)b.length - sizeof(*core);

	assert_true(core->offset + length <= FILE_SIZE);
	memcpy(file + core->offset, core->byte, length);
	for (uint64_t at = core->offset; at < core->offset + length;
	     at += PAGE_SIZE)
		is_there[at / PAGE_SIZE] = 1;
}

/* The whole file, with as many records at a time. */
static unsigned read_all(uint32_t with, uint32_t at_a_time)
{
	unsigned cores = 0;

	for (;;) {
		unsigned kind = get();

		if (!kind && b.agains) {
			b.agains = 0;
			face_visit(&b.face);
		} else if (!kind) {
			/* As many as it may, and then it waits. */
			assert_int_equal(cores, granted);
			grant(with, granted += at_a_time);
		} else if (kind == FACE_DUMP_END) {
			assert_int_equal(tag(), with);
			assert_int_equal(reason(), FACE_DUMP_DONE);
			return cores;
		} else {
			assert_int_equal(kind, FACE_CORE);
			assert_int_equal(tag(), with);
			assert_true(++cores <= granted);
			take_core();
		}
	}
}

/* ---- The file ------------------------------------------------------------ */

static uint64_t word(size_t at)
{
	uint64_t value;

	memcpy(&value, file + at, sizeof(value));
	return value;
}

static uint32_t half(size_t at)
{
	return (uint32_t)word(at);
}

static void vcpus_fill(void)
{
	for (unsigned n = 0; n < VCPUS; n++) {
		struct x86_state *state = &b.state[n];

		for (unsigned i = 0; i < X86_GPR_COUNT; i++)
			state->gpr[i] = 0x1000000000ULL * (n + 1) + i;
		state->rip = 0x7000 + n;
		state->rflags = 0x202;
		for (unsigned i = 0; i < X86_SEG_COUNT; i++)
			state->seg[i] = (struct x86_segment){
				.selector = (uint16_t)(8 * (i + 1)),
				.attributes = 0xc93,
				.limit = 0xfffff000 + i,
				.base = i * 0x10000,
			};
		state->tr = (struct x86_segment){ 0x40, 0x8b, 0x67, 0x9000 };
		state->gdtr =
			(struct x86_segment){ .limit = 0x7f, .base = 0x8000 };
		state->idtr =
			(struct x86_segment){ .limit = 0xfff,
					      .base = 0xffffffff81000000 + n };
		state->cr0 = 0x80050033;
		state->cr2 = 0x1234;
		state->cr3 = 0x5000 + PAGE_SIZE * n;
		state->cr4 = 0x6f0;
		state->kernel_gs_base = 0xffff888000000000 + n;
	}
}

static void expect_segment(size_t at, uint32_t type, uint64_t offset,
			   uint64_t address, uint64_t size)
{
	assert_int_equal(half(at), type);
	assert_int_equal(word(at + 8), offset);
	assert_int_equal(word(at + 16), address);
	assert_int_equal(word(at + 24), address);
	assert_int_equal(word(at + 32), size);
	assert_int_equal(word(at + 40), type == 4 ? 0 : size);
}

static void expect_note(size_t at, const char *name, uint32_t type,
			uint32_t size)
{
	assert_int_equal(half(at), 5);
	assert_int_equal(half(at + 4), size);
	assert_int_equal(half(at + 8), type);
	assert_string_equal((char *)file + at + 12, name);
}

/* Offsets of Linux's struct elf_prstatus. */
static void expect_status(size_t at, unsigned n)
{
	const uint64_t *gpr = b.state[n].gpr;
	const uint8_t order[] = { 15, 14, 13, 12, 5, 3, 11, 10,
				  9,  8,  0,  1,  2, 6, 7 };

	expect_note(at, "CORE", 1, STATUS);
	at += NOTE_HEAD;
	assert_int_equal(half(at + 32), n + 1);
	for (unsigned i = 0; i < sizeof(order); i++)
		assert_int_equal(word(at + 112 + 8 * i), gpr[order[i]]);
	/* Not in long mode: CS's base is in it. */
	assert_int_equal(word(at + 240), 0x17000 + n);
	assert_int_equal(word(at + 248), 16); /* cs */
	assert_int_equal(word(at + 256), 0x202);
	assert_int_equal(word(at + 264), gpr[4]);
	assert_int_equal(word(at + 272), 24); /* ss */
	assert_int_equal(word(at + 280), 0x40000);
	assert_int_equal(word(at + 288), 0x50000);
	assert_int_equal(word(at + 296), 32); /* ds es fs gs */
	assert_int_equal(word(at + 304), 8);
	assert_int_equal(word(at + 312), 40);
	assert_int_equal(word(at + 320), 48);
}

/* Offsets of QEMU's. */
static void expect_qemu(size_t at, unsigned n)
{
	const uint64_t *gpr = b.state[n].gpr;
	const uint8_t order[] = { 0, 3, 1, 2, 6, 7, 4, 5 };
	const uint8_t segments[] = { X86_CS, X86_DS, X86_ES,
				     X86_FS, X86_GS, X86_SS };

	expect_note(at, "QEMU", 0, QEMU);
	at += NOTE_HEAD;
	assert_int_equal(half(at), 1);
	assert_int_equal(half(at + 4), QEMU);
	for (unsigned i = 0; i < sizeof(order); i++)
		assert_int_equal(word(at + 8 + 8 * i), gpr[order[i]]);
	assert_int_equal(word(at + 8 + 8 * 15), gpr[15]);
	assert_int_equal(word(at + 136), 0x7000 + n);
	for (unsigned i = 0; i < sizeof(segments); i++) {
		unsigned seg = segments[i];

		assert_int_equal(half(at + 152 + 24 * i), 8 * (seg + 1));
		assert_int_equal(half(at + 156 + 24 * i), 0xfffff000 + seg);
		assert_int_equal(half(at + 160 + 24 * i), 0xc09300);
		assert_int_equal(word(at + 168 + 24 * i), seg * 0x10000);
	}
	assert_int_equal(half(at + 152 + 24 * 7), 0x40); /* tr */
	assert_int_equal(half(at + 160 + 24 * 7), 0x8b00);
	assert_int_equal(word(at + 168 + 24 * 8), 0x8000); /* gdt */
	assert_int_equal(word(at + 168 + 24 * 9), b.state[n].idtr.base);
	assert_int_equal(word(at + 392), 0x80050033);
	assert_int_equal(word(at + 400), 0);
	assert_int_equal(word(at + 408), 0x1234);
	assert_int_equal(word(at + 416), b.state[n].cr3);
	assert_int_equal(word(at + 424), 0x6f0);
	assert_int_equal(word(at + 432), b.state[n].kernel_gs_base);
}

static void expect_file(void)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1, 0 };

	assert_memory_equal(file, ident, sizeof(ident));
	assert_int_equal(half(16), 4 | 62 << 16); /* ET_CORE, x86-64 */
	assert_int_equal(word(32), 64);
	assert_int_equal(half(54), 56 | 3 << 16);
	expect_segment(64, 4, HEADERS, 0, NOTES);
	expect_segment(120, 1, MEMORY, 0, LOW_SIZE);
	expect_segment(176, 1, MEMORY + LOW_SIZE, HIGH, HIGH_SIZE);
	for (unsigned n = 0; n < VCPUS; n++) {
		expect_status(HEADERS + n * (NOTE_HEAD + STATUS), n);
		expect_qemu(HEADERS + VCPUS * (NOTE_HEAD + STATUS) +
				    n * (NOTE_HEAD + QEMU),
			    n);
	}
}

static void memory_fill(void)
{
	static const uint8_t pages[] = { 0, 1, 2, 3, 4, HOLE, 6, 9, 15 };

	for (unsigned i = 0; i < sizeof(pages); i++)
		memset(low + pages[i] * PAGE_SIZE, 0x11 + pages[i], PAGE_SIZE);
	/* The last byte is enough. */
	high[PAGE_SIZE - 1] = 1;
	high[7 * PAGE_SIZE] = 2;
}

static void test_file(void **state)
{
	static const uint8_t there[] = { 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0,
					 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1 };

	(void)state;
	for (uint32_t at_a_time = 1; at_a_time < 9; at_a_time += 3) {
		(void)setup_dump(NULL);
		vcpus_fill();
		memory_fill();
		begin(7);
		assert_int_equal(size_of_file(), FILE_SIZE);
		(void)read_all(7, at_a_time);
		assert_false(face_holds(&b.face));
		expect_file();
		memset(low + HOLE * PAGE_SIZE, 0, PAGE_SIZE);
		assert_memory_equal(file + MEMORY, low, LOW_SIZE);
		assert_memory_equal(file + MEMORY + LOW_SIZE, high, HIGH_SIZE);
		assert_memory_equal(is_there + MEMORY / PAGE_SIZE, there,
				    sizeof(there));
	}
}

static void test_long_mode(void **state)
{
	(void)state;
	vcpus_fill();
	b.state[1].efer = X86_EFER_LMA;
	b.state[1].seg[X86_CS].attributes |= X86_ATTR_L;
	b.state[1].rip = 0xffffffff81234567;
	begin(1);
	(void)read_all(1, 4);
	assert_int_equal(word(HEADERS + NOTE_HEAD + STATUS + NOTE_HEAD + 240),
			 0xffffffff81234567);
}

/* A guest that was paused is so afterwards; one that is paused meanwhile, too.
 */
static void test_paused(void **state)
{
	(void)state;
	ask_command(1, FACE_PAUSE, 0);
	face_visit(&b.face);
	assert_int_equal(b.holds, 1);
	expect_answer(1, 0);
	begin(2);
	(void)read_all(2, 4);
	assert_true(face_holds(&b.face));
	ask_command(3, FACE_RESUME, 0);
	face_visit(&b.face);
	expect_answer(3, 0);
	assert_false(face_holds(&b.face));
	granted = 0;
	begin(4);
	ask_command(5, FACE_PAUSE, 0);
	face_visit(&b.face);
	expect_answer(5, 0);
	(void)read_all(4, 4);
	assert_true(face_holds(&b.face));
}

/* ---- A seat that is slow, or wants something else ------------------------ */

static void test_grants(void **state)
{
	(void)state;
	memory_fill();
	begin(3);
	face_visit(&b.face);
	assert_int_equal(get(), 0);
	grant(2, 5); /* another dump's */
	assert_int_equal(get(), 0);
	grant(3, 2);
	expect(FACE_CORE, 3);
	expect(FACE_CORE, 3);
	assert_int_equal(get(), 0);
	grant(3, 1);
	grant(3, 2);
	grant(3, 2 + 0x80000000); /* it would be less */
	assert_int_equal(get(), 0);
	/* Nothing to do until it is said that there is room. */
	b.agains = 0;
	face_visit(&b.face);
	assert_int_equal(b.agains, 0);
	/* Whatever else is asked is answered, with the ring full of it. */
	grant(3, 1000);
	for (unsigned i = 0; i < 100; i++)
		face_visit(&b.face);
	b.agains = 0;
	face_visit(&b.face);
	assert_int_equal(b.agains, 0);
	ask_kind(FACE_STATISTICS, 9);
	face_visit(&b.face);
	for (unsigned kind = 0; kind != FACE_STATISTICS; kind = get())
		assert_true(!kind || kind == FACE_CORE);
	assert_int_equal(tag(), 9);
}

static void test_busy(void **state)
{
	(void)state;
	ask_kind(FACE_DUMP, 1);
	ask_kind(FACE_DUMP, 2);
	face_visit(&b.face);
	expect_answer(2, -EBUSY);
	b.is_held = true;
	face_visit(&b.face);
	expect(FACE_DUMP_BEGIN, 1);
	ask_kind(FACE_DUMP, 3);
	face_visit(&b.face);
	expect_answer(3, -EBUSY);
	(void)read_all(1, 4);
	granted = 0;
	begin(4);
	(void)read_all(4, 4);
}

static void expect_end(uint32_t with, uint32_t why)
{
	face_visit(&b.face);
	assert_false(face_holds(&b.face));
	expect(FACE_DUMP_END, with);
	assert_int_equal(reason(), why);
	assert_int_equal(get(), 0);
}

/* Somebody ends it: before the guest stands, or in the middle. */
static void test_ends(void **state)
{
	(void)state;
	memory_fill();
	for (unsigned i = 0; i < 4; i++) {
		bool is_running = i & 1, is_reset = i & 2;

		b.is_held = false;
		if (is_running) {
			begin(i);
			grant(i, 1);
			expect(FACE_CORE, i);
		} else {
			ask_kind(FACE_DUMP, i);
			face_visit(&b.face);
		}
		if (is_reset) {
			face_was_reset(&b.face);
			expect_end(i, FACE_DUMP_RESET);
			continue;
		}
		ask_command(9, FACE_RESUME, 0);
		face_visit(&b.face);
		expect_answer(9, 0);
		expect_end(i, FACE_DUMP_RESUMED);
	}
	face_was_reset(&b.face);
	assert_int_equal(get(), 0);
}

/* Seat does not want it any more, or is gone, or lies. */
static void test_seat_leaves(void **state)
{
	(void)state;
	memory_fill();
	for (unsigned i = 0; i < 3; i++) {
		begin(i);
		grant(i, 1);
		expect(FACE_CORE, i);
		if (i == 0)
			ask_kind(FACE_DUMP_CLOSE, 0);
		else if (i == 1)
			face_peer_gone(&b.face);
		else
			b.shared.requests.produced += 0x10000;
		face_visit(&b.face);
		assert_false(face_holds(&b.face));
		grant(i, 9);
		if (i < 2)
			assert_int_equal(get(), 0);
	}
}

/* There is no room for its end: the guest goes on all the same. */
static void test_end_waits(void **state)
{
	bool is_wanted = false;
	unsigned kind = FACE_CORE;

	(void)state;
	memory_fill();
	begin(1);
	grant(1, 100);
	for (unsigned i = 0; i < 20; i++)
		face_visit(&b.face);
	for (uint32_t i = 0; i < 200; i++) {
		ask_kind(FACE_STATISTICS, 50 + i);
		face_visit(&b.face);
		if (ring_space(&b.face.answers) <
		    (long)sizeof(struct face_statistics) + 16)
			break;
	}
	while (ring_space(&b.face.answers) > 16)
		ring_put(&b.face.answers, "123456789", 8, &is_wanted) > 0
			? (void)0
			: fail();
	face_was_reset(&b.face);
	face_visit(&b.face);
	assert_false(face_holds(&b.face));
	b.agains = 0;
	while (kind != FACE_DUMP_END) {
		kind = get();
		assert_true(kind || b.agains);
		if (!kind)
			face_visit(&b.face);
	}
	assert_int_equal(reason(), FACE_DUMP_RESET);
}

/* Much memory of zeros: a bounded look each visit, a word now and then. */
static void test_empty_memory(void **state)
{
	unsigned cores = 0, kind = 0;
	uint64_t offset = 0;

	(void)state;
	face_start(&large);
	begin(1);
	grant(1, 1000);
	while (kind != FACE_DUMP_END) {
		const struct face_core *core = (const void *)b.record;

		kind = get();
		if (kind == FACE_CORE && b.length == sizeof(*core)) {
			assert_true(core->offset > offset);
			offset = core->offset;
			cores++;
		}
		if (kind)
			continue;
		assert_true(b.agains);
		b.agains = looks = 0;
		face_visit(&b.face);
		assert_in_range(looks, 0, PAGES_MAX);
	}
	assert_int_equal(reason(), FACE_DUMP_DONE);
	assert_int_equal(cores, MANY_PAGES / ELF_CORE_PAGES / 16);
}

static void test_nonsense(void **state)
{
	(void)state;
	ask_kind(FACE_DUMP_MORE, 1);
	ask_kind(FACE_DUMP_CLOSE, 2);
	face_visit(&b.face);
	expect_answer(1, -EINVAL);
	grant(0, 5); /* of no dump */
	begin(3);
	assert_int_equal(get(), 0);
	face_start(&blind);
	ask_kind(FACE_DUMP, 4);
	face_visit(&b.face);
	expect_answer(4, -ENOSYS);
	assert_false(face_holds(&b.face));
}

#define DUMP_TEST(name) cmocka_unit_test_setup(name, setup_dump)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DUMP_TEST(test_file),	      DUMP_TEST(test_long_mode),
		DUMP_TEST(test_paused),	      DUMP_TEST(test_grants),
		DUMP_TEST(test_busy),	      DUMP_TEST(test_ends),
		DUMP_TEST(test_seat_leaves),  DUMP_TEST(test_end_waits),
		DUMP_TEST(test_empty_memory), DUMP_TEST(test_nonsense),
	};

	(void)board;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
