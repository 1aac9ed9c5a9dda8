/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes into a domain before it starts: a program; for a guest's its
 * configuration, and the boot modules that the manifest names, mapped where the
 * configuration says.
 */
#include "init/init.h"

#include "include/errno.h"
#include "include/face.h"
#include "include/floppy.h"
#include "include/gate.h"
#include "init/module_check.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/program.h"
#include "lib/string.h"

#define SECTOR		512
#define MACHINE_PROGRAM "machine.elf"
#define VRAM_SIZE	MIB(8)
#define ROM_SIZE	MIB(2) /* at least */

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

int domain_map_zero(struct init *init, gate_id id, uint64_t va, uint64_t size,
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

static int map_zero(struct init *init, gate_id id, uint64_t va, uint64_t size,
		    uint32_t prot)
{
	return domain_map_zero(init, id, va, size, GATE_MEMORY_ZERO, prot);
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
		      const struct gate_module *module, enum gate_memory kind,
		      uint64_t *va)
{
	const struct gate_domain_map what = {
		.va = take_va(guest, module),
		.size = ALIGN_UP(module->size, PAGE_SIZE),
		.kind = kind,
		.prot = GATE_PROT_READ |
			(kind == GATE_MEMORY_MODULE_COW ? GATE_PROT_WRITE : 0),
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
	struct machine_config *config = &init->config;
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
	return module_map(init, guest, module, GATE_MEMORY_MODULE, &blob->va);
}

/*
 * A BIOS that the manifest did not name, for it had not seen the kernel.
 * Whoever wrote a boot loader's configuration by hand may not have thought of
 * it.
 */
static bool takes_bios(struct init *init, const struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	const struct gate_module *kernel = module_find(init, m->kernel);

	if (m->firmware[0] || !kernel ||
	    !guest_boots_through_bios(m, (const void *)kernel->va,
				      kernel->size))
		return false;
	if (module_find(init, MANIFEST_FIRMWARE) &&
	    module_find(init, MANIFEST_VGA_BIOS))
		return true;
	init_log(init, guest->id, LOG_WARNING,
		 "kernel: started without a BIOS, for \"%s\" and \"%s\" are "
		 "not among the boot modules",
		 MANIFEST_FIRMWARE, MANIFEST_VGA_BIOS);
	return false;
}

/* What the manifest's reader left empty is not there. */
static bool has_nic_rom(const struct guest_manifest *m, unsigned model)
{
	for (unsigned i = 0; i < m->nic_count; i++)
		if (m->nic[i].boot_index && m->nic[i].model == model)
			return true;
	return false;
}

static int add_nic_roms(struct init *init, struct guest *guest)
{
	static const char *const names[MACHINE_NIC_MODELS] = {
		[MACHINE_NIC_E1000] = MANIFEST_NIC_ROM,
		[MACHINE_NIC_RTL8139] = MANIFEST_NIC_ROM_RTL8139,
		[MACHINE_NIC_PCNET] = MANIFEST_NIC_ROM_PCNET,
		[MACHINE_NIC_NE2000_PCI] = MANIFEST_NIC_ROM_NE2000,
		[MACHINE_NIC_E1000E] = MANIFEST_NIC_ROM_E1000E,
		[MACHINE_NIC_VIRTIO] = MANIFEST_NIC_ROM_VIRTIO,
	};
	int error = 0;

	for (unsigned i = MACHINE_NIC_E1000; !error && i < MACHINE_NIC_MODELS;
	     i++)
		if (has_nic_rom(guest->manifest, i))
			error = add_blob(init, guest, "nic", names[i],
					 machine_nic_rom(i));
	return error;
}

static int add_blobs(struct init *init, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	bool with_bios = takes_bios(init, guest);
	const struct {
		const char *property;
		const char *name;
		enum machine_blob_kind kind;
	} blobs[] = {
		{ "firmware", with_bios ? MANIFEST_FIRMWARE : m->firmware,
		  MACHINE_BLOB_BIOS },
		{ "vga-bios",
		  with_bios && !m->vga_bios[0] ? MANIFEST_VGA_BIOS
					       : m->vga_bios,
		  MACHINE_BLOB_VGABIOS },
		{ "kernel", m->kernel, MACHINE_BLOB_KERNEL },
		{ "initrd", m->initrd, MACHINE_BLOB_INITRD },
	};
	int error = 0;

	for (unsigned i = 0; !error && i < ARRAY_SIZE(blobs); i++)
		error = add_blob(init, guest, blobs[i].property, blobs[i].name,
				 blobs[i].kind);
	return error ? error : add_nic_roms(init, guest);
}

/* NULL: it has been said why. */
static const struct gate_module *image_find(struct init *init,
					    const struct guest *guest,
					    const struct disk_manifest *m,
					    const char *image)
{
	const struct gate_module *module = module_find(init, image);
	const char *why;

	if (!module) {
		init_log(init, guest->id, LOG_ERROR,
			 "%s: image: \"%s\" is not among the boot modules",
			 m->name, image);
		return NULL;
	}
	why = module_disk_refusal(m, module->size);
	if (!why)
		return module;
	init_log(init, guest->id, LOG_ERROR, "%s: image: \"%s\", %lu bytes, %s",
		 m->name, image, module->size, why);
	return NULL;
}

/* Its media can be changed while the guest runs. */
static bool is_removable(const struct disk_manifest *m)
{
	return (m->is_cdrom && (m->bus == MACHINE_DISK_IDE ||
				m->bus == MACHINE_DISK_VIRTIO_SCSI)) ||
	       m->bus == MACHINE_DISK_FLOPPY;
}

/* Flash memory is a copy of its image, in ROM. */
static enum gate_memory memory_of(const struct disk_manifest *m)
{
	if (m->bus == MACHINE_DISK_PMEM)
		return GATE_MEMORY_MODULE_SHOWN;
	return m->is_read_only || m->is_cdrom || m->bus == MACHINE_DISK_FLASH
		       ? GATE_MEMORY_MODULE
		       : GATE_MEMORY_MODULE_COW;
}

/* The one that is in it at first, which a drive may be made for. */
static void first_medium(const struct disk_manifest *m,
			 const struct machine_medium *medium,
			 struct machine_disk_config *disk)
{
	disk->va = medium->va;
	disk->sector_count = medium->sector_count;
	if (m->bus == MACHINE_DISK_FLOPPY && !disk->floppy_drive)
		disk->floppy_drive =
			floppy_format_find(medium->sector_count)->drive;
}

/* A drive's that opens, the one that is in it at first among them. */
static int add_media(struct init *init, struct guest *guest,
		     const struct disk_manifest *m,
		     struct machine_disk_config *disk)
{
	struct machine_config *config = &init->config;
	int error = 0;

	for (unsigned i = 0;
	     !error && i < MANIFEST_IMAGES_MAX && m->image[i][0]; i++) {
		const struct gate_module *module =
			image_find(init, guest, m, m->image[i]);
		struct machine_medium *medium;

		if (!module)
			return -EINVAL;
		if (config->medium_count == MACHINE_MEDIA_MAX)
			return -ENOSPC;
		medium = &config->medium[config->medium_count++];
		memcpy(medium->name, m->image[i], sizeof(medium->name));
		medium->sector_count = module->size / SECTOR;
		medium->unit = m->unit;
		if (m->bus == MACHINE_DISK_FLOPPY)
			medium->unit += FACE_UNIT_FLOPPY;
		else if (m->bus == MACHINE_DISK_VIRTIO_SCSI)
			medium->unit += FACE_UNIT_SCSI;
		medium->is_read_only = disk->is_read_only;
		error = module_map(init, guest, module, memory_of(m),
				   &medium->va);
		if (!i)
			first_medium(m, medium, disk);
	}
	return error;
}

/* It is in memory. */
static int add_image(struct init *init, struct guest *guest,
		     const struct disk_manifest *m,
		     struct machine_disk_config *disk)
{
	const struct gate_module *module;

	if (is_removable(m))
		return add_media(init, guest, m, disk);
	module = image_find(init, guest, m, m->image[0]);
	if (!module)
		return -EINVAL;
	disk->sector_count = module->size / SECTOR;
	if (!disk->is_read_only && m->bus != MACHINE_DISK_FLASH)
		init_log(init, guest->id, LOG_INFO,
			 "disk \"%s\" is in memory: what is written "
			 "to it is lost at power-off",
			 m->image[0]);
	if (m->mode == MANIFEST_DISK_PRIVATE)
		return module_copy(init, guest, module, &disk->va);
	return module_map(init, guest, module, memory_of(m), &disk->va);
}

static int add_disk(struct init *init, struct guest *guest,
		    const struct disk_manifest *m, uint32_t *drives)
{
	struct machine_disk_config *disk =
		&init->config.disk[init->config.disk_count++];

	disk->bus = m->bus;
	disk->unit = m->unit;
	disk->is_cdrom = m->is_cdrom;
	disk->boot_index = m->boot_index;
	disk->floppy_drive = m->floppy_drive;
	disk->delay_us = m->delay_us;
	disk->geometry = (struct machine_geometry){ (uint16_t)m->geometry[0],
						    (uint8_t)m->geometry[1],
						    (uint8_t)m->geometry[2] };
	disk->sector_size = (uint16_t)m->sector_size;
	disk->queues = (uint16_t)m->queues;
	memcpy(disk->serial, m->serial, sizeof(disk->serial));
	memcpy(disk->model, m->model, sizeof(disk->model));
	disk->is_read_only = m->is_read_only || m->is_cdrom;
	if (!disk_has_source(m))
		return add_image(init, guest, m, disk);
	disk->sector_count = KIB(m->size_kib) / SECTOR;
	disk->drive = (*drives)++;
	return 0;
}

/* ---- Files in fw_cfg ------------------------------------------------------
 */

static int add_item(struct init *init, struct guest *guest,
		    const struct item_manifest *m)
{
	struct machine_config *config = &init->config;
	struct machine_item *item = &config->item[config->item_count++];
	const struct gate_module *module;
	const char *why;

	memcpy(item->name, m->item, sizeof(item->name));
	if (!m->file[0]) {
		memcpy(item->text, m->text, sizeof(item->text));
		item->size = strlen(m->text);
		return 0;
	}
	module = module_find(init, m->file);
	if (!module) {
		init_log(init, guest->id, LOG_ERROR,
			 "%s: boot module \"%s\" is missing", m->item, m->file);
		return -ENOENT;
	}
	why = module_item_refusal(module->size);
	if (why)
		return module_refused(init, guest, m->item, module, why);
	item->size = module->size;
	return module_map(init, guest, module, GATE_MEMORY_MODULE, &item->va);
}

/* ---- The program --------------------------------------------------------- */

static uint32_t part_prot(const struct program_part *part)
{
	return GATE_PROT_READ | (part->is_writable ? GATE_PROT_WRITE : 0) |
	       (part->is_executable ? GATE_PROT_EXEC : 0);
}

/*
 * Straight out of the file, if nothing is to be zero behind it.  A machine's
 * variables, much of which are of devices that its guest never uses, and the
 * seat's, of guests that are not there, take no page before they are written;
 * other programs may have calls write there first.
 */
static int load_part(struct init *init, gate_id id,
		     const struct program_part *part,
		     const struct gate_module *module, bool is_late)
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
	if (is_late && part->is_writable && !part->file_size)
		return domain_map_zero(init, id, part->va, part->size,
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
	bool is_late =
		!strcmp(name, MACHINE_PROGRAM) || !strcmp(name, SEAT_PROGRAM);
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
		error = load_part(init, id, &program.part[i], module, is_late);
	*entry = program.entry;
	if (error)
		return error;
	/* What libraries with stack protectors read. */
	return map_zero(init, id, GATE_FS_VA, PAGE_SIZE,
			GATE_PROT_READ | GATE_PROT_WRITE);
}

uint64_t program_pages(const struct init *init, const char *name)
{
	const struct gate_module *module = module_find(init, name);
	struct program program;
	uint64_t pages = 0;
	const char *why;

	if (!module || program_parse(&program, (const void *)module->va,
				     module->size, &why))
		return 0;
	for (unsigned i = 0; i < program.part_count; i++)
		pages += DIV_ROUND_UP(program.part[i].size, PAGE_SIZE);
	return pages;
}

/* ---- Guests ------------------------------------------------------------ */

static uint64_t module_size(const struct init *init, const char *name)
{
	const struct gate_module *module = module_find(init, name);

	return module ? module->size : 0;
}

/* A board without a screen or firmware has memory for neither. */
static uint64_t vram_size(const struct guest_manifest *m)
{
	return m->board == MACHINE_BOARD_PV ? 0 : VRAM_SIZE;
}

/* Firmware and flash memory, in pieces of nested paging. */
static uint64_t rom_size(const struct init *init,
			 const struct guest_manifest *m)
{
	uint64_t size = module_size(init, m->firmware);

	if (m->board == MACHINE_BOARD_PV)
		return 0;
	for (unsigned i = 0; i < m->disk_count; i++)
		if (m->disk[i].bus == MACHINE_DISK_FLASH)
			size += disk_has_source(&m->disk[i])
					? KIB(m->disk[i].size_kib)
					: module_size(init,
						      m->disk[i].image[0]);
	/* The BIOS that a kernel turns out to need finds room. */
	return MAX(ALIGN_UP(size, PAGE_2M), ROM_SIZE);
}

static void config_init(struct init *init, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	struct machine_config *config = &init->config;

	memset(config, 0, sizeof(*config));
	config->version = MACHINE_CONFIG_VERSION;
	config->board = m->board;
	(void)snprintf(config->name, sizeof(config->name), "%s", m->name);
	(void)snprintf(config->cmdline, sizeof(config->cmdline), "%s",
		       m->cmdline);
	config->vcpu_count = m->vcpus;
	config->cores = m->cores;
	config->threads = m->threads;
	config->boot_menu_ms = m->boot_menu_ms;
	config->ram_size = MIB(m->memory_mib);
	config->vram_size = vram_size(m);
	config->rom_size = rom_size(init, m);
	guest->ram_size = config->ram_size;
	guest->vram_size = config->vram_size;
	config->devices = (m->devices & ~(uint32_t)MANIFEST_FLAGS) |
			  m->acpi_off | m->memory_hole;
	config->fault = m->fault;
	config->cpu = m->cpu;
	config->duty_percent = m->duty_percent;
	config->is_lazy = m->is_lazy;
	config->acpi = m->acpi;
	for (unsigned i = 0; i < MACHINE_PORTS_MAX; i++)
		config->ports[i] = (struct machine_ports){
			.first = (uint16_t)m->ports[i][0],
			.count = (uint16_t)m->ports[i][1],
		};
	config->nic_count = m->nic_count;
	config->usb = m->usb.controller;
	config->usb_devices = m->usb.devices;
	for (unsigned i = 0; i < m->nic_count; i++) {
		config->nic[i].model = m->nic[i].model;
		config->nic[i].boot_index = m->nic[i].boot_index;
		config->nic[i].port = m->nic[i].port;
		config->nic[i].irq = m->nic[i].irq;
		config->nic[i].pairs = m->nic[i].pairs;
		config->nic[i].mtu = m->nic[i].mtu;
		memcpy(config->nic[i].mac, m->nic[i].mac, NET_MAC_LENGTH);
	}
	vsocks_config(init, guest_index(init, guest), &config->vsock);
	guest->next_va = GATE_MODULE_VA;
}

int domain_write_argument(struct init *init, gate_id id, const void *argument,
			  uint64_t size)
{
	int error = map_zero(init, id, GATE_ARGUMENT_VA, size, GATE_PROT_READ);

	return error ? error
		     : write(init, id, GATE_ARGUMENT_VA, argument, size);
}

/* What a machine takes beside its program and its disks: tables, its vCPUs. */
#define QUOTA_PAGES	 160
#define QUOTA_PAGES_VCPU 32

static uint64_t image_pages(const struct init *init,
			    const struct disk_manifest *m)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < MANIFEST_IMAGES_MAX && m->image[i][0]; i++) {
		const struct gate_module *module =
			module_find(init, m->image[i]);
		uint64_t size = module ? module->size / PAGE_SIZE : 0;

		pages += QUOTA_TABLES(size);
		if (!m->is_read_only && m->bus != MACHINE_DISK_FLASH)
			pages += size;
	}
	return pages;
}

