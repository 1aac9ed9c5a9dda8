/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's face: screen, keys, commands, statistics and debugger, between
 * the machine and the service `seat`, beside its console in the same channel
 * (include/seat.h).  Two rings of records (include/ring.h): each begins with a
 * struct face_record; what follows, its kind says.
 *
 * A machine renders by itself, so that seat never interprets what a guest put
 * into video memory.  It does so when asked, a piece at a time as the ring has
 * room, on the thread that has the channel's events, and paid for by its guest;
 * nobody waits for seat.
 *
 *	seat				machine
 *	FACE_FRAME ------------------->
 *		<---------------------- FACE_MODE, if it is another than before
 *		<---------------------- FACE_PIXELS or FACE_CELLS, many or none
 *		<---------------------- FACE_FRAME_END
 *	(FRAME with FACE_FRAME_NOTIFY)
 *		<---------------------- FACE_CHANGED, once, when the next frame
 *					would not be empty
 *
 * A core of the guest is a dump: from FACE_DUMP to FACE_DUMP_END, or until seat
 * says FACE_DUMP_CLOSE or is gone, all vCPUs stand.  No more FACE_COREs come
 *than seat has said that it has room for, so that other records never wait
 *behind them; who takes nothing is seat's to end.
 *
 *	FACE_DUMP -------------------->
 *		<---------------------- FACE_DUMP_BEGIN, when they stand; or
 *					FACE_ANSWER: -EBUSY, -ENOSYS
 *	FACE_DUMP_MORE --------------->
 *		<---------------------- FACE_CORE
 *		<---------------------- FACE_DUMP_END
 *
 * Neither side believes the other: a record that makes no sense is answered
 * with -EINVAL or ignored; it never ends a machine or seat.
 */
#ifndef BULKHEAD_FACE_H
#define BULKHEAD_FACE_H

#include "include/display.h"
#include "include/input.h"

#define FACE_REQUESTS_SIZE 2048	 /* ring to the machine */
#define FACE_ANSWERS_SIZE  32768 /* ring to seat */
#define FACE_RECORD_MAX	   15872 /* bytes of a record, its head included */
#define FACE_WIDTH_MAX	   2048	 /* pixels; wider pictures are cut */
#define FACE_HEIGHT_MAX	   2048
#define FACE_EVENTS_MAX	   32  /* of a FACE_INPUT */
#define FACE_DEBUG_MAX	   512 /* bytes of a FACE_DEBUG */
#define FACE_MEDIUM_SIZE   64  /* of a medium's name */

enum face_kind {
	/* seat to machine */
	FACE_INPUT = 1,	  /* struct face_input */
	FACE_FRAME,	  /* struct face_frame */
	FACE_UNWATCH,	  /* nothing: no FACE_CHANGED any more */
	FACE_COMMAND,	  /* struct face_command: FACE_ANSWER */
	FACE_STATISTICS,  /* nothing: the answer has the same kind */
	FACE_DEBUG,	  /* bytes of the GDB remote protocol, both ways */
	FACE_DEBUG_CLOSE, /* nothing: the debugger is gone; the guest runs */
	FACE_DUMP,	  /* nothing: a core of the guest */
	FACE_DUMP_MORE,	  /* struct face_dump_more */
	FACE_DUMP_CLOSE,  /* nothing: it is not wanted any more */
	FACE_RELEASE,	  /* nothing: no key or button is pressed any more */

	/* machine to seat */
	FACE_MODE = 64, /* struct face_mode */
	FACE_PIXELS,	/* struct face_pixels */
	FACE_CELLS,	/* struct face_cells: all of them */
	FACE_FRAME_END, /* nothing */
	FACE_CHANGED,	/* nothing; the tag is that of the frame before */
	FACE_ANSWER, /* struct face_answer; also to what is not known: -ENOSYS,
		      * or makes no sense: -EINVAL */
	FACE_DUMP_BEGIN, /* struct face_dump_begin */
	FACE_CORE,	 /* struct face_core */
	FACE_DUMP_END,	 /* struct face_dump_end */
};

struct face_record {
	uint16_t kind;	/* enum face_kind */
	uint16_t flags; /* FACE_AGAIN, or 0 */
	/* Of an answer, and of all that belongs to a frame: the request's. */
	uint32_t tag;
};

/*
 * FACE_PIXELS, FACE_CELLS: nothing of it has changed since the frame before; it
 * is there for .also or FACE_FRAME_ALL.  Several watch one machine, and what
 * one of them got seat asks again for the others: who does not say which is
 * which is asked without end.
 */
#define FACE_AGAIN BIT(0)

struct face_input {
	struct face_record head;
	struct input_event event[]; /* as many as fit the record */
};

/*
 * From the first FACE_FRAME on until FACE_UNWATCH, or until seat is gone, the
 * screen is watched, which costs the guest something where it draws; but a
 * frame of all that asks for no notice begins no watching.  A frame that is
 * asked for before another is done ends that one, FRAME_END and all, and has
 * what was left of it.
 */
#define FACE_FRAME_NOTIFY BIT(0) /* say FACE_CHANGED, once, after it */
/* As FACE_CELLS where the mode is text, else the pixels: others may want them.
 */
#define FACE_FRAME_TEXT	  BIT(1)
#define FACE_FRAME_ALL	  BIT(2) /* not only what has changed; with its mode */

struct face_frame {
	struct face_record head;
	uint32_t flags;
	/* Of pixels: beside what has changed since the last frame. */
	struct display_rectangle also; /* empty: right or bottom is 0 */
};

