/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk/admin.c between init and the core: clients and drives that
 * are added, refused with reasons, removed; lists; a disk that is started anew.
 */
#include "tests/unit/disk_test.h"

#include "services/disk/admin.h"
#include "tests/unit/disk_control_test.h"
#include "tests/unit/gpt_image.h"

static struct admin admin;
static struct sources sources;
static struct image image;
static struct {
	struct disk_control memory;
	struct control_end end;
	unsigned detached[DISK_SLOTS], bells;
	uint64_t channels; /* slots that are attached */
} init;

static struct disk_channel *fake_channel(void *ctx, unsigned slot)
{
	(void)ctx;
	return init.channels & BIT(slot) ? &machine[slot - 1].channel : NULL;
}

static int fake_window(void *ctx, unsigned slot,
		       struct dma_window window[WINDOWS])
{
	(void)ctx;
	window[WINDOW_MEMORY] = (struct dma_window){ machine[slot - 1].chunk,
						     MEMORY, PIECE_SHIFT, 0 };
	window[WINDOW_BOUNCE] =
		(struct dma_window){ machine[slot - 1].pages + 5,
				     DISK_BOUNCE_SIZE, PAGE_SHIFT, 0 };
	return 0;
}

static void fake_detach(void *ctx, unsigned slot)
{
	(void)ctx;
	init.detached[slot]++;
}

static void fake_init_bell(void *ctx, unsigned slot)
{
	(void)ctx;
	assert_int_equal(slot, DISK_CONTROL_SLOT);
	init.bells++;
}

static const struct admin_ops admin_ops = {
	.channel = fake_channel,
	.window = fake_window,
	.detach = fake_detach,
	.doorbell = fake_init_bell,
};

static void admin_begin(void)
{
	struct table_reader reader = image_reader(&image);

	service_begin();
	memset(&sources, 0, sizeof(sources));
	sources.drive_count = FAKE_DRIVES;
	for (unsigned i = 0; i < FAKE_DRIVES; i++)
		sources.drive[i].info = &disk.drive[i].info;
	assert_int_equal(partition_table_read(&sources.drive[0].table, &reader),
			 0);
	admin_init(&admin, &admin_ops, NULL, &disk, &sources, &init.memory,
		   starts);
}

static int setup(void **state)
{
	struct gpt_layout layout;

	(void)disk_setup(state);
	memset(&init, 0, sizeof(init));
	init.channels = MASK(MACHINES, 1);
	control_begin(&init.end, &init.memory);
	image_init(&image, 512);
	layout = gpt_layout(&image);
	gpt_make(&image, &layout);
	strcpy(fake[0].info.serial, "ABC");
	strcpy(fake[1].info.serial, "XYZ");
	admin_begin();
	return 0;
}

static void wake(void)
{
	unsigned loops = 0;

	do {
		admin_read(&admin);
		step();
		admin_answer(&admin);
		assert_true(loops++ < 1000);
	} while (admin.is_again);
}

/* ---- init ---------------------------------------------------------------- */

/* The next answer of this disk. */
static struct disk_message hear(void)
{
	struct disk_message message;

	do {
		message = control_hear(&init.end);
	} while (message.start != starts);
	return message;
}

static bool is_silent(void)
{
	return control_is_silent(&init.end);
}

static void say_kind(enum disk_message_kind kind, unsigned slot)
{
	const struct disk_message message = control_message(kind, starts, slot);

	(void)control_say(&init.end, &message);
}

static void say_drive(unsigned slot, unsigned drive, const char *source,
		      uint32_t flags)
{
	const struct disk_message message =
		control_drive(slot, drive, source, flags);

	(void)control_say(&init.end, &message);
}

static void hear_refusal(const char *reason)
{
	struct disk_message message = hear();

	assert_int_equal(message.kind, DISK_REFUSED);
	assert_string_equal(message.reason, reason);
}

static void hear_added(unsigned slot, unsigned drive, uint64_t sectors,
		       uint32_t flags)
{
	struct disk_message message = hear();

	assert_int_equal(message.kind, DISK_ADDED);
	assert_int_equal(message.slot, slot);
	assert_int_equal(message.drive, drive);
	assert_int_equal(message.sector_count, sectors);
	assert_int_equal(message.block_size, 512);
	assert_int_equal(message.flags, flags);
}