static const char *program_name(const struct guest_manifest *m)
{
	return m->program[0] ? m->program : MACHINE_PROGRAM;
}

static uint64_t quota_pages(const struct init *init,
			    const struct guest_manifest *m)
{
	uint64_t pages = QUOTA_PAGES + m->vcpus * QUOTA_PAGES_VCPU +
			 program_pages(init, program_name(m)) +
			 QUOTA_TABLES(MIB(m->memory_mib) / PAGE_SIZE);

	for (unsigned i = 0; i < m->disk_count; i++)
		pages += image_pages(init, &m->disk[i]);
	return pages;
}

uint64_t guest_vm_memory(const struct init *init,
			 const struct guest_manifest *m)
{
	return MIB(m->memory_mib) + vram_size(m) + rom_size(init, m);
}

/* What the monitor allows nested tables, rounded up. */
static uint64_t nested_pages(const struct init *init,
			     const struct guest_manifest *m)
{
	return guest_vm_memory(init, m) / PAGE_2M + 128;
}

uint64_t init_promised(const struct init *init)
{
	uint64_t pages = init->seat.service.promised +
			 init->disks.service.promised +
			 init->nets.service.promised;

	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		pages += init->guest[i].promised;
	return pages;
}

/*
 * What a guest may take is there when it wants it: a sum of quotas above the
 * host's memory is refused before anything of the guest is made.
 */
