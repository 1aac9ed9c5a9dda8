/* SPDX-License-Identifier: BSD-2-Clause */
/* Where each vCPU has its local APIC's registers: machine/apic_page.h. */
#include "machine/machine.h"

#include "include/x86_msr.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"

static void map(uint64_t gpa, uint64_t offset, enum gate_map kind)
{
	long error = gate_map(gpa, PAGE_SIZE, offset, kind);

	if (error)
		gate_log(GATE_LOG_ERROR, "cannot map the APIC's page %lx: %ld",
			 gpa, error);
}

static bool is_used(const struct machine *machine, uint64_t gpa)
{
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		if (machine->vcpu[i] && machine->vcpu[i]->apic_gpa == gpa)
			return true;
	return false;
}

/* The page that processors know shows if it is each vCPU's own. */
static void show_usual(struct machine *machine)
{
	bool is_shown = true;

	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		if (machine->vcpu[i] &&
		    machine->vcpu[i]->apic_gpa != APIC_PAGE_GPA)
			is_shown = false;
	if (is_shown == machine->is_apic_shown)
		return;
	machine->is_apic_shown = is_shown;
	map(APIC_PAGE_GPA, 0, is_shown ? GATE_MAP_APIC : GATE_MAP_NONE);
}

/* NULL: there is no RAM and no ROM. */
static void *memory_at(const struct machine *machine, uint64_t gpa, bool write)
{
	const struct board *board = machine->board;

	return gpa == APIC_PAGE_NONE ? NULL
				     : board->ops->ram_at(board->object, gpa,
							  PAGE_SIZE, write);
}

static void show_memory(const struct machine *machine, uint64_t gpa)
{
	uint8_t *memory = memory_at(machine, gpa, false);

	if (memory && !is_used(machine, gpa))
		map(gpa, (uint64_t)(memory - (uint8_t *)GATE_WINDOW_VA),
		    memory_at(machine, gpa, true) ? GATE_MAP_RAM
						  : GATE_MAP_ROM);
}

static void move(struct machine_vcpu *vcpu, uint64_t gpa)
{
	uint64_t old = vcpu->apic_gpa;

	vcpu->apic_gpa = gpa;
	show_memory(vcpu->machine, old);
	apic_page_remap(vcpu);
}

void apic_page_remap(struct machine_vcpu *vcpu)
{
	const struct board *board = vcpu->machine->board;

	vcpu->hides_memory = memory_at(vcpu->machine, vcpu->apic_gpa, false);
	if (vcpu->hides_memory)
		map(vcpu->apic_gpa, 0, GATE_MAP_NONE);
	/* What windows cover ram_at() is not asked for. */
	if (vcpu->hides_memory)
		memset(vcpu->emul.window, 0, sizeof(vcpu->emul.window));
	else
		board->ops->emulator_windows(board->object, vcpu->emul.window);
	emul_forget(&vcpu->emul);
}

void apic_page_set(struct machine_vcpu *vcpu, uint64_t base)
{
	const uint64_t mode = APIC_BASE_ENABLE | APIC_BASE_X2APIC;
	uint64_t gpa = (base & mode) == APIC_BASE_ENABLE
			       ? base & APIC_BASE_ADDRESS
			       : APIC_PAGE_NONE;

	if (gpa != vcpu->apic_gpa)
		move(vcpu, gpa);
	show_usual(vcpu->machine);
}

void apic_page_reset(struct machine *machine)
{
	for (unsigned i = 0; i < machine->config->vcpu_count; i++)
		if (machine->vcpu[i] &&
		    machine->vcpu[i]->apic_gpa != APIC_PAGE_GPA)
			move(machine->vcpu[i], APIC_PAGE_GPA);
	show_usual(machine);
}
