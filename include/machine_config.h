/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What init tells a machine of its VM: the argument at GATE_ARGUMENT_VA.  The
 * monitor does not know of it.
 */
#ifndef BULKHEAD_MACHINE_CONFIG_H
#define BULKHEAD_MACHINE_CONFIG_H

#include "include/cpu_quirks.h"
#include "include/domain.h"
#include "include/net.h"
#include "include/vsock.h"

#define MACHINE_CONFIG_VERSION 9
#define MACHINE_DISKS_MAX      8
#define MACHINE_MEDIA_MAX      32
#define MACHINE_NICS_MAX       2
#define MACHINE_BLOBS_MAX      8
#define MACHINE_FAULT_IRQS     2
#define MACHINE_CMDLINE_SIZE   1024
#define MACHINE_ITEMS_MAX      10
#define MACHINE_PORTS_MAX      GATE_PORT_RANGES
#define MACHINE_ITEM_NAME      56 /* fw_cfg's, with its NUL */
#define MACHINE_ITEM_TEXT      256

enum machine_board {
	MACHINE_BOARD_PC = 1,
	MACHINE_BOARD_PV = 2,
};

enum machine_disk_bus {
	MACHINE_DISK_IDE = 1,
	MACHINE_DISK_FLOPPY, /* va 0: an empty drive */
	MACHINE_DISK_FLASH,  /* parallel flash memory below the firmware */
	MACHINE_DISK_USB,    /* a mass storage device at the USB controller */
	MACHINE_DISK_AHCI,
	MACHINE_DISK_LSI,
	MACHINE_DISK_VIRTIO,
	MACHINE_DISK_VIRTIO_SCSI, /* at the host of that kind */
	MACHINE_DISK_PMEM,	  /* persistent memory, read-only */
};

#define MACHINE_SERIAL_SIZE 21 /* of a disk, with its NUL */
#define MACHINE_MODEL_SIZE  41

/* What IDENTIFY and the BIOS say; all 0: as the size makes it. */
struct machine_geometry {
	uint16_t cylinders;
	uint8_t heads, sectors;
};

/*
 * A disk in memory: mapped at va; written there, if at all.  One of the service
 * `disk`'s: va is 0, and it is `drive` of the channel in slot DISK_CLIENT_SLOT,
 * attached before the machine starts; what it is the channel says.
 */
struct machine_disk_config {
	uint64_t va;
	/* Of 512 bytes; the service's: 0, but flash memory's what it shows. */
	uint64_t sector_count;
	uint8_t bus; /* enum machine_disk_bus */
	/* IDE: channel * 2 + drive, 0..3; AHCI: port, 0..5; LSI: SCSI ID,
	 * 0..6; floppy: 0, 1; USB: from 0 on; virtio: slot, 0..7, or
	 * target; persistent memory: 0, 1. */
	uint8_t unit;
	bool is_cdrom;
	bool is_read_only;
	uint32_t drive;
	/* The lowest is started from first; 0: the firmware decides. */
	uint32_t boot_index;
	uint32_t floppy_drive; /* enum floppy_drive */
	uint32_t delay_us;     /* a request takes at least */
	struct machine_geometry geometry;
	char serial[MACHINE_SERIAL_SIZE]; /* "": made from its place */
	char model[MACHINE_MODEL_SIZE];	  /* "": Bulkhead's */
	uint16_t sector_size;		  /* bytes, of its bus; 0: 512 */
	uint16_t queues;		  /* virtio; 0: one */
};

enum machine_usb { MACHINE_USB_NONE, MACHINE_USB_UHCI, MACHINE_USB_XHCI };

#define MACHINE_USB_DISKS_MAX 4
/* What is plugged in beside disks. */
#define MACHINE_USB_KEYBOARD  BIT(0)
#define MACHINE_USB_MOUSE     BIT(1)
#define MACHINE_USB_TABLET    BIT(2)

enum machine_nic_model {
	MACHINE_NIC_NONE,
	MACHINE_NIC_E1000,
	MACHINE_NIC_RTL8139,
	MACHINE_NIC_PCNET,
	MACHINE_NIC_NE2000_PCI,
	MACHINE_NIC_NE2000, /* on the ISA bus */
	MACHINE_NIC_E1000E,
	MACHINE_NIC_VIRTIO,
	MACHINE_NIC_MODELS,
};

