/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What init will do in ring 3, as a thread of the monitor: from the manifest to
 * running guests, and what becomes of them when they end.
 */
#include "vm/vm.h"

#include "include/boot.h"
#include "include/errno.h"
#include "include/machine_config.h"
#include "include/manifest.h"
#include "include/panic.h"
#include "include/x86.h"
#include "init/module_check.h"
#include "kernel/cmos.h"
#include "kernel/host.h"
#include "kernel/isolation.h"
#include "lib/printf.h"
#include "lib/program.h"
#include "lib/string.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "vm/gate.h"

#define SECTOR 512

#define VENDORS_MAX 4

#define MACHINE_PROGRAM "machine.elf"
#define VRAM_SIZE	MIB(8)
#define ROM_SIZE	MODULE_FIRMWARE_MAX
#define KIB_PER_PAGE	4UL

struct guest {
	const struct guest_manifest *manifest;
	struct domain *domain; /* NULL: none, or gone */
	uint64_t next_va;      /* for what is mapped next */
	struct machine_config config;
};

struct start {
	struct host *host;
	const struct manifest *manifest;
	const struct boot_modules *modules;
	struct thread *thread;
	int enable_error;
	unsigned alive;
	struct guest guest[MANIFEST_GUESTS_MAX];
};

static struct start the_start;
static struct vm_host the_vm_host;

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
	error = start->host->vendor->cpu_enable(
		this_cpu()->id, &start->host->pages, &start->host->account);
	if (error)
		__atomic_store_n(&start->enable_error, error, __ATOMIC_SEQ_CST);
}

/* ---- Modules ----------------------------------------------------------- */

static int module_refused(struct domain *domain, const char *what,
			  const char *name, uint64_t length, const char *why)
{
	vlog_err(&domain->log, "%s: \"%s\", %lu bytes, %s", what, name, length,
		 why);
	return -EINVAL;
}

/* Behind all that is mapped so far; *va says where. */
static int module_map(struct start *start, struct guest *guest,
		      const struct boot_module *module, bool is_writable,
		      uint64_t *va)
{
	const struct gate_domain_map map = {
		.va = guest->next_va,
		.size = ALIGN_UP(module->length, PAGE_SIZE),
		.kind = is_writable ? GATE_MEMORY_MODULE_COW
				    : GATE_MEMORY_MODULE,
		.prot = GATE_PROT_READ | (is_writable ? GATE_PROT_WRITE : 0),
		.module = (uint32_t)(module - start->modules->module),
	};

	*va = guest->next_va;
	guest->next_va = ALIGN_UP(guest->next_va + map.size, PAGE_2M);
	return domain_map(guest->domain, &map);
}

static int add_blob(struct start *start, struct guest *guest,
		    const char *property, const char *name,
		    enum machine_blob_kind kind)
{
	struct domain *domain = guest->domain;
	struct machine_config *config = &guest->config;
	struct machine_blob *blob = &config->blob[config->blob_count];
	const struct boot_module *module;
	const char *why;

	if (!name[0])
		return 0;
	module = boot_module_find(start->modules, name);
	if (!module) {
		vlog_err(&domain->log, "%s: boot module \"%s\" is missing",
			 property, name);
		return -ENOENT;
	}
	why = module_blob_refusal(kind, !guest->manifest->program[0],
				  module->length);
	if (why)
		return module_refused(domain, property, name, module->length,
				      why);
	blob->kind = kind;
	blob->size = module->length;
	config->blob_count++;
	return module_map(start, guest, module, false, &blob->va);
}

/* What the manifest's reader left empty is not there. */
static int add_blobs(struct start *start, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	const struct {
		const char *property;
		const char *name;
		enum machine_blob_kind kind;
	} blobs[] = {
		{ "firmware", m->firmware, MACHINE_BLOB_BIOS },
		{ "vga-bios", m->vga_bios, MACHINE_BLOB_VGABIOS },
		{ "kernel", m->kernel, MACHINE_BLOB_KERNEL },
		{ "initrd", m->initrd, MACHINE_BLOB_INITRD },
	};
	int error = 0;

	for (unsigned i = 0; !error && i < ARRAY_SIZE(blobs); i++)
		error = add_blob(start, guest, blobs[i].property, blobs[i].name,
				 blobs[i].kind);
	return error;
}

