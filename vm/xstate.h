/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An XSAVE area that a machine wrote, made one that this processor takes:
 * FXRSTOR and XRSTOR raise #GP in ring 0 for bits that it does not know.
 *
 * References: SDM volume 1, "Guidelines for Writing to the MXCSR Register",
 * "Operation of XRSTOR".
 */
#ifndef BULKHEAD_VM_XSTATE_H
#define BULKHEAD_VM_XSTATE_H

#include "include/x86_state.h"
#include "lib/string.h"

/* MXCSR_MASK of processors that store none: all bits but DAZ. */
#define XSTATE_MXCSR_DEFAULT 0xffbfu

/* The MXCSR bits of the processor that stored area by FXSAVE. */
static inline uint32_t xstate_mxcsr_mask(const struct x86_xstate *area)
{
	return area->mxcsr_mask ? area->mxcsr_mask : XSTATE_MXCSR_DEFAULT;
}

static inline void xstate_sanitize(struct x86_xstate *area, uint64_t xcr0_mask,
				   uint32_t mxcsr_mask)
{
	area->mxcsr &= mxcsr_mask;
	/* FXSAVE, without XSAVE, knows of no component that is not there. */
	area->xstate_bv = xcr0_mask ? area->xstate_bv & xcr0_mask
				    : X86_XCR0_X87 | X86_XCR0_SSE;
	area->xcomp_bv = 0;
	memset(area->reserved2, 0, sizeof(area->reserved2));
}

#endif
