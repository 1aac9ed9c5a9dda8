/* SPDX-License-Identifier: BSD-2-Clause */
/* See sim.h. */
#include "tests/unit/fake/sim.h"

#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/mcheck.h"
#include "kernel/trap.h"
#include "include/log.h"
#include "include/panic.h"
#include "mm/phys.h"
#include "tests/unit/fake/gs.h"

#define STACK_SIZE KIB(128)

struct sim sim;
struct sim_log logged;
FAKE_X86_DEFINE;

/* ---- Stacks -------------------------------------------------------------- */

void sim_swap(void **save_sp, void *load_sp);
void sim_thread_begin(void);
void thread_entry(void);
void thread_first(void);

/* As include/x86.h's: what thread_create() puts on a stack fits. */
__asm__(".pushsection .text\n"
	".globl sim_swap\n"
	"sim_swap:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n"
	"	push %r13\n	push %r14\n	push %r15\n"
	"	lea 1f(%rip), %rax\n"
	"	push %rax\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	ret\n"
	"1:	pop %r15\n	pop %r14\n	pop %r13\n"
	"	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n"
	".globl thread_entry\n"
	"thread_entry:\n"
	"	sub $8, %rsp\n"
	"	call sim_thread_begin\n"
	"	ud2\n"
	".popsection\n");

static void context_go(struct sim_context *from, struct sim_context *to)
{
	__sanitizer_start_switch_fiber(&from->asan, to->bottom, to->size);
	sim_swap(&from->sp, to->sp);
	__sanitizer_finish_switch_fiber(from->asan, NULL, NULL);
}

static void context_prepare(struct sim_context *context, uint8_t *stack)
{
	uint64_t *sp = (uint64_t *)(stack + STACK_SIZE) - 2;

	memset(sp, 0, 2 * sizeof(*sp));
	sp[0] = (uint64_t)thread_entry;
	context->sp = sp;
	context->bottom = stack;
	context->size = STACK_SIZE;
}

/* At the bottom of its stack. */
static struct sim_context *context_of(const struct thread *thread)
{
	for (unsigned i = 0; i < sim.cpu_count; i++)
		if (thread == &sim.cpu[i].cpu.first_thread)
			return &sim.cpu[i].idle;
	return (void *)(thread->stack_top - STACK_SIZE);
}

static void load_cpu(unsigned number)
{
	struct sim_cpu *cpu = &sim.cpu[number];

	sim.current = number;
	fake_x86 = cpu->registers;
	sim.gs = &cpu->cpu;
}

static void go_to_cpu(unsigned number)
{
	struct sim_cpu *from = sim_this();

	if (number == sim.current)
		return;
	from->registers = fake_x86;
	load_cpu(number);
	context_go(from->context, sim.cpu[number].context);
}

/* The run is over; nobody comes back. */
static void go_to_test(void)
{
	struct sim_context *from = sim_this()->context;

	sim.is_running = false;
	context_go(from, &sim.test);
}

void sim_fail(const char *why)
{
	if (!sim.failure)
		sim.failure = why;
	if (sim.is_running)
		go_to_test();
}

uint32_t sim_random(uint32_t below)
{
	sim.random ^= sim.random << 13;
	sim.random ^= sim.random >> 7;
	sim.random ^= sim.random << 17;
	return (uint32_t)((sim.random >> 32) % below);
}

/* ---- Interrupts ---------------------------------------------------------- */

static void timers_look(void)
{
	for (unsigned i = 0; i < sim.cpu_count; i++) {
		struct sim_cpu *cpu = &sim.cpu[i];

		if (!cpu->timer || cpu->timer > sim.now)
			continue;
		cpu->timer = 0;
		cpu->irqs |= SIM_IRQ_TIMER;
	}
}

/* As kernel/trap.c's. */
static void irq_handle(struct cpu *cpu, uint32_t irq)
{
	cpu->irq_count++;
	if (irq == SIM_IRQ_TIMER)
		timer_interrupt(cpu);
	else if (irq == SIM_IRQ_KICK)
		sched_kicked(cpu);
	else
		cpu_call_serve(cpu);
}

