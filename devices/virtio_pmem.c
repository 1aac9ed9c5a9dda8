/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio persistent memory device: devices/virtio_pmem.h. */
#include "devices/virtio_pmem.h"

#include "devices/clear.h"
#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

#define CLASS_OTHER 0x00ff
#define QUEUE	    0
#define QUEUE_SIZE  64
#define RUN	    16 /* requests before others have their turn */

#define REQUEST_FLUSH 0
#define ANSWER_DONE   0
#define ANSWER_EIO    1

static void answer(struct virtio_pmem *pmem, const struct virtio_chain *chain)
{
	uint32_t type, result;

	if (virtio_chain_read(chain, 0, &type, sizeof(type)) != sizeof(type) ||
	    chain->in_length < sizeof(result)) {
		virtio_break(&pmem->virtio, "a flush without room for it");
		return;
	}
	result = type == REQUEST_FLUSH ? ANSWER_DONE : ANSWER_EIO;
	virtio_queue_return(
		&pmem->virtio, chain,
		virtio_chain_write(chain, 0, &result, sizeof(result)));
}

static void notified(void *opaque, unsigned queue)
{
	struct virtio_pmem *pmem = opaque;
	struct virtio_chain chain;
	unsigned budget = RUN;

	do {
		(void)virtio_queue_watch(&pmem->virtio, queue, false);
		for (; budget &&
		       virtio_queue_take(&pmem->virtio, queue, &chain) == 1;
		     budget--)
			answer(pmem, &chain);
		virtio_queue_flush(&pmem->virtio, queue);
	} while (budget && virtio_queue_watch(&pmem->virtio, queue, true));
	if (!budget)
		clock_timer_arm(pmem->clock, &pmem->more,
				clock_now(pmem->clock) + 1);
}

static void go_on(void *opaque)
{
	notified(opaque, QUEUE);
}

static void config_read(void *opaque, unsigned offset, void *to, unsigned size)
{
	const struct virtio_pmem *pmem = opaque;

	memcpy(to, (const uint8_t *)&pmem->layout + offset, size);
}

static const struct virtio_ops ops = {
	.notified = notified,
	.config_read = config_read,
};

/* ---- State ----------------------------------------------------------------
 */

static const struct state_field fields[] = {
	STATE_STRUCT(struct virtio_pmem_state, virtio, &virtio_description),
	STATE_VALUE(struct virtio_pmem_state, more_ns, .reset = CLOCK_NEVER),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct virtio_pmem_state, fields);

static void reset(void *opaque)
{
	virtio_reset(&((struct virtio_pmem *)opaque)->virtio);
}

static void restored(void *opaque)
{
	virtio_restored(&((struct virtio_pmem *)opaque)->virtio);
}

static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct virtio_pmem_state *state = opaque;

	(void)now_ns;
	return virtio_is_valid(&((const struct virtio_pmem *)dev)->virtio,
			       &state->virtio);
}

const struct device_ops virtio_pmem_ops = {
	.name = "virtio-pmem",
	.version = 1,
	.state = &description,
	.reset = reset,
	.restored = restored,
	.is_valid = is_valid,
};

int virtio_pmem_init(struct virtio_pmem *pmem,
		     const struct virtio_pmem_config *config)
{
	const struct virtio_config virtio = {
		.ops = &ops,
		.dev = pmem,
		.pci = config->pci,
		.devfn = config->devfn,
		.ram = config->ram,
		.name = "virtio-pmem",
		.kind = VIRTIO_KIND_PMEM,
		.class = CLASS_OTHER,
		.queue_count = 1,
		.queue_size = QUEUE_SIZE,
		.config_size = sizeof(pmem->layout),
		.log = config->log,
	};

	if (!config->layout.size ||
	    !IS_ALIGNED(config->layout.start | config->layout.size,
			VIRTIO_PMEM_ALIGN))
		return -EINVAL;
	memory_clear(pmem, sizeof(*pmem));
	pmem->layout = config->layout;
	pmem->clock = config->clock;
	device_init(&pmem->device, &virtio_pmem_ops, pmem, &pmem->state);
	device_timer_init(&pmem->device, pmem->clock, &pmem->more, go_on, pmem,
			  &pmem->state.more_ns);
	return virtio_init(&pmem->virtio, &virtio, &pmem->state.virtio);
}
