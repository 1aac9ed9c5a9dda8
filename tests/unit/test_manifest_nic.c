/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards in a manifest. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

/* In the guest's node, which stays open. */
static void nic(struct tree *t, const char *node, const char *network,
		const char *mac)
{
	fdt_begin_node(t->blob, node);
	fdt_property_string(t->blob, "model", "e1000");
	if (network)
		fdt_property_string(t->blob, "switch", network);
	if (mac)
		fdt_property_string(t->blob, "mac", mac);
}

static void one(struct tree *t, const char *network, const char *mac)
{
	begin(t);
	guest(t, "a");
	nic(t, "nic0", network, mac);
}

static void test_nics(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 0xab, 0xCD, 0xef };
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t, "lan0", "52:54:00:ab:CD:ef");
	fdt_property_u32(t->blob, "vlan", 4094);
	fdt_property_u32(t->blob, "kib-limit", 1000);
	close_nodes(t, 1);
	nic(t, "nic7", "lan1", NULL);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->nic_count, 2);
	assert_int_equal(g->disk_count, 0);
	assert_int_equal(g->nic[0].model, MACHINE_NIC_E1000);
	assert_int_equal(g->nic[0].number, 0);
	assert_memory_equal(g->nic[0].mac, mac, 6);
	assert_string_equal(g->nic[0].network, "lan0");
	assert_int_equal(g->nic[0].vlan, 4094);
	assert_int_equal(g->nic[0].kib_limit, 1000);
	assert_int_equal(g->nic[1].number, 7);
	assert_int_equal(g->nic[1].vlan, 0);
}

static void test_models(void **state)
{
	static const struct {
		const char *name;
		unsigned model;
	} models[] = {
		{ "e1000", MACHINE_NIC_E1000 },
		{ "rtl8139", MACHINE_NIC_RTL8139 },
		{ "pcnet", MACHINE_NIC_PCNET },
		{ "ne2000-pci", MACHINE_NIC_NE2000_PCI },
		{ "ne2000", MACHINE_NIC_NE2000 },
		{ "e1000e", MACHINE_NIC_E1000E },
		{ "virtio", MACHINE_NIC_VIRTIO },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
		begin(t);
		guest(t, "a");
		fdt_begin_node(t->blob, "nic0");
		fdt_property_string(t->blob, "model", models[i].name);
		fdt_property_string(t->blob, "switch", "lan0");
		close_nodes(t, 4);
		assert_int_equal(parse(t), 0);
		assert_int_equal(t->manifest.guest->nic[0].model,
				 models[i].model);
	}
}

/* The same each time, of its guest and number, and nobody else's. */
static void test_own_address(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;
	uint8_t first[6];

	for (unsigned i = 0; i < 2; i++) {
		begin(t);
		guest(t, i ? "z" : "a");
		close_nodes(t, 1);
		guest(t, i ? "a" : "b");
		nic(t, "nic0", "lan0", NULL);
		close_nodes(t, 1);
		nic(t, "nic1", "lan0", NULL);
		close_nodes(t, 4);
		assert_int_equal(parse(t), 0);
		assert_int_equal(g[1].nic[0].mac[0], 0x52);
		assert_int_equal(g[1].nic[0].mac[0] & 1, 0);
		assert_memory_not_equal(g[1].nic[0].mac, g[1].nic[1].mac, 6);
		if (i)
			assert_memory_not_equal(g[1].nic[0].mac, first, 6);
		memcpy(first, g[1].nic[0].mac, 6);
	}
	one(t, "lan0", NULL);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_memory_equal(g[0].nic[0].mac, first, 6);
}

