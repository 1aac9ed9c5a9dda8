/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what a Multiboot 1 or 2 loader left in memory below 4 GiB, which the
 * boot tables map, and copies all of it: the monitor reuses that memory.
 *
 * Nothing of it is believed: sizes are compared with what holds them before
 * anything inside is read, and every loop has a bound of its own, so that no
 * input makes the parser run on or read elsewhere.
 *
 * The screen is passed on as it is told: init looks at it.  Not used: symbols,
 * APM, boot device.
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
#define MB1_HAS_SCREEN	BIT(12)

enum mb2_tag_type {
	MB2_END = 0,
	MB2_COMMAND = 1,
	MB2_LOADER = 2,
	MB2_MODULE = 3,
	MB2_MEMORY_MAP = 6,
	MB2_SCREEN = 8,
	MB2_EFI64 = 12,
	MB2_RSDP_OLD = 14,
	MB2_RSDP_NEW = 15,
	MB2_EFI_MEMORY_MAP = 17,
};

/* EFI memory types that are free once boot services are over. */
#define EFI_FREE_TYPES (BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(7))
/* clang-format on */

#define MEMORY_AVAILABLE 1

/* More is no memory map and no command line; bounds the work. */
#define MAP_BYTES_MAX  KIB(256)
#define TEXT_BYTES_MAX KIB(4)
#define INFO_BYTES_MAX MIB(16)
#define RSDP_BYTES_MIN 20
#define SCREEN_BYTES   22 /* without colours */
/* No processor has more physical address bits. */
#define PHYSICAL_END   (1ULL << 52)

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
	uint32_t apm;
	uint32_t vbe[4];
	uint8_t screen[SCREEN_BYTES], colour[6];
} __packed;

struct mb1_module {
	uint32_t start, end, command, reserved;
} __packed;

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

/* NULL unless the boot tables map all of it. */
static const void *reach(hpa_t at, uint64_t length)
{
	if (at >= BOOT_REACH || length > BOOT_REACH - at)
		return NULL;
	return phys_to_virt(at);
}

/* Text of at most length bytes, terminated or not. */
static void text_copy(char *to, size_t size, const char *from, size_t length)
{
	length = strnlen(from, MIN(length, size - 1));
	memcpy(to, from, length);
	to[length] = '\0';
}

/* As text_copy(), from where a Multiboot 1 loader says. */
static void text_copy_from(char *to, size_t size, uint32_t at)
{
	text_copy(to, size, phys_to_virt(at), BOOT_REACH - at);
}

/*
 * The last word of a command line, folders cut off: QEMU puts the host's file
 * name in front of what it was given, GRUB does not.
 */
