/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's life: made, started, stopped, ended, destroyed; its threads.
 *
 * Its threads end by themselves: each looks whether the domain is stopping when
 * it returns to ring 3 after an interrupt, when it waits, and before it runs a
 * guest.  The last to leave makes it ENDED.  What it had stays, for reports,
 * until DESTROY, which waits until no thread of it is on its way out.
 */
#include "vm/domain.h"

#include "include/errno.h"
#include "include/panic.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "kernel/host.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "vm/channel.h"
#include "vm/gate.h"
#include "vm/vm.h"

#define DOMAIN_ORDER	pages_order(sizeof(struct domain))
#define NSEC_MULT_SHIFT 32
/* 146 years: later deadlines than that do not come. */
#define NEVER_NS	BIT(62)

uint64_t domain_deadline_tsc(const struct domain *domain, uint64_t ns)
{
	const struct gate_config *config = domain->config;
	uint64_t mult = config->tsc_mult;

	if (ns >= NEVER_NS || ns >> NSEC_MULT_SHIFT >= mult)
		return TIMER_NEVER;
	/* The first tick at which domain time is not below ns. */
	return config->tsc_base +
	       div128(ns >> (64 - NSEC_MULT_SHIFT), ns << NSEC_MULT_SHIFT,
		      mult) +
	       1;
}

/* ---- The table ----------------------------------------------------------- */

static void domain_get(struct domain *domain)
{
	__atomic_fetch_add(&domain->refs, 1, __ATOMIC_RELAXED);
}

void domain_put(struct domain *domain)
{
	__atomic_fetch_sub(&domain->refs, 1, __ATOMIC_RELEASE);
}

struct domain *domain_find(gate_id id)
{
	struct domain_table *table = &vm_host()->domains;
	struct domain *found = NULL;
	uint64_t flags = spin_lock_irqsave(&table->lock);

	for (unsigned i = 0; id && i < DOMAINS_MAX; i++)
		if (table->domain[i] && table->domain[i]->id == id)
			found = table->domain[i];
	if (found)
		domain_get(found);
	spin_unlock_irqrestore(&table->lock, flags);
	return found;
}

static int table_add(struct domain *domain)
{
	struct domain_table *table = &vm_host()->domains;
	uint64_t flags = spin_lock_irqsave(&table->lock);
	int error = -ENOSPC;

	for (unsigned i = 0; error && i < DOMAINS_MAX; i++) {
		if (table->domain[i])
			continue;
		table->domain[i] = domain;
		domain->id = ++table->made;
		error = 0;
	}
	spin_unlock_irqrestore(&table->lock, flags);
	return error;
}

/* False if another has done it. */
static bool table_remove(struct domain *domain)
{
	struct domain_table *table = &vm_host()->domains;
	uint64_t flags = spin_lock_irqsave(&table->lock);
	bool was_there = false;

	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		if (table->domain[i] != domain)
			continue;
		table->domain[i] = NULL;
		was_there = true;
	}
	spin_unlock_irqrestore(&table->lock, flags);
	return was_there;
}

/* ---- Threads ------------------------------------------------------------- */

/* A stopped domain's thread gets no further than to its next instruction. */
static void before_user(void *arg)
{
	struct user_thread *user = arg;

	if (domain_is_stopping(user->domain))
		user_thread_exit(user);
}

/*
 * A program without a VM has no x87, SSE and AVX registers: those of a guest
 * stay in the processor, and touching them is an exception until
 * fpu_switch_in().
 */
static void switch_in(void *arg)
{
	struct user_thread *user = arg;
	struct cpu *cpu = this_cpu();

	cpu->gate_arg = user;
	cpu->gate_table = user->vcpu ? gate_calls_vm : gate_calls_program;
	cpu->user_root = user->domain->space.user_root;
	cpu->copy_root = user->domain->space.table.root;
	if (user->vcpu) {
		vcpu_switch_in(user->vcpu);
	} else {
		cr0_write(cr0_read() | X86_CR0_TS);
		msr_write(MSR_FS_BASE, GATE_FS_VA);
	}
	/* It may be about to leave a gate call, on a way that does not look. */
	if (domain_is_stopping(user->domain))
		cpu_kick(cpu);
}

