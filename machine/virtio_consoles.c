/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's virtio console: machine/virtio_consoles.h. */
#include "machine/virtio_consoles.h"

#include "include/errno.h"
#include "include/face.h"

int virtio_consoles_init(struct virtio_consoles *consoles,
			 const struct virtio_wiring *wiring, bool has_uart)
{
	const struct board_config *board = wiring->config;
	const struct machine_config *machine = board->machine;
	const struct board_host_ops *ops = board->ops;
	const struct virtio_console_config config = {
		.pci = wiring->pci,
		.ram = wiring->ram,
		.clock = board->clock,
		.log = wiring->log,
		.devfn = PCI_DEVFN(VIRTIO_SLOT_CONSOLE, 0),
		.is_transitional = wiring->is_transitional,
		.port_count = machine->devices & MACHINE_DEVICE_SERIAL1 ? 2 : 1,
		.port = { { .output = { ops->serial_write, board->ctx },
			    .input = ops->serial_read,
			    .is_second = has_uart },
			  { .name = "serial1",
			    .output = { ops->serial1_write, board->ctx },
			    .input = ops->serial1_read,
			    .is_second = has_uart } },
	};
	int error;

	if (machine->board != MACHINE_BOARD_PV &&
	    !(machine->devices & MACHINE_DEVICE_VIRTIO_CONSOLE))
		return 0;
	error = virtio_console_init(&consoles->console, &config);
	if (error)
		return error;
	consoles->is_there = true;
	return device_list_add(wiring->devices, &consoles->console.device);
}

void virtio_consoles_input(struct virtio_consoles *consoles)
{
	for (unsigned i = 0; consoles->is_there && i < VIRTIO_CONSOLE_PORTS;
	     i++)
		virtio_console_input(&consoles->console, i);
}

int virtio_consoles_size(struct virtio_consoles *consoles, uint32_t size)
{
	if (!consoles->is_there)
		return -ENODEV;
	virtio_console_size(&consoles->console, FACE_TERMINAL_COLUMNS(size),
			    FACE_TERMINAL_ROWS(size));
	return 0;
}

bool virtio_consoles_has_input(const struct virtio_consoles *consoles,
			       unsigned port)
{
	return consoles->is_there &&
	       virtio_console_has_spoken(&consoles->console, port);
}
