/* SPDX-License-Identifier: BSD-2-Clause */
/* Which life it is, and what all attacks use: see fake.h. */
#include "tests/hostile/disk/fake.h"

#define ATTACK_MS 60
#define NS_PER_MS 1000000ULL

/* Bound when linked. */
disk_attack_fn disk_attack;
/* services/disk/main.c's program_main(). */
void disk_main(unsigned thread);
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

__noreturn void crash(void)
{
	volatile uint32_t *volatile nowhere = NULL;

	for (;;)
		*nowhere = 0; /* cppcheck-suppress nullPointer */
}

void spin_for_ever(void)
{
	for (;;)
		(void)gate_wait();
}

void program_main(unsigned thread)
{
	const struct disk_argument *argument = gate_argument();
	uint32_t life = argument->start - 1;
	struct self self = {
		.id = thread,
		.vcpus = 1,
		.random = 0x9e3779b97f4a7c15ULL + life,
	};

	SAY("life %u begins", life);
	evil.duration_ns = ATTACK_MS * NS_PER_MS;
	evil.end_ns = now_ns() + evil.duration_ns;
	if (disk_attack(&self, life))
		SAY("FAIL the attack came back");
	disk_main(thread);
}
