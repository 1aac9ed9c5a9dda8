/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest-physical map of the board `pc`:
 *
 *	00000000  RAM
 *	000a0000  the VGA's window (devices/vga.c)
 *	000c0000  RAM, nothing, or (from e0000) the end of the BIOS, as the
 *		  host bridge's PAM registers say
 *	00100000  RAM, up to 3 GiB of it
 *	00f00000  nothing, up to 01000000, if the manifest has the hole
 *	    ...	  PCI hole: BARs, video memory where its BAR is
 *	fec00000  I/O APIC
 *	fee00000  local APICs: the monitor's
 *	    ...	  flash memory for the firmware's variables (devices/pflash.c)
 *	    ...	  the BIOS, ending at 4 GiB
 *	100000000 the rest of RAM
 *
 * Plain memory is shown to the guest by nested paging and is no business of
 * the bus.  What is left comes as an access: segments below 1 MiB that read
 * and write different things are on the bus for it.
 *
 * While the A20 gate is off, odd megabytes of RAM below 4 GiB show the even
 * ones before them.  The first, which real mode reaches, is mapped so.  RAM
 * above it is not mapped at all, so that its accesses come to the emulator,
 * which clears the bit: nobody computes there with the gate off.  RAM above
 * 4 GiB, ROM below and devices are not behind the gate.
 */
#include "machine/pc_parts.h"

#include "include/errno.h"
#include "lib/string.h"

#define LOW_END	       0xa0000ULL
#define SEGMENTS_BASE  0xc0000ULL
#define SEGMENT_LENGTH 0x4000ULL
#define SEGMENTS_END   0x100000ULL
#define BIOS_ALIAS     KIB(128)
#define A20_LENGTH     MIB(1)
#define APICS_BASE     0xfec00000ULL
#define APICS_END      0xfef00000ULL

/* ---- Segments below 1 MiB ---------------------------------------------- */

static struct pc_segment *segment_at(struct pc *pc, gpa_t gpa)
{
	return &pc->segment[(gpa - SEGMENTS_BASE) / SEGMENT_LENGTH];
}

static bool is_rom(const struct pc *pc, gpa_t gpa)
{
	return gpa >= SEGMENTS_END - MIN(pc->bios_size, BIOS_ALIAS);
}

/* Window offset of the ROM that shows at gpa, below 1 MiB or 4 GiB. */
static uint64_t rom_offset(const struct pc *pc, gpa_t gpa)
{
	gpa_t end = gpa < SEGMENTS_END ? SEGMENTS_END : GIB(4);

	return pc->rom_offset + pc->bios_size - (end - gpa);
}

static void map_segment(struct pc *pc, gpa_t gpa)
{
	const struct pc_segment *segment = segment_at(pc, gpa);
	enum gate_map kind = GATE_MAP_NONE;
	uint64_t offset = gpa;

	if (segment->reads_ram) {
		kind = segment->writes_ram ? GATE_MAP_RAM : GATE_MAP_ROM;
	} else if (is_rom(pc, gpa)) {
		kind = GATE_MAP_ROM;
		offset = rom_offset(pc, gpa);
	}
	pc->ops->map(pc->ctx, gpa, SEGMENT_LENGTH, offset, kind);
	if (pc->is_a20_off)
		pc->ops->map(pc->ctx, gpa + A20_LENGTH, SEGMENT_LENGTH, offset,
			     kind);
}

void pc_pam_changed(void *ctx, gpa_t base, uint64_t length, bool read_ram,
		    bool write_ram)
{
	struct pc *pc = ctx;
	gpa_t gpa;

	for (gpa = base; gpa < base + length; gpa += SEGMENT_LENGTH) {
		struct pc_segment *segment = segment_at(pc, gpa);

		if (segment->reads_ram == read_ram &&
		    segment->writes_ram == write_ram)
			continue;
		segment->reads_ram = read_ram;
		segment->writes_ram = write_ram;
		map_segment(pc, gpa);
	}
}

