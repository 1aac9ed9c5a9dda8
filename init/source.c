/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources of disks: see source.h, docs/manifest.md.
 *
 * References: UEFI Specification 2.10, 5.3 (names and GUIDs of partitions);
 * Virtual I/O Device 1.2, 5.2.6 (serial numbers); Fowler, Noll, Vo: FNV-1a.
 */
#include "init/source.h"

#include "lib/printf.h"
#include "lib/string.h"

#define SERIAL_MAX 20 /* virtio's and ATA's */
#define LABEL_MAX  36 /* UTF-16 units of a GPT entry's name */

#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

/* Between two characters, both included. */
static bool is_all(const char *text, char low, char high)
{
	for (; *text; text++)
		if (*text < low || *text > high)
			return false;
	return true;
}

static const char *file_refusal(char *name)
{
	if (!*name)
		return "names no file";
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return "has a control character in its file's name";
	return NULL;
}

static const char *serial_refusal(char *name)
{
	if (!*name || strlen(name) > SERIAL_MAX || !is_all(name, '!', '~'))
		return "must name a serial number of 1 to 20 ASCII characters "
		       "without spaces";
	return NULL;
}

static const char *label_refusal(char *name)
{
	if (!*name || strlen(name) > LABEL_MAX || !is_all(name, ' ', '~'))
		return "must name a partition's label of 1 to 36 ASCII "
		       "characters";
	return NULL;
}

/* Digits and hyphens where pattern has x and -; digits become lower-case. */
static bool match_hex(char *text, const char *pattern)
{
	if (strlen(text) != strlen(pattern))
		return false;
	for (; *pattern; pattern++, text++) {
		if (*text >= 'A' && *text <= 'F')
			*text += 'a' - 'A';
		if (*pattern == '-' ? *text != '-'
				    : !(*text >= '0' && *text <= '9') &&
					      !(*text >= 'a' && *text <= 'f'))
			return false;
	}
	return true;
}

static const char *uuid_refusal(char *name)
{
	/* Of a GPT partition; of an MBR one: the disk's signature, a number. */
	if (match_hex(name, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") ||
	    match_hex(name, "xxxxxxxx-xx"))
		return NULL;
	return "must name a partition by its UUID, or by an MBR's signature "
	       "and number, as in uuid:1234abcd-01";
}

static const struct {
	const char *prefix;
	enum manifest_source kind;
	const char *(*refusal)(char *name);
} kinds[] = {
	{ "file:", MANIFEST_SOURCE_FILE, file_refusal },
	{ "serial:", MANIFEST_SOURCE_SERIAL, serial_refusal },
	{ "gpt:", MANIFEST_SOURCE_GPT, label_refusal },
	{ "uuid:", MANIFEST_SOURCE_UUID, uuid_refusal },
};

const char *source_parse(struct disk_source *source, const char *text)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t length = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, length))
			continue;
		text += length;
		if (strlen(text) >= sizeof(source->name))
			return "is too long";
		source->kind = (uint8_t)kinds[i].kind;
		memcpy(source->name, text, strlen(text) + 1);
		return kinds[i].refusal(source->name);
	}
	return "must begin with file:, serial:, gpt: or uuid:";
}

bool source_is_same(const struct disk_source *a, const struct disk_source *b)
{
	return a->kind != MANIFEST_SOURCE_NONE && a->kind == b->kind &&
	       !strcmp(a->name, b->name);
}

void source_serial(char serial[SOURCE_SERIAL_SIZE],
		   const struct guest_manifest *guest,
		   const struct disk_manifest *disk)
{
	char path[2 * MANIFEST_NAME_SIZE];
	uint64_t hash = FNV_BASIS;

	(void)snprintf(path, sizeof(path), "%s/%s", guest->name, disk->name);
	if (strlen(path) < SOURCE_SERIAL_SIZE) {
		memcpy(serial, path, strlen(path) + 1);
		return;
	}
	for (const char *at = path; *at; at++)
		hash = (hash ^ (uint8_t)*at) * FNV_PRIME;
	(void)snprintf(serial, SOURCE_SERIAL_SIZE, "#%08x%08x",
		       (unsigned)(hash >> 32), (unsigned)hash);
}

void source_text(char *text, uint64_t size, const struct guest_manifest *guest,
		 const struct disk_manifest *disk)
{
	char serial[SOURCE_SERIAL_SIZE];
	const char *prefix = "", *name = disk->source.name;
	uint8_t kind = disk->source.kind;

	if (kind == MANIFEST_SOURCE_FILE) {
		source_serial(serial, guest, disk);
		kind = MANIFEST_SOURCE_SERIAL;
		name = serial;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			prefix = kinds[i].prefix;
	(void)snprintf(text, size, "%s%s", prefix, name);
}
