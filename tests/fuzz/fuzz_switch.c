/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer over services/switch: machines that put anything into their rings
 * and over them, ports that come and go, time that passes.  Whatever they do:
 * an honest port receives frames of a proper length, each of a port of its own
 * network and VLAN, a call ends, and at the end two new ports reach each other.
 *
 * A frame of an honest port carries a stamp which says who sent it and that
 * nobody has changed it since.  The input is records: an opcode byte and its
 * operands.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/errno.h"
#include "services/switch/switch.h"

#define PORTS	   6
#define NETWORKS   2
#define VLANS	   3  /* 0: a trunk */
#define HEADER	   18 /* addresses, a tag, a type: the input's */
#define LIVES	   256
#define RUN_FRAMES (SWITCH_ROUNDS * SWITCH_TURN)
#define CHECK(x)                                                         \
	do {                                                             \
		if (!(x)) {                                              \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
				__LINE__, #x);                           \
			abort();                                         \
		}                                                        \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A port from when it is plugged to when it is taken away. */
struct life {
	unsigned network, vlan;
};

struct stamp {
	uint32_t life, vlan;
	uint64_t check;
};

static struct {
	const uint8_t *at, *end;
	struct switch_core core;
	/* Of the wide ones' size. */
	struct switch_wide_channel channel[SWITCH_SLOTS];
	struct ring to[SWITCH_SLOTS], from[SWITCH_SLOTS];
	struct life life[LIVES];
	unsigned lives, lived[SWITCH_SLOTS]; /* 0: no port */
	bool is_mirror[SWITCH_SLOTS], is_guilty[SWITCH_SLOTS];
	bool is_wide[SWITCH_SLOTS];
	uint64_t now_ns;
} fuzz;

static uint32_t take(unsigned bytes)
{
	uint32_t value = 0;

	while (bytes-- && fuzz.at < fuzz.end)
		value = value << 8 | *fuzz.at++;
	return value;
}

static void doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	CHECK(fuzz.lived[slot]);
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	CHECK(strlen(text) < 200);
}

static const struct switch_ops ops = { doorbell, say };

/* ---- Ports come and go --------------------------------------------------- */

static void plug(unsigned slot, const struct switch_message *message,
		 unsigned network)
{
	struct switch_channel *channel = (void *)&fuzz.channel[slot];
	bool is_wide = message->flags & SWITCH_WIDE;

	memset(&fuzz.channel[slot], 0,
	       is_wide ? sizeof(fuzz.channel[slot]) : sizeof(*channel));
	CHECK(!switch_add(&fuzz.core, message, channel));
	switch_rings_init(channel, is_wide, false, &fuzz.from[slot],
			  &fuzz.to[slot]);
	fuzz.is_wide[slot] = is_wide;
	fuzz.life[++fuzz.lives] = (struct life){ network, message->vlan };
	fuzz.lived[slot] = fuzz.lives;
	fuzz.is_mirror[slot] = message->flags & SWITCH_MIRROR;
	fuzz.is_guilty[slot] = false;
}

static void unplug(unsigned slot)
{
	struct switch_counters counters;

	switch_remove(&fuzz.core, slot, &counters);
	fuzz.lived[slot] = 0;
}

static void come_or_go(void)
{
	unsigned slot = 1 + take(1) % PORTS, what = take(1);
	unsigned network = what % NETWORKS;
	struct switch_message message = {
		.kind = SWITCH_ADD,
		.slot = slot,
		.vlan = what / NETWORKS % VLANS,
		.kib_limit = what & 0x80 ? take(2) : 0,
		.flags = (what & 0x60) == 0x60	 ? SWITCH_MIRROR
			 : (what & 0x60) == 0x40 ? SWITCH_WIDE
						 : 0,
		.port = "guest/nic0",
		.network = { (char)('a' + network) },
	};

	if (fuzz.lived[slot])
		unplug(slot);
	else if (fuzz.lives + 3 < LIVES)
		plug(slot, &message, network);
}

/* What init would never say. */
static void nonsense(void)
{
	struct switch_message message = { .kind = SWITCH_ADD };
	unsigned bytes = take(1) % sizeof(message);

	for (unsigned i = 0; i < bytes; i++)
		((uint8_t *)&message)[i] = (uint8_t)take(1);
	message.slot |= SWITCH_SLOTS;
	CHECK(switch_add(&fuzz.core, &message, (void *)&fuzz.channel[0]) ==
	      -EINVAL);
}

/* ---- Frames -------------------------------------------------------------- */

static uint64_t check_of(const struct stamp *stamp)
{
	return (stamp->life * 0x9e3779b97f4a7c15ULL) ^
	       (stamp->vlan * 0xc2b2ae3d27d4eb4fULL) ^ 0x5b1d0f2e77aa1935ULL;
}

