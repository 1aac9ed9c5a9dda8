/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IDE function: registers of the two channels, resets, the block request,
 * the bus master.
 *
 * Absent drives: a channel without drives reads 0 everywhere, as guests know
 * it from other virtual machines; beside a present master the absent slave has
 * registers that can be written and read back, but its status is 0.
 *
 * Does not model: native PCI mode, transfer timing (the timing registers are
 * stored), the channels' enable bits in them, overlapped and queued commands.
 * The bus master's regions may lie anywhere; what is not RAM reads as ones and
 * ignores writes.
 *
 * References: Intel 82371FB/82371SB (PIIX, PIIX3); Programming Interface for
 * Bus Master IDE Controller 1.0; ATA/ATAPI-6, "Register interface".
 */
#include "devices/ide.h"

#include "devices/clear.h"
#include "devices/ide_internal.h"
#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define PCI_VENDOR_INTEL     0x8086
#define PCI_DEVICE_PIIX3_IDE 0x7010
#define PCI_CLASS_IDE	     0x0101
#define PCI_IDE_MASTER	     0x80 /* interface: bus master, legacy ports */
#define PCI_BAR_MASTER	     4
#define PCI_IDE_TIMING	     0x40 /* IDETIM of both channels, SIDETIM */
#define PCI_IDE_TIMING_SIZE  5

/* Offsets in the command block. */
enum ide_register {
	REG_DATA = 0,
	REG_ERROR = 1, /* write: features */
	REG_COUNT = 2,
	REG_LBA_LOW = 3,
	REG_LBA_MID = 4,
	REG_LBA_HIGH = 5,
	REG_DEVICE = 6,
	REG_STATUS = 7, /* write: command */
	REG_BLOCK_SIZE = 8,
};

#define CONTROL_RESET BIT(2)
#define CONTROL_HOB   BIT(7)

#define COMMAND_DEVICE_RESET 0x08
#define COMMAND_DIAGNOSTIC   0x90

/* ---- Interrupt --------------------------------------------------------- */

/* The bus master notes the rising edge. */
static void irq_update(struct ide_channel *channel)
{
	bool level = ide_irq_level(channel, channel->state);

	if (level && !channel->state->intrq)
		channel->state->master_status |= IDE_MASTER_INTERRUPT;
	channel->state->intrq = level;
	irq_line_set(&channel->irq, level);
}

void ide_irq_raise(struct ide_channel *channel)
{
	ide_selected(channel)->state->is_interrupting = true;
	irq_update(channel);
}

void ide_irq_clear(struct ide_channel *channel)
{
	ide_selected(channel)->state->is_interrupting = false;
	irq_update(channel);
}

/* ---- Commands ---------------------------------------------------------- */

void ide_signature_set(struct ide_drive *drive)
{
	drive->state->now = (struct ide_taskfile){ .count = 1, .lba_low = 1 };
	drive->state->before = (struct ide_taskfile){ 0 };
	drive->state->device &= IDE_DEVICE_SLAVE;
	switch (drive->kind) {
	case IDE_DISK:
		break;
	case IDE_CDROM:
		drive->state->now.lba_mid = 0x14;
		drive->state->now.lba_high = 0xeb;
		break;
	case IDE_NONE:
		break;
	}
}

static void transfer_stop(struct ide_channel *channel)
{
	channel->state->transfer = IDE_IDLE;
	channel->state->position = 0;
	channel->state->end = 0;
	channel->state->fill = 0;
}

void ide_command_end(struct ide_drive *drive, uint8_t error)
{
	transfer_stop(drive->channel);
	drive->state->error = error;
	drive->state->status =
		IDE_STATUS_DRDY | IDE_STATUS_DSC | (error ? IDE_STATUS_ERR : 0);
}

void ide_transfer_end(struct ide_drive *drive, int status)
{
	if (drive->kind == IDE_DISK)
		ata_transfer_end(drive, status);
	else
		atapi_transfer_end(drive, status);
}

/* What SET FEATURES 66h is about. */
static void settings_keep(struct ide_drive_state *to,
			  const struct ide_drive_state *from)
{
	to->keeps_settings = true;
	to->multiple = from->multiple;
	to->now_cylinders = from->now_cylinders;
	to->now_heads = from->now_heads;
	to->now_sectors = from->now_sectors;
	to->transfer_mode = from->transfer_mode;
	to->is_write_cached = from->is_write_cached;
	to->is_read_ahead = from->is_read_ahead;
}

