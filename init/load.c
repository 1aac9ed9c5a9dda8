/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes into a domain before it starts: a program; for a guest's its
 * configuration, and the boot modules that the manifest names, mapped where the
 * configuration says.
 */
#include "init/init.h"

#include "include/errno.h"
#include "include/gate.h"
#include "init/module_check.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/program.h"
#include "lib/string.h"

#define SECTOR		512
#define MACHINE_PROGRAM "machine.elf"
#define VRAM_SIZE	MIB(8)
#define ROM_SIZE	MODULE_FIRMWARE_MAX

int init_module_find(const struct gate_init_info *info, const char *name)
{
	for (unsigned i = 0; i < info->module_count; i++)
		if (!strcmp(info->module[i].name, name))
			return (int)i;
	return -1;
}

static int map(struct init *init, gate_id id,
	       const struct gate_domain_map *what)
{
	return (int)init->gate->map(init->gate->ctx, id, what);
}

static int write(struct init *init, gate_id id, uint64_t va, const void *from,
		 uint64_t length)
{
	return (int)init->gate->write(init->gate->ctx, id, va, from, length);
}

static int map_kind(struct init *init, gate_id id, uint64_t va, uint64_t size,
		    uint32_t kind, uint32_t prot)
{
	const struct gate_domain_map what = {
		.va = va,
		.size = ALIGN_UP(size, PAGE_SIZE),
		.kind = kind,
		.prot = prot,
	};

	return map(init, id, &what);
}

/* Pages of the domain's own, zero. */
static int map_zero(struct init *init, gate_id id, uint64_t va, uint64_t size,
		    uint32_t prot)
{
	return map_kind(init, id, va, size, GATE_MEMORY_ZERO, prot);
}

static const struct gate_module *module_find(const struct init *init,
					     const char *name)
{
	int index = init_module_find(init->info, name);

	return index < 0 ? NULL : &init->info->module[index];
}

/* ---- Modules ------------------------------------------------------------- */

static int module_refused(struct init *init, const struct guest *guest,
			  const char *what, const struct gate_module *module,
			  const char *why)
{
	init_log(init, guest->id, LOG_ERROR, "%s: \"%s\", %lu bytes, %s", what,
		 module->name, module->size, why);
	return -EINVAL;
}

/*
 * Where the next module goes, behind all that is there, and as far into 2 MiB
 * as it is here: then it needs no page tables but at its ends.
 */
static uint64_t take_va(struct guest *guest, const struct gate_module *module)
{
	uint64_t va = guest->next_va + module->va % PAGE_2M;

	guest->next_va =
		ALIGN_UP(va + ALIGN_UP(module->size, PAGE_SIZE), PAGE_2M);
	return va;
}

/* The module's own pages, or copies of those that are written to. */
static int module_map(struct init *init, struct guest *guest,
		      const struct gate_module *module, bool is_writable,
		      uint64_t *va)
{
	const struct gate_domain_map what = {
		.va = take_va(guest, module),
		.size = ALIGN_UP(module->size, PAGE_SIZE),
		.kind = is_writable ? GATE_MEMORY_MODULE_COW
				    : GATE_MEMORY_MODULE,
		.prot = GATE_PROT_READ | (is_writable ? GATE_PROT_WRITE : 0),
		.module = (uint32_t)(module - init->info->module),
	};

	*va = what.va;
	return map(init, guest->id, &what);
}

/* A whole copy: no memory is missed, and no page copied, while it runs. */
static int module_copy(struct init *init, struct guest *guest,
		       const struct gate_module *module, uint64_t *va)
{
	int error;

	*va = take_va(guest, module);
	error = map_zero(init, guest->id, *va, module->size,
			 GATE_PROT_READ | GATE_PROT_WRITE);
	return error ? error
		     : write(init, guest->id, *va, (const void *)module->va,
			     module->size);
}

static int add_blob(struct init *init, struct guest *guest,
		    const char *property, const char *name,
		    enum machine_blob_kind kind)
{
	struct machine_config *config = &guest->config;
	struct machine_blob *blob = &config->blob[config->blob_count];
	const struct gate_module *module;
	const char *why;

	if (!name[0])
		return 0;
	module = module_find(init, name);
	if (!module) {
		init_log(init, guest->id, LOG_ERROR,
			 "%s: boot module \"%s\" is missing", property, name);
		return -ENOENT;
	}
	why = module_blob_refusal(kind, !guest->manifest->program[0],
				  module->size);
	if (why)
		return module_refused(init, guest, property, module, why);
	blob->kind = kind;
	blob->size = module->size;
	config->blob_count++;
	return module_map(init, guest, module, false, &blob->va);
}

/* What the manifest's reader left empty is not there. */
static int add_blobs(struct init *init, struct guest *guest)
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
		error = add_blob(init, guest, blobs[i].property, blobs[i].name,
				 blobs[i].kind);
	return error;
}

