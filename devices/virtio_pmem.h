/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio persistent memory device: it tells the driver where in
 * guest-physical memory an image is, which the board has put there, and answers
 * flushes.  The image cannot be written, so that what a flush asks for is
 * always done.
 *
 * References: VIRTIO 1.2, 5.19 "PMEM Device".
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_PMEM_H
#define BULKHEAD_DEVICES_VIRTIO_PMEM_H

#include "devices/virtio.h"

/* What drivers map it by: start and size are multiples. */
#define VIRTIO_PMEM_ALIGN MIB(2)

struct virtio_pmem_layout {
	uint64_t start, size; /* bytes */
};

struct virtio_pmem_config {
	struct pci_bus *pci;
	const struct guest_ram *ram;
	const struct device_log *log;
	struct clock *clock;
	uint8_t devfn;
	struct virtio_pmem_layout layout;
};

struct virtio_pmem_state {
	struct virtio_state virtio;
	uint64_t more_ns; /* requests wait for it; or CLOCK_NEVER */
};

struct virtio_pmem {
	struct device device;
	struct virtio_pmem_state state;
	struct virtio virtio;
	struct virtio_pmem_layout layout;
	struct clock *clock;
	struct clock_timer more;
};

extern const struct device_ops virtio_pmem_ops;

/* -EINVAL: of no size, or not aligned; and as virtio_init(). */
int __must_check virtio_pmem_init(struct virtio_pmem *pmem,
				  const struct virtio_pmem_config *config);

#endif
