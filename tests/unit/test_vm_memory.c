/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's memory that comes when it is touched and goes when it is given back,
 * from many seeds on one to four simulated CPUs: whatever vCPUs and threads do
 * at the same time, none of them reaches a piece that has been freed, by what
 * its CPU remembers of the window or of the nested tables, and at the end
 * nothing is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "mm/phys.h"
#include "tests/unit/fake/vm.h"
#include "vm/gate.h"

#define SEEDS	    300
#define ROUNDS	    40
#define VCPUS	    3
#define PIECES	    7 /* vm_make()'s */
#define PF_USER	    BIT(2)
#define GPA(piece)  (GIB(1) + (uint64_t)(piece)*PAGE_2M)
#define PIECE_PAGES (PAGE_2M / PAGE_SIZE)

#define MODULE_PAGES 4

static struct vm *the_vm;
static void *module; /* NULL: the run has none */
static unsigned released, populated;

/* What a vCPU's nested TLB has. */
static struct {
	unsigned flushes;
	hpa_t hpa[PIECES]; /* 0: it does not remember it */
} nested_tlb[VCPUS];

/* ---- What vCPUs do ------------------------------------------------------- */

struct call {
	uint64_t a, b, c;
	long (*fn)(struct user_thread *user, uint64_t a, uint64_t b, uint64_t c,
		   uint64_t d, const struct gate_row *row);
	long result;
};

static struct call *calls[VCPUS];

static void call_body(struct vcpu *vcpu)
{
	struct call *call = calls[vcpu->id];

	call->result =
		call->fn(&vcpu->user, call->a, call->b, call->c, 0, NULL);
}

static long call(struct vcpu *vcpu, struct call what)
{
	calls[vcpu->id] = &what;
	gate_vm(vcpu, call_body);
	return what.result;
}

static long map(struct vcpu *vcpu, gpa_t gpa, uint64_t offset, uint64_t length)
{
	return call(vcpu, (struct call){ gpa, length, offset | GATE_MAP_RAM,
					 gate_map, 0 });
}

static long release(struct vcpu *vcpu, unsigned piece, unsigned count)
{
	return call(vcpu, (struct call){ piece * PAGE_2M, count * PAGE_2M, 0,
					 gate_release, 0 });
}

/* Ring 3 looks at a byte of its window. */
static void touch(struct vcpu *vcpu, unsigned piece)
{
	uint64_t va = GATE_WINDOW_VA + piece * PAGE_2M + PAGE_SIZE;
	hpa_t hpa;

	while (!(hpa = space_reach(vcpu->vm->domain, va, true))) {
		populated++;
		SIM_CHECK(domain_fault(&vcpu->user, va, PF_USER));
		sim_user(1);
	}
	SIM_CHECK(fake_piece_is_taken(ALIGN_DOWN(hpa, PAGE_2M)));
}

/* The guest does, by what its processor remembers. */
static bool guest_reaches(struct vcpu *vcpu, unsigned piece)
{
	hpa_t *hpa = &nested_tlb[vcpu->id].hpa[piece];
	unsigned flushes = back_of(vcpu)->flushes;
	struct table_leaf leaf;

	if (nested_tlb[vcpu->id].flushes != flushes) {
		memset(&nested_tlb[vcpu->id], 0, sizeof(nested_tlb[0]));
		nested_tlb[vcpu->id].flushes = flushes;
	}
	if (!*hpa && table_query(&vcpu->vm->nested, GPA(piece), &leaf))
		*hpa = ALIGN_DOWN(leaf.pa, PAGE_2M);
	SIM_CHECK(!*hpa || fake_piece_is_taken(*hpa));
	return *hpa;
}

