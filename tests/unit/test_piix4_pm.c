/* SPDX-License-Identifier: BSD-2-Clause */
/* PIIX4 power management, and the debug ports. */
#include "tests/unit/device_test.h"

#include "devices/debug_ports.h"
#include "devices/piix4_pm.h"
#include "include/errno.h"

#define PM    0x600
#define DEVFN PCI_DEVFN(1, 3)

static struct {
	struct bench b;
	struct pci_bus pci;
	struct piix4_pm pm;
	struct debug_ports debug;
	unsigned power_offs, hibernations, sleep_resets;
	uint32_t exit_code;
	char text[2][16];
} bench;

static void power_off(void *ctx, bool is_s4)
{
	(void)ctx;
	bench.power_offs++;
	bench.hibernations += is_s4;
}

static void sleep_reset(void *ctx)
{
	(void)ctx;
	bench.sleep_resets++;
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	assert_int_equal(
		pci_bus_init(&bench.pci, &bench.b.ports, &bench.b.memory), 0);
	assert_int_equal(piix4_pm_init(&bench.pm, &bench.pci, &bench.b.clock,
				       bench_irq(&bench.b, 9), power_off, NULL),
			 0);
	pci_config_write(&bench.pci, DEVFN, 0x40, 4, PM | 1);
	pci_config_write(&bench.pci, DEVFN, 0x80, 1, 1);
	return 0;
}

static uint32_t get(uint16_t port, unsigned size)
{
	return (uint32_t)bus_in(&bench.b.ports, port, size);
}

static void set(uint16_t port, uint32_t value, unsigned size)
{
	bus_out(&bench.b.ports, port, value, size);
}

static bool sci(void)
{
	return bench.b.level & BIT(9);
}

static void test_base(void **state)
{
	(void)state;
	assert_int_equal(pci_config_read(&bench.pci, DEVFN, 0, 4), 0x71138086);
	assert_int_equal(get(PM + 4, 2), 0);
	pci_config_write(&bench.pci, DEVFN, 0x80, 1, 0);
	assert_int_equal(get(PM + 4, 2), 0xffff);
	pci_config_write(&bench.pci, DEVFN, 0x40, 4, 0xffffffff);
	assert_int_equal(pci_config_read(&bench.pci, DEVFN, 0x40, 4), 0xffc1);
	pci_config_write(&bench.pci, DEVFN, 0x40, 4, 0xb000);
	pci_config_write(&bench.pci, DEVFN, 0x80, 1, 1);
	assert_int_equal(get(0xb004, 2), 0);
	/* On top of another device: nowhere. */
	pci_config_write(&bench.pci, DEVFN, 0x40, 4, 0xcc0);
	assert_int_equal(get(0xb004, 2), 0xffff);
	pci_config_write(&bench.pci, DEVFN, 0x40, 4, 0xb000);
	assert_int_equal(get(0xb004, 2), 0);
	piix4_pm_reset(&bench.pm);
	assert_int_equal(get(0xb004, 2), 0xffff);
	/* Firmware need not set up SMM. */
	assert_int_equal(pci_config_read(&bench.pci, DEVFN, 0x5b, 1) & 2, 2);
}

static void test_timer(void **state)
{
	(void)state;
	assert_int_equal(get(PM + 8, 4), 0);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_in_range(get(PM + 8, 4), 3579544, 3579545);
	assert_int_equal(get(PM + 9, 1), 3579544 >> 8 & 0xff);
	assert_int_equal(get(PM + 0xa, 2), 3579544 >> 16);
	/* 24 bits. */
	bench_step(&bench.b, 4 * NSEC_PER_SEC);
	assert_in_range(get(PM + 8, 4), 5 * 3579545 - (1 << 24) - 1,
			5 * 3579545 - (1 << 24));
	/* The top bit's changes. */
	assert_int_equal(get(PM, 2), 0x0001);
	set(PM, 0x0001, 2);
	assert_int_equal(get(PM, 2), 0);
	set(PM + 8, 0, 4);
	assert_true(get(PM + 8, 4) > 1);
}