static int add_disk(struct start *start, struct guest *guest,
		    const struct disk_manifest *m)
{
	struct domain *domain = guest->domain;
	struct machine_disk_config *disk =
		&guest->config.disk[guest->config.disk_count++];
	const struct boot_module *module =
		boot_module_find(start->modules, m->image);
	const char *why;

	if (!module) {
		vlog_err(&domain->log,
			 "%s: image: \"%s\" is not among the boot modules",
			 m->name, m->image);
		return -ENOENT;
	}
	why = module_disk_refusal(m->is_cdrom, module->length);
	if (why) {
		vlog_err(&domain->log, "%s: image: \"%s\", %lu bytes, %s",
			 m->name, m->image, module->length, why);
		return -EINVAL;
	}
	disk->sector_count = module->length / SECTOR;
	disk->bus = m->bus;
	disk->unit = m->unit;
	disk->is_cdrom = m->is_cdrom;
	disk->is_read_only = m->is_read_only || m->is_cdrom;
	if (!disk->is_read_only)
		vlog_info(&domain->log,
			  "disk \"%s\" is in memory: what is written "
			  "to it is lost at power-off",
			  m->image);
	return module_map(start, guest, module, !disk->is_read_only, &disk->va);
}

/* ---- The program --------------------------------------------------------- */

static int load_data(struct domain *domain, const struct program_part *part,
		     const char *file)
{
	const struct gate_domain_map map = {
		.va = part->va,
		.size = ALIGN_UP(part->size, PAGE_SIZE),
		.kind = GATE_MEMORY_ZERO,
		.prot = GATE_PROT_READ |
			(part->is_writable ? GATE_PROT_WRITE : 0) |
			(part->is_executable ? GATE_PROT_EXEC : 0),
	};
	int error = domain_map(domain, &map);

	return error ? error
		     : domain_write(domain, part->va, file + part->offset,
				    part->file_size);
}

/* Straight out of the file, if nothing is to be zero behind it. */
static int load_part(struct start *start, struct domain *domain,
		     const struct program_part *part,
		     const struct boot_module *module)
{
	const struct gate_domain_map map = {
		.va = part->va,
		.size = ALIGN_UP(part->size, PAGE_SIZE),
		.kind = GATE_MEMORY_MODULE,
		.prot = GATE_PROT_READ |
			(part->is_executable ? GATE_PROT_EXEC : 0),
		.module = (uint32_t)(module - start->modules->module),
		.offset = part->offset,
	};

	if (part->is_writable || part->size != part->file_size ||
	    !IS_ALIGNED(part->offset, PAGE_SIZE))
		return load_data(domain, part, phys_to_virt(module->base));
	return domain_map(domain, &map);
}

static int load_program(struct start *start, struct guest *guest,
			uint64_t *entry)
{
	struct domain *domain = guest->domain;
	const char *name = guest->manifest->program[0]
				   ? guest->manifest->program
				   : MACHINE_PROGRAM;
	const struct boot_module *module =
		boot_module_find(start->modules, name);
	struct program program;
	const char *why;
	int error;

	if (!module) {
		vlog_err(&domain->log, "program: boot module \"%s\" is missing",
			 name);
		return -ENOENT;
	}
	error = program_parse(&program, phys_to_virt(module->base),
			      module->length, &why);
	if (error)
		vlog_err(&domain->log, "program \"%s\" %s", name, why);
	for (unsigned i = 0; !error && i < program.part_count; i++)
		error = load_part(start, domain, &program.part[i], module);
	*entry = program.entry;
	return error;
}

/* ---- Guests ------------------------------------------------------------ */

