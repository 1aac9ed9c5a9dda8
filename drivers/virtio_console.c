/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not there: more than one port in use, sizes of the terminal, emergency
 * writes.
 *
 * References: VIRTIO 1.2, "Console Device".
 */
#include "drivers/virtio_console.h"

#include "include/errno.h"
#include "include/virtio_console.h"
#include "lib/string.h"

#define F_MULTIPORT BIT(VIRTIO_CONSOLE_F_MULTIPORT)

#define VECTOR 0 /* one for all that happens */

/* The port that is used where there are several. */
#define PORT 1

static int fail(struct virtio_console *console, int error, const char *why)
{
	console->why = why ? why : "does not work";
	console->is_started = false;
	return error;
}

/* ---- Starting ------------------------------------------------------------ */

/* size: a power of two, at most a page. */
static int buffers_cut(struct virtio_console_stream *stream, uint32_t size,
		       struct dma_region *memory)
{
	int error = 0;

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

static void control_say(struct virtio_console *console, uint32_t port,
			uint16_t event, uint16_t value)
{
	const struct virtio_console_control message = { port, event, value };
	struct virtio_console_buffer *buffer;
	unsigned number = 0;

	buffer = home_find(&console->control_out, &number);
	if (!buffer) {
		(void)fail(console, -EPROTO, "does not take its answers");
		return;
	}
	memcpy(buffer->memory.va, &message, sizeof(message));
	give(console, &console->control_out, number, sizeof(message), false);
}

static int streams_start(struct virtio_console *console,
			 struct dma_region *memory)
{
	bool has_ports = console->has_ports;
	int error = stream_start(console, &console->in,
				 has_ports ? VIRTIO_CONSOLE_RECEIVE_1
					   : VIRTIO_CONSOLE_RECEIVE,
				 memory);

	if (!error)
		error = stream_start(console, &console->out,
				     has_ports ? VIRTIO_CONSOLE_TRANSMIT_1
					       : VIRTIO_CONSOLE_TRANSMIT,
				     memory);
	if (!error && has_ports)
		error = stream_start(console, &console->control_in,
				     VIRTIO_CONSOLE_CONTROL_RECEIVE, memory);
	if (!error && has_ports)
		error = stream_start(console, &console->control_out,
				     VIRTIO_CONSOLE_CONTROL_TRANSMIT, memory);
	return error;
}

static int buffers_start(struct virtio_console *console,
			 struct dma_region *memory)
{
	struct {
		struct virtio_console_stream *stream;
		uint32_t size;
	} rows[] = {
		{ &console->in, VIRTIO_CONSOLE_BUFFER },
		{ &console->out, VIRTIO_CONSOLE_BUFFER },
		{ &console->control_in, VIRTIO_CONSOLE_CONTROL },
		{ &console->control_out, VIRTIO_CONSOLE_CONTROL },
	};
	int error = 0;

	for (unsigned i = 0; !error && i < ARRAY_SIZE(rows); i++)
		error = buffers_cut(rows[i].stream, rows[i].size, memory);
	return error ? fail(console, error, "was given too little memory") : 0;
}

int virtio_console_start(struct virtio_console *console,
			 const struct pci_access *pci,
			 const struct dma_region *memory)
{
	struct virtio_pci *virtio = &console->virtio;
	struct dma_region left = *memory;
	int error;

	memset(console, 0, sizeof(*console));
	error = virtio_pci_probe(virtio, pci, VIRTIO_KIND_CONSOLE);
	if (!error)
		error = virtio_pci_reset(virtio);
	if (!error)
		error = virtio_pci_features(virtio,
					    VIRTIO_F_EVENT_IDX | F_MULTIPORT);
	if (error)
		return fail(console, error, virtio->why);
	console->has_ports = virtio->features & F_MULTIPORT;
	error = buffers_start(console, &left);
	if (!error)
		error = streams_start(console, &left);
	if (error)
		return error;
	if (virtio_pci_start(virtio))
		return fail(console, -EPROTO, virtio->why);
	console->is_started = true;
	for (unsigned i = 0; i < VIRTIO_CONSOLE_BUFFERS; i++) {
		give(console, &console->in, i, VIRTIO_CONSOLE_BUFFER, true);
		if (console->has_ports)
			give(console, &console->control_in, i,
			     VIRTIO_CONSOLE_CONTROL, true);
	}
	if (console->has_ports)
		control_say(console, 0, VIRTIO_CONSOLE_DEVICE_READY, true);
	return console->is_started ? 0 : -EPROTO;
}

/* ---- What comes back ----------------------------------------------------- */

/* A buffer that has come home, or NULL. */
static struct virtio_console_buffer *take(struct virtio_console *console,
					  struct virtio_console_stream *stream)
{
	struct virtio_console_buffer *buffer;
	struct virtqueue_used used;
	int n = virtqueue_take(&stream->queue, &used);