static void switch_out(void *arg)
{
	struct user_thread *user = arg;

	if (user->vcpu)
		vcpu_switch_out(user->vcpu);
}

static void thread_main(void *arg)
{
	struct user_thread *user = arg;

	irq_disable();
	/* Its slice may be over before it has begun: nothing would say so in
	 * ring 3. */
	sched_before_user();
	gate_enter_user(user->domain->entry, GATE_STACK_TOP(user->id),
			user->id);
}

void user_breathe(struct user_thread *user)
{
	sched_breathe();
	if (domain_is_stopping(user->domain))
		user_thread_exit(user);
}

void domain_lock(struct user_thread *user)
{
	while (!spin_trylock(&user->domain->lock))
		user_breathe(user);
}

void domain_unlock(struct user_thread *user)
{
	spin_unlock(&user->domain->lock);
}

void domain_event(struct domain *domain, unsigned event)
{
	unsigned id = __atomic_load_n(&domain->route[event], __ATOMIC_RELAXED);
	struct user_thread *user = domain->thread[id];

	if (!user)
		return;
	__atomic_fetch_or(&user->events, BIT(event), __ATOMIC_SEQ_CST);
	if (user->vcpu)
		vcpu_notify(user->vcpu, PENDING_EVENT);
	if (user->thread)
		thread_wake(user->thread);
}

static void sync_here(void *ctx)
{
	(void)ctx;
	cr3_write(cr3_read());
}

static bool is_thread_of(const struct domain *domain,
			 const struct thread *thread)
{
	for (unsigned i = 0; i < domain->thread_count; i++)
		if (domain->thread[i]->thread == thread)
			return true;
	return false;
}

/*
 * Each CPU is looked at once.  Thread by thread, one would be missed that
 * switches meanwhile from a thread not yet looked for to one that already was:
 * between threads of one domain CR3 stays, and what it remembers.
 */
void domain_sync(struct domain *domain)
{
	const struct host *host = domain->host;
	uint64_t cpus = 0;

	for (unsigned i = 0; i < host->cpu_count; i++)
		if (is_thread_of(domain, __atomic_load_n(&host->cpu[i]->thread,
							 __ATOMIC_SEQ_CST)))
			cpus |= BIT(i);
	cpu_call(cpus, sync_here, NULL);
}

/* What a thread and its stack in the monitor take becomes the domain's. */
#define THREAD_PAGES (1 + MAP_STACK_PAGES)

static int thread_make(struct domain *domain, struct user_thread *user)
{
	struct thread *thread;
	char name[sizeof(thread->name)];

	(void)snprintf(name, sizeof(name), "%s.%u", domain->spec.name,
		       user->id);
	thread = thread_create(name, thread_main, user, THREAD_ANY_CPU);
	if (!thread)
		return -ENOMEM;
	if (domain->spec.cpus[user->id] &&
	    thread_pin(thread, domain->spec.cpus[user->id])) {
		thread_discard(thread);
		return -EINVAL;
	}
	if (pages_move(&domain->host->pages, &domain->host->map.account,
		       &domain->account, THREAD_PAGES)) {
		thread_discard(thread);
		return -ENOMEM;
	}
	thread_get(thread);
	user->thread = thread;
	thread->domain = &domain->sched;
	thread->is_timed = user->vcpu;
	thread->before_user = before_user;
	/* With isolation ring 0 stays on the monitor's own tables. */
	if (!domain->space.user_root)
		thread->cr3 = domain->space.table.root;
	thread->switch_in = switch_in;
	thread->switch_out = switch_out;
	return 0;
}

