/* SPDX-License-Identifier: BSD-2-Clause */
/* See link.h. */
#include "services/seat/link.h"

#include "lib/string.h"

#define BEGIN_FIRST  0xc5
#define BEGIN_SECOND 0x5a
#define AT_KIND	     2
#define AT_CHECK     3
#define AT_LENGTH    4

void link_init(struct link *link)
{
	link->received = link->taken = 0;
	link->is_waiting = false;
	link->head = link->tail = 0;
	link->noise = 0;
}

/* ---- CRC-32 (ISO 3309), four bits at a time ------------------------------ */

static uint32_t crc_add(uint32_t crc, const uint8_t *bytes, size_t length)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

static uint32_t crc_of(const uint8_t *bytes, size_t length)
{
	return ~crc_add(UINT32_MAX, bytes, length);
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
	    crc_of(in + AT_KIND, LINK_HEAD - AT_KIND + *length))
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
	link->crc = crc_add(UINT32_MAX, head + AT_KIND, LINK_HEAD - AT_KIND);
	put(link, head, sizeof(head));
}

void link_add(struct link *link, const void *bytes, size_t length)
{
	link->crc = crc_add(link->crc, bytes, length);
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