static void test_timer_interrupt(void **state)
{
	unsigned i;

	(void)state;
	set(PM + 2, 0x0001, 2);
	bench_step(&bench.b, 3 * NSEC_PER_SEC);
	assert_false(sci()); /* not in ACPI mode */
	set(0xb2, PM_ACPI_ENABLE, 1);
	assert_int_equal(get(PM + 4, 2), 1);
	assert_true(sci());
	set(PM, 0x0001, 2);
	assert_false(sci());
	bench.b.rises[9] = 0;
	for (i = 0; i < 10; i++) {
		bench_step(&bench.b, (1ULL << 23) * NSEC_PER_SEC / 3579545);
		assert_true(sci());
		set(PM, 0x0001, 2);
		assert_false(sci());
	}
	set(0xb2, PM_ACPI_DISABLE, 1);
	assert_int_equal(get(PM + 4, 2), 0);
}

static void test_events(void **state)
{
	(void)state;
	set(0xb2, PM_ACPI_ENABLE, 1);
	assert_int_equal(get(0xb2, 1), PM_ACPI_ENABLE);
	set(0xb3, 0x42, 1);
	assert_int_equal(get(0xb3, 1), 0x42);
	set(PM + 2, 0xffff, 2);
	assert_int_equal(get(PM + 2, 2), 0x0521);
	piix4_pm_power_button(&bench.pm);
	assert_true(sci());
	assert_int_equal(get(PM, 4), 0x05210100);
	set(PM, 0x00ff, 2); /* other bits */
	assert_true(sci());
	set(PM + 1, 0x01, 1); /* the right one, by byte */
	assert_false(sci());
	/* Both halves at once. */
	piix4_pm_power_button(&bench.pm);
	set(PM, 0x00000100, 4);
	assert_int_equal(get(PM, 4), 0);
	/* Across registers. */
	set(PM + 1, 0x000521ff, 4);
	assert_int_equal(get(PM + 2, 2), 0x0521);
	assert_int_equal(get(PM + 3, 2), 0xffff);
}

static void test_sleep(void **state)
{
	(void)state;
	set(PM + 4, 0x0400, 2);
	assert_int_equal(get(PM + 4, 2), 0x0400);
	set(PM + 4, 0x2400, 2); /* S3, of which the board knows nothing */
	assert_int_equal(bench.power_offs, 0);
	assert_int_equal(get(PM + 4, 2), 0x0400);
	assert_int_equal(bench.pm.state.sleep, PM_AWAKE);
	set(PM + 4, 0x2c00, 2); /* S1 of the chip: not there */
	set(PM + 4, 0x2000, 2);
	assert_int_equal(bench.power_offs, 1);
	set(PM + 5, 0x20, 1);
	assert_int_equal(bench.power_offs, 2);
	assert_int_equal(get(PM + 4, 2), 0);
	assert_int_equal(bench.hibernations, 0);
	set(PM + 4, 0x2800, 2); /* S4 */
	assert_int_equal(bench.power_offs, 3);
	assert_int_equal(bench.hibernations, 1);
}

/* What the board does for sleep_reset(); firmware finds the block again. */
static bool reset_for_sleep(void)
{
	const struct piix4_pm_state was = bench.pm.state;
	bool is_resuming;

	piix4_pm_reset(&bench.pm);
	is_resuming = piix4_pm_slept(&bench.pm, &was);
	pci_config_write(&bench.pci, DEVFN, 0x40, 4, PM | 1);
	pci_config_write(&bench.pci, DEVFN, 0x80, 1, 1);
	return is_resuming;
}

/* Into S3 with these enables of PM1 and GPE0. */
static void suspend(uint16_t enable, uint16_t gpe)
{
	bench.pm.sleep_reset = sleep_reset;
	bench.sleep_resets = 0;
	set(0xb2, PM_ACPI_ENABLE, 1);
	set(PM, 0xffff, 2);
	set(PM + 2, enable, 2);
	set(0xafe0, 0xff, 1);
	set(0xafe1, 0xff, 1);
	set(0xafe2, gpe & 0xff, 1);
	set(0xafe3, gpe >> 8, 1);
	set(PM + 4, 0x0400, 2);
	set(PM + 4, 0x2400, 2);
	assert_int_equal(bench.sleep_resets, 1);
	assert_int_equal(bench.pm.state.sleep, PM_SUSPENDING);
	set(PM + 4, 0x2400, 2); /* once is enough */
	assert_int_equal(bench.sleep_resets, 1);
}

