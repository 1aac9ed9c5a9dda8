/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over PCI as both sides know it: features, registers, rings.  What a
 * kind of device has of its own stands in a header of that kind.
 *
 * References: Virtual I/O Device (VIRTIO) Version 1.2, OASIS, 2.7, 2.8, 4.1, 6.
 */
#ifndef BULKHEAD_VIRTIO_H
#define BULKHEAD_VIRTIO_H

#include "include/compiler.h"

/* clang-format off */
#define VIRTIO_KIND_NET			1
#define VIRTIO_KIND_BLOCK		2
#define VIRTIO_KIND_CONSOLE		3
#define VIRTIO_KIND_ENTROPY		4
#define VIRTIO_KIND_BALLOON		5
#define VIRTIO_KIND_SCSI		8
#define VIRTIO_KIND_VSOCK		19
#define VIRTIO_KIND_PMEM		27

/* Features of any kind, as bits of the 64-bit set. */
#define VIRTIO_F_ANY_LAYOUT		BIT(27) /* legacy alone */
#define VIRTIO_F_INDIRECT_DESC		BIT(28)
#define VIRTIO_F_EVENT_IDX		BIT(29)
#define VIRTIO_F_VERSION_1		BIT(32)
#define VIRTIO_F_ACCESS_PLATFORM	BIT(33)
#define VIRTIO_F_RING_PACKED		BIT(34)
#define VIRTIO_F_IN_ORDER		BIT(35)
#define VIRTIO_F_ORDER_PLATFORM		BIT(36)
#define VIRTIO_F_NOTIFICATION_DATA	BIT(38)
#define VIRTIO_F_RING_RESET		BIT(40)

/* What an interrupt may be about: the ISR status. */
#define VIRTIO_EVENT_QUEUE		BIT(0)
#define VIRTIO_EVENT_CONFIG		BIT(1)

/* ---- Configuration space ------------------------------------------------ */

#define VIRTIO_PCI_VENDOR		0x1af4
#define VIRTIO_PCI_TRANSITIONAL		0x1000 /* its subsystem is the kind */
#define VIRTIO_PCI_MODERN		0x1040 /* and the kind */

/* A capability of a structure of registers. */
#define VIRTIO_CAP_ID			0x09
#define VIRTIO_CAP_LENGTH		2
#define VIRTIO_CAP_TYPE			3
#define   VIRTIO_CAP_COMMON		1
#define   VIRTIO_CAP_NOTIFY		2
#define   VIRTIO_CAP_ISR		3
#define   VIRTIO_CAP_DEVICE		4
#define   VIRTIO_CAP_PCI		5
#define VIRTIO_CAP_BAR			4
#define VIRTIO_CAP_AREA			8
#define VIRTIO_CAP_AREA_SIZE		12
#define VIRTIO_CAP_SIZE			16
#define VIRTIO_CAP_MULTIPLIER		16 /* of VIRTIO_CAP_NOTIFY */
#define VIRTIO_CAP_NOTIFY_SIZE		20
#define VIRTIO_CAP_DATA			16 /* of VIRTIO_CAP_PCI */
#define VIRTIO_CAP_PCI_SIZE		20

/* ---- The common registers ----------------------------------------------- */

#define VIRTIO_COMMON_OFFERED_SELECT	0x00
#define VIRTIO_COMMON_OFFERED		0x04
#define VIRTIO_COMMON_ACCEPTED_SELECT	0x08
#define VIRTIO_COMMON_ACCEPTED		0x0c
#define VIRTIO_COMMON_CONFIG_VECTOR	0x10
#define VIRTIO_COMMON_QUEUES		0x12
#define VIRTIO_COMMON_STATUS		0x14
#define   VIRTIO_STATUS_ACKNOWLEDGE	BIT(0)
#define   VIRTIO_STATUS_DRIVER		BIT(1)
#define   VIRTIO_STATUS_DRIVER_OK	BIT(2)
#define   VIRTIO_STATUS_FEATURES_OK	BIT(3)
#define   VIRTIO_STATUS_NEEDS_RESET	BIT(6)
#define   VIRTIO_STATUS_FAILED		BIT(7)
#define VIRTIO_COMMON_GENERATION	0x15
#define VIRTIO_COMMON_QUEUE_SELECT	0x16
#define VIRTIO_COMMON_QUEUE_SIZE	0x18
#define VIRTIO_COMMON_QUEUE_VECTOR	0x1a
#define VIRTIO_COMMON_QUEUE_ENABLE	0x1c
#define VIRTIO_COMMON_QUEUE_NOTIFY	0x1e
#define VIRTIO_COMMON_QUEUE_DESC	0x20
#define VIRTIO_COMMON_QUEUE_AVAILABLE	0x28
#define VIRTIO_COMMON_QUEUE_USED	0x30
#define VIRTIO_COMMON_SIZE		0x38 /* without the next two */
#define VIRTIO_COMMON_QUEUE_DATA	0x38
#define VIRTIO_COMMON_QUEUE_RESET	0x3a