static int promise(struct init *init, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	uint64_t wanted = guest_vm_memory(init, m) / PAGE_SIZE +
			  nested_pages(init, m) + quota_pages(init, m) +
			  guest_channel_pages(init, m);
	uint64_t taken = init_promised(init);
	uint64_t there = init->pages;

	if (init->manifest->overcommit_percent)
		there = there * init->manifest->overcommit_percent / 100;
	if (guest->promised)
		return 0;
	if (taken <= there && wanted <= there - taken) {
		guest->promised = wanted;
		return 0;
	}
	init_log(init, 0, LOG_ERROR,
		 "guest %s cannot be made: memory-mib = <%u>, its disks and "
		 "tables need %lu KiB, and of the host's %lu KiB others may "
		 "take %lu",
		 m->name, m->memory_mib, wanted * KIB_PER_PAGE,
		 there * KIB_PER_PAGE, taken * KIB_PER_PAGE);
	return -ENOMEM;
}

/* Those that its vCPUs are to run on. */
static bool cpus_are_there(struct init *init, const struct guest_manifest *m)
{
	uint32_t count = init->info->cpu_count;

	for (unsigned i = 0; i < m->vcpus; i++) {
		uint64_t missing =
			count < GATE_CPUS_MAX ? m->cpus[i] >> count : 0;

		if (!missing)
			continue;
		init_log(init, 0, LOG_ERROR,
			 "guest %s: its vCPU %u is for CPU %u, but %u CPUs run "
			 "guests here, from 0 on: change cpus or vcpu-cpus",
			 m->name, i, count + (uint32_t)__builtin_ctzll(missing),
			 count);
		return false;
	}
	return true;
}

