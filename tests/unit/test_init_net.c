/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init and the switch: ports are plugged in and out; guests neither wait for it
 * nor end with it; a switch that dies, hangs and lies.
 */
#include "tests/unit/init_test.h"

#include "include/switch.h"

#define WEB 1	      /* the switch's slot of the first guest's first card */
#define DB  (WEB + 2) /* behind a guest with two */

static struct {
	gate_id id;
	struct ring in, out;
} fake_switch;

static int setup_net(void **state)
{
	setup(state);
	add_module("switch.elf", &file, sizeof(file));
	return 0;
}

static struct guest_manifest *add_networked(const char *name, unsigned nics)
{
	struct guest_manifest *guest = add_guest(name, 1);

	for (unsigned i = 0; i < nics; i++) {
		struct nic_manifest *nic = &guest->nic[guest->nic_count++];

		*nic = (struct nic_manifest){ .model = MACHINE_NIC_E1000,
					      .number = (uint8_t)i,
					      .mac = { 0x52, 0x54, 0, 0, 0,
						       (uint8_t)(i + 1) },
					      .vlan = (uint16_t)i,
					      .kib_limit = 7 };
		(void)snprintf(nic->network, sizeof(nic->network), "lan%u", i);
	}
	return guest;
}

static void switch_begins(void)
{
	const struct fake_domain *domain = named("switch");
	struct switch_control *memory;

	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_RUNNING);
	fake_switch.id = domain->id;
	memory = (struct switch_control *)channel_of(fake_switch.id,
						     SWITCH_CONTROL_SLOT)
			 ->memory;
	ring_init(&fake_switch.in, &memory->to_switch, memory->to_switch_data,
		  SWITCH_CONTROL_SIZE, false, true);
	ring_init(&fake_switch.out, &memory->from_switch,
		  memory->from_switch_data, SWITCH_CONTROL_SIZE, true, true);
}

static bool hears(struct switch_message *message)
{
	bool bell = false;

	return ring_get(&fake_switch.in, message, sizeof(*message), &bell) ==
	       (long)sizeof(*message);
}

static void expects(uint32_t kind, uint32_t slot,
		    struct switch_message *message)
{
	assert_true(hears(message));
	assert_int_equal(message->kind, kind);
	assert_int_equal(message->slot, slot);
}

static void removes(uint32_t slot)
{
	const struct switch_message message = {
		.kind = SWITCH_REMOVED,
		.slot = slot,
		.counters = { .sent = 11, .received = 22, .dropped = 33 },
	};
	struct fake_channel *channel = channel_of(fake_switch.id, slot);
	bool bell = false;

	if (channel)
		channel_leave(channel, fake_switch.id);
	assert_int_equal(
		ring_put(&fake_switch.out, &message, sizeof(message), &bell),
		sizeof(message));
}

static bool is_running(const char *name)
{
	const struct fake_domain *domain = named(name);

	return domain && domain->status.state == GATE_DOMAIN_RUNNING;
}

/* ---- A good one ---------------------------------------------------------- */

static void test_ports(void **state)
{
	struct switch_message message;
	const struct fake_channel *channel;
	const struct fake_domain *web;

	(void)state;
	add_networked("web", 2);
	add_networked("db", 1);
	assert_true(begins());
	/* They do not wait for it. */
	assert_true(is_running("web") && is_running("db"));
	switch_begins();
	expects(SWITCH_ADD, WEB, &message);
	assert_string_equal(message.port, "web/nic0");
	assert_string_equal(message.network, "lan0");
	assert_int_equal(message.vlan, 0);
	assert_int_equal(message.kib_limit, 7);
	expects(SWITCH_ADD, WEB + 1, &message);
	assert_string_equal(message.port, "web/nic1");
	assert_string_equal(message.network, "lan1");
	assert_int_equal(message.vlan, 1);
	expects(SWITCH_ADD, DB, &message);
	assert_string_equal(message.port, "db/nic0");
	assert_false(hears(&message));
	web = named("web");
	assert_int_equal(web->config.nic_count, 2);
	assert_int_equal(web->config.nic[1].mac[5], 2);
	channel = channel_of(fake_switch.id, WEB + 1);
	assert_non_null(channel);
	assert_int_equal(channel->end[0].domain, web->id);
	assert_int_equal(channel->end[0].slot, SWITCH_CLIENT_SLOT + 1);
}

