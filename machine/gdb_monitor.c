/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GDB's `monitor`: what a debugger of a whole machine needs and the protocol
 * has no packets for.
 */
#include "machine/gdb_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define WORDS_MAX 5

struct command {
	const char *name;
	void (*run)(struct gdb *gdb, unsigned count, char *const *words,
		    struct gdb_text *text);
	const char *help;
};

static const char *const catch_names[GDB_CATCHES] = {
	[GDB_CATCH_EXCEPTION] = "exception", [GDB_CATCH_INTERRUPT] = "int",
	[GDB_CATCH_PORT] = "port",	     [GDB_CATCH_MSR] = "msr",
	[GDB_CATCH_RESET] = "reset",
};

/* The greatest number of each. */
static const uint64_t catch_limits[GDB_CATCHES] = {
	[GDB_CATCH_EXCEPTION] = 31,    [GDB_CATCH_INTERRUPT] = UINT8_MAX,
	[GDB_CATCH_PORT] = UINT16_MAX, [GDB_CATCH_MSR] = UINT32_MAX,
	[GDB_CATCH_RESET] = 0,
};

static bool number_of(const char *word, uint64_t *value)
{
	struct gdb_cursor cursor = { word, word + strlen(word) };

	if (gdb_get(&cursor, "0x") && !gdb_left(&cursor))
		return false;
	return gdb_get_number(&cursor, value) && !gdb_left(&cursor);
}

void gdb_catch_describe(const struct gdb_stop *stop, struct gdb_text *text)
{
	gdb_put(text, "vCPU ");
	gdb_put_decimal(text, stop->vcpu);
	gdb_put(text, ": ");
	gdb_put(text, catch_names[stop->caught]);
	if (stop->caught != GDB_CATCH_RESET) {
		gdb_put(text, " 0x");
		gdb_put_number(text, stop->address);
	}
	gdb_put(text, "\n");
}

static bool is_off(unsigned count, char *const *words)
{
	return count && !strcmp(words[count - 1], "off");
}

static void run_physical(struct gdb *gdb, unsigned count, char *const *words,
			 struct gdb_text *text)
{
	if (count == 2)
		gdb->is_physical = !is_off(count, words);
	gdb_put(text, "addresses of memory are ");
	gdb_put(text, gdb->is_physical ? "physical\n" : "linear\n");
}

static void run_flip(struct gdb *gdb, unsigned count, char *const *words,
		     struct gdb_text *text)
{
	uint64_t address, bit;
	uint8_t byte;

	if (count != 3 || !number_of(words[1], &address) ||
	    !number_of(words[2], &bit) || bit > 7) {
		gdb_put(text, "flip ADDRESS BIT; numbers are hexadecimal\n");
		return;
	}
	if (!gdb->ops->memory(gdb->ctx, gdb->thread, address, true, &byte, 1,
			      false)) {
		gdb_put(text, "there is no memory\n");
		return;
	}
	gdb_put_number(text, byte);
	byte ^= (uint8_t)BIT(bit);
	if (gdb->ops->memory(gdb->ctx, gdb->thread, address, true, &byte, 1,
			     true)) {
		gdb_put(text, ", now ");
		gdb_put_number(text, byte);
	} else {
		gdb_put(text, ", which cannot be written");
	}
	gdb_put(text, "\n");
}

static void run_arch(struct gdb *gdb, unsigned count, char *const *words,
		     struct gdb_text *text)
{
	static const char *const names[] = {
		[GDB_ARCH_AUTO] = "auto",
		[GDB_ARCH_I8086] = "i8086",
		[GDB_ARCH_I386] = "i386",
		[GDB_ARCH_X86_64] = "x86-64",
	};

	for (unsigned i = 0; count == 2 && i < ARRAY_SIZE(names); i++)
		if (!strcmp(words[1], names[i]))
			gdb->wanted = (enum gdb_arch)i;
	gdb_put(text, "the next debugger's registers: ");
	gdb_put(text, names[gdb->wanted]);
	gdb_put(text, "; disconnect, and connect again\n");
}

static void run_stay(struct gdb *gdb, unsigned count, char *const *words,
		     struct gdb_text *text)
{
	gdb->stays = !is_off(count, words);
	gdb_put(text, gdb->stays
			      ? "the guest stands on when this debugger "
				"leaves, until the next one comes\n"
			      : "the guest runs when this debugger leaves\n");
}

static void run_reset(struct gdb *gdb, unsigned count, char *const *words,
		      struct gdb_text *text)
{
	(void)count;
	(void)words;
	gdb->ops->reset(gdb->ctx);
	gdb_put(text, "reset; registers that GDB remembers are those of "
		      "before: `maintenance flush register-cache`\n");
}

static void run_catch(struct gdb *gdb, unsigned count, char *const *words,
		      struct gdb_text *text)
{
	unsigned what = 0;
	uint64_t number = 0;
	bool is_set = !is_off(count, words);
	int error;

	if (!is_set)
		count--;
	while (count > 1 && what < GDB_CATCHES &&
	       strcmp(words[1], catch_names[what]) != 0)
		what++;
	if (count < 2 || what == GDB_CATCHES ||
	    count != (what == GDB_CATCH_RESET ? 2U : 3U) ||
	    (count == 3 && !number_of(words[2], &number)) ||
	    number > catch_limits[what]) {
		gdb_put(text, "catch exception|int|port|msr NUMBER [off], "
			      "catch reset [off]; numbers are hexadecimal\n");
		return;
	}
	error = gdb->ops->catch_event(gdb->ctx, (enum gdb_catch)what,
				      (uint32_t)number, is_set);
	gdb_put(text, error ? "no more of those can be caught\n" : "ok\n");
}

static void run_help(struct gdb *gdb, unsigned count, char *const *words,
		     struct gdb_text *text);

/* clang-format off */
static const struct command commands[] = {
	{ "help", run_help, "this" },
	{ "physical", run_physical,
	  "[on|off]: memory at physical addresses" },
	{ "flip", run_flip,
	  "ADDRESS BIT: another value of a bit at a physical address" },
	{ "arch", run_arch,
	  "[auto|i8086|i386|x86-64]: the registers that are described" },
	{ "catch", run_catch,
	  "exception|int|port|msr NUMBER [off], catch reset [off]" },
	{ "stay", run_stay,
	  "[off]: who leaves leaves the guest stopped, for the next debugger" },
	{ "reset", run_reset, "the reset button; the guest stands at its "
			      "first instruction" },
};
/* clang-format on */

static void run_help(struct gdb *gdb, unsigned count, char *const *words,
		     struct gdb_text *text)
{
	(void)gdb;
	(void)count;
	(void)words;
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		gdb_put(text, commands[i].name);
		gdb_put(text, " ");
		gdb_put(text, commands[i].help);
		gdb_put(text, "\n");
	}
}

/* In place; what is beyond WORDS_MAX words is one of them. */
static unsigned split(char *line, char *words[WORDS_MAX])
{
	unsigned count = 0;

	for (;;) {
		while (*line == ' ')
			*line++ = 0;
		if (!*line || count == WORDS_MAX)
			return count;
		words[count++] = line;
		while (*line && *line != ' ')
			line++;
	}
}

void gdb_monitor(struct gdb *gdb, char *line, struct gdb_text *text)
{
	char *words[WORDS_MAX];
	unsigned count = split(line, words);

	for (unsigned i = 0; count && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(words[0], commands[i].name)) {
			commands[i].run(gdb, count, words, text);
			return;
		}
	gdb_put(text, "there is no such command; `monitor help`\n");
}
