/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debugger and a guest of one vCPU, all that lies between them being the
 * machine's own: the GDB remote protocol, the debugger, the emulator.  The test
 * is the gate and the board.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/errno.h"
#include "lib/user/gate_calls.h"
#include "machine/machine.h"

#define RAM_SIZE 0x10000UL
#define CODE	 0x7c00UL
#define HANDLER	 0x9000UL
#define DATA	 0x8000UL

/* clang-format off */
static const uint8_t program[] = {
	0xb8, 0x34, 0x12,	/* 7c00 mov ax,1234h */
	0xa3, 0x00, 0x80,	/* 7c03 mov [8000h],ax */
	0xcd, 0x10,		/* 7c06 int 10h */
	0xe6, 0x80,		/* 7c08 out 80h,al */
	0x0f, 0x0b,		/* 7c0a ud2 */
	0xf4,			/* 7c0c hlt */
	0xeb, 0xf1,		/* 7c0d jmp 7c00h */
};
static const uint8_t handler[] = {
	0x43,			/* 9000 inc bx */
	0xcf,			/* 9001 iret */
};
/* #UD's: past it */
static const uint8_t undefined[] = {
	0x5a,			/* 9100 pop dx */
	0x42, 0x42,		/* 9101 inc dx, twice */
	0x52,			/* 9103 push dx */
	0xcf,			/* 9104 iret */
};
/* clang-format on */

static struct {
	uint8_t ram[RAM_SIZE];
	struct machine machine;
	struct machine_config config;
	struct gate_config gate;
	struct machine_vcpu vcpu;
	unsigned ports, loads, resets;
	bool must_serve; /* a wake-up may have been taken by something else */
	jmp_buf left;
	const char *const *script; /* packets, in order; NULL ends */
	char answer[4096];	   /* to the last of them */
	bool has_power;
	uint32_t interrupt; /* GATE_RUN_*, when it is let in */
} bench;

static struct gate_page page;
static const char *const no_script[] = { NULL };

/* ---- The gate ------------------------------------------------------------ */

uint64_t gate_wait(void)
{
	assert_false(bench.must_serve);
	/* Nothing more is said: the guest stands until it is. */
	if (!*bench.script)
		longjmp(bench.left, 1);
	return 0;
}

void gate_yield(void)
{
}

long gate_wake(unsigned thread)
{
	(void)thread;
	return 0;
}

long gate_kick(unsigned vcpu)
{
	(void)vcpu;
	return 0;
}

void gate_state_load(uint32_t groups)
{
	bench.loads++;
	page.state.valid |= groups;
}

long gate_call(enum gate_call call, uint64_t a, uint64_t b, uint64_t c)
{
	(void)call;
	(void)a;
	(void)b;
	(void)c;
	return -ENOENT;
}

int machine_hyperv_read(struct machine_vcpu *vcpu, uint32_t msr,
			uint64_t *value)
{
	(void)vcpu;
	(void)msr;
	(void)value;
	return -ENOENT;
}

int machine_hyperv_write(struct machine_vcpu *vcpu, uint32_t msr,
			 uint64_t value)
{
	(void)vcpu;
	(void)msr;
	(void)value;
	return -ENOENT;
}

int machine_kvm_read(struct machine_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	return machine_hyperv_read(vcpu, msr, value);
}

int machine_kvm_write(struct machine_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	return machine_hyperv_write(vcpu, msr, value);
}

void machine_kvm_call(struct machine_vcpu *vcpu)
{
	(void)vcpu;
	abort();
}

enum emul_status machine_hyperv_call(struct machine_vcpu *vcpu)
{
	(void)vcpu;
	abort();
}

uint32_t gate_apic_read(uint32_t offset)
{
	(void)offset;
	return 0;
}

void gate_apic_write(uint32_t offset, uint32_t value)
{
	(void)offset;
	(void)value;
}

void gate_exit(uint64_t code)
{
	(void)code;
	abort();
}

