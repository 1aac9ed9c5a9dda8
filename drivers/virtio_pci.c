/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not there: registers in ports, access through configuration space,
 * notifications with data, reset of single queues.
 *
 * References: VIRTIO 1.2, General Initialization And Device Operation; Virtio
 * Over PCI Bus.  PCI Local Bus Specification, Configuration Space.
 */
#include "drivers/virtio_pci.h"

#include "include/errno.h"

#define PCI_VENDOR     0x00
#define PCI_DEVICE     0x02
#define PCI_COMMAND    0x04
#define COMMAND_MEMORY BIT(1)
#define COMMAND_MASTER BIT(2)
#define PCI_STATUS     0x06
#define STATUS_CAPS    BIT(4)
#define PCI_SUBSYSTEM  0x2e
#define PCI_CAPS       0x34
#define CAPS_FIRST     0x40
#define CAPS_MAX       48 /* that 192 bytes have room for */

#define CAP_MSIX     0x11
#define MSIX_CONTROL 2
#define MSIX_LAST    MASK(10, 0) /* vector */
#define MSIX_TABLE   4
#define MSIX_PENDING 8
#define MSIX_BAR     MASK(2, 0) /* the rest: where in it */
#define MSIX_SIZE    12
#define MSIX_ENTRY   16

#define CAP_NEXT 1

#define GENERATION_TRIES 32

#define NEEDED_ALWAYS VIRTIO_F_VERSION_1
/* The device may insist on these; they ask nothing of an x86 driver that uses
 * the addresses it was given. */
#define TAKEN_ALWAYS  (VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM)

static int refuse(struct virtio_pci *virtio, int error, const char *why)
{
	virtio->why = why;
	return error;
}

static uint32_t config_read(const struct virtio_pci *virtio, unsigned offset,
			    unsigned size)
{
	return virtio->pci->ops->config_read(virtio->pci->ctx, offset, size);
}

static uint32_t get(const struct virtio_pci *virtio, unsigned offset,
		    unsigned size)
{
	return virtio->pci->ops->mmio_read(virtio->pci->ctx,
					   virtio->common.va + offset, size);
}

static void set(const struct virtio_pci *virtio, unsigned offset, unsigned size,
		uint64_t value)
{
	virtio->pci->ops->mmio_write(virtio->pci->ctx,
				     virtio->common.va + offset, size,
				     (uint32_t)value);
}

static void set64(const struct virtio_pci *virtio, unsigned offset,
		  uint64_t value)
{
	set(virtio, offset, 4, value);
	set(virtio, offset + 4, 4, value >> 32);
}

static uint8_t status_get(const struct virtio_pci *virtio)
{
	return (uint8_t)get(virtio, VIRTIO_COMMON_STATUS, 1);
}

static void status_add(const struct virtio_pci *virtio, uint64_t bits)
{
	set(virtio, VIRTIO_COMMON_STATUS, 1, status_get(virtio) | bits);
}

/* ---- Finding the registers ----------------------------------------------- */

/* Each kind: where it goes, the least it must have, its alignment. */
struct area_kind {
	size_t member;
	uint32_t least, align;
};

/* clang-format off */
static const struct area_kind area_kinds[] = {
	[VIRTIO_CAP_COMMON] = { offsetof(struct virtio_pci, common), VIRTIO_COMMON_SIZE, 4 },
	[VIRTIO_CAP_NOTIFY] = { offsetof(struct virtio_pci, notify), 2, 2 },
	[VIRTIO_CAP_ISR]    = { offsetof(struct virtio_pci, isr), 1, 1 },
	[VIRTIO_CAP_DEVICE] = { offsetof(struct virtio_pci, device), 4, 4 },
};
/* clang-format on */

/* The whole pages of size bytes, as a register of MSI-X says where. */
static struct virtio_hole hole_at(const struct virtio_pci *virtio,
				  unsigned offset, uint64_t size)
{
	uint32_t value = config_read(virtio, offset, 4);
	uint64_t start = value & ~MSIX_BAR;

	return (struct virtio_hole){
		.bar = value & MSIX_BAR,
		.start = ALIGN_DOWN(start, PAGE_SIZE),
		.end = ALIGN_UP(start + size, PAGE_SIZE),
	};
}

