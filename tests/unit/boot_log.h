/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's log, for unit tests of boot: the last line and how many.
 * Include in one file of a test program.
 */
#ifndef BULKHEAD_BOOT_LOG_H
#define BULKHEAD_BOOT_LOG_H

#include <stdio.h>

#include "include/log.h"

static char boot_log_line[256];
static unsigned boot_log_lines;

void log_print(enum log_level level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	(void)vsnprintf(boot_log_line, sizeof(boot_log_line), format, args);
	va_end(args);
	boot_log_lines++;
}

static inline void boot_log_clear(void)
{
	boot_log_line[0] = '\0';
	boot_log_lines = 0;
}

#endif