static int add_disk(struct init *init, struct guest *guest,
		    const struct disk_manifest *m)
{
	struct machine_disk_config *disk =
		&guest->config.disk[guest->config.disk_count++];
	const struct gate_module *module = module_find(init, m->image);
	const char *why;

	if (!module) {
		init_log(init, guest->id, LOG_ERROR,
			 "%s: image: \"%s\" is not among the boot modules",
			 m->name, m->image);
		return -ENOENT;
	}
	why = module_disk_refusal(m->is_cdrom, module->size);
	if (why) {
		init_log(init, guest->id, LOG_ERROR,
			 "%s: image: \"%s\", %lu bytes, %s", m->name, m->image,
			 module->size, why);
		return -EINVAL;
	}
	disk->sector_count = module->size / SECTOR;
	disk->bus = m->bus;
	disk->unit = m->unit;
	disk->is_cdrom = m->is_cdrom;
	disk->is_read_only = m->is_read_only || m->is_cdrom;
	if (!disk->is_read_only)
		init_log(init, guest->id, LOG_INFO,
			 "disk \"%s\" is in memory: what is written "
			 "to it is lost at power-off",
			 m->image);
	if (m->mode == MANIFEST_DISK_PRIVATE)
		return module_copy(init, guest, module, &disk->va);
	return module_map(init, guest, module, !disk->is_read_only, &disk->va);
}

/* ---- The program --------------------------------------------------------- */

static uint32_t part_prot(const struct program_part *part)
{
	return GATE_PROT_READ | (part->is_writable ? GATE_PROT_WRITE : 0) |
	       (part->is_executable ? GATE_PROT_EXEC : 0);
}

/*
 * Straight out of the file, if nothing is to be zero behind it.  A machine's
 * variables, much of which are of devices that its guest never uses, take no
 * page before they are written; other programs may have calls write there
 * first.
 */
static int load_part(struct init *init, gate_id id,
		     const struct program_part *part,
		     const struct gate_module *module, bool is_machine)
{
	const struct gate_domain_map what = {
		.va = part->va,
		.size = ALIGN_UP(part->size, PAGE_SIZE),
		.kind = GATE_MEMORY_MODULE,
		.prot = part_prot(part),
		.module = (uint32_t)(module - init->info->module),
		.offset = part->offset,
	};
	int error;

	if (!part->is_writable && part->size == part->file_size &&
	    IS_ALIGNED(part->offset, PAGE_SIZE))
		return map(init, id, &what);
	if (is_machine && part->is_writable && !part->file_size)
		return map_kind(init, id, part->va, part->size,
				GATE_MEMORY_ZERO_COW, part_prot(part));
	error = map_zero(init, id, part->va, part->size, part_prot(part));
	return error ? error
		     : write(init, id, part->va,
			     (const char *)module->va + part->offset,
			     part->file_size);
}

int program_load(struct init *init, gate_id id, const char *name,
		 uint64_t *entry)
{
	const struct gate_module *module = module_find(init, name);
	bool is_machine = !strcmp(name, MACHINE_PROGRAM);
	struct program program;
	const char *why;
	int error;

	if (!module) {
		init_log(init, id, LOG_ERROR,
			 "program: boot module \"%s\" is missing", name);
		return -ENOENT;
	}
	error = program_parse(&program, (const void *)module->va, module->size,
			      &why);
	if (error)
		init_log(init, id, LOG_ERROR, "program \"%s\" %s", name, why);
	for (unsigned i = 0; !error && i < program.part_count; i++)
		error = load_part(init, id, &program.part[i], module,
				  is_machine);
	*entry = program.entry;
	if (error)
		return error;
	/* What libraries with stack protectors read. */
	return map_zero(init, id, GATE_FS_VA, PAGE_SIZE,
			GATE_PROT_READ | GATE_PROT_WRITE);
}

/* ---- Guests ------------------------------------------------------------ */

static void config_init(struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	struct machine_config *config = &guest->config;

	memset(config, 0, sizeof(*config));
	config->version = MACHINE_CONFIG_VERSION;
	config->board = m->board;
	(void)snprintf(config->name, sizeof(config->name), "%s", m->name);
	(void)snprintf(config->cmdline, sizeof(config->cmdline), "%s",
		       m->cmdline);
	config->vcpu_count = m->vcpus;
	config->ram_size = MIB(m->memory_mib);
	config->vram_size = VRAM_SIZE;
	config->rom_size = ROM_SIZE;
	config->devices = m->devices & ~MANIFEST_EMULATE;
	guest->next_va = GATE_MODULE_VA;
}

static int write_config(struct init *init, struct guest *guest)
{
	int error = map_zero(init, guest->id, GATE_ARGUMENT_VA,
			     sizeof(guest->config), GATE_PROT_READ);

	return error ? error
		     : write(init, guest->id, GATE_ARGUMENT_VA, &guest->config,
			     sizeof(guest->config));
}

/* What a machine takes beside its disks: tables, its data, its vCPUs. */
#define QUOTA_PAGES	    512
#define QUOTA_PAGES_VCPU    32
/* A table for 512 pages, and some on the way. */
#define QUOTA_TABLES(pages) ((pages) / 256)

