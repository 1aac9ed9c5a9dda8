/* SPDX-License-Identifier: BSD-2-Clause */
/* The entropy device and the balloon: machine/virtio_smalls.h. */
#include "machine/virtio_smalls.h"

#include "include/errno.h"
#include "lib/string.h"

#define PAGES_PER_MIB 256

static int rng_add(struct virtio_smalls *smalls,
		   const struct virtio_wiring *wiring)
{
	const struct board_config *board = wiring->config;
	const struct virtio_rng_config config = {
		.pci = wiring->pci,
		.ram = wiring->ram,
		.clock = board->clock,
		.log = wiring->log,
		.devfn = PCI_DEVFN(VIRTIO_SLOT_RNG, 0),
		.is_transitional = wiring->is_transitional,
		.entropy = board->ops->entropy,
		.ctx = board->ctx,
	};
	int error = virtio_rng_init(&smalls->rng, &config);

	return error ? error
		     : device_list_add(wiring->devices, &smalls->rng.device);
}

static void release(void *ctx, const uint8_t *host, uint64_t length)
{
	const struct board_config *board = ((struct virtio_smalls *)ctx)->board;

	if (board->ops->release)
		board->ops->release(board->ctx,
				    (uint64_t)(host - board->window), length);
}

static int balloon_add(struct virtio_smalls *smalls,
		       const struct virtio_wiring *wiring)
{
	const struct virtio_balloon_config config = {
		.pci = wiring->pci,
		.ram = wiring->ram,
		.clock = wiring->config->clock,
		.log = wiring->log,
		.devfn = PCI_DEVFN(VIRTIO_SLOT_BALLOON, 0),
		.is_transitional = wiring->is_transitional,
		.base = wiring->config->window,
		.release = release,
		.ctx = smalls,
	};
	int error = virtio_balloon_init(&smalls->balloon, &config);

	smalls->board = wiring->config;
	smalls->has_balloon = !error;
	return error ? error
		     : device_list_add(wiring->devices,
				       &smalls->balloon.device);
}

int virtio_smalls_init(struct virtio_smalls *smalls,
		       const struct virtio_wiring *wiring)
{
	const struct board_config *board = wiring->config;
	int error = 0;

	if (board->machine->devices & MACHINE_DEVICE_RNG && board->ops->entropy)
		error = rng_add(smalls, wiring);
	if (!error && board->machine->devices & MACHINE_DEVICE_BALLOON)
		error = balloon_add(smalls, wiring);
	return error;
}

int virtio_smalls_balloon(struct virtio_smalls *smalls, uint32_t mib)
{
	if (!smalls->has_balloon)
		return -ENODEV;
	if (mib >= smalls->board->machine->ram_size / MIB(1))
		return -ERANGE;
	virtio_balloon_target(&smalls->balloon, mib * PAGES_PER_MIB);
	return 0;
}

void virtio_smalls_statistics(struct virtio_smalls *smalls,
			      struct face_statistics *to)
{
	const struct virtio_balloon_state *state = &smalls->balloon.state;

	_Static_assert(sizeof(to->balloon) == sizeof(state->stat), "by tags");
	if (!smalls->has_balloon)
		return;
	to->has_balloon = true;
	to->balloon_target = (uint64_t)state->target * PAGE_SIZE;
	to->balloon_actual = (uint64_t)state->actual * PAGE_SIZE;
	memcpy(to->balloon, state->stat, sizeof(to->balloon));
	virtio_balloon_ask(&smalls->balloon);
}