void gate_log(unsigned level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static void power_off(void *ctx)
{
	(void)ctx;
	bench.has_power = false;
}

const struct board_host_ops machine_host_ops = { .power_off = power_off };

/* machine/main.c's, which the test is in place of */
void machine_reset(struct machine_vcpu *vcpu)
{
	bench.resets++;
	/* Other vCPUs' threads are waited for. */
	bench.must_serve = true;
	page.state.rip = 0;
	machine_debug_was_reset(vcpu->machine);
}

void machine_unlock_extint(struct machine_vcpu *vcpu)
{
	(void)vcpu;
	abort();
}

/* ---- The board ----------------------------------------------------------- */

static void *ram_at(void *board, gpa_t gpa, size_t length, bool write)
{
	(void)board;
	(void)write;
	return gpa + length <= RAM_SIZE ? bench.ram + gpa : NULL;
}

static void port_access(void *board, struct io_access *io)
{
	(void)board;
	(void)io;
	bench.ports++;
}

static const struct board_ops board_ops = {
	.ram_at = ram_at,
	.port_access = port_access,
};
static const struct board board = { .ops = &board_ops };

/* ---- The debugger -------------------------------------------------------- */

static void take_answer(void)
{
	char piece[512];
	size_t n, length = 0;

	while ((n = machine_debug_output(&bench.machine, piece,
					 sizeof(piece)))) {
		assert_true(length + n < sizeof(bench.answer));
		memcpy(bench.answer + length, piece, n);
		length += n;
	}
	if (length)
		bench.answer[length] = 0;
}

static void say(const char *packet)
{
	char frame[256];
	uint8_t sum = 0;

	for (size_t i = 0; packet[i]; i++)
		sum += (uint8_t)packet[i];
	sprintf(frame, "$%s#%02x", packet, sum);
	machine_debug_input(&bench.machine, frame, strlen(frame));
	take_answer();
}

static bool serve(struct machine_vcpu *vcpu)
{
	(void)vcpu;
	bench.must_serve = false;
	take_answer();
	if (*bench.script)
		say(*bench.script++);
	return *bench.script;
}

/* ---- The guest ----------------------------------------------------------- */

static bool lets_in(void)
{
	return page.halt || ((page.state.rflags & X86_FLAG_IF) &&
			     !page.state.interrupt_shadow);
}

/* GATE_RESUME of a vCPU that is emulated, but for what waits to be injected. */
static void resume(void)
{
	page.exit = GATE_EXIT_EMULATE_RUN;
	page.run.count = 64;
	page.run.event = 0;
	page.state.dirty = 0;
	if (page.inject.is_valid)
		page.run.event = GATE_RUN_VALID | page.inject.vector |
				 FIELD_PUT(GATE_RUN_TYPE, EMUL_TYPE_EXCEPTION);
	else if (bench.interrupt && lets_in())
		page.run.event = bench.interrupt;
	page.inject.is_valid = false;
	if (page.run.event == bench.interrupt)
		bench.interrupt = 0;
}

/* Left in the middle when the script has come to its end. */
static void stop(void)
{
	struct rendezvous *rendezvous = &bench.machine.rendezvous;

	if (!rendezvous->owner) {
		rendezvous_begin(rendezvous, 0);
		(void)rendezvous_take_wishes(rendezvous);
	}
	if (setjmp(bench.left))
		return;
	machine_debug_hold(&bench.vcpu);
	rendezvous_end(rendezvous);
}

/* The guest, until it stands and nothing more is said; or waits in HLT. */
static void run(const char *const *script)
{
	struct rendezvous *rendezvous = &bench.machine.rendezvous;
	bool is_standing = false;

	bench.script = script;
	for (unsigned i = 0; i < 100 && !is_standing; i++) {
		if (rendezvous_is_wanted(rendezvous)) {
			stop();
			is_standing = rendezvous->owner;
			continue;
		}
		if (!page.is_emulated || (page.halt && !bench.interrupt))
			break;
		resume();
		page.halt = false;
		machine_emulate_run(&bench.vcpu);
	}
	assert_null(*bench.script);
	bench.script = no_script;
}

/* What was answered last, the text between $ and #. */
static void answer_is(const char *text)
{
	const char *at = strrchr(bench.answer, '$');

	assert_non_null(at);
	assert_int_equal(strncmp(at + 1, text, strlen(text)), 0);
	assert_int_equal(at[1 + strlen(text)], '#');
}

#define RUN(...)                                                        \
	do {                                                            \
		const char *const run_script[] = { __VA_ARGS__, NULL }; \
		run(run_script);                                        \
	} while (0)

static int setup(void **state)
{
	struct machine *machine = &bench.machine;
	struct x86_state *s = &page.state;

	(void)state;
	memset(&bench, 0, sizeof(bench));
	memset(&page, 0, sizeof(page));
	memcpy(bench.ram + CODE, program, sizeof(program));
	memcpy(bench.ram + HANDLER, handler, sizeof(handler));
	memcpy(bench.ram + HANDLER + 0x100, undefined, sizeof(undefined));
	memcpy(bench.ram + 4 * 0x10, &(uint32_t){ HANDLER }, 4);
	memcpy(bench.ram + 4 * 0x21, &(uint32_t){ HANDLER }, 4);
	memcpy(bench.ram + 4 * 6, &(uint32_t){ HANDLER + 0x100 }, 4);
	bench.config.vcpu_count = 1;
	bench.gate.physical_bits = 36;
	bench.has_power = true;
	machine->config = &bench.config;
	machine->gate = &bench.gate;
	machine->board = &board;
	machine->rendezvous.count = 1;
	machine->vcpu[0] = &bench.vcpu;
	machine_debug_init(machine);
	machine->debug.serve = serve;
	bench.vcpu.machine = machine;
	bench.vcpu.page = &page;
	bench.vcpu.apic_gpa = 0xfee00000;
	emul_init(&bench.vcpu.emul, s, &machine_emul_ops, &bench.vcpu);
	s->rflags = X86_FLAG_ONE;
	s->cr0 = X86_CR0_ET;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		s->seg[i] = (struct x86_segment){ .attributes = 0x93,
						  .limit = 0xffff };
	s->gpr[X86_RSP] = 0x7000;
	s->seg[X86_CS].selector = 0x700;
	s->seg[X86_CS].base = 0x7000;
	s->rip = CODE - 0x7000;
	s->idtr.limit = 0x3ff;
	machine_debug_input(machine, NULL, 0);
	assert_true(rendezvous_is_wanted(&machine->rendezvous));
	return 0;
}

/* ---- Tests --------------------------------------------------------------- */

/* Linear, whatever CS:IP is; the guest has not executed it. */
static void breakpoint(void **state)
{
	uint8_t before[RAM_SIZE];

	(void)state;
	memcpy(before, bench.ram, RAM_SIZE);
	RUN("qSupported:swbreak+", "p8");
	answer_is("007c0000");
	RUN("Z0,7c03,1", "m7c00,6");
	answer_is("b83412a30080");
	RUN("c");
	answer_is("T05thread:1;swbreak:;");
	RUN("p8");
	answer_is("037c0000");
	assert_int_equal(page.state.gpr[X86_RAX], 0x1234);
	/* It is nowhere to be seen, not even by the guest. */
	assert_memory_equal(before, bench.ram, RAM_SIZE);
	assert_int_equal(page.state.dr7, 0);
	/* From there it goes on, and comes by again. */
	bench.interrupt = GATE_RUN_VALID | 0x21;
	RUN("c");
	answer_is("T05thread:1;swbreak:;");
	assert_int_equal(bench.ram[DATA], 0x34);
	assert_int_equal(bench.ports, 1);
}

static void steps(void **state)
{
	static const uint16_t at[] = { 0x7c03, 0x7c06, 0x9000, 0x9001,
				       0x7c08, 0x7c0a, 0x9100, 0x9101,
				       0x9102, 0x9103, 0x9104, 0x7c0c };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		RUN("vCont;s:1");
		answer_is("T05thread:1;");
		assert_int_equal(gdb_pc(&page.state), at[i]);
	}
	assert_int_equal(page.state.gpr[X86_RBX], 1);
	assert_int_equal(page.state.rflags & X86_FLAG_TF, 0);
}

