/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board `pc`: which devices there are, and how they are wired.
 *
 * ISA interrupt n and PIRQs routed to n meet in one wire each, which goes to
 * pin n of the 8259 pair and of the I/O APIC; but IRQ 0 goes to pin 2 there,
 * as the tables say.  The HPET takes the wires of 8254 and RTC over when told
 * to, and has pins 16 to 23 of the I/O APIC to itself.  PCI: slot 0 host
 * bridge; slot 1 ISA bridge, IDE, power management; slot 2 VGA; from slot 3 on
 * network cards; slot 8 AHCI; slot 9 SCSI.  USB: function 2 of slot 1, or
 * slot 6.
 *
 * References: as the devices'; Intel MultiProcessor Specification 1.4 (the
 * interrupts' wiring).
 */
#include "machine/pc_parts.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

enum isa_irq {
	IRQ_TIMER = 0,
	IRQ_KEYBOARD = 1,
	IRQ_COM2 = 3,
	IRQ_COM1 = 4,
	IRQ_FLOPPY = 6,
	IRQ_LPT1 = 7,
	IRQ_RTC = 8,
	IRQ_MOUSE = 12,
	IRQ_IDE = 14, /* and 15 */
};

#define IOAPIC_PIN_TIMER 2
#define HPET_WIRES	 (BIT(IRQ_TIMER) | BIT(IRQ_RTC))

void pc_log(struct pc *pc, enum device_log_level level, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pc->ops->log(pc->ctx, level, text);
}

static void device_log(void *ctx, enum device_log_level level, const char *text)
{
	pc_log(ctx, level, "%s", text);
}

/* ---- Interrupts -------------------------------------------------------- */

/* As the devices have them. */
static uint16_t wires(const struct pc *pc)
{
	uint16_t isa = pc->wires.isa_lines;

	if (pc->wires.is_hpet_legacy)
		isa &= (uint16_t)~HPET_WIRES;
	return isa | pc->wires.pirq_lines | pc->wires.hpet_lines |
	       pc->wires.test_lines;
}

static void wire_update(struct pc *pc, unsigned irq)
{
	bool level = wires(pc) & BIT(irq);

	if (unlikely(pc->fault))
		level = fault_wire(pc->fault, irq, level);
	pic_irq_set(&pc->pic, irq, level);
	ioapic_irq_set(&pc->ioapic, irq == IRQ_TIMER ? IOAPIC_PIN_TIMER : irq,
		       level);
}

static void wire_late(void *ctx, unsigned irq)
{
	wire_update(ctx, irq);
}

static void wire_set(struct pc *pc, uint16_t *lines, unsigned irq, bool level)
{
	uint16_t bit = (uint16_t)BIT(irq);

	*lines = (uint16_t)(level ? *lines | bit : *lines & ~bit);
	wire_update(pc, irq);
}

static void isa_irq_set(void *sink, unsigned irq, bool level)
{
	struct pc *pc = sink;

	wire_set(pc, &pc->wires.isa_lines, irq, level);
}

static void pirq_set(void *sink, unsigned irq, bool level)
{
	struct pc *pc = sink;

	wire_set(pc, &pc->wires.pirq_lines, irq, level);
}

static void hpet_set(void *sink, unsigned pin, bool level)
{
	struct pc *pc = sink;

	if (pin < 16)
		wire_set(pc, &pc->wires.hpet_lines, pin, level);
	else
		ioapic_irq_set(&pc->ioapic, pin, level);
}

/* Pins above the ISA's are the I/O APIC's alone, as for the HPET. */
static void test_set(void *sink, unsigned pin, bool level)
{
	struct pc *pc = sink;

	if (pin < 16)
		wire_set(pc, &pc->wires.test_lines, pin, level);
	else
		ioapic_irq_set(&pc->ioapic, pin, level);
}

static void hpet_legacy_changed(void *ctx, bool is_legacy)
{
	struct pc *pc = ctx;

	pc->wires.is_hpet_legacy = is_legacy;
	wire_update(pc, IRQ_TIMER);
	wire_update(pc, IRQ_RTC);
}

struct irq_line pc_isa_irq(struct pc *pc, unsigned irq)
{
	return (struct irq_line){ isa_irq_set, pc, irq };
}

static void intr_set(void *sink, unsigned pin, bool level)
{
	struct pc *pc = sink;

	(void)pin;
	if (pc->ops->set_intr)
		pc->ops->set_intr(pc->ctx, level);
}

