/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels on simulated CPUs, from many seeds: attached, detached, rung and
 * closed by several at once, while domains end.  No page is freed while a
 * processor can reach it by ring 3's addresses, all are freed at the end, and
 * who waits for a peer is told of all that it does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "mm/phys.h"
#include "tests/unit/fake/program.h"

#define SEEDS	   80
#define THREAD_MAX 4

static void nobody_is_told(struct domain *domain)
{
	(void)domain;
}

static void setup(unsigned seed, program_fn program)
{
	sim_setup(1 + seed % 2, seed + 1);
	/* A slice is soon over: who waits for others of its CPU spins. */
	sim.tick = 50000;
	fake_vms = (struct fake_vms){ .program = program };
	fake_vms_begin(nobody_is_told);
}

static void run_all(unsigned seed)
{
	const char *why = sim_run();

	if (why)
		fail_msg("seed %u, %u CPUs: %s", seed, sim.cpu_count, why);
	for (unsigned i = 0; i < CHANNELS_MAX; i++)
		assert_null(vm_host()->channels.channel[i]);
	assert_int_equal(vm_host()->channels.account.pages, 0);
	assert_int_equal(sim.stacks, 0);
	assert_int_equal(sim.pages, 0);
	assert_int_equal(sim_timers(), 0);
	sim_teardown();
}

static gate_id channel_make(unsigned pages)
{
	long id = channel_create(pages);

	SIM_CHECK(id > 0);
	return (gate_id)id;
}

static int attach(gate_id channel, unsigned end, gate_id id, unsigned slot)
{
	struct domain *domain = domain_find(id);
	int error;

	if (!domain)
		return -ENOENT;
	error = channel_attach(channel, end, domain, slot);
	domain_put(domain);
	return error;
}

static int start(gate_id id)
{
	struct domain *domain = domain_find(id);
	int error = domain_start(domain, FAKE_ENTRY);

	domain_put(domain);
	return error;
}

static void touch(struct user_thread *user, unsigned slot, unsigned page)
{
	uint8_t *byte = space_touch(
		user->domain, GATE_CHANNEL_VA(slot) + page * PAGE_SIZE, true);

	if (byte)
		(*byte)++;
}

/* ---- Detached while it is being attached ----------------------------------
 */

#define ATTACHES 25

/* Tries to keep the page of a channel that it has left. */
static void detach_program(struct user_thread *user)
{
	for (;;) {
		touch(user, 0, sim_random(2));
		if (sim_random(3) == 0)
			(void)call_domain(user, gate_channel_detach, 0);
		else if (sim_random(3) == 0)
			(void)call(user, gate_yield, 0, 0);
		else
			sim_user(1 + sim_random(4));
	}
}

static void detach_host(void *arg)
{
	gate_id id;

	host_begin();
	id = program_make((unsigned)(uintptr_t)arg);
	SIM_CHECK(start(id) == 0);
	host_end();
	for (unsigned i = 0; i < ATTACHES; i++) {
		gate_id channel;
		int error;

		host_begin();
		channel = channel_make(1 + sim_random(2));
		error = attach(channel, sim_random(2), id, 0);
		/* The last one has not been left yet. */
		SIM_CHECK(error == 0 || error == -EBUSY);
		SIM_CHECK(channel_close(channel) == 0);
		SIM_CHECK(attach(channel, 0, id, 1) == -ENOENT);
		host_end();
		host_pause(sim_random(40));
	}
	host_begin();
	program_unmake(id);
	host_end();
}

static void test_detach_while_attached(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		setup(seed, detach_program);
		(void)host_thread(detach_host,
				  (void *)(uintptr_t)(1 + seed % THREAD_MAX),
				  0);
		run_all(seed);
	}
}

/* ---- Detached by one while others switch ----------------------------------
 */

/*
 * On one CPU two threads take turns with the pages in use, without a change of
 * CR3; a thread on the other leaves them.
 */
