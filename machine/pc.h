/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board `pc`: i440FX, PIIX3, PIIX4 PM and what stands around them, wired.
 *
 * Locking: as machine/board.h says.
 */
#ifndef BULKHEAD_MACHINE_PC_H
#define BULKHEAD_MACHINE_PC_H

#include "devices/ahci.h"
#include "devices/bus.h"
#include "devices/debug_ports.h"
#include "devices/dma8237.h"
#include "devices/fdc.h"
#include "devices/e1000.h"
#include "devices/e1000e.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "devices/i440fx.h"
#include "devices/i8042.h"
#include "devices/ide.h"
#include "devices/ioapic.h"
#include "devices/lsi.h"
#include "devices/ne2000.h"
#include "devices/parallel.h"
#include "devices/pci.h"
#include "devices/pcnet.h"
#include "devices/pflash.h"
#include "devices/pic.h"
#include "devices/piix3.h"
#include "devices/piix4_pm.h"
#include "devices/pit.h"
#include "devices/rtc.h"
#include "devices/rtl8139.h"
#include "devices/test_device.h"
#include "devices/uart.h"
#include "devices/uhci.h"
#include "devices/usb_hid.h"
#include "devices/usb_hub.h"
#include "devices/usb_storage.h"
#include "devices/vga.h"
#include "devices/virtio_net.h"
#include "devices/virtio_vsock.h"
#include "devices/vmware.h"
#include "devices/xhci.h"
#include "firmware/board.h"
#include "firmware/bootrom.h"
#include "firmware/direct.h"
#include "firmware/tables.h"
#include "machine/board.h"
#include "machine/virtio_consoles.h"
#include "machine/virtio_disks.h"
#include "machine/virtio_pmems.h"
#include "machine/virtio_smalls.h"

/* What firmware shadows: 0xc0000-0xfffff in segments of 16 KiB. */
#define PC_SEGMENTS 16

struct pc_segment {
	bool reads_ram; /* else ROM where there is some, else nothing */
	bool writes_ram;
};

/* The wires into the interrupt controllers: one bit an ISA IRQ. */
struct pc_wires {
	uint16_t isa_lines;
	uint16_t pirq_lines;
	uint16_t hpet_lines;
	uint16_t test_lines; /* the test device's */
	bool is_hpet_legacy; /* 8254 and RTC are cut off */
	uint8_t reserved[1];
};

/* What the face has of it: pc_screen.c, pc_input.c. */
struct pc_pointer {
	int32_t dx, dy, dz; /* since the last INPUT_SYNC; dy upwards */
	int32_t x, y;	    /* of INPUT_ABSOLUTE_MAX */
	uint8_t buttons;
	bool is_placed; /* it came to x, y last, and did not move since */
	bool has_come;	/* that is since the last INPUT_SYNC */
};

struct pc_screen {
	bool is_watched;
	bool is_guarded; /* and video memory is mapped, and on the bus */
	gpa_t gpa;	 /* where it is on the bus then */
	struct vga_text text;
	/* Of who watches: the pointer has changed, too. */
	void (*changed)(void *ctx);
	void *changed_ctx;
	/* Pages that the guest may write to while is_guarded. */
	uint64_t writable[VGA_VRAM_MAX / PAGE_SIZE / VGA_PAGE_WORD];
};

/* A network card of one of the models. */
struct pc_nic {
	struct device *device;
	union {
		struct e1000 e1000;
		struct rtl8139 rtl8139;
		struct pcnet pcnet;
		struct ne2000 ne2000;
		struct e1000e e1000e;
		struct virtio_net virtio;
	};
};

/* A USB controller, and what is plugged in: pc_usb.c. */
struct pc_usb {
	struct device *controller; /* NULL: none is there */
	bool has_hub;
	struct uhci uhci;
	struct xhci xhci;
	struct usb_hub hub;
	struct usb_hid keyboard, mouse, tablet;
	unsigned disk_count;
	struct usb_storage disk[MACHINE_USB_DISKS_MAX];
	/* Keys that went down here, by include/input.h's codes: where they are
	 * let go, too. */
	uint64_t keys[2];
};

/* Some of the host's: pc_ports.c. */
struct pc_host_ports {
	struct pc *pc;
	uint16_t first;
};

/* As include/face.h numbers drives. */
#define PC_UNITS (FACE_UNIT_SCSI + VIRTIO_SCSI_TARGETS)
#define PC_BOOT_ORDER_SIZE                                      \
	((PC_UNITS + MACHINE_NICS_MAX + MACHINE_USB_DISKS_MAX + \
	  VIRTIO_DISKS) *                                       \
	 64)

struct pc {
	const struct machine_config *config;
	struct block_backend *const *media; /* config->medium[]'s */
	uint32_t physical_bits;		    /* the guest's MAXPHYADDR */
	const struct board_host_ops *ops;
	void *ctx;
	struct fault *fault; /* NULL: none is wanted */

