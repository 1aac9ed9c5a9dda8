# SPDX-License-Identifier: BSD-2-Clause
# The viewer's end of the control protocol.
UNIT_SRCS_test_vnc := scripts/vnc/control.c scripts/vnc/picture.c \
	scripts/vnc/object.c
