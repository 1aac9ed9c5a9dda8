/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF kernels for direct boot: loading, notes, and the PVH entry.
 *
 * Both classes are read into the 64-bit structures, so all that follows sees
 * one kind.  Nothing in the file is believed before it is compared with the
 * file's length and with what is RAM.
 *
 * References: System V ABI, "Object Files"; Xen, "x86/HVM direct boot ABI",
 * start_info.h, elfnote.h.
 */
#include "firmware/direct_internal.h"

#include "include/elf.h"
#include "include/errno.h"
#include "lib/string.h"

/* More is no kernel; bounds the work that a bad file makes. */
#define ELF_SEGMENTS_MAX 64
#define ELF_NOTES_MAX	 1024

static bool elf32_header_read(struct direct_load *load, struct elf64_header *h)
{
	struct elf32_header h32;

	if (!direct_read(load, 0, &h32, sizeof(h32)))
		return false;
	*h = (struct elf64_header){ .ident = h32.ident,
				    .type = h32.type,
				    .machine = h32.machine,
				    .entry = h32.entry,
				    .phoff = h32.phoff,
				    .phentsize = h32.phentsize,
				    .phnum = h32.phnum };
	return true;
}

/* 1 if this is an ELF program for x86, 0 if not. */
static int elf_header_read(struct direct_load *load, struct elf64_header *h)
{
	struct elf_ident ident;
	bool is_64;

	if (!direct_read(load, 0, &ident, sizeof(ident)) ||
	    memcmp(ident.magic, "\177ELF", 4) || ident.data != ELF_DATA_LITTLE)
		return 0;
	is_64 = ident.class == ELF_CLASS_64;
	if (!is_64 && ident.class != ELF_CLASS_32)
		return 0;
	if (is_64 ? !direct_read(load, 0, h, sizeof(*h))
		  : !elf32_header_read(load, h))
		return 0;
	return (h->type == ELF_TYPE_EXEC || h->type == ELF_TYPE_DYN) &&
	       (h->machine == ELF_X86_64 || h->machine == ELF_386) &&
	       h->phnum <= ELF_SEGMENTS_MAX;
}

/* False: the file ends first, or the entries are too small. */
static bool elf_segment_read(struct direct_load *load,
			     const struct elf64_header *h, unsigned i,
			     struct elf64_segment *segment)
{
	uint64_t offset;
	struct elf32_segment s32;

	/* Keeps the sum below from wrapping. */
	if (h->phoff > load->in->kernel_length)
		return false;
	offset = h->phoff + (uint64_t)i * h->phentsize;
	if (h->ident.class == ELF_CLASS_64)
		return h->phentsize >= sizeof(*segment) &&
		       direct_read(load, offset, segment, sizeof(*segment));
	if (h->phentsize < sizeof(s32) ||
	    !direct_read(load, offset, &s32, sizeof(s32)))
		return false;
	*segment = (struct elf64_segment){ .type = s32.type,
					   .flags = s32.flags,
					   .offset = s32.offset,
					   .vaddr = s32.vaddr,
					   .paddr = s32.paddr,
					   .filesz = s32.filesz,
					   .memsz = s32.memsz,
					   .align = s32.align };
	return true;
}

int direct_elf_load(struct direct_load *load, uint64_t *entry_gpa)
{
	struct elf64_header h;

	if (!elf_header_read(load, &h))
		return direct_fail(load, "kernel: no ELF program for x86");
	*entry_gpa = h.entry;
	for (unsigned i = 0; i < h.phnum; i++) {
		struct elf64_segment s;
		int error;

		if (!elf_segment_read(load, &h, i, &s))
			return direct_fail(load,
					   "kernel: bad ELF program "
					   "header %u",
					   i);
		if (s.type != ELF_PT_LOAD)
			continue;
		error = direct_place_kernel(load, s.paddr, s.offset, s.filesz,
					    s.memsz);
		if (error)
			return error;
		/* The entry is a virtual address, if they differ. */
		if (h.entry >= s.vaddr && h.entry - s.vaddr < s.memsz)
			*entry_gpa = h.entry - s.vaddr + s.paddr;
	}
	return 0;
}

