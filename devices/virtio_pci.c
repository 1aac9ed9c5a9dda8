/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device as a PCI function: identity, BARs, capabilities.  See
 * virtio.h.
 *
 * References: VIRTIO 1.2, 4.1.2 to 4.1.5.
 */
#include "devices/virtio_internal.h"

#include "lib/string.h"

#define BAR_LEGACY  0
#define BAR_MSIX    1
#define BAR_MODERN  4
#define BAR_SIZE    KIB(16)
#define AREA_COMMON 0x0000
#define AREA_ISR    0x1000
#define AREA_DEVICE 0x2000
#define AREA_NOTIFY 0x3000
#define AREA_SIZE   0x1000
#define DOORBELL    4 /* bytes a queue */
#define MSIX_TABLE  0x000
#define MSIX_PENDED 0x800
#define MSIX_SIZE   0x1000

#define CAP_COMMON (VIRTIO_CAPS_BEGIN)
#define CAP_ISR	   (CAP_COMMON + VIRTIO_CAP_SIZE)
#define CAP_DEVICE (CAP_ISR + VIRTIO_CAP_SIZE)
#define CAP_NOTIFY (CAP_DEVICE + VIRTIO_CAP_SIZE)
#define CAP_PCI	   (CAP_NOTIFY + VIRTIO_CAP_NOTIFY_SIZE)
#define CAP_MSIX   (CAP_PCI + VIRTIO_CAP_PCI_SIZE)

#define REVISION_MODERN 1
/* Kinds that had a legacy interface, and their device IDs then. */
static const uint16_t legacy_id[] = {
	[VIRTIO_KIND_NET] = 0x1000,	[VIRTIO_KIND_BLOCK] = 0x1001,
	[VIRTIO_KIND_BALLOON] = 0x1002, [VIRTIO_KIND_CONSOLE] = 0x1003,
	[VIRTIO_KIND_SCSI] = 0x1004,	[VIRTIO_KIND_ENTROPY] = 0x1005,
};

/* ---- Accesses ----------------------------------------------------------- */

static void isr_access(struct virtio *virtio, struct io_access *io)
{
	if (!io->is_write)
		io->data = io->offset || io->size > 1 ? 0
						      : virtio_isr_take(virtio);
}

static void other_access(struct virtio *virtio, struct io_access *io)
{
	uint64_t area = ALIGN_DOWN(io->offset, AREA_SIZE);

	io->offset -= area;
	switch (area) {
	case AREA_COMMON:
		virtio_common_access(virtio, io);
		break;
	case AREA_ISR:
		isr_access(virtio, io);
		break;
	case AREA_DEVICE:
		virtio_config_access(virtio, io);
		break;
	default: /* doorbells read as nothing */
		io->data = 0;
	}
}

/* With NOTIFICATION_DATA the driver writes where it is; that is in the ring,
 * too. */
static void modern_access(void *dev, struct io_access *io)
{
	uint64_t doorbell = io->offset - AREA_NOTIFY;

	if (likely(doorbell < AREA_SIZE && io->is_write))
		virtio_kick(dev, (unsigned)(doorbell / DOORBELL));
	else
		other_access(dev, io);
}

static void msix_access(void *dev, struct io_access *io)
{
	pci_msix_access(&((struct virtio *)dev)->pci, io);
}

/* ---- All of it through configuration space ------------------------------ */

/* The registers that the driver has asked for; false: there are none. */
static bool window_access(struct virtio *virtio, struct io_access *io)
{
	const uint8_t *cap = &virtio->state->pci.config[CAP_PCI];
	unsigned bar = cap[VIRTIO_CAP_BAR];
	uint64_t offset = pci_get32(cap, VIRTIO_CAP_AREA);
	uint32_t size = pci_get32(cap, VIRTIO_CAP_AREA_SIZE);
	io_fn fn;

	if ((size != 1 && size != 2 && size != 4) || offset & (size - 1) ||
	    bar >= PCI_BARS)
		return false;
	fn = virtio->pci.bar[bar].region.fn;
	if (!fn || offset + size > virtio->pci.bar[bar].size ||
	    (fn == msix_access && size != 4))
		return false;
	io->offset = offset;
	io->size = (uint8_t)size;
	fn(virtio, io);
	return true;
}

static bool is_window_data(unsigned offset, unsigned size)
{
	unsigned data = CAP_PCI + VIRTIO_CAP_DATA;

	return offset < data + 4 && data < offset + size;
}

static void config_wanted(struct pci_device *pci, unsigned offset,
			  unsigned size)
{
	struct virtio *virtio = container_of(pci, struct virtio, pci);
	struct io_access io = { .data = ~0ULL };

	if (is_window_data(offset, size) && window_access(virtio, &io))
		pci_put32(pci->state->config, CAP_PCI + VIRTIO_CAP_DATA,
			  (uint32_t)(io.data & (~0ULL >> (64 - 8 * io.size))));
}

static void config_written(struct pci_device *pci, unsigned offset,
			   unsigned size)
{
	struct virtio *virtio = container_of(pci, struct virtio, pci);
	struct io_access io = { .is_write = true };

	/* All of it at once is a reset. */
	if (size > 4 || !is_window_data(offset, size))
		return;
	io.data = pci_get32(pci->state->config, CAP_PCI + VIRTIO_CAP_DATA);
	(void)window_access(virtio, &io);
}

/* ---- Made --------------------------------------------------------------- */

