/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the GDB remote protocol share: machine/gdb.h. */
#ifndef BULKHEAD_MACHINE_GDB_INTERNAL_H
#define BULKHEAD_MACHINE_GDB_INTERNAL_H

#include "machine/gdb.h"

/* ---- machine/gdb_text.c: text and numbers -------------------------------- */

void gdb_put(struct gdb_text *text, const char *string);
void gdb_put_char(struct gdb_text *text, char c);
void gdb_put_number(struct gdb_text *text, uint64_t value); /* in hex */
void gdb_put_decimal(struct gdb_text *text, uint64_t value);
/* Two digits a byte. */
void gdb_put_bytes(struct gdb_text *text, const void *data, size_t size);

/* A place in a packet.  What fails leaves it where it was. */
struct gdb_cursor {
	const char *at, *end;
};

/* 1 to 16 hex digits. */
bool __must_check gdb_get_number(struct gdb_cursor *cursor, uint64_t *value);
/* Exactly size bytes of two digits. */
bool __must_check gdb_get_bytes(struct gdb_cursor *cursor, void *data,
				size_t size);
bool __must_check gdb_get_char(struct gdb_cursor *cursor, char c);
/* The string is next. */
bool __must_check gdb_get(struct gdb_cursor *cursor, const char *string);
static inline size_t gdb_left(const struct gdb_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

/* ---- machine/gdb_packet.c: frames ---------------------------------------- */

/* Into gdb->text goes what the next packet holds. */
void gdb_packet_begin(struct gdb *gdb);
void gdb_packet_end(struct gdb *gdb);
/* One of nothing but that. */
void gdb_packet_send(struct gdb *gdb, const char *string);
/* The last one once more. */
void gdb_packet_resend(struct gdb *gdb);

/* ---- machine/gdb.c ------------------------------------------------------- */

/* gdb->packet is whole. */
void gdb_packet_handle(struct gdb *gdb);
void gdb_interrupt(struct gdb *gdb);

/* ---- machine/gdb_registers.c --------------------------------------------- */

#define GDB_REGISTER_MAX 16 /* bytes */

struct gdb_register;

/* Of the description that this debugger has been given, in its order. */
const struct gdb_register *gdb_registers(const struct gdb *gdb,
					 unsigned *count);
const struct gdb_register *gdb_register_at(const struct gdb_register *regs,
					   unsigned n);
unsigned gdb_register_size(const struct gdb_register *reg);
void gdb_register_read(struct gdb *gdb, const struct gdb_register *reg,
		       uint8_t *value);
/* -EINVAL, -EPERM. */
int __must_check gdb_register_write(struct gdb *gdb,
				    const struct gdb_register *reg,
				    const uint8_t *value);
/* The description as XML. */
void gdb_registers_describe(const struct gdb *gdb, struct gdb_text *text);

/* ---- machine/gdb_monitor.c ----------------------------------------------- */

/* A line of `monitor`; what it says goes to text. */
void gdb_monitor(struct gdb *gdb, char *line, struct gdb_text *text);
/* What a stop by `monitor catch` was. */
void gdb_catch_describe(const struct gdb_stop *stop, struct gdb_text *text);

#endif
