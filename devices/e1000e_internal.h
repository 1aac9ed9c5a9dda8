/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the 82574L share.
 */
#ifndef BULKHEAD_DEVICES_E1000E_INTERNAL_H
#define BULKHEAD_DEVICES_E1000E_INTERNAL_H

#include "devices/e1000_internal.h"
#include "devices/e1000e.h"

extern const struct state_description e1000e_chip_description;
extern const struct state_description e1000e_description;
bool e1000e_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);

/* The card whose common part it is. */
static inline struct e1000e *e1000e_of(struct e1000_core *core)
{
	return container_of(core, struct e1000e, core);
}

static inline const struct e1000e *
e1000e_of_const(const struct e1000_core *core)
{
	return (const struct e1000e *)core;
}

/* ---- e1000e_interrupt.c, of struct e1000_model --------------------------- */

bool e1000e_interrupt_update(struct e1000_core *core);
void e1000e_vectors_expired(void *dev);
uint32_t e1000e_icr_read(struct e1000_core *core);
/* ICR and ICS: what a write does before the common effects. */
void e1000e_interrupt_written(struct e1000_core *core, uint32_t offset,
			      uint32_t value);

/* ---- e1000e_rx.c, of struct e1000_model ----------------------------------*/

void e1000e_rx_layout(const struct e1000_core *core,
		      struct e1000_rx_layout *layout);
void e1000e_rx_steer(const struct e1000_core *core, const uint8_t *frame,
		     uint32_t length, struct e1000_rx_steer *steer);

#endif
