/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be said of all guests together: init/manifest_reader.h.  How many
 * cards and drives services have room for; who starts after whom, which may not
 * go round in a circle; whom sockets lead to.
 */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

bool guest_is_called(const struct guest_manifest *guest, const char *name)
{
	return !strcmp(guest->name, name) ||
	       (guest->node[0] && !strcmp(guest->node, name));
}

static bool has_drive(const struct guest_manifest *guest)
{
	for (unsigned i = 0; i < guest->disk_count; i++)
		if (disk_has_source(&guest->disk[i]))
			return true;
	return false;
}

static int check_services(struct manifest_reader *reader, int node)
{
	const struct manifest *manifest = reader->manifest;
	unsigned cards = 0, clients = 0;

	for (unsigned i = 0; i < manifest->guest_count; i++) {
		cards += manifest->guest[i].nic_count;
		clients += has_drive(&manifest->guest[i]);
	}
	if (cards > MANIFEST_CARDS_MAX)
		return manifest_fail(reader, node, NULL,
				     "have %u network cards, at most %d can be",
				     cards, MANIFEST_CARDS_MAX);
	if (clients > MANIFEST_CLIENTS_MAX)
		return manifest_fail(reader, node, NULL,
				     "have disks with a source in %u guests, "
				     "at most %d can: give others an image",
				     clients, MANIFEST_CLIENTS_MAX);
	return 0;
}

/* ---- Order --------------------------------------------------------------- */

static bool is_after(const struct guest_manifest *guest, unsigned other)
{
	return guest->after[other / 64] & BIT(other % 64);
}

/* Its node, for what is said of it. */
static int node_of(const struct manifest_reader *reader, int guests,
		   const struct guest_manifest *guest)
{
	return manifest_child(reader, guests,
			      guest->node[0] ? guest->node : guest->name);
}

static int after_find(struct manifest_reader *reader, int guests,
		      struct guest_manifest *guest)
{
	struct manifest *manifest = reader->manifest;

	for (const char *name = guest->start_after; *name;
	     name += strlen(name) + 1) {
		bool is_there = false;

		for (unsigned i = 0; i < manifest->guest_count; i++) {
			if (!guest_is_called(&manifest->guest[i], name))
				continue;
			guest->after[i / 64] |= BIT(i % 64);
			is_there = true;
		}
		if (!is_there)
			return manifest_fail(reader,
					     node_of(reader, guests, guest),
					     "start-after",
					     "\"%s\" is no guest: give the "
					     "name of one, or of a node with a "
					     "count",
					     name);
	}
	return 0;
}

/* The first of those that it waits for and that wait, too. */
static unsigned waits_for(const struct manifest *manifest, const bool *is_free,
			  unsigned guest)
{
	unsigned other = 0;

	while (is_free[other] || !is_after(&manifest->guest[guest], other))
		other++;
	return other;
}

/* One of those that are left: following them leads into the circle. */
static int refuse_circle(struct manifest_reader *reader, int guests,
			 const bool *is_free)
{
	const struct manifest *manifest = reader->manifest;
	unsigned first = 0, at;
	char text[192];
	int used;

	while (is_free[first])
		first++;
	for (unsigned i = 0; i < manifest->guest_count; i++)
		first = waits_for(manifest, is_free, first);
	used = snprintf(text, sizeof(text), "%s", manifest->guest[first].name);
	at = first;
	do {
		at = waits_for(manifest, is_free, at);
		if (used < (int)sizeof(text))
			used += snprintf(text + used,
					 sizeof(text) - (size_t)used,
					 " after %s", manifest->guest[at].name);
	} while (at != first);
	return manifest_fail(reader,
			     node_of(reader, guests, &manifest->guest[first]),
			     "start-after",
			     "goes round in a circle, so that none would "
			     "start: %s",
			     text);
}

static bool has_to_wait(const struct manifest *manifest, const bool *is_free,
			unsigned guest)
{
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (!is_free[i] && is_after(&manifest->guest[guest], i))
			return true;
	return false;
}

/* What those that it waits for wait for is known. */
static void after_follow(struct manifest *manifest,
			 struct guest_manifest *guest)
{
	memcpy(guest->after_all, guest->after, sizeof(guest->after));
	for (unsigned i = 0; i < manifest->guest_count; i++)
		for (unsigned w = 0;
		     is_after(guest, i) && w < MANIFEST_GUEST_WORDS; w++)
			guest->after_all[w] |= manifest->guest[i].after_all[w];
}

/* Takes away those that wait for nobody, until there are none of them. */
static int check_order(struct manifest_reader *reader, int guests)
{
	struct manifest *manifest = reader->manifest;
	bool is_free[MANIFEST_GUESTS_MAX] = { false };
	unsigned left = manifest->guest_count, before;

	do {
		before = left;
		for (unsigned i = 0; i < manifest->guest_count; i++) {
			if (is_free[i] || has_to_wait(manifest, is_free, i))
				continue;
			after_follow(manifest, &manifest->guest[i]);
			is_free[i] = true;
			left--;
		}
	} while (left && left < before);
	return left ? refuse_circle(reader, guests, is_free) : 0;
}

/* Whom its sockets lead to: all guests have been read. */
static int check_vsocks(struct manifest_reader *reader, int guests)
{
	struct manifest *manifest = reader->manifest;
	int error = 0;

	for (unsigned i = 0; !error && i < manifest->guest_count; i++) {
		struct guest_manifest *guest = &manifest->guest[i];
		int node = node_of(reader, guests, guest);

		if (guest->vsock.cid)
			error = manifest_check_vsock(
				reader, manifest_child(reader, node, "vsock0"),
				guest);
	}
	return error;
}

int manifest_check_host(struct manifest_reader *reader, int node)
{
	struct manifest *manifest = reader->manifest;
	int error = check_services(reader, node);

	for (unsigned i = 0; !error && i < manifest->guest_count; i++)
		error = after_find(reader, node, &manifest->guest[i]);
	if (!error)
		error = check_vsocks(reader, node);
	return error ? error : check_order(reader, node);
}
