/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk as a whole: requests through devices that are good and bad, an
 * init that is.
 */
#include "tests/unit/disk_main_test.h"

/* ---- Requests ------------------------------------------------------------ */

/* Machines have 20 requests each, of which up to 8 are out at a time. */
static bool many(unsigned number)
{
	bool has_sent = false;

	(void)number;
	for (unsigned n = 0; n < MACHINES; n++)
		while (machine[n].id < 20 && machine[n].link.count < 8) {
			uint64_t id = machine[n].id;

			memset(machine[n].ram + id * 512, (int)(id + n), 512);
			send(n, DISK_OP_WRITE, n * 20 + id, 1, id * 512);
			machine[n].is_rung = true;
			has_sent = true;
		}
	return machines_run() || has_sent;
}

/* By lines and by vectors, whatever comes when: no interrupt is lost, or time
 * would pass. */
static void no_interrupt_is_lost(void **state)
{
	for (unsigned seed = 1; seed <= 100; seed++) {
		setup(state);
		srand(seed);
		device_setup(1, "XYZ");
		if (seed % 3)
			device_msix(0, 1 + seed % 3);
		if (seed % 2)
			device_msix(1, 4);
		tell_kind(DISK_BEGIN, 0);
		tell_client(1, "serial:ABC", 0);
		tell_client(2, "serial:XYZ", 0);
		disk_begin(many);
		assert_int_equal(host.exit_code, UINT64_MAX);
		heard(DISK_ADDED, NULL);
		heard(DISK_ADDED, NULL);
		assert_true(is_silent());
		assert_true(are_all_answered());
		for (unsigned n = 0; n < MACHINES; n++) {
			assert_int_equal(machine[n].answers, 20);
			for (unsigned i = 0; i < 20; i++) {
				const uint8_t *disk_of =
					host.device[n].fake.disk;

				assert_int_equal(machine[n].status[i + 1], 0);
				assert_int_equal(disk_of[(n * 20 + i) * 512],
						 i + n);
			}
			assert_int_equal(device(n)->reset_count, 1);
		}
		assert_true(host.answered_ns < 2 * NSEC_PER_SEC);
	}
}

static unsigned read_calls;

static bool one_read(unsigned number)
{
	if (number == 10) {
		host.calls = 0;
		send(0, DISK_OP_READ, 0, 8, 0);
		machine[0].is_rung = true;
	}
	(void)machines_run();
	return number < 20;
}

static void a_read_takes_few_calls(void **state)
{
	(void)state;
	device_msix(0, 2);
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:ABC", 0);
	disk_begin(one_read);
	read_calls = host.calls;
	assert_int_equal(machine[0].answers, 1);
	assert_int_equal(machine[0].status[1], 0);
	assert_memory_equal(machine[0].ram, image.bytes, 4096);
	print_message("%u calls and idle rounds for 4 KiB\n", read_calls);
	assert_in_range(read_calls, 5, 30);
}

static bool in_vain(unsigned number)
{
	if (number == 10) {
		host.vain = 100;
		host.rounds = 0;
		machine[0].is_rung = true;
	}
	(void)machines_run();
	return number < 20;
}

/* As where the monitor had given the events before. */
static void no_event_is_no_work(void **state)
{
	(void)state;
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:ABC", 0);
	disk_begin(in_vain);
	assert_int_equal(host.vain, 0);
	assert_in_range(host.rounds, 1, 20);
}

static bool overlaid(unsigned number)
{
	if (number == 1) {
		memset(machine[0].channel.bounce, 9, 8192);
		send(0, DISK_OP_WRITE, 8, 16, BOUNCE);
		send(0, DISK_OP_READ, 0, 16, BOUNCE + 8192);
		send(0, DISK_OP_WRITE, 8, 16, 0); /* not the bounce area */
		send(0, DISK_OP_WRITE, 24, 88, BOUNCE);
		send(0, DISK_OP_WRITE, 112, 88, BOUNCE); /* no pages */
		machine[0].is_rung = true;
	}
	if (number == 20) {
		tell_kind(DISK_REMOVE, 1);
		tell_client(2, "gpt:root", DISK_ADD_OVERLAY);
	}
	(void)machines_run();
	return number < 30;
}

