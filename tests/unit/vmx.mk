# SPDX-License-Identifier: BSD-2-Clause

UNIT_SRCS_test_vmx_check := scripts/entry-check/check.c
UNIT_SRCS_test_vmx_controls := $(call c_in,vmx)
UNIT_SRCS_test_vmx_refused := $(call c_in,vmx) scripts/entry-check/dump.c
UNIT_SRCS_test_vmx_run := $(call c_in,vmx)
