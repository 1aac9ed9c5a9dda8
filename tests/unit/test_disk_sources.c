/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk/sources.c: what a source means, and who may use it beside whom.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "services/disk/sources.h"

static struct sources sources;
static struct drive_info info[3];
static char reason[DISK_REASON_SIZE];

static struct partition *partition_add(unsigned drive, uint32_t number,
				       uint64_t first, uint64_t count,
				       const char *label, const char *uuid)
{
	struct partition_table *table = &sources.drive[drive].table;
	struct partition *p = &table->partition[table->count++];

	p->number = number;
	p->first = first;
	p->count = count;
	snprintf(p->label, sizeof(p->label), "%s", label);
	snprintf(p->uuid, sizeof(p->uuid), "%s", uuid);
	return p;
}

static int setup(void **state)
{
	(void)state;
	memset(&sources, 0, sizeof(sources));
	memset(info, 0, sizeof(info));
	sources.drive_count = 3;
	for (unsigned i = 0; i < 3; i++) {
		sources.drive[i].info = &info[i];
		info[i].sector_count = 10000;
	}
	strcpy(info[0].serial, "ABC");
	strcpy(info[1].serial, "XYZ   ");
	strcpy(info[2].serial, "web/disk0");
	sources.drive[0].table.kind = TABLE_GPT;
	strcpy(sources.drive[0].table.uuid, "aaaa-00");
	sources.drive[1].table.kind = TABLE_MBR;
	partition_add(0, 1, 100, 100, "root", "aaaa-01");
	partition_add(0, 2, 200, 100, "twice", "aaaa-02");
	partition_add(0, 3, 300, 100, "twice", "aaaa-02");
	partition_add(0, 4, 400, 100, "bad", "aaaa-04")->refused =
		"it overlaps another";
	partition_add(1, 1, 10, 90, "", "1234abcd-01");
	return 0;
}

static void test_find(void **state)
{
	static const struct {
		const char *text;
		int status;
		struct source source;
		const char *reason;
	} row[] = {
		{ "serial:ABC", 0, { 0, 0, 0, 10000 }, "" },
		{ "serial:XYZ", 0, { 1, 0, 0, 10000 }, "" },
		{ "serial:AB", -ENOENT, { 0 }, "serial:AB is not there" },
		{ "serial:ABCD", -ENOENT, { 0 }, NULL },
		{ "serial:", -EINVAL, { 0 }, "\"serial:\" is no source" },
		{ "", -EINVAL, { 0 }, NULL },
		{ "debian.img", -EINVAL, { 0 }, NULL },
		{ "serial:web/disk0", 0, { 2, 0, 0, 10000 }, "" },
		{ "serial:web/disk", -ENOENT, { 0 }, NULL },
		{ "gpt:root", 0, { 0, 1, 100, 100 }, "" },
		{ "gpt:twice", -EEXIST, { 0 }, "gpt:twice is there 2 times" },
		{ "gpt:bad",
		  -EIO,
		  { 0 },
		  "gpt:bad is not used: it overlaps another" },
		{ "gpt:ro", -ENOENT, { 0 }, NULL },
		{ "uuid:AAAA-01", 0, { 0, 1, 100, 100 }, "" },
		{ "uuid:aaaa-00", 0, { 0, 0, 0, 10000 }, "" },
		{ "uuid:1234ABCD-01", 0, { 1, 1, 10, 90 }, "" },
		{ "uuid:aaaa-02", -EEXIST, { 0 }, NULL },
		{ "uuid:aaaa", -ENOENT, { 0 }, NULL },
		{ "gpt:\x1b[2J", -ENOENT, { 0 }, "gpt:?[2J is not there" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		struct source source;

		assert_int_equal(
			source_find(&sources, row[i].text, &source, reason),
			row[i].status);
		if (row[i].reason)
			assert_string_equal(reason, row[i].reason);
		if (!row[i].status)
			assert_memory_equal(&source, &row[i].source,
					    sizeof(source));
		else
			assert_true(reason[0]);
	}
	sources.drive[1].table.reason = "it is torn";
	assert_int_equal(
		source_find(&sources, "gpt:x", &(struct source){ 0 }, reason),
		-ENOENT);
	assert_string_equal(
		reason, "gpt:x is not there; the drive \"XYZ   \": it is torn");
}

/* ---- Two users of one thing ---------------------------------------------- */

static int claim(unsigned slot, const char *node, uint64_t first,
		 uint64_t count, bool is_writer)
{
	struct claim it = { .slot = slot,
			    .is_writer = is_writer,
			    .source = { 0, 0, first, count } };

	strcpy(it.node, node);
	return MIN(source_claim(&sources, &it, reason), 0);
}

static void test_writers(void **state)
{
	(void)state;
	assert_int_equal(claim(1, "/a", 0, 10000, true), 0);
	/* Its partition, itself, a piece, the other way round. */
	assert_int_equal(claim(2, "/b", 100, 100, true), -EBUSY);
	assert_string_equal(reason, "/a and /b would both write to it");
	assert_int_equal(claim(2, "/b", 0, 10000, true), -EBUSY);
	source_release(&sources, 1);
	assert_int_equal(claim(2, "/b", 100, 100, true), 0);
	assert_int_equal(claim(1, "/a", 0, 10000, true), -EBUSY);
	assert_int_equal(claim(1, "/a", 199, 1, true), -EBUSY);
	assert_int_equal(claim(1, "/a", 200, 100, true), 0);
	assert_int_equal(claim(1, "/a2", 0, 100, true), 0);
	/* One client's own two are two writers as well. */
	assert_int_equal(claim(1, "/a3", 0, 1, true), -EBUSY);
	assert_string_equal(reason, "/a2 and /a3 would both write to it");
}

static void test_readers(void **state)
{
	(void)state;
	assert_int_equal(claim(1, "/a", 0, 100, false), 0);
	assert_int_equal(claim(2, "/b", 0, 100, false), 0);
	assert_string_equal(reason, "");
	assert_int_equal(claim(3, "/c", 50, 10, true), 0);
	assert_non_null(strstr(reason, "reads what /c writes"));
	assert_int_equal(claim(4, "/d", 55, 1, true), -EBUSY);
	for (unsigned i = 0; i < CLAIMS_MAX - 3; i++)
		assert_int_equal(claim(5, "/e", 1000, 10, false), 0);
	assert_int_equal(claim(5, "/e", 1000, 10, false), -ENOSPC);
	assert_string_equal(reason, "clients have too many drives");
}

static void test_describe(void **state)
{
	struct source source;

	(void)state;
	assert_true(source_describe(&sources, 0, 0, &source, reason));
	assert_string_equal(reason, "\"serial:ABC\", 4 MiB, GPT");
	assert_true(source_describe(&sources, 0, 4, &source, reason));
	assert_string_equal(reason,
			    "\"gpt:bad\" uuid:aaaa-04, 50 KiB, not used: "
			    "it overlaps another");
	assert_true(source_describe(&sources, 1, 1, &source, reason));
	assert_string_equal(reason, "uuid:1234abcd-01, 45 KiB");
	assert_int_equal(source.count, 90);
	assert_false(source_describe(&sources, 0, 5, &source, reason));
	assert_false(source_describe(&sources, 3, 0, &source, reason));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_find),
		TEST(test_writers),
		TEST(test_readers),
		TEST(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
