/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init against a gate that is an array of domains: whole lives of hosts, and
 * the n-th call failing for all n.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "include/elf.h"
#include "include/errno.h"
#include "include/gate.h"
#include "init/init.h"

#define DOMAINS	  32
#define LOG_SIZE  16384
#define PROGRAM	  GATE_PROGRAM_BASE
#define DISK_SIZE KIB(64)
#define NEVER	  UINT64_MAX

struct fake_domain {
	gate_id id; /* 0: free */
	struct gate_domain_spec spec;
	struct gate_domain_status status;
	uint64_t mapped, written;
	struct machine_config config;
	bool is_cow, has_shared;
};

/* A program of one page. */
struct file {
	struct elf64_header header;
	struct elf64_segment segment;
	uint8_t text[64];
};

static struct {
	struct fake_domain domain[DOMAINS];
	gate_id made;
	uint64_t now, deadline;
	unsigned calls, fail_at; /* the call that fails; 0: none */
	long fail_with;
	char log[LOG_SIZE];
	int off; /* -1: on */
	enum gate_off how;
	jmp_buf turned_off;
} gate;

static struct init init;
static struct manifest manifest;
static struct gate_init_info info;
static struct file file;
static uint8_t bios[KIB(64)], disk[DISK_SIZE];

static struct fake_domain *find(gate_id id)
{
	for (unsigned i = 0; i < DOMAINS; i++)
		if (id && gate.domain[i].id == id)
			return &gate.domain[i];
	return NULL;
}

static struct fake_domain *named(const char *name)
{
	for (unsigned i = 0; i < DOMAINS; i++)
		if (gate.domain[i].id &&
		    !strcmp(gate.domain[i].spec.name, name))
			return &gate.domain[i];
	return NULL;
}

static unsigned domains(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < DOMAINS; i++)
		count += !!gate.domain[i].id;
	return count;
}

static bool fails(void)
{
	return ++gate.calls == gate.fail_at;
}

static long op_create(void *ctx, const struct gate_domain_spec *spec)
{
	(void)ctx;
	if (fails())
		return gate.fail_with;
	for (unsigned i = 0; i < DOMAINS; i++) {
		if (gate.domain[i].id)
			continue;
		gate.domain[i] = (struct fake_domain){ .id = ++gate.made,
						       .spec = *spec };
		gate.domain[i].status.state = GATE_DOMAIN_BUILDING;
		return (long)gate.made;
	}
	return -ENOSPC;
}

static long op_map(void *ctx, gate_id id, const struct gate_domain_map *map)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_BUILDING);
	assert_true(IS_ALIGNED(map->va | map->size | map->offset, PAGE_SIZE));
	if (fails())
		return gate.fail_with;
	domain->mapped += map->size;
	domain->is_cow |= map->kind == GATE_MEMORY_MODULE_COW;
	domain->has_shared |= map->kind == GATE_MEMORY_MODULE;
	return 0;
}

static long op_write(void *ctx, gate_id id, uint64_t va, const void *from,
		     uint64_t length)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	if (fails())
		return gate.fail_with;
	domain->written += length;
	if (va == GATE_ARGUMENT_VA) {
		assert_int_equal(length, sizeof(domain->config));
		memcpy(&domain->config, from, length);
	}
	return 0;
}

static long op_start(void *ctx, gate_id id, uint64_t entry)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	assert_int_equal(entry, PROGRAM + 4);
	assert_int_equal(domain->status.state, GATE_DOMAIN_BUILDING);
	if (fails())
		return gate.fail_with;
	domain->status.state = GATE_DOMAIN_RUNNING;
	return 0;
}

static long op_query(void *ctx, gate_id id, struct gate_domain_status *status)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	if (!domain)
		return -ENOENT;
	*status = domain->status;
	return 0;
}

static long op_destroy(void *ctx, gate_id id)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	assert_int_not_equal(domain->status.state, GATE_DOMAIN_RUNNING);
	domain->id = 0;
	return 0;
}

static void op_log(void *ctx, gate_id id, enum log_level level,
		   const char *text)
{
	size_t used = strlen(gate.log);
	const struct fake_domain *domain = find(id);

	(void)ctx;
	(void)level;
	assert_true(!id || domain);
	(void)snprintf(gate.log + used, sizeof(gate.log) - used, "%s%s%s%s\n",
		       domain ? "[" : "", domain ? domain->spec.name : "",
		       domain ? "] " : "", text);
}

static uint64_t op_now_ns(void *ctx)
{
	(void)ctx;
	return gate.now;
}

static void op_timer(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	gate.deadline = deadline_ns;
}

static __noreturn void op_off(void *ctx, enum gate_off how, uint8_t code)
{
	(void)ctx;
	gate.off = code;
	gate.how = how;
	longjmp(gate.turned_off, 1);
}

