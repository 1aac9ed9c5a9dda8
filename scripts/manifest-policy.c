/* SPDX-License-Identifier: BSD-2-Clause */
/* See manifest-policy.h. */
#include "scripts/manifest-policy.h"

#include <stdio.h>
#include <string.h>

#include "init/policy.h"

/* The guest for which its node is shown; NULL behind the last. */
static const struct guest_manifest *next_node(const struct manifest *manifest,
					      const struct guest_manifest *at)
{
	const struct guest_manifest *end =
		&manifest->guest[manifest->guest_count];

	if (!at)
		return manifest->guest;
	for (const char *node = at->node; at < end; at++)
		if (at->node != node && (!node[0] || strcmp(at->node, node)))
			return at;
	return NULL;
}

static const char *name_of(const struct guest_manifest *guest)
{
	return guest->node[0] ? guest->node : guest->name;
}

static bool is_denied(const struct manifest *manifest,
		      const struct guest_manifest *guest)
{
	struct policy_object object;

	return policy_denial(manifest, guest, &object);
}

/* ---- Reaching ------------------------------------------------------------ */

/* A card without a VLAN has all of its network's. */
static bool cards_meet(const struct nic_manifest *a,
		       const struct nic_manifest *b)
{
	return !strcmp(a->network, b->network) &&
	       (!a->vlan || !b->vlan || a->vlan == b->vlan);
}

static bool guests_meet(const struct manifest *manifest,
			const struct guest_manifest *a,
			const struct guest_manifest *b, const char *network)
{
	if ((a == b && a->count < 2) || is_denied(manifest, a) ||
	    is_denied(manifest, b) || policy_conflict(manifest, a, b))
		return false;
	for (unsigned i = 0; i < a->nic_count; i++)
		for (unsigned j = 0; j < b->nic_count; j++)
			if (!strcmp(a->nic[i].network, network) &&
			    cards_meet(&a->nic[i], &b->nic[j]))
				return true;
	return false;
}

/* Each network of a's once. */
static bool is_repeated(const struct guest_manifest *a, unsigned nic)
{
	for (unsigned i = 0; i < nic; i++)
		if (!strcmp(a->nic[i].network, a->nic[nic].network))
			return true;
	return false;
}

static bool sockets_meet(const struct manifest *manifest,
			 const struct guest_manifest *a,
			 const struct guest_manifest *b)
{
	return policy_lists(a->vsock.peers, b->name) &&
	       !is_denied(manifest, a) && !is_denied(manifest, b) &&
	       !policy_conflict(manifest, a, b);
}

static unsigned pair_print(const struct manifest *manifest,
			   const struct guest_manifest *a,
			   const struct guest_manifest *b)
{
	unsigned lines = 0;

	if (sockets_meet(manifest, a, b)) {
		printf("  %s <-> %s: vsock\n", name_of(a), name_of(b));
		lines++;
	}
	for (unsigned i = 0; i < a->nic_count; i++) {
		if (is_repeated(a, i) ||
		    !guests_meet(manifest, a, b, a->nic[i].network))
			continue;
		printf("  %s <-> %s: network %s\n", name_of(a), name_of(b),
		       a->nic[i].network);
		lines++;
	}
	return lines;
}

static void reach_print(const struct manifest *manifest)
{
	const struct guest_manifest *a = NULL, *b;
	unsigned lines = 0;

	printf("who reaches whom:\n");
	while ((a = next_node(manifest, a))) {
		lines += pair_print(manifest, a, a);
		for (b = next_node(manifest, a); b; b = next_node(manifest, b))
			lines += pair_print(manifest, a, b);
	}
	if (!lines)
		printf("  nobody\n");
}

/* ---- Objects ------------------------------------------------------------- */

static const char *rule_name(const struct policy_rule *rule)
{
	return rule ? rule->name : "none";
}

/* Some guest before this one has it, or this one by a smaller number. */
static bool is_known(const struct manifest *manifest,
		     const struct guest_manifest *guest, unsigned n,
		     const struct policy_object *wanted)
{
	struct policy_object object;

	for (const struct guest_manifest *at = manifest->guest; at <= guest;
	     at++)
		for (unsigned i = 0;
		     (at < guest || i < n) && policy_object(at, i, &object);
		     i++)
			if (policy_is_same(&object, wanted))
				return true;
	return false;
}

static bool has_object(const struct guest_manifest *guest,
		       const struct policy_object *wanted)
{
	struct policy_object object;

	for (unsigned n = 0; policy_object(guest, n, &object); n++)
		if (policy_is_same(&object, wanted))
			return true;
	return false;
}

