/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's log: lines, each with its time and level.
 * Implemented in kernel/log.c.  Not for the exit path: counters are for that.
 */
#ifndef BULKHEAD_LOG_H
#define BULKHEAD_LOG_H

#include <stdarg.h>

#include "include/compiler.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* One line; the newline is added.  Longer than 240 characters is cut. */
void log_print(enum log_level level, const char *format, ...) __printf(2, 3);
void log_vprint(enum log_level level, const char *prefix, const char *format,
		va_list args) __attribute__((format(printf, 3, 0)));

#define log_err(...)  log_print(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_print(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_dbg(...)  log_print(LOG_DEBUG, __VA_ARGS__)

/*
 * Who a guest's lines come from, and how many it may still write: a burst of
 * LOG_BURST lines, refilled each second.  The lines above it are counted and
 * reported when there is room again.
 */
#define LOG_BURST 20

struct log_source {
	char name[32]; /* "name" or "name.vcpu" */
	/* Atomic: a VM's vCPUs share one. */
	uint64_t window_start_ns;
	uint32_t printed;
	uint32_t dropped;
};

void vlog_print(struct log_source *source, enum log_level level,
		const char *format, ...) __printf(3, 4);

/* Not limited: for what happens once in the source's life. */
void vlog_once(struct log_source *source, enum log_level level,
	       const char *format, ...) __printf(3, 4);

#define vlog_err(source, ...)  vlog_print(source, LOG_ERROR, __VA_ARGS__)
#define vlog_warn(source, ...) vlog_print(source, LOG_WARNING, __VA_ARGS__)
#define vlog_info(source, ...) vlog_print(source, LOG_INFO, __VA_ARGS__)

#endif
