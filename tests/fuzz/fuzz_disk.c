/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer over what the service disk reads of others: a drive's first and
 * last blocks as partition tables (input begins with an even byte), and what a
 * client writes to its channel (odd).
 *
 * A client's input is a sequence of acts: records, whole or from good ones with
 * bytes changed, bytes anywhere in the channel, requests that end in the drive,
 * time that passes, its removal.  Drives reach nothing but clients' memory,
 * what is taken is bounded, and a second client is served throughout.
 */
#define MACHINES     2
#define PIECES	     16
#define IMAGE_BLOCKS 256u

#include "tests/unit/disk_test.h"
#include "tests/unit/gpt_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* ---- Partition tables ---------------------------------------------------- */

static struct image image;

/* Tables whose checksums are right get further. */
static void crc_mend(uint64_t block)
{
	uint8_t *at = image.bytes + block * image.block_size;
	uint64_t entries = 0;
	uint32_t length;

	memcpy(&entries, at + 72, 8);
	memcpy(&length, at + 80, 4);
	if (entries < image.block_count && length <= 128)
		put32(at + 88,
		      image_crc(
			      image.bytes + entries * image.block_size,
			      MIN(length * 128, (image.block_count - entries) *
							image.block_size)));
	put32(at + 16, 0);
	memcpy(&length, at + 12, 4);
	if (length >= 92 && length <= image.block_size)
		put32(at + 16, image_crc(at, length));
}

/*
 * Byte 1: the block's size, whether the checksums are mended; then pieces of
 * the drive: block (2 bytes, small ones are likely), offset, length, bytes.
 */
static void image_build(const uint8_t *data, size_t size)
{
	image_init(&image, 512u << data[1] % 4);
	image.block_count = 64;
	if (data[1] & 4) {
		struct gpt_layout layout;

		image.block_count = 256;
		layout = gpt_layout(&image);
		gpt_make(&image, &layout);
	}
	for (size_t at = 2; at + 4 <= size;) {
		uint64_t block = data[at] % image.block_count;
		uint64_t offset = data[at + 1] * 4 % image.block_size;
		size_t n = MIN((size_t)data[at + 2] % 65, size - at - 3);

		n = MIN(n, image.block_size - offset);
		memcpy(image.bytes + block * image.block_size + offset,
		       data + at + 3, n);
		at += 3 + n;
	}
	if (data[1] & 8) {
		crc_mend(1);
		crc_mend(image.block_count - 1);
	}
}

static void fuzz_table(const uint8_t *data, size_t size)
{
	static struct partition_table table;
	struct table_reader reader;

	image_build(data, size);
	reader = image_reader(&image);
	if (partition_table_read(&table, &reader))
		return;
	CHECK(table.count <= PARTITIONS_MAX && image.reads < 5000);
	for (uint32_t i = 0; i < table.count; i++) {
		const struct partition *p = &table.partition[i];

		CHECK(memchr(p->label, 0, sizeof(p->label)));
		CHECK(memchr(p->uuid, 0, sizeof(p->uuid)));
		if (p->refused)
			continue;
		CHECK(p->count &&
		      p->first + p->count <=
			      image.block_count * image.block_size / 512);
		for (uint32_t n = 0; n < i; n++)
			CHECK(table.partition[n].refused ||
			      table.partition[n].first +
					      table.partition[n].count <=
				      p->first ||
			      p->first + p->count <= table.partition[n].first);
	}
}

/* ---- A client ------------------------------------------------------------ */

static void record_put(const uint8_t *bytes, size_t length)
{
	struct disk_request request = {
		.id = bytes[0],
		.generation = machine[0].link.generation,
		.op = 2 + bytes[0] % 5,
		.sector = bytes[0] * 8,
		.sector_count = 8,
		.segment_count = 1,
		.segment[0] = { bytes[0] * 4000ULL, 4096, 0 },
	};
	uint32_t size;
	bool ring_bell;

	if (request.op > DISK_OP_WRITE) {
		request.segment_count = 0;
		request.sector_count = request.op == DISK_OP_FLUSH ? 0 : 8;
	}
	size = DISK_REQUEST_SIZE(request.segment_count);
	/* Pairs: where, what. */
	for (size_t i = 1; i + 1 < length; i += 2)
		((uint8_t *)&request)[bytes[i] % sizeof(request)] =
			bytes[i + 1];
	if (length % 4 == 3)
		size = DISK_REQUEST_SIZE(request.segment_count % 65);
	(void)!ring_put(&machine[0].link.requests, &request, size, &ring_bell);
}

static void scribble(const uint8_t *bytes, size_t length)
{
	uint8_t *channel = (uint8_t *)&machine[0].channel;

	for (size_t i = 0; i + 2 < length; i += 3)
		channel[(bytes[i] | bytes[i + 1] << 8) % 20480] = bytes[i + 2];
}

static void act(uint8_t what, const uint8_t *bytes, size_t length)
{
	unsigned n = length ? bytes[0] : 0;

	switch (what % 8) {
	case 0:
		scribble(bytes, length);
		break;
	case 1:
		if (fake[0].count)
			fake_end(&fake[0], n % fake[0].count);
		break;
	case 2:
		now_ns += (uint64_t)n * n * n * 1000000;
		break;
	case 3:
		disk_client_run(&machine[0].link);
		break;
	case 4:
		fake[0].bad_sector = n * 8;
		fake[0].is_flush_bad = n & 1;
		break;
	default:
		if (length)
			record_put(bytes, length);
	}
	disk_ring(&disk, 1);
	disk_run(&disk, now_ns);
	CHECK(disk.client[0].used <= DISK_IN_FLIGHT);
	CHECK(fake[0].count <= DISK_DEPTH);
}

static void fuzz_client(const uint8_t *data, size_t size)
{
	const struct disk_unit_spec overlaid = { .count = 512,
						 .has_overlay = true,
						 .overlay_pages = 20 };

	fake[0].info.sector_count = 1024;
	disk_setup(NULL);
	fake[0].info.sector_count = 1024;
	fake[0].info.segments_max = 4;
	service_begin();
	client_add(0);
	unit_add(0, 0, 0, 1024);
	CHECK(!disk_unit_add(&disk, 1, 1, &overlaid));
	CHECK(!disk_client_start(&disk, 1));
	machine_begin(0, 7);
	client_add(1);
	unit_add(1, 0, 0, 1024);
	CHECK(!disk_client_start(&disk, 2));
	machine_begin(1, 8);
	step();
	step();
	for (size_t at = 1; at + 2 <= size;) {
		size_t n = MIN((size_t)data[at + 1] % 40, size - at - 2);

		act(data[at], data + at + 2, n);
		at += 2 + n;
	}
	fake[0].bad_sector = UINT64_MAX;
	fake[0].is_flush_bad = false;
	CHECK(ask(1, DISK_OP_READ, 16, 8, 0) == 0);
	CHECK(!disk_client_remove(&disk, 1));
	CHECK(disk_client_gone(&disk) == 1);
	CHECK(!pages_out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] & 1)
		fuzz_client(data, size);
	else
		fuzz_table(data, size);
	return 0;
}
