/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the board `pv` share. */
#ifndef BULKHEAD_MACHINE_PV_PARTS_H
#define BULKHEAD_MACHINE_PV_PARTS_H

#include "machine/pv.h"

/* Network cards: from here on. */
#define PV_NIC_SLOT 1

void pv_log(struct pv *pv, enum device_log_level level, const char *format, ...)
	__printf(3, 4);

static inline bool pv_has_com1(const struct pv *pv)
{
	return pv->config->devices & MACHINE_DEVICE_SERIAL0;
}

/* machine/pv_virtio.c */
/* All that is at the PCI bus, and into pv->devices, which has the board's own.
 */
int __must_check pv_virtio_init(struct pv *pv,
				const struct board_config *config);

#endif