uint32_t pc_intack(void *board)
{
	struct pc *pc = board;

	return pic_ack(&pc->pic);
}

void pc_ioapic_eoi(void *board, uint8_t vector)
{
	struct pc *pc = board;

	if (vector == GATE_EOI_CHANGED)
		ioapic_retry(&pc->ioapic);
	else
		ioapic_eoi(&pc->ioapic, vector);
}

/* ---- Serial and parallel ports ----------------------------------------- */

void pc_console_input(void *board)
{
	struct pc *pc = board;

	virtio_consoles_input(&pc->virtio_consoles);
	if (!virtio_consoles_has_input(&pc->virtio_consoles, 0))
		board_serial_input(&pc->com1, pc->ops->serial_read, pc->ctx);
	if (pc_has_com2(pc) &&
	    !virtio_consoles_has_input(&pc->virtio_consoles, 1))
		board_serial_input(&pc->com2, pc->ops->serial1_read, pc->ctx);
	if (pc_has_lpt1(pc))
		parallel_room(&pc->lpt1);
}

static void input_drained(void *opaque)
{
	pc_console_input(opaque);
}

/* ---- Accesses ---------------------------------------------------------- */

void pc_port_access(void *board, struct io_access *io)
{
	struct pc *pc = board;

	bus_access(&pc->ports, io);
}

uint32_t pc_port_bulk(void *board, struct io_access *io, void *buffer,
		      uint32_t count)
{
	struct pc *pc = board;

	bus_access_bulk(&pc->ports, io, buffer, count);
	return count;
}

void pc_mmio_access(void *board, struct io_access *io)
{
	struct pc *pc = board;

	io->offset = pc_gated(pc, io->offset);
	bus_access(&pc->memory, io);
}

void pc_mmio_write_run(void *board, struct io_access *io, const void *items,
		       uint32_t count)
{
	struct pc *pc = board;

	io->offset = pc_gated(pc, io->offset);
	bus_write_run(&pc->memory, io, items, count);
}

/* ---- Building ---------------------------------------------------------- */

static int init_interrupts(struct pc *pc, struct clock *clock)
{
	const struct board_host_ops *ops = pc->ops;
	int error;

	error = pic_init(&pc->pic, &pc->ports,
			 (struct irq_line){ intr_set, pc, 0 });
	if (!error)
		error = ioapic_init(&pc->ioapic, &pc->memory, ops->send_msi,
				    pc->ctx);
	pc->ioapic.has_long_ids = pc->config->devices & MACHINE_DEVICE_KVM;
	if (!error)
		error = pit_init(&pc->pit, &pc->ports, clock,
				 pc_isa_irq(pc, IRQ_TIMER));
	if (!error)
		error = rtc_init(&pc->rtc, &pc->ports, clock,
				 pc_isa_irq(pc, IRQ_RTC));
	if (!error)
		error = hpet_init(&pc->hpet, &pc->memory, clock,
				  (struct irq_line){ hpet_set, pc, 0 },
				  hpet_legacy_changed, pc);
	return error;
}

static void power_off(void *ctx, bool is_s4)
{
	struct pc *pc = ctx;

	if (is_s4)
		pc_log(pc, DEVICE_LOG_INFO, "hibernates (S4)");
	pc_flash_sync(pc);
	pc->ops->power_off(pc->ctx);
}

/* The tables that firmware fetches next say where it has put the PM block. */
static void pm_moved(void *ctx, uint16_t base)
{
	struct pc *pc = ctx;

	/* Direct boot has its own, which it builds for where it puts the block.
	 */
	if (!pc_is_direct(pc) && pc->tables.file_count)
		acpi_tables_move_pm(&pc->tables.acpi, base);
}

static void debug_exit(void *ctx, uint32_t code)
{
	struct pc *pc = ctx;

	pc_flash_sync(pc);
	pc->ops->debug_exit(pc->ctx, code);
}

/* Kernels write there for the time that it takes, too: none but new ones. */
static void post_code(void *ctx, const void *data, size_t length)
{
	(void)length;
	pc_log(ctx, DEVICE_LOG_INFO, "POST code %02x", *(const uint8_t *)data);
}

static int init_debug(struct pc *pc, const struct board_config *config)
{
	int error = board_debug_init(&pc->debug, &pc->ports, config, debug_exit,
				     pc);

	if (pc->config->devices & MACHINE_DEVICE_POST_CODES)
		pc->debug.post = (struct char_backend){ post_code, pc };
	return error;
}

