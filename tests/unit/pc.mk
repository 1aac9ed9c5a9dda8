# SPDX-License-Identifier: BSD-2-Clause
UNIT_SRCS_test_pc := $(wildcard machine/pc*.c) machine/extint.c machine/fault.c machine/msr_table.c
UNIT_SRCS_test_pc_firmware := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_face := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_fault := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_quirks := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_frozen := $(UNIT_SRCS_test_pc) machine/cpuid_table.c machine/cpuid_quirks.c
UNIT_SRCS_test_pc_sleep := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_usb := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_message := machine/pc_message.c
