/* SPDX-License-Identifier: BSD-2-Clause */
/* A USB disk: the Bulk-Only Transport and its commands. */
#include "tests/unit/usb_test.h"

#define TAG 0x12345678U

static struct {
	struct bench b;
	struct test_disk disk;
	uint8_t data[KIB(128)];
} t;

static struct usb_device *dev;

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	bench_init(&t.b);
	test_disk_init(&t.disk, &t.b.clock);
	dev = &t.disk.usb.usb;
	usb_configure(dev, 1);
	return 0;
}

static int out(const void *data, unsigned length)
{
	memcpy(t.data, data, length);
	return usb_transact(dev, USB_TOKEN_OUT, 2, t.data, length);
}

static int in(unsigned length)
{
	return usb_transact(dev, USB_TOKEN_IN, 1, t.data, length);
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* What the CBW ends with. */
static int command(const uint8_t *bytes, unsigned size, uint32_t length,
		   bool is_in)
{
	uint8_t cbw[31] = { 'U', 'S', 'B', 'C' };

	put32(cbw + 4, TAG);
	put32(cbw + 8, length);
	cbw[12] = is_in ? 0x80 : 0;
	cbw[14] = (uint8_t)size;
	memcpy(cbw + 15, bytes, size);
	return out(cbw, sizeof(cbw));
}

#define COMMAND(length, is_in, ...)                                          \
	assert_int_equal(command((uint8_t[]){ __VA_ARGS__ },                 \
				 sizeof((uint8_t[]){ __VA_ARGS__ }), length, \
				 is_in),                                     \
			 31)

static void expect_status(uint8_t status, uint32_t residue)
{
	uint32_t word;

	assert_int_equal(in(64), 13);
	assert_memory_equal(t.data, "USBS", 4);
	memcpy(&word, t.data + 4, 4);
	assert_int_equal(word, TAG);
	memcpy(&word, t.data + 8, 4);
	assert_int_equal(word, residue);
	assert_int_equal(t.data[12], status);
	assert_int_equal(in(64), USB_NAK);
}

static void expect_stall(uint16_t endpoint)
{
	if (endpoint & 0x80)
		assert_int_equal(in(64), USB_STALL);
	else
		assert_int_equal(out("", 1), USB_STALL);
	assert_int_equal(
		usb_control(dev, 2, USB_CLEAR_FEATURE, 0, endpoint, NULL, 0),
		0);
}

static void expect_sense(uint8_t sense, uint8_t code)
{
	COMMAND(18, true, 3, 0, 0, 0, 18, 0);
	assert_int_equal(in(64), 18);
	assert_int_equal(t.data[2], sense);
	assert_int_equal(t.data[12], code);
	expect_status(0, 0);
}

static void test_about(void **state)
{
	(void)state;
	assert_int_equal(usb_control(dev, 0xa1, 0xfe, 0, 0, t.data, 1), 1);
	assert_int_equal(t.data[0], 0);
	COMMAND(36, true, 0x12, 0, 0, 0, 36, 0);
	assert_int_equal(in(64), 36);
	assert_memory_equal(t.data + 8, "BULKHEADUSB DISK", 16);
	expect_status(0, 0);
	COMMAND(8, true, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	assert_int_equal(in(64), 8);
	assert_memory_equal(t.data, "\0\0\0\xff\0\0\2\0", 8);
	expect_status(0, 0);
	COMMAND(0, false, 0, 0, 0, 0, 0, 0);
	expect_status(0, 0);
	/* Less than the host has room for: zeros, and a residue. */
	COMMAND(64, true, 0x5a, 0, 8, 0, 0, 0, 0, 0, 64, 0);
	assert_int_equal(in(64), 64);
	assert_int_equal(t.data[1], 26);
	assert_int_equal(t.data[8], 8);
	expect_status(0, 64 - 28);
	COMMAND(32, true, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0,
		0);
	assert_int_equal(in(64), 32);
	assert_int_equal(t.data[7], 255);
	expect_status(0, 0);
}

static void test_read(void **state)
{
	unsigned done = 0;

	(void)state;
	t.disk.is_late = true;
	/* 100 sectors, in two requests. */
	COMMAND(100 * 512, true, 0x28, 0, 0, 0, 0, 3, 0, 0, 100, 0);
	while (done < 100 * 512) {
		if (t.disk.request) {
			assert_int_equal(in(64), USB_NAK);
			test_disk_end(&t.disk);
		}
		assert_int_equal(in(64), 64);
		assert_memory_equal(t.data, t.disk.medium + 3 * 512 + done, 64);
		done += 64;
	}
	expect_status(0, 0);
}

static void test_write(void **state)
{
	static uint8_t from[KIB(64)];
	unsigned done = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 13 + i / 256);
	t.disk.is_late = true;
	/* 65 KiB less 1: 128 sectors, with FUA. */
	COMMAND(sizeof(from), false, 0x2a, 8, 0, 0, 0, 9, 0, 0, 128, 0);
	while (done < sizeof(from)) {
		int moved = out(from + done, 512);

		if (moved == USB_NAK) {
			test_disk_end(&t.disk);
			continue;
		}
		assert_int_equal(moved, 512);
		done += 512;
	}
	assert_int_equal(in(64), USB_NAK);
	test_disk_end(&t.disk);
	assert_int_equal(in(64), USB_NAK);
	assert_int_equal(t.disk.flushes, 0);
	test_disk_end(&t.disk);
	assert_int_equal(t.disk.flushes, 1);
	expect_status(0, 0);
	assert_memory_equal(t.disk.medium + 9 * 512, from, sizeof(from));
}

static void test_errors(void **state)
{
	(void)state;
	COMMAND(512, true, 0x28, 0, 0, 0, 1, 0, 0, 0, 1, 0);
	expect_stall(0x81);
	expect_status(1, 512);
	expect_sense(5, 0x21);
	COMMAND(512, true, 0x28, 0, 0, 0, 0, 255, 0, 0, 2, 0);
	expect_stall(0x81); /* it would be 1024 bytes */
	expect_status(1, 512);
	COMMAND(0, false, 0xff, 0, 0, 0, 0, 0);
	expect_status(1, 0);
	expect_sense(5, 0x20);
	expect_sense(0, 0);
	t.disk.status = -EIO;
	COMMAND(512, true, 0x28, 0, 0, 0, 0, 7, 0, 0, 1, 0);
	expect_stall(0x81);
	expect_status(1, 512);
	expect_sense(3, 0x11);
	t.disk.status = 0;
	t.disk.backend.is_read_only = true;
	COMMAND(512, false, 0x2a, 0, 0, 0, 0, 7, 0, 0, 1, 0);
	expect_stall(2);
	expect_status(1, 512);
	expect_sense(7, 0x27);
	COMMAND(4, true, 0x1a, 0, 0, 0, 4, 0);
	assert_int_equal(in(64), 4);
	assert_int_equal(t.data[2] & 0x80, 0x80);
	expect_status(0, 0);
}

/* Host and device do not agree: the transport's thirteen cases. */
static void test_cases(void **state)
{
	(void)state;
	/* 2, 7: the device has more. */
	COMMAND(0, true, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	expect_status(2, 0);
	COMMAND(512, true, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0);
	expect_stall(0x81);
	expect_status(2, 512);
	/* 5: the device has less. */
	COMMAND(1024, true, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	assert_int_equal(in(512), 512);
	assert_int_equal(in(512), 512);
	assert_int_equal(t.data[100], 0);
	expect_status(0, 512);
	/* 8, 10: the other direction. */
	COMMAND(512, true, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	expect_stall(0x81);
	expect_status(2, 512);
	COMMAND(512, false, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	expect_stall(2);
	expect_status(2, 512);
	/* 9: nothing is wanted. */
	COMMAND(512, false, 0, 0, 0, 0, 0, 0);
	expect_stall(2);
	expect_status(0, 512);
	/* 11: the device takes less. */
	COMMAND(1024, false, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	assert_int_equal(out(t.disk.medium, 512), 512);
	expect_stall(2);
	expect_status(0, 512);
	/* 13: it would take more. */
	COMMAND(512, false, 0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0);
	expect_stall(2);
	expect_status(2, 512);
}

static void test_broken(void **state)
{
	static const uint8_t wrong[31] = { 'U', 'S', 'B', 'D' };

	(void)state;
	assert_int_equal(out(wrong, 31), USB_STALL);
	/* Both pipes stay so, until reset recovery. */
	expect_stall(0x81);
	expect_stall(2);
	expect_stall(0x81);
	assert_int_equal(usb_control(dev, 0x21, 0xff, 0, 0, NULL, 0), 0);
	assert_int_equal(
		usb_control(dev, 2, USB_CLEAR_FEATURE, 0, 0x81, NULL, 0), 0);
	assert_int_equal(usb_control(dev, 2, USB_CLEAR_FEATURE, 0, 2, NULL, 0),
			 0);
	COMMAND(0, false, 0, 0, 0, 0, 0, 0);
	expect_status(0, 0);
	assert_int_equal(out("USBC", 4), USB_STALL);
}

/* Resets and time-outs with a request in flight. */
static void test_in_flight(void **state)
{
	(void)state;
	t.disk.is_late = true;
	COMMAND(512, true, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	assert_int_equal(usb_control(dev, 0x21, 0xff, 0, 0, NULL, 0), 0);
	assert_int_equal(t.disk.cancels, 1);
	assert_int_equal(in(64), USB_NAK);
	COMMAND(512, true, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	assert_false(dev->device.ops->is_idle(&t.disk.usb));
	bench_step(&t.b, SCSI_DISK_TIMEOUT_NS);
	assert_int_equal(t.disk.cancels, 2);
	expect_stall(0x81);
	expect_status(1, 512);
	expect_sense(3, 0x11);
	/* One that cannot be taken back is waited for. */
	t.disk.backend.cancel = NULL;
	COMMAND(512, true, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
	device_reset(&dev->device);
	usb_configure(dev, 1);
	assert_int_equal(command((uint8_t[]){ 0, 0, 0, 0, 0, 0 }, 6, 0, false),
			 USB_NAK);
	test_disk_end(&t.disk);
	COMMAND(0, false, 0, 0, 0, 0, 0, 0);
	expect_status(0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_about, setup),
		cmocka_unit_test_setup(test_read, setup),
		cmocka_unit_test_setup(test_write, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_cases, setup),
		cmocka_unit_test_setup(test_broken, setup),
		cmocka_unit_test_setup(test_in_flight, setup),
	};

	return cmocka_run_group_tests_name("usb_storage", tests, NULL, NULL);
}
