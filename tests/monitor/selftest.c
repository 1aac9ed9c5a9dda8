/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the monitor's base on the (simulated) machine itself: linked in
 * vm/vm.c's place, it runs as host_start() and prints PASS or FAIL lines.
 * Boot modules named crash-... choose one of the ways to die, whose report
 * tests/monitor/run then looks for.
 */
#include "include/boot.h"
#include "include/errno.h"
#include "include/log.h"
#include "include/panic.h"
#include "include/x86.h"
#include "include/x86_state.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "lib/string.h"
#include "mm/phys.h"

extern const char image_init[], image_text[];

#define USER_PAGE   0x400000ULL
#define THREADS	    6
#define ROUNDS	    50
#define CROSSINGS   8
#define TIMER_COUNT 4

static void report(bool is_good, const char *name)
{
	log_info("%s %s", is_good ? "PASS" : "FAIL", name);
}

/* ---- Timers -------------------------------------------------------------- */

struct timer_probe {
	struct timer timer;
	struct timer_probe **last; /* expiry order */
	uint64_t fired_tsc;
	bool is_out_of_order;
};

static void probe_fired(void *ctx)
{
	struct timer_probe *probe = ctx;

	probe->fired_tsc = time_now_tsc();
	probe->is_out_of_order =
		*probe->last &&
		(*probe->last)->timer.deadline_tsc > probe->timer.deadline_tsc;
	*probe->last = probe;
}

static void test_timers(void)
{
	static const unsigned ms[TIMER_COUNT] = { 30, 10, 20, 10 };
	struct timer_probe probe[TIMER_COUNT] = { 0 };
	struct timer_probe *last = NULL;
	uint64_t start = time_now_tsc();
	bool is_good = true;
	unsigned i;

	for (i = 0; i < TIMER_COUNT; i++) {
		probe[i].timer.fn = probe_fired;
		probe[i].timer.ctx = &probe[i];
		probe[i].last = &last;
		timer_arm(&probe[i].timer,
			  start + time_ns_to_tsc(ms[i] * NSEC_PER_MS));
	}
	timer_cancel(&probe[3].timer);
	while (time_now_tsc() < start + time_ns_to_tsc(60 * NSEC_PER_MS))
		cpu_relax();
	for (i = 0; i < 3; i++)
		is_good &= probe[i].fired_tsc >= probe[i].timer.deadline_tsc &&
			   !probe[i].is_out_of_order;
	report(is_good, "timers in order and not early");
	report(probe[3].fired_tsc == 0, "timer cancelled");
}

/* ---- Threads ------------------------------------------------------------- */

struct ring {
	struct thread *thread[THREADS];
	uint32_t turns[THREADS];
	uint32_t ended;
	uint32_t wrong_cpu;
};

struct ring_member {
	struct ring *ring;
	unsigned index;
};

/* Passes a token round, across CPUs, by blocking and waking. */
static void ring_thread(void *arg)
{
	struct ring_member *self = arg;
	struct ring *ring = self->ring;
	unsigned next = (self->index + 1) % THREADS;

	for (unsigned i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&ring->turns[self->index],
				       __ATOMIC_ACQUIRE) <= i)
			thread_block();
		if (this_cpu() != ring->thread[self->index]->cpu)
			ring->wrong_cpu++;
		__atomic_fetch_add(&ring->turns[next], 1, __ATOMIC_RELEASE);
		thread_wake(ring->thread[next]);
	}
	__atomic_fetch_add(&ring->ended, 1, __ATOMIC_RELEASE);
}

static bool wait_for(const uint32_t *word, uint32_t value, unsigned ms)
{
	uint64_t end = time_now_ns() + ms * NSEC_PER_MS;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
		if (time_now_ns() > end)
			return false;
		if (sched_should_yield(this_cpu()))
			sched_yield();
	}
	return true;
}

static void test_threads(void)
{
	static struct ring ring;
	static struct ring_member member[THREADS];
	uint64_t free_before;
	unsigned i;

	for (i = 0; i < THREADS; i++) {
		member[i] = (struct ring_member){ &ring, i };
		ring.thread[i] = thread_create("ring", ring_thread, &member[i],
					       THREAD_ANY_CPU);
		if (!ring.thread[i]) {
			report(false, "threads created");
			return;
		}
	}
	free_before = this_host()->pages.free;
	ring.turns[0] = 1;
	for (i = 0; i < THREADS; i++)
		thread_start(ring.thread[i]);
	report(wait_for(&ring.ended, THREADS, 5000), "threads pass a token");
	report(ring.wrong_cpu == 0, "threads stay on their CPU");
	time_delay_ns(20 * NSEC_PER_MS);
	if (sched_should_yield(this_cpu()))
		sched_yield();
	report(this_host()->pages.free == free_before + THREADS,
	       "ended threads give their pages back");
}