static void test_wrong_nics(void **state)
{
	static const char *const macs[] = { "52:54:00:12:34",
					    "52:54:00:12:34:5g",
					    "52-54-00-12-34-56",
					    "52:54:00:12:34:567" };
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(macs); i++) {
		char text[120];

		one(t, "lan0", macs[i]);
		close_nodes(t, 4);
		snprintf(text, sizeof(text),
			 "/guests/a/nic0: mac: is \"%s\", must be like "
			 "52:54:00:12:34:56",
			 macs[i]);
		expect_error(t, text);
	}
	one(t, "lan0", "53:54:00:12:34:56");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/nic0: mac: is that of a group, for its "
			"first byte is odd");
	one(t, NULL, NULL);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/nic0: switch: is missing");
	one(t, "", NULL);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/nic0: switch: must not be empty");
	one(t, "lan0", NULL);
	fdt_property_u32(t->blob, "vlan", 4095);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/nic0: vlan: is 4095, must be 1 to 4094");
}

static void test_boot_index(void **state)
{
	struct tree *t = *state;

	one(t, "lan0", NULL);
	fdt_property_u32(t->blob, "boot-index", 2);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest[0].nic[0].boot_index, 2);
	/* Drives and cards have one order. */
	for (unsigned i = 0; i < 2; i++) {
		begin(t);
		guest(t, "a");
		for (unsigned k = 0; k < 2; k++) {
			if (k == i) {
				nic(t, "nic0", "lan0", NULL);
			} else {
				fdt_begin_node(t->blob, "disk0");
				fdt_property_string(t->blob, "bus", "ide");
				fdt_property_string(t->blob, "image", "a.img");
			}
			fdt_property_u32(t->blob, "boot-index", 2);
			close_nodes(t, 1);
		}
		close_nodes(t, 3);
		expect_error(t, i ? "/guests/a/nic0: boot-index: 2 is taken "
				    "already"
				  : "/guests/a/disk0: boot-index: 2 is taken "
				    "already");
	}
}

static void test_twice(void **state)
{
	struct tree *t = *state;

	one(t, "lan0", "52:54:00:12:34:56");
	close_nodes(t, 2);
	guest(t, "b");
	nic(t, "nic3", "lan1", "52:54:00:12:34:56");
	close_nodes(t, 4);
	expect_error(t, "/guests/b/nic3: mac: is that of /guests/a/nic0, too: "
			"give another");
	one(t, "lan0", NULL);
	close_nodes(t, 1);
	nic(t, "nic1", "lan0", NULL);
	close_nodes(t, 1);
	nic(t, "nic2", "lan0", NULL);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/nic2: is more than the 2 that fit");
}

static void isa(struct tree *t, const char *node, uint32_t port, uint32_t irq)
{
	fdt_begin_node(t->blob, node);
	fdt_property_string(t->blob, "model", "ne2000");
	fdt_property_string(t->blob, "switch", "lan0");
	if (port)
		fdt_property_u32(t->blob, "port", port);
	if (irq)
		fdt_property_u32(t->blob, "irq", irq);
}

static void test_isa(void **state)
{
	struct tree *t = *state;
	const struct nic_manifest *nics = t->manifest.guest->nic;

	begin(t);
	guest(t, "a");
	isa(t, "nic0", 0, 0);
	close_nodes(t, 1);
	isa(t, "nic1", 0x280, 5);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(nics[0].port, 0x300);
	assert_int_equal(nics[0].irq, 3);
	assert_int_equal(nics[1].port, 0x280);
	assert_int_equal(nics[1].irq, 5);
}