/* Where there is INTx none is used, and all is mapped. */
static void holes_find(struct virtio_pci *virtio, unsigned cap)
{
	uint64_t vectors =
		1 + (config_read(virtio, cap + MSIX_CONTROL, 2) & MSIX_LAST);

	if (!virtio->pci->vector_count || virtio->hole[0].end ||
	    cap + MSIX_SIZE > 256)
		return;
	virtio->hole[0] =
		hole_at(virtio, cap + MSIX_TABLE, vectors * MSIX_ENTRY);
	virtio->hole[1] = hole_at(virtio, cap + MSIX_PENDING,
				  DIV_ROUND_UP(vectors, 64) * 8);
}

static bool is_in_hole(const struct virtio_pci *virtio, unsigned bar,
		       uint64_t offset, uint64_t length)
{
	for (unsigned i = 0; i < ARRAY_SIZE(virtio->hole); i++)
		if (virtio->hole[i].bar == bar &&
		    offset < virtio->hole[i].end &&
		    virtio->hole[i].start < offset + length)
			return true;
	return false;
}

/*
 * The first of a kind that can be used is taken; one in ports cannot, and one
 * that is wrong leaves its reason, in case no other follows.
 */
static void area_add(struct virtio_pci *virtio, unsigned cap)
{
	unsigned type = config_read(virtio, cap + VIRTIO_CAP_TYPE, 1);
	unsigned bar = config_read(virtio, cap + VIRTIO_CAP_BAR, 1);
	uint32_t offset, length;
	const struct area_kind *kind;
	struct virtio_area *area;
	struct pci_bar mapped;

	if (type < VIRTIO_CAP_COMMON || type > VIRTIO_CAP_DEVICE ||
	    bar >= PCI_BARS)
		return;
	kind = &area_kinds[type];
	area = (struct virtio_area *)((uint8_t *)virtio + kind->member);
	if (area->va ||
	    virtio->pci->ops->bar_map(virtio->pci->ctx, bar, &mapped))
		return;
	offset = config_read(virtio, cap + VIRTIO_CAP_AREA, 4);
	length = config_read(virtio, cap + VIRTIO_CAP_AREA_SIZE, 4);
	if (offset > mapped.size || length > mapped.size - offset) {
		virtio->why = "has registers outside of their BAR";
		return;
	}
	if (length < kind->least || !IS_ALIGNED(offset, kind->align)) {
		virtio->why = "has registers that are cut short or misaligned";
		return;
	}
	if (is_in_hole(virtio, bar, offset, length)) {
		virtio->why = "has registers in a page of its MSI-X table";
		return;
	}
	if (type == VIRTIO_CAP_NOTIFY)
		virtio->notify_multiplier =
			config_read(virtio, cap + VIRTIO_CAP_MULTIPLIER, 4);
	*area = (struct virtio_area){ (uint8_t *)mapped.va + offset, length };
}

static unsigned cap_least(const struct virtio_pci *virtio, unsigned cap)
{
	return config_read(virtio, cap + VIRTIO_CAP_TYPE, 1) ==
			       VIRTIO_CAP_NOTIFY
		       ? VIRTIO_CAP_NOTIFY_SIZE
		       : VIRTIO_CAP_SIZE;
}

static void virtio_cap(struct virtio_pci *virtio, unsigned cap)
{
	unsigned length = config_read(virtio, cap + VIRTIO_CAP_LENGTH, 1);
	unsigned least = cap_least(virtio, cap);

	if (length >= least && cap + least <= 256)
		area_add(virtio, cap);
}

