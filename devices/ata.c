/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ATA disk: ATA/ATAPI-6 with 48-bit addresses, PIO and DMA.
 *
 * Reads by PIO fetch up to the channel's buffer at once and announce it block
 * by block; writes by PIO go to the medium block by block.  A command that runs
 * over the disk's end moves what there is before it ends with IDNF, its
 * registers at the first sector that there is not.
 *
 * Does not model: SMART, security, host protected area (its size can be read,
 * not set), queued commands, READ/WRITE BUFFER.  Power states are remembered
 * and have no effect but the flush that leads to them: SLEEP is STANDBY.
 *
 * The write cache is the medium's.  While the guest has it turned off, and with
 * the FUA commands, what is written survives a power cut once the command has
 * ended; else once a flush has.
 *
 * References: ATA/ATAPI-6, "Command descriptions", "IDENTIFY DEVICE".
 */
#include "devices/ide_internal.h"

#include "include/errno.h"

#define GEOMETRY_CYLINDERS 16383

#define LBA48_LIMIT BIT(48)

#define SECTOR_4KN	 4096
#define SECTOR_4KN_SHIFT 3

/* Commands that share a function with others. */
#define COMMAND_WRITE_DMA_FUA	   0x3d
#define COMMAND_WRITE_MULTIPLE_FUA 0xce
#define COMMAND_FLUSH		   0xe7
#define COMMAND_FLUSH_EXT	   0xea
#define COMMAND_SET_FEATURES	   0xef

#define FEATURE_WRITE_CACHE_OFF 0x82

/* ---- Addresses --------------------------------------------------------- */

static uint64_t address_chs(const struct ide_drive *drive)
{
	uint32_t cylinder =
		drive->state->now.lba_mid | drive->state->now.lba_high << 8;
	uint32_t head = drive->state->device & IDE_DEVICE_HEAD;
	uint32_t sector = drive->state->now.lba_low;

	if (sector == 0 || sector > drive->state->now_sectors ||
	    head >= drive->state->now_heads)
		return UINT64_MAX;
	return ((uint64_t)cylinder * drive->state->now_heads + head) *
		       drive->state->now_sectors +
	       sector - 1;
}

/* In the drive's own sectors. */
static uint64_t own_address_get(const struct ide_drive *drive, bool is_lba48)
{
	const struct ide_taskfile *now = &drive->state->now,
				  *before = &drive->state->before;

	if (!(drive->state->device & IDE_DEVICE_LBA))
		return is_lba48 ? UINT64_MAX : address_chs(drive);
	if (is_lba48)
		return now->lba_low | now->lba_mid << 8 | now->lba_high << 16 |
		       (uint64_t)before->lba_low << 24 |
		       (uint64_t)before->lba_mid << 32 |
		       (uint64_t)before->lba_high << 40;
	return now->lba_low | now->lba_mid << 8 | now->lba_high << 16 |
	       (uint64_t)(drive->state->device & IDE_DEVICE_HEAD) << 24;
}

static uint64_t address_get(const struct ide_drive *drive, bool is_lba48)
{
	uint64_t own = own_address_get(drive, is_lba48);

	return own == UINT64_MAX ? own : own << drive->sector_shift;
}

static void address_set(struct ide_drive *drive, uint64_t sector, bool is_lba48)
{
	uint64_t cylinder;

	sector >>= drive->sector_shift;

	if (!(drive->state->device & IDE_DEVICE_LBA) && !is_lba48) {
		cylinder = sector / drive->state->now_sectors;
		drive->state->now.lba_low =
			(uint8_t)(sector % drive->state->now_sectors + 1);
		drive->state->device =
			(drive->state->device & ~IDE_DEVICE_HEAD) |
			(uint8_t)(cylinder % drive->state->now_heads);
		sector = cylinder / drive->state->now_heads << 8;
	} else {
		drive->state->now.lba_low = (uint8_t)sector;
		if (is_lba48) {
			drive->state->before.lba_low = (uint8_t)(sector >> 24);
			drive->state->before.lba_mid = (uint8_t)(sector >> 32);
			drive->state->before.lba_high = (uint8_t)(sector >> 40);
		} else {
			drive->state->device =
				(drive->state->device & ~IDE_DEVICE_HEAD) |
				(sector >> 24 & IDE_DEVICE_HEAD);
		}
	}
	drive->state->now.lba_mid = (uint8_t)(sector >> 8);
	drive->state->now.lba_high = (uint8_t)(sector >> 16);
}

