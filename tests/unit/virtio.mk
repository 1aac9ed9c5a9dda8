# SPDX-License-Identifier: BSD-2-Clause
# drivers/virtio*.c on a device of the tests' own, which sees each access to the
# memory that they share.

VIRTIO_TEST_SRCS := drivers/virtqueue.c tests/unit/fake/virtio/ring.c

UNIT_SRCS_test_virtqueue := $(VIRTIO_TEST_SRCS)
UNIT_FLAGS_test_virtqueue := -Itests/unit/fake/virtio

UNIT_SRCS_test_virtio_pci := drivers/virtio_pci.c \
	tests/unit/fake/virtio/ring.c tests/unit/fake/virtio/device.c
