/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init and disk: a guest waits for its drives, and its memory for disk to let
 * go; a disk that refuses, that dies at each step, and one that means harm.
 */
#include "tests/unit/init_disk_test.h"

/* ---- Good disks ---------------------------------------------------------- */

static void test_what_it_is_told(void **state)
{
	struct guest_manifest *guest;
	struct disk_manifest *m;
	struct disk_message message;
	const struct fake_domain *web, *service;

	(void)state;
	guest = add_guest("web", 1);
	m = add_source(guest, "disk1", MANIFEST_SOURCE_FILE, "web.img");
	m->iops_limit = 100;
	m->kib_limit = 1000000000;
	m->kib_burst = 8;
	m = add_source(guest, "cdrom0", MANIFEST_SOURCE_GPT, "my label");
	m->is_cdrom = true;
	m = add_source(guest, "disk2", MANIFEST_SOURCE_UUID, "1234abcd-01");
	m->overlay = MANIFEST_OVERLAY_MEMORY;
	assert_true(begins());
	assert_logged("disk: drives 00:03.0, 00:04.0; there is no IOMMU: by "
		      "DMA they reach all of the host's memory\n");
	service = named("disk");
	assert_int_equal(service->device_count, 2);
	assert_int_equal(service->device[0], 0x18);
	assert_int_equal(service->device[1], 0x20);
	disk_begins();
	assert_int_equal(fake_disk.start, 1);
	disk_expects(DISK_ADD_CLIENT, WEB, &message);
	assert_string_equal(message.client.name, "web");
	disk_expects(DISK_ADD_DRIVE, WEB, &message);
	assert_int_equal(message.drive, 0);
	assert_int_equal(message.flags, 0);
	assert_string_equal(message.add.source, "serial:web/disk1");
	assert_string_equal(message.add.node, "/guests/web/disk1");
	assert_int_equal(message.add.limits.requests_per_s, 100);
	assert_int_equal(message.add.limits.requests_burst, 100);
	assert_int_equal(message.add.limits.bytes_per_s, 1ULL << 33);
	assert_int_equal(message.add.limits.bytes_burst, 8192);
	disk_expects(DISK_ADD_DRIVE, WEB, &message);
	assert_int_equal(message.drive, 1);
	assert_int_equal(message.flags, DISK_ADD_READ_ONLY);
	assert_string_equal(message.add.source, "gpt:my label");
	assert_int_equal(message.add.limits.bytes_per_s, 0);
	disk_expects(DISK_ADD_DRIVE, WEB, &message);
	assert_int_equal(message.drive, 2);
	assert_int_equal(message.flags, DISK_ADD_OVERLAY);
	assert_string_equal(message.add.source, "uuid:1234abcd-01");
	assert_int_equal(message.add.overlay_pages, service->zero_pages);
	assert_false(disk_hears(&message));

	web = named("web");
	assert_int_equal(web->config.disk_count, 4);
	assert_true(web->config.disk[0].va);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(web->config.disk[i].va, 0);
		assert_int_equal(web->config.disk[i].sector_count, 0);
		assert_int_equal(web->config.disk[i].drive, i - 1);
	}
	assert_true(web->config.disk[2].is_cdrom);
	assert_true(web->config.disk[2].is_read_only);
	assert_false(web->config.disk[3].is_read_only);
}

/* Where its memory is, if it stays there. */
static void test_memory_that_moves(void **state)
{
	(void)state;
	add_client("stays");
	add_client("lazy")->is_lazy = true;
	add_client("given")->devices |= MACHINE_DEVICE_BALLOON;
	assert_true(begins());
	disk_begins();
	for (unsigned slot = 1; slot <= 3; slot++) {
		(void)client_domain(slot);
		assert_int_equal(channel_of(fake_disk.id, slot)->is_vm_told,
				 slot == 1);
	}
}

