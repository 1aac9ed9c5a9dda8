/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seat as init sees it: a domain that is started again when it ends, whom the
 * consoles belong to, and what is said by the channel between the two; see
 * include/seat.h, and init.h for the states.
 *
 * init keeps for each console what seat has yet to be told, and says it when
 * there is room.  The channel is made anew with each seat, so that nothing of
 * what one has done to it is the next one's trouble.  Of consoles the channels
 * stay, and guests do not notice.
 *
 * Nothing seat says is believed: what makes no sense, what was not asked for,
 * and no answer for a long while have the same end as a crash.
 */
#include "include/seat.h"
#include "include/errno.h"
#include "init/init.h"
#include "lib/printf.h"
#include "lib/string.h"

#define SEAT_PROGRAM "seat.elf"
#define QUOTA_PAGES  512
#define UART_PORT    0x3f8
#define UART_PORTS   8
#define UART_IRQ     4
#define CONTROL_SLOT 0 /* of init's own */
#define END_PROGRAM  0 /* of a channel: init's, or the console's owner's */
#define END_SEAT     1
#define ANSWER_NS    (10 * NSEC_PER_SEC)
#define MESSAGES_MAX 16 /* at a time */
#define INPUT_MAX    64
#define PRINT_MAX    128
#define CONSOLES     MANIFEST_GUESTS_MAX
_Static_assert(CONSOLES < GATE_CHANNELS_MAX, "a slot of seat's for each");

static unsigned slot_of(unsigned console)
{
	return console + SEAT_CONTROL_SLOT + 1;
}

static uint64_t now_ns(const struct init *init)
{
	return init->gate->now_ns(init->gate->ctx);
}

static bool has_domain(const struct seat *seat)
{
	return seat->state == SEAT_RUNNING || seat->state == SEAT_STOPPING;
}

/* It is stopped; the rest follows when it has ended. */
static void distrust(struct init *init, const char *why)
{
	struct seat *seat = &init->seat;

	if (seat->state != SEAT_RUNNING)
		return;
	init_log(init, seat->id, LOG_ERROR, "is stopped: %s", why);
	seat->state = SEAT_STOPPING;
	(void)init->gate->stop(init->gate->ctx, seat->id);
}

static void ring_bell(struct init *init)
{
	/* -EPIPE: it has ended, which will be seen. */
	(void)init->gate->doorbell(init->gate->ctx, CONTROL_SLOT);
}

/* ---- Consoles ------------------------------------------------------------ */

static void console_drop(struct init *init, struct console *console)
{
	(void)init->gate->channel_close(init->gate->ctx, console->channel);
	*console = (struct console){ 0 };
}

/* Of a guest that has ended: one seat more may show what is left of it. */
static void console_keep(struct init *init, struct console *console)
{
	const struct seat *seat = &init->seat;
	bool is_soon = init->state == HOST_RUNNING &&
		       seat->back_off.at_ns < now_ns(init) + ANSWER_NS;

	if (console->is_last_try || !is_soon) {
		console_drop(init, console);
		return;
	}
	console->is_last_try = true;
	console->state = CONSOLE_LEAVING;
}

static int console_attach(struct init *init, unsigned index)
{
	struct seat *seat = &init->seat;

	return (int)init->gate->channel_attach(
		init->gate->ctx, seat->console[index].channel, END_SEAT,
		seat->id, slot_of(index));
}

int console_open(struct init *init, unsigned guest, gate_id id,
		 const char *name)
{
	struct seat *seat = &init->seat;
	struct console *console = &seat->console[guest];
	long channel, error;

	if (seat->state == SEAT_NONE)
		return 0;
	channel =
		init->gate->channel_create(init->gate->ctx, SEAT_CONSOLE_PAGES);
	if (channel <= 0)
		return (int)channel;
	*console = (struct console){ .state = CONSOLE_ADDING,
				     .channel = (gate_id)channel,
				     .name = name };
	error = init->gate->channel_attach(init->gate->ctx, console->channel,
					   END_PROGRAM, id, SEAT_CONSOLE_SLOT);
	if (!error && seat->state == SEAT_RUNNING)
		error = console_attach(init, guest);
	/* seat has kept the slot, or has ended.  The next one gets it. */
	if (error == -EBUSY || error == -ENOENT) {
		distrust(init, "a console's slot is not free");
		error = 0;
	}
	if (error)
		console_drop(init, console);
	return (int)error;
}

