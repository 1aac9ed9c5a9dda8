/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of the GDB remote protocol: $, data, #, two digits of the sum of the
 * data; + and - for a packet that came whole or did not, until both sides have
 * agreed to leave them out; and the byte 3, which is Ctrl-C, between packets.
 *
 * Reference: Debugging with GDB, "Overview", "Packet Acknowledgment" and
 * "Interrupts" of the appendix "Remote Protocol".
 */
#include "machine/gdb_internal.h"

#include "lib/string.h"

#define INTERRUPT   3
#define ESCAPE	    '}'
#define ESCAPE_FLIP 0x20
#define FRAME_SIZE  4 /* $ and #xx */

/* ---- Out ----------------------------------------------------------------- */

static bool is_output_taken(const struct gdb *gdb)
{
	return gdb->output_taken == gdb->output_length;
}

static void output_char(struct gdb *gdb, char c)
{
	if (is_output_taken(gdb)) {
		gdb->output_length = gdb->output_taken = 0;
		gdb->output_packet = GDB_OUTPUT_MAX;
	}
	if (gdb->output_length < sizeof(gdb->output))
		gdb->output[gdb->output_length++] = c;
}

void gdb_packet_begin(struct gdb *gdb)
{
	size_t first, room;

	output_char(gdb, '$');
	first = gdb->output_length;
	room = sizeof(gdb->output) - first;
	gdb->output_packet = first - 1;
	gdb->text = (struct gdb_text){
		.data = gdb->output + first,
		.size = room < FRAME_SIZE ? 0
					  : MIN(room - FRAME_SIZE,
						(size_t)GDB_PACKET_MAX),
	};
}

void gdb_packet_end(struct gdb *gdb)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum = 0;

	for (size_t i = 0; i < gdb->text.length; i++)
		sum += (uint8_t)gdb->text.data[i];
	gdb->output_length += gdb->text.length;
	output_char(gdb, '#');
	output_char(gdb, digits[sum >> 4]);
	output_char(gdb, digits[sum & 15]);
}

void gdb_packet_send(struct gdb *gdb, const char *string)
{
	gdb_packet_begin(gdb);
	gdb_put(&gdb->text, string);
	gdb_packet_end(gdb);
}

/* All of it has been taken, and nothing was written behind it. */
void gdb_packet_resend(struct gdb *gdb)
{
	if (is_output_taken(gdb) && gdb->output_packet < gdb->output_length)
		gdb->output_taken = gdb->output_packet;
}

/* ---- In ------------------------------------------------------------------ */

static void packet_char(struct gdb *gdb, uint8_t c)
{
	if (gdb->packet_length == GDB_PACKET_MAX)
		gdb->is_too_long = true;
	else
		gdb->packet[gdb->packet_length++] = (char)c;
}

static void packet_start(struct gdb *gdb)
{
	gdb->input = GDB_INPUT_DATA;
	gdb->packet_length = 0;
	gdb->is_too_long = false;
	gdb->sum = 0;
}

static int digit_of(uint8_t c)
{
	struct gdb_cursor cursor = { (const char *)&c, (const char *)&c + 1 };
	uint64_t value;

	return gdb_get_number(&cursor, &value) ? (int)value : -1;
}

static void packet_done(struct gdb *gdb, bool is_good)
{
	gdb->input = GDB_INPUT_IDLE;
	gdb->packet[gdb->packet_length] = 0;
	is_good = is_good && gdb->sum == gdb->sum_sent;
	if (gdb->has_acks)
		output_char(gdb, is_good ? '+' : '-');
	if (!is_good)
		return;
	if (gdb->is_too_long)
		gdb_packet_send(gdb, "E16");
	else
		gdb_packet_handle(gdb);
}

static void input_idle(struct gdb *gdb, uint8_t c)
{
	if (c == '$')
		packet_start(gdb);
	else if (c == INTERRUPT)
		gdb_interrupt(gdb);
	else if (c == '-' && gdb->has_acks)
		gdb_packet_resend(gdb);
}

static void input_data(struct gdb *gdb, uint8_t c)
{
	if (c == '$') {
		packet_start(gdb); /* the end of the one before was lost */
		return;
	}
	if (c == '#') {
		gdb->input = GDB_INPUT_CHECK1;
		return;
	}
	gdb->sum += c;
	if (c == ESCAPE)
		gdb->input = GDB_INPUT_ESCAPE;
	else
		packet_char(gdb, c);
}

static void input_byte(struct gdb *gdb, uint8_t c)
{
	int digit = digit_of(c);

	switch (gdb->input) {
	case GDB_INPUT_IDLE:
		input_idle(gdb, c);
		break;
	case GDB_INPUT_DATA:
		input_data(gdb, c);
		break;
	case GDB_INPUT_ESCAPE:
		gdb->sum += c;
		gdb->input = GDB_INPUT_DATA;
		packet_char(gdb, c ^ ESCAPE_FLIP);
		break;
	case GDB_INPUT_CHECK1:
		gdb->sum_sent = (uint8_t)((digit & 15) << 4);
		gdb->input = GDB_INPUT_CHECK2;
		if (digit < 0)
			packet_done(gdb, false);
		break;
	case GDB_INPUT_CHECK2:
		gdb->sum_sent |= (uint8_t)(digit & 15);
		packet_done(gdb, digit >= 0);
		break;
	}
}

/* One packet at a time: its answer first goes away. */
static void input_work(struct gdb *gdb)
{
	while (gdb->queue_count && is_output_taken(gdb) &&
	       gdb->state >= GDB_RUNNING) {
		uint8_t c = gdb->queue[gdb->queue_first];

		gdb->queue_first = (gdb->queue_first + 1) % GDB_INPUT_MAX;
		gdb->queue_count--;
		input_byte(gdb, c);
	}
}

void gdb_input(struct gdb *gdb, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	if (gdb->state <= GDB_HELD)
		return;
	for (size_t i = 0; i < size; i++) {
		if (gdb->queue_count == GDB_INPUT_MAX)
			input_work(gdb);
		if (gdb->queue_count == GDB_INPUT_MAX)
			return;
		gdb->queue[(gdb->queue_first + gdb->queue_count++) %
			   GDB_INPUT_MAX] = bytes[i];
	}
	input_work(gdb);
}

size_t gdb_output(struct gdb *gdb, void *data, size_t size)
{
	size_t n;

	input_work(gdb);
	n = MIN(size, gdb->output_length - gdb->output_taken);
	memcpy(data, gdb->output + gdb->output_taken, n);
	gdb->output_taken += n;
	return n;
}
