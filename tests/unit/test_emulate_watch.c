/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who looks on: what a watcher is asked, when, and what it stops; the guest
 * sees nothing of it, its own debug registers work beside it.
 */
#include "tests/unit/emulate_test.h"

#define CALLS_MAX 16

static struct {
	unsigned befores, ports, vectors, accesses;
	uint64_t linear;
	enum emul_watch answer;
	struct {
		uint64_t linear;
		unsigned size;
		bool is_write;
	} access[CALLS_MAX];
	uint16_t port;
	unsigned port_size;
	unsigned vector;
	enum emul_event_type type;
	bool wants;
} seen;

static enum emul_watch before(void *ctx, uint64_t linear)
{
	(void)ctx;
	seen.befores++;
	seen.linear = linear;
	return seen.answer;
}

static bool access(void *ctx, uint64_t linear, unsigned size, bool is_write)
{
	unsigned n = seen.accesses++;

	(void)ctx;
	assert_true(n < CALLS_MAX);
	seen.access[n].linear = linear;
	seen.access[n].size = size;
	seen.access[n].is_write = is_write;
	return seen.wants;
}

static bool port(void *ctx, uint16_t n, unsigned size)
{
	(void)ctx;
	seen.ports++;
	seen.port = n;
	seen.port_size = size;
	return seen.wants;
}

static bool vector(void *ctx, unsigned n, enum emul_event_type type)
{
	(void)ctx;
	seen.vectors++;
	seen.vector = n;
	seen.type = type;
	return seen.wants;
}

static const struct emul_watcher watcher = {
	.before = before,
	.access = access,
	.port = port,
	.vector = vector,
};

static void watch(void)
{
	memset(&seen, 0, sizeof(seen));
	emul_watch(&pc.emul, &watcher);
}

static bool is_watched(void)
{
	return pc.emul.events & EMUL_EVENT_WATCHED;
}

/* ---- Instructions -------------------------------------------------------- */

static void before_each(void **state)
{
	(void)state;
	pc_long(0);
	watch();
	assert_int_equal(STEP(0x90), EMUL_OK);
	assert_false(is_watched());
	assert_int_equal(seen.befores, 1);
	assert_int_equal(seen.linear, CODE);
	/* Behind it: it has been executed. */
	seen.answer = EMUL_WATCH_AFTER;
	assert_int_equal(STEP(0x48, 0xff, 0xc0), EMUL_OK); /* inc rax */
	assert_true(is_watched());
	assert_int_equal(pc.state.gpr[X86_RAX], 1);
	/* In place of it: nothing of it. */
	seen.answer = EMUL_WATCH_BEFORE;
	assert_int_equal(STEP(0x48, 0xff, 0xc0), EMUL_RETRY);
	assert_true(is_watched());
	assert_int_equal(pc.state.gpr[X86_RAX], 1);
	assert_int_equal(pc.state.rip, CODE + 4);
	/* It is gone, and so is the slow way. */
	emul_watch(&pc.emul, NULL);
	assert_int_equal(STEP(0x48, 0xff, 0xc0), EMUL_OK);
	assert_false(is_watched());
	assert_int_equal(pc.state.gpr[X86_RAX], 2);
	assert_int_equal(seen.befores, 3);
	assert_false(pc.emul.may_break);
	assert_false(pc.emul.raise_software);
}

/* Linear, whatever CS is; 32 bits of it. */
static void before_real(void **state)
{
	(void)state;
	pc_real();
	watch();
	assert_int_equal(STEP(0x90), EMUL_OK);
	assert_int_equal(seen.linear, CODE);
	pc.state.rip = 0x123;
	assert_int_equal(STEP(0x90), EMUL_OK);
	assert_int_equal(seen.linear, CODE + 0x123);
}

/* An instruction that faults is not behind. */
static void before_fault(void **state)
{
	(void)state;
	pc_protected(3);
	watch();
	seen.answer = EMUL_WATCH_AFTER;
	assert_fault(STEP(0xf4), X86_VECTOR_GP, 0);
	assert_int_equal(pc.state.rip, CODE);
}

