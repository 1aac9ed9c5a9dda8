/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board `pc`: i440FX, PIIX3, PIIX4 PM and what stands around them, wired.
 *
 * All functions want the machine's lock held, but for pc_emul_windows() and
 * pc_ram_at().
 */
#ifndef BULKHEAD_MACHINE_PC_H
#define BULKHEAD_MACHINE_PC_H

#include "devices/bus.h"
#include "devices/debug_ports.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "devices/i440fx.h"
#include "devices/i8042.h"
#include "devices/ide.h"
#include "devices/ioapic.h"
#include "devices/pci.h"
#include "devices/pic.h"
#include "devices/piix3.h"
#include "devices/piix4_pm.h"
#include "devices/pit.h"
#include "devices/rtc.h"
#include "devices/uart.h"
#include "devices/vga.h"
#include "firmware/board.h"
#include "firmware/tables.h"
#include "include/device.h"
#include "include/emulate.h"
#include "include/gate.h"
#include "include/machine_config.h"

/* What the board wants of the world. */
struct pc_ops {
	/* INTR, the output of the 8259 pair. */
	void (*set_intr)(void *ctx, bool level);
	/* A message as the IOAPIC and PCI devices send them. */
	void (*send_msi)(void *ctx, uint64_t address, uint32_t data);
	/*
	 * Show the VM's memory (gate.h: RAM, video memory, ROM as one piece)
	 * at offset at guest-physical [gpa, gpa + length), or nothing.
	 */
	void (*map)(void *ctx, gpa_t gpa, uint64_t length, uint64_t offset,
		    enum gate_map kind);
	/* The caller resets the board after the present access is done. */
	void (*reset)(void *ctx);
	void (*power_off)(void *ctx);
	/* A write to port 0xf4, if the manifest has it. */
	void (*debug_exit)(void *ctx, uint32_t code);
	void (*serial_write)(void *ctx, const void *data, size_t length);
	/* Input for COM1, at most size bytes; returns how many.  NULL: none. */
	size_t (*serial_read)(void *ctx, void *data, size_t size);
	/* Ports 0x402 and 0xe9. */
	void (*debug_write)(void *ctx, const void *data, size_t length);
	void (*log)(void *ctx, enum device_log_level level, const char *text);
};

/* What firmware shadows: 0xc0000-0xfffff in segments of 16 KiB. */
#define PC_SEGMENTS 16

struct pc_segment {
	bool reads_ram; /* else ROM where there is some, else nothing */
	bool writes_ram;
};

struct pc {
	const struct machine_config *config;
	uint32_t physical_bits; /* the guest's MAXPHYADDR */
	const struct pc_ops *ops;
	void *ctx;

	/* The window: RAM, video memory, ROM. */
	uint8_t *window;
	uint64_t rom_offset; /* in the window */
	uint64_t bios_size;  /* at rom_offset and, seen by the guest, below
				4 GiB; 0: a guest without firmware */
	gpa_t vram_gpa;	     /* valid while is_vram_mapped */
	bool is_vram_mapped;
	struct pc_segment segment[PC_SEGMENTS];
	struct guest_ram ram; /* for DMA */
	struct board_description board;
	struct firmware_tables tables;

	struct bus ports;
	struct bus memory;
	uint8_t port_index[BUS_PORTS];

	/* The wires into the interrupt controllers: one bit an ISA IRQ. */
	uint16_t isa_lines;
	uint16_t pirq_lines;
	uint16_t hpet_lines;
	bool is_hpet_legacy; /* 8254 and RTC are cut off */

	struct pic pic;
	struct ioapic ioapic;
	struct pit pit;
	struct rtc rtc;
	struct hpet hpet;
	struct i8042 i8042;
	struct uart com1;
	struct fw_cfg fw_cfg;
	struct debug_ports debug;
	struct pci_bus pci;
	struct i440fx host;
	struct piix3 isa;
	struct piix4_pm pm;
	struct ide ide;
	struct vga vga;

	uint64_t sercon_port; /* etc/sercon-port */
};

/*
 * config and window as the gate hands them over; disks has config->disk_count
 * entries, in the config's order.  0 or -errno, said why through ops->log.
 */
int __must_check pc_init(struct pc *pc, const struct machine_config *config,
			 uint32_t physical_bits, uint8_t *window,
			 struct block_backend *const disks[],
			 struct clock *clock, const struct pc_ops *ops,
			 void *ctx);
/* All devices as after power-on. */
void pc_reset(struct pc *pc);
/*
 * Where vCPU 0 starts: nothing to do for firmware; a direct boot loads the
 * kernel and fills state (SEGMENTS, CONTROL and TABLES are valid), marking
 * what it changed dirty.  0 or -errno.
 */
int __must_check pc_boot(struct pc *pc, struct x86_state *state);

/* io->offset is the port; the guest-physical address. */
void pc_port_access(struct pc *pc, struct io_access *io);
/* Elements packed in buffer; returns count: always does them all. */
uint32_t pc_port_bulk(struct pc *pc, struct io_access *io, void *buffer,
		      uint32_t count);
void pc_mmio_access(struct pc *pc, struct io_access *io);

/* Host address of [gpa, gpa + length) if it is memory that may be read, or
 * written; else NULL. */
void *pc_ram_at(struct pc *pc, gpa_t gpa, size_t length, bool write);
/* What never changes its mapping, for the emulator. */
void pc_emul_windows(struct pc *pc, struct emul_window window[EMUL_WINDOWS]);

/* The vector the 8259 pair has for the CPU. */
uint32_t pc_intack(struct pc *pc);
/* A level-triggered vector has been acknowledged at a local APIC. */
void pc_ioapic_eoi(struct pc *pc, uint8_t vector);
/*
 * serial_read() has something: COM1 takes what fits, and the rest once the
 * guest has emptied its FIFO.
 */
void pc_console_input(struct pc *pc);

#endif
