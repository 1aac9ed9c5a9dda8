/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's network cards: which models there are, and what each is given. */
#include "machine/pc_parts.h"

#include "include/errno.h"
#include "machine/virtio_nics.h"

static int isa_init(struct pc *pc, struct ne2000 *nic,
		    const struct nic_config *given,
		    const struct machine_nic_config *config)
{
	if (config->irq >= PC_ISA_IRQS)
		return -EINVAL;
	return ne2000_isa_init(nic, given, &pc->ports, config->port,
			       pc_isa_irq(pc, config->irq));
}

static int virtio_init_on(struct pc *pc, struct virtio_net *nic,
			  const struct board_config *config, unsigned index,
			  const struct machine_blob *rom)
{
	const struct virtio_wiring wiring = pc_virtio_wiring(pc, config);

	return virtio_nic_init(nic, &wiring, index,
			       (uint8_t)PCI_DEVFN(PC_NIC_SLOT + index, 0), rom);
}

static int nic_init(struct pc *pc, const struct board_config *config,
		    unsigned index, const struct machine_blob *rom)
{
	const struct nic_config given = {
		.pci = &pc->pci,
		.devfn = (uint8_t)PCI_DEVFN(PC_NIC_SLOT + index, 0),
		.ram = &pc->ram,
		.clock = config->clock,
		.net = config->nics[index],
		.log = pc->log,
		.rom = rom ? (const uint8_t *)rom->va : NULL,
		.rom_length = rom ? (uint32_t)rom->size : 0,
	};
	struct pc_nic *nic = &pc->nic[index];

	switch (pc->config->nic[index].model) {
	case MACHINE_NIC_E1000:
		nic->device = &nic->e1000.core.device;
		return e1000_init(&nic->e1000, &given);
	case MACHINE_NIC_E1000E:
		nic->device = &nic->e1000e.core.device;
		return e1000e_init(&nic->e1000e, &given);
	case MACHINE_NIC_RTL8139:
		nic->device = &nic->rtl8139.device;
		return rtl8139_init(&nic->rtl8139, &given);
	case MACHINE_NIC_PCNET:
		nic->device = &nic->pcnet.device;
		return pcnet_init(&nic->pcnet, &given);
	case MACHINE_NIC_NE2000_PCI:
		nic->device = &nic->ne2000.device;
		return ne2000_pci_init(&nic->ne2000, &given);
	case MACHINE_NIC_NE2000:
		nic->device = &nic->ne2000.device;
		return isa_init(pc, &nic->ne2000, &given,
				&pc->config->nic[index]);
	case MACHINE_NIC_VIRTIO:
		nic->device = &nic->virtio.device;
		return virtio_init_on(pc, &nic->virtio, config, index, rom);
	}
	return -EINVAL;
}

int pc_nics_init(struct pc *pc, const struct board_config *config)
{
	int error = 0;

	if (pc->config->nic_count > MACHINE_NICS_MAX)
		return -EINVAL;
	for (unsigned i = 0; !error && i < pc->config->nic_count; i++) {
		const struct machine_nic_config *nic = &pc->config->nic[i];
		const struct machine_blob *rom = NULL;

		if (nic->boot_index)
			rom = pc_blob(pc, machine_nic_rom(nic->model));
		error = nic_init(pc, config, i, rom);
	}
	return error;
}
