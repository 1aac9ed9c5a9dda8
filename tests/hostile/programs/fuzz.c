/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The concurrent fuzzer of the gate: every vCPU makes random calls, half of
 * them ones that look right, and scribbles over everybody's shared page.  The
 * seed makes each vCPU's own sequence; on a host of one CPU that counts
 * instructions the whole run repeats.
 */
#include "tests/hostile/programs/evil.h"

#define GROUPS	     0x7f
#define NS_PER_US    1000ULL
#define SCRIBBLE_MAX 16
#define RARE	     200 /* what fills the log, or takes long */
#define MSI_ADDRESS  0xfee00000
#define STATE_RARE   256
#define STATE_WORDS  (offsetof(struct gate_page, exit) / 8)
#define OTHER_WORDS  (PAGE_SIZE / 8 - STATE_WORDS)

typedef long (*fuzz_fn)(struct self *self);

static long call_state(struct self *self)
{
	gate_state_load((uint32_t)random_next(self) & GROUPS);
	return 0;
}

static long call_line(struct self *self)
{
	return gate_call(GATE_LINE, random_next(self) % 2,
			 random_next(self) & 1, 0);
}

static long call_msi(struct self *self)
{
	static const uint32_t modes[] = { 0,	 0x100, 0x400, 0x500,
					  0x601, 0x700, 0xc000 };
	uint32_t mode = modes[random_next(self) % ARRAY_SIZE(modes)];

	if (mode != 0x601)
		mode |= (uint32_t)random_next(self) & 0xff;
	return gate_call(GATE_MSI,
			 MSI_ADDRESS | (random_next(self) & 0x1f) << 12 |
				 (random_next(self) & 0xc),
			 mode, 0);
}

static long call_apic(struct self *self)
{
	uint64_t reg = random_next(self) & 0xff0;

	if (one_in(self, 2))
		return gate_call(GATE_APIC_READ, reg, 0, 0);
	return gate_call(GATE_APIC_WRITE, reg, random_argument(self), 0);
}

static long call_timer(struct self *self)
{
	return gate_call(GATE_TIMER,
			 now_ns() + random_next(self) % (200 * NS_PER_US), 0,
			 0);
}

/* Calls of include/domain.h and grant.h with the shapes of arguments that init
 * gives. */
static long call_domain(struct self *self)
{
	uint64_t call = GATE_IRQ_ACK +
			random_next(self) % (GATE_CALL_COUNT - GATE_IRQ_ACK);
	uint64_t buffer = (uint64_t)any_page(self);
	uint64_t small = random_next(self) % 40;

	if (one_in(self, 2))
		return gate_call4((enum gate_call)call, small, buffer,
				  random_next(self) % 40, 512);
	return gate_call4((enum gate_call)call, small, GATE_PROGRAM_BASE,
			  buffer, random_next(self) % 512);
}

static long call_event(struct self *self)
{
	uint64_t slot = random_next(self) % 64;

	switch (random_next(self) % 7) {
	case 0:
		return gate_wake((unsigned)random_next(self) %
				 (self->vcpus + 1));
	case 1:
		return gate_event_route((unsigned)random_next(self) % 64,
					(unsigned)random_next(self) %
						(self->vcpus + 1));
	case 2:
		return gate_doorbell((unsigned)slot);
	case 3:
		return gate_channel_state((unsigned)slot);
	case 4:
		return gate_channel_detach((unsigned)slot);
	case 5:
		return gate_port_write_string((uint16_t)random_next(self),
					      any_page(self), slot);
	default:
		return gate_port_read((uint16_t)random_next(self), 1);
	}
}

static long call_map(struct self *self)
{
	uint64_t gpa = random_next(self) % 4096 << PAGE_SHIFT;
	uint64_t length = PAGE_SIZE << random_next(self) % 12;
	uint64_t offset = random_next(self) % 2048 << PAGE_SHIFT;

	if (one_in(self, 8))
		gpa <<= random_next(self) % 22;
	return gate_call(GATE_MAP, gpa, length,
			 offset | random_next(self) % GATE_MAP_COUNT);
}

static long call_text(struct self *self)
{
	if (one_in(self, RARE))
		SAY("fuzz: vCPU %u at %lx", self->id, self->random);
	return 0;
}

