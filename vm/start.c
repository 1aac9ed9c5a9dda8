/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has init begin, in the domain that boot/ made, and tells it of those that
 * end.
 */
#include "include/boot.h"
#include "include/panic.h"
#include "kernel/host.h"
#include "vm/domain.h"

static void domain_ended(struct domain *domain)
{
	struct domain *init = domain_find(vm_host()->init_id);

	log_reader_ended(domain);
	if (init && init != domain)
		domain_event(init, GATE_EVENT_DOMAIN_BIT);
	else if (domain->id == vm_host()->init_id)
		log_err("init has ended: what runs goes on, nothing is started "
			"any more");
	if (init)
		domain_put(init);
}

struct vm_host the_vm_host = { .ended = domain_ended };

void host_start(void)
{
	struct domain *init = domain_find(vm_host()->init_id);

	if (!init || domain_start(init, this_host()->first_program.entry))
		monitor_panic("init cannot be started");
	domain_put(init);
}
