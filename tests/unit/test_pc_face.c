/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pc in front of its user: machine/pc_input.c and pc_screen.c. */
#include "tests/unit/pc_test.h"

#define LFB 0xe0000000u

static unsigned told;
static struct display_rectangle dirty[DISPLAY_DIRTY];

static void changed(void *ctx)
{
	(void)ctx;
	told++;
}

static bool give(enum input_kind kind, unsigned code, int32_t value)
{
	const struct input_event event = { .kind = kind,
					   .code = (uint16_t)code,
					   .value = value };

	return pc_board_ops.input(bench.pc, &event);
}

/* ---- Keys and the mouse ------------------------------------------------ */

/* What the controller has, a byte after the other. */
static void expect_bytes(const uint8_t *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; !(in(0x64, 1) & 1); j++) {
			assert_in_range(j, 0, 100);
			bench.now_ns += 1000000;
			clock_run(&bench.clock);
		}
		assert_int_equal(in(0x60, 1), bytes[i]);
	}
	bench.now_ns += 10000000;
	clock_run(&bench.clock);
	assert_false(in(0x64, 1) & 1);
}

#define EXPECT(...)                                    \
	expect_bytes((const uint8_t[]){ __VA_ARGS__ }, \
		     sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void keyboard_on(void)
{
	out(0x64, 0x60, 1); /* command byte: interrupts, translation */
	out(0x60, 0x43, 1);
	out(0x60, 0xf4, 1);
	EXPECT(0xfa);
}

static void test_keys(void **state)
{
	(void)state;
	keyboard_on();
	assert_true(give(INPUT_KEY, 0x1e, 1));
	assert_true(give(INPUT_KEY, 0x1e, 0));
	EXPECT(0x1e, 0x9e);
	assert_true(give(INPUT_KEY, INPUT_KEY_LEFT, 1));
	assert_true(give(INPUT_KEY, INPUT_KEY_LEFT, 0));
	EXPECT(0xe0, 0x4b, 0xe0, 0xcb);
	assert_true(give(INPUT_KEY, INPUT_KEY_KEYPAD_ENTER, 1));
	assert_true(give(INPUT_KEY, INPUT_KEY_KEYPAD_ENTER, 0));
	EXPECT(0xe0, 0x1c, 0xe0, 0x9c);
	assert_true(give(INPUT_KEY, INPUT_KEY_PAUSE, 1));
	assert_true(give(INPUT_KEY, INPUT_KEY_PAUSE, 0));
	EXPECT(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
	/* None: no key at all, and some that a PC has not. */
	assert_false(give(INPUT_KEY, 0, 1));
	assert_false(give(INPUT_KEY, 0x1ff, 1));
	assert_false(give(INPUT_ABSOLUTE, INPUT_X, 7));
	assert_false(give((enum input_kind)77, 1, 1));
	bench.now_ns += 10000000;
	clock_run(&bench.clock);
	assert_false(in(0x64, 1) & 1);
	/* Whatever seat says. */
	for (unsigned i = 0; i < 0x10000; i++) {
		(void)give(INPUT_KEY, i, 1);
		(void)give(INPUT_KEY, i, 0);
		(void)give(INPUT_RELATIVE, i, INT32_MIN);
	}
}

static void mouse_on(void)
{
	out(0x64, 0x60, 1);
	out(0x60, 0x43, 1);
	out(0x64, 0xd4, 1);
	out(0x60, 0xf4, 1);
	EXPECT(0xfa);
}

static void test_mouse(void **state)
{
	(void)state;
	mouse_on();
	assert_true(give(INPUT_RELATIVE, INPUT_X, 5));
	assert_true(give(INPUT_RELATIVE, INPUT_Y, 3));
	assert_false(in(0x64, 1) & 1);
	assert_true(give(INPUT_SYNC, 0, 0));
	EXPECT(0x28, 5, 0xfd);
	/* A button goes down where the pointer is by then, and stays. */
	assert_true(give(INPUT_RELATIVE, INPUT_X, 1));
	assert_true(give(INPUT_KEY, INPUT_BUTTON_LEFT, 1));
	EXPECT(0x08, 1, 0, 0x09, 0, 0);
	assert_true(give(INPUT_RELATIVE, INPUT_X, -1));
	assert_true(give(INPUT_SYNC, 0, 0));
	EXPECT(0x19, 0xff, 0);
	assert_true(give(INPUT_KEY, INPUT_BUTTON_LEFT, 0));
	EXPECT(0x08, 0, 0);
	assert_false(give(INPUT_RELATIVE, 9, 1));
}

static uint32_t backdoor(unsigned call, uint32_t ebx)
{
	bench.gpr[X86_RAX] = 0x564d5868;
	bench.gpr[X86_RBX] = ebx;
	bench.gpr[X86_RCX] = call;
	return in(0x5658, 4);
}

static void expect_report(uint32_t buttons, uint32_t x, uint32_t y)
{
	assert_int_equal(backdoor(40, 0), 4);
	assert_int_equal(backdoor(39, 4), buttons);
	assert_int_equal(bench.gpr[X86_RBX], x);
	assert_int_equal(bench.gpr[X86_RCX], y);
	assert_int_equal(bench.gpr[X86_RDX], 0);
}

/* VMware's pointer: places, and the PS/2 mouse says that there is something. */
static void test_places(void **state)
{
	(void)state;
	assert_int_equal(backdoor(10, 0), 0xffffffff); /* not asked for */
	bench.config.devices |= MACHINE_DEVICE_VMWARE;
	assert_int_equal(init(), 0);
	assert_int_equal(bench.pc->devices.count, 17 + 1 + 1);
	mouse_on();
	assert_int_equal(backdoor(10, 0), 6);
	(void)backdoor(41, 0x45414552); /* on, as it begins: movement */
	assert_int_equal(backdoor(39, 1), 0x3442554a);
	assert_false(give(INPUT_ABSOLUTE, INPUT_X, 1));
	(void)backdoor(41, 0x53424152);
	assert_true(give(INPUT_ABSOLUTE, INPUT_X, INPUT_ABSOLUTE_MAX));
	assert_true(give(INPUT_ABSOLUTE, INPUT_Y, 0x4000));
	assert_false(give(INPUT_ABSOLUTE, INPUT_WHEEL, 1));
	assert_false(in(0x64, 1) & 1);
	assert_true(give(INPUT_SYNC, 0, 0));
	EXPECT(0x08, 1, 0);
	expect_report(0, 0xffff, 0x8000);
	assert_true(give(INPUT_KEY, INPUT_BUTTON_LEFT, 1));
	assert_true(give(INPUT_SYNC, 0, 0));
	EXPECT(0x08, 1, 0);
	expect_report(0x20, 0xffff, 0x8000);
	/* Out of bounds is at the bounds. */
	assert_true(give(INPUT_ABSOLUTE, INPUT_X, INT32_MIN));
	assert_true(give(INPUT_ABSOLUTE, INPUT_Y, INT32_MAX));
	assert_true(give(INPUT_SYNC, 0, 0));
	EXPECT(0x08, 1, 0);
	expect_report(0x20, 0, 0xffff);
	/* Who moves it otherwise does so. */
	assert_true(give(INPUT_RELATIVE, INPUT_X, 5));
	assert_true(give(INPUT_RELATIVE, INPUT_Y, 3));
	assert_true(give(INPUT_SYNC, 0, 0));
	EXPECT(0x08, 1, 0);
	expect_report(0x10020, 5, (uint32_t)-3);
	/* Off: the PS/2 mouse alone. */
	(void)backdoor(41, 0xf5);
	assert_false(give(INPUT_ABSOLUTE, INPUT_X, 1));
	assert_true(give(INPUT_RELATIVE, INPUT_X, 2));
	assert_true(give(INPUT_SYNC, 0, 0));
	EXPECT(0x09, 2, 0);
}

/* ---- Commands ---------------------------------------------------------- */

static void pm_config(unsigned offset, uint32_t data)
{
	out(0xcf8, 0x80000000 | PCI_DEVFN(1, 3) << 8 | offset, 4);
	out(0xcfc, data, 4);
}

static void test_power_button(void **state)
{
	(void)state;
	pm_config(0x40, 0xb001);
	pm_config(0x80, 1);
	pm_config(PCI_COMMAND, PCI_COMMAND_IO);
	out(0xb2, 0xf1, 1);
	out(0xb002, 0x100, 2);
	assert_int_equal(pc_command(bench.pc, FACE_POWER_BUTTON, 0, NULL), 0);
	assert_int_equal(in(0xb000, 2) & 0x100, 0x100);
	assert_true(bench.pc->wires.isa_lines & BIT(9));
	out(0xb000, 0x100, 2);
	assert_false(bench.pc->wires.isa_lines & BIT(9));
	assert_int_equal(pc_command(bench.pc, FACE_RESET, 0, NULL), -ENOSYS);
	assert_int_equal(pc_command(bench.pc, 999, 0, NULL), -ENOSYS);
}

static void test_trays(void **state)
{
	struct ide_drive *drive;

	(void)prepare(state);
	bench.config.disk_count = 1;
	bench.config.disk[0].bus = MACHINE_DISK_IDE;
	bench.config.disk[0].is_cdrom = true;
	bench.config.disk[0].unit = 2;
	assert_int_equal(init(), 0);
	drive = &bench.pc->ide.channel[1].drive[0];
	assert_ptr_equal(drive->backend, &bench.disk[0]);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 2, NULL), 0);
	assert_null(drive->backend);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 2, ""), 0);
	assert_ptr_equal(drive->backend, &bench.disk[0]);
	i8042_key(&bench.pc->i8042, 0x1e, true);
	assert_int_equal(pc_command(bench.pc, FACE_UNREAD, 0, ""), 1);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 1, NULL), -ENODEV);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 4, NULL), -ENODEV);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, ~0u, ""), -ENODEV);
}

