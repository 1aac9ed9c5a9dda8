/* SPDX-License-Identifier: BSD-2-Clause */
/* The test device.  See test_device.h. */
#include "devices/test_device.h"

#include "devices/bus.h"
#include "devices/state.h"
#include "lib/string.h"

#define PORT_DATA  0xe0
#define PORT_FLUSH 0xe4
#define PORT_BYTES 0xe8
#define PORT_LINES 0x2000
#define DATA_SIZE  4

static void data_access(void *opaque, struct io_access *io)
{
	struct test_device *test = opaque;
	unsigned shift = 8 * (unsigned)io->offset;
	uint32_t mask = (uint32_t)(MASK(8 * io->size - 1, 0) << shift);

	if (!io->is_write)
		io->data = (test->state.data & mask) >> shift;
	else
		test->state.data = (test->state.data & ~mask) |
				   ((uint32_t)io->data << shift & mask);
}

static void flush_access(void *opaque, struct io_access *io)
{
	(void)opaque;
	if (!io->is_write)
		io->data = 0;
}

static void line_tell(struct test_device *test, unsigned line)
{
	const struct irq_line out = { test->out.set, test->out.sink,
				      test->out.pin + line };

	irq_line_set(&out, test->state.lines & BIT(line));
}

static void line_access(void *opaque, struct io_access *io)
{
	struct test_device *test = opaque;
	unsigned line = (unsigned)io->offset;
	uint32_t bit = (uint32_t)BIT(line);

	if (!io->is_write) {
		io->data = 0;
		return;
	}
	if (io->data)
		test->state.lines |= bit;
	else
		test->state.lines &= ~bit;
	line_tell(test, line);
}

static void memory_access(void *opaque, struct io_access *io)
{
	struct test_device *test = opaque;

	if (io->is_write) {
		memcpy(test->memory + io->offset, &io->data, io->size);
		return;
	}
	io->data = 0;
	memcpy(&io->data, test->memory + io->offset, io->size);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct test_device_state, data),
	STATE_VALUE(struct test_device_state, lines,
		    .max = MASK(TEST_DEVICE_LINES - 1, 0)),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct test_device_state, fields);

static void tell_lines(void *opaque)
{
	for (unsigned line = 0; line < TEST_DEVICE_LINES; line++)
		line_tell(opaque, line);
}

const struct device_ops test_device_ops = {
	.name = "test_device",
	.version = 1,
	.state = &description,
	.reset = tell_lines,
	.restored = tell_lines,
};

int test_device_init(struct test_device *test, struct bus *ports,
		     struct bus *memory_bus, uint8_t *memory, bool has_bytes,
		     struct irq_line out)
{
	const struct {
		struct bus *bus;
		struct io_region region;
	} rows[] = {
		{ ports,
		  { .name = "test-data",
		    .base = PORT_DATA,
		    .length = DATA_SIZE,
		    .fn = data_access,
		    .dev = test } },
		{ ports,
		  { .name = "test-flush",
		    .base = PORT_FLUSH,
		    .length = DATA_SIZE,
		    .fn = flush_access,
		    .dev = test } },
		{ ports,
		  { .name = "test-lines",
		    .base = PORT_LINES,
		    .length = TEST_DEVICE_LINES,
		    .fn = line_access,
		    .dev = test,
		    .width_max = 1 } },
		{ memory_bus,
		  { .name = "test-memory",
		    .base = TEST_DEVICE_BASE,
		    .length = TEST_DEVICE_MEMORY,
		    .fn = memory_access,
		    .dev = test,
		    .width_max = 8 } },
		{ has_bytes ? ports : NULL,
		  { .name = "test-bytes",
		    .base = PORT_BYTES,
		    .length = DATA_SIZE,
		    .fn = data_access,
		    .dev = test,
		    .width_max = 1 } },
	};
	int error = 0;

	memset(test, 0, sizeof(*test));
	device_init(&test->device, &test_device_ops, test, &test->state);
	test->out = out;
	test->memory = memory;
	for (unsigned i = 0; i < ARRAY_SIZE(rows) && !error; i++)
		if (rows[i].bus)
			error = bus_add(rows[i].bus, &rows[i].region);
	return error;
}
