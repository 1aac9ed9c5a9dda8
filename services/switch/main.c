/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service `switch`: virtual Ethernet between guests.  This file is the
 * gate's end of it: channels and the loop of events.
 *
 *	switch.c	ports, addresses, forwarding
 *	admin.c		init's messages
 *
 * Rights and resources: none but its channels: slot 0 init's, the others ports.
 */
#include "include/errno.h"
#include "lib/user/gate_calls.h"
#include "services/switch/admin.h"

struct service {
	struct switch_core core;
	struct switch_admin admin;
	uint64_t timer_ns; /* what the monitor was told */
};

/* The program's only instance; each program has its own data. */
static struct service service;

void program_main(unsigned thread);

/* ---- What core and admin stand on ---------------------------------------- */

static void doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	gate_doorbell(slot); /* -EPIPE: it has ended; init will say so */
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	gate_log(GATE_LOG_WARNING, "%s", text);
}

static const struct switch_ops switch_ops = {
	.doorbell = doorbell,
	.log = say,
};

static struct switch_channel *channel(void *ctx, unsigned slot)
{
	(void)ctx;
	if (gate_channel_state(slot) <= GATE_CHANNEL_NONE)
		return NULL;
	return gate_channel(slot);
}

static void detach(void *ctx, unsigned slot)
{
	(void)ctx;
	gate_channel_detach(slot);
}

static const struct switch_admin_ops admin_ops = {
	.channel = channel,
	.detach = detach,
	.doorbell = doorbell,
};

/* ---- The loop ------------------------------------------------------------ */

/* Until there are events, or at once. */
static uint64_t events_wait(uint64_t deadline_ns)
{
	uint64_t events;

	if (deadline_ns != service.timer_ns) {
		service.timer_ns = deadline_ns;
		gate_timer(deadline_ns);
	}
	events = gate_wait();
	if (events & BIT(GATE_EVENT_TIMER_BIT))
		service.timer_ns = UINT64_MAX;
	return events >> GATE_EVENT_CHANNEL_BIT(0);
}

static void begin(const struct switch_argument *argument)
{
	if (argument->version != SWITCH_VERSION ||
	    gate_channel_state(SWITCH_CONTROL_SLOT) <= GATE_CHANNEL_NONE) {
		gate_log(GATE_LOG_ERROR, "init is of another version");
		gate_exit(1);
	}
	service.timer_ns = UINT64_MAX;
	switch_init(&service.core, &switch_ops, NULL);
	service.core.base_ns = gate_host_ns() - gate_now_ns();
	switch_admin_init(&service.admin, &admin_ops, NULL, &service.core,
			  gate_channel(SWITCH_CONTROL_SLOT));
}

void program_main(unsigned thread)
{
	uint64_t channels = BIT(SWITCH_CONTROL_SLOT);

	(void)thread;
	begin(gate_argument());
	for (;;) {
		if (channels & BIT(SWITCH_CONTROL_SLOT))
			switch_admin_run(&service.admin);
		switch_events(&service.core, channels);
		switch_run(&service.core, gate_now_ns());
		channels = events_wait(switch_deadline(&service.core));
	}
}