#define VIRTIO_NO_VECTOR		0xffff

/* ---- Legacy registers, in ports ----------------------------------------- */

#define VIRTIO_LEGACY_OFFERED		0x00
#define VIRTIO_LEGACY_ACCEPTED		0x04
#define VIRTIO_LEGACY_QUEUE_PAGE	0x08
#define VIRTIO_LEGACY_QUEUE_SIZE	0x0c
#define VIRTIO_LEGACY_QUEUE_SELECT	0x0e
#define VIRTIO_LEGACY_QUEUE_NOTIFY	0x10
#define VIRTIO_LEGACY_STATUS		0x12
#define VIRTIO_LEGACY_ISR		0x13
#define VIRTIO_LEGACY_CONFIG		0x14 /* while MSI-X is off */
#define VIRTIO_LEGACY_CONFIG_VECTOR	0x14
#define VIRTIO_LEGACY_QUEUE_VECTOR	0x16
#define VIRTIO_LEGACY_CONFIG_MSIX	0x18 /* while it is on */
/* clang-format on */

/* ---- Split rings -------------------------------------------------------- */

struct virtq_desc {
	uint64_t address;
	uint32_t length; /* bytes */
	uint16_t flags;
#define VIRTQ_NEXT     BIT(0)
#define VIRTQ_WRITE    BIT(1) /* by the device */
#define VIRTQ_INDIRECT BIT(2)
	uint16_t next;
};
ASSERT_SIZE(struct virtq_desc, 16);

/* Followed by the used_event. */
struct virtq_available {
	uint16_t flags;
#define VIRTQ_NO_INTERRUPT BIT(0)
	uint16_t index;
	uint16_t ring[];
};

struct virtq_used_element {
	uint32_t id;
	uint32_t length;
};

/* Followed by the avail_event. */
struct virtq_used {
	uint16_t flags;
#define VIRTQ_NO_NOTIFY BIT(0)
	uint16_t index;
	struct virtq_used_element ring[];
};
ASSERT_OFFSET(struct virtq_used, ring, 4);

/* Bytes of the areas of a queue with n descriptors. */
#define VIRTQ_DESCRIPTORS_SIZE(n) (sizeof(struct virtq_desc) * (uint64_t)(n))
#define VIRTQ_AVAILABLE_SIZE(n)	  (6 + 2 * (uint64_t)(n))
#define VIRTQ_USED_SIZE(n)	  (6 + 8 * (uint64_t)(n))

/* Whether a ring's index passes event on its way from old to now, free-running
 * all three: then who waits at event is told. */
static inline bool virtq_has_passed(uint16_t event, uint16_t old, uint16_t now)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

/* ---- Packed rings ------------------------------------------------------- */

struct virtq_packed_desc {
	uint64_t address;
	uint32_t length; /* bytes */
	uint16_t id;
	uint16_t flags; /* VIRTQ_* and */
#define VIRTQ_PACKED_AVAILABLE BIT(7)
#define VIRTQ_PACKED_USED      BIT(15)
};
ASSERT_SIZE(struct virtq_packed_desc, 16);

/* What one side wants of the other's notifications. */
struct virtq_packed_event {
	uint16_t place; /* with VIRTQ_EVENT_AT: an index, and */
#define VIRTQ_PLACE_WRAP BIT(15)
	uint16_t flags;
#define VIRTQ_EVENT_ALWAYS 0
#define VIRTQ_EVENT_NEVER  1
#define VIRTQ_EVENT_AT	   2
};
ASSERT_SIZE(struct virtq_packed_event, 4);

#endif
