/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259A pair of a PC and its edge/level control register.
 *
 * Modelled: ICW1-4, OCW1-3, all end-of-interrupt commands, automatic EOI,
 * rotation, special mask and special fully nested modes, polling, spurious
 * IRQ 7 and 15, ELCR.  Not modelled: MCS-80 mode and the LTIM bit of ICW1,
 * which the ELCR replaces in the PIIX3.
 *
 * References: Intel 8259A data sheet (231468-003); 82371SB (PIIX3) data sheet.
 */
#ifndef BULKHEAD_DEVICES_PIC_H
#define BULKHEAD_DEVICES_PIC_H

#include "devices/bus.h"
#include "include/device.h"

/* Which byte of the initialization sequence port 1 expects. */
enum pic_icw { PIC_ICW_NONE, PIC_ICW2, PIC_ICW3, PIC_ICW4 };

struct pic_chip {
	enum pic_icw expected;
	uint8_t irr; /* edges not acknowledged; lines in level mode */
	uint8_t imr;
	uint8_t isr;
	uint8_t lines;
	uint8_t elcr; /* 1: level */
	uint8_t vector_base;
	uint8_t priority; /* the pin of the highest */
	bool is_single;
	bool has_icw4;
	bool is_auto_eoi;
	bool is_rotating; /* in automatic EOI mode */
	bool is_special_mask;
	bool is_nested; /* special fully nested */
	bool reads_isr;
	bool is_polled; /* the next read is a poll */
	uint8_t reserved[1];
};

struct pic_state {
	struct pic_chip chip[2]; /* master, slave on pin 2 */
	bool out_level;
	/* The output fell because a pin of the slave did, unacknowledged. */
	bool is_slave_gone;
	uint8_t reserved[2];
};

struct pic {
	struct device device;
	struct pic_state state;
	struct irq_line out;
	/* Called before the pair's state is looked at or changed, by an access
	 * or by an input's change: does what was postponed.  NULL: nothing. */
	void (*catch_up)(void *ctx);
	void *catch_up_ctx;
};

extern const struct device_ops pic_ops;

int __must_check pic_init(struct pic *pic, struct bus *ports,
			  struct irq_line out);
void pic_reset(struct pic *pic);

/* An input, 0..15 but 2.  The signature of an irq_line's sink. */
void pic_irq_set(void *pic, unsigned pin, bool level);

/* The processor's acknowledge cycle: the vector, spurious if none waits. */
uint8_t pic_ack(struct pic *pic);

/*
 * For a host that answers the acknowledge cycle, and counts writes to the
 * master's command port, before the pair hears of them.
 */
struct pic_peek {
	int16_t vector; /* of the next pic_ack(); -1: the output is low */
	bool has_more;	/* the output is high again after that */
	/*
	 * The pin of the master whose end of interrupt, specific or not, may
	 * wait for the next catch_up(): the pair, once acknowledged if its
	 * output is high, is such that clearing this bit of the ISR is all that
	 * it does, and no request waits for that.  -1: none.
	 */
	int8_t postponable_pin;
};

/* Does not call catch_up(), nor does the next. */
void pic_peek(const struct pic *pic, struct pic_peek *peek);
/* A byte written to the master's command port. */
void pic_master_command(struct pic *pic, uint8_t value);

#endif
