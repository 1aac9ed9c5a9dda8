/* SPDX-License-Identifier: BSD-2-Clause */
/* See request.h.  The tokens are jsmn's; what they mean is looked at here. */
#include "services/seat/request.h"

#include "include/errno.h"
#include "lib/string.h"

/* A C library's header: it is compiled into this file, and nothing else of it
 * is seen. */
#define JSMN_STATIC
#define JSMN_STRICT
#include <jsmn.h>

#define TOKENS_MAX 96
#define VALUE_MAX  UINT32_MAX

/* WORD: TEXT, or a NUMBER as it is written. */
enum field_kind { TEXT, WORD, NUMBER, SIGNED, BOOLEAN, NUMBERS };

struct field {
	const char *name;
	enum request_key key;
	enum field_kind kind;
	uint16_t at, size; /* in struct request */
};

#define FIELD(json, bit, how, member)                             \
	{                                                         \
		json, bit, how, offsetof(struct request, member), \
			sizeof(((struct request *)0)->member)     \
	}

/* clang-format off */
static const struct field fields[] = {
	FIELD("id", REQUEST_ID, NUMBER, id),
	FIELD("verb", REQUEST_VERB, TEXT, verb),
	FIELD("guest", REQUEST_GUEST, TEXT, guest),
	FIELD("as", REQUEST_AS, TEXT, as),
	FIELD("all", REQUEST_ALL, BOOLEAN, all),
	FIELD("unit", REQUEST_UNIT, NUMBER, unit),
	FIELD("of", REQUEST_OF, NUMBER, of),
	FIELD("x", REQUEST_X, NUMBER, x),
	FIELD("y", REQUEST_Y, NUMBER, y),
	FIELD("dx", REQUEST_DX, SIGNED, dx),
	FIELD("dy", REQUEST_DY, SIGNED, dy),
	FIELD("wheel", REQUEST_WHEEL, SIGNED, wheel),
	FIELD("buttons", REQUEST_BUTTONS, NUMBER, buttons),
	FIELD("version", REQUEST_VERSION, NUMBER, version),
	FIELD("keys", REQUEST_KEYS, NUMBERS, key),
	FIELD("port", REQUEST_PORT, NUMBER, port),
	FIELD("medium", REQUEST_MEDIUM, WORD, medium),
	FIELD("network", REQUEST_NETWORK, TEXT, network),
	FIELD("vlan", REQUEST_VLAN, NUMBER, vlan),
	FIELD("columns", REQUEST_COLUMNS, NUMBER, columns),
	FIELD("rows", REQUEST_ROWS, NUMBER, rows),
};
/* clang-format on */

struct reader {
	const char *text;
	jsmntok_t token[TOKENS_MAX];
	int count;
};

static uint32_t length_of(const jsmntok_t *token)
{
	return (uint32_t)(token->end - token->start);
}

/* ---- Values -------------------------------------------------------------- */

/* Without escapes: no name that is looked for has any. */
static bool text_take(const struct reader *reader, const jsmntok_t *token,
		      char *to, uint32_t size)
{
	uint32_t length = length_of(token);
	const char *from = reader->text + token->start;

	if (length >= size)
		return false;
	for (uint32_t i = 0; i < length; i++)
		if (from[i] < ' ' || from[i] > '~' || from[i] == '\\')
			return false;
	memcpy(to, from, length);
	memset(to + length, 0, size - length);
	return true;
}

/* A whole number within 32 bits, with a sign if it may have one. */
static bool number_take(const struct reader *reader, const jsmntok_t *token,
			bool is_signed, int64_t *value)
{
	const char *from = reader->text + token->start;
	uint32_t length = length_of(token), i = 0;
	bool is_negative = false;

	if (token->type != JSMN_PRIMITIVE)
		return false;
	if (is_signed && length > 1 && from[0] == '-') {
		is_negative = true;
		i = 1;
	}
	*value = 0;
	if (length - i < 1 || length - i > 10)
		return false;
	for (; i < length; i++) {
		if (from[i] < '0' || from[i] > '9')
			return false;
		*value = *value * 10 + (from[i] - '0');
	}
	if (*value > (is_signed ? INT32_MAX : (int64_t)VALUE_MAX))
		return false;
	if (is_negative)
		*value = -*value;
	return true;
}

