/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/atapi*.c: modes, what the host sends, sub-channel, audio, addresses.
 */
#include "tests/unit/atapi_test.h"

static uint8_t data[8192];

static uint32_t run(const char *bytes)
{
	memset(data, 0xee, sizeof(data));
	return packet_read((const uint8_t *)bytes, 0xfffe, data);
}

#define FAILED	   0x10054
/* A packet, padded to 12 bytes. */
#define RUN(bytes) run(bytes "\0\0\0\0\0\0\0\0\0\0\0")

/* The packet comes to so many bytes, and these are the first of them. */
#define EXPECT(bytes, size, reply)                                   \
	do {                                                         \
		assert_int_equal(RUN(bytes), size);                  \
		assert_memory_equal(data, reply, sizeof(reply) - 1); \
	} while (0)

static void expect_illegal(uint32_t result, uint8_t code)
{
	assert_int_equal(result, FAILED);
	assert_int_equal(sense_take(), 0x500 | code);
}

/* ---- SET FEATURES ------------------------------------------------------- */

static uint8_t features(uint8_t feature, uint8_t count)
{
	outb(0x176, 0xa0);
	outb(0x171, feature);
	outb(0x172, count);
	outb(0x177, 0xef);
	assert_true(t.irq[1]);
	return inb(0x177) & 1 ? inb(0x171) : 0;
}

static void expect_modes(uint16_t word63, uint16_t word88)
{
	outb(0x177, 0xa1);
	insw(0x170, data, 256);
	assert_int_equal(word(data, 63), word63);
	assert_int_equal(word(data, 88), word88);
}

static void test_transfer_modes(void **state)
{
	(void)state;
	expect_modes(0x0007, 0x003f);
	assert_int_equal(features(3, 0x42), 0);
	expect_modes(0x0007, 0x043f);
	assert_int_equal(features(3, 0x22), 0);
	expect_modes(0x0407, 0x003f);
	assert_int_equal(features(3, 0x0c), 0);
	expect_modes(0x0407, 0x003f);
	assert_int_equal(features(3, 0x23), ABRT);
	assert_int_equal(features(3, 0x46), ABRT);
	assert_int_equal(features(3, 0x12), ABRT);
	assert_int_equal(features(2, 0), ABRT);
	assert_int_equal(features(0x5d, 0), ABRT);
	expect_modes(0x0407, 0x003f);
	/* Kept over a software reset when that has been asked for. */
	assert_int_equal(features(0x66, 0), 0);
	outb(0x376, 4);
	outb(0x376, 0);
	expect_modes(0x0407, 0x003f);
	assert_int_equal(features(0xcc, 0), 0);
	outb(0x376, 4);
	outb(0x376, 0);
	expect_modes(0x0007, 0x003f);
}

static void test_power(void **state)
{
	(void)state;
	outb(0x176, 0xa0);
	outb(0x177, 0xe0);
	assert_int_equal(inb(0x177), READY);
	outb(0x177, 0xe5);
	assert_int_equal(inb(0x172), 0x00);
	assert_int_equal(RUN("\0"), 0);
	outb(0x177, 0xe5);
	assert_int_equal(inb(0x172), 0xff);
}

/* ---- Mode pages --------------------------------------------------------- */

static void test_mode_sense(void **state)
{
	(void)state;
	EXPECT("\x5a\0\1\0\0\0\0\0\x40", 16,
	       "\0\x0e\1\0\0\0\0\0\1\6\0\5\0\0\0\0");
	/* Defaults are what is; what can be changed; nothing is saved. */
	EXPECT("\x5a\0\x81\0\0\0\0\0\x40", 16,
	       "\0\x0e\1\0\0\0\0\0\1\6\0\5\0\0\0\0");
	EXPECT("\x5a\0\x41\0\0\0\0\0\x40", 16,
	       "\0\x0e\1\0\0\0\0\0\1\6\x37\xff\0\0\0\0");
	EXPECT("\x5a\0\x4e\0\0\0\0\0\x40", 24,
	       "\0\x16\1\0\0\0\0\0\x0e\x0e\2\0\0\0\0\0"
	       "\x0f\xff\x0f\xff\x0f\xff\x0f\xff");
	EXPECT("\x5a\0\x6a\0\0\0\0\0\x40", 30,
	       "\0\x1c\1\0\0\0\0\0\x2a\x14\0\0\0\0\0\0\0\0\0\0\0\0");
	assert_int_equal(RUN("\x5a\0\x7f\0\0\0\0\0\xff"), 8 + 8 + 8 + 16 + 22);
	expect_illegal(RUN("\x5a\0\xc1\0\0\0\0\0\x40"), 0x39);
	assert_int_equal(RUN("\x5a\0\x3f\0\0\0\0\0\xff"), 8 + 8 + 8 + 16 + 22);
	assert_int_equal(data[8], 0x01);
	assert_int_equal(data[16], 0x0d);
	assert_int_equal(data[24], 0x0e);
	assert_int_equal(data[40], 0x2a);
	/* As much as is allowed for. */
	assert_int_equal(RUN("\x5a\0\x3f\0\0\0\0\0\x09"), 9);
	assert_int_equal(data[10], 0xee);
}

