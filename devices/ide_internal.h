/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between ide.c (channel, bus master) and the drives (ata.c, atapi.c).
 */
#ifndef BULKHEAD_DEVICES_IDE_INTERNAL_H
#define BULKHEAD_DEVICES_IDE_INTERNAL_H

#include "devices/ide.h"
#include "include/errno.h"

#define IDE_STATUS_ERR	BIT(0)
#define IDE_STATUS_DRQ	BIT(3)
#define IDE_STATUS_DSC	BIT(4)
#define IDE_STATUS_DF	BIT(5)
#define IDE_STATUS_DRDY BIT(6)
#define IDE_STATUS_BSY	BIT(7)

#define IDE_ERROR_ABRT	  BIT(2)
#define IDE_ERROR_IDNF	  BIT(4)
#define IDE_ERROR_UNC	  BIT(6)
/* Diagnostic codes, in the error register after a reset. */
#define IDE_DIAGNOSTIC_OK 1

#define IDE_DEVICE_HEAD	 MASK(3, 0)
#define IDE_DEVICE_SLAVE BIT(4)
#define IDE_DEVICE_FIXED (BIT(7) | BIT(5)) /* read as ones */
#define IDE_DEVICE_LBA	 BIT(6)

/* What ATA's reset and the limits of a saved state have in common. */
#define IDE_HEADS	  ATA_DEFAULT_HEADS
#define IDE_SECTORS	  ATA_DEFAULT_SECTORS
#define IDE_MODE_UDMA_5	  0x45
#define IDE_POWER_ACTIVE  0xff
#define IDE_POWER_STANDBY 0x00

#define IDE_LBA28_LIMIT BIT(28)

/* SET FEATURES, transfer mode: kind in the upper bits, number below. */
#define IDE_MODE_KIND	     MASK(7, 3)
#define IDE_MODE_NUMBER	     MASK(2, 0)
#define IDE_MODE_PIO_DEFAULT 0
#define IDE_MODE_PIO	     1
#define IDE_MODE_MWDMA	     4
#define IDE_MODE_UDMA	     8

/* Of what a CD-ROM drive plays, as READ SUB-CHANNEL has it. */
#define ATAPI_AUDIO_PLAYING   0x11
#define ATAPI_AUDIO_PAUSED    0x12
#define ATAPI_AUDIO_COMPLETED 0x13
#define ATAPI_AUDIO_NONE      0x15 /* nothing to tell */

#define IDE_CONTROL_NIEN BIT(1) /* device control: no interrupts */

/* Bus master status, as far as the channel needs it. */
#define IDE_MASTER_ACTIVE    BIT(0)
#define IDE_MASTER_INTERRUPT BIT(2)
#define IDE_MASTER_SIZE	     8 /* bytes of registers a channel */

/* What a request has come to that was cancelled: for that it took too long. */
#define IDE_TIMED_OUT (-ECANCELED)

static inline struct ide_drive *ide_selected(struct ide_channel *channel)
{
	return &channel->drive[channel->state->selected];
}

/*
 * What INTRQ is in a state of the channel: driven by the drive that is
 * selected, unless nIEN; the other one's interrupt stays pending.
 */
static inline bool ide_irq_level(const struct ide_channel *channel,
				 const struct ide_channel_state *state)
{
	return state->drive[state->selected].is_interrupting &&
	       channel->drive[state->selected].kind != IDE_NONE &&
	       !(state->control & IDE_CONTROL_NIEN);
}

/* ---- ide.c ------------------------------------------------------------- */

void ide_irq_raise(struct ide_channel *channel);
void ide_irq_clear(struct ide_channel *channel);
/* The drive puts its signature into the registers, as after reset. */
void ide_signature_set(struct ide_drive *drive);
/* End of a command: status 0 or an error register's value. */
void ide_command_end(struct ide_drive *drive, uint8_t error);

/*
 * All is transferred, or failed: 0, -EIO ..., IDE_TIMED_OUT; -ENOSPC: too few
 * regions.
 */
void ide_transfer_end(struct ide_drive *drive, int status);

/*
 * The buffer's next block of at most bytes goes to or comes from the guest:
 * DRQ, and an interrupt if asked for.  channel->state->after_block says what is
 * done at its end.
 */
void ide_pio_start(struct ide_drive *drive, enum ide_transfer transfer,
		   uint32_t bytes, bool has_irq);

/* SET FEATURES 03h; false: a mode that there is not. */
bool ide_transfer_mode_set(struct ide_drive *drive, uint8_t mode);

/*
 * For ports of AHCI, whose drives are these, each alone on a channel.  A
 * channel has .state, .transport, .ram, .clock, .pci and .index.
 */
void ide_drive_init(struct ide_drive *drive, struct ide_channel *channel,
		    unsigned number, const struct ide_drive_config *config);
