/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/user/disk_client.c against a service whose counters move between any two
 * of its accesses: it always comes to an end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/user/disk_client.h"
#include "tests/unit/fake/ring/lib/user/shared.h"

#define LOADS_MAX 100000
#define RECORD	  (sizeof(uint32_t) + sizeof(struct disk_reply))

static struct disk_channel channel;
static struct disk_client_link link_;
static unsigned loads, answers;
static bool is_flooding, is_draining;

/* ---- The service --------------------------------------------------------- */

uint32_t shared_load(const uint32_t *word)
{
	assert_true(loads++ < LOADS_MAX);
	if (is_flooding && word == &channel.replies.produced)
		*(uint32_t *)word += channel.replies.consumed == *word
					     ? (uint32_t)RECORD
					     : 0;
	if (is_draining && word == &channel.requests.consumed)
		*(uint32_t *)word += *word != channel.requests.produced;
	return *word;
}

void shared_store(uint32_t *word, uint32_t value)
{
	*word = value;
}

void shared_fence(void)
{
}

void shared_copy_in(void *to, const uint8_t *shared, size_t n)
{
	memcpy(to, shared, n);
}

void shared_copy_out(uint8_t *shared, const void *from, size_t n)
{
	memcpy(shared, from, n);
}

/* ---- The machine --------------------------------------------------------- */

static void done(void *ctx, uint64_t id, int status, uint64_t sector)
{
	(void)ctx;
	(void)id;
	(void)status;
	(void)sector;
	answers++;
}

static void doorbell(void *ctx)
{
	(void)ctx;
}

static const struct disk_client_ops ops = { done, doorbell, NULL };

static int setup(void **state)
{
	(void)state;
	memset(&channel, 0, sizeof(channel));
	loads = answers = 0;
	is_flooding = is_draining = false;
	disk_client_init(&link_, &channel, 1, &ops, NULL);
	return 0;
}

/* Records of which each has the length that it must have. */
static void replies_fill(void)
{
	struct disk_reply reply = { .kind = DISK_REPLY_HELLO, .id = 1 };
	uint32_t length = sizeof(reply);
	uint8_t record[RECORD];

	memcpy(record, &length, sizeof(length));
	memcpy(record + sizeof(length), &reply, sizeof(reply));
	for (unsigned i = 0; i < DISK_REPLIES_SIZE; i++)
		channel.reply_data[i] = record[i % RECORD];
}

static void a_flood_of_answers_comes_to_an_end(void **state)
{
	(void)state;
	replies_fill();
	is_flooding = true;
	disk_client_run(&link_);
	assert_true(link_.is_broken);
	loads = 0;
	disk_client_run(&link_);
	assert_int_equal(loads, 0);
}

/* A byte of room at a time. */
static void a_drip_of_room_comes_to_an_end(void **state)
{
	(void)state;
	link_.generation = 1;
	for (unsigned i = 0; i < DISK_IN_FLIGHT; i++) {
		struct disk_request request = { .id = i,
						.op = DISK_OP_READ,
						.segment_count = 60 };

		assert_int_equal(disk_client_submit(&link_, &request), 0);
	}
	is_draining = true;
	disk_client_run(&link_);
	assert_false(link_.is_broken);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_flood_of_answers_comes_to_an_end),
		TEST(a_drip_of_room_comes_to_an_end),
	};

	return cmocka_run_group_tests_name("disk client", tests, NULL, NULL);
}
