/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiplexed console: the output of programs and the monitor's log on one
 * serial port, its input to one of the programs.
 *
 *	ring of a console's channel -> buffer, 512 bytes -.
 *	ring of a console's channel -> buffer, 512 bytes -+-> text, -> UART
 *	GATE_LOG_READ -> log, 4 KiB ----------------------'   a row
 *
 * One console alone owns the terminal: its bytes pass untouched.  With several,
 * each row begins with its console's name in brackets, which no program can
 * write there or over (terminal.h); a row that goes on from the one before has
 * "+" behind the bracket instead of a space.  Whole lines at a time; but what
 * is left unfinished, a prompt, shows after a moment and goes on from there.
 * docs/console.md has all of it.
 *
 * No program can hold up another: what is done in one mux_run() is bounded, and
 * consoles and the log have turns of a row.  A program that writes too much
 * finds its ring full and waits by itself.  One that breaks its rings is said
 * so once and ignored until it is removed.
 *
 * init's console, the operator's, is hidden while one other console is alone
 * and has the input.
 *
 * Pure: no gate, no globals.  Not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_SEAT_MUX_H
#define BULKHEAD_SERVICES_SEAT_MUX_H

#include "include/seat.h"
#include "services/seat/terminal.h"

#define MUX_SLOTS	     GATE_CHANNELS_MAX
/* What heard() calls the debug ports of the console in a slot. */
#define MUX_DEBUG_OF(slot)   (MUX_SLOTS + 1 + (slot))
#define MUX_E9_OF(slot)	     (2 * MUX_SLOTS + 1 + (slot))
/* And its second serial port, mux_type() too. */
#define MUX_SERIAL1_OF(slot) (3 * MUX_SLOTS + 1 + (slot))
/* And its printer, which only a client reads. */
#define MUX_PRINTER_OF(slot) (4 * MUX_SLOTS + 1 + (slot))
#define MUX_LOG		     4096 /* bytes; powers of two */
#define MUX_BUFFER	     512
#define MUX_NOTICES	     4
#define MUX_LINE_MAX	     256 /* a line of the monitor's */
/* What one turn takes from a console at most, as does one of its rows. */
#define MUX_TURN_MAX	     160
#define MUX_TEXT	     384
#define MUX_PERIOD_NS	     (1400 * NSEC_PER_US)

/* What the mux stands on; ctx is the owner's. */
struct mux_ops {
	/* Sends what there is room for now, one FIFO at most; how many. */
	size_t (*uart_send)(void *ctx, const char *bytes, size_t length);
	int (*uart_read)(void *ctx);	 /* the next byte received, or -1 */
	bool (*uart_is_idle)(void *ctx); /* all is out on the wire */
	/* Whole lines of the monitor's log; 0: none. */
	long (*log_read)(void *ctx, char *text, size_t size);
	void (*doorbell)(void *ctx, unsigned slot);
	/* What a console's serial port wrote, with slot MUX_SERIAL1_OF() its
	 * second one, with MUX_DEBUG_OF() or MUX_E9_OF() a debug port, or with
	 * MUX_SLOTS whole lines of the log, once, however it is shown.  NULL:
	 * nobody cares. */
	void (*heard)(void *ctx, unsigned slot, const char *bytes,
		      size_t length);
};

/* Positions run freely; a byte is at position % size. */
struct mux_buffer {
	uint32_t head, tail;
};

enum mux_source { MUX_OUTPUT, MUX_DEBUG, MUX_E9, MUX_SERIAL1, MUX_SOURCES };

/* A line of the log about a program, behind what that had written before. */
struct mux_notice {
	uint32_t at[MUX_SOURCES]; /* positions in the rings */
	uint32_t length;
	char text[MUX_LINE_MAX];
};

/*
 *	FREE --add--> OPEN ------remove-------> LEAVING --all shown--> GONE
 *	  ^	       `--lies--> BROKEN --remove--^		     |
 *	  `--------------------------- told --------------------------'
 */
enum mux_state {
	MUX_FREE,
	MUX_OPEN,
	MUX_BROKEN,
	MUX_LEAVING,
	MUX_GONE,
};

/* How far a flush is: nothing asked, in the rings, in the buffer. */
enum mux_flush { MUX_FLUSH_NONE, MUX_FLUSH_RINGS, MUX_FLUSH_BUFFER };

struct mux_console {
	enum mux_state state;
	unsigned slot;
	char name[GATE_NAME_SIZE];
	struct ring in[MUX_SOURCES];
	struct ring input, input1; /* of its serial ports */
	bool has_serial1;	   /* the second is there */
	bool has_printer;
	struct ring printer;
	const void *printer_reader; /* NULL: nobody */
	enum mux_source source;	    /* whose line is being read */
	bool is_active;		    /* no doorbell was asked for: look */
	bool is_emptied;	    /* all rings were found empty */
	bool is_bell_due;

	enum mux_flush flush;
	uint32_t flush_at[MUX_SOURCES], flush_head;
	uint32_t flush_notices; /* of those before */

	struct mux_buffer out;
	uint32_t newlines; /* in the buffer */
	uint64_t held_ns;  /* when it last added to what is held back */
	uint32_t notice_count;
	struct mux_notice notice[MUX_NOTICES];
	struct terminal terminal;
	bool is_due;	   /* what it has shows though unfinished */
	bool is_mid_line;  /* its line has begun, maybe in an earlier row */
	bool is_continued; /* its row goes on with an earlier one's line */
	char buffer[MUX_BUFFER];
};

