/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console and the log: too much, and in others' names.
 */
#include "tests/hostile/programs/evil.h"

#include "lib/string.h"

#define PAUSE_NS 20000000 /* unfinished lines are shown after less */

static char big[GATE_CONSOLE_MAX];

/* A write may take as long as the port needs, in which nothing is looked at. */
static void end_while_others_wait(struct self *self)
{
	if (self->id == evil.ender && self->vcpus > 1)
		spin_ns(evil.duration_ns);
}

/* Lines as fast as they go; each vCPU's are its own. */
static void attack_console(struct self *self)
{
	if (self->id == 0) {
		memset(big, 'x', sizeof(big));
		for (size_t i = 63; i < sizeof(big); i += 64)
			big[i] = '\n';
	}
	meet(self);
	end_while_others_wait(self);
	while (goes_on(self))
		gate_console_write(GATE_STREAM_SERIAL, big, sizeof(big));
}

/* One line that never ends. */
static void attack_endless(struct self *self)
{
	if (self->id == 0)
		memset(big, 'y', sizeof(big));
	meet(self);
	end_while_others_wait(self);
	while (goes_on(self))
		gate_console_write(GATE_STREAM_SERIAL, big,
				   1 + random_next(self) % sizeof(big));
}

static void write(const char *text)
{
	gate_console_write(GATE_STREAM_SERIAL, text, strlen(text));
}

/* Lines as if the monitor or the good guest had written them. */
static void attack_forge(struct self *self)
{
	static const char *const forged[] = {
		"\r[good] FORGED by CR\r\n",
		"\n[good] FORGED by LF\n",
		"\r[    1.000000] monitor panic: FORGED\r\n",
		"\x1b[2J\x1b[H[good] FORGED by clearing\r\n",
		"\x1b]0;title\x07",
		"\x1b[1A\r[good] FORGED a line above\n",
		"\x08\x08\x08\x08\x08\x08\x08\x08[good] FORGED by BS\n",
		"\x0b\x0c[good] FORGED by VT and FF\n",
		"\x9b"
		"2J\x85[good] FORGED by C1\n",
	};

	meet(self);
	for (unsigned i = 0; goes_on(self); i++) {
		const char *text = forged[i % ARRAY_SIZE(forged)];

		write("prompt> ");
		if (i & 1)
			spin_ns(PAUSE_NS);
		write(text);
		if (i & 2)
			spin_ns(PAUSE_NS);
		gate_log(GATE_LOG_ERROR, "%s", text);
	}
}

static void attack_log(struct self *self)
{
	meet(self);
	for (uint64_t i = 0; goes_on(self); i++)
		gate_log((unsigned)(i % 4), "vCPU %u says %lu", self->id, i);
}

/* Input that is not there, to addresses that are not. */
static void attack_input(struct self *self)
{
	meet(self);
	while (goes_on(self)) {
		gate_call(GATE_CONSOLE_READ, random_argument(self),
			  random_argument(self), 0);
		gate_call(GATE_CONSOLE_WRITE, random_next(self) % 3,
			  GATE_CONFIG_VA - random_next(self) % 4096,
			  random_next(self) % 4096);
		gate_call(GATE_LOG, random_next(self) % 5,
			  random_argument(self), random_next(self) % 256);
	}
}

const struct attack flood_attacks[] = {
	{ "console", attack_console }, { "endless", attack_endless },
	{ "forge", attack_forge },     { "log", attack_log },
	{ "input", attack_input },     { 0 },
};