static void medium_add(unsigned unit, const char *name)
{
	struct machine_medium *medium =
		&bench.config.medium[bench.config.medium_count++];

	medium->unit = unit;
	(void)snprintf(medium->name, sizeof(medium->name), "%s", name);
}

/* Those at virtio's SCSI host, by their targets. */
static void test_scsi_trays(void **state)
{
	const struct virtio_scsi_target *target;

	(void)prepare(state);
	bench.config.disk_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		bench.config.disk[i].bus = MACHINE_DISK_VIRTIO_SCSI;
		bench.config.disk[i].is_cdrom = i;
		bench.config.disk[i].unit = i ? 7 : 0;
	}
	medium_add(FACE_UNIT_SCSI + 7, "a.iso");
	medium_add(FACE_UNIT_SCSI + 7, "b.iso");
	bench.disk[0].sector_count = 1;
	assert_int_equal(init(), 0);
	target = &bench.pc->virtio_disks.scsi.target[7];
	assert_ptr_equal(target->drive.cdrom.channel.drive[0].backend,
			 &bench.disk[1]);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 15, NULL), 0);
	assert_null(target->drive.cdrom.channel.drive[0].backend);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 15, "1"), 0);
	assert_ptr_equal(target->drive.cdrom.channel.drive[0].backend,
			 &bench.medium[1]);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 15, "2"), -ERANGE);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 8, NULL), -ENODEV);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 7, NULL), -ENODEV);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 6, NULL), -ENODEV);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 16, NULL), -ENODEV);
}

