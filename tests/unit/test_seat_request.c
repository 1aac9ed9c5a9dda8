/* SPDX-License-Identifier: BSD-2-Clause */
/* services/seat/request.c: what is a request, and what of it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "services/seat/request.h"

static struct request request;
static const char *what;

/* In memory that ends where the text does. */
static int parse_bytes(const char *text, size_t length)
{
	char *copy = malloc(length ? length : 1);
	int error;

	memcpy(copy, text, length);
	what = NULL;
	error = request_parse(&request, copy, (uint32_t)length, &what);
	free(copy);
	return error;
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void expect_bad(const char *text, const char *why, uint32_t id)
{
	if (parse(text) != -EINVAL)
		fail_msg("taken: %s", text);
	assert_string_equal(what, why);
	assert_int_equal(request.id, id);
}

/* {"id":1,"verb":"v",KEY:VALUE}: its error, or 0. */
static int parse_key(const char *key, const char *value)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "{\"id\":1,\"verb\":\"v\",%s:%s}\n",
		       key, value);
	return parse(text);
}

static void test_every_key(void **state)
{
	(void)state;
	assert_int_equal(
		parse("{\"id\":4294967295,\"verb\":\"pointer\",\"guest\":\"a-b_"
		      "1\",\"as\":\"text\",\"all\":true,\"unit\":3,\"of\":9,"
		      "\"dx\":-5,\"dy\":2147483647,\"wheel\":-2147483647,"
		      "\"buttons\":7,\"version\":1,\"keys\":[30,-30],"
		      "\"medium\":\"2.iso\",\"port\":233,\"network\":"
		      "\"lan0\",\"vlan\":7}\n"),
		0);
	assert_int_equal(request.has, MASK(16, 0));
	assert_int_equal(request.port, 233);
	assert_string_equal(request.network, "lan0");
	assert_int_equal(request.vlan, 7);
	assert_string_equal(request.medium, "2.iso");
	assert_true(request.id == UINT32_MAX);
	assert_string_equal(request.verb, "pointer");
	assert_string_equal(request.guest, "a-b_1");
	assert_string_equal(request.as, "text");
	assert_true(request.all);
	assert_int_equal(request.unit, 3);
	assert_int_equal(request.of, 9);
	assert_int_equal(request.dx, -5);
	assert_int_equal(request.dy, INT32_MAX);
	assert_int_equal(request.wheel, -INT32_MAX);
	assert_int_equal(request.buttons, 7);
	assert_int_equal(request.version, 1);
	assert_int_equal(request.key_count, 2);
	assert_int_equal(request.key[0], 30);
	assert_int_equal(request.key[1], -30);
}

/* Spaces, any order, unknown keys with anything in them. */
static void test_any_form(void **state)
{
	(void)state;
	assert_int_equal(parse(" { \"else\" : [ 1 , [ { \"id\" : 7 } ] ] ,\r\n"
			       "\t\"verb\" : \"list\" , \"id\" : 3 }  "),
			 0);
	assert_int_equal(request.id, 3);
	assert_int_equal(request.has, REQUEST_ID | REQUEST_VERB);
	assert_int_equal(
		parse("{\"a\":{\"b\":{\"c\":\"d\"},\"id\":5},\"id\":2,"
		      "\"verb\":\"x\",\"n\":null,\"u\":\"\\u00e4\\\"\"}"),
		0);
	assert_int_equal(request.id, 2);
	/* The last of those that are alike. */
	assert_int_equal(parse("{\"id\":1,\"id\":2,\"verb\":\"a\",\"verb\":"
			       "\"b\"}"),
			 0);
	assert_int_equal(request.id, 2);
	assert_string_equal(request.verb, "b");
	/* Nothing of the one before is left. */
	assert_int_equal(parse("{\"id\":1,\"verb\":\"v\"}"), 0);
	assert_string_equal(request.guest, "");
	assert_int_equal(request.key_count, 0);
}

static void test_not_an_object(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"\n",
		"1",
		"true ",
		"\"id\"",
		"[1,2]",
		"[{\"id\":1,\"verb\":\"v\"}]",
		"{\"id\":1,\"verb\":\"v\"",
		"{\"id\":1,\"verb\":\"v\"]",
		"{\"id\":1,\"verb\":\"v",
		"{\"id\":1,\"verb\":\"v\"}}",
		"{\"id\":1,\"verb\":\"v\"}{}",
		"{}{\"id\":1,\"verb\":\"v\"}",
		"{\"id\":1,\"verb\":\"v\"} 1 ",
		"{id:1,verb:\"v\"}",
		"{{}:1}",
		"{1:2}",
		"{:1}",
		"{\"id\":1,\"verb\":\"\\x\"}",
		"{\"id\":1,\"verb\":\"\\u12g4\"}",
		"{\"id\":1,\"verb\":v}",
		"}",
		"]",
		":",
		",",
		"\xff\xfe{}",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		expect_bad(texts[i], "the object", 0);
}