static int init_test(struct pc *pc)
{
	uint32_t devices = pc->config->devices;

	if (!(devices & MACHINE_DEVICE_TEST))
		return 0;
	return test_device_init(&pc->test, &pc->ports, &pc->memory,
				pc->test_memory,
				!(devices & MACHINE_DEVICE_DEBUG_CONSOLE),
				(struct irq_line){ test_set, pc, 0 });
}

static uint64_t *vmware_registers(void *ctx)
{
	struct pc *pc = ctx;

	return pc->ops->registers(pc->ctx);
}

/* The least that a PS/2 mouse says something of. */
static void vmware_notify(void *ctx)
{
	struct pc *pc = ctx;

	i8042_mouse(&pc->i8042, 1, 0, 0, 0);
}

static int init_vmware(struct pc *pc)
{
	static const struct vmware_ops ops = {
		.registers = vmware_registers,
		.notify = vmware_notify,
		.changed = pc_pointer_changed,
	};

	if (!(pc->config->devices & MACHINE_DEVICE_VMWARE))
		return 0;
	return vmware_init(&pc->vmware, &pc->ports, &ops, pc);
}

static void a20_set(void *sink, unsigned pin, bool level)
{
	struct pc *pc = sink;

	(void)pin;
	if (level == !pc->is_a20_off)
		return;
	if (pc->ops->remap)
		pc->ops->remap(pc->ctx);
	else
		pc_remap(pc);
}

static int init_serial(struct pc *pc, struct clock *clock)
{
	const struct board_host_ops *ops = pc->ops;
	int error =
		uart_init(&pc->com1, &pc->ports, PC_COM1_PORT, clock,
			  pc_isa_irq(pc, IRQ_COM1),
			  (struct char_backend){ ops->serial_write, pc->ctx });

	if (!error && pc_has_com2(pc))
		error = uart_init(
			&pc->com2, &pc->ports, PC_COM2_PORT, clock,
			pc_isa_irq(pc, IRQ_COM2),
			(struct char_backend){ ops->serial1_write, pc->ctx });
	pc->com1.drained = pc->com2.drained = input_drained;
	pc->com1.drained_ctx = pc->com2.drained_ctx = pc;
	return error;
}

static int init_parallel(struct pc *pc)
{
	if (!pc_has_lpt1(pc))
		return 0;
	return parallel_init(
		&pc->lpt1, &pc->ports, PC_LPT1_PORT, pc_isa_irq(pc, IRQ_LPT1),
		(struct parallel_backend){ pc->ops->printer_write, pc->ctx });
}

static int init_legacy(struct pc *pc, const struct board_config *config)
{
	const struct board_host_ops *ops = pc->ops;
	struct clock *clock = config->clock;
	int error;

	error = i8042_init(&pc->i8042, &pc->ports, clock,
			   pc_isa_irq(pc, IRQ_KEYBOARD),
			   pc_isa_irq(pc, IRQ_MOUSE), ops->reset, pc->ctx);
	if (!error)
		error = init_serial(pc, clock);
	if (!error)
		error = init_parallel(pc);
	if (!error)
		error = dma8237_init(&pc->dma, &pc->ports, &pc->ram);
	if (!error)
		error = fw_cfg_init(&pc->fw_cfg, &pc->ports, &pc->ram);
	if (!error)
		error = init_debug(pc, config);
	if (!error)
		error = init_test(pc);
	if (!error)
		error = init_vmware(pc);
	pc->i8042.a20_out = (struct irq_line){ a20_set, pc, 0 };
	return error;
}

static void message(void *ctx, uint64_t address, uint32_t data)
{
	const struct pc *pc = ctx;

	board_message(pc->ops, pc->ctx, &pc->ram, address, data);
}

static int init_pci(struct pc *pc, struct clock *clock)
{
	const struct board_host_ops *ops = pc->ops;
	uint64_t ram_end =
		virtio_pmems_end(pc->config, GIB(4) + pc->board.ram_high);
	uint64_t world = 1ULL << pc->physical_bits;
	int error;

	error = pci_bus_init(&pc->pci, &pc->ports, &pc->memory);
	if (error)
		return error;
	pc->pci.message = message;
	pc->pci.message_ctx = pc;
	pc->pci.window[0] = (struct pci_window){
		pc->board.ram_low, pc->board.pci_hole_end - pc->board.ram_low
	};
	if (world > ram_end)
		pc->pci.window[1] =
			(struct pci_window){ ram_end, world - ram_end };
	error = i440fx_init(&pc->host, &pc->pci, pc_pam_changed, pc);
	if (!error)
		error = piix3_init(&pc->isa, &pc->pci,
				   (struct irq_line){ pirq_set, pc, 0 },
				   ops->reset, pc->ctx);
	if (!error && !pc->board.has_no_acpi)
		error = piix4_pm_init(&pc->pm, &pc->pci, clock,
				      pc_isa_irq(pc, PM_SCI_IRQ), power_off,
				      pc);
	pc->pm.moved = pm_moved;
	pc_sleep_init(pc);
	return error;
}

