/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What test suites for hypervisors want of a board: ports and memory that keep
 * what is written, and interrupt lines in software's hand.
 *
 *	E0h-E3h		a register of 32 bits, in accesses of 1, 2 and 4 bytes
 *	E4h		takes the address of a page that the hypervisor is to
 *			map anew, 4 bytes; reads zero
 *	E8h-EBh		the register at E0h, byte by byte
 *	2000h + n	line n: zero lowers it, anything else raises it; reads
 *			zero
 *	FF000000h	64 KiB that are emulated device memory to the processor
 *
 * Not modelled: mapping anew.  What is written to E4h has no effect that a
 * guest could see.
 *
 * References: QEMU documentation, "pc-testdev"; kvm-unit-tests, README.
 */
#ifndef BULKHEAD_DEVICES_TEST_DEVICE_H
#define BULKHEAD_DEVICES_TEST_DEVICE_H

#include "include/device.h"

#define TEST_DEVICE_LINES  24
#define TEST_DEVICE_BASE   0xff000000
#define TEST_DEVICE_MEMORY 0x10000

struct test_device_state {
	uint32_t data;
	uint32_t lines; /* one bit each: their levels */
};

struct test_device {
	struct device device;
	struct test_device_state state;
	struct irq_line out; /* of line 0; the others' pins follow */
	uint8_t *memory;
};

extern const struct device_ops test_device_ops;

/*
 * memory: TEST_DEVICE_MEMORY bytes, as little a part of the state as RAM is.
 * has_bytes: whether E8h-EBh are there, which a debug console at E9h is in the
 * way of.  0, or bus_add()'s error.
 */
int __must_check test_device_init(struct test_device *test, struct bus *ports,
				  struct bus *memory_bus, uint8_t *memory,
				  bool has_bytes, struct irq_line out);

#endif
