/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the control protocol, made as docs/control.md says. */
#ifndef BULKHEAD_TESTS_LINK_TEST_H
#define BULKHEAD_TESTS_LINK_TEST_H

#include <stdint.h>
#include <string.h>

#include "include/compiler.h"

/* Bit by bit. */
static __maybe_unused uint32_t frame_crc(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint32_t crc = UINT32_MAX;

	while (length--) {
		crc ^= *at++;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* At to there is room; how long it has become. */
static __maybe_unused size_t frame_make(uint8_t *to, uint8_t kind,
					const void *payload, uint32_t length)
{
	uint32_t crc;

	to[0] = 0xc5;
	to[1] = 0x5a;
	to[2] = kind;
	memcpy(to + 4, &length, sizeof(length));
	to[3] = 0xff ^ kind ^ to[4] ^ to[5] ^ to[6] ^ to[7];
	memcpy(to + 8, payload, length);
	crc = frame_crc(to + 2, 6 + length);
	memcpy(to + 8 + length, &crc, sizeof(crc));
	return 12 + length;
}

#endif
