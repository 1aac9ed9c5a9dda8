/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio console: devices/virtio_console.h. */
#include "devices/virtio_console.h"

#include "devices/clear.h"
#include "devices/state.h"
#include "include/virtio_console.h"
#include "lib/string.h"

#define CLASS_COMMUNICATION_OTHER 0x0780

#define FEATURES                                                        \
	(BIT(VIRTIO_CONSOLE_F_SIZE) | BIT(VIRTIO_CONSOLE_F_MULTIPORT) | \
	 BIT(VIRTIO_CONSOLE_F_EMERG_WRITE))

/* What is owed of a port, told from the lowest on. */
#define OWE_ADD	    BIT(0)
#define OWE_CONSOLE BIT(1)
#define OWE_NAME    BIT(2)
#define OWE_OPEN    BIT(3)
#define OWE_SIZE    BIT(4)
#define OWE_ALL	    MASK(4, 0)

#define QUEUE_SIZE  64
#define INPUT_PIECE 512
#define RUN_CHAINS  VIRTIO_QUEUE_SIZE

static unsigned receive_queue(unsigned port)
{
	return port ? VIRTIO_CONSOLE_RECEIVE_1 + 2 * (port - 1)
		    : VIRTIO_CONSOLE_RECEIVE;
}

static unsigned transmit_queue(unsigned port)
{
	return receive_queue(port) + 1;
}

