/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree that is written node by node and then read as a manifest.  Include in
 * one file of a test program.
 */
#ifndef BULKHEAD_MANIFEST_TEST_H
#define BULKHEAD_MANIFEST_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "include/errno.h"
#include "include/manifest.h"

#define SIZE 16384

/* A tree being written, then read; open nodes nest. */
struct tree {
	char blob[SIZE];
	char error[MANIFEST_ERROR_SIZE];
	struct manifest manifest;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct tree));
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void begin(struct tree *t)
{
	assert_int_equal(fdt_create(t->blob, SIZE), 0);
	assert_int_equal(fdt_finish_reservemap(t->blob), 0);
	fdt_begin_node(t->blob, "");
	fdt_property_string(t->blob, "compatible", "bulkhead,host-v1");
	fdt_begin_node(t->blob, "guests");
}

static void guest(struct tree *t, const char *name)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "board", "pc");
	fdt_property_u32(t->blob, "memory-mib", 128);
}

static void close_nodes(struct tree *t, unsigned count)
{
	while (count--)
		assert_int_equal(fdt_end_node(t->blob), 0);
}

static int parse(struct tree *t)
{
	assert_int_equal(fdt_finish(t->blob), 0);
	return manifest_parse(&t->manifest, t->blob, SIZE, t->error,
			      sizeof(t->error));
}

static void expect_error(struct tree *t, const char *error)
{
	assert_int_equal(parse(t), -EINVAL);
	assert_string_equal(t->error, error);
}

#endif
