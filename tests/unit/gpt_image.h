/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives with partition tables, made for tests and fuzzers.
 */
#ifndef BULKHEAD_TESTS_GPT_IMAGE_H
#define BULKHEAD_TESTS_GPT_IMAGE_H

#include <stdint.h>
#include <string.h>

#include "include/errno.h"
#include "services/disk/partitions.h"

#ifndef IMAGE_BLOCKS
#define IMAGE_BLOCKS 2048u
#endif

struct image {
	uint32_t block_size;
	uint64_t block_count;
	uint64_t bad_block; /* cannot be read; UINT64_MAX: none */
	unsigned reads;
	uint8_t bytes[IMAGE_BLOCKS * 4096];
};

static inline int image_read(void *ctx, uint64_t block, void *to)
{
	struct image *image = ctx;

	image->reads++;
	if (block >= image->block_count || block == image->bad_block)
		return -EIO;
	memcpy(to, image->bytes + block * image->block_size, image->block_size);
	return 0;
}

static inline struct table_reader image_reader(struct image *image)
{
	return (struct table_reader){ image_read, image, image->block_size,
				      image->block_count };
}

static inline void put32(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static inline void put64(uint8_t *to, uint64_t value)
{
	put32(to, (uint32_t)value);
	put32(to + 4, (uint32_t)(value >> 32));
}

static inline uint32_t image_crc(const uint8_t *bytes, size_t length)
{
	static uint32_t table[256];
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (unsigned k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
		table[i] = c;
	}
	for (size_t i = 0; i < length; i++)
		crc = table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}

static inline void mbr_entry(struct image *image, uint64_t block,
			     unsigned index, uint8_t type, uint32_t first,
			     uint32_t count)
{
	uint8_t *at = image->bytes + block * image->block_size;

	at[510] = 0x55;
	at[511] = 0xaa;
	at += 446 + 16 * index;
	at[4] = type;
	put32(at + 8, first);
	put32(at + 12, count);
}

/* What gpt_make() makes; tests change it first. */
struct gpt_layout {
	uint64_t first_usable, last_usable;
	uint32_t entry_size, entry_count;
	uint64_t entries[2];  /* primary's, backup's */
	uint64_t range[8][2]; /* first, last of up to 8 entries */
	const char *label[8];
};

static inline struct gpt_layout gpt_layout(const struct image *image)
{
	uint64_t blocks = 16384 / image->block_size;

	return (struct gpt_layout){
		.first_usable = 2 + blocks,
		.last_usable = image->block_count - 2 - blocks,
		.entry_size = 128,
		.entry_count = 128,
		.entries = { 2, image->block_count - 1 - blocks },
		.range = { { 100, 199 }, { 200, 299 } },
		.label = { "root", "swap" },
	};
}

static inline void gpt_entries(struct image *image,
			       const struct gpt_layout *layout, uint64_t block)
{
	uint8_t *at = image->bytes + block * image->block_size;

	for (unsigned i = 0; i < 8; i++) {
		uint8_t *entry = at + i * layout->entry_size;

		if (!layout->range[i][0])
			continue;
		memset(entry, 0x0f, 16);
		for (unsigned n = 0; n < 16; n++)
			entry[16 + n] = (uint8_t)(i << 4 | n);
		put64(entry + 32, layout->range[i][0]);
		put64(entry + 40, layout->range[i][1]);
		for (unsigned n = 0; layout->label[i] && layout->label[i][n];
		     n++)
			entry[56 + 2 * n] = (uint8_t)layout->label[i][n];
	}
}

static inline void gpt_header(struct image *image,
			      const struct gpt_layout *layout, uint64_t block,
			      uint64_t other, uint64_t entries)
{
	uint8_t *at = image->bytes + block * image->block_size;

	memset(at, 0, image->block_size);
	memcpy(at, "EFI PART", 8);
	put32(at + 8, 0x10000);
	put32(at + 12, 92);
	put64(at + 24, block);
	put64(at + 32, other);
	put64(at + 40, layout->first_usable);
	put64(at + 48, layout->last_usable);
	memset(at + 56, 0xd5, 16);
	put64(at + 72, entries);
	put32(at + 80, layout->entry_count);
	put32(at + 84, layout->entry_size);
	if (entries < image->block_count && layout->entry_size <= 4096 &&
	    layout->entry_count <= 1024 &&
	    (uint64_t)layout->entry_count * layout->entry_size <=
		    (image->block_count - entries) * image->block_size)
		put32(at + 88,
		      image_crc(image->bytes + entries * image->block_size,
				(size_t)layout->entry_count *
					layout->entry_size));
	put32(at + 16, image_crc(at, 92));
}

static inline void gpt_make(struct image *image,
			    const struct gpt_layout *layout)
{
	uint64_t last = image->block_count - 1;

	mbr_entry(image, 0, 0, 0xee, 1, (uint32_t)last);
	for (unsigned i = 0; i < 2; i++)
		if (layout->entries[i] + 16 < image->block_count)
			gpt_entries(image, layout, layout->entries[i]);
	gpt_header(image, layout, 1, last, layout->entries[0]);
	gpt_header(image, layout, last, 1, layout->entries[1]);
}

static inline void image_init(struct image *image, uint32_t block_size)
{
	memset(image, 0, sizeof(*image));
	image->block_size = block_size;
	image->block_count = IMAGE_BLOCKS;
	image->bad_block = UINT64_MAX;
}

#endif