/* What nested paging could not do by itself. */
static void segment_access(void *opaque, struct io_access *io)
{
	struct pc *pc = opaque;
	gpa_t gpa = SEGMENTS_BASE + io->offset;
	const struct pc_segment *segment = segment_at(pc, gpa);

	if (io->is_write) {
		if (segment->writes_ram)
			memcpy(pc->window + gpa, &io->data, io->size);
	} else if (segment->reads_ram) {
		memcpy(&io->data, pc->window + gpa, io->size);
	} else if (is_rom(pc, gpa)) {
		memcpy(&io->data, pc->window + rom_offset(pc, gpa), io->size);
	}
}

/* ---- Video memory ------------------------------------------------------ */

void pc_vram_mapped(void *ctx, uint64_t gpa, bool enabled)
{
	struct pc *pc = ctx;

	pc->is_vram_mapped = enabled;
	pc->vram_gpa = gpa;
	pc_screen_map(pc, enabled);
}

/* ---- Looking memory up ------------------------------------------------- */

static bool is_within(gpa_t gpa, size_t length, gpa_t base, uint64_t size)
{
	return gpa >= base && gpa - base < size &&
	       length <= size - (gpa - base);
}

static void *segment_ram_at(struct pc *pc, gpa_t gpa, size_t length, bool write)
{
	const struct pc_segment *segment = segment_at(pc, gpa);

	if ((gpa & (SEGMENT_LENGTH - 1)) + length > SEGMENT_LENGTH)
		return NULL;
	/* Where reads and writes part, only single accesses come out right. */
	if (segment->reads_ram)
		return write && !segment->writes_ram ? NULL : pc->window + gpa;
	if (write || !is_rom(pc, gpa))
		return NULL;
	return pc->window + rom_offset(pc, gpa);
}

static void *rom_at(const struct pc *pc, gpa_t gpa, size_t length)
{
	if (gpa >= GIB(4) - pc->bios_size)
		return pc->window + rom_offset(pc, gpa);
	return (void *)(uintptr_t)pc_flash_at(pc, gpa, length);
}

/* Bytes of RAM from the hole's end on; without the hole they are not apart. */
static uint64_t beyond_hole(const struct pc *pc)
{
	return pc->board.has_hole ? pc->board.ram_low - BOARD_HOLE_END : 0;
}

/* Images in persistent memory; ROMs, which firmware copies out of their BARs.
 */
static const void *read_only_at(const struct pc *pc, gpa_t gpa, size_t length)
{
	const void *image = virtio_pmems_at(&pc->virtio_pmems, gpa, length);

	return image ? image : pci_rom_at(&pc->pci, gpa, length);
}

static void *vram_at(const struct pc *pc, gpa_t gpa, size_t length, bool write)
{
	if (!pc->is_vram_mapped ||
	    !is_within(gpa, length, pc->vram_gpa, pc->config->vram_size) ||
	    (write && pc->screen.is_guarded))
		return NULL;
	return pc->window + pc->config->ram_size + (gpa - pc->vram_gpa);
}

/* From the end of RAM below 4 GiB to that of the local APICs. */
static inline void *pci_hole_at(const struct pc *pc, gpa_t gpa, size_t length,
				bool write)
{
	void *vram = gpa < APICS_BASE ? vram_at(pc, gpa, length, write) : NULL;

	if (vram || write || gpa >= APICS_BASE)
		return vram;
	return (void *)(uintptr_t)pci_rom_at(&pc->pci, gpa, length);
}