static long call_msr(struct self *self)
{
	static const uint32_t bases[] = {
		0x10,  0x1b,  0x170, 0x200, 0x277,	0x6e0,
		0x800, 0x830, 0xd90, 0xc00, 0xc0000080, 0xc0000100
	};
	uint32_t msr = bases[random_next(self) % ARRAY_SIZE(bases)] +
		       (uint32_t)random_next(self) % 16;

	if (one_in(self, 2))
		return gate_call(GATE_MSR_READ, msr, 0, 0);
	return gate_call(GATE_MSR_WRITE, msr, random_argument(self), 0);
}

static long call_other(struct self *self)
{
	switch (random_next(self) % 4) {
	case 0:
		return gate_call(GATE_CPUID, random_argument(self),
				 random_next(self) % 32, 0);
	case 1:
		return gate_call(GATE_XCR0_SET, random_next(self) % 8, 0, 0);
	case 2:
		return one_in(self, 16) ? gate_call(GATE_RESET, 0, 0, 0) : 0;
	default:
		return gate_call(GATE_YIELD, 0, 0, 0);
	}
}

/*
 * The guest.  The ender must never sleep for ever, and a sibling may take the
 * event that would wake it: it runs its guest only when it is alone.
 */
static long call_resume(struct self *self)
{
	if (self->id == evil.ender && self->vcpus > 1)
		return 0;
	if (one_in(self, 4))
		guest_state(self);
	gate_timer(now_ns() + 20 * NS_PER_US);
	/* See spare_the_simulator() in state.c. */
	if (!(self->page->state.cr4 & X86_CR4_PAE))
		self->page->state.efer &=
			~(uint64_t)(X86_EFER_LME | X86_EFER_LMA);
	return gate_call(GATE_RESUME, 0, 0, 0);
}

static const fuzz_fn good_calls[] = {
	call_state, call_line, call_msi,   call_apic,	call_timer, call_map,
	call_text,  call_msr,  call_other, call_resume, call_event, call_domain,
};

/*
 * Those that end the program or sleep for ever.
 */
static bool is_harmful(uint64_t call)
{
	return call == GATE_RESUME || call == GATE_EXIT || call == GATE_WAIT;
}

static void wild_call(struct self *self)
{
	uint64_t call = random_next(self) % (GATE_CALL_COUNT + 2);
	uint64_t a = random_argument(self);

	if (is_harmful(call))
		return;
	if ((call == GATE_LOG || call == GATE_RESET) && !one_in(self, RARE))
		return;
	gate_call4((enum gate_call)call, a, random_argument(self),
		   random_third(self, (enum gate_call)call),
		   random_argument(self));
}

static void scribble(struct self *self)
{
	struct gate_page *page = any_page(self);
	volatile uint64_t *words = (volatile uint64_t *)page;
	uint64_t count = 1 + random_next(self) % SCRIBBLE_MAX;

	/* A state that the processor refuses ends the VM, and the fuzzing. */
	if (one_in(self, STATE_RARE)) {
		scribble_word(self, page);
		return;
	}
	while (count--)
		words[STATE_WORDS + random_next(self) % OTHER_WORDS] =
			random_argument(self);
}

/* Siblings that wait for a SIPI or an event go on. */
static void wake_all(struct self *self)
{
	for (unsigned i = 0; i < self->vcpus; i++) {
		if (i == self->id)
			continue;
		gate_msi(MSI_ADDRESS | (uint64_t)i << 12, 0x500);
		gate_msi(MSI_ADDRESS | (uint64_t)i << 12, 0x601);
	}
}

static void attack_fuzz(struct self *self)
{
	uint64_t rounds = 0;

	if (self->id == 0)
		guest_memory();
	meet(self);
	for (; goes_on(self); rounds++) {
		uint64_t kind = random_next(self) % 16;

		if (kind < 8)
			good_calls[random_next(self) % ARRAY_SIZE(good_calls)](
				self);
		else if (kind < 13)
			wild_call(self);
		else
			scribble(self);
		if (self->id == evil.ender && rounds % 256 == 255) {
			wake_all(self);
			guest_memory();
		}
	}
	SAY("fuzz: %lu rounds on vCPU %u, seed %lu", rounds, self->id,
	    evil.seed);
}

const struct attack fuzz_attacks[] = {
	{ "fuzz", attack_fuzz },
	{ 0 },
};
