/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the processor that a test runs on has, so that the emulator has no more:
 * much is executed by it.
 */
#ifndef BULKHEAD_TESTS_EMULATE_HOST_H
#define BULKHEAD_TESTS_EMULATE_HOST_H

#include "include/emulate.h"

#include <cpuid.h>

static inline uint64_t host_features(void)
{
	static const struct {
		uint32_t leaf;
		uint8_t reg, bit;
		uint64_t feature;
	} rows[] = {
		{ 1, 2, 22, EMUL_FEATURE_MOVBE },
		{ 1, 2, 23, EMUL_FEATURE_POPCNT },
		{ 1, 2, 0, EMUL_FEATURE_SSE3 },
		{ 1, 2, 9, EMUL_FEATURE_SSSE3 },
		{ 1, 2, 19, EMUL_FEATURE_SSE41 },
		{ 1, 2, 20, EMUL_FEATURE_SSE42 },
		{ 1, 2, 25, EMUL_FEATURE_AES },
		{ 1, 2, 1, EMUL_FEATURE_PCLMUL },
		{ 1, 2, 28, EMUL_FEATURE_AVX },
		{ 1, 2, 29, EMUL_FEATURE_F16C },
		{ 1, 2, 12, EMUL_FEATURE_FMA },
		{ 7, 1, 5, EMUL_FEATURE_AVX2 },
		{ 7, 1, 3, EMUL_FEATURE_BMI1 },
		{ 7, 1, 8, EMUL_FEATURE_BMI2 },
		{ 7, 1, 19, EMUL_FEATURE_ADX },
		{ 7, 1, 10, EMUL_FEATURE_INVPCID },
		{ 7, 1, 29, EMUL_FEATURE_SHA },
		{ 7, 2, 8, EMUL_FEATURE_GFNI },
		{ 7, 2, 9, EMUL_FEATURE_VAES },
		{ 7, 2, 10, EMUL_FEATURE_VPCLMUL },
		{ 7, 2, 27, EMUL_FEATURE_MOVDIRI },
		{ 7, 2, 28, EMUL_FEATURE_MOVDIR64B },
		{ 0x80000001, 2, 5, EMUL_FEATURE_LZCNT },
	};
	unsigned r[4];
	uint64_t features = 0;

	__cpuid(0, r[0], r[1], r[2], r[3]);
	if (r[1] == signature_INTEL_ebx)
		features |= EMUL_FEATURE_INTEL;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		__cpuid_count(rows[i].leaf, 0, r[0], r[1], r[2], r[3]);
		if (r[rows[i].reg] >> rows[i].bit & 1)
			features |= rows[i].feature;
	}
	return features;
}

#endif