static void overlays_have_their_pages(void **state)
{
	(void)state;
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:ABC", DISK_ADD_OVERLAY);
	disk_begin(overlaid);
	assert_int_equal(machine[0].status[1], 0);
	assert_int_equal(machine[0].status[2], 0);
	assert_memory_equal(machine[0].channel.bounce + 8192, image.bytes,
			    4096);
	assert_int_equal(machine[0].channel.bounce[8192 + 4096], 9);
	assert_int_equal(machine[0].status[3], -EFAULT);
	assert_int_equal(machine[0].status[4], 0);
	assert_int_equal(machine[0].status[5], -ENOSPC);
	assert_memory_equal(host.device[0].fake.disk, image.bytes,
			    FAKE_SECTORS * 512);
	heard(DISK_ADDED, NULL);
	/* What follows a removal does not wait for it. */
	heard(DISK_ADDED, NULL);
	heard(DISK_REMOVED, NULL);
	assert_int_equal(host.detached[1], 1);
	assert_true(service.pool.given != NULL);
	assert_int_equal(service.pool.taken, OVERLAY_PAGES);
}

/* ---- Devices that are wrong ---------------------------------------------- */

static bool just_run(unsigned number)
{
	(void)machines_run();
	return number < 5;
}

static void others_do_not_hold_it_up(void **state)
{
	(void)state;
	device_setup(1, "XYZ");
	memcpy(&device(1)->pci_config[2], "\x01\x10", 2);
	device(1)->pci_config[0x34] = FAKE_CAP_MSIX;
	device_setup(2, "mute");
	host.device[2].is_mute = true;
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:XYZ", 0);
	tell_client(2, "serial:ABC", 0);
	disk_begin(many);
	heard(DISK_REFUSED, "serial:XYZ is not there");
	heard(DISK_ADDED, NULL);
	assert_true(is_logged("00:05.0 is a legacy virtio device"));
	assert_true(is_logged("00:06.0 does not say its serial number: it is "
			      "left alone"));
	assert_int_equal(device(1)->pci_config[4] & 4, 0);
	assert_int_equal(device(2)->pci_config[4] & 4, 0);
	assert_int_equal(machine[1].answers, 20);
	assert_true(host.answered_ns < 5 * NSEC_PER_SEC);
}

static void used_index_lies(void)
{
	struct fake_ring *ring = &device(0)->queue[0].ring;

	*fake_ring_used_index(ring) = (uint16_t)(ring->used_index + 100);
	device(0)->isr |= 1;
}

static bool lies(unsigned number)
{
	bool is_busy = many(number);

	if (number == 2) {
		used_index_lies();
		is_busy = true;
	}
	return is_busy;
}

static void a_liar_is_reset(void **state)
{
	(void)state;
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:ABC", 0);
	tell_client(2, "serial:ABC", DISK_ADD_OVERLAY);
	machine[1].id = 20;
	disk_begin(lies);
	assert_true(is_logged(": reset"));
	assert_int_equal(machine[0].answers, 20);
	for (unsigned i = 1; i <= 20; i++)
		assert_int_equal(machine[0].status[i], 0);
	assert_int_equal(host.exit_code, UINT64_MAX);
}

static bool lies_slowly(unsigned number)
{
	bool is_busy = many(number);

	/* The other has something to do when the first one breaks. */
	host.device[1].is_mute = number >= 2 && number < 5;
	if (number == 5) {
		device(0)->reset_reads = 20;
		used_index_lies();
		is_busy = true;
	}
	return is_busy;
}

/* Interrupts of the others that come during a reset are not lost, nor are
 * machines' doorbells. */
static void a_slow_reset_holds_up_nobody(void **state)
{
	for (unsigned seed = 1; seed <= 30; seed++) {
		setup(state);
		srand(seed);
		device_setup(1, "XYZ");
		if (seed % 2)
			device_msix(1, 4);
		tell_kind(DISK_BEGIN, 0);
		tell_client(1, "serial:ABC", 0);
		tell_client(2, "serial:XYZ", 0);
		disk_begin(lies_slowly);
		assert_true(is_logged(": reset"));
		assert_int_equal(machine[0].answers, 20);
		assert_int_equal(machine[1].answers, 20);
		assert_int_equal(device(1)->reset_count, 1);
		assert_true(host.answered_ns < 2 * NSEC_PER_SEC);
	}
}

