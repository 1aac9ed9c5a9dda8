/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PIIX3 IDE (8086:7010): two channels at the legacy ports, two drives each,
 * bus-master DMA.  Drives are ATA disks (ata.c) or ATAPI CD-ROMs (atapi.c).
 *
 * A channel runs one command at a time and owns one block request; its
 * completion may come at once or much later.
 *
 * While it is in flight the drive is busy.  As ATA has it, writes to the
 * command block are ignored then, so that the other drive cannot be selected
 * either, but for DEVICE RESET of a CD-ROM drive.  A drive that only has data
 * to move gives them up for a new command, or when the other one is selected.
 *
 * A guest takes a drive that is not busy for one that reaches its memory no
 * more, and uses the memory for something else.  So until the request has ended
 * the channel stays busy, whatever comes: a command that takes longer than
 * IDE_TIMEOUT_NS without progress, and resets, cancel the request, which ends
 * it at once if it has not begun; else they wait.
 *
 * References: Intel 82371FB/82371SB (PIIX, PIIX3); Programming Interface for
 * Bus Master IDE Controller 1.0; ATA/ATAPI-6; MMC-3.
 */
#ifndef BULKHEAD_DEVICES_IDE_H
#define BULKHEAD_DEVICES_IDE_H

#include "devices/bus.h"
#include "devices/pci.h"
#include "include/block.h"
#include "include/device.h"

#define IDE_CHANNELS   2
#define IDE_DRIVES     2
#define IDE_BUFFER     65536
#define IDE_MULTIPLE   16 /* sectors a block, at most */
#define ATAPI_SECTOR   2048
#define ATAPI_PACKET   12
#define ATAPI_SENSE    18
#define ATAPI_MODES    26 /* bytes of its changeable mode pages */
#define IDE_SERIAL_MAX 20
#define IDE_MODEL_MAX  40

/* Less than the 30 s after which Linux gives up a command. */
#define IDE_TIMEOUT_NS	     (20 * NSEC_PER_SEC)
/* ATA lets it take longer than 30 s; Linux waits for 60. */
#define IDE_FLUSH_TIMEOUT_NS (45 * NSEC_PER_SEC)

enum ide_kind { IDE_NONE, IDE_DISK, IDE_CDROM };

struct ide_drive_config {
	enum ide_kind kind;
	/* The medium; NULL is a CD-ROM drive without one. */
	struct block_backend *backend;
	const char *serial; /* NULL: one made from the place */
	const char *model;  /* NULL: Bulkhead's */
	/* A disk's; all 0: 16 heads of 63 sectors. */
	uint16_t cylinders;
	uint8_t heads, sectors;
	/* Of a disk, as its bus has them: 0 or 512; 4096 on a serial one. */
	uint16_t sector_size;
};

struct ide_config {
	struct pci_bus *pci;
	uint8_t devfn;
	struct bus *ports;
	const struct guest_ram *ram;
	struct clock *clock;
	struct irq_line irq[IDE_CHANNELS]; /* ISA IRQs 14 and 15 */
	struct ide_drive_config drive[IDE_CHANNELS][IDE_DRIVES];
};

/* The register file; two deep where LBA48 writes twice. */
struct ide_taskfile {
	uint8_t feature, count, lba_low, lba_mid, lba_high;
};

struct ide_drive_state {
	uint8_t status, error;
	uint8_t device; /* device/head register */
	struct ide_taskfile now, before;

	/* Disk: INITIALIZE DEVICE PARAMETERS, SET FEATURES and the like. */
	uint8_t multiple; /* sectors a block; 0: disabled */
	uint16_t now_cylinders;
	uint8_t now_heads, now_sectors;
	uint8_t transfer_mode;
	uint8_t power; /* CHECK POWER MODE's answer */
	bool is_write_cached, is_read_ahead;
	bool keeps_settings; /* over a software reset */

	bool is_interrupting; /* seen on INTRQ while selected */

	/* CD-ROM */
	uint8_t sense[ATAPI_SENSE];
	uint8_t fields; /* that READ CD wants of each block, unless 0 */
	bool is_locked, is_open, is_changed, has_event;
	/* What MODE SELECT has changed: exclusive or with the defaults. */
	uint8_t mode[ATAPI_MODES];
	/*
	 * Audio: status, for READ SUB-CHANNEL; blocks, that where playing began
	 * or was left, and that behind the last one; since when it plays.
	 */
	uint8_t audio;
	uint8_t reserved[6];
	uint32_t audio_position, audio_end;
	uint64_t audio_since_ns;
};