static void irqs_take(void)
{
	struct sim_cpu *cpu = sim_this();

	while (fake_x86.is_irq_on && cpu->irqs) {
		uint32_t irq = cpu->irqs & -cpu->irqs;

		cpu->irqs &= ~irq;
		fake_x86.is_irq_on = false;
		cpu->is_in_irq = true;
		irq_handle(&cpu->cpu, irq);
		SIM_CHECK(cpu == sim_this());
		cpu->is_in_irq = false;
		fake_x86.is_irq_on = true;
	}
}

static bool lock_is_vm(const struct spinlock *lock);

static void irq_opened(void)
{
	struct sim_cpu *cpu = sim_this();

	cpu->irq_opens++;
	for (unsigned i = 0; i < cpu->held_count; i++)
		SIM_CHECK(lock_is_vm(cpu->held[i]));
	sim_point();
}

/* ---- Who runs ------------------------------------------------------------ */

static void time_goes_on(void)
{
	sim.now += sim.tick;
	timers_look();
	if (++sim.points > sim.points_max)
		sim_fail("it does not come to an end");
	if (sim.is_done && sim.points % 64 == 0 && sim.is_done())
		go_to_test();
}

/* One that has something to do; time goes on while others are drawn. */
static unsigned cpu_draw_even(unsigned n)
{
	while (sim.cpu[n].is_waiting && !sim.cpu[n].irqs) {
		time_goes_on();
		sim.idle_points++;
		if (sim_random(sim.switch_rate) == 0)
			n = sim_random(sim.cpu_count);
	}
	return n;
}

/* Another one that has something to do, or the same. */
static unsigned cpu_draw(void)
{
	unsigned first = sim_random(sim.cpu_count);

	if (sim.is_even)
		return cpu_draw_even(first);
	for (unsigned i = 0; i < sim.cpu_count; i++) {
		unsigned n = (first + i) % sim.cpu_count;

		if (n != sim.current &&
		    (!sim.cpu[n].is_waiting || sim.cpu[n].irqs))
			return n;
	}
	return sim.current;
}

void sim_point(void)
{
	if (!sim.is_running)
		return;
	time_goes_on();
	if (sim_random(sim.switch_rate) == 0)
		go_to_cpu(cpu_draw());
	irqs_take();
}

void sim_give_way(void)
{
	if (!sim.is_running)
		return;
	time_goes_on();
	go_to_cpu(cpu_draw());
	irqs_take();
}

void sim_spend(uint64_t tsc)
{
	sim.now += tsc;
	sim_point();
}

static void check_queue(struct sim_cpu *cpu)
{
	struct run_queue *queue = &cpu->cpu.queue;
	uint32_t domains = 0, ready = 0;

	for (struct list *d = queue->domains.next; d != &queue->domains;
	     d = d->next) {
		struct domain_queue *domain =
			list_entry(d, struct domain_queue, link);

		domains++;
		SIM_CHECK(domain->first);
		for (struct thread *thread = domain->first; thread;
		     thread = thread->next) {
			ready++;
			SIM_CHECK(thread->next || thread == domain->last);
			SIM_CHECK(thread->state == THREAD_READY);
			SIM_CHECK(thread->cpu == &cpu->cpu);
			SIM_CHECK(thread != queue->idle);
		}
	}
	SIM_CHECK(domains == queue->domain_count);
	SIM_CHECK(ready == queue->ready_count);
	SIM_CHECK(cpu->cpu.thread->state == THREAD_RUNNING);
}

/* Nobody has anything to do now: on to the next timer, or the end. */
static void all_wait(void)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < sim.cpu_count; i++) {
		check_queue(&sim.cpu[i]);
		SIM_CHECK(sim.cpu[i].cpu.queue.ready_count == 0 ||
			  sim.cpu[i].cpu.queue.is_held);
		if (sim.cpu[i].timer)
			next = MIN(next, sim.cpu[i].timer);
	}
	if (next == UINT64_MAX)
		go_to_test();
	sim.now = MAX(sim.now, next);
	timers_look();
}