static void random_guest(struct vcpu *vcpu, struct exit_info *info)
{
	unsigned piece = sim_random(PIECES);

	for (unsigned i = 0; i < 4; i++) {
		if (!guest_reaches(vcpu, piece)) {
			guest_exits(info, EXIT_NESTED, 0);
			info->nested.gpa = GPA(piece);
			return;
		}
		if (guest_spend(info, 1 + sim_random(4)))
			return;
	}
	guest_exits(info, sim_random(2) ? EXIT_PAUSE : EXIT_SHUTDOWN, 2);
}

/* As a machine does, and one that gives back what its guest is at. */
static void random_machine(struct vcpu *vcpu)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned piece = sim_random(PIECES);
		long n;

		if (vcpu_go(vcpu) == GATE_EXIT_MMIO) {
			piece = (unsigned)((vcpu->page->mmio.gpa - GIB(1)) /
					   PAGE_2M);
			touch(vcpu, piece);
			SIM_CHECK(!map(vcpu, GPA(piece), piece * PAGE_2M,
				       PAGE_2M));
		}
		switch (sim_random(5)) {
		case 0:
			n = release(vcpu, piece,
				    1 + sim_random(PIECES - piece));
			SIM_CHECK(n >= 0);
			released += (unsigned)(n / (long)PAGE_2M);
			break;
		case 1:
			touch(vcpu, piece);
			break;
		case 2:
			n = call(vcpu, (struct call){ piece * PAGE_2M + 1, 2,
						      (uint64_t) "ok",
						      gate_fill, 0 });
			SIM_CHECK(!n || n == -EEXIST);
			break;
		}
	}
	/* Others are at it still. */
	sim_user(200);
}

/* ---- A boot module ------------------------------------------------------- */

#define SHOWN	0 /* behind GATE_MODULE_VA */
#define PLAIN	PAGE_2M
#define COPIED	(2 * PAGE_2M)
#define PRIVATE (3 * PAGE_2M)

static void module_make(struct domain *domain)
{
	static const struct gate_domain_map maps[] = {
		{ .va = GATE_MODULE_VA + SHOWN,
		  .kind = GATE_MEMORY_MODULE_SHOWN },
		{ .va = GATE_MODULE_VA + PLAIN, .kind = GATE_MEMORY_MODULE },
		{ .va = GATE_MODULE_VA + COPIED,
		  .kind = GATE_MEMORY_MODULE_COW },
		{ .va = GATE_MODULE_VA + PRIVATE, .kind = GATE_MEMORY_ZERO },
	};
	uint64_t limit = the_vm->nested_account.limit;

	module = pages_alloc_zeroed(NULL, NULL,
				    pages_order(MODULE_PAGES * PAGE_SIZE));
	sim.host.modules.module[0].base = virt_to_phys(module);
	sim.host.modules.module[0].length = MODULE_PAGES * PAGE_SIZE;
	sim.host.modules.count = 1;
	for (unsigned i = 0; i < ARRAY_SIZE(maps); i++) {
		struct gate_domain_map map = maps[i];

		map.size = MODULE_PAGES * PAGE_SIZE;
		map.prot = GATE_PROT_READ;
		if (map.kind == GATE_MEMORY_MODULE_COW)
			map.prot |= GATE_PROT_WRITE;
		assert_int_equal(domain_map(domain, &map), 0);
		assert_true(the_vm->nested_account.limit > limit);
		if (map.kind != GATE_MEMORY_MODULE_SHOWN)
			continue;
		map.va += PAGE_2M * 4;
		map.prot |= GATE_PROT_WRITE;
		assert_int_equal(domain_map(domain, &map), -EINVAL);
	}
}

static void module_unmake(void)
{
	pages_free_virt(NULL, NULL, module,
			pages_order(MODULE_PAGES * PAGE_SIZE));
	module = NULL;
}

/* ---- The runs ------------------------------------------------------------ */

static bool has_module;
static uint64_t vm_memory; /* 0: as vm_make() has it */

