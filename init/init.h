/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init, the first program: makes the domains that the manifest describes, sees
 * them end, starts those again that are to be, and turns the host off when the
 * last has stopped for good.
 *
 * All but main.c is pure code: it reaches the gate by struct init_gate only.
 * One thread; nothing here blocks.
 */
#ifndef BULKHEAD_INIT_INIT_H
#define BULKHEAD_INIT_INIT_H

#include "include/domain.h"
#include "include/log.h"
#include "include/machine_config.h"
#include "include/manifest.h"
#include "include/ring.h"

#define KIB_PER_PAGE 4UL

/* The gate's calls as include/domain.h has them; ctx is the test's. */
struct init_gate {
	void *ctx;
	long (*create)(void *ctx, const struct gate_domain_spec *spec);
	long (*map)(void *ctx, gate_id id, const struct gate_domain_map *map);
	/* Any length. */
	long (*write)(void *ctx, gate_id id, uint64_t va, const void *from,
		      uint64_t length);
	long (*read)(void *ctx, gate_id id, uint64_t va, void *to,
		     uint64_t length);
	long (*start)(void *ctx, gate_id id, uint64_t entry);
	long (*stop)(void *ctx, gate_id id);
	long (*query)(void *ctx, gate_id id, struct gate_domain_status *status);
	uint64_t (*pages_free)(void *ctx); /* of the host */
	long (*destroy)(void *ctx, gate_id id);
	long (*channel_create)(void *ctx, uint64_t pages);
	/* domain may be GATE_SELF. */
	long (*channel_attach)(void *ctx, gate_id id, unsigned end,
			       gate_id domain, unsigned slot);
	long (*channel_close)(void *ctx, gate_id id);
	/* init's own slots. */
	long (*channel_detach)(void *ctx, unsigned slot);
	void *(*channel_memory)(void *ctx, unsigned slot);
	long (*doorbell)(void *ctx, unsigned slot);
	/* A line of the log; of a domain's, or with id 0 of the host's. */
	void (*log)(void *ctx, gate_id id, enum log_level level,
		    const char *text);
	uint64_t (*now_ns)(void *ctx);
	void (*timer)(void *ctx, uint64_t deadline_ns);
	__noreturn void (*off)(void *ctx, enum gate_off how, uint8_t code);
};

/* init/gate_ops.c: ctx is NULL. */
extern const struct init_gate init_gate_calls;

/* ---- Starting again ------------------------------------------------------ */

/*
 * What is to be started again waits first, twice as long each time, so that one
 * which fails at once does not keep the host busy.  A minute's run makes all
 * that forgotten.
 */
struct back_off {
	uint32_t count; /* without a good run between */
	uint64_t started_ns, at_ns;
};

#define BACK_OFF_MAX 16 /* in a row */

/* At at_ns.  False: BACK_OFF_MAX times in a row; at_ns is then a minute away.
 */
bool back_off_next(struct back_off *back_off, uint64_t now_ns);

/* ---- seat ---------------------------------------------------------------- */

/*
 * The service that has the consoles, if there is a module seat.elf: without it
 * what guests write is dropped, and there is no operator.
 *
 *            started              ended by itself
 *   WAITING ────────► RUNNING ──────────────────────► WAITING
 *      ▲                 │ broke its word, or hangs      ▲
 *      │ cannot be made  └──────► STOPPING ──────────────┘
 *      └── WAITING                 ended
 */
enum seat_state {
	SEAT_NONE,
	SEAT_RUNNING,  /* id is its domain */
	SEAT_STOPPING, /* the same; nothing it says is read any more */
	SEAT_WAITING,  /* for back_off.at_ns */
};

/*
 * A domain's console, in seat's slot of its index + 1.
 *
 *   NONE ──► ADDING ──► OPEN ──► REMOVING ──► REMOVED ──► NONE
 *              ▲ │ new seat │       ▲  │ new seat │
 *              └─┼──────────┘       │  ▼          │
 *                └──────────────► LEAVING ◄───────┘
 *                  domain ended       └──► NONE: no seat can show it
 *
 * What a domain wrote last is shown after its end, by the next seat if this one
 * fails to; by one more and no other, for the guest waits for it to be started
 * again.
 */
enum console_state {
	CONSOLE_NONE,
	CONSOLE_ADDING, /* SEAT_ADD is to be sent */
	CONSOLE_OPEN,
	CONSOLE_LEAVING,  /* SEAT_ADD is to be sent, then SEAT_REMOVE */
	CONSOLE_REMOVING, /* SEAT_REMOVE is to be sent */
	CONSOLE_REMOVED,  /* sent, its answer not come */
};

struct console {
	enum console_state state;
	gate_id channel;
	const char *name;
	bool is_last_try;     /* a seat has failed to show the rest of it */
	uint64_t deadline_ns; /* for REMOVED, from LEAVING on */
};

enum flush_state {
	FLUSH_NONE,
	FLUSH_WANTED,
	FLUSH_SENT,
	FLUSH_DONE,
};

