/* SPDX-License-Identifier: BSD-2-Clause */
/* init's messages: include/switch.h. */
#include "services/switch/admin.h"

#include "lib/string.h"

void switch_admin_init(struct switch_admin *admin,
		       const struct switch_admin_ops *ops, void *ctx,
		       struct switch_core *core, struct switch_control *control)
{
	memset(admin, 0, sizeof(*admin));
	admin->ops = ops;
	admin->ctx = ctx;
	admin->core = core;
	ring_init(&admin->in, &control->to_switch, control->to_switch_data,
		  SWITCH_CONTROL_SIZE, false, true);
	ring_init(&admin->out, &control->from_switch, control->from_switch_data,
		  SWITCH_CONTROL_SIZE, true, true);
}

static void broken(struct switch_admin *admin, const char *why)
{
	admin->is_broken = true;
	admin->core->ops->log(admin->core->ctx, why);
}

static void add(struct switch_admin *admin, struct switch_message *message)
{
	struct switch_channel *channel;

	if (message->slot >= SWITCH_SLOTS || !message->slot) {
		broken(admin, "init: a port that cannot be");
		return;
	}
	channel = admin->ops->channel(admin->ctx, message->slot);
	if (!channel || switch_add(admin->core, message, channel))
		broken(admin, "init: a port that makes no sense");
}

static void remove(struct switch_admin *admin,
		   const struct switch_message *message)
{
	if (message->slot >= SWITCH_SLOTS || !message->slot) {
		broken(admin, "init: no port is there");
		return;
	}
	admin->answer = (struct switch_message){ .kind = SWITCH_REMOVED,
						 .slot = message->slot };
	admin->has_answer = true;
	switch_remove(admin->core, message->slot, &admin->answer.counters);
	admin->ops->detach(admin->ctx, message->slot);
}

/* False: there is no room yet; init rings when there is. */
static bool answer(struct switch_admin *admin, bool *bell)
{
	long n;

	if (!admin->has_answer)
		return true;
	do {
		n = ring_put(&admin->out, &admin->answer, sizeof(admin->answer),
			     bell);
	} while (!n && !ring_sleep(&admin->out));
	if (n < 0)
		broken(admin, "init breaks its ring");
	admin->has_answer = n == 0;
	return n > 0;
}

static void hear(struct switch_admin *admin, struct switch_message *message)
{
	switch (message->kind) {
	case SWITCH_ADD:
		add(admin, message);
		break;
	case SWITCH_REMOVE:
		remove(admin, message);
		break;
	default:
		broken(admin, "init says what nobody understands");
	}
}

void switch_admin_run(struct switch_admin *admin)
{
	struct switch_message message;
	bool bell = false;
	long n;

	while (!admin->is_broken && answer(admin, &bell)) {
		n = ring_get(&admin->in, &message, sizeof(message), &bell);
		if (n == (long)sizeof(message))
			hear(admin, &message);
		else if (n)
			broken(admin, "init breaks its ring");
		else if (ring_sleep(&admin->in))
			break;
	}
	if (bell)
		admin->ops->doorbell(admin->ctx, SWITCH_CONTROL_SLOT);
}