static void config_init(struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	struct machine_config *config = &guest->config;

	config->version = MACHINE_CONFIG_VERSION;
	config->board = m->board;
	(void)snprintf(config->name, sizeof(config->name), "%s", m->name);
	(void)snprintf(config->cmdline, sizeof(config->cmdline), "%s",
		       m->cmdline);
	config->vcpu_count = m->vcpus;
	config->ram_size = MIB(m->memory_mib);
	config->vram_size = VRAM_SIZE;
	config->rom_size = ROM_SIZE;
	config->devices = m->devices;
	guest->next_va = GATE_MODULE_VA;
}

static int write_config(struct guest *guest)
{
	const struct gate_domain_map map = {
		.va = GATE_ARGUMENT_VA,
		.size = ALIGN_UP(sizeof(guest->config), PAGE_SIZE),
		.kind = GATE_MEMORY_ZERO,
		.prot = GATE_PROT_READ,
	};
	int error = domain_map(guest->domain, &map);

	return error ? error
		     : domain_write(guest->domain, GATE_ARGUMENT_VA,
				    &guest->config, sizeof(guest->config));
}

/* What a machine takes beside its disks: tables, its data, its vCPUs. */
#define QUOTA_PAGES	    2048
#define QUOTA_PAGES_VCPU    32
/* A table for 512 pages, and some on the way. */
#define QUOTA_TABLES(pages) ((pages) / 256)

static uint64_t quota_pages(const struct start *start,
			    const struct guest_manifest *m)
{
	uint64_t pages = QUOTA_PAGES + m->vcpus * QUOTA_PAGES_VCPU +
			 QUOTA_TABLES(MIB(m->memory_mib) / PAGE_SIZE);

	for (unsigned i = 0; i < m->disk_count; i++) {
		const struct boot_module *module =
			boot_module_find(start->modules, m->disk[i].image);
		uint64_t disk = module ? module->length / PAGE_SIZE : 0;

		pages += QUOTA_TABLES(disk);
		if (!m->disk[i].is_read_only)
			pages += disk;
	}
	return pages;
}

static int make_domain(struct start *start, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	struct gate_domain_spec spec = {
		.quota_pages = quota_pages(start, m),
		.vm_memory = MIB(m->memory_mib) + VRAM_SIZE + ROM_SIZE,
		.thread_count = m->vcpus,
	};

	if (m->vcpus > 1 && start->host->is_overcommitted)
		spec.flags |= GATE_DOMAIN_PAUSE_EXITS;
	if (m->devices & MANIFEST_EMULATE)
		spec.flags |= GATE_DOMAIN_EMULATE;
	(void)snprintf(spec.name, sizeof(spec.name), "%s", m->name);
	return domain_create(&spec, &guest->domain);
}

static int fill_domain(struct start *start, struct guest *guest,
		       uint64_t *entry)
{
	const struct guest_manifest *m = guest->manifest;
	int error = load_program(start, guest, entry);

	if (!error)
		error = add_blobs(start, guest);
	for (unsigned i = 0; !error && i < m->disk_count; i++)
		error = add_disk(start, guest, &m->disk[i]);
	return error ? error : write_config(guest);
}

/* The domain is BUILDING afterwards, with its entry set, or not there. */
static void make_guest(struct start *start, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	int error = 0;

	if (m->devices & MANIFEST_EMULATE && !vendor_emulator) {
		log_err("guest %s cannot be made: emulate-always: only the "
			"test image bulkhead-soft32.elf can",
			m->name);
		return;
	}
	config_init(guest);
	error = make_domain(start, guest);
	if (!error)
		error = fill_domain(start, guest, &guest->domain->entry);
	if (!error)
		return;
	if (error == -ENOMEM)
		log_err("guest %s cannot be made: not enough memory", m->name);
	else
		log_err("guest %s cannot be made: see above (%d)", m->name,
			error);
	if (guest->domain)
		VERIFY(domain_destroy(guest->domain) == 0);
	guest->domain = NULL;
}

static void start_guest(struct guest *guest)
{
	struct domain *domain = guest->domain;

	vlog_info(&domain->log,
		  "%lu MiB RAM, %u vCPUs; monitor's own memory %lu KiB, "
		  "nested tables at start %lu KiB",
		  (uint64_t)(guest->config.ram_size / MIB(1)),
		  domain->thread_count, domain->account.pages * KIB_PER_PAGE,
		  domain->vm->nested_account.pages * KIB_PER_PAGE);
	VERIFY(domain_start(domain, domain->entry) == 0);
}