/* It waits in HLT, as on any processor, until an interrupt has come. */
static void step_over_hlt(void **state)
{
	(void)state;
	RUN("P8=0c7c0000");
	page.state.rflags |= X86_FLAG_IF;
	RUN("s");
	answer_is("T05thread:1;");
	assert_true(page.halt);
	RUN("s");
	assert_int_equal(gdb_pc(&page.state), 0x7c0d);
	assert_false(bench.machine.rendezvous.owner);
	bench.interrupt = GATE_RUN_VALID | 0x21;
	run(no_script);
	answer_is("T05thread:1;");
	assert_int_equal(gdb_pc(&page.state), HANDLER + 1);
}

/* Interrupts wait while it steps. */
static void step_before_interrupt(void **state)
{
	(void)state;
	page.state.rflags |= X86_FLAG_IF;
	bench.interrupt = GATE_RUN_VALID | 0x21;
	RUN("s");
	assert_int_equal(gdb_pc(&page.state), 0x7c03);
	assert_int_equal(page.state.interrupt_shadow, 0);
	RUN("s");
	assert_int_equal(gdb_pc(&page.state), 0x7c06);
	assert_int_equal(bench.interrupt, GATE_RUN_VALID | 0x21);
	/* But not when it runs. */
	RUN("Z0,9000,1");
	RUN("c");
	assert_int_equal(gdb_pc(&page.state), HANDLER);
	assert_int_equal(bench.interrupt, 0);
}