static void test_isa_conflicts(void **state)
{
	static const struct {
		uint32_t port, irq;
		bool has_serial1;
		bool has_parallel0;
		const char *error;
	} rows[] = {
		{ 0x310, 0, false, false,
		  "port: is 0x310, must be a multiple of 0x20" },
		{ 0x378, 0, false, false, "port: is 888, must be 512 to 832" },
		{ 0x2e0, 0, false, false,
		  "port: is 0x2e0, but COM2 is at 0x2f8: give 0x280, 0x300, "
		  "0x320 or 0x340" },
		{ 0x320, 5, false, false,
		  "port: is 0x320, as nic0's: give 0x280, 0x300, 0x320 or "
		  "0x340" },
		{ 0x340, 7, false, false,
		  "irq: is 7, which is another card's: give 3, 5 or 7 that is "
		  "free" },
		{ 0x340, 4, false, false,
		  "irq: is 4, which is the first serial port's: give 3, 5 or 7 "
		  "that is free" },
		{ 0x340, 6, false, false,
		  "irq: is 6, which is the floppy controller's: give 3, 5 or 7 "
		  "that is free" },
		{ 0x340, 0, true, false,
		  "irq: is 3, which is the second serial port's: give 3, 5 or "
		  "7 that is free" },
		{ 0x340, 7, false, true,
		  "irq: is 7, which is the parallel port's: give 3, 5 or 7 "
		  "that is free" },
		{ 0x340, 9, false, false, "irq: is 9, must be 3 to 7" },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[160];

		begin(t);
		guest(t, "a");
		if (rows[i].has_serial1)
			fdt_property(t->blob, "serial1", NULL, 0);
		if (rows[i].has_parallel0)
			fdt_property(t->blob, "parallel0", NULL, 0);
		isa(t, "nic0", 0x320, rows[i].has_parallel0 ? 5 : 7);
		close_nodes(t, 1);
		isa(t, "nic1", rows[i].port, rows[i].irq);
		close_nodes(t, 4);
		snprintf(text, sizeof(text), "/guests/a/nic1: %s",
			 rows[i].error);
		expect_error(t, text);
	}
	one(t, "lan0", NULL);
	fdt_property_u32(t->blob, "irq", 5);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/nic0: irq: is for model \"ne2000\"");
	begin(t);
	guest(t, "a");
	isa(t, "nic0", 0, 0);
	fdt_property_u32(t->blob, "boot-index", 1);
	close_nodes(t, 4);
	expect_error(t, "/guests/a/nic0: boot-index: is for cards with a boot "
			"ROM: give model \"ne2000-pci\"");
}

/* Queues and the longest packet, which virtio's driver alone is told. */
static void test_virtio(void **state)
{
	static const struct {
		const char *model, *property;
		uint32_t value;
		const char *error;
	} rows[] = {
		{ "virtio", "queues", 9, "queues: is 9, must be 1 to 8" },
		{ "virtio", "queues", 0, "queues: is 0, must be 1 to 8" },
		{ "virtio", "mtu", 67, "mtu: is 67, must be 68 to 9710" },
		{ "virtio", "mtu", 9711, "mtu: is 9711, must be 68 to 9710" },
		{ "e1000", "queues", 2, "queues: is for model \"virtio\"" },
		{ "ne2000", "mtu", 1500, "mtu: is for model \"virtio\"" },
	};
	struct tree *t = *state;
	const struct nic_manifest *nics = t->manifest.guest->nic;

	begin(t);
	guest(t, "a");
	for (unsigned i = 0; i < 2; i++) {
		fdt_begin_node(t->blob, i ? "nic1" : "nic0");
		fdt_property_string(t->blob, "model", "virtio");
		fdt_property_string(t->blob, "switch", "lan0");
		if (i) {
			fdt_property_u32(t->blob, "queues", 8);
			fdt_property_u32(t->blob, "mtu", 9710);
		}
		close_nodes(t, i ? 4 : 1);
	}
	assert_int_equal(parse(t), 0);
	assert_int_equal(nics[0].pairs, 1);
	assert_int_equal(nics[0].mtu, 1500);
	assert_int_equal(nics[1].pairs, 8);
	assert_int_equal(nics[1].mtu, 9710);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[100];

		begin(t);
		guest(t, "a");
		fdt_begin_node(t->blob, "nic0");
		fdt_property_string(t->blob, "model", rows[i].model);
		fdt_property_string(t->blob, "switch", "lan0");
		fdt_property_u32(t->blob, rows[i].property, rows[i].value);
		close_nodes(t, 4);
		snprintf(text, sizeof(text), "/guests/a/nic0: %s",
			 rows[i].error);
		expect_error(t, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_models, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_address, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_wrong_nics, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_boot_index, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_isa, setup, teardown),
		cmocka_unit_test_setup_teardown(test_isa_conflicts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_virtio, setup, teardown),
	};

	return cmocka_run_group_tests_name("manifest_nic", tests, NULL, NULL);
}
