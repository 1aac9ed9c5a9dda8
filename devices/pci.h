/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conventional PCI, one bus: configuration mechanism #1, configuration space
 * with write masks, base address registers that move regions on the port and
 * memory buses, INTx pins.
 *
 * Does not model: bridges to other buses, capabilities (devices write theirs
 * into the configuration space), parity, latency.
 *
 * References: PCI Local Bus Specification 3.0, chapter 6 and 3.2.2.3.2.
 */
#ifndef BULKHEAD_DEVICES_PCI_H
#define BULKHEAD_DEVICES_PCI_H

#include "devices/bus.h"
#include "devices/state.h"
#include "include/device.h"

/* clang-format off */
#define PCI_DEVFN(slot, function)	(((slot) << 3) | (function))

/* Configuration space, type 0 header. */
#define PCI_VENDOR_ID			0x00
#define PCI_DEVICE_ID			0x02
#define PCI_COMMAND			0x04
#define   PCI_COMMAND_IO		BIT(0)
#define   PCI_COMMAND_MEMORY		BIT(1)
#define   PCI_COMMAND_MASTER		BIT(2)
#define   PCI_COMMAND_SPECIAL		BIT(3)
#define   PCI_COMMAND_SERR		BIT(8)
#define   PCI_COMMAND_INTX_OFF		BIT(10)
#define PCI_STATUS			0x06
#define   PCI_STATUS_INTX		BIT(3)
#define   PCI_STATUS_CAPABILITIES	BIT(4)
#define   PCI_STATUS_FAST_BACK		BIT(7)
#define   PCI_STATUS_MEDIUM		FIELD_PUT(MASK(10, 9), 1) /* DEVSEL# */
#define PCI_REVISION_ID			0x08
#define PCI_CLASS_INTERFACE		0x09
#define PCI_CLASS_DEVICE		0x0a
#define PCI_HEADER_TYPE			0x0e
#define   PCI_HEADER_MULTIPLE		BIT(7)
#define PCI_BAR0			0x10
#define PCI_SUBSYSTEM_VENDOR_ID		0x2c
#define PCI_SUBSYSTEM_ID		0x2e
#define PCI_ROM_ADDRESS			0x30
#define   PCI_ROM_ENABLE		BIT(0)
#define PCI_CAPABILITY_LIST		0x34
#define   PCI_CAPABILITY_NEXT		1 /* in a capability; 0: its ID */
#define   PCI_CAPABILITY_MSI		0x05
#define   PCI_CAPABILITY_MSIX		0x11
#define PCI_INTERRUPT_LINE		0x3c
#define PCI_INTERRUPT_PIN		0x3d

#define PCI_CONFIG_SIZE	256
#define PCI_BARS	6
#define PCI_ROM		6 /* index of the expansion ROM among the BARs */
#define PCI_ROM_SIZE_MIN 2048
/* clang-format on */

enum pci_bar_kind {
	PCI_BAR_NONE,
	PCI_BAR_IO,
	PCI_BAR_MEMORY,
	PCI_BAR_MEMORY_PREFETCH,
	PCI_BAR_MEMORY_64,	    /* takes two BARs */
	PCI_BAR_MEMORY_64_PREFETCH, /* takes two BARs */
};

struct pci_device;

struct pci_bar {
	enum pci_bar_kind kind;
	uint64_t size; /* power of two; I/O >= 4, memory >= 16, ROM >= 2048 */
	/*
	 * Where accesses go.  name, fn, dev, widths and bulk count; base and
	 * length are filled in here.  fn NULL: nothing is put on the bus, the
	 * device maps memory itself when told.
	 */
	struct io_region region;
	/* Optional: told when the BAR starts or stops decoding. */
	void (*mapped)(struct pci_device *dev, unsigned bar, uint64_t base,
		       bool enabled);

	/* Private to pci.c. */
	bool is_mapped;
	uint64_t base; /* valid while mapped */
};

/* What a function remembers: a member of its device's state. */
struct pci_device_state {
	uint8_t config[PCI_CONFIG_SIZE] __aligned(4);
	uint8_t mapped;	 /* BARs that decode, a bit each */
	bool intx_level; /* what the device asks for */
	uint8_t reserved[2];
};

extern const struct state_description pci_device_description;

struct pci_msix_state; /* devices/pci_msi.h */

/* Where a function has its message capabilities; private to pci_msi.c. */
struct pci_messages {
	uint8_t msi; /* in configuration space; 0: none */
	bool has_masks;
	uint8_t msix; /* the same */
	uint8_t vectors;
	uint32_t table_offset, pending_offset; /* in the BAR */
	struct pci_msix_state *table;
};

struct pci_device {
	const char *name;
	struct pci_device_state *state;
	uint8_t initial[PCI_CONFIG_SIZE];   /* what reset restores */
	uint8_t writable[PCI_CONFIG_SIZE];  /* bits that software may set */
	uint8_t clearable[PCI_CONFIG_SIZE]; /* bits that writing 1 clears */
	struct pci_bar bar[PCI_BARS + 1];
	const uint8_t *rom; /* see pci_rom_add() */
	uint32_t rom_length;
	/* Optional: bytes [offset, offset + size) have just been written. */
	void (*config_written)(struct pci_device *dev, unsigned offset,
			       unsigned size);
	/* Optional: they are about to be read. */
	void (*config_wanted)(struct pci_device *dev, unsigned offset,
			      unsigned size);
	struct pci_messages messages;
	struct pci_bus *bus;
	uint8_t devfn;
	bool intx_out; /* what the bus was told */
};