static bool is_tagged(const uint8_t *frame)
{
	return frame[12] == 0x81 && frame[13] == 0;
}

static unsigned tag_of(const uint8_t *frame)
{
	return is_tagged(frame) ? (frame[14] << 8 | frame[15]) & 0xfff : 0;
}

/* Of a port that takes packets: anything before a frame, and now and then one
 * that makes sense. */
static struct net_offload offload_take(uint8_t *frame)
{
	struct net_offload offload = { 0 };
	uint32_t how = take(1);

	if (how & 1)
		return offload;
	offload.undone = (uint16_t)(how >> 1 & 15);
	offload.mss = (uint16_t)take(2);
	offload.sum_start = how & 0x20 ? 34 : (uint16_t)take(2);
	offload.sum_offset = how & 0x40 ? 16 : (uint16_t)take(2);
	/* Where the stamp is not. */
	if (how & 0x80) {
		frame[12] = 8;
		frame[13] = 0;
		frame[14] = 0x45;
		offload.sum_start = 34;
		frame[34 + 12] = 0x50;
	}
	return offload;
}

/* All but the stamp, which only a frame has that nobody works on. */
static void send_packet(unsigned slot)
{
	static struct switch_packet packet;
	uint32_t length = take(2) % (sizeof(packet) + 1);
	bool bell = false;

	memset(&packet, 0, sizeof(packet));
	for (unsigned i = 0; i < HEADER; i++)
		packet.frame[i] = (uint8_t)take(1);
	packet.offload = offload_take(packet.frame);
	fuzz.is_guilty[slot] |= length && length <= sizeof(packet.offload);
	(void)!ring_put(&fuzz.to[slot], &packet, length, &bell);
	if (bell)
		switch_ring(&fuzz.core, slot);
}

static void send_frame(unsigned slot)
{
	static struct switch_packet packet;
	uint8_t *frame = packet.frame;
	uint32_t length = take(2) % (NET_FRAME_MAX + 8 + 1);
	uint32_t skip = fuzz.is_wide[slot] ? 0 : sizeof(packet.offload);
	unsigned vlan = fuzz.life[fuzz.lived[slot]].vlan;
	struct stamp stamp = { .life = fuzz.lived[slot] };
	bool bell = false;

	memset(&packet, 0, sizeof(packet.offload) + NET_FRAME_MAX + 8);
	for (unsigned i = 0; i < HEADER; i++)
		frame[i] = (uint8_t)take(1);
	stamp.vlan = vlan ? vlan : tag_of(frame);
	stamp.check = check_of(&stamp);
	memcpy(frame + HEADER, &stamp, sizeof(stamp));
	if (!length)
		return;
	(void)!ring_put(&fuzz.to[slot], (uint8_t *)&packet + skip,
			length + sizeof(packet.offload) - skip, &bell);
	if (bell)
		switch_ring(&fuzz.core, slot);
}

static void send(unsigned slot)
{
	if (fuzz.is_wide[slot] && take(1) & 1)
		send_packet(slot);
	else
		send_frame(slot);
}

/* What the port takes as it is. */
static void accept(unsigned slot)
{
	((struct switch_channel *)&fuzz.channel[slot])->accepts = take(1);
}

/* Of an honest port's frame; a tag that it has lost, or got, moves it. */
static bool stamp_find(const uint8_t *frame, struct stamp *stamp)
{
	for (int shift = -NET_VLAN_TAG; shift <= NET_VLAN_TAG;
	     shift += NET_VLAN_TAG) {
		memcpy(stamp, frame + HEADER + shift, sizeof(*stamp));
		if (stamp->life && stamp->life <= fuzz.lives &&
		    stamp->check == check_of(stamp))
			return true;
	}
	return false;
}

/* What an honest port receives. */
static void check_frame(unsigned slot, const uint8_t *frame, uint32_t length)
{
	const struct life *here = &fuzz.life[fuzz.lived[slot]], *there;
	struct stamp stamp;

	CHECK(length >= NET_FRAME_MIN);
	if (!stamp_find(frame, &stamp))
		return;
	there = &fuzz.life[stamp.life];
	CHECK(here->network == there->network);
	if (fuzz.is_mirror[slot])
		return;
	CHECK(!here->vlan || here->vlan == stamp.vlan);
	CHECK(here->vlan || tag_of(frame) == stamp.vlan);
	CHECK(!here->vlan || !there->vlan || here->vlan == there->vlan);
}

/* What is left undone makes sense. */
static void check_offload(const struct switch_packet *packet, uint32_t length)
{
	struct net_segments segments;

	CHECK(net_offload_check(&packet->offload, length));
	if (!(packet->offload.undone & NET_UNDONE_CUT))
		return;
	memcpy(segments.header, packet->frame,
	       MIN(length, NET_SEGMENTS_HEADER));
	CHECK(net_segments_begin(&segments, &packet->offload, length));
}

