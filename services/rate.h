/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A token bucket, kept as the instant at which it would be full: rate tokens a
 * second, burst of them at most.  What costs more than a burst passes when the
 * bucket is full, and the next waits for it.  Pure.
 *
 * References: ITU-T I.371, "Generic cell rate algorithm" (virtual scheduling).
 */
#ifndef BULKHEAD_SERVICES_RATE_H
#define BULKHEAD_SERVICES_RATE_H

#include "include/compiler.h"

#define RATE_MAX BIT(33) /* tokens a second; of a burst */

struct rate {
	uint64_t per_s;	   /* 0: no limit */
	uint64_t burst_ns; /* the time that a burst takes to fill */
	uint64_t full_ns;
};

/* What so many tokens, at most RATE_MAX, take to come. */
static inline uint64_t rate_ns(const struct rate *rate, uint64_t tokens)
{
	return tokens / rate->per_s * NSEC_PER_SEC +
	       tokens % rate->per_s * NSEC_PER_SEC / rate->per_s;
}

/* Both are at most RATE_MAX; a burst of 0 is a tenth of a second's. */
static inline void rate_init(struct rate *rate, uint64_t per_s, uint64_t burst)
{
	*rate = (struct rate){ .per_s = per_s };
	if (per_s)
		rate->burst_ns =
			burst ? rate_ns(rate, burst) : NSEC_PER_SEC / 10;
}

/* When so many tokens are there, or a burst if that is less: 0, now. */
static inline uint64_t rate_wait(const struct rate *rate, uint64_t tokens,
				 uint64_t now_ns)
{
	uint64_t early_ns;

	if (!rate->per_s)
		return 0;
	early_ns = rate->burst_ns - MIN(rate_ns(rate, tokens), rate->burst_ns);
	return rate->full_ns <= now_ns + early_ns ? 0
						  : rate->full_ns - early_ns;
}

static inline void rate_take(struct rate *rate, uint64_t tokens,
			     uint64_t now_ns)
{
	if (rate->per_s)
		rate->full_ns =
			MAX(rate->full_ns, now_ns) + rate_ns(rate, tokens);
}

#endif