void *pc_ram_at(void *board, gpa_t gpa, size_t length, bool write)
{
	struct pc *pc = board;
	uint64_t low = pc->board.ram_low;
	uint64_t end, beyond;
	void *at;

	/* Most accesses to devices are to where little else can be. */
	if (likely(gpa >= low && gpa < APICS_END))
		return pci_hole_at(pc, gpa, length, write);
	end = board_extended_end(&pc->board);
	beyond = beyond_hole(pc);
	if (unlikely(pc->is_a20_off)) {
		if ((gpa & (A20_LENGTH - 1)) + length > A20_LENGTH)
			return NULL;
		gpa = pc_gated(pc, gpa);
	}
	if (is_within(gpa, length, 0, LOW_END) ||
	    is_within(gpa, length, SEGMENTS_END, end - SEGMENTS_END) ||
	    is_within(gpa, length, BOARD_HOLE_END, beyond))
		return pc->window + gpa;
	if (is_within(gpa, length, GIB(4), pc->board.ram_high))
		return pc->window + low + (gpa - GIB(4));
	if (is_within(gpa, length, SEGMENTS_BASE, SEGMENTS_END - SEGMENTS_BASE))
		return segment_ram_at(pc, gpa, length, write);
	if (!write &&
	    is_within(gpa, length, GIB(4) - pc->roms_size, pc->roms_size))
		return rom_at(pc, gpa, length);
	at = vram_at(pc, gpa, length, write);
	if (at)
		return at;
	return write ? NULL : (void *)(uintptr_t)read_only_at(pc, gpa, length);
}

static void region_add(struct board_region **to, gpa_t start, uint64_t size)
{
	if (size)
		*(*to)++ = (struct board_region){ start, size };
}

unsigned pc_regions(void *board, struct board_region region[BOARD_REGIONS_MAX])
{
	const struct pc *pc = board;
	struct board_region *at = region;

	region_add(&at, 0, LOW_END);
	region_add(&at, SEGMENTS_BASE, SEGMENTS_END - SEGMENTS_BASE);
	region_add(&at, SEGMENTS_END,
		   board_extended_end(&pc->board) - SEGMENTS_END);
	region_add(&at, BOARD_HOLE_END, beyond_hole(pc));
	/* Not where the guest has it in front of, or behind, other memory. */
	if (pc->is_vram_mapped &&
	    is_within(pc->vram_gpa, pc->config->vram_size, pc->board.ram_low,
		      GIB(4) - pc->bios_size - pc->board.ram_low))
		region_add(&at, pc->vram_gpa, pc->config->vram_size);
	region_add(&at, GIB(4) - pc->bios_size, pc->bios_size);
	region_add(&at, GIB(4), pc->board.ram_high);
	return (unsigned)(at - region);
}

void pc_emulator_windows(void *board, struct emul_window window[EMUL_WINDOWS])
{
	struct pc *pc = board;
	uint64_t low = pc->board.ram_low;
	uint64_t end = board_extended_end(&pc->board);

	memset(window, 0, EMUL_WINDOWS * sizeof(*window));
	if (!pc->is_a20_off)
		*window++ = (struct emul_window){
			.start = SEGMENTS_END,
			.size = end - SEGMENTS_END,
			.host = pc->window + SEGMENTS_END,
		};
	if (!pc->is_a20_off && beyond_hole(pc))
		*window++ = (struct emul_window){
			.start = BOARD_HOLE_END,
			.size = beyond_hole(pc),
			.host = pc->window + BOARD_HOLE_END,
		};
	*window++ = (struct emul_window){ .size = LOW_END, .host = pc->window };
	if (pc->board.ram_high)
		*window = (struct emul_window){
			.start = GIB(4),
			.size = pc->board.ram_high,
			.host = pc->window + low,
		};
}

/* ---- Life -------------------------------------------------------------- */

static int bios_load(struct pc *pc)
{
	const struct machine_config *config = pc->config;
	const struct machine_blob *bios = pc_blob(pc, MACHINE_BLOB_BIOS);

	pc->rom_offset = config->ram_size + config->vram_size;
	/* A kernel that is started directly needs, and sees, no firmware. */
	if (pc_is_direct(pc))
		return 0;
	if (!bios) {
		pc_log(pc, DEVICE_LOG_WARN, "there is neither BIOS nor kernel");
		return -ENOENT;
	}
	if (bios->size > config->rom_size || bios->size < KIB(64) ||
	    !IS_ALIGNED(bios->size, PAGE_SIZE)) {
		pc_log(pc, DEVICE_LOG_WARN,
		       "a BIOS of %lu bytes does not fit the ROM", bios->size);
		return -EINVAL;
	}
	pc->bios_size = pc->roms_size = bios->size;
	memcpy(pc->window + pc->rom_offset, (const void *)bios->va, bios->size);
	return 0;
}

