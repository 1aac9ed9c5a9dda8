/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of lib/user/shared.h: every access of lib/user/ring.c to shared
 * memory is a step of tests/unit/ring_model.h's, or of a hostile peer's.
 */
#ifndef BULKHEAD_TESTS_FAKE_RING_SHARED_H
#define BULKHEAD_TESTS_FAKE_RING_SHARED_H

#include <stddef.h>
#include <stdint.h>

uint32_t shared_load(const uint32_t *word);
void shared_store(uint32_t *word, uint32_t value);
void shared_fence(void);
void shared_copy_in(void *to, const uint8_t *shared, size_t n);
void shared_copy_out(uint8_t *shared, const void *from, size_t n);

#endif
