/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not there: more than one port in use, ports that come and go, their names,
 * sizes of the terminal, emergency writes.
 *
 * References: VIRTIO 1.2, "Console Device".
 */
#include "drivers/virtio_console.h"

#include "include/errno.h"
#include "lib/string.h"

#define VIRTIO_DEVICE_CONSOLE 3

#define F_MULTIPORT BIT(1)

/* Receiving; sending is the next one. */
#define QUEUE_PORT_0  0
#define QUEUE_CONTROL 2
#define QUEUE_PORT_1  4
#define VECTOR	      0 /* one for all that happens */
#define PORT	      1

/* About a port, between driver and device. */
struct message {
	uint32_t port;
	uint16_t event;
	uint16_t value;
};
ASSERT_SIZE(struct message, 8);

#define EVENT_DEVICE_READY 0
#define EVENT_PORT_ADD	   1
#define EVENT_PORT_READY   3
#define EVENT_PORT_OPEN	   6

static int fail(struct virtio_console *console, int error, const char *why)
{
	console->why = why ? why : "does not work";
	console->is_started = false;
	return error;
}

/* ---- Buffers ------------------------------------------------------------- */

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

/* How many of a stream's buffers have come home; is_in: filled. */
static unsigned take(struct virtio_console *console,
		     struct virtio_console_stream *stream, bool is_in)
{
	struct virtqueue_used used;
	unsigned count = 0;
	int n;

	while ((n = virtqueue_take(&stream->queue, &used)) > 0) {
		struct virtio_console_buffer *buffer = used.cookie;
		unsigned at = stream->filled_first + stream->filled_count;

		buffer->is_home = true;
		count++;
		if (!is_in)
			continue;
		buffer->length = used.length;
		buffer->used = 0;
		stream->filled[at % VIRTIO_CONSOLE_BUFFERS] =
			(uint8_t)(buffer - stream->buffer);
		stream->filled_count++;
	}
	if (n < 0)
		(void)fail(console, n, stream->queue.broken);
	return count;
}

/* What was read to its end the device gets again. */
static size_t stream_read(struct virtio_console *console,
			  struct virtio_console_stream *stream, void *bytes,
			  size_t size)
{
	size_t done = 0;

	while (console->is_started && stream->filled_count) {
		unsigned number = stream->filled[stream->filled_first];
		struct virtio_console_buffer *buffer = &stream->buffer[number];
		uint32_t n = (uint32_t)MIN(size - done,
					   buffer->length - buffer->used);

		if (n)
			memcpy((uint8_t *)bytes + done,
			       (const uint8_t *)buffer->memory.va +
				       buffer->used,
			       n);
		done += n;
		buffer->used += n;
		if (buffer->used < buffer->length)
			break;
		stream->filled_first =
			(stream->filled_first + 1) % VIRTIO_CONSOLE_BUFFERS;
		stream->filled_count--;
		give(console, stream, number, stream->buffer_size, true);
	}
	return done;
}

static struct virtio_console_buffer *
home_find(struct virtio_console_stream *stream, unsigned *number)
{
	for (unsigned i = 0; i < VIRTIO_CONSOLE_BUFFERS; i++)
		if (stream->buffer[i].is_home) {
			*number = i;
			return &stream->buffer[i];
		}
	return NULL;
}

static size_t stream_send(struct virtio_console *console,
			  struct virtio_console_stream *stream,
			  const void *bytes, size_t length)
{
	size_t done = 0;

	while (console->is_started && done < length) {
		unsigned number = 0;
		struct virtio_console_buffer *buffer =
			home_find(stream, &number);
		uint32_t n = (uint32_t)MIN(length - done,
					   (size_t)stream->buffer_size);

		if (!buffer)
			break;
		memcpy(buffer->memory.va, (const uint8_t *)bytes + done, n);
		give(console, stream, number, n, false);
		done += n;
	}
	return done;
}

/* Each event is told once, so that there is room. */
static void tell(struct virtio_console *console, uint16_t event)
{
	const struct message message = {
		.port = event == EVENT_DEVICE_READY ? 0 : PORT,
		.event = event,
		.value = 1,
	};

	(void)stream_send(console, &console->control_out, &message,
			  sizeof(message));
}

/* ---- Starting ------------------------------------------------------------ */

static int buffers_cut(struct virtio_console_stream *stream,
		       struct dma_region *memory, uint32_t size)
{
	int error = 0;

