/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands between the machine's main loop and a board: the main loop knows
 * vCPUs, the gate and time; a board knows which devices there are and how they
 * are wired.  Which boards a program has, its table says: machine/boards.c.
 *
 * All functions of a board want the machine's lock held, but for ram_at() and
 * emulator_windows().
 */
#ifndef BULKHEAD_MACHINE_BOARD_H
#define BULKHEAD_MACHINE_BOARD_H

#include "include/block.h"
#include "include/device.h"
#include "include/display.h"
#include "include/emulate.h"
#include "include/face.h"
#include "include/gate.h"
#include "include/machine_config.h"
#include "include/net.h"
#include "include/vsock.h"
#include "machine/extint.h"
#include "machine/fault.h"

/* What the board wants of the world. */
struct board_host_ops {
	/*
	 * INTR, the output of an 8259 pair.  NULL: board_config.extint.
	 */
	void (*set_intr)(void *ctx, bool level);
	/* A message as the IOAPIC and PCI devices send them.  False: no local
	 * APIC accepted it. */
	bool (*send_msi)(void *ctx, uint64_t address, uint32_t data);
	/*
	 * Show the VM's memory (gate.h: RAM, video memory, ROM as one piece)
	 * at offset at guest-physical [gpa, gpa + length), or nothing; or, by
	 * GATE_MAP_MODULE, boot modules.
	 */
	void (*map)(void *ctx, gpa_t gpa, uint64_t length, uint64_t offset,
		    enum gate_map kind);
	/* Puts length bytes where the window has RAM, at to.  NULL: memcpy().
	 */
	void (*fill)(void *ctx, void *to, const void *from, uint64_t length);
	/* The caller resets the board after the present access is done. */
	void (*reset)(void *ctx);
	/* The caller has board_ops.remap() done after the present access, and
	 * before the guest's next instruction.  NULL: the board does it now. */
	void (*remap)(void *ctx);
	void (*power_off)(void *ctx);
	/* A write to port 0xf4, if the manifest has it. */
	void (*debug_exit)(void *ctx, uint32_t code);
	void (*serial_write)(void *ctx, const void *data, size_t length);
	/* Input for COM1, at most size bytes; returns how many.  NULL: none. */
	size_t (*serial_read)(void *ctx, void *data, size_t size);
	/* The same of COM2. */
	void (*serial1_write)(void *ctx, const void *data, size_t length);
	size_t (*serial1_read)(void *ctx, void *data, size_t size);
	/* A byte of LPT1's.  False: no room, board_ops.console_input() comes
	 * when there is. */
	bool (*printer_write)(void *ctx, uint8_t byte);
	/* Ports 0x402 and 0xe9. */
	void (*debug_write)(void *ctx, const void *data, size_t length);
	void (*e9_write)(void *ctx, const void *data, size_t length);
	/* Ports of the host's, those of machine_config.ports, at 1, 2 or 4
	 * bytes. */
	uint32_t (*port_read)(void *ctx, uint16_t port, unsigned size);
	void (*port_write)(void *ctx, uint16_t port, unsigned size,
			   uint32_t value);
	/* Random bytes.  NULL: there are none. */
	void (*entropy)(void *ctx, void *to, size_t size);
	/* Whole pieces of 2 MiB of the window's RAM that the guest does not
	 * need: they go back to the host, and are zero when somebody touches
	 * them next.  NULL: they stay. */
	void (*release)(void *ctx, uint64_t offset, uint64_t length);
	void (*log)(void *ctx, enum device_log_level level, const char *text);
	/* The general registers, in x86_state.h's order, of the vCPU whose port
	 * access is under way. */
	uint64_t *(*registers)(void *ctx);
};

/* Lives as long as the board. */
struct board_config {
	const struct machine_config *machine;
	uint32_t physical_bits; /* the guest's MAXPHYADDR */
	uint8_t *window; /* RAM, video memory, ROM, as the gate has them */
	/* machine->disk_count entries, in that order. */
	struct block_backend *const *disks;
	/* machine->medium_count entries, in that order. */
	struct block_backend *const *media;
	/* machine->nic_count entries, in that order. */
	struct net_backend *const *nics;
	/* NULL: the guest has no sockets to others. */
	const struct vsock_backend *vsock;
	struct clock *clock;
	/* Of the machine itself: reset, saved and restored with the board's. */
	struct device *const *devices;
	unsigned device_count;
	/* Where the output of an 8259 pair goes, with its page; NULL: to
	 * ops->set_intr(). */
	struct extint *extint;
	struct gate_page *extint_page;
	/* What comes between its flash memory and wires; NULL: nothing.  Its
	 * disks have theirs already. */
	struct fault *fault;
	const struct board_host_ops *ops;
	void *ctx; /* of ops */
};

enum board_guard {
	BOARD_GUARD_NONE,   /* it is not the screen's, or not guarded now */
	BOARD_GUARD_LIFTED, /* the guest may write there from now on */
	BOARD_GUARD_BEFORE, /* it has been lifted before */
};