static void test_not_pairs(void **state)
{
	static const char *const texts[] = {
		"{\"id\"}",
		"{\"id\",\"verb\"}",
		"{\"id\":}",
		"{\"verb\":\"a\" \"b\"}",
		"{\"verb\":\"a\":\"b\"}",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		expect_bad(texts[i], "a key without a value", 0);
}

static void test_what_is_missing(void **state)
{
	(void)state;
	expect_bad("{}", "id", 0);
	expect_bad("{\"verb\":\"v\"}", "id", 0);
	expect_bad("{\"id\":0,\"verb\":\"v\"}", "id", 0);
	expect_bad("{\"id\":5}", "verb", 5);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *key, *value;
		bool is_good;
	} rows[] = {
		{ "unit", "0", true },
		{ "unit", "4294967295", true },
		{ "unit", "4294967296", false },
		{ "unit", "9999999999", false },
		{ "unit", "99999999999999999999999999", false },
		{ "unit", "-1", false },
		{ "unit", "1.0", false },
		{ "unit", "1e3", false },
		{ "unit", "0x10", false },
		{ "unit", "-", false },
		{ "unit", "true", false },
		{ "unit", "null", false },
		{ "unit", "\"1\"", false },
		{ "unit", "[1]", false },
		{ "unit", "{\"a\":1}", false },
		{ "dx", "2147483647", true },
		{ "dx", "2147483648", false },
		{ "dx", "-2147483647", true },
		{ "dx", "-2147483648", false },
		{ "dx", "--1", false },
		{ "dx", "-", false },
		{ "all", "true", true },
		{ "all", "false", true },
		{ "all", "t", false },
		{ "all", "truer", false },
		{ "all", "0", false },
		{ "all", "null", false },
		{ "all", "\"true\"", false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "\"%s\"", rows[i].key);
		assert_int_equal(parse_key(key, rows[i].value),
				 rows[i].is_good ? 0 : -EINVAL);
		if (rows[i].is_good)
			continue;
		assert_string_equal(what, rows[i].key);
		assert_int_equal(request.id, 1);
	}
	assert_int_equal(parse_key("\"all\"", "false"), 0);
	assert_false(request.all);
}

static void test_texts(void **state)
{
	(void)state;
	assert_int_equal(parse_key("\"guest\"", "\"\""), 0);
	assert_int_equal(
		parse_key("\"guest\"", "\"name-that-has-31-characters-abc\""),
		0);
	assert_int_equal(strlen(request.guest), GATE_NAME_SIZE - 1);
	expect_bad("{\"id\":1,\"guest\":\"name-that-has-32-characters-abcd\"}",
		   "guest", 1);
	expect_bad("{\"guest\":\"a\\nb\",\"id\":9}", "guest", 9);
	expect_bad("{\"guest\":\"a\nb\",\"id\":9}", "guest", 9);
	expect_bad("{\"guest\":\"\xc3\xa4\",\"id\":9}", "guest", 9);
	expect_bad("{\"guest\":7,\"id\":9}", "guest", 9);
	expect_bad("{\"guest\":[\"a\"],\"id\":9}", "guest", 9);
	expect_bad("{\"as\":\"pixels--\",\"id\":9}", "as", 9);
	expect_bad("{\"id\":2,\"verb\":\"of-16-characters\"}", "verb", 2);
	/* The first that is wrong is named. */
	expect_bad("{\"as\":1,\"guest\":1,\"id\":9}", "as", 9);
}

/* A word is a text, or a number as it is written. */
static void test_words(void **state)
{
	char text[80];

	(void)state;
	assert_int_equal(parse_key("\"medium\"", "17"), 0);
	assert_string_equal(request.medium, "17");
	assert_int_equal(parse_key("\"medium\"", "\"17\""), 0);
	assert_string_equal(request.medium, "17");
	assert_int_equal(parse_key("\"medium\"", "\"\""), 0);
	assert_string_equal(request.medium, "");
	(void)snprintf(text, sizeof(text), "\"%063d\"", 1);
	assert_int_equal(parse_key("\"medium\"", text), 0);
	assert_int_equal(strlen(request.medium), FACE_MEDIUM_SIZE - 1);
	(void)snprintf(text, sizeof(text), "\"%064d\"", 1);
	assert_int_equal(parse_key("\"medium\"", text), -EINVAL);
	expect_bad("{\"medium\":-1,\"id\":9}", "medium", 9);
	expect_bad("{\"medium\":1.5,\"id\":9}", "medium", 9);
	expect_bad("{\"medium\":true,\"id\":9}", "medium", 9);
	expect_bad("{\"medium\":[1],\"id\":9}", "medium", 9);
	expect_bad("{\"medium\":{},\"id\":9}", "medium", 9);
	expect_bad("{\"medium\":\"a\\\\b\",\"id\":9}", "medium", 9);
}

