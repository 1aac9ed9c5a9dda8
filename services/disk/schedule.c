/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose turn it is: flows by deficit round robin, within a flow its units in
 * order, of a unit the oldest request.  A flow leaves the round when it wants
 * nothing, when it has enough in flight (something of its own that ends puts it
 * back), and while all that it wants waits for limits.
 *
 * One that had nothing in flight begins in front, with a quantum: a guest that
 * asks for one thing at a time, as on IDE, would wait a round for each.  It
 * leaves by way of the round's end, so that many of them cannot keep the others
 * from their turn.
 *
 * References: RFC 8290, "The Flow Queue CoDel Packet Scheduler", section 4.2.
 */
#include "services/disk/inner.h"

#define TURNS_MAX 512 /* at a time; some give a flow its quantum only */

/* ---- Queues -------------------------------------------------------------- */

static void flow_activate(struct disk *disk, struct disk_client *client,
			  unsigned drive)
{
	struct disk_flow *flow = &client->flow[drive];

	flow->wake_ns = 0;
	if (list_is_empty(&flow->link))
		list_insert(&disk->drive[drive].active, &flow->link);
}

void flow_resume(struct disk *disk, struct disk_client *client, unsigned drive)
{
	for (unsigned i = 0; i < DISK_DRIVES; i++)
		if (client->unit[i].queue.count &&
		    client->unit[i].drive == drive) {
			flow_activate(disk, client, drive);
			return;
		}
}

static void flow_activate_new(struct disk *disk, struct disk_flow *flow,
			      unsigned drive)
{
	if (!list_is_empty(&flow->link))
		return;
	flow->deficit = DISK_QUANTUM;
	flow->is_new = true;
	list_insert(disk->drive[drive].active.next, &flow->link);
}

void queue_put_last(struct disk *disk, struct disk_client *client,
		    struct disk_work *work)
{
	struct disk_unit *unit = unit_of(client, work);
	struct disk_queue *queue = &unit->queue;
	uint8_t index = (uint8_t)(work - client->work);

	if (queue->count++)
		client->work[queue->last].next = index;
	else
		queue->first = index;
	queue->last = index;
	work->state = REQUEST_QUEUED;
	if (!client->flow[unit->drive].in_flight)
		flow_activate_new(disk, &client->flow[unit->drive],
				  unit->drive);
	flow_activate(disk, client, unit->drive);
}

void queue_put_first(struct disk *disk, struct disk_client *client,
		     struct disk_work *work)
{
	struct disk_unit *unit = unit_of(client, work);
	struct disk_queue *queue = &unit->queue;

	work->next = queue->first;
	queue->first = (uint8_t)(work - client->work);
	if (!queue->count++)
		queue->last = queue->first;
	work->state = REQUEST_QUEUED;
	flow_activate(disk, client, unit->drive);
}

static struct disk_work *queue_take(struct disk_client *client,
				    struct disk_unit *unit)
{
	struct disk_work *work = &client->work[unit->queue.first];

	unit->queue.first = work->next;
	unit->queue.count--;
	return work;
}

/* ---- Flows --------------------------------------------------------------- */

/* What the next part will move, if it is not cut shorter. */
static uint64_t bytes_expected(struct disk *disk, struct disk_client *client,
			       const struct disk_work *work)
{
	uint64_t sectors = work->request.sector_count - work->done;

	if (!work_moves_data(disk, client, work))
		return 0;
	return MIN(sectors, work->part_max) * DISK_SECTOR;
}

/* When the unit's next request may begin; 0: now. */
static uint64_t unit_wait(struct disk *disk, struct disk_client *client,
			  const struct disk_unit *unit)
{
	const struct disk_work *work = &client->work[unit->queue.first];
	uint64_t wait = rate_wait(
		&unit->bytes, bytes_expected(disk, client, work), disk->now_ns);

	if (!work->done)
		wait = MAX(wait, rate_wait(&unit->requests, 1, disk->now_ns));
	return wait;
}

/* The unit whose request is next; NULL: none, or flow->wake_ns. */
static struct disk_unit *flow_pick(struct disk *disk, struct disk_flow *flow,
				   unsigned drive)
{
	uint64_t earliest = UINT64_MAX;

	for (unsigned i = 0; i < DISK_DRIVES; i++) {
		unsigned number = (flow->turn + i) % DISK_DRIVES;
		struct disk_unit *unit = &flow->client->unit[number];
		uint64_t wait;

		if (!unit->queue.count || unit->drive != drive)
			continue;
		wait = unit_wait(disk, flow->client, unit);
		if (!wait) {
			flow->turn = number;
			return unit;
		}
		earliest = MIN(earliest, wait);
	}
	flow->wake_ns = earliest == UINT64_MAX ? 0 : earliest;
	return NULL;
}

