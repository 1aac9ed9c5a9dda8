/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8254 timer and the system control port 0x61 around it.
 *
 * Modelled: three channels, all six modes, binary and BCD, latches, read-back,
 * the gate of channel 2, speaker data, the refresh toggle.  Counting is lazy:
 * a channel remembers when its count was loaded.  Not modelled: the one or two
 * input clocks between a write and the count's first decrement; NMI sources
 * of port 0x61 (none ever fires); the low phase of channel 0's output in modes
 * 2, 3 and 4, which only its status shows: its interrupt line stays high until
 * the next rise, so that a request waits as long as a guest keeps it waiting.
 *
 * References: Intel 8254 data sheet (231164-005); 82371SB (PIIX3) data sheet,
 * "NMI Status and Control Register".
 */
#ifndef BULKHEAD_DEVICES_PIT_H
#define BULKHEAD_DEVICES_PIT_H

#include "devices/bus.h"
#include "include/device.h"

#define PIT_HZ	     1193182
#define PIT_CHANNELS 3

enum pit_next_byte { PIT_LOW_BYTE, PIT_HIGH_BYTE };

struct pit_channel {
	uint64_t start_tick;  /* of the running count */
	uint64_t paused_at;   /* ticks counted when the gate stopped it */
	uint64_t switch_tick; /* when reload becomes the count; 0: never */
	uint32_t count;	      /* 1..65536, in clocks */
	uint32_t reload;      /* written while a periodic mode runs */
	enum pit_next_byte read_next;
	enum pit_next_byte write_next;
	uint16_t latch;
	uint8_t status;
	uint8_t written_low; /* first byte of two */
	uint8_t mode;	     /* 0..5 */
	uint8_t access;	     /* RW field: 1 low, 2 high, 3 both */
	uint8_t control;     /* access, mode and BCD as they were written */
	bool is_bcd;
	bool gate;
	bool is_loaded;	 /* a count has been written since the mode */
	bool is_null;	 /* what was written last is not counted down yet */
	bool is_running; /* loaded, and triggered where the mode wants it */
	bool has_latch;
	bool has_status;
	uint8_t reserved[10];
};

struct pit_state {
	struct pit_channel channel[PIT_CHANNELS];
	uint64_t rise_tick; /* at which channel 0's output rises next */
	uint64_t timer_ns;
	uint32_t owed;	 /* rises not interrupted for yet */
	bool out_level;	 /* of channel 0, as the line was told */
	uint8_t control; /* port 0x61, bits 0..3 */
	uint8_t reserved[2];
};

struct pit {
	struct device device;
	struct pit_state state;
	struct clock *clock;
	struct clock_timer timer; /* next rise of channel 0's output */
	struct irq_line out;	  /* channel 0 */
};

extern const struct device_ops pit_ops;

/* Takes ports 0x40-0x43 and 0x61. */
int __must_check pit_init(struct pit *pit, struct bus *ports,
			  struct clock *clock, struct irq_line out);
void pit_reset(struct pit *pit);

/* What the loudspeaker would be playing, in Hz; 0: silence. */
uint32_t pit_speaker_hz(const struct pit *pit);

#endif