/* ---- Tests --------------------------------------------------------------- */

#define WRITABLE (DISK_DRIVE_PRESENT | DISK_DRIVE_CACHE | DISK_DRIVE_DISCARD)

static void test_add(void **state)
{
	(void)state;
	say_kind(DISK_BEGIN, 0);
	say_kind(DISK_ADD_CLIENT, 1);
	say_drive(1, 0, "gpt:root", 0);
	say_drive(1, 1, "serial:XYZ", DISK_ADD_READ_ONLY);
	say_drive(1, 2, "serial:XYZ", DISK_ADD_OVERLAY);
	say_kind(DISK_START, 1);
	wake();
	hear_added(1, 0, 100, WRITABLE);
	hear_added(1, 1, FAKE_SECTORS, WRITABLE | DISK_DRIVE_READ_ONLY);
	hear_added(1, 2, FAKE_SECTORS,
		   DISK_DRIVE_PRESENT | DISK_DRIVE_DISCARD | DISK_DRIVE_BOUNCE);
	assert_true(is_silent());
	machine_begin(0, 5);
	memory_fill(0, 0, 512, 9);
	assert_int_equal(ask(0, DISK_OP_WRITE, 3, 1, 0), 0);
	assert_int_equal(fake[0].cache[103 * 512], 9);
	assert_int_equal(ask(0, DISK_OP_WRITE, 100, 1, 0), -ERANGE);
}

static void test_refused(void **state)
{
	(void)state;
	say_kind(DISK_BEGIN, 0);
	say_kind(DISK_ADD_CLIENT, 0);
	say_kind(DISK_ADD_CLIENT, 9);
	say_kind(DISK_ADD_CLIENT, DISK_SLOTS + 10);
	say_kind(DISK_ADD_CLIENT, 1);
	say_kind(DISK_ADD_CLIENT, 1);
	say_kind(DISK_ADD_CLIENT, 2);
	say_drive(3, 0, "gpt:root", 0);
	say_drive(99, 0, "gpt:root", 0);
	say_drive(1, 0, "gpt:swap", 0);
	say_drive(1, 0, "gpt:root", 0);
	say_drive(1, 1, "gpt:nothing", 0);
	say_drive(2, 0, "serial:ABC", 0);
	say_drive(2, 1, "gpt:root", 0);
	wake();
	for (unsigned i = 0; i < 3; i++)
		hear_refusal("there is no such channel");
	hear_refusal("the slot is taken");
	hear_refusal("there is no such client, or it was started");
	hear_refusal("there is no such client, or it was started");
	hear_added(1, 0, 100, WRITABLE);
	hear_refusal("the client has a drive of that number");
	hear_refusal("gpt:nothing is not there");
	hear_refusal("/guests/m0/disk0 and /guests/m1/disk0 would both write "
		     "to it");
	/* What was refused holds nothing. */
	hear_added(2, 1, 100, WRITABLE);
}

static void test_read_only(void **state)
{
	(void)state;
	fake[0].info.is_read_only = true;
	admin_begin();
	say_kind(DISK_BEGIN, 0);
	say_kind(DISK_ADD_CLIENT, 1);
	say_drive(1, 0, "serial:ABC", 0);
	say_drive(1, 0, "serial:ABC", DISK_ADD_READ_ONLY);
	wake();
	hear_refusal("the drive is read-only");
	hear_added(1, 0, FAKE_SECTORS, WRITABLE | DISK_DRIVE_READ_ONLY);
}

/* REMOVED comes when no drive has its memory, and frees what it held. */
static void test_remove(void **state)
{
	(void)state;
	say_kind(DISK_BEGIN, 0);
	say_kind(DISK_ADD_CLIENT, 1);
	say_drive(1, 0, "serial:ABC", 0);
	say_kind(DISK_START, 1);
	wake();
	(void)hear();
	machine_begin(0, 5);
	step();
	send(0, 1, DISK_OP_READ, 3, 1, 0);
	step();
	assert_int_equal(fake[0].count, 1);
	say_kind(DISK_REMOVE, 1);
	say_kind(DISK_REMOVE, 2); /* none */
	wake();
	assert_int_equal(hear().slot, 2);
	assert_true(is_silent());
	assert_int_equal(init.detached[1], 0);
	fake_end(&fake[0], 0);
	wake();
	assert_int_equal(hear().kind, DISK_REMOVED);
	assert_int_equal(init.detached[1], 1);
	memset(&machine[0].channel, 0, sizeof(machine[0].channel));
	say_kind(DISK_ADD_CLIENT, 1);
	say_drive(1, 0, "gpt:root", 0);
	wake();
	hear_added(1, 0, 100, WRITABLE);
}

