/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: who may write what to the serial port, and who gets its input.
 *
 * Output's way: writers copy into a ring and return.  Whenever console->text is
 * out, compose() fills it from one of the rings, a row or so at a time; pump()
 * hands it to the UART as far as that has room, and a timer that goes off when
 * a FIFO's worth is out looks after the rest.  A timer and not the
 * transmitter's interrupt: it needs no I/O APIC, shares no edge with the
 * receiver's, and interrupts the CPU whose guest wrote.  So the lock is held,
 * and interrupts are off, for PUMP_MAX bytes and TURNS_MAX turns at most.
 *
 * Turns: the log's lines come first, but after each of them a guest has its
 * turn, and guests have theirs one after the other.  With N that write without
 * end, each waits for N rows and as many lines of the log.  A guest whose ring
 * is full waits with its thread blocked.
 *
 * Locking: everything here is under console->lock; the run queues' and timers'
 * locks are taken inside it.
 */
#include "kernel/console.h"

#include "kernel/sched.h"
#include "include/errno.h"
#include "include/log.h"
#include "lib/printf.h"
#include "lib/string.h"

#define FOCUS_KEY	0x1d /* Ctrl-] */
#define POLL_PERIOD_NS	(10 * NSEC_PER_MS)
#define PROMPT_DELAY_NS (50 * NSEC_PER_MS)
/* 16 characters of ten bits at 115,200 baud: 1.39 ms. */
#define DRAIN_PERIOD_NS (1400 * NSEC_PER_US)
/* So many ticks without a byte gone: 1 s. */
#define STUCK_TICKS	(NSEC_PER_SEC / DRAIN_PERIOD_NS)

#define PUMP_MAX     64
#define TURNS_MAX    4
#define RAW_MAX	     128 /* bytes of one that is alone, at a time */
#define LOG_LINE_MAX 256
#define WAKE_ROOM    256
/* A row is full or ends soon: no need to wait for its newline. */
#define ROW_READY    TERMINAL_COLUMNS

/* ECMA-48's CAN and ST end any sequence; RIS: as after power-on. */
#define TERMINAL_ABORT "\x18\x1b\\"
#define TERMINAL_RESET \
	"\x1b"         \
	"c"

struct waiter {
	struct list link;
	struct thread *thread;
};

static void prompt_show(void *ctx);
static void drain_expired(void *ctx);

void console_init(struct console *console, uint16_t port)
{
	memset(console, 0, sizeof(*console));
	console->log_level = LOG_INFO;
	console->is_direct = true;
	console->prompt.fn = prompt_show;
	console->prompt.ctx = console;
	console->drain.fn = drain_expired;
	console->drain.ctx = console;
	list_init(&console->log_waiters);
	/* Without a port everything still works, unseen. */
	if (uart_init(&console->uart, port))
		console->uart.port = 0;
}

/* ---- Rings ------------------------------------------------------------- */

static uint32_t ring_used(const struct console_ring *ring)
{
	return ring->head - ring->tail;
}

static bool log_is_full(const struct console *console)
{
	return ring_used(&console->log) > CONSOLE_LOG / 2 &&
	       !console->is_stuck && !console->is_direct;
}

static void ring_push(struct console_ring *ring, char *bytes, uint32_t size,
		      const char *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[ring->head++ % size] = from[i];
}

static uint32_t guest_room(const struct console_guest *guest)
{
	uint32_t used = ring_used(&guest->out);
	uint32_t limit = CONSOLE_RING - CONSOLE_RESERVE;

	return used < limit ? limit - used : 0;
}

static void guest_push(struct console_guest *guest, const char *bytes,
		       size_t length)
{
	ring_push(&guest->out, guest->ring, CONSOLE_RING, bytes, length);
	for (size_t i = 0; i < length; i++)
		guest->newlines += bytes[i] == '\n';
}

