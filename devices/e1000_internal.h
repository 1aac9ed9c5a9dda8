/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the controllers share.
 */
#ifndef BULKHEAD_DEVICES_E1000_INTERNAL_H
#define BULKHEAD_DEVICES_E1000_INTERNAL_H

#include "devices/e1000_core.h"
#include "devices/pci_msi.h"

extern const struct state_description e1000_chip_description;
extern const struct state_description e1000_description;
bool e1000_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);
extern const struct state_description e1000_tx_description;
bool e1000_tx_is_valid(const struct e1000_tx_state *tx);

/* Counts it, and says so: by a driver's fault, so at a limited rate. */
void e1000_fail(struct e1000_core *nic, enum e1000_error error);

/* ---- e1000_core.c ------------------------------------------------------- */

/*
 * Of a zeroed card: all that chips have in common.  Then the model adds BARs
 * and capabilities of its own, and last of all comes e1000_core_add().  Errors:
 * as pci_bar_add() and pci_device_add().
 */
int __must_check e1000_core_init(struct e1000_core *nic,
				 const struct e1000_model *model,
				 const struct nic_config *config,
				 struct e1000_state *state);
int __must_check e1000_core_add(struct e1000_core *nic);
/* Of struct device_ops; dev is the struct e1000_core. */
void e1000_core_reset(void *dev);
void e1000_core_restored(void *dev);
/* A ring that was broken is tried again: the driver has set it up anew. */
void e1000_rx_ring_written(struct e1000_core *nic, unsigned queue);
void e1000_tx_ring_written(struct e1000_core *nic, unsigned queue);

/* May it read and write memory? */
static inline bool e1000_is_master(const struct e1000_core *nic)
{
	return pci_is_master(&nic->pci) &&
	       !(nic->state->chip.reg.ctrl & nic->model->master_off);
}

/* Does a message tell of that queue, which is throttled where it is sent? */
static inline bool e1000_has_message(const struct e1000_core *nic,
				     const struct e1000_ring *ring)
{
	return ring->cause && pci_msix_is_enabled(&nic->pci);
}

/* Heads and tails count units of 16 bytes, which most descriptors have. */
static inline uint32_t e1000_ring_size(const struct e1000_ring *ring)
{
	return *ring->length / E1000_DESCRIPTOR_SIZE;
}

static inline gpa_t e1000_ring_base(const struct e1000_ring *ring)
{
	return *ring->low | (uint64_t)*ring->high << 32;
}

/* ---- e1000_interrupt.c ------------------------------------------------ */

#define E1000_ITR_UNIT_NS 256U

void e1000_raise(struct e1000_core *nic, uint32_t causes);
/* Delayed causes that wait come now, without an interrupt of their own. */
void e1000_delayed_join(struct e1000_core *nic);
/* The same after RDTR's or TIDV's time, RADV's or TADV's at the latest. */
void e1000_rx_raise_later(struct e1000_core *nic);
void e1000_tx_raise_later(struct e1000_core *nic);
void e1000_interrupt_update(struct e1000_core *nic);
/* By RDTR's and TIDV's top bit what waits comes now. */
void e1000_delay_flush(struct e1000_core *nic, struct clock_timer *timer,
		       uint32_t value, uint32_t cause);

/* ---- e1000_serial.c ------------------------------------------------------*/

/* The model's words, the address, the checksum. */
void e1000_eeprom_fill(struct e1000_core *nic, const uint8_t *mac);
uint32_t e1000_eecd_read(const struct e1000_core *nic);
void e1000_eecd_write(struct e1000_core *nic, uint32_t value);
void e1000_eerd_write(struct e1000_core *nic, uint32_t value);
void e1000_mdic_write(struct e1000_core *nic, uint32_t value);
void e1000_phy_reset(struct e1000_core *nic);
bool e1000_is_loopback(const struct e1000_core *nic);
bool e1000_is_link_up(const struct e1000_core *nic);
/* Something that the link depends on has changed. */
void e1000_link_update(struct e1000_core *nic);

/* ---- e1000_tx.c, e1000_offload.c --------------------------------------- */

/* Transmits what there is, as far as a call may. */
void e1000_tx_run(struct e1000_core *nic);
/* The frame in tx->buffer gets its checksums and, if it is a segment, header
 * fields. */
void e1000_frame_finish(struct e1000_tx_state *tx);

/* ---- e1000_rx.c, e1000_check.c ----------------------------------------- */

/* Receives what there is, as far as a call may. */
void e1000_rx_run(struct e1000_core *nic);
/* The frame that waits is lost. */
void e1000_rx_release(struct e1000_core *nic);
/* One that the device has sent to itself. */
void e1000_rx_loop(struct e1000_core *nic, const uint8_t *frame,
		   uint32_t length);
/* The status, errors and checksum of a received frame's legacy descriptor. */
uint64_t e1000_rx_check(const struct e1000_core *nic, const uint8_t *frame,
			uint32_t length);

/* ---- e1000_statistics.c -------------------------------------------------*/

void e1000_count(struct e1000_core *nic, enum e1000_statistic which);
void e1000_count_sent(struct e1000_core *nic, const uint8_t *frame,
		      uint32_t length);
void e1000_count_received(struct e1000_core *nic, const uint8_t *frame,
			  uint32_t length);
uint32_t e1000_statistic_read(struct e1000_core *nic, unsigned index);

#endif