/* TF, RF and shadows are the guest's, and stay so. */
static void before_unseen(void **state)
{
	(void)state;
	pc_protected(0);
	watch();
	seen.answer = EMUL_WATCH_AFTER;
	pc.state.rflags |= X86_FLAG_TF;
	assert_int_equal(STEP(0x9c), EMUL_OK); /* pushf */
	assert_true(pc.emul.events & EMUL_EVENT_SINGLE_STEP);
	assert_int_equal(get(pc.state.gpr[X86_RSP], 4),
			 X86_FLAG_ONE | X86_FLAG_TF);
	pc.state.rflags &= ~X86_FLAG_TF;
	assert_int_equal(STEP(0xfb), EMUL_OK); /* sti */
	assert_int_equal(pc.state.interrupt_shadow, X86_SHADOW_STI);
	assert_int_equal(STEP(0x90), EMUL_OK);
	assert_int_equal(pc.state.interrupt_shadow, 0);
	assert_int_equal(pc.state.dr6, 0);
}

/* ---- Data ---------------------------------------------------------------- */

static void data(void **state)
{
	(void)state;
	pc_long(0);
	watch();
	seen.wants = true;
	pc.state.gpr[X86_RBX] = DATA;
	assert_int_equal(STEP(0x8b, 0x43, 4), EMUL_OK); /* mov eax,[rbx+4] */
	assert_true(is_watched());
	assert_int_equal(seen.accesses, 1);
	assert_int_equal(seen.access[0].linear, DATA + 4);
	assert_int_equal(seen.access[0].size, 4);
	assert_false(seen.access[0].is_write);
	assert_int_equal(STEP(0x66, 0x89, 0x03), EMUL_OK); /* mov [rbx],ax */
	assert_int_equal(seen.access[1].size, 2);
	assert_true(seen.access[1].is_write);
	assert_int_equal(STEP(0x53), EMUL_OK); /* push rbx */
	assert_true(is_watched());
	assert_int_equal(seen.access[2].linear, pc.state.gpr[X86_RSP]);
	seen.wants = false;
	assert_int_equal(STEP(0x8b, 0x43, 4), EMUL_OK);
	assert_false(is_watched());
}

/* Each item of a string is seen. */
static void strings(void **state)
{
	unsigned writes = 0;

	(void)state;
	pc_protected(0);
	watch();
	pc.state.gpr[X86_RCX] = 4;
	pc.state.gpr[X86_RDI] = DATA;
	while (pc.state.gpr[X86_RCX]) {
		pc.state.rip = CODE;
		assert_int_equal(STEP(0xf3, 0xaa), EMUL_OK); /* rep stosb */
	}
	for (unsigned i = 0; i < seen.accesses; i++) {
		assert_true(seen.access[i].is_write);
		assert_int_equal(seen.access[i].linear, DATA + writes);
		writes += seen.access[i].size;
	}
	assert_int_equal(writes, 4);
}

/* ---- Ports and vectors --------------------------------------------------- */

static void ports(void **state)
{
	(void)state;
	pc_protected(0);
	watch();
	assert_int_equal(STEP(0xe4, 0x61), EMUL_OK); /* in al,61h */
	assert_false(is_watched());
	assert_int_equal(seen.port, 0x61);
	assert_int_equal(seen.port_size, 1);
	seen.wants = true;
	pc.state.gpr[X86_RDX] = 0xcf8;
	assert_int_equal(STEP(0xef), EMUL_OK); /* out dx,eax */
	assert_true(is_watched());
	assert_int_equal(seen.port, 0xcf8);
	assert_int_equal(seen.port_size, 4);
	assert_int_equal(pc.port_count, 2);
}

