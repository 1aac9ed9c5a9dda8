/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board `pc`: flash memory for a firmware's variables, below the firmware,
 * as firmware for virtual PCs is built to have it.  In the window it follows
 * the BIOS.  What it holds comes from a disk of the machine's, which it lasts
 * on if that is the service `disk`'s.
 */
#include "machine/pc_parts.h"

#include "include/errno.h"
#include "lib/string.h"

/* Which of the machine's disks it is; -1: there is none. */
static int flash_disk(const struct pc *pc)
{
	for (unsigned i = 0; i < pc->config->disk_count; i++)
		if (pc->config->disk[i].bus == MACHINE_DISK_FLASH)
			return (int)i;
	return -1;
}

static bool is_shown(const struct pc *pc)
{
	return !pc->flash.is_away;
}

static void flash_map(struct pc *pc, bool is_array)
{
	pc->ops->map(pc->ctx, pc->flash.config.base, pc->flash.config.size,
		     pc->rom_offset + pc->bios_size,
		     is_array ? GATE_MAP_ROM : GATE_MAP_NONE);
}

static void shown(void *ctx, bool is_array)
{
	flash_map(ctx, is_array);
}

static bool change(void *ctx, uint8_t *cells, const uint8_t *data,
		   size_t length)
{
	struct pc *pc = ctx;

	return fault_flash_change(pc->fault, cells, data, length);
}

static void failed(void *ctx, int error)
{
	pc_log(ctx, DEVICE_LOG_WARN,
	       "flash0: cannot be written (%d): what firmware keeps from now "
	       "on is lost at the end",
	       error);
}

const void *pc_flash_at(const struct pc *pc, gpa_t gpa, size_t length)
{
	const struct pflash_config *config = &pc->flash.config;

	if (gpa < config->base || gpa - config->base >= config->size ||
	    length > config->size - (gpa - config->base) || !is_shown(pc))
		return NULL;
	return config->array + (gpa - config->base);
}

static int flash_fill(struct pc *pc, const struct machine_disk_config *disk,
		      struct block_backend *backend)
{
	uint64_t size = disk->sector_count * BLOCK_SECTOR;
	int error;

	if (pc->bios_size + size > pc->config->rom_size) {
		pc_log(pc, DEVICE_LOG_WARN,
		       "flash0: %lu bytes do not fit beside the firmware",
		       size);
		return -EINVAL;
	}
	error = pflash_load(backend,
			    pc->window + pc->rom_offset + pc->bios_size, size);
	if (error)
		pc_log(pc, DEVICE_LOG_WARN,
		       "flash0: %lu bytes cannot be read from its source, of "
		       "%lu: %d",
		       size, backend->sector_count * BLOCK_SECTOR, error);
	return error;
}

int pc_flash_init(struct pc *pc, struct clock *clock,
		  struct block_backend *const disks[])
{
	int index = flash_disk(pc), error;
	const struct machine_disk_config *disk;
	struct pflash_config config;

	if (index < 0)
		return 0;
	disk = &pc->config->disk[index];
	error = flash_fill(pc, disk, disks[index]);
	if (error)
		return error;
	config = (struct pflash_config){
		.memory = &pc->memory,
		.clock = clock,
		.size = disk->sector_count * BLOCK_SECTOR,
		.array = pc->window + pc->rom_offset + pc->bios_size,
		.backend = disk->va ? NULL : disks[index],
		.is_read_only = disk->is_read_only,
		.shown = shown,
		.change = pc->fault ? change : NULL,
		.failed = failed,
		.ctx = pc,
	};
	config.base = GIB(4) - pc->bios_size - config.size;
	error = pflash_init(&pc->flash, &config);
	if (error)
		return error;
	pc->roms_size = GIB(4) - config.base;
	flash_map(pc, true);
	return 0;
}

/* Firmware's last words, too. */
void pc_flash_sync(struct pc *pc)
{
	if (pc->flash.config.size)
		pflash_sync(&pc->flash);
}