/* Behind HLT it may wait for one, if nobody knows better. */
static void step_behind_hlt(void **state)
{
	(void)state;
	RUN("P8=0d7c0000");
	page.state.rflags |= X86_FLAG_IF;
	bench.interrupt = GATE_RUN_VALID | 0x21;
	RUN("s");
	assert_int_equal(bench.interrupt, 0);
	assert_int_equal(gdb_pc(&page.state), HANDLER + 1);
	/* A breakpoint that was hit knows: it does not. */
	RUN("Z0,7c0d,1");
	RUN("c");
	bench.interrupt = GATE_RUN_VALID | 0x21;
	page.state.rflags |= X86_FLAG_IF;
	assert_int_equal(gdb_pc(&page.state), 0x7c0d);
	RUN("s");
	assert_int_equal(gdb_pc(&page.state), 0x7c00);
	assert_int_equal(bench.interrupt, GATE_RUN_VALID | 0x21);
}

/* What is to be delivered comes first, and is a step. */
static void step_with_injection(void **state)
{
	(void)state;
	RUN("?");
	page.inject = (struct gate_injection){ .is_valid = true, .vector = 6 };
	RUN("s");
	answer_is("T05thread:1;");
	assert_int_equal(gdb_pc(&page.state), HANDLER + 0x100);
}

static void watchpoints(void **state)
{
	(void)state;
	RUN("Z2,8001,1");
	RUN("c");
	answer_is("T05thread:1;watch:8001;");
	/* Behind the instruction. */
	assert_int_equal(gdb_pc(&page.state), 0x7c06);
	assert_int_equal(bench.ram[DATA], 0x34);
	RUN("z2,8001,1", "Z3,8000,2", "Z4,6ffa,2");
	RUN("c");
	answer_is("T05thread:1;awatch:6ffa;");
}

static const char *monitor(const char *line)
{
	static char packet[256];

	strcpy(packet, "qRcmd,");
	for (size_t i = 0; line[i]; i++)
		sprintf(packet + 6 + 2 * i, "%02x", line[i]);
	return packet;
}

static void say_monitor(const char *line)
{
	const char *script[] = { monitor(line), NULL };

	run(script);
	answer_is("6f6b0a"); /* ok */
}

static void catches(void **state)
{
	(void)state;
	say_monitor("catch int 10");
	say_monitor("catch port 80");
	say_monitor("catch exception 6");
	RUN("c");
	assert_int_equal(gdb_pc(&page.state), HANDLER);
	RUN("c");
	assert_int_equal(gdb_pc(&page.state), 0x7c0a);
	assert_int_equal(bench.ports, 1);
	RUN("c");
	assert_int_equal(gdb_pc(&page.state), HANDLER + 0x100);
	say_monitor("catch exception 6 off");
	say_monitor("catch port 80 off");
	say_monitor("catch int 10 off");
	RUN("c");
	assert_false(page.is_emulated);
}

