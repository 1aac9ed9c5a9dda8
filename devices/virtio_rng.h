/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio entropy device: fills what the driver gives it, VIRTIO_RNG_RUN bytes
 * at once and as many again each VIRTIO_RNG_PERIOD_NS, so that a driver which
 * never has enough keeps neither the machine's lock nor its processor.
 *
 * References: VIRTIO 1.2, 5.4 "Entropy Device".
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_RNG_H
#define BULKHEAD_DEVICES_VIRTIO_RNG_H

#include "devices/virtio.h"

#define VIRTIO_RNG_RUN	     1024
#define VIRTIO_RNG_PERIOD_NS (5 * NSEC_PER_MS)

struct virtio_rng_config {
	struct pci_bus *pci;
	const struct guest_ram *ram;
	struct clock *clock;
	const struct device_log *log;
	uint8_t devfn;
	bool is_transitional;
	/* Random bytes; does not fail. */
	void (*entropy)(void *ctx, void *to, size_t size);
	void *ctx;
};

struct virtio_rng_state {
	struct virtio_state virtio;
	uint64_t more_ns; /* when there are more; CLOCK_NEVER: none are owed */
	uint64_t full_ns; /* from then on VIRTIO_RNG_RUN bytes are there */
	uint32_t left;	  /* bytes, until then */
	uint8_t reserved[4];
};

struct virtio_rng {
	struct device device;
	struct virtio_rng_config config;
	struct virtio_rng_state state;
	struct virtio virtio;
	struct clock_timer more;
};

extern const struct device_ops virtio_rng_ops;

/* As virtio_init(). */
int __must_check virtio_rng_init(struct virtio_rng *rng,
				 const struct virtio_rng_config *config);

#endif
