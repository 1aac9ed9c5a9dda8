/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init, the first program: makes the domains that the manifest describes, sees
 * them end, starts those again that are to be, and turns the host off when the
 * last has stopped for good.
 *
 * All below main.c is pure code: it reaches the gate by struct init_gate only.
 * One thread; nothing here blocks.
 */
#ifndef BULKHEAD_INIT_INIT_H
#define BULKHEAD_INIT_INIT_H

#include "include/domain.h"
#include "include/log.h"
#include "include/machine_config.h"
#include "include/manifest.h"

/* The gate's calls as include/domain.h has them; ctx is the test's. */
struct init_gate {
	void *ctx;
	long (*create)(void *ctx, const struct gate_domain_spec *spec);
	long (*map)(void *ctx, gate_id id, const struct gate_domain_map *map);
	/* Any length. */
	long (*write)(void *ctx, gate_id id, uint64_t va, const void *from,
		      uint64_t length);
	long (*start)(void *ctx, gate_id id, uint64_t entry);
	long (*query)(void *ctx, gate_id id, struct gate_domain_status *status);
	long (*destroy)(void *ctx, gate_id id);
	/* A line of the log; of a domain's, or with id 0 of the host's. */
	void (*log)(void *ctx, gate_id id, enum log_level level,
		    const char *text);
	uint64_t (*now_ns)(void *ctx);
	void (*timer)(void *ctx, uint64_t deadline_ns);
	__noreturn void (*off)(void *ctx, enum gate_off how, uint8_t code);
};

/*
 *             started               ended, and to be started again
 *   (none) ──────────► RUNNING ──────────────────────────► WAITING
 *      │                  ▲  │ ended for good                 │
 *      │ cannot be made   │  ▼                    back-off over│
 *      └────────────► STOPPED ◄──── cannot be made            │
 *                         └───────────────◄───────────────────┘
 *                                   started: RUNNING
 */
enum guest_state {
	GUEST_STOPPED,
	GUEST_RUNNING, /* id is its domain */
	GUEST_WAITING, /* for restart_ns */
};

struct guest {
	const struct guest_manifest *manifest;
	enum guest_state state;
	gate_id id;
	uint64_t entry;
	uint64_t next_va; /* for what is mapped next */
	uint64_t started_ns, restart_ns;
	uint32_t restarts; /* without a good while between */
	struct machine_config config;
};

struct init {
	const struct init_gate *gate;
	const struct gate_init_info *info;
	const struct manifest *manifest;
	bool is_overcommitted; /* more vCPUs than CPUs */
	uint8_t code;	       /* of the guest that ended last */
	struct guest guest[MANIFEST_GUESTS_MAX];
};

/* Makes and starts all guests.  Does not return if none could be. */
void init_start(struct init *init, const struct init_gate *gate,
		const struct gate_init_info *info,
		const struct manifest *manifest);
/* After GATE_EVENT_DOMAIN or GATE_EVENT_TIMER.  Does not return once all guests
 * have stopped. */
void init_events(struct init *init);

/* Logs as of guest, or with NULL of the host. */
void init_log(const struct init *init, const struct guest *guest,
	      enum log_level level, const char *format, ...) __printf(4, 5);

/* init/load.c */
/*
 * Makes guest's domain and fills it; it is to be started at guest->entry.  0 or
 * -errno, which is logged; nothing is left of it then.
 */
int __must_check guest_load(struct init *init, struct guest *guest);

/* -1: none of that name. */
int init_module_find(const struct gate_init_info *info, const char *name);

#endif