/*
 * Before the first pixels of a frame whenever something of it has changed, in
 * mid-frame also: then the frame begins anew, with all of it.
 */
struct face_mode {
	struct face_record head;
	uint32_t mode;		/* enum display_mode */
	uint32_t width, height; /* pixels, of text also; 0: DISPLAY_OFF */
	uint32_t columns, rows; /* DISPLAY_TEXT */
	uint32_t cell_width, cell_height;
	uint32_t depth; /* bits a pixel, as the guest has it */
	/* 1: a driver of the guest's takes INPUT_ABSOLUTE. */
	uint32_t takes_places;
};

/*
 * width * height pixels, lines from the top, of 4 bytes: B, G, R and one that
 * says nothing: pixels of 32 bits are the guest's own.  At most FACE_WIDTH_MAX.
 */
struct face_pixels {
	struct face_record head;
	uint16_t left, top, width, height;
	uint8_t pixel[];
};

/* columns * rows cells, as struct display_surface has them. */
struct face_cells {
	struct face_record head;
	uint16_t columns, rows;
	int32_t cursor; /* the cell, or -1 */
	uint16_t cell[];
};

#define FACE_UNIT_FLOPPY 4
#define FACE_UNIT_SCSI	 8 /* targets of virtio's host */

enum face_command_kind {
	FACE_PAUSE = 1,
	FACE_RESUME,
	FACE_RESET,
	FACE_POWER_BUTTON, /* ACPI's */
	FACE_NMI,
	FACE_EJECT,   /* unit: IDE channel * 2 + drive, FACE_UNIT_* + n */
	FACE_INSERT,  /* the same, and medium */
	FACE_UNREAD,  /* answered with how many bytes the keyboard has for the
		       * guest, who has not read them */
	FACE_UNPLUG,  /* unit: the network card's number; its cable is pulled */
	FACE_PLUG,    /* the same; it is put in */
	FACE_BALLOON, /* unit: MiB that are to be in the balloon */
	FACE_TERMINAL, /* unit: FACE_TERMINAL_SIZE() of who sits before its
			* console */
};

/* In characters, 1 to 65535 each. */
#define FACE_TERMINAL_SIZE(columns, rows) \
	((uint32_t)(columns) | (uint32_t)(rows) << 16)
#define FACE_TERMINAL_COLUMNS(size) ((uint16_t)(size))
#define FACE_TERMINAL_ROWS(size)    ((uint16_t)((size) >> 16))

struct face_command {
	struct face_record head;
	uint32_t command; /* enum face_command_kind */
	uint32_t unit;
	/* FACE_INSERT: one of the drive's media by its file's name, or in
	 * decimal by its number, from 0.  Absent: the one that was there at
	 * first. */
	char medium[FACE_MEDIUM_SIZE];
};
#define FACE_COMMAND_MIN offsetof(struct face_command, medium)

struct face_answer {
	struct face_record head;
	int32_t error; /* 0 or more, or -errno */
};

/* So many FACE_COREs may have come since FACE_DUMP_BEGIN; it only grows. */
struct face_dump_more {
	struct face_record head;
	uint32_t count;
};

struct face_dump_begin {
	struct face_record head;
	uint64_t size; /* of the file */
};

#define FACE_CORE_MAX 12288 /* bytes of the file in a record */

/*
 * Bytes of the file, by ascending offset; what is in none is zero.  One without
 * any says how far it is.
 */
struct face_core {
	struct face_record head;
	uint64_t offset;
	uint8_t byte[];
};

enum face_dump_reason {
	FACE_DUMP_DONE,	   /* the file is complete */
	FACE_DUMP_RESUMED, /* FACE_RESUME */
	FACE_DUMP_RESET,   /* the machine was reset */
};

struct face_dump_end {
	struct face_record head;
	uint32_t reason; /* enum face_dump_reason */
};

#define FACE_EXITS	   16
#define FACE_BALLOON_STATS 10
#define FACE_DISKS	   4 /* IDE units */
#define FACE_VCPUS	   32

/* A drive's, ever; sectors of 512 bytes. */
struct face_disk {
	uint64_t requests, errors;
	uint64_t sectors_read, sectors_written;
};

struct face_statistics {
	struct face_record head;
	uint32_t is_paused;
	uint32_t vcpus;
	uint32_t keys;	/* events of keys and pointers that a device took */
	uint32_t disks; /* bits: the units that are there */
	/* To the machine, by enum gate_exit: how many, and ticks of the TSC
	 * that the machine took for them.  Counted since they were asked for
	 * first: who is not asked counts nothing. */
	uint64_t exits[FACE_EXITS];
	uint64_t ticks[FACE_EXITS];
	uint64_t frames, pixels;
	struct face_disk disk[FACE_DISKS];
	/* Ticks of the TSC, tsc_hz a second, since the machine began, and how
	 * many of them each vCPU has waited: in HLT, for its SIPI, paused. */
	uint64_t tsc_hz, lived;
	uint64_t idle[FACE_VCPUS];
	/* Bytes that are to be in the balloon, and that its driver says are
	 * there; and its statistics by their tags (VIRTIO 1.2, 5.5.6.3), as it
	 * has told them last: it is asked for new ones each time. */
	uint64_t has_balloon, balloon_target, balloon_actual;
	uint64_t balloon[FACE_BALLOON_STATS];
};

#endif
