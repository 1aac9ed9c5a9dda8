/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices as their board sees them: reset, save and load, one by one and all at
 * once.  See include/device.h.
 *
 * A device's record: its name, instance, version, the bytes of its state and
 * the state (state.c).  A board's image: a signature, the number of devices,
 * their records in the order of the list.
 */
#include "include/device.h"

#include "devices/clear.h"
#include "devices/state.h"
#include "include/errno.h"
#include "lib/string.h"

#define SIGNATURE      "bulkhead devices"
#define FORMAT_VERSION 1

void device_init(struct device *device, const struct device_ops *ops, void *dev,
		 void *state)
{
	memset(device, 0, sizeof(*device));
	device->ops = ops;
	device->dev = dev;
	device->state = state;
	memory_clear(state, ops->state->size);
	state_reset(ops->state, state, STATE_RESET_POWER_ON);
}

/* ---- Timers ------------------------------------------------------------ */

void device_timer_init(struct device *device, struct clock *clock,
		       struct clock_timer *timer, void (*expired)(void *dev),
		       void *dev, uint64_t *saved_ns)
{
	*timer = (struct clock_timer){
		.expired = expired,
		.dev = dev,
		.saved_ns = saved_ns,
		.sibling = device->timers,
	};
	device->timers = timer;
	device->clock = clock;
}

static void timers_disarm(struct device *device)
{
	struct clock_timer *timer;

	for (timer = device->timers; timer; timer = timer->sibling)
		clock_timer_disarm(device->clock, timer);
}

static void timers_arm(struct device *device)
{
	struct clock_timer *timer;

	for (timer = device->timers; timer; timer = timer->sibling)
		if (*timer->saved_ns != CLOCK_NEVER)
			clock_timer_arm(device->clock, timer, *timer->saved_ns);
}

/* ---- One device -------------------------------------------------------- */

void device_reset(struct device *device)
{
	timers_disarm(device);
	state_reset(device->ops->state, device->state, STATE_RESET_WARM);
	if (device->ops->reset)
		device->ops->reset(device->dev);
}

static bool is_idle(const struct device *device)
{
	return !device->ops->is_idle || device->ops->is_idle(device->dev);
}

static void record_write(const struct device *device,
			 struct state_writer *writer)
{
	struct state_writer head;

	state_write_text(writer, device->ops->name);
	state_write_integer(writer, device->instance, 2);
	state_write_integer(writer, device->ops->version, 2);
	head = *writer; /* how long the rest is, once that is known */
	state_write_integer(writer, 0, 4);
	state_save(device->ops->state, device->state, writer);
	state_write_integer(&head, writer->length - head.length - 4, 4);
}

int device_save(const struct device *device, void *image, size_t size,
		size_t *length)
{
	struct state_writer writer = { image, size, 0 };

	if (!is_idle(device))
		return -EAGAIN;
	record_write(device, &writer);
	*length = writer.length;
	return writer.length <= size ? 0 : -ENOSPC;
}

static void expect_number(struct state_reader *reader, const char *name,
			  const char *what, unsigned size, uint64_t number)
{
	uint64_t found = state_read_integer(reader, size);

	if (found != number)
		state_reader_fail(reader, "%s: %s %lu instead of %lu", name,
				  what, found, number);
}

/* Into scratch; the device is not touched. */
static void record_read(const struct device *device,
			struct state_reader *reader, void *scratch,
			uint64_t now_ns)
{
	const struct device_ops *ops = device->ops;
	struct state_reader state;
	uint64_t length;

	state_read_expected(reader, "device", ops->name);
	expect_number(reader, ops->name, "instance", 2, device->instance);
	expect_number(reader, ops->name, "version", 2, ops->version);
	length = state_read_integer(reader, 4);
	if (length > reader->left)
		state_reader_fail(reader, "%s: the image ends too early",
				  ops->name);
	if (reader->has_failed)
		return;
	state = *reader;
	state.left = (size_t)length;
	memset(scratch, 0, ops->state->size);
	if (state_load(ops->state, scratch, &state)) {
		reader->has_failed = true; /* why has been said */
		return;
	}
	reader->at += length;
	reader->left -= (size_t)length;
	if (state.left)
		state_reader_fail(reader, "%s: %lu bytes too many", ops->name,
				  state.left);
	else if (ops->is_valid && !ops->is_valid(device->dev, scratch, now_ns))
		state_reader_fail(reader, "%s: fields contradict each other",
				  ops->name);
}