/* Each of that kind. */
static int caps_walk(struct virtio_pci *virtio, unsigned id,
		     void (*fn)(struct virtio_pci *virtio, unsigned cap))
{
	unsigned cap;

	if (!(config_read(virtio, PCI_STATUS, 2) & STATUS_CAPS))
		return 0;
	cap = config_read(virtio, PCI_CAPS, 1) & 0xfc;
	for (unsigned i = 0; cap >= CAPS_FIRST; i++) {
		if (i == CAPS_MAX)
			return refuse(virtio, -EPROTO,
				      "has an endless list of capabilities");
		if (config_read(virtio, cap, 1) == id)
			fn(virtio, cap);
		cap = config_read(virtio, cap + CAP_NEXT, 1) & 0xfc;
	}
	return 0;
}

static uint32_t command_set(const struct virtio_pci *virtio, uint32_t set,
			    uint32_t clear)
{
	uint32_t command = config_read(virtio, PCI_COMMAND, 2);

	virtio->pci->ops->config_write(virtio->pci->ctx, PCI_COMMAND, 2,
				       (command | set) & ~clear);
	return config_read(virtio, PCI_COMMAND, 2);
}

/* What the BARs hold answers from here on. */
static int turn_on(struct virtio_pci *virtio)
{
	if (!(command_set(virtio, COMMAND_MEMORY, 0) & COMMAND_MEMORY))
		return refuse(virtio, -ENODEV, "cannot be turned on");
	return 0;
}

/* Not before it was reset: what it had been told by another driver, about
 * memory that is no longer that one's, it does not do then. */
static int dma_on(struct virtio_pci *virtio)
{
	if (!(command_set(virtio, COMMAND_MASTER, 0) & COMMAND_MASTER))
		return refuse(virtio, -ENODEV, "cannot be a bus master");
	return 0;
}

int virtio_pci_dma_off(struct virtio_pci *virtio)
{
	uint32_t command = command_set(virtio, 0, COMMAND_MASTER);

	/* All ones: it is not there any more. */
	if (command & COMMAND_MASTER && command != 0xffff)
		return refuse(virtio, -EIO, "stays a bus master");
	return 0;
}

static bool is_device(const struct virtio_pci *virtio, uint16_t device)
{
	uint32_t id = config_read(virtio, PCI_DEVICE, 2);

	if (config_read(virtio, PCI_VENDOR, 2) != VIRTIO_PCI_VENDOR)
		return false;
	if (id >= VIRTIO_PCI_TRANSITIONAL && id < VIRTIO_PCI_MODERN)
		return config_read(virtio, PCI_SUBSYSTEM, 2) == device;
	return id == VIRTIO_PCI_MODERN + (uint32_t)device;
}

int virtio_pci_probe(struct virtio_pci *virtio, const struct pci_access *pci,
		     uint16_t device)
{
	int error;

	*virtio = (struct virtio_pci){ .pci = pci };
	if (!is_device(virtio, device))
		return refuse(virtio, -ENODEV, "is another kind of device");
	error = caps_walk(virtio, CAP_MSIX, holes_find);
	if (!error)
		error = caps_walk(virtio, VIRTIO_CAP_ID, virtio_cap);
	if (error)
		return error;
	if (!virtio->common.va && !virtio->why)
		return refuse(virtio, -ENODEV,
			      "is a legacy virtio device: it has no registers "
			      "of virtio 1.0 or later");
	if (!virtio->common.va || !virtio->notify.va || !virtio->isr.va ||
	    !virtio->device.va)
		return refuse(virtio, -EPROTO,
			      virtio->why ? virtio->why
					  : "lacks registers of virtio 1.0");
	virtio->why = NULL;
	return turn_on(virtio);
}

/* ---- The handshake ------------------------------------------------------- */

int virtio_pci_reset(struct virtio_pci *virtio)
{
	const struct pci_access *pci = virtio->pci;
	uint64_t end = pci->ops->now_ns(pci->ctx) + VIRTIO_RESET_NS;

	virtio->features = 0;
	set(virtio, VIRTIO_COMMON_STATUS, 1, 0);
	while (status_get(virtio)) {
		if (pci->ops->now_ns(pci->ctx) > end)
			return refuse(virtio, -EIO,
				      "does not come out of reset");
		pci->ops->relax(pci->ctx);
	}
	return 0;
}