struct mux {
	const struct mux_ops *ops;
	void *ctx;
	uint64_t now_ns;

	uint64_t drain_ns;    /* is_draining: when the UART has room */
	uint64_t prompt_ns;   /* is_prompt_expected: when it shows */
	uint64_t log_held_ns; /* is_log_held: since when */
	bool is_draining;
	bool is_prompt_expected;
	bool is_input_held;	/* bytes wait in the UART */
	bool is_again;		/* more to do at once */
	bool is_stuck;		/* the UART takes nothing: all is dropped */
	bool is_log_served;	/* a console's turn, if one has something */
	bool is_log_held;	/* it waits for the end of a row */
	bool has_log;		/* GATE_LOG_READ may have lines */
	bool is_flushing;	/* mux_flush() is not done yet */
	bool is_flush_composed; /* and what it waits for is on its way */
	bool is_taken_over;	/* a former program left the terminal */
	bool is_host_heard;	/* somebody sees it elsewhere */
	uint32_t idle_ticks;

	uint64_t taken;	   /* bytes that the UART took, ever */
	uint64_t flush_at; /* is_flush_composed: what it has to have taken */
	/* On its way to the UART, as it is to be shown. */
	uint32_t sent, length;
	char text[MUX_TEXT];

	bool is_mid_row;     /* the last byte was no newline */
	bool is_reset_due;   /* the terminal is no longer one console's own */
	bool is_touched;     /* by control sequences of one that was alone */
	struct terminal raw; /* as the console that is alone left it */
	/* Whose row the cursor is in; NULL: at the beginning, or in one that
	 * nothing may be added to. */
	struct mux_console *open;

	/* Those that are shown, in the order of the input's focus. */
	unsigned count;
	unsigned focus;
	unsigned turn; /* whose it is */
	struct mux_console *shown[MUX_SLOTS];

	enum mux_flush log_flush;
	uint32_t log_flush_head;
	struct mux_buffer log;
	char log_bytes[MUX_LOG];
	struct mux_console console[MUX_SLOTS]; /* by slot; 0: operator's */
};

void mux_init(struct mux *mux, const struct mux_ops *ops, void *ctx);

/*
 * A console called name, a letter and then letters, digits, - and _, in memory
 * that stays until it is gone.  Rings that have been used are taken over.
 * Slot SEAT_CONTROL_SLOT is the operator's.  -EINVAL: the slot or the name is
 * none; -EEXIST: one of them is taken.
 */
int __must_check mux_add(struct mux *mux, unsigned slot, const char *name,
			 struct seat_console *memory);
/* Goes when all that it has written is shown: mux_gone().  -ENOENT. */
int __must_check mux_remove(struct mux *mux, unsigned slot);
/* One that is gone since, whose slot is free from now on; or -1. */
int mux_gone(struct mux *mux);
/* The slot of a domain's console, not the operator's.  -ENOENT. */
int __must_check mux_find(const struct mux *mux, const char *name);
/* From now on the operator's console is read while it is hidden, too:
 * ops->heard() has it then, and no row shows it. */
void mux_hear_host(struct mux *mux);
/* There is one that reads and writes. */
bool mux_is_open(const struct mux *mux, unsigned slot);
/* Bytes typed from elsewhere, with slot MUX_SERIAL1_OF() into the second serial
 * port: how many there was room for; the console's bell says when there is for
 * the rest.  -ENOENT: no console, or one that does not read. */
long __must_check mux_type(struct mux *mux, unsigned slot, const void *bytes,
			   size_t length);
/*
 * What a guest prints is somebody's who has asked for it: while nobody has, and
 * while he does not read, it stays in its ring and the printer is busy.  Open:
 * -ENODEV: it has no parallel port; -EEXIST: somebody else reads it.
 */
int __must_check mux_printer_open(struct mux *mux, unsigned slot,
				  const void *reader);
void mux_printer_close(struct mux *mux, unsigned slot, const void *reader);
/* Up to size bytes, which is not 0, also of a console that is gone and not free
 * yet; 0: there are none, and the console's bell rings when there are. */
size_t mux_printer_read(struct mux *mux, unsigned slot, void *bytes,
			size_t size);
/* Its memory is about to go: says what nobody has read. */
void mux_printer_end(struct mux *mux, unsigned slot);
/* The input goes to that console.  -ENOENT. */
int __must_check mux_focus(struct mux *mux, unsigned slot);

/* What has been written so far goes out, unfinished lines too. */
void mux_flush(struct mux *mux);
/* It is out on the wire. */
bool mux_is_flushed(struct mux *mux);

/* The peer of slot rang. */
void mux_ring(struct mux *mux, unsigned slot);
/* The log may have lines. */
void mux_log(struct mux *mux);
/* A line of seat's own, printable and with its newline. */
void mux_print(struct mux *mux, const char *text, size_t length);

/* The UART may have received something. */
void mux_input(struct mux *mux, uint64_t now_ns);
/* After each event and when the deadline has passed. */
void mux_run(struct mux *mux, uint64_t now_ns);
/* When mux_run() wants to be called; UINT64_MAX: after the next event. */
uint64_t mux_deadline(const struct mux *mux);

#endif
