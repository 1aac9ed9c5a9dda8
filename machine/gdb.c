/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets and their answers: machine/gdb.h. */
#include "machine/gdb_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define ERROR_SYNTAX "E01" /* it makes no sense */
#define ERROR_DENIED "E02" /* not that value, or not in this mode */
#define ERROR_MEMORY "E0e" /* nothing is there */
#define ERROR_ROOM   "E1c" /* too many */
#define ERROR_TARGET "E00" /* what qXfer calls a bad annex or request */

#define SIGNAL_INTERRUPT "02"
#define SIGNAL_TRAP	 "05"
#define CHUNK		 256 /* bytes of memory at a time */

/* ---- Threads ------------------------------------------------------------- */

static uint32_t all_vcpus(const struct gdb *gdb)
{
	return (uint32_t)(BIT(gdb->vcpus) - 1);
}

/*
 * A thread's number, or -1 or 0 for all or any: GDB_VCPUS_MAX.  False: there is
 * no such.
 */
static bool get_thread(const struct gdb *gdb, struct gdb_cursor *cursor,
		       unsigned *vcpu)
{
	uint64_t number;

	*vcpu = GDB_VCPUS_MAX;
	if (gdb_get(cursor, "-1"))
		return true;
	if (!gdb_get_number(cursor, &number) || number > gdb->vcpus)
		return false;
	if (number)
		*vcpu = (unsigned)number - 1;
	return true;
}

static void put_thread(struct gdb_text *text, unsigned vcpu)
{
	gdb_put_number(text, vcpu + 1);
}

static void handle_thread_choose(struct gdb *gdb, struct gdb_cursor *cursor)
{
	bool is_resume = gdb_get_char(cursor, 'c');
	unsigned vcpu;

	if ((!is_resume && !gdb_get_char(cursor, 'g')) ||
	    !get_thread(gdb, cursor, &vcpu)) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	if (is_resume)
		gdb->resume_thread = vcpu;
	else if (vcpu < gdb->vcpus)
		gdb->thread = vcpu;
	gdb_packet_send(gdb, "OK");
}

static void handle_thread_alive(struct gdb *gdb, struct gdb_cursor *cursor)
{
	unsigned vcpu;

	gdb_packet_send(gdb, get_thread(gdb, cursor, &vcpu) && vcpu < gdb->vcpus
				     ? "OK"
				     : ERROR_SYNTAX);
}

/* ---- Stops --------------------------------------------------------------- */

static void put_watch(struct gdb_text *text, const struct gdb_stop *stop)
{
	static const char *const names[GDB_BREAKPOINT_KINDS] = {
		[GDB_WATCH_WRITE] = "watch:",
		[GDB_WATCH_READ] = "rwatch:",
		[GDB_WATCH_ACCESS] = "awatch:",
	};

	gdb_put(text, names[stop->breakpoint]);
	gdb_put_number(text, stop->address);
	gdb_put_char(text, ';');
}

static void stop_reply(struct gdb *gdb)
{
	const struct gdb_stop *stop = &gdb->last;
	struct gdb_text *text = &gdb->text;

	gdb_packet_begin(gdb);
	gdb_put(text, "T");
	gdb_put(text, stop->kind == GDB_STOP_INTERRUPT ? SIGNAL_INTERRUPT
						       : SIGNAL_TRAP);
	gdb_put(text, "thread:");
	put_thread(text, stop->vcpu);
	gdb_put_char(text, ';');
	if (stop->kind == GDB_STOP_BREAKPOINT) {
		if (stop->breakpoint >= GDB_WATCH_WRITE)
			put_watch(text, stop);
		else if (stop->breakpoint == GDB_BREAK_SOFTWARE &&
			 gdb->has_swbreak)
			gdb_put(text, "swbreak:;");
		else if (stop->breakpoint == GDB_BREAK_HARDWARE &&
			 gdb->has_hwbreak)
			gdb_put(text, "hwbreak:;");
	}
	gdb_packet_end(gdb);
}

/* To the user's terminal, which is possible only before a stop is told. */
static void say(struct gdb *gdb, const char *string, size_t length)
{
	gdb_packet_begin(gdb);
	gdb_put_char(&gdb->text, 'O');
	gdb_put_bytes(&gdb->text, string, length);
	gdb_packet_end(gdb);
}

