/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels: pages that two domains share, and a doorbell each way.  What is in
 * the pages is the programs' business: include/ring.h.
 *
 * Locking: all of it under vm_host()->channels.lock, a spinlock, but for what
 * takes long; a slot of a domain is written under it and read by the domain's
 * own threads under it as well.  Nothing is waited for with it held.  A
 * domain's space_lock is taken before it, and held from the claim of a slot
 * until its pages are mapped, and from their unmapping until the slot is given
 * up.
 */
#ifndef BULKHEAD_VM_CHANNEL_H
#define BULKHEAD_VM_CHANNEL_H

#include "include/domain.h"
#include "include/spinlock.h"
#include "mm/pages.h"

struct domain;
struct user_thread;

#define CHANNELS_MAX 304
/* Pages up to the next slot's. */
#define CHANNEL_MEMORY_MAX \
	((GATE_CHANNEL_VA(1) - GATE_CHANNEL_MEMORY_VA(0)) / PAGE_SIZE)

struct channel {
	gate_id id;
	uint32_t page_count;
	hpa_t page[GATE_CHANNEL_PAGES_MAX];
	/* struct gate_channel_memory, then the array behind it; 0: none. */
	uint32_t memory_count;
	hpa_t memory[CHANNEL_MEMORY_MAX];
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
int __must_check channel_memory(gate_id id, const struct domain *domain,
				bool with_vm);

/* By a thread of the domain. */
int channel_doorbell(struct user_thread *user, unsigned slot);
enum gate_channel_state channel_state(struct domain *domain, unsigned slot);
int channel_detach(struct domain *domain, unsigned slot);
/* All of its ends, its threads gone.  Interrupts are off, and let in. */
void channels_leave(struct domain *domain);

#endif