static uint32_t count_get(const struct ide_drive *drive, bool is_lba48)
{
	uint32_t count = drive->state->now.count;

	if (is_lba48)
		count |= drive->state->before.count << 8;
	if (!count)
		count = is_lba48 ? 65536 : 256;
	return count << drive->sector_shift;
}

/* ---- Ends -------------------------------------------------------------- */

static void end_good(struct ide_drive *drive)
{
	ide_command_end(drive, 0);
	ide_irq_raise(drive->channel);
}

static void end_error(struct ide_drive *drive, uint8_t error)
{
	ide_command_end(drive, error);
	ide_irq_raise(drive->channel);
}

/* UNC is of reading alone. */
static void end_status(struct ide_drive *drive, int status)
{
	if (status == 0)
		end_good(drive);
	else if (status == -ERANGE)
		end_error(drive, IDE_ERROR_IDNF);
	else if (status == -EIO && !drive->channel->state->is_write)
		end_error(drive, IDE_ERROR_UNC);
	else
		end_error(drive, IDE_ERROR_ABRT);
}

static bool is_extended(uint8_t command);

/* The registers end at the last sector moved, or the one that failed. */
void ata_transfer_end(struct ide_drive *drive, int status)
{
	struct ide_channel *channel = drive->channel;
	bool is_lba48 = is_extended(channel->state->command);
	uint32_t left;

	address_set(drive, channel->state->sector - (status == 0), is_lba48);
	left = channel->state->left >> drive->sector_shift;
	drive->state->now.count = (uint8_t)left;
	drive->state->before.count = (uint8_t)(left >> 8);
	if (status == -ENOSPC)
		/* Too few regions: the drive is left without an interrupt. */
		ide_command_end(drive, 0);
	else
		end_status(drive, status);
}

static uint64_t sector_limit(const struct ide_drive *drive)
{
	return is_extended(drive->channel->state->command)
		       ? drive->sector_count
		       : MIN(drive->sector_count,
			     IDE_LBA28_LIMIT << drive->sector_shift);
}

uint32_t ata_sectors_left(const struct ide_drive *drive)
{
	const struct ide_channel_state *state = drive->channel->state;
	uint64_t limit = sector_limit(drive);

	if (state->sector >= limit)
		return 0;
	return (uint32_t)MIN(limit - state->sector, state->left);
}

/* False: the command has been ended, with an error. */
static bool range_take(struct ide_drive *drive, bool is_lba48)
{
	struct ide_channel *channel = drive->channel;
	uint64_t sector = address_get(drive, is_lba48);

	if (sector >= sector_limit(drive)) {
		end_error(drive, IDE_ERROR_IDNF);
		return false;
	}
	channel->state->sector = sector;
	channel->state->left = count_get(drive, is_lba48);
	drive->state->power = IDE_POWER_ACTIVE;
	return true;
}

static void sectors_moved(struct ide_channel *channel, uint32_t count)
{
	channel->state->sector += count;
	channel->state->left -= count;
}

/* ---- PIO --------------------------------------------------------------- */

static void read_chunk(struct ide_drive *drive);

void ata_read_block_done(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;

	if (channel->state->position < channel->state->fill) {
		ide_pio_start(drive, IDE_PIO_IN, channel->state->block, true);
		return;
	}
	if (channel->state->left) {
		read_chunk(drive);
		return;
	}
	/* The last block's interrupt has been: no other. */
	ide_command_end(drive, 0);
}

/*
 * The blocks before the one that failed go to the guest; then the next request
 * begins with that, and fails with nothing moved.
 */
void ata_read_request_done(struct ide_drive *drive, int status)
{
	struct ide_channel *channel = drive->channel;

	if (status) {
		uint32_t moved = ide_request_moved(channel);

		channel->chunk =
			ALIGN_DOWN(moved, channel->state->block / BLOCK_SECTOR);
		if (channel->chunk == 0) {
			sectors_moved(channel, moved);
			ata_transfer_end(drive, status);
			return;
		}
	}
	sectors_moved(channel, channel->chunk);
	if (channel->state->left == 0) {
		address_set(drive, channel->state->sector - 1,
			    is_extended(channel->state->command));
		drive->state->now.count = 0;
	}
	channel->state->position = 0;
	channel->state->fill = channel->chunk * BLOCK_SECTOR;
	ide_pio_start(drive, IDE_PIO_IN, channel->state->block, true);
}

