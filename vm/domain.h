/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain: an address space with threads in ring 3, a quota, rights, channels,
 * and for a machine one VM.  include/domain.h has its life and what may be done
 * to it.
 *
 * Locking.  A thread's fields belong to it, but for those marked atomic.
 * domain->lock (domain_lock()) covers the slots of channels, the timer, and of
 * a VM the nested tables and resets.  space_lock covers what a fault of ring 3
 * may change: the leaves of copy-on-write mappings.  The table of domains is
 * under host->domains.lock, which is held for moments only.
 *
 * A domain is referenced by the table, until DESTROY; by each of its threads,
 * until that has left it; and by whoever found it (domain_find()).
 */
#ifndef BULKHEAD_VM_DOMAIN_H
#define BULKHEAD_VM_DOMAIN_H

#include "include/domain.h"
#include "include/gate.h"
#include "include/log.h"
#include "include/spinlock.h"
#include "kernel/host.h"
#include "kernel/sched.h"
#include "kernel/time.h"
#include "mm/map.h"
#include "vm/channel.h"
#include "vm/device.h"

struct domain;
struct host;
struct trap_frame;
struct vcpu;
struct vm;

/* A thread of a program.  The first member of struct vcpu, if it runs one. */
struct user_thread {
	struct domain *domain;
	struct thread *thread;
	struct vcpu *vcpu; /* NULL: of a domain without a VM */
	uint32_t id;
	uint64_t events; /* GATE_EVENT_*, atomic */
};

/* One end of a channel, by which a domain has it. */
struct channel_slot {
	struct channel *channel; /* NULL: empty */
	unsigned end;
};

struct domain {
	struct sched_domain sched;
	struct host *host;
	gate_id id;
	uint32_t refs;	/* atomic */
	uint32_t state; /* enum gate_domain_state, atomic */

	struct gate_domain_spec spec;
	struct gate_config *config; /* shown to the program, read-only */
	struct address_space space;
	struct spinlock lock;
	struct spinlock space_lock;
	uint64_t entry;

	uint32_t thread_count;
	struct user_thread *thread[GATE_THREADS_MAX];
	uint32_t running;     /* threads in it, atomic */
	bool is_stopping;     /* atomic */
	uint32_t end_claimed; /* atomic: who ends it says why, the first */
	struct gate_domain_status status;

	struct timer timer;		 /* GATE_TIMER */
	uint8_t route[GATE_EVENT_COUNT]; /* the thread of each event, atomic */
	struct channel_slot slot[GATE_CHANNELS_MAX];
	struct device *device[GATE_DEVICES_MAX]; /* NULL: none */

	struct vm *vm;		    /* NULL: none */
	struct mem_account account; /* all but RAM and nested tables */
	uint64_t monitor_pages;	    /* of those, the monitor's but for tables */
	uint64_t copied_pages;	    /* of those, copies on write of modules */
	struct log_source log;
};

#define DOMAINS_MAX 96

struct domain_table {
	struct spinlock lock;
	uint64_t made;
	struct domain *domain[DOMAINS_MAX];
};

/* What exists once: struct host's vm. */
struct vm_host {
	struct domain_table domains;
	struct channel_table channels;
	struct device_table devices;
	struct spinlock gate_lock; /* calls of scope "host" */
	/* Told when a domain has ended; from its last thread. */
	void (*ended)(struct domain *domain);
	gate_id init_id;
	/* Who has the log and the UART, referenced; NULL: the monitor. */
	struct domain *log_reader;
	uint64_t epoch_s; /* the wall clock when the host started */
	hpa_t zero_page;  /* what is not written yet of GATE_MEMORY_ZERO_COW */
};

/* For boot/, which makes it struct host's; others use vm_host(). */
extern struct vm_host the_vm_host;

static inline struct vm_host *vm_host(void)
{
	return this_host()->vm;
}

/*
 * A domain that is BUILDING, with nothing in its address space but the config
 * and the stacks; with spec->vm_memory, its VM.  0 or -errno: -EINVAL for a
 * spec that makes no sense, -ENOMEM, -ENOSPC (DOMAINS_MAX).
 */