static void test_unplugged(void **state)
{
	struct switch_message message;

	(void)state;
	add_networked("web", 1)->restart = MANIFEST_RESTART_ALWAYS;
	add_networked("db", 1);
	assert_true(begins());
	switch_begins();
	while (hears(&message))
		;
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	expects(SWITCH_REMOVE, WEB, &message);
	assert_false(hears(&message));
	assert_non_null(named("web"));
	removes(WEB);
	assert_true(goes_on());
	assert_logged("web/nic0: sent 11 frames, received 22, 33 dropped");
	assert_null(named("web"));
	gate.now = gate.deadline;
	assert_true(goes_on());
	assert_true(is_running("web"));
	expects(SWITCH_ADD, WEB, &message);
	/* The host ends when all has been unplugged. */
	manifest.guest[0].restart = 0;
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	ends("db", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	expects(SWITCH_REMOVE, WEB, &message);
	expects(SWITCH_REMOVE, WEB + 1, &message);
	removes(WEB);
	removes(WEB + 1);
	assert_false(goes_on());
	assert_int_equal(gate.off, 0);
}

/* ---- seat's clients ------------------------------------------------------ */

#define CLIENT (1 + NET_CARDS) /* the switch's slot of the first one */

static int setup_clients(void **state)
{
	setup_net(state);
	add_module("seat.elf", &file, sizeof(file));
	return 0;
}

/* A host on which two networks are, and both services have been told all. */
static void begin_with_seat(void)
{
	struct switch_message message;

	add_networked("web", 2);
	assert_true(begins());
	seat_begins();
	seat_obeys();
	switch_begins();
	while (hears(&message))
		;
}

static struct seat_message seat_asks(uint32_t verb, const char *name,
				     uint32_t slot)
{
	struct seat_message message = { .kind = SEAT_ASK,
					.verb = verb,
					.slot = slot,
					.vlan = verb == SEAT_JOIN ? 9 : 0 };
	bool bell = false;

	message.tag = 77;
	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	assert_int_equal(
		ring_put(&fake_seat.out, &message, sizeof(message), &bell),
		sizeof(message));
	assert_true(goes_on());
	do
		assert_true(seat_hears(&message));
	while (message.kind != SEAT_TOLD);
	assert_int_equal(message.tag, 77);
	return message;
}

static void seat_leaves(uint32_t slot)
{
	struct fake_channel *channel = channel_of(named("seat")->id, slot);

	if (channel)
		channel_leave(channel, named("seat")->id);
	(void)seat_asks(SEAT_LEAVE, "", slot);
}

static void test_client(void **state)
{
	struct switch_message message;
	struct seat_message told;
	unsigned before;

	(void)state;
	begin_with_seat();
	before = channels();
	told = seat_asks(SEAT_JOIN, "lan1", 0);
	assert_string_equal(told.text, "");
	assert_string_equal(told.name, "lan1");
	assert_int_equal(told.slot, SEAT_PORT_SLOT);
	expects(SWITCH_ADD, CLIENT, &message);
	assert_string_equal(message.port, "client/0");
	assert_string_equal(message.network, "lan1");
	assert_int_equal(message.vlan, 9);
	assert_int_equal(message.flags, 0);
	assert_int_equal(channel_of(fake_switch.id, CLIENT)->end[0].domain,
			 named("seat")->id);
	told = seat_asks(SEAT_CAPTURE, "lan0", 0);
	assert_int_equal(told.slot, SEAT_PORT_SLOT + 1);
	expects(SWITCH_ADD, CLIENT + 1, &message);
	assert_int_equal(message.flags, SWITCH_MIRROR);
	seat_leaves(SEAT_PORT_SLOT);
	expects(SWITCH_REMOVE, CLIENT, &message);
	/* Until the switch has let go of it the port is nobody else's. */
	told = seat_asks(SEAT_JOIN, "lan0", 0);
	assert_int_equal(told.slot, SEAT_PORT_SLOT + 2);
	removes(CLIENT);
	assert_true(goes_on());
	assert_logged("client/0: sent 11 frames, received 22, 33 dropped");
	assert_int_equal(channels(), before + 2);
	told = seat_asks(SEAT_JOIN, "lan0", 0);
	assert_int_equal(told.slot, SEAT_PORT_SLOT);
}

static void test_client_refused(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "lan", "is no network: there are lan0, lan1" },
		{ "", "which one? There are lan0, lan1" },
	};
	struct seat_message told;

	(void)state;
	begin_with_seat();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		told = seat_asks(SEAT_JOIN, rows[i].name, 0);
		assert_string_equal(told.text, rows[i].text);
	}
	for (unsigned i = 0; i < SEAT_PORTS; i++)
		assert_string_equal(seat_asks(SEAT_JOIN, "lan0", 0).text, "");
	told = seat_asks(SEAT_JOIN, "lan0", 0);
	assert_string_equal(told.text,
			    "has no port left for a client: end another one");
	/* What is no port's may be said, and changes nothing. */
	(void)seat_asks(SEAT_LEAVE, "", 1);
	(void)seat_asks(SEAT_LEAVE, "", UINT32_MAX);
	assert_true(is_running("seat"));
	assert_non_null(channel_of(named("seat")->id, 1));
	assert_false(channel_of(named("seat")->id, 1)->is_closed);
}

