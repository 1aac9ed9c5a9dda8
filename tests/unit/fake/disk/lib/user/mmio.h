/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of lib/user/mmio.h: registers of the devices of
 * tests/unit/test_disk_main.c.
 */
#ifndef BULKHEAD_TESTS_FAKE_DISK_MMIO_H
#define BULKHEAD_TESTS_FAKE_DISK_MMIO_H

#include <stdint.h>

uint32_t mmio_read(const void *at, unsigned size);
void mmio_write(void *at, unsigned size, uint32_t value);

#endif
