/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the manifest to running guests.
 */
#include "vm/vm.h"

#include "kernel/host.h"
#include "kernel/isolation.h"
#include "vm/loader.h"
#include "init/module_check.h"
#include "init/modules.h"
#include "include/boot.h"
#include "include/errno.h"
#include "include/manifest.h"
#include "include/x86.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"

#define SECTOR 512

#define VENDORS_MAX 4

struct start {
	struct host *host;
	const struct vendor *back;
	const struct boot_modules *modules;
	struct module_uses uses;
	int enable_error;
};

static const struct vendor *vendor_find(void)
{
	const char *why[VENDORS_MAX];

	for (unsigned i = 0; i < VENDORS_MAX && vendors[i]; i++) {
		why[i] = "";
		if (!vendors[i]->probe(&why[i])) {
			log_info("processor: %s", vendors[i]->name);
			return vendors[i];
		}
	}
	for (unsigned i = 0; i < VENDORS_MAX && vendors[i]; i++)
		log_err("no %s: %s", vendors[i]->name, why[i]);
	return NULL;
}

static void enable_here(void *ctx)
{
	struct start *start = ctx;
	int error;

	fpu_init_cpu();
	speculation_init_cpu(this_cpu());
	isolation_init_cpu(this_cpu());
	gate_init_cpu();
	error = start->back->cpu_enable(this_cpu()->id, &start->host->pages,
					&start->host->account);
	if (error)
		__atomic_store_n(&start->enable_error, error, __ATOMIC_SEQ_CST);
}

/* ---- Modules ----------------------------------------------------------- */

static bool needs_copy(const struct start *start,
		       const struct boot_module *module, enum module_use use)
{
	return module_needs_copy(
		&start->uses, (unsigned)(module - start->modules->module), use);
}

static int add_blob(struct start *start, struct vm *vm, const char *property,
		    const char *name, enum gate_blob_kind kind)
{
	const struct boot_module *module;
	const char *why;
	int error;

	if (!name[0])
		return 0;
	module = boot_module_find(start->modules, name);
	if (!module) {
		vlog_err(&vm->log, "%s: boot module \"%s\" is missing",
			 property, name);
		return -ENOENT;
	}
	why = module_blob_refusal(kind, !vm->manifest->program[0],
				  module->length);
	if (why) {
		vlog_err(&vm->log, "%s: \"%s\", %lu bytes, %s", property, name,
			 module->length, why);
		return -EINVAL;
	}
	error = loader_add_blob(vm, kind, module,
				needs_copy(start, module, MODULE_MAP));
	if (error)
		vlog_err(&vm->log, "%s: boot module \"%s\" cannot be used: %d",
			 property, name, error);
	return error;
}

/* What the manifest's reader left empty is not there. */
static int add_blobs(struct start *start, struct vm *vm)
{
	const struct guest_manifest *m = vm->manifest;
	const struct {
		const char *property;
		const char *name;
		enum gate_blob_kind kind;
	} blobs[] = {
		{ "firmware", m->firmware, GATE_BLOB_BIOS },
		{ "vga-bios", m->vga_bios, GATE_BLOB_VGABIOS },
		{ "kernel", m->kernel, GATE_BLOB_KERNEL },
		{ "initrd", m->initrd, GATE_BLOB_INITRD },
	};
	int error = 0;

	for (unsigned i = 0; !error && i < ARRAY_SIZE(blobs); i++)
		error = add_blob(start, vm, blobs[i].property, blobs[i].name,
				 blobs[i].kind);
	return error;
}