static int thread_init(struct domain *domain, unsigned id)
{
	struct user_thread *user;
	int error = 0;

	if (domain->vm) {
		error = vm_vcpu_create(domain->vm, id, &user);
	} else {
		user = pages_alloc_zeroed(&domain->host->pages,
					  &domain->account, 0);
		if (!user)
			return -ENOMEM;
	}
	if (error)
		return error;
	user->domain = domain;
	user->id = id;
	domain->thread[id] = user;
	error = domain_map_zero(domain, GATE_STACK_TOP(id) - GATE_STACK_SIZE,
				GATE_STACK_SIZE, MAP_READ | MAP_WRITE);
	return error ? error : thread_make(domain, user);
}

/* The thread last: timers of the vCPU's may wake it until they are gone. */
static void thread_fini(struct domain *domain, unsigned id)
{
	struct user_thread *user = domain->thread[id];
	struct thread *thread;

	if (!user)
		return;
	thread = user->thread;
	domain->thread[id] = NULL;
	if (user->vcpu)
		vm_vcpu_destroy(user->vcpu);
	else
		pages_free_virt(&domain->host->pages, &domain->account, user,
				0);
	if (!thread)
		return;
	if (domain->state == GATE_DOMAIN_BUILDING)
		thread_discard(thread);
	/* It may still be on its way off its stack. */
	while (__atomic_load_n(&thread->refs, __ATOMIC_ACQUIRE) > 1)
		sched_breathe();
	VERIFY(!pages_move(&domain->host->pages, &domain->account,
			   &domain->host->map.account, THREAD_PAGES));
	thread_put(thread);
}

/* ---- Made ---------------------------------------------------------------- */

static bool name_is_good(const char *name)
{
	size_t length = 0;

	for (; length < GATE_NAME_SIZE && name[length]; length++)
		if (name[length] < ' ' || name[length] > '~')
			return false;
	return length && length < GATE_NAME_SIZE;
}

static bool spec_is_good(const struct gate_domain_spec *spec)
{
	return name_is_good(spec->name) && spec->thread_count &&
	       spec->quota_pages && spec->thread_count <= GATE_THREADS_MAX &&
	       !(spec->rights & ~GATE_RIGHTS) &&
	       IS_ALIGNED(spec->vm_memory, PAGE_2M) &&
	       spec->weight <= GATE_WEIGHT_MAX &&
	       spec->cap_percent <= 100 * GATE_THREADS_MAX;
}

static void timer_expired(void *ctx)
{
	domain_event(ctx, GATE_EVENT_TIMER_BIT);
}

static int config_init(struct domain *domain)
{
	struct gate_config *config =
		pages_alloc_zeroed(&domain->host->pages, &domain->account, 0);

	if (!config)
		return -ENOMEM;
	domain->config = config;
	config->version = GATE_VERSION;
	memcpy(config->name, domain->spec.name, sizeof(config->name));
	config->vcpu_count = domain->thread_count;
	config->rights = domain->spec.rights;
	config->vm_memory = domain->spec.vm_memory;
	config->apic_timer_hz = APIC_BUS_HZ;
	config->tsc_hz = time_tsc_hz();
	config->tsc_mult = (NSEC_PER_SEC << NSEC_MULT_SHIFT) / config->tsc_hz;
	config->epoch_s = vm_host()->epoch_s;
	config->tsc_base = time_now_tsc();
	return address_space_map(&domain->space, GATE_CONFIG_VA,
				 virt_to_phys(config), PAGE_SIZE, MAP_READ);
}

static bool irq_came(void *ctx, unsigned isa)
{
	struct domain *domain = ctx;

	for (unsigned n = 0; n < GATE_IRQS; n++)
		if (domain->spec.irq[n] == isa)
			domain_event(domain, GATE_EVENT_IRQ_BIT(n));
	return false;
}