static void say_catch(struct gdb *gdb, const struct gdb_stop *stop)
{
	char line[64];
	struct gdb_text text = { .data = line, .size = sizeof(line) };

	gdb_catch_describe(stop, &text);
	say(gdb, line, text.length);
}

static void say_mode(struct gdb *gdb)
{
	static const char line[] =
		"the guest is in long mode now: its registers show their lower "
		"halves until the debugger disconnects and comes again\n";
	const struct x86_state *state =
		gdb->ops->state(gdb->ctx, gdb->last.vcpu);

	if (gdb->given != GDB_ARCH_AUTO && gdb->given != GDB_ARCH_X86_64 &&
	    state->efer & X86_EFER_LMA)
		say(gdb, line, sizeof(line) - 1);
}

void gdb_stopped(struct gdb *gdb, const struct gdb_stop *why)
{
	bool is_first = gdb->state == GDB_OPENING;

	if (gdb->state != GDB_RUNNING && !is_first)
		return;
	gdb->state = GDB_STOPPED;
	gdb->last = *why;
	gdb->thread = why->vcpu;
	if (is_first)
		return; /* that one is asked for */
	if (why->kind == GDB_STOP_CATCH)
		say_catch(gdb, why);
	say_mode(gdb);
	stop_reply(gdb);
}

/* ---- Going on ------------------------------------------------------------ */

static void resume(struct gdb *gdb, uint32_t run, uint32_t step)
{
	gdb->state = GDB_RUNNING;
	gdb->ops->resume(gdb->ctx, run, step & run);
}

/* c and s, and C and S, whose signal no guest would understand. */
static void handle_resume(struct gdb *gdb, struct gdb_cursor *cursor,
			  bool is_step, bool has_signal)
{
	uint64_t number;

	if (has_signal && (!gdb_get_number(cursor, &number) ||
			   (gdb_left(cursor) && !gdb_get_char(cursor, ';')))) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	/* Where to go on: nobody sends that any more. */
	if (gdb_left(cursor)) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	if (!is_step)
		resume(gdb, all_vcpus(gdb), 0);
	else if (gdb->resume_thread < gdb->vcpus)
		resume(gdb, all_vcpus(gdb), (uint32_t)BIT(gdb->resume_thread));
	else
		resume(gdb, all_vcpus(gdb), (uint32_t)BIT(gdb->thread));
}

/* One action; each vCPU obeys the first that is about it. */
static bool get_action(struct gdb *gdb, struct gdb_cursor *cursor,
		       uint32_t *known, uint32_t *run, uint32_t *step)
{
	bool is_step, has_signal;
	unsigned vcpu = GDB_VCPUS_MAX;
	uint64_t number;
	uint32_t mask;
	char action;

	if (!gdb_left(cursor))
		return false;
	action = *cursor->at++;
	is_step = action == 's' || action == 'S';
	has_signal = action == 'C' || action == 'S';
	if (!is_step && action != 'c' && action != 'C')
		return false;
	if (has_signal && !gdb_get_number(cursor, &number))
		return false;
	if (gdb_get_char(cursor, ':') && !get_thread(gdb, cursor, &vcpu))
		return false;
	mask = vcpu < gdb->vcpus ? (uint32_t)BIT(vcpu) : all_vcpus(gdb);
	mask &= ~*known;
	*known |= mask;
	*run |= mask;
	if (is_step)
		*step |= mask;
	return true;
}

static void handle_vcont(struct gdb *gdb, struct gdb_cursor *cursor)
{
	uint32_t known = 0, run = 0, step = 0;

	while (gdb_get_char(cursor, ';'))
		if (!get_action(gdb, cursor, &known, &run, &step)) {
			gdb_packet_send(gdb, ERROR_SYNTAX);
			return;
		}
	if (!run || gdb_left(cursor))
		gdb_packet_send(gdb, ERROR_SYNTAX);
	else
		resume(gdb, run, step);
}

void gdb_interrupt(struct gdb *gdb)
{
	if (gdb->state == GDB_RUNNING)
		gdb->ops->interrupt(gdb->ctx);
}

/* ---- Registers ----------------------------------------------------------- */

