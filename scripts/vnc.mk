# SPDX-License-Identifier: BSD-2-Clause
# A VNC server for guests' screens, as a host program for the tool: needs
# libvncserver-dev, so that nothing but what shows screens depends on it.

VNC_SRCS := $(wildcard scripts/vnc/*.c) services/seat/link.c

$B/bulkhead-vnc: $(VNC_SRCS) $(wildcard scripts/vnc/*.h) services/seat/link.h \
		include/input.h include/compiler.h
	@mkdir -p $(@D)
	$(call say,HOSTCC)
	$Q$(HOSTCC) $(HOST) -DLINK_RECEIVE_MAX=32768 -o $@ $(VNC_SRCS) -lvncserver -pthread