/* Where the bus master is in its table of physical regions. */
struct ide_prd_cursor {
	gpa_t table;	  /* next entry */
	gpa_t address;	  /* in the current region */
	uint32_t entries; /* left before the table's 64 KiB end */
	uint32_t left;	  /* bytes of the current region */
	uint32_t taken;	  /* bytes of all regions up to the current one */
	bool is_last;
	uint8_t reserved[3];
};

enum ide_transfer {
	IDE_IDLE,
	IDE_PIO_IN,	 /* the guest reads the buffer */
	IDE_PIO_OUT,	 /* the guest fills it */
	IDE_DMA_PENDING, /* the drive waits for the bus master */
};

/*
 * How a command goes on.  Each is an index into one table of functions, so
 * that a command in progress is plain data.
 */

/* When the block that DRQ announced has moved: ide.c. */
enum ide_after_block {
	IDE_BLOCK_NONE,
	IDE_BLOCK_END,	      /* nothing follows, no interrupt */
	IDE_BLOCK_ATA_READ,   /* the next block, or more from the medium */
	IDE_BLOCK_ATA_WRITE,  /* to the medium */
	IDE_BLOCK_PACKET,     /* the packet is complete: run it */
	IDE_BLOCK_REPLY,      /* the rest of a packet's reply */
	IDE_BLOCK_PARAMETERS, /* what a packet wants to know */
	IDE_BLOCK_COUNT,
};

/* When the bus master has been started: ide_dma.c. */
enum ide_after_start {
	IDE_START_NONE,
	IDE_START_SECTORS,    /* between medium and regions */
	IDE_START_REPLY,      /* the buffer to the regions */
	IDE_START_PARAMETERS, /* the regions to the buffer */
	IDE_START_FIELDS,     /* READ CD's sectors, by way of the buffer */
	IDE_START_COUNT,
};

/* When the block request is complete: ide_request.c. */
enum ide_after_request {
	IDE_REQUEST_NONE,
	IDE_REQUEST_ATA_READ,
	IDE_REQUEST_ATA_WRITE,
	IDE_REQUEST_ATA_VERIFY,
	IDE_REQUEST_ATA_FLUSH,
	IDE_REQUEST_ATAPI_READ,
	IDE_REQUEST_DMA,
	IDE_REQUEST_COUNT,
};

/*
 * Where the channel's block request is.
 *
 *           request               submit() returns        reset
 *    IDLE --------> READY -> SUBMITTING ----> IN_FLIGHT -----------> RESETTING
 *     ^               ^          |             |                        |
 *     |               |   done() |      done() |                 done() |
 *     |               |          v             |                        v
 *     |               |      COMPLETED         |                       IDLE
 *     |  no     a     |          | submit()    |
 *     |  other  next  |          v returns     |
 *     +----------- FINISHING <---+-------------+
 *
 * From READY to FINISHING a function of ide_request.c is on the stack: what is
 * submitted meanwhile waits there rather than recursing, for a medium may
 * complete requests at once, and a command may need any number of them.  An
 * access by the guest finds one of the others.
 */
enum ide_phase {
	IDE_PHASE_IDLE,	      /* the request is free */
	IDE_PHASE_READY,      /* filled in */
	IDE_PHASE_SUBMITTING, /* inside the backend's submit() */
	IDE_PHASE_COMPLETED,  /* still inside, done() has been called */
	IDE_PHASE_FINISHING,  /* the command goes on */
	IDE_PHASE_IN_FLIGHT,  /* the backend's, which will call done() */
	IDE_PHASE_RESETTING,  /* the same, but its command is no more */
};

struct ide_channel_state {
	/* The command in hand; what is left of it, in sectors of 512. */
	uint64_t sector;
	uint32_t left;
	uint32_t block; /* bytes a DRQ block, at most */
	uint8_t command;
	bool is_write;
	bool is_packet_dma;

	uint8_t selected;
	uint8_t control; /* device control register */
	bool intrq;	 /* level of the line */

