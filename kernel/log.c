/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log's lines: "[seconds.microseconds] text", put together on the stack
 * and handed to the ring whole, so that lines of several CPUs never mix.
 */
#include "include/log.h"

#include "include/x86.h"
#include "kernel/host.h"
#include "lib/printf.h"

#define LINE_MAX 240

static const char *const level_text[] = {
	[LOG_ERROR] = "error: ",
	[LOG_WARNING] = "warning: ",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "",
};

static size_t append(char *line, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* snprintf() says how much it would have liked to write. */
static size_t clamp(size_t at, int wanted)
{
	at += wanted < 0 ? 0 : (size_t)wanted;
	return at > LINE_MAX - 2 ? LINE_MAX - 2 : at;
}

static size_t append(char *line, size_t at, const char *format, ...)
{
	va_list args;
	int wanted;

	va_start(args, format);
	wanted = vsnprintf(line + at, LINE_MAX - 1 - at, format, args);
	va_end(args);
	return clamp(at, wanted);
}

void log_vprint(enum log_level level, const char *prefix, const char *format,
		va_list args)
{
	struct log *log = &this_host()->log;
	uint64_t us = time_now_ns() / NSEC_PER_US;
	char line[LINE_MAX];
	size_t at;

	if (level > log->level)
		return;
	at = append(line, 0, "[%4lu.%06lu] %s%s", us / 1000000, us % 1000000,
		    level_text[level], prefix);
	at = clamp(at, vsnprintf(line + at, LINE_MAX - 1 - at, format, args));
	line[at++] = '\n';
	log_write(log, line, at);
}

void log_print(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vprint(level, "", format, args);
	va_end(args);
}

/* A second has begun anew, for one of those who find that out at once. */
static bool window_begins(struct log_source *source, uint64_t now)
{
	uint64_t start =
		__atomic_load_n(&source->window_start_ns, __ATOMIC_RELAXED);

	/* Another CPU's now may be a little later. */
	return (int64_t)(now - start) >= (int64_t)NSEC_PER_SEC &&
	       __atomic_compare_exchange_n(&source->window_start_ns, &start,
					   now, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

/* Whether the source may write one more line now. */
static bool source_may_print(struct log_source *source)
{
	if (window_begins(source, time_now_ns())) {
		uint32_t dropped = __atomic_exchange_n(&source->dropped, 0,
						       __ATOMIC_RELAXED);

		__atomic_store_n(&source->printed, 0, __ATOMIC_RELAXED);
		if (dropped)
			log_warn("[%s] %u more lines left out", source->name,
				 dropped);
	}
	if (__atomic_fetch_add(&source->printed, 1, __ATOMIC_RELAXED) <
	    LOG_BURST)
		return true;
	__atomic_fetch_add(&source->dropped, 1, __ATOMIC_RELAXED);
	return false;
}

static void vlog_vprint(struct log_source *source, enum log_level level,
			const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void vlog_vprint(struct log_source *source, enum log_level level,
			const char *format, va_list args)
{
	char prefix[sizeof(source->name) + 4];

	(void)snprintf(prefix, sizeof(prefix), "[%s] ", source->name);
	log_vprint(level, prefix, format, args);
}

void vlog_print(struct log_source *source, enum log_level level,
		const char *format, ...)
{
	va_list args;

	if (level > this_host()->log.level || !source_may_print(source))
		return;
	va_start(args, format);
	vlog_vprint(source, level, format, args);
	va_end(args);
}

void vlog_once(struct log_source *source, enum log_level level,
	       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vlog_vprint(source, level, format, args);
	va_end(args);
}

/* ---- The UART's ports -----------------------------------------------------
 */

static uint8_t read_port(void *ctx, uint16_t port)
{
	(void)ctx;
	return port_read8(port);
}

static void write_port(void *ctx, uint16_t port, uint8_t value)
{
	(void)ctx;
	port_write8(port, value);
}

static void write_port_string(void *ctx, uint16_t port, const char *bytes,
			      size_t length)
{
	(void)ctx;
	for (size_t i = 0; i < length; i++)
		port_write8(port, (uint8_t)bytes[i]);
}

const struct port_ops log_ports = {
	.read = read_port,
	.write = write_port,
	.write_string = write_port_string,
};
