/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of domains on simulated CPUs, from many seeds: made, started,
 * stopped and destroyed by several at once while their programs wait, wake each
 * other, set timers, leave and crash.  Nobody sleeps through what he waits for,
 * no state comes out of turn, and of a domain that is destroyed nothing is
 * left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "tests/unit/fake/program.h"

#define SEEDS 60

static unsigned ends;

/* The last thread has left: no timer of the domain's goes off any more. */
static void domain_ended(struct domain *domain)
{
	SIM_CHECK(domain->state == GATE_DOMAIN_ENDED);
	SIM_CHECK(domain->running == 0);
	SIM_CHECK(!domain->timer.cpu && !domain->timer.running);
	__atomic_fetch_add(&ends, 1, __ATOMIC_SEQ_CST);
}

static void setup(unsigned seed, program_fn program)
{
	sim_setup(1 + seed % 2, seed + 1);
	/* A slice is soon over: who waits for others of its CPU spins. */
	sim.tick = 50000;
	ends = 0;
	fake_vms = (struct fake_vms){ .program = program };
	fake_vms_begin(domain_ended);
}

static void run_all(unsigned seed)
{
	const char *why = sim_run();

	if (why)
		fail_msg("seed %u, %u CPUs: %s", seed, sim.cpu_count, why);
	for (unsigned i = 0; i < DOMAINS_MAX; i++)
		assert_null(vm_host()->domains.domain[i]);
	assert_int_equal(sim.host.account.pages, 0);
	assert_int_equal(sim.stacks, 0);
	assert_int_equal(sim.pages, 0);
	assert_int_equal(sim_timers(), 0);
	sim_teardown();
}

/* ---- All at once ----------------------------------------------------------
 */

#define HOSTS 3
#define IDS   5
#define ACTS  60

static gate_id ids[IDS];
static unsigned hosts_left;

static void timer_random(struct user_thread *user)
{
	uint64_t now = sim.now - user->domain->config->tsc_base;

	(void)call_domain(user, gate_timer,
			  sim_random(4) ? now + sim_random(5000000)
					: UINT64_MAX);
}

static void any_act(struct user_thread *user)
{
	unsigned threads = user->domain->thread_count;

	switch (sim_random(7)) {
	case 0:
		timer_random(user);
		break;
	case 1:
		SIM_CHECK(call(user, gate_wake, sim_random(threads), 0) == 0);
		break;
	case 2:
		SIM_CHECK(call(user, gate_event_route, GATE_EVENT_TIMER_BIT,
			       sim_random(threads)) == 0);
		break;
	case 3:
		(void)call(user, gate_wait, 0, 0);
		break;
	case 4:
		(void)call(user, gate_yield, 0, 0);
		break;
	default:
		sim_user(1 + sim_random(20));
		break;
	}
}

static void any_program(struct user_thread *user)
{
	SIM_CHECK(user->domain->state == GATE_DOMAIN_RUNNING);
	for (unsigned i = sim_random(30); i; i--)
		any_act(user);
	switch (sim_random(4)) {
	case 0:
		program_crash(user);
	case 1:
		(void)call(user, gate_exit, 7, 0);
		sim_fail("it has left, and goes on");
		break;
	case 2:
		timer_random(user);
		break;
	default:
		break;
	}
}

static void check_status(struct domain *domain)
{
	struct gate_domain_status status;

	domain_query(domain, &status);
	SIM_CHECK(status.state >= GATE_DOMAIN_BUILDING &&
		  status.state <= GATE_DOMAIN_ENDED);
	SIM_CHECK((status.state == GATE_DOMAIN_ENDED) == !!status.end);
	if (!status.end)
		return;
	SIM_CHECK(status.end == GATE_END_EXIT ||
		  status.end == GATE_END_STOPPED ||
		  status.end == GATE_END_FAULT);
	SIM_CHECK(status.thread < domain->thread_count);
}

static void act_start(struct domain *domain)
{
	bool is_new = domain->state == GATE_DOMAIN_BUILDING;

	/* Not this one, whether it has threads that did not begin yet or not.
	 */
	SIM_CHECK(is_new || domain_start(domain, FAKE_ENTRY + 1) == -EBUSY);
	SIM_CHECK(domain_start(domain, FAKE_ENTRY) == (is_new ? 0 : -EBUSY));
	SIM_CHECK(domain_start(domain, FAKE_ENTRY + 1) == -EBUSY);
	SIM_CHECK(domain_start(domain, USER_END) == -EINVAL);
}

