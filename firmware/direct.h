/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct boot: a kernel placed into RAM and entered without firmware.
 *
 * Four protocols, told apart by the file: Linux bzImage, Multiboot 1 and 2
 * (ELF32, ELF64 or flat) and PVH (an ELF note).  All are entered in flat 32-bit
 * protected mode without paging, but for a bzImage with a 64-bit entry, if the
 * board wants that: it has the first 4 GiB mapped to themselves.
 *
 * RAM from DIRECT_DATA_BASE to the EBDA and the BIOS area are used for what
 * the kernel is told: a kernel that wants to lie there is refused.
 *
 * What goes where is a plan, which two can carry out: direct_boot_load() at
 * once, or the BIOS' guest of firmware/bootrom.asm after the power-on
 * self-test, who asks the BIOS for the memory map.
 */
#ifndef BULKHEAD_FIRMWARE_DIRECT_H
#define BULKHEAD_FIRMWARE_DIRECT_H

#include "include/device.h"
#include "include/x86_state.h"
#include "firmware/board.h"
#include "firmware/tables.h"

#define DIRECT_DATA_BASE   0x90000u
#define DIRECT_CMDLINE_MAX 4096u   /* with the terminating zero */
#define DIRECT_INFO_SIZE   0x3000u /* what the kernel is told */
#define DIRECT_PIECES_MAX  72u
/* Of a 64-bit entry: four page directories, their pointers, a level 4 table. */
#define DIRECT_TABLES_BASE (DIRECT_DATA_BASE + DIRECT_INFO_SIZE)
#define DIRECT_TABLES_SIZE 0x6000u

enum direct_protocol {
	DIRECT_NONE,
	DIRECT_LINUX,
	DIRECT_MULTIBOOT,
	DIRECT_MULTIBOOT2,
	DIRECT_PVH,
};

/* Files are untrusted; they are read, never kept. */
struct direct_boot {
	const struct board_description *board;
	/* Scratch, too large for a stack; no tables: there is a BIOS. */
	struct firmware_tables *tables;
	struct direct_plan *plan;
	const void *kernel;
	uint64_t kernel_length;
	const void *initrd; /* optional: module, RAM disk */
	uint64_t initrd_length;
	const char *cmdline; /* optional */
	/* Kernels that can are entered in 64-bit mode, where they want to be;
	 * not by a BIOS. */
	bool wants_long;
	/* Puts bytes into RAM, at to; NULL: memcpy(). */
	void (*fill)(void *ctx, void *to, const void *from, uint64_t length);
	void *fill_ctx;
};

enum direct_source {
	DIRECT_FROM_INFO,
	DIRECT_FROM_KERNEL,
	DIRECT_FROM_INITRD,
};

/* size bytes of RAM: length from the source's offset on, then zeroes. */
struct direct_piece {
	uint32_t source; /* enum direct_source */
	uint32_t offset;
	uint32_t length;
	uint32_t size;
	uint32_t gpa;
};

/*
 * How the memory map is written into the information: entries as E820h returns
 * them, map_at bytes into every map_stride; their count times count_scale; and
 * KiB below 640 KiB and above 1 MiB.  Addresses are guest-physical; 0: not
 * wanted.  bootrom.asm knows this layout.
 */
struct direct_map {
	uint32_t gpa, stride, at, max;
	uint32_t count_gpa, count_scale;
	uint32_t lower_gpa, upper_gpa;
};

struct direct_plan {
	struct direct_map map;
	unsigned count;
	struct direct_piece piece[DIRECT_PIECES_MAX]; /* first the info */
	uint8_t info[DIRECT_INFO_SIZE];		      /* at DIRECT_DATA_BASE */
};

struct direct_entry {
	enum direct_protocol protocol;
	bool is_long; /* 64-bit mode, by the page tables at DIRECT_TABLES_BASE
		       */
	uint32_t eip;
	uint32_t eax;
	uint32_t ebx;
	uint32_t esi;
	/* A GDT in guest RAM with the flat segments the vCPU starts with. */
	uint32_t gdt_base;
	uint16_t gdt_limit;
	uint16_t code_selector;
	uint16_t data_selector;
};

/*
 * Places kernel, initrd, command line, memory map and the board's tables
 * (ACPI, MP, $PIR, SMBIOS) into RAM and says where to enter.
 * -EINVAL: error holds why; RAM may be partly written.
 */
int __must_check direct_boot_load(const struct guest_ram *ram,
				  const struct direct_boot *in,
				  struct direct_entry *out, char *error,
				  size_t error_size);

/* The same without writing any RAM: in->plan is what is to be done. */
int __must_check direct_boot_plan(const struct guest_ram *ram,
				  const struct direct_boot *in,
				  struct direct_entry *out, char *error,
				  size_t error_size);

/*
 * The whole state of a vCPU that starts there; all groups valid and dirty but
 * the XSAVE area, which stays at its reset state.
 */
void direct_entry_state(const struct direct_entry *entry,
			struct x86_state *state);

#endif