static void run(unsigned seed, unsigned cpus, unsigned vcpus, uint32_t flags,
		machine_fn machine)
{
	const char *why;

	sim_setup(cpus, seed + 1);
	sim.tick = 50000;
	fake_vms = (struct fake_vms){ .guest = random_guest,
				      .machine = machine,
				      .vm_flags = flags,
				      .vm_memory = vm_memory };
	memset(nested_tlb, 0, sizeof(nested_tlb));
	released = populated = 0;
	the_vm = vm_make(vcpus);
	for (unsigned i = 0; i < vcpus; i++)
		the_vm->vcpu[i]->pending &= ~(uint32_t)PENDING_WAIT_SIPI;
	if (has_module)
		module_make(the_vm->domain);
	vm_start(the_vm);
	why = sim_run();
	if (why)
		fail_msg("seed %u, %u CPUs: %s", seed, sim.cpu_count, why);
	for (unsigned i = 0; i < FAKE_PIECES; i++)
		assert_false(fake_vms.is_taken[i]);
	if (has_module)
		module_unmake();
	sim_teardown();
}

static void test_many(void **unused)
{
	unsigned all = 0;

	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		run(seed, 1 + seed % 4, 1 + seed % VCPUS,
		    seed & 1 ? GATE_DOMAIN_LAZY : 0, random_machine);
		all += released;
	}
	assert_true(all > 2 * SEEDS);
}

static uint64_t pages(void)
{
	return the_vm->ram_account.pages;
}

static void by_touch(struct vcpu *vcpu)
{
	SIM_CHECK(pages() == PIECE_PAGES);
	touch(vcpu, 0);
	SIM_CHECK(!populated);
	touch(vcpu, 3);
	touch(vcpu, 3);
	SIM_CHECK(populated == 1 && pages() == 2 * PIECE_PAGES);
	/* What is absent shows as nothing. */
	SIM_CHECK(!map(vcpu, GPA(0), 0, PIECES * PAGE_2M));
	for (unsigned i = 0; i < PIECES; i++)
		SIM_CHECK(guest_reaches(vcpu, i) == (i == 0 || i == 3));
	/* Behind its memory there is nothing to come. */
	SIM_CHECK(!domain_fault(&vcpu->user, GATE_WINDOW_VA + PIECES * PAGE_2M,
				PF_USER));
	SIM_CHECK(!domain_fault(&vcpu->user, GATE_WINDOW_VA - 1, PF_USER));
}

static void test_touch(void **unused)
{
	(void)unused;
	run(0, 1, 1, GATE_DOMAIN_LAZY, by_touch);
}

static void by_release(struct vcpu *vcpu)
{
	SIM_CHECK(pages() == PIECES * PIECE_PAGES);
	SIM_CHECK(!map(vcpu, GPA(0), 0, PIECES * PAGE_2M));
	/* Shown at two places, or not as one: it stays. */
	SIM_CHECK(!map(vcpu, GIB(2), PAGE_2M, PAGE_SIZE));
	SIM_CHECK(!map(vcpu, GIB(3) + PAGE_SIZE, 2 * PAGE_2M, PAGE_SIZE));
	SIM_CHECK(release(vcpu, 0, PIECES) == (PIECES - 2) * (long)PAGE_2M);
	SIM_CHECK(pages() == 2 * PIECE_PAGES);
	for (unsigned i = 0; i < PIECES; i++)
		SIM_CHECK(table_is_mapped(&the_vm->nested, GPA(i), PAGE_2M) ==
			  (i == 1 || i == 2));
	SIM_CHECK(release(vcpu, 0, PIECES) == 0);
	touch(vcpu, 0);
	SIM_CHECK(release(vcpu, 0, 1) == (long)PAGE_2M);
	SIM_CHECK(release(vcpu, PIECES, 1) == -ERANGE);
	SIM_CHECK(release(vcpu, 1, UINT32_MAX) == -ERANGE);
	SIM_CHECK(release(vcpu, 0, 0) == -EINVAL);
	SIM_CHECK(call(vcpu, (struct call){ PAGE_SIZE, PAGE_2M, 0, gate_release,
					    0 }) == -EINVAL);
}

