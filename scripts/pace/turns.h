/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's main loop and the thread of its one CPU take turns.
 *
 * With -icount sleep=off the main loop moves the clock on when the CPU is
 * halted. It looks for that whenever it wakes, and the CPU's thread says that
 * it has halted before it has written down how many instructions it had run: a
 * main loop that happens to wake in between reckons with an old clock, and the
 * run is another one (seen in 7.2). Here the main loop comes back from its
 * poll only while the CPU stands or has halted for good, and until it polls
 * again the CPU waits:
 *
 *	   turns_stand()            turns_halt()
 *	.---------------- RUNNING ----------------.
 *	v                  ^  ^                   v
 *	STANDING --turns_run()  turns_run()-- HALTED
 *
 * Before the CPU leaves STANDING the main loop has had a pass over all that
 * was waiting for it: a host that has switched itself off, say, ends where it
 * next stands, not at some later stop.
 *
 * In HALTED the main loop waits for QEMU's own word that the CPU is idle,
 * which comes behind the writing down. Then all its timeouts are 0: the next
 * timer is due at once. When so many timers that the clock has gone on for
 * minutes have woken nobody the host is at rest: the main loop waits for what
 * comes from outside, and the clock stands.
 *
 * No turn ends because the machine below is busy: the main loop is given up
 * where its thread sleeps elsewhere, as it does when QEMU ends, not where it
 * gets no processor.
 *
 * The same object is preloaded, for its ppoll(), and a plugin.
 */
#ifndef SCRIPTS_PACE_TURNS_H
#define SCRIPTS_PACE_TURNS_H

#include <stdbool.h>

/* at_rest() is called in the main loop, each time that the host comes to rest.
 */
void turns_begin(void (*at_rest)(void));
void turns_end(void);

/* Of the CPU's thread. */
void turns_stand(void);
void turns_halt(void);
void turns_run(void);
bool turns_is_halted(void);

#endif
