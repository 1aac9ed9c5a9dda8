/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct boot of a Multiboot 2 kernel for the i386: ELF, or flat with an
 * address tag.  It is given its command line, the loader's name, the initrd as
 * its one module, memory sizes, a memory map and the RSDP.
 *
 * Without a BIOS only: how long the information is depends on the memory map.
 *
 * Not modelled: other places than where a kernel was linked to (what is wished
 * for that is ignored, and so are video modes), EFI, symbols.
 *
 * Reference: "Multiboot2 Specification" version 2.0.
 */
#include "firmware/direct_internal.h"

#include "include/multiboot_header.h"
#include "firmware/buffer.h"

#define BOOT_MAGIC 0x36d76289u
#define TAG_ALIGN  8
#define TAGS_MAX   64 /* bounds the work that a bad file makes */

/* ---- What the kernel asks for -------------------------------------------- */

struct header_tag {
	uint16_t type;
	uint16_t flags;
	uint32_t size;
} __packed;
ASSERT_SIZE(struct header_tag, 8);

#define HEADER_OPTIONAL BIT(0)

enum header_tag_type {
	HEADER_END,
	HEADER_REQUEST,
	HEADER_ADDRESSES,
	HEADER_ENTRY,
	HEADER_CONSOLE,
	HEADER_FRAMEBUFFER,
	HEADER_MODULE_ALIGN, /* modules are at pages always */
	HEADER_EFI_SERVICES,
	HEADER_EFI32_ENTRY, /* for who boots by EFI */
	HEADER_EFI64_ENTRY,
	HEADER_RELOCATABLE,
};

enum info_tag_type {
	INFO_END,
	INFO_CMDLINE,
	INFO_LOADER_NAME,
	INFO_MODULE,
	INFO_MEMORY,
	INFO_MAP = 6,
	INFO_RSDP = 15, /* of ACPI 2.0 and later */
};
#define INFO_GIVEN                                                      \
	(BIT(INFO_CMDLINE) | BIT(INFO_LOADER_NAME) | BIT(INFO_MODULE) | \
	 BIT(INFO_MEMORY) | BIT(INFO_MAP) | BIT(INFO_RSDP))

struct wishes {
	bool is_flat, has_entry;
	struct direct_flat flat;
	uint32_t entry;
};

static int request_read(struct direct_load *load, const struct header_tag *tag,
			uint64_t at)
{
	uint64_t end = at + tag->size;
	uint32_t type;

	for (at += sizeof(*tag); at + sizeof(type) <= end; at += sizeof(type)) {
		if (!direct_read(load, at, &type, sizeof(type)))
			break;
		if (type > INFO_RSDP || !(INFO_GIVEN & BIT(type)))
			return direct_fail(load,
					   "kernel: needs Multiboot 2 "
					   "information of type %u",
					   type);
	}
	return 0;
}

/* One that is not optional. */
static int tag_read(struct direct_load *load, const struct header_tag *tag,
		    uint64_t at, struct wishes *wishes)
{
	const uint64_t value = at + sizeof(*tag);

	switch (tag->type) {
	case HEADER_REQUEST:
		return tag->flags & HEADER_OPTIONAL
			       ? 0
			       : request_read(load, tag, at);
	case HEADER_ADDRESSES:
		wishes->is_flat = direct_read(load, value, &wishes->flat,
					      sizeof(wishes->flat));
		return 0;
	case HEADER_ENTRY:
		wishes->has_entry = direct_read(load, value, &wishes->entry,
						sizeof(wishes->entry));
		return 0;
	case HEADER_CONSOLE:
	case HEADER_FRAMEBUFFER:
	case HEADER_MODULE_ALIGN:
	case HEADER_EFI32_ENTRY:
	case HEADER_EFI64_ENTRY:
	case HEADER_RELOCATABLE:
		return 0;
	}
	return tag->flags & HEADER_OPTIONAL
		       ? 0
		       : direct_fail(load,
				     "kernel: asks for unknown Multiboot 2 "
				     "features (tag %u)",
				     tag->type);
}

static int tags_read(struct direct_load *load, uint64_t at,
		     struct wishes *wishes)
{
	struct header_tag tag;
	uint64_t end;
	int error = 0;

	end = at + multiboot_word(load->in->kernel, at + 8);
	at += MULTIBOOT2_HEADER_SIZE;
	for (unsigned i = 0; !error && i < TAGS_MAX; i++) {
		if (at + sizeof(tag) > end ||
		    !direct_read(load, at, &tag, sizeof(tag)) ||
		    tag.size < sizeof(tag))
			return direct_fail(load, "kernel: bad tag in its "
						 "Multiboot 2 header");
		if (tag.type == HEADER_END)
			return 0;
		error = tag_read(load, &tag, at, wishes);
		at += ALIGN_UP((uint64_t)tag.size, TAG_ALIGN);
	}
	return error ? error
		     : direct_fail(load, "kernel: its Multiboot 2 header has "
					 "no end");
}

