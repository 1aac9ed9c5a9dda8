/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host as boot/ leaves it: start-up code goes, the rest begins.
 */
#include "kernel/host.h"

#include "include/log.h"
#include "include/x86.h"

extern const char image_init[], image_text[];

struct host the_host;

static void flush_here(void *ctx)
{
	(void)ctx;
	cr3_write(cr3_read());
}

void host_flush_tlbs(void *ctx)
{
	cpu_call_others(flush_here, ctx);
}

/*
 * The other CPUs come up with interrupts off and turn them on in
 * sched_idle(): once they have answered a call they have left boot/.
 */
static void boot_code_free(struct host *host)
{
	uint64_t va = (uint64_t)image_init;
	uint64_t length = (uint64_t)image_text - va;

	host_flush_tlbs(NULL);
	if (map_image_release(&host->map, va, length)) {
		log_warn("no memory to free the start-up code");
		return;
	}
	log_info("%lu KiB of start-up code freed", length / KIB(1));
}

void host_enter(void)
{
	struct host *host = this_host();

	boot_code_free(host);
	host_start();
	sched_idle();
}
