/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pictures, for tests of services/seat: records of a machine's, and what a
 * client that watches hears.
 */
#ifndef BULKHEAD_TESTS_SCREEN_TEST_H
#define BULKHEAD_TESTS_SCREEN_TEST_H

#include "tests/unit/remote_test.h"

#define WIDTH  640
#define HEIGHT 480

#define MODE_EVENT(id, columns, rows)                                        \
	"{\"id\":" id ",\"event\":\"mode\",\"mode\":\"text\",\"width\":720," \
	"\"height\":400,\"columns\":" columns ",\"rows\":" rows              \
	",\"cell_width\":9,\"cell_height\":16,\"depth\":4,\"pointer\":"      \
	"\"relative\"}"
#define GRAPHICS_EVENT(id)                                                   \
	"{\"id\":" id ",\"event\":\"mode\",\"mode\":\"graphics\",\"width\":" \
	"640,\"height\":480,\"columns\":0,\"rows\":0,\"cell_width\":0,"      \
	"\"cell_height\":0,\"depth\":8,\"pointer\":\"relative\"}"

static uint32_t tag; /* of the frame that was asked for last */

/* ---- The machine --------------------------------------------------------- */

static inline void expect_frame(unsigned n, uint32_t flags, uint32_t right)
{
	machine_expects(n, FACE_FRAME);
	assert_int_equal(request.frame.flags, flags | FACE_FRAME_NOTIFY);
	assert_int_equal(request.frame.also.right, right);
	tag = request.head.tag;
}

static inline struct face_mode mode_of(enum display_mode mode)
{
	bool is_text = mode == DISPLAY_TEXT;

	return (struct face_mode){
		.head = { .kind = FACE_MODE, .tag = tag },
		.mode = mode,
		.width = is_text ? 720 : WIDTH,
		.height = is_text ? 400 : HEIGHT,
		.columns = is_text ? 80 : 0,
		.rows = is_text ? 25 : 0,
		.cell_width = is_text ? 9 : 0,
		.cell_height = is_text ? 16 : 0,
		.depth = is_text ? 4 : 8,
	};
}

static inline void put_mode(unsigned n, enum display_mode mode)
{
	const struct face_mode record = mode_of(mode);

	machine_puts(n, &record, sizeof(record));
}

static union {
	struct face_pixels head;
	struct {
		uint8_t place[sizeof(struct face_pixels)];
		uint32_t pixel[2048];
	};
} pixels;

/* Of two colours, or as many as there are pixels. */
static inline size_t pixels_make(uint16_t left, uint16_t top, uint16_t width,
				 uint16_t height, bool is_plain)
{
	pixels.head = (struct face_pixels){
		.head = { .kind = FACE_PIXELS, .tag = tag },
		.left = left,
		.top = top,
		.width = width,
		.height = height,
	};
	for (unsigned i = 0; i < (unsigned)width * height; i++)
		pixels.pixel[i] = is_plain ? (i >= 300) * 0xaabbcc
					   : i * 0x010203 & 0xffffff;
	return sizeof(pixels.head) + 4UL * width * height;
}

static inline void put_pixels(unsigned n, uint16_t left, uint16_t right,
			      uint16_t flags)
{
	size_t length = pixels_make(left, 7, right - left, 1, false);

	pixels.head.head.flags = flags;
	machine_puts(n, &pixels, length);
}

static union {
	struct face_cells head;
	struct {
		uint8_t size[sizeof(struct face_cells)];
		uint16_t cell[80 * 25 + 1];
	};
} cells;

static inline void put_cells(unsigned n, uint16_t flags)
{
	cells.head = (struct face_cells){
		.head = { .kind = FACE_CELLS, .flags = flags, .tag = tag },
		.columns = 80,
		.rows = 25,
		.cursor = 81,
	};
	for (unsigned i = 0; i < 80 * 25; i++)
		cells.cell[i] = (uint16_t)(0x700 + i);
	machine_puts(n, &cells, sizeof(cells.head) + 2UL * 80 * 25);
}

static inline void put_end(unsigned n)
{
	machine_says(n, FACE_FRAME_END, tag);
}

/* ---- The client ---------------------------------------------------------- */

static inline void expect_place(const uint8_t *place, uint16_t left,
				uint16_t width, uint8_t encoding)
{
	const uint16_t want[] = { left, 7, width, 1 };

	assert_memory_equal(place, want, sizeof(want));
	assert_int_equal(place[8], encoding);
}

static inline void expect_pixels(uint32_t id, uint16_t left, uint16_t right)
{
	uint32_t n;
	const uint8_t *payload = expect_binary(id, REMOTE_PIXELS, &n);

	expect_place(payload, left, right - left, 0);
	assert_int_equal(n, 12 + 4 * (right - left));
	for (uint32_t i = 0; i < (uint32_t)right - left; i++) {
		uint32_t want = i * 0x010203 & 0xffffff;

		assert_memory_equal(payload + 12 + 4UL * i, &want, 4);
	}
}

static inline void change(void)
{
	machine_says(0, FACE_CHANGED, 0);
}

static inline void watch(uint32_t id, unsigned n, const char *more)
{
	say("{\"id\":%u,\"verb\":\"screen\",\"guest\":\"%s\"%s}", id, names[n],
	    more);
}

#define TEXT ",\"as\":\"text\""
#define ALL  ",\"all\":true"

/* A first picture in graphics mode, of one line. */
static inline void first_picture(uint32_t id)
{
	char event[200];

	watch(id, 0, "");
	expect_frame(0, FACE_FRAME_ALL, 0);
	put_mode(0, DISPLAY_GRAPHICS);
	put_pixels(0, 0, 100, 0);
	put_end(0);
	(void)snprintf(event, sizeof(event), "%s", GRAPHICS_EVENT("2"));
	event[6] = (char)('0' + id);
	expect(event);
	expect_pixels(id, 0, 100);
	expect_shown(id);
	expect_nothing();
}

#endif