/* Of each drive's own, by number or by name. */
static void test_media(void **state)
{
	static const struct {
		unsigned unit;
		const char *medium;
		int found; /* of bench.medium; negative: an error */
	} rows[] = {
		{ 2, "1", 2 },
		{ 2, "0", 0 },
		{ 2, "b.iso", 2 },
		{ 2, "a.iso", 0 },
		{ 3, "a.iso", 1 },
		{ 3, "00", 1 },
		{ 3, "1", 3 },
		{ 3, "7", 3 },
		{ 2, "7", -ERANGE },
		{ 2, "2", -ERANGE },
		{ 2, "b.is", -ERANGE },
		{ 2, "-1", -ERANGE },
		{ 2, "B.ISO", -ERANGE },
		{ 2, " 1", -ERANGE },
		{ 2, "4294967296", -ERANGE },
		{ 2, "4294967297", -ERANGE },
		{ 2, "18446744073709551616", -ERANGE },
		{ 0, "0", -ENODEV },
		{ 4, "0", -ENODEV },
	};
	struct block_backend *const *in;

	(void)prepare(state);
	bench.config.disk_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		bench.config.disk[i].bus = MACHINE_DISK_IDE;
		bench.config.disk[i].is_cdrom = true;
		bench.config.disk[i].unit = (uint8_t)(2 + i);
	}
	medium_add(2, "a.iso");
	medium_add(3, "a.iso");
	medium_add(2, "b.iso");
	medium_add(3, "7");
	assert_int_equal(init(), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(pc_command(bench.pc, FACE_INSERT, rows[i].unit,
					    rows[i].medium),
				 MIN(rows[i].found, 0));
		if (rows[i].found < 0)
			continue;
		in = &bench.pc->ide.channel[1].drive[rows[i].unit - 2].backend;
		assert_ptr_equal(*in, &bench.medium[rows[i].found]);
	}
	/* What cannot be done changes nothing. */
	in = &bench.pc->ide.channel[1].drive[0].backend;
	assert_ptr_equal(*in, &bench.medium[0]);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 2, "b.iso"), 0);
	assert_null(*in);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 2, ""), 0);
	assert_ptr_equal(*in, &bench.disk[0]);
}