static void test_suspend(void **state)
{
	(void)state;
	suspend(0x0100, 0);
	assert_false(reset_for_sleep());
	assert_int_equal(bench.pm.state.sleep, PM_ASLEEP);
	/* Neither is enabled, nor is the timer ever. */
	piix4_pm_alarm(&bench.pm);
	piix4_pm_gpe(&bench.pm, PM_GPE_KEYBOARD);
	bench_step(&bench.b, 10 * NSEC_PER_SEC);
	assert_int_equal(bench.sleep_resets, 1);
	piix4_pm_power_button(&bench.pm);
	assert_int_equal(bench.sleep_resets, 2);
	assert_int_equal(bench.pm.state.sleep, PM_RESUMING);
	piix4_pm_power_button(&bench.pm);
	assert_int_equal(bench.sleep_resets, 2);
	assert_true(reset_for_sleep());
	assert_int_equal(bench.pm.state.sleep, PM_AWAKE);
	/* Still in ACPI mode, with what it slept with, and what woke it. */
	assert_int_equal(get(PM, 4), 0x01008500);
	assert_int_equal(get(PM + 4, 2), 0x0001);
	assert_int_equal(get(0xafe0, 2), BIT(PM_GPE_KEYBOARD));
	assert_true(sci());
	set(PM, 0x8000, 2);
	assert_int_equal(get(PM, 2) & 0x8000, 0);
}

static void test_wake_by_alarm(void **state)
{
	(void)state;
	suspend(0x0400, 0);
	assert_false(reset_for_sleep());
	piix4_pm_alarm(&bench.pm);
	assert_int_equal(bench.sleep_resets, 2);
	assert_true(reset_for_sleep());
	assert_int_equal(get(PM, 2) & 0x8500, 0x8400);
}

static void test_wake_by_gpe(void **state)
{
	(void)state;
	suspend(0, BIT(PM_GPE_MOUSE));
	assert_false(reset_for_sleep());
	piix4_pm_gpe(&bench.pm, PM_GPE_KEYBOARD);
	assert_int_equal(bench.sleep_resets, 1);
	piix4_pm_gpe(&bench.pm, PM_GPE_MOUSE);
	assert_int_equal(bench.sleep_resets, 2);
	assert_true(reset_for_sleep());
	assert_int_equal(get(0xafe0, 4), 0x02000300);
	assert_int_equal(get(PM, 2) & 0x8500, 0x8000);
}

/* An event between SLP_EN and the reset: it sleeps not at all. */
static void test_wake_at_once(void **state)
{
	(void)state;
	suspend(0x0400, 0);
	piix4_pm_alarm(&bench.pm);
	assert_int_equal(bench.sleep_resets, 1);
	assert_true(reset_for_sleep());
	assert_int_equal(bench.pm.state.sleep, PM_AWAKE);
	assert_int_equal(get(PM, 2) & 0x8500, 0x8400);
}

/* The reset button: nothing of before is left. */
static void test_reset_asleep(void **state)
{
	(void)state;
	suspend(0x0500, 0xffff);
	assert_false(reset_for_sleep());
	assert_false(reset_for_sleep());
	assert_int_equal(bench.pm.state.sleep, PM_AWAKE);
	assert_int_equal(get(PM, 4), 0);
	assert_int_equal(get(PM + 4, 2), 0);
	assert_int_equal(get(0xafe0, 4), 0);
	piix4_pm_power_button(&bench.pm);
	assert_int_equal(bench.sleep_resets, 1);
}

static void test_gpe(void **state)
{
	(void)state;
	set(0xb2, PM_ACPI_ENABLE, 1);
	set(0xafe2, 0x0102, 2);
	assert_int_equal(get(0xafe0, 4), 0x01020000);
	bench.pm.state.gpe_status = 0x0300;
	set(0xafe0, 0, 1);
	assert_true(sci());
	set(0xafe1, 0x01, 1);
	assert_false(sci());
	assert_int_equal(get(0xafe0, 2), 0x0200);
}