static void flow_leave(struct disk_flow *flow)
{
	list_remove(&flow->link);
	flow->deficit = 0;
	flow->is_new = false;
}

static void flow_last(struct disk_drive *drive, struct disk_flow *flow)
{
	list_remove(&flow->link);
	list_insert(&drive->active, &flow->link);
	flow->is_new = false;
}

/* False: the drive has no room for it. */
static bool flow_begin(struct disk *disk, struct disk_flow *flow,
		       struct disk_unit *unit)
{
	struct disk_work *work = queue_take(flow->client, unit);
	struct disk_drive *drive = drive_of(disk, unit);
	bool is_first = !work->done;
	uint64_t bytes = 0;

	if (!part_begin(disk, flow->client, work, &bytes)) {
		queue_put_first(disk, flow->client, work);
		return false;
	}
	if (drive->last != flow) {
		drive->last = flow;
		drive->shared_ns = disk->now_ns + DISK_SHARED_NS;
	}
	flow->turn++;
	flow->deficit -= MIN(flow->deficit, bytes + DISK_COST);
	rate_take(&unit->bytes, bytes, disk->now_ns);
	if (is_first)
		rate_take(&unit->requests, 1, disk->now_ns);
	return true;
}

/* It has its share of what may be in the drive. */
static bool flow_is_full(const struct disk *disk,
			 const struct disk_drive *drive,
			 const struct disk_flow *flow)
{
	return disk->now_ns < drive->shared_ns &&
	       flow->in_flight >= DISK_COST_SHARED;
}

/* A turn of the first flow's.  False: nothing more for now. */
static bool drive_turn(struct disk *disk, struct disk_drive *drive)
{
	struct disk_flow *flow =
		list_entry(drive->active.next, struct disk_flow, link);
	struct disk_unit *unit =
		flow_pick(disk, flow, (unsigned)(drive - disk->drive));
	const struct disk_work *work;

	if (!unit && flow->is_new) {
		flow->deficit = 0;
		flow_last(drive, flow);
		return true;
	}
	if (!unit || flow_is_full(disk, drive, flow)) {
		flow_leave(flow);
		return true;
	}
	if (drive->in_flight >= MIN(drive->info.depth, DISK_DEPTH))
		return false;
	work = &flow->client->work[unit->queue.first];
	if (flow->deficit <
	    DISK_COST + bytes_expected(disk, flow->client, work)) {
		flow->deficit += DISK_QUANTUM;
		flow_last(drive, flow);
		return true;
	}
	return flow_begin(disk, flow, unit);
}

static void drive_run(struct disk *disk, struct disk_drive *drive)
{
	unsigned turns = 0;

	while (!list_is_empty(&drive->active) && !drive->is_full) {
		if (turns++ == TURNS_MAX) {
			disk->is_again = true;
			break;
		}
		if (!drive_turn(disk, drive))
			break;
	}
	if (drive->is_kick_due)
		drive->ops->kick(drive->ctx);
	drive->is_kick_due = false;
}

static void flows_wake(struct disk *disk)
{
	for (unsigned i = 0; i < disk->client_end; i++) {
		struct disk_client *client = &disk->client[i];

		if (client->state != CLIENT_OPEN)
			continue;
		for (unsigned n = 0; n < disk->drive_end; n++)
			if (client->flow[n].wake_ns &&
			    client->flow[n].wake_ns <= disk->now_ns)
				flow_activate(disk, client, n);
	}
}

void schedule_run(struct disk *disk)
{
	flows_wake(disk);
	for (unsigned i = 0; i < disk->drive_end; i++)
		drive_run(disk, &disk->drive[i]);
}

uint64_t schedule_deadline(const struct disk *disk)
{
	uint64_t deadline_ns = UINT64_MAX;

	for (unsigned i = 0; i < disk->client_end; i++) {
		const struct disk_client *client = &disk->client[i];

		if (client->state != CLIENT_OPEN)
			continue;
		for (unsigned n = 0; n < disk->drive_end; n++)
			if (client->flow[n].wake_ns)
				deadline_ns = MIN(deadline_ns,
						  client->flow[n].wake_ns);
	}
	return deadline_ns;
}
