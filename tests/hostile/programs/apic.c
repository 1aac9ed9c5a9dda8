/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals: the local APICs' registers, messages and lines, kicks, and who has
 * no CPU, as fast as they go.
 */
#include "tests/hostile/programs/evil.h"

#define APIC_ICR      0x300
#define APIC_ICR_HIGH 0x310
#define MSR_APIC_BASE 0x1b
#define MSR_X2APIC    0x800
#define MSI_ADDRESS   0xfee00000

/* Anything to any register. */
static void attack_apic(struct self *self)
{
	meet(self);
	while (goes_on(self)) {
		uint64_t r = random_next(self);

		switch (r % 6) {
		case 0:
			gate_msi(MSI_ADDRESS | (random_next(self) & 0xfffff),
				 (uint32_t)random_next(self));
			break;
		case 1:
			gate_apic_write((uint32_t)random_next(self) & 0xff0,
					(uint32_t)random_next(self));
			break;
		case 2:
			gate_apic_read((uint32_t)random_next(self) & 0xfff);
			break;
		case 3:
			gate_call(GATE_MSR_WRITE,
				  MSR_X2APIC + random_next(self) % 0x100,
				  random_argument(self), 0);
			break;
		case 4:
			gate_call(GATE_MSR_WRITE, MSR_APIC_BASE,
				  MSI_ADDRESS | (random_next(self) & 0xd00), 0);
			break;
		default:
			gate_line((enum gate_line)(random_next(self) % 3),
				  random_next(self) & 1);
			break;
		}
	}
}

/* Interrupt commands of every kind to everybody, by guests that run. */
static void attack_ipi(struct self *self)
{
	static const uint32_t kinds[] = {
		0x00040, 0x04041, 0x00400, 0x00500, 0x00601, 0x08500,
		0x84042, 0xc4043, 0x84400, 0xc4500, 0xc4601, 0x00100,
	};

	if (self->id == 0)
		guest_memory();
	meet(self);
	guest_state(self);
	while (goes_on(self)) {
		gate_apic_write(APIC_ICR_HIGH, (uint32_t)random_next(self)
						       << 24);
		gate_apic_write(APIC_ICR,
				kinds[random_next(self) % ARRAY_SIZE(kinds)]);
		if (self->id != evil.ender && one_in(self, 16)) {
			guest_state(self);
			gate_resume();
		}
	}
}

/* Level-triggered messages and the EOIs that follow them. */
static void attack_eoi(struct self *self)
{
	if (self->id == 0)
		guest_memory();
	meet(self);
	guest_state(self);
	gate_apic_write(0xf0, 0x1ff);
	while (goes_on(self)) {
		uint32_t vector = 0x20 + (uint32_t)random_next(self) % 0xe0;

		gate_msi(MSI_ADDRESS | (random_next(self) & 0xf) << 12,
			 0xc000 | vector);
		gate_apic_write(0xb0, 0);
		if (self->id != evil.ender && one_in(self, 16)) {
			self->page->state.rflags |= X86_FLAG_IF;
			gate_timer(now_ns() + 10000);
			gate_resume();
		}
	}
}

/* The two lines, up and down. */
static void attack_line(struct self *self)
{
	meet(self);
	for (uint64_t i = 0; goes_on(self); i++)
		gate_line((enum gate_line)(i % GATE_LINE_COUNT),
			  (i >> 1 ^ self->id) & 1);
}

/* Places for the byte that says who has no CPU, in everybody's pages: good ones
 * and others, while the CPUs change hands; and HLTs that end. */
static void attack_away(struct self *self)
{
	if (self->id == 0)
		guest_memory();
	meet(self);
	guest_state(self);
	while (goes_on(self)) {
		unsigned other = (unsigned)(random_next(self) %
					    gate_config()->vcpu_count);
		uint64_t place = one_in(self, 2) ? random_argument(self)
						 : random_next(self) % MIB(1);

		__atomic_store_n(&gate_page(other)->away_offset, place,
				 __ATOMIC_SEQ_CST);
		gate_call(GATE_KICK, other, random_next(self) % 3, 0);
		gate_yield();
		if (self->id != evil.ender && one_in(self, 4)) {
			self->page->halt = one_in(self, 2);
			gate_resume();
		}
	}
}

const struct attack apic_attacks[] = {
	{ "apic", attack_apic }, { "ipi", attack_ipi },	  { "eoi", attack_eoi },
	{ "line", attack_line }, { "away", attack_away }, { 0 },
};
