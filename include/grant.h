/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions in the hands of programs, and memory that their devices reach.
 *
 * The monitor knows the host's functions (type 0, in the order of their
 * addresses) and what firmware has put into their BARs, which nobody changes
 * any more.  init grants them to a domain before that starts; from then on
 * until the domain's end a function is its driver's:
 *
 * - The memory BARs are mapped, uncached, but for the pages that hold the MSI-X
 *   table and its pending bits: those are the monitor's.
 * - Its configuration space can be read; of it bus mastering alone can be
 *   written.  Memory decoding is always on, I/O decoding as firmware, or a
 *   reset, left it.
 * - A function with neither MSI-X nor a line (gate_pci_info) has no interrupt.
 * - An interrupt is GATE_EVENT_DEVICE(n).  It is masked in the device until
 *   GATE_DEVICE_ACK: however fast a device interrupts, it costs no more time
 *   than its program asks for.
 * - DMA memory is one physically contiguous piece.  It is the device's rather
 *   than the domain's: the next domain that gets the device gets it, too, and
 *   nobody else ever does, so that a device which still writes after its
 *   program's end writes there.
 *
 * When the domain ends, or gives back none but ends in BUILDING, bus mastering
 * is turned off and the interrupts are, before anything else of the domain is;
 * then, where the function has a reset of its own (FLR), that is begun, and has
 * ended before the next grant.  Where it has none the next driver must reset
 * the device as the device's kind has it, before it uses memory.
 *
 * There is no IOMMU yet: a device with bus mastering on reaches all physical
 * memory, whatever its program was told.
 */
#ifndef BULKHEAD_INCLUDE_GRANT_H
#define BULKHEAD_INCLUDE_GRANT_H

#include "include/compiler.h"

#define GATE_DEVICES_MAX    8 /* of a domain */
#define GATE_DEVICE_BARS    6
#define GATE_DEVICE_VECTORS 4 /* MSI-X: those that a program gets at most */
#define GATE_DEVICE_BAR_MAX GIB(1)
#define GATE_DEVICE_DMA_MAX MIB(2)

/* BAR b of device n; the DMA memory of device n. */
#define GATE_DEVICE_BAR_VA(n, b) \
	(0x700000000000ULL + ((uint64_t)(n)*8 + (b)) * GIB(1))
#define GATE_DEVICE_DMA_VA(n) GATE_DEVICE_BAR_VA(n, 7)

/* gate_config.device[n]: what was granted. */
struct gate_device {
	uint16_t address;      /* bus << 8 | device << 3 | function */
	uint16_t vector_count; /* MSI-X; 0: it has INTx */
	bool is_there;
	uint8_t reserved[3];
	uint64_t bar_size[GATE_DEVICE_BARS]; /* 0: no memory */
	uint64_t dma_address, dma_size;	     /* bytes, the device's address */
};
ASSERT_SIZE(struct gate_device, 72);

/* A function of the host's, for init: GATE_PCI_INFO. */
struct gate_pci_info {
	uint16_t address;
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint8_t revision;
	uint8_t irq_line;      /* firmware's, of INTx; 0 or 255: none */
	uint32_t class_code;   /* class << 16 | subclass << 8 | interface */
	uint16_t vector_count; /* of its MSI-X table */
	bool has_flr;
	bool is_granted; /* a domain has it */
};
ASSERT_SIZE(struct gate_pci_info, 20);

struct gate_device_grant {
	uint16_t address;
	uint16_t n;	    /* which of the domain's it becomes */
	uint32_t dma_pages; /* up to GATE_DEVICE_DMA_MAX, rounded up to a power
			     * of two */
};

/*
 * Where memory lies that a channel's far side may have a device reach: behind
 * the channel's own pages, read-only, for a domain with GATE_RIGHT_DMA.
 */
#define GATE_CHANNEL_MEMORY_VA(slot) (GATE_CHANNEL_VA(slot) + KIB(256))
#define GATE_CHANNEL_CHUNKS_VA(slot) (GATE_CHANNEL_MEMORY_VA(slot) + PAGE_SIZE)
#define GATE_CHUNK_SHIFT	     21

struct gate_channel_memory {
	uint64_t page[64]; /* of each page of the channel */
	/*
	 * Bytes of the VM's memory, as its machine sees them from
	 * GATE_WINDOW_VA on: their chunks' addresses are an array of uint64_t
	 * at GATE_CHANNEL_CHUNKS_VA.
	 */
	uint64_t vm_memory;
};

/*
 * Calls of the domain that has the device (numbers: enum gate_call):
 *
 * GATE_DEVICE_READ (n, offset, size)  the register of its configuration space,
 *			256 bytes; aligned to size, 1, 2 or 4.  -ENODEV: no such
 *			device of the caller's; -EINVAL.
 * GATE_DEVICE_WRITE (n, offset, size, value)  what may not be written stays as
 *			it is.
 * GATE_DEVICE_ACK (n)	bits of the vectors that came since the last call, bit
 *			0 for INTx; they may come again.
 * RIGHT_HOST:
 * GATE_PCI_INFO (index, struct gate_pci_info *)  -ENOENT: there are no more.
 * GATE_DEVICE_GRANT (domain, struct gate_device_grant *)  BUILDING.  -ENOENT;
 *			-ENODEV: no such function, or its interrupt can reach no
 *			processor; -EBUSY: it, or n, is taken, or its line is
 *			no device's, or the host has granted as many as it can,
 *			or its DMA memory was smaller before; -ERANGE: a BAR is
 *			too large, or where no device can be; -EIO: its reset
 *			did not end; -ENOMEM.
 * GATE_CHANNEL_MEMORY (channel, domain, with_vm)  the channel's far sides may
 *			know where its memory is, and with_vm, not 0, where the
 *			domain's VM's is, too.  Once a channel, before a domain
 *			that is to see it attaches.
 *			init keeps the domain until no device can reach its
 *			memory any more.  -ENOENT, -EEXIST, -EINVAL (no VM,
 *			or with_vm and part of its memory is absent; what is
 *			there stays from now on), -ERANGE (too large), -ENOMEM.
 */

#endif
