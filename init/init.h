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

#include "include/disk.h"
#include "include/domain.h"
#include "include/log.h"
#include "include/machine_config.h"
#include "include/manifest.h"
#include "include/ring.h"
#include "include/seat.h"

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
	/* Devices: include/grant.h. */
	long (*pci_info)(void *ctx, unsigned index, struct gate_pci_info *pci);
	long (*device_grant)(void *ctx, gate_id id,
			     const struct gate_device_grant *grant);
	/* GATE_CHANNEL_MEMORY. */
	long (*memory_grant)(void *ctx, gate_id channel, gate_id id,
			     bool with_vm);
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

/* ---- Services ------------------------------------------------------------ */

/*
 * A program without a guest that init starts if there is a boot module of its
 * name, watches, and starts again when it ends.  One control channel leads to
 * it, made anew with each.
 *
 *            started              ended by itself
 *   WAITING ────────► RUNNING ──────────────────────► WAITING
 *      ▲                 │ broke its word, or hangs,     ▲
 *      │                 │ or the operator wants another │
 *      │ cannot be made  └──────► STOPPING ──────────────┘
 *      └── WAITING                 ended
 */
enum service_state {
	SERVICE_NONE,
	SERVICE_RUNNING,  /* id is its domain */
	SERVICE_STOPPING, /* the same; nothing it says is read any more */
	SERVICE_WAITING,  /* for back_off.at_ns */
};

struct init;

/* What is different about each. */
struct service_kind {
	const char *name, *program;
	unsigned slot;	    /* init's own, of the control channel */
	unsigned peer_slot; /* the service's */
	uint64_t control_pages;
	uint32_t message_size; /* of each record, both ways */
	/* All but the name. */
	void (*spec)(struct init *init, struct gate_domain_spec *spec);
	/* Its domain has program and control channel, whose memory this is, and
	 * is not started.  0 or -errno. */
	int (*fill)(struct init *init, void *memory);
	/* One of its records, in memory of init's own. */
	void (*heard)(struct init *init, const void *message);
	/* After any event, while it is trusted: what else it says, and whether
	 * it owes an answer for too long.  *bell: it waits for room. */
	void (*check)(struct init *init, bool *bell);
	/* Its domain is gone, or could not be made; the next may start at
	 * back_off.at_ns. */
	void (*gone)(struct init *init);
};

struct service {
	const struct service_kind *kind;
	enum service_state state;
	gate_id id, channel;
	struct back_off back_off;
	uint32_t starts;      /* ever, with those that failed */
	bool is_again;	      /* more to read at once */
	bool is_wished;	      /* STOPPING: by the operator */
	bool is_failing;      /* so often that the next is a minute away */
	uint64_t promised;    /* pages: all it may take */
	struct ring to, from; /* records, in the control channel */
};

/* ---- seat ---------------------------------------------------------------- */

/*
 * Without it what guests write is dropped, and there is no operator.
 *
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
	bool has_serial1, has_printer;
	bool is_button_due;   /* SEAT_BUTTON is to be sent */
	bool is_last_try;     /* a seat has failed to show the rest of it */
	uint64_t deadline_ns; /* for REMOVED, from LEAVING on */
};

enum flush_state {
	FLUSH_NONE,
	FLUSH_WANTED,
	FLUSH_SENT,
	FLUSH_DONE,
};

#define SEAT_DEVICES 2

struct seat_device {
	bool is_there;
	uint16_t address;
};

struct seat_ask {
	struct seat_message what;
	bool is_done;		   /* .why says how it went */
	char text[SEAT_TEXT_SIZE]; /* where .why has names in it */
	const char *why;	   /* not; NULL: it was done */
	unsigned rows;		   /* of a list, that were said */
};

struct seat {
	struct service service;
	struct ring input, output; /* its operator's */
	enum flush_state flush;
	uint32_t flush_tag;
	struct console console[MANIFEST_GUESTS_MAX];
	struct seat_device device[SEAT_DEVICES]; /* by SEAT_DEVICE_* */
	struct seat_screen screen;
	/* What clients of seat's want, in order: init/asks.c. */
	struct seat_ask ask[SEAT_ASKS];
	unsigned ask_count;
	unsigned rights_said; /* how many messages of them it has */
};

/* ---- disk ---------------------------------------------------------------- */

#define DISK_PROGRAM "disk.elf"
#define SEAT_PROGRAM "seat.elf"

