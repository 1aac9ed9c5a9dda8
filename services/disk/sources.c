/* SPDX-License-Identifier: BSD-2-Clause */
/* See sources.h. */
#include "services/disk/sources.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

/* Labels and serial numbers may be anything; what is shown is printable. */
static void say(char *reason, const char *format, ...) __printf(2, 3);

static void say(char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, DISK_REASON_SIZE, format, args);
	va_end(args);
	for (; *reason; reason++)
		if (*reason < ' ' || *reason > '~')
			*reason = '?';
}

/* ---- Finding ------------------------------------------------------------- */

/* Drives pad their serial numbers with blanks. */
static bool serial_is(const struct drive_info *info, const char *serial)
{
	size_t length = strnlen(info->serial, DRIVE_SERIAL_SIZE);

	while (length && info->serial[length - 1] == ' ')
		length--;
	return length && strlen(serial) == length &&
	       !memcmp(info->serial, serial, length);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* is: lower case; an empty one is nobody's. */
static bool uuid_is(const char *is, const char *uuid)
{
	if (!*is)
		return false;
	while (*is && *is == lower(*uuid)) {
		is++;
		uuid++;
	}
	return !*is && !*uuid;
}

enum source_kind { SOURCE_SERIAL, SOURCE_GPT, SOURCE_UUID };

struct search {
	const struct sources *sources;
	enum source_kind kind;
	const char *key;
	const char *text; /* as the manifest has it */
	unsigned count;
	const char *refused; /* of what was found */
	struct source *source;
};

static void found(struct search *search, unsigned drive, uint32_t partition,
		  uint64_t first, uint64_t count, const char *refused)
{
	search->count++;
	search->refused = refused;
	*search->source = (struct source){ drive, partition, first, count };
}

static bool drive_is(const struct search *search, unsigned drive)
{
	switch (search->kind) {
	case SOURCE_SERIAL:
		return serial_is(search->sources->drive[drive].info,
				 search->key);
	case SOURCE_UUID:
		return uuid_is(search->sources->drive[drive].table.uuid,
			       search->key);
	default:
		return false;
	}
}

static bool partition_is(const struct search *search, enum table_kind table,
			 const struct partition *partition)
{
	switch (search->kind) {
	case SOURCE_GPT:
		return table == TABLE_GPT && partition->label[0] &&
		       !strcmp(partition->label, search->key);
	case SOURCE_UUID:
		return uuid_is(partition->uuid, search->key);
	default:
		return false;
	}
}

static void search_run(struct search *search)
{
	const struct sources *sources = search->sources;

	for (unsigned i = 0; i < sources->drive_count; i++) {
		const struct partition_table *table = &sources->drive[i].table;

		if (drive_is(search, i))
			found(search, i, 0, 0,
			      sources->drive[i].info->sector_count, NULL);
		for (uint32_t n = 0; n < table->count; n++) {
			const struct partition *p = &table->partition[n];

			if (partition_is(search, table->kind, p))
				found(search, i, p->number, p->first, p->count,
				      p->refused);
		}
	}
}

static int search_end(const struct search *search, char *reason)
{
	if (search->count == 1 && !search->refused)
		return 0;
	if (search->count == 1) {
		say(reason, "%s is not used: %s", search->text,
		    search->refused);
		return -EIO;
	}
	if (search->count) {
		say(reason, "%s is there %u times", search->text,
		    search->count);
		return -EEXIST;
	}
	say(reason, "%s is not there", search->text);
	/* A table that is bad may have had it. */
	for (unsigned i = 0; i < search->sources->drive_count; i++) {
		const char *why = search->sources->drive[i].table.reason;

		if (why && search->kind != SOURCE_SERIAL)
			say(reason, "%s is not there; the drive \"%s\": %s",
			    search->text,
			    search->sources->drive[i].info->serial, why);
	}
	return -ENOENT;
}

/* What is behind prefix; NULL: text does not begin so, or nothing is. */
static const char *behind(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return !strncmp(text, prefix, length) && text[length] ? text + length
							      : NULL;
}

int source_find(const struct sources *sources, const char *text,
		struct source *source, char *reason)
{
	struct search search = { .sources = sources,
				 .text = text,
				 .source = source };

	reason[0] = 0;
	if ((search.key = behind(text, "serial:"))) {
		search.kind = SOURCE_SERIAL;
	} else if ((search.key = behind(text, "gpt:"))) {
		search.kind = SOURCE_GPT;
	} else if ((search.key = behind(text, "uuid:"))) {
		search.kind = SOURCE_UUID;
	} else {
		say(reason, "\"%s\" is no source", text);
		return -EINVAL;
	}
	search_run(&search);
	return search_end(&search, reason);
}

/* ---- Who uses it --------------------------------------------------------- */

static bool share(const struct claim *a, const struct claim *b)
{
	return a->source.drive == b->source.drive &&
	       a->source.first < b->source.first + b->source.count &&
	       b->source.first < a->source.first + a->source.count;
}

int source_claim(struct sources *sources, const struct claim *claim,
		 char *reason)
{
	struct claim *unused = NULL;

	reason[0] = 0;
	for (unsigned i = 0; i < CLAIMS_MAX; i++) {
		struct claim *other = &sources->claim[i];

		if (!other->slot) {
			unused = unused ? unused : other;
			continue;
		}
		if (!share(claim, other))
			continue;
		if (claim->is_writer && other->is_writer) {
			say(reason, "%s and %s would both write to it",
			    other->node, claim->node);
			return -EBUSY;
		}
		if (claim->is_writer || other->is_writer)
			say(reason, "%s reads what %s writes",
			    claim->is_writer ? other->node : claim->node,
			    claim->is_writer ? claim->node : other->node);
	}
	if (!unused) {
		say(reason, "clients have too many drives");
		return -ENOSPC;
	}
	*unused = *claim;
	return (int)(unused - sources->claim);
}

void source_unclaim(struct sources *sources, int number)
{
	sources->claim[number].slot = 0;
}

void source_release(struct sources *sources, unsigned slot)
{
	for (unsigned i = 0; i < CLAIMS_MAX; i++)
		if (sources->claim[i].slot == slot)
			sources->claim[i].slot = 0;
}

/* ---- Listing ------------------------------------------------------------- */

static const char *const kind_name[] = { "no table", "MBR", "GPT" };

static void partition_describe(const struct partition *p, char *text)
{
	const char *separator = p->label[0] ? "\" " : "";

	say(text, "%s%s%s%s%s, " SECTORS_FORMAT "%s%s",
	    p->label[0] ? "\"gpt:" : "", p->label, separator,
	    p->uuid[0] ? "uuid:" : "no uuid", p->uuid, SECTORS_TEXT(p->count),
	    p->refused ? ", not used: " : "", p->refused ? p->refused : "");
}

bool source_describe(const struct sources *sources, unsigned drive,
		     unsigned index, struct source *source, char *text)
{
	const struct partition_table *table;
	const struct drive_info *info;

	if (drive >= sources->drive_count ||
	    index > sources->drive[drive].table.count)
		return false;
	table = &sources->drive[drive].table;
	info = sources->drive[drive].info;
	if (index) {
		const struct partition *p = &table->partition[index - 1];

		*source =
			(struct source){ drive, p->number, p->first, p->count };
		partition_describe(p, text);
		return true;
	}
	*source = (struct source){ drive, 0, 0, info->sector_count };
	say(text, "\"serial:%s\", " SECTORS_FORMAT "%s, %s%s%s%s", info->serial,
	    SECTORS_TEXT(info->sector_count),
	    info->is_read_only ? ", read-only" : "", kind_name[table->kind],
	    table->is_backup && !table->reason ? " (the backup)" : "",
	    table->reason ? ": " : "", table->reason ? table->reason : "");
	return true;
}