struct hog {
	volatile bool stop;
	volatile uint64_t turns; /* that the scheduler ended */
	uint32_t ended;
};

static void hog_thread(void *arg)
{
	struct hog *hog = arg;

	while (!hog->stop) {
		if (!sched_should_yield(this_cpu()))
			continue;
		hog->turns++;
		sched_yield();
	}
	__atomic_fetch_add(&hog->ended, 1, __ATOMIC_RELEASE);
}

static void controller_thread(void *arg)
{
	struct hog *hog = arg;
	uint64_t end = time_now_ns() + 200 * NSEC_PER_MS;

	while (time_now_ns() < end)
		if (sched_should_yield(this_cpu()))
			sched_yield();
	hog[0].stop = true;
	hog[1].stop = true;
	__atomic_fetch_add(&hog[0].ended, 1, __ATOMIC_RELEASE);
}

static void test_slices(void)
{
	static struct hog hog[2];
	uint32_t cpu = this_host()->cpu_count - 1;
	struct thread *a = thread_create("hog0", hog_thread, &hog[0], cpu);
	struct thread *b = thread_create("hog1", hog_thread, &hog[1], cpu);
	struct thread *c = thread_create("end", controller_thread, hog, cpu);
	uint64_t x, y;

	if (!a || !b || !c) {
		report(false, "threads created");
		return;
	}
	thread_start(a);
	thread_start(b);
	thread_start(c);
	report(wait_for(&hog[0].ended, 2, 5000) &&
		       wait_for(&hog[1].ended, 1, 5000),
	       "busy threads end");
	x = hog[0].turns;
	y = hog[1].turns;
	/* Turns, not work: how long each is depends on the simulator's host. */
	report(x >= 2 && x <= y + 2 && y <= x + 2, "busy threads share a CPU");
}

/* ---- Memory -------------------------------------------------------------- */

static void count_call(void *ctx)
{
	__atomic_fetch_add((uint32_t *)ctx, 1, __ATOMIC_RELAXED);
}

static void test_calls(void)
{
	uint32_t count = 0;

	cpu_call_others(count_call, &count);
	report(count == this_host()->cpu_count - 1, "call to all other CPUs");
}

static bool page_is_free(const struct pages *pages, hpa_t hpa)
{
	unsigned page = (hpa >> PAGE_SHIFT) % PAGES_PER_BLOCK;

	return pages->block[hpa / PAGE_2M].free[page / 64] & BIT(page % 64);
}

static bool page_is_zero(hpa_t hpa)
{
	const uint64_t *word = phys_to_virt(hpa);

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		if (word[i])
			return false;
	return true;
}

static void count_mapped(void *ctx)
{
	uint64_t va = (uint64_t)image_init;

	for (; va < (uint64_t)image_text; va += PAGE_SIZE)
		if (map_is_mapped(va))
			__atomic_fetch_add((uint32_t *)ctx, 1,
					   __ATOMIC_RELAXED);
}

/* First of all tests: none has taken any of the pages yet. */
static void test_boot_freed(void)
{
	hpa_t from = virt_to_phys(image_init), to = virt_to_phys(image_text);
	uint32_t mapped = 0, free = 0, dirty = 0;

	count_mapped(&mapped);
	cpu_call_others(count_mapped, &mapped);
	for (hpa_t hpa = from; hpa < to; hpa += PAGE_SIZE) {
		free += page_is_free(&this_host()->pages, hpa);
		dirty += !page_is_zero(hpa);
	}
	report(to > from && mapped == 0, "start-up code is unmapped");
	report(free == (to - from) / PAGE_SIZE,
	       "start-up code's pages are free");
	report(dirty == 0, "start-up code's pages are scrubbed");
}

static void test_modules(const struct boot_modules *modules)
{
	bool is_good = modules->count > 0;

	for (unsigned i = 0; is_good && i < modules->count; i++) {
		hpa_t at = modules->module[i].base;
		hpa_t end = at + modules->module[i].length;

		is_good = IS_ALIGNED(at, PAGE_SIZE);
		for (; is_good && at < end; at += PAGE_SIZE)
			is_good = map_is_mapped((uint64_t)phys_to_virt(at)) &&
				  !page_is_free(&this_host()->pages, at);
		for (; is_good && end < at; end++)
			is_good = *(const uint8_t *)phys_to_virt(end) == 0;
	}
	report(is_good, "boot modules have whole pages");
}

