/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts a machine together in its address space: the program itself, stacks,
 * shared pages, the window onto the VM's memory, boot modules.
 */
#ifndef BULKHEAD_VM_LOADER_H
#define BULKHEAD_VM_LOADER_H

#include "include/boot.h"
#include "vm/vm.h"

/*
 * Fills vm->space from what vm already has: config, pages, chunks.  The entry
 * point goes to *entry.  0 or -errno; what was allocated is found and freed
 * by loader_unload().
 */
int __must_check loader_load(struct vm *vm, uint64_t *entry);
void loader_unload(struct vm *vm);

/*
 * Maps a boot module read-only and notes it in the config.  is_copied: not the
 * module's own pages, but those of a copy.
 */
int __must_check loader_add_blob(struct vm *vm, enum gate_blob_kind kind,
				 const struct boot_module *module,
				 bool is_copied);

/* The VM's own copy of a module, charged to it; NULL when out of memory. */
void *__must_check loader_copy_module(struct vm *vm,
				      const struct boot_module *module);
/* With vm->space gone. */
void loader_free_copies(struct vm *vm);

#endif