static uint64_t offered_get(const struct virtio_pci *virtio)
{
	uint64_t low;

	set(virtio, VIRTIO_COMMON_OFFERED_SELECT, 4, 0);
	low = get(virtio, VIRTIO_COMMON_OFFERED, 4);
	set(virtio, VIRTIO_COMMON_OFFERED_SELECT, 4, 1);
	return low | (uint64_t)get(virtio, VIRTIO_COMMON_OFFERED, 4) << 32;
}

static void accepted_set(const struct virtio_pci *virtio, uint64_t features)
{
	set(virtio, VIRTIO_COMMON_ACCEPTED_SELECT, 4, 0);
	set(virtio, VIRTIO_COMMON_ACCEPTED, 4, features);
	set(virtio, VIRTIO_COMMON_ACCEPTED_SELECT, 4, 1);
	set(virtio, VIRTIO_COMMON_ACCEPTED, 4, features >> 32);
}

int virtio_pci_features(struct virtio_pci *virtio, uint64_t wanted)
{
	int error = dma_on(virtio);

	if (error)
		return error;
	status_add(virtio, VIRTIO_STATUS_ACKNOWLEDGE);
	status_add(virtio, VIRTIO_STATUS_DRIVER);
	virtio->offered = offered_get(virtio);
	if (!(virtio->offered & NEEDED_ALWAYS)) {
		virtio_pci_fail(virtio);
		return refuse(virtio, -ENODEV,
			      "is a legacy virtio device: it does not offer "
			      "VIRTIO_F_VERSION_1");
	}
	virtio->features =
		virtio->offered & (wanted | NEEDED_ALWAYS | TAKEN_ALWAYS);
	accepted_set(virtio, virtio->features);
	status_add(virtio, VIRTIO_STATUS_FEATURES_OK);
	if (!(status_get(virtio) & VIRTIO_STATUS_FEATURES_OK)) {
		virtio_pci_fail(virtio);
		return refuse(virtio, -ENODEV,
			      "does not work with the features it offers that "
			      "this driver knows");
	}
	virtio->queue_count = (uint16_t)get(virtio, VIRTIO_COMMON_QUEUES, 2);
	return 0;
}

int virtio_pci_start(struct virtio_pci *virtio)
{
	status_add(virtio, VIRTIO_STATUS_DRIVER_OK);
	if ((status_get(virtio) &
	     (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET |
	      VIRTIO_STATUS_FAILED)) != VIRTIO_STATUS_DRIVER_OK)
		return refuse(virtio, -EPROTO, "does not start");
	return 0;
}

void virtio_pci_fail(struct virtio_pci *virtio)
{
	status_add(virtio, VIRTIO_STATUS_FAILED);
}

bool virtio_pci_needs_reset(const struct virtio_pci *virtio)
{
	/* All ones: it is not there any more. */
	return status_get(virtio) & VIRTIO_STATUS_NEEDS_RESET;
}

/* ---- Queues and interrupts ----------------------------------------------- */

int virtio_pci_queue_max(struct virtio_pci *virtio, uint16_t index)
{
	uint32_t size;

	if (index >= virtio->queue_count)
		return 0;
	set(virtio, VIRTIO_COMMON_QUEUE_SELECT, 2, index);
	size = get(virtio, VIRTIO_COMMON_QUEUE_SIZE, 2);
	if (size & (size - 1))
		return refuse(virtio, -EPROTO,
			      "has a queue whose size is no power of two");
	return (int)size;
}

/* The register says whether the device could. */
static int vector_set(struct virtio_pci *virtio, unsigned offset,
		      uint16_t vector)
{
	if (!virtio->pci->vector_count)
		return 0;
	if (vector >= virtio->pci->vector_count)
		return refuse(virtio, -EPROTO, "has fewer vectors");
	set(virtio, offset, 2, vector);
	if (get(virtio, offset, 2) != vector)
		return refuse(virtio, -EPROTO, "does not take its vectors");
	return 0;
}

