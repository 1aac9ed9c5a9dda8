/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8259A pair.  See pic.h for what is modelled and what is not.
 *
 * A line that falls before the acknowledge takes its request back, in edge
 * mode, too ("must remain high until after the falling edge of the first
 * INTA"): sources that pulse hold their lines until the next pulse.  The
 * slave's output is a level into pin 2 of the master and is never latched
 * there.
 *
 * References: Intel 8259A data sheet (231468-003), "Operation".
 */
#include "devices/pic.h"

#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define PIC_MASTER		0x20
#define PIC_SLAVE		0xa0
#define PIC_ELCR		0x4d0
#define PIC_CASCADE_PIN		2
#define PIC_SPURIOUS_PIN	7
#define PIC_NONE		8 /* no pin: the lowest of priorities */

#define ICW1_IC4	BIT(0)
#define ICW1_SNGL	BIT(1)
#define ICW1_IS		BIT(4) /* tells ICW1 from OCW2 and OCW3 */
#define ICW2_BASE	MASK(7, 3)
#define ICW4_AEOI	BIT(1)
#define ICW4_SFNM	BIT(4)

#define OCW2_LEVEL		MASK(2, 0)
#define OCW2_COMMAND		MASK(7, 5)
#define   OCW2_ROTATE_OFF	0
#define   OCW2_EOI		1
#define   OCW2_EOI_SPECIFIC	3
#define   OCW2_ROTATE_ON	4
#define   OCW2_EOI_ROTATE	5
#define   OCW2_SET_PRIORITY	6
#define   OCW2_SPECIFIC_ROTATE	7

#define OCW3_RIS	BIT(0)
#define OCW3_RR		BIT(1)
#define OCW3_POLL	BIT(2)
#define OCW3_IS		BIT(3) /* tells OCW3 from OCW2 */
#define OCW3_SMM	BIT(5)
#define OCW3_ESMM	BIT(6)

#define POLL_REQUEST	BIT(7)

/* clang-format on */

/* IRQ 0, 1, 2, 8 and 13 are edge-triggered for ever. */
static const uint8_t elcr_writable[] = { 0xf8, 0xde };

/* ---- Priorities -------------------------------------------------------- */

/* Rank of the first set pin, 0 being the highest; PIC_NONE for none. */
static unsigned first_rank(const struct pic_chip *chip, uint8_t pins)
{
	unsigned twice = pins | (unsigned)pins << 8;

	return (unsigned)__builtin_ctz(((twice >> chip->priority) & 0xff) |
				       BIT(PIC_NONE));
}

static unsigned rank_to_pin(const struct pic_chip *chip, unsigned rank)
{
	return (rank + chip->priority) & 7;
}

/*
 * Nothing of a higher rank than what is in service, but in special fully nested
 * mode: the slave, which is, wants another of its pins to be, and has itself
 * found that one higher.  Only the master is told.
 */
static __noinline int nested_pending(const struct pic_chip *chip, int pin,
				     bool is_served)
{
	return chip->is_nested && is_served && pin == PIC_CASCADE_PIN ? pin
								      : -1;
}

/* The pin of the requested ones to be served next, or -1. */
static __always_inline int chip_pending(const struct pic_chip *chip,
					uint8_t requests)
{
	uint8_t wanted = requests & ~chip->imr;
	uint8_t serving = chip->isr;
	unsigned rank, serving_rank;

	if (!wanted)
		return -1;
	if (chip->is_special_mask)
		serving &= (uint8_t)~chip->imr;
	rank = first_rank(chip, wanted);
	serving_rank = first_rank(chip, serving);
	if (likely(rank < serving_rank))
		return (int)rank_to_pin(chip, rank);
	return nested_pending(chip, (int)rank_to_pin(chip, rank),
			      rank == serving_rank);
}

static int slave_pending(const struct pic *pic)
{
	return chip_pending(&pic->state.chip[1], pic->state.chip[1].irr);
}

static uint8_t master_requests(const struct pic *pic)
{
	uint8_t cascade = slave_pending(pic) >= 0 ? BIT(PIC_CASCADE_PIN) : 0;

	return pic->state.chip[0].irr | cascade;
}

static int master_pending(const struct pic *pic)
{
	return chip_pending(&pic->state.chip[0], master_requests(pic));
}

static void update(struct pic *pic)
{
	bool level = master_pending(pic) >= 0;

	if (level == pic->state.out_level)
		return;
	pic->state.out_level = level;
	irq_line_set(&pic->out, level);
}

/* ---- Inputs and acknowledge -------------------------------------------- */

/* The line has changed. */
static void chip_line_set(struct pic_chip *chip, unsigned pin, bool level)
{
	uint8_t bit = (uint8_t)BIT(pin);

	if (level) {
		chip->lines |= bit;
		chip->irr |= bit;
	} else {
		chip->lines &= (uint8_t)~bit;
		chip->irr &= (uint8_t)~bit;
	}
}

/* What was postponed comes first. */
static inline void catch_up(struct pic *pic)
{
	if (pic->catch_up)
		pic->catch_up(pic->catch_up_ctx);
}

void pic_irq_set(void *opaque, unsigned pin, bool level)
{
	struct pic *pic = opaque;
	struct pic_chip *chip;
	bool was_high;

	if (pin > 15 || pin == PIC_CASCADE_PIN)
		return;
	chip = &pic->state.chip[pin >> 3];
	if (level == !!(chip->lines & BIT(pin & 7)))
		return;
	catch_up(pic);
	was_high = pic->state.out_level;
	chip_line_set(chip, pin & 7, level);
	update(pic);
	pic->state.is_slave_gone = pin > 7 && was_high && !pic->state.out_level;
}

static void chip_ack(struct pic_chip *chip, unsigned pin)
{
	uint8_t bit = (uint8_t)BIT(pin);

	if (!(chip->elcr & bit))
		chip->irr &= (uint8_t)~bit;
	if (!chip->is_auto_eoi)
		chip->isr |= bit;
	else if (chip->is_rotating)
		chip->priority = (pin + 1) & 7;
}

uint8_t pic_ack(struct pic *pic)
{
	struct pic_chip *chip = &pic->state.chip[0];
	int slave_pin = slave_pending(pic);
	int pin = master_pending(pic);

	if (pin >= 0)
		chip_ack(chip, (unsigned)pin);
	/* A master that was told to be alone asks no slave for its vector. */
	if (pin == PIC_CASCADE_PIN && slave_pin >= 0 && !chip->is_single) {
		chip = &pic->state.chip[1];
		pin = slave_pin;
		chip_ack(chip, (unsigned)pin);
	}
	if (pin < 0) {
		/* The master has already answered for a slave that is gone. */
		if (pic->state.is_slave_gone) {
			chip_ack(chip, PIC_CASCADE_PIN);
			chip = &pic->state.chip[1];
		}
		pin = PIC_SPURIOUS_PIN;
	}
	pic->state.is_slave_gone = false;
	update(pic);
	return (uint8_t)(chip->vector_base | (unsigned)pin);
}

/* ---- Commands ---------------------------------------------------------- */

static void write_icw1(struct pic_chip *chip, uint8_t value)
{
	/* Edge detectors start over: a line must rise anew to be heard. */
	chip->irr &= chip->elcr;
	chip->imr = 0;
	chip->isr = 0;
	chip->priority = 0;
	chip->is_special_mask = false;
	chip->is_auto_eoi = false;
	chip->is_rotating = false;
	chip->is_nested = false;
	chip->reads_isr = false;
	chip->is_polled = false;
	chip->is_single = value & ICW1_SNGL;
	chip->has_icw4 = value & ICW1_IC4;
	chip->expected = PIC_ICW2;
}

static void end_of_interrupt(struct pic_chip *chip, unsigned pin, bool rotate)
{
	chip->isr &= (uint8_t)~BIT(pin);
	if (rotate)
		chip->priority = (pin + 1) & 7;
}

/* Of the highest in service; one that special mask mode hides is left. */
static void end_of_highest(struct pic_chip *chip, bool rotate)
{
	uint8_t serving = chip->isr;
	unsigned rank;

	if (chip->is_special_mask)
		serving &= (uint8_t)~chip->imr;
	rank = first_rank(chip, serving);
	if (rank != PIC_NONE)
		end_of_interrupt(chip, rank_to_pin(chip, rank), rotate);
}

static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	unsigned pin = (unsigned)FIELD_GET(OCW2_LEVEL, value);

	switch (FIELD_GET(OCW2_COMMAND, value)) {
	case OCW2_ROTATE_OFF:
	case OCW2_ROTATE_ON:
		chip->is_rotating =
			FIELD_GET(OCW2_COMMAND, value) == OCW2_ROTATE_ON;
		break;
	case OCW2_EOI:
		end_of_highest(chip, false);
		break;
	case OCW2_EOI_ROTATE:
		end_of_highest(chip, true);
		break;
	case OCW2_EOI_SPECIFIC:
		end_of_interrupt(chip, pin, false);
		break;
	case OCW2_SPECIFIC_ROTATE:
		end_of_interrupt(chip, pin, true);
		break;
	case OCW2_SET_PRIORITY:
		chip->priority = (pin + 1) & 7;
		break;
	}
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & OCW3_POLL)
		chip->is_polled = true;
	if (value & OCW3_RR)
		chip->reads_isr = value & OCW3_RIS;
	if (value & OCW3_ESMM)
		chip->is_special_mask = value & OCW3_SMM;
}

