/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest's policy, enforced: a guest that it denies something is not
 * made, so that none of its channels is, and a client's port is not opened.
 * What is refused is in the log, with the rule.
 */
#include "init/init.h"
#include "init/policy.h"

/* Anything of it is there, or will be without being asked for. */
static bool is_up(const struct guest *guest)
{
	return guest->state != GUEST_STOPPED || guest->id;
}

static bool is_denied(const struct init *init, const struct guest_manifest *m)
{
	const struct policy_rule *rule;
	char text[POLICY_TEXT_SIZE];
	struct policy_object object;

	rule = policy_denial(init->manifest, m, &object);
	if (!rule)
		return false;
	policy_object_text(&object, text);
	init_log(init, 0, LOG_ERROR,
		 "policy: guest %s is refused: rule %s does not allow %s to "
		 "label %s",
		 m->name, rule->name, text, guest_label(m));
	return true;
}

bool permit_guest(const struct init *init, const struct guest *guest)
{
	const struct guest_manifest *m = guest->manifest;

	if (is_denied(init, m))
		return false;
	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		const struct guest *other = &init->guest[i];
		const struct policy_rule *rule;

		if (other == guest || !other->manifest || !is_up(other))
			continue;
		rule = policy_conflict(init->manifest, m, other->manifest);
		if (!rule)
			continue;
		init_log(init, 0, LOG_ERROR,
			 "policy: guest %s is refused: rule %s: it conflicts "
			 "with %s, which is %s",
			 m->name, rule->name, other->manifest->name,
			 guest_state_text(other));
		return false;
	}
	return true;
}

bool permit_client(const struct init *init, const char *network)
{
	const struct policy_rule *rule =
		policy_control_denial(init->manifest, network);

	if (rule)
		init_log(init, 0, LOG_ERROR,
			 "policy: a client is refused: rule %s does not allow "
			 "network %s to label " POLICY_CONTROL,
			 rule->name, network);
	return !rule;
}
