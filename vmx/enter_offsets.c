/* SPDX-License-Identifier: BSD-2-Clause */
/* What vmx/enter.asm needs besides struct x86_state; see include/offsets.h. */
#include "include/offsets.h"
#include "vmx/hardware.h"

void vmx_enter_offsets(void);
void vmx_enter_offsets(void)
{
	CONSTANT(VMX_HOST_RSP, VMCS_HOST_RSP);
}
