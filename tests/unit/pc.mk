# SPDX-License-Identifier: BSD-2-Clause
UNIT_SRCS_test_pc := $(wildcard machine/pc*.c) machine/extint.c machine/msr_table.c
UNIT_SRCS_test_pc_firmware := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_face := $(UNIT_SRCS_test_pc)
