/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio 1.x device on PCI: configuration space, registers, the handshake,
 * the device's sides of its queues.  Keeps to the specification unless told
 * otherwise, and holds the driver to it: what a driver must not do ends the
 * program.
 */
#ifndef BULKHEAD_TESTS_FAKE_VIRTIO_DEVICE_H
#define BULKHEAD_TESTS_FAKE_VIRTIO_DEVICE_H

#include "drivers/pci_access.h"
#include "tests/unit/fake/virtio/ring.h"

/* Where the registers are, all in one BAR; notify is 4 bytes a queue. */
#define FAKE_BAR	4
#define FAKE_BAR_SIZE	0x4000
#define FAKE_COMMON	0x0000
#define FAKE_ISR	0x1000
#define FAKE_CONFIG	0x2000
#define FAKE_NOTIFY	0x3000
#define FAKE_QUEUES	8
#define FAKE_CONFIG_MAX 64

/* Where the capabilities are in configuration space. */
#define FAKE_CAP(type) (0x40 + 0x20 * (type))
#define FAKE_CAP_MSIX  0xf0

struct fake_queue {
	uint16_t max, size, vector, notify_offset;
	bool is_enabled;
	uint64_t descriptors, available, used;
	struct fake_ring ring;
	unsigned notifications;
};

struct fake_virtio {
	struct pci_access access; /* the driver's */
	uint8_t pci_config[256];
	bool is_command_fixed; /* the command register cannot be written */
	uint8_t *bar;	       /* FAKE_BAR_SIZE bytes */
	struct fake_memory memory;
	uint64_t now_ns, step_ns; /* each look at the clock takes */

	uint64_t offered, accepted;
	uint32_t offered_select, accepted_select;
	uint16_t config_vector, queue_select, queue_count;
	uint8_t status, generation, isr;
	struct fake_queue queue[FAKE_QUEUES];
	uint8_t config[FAKE_CONFIG_MAX];

	/* What it does wrong. */
	unsigned reset_reads;	 /* of status, until it has been reset */
	bool is_feature_averse;	 /* takes no set of features */
	bool is_dying;		 /* needs a reset as soon as it starts */
	bool is_vector_averse;	 /* takes no vector */
	bool is_size_averse;	 /* takes no smaller queue */
	unsigned config_changes; /* one each time that a field was read */
	bool is_lenient;	 /* believes that anything may be read */

	unsigned reset_count;
	unsigned relaxed;    /* times that the driver waited */
	uint32_t interrupts; /* MSI-X: vectors that were raised */
	/* Called when the configuration's first byte has been read. */
	void (*config_changing)(struct fake_virtio *device);
	void (*config_written)(struct fake_virtio *device, unsigned offset);
	void (*was_reset)(struct fake_virtio *device);
};

/* As after power-on; bar and memory stay, the kind of device is given. */
void fake_virtio_init(struct fake_virtio *device, uint16_t kind);
void fake_virtio_fini(struct fake_virtio *device);

/* A capability, in the place of its type. */
void fake_virtio_cap(struct fake_virtio *device, unsigned type, unsigned bar,
		     uint32_t offset, uint32_t length);
/* Interrupts, as queue's vector or INTx; the configuration's. */
void fake_virtio_interrupt(struct fake_virtio *device, unsigned queue);
void fake_virtio_config_changed(struct fake_virtio *device);
/* Pushes to the ring and interrupts when asked to. */
void fake_virtio_push(struct fake_virtio *device, unsigned queue, uint32_t id,
		      uint32_t length);

#endif
