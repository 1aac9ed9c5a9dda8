/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what a Multiboot 1 or 2 loader left in memory below 4 GiB, which the
 * boot tables map, and copies all of it: the monitor reuses that memory.
 *
 * Not used: frame buffer, symbols, APM, boot device.
 *
 * References: Multiboot Specification 0.6.96; Multiboot2 Specification 2.0;
 * UEFI Specification 2.10 (memory descriptors).
 */
#include "boot/boot.h"

#include "include/errno.h"
#include "lib/string.h"
#include "mm/phys.h"

#define MB1_BOOT_MAGIC 0x2badb002
#define MB2_BOOT_MAGIC 0x36d76289

/* clang-format off */
#define MB1_HAS_COMMAND BIT(2)
#define MB1_HAS_MODULES BIT(3)
#define MB1_HAS_MAP	BIT(6)
#define MB1_HAS_LOADER	BIT(9)

enum mb2_tag_type {
	MB2_END = 0,
	MB2_COMMAND = 1,
	MB2_LOADER = 2,
	MB2_MODULE = 3,
	MB2_MEMORY_MAP = 6,
	MB2_EFI64 = 12,
	MB2_RSDP_OLD = 14,
	MB2_RSDP_NEW = 15,
	MB2_EFI_MEMORY_MAP = 17,
};

/* EFI memory types that are free once boot services are over. */
#define EFI_FREE_TYPES (BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(7))
/* clang-format on */

#define MEMORY_AVAILABLE 1

struct mb1_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;
	uint32_t boot_device;
	uint32_t command;
	uint32_t module_count, modules;
	uint32_t symbols[4];
	uint32_t map_length, map;
	uint32_t drives_length, drives;
	uint32_t config_table;
	uint32_t loader;
};

struct mb1_module {
	uint32_t start, end, command, reserved;
};

struct mb1_map_entry {
	uint32_t size; /* of what follows */
	uint64_t base, length;
	uint32_t type;
} __packed;

struct mb2_info {
	uint32_t total_size, reserved;
};

struct mb2_tag {
	uint32_t type, size;
};

struct mb2_tag_module {
	struct mb2_tag tag;
	uint32_t start, end;
	char command[];
};

struct mb2_tag_map {
	struct mb2_tag tag;
	uint32_t entry_size, entry_version;
	uint8_t entries[];
};

struct mb2_map_entry {
	uint64_t base, length;
	uint32_t type, reserved;
};

struct efi_memory_descriptor {
	uint32_t type, pad;
	uint64_t physical, virtual, page_count, attributes;
};

static void text_copy(char *to, const char *from, size_t size)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

/*
 * The last word of a command line, folders cut off: QEMU puts the host's file
 * name in front of what it was given, GRUB does not.
 */
static void module_name(char *to, const char *command)
{
	const char *end = command + strlen(command);
	const char *start;
	size_t length;

	while (end > command && end[-1] == ' ')
		end--;
	start = end;
	while (start > command && start[-1] != ' ' && start[-1] != '/')
		start--;
	length = MIN((size_t)(end - start), BOOT_MODULE_NAME_MAX - 1);
	memcpy(to, start, length);
	to[length] = '\0';
}

static void module_add(struct boot_info *boot, uint32_t start, uint32_t end,
		       const char *command)
{
	struct boot_modules *modules = &boot->modules;
	struct boot_module *module = &modules->module[modules->count];

	if (modules->count == BOOT_MODULES_MAX) {
		boot->modules_left_out++;
		return;
	}
	modules->count++;
	module_name(module->name, command);
	module->base = start;
	module->length = end > start ? end - start : 0;
}

/* Firmware maps may list memory twice. */
static int ram_add(struct boot_info *boot, hpa_t base, uint64_t length)
{
	int error = ranges_remove(&boot->ram, base, length);

	return error ? error : ranges_add(&boot->ram, base, length);
}

static int mb1_map_parse(const struct mb1_info *info, struct boot_info *boot)
{
	hpa_t at = info->map, end = at + info->map_length;
	int error = 0;

	while (!error && at + sizeof(struct mb1_map_entry) <= end) {
		const struct mb1_map_entry *entry = phys_to_virt(at);

		if (entry->type == MEMORY_AVAILABLE)
			error = ram_add(boot, entry->base, entry->length);
		at += entry->size + sizeof(entry->size);
	}
	return error;
}

