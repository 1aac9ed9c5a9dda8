/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The debug ports.  See debug_ports.h.
 *
 * References: QEMU documentation, "isa-debugcon", "isa-debug-exit"; Bochs
 * user manual, "port_e9_hack".
 */
#include "devices/debug_ports.h"

#include "devices/state.h"
#include "lib/string.h"

#define PORT_DIAGNOSTIC 0x80
#define PORT_HACK	0xe9
#define PORT_CONSOLE	0x402
#define EXIT_LENGTH	4

/* What the consoles read as: how software finds out that they are there. */
#define PRESENT 0xe9

static void put(const struct char_backend *backend, const struct io_access *io)
{
	uint8_t byte = (uint8_t)io->data;

	backend->write(backend->ctx, &byte, 1);
}

static void console_access(void *opaque, struct io_access *io)
{
	struct debug_ports *debug = opaque;

	if (io->is_write)
		put(&debug->console, io);
	else
		io->data = PRESENT;
}

static void hack_access(void *opaque, struct io_access *io)
{
	struct debug_ports *debug = opaque;

	if (io->is_write)
		put(&debug->hack, io);
	else
		io->data = PRESENT;
}

static uint32_t write_bulk(const struct char_backend *backend,
			   const struct io_access *io, const void *buf,
			   uint32_t count)
{
	if (!io->is_write)
		return 0;
	backend->write(backend->ctx, buf, count);
	return count;
}

static uint32_t console_bulk(void *opaque, struct io_access *io, void *buf,
			     uint32_t count)
{
	struct debug_ports *debug = opaque;

	return write_bulk(&debug->console, io, buf, count);
}

static uint32_t hack_bulk(void *opaque, struct io_access *io, void *buf,
			  uint32_t count)
{
	struct debug_ports *debug = opaque;

	return write_bulk(&debug->hack, io, buf, count);
}

static void diagnostic_access(void *opaque, struct io_access *io)
{
	struct debug_ports *debug = opaque;

	if (!io->is_write) {
		io->data = debug->state.diagnostic;
		return;
	}
	if (debug->post.write && debug->state.diagnostic != (uint8_t)io->data)
		put(&debug->post, io);
	debug->state.diagnostic = (uint8_t)io->data;
}

static void exit_access(void *opaque, struct io_access *io)
{
	struct debug_ports *debug = opaque;

	if (!io->is_write)
		io->data = 0;
	else if (debug->exit)
		debug->exit(debug->ctx, (uint32_t)io->data);
}

static const struct state_field fields[] = {
	STATE_VALUE(struct debug_ports_state, diagnostic),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct debug_ports_state, fields);

const struct device_ops debug_ports_ops = {
	.name = "debug_ports",
	.version = 1,
	.state = &description,
};

void debug_ports_reset(struct debug_ports *debug)
{
	device_reset(&debug->device);
}

int debug_ports_init(struct debug_ports *debug, struct bus *ports,
		     struct char_backend console, struct char_backend hack,
		     uint16_t exit_port, void (*exit)(void *ctx, uint32_t code),
		     void *ctx)
{
	const struct {
		bool is_wanted;
		struct io_region region;
	} rows[] = {
		{ true,
		  { .name = "diagnostic",
		    .base = PORT_DIAGNOSTIC,
		    .length = 1,
		    .fn = diagnostic_access,
		    .dev = debug,
		    .width_max = 1 } },
		{ hack.write,
		  { .name = "port-e9",
		    .base = PORT_HACK,
		    .length = 1,
		    .fn = hack_access,
		    .dev = debug,
		    .width_max = 1,
		    .bulk = hack_bulk } },
		{ console.write,
		  { .name = "debug-console",
		    .base = PORT_CONSOLE,
		    .length = 1,
		    .fn = console_access,
		    .dev = debug,
		    .width_max = 1,
		    .bulk = console_bulk } },
		{ exit_port != 0,
		  { .name = "debug-exit",
		    .base = exit_port,
		    .length = EXIT_LENGTH,
		    .fn = exit_access,
		    .dev = debug } },
	};
	unsigned i;
	int error = 0;

	memset(debug, 0, sizeof(*debug));
	device_init(&debug->device, &debug_ports_ops, debug, &debug->state);
	debug->console = console;
	debug->hack = hack;
	debug->exit = exit;
	debug->ctx = ctx;
	for (i = 0; i < ARRAY_SIZE(rows) && !error; i++)
		if (rows[i].is_wanted)
			error = bus_add(ports, &rows[i].region);
	return error;
}
