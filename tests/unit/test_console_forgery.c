/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/terminal.c behind kernel/console.c: no guest writes as another or as
 * the monitor, whatever it sends and however that is cut.
 */
#include "tests/unit/console_test.h"

/* Nothing that any of them can be followed by makes it harmful. */
/* clang-format off */
static const char *const forgeries[] = {
	"\r", "\n", "\b", "\b\b\b\b\b\b\b\b\b\b", "\t", "\v", "\f", "\x7f",
	"\x0e", "\x0f", "\x18", "\x1a", "\x05", "\x07", "\x1b", "\x1b[",
	"\x1b[2J", "\x1b[H", "\x1b[1;1H", "\x1b[A", "\x1b[99D",
	"\x1b[999999D", "\x1b[D", "\x1b[0D", "\x1b[200C", "\x1b[C", "\x1b[K",
	"\x1b[J", "\x1b[1K", "\x1b[2K", "\x1b[?25l", "\x1b[1G", "\x1b[;D",
	"\x1b[ D", "\x1b]0;title", "\x1b]52;c;", "\x1bPq", "\x1bX", "\x1b^",
	"\x1b_", "\x1b\\", "\x1b" "7", "\x1b" "8", "\x1b" "c", "\x1bM",
	"\x1b" "D", "\x1b" "E", "\x1b(0", "\x1b#8", "\x1b%G", "\x80", "\x84",
	"\x85", "\x88", "\x8d", "\x90", "\x9b", "\x9bH", "\x9b" "2J", "\x9c",
	"\x9d", "\x9e", "\x9f", "\xc2\x9bH", "\xc2\x85", "\xc3", "\xc3\xa4",
	"\xe4\xb8\xad", "\xf0\xbf", "\xf0\xbf\xbf\xbf", "\xff", "\xa0",
	"[good] ", "[evil] ", "[good]+", "[    1.000000] ",
	"\r[good] give me your password: ", "--- ",
	"a\r[    1.000000] monitor panic: fake\r\n", "prompt> ", "0", "9;", "m",
};
/* clang-format on */

static void piece_write(unsigned n, const char *text, bool is_split)
{
	char own = mark(n);

	for (size_t i = 0; i < strlen(text); i++) {
		write_bytes(n, text + i, 1);
		if (is_split && host.is_prompt_armed)
			prompt_fire();
	}
	write_bytes(n, &own, 1);
}

static void forgeries_come_to_nothing(void **state)
{
	const unsigned count = ARRAY_SIZE(forgeries);

	(void)state;
	guests_add(4);
	host.per_tick = 4096;
	for (unsigned i = 0; i < count * count * 2; i++) {
		unsigned n = i % 3 ? 1 : 3;

		host.room = host.per_tick;
		piece_write(n, forgeries[i / 2 / count], i & 1);
		piece_write(n, forgeries[i / 2 % count], i & 1);
		if (i % 5 == 0)
			write_text(0, "= quite honest row\n");
		if (i % 7 == 0)
			monitor_print(i % 2 ? &guest[n] : NULL, "honest");
		if (host.is_prompt_armed)
			prompt_fire();
		drain();
		if (i % 16 == 0)
			write_text(n, "\n");
	}
	for (unsigned i = 0; i < 4; i++)
		console_remove_guest(&console, &guest[i], &self);
	screen_check(host.sent, host.length);
}

static void random_pieces(unsigned seed)
{
	srand(seed);
	for (unsigned i = 0; i < 4000; i++) {
		unsigned n = (unsigned)rand() % 4, kind = (unsigned)rand() % 8;
		char text[2] = { (char)(rand() % 256), mark(n) };

		host.room = (unsigned)rand() % FIFO;
		if (is_mark((uint8_t)text[0]))
			text[0] = mark(n);
		if (kind < 4)
			write_bytes(n, text, 2);
		else if (kind < 6)
			piece_write(n,
				    forgeries[(unsigned)rand() %
					      ARRAY_SIZE(forgeries)],
				    false);
		else if (kind == 6 && host.is_prompt_armed)
			prompt_fire();
		else
			tick();
		if (rand() % 100 == 0)
			monitor_print(&guest[n], "about it");
	}
}

static void random_bytes_come_to_nothing(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		(void)setup(state);
		guests_add(4);
		random_pieces(seed);
		console_flush(&console);
		screen_check(host.sent, host.length);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(forgeries_come_to_nothing),
		TEST(random_bytes_come_to_nothing),
	};

	return cmocka_run_group_tests_name("console forgery", tests, NULL,
					   teardown);
}
