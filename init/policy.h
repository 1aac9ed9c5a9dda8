/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a manifest's policy says of its guests: docs/policy.md.  Pure code; init
 * asks before it makes a guest or a channel, and the tool shows who reaches
 * whom with the same answers.
 *
 * An object is what several guests can have: a network, an image, a drive's
 * contents, sockets between two of them, ports of the host's.  Type
 * enforcement: a rule that lists an object names the labels whose guests may
 * have it, and no others do.  Chinese Wall: of guests whose labels a rule lists
 * as conflicting those of one label are up.
 */
#ifndef BULKHEAD_INIT_POLICY_H
#define BULKHEAD_INIT_POLICY_H

#include "include/manifest.h"

/* Whose label clients of the control protocol have. */
#define POLICY_CONTROL "control"
/* What the host is called in a pair with a guest that has sockets to it: no
 * guest has that name. */
#define POLICY_HOST    "host"

enum policy_kind {
	POLICY_NETWORK,
	POLICY_IMAGE,
	POLICY_SOURCE,
	POLICY_VSOCK,
	POLICY_PORTS,
};

/* text is the manifest's, and so are ports. */
struct policy_object {
	enum policy_kind kind;
	const char *text;
	struct disk_source source;
	/* Two guests' names, in the order of strcmp(). */
	char pair[2][MANIFEST_NAME_SIZE];
	const uint32_t *ports; /* the first, how many */
};

#define POLICY_TEXT_SIZE 192

/* Of what a guest names the n-th; false: there is none any more. */
bool policy_object(const struct guest_manifest *guest, unsigned n,
		   struct policy_object *object);
/* The same of what a rule lists, all of which can be parsed. */
bool policy_listed(const struct policy_rule *rule, unsigned n,
		   struct policy_object *object);
/* Two names as "web:db", in either order.  False: they are not two. */
bool policy_pair_parse(struct policy_object *object, const char *text);
/* Ports are the same where they overlap. */
bool policy_is_same(const struct policy_object *a,
		    const struct policy_object *b);
/* As "network lan0", "vsock db:web", "ports 0x378 to 0x37a". */
void policy_object_text(const struct policy_object *object,
			char text[POLICY_TEXT_SIZE]);

const char *guest_label(const struct guest_manifest *guest);
/* The rule that lists it; NULL: none does. */
const struct policy_rule *policy_rule_of(const struct manifest *manifest,
					 const struct policy_object *object);
/* One of the texts of a rule's list. */
bool policy_lists(const char *list, const char *text);

/* Why guest must not have one of its objects; NULL: it may have all. */
const struct policy_rule *policy_denial(const struct manifest *manifest,
					const struct guest_manifest *guest,
					struct policy_object *object);
/* Why the two must not be up together; NULL: they may. */
const struct policy_rule *policy_conflict(const struct manifest *manifest,
					  const struct guest_manifest *a,
					  const struct guest_manifest *b);
/* Why no client of the control protocol may join or capture a network. */
const struct policy_rule *policy_control_denial(const struct manifest *manifest,
						const char *network);

#endif
