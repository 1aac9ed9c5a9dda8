/* SPDX-License-Identifier: BSD-2-Clause */
/* See policy.h. */
#include "init/policy.h"

#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

const char *guest_label(const struct guest_manifest *guest)
{
	if (guest->label[0])
		return guest->label;
	return guest->node[0] ? guest->node : guest->name;
}

bool policy_lists(const char *list, const char *text)
{
	for (; *list; list += strlen(list) + 1)
		if (!strcmp(list, text))
			return true;
	return false;
}

/* The n-th text of a list, or NULL; *n is what is left to go. */
static const char *list_find(const char *list, unsigned *n)
{
	for (; *list; list += strlen(list) + 1)
		if (!(*n)--)
			return list;
	return NULL;
}

/* ---- What a guest has ---------------------------------------------------- */

/* All files that it can read, whatever it has them as. */
static const char *image_find(const struct guest_manifest *guest, unsigned n)
{
	const char *const files[] = { guest->kernel, guest->initrd,
				      guest->firmware, guest->vga_bios,
				      guest->program };

	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i][0] && !n--)
			return files[i];
	for (unsigned i = 0; i < guest->item_count; i++)
		if (guest->item[i].file[0] && !n--)
			return guest->item[i].file;
	for (unsigned i = 0; i < guest->disk_count; i++)
		for (unsigned j = 0;
		     j < MANIFEST_IMAGES_MAX && guest->disk[i].image[j][0]; j++)
			if (!n--)
				return guest->disk[i].image[j];
	return NULL;
}

static unsigned image_count(const struct guest_manifest *guest)
{
	unsigned n = 0;

	while (image_find(guest, n))
		n++;
	return n;
}

static unsigned source_count(const struct guest_manifest *guest)
{
	unsigned n = 0;

	for (unsigned i = 0; i < guest->disk_count; i++)
		n += disk_has_source(&guest->disk[i]);
	return n;
}

static const struct disk_source *source_find(const struct guest_manifest *guest,
					     unsigned n)
{
	const struct disk_manifest *disk = guest->disk;

	while (!disk_has_source(disk) || n--)
		disk++;
	return &disk->source;
}

/* ---- Pairs --------------------------------------------------------------- */