static int cap_add(struct virtio *virtio, unsigned at, uint8_t type,
		   uint8_t length, uint32_t area, uint32_t size)
{
	uint8_t *config = virtio->state->pci.config;
	int error = pci_capability_add(&virtio->pci, VIRTIO_CAP_ID, at, length);

	config[at + VIRTIO_CAP_LENGTH] = length;
	config[at + VIRTIO_CAP_TYPE] = type;
	config[at + VIRTIO_CAP_BAR] = BAR_MODERN;
	pci_put32(config, at + VIRTIO_CAP_AREA, area);
	pci_put32(config, at + VIRTIO_CAP_AREA_SIZE, size);
	return error;
}

static int caps_add(struct virtio *virtio)
{
	uint32_t doorbells = DOORBELL * (uint32_t)virtio->config.queue_count;
	uint32_t config = ALIGN_UP(virtio->config.config_size, 4);
	int error;

	error = cap_add(virtio, CAP_COMMON, VIRTIO_CAP_COMMON, VIRTIO_CAP_SIZE,
			AREA_COMMON, VIRTIO_COMMON_QUEUE_RESET + 2);
	if (!error)
		error = cap_add(virtio, CAP_ISR, VIRTIO_CAP_ISR,
				VIRTIO_CAP_SIZE, AREA_ISR, 1);
	/* Of a kind without any it is there, too: drivers look for it. */
	if (!error)
		error = cap_add(virtio, CAP_DEVICE, VIRTIO_CAP_DEVICE,
				VIRTIO_CAP_SIZE, AREA_DEVICE, MAX(config, 4U));
	if (!error)
		error = cap_add(virtio, CAP_NOTIFY, VIRTIO_CAP_NOTIFY,
				VIRTIO_CAP_NOTIFY_SIZE, AREA_NOTIFY, doorbells);
	pci_put32(virtio->state->pci.config, CAP_NOTIFY + VIRTIO_CAP_MULTIPLIER,
		  DOORBELL);
	return error;
}

static int window_add(struct virtio *virtio)
{
	uint8_t *writable = virtio->pci.writable;
	int error = cap_add(virtio, CAP_PCI, VIRTIO_CAP_PCI,
			    VIRTIO_CAP_PCI_SIZE, 0, 0);

	writable[CAP_PCI + VIRTIO_CAP_BAR] = 0xff;
	memset(&writable[CAP_PCI + VIRTIO_CAP_AREA], 0xff,
	       VIRTIO_CAP_PCI_SIZE - VIRTIO_CAP_AREA);
	virtio->pci.config_wanted = config_wanted;
	virtio->pci.config_written = config_written;
	return error;
}

static int bar_add(struct virtio *virtio, unsigned index,
		   enum pci_bar_kind kind, uint64_t size, io_fn fn)
{
	const struct pci_bar bar = {
		.kind = kind,
		.size = size,
		.region = { .name = virtio->config.name,
			    .fn = fn,
			    .dev = virtio,
			    .width_min = fn == msix_access ? 4 : 1,
			    .width_max = 4 },
	};

	return pci_bar_add(&virtio->pci, index, &bar);
}

static uint32_t legacy_size(const struct virtio *virtio)
{
	uint32_t size = 32;

	while (size <
	       VIRTIO_LEGACY_CONFIG_MSIX + 0U + virtio->config.config_size)
		size *= 2;
	return size;
}

static int bars_add(struct virtio *virtio)
{
	int error = 0;

	if (virtio->config.is_transitional)
		error = bar_add(virtio, BAR_LEGACY, PCI_BAR_IO,
				legacy_size(virtio), virtio_legacy_access);
	if (!error)
		error = bar_add(virtio, BAR_MSIX, PCI_BAR_MEMORY, MSIX_SIZE,
				msix_access);
	if (!error)
		error = bar_add(virtio, BAR_MODERN, PCI_BAR_MEMORY_64, BAR_SIZE,
				modern_access);
	if (!error && virtio->config.rom)
		error = pci_rom_add(&virtio->pci, virtio->config.rom,
				    virtio->config.rom_length);
	return error;
}

static void identity_make(struct virtio *virtio)
{
	const struct virtio_config *config = &virtio->config;
	bool is_transitional = config->is_transitional;
	const struct pci_identity identity = {
		.name = config->name,
		.vendor = VIRTIO_PCI_VENDOR,
		.device = is_transitional ? legacy_id[config->kind]
					  : (uint16_t)(VIRTIO_PCI_MODERN +
						       config->kind),
		.class = config->class,
		.revision = is_transitional ? 0 : REVISION_MODERN,
		.subsystem_vendor = VIRTIO_PCI_VENDOR,
		.subsystem = is_transitional ? config->kind
					     : (uint16_t)(VIRTIO_PCI_MODERN +
							  config->kind),
		.interrupt_pin = 1,
	};

	pci_device_init(&virtio->pci, &identity, &virtio->state->pci);
}

int virtio_pci_init(struct virtio *virtio)
{
	const struct pci_msix_place place = {
		.bar = BAR_MSIX,
		.vectors = (uint8_t)(virtio->config.queue_count + 1),
		.table = MSIX_TABLE,
		.pending = MSIX_PENDED,
	};
	uint16_t kind = virtio->config.kind;
	int error;

	if (kind >= ARRAY_SIZE(legacy_id) || !legacy_id[kind])
		virtio->config.is_transitional = false;
	if (virtio->config.is_transitional)
		virtio->offered |= VIRTIO_F_ANY_LAYOUT;
	identity_make(virtio);
	error = bars_add(virtio);
	if (!error)
		error = caps_add(virtio);
	if (!error)
		error = window_add(virtio);
	if (!error)
		error = pci_msix_add(&virtio->pci, CAP_MSIX, &place,
				     &virtio->state->msix);
	if (!error)
		error = pci_device_add(virtio->config.pci, &virtio->pci,
				       virtio->config.devfn);
	return error;
}
