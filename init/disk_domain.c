/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service disk gets before it starts: the host's virtio block devices
 * with DMA memory, memory for overlays, its argument; and what all that, with
 * its clients' channels, may take of the host.
 *
 * References: VIRTIO 1.2, "PCI Device Discovery", "Block Device".
 */
#include "include/errno.h"
#include "include/seat.h"
#include "init/init.h"
#include "init/source.h"
#include "lib/printf.h"

#define PCI_FUNCTIONS_MAX 4096	 /* that are looked at */
#define VIRTIO_BLK_OLD	  0x1001 /* transitional, or legacy alone */
#define VIRTIO_BLK	  0x1042

/* Beside the program's own: stack, tables, what the monitor keeps. */
#define QUOTA_PAGES	  512
#define QUOTA_DEVICE	  16 /* tables for its registers */
#define QUOTA_CLIENT	  4  /* tables for its channel */
/* Overlays have a quarter of the host's memory and each of them no more than:
 */
#define OVERLAY_PAGES_MAX (GIB(1) / PAGE_SIZE)

/* ---- What there is ------------------------------------------------------- */

unsigned client_drives(const struct guest_manifest *guest)
{
	unsigned count = 0;

	for (unsigned i = 0; i < guest->disk_count; i++)
		count += disk_has_source(&guest->disk[i]);
	return count;
}

bool guest_memory_moves(const struct guest_manifest *guest)
{
	return guest->is_lazy || guest->devices & MACHINE_DEVICE_BALLOON;
}

static bool is_block_device(const struct gate_pci_info *pci)
{
	return pci->vendor == PCI_VIRTIO_VENDOR &&
	       (pci->device == VIRTIO_BLK_OLD || pci->device == VIRTIO_BLK);
}

int device_address_text(char *text, uint64_t size, uint16_t address)
{
	unsigned device = address >> 3 & 0x1fU, function = address & 7U;

	return snprintf(text, size, "%02x:%02x.%u", (unsigned)address >> 8,
			device, function);
}

static void devices_find(struct init *init)
{
	struct disks *disks = &init->disks;
	struct gate_pci_info pci = { 0 };
	char address[DEVICE_ADDRESS_SIZE];

	for (unsigned i = 0; i < PCI_FUNCTIONS_MAX; i++) {
		if (init->gate->pci_info(init->gate->ctx, i, &pci))
			return;
		if (!is_block_device(&pci))
			continue;
		if (!pci.vector_count && !pci.irq_line) {
			(void)device_address_text(address, sizeof(address),
						  pci.address);
			init_log(init, 0, LOG_ERROR,
				 "disk: drive %s cannot be had: it has no "
				 "interrupt",
				 address);
			continue;
		}
		if (disks->device_count < GATE_DEVICES_MAX) {
			disks->device[disks->device_count++] = pci.address;
			continue;
		}
		(void)device_address_text(address, sizeof(address),
					  pci.address);
		init_log(init, 0, LOG_WARNING,
			 "disk: drive %s is not used: it has %u already",
			 address, GATE_DEVICES_MAX);
	}
}

/* One sentence, and all of the truth about it. */
static void devices_say(struct init *init)
{
	const struct disks *disks = &init->disks;
	char text[GATE_DEVICES_MAX * DEVICE_ADDRESS_SIZE] = "";
	unsigned used = 0;

	for (unsigned i = 0; i < disks->device_count; i++) {
		used += (unsigned)snprintf(text + used, sizeof(text) - used,
					   i ? ", " : "");
		used += (unsigned)device_address_text(
			text + used, sizeof(text) - used, disks->device[i]);
	}
	if (disks->device_count)
		init_log(init, 0, LOG_INFO,
			 "disk: drives %s; there is no IOMMU: by DMA they "
			 "reach all of the host's memory",
			 text);
	else
		init_log(init, 0, LOG_WARNING,
			 "disk: the host has no virtio block device");
}

