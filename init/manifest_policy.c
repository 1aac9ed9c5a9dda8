/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a manifest's policy: init/manifest_reader.h; what it means is in
 * policy.h.
 *
 * A name that nobody has is refused, for a rule with a misspelt one would
 * protect nothing.  So are a network and a pair of sockets that guests of
 * different labels name and no rule lists: where there is a policy, it says who
 * talks to whom.
 */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "init/policy.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

/* clang-format off */
static const struct manifest_property policy_properties[] = { { 0 } };

static const struct manifest_property rule_properties[] = {
	{ "allow", PROPERTY_TEXTS, FIELD(struct policy_rule, allow) },
	{ "conflict", PROPERTY_TEXTS, FIELD(struct policy_rule, conflict) },
	{ "networks", PROPERTY_TEXTS, FIELD(struct policy_rule, network) },
	{ "images", PROPERTY_TEXTS, FIELD(struct policy_rule, image) },
	{ "sources", PROPERTY_TEXTS, FIELD(struct policy_rule, source) },
	{ "vsocks", PROPERTY_TEXTS, FIELD(struct policy_rule, vsock) },
	{ "ports", PROPERTY_PAIRS, FIELD(struct policy_rule, ports) },
	{ 0 },
};
/* clang-format on */

static bool is_label(const struct manifest *manifest, const char *text)
{
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (!strcmp(guest_label(&manifest->guest[i]), text))
			return true;
	return false;
}

static int check_labels(struct manifest_reader *reader, int node,
			const char *property, const char *list)
{
	bool may_control = !strcmp(property, "allow");

	for (const char *at = list; *at; at += strlen(at) + 1)
		if (!is_label(reader->manifest, at) &&
		    (!may_control || strcmp(at, POLICY_CONTROL)))
			return manifest_fail(reader, node, property,
					     "\"%s\" is no guest's label: "
					     "without one a guest's label is "
					     "its node's name",
					     at);
	return 0;
}

/* ---- Objects ------------------------------------------------------------- */

static bool is_anybodys(const struct manifest *manifest,
			const struct policy_object *wanted)
{
	struct policy_object object;

	for (unsigned i = 0; i < manifest->guest_count; i++)
		for (unsigned n = 0;
		     policy_object(&manifest->guest[i], n, &object); n++)
			if (policy_is_same(&object, wanted))
				return true;
	return false;
}

static int check_sources(struct manifest_reader *reader, int node,
			 const struct policy_rule *rule)
{
	struct disk_source source;
	const char *why;

	for (const char *at = rule->source; *at; at += strlen(at) + 1) {
		why = source_parse(&source, at);
		if (why)
			return manifest_fail(reader, node, "sources",
					     "\"%s\" %s", at, why);
	}
	return 0;
}

static int check_pairs(struct manifest_reader *reader, int node,
		       const struct policy_rule *rule)
{
	struct policy_object object;

	for (const char *at = rule->vsock; *at; at += strlen(at) + 1)
		if (!policy_pair_parse(&object, at))
			return manifest_fail(reader, node, "vsocks",
					     "\"%s\" must be two guests, with "
					     "a colon between, as \"web:db\"",
					     at);
	return 0;
}

static int check_objects(struct manifest_reader *reader, int node,
			 const struct policy_rule *rule)
{
	const struct policy_rule *other;
	char text[POLICY_TEXT_SIZE];
	struct policy_object object;
	int error = check_sources(reader, node, rule);

	if (!error)
		error = check_pairs(reader, node, rule);
	for (unsigned n = 0; !error && policy_listed(rule, n, &object); n++) {
		policy_object_text(&object, text);
		other = policy_rule_of(reader->manifest, &object);
		if (other)
			error = manifest_fail(reader, node, NULL,
					      "%s is in /policy/%s, too: list "
					      "it in one of them",
					      text, other->name);
		else if (!is_anybodys(reader->manifest, &object))
			error = manifest_fail(
				reader, node, NULL,
				"%s is named by no guest: look "
				"at its spelling, or leave it out",
				text);
	}
	return error;
}

/* The first that has it under another label; NULL: all have the same. */
static const struct guest_manifest *
stranger_find(const struct manifest *manifest,
	      const struct guest_manifest *guest,
	      const struct policy_object *wanted)
{
	struct policy_object object;

	for (unsigned i = 0; i < manifest->guest_count; i++) {
		const struct guest_manifest *other = &manifest->guest[i];

		for (unsigned n = 0; policy_object(other, n, &object); n++)
			if (policy_is_same(&object, wanted) &&
			    strcmp(guest_label(guest), guest_label(other)))
				return other;
	}
	return NULL;
}