/* With nothing to look for the processor runs the guest. */
static void processor_runs(void **state)
{
	(void)state;
	RUN("Z0,7c03,1");
	assert_false(page.is_emulated);
	RUN("c");
	assert_true(page.is_emulated);
	assert_ptr_equal(bench.vcpu.emul.ops, &bench.machine.debug.ops);
	RUN("z0,7c03,1", "c");
	assert_false(page.is_emulated);
	assert_ptr_equal(bench.vcpu.emul.ops, &machine_emul_ops);
	assert_null(bench.vcpu.emul.watcher);
	/* The back end hears of it, and drops what INVLPG has not. */
	assert_int_equal(page.state.dirty &
				 (X86_GROUP_DEBUG | X86_GROUP_CONTROL),
			 X86_GROUP_DEBUG | X86_GROUP_CONTROL);
}

/* Gone without a word, in the middle of a run. */
static void closes(void **state)
{
	(void)state;
	RUN("Z0,9001,1", "c");
	assert_true(page.is_emulated);
	machine_debug_close(&bench.machine);
	assert_true(rendezvous_is_wanted(&bench.machine.rendezvous));
	stop();
	assert_false(page.is_emulated);
	assert_false(bench.vcpu.debug.is_held);
	assert_int_equal(bench.machine.debug.count, 0);
	/* The next finds nothing of it. */
	machine_debug_input(&bench.machine, NULL, 0);
	RUN("?");
	answer_is("T02thread:1;");
}

static void detaches(void **state)
{
	(void)state;
	RUN("Z0,9001,1", "D");
	answer_is("OK");
	assert_false(page.is_emulated);
	/* Its last acknowledgment does not open it again. */
	machine_debug_input(&bench.machine, "+", 1);
	assert_false(rendezvous_is_wanted(&bench.machine.rendezvous) &&
		     bench.machine.debug.gdb.state != GDB_CLOSED);
}

/* Nothing runs meanwhile, and its breakpoints are gone. */
static void stays(void **state)
{
	(void)state;
	RUN("Z0,7c03,1", monitor("stay"), "D");
	machine_debug_close(&bench.machine);
	stop();
	assert_int_equal(bench.machine.rendezvous.owner, 1);
	assert_int_equal(bench.machine.debug.count, 0);
	machine_debug_input(&bench.machine, NULL, 0);
	RUN("?", "p8");
	answer_is("007c0000");
	RUN("D");
	assert_int_equal(bench.machine.rendezvous.owner, 0);
}

static void interrupts(void **state)
{
	(void)state;
	RUN("Z0,7fff,1", "c");
	machine_debug_input(&bench.machine, "\x03", 1);
	run(no_script);
	answer_is("T02thread:1;");
}

static void resets(void **state)
{
	(void)state;
	say_monitor("catch reset");
	/* Served once more before it waits. */
	RUN(monitor("reset"));
	RUN("?");
	assert_int_equal(bench.resets, 1);
	RUN("c");
	machine_reset(&bench.vcpu);
	run(no_script);
	answer_is("T05thread:1;");
	RUN("k");
	assert_false(bench.has_power);
}

/* As many as there is room for, and none is lost. */
static void many(void **state)
{
	char packet[32];
	const char *script[] = { packet, NULL };

	(void)state;
	for (unsigned i = 0; i < DEBUG_BREAKPOINTS_MAX; i++) {
		sprintf(packet, "Z0,%x,1", 0x100 + i);
		run(script);
		answer_is("OK");
	}
	RUN("Z0,7c03,1");
	answer_is("E1c");
	RUN("Z0,100,1", "z0,100,1", "z0,100,1", "Z0,7c03,1");
	answer_is("OK");
	RUN("Z2,ffffffffffffffff,2");
	answer_is("E02");
	RUN("c");
	assert_int_equal(gdb_pc(&page.state), 0x7c03);
}

static void memory(void **state)
{
	(void)state;
	RUN("M8000,2:abcd", "m8000,2");
	answer_is("abcd");
	RUN("mffff,2");
	answer_is("00");
	RUN("m10000,1");
	answer_is("E0e");
	/* 32 bits outside long mode. */
	RUN("m100008000,2");
	answer_is("abcd");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(breakpoint),
		TEST(steps),
		TEST(step_over_hlt),
		TEST(step_before_interrupt),
		TEST(step_behind_hlt),
		TEST(step_with_injection),
		TEST(watchpoints),
		TEST(catches),
		TEST(processor_runs),
		TEST(closes),
		TEST(detaches),
		TEST(stays),
		TEST(interrupts),
		TEST(resets),
		TEST(many),
		TEST(memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
