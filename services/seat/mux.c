/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn it is, what goes to the UART, which consoles there are.
 *
 * Output's way: whenever mux->text is out, compose() fills it from the log or
 * from one of the consoles, a row or so at a time; pump() hands it to the UART
 * as far as that has room, PUMP_MAX bytes and TURNS_MAX turns at most, and a
 * timer that goes off when a FIFO's worth is out looks after the rest.  A timer
 * and not the transmitter's interrupt: it needs no I/O APIC and shares no edge
 * with the receiver's.  It also runs after the last byte, and while it runs no
 * console is asked to ring: those that write byte by byte wake seat once a
 * FIFO, not once a byte.
 *
 * Turns: the log's lines come first, but after each of them a console has its
 * turn, and consoles have theirs one after the other.  With N that write
 * without end, each waits for N rows and as many lines of the log.
 *
 * A console that is alone is shown byte by byte, so that the log may find it
 * within a row.  The log then waits until that row has ended or nothing more of
 * it has come for a while, as at a prompt: words stay whole for who reads them.
 */
#include "services/seat/mux.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "services/seat/mux_inner.h"

#define FOCUS_KEY	0x1d /* Ctrl-] */
#define PROMPT_DELAY_NS (50 * NSEC_PER_MS)
/* How long the log waits at most for the end of a row. */
#define LOG_DELAY_NS	(500 * NSEC_PER_MS)
/* So many periods without a byte gone: 1 s. */
#define STUCK_TICKS	(NSEC_PER_SEC / MUX_PERIOD_NS)

#define PUMP_MAX   512
#define TURNS_MAX  4
#define INPUT_MAX  64
/* Bytes of its FIFO: what came before so many is out. */
#define UART_HOLDS 16
/* A row is full or ends soon: no need to wait for its newline. */
#define ROW_READY  TERMINAL_COLUMNS

void mux_init(struct mux *mux, const struct mux_ops *ops, void *ctx)
{
	memset(mux, 0, sizeof(*mux));
	mux->ops = ops;
	mux->ctx = ctx;
	mux->has_log = true;
	for (unsigned i = 0; i < MUX_SLOTS; i++)
		mux->console[i].slot = i;
}

/* ---- Turns -------------------------------------------------------------- */

/* It has something to show: not just the beginning of a line. */
static bool console_is_ready(const struct mux *mux,
			     const struct mux_console *console)
{
	uint32_t used = buffer_used(&console->out);

	if (!used)
		return row_is_notice(console);
	return console->newlines || console->is_due || console->notice_count ||
	       used >= ROW_READY || mux->open == console || mux->count == 1 ||
	       console->state != MUX_OPEN || console->flush != MUX_FLUSH_NONE;
}

/* What is held back shows soon unless its newline comes. */
static void prompt_expect(struct mux *mux)
{
	if (mux->is_prompt_expected)
		return;
	mux->is_prompt_expected = true;
	mux->prompt_ns = mux->now_ns + PROMPT_DELAY_NS;
}

/* Whose turn it is; what is held back meanwhile shows soon. */
static struct mux_console *console_next(struct mux *mux)
{
	bool is_held = false;

	for (unsigned i = 0; i < mux->count; i++) {
		unsigned at = (mux->turn + i) % mux->count;
		struct mux_console *console = mux->shown[at];

		if (console->is_active && !buffer_used(&console->out))
			source_pull(mux, console);
		if (console_is_ready(mux, console)) {
			mux->turn = at + 1;
			return console;
		}
		is_held |= buffer_used(&console->out) != 0;
	}
	if (is_held)
		prompt_expect(mux);
	return NULL;
}

/* The row that the cursor is in is one's that is alone, and its end is here. */
static bool row_ends(const struct mux *mux)
{
	return mux->count == 1 && mux->open && mux->is_mid_row &&
	       mux->open->newlines;
}

/* The one that is alone writes a row, whose end may come any moment. */
static bool row_is_growing(const struct mux *mux)
{
	const struct mux_console *console = mux->shown[0];

	return mux->count == 1 && mux->open == console && mux->is_mid_row &&
	       console->state == MUX_OPEN && !mux->is_flushing &&
	       console->is_emptied && !source_is_at_line_end(console) &&
	       mux->now_ns - console->held_ns < PROMPT_DELAY_NS;
}