/*
 * A guest whose disks have sources is a client of disk, in the slot of its
 * number + 1: as many such guests are before it in the manifest.
 *
 *                     answered          its guest starts
 *   NONE ──► ADDING ──► ASKED ──┬─► STARTING ──► OPEN
 *              ▲ new    │       └─► REFUSED        │
 *              └─ disk ─┴─────◄────────┴───◄───────┤
 *                                                  │ domain ended, from any
 *   NONE ◄── REMOVED ◄── REMOVING ◄────────────────┘
 *                │ new disk  ▲
 *                └───────────┘
 *
 * A client that a disk was told of is gone when a disk says so, and not when
 * one dies: until then a device may still write into the guest's memory.
 */
enum client_state {
	CLIENT_NONE,
	CLIENT_ADDING,	 /* steps are to be taken: disk_client.step */
	CLIENT_ASKED,	 /* some answers have not come */
	CLIENT_STARTING, /* it has its drives; DISK_START is to be sent */
	CLIENT_REFUSED,	 /* one of its drives; its guest does not run */
	CLIENT_OPEN,
	CLIENT_REMOVING, /* DISK_REMOVE is to be sent */
	CLIENT_REMOVED,	 /* sent, its answer not come */
};

/* Of ADDING: the channel attached, DISK_ADD_CLIENT, then each drive. */
enum { STEP_ATTACH, STEP_CLIENT, STEP_DRIVES };

struct client {
	enum client_state state;
	gate_id channel;
	unsigned step;	   /* the next, with this disk */
	uint32_t answered; /* by this disk: BIT(drive) */
	uint32_t refused;
	bool is_known;	/* a disk has been told of it */
	bool is_broken; /* as this disk says */
	bool is_guest_running;
	uint64_t deadline_ns; /* for answers */
	uint64_t stuck_ns;    /* from REMOVING on: the host's end waits no
			       * longer for it */
};

enum list_state { LIST_NONE, LIST_WANTED, LIST_SENT };

struct disks {
	struct service service;
	bool is_begun; /* DISK_BEGIN was sent */
	bool is_awake; /* this disk has answered something */
	unsigned device_count;
	uint16_t device[GATE_DEVICES_MAX]; /* addresses */
	unsigned overlay_count;
	uint64_t overlay_pages; /* that each may take */
	enum list_state list;
	unsigned listed;
	uint64_t list_ns; /* deadline of its end */
	struct client client[MANIFEST_GUESTS_MAX];
};

/* ---- Networks ------------------------------------------------------------ */

#define SWITCH_PROGRAM "switch.elf"
#define NET_CARDS      MANIFEST_CARDS_MAX
#define NET_PORTS      (NET_CARDS + SEAT_PORTS)

/*
 * A network card's port, or behind those one of seat's clients, in the switch's
 * slot of its index + 1.  Cards are counted through, guest by guest.
 *
 *            told to a switch  domain ended, or seat left  answered
 *   NONE ──► ADDING ──► OPEN ─────────► REMOVING ──► REMOVED ──► NONE
 *              ▲ new switch │               └── new switch ──┴──► NONE
 *              └────────────┘
 */
enum net_port_state {
	NET_PORT_NONE,
	NET_PORT_ADDING, /* SWITCH_ADD is to be sent */
	NET_PORT_OPEN,
	NET_PORT_REMOVING, /* SWITCH_REMOVE is to be sent */
	NET_PORT_REMOVED,  /* sent, its answer not come */
};

struct net_port {
	enum net_port_state state;
	uint32_t flags, vlan; /* a client's: SWITCH_ADD's */
	const char *network;  /* a client's */
	gate_id channel;
	bool is_attached;     /* to this switch */
	uint64_t deadline_ns; /* from REMOVING on: for the answer */
};

struct nets {
	struct service service;
	struct net_port port[NET_PORTS]; /* by guest, then card; clients' */
};

/* ---- Sockets between guests ---------------------------------------------- */

struct vsock_pair {
	gate_id id;	 /* of its channel; 0: there is none */
	bool is_used[2]; /* by a guest's machine, at that end */
};

struct vsocks {
	struct vsock_pair pair[MANIFEST_GUESTS_MAX][VSOCK_PEERS_MAX];
	/* Channels with seat, by guest; 0: there is none. */
	gate_id control[MANIFEST_GUESTS_MAX];
};

/* ---- Guests -------------------------------------------------------------- */

