/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns of two threads: turns.h. */
#define _GNU_SOURCE
#include "scripts/pace/turns.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 2
#define IDLE_MAX   4000
#define EXPORT	   __attribute__((visibility("default")))

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
	bool is_polling; /* the main loop is in ppoll() */
	bool is_idle;	 /* QEMU has said so since the state became HALTED */
	unsigned idle;	 /* polls since then */
	void (*at_rest)(void);
} turns = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

/* The main loop does not poll while it shuts QEMU down: then turns are over. */
static void wait_for_poll(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (!turns.is_polling)
		if (pthread_cond_timedwait(&turns.changed, &turns.lock,
					   &until)) {
			turns.is_over = true;
			turns.state = STATE_NONE;
			return;
		}
}

static void enter(enum state state)
{
	if (!turns.is_wanted)
		return;
	pthread_mutex_lock(&turns.lock);
	turns.state = turns.is_over ? STATE_NONE : state;
	turns.is_idle = false;
	turns.idle = 0;
	pthread_cond_broadcast(&turns.changed);
	if (turns.state == STATE_RUNNING)
		wait_for_poll();
	pthread_mutex_unlock(&turns.lock);
}

void turns_begin(void (*at_rest)(void))
{
	turns.at_rest = at_rest;
	turns.is_wanted = true;
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

static int take_turns(struct pollfd *fds, nfds_t count,
		      const struct timespec *timeout, const sigset_t *mask)
{
	bool is_pressing = is_zero(timeout);
	const struct timespec *most;
	int ready;

	pthread_mutex_lock(&turns.lock);
	turns.is_polling = true;
	pthread_cond_broadcast(&turns.changed);
	do {
		while (is_pressing && turns.state == STATE_RUNNING)
			pthread_cond_wait(&turns.changed, &turns.lock);
		most = limit(timeout);
		pthread_mutex_unlock(&turns.lock);
		ready = sys_poll(fds, count, most, mask);
		pthread_mutex_lock(&turns.lock);
		is_pressing |= ready > 0;
	} while (ready >= 0 && !is_main_loops_turn(ready, most));
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