static int init_ide(struct pc *pc, struct clock *clock,
		    struct block_backend *const disks[])
{
	struct ide_config ide = {
		.pci = &pc->pci,
		.devfn = PC_IDE_DEVFN,
		.ports = &pc->ports,
		.ram = &pc->ram,
		.clock = clock,
	};
	unsigned i;

	for (i = 0; i < IDE_CHANNELS; i++)
		ide.irq[i] = pc_isa_irq(pc, IRQ_IDE + i);
	for (i = 0; i < pc->config->disk_count; i++) {
		const struct machine_disk_config *disk = &pc->config->disk[i];
		struct ide_drive_config *drive;

		if (disk->bus != MACHINE_DISK_IDE)
			continue;
		if (disk->unit >= IDE_CHANNELS * IDE_DRIVES)
			return -EINVAL;
		drive = &ide.drive[disk->unit / IDE_DRIVES]
				  [disk->unit % IDE_DRIVES];
		if (drive->kind != IDE_NONE)
			return -EEXIST;
		*drive = pc_drive_config(disk, disks[i]);
		if (disk->is_cdrom)
			pc->medium[disk->unit] = disks[i];
	}
	return ide_init(&pc->ide, &ide);
}

static bool is_floppy(const struct machine_disk_config *disk)
{
	return disk->bus == MACHINE_DISK_FLOPPY;
}

/* A board without a drive has no controller either. */
static int init_floppies(struct pc *pc, struct clock *clock,
			 struct block_backend *const disks[])
{
	struct fdc_config fdc = {
		.ports = &pc->ports,
		.clock = clock,
		.irq = pc_isa_irq(pc, IRQ_FLOPPY),
		.dma = { &pc->dma, PC_FLOPPY_DMA },
	};

	for (unsigned i = 0; i < pc->config->disk_count; i++) {
		const struct machine_disk_config *disk = &pc->config->disk[i];

		if (!is_floppy(disk))
			continue;
		if (disk->unit >= FDC_DRIVES ||
		    fdc.drive[disk->unit].type != FLOPPY_DRIVE_NONE)
			return -EINVAL;
		fdc.drive[disk->unit].type = disk->floppy_drive;
		if (disks[i]->sector_count)
			fdc.drive[disk->unit].medium = disks[i];
		pc->medium[FACE_UNIT_FLOPPY + disk->unit] =
			fdc.drive[disk->unit].medium;
		pc->has_fdc = true;
	}
	return pc->has_fdc ? fdc_init(&pc->fdc, &fdc) : 0;
}

static bool has_floppies(const struct pc *pc)
{
	for (unsigned i = 0; i < pc->config->disk_count; i++)
		if (is_floppy(&pc->config->disk[i]))
			return true;
	return false;
}

static int init_vga(struct pc *pc, struct clock *clock)
{
	const struct machine_blob *rom = pc_blob(pc, MACHINE_BLOB_VGABIOS);
	struct vga_config vga = {
		.pci = &pc->pci,
		.devfn = PC_VGA_DEVFN,
		.ports = &pc->ports,
		.memory = &pc->memory,
		.clock = clock,
		.vram = pc->window + pc->config->ram_size,
		.vram_length = (uint32_t)pc->config->vram_size,
		.rom = rom ? (const uint8_t *)rom->va : NULL,
		.rom_length = rom ? (uint32_t)rom->size : 0,
		.vram_mapped = pc_vram_mapped,
		.ctx = pc,
	};

	return vga_init(&pc->vga, &vga);
}

