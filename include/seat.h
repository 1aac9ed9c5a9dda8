/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels of the service `seat`, which has the host's serial port: one console
 * each for a domain, and one with init, by which seat learns whose the others
 * are.  A domain cannot name itself: what it writes here is bytes of its
 * console and nothing else.
 */
#ifndef BULKHEAD_SEAT_H
#define BULKHEAD_SEAT_H

#include "include/domain.h"
#include "include/face.h"
#include "include/ring.h"
#include "include/vsock.h"

/* A program's slot for its console; end 0 is the program's, end 1 seat's. */
#define SEAT_CONSOLE_SLOT 0

/* gate_config.device of seat's, where they are there. */
#define SEAT_DEVICE_CONSOLE 0 /* a virtio console: the control protocol */
#define SEAT_DEVICE_DISPLAY 1

enum seat_screen_kind {
	SEAT_SCREEN_NONE,
	SEAT_SCREEN_PIXELS,
	SEAT_SCREEN_TEXT, /* cells as a VGA has them */
};

/*
 * At GATE_ARGUMENT_VA: the host's screen as the boot loader has left it, for
 * where no SEAT_DEVICE_DISPLAY can be used.  init has looked at it.
 */
struct seat_screen {
	uint32_t kind;		/* enum seat_screen_kind */
	uint32_t width, height; /* pixels, or cells */
	uint32_t stride;	/* bytes from line to line */
	uint64_t va;		/* of the top left one */
	uint32_t pixel_bytes;	/* 2 to 4 */
	/* Of red, green, blue: the lowest bit and how many, 1 to 16. */
	struct {
		uint8_t at, bits;
	} channel[3];
	bool is_vga; /* TEXT: a VGA's, whose ports are there, too */
	uint8_t reserved;
};

#define SEAT_OUTPUT_SIZE  4096
#define SEAT_DEBUG_SIZE	  2048
#define SEAT_OUTPUT1_SIZE 2048
#define SEAT_PRINTER_SIZE 1024
#define SEAT_INPUT_SIZE	  512

/* The memory of a console's channel. */
struct seat_console {
	struct ring_shared output; /* bytes to show; the program produces */
	/* Firmware's debug ports, the same: 402h, E9h. */
	struct ring_shared debug, e9;
	struct ring_shared input; /* bytes typed; seat produces */
	/* The machine's face: include/face.h.  No other program has one. */
	struct ring_shared requests; /* seat produces */
	struct ring_shared answers;  /* the machine produces */
	/* As output and input: a second serial port's. */
	struct ring_shared output1, input1;
	/* What it prints by its parallel port: never shown, and taken out only
	 * while somebody reads it. */
	struct ring_shared printer;
	uint8_t output_data[SEAT_OUTPUT_SIZE];
	uint8_t debug_data[SEAT_DEBUG_SIZE];
	uint8_t e9_data[SEAT_DEBUG_SIZE];
	uint8_t input_data[SEAT_INPUT_SIZE];
	uint8_t requests_data[FACE_REQUESTS_SIZE];
	uint8_t answers_data[FACE_ANSWERS_SIZE];
	uint8_t output1_data[SEAT_OUTPUT1_SIZE];
	uint8_t input1_data[SEAT_INPUT_SIZE];
	uint8_t printer_data[SEAT_PRINTER_SIZE];
};
#define SEAT_CONSOLE_PAGES DIV_ROUND_UP(sizeof(struct seat_console), PAGE_SIZE)
_Static_assert(SEAT_CONSOLE_PAGES <= GATE_CHANNEL_PAGES_MAX,
	       "the gate has channels as large as that");

/* Slots of seat's for channels that are ports of networks: include/switch.h,
 * seat's end being the machine's. */
#define SEAT_PORTS     4
#define SEAT_PORT_SLOT (GATE_CHANNELS_MAX - SEAT_PORTS)

/* Slots of seat's for sockets of guests that may speak the control protocol:
 * include/vsock.h's channels, seat's end being 1; the first is the first such
 * guest's in the manifest.  Each has SEAT_SOCKET_PAGES of seat's memory from
 * SEAT_SOCKET_VA(n) on, zero at seat's start. */
#define SEAT_SOCKETS	  VSOCK_PEERS_MAX
#define SEAT_SOCKET_SLOT  (SEAT_PORT_SLOT - SEAT_SOCKETS)
#define SEAT_SOCKET_PAGES 160
#define SEAT_SOCKET_VA(n) \
	(GATE_MODULE_VA + GIB(64) + (n) * (SEAT_SOCKET_PAGES * PAGE_SIZE))
/* The control protocol's. */
#define SEAT_SOCKET_PORT 1