static int mb1_parse(hpa_t at, struct boot_info *boot)
{
	const struct mb1_info *info = phys_to_virt(at);
	const struct mb1_module *module = phys_to_virt(info->modules);
	uint32_t i;

	if (info->flags & MB1_HAS_COMMAND)
		text_copy(boot->command, phys_to_virt(info->command),
			  sizeof(boot->command));
	if (info->flags & MB1_HAS_LOADER)
		text_copy(boot->loader, phys_to_virt(info->loader),
			  sizeof(boot->loader));
	if (info->flags & MB1_HAS_MODULES)
		for (i = 0; i < info->module_count; i++, module++)
			module_add(boot, module->start, module->end,
				   phys_to_virt(module->command));
	if (!(info->flags & MB1_HAS_MAP))
		return -EINVAL;
	return mb1_map_parse(info, boot);
}

static int mb2_map_parse(const struct mb2_tag_map *tag, struct boot_info *boot)
{
	uint32_t offset = 0;
	int error = 0;

	while (!error &&
	       offset + tag->entry_size <= tag->tag.size - sizeof(*tag)) {
		const struct mb2_map_entry *entry =
			(const void *)(tag->entries + offset);

		if (entry->type == MEMORY_AVAILABLE)
			error = ram_add(boot, entry->base, entry->length);
		offset += tag->entry_size;
	}
	return error;
}

/* Only if the loader gave no plain map. */
static int efi_map_parse(const struct mb2_tag_map *tag, struct boot_info *boot)
{
	uint32_t offset = 0;
	int error = 0;

	while (!error &&
	       offset + tag->entry_size <= tag->tag.size - sizeof(*tag)) {
		const struct efi_memory_descriptor *entry =
			(const void *)(tag->entries + offset);

		if (entry->type < 64 && (EFI_FREE_TYPES & BIT(entry->type)))
			error = ram_add(boot, entry->physical,
					entry->page_count << PAGE_SHIFT);
		offset += tag->entry_size;
	}
	return error;
}

static int mb2_tag_parse(const struct mb2_tag *tag, hpa_t at,
			 struct boot_info *boot)
{
	const struct mb2_tag_module *module = (const void *)tag;
	const char *text = (const char *)(tag + 1);

	switch (tag->type) {
	case MB2_COMMAND:
		text_copy(boot->command, text, sizeof(boot->command));
		return 0;
	case MB2_LOADER:
		text_copy(boot->loader, text, sizeof(boot->loader));
		return 0;
	case MB2_MODULE:
		module_add(boot, module->start, module->end, module->command);
		return 0;
	case MB2_MEMORY_MAP:
		boot->ram.count = 0;
		return mb2_map_parse((const void *)tag, boot);
	case MB2_EFI64:
		boot->is_uefi = true;
		return 0;
	case MB2_EFI_MEMORY_MAP:
		boot->is_uefi = true;
		return boot->ram.count ? 0
				       : efi_map_parse((const void *)tag, boot);
	case MB2_RSDP_OLD:
		if (!boot->rsdp)
			boot->rsdp = at + sizeof(*tag);
		return 0;
	case MB2_RSDP_NEW:
		boot->rsdp = at + sizeof(*tag);
		return 0;
	default:
		return 0;
	}
}

static int mb2_parse(hpa_t start, struct boot_info *boot)
{
	const struct mb2_info *info = phys_to_virt(start);
	hpa_t end = start + info->total_size;
	hpa_t at = start + sizeof(*info);
	int error = 0;

	while (!error && at + sizeof(struct mb2_tag) <= end) {
		const struct mb2_tag *tag = phys_to_virt(at);

		if (tag->type == MB2_END || tag->size < sizeof(*tag))
			break;
		error = mb2_tag_parse(tag, at, boot);
		at += ALIGN_UP(tag->size, 8);
	}
	return error ? error : (boot->ram.count ? 0 : -EINVAL);
}

int multiboot_parse(uint32_t magic, hpa_t info, struct boot_info *boot)
{
	memset(boot, 0, sizeof(*boot));
	if (magic == MB1_BOOT_MAGIC)
		return mb1_parse(info, boot);
	if (magic == MB2_BOOT_MAGIC)
		return mb2_parse(info, boot);
	return -EINVAL;
}

const struct boot_module *boot_module_find(const struct boot_modules *modules,
					   const char *name)
{
	unsigned i;

	for (i = 0; i < modules->count; i++)
		if (strcmp(modules->module[i].name, name) == 0)
			return &modules->module[i];
	return NULL;
}
