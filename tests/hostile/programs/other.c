/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks, the cheap calls, and what the monitor shows without meaning to.
 */
#include "tests/hostile/programs/evil.h"

#include "lib/string.h"

#define LEAKS_SHOWN 20

/* A disk, whatever address: the window, read-only pages, holes, ring 0. */
static void attack_copy(struct self *self)
{
	meet(self);
	while (goes_on(self)) {
		uint64_t bytes = random_next(self) % 2049 * 512;
		uint64_t address = random_argument(self);

		/* Not into the program's own data, which it needs. */
		if (address >= GATE_PROGRAM_BASE && address < GATE_PROGRAM_END)
			address += GATE_PROGRAM_END;
		if (one_in(self, 2))
			address = GATE_WINDOW_VA + random_next(self) % MIB(24);
		if (one_in(self, 16))
			bytes = random_argument(self);
		/* Stacks and gate pages lie behind one another. */
		if (address >= GATE_PAGE_VA(0) - MIB(2) &&
		    address < GATE_STACK_TOP(GATE_MAX_VCPUS))
			continue;
		if (one_in(self, 64))
			gate_call(GATE_LOG, GATE_LOG_DEBUG, address, bytes);
		gate_call(GATE_PORT_WRITE_STRING, 0x3f8, address, bytes);
	}
}

/* Calls that there are not, and those that answer at once. */
static void attack_calls(struct self *self)
{
	meet(self);
	while (goes_on(self)) {
		gate_call4((enum gate_call)random_argument(self), 0, 0, 0, 0);
		gate_call4((enum gate_call)(GATE_CALL_COUNT +
					    random_next(self) % 64),
			   random_argument(self), random_argument(self), 0, 0);
		gate_state_load((uint32_t)random_argument(self));
		gate_call(GATE_CPUID, random_argument(self),
			  random_next(self) % 64, 0);
		gate_call(GATE_MSR_READ, random_argument(self), 0, 0);
		gate_call(GATE_MSR_READ, 0xc0000080 + random_next(self) % 256,
			  0, 0);
	}
}

/* ---- Leaks ------------------------------------------------------------- */

static bool is_pointer(uint64_t value)
{
	return value >> 47 == 0x1ffff && value < 0xfffffffffffff000ULL;
}

static unsigned look_at(const char *where, const uint64_t *words, size_t count)
{
	unsigned found = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_pointer(words[i]))
			continue;
		SAY("FAIL %s +%lx holds %lx", where, i * sizeof(*words),
		    words[i]);
		if (++found == LEAKS_SHOWN)
			break;
	}
	return found;
}

static unsigned look_at_memory(void)
{
	const uint64_t *words = (const uint64_t *)GATE_WINDOW_VA;
	const struct machine_config *config = machine_config();
	uint64_t size = config->ram_size + config->vram_size + config->rom_size;

	for (uint64_t i = 0; i < size / sizeof(*words); i++) {
		if (!words[i])
			continue;
		SAY("FAIL the VM's memory +%lx holds %lx", i * 8, words[i]);
		return 1;
	}
	return 0;
}

/* Registers after a call. */
static unsigned look_at_registers(unsigned call)
{
	uint64_t r[8];

	__asm__ volatile("xor %%edi, %%edi; xor %%esi, %%esi; xor %%edx, %%edx;"
			 "xor %%r10d, %%r10d; syscall;"
			 "mov %%rdi, 0(%1); mov %%rsi, 8(%1);"
			 "mov %%rdx, 16(%1); mov %%r8, 24(%1);"
			 "mov %%r9, 32(%1); mov %%r10, 40(%1);"
			 "mov %%r11, 48(%1); mov %%rcx, 56(%1)"
			 : "+a"((uint64_t){ call })
			 : "b"(r)
			 : "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11",
			   "memory");
	return look_at("a register", r, ARRAY_SIZE(r));
}

static unsigned look_at_vectors(void)
{
	uint64_t xmm[2] = { 0 };

	__asm__ volatile("movups %%xmm5, %0" : "=m"(xmm));
	if (!xmm[0] && !xmm[1])
		return 0;
	SAY("FAIL XMM5 holds %lx %lx", xmm[1], xmm[0]);
	return 1;
}

static void attack_leak(struct self *self)
{
	unsigned found = 0;

	if (self->id != evil.ender)
		return;
	found += look_at_vectors();
	found +=
		look_at("the gate page", (uint64_t *)self->page, PAGE_SIZE / 8);
	found += look_at("the configuration", (uint64_t *)GATE_CONFIG_VA,
			 PAGE_SIZE / 8);
	found += look_at_memory();
	for (unsigned call = 0; call < GATE_CALL_COUNT + 3; call++)
		if (call != GATE_RESUME && call != GATE_EXIT &&
		    call != GATE_WAIT)
			found += look_at_registers(call);
	if (!found)
		SAY("PASS nothing of ring 0 is seen");
}

const struct attack other_attacks[] = {
	{ "copy", attack_copy },
	{ "calls", attack_calls },
	{ "leak", attack_leak },
	{ 0 },
};