/* A screen, for the machine's face. */
struct board_screen {
	void (*picture)(void *board, struct display_picture *picture);
	/* As vga_render_rectangle(). */
	int (*render)(void *board, const struct display_rectangle *rectangle,
		      uint32_t *pixels);
	/* Of DISPLAY_TEXT columns * rows cells, as display_surface has them,
	 * valid until the next call; the cursor's cell or -1. */
	const uint16_t *(*cells)(void *board, int32_t *cursor);
	/*
	 * changed(ctx) from within the first access after changes() that is to
	 * be seen, or by which takes_places() is another; NULL: nobody watches
	 * any more.  At first all has changed.
	 */
	void (*watch)(void *board, void (*changed)(void *ctx), void *ctx);
	/* What has changed since it was last asked, within height lines. */
	unsigned (*changes)(void *board, unsigned height,
			    struct display_rectangle dirty[DISPLAY_DIRTY]);
	/*
	 * The guest's write at gpa has failed.  While the screen is watched the
	 * guest's own writes to video memory do, until they are known of.
	 */
	enum board_guard (*unguard)(void *board, gpa_t gpa);
};

/* Guest-physical memory, of whole pages. */
struct board_region {
	gpa_t start;
	uint64_t size;
};

#define BOARD_REGIONS_MAX 8

enum board_sleep { BOARD_AWAKE, BOARD_CHANGES, BOARD_ASLEEP };

struct board_ops {
	/* 0 or -errno, said why through ops->log.  board is all zero: to look
	 * whether it is takes longer than to build it. */
	int (*init)(void *board, const struct board_config *config);
	/* All devices as after power-on. */
	void (*reset)(void *board);
	/*
	 * BOARD_CHANGES: the reset that comes next is one into sleep or out of
	 * it.  BOARD_ASLEEP: no vCPU runs until the board wants a reset.  NULL:
	 * it is always awake.
	 */
	enum board_sleep (*sleep)(void *board);
	/*
	 * Where vCPU 0 starts: nothing to do for firmware; a direct boot loads
	 * the kernel and fills state (SEGMENTS, CONTROL and TABLES are valid),
	 * marking what it changed dirty.  0 or -errno.
	 */
	int (*boot_state)(void *board, struct x86_state *state);
	/* io->offset is the port; the guest-physical address. */
	void (*port_access)(void *board, struct io_access *io);
	/* Elements packed in buffer; returns count: always does them all. */
	uint32_t (*port_bulk)(void *board, struct io_access *io, void *buffer,
			      uint32_t count);
	void (*mmio_access)(void *board, struct io_access *io);
	/* Writes of count items, packed, from io->offset upwards, within a
	 * page: always does them all. */
	void (*mmio_write_run)(void *board, struct io_access *io,
			       const void *items, uint32_t count);
	/* Host address of [gpa, gpa + length) if it is memory that may be
	 * read, or written; else NULL. */
	void *(*ram_at)(void *board, gpa_t gpa, size_t length, bool write);
	/*
	 * Where ram_at() may find something to read, by address, none of them
	 * empty; how many.  Between them there are devices, among them what is
	 * of images in persistent memory, and nothing.  NULL: the board does
	 * not say.
	 */
	unsigned (*regions)(void *board,
			    struct board_region region[BOARD_REGIONS_MAX]);
	/*
	 * Memory shows elsewhere from now on, for all vCPUs, which are at a
	 * stop; emulator_windows() is to be asked again.
	 */
	void (*remap)(void *board);
	/* What does not change its mapping but by remap(), for the emulator. */
	void (*emulator_windows)(void *board,
				 struct emul_window window[EMUL_WINDOWS]);
	/* A level-triggered vector has been acknowledged at a local APIC. */
	void (*ioapic_eoi)(void *board, uint8_t vector);
	/* serial_read() has something, or printer_write() has room. */
	void (*console_input)(void *board);
	/* False: no device takes it. */
	bool (*input)(void *board, const struct input_event *event);
	/* A driver of the guest's takes INPUT_ABSOLUTE now; a change is one of
	 * what the screen's watch() is told of.  NULL: never. */
	bool (*takes_places)(void *board);
	/* An enum face_command_kind that is a board's affair; medium as struct
	 * face_command has it.  0, -ENOSYS (it is not), -ENODEV (there is no
	 * such drive), -ERANGE (it has no such medium). */
	int (*command)(void *board, uint32_t command, uint32_t unit,
		       const char *medium);
	/* Adds what its devices have counted.  NULL: nothing. */
	void (*statistics)(void *board, struct face_statistics *to);
	const struct board_screen *screen; /* NULL: it has none */
};

struct board {
	const struct board_ops *ops;
	void *object;
};

/* The program's board of that kind, or NULL. */
const struct board *board_find(uint32_t kind);

#endif
