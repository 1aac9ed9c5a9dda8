/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports of the host's: what the guest does there, the machine does, by the
 * gate.  The device behind them is the host's: a reset of the guest does not
 * reach it, and no saved state has it.
 */
#include "machine/pc_parts.h"

static void access_host(void *opaque, struct io_access *io)
{
	const struct pc_host_ports *ports = opaque;
	struct pc *pc = ports->pc;
	uint16_t port = (uint16_t)(ports->first + io->offset);

	if (io->is_write)
		pc->ops->port_write(pc->ctx, port, io->size,
				    (uint32_t)io->data);
	else
		io->data = pc->ops->port_read(pc->ctx, port, io->size);
}

int pc_ports_init(struct pc *pc)
{
	int error = 0;

	for (unsigned i = 0; i < MACHINE_PORTS_MAX && !error; i++) {
		const struct machine_ports *config = &pc->config->ports[i];
		const struct io_region region = {
			.name = "host",
			.base = config->first,
			.length = config->count,
			.fn = access_host,
			.dev = &pc->host_ports[i],
		};

		if (!config->count)
			continue;
		pc->host_ports[i] = (struct pc_host_ports){ pc, config->first };
		error = bus_add(&pc->ports, &region);
	}
	return error;
}
