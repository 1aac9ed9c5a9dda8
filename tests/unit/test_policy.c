/* SPDX-License-Identifier: BSD-2-Clause */
/* A manifest's policy: read, checked, and what it says. */
#include <stdio.h>

#include "init/policy.h"
#include "tests/unit/manifest_test.h"

#define LIST(t, name, list) \
	fdt_property((t)->blob, name, list, (int)sizeof(list))

static void card(struct tree *t, const char *network)
{
	fdt_begin_node(t->blob, "nic0");
	fdt_property_string(t->blob, "model", "e1000");
	fdt_property_string(t->blob, "switch", network);
	close_nodes(t, 1);
}

static void labelled(struct tree *t, const char *name, const char *label,
		     const char *network)
{
	guest(t, name);
	if (label)
		fdt_property_string(t->blob, "label", label);
	if (network)
		card(t, network);
	close_nodes(t, 1);
}

/* What the guests are is written; a rule is open then. */
static void rule(struct tree *t, const char *name)
{
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "policy");
	fdt_begin_node(t->blob, name);
}

static void two(struct tree *t)
{
	begin(t);
	labelled(t, "web", NULL, "lan0");
	labelled(t, "db", "store", "lan0");
}

static const struct policy_rule *denial(const struct tree *t, unsigned n,
					char text[POLICY_TEXT_SIZE])
{
	struct policy_object object;
	const struct policy_rule *found =
		policy_denial(&t->manifest, &t->manifest.guest[n], &object);

	if (found)
		policy_object_text(&object, text);
	return found;
}

/* ---- What it says -------------------------------------------------------- */

static void test_none(void **state)
{
	struct tree *t = *state;
	char text[POLICY_TEXT_SIZE];

	two(t);
	close_nodes(t, 2);
	assert_int_equal(parse(t), 0);
	assert_false(t->manifest.has_policy);
	assert_null(denial(t, 0, text));
	assert_null(policy_conflict(&t->manifest, &t->manifest.guest[0],
				    &t->manifest.guest[1]));
	assert_null(policy_control_denial(&t->manifest, "lan0"));
}

static void test_network(void **state)
{
	struct tree *t = *state;
	char text[POLICY_TEXT_SIZE];

	two(t);
	labelled(t, "evil", NULL, "lan0");
	labelled(t, "alone", NULL, "lan1");
	rule(t, "back");
	LIST(t, "networks", "lan0");
	LIST(t, "allow", "web\0store");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_null(denial(t, 0, text));
	assert_null(denial(t, 1, text));
	assert_string_equal(denial(t, 2, text)->name, "back");
	assert_string_equal(text, "network lan0");
	assert_null(denial(t, 3, text));
	assert_string_equal(policy_control_denial(&t->manifest, "lan0")->name,
			    "back");
	assert_null(policy_control_denial(&t->manifest, "lan1"));
}

static void test_control(void **state)
{
	struct tree *t = *state;

	two(t);
	rule(t, "back");
	LIST(t, "networks", "lan0");
	LIST(t, "allow", "web\0store\0control");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_null(policy_control_denial(&t->manifest, "lan0"));
}

static void test_files(void **state)
{
	static const char *const texts[] = { "image secret.img",
					     "image vmlinux", "source ABC" };
	struct tree *t = *state;
	char text[POLICY_TEXT_SIZE];

	begin(t);
	for (unsigned i = 0; i < 3; i++) {
		const char *const names[] = { "disk", "kernel", "drive" };

		guest(t, names[i]);
		if (i == 1)
			fdt_property_string(t->blob, "kernel", "vmlinux");
		fdt_begin_node(t->blob, "disk0");
		fdt_property_string(t->blob, "bus", "ide");
		if (i == 2)
			fdt_property_string(t->blob, "source", "serial:ABC");
		else
			fdt_property_string(t->blob, "image",
					    i ? "free.img" : "secret.img");
		close_nodes(t, 2);
	}
	labelled(t, "owner", NULL, NULL);
	rule(t, "files");
	LIST(t, "images", "secret.img\0vmlinux");
	LIST(t, "sources", "serial:ABC");
	LIST(t, "allow", "owner");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(denial(t, i, text)->name, "files");
		assert_string_equal(text, texts[i]);
	}
	assert_null(denial(t, 3, text));
}

