/* SPDX-License-Identifier: BSD-2-Clause */
/* A board's memory that kernels are loaded into.  Include in one file of a test
 * program. */
#ifndef BULKHEAD_TESTS_UNIT_DIRECT_TEST_H
#define BULKHEAD_TESTS_UNIT_DIRECT_TEST_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "firmware/direct.h"

#define RAM_SIZE MIB(32)

struct fixture {
	struct board_description board;
	struct firmware_tables tables;
	struct direct_plan plan;
	struct guest_ram ram;
	uint8_t *memory;
	struct direct_boot boot;
	struct direct_entry entry;
	char error[128];
};

static struct fixture f;

static __maybe_unused int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	f.memory = calloc(1, RAM_SIZE);
	f.ram.count = 1;
	f.ram.range[0] = (struct guest_ram_range){ .length = RAM_SIZE,
						   .host = f.memory };
	if (board_description_pc(&f.board, RAM_SIZE, 1))
		return -1;
	f.boot = (struct direct_boot){ .board = &f.board,
				       .tables = &f.tables,
				       .plan = &f.plan };
	return f.memory ? 0 : -1;
}

static __maybe_unused int teardown(void **state)
{
	(void)state;
	free(f.memory);
	return 0;
}

/* An exact copy on the heap, so that reading past its end is seen. */
static __maybe_unused int load(const void *file, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);
	int result;

	memcpy(copy, file, length);
	f.boot.kernel = copy;
	f.boot.kernel_length = length;
	result = direct_boot_load(&f.ram, &f.boot, &f.entry, f.error,
				  sizeof(f.error));
	free(copy);
	return result;
}

static __maybe_unused uint32_t get32(uint64_t gpa)
{
	uint32_t value;

	memcpy(&value, f.memory + gpa, 4);
	return value;
}

static __maybe_unused uint64_t get64(uint64_t gpa)
{
	return get32(gpa) | (uint64_t)get32(gpa + 4) << 32;
}

static __maybe_unused void put16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, 2);
}

static __maybe_unused void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, 4);
}

static __maybe_unused void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, 8);
}

#endif