static int make_domain(struct init *init, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	struct gate_domain_spec spec = {
		.quota_pages = quota_pages(init, m),
		.vm_memory = guest_vm_memory(init, m),
		.thread_count = m->vcpus,
		.weight = m->weight,
		.cap_percent = m->cap_percent,
	};
	long id;

	if (!cpus_are_there(init, m))
		return -EINVAL;
	if (m->vcpus > 1 && (init->is_overcommitted || m->cpus[0]))
		spec.flags |= GATE_DOMAIN_PAUSE_EXITS;
	if (m->devices & MANIFEST_EMULATE)
		spec.flags |= GATE_DOMAIN_EMULATE;
	memcpy(spec.cpus, m->cpus, sizeof(spec.cpus));
	if (m->is_lazy)
		spec.flags |= GATE_DOMAIN_LAZY;
	for (unsigned i = 0; i < MANIFEST_PORTS_MAX; i++) {
		spec.port[i].first = (uint16_t)m->ports[i][0];
		spec.port[i].count = (uint16_t)m->ports[i][1];
	}
	(void)snprintf(spec.name, sizeof(spec.name), "%s", m->name);
	id = init->gate->create(init->gate->ctx, &spec);
	guest->id = id > 0 ? (gate_id)id : 0;
	return id > 0 ? 0 : (int)id;
}