/* After a hard reset keeps_settings is false already. */
void ide_drive_reset(struct ide_drive *drive)
{
	struct ide_drive_state old = *drive->state;

	state_reset(&ide_drive_description, drive->state, STATE_RESET_WARM);
	if (drive->kind == IDE_DISK)
		ata_reset(drive);
	else
		drive->state->transfer_mode = 0; /* no DMA mode selected */
	if (old.keeps_settings)
		settings_keep(drive->state, &old);
	ide_signature_set(drive);
	/* Others are not ready: that is the signature's other half. */
}

static uint8_t status_of(const struct ide_channel *channel,
			 const struct ide_drive *drive)
{
	if (drive->kind == IDE_NONE)
		return 0;
	return channel->state->control & CONTROL_RESET ||
			       channel->phase == IDE_PHASE_RESETTING
		       ? IDE_STATUS_BSY
		       : drive->state->status;
}

/* Nobody listens: it does not matter whether the selected drive is there. */
static bool is_busy(struct ide_channel *channel)
{
	return channel->state->control & CONTROL_RESET ||
	       channel->phase == IDE_PHASE_RESETTING ||
	       ide_selected(channel)->state->status & IDE_STATUS_BSY;
}

/* What is under way is given up; what a request in flight comes to is not
 * heard. */
void ide_channel_abort(struct ide_channel *channel)
{
	transfer_stop(channel);
	ide_request_abandon(channel);
	channel->state->master_status &= ~IDE_MASTER_ACTIVE;
}

static void drives_reset(struct ide_channel *channel)
{
	for (unsigned i = 0; i < IDE_DRIVES; i++)
		ide_drive_reset(&channel->drive[i]);
	channel->state->selected = 0;
}

/* Both drives obey, whichever is selected: no setting is lost. */
static void diagnose(struct ide_channel *channel)
{
	for (unsigned i = 0; i < IDE_DRIVES; i++) {
		struct ide_drive *drive = &channel->drive[i];

		drive->state->error = IDE_DIAGNOSTIC_OK;
		drive->state->status =
			drive->kind == IDE_DISK
				? IDE_STATUS_DRDY | IDE_STATUS_DSC
				: 0;
		drive->state->device = 0;
		drive->state->is_interrupting = false;
		ide_signature_set(drive);
	}
	channel->state->selected = 0;
	ide_irq_raise(channel);
}

/* Of the selected CD-ROM drive, busy or not; it stays selected. */
static void device_reset_run(struct ide_channel *channel)
{
	struct ide_drive *drive = ide_selected(channel);
	uint8_t selection = drive->state->device & IDE_DEVICE_SLAVE;
	uint8_t mode = drive->state->transfer_mode;

	ide_channel_abort(channel);
	ide_drive_reset(drive);
	drive->state->device = selection;
	drive->state->transfer_mode = mode;
}

/*
 * The selected drive is not busy.  It may have data to move still: they are
 * given up.
 */
void ide_command_run(struct ide_channel *channel, uint8_t command)
{
	struct ide_drive *drive = ide_selected(channel);

	channel->state->command = command;
	channel->state->is_packet_dma = false;
	transfer_stop(channel);
	if (command == COMMAND_DIAGNOSTIC) {
		diagnose(channel);
	} else if (drive->kind == IDE_DISK) {
		ata_command(drive, command);
	} else if (drive->kind == IDE_CDROM) {
		atapi_command(drive, command);
	}
}

static void command_write(struct ide_channel *channel, uint8_t command)
{
	struct ide_drive *drive = ide_selected(channel);

	if (channel->state->control & CONTROL_RESET)
		return;
	if (drive->kind == IDE_NONE && command != COMMAND_DIAGNOSTIC)
		return;
	ide_irq_clear(channel);
	if (command == COMMAND_DEVICE_RESET && drive->kind == IDE_CDROM) {
		device_reset_run(channel);
		return;
	}
	if (is_busy(channel))
		return;
	drive->state->error = 0;
	ide_command_run(channel, command);
}

/* ---- PIO --------------------------------------------------------------- */

void ide_pio_start(struct ide_drive *drive, enum ide_transfer transfer,
		   uint32_t bytes, bool has_irq)
{
	struct ide_channel *channel = drive->channel;

	channel->state->transfer = transfer;
	channel->state->end =
		MIN(channel->state->position + bytes, channel->state->fill);
	drive->state->status =
		IDE_STATUS_DRDY | IDE_STATUS_DSC | IDE_STATUS_DRQ;
	if (has_irq)
		ide_irq_raise(channel);
}