static void turns_program(struct user_thread *user)
{
	if (user->id == 0)
		for (;;) {
			sim_user(10 + sim_random(60));
			(void)call_domain(user, gate_channel_detach, 0);
		}
	for (;;) {
		touch(user, 0, 0);
		touch(user, 0, 1);
		(void)call(user, gate_yield, 0, 0);
	}
}

static void test_detach_while_others_switch(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < 2 * SEEDS; seed++) {
		setup(1 + 2 * seed, turns_program);
		(void)host_thread(detach_host, (void *)(uintptr_t)THREAD_MAX,
				  0);
		run_all(seed);
	}
}

/* ---- Attached to a domain that ends ---------------------------------------
 */

static void ending_program(struct user_thread *user)
{
	sim_user(1 + sim_random(60));
	touch(user, 1, 0);
	if (sim_random(2))
		program_crash(user);
}

/* Nothing is attached to a domain that has ended, or stays in it. */
static void ending_host(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < ATTACHES; i++) {
		struct domain *domain;
		gate_id id, channel;
		int error = 0;

		host_begin();
		id = program_make(1 + i % 2);
		domain = domain_find(id);
		SIM_CHECK(domain_start(domain, FAKE_ENTRY) == 0);
		for (unsigned slot = 0; slot < 3 && !error; slot++) {
			channel = channel_make(1);
			error = channel_attach(channel, 1, domain, slot);
			SIM_CHECK(!error || error == -ENOENT);
			SIM_CHECK(channel_close(channel) == 0);
		}
		while (__atomic_load_n(&domain->state, __ATOMIC_SEQ_CST) !=
		       GATE_DOMAIN_ENDED)
			sched_breathe();
		for (unsigned slot = 0; slot < 3; slot++)
			SIM_CHECK(!domain->slot[slot].channel);
		SIM_CHECK(vm_host()->channels.account.pages == 0);
		SIM_CHECK(!table_is_mapped(
			&domain->space.table, GATE_CHANNEL_VA(0),
			GATE_CHANNEL_VA(3) - GATE_CHANNEL_VA(0)));
		SIM_CHECK(domain_destroy(domain) == 0);
		host_end();
	}
}

static void test_attach_while_it_ends(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		setup(seed, ending_program);
		(void)host_thread(ending_host, NULL, 0);
		run_all(seed);
	}
}

/* ---- A service that dies and comes again ----------------------------------
 */

#define ANSWERS	    40
/* The slots that they have it in. */
#define CLIENT_SLOT 5
#define SERVER_SLOT 0

static unsigned answers, generations;
static gate_id client, server;

/* Sleeps whenever it has asked: only the peer's events get it on. */
static void client_program(struct user_thread *user)
{
	while (__atomic_load_n(&answers, __ATOMIC_SEQ_CST) < ANSWERS) {
		long state = call(user, gate_channel_state, CLIENT_SLOT, 0);
		long rung = call(user, gate_doorbell, CLIENT_SLOT, 0);
		long events;

		SIM_CHECK(state == GATE_CHANNEL_OPEN ||
			  state == GATE_CHANNEL_ALONE);
		SIM_CHECK(rung == 0 || rung == -EPIPE);
		events = call(user, gate_wait, 0, 0);
		SIM_CHECK(!((uint64_t)events &
			    ~BIT(GATE_EVENT_CHANNEL_BIT(CLIENT_SLOT))));
	}
}

/* Answers a few, and goes in the middle of things. */
static void server_program(struct user_thread *user)
{
	unsigned left = sim_random(5);

	for (;;) {
		(void)call(user, gate_wait, 0, 0);
		touch(user, SERVER_SLOT, 0);
		if (!left--)
			break;
		(void)__atomic_fetch_add(&answers, 1, __ATOMIC_SEQ_CST);
		(void)call(user, gate_doorbell, SERVER_SLOT, 0);
	}
	switch (sim_random(3)) {
	case 0:
		program_crash(user);
	case 1:
		(void)call_domain(user, gate_channel_detach, SERVER_SLOT);
		break;
	default:
		break;
	}
}

