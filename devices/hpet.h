/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An HPET: a 64-bit counter at 100 MHz and three timers, each periodic or
 * not, legacy replacement, level or edge interrupts.
 *
 * Not modelled: FSB (message) delivery, which the capabilities do not show.
 * A comparator that is written when its time has just gone fires at once, so
 * that a guest the host has delayed does not wait for the counter's wrap.
 * Periods that the host was late for are made up for.  A pulse on a legacy pin
 * lasts until the next one, or until its timer is reprogrammed.
 *
 * References: Intel, IA-PC HPET Specification 1.0a.
 */
#ifndef BULKHEAD_DEVICES_HPET_H
#define BULKHEAD_DEVICES_HPET_H

#include "devices/bus.h"
#include "include/device.h"

#define HPET_BASE   0xfed00000ULL
#define HPET_TIMERS 3
#define HPET_NS	    10 /* a tick */
/* I/O APIC pins that timers may be routed to: 16 to 23. */
#define HPET_ROUTES 0x00ff0000U

struct hpet;

struct hpet_timer_state {
	uint64_t config; /* the writable part */
	uint64_t comparator;
	uint64_t period;
	uint64_t timer_ns;
	uint32_t owed;	/* periods not interrupted for yet */
	uint8_t pin;	/* that the level is on */
	bool is_due;	/* the comparator's match has not been seen yet */
	bool level;	/* of its output */
	bool was_level; /* and by the status, not as a pulse */
};

struct hpet_state {
	uint64_t config;
	uint64_t status;
	uint64_t counter;  /* while disabled */
	uint64_t start_ns; /* while enabled: when the counter was 0 */
	struct hpet_timer_state timer[HPET_TIMERS];
};

/* One of the comparators, wired. */
struct hpet_timer {
	struct hpet *hpet;
	struct hpet_timer_state *state; /* in the hpet's */
	unsigned number;
	struct clock_timer clock_timer;
};

struct hpet {
	struct device device;
	struct hpet_state state;
	struct hpet_timer timer[HPET_TIMERS];
	struct clock *clock;
	/* Pins 0 and 8: legacy timer and RTC; 16 to 23: the I/O APIC's. */
	struct irq_line out;
	/* Legacy replacement: 8254 and RTC lose their interrupts. */
	void (*legacy_changed)(void *ctx, bool is_legacy);
	void *ctx;
};

extern const struct device_ops hpet_ops;

/* Takes 1 KiB at HPET_BASE. */
int __must_check hpet_init(struct hpet *hpet, struct bus *memory,
			   struct clock *clock, struct irq_line out,
			   void (*legacy_changed)(void *ctx, bool is_legacy),
			   void *ctx);
void hpet_reset(struct hpet *hpet);

#endif