static void test_client_of_the_only_network(void **state)
{
	(void)state;
	add_networked("web", 1);
	add_networked("db", 1);
	assert_true(begins());
	seat_begins();
	seat_obeys();
	assert_string_equal(seat_asks(SEAT_JOIN, "", 0).name, "lan0");
}

static void test_no_network(void **state)
{
	(void)state;
	add_guest("plain", 1);
	assert_true(begins());
	seat_begins();
	seat_obeys();
	assert_string_equal(seat_asks(SEAT_JOIN, "lan0", 0).text,
			    "there is no network");
}

/* Its ports end with it, and the next one may have them. */
static void test_seat_dies(void **state)
{
	struct switch_message message;

	(void)state;
	begin_with_seat();
	(void)seat_asks(SEAT_JOIN, "lan0", 0);
	expects(SWITCH_ADD, CLIENT, &message);
	ends("seat", GATE_END_FAULT, 0);
	assert_true(goes_on());
	expects(SWITCH_REMOVE, CLIENT, &message);
	removes(CLIENT);
	assert_true(goes_on());
	gate.now = gate.deadline;
	assert_true(goes_on());
	seat_begins();
	seat_obeys();
	assert_int_equal(seat_asks(SEAT_JOIN, "lan0", 0).slot, SEAT_PORT_SLOT);
	expects(SWITCH_ADD, CLIENT, &message);
}

/* The next switch has the same port of the same client's. */
static void test_switch_dies(void **state)
{
	struct switch_message message;
	gate_id channel;

	(void)state;
	begin_with_seat();
	(void)seat_asks(SEAT_CAPTURE, "lan0", 0);
	channel = channel_of(named("seat")->id, SEAT_PORT_SLOT)->id;
	ends("switch", GATE_END_FAULT, 0);
	assert_true(goes_on());
	gate.now = gate.deadline;
	assert_true(goes_on());
	switch_begins();
	expects(SWITCH_ADD, WEB, &message);
	expects(SWITCH_ADD, WEB + 1, &message);
	expects(SWITCH_ADD, CLIENT, &message);
	assert_int_equal(message.flags, SWITCH_MIRROR);
	assert_int_equal(channel_of(fake_switch.id, CLIENT)->id, channel);
}

