/* SPDX-License-Identifier: BSD-2-Clause */
/* The one place where the board `pv` has its PCI devices made: all modern. */
#include "machine/pv_parts.h"

#include "include/errno.h"
#include "machine/virtio_nics.h"
#include "machine/virtio_vsocks.h"

static void log_print(void *ctx, enum device_log_level level, const char *text)
{
	pv_log(ctx, level, "%s", text);
}

static int nics_init(struct pv *pv, const struct virtio_wiring *wiring)
{
	int error = 0;

	if (pv->config->nic_count > MACHINE_NICS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < pv->config->nic_count && !error; i++) {
		if (pv->config->nic[i].model != MACHINE_NIC_VIRTIO)
			return -EINVAL;
		error = virtio_nic_init(&pv->virtio_nic[i], wiring, i,
					(uint8_t)PCI_DEVFN(PV_NIC_SLOT + i, 0),
					NULL);
		if (!error)
			error = device_list_add(wiring->devices,
						&pv->virtio_nic[i].device);
	}
	return error;
}

int pv_virtio_init(struct pv *pv, const struct board_config *config)
{
	const struct virtio_wiring wiring = {
		.config = config,
		.pci = &pv->pci,
		.ram = &pv->ram,
		.devices = &pv->devices,
		.log = &pv->virtio_log,
	};
	int error;

	pv->virtio_log = (struct device_log){ log_print, pv };
	error = virtio_disks_init(&pv->virtio_disks, &wiring);
	if (!error)
		error = virtio_pmems_init(&pv->virtio_pmems, &wiring,
					  GIB(4) + pv->board.ram_high);
	if (!error)
		error = virtio_consoles_init(&pv->virtio_consoles, &wiring,
					     pv_has_com1(pv));
	if (!error)
		error = virtio_smalls_init(&pv->virtio_smalls, &wiring);
	if (!error)
		error = virtio_vsock_add(&pv->virtio_vsock, &wiring);
	return error ? error : nics_init(pv, &wiring);
}