/* MODE SELECT(10) in pieces of limit bytes, 0 for DMA; its status. */
static uint32_t mode_select(const void *bytes, uint8_t length, uint16_t limit)
{
	const uint8_t cdb[12] = { 0x55, 0x10, 0, 0, 0, 0, 0, 0, length };
	const uint8_t *from = bytes;
	uint32_t at = 0;

	packet(limit ? 0 : 1, limit, cdb);
	if (!limit) {
		memcpy(t.ram_bytes + 0x10000, bytes, length);
		prd(0, 0x10000, length, true);
		master_start(1, false);
	}
	while (inb(0x376) & 8) {
		uint32_t size = inb(0x174) | inb(0x175) << 8;

		assert_true(t.irq[1]);
		assert_int_equal(inb(0x177), DRQ);
		assert_int_equal(inb(0x172), 0);
		assert_in_range(size, 1, limit);
		outsw(0x170, from + at, (size + 1) / 2);
		at += size;
	}
	assert_int_equal(at, limit ? length : 0);
	assert_true(t.irq[1]);
	assert_int_equal(inb(0x172), 3);
	if (!limit)
		outb(MASTER + 8, 0);
	return inb(0x177) & 1 ? 0x10000u | inb(0x171) : 0;
}

static void test_mode_select(void **state)
{
	static const uint16_t limits[] = { 0, 4, 16, 0xfffe };
	uint8_t wrong[16];

	(void)state;
	assert_int_equal(RUN("\x55\x10"), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		assert_int_equal(mode_select("\0\0\0\0\0\0\0\0\1\6\0\5\0\0\0\0",
					     16, limits[i]),
				 0);
		assert_int_equal(mode_select("\0\0\0\0\0\0\0\0", 8, limits[i]),
				 0);
	}
	assert_int_equal(
		mode_select("\0\0\0\0\0\0\0\0\x0e\x0e\4\0\0\0\0\0\1\x80\2\x80"
			    "\0\0\0\0",
			    24, 8),
		0);
	expect_illegal(mode_select("\0\0\0\0\0\0\0\0\2\6\0\0\0\0\0\0", 16, 16),
		       0x26);
	expect_illegal(
		mode_select("\0\0\0\0\0\0\0\0\1\7\0\0\0\0\0\0\0", 17, 16),
		0x26);
	expect_illegal(
		mode_select("\0\0\0\0\0\0\0\x08\1\6\0\0\0\0\0\0", 16, 16),
		0x26);
	expect_illegal(mode_select("\0\0\0\0\0\0\0\0\1\6\0\0\0\0\0", 15, 16),
		       0x1a);
	expect_illegal(mode_select("\0\0\0\0\0\0\0\0\1", 9, 16), 0x1a);
	expect_illegal(mode_select("\0\0\0\0", 4, 16), 0x1a);
	expect_illegal(RUN("\x55\x11\0\0\0\0\0\0\x10"), 0x24);
	/* Given up half way. */
	memset(wrong, 0, sizeof(wrong));
	packet(0, 16, (const uint8_t *)"\x55\x10\0\0\0\0\0\0\x10\0\0");
	outsw(0x170, wrong, 3);
	assert_int_equal(RUN("\0"), 0);
	/* Too few regions. */
	packet(1, 0, (const uint8_t *)"\x55\x10\0\0\0\0\0\0\x10\0\0");
	prd(0, 0x10000, 8, true);
	master_start(1, false);
	assert_int_equal(inb(0x376), READY);
	outb(MASTER + 8, 0);
}

