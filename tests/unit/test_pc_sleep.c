/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pc: suspended to RAM, what wakes it, and what a reset of it keeps.
 */
#include "tests/unit/pc_test.h"

#include "include/face.h"
#include "include/input.h"

#define PM     0x600
#define RTC_EN 0x400
#define WAKE   0x8000
#define KEY_A  0x1e

static void pm_config(unsigned offset, uint32_t data)
{
	out(0xcf8, 0x80000000 | PCI_DEVFN(1, 3) << 8 | offset, 4);
	out(0xcfc, data, 4);
}

static void cmos_set(uint8_t index, uint8_t value)
{
	out(0x70, index, 1);
	out(0x71, value, 1);
}

/* As firmware does, at power-on and out of sleep. */
static void pm_map(void)
{
	pm_config(0x40, PM | 1);
	pm_config(0x80, 1);
	pm_config(PCI_COMMAND, PCI_COMMAND_IO);
}

/* What the machine does when it is asked to. */
static void reset_asked(unsigned times)
{
	assert_int_equal(bench.resets, times);
	assert_int_equal(pc_board_ops.sleep(bench.pc), BOARD_CHANGES);
	pc_reset(bench.pc);
}

static void suspend(uint16_t enable, uint16_t gpe)
{
	pm_map();
	out(0xb2, 0xf1, 1);
	out(PM + 2, enable, 2);
	out(0xafe2, gpe & 0xff, 1);
	out(0xafe3, gpe >> 8, 1);
	out(PM + 4, 0x2400, 2);
	reset_asked(1);
	assert_int_equal(pc_board_ops.sleep(bench.pc), BOARD_ASLEEP);
	assert_non_null(strstr(bench.logged, "suspended to RAM"));
}

/* Out of it, as whoever woke it has asked. */
static void resumes(void)
{
	reset_asked(2);
	assert_int_equal(pc_board_ops.sleep(bench.pc), BOARD_AWAKE);
	assert_int_equal(cmos(0x0f), 0xfe);
	pm_map();
	assert_int_equal(in(PM, 2) & WAKE, WAKE);
}

static void test_memory(void **state)
{
	(void)state;
	/* Firmware's copy of itself, write-protected; nothing at C8000h. */
	config(0, 0x59, 0x10, 1);
	config(0, 0x5b, 0x02, 1);
	/* IDE's channels, as SeaBIOS enables them at power-on alone. */
	out(0xcf8, 0x80000000 | PCI_DEVFN(1, 1) << 8 | 0x40, 4);
	out(0xcfc, 0x80008000, 4);
	bench.window[0xf1234] = 0x55;
	bench.window[0x200000] = 0xaa;
	suspend(0, 0);
	assert_int_equal(pc_command(bench.pc, FACE_POWER_BUTTON, 0, NULL), 0);
	resumes();
	assert_int_equal(kind(0xf0000), GATE_MAP_ROM);
	assert_int_equal(offset(0xf0000), 0xf0000);
	assert_int_equal(kind(0xc8000), GATE_MAP_NONE);
	assert_int_equal(load(0xf1234, 1), 0x55);
	out(0xcf8, 0x80000000 | PCI_DEVFN(1, 1) << 8 | 0x40, 4);
	assert_int_equal(in(0xcfc, 4), 0x80008000);
	assert_int_equal(bench.window[0x200000], 0xaa);
	assert_int_equal(in(PM, 2) & 0x100, 0x100);
	/* Another reset is one. */
	cmos_set(0x0f, 0);
	pc_reset(bench.pc);
	assert_int_equal(cmos(0x0f), 0);
	assert_int_equal(offset(0xf0000), RAM + VRAM + BIOS - 0x10000);
}

/* Every minute at second 5. */
static void alarm_set(void)
{
	cmos_set(1, 0x05);
	cmos_set(3, 0xc0);
	cmos_set(5, 0xc0);
	cmos_set(11, 0x22 | 0x40); /* and periodic interrupts */
}

static void test_alarm(void **state)
{
	(void)state;
	alarm_set();
	suspend(RTC_EN, 0);
	bench.now_ns += 4900000000;
	clock_run(&bench.clock);
	assert_int_equal(bench.resets, 1);
	bench.now_ns += 200000000;
	clock_run(&bench.clock);
	resumes();
	assert_int_equal(in(PM, 2) & 0x500, 0x400);
	/* The clock still says why, and only the alarm is enabled. */
	assert_int_equal(cmos(11), 0x22);
	assert_int_equal(cmos(12) & 0x20, 0x20);
}