static void act_stop(struct domain *domain)
{
	bool is_new = domain->state == GATE_DOMAIN_BUILDING;

	SIM_CHECK(domain_stop(domain) == (is_new ? -EBUSY : 0));
}

/* True: it is gone, and the reference with it. */
static bool act_destroy(struct domain *domain)
{
	bool is_running = domain->state == GATE_DOMAIN_RUNNING;
	gate_id id = domain->id;
	int error = domain_destroy(domain);

	SIM_CHECK(!error || (is_running && error == -EBUSY));
	SIM_CHECK(error || !domain_find(id));
	return !error;
}

static void any_host_act(gate_id *id)
{
	struct domain *domain;

	if (!*id) {
		*id = program_make(1 + sim_random(3));
		return;
	}
	domain = domain_find(*id);
	SIM_CHECK(domain && domain->id == *id);
	check_status(domain);
	switch (sim_random(5)) {
	case 0:
		act_stop(domain);
		break;
	case 1:
		if (act_destroy(domain)) {
			*id = 0;
			return;
		}
		break;
	default:
		act_start(domain);
		break;
	}
	domain_put(domain);
}

static void any_host(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < ACTS; i++) {
		host_begin();
		any_host_act(&ids[sim_random(IDS)]);
		host_end();
		host_pause(sim_random(4));
	}
	if (__atomic_sub_fetch(&hosts_left, 1, __ATOMIC_SEQ_CST))
		return;
	host_begin();
	for (unsigned i = 0; i < IDS; i++)
		if (ids[i])
			program_unmake(ids[i]);
	host_end();
}

/* As GATE_LOG about a domain: finds it at any time, without the host's lock. */
static void looker(void *unused)
{
	(void)unused;
	while (__atomic_load_n(&hosts_left, __ATOMIC_SEQ_CST)) {
		gate_id id =
			1 + sim_random((uint32_t)vm_host()->domains.made + 1);
		struct domain *domain = domain_find(id);

		host_pause(1);
		if (!domain)
			continue;
		SIM_CHECK(sim_page_is_allocated((hpa_t)domain));
		SIM_CHECK(domain->id == id);
		check_status(domain);
		domain_put(domain);
	}
}

static void test_all_at_once(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		memset(ids, 0, sizeof(ids));
		hosts_left = HOSTS;
		setup(seed, any_program);
		for (unsigned i = 0; i < HOSTS; i++)
			(void)host_thread(any_host, NULL, i);
		(void)host_thread(looker, NULL, 1);
		run_all(seed);
		assert_in_range(ends, 5, HOSTS * ACTS);
	}
}

/* ---- Interrupts ----------------------------------------------------------
 */

#define ISA	 4
#define IRQ_SLOT 2
#define IRQS	 5

static unsigned irqs_seen;

/* As the device: once for each time that it is unmasked. */
static void irq_raise(void)
{
	irq_disable();
	if (fake_vms.unmasked & BIT(ISA))
		irq_arrived(&sim.host.irqs, ISA, 0);
	irq_enable();
}

static void irq_program(struct user_thread *user)
{
	for (unsigned i = 0; i < IRQS; i++) {
		SIM_CHECK(!(fake_vms.unmasked & BIT(ISA)));
		SIM_CHECK(!irq_unmask(&user->domain->host->irqs, ISA, 0));
		while (call(user, gate_wait, 0, 0) !=
		       (long)BIT(GATE_EVENT_IRQ_BIT(IRQ_SLOT)))
			;
		irqs_seen++;
	}
	/* Unmasked when it ends. */
	SIM_CHECK(!irq_unmask(&user->domain->host->irqs, ISA, 0));
	(void)call(user, gate_exit, 0, 0);
}

static void irq_host(void *unused)
{
	struct gate_domain_spec spec = {
		.name = "irq",
		.quota_pages = 100,
		.thread_count = 1,
		.irq[IRQ_SLOT] = ISA,
	};
	struct domain *domain, *other;

	(void)unused;
	for (unsigned i = 0; i < 3; i++) {
		gate_id id;

		host_begin();
		SIM_CHECK(!domain_create(&spec, &domain));
		id = domain->id;
		SIM_CHECK(domain_create(&spec, &other) == -EBUSY);
		/* That took nothing from the first. */
		SIM_CHECK(domain->spec.irq[IRQ_SLOT] == ISA);
		SIM_CHECK(!domain_start(domain, FAKE_ENTRY));
		host_end();
		while (domain->state != GATE_DOMAIN_ENDED) {
			irq_raise();
			host_pause(1);
		}
		SIM_CHECK(!fake_vms.unmasked);
		domain_put(domain);
		host_begin();
		program_unmake(id);
		host_end();
	}
}

