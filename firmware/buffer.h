/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded little-endian writer for tables.  It never writes past its end:
 * it goes into overflow instead, which is asked once, at the end.
 */
#ifndef BULKHEAD_FIRMWARE_BUFFER_H
#define BULKHEAD_FIRMWARE_BUFFER_H

#include "include/compiler.h"
#include "lib/string.h"

struct buffer {
	uint8_t *data;
	uint32_t size;
	uint32_t length;
	bool is_overflown;
};

/* Zeroed room for n bytes, or NULL on overflow. */
static inline void *buffer_take(struct buffer *b, uint32_t n)
{
	uint8_t *at = b->data + b->length;

	if (b->is_overflown || n > b->size - b->length) {
		b->is_overflown = true;
		return NULL;
	}
	b->length += n;
	return memset(at, 0, n);
}

static inline void buffer_bytes(struct buffer *b, const void *from, uint32_t n)
{
	void *to = buffer_take(b, n);

	if (to)
		memcpy(to, from, n);
}

static inline void buffer_u8(struct buffer *b, uint8_t value)
{
	buffer_bytes(b, &value, 1);
}

static inline void buffer_u16(struct buffer *b, uint16_t value)
{
	buffer_bytes(b, &value, 2);
}

static inline void buffer_u32(struct buffer *b, uint32_t value)
{
	buffer_bytes(b, &value, 4);
}

/* The text and its terminating zero. */
static inline void buffer_string(struct buffer *b, const char *text)
{
	buffer_bytes(b, text, (uint32_t)strlen(text) + 1);
}

static inline void buffer_align(struct buffer *b, uint32_t alignment)
{
	(void)buffer_take(b, -b->length & (alignment - 1));
}

/* The value that makes all n bytes sum to 0, if added to one of them. */
static inline uint8_t checksum_of(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (n--)
		sum += *p++;
	return (uint8_t)-sum;
}

#endif
