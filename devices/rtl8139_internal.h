/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the RTL8139 share.
 */
#ifndef BULKHEAD_DEVICES_RTL8139_INTERNAL_H
#define BULKHEAD_DEVICES_RTL8139_INTERNAL_H

#include "devices/rtl8139.h"

extern const struct state_description rtl8139_description;
bool rtl8139_state_is_valid(const void *dev, const void *saved,
			    uint64_t now_ns);

/* Counts it, and says so. */
void rtl8139_fail(struct rtl8139 *nic, enum rtl8139_error error);
/* Sets causes in ISR. */
void rtl8139_raise(struct rtl8139 *nic, uint32_t causes);
/* Values of a reset into registers [first, last]. */
void rtl8139_registers_reset(struct rtl8139 *nic, unsigned first,
			     unsigned last);

/* ---- rtl8139_serial.c: EEPROM, PHY, link ------------------------------- */

void rtl8139_eeprom_fill(struct rtl8139 *nic, const uint8_t *mac);
/* IDR is what the EEPROM says. */
void rtl8139_autoload(struct rtl8139 *nic);
void rtl8139_cr9346_written(struct rtl8139 *nic);
uint32_t rtl8139_cr9346_read(const struct rtl8139 *nic);
void rtl8139_bmcr_written(struct rtl8139 *nic, uint32_t value);
/* Reading clears what has been latched. */
uint32_t rtl8139_bmsr_read(struct rtl8139 *nic);
uint32_t rtl8139_cscr_read(struct rtl8139 *nic);
void rtl8139_link_set(struct rtl8139 *nic, bool is_up);

/* ---- rtl8139_frames.c -------------------------------------------------- */

bool rtl8139_is_loopback(const struct rtl8139 *nic);
/* CR.BUFE */
bool rtl8139_rx_is_empty(const struct rtl8139 *nic);
void rtl8139_tx_run(struct rtl8139 *nic);
void rtl8139_rx_run(struct rtl8139 *nic);

#endif
