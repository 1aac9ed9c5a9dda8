/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared page: garbage for the processor, and pages that change under the
 * monitor while it reads them.
 */
#include "tests/hostile/programs/evil.h"

#include "lib/string.h"

#define GROUPS	     0x7f
#define NS_PER_US    1000ULL
#define LOWER_HALF   0x0000800000000000ULL
#define MSR_SYSCALL  0xc0000081
#define MSR_SYSENTER 0x170

/* One or two words of the state made wrong. */
static void damage(struct self *self)
{
	uint64_t *words = (uint64_t *)&self->page->state;
	uint64_t *word =
		&words[random_next(self) % (sizeof(self->page->state) / 8)];
	uint64_t r = random_next(self);

	switch (r % 4) {
	case 0:
		*word ^= 1ULL << (r >> 8 & 63);
		break;
	case 1:
		*word = random_next(self);
		break;
	case 2:
		*word = LOWER_HALF + (r >> 32);
		break;
	default:
		*word ^= 3ULL << (r >> 8 & 31);
		break;
	}
}

/*
 * QEMU 7.2 comes back to the host with CR0 before EFER: LME without PAE leaves
 * the host itself broken.  That is the simulator's and not tried here.
 */
static void spare_the_simulator(struct x86_state *state)
{
	if (!(state->cr4 & X86_CR4_PAE))
		state->efer &= ~(uint64_t)(X86_EFER_LME | X86_EFER_LMA);
}

static void set_registers(struct self *self)
{
	uint32_t base = one_in(self, 2) ? MSR_SYSCALL : MSR_SYSENTER;
	uint64_t r = random_next(self);

	gate_call(GATE_MSR_WRITE, base + r % 16, random_argument(self), 0);
	gate_call(GATE_XCR0_SET, random_next(self) % 16, 0, 0);
}

static void damage_more(struct self *self)
{
	struct gate_page *page = self->page;

	if (one_in(self, 8))
		page->inject = (struct gate_injection){
			.is_valid = true,
			.vector = (uint8_t)random_next(self),
			.has_error_code = one_in(self, 2),
			.error_code = (uint32_t)random_next(self),
		};
	if (one_in(self, 16))
		memset(&page->xstate, (int)random_next(self),
		       sizeof(page->xstate));
	if (one_in(self, 16))
		page->extint = (uint32_t)random_next(self) % 0x1000;
	page->halt = one_in(self, 16);
	page->state.dirty = random_next(self) & GROUPS;
	spare_the_simulator(&page->state);
	if (one_in(self, 32))
		set_registers(self);
}

/* Garbage into the VMCB or the VMCS, and into the XSAVE area. */
static void attack_state(struct self *self)
{
	if (self->id == 0)
		guest_memory();
	meet(self);
	guest_state(self);
	for (uint64_t i = 0; goes_on(self); i++) {
		gate_timer(now_ns() + 20 * NS_PER_US);
		/* A sibling could have had the only event. */
		if (self->id != evil.ender || self->vcpus == 1)
			gate_resume();
		gate_state_load(GROUPS);
		damage(self);
		if (one_in(self, 2))
			damage(self);
		damage_more(self);
		if (i % 256 == 255)
			guest_state(self);
	}
}

/* Calls on a page that others write to meanwhile. */
static void attack_race(struct self *self)
{
	if (self->id == 0)
		guest_memory();
	meet(self);
	while (goes_on(self)) {
		if (self->id & 1) {
			scribble_word(self, any_page(self));
			continue;
		}
		gate_state_load((uint32_t)random_next(self) & GROUPS);
		gate_call4((enum gate_call)(GATE_STATE_LOAD +
					    random_next(self) % 11),
			   random_next(self) % PAGE_SIZE,
			   random_next(self) % PAGE_SIZE, random_next(self),
			   random_next(self) % PAGE_SIZE);
	}
}

static void answer(struct self *self)
{
	struct gate_page *page = self->page;

	page->extint = (uint32_t)random_next(self) % 0x1000;
	page->halt = one_in(self, 16);
	if (one_in(self, 4)) {
		page->inject.is_valid = true;
		page->inject.vector = (uint8_t)(random_next(self) % 21);
	}
	if (one_in(self, 8))
		guest_state(self);
	page->state.rflags = one_in(self, 2) ? 0x202 : 2;
	page->state.rip = PAGE_SIZE + random_next(self) % 0x800 * 16;
}

static void disturb(struct self *self)
{
	uint64_t to = 0xfee00000 | (random_next(self) & 0xf) << 12;

	switch (random_next(self) % 8) {
	case 0:
		gate_msi(to, 0x400); /* NMI */
		break;
	case 1:
		gate_msi(to, (uint32_t)random_next(self) % 256);
		break;
	case 2:
		gate_call(GATE_INTR, 0, 0, 0);
		break;
	case 3:
		gate_msi(to, one_in(self, 8) ? 0x500 : 0x601);
		break;
	case 4:
		gate_map(random_next(self) % 256 * PAGE_SIZE,
			 PAGE_SIZE << random_next(self) % 4,
			 random_next(self) % 256 * PAGE_SIZE,
			 (enum gate_map)(random_next(self) % GATE_MAP_COUNT));
		break;
	case 5:
		gate_timer(now_ns() + random_next(self) % (100 * NS_PER_US));
		break;
	case 6:
		if (one_in(self, 64))
			gate_reset();
		break;
	default:
		spin_ns(random_next(self) % (20 * NS_PER_US));
		break;
	}
}

/* Guests that run while siblings do everything to them. */
static void attack_mix(struct self *self)
{
	/* The ender must not be asleep when the time is over. */
	bool runs = self->id != evil.ender && self->id % 2 == evil.ender % 2;

	if (self->id == 0)
		guest_memory();
	meet(self);
	if (self->vcpus <= 2)
		runs = self->id != evil.ender;
	if (runs)
		guest_state(self);
	while (goes_on(self)) {
		if (runs) {
			gate_resume();
			answer(self);
		} else {
			disturb(self);
		}
	}
}

const struct attack state_attacks[] = {
	{ "state", attack_state },
	{ "race", attack_race },
	{ "mix", attack_mix },
	{ 0 },
};
