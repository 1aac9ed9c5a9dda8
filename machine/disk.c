/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks behind the gate: a device's request becomes one GATE_BLOCK call a
 * segment; the device hears of it when the last one has completed.
 */
#include "machine/machine.h"

#include "include/errno.h"
#include "lib/user/gate_calls.h"

static struct machine_request *request_find_free(struct machine *machine,
						 unsigned *tag)
{
	for (unsigned i = 0; i < MACHINE_REQUESTS; i++) {
		if (machine->request[i].request)
			continue;
		*tag = i;
		return &machine->request[i];
	}
	return NULL;
}

static void segment_done(struct machine_request *slot, int status)
{
	struct block_request *request = slot->request;

	if (status)
		slot->status = status;
	if (--slot->segments_left)
		return;
	slot->request = NULL;
	request->done(request->dev, request, slot->status ? -EIO : 0);
}

void machine_disk_reap(struct machine_vcpu *vcpu)
{
	struct gate_page *page = vcpu->page;
	struct gate_completion done[GATE_COMPLETIONS];
	unsigned count = page->completion_count;

	/* Done callbacks may submit again: empty the queue first. */
	for (unsigned i = 0; i < count; i++)
		done[i] = page->completion[i];
	page->completion_count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct machine_request *slot =
			&vcpu->machine->request[done[i].tag % MACHINE_REQUESTS];

		if (slot->request)
			segment_done(slot, (int)done[i].status);
	}
}

static void disk_submit(void *ctx, struct block_request *request)
{
	struct machine_disk *disk = ctx;
	struct machine *machine = disk->machine;
	struct machine_request *slot;
	uint64_t sector = request->sector;
	uint32_t count = request->segment_count;
	unsigned tag = 0;

	slot = request_find_free(machine, &tag);
	if (!slot) {
		request->done(request->dev, request, -EAGAIN);
		return;
	}
	/* One more than the segments: completed below, when all are under
	 * way, so that an early completion does not end the request. */
	slot->request = request;
	slot->segments_left = count + 1;
	slot->status = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct block_segment *s = &request->segment[i];
		long error = gate_block(request->op, disk->index, tag, sector,
					s->host, s->length);

		if (error)
			segment_done(slot, (int)error);
		sector += s->length / BLOCK_SECTOR;
		if (machine->current->page->completion_count ==
		    GATE_COMPLETIONS)
			machine_disk_reap(machine->current);
	}
	segment_done(slot, 0);
	machine_disk_reap(machine->current);
}

void machine_disk_init(struct machine *machine, unsigned index)
{
	const struct gate_disk *config = &machine->config->disk[index];
	struct machine_disk *disk = &machine->disk[index];

	disk->machine = machine;
	disk->index = index;
	disk->backend.submit = disk_submit;
	disk->backend.ctx = disk;
	disk->backend.sector_count = config->sector_count;
	disk->backend.is_read_only = config->is_read_only;
}
