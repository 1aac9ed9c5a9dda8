/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies on write, on simulated CPUs from many seeds: what a program writes is
 * its own, how many faults and pages that takes, and what two threads on two
 * CPUs see of each other's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mm/pages.h"
#include "mm/phys.h"
#include "tests/unit/fake/program.h"

#define SEEDS	     40
#define PAGES	     BOOT_MODULES_MAX /* each a module's */
#define ZERO_VA	     (GATE_MODULE_VA + MIB(4))
#define PF_WRITES_RO (BIT(0) | BIT(1))

static gate_id id;
static unsigned faults, done;
static bool is_memory_gone;
static uint8_t expected[PAGES];

static uint64_t page_va(unsigned page)
{
	return GATE_MODULE_VA + page * PAGE_SIZE;
}

/* As ring 3 and the processor. */
static void store(struct user_thread *user, uint64_t va, uint8_t value)
{
	uint8_t *byte;

	while (!(byte = space_touch(user->domain, va, true))) {
		__atomic_fetch_add(&faults, 1, __ATOMIC_SEQ_CST);
		SIM_CHECK(domain_fault(user, va, PF_WRITES_RO));
		sim_user(1);
	}
	*byte = value;
}

static uint8_t load(const struct user_thread *user, uint64_t va)
{
	const uint8_t *byte = space_touch(user->domain, va, false);

	SIM_CHECK(byte);
	return *byte;
}

static void map(struct domain *domain, uint64_t va, uint32_t kind,
		uint64_t size, unsigned module)
{
	const struct gate_domain_map what = {
		.va = va,
		.size = size,
		.kind = kind,
		.prot = GATE_PROT_READ | GATE_PROT_WRITE,
		.module = module,
	};

	SIM_CHECK(domain_map(domain, &what) == 0);
}

static void host_main(void *arg)
{
	struct boot_modules *modules = &sim.host.modules;
	struct domain *domain;

	host_begin();
	vm_host()->zero_page = virt_to_phys(pages_alloc_zeroed(NULL, NULL, 0));
	id = program_make((unsigned)(uintptr_t)arg);
	domain = domain_find(id);
	for (unsigned i = 0; i < PAGES; i++) {
		uint8_t *page = pages_alloc_zeroed(NULL, NULL, 0);

		page[1] = (uint8_t)i;
		modules->module[i].base = virt_to_phys(page);
		modules->module[i].length = PAGE_SIZE;
		modules->count = i + 1;
		map(domain, page_va(i), GATE_MEMORY_MODULE_COW, PAGE_SIZE, i);
	}
	map(domain, ZERO_VA, GATE_MEMORY_ZERO_COW, PAGES * PAGE_SIZE, 0);
	SIM_CHECK(domain_start(domain, FAKE_ENTRY) == 0);
	domain_put(domain);
	while (__atomic_load_n(&domain->state, __ATOMIC_SEQ_CST) ==
	       GATE_DOMAIN_RUNNING)
		sched_breathe();
	SIM_CHECK((domain->status.end == GATE_END_MEMORY) == is_memory_gone);
	program_unmake(id);
	for (unsigned i = 0; i < PAGES; i++) {
		uint8_t *page = phys_to_virt(modules->module[i].base);

		SIM_CHECK(page[0] == 0 && page[1] == i);
		pages_free_virt(NULL, NULL, page, 0);
	}
	pages_free(NULL, NULL, vm_host()->zero_page, 0);
	host_end();
}

static void nobody_is_told(struct domain *domain)
{
	(void)domain;
}

static void run(unsigned seed, unsigned threads, program_fn program)
{
	const char *why;

	sim_setup(1 + seed % 2, seed + 1);
	sim.tick = 50000;
	fake_vms = (struct fake_vms){ .program = program };
	fake_vms_begin(nobody_is_told);
	faults = done = 0;
	is_memory_gone = false;
	memset(expected, 0, sizeof(expected));
	host_thread(host_main, (void *)(uintptr_t)threads, 0);
	why = sim_run();
	if (why)
		fail_msg("seed %u, %u CPUs: %s", seed, sim.cpu_count, why);
	assert_int_equal(sim.pages, 0);
	sim_teardown();
}

