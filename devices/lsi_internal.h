/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between lsi.c (registers, resets), lsi_script.c (the processor), lsi_bus.c
 * (connections), lsi_target.c (queues) and lsi_state.c.
 */
#ifndef BULKHEAD_DEVICES_LSI_INTERNAL_H
#define BULKHEAD_DEVICES_LSI_INTERNAL_H

#include "devices/lsi.h"
#include "devices/lsi_registers.h"

#define LSI_BAR_PORTS	  0
#define LSI_BAR_REGISTERS 1
#define LSI_BAR_RAM	  2

/* Phases, as MSG, C/D and I/O say them. */
#define PHASE_DATA_OUT	  0
#define PHASE_DATA_IN	  1
#define PHASE_COMMAND	  2
#define PHASE_STATUS	  3
#define PHASE_MESSAGE_OUT 6
#define PHASE_MESSAGE_IN  7
#define PHASE_INPUT	  BIT(0)

static inline uint32_t lsi_get(const struct lsi *lsi, unsigned at)
{
	return pci_get32(lsi->state.reg, at);
}

static inline void lsi_put(struct lsi *lsi, unsigned at, uint32_t value)
{
	pci_put32(lsi->state.reg, at, value);
}

/* ---- lsi.c -------------------------------------------------------------- */

/* One byte of the registers, with effects. */
uint8_t lsi_register_read(struct lsi *lsi, unsigned at);
void lsi_register_write(struct lsi *lsi, unsigned at, uint8_t value);
/* INTx follows the registers. */
void lsi_irq_update(struct lsi *lsi);
/* What INTx is in a state. */
bool lsi_irq_level(const struct lsi_state *state);
/* The processor stops for one of DSTAT. */
void lsi_interrupt_dma(struct lsi *lsi, uint8_t dstat);
/* One of SIST0 and SIST1: the processor stops if it is fatal or enabled. */
void lsi_interrupt_scsi(struct lsi *lsi, uint8_t sist0, uint8_t sist1);

/* ---- lsi_script.c ------------------------------------------------------- */

/* Goes on with what there is to do, as far as it goes now. */
void lsi_run(struct lsi *lsi);
static inline void lsi_stop(struct lsi *lsi)
{
	lsi->state.activity = LSI_STOPPED;
}

/* ---- lsi_bus.c ---------------------------------------------------------- */

/* A target asks for a byte; *phase: in which phase. */
bool lsi_bus_requests(struct lsi *lsi, uint8_t *phase);
/* The byte of a message or status that is on the bus's data lines; else 0. */
uint8_t lsi_bus_data(const struct lsi *lsi);
/* The phase that is asked for is given up for another one that was wanted. */
bool lsi_bus_yields(struct lsi *lsi, uint8_t wanted);
/* In the phase that is asked for: bytes that moved, 1 to size. */
uint32_t lsi_bus_in(struct lsi *lsi, uint8_t *to, uint32_t size);
uint32_t lsi_bus_out(struct lsi *lsi, const uint8_t *from, uint32_t size,
		     bool is_last);
/* False: nobody answers. */
bool lsi_bus_select(struct lsi *lsi, unsigned id, bool has_atn);
/* A target that wants to, if any does, has the bus. */
bool lsi_bus_reselect(struct lsi *lsi);
/* The connection is no more, the tasks are. */
void lsi_bus_release(struct lsi *lsi);
/* The RST line. */
void lsi_bus_reset(struct lsi *lsi);

/* ---- lsi_target.c ------------------------------------------------------- */

void lsi_target_init(struct lsi *lsi, unsigned id,
		     const struct lsi_config *config);
bool lsi_target_is_there(const struct lsi *lsi, unsigned id);
/* SCSI_GOOD: the queue has it; else the status it ends with. */
uint8_t lsi_target_take(struct lsi_target *target, const struct lsi_task *task,
			bool is_head);
/* Begins with the first command if it can. */
void lsi_target_advance(struct lsi_target *target);
enum scsi_step lsi_target_step(struct lsi_target *target);
uint32_t lsi_target_give(struct lsi_target *target, uint8_t *to, uint32_t size);
uint32_t lsi_target_put(struct lsi_target *target, const uint8_t *from,
			uint32_t size);
uint8_t lsi_target_status(struct lsi_target *target);
/* The command in hand has ended with that status, and been told of. */
void lsi_target_complete(struct lsi_target *target, uint8_t status);
/* Whether the command in hand is that one. */
bool lsi_task_is(const struct lsi_task *task, uint8_t unit, bool has_tag,
		 uint8_t tag);
/* Forgets that command, or all of them. */
void lsi_target_abort(struct lsi_target *target, uint8_t unit, bool has_tag,
		      uint8_t tag);
void lsi_target_clear(struct lsi_target *target);
void lsi_target_reset(struct lsi_target *target);

/* ---- lsi_state.c -------------------------------------------------------- */

bool lsi_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);
extern const struct state_description lsi_description;

#endif
