/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82077AA floppy disk controller in AT mode, with up to two drives.
 *
 * A disk turns: a sector can be moved once a revolution, when it passes the
 * head, and takes the time that it takes on a real one; steps, head load and
 * resets likewise.  All follows from the VM's clock, by one timer, which is not
 * armed while nothing goes on.  A motor is at its speed at once: software waits
 * for that by itself.
 *
 * What an image cannot hold: a track formatted otherwise than the image is.
 * Such a FORMAT TRACK ends as on a disk that is protected.  Marks of deleted
 * data are remembered while the disk is in its drive.
 *
 * Without FIFO or DMA nothing is ever lost: the disk waits for software, which
 * in a VM may be late.  A drive that is empty or stands has no index holes, so
 * a command that looks for one waits until there is, or for a reset, as on the
 * real part.
 *
 * Not modelled: FM (single density: no address mark is found), sectors of other
 * than 512 bytes, status registers A and B (absent in AT mode), tape drives,
 * power-down, precompensation, gaps.
 *
 * References: Intel 82077AA data sheet (290166-007), "Register Set
 * Description", "Command Set/Descriptions", "Status Register Encoding"; IBM
 * Personal Computer AT Technical Reference, "Fixed Disk and Diskette Drive
 * Adapter"; ECMA-147, ECMA-125 (tracks).
 */
#ifndef BULKHEAD_DEVICES_FDC_H
#define BULKHEAD_DEVICES_FDC_H

#include "devices/bus.h"
#include "devices/dma8237.h"
#include "include/block.h"
#include "include/device.h"
#include "include/floppy.h"

#define FDC_DRIVES	2
#define FDC_UNITS	4 /* that commands can name */
#define FDC_FIFO	16
#define FDC_COMMAND_MAX 9
#define FDC_ID		4 /* C, H, R, N */

enum fdc_phase {
	FDC_PHASE_COMMAND, /* bytes of it come in */
	FDC_PHASE_EXECUTION,
	FDC_PHASE_RESULT,
};

/* What happens when step_ns has come; none while data is moved by software or
 * a medium is asked. */
enum fdc_step {
	FDC_STEP_NONE,
	FDC_STEP_START,	     /* the head is there: look for an ID */
	FDC_STEP_ID,	     /* READ ID's passes */
	FDC_STEP_READ,	     /* the sector has passed */
	FDC_STEP_FETCH,	     /* the sector begins: what is to be written? */
	FDC_STEP_WRITE,	     /* the sector has passed */
	FDC_STEP_FORMAT,     /* the next sector's place begins */
	FDC_STEP_FORMAT_END, /* the index has come again */
	FDC_STEP_FAIL,	     /* it has, twice, and nothing was found */
	FDC_STEP_COUNT,
};

/* Data by software, in the execution phase. */
enum fdc_pio { FDC_PIO_NONE, FDC_PIO_IN, FDC_PIO_OUT };

/* The disk's bytes against software's, as far as they are known. */
enum fdc_scan { FDC_SCAN_EQUAL, FDC_SCAN_LOWER, FDC_SCAN_HIGHER };

enum fdc_seek { FDC_SEEK_NONE, FDC_SEEK_TO, FDC_SEEK_RECALIBRATE };

/* A unit that a command can name, with a drive or without. */
struct fdc_unit_state {
	uint64_t seek_ns; /* when it has arrived */
	uint8_t seek;	  /* enum fdc_seek */
	uint8_t target;	  /* the controller's cylinder then */
	uint8_t cylinder; /* as the controller counts */
	uint8_t sense;	  /* ST0 for SENSE INTERRUPT STATUS */
	bool has_sense;
	uint8_t reserved[3];
};

/* A drive, which no reset of the controller reaches. */
struct fdc_drive_state {
	uint8_t head_cylinder; /* where the head stands */
	bool is_changed;       /* the change line: no step since */
	uint8_t reserved[6];
	/* Sectors with a mark of deleted data. */
	uint64_t deleted[DIV_ROUND_UP(FLOPPY_SECTORS_MAX, 64)];
};

struct fdc_state {
	struct fdc_unit_state unit[FDC_UNITS];
	struct fdc_drive_state drive[FDC_DRIVES];
	uint64_t timer_ns;
	uint64_t step_ns;	 /* CLOCK_NEVER: see enum fdc_step */
	uint64_t reset_ns;	 /* when polling begins behind a reset */
	uint64_t angle_ns;	 /* when what was last moved had passed */
	uint64_t head_unload_ns; /* until then the head is loaded */

	uint8_t dor, tdr, rate;
	uint8_t specify[2]; /* SRT and HUT, HLT and ND */
	uint8_t configure, precompensation_track;
	uint8_t perpendicular;
	bool is_locked;
	bool is_interrupting;
	uint8_t reset_senses; /* that are still to be asked for */

	uint8_t phase; /* enum fdc_phase */
	uint8_t step;  /* enum fdc_step */
	uint8_t pio;   /* enum fdc_pio */
	uint8_t command[FDC_COMMAND_MAX];
	uint8_t command_length;	  /* whole */
	uint8_t command_position; /* come in */
	uint8_t result[FDC_FIFO];
	uint8_t result_length, result_position;

	uint8_t id[FDC_ID]; /* that is looked for */
	uint8_t st1, st2;
	uint8_t done;	     /* sectors of a track, or formatted */
	bool has_sought;     /* by itself: told in ST0 */
	bool is_terminal;    /* the DMA controller has had enough */
	uint8_t eot;	     /* the last command's, for DUMPREG */
	bool is_result_told; /* by an interrupt, which ends as it is read */
	uint8_t scan;	     /* enum fdc_scan */
	uint8_t reserved[5];
	uint16_t pio_position, pio_end; /* in the buffer */
	uint8_t buffer[BLOCK_SECTOR];
};

struct fdc_drive {
	enum floppy_drive type;
	struct block_backend *medium; /* NULL: it is empty */
	const struct floppy_format *format;
};

struct fdc {
	struct device device;
	struct fdc_state state;
	struct clock *clock;
	struct clock_timer timer;
	struct irq_line irq;
	struct dma_line dma;
	struct fdc_drive drive[FDC_DRIVES];
	/* The medium's; data in the state's buffer. */
	struct block_request request;
	struct block_backend *medium; /* that it was submitted to */
	bool is_submitted;
	bool is_stale; /* its command is no more */
};

struct fdc_config {
	struct bus *ports;
	struct clock *clock;
	struct irq_line irq;
	struct dma_line dma;
	struct {
		enum floppy_drive type;
		struct block_backend *medium; /* or NULL */
	} drive[FDC_DRIVES];
};

extern const struct device_ops fdc_ops;

/*
 * Takes ports 3F0h-3F5h and 3F7h.  -EINVAL: a medium that does not fit its
 * drive.
 */
int __must_check fdc_init(struct fdc *fdc, const struct fdc_config *config);
void fdc_reset(struct fdc *fdc);

/*
 * Another disk, or none.  What is in flight goes on with the one before.
 * -EINVAL: the drive does not take it.
 */
int __must_check fdc_medium_change(struct fdc *fdc, unsigned drive,
				   struct block_backend *medium);

#endif