/* It runs when it has all its drives, and no sooner. */
static void test_it_waits_for_its_drives(void **state)
{
	(void)state;
	add_source(add_client("web"), "disk1", MANIFEST_SOURCE_SERIAL, "B");
	add_guest("plain", 1);
	assert_true(begins());
	assert_true(is_running("plain"));
	disk_begins();
	client_domain(WEB)->is_reachable = true;
	assert_false(is_running("web"));
	disk_says(DISK_ADDED, WEB, 1, "");
	time_passes(NSEC_PER_SEC);
	assert_false(is_running("web"));
	disk_says(DISK_ADDED, WEB, 0, "");
	assert_true(goes_on());
	assert_true(is_running("web"));
	assert_int_equal(gate.deadline, NEVER);
	assert_int_equal(fake_disk.started, 0);
	for (struct disk_message message; disk_hears(&message);)
		if (message.kind == DISK_START)
			disk_does(&message);
	assert_int_equal(fake_disk.started, BIT(WEB));
}

static void test_two_guests(void **state)
{
	(void)state;
	add_client("web");
	add_client("db");
	assert_true(begins());
	disk_begins();
	disk_obeys();
	assert_true(is_running("web") && is_running("db"));
	assert_int_equal(fake_disk.started, BIT(WEB) | BIT(DB));
	assert_int_equal(channels(), 3);
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	disk_obeys();
	assert_null(named("web"));
	assert_true(is_running("db"));
	assert_int_equal(channels(), 2);
	ends("db", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	disk_obeys();
	assert_int_equal(gate.off, 0);
	assert_logged("all guests have stopped\n");
}

/* Sixteen guests of four drives are more than the ring holds. */
static void test_more_than_the_ring_holds(void **state)
{
	char name[8];

	(void)state;
	for (unsigned i = 0; i < MANIFEST_CLIENTS_MAX; i++) {
		struct guest_manifest *guest;

		(void)snprintf(name, sizeof(name), "g%u", i);
		guest = add_client(name);
		for (unsigned n = 1; n < 4; n++)
			add_source(guest, "more", MANIFEST_SOURCE_SERIAL, "x");
	}
	assert_true(begins());
	disk_begins();
	disk_obeys();
	for (unsigned i = 0; i < MANIFEST_CLIENTS_MAX; i++)
		assert_true(is_running(manifest.guest[i].name));
}

/* ---- Its end ------------------------------------------------------------- */

static void begin_web(void)
{
	add_client("web");
	assert_true(begins());
	disk_begins();
	disk_obeys();
	assert_true(is_running("web"));
}

/* The gate asserts that it is not destroyed before. */
static void test_memory_waits_for_disk(void **state)
{
	struct disk_message message;

	(void)state;
	begin_web();
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	time_passes(NSEC_PER_SEC);
	assert_non_null(named("web"));
	disk_expects(DISK_REMOVE, WEB, &message);
	disk_removes(WEB);
	assert_false(goes_on());
	assert_null(named("web"));
}

static void test_restart_waits_for_disk(void **state)
{
	gate_id first, channel;

	(void)state;
	add_client("web")->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	disk_begins();
	disk_obeys();
	first = named("web")->id;
	channel = channel_of(first, DISK_CLIENT_SLOT)->id;
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	time_passes(5 * NSEC_PER_SEC);
	assert_int_equal(named("web")->id, first);
	disk_obeys();
	/* Its back-off was over by then. */
	assert_true(goes_on());
	disk_obeys();
	assert_true(is_running("web"));
	assert_int_not_equal(named("web")->id, first);
	assert_int_not_equal(channel_of(named("web")->id, DISK_CLIENT_SLOT)->id,
			     channel);
	assert_int_equal(channels(), 2);
}

/* Whatever the next one is told, the memory is not free before it says so. */
static void test_disk_dies_before_removed(void **state)
{
	struct disk_message message;

	(void)state;
	begin_web();
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	for (unsigned i = 0; i < 4; i++) {
		disk_dies();
		assert_non_null(named("web"));
		next_disk();
		assert_int_equal(fake_disk.start, 2 + i);
		disk_expects(DISK_REMOVE, WEB, &message);
		assert_false(disk_hears(&message));
	}
	disk_removes(WEB);
	assert_false(goes_on());
	assert_int_equal(gate.off, 0);
}

static void test_guest_ends_between_disks(void **state)
{
	struct disk_message message;

	(void)state;
	begin_web();
	disk_dies();
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	assert_non_null(named("web"));
	next_disk();
	disk_expects(DISK_REMOVE, WEB, &message);
	disk_removes(WEB);
	assert_false(goes_on());
}

/* A disk that hangs, and each after it: the host turns off all the same. */
static void test_host_ends_without_disk(void **state)
{
	uint64_t before;

	(void)state;
	begin_web();
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	before = gate.now;
	assert_true(goes_on());
	for (unsigned i = 0; i < 1000 && gate.off < 0; i++) {
		assert_true(gate.deadline != NEVER);
		gate.now = MAX(gate.deadline, gate.now);
		(void)goes_on();
	}
	assert_int_equal(gate.off, 0);
	assert_non_null(named("web"));
	assert_true(gate.now - before < 60 * NSEC_PER_SEC);
	assert_logged("[disk] is stopped: it does not answer\n");
}

/* ---- Refused ------------------------------------------------------------- */

static void test_refused(void **state)
{
	(void)state;
	add_client("web");
	add_client("db");
	assert_true(begins());
	disk_begins();
	client_domain(WEB)->is_reachable = true;
	disk_says(DISK_REFUSED, WEB, 0,
		  "/guests/db/disk0 and /guests/web/disk0\x1b[ would both");
	assert_true(goes_on());
	assert_logged("guest web is not started: /guests/web/disk0: "
		      "/guests/db/disk0 and /guests/web/disk0?[ would both\n");
	assert_non_null(named("web"));
	assert_int_not_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
	for (struct disk_message message; disk_hears(&message);)
		if (message.slot == DB || message.kind == DISK_REMOVE)
			disk_does(&message);
	disk_obeys();
	assert_null(named("web"));
	assert_true(is_running("db"));
	assert_int_equal(channels(), 2);
	ends("db", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	disk_obeys();
	assert_logged("all guests have stopped\n");
	assert_int_equal(gate.off, 0);
}

/* One line says it, and nothing has run. */
static void test_client_refused(void **state)
{
	(void)state;
	add_client("web");
	assert_true(begins());
	disk_begins();
	disk_says(DISK_REFUSED, WEB, DISK_DRIVES, "no such channel");
	disk_says(DISK_REFUSED, WEB, 0, "no such client");
	assert_true(goes_on());
	assert_logged("guest web is not started: disk: no such channel\n");
	assert_null(strstr(gate.log, "no such client"));
	for (struct disk_message message; disk_hears(&message);)
		if (message.kind == DISK_REMOVE)
			disk_does(&message);
	assert_false(goes_on());
	assert_logged("no guest could be started\n");
	assert_int_equal(gate.off, 1);
	assert_int_equal(channels(), 1);
}

/* A drive that the next disk does not find: the guest sees errors. */
static void test_refused_while_it_runs(void **state)
{
	struct disk_message message;

	(void)state;
	begin_web();
	disk_dies();
	next_disk();
	disk_expects(DISK_ADD_CLIENT, WEB, &message);
	disk_expects(DISK_ADD_DRIVE, WEB, &message);
	disk_says(DISK_REFUSED, WEB, 0, "is not there");
	assert_true(goes_on());
	assert_logged("guest web has lost a disk: /guests/web/disk0: is not "
		      "there\n");
	assert_true(is_running("web"));
	disk_expects(DISK_START, WEB, &message);
	assert_int_equal(gate.deadline, NEVER);
}

/* No disk ever works: its guests are not waited for without end. */
static void test_disk_never_works(void **state)
{
	(void)state;
	add_client("web");
	assert_true(begins());
	for (unsigned i = 0; i < 1000 && gate.off < 0; i++) {
		if (is_running("disk"))
			ends("disk", GATE_END_FAULT, 0);
		else
			gate.now = MAX(gate.deadline, gate.now);
		(void)goes_on();
	}
	assert_logged("guest web is not started: disk does not work\n");
	assert_logged("no guest could be started\n");
	assert_int_equal(gate.off, 1);
}

/* ---- Dead ones ----------------------------------------------------------- */

/* Of all that it does, it does n things and dies. */
static bool dies_after(unsigned n)
{
	struct disk_message message;

	while (n--) {
		if (!disk_hears(&message)) {
			assert_true(goes_on());
			if (!disk_hears(&message))
				return false;
		}
		disk_does(&message);
	}
	disk_dies();
	return true;
}

static void test_dies_at_each_step(void **state)
{
	unsigned n = 0;
	bool more = true;

	for (; more; n++) {
		gate_id web;

		setup_disk(state);
		add_client("web");
		add_client("db");
		assert_true(begins());
		web = named("web")->id;
		disk_begins();
		more = dies_after(n);
		if (!more)
			break;
		next_disk();
		disk_obeys();
		assert_int_equal(named("web")->id, web);
		assert_true(is_running("web") && is_running("db"));
		assert_int_equal(fake_disk.started, BIT(WEB) | BIT(DB));
		assert_int_equal(channels(), 3);
		assert_int_equal(domains(), 3);
	}
	assert_true(n > 5);
}

/* What both would write to, a new disk gives to the one that runs. */
static void test_running_ones_first(void **state)
{
	struct disk_message message;

	(void)state;
	add_client("web")->restart = MANIFEST_RESTART_ALWAYS;
	add_client("db");
	assert_true(begins());
	disk_begins();
	disk_obeys();
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	disk_obeys();
	assert_null(named("web"));
	disk_dies();
	gate.now += NSEC_PER_SEC;
	assert_true(goes_on());
	disk_begins();
	assert_non_null(named("web"));
	disk_expects(DISK_ADD_CLIENT, DB, &message);
	disk_expects(DISK_ADD_DRIVE, DB, &message);
	disk_expects(DISK_ADD_CLIENT, WEB, &message);
}

static void test_back_off(void **state)
{
	uint64_t waited = 0;

	(void)state;
	begin_web();
	for (unsigned i = 0; i < 16; i++) {
		disk_dies();
		assert_true(gate.deadline - gate.now >= waited);
		waited = gate.deadline - gate.now;
		next_disk();
		disk_obeys();
	}
	disk_dies();
	assert_logged("disk: started again 16 times in a row; next in a "
		      "minute\n");
	assert_true(is_running("web"));
	next_disk();
	disk_obeys();
	assert_int_equal(fake_disk.started, BIT(WEB));
}

/* It looks at drives that do not answer before it answers itself. */
static void test_slow_to_wake(void **state)
{
	(void)state;
	add_client("web");
	assert_true(begins());
	disk_begins();
	time_passes(55 * NSEC_PER_SEC);
	assert_true(is_running("disk"));
	disk_obeys();
	assert_true(is_running("web"));
	disk_dies();
	next_disk();
	time_passes(55 * NSEC_PER_SEC);
	assert_true(is_running("disk"));
	time_passes(6 * NSEC_PER_SEC);
	assert_logged("[disk] is stopped: it does not answer\n");
	assert_true(is_running("web"));
}

static void test_no_device(void **state)
{
	(void)state;
	gate.pci_count = 1;
	add_client("web");
	assert_true(begins());
	assert_logged("disk: the host has no virtio block device\n");
	disk_begins();
}

static void test_too_many_devices(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		add_function((uint16_t)(0x40 + i), 0x1af4, 0x1042);
	add_client("web");
	assert_true(begins());
	assert_int_equal(named("disk")->device_count, 8);
	assert_logged("disk: drive 00:08.6 is not used: it has 8 already\n");
	assert_logged("disk: drive 00:08.7 is not used: it has 8 already\n");
}

static void test_device_not_granted(void **state)
{
	(void)state;
	gate.grant_error = -EIO;
	add_client("web");
	assert_true(begins());
	assert_logged("disk: drive 00:03.0 cannot be had: -5\n");
	disk_begins();
}

static void test_not_needed(void **state)
{
	(void)state;
	add_guest("plain", 1);
	assert_true(begins());
	assert_null(named("disk"));
	assert_true(is_running("plain"));
}

/* ---- Hostile ones -------------------------------------------------------- */

static void lie_ring(void)
{
	disk_memory()->from_disk.produced += DISK_CONTROL_SIZE + 1;
}

static void lie_to_ring(void)
{
	disk_memory()->to_disk.consumed += 1;
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
}

static void lie_length(void)
{
	bool bell = false;

	assert_int_equal(ring_put(&fake_disk.out, "abc", 3, &bell), 3);
}

static void lie_kind(void)
{
	disk_says(DISK_START, WEB, 0, "");
}

static void lie_start(void)
{
	fake_disk.start++;
	disk_says(DISK_LIST_END, 0, 0, "");
}

static void lie_removed(void)
{
	disk_says(DISK_REMOVED, WEB, 0, "");
}

static void lie_slot(void)
{
	disk_says(DISK_REMOVED, UINT32_MAX, 0, "");
}

static void lie_control_slot(void)
{
	disk_says(DISK_ADDED, 0, 0, "");
}

static void lie_no_guest(void)
{
	disk_says(DISK_ADDED, 3, 0, "");
}

static void lie_twice(void)
{
	disk_says(DISK_ADDED, WEB, 0, "");
}

static void lie_drive(void)
{
	disk_says(DISK_REFUSED, WEB, 1, "");
}

static void lie_far_drive(void)
{
	disk_says(DISK_ADDED, WEB, UINT32_MAX, "");
}

static void lie_client(void)
{
	disk_says(DISK_REFUSED, WEB, DISK_DRIVES, "");
}

static void lie_client_added(void)
{
	disk_says(DISK_ADDED, WEB, DISK_DRIVES, "");
}

static void lie_listed(void)
{
	disk_says(DISK_LISTED, 0, 0, "");
}

static void lie_broken(void)
{
	disk_says(DISK_BROKEN, WEB, 0, "once");
	disk_says(DISK_BROKEN, WEB, 0, "twice");
}

static void lie_silent(void)
{
	ends("web", GATE_END_EXIT, MACHINE_EXIT_POWER_OFF);
	assert_true(goes_on());
	gate.now += LONG;
}

/* It is stopped, the next one serves, and no guest has noticed. */
static void test_hostile(void **state)
{
	static void (*const lies[])(void) = {
		lie_ring,	  lie_to_ring, lie_length,	 lie_kind,
		lie_start,	  lie_removed, lie_slot,	 lie_no_guest,
		lie_control_slot, lie_twice,   lie_drive,	 lie_far_drive,
		lie_client,	  lie_listed,  lie_client_added, lie_broken,
		lie_silent,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		setup_disk(state);
		add_client("web");
		add_client("db");
		assert_true(begins());
		disk_begins();
		disk_obeys();
		lies[i]();
		assert_true(goes_on());
		assert_logged("[disk] is stopped: ");
		assert_true(goes_on());
		next_disk();
		disk_obeys();
		assert_true(is_running("db"));
		assert_true(fake_disk.started & BIT(DB));
		assert_true(!named("web") || fake_disk.started & BIT(WEB));
	}
}

/* Counters that change at every look. */
static void test_flickers(void **state)
{
	(void)state;
	begin_web();
	for (unsigned i = 0; i < 10000 && gate.off < 0; i++) {
		if (is_running("disk")) {
			fake_disk.id = named("disk")->id;
			disk_memory()->from_disk.produced ^= i * 2654435761U;
		}
		if (gate.deadline != NEVER)
			gate.now = MAX(gate.deadline, gate.now);
		(void)goes_on();
	}
	assert_true(is_running("web"));
	assert_int_equal(gate.off, -1);
}

/* Says that it has let go of a slot that it keeps. */
static void test_keeps_a_slot(void **state)
{
	(void)state;
	add_client("web")->restart = MANIFEST_RESTART_ALWAYS;
	assert_true(begins());
	disk_begins();
	disk_obeys();
	ends("web", GATE_END_FAULT, 0);
	assert_true(goes_on());
	named("web")->is_reachable = false;
	disk_says(DISK_REMOVED, WEB, 0, "");
	assert_true(goes_on());
	gate.now = gate.deadline;
	assert_true(goes_on());
	assert_logged("[disk] is stopped: a client's channel cannot be "
		      "attached\n");
	assert_true(goes_on());
	next_disk();
	disk_obeys();
	assert_true(is_running("web"));
	assert_int_equal(channels(), 2);
}

/* ---- Memory -------------------------------------------------------------- */

static void test_overlays_share(void **state)
{
	struct disk_message message;
	uint64_t each;

	(void)state;
	gate.pages_free = MIB(1200) / PAGE_SIZE;
	add_client("web")->disk[0].overlay = MANIFEST_OVERLAY_MEMORY;
	add_client("db")->disk[0].overlay = MANIFEST_OVERLAY_MEMORY;
	assert_true(begins());
	each = MIB(150) / PAGE_SIZE;
	assert_int_equal(named("disk")->zero_pages, 2 * each);
	assert_int_equal(named("disk")->argument.overlay_pages, 2 * each);
	assert_true(named("disk")->spec.quota_pages > 2 * each);
	disk_begins();
	for (unsigned slot = WEB; slot <= DB; slot++) {
		disk_expects(DISK_ADD_CLIENT, slot, &message);
		disk_expects(DISK_ADD_DRIVE, slot, &message);
		assert_int_equal(message.add.overlay_pages, each);
	}
}

/* What disk may take no guest gets, also while there is no disk. */
static void test_overlays_are_promised(void **state)
{
	(void)state;
	gate.pages_free = MIB(200) / PAGE_SIZE;
	add_client("web")->disk[0].overlay = MANIFEST_OVERLAY_MEMORY;
	add_guest("large", 1)->memory_mib = 64;
	assert_true(begins());
	assert_non_null(named("web"));
	assert_null(named("large"));
	assert_logged("guest large cannot be made: memory-mib = <64>");
}

/* ---- Failures ------------------------------------------------------------ */

/* Whichever call fails: what is there serves, and all of it goes. */
static void life_that_fails(unsigned n)
{
	add_client("web");
	add_guest("plain", 1);
	gate.fail_at = n;
	assert_true(begins());
	for (unsigned i = 0; i < 4 && !named("disk"); i++) {
		gate.now = gate.deadline;
		assert_true(goes_on());
	}
	if (named("disk") && !is_running("disk")) {
		assert_true(goes_on());
		next_disk();
	} else {
		disk_begins();
	}
	disk_obeys();
	assert_true(is_running("web") || is_running("plain"));
	for (unsigned i = 0; i < 2; i++)
		if (is_running(i ? "web" : "plain"))
			ends(i ? "web" : "plain", GATE_END_EXIT, 0);
	for (unsigned i = 0; i < 8 && gate.off < 0; i++)
		if (goes_on())
			disk_obeys();
	assert_int_equal(gate.off, 0);
	/* disk and its channel. */
	assert_int_equal(domains(), 1);
	assert_int_equal(channels(), 1);
}

static void test_any_call_fails(void **state)
{
	unsigned calls;

	life_that_fails(0);
	calls = gate.calls;
	assert_true(calls > 20);
	for (unsigned n = 1; n <= calls; n++) {
		setup_disk(state);
		life_that_fails(n);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup_disk)
	const struct CMUnitTest tests[] = {
		TEST(test_what_it_is_told),
		TEST(test_memory_that_moves),
		TEST(test_it_waits_for_its_drives),
		TEST(test_two_guests),
		TEST(test_more_than_the_ring_holds),
		TEST(test_memory_waits_for_disk),
		TEST(test_restart_waits_for_disk),
		TEST(test_disk_dies_before_removed),
		TEST(test_guest_ends_between_disks),
		TEST(test_host_ends_without_disk),
		TEST(test_refused),
		TEST(test_client_refused),
		TEST(test_refused_while_it_runs),
		TEST(test_disk_never_works),
		TEST(test_dies_at_each_step),
		TEST(test_running_ones_first),
		TEST(test_back_off),
		TEST(test_slow_to_wake),
		TEST(test_no_device),
		TEST(test_too_many_devices),
		TEST(test_device_not_granted),
		TEST(test_not_needed),
		TEST(test_hostile),
		TEST(test_flickers),
		TEST(test_keeps_a_slot),
		TEST(test_overlays_share),
		TEST(test_overlays_are_promised),
		TEST(test_any_call_fails),
	};

	return cmocka_run_group_tests_name("init_disk", tests, NULL, NULL);
}