static void keys_text(char *text, unsigned count)
{
	text += sprintf(text, "{\"id\":1,\"verb\":\"keys\",\"keys\":[");
	for (unsigned i = 0; i < count; i++)
		text += sprintf(text, "%s%d", i ? "," : "",
				i % 2 ? -(int)i : (int)i + 1);
	(void)sprintf(text, "]}");
}

static void test_arrays(void **state)
{
	char text[2048];

	(void)state;
	keys_text(text, 0);
	assert_int_equal(parse(text), 0);
	assert_int_equal(request.has & REQUEST_KEYS, REQUEST_KEYS);
	assert_int_equal(request.key_count, 0);
	keys_text(text, FACE_EVENTS_MAX);
	assert_int_equal(parse(text), 0);
	assert_int_equal(request.key_count, FACE_EVENTS_MAX);
	assert_int_equal(request.key[31], -31);
	keys_text(text, FACE_EVENTS_MAX + 1);
	expect_bad(text, "keys", 1);
	/* More than there are tokens for: not even the id is known. */
	keys_text(text, 120);
	expect_bad(text, "the object", 0);
	assert_int_equal(parse_key("\"keys\"", "1"), -EINVAL);
	assert_int_equal(parse_key("\"keys\"", "[1,\"a\"]"), -EINVAL);
	assert_int_equal(parse_key("\"keys\"", "[[1],2]"), -EINVAL);
	assert_int_equal(parse_key("\"keys\"", "[1,{\"a\":2}]"), -EINVAL);
	assert_int_equal(parse_key("\"keys\"", "[true]"), -EINVAL);
	assert_int_equal(parse_key("\"keys\"", "[1:2]"), -EINVAL);
	assert_int_equal(parse_key("\"keys\"", "[2147483648]"), -EINVAL);
}

static void test_deep(void **state)
{
	char text[4096];

	(void)state;
	for (unsigned depth = 1; depth < sizeof(text); depth *= 3) {
		memset(text, '[', depth);
		expect_bad((text[depth] = 0, text), "the object", 0);
		memset(text, ']', depth);
		expect_bad(text, "the object", 0);
		memset(text, '{', depth);
		expect_bad(text, "the object", 0);
	}
	(void)sprintf(
		text, "{\"id\":1,\"verb\":\"v\",\"some\":%.60s%.60s}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	assert_int_equal(parse(text), 0);
	/* Zeros end it. */
	assert_int_equal(parse_bytes("{\"id\":1\0,\"verb\":\"v\"}", 21),
			 -EINVAL);
}

/* Bytes of a good one changed and cut: never read behind its end (ASan), and
 * nothing is taken that is out of bounds. */
static void test_random(void **state)
{
	static const char good[] =
		"{\"id\":12,\"verb\":\"keys\",\"guest\":\"dos\",\"keys\":[1,-2]"
		",\"all\":true,\"dx\":-7,\"as\":\"text\",\"x\":{\"y\":[1]}}";
	static const char often[] = "{}[]:,\"\\-0tfn \n";

	(void)state;
	srand(1);
	for (unsigned i = 0; i < 60000; i++) {
		char text[sizeof(good)];
		size_t length = sizeof(good) - 1;

		memcpy(text, good, length);
		for (unsigned n = (unsigned)rand() % 4; n; n--)
			text[(unsigned)rand() % length] =
				rand() % 2 ? (char)rand()
					   : often[(unsigned)rand() %
						   (sizeof(often) - 1)];
		if (rand() % 4 == 0)
			length = (unsigned)rand() % length;
		if (parse_bytes(text, length))
			assert_non_null(what);
		else
			assert_true(request.id && request.has & REQUEST_VERB);
		assert_true(request.key_count <= FACE_EVENTS_MAX);
		assert_true(strnlen(request.verb, REQUEST_VERB_SIZE) <
			    REQUEST_VERB_SIZE);
		assert_true(strnlen(request.guest, GATE_NAME_SIZE) <
			    GATE_NAME_SIZE);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_any_form),
		cmocka_unit_test(test_not_an_object),
		cmocka_unit_test(test_not_pairs),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("seat request", tests, NULL, NULL);
}
