/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gate calls of a machine: where its VM's memory shows, and what of it goes
 * back to the host.
 */
#include "include/errno.h"
#include "include/x86.h"
#include "kernel/host.h"
#include "vm/gate.h"
#include "vm/vm.h"

#define GPA_LIMIT (1ULL << 46)

/* ---- Memory map -------------------------------------------------------- */

/*
 * A change of the map may be long: it goes in pieces, and between two of them
 * the lock is free and others have their turn.  Siblings that change the same
 * addresses meanwhile get a mixture; nobody else is concerned.
 */
#define MAP_PIECE KIB(32) /* of 4 KiB leaves */

static void map_pause(struct vcpu *vcpu)
{
	domain_unlock(&vcpu->user);
	user_breathe(&vcpu->user);
	domain_lock(&vcpu->user);
}

/* How much of it can go in one piece: one large leaf, or some small ones. */
static uint64_t map_piece(const struct vm *vm, gpa_t gpa, uint64_t offset,
			  uint64_t length)
{
	uint64_t left = PAGE_2M - offset % PAGE_2M; /* of the chunk */

	if (IS_ALIGNED(gpa | offset, PAGE_2M) && length >= PAGE_2M &&
	    !table_has_small(&vm->nested, gpa))
		return PAGE_2M;
	return MIN(MIN(length, left), MAP_PIECE);
}

/* Of one piece; while that is absent, nothing. */
static int map_chunk(struct vm *vm, gpa_t gpa, uint64_t offset, uint64_t length,
		     unsigned prot)
{
	hpa_t hpa = vm_chunk(vm, offset / PAGE_2M);

	if (!hpa)
		return table_unmap(&vm->nested, gpa, length);
	vm_chunk_placed(vm, offset / PAGE_2M, gpa - offset % PAGE_2M);
	return table_map(&vm->nested, gpa, hpa + offset % PAGE_2M, length, prot,
			 MAP_WRITE_BACK);
}

/* One leaf for a GiB that has become whole. */
static void map_merge(struct vm *vm, gpa_t gpa)
{
	if (!vm->vendor.has_1g)
		return;
	table_merge(&vm->nested, gpa);
	if (table_is_reap_due(&vm->nested))
		vm_flush(vm);
}

/* [gpa, +length) onto the VM's memory at offset. */
static int map_chunks(struct vcpu *vcpu, gpa_t gpa, uint64_t length,
		      uint64_t offset, unsigned prot)
{
	struct vm *vm = vcpu->vm;
	/* Of a large leaf: see exit_fetch(). */
	unsigned never = this_host()->speculation.itlb_multihit ? MAP_EXEC : 0;

	for (;;) {
		uint64_t n = map_piece(vm, gpa, offset, length);
		unsigned rights = n == PAGE_2M ? prot & ~never : prot;
		int error = map_chunk(vm, gpa, offset, n, rights);

		gpa += n;
		offset += n;
		length -= n;
		if (n == PAGE_2M && IS_ALIGNED(gpa, PAGE_1G))
			map_merge(vm, gpa - PAGE_1G);
		if (error || !length)
			return error;
		map_pause(vcpu);
	}
}

/* Read-only: what the machine has of boot modules at va, which nobody writes
 * and which stays; others' guests may have the same. */
static int map_module(struct vcpu *vcpu, gpa_t gpa, uint64_t length,
		      uint64_t va)
{
	const unsigned others = MAP_WRITE | MAP_OWNED | MAP_COW;
	struct vm *vm = vcpu->vm;
	struct table_leaf leaf;
	int error;

	for (;; gpa += PAGE_SIZE, va += PAGE_SIZE) {
		if (!table_query(&vm->domain->space.table, va, &leaf) ||
		    leaf.prot & others || leaf.type != MAP_WRITE_BACK)
			return -EINVAL;
		error = table_map(&vm->nested, gpa, leaf.pa, PAGE_SIZE,
				  MAP_READ | MAP_EXEC, MAP_WRITE_BACK);
		length -= PAGE_SIZE;
		if (error || !length)
			return error;
		if (IS_ALIGNED(length, MAP_PIECE))
			map_pause(vcpu);
	}
}

static int map_nothing(struct vcpu *vcpu, gpa_t gpa, uint64_t length)
{
	struct vm *vm = vcpu->vm;
	gpa_t end = gpa + length;

	for (;;) {
		int error = table_unmap_some(&vm->nested, &gpa, end);

		if (error || gpa == end)
			return error;
		if (table_is_reap_due(&vm->nested))
			vm_flush(vm);
		map_pause(vcpu);
	}
}

