/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's core as an ELF file: machine/elf_core.h. */
#include "machine/elf_core.h"

#include "include/elf.h"
#include "lib/string.h"
#include "machine/gdb.h"

/* Of cores alone: loaders do not need them. */
#define ELF_TYPE_CORE 4
#define ELF_PF_READ   BIT(2)
#define NT_PRSTATUS   1
#define NAME_SIZE     8 /* of a note: five bytes, padded */
#define NAME_LENGTH   5
#define NO_SYSCALL    UINT64_MAX
#define QEMU_VERSION  1

/* ---- Notes --------------------------------------------------------------- */

/* What Linux writes of a thread: its elf_prstatus. */
struct prstatus {
	uint32_t signal_info[3];
	uint16_t signal, reserved0;
	uint64_t pending, held;
	uint32_t pid, parent, group, session;
	uint64_t times[8];
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi, orig_rax;
	uint64_t rip, cs, rflags, rsp, ss;
	uint64_t fs_base, gs_base, ds, es, fs, gs;
	uint32_t has_fpu, reserved1;
};
ASSERT_OFFSET(struct prstatus, pid, 32);
ASSERT_OFFSET(struct prstatus, r15, 112);
ASSERT_SIZE(struct prstatus, 336);

struct qemu_segment {
	uint32_t selector, limit, flags, reserved;
	uint64_t base;
};

/* What QEMU writes of a processor: version 1. */
struct qemu_state {
	uint32_t version, size;
	uint64_t gpr[X86_GPR_COUNT]; /* in an order of its own */
	uint64_t rip, rflags;
	struct qemu_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint64_t cr[5];
	uint64_t kernel_gs_base;
};
ASSERT_OFFSET(struct qemu_state, rip, 136);
ASSERT_OFFSET(struct qemu_state, cr, 392);
ASSERT_SIZE(struct qemu_state, 440);

struct note {
	struct elf_note head;
	char name[NAME_SIZE];
} __packed;
ASSERT_SIZE(struct note, 20);

#define STATUS_NOTE (sizeof(struct note) + sizeof(struct prstatus))
#define QEMU_NOTE   (sizeof(struct note) + sizeof(struct qemu_state))
_Static_assert(STATUS_NOTE % 4 == 0 && QEMU_NOTE % 4 == 0, "notes are aligned");

static size_t note_put(uint8_t *to, const char *name, uint32_t type,
		       const void *value, size_t length)
{
	struct note note = {
		.head = { NAME_LENGTH, (uint32_t)length, type },
	};

	memcpy(note.name, name, NAME_LENGTH);
	memcpy(to, &note, sizeof(note));
	memcpy(to + sizeof(note), value, length);
	return sizeof(note) + length;
}

