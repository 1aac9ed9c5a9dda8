/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests of a node with a count: init/manifest_reader.h.
 *
 * All are what the node says; each has its number behind the name, in the
 * addresses of its cards, and wherever cmdline or a string of fw_cfg says %n.
 * What only one guest can have they cannot: ports of the host's, sockets to
 * others, and disks of the host's that are written to.
 */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

/* %n becomes the number, which is no longer. */
static void number_into(char *text, unsigned number)
{
	char *to = text;

	for (const char *at = text; *at; at++)
		if (at[0] == '%' && at[1] == 'n') {
			if (number >= 10)
				*to++ = (char)('0' + number / 10);
			*to++ = (char)('0' + number % 10);
			at++;
		} else {
			*to++ = *at;
		}
	*to = '\0';
}
_Static_assert(MANIFEST_GUESTS_MAX < 100, "two digits");

static int copy_make(struct manifest_reader *reader, int node,
		     struct guest_manifest *copy, unsigned number)
{
	if (snprintf(copy->name, sizeof(copy->name), "%s-%u", copy->node,
		     number) >= (int)sizeof(copy->name))
		return manifest_fail(reader, node, "count",
				     "makes names of more than %d characters: "
				     "make the node's shorter",
				     MANIFEST_NAME_SIZE - 1);
	number_into(copy->cmdline, number);
	for (unsigned i = 0; i < copy->item_count; i++)
		number_into(copy->item[i].text, number);
	manifest_copy_nics(copy, number);
	return 0;
}

/* The others before it are there. */
static int copy_check(struct manifest_reader *reader, int node,
		      const struct guest_manifest *copy)
{
	const struct guest_manifest *other;
	const struct nic_manifest *twin;

	if (manifest_name_is_taken(reader->manifest, copy->name))
		return manifest_fail(reader, node, "count",
				     "makes a guest %s, and there is one: "
				     "rename it",
				     copy->name);
	twin = manifest_nic_twin(reader->manifest, copy, &other);
	if (twin)
		return manifest_fail(reader, node, "count",
				     "gives %s the address of "
				     "/guests/%s/nic%u: give its card another "
				     "mac",
				     copy->name, other->name, twin->number);
	return 0;
}

/* What cannot be had twice. */
static int check_alone(struct manifest_reader *reader, int node,
		       const struct guest_manifest *guest)
{
	if (guest->ports[0][1])
		return manifest_fail(reader, node, "count",
				     "excludes ports: one guest alone can "
				     "have a device of the host's");
	if (guest->vsock.cid)
		return manifest_fail(reader, node, "count",
				     "excludes vsock0: one guest alone can "
				     "have its cid");
	for (unsigned i = 0; i < guest->disk_count; i++)
		if (disk_has_source(&guest->disk[i]) &&
		    disk_writes_source(&guest->disk[i]))
			return manifest_fail(
				reader, node, "count",
				"excludes writing to %s's source: make it "
				"read-only, or give it overlay = \"memory\"",
				guest->disk[i].name);
	return 0;
}

int manifest_copy_guest(struct manifest_reader *reader, int node)
{
	struct manifest *manifest = reader->manifest;
	struct guest_manifest *first = &manifest->guest[manifest->guest_count];
	unsigned count = first->count;
	int error = 0;

	if (!count) {
		manifest->guest_count++;
		return 0;
	}
	if (manifest->guest_count + count > MANIFEST_GUESTS_MAX)
		return manifest_fail(reader, node, "count",
				     "makes %u guests with those before, at "
				     "most %d can be",
				     manifest->guest_count + count,
				     MANIFEST_GUESTS_MAX);
	if (count > 1)
		error = check_alone(reader, node, first);
	memcpy(first->node, first->name, sizeof(first->node));
	for (unsigned i = 1; !error && i < count; i++)
		memcpy(&first[i], first, sizeof(*first));
	for (unsigned i = 0; !error && i < count; i++) {
		error = copy_make(reader, node, &first[i], i + 1);
		if (!error)
			error = copy_check(reader, node, &first[i]);
		manifest->guest_count += !error;
	}
	return error;
}
