/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of machines' programs: what it takes, each thing it refuses, and
 * that no file makes it believe what it promises not to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/program.h"
#include "include/elf.h"
#include "include/errno.h"
#include "include/gate.h"

#define SEGMENTS 4
#define NOTE	 160 /* in the file's bytes */
#define TEXT	 0x400000
#define FUZZ	 200000

/* A program as the linker makes them; its text begins at its first byte. */
struct file {
	struct elf64_header header;
	struct elf64_segment segment[SEGMENTS];
	uint8_t bytes[NOTE];
	struct note {
		struct elf_note header;
		char name[12];
		uint32_t version;
	} __packed other, note;
};

static void file_init(struct file *file)
{
	static const struct elf64_header header = {
		.ident = { { 0x7f, 'E', 'L', 'F' },
			   ELF_CLASS_64,
			   ELF_DATA_LITTLE,
			   1,
			   { 0 } },
		.type = ELF_TYPE_EXEC,
		.machine = ELF_X86_64,
		.entry = TEXT + 16,
		.phoff = offsetof(struct file, segment),
		.phentsize = sizeof(struct elf64_segment),
		.phnum = SEGMENTS,
	};
	static const struct elf64_segment segments[SEGMENTS] = {
		{ ELF_PT_LOAD, ELF_PF_EXEC, 0, TEXT, 0, 64, 64, PAGE_SIZE },
		{ ELF_PT_LOAD, 0, 64, 0x401000, 0, 32, PAGE_SIZE, PAGE_SIZE },
		{ ELF_PT_LOAD, ELF_PF_WRITE, 96, 0x402000, 0, 8, 0x1801,
		  PAGE_SIZE },
		{ ELF_PT_NOTE, 0, offsetof(struct file, other), 0x401000, 0,
		  2 * sizeof(struct note), 2 * sizeof(struct note), 4 },
	};

	memset(file, 0, sizeof(*file));
	file->header = header;
	memcpy(file->segment, segments, sizeof(segments));
	file->other = (struct note){ { 9, 4, 7 }, "Bulkhead", 3 };
	file->note = (struct note){ { 9, 4, 1 }, "Bulkhead", GATE_VERSION };
}

static void test_good(void **state)
{
	struct program program;
	struct file file;
	const char *why;

	(void)state;
	file_init(&file);
	assert_int_equal(program_parse(&program, &file, sizeof(file), &why), 0);
	assert_null(why);
	assert_int_equal(program.entry, TEXT + 16);
	assert_int_equal(program.part_count, 3);
	assert_true(program.part[0].is_executable);
	assert_false(program.part[0].is_writable);
	assert_false(program.part[1].is_executable);
	assert_true(program.part[2].is_writable);
	assert_int_equal(program.part[2].va, 0x402000);
	assert_int_equal(program.part[2].size, 0x1801);
	assert_int_equal(program.part[2].offset, 96);
	assert_int_equal(program.part[2].file_size, 8);
}

/* What is there but not to be loaded does no harm, however odd. */
static void test_ignored(void **state)
{
	struct program program;
	struct file file;
	const char *why;

	(void)state;
	file_init(&file);
	/* Notes that are not there. */
	file.segment[1].type = ELF_PT_NOTE;
	file.segment[1].offset = UINT64_MAX;
	file.segment[2].memsz = 0;
	file.segment[2].vaddr = 1;
	assert_int_equal(program_parse(&program, &file, sizeof(file), &why), 0);
	assert_int_equal(program.part_count, 1);
}

/* One field of a good file changed, and what is said of it. */
struct bad {
	size_t offset, size;
	uint64_t value;
	const char *why;
};

#define HEADER(member)                                                         \
	offsetof(struct file, header) + offsetof(struct elf64_header, member), \
		sizeof(((struct elf64_header *)0)->member)
#define SEGMENT(n, member)                              \
	offsetof(struct file, segment[n]) +             \
		offsetof(struct elf64_segment, member), \
		sizeof(((struct elf64_segment *)0)->member)

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)
#define NO_NOTE	    "has no note that says for which gate it is"