/* ---- Bad ones ------------------------------------------------------------ */

static void test_it_dies(void **state)
{
	struct switch_message message;
	gate_id channel;

	(void)state;
	add_networked("web", 1);
	add_networked("db", 1);
	assert_true(begins());
	switch_begins();
	channel = channel_of(fake_switch.id, WEB)->id;
	ends("switch", GATE_END_FAULT, 0);
	assert_true(goes_on());
	assert_true(is_running("web"));
	/* The next one has the same channels; who has ended meanwhile, none. */
	ends("db", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	assert_null(named("db"));
	gate.now = gate.deadline;
	assert_true(goes_on());
	switch_begins();
	expects(SWITCH_ADD, WEB, &message);
	assert_false(hears(&message));
	assert_int_equal(channel_of(fake_switch.id, WEB)->id, channel);
}

static void test_it_hangs(void **state)
{
	struct switch_message message;

	(void)state;
	add_networked("web", 1);
	add_guest("plain", 1);
	assert_true(begins());
	switch_begins();
	expects(SWITCH_ADD, WEB, &message);
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	assert_non_null(named("web"));
	assert_true(gate.deadline <= gate.now + 5 * NSEC_PER_SEC);
	gate.now = gate.deadline;
	assert_true(goes_on());
	assert_logged("is stopped: it does not answer");
	assert_true(goes_on());
	assert_null(named("web"));
}

static void test_it_lies(void **state)
{
	static const struct switch_message rows[] = {
		{ .kind = SWITCH_REMOVED, .slot = WEB },
		{ .kind = SWITCH_REMOVED, .slot = 0 },
		{ .kind = SWITCH_REMOVED, .slot = SWITCH_SLOTS },
		{ .kind = SWITCH_REMOVED, .slot = UINT32_MAX },
		{ .kind = 99, .slot = WEB },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		bool bell = false;

		setup_net(state);
		add_networked("web", 1);
		assert_true(begins());
		switch_begins();
		assert_int_equal(ring_put(&fake_switch.out, &rows[i],
					  sizeof(rows[i]), &bell),
				 sizeof(rows[i]));
		assert_true(goes_on());
		assert_logged("it says what nobody asked for");
		assert_true(is_running("web"));
	}
}

static void test_no_switch(void **state)
{
	setup(state);
	add_networked("web", 1);
	add_guest("plain", 1);
	assert_true(begins());
	assert_logged("/guests/web/nic0: switch: needs the service switch, and "
		      "no boot module is called switch.elf");
	assert_null(named("web"));
	assert_true(is_running("plain"));
}

/* Who has no card has no switch. */
static void test_not_wanted(void **state)
{
	(void)state;
	add_guest("plain", 1);
	assert_true(begins());
	assert_null(named("switch"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports, setup_net),
		cmocka_unit_test_setup(test_unplugged, setup_net),
		cmocka_unit_test_setup(test_client, setup_clients),
		cmocka_unit_test_setup(test_client_refused, setup_clients),
		cmocka_unit_test_setup(test_client_of_the_only_network,
				       setup_clients),
		cmocka_unit_test_setup(test_no_network, setup_clients),
		cmocka_unit_test_setup(test_seat_dies, setup_clients),
		cmocka_unit_test_setup(test_switch_dies, setup_clients),
		cmocka_unit_test_setup(test_it_dies, setup_net),
		cmocka_unit_test_setup(test_it_hangs, setup_net),
		cmocka_unit_test_setup(test_it_lies, setup_net),
		cmocka_unit_test_setup(test_no_switch, setup_net),
		cmocka_unit_test_setup(test_not_wanted, setup_net),
	};

	return cmocka_run_group_tests_name("init_net", tests, NULL, NULL);
}