/* HLT. */
static void wait_irq(void)
{
	struct sim_cpu *cpu = sim_this();

	SIM_CHECK(cpu->held_count == 0);
	/* What comes before the HLT does not end it. */
	sim_point();
	fake_x86.is_irq_on = true;
	cpu->is_waiting = true;
	while (!cpu->irqs) {
		unsigned next =
			sim.is_even ? cpu_draw_even(sim.current) : cpu_draw();

		if (!sim.is_even)
			time_goes_on();
		if (next != sim.current)
			go_to_cpu(next);
		else if (!cpu->irqs)
			all_wait();
	}
	cpu->is_waiting = false;
	irqs_take();
}

void sim_user(unsigned points)
{
	uint64_t seen = this_cpu()->irq_count;

	SIM_CHECK(sim_this()->held_count == 0);
	irq_enable();
	while (points--) {
		sim_point();
		/* As the trap code does on its way back. */
		while (this_cpu()->irq_count != seen) {
			irq_disable();
			sched_before_user();
			seen = this_cpu()->irq_count;
			irq_enable();
		}
	}
	irq_disable();
}

/* ---- Locks --------------------------------------------------------------- */

enum lock_class {
	LOCK_QUEUE,
	LOCK_SLICE,
	LOCK_TIMERS,
	LOCK_CALL,
	LOCK_VM,
	LOCK_SPACE,
	LOCK_TABLE,
	LOCK_OTHER, /* timers' own, above all */
	LOCK_CLASSES,
};

static bool lock_under[LOCK_CLASSES][LOCK_CLASSES]; /* [held][taken] */
static bool lock_in_irq[LOCK_CLASSES], lock_with_irqs[LOCK_CLASSES];

static enum lock_class lock_class_vm(const struct spinlock *lock)
{
	static const enum lock_class classes[] = {
		[SIM_LOCK_OTHER] = LOCK_OTHER,
		[SIM_LOCK_LONG] = LOCK_VM,
		[SIM_LOCK_SPACE] = LOCK_SPACE,
		[SIM_LOCK_TABLE] = LOCK_TABLE,
	};

	return classes[sim.lock_sort ? sim.lock_sort(lock) : SIM_LOCK_OTHER];
}

static bool lock_is_vm(const struct spinlock *lock)
{
	return lock_class_vm(lock) == LOCK_VM;
}

static enum lock_class lock_class(const struct spinlock *lock)
{
	if (lock == &sim.host.call_lock)
		return LOCK_CALL;
	for (unsigned i = 0; i < sim.cpu_count; i++) {
		const struct cpu *cpu = &sim.cpu[i].cpu;

		if (lock == &cpu->queue.lock)
			return LOCK_QUEUE;
		if (lock == &cpu->queue.slice.lock)
			return LOCK_SLICE;
		if (lock == &cpu->timers.lock)
			return LOCK_TIMERS;
	}
	return lock_class_vm(lock);
}

static bool is_reachable(enum lock_class from, enum lock_class to,
			 unsigned depth)
{
	if (lock_under[from][to])
		return true;
	for (unsigned via = 0; depth && via < LOCK_CLASSES; via++)
		if (lock_under[from][via] && is_reachable(via, to, depth - 1))
			return true;
	return false;
}

void fake_lock_wait(struct spinlock *lock)
{
	const struct sim_cpu *cpu = sim_this();

	for (unsigned i = 0; i < cpu->held_count; i++)
		SIM_CHECK(cpu->held[i] != lock);
	sim_give_way();
}

