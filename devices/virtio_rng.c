/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio entropy device: devices/virtio_rng.h. */
#include "devices/virtio_rng.h"

#include "devices/clear.h"
#include "devices/state.h"

#define CLASS_OTHER 0x00ff
#define QUEUE	    0
#define QUEUE_SIZE  16

/* Some of the chain.  False: nothing is left for now. */
static bool fill(struct virtio_rng *rng, const struct virtio_chain *chain)
{
	const struct virtio_rng_config *config = &rng->config;
	uint8_t bytes[64];
	uint32_t done = 0, n;

	if (!rng->state.left)
		return false;
	while ((n = MIN(MIN(chain->in_length - done, rng->state.left),
			(uint32_t)sizeof(bytes)))) {
		config->entropy(config->ctx, bytes, n);
		(void)virtio_chain_write(chain, done, bytes, n);
		rng->state.left -= n;
		done += n;
	}
	/* An empty one costs, too. */
	if (!done)
		rng->state.left--;
	virtio_queue_return(&rng->virtio, chain, done);
	return true;
}

static void run(void *opaque)
{
	struct virtio_rng *rng = opaque;
	struct virtio_rng_state *state = &rng->state;
	uint64_t now = clock_now(rng->config.clock);
	struct virtio_chain chain;
	bool is_dry = false;

	if (now >= state->full_ns) {
		state->left = VIRTIO_RNG_RUN;
		state->full_ns = now + VIRTIO_RNG_PERIOD_NS;
	}
	do {
		while (!is_dry &&
		       virtio_queue_take(&rng->virtio, QUEUE, &chain) == 1) {
			is_dry = !fill(rng, &chain);
			if (is_dry)
				virtio_queue_untake(&rng->virtio, QUEUE,
						    &chain);
		}
		virtio_queue_flush(&rng->virtio, QUEUE);
	} while (virtio_is_running(&rng->virtio) &&
		 virtio_queue_watch(&rng->virtio, QUEUE, !is_dry) && !is_dry);
	if (is_dry)
		clock_timer_arm(rng->config.clock, &rng->more, state->full_ns);
}

static void notified(void *opaque, unsigned queue)
{
	struct virtio_rng *rng = opaque;

	(void)queue;
	/* While it waits for more, kicks are early. */
	if (!rng->more.is_armed)
		run(rng);
}

static void stopped(void *opaque)
{
	struct virtio_rng *rng = opaque;

	clock_timer_disarm(rng->config.clock, &rng->more);
}

static const struct virtio_ops ops = {
	.notified = notified,
	.stopped = stopped,
};

/* ---- State ----------------------------------------------------------------
 */

static const struct state_field fields[] = {
	STATE_STRUCT(struct virtio_rng_state, virtio, &virtio_description),
	STATE_VALUE(struct virtio_rng_state, more_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct virtio_rng_state, full_ns),
	STATE_VALUE(struct virtio_rng_state, left, .max = VIRTIO_RNG_RUN),
	STATE_RESERVED(struct virtio_rng_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct virtio_rng_state, fields);

static void reset(void *opaque)
{
	virtio_reset(&((struct virtio_rng *)opaque)->virtio);
}

static void restored(void *opaque)
{
	virtio_restored(&((struct virtio_rng *)opaque)->virtio);
}

/* A guest is not to wait for longer than it ever would. */
static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct virtio_rng *rng = dev;
	const struct virtio_rng_state *state = opaque;

	return state->full_ns <= now_ns + VIRTIO_RNG_PERIOD_NS &&
	       virtio_is_valid(&rng->virtio, &state->virtio);
}

const struct device_ops virtio_rng_ops = {
	.name = "virtio_rng",
	.version = 1,
	.state = &description,
	.reset = reset,
	.restored = restored,
	.is_valid = is_valid,
};

int virtio_rng_init(struct virtio_rng *rng,
		    const struct virtio_rng_config *config)
{
	const struct virtio_config virtio = {
		.ops = &ops,
		.dev = rng,
		.pci = config->pci,
		.devfn = config->devfn,
		.ram = config->ram,
		.name = "virtio-rng",
		.kind = VIRTIO_KIND_ENTROPY,
		.class = CLASS_OTHER,
		.queue_count = 1,
		.queue_size = QUEUE_SIZE,
		.is_transitional = config->is_transitional,
		.log = config->log,
	};

	memory_clear(rng, sizeof(*rng));
	rng->config = *config;
	device_init(&rng->device, &virtio_rng_ops, rng, &rng->state);
	device_timer_init(&rng->device, config->clock, &rng->more, run, rng,
			  &rng->state.more_ns);
	return virtio_init(&rng->virtio, &virtio, &rng->state.virtio);
}