static void name_copy(char to[MANIFEST_NAME_SIZE], const char *from)
{
	size_t length = MIN(strlen(from), (size_t)MANIFEST_NAME_SIZE - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

static void pair_make(struct policy_object *object, const char *a,
		      const char *b)
{
	bool is_sorted = strcmp(a, b) < 0;

	name_copy(object->pair[!is_sorted], a);
	name_copy(object->pair[is_sorted], b);
}

bool policy_pair_parse(struct policy_object *object, const char *text)
{
	const char *colon = strchr(text, ':');
	char first[MANIFEST_NAME_SIZE] = "";
	size_t length = colon ? (size_t)(colon - text) : 0;

	if (!length || length >= sizeof(first) || !colon[1] ||
	    strchr(colon + 1, ':') || strlen(colon + 1) >= sizeof(first))
		return false;
	memcpy(first, text, length);
	if (!strcmp(first, colon + 1))
		return false;
	pair_make(object, first, colon + 1);
	return true;
}

bool policy_object(const struct guest_manifest *guest, unsigned n,
		   struct policy_object *object)
{
	unsigned images = image_count(guest), sources = source_count(guest);
	const char *peer;

	*object = (struct policy_object){ .kind = POLICY_NETWORK };
	if (n < guest->nic_count) {
		object->text = guest->nic[n].network;
		return true;
	}
	n -= guest->nic_count;
	object->kind = POLICY_IMAGE;
	if (n < images) {
		object->text = image_find(guest, n);
		return true;
	}
	n -= images;
	object->kind = POLICY_SOURCE;
	if (n < sources) {
		object->source = *source_find(guest, n);
		return true;
	}
	n -= sources;
	object->kind = POLICY_VSOCK;
	peer = list_find(guest->vsock.peers, &n);
	if (!peer && guest->vsock.control && !n--)
		peer = POLICY_HOST;
	if (peer) {
		pair_make(object, guest->name, peer);
		return true;
	}
	object->kind = POLICY_PORTS;
	object->ports = n < MANIFEST_PORTS_MAX ? guest->ports[n] : NULL;
	return object->ports && object->ports[1];
}

void policy_object_text(const struct policy_object *object,
			char text[POLICY_TEXT_SIZE])
{
	static const char *const kinds[] = {
		[POLICY_NETWORK] = "network", [POLICY_IMAGE] = "image",
		[POLICY_SOURCE] = "source",   [POLICY_VSOCK] = "vsock",
		[POLICY_PORTS] = "ports",
	};
	const char *kind = kinds[object->kind];

	if (object->kind == POLICY_VSOCK) {
		(void)snprintf(text, POLICY_TEXT_SIZE, "%s %s:%s", kind,
			       object->pair[0], object->pair[1]);
		return;
	}
	if (object->kind == POLICY_PORTS)
		(void)snprintf(text, POLICY_TEXT_SIZE, "%s 0x%x to 0x%x", kind,
			       object->ports[0],
			       object->ports[0] + object->ports[1] - 1);
	else
		(void)snprintf(text, POLICY_TEXT_SIZE, "%s %s", kind,
			       object->kind == POLICY_SOURCE
				       ? object->source.name
				       : object->text);
}

/* ---- Rules --------------------------------------------------------------- */

bool policy_listed(const struct policy_rule *rule, unsigned n,
		   struct policy_object *object)
{
	*object = (struct policy_object){ .kind = POLICY_NETWORK };
	object->text = list_find(rule->network, &n);
	if (object->text)
		return true;
	object->kind = POLICY_IMAGE;
	object->text = list_find(rule->image, &n);
	if (object->text)
		return true;
	object->kind = POLICY_SOURCE;
	object->text = list_find(rule->source, &n);
	if (object->text)
		return !source_parse(&object->source, object->text);
	object->kind = POLICY_VSOCK;
	object->text = list_find(rule->vsock, &n);
	if (object->text)
		return policy_pair_parse(object, object->text);
	object->kind = POLICY_PORTS;
	object->ports = n < MANIFEST_PORTS_MAX ? rule->ports[n] : NULL;
	return object->ports && object->ports[1];
}

bool policy_is_same(const struct policy_object *a,
		    const struct policy_object *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == POLICY_SOURCE)
		return source_is_same(&a->source, &b->source);
	if (a->kind == POLICY_VSOCK)
		return !strcmp(a->pair[0], b->pair[0]) &&
		       !strcmp(a->pair[1], b->pair[1]);
	if (a->kind == POLICY_PORTS)
		return a->ports[0] < b->ports[0] + b->ports[1] &&
		       b->ports[0] < a->ports[0] + a->ports[1];
	return !strcmp(a->text, b->text);
}

static bool lists_object(const struct policy_rule *rule,
			 const struct policy_object *object)
{
	struct policy_object listed;

	for (unsigned n = 0; policy_listed(rule, n, &listed); n++)
		if (policy_is_same(&listed, object))
			return true;
	return false;
}

const struct policy_rule *policy_rule_of(const struct manifest *manifest,
					 const struct policy_object *object)
{
	for (unsigned i = 0; i < manifest->rule_count; i++)
		if (lists_object(&manifest->rule[i], object))
			return &manifest->rule[i];
	return NULL;
}

const struct policy_rule *policy_denial(const struct manifest *manifest,
					const struct guest_manifest *guest,
					struct policy_object *object)
{
	const struct policy_rule *rule;

	for (unsigned n = 0; policy_object(guest, n, object); n++) {
		rule = policy_rule_of(manifest, object);
		if (rule && !policy_lists(rule->allow, guest_label(guest)))
			return rule;
	}
	return NULL;
}

const struct policy_rule *policy_conflict(const struct manifest *manifest,
					  const struct guest_manifest *a,
					  const struct guest_manifest *b)
{
	const char *one = guest_label(a), *other = guest_label(b);

	for (unsigned i = 0; strcmp(one, other) && i < manifest->rule_count;
	     i++)
		if (policy_lists(manifest->rule[i].conflict, one) &&
		    policy_lists(manifest->rule[i].conflict, other))
			return &manifest->rule[i];
	return NULL;
}

const struct policy_rule *policy_control_denial(const struct manifest *manifest,
						const char *network)
{
	const struct policy_object object = { .kind = POLICY_NETWORK,
					      .text = network };
	const struct policy_rule *rule = policy_rule_of(manifest, &object);

	return rule && !policy_lists(rule->allow, POLICY_CONTROL) ? rule : NULL;
}
