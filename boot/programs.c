/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs need, once all CPUs are up: the back end, ring 3 on each CPU,
 * and the domain that init runs in.  What init is told and given is in
 * include/domain.h; all that happens afterwards, it does.
 */
#include "boot/boot.h"

#include "include/errno.h"
#include "include/log.h"
#include "include/panic.h"
#include "include/vendor.h"
#include "include/x86.h"
#include "kernel/host.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "vm/gate.h"
#include "vm/vm.h"

#define VENDORS_MAX 4
/* Its data, tables for channels and for the ends of the modules. */
#define INIT_QUOTA  1024

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
	struct host *host = this_host();
	int *failed = ctx, error;

	ring3_init_cpu(this_cpu());
	error = host->vendor->cpu_enable(this_cpu()->id, &host->pages,
					 &host->account);
	if (error)
		__atomic_store_n(failed, error, __ATOMIC_SEQ_CST);
}

/* ---- init's domain ------------------------------------------------------- */

static int map_zero(struct domain *domain, uint64_t va, uint64_t size,
		    uint32_t prot)
{
	const struct gate_domain_map map = {
		.va = va,
		.size = ALIGN_UP(size, PAGE_SIZE),
		.kind = GATE_MEMORY_ZERO,
		.prot = prot,
	};

	return domain_map(domain, &map);
}

static int load_part(struct domain *domain, const struct program_part *part,
		     const char *file)
{
	uint32_t prot = GATE_PROT_READ |
			(part->is_writable ? GATE_PROT_WRITE : 0) |
			(part->is_executable ? GATE_PROT_EXEC : 0);
	int error = map_zero(domain, part->va, part->size, prot);

	return error ? error
		     : domain_copy(domain, part->va, NULL, file + part->offset,
				   part->file_size);
}

/* All boot modules, one behind another, and where they are. */
static int map_modules(struct domain *domain, struct gate_init_info *info)
{
	const struct boot_modules *modules = &domain->host->modules;
	uint64_t va = GATE_MODULE_VA;
	int error = 0;

	for (unsigned i = 0; !error && i < modules->count; i++) {
		const struct boot_module *module = &modules->module[i];
		/* As far into 2 MiB as it is physically: see map_module(). */
		const struct gate_domain_map map = {
			.va = va + module->base % PAGE_2M,
			.size = ALIGN_UP(module->length, PAGE_SIZE),
			.kind = GATE_MEMORY_MODULE,
			.prot = GATE_PROT_READ,
			.module = i,
		};

		memcpy(info->module[i].name, module->name,
		       sizeof(info->module[i].name));
		info->module[i].va = map.va;
		info->module[i].size = module->length;
		if (module->length)
			error = domain_map(domain, &map);
		va = ALIGN_UP(map.va + map.size, PAGE_2M);
	}
	info->module_count = modules->count;
	return error;
}
_Static_assert(GATE_MODULES_MAX == BOOT_MODULES_MAX, "all of them");
_Static_assert(GATE_MODULE_NAME_MAX == BOOT_MODULE_NAME_MAX, "whole names");

static int map_info(struct domain *domain)
{
	const struct host *host = domain->host;
	struct gate_init_info info = {
		.version = GATE_VERSION,
		.cpu_count = host->domain_cpu_count,
		.has_vm = host->vendor,
		.is_mitigations_off = host->options.is_mitigations_off,
		.screen = host->screen,
	};
	int error = map_modules(domain, &info);

	(void)snprintf(info.vendor, sizeof(info.vendor), "%s",
		       host->vendor->name);
	if (!error)
		error = map_zero(domain, GATE_ARGUMENT_VA, sizeof(info),
				 GATE_PROT_READ);
	return error ? error
		     : domain_copy(domain, GATE_ARGUMENT_VA, NULL, &info,
				   sizeof(info));
}

static int init_fill(struct domain *domain)
{
	const struct host *host = domain->host;
	const struct program *program = &host->first_program;
	const char *file = phys_to_virt(host->first_module->base);
	int error = 0;

	for (unsigned i = 0; !error && i < program->part_count; i++)
		error = load_part(domain, &program->part[i], file);
	if (!error)
		error = map_zero(domain, GATE_FS_VA, PAGE_SIZE,
				 GATE_PROT_READ | GATE_PROT_WRITE);
	return error ? error : map_info(domain);
}

/* In a state to be started, which is done when boot/ is gone: host_start(). */
static void init_make(void)
{
	const struct gate_domain_spec spec = {
		.name = "init",
		.rights = GATE_RIGHTS,
		.quota_pages = INIT_QUOTA,
		.thread_count = 1,
		.cpus = { BIT(0) }, /* others may be a guest's alone */
	};
	struct domain *domain;
	int error;

	/* As in a gate call. */
	irq_disable();
	error = domain_create(&spec, &domain);
	if (!error)
		error = init_fill(domain);
	if (error)
		monitor_panic("init cannot be made: error %d", error);
	vm_host()->init_id = domain->id;
	domain_put(domain);
	irq_enable();
}

static __noreturn void give_up(void)
{
	host_power_off(HOST_EXIT_CODE_PANIC);
}

static void cpus_enable(struct host *host)
{
	int error = 0;

	/* Here first: what all CPUs share is made by one of them. */
	enable_here(&error);
	cpu_call_others(enable_here, &error);
	if (!error)
		return;
	log_err("%s cannot be enabled: %d", host->vendor->name, error);
	give_up();
}

void programs_init(struct host *host)
{
	const void *zero_page =
		pages_alloc_zeroed(&host->pages, &host->account, 0);

	VERIFY(zero_page);
	the_vm_host.zero_page = virt_to_phys(zero_page);
	the_vm_host.epoch_s = cmos_read_epoch();
	host->vm = &the_vm_host;
	host->trap_hooks = &gate_trap_hooks;
	host->vendor = vendor_find();
	if (!host->vendor) {
		log_err("nothing is started: no guest can run on this machine");
		give_up();
	}
	if (isolation_init(host)) {
		log_err("no memory for page tables of ring 3's own");
		give_up();
	}
	cpus_enable(host);
	log_start(&host->log);
	init_make();
}
