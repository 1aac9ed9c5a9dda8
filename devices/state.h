/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a device's state is described.
 *
 *	struct pic_state {
 *		struct pic_chip chip[2];
 *		bool out_level;
 *		uint8_t reserved[7];
 *	};
 *
 *	static const struct state_field fields[] = {
 *		STATE_STRUCTS(struct pic_state, chip, &pic_chip_description),
 *		STATE_VALUE(struct pic_state, out_level),
 *		STATE_RESERVED(struct pic_state, reserved),
 *	};
 *	static const struct state_description description =
 *		STATE_DESCRIPTION(struct pic_state, fields);
 *
 * A state is plain data: integers of fixed width, enums without negative
 * values, bools, arrays of them, and structs of the same.  The table names its
 * members in their order and leaves no byte out: where the compiler would pad,
 * there is a reserved member (state_check() wants it so, tests/unit/
 * test_state.c asks it for every device).  Offset, width, count and kind come
 * from the member itself; one that fits no macro does not compile.
 *
 * After the member may stand:
 *
 *	.reset = value		of each element after a reset, 0 unless given
 *	.max = limit, .min = limit
 *				what may be loaded; no .max: anything.  An
 *				index, a count, a divisor or an enum has one,
 *				for a saved image is not to be trusted.
 *	.flags = STATE_KEPT	lives through a reset; .reset is its value at
 *				power-on.  So do inputs from other devices.
 *
 * What two members have to do with each other, device_ops.is_valid() checks.
 *
 * In an image every field has its name, width and number of elements, integers
 * are little-endian.  Names are those of the members: renaming one, or changing
 * its meaning, is a new version of the device.
 */
#ifndef BULKHEAD_DEVICES_STATE_H
#define BULKHEAD_DEVICES_STATE_H

#include "include/compiler.h"

enum state_kind {
	STATE_UNSIGNED,
	STATE_SIGNED,
	STATE_BOOL,
	STATE_NESTED, /* a struct */
	STATE_PAD,    /* not saved, always 0 */
};

#define STATE_KEPT BIT(0)

struct state_field {
	const char *name;
	uint32_t offset; /* bytes from the start of the struct */
	uint32_t size;	 /* bytes of an element */
	uint32_t count;	 /* elements */
	uint8_t kind;	 /* enum state_kind */
	uint8_t flags;
	uint64_t reset;
	uint64_t min, max; /* sign-extended; max 0: no limits */
	const struct state_description *nested;
};

struct state_description {
	const char *name; /* of the struct, for people */
	uint32_t size;
	uint32_t field_count;
	const struct state_field *field;
};

#define STATE_DESCRIPTION(type, fields)                              \
	{                                                            \
		.name = #type, .size = sizeof(type),                 \
		.field_count = ARRAY_SIZE(fields), .field = (fields) \
	}

/* clang-format off */
/* An array has no kind, nor has a pointer: neither compiles. */
#define STATE_KIND(value) _Generic((value), \
	bool: STATE_BOOL, \
	uint8_t: STATE_UNSIGNED, \
	uint16_t: STATE_UNSIGNED, \
	uint32_t: STATE_UNSIGNED, \
	uint64_t: STATE_UNSIGNED, \
	int8_t: STATE_SIGNED, \
	int16_t: STATE_SIGNED, \
	int32_t: STATE_SIGNED, \
	int64_t: STATE_SIGNED)
/* clang-format on */

#define STATE_MEMBER(type, member) (((type *)0)->member)

#define STATE_ELEMENTS(type, member, element, element_kind) \
	.name = #member, .offset = offsetof(type, member),  \
	.size = sizeof(STATE_MEMBER(type, element)),        \
	.count = sizeof(STATE_MEMBER(type, member)) /       \
		 sizeof(STATE_MEMBER(type, element)),       \
	.kind = (element_kind)

/* An integer, an enum or a bool; an array of them; a table of two dimensions.*/
#define STATE_VALUE(type, member, ...)                                  \
	{                                                               \
		STATE_ELEMENTS(type, member, member,                    \
			       STATE_KIND(STATE_MEMBER(type, member))), \
			__VA_ARGS__                                     \
	}
#define STATE_ARRAY(type, member, ...)                                     \
	{                                                                  \
		STATE_ELEMENTS(type, member, member[0],                    \
			       STATE_KIND(STATE_MEMBER(type, member[0]))), \
			__VA_ARGS__                                        \
	}
#define STATE_TABLE(type, member, ...)                                        \
	{                                                                     \
		STATE_ELEMENTS(type, member, member[0][0],                    \
			       STATE_KIND(STATE_MEMBER(type, member[0][0]))), \
			__VA_ARGS__                                           \
	}
/* A struct; an array of structs. */
#define STATE_STRUCT(type, member, description, ...)                \
	{                                                           \
		STATE_ELEMENTS(type, member, member, STATE_NESTED), \
			.nested = (description), __VA_ARGS__        \
	}
#define STATE_STRUCTS(type, member, description, ...)                  \
	{                                                              \
		STATE_ELEMENTS(type, member, member[0], STATE_NESTED), \
			.nested = (description), __VA_ARGS__           \
	}
#define STATE_RESERVED(type, member)                               \
	{                                                          \
		STATE_ELEMENTS(type, member, member[0], STATE_PAD) \
	}

enum state_reset {
	STATE_RESET_POWER_ON, /* every field */
	STATE_RESET_WARM,     /* all but the kept ones */
};

void state_reset(const struct state_description *description, void *state,
		 enum state_reset kind);

/* ---- Images ------------------------------------------------------------ */

/* Counts on past the end of its room, without writing. */
struct state_writer {
	uint8_t *to;
	size_t size;
	size_t length;
};

void state_write_integer(struct state_writer *writer, uint64_t value,
			 unsigned size);
/* Its length in a byte, then the text: up to 255 bytes. */
void state_write_text(struct state_writer *writer, const char *text);
void state_save(const struct state_description *description, const void *state,
		struct state_writer *writer);

/* The first error stays, with its reason in why; after it all reads fail. */
struct state_reader {
	const uint8_t *at;
	size_t left;
	bool has_failed;
	char *why;
	size_t why_size;
};

void state_reader_fail(struct state_reader *reader, const char *format, ...)
	__printf(2, 3);
/* 0 after an error. */
uint64_t state_read_integer(struct state_reader *reader, unsigned size);
/* Fails unless the next text is this one; what: how a complaint calls it. */
void state_read_expected(struct state_reader *reader, const char *what,
			 const char *text);
/*
 * Into state, which is half loaded after an error.  -EINVAL: why says what is
 * wrong.
 */
int __must_check state_load(const struct state_description *description,
			    void *state, struct state_reader *reader);

/* ---- Checks for tests -------------------------------------------------- */

/*
 * Whether the table describes its struct: fields in order and disjoint, no byte
 * without one, nested tables of the right size, limits and reset values that
 * fit.  -EINVAL: why says what does not.
 */
int __must_check state_check(const struct state_description *description,
			     char *why, size_t why_size);

#endif