/* ---- Filled -------------------------------------------------------------- */

static uint8_t filled[PAGE_2M], source[PAGE_2M];

static long fill(struct vcpu *vcpu, uint64_t offset, uint64_t length,
		 const void *from)
{
	memset(filled, 0xee, sizeof(filled));
	return call(vcpu, (struct call){ offset, length, (uint64_t)from,
					 gate_fill, 0 });
}

/* As if it was there by itself: what it has, and nothing of before. */
static bool is_filled(uint64_t from, uint64_t length)
{
	for (uint64_t i = 0; i < PAGE_2M; i++)
		if (filled[i] != (i - from < length ? source[i - from] : 0))
			return false;
	return true;
}

static void by_fill(struct vcpu *vcpu)
{
	static const struct {
		uint64_t from, length;
	} parts[] = {
		{ 0, PAGE_2M },	    { 1, PAGE_2M - 1 },
		{ 0, PAGE_2M - 7 }, { KIB(16) - 3, KIB(16) + 6 },
		{ PAGE_2M - 1, 1 },
	};

	for (unsigned i = 0; i < PAGE_2M; i++)
		source[i] = (uint8_t)(i * 7 + i / 251 + 1);
	fake_vms.filled = filled;
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		uint64_t at = (1 + i) * PAGE_2M + parts[i].from;

		SIM_CHECK(!fill(vcpu, at, parts[i].length, source));
		SIM_CHECK(is_filled(parts[i].from, parts[i].length));
		SIM_CHECK(pages() == (2 + i) * PIECE_PAGES);
		touch(vcpu, 1 + i);
		SIM_CHECK(!populated);
		/* What is there is left alone. */
		SIM_CHECK(fill(vcpu, at, 1, source) == -EEXIST);
		SIM_CHECK(filled[0] == 0xee);
	}
}

static void test_fill(void **unused)
{
	(void)unused;
	run(0, 1, 1, GATE_DOMAIN_LAZY, by_fill);
}

static void by_bad_fill(struct vcpu *vcpu)
{
	SIM_CHECK(fill(vcpu, PAGE_2M, 0, source) == -EINVAL);
	SIM_CHECK(fill(vcpu, PAGE_2M + 1, PAGE_2M, source) == -EINVAL);
	SIM_CHECK(fill(vcpu, PAGE_2M, UINT64_MAX, source) == -EINVAL);
	SIM_CHECK(fill(vcpu, PIECES * PAGE_2M, 1, source) == -ERANGE);
	SIM_CHECK(fill(vcpu, UINT64_MAX, 1, source) == -ERANGE);
	/* In its middle the machine's memory ends. */
	fake_vms.filled = filled;
	fake_vms.user_end = (uint64_t)source + PAGE_2M / 2;
	SIM_CHECK(fill(vcpu, PAGE_2M, PAGE_2M, source) == -EFAULT);
	SIM_CHECK(pages() == PIECE_PAGES);
	fake_vms.user_end = 0;
	fake_vms.pieces_left = 0;
	SIM_CHECK(fill(vcpu, PAGE_2M, PAGE_2M, source) == -ENOMEM);
	fake_vms.pieces_left = 1;
	SIM_CHECK(!fill(vcpu, PAGE_2M, PAGE_2M, source));
}

static void test_bad_fill(void **unused)
{
	(void)unused;
	run(0, 1, 1, GATE_DOMAIN_LAZY, by_bad_fill);
}

static void test_release(void **unused)
{
	(void)unused;
	run(0, 1, 1, 0, by_release);
}

/* Devices were told where it is. */
static void pinned(struct vcpu *vcpu)
{
	irq_disable();
	vm_pin(the_vm);
	sim_user(1);
	SIM_CHECK(release(vcpu, 0, PIECES) == 0);
	SIM_CHECK(pages() == PIECES * PIECE_PAGES);
}

