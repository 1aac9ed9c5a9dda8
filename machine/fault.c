/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults on purpose: machine/fault.h. */
#include "machine/fault.h"

#include "devices/pflash.h"
#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LOW_NIBBLE 0x0f

static void say(struct fault *fault, const char *format, ...) __printf(2, 3);

static void say(struct fault *fault, const char *format, ...)
{
	char text[80];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fault->config.log(fault->config.ctx, text);
}

void fault_init(struct fault *fault, const struct fault_config *config)
{
	memset(fault, 0, sizeof(*fault));
	fault->config = *config;
}

/* ---- Power --------------------------------------------------------------- */

enum done { DONE_ALL, DONE_HALF, DONE_NONE };

/* How much the power leaves of the next write. */
static enum done write_begin(struct fault *fault)
{
	const struct machine_fault *machine = fault->config.machine;
	uint32_t write = ++fault->writes;
	bool is_torn = write == machine->power_cut_torn;

	if (!is_torn && write != machine->power_cut)
		return DONE_ALL;
	fault->is_off = true;
	say(fault, "fault: power cut %s write %u", is_torn ? "within" : "at",
	    write);
	fault->config.power_cut(fault->config.ctx);
	return is_torn ? DONE_HALF : DONE_NONE;
}

void fault_power_on(struct fault *fault)
{
	fault->is_off = false;
}

/* ---- Flash memory -------------------------------------------------------- */

/* A byte's half are its lower bits. */
static void cells_change(uint8_t *cells, const uint8_t *data, size_t length,
			 enum done how)
{
	size_t whole = how == DONE_ALL ? length : length / 2;

	for (size_t i = 0; i < whole; i++)
		cells[i] = data ? data[i] : PFLASH_ERASED;
	if (how != DONE_HALF || length != 1)
		return;
	cells[0] = (uint8_t)((cells[0] & ~LOW_NIBBLE) |
			     ((data ? data[0] : PFLASH_ERASED) & LOW_NIBBLE));
}

bool fault_flash_change(struct fault *fault, uint8_t *cells,
			const uint8_t *data, size_t length)
{
	const struct machine_fault *machine = fault->config.machine;
	uint32_t write = ++fault->flash_writes;
	enum done how = fault->is_off ? DONE_NONE : write_begin(fault);

	if (how == DONE_ALL && write == machine->flash_fail) {
		say(fault, "fault: flash write %u failed", write);
		return false;
	}
	if (how == DONE_ALL && write == machine->flash_torn) {
		say(fault, "fault: flash write %u torn", write);
		how = DONE_HALF;
	}
	if (how != DONE_NONE)
		cells_change(cells, data, length, how);
	return how != DONE_NONE;
}

/* ---- Disks --------------------------------------------------------------- */

static uint64_t sectors_of(const struct block_request *request)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < request->segment_count; i++)
		bytes += request->segment[i].length;
	return DIV_ROUND_UP(bytes, BLOCK_SECTOR);
}

/* How many sectors of it are moved before it fails; all: it does not. */
static uint64_t sectors_done(struct fault_disk *disk,
			     const struct block_request *request)
{
	struct fault *fault = disk->fault;
	uint64_t bad = fault->config.machine->disk_sector;
	uint64_t all = sectors_of(request);

	disk->failed_sector = BLOCK_UNKNOWN;
	if (request->op == BLOCK_WRITE)
		switch (write_begin(fault)) {
		case DONE_NONE:
			return 0;
		case DONE_HALF:
			return all / 2;
		case DONE_ALL:
			break;
		}
	if (!disk->fails_at_sector || bad < request->sector ||
	    bad - request->sector >= all)
		return all;
	if (!fault->is_disk_told)
		say(fault, "fault: disk error at sector %lu", bad);
	fault->is_disk_told = true;
	disk->failed_sector = bad;
	return bad - request->sector;
}

static void part_done(void *dev, struct block_request *part, int status)
{
	struct fault_disk *disk = dev;
	struct block_request *request = disk->request;

	disk->request = NULL;
	request->failed_sector =
		status ? part->failed_sector : disk->failed_sector;
	request->done(request->dev, request, status ? status : -EIO);
}

