/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not there: more than one port, sizes of the terminal, emergency writes.
 *
 * References: VIRTIO 1.2, "Console Device".
 */
#include "drivers/virtio_console.h"

#include "include/errno.h"
#include "lib/string.h"

#define VIRTIO_DEVICE_CONSOLE 3

#define QUEUE_RECEIVE  0
#define QUEUE_TRANSMIT 1
#define VECTOR	       0 /* one for all that happens */

static int fail(struct virtio_console *console, int error, const char *why)
{
	console->why = why ? why : "does not work";
	console->is_started = false;
	return error;
}

/* ---- Starting ------------------------------------------------------------ */

static int buffers_cut(struct virtio_console_stream *stream,
		       struct dma_region *memory)
{
	int error = 0;

	for (unsigned i = 0; !error && i < VIRTIO_CONSOLE_BUFFERS; i++) {
		struct virtio_console_buffer *buffer = &stream->buffer[i];

		*buffer = (struct virtio_console_buffer){ .is_home = true };
		error = dma_cut(memory, VIRTIO_CONSOLE_BUFFER, PAGE_SIZE,
				&buffer->memory);
	}
	return error;
}

static int stream_start(struct virtio_console *console,
			struct virtio_console_stream *stream, uint16_t index,
			struct dma_region *memory)
{
	struct virtio_pci *virtio = &console->virtio;
	struct virtio_queue_spec spec = { .vector = VECTOR };
	int max = virtio_pci_queue_max(virtio, index);
	int error;

	if (max < VIRTIO_CONSOLE_BUFFERS)
		return fail(console, -EPROTO, "has queues that are too short");
	error = virtqueue_init(&stream->queue, VIRTIO_CONSOLE_BUFFERS,
			       virtio->features & VIRTIO_F_EVENT_IDX, memory);
	if (error)
		return fail(console, error, "was given too little memory");
	spec.size = VIRTIO_CONSOLE_BUFFERS;
	spec.descriptors = stream->queue.descriptors.address;
	spec.available = stream->queue.available.address;
	spec.used = stream->queue.used.address;
	error = virtio_pci_queue_setup(virtio, index, &spec, &stream->doorbell);
	return error ? fail(console, error, virtio->why) : 0;
}

/* The device has it; writable: it is to be filled. */
static void give(struct virtio_console *console,
		 struct virtio_console_stream *stream, unsigned number,
		 uint32_t length, bool is_writable)
{
	struct virtio_console_buffer *buffer = &stream->buffer[number];
	const struct virtqueue_part part = {
		.address = buffer->memory.address,
		.length = length,
	};
	const struct virtqueue_chain chain = {
		.part = &part,
		.readable = !is_writable,
		.writable = is_writable,
		.cookie = buffer,
	};

	if (virtqueue_add(&stream->queue, &chain)) {
		(void)fail(console, -EPROTO, stream->queue.broken);
		return;
	}
	buffer->is_home = false;
	if (virtqueue_publish(&stream->queue))
		virtio_pci_notify(&console->virtio, &stream->doorbell);
}

int virtio_console_start(struct virtio_console *console,
			 const struct pci_access *pci,
			 const struct dma_region *memory)
{
	struct virtio_pci *virtio = &console->virtio;
	struct dma_region left = *memory;
	int error;

	memset(console, 0, sizeof(*console));
	error = virtio_pci_probe(virtio, pci, VIRTIO_DEVICE_CONSOLE);
	if (!error)
		error = virtio_pci_reset(virtio);
	if (!error)
		error = virtio_pci_features(virtio, VIRTIO_F_EVENT_IDX);
	if (error)
		return fail(console, error, virtio->why);
	error = buffers_cut(&console->in, &left);
	if (!error)
		error = buffers_cut(&console->out, &left);
	if (error)
		return fail(console, error, "was given too little memory");
	error = stream_start(console, &console->in, QUEUE_RECEIVE, &left);
	if (!error)
		error = stream_start(console, &console->out, QUEUE_TRANSMIT,
				     &left);
	if (error)
		return error;
	if (virtio_pci_start(virtio))
		return fail(console, -EPROTO, virtio->why);
	console->is_started = true;
	for (unsigned i = 0; i < VIRTIO_CONSOLE_BUFFERS; i++)
		give(console, &console->in, i, VIRTIO_CONSOLE_BUFFER, true);
	return console->is_started ? 0 : -EPROTO;
}

/* ---- What comes back ----------------------------------------------------- */

/* How many of a stream's buffers have come home; is_in: filled. */
static unsigned take(struct virtio_console *console,
		     struct virtio_console_stream *stream, bool is_in)
{
	struct virtqueue_used used;
	unsigned count = 0;
	int n;

	while ((n = virtqueue_take(&stream->queue, &used)) > 0) {
		struct virtio_console_buffer *buffer = used.cookie;
		unsigned at = console->filled_first + console->filled_count;

		buffer->is_home = true;
		count++;
		if (!is_in)
			continue;
		buffer->length = used.length;
		buffer->used = 0;
		console->filled[at % VIRTIO_CONSOLE_BUFFERS] =
			(uint8_t)(buffer - stream->buffer);
		console->filled_count++;
	}
	if (n < 0)
		(void)fail(console, n, stream->queue.broken);
	return count;
}

bool virtio_console_poll(struct virtio_console *console)
{
	bool has_any = false;

	if (!console->is_started)
		return false;
	if (!console->virtio.pci->vector_count)
		(void)virtio_pci_events(&console->virtio);
	has_any |= take(console, &console->in, true) != 0;
	has_any |= take(console, &console->out, false) != 0;
	if (!console->is_started)
		return true;
	if (has_any)
		return true;
	return !virtqueue_sleep(&console->in.queue) ||
	       !virtqueue_sleep(&console->out.queue);
}

/* ---- Bytes --------------------------------------------------------------- */

size_t virtio_console_read(struct virtio_console *console, void *bytes,
			   size_t size)
{
	size_t done = 0;

	while (console->is_started && console->filled_count && done < size) {
		unsigned number = console->filled[console->filled_first];
		struct virtio_console_buffer *buffer =
			&console->in.buffer[number];
		uint32_t n = (uint32_t)MIN(size - done,
					   buffer->length - buffer->used);

		memcpy((uint8_t *)bytes + done,
		       (const uint8_t *)buffer->memory.va + buffer->used, n);
		done += n;
		buffer->used += n;
		if (buffer->used < buffer->length)
			break;
		console->filled_first =
			(console->filled_first + 1) % VIRTIO_CONSOLE_BUFFERS;
		console->filled_count--;
		give(console, &console->in, number, VIRTIO_CONSOLE_BUFFER,
		     true);
	}
	return done;
}

static struct virtio_console_buffer *home_find(struct virtio_console *console,
					       unsigned *number)
{
	for (unsigned i = 0; i < VIRTIO_CONSOLE_BUFFERS; i++)
		if (console->out.buffer[i].is_home) {
			*number = i;
			return &console->out.buffer[i];
		}
	return NULL;
}

size_t virtio_console_send(struct virtio_console *console, const void *bytes,
			   size_t length)
{
	size_t done = 0;

	while (console->is_started && done < length) {
		unsigned number = 0;
		struct virtio_console_buffer *buffer =
			home_find(console, &number);
		uint32_t n = (uint32_t)MIN(length - done,
					   (size_t)VIRTIO_CONSOLE_BUFFER);

		if (!buffer)
			break;
		memcpy(buffer->memory.va, (const uint8_t *)bytes + done, n);
		give(console, &console->out, number, n, false);
		done += n;
	}
	return done;
}
