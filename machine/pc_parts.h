/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the board `pc` share: pc.c wires, pc_memory.c knows where
 * memory shows, pc_boot.c tells the guest what there is.
 */
#ifndef BULKHEAD_MACHINE_PC_PARTS_H
#define BULKHEAD_MACHINE_PC_PARTS_H

#include "machine/board_parts.h"
#include "machine/pc.h"
#include "machine/virtio_board.h"

#define PC_VGA_DEVFN	  PCI_DEVFN(2, 0)
#define PC_ISA_DEVFN	  PCI_DEVFN(1, 0)
#define PC_IDE_DEVFN	  PCI_DEVFN(1, 1)
/* Network cards: from here on. */
#define PC_NIC_SLOT	  3
#define PC_AHCI_DEVFN	  PCI_DEVFN(8, 0)
#define PC_LSI_DEVFN	  PCI_DEVFN(9, 0)
/* boot_index is from 1 to here. */
#define PC_BOOT_INDEX_MAX 8
#define PC_COM1_PORT	  BOARD_COM1_PORT
#define PC_COM2_PORT	  0x2f8
#define PC_LPT1_PORT	  0x378
#define PC_FLOPPY_DMA	  2
#define PC_ISA_IRQS	  16

void pc_log(struct pc *pc, enum device_log_level level, const char *format, ...)
	__printf(3, 4);

/* The wire of an ISA interrupt. */
struct irq_line pc_isa_irq(struct pc *pc, unsigned irq);

/* The blob of that kind, or NULL. */
static inline const struct machine_blob *pc_blob(const struct pc *pc,
						 enum machine_blob_kind kind)
{
	return board_blob(pc->config, kind);
}

/* A kernel that is started without a BIOS. */
static inline bool pc_is_direct(const struct pc *pc)
{
	return pc_blob(pc, MACHINE_BLOB_KERNEL) &&
	       !pc_blob(pc, MACHINE_BLOB_BIOS);
}

static inline bool pc_has_com2(const struct pc *pc)
{
	return pc->config->devices & MACHINE_DEVICE_SERIAL1;
}

static inline bool pc_has_lpt1(const struct pc *pc)
{
	return pc->config->devices & MACHINE_DEVICE_PARALLEL0;
}

/* machine/pc_memory.c */
/* Copies the BIOS into ROM, shows RAM and ROM, adds 0xc0000-0xfffff. */
int __must_check pc_memory_init(struct pc *pc);
void pc_pam_changed(void *ctx, gpa_t base, uint64_t length, bool read_ram,
		    bool write_ram);
void pc_vram_mapped(void *ctx, uint64_t gpa, bool enabled);
/* machine/pc_screen.c */
/* pc_takes_places() may be another: who watches is told.  ctx is a struct pc.
 */
void pc_pointer_changed(void *ctx);
/* machine/pc_screen.c: shows video memory at vram_gpa, or no longer. */
void pc_screen_map(struct pc *pc, bool is_mapped);
/* What an address of the processors comes to behind the A20 gate. */
static inline gpa_t pc_gated(const struct pc *pc, gpa_t gpa)
{
	if (unlikely(pc->is_a20_off) && gpa < pc->board.ram_low)
		gpa &= ~BIT(20);
	return gpa;
}

/* machine/pc_flash.c */
/* Where the firmware's variables are, if the manifest has any; after
 * pc_memory_init(). */
int __must_check pc_flash_init(struct pc *pc, struct clock *clock,
			       struct block_backend *const disks[]);
/* Its array, while that is what it shows; else NULL. */
const void *pc_flash_at(const struct pc *pc, gpa_t gpa, size_t length);
void pc_flash_sync(struct pc *pc);

/* machine/pc_ahci.c */
/* What a drive of IDE or AHCI is made of. */
struct ide_drive_config pc_drive_config(const struct machine_disk_config *disk,
					struct block_backend *backend);
/* The controller, if a disk is at it.  -EINVAL, -EEXIST: a disk's port. */
int __must_check pc_ahci_init(struct pc *pc, struct clock *clock,
			      struct block_backend *const disks[]);

/* machine/pc_lsi.c */
/* The SCSI adapter, if a disk is at it.  -EINVAL, -EEXIST: a disk's ID. */
int __must_check pc_lsi_init(struct pc *pc, struct clock *clock,
			     struct block_backend *const disks[]);

/* machine/pc_virtio.c */
/* Those that the manifest has, in the list of devices then.  -errno of
 * theirs. */
int __must_check pc_virtio_init(struct pc *pc,
				const struct board_config *config);

/* machine/pc_nics.c */
/* -EINVAL: too many, or an unknown model. */
int __must_check pc_nics_init(struct pc *pc, const struct board_config *config);

/* machine/pc_devices.c */
struct virtio_wiring pc_virtio_wiring(struct pc *pc,
				      const struct board_config *config);

/* machine/pc_ports.c */
/* Those of the host's that the guest has.  -EEXIST: the board has such. */
int __must_check pc_ports_init(struct pc *pc);

/* machine/pc_sleep.c */
/* The rest of the PM function is there. */
void pc_sleep_init(struct pc *pc);
enum board_sleep pc_sleep(void *board);
/* pc_reset() into sleep or out of it. */
void pc_sleep_reset(struct pc *pc);
/* Where a system without firmware wants to go on, once; 0: it starts. */
uint32_t pc_waking_vector(struct pc *pc);
void pc_waking_state(struct x86_state *state, uint32_t vector);
/* machine/pc_usb.c */
/* -EINVAL: an unknown controller, or a disk too many. */
int __must_check pc_usb_init(struct pc *pc, const struct board_config *config);
int __must_check pc_usb_devices_add(struct pc *pc);
/* How firmware knows the disk of that number. */
size_t pc_usb_path(const struct pc *pc, char *to, size_t size, unsigned unit);
/* False: no USB keyboard is in use, or it has no such key. */
bool pc_usb_key(struct pc *pc, const struct input_event *event);
/* Somebody asks for places. */
bool pc_usb_has_tablet(const struct pc *pc);
/* What pc->pointer has gathered.  False: it is another's. */
bool pc_usb_move(struct pc *pc);

/* machine/pc_cmos.c */
/* Once the disks are there. */
void pc_cmos_fill(struct pc *pc);

/* Those that a PC/AT's BIOS knows: both on the primary channel. */
#define PC_FIXED_DISKS 2

struct pc_geometry {
	uint64_t sector_count;
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors;
};

/* As IDENTIFY DEVICE says it of IDE unit 0 to 3; false: no disk. */
bool pc_disk_geometry(const struct pc *pc, unsigned unit,
		      struct pc_geometry *geometry);
/* The control byte of an AT's disk table. */
uint8_t pc_geometry_control(const struct pc_geometry *geometry);

/* machine/pc_chipset.c */
/* Devices, and low memory unless it is the system's already, as a BIOS leaves
 * them.  0 or -errno. */
int __must_check pc_chipset_set_up(struct pc *pc, bool with_memory);

/* machine/pc_boot.c */
/* Fills CMOS and fw_cfg. */
int __must_check pc_boot_init(struct pc *pc);

/* ---- pc_devices.c ------------------------------------------------------ */

/* When all devices are built: -ENOSPC, more than a list holds. */
int __must_check pc_devices_init(struct pc *pc,
				 const struct board_config *config);

#endif
