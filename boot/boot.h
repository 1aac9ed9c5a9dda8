/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contracts inside boot/: what is known before the monitor proper runs.
 */
#ifndef BULKHEAD_BOOT_BOOT_H
#define BULKHEAD_BOOT_BOOT_H

#include "include/acpi.h"
#include "include/boot.h"
#include "include/compiler.h"
#include "include/domain.h"

struct cpu;
struct host;
struct lapic;
struct time_base;

#define BOOT_RANGES_MAX 128
#define BOOT_REACH	GIB(4) /* what the boot tables map */

struct boot_range {
	hpa_t base;
	uint64_t length;
};

struct boot_ranges {
	unsigned count;
	struct boot_range range[BOOT_RANGES_MAX];
};

struct boot_info {
	struct boot_ranges ram; /* usable, as the loader says */
	struct boot_modules modules;
	char command[BOOT_COMMAND_MAX];
	char loader[64];
	struct gate_screen screen;
	hpa_t rsdp; /* 0: look for it */
	bool is_uefi;
	struct boot_range image; /* the monitor's own: no module lies there */
	unsigned modules_left_out;
	unsigned modules_broken; /* end before they start, or in the image */
};

/*
 * The caller sees to it that ranges do not overlap, and that none, here and
 * below, reaches beyond 2^64.  -ENOSPC.
 */
int __must_check ranges_add(struct boot_ranges *ranges, hpa_t base,
			    uint64_t length);
/* Takes [base, base + length) away.  -ENOSPC. */
int __must_check ranges_remove(struct boot_ranges *ranges, hpa_t base,
			       uint64_t length);

/*
 * Cuts length bytes, in whole pages, off a range that the boot tables reach.
 * 0: there is none so large.
 */
hpa_t __must_check ranges_take(struct boot_ranges *ranges, uint64_t length);

/* No device that a program may have can be at [base, base + size): there is
 * RAM, an APIC or no address, or it is too large. */
bool ranges_misplaced(const struct boot_ranges *ram, hpa_t base, uint64_t size);

/*
 * Moves modules that are not aligned, share a page with another or lie outside
 * of ram to pages of free, which has no module's pages, and zeroes what is left
 * of each one's last page.  -ENOMEM: none for *failed.
 */
int __must_check modules_place(const struct boot_ranges *ram,
			       struct boot_ranges *free,
			       struct boot_modules *modules,
			       const struct boot_module **failed);

/* Reads the command line; words that are no options are logged. */
void options_parse(const struct boot_info *boot, struct boot_options *options);

/*
 * Copies what magic and info (both as at entry) say; image is where the
 * monitor lies.  Whatever info holds, this ends and reads nothing beyond
 * BOOT_REACH or behind the end of a Multiboot 2 tag.  -EINVAL: no Multiboot
 * loader, or what it left makes no sense; -ENOSPC: more memory ranges than
 * BOOT_RANGES_MAX.
 */
int __must_check multiboot_parse(uint32_t magic, hpa_t info,
				 const struct boot_range *image,
				 struct boot_info *boot);

/*
 * Reads the ACPI tables; rsdp 0 has them looked for where a BIOS puts them.
 * -ENODEV: none, or broken; info then holds what a PC has without them.
 */
int __must_check acpi_parse(hpa_t rsdp, struct acpi_info *info);
/* The proximity domain of the CPU; 0 of one that ACPI says nothing of. */
uint32_t acpi_node(const struct acpi_info *info, uint32_t apic_id);

/* Sets the rates of base but for boot_tsc; the caller's APIC timer is off. */
void time_calibrate(struct time_base *base, const struct lapic *lapic);

/* Fills host->pci; BARs that lie in ram are refused. */
void pci_find(struct host *host, const struct boot_ranges *ram);

/* Starts all other CPUs that ACPI lists; trampoline: a page below 1 MiB. */
void smp_start_all(struct host *host, hpa_t trampoline);

/* As cpuid_read(), zeros where there is no such leaf. */
struct cpuid_regs cpuid_leaf(uint32_t leaf, uint32_t subleaf);

/* Once, before the first CPU is set up: the IDT. */
void trap_build_idt(void);
/*
 * Loads GDT, IDT, TSS and GS base; sets NX, WP, SMEP, SMAP, UMIP and machine
 * checks as the processor has them.  The TSS has its interrupt stacks.
 */
void cpu_init(struct cpu *cpu);
/* A CPU's stacks for #DB, NMI, #DF and #MC, with guard pages.  -ENOMEM. */
int __must_check trap_stacks_alloc(struct host *host, struct cpu *cpu);

/* The real-time clock's seconds since 1970, taken to be UTC; 0: it has none. */
uint64_t cmos_read_epoch(void);

/* All CPUs are up, no address space is made: page-table isolation, if it is
 * wanted.  0 or -ENOMEM. */
int __must_check isolation_init(struct host *host);

/* On each CPU, then: what programs and guests need. */
void ring3_init_cpu(struct cpu *cpu);

/*
 * All CPUs are up: the back end, ring 3 on each CPU, and the first program's
 * domain, which host_start() starts.  Does not return where that cannot be.
 */
void programs_init(struct host *host);

/* __noreturn in effect: ends in the idle thread. */
void boot_main(uint32_t magic, uint32_t info);

#endif