static void module_name(char *to, const char *command, size_t command_length)
{
	const char *end =
		command + strnlen(command, MIN(command_length, TEXT_BYTES_MAX));
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

static bool is_in_image(const struct boot_info *boot, hpa_t start, hpa_t end)
{
	const struct boot_range *image = &boot->image;

	return start < image->base + image->length && image->base < end;
}

static void module_add(struct boot_info *boot, uint32_t start, uint32_t end,
		       const char *command, size_t command_length)
{
	struct boot_modules *modules = &boot->modules;
	struct boot_module *module;

	if (end < start || is_in_image(boot, start, end)) {
		boot->modules_broken++;
		return;
	}
	if (modules->count == BOOT_MODULES_MAX) {
		boot->modules_left_out++;
		return;
	}
	module = &modules->module[modules->count++];
	module_name(module->name, command, command_length);
	module->base = start;
	module->length = end - start;
}

/* Firmware maps may list memory twice, or more than there can be. */
static int ram_add(struct boot_info *boot, hpa_t base, uint64_t length)
{
	int error;

	if (base >= PHYSICAL_END || !length)
		return 0;
	length = MIN(length, PHYSICAL_END - base);
	error = ranges_remove(&boot->ram, base, length);
	return error ? error : ranges_add(&boot->ram, base, length);
}

/* All of it, in pages. */
static void screen_check(struct boot_info *boot)
{
	struct gate_screen *screen = &boot->screen;
	uint64_t offset = screen->address % PAGE_SIZE;
	uint64_t size = (uint64_t)screen->pitch * screen->height;

	size = ALIGN_UP(MIN(size, GIB(2)) + offset, PAGE_SIZE);
	/* What a BIOS would have left is nowhere by itself. */
	if (boot->is_uefi && screen->type == GATE_SCREEN_UNTOLD)
		return;
	if (!ranges_misplaced(&boot->ram, screen->address - offset, size))
		screen->size = size;
}

/* ---- Multiboot 1 -------------------------------------------------------- */

static int mb1_map_parse(const struct mb1_info *info, struct boot_info *boot)
{
	const uint8_t *map = reach(info->map, info->map_length);
	uint64_t at = 0, length = info->map_length;
	int error = 0;

	if (!map || length > MAP_BYTES_MAX)
		return -EINVAL;
	while (!error && at + sizeof(struct mb1_map_entry) <= length) {
		struct mb1_map_entry entry;

		memcpy(&entry, map + at, sizeof(entry));
		if (entry.size < sizeof(entry) - sizeof(entry.size))
			return -EINVAL;
		if (entry.type == MEMORY_AVAILABLE)
			error = ram_add(boot, entry.base, entry.length);
		at += (uint64_t)entry.size + sizeof(entry.size);
	}
	return error;
}

static int mb1_modules_parse(const struct mb1_info *info,
			     struct boot_info *boot)
{
	uint32_t count = MIN(info->module_count, 2 * BOOT_MODULES_MAX);
	const struct mb1_module *module =
		reach(info->modules, count * sizeof(*module));

	if (!module)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++, module++)
		module_add(boot, module->start, module->end,
			   phys_to_virt(module->command),
			   BOOT_REACH - module->command);
	boot->modules_left_out += info->module_count - count;
	return 0;
}

static int mb1_parse(hpa_t at, struct boot_info *boot)
{
	const struct mb1_info *info = reach(at, sizeof(*info));
	int error = 0;

	if (!info || !(info->flags & MB1_HAS_MAP))
		return -EINVAL;
	if (info->flags & MB1_HAS_COMMAND)
		text_copy_from(boot->command, sizeof(boot->command),
			       info->command);
	if (info->flags & MB1_HAS_LOADER)
		text_copy_from(boot->loader, sizeof(boot->loader),
			       info->loader);
	if (info->flags & MB1_HAS_SCREEN) {
		memcpy(&boot->screen, info->screen, sizeof(info->screen));
		memcpy(boot->screen.colour, info->colour, sizeof(info->colour));
	}
	if (info->flags & MB1_HAS_MODULES)
		error = mb1_modules_parse(info, boot);
	if (!error)
		error = mb1_map_parse(info, boot);
	return error ? error : (boot->ram.count ? 0 : -EINVAL);
}

/* ---- Multiboot 2 -------------------------------------------------------- */

/*
 * A map's entries, each at least `least` bytes.  The tag lies within what the
 * loader left, but may be too short for a map.  -EINVAL.
 */
static int map_check(const struct mb2_tag_map *map, size_t least)
{
	if (map->tag.size < sizeof(*map) || map->tag.size > MAP_BYTES_MAX ||
	    map->entry_size < least || map->entry_size > MAP_BYTES_MAX)
		return -EINVAL;
	return 0;
}

static int mb2_map_parse(const struct mb2_tag_map *map, struct boot_info *boot)
{
	uint32_t at = 0, length = map->tag.size - sizeof(*map);
	struct mb2_map_entry entry;
	int error = map_check(map, sizeof(entry));

	for (; !error && at + map->entry_size <= length;
	     at += map->entry_size) {
		memcpy(&entry, map->entries + at, sizeof(entry));
		if (entry.type == MEMORY_AVAILABLE)
			error = ram_add(boot, entry.base, entry.length);
	}
	return error;
}

/* Only if the loader gave no plain map. */
static int efi_map_parse(const struct mb2_tag_map *map, struct boot_info *boot)
{
	uint32_t at = 0, length = map->tag.size - sizeof(*map);
	struct efi_memory_descriptor entry;
	int error = map_check(map, sizeof(entry));

	for (; !error && at + map->entry_size <= length;
	     at += map->entry_size) {
		memcpy(&entry, map->entries + at, sizeof(entry));
		if (entry.type < 64 && (EFI_FREE_TYPES & BIT(entry.type)))
			error = ram_add(boot, entry.physical,
					MIN(entry.page_count,
					    PHYSICAL_END >> PAGE_SHIFT)
						<< PAGE_SHIFT);
	}
	return error;
}