static int describe(struct pc *pc)
{
	int error = board_description_pc(&pc->board, pc->config->ram_size,
					 pc->config->vcpu_count);

	board_topology_describe(&pc->board, pc->config);
	if (!pc_has_com2(pc))
		pc->board.features &= ~(uint32_t)BOARD_HAS_COM2;
	if (pc_has_lpt1(pc))
		pc->board.features |= BOARD_HAS_LPT1;
	pc->board.features |= BOARD_HAS_HPET;
	if (pc->config->acpi.sleep & MACHINE_SLEEP_S3)
		pc->board.features |= BOARD_HAS_S3;
	if (pc->config->acpi.sleep & MACHINE_SLEEP_S4)
		pc->board.features |= BOARD_HAS_S4;
	pc->board.fadt_revision = (uint8_t)FIELD_GET(
		MACHINE_ACPI_FADT, pc->config->acpi.revisions);
	pc->board.has_acpi_1 = pc->config->acpi.revisions & MACHINE_ACPI_AND_1;
	pc->board.acpi_processors = (uint8_t)pc->config->acpi.processors;
	pc->board.features &= ~(uint32_t)BOARD_HAS_FLOPPY;
	if (has_floppies(pc))
		pc->board.features |= BOARD_HAS_FLOPPY;
	pc->board.has_no_acpi = pc->config->devices & MACHINE_DEVICE_NO_ACPI;
	pc->board.has_hole = pc->config->devices & MACHINE_DEVICE_HOLE &&
			     pc->board.ram_low >= BOARD_HOLE_END;
	if (error || pc->board.ram_low < MIB(2)) {
		pc_log(pc, DEVICE_LOG_WARN, "memory or vCPUs out of range");
		return -EINVAL;
	}
	return 0;
}

/* The first that fails names itself and ends it. */
static int report(struct pc *pc, const char *part, int error)
{
	if (error)
		pc_log(pc, DEVICE_LOG_WARN, "cannot build %s: %d", part, error);
	return error;
}

int pc_init(void *board, const struct board_config *config)
{
	struct pc *pc = board;
	struct clock *clock = config->clock;
	int error;

	pc->config = config->machine;
	pc->media = config->media;
	pc->physical_bits = config->physical_bits;
	pc->ops = config->ops;
	pc->ctx = config->ctx;
	pc->log = (struct device_log){ device_log, pc };
	pc->window = config->window;
	pc->fault = config->fault;
	clock_init(clock);
	bus_init_ports(&pc->ports, pc->port_index);
	bus_init_memory(&pc->memory);
	error = describe(pc);
	if (!error)
		error = report(pc, "memory", pc_memory_init(pc));
	if (!error)
		error = report(pc, "interrupts", init_interrupts(pc, clock));
	if (!error && config->extint) {
		pc->extint = config->extint;
		extint_init(pc->extint, &pc->pic, config->extint_page);
	}
	if (!error)
		error = report(pc, "legacy devices", init_legacy(pc, config));
	if (!error)
		error = report(pc, "PCI", init_pci(pc, clock));
	if (!error)
		error = report(pc, "disks", init_ide(pc, clock, config->disks));
	if (!error)
		error = report(pc, "AHCI",
			       pc_ahci_init(pc, clock, config->disks));
	if (!error)
		error = report(pc, "SCSI",
			       pc_lsi_init(pc, clock, config->disks));
	if (!error)
		error = report(pc, "floppy drives",
			       init_floppies(pc, clock, config->disks));
	if (!error)
		error = report(pc, "VGA", init_vga(pc, clock));
	if (!error)
		error = report(pc, "network", pc_nics_init(pc, config));
	if (!error)
		error = report(pc, "USB", pc_usb_init(pc, config));
	if (!error)
		error = report(pc, "flash memory",
			       pc_flash_init(pc, clock, config->disks));
	if (!error)
		error = report(pc, "ports of the host", pc_ports_init(pc));
	if (!error)
		error = report(pc, "list", pc_devices_init(pc, config));
	if (!error)
		error = report(pc, "tables", pc_boot_init(pc));
	if (!error && pc->fault)
		fault_wires_init(pc->fault, wires(pc), wire_late, pc);
	return error;
}

const struct board_ops pc_board_ops = {
	.init = pc_init,
	.reset = pc_reset,
	.sleep = pc_sleep,
	.boot_state = pc_boot,
	.port_access = pc_port_access,
	.port_bulk = pc_port_bulk,
	.mmio_access = pc_mmio_access,
	.mmio_write_run = pc_mmio_write_run,
	.remap = pc_remap,
	.ram_at = pc_ram_at,
	.regions = pc_regions,
	.emulator_windows = pc_emulator_windows,
	.ioapic_eoi = pc_ioapic_eoi,
	.console_input = pc_console_input,
	.input = pc_input,
	.takes_places = pc_takes_places,
	.command = pc_command,
	.statistics = pc_statistics,
	.screen = &pc_board_screen,
};
