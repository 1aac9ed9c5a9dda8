/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where this_cpu() looks, by way of GS.  Tests with several CPUs on one thread
 * set it once, to a pointer that they change: each time it is set is a system
 * call, and where a hypervisor sees each of these a slow one.
 */
#ifndef BULKHEAD_FAKE_GS_H
#define BULKHEAD_FAKE_GS_H

#include <asm/prctl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the calling thread.  What is there begins with a struct cpu *. */
static inline void fake_gs_set(const void *at)
{
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, at))
		abort();
}

#endif
