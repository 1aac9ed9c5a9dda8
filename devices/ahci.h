/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The AHCI controller of ICH9 (8086:2922): six ports with a drive each, an ATA
 * disk or an ATAPI CD-ROM drive, which are IDE's (devices/ata.c, atapi.c).
 *
 * A port is a channel of IDE with one drive, and does what a guest does with
 * the other kind: it writes the registers from the command's FIS, moves the
 * blocks that DRQ announces, and tells what the registers have become by FISes.
 * It runs one command at a time; queued ones wait in their slots.
 *
 * As with IDE, a port stays busy until a request in flight has ended, whatever
 * the guest does meanwhile: PxCMD.CR is set so long.
 *
 * References: Serial ATA AHCI 1.3.1; Intel ICH9 datasheet (316972), chapter 15;
 * Serial ATA 2.6, "Device Command Layer protocol"; ATA8-ACS, NCQ.
 */
#ifndef BULKHEAD_DEVICES_AHCI_H
#define BULKHEAD_DEVICES_AHCI_H

#include "devices/ide.h"

#define AHCI_PORTS     6
#define AHCI_SLOTS     32
#define AHCI_BAR_SIZE  2048
#define AHCI_ERROR_LOG 14 /* bytes of the page of NCQ errors in use */

struct ahci_config {
	struct pci_bus *pci;
	uint8_t devfn;
	const struct guest_ram *ram;
	struct clock *clock;
	struct ide_drive_config drive[AHCI_PORTS];
};

enum ahci_activity {
	AHCI_IDLE,
	AHCI_COMMAND,	/* the slot's, which has the drive to itself */
	AHCI_QUEUED,	/* the slot's, by its tag */
	AHCI_ABANDONED, /* no slot's any more: its request is waited for */
};

struct ahci_port_state {
	/* Registers, as AHCI names them; .is without what reflects .serr. */
	uint32_t clb, clbu, fb, fbu;
	uint32_t is, ie, cmd, tfd, sig;
	uint32_t sctl, serr, sact, ci;

	/* The command in hand: its slot, tag and table. */
	uint32_t activity; /* enum ahci_activity */
	uint64_t header, table;
	uint64_t more_ns; /* when the next slot's turn is, if that must wait */
	uint8_t slot, tag;
	bool has_read;	       /* its last block went to the guest by PIO */
	bool is_halted;	       /* by an error, until ST is cleared */
	bool is_signature_due; /* the FIS after a reset */
	bool is_soft_reset;    /* SRST has been set */
	uint8_t error_log[AHCI_ERROR_LOG];
	uint8_t reserved[4];
	struct ide_channel_state channel;
};

struct ahci_state {
	struct ahci_port_state port[AHCI_PORTS];
	uint32_t ghc, is;
	uint32_t index; /* of the index and data pair in I/O space */
	struct pci_device_state pci;
};

struct ahci;

struct ahci_port {
	struct ahci_port_state *state;
	struct ahci *ahci;
	struct ide_channel channel;
	struct clock_timer more;
	uint64_t moved; /* of the drive's sectors, when ahci_port_run() began */
	bool is_in_run;
};

struct ahci {
	struct device device;
	struct ahci_state state;
	struct pci_device pci;
	const struct guest_ram *ram;
	struct ahci_port port[AHCI_PORTS];
};

/* May be saved while no request is in flight, as ide_ops. */
extern const struct device_ops ahci_ops;

/* -EINVAL: a disk without sectors. */
int __must_check ahci_init(struct ahci *ahci, const struct ahci_config *config);
void ahci_reset(struct ahci *ahci);

#endif
