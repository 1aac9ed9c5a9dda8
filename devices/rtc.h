/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MC146818 real-time clock and its memory, 128 bytes and, as in the PIIX, a
 * second bank of 128 behind ports of its own.
 *
 * Modelled: time in BCD or binary, 12 or 24 hours, SET and the divider chain,
 * update-in-progress, alarm with don't-care, periodic and update-ended
 * interrupts, century byte.  Not modelled: the square wave output, daylight
 * saving, time bases of other crystals (the clock stands), registers that an
 * update makes unreadable (until its end they show the old time), the NMI mask
 * in bit 7 of port 70h (no device of the board raises an NMI).
 * Periodic interrupts the host was late for are merged into one.
 *
 * References: Motorola MC146818A data sheet (1988).
 */
#ifndef BULKHEAD_DEVICES_RTC_H
#define BULKHEAD_DEVICES_RTC_H

#include "devices/bus.h"
#include "include/device.h"

#define RTC_CELLS   256
#define RTC_CENTURY 0x32

struct rtc_state {
	int64_t base_s;	   /* wall clock at base_ns, seconds since 1970 */
	int64_t base_ns;   /* VM time, up to half a second before it began */
	int64_t seen_s;	   /* updates up to here are in register C */
	uint64_t seen_32k; /* the same for periodic ticks, 32768 a second */
	uint64_t timer_ns;
	/* Registers and memory.  The time registers in it are current only
	 * while the clock stands still. */
	uint8_t cell[RTC_CELLS];
	uint8_t index;
	uint8_t extended_index; /* 0x80 and up */
	uint8_t weekday_shift;	/* what software set it off by, 0..6 */
	bool is_stopped;
	bool out_level;
	uint8_t reserved[3];
};

struct rtc {
	struct device device;
	struct rtc_state state;
	struct irq_line out;
	/* Up while the alarm interrupts: wakes the machine.  The board's, which
	 * sets it. */
	struct irq_line alarm;
	bool alarm_level;
	struct clock *clock;
	struct clock_timer timer;
};

extern const struct device_ops rtc_ops;

/* Takes ports 0x70 to 0x73.  The time is the clock's. */
int __must_check rtc_init(struct rtc *rtc, struct bus *ports,
			  struct clock *clock, struct irq_line out);
/* Interrupts off; time and memory live on, as from the battery. */
void rtc_reset(struct rtc *rtc);
/* After a reset that the alarm lives through: what register B had enabled, and
 * register C said of it, before. */
#define RTC_CELL_B 0x0b
#define RTC_CELL_C 0x0c
void rtc_alarm_keep(struct rtc *rtc, uint8_t b, uint8_t c);

/* Memory cells 0x0e and up, for the board. */
void rtc_cell_set(struct rtc *rtc, uint8_t index, uint8_t value);
uint8_t rtc_cell_get(const struct rtc *rtc, uint8_t index);

#endif