/* The fields as after a reset, and the signature. */
void ide_drive_reset(struct ide_drive *drive);
/* What is under way is given up; a request in flight is waited for. */
void ide_channel_abort(struct ide_channel *channel);
/* A command for the selected drive, which is not busy. */
void ide_command_run(struct ide_channel *channel, uint8_t command);
/* The block that DRQ announced has moved: position is at its end. */
void ide_block_end(struct ide_channel *channel);

/* ---- ide_state.c ------------------------------------------------------- */

bool ide_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);
extern const struct state_description ide_description;
extern const struct state_description ide_drive_description;
extern const struct state_description ide_channel_description;
bool ide_channel_is_valid(const struct ide_channel *channel,
			  const struct ide_channel_state *state);
bool ide_drive_is_valid(const struct ide_drive_state *state, uint64_t now_ns);

/* ---- ide_request.c ----------------------------------------------------- */

/*
 * channel->request is filled in: op, sector, segments.  The drive is the
 * selected one, and stays it, for it is busy until the request completes.
 */
void ide_request_submit(struct ide_drive *drive, enum ide_after_request after);
/*
 * Sectors of a request that failed which have been moved all the same, before
 * the one that has not.
 */
uint32_t ide_request_moved(const struct ide_channel *channel);
/* Sectors between channel->state->sector and the start of the buffer. */
void ide_request_buffer(struct ide_drive *drive, enum block_op op,
			uint32_t sectors, enum ide_after_request after);
/*
 * The command that waits for the request's end, if any, is no more; the channel
 * is busy until that has come.
 */
void ide_request_abandon(struct ide_channel *channel);
void ide_request_init(struct ide_channel *channel);

/* ---- ide_dma.c --------------------------------------------------------- */

void ide_master_access(void *dev, struct io_access *io);
/* Starts what waits for the bus master, if that is ready. */
void ide_dma_kick(struct ide_channel *channel);
/*
 * As soon as the guest has started the bus master: IDE_START_SECTORS moves
 * channel->state->left sectors from channel->state->sector on between medium
 * and the guest's regions, then ide_transfer_end(); IDE_START_REPLY is ATAPI's.
 */
void ide_dma_wait(struct ide_drive *drive, enum ide_after_start after);
void ide_dma_request_done(struct ide_drive *drive, int status);
/* Buffer bytes to the guest's regions; how many there was room for. */
uint32_t ide_dma_copy(struct ide_channel *channel, uint32_t bytes,
		      bool to_guest);
/* The same from a place in the buffer on. */
uint32_t ide_dma_copy_at(struct ide_channel *channel, uint32_t at,
			 uint32_t bytes, bool to_guest);
bool ide_prd_next(const struct ide_channel *channel,
		  struct ide_prd_cursor *cursor);
/* Started, and let by the PCI function. */
bool ide_dma_is_running(const struct ide_channel *channel);
/* The transfer is over: bus master inactive if its table is, too. */
void ide_dma_end(struct ide_channel *channel);

/* ---- Drives ------------------------------------------------------------ */

/* What follows from the medium; what the table of fields leaves to reset. */
void ata_init(struct ide_drive *drive, const struct ide_drive_config *config);
void ata_reset(struct ide_drive *drive);
void ata_command(struct ide_drive *drive, uint8_t command);
void ata_transfer_end(struct ide_drive *drive, int status);
/* Of what the command in hand has left, the sectors that there are. */
uint32_t ata_sectors_left(const struct ide_drive *drive);
/* What the command in hand writes is to survive a power cut. */
bool ata_is_durable(const struct ide_drive *drive);
void ata_read_block_done(struct ide_drive *drive);
void ata_write_block_done(struct ide_drive *drive);
void ata_read_request_done(struct ide_drive *drive, int status);
void ata_write_request_done(struct ide_drive *drive, int status);
void ata_verify_request_done(struct ide_drive *drive, int status);
void ata_flush_request_done(struct ide_drive *drive, int status);

void atapi_command(struct ide_drive *drive, uint8_t command);
void atapi_transfer_end(struct ide_drive *drive, int status);
void atapi_packet_run(struct ide_drive *drive);
void atapi_reply_block_done(struct ide_drive *drive);
void atapi_reply_dma(struct ide_drive *drive);
void atapi_parameter_block_done(struct ide_drive *drive);
void atapi_parameters_dma(struct ide_drive *drive);
void atapi_fields_dma(struct ide_drive *drive);
void atapi_read_request_done(struct ide_drive *drive, int status);
/* False: the medium has been changed, and the command ended for it. */
bool atapi_may_read(struct ide_drive *drive);
void atapi_medium_change(struct ide_drive *drive,
			 struct block_backend *backend);

/* ---- ide_identify.c ---------------------------------------------------- */

#define IDE_IDENTIFY_SIZE 512

void ide_identify_disk(const struct ide_drive *drive, uint8_t *id);
void ide_identify_cdrom(const struct ide_drive *drive, uint8_t *id);

#endif