static void write_command(struct pic_chip *chip, uint8_t value)
{
	if (value & ICW1_IS)
		write_icw1(chip, value);
	else if (value & OCW3_IS)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
}

static void write_data(struct pic_chip *chip, uint8_t value, bool is_master)
{
	switch (chip->expected) {
	case PIC_ICW_NONE:
		chip->imr = value;
		break;
	case PIC_ICW2:
		chip->vector_base = value & ICW2_BASE;
		chip->expected = !chip->is_single ? PIC_ICW3
				 : chip->has_icw4 ? PIC_ICW4
						  : PIC_ICW_NONE;
		break;
	case PIC_ICW3: /* the wiring of a PC is what it is */
		chip->expected = chip->has_icw4 ? PIC_ICW4 : PIC_ICW_NONE;
		break;
	case PIC_ICW4:
		chip->is_auto_eoi = value & ICW4_AEOI;
		chip->is_nested = is_master && (value & ICW4_SFNM);
		chip->expected = PIC_ICW_NONE;
		break;
	}
}

/* ---- Ports ------------------------------------------------------------- */

static uint8_t poll(struct pic *pic, struct pic_chip *chip)
{
	int pin = chip == &pic->state.chip[0] ? master_pending(pic)
					      : slave_pending(pic);

	chip->is_polled = false;
	if (pin < 0)
		return 0;
	chip_ack(chip, (unsigned)pin);
	update(pic);
	return (uint8_t)(POLL_REQUEST | (unsigned)pin);
}

