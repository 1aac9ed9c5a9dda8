/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all boards are made with: parts of their wiring that do not depend on
 * which board it is.
 */
#ifndef BULKHEAD_MACHINE_BOARD_PARTS_H
#define BULKHEAD_MACHINE_BOARD_PARTS_H

#include "devices/debug_ports.h"
#include "devices/pci.h"
#include "devices/uart.h"
#include "firmware/direct.h"
#include "machine/board.h"

#define BOARD_COM1_PORT 0x3f8

/* The blob of that kind, or NULL. */
const struct machine_blob *board_blob(const struct machine_config *config,
				      enum machine_blob_kind kind);
/* Cores, threads and APIC ids, of as many vCPUs as the description has. */
void board_topology_describe(struct board_description *board,
			     const struct machine_config *config);
/* Kernel, initrd and command line of the manifest, and how bytes get into RAM;
 * the rest is the board's.  ctx: of ops. */
struct direct_boot board_direct_boot(const struct machine_config *config,
				     const struct board_host_ops *ops,
				     void *ctx);

/* What fits of a serial port's input.  read NULL: there is none. */
void board_serial_input(struct uart *uart,
			size_t (*read)(void *ctx, void *data, size_t size),
			void *ctx);
/* The ports of debug_ports that the manifest asks for; exit(ctx, code) by the
 * exit port. */
int __must_check board_debug_init(struct debug_ports *debug, struct bus *ports,
				  const struct board_config *config,
				  void (*exit)(void *ctx, uint32_t code),
				  void *ctx);

/* machine/board_pci.c */
/*
 * Each function as firmware leaves it: BARs have addresses, from FIRST_PORT
 * up and from the PCI hole's end down, and decode; the interrupt line's
 * register has what the description's PIRQs say.
 */
void board_functions_set_up(struct pci_bus *pci,
			    const struct board_description *board);

/* machine/board_message.c */
/* What a PCI function writes as its message-signalled interrupt; ram is where
 * else it may go. */
void board_message(const struct board_host_ops *ops, void *ctx,
		   const struct guest_ram *ram, uint64_t address,
		   uint32_t data);

#endif
