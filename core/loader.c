/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's address space.  Text and read-only data are shared by all
 * instances, straight out of the boot image; data, stacks and shared pages
 * are the VM's own.
 */
#include "core/loader.h"

#include "core/host.h"
#include "include/elf.h"
#include "include/errno.h"
#include "include/panic.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"

extern const char machine_blob[], machine_blob_end[];

#define STACK_PAGES (GATE_STACK_SIZE / PAGE_SIZE)

static int map_new_page(struct vm *vm, uint64_t va, const void *from,
			uint64_t length)
{
	void *page = pages_alloc_zeroed(vm->vendor.pages, &vm->account, 0);

	if (!page)
		return -ENOMEM;
	if (length)
		memcpy(page, from, length);
	return address_space_map(&vm->space, va, virt_to_phys(page), PAGE_SIZE,
				 MAP_READ | MAP_WRITE);
}

/* Writable segments: a copy of what the file has, zeroes after it. */
static int load_data(struct vm *vm, const struct elf64_segment *s)
{
	for (uint64_t done = 0; done < s->memsz; done += PAGE_SIZE) {
		uint64_t left = done < s->filesz ? s->filesz - done : 0;
		int error = map_new_page(vm, s->vaddr + done,
					 machine_blob + s->offset + done,
					 MIN(left, PAGE_SIZE));

		if (error)
			return error;
	}
	return 0;
}

static int load_segment(struct vm *vm, const struct elf64_segment *s)
{
	unsigned prot = MAP_READ;

	if (s->type != ELF_PT_LOAD || !s->memsz)
		return 0;
	if (s->flags & ELF_PF_WRITE)
		return load_data(vm, s);
	if (s->flags & ELF_PF_EXEC)
		prot |= MAP_EXEC;
	return address_space_map(&vm->space, s->vaddr,
				 virt_to_phys(machine_blob + s->offset),
				 ALIGN_UP(s->memsz, PAGE_SIZE), prot);
}

static int load_program(struct vm *vm, uint64_t *entry)
{
	const struct elf64_header *header = (const void *)machine_blob;

	for (unsigned i = 0; i < header->phnum; i++) {
		const struct elf64_segment *s =
			(const void *)(machine_blob + header->phoff +
				       i * header->phentsize);
		int error = load_segment(vm, s);

		if (error)
			return error;
	}
	*entry = header->entry;
	return 0;
}

static int map_vcpu(struct vm *vm, unsigned id)
{
	int error = address_space_map(&vm->space, GATE_PAGE_VA(id),
				      virt_to_phys(vm->vcpu[id]->page),
				      PAGE_SIZE, MAP_READ | MAP_WRITE);

	for (unsigned i = 1; !error && i <= STACK_PAGES; i++)
		error = map_new_page(vm, GATE_STACK_TOP(id) - i * PAGE_SIZE,
				     NULL, 0);
	return error;
}

static int map_window(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->chunk_count; i++) {
		int error = address_space_map(
			&vm->space, GATE_WINDOW_VA + i * PAGE_2M, vm->chunk[i],
			PAGE_2M, MAP_READ | MAP_WRITE);

		if (error)
			return error;
	}
	return 0;
}

int loader_load(struct vm *vm, uint64_t *entry)
{
	int error = load_program(vm, entry);

	if (!error)
		error = map_window(vm);
	if (!error)
		error = address_space_map(&vm->space, GATE_CONFIG_VA,
					  virt_to_phys(vm->config), PAGE_SIZE,
					  MAP_READ);
	for (unsigned i = 0; !error && i < vm->vcpu_count; i++)
		error = map_vcpu(vm, i);
	return error;
}

/* The pages that map_new_page() made: data and stacks. */
static void free_range(struct vm *vm, uint64_t va, uint64_t end)
{
	struct table_leaf leaf;

	for (; va < end; va += PAGE_SIZE)
		if (table_query(&vm->space.table, va, &leaf) &&
		    leaf.prot & MAP_WRITE)
			pages_free(vm->vendor.pages, &vm->account, leaf.pa, 0);
}

void loader_unload(struct vm *vm)
{
	const struct elf64_header *header = (const void *)machine_blob;

	for (unsigned i = 0; i < header->phnum; i++) {
		const struct elf64_segment *s =
			(const void *)(machine_blob + header->phoff +
				       i * header->phentsize);

		if (s->type == ELF_PT_LOAD && s->flags & ELF_PF_WRITE)
			free_range(vm, s->vaddr, s->vaddr + s->memsz);
	}
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		free_range(vm, GATE_STACK_TOP(i) - GATE_STACK_SIZE,
			   GATE_STACK_TOP(i));
}

/* ---- Boot modules ------------------------------------------------------ */

void *loader_copy_module(struct vm *vm, const struct boot_module *module)
{
	struct vm_copy *copy = &vm->copy[vm->copy_count];
	uint64_t size = ALIGN_UP(module->length, PAGE_2M);
	char *data;

	VERIFY(vm->copy_count < ARRAY_SIZE(vm->copy));
	data = map_ram_alloc(&vm->host->map, &vm->copy_account, size);
	if (!data)
		return NULL;
	memcpy(data, phys_to_virt(module->base), module->length);
	memset(data + module->length, 0, size - module->length);
	copy->data = data;
	copy->size = size;
	vm->copy_count++;
	return data;
}

void loader_free_copies(struct vm *vm)
{
	for (unsigned i = 0; i < vm->copy_count; i++)
		map_ram_free(&vm->host->map, &vm->copy_account,
			     vm->copy[i].data, vm->copy[i].size);
	vm->copy_count = 0;
}

/* Pages of a copy, which need not lie behind one another. */
static int map_copy(struct vm *vm, uint64_t va, const char *data,
		    uint64_t length)
{
	struct table_leaf leaf;
	int error = 0;

	for (uint64_t done = 0; !error && done < length; done += leaf.size) {
		VERIFY(table_query(&vm->host->map.table, (uint64_t)data + done,
				   &leaf));
		error = address_space_map(&vm->space, va + done, leaf.pa,
					  MIN(leaf.size, length - done),
					  MAP_READ);
	}
	return error;
}

/* Nothing of the loader's leftovers reaches the machine. */
static int map_in_place(struct vm *vm, uint64_t va,
			const struct boot_module *module, uint64_t length)
{
	memset((char *)phys_to_virt(module->base) + module->length, 0,
	       length - module->length);
	return address_space_map(&vm->space, va, module->base, length,
				 MAP_READ);
}

int loader_add_blob(struct vm *vm, enum gate_blob_kind kind,
		    const struct boot_module *module, bool is_copied)
{
	struct gate_config *config = vm->config;
	struct gate_blob *blob = &config->blob[config->blob_count];
	uint64_t va = GATE_BLOB_VA, length;
	const char *copy;

	if (config->blob_count == GATE_MAX_BLOBS)
		return -ENOSPC;
	for (unsigned i = 0; i < config->blob_count; i++)
		va = ALIGN_UP(config->blob[i].va + config->blob[i].size,
			      PAGE_2M);
	length = ALIGN_UP(module->length, PAGE_SIZE);
	blob->kind = kind;
	blob->va = va;
	blob->size = module->length;
	config->blob_count++;
	if (!is_copied)
		return map_in_place(vm, va, module, length);
	copy = loader_copy_module(vm, module);
	return copy ? map_copy(vm, va, copy, length) : -ENOMEM;
}
