/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drawing on the host's screen (services/seat/screen.c): letters, where
 * pictures are placed, that pieces make the same as the whole, and that nothing
 * is drawn beside the screen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "services/seat/screen.h"

#define WIDTH  200u
#define HEIGHT 100u
#define STRIDE (WIDTH + 24) /* pixels */
#define EDGE   1000	    /* before and behind */
#define NOBODY 0xeeeeeeee

static uint32_t memory[EDGE + STRIDE * HEIGHT + EDGE];
static const struct framebuffer fb = {
	.pixels = (uint8_t *)(memory + EDGE),
	.width = WIDTH,
	.height = HEIGHT,
	.stride = STRIDE * 4,
};
static struct {
	struct face_pixels head;
	uint32_t pixel[600 * 300];
} piece;

static uint32_t at(uint32_t x, uint32_t y)
{
	return *(uint32_t *)framebuffer_at(&fb, x, y);
}

static int setup(void **state)
{
	(void)state;
	memset(memory, 0xee, sizeof(memory));
	return 0;
}

/* Only the screen was drawn to. */
static int check(void **state)
{
	(void)state;
	for (unsigned i = 0; i < EDGE; i++) {
		assert_int_equal(memory[i], NOBODY);
		assert_int_equal(memory[EDGE + STRIDE * HEIGHT + i], NOBODY);
	}
	for (unsigned y = 0; y < HEIGHT; y++)
		for (unsigned x = WIDTH; x < STRIDE; x++)
			assert_int_equal(at(x, y), NOBODY);
	return 0;
}

/* A picture whose pixels say where they are. */
static uint32_t pixel_of(uint32_t x, uint32_t y)
{
	return y << 16 | x;
}

static void draw(const struct screen_place *place, uint32_t left, uint32_t top,
		 uint32_t width, uint32_t height)
{
	piece.head = (struct face_pixels){
		.left = (uint16_t)left,
		.top = (uint16_t)top,
		.width = (uint16_t)width,
		.height = (uint16_t)height,
	};
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			piece.pixel[y * width + x] =
				pixel_of(left + x, top + y);
	screen_pixels(&fb, place, &piece.head);
}

static void letters(void **state)
{
	uint8_t rows[FONT_HEIGHT] = { 0 };

	(void)state;
	assert_true(font_glyph('A', rows));
	screen_text(&fb, 2, 1, "A", 3, SCREEN_WHITE, SCREEN_BLUE);
	for (unsigned y = 0; y < FONT_HEIGHT; y++)
		for (unsigned x = 0; x < FONT_WIDTH; x++)
			assert_int_equal(
				at(2 * FONT_WIDTH + x, FONT_HEIGHT + y),
				rows[y] & 0x80 >> x ? SCREEN_WHITE
						    : SCREEN_BLUE);
	/* Blanks behind it, and no more. */
	assert_int_equal(at(4 * FONT_WIDTH, FONT_HEIGHT), SCREEN_BLUE);
	assert_int_equal(at(5 * FONT_WIDTH, FONT_HEIGHT), NOBODY);
	assert_int_equal(at(0, 0), NOBODY);
}

static void cut(void **state)
{
	(void)state;
	screen_text(&fb, screen_columns(&fb) - 1, 0, "long", 4, 1, 2);
	screen_text(&fb, screen_columns(&fb), 0, "beside", 6, 1, 2);
	screen_text(&fb, 0, screen_rows(&fb), "below", 5, 1, 2);
	screen_fill(&fb, WIDTH - 3, HEIGHT - 2, 100, 100, 7);
	assert_int_equal(at(WIDTH - 1, HEIGHT - 1), 7);
	screen_fill(&fb, WIDTH, HEIGHT, 5, 5, 7);
	assert_int_equal(at(WIDTH - 4, HEIGHT - 1), NOBODY);
}

static void smaller_pictures_are_centred(void **state)
{
	struct screen_place place;

	(void)state;
	screen_place(&place, &fb, 100, 50);
	draw(&place, 0, 0, 100, 50);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			bool is_in = x >= 50 && x < 150 && y >= 25 && y < 75;

			assert_int_equal(at(x, y),
					 is_in ? pixel_of(x - 50, y - 25)
					       : NOBODY);
		}
}

