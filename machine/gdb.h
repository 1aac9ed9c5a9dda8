/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debugger's end of the GDB remote serial protocol, for the vCPUs of one
 * guest.  Bytes go in and come out; the guest is reached by struct gdb_ops.
 * docs/gdb.md says what a user finds.
 *
 *	open           stopped            c, s, vCont: resume()
 *	CLOSED ──────► OPENING ───────► STOPPED ──────────────► RUNNING
 *	   ▲				 │   ▲			   │
 *	   └───── D, k: closed() ────────┘   └────── stopped ──────┘
 *
 * After `monitor stay` D leads from STOPPED to HELD, where the guest stands on,
 * and open() from there to STOPPED.
 *
 * Who has come finds the guest standing: what it says while OPENING waits.
 * While RUNNING the vCPUs' state is theirs: nothing is asked of the ops but
 * interrupt(), by Ctrl-C.  While STOPPED packets are answered one by one: the
 * next is looked at when the answer to the one before has been taken, so that
 * a peer that only sends costs no memory.
 *
 * Addresses are linear: $pc is CS.base + RIP outside 64-bit code, and so are
 * breakpoints; memory is read at linear addresses, through the page tables of
 * the thread that the debugger has chosen, or at physical ones.
 *
 * Threads are vCPUs, numbered from 1.
 *
 * Whatever comes in is a stranger's: it is checked, and what makes no sense is
 * answered with an error or as a packet that is not known.
 *
 * Locking: none; the caller has one thread at a time in here.
 *
 * Not modelled: non-stop mode, tracepoints, the extended-remote mode, answers
 * that are coded by run length, more than one debugger at a time.
 *
 * Reference: Debugging with GDB, appendices "Remote Protocol" and "Target
 * Descriptions".
 */
#ifndef BULKHEAD_MACHINE_GDB_H
#define BULKHEAD_MACHINE_GDB_H

#include "include/x86_state.h"

#define GDB_PACKET_MAX 4096 /* bytes between $ and #, escapes undone */
#define GDB_OUTPUT_MAX (GDB_PACKET_MAX + 512)
#define GDB_INPUT_MAX  (2 * GDB_PACKET_MAX + 64)
#define GDB_VCPUS_MAX  32

enum gdb_breakpoint { /* as Z packets number them */
		      GDB_BREAK_SOFTWARE,
		      GDB_BREAK_HARDWARE,
		      GDB_WATCH_WRITE,
		      GDB_WATCH_READ,
		      GDB_WATCH_ACCESS,
		      GDB_BREAKPOINT_KINDS,
};

/* What else can stop the guest. */
enum gdb_catch {
	GDB_CATCH_EXCEPTION, /* a vector that an instruction raised */
	GDB_CATCH_INTERRUPT, /* an interrupt's vector, or INT n's */
	GDB_CATCH_PORT,
	GDB_CATCH_MSR,
	GDB_CATCH_RESET, /* no number; a triple fault's, too */
	GDB_CATCHES,
};

enum gdb_stop_kind {
	GDB_STOP_INTERRUPT, /* Ctrl-C, or a debugger that has come */
	GDB_STOP_STEP,
	GDB_STOP_BREAKPOINT, /* breakpoint, address */
	GDB_STOP_CATCH,	     /* caught, address: the number */
};

struct gdb_stop {
	enum gdb_stop_kind kind;
	enum gdb_breakpoint breakpoint;
	enum gdb_catch caught;
	unsigned vcpu;
	uint64_t address;
};