/* A disk's image is as secret to who has it as firmware. */
static void test_other_files(void **state)
{
	static const char *const properties[] = { "firmware", "vga-bios",
						  "program", "initrd",
						  "fw-cfg0" };
	struct tree *t = *state;
	char text[POLICY_TEXT_SIZE];

	for (unsigned i = 0; i < ARRAY_SIZE(properties); i++) {
		bool is_item = !strcmp(properties[i], "fw-cfg0");

		begin(t);
		guest(t, "thief");
		if (!strcmp(properties[i], "initrd"))
			fdt_property_string(t->blob, "kernel", "vmlinux");
		if (is_item) {
			fdt_begin_node(t->blob, "fw-cfg0");
			fdt_property_string(t->blob, "item", "opt/x");
		}
		fdt_property_string(t->blob, is_item ? "file" : properties[i],
				    "secret.img");
		close_nodes(t, is_item ? 2 : 1);
		labelled(t, "owner", NULL, NULL);
		rule(t, "files");
		LIST(t, "images", "secret.img");
		LIST(t, "allow", "owner");
		close_nodes(t, 3);
		assert_int_equal(parse(t), 0);
		assert_string_equal(denial(t, 0, text)->name, "files");
		assert_string_equal(text, "image secret.img");
		assert_null(denial(t, 1, text));
	}
}

/* One port of those listed is enough. */
static void test_ports(void **state)
{
	struct tree *t = *state;
	char text[POLICY_TEXT_SIZE];

	for (uint32_t first = 0x377; first <= 0x37b; first++) {
		const fdt32_t has[] = { cpu_to_fdt32(0x378), cpu_to_fdt32(3) };
		const fdt32_t listed[] = { cpu_to_fdt32(first),
					   cpu_to_fdt32(1) };
		bool is_hit = first >= 0x378 && first <= 0x37a;

		begin(t);
		guest(t, "web");
		fdt_property(t->blob, "ports", has, sizeof(has));
		close_nodes(t, 1);
		labelled(t, "owner", NULL, NULL);
		rule(t, "dongle");
		fdt_property(t->blob, "ports", listed, sizeof(listed));
		LIST(t, "allow", "owner");
		close_nodes(t, 3);
		if (is_hit) {
			assert_int_equal(parse(t), 0);
			assert_string_equal(denial(t, 0, text)->name, "dongle");
			assert_string_equal(text, "ports 0x378 to 0x37a");
		} else {
			assert_int_equal(parse(t), -EINVAL);
			assert_non_null(strstr(t->error, "named by no guest"));
		}
	}
}

/* Who is of an allowed label has all of it. */
static void test_allowed(void **state)
{
	const fdt32_t ports[] = { cpu_to_fdt32(0x378), cpu_to_fdt32(3) };
	struct tree *t = *state;
	char text[POLICY_TEXT_SIZE];

	begin(t);
	guest(t, "web");
	fdt_property_string(t->blob, "label", "owner");
	fdt_property_string(t->blob, "kernel", "vmlinux");
	fdt_property(t->blob, "ports", ports, sizeof(ports));
	fdt_begin_node(t->blob, "disk0");
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "source", "serial:ABC");
	close_nodes(t, 2);
	rule(t, "files");
	LIST(t, "images", "vmlinux");
	LIST(t, "sources", "serial:ABC");
	fdt_property(t->blob, "ports", ports, sizeof(ports));
	LIST(t, "allow", "owner");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_null(denial(t, 0, text));
}

/* ---- Sockets ------------------------------------------------------------- */

static void talker(struct tree *t, const char *name, const char *label,
		   uint32_t cid, const char *peer)
{
	guest(t, name);
	if (label)
		fdt_property_string(t->blob, "label", label);
	fdt_begin_node(t->blob, "vsock0");
	fdt_property_u32(t->blob, "cid", cid);
	fdt_property_string(t->blob, "peer", peer);
	close_nodes(t, 2);
}

/* web talks with db, evil with spy. */
static void talkers(struct tree *t)
{
	begin(t);
	talker(t, "web", NULL, 3, "db");
	talker(t, "db", "store", 4, "web");
	talker(t, "evil", "bad", 5, "spy");
	talker(t, "spy", "bad", 6, "evil");
}