static bool has_ports(const struct virtio_console *console)
{
	return virtio_has(&console->virtio, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* A driver that knows of one port only has it open. */
static bool takes_input(const struct virtio_console *console, unsigned port)
{
	const struct virtio_console_port_config *config =
		&console->config.port[port];
	const struct virtio_console_port_state *state =
		&console->state.port[port];

	return config->input && (has_ports(console) ? state->is_open : !port) &&
	       (!config->is_second || state->has_spoken);
}

/* ---- One run ------------------------------------------------------------- */

static void run_begin(struct virtio_console *console)
{
	console->budget = VIRTIO_CONSOLE_RUN;
	console->chains = RUN_CHAINS;
}

static bool run_is_over(const struct virtio_console *console)
{
	return !console->budget || !console->chains;
}

/* A driver that broke a queue meanwhile gets nothing more. */
static bool goes_on(const struct virtio_console *console)
{
	return !run_is_over(console) && virtio_is_running(&console->virtio);
}

/* True: a chain, which counts. */
static bool take(struct virtio_console *console, unsigned queue,
		 struct virtio_chain *chain)
{
	if (run_is_over(console) ||
	    virtio_queue_take(&console->virtio, queue, chain) != 1)
		return false;
	console->chains--;
	return true;
}

static void run_end(struct virtio_console *console)
{
	if (run_is_over(console))
		clock_timer_arm(console->config.clock, &console->more,
				clock_now(console->config.clock) + 1);
}

/* ---- Output -------------------------------------------------------------- */

/* Of the chain, from state.sent on.  False: the run is over before its end. */
static bool send(struct virtio_console *console, unsigned number,
		 const struct virtio_chain *chain)
{
	const struct char_backend *to = &console->config.port[number].output;
	struct virtio_console_port_state *port = &console->state.port[number];
	uint32_t skip = port->sent;

	for (unsigned i = 0; i < chain->out_count; i++) {
		const struct virtio_segment *segment = &chain->segment[i];
		uint32_t length;

		if (skip >= segment->length) {
			skip -= segment->length;
			continue;
		}
		length = MIN(segment->length - skip, console->budget);
		if (!length)
			return false;
		to->write(to->ctx, segment->host + skip, length);
		console->budget -= length;
		port->sent += length;
		if (length < segment->length - skip)
			return false;
		skip = 0;
	}
	port->sent = 0;
	return true;
}

static void transmit(struct virtio_console *console, unsigned port)
{
	unsigned queue = transmit_queue(port);
	struct virtio_chain chain;

	do {
		while (take(console, queue, &chain)) {
			console->state.port[port].has_spoken = true;
			if (!send(console, port, &chain)) {
				virtio_queue_untake(&console->virtio, queue,
						    &chain);
				break;
			}
			virtio_queue_return(&console->virtio, &chain, 0);
		}
		virtio_queue_flush(&console->virtio, queue);
	} while (goes_on(console) &&
		 virtio_queue_watch(&console->virtio, queue, true));
}

/* ---- Input --------------------------------------------------------------- */

/* False: there is none for now. */
static bool fill(struct virtio_console *console, unsigned number,
		 const struct virtio_chain *chain)
{
	const struct virtio_console_port_config *port =
		&console->config.port[number];
	uint8_t bytes[INPUT_PIECE];
	uint32_t length = MIN(chain->in_length, (uint32_t)sizeof(bytes));

	if (length) {
		length = (uint32_t)port->input(port->output.ctx, bytes, length);
		if (!length)
			return false;
		(void)virtio_chain_write(chain, 0, bytes, length);
	}
	virtio_queue_return(&console->virtio, chain, length);
	return true;
}

static void receive(struct virtio_console *console, unsigned port)
{
	unsigned queue = receive_queue(port);
	struct virtio_chain chain;
	bool is_dry = false;

	if (!takes_input(console, port))
		return;
	do {
		while (!is_dry && take(console, queue, &chain)) {
			is_dry = !fill(console, port, &chain);
			if (is_dry)
				virtio_queue_untake(&console->virtio, queue,
						    &chain);
		}
		virtio_queue_flush(&console->virtio, queue);
		/* Input that waits wants the next buffer; else they lie there
		 * until there is some. */
	} while (goes_on(console) &&
		 virtio_queue_watch(&console->virtio, queue, !is_dry));
}

/* Input may wait for the first output. */
static void speak(struct virtio_console *console, unsigned port)
{
	bool has_spoken = console->state.port[port].has_spoken;

	transmit(console, port);
	if (!has_spoken)
		receive(console, port);
}

/* ---- Words about ports ----------------------------------------------------
 */

/* A message, and what goes behind it. */
struct message {
	struct virtio_console_control control;
	struct virtio_console_resize size;
	const void *rest;
	uint32_t rest_length;
};

/* The lowest that is owed. */
static void compose(struct virtio_console *console, unsigned number,
		    struct message *message)
{
	struct virtio_console_port_state *port = &console->state.port[number];
	struct virtio_console_control *control = &message->control;
	uint8_t what = port->owed & (uint8_t)-port->owed;

	port->owed &= (uint8_t)~what;
	*message =
		(struct message){ .control = { .port = number, .value = 1 } };
	switch (what) {
	case OWE_ADD:
		control->event = VIRTIO_CONSOLE_PORT_ADD;
		break;
	case OWE_CONSOLE:
		control->event = VIRTIO_CONSOLE_CONSOLE_PORT;
		break;
	case OWE_NAME:
		control->event = VIRTIO_CONSOLE_PORT_NAME;
		message->rest = console->config.port[number].name;
		message->rest_length = (uint32_t)strlen(message->rest);
		break;
	case OWE_SIZE:
		control->event = VIRTIO_CONSOLE_RESIZE;
		message->size =
			(struct virtio_console_resize){ console->state.columns,
							console->state.rows };
		message->rest = &message->size;
		message->rest_length = sizeof(message->size);
		break;
	default:
		control->event = VIRTIO_CONSOLE_PORT_OPEN;
		break;
	}
}

static void say(struct virtio_console *console, unsigned port,
		const struct virtio_chain *chain)
{
	struct message message;
	uint32_t length;

	compose(console, port, &message);
	length = sizeof(message.control) + message.rest_length;
	if (length > chain->in_length) {
		virtio_break(&console->virtio,
			     "a buffer is too short for a message");
		return;
	}
	(void)virtio_chain_write(chain, 0, &message.control,
				 sizeof(message.control));
	(void)virtio_chain_write(chain, sizeof(message.control), message.rest,
				 message.rest_length);
	virtio_queue_return(&console->virtio, chain, length);
}

/* Number of a port of which something is owed; or how many there are. */
static unsigned owing(const struct virtio_console *console)
{
	unsigned port = 0;

	while (port < console->config.port_count &&
	       !console->state.port[port].owed)
		port++;
	return port;
}

static void tell(struct virtio_console *console)
{
	const unsigned queue = VIRTIO_CONSOLE_CONTROL_RECEIVE;
	struct virtio_chain chain;
	unsigned port;

	if (!has_ports(console))
		return;
	do {
		while ((port = owing(console)) < console->config.port_count &&
		       take(console, queue, &chain))
			say(console, port, &chain);
		virtio_queue_flush(&console->virtio, queue);
		/* Those that are free are wanted once there is more to say. */
	} while (goes_on(console) &&
		 virtio_queue_watch(&console->virtio, queue,
				    port < console->config.port_count));
}

static void port_opened(struct virtio_console *console, unsigned port,
			bool is_now)
{
	console->state.port[port].is_open = is_now;
	receive(console, port);
}

static void size_owe(struct virtio_console *console)
{
	struct virtio_console_port_state *port = console->state.port;

	if (port->is_ready && console->state.columns &&
	    virtio_has(&console->virtio, VIRTIO_CONSOLE_F_SIZE))
		port->owed |= OWE_SIZE;
}

static void port_ready(struct virtio_console *console, unsigned number)
{
	struct virtio_console_port_state *port = &console->state.port[number];

	port->is_ready = true;
	port->owed |= console->config.port[number].name
			      ? OWE_NAME | OWE_OPEN
			      : OWE_CONSOLE | OWE_OPEN;
	size_owe(console);
}

static void heard(struct virtio_console *console,
		  const struct virtio_console_control *control)
{
	const struct virtio_console_config *config = &console->config;

	if (control->event == VIRTIO_CONSOLE_DEVICE_READY && control->value) {
		for (unsigned i = 0; i < config->port_count; i++)
			console->state.port[i].owed = OWE_ADD;
		return;
	}
	if (control->port >= config->port_count)
		return;
	if (control->event == VIRTIO_CONSOLE_PORT_READY && control->value)
		port_ready(console, control->port);
	else if (control->event == VIRTIO_CONSOLE_PORT_OPEN)
		port_opened(console, control->port, control->value);
}

static void listen(struct virtio_console *console)
{
	const unsigned queue = VIRTIO_CONSOLE_CONTROL_TRANSMIT;
	struct virtio_console_control control;
	struct virtio_chain chain;

	if (!has_ports(console))
		return;
	do {
		while (take(console, queue, &chain)) {
			if (virtio_chain_read(&chain, 0, &control,
					      sizeof(control)) ==
			    sizeof(control))
				heard(console, &control);
			virtio_queue_return(&console->virtio, &chain, 0);
		}
		virtio_queue_flush(&console->virtio, queue);
	} while (goes_on(console) &&
		 virtio_queue_watch(&console->virtio, queue, true));
	tell(console);
}

/* ---- What the driver does -------------------------------------------------
 */

static void run_all(void *opaque)
{
	struct virtio_console *console = opaque;

	if (!virtio_is_running(&console->virtio))
		return;
	run_begin(console);
	listen(console);
	for (unsigned i = 0; i < console->config.port_count; i++) {
		transmit(console, i);
		receive(console, i);
	}
	run_end(console);
}

static void notified(void *opaque, unsigned queue)
{
	struct virtio_console *console = opaque;
	unsigned pair = queue / 2;
	/* Pair 1 is that of control. */
	unsigned port = pair ? pair - 1 : 0;

	run_begin(console);
	if (queue == VIRTIO_CONSOLE_CONTROL_RECEIVE)
		tell(console);
	else if (queue == VIRTIO_CONSOLE_CONTROL_TRANSMIT)
		listen(console);
	else if (queue % 2)
		speak(console, port);
	else
		receive(console, port);
	run_end(console);
}

static void ports_forget(struct virtio_console *console)
{
	memset(console->state.port, 0, sizeof(console->state.port));
	clock_timer_disarm(console->config.clock, &console->more);
}

static void stopped(void *opaque)
{
	ports_forget(opaque);
}

static void queue_stopped(void *opaque, unsigned queue)
{
	struct virtio_console *console = opaque;

	for (unsigned i = 0; i < console->config.port_count; i++)
		if (queue == transmit_queue(i))
			console->state.port[i].sent = 0;
}

static void config_read(void *opaque, unsigned offset, void *to, unsigned size)
{
	const struct virtio_console *console = opaque;
	const struct virtio_console_layout layout = {
		.columns = console->state.columns,
		.rows = console->state.rows,
		.port_count = console->config.port_count,
	};

	memcpy(to, (const uint8_t *)&layout + offset, size);
}

/* A kernel that dies says why before it has any queue. */
static void config_write(void *opaque, unsigned offset, const void *from,
			 unsigned size)
{
	struct virtio_console *console = opaque;
	const struct char_backend *to = &console->config.port[0].output;

	if (offset == offsetof(struct virtio_console_layout, emergency) && size)
		to->write(to->ctx, from, 1);
}

static const struct virtio_ops ops = {
	.notified = notified,
	.started = run_all,
	.stopped = stopped,
	.queue_stopped = queue_stopped,
	.config_read = config_read,
	.config_write = config_write,
};

/* ---- The board's side -----------------------------------------------------
 */

void virtio_console_size(struct virtio_console *console, uint16_t columns,
			 uint16_t rows)
{
	console->state.columns = columns;
	console->state.rows = rows;
	virtio_config_changed(&console->virtio);
	if (!virtio_is_running(&console->virtio) || !has_ports(console))
		return;
	size_owe(console);
	run_begin(console);
	tell(console);
	run_end(console);
}

void virtio_console_input(struct virtio_console *console, unsigned port)
{
	if (port >= console->config.port_count ||
	    !virtio_is_running(&console->virtio))
		return;
	run_begin(console);
	receive(console, port);
	run_end(console);
}

bool virtio_console_has_spoken(const struct virtio_console *console,
			       unsigned port)
{
	return port < console->config.port_count &&
	       virtio_is_running(&console->virtio) &&
	       console->state.port[port].has_spoken;
}

/* ---- State ----------------------------------------------------------------
 */

static const struct state_field port_fields[] = {
	STATE_VALUE(struct virtio_console_port_state, sent),
	STATE_VALUE(struct virtio_console_port_state, owed, .max = OWE_ALL),
	STATE_VALUE(struct virtio_console_port_state, is_open),
	STATE_VALUE(struct virtio_console_port_state, has_spoken),
	STATE_VALUE(struct virtio_console_port_state, is_ready),
};

static const struct state_description port_description =
	STATE_DESCRIPTION(struct virtio_console_port_state, port_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct virtio_console_state, virtio, &virtio_description),
	STATE_VALUE(struct virtio_console_state, more_ns, .reset = CLOCK_NEVER),
	STATE_STRUCTS(struct virtio_console_state, port, &port_description),
	STATE_VALUE(struct virtio_console_state, columns, .flags = STATE_KEPT),
	STATE_VALUE(struct virtio_console_state, rows, .flags = STATE_KEPT),
	STATE_RESERVED(struct virtio_console_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct virtio_console_state, fields);

static void reset(void *opaque)
{
	struct virtio_console *console = opaque;

	virtio_reset(&console->virtio);
}

static void restored(void *opaque)
{
	struct virtio_console *console = opaque;

	virtio_restored(&console->virtio);
}

/* A console has no name to be told. */
static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct virtio_console *console = dev;
	const struct virtio_console_state *state = opaque;

	(void)now_ns;
	for (unsigned i = 0; i < VIRTIO_CONSOLE_PORTS; i++)
		if (state->port[i].owed & OWE_NAME &&
		    (i >= console->config.port_count ||
		     !console->config.port[i].name))
			return false;
	return virtio_is_valid(&console->virtio, &state->virtio);
}

const struct device_ops virtio_console_ops = {
	.name = "virtio_console",
	.version = 2,
	.state = &description,
	.reset = reset,
	.restored = restored,
	.is_valid = is_valid,
};

/* ---- Life -----------------------------------------------------------------
 */

int virtio_console_init(struct virtio_console *console,
			const struct virtio_console_config *config)
{
	const struct virtio_config virtio = {
		.ops = &ops,
		.dev = console,
		.pci = config->pci,
		.devfn = config->devfn,
		.ram = config->ram,
		.name = "virtio-console",
		.kind = VIRTIO_KIND_CONSOLE,
		.class = CLASS_COMMUNICATION_OTHER,
		.queue_count = (uint16_t)(2 + 2 * config->port_count),
		.queue_size = QUEUE_SIZE,
		.config_size = sizeof(struct virtio_console_layout),
		.features = FEATURES,
		.is_transitional = config->is_transitional,
		.log = config->log,
	};

	memory_clear(console, sizeof(*console));
	console->config = *config;
	device_init(&console->device, &virtio_console_ops, console,
		    &console->state);
	device_timer_init(&console->device, config->clock, &console->more,
			  run_all, console, &console->state.more_ns);
	return virtio_init(&console->virtio, &virtio, &console->state.virtio);
}