	/* Bus master. */
	uint8_t master_command, master_status;
	uint32_t master_table;
	enum ide_after_start after_start;
	struct ide_prd_cursor cursor;

	/*
	 * The data port.  The buffer holds bytes [0, fill); the guest is at
	 * position, the block that DRQ announced ends at end.
	 */
	enum ide_transfer transfer;
	enum ide_after_block after_block;
	uint32_t position, end, fill;
	uint8_t reserved[4];

	struct ide_drive_state drive[IDE_DRIVES];
	uint8_t buffer[IDE_BUFFER];
};

/* Between requests: a request in flight completes before it is saved. */
struct ide_state {
	struct ide_channel_state channel[IDE_CHANNELS];
	struct pci_device_state pci;
	uint8_t reserved[4];
};

struct ide_channel;

/* A disk's geometry before INITIALIZE DEVICE PARAMETERS, with .cylinders. */
#define ATA_DEFAULT_HEADS   16
#define ATA_DEFAULT_SECTORS 63

/*
 * What a drive has asked of its media, not what it has had in its buffer; it
 * only grows, through resets and other media.  Sectors of 512 bytes that were
 * moved, also of requests with an error.
 */
struct ide_counts {
	uint64_t requests, errors;
	uint64_t sectors_read, sectors_written;
};

struct ide_drive {
	struct ide_drive_state *state;
	struct ide_counts counts;
	enum ide_kind kind;
	struct block_backend *backend;
	struct ide_channel *channel;
	char serial[IDE_SERIAL_MAX + 1];
	char model[IDE_MODEL_MAX + 1];
	uint64_t sector_count; /* disk, of 512 bytes */
	uint16_t cylinders;    /* disk: default geometry */
	uint8_t heads, sectors;
	uint8_t sector_shift; /* sectors of 512 in one of its own, as 2^n */
};

/*
 * What lies between a channel and the guest: the IDE function's bus master, or
 * a port of AHCI (devices/ahci.h).
 */
struct ide_transport {
	/* The next region of the guest's table; false: it is at its end. */
	bool (*region_next)(const struct ide_channel *channel,
			    struct ide_prd_cursor *cursor);
	/* A block request has ended, and what followed it is done.  May be
	 * NULL. */
	void (*advanced)(struct ide_channel *channel);
	bool is_serial; /* Serial ATA: IDENTIFY says so */
};

struct ide_channel {
	struct ide_channel_state *state;
	const struct ide_transport *transport;
	const struct guest_ram *ram;
	struct clock *clock;
	const struct pci_device *pci; /* may it be bus master? */
	struct irq_line irq;
	struct ide_drive drive[IDE_DRIVES];
	unsigned index;

	/* The block request; its data is in or goes to the selected drive. */
	struct block_request request;
	enum ide_phase phase;
	enum ide_after_request after_request;
	struct ide_drive *requester;
	struct block_backend *medium; /* its own */
	uint32_t chunk;		      /* its sectors */
	bool is_bounced;	      /* by way of the buffer */
	int completed_status;	      /* valid while COMPLETED */
	/*
	 * Of IN_FLIGHT.  The timer is left running when a request ends, for
	 * arming it costs more than most requests do, and expires at the
	 * deadline or before.
	 */
	uint64_t deadline_ns;
	struct clock_timer timer;
};

struct ide {
	struct device device;
	struct ide_state state;
	struct pci_device pci;
	struct ide_channel channel[IDE_CHANNELS];
};

/*
 * May be saved only while no block request is in flight, those of commands that
 * are no more included: device_save() says -EAGAIN.  Whoever saves stops the
 * guest, lets the backends' completions come in, and tries again; that ends,
 * for a command has an end.  The same before a load, for a request in flight
 * still writes into the buffer.
 */
extern const struct device_ops ide_ops;

/*
 * Claims 0x1f0, 0x3f6, 0x170, 0x376 and the PCI function's place.  -EINVAL: a
 * disk without sectors.
 */
int __must_check ide_init(struct ide *ide, const struct ide_config *config);
/* Hard reset of function and drives. */
void ide_reset(struct ide *ide);

/*
 * Another medium in a CD-ROM drive, or none.  What is in flight goes on with
 * the one before; a command that needs more ends with an error.
 */
void ide_medium_change(struct ide *ide, unsigned channel, unsigned drive,
		       struct block_backend *backend);

#endif
