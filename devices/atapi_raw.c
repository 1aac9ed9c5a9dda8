/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole sectors for READ CD: what a data disc in mode 1 has around its 2048
 * bytes, made as a drive that wrote them would have.
 *
 *	0	12	sync pattern
 *	12	4	header: minute, second, frame in BCD, mode
 *	16	2048	user data
 *	2064	4	EDC, a CRC of all before
 *	2068	8	zeros
 *	2076	172	P parity, of 86 columns of 24 bytes from the header on
 *	2248	104	Q parity, of 52 diagonals of 43 bytes, P included
 *
 * In the field of 256 elements of 11Dh a code word's sum is 0, and so is the
 * sum of its bytes weighted with powers of 2, of which the last one's is 1.
 *
 * References: ECMA-130, clause 14 and annex A; MMC-4, "READ CD".
 */
#include "devices/atapi_internal.h"

#include "lib/string.h"

#define SECTOR	  2352U
#define SYNC	  12U
#define HEADER	  4U
#define EDC	  2064U
#define P_PARITY  2076U
#define Q_PARITY  2248U
#define P_COLUMNS 86U
#define P_ROWS	  24U
#define Q_LINES	  52U
#define Q_LENGTH  43U

#define EDC_POLYNOMIAL 0xd8018001U /* lowest bit first */
#define FIELD_OVERFLOW 0x11dU
#define FIELD_THIRD    0xf4U /* 1 / 3 */

/* Which of the fields a packet wants. */
#define WANTS_SYNC   BIT(7)
#define WANTS_HEADER BIT(5)
#define WANTS_USER   BIT(4)
#define WANTS_PARITY BIT(3)

bool atapi_raw_is_legal(uint8_t fields)
{
	if (fields & WANTS_SYNC && fields & WANTS_USER &&
	    !(fields & WANTS_HEADER))
		return false; /* not in one piece */
	return fields & WANTS_USER || !(fields & WANTS_PARITY);
}

uint32_t atapi_raw_size(uint8_t fields)
{
	return (fields & WANTS_SYNC ? SYNC : 0) +
	       (fields & WANTS_HEADER ? HEADER : 0) +
	       (fields & WANTS_USER ? ATAPI_SECTOR : 0) +
	       (fields & WANTS_PARITY ? SECTOR - EDC : 0);
}

static void edc_put(uint8_t *sector)
{
	uint32_t edc = 0;

	for (unsigned i = 0; i < EDC; i++) {
		edc ^= sector[i];
		for (unsigned bit = 0; bit < 8; bit++)
			edc = edc >> 1 ^ (edc & 1 ? EDC_POLYNOMIAL : 0);
	}
	for (unsigned i = 0; i < 4; i++)
		sector[EDC + i] = (uint8_t)(edc >> 8 * i);
}

static uint8_t field_double(uint8_t value)
{
	return (uint8_t)(value << 1 ^ (value & 0x80 ? FIELD_OVERFLOW : 0));
}

static uint8_t field_multiply(uint8_t a, uint8_t b)
{
	uint8_t product = 0;

	for (; b; b >>= 1, a = field_double(a))
		if (b & 1)
			product ^= a;
	return product;
}

struct parity {
	uint8_t sum, weighted;
};

static void parity_add(struct parity *parity, uint8_t byte)
{
	parity->sum ^= byte;
	parity->weighted = field_double(parity->weighted) ^ byte;
}

/* The two bytes that make both sums 0; their weights are 2 and 1. */
static void parity_put(const struct parity *parity, uint8_t *first,
		       uint8_t *second)
{
	uint8_t weighted = field_double(field_double(parity->weighted));

	*first = field_multiply(parity->sum ^ weighted, FIELD_THIRD);
	*second = parity->sum ^ *first;
}

static void p_put(uint8_t *sector)
{
	for (unsigned column = 0; column < P_COLUMNS; column++) {
		uint8_t *to = sector + P_PARITY + column;
		struct parity parity = { 0 };

		for (unsigned row = 0; row < P_ROWS; row++)
			parity_add(&parity,
				   sector[SYNC + row * P_COLUMNS + column]);
		parity_put(&parity, to, to + P_COLUMNS);
	}
}

/* Words of two bytes, 43 a row: a diagonal goes a row down and one right. */
static void q_put(uint8_t *sector)
{
	const unsigned area = Q_LINES / 2 * P_COLUMNS;

	for (unsigned line = 0; line < Q_LINES; line++) {
		unsigned at = line / 2 * P_COLUMNS + line % 2;
		uint8_t *to = sector + Q_PARITY + line;
		struct parity parity = { 0 };

		for (unsigned i = 0; i < Q_LENGTH; i++) {
			parity_add(&parity, sector[SYNC + at]);
			at = (at + P_COLUMNS + 2) % area;
		}
		parity_put(&parity, to, to + Q_LINES);
	}
}

static uint8_t bcd(uint8_t value)
{
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static void sector_make(uint8_t *sector, uint32_t block, const uint8_t *user)
{
	uint8_t *header = sector + SYNC;

	memset(sector, 0, SECTOR);
	memset(sector + 1, 0xff, SYNC - 2);
	atapi_msf_put(header, block);
	for (unsigned i = 0; i < 3; i++)
		header[i] = bcd(header[i]);
	header[3] = 1; /* mode */
	memcpy(sector + SYNC + HEADER, user, ATAPI_SECTOR);
	edc_put(sector);
	p_put(sector);
	q_put(sector);
}

static uint8_t *piece_put(uint8_t *to, const uint8_t *sector, uint32_t at,
			  uint32_t length)
{
	memcpy(to, sector + at, length);
	return to + length;
}

static void fields_put(uint8_t *to, uint8_t fields, const uint8_t *sector)
{
	if (fields & WANTS_SYNC)
		to = piece_put(to, sector, 0, SYNC);
	if (fields & WANTS_HEADER)
		to = piece_put(to, sector, SYNC, HEADER);
	if (fields & WANTS_USER)
		to = piece_put(to, sector, SYNC + HEADER, ATAPI_SECTOR);
	if (fields & WANTS_PARITY)
		piece_put(to, sector, EDC, SECTOR - EDC);
}

uint32_t atapi_raw_make(uint8_t *buffer, uint8_t fields, uint32_t block,
			uint32_t count)
{
	uint32_t size = atapi_raw_size(fields);
	uint8_t sector[SECTOR];

	for (uint32_t i = 0; i < count; i++) {
		/* In the order that leaves what is still to be read. */
		uint32_t at = size > ATAPI_SECTOR ? count - 1 - i : i;

		sector_make(sector, block + at, buffer + at * ATAPI_SECTOR);
		fields_put(buffer + at * size, fields, sector);
	}
	return count * size;
}