static void handle_registers_read(struct gdb *gdb)
{
	uint8_t value[GDB_REGISTER_MAX];
	unsigned count;
	const struct gdb_register *regs = gdb_registers(gdb, &count);

	gdb_packet_begin(gdb);
	for (unsigned i = 0; i < count; i++) {
		const struct gdb_register *reg = gdb_register_at(regs, i);

		gdb_register_read(gdb, reg, value);
		gdb_put_bytes(&gdb->text, value, gdb_register_size(reg));
	}
	gdb_packet_end(gdb);
}

/* What may not be changed is left as it is; what is missing, too. */
static void handle_registers_write(struct gdb *gdb, struct gdb_cursor *cursor)
{
	uint8_t value[GDB_REGISTER_MAX];
	unsigned count;
	const struct gdb_register *regs = gdb_registers(gdb, &count);

	for (unsigned i = 0; i < count && gdb_left(cursor); i++) {
		const struct gdb_register *reg = gdb_register_at(regs, i);

		if (!gdb_get_bytes(cursor, value, gdb_register_size(reg))) {
			gdb_packet_send(gdb, ERROR_SYNTAX);
			return;
		}
		if (gdb_register_write(gdb, reg, value))
			continue;
	}
	gdb_packet_send(gdb, "OK");
}

static const struct gdb_register *get_register(struct gdb *gdb,
					       struct gdb_cursor *cursor)
{
	unsigned count;
	const struct gdb_register *regs = gdb_registers(gdb, &count);
	uint64_t number;

	if (!gdb_get_number(cursor, &number) || number >= count)
		return NULL;
	return gdb_register_at(regs, (unsigned)number);
}

static void handle_register_read(struct gdb *gdb, struct gdb_cursor *cursor)
{
	const struct gdb_register *reg = get_register(gdb, cursor);
	uint8_t value[GDB_REGISTER_MAX];

	if (!reg) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	gdb_register_read(gdb, reg, value);
	gdb_packet_begin(gdb);
	gdb_put_bytes(&gdb->text, value, gdb_register_size(reg));
	gdb_packet_end(gdb);
}

static void handle_register_write(struct gdb *gdb, struct gdb_cursor *cursor)
{
	const struct gdb_register *reg = get_register(gdb, cursor);
	uint8_t value[GDB_REGISTER_MAX];

	if (!reg || !gdb_get_char(cursor, '=') ||
	    !gdb_get_bytes(cursor, value, gdb_register_size(reg)))
		gdb_packet_send(gdb, ERROR_SYNTAX);
	else if (gdb_register_write(gdb, reg, value))
		gdb_packet_send(gdb, ERROR_DENIED);
	else
		gdb_packet_send(gdb, "OK");
}

/* ---- Memory -------------------------------------------------------------- */

static size_t memory(struct gdb *gdb, uint64_t address, void *data, size_t size,
		     bool is_write)
{
	return gdb->ops->memory(gdb->ctx, gdb->thread, address,
				gdb->is_physical, data, size, is_write);
}

static bool get_range(struct gdb_cursor *cursor, uint64_t *address,
		      uint64_t *length)
{
	return gdb_get_number(cursor, address) && gdb_get_char(cursor, ',') &&
	       gdb_get_number(cursor, length);
}

static void handle_memory_read(struct gdb *gdb, struct gdb_cursor *cursor)
{
	uint64_t address, length;
	uint8_t data[CHUNK];

	if (!get_range(cursor, &address, &length)) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	length = MIN(length, (uint64_t)GDB_PACKET_MAX / 2);
	if (length && !memory(gdb, address, data, 1, false)) {
		gdb_packet_send(gdb, ERROR_MEMORY);
		return;
	}
	gdb_packet_begin(gdb);
	while (length) {
		size_t n = MIN(length, (uint64_t)sizeof(data));
		size_t done = memory(gdb, address, data, n, false);

		gdb_put_bytes(&gdb->text, data, done);
		if (done < n)
			break; /* fewer than were asked for: no error */
		address += n;
		length -= n;
	}
	gdb_packet_end(gdb);
}

static void memory_write(struct gdb *gdb, uint64_t address, void *data,
			 size_t length)
{
	gdb_packet_send(gdb, memory(gdb, address, data, length, true) == length
				     ? "OK"
				     : ERROR_MEMORY);
}