static void test_pinned(void **unused)
{
	(void)unused;
	run(0, 1, 1, 0, pinned);
}

static void starved(struct vcpu *vcpu)
{
	fake_vms.pieces_left = 1;
	touch(vcpu, 1);
	(void)domain_fault(&vcpu->user, GATE_WINDOW_VA + 2 * PAGE_2M, PF_USER);
	SIM_CHECK(false);
}

static void test_starved(void **unused)
{
	(void)unused;
	run(0, 1, 1, GATE_DOMAIN_LAZY, starved);
}

static uint64_t leaf_size(unsigned piece)
{
	struct table_leaf leaf;

	return table_query(&the_vm->nested, GPA(piece), &leaf) ? leaf.size : 0;
}

/* A GiB is one leaf, from which pieces can still be taken. */
static void by_gib(struct vcpu *vcpu)
{
	unsigned pages_left = sim.pages_left;
	const uint64_t all = GIB(1) + PAGE_2M;

	SIM_CHECK(!map(vcpu, GPA(0), 0, all));
	SIM_CHECK(leaf_size(511) == PAGE_2M);
	the_vm->vendor.has_1g = true;
	SIM_CHECK(!map(vcpu, GPA(0), 0, all));
	SIM_CHECK(leaf_size(0) == PAGE_1G && leaf_size(511) == PAGE_1G);
	SIM_CHECK(leaf_size(512) == PAGE_2M);

	/* No table to split it with: it stays. */
	sim.pages_left = 0;
	SIM_CHECK(release(vcpu, 3, 2) == 0);
	SIM_CHECK(leaf_size(3) == PAGE_1G && leaf_size(4) == PAGE_1G);
	sim.pages_left = pages_left;
	SIM_CHECK(release(vcpu, 3, 2) == 2 * (long)PAGE_2M);
	for (unsigned i = 0; i < 512; i++)
		SIM_CHECK(leaf_size(i) == (i == 3 || i == 4 ? 0 : PAGE_2M));

	/* Back again, as before. */
	touch(vcpu, 3);
	SIM_CHECK(!map(vcpu, GPA(0), 0, all));
	SIM_CHECK(leaf_size(2) == PAGE_2M && !leaf_size(4));
	touch(vcpu, 4);
	SIM_CHECK(!map(vcpu, GPA(0), 0, all));
	SIM_CHECK(leaf_size(4) == PAGE_1G);
	/* Shown elsewhere by a page, too: it is not to be given back. */
	SIM_CHECK(!map(vcpu, GIB(5), 0, PAGE_SIZE));
	SIM_CHECK(release(vcpu, 0, 1) == 0);
	SIM_CHECK(leaf_size(0) == PAGE_1G);
}

static void test_gib(void **unused)
{
	(void)unused;
	vm_memory = GIB(1) + PAGE_2M;
	for (unsigned seed = 0; seed < 3; seed++)
		run(seed, 1 + seed, 1, 0, by_gib);
	vm_memory = 0;
}

#define GIBS 3

/* How often this CPU forgets the window: once a batch. */
static void (*as_before)(uint64_t cr3);
static unsigned batches;

static void cr3_counted(uint64_t cr3)
{
	batches++;
	as_before(cr3);
}

/* Each leaf of 1 GiB has every third piece: what is given back in a row lies in
 * all of them, and not all are split in one go. */
