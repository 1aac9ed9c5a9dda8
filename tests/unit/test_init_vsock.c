/* SPDX-License-Identifier: BSD-2-Clause */
/* init and sockets between guests: who has a channel with whom, for how long.
 */
#include "tests/unit/init_test.h"

/* Guests with these peers, by index; CIDs from 10 on. */
static void add_talker(const char *name, unsigned count, const uint8_t *peers)
{
	struct guest_manifest *guest = add_guest(name, 1);

	guest->devices |= MACHINE_DEVICE_VSOCK;
	guest->restart = MANIFEST_RESTART_ALWAYS;
	guest->vsock.cid = 9 + manifest.guest_count;
	guest->vsock.peer_count = count;
	if (count)
		memcpy(guest->vsock.peer, peers, count);
}

static struct fake_channel *with(const char *name, unsigned n)
{
	return channel_of(named(name)->id, VSOCK_CLIENT_SLOT + n);
}

/* a talks with b and c, which do not with each other; d with nobody. */
static void add_all(void)
{
	add_talker("a", 2, (const uint8_t[]){ 2, 1 });
	add_talker("b", 1, (const uint8_t[]){ 0 });
	add_talker("c", 1, (const uint8_t[]){ 0 });
	add_guest("d", 1);
}

static void test_channels(void **state)
{
	const struct machine_config *config;

	(void)state;
	add_all();
	assert_true(begins());
	assert_ptr_equal(with("a", 0), with("c", 0));
	assert_ptr_equal(with("a", 1), with("b", 0));
	assert_ptr_not_equal(with("a", 0), with("a", 1));
	assert_null(with("b", 1));
	assert_null(with("d", 0));
	assert_int_equal(with("a", 0)->end[0].domain, named("a")->id);
	assert_int_equal(with("a", 0)->end[1].domain, named("c")->id);
	config = &named("a")->config;
	assert_true(config->devices & MACHINE_DEVICE_VSOCK);
	assert_int_equal(config->vsock.cid, 10);
	assert_int_equal(config->vsock.peer_count, 2);
	assert_int_equal(config->vsock.peer[0].cid, 12);
	assert_int_equal(config->vsock.peer[0].end, 0);
	config = &named("c")->config;
	assert_int_equal(config->vsock.peer[0].cid, 10);
	assert_int_equal(config->vsock.peer[0].end, 1);
}

static void pass(uint64_t ns)
{
	gate.now += ns;
	assert_true(goes_on());
}

/* The domain's ends go with it, as in the monitor. */
static void dies(const char *name)
{
	gate_id id = named(name)->id;

	ends(name, GATE_END_FAULT, 0);
	for (unsigned i = 0; i < CHANNELS; i++)
		if (gate.channel[i].id)
			channel_leave(&gate.channel[i], id);
	pass(0);
}

/* Who comes again has the same channel, if the other has stayed. */
static void test_again(void **state)
{
	struct fake_channel *channel;
	gate_id id;

	(void)state;
	add_all();
	assert_true(begins());
	channel = with("b", 0);
	id = channel->id;
	dies("b");
	assert_int_equal(channel->id, id);
	assert_int_equal(channel->end[1].domain, 0);
	pass(NSEC_PER_SEC);
	assert_ptr_equal(with("b", 0), channel);
	assert_int_equal(channel->id, id);
	assert_ptr_equal(with("a", 1), channel);
	dies("a");
	pass(NSEC_PER_SEC);
	assert_ptr_equal(with("a", 1), channel);
	assert_int_equal(channel->id, id);
}

/* When both are gone the channel is, too; then there is another one. */
static void test_both_end(void **state)
{
	unsigned before;
	gate_id id;

	(void)state;
	add_all();
	assert_true(begins());
	before = channels();
	id = with("b", 0)->id;
	dies("b");
	dies("a");
	assert_int_equal(channels(), before - 1);
	pass(NSEC_PER_SEC);
	assert_int_equal(channels(), before);
	assert_int_not_equal(with("b", 0)->id, id);
	assert_ptr_equal(with("a", 1), with("b", 0));
}

/* ---- The host ------------------------------------------------------------ */

#define END_SEAT 1

static void add_control(const char *name, uint32_t rights)
{
	add_talker(name, 0, NULL);
	manifest.guest[manifest.guest_count - 1].vsock.control = rights;
}

/* b and d may speak the control protocol, a and c may not. */
static void begin_control(void)
{
	add_module("seat.elf", &file, sizeof(file));
	add_talker("a", 1, (const uint8_t[]){ 1 });
	add_talker("b", 1, (const uint8_t[]){ 0 });
	manifest.guest[1].vsock.control = SEAT_RIGHT_WATCH;
	add_guest("c", 1);
	add_control("d", SEAT_RIGHT_STEER);
	assert_true(begins());
	seat_begins();
}

