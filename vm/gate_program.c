/* SPDX-License-Identifier: BSD-2-Clause */
/* Gate calls that every program has. */
#include "include/errno.h"
#include "kernel/cpu.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "lib/string.h"
#include "vm/channel.h"
#include "vm/gate.h"
#include "vm/vm.h"

/* ---- Waiting and events -------------------------------------------------- */

static uint64_t events_take(struct user_thread *user)
{
	if (user->vcpu)
		return 0;
	return __atomic_exchange_n(&user->events, 0, __ATOMIC_SEQ_CST);
}

GATE_CALL(gate_wait)
{
	uint64_t events = events_take(user);

	if (!events) {
		thread_block();
		events = events_take(user);
	}
	if (domain_is_stopping(user->domain))
		user_thread_exit(user);
	return (long)events;
}

GATE_CALL(gate_wake)
{
	struct domain *domain = user->domain;

	if (a >= domain->thread_count)
		return -EINVAL;
	thread_wake(domain->thread[index_nospec(a, GATE_THREADS_MAX)]->thread);
	return 0;
}

GATE_CALL(gate_yield)
{
	const struct domain *domain = user->domain;

	if (a && a <= domain->thread_count)
		sched_yield_to(
			domain->thread[index_nospec(a - 1, GATE_THREADS_MAX)]
				->thread);
	else
		sched_yield();
	return 0;
}

GATE_CALL(gate_timer)
{
	struct domain *domain = user->domain;

	if (a == UINT64_MAX)
		timer_cancel(&domain->timer);
	else
		timer_arm(&domain->timer, domain_deadline_tsc(domain, a));
	return 0;
}

GATE_CALL(gate_event_route)
{
	struct domain *domain = user->domain;

	if (a >= GATE_EVENT_COUNT || b >= domain->thread_count)
		return -EINVAL;
	__atomic_store_n(&domain->route[index_nospec(a, GATE_EVENT_COUNT)],
			 (uint8_t)b, __ATOMIC_RELAXED);
	return 0;
}

GATE_CALL(gate_exit)
{
	domain_end(user->domain, GATE_END_EXIT, a, user->id);
	user_thread_exit(user);
}

/* ---- Channels ------------------------------------------------------------ */

GATE_CALL(gate_doorbell)
{
	return channel_doorbell(user, (unsigned)MIN(a, GATE_CHANNELS_MAX));
}

GATE_CALL(gate_channel_state)
{
	if (a >= GATE_CHANNELS_MAX)
		return -EINVAL;
	return channel_state(user->domain,
			     (unsigned)index_nospec(a, GATE_CHANNELS_MAX));
}

GATE_CALL(gate_channel_detach)
{
	return channel_detach(user->domain,
			      (unsigned)MIN(a, GATE_CHANNELS_MAX));
}

/* ---- The log ------------------------------------------------------------- */

/* init's, which is believed: about the host, or about a domain. */
static int log_host(enum log_level level, const char *text, gate_id id)
{
	struct domain *domain = domain_find(id);

	if (!id)
		log_print(level, "%s", text);
	if (!domain)
		return id ? -ENOENT : 0;
	vlog_once(&domain->log, level, "%s", text);
	return domain_put_after(domain, 0);
}

GATE_CALL(gate_log)
{
	char text[GATE_LOG_MAX + 1];

	if (a > LOG_DEBUG || c > GATE_LOG_MAX)
		return -EINVAL;
	if (copy_from_user(text, (const void *)b, c))
		return -EFAULT;
	for (uint64_t i = 0; i < c; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '.';
	text[c] = 0;
	if (user->domain->spec.rights & GATE_RIGHT_HOST)
		return log_host((enum log_level)a, text, d);
	vlog_print(&user->domain->log, (enum log_level)a, "%s", text);
	return 0;
}