/* In hex; the bytes take the place of their digits. */
static void handle_memory_write(struct gdb *gdb, struct gdb_cursor *cursor)
{
	uint64_t address, length;
	uint8_t *data;

	if (!get_range(cursor, &address, &length) ||
	    !gdb_get_char(cursor, ':') || length > GDB_PACKET_MAX) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	data = (uint8_t *)gdb->packet + (cursor->at - gdb->packet);
	if (gdb_left(cursor) != 2 * length ||
	    !gdb_get_bytes(cursor, data, (size_t)length))
		gdb_packet_send(gdb, ERROR_SYNTAX);
	else
		memory_write(gdb, address, data, (size_t)length);
}

/* The bytes as they are. */
static void handle_memory_write_binary(struct gdb *gdb,
				       struct gdb_cursor *cursor)
{
	uint64_t address, length;

	if (!get_range(cursor, &address, &length) ||
	    !gdb_get_char(cursor, ':') || gdb_left(cursor) != length)
		gdb_packet_send(gdb, ERROR_SYNTAX);
	else
		memory_write(gdb, address,
			     gdb->packet + (cursor->at - gdb->packet),
			     (size_t)length);
}

/* ---- Breakpoints --------------------------------------------------------- */

static void handle_breakpoint(struct gdb *gdb, struct gdb_cursor *cursor,
			      bool is_set)
{
	uint64_t kind, address, length;
	int error;

	if (!gdb_get_number(cursor, &kind) || !gdb_get_char(cursor, ',') ||
	    !get_range(cursor, &address, &length)) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	if (kind >= GDB_BREAKPOINT_KINDS || gdb_left(cursor)) {
		gdb_packet_send(gdb, ""); /* conditions are GDB's own affair */
		return;
	}
	/* Of instructions it is what the instruction looks like. */
	if (kind < GDB_WATCH_WRITE)
		length = 1;
	error = gdb->ops->breakpoint(gdb->ctx, (enum gdb_breakpoint)kind,
				     address, length, is_set);
	if (!error)
		gdb_packet_send(gdb, "OK");
	else
		gdb_packet_send(gdb,
				error == -ENOSPC ? ERROR_ROOM : ERROR_DENIED);
}

/* ---- Queries ------------------------------------------------------------- */

static void query_supported(struct gdb *gdb, struct gdb_cursor *cursor)
{
	while (gdb_left(cursor)) {
		if (gdb_get(cursor, "swbreak+"))
			gdb->has_swbreak = true;
		else if (gdb_get(cursor, "hwbreak+"))
			gdb->has_hwbreak = true;
		else
			cursor->at++;
	}
	gdb_packet_begin(gdb);
	gdb_put(&gdb->text, "PacketSize=");
	gdb_put_number(&gdb->text, GDB_PACKET_MAX);
	gdb_put(&gdb->text, ";QStartNoAckMode+;qXfer:features:read+"
			    ";qXfer:threads:read+;vContSupported+;swbreak+"
			    ";hwbreak+");
	gdb_packet_end(gdb);
}

static void describe_threads(const struct gdb *gdb, struct gdb_text *text)
{
	gdb_put(text, "<?xml version=\"1.0\"?><threads>");
	for (unsigned i = 0; i < gdb->vcpus; i++) {
		gdb_put(text, "<thread id=\"");
		put_thread(text, i);
		gdb_put(text, "\" core=\"");
		gdb_put_decimal(text, i);
		gdb_put(text, "\" name=\"vCPU ");
		gdb_put_decimal(text, i);
		gdb_put(text, "\"/>");
	}
	gdb_put(text, "</threads>");
}

/* A piece of a document: l before the last one, m before others. */
static void query_document(struct gdb *gdb, struct gdb_cursor *cursor,
			   void (*describe)(const struct gdb *gdb,
					    struct gdb_text *text))
{
	struct gdb_text *text = &gdb->text;
	uint64_t offset, length;
	char *kind;

	if (!get_range(cursor, &offset, &length) || gdb_left(cursor)) {
		gdb_packet_send(gdb, ERROR_TARGET);
		return;
	}
	gdb_packet_begin(gdb);
	kind = text->data;
	gdb_put_char(text, 'l');
	text->size = MIN(text->size,
			 1 + (size_t)MIN(length, (uint64_t)GDB_PACKET_MAX));
	text->skip = (size_t)offset;
	describe(gdb, text);
	if (text->has_more)
		*kind = 'm';
	gdb_packet_end(gdb);
}

