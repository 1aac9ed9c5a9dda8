# SPDX-License-Identifier: BSD-2-Clause
# drivers/virtio*.c on a device of the tests' own, which sees each access to the
# memory that they share.

VIRTIO_TEST_SRCS := drivers/virtqueue.c tests/unit/fake/virtio/ring.c

UNIT_SRCS_test_virtqueue := $(VIRTIO_TEST_SRCS)
UNIT_FLAGS_test_virtqueue := -Itests/unit/fake/virtio

UNIT_SRCS_test_virtio_pci := drivers/virtio_pci.c \
	tests/unit/fake/virtio/ring.c tests/unit/fake/virtio/device.c

VIRTIO_BLK_TESTS := test_virtio_blk test_virtio_blk_lies
VIRTIO_BLK_SRCS := $(addprefix drivers/,virtqueue.c virtio_pci.c virtio_blk.c \
	virtio_blk_request.c) \
	$(addprefix tests/unit/fake/virtio/,ring.c device.c blk.c)

$(foreach t,$(VIRTIO_BLK_TESTS),$(eval UNIT_SRCS_$t := $(VIRTIO_BLK_SRCS)))

# The drive that services/disk makes of it.
UNIT_SRCS_test_virtio_drive := $(VIRTIO_BLK_SRCS)

# services/disk as a whole, on a gate of the test's own.
UNIT_SRCS_test_disk_main := $(VIRTIO_BLK_SRCS) services/pci_gate.c
UNIT_FLAGS_test_disk_main := -Itests/unit/fake/disk

UNIT_SRCS_test_virtio_console := $(addprefix drivers/,virtqueue.c virtio_pci.c \
	virtio_console.c) $(addprefix tests/unit/fake/virtio/,ring.c device.c)
