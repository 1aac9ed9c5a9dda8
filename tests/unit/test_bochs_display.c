/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/bochs_display.c on registers of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/bochs_display.h"
#include "include/errno.h"

#define REGISTERS 0x1000
#define DISPI	  0x500

enum { ID, XRES, YRES, BPP, ENABLE };

static struct {
	uint8_t registers[REGISTERS], pixels[64];
	uint64_t registers_size, pixels_size;
	uint16_t width_max;
	unsigned enables; /* when it was enabled the mode was complete */
} display;

static int bar_map(void *ctx, unsigned bar, struct pci_bar *mapped)
{
	(void)ctx;
	*mapped = bar == 0 ? (struct pci_bar){ display.pixels,
					       display.pixels_size }
			   : (struct pci_bar){ display.registers,
					       display.registers_size };
	return (bar == 0 || bar == 2) && mapped->size ? 0 : -ENODEV;
}

static uint16_t *dispi(unsigned index)
{
	return (uint16_t *)(display.registers + DISPI) + index;
}

static uint32_t mmio_read(void *ctx, const void *at, unsigned size)
{
	uint32_t value = 0;
	size_t offset = (size_t)((const uint8_t *)at - display.registers);

	(void)ctx;
	assert_true(offset + size <= display.registers_size);
	memcpy(&value, at, size);
	return value;
}

static void mmio_write(void *ctx, void *at, unsigned size, uint32_t value)
{
	size_t offset = (size_t)((uint8_t *)at - display.registers);

	(void)ctx;
	assert_true(offset + size <= display.registers_size);
	assert_true(at != dispi(ID));
	if (at == dispi(XRES))
		value = value < display.width_max ? value : display.width_max;
	memcpy(at, &value, size);
	if (at == dispi(ENABLE) && value) {
		assert_int_equal(*dispi(BPP), 32);
		assert_int_equal(value, 0x41);
		display.enables++;
	}
}

static const struct pci_ops ops = { .bar_map = bar_map,
				    .mmio_read = mmio_read,
				    .mmio_write = mmio_write };
static const struct pci_access pci = { .ops = &ops };

static int setup(void **state)
{
	(void)state;
	memset(&display, 0, sizeof(display));
	display.registers_size = REGISTERS;
	display.pixels_size = 16 << 20;
	display.width_max = 4096;
	*dispi(ID) = 0xb0c5;
	return 0;
}

static void fails(int error)
{
	struct framebuffer fb;

	memset(&fb, 0xee, sizeof(fb));
	assert_int_equal(bochs_display_start(&fb, &pci, 1024, 768), error);
	assert_null(fb.pixels);
}

static void starts(void **state)
{
	struct framebuffer fb;

	(void)state;
	assert_int_equal(bochs_display_start(&fb, &pci, 1024, 768), 0);
	assert_ptr_equal(fb.pixels, display.pixels);
	assert_int_equal(fb.width, 1024);
	assert_int_equal(fb.height, 768);
	assert_int_equal(fb.stride, 4096);
	assert_int_equal(*dispi(XRES), 1024);
	assert_int_equal(*dispi(YRES), 768);
	assert_int_equal(display.enables, 1);
	assert_int_equal(display.registers[0x400], 0x20); /* not blank */
}

static void is_another(void **state)
{
	(void)state;
	*dispi(ID) = 0xffff;
	fails(-ENODEV);
	(void)setup(NULL);
	display.registers_size = DISPI;
	fails(-ENODEV);
	(void)setup(NULL);
	display.registers_size = 0;
	fails(-ENODEV);
	(void)setup(NULL);
	display.pixels_size = 0;
	fails(-ENODEV);
	assert_int_equal(display.enables, 0);
}

static void has_no_such_mode(void **state)
{
	(void)state;
	display.pixels_size = 4 * 1024 * 768 - 1;
	fails(-ERANGE);
	assert_int_equal(display.enables, 0);
	(void)setup(NULL);
	display.width_max = 800;
	fails(-EIO);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starts),
		TEST(is_another),
		TEST(has_no_such_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