static void block_end(struct ide_drive *drive)
{
	ide_command_end(drive, 0);
}

static void (*const block_runs[IDE_BLOCK_COUNT])(struct ide_drive *drive) = {
	[IDE_BLOCK_END] = block_end,
	[IDE_BLOCK_ATA_READ] = ata_read_block_done,
	[IDE_BLOCK_ATA_WRITE] = ata_write_block_done,
	[IDE_BLOCK_PACKET] = atapi_packet_run,
	[IDE_BLOCK_REPLY] = atapi_reply_block_done,
	[IDE_BLOCK_PARAMETERS] = atapi_parameter_block_done,
};

void ide_block_end(struct ide_channel *channel)
{
	channel->state->transfer = IDE_IDLE;
	block_runs[channel->state->after_block](ide_selected(channel));
}

/* Bytes that can move now, in whole elements but for a block's odd end. */
static uint32_t pio_move(struct ide_channel *channel, bool is_write, void *data,
			 uint32_t bytes)
{
	enum ide_transfer wanted = is_write ? IDE_PIO_OUT : IDE_PIO_IN;
	uint8_t *at = channel->state->buffer + channel->state->position;

	if (channel->state->transfer != wanted)
		return 0;
	bytes = MIN(bytes, channel->state->end - channel->state->position);
	if (is_write)
		memcpy(at, data, bytes);
	else
		memcpy(data, at, bytes);
	channel->state->position += bytes;
	if (channel->state->position == channel->state->end)
		ide_block_end(channel);
	return bytes;
}

static void data_access(struct ide_channel *channel, struct io_access *io)
{
	uint8_t bytes[sizeof(uint32_t)];
	unsigned size = MIN(io->size, sizeof(bytes));

	for (unsigned i = 0; i < size; i++)
		bytes[i] = io->is_write ? (uint8_t)(io->data >> 8 * i) : 0;
	if (!pio_move(channel, io->is_write, bytes, size) || io->is_write)
		return;
	io->data = 0;
	for (unsigned i = 0; i < size; i++)
		io->data |= (uint64_t)bytes[i] << 8 * i;
}

/* REP INS and OUTS: as much of the block as there is at once. */
static uint32_t command_bulk(void *dev, struct io_access *io, void *buf,
			     uint32_t count)
{
	struct ide_channel *channel = dev;
	uint32_t elements;

	if (io->offset != REG_DATA || io->size == 1)
		return 0;
	elements = MIN(count, (channel->state->end - channel->state->position) /
				      io->size);
	if (elements == 0)
		return 0;
	return pio_move(channel, io->is_write, buf, elements * io->size) /
	       io->size;
}

/* ---- Registers --------------------------------------------------------- */

static uint8_t register_read(struct ide_channel *channel, unsigned reg)
{
	struct ide_drive *drive = ide_selected(channel);
	const struct ide_taskfile *file = channel->state->control & CONTROL_HOB
						  ? &drive->state->before
						  : &drive->state->now;

	if (channel->drive[0].kind == IDE_NONE &&
	    channel->drive[1].kind == IDE_NONE)
		return 0;
	switch (reg) {
	case REG_ERROR:
		return channel->state->control & CONTROL_HOB
			       ? file->feature
			       : drive->state->error;
	case REG_COUNT:
		return file->count;
	case REG_LBA_LOW:
		return file->lba_low;
	case REG_LBA_MID:
		return file->lba_mid;
	case REG_LBA_HIGH:
		return file->lba_high;
	case REG_DEVICE:
		return drive->state->device | IDE_DEVICE_FIXED;
	default: /* REG_STATUS */
		ide_irq_clear(channel);
		return status_of(channel, drive);
	}
}

/* Both drives hear every write to the command block. */
static void taskfile_write(struct ide_drive *drive, unsigned reg, uint8_t value)
{
	struct ide_taskfile *now = &drive->state->now,
			    *before = &drive->state->before;

	switch (reg) {
	case REG_ERROR:
		before->feature = now->feature;
		now->feature = value;
		break;
	case REG_COUNT:
		before->count = now->count;
		now->count = value;
		break;
	case REG_LBA_LOW:
		before->lba_low = now->lba_low;
		now->lba_low = value;
		break;
	case REG_LBA_MID:
		before->lba_mid = now->lba_mid;
		now->lba_mid = value;
		break;
	case REG_LBA_HIGH:
		before->lba_high = now->lba_high;
		now->lba_high = value;
		break;
	case REG_DEVICE:
		drive->state->device = value | IDE_DEVICE_FIXED;
		break;
	}
}

