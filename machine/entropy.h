/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes for a guest: RDSEED's and RDRAND's where the processor has them.
 * Else, and mixed with them always, a generator (ChaCha20's block function over
 * a key that each block replaces), whose key has in it when, by the TSC, it was
 * asked each time: a processor without RDRAND gives little to begin with, and
 * the machine says so in the log.
 *
 * References: SDM volume 1, "Random Number Generator Instructions"; RFC 8439,
 * "ChaCha20 and Poly1305 for IETF Protocols".
 *
 * Locking: the machine's lock.
 */
#ifndef BULKHEAD_MACHINE_ENTROPY_H
#define BULKHEAD_MACHINE_ENTROPY_H

#include "include/compiler.h"

struct machine_entropy {
	bool has_rdrand, has_rdseed;
	uint32_t key[8];
	uint64_t count;
};

void machine_entropy_init(struct machine_entropy *entropy);
/* False: there is no RDRAND. */
static inline bool
machine_entropy_is_good(const struct machine_entropy *entropy)
{
	return entropy->has_rdrand || entropy->has_rdseed;
}
void machine_entropy(struct machine_entropy *entropy, void *to, size_t size);

#endif
