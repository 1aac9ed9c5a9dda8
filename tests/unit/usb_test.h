/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a USB test needs: transactions and control transfers with a device, and
 * a disk whose requests end when the test says so.
 */
#ifndef BULKHEAD_TESTS_UNIT_USB_TEST_H
#define BULKHEAD_TESTS_UNIT_USB_TEST_H

#include "tests/unit/device_test.h"

#include "devices/usb_hid.h"
#include "devices/usb_hub.h"
#include "devices/usb_storage.h"

/* A control transfer.  Bytes of data, or what the stage that failed ended with.
 */
static inline int usb_control(struct usb_device *dev, uint8_t type,
			      uint8_t request, uint16_t value, uint16_t index,
			      uint8_t *data, uint16_t length)
{
	uint8_t setup[USB_SETUP_SIZE] = {
		type,
		request,
		(uint8_t)value,
		(uint8_t)(value >> 8),
		(uint8_t)index,
		(uint8_t)(index >> 8),
		(uint8_t)length,
		(uint8_t)(length >> 8),
	};
	bool is_in = type & USB_TYPE_IN;
	int moved = 0, status;

	assert_int_equal(usb_transact(dev, USB_TOKEN_SETUP, 0, setup, 8), 8);
	if (length)
		moved = usb_transact(dev, is_in ? USB_TOKEN_IN : USB_TOKEN_OUT,
				     0, data, length);
	if (moved < 0)
		return moved;
	status = usb_transact(dev, is_in ? USB_TOKEN_OUT : USB_TOKEN_IN, 0,
			      setup, 0);
	return status < 0 ? status : moved;
}

static inline void usb_configure(struct usb_device *dev, uint16_t value)
{
	assert_int_equal(
		usb_control(dev, 0, USB_SET_CONFIGURATION, value, 0, NULL, 0),
		0);
}

/* ---- A disk -------------------------------------------------------------- */

#define TEST_SECTORS 256

struct test_disk {
	struct usb_storage usb;
	struct block_backend backend;
	uint8_t medium[TEST_SECTORS * BLOCK_SECTOR];
	struct block_request *request; /* that has not ended */
	bool is_late;
	unsigned flushes, cancels;
	int status; /* of all requests */
};

static inline int test_disk_move(struct test_disk *disk,
				 const struct block_request *request)
{
	uint8_t *at = disk->medium + request->sector * BLOCK_SECTOR;

	if (request->op == BLOCK_FLUSH) {
		disk->flushes++;
		return disk->status;
	}
	assert_int_equal(request->segment_count, 1);
	assert_true(request->sector * BLOCK_SECTOR +
			    request->segment[0].length <=
		    sizeof(disk->medium));
	if (disk->status)
		return disk->status;
	if (request->op == BLOCK_READ)
		memcpy(request->segment[0].host, at,
		       request->segment[0].length);
	else
		memcpy(at, request->segment[0].host,
		       request->segment[0].length);
	return 0;
}

static inline void test_disk_submit(void *ctx, struct block_request *request)
{
	struct test_disk *disk = ctx;

	assert_null(disk->request);
	if (disk->is_late)
		disk->request = request;
	else
		request->done(request->dev, request,
			      test_disk_move(disk, request));
}

/* The request in flight ends. */
static inline void test_disk_end(struct test_disk *disk)
{
	struct block_request *request = disk->request;

	assert_non_null(request);
	disk->request = NULL;
	request->done(request->dev, request, test_disk_move(disk, request));
}

static inline void test_disk_cancel(void *ctx, struct block_request *request)
{
	struct test_disk *disk = ctx;

	assert_ptr_equal(disk->request, request);
	disk->cancels++;
	disk->request = NULL;
	request->done(request->dev, request, -ECANCELED);
}

static inline void test_disk_init(struct test_disk *disk, struct clock *clock)
{
	memset(disk, 0, sizeof(*disk));
	disk->backend = (struct block_backend){
		.submit = test_disk_submit,
		.cancel = test_disk_cancel,
		.ctx = disk,
		.sector_count = TEST_SECTORS,
	};
	for (unsigned i = 0; i < sizeof(disk->medium); i++)
		disk->medium[i] = (uint8_t)(i * 7 + i / 512);
	usb_storage_init(&disk->usb, &disk->backend, clock, 1);
}

#endif