static int add_disk(struct start *start, struct vm *vm,
		    const struct disk_manifest *m)
{
	const struct boot_module *module =
		boot_module_find(start->modules, m->image);
	unsigned n = vm->config->disk_count;
	struct gate_disk *disk = &vm->config->disk[n];
	const char *why;
	uint8_t *data;

	if (!module) {
		vlog_err(&vm->log,
			 "%s: image: \"%s\" is not among the boot modules",
			 m->name, m->image);
		return -ENOENT;
	}
	why = module_disk_refusal(m->is_cdrom, module->length);
	if (why) {
		vlog_err(&vm->log, "%s: image: \"%s\", %lu bytes, %s", m->name,
			 m->image, module->length, why);
		return -EINVAL;
	}
	disk->is_read_only = m->is_read_only || m->is_cdrom;
	data = phys_to_virt(module->base);
	if (needs_copy(start, module,
		       disk->is_read_only ? MODULE_READ : MODULE_WRITE))
		data = loader_copy_module(vm, module);
	if (!data) {
		vlog_err(&vm->log,
			 "no memory for its own copy of \"%s\", %lu KiB, which "
			 "others use too",
			 m->image, module->length / KIB(1));
		return -ENOMEM;
	}
	disk->sector_count = module->length / SECTOR;
	disk->bus = m->bus;
	disk->unit = m->unit;
	disk->is_cdrom = m->is_cdrom;
	vm->disk[n].data = data;
	vm->disk[n].sector_count = disk->sector_count;
	vm->disk[n].is_read_only = disk->is_read_only;
	vm->config->disk_count = n + 1;
	if (!disk->is_read_only)
		vlog_info(&vm->log,
			  "disk \"%s\" is in memory: what is written "
			  "to it is lost at power-off",
			  m->image);
	return 0;
}

/* ---- Guests ------------------------------------------------------------ */

static struct vm *start_guest(struct start *start,
			      const struct guest_manifest *manifest)
{
	struct vm *vm = NULL;
	const struct vendor *back = manifest->devices & GATE_DEVICE_EMULATE
					    ? vendor_emulator
					    : start->back;
	int error;

	if (!back) {
		log_err("guest %s cannot be made: emulate-always: only the "
			"test image bulkhead-soft32.elf can",
			manifest->name);
		return NULL;
	}
	error = vm_create(start->host, back, manifest, &vm);
	if (!error)
		error = add_blobs(start, vm);
	for (unsigned i = 0; !error && i < manifest->disk_count; i++)
		error = add_disk(start, vm, &manifest->disk[i]);
	if (!error)
		return vm;
	log_err("guest %s cannot be made: %s", manifest->name,
		error == -ENOMEM ? "not enough memory" : "see above");
	if (vm)
		vm_discard(vm);
	return NULL;
}

static void start_guests(struct start *start, const struct manifest *manifest)
{
	struct vm *vm[MANIFEST_GUESTS_MAX];
	unsigned count = 0, vcpus = 0;

	for (unsigned i = 0; i < manifest->guest_count; i++)
		vcpus += manifest->guest[i].vcpus;
	start->host->is_overcommitted = vcpus > start->host->domain_cpu_count;
	for (unsigned i = 0; i < manifest->guest_count; i++) {
		vm[count] = start_guest(start, &manifest->guest[i]);
		if (vm[count])
			count++;
	}
	start->host->guest_count = count;
	if (!count) {
		log_err("no guest could be started");
		host_power_off(HOST_EXIT_CODE_PANIC);
	}
	for (unsigned i = 0; i < count; i++)
		vm_attach_console(vm[i]);
	console_start(&start->host->console);
	for (unsigned i = 0; i < count; i++)
		vm_start(vm[i]);
}

void host_start(const struct manifest *manifest,
		const struct boot_modules *modules)
{
	struct start start = { .host = this_host(), .modules = modules };

	start.host->modules = modules;
	start.back = vendor_find();
	if (!start.back) {
		log_err("nothing is started: no guest can run on this machine");
		host_power_off(HOST_EXIT_CODE_PANIC);
	}
	speculation_init(start.host, !manifest->is_mitigations_off,
			 start.back == &vmx_vendor);
	if (isolation_init(start.host)) {
		log_err("no memory for page tables of ring 3's own");
		host_power_off(HOST_EXIT_CODE_PANIC);
	}
	/* Here first: what all CPUs share is made by one of them. */
	enable_here(&start);
	cpu_call_others(enable_here, &start);
	if (start.enable_error) {
		log_err("%s cannot be enabled: %d", start.back->name,
			start.enable_error);
		host_power_off(HOST_EXIT_CODE_PANIC);
	}
	module_uses_count(&start.uses, manifest, modules);
	start_guests(&start, manifest);
}