static bool log_is_ready(struct mux *mux)
{
	if (!buffer_used(&mux->log))
		return false;
	if (!row_is_growing(mux)) {
		mux->is_log_held = false;
		return true;
	}
	if (!mux->is_log_held)
		mux->log_held_ns = mux->now_ns;
	mux->is_log_held = true;
	prompt_expect(mux);
	return mux->now_ns - mux->log_held_ns >= LOG_DELAY_NS;
}

/* The next row or so into mux->text, maybe empty; false: nothing waits. */
static bool compose(struct mux *mux)
{
	struct mux_console *console = NULL;
	bool has_log;

	mux->sent = mux->length = 0;
	log_pull(mux);
	has_log = log_is_ready(mux);
	if (!has_log || mux->is_log_served || row_ends(mux))
		console = console_next(mux);
	mux->is_log_served = !console && has_log;
	if (console)
		row_console(mux, console);
	else if (has_log)
		row_log(mux);
	return console || has_log;
}

/* ---- Going out ---------------------------------------------------------- */

/* Nobody reads at the other end: nobody shall wait for it. */
static void discard(struct mux *mux)
{
	mux->is_stuck = true;
	mux->sent = mux->length = 0;
	log_discard(mux);
	for (unsigned i = 0; i < mux->count; i++)
		source_discard(mux, mux->shown[i]);
	mux->is_again |= mux->has_log;
}

static void drain_arm(struct mux *mux)
{
	mux->is_draining = true;
	mux->drain_ns = mux->now_ns + MUX_PERIOD_NS;
}

/* What of mux->text the UART has room for, left at most; how many bytes. */
static unsigned text_send(struct mux *mux, unsigned left)
{
	size_t n = mux->ops->uart_send(mux->ctx, mux->text + mux->sent,
				       MIN(mux->length - mux->sent, left));

	mux->sent += (uint32_t)n;
	mux->taken += n;
	if (n) {
		mux->idle_ticks = 0;
		mux->is_stuck = false;
	}
	return (unsigned)n;
}

static void pump(struct mux *mux)
{
	unsigned left = PUMP_MAX, turns = TURNS_MAX;
	bool has_more = true;

	while (left) {
		unsigned n;

		if (mux->sent == mux->length) {
			if (!turns--)
				break;
			has_more = compose(mux);
			if (!has_more)
				break;
			continue;
		}
		n = text_send(mux, left);
		if (!n)
			break;
		left -= n;
	}
	if (!has_more && !mux->is_flushing)
		mux->idle_ticks = 0;
	if (has_more && (mux->is_stuck || mux->idle_ticks >= STUCK_TICKS))
		discard(mux);
	else if (has_more || left != PUMP_MAX || mux->is_flushing)
		drain_arm(mux);
}

/* Unfinished lines come out; the focused console's last, where input echoes. */
static void prompt_show(struct mux *mux)
{
	mux->is_prompt_expected = false;
	for (unsigned i = 0; i < mux->count; i++) {
		struct mux_console *console = mux->shown[i];

		if (buffer_used(&console->out) &&
		    mux->now_ns - console->held_ns >= PROMPT_DELAY_NS)
			console->is_due = true;
	}
	mux->turn = mux->focus + 1;
}

/* ---- Consoles ----------------------------------------------------------- */

static bool host_is_shown(const struct mux *mux)
{
	return mux->count && mux->shown[mux->count - 1]->slot == 0;
}

/* The first console is alone no longer: what it did to the terminal ends. */
static void share_begin(struct mux *mux, struct mux_console *first)
{
	first->terminal = (struct terminal){
		.escape = mux->open == first ? mux->raw.escape : ESCAPE_NONE,
	};
	first->is_mid_line = mux->open == first && mux->is_mid_row;
	mux->open = NULL;
	mux->is_reset_due = mux->is_touched;
	mux->is_touched = false;
}

static void console_show(struct mux *mux, struct mux_console *console)
{
	unsigned at = mux->count;

	if (mux->count == 1)
		share_begin(mux, mux->shown[0]);
	/* The operator's is the last. */
	if (host_is_shown(mux)) {
		mux->shown[at] = mux->shown[at - 1];
		mux->focus += mux->focus == at - 1;
		at--;
	}
	mux->shown[at] = console;
	mux->count++;
}