/* All but interrupt() while the guest stands only. */
struct gdb_ops {
	/* All groups but XSTATE valid.  Who writes marks what is dirty. */
	struct x86_state *(*state)(void *ctx, unsigned vcpu);
	/* X86_GROUP_XSTATE valid. */
	struct x86_xstate *(*xstate)(void *ctx, unsigned vcpu);
	/* At a linear address as that vCPU sees it, or a physical one: how many
	 * bytes were there, from the first on. */
	size_t (*memory)(void *ctx, unsigned vcpu, uint64_t address,
			 bool is_physical, void *data, size_t size,
			 bool is_write);
	/* Masks of vCPUs: those of run go, of them those of step for one
	 * instruction; all others stand on.  Ends in gdb_stopped(). */
	void (*resume)(void *ctx, uint32_t run, uint32_t step);
	/* Stop the guest: gdb_stopped() comes, if it has not. */
	void (*interrupt)(void *ctx);
	/* 0 or -errno; one that is there is set again, or not there is removed,
	 * without an error. */
	int (*breakpoint)(void *ctx, enum gdb_breakpoint kind, uint64_t address,
			  uint64_t length, bool is_set);
	int (*catch_event)(void *ctx, enum gdb_catch what, uint32_t number,
			   bool is_set);
	void (*reset)(void *ctx);
	/* The debugger is gone, and so are its breakpoints.  The guest runs,
	 * unless the state is HELD. */
	void (*closed)(void *ctx, bool takes_power);
};

enum gdb_state {
	GDB_CLOSED,
	GDB_HELD, /* the guest stands, for the next debugger */
	GDB_OPENING,
	GDB_RUNNING,
	GDB_STOPPED,
};

/* Which description of the registers a debugger is given. */
enum gdb_arch {
	GDB_ARCH_AUTO,
	GDB_ARCH_I8086, /* as i386, and GDB disassembles 16-bit code */
	GDB_ARCH_I386,
	GDB_ARCH_X86_64,
};

enum gdb_input_state {
	GDB_INPUT_IDLE,
	GDB_INPUT_DATA,
	GDB_INPUT_ESCAPE,
	GDB_INPUT_CHECK1,
	GDB_INPUT_CHECK2,
};

/* Answers, and text of any kind, are written through this. */
struct gdb_text {
	char *data;
	size_t size;   /* of data */
	size_t length; /* in data; what is behind size is lost */
	size_t skip;   /* bytes to drop before the first that is kept */
	bool has_more; /* some were lost */
};

struct gdb {
	const struct gdb_ops *ops;
	void *ctx;
	unsigned vcpus;

	enum gdb_state state;
	enum gdb_arch wanted; /* by `monitor arch`; outlives a debugger */
	enum gdb_arch given;  /* this one's description; AUTO: none yet */
	bool has_acks;	      /* until QStartNoAckMode */
	bool has_swbreak, has_hwbreak;
	bool is_physical;
	bool stays;		/* the guest stands on when this one leaves */
	unsigned thread;	/* of g, m and the like: a vCPU */
	unsigned resume_thread; /* of c and s: a vCPU, or GDB_VCPUS_MAX */
	struct gdb_stop last;	/* what `?` asks for */

	/* What has come and was not looked at. */
	uint8_t queue[GDB_INPUT_MAX];
	size_t queue_first, queue_count;
	/* The packet that is coming. */
	enum gdb_input_state input;
	char packet[GDB_PACKET_MAX + 1];
	size_t packet_length;
	bool is_too_long;
	uint8_t sum, sum_sent;

	/* What goes out.  The last packet stays until it is acknowledged. */
	char output[GDB_OUTPUT_MAX];
	size_t output_length, output_taken;
	size_t output_packet; /* where the last packet begins */
	struct gdb_text text;
};

void gdb_init(struct gdb *gdb, const struct gdb_ops *ops, void *ctx,
	      unsigned vcpus);
/* A debugger has come: the guest is to be stopped. */
void gdb_open(struct gdb *gdb);
/* It is gone without a word: as if it had detached. */
void gdb_close(struct gdb *gdb);
/* All vCPUs stand. */
void gdb_stopped(struct gdb *gdb, const struct gdb_stop *why);
/* From the debugger.  What does not fit into the queue is lost, which only one
 * that does not wait for answers brings about. */
void gdb_input(struct gdb *gdb, const void *data, size_t size);
/* To the debugger: up to size bytes; 0: nothing for now. */
size_t gdb_output(struct gdb *gdb, void *data, size_t size);
/* CS.base + RIP, or RIP in 64-bit code. */
uint64_t gdb_pc(const struct x86_state *state);

#endif