static void read_chunk(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	uint32_t most =
		ALIGN_DOWN(IDE_BUFFER, channel->state->block) / BLOCK_SECTOR;
	uint32_t count = MIN(ata_sectors_left(drive), most);

	if (count == 0) {
		ata_transfer_end(drive, -ERANGE);
		return;
	}
	drive->state->status = IDE_STATUS_BSY;
	ide_request_buffer(drive, BLOCK_READ, count, IDE_REQUEST_ATA_READ);
}

static void write_block(struct ide_drive *drive, bool has_irq)
{
	struct ide_channel *channel = drive->channel;
	uint32_t count = ata_sectors_left(drive);

	if (count == 0) {
		ata_transfer_end(drive, -ERANGE);
		return;
	}
	channel->state->position = 0;
	channel->state->fill = MIN(channel->state->block, count * BLOCK_SECTOR);
	ide_pio_start(drive, IDE_PIO_OUT, channel->state->fill, has_irq);
}

void ata_write_request_done(struct ide_drive *drive, int status)
{
	struct ide_channel *channel = drive->channel;

	sectors_moved(channel,
		      status ? ide_request_moved(channel) : channel->chunk);
	if (status || channel->state->left == 0)
		ata_transfer_end(drive, status);
	else
		write_block(drive, true);
}

void ata_write_block_done(struct ide_drive *drive)
{
	drive->state->status = IDE_STATUS_BSY;
	ide_request_buffer(drive, BLOCK_WRITE,
			   drive->channel->state->fill / BLOCK_SECTOR,
			   IDE_REQUEST_ATA_WRITE);
}

static void pio_begin(struct ide_drive *drive, bool is_write, bool is_multiple)
{
	struct ide_channel *channel = drive->channel;

	if (is_multiple && drive->state->multiple == 0) {
		end_error(drive, IDE_ERROR_ABRT);
		return;
	}
	if (is_write && drive->backend->is_read_only) {
		end_error(drive, IDE_ERROR_ABRT);
		return;
	}
	if (!range_take(drive, is_extended(channel->state->command)))
		return;
	channel->state->is_write = is_write;
	channel->state->block =
		(uint32_t)(is_multiple ? drive->state->multiple : 1)
		<< (drive->sector_shift + BLOCK_SHIFT);
	if (is_write) {
		channel->state->after_block = IDE_BLOCK_ATA_WRITE;
		write_block(drive, false);
	} else {
		channel->state->after_block = IDE_BLOCK_ATA_READ;
		read_chunk(drive);
	}
}

static void pio_read(struct ide_drive *drive)
{
	pio_begin(drive, false, false);
}

static void pio_write(struct ide_drive *drive)
{
	pio_begin(drive, true, false);
}

static void pio_read_multiple(struct ide_drive *drive)
{
	pio_begin(drive, false, true);
}

static void pio_write_multiple(struct ide_drive *drive)
{
	pio_begin(drive, true, true);
}

/* ---- DMA --------------------------------------------------------------- */

static void dma_begin(struct ide_drive *drive, bool is_write)
{
	struct ide_channel *channel = drive->channel;

	if (is_write && drive->backend->is_read_only) {
		end_error(drive, IDE_ERROR_ABRT);
		return;
	}
	if (!range_take(drive, is_extended(channel->state->command)))
		return;
	channel->state->is_write = is_write;
	ide_dma_wait(drive, IDE_START_SECTORS);
}

static void dma_read(struct ide_drive *drive)
{
	dma_begin(drive, false);
}

static void dma_write(struct ide_drive *drive)
{
	dma_begin(drive, true);
}

/* ---- Without data ------------------------------------------------------ */

static void verify_chunk(struct ide_drive *drive)
{
	uint32_t count =
		MIN(ata_sectors_left(drive), IDE_BUFFER / BLOCK_SECTOR);

	if (count)
		ide_request_buffer(drive, BLOCK_READ, count,
				   IDE_REQUEST_ATA_VERIFY);
	else
		ata_transfer_end(drive, -ERANGE);
}

void ata_verify_request_done(struct ide_drive *drive, int status)
{
	struct ide_channel *channel = drive->channel;

	sectors_moved(channel,
		      status ? ide_request_moved(channel) : channel->chunk);
	if (status || channel->state->left == 0)
		ata_transfer_end(drive, status);
	else
		verify_chunk(drive);
}

static void verify(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;

	if (!range_take(drive, is_extended(channel->state->command)))
		return;
	channel->state->is_write = false;
	drive->state->status = IDE_STATUS_BSY;
	verify_chunk(drive);
}

