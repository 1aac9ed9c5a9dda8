/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GUID partition tables.  The backup, in the drive's last block, is read when
 * the primary header or its entries are bad.
 */
#include "services/disk/partitions_inner.h"

#include "lib/printf.h"
#include "lib/string.h"

#define HEADER_SIZE	    12
#define HEADER_CRC	    16
#define HEADER_MY_LBA	    24
#define HEADER_FIRST_USABLE 40
#define HEADER_LAST_USABLE  48
#define HEADER_DISK_GUID    56
#define HEADER_ENTRIES	    72
#define HEADER_ENTRY_COUNT  80
#define HEADER_ENTRY_SIZE   84
#define HEADER_ENTRIES_CRC  88
#define HEADER_SIZE_MIN	    92

#define ENTRY_TYPE     0
#define ENTRY_GUID     16
#define ENTRY_FIRST    32
#define ENTRY_LAST     40
#define ENTRY_NAME     56 /* 36 code units of UTF-16 */
#define ENTRY_SIZE_MIN 128

#define ENTRIES_MAX    1024
#define ENTRY_SIZE_MAX 4096

struct gpt {
	uint64_t first_usable, last_usable;
	uint64_t entries; /* block */
	uint32_t count, size, crc;
	uint8_t guid[16];
};

/* CRC-32 of ISO 3309, a byte at a time; begins with and is inverted. */
static uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, size_t length)
{
	while (length--) {
		crc ^= *bytes++;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return crc;
}

/* The first three fields are little-endian numbers, the others bytes. */
static void guid_text(char text[PARTITION_UUID_SIZE], const uint8_t *guid)
{
	snprintf(text, PARTITION_UUID_SIZE,
		 "%08x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 le32(guid), guid[5], guid[4], guid[7], guid[6], guid[8],
		 guid[9], guid[10], guid[11], guid[12], guid[13], guid[14],
		 guid[15]);
}

/* ---- The header ---------------------------------------------------------- */

static bool header_is_sound(uint8_t *block, uint64_t at,
			    const struct table_reader *reader)
{
	uint32_t size = le32(block + HEADER_SIZE);
	uint32_t crc = le32(block + HEADER_CRC);

	if (memcmp(block, "EFI PART", 8) || size < HEADER_SIZE_MIN ||
	    size > reader->block_size)
		return false;
	memset(block + HEADER_CRC, 0, sizeof(crc));
	return ~crc32_add(~0u, block, size) == crc &&
	       le64(block + HEADER_MY_LBA) == at;
}

static bool bounds_are_sound(const struct gpt *gpt,
			     const struct table_reader *reader)
{
	uint64_t blocks;

	if (gpt->size < ENTRY_SIZE_MIN || gpt->size > ENTRY_SIZE_MAX ||
	    gpt->size & (gpt->size - 1) || gpt->count > ENTRIES_MAX)
		return false;
	blocks = DIV_ROUND_UP((uint64_t)gpt->count * gpt->size,
			      reader->block_size);
	return gpt->entries >= 2 && gpt->entries < reader->block_count &&
	       blocks <= reader->block_count - gpt->entries &&
	       gpt->first_usable >= 2 &&
	       gpt->first_usable <= gpt->last_usable &&
	       gpt->last_usable < reader->block_count - 1 &&
	       (gpt->entries + blocks <= gpt->first_usable ||
		gpt->entries > gpt->last_usable);
}

static bool entries_are_sound(const struct gpt *gpt,
			      const struct table_reader *reader)
{
	uint64_t left = (uint64_t)gpt->count * gpt->size;
	uint8_t block[TABLE_BLOCK_MAX];
	uint32_t crc = ~0u;

	for (uint64_t at = gpt->entries; left; at++) {
		uint64_t n = MIN(left, reader->block_size);

		if (reader->read(reader->ctx, at, block))
			return false;
		crc = crc32_add(crc, block, n);
		left -= n;
	}
	return ~crc == gpt->crc;
}

static bool gpt_find(struct gpt *gpt, uint64_t at,
		     const struct table_reader *reader)
{
	uint8_t block[TABLE_BLOCK_MAX];

	if (reader->read(reader->ctx, at, block) ||
	    !header_is_sound(block, at, reader))
		return false;
	*gpt = (struct gpt){
		.first_usable = le64(block + HEADER_FIRST_USABLE),
		.last_usable = le64(block + HEADER_LAST_USABLE),
		.entries = le64(block + HEADER_ENTRIES),
		.count = le32(block + HEADER_ENTRY_COUNT),
		.size = le32(block + HEADER_ENTRY_SIZE),
		.crc = le32(block + HEADER_ENTRIES_CRC),
	};
	memcpy(gpt->guid, block + HEADER_DISK_GUID, sizeof(gpt->guid));
	return bounds_are_sound(gpt, reader) && entries_are_sound(gpt, reader);
}

/* ---- Entries ------------------------------------------------------------- */

static unsigned utf8_put(char *to, uint32_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	to[0] = (char)(0xe0 | code >> 12);
	to[1] = (char)(0x80 | (code >> 6 & 0x3f));
	to[2] = (char)(0x80 | (code & 0x3f));
	return 3;
}

/* Surrogates, which no label needs, and controls become '?'. */
static void label_read(char label[PARTITION_LABEL_SIZE], const uint8_t *name)
{
	unsigned length = 0;

	for (unsigned i = 0; i < 36; i++) {
		uint32_t code = name[2 * i] | (uint32_t)name[2 * i + 1] << 8;

		if (!code)
			break;
		if (code < 0x20 || (code >= 0x7f && code < 0xa0) ||
		    (code >= 0xd800 && code < 0xe000))
			code = '?';
		length += utf8_put(label + length, code);
	}
	label[length] = 0;
}

static void entry_read(struct partition_table *table,
		       const struct table_reader *reader, const struct gpt *gpt,
		       uint32_t number, const uint8_t *entry)
{
	static const uint8_t unused[16];
	uint64_t first = le64(entry + ENTRY_FIRST);
	uint64_t last = le64(entry + ENTRY_LAST);
	struct partition *partition;

	if (!memcmp(entry + ENTRY_TYPE, unused, sizeof(unused)))
		return;
	/* One that ends before it begins has no count that could be right. */
	partition = table_add(table, reader, number, first,
			      last >= first ? last - first + 1 : UINT64_MAX,
			      gpt->first_usable, gpt->last_usable + 1);
	if (!partition)
		return;
	guid_text(partition->uuid, entry + ENTRY_GUID);
	label_read(partition->label, entry + ENTRY_NAME);
}

/* Entries are not larger than TABLE_BLOCK_MAX, and are powers of two as blocks
 * are: one is in one block, or in several whole ones. */
static void entries_read(struct partition_table *table,
			 const struct table_reader *reader,
			 const struct gpt *gpt)
{
	uint8_t block[TABLE_BLOCK_MAX];

	for (uint32_t i = 0; i < gpt->count; i++) {
		uint64_t at = (uint64_t)i * gpt->size;
		uint64_t offset = at % reader->block_size;

		/* What is used of an entry is in its first 128 bytes. */
		if ((!offset || !i) &&
		    reader->read(reader->ctx,
				 gpt->entries + at / reader->block_size,
				 block)) {
			table->reason = "its entries cannot be read";
			return;
		}
		entry_read(table, reader, gpt, i + 1, block + offset);
	}
}

void gpt_read(struct partition_table *table, const struct table_reader *reader)
{
	struct gpt gpt;

	table->kind = TABLE_GPT;
	if (reader->block_count < 3) {
		table->reason = "the drive is too small for a GPT";
		return;
	}
	if (!gpt_find(&gpt, 1, reader)) {
		table->is_backup = true;
		if (!gpt_find(&gpt, reader->block_count - 1, reader)) {
			table->reason = "both copies of its GPT are bad";
			return;
		}
	}
	guid_text(table->uuid, gpt.guid);
	entries_read(table, reader, &gpt);
}