struct seat {
	enum seat_state state;
	gate_id id, channel;
	struct back_off back_off;
	struct ring to, from;	   /* struct seat_control's */
	struct ring input, output; /* its operator's */
	bool is_again;		   /* more to read at once */
	enum flush_state flush;
	uint32_t flush_tag;
	struct console console[MANIFEST_GUESTS_MAX];
};

/* ---- Guests -------------------------------------------------------------- */

/*
 *            started             ended
 *   STOPPED ─────────► RUNNING ─────────► LEAVING
 *    │ ▲  ▲               ▲                  │ its console is gone: destroyed
 *    │ │  └───────────────┼──────────────────┤ for good
 *    │ │ cannot be made   │ back-off over    ▼ to be started again
 *    └─┘                  └────────────── WAITING ──► STOPPED
 *                                                     cannot be made
 */
enum guest_state {
	GUEST_STOPPED,
	GUEST_RUNNING, /* id is its domain */
	GUEST_LEAVING, /* ENDED; seat shows what is left of its console */
	GUEST_WAITING, /* for back_off.at_ns */
};

/* What the operator wants of a guest that runs. */
enum guest_wish { WISH_NONE, WISH_STOP, WISH_RESTART };

struct guest {
	const struct guest_manifest *manifest;
	enum guest_state state;
	enum guest_wish wish;
	bool is_held;	   /* STOPPED by the operator: the host stays on */
	bool is_returning; /* LEAVING: then WAITING */
	gate_id id;
	uint64_t entry;
	uint64_t next_va;  /* for what is mapped next */
	uint64_t promised; /* pages, from its first start on: all it may take */
	struct back_off back_off;
	uint32_t starts; /* ever */
	struct machine_config config;
};

#define OPERATOR_LINE_SIZE 80

struct operator
{
	char line[OPERATOR_LINE_SIZE];
	unsigned length;
};

enum host_state {
	HOST_RUNNING,
	HOST_ENDING, /* seat has until deadline_ns to show what is written */
};

struct init {
	const struct init_gate *gate;
	const struct gate_init_info *info;
	const struct manifest *manifest;
	bool is_overcommitted; /* more vCPUs than CPUs */
	uint64_t pages;	       /* of the host's memory, for guests */
	enum host_state state;
	bool is_off_wanted;   /* by the operator */
	uint8_t code;	      /* of the guest that ended last */
	uint64_t deadline_ns; /* of ENDING */
	struct seat seat;
	struct operator operator;
	struct guest guest[MANIFEST_GUESTS_MAX];
};

/* Makes and starts all guests.  May not return if none could be. */
void init_start(struct init *init, const struct init_gate *gate,
		const struct gate_init_info *info,
		const struct manifest *manifest);
/* After any event.  Does not return once all guests have stopped, unless the
 * operator has stopped one of them. */
void init_events(struct init *init);

/* Logs as of domain id, or with 0 of the host. */
void init_log(const struct init *init, gate_id id, enum log_level level,
	      const char *format, ...) __printf(4, 5);

/* ---- init/guests.c ------------------------------------------------------- */

/* By the operator.  NULL, or why not. */
const char *guest_start(struct init *init, struct guest *guest);
const char *guest_stop(struct init *init, struct guest *guest);
const char *guest_restart(struct init *init, struct guest *guest);
/* Stops what runs; the host then ends. */
void host_off(struct init *init);

/* ---- init/load.c --------------------------------------------------------- */

/*
 * Makes guest's domain and fills it; it is to be started at guest->entry.  0 or
 * -errno, which is logged; nothing is left of it then.
 */
int __must_check guest_load(struct init *init, struct guest *guest);

/* The program in a boot module, into a domain; 0 or -errno, which is logged. */
int __must_check program_load(struct init *init, gate_id id, const char *name,
			      uint64_t *entry);

/* -1: none of that name. */
int init_module_find(const struct gate_init_info *info, const char *name);

/* ---- init/report.c ------------------------------------------------------- */

/* If a domain has ended because it could not go on, its state to the log. */
void report_end(const struct init *init, gate_id id,
		const struct gate_domain_status *status);

/* ---- init/seat.c --------------------------------------------------------- */

void seat_init(struct init *init);
/* Sees it end, starts it again, reads what it says. */
void seat_run(struct init *init);
/* Tells it what it is to know by now. */
void seat_send(struct init *init);
/* UINT64_MAX: it waits for nothing. */
uint64_t seat_deadline(const struct init *init);

/* A console for guest, whose domain is full and not started.  0 or -errno;
 * nothing is left then. */
int __must_check console_open(struct init *init, unsigned guest, gate_id id,
			      const char *name);
/* Its domain has ended.  True: it is gone; false: ask again later. */
bool console_close(struct init *init, unsigned guest);

/* True: all that was written is shown, or nobody can. */
bool seat_flush(struct init *init);

/* Onto the operator's console; lost if there is none or no room. */
void operator_print(struct init *init, const char *format, ...) __printf(2, 3);

/* ---- init/operator.c ----------------------------------------------------- */

/* Bytes typed on the operator's console. */
void operator_input(struct init *init, const char *bytes, size_t length);

#endif
