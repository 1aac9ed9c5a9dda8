/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A first program that makes, starts, stops and destroys domains in random
 * order, and checks that afterwards the host is as it was: the same free pages,
 * no domain, no channel.  With and without VMs, with one thread and several,
 * ended by themselves, by a fault, or from outside.
 */
#include "include/errno.h"
#include "include/gate.h"
#include "lib/printf.h"
#include "lib/program.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"
#include "tests/life/life.h"

#define CHILDREN  6 /* at once */
#define WARM_UP	  50
#define ROUNDS	  1000
#define OWN_SLOT  5
#define VM_MEMORY MIB(4)
#define CODE_GOOD 0
#define CODE_BAD  1

void program_main(unsigned thread);

struct child {
	gate_id id, channel;
	bool is_started;
};

static struct child children[CHILDREN];
static struct program program;
static unsigned child_module, failed;
static uint64_t seed = 88172645463325252ULL;

#define CHECK(condition)                                                     \
	do {                                                                 \
		if (!(condition)) {                                          \
			failed++;                                            \
			gate_log(GATE_LOG_INFO, "FAIL line %d: " #condition, \
				 __LINE__);                                  \
		}                                                            \
	} while (0)

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static long map(gate_id id, uint64_t va, uint64_t size, uint32_t kind,
		uint32_t prot, uint64_t offset)
{
	const struct gate_domain_map what = {
		.va = va,
		.size = ALIGN_UP(size, PAGE_SIZE),
		.kind = kind,
		.prot = prot,
		.module = child_module,
		.offset = offset,
	};

	return gate_call(GATE_DOMAIN_MAP, id, (uint64_t)&what, 0);
}

static void fill(gate_id id, enum child_kind kind)
{
	const struct child_argument argument = {
		.kind = kind,
		.code = (uint32_t)any(200),
		.id = id,
	};

	for (unsigned i = 0; i < program.part_count; i++) {
		const struct program_part *part = &program.part[i];

		CHECK(!map(id, part->va, part->size,
			   part->is_writable ? GATE_MEMORY_ZERO
					     : GATE_MEMORY_MODULE,
			   GATE_PROT_READ |
				   (part->is_writable ? GATE_PROT_WRITE : 0) |
				   (part->is_executable ? GATE_PROT_EXEC : 0),
			   part->offset));
	}
	CHECK(!map(id, GATE_ARGUMENT_VA, sizeof(argument), GATE_MEMORY_ZERO,
		   GATE_PROT_READ, 0));
	CHECK(!gate_call4(GATE_DOMAIN_WRITE, id, GATE_ARGUMENT_VA,
			  (uint64_t)&argument, sizeof(argument)));
	/* And what it never looks at. */
	CHECK(!map(id, GATE_MODULE_VA, PAGE_SIZE, GATE_MEMORY_MODULE_COW,
		   GATE_PROT_READ | GATE_PROT_WRITE, 0));
	CHECK(map(id, GATE_MODULE_VA, PAGE_SIZE, GATE_MEMORY_ZERO,
		  GATE_PROT_READ, 0) == -EEXIST);
}

static void connect(struct child *child)
{
	long id = gate_call(GATE_CHANNEL_CREATE, 1 + any(3), 0, 0);

	CHECK(id > 0);
	child->channel = (gate_id)id;
	CHECK(!gate_call(GATE_CHANNEL_ATTACH, child->channel | BIT(63),
			 child->id, CHILD_SLOT));
	/* Only one of them has its other end here. */
	if (gate_channel_state(OWN_SLOT) == GATE_CHANNEL_NONE)
		CHECK(!gate_call(GATE_CHANNEL_ATTACH, child->channel, GATE_SELF,
				 OWN_SLOT));
}

#define THREADS_MAX 3

static void create(struct child *child, bool has_vm, unsigned threads)
{
	struct gate_domain_spec spec = {
		.name = "child",
		.quota_pages = 1024,
		.vm_memory = has_vm ? VM_MEMORY : 0,
		.thread_count = threads,
	};
	long id = gate_call(GATE_DOMAIN_CREATE, (uint64_t)&spec, 0, 0);

	CHECK(id > 0);
	child->id = id > 0 ? (gate_id)id : 0;
	child->is_started = false;
	child->channel = 0;
}

