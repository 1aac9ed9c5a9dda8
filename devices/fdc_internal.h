/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the controller's files share: fdc.c has registers, interrupts and time,
 * fdc_command.c commands and seeks, fdc_transfer.c what moves data, fdc_track.c
 * where things are on a disk, fdc_state.c the table of the state.
 */
#ifndef BULKHEAD_DEVICES_FDC_INTERNAL_H
#define BULKHEAD_DEVICES_FDC_INTERNAL_H

#include "devices/fdc.h"

/* clang-format off */
#define DOR_NOT_RESET	BIT(2)
#define DOR_GATE	BIT(3) /* interrupts and DMA reach the bus */
#define DOR_MOTOR(n)	BIT(4 + (n))
#define DOR_SELECT	MASK(1, 0)

#define ST0_ABNORMAL	0x40
#define ST0_INVALID	0x80
#define ST0_POLLED	0xc0
#define ST0_SEEK_END	BIT(5)
#define ST0_EQUIPMENT	BIT(4)
#define ST0_HEAD	BIT(2)

#define ST1_NO_ID	BIT(0) /* missing address mark */
#define ST1_PROTECTED	BIT(1)
#define ST1_NO_DATA	BIT(2)
#define ST1_OVERRUN	BIT(4)
#define ST1_DATA_ERROR	BIT(5)
#define ST1_END		BIT(7) /* of cylinder */

#define ST2_BAD_CYLINDER	BIT(1)
#define ST2_SCAN_FAILED		BIT(2)
#define ST2_SCAN_EQUAL		BIT(3)
#define ST2_WRONG_CYLINDER	BIT(4)
#define ST2_DATA_ERROR		BIT(5)
#define ST2_DELETED		BIT(6) /* control mark */

#define ST3_HEAD	BIT(2)
#define ST3_TWO_SIDES	BIT(3)
#define ST3_TRACK_0	BIT(4)
#define ST3_READY	BIT(5)
#define ST3_PROTECTED	BIT(6)

/* Of a command's first byte, and its second. */
#define COMMAND_MT	BIT(7)
#define COMMAND_MFM	BIT(6)
#define COMMAND_SKIP	BIT(5)
#define COMMAND_CODE	MASK(4, 0)
#define SELECT_UNIT	MASK(1, 0)
#define SELECT_HEAD	BIT(2)

#define CONFIGURE_SEEK		BIT(6) /* implied */
#define CONFIGURE_NO_FIFO	BIT(5)
#define CONFIGURE_NO_POLL	BIT(4)
#define CONFIGURE_THRESHOLD	MASK(3, 0)

#define FDC_RATE_RESET		2 /* 250 kbit/s */
#define FDC_CONFIGURE_RESET	CONFIGURE_NO_FIFO
#define FDC_PERPENDICULAR_MODE	MASK(1, 0)

#define SPECIFY_NO_DMA	BIT(0) /* of the second byte */

#define SECTOR_SIZE_CODE 2 /* N of 512 bytes */

enum { ID_C, ID_H, ID_R, ID_N };

/* Command codes that other files ask for. */
enum fdc_code {
	CODE_READ_TRACK = 0x02,
	CODE_WRITE = 0x05,
	CODE_READ = 0x06,
	CODE_WRITE_DELETED = 0x09,
	CODE_READ_ID = 0x0a,
	CODE_READ_DELETED = 0x0c,
	CODE_FORMAT = 0x0d,
	CODE_SCAN_EQUAL = 0x11,
	CODE_VERIFY = 0x16,
	CODE_SCAN_LOW = 0x19,
	CODE_SCAN_HIGH = 0x1d,
};
/* clang-format on */

/* What the controller takes to do anything at all. */
#define FDC_MOMENT_NS (NSEC_PER_SEC / 20000)

static inline unsigned fdc_code(const struct fdc *fdc)
{
	return fdc->state.command[0] & COMMAND_CODE;
}