/* ---- One thread ----------------------------------------------------------
 */

/* Faults and pages that it took to write them, in that order. */
static void writes(struct user_thread *user, unsigned first, unsigned count,
		   int step, unsigned want_faults, unsigned want_pages)
{
	uint64_t before = user->domain->account.pages;

	faults = 0;
	for (unsigned i = 0; i < count; i++)
		store(user, page_va((unsigned)((int)first + (int)i * step)), 1);
	SIM_CHECK(faults == want_faults);
	SIM_CHECK(user->domain->account.pages == before + want_pages);
}

static void on_and_on(struct user_thread *user)
{
	/* 1, 1, 2, 4, 8, 16 at a time. */
	writes(user, 0, PAGES, 1, 6, PAGES);
	for (unsigned i = 0; i < PAGES; i++)
		SIM_CHECK(load(user, page_va(i)) == 1 &&
			  load(user, page_va(i) + 1) == i);
}

static void here_and_there(struct user_thread *user)
{
	writes(user, PAGES - 2, PAGES / 2, -2, PAGES / 2, PAGES / 2);
}

static void of_zeroes(struct user_thread *user)
{
	uint64_t before = user->domain->account.pages;

	for (unsigned i = 0; i < PAGES; i++)
		SIM_CHECK(load(user, ZERO_VA + i * PAGE_SIZE) == 0);
	SIM_CHECK(user->domain->account.pages == before);
	for (unsigned i = 0; i < PAGES / 2; i++)
		store(user, ZERO_VA + i * PAGE_SIZE, 1);
	SIM_CHECK(faults == PAGES / 2);
	SIM_CHECK(user->domain->account.pages == before + PAGES / 2);
	SIM_CHECK(load(user, ZERO_VA + PAGES / 2 * PAGE_SIZE) == 0);
}

/* No neighbour is paid for that there is no room for. */
static void to_the_quota(struct user_thread *user)
{
	struct domain *domain = user->domain;

	writes(user, 0, 8, 1, 4, 8);
	sim.pages_left = 3;
	writes(user, 8, 1, 1, 1, 3);
	sim.pages_left = UINT32_MAX;
	SIM_CHECK(!domain->is_stopping);
}

/* The host has no page for it: the domain ends, and says why. */
static void none_left(struct user_thread *user)
{
	writes(user, 0, 1, 1, 1, 1);
	sim.pages_left = 0;
	is_memory_gone = true;
	store(user, page_va(1), 1);
	SIM_CHECK(false);
}

static void test_one(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < 2; seed++) {
		run(seed, 1, on_and_on);
		run(seed, 1, here_and_there);
		run(seed, 1, of_zeroes);
		run(seed, 1, to_the_quota);
		run(seed, 1, none_left);
		assert_true(is_memory_gone);
	}
}

/* ---- Two at once ---------------------------------------------------------
 */

/* Each writes bytes of its own, at random; in the end both see all. */
static void both(struct user_thread *user)
{
	unsigned own = 2 + user->id;

	for (unsigned i = 0; i < 40; i++) {
		unsigned page = sim_random(PAGES);

		store(user, page_va(page) + own, 1);
		__atomic_fetch_or(&expected[page], BIT(own), __ATOMIC_SEQ_CST);
		sim_user(1);
		SIM_CHECK(load(user, page_va(page) + own) == 1);
	}
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < 2)
		(void)call(user, gate_yield, 0, 0);
	for (unsigned i = 0; i < PAGES; i++)
		for (unsigned at = 2; at < 4; at++)
			SIM_CHECK(load(user, page_va(i) + at) ==
				  !!(expected[i] & BIT(at)));
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < 4)
		(void)call(user, gate_yield, 0, 0);
}

static void test_two(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++)
		run(seed, 2, both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