static void overlays_plan(struct init *init)
{
	struct disks *disks = &init->disks;

	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		const struct guest_manifest *guest = &init->manifest->guest[i];

		for (unsigned n = 0; n < guest->disk_count; n++)
			disks->overlay_count +=
				guest->disk[n].overlay != MANIFEST_OVERLAY_NONE;
	}
	if (!disks->overlay_count)
		return;
	disks->overlay_pages =
		MIN(init->pages / 4 / disks->overlay_count, OVERLAY_PAGES_MAX);
	init_log(init, 0, LOG_INFO,
		 "disk: an overlay in memory holds up to %lu KiB",
		 disks->overlay_pages * KIB_PER_PAGE);
}

void disk_domain_plan(struct init *init)
{
	devices_find(init);
	devices_say(init);
	overlays_plan(init);
}

/* ---- What it may take ---------------------------------------------------- */

/* The table of a VM's memory that stays, for disk, and the page before it. */
static uint64_t chunk_pages(const struct init *init,
			    const struct guest_manifest *guest)
{
	uint64_t chunks =
		guest_memory_moves(guest)
			? 0
			: guest_vm_memory(init, guest) >> GATE_CHUNK_SHIFT;

	return 1 + DIV_ROUND_UP(chunks * sizeof(uint64_t), PAGE_SIZE);
}

/* One more for each is the monitor's. */
uint64_t guest_channel_pages(const struct init *init,
			     const struct guest_manifest *guest)
{
	uint64_t pages = 0;

	if (init->seat.service.state != SERVICE_NONE)
		pages += SEAT_CONSOLE_PAGES + 1;
	if (client_drives(guest))
		pages += DISK_CHANNEL_PAGES + 1 + chunk_pages(init, guest);
	pages += guest_port_pages(guest);
	pages += (guest->vsock.peer_count + !!guest->vsock.control) *
		 (VSOCK_CHANNEL_PAGES + 1);
	return pages;
}

uint64_t disk_domain_quota(const struct init *init)
{
	const struct disks *disks = &init->disks;
	uint64_t overlays = disks->overlay_count * disks->overlay_pages;
	uint64_t pages = QUOTA_PAGES + program_pages(init, DISK_PROGRAM) +
			 overlays + QUOTA_TABLES(overlays);

	pages += disks->device_count * (QUOTA_DEVICE + DISK_DMA_PAGES);
	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		const struct guest_manifest *guest = &init->manifest->guest[i];

		if (client_drives(guest))
			pages += QUOTA_CLIENT;
	}
	return pages;
}

void disk_domain_spec(struct init *init, struct gate_domain_spec *spec)
{
	spec->rights = GATE_RIGHT_DMA;
	spec->quota_pages = disk_domain_quota(init);
}

/* ---- Filled -------------------------------------------------------------- */

/* One that cannot be had is said, and not missed: its drives are not found. */
static void devices_grant(struct init *init)
{
	const struct disks *disks = &init->disks;
	char address[DEVICE_ADDRESS_SIZE];

	for (unsigned i = 0; i < disks->device_count; i++) {
		const struct gate_device_grant grant = {
			.address = disks->device[i],
			.n = (uint16_t)i,
			.dma_pages = DISK_DMA_PAGES,
		};
		long error = init->gate->device_grant(
			init->gate->ctx, disks->service.id, &grant);

		if (!error)
			continue;
		(void)device_address_text(address, sizeof(address),
					  grant.address);
		init_log(init, 0, LOG_ERROR,
			 "disk: drive %s cannot be had: %ld", address, error);
	}
}

int disk_domain_fill(struct init *init)
{
	const struct disks *disks = &init->disks;
	const struct disk_argument argument = {
		.version = DISK_VERSION,
		.start = disks->service.starts,
		.overlay_pages = disks->overlay_count * disks->overlay_pages,
	};
	int error = 0;

	devices_grant(init);
	if (argument.overlay_pages)
		error = domain_map_zero(init, disks->service.id, GATE_MODULE_VA,
					argument.overlay_pages * PAGE_SIZE,
					GATE_MEMORY_ZERO_COW,
					GATE_PROT_READ | GATE_PROT_WRITE);
	return error ? error
		     : domain_write_argument(init, disks->service.id, &argument,
					     sizeof(argument));
}
