# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of networks boot: Debian's kernel with an initial RAM disk.

# Whose server has which card, and whose client.
NET_MODELS := e1000-e1000 e1000-rtl8139 rtl8139-rtl8139 rtl8139-pcnet pcnet-e1000 \
	pcnet-pcnet ne2000-pci-e1000 e1000e-e1000 rtl8139-e1000e e1000e-e1000e virtio-e1000 \
	virtio-rtl8139 virtio-virtio
# Whose cable is pulled; the 82540EM's is in the suite.
NET_CABLES := rtl8139 pcnet ne2000-pci e1000e virtio
# 103 MB each way, and as many pings.
NET_LINES ?= 13000000
NET_PINGS ?= 5000

$B/net/nbp: tests/net/nbp.asm
	@mkdir -p $(@D)
	$(NASM) -f bin -o $@ $<

$B/net/vsock: tests/net/vsock.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 $(WARN) -static -o $@ $<

$B/net/control: tests/net/control.c tests/unit/link_test.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -I. $(WARN) -static -o $@ $<

$B/net/linux.cpio: tests/net/mkguest tests/net/init $B/net/nbp $B/net/vsock \
		$B/net/control scripts/mkinitrd scripts/kernel-modules $B/kernel/version
	tests/net/mkguest $B/kernel $B/net/nbp $B/net/vsock $B/net/control $@

.PHONY: net-programs
net-programs: $B/net/linux.cpio $B/bench/vmlinux $(filter-out %-i386.img,$(MIXED))

# Each model by itself, and with each other; and their cables.
.PHONY: net-matrix
net-matrix: net-programs all $B/manifest-check
	for models in $(NET_MODELS); do \
		NET_SECONDS=7200 BULKHEAD_BUILD=$B tests/net/linux.test \
			$${models%-*} $${models##*-} $(NET_LINES) $(NET_PINGS) || \
			{ echo "FAIL $$models"; exit 1; }; \
		echo "PASS $$models"; \
	done
	for model in $(NET_CABLES); do \
		BULKHEAD_BUILD=$B tests/net/cable.test $$model || \
			{ echo "FAIL the cable of $$model"; exit 1; }; \
		echo "PASS the cable of $$model"; \
	done

## net-matrix     100 MB each way between two Linux guests, of each pair of cards:
##                and their cables pulled: hours (NET_LINES=150000 NET_PINGS=100: minutes)
## net-programs   what the tests of networks boot: build/net/
