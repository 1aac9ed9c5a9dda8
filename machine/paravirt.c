/* SPDX-License-Identifier: BSD-2-Clause */
/* See paravirt.h: by the board and the gate. */
#include "machine/paravirt.h"

#include "lib/user/gate_calls.h"
#include "machine/machine.h"

#define MSI_ADDRESS	0xfee00000ULL
#define MSI_DESTINATION MASK(19, 12)

uint8_t *paravirt_page(void *ctx, gpa_t gpa)
{
	struct machine *machine = ctx;
	const struct board *board = machine->board;

	return board->ops->ram_at(board->object, gpa, PAGE_SIZE, true);
}

bool paravirt_message(void *ctx, unsigned vcpu, uint32_t data)
{
	const struct machine *machine = ctx;

	return gate_msi(MSI_ADDRESS | FIELD_PUT(MSI_DESTINATION,
						machine->apic_id[vcpu]),
			data) > 0;
}

void paravirt_yield_to(void *ctx, unsigned vcpu)
{
	(void)ctx;
	gate_yield_to(vcpu);
}

void paravirt_yield(void *ctx)
{
	(void)ctx;
	gate_yield();
}

uint64_t paravirt_tsc(void *ctx)
{
	const struct machine *machine = ctx;

	return __builtin_ia32_rdtsc() - machine->gate->tsc_base;
}