/* Drive A has a disk, drive B none at first; what does not fit is refused. */
static void test_floppies(void **state)
{
	struct fdc_drive *drive;

	(void)prepare(state);
	bench.config.disk_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		bench.config.disk[i].bus = MACHINE_DISK_FLOPPY;
		bench.config.disk[i].unit = (uint8_t)i;
		bench.config.disk[i].floppy_drive = FLOPPY_DRIVE_1440K;
	}
	bench.disk[0].sector_count = 2880;
	for (unsigned i = 0; i < 4; i++)
		bench.medium[i].sector_count = i == 3 ? 5760 : 2880;
	medium_add(4, "a.img");
	medium_add(5, "b.img");
	medium_add(4, "c.img");
	medium_add(5, "large.img");
	assert_int_equal(init(), 0);
	drive = bench.pc->fdc.drive;
	assert_ptr_equal(drive[0].medium, &bench.disk[0]);
	assert_null(drive[1].medium);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 4, NULL), 0);
	assert_null(drive[0].medium);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 4, "c.img"), 0);
	assert_ptr_equal(drive[0].medium, &bench.medium[2]);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 4, ""), 0);
	assert_ptr_equal(drive[0].medium, &bench.disk[0]);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 5, ""), -ERANGE);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 5, "0"), 0);
	assert_ptr_equal(drive[1].medium, &bench.medium[1]);
	assert_int_equal(pc_command(bench.pc, FACE_INSERT, 5, "1"), -ERANGE);
	assert_ptr_equal(drive[1].medium, &bench.medium[1]);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 6, NULL), -ENODEV);
	assert_int_equal(pc_command(bench.pc, FACE_EJECT, 0, NULL), -ENODEV);
}

