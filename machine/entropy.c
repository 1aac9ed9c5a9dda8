/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes for a guest: machine/entropy.h. */
#include "machine/entropy.h"

#define TRIES	     16 /* RDRAND may be out of them for a moment */
#define KEY_WORDS    8
#define CPUID_RDRAND BIT(30) /* leaf 1, ECX */
#define CPUID_RDSEED BIT(18) /* leaf 7, EBX */

enum { EAX, EBX, ECX, EDX };

static void cpuid(uint32_t leaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[EAX]), "=b"(regs[EBX]), "=c"(regs[ECX]),
			   "=d"(regs[EDX])
			 : "a"(leaf), "c"(0));
}

static bool from_processor(const struct machine_entropy *entropy,
			   uint64_t *value)
{
	bool is_there = false;

	for (unsigned i = 0; entropy->has_rdseed && i < TRIES && !is_there; i++)
		__asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(is_there));
	for (unsigned i = 0; entropy->has_rdrand && i < TRIES && !is_there; i++)
		__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(is_there));
	return is_there;
}

/* ---- ChaCha20 ------------------------------------------------------------ */

static uint32_t rotate(uint32_t value, unsigned by)
{
	return value << by | value >> (32 - by);
}

static void quarter(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotate(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotate(x[b] ^ x[c], 7);
}

static void block(const struct machine_entropy *entropy, uint32_t out[16])
{
	const uint32_t in[16] = {
		0x61707865,
		0x3320646e,
		0x79622d32,
		0x6b206574,
		entropy->key[0],
		entropy->key[1],
		entropy->key[2],
		entropy->key[3],
		entropy->key[4],
		entropy->key[5],
		entropy->key[6],
		entropy->key[7],
		(uint32_t)entropy->count,
		(uint32_t)(entropy->count >> 32),
	};

	__builtin_memcpy(out, in, sizeof(in));
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned j = 0; j < 4; j++)
			quarter(out, j, 4 + j, 8 + j, 12 + j);
		for (unsigned j = 0; j < 4; j++)
			quarter(out, j, 4 + (j + 1) % 4, 8 + (j + 2) % 4,
				12 + (j + 3) % 4);
	}
	for (unsigned i = 0; i < 16; i++)
		out[i] += in[i];
}

/* ---- Bytes --------------------------------------------------------------- */

/* What is known to nobody else, into the key. */
static void stir(struct machine_entropy *entropy)
{
	for (unsigned i = 0; i < KEY_WORDS; i += 2) {
		uint64_t value = 0;

		if (!from_processor(entropy, &value))
			value = __builtin_ia32_rdtsc();
		entropy->key[i] ^= (uint32_t)value;
		entropy->key[i + 1] ^= (uint32_t)(value >> 32);
	}
}

void machine_entropy_init(struct machine_entropy *entropy)
{
	uint32_t regs[4];

	cpuid(0, regs);
	if (regs[EAX] >= 7) {
		cpuid(7, regs);
		entropy->has_rdseed = regs[EBX] & CPUID_RDSEED;
	}
	cpuid(1, regs);
	entropy->has_rdrand = regs[ECX] & CPUID_RDRAND;
}

void machine_entropy(struct machine_entropy *entropy, void *to, size_t size)
{
	uint8_t *at = to;

	stir(entropy);
	while (size) {
		uint32_t out[16];
		size_t n = MIN(size, sizeof(out) - sizeof(entropy->key));

		block(entropy, out);
		entropy->count++;
		/* Who learns of a later key does not learn what was given. */
		__builtin_memcpy(entropy->key, out, sizeof(entropy->key));
		__builtin_memcpy(at, out + KEY_WORDS, n);
		at += n;
		size -= n;
	}
}
