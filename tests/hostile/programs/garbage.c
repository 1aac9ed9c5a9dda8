/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for tests alone (board "test-garbage"): sends nonsense through
 * every call of the gate and scribbles over its shared page.  The monitor and
 * the other guests must not notice.  At the end it says how many calls it
 * made, then reads address zero, which must stop this VM and nothing else.
 */
#include "machine/machine.h"

#include "machine/gate_calls.h"

#define ROUNDS	  20000
#define LOG_EVERY 500 /* calls that end the VM or fill the log are rarer */

struct random {
	uint64_t state;
};

/* xorshift64* */
static uint64_t random_next(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dULL;
}

/* Half of them near a border where checks go wrong. */
static uint64_t random_argument(struct random *r)
{
	static const uint64_t border[] = {
		0,
		1,
		PAGE_SIZE,
		PAGE_2M,
		GATE_PAGE_VA(0),
		GATE_WINDOW_VA,
		GATE_CONFIG_VA,
		GATE_BLOB_VA,
		0x00007fffffffffffULL,
		0x0000800000000000ULL,
		0xffff800000000000ULL,
		0xffffffff80000000ULL,
		0xffffffffffffffffULL,
		0x7fffffffffffffffULL,
	};
	uint64_t value = random_next(r);

	if (value & 1)
		return border[(value >> 8) % ARRAY_SIZE(border)] +
		       ((value >> 16) % 3 - 1) * ((value >> 24) % 4096);
	return random_next(r) >> (value >> 8) % 64;
}

static void scribble(struct random *r, struct gate_page *page)
{
	uint64_t *words = (uint64_t *)page;

	for (unsigned i = 0; i < sizeof(*page) / sizeof(*words); i++)
		words[i] = random_argument(r);
}

/* Calls that would end this VM before the test is over. */
static bool is_final(uint64_t call, uint64_t a)
{
	return call == GATE_STOP && a != GATE_STOP_RESET;
}

static void one_call(struct random *r, unsigned round)
{
	uint64_t call = random_next(r) % (GATE_CALL_COUNT + 3);
	uint64_t a = random_argument(r);

	/* The guest would never come back: it runs noise with nothing that
	 * could wake the machine.  RESUME has a turn of its own. */
	if (call == GATE_RESUME || is_final(call, a))
		return;
	if ((call == GATE_LOG || call == GATE_CONSOLE_WRITE ||
	     call == GATE_STOP) &&
	    round % LOG_EVERY)
		return;
	gate_call4((enum gate_call)call, a, random_argument(r),
		   random_argument(r), random_argument(r));
}

void test_garbage_main(unsigned vcpu)
{
	struct random r = { .state = 0x9e3779b97f4a7c15ULL + vcpu };
	struct gate_page *page = gate_page(vcpu);
	volatile const uint8_t *nowhere = NULL;

	gate_log(GATE_LOG_INFO, "garbage: begins");
	for (unsigned i = 0; i < ROUNDS; i++) {
		one_call(&r, i);
		if (i % 64 == 0)
			scribble(&r, page);
	}
	gate_log(GATE_LOG_INFO, "garbage: %u rounds done, now a bad read",
		 ROUNDS);
	(void)*nowhere; /* cppcheck-suppress nullPointer */
	for (;;)
		gate_yield();
}