/* The bytes of a tag behind its fixed part; 0 if it has none. */
static size_t tag_rest(const struct mb2_tag *tag, size_t fixed)
{
	return tag->size > fixed ? tag->size - fixed : 0;
}

static int mb2_module_parse(const struct mb2_tag_module *module,
			    struct boot_info *boot)
{
	if (module->tag.size < sizeof(*module))
		return -EINVAL;
	module_add(boot, module->start, module->end, module->command,
		   tag_rest(&module->tag, sizeof(*module)));
	return 0;
}

static void rsdp_note(const struct mb2_tag *tag, hpa_t at,
		      struct boot_info *boot)
{
	if (tag_rest(tag, sizeof(*tag)) < RSDP_BYTES_MIN)
		return;
	if (tag->type == MB2_RSDP_NEW || !boot->rsdp)
		boot->rsdp = at + sizeof(*tag);
}

static int mb2_tag_parse(const struct mb2_tag *tag, hpa_t at,
			 struct boot_info *boot)
{
	const char *text = (const char *)(tag + 1);
	size_t text_length = tag_rest(tag, sizeof(*tag));

	switch (tag->type) {
	case MB2_COMMAND:
		text_copy(boot->command, sizeof(boot->command), text,
			  text_length);
		return 0;
	case MB2_LOADER:
		text_copy(boot->loader, sizeof(boot->loader), text,
			  text_length);
		return 0;
	case MB2_MODULE:
		return mb2_module_parse((const void *)tag, boot);
	case MB2_MEMORY_MAP:
		boot->ram.count = 0;
		return mb2_map_parse((const void *)tag, boot);
	case MB2_SCREEN:
		if (text_length >= SCREEN_BYTES)
			memcpy(&boot->screen, text,
			       MIN(text_length,
				   offsetof(struct gate_screen, size)));
		return 0;
	case MB2_EFI64:
		boot->is_uefi = true;
		return 0;
	case MB2_EFI_MEMORY_MAP:
		boot->is_uefi = true;
		return boot->ram.count ? 0
				       : efi_map_parse((const void *)tag, boot);
	case MB2_RSDP_OLD:
	case MB2_RSDP_NEW:
		rsdp_note(tag, at, boot);
		return 0;
	default:
		return 0;
	}
}

static int mb2_parse(hpa_t start, struct boot_info *boot)
{
	const struct mb2_info *info = reach(start, sizeof(*info));
	hpa_t at = start + sizeof(*info);
	hpa_t end;
	int error = 0;

	if (!info || !IS_ALIGNED(start, 8) ||
	    info->total_size > INFO_BYTES_MAX ||
	    !reach(start, info->total_size))
		return -EINVAL;
	end = start + info->total_size;
	while (!error && at + sizeof(struct mb2_tag) <= end) {
		const struct mb2_tag *tag = phys_to_virt(at);

		if (tag->type == MB2_END)
			break;
		if (tag->size < sizeof(*tag) || tag->size > end - at)
			return -EINVAL;
		error = mb2_tag_parse(tag, at, boot);
		at += ALIGN_UP((uint64_t)tag->size, 8);
	}
	return error ? error : (boot->ram.count ? 0 : -EINVAL);
}

int multiboot_parse(uint32_t magic, hpa_t info, const struct boot_range *image,
		    struct boot_info *boot)
{
	int error = -EINVAL;

	memset(boot, 0, sizeof(*boot));
	boot->image = *image;
	boot->screen = (struct gate_screen){ .address = 0xb8000,
					     .pitch = 160,
					     .height = 25,
					     .type = GATE_SCREEN_UNTOLD };
	if (magic == MB1_BOOT_MAGIC)
		error = mb1_parse(info, boot);
	if (magic == MB2_BOOT_MAGIC)
		error = mb2_parse(info, boot);
	screen_check(boot);
	return error;
}
