# SPDX-License-Identifier: BSD-2-Clause

UNIT_SRCS_test_vmx_check := vmx/check.c
UNIT_SRCS_test_vmx_controls := vmx/controls.c
