/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a guest's files in fw_cfg: init/manifest_reader.h. */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
static const struct manifest_property item_properties[] = {
	{ "item", PROPERTY_STRING, .is_required = true,
	  FIELD(struct item_manifest, item) },
	{ "file", PROPERTY_FILE, FIELD(struct item_manifest, file) },
	{ "string", PROPERTY_STRING, FIELD(struct item_manifest, text) },
	{ 0 },
};
/* clang-format on */

/* A path that guests look for: no spaces, nothing but ASCII. */
static bool is_plain(const char *name)
{
	for (; *name; name++)
		if (*name < '!' || *name > '~')
			return false;
	return true;
}

static bool is_taken(const struct guest_manifest *guest, const char *name)
{
	for (unsigned i = 0; i < guest->item_count; i++)
		if (!strcmp(guest->item[i].item, name))
			return true;
	return false;
}

int manifest_read_item(struct manifest_reader *reader, int node,
		       struct guest_manifest *guest)
{
	struct item_manifest item = { 0 };
	int error = manifest_read_node(reader, node, item_properties, &item);

	if (error)
		return error;
	if (guest->item_count == MANIFEST_ITEMS_MAX)
		return manifest_fail(reader, node, NULL,
				     "is more than the %d that fit",
				     MANIFEST_ITEMS_MAX);
	if (guest->program[0])
		return manifest_fail(reader, node, NULL,
				     "is for the board's machine, not for a "
				     "program");
	if (!is_plain(item.item))
		return manifest_fail(reader, node, "item",
				     "must be ASCII characters without spaces");
	if (is_taken(guest, item.item))
		return manifest_fail(reader, node, "item",
				     "\"%s\" is there already", item.item);
	if (!item.file[0] == !item.text[0])
		return manifest_fail(reader, node, NULL,
				     "needs a file or a string, and not both");
	guest->item[guest->item_count++] = item;
	return 0;
}
