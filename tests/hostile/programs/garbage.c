/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nonsense through every call of the gate and all over the shared pages, from
 * every vCPU.  At the end each reads address zero, which must stop this VM and
 * nothing else.
 */
#include "tests/hostile/programs/evil.h"

#define ROUNDS	     20000
#define RARE	     500 /* calls that fill the log or forget all state */
#define SCRIBBLE_ONE 64

static void one_call(struct self *self)
{
	uint64_t call = random_next(self) % (GATE_CALL_COUNT + 3);
	uint64_t a = random_argument(self);

	/* The guest would never come back: it runs noise with nothing that
	 * could wake the machine. */
	if (call == GATE_RESUME || call == GATE_WAIT || call == GATE_EXIT)
		return;
	if ((call == GATE_LOG || call == GATE_RESET) && !one_in(self, RARE))
		return;
	gate_call4((enum gate_call)call, a, random_argument(self),
		   random_third(self, (enum gate_call)call),
		   random_argument(self));
}

static void attack_garbage(struct self *self)
{
	volatile const uint8_t *nowhere = NULL;

	meet(self);
	for (unsigned i = 0; i < ROUNDS; i++) {
		one_call(self);
		if (i % SCRIBBLE_ONE == 0)
			scribble_page(self, any_page(self));
	}
	SAY("garbage: vCPU %u: %u rounds done, now a bad read", self->id,
	    ROUNDS);
	(void)*nowhere; /* cppcheck-suppress nullPointer */
}

const struct attack garbage_attacks[] = {
	{ "garbage", attack_garbage },
	{ 0 },
};