/* RIP is where the instruction is, CS's base and all: as a debugger has it. */
static size_t status_put(uint8_t *to, const struct x86_state *state,
			 unsigned vcpu)
{
	const uint64_t *gpr = state->gpr;
	const struct x86_segment *seg = state->seg;
	const struct prstatus status = {
		.pid = vcpu + 1,
		.r15 = gpr[15],
		.r14 = gpr[14],
		.r13 = gpr[13],
		.r12 = gpr[12],
		.rbp = gpr[X86_RBP],
		.rbx = gpr[X86_RBX],
		.r11 = gpr[11],
		.r10 = gpr[10],
		.r9 = gpr[9],
		.r8 = gpr[8],
		.rax = gpr[X86_RAX],
		.rcx = gpr[X86_RCX],
		.rdx = gpr[X86_RDX],
		.rsi = gpr[X86_RSI],
		.rdi = gpr[X86_RDI],
		.orig_rax = NO_SYSCALL,
		.rip = gdb_pc(state),
		.cs = seg[X86_CS].selector,
		.rflags = state->rflags,
		.rsp = gpr[X86_RSP],
		.ss = seg[X86_SS].selector,
		.fs_base = seg[X86_FS].base,
		.gs_base = seg[X86_GS].base,
		.ds = seg[X86_DS].selector,
		.es = seg[X86_ES].selector,
		.fs = seg[X86_FS].selector,
		.gs = seg[X86_GS].selector,
	};

	return note_put(to, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

/* The attributes stand where a descriptor's second word has them. */
static struct qemu_segment qemu_segment(const struct x86_segment *segment)
{
	uint32_t attributes = segment->attributes;

	return (struct qemu_segment){
		.selector = segment->selector,
		.limit = segment->limit,
		.flags = (attributes & MASK(7, 0)) << 8 |
			 (attributes & MASK(11, 8)) << 12,
		.base = segment->base,
	};
}

static size_t qemu_put(uint8_t *to, const struct x86_state *state)
{
	static const uint8_t order[X86_GPR_COUNT] = {
		X86_RAX, X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI,
		X86_RSP, X86_RBP, 8,	   9,	    10,	     11,
		12,	 13,	  14,	   15,
	};
	struct qemu_state qemu = {
		.version = QEMU_VERSION,
		.size = sizeof(qemu),
		.rip = state->rip,
		.rflags = state->rflags,
		.cs = qemu_segment(&state->seg[X86_CS]),
		.ds = qemu_segment(&state->seg[X86_DS]),
		.es = qemu_segment(&state->seg[X86_ES]),
		.fs = qemu_segment(&state->seg[X86_FS]),
		.gs = qemu_segment(&state->seg[X86_GS]),
		.ss = qemu_segment(&state->seg[X86_SS]),
		.ldt = qemu_segment(&state->ldtr),
		.tr = qemu_segment(&state->tr),
		.gdt = qemu_segment(&state->gdtr),
		.idt = qemu_segment(&state->idtr),
		.cr = { state->cr0, 0, state->cr2, state->cr3, state->cr4 },
		.kernel_gs_base = state->kernel_gs_base,
	};

	for (unsigned i = 0; i < X86_GPR_COUNT; i++)
		qemu.gpr[i] = state->gpr[order[i]];
	return note_put(to, "QEMU", 0, &qemu, sizeof(qemu));
}

/* ---- The head of the file ------------------------------------------------ */

static uint64_t headers_size(const struct elf_core *core)
{
	return sizeof(struct elf64_header) +
	       (1 + core->region_count) * sizeof(struct elf64_segment);
}

static uint64_t notes_size(const struct elf_core *core)
{
	return core->source.vcpus * (STATUS_NOTE + QEMU_NOTE);
}

/* Pages of memory are pages of the file. */
static uint64_t memory_offset(const struct elf_core *core)
{
	return ALIGN_UP(headers_size(core) + notes_size(core), PAGE_SIZE);
}

static size_t headers_put(const struct elf_core *core, uint8_t *to)
{
	const struct elf64_header header = {
		.ident = { .magic = { 0x7f, 'E', 'L', 'F' },
			   .class = ELF_CLASS_64,
			   .data = ELF_DATA_LITTLE,
			   .version = 1 },
		.type = ELF_TYPE_CORE,
		.machine = ELF_X86_64,
		.version = 1,
		.phoff = sizeof(header),
		.ehsize = sizeof(header),
		.phentsize = sizeof(struct elf64_segment),
		.phnum = (uint16_t)(1 + core->region_count),
	};
	struct elf64_segment segment = {
		.type = ELF_PT_NOTE,
		.offset = headers_size(core),
		.filesz = notes_size(core),
		.align = 4,
	};

	memcpy(to, &header, sizeof(header));
	to += sizeof(header);
	memcpy(to, &segment, sizeof(segment));
	segment.offset = memory_offset(core);
	for (unsigned i = 0; i < core->region_count; i++) {
		const struct board_region *region = &core->region[i];

		to += sizeof(segment);
		segment.type = ELF_PT_LOAD;
		segment.flags = ELF_PF_READ | ELF_PF_WRITE | ELF_PF_EXEC;
		segment.vaddr = segment.paddr = region->start;
		segment.filesz = segment.memsz = region->size;
		segment.align = PAGE_SIZE;
		memcpy(to, &segment, sizeof(segment));
		segment.offset += region->size;
	}
	return headers_size(core);
}
_Static_assert(sizeof(struct elf64_header) +
			       (1 + BOARD_REGIONS_MAX) *
				       sizeof(struct elf64_segment) <=
		       ELF_CORE_PIECE,
	       "the headers are one piece");

static unsigned head_pieces(const struct elf_core *core)
{
	return 1 + 2 * core->source.vcpus;
}

static size_t head_piece(struct elf_core *core, uint8_t *bytes)
{
	const struct elf_core_source *source = &core->source;
	unsigned vcpu, piece = core->head++;

	if (!piece)
		return headers_put(core, bytes);
	vcpu = (piece - 1) % source->vcpus;
	if (piece <= source->vcpus)
		return status_put(bytes, source->state(source->ctx, vcpu),
				  vcpu);
	return qemu_put(bytes, source->state(source->ctx, vcpu));
}

/* ---- Memory -------------------------------------------------------------- */

static bool is_zero(const uint64_t *word)
{
	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*word); i += 4)
		if (word[i] | word[i + 1] | word[i + 2] | word[i + 3])
			return false;
	return true;
}

/* NULL: nothing that is worth a place in the file. */
static const void *page_next(struct elf_core *core)
{
	const struct board *board = core->source.board;
	const struct board_region *region = &core->region[core->at];
	const void *page = board->ops->ram_at(
		board->object, region->start + core->done, PAGE_SIZE, false);

	return page && !is_zero(page) ? page : NULL;
}

static void page_done(struct elf_core *core)
{
	core->offset += PAGE_SIZE;
	core->done += PAGE_SIZE;
	if (core->done < core->region[core->at].size)
		return;
	core->at++;
	core->done = 0;
}

/* The next pages without a gap. */
static size_t memory_piece(struct elf_core *core, uint8_t *bytes,
			   uint64_t *offset)
{
	size_t length = 0;

	for (unsigned i = 0; i < ELF_CORE_PAGES && !elf_core_is_done(core);
	     i++) {
		const void *page = page_next(core);

		if (!page && length)
			break;
		if (page) {
			memcpy(bytes + length, page, PAGE_SIZE);
			length += PAGE_SIZE;
		}
		page_done(core);
		if (length == ELF_CORE_PIECE)
			break;
	}
	*offset = core->offset - length;
	return length;
}

/* ---- The whole ----------------------------------------------------------- */

void elf_core_begin(struct elf_core *core, const struct elf_core_source *source)
{
	const struct board *board = source->board;

	*core = (struct elf_core){ .source = *source };
	core->region_count = board->ops->regions(board->object, core->region);
}

uint64_t elf_core_size(const struct elf_core *core)
{
	uint64_t size = memory_offset(core);

	for (unsigned i = 0; i < core->region_count; i++)
		size += core->region[i].size;
	return size;
}

bool elf_core_is_done(const struct elf_core *core)
{
	return core->head == head_pieces(core) &&
	       core->at == core->region_count;
}

size_t elf_core_piece(struct elf_core *core, uint8_t *bytes, uint64_t *offset)
{
	size_t length;

	if (core->head == head_pieces(core))
		return memory_piece(core, bytes, offset);
	length = head_piece(core, bytes);
	*offset = core->offset;
	core->offset += length;
	if (core->head == head_pieces(core))
		core->offset = memory_offset(core);
	return length;
}