int virtio_pci_config_vector(struct virtio_pci *virtio, uint16_t vector)
{
	return vector_set(virtio, VIRTIO_COMMON_CONFIG_VECTOR, vector);
}

static int doorbell_find(struct virtio_pci *virtio, uint16_t index,
			 struct virtio_doorbell *doorbell)
{
	uint64_t offset = (uint64_t)get(virtio, VIRTIO_COMMON_QUEUE_NOTIFY, 2) *
			  virtio->notify_multiplier;

	if (offset > virtio->notify.length - 2U || !IS_ALIGNED(offset, 2))
		return refuse(virtio, -EPROTO,
			      "has a doorbell outside of its registers");
	*doorbell = (struct virtio_doorbell){
		.at = virtio->notify.va + offset,
		.index = index,
	};
	return 0;
}

int virtio_pci_queue_setup(struct virtio_pci *virtio, uint16_t index,
			   const struct virtio_queue_spec *spec,
			   struct virtio_doorbell *doorbell)
{
	int error;

	set(virtio, VIRTIO_COMMON_QUEUE_SELECT, 2, index);
	set(virtio, VIRTIO_COMMON_QUEUE_SIZE, 2, spec->size);
	if (get(virtio, VIRTIO_COMMON_QUEUE_SIZE, 2) != spec->size)
		return refuse(virtio, -EPROTO,
			      "does not take the size of a queue");
	set64(virtio, VIRTIO_COMMON_QUEUE_DESC, spec->descriptors);
	set64(virtio, VIRTIO_COMMON_QUEUE_AVAILABLE, spec->available);
	set64(virtio, VIRTIO_COMMON_QUEUE_USED, spec->used);
	error = vector_set(virtio, VIRTIO_COMMON_QUEUE_VECTOR, spec->vector);
	if (!error)
		error = doorbell_find(virtio, index, doorbell);
	if (error)
		return error;
	set(virtio, VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
	return 0;
}

void virtio_pci_notify(const struct virtio_pci *virtio,
		       const struct virtio_doorbell *doorbell)
{
	virtio->pci->ops->mmio_write(virtio->pci->ctx, doorbell->at, 2,
				     doorbell->index);
}

uint8_t virtio_pci_events(const struct virtio_pci *virtio)
{
	return (uint8_t)(virtio->pci->ops->mmio_read(virtio->pci->ctx,
						     virtio->isr.va, 1) &
			 (VIRTIO_EVENT_QUEUE | VIRTIO_EVENT_CONFIG));
}

/* ---- The device's own configuration -------------------------------------- */

static uint32_t field_get(const struct virtio_pci *virtio,
			  const struct virtio_field *field)
{
	if (field->offset + (uint32_t)field->size > virtio->device.length)
		return 0;
	return virtio->pci->ops->mmio_read(virtio->pci->ctx,
					   virtio->device.va + field->offset,
					   field->size);
}

int virtio_pci_config_get(struct virtio_pci *virtio,
			  const struct virtio_field *field, unsigned count,
			  uint32_t *value)
{
	for (unsigned i = 0; i < GENERATION_TRIES; i++) {
		uint32_t generation = get(virtio, VIRTIO_COMMON_GENERATION, 1);

		for (unsigned n = 0; n < count; n++)
			value[n] = field_get(virtio, &field[n]);
		if (get(virtio, VIRTIO_COMMON_GENERATION, 1) == generation)
			return 0;
	}
	return refuse(virtio, -EPROTO,
		      "changes its configuration faster than it can be read");
}

int virtio_pci_config_set(struct virtio_pci *virtio, uint32_t offset,
			  uint8_t value)
{
	if (offset >= virtio->device.length)
		return -ERANGE;
	virtio->pci->ops->mmio_write(virtio->pci->ctx,
				     virtio->device.va + offset, 1, value);
	return 0;
}
