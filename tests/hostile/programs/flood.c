/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console and the log: too much, and in others' names.
 */
#include "tests/hostile/programs/evil.h"

#include "include/seat.h"
#include "lib/string.h"
#include "machine/console.h"

#define PAUSE_NS 20000000 /* unfinished lines are shown after less */

#define BIG 4096

static char big[BIG];
static struct machine_console console;
static uint32_t console_lock; /* atomic */

/* A ring has one producer at a time. */
static void console_write(struct self *self, const char *text, size_t length)
{
	while (__atomic_exchange_n(&console_lock, 1, __ATOMIC_SEQ_CST))
		gate_yield();
	machine_console_open(&console);
	machine_console_write(&console, self->id, CONSOLE_SERIAL, text, length);
	__atomic_store_n(&console_lock, 0, __ATOMIC_SEQ_CST);
}

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
		console_write(self, big, sizeof(big));
}

/* One line that never ends. */
static void attack_endless(struct self *self)
{
	if (self->id == 0)
		memset(big, 'y', sizeof(big));
	meet(self);
	end_while_others_wait(self);
	while (goes_on(self))
		console_write(self, big, 1 + random_next(self) % sizeof(big));
}

static void write(struct self *self, const char *text)
{
	console_write(self, text, strlen(text));
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

		write(self, "prompt> ");
		if (i & 1)
			spin_ns(PAUSE_NS);
		write(self, text);
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

/* Lines that are not there. */
static void attack_input(struct self *self)
{
	meet(self);
	while (goes_on(self)) {
		gate_call(GATE_LOG, random_next(self) % 5,
			  GATE_CONFIG_VA - random_next(self) % 256,
			  random_next(self) % 256);
		gate_call(GATE_LOG, random_next(self) % 5,
			  random_argument(self), random_next(self) % 256);
	}
}

/* Nonsense all over the console's rings, and its bell without end. */
static void attack_rings(struct self *self)
{
	volatile uint64_t *words = gate_channel(SEAT_CONSOLE_SLOT);
	uint64_t count = sizeof(struct seat_console) / sizeof(*words);

	meet(self);
	while (goes_on(self)) {
		words[random_next(self) % count] = random_argument(self);
		/* Counters of the first ring. */
		if (one_in(self, 4))
			words[random_next(self) %
			      (sizeof(struct ring_shared) / sizeof(*words))] =
				random_argument(self);
		gate_doorbell(SEAT_CONSOLE_SLOT);
	}
}

const struct attack flood_attacks[] = {
	{ "console", attack_console },
	{ "endless", attack_endless },
	{ "forge", attack_forge },
	{ "log", attack_log },
	{ "input", attack_input },
	{ "rings", attack_rings },
	{ 0 },
};