	stream->buffer_size = size;
	for (unsigned i = 0; !error && i < VIRTIO_CONSOLE_BUFFERS; i++) {
		struct virtio_console_buffer *buffer = &stream->buffer[i];

		*buffer = (struct virtio_console_buffer){ .is_home = true };
		error = dma_cut(memory, size, size, &buffer->memory);
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

/* The device has all of them, to be filled. */
static void give_all(struct virtio_console *console,
		     struct virtio_console_stream *stream)
{
	for (unsigned i = 0; i < VIRTIO_CONSOLE_BUFFERS; i++)
		give(console, stream, i, stream->buffer_size, true);
}

/* in receives by queue index, out sends by the next. */
static int pair_start(struct virtio_console *console,
		      struct virtio_console_stream *in,
		      struct virtio_console_stream *out, uint16_t index,
		      struct dma_region *memory)
{
	int error = stream_start(console, in, index, memory);

	return error ? error
		     : stream_start(console, out, (uint16_t)(index + 1),
				    memory);
}

static int memory_cut(struct virtio_console *console, struct dma_region *memory)
{
	int error = buffers_cut(&console->in, memory, VIRTIO_CONSOLE_BUFFER);

	if (!error)
		error = buffers_cut(&console->out, memory,
				    VIRTIO_CONSOLE_BUFFER);
	if (!error)
		error = buffers_cut(&console->control_in, memory,
				    VIRTIO_CONSOLE_MESSAGE);
	if (!error)
		error = buffers_cut(&console->control_out, memory,
				    VIRTIO_CONSOLE_MESSAGE);
	return error ? fail(console, error, "was given too little memory") : 0;
}

static int queues_start(struct virtio_console *console,
			struct dma_region *memory)
{
	int error;

	if (!console->is_multiport)
		return pair_start(console, &console->in, &console->out,
				  QUEUE_PORT_0, memory);
	error = pair_start(console, &console->control_in, &console->control_out,
			   QUEUE_CONTROL, memory);
	return error ? error
		     : pair_start(console, &console->in, &console->out,
				  QUEUE_PORT_1, memory);
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
		error = virtio_pci_features(virtio,
					    VIRTIO_F_EVENT_IDX | F_MULTIPORT);
	if (error)
		return fail(console, error, virtio->why);
	console->is_multiport = virtio->features & F_MULTIPORT;
	error = memory_cut(console, &left);
	if (!error)
		error = queues_start(console, &left);
	if (error)
		return error;
	if (virtio_pci_start(virtio))
		return fail(console, -EPROTO, virtio->why);
	console->is_started = true;
	give_all(console, &console->in);
	if (console->is_multiport) {
		give_all(console, &console->control_in);
		tell(console, EVENT_DEVICE_READY);
	}
	return console->is_started ? 0 : -EPROTO;
}

/* ---- Ports --------------------------------------------------------------- */

/*
 * Of a message what is behind its end, a port's name, is passed over with its
 * buffer.  Ports are there from the start, and their other ends' coming and
 * going is nothing to this driver: only the port's being there counts.
 */
static void messages_take(struct virtio_console *console)
{
	struct virtio_console_stream *in = &console->control_in;

	while (console->is_started && in->filled_count) {
		struct virtio_console_buffer *buffer =
			&in->buffer[in->filled[in->filled_first]];
		struct message message = { .event = EVENT_DEVICE_READY };

		if (buffer->length >= sizeof(message))
			memcpy(&message, buffer->memory.va, sizeof(message));
		buffer->used = buffer->length;
		(void)stream_read(console, in, NULL, 0);
		if (message.event != EVENT_PORT_ADD || message.port != PORT ||
		    console->is_port_open)
			continue;
		console->is_port_open = true;
		tell(console, EVENT_PORT_READY);
		tell(console, EVENT_PORT_OPEN);
	}
}

static bool streams_take(struct virtio_console *console,
			 struct virtio_console_stream *in,
			 struct virtio_console_stream *out)
{
	bool has_any = take(console, in, true) != 0;

	return take(console, out, false) != 0 || has_any;
}

/* False: something has come meanwhile. */
static bool streams_sleep(struct virtio_console_stream *in,
			  struct virtio_console_stream *out)
{
	bool may_sleep = virtqueue_sleep(&in->queue);

	return virtqueue_sleep(&out->queue) && may_sleep;
}

bool virtio_console_poll(struct virtio_console *console)
{
	bool has_any;

	if (!console->is_started)
		return false;
	if (!console->virtio.pci->vector_count)
		(void)virtio_pci_events(&console->virtio);
	has_any = streams_take(console, &console->in, &console->out);
	if (console->is_multiport) {
		has_any |= streams_take(console, &console->control_in,
					&console->control_out);
		messages_take(console);
	}
	if (!console->is_started || has_any)
		return true;
	return !streams_sleep(&console->in, &console->out) ||
	       (console->is_multiport &&
		!streams_sleep(&console->control_in, &console->control_out));
}

/* ---- Bytes --------------------------------------------------------------- */

size_t virtio_console_read(struct virtio_console *console, void *bytes,
			   size_t size)
{
	return stream_read(console, &console->in, bytes, size);
}

size_t virtio_console_send(struct virtio_console *console, const void *bytes,
			   size_t length)
{
	return stream_send(console, &console->out, bytes, length);
}