static void vectors(void **state)
{
	struct emul_event ev = { .vector = 0x21, .type = EMUL_TYPE_EXTERNAL };

	(void)state;
	pc_protected(0);
	put(IDT + 8 * 0x30, gate(CODE0, HANDLER, 0x8e, 0), 8);
	put(IDT + 8 * 0x21, gate(CODE0, HANDLER + 8, 0x8e, 0), 8);
	watch();
	assert_int_equal(STEP(0xcd, 0x30), EMUL_OK);
	assert_false(is_watched());
	assert_int_equal(seen.vector, 0x30);
	assert_int_equal(seen.type, EMUL_TYPE_SOFTWARE);
	assert_int_equal(pc.state.rip, HANDLER);
	seen.wants = true;
	assert_int_equal(emul_deliver_event(&pc.emul, &ev), EMUL_OK);
	assert_true(is_watched());
	assert_int_equal(seen.vector, 0x21);
	assert_int_equal(seen.type, EMUL_TYPE_EXTERNAL);
	assert_int_equal(pc.state.rip, HANDLER + 8);
	assert_int_equal(seen.vectors, 2);
}

/* The guest's own breakpoint beside the watcher. */
static void beside_registers(void **state)
{
	(void)state;
	pc_protected(0);
	watch();
	pc.state.dr[0] = DATA;
	pc.state.dr7 = X86_DR7_ONE | 0x000d0002; /* 4 bytes, stores */
	pc.state.gpr[X86_RBX] = DATA;
	assert_int_equal(STEP(0x89, 0x03), EMUL_OK); /* mov [ebx],eax */
	assert_true(pc.emul.events & EMUL_EVENT_BREAKPOINT);
	assert_false(is_watched());
	emul_watch(&pc.emul, NULL);
	assert_int_equal(STEP(0x89, 0x03), EMUL_OK);
	assert_true(pc.emul.events & EMUL_EVENT_BREAKPOINT);
}

/* Only instructions: strings go by many items at once, and the guest's own
 * breakpoints at data still work. */
static void only_code(void **state)
{
	static const struct emul_watcher looker = { .before = before,
						    .vector = vector };

	(void)state;
	pc_protected(0);
	memset(&seen, 0, sizeof(seen));
	emul_watch(&pc.emul, &looker);
	pc.state.gpr[X86_RDI] = DATA;
	pc.state.gpr[X86_RCX] = 8;
	assert_int_equal(STEP(0xf3, 0xaa), EMUL_OK); /* rep stosb */
	assert_int_equal(pc.state.gpr[X86_RCX], 0);
	assert_int_equal(seen.befores, 1);
	assert_int_equal(seen.accesses, 0);
	pc.state.dr[0] = DATA;
	pc.state.dr7 = X86_DR7_ONE | 0x000d0002; /* 4 bytes, stores */
	pc.state.gpr[X86_RBX] = DATA;
	assert_int_equal(STEP(0x89, 0x03), EMUL_OK); /* mov [ebx],eax */
	assert_true(pc.emul.events & EMUL_EVENT_BREAKPOINT);
	pc.state.dr7 = X86_DR7_ONE;
	assert_int_equal(STEP(0x89, 0x03), EMUL_OK);
	assert_false(pc.emul.events & EMUL_EVENT_BREAKPOINT);
	assert_false(pc.emul.may_break_at_data);
	seen.answer = EMUL_WATCH_BEFORE;
	assert_int_equal(STEP(0x90), EMUL_RETRY);
	assert_int_equal(seen.befores, 4);
	/* Then one that wants to know of data again. */
	seen.answer = EMUL_WATCH_GO;
	emul_watch(&pc.emul, &watcher);
	assert_int_equal(STEP(0x89, 0x03), EMUL_OK);
	assert_int_equal(seen.accesses, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_each),
		cmocka_unit_test(before_real),
		cmocka_unit_test(before_fault),
		cmocka_unit_test(before_unseen),
		cmocka_unit_test(data),
		cmocka_unit_test(strings),
		cmocka_unit_test(ports),
		cmocka_unit_test(vectors),
		cmocka_unit_test(beside_registers),
		cmocka_unit_test(only_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