static void receive(unsigned slot)
{
	static uint8_t record[sizeof(struct switch_packet)] __aligned(8);
	uint32_t skip = fuzz.is_mirror[slot] ? sizeof(struct switch_copy)
			: fuzz.is_wide[slot] ? sizeof(struct net_offload)
					     : 0;
	uint32_t max = fuzz.is_mirror[slot] ? SWITCH_COPY_MAX
		       : fuzz.is_wide[slot] ? sizeof(record)
					    : NET_FRAME_MAX;
	bool bell = false;
	long n;

	do {
		n = ring_get(&fuzz.from[slot], record, max, &bell);
		CHECK(n >= 0);
		if (n > 0) {
			CHECK(n > (long)skip);
			if (fuzz.is_wide[slot])
				check_offload((void *)record,
					      (uint32_t)n - skip);
			check_frame(slot, record + skip, (uint32_t)n - skip);
		}
	} while (n > 0);
}

/* ---- Lies ---------------------------------------------------------------- */

static void scribble(unsigned slot)
{
	uint8_t *memory = (uint8_t *)&fuzz.channel[slot];
	size_t heads = sizeof(struct ring_shared) * 2;
	uint32_t at = take(2), bytes = 1 + take(1) % 16;

	at = at & 1 ? at % heads : at % sizeof(struct switch_wide_channel);
	fuzz.is_guilty[slot] = true;
	for (uint32_t i = 0; i < bytes; i++)
		if (at + i < sizeof(struct switch_wide_channel))
			memory[at + i] = (uint8_t)take(1);
	switch_ring(&fuzz.core, slot);
}

static void run(void)
{
	uint64_t before[SWITCH_SLOTS];

	for (unsigned i = 1; i < SWITCH_SLOTS; i++)
		before[i] = fuzz.core.port[i].counters.sent +
			    fuzz.core.port[i].counters.refused;
	switch_run(&fuzz.core, fuzz.now_ns);
	for (unsigned i = 1; i < SWITCH_SLOTS; i++)
		CHECK(fuzz.core.port[i].counters.sent +
			      fuzz.core.port[i].counters.refused - before[i] <=
		      RUN_FRAMES);
}

static void step(void)
{
	unsigned op = take(1), slot = 1 + (op >> 4) % PORTS;
	bool is_honest = fuzz.lived[slot] && !fuzz.is_guilty[slot];

	switch (op & 15) {
	case 0:
	case 1:
		come_or_go();
		break;
	case 2:
		nonsense();
		break;
	case 3:
		if (fuzz.lived[slot])
			scribble(slot);
		break;
	case 4:
		fuzz.now_ns += (uint64_t)take(2) * NSEC_PER_MS;
		break;
	case 5:
		if (is_honest)
			accept(slot);
		break;
	case 6:
		run();
		break;
	case 7:
	case 8:
		if (is_honest)
			receive(slot);
		break;
	default:
		if (is_honest)
			send(slot);
	}
}

/* ---- Afterwards ---------------------------------------------------------- */

/* Two of a network that nobody else was in. */
static void honest_reach_each_other(void)
{
	static const unsigned slots[] = { SWITCH_SLOTS - 2, SWITCH_SLOTS - 1 };
	uint8_t frame[NET_FRAME_MIN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2
	};
	uint8_t got[NET_FRAME_MAX];
	bool bell = false;

	for (unsigned i = 0; i < 2; i++) {
		struct switch_message message = { .kind = SWITCH_ADD,
						  .slot = slots[i],
						  .port = "guest/nic0",
						  .network = "z" };

		plug(slots[i], &message, NETWORKS);
	}
	CHECK(ring_put(&fuzz.to[slots[0]], frame, sizeof(frame), &bell) ==
	      sizeof(frame));
	switch_ring(&fuzz.core, slots[0]);
	for (unsigned i = 0; i < 1000; i++) {
		long n;

		run();
		n = ring_get(&fuzz.from[slots[1]], got, sizeof(got), &bell);
		CHECK(n >= 0);
		if (n) {
			CHECK(n == sizeof(frame) && !memcmp(got, frame, n));
			return;
		}
	}
	CHECK(!"it came through");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&fuzz, 0, sizeof(fuzz));
	fuzz.at = data;
	fuzz.end = data + size;
	fuzz.now_ns = NSEC_PER_SEC;
	switch_init(&fuzz.core, &ops, NULL);
	while (fuzz.at < fuzz.end)
		step();
	run();
	for (unsigned slot = 1; slot <= PORTS; slot++)
		if (fuzz.lived[slot] && !fuzz.is_guilty[slot])
			receive(slot);
	honest_reach_each_other();
	return 0;
}
