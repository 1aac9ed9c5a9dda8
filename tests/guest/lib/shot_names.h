/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short names for tables of shots, one case a line: include it last.
 */
#ifndef BULKHEAD_TESTS_SHOT_NAMES_H
#define BULKHEAD_TESTS_SHOT_NAMES_H

#include "tests/guest/lib/shot.h"

#define S   SEL_SHOT
#define END SHOT_END
#define UD  X86_VECTOR_UD
#define DF  X86_VECTOR_DF
#define TS  X86_VECTOR_TS
#define NP  X86_VECTOR_NP
#define SS  X86_VECTOR_SS
#define GP  X86_VECTOR_GP
#define PF  X86_VECTOR_PF
#define AC  X86_VECTOR_AC

#endif