/* Identity of a device, for pci_device_init(). */
struct pci_identity {
	const char *name;
	uint16_t vendor;
	uint16_t device;
	uint16_t class; /* base class and subclass, 0x0101 for IDE */
	uint8_t interface;
	uint8_t revision;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
	uint8_t interrupt_pin; /* 1: INTA#; 0: none */
};

struct pci_window {
	uint64_t base;
	uint64_t length; /* 0: none */
};

#define PCI_WINDOWS 2

struct pci_bus_state {
	uint32_t address; /* CONFADD */
};

struct pci_bus {
	struct device self;
	struct pci_device *device[256]; /* by devfn */
	unsigned devfn_end;		/* behind the last of them */
	struct bus *ports;
	struct bus *memory;
	/* Where memory BARs may decode: what RAM and ROM leave free.  Set by
	 * the board after pci_bus_init(); a base outside decodes nothing. */
	struct pci_window window[PCI_WINDOWS];
	/* Between these are all expansion ROMs that decode. */
	uint64_t roms_begin;
	uint64_t roms_end;
	struct pci_bus_state state;
	/* Told of INTx wires: pin 0 is INTA#. */
	void (*intx_set)(void *ctx, uint8_t devfn, unsigned pin, bool level);
	void *intx_ctx;
	/* A message-signalled interrupt: 32 bits written to that address. */
	void (*message)(void *ctx, uint64_t address, uint32_t data);
	void *message_ctx;
	/* Byte accesses to 0xcf9, which lies inside CONFADD; offset is 0. */
	io_fn reset_control;
	void *reset_control_dev;
};

extern const struct device_ops pci_bus_ops;

/* Takes ports 0xcf8-0xcff. */
int __must_check pci_bus_init(struct pci_bus *pci, struct bus *ports,
			      struct bus *memory);
/* The address register; devices are reset by their owners. */
void pci_bus_reset(struct pci_bus *pci);

/*
 * Zeroes the device, fills in the header and the masks every device has.  state
 * is a zeroed member of the owner's state and lives as long as the device.
 * Then set further .state->config and .writable bytes and .config_written, add
 * BARs, and last of all pci_device_add().
 */
void pci_device_init(struct pci_device *dev, const struct pci_identity *id,
		     struct pci_device_state *state);
/* -EINVAL: index, kind or size.  Of *bar: kind, size, region and mapped. */
int __must_check pci_bar_add(struct pci_device *dev, unsigned index,
			     const struct pci_bar *bar);
/*
 * An expansion ROM with that image, which lives as long as the device; its BAR
 * is the next power of two.  -EINVAL: over 16 MiB.
 */
int __must_check pci_rom_add(struct pci_device *dev, const uint8_t *image,
			     uint32_t length);
/*
 * A capability of length bytes at offset, the last of the list; what is in it
 * behind ID and pointer is the caller's.  -EINVAL: offset or length; -EEXIST:
 * the place is taken.
 */
int __must_check pci_capability_add(struct pci_device *dev, uint8_t id,
				    unsigned offset, unsigned length);
/* Freezes .state->config as the reset state.  -EEXIST: the place is taken. */
int __must_check pci_device_add(struct pci_bus *pci, struct pci_device *dev,
				uint8_t devfn);
/*
 * What is left to do at a reset when the owner's table has been read: BARs
 * unmapped, INTx low, configuration as when added.
 */
void pci_device_reset(struct pci_device *dev);
/* The owner's state has been loaded: BARs and INTx follow. */
void pci_device_restored(struct pci_device *dev);
/* Whether a saved state can be this function's: header and BARs. */
bool pci_device_is_valid(const struct pci_device *dev,
			 const struct pci_device_state *state);

/* The device's own INTx pin. */
void pci_intx_set(struct pci_device *dev, bool level);

/* As the processor would through 0xcfc, masks and effects included. */
uint32_t pci_config_read(struct pci_bus *pci, uint8_t devfn, unsigned offset,
			 unsigned size);
void pci_config_write(struct pci_bus *pci, uint8_t devfn, unsigned offset,
		      unsigned size, uint32_t value);

/* pci_rom.c, for pci.c: an expansion ROM's BAR has been mapped or unmapped. */
void pci_roms_changed(struct pci_bus *pci);
const void *pci_rom_find(const struct pci_bus *pci, uint64_t address,
			 uint64_t length);

/* Where an expansion ROM's image has those bytes while its BAR shows them; NULL
 * if none has all of them. */
static inline const void *pci_rom_at(const struct pci_bus *pci,
				     uint64_t address, uint64_t length)
{
	if (likely(address < pci->roms_begin || address >= pci->roms_end))
		return NULL;
	return pci_rom_find(pci, address, length);
}

/* Little-endian fields of a configuration space. */
static inline void pci_put16(uint8_t *config, unsigned offset, uint16_t value)
{
	config[offset] = (uint8_t)value;
	config[offset + 1] = (uint8_t)(value >> 8);
}

static inline void pci_put32(uint8_t *config, unsigned offset, uint32_t value)
{
	pci_put16(config, offset, (uint16_t)value);
	pci_put16(config, offset + 2, (uint16_t)(value >> 16));
}

static inline uint16_t pci_get16(const uint8_t *config, unsigned offset)
{
	return (uint16_t)(config[offset] | config[offset + 1] << 8);
}

static inline uint32_t pci_get32(const uint8_t *config, unsigned offset)
{
	return pci_get16(config, offset) |
	       (uint32_t)pci_get16(config, offset + 2) << 16;
}

/* May the device read and write memory? */
static inline bool pci_is_master(const struct pci_device *dev)
{
	return dev->state->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

#endif