bool console_close(struct init *init, unsigned guest)
{
	struct console *console = &init->seat.console[guest];

	if (console->state >= CONSOLE_LEAVING || console->state == CONSOLE_NONE)
		return console->state == CONSOLE_NONE;
	if (!has_domain(&init->seat)) {
		console_keep(init, console);
		return console->state == CONSOLE_NONE;
	}
	console->state = console->state == CONSOLE_OPEN ? CONSOLE_REMOVING
							: CONSOLE_LEAVING;
	console->deadline_ns = now_ns(init) + ANSWER_NS;
	return false;
}

static void consoles_check(struct init *init)
{
	for (unsigned i = 0; i < CONSOLES; i++) {
		const struct console *console = &init->seat.console[i];

		if (console->state >= CONSOLE_LEAVING &&
		    now_ns(init) >= console->deadline_ns)
			distrust(init, "it does not answer");
	}
}

/* ---- Said ---------------------------------------------------------------- */

/* False: no room now. */
static bool say(struct init *init, enum seat_message_kind kind, unsigned slot,
		const char *name, bool *bell)
{
	struct seat *seat = &init->seat;
	struct seat_message message = { .kind = kind, .slot = slot };
	long n;

	message.tag = seat->flush_tag;
	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	do {
		n = ring_put(&seat->to, &message, sizeof(message), bell);
	} while (!n && !ring_sleep(&seat->to));
	if (n < 0)
		distrust(init, "its ring is broken");
	return n > 0;
}

static bool console_say(struct init *init, unsigned index, bool *bell)
{
	struct console *console = &init->seat.console[index];
	unsigned slot = slot_of(index);

	if (console->state == CONSOLE_ADDING ||
	    console->state == CONSOLE_LEAVING) {
		if (!say(init, SEAT_ADD, slot, console->name, bell))
			return false;
		console->state = console->state == CONSOLE_ADDING
					 ? CONSOLE_OPEN
					 : CONSOLE_REMOVING;
	}
	if (console->state == CONSOLE_REMOVING) {
		if (!say(init, SEAT_REMOVE, slot, "", bell))
			return false;
		console->state = CONSOLE_REMOVED;
	}
	return true;
}

void seat_send(struct init *init)
{
	struct seat *seat = &init->seat;
	bool bell = false, has_room = true;

	if (seat->state != SEAT_RUNNING)
		return;
	for (unsigned i = 0; has_room && i < CONSOLES; i++)
		has_room = console_say(init, i, &bell);
	if (has_room && seat->flush == FLUSH_WANTED &&
	    say(init, SEAT_FLUSH, 0, "", &bell))
		seat->flush = FLUSH_SENT;
	if (bell)
		ring_bell(init);
}

bool seat_flush(struct init *init)
{
	struct seat *seat = &init->seat;

	if (!has_domain(seat) || seat->flush == FLUSH_DONE)
		return true;
	if (seat->flush == FLUSH_NONE) {
		seat->flush = FLUSH_WANTED;
		seat->flush_tag++;
	}
	return false;
}

void operator_print(struct init *init, const char *format, ...)
{
	struct seat *seat = &init->seat;
	char text[PRINT_MAX];
	bool bell = false;
	va_list args;
	int length;

	if (seat->state != SEAT_RUNNING)
		return;
	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = MIN(length, (int)sizeof(text) - 1);
	if (ring_space(&seat->output) >= length &&
	    ring_write(&seat->output, text, (uint32_t)length, &bell) < 0)
		distrust(init, "its ring is broken");
	if (bell)
		ring_bell(init);
}

