/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the first user programs of the Linux guests that are measured have in
 * common: system calls, drivers to load, last words, and functions by whose
 * addresses tests/bench/paths counts.  For one source file of a program alone,
 * which is linked to where nobody else's code is.
 */
#ifndef BULKHEAD_TESTS_BENCH_LINUX_FIRST_H
#define BULKHEAD_TESTS_BENCH_LINUX_FIRST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYS_READ	 0
#define SYS_WRITE	 1
#define SYS_OPEN	 2
#define SYS_CLOSE	 3
#define SYS_NANOSLEEP	 35
#define SYS_EXIT	 60
#define SYS_IOPERM	 173
#define SYS_FINIT_MODULE 313
#define O_RDONLY	 0
#define O_WRONLY	 1
#define STDOUT		 1
#define EXIT_PORT	 0xf4
#define MODULES_MAX	 64

/* What runs from the one to the other is a span; the series' end prints the
 * median of those since the last one. */
void span_begin(void);
void span_end(void);
void series_end(void);

__attribute__((noinline)) void span_begin(void)
{
	__asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void span_end(void)
{
	__asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void series_end(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline long call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = 0;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static inline long open_file(const char *path, int flags)
{
	return call(SYS_OPEN, (long)path, flags, 0, 0, 0);
}

static inline void say(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	call(SYS_WRITE, STDOUT, (long)text, (long)length, 0, 0);
}

/* The machine ends, by its ISA debug exit port, once the words are out: that is
 * by interrupts, perhaps another vCPU's. */
static inline void __attribute__((noreturn)) leave(const char *last_words)
{
	static const int64_t time[2] = { 0, 20000000 };

	say(last_words);
	call(SYS_NANOSLEEP, (long)time, 0, 0, 0, 0);
	call(SYS_IOPERM, EXIT_PORT, 1, 1, 0, 0);
	__asm__ volatile("outb %%al, %%dx" : : "a"(0), "d"(EXIT_PORT));
	for (;;)
		call(SYS_EXIT, 1, 0, 0, 0, 0);
}

/* /00.ko, /01.ko, ...: those that find no device or no such processor do no
 * harm. */
static inline void load_drivers(void)
{
	char path[] = "/00.ko";

	for (int i = 0; i < MODULES_MAX; i++) {
		long fd;

		path[1] = (char)('0' + i / 10);
		path[2] = (char)('0' + i % 10);
		fd = open_file(path, O_RDONLY);
		if (fd < 0)
			return;
		call(SYS_FINIT_MODULE, fd, (long)"", 0, 0, 0);
		call(SYS_CLOSE, fd, 0, 0, 0, 0);
	}
}

#endif
