# SPDX-License-Identifier: BSD-2-Clause
UNIT_SRCS_test_pc := $(wildcard machine/pc*.c machine/board_*.c machine/virtio_*.c) machine/extint.c machine/fault.c machine/msr_table.c
UNIT_SRCS_test_pc_firmware := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_face := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_fault := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_quirks := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_frozen := $(UNIT_SRCS_test_pc) machine/cpuid_table.c machine/cpuid_quirks.c
UNIT_SRCS_test_pc_sleep := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_pc_usb := $(UNIT_SRCS_test_pc)
UNIT_SRCS_test_board_message := machine/board_message.c
UNIT_SRCS_test_pv := $(wildcard machine/pv*.c machine/board_*.c machine/virtio_*.c)