static bool boolean_take(const struct reader *reader, const jsmntok_t *token,
			 bool *value)
{
	static const char *const words[] = { "false", "true" };
	const char *from = reader->text + token->start;
	uint32_t length = length_of(token);

	if (token->type != JSMN_PRIMITIVE)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (length == strlen(words[i]) &&
		    !memcmp(from, words[i], length)) {
			*value = i;
			return true;
		}
	return false;
}

static bool numbers_take(struct request *request, const struct reader *reader,
			 const jsmntok_t *token)
{
	if (token->type != JSMN_ARRAY || token->size > FACE_EVENTS_MAX)
		return false;
	for (int i = 0; i < token->size; i++) {
		int64_t value;

		if (!number_take(reader, token + 1 + i, true, &value))
			return false;
		request->key[i] = (int32_t)value;
	}
	request->key_count = (unsigned)token->size;
	return true;
}

static bool value_take(struct request *request, const struct reader *reader,
		       const struct field *field, const jsmntok_t *token)
{
	uint8_t *to = (uint8_t *)request + field->at;
	int64_t value;
	uint32_t word;

	switch (field->kind) {
	case TEXT:
		return token->type == JSMN_STRING &&
		       text_take(reader, token, (char *)to, field->size);
	case WORD:
		return (token->type == JSMN_STRING ||
			number_take(reader, token, false, &value)) &&
		       text_take(reader, token, (char *)to, field->size);
	case BOOLEAN:
		return boolean_take(reader, token, (bool *)to);
	case NUMBERS:
		return numbers_take(request, reader, token);
	default:
		if (!number_take(reader, token, field->kind == SIGNED, &value))
			return false;
		word = (uint32_t)value;
		memcpy(to, &word, sizeof(word));
		return true;
	}
}

/* ---- The object ---------------------------------------------------------- */

static const struct field *field_find(const struct reader *reader,
				      const jsmntok_t *key)
{
	uint32_t length = length_of(key);

	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == length &&
		    !memcmp(fields[i].name, reader->text + key->start, length))
			return &fields[i];
	return NULL;
}

/* The token behind a value, with all that it holds. */
static int token_next(const struct reader *reader, int at)
{
	int end = reader->token[at].end;

	do
		at++;
	while (at < reader->count && reader->token[at].start < end);
	return at;
}

static int object_take(struct request *request, const struct reader *reader,
		       const char **what)
{
	int error = 0;

	for (int at = 1; at < reader->count;) {
		const jsmntok_t *key = &reader->token[at];
		const struct field *field = field_find(reader, key);

		if (key->type != JSMN_STRING || key->size != 1 ||
		    at + 1 >= reader->count) {
			*what = "a key without a value";
			return -EINVAL;
		}
		if (field && value_take(request, reader, field,
					&reader->token[at + 1])) {
			request->has |= field->key;
		} else if (field && !error) {
			/* On to the id: the answer needs it. */
			*what = field->name;
			error = -EINVAL;
		}
		at = token_next(reader, at + 1);
	}
	return error;
}

int request_parse(struct request *request, const char *text, uint32_t length,
		  const char **what)
{
	struct reader reader;
	jsmn_parser parser;
	int error;

	memset(request, 0, sizeof(*request));
	jsmn_init(&parser);
	reader.text = text;
	reader.count =
		jsmn_parse(&parser, text, length, reader.token, TOKENS_MAX);
	*what = "the object";
	if (reader.count < 1 || reader.token[0].type != JSMN_OBJECT ||
	    token_next(&reader, 0) != reader.count)
		return -EINVAL;
	error = object_take(request, &reader, what);
	if (error)
		return error;
	if (!(request->has & REQUEST_ID) || !request->id)
		*what = "id";
	else if (!(request->has & REQUEST_VERB))
		*what = "verb";
	else
		return 0;
	return -EINVAL;
}