/* The thread takes itself off the list if something else wakes it. */
static void waiters_wake(struct list *waiters)
{
	while (!list_is_empty(waiters)) {
		struct waiter *waiter =
			list_entry(waiters->next, struct waiter, link);

		list_remove(&waiter->link);
		thread_wake(waiter->thread);
	}
}

static bool notice_push(struct console_guest *guest, const char *text,
			size_t length)
{
	if (!guest->is_attached || !ring_used(&guest->out) ||
	    guest->notice_count == CONSOLE_NOTICES ||
	    CONSOLE_RING - ring_used(&guest->out) < length)
		return false;
	guest->notice[guest->notice_count].at = guest->out.head;
	guest->notice[guest->notice_count++].length = (uint32_t)length;
	ring_push(&guest->out, guest->ring, CONSOLE_RING, text, length);
	return true;
}

static void log_push(struct console *console, const char *text, size_t length)
{
	uint32_t room = CONSOLE_LOG - ring_used(&console->log);
	char lost[64];
	int n;

	console->straight = NULL;
	if (console->log_lost && room >= length + sizeof(lost)) {
		n = snprintf(lost, sizeof(lost),
			     "--- %u lines of the log were lost ---\n",
			     console->log_lost);
		ring_push(&console->log, console->log_ring, CONSOLE_LOG, lost,
			  (size_t)n);
		console->log_lost = 0;
	}
	if (room < length)
		console->log_lost++;
	else
		ring_push(&console->log, console->log_ring, CONSOLE_LOG, text,
			  length);
}

/* ---- Composing rows ---------------------------------------------------- */

static void put(struct console *console, const char *text, size_t length)
{
	length = MIN(length, sizeof(console->text) - console->length);
	if (!length)
		return;
	memcpy(console->text + console->length, text, length);
	console->length += (uint32_t)length;
	console->is_mid_row = text[length - 1] != '\n';
}

/* Leaves the row that the cursor is in, and what a guest alone made of the
 * terminal. */
static void row_end(struct console *console)
{
	if (console->is_reset_due || console->raw.escape != ESCAPE_NONE) {
		put(console, TERMINAL_ABORT, sizeof(TERMINAL_ABORT) - 1);
		console->raw.escape = ESCAPE_NONE;
	}
	if (console->is_reset_due) {
		put(console, TERMINAL_RESET, sizeof(TERMINAL_RESET) - 1);
		console->is_mid_row = console->is_reset_due = false;
	}
	if (console->is_mid_row)
		put(console, "\r\n", 2);
	if (console->open_guest)
		terminal_begin_row(&console->open_guest->terminal);
	console->open_guest = NULL;
}

/* A line of the monitor's; how many bytes of the ring it was. */
static uint32_t line_compose(struct console *console, struct console_ring *ring,
			     const char *bytes, uint32_t size, uint32_t limit)
{
	uint32_t n = 0;
	char byte = 0;

	row_end(console);
	while (byte != '\n' && n < limit && n < LOG_LINE_MAX) {
		byte = bytes[(ring->tail + n++) % size];
		if (byte == '\n')
			put(console, "\r", 1);
		put(console, &byte, 1);
	}
	ring->tail += n;
	return n;
}

static void notice_compose(struct console *console, struct console_guest *guest)
{
	struct console_notice *notice = guest->notice;
	uint32_t n = line_compose(console, &guest->out, guest->ring,
				  CONSOLE_RING, notice->length);

	notice->at += n;
	notice->length -= n;
	if (!notice->length)
		memmove(notice, notice + 1,
			--guest->notice_count * sizeof(*notice));
}

/* ---- A guest that is alone --------------------------------------------- */

static void raw_follow(struct console *console, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)bytes[i];

		if (byte >= ' ' && byte <= '~' &&
		    console->raw.escape == ESCAPE_NONE)
			continue;
		if (terminal_follow(&console->raw, byte))
			console->is_touched = true;
	}
}