/* ---- What it is given ---------------------------------------------------- */

#define INFO_SIZE (DIRECT_GDT_GPA - DIRECT_INFO_GPA)
#define MAP_ENTRY 24
#define RSDP_SIZE 36

/* The tag's head; size: all of it.  Where what follows goes, within the
 * information. */
static uint32_t tag_begin(struct buffer *info, enum info_tag_type type,
			  uint32_t size)
{
	buffer_align(info, TAG_ALIGN);
	buffer_u32(info, type);
	buffer_u32(info, size);
	return info->length;
}

static void tag_string(struct buffer *info, enum info_tag_type type,
		       const char *text)
{
	(void)tag_begin(info, type, 8 + (uint32_t)strlen(text) + 1);
	buffer_string(info, text);
}

static void module_put(struct direct_load *load, struct buffer *info)
{
	if (!load->initrd_gpa)
		return;
	(void)tag_begin(info, INFO_MODULE, 17);
	buffer_u32(info, (uint32_t)load->initrd_gpa);
	buffer_u32(info,
		   (uint32_t)(load->initrd_gpa + load->in->initrd_length));
	buffer_string(info, "");
}

/* direct_boot_load() fills in what there is. */
static void memory_put(struct direct_load *load, struct buffer *info)
{
	struct e820_entry e820[E820_ENTRIES_MAX];
	unsigned count = e820_build(load->in->board, e820);
	struct direct_map *map = &load->in->plan->map;

	map->lower_gpa = DIRECT_INFO_GPA + tag_begin(info, INFO_MEMORY, 16);
	map->upper_gpa = map->lower_gpa + 4;
	(void)buffer_take(info, 8);
	(void)tag_begin(info, INFO_MAP, 16 + count * MAP_ENTRY);
	buffer_u32(info, MAP_ENTRY);
	buffer_u32(info, 0); /* version */
	map->gpa = DIRECT_INFO_GPA + info->length;
	map->stride = MAP_ENTRY;
	map->max = count;
	(void)buffer_take(info, count * MAP_ENTRY);
}

static void rsdp_put(struct direct_load *load, struct buffer *info)
{
	const void *rsdp = guest_ram_at(load->ram, load->rsdp_gpa, RSDP_SIZE);

	if (!load->rsdp_gpa || !rsdp)
		return;
	(void)tag_begin(info, INFO_RSDP, 8 + RSDP_SIZE);
	buffer_bytes(info, rsdp, RSDP_SIZE);
}

/* It fits: the longest command line, and all else. */
_Static_assert(DIRECT_CMDLINE_MAX + E820_ENTRIES_MAX * MAP_ENTRY + 512 <=
		       INFO_SIZE,
	       "Multiboot 2 information");

static void info_write(struct direct_load *load)
{
	struct buffer info = { .data = load->in->plan->info,
			       .size = INFO_SIZE };

	(void)buffer_take(&info, 8);
	tag_string(&info, INFO_CMDLINE,
		   load->in->cmdline ? load->in->cmdline : "");
	tag_string(&info, INFO_LOADER_NAME, DIRECT_LOADER_NAME);
	module_put(load, &info);
	memory_put(load, &info);
	rsdp_put(load, &info);
	(void)tag_begin(&info, INFO_END, 8);
	memcpy(info.data, &info.length, sizeof(info.length));
}

int direct_load_multiboot2(struct direct_load *load)
{
	struct wishes wishes = { 0 };
	uint64_t entry = 0;
	int error, at;

	at = multiboot2_header_find(load->in->kernel, load->in->kernel_length);
	if (at < 0)
		return 0;
	if (direct_has_bios(load))
		return direct_fail(load,
				   "kernel: Multiboot 2 is without a BIOS "
				   "only: say boot-without-bios");
	error = tags_read(load, (uint64_t)at, &wishes);
	/* -1: from the file's first byte on. */
	if (wishes.is_flat && wishes.flat.load == UINT32_MAX)
		wishes.flat.load = wishes.flat.header - (uint32_t)at;
	if (!error)
		error = wishes.is_flat ? direct_flat_load(load, &wishes.flat,
							  (uint64_t)at)
				       : direct_elf_load(load, &entry);
	if (!error)
		error = direct_place_initrd(load, GIB(4));
	if (error)
		return error;
	if (wishes.has_entry)
		entry = wishes.entry;
	if (entry > UINT32_MAX)
		return direct_fail(load, "kernel: entry above 4 GiB");
	info_write(load);
	load->out->protocol = DIRECT_MULTIBOOT2;
	load->out->eip = (uint32_t)entry;
	load->out->eax = BOOT_MAGIC;
	load->out->ebx = DIRECT_INFO_GPA;
	return 1;
}