/* Of the commands that flush, and of those that do so before something else. */
void ata_flush_request_done(struct ide_drive *drive, int status)
{
	struct ide_channel *channel = drive->channel;
	uint64_t failed = channel->request.failed_sector;

	if (status) {
		if (status != IDE_TIMED_OUT && failed < drive->sector_count)
			address_set(drive, failed,
				    is_extended(channel->state->command));
		end_error(drive, IDE_ERROR_ABRT);
		return;
	}
	switch (channel->state->command) {
	case COMMAND_FLUSH:
	case COMMAND_FLUSH_EXT:
		break;
	case COMMAND_SET_FEATURES:
		drive->state->is_write_cached = false;
		break;
	default:
		drive->state->power = IDE_POWER_STANDBY;
	}
	end_good(drive);
}

static void flush(struct ide_drive *drive)
{
	drive->state->status = IDE_STATUS_BSY;
	drive->channel->state->sector = 0;
	ide_request_buffer(drive, BLOCK_FLUSH, 0, IDE_REQUEST_ATA_FLUSH);
}

static void seek(struct ide_drive *drive)
{
	if (address_get(drive, false) >= drive->sector_count)
		end_error(drive, IDE_ERROR_IDNF);
	else
		end_good(drive);
}

static void native_max(struct ide_drive *drive)
{
	bool is_lba48 = is_extended(drive->channel->state->command);
	uint64_t limit = is_lba48 ? LBA48_LIMIT : IDE_LBA28_LIMIT;

	if (!(drive->state->device & IDE_DEVICE_LBA)) {
		end_error(drive, IDE_ERROR_ABRT);
		return;
	}
	address_set(drive,
		    MIN(drive->sector_count, limit << drive->sector_shift) - 1,
		    is_lba48);
	end_good(drive);
}

static void set_multiple(struct ide_drive *drive)
{
	uint8_t count = drive->state->now.count;

	if (count > IDE_MULTIPLE || count & (count - 1)) {
		drive->state->multiple = 0; /* READ and WRITE MULTIPLE abort */
		end_error(drive, IDE_ERROR_ABRT);
		return;
	}
	drive->state->multiple = count;
	end_good(drive);
}

/* INITIALIZE DEVICE PARAMETERS: a geometry of software's choice. */
static void set_geometry(struct ide_drive *drive)
{
	uint32_t heads = (drive->state->device & IDE_DEVICE_HEAD) + 1;
	uint32_t sectors = drive->state->now.count;

	if (sectors == 0 || sectors > IDE_SECTORS) {
		end_error(drive, IDE_ERROR_ABRT);
		return;
	}
	drive->state->now_heads = (uint8_t)heads;
	drive->state->now_sectors = (uint8_t)sectors;
	drive->state->now_cylinders =
		(uint16_t)MIN((drive->sector_count >> drive->sector_shift) /
				      (heads * sectors),
			      65535U);
	end_good(drive);
}

static void power_active(struct ide_drive *drive)
{
	drive->state->power = IDE_POWER_ACTIVE;
	end_good(drive);
}

static void power_check(struct ide_drive *drive)
{
	drive->state->now.count = drive->state->power;
	end_good(drive);
}

static void recalibrate(struct ide_drive *drive)
{
	end_good(drive);
}

static bool feature_set(struct ide_drive *drive, uint8_t feature)
{
	switch (feature) {
	case 0x02:
		drive->state->is_write_cached = true;
		return true;
	case 0x55:
	case 0xaa:
		drive->state->is_read_ahead = feature == 0xaa;
		return true;
	case 0x03:
		return ide_transfer_mode_set(drive, drive->state->now.count);
	case 0x66: /* settings are kept, or not, over a software reset */
	case 0xcc:
		drive->state->keeps_settings = feature == 0x66;
		return true;
	default:
		return false;
	}
}

static void set_features(struct ide_drive *drive)
{
	if (drive->state->now.feature == FEATURE_WRITE_CACHE_OFF)
		flush(drive);
	else if (feature_set(drive, drive->state->now.feature))
		end_good(drive);
	else
		end_error(drive, IDE_ERROR_ABRT);
}

static void identify(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;

	ide_identify_disk(drive, channel->state->buffer);
	channel->state->left = 0;
	channel->state->fill = IDE_IDENTIFY_SIZE;
	channel->state->block = IDE_IDENTIFY_SIZE;
	channel->state->after_block = IDE_BLOCK_ATA_READ;
	ide_pio_start(drive, IDE_PIO_IN, channel->state->block, true);
}

/* ---- The command table ------------------------------------------------- */