static void raw_compose(struct console *console, struct console_guest *guest,
			uint32_t end)
{
	uint32_t n = MIN(end - guest->out.tail, RAW_MAX), start;

	if (console->open_guest != guest)
		row_end(console);
	console->open_guest = guest;
	start = console->length;
	for (uint32_t i = 0; i < n; i++) {
		char byte = guest->ring[guest->out.tail++ % CONSOLE_RING];

		guest->newlines -= byte == '\n';
		put(console, &byte, 1);
	}
	raw_follow(console, console->text + start, console->length - start);
}

/* The short way.  How many bytes went. */
static size_t raw_send(struct console *console, const char *bytes,
		       size_t length)
{
	size_t n = uart_send(&console->uart, bytes, length);

	if (likely(n)) {
		raw_follow(console, bytes, n);
		console->is_mid_row = bytes[n - 1] != '\n';
	}
	return n;
}

/* ---- Guests that share ------------------------------------------------- */

static void tag_put(struct console *console, struct console_guest *guest)
{
	put(console, "[", 1);
	put(console, guest->name, strlen(guest->name));
	put(console, guest->is_continued ? "]+" : "] ", 2);
}

static void row_begin(struct console *console, struct console_guest *guest)
{
	if (console->open_guest == guest)
		return;
	row_end(console);
	guest->is_continued = guest->is_mid_line;
	guest->is_mid_line = true;
	tag_put(console, guest);
	console->open_guest = guest;
}

static void row_newline(struct console *console, struct console_guest *guest)
{
	/* What ended with its row already needs no empty one. */
	if (console->open_guest == guest || !guest->is_mid_line) {
		row_begin(console, guest);
		row_end(console);
	}
	guest->is_mid_line = false;
}

/* One byte of the guest's; false: the turn is over. */
static bool row_add(struct console *console, struct console_guest *guest)
{
	uint8_t byte = (uint8_t)guest->ring[guest->out.tail % CONSOLE_RING];
	unsigned columns = TERMINAL_COLUMNS - 1 -
			   (unsigned)(strlen(guest->name) + strlen("[] "));
	struct terminal_bytes bytes;

	switch (terminal_filter(&guest->terminal, byte, columns, &bytes)) {
	case TERMINAL_PUT:
		if (bytes.length) {
			row_begin(console, guest);
			put(console, bytes.text, bytes.length);
		}
		guest->out.tail++;
		return true;
	case TERMINAL_NEWLINE:
		row_newline(console, guest);
		guest->newlines--;
		guest->out.tail++;
		return false;
	case TERMINAL_FULL:
		row_end(console);
		return false;
	case TERMINAL_RETURN:
		put(console, "\r", 1);
		tag_put(console, guest);
		terminal_begin_row(&guest->terminal);
		return true;
	}
	return false;
}

static void rows_compose(struct console *console, struct console_guest *guest,
			 uint32_t end)
{
	unsigned n = 0;

	while (guest->out.tail != end && n++ < CONSOLE_LINE_MAX &&
	       console->length < CONSOLE_LINE_MAX)
		if (!row_add(console, guest))
			return;
}

/* ---- Turns ------------------------------------------------------------- */

/* It has something to show: not just the beginning of a line. */
static bool guest_is_ready(const struct console *console,
			   const struct console_guest *guest)
{
	uint32_t used = ring_used(&guest->out);

	return used &&
	       (guest->newlines || guest->is_due || guest->notice_count ||
		used >= ROW_READY || console->open_guest == guest ||
		console->guest_count == 1);
}

/* Shown soon unless its newline comes. */
static void prompt_expect(struct console *console)
{
	if (console->is_prompt_expected)
		return;
	console->is_prompt_expected = true;
	timer_arm(&console->prompt,
		  time_now_tsc() + time_ns_to_tsc(PROMPT_DELAY_NS));
}