static inline unsigned fdc_unit(const struct fdc *fdc)
{
	return fdc->state.command[1] & SELECT_UNIT;
}

static inline unsigned fdc_head(const struct fdc *fdc)
{
	return fdc->state.command[1] & SELECT_HEAD ? 1 : 0;
}

/* ---- fdc.c --------------------------------------------------------------- */

void fdc_interrupt_set(struct fdc *fdc, bool level);
/* After anything that changed a deadline. */
void fdc_schedule(struct fdc *fdc);
void fdc_step_at(struct fdc *fdc, enum fdc_step step, uint64_t when_ns);
/* The result phase, of as many bytes as state.result_length says. */
void fdc_result(struct fdc *fdc, bool is_interrupting);
/* Back to where a command can begin. */
void fdc_idle(struct fdc *fdc);
/* What the state says, to irq and DREQ. */
void fdc_lines_update(struct fdc *fdc);
/* Data by software: the buffer's first bytes, then what fdc_pio_done() does. */
void fdc_pio_begin(struct fdc *fdc, enum fdc_pio pio, unsigned bytes);
bool fdc_is_pio(const struct fdc *fdc);

/* ---- fdc_command.c ------------------------------------------------------- */

/* How many bytes the command has that begins like this. */
unsigned fdc_command_length(uint8_t first);
void fdc_command_run(struct fdc *fdc);
/* It has arrived. */
void fdc_seek_end(struct fdc *fdc, unsigned unit);
/* Before something else: how long it takes. */
uint64_t fdc_seek_now(struct fdc *fdc, unsigned unit, uint8_t target);
/* n of the milliseconds of a SPECIFY, which go by the data rate. */
uint64_t fdc_specified_ns(const struct fdc *fdc, unsigned n);

/* ---- fdc_transfer.c ------------------------------------------------------ */

void fdc_transfer_begin(struct fdc *fdc);
void fdc_step(struct fdc *fdc);
/* The next byte from software, at its position in the buffer. */
void fdc_pio_put(struct fdc *fdc, uint8_t byte);
/* And the last one; or the last one to it. */
void fdc_pio_done(struct fdc *fdc);

/* ---- fdc_track.c --------------------------------------------------------- */

/* NULL: the unit has no drive. */
struct fdc_drive *fdc_drive(struct fdc *fdc, unsigned unit);
struct fdc_drive_state *fdc_drive_state(struct fdc *fdc, unsigned unit);
unsigned fdc_drive_cylinders(enum floppy_drive type);
/* A disk turns, so that there are index holes. */
bool fdc_is_turning(struct fdc *fdc, unsigned unit);
bool fdc_is_protected(struct fdc *fdc, unsigned unit);
/* The change line. */
bool fdc_is_changed(struct fdc *fdc, unsigned unit);
/* Whether the controller can make sense of what is under the head; the IDs'
 * cylinder. */
bool fdc_track_find(struct fdc *fdc, unsigned unit, unsigned head,
		    uint8_t *cylinder);
/* The sector of the medium, of 512 bytes. */
uint32_t fdc_sector_of(const struct floppy_format *format, unsigned cylinder,
		       unsigned head, unsigned number);
bool fdc_is_deleted(struct fdc *fdc, unsigned unit, uint32_t sector);
void fdc_deleted_set(struct fdc *fdc, unsigned unit, uint32_t sector,
		     bool is_deleted);

/* At or behind from_ns: when place n of a track of count begins. */
uint64_t fdc_place_ns(struct fdc *fdc, unsigned unit, unsigned n,
		      unsigned count, uint64_t from_ns);
/* How long it takes to pass. */
uint64_t fdc_place_length_ns(struct fdc *fdc, unsigned unit, unsigned count);
uint64_t fdc_revolution_ns(struct fdc *fdc, unsigned unit);

/* ---- fdc_state.c --------------------------------------------------------- */

extern const struct state_description fdc_description;
bool fdc_state_is_valid(const void *dev, const void *state, uint64_t now_ns);

#endif