#define AUDIO_PAGE "\0\0\0\0\0\0\0\0\x0e\x0e\4\0\0\0\0\0"
#define ERROR_PAGE "\0\0\0\0\0\0\0\0\1\6"

/* What MODE SELECT has said MODE SENSE tells, until a reset. */
static void test_mode_change(void **state)
{
	static const char volume[] = "\x0e\x0e\6\0\0\0\0\0"
				     "\1\x80\2\x7f\0\0\0\0";

	(void)state;
	assert_int_equal(mode_select(AUDIO_PAGE "\1\x40\1\x40\0\0\0\0", 24, 16),
			 0);
	/* Two pages at once; page and changed bits as they are. */
	assert_int_equal(mode_select("\0\0\0\0\0\0\0\0\1\6\x21\x14\0\0\0\0"
				     "\x8e\x0e\6\0\0\0\0\0"
				     "\1\x80\2\x7f\0\0\0\0",
				     32, 0),
			 0);
	assert_int_equal(RUN("\x5a\0\x0e\0\0\0\0\0\x40"), 24);
	assert_memory_equal(data + 8, volume, 16);
	EXPECT("\x5a\0\1\0\0\0\0\0\x40", 16,
	       "\0\x0e\1\0\0\0\0\0\1\6\x21\x14\0\0\0\0");
	/* Defaults stay what they were. */
	EXPECT("\x5a\0\x81\0\0\0\0\0\x40", 16,
	       "\0\x0e\1\0\0\0\0\0\1\6\0\5\0\0\0\0");
	/* What cannot be changed, of one page or the other: neither counts. */
	expect_illegal(mode_select(ERROR_PAGE "\x80\5\0\0\0\0", 16, 16), 0x26);
	expect_illegal(mode_select(ERROR_PAGE "\0\5\0\0\0\0"
					      "\x0e\x0e\0\0\0\0\0\0"
					      "\1\x80\2\x7f\0\0\0\0",
				   32, 16),
		       0x26);
	assert_int_equal(RUN("\x5a\0\1\0\0\0\0\0\x40"), 16);
	assert_int_equal(data[11], 0x14);
	/* CDROMVOLCTRL's way: the page as it has been read. */
	assert_int_equal(RUN("\x5a\0\x0e\0\0\0\0\0\x40"), 24);
	memset(data, 0, 8);
	data[17] = data[19] = 0x10;
	assert_int_equal(mode_select(data, 24, 24), 0);
	assert_int_equal(RUN("\x5a\0\x0e\0\0\0\0\0\x40"), 24);
	assert_int_equal(data[17], 0x10);
	/* The capabilities may be sent back, too. */
	assert_int_equal(RUN("\x5a\0\x2a\0\0\0\0\0\x40"), 30);
	memset(data, 0, 8);
	assert_int_equal(mode_select(data, 30, 30), 0);
	data[16] ^= 1;
	expect_illegal(mode_select(data, 30, 30), 0x26);
	ide_reset(&t.ide);
	assert_int_equal(RUN("\x5a\0\1\0\0\0\0\0\x40"), 16);
	assert_int_equal(data[11], 5);
}

/* ---- The disc ----------------------------------------------------------- */

static void test_header(void **state)
{
	(void)state;
	EXPECT("\x44\0\0\0\0\x10\0\0\x08", 8, "\1\0\0\0\0\0\0\x10");
	EXPECT("\x44\2\0\0\0\x10\0\0\x08", 8, "\1\0\0\0\0\0\2\x10");
	expect_illegal(RUN("\x44\0\0\0\1\x2c\0\0\x08"), 0x21);
}

static void test_seek(void **state)
{
	(void)state;
	assert_int_equal(RUN("\x2b\0\0\0\1\x2b"), 0);
	expect_illegal(RUN("\x2b\0\0\0\1\x2c"), 0x21);
}

static void test_sub_channel(void **state)
{
	(void)state;
	EXPECT("\x42\0\0\1\0\0\0\0\xff", 4, "\0\x15\0\0");
	EXPECT("\x42\2\x40\1\0\0\0\0\xff", 16,
	       "\0\x15\0\x0c\1\x14\1\1\0\0\2\0\0\0\0\0");
	EXPECT("\x42\0\x40\2\0\0\0\0\xff", 24, "\0\x15\0\x14\2\0\0\0\0");
	EXPECT("\x42\0\x40\3\0\0\1\0\xff", 24, "\0\x15\0\x14\3\x14\1\0\0");
	expect_illegal(RUN("\x42\0\x40\3\0\0\2\0\xff"), 0x24);
	expect_illegal(RUN("\x42\0\x40\4\0\0\0\0\xff"), 0x24);
	ide_medium_change(&t.ide, 1, 0, NULL);
	assert_int_equal(RUN("\x42\0\x40\1\0\0\0\0\xff"), 0x10024);
}