static int fill_domain(struct init *init, struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;
	unsigned index = guest_index(init, guest);
	int error =
		program_load(init, guest->id, program_name(m), &guest->entry);
	uint32_t drives = 0;

	if (!error)
		error = add_blobs(init, guest);
	for (unsigned i = 0; !error && i < m->disk_count; i++)
		error = add_disk(init, guest, &m->disk[i], &drives);
	for (unsigned i = 0; !error && i < m->item_count; i++)
		error = add_item(init, guest, &m->item[i]);
	if (!error)
		error = domain_write_argument(init, guest->id, &init->config,
					      sizeof(init->config));
	if (!error)
		error = client_open(init, index, guest->id);
	if (!error)
		error = nets_open(init, index, guest->id);
	if (!error)
		error = vsocks_open(init, index, guest->id);
	if (!error)
		error = console_open(init, index, guest->id, m->name,
				     m->devices);
	return error;
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

int guest_load(struct init *init, struct guest *guest)
{
	int error = promise(init, guest);

	if (error)
		return error;
	config_init(init, guest);
	error = make_domain(init, guest);
	if (!error)
		error = fill_domain(init, guest);
	if (!error)
		return 0;
	/* No disk and no switch has been told of it yet. */
	(void)client_close(init, guest_index(init, guest));
	(void)nets_close(init, guest_index(init, guest));
	vsocks_close(init, guest_index(init, guest));
	if (guest->id)
		(void)init->gate->destroy(init->gate->ctx, guest->id);
	guest->id = 0;
	say_why(init, guest, error);
	return error;
}
