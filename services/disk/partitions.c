/* SPDX-License-Identifier: BSD-2-Clause */
/* See partitions.h. */
#include "services/disk/partitions_inner.h"

#include "lib/printf.h"
#include "lib/string.h"

#define MBR_SIGNATURE 440 /* of the disk: 4 bytes */
#define MBR_ENTRIES   446
#define MBR_MAGIC     510 /* 55h AAh */
#define ENTRY_SIZE    16
#define ENTRY_STATUS  0 /* 80h: active, else 0 */
#define ENTRY_TYPE    4
#define ENTRY_FIRST   8
#define ENTRY_COUNT   12

#define TYPE_EXTENDED	    0x05
#define TYPE_EXTENDED_LBA   0x0f
#define TYPE_EXTENDED_LINUX 0x85
#define TYPE_PROTECTIVE	    0xee

#define LOGICAL_FIRST 5
#define LOGICAL_MAX   60 /* as Linux has it */

struct entry {
	uint8_t status, type;
	uint32_t first, count; /* blocks */
};

static struct entry entry_at(const uint8_t *block, unsigned index)
{
	const uint8_t *bytes = block + MBR_ENTRIES + index * ENTRY_SIZE;

	return (struct entry){
		.status = bytes[ENTRY_STATUS],
		.type = bytes[ENTRY_TYPE],
		.first = le32(bytes + ENTRY_FIRST),
		.count = le32(bytes + ENTRY_COUNT),
	};
}

static bool is_extended(const struct entry *entry)
{
	return entry->type == TYPE_EXTENDED ||
	       entry->type == TYPE_EXTENDED_LBA ||
	       entry->type == TYPE_EXTENDED_LINUX;
}

static bool is_used(const struct entry *entry)
{
	return entry->type && entry->count;
}

/* A boot sector of a file system ends alike, but has code where entries are. */
static bool is_mbr(const uint8_t *block)
{
	if (block[MBR_MAGIC] != 0x55 || block[MBR_MAGIC + 1] != 0xaa)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (entry_at(block, i).status & 0x7f)
			return false;
	return true;
}

/* ---- Partitions ---------------------------------------------------------- */

struct partition *table_add(struct partition_table *table,
			    const struct table_reader *reader, uint32_t number,
			    uint64_t first, uint64_t count, uint64_t low,
			    uint64_t high)
{
	uint32_t sectors = reader->block_size / 512;
	struct partition *partition;

	if (table->count == PARTITIONS_MAX) {
		table->reason = "it has more partitions than are read";
		return NULL;
	}
	partition = &table->partition[table->count++];
	memset(partition, 0, sizeof(*partition));
	partition->number = number;
	if (first < low || first >= high || count > high - first) {
		partition->refused = "it is not within the drive's bounds";
		return partition;
	}
	partition->first = first * sectors;
	partition->count = count * sectors;
	return partition;
}

static bool overlap(const struct partition *a, const struct partition *b)
{
	return a->count && b->count && a->first < b->first + b->count &&
	       b->first < a->first + a->count;
}

static void overlaps_refuse(struct partition_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		for (uint32_t n = 0; n < i; n++)
			if (overlap(&table->partition[i], &table->partition[n]))
				table->partition[i].refused =
					table->partition[n].refused =
						"it overlaps another";
}

/* ---- MBR ----------------------------------------------------------------- */

static void mbr_add(struct partition_table *table,
		    const struct table_reader *reader, uint32_t signature,
		    uint32_t number, uint64_t first, uint64_t count,
		    uint64_t low, uint64_t high)
{
	struct partition *partition =
		table_add(table, reader, number, first, count, low, high);

	if (partition && signature)
		snprintf(partition->uuid, sizeof(partition->uuid), "%08x-%02x",
			 signature, number);
}

/* Logical partitions: a chain of tables of two entries, the partition and where
 * the next one is, counted from where the first one was. */
static const char *chain_read(struct partition_table *table,
			      const struct table_reader *reader,
			      uint32_t signature, const struct entry *extended)
{
	uint64_t base = extended->first, end = base + extended->count;
	uint8_t block[TABLE_BLOCK_MAX];
	uint64_t seen[LOGICAL_MAX] = { 0 }, at = base;

	for (unsigned i = 0; i < LOGICAL_MAX; i++) {
		struct entry logical, next;

		for (unsigned n = 0; n < i; n++)
			if (seen[n] == at)
				return "its extended partitions are a loop";
		seen[i] = at;
		if (at < base || at >= MIN(end, reader->block_count))
			return "an extended partition is out of bounds";
		if (reader->read(reader->ctx, at, block))
			return "an extended partition cannot be read";
		if (!is_mbr(block))
			return "an extended partition has no table";
		logical = entry_at(block, 0);
		next = entry_at(block, 1);
		if (is_used(&logical) && !is_extended(&logical))
			mbr_add(table, reader, signature, LOGICAL_FIRST + i,
				at + logical.first, logical.count, at + 1,
				MIN(end, reader->block_count));
		if (!is_used(&next) || !is_extended(&next))
			return NULL;
		at = base + next.first;
	}
	return "it has too many extended partitions";
}

static void mbr_read(struct partition_table *table,
		     const struct table_reader *reader, const uint8_t *block)
{
	uint32_t signature = le32(block + MBR_SIGNATURE);
	bool has_extended = false;

	table->kind = TABLE_MBR;
	for (unsigned i = 0; i < 4; i++) {
		struct entry entry = entry_at(block, i);

		if (!is_used(&entry))
			continue;
		if (!is_extended(&entry)) {
			mbr_add(table, reader, signature, i + 1, entry.first,
				entry.count, 1, reader->block_count);
		} else if (has_extended) {
			table->reason = "it has two extended partitions";
		} else {
			const char *why =
				chain_read(table, reader, signature, &entry);

			has_extended = true;
			table->reason = why ? why : table->reason;
		}
	}
}

int partition_table_read(struct partition_table *table,
			 const struct table_reader *reader)
{
	uint8_t block[TABLE_BLOCK_MAX];
	bool is_protective = false;
	int error;

	memset(table, 0, sizeof(*table));
	if (!reader->block_count)
		return 0;
	error = reader->read(reader->ctx, 0, block);
	if (error || !is_mbr(block))
		return error;
	for (unsigned i = 0; i < 4; i++)
		is_protective |= entry_at(block, i).type == TYPE_PROTECTIVE;
	if (is_protective)
		gpt_read(table, reader);
	else
		mbr_read(table, reader, block);
	overlaps_refuse(table);
	return 0;
}
