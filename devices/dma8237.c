/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8237 pair.  See dma8237.h for what is modelled and what is not.
 *
 * References: Intel 8237A data sheet (231466-005), "Register Description",
 * "Software Commands"; 82371FB/82371SB data sheet (290550-002), "DMA
 * Registers"; IBM Personal Computer AT Technical Reference, "DMA".
 */
#include "devices/dma8237.h"

#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define FIRST_BASE	0x00
#define FIRST_LENGTH	0x10
#define SECOND_BASE	0xc0
#define SECOND_LENGTH	0x20 /* registers at even addresses */
#define PAGE_BASE	0x81

/* Registers: two a channel, then these. */
#define REGISTER_COMMAND	0x8 /* read: status */
#define REGISTER_REQUEST	0x9
#define REGISTER_MASK_ONE	0xa
#define REGISTER_MODE		0xb
#define REGISTER_CLEAR_POINTER	0xc
#define REGISTER_MASTER_CLEAR	0xd /* read: temporary register */
#define REGISTER_CLEAR_MASK	0xe
#define REGISTER_MASK_ALL	0xf

#define SELECT		MASK(1, 0)
#define SELECT_SET	BIT(2)

#define COMMAND_OFF	BIT(2)

#define MODE_TRANSFER	MASK(3, 2)
#define   TRANSFER_VERIFY	0
#define   TRANSFER_WRITE	1 /* to memory */
#define   TRANSFER_READ		2
#define MODE_AUTO	BIT(4)
#define MODE_DOWN	BIT(5)
#define MODE_KIND	MASK(7, 6)
#define   KIND_BLOCK		2
#define   KIND_CASCADE		3

#define MASK_ALL	MASK(3, 0)

#define CASCADE_CHANNEL	0 /* of the second controller */
#define FLOATING	0xff /* a bus that nobody drives */
/* clang-format on */

/* Where each channel's page is, from PAGE_BASE on. */
static const uint8_t page_of[DMA_CHANNELS] = { 6, 2, 0, 1, 14, 10, 8, 9 };

static struct dma8237_controller *controller_of(struct dma8237 *dma,
						unsigned channel)
{
	return &dma->state.controller[channel / DMA_CHANNELS_OF_ONE];
}

/* ---- Cycles ------------------------------------------------------------ */

static bool is_on(const struct dma8237_controller *controller, unsigned number)
{
	return !(controller->command & COMMAND_OFF) &&
	       !(controller->mask & BIT(number));
}

/* The first controller's requests reach the processor by way of channel 4. */
static bool has_way(const struct dma8237 *dma, unsigned channel)
{
	const struct dma8237_controller *second = &dma->state.controller[1];

	if (channel >= DMA_CHANNELS_OF_ONE)
		return true;
	return is_on(second, CASCADE_CHANNEL) &&
	       FIELD_GET(MODE_KIND, second->channel[CASCADE_CHANNEL].mode) ==
		       KIND_CASCADE;
}

static unsigned shift_of(unsigned channel)
{
	return channel / DMA_CHANNELS_OF_ONE; /* bytes, words */
}

/* The lowest bit of a page of 128 KiB is not used. */
static gpa_t address_of(const struct dma8237 *dma, unsigned channel,
			uint16_t address)
{
	unsigned shift = shift_of(channel);
	gpa_t page = dma->state.page[page_of[channel]] & ~shift;

	return page << 16 | (gpa_t)address << shift;
}

/*
 * Cycles that have neighbours in memory, up to the end of the count and of the
 * address, where it goes round.
 */
static uint32_t run_length(const struct dma8237_channel *ch, uint32_t cycles)
{
	uint32_t run = MIN(cycles, ch->count + 1U);

	if (ch->mode & MODE_DOWN)
		return 1;
	return MIN(run, 0x10000U - ch->address);
}

