/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile debugger: packets that are nearly right, from a seed, in pieces of
 * any size, and a guest that stops and is reset when it likes.  The sanitizers
 * look on; the ops check that nothing is asked of them out of turn; what comes
 * out is frames.
 */
#include "tests/unit/gdb_test.h"

#define SEEDS  1000
#define ROUNDS 400

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 16) % limit);
}

static const char *const samples[] = {
	"?",
	"g",
	"G0011223344556677",
	"p10",
	"P10=0000000000000000",
	"m10000,4",
	"m12fff,ffffffff",
	"M10000,4:00112233",
	"X10000,3:abc",
	"Z0,7c00,1",
	"z2,7c00,8",
	"c",
	"s",
	"vCont;s:1;c",
	"vCont?",
	"Hg1",
	"Hc-1",
	"T2",
	"qC",
	"qSupported:swbreak+;hwbreak+",
	"qXfer:features:read:target.xml:0,fff",
	"qXfer:threads:read::10,20",
	"qfThreadInfo",
	"qThreadExtraInfo,1",
	"qRcmd,68656c70",
	"qRcmd,636174636820706f72742031",
	"qRcmd,61726368207838362d3634",
	"qRcmd,73746179",
	"Qqemu.PhyMemMode:1",
	"QStartNoAckMode",
	"D",
	"k",
	"vKill;1",
};

static size_t mutate(char *packet, size_t length, size_t size)
{
	unsigned changes = random_below(4);

	for (unsigned i = 0; i < changes; i++) {
		size_t at = random_below((uint32_t)length + 1);

		switch (random_below(4)) {
		case 0: /* another byte */
			if (at < length)
				packet[at] = (char)random_below(256);
			break;
		case 1: /* cut */
			length = at;
			break;
		case 2: /* one of those that mean something */
			if (at < length)
				packet[at] = ":;,=#$}f0-"[random_below(10)];
			break;
		default: /* longer */
			while (length < size && random_below(200))
				packet[length++] = "0f;,:1"[random_below(6)];
			break;
		}
	}
	return length;
}

static void say_piece(const char *bytes, size_t length)
{
	while (length) {
		size_t n = random_below(64) + 1;

		n = MIN(n, length);
		gdb_input(&target.gdb, bytes, n);
		bytes += n;
		length -= n;
	}
}

/* $, no $ and no # inside, #, two digits; or an acknowledgment. */
static void check_frames(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length) {
		if (text[i] == '+' || text[i] == '-') {
			i++;
			continue;
		}
		assert_int_equal(text[i], '$');
		while (i < length && text[i] != '#') {
			assert_true(text[i] >= ' ' && text[i] <= '~');
			i++;
		}
		assert_true(i + 2 < length);
		i += 3;
	}
}

static void one_round(void)
{
	static char packet[2 * GDB_PACKET_MAX], framed[3 * GDB_PACKET_MAX];
	const char *sample = samples[random_below(ARRAY_SIZE(samples))];
	size_t length = strlen(sample);

	memcpy(packet, sample, length);
	length = mutate(packet, length, sizeof(packet) - 1);
	length = frame(framed, packet, length);
	if (!random_below(16))
		framed[random_below((uint32_t)length)] ^= 1;
	say_piece(framed, length);
	if (!random_below(8))
		say_raw("-");
	if (random_below(4)) {
		take();
		check_frames(target.answer, target.answer_length);
	}
	if (target.is_running && random_below(2)) {
		struct gdb_stop stop = {
			.kind = (enum gdb_stop_kind)random_below(4),
			.breakpoint = (enum gdb_breakpoint)random_below(
				GDB_BREAKPOINT_KINDS),
			.caught = (enum gdb_catch)random_below(GDB_CATCHES),
			.vcpu = random_below(VCPUS),
			.address = seed,
		};

		stop_now(stop);
	}
	if (target.gdb.state <= GDB_HELD) {
		take();
		target.is_running = target.gdb.state == GDB_CLOSED;
		gdb_open(&target.gdb);
	}
	if (!random_below(100))
		gdb_close(&target.gdb);
	target.error = random_below(4) ? 0 : -ENOSPC;
}

static void hostile(void **state)
{
	unsigned resumes = 0, breaks = 0, catches = 0;

	(void)state;
	for (unsigned i = 1; i <= SEEDS; i++) {
		target_open(i & 1 ? state_long : state_real);
		seed = i * 0x9e3779b97f4a7c15ULL;
		for (unsigned n = 0; n < ROUNDS; n++)
			one_round();
		resumes += target.resumes;
		breaks += target.breaks;
		catches += target.catches;
	}
	/* It got somewhere. */
	assert_true(resumes > SEEDS && breaks > SEEDS && catches > SEEDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