/* The n-th is a port of the service `switch`: of the channel in slot
 * SWITCH_CLIENT_SLOT + n. */
struct machine_nic_config {
	uint8_t model; /* enum machine_nic_model */
	uint8_t mac[NET_MAC_LENGTH];
	uint8_t boot_index; /* among those of disks; 0: none, and no ROM */
	uint8_t irq;	    /* ISA: its interrupt, and the first of its ports */
	uint8_t pairs;	    /* virtio: of queues, and the longest packet */
	uint16_t port;
	uint16_t mtu;
};

/* Sockets between guests; with MACHINE_DEVICE_VSOCK. */
struct machine_vsock_config {
	uint32_t cid;
	uint32_t peer_count;
	/* By the channel in slot VSOCK_CLIENT_SLOT + n, whose end it is at. */
	struct {
		uint32_t cid, end;
	} peer[VSOCK_PEERS_MAX];
};

/*
 * What can be put into a removable drive, in memory; of each drive in their
 * order, from its disk's own on, which is in it at first.
 */
struct machine_medium {
	char name[GATE_MODULE_NAME_MAX];
	uint64_t va;
	uint64_t sector_count;
	uint32_t unit; /* the drive's, as include/face.h numbers them */
	uint32_t is_read_only;
};

enum machine_blob_kind {
	MACHINE_BLOB_NONE,
	MACHINE_BLOB_BIOS,    /* system firmware */
	MACHINE_BLOB_VGABIOS, /* option ROM of the display */
	MACHINE_BLOB_KERNEL,
	MACHINE_BLOB_INITRD,
	/* Option ROMs of cards with a boot_index, by model: see
	 * machine_nic_rom(). */
	MACHINE_BLOB_NIC_ROM,
};

static inline enum machine_blob_kind machine_nic_rom(unsigned model)
{
	return (enum machine_blob_kind)(MACHINE_BLOB_NIC_ROM + model -
					MACHINE_NIC_E1000);
}

struct machine_blob {
	uint32_t kind; /* enum machine_blob_kind */
	uint32_t reserved;
	uint64_t va;
	uint64_t size; /* bytes; the rest of the last page is zero */
};

/*
 * A file for the guest's firmware and drivers, in fw_cfg: a module's bytes at
 * va, or the text, without its NUL, where va is 0.
 */
struct machine_item {
	char name[MACHINE_ITEM_NAME];
	char text[MACHINE_ITEM_TEXT];
	uint64_t va;
	uint64_t size; /* bytes */
};

#define MACHINE_DEVICE_DEBUG_EXIT    BIT(0) /* port 0xf4 ends the VM */
#define MACHINE_DEVICE_DEBUG_CONSOLE BIT(1) /* show ports 0x402 and 0xe9 */
#define MACHINE_DEVICE_SERCON	     BIT(2) /* firmware's screen on COM1 */

#define MACHINE_DEVICE_POST_CODES BIT(5) /* log what port 0x80 gets */
#define MACHINE_DEVICE_NO_REBOOT  BIT(6) /* a reset ends the VM */
#define MACHINE_DEVICE_PAUSED	  BIT(7) /* at first, if seat is there */

#define MACHINE_DEVICE_TEST	 BIT(12) /* devices/test_device.h */
#define MACHINE_DEVICE_SERIAL1	 BIT(13) /* COM2 */
#define MACHINE_DEVICE_VMWARE	 BIT(14) /* VMware's backdoor */
#define MACHINE_DEVICE_HYPERV	 BIT(15) /* machine/hyperv.h */
#define MACHINE_DEVICE_PARALLEL0 BIT(16) /* LPT1 */
#define MACHINE_DEVICE_KVM	 BIT(17) /* machine/kvm.h */

#define MACHINE_DEVICE_RNG	      BIT(24)
#define MACHINE_DEVICE_VIRTIO_CONSOLE BIT(25)
#define MACHINE_DEVICE_BALLOON	      BIT(27)

#define MACHINE_DEVICE_NO_ACPI BIT(20) /* neither tables nor registers */
#define MACHINE_DEVICE_HOLE    BIT(21) /* no RAM from 15 to 16 MiB */
#define MACHINE_DEVICE_SERIAL0                         \
	BIT(22) /* COM1, of board pv; pc has it always \
		 */