static void memory_move(struct dma8237 *dma, unsigned channel,
			const struct dma8237_channel *ch, uint8_t *data,
			uint32_t bytes)
{
	gpa_t gpa = address_of(dma, channel, ch->address);

	switch (FIELD_GET(MODE_TRANSFER, ch->mode)) {
	case TRANSFER_WRITE:
		guest_ram_write(dma->ram, gpa, data, bytes);
		break;
	case TRANSFER_READ:
		guest_ram_read(dma->ram, gpa, data, bytes);
		break;
	default:
		break;
	}
}

static void terminal_count(struct dma8237_controller *controller,
			   unsigned number)
{
	struct dma8237_channel *ch = &controller->channel[number];
	uint8_t bit = (uint8_t)BIT(number);

	controller->complete |= bit;
	controller->software &= (uint8_t)~bit;
	if (ch->mode & MODE_AUTO) {
		ch->address = ch->base_address;
		ch->count = ch->base_count;
	} else {
		controller->mask |= bit;
	}
}

/* Cycles done, at most that many; it ends with the terminal count. */
static uint32_t cycles_run(struct dma8237 *dma, unsigned channel, uint8_t *data,
			   uint32_t cycles, bool *is_terminal)
{
	struct dma8237_controller *controller = controller_of(dma, channel);
	unsigned number = channel % DMA_CHANNELS_OF_ONE;
	struct dma8237_channel *ch = &controller->channel[number];
	unsigned shift = shift_of(channel);
	uint32_t done = 0;

	while (done < cycles && !*is_terminal) {
		uint32_t run = run_length(ch, cycles - done);

		memory_move(dma, channel, ch, data + (done << shift),
			    run << shift);
		ch->address =
			(uint16_t)(ch->mode & MODE_DOWN ? ch->address - run
							: ch->address + run);
		*is_terminal = run == ch->count + 1U;
		ch->count = (uint16_t)(ch->count - run);
		done += run;
	}
	if (*is_terminal)
		terminal_count(controller, number);
	return done;
}

static bool is_way_right(const struct dma8237_channel *ch,
			 enum dma_direction direction)
{
	switch (FIELD_GET(MODE_TRANSFER, ch->mode)) {
	case TRANSFER_VERIFY:
		return true;
	case TRANSFER_WRITE:
		return direction == DMA_TO_MEMORY;
	case TRANSFER_READ:
		return direction == DMA_FROM_MEMORY;
	default: /* not allowed */
		return false;
	}
}

void dma_line_set(const struct dma_line *line, bool level)
{
	uint8_t *requests = &line->dma->state.requests;
	uint8_t bit = (uint8_t)BIT(line->channel);

	*requests = (uint8_t)(level ? *requests | bit : *requests & ~bit);
}

void dma_line_transfer(const struct dma_line *line,
		       struct dma_transfer *transfer)
{
	struct dma8237 *dma = line->dma;
	struct dma8237_controller *controller =
		controller_of(dma, line->channel);
	unsigned number = line->channel % DMA_CHANNELS_OF_ONE;
	const struct dma8237_channel *ch = &controller->channel[number];
	unsigned shift = shift_of(line->channel);

	transfer->moved = 0;
	transfer->is_terminal = false;
	if (!is_on(controller, number) || !has_way(dma, line->channel) ||
	    FIELD_GET(MODE_KIND, ch->mode) == KIND_CASCADE ||
	    !is_way_right(ch, transfer->direction))
		return;
	if (transfer->direction == DMA_FROM_MEMORY &&
	    FIELD_GET(MODE_TRANSFER, ch->mode) == TRANSFER_VERIFY)
		memset(transfer->data, FLOATING, transfer->length);
	transfer->moved =
		cycles_run(dma, line->channel, transfer->data,
			   transfer->length >> shift, &transfer->is_terminal)
		<< shift;
}

/*
 * A request by software, which a channel in block mode serves to its end: what
 * it writes to memory no device drives.
 */
