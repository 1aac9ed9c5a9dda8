/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of direct boot.
 */
#ifndef BULKHEAD_FIRMWARE_DIRECT_INTERNAL_H
#define BULKHEAD_FIRMWARE_DIRECT_INTERNAL_H

#include "firmware/direct.h"

/* Where what a kernel is told lies; all below the EBDA. */
#define DIRECT_INFO_GPA	   (DIRECT_DATA_BASE + 0x0000) /* zero page, ... */
#define DIRECT_MODULE_GPA  (DIRECT_DATA_BASE + 0x1000) /* module list */
#define DIRECT_MAP_GPA	   (DIRECT_DATA_BASE + 0x1800)
#define DIRECT_MAP_SIZE	   0x700u
#define DIRECT_GDT_GPA	   (DIRECT_DATA_BASE + 0x1f00)
#define DIRECT_NAME_GPA	   (DIRECT_DATA_BASE + 0x1f80) /* of the loader */
#define DIRECT_CMDLINE_GPA (DIRECT_DATA_BASE + 0x2000)

/* What of the top of RAM below 4 GiB a BIOS keeps for itself at most. */
#define DIRECT_BIOS_KEEPS KIB(512)

#define DIRECT_LOADER_NAME "Bulkhead"

/* The GDT's selectors are Linux's: its protocol names them. */
#define DIRECT_CODE_SELECTOR 0x10
#define DIRECT_DATA_SELECTOR 0x18

struct direct_load {
	const struct guest_ram *ram;
	const struct direct_boot *in;
	struct direct_entry *out;
	char *error;
	size_t error_size;

	uint64_t kernel_end; /* first byte that the kernel does not need */
	uint64_t initrd_gpa; /* 0: none */
	gpa_t rsdp_gpa;
};

/* Who starts the kernel. */
static inline bool direct_has_bios(const struct direct_load *load)
{
	return !load->in->tables;
}

/* Says why and returns -EINVAL. */
int __printf(2, 3)
	direct_fail(struct direct_load *load, const char *format, ...);

/* Into the information; gpa and length are within it. */
void direct_info_write(struct direct_load *load, gpa_t gpa, const void *from,
		       size_t length);

/* RAM below 4 GiB that is not the BIOS', and at least a byte of it. */
bool __must_check direct_may_use(const struct direct_load *load, uint64_t gpa,
				 uint64_t size);

/*
 * size bytes of RAM at gpa, of which the first length come from the kernel
 * file at offset and the rest are zero.
 */
int __must_check direct_place_kernel(struct direct_load *load, uint64_t gpa,
				     uint64_t offset, uint64_t length,
				     uint64_t size);

/*
 * At the top of RAM below limit, above the kernel, once that is placed; with a
 * BIOS, which keeps some of the top, right behind the kernel.
 */
int __must_check direct_place_initrd(struct direct_load *load, uint64_t limit);

/* True if [offset, offset + length) lies within the kernel file. */
static inline bool direct_has(const struct direct_load *load, uint64_t offset,
			      uint64_t length)
{
	return offset <= load->in->kernel_length &&
	       length <= load->in->kernel_length - offset;
}

/* True, and *to filled, if the file holds that many bytes there. */
bool __must_check direct_read(const struct direct_load *load, uint64_t offset,
			      void *to, uint64_t length);

/* 1: done; 0: the file is of another kind; -EINVAL. */
int __must_check direct_load_linux(struct direct_load *load);
int __must_check direct_load_multiboot(struct direct_load *load);
int __must_check direct_load_multiboot2(struct direct_load *load);
int __must_check direct_load_pvh(struct direct_load *load);

/*
 * A flat image as Multiboot's headers describe it: addresses of the header, of
 * the first byte that is loaded, and behind the last that is in the file and in
 * memory, or 0.  The header is at that offset.
 */
struct direct_flat {
	uint32_t header, load, load_end, bss_end;
};
int __must_check direct_flat_load(struct direct_load *load,
				  const struct direct_flat *flat, uint64_t at);

/* ELF: PT_LOADs to their physical addresses.  *entry_gpa: e_entry. */
int __must_check direct_elf_load(struct direct_load *load, uint64_t *entry_gpa);
/* The first note of that owner and type: 1 and its value, or 0. */
int __must_check direct_elf_note(struct direct_load *load, const char *owner,
				 uint32_t type, uint64_t *value);

#endif