/* A pair is the same whichever is named first. */
static void test_vsock(void **state)
{
	static const char *const pairs[] = { "web:db", "db:web" };
	struct tree *t = *state;
	char text[POLICY_TEXT_SIZE];

	for (unsigned i = 0; i < 2; i++) {
		talkers(t);
		rule(t, "talk");
		fdt_property_string(t->blob, "vsocks", pairs[i]);
		LIST(t, "allow", "web");
		close_nodes(t, 1);
		fdt_begin_node(t->blob, "plot");
		LIST(t, "vsocks", "evil:spy");
		LIST(t, "allow", "bad");
		close_nodes(t, 3);
		assert_int_equal(parse(t), 0);
		assert_null(denial(t, 0, text));
		assert_string_equal(denial(t, 1, text)->name, "talk");
		assert_string_equal(text, "vsock db:web");
		assert_null(denial(t, 2, text));
		assert_null(denial(t, 3, text));
	}
}

static void test_vsock_refused(void **state)
{
	static const struct {
		const char *pair, *error;
	} cases[] = {
		{ "web", "/policy/r: vsocks: \"web\" must be two guests, with "
			 "a colon between, as \"web:db\"" },
		{ "web:", NULL },
		{ ":db", NULL },
		{ "web:web", NULL },
		{ "web:db:x", NULL },
		{ "a-name-of-24-characters-:db", NULL },
		{ "web:a-name-of-24-characters-", NULL },
		{ "web:spy", "/policy/r: vsock spy:web is named by no guest: "
			     "look at its spelling, or leave it out" },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		talkers(t);
		rule(t, "r");
		fdt_property_string(t->blob, "vsocks", cases[i].pair);
		LIST(t, "allow", "web");
		close_nodes(t, 3);
		assert_int_equal(parse(t), -EINVAL);
		if (cases[i].error)
			assert_string_equal(t->error, cases[i].error);
		else
			assert_non_null(strstr(t->error, "must be two guests"));
	}
}

/* The host is a peer of who may speak the control protocol. */
static void test_vsock_host(void **state)
{
	struct tree *t = *state;
	char text[POLICY_TEXT_SIZE];

	for (unsigned i = 0; i < 3; i++) {
		begin(t);
		guest(t, "web");
		fdt_begin_node(t->blob, "vsock0");
		fdt_property_u32(t->blob, "cid", 3);
		fdt_property_string(t->blob, "control", "steer");
		close_nodes(t, 2);
		labelled(t, "boss", NULL, NULL);
		rule(t, "rulers");
		if (i) {
			LIST(t, "vsocks", "web:host");
			fdt_property_string(t->blob, "allow",
					    i == 1 ? "web" : "boss");
		} else {
			LIST(t, "conflict", "web\0boss");
		}
		close_nodes(t, 3);
		if (!i) {
			expect_error(t, "/policy: no rule lists vsock "
					"host:web, which /guests/web and the "
					"host have: list it in a rule's "
					"vsocks");
			continue;
		}
		assert_int_equal(parse(t), 0);
		if (i == 1) {
			assert_null(denial(t, 0, text));
			continue;
		}
		assert_string_equal(denial(t, 0, text)->name, "rulers");
		assert_string_equal(text, "vsock host:web");
	}
}

/* Those of one label need no rule. */
static void test_vsock_unlisted(void **state)
{
	struct tree *t = *state;

	talkers(t);
	rule(t, "wall");
	LIST(t, "conflict", "web\0bad");
	close_nodes(t, 3);
	expect_error(t, "/policy: no rule lists vsock db:web, which "
			"/guests/web and /guests/db have: list it in a rule's "
			"vsocks, or give both one label");
}

static void test_conflict(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *made = t->manifest.guest;
	static const bool expected[4][4] = {
		{ 0, 0, 1, 0 },
		{ 0, 0, 1, 0 },
		{ 1, 1, 0, 0 },
		{ 0, 0, 0, 0 },
	};

	begin(t);
	labelled(t, "a1", "bank-a", NULL);
	labelled(t, "a2", "bank-a", NULL);
	labelled(t, "b", "bank-b", NULL);
	labelled(t, "free", NULL, NULL);
	rule(t, "wall");
	LIST(t, "conflict", "bank-b\0bank-a");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < 4; j++)
			assert_int_equal(policy_conflict(&t->manifest, &made[i],
							 &made[j]) != NULL,
					 expected[i][j]);
}

/* ---- What is refused ----------------------------------------------------- */

