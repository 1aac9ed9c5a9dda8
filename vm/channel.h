/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels: pages that two domains share, and a doorbell each way.  What is in
 * the pages is the programs' business: include/ring.h.
 *
 * Locking: all of it under vm_host()->channels.lock, a spinlock, but for what
 * takes long; a slot of a domain is written under it and read by the domain's
 * own threads under it as well.  Nothing is waited for with it held.
 */
#ifndef BULKHEAD_VM_CHANNEL_H
#define BULKHEAD_VM_CHANNEL_H

#include "include/domain.h"
#include "include/spinlock.h"
#include "mm/pages.h"

struct domain;
struct user_thread;

#define CHANNELS_MAX 128

struct channel {
	gate_id id;
	uint32_t page_count;
	hpa_t page[GATE_CHANNEL_PAGES_MAX];
	bool is_closed; /* by init: nobody attaches any more */
	struct {
		struct domain *domain; /* NULL: nobody */
		unsigned slot;
	} end[2];
};

struct channel_table {
	struct spinlock lock;
	uint64_t made;
	struct channel *channel[CHANNELS_MAX];
	/* Of all channels: bounded by CHANNELS_MAX. */
	struct mem_account account;
};

/* As GATE_CHANNEL_*: the id, or -errno. */
long channel_create(uint64_t pages);
int __must_check channel_attach(gate_id id, unsigned end, struct domain *domain,
				unsigned slot);
int __must_check channel_close(gate_id id);

/* By a thread of the domain. */
int channel_doorbell(struct user_thread *user, unsigned slot);
enum gate_channel_state channel_state(struct domain *domain, unsigned slot);
int channel_detach(struct domain *domain, unsigned slot);
/* All of its ends, its threads gone. */
void channels_leave(struct domain *domain);

#endif