	if (n < 0)
		(void)fail(console, n, stream->queue.broken);
	if (n <= 0)
		return NULL;
	buffer = used.cookie;
	buffer->is_home = true;
	buffer->length = used.length;
	buffer->used = 0;
	return buffer;
}

static bool in_take(struct virtio_console *console)
{
	struct virtio_console_stream *in = &console->in;
	struct virtio_console_buffer *buffer;
	bool has_any = false;

	while ((buffer = take(console, in))) {
		unsigned at = console->filled_first + console->filled_count++;

		console->filled[at % VIRTIO_CONSOLE_BUFFERS] =
			(uint8_t)(buffer - in->buffer);
		has_any = true;
	}
	return has_any;
}

static bool out_take(struct virtio_console *console,
		     struct virtio_console_stream *out)
{
	bool has_any = false;

	while (take(console, out))
		has_any = true;
	return has_any;
}

static void control_heard(struct virtio_console *console,
			  const struct virtio_console_control *message)
{
	if (message->port != PORT)
		return;
	if (message->event == VIRTIO_CONSOLE_PORT_ADD) {
		control_say(console, PORT, VIRTIO_CONSOLE_PORT_READY, true);
		control_say(console, PORT, VIRTIO_CONSOLE_PORT_OPEN, true);
	} else if (message->event == VIRTIO_CONSOLE_PORT_REMOVE) {
		(void)fail(console, -ENODEV, "has taken its port away");
	}
}

/* As many as there are buffers at a time: the device may have more to say. */
static bool control_take(struct virtio_console *console)
{
	struct virtio_console_stream *in = &console->control_in;
	struct virtio_console_buffer *buffer;
	unsigned count = 0;

	(void)out_take(console, &console->control_out);
	while (count < VIRTIO_CONSOLE_BUFFERS && (buffer = take(console, in))) {
		struct virtio_console_control message;

		memcpy(&message, buffer->memory.va, sizeof(message));
		if (buffer->length >= sizeof(message))
			control_heard(console, &message);
		if (console->is_started)
			give(console, in, (unsigned)(buffer - in->buffer),
			     VIRTIO_CONSOLE_CONTROL, true);
		count++;
	}
	return count;
}

bool virtio_console_poll(struct virtio_console *console)
{
	bool has_any = false, may_sleep;

	if (!console->is_started)
		return false;
	if (!console->virtio.pci->vector_count)
		(void)virtio_pci_events(&console->virtio);
	if (console->has_ports)
		has_any |= control_take(console);
	has_any |= in_take(console);
	has_any |= out_take(console, &console->out);
	if (!console->is_started || has_any)
		return true;
	may_sleep = virtqueue_sleep(&console->in.queue);
	may_sleep &= virtqueue_sleep(&console->out.queue);
	if (console->has_ports)
		may_sleep &= virtqueue_sleep(&console->control_in.queue);
	return !may_sleep;
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

size_t virtio_console_send(struct virtio_console *console, const void *bytes,
			   size_t length)
{
	size_t done = 0;

	while (console->is_started && done < length) {
		unsigned number = 0;
		struct virtio_console_buffer *buffer =
			home_find(&console->out, &number);
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