static void make(struct child *child, bool has_vm)
{
	create(child, has_vm, 1 + (unsigned)any(THREADS_MAX));
	if (!child->id)
		return;
	/* Some are destroyed half made. */
	if (!any(8))
		return;
	fill(child->id, (enum child_kind)any(CHILD_KINDS));
	if (any(2))
		connect(child);
	if (!any(8))
		return;
	CHECK(!gate_call(GATE_DOMAIN_START, child->id, program.entry, 0));
	child->is_started = true;
}

static bool has_ended(const struct child *child)
{
	struct gate_domain_status status;

	CHECK(!gate_call(GATE_DOMAIN_QUERY, child->id, (uint64_t)&status, 0));
	return status.state == GATE_DOMAIN_ENDED;
}

static void unmake(struct child *child)
{
	if (child->is_started) {
		if (any(2))
			gate_yield();
		CHECK(!gate_call(GATE_DOMAIN_STOP, child->id, 0, 0));
		while (!has_ended(child))
			gate_wait();
	} else {
		CHECK(gate_call(GATE_DOMAIN_STOP, child->id, 0, 0) == -EBUSY);
	}
	if (child->channel && gate_channel_state(OWN_SLOT) != GATE_CHANNEL_NONE)
		CHECK(!gate_channel_detach(OWN_SLOT));
	if (child->channel)
		CHECK(!gate_call(GATE_CHANNEL_CLOSE, child->channel, 0, 0));
	CHECK(!gate_call(GATE_DOMAIN_DESTROY, child->id, 0, 0));
	CHECK(gate_call(GATE_DOMAIN_DESTROY, child->id, 0, 0) == -ENOENT);
	child->id = 0;
}

/* A child alone on the host until it has ended; how that was. */
static struct gate_domain_status run_alone(enum child_kind kind)
{
	const struct gate_domain_spec spec = {
		.name = "child",
		.rights = GATE_RIGHT_HOST | GATE_RIGHT_LOG,
		.quota_pages = 1024,
		.thread_count = 1,
		.port = { { CHILD_PORT, CHILD_PORTS } },
		.irq = { CHILD_ISA },
	};
	struct child *child = &children[0];
	struct gate_domain_status status = { 0 };
	long id = gate_call(GATE_DOMAIN_CREATE, (uint64_t)&spec, 0, 0);

	CHECK(id > 0);
	child->id = (gate_id)id;
	child->channel = 0;
	fill(child->id, kind);
	CHECK(!gate_call(GATE_DOMAIN_START, child->id, program.entry, 0));
	child->is_started = true;
	while (!has_ended(child))
		gate_wait();
	CHECK(!gate_call(GATE_DOMAIN_QUERY, child->id, (uint64_t)&status, 0));
	unmake(child);
	return status;
}

#define VECTOR_PF 14

static void ends_told(void)
{
	struct gate_domain_status status;
	unsigned bad = failed;

	status = run_alone(CHILD_STOPS);
	CHECK(status.end == GATE_END_STOPPED);
	status = run_alone(CHILD_EXITS);
	CHECK(status.end == GATE_END_EXIT);
	status = run_alone(CHILD_CRASHES);
	CHECK(status.end == GATE_END_FAULT && status.thread == 0);
	CHECK(status.vector == VECTOR_PF && status.address == 0);
	CHECK(status.rip >= GATE_PROGRAM_BASE && status.rip < GATE_PROGRAM_END);
	CHECK(status.rsp < GATE_STACK_TOP(0) &&
	      status.rsp > GATE_STACK_TOP(0) - GATE_STACK_SIZE);
	status = run_alone(CHILD_WRITES);
	CHECK(status.end == GATE_END_EXIT && status.code == CHILD_GOOD);
	/* The second has what the first has left unmasked. */
	for (unsigned i = 0; i < 2; i++) {
		status = run_alone(CHILD_IRQ);
		CHECK(status.end == GATE_END_EXIT && status.code == CHILD_GOOD);
	}
	status = run_alone(CHILD_LOG);
	CHECK(status.end == GATE_END_EXIT && status.code == CHILD_GOOD);
	gate_log(GATE_LOG_INFO, "%s how domains end, one of them by itself",
		 failed == bad ? "PASS" : "FAIL");
}

