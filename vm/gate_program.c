/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gate calls that every program has; and the console, which is the monitor's
 * until a service has it.
 */
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

/* ---- Console and log --------------------------------------------------- */

#define CONSOLE_PIECE 128

/* Takes one piece at most, but waits until there is room for some of it. */
GATE_CALL(gate_console_write)
{
	struct vm *vm = vcpu_of(user)->vm;
	char piece[CONSOLE_PIECE];
	size_t length = MIN(c, sizeof(piece)), taken;

	if (a >= GATE_STREAM_COUNT || c > GATE_CONSOLE_MAX)
		return -EINVAL;
	if (copy_from_user(piece, (const char *)b, length))
		return -EFAULT;
	if (!length)
		return 0;
	for (;;) {
		taken = console_write(&this_host()->console, &vm->console,
				      piece, length);
		if (taken)
			return (long)taken;
		if (domain_is_stopping(user->domain))
			user_thread_exit(user);
		console_wait(&this_host()->console, &vm->console, user->thread);
	}
}

/* What cannot be copied stays; so it is copied before it is taken. */
GATE_CALL(gate_console_read)
{
	struct vm *vm = vcpu_of(user)->vm;
	uint64_t flags, n;
	bool was_full;
	int error;

	flags = spin_lock_irqsave(&vm->input_lock);
	was_full = vm->input_count == sizeof(vm->input);
	n = MIN(b, vm->input_count);
	error = copy_to_user((void *)a, vm->input, n);
	if (!error) {
		memmove(vm->input, vm->input + n, vm->input_count - n);
		vm->input_count -= (uint32_t)n;
	}
	spin_unlock_irqrestore(&vm->input_lock, flags);
	if (error)
		return -EFAULT;
	if (was_full && n)
		console_poll_input(&this_host()->console);
	return (long)n;
}

/* "[12345.123456] warning: [] ", the name, the text: one row. */
#define LOG_ROW_TEXT (TERMINAL_COLUMNS - 1 - 28)

/*
 * A terminal breaks what is longer than its rows, and what then begins one must
 * not be the machine's choice where others share it.
 */
static size_t log_row_length(const struct domain *domain)
{
	if (!console_is_shared(&this_host()->console))
		return GATE_LOG_MAX;
	return LOG_ROW_TEXT - strlen(domain->log.name);
}

static void log_rows(struct domain *domain, enum log_level level,
		     const char *text, size_t length)
{
	size_t columns = log_row_length(domain), at = 0;

	do {
		vlog_print(&domain->log, level, "%.*s", (int)columns,
			   text + at);
		at += columns;
	} while (at < length);
}

/* init's, which is believed: about the host, or about a domain. */
static int log_host(enum log_level level, const char *text, gate_id id)
{
	struct domain *domain = id ? domain_find(id) : NULL;

	if (id && !domain)
		return -ENOENT;
	if (!domain)
		log_print(level, "%s", text);
	else if (level == LOG_INFO)
		vlog_once(&domain->log, "%s", text);
	else
		vlog_print(&domain->log, level, "%s", text);
	if (domain)
		domain_put(domain);
	return 0;
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
	log_rows(user->domain, (enum log_level)a, text, c);
	return 0;
}