/* spec.irq has only those that are the domain's, also after an error. */
static int irqs_claim(struct domain *domain)
{
	uint8_t *irq = domain->spec.irq;
	int error = 0;

	for (unsigned n = 0; n < GATE_IRQS; n++) {
		if (!error && irq[n])
			error = irq_claim(&domain->host->irqs, irq[n], irq_came,
					  domain);
		if (error)
			irq[n] = 0;
	}
	return error;
}

static void irqs_release(struct domain *domain)
{
	for (unsigned n = 0; n < GATE_IRQS; n++) {
		if (domain->spec.irq[n])
			irq_release(&domain->host->irqs, domain->spec.irq[n]);
		domain->spec.irq[n] = 0;
	}
}

static int domain_init(struct domain *domain)
{
	int error = irqs_claim(domain);

	if (!error)
		error = address_space_init(&domain->space, &domain->host->map,
					   &domain->account);
	if (!error)
		error = config_init(domain);
	if (!error && domain->spec.vm_memory)
		error = vm_create(domain, &domain->vm);
	for (unsigned i = 0; !error && i < domain->thread_count; i++) {
		sched_breathe();
		error = thread_init(domain, i);
	}
	/* It keeps no more of it once that runs, but for tables. */
	domain->monitor_pages =
		domain->account.pages - domain->space.table.table_pages -
		domain->thread_count * GATE_STACK_SIZE / PAGE_SIZE;
	return error;
}

int domain_create(const struct gate_domain_spec *spec, struct domain **out)
{
	struct host *host = this_host();
	struct mem_account account = { .limit = spec->quota_pages };
	struct domain *domain;
	int error;

	*out = NULL;
	if (!spec_is_good(spec))
		return -EINVAL;
	domain = pages_alloc_zeroed(&host->pages, &account, DOMAIN_ORDER);
	if (!domain)
		return -ENOMEM;
	sched_domain_init(&domain->sched,
			  spec->weight ? spec->weight : GATE_WEIGHT_DEFAULT,
			  spec->cap_percent);
	domain->host = host;
	domain->spec = *spec;
	domain->refs = 2; /* the table's and the caller's */
	domain->state = GATE_DOMAIN_BUILDING;
	domain->thread_count = spec->thread_count;
	domain->account = account;
	domain->account.name = domain->spec.name;
	domain->timer.fn = timer_expired;
	domain->timer.ctx = domain;
	(void)snprintf(domain->log.name, sizeof(domain->log.name), "%s",
		       domain->spec.name);
	error = table_add(domain);
	if (error) {
		pages_free_virt(&host->pages, &account, domain, DOMAIN_ORDER);
		return error;
	}
	error = domain_init(domain);
	if (error)
		VERIFY(domain_destroy(domain) == 0);
	else
		*out = domain;
	return error;
}

/* ---- Started, stopped, ended --------------------------------------------- */

int domain_start(struct domain *domain, uint64_t entry)
{
	if (entry >= USER_END)
		return -EINVAL;
	/* One START at a time; a running one's threads may not have begun. */
	if (domain->state != GATE_DOMAIN_BUILDING)
		return -EBUSY;
	domain->entry = entry;
	__atomic_store_n(&domain->state, GATE_DOMAIN_RUNNING, __ATOMIC_SEQ_CST);
	address_space_complete(&domain->space);
	domain->running = domain->thread_count;
	domain->config->tsc_base = time_now_tsc();
	if (domain->vm)
		vm_set_time(domain->vm);
	for (unsigned i = 0; i < domain->thread_count; i++) {
		domain_get(domain);
		thread_start(domain->thread[i]->thread);
	}
	return 0;
}

void domain_end(struct domain *domain, enum gate_end why, uint64_t code,
		unsigned thread)
{
	if (!__atomic_exchange_n(&domain->end_claimed, 1, __ATOMIC_SEQ_CST)) {
		domain->status.end = why;
		domain->status.code = code;
		domain->status.thread = thread;
	}
	if (__atomic_exchange_n(&domain->is_stopping, true, __ATOMIC_SEQ_CST))
		return;
	for (unsigned i = 0; i < domain->thread_count; i++) {
		struct user_thread *user = domain->thread[i];

		if (user->vcpu)
			vcpu_notify(user->vcpu, PENDING_STOP);
		else
			cpu_kick(user->thread->cpu);
		thread_wake(user->thread);
	}
}