void fake_lock_tried(struct spinlock *lock)
{
	struct sim_cpu *cpu = sim_this();
	enum lock_class class = lock_class(lock);

	if (!sim.is_running)
		return;
	lock_in_irq[class] |= cpu->is_in_irq;
	lock_with_irqs[class] |= fake_x86.is_irq_on;
	SIM_CHECK(!lock_in_irq[class] || !lock_with_irqs[class]);
	SIM_CHECK(cpu->held_count < SIM_HELD_MAX);
	cpu->held[cpu->held_count++] = lock;
	sim_point();
}

void fake_lock_taken(struct spinlock *lock)
{
	struct sim_cpu *cpu = sim_this();
	enum lock_class class = lock_class(lock);

	for (unsigned i = 0; sim.is_running && i < cpu->held_count; i++) {
		enum lock_class held = lock_class(cpu->held[i]);

		lock_under[held][class] = true;
		SIM_CHECK(!is_reachable(class, held, LOCK_CLASSES));
	}
	fake_lock_tried(lock);
}

void fake_lock_released(struct spinlock *lock)
{
	struct sim_cpu *cpu = sim_this();
	unsigned i = 0;

	if (!sim.is_running)
		return;
	sim_point();
	while (i < cpu->held_count && cpu->held[i] != lock)
		i++;
	SIM_CHECK(i < cpu->held_count);
	cpu->held[i] = cpu->held[--cpu->held_count];
	if (lock_class(lock) == LOCK_QUEUE)
		check_queue(container_of(lock, struct sim_cpu, cpu.queue.lock));
}

/* Whoever is switched away takes along what it holds but its queue's lock. */
static void held_save(struct sim_cpu *cpu, struct sim_context *context)
{
	unsigned kept = 0, saved = 0;

	for (unsigned i = 0; i < cpu->held_count; i++) {
		struct spinlock *lock = cpu->held[i];

		if (!lock_is_vm(lock)) {
			cpu->held[kept++] = lock;
			continue;
		}
		SIM_CHECK(saved < SIM_LONGS_MAX);
		context->held[saved++] = lock;
	}
	cpu->held_count = kept;
}

static void held_restore(struct sim_cpu *cpu, struct sim_context *context)
{
	for (unsigned i = 0; i < SIM_LONGS_MAX; i++) {
		if (context->held[i])
			cpu->held[cpu->held_count++] = context->held[i];
		context->held[i] = NULL;
	}
}

/* ---- What the code under test stands on ---------------------------------- */

void thread_switch(uint64_t *save_rsp, uint64_t load_rsp)
{
	struct sim_cpu *cpu = sim_this();
	struct thread *from = container_of(save_rsp, struct thread, saved_rsp);
	struct thread *to = cpu->cpu.thread;
	struct sim_context *old = context_of(from), *new = context_of(to);

	SIM_CHECK(old == cpu->context && from != to);
	held_save(cpu, old);
	/* The queue's lock alone is held across. */
	SIM_CHECK(cpu->held_count == 1);
	SIM_CHECK(cpu->held[0] == &cpu->cpu.queue.lock);
	SIM_CHECK(!fake_x86.is_irq_on && !cpu->is_in_irq);
	SIM_CHECK(cpu->cpu.kernel_stack_top == to->stack_top);
	SIM_CHECK(cpu->cpu.tss.rsp[0] == to->stack_top);
	SIM_CHECK(fake_x86.cr[3] == to->cr3);
	sim.switches++;
	cpu->context = new;
	__sanitizer_start_switch_fiber(&old->asan, new->bottom, new->size);
	sim_swap((void **)save_rsp, (void *)load_rsp);
	__sanitizer_finish_switch_fiber(old->asan, NULL, NULL);
	/* It may have moved. */
	held_restore(sim_this(), old);
}

void sim_thread_begin(void)
{
	struct sim_cpu *cpu = sim_this();
	struct sim_context *test = sim.test.size ? NULL : &sim.test;

	/* The first one learns where the test's own stack is. */
	__sanitizer_finish_switch_fiber(NULL, test ? &test->bottom : NULL,
					test ? &test->size : NULL);
	if (cpu->context == &cpu->idle)
		sched_idle();
	thread_first();
}