static void test_statistics(void **state)
{
	struct face_statistics to = { .vcpus = 7 };
	struct ide_counts *counts;

	(void)prepare(state);
	bench.config.disk_count = 2;
	bench.config.disk[0].bus = bench.config.disk[1].bus = MACHINE_DISK_IDE;
	bench.config.disk[0].is_cdrom = bench.config.disk[1].is_cdrom = true;
	bench.config.disk[0].unit = 3;
	bench.config.disk[1].unit = 0;
	assert_int_equal(init(), 0);
	counts = &bench.pc->ide.channel[1].drive[1].counts;
	*counts = (struct ide_counts){ 1, 2, 3, 4 };
	pc_board_ops.statistics(bench.pc, &to);
	assert_int_equal(to.disks, BIT(0) | BIT(3));
	assert_int_equal(to.disk[0].requests, 0);
	assert_int_equal(to.disk[3].requests, 1);
	assert_int_equal(to.disk[3].errors, 2);
	assert_int_equal(to.disk[3].sectors_read, 3);
	assert_int_equal(to.disk[3].sectors_written, 4);
	assert_int_equal(to.vcpus, 7);
}

/* ---- The screen -------------------------------------------------------- */

static void dispi(unsigned index, uint16_t value)
{
	out(0x1ce, index, 2);
	out(0x1cf, value, 2);
}

/* 256 by 256, 32 bits: a page is four lines; all of video memory is a MiB. */
static void screen_on(uint32_t lfb)
{
	config(2, 0x10, lfb, 4);
	config(2, 4, 3, 2);
	dispi(1, 256);
	dispi(2, 256);
	dispi(3, 32);
	dispi(4, 0x41);
}

static unsigned take(void)
{
	return pc_board_screen.changes(bench.pc, 2048, dirty);
}

static void watch(bool is_watched)
{
	told = 0;
	pc_board_screen.watch(bench.pc, is_watched ? changed : NULL, NULL);
}

static enum board_guard unguard(gpa_t gpa)
{
	return pc_board_screen.unguard(bench.pc, gpa);
}

/* Below 4 MiB the bench knows what each page shows. */
#define LOW_LFB 0x00200000u

static void test_guard(void **state)
{
	struct display_picture picture;

	(void)state;
	bench.pc->pci.window[0] = (struct pci_window){ LOW_LFB, 0xfe000000 };
	screen_on(LOW_LFB);
	pc_board_screen.picture(bench.pc, &picture);
	assert_int_equal(picture.mode, DISPLAY_GRAPHICS);
	assert_int_equal(picture.width, 256);
	assert_int_equal(kind(LOW_LFB), GATE_MAP_RAM);
	assert_int_equal(unguard(LOW_LFB), BOARD_GUARD_NONE);
	watch(true);
	assert_int_equal(kind(LOW_LFB), GATE_MAP_ROM);
	assert_int_equal(kind(LOW_LFB + VRAM - 1), GATE_MAP_ROM);
	assert_int_equal(offset(LOW_LFB + 4096), RAM + 4096);
	assert_int_equal(take(), 1);
	assert_int_equal(take(), 0);
	assert_int_equal(told, 0);
	/* The first write to 64 KiB lifts it there; they are 64 lines. */
	assert_int_equal(unguard(LOW_LFB + 0x11234), BOARD_GUARD_LIFTED);
	assert_int_equal(told, 1);
	assert_int_equal(kind(LOW_LFB + 0xf000), GATE_MAP_ROM);
	assert_int_equal(kind(LOW_LFB + 0x10000), GATE_MAP_RAM);
	assert_int_equal(kind(LOW_LFB + 0x1f000), GATE_MAP_RAM);
	assert_int_equal(offset(LOW_LFB + 0x1f000), RAM + 0x1f000);
	assert_int_equal(kind(LOW_LFB + 0x20000), GATE_MAP_ROM);
	assert_int_equal(unguard(LOW_LFB + 0x1f000), BOARD_GUARD_BEFORE);
	assert_int_equal(take(), 1);
	assert_int_equal(dirty[0].top, 64);
	assert_int_equal(dirty[0].bottom, 128);
	/* And when that is taken it is guarded again. */
	assert_int_equal(kind(LOW_LFB + 0x10000), GATE_MAP_ROM);
	assert_int_equal(unguard(LOW_LFB + 0x11234), BOARD_GUARD_LIFTED);
	assert_int_equal(unguard(LOW_LFB - 1), BOARD_GUARD_NONE);
	assert_int_equal(unguard(LOW_LFB + VRAM), BOARD_GUARD_NONE);
	watch(false);
	assert_int_equal(kind(LOW_LFB), GATE_MAP_RAM);
	assert_int_equal(kind(LOW_LFB + VRAM - 1), GATE_MAP_RAM);
	assert_int_equal(unguard(LOW_LFB), BOARD_GUARD_NONE);
}