static void test_list(void **state)
{
	unsigned listed = 0, ended = 0;

	(void)state;
	say_kind(DISK_BEGIN, 0);
	for (unsigned i = 0; i < 20; i++)
		say_kind(DISK_LIST, 0);
	for (unsigned i = 0; i < 1000 && ended < 20; i++) {
		wake();
		while (!is_silent()) {
			struct disk_message message = hear();

			listed += message.kind == DISK_LISTED;
			ended += message.kind == DISK_LIST_END;
			if (listed == 2 && !ended)
				assert_string_equal(
					message.reason,
					"\"gpt:root\" uuid:03020100-0504-0706-"
					"0809-0a0b0c0d0e0f, 50 KiB");
		}
	}
	assert_int_equal(ended, 20);
	assert_int_equal(listed, 20 * 4);
}

static void test_broken_client(void **state)
{
	(void)state;
	say_kind(DISK_BEGIN, 0);
	wake();
	admin_broken(&admin, 3, "a lie");
	wake();
	assert_int_equal(hear().kind, DISK_BROKEN);
	assert_true(is_silent());
}

/* A message waits for room, which what is due then takes: init rings for room
 * no more, and the message is looked at all the same. */
static void test_room_is_taken(void **state)
{
	struct disk_message message;
	bool ring_bell = false;

	(void)state;
	say_kind(DISK_BEGIN, 0);
	wake();
	for (unsigned i = 0; i < DISK_CONTROL_SIZE / (sizeof(message) + 4); i++)
		say_kind(DISK_ADD_CLIENT, 0);
	wake();
	say_kind(DISK_REMOVE, 99);
	admin_broken(&admin, 3, "a lie");
	admin_read(&admin);
	(void)hear();
	admin_answer(&admin);
	while (!is_silent())
		assert_true(ring_get(&init.end.from_disk, &message,
				     sizeof(message), &ring_bell) > 0);
	assert_int_equal(message.kind, DISK_BROKEN);
	if (admin.is_again || ring_bell)
		wake();
	assert_int_equal(hear().kind, DISK_REMOVED);
}

/* The former disk left messages unread: they are not this one's. */
static void test_anew(void **state)
{
	(void)state;
	say_kind(DISK_BEGIN, 0);
	say_kind(DISK_ADD_CLIENT, 1);
	say_drive(1, 0, "serial:ABC", 0);
	admin_begin();
	wake();
	assert_true(is_silent());
	say_kind(DISK_BEGIN, 0);
	say_kind(DISK_ADD_CLIENT, 1);
	say_drive(1, 0, "gpt:root", 0);
	wake();
	hear_added(1, 0, 100, WRITABLE);
}

static void test_init_lies(void **state)
{
	(void)state;
	say_kind(DISK_BEGIN, 0);
	say_kind(77, 0);
	say_kind(DISK_START, 3);
	say_kind(DISK_START, 99);
	say_kind(DISK_REMOVE, 99);
	say_kind(DISK_REMOVE, 0);
	wake();
	/* init waits for these, whatever it meant. */
	for (unsigned i = 0; i < 2; i++) {
		struct disk_message message = hear();

		assert_int_equal(message.kind, DISK_REMOVED);
		assert_int_equal(message.slot, i ? 0 : 99);
	}
	assert_true(is_silent());
	assert_int_equal(log_lines, 3);
	init.memory.to_disk.produced += DISK_CONTROL_SIZE * 2;
	wake();
	wake();
	assert_int_equal(log_lines, 4);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_add),		  TEST(test_refused),
		TEST(test_read_only),	  TEST(test_remove),
		TEST(test_list),	  TEST(test_broken_client),
		TEST(test_room_is_taken), TEST(test_anew),
		TEST(test_init_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
