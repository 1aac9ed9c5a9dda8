/* SPDX-License-Identifier: BSD-2-Clause */
/* Against init, by the channel that it has with every service. */
#include "tests/hostile/fake/fake.h"

static void bell(void)
{
	(void)gate_doorbell(fake_control().slot);
}

static void lengths(struct self *self)
{
	struct fake_control control = fake_control();

	lengths_fill(self, control.from, control.from_data, control.from_size);
	bell();
	spin_for_ever();
}

/* Everything that init reads, all the time. */
static void all_of_it(struct self *self)
{
	struct fake_control control = fake_control();

	for (;;) {
		scribble(self, control.memory, control.size);
		bell();
	}
}

/* Counters that go to and fro between nothing and too little. */
static void flicker(struct self *self)
{
	struct fake_control control = fake_control();

	(void)self;
	for (uint32_t i = 0;; i++) {
		store(&control.to->consumed, -(uint64_t)(i % 3));
		store(&control.from->produced, i % 3);
		if (control.more)
			store(&control.more->produced, i % 3);
		if (i % 1024 == 0)
			bell();
	}
}

/* No time for anybody else in init, if bells could do that. */
static void bells(struct self *self)
{
	while (goes_on(self))
		for (unsigned i = 0; i < 64; i++)
			bell();
}

/* Answers nothing, and never ends by itself. */
static void silent(struct self *self)
{
	(void)self;
	spin_for_ever();
}

/* Dies at once, some times in a row. */
static void dies(struct self *self)
{
	(void)self;
}

const struct fake fake_lengths = { 1, lengths };
const struct fake fake_scribble = { 1, all_of_it };
const struct fake fake_flicker = { 1, flicker };
const struct fake fake_bells = { 1, bells };
const struct fake fake_silent = { 1, silent };
const struct fake fake_crash = { 2, dies };