/*
 *            made            has its drives       ended
 *   STOPPED ──────► CONNECTING ──────► RUNNING ─────────► LEAVING
 *    │ ▲  ▲           ▲  │ refused, or not wanted          │
 *    │ │  │           │  └────────► LEAVING                │ console and disk
 *    │ │  │           │                                    │ let go: destroyed
 *    │ │  └───────────┼────────────────────────────────────┤ for good
 *    │ │ cannot be    │ back-off over                      ▼ or for now
 *    └─┘ made         └──────────────────────────────── WAITING ──► STOPPED
 *                                                       cannot be made
 */
enum guest_state {
	GUEST_STOPPED,
	/* id is its domain, from here on; not started: others are first, or its
	 * drives are not there yet. */
	GUEST_CONNECTING,
	GUEST_RUNNING,
	GUEST_LEAVING, /* not running any more */
	GUEST_WAITING, /* for back_off.at_ns */
};

/* What the operator wants of a guest that runs. */
enum guest_wish { WISH_NONE, WISH_STOP, WISH_RESTART };

struct guest {
	const struct guest_manifest *manifest;
	enum guest_state state;
	enum guest_wish wish;
	bool is_held;	   /* STOPPED by the operator: the host stays on */
	bool is_ordered;   /* CONNECTING: others start first, or its time has
			    * not come */
	uint64_t due_ns;   /* of those, when others have; 0: they have not */
	uint64_t off_ns;   /* its power is taken then; 0: it was not asked to
			    * go off */
	bool is_returning; /* LEAVING: then WAITING */
	gate_id id;
	uint64_t entry;
	uint64_t next_va;  /* for what is mapped next */
	uint64_t promised; /* pages, from its first start on: all it may take */
	struct back_off back_off;
	uint32_t starts;	      /* ever */
	uint64_t ram_size, vram_size; /* bytes, of the one that was made last */
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
	uint64_t pages;	       /* of the host's memory, for all but init */
	enum host_state state;
	bool is_off_wanted;    /* by the operator */
	bool is_shutting_down; /* the same: guests are asked to go off first */
	uint8_t code;	       /* of the guest that ended last */
	uint64_t deadline_ns;  /* of ENDING */
	struct seat seat;
	struct disks disks;
	struct nets nets;
	struct vsocks vsock;
	struct operator operator;
	struct machine_config config; /* of the guest that is being made */
	struct guest guest[MANIFEST_GUESTS_MAX];
};

/* Makes and starts all guests.  May not return if none could be. */
void init_start(struct init *init, const struct init_gate *gate,
		const struct gate_init_info *info,
		const struct manifest *manifest);
/* After any event.  Does not return once all guests have stopped, unless the
 * operator has stopped one of them. */
void init_events(struct init *init);

static inline uint64_t init_now_ns(const struct init *init)
{
	return init->gate->now_ns(init->gate->ctx);
}

static inline unsigned guest_index(const struct init *init,
				   const struct guest *guest)
{
	return (unsigned)(guest - init->guest);
}

/* Logs as of domain id, or with 0 of the host. */
void init_log(const struct init *init, gate_id id, enum log_level level,
	      const char *format, ...) __printf(4, 5);

/* ---- init/guests.c ------------------------------------------------------- */

/* By the operator.  NULL, or why not. */
const char *guest_start(struct init *init, struct guest *guest);
const char *guest_stop(struct init *init, struct guest *guest);
const char *guest_restart(struct init *init, struct guest *guest);
/* Presses its power button; its power is taken if that does not help. */
const char *guest_shutdown(struct init *init, struct guest *guest);
/* Stops what runs; the host then ends. */
void host_off(struct init *init);
/* The same, by power buttons, those that started last first. */
void host_shutdown(struct init *init);

/* ---- init/order.c -------------------------------------------------------- */

enum order { ORDER_DUE, ORDER_WAITS, ORDER_NEVER };

/* When the host starts, of a guest that is to run. */
void order_begin(struct guest *guest);
/* Whether guest, which is made, may start by now; if never, it is logged. */
enum order order_look(struct init *init, struct guest *guest);
/* When one of them is to be looked at again. */
uint64_t order_deadline(const struct init *init);
/* guest runs: it has until its off_ns. */
void order_shutdown(struct init *init, struct guest *guest);
/* Those whose time is over, and who is next when the host is shutting down. */
void order_run(struct init *init);

/* ---- init/permit.c ------------------------------------------------------- */

/* Whether the manifest's policy lets guest be made now; if not, the log says
 * by which rule. */
bool permit_guest(const struct init *init, const struct guest *guest);
/* The same of a client of the control protocol on a network. */
bool permit_client(const struct init *init, const char *network);