static void unmake_all(void)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		if (children[i].id)
			unmake(&children[i]);
}

static struct gate_host_info host(void)
{
	struct gate_host_info info;

	CHECK(!gate_call(GATE_HOST_INFO, (uint64_t)&info, 0, 0));
	return info;
}

#define STACK_PAGES 4 /* of a thread, in the monitor */

/*
 * What is said of a VM's memory is what the host has less of, to the page, but
 * for stacks of former threads, which were not given back.
 */
static void memory_told(unsigned threads, unsigned former)
{
	struct gate_domain_status status;
	uint64_t before = host().pages_free, told;
	unsigned bad = failed;

	create(&children[0], true, threads);
	fill(children[0].id, CHILD_GUEST);
	CHECK(!gate_call(GATE_DOMAIN_QUERY, children[0].id, (uint64_t)&status,
			 0));
	told = status.pages + status.vm_pages + status.nested_pages;
	CHECK(before - host().pages_free + former * STACK_PAGES == told);
	CHECK(status.vm_pages == VM_MEMORY / PAGE_SIZE);
	CHECK(status.table_pages + status.monitor_pages < status.pages);
	CHECK(status.copied_pages == 0);
	gate_log(GATE_LOG_INFO,
		 "%s memory of a VM with %u vCPUs: tables %lu, monitor %lu, "
		 "all %lu pages; the host has %lu less",
		 failed == bad ? "PASS" : "FAIL", threads, status.table_pages,
		 status.monitor_pages, told, before - host().pages_free);
	unmake(&children[0]);
}

static void rounds(bool has_vm, const char *what)
{
	struct gate_host_info before, after;
	unsigned bad = failed;

	/* What is kept for others: tables for the channel's addresses, stacks
	 * of as many threads as there will be, none of which ends before the
	 * last is made. */
	for (unsigned i = 0; i < WARM_UP; i++) {
		make(&children[0], has_vm);
		if (children[0].id)
			unmake(&children[0]);
	}
	for (unsigned i = 0; i < CHILDREN; i++)
		create(&children[i], has_vm, THREADS_MAX);
	unmake_all();
	before = host();
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct child *child = &children[any(CHILDREN)];

		if (child->id)
			unmake(child);
		make(child, has_vm);
	}
	unmake_all();
	after = host();
	CHECK(before.pages_free == after.pages_free);
	CHECK(after.domains == 1 && after.channels == 0);
	gate_log(GATE_LOG_INFO,
		 "%s %u domains %s: %lu pages free before, %lu "
		 "after",
		 failed == bad ? "PASS" : "FAIL", ROUNDS, what,
		 before.pages_free, after.pages_free);
}

void program_main(unsigned thread)
{
	const struct gate_init_info *info = gate_argument();
	const char *why;

	(void)thread;
	for (unsigned i = 0; i < info->module_count; i++)
		if (!strcmp(info->module[i].name, "child.elf"))
			child_module = i;
	if (program_parse(&program, (const void *)info->module[child_module].va,
			  info->module[child_module].size, &why))
		gate_log(GATE_LOG_INFO, "FAIL child.elf %s", why);
	/* The thread that started this program has left one. */
	memory_told(1, 0);
	memory_told(THREADS_MAX, 1);
	ends_told();
	rounds(false, "without VMs");
	rounds(true, "with VMs");
	gate_log(GATE_LOG_INFO, "life: ends");
	gate_call(GATE_HOST_OFF, GATE_OFF_ISA_DEBUG,
		  failed ? CODE_BAD : CODE_GOOD, 0);
}
