/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running code outside of long mode; the code itself is assembly.
 */
#ifndef BULKHEAD_TESTS_MODES_H
#define BULKHEAD_TESTS_MODES_H

#include "tests/guest/lib/guest.h"

/* Once, before mode32_run(): its IDT. */
void modes_init(void);

/*
 * Calls fn in 32-bit protected mode with flat segments; paging is on if cr3
 * is not 0.  fn must be assembly for 32 bits.
 */
void mode32_run(void (*fn)(void), uint32_t cr3, uint32_t cr4, uint32_t efer);

/*
 * Copies length bytes to 0x8000 and calls them at that offset in real mode
 * with CS = DS = ES = 0x800, SS = 0, FS flat with a limit of 4 GiB; they end
 * with a far return.  What they change of themselves can be read there.
 */
void mode16_run(const void *code, uint32_t length, uint16_t entry);
#define MODE16_CODE 0x8000

/* What catch32 caught last. */
extern volatile uint32_t trap32_vector, trap32_error, trap32_eip, trap32_cs;
extern volatile uint32_t trap32_flags, trap32_esp, trap32_ss;

#endif