static void test_interrupts(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		setup(seed, irq_program);
		irqs_seen = 0;
		(void)host_thread(irq_host, NULL, 0);
		run_all(seed);
		assert_int_equal(irqs_seen, 3 * IRQS);
	}
}

/* ---- A thousand -----------------------------------------------------------
 */

#define THOUSAND 1000
#define ALIVE	 12

/* What there is without any domain is the same again and again. */
static void thousand_host(void *unused)
{
	gate_id alive[ALIVE] = { 0 };
	unsigned before = sim.pages, made = 0;

	(void)unused;
	while (made < THOUSAND) {
		unsigned at = sim_random(ALIVE);
		struct domain *domain;

		host_begin();
		if (!alive[at]) {
			alive[at] = program_make(1 + made++ % 3);
			domain = domain_find(alive[at]);
			if (sim_random(8))
				SIM_CHECK(domain_start(domain, FAKE_ENTRY) ==
					  0);
			domain_put(domain);
		} else {
			program_unmake(alive[at]);
			alive[at] = 0;
		}
		if (sim_random(100) == 0 || made == THOUSAND) {
			for (unsigned i = 0; i < ALIVE; i++) {
				if (alive[i])
					program_unmake(alive[i]);
				alive[i] = 0;
			}
			SIM_CHECK(sim.pages == before && sim.stacks == 1);
			SIM_CHECK(sim_timers() == 0);
		}
		host_end();
	}
}

static void test_thousand(void **unused)
{
	(void)unused;
	for (unsigned cpus = 1; cpus <= 2; cpus++) {
		setup(cpus - 1, any_program);
		sim.points_max = 200000000;
		(void)host_thread(thousand_host, NULL, 0);
		run_all(cpus);
		assert_in_range(ends, THOUSAND / 2, THOUSAND);
	}
}

/* ---- Waiting --------------------------------------------------------------
 */

#define ROUNDS 40

static unsigned asked, answered;

/* Of two threads each waits for the other: for its wake-up, or for an event. */
static void asker(struct user_thread *user)
{
	/* A wake-up before the wait counts, once. */
	SIM_CHECK(call(user, gate_wake, 0, 0) == 0);
	SIM_CHECK(call(user, gate_wait, 0, 0) == 0);
	while (asked < ROUNDS) {
		bool is_timer = sim_random(2);

		sim_user(1 + sim_random(10));
		__atomic_store_n(&asked, asked + 1, __ATOMIC_SEQ_CST);
		if (is_timer)
			(void)call_domain(user, gate_timer, 0);
		else
			(void)call(user, gate_wake, 1, 0);
		while (__atomic_load_n(&answered, __ATOMIC_SEQ_CST) != asked)
			SIM_CHECK(call(user, gate_wait, 0, 0) == 0);
	}
}

static void answerer(struct user_thread *user)
{
	for (;;) {
		long events = call(user, gate_wait, 0, 0);

		SIM_CHECK(!((uint64_t)events & ~BIT(GATE_EVENT_TIMER_BIT)));
		sim_user(1 + sim_random(10));
		__atomic_store_n(&answered,
				 __atomic_load_n(&asked, __ATOMIC_SEQ_CST),
				 __ATOMIC_SEQ_CST);
		(void)call(user, gate_wake, 0, 0);
	}
}

static void waiting_program(struct user_thread *user)
{
	SIM_CHECK(call(user, gate_event_route, GATE_EVENT_TIMER_BIT, 1) == 0);
	SIM_CHECK(call(user, gate_event_route, GATE_EVENT_TIMER_BIT, 2) ==
		  -EINVAL);
	SIM_CHECK(call(user, gate_event_route, GATE_EVENT_COUNT, 1) == -EINVAL);
	SIM_CHECK(call(user, gate_wake, 2, 0) == -EINVAL);
	if (user->id == 0)
		asker(user);
	else
		answerer(user);
}

static struct thread *waiter;

