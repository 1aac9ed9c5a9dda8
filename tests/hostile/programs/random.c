/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chance that repeats: each vCPU's numbers follow from the seed alone.
 */
#include "tests/hostile/programs/evil.h"

/* xorshift64* */
uint64_t random_next(struct self *self)
{
	self->random ^= self->random >> 12;
	self->random ^= self->random << 25;
	self->random ^= self->random >> 27;
	return self->random * 0x2545f4914f6cdd1dULL;
}

bool one_in(struct self *self, unsigned n)
{
	return random_next(self) % n == 0;
}

uint64_t random_argument(struct self *self)
{
	static const uint64_t border[] = {
		0,
		1,
		PAGE_SIZE,
		PAGE_2M,
		1ULL << 46,
		GATE_PROGRAM_BASE,
		GATE_PAGE_VA(0),
		GATE_PAGE_VA(GATE_MAX_VCPUS),
		GATE_STACK_TOP(0),
		GATE_WINDOW_VA,
		GATE_CONFIG_VA,
		GATE_MODULE_VA,
		GATE_ARGUMENT_VA,
		GATE_CHANNEL_VA(0),
		GATE_CHANNEL_MEMORY_VA(0),
		GATE_DEVICE_BAR_VA(0, 0),
		GATE_DEVICE_DMA_VA(GATE_DEVICES_MAX - 1),
		GATE_FS_VA,
		0x00007ffffffff000ULL,
		0x00007fffffffffffULL,
		0x0000800000000000ULL,
		0xffff800000000000ULL,
		0xffffffff80000000ULL,
		0xffffffffffffffffULL,
		0x7fffffffffffffffULL,
		0x80000000ULL,
		0x100000000ULL,
	};
	uint64_t value = random_next(self);

	if (value & 1)
		return border[(value >> 8) % ARRAY_SIZE(border)] +
		       ((value >> 16) % 3 - 1) * ((value >> 24) % 4096);
	return random_next(self) >> (value >> 8) % 64;
}

uint64_t random_third(struct self *self, enum gate_call call)
{
	static uint8_t answer[PAGE_SIZE];
	uint64_t value = random_argument(self);

	if (call == GATE_CPUID_FACTS && !(value >> 47))
		value = (uint64_t)answer + random_next(self) % PAGE_SIZE / 2;
	return value;
}

void scribble_word(struct self *self, struct gate_page *page)
{
	volatile uint64_t *words = (volatile uint64_t *)page;

	words[random_next(self) % (PAGE_SIZE / 8)] = random_argument(self);
}

void scribble_page(struct self *self, struct gate_page *page)
{
	volatile uint64_t *words = (volatile uint64_t *)page;

	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		words[i] = random_argument(self);
}