static void service_program(struct user_thread *user)
{
	if (user->domain->id == client)
		client_program(user);
	else
		server_program(user);
}

static bool is_ended(gate_id id)
{
	struct domain *domain = domain_find(id);
	bool ended = __atomic_load_n(&domain->state, __ATOMIC_SEQ_CST) ==
		     GATE_DOMAIN_ENDED;

	domain_put(domain);
	return ended;
}

static void server_begin(gate_id channel)
{
	bool is_late = sim_random(2);

	server = program_make(1);
	generations++;
	if (is_late)
		SIM_CHECK(start(server) == 0);
	SIM_CHECK(attach(channel, 1, server, SERVER_SLOT) == 0);
	if (!is_late)
		SIM_CHECK(start(server) == 0);
}

static struct thread *service_waiter;

static void service_ended(struct domain *domain)
{
	(void)domain;
	thread_wake(service_waiter);
}

static void service_host(void *unused)
{
	gate_id channel;

	(void)unused;
	host_begin();
	channel = channel_make(1);
	client = program_make(1);
	SIM_CHECK(attach(channel, 0, client, CLIENT_SLOT) == 0);
	SIM_CHECK(start(client) == 0);
	server_begin(channel);
	while (!is_ended(client)) {
		host_end();
		thread_block();
		host_begin();
		if (!is_ended(server) || is_ended(client))
			continue;
		program_unmake(server);
		server_begin(channel);
	}
	program_unmake(client);
	program_unmake(server);
	SIM_CHECK(channel_close(channel) == 0);
	host_end();
}

static void test_service_comes_again(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		answers = generations = 0;
		setup(seed, service_program);
		vm_host()->ended = service_ended;
		service_waiter = host_thread(service_host, NULL, 0);
		run_all(seed);
		assert_in_range(answers, ANSWERS, ANSWERS + 5);
		assert_in_range(generations, 2, 1000);
	}
}

/* ---- All at once ----------------------------------------------------------
 */

#define HOSTS	 2
#define DOMAINS	 3
#define SLOTS	 3
#define CHANNELS 5
#define ACTS	 60

static gate_id domains[DOMAINS], channel_ids[CHANNELS];
static unsigned hosts_left;

static void any_program(struct user_thread *user)
{
	for (;;) {
		unsigned slot = sim_random(SLOTS);

		switch (sim_random(8)) {
		case 0:
			(void)call(user, gate_doorbell, slot, 0);
			break;
		case 1:
			(void)call(user, gate_channel_state, slot, 0);
			break;
		case 2:
			(void)call_domain(user, gate_channel_detach, slot);
			break;
		case 3:
			(void)call(user, gate_yield, 0, 0);
			break;
		case 4:
			if (sim_random(10) == 0)
				program_crash(user);
			break;
		case 5:
			(void)call(user, gate_wait, 0, 0);
			break;
		default:
			sim_user(1 + sim_random(10));
			break;
		}
		touch(user, slot, sim_random(2));
	}
}

static void act_on_domain(unsigned at)
{
	struct domain *domain;

	if (!domains[at]) {
		domains[at] = program_make(1 + sim_random(3));
		return;
	}
	domain = domain_find(domains[at]);
	switch (sim_random(4)) {
	case 0:
		(void)domain_stop(domain);
		break;
	case 1:
		if (domain_destroy(domain) == 0) {
			domains[at] = 0;
			return;
		}
		break;
	default:
		(void)!domain_start(domain, FAKE_ENTRY);
		break;
	}
	domain_put(domain);
}

