/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of two vCPUs and a piece of memory for the tests of the GDB remote
 * protocol, and what a debugger says to it.
 */
#ifndef BULKHEAD_TESTS_GDB_TEST_H
#define BULKHEAD_TESTS_GDB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/errno.h"
#include "machine/gdb.h"

#define VCPUS	    2
#define MEMORY	    0x10000UL /* linear; physical: at 0 */
#define MEMORY_SIZE 0x3000UL
/* Of a full queue of packets. */
#define ANSWER_MAX  (GDB_INPUT_MAX / 5 * (size_t)GDB_OUTPUT_MAX)

static struct target {
	struct gdb gdb;
	struct x86_state state[VCPUS];
	struct x86_xstate xstate[VCPUS];
	uint8_t memory[MEMORY_SIZE];
	bool is_running;
	uint32_t run, step; /* of the last resume */
	unsigned resumes, interrupts, resets, closes, powers;
	/* The last breakpoint or catch, and how many calls. */
	unsigned breaks, catches;
	unsigned kind;
	uint64_t address, length;
	bool is_set;
	int error; /* of those two */
	char answer[ANSWER_MAX + 1];
	size_t answer_length;
} target;

static void check_stands(unsigned vcpu)
{
	assert_false(target.is_running);
	assert_true(vcpu < VCPUS);
}

static struct x86_state *op_state(void *ctx, unsigned vcpu)
{
	assert_ptr_equal(ctx, &target);
	check_stands(vcpu);
	return &target.state[vcpu];
}

static struct x86_xstate *op_xstate(void *ctx, unsigned vcpu)
{
	assert_ptr_equal(ctx, &target);
	check_stands(vcpu);
	return &target.xstate[vcpu];
}

static size_t op_memory(void *ctx, unsigned vcpu, uint64_t address,
			bool is_physical, void *data, size_t size,
			bool is_write)
{
	uint64_t offset = is_physical ? address : address - MEMORY;
	size_t n;

	assert_ptr_equal(ctx, &target);
	check_stands(vcpu);
	if (offset >= MEMORY_SIZE)
		return 0;
	n = MIN(size, MEMORY_SIZE - offset);
	if (is_write)
		memcpy(target.memory + offset, data, n);
	else
		memcpy(data, target.memory + offset, n);
	return n;
}

static void op_resume(void *ctx, uint32_t run, uint32_t step)
{
	(void)ctx;
	check_stands(0);
	assert_true(run);
	assert_false(run & ~(uint32_t)(BIT(VCPUS) - 1));
	assert_false(step & ~run);
	target.run = run;
	target.step = step;
	target.resumes++;
	target.is_running = true;
}

static void op_interrupt(void *ctx)
{
	(void)ctx;
	target.interrupts++;
}

static int op_breakpoint(void *ctx, enum gdb_breakpoint kind, uint64_t address,
			 uint64_t length, bool is_set)
{
	(void)ctx;
	check_stands(0);
	assert_true(kind < GDB_BREAKPOINT_KINDS);
	target.kind = kind;
	target.address = address;
	target.length = length;
	target.is_set = is_set;
	target.breaks++;
	return target.error;
}

static int op_catch(void *ctx, enum gdb_catch what, uint32_t number,
		    bool is_set)
{
	(void)ctx;
	assert_true(what < GDB_CATCHES);
	target.kind = what;
	target.address = number;
	target.is_set = is_set;
	target.catches++;
	return target.error;
}

static void op_reset(void *ctx)
{
	(void)ctx;
	check_stands(0);
	target.resets++;
}

static void op_closed(void *ctx, bool takes_power)
{
	(void)ctx;
	target.closes++;
	target.powers += takes_power;
	target.is_running = true;
}

static const struct gdb_ops target_ops = {
	.state = op_state,
	.xstate = op_xstate,
	.memory = op_memory,
	.resume = op_resume,
	.interrupt = op_interrupt,
	.breakpoint = op_breakpoint,
	.catch_event = op_catch,
	.reset = op_reset,
	.closed = op_closed,
};

/* ---- States to stop in --------------------------------------------------- */

static inline void state_real(struct x86_state *state)
{
	memset(state, 0, sizeof(*state));
	state->rflags = X86_FLAG_ONE;
	state->cr0 = X86_CR0_ET;
	state->seg[X86_CS].selector = 0x7c0;
	state->seg[X86_CS].base = 0x7c00;
	state->rip = 5;
}

static inline void state_long(struct x86_state *state)
{
	memset(state, 0, sizeof(*state));
	state->rflags = X86_FLAG_ONE | X86_FLAG_IF;
	state->cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_ET;
	state->cr4 = X86_CR4_PAE;
	state->efer = X86_EFER_LME | X86_EFER_LMA;
	state->seg[X86_CS].selector = 0x10;
	state->seg[X86_CS].attributes = X86_ATTR_L;
	state->rip = 0xffffffff81000000;
	for (unsigned i = 0; i < X86_GPR_COUNT; i++)
		state->gpr[i] = 0x1111111111111111ULL * i;
}

/* ---- The debugger -------------------------------------------------------- */

static inline void stop_now(struct gdb_stop stop)
{
	target.is_running = false;
	gdb_stopped(&target.gdb, &stop);
}

static inline void target_open(void (*set)(struct x86_state *state))
{
	memset(&target, 0, offsetof(struct target, answer));
	for (unsigned i = 0; i < VCPUS; i++)
		set(&target.state[i]);
	for (size_t i = 0; i < MEMORY_SIZE; i++)
		target.memory[i] = (uint8_t)(i * 7);
	target.is_running = true;
	gdb_init(&target.gdb, &target_ops, &target, VCPUS);
	gdb_open(&target.gdb);
	stop_now((struct gdb_stop){ .kind = GDB_STOP_INTERRUPT });
}

/* All there is, in pieces as small as a channel may have. */
static inline const char *take(void)
{
	size_t n;

	target.answer_length = 0;
	do {
		n = gdb_output(&target.gdb,
			       target.answer + target.answer_length, 7);
		target.answer_length += n;
		assert_true(target.answer_length < ANSWER_MAX - 7);
	} while (n);
	target.answer[target.answer_length] = 0;
	return target.answer;
}

static inline void say_raw(const char *bytes)
{
	gdb_input(&target.gdb, bytes, strlen(bytes));
}

static inline size_t frame(char *to, const char *packet, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += (uint8_t)packet[i];
	to[0] = '$';
	memcpy(to + 1, packet, length);
	sprintf(to + 1 + length, "#%02x", sum);
	return length + 4;
}

static inline void say_bytes(const char *packet, size_t length)
{
	char buffer[3 * GDB_PACKET_MAX];

	assert_true(length + 8 < sizeof(buffer));
	gdb_input(&target.gdb, buffer, frame(buffer, packet, length));
}

static inline void say_packet(const char *packet)
{
	say_bytes(packet, strlen(packet));
}

/* What it says as `+$answer#xx`, the frame taken off. */
static inline const char *ask(const char *packet)
{
	static char inner[ANSWER_MAX + 1];
	const char *answer;
	size_t length;

	say_packet(packet);
	answer = take();
	if (target.gdb.has_acks || *answer == '+') {
		assert_int_equal(*answer, '+');
		answer++;
	}
	length = strlen(answer);
	assert_true(length >= 4);
	assert_int_equal(answer[0], '$');
	assert_int_equal(answer[length - 3], '#');
	memcpy(inner, answer + 1, length - 4);
	inner[length - 4] = 0;
	return inner;
}

#endif
