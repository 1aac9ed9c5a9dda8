/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of two threads: turns.h. */
#define _GNU_SOURCE
#include "scripts/pace/turns.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS	    (20 * 1000 * 1000)
#define ASLEEP_MAX  50 /* looks in a row */
#define PRESSES_MAX 64
#define IDLE_MAX    4000
#define EXPORT	    __attribute__((visibility("default")))

enum state {
	STATE_NONE, /* no turns: the CPU has not begun, or QEMU ends */
	STATE_STANDING,
	STATE_RUNNING,
	STATE_HALTED,
};

/* All but the state that the CPU's thread reads alone: under the lock. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic enum state state;
	bool is_wanted, is_over;
	bool is_polling;  /* the main loop is in ppoll() */
	bool is_owed;	  /* a pass to the main loop, before the CPU runs */
	unsigned presses; /* polls of that pass which said that more is to do */
	int poke;	  /* an eventfd that wakes it from ppoll() */
	bool is_idle;	  /* QEMU has said so since the state became HALTED */
	unsigned idle;	  /* polls since then */
	void (*at_rest)(void);
} turns = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

/* Sleeping, that is: one that only gets no processor is not. */
static bool is_main_asleep(void)
{
	char path[48], text[256] = "", *at;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	file = fopen(path, "r");
	if (!file)
		return false;
	(void)!fgets(text, sizeof(text), file);
	(void)fclose(file);
	at = strrchr(text, ')'); /* of its name, before the state */
	return at && at[1] == ' ' && at[2] == 'S';
}

/*
 * Under the lock.  The main loop does not poll while it shuts QEMU down, which
 * waits for the CPU's thread: where it sleeps elsewhere for long turns are
 * over.
 */
static void wait_until(bool (*is_met)(void))
{
	unsigned asleep = 0;

	while (!is_met() && !turns.is_over) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOOK_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (!pthread_cond_timedwait(&turns.changed, &turns.lock,
					    &until))
			continue;
		asleep = !turns.is_polling && is_main_asleep() ? asleep + 1 : 0;
		turns.is_over = asleep == ASLEEP_MAX;
	}
}

static bool is_polling(void)
{
	return turns.is_polling;
}

static bool has_had_its_pass(void)
{
	return !turns.is_owed;
}

/*
 * What the main loop has to do while the CPU stands, it does: whether it got to
 * that before the CPU was told to run on must not be seen.
 */
static void give_pass(void)
{
	uint64_t one = 1;

	turns.is_owed = true;
	turns.presses = 0;
	(void)!write(turns.poke, &one, sizeof(one));
	wait_until(has_had_its_pass);
	turns.is_owed = false;
}

static void enter(enum state state)
{
	if (!turns.is_wanted)
		return;
	pthread_mutex_lock(&turns.lock);
	if (state == STATE_RUNNING && turns.state == STATE_STANDING)
		give_pass();
	turns.state = turns.is_over ? STATE_NONE : state;
	turns.is_idle = false;
	turns.idle = 0;
	pthread_cond_broadcast(&turns.changed);
	if (turns.state == STATE_RUNNING)
		wait_until(is_polling);
	if (turns.is_over)
		turns.state = STATE_NONE;
	pthread_mutex_unlock(&turns.lock);
}

void turns_begin(void (*at_rest)(void))
{
	turns.at_rest = at_rest;
	turns.poke = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	turns.is_wanted = turns.poke >= 0;
}

void turns_end(void)
{
	turns.is_over = true;
	enter(STATE_NONE);
}

void turns_stand(void)
{
	enter(STATE_STANDING);
}

void turns_halt(void)
{
	enter(STATE_HALTED);
}

void turns_run(void)
{
	enter(STATE_RUNNING);
}

bool turns_is_halted(void)
{
	return turns.state == STATE_HALTED;
}

static int sys_poll(struct pollfd *fds, nfds_t count,
		    const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec copy;

	if (timeout)
		copy = *timeout; /* the kernel writes into it */
	return (int)syscall(SYS_ppoll, fds, count, timeout ? &copy : NULL, mask,
			    (size_t)8);
}

