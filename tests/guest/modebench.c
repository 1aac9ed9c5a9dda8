/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What exits cost a guest outside of long mode, for scripts/bench: 32-bit code
 * without paging, with tables of two levels and with PAE's, and real mode.
 * Lines as exitbench prints them, of the operations of the same names there;
 * times are ticks of the TSC, without what the two RDTSCs take.
 */
#include "tests/guest/lib/modes.h"

#include "lib/string.h"

#define ROUNDS 32

static const char *const ops[] = { "empty",	      "cpuid.0",
				   "in.pit.40",	      "lapic.read",
				   "lapic.write.tpr", "mmio.none.read",
				   "mmio.none.write" };
#define OPS ARRAY_SIZE(ops)

/* Of modebench_code.asm. */
void bench32(void);
extern char bench16[], bench16_end[], bench16_samples[];
extern volatile uint32_t bench_samples[OPS * ROUNDS];

static uint32_t sample[OPS * ROUNDS];
static uint32_t directory[1024] __aligned(4096);
static uint32_t tables[1024 * 1024] __aligned(4096);
static uint64_t pointers[4] __aligned(32);
static uint64_t pae_directory[4 * 512] __aligned(4096);

/* 4 GiB one to one: pages of 4 KiB, and of 2 MiB. */
static void build_two_levels(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(tables); i++)
		tables[i] = i << 12 | PTE_P | PTE_W;
	for (uint32_t i = 0; i < ARRAY_SIZE(directory); i++)
		directory[i] =
			(uint32_t)(uint64_t)&tables[1024 * i] | PTE_P | PTE_W;
}

static void build_pae(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(pointers); i++)
		pointers[i] = (uint64_t)(pae_directory + 512 * i) | PTE_P;
	for (uint64_t i = 0; i < ARRAY_SIZE(pae_directory); i++)
		pae_directory[i] = i << 21 | PTE_P | PTE_W | PTE_PS;
}

static uint32_t median(uint32_t *values)
{
	for (unsigned i = 1; i < ROUNDS; i++) {
		uint32_t value = values[i];
		unsigned j = i;

		for (; j && values[j - 1] > value; j--)
			values[j] = values[j - 1];
		values[j] = value;
	}
	return values[ROUNDS / 2];
}

static void report(const char *mode, const volatile uint32_t *samples)
{
	uint32_t empty;

	for (unsigned i = 0; i < OPS * ROUNDS; i++)
		sample[i] = samples[i];
	empty = median(sample);
	for (unsigned i = 1; i < OPS; i++) {
		uint32_t p50 = median(&sample[i * ROUNDS]) - empty;

		print("EB %s.%s min=%u p50=%u\n", ops[i], mode,
		      sample[i * ROUNDS] - empty, p50);
	}
	check(mode, empty && samples[OPS * ROUNDS - 1]);
}

void guest_main(void)
{
	modes_init();
	mode32_run(bench32, 0, 0, 0);
	report("flat", bench_samples);
	build_two_levels();
	mode32_run(bench32, (uint32_t)(uint64_t)directory, 0, 0);
	report("narrow", bench_samples);
	build_pae();
	mode32_run(bench32, (uint32_t)(uint64_t)pointers, X86_CR4_PAE, 0);
	report("pae", bench_samples);
	mode16_run(bench16, (uint32_t)(bench16_end - bench16), 0);
	report("real",
	       (const volatile uint32_t *)(MODE16_CODE +
					   (bench16_samples - bench16)));
}