/* Data that the other drive has had to move are given up. */
static void drive_select(struct ide_channel *channel, uint8_t number)
{
	if (number != channel->state->selected) {
		transfer_stop(channel);
		ide_selected(channel)->state->status &= ~IDE_STATUS_DRQ;
	}
	channel->state->selected = number;
	irq_update(channel);
}

static void register_write(struct ide_channel *channel, unsigned reg,
			   uint8_t value)
{
	channel->state->control &= ~CONTROL_HOB;
	if (reg == REG_STATUS) {
		command_write(channel, value);
		return;
	}
	if (is_busy(channel))
		return;
	for (unsigned i = 0; i < IDE_DRIVES; i++)
		taskfile_write(&channel->drive[i], reg, value);
	if (reg == REG_DEVICE)
		drive_select(channel, value & IDE_DEVICE_SLAVE ? 1 : 0);
}

static void command_access(void *dev, struct io_access *io)
{
	struct ide_channel *channel = dev;
	uint64_t data = 0;

	if (io->offset == REG_DATA) {
		data_access(channel, io);
		return;
	}
	for (unsigned i = 0; i < io->size; i++) {
		unsigned reg = (unsigned)io->offset + i;

		if (io->is_write)
			register_write(channel, reg,
				       (uint8_t)(io->data >> 8 * i));
		else
			data |= (uint64_t)register_read(channel, reg) << 8 * i;
	}
	if (!io->is_write)
		io->data = data;
}

static void control_access(void *dev, struct io_access *io)
{
	struct ide_channel *channel = dev;
	uint8_t old = channel->state->control, value = (uint8_t)io->data;

	if (!io->is_write) {
		/* Alternate status: the interrupt stays. */
		io->data = status_of(channel, ide_selected(channel));
		return;
	}
	channel->state->control =
		value & (IDE_CONTROL_NIEN | CONTROL_RESET | CONTROL_HOB);
	if (value & CONTROL_RESET && !(old & CONTROL_RESET)) {
		ide_channel_abort(channel);
		channel->state->selected = 0;
		for (unsigned i = 0; i < IDE_DRIVES; i++)
			channel->drive[i].state->is_interrupting = false;
	} else if (old & CONTROL_RESET && !(value & CONTROL_RESET)) {
		drives_reset(channel);
	}
	irq_update(channel);
}

/* ---- Configuration space ----------------------------------------------- */

/* A driver may start the engine before it lets the function be a master. */
static void config_written(struct pci_device *pci, unsigned offset,
			   unsigned size)
{
	struct ide *ide = container_of(pci, struct ide, pci);

	if (offset > PCI_COMMAND + 1 || offset + size <= PCI_COMMAND)
		return;
	for (unsigned i = 0; i < IDE_CHANNELS; i++)
		ide_dma_kick(&ide->channel[i]);
}

/* ---- Reset and set-up -------------------------------------------------- */

/* The table of fields has been read. */
static void channel_reset(struct ide_channel *channel)
{
	ide_channel_abort(channel);
	drives_reset(channel);
	irq_update(channel);
}

static void reset_rest(void *dev)
{
	struct ide *ide = dev;

	pci_device_reset(&ide->pci);
	for (unsigned i = 0; i < IDE_CHANNELS; i++)
		channel_reset(&ide->channel[i]);
}

/* A request still in flight belongs to a command that is no more. */
static void restored(void *dev)
{
	struct ide *ide = dev;

	pci_device_restored(&ide->pci);
	for (unsigned i = 0; i < IDE_CHANNELS; i++) {
		ide_request_abandon(&ide->channel[i]);
		irq_update(&ide->channel[i]);
	}
}

static bool is_idle(const void *dev)
{
	const struct ide *ide = dev;

	for (unsigned i = 0; i < IDE_CHANNELS; i++)
		if (ide->channel[i].phase != IDE_PHASE_IDLE)
			return false;
	return true;
}

const struct device_ops ide_ops = {
	.name = "piix3-ide",
	.version = 5,
	.state = &ide_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = ide_state_is_valid,
	.is_idle = is_idle,
};

void ide_reset(struct ide *ide)
{
	device_reset(&ide->device);
}

void ide_medium_change(struct ide *ide, unsigned channel, unsigned drive,
		       struct block_backend *backend)
{
	struct ide_drive *target = &ide->channel[channel].drive[drive];