/* Sides keep their proportion, each pixel is one of the picture's, in order. */
static void larger_pictures_are_made_smaller(void **state)
{
	static const struct {
		uint32_t width, height, shown_width, shown_height;
	} cases[] = {
		{ 400, 200, 200, 100 }, { 600, 300, 200, 100 },
		{ 400, 100, 200, 50 },	{ 100, 200, 50, 100 },
		{ 201, 100, 200, 99 },	{ 555, 300, 185, 100 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t width = cases[i].width, height = cases[i].height;
		struct screen_place place;

		(void)setup(NULL);
		screen_place(&place, &fb, width, height);
		assert_int_equal(place.width, cases[i].shown_width);
		assert_int_equal(place.height, cases[i].shown_height);
		draw(&place, 0, 0, width, height);
		for (uint32_t y = 0; y < place.height; y++)
			for (uint32_t x = 0; x < place.width; x++)
				assert_int_equal(
					at(place.left + x, place.top + y),
					pixel_of(x * width / place.width,
						 y * height / place.height));
		(void)check(NULL);
	}
}

/* In pieces of any size, in any order, as in one. */
static void pieces_make_the_whole(void **state)
{
	static const uint32_t sizes[][2] = {
		{ 150, 90 }, { 400, 200 }, { 333, 222 }, { 600, 100 }
	};
	static uint32_t whole[ARRAY_SIZE(memory)];

	(void)state;
	srand(3);
	for (unsigned i = 0; i < 40; i++) {
		uint32_t width = sizes[i % 4][0], height = sizes[i % 4][1];
		uint32_t wide = 1 + (uint32_t)rand() % width;
		uint32_t high = 1 + (uint32_t)rand() % height;
		struct screen_place place;

		screen_place(&place, &fb, width, height);
		(void)setup(NULL);
		draw(&place, 0, 0, width, height);
		memcpy(whole, memory, sizeof(whole));
		(void)setup(NULL);
		for (uint32_t y = 0; y < height; y += high)
			for (uint32_t x = 0; x < width; x += wide)
				draw(&place, x, y, MIN(wide, width - x),
				     MIN(high, height - y));
		assert_memory_equal(whole, memory, sizeof(whole));
	}
}

/* ---- In other formats ---------------------------------------------------- */

/* The same picture, larger or not, as 32 bits are turned to 16. */
static void pictures_in_16_bits(void **state)
{
	static uint16_t packed[WIDTH * HEIGHT];
	static const uint32_t sizes[][2] = { { 100, 50 }, { 333, 222 } };
	const struct framebuffer small = {
		.pixels = (uint8_t *)packed,
		.width = WIDTH,
		.height = HEIGHT,
		.stride = WIDTH * 2,
		.kind = FRAMEBUFFER_PACKED,
		.pixel_bytes = 2,
		.channel = { { 11, 5 }, { 5, 6 }, { 0, 5 } },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct screen_place place;

		screen_clear(&fb);
		screen_clear(&small);
		screen_place(&place, &fb, sizes[i][0], sizes[i][1]);
		draw(&place, 0, 0, sizes[i][0], sizes[i][1]);
		screen_pixels(&small, &place, &piece.head);
		screen_text(&fb, 1, 1, "Az", 4, SCREEN_WHITE, SCREEN_BLUE);
		screen_text(&small, 1, 1, "Az", 4, SCREEN_WHITE, SCREEN_BLUE);
		for (uint32_t y = 0; y < HEIGHT; y++)
			for (uint32_t x = 0; x < WIDTH; x++) {
				uint32_t pixel = at(x, y);

				assert_int_equal(packed[y * WIDTH + x],
						 (pixel >> 8 & 0xf800) |
							 (pixel >> 5 & 0x7e0) |
							 (pixel >> 3 & 0x1f));
			}
	}
}

#define COLUMNS	   80u
#define ROWS	   25u
#define CELLS_MAX  (132 * 60)
#define CELL_BLANK 0x0720

static uint16_t cells[COLUMNS * ROWS + 16];
static const struct framebuffer text = {
	.pixels = (uint8_t *)cells,
	.width = COLUMNS,
	.height = ROWS,
	.stride = COLUMNS * 2,
	.kind = FRAMEBUFFER_TEXT,
};
static struct {
	struct face_cells head;
	uint16_t cell[CELLS_MAX];
} guests;

static uint16_t cell_at(uint32_t column, uint32_t row)
{
	return cells[row * COLUMNS + column];
}

static void draw_cells(uint16_t columns, uint16_t rows, int32_t cursor)
{
	guests.head = (struct face_cells){
		.columns = columns,
		.rows = rows,
		.cursor = cursor,
	};
	for (unsigned i = 0; i < CELLS_MAX; i++)
		guests.cell[i] = (uint16_t)(0x1e00 | i % 251);
	for (unsigned i = 0; i < ARRAY_SIZE(cells); i++)
		cells[i] = 0xeeee;
	screen_clear(&text);
	screen_cells(&text, &guests.head);
	for (unsigned i = COLUMNS * ROWS; i < ARRAY_SIZE(cells); i++)
		assert_int_equal(cells[i], 0xeeee);
}

/* Where in the guest's the top left cell is from, and how it looks. */
static void assert_cells(uint32_t columns, uint32_t first, uint32_t cursor)
{
	for (uint32_t y = 0; y < ROWS; y++)
		for (uint32_t x = 0; x < COLUMNS; x++) {
			uint32_t from = first + y * columns + x;

			assert_int_equal(cell_at(x, y),
					 (from == cursor ? 0x6100 : 0x1e00) |
						 from % 251);
		}
}

static void cells_are_shown(void **state)
{
	(void)state;
	draw_cells(80, 25, -1);
	assert_cells(80, 0, UINT32_MAX);
	draw_cells(80, 25, 81);
	assert_cells(80, 0, 81);
	draw_cells(80, 25, 80 * 25); /* beside it */
	assert_cells(80, 0, UINT32_MAX);
	/* Around the cursor. */
	draw_cells(80, 50, 80 * 24);
	assert_cells(80, 0, 80 * 24);
	draw_cells(80, 50, 80 * 25);
	assert_cells(80, 80, 80 * 25);
	draw_cells(80, 50, 80 * 50 - 1);
	assert_cells(80, 80 * 25, 80 * 50 - 1);
	draw_cells(132, 60, 132 * 60 - 1);
	assert_cells(132, 132 * 35 + 52, 132 * 60 - 1);
	draw_cells(132, 60, -1);
	assert_cells(132, 0, UINT32_MAX);
	draw_cells(0, 0, 0);
	assert_int_equal(cell_at(0, 0), CELL_BLANK);
}

static void fewer_cells_are_centred(void **state)
{
	(void)state;
	draw_cells(40, 20, -1);
	for (uint32_t y = 0; y < ROWS; y++)
		for (uint32_t x = 0; x < COLUMNS; x++) {
			bool is_in = x >= 20 && x < 60 && y >= 2 && y < 22;
			uint32_t from = (y - 2) * 40 + x - 20;

			assert_int_equal(cell_at(x, y),
					 is_in ? 0x1e00 | from % 251
					       : CELL_BLANK);
		}
}

static void text_in_cells(void **state)
{
	(void)state;
	memset(cells, 0, sizeof(cells));
	assert_int_equal(screen_columns(&text), COLUMNS);
	assert_int_equal(screen_rows(&text), ROWS);
	screen_text(&text, 78, 24, "ab", 9, SCREEN_WHITE, SCREEN_BLUE);
	assert_int_equal(cell_at(78, 24), 0x1700 | 'a');
	assert_int_equal(cell_at(79, 24), 0x1700 | 'b');
	assert_int_equal(cells[COLUMNS * ROWS], 0);
	screen_text(&text, 0, 25, "below", 5, SCREEN_WHITE, SCREEN_BLACK);
	assert_int_equal(cells[COLUMNS * ROWS], 0);
	screen_text(&text, 0, 0, "c", 2, SCREEN_BLACK, SCREEN_GREY);
	assert_int_equal(cell_at(0, 0), 0x7000 | 'c');
	assert_int_equal(cell_at(1, 0), 0x7000 | ' ');
	assert_int_equal(cell_at(2, 0), 0);
}

/* What does not fit the place is not drawn. */
static void pixels_beside_the_picture(void **state)
{
	struct screen_place place;

	(void)state;
	screen_place(&place, &fb, 100, 50);
	draw(&place, 1, 0, 100, 50);
	draw(&place, 0, 49, 10, 2);
	place = (struct screen_place){ 0 };
	draw(&place, 0, 0, 1, 1);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			assert_int_equal(at(x, y), NOBODY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, check)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(letters),
		TEST(cut),
		TEST(smaller_pictures_are_centred),
		TEST(larger_pictures_are_made_smaller),
		TEST(pieces_make_the_whole),
		TEST(pixels_beside_the_picture),
		TEST(pictures_in_16_bits),
		TEST(cells_are_shown),
		TEST(fewer_cells_are_centred),
		TEST(text_in_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