/* By the size of vCPU 0's code. */
static enum gdb_arch arch_of(const struct x86_state *state)
{
	if (state->efer & X86_EFER_LMA)
		return GDB_ARCH_X86_64;
	return state->seg[X86_CS].attributes & X86_ATTR_DB ? GDB_ARCH_I386
							   : GDB_ARCH_I8086;
}

/*
 * Once a connection: GDB keeps what it was told.  By what vCPU 0 is now, unless
 * `monitor arch` said so.
 */
static void choose_arch(struct gdb *gdb)
{
	if (gdb->given != GDB_ARCH_AUTO)
		return;
	gdb->given = gdb->wanted != GDB_ARCH_AUTO
			     ? gdb->wanted
			     : arch_of(gdb->ops->state(gdb->ctx, 0));
}

static void query_threads(struct gdb *gdb)
{
	gdb_packet_begin(gdb);
	for (unsigned i = 0; i < gdb->vcpus; i++) {
		gdb_put_char(&gdb->text, i ? ',' : 'm');
		put_thread(&gdb->text, i);
	}
	gdb_packet_end(gdb);
}

static void query_thread_extra(struct gdb *gdb, struct gdb_cursor *cursor)
{
	char name[16];
	struct gdb_text text = { .data = name, .size = sizeof(name) };
	unsigned vcpu;

	if (!get_thread(gdb, cursor, &vcpu) || vcpu >= gdb->vcpus) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	gdb_put(&text, "vCPU ");
	gdb_put_decimal(&text, vcpu);
	gdb_packet_begin(gdb);
	gdb_put_bytes(&gdb->text, name, text.length);
	gdb_packet_end(gdb);
}

/* What the command says is the answer, in hex; nothing would be an error. */
static void query_monitor(struct gdb *gdb, struct gdb_cursor *cursor)
{
	char line[128], answer[1024];
	struct gdb_text text = { .data = answer, .size = sizeof(answer) };
	size_t length = gdb_left(cursor) / 2;

	if (length >= sizeof(line) || gdb_left(cursor) % 2 ||
	    !gdb_get_bytes(cursor, line, length)) {
		gdb_packet_send(gdb, ERROR_SYNTAX);
		return;
	}
	line[length] = 0;
	gdb_monitor(gdb, line, &text);
	gdb_packet_begin(gdb);
	gdb_put_bytes(&gdb->text, answer, text.length);
	gdb_packet_end(gdb);
}

static void query_current(struct gdb *gdb)
{
	gdb_packet_begin(gdb);
	gdb_put(&gdb->text, "QC");
	put_thread(&gdb->text, gdb->thread);
	gdb_packet_end(gdb);
}

static void handle_query(struct gdb *gdb, struct gdb_cursor *cursor)
{
	if (gdb_get(cursor, "Supported"))
		query_supported(gdb, cursor);
	else if (gdb_get(cursor, "Xfer:features:read:target.xml:"))
		query_document(gdb, cursor, gdb_registers_describe);
	else if (gdb_get(cursor, "Xfer:threads:read::"))
		query_document(gdb, cursor, describe_threads);
	else if (gdb_get(cursor, "Xfer:"))
		gdb_packet_send(gdb, ERROR_TARGET);
	else if (gdb_get(cursor, "fThreadInfo"))
		query_threads(gdb);
	else if (gdb_get(cursor, "sThreadInfo"))
		gdb_packet_send(gdb, "l");
	else if (gdb_get(cursor, "ThreadExtraInfo,"))
		query_thread_extra(gdb, cursor);
	else if (gdb_get(cursor, "Attached"))
		gdb_packet_send(gdb, "1"); /* to leave is to let it run */
	else if (gdb_get(cursor, "Rcmd,"))
		query_monitor(gdb, cursor);
	else if (gdb_get(cursor, "qemu.PhyMemMode"))
		gdb_packet_send(gdb, gdb->is_physical ? "1" : "0");
	else if (gdb_get(cursor, "C") && !gdb_left(cursor))
		query_current(gdb);
	else
		gdb_packet_send(gdb, "");
}

static void handle_set(struct gdb *gdb, struct gdb_cursor *cursor)
{
	if (gdb_get(cursor, "StartNoAckMode")) {
		gdb_packet_send(gdb, "OK");
		gdb->has_acks = false;
	} else if (gdb_get(cursor, "qemu.PhyMemMode:")) {
		gdb->is_physical = !gdb_get_char(cursor, '0');
		gdb_packet_send(gdb, "OK");
	} else {
		gdb_packet_send(gdb, "");
	}
}