/* The same, which turns.poke wakes, too; it is not counted. */
static int poll_with_poke(struct pollfd *fds, nfds_t count,
			  const struct timespec *timeout, const sigset_t *mask)
{
	static struct pollfd *all;
	static nfds_t room;
	uint64_t pokes;
	int ready;

	if (room <= count) {
		struct pollfd *more = realloc(all, (count + 16) * sizeof(*all));

		if (!more) {
			errno = ENOMEM;
			return -1;
		}
		all = more;
		room = count + 16;
	}
	memcpy(all, fds, count * sizeof(*all));
	all[count] = (struct pollfd){ .fd = turns.poke, .events = POLLIN };
	ready = sys_poll(all, count + 1, timeout, mask);
	memcpy(fds, all, count * sizeof(*all));
	if (ready <= 0 || !all[count].revents)
		return ready;
	(void)!read(turns.poke, &pokes, sizeof(pokes));
	return ready - 1;
}

static bool is_resting(void)
{
	return turns.idle >= IDLE_MAX;
}

/*
 * What the main loop may wait for at most.  In HALTED QEMU wakes it for each
 * timer of the CPU's clock, and its timeout is about others: where nobody wakes
 * it for a second there is none.
 */
static const struct timespec *limit(const struct timespec *timeout)
{
	static const struct timespec zero, second = { .tv_sec = 1 };

	if (turns.is_owed)
		return &zero;
	if (turns.state == STATE_NONE || turns.state == STATE_STANDING)
		return timeout;
	if (turns.state == STATE_RUNNING || !turns.is_idle || is_resting())
		return NULL;
	return timeout ? &zero : &second;
}

static bool is_idle(int ready, const struct timespec *most)
{
	bool was_resting = is_resting();

	turns.is_idle |= ready > 0;
	if (turns.is_idle && !was_resting)
		turns.idle = !ready && most && most->tv_sec ? IDLE_MAX
							    : turns.idle + 1;
	if (is_resting() && !was_resting)
		turns.at_rest();
	return turns.is_idle;
}

/* Behind a poll with so many files: whether the main loop may go on. */
static bool is_main_loops_turn(int ready, const struct timespec *most)
{
	if (turns.state == STATE_HALTED)
		return is_idle(ready, most);
	return turns.state != STATE_RUNNING;
}

static bool is_zero(const struct timespec *timeout)
{
	return timeout && !timeout->tv_sec && !timeout->tv_nsec;
}

/* Behind a poll of the pass that it is owed: the same. */
static bool is_more_to_do(int ready, const struct timespec *timeout)
{
	bool is_more = ready > 0 || is_zero(timeout);

	if (!is_more || ++turns.presses == PRESSES_MAX) {
		turns.is_owed = false;
		pthread_cond_broadcast(&turns.changed);
	}
	return is_more;
}

static int take_turns(struct pollfd *fds, nfds_t count,
		      const struct timespec *timeout, const sigset_t *mask)
{
	bool is_pressing = is_zero(timeout), is_pass, goes_on;
	const struct timespec *most;
	int ready;

	pthread_mutex_lock(&turns.lock);
	turns.is_polling = true;
	pthread_cond_broadcast(&turns.changed);
	do {
		while (is_pressing && turns.state == STATE_RUNNING)
			pthread_cond_wait(&turns.changed, &turns.lock);
		is_pass = turns.is_owed;
		most = limit(timeout);
		pthread_mutex_unlock(&turns.lock);
		ready = poll_with_poke(fds, count, most, mask);
		pthread_mutex_lock(&turns.lock);
		is_pressing |= ready > 0;
		if (is_pass)
			goes_on = is_more_to_do(ready, timeout);
		else if (turns.is_owed && !ready) /* woken for it */
			goes_on = false;
		else
			goes_on = is_main_loops_turn(ready, most);
	} while (ready >= 0 && !goes_on);
	turns.is_polling = false;
	pthread_mutex_unlock(&turns.lock);
	return ready;
}

EXPORT int ppoll(struct pollfd *fds, nfds_t count,
		 const struct timespec *timeout, const sigset_t *mask);
EXPORT int ppoll(struct pollfd *fds, nfds_t count,
		 const struct timespec *timeout, const sigset_t *mask)
{
	if (syscall(SYS_gettid) != getpid())
		return sys_poll(fds, count, timeout, mask);
	return take_turns(fds, count, timeout, mask);
}

/* The same, as _FORTIFY_SOURCE calls it. */
EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count,
		       const struct timespec *timeout, const sigset_t *mask,
		       size_t length);
EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count,
		       const struct timespec *timeout, const sigset_t *mask,
		       size_t length)
{
	(void)length;
	return ppoll(fds, count, timeout, mask);
}