static void console_hide(struct mux *mux, struct mux_console *console)
{
	unsigned i = 0, last;

	if (mux->open == console)
		mux->open = NULL;
	while (mux->shown[i] != console)
		i++;
	mux->count--;
	memmove(&mux->shown[i], &mux->shown[i + 1],
		(mux->count - i) * sizeof(console));
	/* From one that leaves to the next, but not to the operator's. */
	last = mux->count - (host_is_shown(mux) && mux->count > 1);
	if (mux->focus > i || (mux->focus == i && i >= last))
		mux->focus = mux->focus ? mux->focus - 1 : 0;
	if (mux->turn > i)
		mux->turn--;
}

/* The operator's console is hidden while one other is alone. */
static void host_update(struct mux *mux)
{
	struct mux_console *host = &mux->console[SEAT_CONTROL_SLOT];
	bool is_shown = host_is_shown(mux);
	unsigned others = mux->count - is_shown;
	bool has_focus = is_shown && mux->focus == mux->count - 1;

	if (host->state == MUX_FREE)
		return;
	if (!is_shown && others != 1)
		console_show(mux, host);
	else if (is_shown && others == 1 && !has_focus)
		console_hide(mux, host);
}

static bool name_is_valid(const char *name)
{
	size_t length = strnlen(name, GATE_NAME_SIZE);

	if (!length || length == GATE_NAME_SIZE)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = name[i];
		bool is_letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool is_other = (c >= '0' && c <= '9') || c == '-' || c == '_';

		if (!is_letter && !(i && is_other))
			return false;
	}
	return true;
}

/* Nobody knows what the former program of this one's left on the terminal. */
static void take_over(struct mux *mux)
{
	if (mux->is_taken_over)
		return;
	mux->is_taken_over = mux->is_mid_row = mux->is_touched = true;
	mux->raw.escape = ESCAPE_BEGUN;
}

static void console_open(struct mux_console *console, const char *name,
			 struct seat_console *memory)
{
	unsigned slot = console->slot;

	memset(console, 0, sizeof(*console));
	console->slot = slot;
	console->state = MUX_OPEN;
	console->is_active = true;
	memcpy(console->name, name, strlen(name));
	ring_init(&console->in[MUX_OUTPUT], &memory->output,
		  memory->output_data, SEAT_OUTPUT_SIZE, false, true);
	ring_init(&console->in[MUX_DEBUG], &memory->debug, memory->debug_data,
		  SEAT_DEBUG_SIZE, false, true);
	ring_init(&console->in[MUX_E9], &memory->e9, memory->e9_data,
		  SEAT_DEBUG_SIZE, false, true);
	ring_init(&console->in[MUX_SERIAL1], &memory->output1,
		  memory->output1_data, SEAT_OUTPUT1_SIZE, false, true);
	ring_init(&console->printer, &memory->printer, memory->printer_data,
		  SEAT_PRINTER_SIZE, false, true);
	ring_init(&console->input, &memory->input, memory->input_data,
		  SEAT_INPUT_SIZE, true, true);
	ring_init(&console->input1, &memory->input1, memory->input1_data,
		  SEAT_INPUT_SIZE, true, true);
}

int mux_add(struct mux *mux, unsigned slot, const char *name,
	    struct seat_console *memory)
{
	struct mux_console *console;

	if (slot >= MUX_SLOTS || !name_is_valid(name))
		return -EINVAL;
	for (unsigned i = 0; i < MUX_SLOTS; i++)
		if (mux->console[i].state != MUX_FREE &&
		    (i == slot || !strcmp(mux->console[i].name, name)))
			return -EEXIST;
	console = &mux->console[slot];
	console_open(console, name, memory);
	if (console->in[MUX_OUTPUT].mine || console->in[MUX_DEBUG].mine ||
	    console->in[MUX_E9].mine || console->in[MUX_SERIAL1].mine)
		take_over(mux);
	/* One that comes to the operator's has the terminal alone. */
	if (slot && mux->count == 1 && host_is_shown(mux) &&
	    mux->shown[0] == &mux->console[SEAT_CONTROL_SLOT])
		console_hide(mux, mux->shown[0]);
	if (slot)
		console_show(mux, console);
	host_update(mux);
	return 0;
}

static struct mux_console *console_find(struct mux *mux, unsigned slot)
{
	if (slot >= MUX_SLOTS || mux->console[slot].state == MUX_FREE ||
	    mux->console[slot].state == MUX_GONE)
		return NULL;
	return &mux->console[slot];
}

