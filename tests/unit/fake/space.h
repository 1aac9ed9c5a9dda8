/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces on simulated CPUs: tables as mm/table.c makes them, and CPUs
 * that walk them and remember what they found until CR3 is written.  A page is
 * one of the simulation's heap, so the walk's end can be looked at: whether it
 * is still allocated.
 */
#ifndef BULKHEAD_FAKE_SPACE_H
#define BULKHEAD_FAKE_SPACE_H

#include "vm/domain.h"

/* CPUs remember from now on; after sim_setup(). */
void space_setup(void);
/*
 * Ring 3 of the current thread's domain accesses a byte: the page it meets, or
 * NULL where that is a fault.  The run fails if the page has been freed, or if
 * another space's tables are loaded.
 */
uint8_t *space_touch(const struct domain *domain, uint64_t va, bool is_write);
/* The same, where that page is; 0: a fault.  Of memory that is no page of the
 * simulation's heap, too. */
hpa_t space_reach(const struct domain *domain, uint64_t va, bool is_write);

#endif
