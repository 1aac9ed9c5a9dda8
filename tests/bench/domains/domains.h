/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two programs of the benchmark share: a channel's memory. */
#ifndef BULKHEAD_TESTS_BENCH_DOMAINS_H
#define BULKHEAD_TESTS_BENCH_DOMAINS_H

#include <stdint.h>

#define PING_SLOT 2
#define PONG_SLOT 3

struct domains_page {
	volatile uint32_t yields; /* pong: instead of answering doorbells */
};

#endif
