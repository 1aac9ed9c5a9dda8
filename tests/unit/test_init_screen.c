/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot loader's screen: what init tells seat of it, and what it refuses;
 * whatever it is, everything else goes on.
 */
#include "tests/unit/init_test.h"

#define AT	   0xfd000010ULL
#define PAGES	   769
#define PS2	   0x60
#define VGA_PORT   0x3ce
#define CLASS_VGA  0x030000
#define CLASS_DISK 0x010601

/* One that is used. */
static const struct gate_screen good = {
	.address = AT,
	.pitch = 4096,
	.width = 1024,
	.height = 768,
	.bpp = 32,
	.type = GATE_SCREEN_RGB,
	.colour = { 16, 8, 8, 8, 0, 8 },
	.size = PAGES * PAGE_SIZE,
};

static const struct gate_screen untold = {
	.address = 0xb8000,
	.pitch = 160,
	.height = 25,
	.type = GATE_SCREEN_UNTOLD,
	.size = PAGE_SIZE,
};

static int setup_screen(void **state)
{
	setup(state);
	add_module("seat.elf", &file, sizeof(file));
	add_guest("web", 1);
	memset(&init, 0, sizeof(init));
	return 0;
}

static const struct fake_domain *seat_of(const struct gate_screen *told)
{
	info.screen = *told;
	assert_true(begins());
	/* Always: seat and the guest. */
	assert_non_null(named("web"));
	assert_int_equal(named("web")->status.state, GATE_DOMAIN_RUNNING);
	assert_non_null(named("seat"));
	assert_int_equal(named("seat")->status.state, GATE_DOMAIN_RUNNING);
	return named("seat");
}

static bool has_port(const struct fake_domain *domain, uint16_t port)
{
	for (unsigned i = 0; i < GATE_PORT_RANGES; i++)
		if (port >= domain->spec.port[i].first &&
		    port < domain->spec.port[i].first +
				    domain->spec.port[i].count)
			return true;
	return false;
}

static void assert_refused(const struct gate_screen *told, const char *why)
{
	const struct fake_domain *seat;

	(void)setup_screen(NULL);
	seat = seat_of(told);
	assert_int_equal(seat->screen.kind, SEAT_SCREEN_NONE);
	assert_int_equal(seat->screen_size, 0);
	assert_false(has_port(seat, PS2));
	assert_false(has_port(seat, VGA_PORT));
	if (why) {
		assert_logged("the boot loader's screen is not used");
		assert_logged(why);
	} else if (strstr(gate.log, "screen")) {
		fail_msg("%s", gate.log);
	}
}

static void pixels_are_granted(void **state)
{
	const struct fake_domain *seat = seat_of(&good);

	(void)state;
	assert_int_equal(seat->screen.kind, SEAT_SCREEN_PIXELS);
	assert_int_equal(seat->screen.width, 1024);
	assert_int_equal(seat->screen.height, 768);
	assert_int_equal(seat->screen.stride, 4096);
	assert_int_equal(seat->screen.pixel_bytes, 4);
	assert_int_equal(seat->screen.channel[0].at, 16);
	assert_int_equal(seat->screen.channel[1].at, 8);
	assert_int_equal(seat->screen.channel[2].at, 0);
	assert_int_equal(seat->screen.channel[2].bits, 8);
	assert_int_equal(seat->screen_va, GATE_MODULE_VA + MIB(1024) % MIB(2));
	assert_int_equal(seat->screen_size, PAGES * PAGE_SIZE);
	assert_int_equal(seat->screen.va, seat->screen_va + 0x10);
	assert_true(has_port(seat, PS2));
	assert_true(has_port(seat, PS2 + 4));
	assert_false(has_port(seat, PS2 + 1));
	assert_false(has_port(seat, VGA_PORT));
	assert_logged("1024 x 768 pixels of 32 bits, at fd000010");
}