/* clang-format off */
static const struct bad bads[] = {
	{ 0, 1, 0x7e, "is no ELF file" },
	{ HEADER(ident.class), ELF_CLASS_32, "is not for x86-64" },
	{ HEADER(ident.data), 2, "is not for x86-64" },
	{ HEADER(machine), ELF_386, "is not for x86-64" },
	{ HEADER(type), ELF_TYPE_DYN, "is not a static executable" },
	{ HEADER(phentsize), 57, "has segment headers of another size" },
	{ HEADER(phnum), 0, "has no segment, or too many" },
	{ HEADER(phnum), 33, "has no segment, or too many" },
	{ HEADER(phnum), 32, "has segment headers past its end" },
	{ HEADER(phoff), sizeof(struct file) - 1,
	  "has segment headers past its end" },
	{ HEADER(phoff), UINT64_MAX, "has segment headers past its end" },
	{ HEADER(entry), TEXT - 1, "has its entry outside of its text" },
	{ HEADER(entry), TEXT + 64, "has its entry outside of its text" },
	{ HEADER(entry), 0x401000, "has its entry outside of its text" },
	{ HEADER(entry), 0xffff800000000000, "has its entry outside of its text" },
	{ SEGMENT(0, filesz), 65, "has a segment that is larger in the file" },
	{ SEGMENT(0, offset), sizeof(struct file) - 63,
	  "has a segment past its end" },
	{ SEGMENT(0, offset), UINT64_MAX, "has a segment past its end" },
	{ SEGMENT(0, vaddr), TEXT + 16,
	  "has a segment that does not begin with a page" },
	{ SEGMENT(0, vaddr), TEXT - PAGE_SIZE,
	  "has a segment where no program may be" },
	{ SEGMENT(2, vaddr), GATE_PROGRAM_END - PAGE_SIZE,
	  "has a segment where no program may be" },
	{ SEGMENT(2, vaddr), 0xfffffffffffff000,
	  "has a segment where no program may be" },
	{ SEGMENT(2, vaddr), GATE_WINDOW_VA,
	  "has a segment where no program may be" },
	{ SEGMENT(2, memsz), UINT64_MAX,
	  "has a segment where no program may be" },
	{ SEGMENT(2, memsz), GATE_PROGRAM_MAX, "needs too much memory" },
	{ SEGMENT(0, flags), ELF_PF_EXEC | ELF_PF_WRITE,
	  "has a segment that is writable and executable" },
	{ SEGMENT(3, type), 0, NO_NOTE },
	{ SEGMENT(3, offset), UINT64_MAX, NO_NOTE },
	{ SEGMENT(3, filesz), sizeof(struct file), NO_NOTE },
	{ SEGMENT(3, filesz), 2 * sizeof(struct note) - 1, NO_NOTE },
	{ SEGMENT(3, filesz), sizeof(struct note), NO_NOTE },
	{ offsetof(struct file, other.header.name_length), 4, UINT32_MAX,
	  NO_NOTE },
	{ offsetof(struct file, other.header.value_length), 4, UINT32_MAX,
	  NO_NOTE },
	{ offsetof(struct file, note.header.name_length), 4, 8, NO_NOTE },
	{ offsetof(struct file, note.header.value_length), 4, 8, NO_NOTE },
	{ offsetof(struct file, note.header.type), 4, 2, NO_NOTE },
	{ offsetof(struct file, note.name), 1, 'b', NO_NOTE },
	{ offsetof(struct file, note.version), 4, 99,
	  "is for gate version 99, this is " TEXT_OF(GATE_VERSION) },
	{ SEGMENT(1, memsz), PAGE_SIZE + 1,
	  "has segments that overlap or are out of order" },
	{ SEGMENT(2, vaddr), TEXT,
	  "has segments that overlap or are out of order" },
};
/* clang-format on */

static void test_bad(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bads); i++) {
		struct program program;
		struct file file;
		const char *why;

		file_init(&file);
		memcpy((char *)&file + bads[i].offset, &bads[i].value,
		       bads[i].size);
		assert_int_equal(
			program_parse(&program, &file, sizeof(file), &why),
			-EINVAL);
		assert_string_equal(why, bads[i].why);
	}
}

