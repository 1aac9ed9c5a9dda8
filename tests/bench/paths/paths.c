/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU's interpreter that counts instructions of the host's one
 * CPU: the longest time with interrupts off, from one address to another, and
 * from the monitor's first instruction to the first in ring 3; how often an
 * address is met, between two of the guest's if these are given; how many
 * instructions the whole host takes between these two; and, from the first
 * VMRUN to the last exit, how many are the guests' and how many are not; the
 * latter from the monitor's first instruction on, too.
 *
 *   -plugin paths.so,entries=ADDR,gate=ADDR[,gate=ADDR...],from=ADDR,to=ADDR,
 *	start=ADDR,main=ADDR,out=FILE[,met=ADDR][,reach=ADDR]
 *	[,open=ADDR,close=ADDR[,series=ADDR]]
 *   -plugin paths.so,open=ADDR,close=ADDR,series=ADDR,out=FILE
 *
 * The second form is for a host without the monitor.
 * entries: the 256 trap entries, 16 bytes each; gate: where SYSCALL comes in;
 * from, to: the path to count; start: where the boot loader goes to; main: the
 * first C function, after which all code in the lower half is ring 3's; open,
 * close: of the guest's, where nobody else's code is; series: likewise, after
 * as many spans from open to close as shall have one median; reach: likewise,
 * to count from the first VMRUN to there.
 *
 * Nothing of the host changes by it.
 *
 * Interrupts are on while both IF and GIF are set.  IF is not read but
 * followed: traps, SYSCALL, VM exits and CLI clear it, STI, SYSRET and
 * VMRUN set it, IRET brings back what was before the trap.  An interrupt
 * means that it was set.  A POPF that changes it would be missed; the
 * monitor has none.  Counting begins at the first VMRUN: starting the host
 * has nobody to wait.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scripts/pace/qemu_plugin.h"

/* Where Linux has its text, as a guest, the monitor's image ends long before.
 */
#define MONITOR_VA     0xffffffff80000000u
#define MONITOR_VA_END 0xffffffff81000000u
#define LOWER_HALF     (1ull << 47)
#define ENTRIES	       256
#define EXCEPTIONS     32
#define GATES	       4
#define SPANS	       4096 /* of a series */
#define SERIES	       8

static struct {
	uint64_t entries, gate[GATES], from, to, start, main;
	uint64_t met, open, close, series, reach;
	unsigned gate_count;
	FILE *out;
} options;

static struct {
	uint64_t count; /* instructions so far */
	bool is_counting;
	bool is_if, is_gif;
	bool after_iret;	    /* IF, when the trap is over */
	uint64_t off_count, off_va; /* where interrupts went off */
	uint64_t longest, longest_from, longest_to;
	uint64_t began, path;	 /* of from and to */
	uint64_t started, first; /* first: until ring 3; 0: not yet */
	bool is_main;
	bool is_open;
	uint64_t met; /* while is_open, or without open always */
	uint64_t opened;
	uint64_t span[SPANS]; /* of this series so far */
	unsigned spans;
	uint64_t median[SERIES];
	unsigned series;
	/* The first VMRUN, the last, and behind the last exit. */
	uint64_t first_run, entered, left;
	uint64_t guest, reached; /* reached: 0: not yet */
} state = { .is_gif = true };

static bool is_on(void)
{
	return state.is_if && state.is_gif;
}

static void change(bool is_if, bool is_gif, uint64_t va)
{
	bool was_on = is_on();
	uint64_t length;

	state.is_if = is_if;
	state.is_gif = is_gif;
	if (was_on && !is_on()) {
		state.off_count = state.count;
		state.off_va = va;
	} else if (!was_on && is_on() && state.is_counting) {
		length = state.count - state.off_count;
		if (length > state.longest) {
			state.longest = length;
			state.longest_from = state.off_va;
			state.longest_to = va;
		}
	}
}

static void on_trap(unsigned cpu, void *va)
{
	uint64_t vector = ((uint64_t)va - options.entries) / 16;

	(void)cpu;
	state.after_iret = vector >= EXCEPTIONS || state.is_if;
	change(false, state.is_gif, (uint64_t)va);
}

static void on_gate(unsigned cpu, void *va)
{
	(void)cpu;
	change(false, state.is_gif, (uint64_t)va);
}

static void on_sti(unsigned cpu, void *va)
{
	(void)cpu;
	change(true, state.is_gif, (uint64_t)va);
}

static void on_iret(unsigned cpu, void *va)
{
	(void)cpu;
	change(state.after_iret, state.is_gif, (uint64_t)va);
}

static void on_clgi(unsigned cpu, void *va)
{
	(void)cpu;
	change(state.is_if, false, (uint64_t)va);
}

static void on_stgi(unsigned cpu, void *va)
{
	(void)cpu;
	change(state.is_if, true, (uint64_t)va);
}

/* An interrupt makes the guest exit: on, and at the next instruction off. */
static void on_vmrun(unsigned cpu, void *va)
{
	(void)cpu;
	change(true, true, (uint64_t)va);
	state.is_counting = true;
	state.entered = state.count;
	if (!state.first_run)
		state.first_run = state.count;
}

/* The first instruction behind VMRUN is counted already. */
static void on_vmexit(unsigned cpu, void *va)
{
	(void)cpu;
	change(true, false, (uint64_t)va);
	state.left = state.count;
	state.guest += state.left - state.entered - 1;
}

static void on_from(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	state.began = state.count;
}

static void on_to(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	if (state.began)
		state.path = state.count - state.began;
	state.began = 0;
}

static void on_start(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	state.started = state.count;
}

static void on_main(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	state.is_main = true;
}

static void on_ring_3(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	if (!state.first)
		state.first = state.count - state.started;
}