static int fail_unlisted(struct manifest_reader *reader, int node,
			 const struct policy_object *object,
			 const struct guest_manifest *guest, const char *other)
{
	char text[POLICY_TEXT_SIZE];

	policy_object_text(object, text);
	return manifest_fail(reader, node, NULL,
			     "no rule lists %s, which /guests/%s and %s have: "
			     "list it in a rule's %s%s",
			     text, guest->name, other,
			     object->kind == POLICY_VSOCK ? "vsocks"
							  : "networks",
			     strcmp(other, "the host") ? ", or give both one "
							 "label"
						       : "");
}

static bool is_with_host(const struct policy_object *object)
{
	return object->kind == POLICY_VSOCK &&
	       (!strcmp(object->pair[0], POLICY_HOST) ||
		!strcmp(object->pair[1], POLICY_HOST));
}

/* By which guests talk: what no rule lists is between those of one label. */
static int check_ways(struct manifest_reader *reader, int node,
		      const struct guest_manifest *guest)
{
	const struct guest_manifest *other;
	struct policy_object object;

	for (unsigned n = 0; policy_object(guest, n, &object); n++) {
		char name[MANIFEST_NAME_SIZE + sizeof("/guests/")];

		if ((object.kind != POLICY_NETWORK &&
		     object.kind != POLICY_VSOCK) ||
		    policy_rule_of(reader->manifest, &object))
			continue;
		if (is_with_host(&object))
			return fail_unlisted(reader, node, &object, guest,
					     "the host");
		other = stranger_find(reader->manifest, guest, &object);
		if (!other)
			continue;
		(void)snprintf(name, sizeof(name), "/guests/%s", other->name);
		return fail_unlisted(reader, node, &object, guest, name);
	}
	return 0;
}

/* ---- Rules --------------------------------------------------------------- */

static int check_conflict(struct manifest_reader *reader, int node,
			  const struct policy_rule *rule, bool has_objects)
{
	const char *second = rule->conflict + strlen(rule->conflict) + 1;

	if (rule->allow[0] || has_objects)
		return manifest_fail(reader, node, "conflict",
				     "stands alone: make another rule of the "
				     "rest");
	if (!*second || policy_lists(second, rule->conflict))
		return manifest_fail(reader, node, "conflict",
				     "needs two labels that differ");
	return check_labels(reader, node, "conflict", rule->conflict);
}

static int check_rule(struct manifest_reader *reader, int node,
		      const struct policy_rule *rule)
{
	bool has_objects = rule->network[0] || rule->image[0] ||
			   rule->source[0] || rule->vsock[0] ||
			   rule->ports[0][1];

	if (rule->conflict[0])
		return check_conflict(reader, node, rule, has_objects);
	if (!has_objects)
		return manifest_fail(reader, node, NULL,
				     "is about nothing: give it networks, "
				     "images, sources, vsocks or ports, or a "
				     "conflict");
	if (!rule->allow[0])
		return manifest_fail(reader, node, "allow",
				     "is missing: whose labels may have that?");
	if (check_labels(reader, node, "allow", rule->allow))
		return -EINVAL;
	return check_objects(reader, node, rule);
}

static int read_rule(struct manifest_reader *reader, int node)
{
	struct manifest *manifest = reader->manifest;
	struct policy_rule *rule = &manifest->rule[manifest->rule_count];
	int error = manifest_check_leaf(reader, node);

	if (error)
		return error;
	if (manifest->rule_count == MANIFEST_RULES_MAX)
		return manifest_fail(reader, node, NULL, "more than %d rules",
				     MANIFEST_RULES_MAX);
	error = manifest_read_name(reader, node, rule->name);
	if (!error)
		error = manifest_read_node(reader, node, rule_properties, rule);
	if (!error)
		error = check_rule(reader, node, rule);
	manifest->rule_count += !error;
	return error;
}

/* A guest of that label would pass for the clients. */
static int check_guests(struct manifest_reader *reader, int node)
{
	const struct manifest *manifest = reader->manifest;
	int error = 0;

	if (is_label(manifest, POLICY_CONTROL))
		return manifest_fail(reader, node, NULL,
				     "\"%s\" is the label of clients of the "
				     "control protocol: give the guest another",
				     POLICY_CONTROL);
	for (unsigned i = 0; !error && i < manifest->guest_count; i++)
		error = check_ways(reader, node, &manifest->guest[i]);
	return error;
}

int manifest_read_policy(struct manifest_reader *reader, int node)
{
	int error = manifest_read_node(reader, node, policy_properties, NULL);

	if (!error)
		error = manifest_each_child(reader, node, read_rule);
	reader->manifest->has_policy = true;
	return error ? error : check_guests(reader, node);
}
