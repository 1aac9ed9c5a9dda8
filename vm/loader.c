/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's address space.  The built-in program's text and read-only data
 * are shared by all instances, straight out of the boot image; its data, stacks
 * and shared pages are the VM's own.  So is all of a program that comes as a
 * boot module, whose file a guest may have for a disk.
 */
#include "vm/loader.h"

#include "kernel/host.h"
#include "include/errno.h"
#include "include/panic.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"

extern const char machine_blob[], machine_blob_end[];

#define STACK_PAGES (GATE_STACK_SIZE / PAGE_SIZE)

static int map_new_page(struct vm *vm, uint64_t va, unsigned prot,
			const void *from, uint64_t length)
{
	struct pages *pages = vm->vendor.pages;
	void *page = pages_alloc_zeroed(pages, &vm->account, 0);
	int error;

	if (!page)
		return -ENOMEM;
	if (length)
		memcpy(page, from, length);
	error = address_space_map(&vm->space, va, virt_to_phys(page), PAGE_SIZE,
				  prot);
	if (error)
		pages_free_virt(pages, &vm->account, page, 0);
	return error;
}

/* Pages of its own: a copy of what the file has, zeroes after it. */
static int load_copy(struct vm *vm, const struct program_part *part,
		     unsigned prot, const char *file)
{
	for (uint64_t done = 0; done < part->size; done += PAGE_SIZE) {
		uint64_t left =
			done < part->file_size ? part->file_size - done : 0;
		int error = map_new_page(vm, part->va + done, prot,
					 file + part->offset + done,
					 MIN(left, PAGE_SIZE));

		if (error)
			return error;
	}
	return 0;
}

static int load_part(struct vm *vm, const struct program_part *part,
		     const char *file)
{
	unsigned prot = MAP_READ;

	if (part->is_writable)
		prot |= MAP_WRITE;
	if (part->is_executable)
		prot |= MAP_EXEC;
	if (part->is_writable || vm->is_program_copied)
		return load_copy(vm, part, prot, file);
	return address_space_map(&vm->space, part->va,
				 virt_to_phys(file + part->offset),
				 ALIGN_UP(part->size, PAGE_SIZE), prot);
}

/* The file of the VM's program; NULL: there is none, which is logged. */
static const char *find_program(struct vm *vm, uint64_t *size)
{
	const char *name = vm->manifest->program;
	const struct boot_module *module;

	if (!name[0]) {
		*size = (uint64_t)machine_blob_end - (uint64_t)machine_blob;
		return machine_blob;
	}
	module = boot_module_find(vm->host->modules, name);
	if (!module) {
		vlog_err(&vm->log, "boot module \"%s\" is missing", name);
		return NULL;
	}
	vm->is_program_copied = true;
	*size = module->length;
	return phys_to_virt(module->base);
}

static int load_program(struct vm *vm, uint64_t *entry)
{
	struct program *program = &vm->program;
	uint64_t size;
	const char *file = find_program(vm, &size), *why;
	int error;

	if (!file)
		return -ENOENT;
	error = program_parse(program, file, size, &why);
	if (error) {
		vlog_err(&vm->log, "program \"%s\" %s", vm->manifest->program,
			 why);
		/* Nothing is loaded, so nothing is to be unloaded. */
		program->part_count = 0;
		return error;
	}
	for (unsigned i = 0; !error && i < program->part_count; i++)
		error = load_part(vm, &program->part[i], file);
	*entry = program->entry;
	return error;
}

static int map_vcpu(struct vm *vm, unsigned id)
{
	int error = address_space_map(&vm->space, GATE_PAGE_VA(id),
				      virt_to_phys(vm->vcpu[id]->page),
				      PAGE_SIZE, MAP_READ | MAP_WRITE);

	for (unsigned i = 1; !error && i <= STACK_PAGES; i++)
		error = map_new_page(vm, GATE_STACK_TOP(id) - i * PAGE_SIZE,
				     MAP_READ | MAP_WRITE, NULL, 0);
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

/* The pages that map_new_page() made. */
static void free_range(struct vm *vm, uint64_t va, uint64_t size)
{
	struct table_leaf leaf;

	for (uint64_t end = va + size; va < end; va += PAGE_SIZE)
		if (table_query(&vm->space.table, va, &leaf))
			pages_free(vm->vendor.pages, &vm->account, leaf.pa, 0);
}

void loader_unload(struct vm *vm)
{
	for (unsigned i = 0; i < vm->program.part_count; i++) {
		const struct program_part *part = &vm->program.part[i];

		if (part->is_writable || vm->is_program_copied)
			free_range(vm, part->va, part->size);
	}
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		free_range(vm, GATE_STACK_TOP(i) - GATE_STACK_SIZE,
			   GATE_STACK_SIZE);
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
