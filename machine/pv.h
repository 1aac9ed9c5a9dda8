/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board `pv`: for kernels that need no PC.  No firmware, no legacy device:
 * a PCI bus, an I/O APIC for its INTx pins and the power button, the registers
 * of hardware-reduced ACPI; COM1 and the debug ports if the manifest has them.
 * Time is the TSC's, whose rate the kernel is told (CPUID 40000010h), and the
 * local APICs'.
 *
 *	00000000  RAM, up to 3 GiB of it; ACPI's tables from e0000 on, and at
 *		  ffff0, where a BIOS would begin, a reset
 *	c0000000  PCI hole: BARs
 *	fec00000  I/O APIC
 *	fee00000  local APICs: the monitor's
 *	100000000 the rest of RAM
 *
 * I/O APIC: pins 16 to 19 are INTx's, 20 is the Generic Event Device's, 4
 * COM1's (firmware/board.h).  PCI: slot 0 is the host bridge, the others are as
 * machine/virtio_board.h has them.
 *
 * Locking: as machine/board.h says.
 */
#ifndef BULKHEAD_MACHINE_PV_H
#define BULKHEAD_MACHINE_PV_H

#include "devices/acpi_reduced.h"
#include "devices/bus.h"
#include "devices/debug_ports.h"
#include "devices/ioapic.h"
#include "devices/pci.h"
#include "devices/pci_host.h"
#include "devices/uart.h"
#include "devices/virtio_net.h"
#include "devices/virtio_vsock.h"
#include "firmware/board.h"
#include "firmware/direct.h"
#include "firmware/tables.h"
#include "machine/board.h"
#include "machine/virtio_consoles.h"
#include "machine/virtio_disks.h"
#include "machine/virtio_pmems.h"
#include "machine/virtio_smalls.h"

struct pv {
	const struct machine_config *config;
	const struct board_host_ops *ops;
	void *ctx;
	uint8_t *window;      /* RAM */
	struct guest_ram ram; /* for DMA */
	struct board_description board;
	struct firmware_tables tables; /* scratch, as .plan */
	struct direct_plan plan;

	struct bus ports;
	struct bus memory;
	uint8_t port_index[BUS_PORTS];
	struct device_list devices;

	struct ioapic ioapic;
	struct pci_bus pci;
	struct pci_host host;
	struct acpi_reduced acpi;
	struct uart com1;	  /* with MACHINE_DEVICE_SERIAL0 */
	struct debug_ports debug; /* .device.ops NULL: none is wanted */
	struct virtio_disks virtio_disks;
	struct virtio_pmems virtio_pmems;
	struct virtio_consoles virtio_consoles; /* port 0 is always there */
	struct virtio_smalls virtio_smalls;
	struct virtio_vsock virtio_vsock;
	struct virtio_net virtio_nic[MACHINE_NICS_MAX];
	struct device_log virtio_log;
};

extern const struct board_ops pv_board_ops;

#endif