#define MACHINE_DEVICE_VSOCK BIT(26) /* devices/virtio_vsock.h */

/* An ISA interrupt: as the wire into the interrupt controllers rises for the
 * nth time. */
struct machine_fault_irq {
	uint32_t line;
	uint32_t nth;	  /* from 1; 0: none */
	uint32_t late_us; /* 0: it is lost */
};

/*
 * What goes wrong on purpose, to test what firmware makes of it.  Counts begin
 * with 1 when the machine does; 0: never.  A write to flash memory is a byte or
 * a buffer that is programmed, or a block that is erased; one to a disk is a
 * request.
 */
struct machine_fault {
	bool has_disk_error;
	uint8_t disk_unit;    /* of which the sector can neither be read nor */
	uint32_t disk_sector; /* written */
	uint32_t flash_fail;  /* nothing of this write is done: an error */
	uint32_t flash_torn;  /* half of it is, and the guest is not told */
	/* Of all writes, flash memory's and disks': instead of this one the
	 * power goes, and comes back. */
	uint32_t power_cut;
	uint32_t power_cut_torn; /* in the middle of it */
	struct machine_fault_irq irq[MACHINE_FAULT_IRQS];
};

/* GATE_EXIT codes of a machine. */
#define MACHINE_EXIT_POWER_OFF 0
#define MACHINE_EXIT_ERROR     1 /* it has said why by GATE_LOG */
/* By port 0xf4, with what was written there: 255 is that or more. */
#define MACHINE_EXIT_DEBUG(n)  (0x100 | ((n) > 0xff ? 0xff : (n)))

/* What ACPI's tables say; all zero: those of ACPI 2.0, no sleep. */
struct machine_acpi {
	uint32_t revisions;  /* MACHINE_ACPI_* */
	uint32_t sleep;	     /* MACHINE_SLEEP_* */
	uint32_t processors; /* objects at most; 0: a vCPU each */
};
/* The FADT's revision, 0: as the board has it; tables of ACPI 1.0 beside it. */
#define MACHINE_ACPI_FADT  MASK(7, 0)
#define MACHINE_ACPI_AND_1 BIT(8)
#define MACHINE_SLEEP_S3   BIT(0)
#define MACHINE_SLEEP_S4   BIT(1)

/* Ports of the host's that the machine has been granted: the guest's accesses
 * there are the host's.  count 0: unused. */
struct machine_ports {
	uint16_t first, count;
};

struct machine_config {
	uint32_t version; /* MACHINE_CONFIG_VERSION */
	uint32_t board;	  /* enum machine_board */
	char name[GATE_NAME_SIZE];
	uint32_t vcpu_count;
	uint32_t cores, threads; /* of a package, of a core; 0: 1 */
	uint32_t disk_count;
	uint32_t medium_count;
	uint32_t blob_count;
	uint32_t item_count;
	uint32_t devices;      /* MACHINE_DEVICE_* */
	uint32_t boot_menu_ms; /* firmware waits for its key; 0: no menu */
	uint32_t nic_count;
	uint32_t duty_percent; /* of its time it runs; 0: all of it */
	struct machine_acpi acpi;
	uint32_t is_lazy;     /* of RAM, that is absent until it is touched */
	uint32_t usb;	      /* enum machine_usb */
	uint32_t usb_devices; /* MACHINE_USB_KEYBOARD and so on */
	uint64_t ram_size;  /* bytes, a multiple of 2 MiB, at window offset 0 */
	uint64_t vram_size; /* follows RAM */
	uint64_t rom_size;  /* follows video memory */
	struct machine_disk_config disk[MACHINE_DISKS_MAX];
	struct machine_medium medium[MACHINE_MEDIA_MAX];
	struct machine_nic_config nic[MACHINE_NICS_MAX];
	struct machine_vsock_config vsock;
	struct machine_blob blob[MACHINE_BLOBS_MAX];
	struct machine_item item[MACHINE_ITEMS_MAX];
	struct machine_ports ports[MACHINE_PORTS_MAX];
	struct machine_fault fault;
	struct cpu_quirks cpu;
	char cmdline[MACHINE_CMDLINE_SIZE];
};
_Static_assert(sizeof(struct machine_config) <= GATE_ARGUMENT_MAX, "fits");

#endif