/* What is allocated, for whoever abandons it. */
struct held {
	struct held *next;
	void *memory;
};

static struct held *allocated;

static void *memory_alloc(size_t size)
{
	struct held *held = malloc(sizeof(*held));

	held->memory = aligned_alloc(PAGE_SIZE, size);
	held->next = allocated;
	allocated = held;
	return held->memory;
}

static void memory_free(void *memory)
{
	struct held **at = &allocated, *held;

	while (*at && (*at)->memory != memory)
		at = &(*at)->next;
	held = *at;
	if (!held) {
		sim_fail("freed twice, or never allocated");
		return;
	}
	*at = held->next;
	free(held);
	free(memory);
}

bool sim_page_is_allocated(hpa_t hpa)
{
	const struct held *at = allocated;

	while (at && at->memory != phys_to_virt(hpa))
		at = at->next;
	return at;
}

void *map_stack_alloc(struct kernel_map *map)
{
	uint8_t *stack = memory_alloc(STACK_SIZE);
	struct sim_context *context = (void *)stack;

	(void)map;
	*context = (struct sim_context){ .bottom = stack, .size = STACK_SIZE };
	sim.stacks++;
	return stack + STACK_SIZE;
}

void map_stack_free(struct kernel_map *map, void *top)
{
	void *stack = (uint8_t *)top - STACK_SIZE;

	(void)map;
	for (unsigned i = 0; i < sim.cpu_count; i++)
		SIM_CHECK(sim.cpu[i].context != stack);
	sim.stacks--;
	memory_free(stack);
}

/* A page of the host's is one of the heap, at its own address. */
void *phys_to_virt(hpa_t hpa)
{
	return (void *)hpa;
}

hpa_t virt_to_phys(const void *virt)
{
	return (hpa_t)virt;
}

hpa_t pages_alloc(struct pages *pages, struct mem_account *account,
		  unsigned order)
{
	(void)pages;
	if (!sim.pages_left)
		return 0;
	sim.pages_left--;
	if (account)
		account->pages += 1ULL << order;
	sim.pages += 1U << order;
	return (hpa_t)memory_alloc(PAGE_SIZE << order);
}

void *pages_alloc_zeroed(struct pages *pages, struct mem_account *account,
			 unsigned order)
{
	void *page = phys_to_virt(pages_alloc(pages, account, order));

	return page ? memset(page, 0, PAGE_SIZE << order) : NULL;
}

void pages_free(struct pages *pages, struct mem_account *account, hpa_t hpa,
		unsigned order)
{
	pages_free_virt(pages, account, phys_to_virt(hpa), order);
}

void pages_free_virt(struct pages *pages, struct mem_account *account,
		     void *virt, unsigned order)
{
	(void)pages;
	if (account)
		account->pages -= 1ULL << order;
	sim.pages -= 1U << order;
	memory_free(virt);
}

int pages_move(struct pages *pages, struct mem_account *from,
	       struct mem_account *to, uint64_t count)
{
	(void)pages;
	from->pages -= count;
	to->pages += count;
	return 0;
}

void lapic_send(const struct lapic *lapic, uint32_t apic_id, uint32_t vector)
{
	(void)lapic;
	sim.cpu[apic_id].irqs |=
		vector == VECTOR_CALL ? SIM_IRQ_CALL : SIM_IRQ_KICK;
	sim_point();
}

void lapic_timer_deadline(uint64_t tsc)
{
	sim_this()->timer = tsc;
	timers_look();
}

void lapic_timer_start(const struct lapic *lapic, uint32_t count)
{
	(void)lapic;
	lapic_timer_deadline(count ? sim.now + count : 0);
}

uint32_t lapic_timer_left(const struct lapic *lapic)
{
	(void)lapic;
	return 0;
}

void speculation_switch(struct cpu *cpu, const struct sched_domain *domain)
{
	SIM_CHECK(cpu == this_cpu() && cpu->thread->domain == domain);
	sim.barriers++;
}