static uint64_t quota_pages(const struct init *init,
			    const struct guest_manifest *m)
{
	uint64_t pages = QUOTA_PAGES + m->vcpus * QUOTA_PAGES_VCPU +
			 QUOTA_TABLES(MIB(m->memory_mib) / PAGE_SIZE);

	for (unsigned i = 0; i < m->disk_count; i++) {
		const struct gate_module *module =
			module_find(init, m->disk[i].image);
		uint64_t disk = module ? module->size / PAGE_SIZE : 0;

		pages += QUOTA_TABLES(disk);
		if (!m->disk[i].is_read_only)
			pages += disk;
	}
	return pages;
}

static uint64_t vm_memory(const struct guest_manifest *m)
{
	return MIB(m->memory_mib) + VRAM_SIZE + ROM_SIZE;
}

/* What the monitor allows nested tables, rounded up. */
static uint64_t nested_pages(const struct guest_manifest *m)
{
	return vm_memory(m) / PAGE_2M + 128;
}

/*
 * What a guest may take is there when it wants it: a sum of quotas above the
 * host's memory is refused before anything of the guest is made.
 */
static int promise(struct init *init, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	uint64_t wanted = vm_memory(m) / PAGE_SIZE + nested_pages(m) +
			  quota_pages(init, m);
	uint64_t taken = 0;

	if (guest->promised)
		return 0;
	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		taken += init->guest[i].promised;
	if (wanted <= init->pages - taken) {
		guest->promised = wanted;
		return 0;
	}
	init_log(init, 0, LOG_ERROR,
		 "guest %s cannot be made: memory-mib = <%u>, its disks and "
		 "tables need %lu KiB, and of the host's %lu KiB other guests "
		 "may take %lu",
		 m->name, m->memory_mib, wanted * KIB_PER_PAGE,
		 init->pages * KIB_PER_PAGE, taken * KIB_PER_PAGE);
	return -ENOMEM;
}

static int make_domain(struct init *init, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	struct gate_domain_spec spec = {
		.quota_pages = quota_pages(init, m),
		.vm_memory = vm_memory(m),
		.thread_count = m->vcpus,
	};
	long id;

	if (m->vcpus > 1 && init->is_overcommitted)
		spec.flags |= GATE_DOMAIN_PAUSE_EXITS;
	if (m->devices & MANIFEST_EMULATE)
		spec.flags |= GATE_DOMAIN_EMULATE;
	(void)snprintf(spec.name, sizeof(spec.name), "%s", m->name);
	id = init->gate->create(init->gate->ctx, &spec);
	guest->id = id > 0 ? (gate_id)id : 0;
	return id > 0 ? 0 : (int)id;
}

static int fill_domain(struct init *init, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	int error = program_load(init, guest->id,
				 m->program[0] ? m->program : MACHINE_PROGRAM,
				 &guest->entry);

	if (!error)
		error = add_blobs(init, guest);
	for (unsigned i = 0; !error && i < m->disk_count; i++)
		error = add_disk(init, guest, &m->disk[i]);
	if (!error)
		error = write_config(init, guest);
	return error ? error
		     : console_open(init, (unsigned)(guest - init->guest),
				    guest->id, m->name);
}

static void say_why(struct init *init, const struct guest *guest, int error)
{
	const struct guest_manifest *m = guest->manifest;

	if (error == -ENOMEM)
		init_log(init, 0, LOG_ERROR,
			 "guest %s cannot be made: not enough memory", m->name);
	else if (error == -ENODEV && m->devices & MANIFEST_EMULATE)
		init_log(init, 0, LOG_ERROR,
			 "guest %s cannot be made: emulate-always: only the "
			 "test image bulkhead-soft32.elf can",
			 m->name);
	else
		init_log(init, 0, LOG_ERROR,
			 "guest %s cannot be made: see above (%d)", m->name,
			 error);
}

/* Sources are for the service disk. */
static int sources_refuse(struct init *init, const struct guest_manifest *m)
{
	for (unsigned i = 0; i < m->disk_count; i++) {
		if (!disk_has_source(&m->disk[i]))
			continue;
		init_log(init, 0, LOG_ERROR,
			 "/guests/%s/%s: source: needs the service disk, which "
			 "is not there yet",
			 m->name, m->disk[i].name);
		return -ENOSYS;
	}
	return 0;
}

int guest_load(struct init *init, struct guest *guest)
{
	int error = sources_refuse(init, guest->manifest);

	if (error) {
		say_why(init, guest, error);
		return error;
	}
	error = promise(init, guest);
	if (error)
		return error;
	config_init(guest);
	error = make_domain(init, guest);
	if (!error)
		error = fill_domain(init, guest);
	if (!error)
		return 0;
	if (guest->id)
		(void)init->gate->destroy(init->gate->ctx, guest->id);
	guest->id = 0;
	say_why(init, guest, error);
	return error;
}