	if (target->kind == IDE_CDROM)
		atapi_medium_change(target, backend);
}

void ide_drive_init(struct ide_drive *drive, struct ide_channel *channel,
		    unsigned number, const struct ide_drive_config *config)
{
	static const char *const models[] = {
		[IDE_NONE] = "",
		[IDE_DISK] = "Bulkhead Disk",
		[IDE_CDROM] = "Bulkhead CD-ROM",
	};

	drive->kind = config->kind;
	drive->backend = config->backend;
	drive->channel = channel;
	if (drive->kind == IDE_DISK)
		ata_init(drive, config);
	drive->state = &channel->state->drive[number];
	if (config->serial)
		snprintf(drive->serial, sizeof(drive->serial), "%s",
			 config->serial);
	else
		snprintf(drive->serial, sizeof(drive->serial), "BH%05u",
			 1 + channel->index * IDE_DRIVES + number);
	snprintf(drive->model, sizeof(drive->model), "%s",
		 config->model ? config->model : models[config->kind]);
}

static int channel_init(struct ide_channel *channel, struct bus *ports)
{
	static const uint16_t command_base[] = { 0x1f0, 0x170 };
	static const uint16_t control_base[] = { 0x3f6, 0x376 };
	const struct io_region command = {
		.name = "ide-command",
		.base = command_base[channel->index],
		.length = REG_BLOCK_SIZE,
		.fn = command_access,
		.dev = channel,
		.width_min = 1,
		.width_max = 4,
		.bulk = command_bulk,
	};
	const struct io_region control = {
		.name = "ide-control",
		.base = control_base[channel->index],
		.length = 1,
		.fn = control_access,
		.dev = channel,
		.width_min = 1,
		.width_max = 1,
	};
	int error = bus_add(ports, &command);

	return error ? error : bus_add(ports, &control);
}

static const struct ide_transport transport = { .region_next = ide_prd_next };

int ide_init(struct ide *ide, const struct ide_config *config)
{
	static const struct pci_identity identity = {
		.name = "piix3-ide",
		.vendor = PCI_VENDOR_INTEL,
		.device = PCI_DEVICE_PIIX3_IDE,
		.class = PCI_CLASS_IDE,
		.interface = PCI_IDE_MASTER,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
	};
	const struct pci_bar master = {
		.kind = PCI_BAR_IO,
		.size = IDE_MASTER_SIZE * IDE_CHANNELS,
		.region = { .name = "ide-master",
			    .fn = ide_master_access,
			    .dev = ide,
			    .width_min = 1,
			    .width_max = 4 },
	};
	int error;

	for (unsigned i = 0; i < IDE_CHANNELS * IDE_DRIVES; i++) {
		const struct ide_drive_config *drive =
			&config->drive[i / IDE_DRIVES][i % IDE_DRIVES];

		if (drive->kind == IDE_DISK &&
		    (!drive->backend || !drive->backend->sector_count))
			return -EINVAL;
	}
	memory_clear(ide, sizeof(*ide));
	device_init(&ide->device, &ide_ops, ide, &ide->state);
	/* When what plays began is in the state, and no timer of it is. */
	ide->device.clock = config->clock;
	pci_device_init(&ide->pci, &identity, &ide->state.pci);
	pci_put16(ide->pci.state->config, PCI_STATUS,
		  PCI_STATUS_FAST_BACK | PCI_STATUS_MEDIUM);
	memset(ide->pci.writable + PCI_IDE_TIMING, 0xff, PCI_IDE_TIMING_SIZE);
	ide->pci.config_written = config_written;
	for (unsigned i = 0; i < IDE_CHANNELS; i++) {
		struct ide_channel *channel = &ide->channel[i];

		channel->transport = &transport;
		channel->ram = config->ram;
		channel->clock = config->clock;
		channel->pci = &ide->pci;
		channel->state = &ide->state.channel[i];
		ide_request_init(channel);
		channel->index = i;
		channel->irq = config->irq[i];
		for (unsigned j = 0; j < IDE_DRIVES; j++)
			ide_drive_init(&channel->drive[j], channel, j,
				       &config->drive[i][j]);
		error = channel_init(channel, config->ports);
		if (error)
			return error;
		drives_reset(channel);
	}
	error = pci_bar_add(&ide->pci, PCI_BAR_MASTER, &master);
	return error ? error
		     : pci_device_add(config->pci, &ide->pci, config->devfn);
}
