/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of a device, mapped uncached: each access is one, of that size, 1,
 * 2 or 4, and in the program's order.
 */
#ifndef BULKHEAD_LIB_USER_MMIO_H
#define BULKHEAD_LIB_USER_MMIO_H

#include "include/compiler.h"

static inline uint32_t mmio_read(const void *at, unsigned size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)at;
	case 2:
		return *(const volatile uint16_t *)at;
	default:
		return *(const volatile uint32_t *)at;
	}
}

static inline void mmio_write(void *at, unsigned size, uint32_t value)
{
	switch (size) {
	case 1:
		*(volatile uint8_t *)at = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)at = (uint16_t)value;
		break;
	default:
		*(volatile uint32_t *)at = value;
	}
}

#endif
