# SPDX-License-Identifier: BSD-2-Clause
#
# The fuzzer of the virtio-blk driver: wild devices under it.

VIRTIO_FUZZ_SRCS := tests/fuzz/fuzz_virtio.c \
	$(addprefix drivers/,dma.c virtqueue.c virtio_pci.c virtio_blk.c \
	virtio_blk_request.c) \
	$(addprefix tests/unit/fake/virtio/,ring.c device.c blk.c)

$B/fuzz/virtio: $(VIRTIO_FUZZ_SRCS) $(wildcard drivers/*.h \
		tests/unit/fake/virtio/*.h)
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) $(FUZZ_FASTER) \
		-fno-sanitize-coverage=indirect-calls -o $@ $(VIRTIO_FUZZ_SRCS)

.PHONY: fuzz-virtio
fuzz-virtio: $B/fuzz/virtio
	@mkdir -p $B/fuzz/virtio.corpus
	$< -runs=$(RUNS) -max_len=256 -len_control=0 -entropic=0 \
		-reduce_inputs=0 -artifact_prefix=$B/fuzz/ $B/fuzz/virtio.corpus

## fuzz-virtio    put a wild device under the virtio-blk driver (RUNS=n)
