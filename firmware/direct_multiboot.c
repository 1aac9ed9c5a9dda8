/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct boot of a Multiboot 1 kernel: ELF, or flat with load addresses in its
 * header.  It is given memory sizes, a memory map, its command line, the
 * initrd as its one module and the loader's name.
 *
 * Not modelled: video modes (the wish is ignored), drives, APM.
 *
 * Reference: "Multiboot Specification" version 0.6.96.
 */
#include "firmware/direct_internal.h"

#include "include/multiboot_header.h"
#include "lib/string.h"

#define BOOT_MAGIC 0x2badb002u

struct multiboot_header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	/* With HEADER_ADDRESSES. */
	uint32_t header_addr;
	uint32_t load_addr;
	uint32_t load_end_addr;
	uint32_t bss_end_addr;
	uint32_t entry_addr;
} __packed;
ASSERT_SIZE(struct multiboot_header, 32);

#define HEADER_ADDRESSES BIT(16)
#define HEADER_REQUIRED	 MASK(15, 0)
#define HEADER_KNOWN	 MASK(2, 0) /* align, memory, video */

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower; /* KiB */
	uint32_t mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count;
	uint32_t mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length;
	uint32_t mmap_addr;
	uint32_t drives_length;
	uint32_t drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
} __packed;
ASSERT_OFFSET(struct multiboot_info, boot_loader_name, 64);

#define INFO_MEMORY	 BIT(0)
#define INFO_CMDLINE	 BIT(2)
#define INFO_MODULES	 BIT(3)
#define INFO_MMAP	 BIT(6)
#define INFO_LOADER_NAME BIT(9)

struct multiboot_module {
	uint32_t start;
	uint32_t end;
	uint32_t string;
	uint32_t reserved;
} __packed;

struct multiboot_mmap {
	uint32_t size; /* of the rest */
	struct e820_entry entry;
} __packed;
ASSERT_SIZE(struct multiboot_mmap, 24);

int direct_flat_load(struct direct_load *load, const struct direct_flat *flat,
		     uint64_t at)
{
	uint64_t skip = (uint64_t)flat->header - flat->load;
	uint64_t offset = at - skip;
	uint64_t length;
	uint64_t size;

	if (flat->header < flat->load || skip > at)
		return direct_fail(load, "kernel: Multiboot header lies before "
					 "what is to be loaded");
	length = flat->load_end ? (uint64_t)flat->load_end - flat->load
				: load->in->kernel_length - offset;
	if (flat->load_end && flat->load_end < flat->load)
		return direct_fail(load, "kernel: Multiboot load addresses "
					 "are in the wrong order");
	size = length;
	if (flat->bss_end > flat->load + length)
		size = flat->bss_end - flat->load;
	return direct_place_kernel(load, flat->load, offset, length, size);
}

static void info_write(struct direct_load *load)
{
	struct multiboot_info info = {
		.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP |
			 INFO_LOADER_NAME,
		.cmdline = DIRECT_CMDLINE_GPA,
		.mmap_addr = DIRECT_MAP_GPA,
		.boot_loader_name = DIRECT_NAME_GPA,
	};
	struct multiboot_module module = {
		.start = (uint32_t)load->initrd_gpa,
		.end = (uint32_t)(load->initrd_gpa + load->in->initrd_length),
		/* The command line's last byte: an empty string. */
		.string = DIRECT_NAME_GPA + sizeof(DIRECT_LOADER_NAME) - 1,
	};

	if (load->initrd_gpa) {
		info.mods_count = 1;
		info.mods_addr = DIRECT_MODULE_GPA;
		direct_info_write(load, DIRECT_MODULE_GPA, &module,
				  sizeof(module));
	}
	load->in->plan->map = (struct direct_map){
		.gpa = DIRECT_MAP_GPA,
		.stride = sizeof(struct multiboot_mmap),
		.at = offsetof(struct multiboot_mmap, entry),
		.max = DIRECT_MAP_SIZE / sizeof(struct multiboot_mmap),
		.count_gpa = DIRECT_INFO_GPA +
			     offsetof(struct multiboot_info, mmap_length),
		.count_scale = sizeof(struct multiboot_mmap),
		.lower_gpa = DIRECT_INFO_GPA +
			     offsetof(struct multiboot_info, mem_lower),
		.upper_gpa = DIRECT_INFO_GPA +
			     offsetof(struct multiboot_info, mem_upper),
	};
	direct_info_write(load, DIRECT_INFO_GPA, &info, sizeof(info));
}

int direct_load_multiboot(struct direct_load *load)
{
	struct multiboot_header h;
	uint64_t entry = 0;
	int error, at;

	at = multiboot_header_find(load->in->kernel, load->in->kernel_length);
	if (at < 0)
		return 0;
	memset(&h, 0, sizeof(h));
	if (!direct_read(load, (uint64_t)at, &h, MULTIBOOT_HEADER_SIZE))
		return 0;
	if (h.flags & HEADER_REQUIRED & ~HEADER_KNOWN)
		return direct_fail(load,
				   "kernel: asks for unknown Multiboot "
				   "features (flags %#x)",
				   h.flags);
	if (h.flags & HEADER_ADDRESSES) {
		if (!direct_read(load, (uint64_t)at, &h, sizeof(h)))
			return direct_fail(load, "kernel: file ends within its "
						 "Multiboot header");
		error = direct_flat_load(
			load,
			&(struct direct_flat){ h.header_addr, h.load_addr,
					       h.load_end_addr,
					       h.bss_end_addr },
			(uint64_t)at);
		entry = h.entry_addr;
	} else {
		error = direct_elf_load(load, &entry);
	}
	if (!error)
		error = direct_place_initrd(load, GIB(4));
	if (error)
		return error;
	if (entry > UINT32_MAX)
		return direct_fail(load, "kernel: entry above 4 GiB");
	info_write(load);
	load->out->protocol = DIRECT_MULTIBOOT;
	load->out->eip = (uint32_t)entry;
	load->out->eax = BOOT_MAGIC;
	load->out->ebx = DIRECT_INFO_GPA;
	return 1;
}
