/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the control protocol, made as docs/control.md says. */
#ifndef BULKHEAD_TESTS_LINK_TEST_H
#define BULKHEAD_TESTS_LINK_TEST_H

#include <stdint.h>
#include <string.h>

#include "include/compiler.h"

static __maybe_unused uint32_t frame_crc(const void *bytes, size_t length)
{
	static uint32_t table[256];
	const uint8_t *at = bytes;
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		table[i] = i;
		for (unsigned bit = 0; bit < 8; bit++)
			table[i] =
				table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
	}
	while (length--)
		crc = crc >> 8 ^ table[(crc ^ *at++) & 255];
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