/* With init: slot SEAT_CONTROL_SLOT of seat, end 0 is init's. */
#define SEAT_CONTROL_SLOT 0
#define SEAT_CONTROL_SIZE 8192

struct seat_control {
	/* init's own console, "host".  Hidden, and its output waits, while one
	 * other is alone and has the input; SEAT_FOCUS of SEAT_CONTROL_SLOT
	 * shows it. */
	struct seat_console operator;
	struct ring_shared to_seat, from_seat; /* records: seat_message */
	uint8_t to_seat_data[SEAT_CONTROL_SIZE];
	uint8_t from_seat_data[SEAT_CONTROL_SIZE];
};
#define SEAT_CONTROL_PAGES DIV_ROUND_UP(sizeof(struct seat_control), PAGE_SIZE)
_Static_assert(SEAT_CONTROL_PAGES <= GATE_CHANNEL_PAGES_MAX,
	       "the gate has channels as large as that");

enum seat_message_kind {
	SEAT_ADD = 1, /* init: slot, whose channel is attached, holds a console
		       * called name: a letter, then letters, digits, - and _;
		       * no two alike, and none "host".  Rings that have been
		       * used go on where they are */
	SEAT_REMOVE,  /* init: that domain has ended: show what is left of its
		       * output, detach the slot, answer SEAT_REMOVED, also
		       * where there is no console */
	SEAT_FLUSH,   /* init: answer SEAT_FLUSHED when all that was written
		       * before is out */
	SEAT_FOCUS,   /* init: the keyboard goes to slot */
	SEAT_GUEST,   /* init: a guest of the list that tag asked for */
	SEAT_TOLD,    /* init: what tag asked for is done; or text says why it
		       * is not */
	SEAT_BUTTON,  /* init: the power button of the guest in slot is
		       * pressed, as soon as its machine takes it */
	SEAT_RIGHTS,  /* init, before all others: what clients of the control
		       * protocol may do; until then nothing.  With a slot
		       * from SEAT_SOCKET_SLOT on that guest, called name,
		       * by its sockets; else those outside the host */
	/* Answers; init need not read them at once.  What seat refuses has
	 * none, but a line in the log: a bad slot or name, a name or slot that
	 * is taken.  To a seat that is started anew init says all ADDs again,
	 * and what has no answer yet. */
	SEAT_REMOVED = 64,
	SEAT_FLUSHED,
	/* Not an answer: somebody outside wants verb of name, as if the
	 * operator had typed it.  At most SEAT_ASKS before they are answered by
	 * SEAT_TOLD; those of a seat that has ended are not. */
	SEAT_ASK,
};

#define SEAT_ASKS      8
#define SEAT_TEXT_SIZE 96

enum seat_verb {
	SEAT_LIST = 1, /* SEAT_GUEST for each, then SEAT_TOLD */
	SEAT_START,
	SEAT_STOP,
	SEAT_RESTART,
	SEAT_OFF,
	SEAT_ACCOUNT, /* what a guest that runs has of the host's memory */
	/* A port of the network called name, or of the only one there is: TOLD
	 * has its name, and its channel in slot. */
	SEAT_JOIN,     /* with vlan as a card has it */
	SEAT_CAPTURE,  /* with SWITCH_MIRROR */
	SEAT_LEAVE,    /* the port in slot, which seat has detached */
	SEAT_SHUTDOWN, /* of the guest, or with no name of all and the host */
};

/* As the manifest has them. */
enum seat_right {
	SEAT_RIGHT_WATCH = BIT(0),
	SEAT_RIGHT_TYPE = BIT(1),
	SEAT_RIGHT_STEER = BIT(2),
	SEAT_RIGHT_DEBUG = BIT(3),
	SEAT_RIGHTS_ALL = MASK(3, 0),
};

struct seat_message {
	uint32_t kind; /* enum seat_message_kind */
	uint32_t
		slot; /* seat's slot of the console's, or the port's, channel */
	uint32_t tag; /* FLUSH and its answer; ASK and its answers */
	uint32_t verb; /* ASK: enum seat_verb */
	char name[GATE_NAME_SIZE];
	/* GUEST: how it is, in a word; TOLD: what "name" is or does, as in "is
	 * running", or empty. */
	char text[SEAT_TEXT_SIZE];
	uint32_t vcpus, memory_mib, starts; /* GUEST */
	uint32_t rights;		    /* RIGHTS: enum seat_right */
	uint32_t vlan;			    /* ASK of JOIN; 0: all of them */
	uint32_t has_serial1;		    /* ADD: it has a second port */
	uint32_t has_printer;		    /* ADD: it has a parallel port */
	/* TOLD of ACCOUNT: bytes, of the guest's RAM and of all that the host
	 * has given for it, RAM included, channels not. */
	uint64_t ram, charged;
};

#endif
