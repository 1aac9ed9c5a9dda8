/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who reaches whom on a host, by its manifest and the policy in it, as init
 * enforces it.  Copies of one node, which are all alike, are shown once.
 */
#ifndef BULKHEAD_SCRIPTS_MANIFEST_POLICY_H
#define BULKHEAD_SCRIPTS_MANIFEST_POLICY_H

#include "include/manifest.h"

/* To the standard output; the manifest is right. */
void policy_text(const struct manifest *manifest);
/* Of that who is refused, and who is never up with whom. */
void policy_refusals(const struct manifest *manifest);
/* The same as a graph for Graphviz. */
void policy_dot(const struct manifest *manifest);

#endif