struct callers {
	uint32_t ready;
	uint32_t ended;
	uint32_t count;
};

static void caller_thread(void *arg)
{
	struct callers *callers = arg;
	uint64_t flags = irq_save();

	__atomic_fetch_add(&callers->ready, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&callers->ready, __ATOMIC_ACQUIRE) !=
	       this_host()->cpu_count)
		cpu_relax();
	for (unsigned i = 0; i < CROSSINGS; i++)
		cpu_call_others(count_call, &callers->count);
	irq_restore(flags);
	__atomic_fetch_add(&callers->ended, 1, __ATOMIC_RELEASE);
}

/* All CPUs call all others at once, with interrupts off. */
static void test_calls_crossing(void)
{
	static struct callers callers;
	uint32_t cpus = this_host()->cpu_count;

	for (uint32_t i = 0; i < cpus; i++) {
		struct thread *thread =
			thread_create("caller", caller_thread, &callers, i);

		if (thread)
			thread_start(thread);
	}
	report(wait_for(&callers.ended, cpus, 20000) &&
		       callers.count == CROSSINGS * cpus * (cpus - 1),
	       "calls that cross with interrupts off");
}

static int guest_memory_fill(void *ctx, void *to, uint64_t offset)
{
	uint64_t *expected = ctx;

	memset(to, 0, MAP_GUEST_PIECE);
	if (offset != *expected)
		return -EINVAL;
	*expected += MAP_GUEST_PIECE;
	return *expected > PAGE_2M ? -EFAULT : 0;
}

static void test_guest_memory(void)
{
	struct kernel_map *map = &this_host()->map;
	struct mem_account account = { .name = "test" };
	uint64_t expected = PAGE_2M / 2;
	bool is_mapped;
	hpa_t hpa;

	report(!map_guest_alloc_2m(map, &account, 0, guest_memory_fill,
				   &expected) &&
		       !account.pages,
	       "guest memory that cannot be filled is none");
	expected = 0;
	hpa = map_guest_alloc_2m(map, &account, 0, guest_memory_fill,
				 &expected);

	map_guest_flush(map);
	is_mapped = hpa && map_is_mapped((uint64_t)phys_to_virt(hpa));
	report(hpa && !is_mapped && account.pages == PAGES_PER_BLOCK,
	       "guest memory is not in the monitor's map");
	if (hpa)
		map_guest_free_2m(map, &account, hpa);
	report(map_is_mapped((uint64_t)phys_to_virt(hpa)) && !account.pages,
	       "freed guest memory is back");
}

static void test_user_copy(void)
{
	struct host *host = this_host();
	struct address_space space;
	struct mem_account account = { .name = "test" };
	hpa_t page = pages_alloc(&host->pages, &account, 0);
	char text[16] = "hello, ring 3";
	char back[16] = "";
	uint64_t old = cr3_read();

	if (!page || address_space_init(&space, &host->map, &account) ||
	    address_space_map(&space, USER_PAGE, page, PAGE_SIZE,
			      MAP_READ | MAP_WRITE)) {
		report(false, "address space made");
		return;
	}
	cr3_write(space.table.root);
	report(!copy_to_user((void *)USER_PAGE, text, sizeof(text)) &&
		       !copy_from_user(back, (void *)USER_PAGE, sizeof(back)) &&
		       !memcmp(text, back, sizeof(text)),
	       "user copies");
	report(copy_from_user(back, (void *)(USER_PAGE + PAGE_SIZE - 8), 16) ==
			       -EFAULT &&
		       copy_to_user((void *)(USER_PAGE - 8), text, 16) ==
			       -EFAULT,
	       "user copies that fault");
	report(copy_from_user(back, host, 16) == -EFAULT &&
		       copy_from_user(back, (void *)USER_END, 1) == -EFAULT &&
		       copy_from_user(back, (void *)USER_PAGE, UINT64_MAX) ==
			       -EFAULT,
	       "user copies outside ring 3's half");
	report(address_space_map(&space, USER_PAGE, page, PAGE_SIZE,
				 MAP_READ | MAP_WRITE | MAP_EXEC) == -EINVAL,
	       "no page writable and executable");
	cr3_write(old);
	address_space_fini(&space);
	pages_free(&host->pages, &account, page, 0);
	report(account.pages == 0, "address space gives all pages back");
}