void monitor_panic(const char *format, ...)
{
	sim_fail(format);
	abort();
}

static void log_count(enum log_level level)
{
	if (level != LOG_ERROR)
		return;
	logged.errors++;
	logged.errors_irq_off += !fake_x86.is_irq_on;
}

void log_print(enum log_level level, const char *format, ...)
{
	(void)format;
	log_count(level);
}

void vlog_once(struct log_source *source, enum log_level level,
	       const char *format, ...)
{
	(void)level;
	(void)source;
	(void)format;
}

void vlog_print(struct log_source *source, enum log_level level,
		const char *format, ...)
{
	(void)source;
	(void)format;
	log_count(level);
}

unsigned sim_timers(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sim.cpu_count; i++) {
		const struct cpu *cpu = &sim.cpu[i].cpu;

		for (const struct timer *timer = cpu->timers.first; timer;
		     timer = timer->next)
			count += timer != &cpu->queue.slice;
	}
	return count;
}

/* ---- A run --------------------------------------------------------------- */

static uint64_t tsc_now(void)
{
	sim_point();
	return sim.now;
}

static void cpu_setup(struct sim_cpu *cpu, unsigned number)
{
	uint8_t *stack = aligned_alloc(PAGE_SIZE, STACK_SIZE);

	cpu->cpu.self = &cpu->cpu;
	cpu->cpu.id = cpu->cpu.apic_id = number;
	cpu->cpu.host = &sim.host;
	cpu->cpu.is_online = true;
	cpu->cpu.timers.programmed = TIMER_NEVER;
	cpu->registers = (struct fake_x86){
		.tsc_read = tsc_now,
		.irq_opened = irq_opened,
		.relax = sim_give_way,
		.wait_irq = wait_irq,
		.cr[3] = sim.host.map.table.root,
	};
	context_prepare(&cpu->idle, stack);
	cpu->context = &cpu->idle;
	sim.host.cpu[number] = &cpu->cpu;
	sched_init_cpu(&cpu->cpu, &cpu->cpu.first_thread);
}

void sim_setup(unsigned cpus, uint64_t seed)
{
	memset(&sim, 0, sizeof(sim));
	memset(&logged, 0, sizeof(logged));
	memset(lock_under, 0, sizeof(lock_under));
	memset(lock_in_irq, 0, sizeof(lock_in_irq));
	memset(lock_with_irqs, 0, sizeof(lock_with_irqs));
	sim.cpu = aligned_alloc(PAGE_SIZE, cpus * sizeof(*sim.cpu));
	memset(sim.cpu, 0, cpus * sizeof(*sim.cpu));
	sim.cpu_count = sim.host.cpu_count = cpus;
	sim.now = sim.host.time.boot_tsc = 1000;
	sim.tick = 100;
	sim.random = seed * 0x9e3779b97f4a7c15 | 1;
	sim.switch_rate = 4;
	sim.points_max = 20000000;
	sim.pages_left = UINT32_MAX;
	sim.host.lapic.has_tsc_deadline = true;
	/* A tick is a nanosecond. */
	sim.host.time.tsc_hz = NSEC_PER_SEC;
	sim.host.time.tsc_to_ns.mul = sim.host.time.ns_to_tsc.mul = 1;
	sim.host.map.table.root = 0x1000;
	for (unsigned i = 0; i < cpus; i++)
		cpu_setup(&sim.cpu[i], i);
	fake_gs_set(&sim.gs);
	load_cpu(0);
}

const char *sim_run(void)
{
	sim_this()->registers = fake_x86;
	load_cpu(0);
	sim.is_running = true;
	context_go(&sim.test, sim_this()->context);
	return sim.failure;
}

void sim_teardown(void)
{
	for (unsigned i = 0; i < sim.cpu_count; i++)
		free((void *)sim.cpu[i].idle.bottom);
	free(sim.cpu);
	sim.cpu = NULL;
}

void sim_abandon(void)
{
	while (allocated)
		memory_free(allocated->memory);
	sim_teardown();
}
