/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of all boards' wiring: see board_parts.h. */
#include "machine/board_parts.h"

#include "machine/topology.h"

#define EXIT_PORT 0xf4

const struct machine_blob *board_blob(const struct machine_config *config,
				      enum machine_blob_kind kind)
{
	unsigned i;

	for (i = 0; i < config->blob_count; i++)
		if (config->blob[i].kind == kind)
			return &config->blob[i];
	return NULL;
}

void board_topology_describe(struct board_description *board,
			     const struct machine_config *config)
{
	board->cores = MAX(config->cores, 1U);
	board->threads = MAX(config->threads, 1U);
	for (unsigned i = 0; i < board->vcpu_count; i++)
		board->apic_id[i] = (uint8_t)topology_apic_id(
			board->cores, board->threads, i);
}

static const void *blob_data(const struct machine_blob *blob, uint64_t *length)
{
	*length = blob ? blob->size : 0;
	return blob ? (const void *)blob->va : NULL;
}

struct direct_boot board_direct_boot(const struct machine_config *config,
				     const struct board_host_ops *ops,
				     void *ctx)
{
	struct direct_boot boot = { .cmdline = config->cmdline,
				    .fill = ops->fill,
				    .fill_ctx = ctx };

	boot.kernel = blob_data(board_blob(config, MACHINE_BLOB_KERNEL),
				&boot.kernel_length);
	boot.initrd = blob_data(board_blob(config, MACHINE_BLOB_INITRD),
				&boot.initrd_length);
	return boot;
}

void board_serial_input(struct uart *uart,
			size_t (*read)(void *ctx, void *data, size_t size),
			void *ctx)
{
	uint8_t bytes[UART_FIFO];
	size_t count, i;

	if (!read || !uart_room(uart))
		return;
	count = read(ctx, bytes, uart_room(uart));
	for (i = 0; i < count; i++)
		uart_receive(uart, bytes[i]);
}

int board_debug_init(struct debug_ports *debug, struct bus *ports,
		     const struct board_config *config,
		     void (*exit)(void *ctx, uint32_t code), void *ctx)
{
	const struct board_host_ops *ops = config->ops;
	uint32_t devices = config->machine->devices;
	bool is_shown = devices & MACHINE_DEVICE_DEBUG_CONSOLE;
	struct char_backend console = {
		is_shown ? ops->debug_write : NULL,
		config->ctx,
	};
	struct char_backend hack = {
		is_shown ? ops->e9_write : NULL,
		config->ctx,
	};

	return debug_ports_init(
		debug, ports, console, hack,
		devices & MACHINE_DEVICE_DEBUG_EXIT ? EXIT_PORT : 0, exit, ctx);
}
