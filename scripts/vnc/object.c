/* SPDX-License-Identifier: BSD-2-Clause */
/* See object.h. */
#include "scripts/vnc/object.h"

#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#include <jsmn.h>

#define TOKENS_MAX   128
#define DIGITS_MAX   10
#define NUMBER_BASE  10
#define FIRST_MEMBER 1 /* token 0 is the object */

/* The value behind a key of the object itself. */
static bool find(const char *text, size_t length, const char *key,
		 jsmntok_t *value)
{
	jsmntok_t token[TOKENS_MAX];
	jsmn_parser parser;
	int count, at = FIRST_MEMBER;

	jsmn_init(&parser);
	count = jsmn_parse(&parser, text, length, token, TOKENS_MAX);
	if (count < 1 || token[0].type != JSMN_OBJECT)
		return false;
	while (at + 1 < count) {
		const jsmntok_t *name = &token[at];
		size_t size = (size_t)(name->end - name->start);
		int end = token[at + 1].end;

		if (name->type != JSMN_STRING || name->size != 1)
			return false;
		if (size == strlen(key) &&
		    !memcmp(text + name->start, key, size)) {
			*value = token[at + 1];
			return true;
		}
		at++;
		do
			at++;
		while (at < count && token[at].start < end);
	}
	return false;
}

bool object_number(const char *text, size_t length, const char *key,
		   uint32_t *value)
{
	jsmntok_t token;
	uint64_t number = 0;

	if (!find(text, length, key, &token) || token.type != JSMN_PRIMITIVE ||
	    token.end - token.start > DIGITS_MAX)
		return false;
	for (int i = token.start; i < token.end; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * NUMBER_BASE + (unsigned)(text[i] - '0');
	}
	*value = (uint32_t)number;
	return number <= UINT32_MAX;
}

bool object_text(const char *text, size_t length, const char *key, char *value,
		 size_t size)
{
	jsmntok_t token;
	size_t n;

	if (!find(text, length, key, &token) || token.type != JSMN_STRING)
		return false;
	n = MIN((size_t)(token.end - token.start), size - 1);
	memcpy(value, text + token.start, n);
	value[n] = '\0';
	return true;
}

bool object_is_true(const char *text, size_t length, const char *key)
{
	jsmntok_t token;

	return find(text, length, key, &token) &&
	       token.type == JSMN_PRIMITIVE && text[token.start] == 't';
}