static void part_submit(struct fault_disk *disk, struct block_request *request,
			uint64_t sectors)
{
	struct block_request *part = &disk->part;
	uint64_t left = sectors * BLOCK_SECTOR;

	part->op = request->op;
	part->is_fua = request->is_fua;
	part->sector = request->sector;
	part->failed_sector = BLOCK_UNKNOWN;
	part->done = part_done;
	part->dev = disk;
	part->segment_count = 0;
	for (uint32_t i = 0; left; i++) {
		struct block_segment *to = &part->segment[part->segment_count];

		*to = request->segment[i];
		to->length = (uint32_t)MIN(left, to->length);
		left -= to->length;
		part->segment_count++;
	}
	disk->request = request;
	disk->below->submit(disk->below->ctx, part);
}

static void disk_submit(void *ctx, struct block_request *request)
{
	struct fault_disk *disk = ctx;
	uint64_t sectors;

	if (disk->fault->is_off) {
		request->done(request->dev, request, -EIO);
		return;
	}
	if (request->op == BLOCK_FLUSH) {
		disk->below->submit(disk->below->ctx, request);
		return;
	}
	sectors = sectors_done(disk, request);
	if (!disk->fault->is_off && sectors == sectors_of(request)) {
		disk->below->submit(disk->below->ctx, request);
	} else if (sectors) {
		part_submit(disk, request, sectors);
	} else {
		request->failed_sector = disk->failed_sector;
		request->done(request->dev, request, -EIO);
	}
}

static struct block_request *request_below(struct fault_disk *disk,
					   const struct block_request *request)
{
	return disk->request == request ? &disk->part
					: (struct block_request *)request;
}

static void disk_cancel(void *ctx, struct block_request *request)
{
	struct fault_disk *disk = ctx;

	disk->below->cancel(disk->below->ctx, request_below(disk, request));
}

static void disk_wait(void *ctx, const struct block_request *request)
{
	struct fault_disk *disk = ctx;

	disk->below->wait(disk->below->ctx, request_below(disk, request));
}

struct block_backend *fault_disk_add(struct fault *fault, unsigned unit,
				     struct block_backend *below)
{
	const struct machine_fault *machine = fault->config.machine;
	struct fault_disk *disk = &fault->disk[fault->disk_count++];

	disk->fault = fault;
	disk->below = below;
	disk->fails_at_sector =
		machine->has_disk_error && machine->disk_unit == unit;
	disk->backend = *below;
	disk->backend.ctx = disk;
	disk->backend.depth = 1;
	disk->backend.submit = disk_submit;
	disk->backend.cancel = below->cancel ? disk_cancel : NULL;
	disk->backend.wait = below->wait ? disk_wait : NULL;
	return &disk->backend;
}

/* ---- Interrupts ---------------------------------------------------------- */

static void wire_late(void *dev)
{
	struct fault_wire *wire = dev;
	struct fault *fault = wire->fault;

	wire->is_hidden = false;
	fault->late(fault->late_ctx, wire->config->line);
}

void fault_wires_init(struct fault *fault, uint16_t high,
		      void (*late)(void *ctx, unsigned line), void *ctx)
{
	fault->late = late;
	fault->late_ctx = ctx;
	for (unsigned i = 0; i < MACHINE_FAULT_IRQS; i++) {
		struct fault_wire *wire = &fault->wire[i];

		wire->fault = fault;
		wire->config = &fault->config.machine->irq[i];
		wire->is_high = high & BIT(wire->config->line);
		wire->timer.expired = wire_late;
		wire->timer.dev = wire;
	}
}

static void wire_rise(struct fault_wire *wire)
{
	const struct machine_fault_irq *config = wire->config;
	struct fault *fault = wire->fault;
	struct clock *clock = fault->config.clock;

	if (++wire->rises != config->nth)
		return;
	wire->is_hidden = true;
	say(fault, "fault: interrupt %u of IRQ %u %s", config->nth,
	    config->line, config->late_us ? "late" : "lost");
	if (config->late_us)
		clock_timer_arm(clock, &wire->timer,
				clock_now(clock) +
					config->late_us * NSEC_PER_US);
}

static void wire_see(struct fault_wire *wire, bool level)
{
	if (level == wire->is_high)
		return;
	wire->is_high = level;
	if (level) {
		wire_rise(wire);
		return;
	}
	clock_timer_disarm(wire->fault->config.clock, &wire->timer);
	wire->is_hidden = false;
}

bool fault_wire(struct fault *fault, unsigned line, bool level)
{
	bool is_shown = level;

	if (!fault->late)
		return level;
	for (unsigned i = 0; i < MACHINE_FAULT_IRQS; i++) {
		struct fault_wire *wire = &fault->wire[i];

		if (!wire->config->nth || wire->config->line != line)
			continue;
		wire_see(wire, level);
		is_shown &= !wire->is_hidden;
	}
	return is_shown;
}