/* ---- Heard --------------------------------------------------------------- */

static void heard(struct init *init, const struct seat_message *message)
{
	struct seat *seat = &init->seat;
	unsigned index = message->slot - slot_of(0);

	if (message->kind == SEAT_REMOVED && index < CONSOLES &&
	    seat->console[index].state == CONSOLE_REMOVED)
		console_drop(init, &seat->console[index]);
	else if (message->kind == SEAT_FLUSHED && seat->flush == FLUSH_SENT &&
		 message->tag == seat->flush_tag)
		seat->flush = FLUSH_DONE;
	else
		distrust(init, "it answers what was not asked");
}

static void hear(struct init *init, bool *bell)
{
	struct seat *seat = &init->seat;
	struct seat_message message;
	long n = 1;

	for (unsigned i = 0; n > 0 && i < MESSAGES_MAX; i++) {
		n = ring_get(&seat->from, &message, sizeof(message), bell);
		if (n == (long)sizeof(message))
			heard(init, &message);
		else if (n)
			distrust(init, "it says what nobody understands");
		if (seat->state != SEAT_RUNNING)
			return;
	}
	if (n || !ring_sleep(&seat->from))
		seat->is_again = true;
}

/* A piece at a time: who types without end waits for init's other work. */
static void hear_operator(struct init *init, bool *bell)
{
	struct seat *seat = &init->seat;
	char bytes[INPUT_MAX];
	long n = ring_read(&seat->input, bytes, sizeof(bytes), bell);

	if (n < 0) {
		distrust(init, "its ring is broken");
		return;
	}
	operator_input(init, bytes, (size_t)n);
	if (n || !ring_sleep(&seat->input))
		seat->is_again = true;
}

/* ---- Its life ------------------------------------------------------------ */

static void rings_init(struct seat *seat, struct seat_control *memory)
{
	struct seat_console *operator= & memory->operator;

	ring_init(&seat->to, &memory->to_seat, memory->to_seat_data,
		  SEAT_CONTROL_SIZE, true, false);
	ring_init(&seat->from, &memory->from_seat, memory->from_seat_data,
		  SEAT_CONTROL_SIZE, false, false);
	ring_init(&seat->output, &operator->output, operator->output_data,
		  SEAT_OUTPUT_SIZE, true, false);
	ring_init(&seat->input, &operator->input, operator->input_data,
		  SEAT_INPUT_SIZE, false, false);
}

static int connect(struct init *init)
{
	const struct init_gate *gate = init->gate;
	struct seat *seat = &init->seat;
	long error = gate->channel_create(gate->ctx, SEAT_CONTROL_PAGES);

	if (error <= 0)
		return (int)error;
	seat->channel = (gate_id)error;
	error = gate->channel_attach(gate->ctx, seat->channel, END_PROGRAM,
				     GATE_SELF, CONTROL_SLOT);
	if (!error)
		error = gate->channel_attach(gate->ctx, seat->channel, END_SEAT,
					     seat->id, SEAT_CONTROL_SLOT);
	if (!error)
		rings_init(seat, gate->channel_memory(gate->ctx, CONTROL_SLOT));
	for (unsigned i = 0; !error && i < CONSOLES; i++)
		if (seat->console[i].state != CONSOLE_NONE)
			error = console_attach(init, i);
	return (int)error;
}

/* Its domain, not running, and the channel; whatever of them there is. */
static void unmake(struct init *init)
{
	const struct init_gate *gate = init->gate;
	struct seat *seat = &init->seat;

	if (seat->id)
		(void)gate->destroy(gate->ctx, seat->id);
	if (seat->channel) {
		(void)gate->channel_detach(gate->ctx, CONTROL_SLOT);
		(void)gate->channel_close(gate->ctx, seat->channel);
	}
	seat->id = seat->channel = 0;
}