static void test_refused(void **state)
{
	static const struct {
		const char *property, *list;
		int size;
		const char *second, *second_list;
		const char *error;
	} cases[] = {
		{ "allow", "web", 4, NULL, NULL,
		  "/policy/r: is about nothing: give it networks, images, "
		  "sources, vsocks or ports, or a conflict" },
		{ "networks", "lan0", 5, NULL, NULL,
		  "/policy/r: allow: is missing: whose labels may have that?" },
		{ "networks", "lan0", 5, "allow", "wbe",
		  "/policy/r: allow: \"wbe\" is no guest's label: without one "
		  "a "
		  "guest's label is its node's name" },
		{ "networks", "lan9", 5, "allow", "web",
		  "/policy/r: network lan9 is named by no guest: look at its "
		  "spelling, or leave it out" },
		{ "sources", "what", 5, "allow", "web", NULL },
		{ "conflict", "web", 4, NULL, NULL,
		  "/policy/r: conflict: needs two labels that differ" },
		{ "conflict", "web\0web", 8, NULL, NULL,
		  "/policy/r: conflict: needs two labels that differ" },
		{ "conflict", "web\0control", 12, NULL, NULL,
		  "/policy/r: conflict: \"control\" is no guest's label: "
		  "without one a guest's label is its node's name" },
		{ "conflict", "web\0store", 10, "allow", "web",
		  "/policy/r: conflict: stands alone: make another rule of the "
		  "rest" },
		{ "objects", "x", 2, NULL, NULL,
		  "/policy/r: objects: no such property here" },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		two(t);
		rule(t, "r");
		fdt_property(t->blob, cases[i].property, cases[i].list,
			     cases[i].size);
		if (cases[i].second)
			fdt_property_string(t->blob, cases[i].second,
					    cases[i].second_list);
		close_nodes(t, 3);
		assert_int_equal(parse(t), -EINVAL);
		if (cases[i].error)
			assert_string_equal(t->error, cases[i].error);
	}
}

static void test_twice(void **state)
{
	struct tree *t = *state;

	two(t);
	rule(t, "one");
	LIST(t, "networks", "lan0");
	LIST(t, "allow", "web\0store");
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "other");
	LIST(t, "networks", "lan0");
	LIST(t, "allow", "web");
	close_nodes(t, 3);
	expect_error(t, "/policy/other: network lan0 is in /policy/one, too: "
			"list it in one of them");
}

/* Where there is a policy it says who talks to whom. */
static void test_unlisted(void **state)
{
	struct tree *t = *state;

	two(t);
	rule(t, "wall");
	LIST(t, "conflict", "web\0store");
	close_nodes(t, 3);
	expect_error(t, "/policy: no rule lists network lan0, which "
			"/guests/web and /guests/db have: list it in a rule's "
			"networks, or give both one label");
	begin(t);
	labelled(t, "web", "same", "lan0");
	labelled(t, "db", "same", "lan0");
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "policy");
	close_nodes(t, 2);
	assert_int_equal(parse(t), 0);
	assert_true(t->manifest.has_policy);
}

static void test_label(void **state)
{
	struct tree *t = *state;

	begin(t);
	labelled(t, "web", "control", NULL);
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "policy");
	close_nodes(t, 2);
	expect_error(t, "/policy: \"control\" is the label of clients of the "
			"control protocol: give the guest another");

	/* Both are shown in lines of the log. */
	begin(t);
	labelled(t, "web", "a\nb", NULL);
	close_nodes(t, 2);
	expect_error(t, "/guests/web: label: must be a letter, "
			"then letters, digits, - and _");
	begin(t);
	labelled(t, "web", NULL, "lan 0");
	close_nodes(t, 2);
	expect_error(t, "/guests/web/nic0: switch: must be a "
			"letter, then letters, digits, - and _");
}

static void test_many_rules(void **state)
{
	struct tree *t = *state;
	char name[8];

	two(t);
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "policy");
	for (unsigned i = 0; i <= MANIFEST_RULES_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		fdt_begin_node(t->blob, name);
		LIST(t, "conflict", "web\0store");
		close_nodes(t, 1);
	}
	close_nodes(t, 2);
	expect_error(t, "/policy/r32: more than 32 rules");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_network, setup, teardown),
		cmocka_unit_test_setup_teardown(test_control, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_files, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_allowed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vsock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vsock_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_vsock_host, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_vsock_unlisted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_conflict, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlisted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_label, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_rules, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