static void range_add(struct pc *pc, gpa_t gpa, uint64_t size, uint64_t offset)
{
	if (size)
		pc->ram.range[pc->ram.count++] =
			(struct guest_ram_range){ gpa, size,
						  pc->window + offset };
}

static void ram_ranges(struct pc *pc)
{
	uint64_t end = board_extended_end(&pc->board);

	range_add(pc, 0, LOW_END, 0);
	/* Bus masters see RAM behind the segments, whatever PAM says. */
	range_add(pc, SEGMENTS_BASE, end - SEGMENTS_BASE, SEGMENTS_BASE);
	range_add(pc, BOARD_HOLE_END, beyond_hole(pc), BOARD_HOLE_END);
	range_add(pc, GIB(4), pc->board.ram_high, pc->board.ram_low);
}

/* RAM from 1 MiB to the PCI hole, as the A20 gate has it.  Where the hole is
 * nothing is ever mapped. */
static void map_extended(struct pc *pc)
{
	const struct board_host_ops *ops = pc->ops;
	uint64_t low = pc->board.ram_low;

	if (!pc->is_a20_off) {
		ops->map(pc->ctx, SEGMENTS_END,
			 board_extended_end(&pc->board) - SEGMENTS_END,
			 SEGMENTS_END, GATE_MAP_RAM);
		if (beyond_hole(pc))
			ops->map(pc->ctx, BOARD_HOLE_END, beyond_hole(pc),
				 BOARD_HOLE_END, GATE_MAP_RAM);
		return;
	}
	ops->map(pc->ctx, A20_LENGTH, low - A20_LENGTH, 0, GATE_MAP_NONE);
	ops->map(pc->ctx, A20_LENGTH, LOW_END, 0, GATE_MAP_RAM);
	for (gpa_t gpa = SEGMENTS_BASE; gpa < SEGMENTS_END;
	     gpa += SEGMENT_LENGTH)
		map_segment(pc, gpa);
}

void pc_remap(void *board)
{
	struct pc *pc = board;
	bool is_off = !i8042_a20(&pc->i8042);

	if (is_off == pc->is_a20_off)
		return;
	pc->is_a20_off = is_off;
	map_extended(pc);
}

static void map_all(struct pc *pc)
{
	const struct board_host_ops *ops = pc->ops;
	uint64_t low = pc->board.ram_low, high = pc->board.ram_high;
	gpa_t gpa;

	ops->map(pc->ctx, 0, LOW_END, 0, GATE_MAP_RAM);
	for (gpa = SEGMENTS_BASE; gpa < SEGMENTS_END; gpa += SEGMENT_LENGTH)
		map_segment(pc, gpa);
	map_extended(pc);
	if (high)
		ops->map(pc->ctx, GIB(4), high, low, GATE_MAP_RAM);
	if (pc->bios_size)
		ops->map(pc->ctx, GIB(4) - pc->bios_size, pc->bios_size,
			 pc->rom_offset, GATE_MAP_ROM);
}

int pc_memory_init(struct pc *pc)
{
	const struct io_region segments = {
		.name = "shadow",
		.base = SEGMENTS_BASE,
		.length = SEGMENTS_END - SEGMENTS_BASE,
		.fn = segment_access,
		.dev = pc,
		.width_max = 1,
	};
	int error = bios_load(pc);

	if (error)
		return error;
	ram_ranges(pc);
	map_all(pc);
	return bus_add(&pc->memory, &segments);
}
