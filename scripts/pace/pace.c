/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU's interpreter by which a program outside runs the simulated
 * host a number of instructions at a time.
 *
 *   -plugin pace.so,fd=N,report=N,from=ADDR,to=ADDR[,turns=1][,samples=1]
 *	     [,mark=ADDR...]
 *
 * fd is one end of a stream socket that QEMU has inherited, report a file that
 * both have mapped, of 64-bit words in the byte order of this system.  When it
 * stops, the plugin sends a byte 0, and the other end answers with a word: the
 * count at which it shall stop next.  With turns a byte 1 says that the host is
 * at rest: it wants no answer.  The first stop is at the first block of
 * instructions, with a count of 0.  What the report says holds while the CPU
 * stands or is halted.
 *
 *	 report: instructions so far, VMRUNs so far, blocks of the guest so far,
 *		 the last of them, how often the address of each mark was met
 *	 answer: stop at the first block that begins at this count or later
 *
 * from, to: the monitor.  What runs behind a VMRUN is the guest, until the
 * monitor runs again; its last block is told by its linear address.
 *
 * samples: behind each stop it stops once more, where the guest runs next, and
 * sends a byte 2: there the CPU's registers are the guest's, for QEMU's monitor
 * to show.  The answer is a word, too, which says nothing.
 *
 * turns: as turns.h says, for -icount; the object has to be preloaded, too.
 *
 * While it stands the CPU's thread is in the callback of a block's beginning,
 * without QEMU's big lock: devices, chardevs and QEMU's monitor go on, and an
 * interrupt they raise is taken behind that block.  So what is sent to the host
 * while it stands arrives at the same instruction in all runs that began alike.
 *
 * Instructions are counted one by one as they begin.  When the other end is
 * closed the host runs on without a stop.
 *
 * One CPU alone: with several nothing says whose instructions these are.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scripts/pace/qemu_plugin.h"
#include "scripts/pace/turns.h"

#define MARKS 40

enum { SAYS_STANDS, SAYS_AT_REST, SAYS_IN_GUEST };

struct report {
	uint64_t instructions, vmruns, guest_blocks, guest_va;
	uint64_t met[MARKS];
};

static struct {
	struct report *report;
	uint64_t stop_at;
	uint64_t from, to;
	uint64_t mark[MARKS];
	unsigned marks;
	bool is_guest, takes_turns;
	bool takes_samples, is_sample_due;
	int fd, report_fd;
} pace = { .fd = -1, .report_fd = -1 };

static bool move(bool is_out, void *data, size_t length)
{
	uint8_t *at = data;

	while (length) {
		ssize_t n = is_out ? write(pace.fd, at, length)
				   : read(pace.fd, at, length);

		if (n <= 0)
			return false;
		at += n;
		length -= (size_t)n;
	}
	return true;
}

static void stand(uint8_t word)
{
	uint64_t answer;

	turns_stand();
	if (!move(true, &word, sizeof(word)) ||
	    !move(false, &answer, sizeof(answer))) {
		pace.stop_at = UINT64_MAX;
		pace.takes_samples = false;
		turns_end();
	} else if (word == SAYS_STANDS) {
		pace.stop_at = answer;
	}
	pace.is_sample_due = pace.takes_samples && word == SAYS_STANDS;
	turns_run();
}

static void at_rest(void)
{
	uint8_t word = SAYS_AT_REST;

	(void)move(true, &word, sizeof(word));
}

static void check(void)
{
	if (turns_is_halted())
		turns_run();
	if (pace.report->instructions >= pace.stop_at)
		stand(SAYS_STANDS);
}

/* A block of the monitor's begins. */
static void monitor_begins(unsigned cpu, void *ctx)
{
	(void)cpu;
	(void)ctx;
	pace.is_guest = false;
	check();
}

/* Any other one, a guest's or a program's. */
static void other_begins(unsigned cpu, void *va)
{
	(void)cpu;
	if (pace.is_guest) {
		pace.report->guest_va = (uintptr_t)va;
		pace.report->guest_blocks++;
	}
	check();
	if (pace.is_guest && pace.is_sample_due)
		stand(SAYS_IN_GUEST);
}

static void enters(unsigned cpu, void *ctx)
{
	(void)cpu;
	(void)ctx;
	pace.report->vmruns++;
	pace.is_guest = true;
}

static void halts(unsigned cpu, void *ctx)
{
	(void)cpu;
	(void)ctx;
	turns_halt();
}

static const uint8_t vmrun[] = { 0x0f, 0x01, 0xd8 }, hlt[] = { 0xf4 };

static bool is_one(const struct qemu_plugin_insn *insn, const uint8_t *bytes,
		   size_t size)
{
	return qemu_plugin_insn_size(insn) == size &&
	       !memcmp(qemu_plugin_insn_data(insn), bytes, size);
}

static void instruction(struct qemu_plugin_insn *insn)
{
	uint64_t va = qemu_plugin_insn_vaddr(insn);

	qemu_plugin_register_vcpu_insn_exec_inline(
		insn, INLINE_ADD_U64, &pace.report->instructions, 1);
	if (va < pace.from || va >= pace.to)
		return;
	if (is_one(insn, vmrun, sizeof(vmrun)))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, enters,
						       CALLBACK_NO_REGS, NULL);
	if (is_one(insn, hlt, sizeof(hlt)))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, halts,
						       CALLBACK_NO_REGS, NULL);
	for (unsigned i = 0; i < pace.marks; i++)
		if (va == pace.mark[i])
			qemu_plugin_register_vcpu_insn_exec_inline(
				insn, INLINE_ADD_U64, &pace.report->met[i], 1);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	uint64_t va = qemu_plugin_tb_vaddr(tb);
	bool is_monitor = va >= pace.from && va < pace.to;

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(
		tb, is_monitor ? monitor_begins : other_begins,
		CALLBACK_NO_REGS, (void *)(uintptr_t)va);
	for (size_t i = 0; i < count; i++)
		instruction(qemu_plugin_tb_get_insn(tb, i));
}

static bool option(const char *text)
{
	uint64_t value;
	const char *equals = strchr(text, '=');

	if (!equals)
		return false;
	value = strtoull(equals + 1, NULL, 0);
	if (!strncmp(text, "fd=", 3))
		pace.fd = (int)value;
	else if (!strncmp(text, "report=", 7))
		pace.report_fd = (int)value;
	else if (!strncmp(text, "turns=", 6))
		pace.takes_turns = value;
	else if (!strncmp(text, "samples=", 8))
		pace.takes_samples = value;
	else if (!strncmp(text, "from=", 5))
		pace.from = value;
	else if (!strncmp(text, "to=", 3))
		pace.to = value;
	else if (!strncmp(text, "mark=", 5) && pace.marks < MARKS)
		pace.mark[pace.marks++] = value;
	else
		return false;
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (!option(argv[i]))
			return -1;
	if (pace.fd < 0)
		return -1;
	pace.report = mmap(NULL, sizeof(*pace.report), PROT_READ | PROT_WRITE,
			   MAP_SHARED, pace.report_fd, 0);
	if (pace.report == MAP_FAILED)
		return -1;
	if (pace.takes_turns)
		turns_begin(at_rest);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
