/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch's end of its channel with init: ports come and go.
 */
#ifndef BULKHEAD_SERVICES_SWITCH_ADMIN_H
#define BULKHEAD_SERVICES_SWITCH_ADMIN_H

#include "services/switch/switch.h"

struct switch_admin_ops {
	/* What is attached in a slot; NULL: nothing. */
	struct switch_channel *(*channel)(void *ctx, unsigned slot);
	void (*detach)(void *ctx, unsigned slot);
	void (*doorbell)(void *ctx, unsigned slot);
};

struct switch_admin {
	const struct switch_admin_ops *ops;
	void *ctx;
	struct switch_core *core;
	struct ring in, out;
	/* An answer for which there was no room. */
	bool has_answer;
	bool is_broken; /* init makes no sense: nothing is read any more */
	struct switch_message answer;
};

void switch_admin_init(struct switch_admin *admin,
		       const struct switch_admin_ops *ops, void *ctx,
		       struct switch_core *core,
		       struct switch_control *control);
/* The channel's event has come. */
void switch_admin_run(struct switch_admin *admin);

#endif