static void guest_compose(struct console *console, struct console_guest *guest)
{
	bool has_notice = guest->notice_count;
	uint32_t end = has_notice ? guest->notice[0].at : guest->out.head;

	if (has_notice && guest->out.tail == end)
		notice_compose(console, guest);
	else if (console->guest_count == 1)
		raw_compose(console, guest, end);
	else
		rows_compose(console, guest, end);
	if (!ring_used(&guest->out))
		guest->is_due = false;
	if (guest_room(guest) >= WAKE_ROOM)
		waiters_wake(&guest->waiters);
}

/* Whose turn it is; what is held back meanwhile shows soon. */
static struct console_guest *guest_next(struct console *console)
{
	bool is_held = false;

	for (unsigned i = 0; i < console->guest_count; i++) {
		unsigned at = (console->turn + i) % console->guest_count;

		if (guest_is_ready(console, console->guest[at])) {
			console->turn = at + 1;
			return console->guest[at];
		}
		is_held |= ring_used(&console->guest[at]->out) != 0;
	}
	if (is_held)
		prompt_expect(console);
	return NULL;
}

/* The next row or so into console->text, maybe empty; false: nothing waits. */
static bool compose(struct console *console)
{
	bool has_log = ring_used(&console->log);
	struct console_guest *guest = NULL;

	console->sent = console->length = 0;
	if (!console->is_panic && (!has_log || console->is_log_served))
		guest = guest_next(console);
	console->is_log_served = !guest && has_log;
	if (guest)
		guest_compose(console, guest);
	else if (has_log)
		(void)line_compose(console, &console->log, console->log_ring,
				   CONSOLE_LOG, ring_used(&console->log));
	return guest || has_log;
}

/* ---- Going out --------------------------------------------------------- */

static void flush(struct console *console)
{
	do {
		uart_write(&console->uart, console->text + console->sent,
			   console->length - console->sent);
	} while (compose(console));
}

/* Nobody reads at the other end: nobody shall wait for it. */
static void discard(struct console *console)
{
	console->sent = console->length = 0;
	console->log.tail = console->log.head;
	for (unsigned i = 0; i < console->guest_count; i++) {
		struct console_guest *guest = console->guest[i];

		guest->out.tail = guest->out.head;
		guest->newlines = guest->notice_count = 0;
		guest->is_due = false;
		waiters_wake(&guest->waiters);
	}
}

/* Nothing waits. */
static void straight_find(struct console *console)
{
	struct console_guest *first = console->guest[0];

	if (console->guest_count == 1 && console->open_guest == first)
		console->straight = first;
}

static void pump(struct console *console)
{
	unsigned left = PUMP_MAX, turns = TURNS_MAX;

	while (left) {
		size_t n;

		if (console->sent == console->length) {
			if (!turns--)
				break;
			if (!compose(console)) {
				straight_find(console);
				return;
			}
			continue;
		}
		n = uart_send(&console->uart, console->text + console->sent,
			      MIN(console->length - console->sent, left));
		if (!n)
			break;
		console->sent += (uint32_t)n;
		left -= (unsigned)n;
		console->idle_ticks = 0;
		console->is_stuck = false;
	}
	if (console->is_stuck || console->idle_ticks == STUCK_TICKS) {
		console->is_stuck = true;
		discard(console);
		return;
	}
	console->is_draining = true;
	timer_arm(&console->drain,
		  time_now_tsc() + time_ns_to_tsc(DRAIN_PERIOD_NS));
}

/* Something was added. */
static void update(struct console *console)
{
	if (console->is_direct)
		flush(console);
	else if (console->reader)
		console->reader(console->reader_ctx);
	else if (!console->is_draining)
		pump(console);
}

void console_log_room(struct console *console)
{
	if (!log_is_full(console))
		waiters_wake(&console->log_waiters);
}

static void drain_expired(void *ctx)
{
	struct console *console = ctx;
	uint64_t flags = spin_lock_irqsave(&console->lock);

	console->is_draining = false;
	console->idle_ticks++;
	update(console);
	console_log_room(console);
	spin_unlock_irqrestore(&console->lock, flags);
}

