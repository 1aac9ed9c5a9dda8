/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the 82540EM share.
 */
#ifndef BULKHEAD_DEVICES_E1000_INTERNAL_H
#define BULKHEAD_DEVICES_E1000_INTERNAL_H

#include "devices/e1000.h"

extern const struct state_description e1000_chip_description;
extern const struct state_description e1000_description;
bool e1000_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);

/* Counts it, and says so: by a driver's fault, so at a limited rate. */
void e1000_fail(struct e1000 *nic, enum e1000_error error);

/* ---- e1000_interrupt.c ------------------------------------------------ */

void e1000_raise(struct e1000 *nic, uint32_t causes);
/* The same after RDTR's or TIDV's time, RADV's or TADV's at the latest. */
void e1000_rx_raise_later(struct e1000 *nic);
void e1000_tx_raise_later(struct e1000 *nic);
void e1000_interrupt_update(struct e1000 *nic);
/* By RDTR's and TIDV's top bit what waits comes now. */
void e1000_delay_flush(struct e1000 *nic, struct clock_timer *timer,
		       uint32_t value, uint32_t cause);

/* ---- e1000_serial.c ------------------------------------------------------*/

void e1000_eeprom_fill(struct e1000 *nic, const uint8_t *mac);
uint32_t e1000_eecd_read(const struct e1000 *nic);
void e1000_eecd_write(struct e1000 *nic, uint32_t value);
void e1000_eerd_write(struct e1000 *nic, uint32_t value);
void e1000_mdic_write(struct e1000 *nic, uint32_t value);
void e1000_phy_reset(struct e1000 *nic);
bool e1000_is_loopback(const struct e1000 *nic);
bool e1000_is_link_up(const struct e1000 *nic);
/* Something that the link depends on has changed. */
void e1000_link_update(struct e1000 *nic);

/* ---- e1000_tx.c, e1000_offload.c --------------------------------------- */

/* Transmits what there is, as far as a call may. */
void e1000_tx_run(struct e1000 *nic);
/* The frame in tx.buffer gets its checksums and, if it is a segment, header
 * fields. */
void e1000_frame_finish(struct e1000 *nic);

/* The sum that checksums are made of, of bytes from an even place on. */
uint32_t e1000_sum_bytes(const uint8_t *bytes, uint32_t length, uint32_t sum);
/* In 16 bits, in the order of the network. */
static inline uint16_t e1000_sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/* ---- e1000_rx.c, e1000_check.c ----------------------------------------- */

/* Receives what there is, as far as a call may. */
void e1000_rx_run(struct e1000 *nic);
/* The frame that waits is lost. */
void e1000_rx_release(struct e1000 *nic);
/* One that the device has sent to itself. */
void e1000_rx_loop(struct e1000 *nic, const uint8_t *frame, uint32_t length);
/* The status, errors and checksum of a received frame's descriptor. */
uint64_t e1000_rx_check(const struct e1000 *nic, const uint8_t *frame,
			uint32_t length);

/* ---- e1000_statistics.c -------------------------------------------------*/

void e1000_count(struct e1000 *nic, enum e1000_statistic which);
void e1000_count_sent(struct e1000 *nic, const uint8_t *frame, uint32_t length);
void e1000_count_received(struct e1000 *nic, const uint8_t *frame,
			  uint32_t length);
uint32_t e1000_statistic_read(struct e1000 *nic, unsigned index);

#endif