static void expect_rights(unsigned n, const char *name, uint32_t rights)
{
	struct seat_message message;

	assert_true(seat_hears(&message));
	assert_int_equal(message.kind, SEAT_RIGHTS);
	assert_int_equal(message.slot, SEAT_SOCKET_SLOT + n);
	assert_string_equal(message.name, name);
	assert_int_equal(message.rights, rights);
}

static void test_control(void **state)
{
	const struct machine_config *config;
	struct fake_channel *channel;
	gate_id seat;

	(void)state;
	begin_control();
	seat = named("seat")->id;
	channel = with("b", 1);
	assert_ptr_equal(channel, channel_of(seat, SEAT_SOCKET_SLOT));
	assert_int_equal(channel->end[END_SEAT].domain, seat);
	assert_ptr_equal(with("d", 0), channel_of(seat, SEAT_SOCKET_SLOT + 1));
	assert_null(channel_of(seat, SEAT_SOCKET_SLOT + 2));
	assert_null(with("a", 1));
	assert_null(with("c", 0));
	config = &named("b")->config;
	assert_int_equal(config->vsock.peer_count, 2);
	assert_int_equal(config->vsock.peer[1].cid, VSOCK_CID_HOST);
	assert_int_equal(config->vsock.peer[1].end, 0);
	assert_int_equal(named("a")->config.vsock.peer_count, 1);
	expect_rights(0, "b", SEAT_RIGHT_WATCH);
	expect_rights(1, "d", SEAT_RIGHT_STEER);
}

/* Whichever of the two comes again finds the same channel. */
static void test_control_again(void **state)
{
	struct fake_channel *channel;
	unsigned count;

	(void)state;
	begin_control();
	expect_rights(0, "b", SEAT_RIGHT_WATCH);
	channel = with("b", 1);
	count = channels();
	dies("seat");
	assert_int_equal(channel->end[END_SEAT].domain, 0);
	gate.now = gate.deadline;
	assert_true(goes_on());
	seat_begins();
	assert_ptr_equal(channel,
			 channel_of(named("seat")->id, SEAT_SOCKET_SLOT));
	expect_rights(0, "b", SEAT_RIGHT_WATCH);
	expect_rights(1, "d", SEAT_RIGHT_STEER);
	assert_int_equal(channels(), count);
	assert_ptr_equal(channel, with("b", 1));
}

/* Nobody speaks it there. */
static void test_control_no_seat(void **state)
{
	(void)state;
	add_control("a", SEAT_RIGHTS_ALL);
	assert_true(begins());
	assert_int_equal(channels(), 0);
	assert_int_equal(named("a")->config.vsock.peer_count, 0);
}

/* To whom the policy denies a pair no channel leads. */
static void test_denied(void **state)
{
	static const char peers[][4] = { "c\0b", "a", "a" };

	(void)state;
	add_all();
	for (unsigned i = 0; i < 3; i++)
		memcpy(manifest.guest[i].vsock.peers, peers[i],
		       sizeof(peers[i]));
	manifest.rule_count = 1;
	manifest.rule[0] = (struct policy_rule){ .name = "talk",
						 .allow = "a",
						 .vsock = "b:a" };
	assert_true(begins());
	assert_null(named("b"));
	assert_logged("policy: guest b is refused: rule talk does not allow "
		      "vsock a:b to label b\n");
	assert_ptr_equal(with("a", 0), with("c", 0));
	assert_int_equal(with("a", 1)->end[1].domain, 0);
}

/* Whatever call fails: no channel is left without a user. */
static void test_failures(void **state)
{
	(void)state;
	for (unsigned at = 1; at < 60; at++) {
		setup(state);
		add_talker("a", 1, (const uint8_t[]){ 1 });
		add_talker("b", 1, (const uint8_t[]){ 0 });
		gate.fail_at = at;
		gate.fail_with = -ENOSPC;
		if (!begins())
			continue;
		for (unsigned i = 0; i < CHANNELS; i++)
			if (gate.channel[i].id)
				assert_true(gate.channel[i].end[0].domain ||
					    gate.channel[i].end[1].domain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_channels, setup),
		cmocka_unit_test_setup(test_again, setup),
		cmocka_unit_test_setup(test_both_end, setup),
		cmocka_unit_test_setup(test_control, setup),
		cmocka_unit_test_setup(test_control_again, setup),
		cmocka_unit_test_setup(test_control_no_seat, setup),
		cmocka_unit_test_setup(test_denied, setup),
		cmocka_unit_test_setup(test_failures, setup),
	};

	return cmocka_run_group_tests_name("init_vsock", tests, NULL, NULL);
}
