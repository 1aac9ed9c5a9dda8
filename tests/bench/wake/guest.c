/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first user program of a Linux that sleeps and wakes, for
 * tests/bench/wake/run.  Spans with one vCPU, in this order, a series each:
 *
 *	a sleep of 100 us: the timer's programming, its interrupt, the wake-up
 *	a sleep of two seconds, as many ticks as the kernel makes in them
 *
 * And with two: a byte through a pipe to a process on the other one, and back.
 */
#include "tests/bench/linux/first.h"

#define SYS_PIPE	      22
#define SYS_FORK	      57
#define SYS_SCHED_SETAFFINITY 203
#define WARM		      20
#define SAMPLES		      300
#define TRIPS		      300

/* False: there is no such CPU. */
static bool pin(unsigned cpu)
{
	uint64_t mask = 1ULL << cpu;

	return !call(SYS_SCHED_SETAFFINITY, 0, sizeof(mask), (long)&mask, 0, 0);
}

static void sleep_ns(int64_t ns)
{
	const int64_t time[2] = { ns / 1000000000, ns % 1000000000 };

	if (call(SYS_NANOSLEEP, (long)time, 0, 0, 0, 0))
		leave("WAKE FAIL: a sleep ended early\n");
}

static void sleeps(int64_t ns, int samples)
{
	for (int i = -WARM; i < samples; i++) {
		if (i < 0) {
			sleep_ns(100000);
			continue;
		}
		span_begin();
		sleep_ns(ns);
		span_end();
	}
	series_end();
}

static void move(long call_number, const int *pipe)
{
	char byte = 0;

	if (call(call_number, pipe[call_number == SYS_WRITE], (long)&byte, 1, 0,
		 0) != 1)
		leave("WAKE FAIL: a pipe is broken\n");
}

static void pipes(void)
{
	int there[2], back[2];

	if (call(SYS_PIPE, (long)there, 0, 0, 0, 0) ||
	    call(SYS_PIPE, (long)back, 0, 0, 0, 0))
		leave("WAKE FAIL: no pipe\n");
	if (!call(SYS_FORK, 0, 0, 0, 0, 0)) {
		(void)pin(1);
		for (;;) {
			move(SYS_READ, there);
			move(SYS_WRITE, back);
		}
	}
	for (int i = -WARM; i < TRIPS; i++) {
		if (i >= 0)
			span_begin();
		move(SYS_WRITE, there);
		move(SYS_READ, back);
		if (i >= 0)
			span_end();
	}
	series_end();
}

void _start(void);
void _start(void)
{
	bool has_two = pin(1);

	if (!pin(0))
		leave("WAKE FAIL: no CPU\n");
	if (has_two) {
		pipes();
	} else {
		sleeps(100000, SAMPLES);
		sleeps(2000000000, 1);
	}
	leave("WAKE done\n");
}