static uint8_t read_status(const struct pic *pic, const struct pic_chip *chip)
{
	if (chip->reads_isr)
		return chip->isr;
	return chip == &pic->state.chip[0] ? master_requests(pic) : chip->irr;
}

static void chip_access(struct pic *pic, struct pic_chip *chip,
			struct io_access *io)
{
	/* The mask is what was written last. */
	if (!io->is_write && io->offset && !chip->is_polled) {
		io->data = chip->imr;
		return;
	}
	catch_up(pic);
	if (!io->is_write) {
		if (chip->is_polled)
			io->data = poll(pic, chip);
		else
			io->data = read_status(pic, chip);
		return;
	}
	if (io->offset)
		write_data(chip, (uint8_t)io->data,
			   chip == &pic->state.chip[0]);
	else
		write_command(chip, (uint8_t)io->data);
	update(pic);
}

static void master_access(void *opaque, struct io_access *io)
{
	struct pic *pic = opaque;

	chip_access(pic, &pic->state.chip[0], io);
}

static void slave_access(void *opaque, struct io_access *io)
{
	struct pic *pic = opaque;

	chip_access(pic, &pic->state.chip[1], io);
}

static void elcr_access(void *opaque, struct io_access *io)
{
	struct pic *pic = opaque;
	struct pic_chip *chip = &pic->state.chip[io->offset];

	if (!io->is_write) {
		io->data = chip->elcr;
		return;
	}
	catch_up(pic);
	chip->elcr = io->data & elcr_writable[io->offset];
	/* Level pins request what their lines say, from now on. */
	chip->irr = (uint8_t)((chip->irr & ~chip->elcr) |
			      (chip->lines & chip->elcr));
	update(pic);
}

/* ---- What may be postponed --------------------------------------------- */

