/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards of virtio's: virtio_nics.h. */
#include "machine/virtio_nics.h"

int virtio_nic_init(struct virtio_net *nic, const struct virtio_wiring *wiring,
		    unsigned index, uint8_t devfn,
		    const struct machine_blob *rom)
{
	const struct board_config *board = wiring->config;
	const struct machine_nic_config *given = &board->machine->nic[index];
	const struct virtio_net_config config = {
		.nic = {
			.pci = wiring->pci,
			.devfn = devfn,
			.ram = wiring->ram,
			.clock = board->clock,
			.net = board->nics[index],
			.log = *wiring->log,
			.rom = rom ? (const uint8_t *)rom->va : NULL,
			.rom_length = rom ? (uint32_t)rom->size : 0,
		},
		.pairs = given->pairs,
		.mtu = given->mtu,
		.is_transitional = wiring->is_transitional,
	};

	return virtio_net_init(nic, &config);
}