static void software_request(struct dma8237 *dma, unsigned channel)
{
	struct dma8237_controller *controller = controller_of(dma, channel);
	unsigned number = channel % DMA_CHANNELS_OF_ONE;
	const struct dma8237_channel *ch = &controller->channel[number];
	bool is_terminal = false;
	uint8_t piece[512];

	if (!(controller->software & BIT(number)) ||
	    !is_on(controller, number) || !has_way(dma, channel) ||
	    FIELD_GET(MODE_KIND, ch->mode) != KIND_BLOCK)
		return;
	while (!is_terminal) {
		memset(piece, FLOATING, sizeof(piece));
		(void)cycles_run(dma, channel, piece,
				 sizeof(piece) >> shift_of(channel),
				 &is_terminal);
	}
}

/* What has waited for a mask, a mode or a command. */
static void software_requests(struct dma8237 *dma)
{
	unsigned channel;

	for (channel = 0; channel < DMA_CHANNELS; channel++)
		software_request(dma, channel);
}

/* ---- Registers --------------------------------------------------------- */

static void byte_write(uint16_t *to, bool is_high, uint8_t value)
{
	*to = (uint16_t)(is_high ? (*to & 0x00ff) | value << 8
				 : (*to & 0xff00) | value);
}

static void channel_write(struct dma8237_controller *controller,
			  unsigned number, uint8_t value)
{
	struct dma8237_channel *ch = &controller->channel[number / 2];
	bool is_high = controller->is_high;

	controller->is_high = !is_high;
	if (number & 1) {
		byte_write(&ch->base_count, is_high, value);
		byte_write(&ch->count, is_high, value);
	} else {
		byte_write(&ch->base_address, is_high, value);
		byte_write(&ch->address, is_high, value);
	}
}

static uint8_t channel_read(struct dma8237_controller *controller,
			    unsigned number)
{
	const struct dma8237_channel *ch = &controller->channel[number / 2];
	uint16_t value = number & 1 ? ch->count : ch->address;
	bool is_high = controller->is_high;

	controller->is_high = !is_high;
	return (uint8_t)(is_high ? value >> 8 : value);
}

static void bit_write(uint8_t *to, uint8_t value)
{
	uint8_t bit = (uint8_t)BIT(FIELD_GET(SELECT, value));

	*to = (uint8_t)(value & SELECT_SET ? *to | bit : *to & ~bit);
}

static void master_clear(struct dma8237_controller *controller)
{
	controller->command = 0;
	controller->complete = 0;
	controller->software = 0;
	controller->is_high = false;
	controller->mask = MASK_ALL;
}

static void register_write(struct dma8237 *dma, unsigned index, unsigned number,
			   uint8_t value)
{
	struct dma8237_controller *controller = &dma->state.controller[index];

	switch (number) {
	case REGISTER_COMMAND:
		controller->command = value;
		break;
	case REGISTER_REQUEST:
		bit_write(&controller->software, value);
		break;
	case REGISTER_MASK_ONE:
		bit_write(&controller->mask, value);
		break;
	case REGISTER_MODE:
		controller->channel[FIELD_GET(SELECT, value)].mode = value;
		break;
	case REGISTER_CLEAR_POINTER:
		controller->is_high = false;
		break;
	case REGISTER_MASTER_CLEAR:
		master_clear(controller);
		break;
	case REGISTER_CLEAR_MASK:
		controller->mask = 0;
		break;
	case REGISTER_MASK_ALL:
		controller->mask = value & MASK_ALL;
		break;
	default:
		channel_write(controller, number, value);
		return;
	}
	software_requests(dma);
}

static uint8_t status_read(struct dma8237 *dma, unsigned index)
{
	struct dma8237_controller *controller = &dma->state.controller[index];
	unsigned requests =
		dma->state.requests >> (index * DMA_CHANNELS_OF_ONE) |
		controller->software;
	uint8_t status =
		(uint8_t)((requests & MASK_ALL) << 4 | controller->complete);

	controller->complete = 0;
	return status;
}