static const struct init_gate ops = {
	.create = op_create,
	.map = op_map,
	.write = op_write,
	.start = op_start,
	.query = op_query,
	.destroy = op_destroy,
	.log = op_log,
	.now_ns = op_now_ns,
	.timer = op_timer,
	.off = op_off,
};

static void add_module(const char *name, const void *data, uint64_t size)
{
	struct gate_module *module = &info.module[info.module_count++];

	(void)snprintf(module->name, sizeof(module->name), "%s", name);
	module->va = (uint64_t)data;
	module->size = size;
}

static struct guest_manifest *add_guest(const char *name, uint32_t vcpus)
{
	struct guest_manifest *guest = &manifest.guest[manifest.guest_count++];

	*guest = (struct guest_manifest){
		.board = MACHINE_BOARD_PC,
		.memory_mib = 64,
		.vcpus = vcpus,
		.firmware = "bios.bin",
		.disk_count = 1,
	};
	(void)snprintf(guest->name, sizeof(guest->name), "%s", name);
	guest->disk[0] = (struct disk_manifest){ .name = "disk0",
						 .image = "disk.img",
						 .bus = MACHINE_DISK_IDE };
	return guest;
}

static int setup(void **state)
{
	(void)state;
	memset(&gate, 0, sizeof(gate));
	memset(&manifest, 0, sizeof(manifest));
	memset(&info, 0, sizeof(info));
	gate.off = -1;
	gate.now = NSEC_PER_SEC;
	gate.fail_with = -ENOMEM;
	file = (struct file){
		.header = {
			.ident = { { 0x7f, 'E', 'L', 'F' }, ELF_CLASS_64,
				   ELF_DATA_LITTLE, 1, { 0 } },
			.type = ELF_TYPE_EXEC,
			.machine = ELF_X86_64,
			.entry = PROGRAM + 4,
			.phoff = offsetof(struct file, segment),
			.phentsize = sizeof(struct elf64_segment),
			.phnum = 1,
		},
		.segment = {
			.type = ELF_PT_LOAD,
			.flags = ELF_PF_EXEC,
			.offset = offsetof(struct file, text),
			.vaddr = PROGRAM,
			.filesz = sizeof(file.text),
			.memsz = sizeof(file.text),
		},
	};
	info.version = GATE_VERSION;
	info.cpu_count = 2;
	add_module("machine.elf", &file, sizeof(file));
	add_module("bios.bin", bios, sizeof(bios));
	add_module("disk.img", disk, sizeof(disk));
	return 0;
}

/* False: the host was turned off. */
static bool begins(void)
{
	if (setjmp(gate.turned_off))
		return false;
	init_start(&init, &ops, &info, &manifest);
	return true;
}

static bool goes_on(void)
{
	if (setjmp(gate.turned_off))
		return false;
	init_events(&init);
	return true;
}

static void ends(const char *name, enum gate_end why, uint64_t code)
{
	struct fake_domain *domain = named(name);

	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_RUNNING);
	domain->status.state = GATE_DOMAIN_ENDED;
	domain->status.end = why;
	domain->status.code = code;
}

static void assert_logged(const char *text)
{
	if (!strstr(gate.log, text))
		fail_msg("no \"%s\" in:\n%s", text, gate.log);
}

/* ---- Whole lives --------------------------------------------------------- */

static void test_two_guests(void **state)
{
	const struct fake_domain *domain;

	(void)state;
	add_guest("web", 2);
	add_guest("old", 1)->disk[0].is_read_only = true;
	assert_true(begins());
	assert_int_equal(domains(), 2);
	domain = named("web");
	assert_int_equal(domain->spec.vm_memory, MIB(64 + 8 + 2));
	assert_int_equal(domain->spec.thread_count, 2);
	/* Three vCPUs on two CPUs. */
	assert_int_equal(domain->spec.flags, GATE_DOMAIN_PAUSE_EXITS);
	assert_int_equal(domain->spec.rights, 0);
	assert_true(domain->is_cow && domain->has_shared);
	assert_int_equal(domain->config.disk_count, 1);
	assert_int_equal(domain->config.disk[0].sector_count, DISK_SIZE / 512);
	assert_int_equal(domain->config.blob_count, 1);
	assert_true(domain->config.disk[0].va >=
		    domain->config.blob[0].va + sizeof(bios));
	assert_false(named("old")->is_cow);
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	assert_int_equal(domains(), 1);
	assert_logged("[web] stopped: powered off\n");
	ends("old", GATE_END_EXIT, MACHINE_EXIT_DEBUG(5));
	assert_false(goes_on());
	assert_logged("[old] stopped: ended by the guest through port 0xf4\n");
	assert_logged("all guests have stopped\n");
	assert_int_equal(gate.off, 5);
	assert_int_equal(gate.how, GATE_OFF_POWER);
	assert_int_equal(domains(), 0);
}