/* Whether a root maps va, and for ring 3. */
static bool root_maps(const struct address_space *space, hpa_t root,
		      const void *va, bool for_user)
{
	struct page_table table = space->table;
	struct table_leaf leaf;

	table.root = root;
	return table_query(&table, (uint64_t)va, &leaf) &&
	       (bool)(leaf.prot & MAP_USER) == for_user;
}

/* Of the monitor ring 3's root has what was shown to it, and nothing else. */
static void test_isolation(void)
{
	struct host *host = this_host();
	struct mem_account account = { .name = "test" };
	struct kernel_map map = host->map;
	struct address_space space = { .user_root = 0 };
	hpa_t page = pages_alloc(&host->pages, &account, 0);
	void *const user = (void *)USER_PAGE;

	if (!page || map_isolate(&map) ||
	    map_entry_add(&map, trap_idt, PAGE_SIZE, MAP_READ) ||
	    address_space_init(&space, &map, &account) ||
	    address_space_map(&space, USER_PAGE, page, PAGE_SIZE,
			      MAP_READ | MAP_WRITE)) {
		report(false, "isolated address space made");
		return;
	}
	address_space_complete(&space);
	report(root_maps(&space, space.user_root, trap_idt, false) &&
		       root_maps(&space, space.user_root, user, true),
	       "ring 3's root has its own half and the entries");
	report(!root_maps(&space, space.user_root, log_print, false) &&
		       !root_maps(&space, space.user_root, host, false) &&
		       !root_maps(&space, space.user_root, phys_to_virt(page),
				  false),
	       "ring 3's root has nothing else of the monitor");
	report(!root_maps(&space, map.table.root, user, true) &&
		       root_maps(&space, space.table.root, user, true) &&
		       root_maps(&space, space.table.root, host, false),
	       "ring 0's root has no ring 3, the one for copies has both");
	address_space_fini(&space);
	pages_free(&host->pages, &account, page, 0);
	table_fini(&map.entry, TABLE_ENTRIES);
	report(account.pages == 0, "isolated address space is gone");
}

/* Nothing is in the banks: the handler has to find that and return. */
static void test_machine_check(void)
{
	__asm__ volatile("int %0" : : "i"(X86_VECTOR_MC) : "memory");
	report(cr4_read() & X86_CR4_MCE, "a machine check that is none");
}

/* ---- Ways into ring 0 ---------------------------------------------------- */

/* Counts the CPUs on which a descriptor of the LDT is more than absent. */
static void ldt_probe(void *ctx)
{
	uint32_t rights, selector = BIT(2); /* the LDT's first */
	bool is_there;

	__asm__ volatile("lar %2, %0"
			 : "=r"(rights), "=@ccz"(is_there)
			 : "r"(selector));
	if (is_there)
		__atomic_fetch_add((uint32_t *)ctx, 1, __ATOMIC_RELAXED);
}

static void mce_probe(void *ctx)
{
	if (cr4_read() & X86_CR4_MCE)
		__atomic_fetch_add((uint32_t *)ctx, 1, __ATOMIC_RELAXED);
}

static void test_entries(void)
{
	uint32_t ldts = 0, mces = 0;

	ldt_probe(&ldts);
	cpu_call_others(ldt_probe, &ldts);
	report(ldts == 0, "no CPU has an LDT");
	mce_probe(&mces);
	cpu_call_others(mce_probe, &mces);
	report(mces == this_host()->cpu_count, "all CPUs take machine checks");
}

/* ---- Between domains ----------------------------------------------------- */

/* TSC ticks, which are instructions under -icount, of a switch to domain. */
static uint64_t switch_ticks(const struct sched_domain *domain)
{
	uint64_t flags = irq_save(), start = time_now_tsc();

	speculation_switch(this_cpu(), domain);
	start = time_now_tsc() - start;
	irq_restore(flags);
	return start;
}

/* What a barrier adds to a switch that has none, the least of a few. */
static uint64_t barrier_ticks(const struct speculation *barriers)
{
	struct sched_domain domain[2] = { 0 };
	uint64_t least = UINT64_MAX;

	sched_domain_init(&domain[0], 100, 0);
	sched_domain_init(&domain[1], 100, 0);
	this_host()->speculation = *barriers;
	for (unsigned i = 0; i < 8; i++) {
		uint64_t ticks = switch_ticks(&domain[i % 2]);

		least = MIN(least, ticks - MIN(ticks, switch_ticks(NULL)));
	}
	return least;
}