static void act_on_channel(unsigned at)
{
	int error;

	if (!channel_ids[at]) {
		channel_ids[at] = channel_make(1 + sim_random(2));
		return;
	}
	if (sim_random(6) == 0) {
		SIM_CHECK(channel_close(channel_ids[at]) == 0);
		SIM_CHECK(channel_close(channel_ids[at]) == -ENOENT);
		channel_ids[at] = 0;
		return;
	}
	error = attach(channel_ids[at], sim_random(2),
		       domains[sim_random(DOMAINS)], sim_random(SLOTS));
	SIM_CHECK(error == 0 || error == -EBUSY || error == -ENOENT);
}

static void any_host(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < ACTS; i++) {
		host_begin();
		if (sim_random(3) == 0)
			act_on_domain(sim_random(DOMAINS));
		else
			act_on_channel(sim_random(CHANNELS));
		host_end();
		host_pause(sim_random(20));
	}
	if (__atomic_sub_fetch(&hosts_left, 1, __ATOMIC_SEQ_CST))
		return;
	host_begin();
	for (unsigned i = 0; i < CHANNELS; i++)
		if (channel_ids[i] && sim_random(2)) {
			SIM_CHECK(channel_close(channel_ids[i]) == 0);
			channel_ids[i] = 0;
		}
	for (unsigned i = 0; i < DOMAINS; i++)
		if (domains[i])
			program_unmake(domains[i]);
	for (unsigned i = 0; i < CHANNELS; i++)
		if (channel_ids[i])
			SIM_CHECK(channel_close(channel_ids[i]) == 0);
	host_end();
}

static void test_all_at_once(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		memset(domains, 0, sizeof(domains));
		memset(channel_ids, 0, sizeof(channel_ids));
		hosts_left = HOSTS;
		setup(seed, any_program);
		for (unsigned i = 0; i < HOSTS; i++)
			(void)host_thread(any_host, NULL, i);
		run_all(seed);
	}
}

/* ---- Where memory is ------------------------------------------------------
 */

#define CHUNKS	 600 /* more than a page has room for */
#define CHUNK(i) ((hpa_t)(i + 7) * PAGE_2M)

static gate_id program_make_right(uint64_t rights)
{
	const struct gate_domain_spec spec = {
		.name = "d",
		.quota_pages = 1024,
		.thread_count = 1,
		.rights = (uint32_t)rights,
	};
	struct domain *domain;
	gate_id id;

	SIM_CHECK(domain_create(&spec, &domain) == 0);
	id = domain->id;
	domain_put(domain);
	return id;
}

/* What the program reads at va, and cannot write; NULL: nothing is mapped. */
static const void *seen_at(gate_id id, uint64_t va)
{
	struct domain *domain = domain_find(id);
	struct table_leaf leaf;
	bool is_there = table_query(&domain->space.table, va, &leaf);

	domain_put(domain);
	if (!is_there)
		return NULL;
	SIM_CHECK(leaf.prot == (MAP_READ | MAP_USER));
	SIM_CHECK(sim_page_is_allocated(leaf.pa));
	return phys_to_virt(leaf.pa);
}

/* All of it, by whoever has the right, once it is attached. */
static void check_seen(gate_id channel, gate_id id, unsigned slot)
{
	const struct gate_channel_memory *head;
	const uint64_t *chunk;
	struct table_leaf leaf;
	struct domain *domain;

	SIM_CHECK(attach(channel, 1, id, slot) == 0);
	head = seen_at(id, GATE_CHANNEL_MEMORY_VA(slot));
	SIM_CHECK(head && head->vm_memory == CHUNKS * PAGE_2M);
	domain = domain_find(id);
	for (unsigned i = 0; i < 2; i++)
		SIM_CHECK(table_query(&domain->space.table,
				      GATE_CHANNEL_VA(slot) + i * PAGE_SIZE,
				      &leaf) &&
			  leaf.pa == head->page[i]);
	domain_put(domain);
	SIM_CHECK(!head->page[2]);
	for (unsigned i = 0; i < CHUNKS; i++) {
		uint64_t va = GATE_CHANNEL_CHUNKS_VA(slot) + i * sizeof(hpa_t);

		chunk = seen_at(id, ALIGN_DOWN(va, PAGE_SIZE));
		SIM_CHECK(chunk[va % PAGE_SIZE / sizeof(hpa_t)] == CHUNK(i));
	}
	SIM_CHECK(!seen_at(id, GATE_CHANNEL_CHUNKS_VA(slot) + 2 * PAGE_SIZE));
}