/* Looks through one PT_NOTE segment. */
static int segment_note(struct direct_load *load, const struct elf64_segment *s,
			const char *owner, uint32_t type, uint64_t *value)
{
	uint64_t owner_length = strlen(owner) + 1;
	uint64_t at = s->offset;
	struct elf_note note;
	char name[8];

	if (!direct_has(load, s->offset, s->filesz))
		return 0;
	for (unsigned i = 0; i < ELF_NOTES_MAX; i++) {
		uint64_t name_at = at + sizeof(note);
		uint64_t value_at;

		if (name_at > s->offset + s->filesz ||
		    !direct_read(load, at, &note, sizeof(note)))
			return 0;
		value_at = name_at + ALIGN_UP(note.name_length, 4);
		at = value_at + ALIGN_UP(note.value_length, 4);
		if (note.type != type || note.name_length != owner_length ||
		    owner_length > sizeof(name) ||
		    !direct_read(load, name_at, name, owner_length) ||
		    memcmp(name, owner, owner_length))
			continue;
		*value = 0;
		return direct_read(load, value_at, value,
				   MIN(note.value_length, sizeof(*value)));
	}
	return 0;
}

int direct_elf_note(struct direct_load *load, const char *owner, uint32_t type,
		    uint64_t *value)
{
	struct elf64_header h;
	struct elf64_segment s;

	if (!elf_header_read(load, &h))
		return 0;
	for (unsigned i = 0; i < h.phnum; i++) {
		if (!elf_segment_read(load, &h, i, &s))
			return 0;
		if (s.type == ELF_PT_NOTE &&
		    segment_note(load, &s, owner, type, value))
			return 1;
	}
	return 0;
}

/* ---- PVH ---------------------------------------------------------------- */

#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define PVH_MAGIC		 0x336ec578u

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t module_list;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t map;
	uint32_t map_entries;
	uint32_t reserved;
} __packed;
ASSERT_SIZE(struct pvh_start_info, 56);

struct pvh_module {
	uint64_t base;
	uint64_t length;
	uint64_t cmdline;
	uint64_t reserved;
} __packed;
ASSERT_SIZE(struct pvh_module, 32);

struct pvh_map_entry {
	uint64_t base;
	uint64_t length;
	uint32_t type;
	uint32_t reserved;
} __packed;
ASSERT_SIZE(struct pvh_map_entry, 24);

static void pvh_info_write(struct direct_load *load)
{
	struct pvh_module module = { .base = load->initrd_gpa,
				     .length = load->in->initrd_length };
	struct pvh_start_info info = {
		.magic = PVH_MAGIC,
		.version = 1,
		.module_count = load->initrd_gpa ? 1 : 0,
		.module_list = load->initrd_gpa ? DIRECT_MODULE_GPA : 0,
		.cmdline = DIRECT_CMDLINE_GPA,
		.rsdp = load->rsdp_gpa,
		.map = DIRECT_MAP_GPA,
	};

	load->in->plan->map = (struct direct_map){
		.gpa = DIRECT_MAP_GPA,
		.stride = sizeof(struct pvh_map_entry),
		.max = DIRECT_MAP_SIZE / sizeof(struct pvh_map_entry),
		.count_gpa = DIRECT_INFO_GPA +
			     offsetof(struct pvh_start_info, map_entries),
		.count_scale = 1,
	};
	direct_info_write(load, DIRECT_MODULE_GPA, &module, sizeof(module));
	direct_info_write(load, DIRECT_INFO_GPA, &info, sizeof(info));
}

int direct_load_pvh(struct direct_load *load)
{
	uint64_t entry_note;
	uint64_t entry;
	int error;

	if (!direct_elf_note(load, "Xen", XEN_ELFNOTE_PHYS32_ENTRY,
			     &entry_note))
		return 0;
	error = direct_elf_load(load, &entry);
	if (!error)
		error = direct_place_initrd(load, GIB(4));
	if (error)
		return error;
	if (entry_note > UINT32_MAX)
		return direct_fail(load, "kernel: PVH entry above 4 GiB");
	pvh_info_write(load);
	load->out->protocol = DIRECT_PVH;
	load->out->eip = (uint32_t)entry_note;
	load->out->ebx = DIRECT_INFO_GPA;
	return 1;
}
