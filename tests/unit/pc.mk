# SPDX-License-Identifier: BSD-2-Clause
UNIT_SRCS_test_pc := machine/pc.c machine/pc_boot.c machine/pc_devices.c \
	machine/pc_memory.c machine/extint.c machine/msr_table.c
