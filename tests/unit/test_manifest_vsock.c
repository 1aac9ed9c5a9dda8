/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets between guests in a manifest. */
#include <stdio.h>

#include "include/seat.h"

#include "tests/unit/manifest_test.h"

/* A guest's node is open; peers is a list of strings. */
static void vsock(struct tree *t, uint32_t cid, const char *peers, int length)
{
	fdt_begin_node(t->blob, "vsock0");
	fdt_property_u32(t->blob, "cid", cid);
	fdt_property(t->blob, "peer", peers, length);
	close_nodes(t, 2);
}

#define VSOCK(t, cid, peers) vsock(t, cid, peers, sizeof(peers))

static void test_pairs(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	begin(t);
	guest(t, "a");
	VSOCK(t, 3, "b\0c");
	guest(t, "b");
	VSOCK(t, 0xfffffffe, "a");
	guest(t, "c");
	VSOCK(t, 100, "a");
	guest(t, "d");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g[0].vsock.cid, 3);
	assert_int_equal(g[0].vsock.peer_count, 2);
	assert_int_equal(g[0].vsock.peer[0], 1);
	assert_int_equal(g[0].vsock.peer[1], 2);
	assert_int_equal(g[1].vsock.cid, 0xfffffffe);
	assert_int_equal(g[1].vsock.peer_count, 1);
	assert_int_equal(g[1].vsock.peer[0], 0);
	assert_true(g[2].devices & MACHINE_DEVICE_VSOCK);
	assert_int_equal(g[3].vsock.cid, 0);
	assert_false(g[3].devices & MACHINE_DEVICE_VSOCK);
}

/* A guest that has nothing but rights, of its own open node. */
static void control(struct tree *t, const char *name, uint32_t cid,
		    const char *rights, int length)
{
	guest(t, name);
	fdt_begin_node(t->blob, "vsock0");
	fdt_property_u32(t->blob, "cid", cid);
	fdt_property(t->blob, "control", rights, length);
	close_nodes(t, 2);
}

#define CONTROL(t, name, cid, rights) \
	control(t, name, cid, rights, sizeof(rights))

static void test_control(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	begin(t);
	CONTROL(t, "a", 3, "watch\0steer");
	CONTROL(t, "b", 4, "debug");
	CONTROL(t, "c", 5, "type");
	CONTROL(t, "d", 6, "type");
	guest(t, "e");
	VSOCK(t, 7, "f");
	guest(t, "f");
	VSOCK(t, 8, "e");
	close_nodes(t, 2);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g[0].vsock.control,
			 SEAT_RIGHT_WATCH | SEAT_RIGHT_STEER);
	assert_int_equal(g[0].vsock.peer_count, 0);
	assert_true(g[0].devices & MACHINE_DEVICE_VSOCK);
	assert_int_equal(g[1].vsock.control, SEAT_RIGHT_DEBUG);
	assert_int_equal(g[4].vsock.control, 0);
}

static void test_control_wrong(void **state)
{
	struct tree *t = *state;
	char name[] = "a";

	begin(t);
	for (; name[0] <= 'e'; name[0]++)
		CONTROL(t, name, (uint32_t)name[0], "type");
	close_nodes(t, 2);
	expect_error(t, "/guests/e/vsock0: control: is for 4 guests at most: "
			"take it from another");
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "vsock0");
	fdt_property_u32(t->blob, "cid", 3);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/vsock0: leads nowhere: give it a peer, or "
			"rights by control");
	begin(t);
	CONTROL(t, "a", 3, "all");
	close_nodes(t, 2);
	assert_int_equal(parse(t), -EINVAL);
	assert_non_null(strstr(t->error, "/guests/a/vsock0: control: "));
	/* The operator's console, and the host's end of sockets. */
	begin(t);
	guest(t, "host");
	close_nodes(t, 3);
	expect_error(t,
		     "/guests/host: its name is the host's already: rename it");
}

/* The host is one of four. */
static void test_control_peers(void **state)
{
	struct tree *t = *state;
	char name[] = "b";

	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "vsock0");
	fdt_property_u32(t->blob, "cid", 3);
	fdt_property(t->blob, "peer", "b\0c\0d\0e", 8);
	fdt_property_string(t->blob, "control", "watch");
	close_nodes(t, 2);
	for (; name[0] <= 'e'; name[0]++) {
		guest(t, name);
		VSOCK(t, (uint32_t)name[0], "a");
	}
	close_nodes(t, 2);
	expect_error(t, "/guests/a/vsock0: peer: has more than 3 guests");
}

struct wrong {
	uint32_t cid;
	const char *peers;
	int length;
	const char *error;
};

#define PEERS(text) text, sizeof(text)

/* Of guest a; b has CID 4 and names a. */
static void test_wrong(void **state)
{
	static const struct wrong rows[] = {
		{ 2, PEERS("b"), "cid: is 2, must be 3 to 4294967294" },
		{ 0xffffffff, PEERS("b"),
		  "cid: is 4294967295, must be 3 to 4294967294" },
		{ 3, PEERS("x"), "peer: is \"x\", and there is no such guest" },
		{ 3, PEERS("a"),
		  "peer: is the guest itself: name another one" },
		{ 3, PEERS("b\0b"), "peer: has \"b\" twice" },
		{ 3, PEERS("b\0c"),
		  "peer: is \"c\", whose vsock0 does not name a: each has to "
		  "name the other" },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[160];

		begin(t);
		guest(t, "a");
		vsock(t, rows[i].cid, rows[i].peers, rows[i].length);
		guest(t, "b");
		VSOCK(t, 4, "a");
		guest(t, "c");
		close_nodes(t, 3);
		snprintf(text, sizeof(text), "/guests/a/vsock0: %s",
			 rows[i].error);
		expect_error(t, text);
	}
	begin(t);
	guest(t, "a");
	VSOCK(t, 4, "b");
	guest(t, "b");
	VSOCK(t, 4, "a");
	close_nodes(t, 2);
	expect_error(t, "/guests/b/vsock0: cid: is that of /guests/a/vsock0, "
			"too: give another");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_control, setup, teardown),
		cmocka_unit_test_setup_teardown(test_control_wrong, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_control_peers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
	};

	return cmocka_run_group_tests_name("manifest_vsock", tests, NULL, NULL);
}
