/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio console of one or two ports, the device's side.
 *
 * Output is passed on from where it lies in guest memory, a buffer at a time,
 * and each goes back as soon as it has gone.  A run of the device is bounded by
 * VIRTIO_CONSOLE_RUN bytes and as many buffers as a queue has: what is more
 * waits for its timer, so that a driver that never stops keeps nobody else from
 * the machine's lock.
 *
 * Input stays with whoever has it (`input`) until the driver has a buffer for
 * it and, where it speaks of ports at all (MULTIPORT), has opened the port.
 *
 * What the device has to tell of a port, that it is there, is the console, its
 * name, that somebody listens, its size, is a bit each, told in that order as
 * the driver gives buffers: nothing piles up.
 *
 * Port 0 has the size of the terminal before which somebody sits, once one is
 * told; the second serial port has none.
 *
 * Not modelled: ports that come and go.
 *
 * References: VIRTIO 1.2, 5.3 "Console Device".
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_CONSOLE_H
#define BULKHEAD_DEVICES_VIRTIO_CONSOLE_H

#include "devices/virtio.h"
#include "include/char.h"

#define VIRTIO_CONSOLE_PORTS 2
#define VIRTIO_CONSOLE_RUN   KIB(16)

struct virtio_console_port_config {
	const char *name; /* NULL: it is the console, which has none */
	struct char_backend output;
	/* At most size bytes; how many.  NULL: there never are any.  ctx is
	 * output's. */
	size_t (*input)(void *ctx, void *data, size_t size);
	/* Another device has the same input, until the driver has written
	 * something to this one. */
	bool is_second;
};

struct virtio_console_config {
	struct pci_bus *pci;
	const struct guest_ram *ram;
	struct clock *clock;
	const struct device_log *log;
	uint8_t devfn;
	bool is_transitional;
	unsigned port_count; /* 1 to VIRTIO_CONSOLE_PORTS */
	struct virtio_console_port_config port[VIRTIO_CONSOLE_PORTS];
};

struct virtio_console_port_state {
	uint32_t sent; /* bytes of the next buffer that have gone */
	uint8_t owed;  /* what the driver is to be told */
	bool is_open;  /* by the driver */
	bool has_spoken;
	bool is_ready; /* the driver has it, and may be told of it */
};

struct virtio_console_state {
	struct virtio_state virtio;
	uint64_t more_ns; /* when it runs again; CLOCK_NEVER */
	struct virtio_console_port_state port[VIRTIO_CONSOLE_PORTS];
	uint16_t columns, rows; /* of port 0; 0: nobody has said */
	uint8_t reserved[4];
};

struct virtio_console {
	struct device device;
	struct virtio_console_config config;
	struct virtio_console_state state;
	struct virtio virtio;
	struct clock_timer more;
	uint32_t budget; /* bytes of output, in this run */
	uint32_t chains; /* buffers, likewise */
};

extern const struct device_ops virtio_console_ops;

/* As virtio_init(). */
int __must_check
virtio_console_init(struct virtio_console *console,
		    const struct virtio_console_config *config);

/* There may be input for that port: takes what the driver has room for. */
void virtio_console_input(struct virtio_console *console, unsigned port);
/* The terminal of port 0 has another size, in characters: the driver is told.
 */
void virtio_console_size(struct virtio_console *console, uint16_t columns,
			 uint16_t rows);
/* The driver has written to the port since it started. */
bool virtio_console_has_spoken(const struct virtio_console *console,
			       unsigned port);

#endif
