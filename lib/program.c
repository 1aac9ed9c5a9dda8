/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a machine's program, which may come from a boot module and so be
 * anything.  Segments without memory, other notes than ours and section headers
 * are ignored; there is no dynamic linking and no relocation.
 *
 * Pure code: the monitor and the unit tests share it.
 *
 * Reference: System V ABI, "Object Files", "Program Loading".
 */
#include "lib/program.h"

#include "include/elf.h"
#include "include/errno.h"
#include "include/gate.h"
#include "lib/printf.h"
#include "lib/string.h"

#define SEGMENTS_MAX 32
#define NOTE_OWNER   "Bulkhead"
#define NOTE_GATE    1 /* the value: the gate's version, 32 bits */
#define NOTE_ALIGN   4UL

_Static_assert(GATE_PROGRAM_END <= GATE_WINDOW_VA &&
		       GATE_PROGRAM_END <= GATE_MODULE_VA &&
		       GATE_PROGRAM_END <= GATE_CONFIG_VA &&
		       GATE_PROGRAM_END <= GATE_PAGE_VA(0) &&
		       GATE_PROGRAM_END <= GATE_STACK_TOP(0) - GATE_STACK_SIZE,
	       "programs lie below all that the monitor maps beside them");

/* NULL, or what is wrong. */
static const char *check_header(const struct elf64_header *header,
				uint64_t size)
{
	static const uint8_t magic[] = { 0x7f, 'E', 'L', 'F' };

	if (memcmp(header->ident.magic, magic, sizeof(magic)))
		return "is no ELF file";
	if (header->ident.class != ELF_CLASS_64 ||
	    header->ident.data != ELF_DATA_LITTLE ||
	    header->machine != ELF_X86_64)
		return "is not for x86-64";
	if (header->type != ELF_TYPE_EXEC)
		return "is not a static executable";
	if (header->phentsize != sizeof(struct elf64_segment))
		return "has segment headers of another size";
	if (!header->phnum || header->phnum > SEGMENTS_MAX)
		return "has no segment, or too many";
	if (header->phoff > size ||
	    header->phnum * sizeof(struct elf64_segment) > size - header->phoff)
		return "has segment headers past its end";
	return NULL;
}

static const char *check_segment(const struct elf64_segment *s, uint64_t size)
{
	if (s->filesz > s->memsz)
		return "has a segment that is larger in the file";
	if (s->offset > size || s->filesz > size - s->offset)
		return "has a segment past its end";
	if (!IS_ALIGNED(s->vaddr, PAGE_SIZE))
		return "has a segment that does not begin with a page";
	if (s->vaddr < GATE_PROGRAM_BASE || s->vaddr > GATE_PROGRAM_END ||
	    s->memsz > GATE_PROGRAM_END - s->vaddr)
		return "has a segment where no program may be";
	if (s->flags & ELF_PF_WRITE && s->flags & ELF_PF_EXEC)
		return "has a segment that is writable and executable";
	return NULL;
}

static const char *add_part(struct program *program,
			    const struct elf64_segment *s, uint64_t *total)
{
	struct program_part *part = &program->part[program->part_count];
	const struct program_part *last = part - 1;

	if (program->part_count == PROGRAM_PARTS_MAX)
		return "has too many segments to load";
	if (program->part_count &&
	    s->vaddr < ALIGN_UP(last->va + last->size, PAGE_SIZE))
		return "has segments that overlap or are out of order";
	*total += ALIGN_UP(s->memsz, PAGE_SIZE);
	if (*total > GATE_PROGRAM_MAX)
		return "needs too much memory";
	*part = (struct program_part){
		.va = s->vaddr,
		.size = s->memsz,
		.offset = s->offset,
		.file_size = s->filesz,
		.is_writable = s->flags & ELF_PF_WRITE,
		.is_executable = s->flags & ELF_PF_EXEC,
	};
	program->part_count++;
	return NULL;
}

static const char *check_entry(const struct program *program)
{
	for (unsigned i = 0; i < program->part_count; i++) {
		const struct program_part *part = &program->part[i];

		if (part->is_executable && program->entry >= part->va &&
		    program->entry - part->va < part->file_size)
			return NULL;
	}
	return "has its entry outside of its text";
}

/* ---- The note ------------------------------------------------------------ */

static bool is_gate_note(const struct elf_note *note, const uint8_t *name)
{
	return note->type == NOTE_GATE &&
	       note->name_length == sizeof(NOTE_OWNER) &&
	       note->value_length == sizeof(uint32_t) &&
	       !memcmp(name, NOTE_OWNER, sizeof(NOTE_OWNER));
}

/* True: one of the notes in size bytes says for which gate the program is. */
static bool find_gate_note(const uint8_t *notes, uint64_t size,
			   uint32_t *version)
{
	struct elf_note note;
	uint64_t value, end;

	for (uint64_t at = 0; at + sizeof(note) <= size; at = end) {
		memcpy(&note, notes + at, sizeof(note));
		at += sizeof(note);
		value = at + ALIGN_UP((uint64_t)note.name_length, NOTE_ALIGN);
		end = value + ALIGN_UP((uint64_t)note.value_length, NOTE_ALIGN);
		if (end > size)
			return false;
		if (!is_gate_note(&note, notes + at))
			continue;
		memcpy(version, notes + value, sizeof(*version));
		return true;
	}
	return false;
}

/* What is put into program->why lasts as long as the caller's struct. */
static const char *check_note(struct program *program, const uint8_t *file,
			      uint64_t size, const struct elf64_header *header)
{
	uint32_t version = 0;
	bool is_found = false;

	for (unsigned i = 0; !is_found && i < header->phnum; i++) {
		struct elf64_segment s;

		memcpy(&s, file + header->phoff + i * sizeof(s), sizeof(s));
		if (s.type == ELF_PT_NOTE && s.offset <= size &&
		    s.filesz <= size - s.offset)
			is_found = find_gate_note(file + s.offset, s.filesz,
						  &version);
	}
	if (!is_found)
		return "has no note that says for which gate it is";
	if (version == GATE_VERSION)
		return NULL;
	(void)snprintf(program->why, sizeof(program->why),
		       "is for gate version %u, this is %d", version,
		       GATE_VERSION);
	return program->why;
}

/* ---- All of it ----------------------------------------------------------- */

static const char *parse(struct program *program, const uint8_t *file,
			 uint64_t size)
{
	struct elf64_header header;
	uint64_t total = 0;
	const char *why;

	if (size < sizeof(header))
		return "is no ELF file";
	memcpy(&header, file, sizeof(header));
	why = check_header(&header, size);
	for (unsigned i = 0; !why && i < header.phnum; i++) {
		struct elf64_segment segment;

		memcpy(&segment, file + header.phoff + i * sizeof(segment),
		       sizeof(segment));
		if (segment.type != ELF_PT_LOAD || !segment.memsz)
			continue;
		why = check_segment(&segment, size);
		if (!why)
			why = add_part(program, &segment, &total);
	}
	program->entry = header.entry;
	if (!why)
		why = check_entry(program);
	return why ? why : check_note(program, file, size, &header);
}

int program_parse(struct program *program, const void *file, uint64_t size,
		  const char **why)
{
	memset(program, 0, sizeof(*program));
	*why = parse(program, file, size);
	return *why ? -EINVAL : 0;
}