static void by_gibs(struct vcpu *vcpu)
{
	the_vm->vendor.has_1g = true;
	for (unsigned place = 0; place < GIBS * 512; place++) {
		unsigned piece = place % 512 * GIBS + place / 512;

		touch(vcpu, piece); /* in the order of the host's memory */
		SIM_CHECK(!map(vcpu, GPA(place), piece * PAGE_2M, PAGE_2M));
	}
	for (unsigned i = 0; i < GIBS; i++)
		SIM_CHECK(leaf_size(i * 512) == PAGE_1G);
	as_before = fake_x86.cr3_written;
	fake_x86.cr3_written = cr3_counted;
	SIM_CHECK(release(vcpu, 0, 32) == 32 * (long)PAGE_2M && batches == 2);
	SIM_CHECK(release(vcpu, 32, 32) == 32 * (long)PAGE_2M && batches == 3);
	fake_x86.cr3_written = as_before;
	for (unsigned place = 0; place < GIBS * 512; place++)
		SIM_CHECK(
			leaf_size(place) ==
			(place % 512 * GIBS + place / 512 < 64 ? 0 : PAGE_2M));
}

static void test_gibs(void **unused)
{
	(void)unused;
	vm_memory = GIB(GIBS);
	batches = 0;
	run(0, 1, 1, GATE_DOMAIN_LAZY, by_gibs);
	vm_memory = 0;
}

static long show(struct vcpu *vcpu, gpa_t gpa, uint64_t offset, unsigned count)
{
	return call(vcpu,
		    (struct call){ gpa, count * PAGE_SIZE,
				   offset | GATE_MAP_MODULE, gate_map, 0 });
}

/* The guest sees the module's own pages, where it is asked for, and can write
 * to none; what is the machine's alone, or may become that, it does not see. */
static void shown(struct vcpu *vcpu)
{
	static const uint64_t froms[] = { SHOWN, PLAIN };
	uint64_t before = pages();

	for (unsigned f = 0; f < ARRAY_SIZE(froms); f++) {
		gpa_t gpa = GIB(5 + f) + f * PAGE_SIZE;

		SIM_CHECK(!show(vcpu, gpa, froms[f], MODULE_PAGES));
		for (unsigned i = 0; i < MODULE_PAGES; i++) {
			struct table_leaf leaf;

			SIM_CHECK(table_query(&the_vm->nested,
					      gpa + i * PAGE_SIZE, &leaf));
			SIM_CHECK(leaf.pa ==
				  virt_to_phys(module) + i * PAGE_SIZE);
			SIM_CHECK(!(leaf.prot & MAP_WRITE));
		}
		SIM_CHECK(!table_is_mapped(&the_vm->nested,
					   gpa + MODULE_PAGES * PAGE_SIZE,
					   PAGE_SIZE));
	}
	SIM_CHECK(pages() == before);
	SIM_CHECK(show(vcpu, GIB(9), SHOWN, MODULE_PAGES + 1) == -EINVAL);
	SIM_CHECK(show(vcpu, GIB(9), COPIED, 1) == -EINVAL);
	SIM_CHECK(show(vcpu, GIB(9), PRIVATE, 1) == -EINVAL);
	SIM_CHECK(show(vcpu, GIB(9), 5 * PAGE_2M, 1) == -EINVAL);
	SIM_CHECK(show(vcpu, GIB(9), GATE_MODULE_END - GATE_MODULE_VA, 1) ==
		  -ERANGE);
	SIM_CHECK(show(vcpu, GIB(9), 0 - (uint64_t)PAGE_2M, 1) == -ERANGE);
	/* It goes as all does. */
	SIM_CHECK(!call(vcpu, (struct call){ GIB(5), PAGE_SIZE, GATE_MAP_NONE,
					     gate_map, 0 }));
	SIM_CHECK(!table_is_mapped(&the_vm->nested, GIB(5), PAGE_SIZE));
}

static void test_shown(void **unused)
{
	(void)unused;
	has_module = true;
	run(0, 1, 1, 0, shown);
	has_module = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gibs),	cmocka_unit_test(test_touch),
		cmocka_unit_test(test_release), cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_starved), cmocka_unit_test(test_gib),
		cmocka_unit_test(test_shown),	cmocka_unit_test(test_many),
		cmocka_unit_test(test_fill),	cmocka_unit_test(test_bad_fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