/* The next seat has it as well. */
static void it_stays(void **state)
{
	(void)state;
	(void)seat_of(&good);
	ends("seat", GATE_END_FAULT, 0);
	assert_true(goes_on());
	gate.now = gate.deadline;
	assert_true(goes_on());
	assert_int_equal(named("seat")->screen.kind, SEAT_SCREEN_PIXELS);
	assert_int_equal(named("seat")->screen_size, PAGES * PAGE_SIZE);
}

static void formats_are_known(void **state)
{
	static const struct {
		uint8_t bpp, bytes, colour[6];
	} rows[] = {
		{ 15, 2, { 10, 5, 5, 5, 0, 5 } },
		{ 16, 2, { 11, 5, 5, 6, 0, 5 } },
		{ 24, 3, { 16, 8, 8, 8, 0, 8 } },
		{ 32, 4, { 0, 8, 8, 8, 16, 8 } },
		{ 32, 4, { 20, 10, 10, 10, 0, 10 } },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gate_screen told = good;
		const struct fake_domain *seat;

		(void)setup_screen(NULL);
		told.bpp = rows[i].bpp;
		memcpy(told.colour, rows[i].colour, sizeof(told.colour));
		seat = seat_of(&told);
		assert_int_equal(seat->screen.kind, SEAT_SCREEN_PIXELS);
		assert_int_equal(seat->screen.pixel_bytes, rows[i].bytes);
		for (unsigned n = 0; n < 3; n++) {
			assert_int_equal(seat->screen.channel[n].at,
					 rows[i].colour[2 * n]);
			assert_int_equal(seat->screen.channel[n].bits,
					 rows[i].colour[2 * n + 1]);
		}
	}
}

static void text_is_granted(void **state)
{
	struct gate_screen told = untold;
	const struct fake_domain *seat;

	(void)state;
	told.type = GATE_SCREEN_TEXT;
	told.width = 80;
	seat = seat_of(&told);
	assert_int_equal(seat->screen.kind, SEAT_SCREEN_TEXT);
	assert_true(seat->screen.is_vga);
	assert_int_equal(seat->screen.width, 80);
	assert_int_equal(seat->screen.height, 25);
	assert_int_equal(seat->screen.stride, 160);
	assert_int_equal(seat->screen_size, PAGE_SIZE);
	assert_int_equal(seat->screen.va, seat->screen_va);
	assert_true(has_port(seat, VGA_PORT));
	assert_true(has_port(seat, VGA_PORT + 7));
	assert_false(has_port(seat, VGA_PORT + 8));
	assert_true(has_port(seat, PS2));
}

static void untold_is_a_vgas(void **state)
{
	const struct fake_domain *seat;

	(void)state;
	assert_refused(&untold, NULL);
	(void)setup_screen(NULL);
	gate.pci[gate.pci_count++].class_code = CLASS_DISK;
	gate.pci[gate.pci_count++].class_code = CLASS_VGA;
	seat = seat_of(&untold);
	assert_int_equal(seat->screen.kind, SEAT_SCREEN_TEXT);
	assert_int_equal(seat->screen.width, 80);
	assert_int_equal(seat->screen.height, 25);
	assert_true(seat->screen.is_vga);
}

static void untold_and_not_there(void **state)
{
	struct gate_screen told = untold;

	(void)state;
	gate.pci[gate.pci_count++].class_code = CLASS_VGA;
	told.size = 0;
	assert_int_equal(seat_of(&told)->screen.kind, SEAT_SCREEN_NONE);
	assert_null(strstr(gate.log, "screen"));
}