/* Unfinished lines come out; the focused guest's last, where input echoes. */
static void prompt_show(void *ctx)
{
	struct console *console = ctx;
	uint64_t before = time_now_tsc() - time_ns_to_tsc(PROMPT_DELAY_NS);
	uint64_t flags = spin_lock_irqsave(&console->lock);

	console->is_prompt_expected = false;
	for (unsigned i = 0; i < console->guest_count; i++) {
		struct console_guest *guest = console->guest[i];

		if (ring_used(&guest->out) && guest->held_tsc <= before)
			guest->is_due = true;
	}
	console->turn = console->focus + 1;
	update(console);
	spin_unlock_irqrestore(&console->lock, flags);
}

/* ---- Writers ----------------------------------------------------------- */

void console_print(struct console *console, struct console_guest *guest,
		   const char *text, size_t length)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	if (!guest || console->is_direct || !notice_push(guest, text, length))
		log_push(console, text, length);
	update(console);
	spin_unlock_irqrestore(&console->lock, flags);
}

/* A line's beginning: shown when nothing has followed for a moment. */
static void guest_hold(struct console *console, struct console_guest *guest)
{
	guest->held_tsc = time_now_tsc();
	prompt_expect(console);
}

/* The long way; how many bytes there was room for. */
static __noinline size_t guest_write(struct console *console,
				     struct console_guest *guest,
				     const char *bytes, size_t length)
{
	size_t n = MIN(length, guest_room(guest));

	if (!guest->is_attached || console->reader)
		return length;
	if (!n)
		return 0;
	console->straight = NULL;
	guest_push(guest, bytes, n);
	if (guest_is_ready(console, guest))
		update(console);
	else
		guest_hold(console, guest);
	return n;
}

size_t console_write(struct console *console, struct console_guest *guest,
		     const char *bytes, size_t length)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);
	size_t n = 0;

	if (likely(console->straight == guest))
		n = raw_send(console, bytes, length);
	if (n != length)
		n += guest_write(console, guest, bytes + n, length - n);
	spin_unlock_irqrestore(&console->lock, flags);
	return n;
}

/* With the lock held, which is let go and taken again. */
static void wait(struct console *console, struct list *waiters,
		 struct thread *self, uint64_t *flags)
{
	struct waiter waiter = { .thread = self };

	list_insert(waiters, &waiter.link);
	spin_unlock_irqrestore(&console->lock, *flags);
	thread_block();
	*flags = spin_lock_irqsave(&console->lock);
	list_remove(&waiter.link);
}

void console_wait(struct console *console, struct console_guest *guest,
		  struct thread *self)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	if (guest_room(guest) < WAKE_ROOM)
		wait(console, &guest->waiters, self, &flags);
	spin_unlock_irqrestore(&console->lock, flags);
}

void console_wait_log(struct console *console, struct thread *self)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	while (log_is_full(console))
		wait(console, &console->log_waiters, self, &flags);
	spin_unlock_irqrestore(&console->lock, flags);
}

void console_start(struct console *console)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	console->is_direct = false;
	spin_unlock_irqrestore(&console->lock, flags);
}

void console_flush(struct console *console)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	for (unsigned i = 0; i < console->guest_count && !console->is_panic;
	     i++)
		console->guest[i]->is_due = true;
	console->is_direct = true;
	console->straight = NULL;
	flush(console);
	uart_flush(&console->uart);
	spin_unlock_irqrestore(&console->lock, flags);
}

/* Whatever another CPU was in the middle of, the indices stay in bounds. */
void console_break_lock(struct console *console)
{
	console->lock = (struct spinlock)SPINLOCK_INIT;
	console->log_level = LOG_DEBUG;
	console->is_direct = console->is_panic = true;
	if (console->length > sizeof(console->text) ||
	    console->sent > console->length)
		console->sent = console->length = 0;
	if (ring_used(&console->log) > CONSOLE_LOG)
		console->log.tail = console->log.head;
}

