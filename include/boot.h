/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader handed over, after boot/ checked and copied it.
 */
#ifndef BULKHEAD_BOOT_H
#define BULKHEAD_BOOT_H

#include "include/compiler.h"
#include "include/log.h"

#define BOOT_MODULES_MAX     32
#define BOOT_MODULE_NAME_MAX 64
#define BOOT_COMMAND_MAX     256

/* A file in memory, kept out of the page allocator. */
struct boot_module {
	/* Last word of its command line, without folders. */
	char name[BOOT_MODULE_NAME_MAX];
	/* Whole pages of its own, in the physmap; zeroes behind its end. */
	hpa_t base;
	uint64_t length; /* bytes */
};

struct boot_modules {
	unsigned count;
	struct boot_module module[BOOT_MODULES_MAX];
};

/* What the boot loader's command line says to the monitor. */
struct boot_options {
	bool is_mitigations_off; /* "mitigations=off": of speculation */
	bool is_boot_cpu_idle;	 /* "boot-cpu=idle": it runs no domain */
	enum log_level
		log_level; /* "log-level=info", or error, warning, debug */
};

struct program;

/*
 * Finds the first program among the modules and checks it: *program says what
 * to load from *file, which stays the modules'.  Only before host_enter() frees
 * boot/.  -ENOENT, -EINVAL: missing or no program, which was logged.
 */
int __must_check boot_first_program(const struct boot_modules *modules,
				    struct program *program,
				    const struct boot_module **file);

/*
 * Starts the first program, with all CPUs up and boot/ gone; from the first
 * thread of the CPU that booted.  In vm/start.c.
 */
void host_start(void);

#endif