/* The emulators' accesses, which find no memory there meanwhile. */
static void test_emulated(void **state)
{
	(void)state;
	screen_on(LFB);
	assert_ptr_equal(pc_ram_at(bench.pc, LFB + 8, 4, true),
			 bench.window + RAM + 8);
	watch(true);
	(void)take();
	assert_null(pc_ram_at(bench.pc, LFB + 8, 4, true));
	assert_non_null(pc_ram_at(bench.pc, LFB + 8, 4, false));
	store(LFB + 1024 * 70, 0x1122334455667788, 8);
	assert_int_equal(told, 1);
	assert_int_equal(bench.window[RAM + 1024 * 70 + 1], 0x77);
	assert_int_equal(load(LFB + 1024 * 70, 8), 0x1122334455667788);
	assert_int_equal(load(LFB + 1024 * 70 + 2, 2), 0x5566);
	assert_int_equal(take(), 1);
	assert_int_equal(dirty[0].top, 64);
	watch(false);
	assert_non_null(pc_ram_at(bench.pc, LFB + 8, 4, true));
	assert_int_equal(load(LFB + 1024 * 70, 4), 0xffffffff);
}

/* BAR 0 moves, goes, and comes again while somebody watches. */
static void test_moved(void **state)
{
	(void)state;
	watch(true);
	screen_on(LFB);
	(void)take();
	assert_int_equal(unguard(LFB), BOARD_GUARD_LIFTED);
	config(2, 4, 0, 2);
	assert_int_equal(unguard(LFB), BOARD_GUARD_NONE);
	assert_int_equal(load(LFB, 4), 0xffffffff);
	config(2, 0x10, LFB + VRAM, 4);
	config(2, 4, 3, 2);
	assert_int_equal(unguard(LFB), BOARD_GUARD_NONE);
	assert_int_equal(unguard(LFB + VRAM), BOARD_GUARD_LIFTED);
	store(LFB + VRAM, 5, 1);
	assert_int_equal(bench.window[RAM], 5);
	assert_int_equal(load(LFB, 4), 0xffffffff);
	pc_reset(bench.pc);
	assert_int_equal(unguard(LFB + VRAM), BOARD_GUARD_NONE);
	watch(false);
	screen_on(LFB);
	assert_int_equal(unguard(LFB), BOARD_GUARD_NONE);
	assert_non_null(pc_ram_at(bench.pc, LFB, 4, true));
}

static void test_picture(void **state)
{
	const struct display_rectangle r = { 1, 2, 3, 4 };
	uint32_t pixels[4];
	int32_t cursor;

	(void)state;
	assert_null(pc_board_screen.cells(bench.pc, &cursor));
	screen_on(LFB);
	for (unsigned i = 0; i < 256 * 256; i++)
		memcpy(bench.window + RAM + 4 * i, &i, 4);
	assert_int_equal(pc_board_screen.render(bench.pc, &r, pixels), 0);
	assert_int_equal(pixels[0], 2 * 256 + 1);
	assert_int_equal(pixels[3], 3 * 256 + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keys),
		TEST(test_mouse),
		TEST(test_places),
		TEST(test_power_button),
		cmocka_unit_test_teardown(test_trays, teardown),
		cmocka_unit_test_teardown(test_scsi_trays, teardown),
		cmocka_unit_test_teardown(test_media, teardown),
		cmocka_unit_test_teardown(test_floppies, teardown),
		cmocka_unit_test_teardown(test_statistics, teardown),
		TEST(test_guard),
		TEST(test_emulated),
		TEST(test_moved),
		TEST(test_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