static int make(struct init *init)
{
	const struct gate_domain_spec spec = {
		.name = "seat",
		.rights = GATE_RIGHT_LOG,
		.quota_pages = QUOTA_PAGES,
		.thread_count = 1,
		.port = { { UART_PORT, UART_PORTS } },
		.irq = { UART_IRQ },
	};
	struct seat *seat = &init->seat;
	long error = init->gate->create(init->gate->ctx, &spec);
	uint64_t entry = 0;

	if (error <= 0)
		return (int)error;
	seat->id = (gate_id)error;
	error = program_load(init, seat->id, SEAT_PROGRAM, &entry);
	if (!error)
		error = connect(init);
	if (!error)
		error = init->gate->start(init->gate->ctx, seat->id, entry);
	return (int)error;
}

static void wait_for_next(struct init *init)
{
	struct seat *seat = &init->seat;

	seat->state = SEAT_WAITING;
	if (!back_off_next(&seat->back_off, now_ns(init)))
		init_log(init, 0, LOG_ERROR,
			 "seat: started again %u times in a row; next in a "
			 "minute",
			 BACK_OFF_MAX);
}

/* The next one has to know them all. */
static void consoles_pass_on(struct init *init)
{
	for (unsigned i = 0; i < CONSOLES; i++) {
		struct console *console = &init->seat.console[i];

		if (console->state >= CONSOLE_LEAVING)
			console_keep(init, console);
		else if (console->state == CONSOLE_OPEN)
			console->state = CONSOLE_ADDING;
	}
}

static void try_start(struct init *init)
{
	struct seat *seat = &init->seat;
	int error = make(init);

	if (error) {
		init_log(init, 0, LOG_ERROR, "seat cannot be started: %d",
			 error);
		unmake(init);
		wait_for_next(init);
		consoles_pass_on(init);
		return;
	}
	seat->state = SEAT_RUNNING;
	seat->back_off.started_ns = now_ns(init);
	for (unsigned i = 0; i < CONSOLES; i++)
		seat->console[i].deadline_ns = now_ns(init) + ANSWER_NS;
}

static void seat_ended(struct init *init,
		       const struct gate_domain_status *status)
{
	struct seat *seat = &init->seat;

	init_log(init, seat->id, LOG_ERROR,
		 "has ended: reason %u, code %lu, vector %u at %lx",
		 status->end, status->code, status->vector, status->rip);
	report_end(init, seat->id, status);
	unmake(init);
	seat->is_again = false;
	wait_for_next(init);
	consoles_pass_on(init);
}

void seat_init(struct init *init)
{
	if (init_module_find(init->info, SEAT_PROGRAM) >= 0)
		try_start(init);
}

void seat_run(struct init *init)
{
	struct seat *seat = &init->seat;
	struct gate_domain_status status;
	bool bell = false;

	if (has_domain(seat) &&
	    !init->gate->query(init->gate->ctx, seat->id, &status) &&
	    status.state == GATE_DOMAIN_ENDED)
		seat_ended(init, &status);
	if (seat->state == SEAT_WAITING && init->state == HOST_RUNNING &&
	    now_ns(init) >= seat->back_off.at_ns)
		try_start(init);
	if (seat->state != SEAT_RUNNING)
		return;
	seat->is_again = false;
	hear(init, &bell);
	if (seat->state == SEAT_RUNNING)
		hear_operator(init, &bell);
	if (seat->state == SEAT_RUNNING)
		consoles_check(init);
	if (bell)
		ring_bell(init);
}

uint64_t seat_deadline(const struct init *init)
{
	const struct seat *seat = &init->seat;
	uint64_t next_ns = UINT64_MAX;

	if (seat->state == SEAT_WAITING)
		return seat->back_off.at_ns;
	if (seat->state != SEAT_RUNNING)
		return UINT64_MAX;
	for (unsigned i = 0; i < CONSOLES; i++)
		if (seat->console[i].state >= CONSOLE_LEAVING)
			next_ns = MIN(next_ns, seat->console[i].deadline_ns);
	return seat->is_again ? now_ns(init) : next_ns;
}
