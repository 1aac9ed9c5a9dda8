/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the NE2000 share.
 */
#ifndef BULKHEAD_DEVICES_NE2000_INTERNAL_H
#define BULKHEAD_DEVICES_NE2000_INTERNAL_H

#include "devices/ne2000.h"

extern const struct state_description ne2000_description;
bool ne2000_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);

/* Counts it, and says so. */
void ne2000_fail(struct ne2000 *nic, enum ne2000_error error);
/* Sets causes in ISR. */
void ne2000_raise(struct ne2000 *nic, unsigned causes);
void ne2000_interrupt_update(struct ne2000 *nic);

/* ---- ne2000_remote.c: memory and the data port -------------------------- */

/* What is no memory reads all ones, and keeps nothing. */
uint8_t ne2000_memory_read(const struct ne2000 *nic, unsigned address);
void ne2000_memory_write(struct ne2000 *nic, unsigned address, uint8_t value);
/* CR has been written with a command for remote DMA. */
void ne2000_remote_start(struct ne2000 *nic);
void ne2000_data_access(struct ne2000 *nic, struct io_access *io);

/* ---- ne2000_serial.c: the RTL8029AS's page 3 ----------------------------- */

void ne2000_eeprom_fill(struct ne2000 *nic, const uint8_t *mac);
/* The PROM and CONFIG2, CONFIG3 are what the EEPROM says. */
void ne2000_autoload(struct ne2000 *nic);
uint8_t ne2000_page3_read(const struct ne2000 *nic, unsigned offset);
void ne2000_page3_write(struct ne2000 *nic, unsigned offset, uint8_t value);

/* ---- ne2000_frames.c ----------------------------------------------------- */

static inline bool ne2000_is_loopback(const struct ne2000 *nic)
{
	return nic->state.chip.tcr & NE2000_TCR_LB;
}

void ne2000_tx_run(struct ne2000 *nic);
void ne2000_rx_run(struct ne2000 *nic);
/* BNRY has moved. */
void ne2000_ring_changed(struct ne2000 *nic);
void ne2000_overflow(struct ne2000 *nic);

#endif