static void test_too_many_parts(void **state)
{
	enum { COUNT = PROGRAM_PARTS_MAX + 2 };
	struct {
		struct elf64_header header;
		struct elf64_segment segment[COUNT];
		struct note note;
	} many;
	struct program program;
	struct file file;
	const char *why;

	(void)state;
	file_init(&file);
	many.header = file.header;
	many.header.phnum = COUNT;
	many.header.phoff = sizeof(many.header);
	for (unsigned i = 0; i < COUNT; i++) {
		many.segment[i] = file.segment[0];
		many.segment[i].vaddr += i * PAGE_SIZE;
	}
	assert_int_equal(program_parse(&program, &many, sizeof(many), &why),
			 -EINVAL);
	assert_string_equal(why, "has too many segments to load");
	/* The last of those that fit becomes the note's. */
	many.header.phnum--;
	many.segment[COUNT - 2].type = ELF_PT_NOTE;
	many.segment[COUNT - 2].offset = offsetof(typeof(many), note);
	many.segment[COUNT - 2].filesz = sizeof(many.note);
	many.note = file.note;
	assert_int_equal(program_parse(&program, &many, sizeof(many), &why), 0);
}

/* Every length that cuts the file short; ASan sees a read past it. */
static void test_cut(void **state)
{
	struct program program;
	struct file file;
	const char *why;

	(void)state;
	file_init(&file);
	for (size_t size = 0; size < sizeof(struct file); size++) {
		uint8_t *copy = malloc(size ? size : 1);

		memcpy(copy, &file, size);
		assert_int_equal(program_parse(&program, copy, size, &why),
				 -EINVAL);
		free(copy);
	}
}

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

/* A border, a small number or noise. */
static uint64_t random_value(uint64_t *state)
{
	static const uint64_t borders[] = {
		0,
		1,
		PAGE_SIZE,
		TEXT,
		TEXT + PAGE_SIZE,
		GATE_PROGRAM_END,
		GATE_PROGRAM_MAX,
		GATE_WINDOW_VA,
		0xfffffffffffff000ULL,
		UINT64_MAX,
	};
	uint64_t r = random_next(state);

	if (r & 1)
		return borders[(r >> 8) % ARRAY_SIZE(borders)] +
		       ((r >> 16) % 3 - 1) * ((r >> 24) % 2);
	return random_next(state) >> (r >> 8) % 64;
}

/* What the header promises of a file that was taken. */
static void check_promises(const struct program *p, uint64_t size)
{
	uint64_t end = GATE_PROGRAM_BASE, total = 0;
	bool has_entry = false;

	assert_true(p->part_count <= PROGRAM_PARTS_MAX);
	for (unsigned i = 0; i < p->part_count; i++) {
		const struct program_part *part = &p->part[i];

		assert_true(IS_ALIGNED(part->va, PAGE_SIZE));
		assert_true(part->va >= end);
		assert_true(part->size && part->file_size <= part->size);
		assert_true(part->offset <= size &&
			    part->file_size <= size - part->offset);
		assert_false(part->is_writable && part->is_executable);
		end = ALIGN_UP(part->va + part->size, PAGE_SIZE);
		total += end - part->va;
		has_entry |= part->is_executable && p->entry >= part->va &&
			     p->entry < part->va + part->file_size;
	}
	assert_true(end <= GATE_PROGRAM_END);
	assert_true(total <= GATE_PROGRAM_MAX);
	assert_true(has_entry);
}

static void test_fuzz(void **state)
{
	uint64_t random = 0x9e3779b97f4a7c15ULL;
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < FUZZ; i++) {
		uint64_t changes = 1 + random_next(&random) % 3;
		struct program program;
		struct file file;
		const char *why;

		file_init(&file);
		while (changes--) {
			uint64_t value = random_value(&random);
			size_t at = random_next(&random) %
				    (offsetof(struct file, bytes) - 8);
			size_t length = random_next(&random) & 1 ? 8 : 1;

			if (length == 8)
				at &= ~(size_t)7;
			memcpy((char *)&file + at, &value, length);
		}
		if (program_parse(&program, &file, sizeof(file), &why))
			continue;
		check_promises(&program, sizeof(file));
		taken++;
	}
	/* Else the loop would only have tried the first check. */
	assert_true(taken > FUZZ / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_many_parts),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
