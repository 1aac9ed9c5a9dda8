/* SPDX-License-Identifier: BSD-2-Clause */
/* See link.h. */
#include "services/seat/link.h"

#include "lib/string.h"

#define BEGIN_FIRST  0xc5
#define BEGIN_SECOND 0x5a
#define AT_KIND	     2
#define AT_CHECK     3
#define AT_LENGTH    4

/* ---- CRC-32 (ISO 3309), eight bytes at a time ---------------------------- */

#define POLYNOMIAL 0xedb88320 /* its lowest bit is x^31 */

static void slices_make(struct link *link)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		link->slice[0][byte] = crc;
	}
	for (unsigned k = 1; k < LINK_SLICES; k++)
		for (uint32_t byte = 0; byte < 256; byte++) {
			uint32_t crc = link->slice[k - 1][byte];

			link->slice[k][byte] =
				crc >> 8 ^ link->slice[0][crc & 0xff];
		}
}

/* Of four bytes, with so many bytes behind them. */
static uint32_t crc_four(const struct link *link, uint32_t value,
			 unsigned behind)
{
	const uint32_t(*slice)[256] = &link->slice[behind];

	return slice[3][value & 0xff] ^ slice[2][value >> 8 & 0xff] ^
	       slice[1][value >> 16 & 0xff] ^ slice[0][value >> 24];
}

static uint32_t crc_eight(const struct link *link, uint32_t crc,
			  const uint8_t *bytes)
{
	uint32_t value[2];

	/* Not a call, for two words. */
	__builtin_memcpy(value, bytes, sizeof(value));
	return crc_four(link, value[0] ^ crc, 4) ^ crc_four(link, value[1], 0);
}

static uint32_t crc_add(const struct link *link, uint32_t crc,
			const uint8_t *bytes, size_t length)
{
	for (; length >= LINK_SLICES; length -= LINK_SLICES) {
		crc = crc_eight(link, crc, bytes);
		bytes += LINK_SLICES;
	}
	while (length--)
		crc = crc >> 8 ^ link->slice[0][(crc ^ *bytes++) & 0xff];
	return crc;
}

static uint32_t crc_of(const struct link *link, const uint8_t *bytes,
		       size_t length)
{
	return ~crc_add(link, UINT32_MAX, bytes, length);
}

void link_clear(struct link *link)
{
	link->received = link->taken = 0;
	link->is_waiting = false;
	link->head = link->tail = 0;
	link->noise = 0;
}

void link_init(struct link *link)
{
	link_clear(link);
	slices_make(link);
}

static uint8_t head_check(const uint8_t *head)
{
	uint8_t check = 0xff ^ head[AT_KIND];

	for (unsigned i = AT_LENGTH; i < LINK_HEAD; i++)
		check ^= head[i];
	return check;
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* ---- Receiving ----------------------------------------------------------- */

size_t link_wants(const struct link *link)
{
	return sizeof(link->in) - (link->received - link->taken);
}

static void drop(struct link *link, uint32_t count)
{
	link->received -= count;
	link->is_waiting = false;
	memmove(link->in, link->in + count, link->received);
}

static void drop_taken(struct link *link)
{
	if (link->taken)
		drop(link, link->taken);
	link->taken = 0;
}

void link_received(struct link *link, const void *bytes, size_t length)
{
	drop_taken(link);
	length = MIN(length, sizeof(link->in) - link->received);
	memcpy(link->in + link->received, bytes, length);
	link->received += (uint32_t)length;
}

enum verdict { IS_FRAME, IS_NONE, IS_UNFINISHED };

/* What begins at the first byte. */
static enum verdict judge(const struct link *link, uint32_t *length)
{
	const uint8_t *in = link->in;
	uint32_t received = link->received;

	if (received && in[0] != BEGIN_FIRST)
		return IS_NONE;
	if (received > 1 && in[1] != BEGIN_SECOND)
		return IS_NONE;
	if (received < LINK_HEAD)
		return IS_UNFINISHED;
	*length = get32(in + AT_LENGTH);
	if (in[AT_CHECK] != head_check(in) || *length > LINK_RECEIVE_MAX ||
	    (in[AT_KIND] != LINK_JSON && in[AT_KIND] != LINK_BINARY))
		return IS_NONE;
	if (received < LINK_HEAD + *length + LINK_TAIL)
		return IS_UNFINISHED;
	if (get32(in + LINK_HEAD + *length) !=
	    crc_of(link, in + AT_KIND, LINK_HEAD - AT_KIND + *length))
		return IS_NONE;
	return IS_FRAME;
}

/* It may still come to its end. */
static bool is_patient(struct link *link, uint64_t now_ns)
{
	if (!link->is_waiting)
		link->waiting_ns = now_ns;
	link->is_waiting = true;
	return now_ns - link->waiting_ns < LINK_PATIENCE_NS;
}

/* On to the next byte that may be a beginning. */
static void pass_over(struct link *link)
{
	uint32_t count = 1;

	while (count < link->received && link->in[count] != BEGIN_FIRST)
		count++;
	link->noise += count;
	drop(link, count);
}

bool link_next(struct link *link, struct link_frame *frame, uint64_t now_ns)
{
	uint32_t length = 0;

	drop_taken(link);
	while (link->received) {
		enum verdict verdict = judge(link, &length);

		if (verdict == IS_FRAME) {
			frame->kind = link->in[AT_KIND];
			frame->payload = link->in + LINK_HEAD;
			frame->length = length;
			link->taken = LINK_HEAD + length + LINK_TAIL;
			return true;
		}
		if (verdict == IS_UNFINISHED && is_patient(link, now_ns))
			return false;
		pass_over(link);
	}
	return false;
}

uint64_t link_deadline(const struct link *link)
{
	return link->is_waiting ? link->waiting_ns + LINK_PATIENCE_NS
				: UINT64_MAX;
}

/* ---- Sending ------------------------------------------------------------- */

uint32_t link_queued(const struct link *link)
{
	return link->head - link->tail;
}

bool link_has_room(const struct link *link, uint32_t length)
{
	return LINK_SEND_BUFFER - link_queued(link) >=
	       LINK_HEAD + length + LINK_TAIL;
}

static void put(struct link *link, const void *bytes, size_t length)
{
	uint32_t at = link->head % LINK_SEND_BUFFER;
	size_t first = MIN(length, (size_t)LINK_SEND_BUFFER - at);

	memcpy(link->out + at, bytes, first);
	memcpy(link->out, (const uint8_t *)bytes + first, length - first);
	link->head += (uint32_t)length;
}

void link_begin(struct link *link, enum link_kind kind, uint32_t length)
{
	uint8_t head[LINK_HEAD] = { BEGIN_FIRST, BEGIN_SECOND, (uint8_t)kind };

	memcpy(head + AT_LENGTH, &length, sizeof(length));
	head[AT_CHECK] = head_check(head);
	link->crc =
		crc_add(link, UINT32_MAX, head + AT_KIND, LINK_HEAD - AT_KIND);
	put(link, head, sizeof(head));
}

void link_add(struct link *link, const void *bytes, size_t length)
{
	link->crc = crc_add(link, link->crc, bytes, length);
	put(link, bytes, length);
}

void link_end(struct link *link)
{
	uint32_t crc = ~link->crc;

	put(link, &crc, sizeof(crc));
}

const void *link_pending(const struct link *link, size_t *length)
{
	uint32_t at = link->tail % LINK_SEND_BUFFER;

	*length = MIN(link_queued(link), LINK_SEND_BUFFER - at);
	return link->out + at;
}

void link_sent(struct link *link, size_t length)
{
	link->tail += (uint32_t)length;
}
