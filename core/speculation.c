/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the measures against speculation between domains this processor
 * needs.
 *
 * References: SDM volume 4, "IA32_ARCH_CAPABILITIES"; APM volume 2,
 * "Speculation Control MSRs".
 */
#include "core/speculation.h"

#include "lib/string.h"

void speculation_init(struct speculation *speculation, bool is_on)
{
	memset(speculation, 0, sizeof(*speculation));
	(void)is_on;
}
