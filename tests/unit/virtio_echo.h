/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device of the tests' own: what it reads of a chain it writes to the
 * same chain, each byte one more.  It keeps chains, and is late, as the test
 * says.
 */
#ifndef BULKHEAD_TESTS_UNIT_VIRTIO_ECHO_H
#define BULKHEAD_TESTS_UNIT_VIRTIO_ECHO_H

#include <string.h>

#include "devices/virtio.h"

#define ECHO_QUEUES 3
#define ECHO_SIZE   16 /* of a queue */
#define ECHO_CONFIG 10 /* bytes */
#define ECHO_KEPT   ECHO_SIZE
/* The kind's own: how its last byte, PCI, has it. */
#define ECHO_F_OWN  BIT(3)

struct echo_state {
	struct virtio_state virtio;
	uint8_t config[ECHO_CONFIG];
	uint8_t reserved[6];
};

struct echo {
	struct device device;
	struct echo_state state;
	struct virtio virtio;
	bool is_late;	  /* notified() only counts */
	bool is_stopping; /* as virtio_ops asks */
	unsigned notified, started, stopped, queue_stopped;
	int last; /* what take() said last */
	struct virtio_chain kept[ECHO_KEPT];
	unsigned kept_count;
};

static inline void echo_answer(struct echo *echo,
			       const struct virtio_chain *chain)
{
	uint8_t bytes[64];
	uint32_t done = 0, n;

	do {
		n = virtio_chain_read(chain, done, bytes, sizeof(bytes));
		for (uint32_t i = 0; i < n; i++)
			bytes[i]++;
		n = virtio_chain_write(chain, done, bytes, n);
		done += n;
	} while (n);
	virtio_queue_return(&echo->virtio, chain, done);
}

/* As real ones do: off, all there is, on, and again if there is more. */
static inline void echo_run(struct echo *echo, unsigned queue)
{
	struct virtio_chain chain;

	do {
		(void)virtio_queue_watch(&echo->virtio, queue, false);
		while ((echo->last = virtio_queue_take(&echo->virtio, queue,
						       &chain)) > 0)
			echo_answer(echo, &chain);
	} while (virtio_queue_watch(&echo->virtio, queue, true));
	virtio_queue_flush(&echo->virtio, queue);
}

static inline void echo_notified(void *dev, unsigned queue)
{
	struct echo *echo = dev;

	echo->notified++;
	if (!echo->is_late)
		echo_run(echo, queue);
}

static inline void echo_started(void *dev)
{
	((struct echo *)dev)->started++;
}

static inline void echo_stopped(void *dev)
{
	((struct echo *)dev)->stopped++;
}

static inline void echo_queue_stopped(void *dev, unsigned queue)
{
	(void)queue;
	((struct echo *)dev)->queue_stopped++;
}

static inline bool echo_is_stopping(const void *dev, unsigned queue)
{
	(void)queue;
	return ((const struct echo *)dev)->is_stopping;
}

static inline void echo_config_read(void *dev, unsigned offset, void *to,
				    unsigned size)
{
	memcpy(to, ((struct echo *)dev)->state.config + offset, size);
}

static inline void echo_config_write(void *dev, unsigned offset,
				     const void *from, unsigned size)
{
	memcpy(((struct echo *)dev)->state.config + offset, from, size);
}

static const struct virtio_ops echo_virtio_ops = {
	.notified = echo_notified,
	.started = echo_started,
	.stopped = echo_stopped,
	.queue_stopped = echo_queue_stopped,
	.is_stopping = echo_is_stopping,
	.config_read = echo_config_read,
	.config_write = echo_config_write,
};

static const struct state_field echo_fields[] = {
	STATE_STRUCT(struct echo_state, virtio, &virtio_description),
	STATE_ARRAY(struct echo_state, config),
	STATE_RESERVED(struct echo_state, reserved),
};

static const struct state_description echo_description =
	STATE_DESCRIPTION(struct echo_state, echo_fields);

static inline void echo_reset(void *dev)
{
	virtio_reset(&((struct echo *)dev)->virtio);
}

static inline void echo_restored(void *dev)
{
	virtio_restored(&((struct echo *)dev)->virtio);
}

static inline bool echo_is_valid(const void *dev, const void *saved,
				 uint64_t now_ns)
{
	const struct echo_state *state = saved;

	(void)now_ns;
	return virtio_is_valid(&((const struct echo *)dev)->virtio,
			       &state->virtio);
}

static const struct device_ops echo_ops = {
	.name = "virtio-echo",
	.version = 1,
	.state = &echo_description,
	.reset = echo_reset,
	.restored = echo_restored,
	.is_valid = echo_is_valid,
};

/* A disk by its name, which had a legacy interface. */
static inline int echo_init(struct echo *echo, struct pci_bus *pci,
			    uint8_t devfn, const struct guest_ram *ram,
			    bool is_transitional)
{
	const struct virtio_config config = {
		.ops = &echo_virtio_ops,
		.dev = echo,
		.pci = pci,
		.devfn = devfn,
		.ram = ram,
		.name = "echo",
		.kind = VIRTIO_KIND_BLOCK,
		.class = 0x0100,
		.queue_count = ECHO_QUEUES,
		.queue_size = ECHO_SIZE,
		.config_size = ECHO_CONFIG,
		.features = ECHO_F_OWN,
		.is_transitional = is_transitional,
	};

	memset(echo, 0, sizeof(*echo));
	device_init(&echo->device, &echo_ops, echo, &echo->state);
	return virtio_init(&echo->virtio, &config, &echo->state.virtio);
}

#endif