/* ---- Guests ------------------------------------------------------------ */

/* The first guest is alone no longer: what it did to the terminal ends. */
static void share_begin(struct console *console)
{
	struct console_guest *first = console->guest[0];

	first->terminal = (struct terminal){ .escape = console->raw.escape };
	first->is_mid_line =
		console->open_guest == first && console->is_mid_row;
	console->open_guest = NULL;
	console->is_reset_due = console->is_touched;
	console->is_touched = false;
}

int console_add_guest(struct console *console, struct console_guest *guest)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);
	int error = -ENOSPC;

	list_init(&guest->waiters);
	if (console->guest_count < CONSOLE_GUESTS_MAX) {
		guest->is_attached = true;
		console->straight = NULL;
		console->guest[console->guest_count++] = guest;
		if (console->guest_count == 2)
			share_begin(console);
		error = 0;
	}
	spin_unlock_irqrestore(&console->lock, flags);
	return error;
}

static void guest_detach(struct console *console, struct console_guest *guest)
{
	unsigned i = 0;

	guest->is_attached = false;
	console->straight = NULL;
	if (console->open_guest == guest)
		console->open_guest = NULL;
	while (console->guest[i] != guest)
		i++;
	console->guest_count--;
	memmove(&console->guest[i], &console->guest[i + 1],
		(console->guest_count - i) * sizeof(guest));
	if (console->focus > i || console->focus >= console->guest_count)
		console->focus = console->focus ? console->focus - 1 : 0;
	if (console->turn > i)
		console->turn--;
}

void console_remove_guest(struct console *console, struct console_guest *guest,
			  struct thread *self)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	while (guest->is_attached) {
		guest->is_due = true;
		update(console);
		if (ring_used(&guest->out))
			wait(console, &guest->waiters, self, &flags);
		else
			guest_detach(console, guest);
	}
	/* Who is left alone shows all it has from now on. */
	update(console);
	spin_unlock_irqrestore(&console->lock, flags);
}

/* ---- Input ------------------------------------------------------------- */

static void focus_next(struct console *console)
{
	struct console_guest *guest;
	char text[64];
	int n;

	console->focus = (console->focus + 1) % console->guest_count;
	guest = console->guest[console->focus];
	n = snprintf(text, sizeof(text), "--- input goes to %s ---\n",
		     guest->name);
	log_push(console, text, (size_t)n);
	guest->is_due = ring_used(&guest->out);
	update(console);
}

/* With the lock held, so that the guest cannot be removed meanwhile. */
static void input_deliver(struct console *console, uint8_t byte)
{
	struct console_guest *guest = console->guest[console->focus];

	if (byte == FOCUS_KEY && console->guest_count > 1)
		focus_next(console);
	else
		guest->input(guest->ctx, byte);
}

/* The next byte that has somewhere to go, or -1. */
static int input_next(struct console *console)
{
	const struct console_guest *only = console->guest[0];

	if (console->reader ||
	    (console->guest_count == 1 && !only->has_room(only->ctx)))
		return -1;
	return uart_read(&console->uart);
}

void console_poll_input(struct console *console)
{
	for (;;) {
		uint64_t flags = spin_lock_irqsave(&console->lock);
		int byte = input_next(console);

		if (byte >= 0 && console->guest_count)
			input_deliver(console, (uint8_t)byte);
		spin_unlock_irqrestore(&console->lock, flags);
		if (byte < 0)
			return;
	}
}

static void poll_expired(void *ctx)
{
	struct console *console = ctx;

	console_poll_input(console);
	console_poll_start(console);
}

void console_poll_start(struct console *console)
{
	console->poll.fn = poll_expired;
	console->poll.ctx = console;
	timer_arm(&console->poll,
		  time_now_tsc() + time_ns_to_tsc(POLL_PERIOD_NS));
}
