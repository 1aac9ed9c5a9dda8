# SPDX-License-Identifier: BSD-2-Clause
# services/seat's loop of events on a gate of the test's own.

UNIT_SRCS_test_seat_main := services/seat/main.c services/seat/carriers.c \
	services/seat/local.c lib/user/vsock_ways.c \
	services/pci_gate.c $(addprefix drivers/,virtqueue.c virtio_pci.c \
	virtio_console.c ps2.c bochs_display.c vga_text.c)
UNIT_FLAGS_test_seat_main := -Itests/unit/fake/seat

# What carries the control protocol, its drivers being the test's.
UNIT_SRCS_test_seat_carriers := services/seat/carriers.c services/pci_gate.c
UNIT_FLAGS_test_seat_carriers := -Itests/unit/fake/seat

# Drivers of a host's display, keyboard and mouse.
UNIT_SRCS_test_host_ps2 := drivers/ps2.c
UNIT_SRCS_test_bochs_display := drivers/bochs_display.c
UNIT_SRCS_test_framebuffer := drivers/vga_text.c
