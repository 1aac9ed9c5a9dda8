/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware configuration device.  See fw_cfg.h for what is modelled and
 * what is not.
 *
 * References: QEMU documentation, "QEMU Firmware Configuration (fw_cfg)
 * Device".
 */
#include "devices/fw_cfg.h"

#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

#define PORT_SELECT 0x510
#define PORT_DMA    0x514

#define KEY_WRITE	BIT(14)
#define FIRST_ARCH_ITEM (FW_CFG_ITEMS + FW_CFG_FILES)
#define SELECTED_NONE	UINT32_MAX

#define ID_TRADITIONAL BIT(0)
#define ID_DMA	       BIT(1)

#define DMA_ERROR  BIT(0)
#define DMA_READ   BIT(1)
#define DMA_SKIP   BIT(2)
#define DMA_SELECT BIT(3)
#define DMA_WRITE  BIT(4)
#define DMA_KEY	   MASK(31, 16)

static const char dma_signature[8] = "QEMU CFG";

/* ---- Big-endian -------------------------------------------------------- */

static void put_be(uint8_t *to, uint64_t value, unsigned size)
{
	while (size--) {
		to[size] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get_be(const uint8_t *from, unsigned size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | *from++;
	return value;
}

/* ---- Reading ----------------------------------------------------------- */

static const struct fw_cfg_item *selected(const struct fw_cfg *fw_cfg)
{
	if (fw_cfg->state.selected < ARRAY_SIZE(fw_cfg->item))
		return &fw_cfg->item[fw_cfg->state.selected];
	return NULL;
}

/* Which item a key names; SELECTED_NONE: no such. */
static uint32_t item_of_key(uint16_t key)
{
	uint32_t item = key & (uint16_t)~KEY_WRITE;

	if (item >= FW_CFG_ARCH)
		item += FIRST_ARCH_ITEM - FW_CFG_ARCH;
	else if (item >= FIRST_ARCH_ITEM)
		return SELECTED_NONE;
	return item < FW_CFG_ALL ? item : SELECTED_NONE;
}

static void select_key(struct fw_cfg *fw_cfg, uint16_t key)
{
	fw_cfg->state.selected = item_of_key(key);
	fw_cfg->state.position = 0;
}

/* The next bytes of the item into to (NULL: skipped); zeroes after its end. */
static void take(struct fw_cfg *fw_cfg, uint8_t *to, uint32_t length)
{
	const struct fw_cfg_item *item = selected(fw_cfg);
	uint32_t left = 0;

	if (item && fw_cfg->state.position < item->length)
		left = MIN(item->length - fw_cfg->state.position, length);
	if (to) {
		if (left)
			memcpy(to, item->data + fw_cfg->state.position, left);
		memset(to + left, 0, length - left);
	}
	fw_cfg->state.position += left;
}

static void port_access(void *opaque, struct io_access *io)
{
	struct fw_cfg *fw_cfg = opaque;

	if (io->is_write) {
		if (io->offset == 0 && io->size == 2)
			select_key(fw_cfg, (uint16_t)io->data);
	} else if (io->size == 1) {
		uint8_t byte = 0;

		if (io->offset == 1)
			take(fw_cfg, &byte, 1);
		io->data = byte;
	}
}

static uint32_t port_bulk(void *opaque, struct io_access *io, void *buf,
			  uint32_t count)
{
	if (io->is_write || io->size != 1 || io->offset != 1)
		return 0;
	take(opaque, buf, count);
	return count;
}

/* ---- DMA --------------------------------------------------------------- */

struct dma_command {
	uint8_t control[4];
	uint8_t length[4];
	uint8_t address[8];
};
ASSERT_SIZE(struct dma_command, 16);

/* A page at a time, so that RAM ranges may end anywhere. */
static bool dma_read(struct fw_cfg *fw_cfg, gpa_t gpa, uint32_t length)
{
	while (length) {
		uint32_t piece = (uint32_t)MIN(
			PAGE_SIZE - (gpa & (PAGE_SIZE - 1)), length);
		uint8_t *to = guest_ram_at(fw_cfg->ram, gpa, piece);

		if (!to)
			return false;
		take(fw_cfg, to, piece);
		gpa += piece;
		length -= piece;
	}
	return true;
}

static void dma_run(struct fw_cfg *fw_cfg, gpa_t command_gpa)
{
	struct dma_command *shared =
		guest_ram_at(fw_cfg->ram, command_gpa, sizeof(*shared));
	struct dma_command command;
	uint32_t control, length;
	bool is_ok = true;

	if (!shared)
		return;
	/* Read once: the guest may change it under our hands. */
	memcpy(&command, shared, sizeof(command));
	control = (uint32_t)get_be(command.control, 4);
	length = (uint32_t)get_be(command.length, 4);
	if (control & DMA_SELECT)
		select_key(fw_cfg, (uint16_t)FIELD_GET(DMA_KEY, control));
	if (control & DMA_READ)
		is_ok = dma_read(fw_cfg, get_be(command.address, 8), length);
	else if (control & DMA_WRITE)
		is_ok = false; /* nothing is writable */
	else if (control & DMA_SKIP)
		take(fw_cfg, NULL, length);
	put_be(shared->control, is_ok ? 0 : DMA_ERROR, 4);
}

static void dma_access(void *opaque, struct io_access *io)
{
	struct fw_cfg *fw_cfg = opaque;

	if (!io->is_write) {
		io->data = 0;
		if (io->offset + io->size <= sizeof(dma_signature))
			memcpy(&io->data, dma_signature + io->offset, io->size);
		return;
	}
	if (io->size != 4)
		return;
	if (io->offset == 0) {
		fw_cfg->state.dma_high = (uint32_t)io->data;
	} else if (io->offset == 4) {
		/* Both halves arrive byte-swapped; the second one starts. */
		gpa_t gpa = (gpa_t)__builtin_bswap32(fw_cfg->state.dma_high)
				    << 32 |
			    __builtin_bswap32((uint32_t)io->data);

		fw_cfg->state.dma_high = 0;
		dma_run(fw_cfg, gpa);
	}
}

/* ---- Contents ---------------------------------------------------------- */

int fw_cfg_add_item(struct fw_cfg *fw_cfg, uint16_t key, const void *data,
		    uint32_t length)
{
	uint32_t item = item_of_key(key);

	if (item == SELECTED_NONE ||
	    (item >= FW_CFG_FILE_FIRST && item < FIRST_ARCH_ITEM))
		return -EINVAL;
	fw_cfg->item[item] = (struct fw_cfg_item){ data, length };
	return 0;
}

int fw_cfg_add_value(struct fw_cfg *fw_cfg, uint16_t key, uint64_t value,
		     unsigned size)
{
	uint32_t item = item_of_key(key);

	if (item == SELECTED_NONE ||
	    (size != 1 && size != 2 && size != 4 && size != 8))
		return -EINVAL;
	memcpy(fw_cfg->small[item], &value, size);
	return fw_cfg_add_item(fw_cfg, key, fw_cfg->small[item], size);
}

int fw_cfg_add_file(struct fw_cfg *fw_cfg, const char *name, const void *data,
		    uint32_t length)
{
	unsigned i, number = fw_cfg->file_count;
	struct fw_cfg_file *file;
	size_t name_length = strlen(name);

	if (name_length >= FW_CFG_NAME)
		return -EINVAL;
	for (i = 0; i < number; i++)
		if (!strcmp(fw_cfg->directory.file[i].name, name))
			return -EEXIST;
	if (number == FW_CFG_FILES)
		return -ENOSPC;
	file = &fw_cfg->directory.file[number];
	memcpy(file->name, name, name_length);
	put_be(file->size, length, 4);
	put_be(file->select, FW_CFG_FILE_FIRST + number, 2);
	fw_cfg->item[FW_CFG_FILE_FIRST + number] =
		(struct fw_cfg_item){ data, length };
	fw_cfg->file_count++;
	put_be(fw_cfg->directory.count, fw_cfg->file_count, 4);
	fw_cfg->item[FW_CFG_FILE_DIR].length =
		4 + fw_cfg->file_count * (uint32_t)sizeof(*file);
	return 0;
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct fw_cfg_state, selected, .reset = FW_CFG_SIGNATURE),
	STATE_VALUE(struct fw_cfg_state, position),
	STATE_VALUE(struct fw_cfg_state, dma_high),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct fw_cfg_state, fields);

const struct device_ops fw_cfg_ops = {
	.name = "fw_cfg",
	.version = 1,
	.state = &description,
};

/* ---- Life -------------------------------------------------------------- */

void fw_cfg_reset(struct fw_cfg *fw_cfg)
{
	device_reset(&fw_cfg->device);
}

int fw_cfg_init(struct fw_cfg *fw_cfg, struct bus *ports,
		const struct guest_ram *ram)
{
	static const uint8_t signature[4] = { 'Q', 'E', 'M', 'U' };
	const struct io_region port = {
		.name = "fw-cfg",
		.base = PORT_SELECT,
		.length = 2,
		.fn = port_access,
		.dev = fw_cfg,
		.width_max = 2,
		.bulk = port_bulk,
	};
	const struct io_region dma = {
		.name = "fw-cfg-dma",
		.base = PORT_DMA,
		.length = 8,
		.fn = dma_access,
		.dev = fw_cfg,
	};
	int error;

	memset(fw_cfg, 0, sizeof(*fw_cfg));
	fw_cfg->ram = ram;
	device_init(&fw_cfg->device, &fw_cfg_ops, fw_cfg, &fw_cfg->state);
	fw_cfg->item[FW_CFG_SIGNATURE] =
		(struct fw_cfg_item){ signature, sizeof(signature) };
	fw_cfg->item[FW_CFG_FILE_DIR] =
		(struct fw_cfg_item){ (const uint8_t *)&fw_cfg->directory, 4 };
	error = fw_cfg_add_value(fw_cfg, FW_CFG_ID,
				 ID_TRADITIONAL | (ram ? ID_DMA : 0), 4);
	if (error)
		return error;
	error = bus_add(ports, &port);
	if (error || !ram)
		return error;
	return bus_add(ports, &dma);
}