/* Modes in which an end of interrupt does more than clear a bit. */
static bool is_special(const struct pic_chip *chip)
{
	return chip->is_special_mask || chip->is_nested || chip->is_auto_eoi ||
	       chip->is_single;
}

/* The one pin in service, of the master, or -1. */
static int postponable(const struct pic *pic)
{
	const struct pic_chip *master = &pic->state.chip[0];
	const struct pic_chip *slave = &pic->state.chip[1];

	if (is_special(master) || is_special(slave) || slave->isr)
		return -1;
	if (!master->isr || master->isr & (master->isr - 1) ||
	    master->isr & BIT(PIC_CASCADE_PIN))
		return -1;
	if (master_requests(pic) & ~master->imr)
		return -1;
	return __builtin_ctz(master->isr);
}

static __noinline void peek_ack(const struct pic *pic, struct pic_peek *peek)
{
	struct pic after = *pic;

	after.out = (struct irq_line){ 0 };
	peek->vector = pic_ack(&after);
	peek->has_more = after.state.out_level;
	peek->postponable_pin = (int8_t)postponable(&after);
}

void pic_peek(const struct pic *pic, struct pic_peek *peek)
{
	*peek = (struct pic_peek){ .vector = -1, .postponable_pin = -1 };
	if (pic->state.out_level)
		peek_ack(pic, peek);
	else if (pic->state.chip[0].isr)
		peek->postponable_pin = (int8_t)postponable(pic);
}

void pic_master_command(struct pic *pic, uint8_t value)
{
	write_command(&pic->state.chip[0], value);
	update(pic);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field chip_fields[] = {
	STATE_VALUE(struct pic_chip, expected, .max = PIC_ICW4),
	STATE_VALUE(struct pic_chip, irr),
	STATE_VALUE(struct pic_chip, imr),
	STATE_VALUE(struct pic_chip, isr),
	STATE_VALUE(struct pic_chip, lines, .flags = STATE_KEPT),
	STATE_VALUE(struct pic_chip, elcr),
	STATE_VALUE(struct pic_chip, vector_base),
	STATE_VALUE(struct pic_chip, priority, .max = 7),
	STATE_VALUE(struct pic_chip, is_single),
	STATE_VALUE(struct pic_chip, has_icw4),
	STATE_VALUE(struct pic_chip, is_auto_eoi),
	STATE_VALUE(struct pic_chip, is_rotating),
	STATE_VALUE(struct pic_chip, is_special_mask),
	STATE_VALUE(struct pic_chip, is_nested),
	STATE_VALUE(struct pic_chip, reads_isr),
	STATE_VALUE(struct pic_chip, is_polled),
	STATE_RESERVED(struct pic_chip, reserved),
};

static const struct state_description chip_description =
	STATE_DESCRIPTION(struct pic_chip, chip_fields);

static const struct state_field fields[] = {
	STATE_STRUCTS(struct pic_state, chip, &chip_description),
	STATE_VALUE(struct pic_state, out_level),
	STATE_VALUE(struct pic_state, is_slave_gone),
	STATE_RESERVED(struct pic_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct pic_state, fields);

static void tell_out(void *opaque)
{
	struct pic *pic = opaque;

	irq_line_set(&pic->out, pic->state.out_level);
}

const struct device_ops pic_ops = {
	.name = "pic",
	.version = 2,
	.state = &description,
	.reset = tell_out,
	.restored = tell_out,
};

/* ---- Life -------------------------------------------------------------- */

void pic_reset(struct pic *pic)
{
	device_reset(&pic->device);
}

int pic_init(struct pic *pic, struct bus *ports, struct irq_line out)
{
	struct io_region region = {
		.name = "pic-master",
		.base = PIC_MASTER,
		.length = 2,
		.fn = master_access,
		.dev = pic,
		.width_max = 1,
	};
	int error;

	memset(pic, 0, sizeof(*pic));
	pic->out = out;
	device_init(&pic->device, &pic_ops, pic, &pic->state);
	error = bus_add(ports, &region);
	if (error)
		return error;
	region.name = "pic-slave";
	region.base = PIC_SLAVE;
	region.fn = slave_access;
	error = bus_add(ports, &region);
	if (error)
		return error;
	region.name = "elcr";
	region.base = PIC_ELCR;
	region.fn = elcr_access;
	return bus_add(ports, &region);
}