int mux_remove(struct mux *mux, unsigned slot)
{
	struct mux_console *console = console_find(mux, slot);

	if (!console || slot == SEAT_CONTROL_SLOT)
		return -ENOENT;
	console->state = MUX_LEAVING;
	console->is_active = true;
	console->is_emptied = false;
	return 0;
}

/* Those whose last words are out. */
static void consoles_leave(struct mux *mux)
{
	for (unsigned i = mux->count; i--;) {
		struct mux_console *console = mux->shown[i];

		if (console->state != MUX_LEAVING || !source_is_empty(console))
			continue;
		console_hide(mux, console);
		console->state = MUX_GONE;
		host_update(mux);
		/* Who is left alone shows all it has from now on. */
		mux->is_again = true;
	}
}

int mux_gone(struct mux *mux)
{
	for (unsigned i = 0; i < MUX_SLOTS; i++)
		if (mux->console[i].state == MUX_GONE) {
			mux->console[i].state = MUX_FREE;
			return (int)i;
		}
	return -1;
}

/* ---- Input -------------------------------------------------------------- */

static void focus_set(struct mux *mux, unsigned at)
{
	struct mux_console *console = mux->shown[at];
	char text[64];
	int n;

	mux->focus = at;
	n = snprintf(text, sizeof(text), "--- input goes to %s ---\n",
		     console->name);
	mux_print(mux, text, (size_t)n);
	console->is_due = buffer_used(&console->out);
	host_update(mux);
}

int mux_focus(struct mux *mux, unsigned slot)
{
	struct mux_console *console = console_find(mux, slot);

	if (!console)
		return -ENOENT;
	if (!slot && !host_is_shown(mux))
		console_show(mux, console);
	for (unsigned i = 0; i < mux->count; i++)
		if (mux->shown[i] == console && i != mux->focus)
			focus_set(mux, i);
	return 0;
}

int mux_find(const struct mux *mux, const char *name)
{
	for (unsigned i = 0; i < mux->count; i++)
		if (mux->shown[i]->slot != SEAT_CONTROL_SLOT &&
		    !strcmp(mux->shown[i]->name, name))
			return (int)mux->shown[i]->slot;
	return -ENOENT;
}

void mux_hear_host(struct mux *mux)
{
	mux->is_host_heard = true;
	mux->console[SEAT_CONTROL_SLOT].is_active = true;
}

bool mux_is_open(const struct mux *mux, unsigned slot)
{
	return slot < MUX_SLOTS && mux->console[slot].state == MUX_OPEN;
}

long mux_type(struct mux *mux, unsigned slot, const void *bytes, size_t length)
{
	bool is_second = slot >= MUX_SERIAL1_OF(0);
	struct mux_console *console =
		console_find(mux, is_second ? slot - MUX_SERIAL1_OF(0) : slot);
	struct ring *input;
	size_t done = 0;

	if (!console || console->state != MUX_OPEN)
		return -ENOENT;
	input = is_second ? &console->input1 : &console->input;
	do {
		long n = ring_write(input, (const uint8_t *)bytes + done,
				    (uint32_t)(length - done),
				    &console->is_bell_due);

		if (n < 0) {
			source_break(mux, console);
			return -ENOENT;
		}
		done += (size_t)n;
	} while (done < length && !ring_sleep(input));
	return (long)done;
}

static void input_deliver(struct mux *mux, uint8_t byte)
{
	struct mux_console *console = mux->shown[mux->focus];
	long n;

	if (byte == FOCUS_KEY && mux_is_shared(mux)) {
		focus_set(mux, (mux->focus + 1) % mux->count);
		return;
	}
	if (console->state != MUX_OPEN)
		return;
	n = ring_write(&console->input, &byte, 1, &console->is_bell_due);
	if (n < 0)
		source_break(mux, console);
}

/*
 * What one that is alone has no room for waits in the UART, whose other end
 * knows; with several, Ctrl-] must always get through.
 */
static bool input_has_room(struct mux *mux)
{
	struct ring *input;

	if (mux->count != 1 || mux->shown[0]->state != MUX_OPEN)
		return true;
	input = &mux->shown[0]->input;
	return ring_space(input) || !ring_sleep(input);
}