int __must_check domain_create(const struct gate_domain_spec *spec,
			       struct domain **out);
/* With a reference, or NULL; domain_put() gives it back. */
struct domain *domain_find(gate_id id);
void domain_put(struct domain *domain);
/* What was done with it is its last use: passes the result on. */
static inline int domain_put_after(struct domain *domain, int result)
{
	domain_put(domain);
	return result;
}

/*
 * As GATE_DOMAIN_*; the caller has a reference, and the host's gate_lock once
 * there are programs.
 */
int __must_check domain_start(struct domain *domain, uint64_t entry);
int domain_stop(struct domain *domain);
void domain_query(struct domain *domain, struct gate_domain_status *status);
/* The caller's reference is gone on success.  Long: interrupts are let in. */
int __must_check domain_destroy(struct domain *domain);

/*
 * Why a domain ends; the first to call it is believed.  Its threads leave as
 * soon as each next looks.  The calling thread, if it is one of them, calls
 * user_thread_exit() afterwards.
 */
void domain_end(struct domain *domain, enum gate_end why, uint64_t code,
		unsigned thread);
/* The calling thread leaves its domain; no lock may be held. */
__noreturn void user_thread_exit(struct user_thread *user);

static inline bool domain_is_stopping(const struct domain *domain)
{
	return __atomic_load_n(&domain->is_stopping, __ATOMIC_SEQ_CST);
}

/*
 * domain->lock.  Taken by its own threads with interrupts off; who waits for it
 * lets host interrupts and other threads in, so the holder may wait for other
 * CPUs (cpu_call()).  Does not return when the domain is stopped meanwhile.
 */
void domain_lock(struct user_thread *user);
void domain_unlock(struct user_thread *user);
/* For long work of a thread without a lock: see sched_breathe(). */
void user_breathe(struct user_thread *user);

/* Sets the event's bit at the thread that it goes to, from any CPU. */
void domain_event(struct domain *domain, unsigned event);
/* Interrupts whoever of its threads runs on another CPU, and waits for that. */
void domain_sync(struct domain *domain);

/* ---- Memory: vm/memory.c ------------------------------------------------- */

int __must_check domain_map(struct domain *domain,
			    const struct gate_domain_map *map);
/* Into pages of its own, from the monitor's memory: BUILDING; to it, where `to`
 * is not NULL: ENDED. */
int __must_check domain_copy(struct domain *domain, uint64_t va, void *to,
			     const void *from, uint64_t length);
/*
 * space_lock, for whoever changes what a running domain has mapped.  Interrupts
 * are off, and let in while it is waited for.
 */
void space_lock(struct domain *domain);
void space_unlock(struct domain *domain);
/* Zeroed pages of its own; with MAP_COW, once they are written.  -ENOMEM. */
int __must_check domain_map_zero(struct domain *domain, uint64_t va,
				 uint64_t size, unsigned prot);
/*
 * Pages that are not its own, in leaves of 2 MiB where both addresses allow it.
 * Interrupts are off, and let in.  -ENOMEM; what is mapped then stays.
 */
int __must_check domain_map_borrowed(struct domain *domain, uint64_t va,
				     hpa_t hpa, uint64_t size, unsigned prot);
/*
 * A page fault of ring 3: true if it was a write to a copy-on-write page, which
 * has a copy now, or met memory of the VM's that is there now.  Where there is
 * no memory for it the domain ends, and this does not return.
 */
bool domain_fault(struct user_thread *user, uint64_t va, uint64_t error);
/* All its pages go; nobody runs in it. */
void domain_release_memory(struct domain *domain);

/* ---- The log: vm/gate_host.c --------------------------------------------- */

/* If it had the UART and the log, the monitor has them again. */
void log_reader_ended(struct domain *domain);

/* Domain time. */
uint64_t domain_deadline_tsc(const struct domain *domain, uint64_t ns);

#endif
