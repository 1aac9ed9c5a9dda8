/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio 1.x device on PCI, without its queues' contents and its kind: where
 * its registers are, the handshake, features, queues, interrupts.
 *
 *	probe -> reset -> features -> queue_setup ... -> start
 *	         ^------------------------------------------'
 *
 * Legacy devices, and those that can be driven only as such, are refused.  The
 * device is not believed: registers that it says are outside their BAR are not
 * there, no wait for it is endless, and whatever fails leaves its reason in
 * *why, which follows the device's name in a sentence.
 *
 * Pure: no gate, no globals.  Not locked: one thread.
 */
#ifndef BULKHEAD_DRIVERS_VIRTIO_PCI_H
#define BULKHEAD_DRIVERS_VIRTIO_PCI_H

#include "drivers/pci_access.h"
#include "include/virtio.h"

/* A device that is not through with a reset by then never will be. */
#define VIRTIO_RESET_NS (1000 * NSEC_PER_MS)

/* Bytes of a BAR that are another's. */
struct virtio_hole {
	unsigned bar;
	uint64_t start, end;
};

/* A structure of registers. */
struct virtio_area {
	uint8_t *va; /* NULL: not found */
	uint32_t length;
};

struct virtio_pci {
	const struct pci_access *pci;
	const char *why; /* the last failure's */
	struct virtio_area common, notify, isr, device;
	uint32_t notify_multiplier;
	struct virtio_hole hole[2]; /* pages of MSI-X: not mapped */
	uint16_t queue_count;	    /* that the device has */
	uint64_t offered, features;
};

/* A queue's areas, at the device's addresses. */
struct virtio_queue_spec {
	uint16_t size;	 /* descriptors: a power of two */
	uint16_t vector; /* for MSI-X */
	uint64_t descriptors, available, used;
};

/* Where a queue is notified. */
struct virtio_doorbell {
	void *at;
	uint16_t index;
};

/*
 * Finds the registers and turns on memory access.  *pci stays the driver's.
 * -ENODEV: another device, or not one of virtio 1.x; -EPROTO: it contradicts
 * itself, or has its registers in pages with those of MSI-X.
 */
int __must_check virtio_pci_probe(struct virtio_pci *virtio,
				  const struct pci_access *pci,
				  uint16_t device);

/*
 * After it the device does not touch memory.  -EIO: it did not come to an end,
 * and memory that it was given may still be written.
 */
int __must_check virtio_pci_reset(struct virtio_pci *virtio);
/*
 * Where a reset does not come to an end: the device reaches no memory any more,
 * until virtio_pci_features().  -EIO: it cannot be kept from it.
 */
int __must_check virtio_pci_dma_off(struct virtio_pci *virtio);

/*
 * Reset before.  Turns on bus mastering.  Accepts those of wanted that are
 * offered, and what every device needs.  -ENODEV: no VERSION_1, or it does not
 * take them, or is no bus master.
 */
int __must_check virtio_pci_features(struct virtio_pci *virtio,
				     uint64_t wanted);

/* How many descriptors queue index may have; 0: it is not there.  -EPROTO. */
int __must_check virtio_pci_queue_max(struct virtio_pci *virtio,
				      uint16_t index);
/* -EPROTO: the device does not take it. */
int __must_check virtio_pci_queue_setup(struct virtio_pci *virtio,
					uint16_t index,
					const struct virtio_queue_spec *spec,
					struct virtio_doorbell *doorbell);
/* The MSI-X vector for changes of the configuration.  -EPROTO. */
int __must_check virtio_pci_config_vector(struct virtio_pci *virtio,
					  uint16_t vector);

/* From now on the device works.  -EPROTO: it does not. */
int __must_check virtio_pci_start(struct virtio_pci *virtio);
/* The driver gives up. */
void virtio_pci_fail(struct virtio_pci *virtio);
/* The device says that it works no longer: only a reset helps. */
bool virtio_pci_needs_reset(const struct virtio_pci *virtio);

void virtio_pci_notify(const struct virtio_pci *virtio,
		       const struct virtio_doorbell *doorbell);
/* INTx: VIRTIO_EVENT_* that happened since it was last asked; lowers it. */
uint8_t virtio_pci_events(const struct virtio_pci *virtio);

/* A field of the device's own configuration: offset aligned to size, 1, 2, 4.*/
struct virtio_field {
	uint8_t offset, size;
};

/*
 * All of count fields, none from before a change that others are from after.
 * Those beyond the configuration's end are 0.  -EPROTO: it never settles.
 */
int __must_check virtio_pci_config_get(struct virtio_pci *virtio,
				       const struct virtio_field *field,
				       unsigned count, uint32_t *value);
/* A byte.  -ERANGE: beyond the configuration's end. */
int __must_check virtio_pci_config_set(struct virtio_pci *virtio,
				       uint32_t offset, uint8_t value);

#endif