int domain_stop(struct domain *domain)
{
	if (domain->state == GATE_DOMAIN_BUILDING)
		return -EBUSY;
	if (domain->state == GATE_DOMAIN_RUNNING)
		domain_end(domain, GATE_END_STOPPED, 0, 0);
	return 0;
}

/* On the monitor's own tables; the domain may be destroyed once it is put. */
static void last_thread_left(struct domain *domain)
{
	devices_release(domain);
	timer_cancel_sync(&domain->timer);
	irqs_release(domain);
	irq_disable();
	channels_leave(domain);
	irq_enable();
	__atomic_store_n(&domain->state, GATE_DOMAIN_ENDED, __ATOMIC_SEQ_CST);
	vm_host()->ended(domain);
}

void user_thread_exit(struct user_thread *user)
{
	struct domain *domain = user->domain;
	struct thread *self = this_cpu()->thread;

	irq_disable();
	if (user->vcpu)
		fpu_release(user->vcpu);
	switch_out(user);
	self->switch_in = self->switch_out = self->before_user = NULL;
	/* The rest is the monitor's work, and may outlive the domain. */
	thread_leave_domain();
	self->cr3 = domain->host->map.table.root;
	cr3_write(self->cr3);
	irq_enable();
	if (!__atomic_sub_fetch(&domain->running, 1, __ATOMIC_SEQ_CST))
		last_thread_left(domain);
	domain_put(domain);
	thread_exit();
}

void domain_query(struct domain *domain, struct gate_domain_status *status)
{
	*status = domain->status;
	status->state = __atomic_load_n(&domain->state, __ATOMIC_SEQ_CST);
	if (status->state != GATE_DOMAIN_ENDED)
		status->end = GATE_END_NONE;
	status->pages = domain->account.pages;
	status->pages_peak = domain->account.peak;
	status->table_pages = domain->space.table.table_pages;
	status->monitor_pages = domain->monitor_pages;
	status->copied_pages = domain->copied_pages;
	if (domain->vm)
		vm_query(domain->vm, status);
}

/* ---- Destroyed ----------------------------------------------------------- */

#define KIB_PER_PAGE 4UL

static void domain_free(struct domain *domain)
{
	struct host *host = domain->host;
	struct mem_account account;

	devices_release(domain);
	irqs_release(domain);
	channels_leave(domain);
	for (unsigned i = 0; i < domain->thread_count; i++) {
		sched_breathe();
		thread_fini(domain, i);
	}
	if (domain->space.table.root) {
		domain_release_memory(domain);
		/* Nobody else knows of the tables: interrupts may come. */
		irq_enable();
		address_space_fini(&domain->space);
		irq_disable();
	}
	if (domain->vm)
		vm_destroy(domain->vm);
	if (domain->config)
		pages_free_virt(&host->pages, &domain->account, domain->config,
				0);
	account = domain->account;
	if (account.pages != 1U << DOMAIN_ORDER)
		log_warn("domain %s left %lu KiB behind", domain->spec.name,
			 account.pages * KIB_PER_PAGE);
	pages_free_virt(&host->pages, &account, domain, DOMAIN_ORDER);
}

int domain_destroy(struct domain *domain)
{
	if (domain->state == GATE_DOMAIN_RUNNING)
		return -EBUSY;
	if (!table_remove(domain))
		return -ENOENT;
	domain_put(domain); /* the table's */
	/* Threads on their way out, and others that just look. */
	while (__atomic_load_n(&domain->refs, __ATOMIC_ACQUIRE) > 1)
		sched_breathe();
	domain_free(domain);
	return 0;
}