static void memory_refused(gate_id channel, const struct domain *machine)
{
	static struct vm large = {
		.chunk_count = CHANNEL_MEMORY_MAX * PAGE_SIZE / sizeof(hpa_t),
	};
	const struct domain no_vm = { 0 }, too_large = { .vm = &large };

	SIM_CHECK(channel_memory(channel, &no_vm, true) == -EINVAL);
	SIM_CHECK(channel_memory(channel, &too_large, true) == -ERANGE);
	SIM_CHECK(channel_memory(channel + 1, machine, true) == -ENOENT);
}

/* Of a VM whose memory comes and goes: where the channel's is, and no more. */
static void memory_of_channel(const struct domain *machine)
{
	gate_id channel = channel_make(2), id;
	const struct gate_channel_memory *head;

	SIM_CHECK(channel_memory(channel, machine, false) == 0);
	SIM_CHECK(!machine->vm->is_pinned);
	id = program_make_right(GATE_RIGHT_DMA);
	SIM_CHECK(attach(channel, 1, id, 3) == 0);
	head = seen_at(id, GATE_CHANNEL_MEMORY_VA(3));
	SIM_CHECK(head && head->page[0] && head->page[1] && !head->vm_memory);
	SIM_CHECK(!seen_at(id, GATE_CHANNEL_CHUNKS_VA(3)));
	program_unmake(id);
	SIM_CHECK(channel_close(channel) == 0);
}

/* disk, which comes again, and a program without the right. */
static void memory_host(void *unused)
{
	static hpa_t chunk[CHUNKS];
	static struct domain machine;
	static struct vm vm = { .domain = &machine,
				.chunk = chunk,
				.chunk_count = CHUNKS };
	gate_id channel, id, other;

	(void)unused;
	machine.vm = &vm;
	for (unsigned i = 0; i < CHUNKS; i++)
		chunk[i] = CHUNK(i);
	host_begin();
	channel = channel_make(2);
	memory_refused(channel, &machine);
	vm.is_pinned = false;
	chunk[CHUNKS / 2] = 0;
	memory_of_channel(&machine);
	SIM_CHECK(channel_memory(channel, &machine, true) == -EINVAL);
	SIM_CHECK(vm.is_pinned);
	chunk[CHUNKS / 2] = CHUNK(CHUNKS / 2);
	SIM_CHECK(channel_memory(channel, &machine, true) == 0);
	SIM_CHECK(channel_memory(channel, &machine, true) == -EEXIST);
	other = program_make(1);
	SIM_CHECK(attach(channel, 0, other, 1) == 0);
	SIM_CHECK(!seen_at(other, GATE_CHANNEL_MEMORY_VA(1)));
	for (unsigned i = 0; i < 2; i++) {
		id = program_make_right(GATE_RIGHT_DMA);
		check_seen(channel, id, 3 + i);
		program_unmake(id);
	}
	SIM_CHECK(channel_close(channel) == 0);
	program_unmake(other);
	host_end();
}

static void test_memory(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS / 8; seed++) {
		setup(seed, NULL);
		(void)host_thread(memory_host, NULL, 0);
		run_all(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detach_while_attached),
		cmocka_unit_test(test_detach_while_others_switch),
		cmocka_unit_test(test_attach_while_it_ends),
		cmocka_unit_test(test_service_comes_again),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