#define FRAME_NS (NSEC_PER_SEC / 75 + 1)

static void expect_audio(uint8_t status, uint32_t position)
{
	assert_int_equal(RUN("\x42\0\x40\1\0\0\0\0\xff"), 16);
	assert_int_equal(data[1], status);
	assert_int_equal(data[10] << 8 | data[11], position);
	assert_int_equal(data[14] << 8 | data[15], position);
}

static void test_audio(void **state)
{
	static const struct {
		const char *packet;
		uint32_t first, end;
	} plays[] = {
		{ "\x45\0\0\0\0\x10\0\0\x10\0\0", 16, 32 },
		{ "\x47\0\0\0\2\1\0\2\5\0\0", 1, 5 },
		/* From where the pickup is. */
		{ "\x47\0\0\xff\xff\xff\0\3\5\0\0", 5, 80 },
		{ "\xa5\0\0\0\0\x10\0\0\0\x10\0", 16, 32 },
		{ "\x45\0\xff\xff\xff\xff\0\0\x10\0\0", 32, 48 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(plays); i++) {
		uint32_t blocks = plays[i].end - plays[i].first;

		assert_int_equal(run(plays[i].packet), 0);
		expect_audio(0x11, plays[i].first);
		t.now_ns += (blocks - 1) * FRAME_NS;
		expect_audio(0x11, plays[i].end - 1);
		t.now_ns += FRAME_NS;
		/* It is over, which is told once. */
		expect_audio(0x13, plays[i].end);
		expect_audio(0x15, plays[i].end);
	}
	assert_int_equal(RUN("\x4b\0\0\0\0\0\0\0\0"), 0);
	assert_int_equal(RUN("\x4b\0\0\0\0\0\0\0\1"), 0);
	assert_int_equal(RUN("\x4e"), 0);
	expect_audio(0x15, 48);
	assert_int_equal(RUN("\x45\0\0\0\0\x10\0\0\0"), 0);
	expect_audio(0x15, 48);
	expect_illegal(RUN("\x45\0\0\0\1\x2c\0\0\1"), 0x21);
	expect_illegal(RUN("\x47\0\0\0\2\5\0\2\1"), 0x24);
	expect_illegal(RUN("\x47\0\0\0\2\5\0\2\x4b"), 0x24);
}

/* 100 blocks from 50 on */
#define PLAY "\x45\0\0\0\0\x32\0\0\x64"

static void test_audio_pause(void **state)
{
	(void)state;
	assert_int_equal(RUN(PLAY), 0);
	t.now_ns += 10 * FRAME_NS;
	assert_int_equal(RUN("\x4b\0\0\0\0\0\0\0\1"), 0);
	expect_audio(0x11, 60);
	/* The mechanism plays; 00:02:60, and 60 frames of the track. */
	EXPECT("\xbd\0\0\0\0\0\0\0\0\x08", 8, "\0\x20\0\0\x3c\1\0\0");
	EXPECT("\x42\2\x40\1\0\0\0\0\xff", 16,
	       "\0\x11\0\x0c\1\x14\1\1\0\0\2\x3c\0\0\0\x3c");
	assert_int_equal(RUN("\x4b"), 0);
	expect_audio(0x12, 60);
	t.now_ns += 1000 * FRAME_NS;
	assert_int_equal(RUN("\x4b"), 0);
	expect_audio(0x12, 60);
	EXPECT("\xbd\0\0\0\0\0\0\0\0\x08", 8, "\0\0\0\0\x3c\1\0\0");
	assert_int_equal(RUN("\x4b\0\0\0\0\0\0\0\1"), 0);
	t.now_ns += 89 * FRAME_NS;
	expect_audio(0x11, 149);
	t.now_ns += FRAME_NS;
	expect_audio(0x13, 150);
	/* The end changes while it plays. */
	assert_int_equal(RUN(PLAY), 0);
	t.now_ns += 10 * FRAME_NS;
	assert_int_equal(RUN("\x47\0\0\xff\xff\xff\0\2\x3e"), 0);
	expect_audio(0x11, 60);
	t.now_ns += 2 * FRAME_NS;
	expect_audio(0x13, 62);
}

/* What ends playing, and where the pickup is then. */
static void test_audio_ends(void **state)
{
	static const struct {
		const char *packet;
		uint32_t bytes;
	} ends[] = {
		{ "\x4e\0\0\0\0\0\0\0\0\0\0", 0 },
		{ "\x1b\0\0\0\0\0\0\0\0\0\0", 0 },
		{ "\x2b\0\0\0\0\x08\0\0\0\0\0", 0 },
		{ "\x28\0\0\0\0\x08\0\0\1\0\0", 2048 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		assert_int_equal(RUN(PLAY), 0);
		t.now_ns += 10 * FRAME_NS;
		assert_int_equal(run(ends[i].packet), ends[i].bytes);
		t.now_ns += 10 * FRAME_NS;
		expect_audio(0x15, 60);
	}
	/* Over by then, and not told yet. */
	assert_int_equal(RUN(PLAY), 0);
	t.now_ns += 1000 * FRAME_NS;
	assert_int_equal(RUN("\x4e"), 0);
	expect_audio(0x13, 150);
	/* Closing what is closed changes nothing; a reset does. */
	assert_int_equal(RUN(PLAY), 0);
	assert_int_equal(RUN("\x1b\0\0\0\3"), 0);
	expect_audio(0x11, 50);
	outb(0x376, 4);
	outb(0x376, 0);
	expect_audio(0x15, 0);
	assert_int_equal(RUN(PLAY), 0);
	ide_medium_change(&t.ide, 1, 0, &t.cd.backend);
	assert_int_equal(RUN("\0"), 0x10064);
	expect_audio(0x15, 0);
}

static void test_read_cd(void **state)
{
	(void)state;
	assert_int_equal(RUN("\xbe\x08\0\0\0\x0a\0\0\2\x10"), 2 * 2048);
	assert_memory_equal(data, t.cd.bytes + 10 * 2048, 2 * 2048);
	/* From 00:02:10 to 00:02:12. */
	assert_int_equal(RUN("\xb9\0\0\0\2\x0a\0\2\x0c\x10"), 2 * 2048);
	assert_memory_equal(data, t.cd.bytes + 10 * 2048, 2 * 2048);
	assert_int_equal(RUN("\xb9\0\0\0\2\x0a\0\2\x0a\x10"), 0);
	assert_int_equal(RUN("\xb9\0\0\0\2\x0a\0\2\x0c\0"), 0);
	expect_illegal(RUN("\xb9\0\0\0\2\x0a\0\2\x09\x10"), 0x24);
	expect_illegal(RUN("\xb9\0\0\0\1\x0a\0\2\x09\x10"), 0x24);
	expect_illegal(RUN("\xb9\0\0\0\6\0\0\6\1\x10"), 0x21);
	/* Of audio, of mode 2, with sub-channel, errors, holes. */
	expect_illegal(RUN("\xbe\x04\0\0\0\x0a\0\0\2\x10"), 0x64);
	expect_illegal(RUN("\xbe\x10\0\0\0\x0a\0\0\2\x10"), 0x64);
	expect_illegal(RUN("\xbe\0\0\0\0\x0a\0\0\2\xfa"), 0x24);
	expect_illegal(RUN("\xbe\0\0\0\0\x0a\0\0\2\x90"), 0x24);
	expect_illegal(RUN("\xbe\0\0\0\0\x0a\0\0\2\x28"), 0x24);
	expect_illegal(RUN("\xbe\0\0\0\0\x0a\0\0\2\x10\1"), 0x24);
}

/* a * 2^power in the field of 11Dh, bit by bit. */
static uint8_t weighted(uint8_t a, unsigned power)
{
	unsigned value = a;

	while (power--)
		value = value << 1 ^ (value & 0x80 ? 0x11d : 0);
	return (uint8_t)value;
}

/* The code words of P and Q have both sums 0; the EDC is that of its CRC. */
static void check_sector(const uint8_t *raw)
{
	uint64_t rest = 0;

	for (unsigned i = 0; i < 86; i++) {
		uint8_t sum = 0, other = 0;

		for (unsigned j = 0; j < 26; j++) {
			sum ^= raw[12 + i + 86 * j];
			other ^= weighted(raw[12 + i + 86 * j], 25 - j);
		}
		assert_int_equal(sum | other, 0);
	}
	for (unsigned i = 0; i < 52; i++) {
		uint8_t sum = 0, other = 0;

		for (unsigned j = 0; j < 45; j++) {
			unsigned at =
				j < 43 ? 2 * ((44 * j + 43 * (i / 2)) % 1118) +
						 i % 2
				       : 2236 + i + 52 * (j - 43);

			sum ^= raw[12 + at];
			other ^= weighted(raw[12 + at], 44 - j);
		}
		assert_int_equal(sum | other, 0);
	}
	/* (x^16 + x^15 + x^2 + 1)(x^16 + x^2 + x + 1), lowest bits first. */
	for (unsigned i = 0; i < 2068 * 8; i++) {
		rest = rest << 1 | (raw[i / 8] >> i % 8 & 1);
		if (rest >> 32)
			rest ^= 0x18001801bULL;
	}
	assert_int_equal(rest, 0);
}

/* Sixty sectors' fields of that size; returns where they are. */
static const uint8_t *sixty_read(const uint8_t cdb[12], uint32_t size,
				 bool by_dma, uint8_t *to)
{
	if (!by_dma) {
		assert_int_equal(packet_read(cdb, 2352, to), 60 * size);
		return to;
	}
	for (unsigned i = 0; i < 60; i++)
		prd(i, 0x10000 + i * size, (uint16_t)size, i == 59);
	packet(1, 0, cdb);
	master_start(1, true);
	assert_int_equal(inb(0x177), READY);
	assert_int_equal(inb(MASTER + 8 + 2), 4);
	outb(MASTER + 8, 0);
	return t.ram_bytes + 0x10000;
}

static void test_whole_sectors(void **state)
{
	static const struct {
		uint8_t fields;
		uint16_t from, size; /* of the whole sector */
	} rows[] = {
		{ 0xf8, 0, 2352 },  { 0xb8, 0, 2352 },	{ 0x38, 12, 2340 },
		{ 0x30, 12, 2052 }, { 0x18, 16, 2336 }, { 0xa0, 0, 16 },
		{ 0x20, 12, 4 },    { 0x80, 0, 12 },	{ 0xf0, 0, 2064 },
		{ 0x10, 16, 2048 }, { 0x50, 16, 2048 },
	};
	static uint8_t whole[60 * 2352], part[60 * 2352];
	uint8_t cdb[12] = { 0xbe, 0, 0, 0, 0, 0x4a, 0, 0, 60, 0xf8 };

	(void)state;
	assert_int_equal(packet_read(cdb, 0xfffe, whole), 60 * 2352);
	for (unsigned i = 0; i < 60; i++) {
		const uint8_t *raw = whole + i * 2352;

		assert_memory_equal(raw,
				    "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff"
				    "\xff\0\0",
				    13);
		assert_int_equal(raw[13], i == 0 ? 2 : 3);
		assert_int_equal(raw[14],
				 i == 0 ? 0x74
					: (i - 1) / 10 * 16 + (i - 1) % 10);
		assert_int_equal(raw[15], 1);
		assert_memory_equal(raw + 16, t.cd.bytes + (0x4a + i) * 2048,
				    2048);
		check_sector(raw);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned by_dma = 0; by_dma < 2; by_dma++) {
			uint32_t size = rows[i].size;
			const uint8_t *got;

			cdb[9] = rows[i].fields;
			got = sixty_read(cdb, size, by_dma, part);
			for (unsigned j = 0; j < 60; j++)
				assert_memory_equal(
					got + j * size,
					whole + j * 2352 + rows[i].from, size);
		}
	/* A bad block: those before it arrive. */
	t.cd.bad_sector = (0x4a + 1) * 4;
	cdb[9] = 0xf8;
	packet(0, 0xfffe, cdb);
	assert_int_equal(inb(0x177), DRQ);
	insw(0x170, part, 1176);
	assert_memory_equal(part, whole, 2352);
	assert_int_equal(inb(0x177), ERR);
	assert_int_equal(inb(0x171), 0x34);
}

/* Stopped while the medium works, and started again; too few regions. */
static void test_whole_stopped(void **state)
{
	const uint8_t cdb[12] = { 0xbe, 0, 0, 0, 0, 0x4a, 0, 0, 2, 0xf8 };

	(void)state;
	t.cd.is_async = true;
	prd(0, 0x10000, 2 * 2352, true);
	packet(1, 0, cdb);
	master_start(1, true);
	outb(MASTER + 8, 0);
	medium_complete(&t.cd);
	assert_int_equal(inb(0x376), DRQ);
	assert_int_equal(t.ram_bytes[0x10001], 0);
	master_start(1, true);
	medium_complete(&t.cd);
	assert_int_equal(inb(0x177), READY);
	assert_memory_equal(t.ram_bytes + 0x10000 + 2352 + 16,
			    t.cd.bytes + 0x4b * 2048, 2048);
	outb(MASTER + 8, 0);
	prd(0, 0x10000, 2352, true);
	packet(1, 0, cdb);
	master_start(1, true);
	medium_complete(&t.cd);
	assert_false(t.irq[1]);
	assert_int_equal(inb(0x376), READY);
	assert_int_equal(inb(MASTER + 8 + 2), 0);
}

/* Discs that minutes are too small for. */
static void test_lead_out(void **state)
{
	static const struct {
		uint32_t blocks;
		const char *msf, *block;
	} rows[] = {
		{ 300, "\0\0\6\0", "\0\0\1\x2c" },
		{ 333000 - 150, "\0\x4a\0\0", "\0\5\x14\x32" },
		{ 1000000, "\0\xde\x0f\x19", "\0\x0f\x42\x40" },
		{ 1151850 - 1, "\0\xff\x3b\x4a", "\0\x11\x93\x69" },
		{ 2295104, "\0\xff\x3b\x4a", "\0\x23\x05\x40" },
		{ 4000000, "\0\xff\x3b\x4a", "\0\x3d\x09\0" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		t.cd.backend.sector_count = 4ull * rows[i].blocks;
		assert_int_equal(RUN("\x43\2\0\0\0\0\xaa\0\xff"), 12);
		assert_memory_equal(data + 8, rows[i].msf, 4);
		assert_int_equal(RUN("\x43\0\0\0\0\0\xaa\0\xff"), 12);
		assert_memory_equal(data + 8, rows[i].block, 4);
		assert_int_equal(RUN("\x43\2\2\0\0\0\0\0\xff"), 48);
		assert_memory_equal(data + 4 + 22 + 7, rows[i].msf, 4);
	}
}

/* Byte count limits: blocks as large as allowed, even but for the last. */
static void test_byte_counts(void **state)
{
	static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 };
	static const struct {
		uint16_t limit;
		uint16_t first, last;
	} rows[] = {
		{ 36, 36, 36 }, { 35, 34, 2 },	    { 20, 20, 16 },
		{ 1, 2, 2 },	{ 0xffff, 36, 36 }, { 0, 36, 36 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t size = 0, total = 0;

		packet(0, rows[i].limit, inquiry);
		while (inb(0x177) & 8) {
			size = inb(0x174) | inb(0x175) << 8;
			if (total == 0)
				assert_int_equal(size, rows[i].first);
			insw(0x170, data + total, (size + 1) / 2);
			total += size;
		}
		assert_int_equal(size, rows[i].last);
		assert_int_equal(total, 36);
		assert_int_equal(data[0], 5);
	}
}

/* A unit attention is told by what waits for it, once; INQUIRY does not. */
static void test_attention(void **state)
{
	(void)state;
	ide_medium_change(&t.ide, 1, 0, NULL);
	ide_medium_change(&t.ide, 1, 0, &t.cd.backend);
	assert_int_equal(RUN("\x12\0\0\0\x24"), 36);
	assert_int_equal(RUN("\x5a\0\1\0\0\0\0\0\x40"), 0x10064);
	assert_int_equal(sense_take(), 0x628);
	assert_int_equal(sense_take(), 0);
	assert_int_equal(RUN("\x5a\0\1\0\0\0\0\0\x40"), 16);
	ide_medium_change(&t.ide, 1, 0, &t.cd.backend);
	assert_int_equal(sense_take(), 0x628);
	assert_int_equal(RUN("\0"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_transfer_modes), TEST(test_power),
		TEST(test_mode_sense),	   TEST(test_mode_select),
		TEST(test_header),	   TEST(test_seek),
		TEST(test_sub_channel),	   TEST(test_audio),
		TEST(test_read_cd),	   TEST(test_whole_sectors),
		TEST(test_whole_stopped),  TEST(test_lead_out),
		TEST(test_byte_counts),	   TEST(test_attention),
		TEST(test_mode_change),	   TEST(test_audio_pause),
		TEST(test_audio_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