static bool runs_away(unsigned number)
{
	if (number == 2) {
		host.device[0].is_mute = true;
		device(0)->reset_reads = UINT32_MAX;
		device(0)->is_command_fixed = true;
	}
	return many(number) || number == 2;
}

static void a_runaway_ends_the_program(void **state)
{
	(void)state;
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:ABC", 0);
	machine[1].id = 20;
	disk_begin(runs_away);
	assert_int_equal(host.exit_code, 1);
	assert_true(is_logged("stays a bus master"));
}

static bool dies(unsigned number)
{
	if (number == 2) {
		host.device[0].is_mute = true;
		device(0)->reset_reads = UINT32_MAX;
	}
	return many(number) || number == 2;
}

/* All is answered, when it reaches no memory any more. */
static void a_dead_drive_answers(void **state)
{
	(void)state;
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:ABC", 0);
	machine[1].id = 20;
	disk_begin(dies);
	assert_int_equal(host.exit_code, UINT64_MAX);
	assert_int_equal(machine[0].answers, 20);
	assert_int_equal(machine[0].status[20], -EIO);
	assert_int_equal(device(0)->pci_config[4] & 4, 0);
	assert_true(is_logged("is dead"));
}

/* Its line is up, and nothing can lower it. */
static bool dies_interrupting(unsigned number)
{
	bool is_up =
		service.drive[0].state == VIRTIO_DRIVE_DEAD && !device(0)->isr;

	if (is_up)
		device(0)->isr = 1;
	return dies(number) || is_up;
}

static void a_dead_drive_takes_no_time(void **state)
{
	(void)state;
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:ABC", 0);
	machine[1].id = 20;
	disk_begin(dies_interrupting);
	assert_int_equal(host.exit_code, UINT64_MAX);
	assert_int_equal(device(0)->isr, 1);
	assert_int_equal(machine[0].answers, 20);
}

/* ---- init that is wrong -------------------------------------------------- */

static void bad_channels(void **state)
{
	(void)state;
	machine[0].memory.page[15] = 0;
	machine[1].memory.vm_memory = GIB(1000);
	tell_kind(DISK_BEGIN, 0);
	tell_kind(DISK_ADD_CLIENT, 1);
	tell_kind(DISK_ADD_CLIENT, 2);
	tell_kind(DISK_ADD_CLIENT, 3);
	tell_kind(DISK_REMOVE, 3);
	disk_begin(just_run);
	heard(DISK_REFUSED, "its memory cannot be reached");
	heard(DISK_REFUSED, "its memory cannot be reached");
	heard(DISK_REFUSED, "there is no such channel");
	heard(DISK_REMOVED, NULL);
	assert_true(is_silent());
}

static void another_version(void **state)
{
	(void)state;
	host.argument.version++;
	disk_begin(just_run);
	assert_int_equal(host.exit_code, 1);
}

static void no_device(void **state)
{
	(void)state;
	memset(&host.config, 0, sizeof(host.config));
	tell_kind(DISK_BEGIN, 0);
	tell_client(1, "serial:ABC", 0);
	disk_begin(just_run);
	heard(DISK_REFUSED, "serial:ABC is not there");
	assert_true(is_logged("there is no drive"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(no_interrupt_is_lost),
		TEST(a_read_takes_few_calls),
		TEST(no_event_is_no_work),
		TEST(overlays_have_their_pages),
		TEST(others_do_not_hold_it_up),
		TEST(a_liar_is_reset),
		TEST(a_slow_reset_holds_up_nobody),
		TEST(a_runaway_ends_the_program),
		TEST(a_dead_drive_answers),
		TEST(a_dead_drive_takes_no_time),
		TEST(bad_channels),
		TEST(another_version),
		TEST(no_device),
	};

	return cmocka_run_group_tests_name("disk main", tests, NULL, NULL);
}