/* ---- init/load.c --------------------------------------------------------- */

/*
 * Makes guest's domain and fills it; it is to be started at guest->entry.  0 or
 * -errno, which is logged; nothing is left of it then.
 */
int __must_check guest_load(struct init *init, struct guest *guest);

/* The program in a boot module, into a domain; 0 or -errno, which is logged. */
int __must_check program_load(struct init *init, gate_id id, const char *name,
			      uint64_t *entry);

/* All that it has in memory; 0: there is none that makes sense. */
uint64_t program_pages(const struct init *init, const char *name);

/* Pages of the domain's own, zero; kind is GATE_MEMORY_ZERO or _ZERO_COW. */
int __must_check domain_map_zero(struct init *init, gate_id id, uint64_t va,
				 uint64_t size, uint32_t kind, uint32_t prot);
/* At GATE_ARGUMENT_VA. */
int __must_check domain_write_argument(struct init *init, gate_id id,
				       const void *argument, uint64_t size);

/* Bytes. */
uint64_t guest_vm_memory(const struct init *init,
			 const struct guest_manifest *guest);
/* Page tables for so many pages. */
#define QUOTA_TABLES(pages) ((pages) / 256)
/* What all services and guests may take by now. */
uint64_t init_promised(const struct init *init);

/* -1: none of that name. */
int init_module_find(const struct gate_init_info *info, const char *name);

/* ---- init/report.c ------------------------------------------------------- */

/* If a domain has ended because it could not go on, its state to the log. */
void report_end(const struct init *init, gate_id id,
		const struct gate_domain_status *status);

/* ---- init/service.c ------------------------------------------------------ */

/* Starts the first, if there is a module. */
void service_init(struct init *init, struct service *service,
		  const struct service_kind *kind);
/* Sees it end, starts it again, reads what it says. */
void service_run(struct init *init, struct service *service);
static inline bool service_has_domain(const struct service *service)
{
	return service->state == SERVICE_RUNNING ||
	       service->state == SERVICE_STOPPING;
}
/* It is stopped; the rest follows when it has ended. */
void service_distrust(struct init *init, struct service *service,
		      const char *why);
/* Another in its place, at once.  NULL, or why not. */
const char *service_restart(struct init *init, struct service *service);
/* A record of kind->message_size.  False: no room now, or it is distrusted. */
bool __must_check service_say(struct init *init, struct service *service,
			      const void *message, bool *bell);
void service_ring(struct init *init, struct service *service);
/* UINT64_MAX: nothing. */
uint64_t service_deadline(const struct init *init,
			  const struct service *service);

/* ---- Devices --------------------------------------------------------------
 */

#define PCI_VIRTIO_VENDOR   0x1af4
#define PCI_FUNCTIONS_MAX   4096 /* that are looked at */
#define DEVICE_ADDRESS_SIZE 10	 /* ", 00:03.0" */

/* init/disk_domain.c: as "00:03.0"; its length. */
int device_address_text(char *text, uint64_t size, uint16_t address);

/* ---- init/seat.c --------------------------------------------------------- */

void seat_init(struct init *init);
/* Tells it what it is to know by now. */
void seat_send(struct init *init);
/* UINT64_MAX: it waits for nothing. */
uint64_t seat_deadline(const struct init *init);

/* A console for guest, whose domain is full and not started.  0 or -errno;
 * nothing is left then.  devices: MACHINE_DEVICE_*. */
int __must_check console_open(struct init *init, unsigned guest, gate_id id,
			      const char *name, uint32_t devices);
/* Its machine is told that the power button was pressed.  False: nobody can
 * tell it. */
bool console_button(struct init *init, unsigned guest);
/* Its domain has ended.  True: it is gone; false: ask again later. */
bool console_close(struct init *init, unsigned guest);

/* True: all that was written is shown, or nobody can. */
bool seat_flush(struct init *init);

/* One of init's records.  False: no room now, or seat is distrusted. */
bool __must_check seat_say(struct init *init,
			   const struct seat_message *message, bool *bell);

/* ---- init/screen.c ------------------------------------------------------- */

/* init->seat.screen, from what the monitor was told. */
void screen_find(struct init *init);
/* Where its pages are in seat. */
uint64_t screen_map_va(const struct gate_screen *told);

/* ---- init/asks.c --------------------------------------------------------- */