static void test_how_it_is_turned_off(void **state)
{
	(void)state;
	manifest.end = MANIFEST_END_BOCHS;
	add_guest("g", 1);
	assert_true(begins());
	ends("g", GATE_END_FAULT, 0);
	assert_false(goes_on());
	assert_int_equal(gate.how, GATE_OFF_BOCHS);
	assert_int_equal(gate.off, 0);
	assert_logged("[g] stopped: its machine crashed\n");
}

static void test_others_go_on(void **state)
{
	(void)state;
	(void)snprintf(add_guest("bad", 1)->disk[0].image, 16, "none.img");
	add_guest("good", 1);
	assert_true(begins());
	assert_int_equal(domains(), 1);
	assert_non_null(named("good"));
	assert_logged("[bad] disk0: image: \"none.img\" is not among the boot "
		      "modules\n");
	assert_logged("guest bad cannot be made: see above");
}

static void test_none_can_be_started(void **state)
{
	(void)state;
	(void)snprintf(add_guest("bad", 1)->program, 16, "none.elf");
	assert_false(begins());
	assert_logged("[bad] program: boot module \"none.elf\" is missing\n");
	assert_logged("no guest could be started\n");
	assert_int_equal(gate.off, 1);
	assert_int_equal(domains(), 0);
}

/* ---- Restarts ------------------------------------------------------------ */

static void test_restart_on_crash(void **state)
{
	gate_id first;

	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ON_CRASH;
	assert_true(begins());
	first = named("web")->id;
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	/* Gone at once, back after a while. */
	assert_int_equal(domains(), 0);
	assert_true(gate.deadline > gate.now && gate.deadline != NEVER);
	gate.now = gate.deadline - 1;
	assert_true(goes_on());
	assert_int_equal(domains(), 0);
	gate.now++;
	assert_true(goes_on());
	assert_int_equal(domains(), 1);
	assert_int_not_equal(named("web")->id, first);
	assert_int_equal(named("web")->config.disk_count, 1);
	assert_int_equal(gate.deadline, NEVER);
	/* An end that was wanted is one. */
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_false(goes_on());
}

static void test_restarts_have_an_end(void **state)
{
	uint64_t waited = 0;
	unsigned count = 0;

	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	for (;;) {
		ends("web", GATE_END_GUEST, 0);
		if (!goes_on())
			break;
		assert_true(gate.deadline - gate.now >= MIN(waited, 1));
		waited = gate.deadline - gate.now;
		gate.now = gate.deadline;
		assert_true(goes_on());
		assert_true(++count < 100);
	}
	assert_int_equal(count, 16);
	assert_logged("[web] stays stopped: started again 16 times in a row\n");
	assert_int_equal(domains(), 0);
}

static void test_a_good_run_is_forgiven(void **state)
{
	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	for (unsigned i = 0; i < 100; i++) {
		gate.now += 61 * NSEC_PER_SEC;
		ends("web", GATE_END_FAULT, 0);
		assert_true(goes_on());
		gate.now = gate.deadline;
		assert_true(goes_on());
		assert_int_equal(domains(), 1);
	}
}

/* ---- Failures ------------------------------------------------------------ */

/* Whichever call fails, the guest is there whole or not at all. */
static void test_any_call_fails(void **state)
{
	unsigned calls;

	setup(state);
	add_guest("a", 1);
	add_guest("b", 1);
	assert_true(begins());
	calls = gate.calls;
	assert_true(calls > 8);
	for (unsigned n = 1; n <= calls; n++) {
		setup(state);
		add_guest("a", 1);
		add_guest("b", 1);
		gate.fail_at = n;
		assert_true(begins());
		assert_int_equal(domains(), 1);
		ends(named("a") ? "a" : "b", GATE_END_EXIT, 0);
		assert_false(goes_on());
		assert_int_equal(domains(), 0);
	}
}

static void test_restart_fails(void **state)
{
	(void)state;
	add_guest("web", 1)->restart = MANIFEST_RESTART_ON_CRASH;
	assert_true(begins());
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	gate.now = gate.deadline;
	gate.fail_at = gate.calls + 3;
	assert_false(goes_on());
	assert_logged("guest web cannot be made: not enough memory\n");
	assert_int_equal(domains(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_two_guests),
		TEST(test_how_it_is_turned_off),
		TEST(test_others_go_on),
		TEST(test_none_can_be_started),
		TEST(test_restart_on_crash),
		TEST(test_restarts_have_an_end),
		TEST(test_a_good_run_is_forgiven),
		TEST(test_any_call_fails),
		TEST(test_restart_fails),
	};

	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