static void record_apply(struct device *device, const void *scratch)
{
	timers_disarm(device);
	memcpy(device->state, scratch, device->ops->state->size);
}

static void restored(struct device *device)
{
	timers_arm(device);
	if (device->ops->restored)
		device->ops->restored(device->dev);
}

static void expect_end(struct state_reader *reader)
{
	if (reader->left)
		state_reader_fail(reader, "%lu bytes too many", reader->left);
}

int device_load(struct device *device, const void *image, size_t length,
		void *scratch, char *why, size_t why_size)
{
	struct state_reader reader = { image, length, false, why, why_size };

	record_read(device, &reader, scratch,
		    device->clock ? clock_now(device->clock) : 0);
	expect_end(&reader);
	if (reader.has_failed)
		return -EINVAL;
	record_apply(device, scratch);
	restored(device);
	return 0;
}

/* ---- All devices ------------------------------------------------------- */

void device_list_init(struct device_list *list, struct clock *clock)
{
	memset(list, 0, sizeof(*list));
	list->clock = clock;
}

int device_list_add(struct device_list *list, struct device *device)
{
	unsigned i;

	if (list->count == DEVICES_MAX)
		return -ENOSPC;
	device->instance = 0;
	for (i = 0; i < list->count; i++)
		if (!strcmp(list->device[i]->ops->name, device->ops->name))
			device->instance++;
	list->device[list->count++] = device;
	return 0;
}

void device_list_reset(struct device_list *list)
{
	unsigned i;

	for (i = list->count; i > 0; i--)
		device_reset(list->device[i - 1]);
}

size_t device_list_scratch(const struct device_list *list)
{
	size_t size = 0;
	unsigned i;

	for (i = 0; i < list->count; i++)
		size = MAX(size, list->device[i]->ops->state->size);
	return size;
}

int device_list_save(const struct device_list *list, void *image, size_t size,
		     size_t *length)
{
	struct state_writer writer = { image, size, 0 };
	unsigned i;

	for (i = 0; i < list->count; i++)
		if (!is_idle(list->device[i]))
			return -EAGAIN;
	state_write_text(&writer, SIGNATURE);
	state_write_integer(&writer, FORMAT_VERSION, 2);
	state_write_integer(&writer, clock_now(list->clock), 8);
	state_write_integer(&writer, list->count, 2);
	for (i = 0; i < list->count; i++)
		record_write(list->device[i], &writer);
	*length = writer.length;
	return writer.length <= size ? 0 : -ENOSPC;
}

/* The VM time of the save. */
static uint64_t head_read(const struct device_list *list,
			  struct state_reader *reader)
{
	uint64_t now_ns;

	if (!list->clock->now_set)
		state_reader_fail(reader, "the clock cannot be set");
	state_read_expected(reader, "image", SIGNATURE);
	expect_number(reader, "image", "version", 2, FORMAT_VERSION);
	now_ns = state_read_integer(reader, 8);
	expect_number(reader, "image", "devices", 2, list->count);
	return now_ns;
}

/*
 * Twice over the image, with the same result: once to find out whether all of
 * it is good, then for good.  No copy of it all is needed.
 */
int device_list_load(struct device_list *list, const void *image, size_t length,
		     void *scratch, char *why, size_t why_size)
{
	struct state_reader reader = { image, length, false, why, why_size };
	uint64_t now_ns = head_read(list, &reader);
	struct state_reader again = reader;
	unsigned i;

	for (i = 0; i < list->count && !reader.has_failed; i++)
		record_read(list->device[i], &reader, scratch, now_ns);
	expect_end(&reader);
	if (reader.has_failed)
		return -EINVAL;
	list->clock->now_set(list->clock->ctx, now_ns);
	for (i = 0; i < list->count; i++) {
		record_read(list->device[i], &again, scratch, now_ns);
		record_apply(list->device[i], scratch);
	}
	for (i = 0; i < list->count; i++)
		restored(list->device[i]);
	return 0;
}