static void on_met(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	state.met += state.is_open || !options.open;
}

static void on_open(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	state.is_open = state.is_counting || !options.entries;
	state.opened = state.count;
}

static void on_close(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	if (state.is_open && state.spans < SPANS)
		state.span[state.spans++] = state.count - state.opened;
	state.is_open = false;
}

static void on_reach(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	if (!state.reached && state.first_run)
		state.reached = state.count - state.first_run;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void on_series(unsigned cpu, void *va)
{
	(void)cpu;
	(void)va;
	if (!state.spans || state.series == SERIES)
		return;
	qsort(state.span, state.spans, sizeof(*state.span), compare);
	state.median[state.series++] = state.span[state.spans / 2];
	state.spans = 0;
}

/* clang-format off */
static const struct {
	uint8_t length, bytes[3];
	void (*fn)(unsigned cpu, void *va);
} insns[] = {
	{ 1, { 0xfa }, on_gate },		/* CLI */
	{ 1, { 0xfb }, on_sti },		/* STI */
	{ 2, { 0x48, 0xcf }, on_iret },		/* IRETQ */
	{ 3, { 0x48, 0x0f, 0x07 }, on_sti },	/* SYSRET */
	{ 3, { 0x0f, 0x01, 0xd8 }, on_vmrun },	/* VMRUN */
	{ 3, { 0x0f, 0x01, 0xdc }, on_stgi },	/* STGI */
	{ 3, { 0x0f, 0x01, 0xdd }, on_clgi },	/* CLGI */
};
/* clang-format on */

static void watch(struct qemu_plugin_insn *insn,
		  void (*fn)(unsigned cpu, void *va), uint64_t va)
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, fn, CALLBACK_NO_REGS,
					       (void *)va);
}

/* Interrupts go off before the first instruction of an entry. */
static void watch_entries(struct qemu_plugin_insn *insn, uint64_t va)
{
	if (va >= options.entries && va < options.entries + 16 * ENTRIES &&
	    va % 16 == 0)
		watch(insn, on_trap, va);
	for (unsigned i = 0; i < options.gate_count; i++)
		if (va == options.gate[i])
			watch(insn, on_gate, va);
	if (va == options.from)
		watch(insn, on_from, va);
	if (va == options.to)
		watch(insn, on_to, va);
	if (va == options.met)
		watch(insn, on_met, va);
}

static void watch_guest(struct qemu_plugin_insn *insn, uint64_t va)
{
	if (options.open && va == options.open)
		watch(insn, on_open, va);
	if (options.close && va == options.close)
		watch(insn, on_close, va);
	if (options.series && va == options.series)
		watch(insn, on_series, va);
	if (options.reach && va == options.reach)
		watch(insn, on_reach, va);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	static uint64_t behind_vmrun;

	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t va = qemu_plugin_insn_vaddr(insn);
		size_t size = qemu_plugin_insn_size(insn);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64,
							   &state.count, 1);
		if (va == options.start)
			watch(insn, on_start, va);
		if (va < LOWER_HALF && state.is_main && !state.first)
			watch(insn, on_ring_3, va);
		watch_guest(insn, va);
		if (va < MONITOR_VA || va >= MONITOR_VA_END)
			continue;
		if (va == options.main)
			watch(insn, on_main, va);
		watch_entries(insn, va);
		if (va == behind_vmrun)
			watch(insn, on_vmexit, va);
		for (size_t j = 0; j < sizeof(insns) / sizeof(*insns); j++) {
			if (size != insns[j].length ||
			    memcmp(qemu_plugin_insn_data(insn), insns[j].bytes,
				   size))
				continue;
			watch(insn, insns[j].fn, va);
			if (insns[j].fn == on_vmrun)
				behind_vmrun = va + size;
		}
	}
}

static void report(qemu_plugin_id_t id, void *ctx)
{
	(void)id;
	(void)ctx;
	fprintf(options.out,
		"longest=%" PRIu64 " off=%" PRIx64 " on=%" PRIx64
		" path=%" PRIu64 " first=%" PRIu64 " met=%" PRIu64
		" run=%" PRIu64 " guest=%" PRIu64 " own=%" PRIu64
		" all=%" PRIu64 " reached=%" PRIu64 "\n",
		state.longest, state.longest_from, state.longest_to, state.path,
		state.first, state.met, state.first_run - state.started,
		state.guest, state.left - state.first_run - state.guest,
		state.left - state.started - state.guest, state.reached);
	for (unsigned i = 0; i < state.series; i++)
		fprintf(options.out, "span%u=%" PRIu64 "\n", i,
			state.median[i]);
	fclose(options.out);
}

static bool option(const char *word, const char *name, uint64_t *value)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) || word[length] != '=')
		return false;
	*value = strtoull(word + length + 1, NULL, 16);
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			options.out = fopen(argv[i] + 4, "w");
		else if (options.gate_count < GATES &&
			 option(argv[i], "gate",
				&options.gate[options.gate_count]))
			options.gate_count++;
		else if (!option(argv[i], "entries", &options.entries) &&
			 !option(argv[i], "from", &options.from) &&
			 !option(argv[i], "start", &options.start) &&
			 !option(argv[i], "main", &options.main) &&
			 !option(argv[i], "met", &options.met) &&
			 !option(argv[i], "open", &options.open) &&
			 !option(argv[i], "close", &options.close) &&
			 !option(argv[i], "series", &options.series) &&
			 !option(argv[i], "reach", &options.reach) &&
			 !option(argv[i], "to", &options.to))
			return -1;
	}
	if (!options.out || !options.entries != !options.gate_count ||
	    (!options.entries && !options.open))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, report, NULL);
	return 0;
}