/* ---- The end ------------------------------------------------------------- */

static void leave(struct gdb *gdb, bool takes_power)
{
	bool stays = gdb->stays && gdb->state == GDB_STOPPED && !takes_power;

	gdb->state = stays ? GDB_HELD : GDB_CLOSED;
	gdb->ops->closed(gdb->ctx, takes_power);
}

static void handle_v(struct gdb *gdb, struct gdb_cursor *cursor)
{
	if (gdb_get(cursor, "Cont?")) {
		gdb_packet_send(gdb, "vCont;c;C;s;S");
	} else if (gdb_get(cursor, "Cont")) {
		handle_vcont(gdb, cursor);
	} else if (gdb_get(cursor, "Kill")) {
		gdb_packet_send(gdb, "OK");
		leave(gdb, true);
	} else {
		gdb_packet_send(gdb, "");
	}
}

/* ---- Dispatch ------------------------------------------------------------ */

static void handle_other(struct gdb *gdb, struct gdb_cursor *cursor, char kind)
{
	switch (kind) {
	case 'c':
	case 's':
		handle_resume(gdb, cursor, kind == 's', false);
		break;
	case 'C':
	case 'S':
		handle_resume(gdb, cursor, kind == 'S', true);
		break;
	case 'H':
		handle_thread_choose(gdb, cursor);
		break;
	case 'T':
		handle_thread_alive(gdb, cursor);
		break;
	case 'D':
		gdb_packet_send(gdb, "OK");
		leave(gdb, false);
		break;
	case 'k':
		leave(gdb, true);
		break;
	case '?':
		stop_reply(gdb);
		break;
	default:
		gdb_packet_send(gdb, "");
		break;
	}
}

void gdb_packet_handle(struct gdb *gdb)
{
	struct gdb_cursor cursor = { gdb->packet,
				     gdb->packet + gdb->packet_length };
	char kind;

	/* Nothing but Ctrl-C is allowed meanwhile. */
	if (gdb->state != GDB_STOPPED || !gdb->packet_length)
		return;
	kind = *cursor.at++;
	choose_arch(gdb);
	switch (kind) {
	case 'g':
		handle_registers_read(gdb);
		break;
	case 'G':
		handle_registers_write(gdb, &cursor);
		break;
	case 'p':
		handle_register_read(gdb, &cursor);
		break;
	case 'P':
		handle_register_write(gdb, &cursor);
		break;
	case 'm':
		handle_memory_read(gdb, &cursor);
		break;
	case 'M':
		handle_memory_write(gdb, &cursor);
		break;
	case 'X':
		handle_memory_write_binary(gdb, &cursor);
		break;
	case 'Z':
	case 'z':
		handle_breakpoint(gdb, &cursor, kind == 'Z');
		break;
	case 'q':
		handle_query(gdb, &cursor);
		break;
	case 'Q':
		handle_set(gdb, &cursor);
		break;
	case 'v':
		handle_v(gdb, &cursor);
		break;
	default:
		handle_other(gdb, &cursor, kind);
		break;
	}
}

void gdb_init(struct gdb *gdb, const struct gdb_ops *ops, void *ctx,
	      unsigned vcpus)
{
	memset(gdb, 0, sizeof(*gdb));
	gdb->ops = ops;
	gdb->ctx = ctx;
	gdb->vcpus = MIN(vcpus, (unsigned)GDB_VCPUS_MAX);
}

void gdb_open(struct gdb *gdb)
{
	const enum gdb_arch wanted = gdb->wanted;
	const bool is_held = gdb->state == GDB_HELD;
	const unsigned vcpu = gdb->last.vcpu;

	gdb_init(gdb, gdb->ops, gdb->ctx, gdb->vcpus);
	gdb->wanted = wanted;
	gdb->has_acks = true;
	gdb->resume_thread = GDB_VCPUS_MAX;
	gdb->state = GDB_OPENING;
	if (is_held)
		gdb_stopped(gdb, &(struct gdb_stop){ .kind = GDB_STOP_INTERRUPT,
						     .vcpu = vcpu });
	else
		gdb->ops->interrupt(gdb->ctx);
}

void gdb_close(struct gdb *gdb)
{
	if (gdb->state > GDB_HELD)
		leave(gdb, false);
}
