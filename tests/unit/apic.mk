# SPDX-License-Identifier: BSD-2-Clause

UNIT_SRCS_test_apic := core/apic_route.c
UNIT_SRCS_test_apic_timer := core/apic_route.c
