# SPDX-License-Identifier: BSD-2-Clause

UNIT_SRCS_test_apic := cpumodel/apic_route.c
UNIT_SRCS_test_apic_many := cpumodel/apic_route.c
UNIT_SRCS_test_apic_timer := cpumodel/apic_route.c
