/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the board `pc` tells firmware what there is (fw_cfg; CMOS is
 * pc_cmos.c's), and how it starts a kernel without firmware.
 *
 * References: SeaBIOS, "Runtime configuration"; the conventions of QEMU's `pc`
 * where SeaBIOS follows them.
 */
#include "machine/pc_parts.h"

#include "firmware/bootrom.h"
#include "firmware/direct.h"
#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

/* ---- fw_cfg ------------------------------------------------------------ */

#define SERCON_FILE    "etc/sercon-port"
#define MENU_WAIT_FILE "etc/boot-menu-wait"

static int fw_cfg_values(struct pc *pc)
{
	const struct {
		uint16_t key;
		uint8_t size;
		uint64_t value;
	} rows[] = {
		{ FW_CFG_RAM_SIZE, 8, pc->config->ram_size },
		{ FW_CFG_NB_CPUS, 2, pc->config->vcpu_count },
		/* To SeaBIOS: how many APIC ids there are, gaps included. */
		{ FW_CFG_MAX_CPUS, 2,
		  pc->board.apic_id[pc->config->vcpu_count - 1] + 1U },
		{ FW_CFG_NUMA, 8, 0 },
		{ FW_CFG_BOOT_MENU, 2, pc->config->boot_menu_ms != 0 },
		{ FW_CFG_ARCH_IRQ0, 1, 1 },
	};
	unsigned i;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(rows) && !error; i++)
		error = fw_cfg_add_value(&pc->fw_cfg, rows[i].key,
					 rows[i].value, rows[i].size);
	return error;
}

/* How firmware knows a drive: its Open Firmware path. */
static size_t print_path(const struct pc *pc, char *to, size_t size,
			 const struct machine_disk_config *disk)
{
	if (disk->bus == MACHINE_DISK_USB)
		return pc_usb_path(pc, to, size, disk->unit);
	if (disk->bus == MACHINE_DISK_FLOPPY)
		return (size_t)snprintf(to, size,
					"/pci@i0cf8/isa@%x/fdc@03f0/floppy@%x",
					PC_ISA_DEVFN >> 3, disk->unit);
	if (disk->bus == MACHINE_DISK_AHCI)
		return (size_t)snprintf(
			to, size, "/pci@i0cf8/pci8086,2922@%x/drive@%x/disk@0",
			PC_AHCI_DEVFN >> 3, disk->unit);
	if (disk->bus == MACHINE_DISK_LSI)
		return (size_t)snprintf(
			to, size, "/pci@i0cf8/scsi@%x/channel@0/disk@%x,0",
			PC_LSI_DEVFN >> 3, disk->unit);
	if (disk->bus == MACHINE_DISK_VIRTIO)
		return (size_t)snprintf(to, size, "/pci@i0cf8/scsi@%x/disk@0,0",
					VIRTIO_SLOT_DISK + disk->unit);
	if (disk->bus == MACHINE_DISK_VIRTIO_SCSI)
		return (size_t)snprintf(
			to, size, "/pci@i0cf8/scsi@%x/channel@0/disk@%x,0",
			VIRTIO_SLOT_SCSI, disk->unit);
	return (size_t)snprintf(
		to, size, "/pci@i0cf8/ide@%x,%x/drive@%x/disk@%x",
		PC_IDE_DEVFN >> 3, PC_IDE_DEVFN & 7, disk->unit / IDE_DRIVES,
		disk->unit % IDE_DRIVES);
}

/* The drive or card of that place in the order; 0: there is none. */
static size_t print_disk(const struct pc *pc, char *to, size_t size,
			 uint32_t index)
{
	for (unsigned i = 0; i < pc->config->disk_count; i++) {
		const struct machine_disk_config *disk = &pc->config->disk[i];

		if (disk->bus != MACHINE_DISK_FLASH &&
		    disk->boot_index == index)
			return print_path(pc, to, size, disk);
	}
	return 0;
}

static size_t print_nic(const struct pc *pc, char *to, size_t size,
			uint32_t index)
{
	for (unsigned i = 0; i < pc->config->nic_count; i++)
		if (pc->config->nic[i].boot_index == index)
			return (size_t)snprintf(
				to, size,
				"/pci@i0cf8/ethernet@%x/ethernet-phy@0",
				PC_NIC_SLOT + i);
	return 0;
}

/* A line for each drive and card; NUL behind the last. */
static int fw_cfg_boot_order(struct pc *pc)
{
	size_t used = 0;

	for (uint32_t index = 1; index <= PC_BOOT_INDEX_MAX; index++) {
		char line[80];
		size_t length = print_disk(pc, line, sizeof(line), index);

		if (!length)
			length = print_nic(pc, line, sizeof(line), index);
		if (!length)
			continue;
		if (used + length + 1 >= sizeof(pc->boot_order))
			return -EINVAL;
		used += (size_t)snprintf(pc->boot_order + used,
					 sizeof(pc->boot_order) - used, "%s%s",
					 used ? "\n" : "", line);
	}
	if (!used)
		return 0;
	return fw_cfg_add_file(&pc->fw_cfg, BOOTROM_ORDER_FILE, pc->boot_order,
			       (uint32_t)used + 1);
}

