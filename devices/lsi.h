/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LSI 53C895A (1000:0012), a SCSI host adapter with a processor of its own,
 * and the targets on its bus: disks (devices/scsi_disk.h) and CD-ROM drives
 * (devices/scsi_cdrom.h) with the IDs 0 to 6.
 *
 * The adapter's processor executes SCRIPTS, instructions in the guest's memory
 * or the adapter's own: lsi_script.c.  What it meets on the bus is a target's
 * end of a connection, phase by phase: lsi_bus.c.  Between connections a target
 * has a queue of commands, which it does one by one: lsi_target.c.
 *
 *	registers   SCRIPTS		  bus		      target
 *	 lsi.c ---> lsi_script.c ------> lsi_bus.c --------> lsi_target.c --->
 *unit MOVE, SELECT,	 phases, messages    queue WAIT RESELECT
 *
 * Nothing takes time but the media and a selection of nobody, which is told
 * when the next instruction wants the bus.  A processor that has done
 * LSI_INSTRUCTIONS without waiting for anything goes on LSI_PAUSE_NS later: a
 * program without an end costs its guest a part of its time, and nobody else
 * any.
 *
 * Does not model: the target role; low-level arbitration by SCNTL0.START;
 * parity and CRC; moves between ports; that data are synchronous or wide, which
 * is negotiated and without effect; the handshake timer, for no handshake
 * takes that long; serial EEPROMs at the pins; the expansion ROM.
 *
 * References: LSI53C895A PCI to Ultra2 SCSI Controller Technical Manual 2.2;
 * Symbios SCSI SCRIPTS Processors Programming Guide 2.2; SCSI-2
 * (X3.131-1994); SCSI Parallel Interface 3.
 */
#ifndef BULKHEAD_DEVICES_LSI_H
#define BULKHEAD_DEVICES_LSI_H

#include "devices/pci.h"
#include "devices/scsi_drive.h"

#define LSI_TARGETS	 7
#define LSI_QUEUE	 32 /* commands of a target */
#define LSI_REGISTERS	 256
#define LSI_RAM		 8192
#define LSI_INSTRUCTIONS 2048
#define LSI_PAUSE_NS	 100000
#define LSI_MESSAGE	 16 /* bytes of messages at once */
#define LSI_ANSWER	 SCSI_ABSENT_SIZE

struct lsi_config {
	struct pci_bus *pci;
	uint8_t devfn;
	const struct guest_ram *ram;
	struct clock *clock;
	struct scsi_drive_config drive[LSI_TARGETS]; /* by ID */
};

/* A command that a target has been sent. */
struct lsi_task {
	uint8_t command[SCSI_COMMAND];
	uint8_t unit; /* logical, which are there but 0 */
	uint8_t tag;
	bool has_tag;
	bool may_disconnect;
};

struct lsi_target_state {
	/* The first one is in hand if is_active. */
	struct lsi_task task[LSI_QUEUE];
	uint8_t count;
	bool is_active;
	/* A command has failed: the rest waits for what comes next, which may
	 * ask why. */
	bool is_allegiant;
	/* What one answers that is not there. */
	uint8_t answer_offset, answer_length, answer_status;
	uint8_t answer[LSI_ANSWER];
	uint8_t reserved[6];
	struct scsi_drive_state drive;
};

/*
 * What the target on the bus is at.
 *
 *	       select			  reselect
 *	  +------------> MESSAGE_OUT   +-------------+
 *	  |		      v	       |	     v
 *	FREE		   COMMAND     |	 MESSAGE_IN
 *	  ^		      v	       |	     v
 *	  |		     DATA -----+------>	   DATA
 *	  |		      v			     v
 *	  +--- MESSAGE_IN <- STATUS <----------------+
 *
 * ATN leads to MESSAGE_OUT from all of them, messages in to what .next says.
 */
enum lsi_bus_phase {
	LSI_BUS_FREE,
	LSI_BUS_MESSAGE_OUT,
	LSI_BUS_COMMAND,
	LSI_BUS_DATA, /* or none yet, or a status: the unit says */
	LSI_BUS_STATUS,
	LSI_BUS_MESSAGE_IN,
	LSI_BUS_PHASES,
};

/* What follows messages in. */
enum lsi_bus_next {
	LSI_NEXT_COMMAND,
	LSI_NEXT_DATA,
	LSI_NEXT_STATUS, /* of a command that was not taken */
	LSI_NEXT_DISCONNECTED,
	LSI_NEXT_COMPLETE, /* the task is done */
	LSI_NEXTS,
};

struct lsi_bus_state {
	uint8_t phase; /* enum lsi_bus_phase */
	uint8_t next;  /* enum lsi_bus_next */
	uint8_t target;
	uint8_t status;
	bool has_task; /* the target's first, which is in hand */
	bool has_tag;
	bool is_head; /* of the queue */
	bool may_disconnect;
	uint8_t tag;
	uint8_t unit;
	uint8_t in_offset, in_length, out_length, command_length;
	bool has_moved; /* data, since the last connection */
	uint8_t reserved[1];
	uint8_t in[LSI_MESSAGE], out[LSI_MESSAGE];
	uint8_t command[SCSI_COMMAND];
};

/* What the processor is at. */
enum lsi_activity {
	LSI_STOPPED,
	LSI_EXECUTES,	   /* fetches the instruction at DSP */
	LSI_MOVES,	   /* DBC bytes from or to DNAD are left */
	LSI_AWAITS_PHASE,  /* a transfer control that waits for REQ */
	LSI_AWAITS_FREE,   /* WAIT DISCONNECT */
	LSI_AWAITS_TARGET, /* WAIT RESELECT */
	LSI_ACTIVITIES,
};

struct lsi_state {
	uint8_t reg[LSI_REGISTERS];
	uint8_t ram[LSI_RAM];
	uint8_t activity;   /* enum lsi_activity */
	bool has_carry;	    /* of arithmetic */
	bool is_timing_out; /* a selection of nobody */
	bool is_bus_reset;  /* SCNTL1.RST is set */
	uint8_t turn;	    /* the target that reselects first */
	uint8_t phase;	    /* that was on the bus last, as SSTAT1 has it */
	uint8_t reserved[2];
	uint32_t move_high; /* the upper word of a move's address */
	uint8_t reserved2[4];
	uint64_t more_ns;    /* when the processor goes on */
	uint64_t general_ns; /* when the general purpose timer expires */
	struct lsi_bus_state bus;
	struct lsi_target_state target[LSI_TARGETS];
	struct pci_device_state pci;
	uint8_t reserved3[4];
};

struct lsi;

struct lsi_target {
	struct lsi *lsi;
	struct lsi_target_state *state;
	struct scsi_drive drive;
};

struct lsi {
	struct device device;
	struct lsi_state state;
	struct pci_device pci;
	const struct guest_ram *ram;
	struct clock *clock;
	struct clock_timer more, general;
	struct lsi_target target[LSI_TARGETS];
	unsigned budget; /* of the run that is on the stack */
	bool is_in_run;
};

/* May be saved while no request is in flight, as ide_ops. */
extern const struct device_ops lsi_ops;

/* -EINVAL: a disk without sectors. */
int __must_check lsi_init(struct lsi *lsi, const struct lsi_config *config);
void lsi_reset(struct lsi *lsi);

#endif