void mux_input(struct mux *mux, uint64_t now_ns)
{
	mux->now_ns = now_ns;
	mux->is_input_held = true;
	for (unsigned i = 0; i < INPUT_MAX; i++) {
		int byte;

		if (!input_has_room(mux))
			return;
		byte = mux->ops->uart_read(mux->ctx);
		if (byte < 0) {
			mux->is_input_held = false;
			return;
		}
		if (mux->count)
			input_deliver(mux, (uint8_t)byte);
	}
	mux->is_again = true;
}

/* ---- Events ------------------------------------------------------------- */

void mux_ring(struct mux *mux, unsigned slot)
{
	if (slot >= MUX_SLOTS)
		return;
	mux->console[slot].is_active = true;
	mux->console[slot].is_emptied = false;
}

void mux_log(struct mux *mux)
{
	mux->has_log = true;
}

void mux_flush(struct mux *mux)
{
	mux->is_flushing = true;
	mux->has_log = true;
	mux->is_flush_composed = false;
	mux->log_flush = MUX_FLUSH_RINGS;
	for (unsigned i = 0; i < mux->count; i++)
		source_flush(mux->shown[i]);
}

/* All that was written before has become rows; where their bytes end. */
static bool flush_is_composed(struct mux *mux)
{
	if (mux->is_flush_composed)
		return true;
	if (!log_is_flushed(mux))
		return false;
	for (unsigned i = 0; i < mux->count; i++)
		if (!source_is_flushed(mux->shown[i]))
			return false;
	for (unsigned i = 0; i < mux->count; i++)
		mux->shown[i]->flush = MUX_FLUSH_NONE;
	mux->flush_at = mux->taken + mux->length - mux->sent;
	mux->is_flush_composed = true;
	return true;
}

bool mux_is_flushed(struct mux *mux)
{
	bool is_dead = mux->is_stuck || mux->idle_ticks >= STUCK_TICKS;

	if (!flush_is_composed(mux))
		return false;
	if (!is_dead && (mux->taken < mux->flush_at ||
			 (mux->taken - mux->flush_at <= UART_HOLDS &&
			  !mux->ops->uart_is_idle(mux->ctx))))
		return false;
	mux->is_flushing = false;
	return true;
}

/* Rings the bells that are wanted, and asks for others' before waiting. */
static void bells(struct mux *mux)
{
	for (unsigned i = 0; i < mux->count; i++) {
		struct mux_console *console = mux->shown[i];

		if (!source_is_open(console)) {
			source_break(mux, console);
			console->is_active = false;
		} else if (console->is_active && !mux->is_draining) {
			if (console->is_emptied && source_sleep(console))
				console->is_active = false;
			else
				drain_arm(mux);
		}
		if (console->is_bell_due)
			mux->ops->doorbell(mux->ctx, console->slot);
		console->is_bell_due = false;
	}
}

/* The operator's console while no row shows it: what is typed there and what it
 * writes is the business of somebody else than the terminal's. */
static void hidden_run(struct mux *mux)
{
	struct mux_console *host = &mux->console[SEAT_CONTROL_SLOT];

	if (host->state != MUX_OPEN || host_is_shown(mux))
		return;
	if (mux->is_host_heard && host->is_active) {
		source_discard(mux, host);
		host->is_active = source_is_open(host) && !source_sleep(host);
		mux->is_again |= host->is_active;
	}
	if (host->is_bell_due)
		mux->ops->doorbell(mux->ctx, host->slot);
	host->is_bell_due = false;
}

void mux_run(struct mux *mux, uint64_t now_ns)
{
	mux->now_ns = now_ns;
	mux->is_again = false;
	if (mux->is_input_held)
		mux_input(mux, now_ns);
	log_pull(mux);
	if (mux->is_draining && now_ns >= mux->drain_ns) {
		mux->is_draining = false;
		mux->idle_ticks++;
	}
	for (unsigned i = 0; i < mux->count && !mux->is_draining; i++)
		if (mux->shown[i]->is_active)
			source_pull(mux, mux->shown[i]);
	if (mux->is_prompt_expected && now_ns >= mux->prompt_ns)
		prompt_show(mux);
	if (!mux->is_draining)
		pump(mux);
	consoles_leave(mux);
	bells(mux);
	hidden_run(mux);
}

uint64_t mux_deadline(const struct mux *mux)
{
	uint64_t deadline = UINT64_MAX;

	if (mux->is_again)
		return mux->now_ns;
	if (mux->is_draining)
		deadline = mux->drain_ns;
	if (mux->is_prompt_expected)
		deadline = MIN(deadline, mux->prompt_ns);
	return deadline;
}