/* As EXIT_NESTED without it. */
static int map_apic(struct vm *vm, gpa_t gpa)
{
	hpa_t hpa = vm->vendor.apic_hpa;

	return hpa ? table_map(&vm->nested, gpa, hpa, PAGE_SIZE,
			       MAP_READ | MAP_WRITE, MAP_WRITE_BACK)
		   : 0;
}

GATE_CALL(gate_map)
{
	struct vcpu *vcpu = vcpu_of(user);
	struct vm *vm = vcpu->vm;
	uint64_t kind = c & (PAGE_SIZE - 1), offset = c - kind;
	uint64_t size = kind == GATE_MAP_MODULE
				? GATE_MODULE_END - GATE_MODULE_VA
				: (uint64_t)vm->chunk_count * PAGE_2M;
	int error;

	if (!IS_ALIGNED(a | b, PAGE_SIZE) || kind >= GATE_MAP_COUNT || !b)
		return -EINVAL;
	if (a >= GPA_LIMIT || b > GPA_LIMIT - a)
		return -ERANGE;
	if (kind != GATE_MAP_NONE && (offset > size || b > size - offset))
		return -ERANGE;
	if (kind == GATE_MAP_NONE)
		error = map_nothing(vcpu, a, b);
	else if (kind == GATE_MAP_APIC)
		error = map_apic(vm, a);
	else if (kind == GATE_MAP_MODULE)
		error = map_module(vcpu, a, b, GATE_MODULE_VA + offset);
	else
		error = map_chunks(vcpu, a, b, offset,
				   kind == GATE_MAP_RAM
					   ? MAP_READ | MAP_WRITE | MAP_EXEC
					   : MAP_READ | MAP_EXEC);
	vm_flush(vm);
	return error;
}

GATE_CALL(gate_fill)
{
	struct vm_content content = { a % PAGE_2M, a % PAGE_2M + b, c, 0 };

	if (!b || b > PAGE_2M - content.from)
		return -EINVAL;
	if (a / PAGE_2M >= vcpu_of(user)->vm->chunk_count)
		return -ERANGE;
	return vm_populate(user, a / PAGE_2M, &content);
}

/*
 * Pieces that are given back together: a flush for all of them.  The leaves of
 * 1 GiB that they lie in are split first, which takes as long as hundreds of
 * pieces: of one that is in many, the rest waits for the next batch.
 */
#define RELEASE_BATCH  32
#define RELEASE_SPLITS 2

/* gone: bits of the batch's pieces.  How many they are, when they are free. */
static long release_flushed(struct vcpu *vcpu, uint64_t first, uint64_t gone,
			    const gpa_t gpa[RELEASE_BATCH])
{
	long count = 0;

	for (uint64_t left = gone; left; left &= left - 1) {
		gpa_t at = gpa[__builtin_ctzll(left)];
		int error =
			at == UINT64_MAX ? 0 : map_nothing(vcpu, at, PAGE_2M);

		if (error)
			return error;
	}
	vm_flush(vcpu->vm);
	cr3_write(cr3_read()); /* this CPU's own */
	for (; gone; gone &= gone - 1, count++) {
		vm_chunk_free(vcpu->vm,
			      first + (unsigned)__builtin_ctzll(gone));
		sched_breathe();
	}
	return count;
}

/* How many pieces of *count were given back, or -errno: then some may have
 * been.  It has tried *count of them in the end. */
static long release_batch(struct vcpu *vcpu, uint64_t first, uint64_t *count)
{
	struct vm *vm = vcpu->vm;
	gpa_t gpa[RELEASE_BATCH];
	uint64_t gone = 0, enough = vm->nested.table_pages + RELEASE_SPLITS;
	unsigned i;

	space_lock(vm->domain);
	for (i = 0; i < *count && vm->nested.table_pages < enough; i++)
		if (vm_chunk_withdraw(vm, first + i, &gpa[i]))
			gone |= BIT(i);
	space_unlock(vm->domain);
	*count = i;
	return gone ? release_flushed(vcpu, first, gone, gpa) : 0;
}

GATE_CALL(gate_release)
{
	struct vcpu *vcpu = vcpu_of(user);
	uint64_t first = a / PAGE_2M, left = b / PAGE_2M;
	long done = 0, n;

	if (!IS_ALIGNED(a | b, PAGE_2M) || !b)
		return -EINVAL;
	if (first > vcpu->vm->chunk_count ||
	    left > vcpu->vm->chunk_count - first)
		return -ERANGE;
	for (;; map_pause(vcpu)) {
		uint64_t count = MIN(left, (uint64_t)RELEASE_BATCH);

		n = release_batch(vcpu, first, &count);
		if (n < 0)
			return n;
		done += n;
		first += count;
		left -= count;
		if (!left)
			return done * (long)PAGE_2M;
	}
}
