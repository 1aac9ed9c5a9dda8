/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for programs that need one: wherever it runs it writes to port 80h,
 * so that it comes back whatever state it was given.
 */
#include "tests/hostile/programs/evil.h"

#include "lib/string.h"

#define GUEST_MEMORY MIB(1)
#define GUEST_STEP   16

void guest_memory(void)
{
	static const uint8_t code[] = { 0xe6, 0x80, 0xeb, 0xfc }; /* out; jmp */
	uint8_t *ram = (uint8_t *)GATE_WINDOW_VA;

	for (unsigned i = 0; i < GUEST_MEMORY; i += GUEST_STEP)
		memcpy(ram + i, code, sizeof(code));
	gate_map(0, GUEST_MEMORY, 0, GATE_MAP_RAM);
}

/* Destination and delivery mode as a PCI device would write them. */
#define MSI_TO(vcpu) (0xfee00000 | (uint64_t)(vcpu) << 12)
#define MSI_INIT     0x500
#define MSI_SIPI     0x600
#define GUEST_VECTOR 1 /* of the SIPI: code begins at 1000h */

static void first_state(struct self *self)
{
	struct x86_state *state = &self->page->state;

	gate_reset();
	gate_state_load(X86_GROUP_SEGMENTS | X86_GROUP_CONTROL |
			X86_GROUP_TABLES | X86_GROUP_DEBUG | X86_GROUP_SYSCALL);
	state->seg[X86_CS].base = 0;
	state->seg[X86_CS].selector = 0;
	state->rip = GUEST_VECTOR * PAGE_SIZE;
	state->dirty |= X86_GROUP_SEGMENTS;
}

void guest_state(struct self *self)
{
	if (self->id == 0) {
		first_state(self);
		return;
	}
	gate_msi(MSI_TO(self->id), MSI_INIT);
	gate_msi(MSI_TO(self->id), MSI_SIPI | GUEST_VECTOR);
}
