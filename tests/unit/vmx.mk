# SPDX-License-Identifier: BSD-2-Clause

UNIT_SRCS_test_vmx_check := vmx/check.c
UNIT_SRCS_test_vmx_controls := vmx/controls.c
UNIT_SRCS_test_vmx_run := vmx/check.c vmx/controls.c vmx/emulate.c vmx/event.c \
	vmx/exit.c vmx/msr.c vmx/state.c vmx/vmcs.c