/* A domain pays when another ran before it, and only then. */
static void test_barriers(void)
{
	static const struct speculation rsb = { .rsb = true };
	struct speculation old = this_host()->speculation;
	struct sched_domain first = { 0 }, second = { 0 };
	struct cpu *cpu = this_cpu();
	uint64_t flags = irq_save();

	sched_domain_init(&first, 100, 0);
	sched_domain_init(&second, 100, 0);
	this_host()->speculation = rsb;
	report(first.id && second.id && first.id != second.id,
	       "domains have numbers of their own");
	speculation_switch(cpu, &first);
	report(cpu->last_domain == first.id, "a domain comes to a CPU");
	speculation_switch(cpu, NULL);
	report(cpu->last_domain == first.id,
	       "the monitor's own threads are no domain");
	speculation_switch(cpu, &second);
	report(cpu->last_domain == second.id, "another domain comes");
	this_host()->speculation = old;
	irq_restore(flags);
}

/* For scripts/bench.  IBPB, and the MSR that flushes, are one WRMSR each. */
static void bench_barriers(void)
{
	static const struct {
		const char *name;
		struct speculation barriers;
	} rows[] = {
		{ "none", { .is_on = true } },
		{ "rsb", { .rsb = true } },
		{ "verw", { .verw = true } },
		{ "l1d.reads",
		  { .l1d_flush = true, .lacks = SPECULATION_LACKS_L1D_FLUSH } },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		log_info("BARRIER %s %lu", rows[i].name,
			 barrier_ticks(&rows[i].barriers));
	host_power_off(HOST_EXIT_CODE_DONE);
}

/* ---- Ways to die --------------------------------------------------------- */

static __noinline void write_to(uint64_t address)
{
	__asm__ volatile("movb $0, (%0)" : : "r"(address) : "memory");
}

static __noinline void read_from(uint64_t address)
{
	uint8_t byte;

	__asm__ volatile("movb (%1), %0"
			 : "=q"(byte)
			 : "r"(address)
			 : "memory");
}

static __noinline uint64_t overflow(uint64_t depth)
{
	volatile char room[512];

	room[0] = (char)depth;
	if (depth == UINT64_MAX)
		return 0;
	return overflow(depth + 1) + (uint64_t)room[0];
}

static void overflow_thread(void *arg)
{
	(void)arg;
	log_info("%lu", overflow(0));
}

/* tests/monitor/run makes QEMU raise them. */
static void wait_for_machine_checks(void)
{
	uint64_t end = time_now_ns() + 20000 * NSEC_PER_MS;

	log_info("waiting for machine checks");
	while (time_now_ns() < end)
		cpu_relax();
}

static bool is_given(const struct boot_modules *modules, const char *name)
{
	for (unsigned i = 0; i < modules->count; i++)
		if (strcmp(modules->module[i].name, name) == 0)
			return true;
	return false;
}

static void crash(const struct boot_modules *modules)
{
	struct thread *thread;

	if (is_given(modules, "crash-null"))
		write_to(8);
	if (is_given(modules, "crash-boot"))
		read_from((uint64_t)image_init + PAGE_SIZE);
	if (is_given(modules, "crash-text"))
		write_to((uint64_t)image_text);
	if (is_given(modules, "crash-verify"))
		VERIFY(modules == NULL);
	if (is_given(modules, "crash-reserved"))
		__asm__ volatile("int $22");
	if (is_given(modules, "crash-mce"))
		wait_for_machine_checks();
	if (is_given(modules, "crash-stack")) {
		thread = thread_create("deep", overflow_thread, NULL, 0);
		if (thread)
			thread_start(thread);
		sched_idle();
	}
}

void host_start(void)
{
	const struct boot_modules *modules = &this_host()->modules;

	crash(modules);
	if (is_given(modules, "bench-barriers"))
		bench_barriers();
	test_boot_freed();
	test_modules(modules);
	test_timers();
	test_threads();
	test_slices();
	test_calls();
	test_calls_crossing();
	test_guest_memory();
	test_user_copy();
	test_isolation();
	test_machine_check();
	test_entries();
	test_barriers();
	log_info("end of tests");
	host_power_off(HOST_EXIT_CODE_DONE);
}
