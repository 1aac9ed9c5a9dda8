/* SPDX-License-Identifier: BSD-2-Clause */
/* Which life it is, and what all attacks use: see fake.h. */
#include "tests/hostile/fake/fake.h"

#include "lib/string.h"

#define ATTACK_MS 60
#define NS_PER_MS 1000000ULL

void program_main(unsigned thread);

void store(uint32_t *word, uint64_t value)
{
	__atomic_store_n(word, (uint32_t)value, __ATOMIC_SEQ_CST);
}

void scribble(struct self *self, void *memory, uint64_t size)
{
	volatile uint8_t *bytes = memory;

	for (unsigned i = 0; i < 64; i++)
		bytes[random_next(self) % size] = (uint8_t)random_next(self);
}

void random_fill(struct self *self, void *memory, uint64_t size)
{
	uint8_t *bytes = memory;

	for (uint64_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)random_next(self);
}

void lengths_fill(struct self *self, struct ring_shared *shared, void *data,
		  uint32_t size)
{
	uint32_t *words = data;

	for (unsigned i = 0; i < size / sizeof(*words); i++)
		words[i] = (uint32_t)random_next(self) | 1;
	store(&shared->produced, shared->produced + size / 2);
}

__noreturn void crash(void)
{
	volatile uint32_t *volatile nowhere = NULL;

	for (;;)
		*nowhere = 0; /* cppcheck-suppress nullPointer */
}

__noreturn void spin_for_ever(void)
{
	for (;;)
		(void)gate_wait();
}

void try_rights(struct self *self)
{
	for (const struct attack *a = right_attacks; a->name; a++)
		if (!strcmp(a->name, "rights"))
			a->run(self);
}

void program_main(unsigned thread)
{
	struct self self = { .id = thread, .vcpus = 1 };

	evil.life = fake_life();
	self.random = 0x9e3779b97f4a7c15ULL + evil.life;
	SAY("life %u begins", evil.life);
	evil.duration_ns = ATTACK_MS * NS_PER_MS;
	evil.end_ns = now_ns() + evil.duration_ns;
	if (evil.life >= fake.lives)
		service_main(thread);
	else
		fake.attack(&self);
	crash();
}