static const char *end_text(const struct gate_domain_status *status)
{
	switch (status->end) {
	case GATE_END_FAULT:
		return "its machine crashed";
	case GATE_END_GUEST:
		return "its guest cannot go on";
	case GATE_END_MACHINE_CHECK:
		return "machine check while the guest ran";
	case GATE_END_MEMORY:
		return "out of memory";
	case GATE_END_STOPPED:
		return "by the operator";
	default:
		break;
	}
	if (status->code == MACHINE_EXIT_POWER_OFF)
		return "powered off";
	return status->code & ~0xffULL ? "ended by the guest through port 0xf4"
				       : "its machine gave up";
}

/* True: it has ended, and is gone now. */
static bool reap_guest(struct guest *guest, uint8_t *code)
{
	struct domain *domain = guest->domain;
	struct gate_domain_status status;

	if (!domain)
		return false;
	domain_query(domain, &status);
	if (status.state != GATE_DOMAIN_ENDED)
		return false;
	vlog_once(&domain->log, "stopped: %s", end_text(&status));
	*code = status.end == GATE_END_EXIT && status.code & ~0xffULL
			? (uint8_t)status.code
			: 0;
	vm_detach_console(domain->vm);
	VERIFY(domain_destroy(domain) == 0);
	guest->domain = NULL;
	return true;
}

static void start_guests(struct start *start)
{
	const struct manifest *manifest = start->manifest;
	unsigned vcpus = 0;

	for (unsigned i = 0; i < manifest->guest_count; i++)
		vcpus += manifest->guest[i].vcpus;
	start->host->is_overcommitted = vcpus > start->host->domain_cpu_count;
	for (unsigned i = 0; i < manifest->guest_count; i++) {
		start->guest[i].manifest = &manifest->guest[i];
		make_guest(start, &start->guest[i]);
		start->alive += !!start->guest[i].domain;
	}
	if (!start->alive) {
		log_err("no guest could be started");
		host_power_off(HOST_EXIT_CODE_PANIC);
	}
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (start->guest[i].domain)
			vm_attach_console(start->guest[i].domain->vm);
	console_start(&start->host->console);
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (start->guest[i].domain)
			start_guest(&start->guest[i]);
}

static void domain_ended(void)
{
	thread_wake(the_start.thread);
}

static void start_main(void *arg)
{
	struct start *start = arg;
	uint8_t code = 0;

	irq_disable();
	start_guests(start);
	while (start->alive) {
		for (unsigned i = 0; i < start->manifest->guest_count; i++)
			start->alive -= reap_guest(&start->guest[i], &code);
		if (start->alive)
			thread_block();
	}
	log_info("all guests have stopped");
	host_power_off(code);
}

void host_start(const struct manifest *manifest,
		const struct boot_modules *modules)
{
	struct start *start = &the_start;
	struct host *host = this_host();

	start->host = host;
	start->manifest = manifest;
	start->modules = modules;
	the_vm_host.ended = domain_ended;
	the_vm_host.epoch_s = cmos_read_epoch();
	host->vm = &the_vm_host;
	host->trap_hooks = &gate_trap_hooks;
	host->vendor = vendor_find();
	if (!host->vendor) {
		log_err("nothing is started: no guest can run on this machine");
		host_power_off(HOST_EXIT_CODE_PANIC);
	}
	if (isolation_init(host)) {
		log_err("no memory for page tables of ring 3's own");
		host_power_off(HOST_EXIT_CODE_PANIC);
	}
	/* Here first: what all CPUs share is made by one of them. */
	enable_here(start);
	cpu_call_others(enable_here, start);
	if (start->enable_error) {
		log_err("%s cannot be enabled: %d", host->vendor->name,
			start->enable_error);
		host_power_off(HOST_EXIT_CODE_PANIC);
	}
	start->thread = thread_create("start", start_main, start, 0);
	if (!start->thread)
		monitor_panic("no memory for the first thread");
	thread_start(start->thread);
}