static void wake_waiter(struct domain *domain)
{
	(void)domain;
	thread_wake(waiter);
}

/* Sleeps until it has ended: if nobody gets on any more, so does the test. */
static void waiting_host(void *unused)
{
	struct domain *domain;
	gate_id id;

	(void)unused;
	host_begin();
	id = program_make(2);
	domain = domain_find(id);
	SIM_CHECK(domain_start(domain, FAKE_ENTRY) == 0);
	host_end();
	while (__atomic_load_n(&domain->state, __ATOMIC_SEQ_CST) !=
	       GATE_DOMAIN_ENDED)
		thread_block();
	host_begin();
	SIM_CHECK(domain_destroy(domain) == 0);
	host_end();
}

static void test_nobody_sleeps_on(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		asked = answered = 0;
		setup(seed, waiting_program);
		vm_host()->ended = wake_waiter;
		waiter = host_thread(waiting_host, NULL, 0);
		run_all(seed);
		assert_int_equal(answered, ROUNDS);
	}
}

/* ---- The boot loader's screen ---------------------------------------------
 */

#define SCREEN_AT    (GIB(3) + 0x10)
#define SCREEN_PAGES 700
#define SCREEN_VA    (GATE_MODULE_VA + GIB(3) % PAGE_2M)

static int map_screen(struct domain *domain, uint64_t pages, uint64_t offset,
		      uint32_t prot)
{
	const struct gate_domain_map map = {
		.va = SCREEN_VA,
		.size = pages * PAGE_SIZE,
		.kind = GATE_MEMORY_SCREEN,
		.prot = prot,
		.offset = offset,
	};

	return domain_map(domain, &map);
}

static void check_leaf(struct domain *domain, unsigned page)
{
	struct table_leaf leaf;

	SIM_CHECK(table_query(&domain->space.table,
			      SCREEN_VA + page * PAGE_SIZE, &leaf));
	SIM_CHECK(leaf.pa == GIB(3) + page * PAGE_SIZE);
	SIM_CHECK(leaf.type == MAP_UNCACHED);
	SIM_CHECK(leaf.prot == (MAP_READ | MAP_WRITE | MAP_USER));
}

/* All of it or a part, and nothing beside it; not owned, so that nobody frees
 * it. */
static void screen_host(void *arg)
{
	const uint32_t rw = GATE_PROT_READ | GATE_PROT_WRITE;
	struct domain *domain;
	uint64_t byte = 0;

	(void)arg;
	host_begin();
	ids[0] = program_make(1);
	domain = domain_find(ids[0]);
	sim.host.screen = (struct gate_screen){ .address = SCREEN_AT };
	SIM_CHECK(map_screen(domain, 1, 0, rw) == -EINVAL);
	sim.host.screen.size = SCREEN_PAGES * PAGE_SIZE;
	SIM_CHECK(map_screen(domain, SCREEN_PAGES + 1, 0, rw) == -EINVAL);
	SIM_CHECK(map_screen(domain, SCREEN_PAGES, PAGE_SIZE, rw) == -EINVAL);
	SIM_CHECK(map_screen(domain, 1, SCREEN_PAGES * PAGE_SIZE, rw) ==
		  -EINVAL);
	SIM_CHECK(map_screen(domain, 1, ~(PAGE_SIZE - 1), rw) == -EINVAL);
	SIM_CHECK(map_screen(domain, 1, 0, GATE_PROT_READ | GATE_PROT_EXEC) ==
		  -EINVAL);
	SIM_CHECK(map_screen(domain, SCREEN_PAGES, 0, rw) == 0);
	check_leaf(domain, 0);
	check_leaf(domain, SCREEN_PAGES - 1);
	SIM_CHECK(!table_is_mapped(&domain->space.table,
				   SCREEN_VA + SCREEN_PAGES * PAGE_SIZE,
				   PAGE_2M));
	/* No memory of the domain's: the monitor does not touch it. */
	SIM_CHECK(domain_copy(domain, SCREEN_VA, NULL, &byte, 1) == -EINVAL);
	domain_put(domain);
	program_unmake(ids[0]);
	host_end();
}

static void screen_is_lent(void **state)
{
	(void)state;
	setup(1, any_program);
	(void)host_thread(screen_host, NULL, 0);
	run_all(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_thousand),
		cmocka_unit_test(screen_is_lent),
		cmocka_unit_test(test_nobody_sleeps_on),
	};

	return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