static void nonsense_is_refused(void **state)
{
	static const struct {
		const char *why;
		struct gate_screen screen; /* where not 0, it is changed so */
	} rows[] = {
		{ "palette", { .type = GATE_SCREEN_INDEXED } },
		{ "nobody knows", { .type = 4 } },
		{ "nobody knows", { .type = 255 } },
		{ "none of 15", { .bpp = 8 } },
		{ "none of 15", { .bpp = 1 } },
		{ "none of 15", { .bpp = 33 } },
		{ "none of 15", { .bpp = 255 } },
		{ "no size", { .width = 1 } },
		{ "no size", { .width = 199 } },
		{ "no size", { .height = 199 } },
		{ "no size", { .width = 16385, .pitch = 0x20000 } },
		{ "no size", { .height = 0xffffffff } },
		{ "no size", { .width = 0x40000000 } }, /* 4 times that is 0 */
		{ "shorter", { .pitch = 4095 } },
		{ "shorter", { .width = 1025 } },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct gate_screen *change = &rows[i].screen;
		struct gate_screen told = good;

		if (change->bpp)
			told.bpp = change->bpp;
		else if (change->width || change->pitch || change->height)
			told.bpp = 32;
		else
			told.type = change->type;
		told.width = change->width ? change->width : told.width;
		told.height = change->height ? change->height : told.height;
		told.pitch = change->pitch ? change->pitch : told.pitch;
		assert_refused(&told, rows[i].why);
	}
}

static void colours_are_refused(void **state)
{
	static const uint8_t rows[][6] = {
		{ 0, 0, 0, 0, 0, 0 },	    { 16, 8, 8, 8, 0, 0 },
		{ 25, 8, 8, 8, 0, 8 },	    { 255, 255, 8, 8, 0, 8 },
		{ 16, 8, 9, 8, 0, 8 },	    { 16, 8, 8, 8, 8, 8 },
		{ 0, 17, 17, 8, 25, 7 },    { 200, 8, 8, 8, 0, 8 },
		{ 255, 1, 255, 1, 255, 1 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gate_screen told = good;

		memcpy(told.colour, rows[i], sizeof(told.colour));
		assert_refused(&told, "colours");
	}
}

static void text_nonsense_is_refused(void **state)
{
	static const struct gate_screen rows[] = {
		{ .address = 0xb8000, .pitch = 160, .width = 80, .height = 1 },
		{ .address = 0xb8000, .pitch = 160, .width = 8, .height = 25 },
		{ .address = 0xb8000,
		  .pitch = 600,
		  .width = 300,
		  .height = 25 },
		{ .address = 0xb8000,
		  .pitch = 160,
		  .width = 80,
		  .height = 257 },
		{ .address = 0xb8000, .pitch = 159, .width = 80, .height = 25 },
		{ .address = 0xb8000, .pitch = 161, .width = 80, .height = 25 },
		{ .address = 0xb8001, .pitch = 160, .width = 80, .height = 25 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gate_screen told = rows[i];

		told.type = GATE_SCREEN_TEXT;
		told.size = PAGE_SIZE;
		assert_refused(&told, i < 4 ? "no size" : "or odd");
	}
}

static void places_are_refused(void **state)
{
	struct gate_screen told = good;

	(void)state;
	told.size = 0;
	assert_refused(&told, "there is RAM");
}

/* It cannot be mapped: seat runs without. */
static void no_memory_for_it(void **state)
{
	unsigned calls;
	bool is_seen = false;

	(void)state;
	(void)seat_of(&good);
	calls = gate.calls;
	for (unsigned i = 1; i <= calls; i++) {
		const struct fake_domain *seat;

		(void)setup_screen(NULL);
		info.screen = good;
		gate.fail_at = i;
		if (!begins())
			continue;
		if (!strstr(gate.log, "screen cannot be had: -12"))
			continue;
		is_seen = true;
		seat = named("seat");
		assert_non_null(seat);
		assert_int_equal(seat->status.state, GATE_DOMAIN_RUNNING);
		assert_int_equal(seat->screen.kind, SEAT_SCREEN_NONE);
		assert_int_equal(seat->screen_size, 0);
	}
	assert_true(is_seen);
}

#define TEST(name) cmocka_unit_test_setup(name, setup_screen)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pixels_are_granted),	TEST(it_stays),
		TEST(formats_are_known),	TEST(text_is_granted),
		TEST(untold_is_a_vgas),		TEST(untold_and_not_there),
		TEST(nonsense_is_refused),	TEST(colours_are_refused),
		TEST(text_nonsense_is_refused), TEST(places_are_refused),
		TEST(no_memory_for_it),
	};

	return cmocka_run_group_tests_name("init screen", tests, NULL, NULL);
}