static uint8_t register_read(struct dma8237 *dma, unsigned index,
			     unsigned number)
{
	struct dma8237_controller *controller = &dma->state.controller[index];

	if (number < REGISTER_COMMAND)
		return channel_read(controller, number);
	if (number == REGISTER_COMMAND)
		return status_read(dma, index);
	if (number == REGISTER_MASTER_CLEAR)
		return 0;
	if (number == REGISTER_MASK_ALL)
		return controller->mask | (uint8_t)~MASK_ALL;
	return FLOATING;
}

static void access_one(struct dma8237 *dma, unsigned index, unsigned number,
		       struct io_access *io)
{
	if (io->is_write)
		register_write(dma, index, number, (uint8_t)io->data);
	else
		io->data = register_read(dma, index, number);
}

static void first_access(void *opaque, struct io_access *io)
{
	access_one(opaque, 0, (unsigned)io->offset, io);
}

static void second_access(void *opaque, struct io_access *io)
{
	access_one(opaque, 1, (unsigned)io->offset / 2, io);
}

static void page_access(void *opaque, struct io_access *io)
{
	struct dma8237 *dma = opaque;

	if (io->is_write)
		dma->state.page[io->offset] = (uint8_t)io->data;
	else
		io->data = dma->state.page[io->offset];
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field channel_fields[] = {
	STATE_VALUE(struct dma8237_channel, base_address),
	STATE_VALUE(struct dma8237_channel, base_count),
	STATE_VALUE(struct dma8237_channel, address),
	STATE_VALUE(struct dma8237_channel, count),
	STATE_VALUE(struct dma8237_channel, mode),
	STATE_RESERVED(struct dma8237_channel, reserved),
};

static const struct state_description channel_description =
	STATE_DESCRIPTION(struct dma8237_channel, channel_fields);

static const struct state_field controller_fields[] = {
	STATE_STRUCTS(struct dma8237_controller, channel, &channel_description),
	STATE_VALUE(struct dma8237_controller, command),
	STATE_VALUE(struct dma8237_controller, mask, .reset = MASK_ALL,
		    .max = MASK_ALL),
	STATE_VALUE(struct dma8237_controller, software, .max = MASK_ALL),
	STATE_VALUE(struct dma8237_controller, complete, .max = MASK_ALL),
	STATE_VALUE(struct dma8237_controller, is_high),
	STATE_RESERVED(struct dma8237_controller, reserved),
};

static const struct state_description controller_description =
	STATE_DESCRIPTION(struct dma8237_controller, controller_fields);

static const struct state_field fields[] = {
	STATE_STRUCTS(struct dma8237_state, controller,
		      &controller_description),
	STATE_ARRAY(struct dma8237_state, page),
	STATE_VALUE(struct dma8237_state, requests, .flags = STATE_KEPT),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct dma8237_state, fields);

const struct device_ops dma8237_ops = {
	.name = "dma8237",
	.version = 1,
	.state = &description,
};

/* ---- Life -------------------------------------------------------------- */

void dma8237_reset(struct dma8237 *dma)
{
	device_reset(&dma->device);
}

int dma8237_init(struct dma8237 *dma, struct bus *ports,
		 const struct guest_ram *ram)
{
	const struct io_region regions[] = {
		{ .name = "dma-1",
		  .base = FIRST_BASE,
		  .length = FIRST_LENGTH,
		  .fn = first_access,
		  .dev = dma,
		  .width_max = 1 },
		{ .name = "dma-2",
		  .base = SECOND_BASE,
		  .length = SECOND_LENGTH,
		  .fn = second_access,
		  .dev = dma,
		  .width_max = 1 },
		{ .name = "dma-pages",
		  .base = PAGE_BASE,
		  .length = DMA_PAGES,
		  .fn = page_access,
		  .dev = dma,
		  .width_max = 1 },
	};
	unsigned i;
	int error = 0;

	memset(dma, 0, sizeof(*dma));
	dma->ram = ram;
	device_init(&dma->device, &dma8237_ops, dma, &dma->state);
	for (i = 0; i < ARRAY_SIZE(regions) && !error; i++)
		error = bus_add(ports, &regions[i]);
	return error;
}