	/* The window: RAM, video memory, ROM. */
	uint8_t *window;
	uint64_t rom_offset; /* in the window */
	uint64_t bios_size;  /* at rom_offset and, seen by the guest, below
				4 GiB; 0: a guest without firmware */
	uint64_t roms_size;  /* the same with flash memory, below it */
	gpa_t vram_gpa;	     /* valid while is_vram_mapped */
	bool is_vram_mapped;
	bool is_resuming; /* from S3: pc_boot() starts where the system says */
	bool is_a20_off;  /* what memory shows; changed by pc_remap() */
	struct pc_segment segment[PC_SEGMENTS];
	struct guest_ram ram; /* for DMA */
	struct board_description board;
	struct firmware_tables tables;
	/* To start a kernel; the rest for the BIOS that is to do it. */
	struct direct_plan plan;
	struct bootrom_handover handover;
	uint8_t bootrom[BOOTROM_SIZE];

	struct bus ports;
	struct bus memory;
	uint8_t port_index[BUS_PORTS];

	struct device wires_device;
	struct pc_wires wires;
	struct device_list devices;

	struct pic pic;
	struct extint *extint; /* NULL: ops->set_intr() and pc_intack() */
	struct ioapic ioapic;
	struct pit pit;
	struct rtc rtc;
	struct hpet hpet;
	struct dma8237 dma;
	struct i8042 i8042;
	struct uart com1;
	struct uart com2;     /* with MACHINE_DEVICE_SERIAL1 */
	struct parallel lpt1; /* with MACHINE_DEVICE_PARALLEL0 */
	struct vmware vmware; /* with MACHINE_DEVICE_VMWARE; else all zero */
	struct fw_cfg fw_cfg;
	struct debug_ports debug;
	struct pci_bus pci;
	struct i440fx host;
	struct piix3 isa;
	struct piix4_pm pm;
	struct ide ide;
	bool has_ahci;
	struct ahci ahci;
	bool has_lsi;
	struct lsi lsi;
	struct virtio_disks virtio_disks;
	struct virtio_pmems virtio_pmems;
	struct vga vga;
	bool has_fdc;
	struct fdc fdc;
	struct pflash flash;		     /* .config.size 0: none */
	struct pc_nic nic[MACHINE_NICS_MAX]; /* config->nic_count of them */
	struct virtio_vsock vsock;
	struct device_log log; /* for devices */
	struct pc_usb usb;
	struct virtio_consoles virtio_consoles;
	struct virtio_smalls virtio_smalls;
	struct pc_host_ports host_ports[MACHINE_PORTS_MAX];
	struct test_device test; /* .memory NULL: none */
	/* Like RAM no part of what is saved. */
	uint8_t test_memory[TEST_DEVICE_MEMORY];

	uint64_t sercon_port;  /* etc/sercon-port */
	uint16_t boot_menu_ms; /* etc/boot-menu-wait */
	char boot_order[PC_BOOT_ORDER_SIZE];
	/* By unit, as include/face.h numbers them: what is in drives that open
	 * at first. */
	struct block_backend *medium[PC_UNITS];
	struct pc_pointer pointer;
	struct pc_screen screen;
};

extern const struct board_ops pc_board_ops;

/*
 * As board_ops has them; board is a struct pc.
 */
int __must_check pc_init(void *board, const struct board_config *config);
void pc_reset(void *board);
/*
 * All devices and the VM's time, as device_list_save() and device_list_load()
 * say; memory is not among it.  The board that loads was built from the same
 * config.  scratch: device_list_scratch(&pc->devices) bytes.
 */
int __must_check pc_save(struct pc *pc, void *image, size_t size,
			 size_t *length);
int __must_check pc_load(struct pc *pc, const void *image, size_t length,
			 void *scratch, char *why, size_t why_size);
int __must_check pc_boot(void *board, struct x86_state *state);
void pc_port_access(void *board, struct io_access *io);
uint32_t pc_port_bulk(void *board, struct io_access *io, void *buffer,
		      uint32_t count);
void pc_mmio_access(void *board, struct io_access *io);
void pc_mmio_write_run(void *board, struct io_access *io, const void *items,
		       uint32_t count);
void pc_remap(void *board);
void *pc_ram_at(void *board, gpa_t gpa, size_t length, bool write);
unsigned pc_regions(void *board, struct board_region region[BOARD_REGIONS_MAX]);
void pc_emulator_windows(void *board, struct emul_window window[EMUL_WINDOWS]);
/* The vector the 8259 pair has for the CPU; without an extint. */
uint32_t pc_intack(void *board);
void pc_ioapic_eoi(void *board, uint8_t vector);
/* The serial ports take what fits, and the rest once the guest has emptied
 * theirs; the parallel port passes on what it has. */
void pc_console_input(void *board);
bool pc_input(void *board, const struct input_event *event);
bool pc_takes_places(void *board);
int pc_command(void *board, uint32_t command, uint32_t unit,
	       const char *medium);
void pc_statistics(void *board, struct face_statistics *to);
extern const struct board_screen pc_board_screen;

#endif