/* A SEAT_ASK of seat's.  NULL, or why seat is not to be trusted. */
const char *asks_heard(struct init *init, const struct seat_message *message);
/* Does what is asked. */
void asks_run(struct init *init);
/* Answers, as far as there is room. */
void asks_send(struct init *init, bool *bell);

/* ---- init/vsock.c -------------------------------------------------------- */

/* Channels with its peers, for guest's domain, which is not started.  0 or
 * -errno; then vsocks_close(). */
int __must_check vsocks_open(struct init *init, unsigned guest, gate_id id);
/* Its domain has ended. */
void vsocks_close(struct init *init, unsigned guest);
void vsocks_config(const struct init *init, unsigned guest,
		   struct machine_vsock_config *config);
/* Of guests that have sockets to the host, in the manifest's order: how many,
 * and the n-th.  None, where there is no seat. */
unsigned vsocks_control_count(const struct init *init);
const struct guest_manifest *vsocks_control(const struct init *init,
					    unsigned n);
/* For a seat that is being made: their channels, and memory for them. */
int __must_check vsocks_seat_open(struct init *init, gate_id seat);

/* ---- init/net.c ---------------------------------------------------------- */

/* Starts the switch, if a guest has a card. */
void nets_init(struct init *init);
/* What there is to say, as far as there is room. */
void nets_send(struct init *init);
uint64_t nets_deadline(const struct init *init);
/* Pages of the channels of a guest's cards. */
uint64_t guest_port_pages(const struct guest_manifest *guest);
/* Cables for a guest's domain, which is not started.  0 or -errno. */
int __must_check nets_open(struct init *init, unsigned guest, gate_id id);
/* Its domain does not run any more.  True: all are unplugged; false: ask again
 * later. */
bool nets_close(struct init *init, unsigned guest);
/* SEAT_JOIN, SEAT_CAPTURE, SEAT_LEAVE: ask->why, and in ask->what the answer.
 */
void nets_ask(struct init *init, struct seat_ask *ask);
/* seat's domain is gone. */
void nets_seat_gone(struct init *init);

/* ---- init/operator.c ----------------------------------------------------- */

/* The guest of that name, or NULL; how it is, in a word. */
struct guest *guest_find(struct init *init, const char *name);
const char *guest_state_text(const struct guest *guest);
/* As if the operator had typed it.  NULL, or what name is: "is no guest". */
const char *operator_do(struct init *init, enum seat_verb verb,
			const char *name);

/* Onto the operator's console; lost if there is none or no room. */
void operator_print(struct init *init, const char *format, ...) __printf(2, 3);

/* ---- init/disk.c --------------------------------------------------------- */

/* If the manifest has sources. */
void disks_init(struct init *init);
/* As of seat. */
void disks_send(struct init *init);
uint64_t disks_deadline(const struct init *init);

/* A channel for guest, whose domain is not started, if it has sources.  0 or
 * -errno; nothing is left then. */
int __must_check client_open(struct init *init, unsigned guest, gate_id id);
/* -EAGAIN: its drives are not there yet; 0: they are, or it has none; -ENODEV:
 * one is refused, which is logged. */
int __must_check client_connected(const struct init *init, unsigned guest);
/* Its guest has been started. */
void client_start(struct init *init, unsigned guest);
/* Its domain does not run any more.  True: it may be destroyed; false: ask
 * again later. */
bool client_close(struct init *init, unsigned guest);
/* It is closed for so long that the host's end does not wait for it. */
bool client_is_stuck(const struct init *init, unsigned guest);

/* The operator's verb.  NULL, or why not. */
const char *disks_list(struct init *init);

/* ---- init/disk_domain.c -------------------------------------------------- */

/* How many of a guest's disks have sources: drives of its client. */
unsigned client_drives(const struct guest_manifest *guest);
/* Its memory comes and goes: drives may not know where it is. */
bool guest_memory_moves(const struct guest_manifest *guest);
/* Which devices there are, and what overlays may take. */
void disk_domain_plan(struct init *init);
/* Pages that disk may take. */
uint64_t disk_domain_quota(const struct init *init);
void disk_domain_spec(struct init *init, struct gate_domain_spec *spec);
/* Devices, overlays' memory, argument.  0 or -errno. */
int __must_check disk_domain_fill(struct init *init);
/* What the host has for a guest's channels, beside the guest's quota: pages. */
uint64_t guest_channel_pages(const struct init *init,
			     const struct guest_manifest *guest);

/* ---- init/operator.c ----------------------------------------------------- */

/* Bytes typed on the operator's console. */
void operator_input(struct init *init, const char *bytes, size_t length);

#endif