/* The alarm's second comes between the command and the reset, which with many
 * vCPUs to bring to a stop can be long. */
static void test_alarm_meanwhile(void **state)
{
	(void)state;
	pm_map();
	alarm_set();
	out(PM + 2, RTC_EN, 2);
	out(PM + 4, 0x2400, 2);
	bench.now_ns += 6 * NSEC_PER_SEC;
	reset_asked(1);
	assert_int_equal(pc_board_ops.sleep(bench.pc), BOARD_AWAKE);
	assert_int_equal(cmos(0x0f), 0xfe);
	pm_map();
	assert_int_equal(in(PM, 2), WAKE | RTC_EN);
	assert_int_equal(cmos(12) & 0x20, 0x20);
}

static void test_alarm_disabled(void **state)
{
	(void)state;
	alarm_set();
	suspend(0, 0);
	bench.now_ns += 100 * NSEC_PER_SEC;
	clock_run(&bench.clock);
	assert_int_equal(bench.resets, 1);
	assert_int_equal(pc_board_ops.sleep(bench.pc), BOARD_ASLEEP);
}

static void test_keys(void **state)
{
	struct input_event move = { .kind = INPUT_RELATIVE, .value = 5 };
	struct input_event key = { .kind = INPUT_KEY,
				   .code = KEY_A,
				   .value = 1 };

	(void)state;
	suspend(0, BIT(PM_GPE_KEYBOARD));
	assert_true(pc_input(bench.pc, &move));
	assert_int_equal(bench.resets, 1);
	key.code = INPUT_BUTTON_LEFT;
	assert_true(pc_input(bench.pc, &key));
	assert_int_equal(bench.resets, 1);
	key.code = KEY_A;
	key.value = 0;
	assert_true(pc_input(bench.pc, &key));
	assert_int_equal(bench.resets, 1);
	key.value = 1;
	assert_true(pc_input(bench.pc, &key));
	resumes();
	/* It was for that alone. */
	assert_int_equal(in(0x64, 1) & 1, 0);
	assert_int_equal(in(0xafe1, 1), 0x03);
}

static void test_reset_asleep(void **state)
{
	(void)state;
	config(0, 0x59, 0x10, 1);
	suspend(RTC_EN, 0xffff);
	pc_reset(bench.pc);
	assert_int_equal(pc_board_ops.sleep(bench.pc), BOARD_AWAKE);
	assert_int_not_equal(cmos(0x0f), 0xfe);
	assert_int_equal(offset(0xf0000), RAM + VRAM + BIOS - 0x10000);
	pm_map();
	assert_int_equal(in(PM, 4), 0);
}

static void test_hibernate(void **state)
{
	(void)state;
	pm_map();
	out(PM + 4, 0x2800, 2);
	assert_int_equal(bench.power_offs, 1);
	assert_non_null(strstr(bench.logged, "S4"));
	assert_int_equal(bench.resets, 0);
}

static void now_set(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	bench.now_ns = now_ns;
}

/* Saved while it sleeps, and woken where it was loaded. */
static void test_saved(void **state)
{
	static uint8_t image[1 << 20], scratch[1 << 20];
	char why[200] = "";
	size_t length;

	(void)state;
	bench.clock.now_set = now_set;
	suspend(RTC_EN, 0);
	assert_int_equal(pc_save(bench.pc, image, sizeof(image), &length), 0);
	pc_reset(bench.pc);
	assert_int_equal(pc_board_ops.sleep(bench.pc), BOARD_AWAKE);
	assert_true(device_list_scratch(&bench.pc->devices) <= sizeof(scratch));
	if (pc_load(bench.pc, image, length, scratch, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(pc_board_ops.sleep(bench.pc), BOARD_ASLEEP);
	assert_int_equal(pc_command(bench.pc, FACE_POWER_BUTTON, 0, NULL), 0);
	resumes();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_memory),
		TEST(test_alarm),
		TEST(test_alarm_meanwhile),
		TEST(test_alarm_disabled),
		TEST(test_keys),
		TEST(test_reset_asleep),
		TEST(test_hibernate),
		TEST(test_saved),
	};

	return cmocka_run_group_tests_name("pc_sleep", tests, NULL, NULL);
}