static void test_smbus(void **state)
{
	(void)state;
	assert_int_equal(get(0x700, 1), 0xff);
	pci_config_write(&bench.pci, DEVFN, 0x90, 4, 0x701);
	pci_config_write(&bench.pci, DEVFN, 0xd2, 1, 9);
	assert_int_equal(get(0x700, 1), 0);
	set(0x704, 0xa1, 1);
	set(0x702, 0x48, 1);
	assert_int_equal(get(0x700, 1), 0x06); /* done, no such device */
	assert_int_equal(get(0x702, 1), 0x08);
	set(0x700, 0xff, 1);
	assert_int_equal(get(0x700, 1), 0);
}

/* ---- Debug ports ------------------------------------------------------- */

static void put(void *ctx, const void *data, size_t length)
{
	char *text = ctx;
	size_t used = strlen(text);

	assert_true(used + length < sizeof(bench.text[0]));
	memcpy(text + used, data, length);
}

static void on_exit_code(void *ctx, uint32_t code)
{
	(void)ctx;
	bench.exit_code = code;
}

static unsigned posted_count;
static uint8_t posted;

static void post_write(void *ctx, const void *data, size_t length)
{
	(void)ctx;
	assert_int_equal(length, 1);
	posted = *(const uint8_t *)data;
	posted_count++;
}

static void test_debug_ports(void **state)
{
	struct io_access io = { .offset = 0x402, .size = 1, .is_write = true };
	char text[] = "cde";

	(void)state;
	assert_int_equal(
		debug_ports_init(&bench.debug, &bench.b.ports,
				 (struct char_backend){ put, bench.text[0] },
				 (struct char_backend){ put, bench.text[1] },
				 0xf4, on_exit_code, NULL),
		0);
	assert_int_equal(get(0x402, 1), 0xe9);
	assert_int_equal(get(0xe9, 1), 0xe9);
	set(0x402, 'a', 1);
	set(0x402, 'b', 1);
	bus_access_bulk(&bench.b.ports, &io, text, 3);
	assert_string_equal(bench.text[0], "abcde");
	set(0xe9, 'z', 1);
	io.offset = 0xe9;
	bus_access_bulk(&bench.b.ports, &io, text, 2);
	assert_string_equal(bench.text[1], "zcd");
	set(0x80, 0x55, 1);
	assert_int_equal(get(0x80, 1), 0x55);
	/* Somebody looks: at what is new. */
	bench.debug.post = (struct char_backend){ post_write, NULL };
	posted_count = 0;
	set(0x80, 0x55, 1);
	assert_int_equal(posted_count, 0);
	set(0x80, 0xa5, 1);
	set(0x80, 0xa5, 1);
	set(0x80, 0x0103, 2);
	assert_int_equal(posted_count, 2);
	assert_int_equal(posted, 0x03);
	assert_int_equal(get(0x80, 1), 0x03);
	set(0xf4, 0x12345678, 4);
	assert_int_equal(bench.exit_code, 0x12345678);
	set(0xf4, 0x10, 1);
	assert_int_equal(bench.exit_code, 0x10);
	assert_int_equal(get(0xf4, 1), 0);
	debug_ports_reset(&bench.debug);
	assert_int_equal(get(0x80, 1), 0);
}

static void test_no_debug_ports(void **state)
{
	(void)state;
	assert_int_equal(debug_ports_init(&bench.debug, &bench.b.ports,
					  (struct char_backend){ 0 },
					  (struct char_backend){ 0 }, 0, NULL,
					  NULL),
			 0);
	assert_int_equal(get(0x402, 1), 0xff);
	assert_int_equal(get(0xe9, 1), 0xff);
	assert_int_equal(get(0xf4, 1), 0xff);
	set(0xf4, 1, 1);
	assert_int_equal(get(0x80, 1), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_base),
		TEST(test_timer),
		TEST(test_timer_interrupt),
		TEST(test_events),
		TEST(test_sleep),
		TEST(test_suspend),
		TEST(test_wake_by_alarm),
		TEST(test_wake_by_gpe),
		TEST(test_wake_at_once),
		TEST(test_reset_asleep),
		TEST(test_gpe),
		TEST(test_smbus),
		TEST(test_debug_ports),
		TEST(test_no_debug_ports),
	};

	return cmocka_run_group_tests_name("piix4_pm", tests, NULL, NULL);
}