/* How long it waits for the key of its menu. */
static int fw_cfg_boot_menu(struct pc *pc)
{
	if (!pc->config->boot_menu_ms)
		return 0;
	pc->boot_menu_ms = (uint16_t)MIN(pc->config->boot_menu_ms, UINT16_MAX);
	return fw_cfg_add_file(&pc->fw_cfg, MENU_WAIT_FILE, &pc->boot_menu_ms,
			       sizeof(pc->boot_menu_ms));
}

static int fw_cfg_files(struct pc *pc)
{
	int error = firmware_tables_files(&pc->tables, &pc->board);
	unsigned i;

	for (i = 0; i < pc->tables.file_count && !error; i++) {
		const struct firmware_file *file = &pc->tables.file[i];

		error = fw_cfg_add_file(&pc->fw_cfg, file->name, file->data,
					file->length);
	}
	if (!error && (pc->config->devices & MACHINE_DEVICE_SERCON)) {
		pc->sercon_port = PC_COM1_PORT;
		error = fw_cfg_add_file(&pc->fw_cfg, SERCON_FILE,
					&pc->sercon_port,
					sizeof(pc->sercon_port));
	}
	return error;
}

/* The manifest's; what it calls like one of the board's own is refused. */
static int fw_cfg_items(struct pc *pc)
{
	const struct machine_config *config = pc->config;
	int error = 0;

	for (unsigned i = 0; i < config->item_count && !error; i++) {
		const struct machine_item *item = &config->item[i];

		error = fw_cfg_add_file(&pc->fw_cfg, item->name,
					item->va ? (const void *)item->va
						 : item->text,
					(uint32_t)item->size);
		if (error)
			pc_log(pc, DEVICE_LOG_WARN,
			       "the item \"%s\" cannot be there: %s",
			       item->name,
			       error == -EEXIST ? "the board has one itself"
						: "there are too many");
	}
	return error;
}

static struct direct_boot direct_boot(struct pc *pc)
{
	struct direct_boot boot =
		board_direct_boot(pc->config, pc->ops, pc->ctx);

	boot.board = &pc->board;
	boot.tables = &pc->tables;
	boot.plan = &pc->plan;
	return boot;
}

/* The kernel, for the BIOS to start when it is done. */
static int fw_cfg_kernel(struct pc *pc)
{
	struct direct_boot boot = direct_boot(pc);
	struct direct_entry entry;
	char why[160] = "";
	int error = direct_boot_plan(&pc->ram, &boot, &entry, why, sizeof(why));

	if (error) {
		pc_log(pc, DEVICE_LOG_WARN, "the kernel: %s", why);
		return error;
	}
	const struct fw_cfg_item sources[] = {
		[DIRECT_FROM_INFO] = { pc->plan.info, sizeof(pc->plan.info) },
		[DIRECT_FROM_KERNEL] = { boot.kernel,
					 (uint32_t)boot.kernel_length },
		[DIRECT_FROM_INITRD] = { boot.initrd,
					 (uint32_t)boot.initrd_length },
	};
	bootrom_build(pc->bootrom);
	bootrom_handover_build(&pc->handover, &pc->plan, &entry);
	error = fw_cfg_add_item(&pc->fw_cfg, BOOTROM_KEY_HANDOVER,
				&pc->handover, sizeof(pc->handover));
	for (unsigned i = 0; i < ARRAY_SIZE(sources) && !error; i++)
		error = fw_cfg_add_item(
			&pc->fw_cfg, (uint16_t)(BOOTROM_KEY_FIRST_SOURCE + i),
			sources[i].data, sources[i].length);
	if (!error)
		error = fw_cfg_add_file(&pc->fw_cfg, BOOTROM_FILE, pc->bootrom,
					sizeof(pc->bootrom));
	if (!error)
		error = fw_cfg_add_file(&pc->fw_cfg, BOOTROM_ORDER_FILE,
					BOOTROM_ORDER, sizeof(BOOTROM_ORDER));
	return error;
}

int pc_boot_init(struct pc *pc)
{
	bool has_kernel = pc_blob(pc, MACHINE_BLOB_KERNEL);
	int error;

	pc_cmos_fill(pc);
	error = fw_cfg_values(pc);
	/* Without a BIOS direct boot uses the tables' memory for itself. */
	if (!error && !pc_is_direct(pc))
		error = fw_cfg_files(pc);
	if (!error && !pc_is_direct(pc))
		error = fw_cfg_boot_menu(pc);
	if (!error && !pc_is_direct(pc))
		error = has_kernel ? fw_cfg_kernel(pc) : fw_cfg_boot_order(pc);
	return error ? error : fw_cfg_items(pc);
}

/* ---- Direct boot ------------------------------------------------------- */

int pc_boot(void *board, struct x86_state *state)
{
	struct pc *pc = board;
	struct direct_boot boot = direct_boot(pc);
	struct direct_entry entry;
	char why[160] = "";
	uint32_t vector;
	int error;

	if (!pc_is_direct(pc))
		return 0;
	vector = pc_waking_vector(pc);
	error = pc_chipset_set_up(pc, !vector);
	if (error)
		return error;
	if (vector) {
		pc_waking_state(state, vector);
		return 0;
	}
	error = direct_boot_load(&pc->ram, &boot, &entry, why, sizeof(why));
	if (error) {
		pc_log(pc, DEVICE_LOG_WARN, "the kernel: %s", why);
		return error;
	}
	direct_entry_state(&entry, state);
	return 0;
}
