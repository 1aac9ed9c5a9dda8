/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain was doing that could not go on.  All of it is the domain's own
 * word: other threads of its may have written to the page since.
 */
#include "init/init.h"

#include "include/gate.h"
#include "include/x86_state.h"
#include "lib/string.h"

/* A row of the terminal has room for two. */
static void say_pairs(const struct init *init, gate_id id,
		      const char *const *name, const uint64_t *value,
		      unsigned count)
{
	for (unsigned i = 0; i + 1 < count; i += 2)
		init_log(init, id, LOG_INFO, "%-6s %016lx  %-6s %016lx",
			 name[i], value[i], name[i + 1], value[i + 1]);
}

static void say_program(const struct init *init, gate_id id,
			const struct gate_domain_status *status)
{
	static const char *const name[] = { "R15", "R14", "R13",   "R12", "R11",
					    "R10", "R9",  "R8",	   "RBP", "RDI",
					    "RSI", "RDX", "RCX",   "RBX", "RAX",
					    "RSP", "CR2", "RFLAGS" };
	uint64_t value[ARRAY_SIZE(name)];

	memcpy(value, status->gpr, sizeof(status->gpr));
	value[15] = status->rsp;
	value[16] = status->address;
	value[17] = status->rflags;
	init_log(init, id, LOG_ERROR, "exception %u, error %lx, at %lx",
		 status->vector, status->error, status->rip);
	say_pairs(init, id, name, value, ARRAY_SIZE(name));
}

static void say_segments(const struct init *init, gate_id id,
			 const struct x86_state *s)
{
	const struct {
		const char *name;
		const struct x86_segment *segment;
	} rows[] = {
		{ "ES", &s->seg[X86_ES] }, { "CS", &s->seg[X86_CS] },
		{ "SS", &s->seg[X86_SS] }, { "DS", &s->seg[X86_DS] },
		{ "FS", &s->seg[X86_FS] }, { "GS", &s->seg[X86_GS] },
		{ "TR", &s->tr },	   { "LDTR", &s->ldtr },
		{ "GDTR", &s->gdtr },	   { "IDTR", &s->idtr },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		init_log(init, id, LOG_INFO, "%-4s %04x %016lx %08x %03x",
			 rows[i].name, rows[i].segment->selector,
			 rows[i].segment->base, rows[i].segment->limit,
			 rows[i].segment->attributes);
}

static void say_guest(const struct init *init, gate_id id,
		      const struct x86_state *s)
{
	static const char *const name[] = {
		"RAX", "RCX",	 "RDX", "RBX", "RSP", "RBP", "RSI",  "RDI",
		"R8",  "R9",	 "R10", "R11", "R12", "R13", "R14",  "R15",
		"RIP", "RFLAGS", "CR0", "CR2", "CR3", "CR4", "EFER", "CPL"
	};
	const uint64_t other[] = { s->rip, s->rflags, s->cr0,  s->cr2,
				   s->cr3, s->cr4,    s->efer, s->cpl };

	say_pairs(init, id, name, s->gpr, X86_GPR_COUNT);
	say_pairs(init, id, name + X86_GPR_COUNT, other, ARRAY_SIZE(other));
	say_segments(init, id, s);
}

static bool is_of_guest(const struct gate_domain_status *status)
{
	return status->end == GATE_END_GUEST ||
	       status->end == GATE_END_REFUSED ||
	       status->end == GATE_END_MACHINE_CHECK;
}

void report_end(const struct init *init, gate_id id,
		const struct gate_domain_status *status)
{
	struct x86_state state;

	if (status->end == GATE_END_FAULT && status->rflags)
		say_program(init, id, status);
	if (status->end != GATE_END_FAULT && !is_of_guest(status))
		return;
	/* No VM: no such page. */
	if (init->gate->read(init->gate->ctx, id, GATE_PAGE_VA(status->thread),
			     &state, sizeof(state)))
		return;
	init_log(init, id, LOG_ERROR, "vCPU %u: exit reason %u, pending %x",
		 status->thread, status->exit_reason, status->pending);
	init_log(init, id, LOG_INFO, "raw    %lx %lx %lx", status->raw[0],
		 status->raw[1], status->raw[2]);
	say_guest(init, id, &state);
}