struct ata_row {
	uint8_t first, last;
	bool is_extended; /* 48-bit address and 16-bit count */
	void (*run)(struct ide_drive *drive);
};

/* clang-format off */
static const struct ata_row rows[] = {
	{ 0x10, 0x1f, false, recalibrate },
	{ 0x20, 0x21, false, pio_read },
	{ 0x24, 0x24, true,  pio_read },
	{ 0x25, 0x25, true,  dma_read },
	{ 0x27, 0x27, true,  native_max },
	{ 0x29, 0x29, true,  pio_read_multiple },
	{ 0x30, 0x31, false, pio_write },
	{ 0x34, 0x34, true,  pio_write },
	{ 0x35, 0x35, true,  dma_write },
	{ 0x39, 0x39, true,  pio_write_multiple },
	{ 0x3c, 0x3c, false, pio_write }, /* with verify */
	{ 0x3d, 0x3d, true,  dma_write }, /* FUA */
	{ 0x40, 0x41, false, verify },
	{ 0x42, 0x42, true,  verify },
	{ 0x70, 0x7f, false, seek },
	{ 0x91, 0x91, false, set_geometry },
	{ 0x94, 0x94, false, flush }, /* standby */
	{ 0x95, 0x95, false, power_active }, /* idle */
	{ 0x96, 0x96, false, flush }, /* standby */
	{ 0x97, 0x97, false, power_active },
	{ 0x98, 0x98, false, power_check },
	{ 0x99, 0x99, false, flush }, /* sleep */
	{ 0xc4, 0xc4, false, pio_read_multiple },
	{ 0xc5, 0xc5, false, pio_write_multiple },
	{ 0xc6, 0xc6, false, set_multiple },
	{ 0xc8, 0xc9, false, dma_read },
	{ 0xca, 0xcb, false, dma_write },
	{ 0xce, 0xce, true,  pio_write_multiple }, /* FUA */
	{ 0xe0, 0xe0, false, flush }, /* standby */
	{ 0xe1, 0xe1, false, power_active },
	{ 0xe2, 0xe2, false, flush }, /* standby */
	{ 0xe3, 0xe3, false, power_active },
	{ 0xe5, 0xe5, false, power_check },
	{ 0xe6, 0xe6, false, flush }, /* sleep */
	{ 0xe7, 0xe7, false, flush },
	{ 0xea, 0xea, true,  flush },
	{ 0xec, 0xec, false, identify },
	{ 0xef, 0xef, false, set_features },
	{ 0xf8, 0xf8, false, native_max },
};
/* clang-format on */

static const struct ata_row *row_find(uint8_t command)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (command >= rows[i].first && command <= rows[i].last)
			return &rows[i];
	return NULL;
}

static bool is_extended(uint8_t command)
{
	const struct ata_row *row = row_find(command);

	return row && row->is_extended;
}

void ata_command(struct ide_drive *drive, uint8_t command)
{
	const struct ata_row *row = row_find(command);

	if (row)
		row->run(drive);
	else
		end_error(drive, IDE_ERROR_ABRT);
}

bool ata_is_durable(const struct ide_drive *drive)
{
	uint8_t command = drive->channel->state->command;

	return !drive->state->is_write_cached ||
	       command == COMMAND_WRITE_DMA_FUA ||
	       command == COMMAND_WRITE_MULTIPLE_FUA;
}

/* ---- Reset ------------------------------------------------------------- */

void ata_init(struct ide_drive *drive, const struct ide_drive_config *config)
{
	uint64_t cylinders;

	drive->sector_shift =
		config->sector_size == SECTOR_4KN ? SECTOR_4KN_SHIFT : 0;
	drive->sector_count = ALIGN_DOWN(drive->backend->sector_count,
					 (uint64_t)1 << drive->sector_shift);
	drive->heads = config->heads ? config->heads : IDE_HEADS;
	drive->sectors = config->sectors ? config->sectors : IDE_SECTORS;
	drive->cylinders = config->cylinders;
	if (config->cylinders)
		return;
	cylinders = (drive->sector_count >> drive->sector_shift) /
		    (drive->heads * drive->sectors);
	drive->cylinders =
		(uint16_t)MIN(MAX(cylinders, 1U), (uint64_t)GEOMETRY_CYLINDERS);
}

void ata_reset(struct ide_drive *drive)
{
	drive->state->now_cylinders = drive->cylinders;
	drive->state->now_heads = drive->heads;
	drive->state->now_sectors = drive->sectors;
	drive->state->status = IDE_STATUS_DRDY | IDE_STATUS_DSC;
}