/* The firmware of all guests that name none says nothing about any. */
static bool is_shown(const struct policy_object *object,
		     const struct policy_rule *rule)
{
	return rule || object->kind != POLICY_IMAGE ||
	       (strcmp(object->text, MANIFEST_FIRMWARE) &&
		strcmp(object->text, MANIFEST_VGA_BIOS));
}

static void object_print(const struct manifest *manifest,
			 const struct policy_object *object)
{
	const struct policy_rule *rule = policy_rule_of(manifest, object);
	const struct guest_manifest *guest = NULL;
	char text[POLICY_TEXT_SIZE];
	const char *comma = "";

	policy_object_text(object, text);
	printf("  %s (rule %s):", text, rule_name(rule));
	while ((guest = next_node(manifest, guest))) {
		if (!has_object(guest, object) || is_denied(manifest, guest))
			continue;
		printf("%s %s", comma, name_of(guest));
		comma = ",";
	}
	if (object->kind == POLICY_NETWORK &&
	    !policy_control_denial(manifest, object->text))
		printf("%s clients of the control protocol", comma);
	printf("\n");
}

static void objects_each(const struct manifest *manifest,
			 void (*print)(const struct manifest *manifest,
				       const struct policy_object *object))
{
	const struct guest_manifest *guest = NULL;
	struct policy_object object;

	while ((guest = next_node(manifest, guest)))
		for (unsigned n = 0; policy_object(guest, n, &object); n++)
			if (!is_known(manifest, guest, n, &object) &&
			    is_shown(&object,
				     policy_rule_of(manifest, &object)))
				print(manifest, &object);
}

/* ---- What is refused ----------------------------------------------------- */

static void denials_print(const struct manifest *manifest)
{
	const struct guest_manifest *guest = NULL;
	char text[POLICY_TEXT_SIZE];

	while ((guest = next_node(manifest, guest))) {
		struct policy_object object;
		const struct policy_rule *rule =
			policy_denial(manifest, guest, &object);

		if (!rule)
			continue;
		policy_object_text(&object, text);
		printf("refused: %s: rule %s does not allow %s to label %s\n",
		       name_of(guest), rule->name, text, guest_label(guest));
	}
}

static void conflicts_each(const struct manifest *manifest, const char *format)
{
	const struct guest_manifest *a = NULL, *b;

	while ((a = next_node(manifest, a)))
		for (b = next_node(manifest, a); b;
		     b = next_node(manifest, b)) {
			const struct policy_rule *rule =
				policy_conflict(manifest, a, b);

			if (rule)
				printf(format, name_of(a), name_of(b),
				       rule->name);
		}
}

void policy_refusals(const struct manifest *manifest)
{
	denials_print(manifest);
	conflicts_each(manifest, "never together: %s, %s: rule %s\n");
}

void policy_text(const struct manifest *manifest)
{
	const struct guest_manifest *guest = NULL;

	printf("guests:\n");
	while ((guest = next_node(manifest, guest)))
		printf("  %s, %u of them, label %s\n", name_of(guest),
		       guest->count ? guest->count : 1, guest_label(guest));
	printf("who has what:\n");
	objects_each(manifest, object_print);
	reach_print(manifest);
	policy_refusals(manifest);
}

/* ---- Graphviz ------------------------------------------------------------ */

static void dot_object(const struct manifest *manifest,
		       const struct policy_object *object)
{
	const struct policy_rule *rule = policy_rule_of(manifest, object);
	const struct guest_manifest *guest = NULL;
	char text[POLICY_TEXT_SIZE];

	policy_object_text(object, text);
	printf("\t\"%s\" [shape=%s];\n", text,
	       object->kind == POLICY_NETWORK || object->kind == POLICY_VSOCK
		       ? "ellipse"
		       : "note");
	while ((guest = next_node(manifest, guest))) {
		bool is_allowed =
			!rule || policy_lists(rule->allow, guest_label(guest));

		if (!has_object(guest, object))
			continue;
		printf("\t\"%s\" -- \"%s\" [label=\"%s\"%s];\n", name_of(guest),
		       text, rule ? rule->name : "",
		       is_allowed ? "" : ", style=dashed, color=red");
	}
}

void policy_dot(const struct manifest *manifest)
{
	const struct guest_manifest *guest = NULL;

	printf("graph policy {\n");
	while ((guest = next_node(manifest, guest)))
		printf("\t\"%s\" [shape=box, label=\"%s * %u\\n%s\"%s];\n",
		       name_of(guest), name_of(guest),
		       guest->count ? guest->count : 1, guest_label(guest),
		       is_denied(manifest, guest) ? ", style=dashed, color=red"
						  : "");
	objects_each(manifest, dot_object);
	conflicts_each(manifest, "\t\"%s\" -- \"%s\" [label=\"%s\", "
				 "style=dotted, color=red];\n");
	printf("}\n");
}
