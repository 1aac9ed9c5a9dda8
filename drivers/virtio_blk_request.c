/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests, and the commands that the device gets of them.
 *
 * References: VIRTIO 1.2, Block Device, Device Operation.
 */
#include "include/dma_access.h"
#include "drivers/virtio_blk_inner.h"

/* Of a command's data at once. */
#define DATA_MAX GIB(1)

#define TYPE_IN		  0
#define TYPE_OUT	  1
#define TYPE_FLUSH	  4
#define TYPE_GET_ID	  8
#define TYPE_DISCARD	  11
#define TYPE_WRITE_ZEROES 13

#define STATUS_OK     0
#define STATUS_IOERR  1
#define STATUS_UNSUPP 2
#define STATUS_NONE   0xff /* put there by the driver */

#define RANGE_UNMAP BIT(0)

/* What the device reads and writes of a command, besides the data. */
struct command_memory {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
	/* Of DISCARD and WRITE_ZEROES. */
	uint64_t range_sector;
	uint32_t range_count;
	uint32_t range_flags;
	uint8_t serial[VIRTIO_BLK_SERIAL];
	uint8_t status;
};
_Static_assert(sizeof(struct command_memory) <= COMMAND_HEADER, "header");
#define HEADER_SIZE offsetof(struct command_memory, range_sector)
#define RANGE_SIZE                                 \
	(offsetof(struct command_memory, serial) - \
	 offsetof(struct command_memory, range_sector))

/* A command that is being made: parts[0] is the header. */
struct plan {
	uint64_t amount; /* of the request's left: bytes, sectors, or 1 */
	uint64_t sector;
	unsigned readable, writable;
	struct virtqueue_part part[COMMAND_PARTS];
};

int virtio_blk_commands_init(struct virtio_blk_queue *queue,
			     struct dma_region *memory)
{
	int error = 0;

	queue->partial = NULL;
	queue->free_first = 0;
	for (uint16_t i = 0; i < queue->depth && !error; i++) {
		struct virtio_blk_command *command = &queue->command[i];

		*command = (struct virtio_blk_command){
			.next_free = (uint16_t)(i + 1),
		};
		error = dma_cut(memory, COMMAND_HEADER, 64, &command->header);
		if (!error)
			error = dma_cut(memory, COMMAND_TABLE, 16,
					&command->table);
	}
	return error;
}

static bool has_free(const struct virtio_blk_queue *queue)
{
	return queue->free_first < queue->depth;
}

/* ---- What a request is to be --------------------------------------------- */

static bool is_range(const struct virtio_blk_request *request)
{
	return request->op == VIRTIO_BLK_DISCARD ||
	       request->op == VIRTIO_BLK_WRITE_ZEROES;
}

static bool is_data(const struct virtio_blk_request *request)
{
	return request->op == VIRTIO_BLK_READ ||
	       request->op == VIRTIO_BLK_WRITE;
}

/* The parts of the next command's data, from where the request stands: as many
 * segments as are taken at once, and of those as many whole sectors. */
static void plan_data(const struct virtio_blk *blk,
		      const struct virtio_blk_queue *queue,
		      const struct virtio_blk_request *request,
		      struct plan *plan)
{
	uint32_t segment = request->next_segment, offset = request->next_offset;
	struct virtqueue_part *part = &plan->part[1];
	uint64_t excess;
	unsigned count = 0;

	plan->amount = 0;
	while (count < queue->segments && plan->amount < request->left &&
	       plan->amount < DATA_MAX) {
		const struct virtio_blk_segment *from =
			&request->segment[segment];
		uint64_t length =
			MIN(from->length - offset, blk->limits.segment_size);

		length = MIN(length, DATA_MAX - plan->amount);
		part[count].address = from->address + offset;
		part[count++].length = (uint32_t)length;
		plan->amount += length;
		offset += (uint32_t)length;
		if (offset == from->length) {
			segment++;
			offset = 0;
		}
	}
	excess = plan->amount % VIRTIO_BLK_SECTOR;
	plan->amount -= excess;
	while (excess && part[count - 1].length <= excess)
		excess -= part[--count].length;
	if (excess)
		part[count - 1].length -= (uint32_t)excess;
	if (request->op == VIRTIO_BLK_READ)
		plan->writable = count;
	else
		plan->readable += count;
}

static void plan_range(const struct virtio_blk *blk,
		       const struct virtio_blk_request *request,
		       struct plan *plan)
{
	const struct virtio_blk_limits *limits = &blk->limits;
	bool is_discard = request->op == VIRTIO_BLK_DISCARD;
	uint64_t align = is_discard ? limits->discard_align : 0;
	uint64_t end;

	plan->amount = MIN(request->left, is_discard ? limits->discard_sectors
						     : limits->zeroes_sectors);
	plan->readable++;
	/* Cut where the device can discard to. */
	end = request->next_sector + plan->amount;
	if (plan->amount < request->left && align && align < plan->amount)
		plan->amount -= end % align;
}

/* The request with its first amount done. */
static void advance(struct virtio_blk_request *request, uint64_t amount)
{
	request->left -= amount;
	if (is_range(request))
		request->next_sector += amount;
	if (!is_data(request))
		return;
	request->next_sector += amount / VIRTIO_BLK_SECTOR;
	while (amount) {
		uint64_t rest = request->segment[request->next_segment].length -
				request->next_offset;

		if (amount < rest) {
			request->next_offset += (uint32_t)amount;
			return;
		}
		amount -= rest;
		request->next_segment++;
		request->next_offset = 0;
	}
}

/* Whether segments that are too many for one command can be cut at sectors. */
static bool can_be_cut(const struct virtio_blk *blk,
		       const struct virtio_blk_queue *queue,
		       const struct virtio_blk_request *request)
{
	struct virtio_blk_request rest = *request;
	struct plan plan = { .readable = 1 };

	while (rest.left) {
		plan_data(blk, queue, &rest, &plan);
		if (!plan.amount)
			return false;
		advance(&rest, plan.amount);
	}
	return true;
}

static int check_data(const struct virtio_blk *blk,
		      const struct virtio_blk_queue *queue,
		      struct virtio_blk_request *request)
{
	uint32_t longest = 0;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < request->segment_count; i++) {
		if (!request->segment[i].length)
			return -EINVAL;
		longest = MAX(longest, request->segment[i].length);
		bytes += request->segment[i].length;
	}
	request->left = bytes;
	if (!bytes || bytes % VIRTIO_BLK_SECTOR)
		return -EINVAL;
	/* As nearly always: all of it in one command. */
	if (request->segment_count <= queue->segments &&
	    longest <= blk->limits.segment_size && bytes <= DATA_MAX)
		return 0;
	return can_be_cut(blk, queue, request) ? 0 : -EINVAL;
}

static int check_op(const struct virtio_blk *blk,
		    const struct virtio_blk_request *request)
{
	switch (request->op) {
	case VIRTIO_BLK_READ:
	case VIRTIO_BLK_FLUSH:
	case VIRTIO_BLK_GET_SERIAL:
		return 0;
	case VIRTIO_BLK_WRITE:
		return blk->info.is_read_only ? -EROFS : 0;
	case VIRTIO_BLK_DISCARD:
		if (blk->info.is_read_only)
			return -EROFS;
		return blk->info.can_discard ? 0 : -ENOSYS;
	case VIRTIO_BLK_WRITE_ZEROES:
		if (blk->info.is_read_only)
			return -EROFS;
		return blk->info.can_write_zeroes ? 0 : -ENOSYS;
	}
	return -EINVAL;
}

/* Sets what is left to do. */
static int check(const struct virtio_blk *blk,
		 const struct virtio_blk_queue *queue,
		 struct virtio_blk_request *request)
{
	uint64_t sectors = blk->info.sectors, count;
	int error = check_op(blk, request);

	request->left = 1;
	request->next_sector = 0;
	request->next_segment = request->next_offset = 0;
	if (error || (!is_data(request) && !is_range(request)))
		return error;
	if (is_data(request)) {
		error = check_data(blk, queue, request);
		count = request->left / VIRTIO_BLK_SECTOR;
	} else {
		count = request->left = request->sector_count;
		error = count ? 0 : -EINVAL;
	}
	if (error)
		return error;
	if (request->sector > sectors || count > sectors - request->sector)
		return -ERANGE;
	request->next_sector = request->sector;
	return 0;
}

/* ---- To the device ------------------------------------------------------- */

static const uint8_t types[] = {
	[VIRTIO_BLK_READ] = TYPE_IN,
	[VIRTIO_BLK_WRITE] = TYPE_OUT,
	[VIRTIO_BLK_FLUSH] = TYPE_FLUSH,
	[VIRTIO_BLK_DISCARD] = TYPE_DISCARD,
	[VIRTIO_BLK_WRITE_ZEROES] = TYPE_WRITE_ZEROES,
	[VIRTIO_BLK_GET_SERIAL] = TYPE_GET_ID,
};

static void fill_memory(const struct virtio_blk *blk,
			const struct virtio_blk_request *request,
			const struct plan *plan, struct command_memory *memory)
{
	bool may_unmap = request->op == VIRTIO_BLK_WRITE_ZEROES &&
			 request->may_unmap && blk->limits.may_unmap;

	dma_store32(&memory->type, types[request->op]);
	dma_store32(&memory->reserved, 0);
	dma_store64(&memory->sector, is_data(request) ? plan->sector : 0);
	if (is_range(request)) {
		dma_store64(&memory->range_sector, plan->sector);
		dma_store32(&memory->range_count, (uint32_t)plan->amount);
		dma_store32(&memory->range_flags, may_unmap ? RANGE_UNMAP : 0);
	}
	if (request->op == VIRTIO_BLK_GET_SERIAL)
		for (unsigned i = 0; i < VIRTIO_BLK_SERIAL; i++)
			dma_store8(&memory->serial[i], 0);
	dma_store8(&memory->status, STATUS_NONE);
}

static struct virtqueue_part memory_part(uint64_t memory, uint64_t offset,
					 uint32_t length)
{
	return (struct virtqueue_part){ memory + offset, length };
}

static void make_plan(const struct virtio_blk *blk,
		      const struct virtio_blk_queue *queue,
		      const struct virtio_blk_request *request, uint64_t memory,
		      struct plan *plan)
{
	plan->amount = 1;
	plan->sector = request->next_sector;
	plan->readable = 1;
	plan->writable = 0;
	plan->part[0] = memory_part(memory, 0, HEADER_SIZE);
	if (is_data(request))
		plan_data(blk, queue, request, plan);
	if (is_range(request)) {
		plan_range(blk, request, plan);
		plan->part[1] = memory_part(
			memory, offsetof(struct command_memory, range_sector),
			RANGE_SIZE);
	}
	if (request->op == VIRTIO_BLK_GET_SERIAL) {
		plan->writable = 1;
		plan->part[1] = memory_part(
			memory, offsetof(struct command_memory, serial),
			VIRTIO_BLK_SERIAL);
	}
	plan->part[plan->readable + plan->writable++] =
		memory_part(memory, offsetof(struct command_memory, status), 1);
}

/* The next command of a request.  -EAGAIN: no room now. */
static int command_add(struct virtio_blk *blk, struct virtio_blk_queue *queue,
		       struct virtio_blk_request *request)
{
	struct virtio_blk_command *command;
	struct virtqueue_chain chain;
	struct plan plan;
	int error;

	if (!has_free(queue))
		return -EAGAIN;
	command = &queue->command[queue->free_first];
	make_plan(blk, queue, request, command->header.address, &plan);
	fill_memory(blk, request, &plan, command->header.va);
	chain = (struct virtqueue_chain){
		.part = plan.part,
		.readable = plan.readable,
		.writable = plan.writable,
		.table = blk->virtio.features & VIRTIO_F_INDIRECT_DESC
				 ? &command->table
				 : NULL,
		.cookie = command,
	};
	error = virtqueue_add(&queue->ring, &chain);
	if (error)
		return error;
	queue->free_first = command->next_free;
	command->request = request;
	command->sector = plan.sector;
	command->expected =
		request->op == VIRTIO_BLK_READ ? (uint32_t)plan.amount : 0;
	request->commands++;
	advance(request, plan.amount);
	return 0;
}

/* As many commands as there is room for; the rest when others come back. */
static void commands_add(struct virtio_blk *blk, struct virtio_blk_queue *queue,
			 struct virtio_blk_request *request)
{
	queue->partial = NULL;
	while (request->left)
		if (command_add(blk, queue, request)) {
			queue->partial = request;
			return;
		}
}

int virtio_blk_submit(struct virtio_blk *blk, unsigned index,
		      struct virtio_blk_request *request)
{
	const struct pci_access *pci = blk->config.pci;
	struct virtio_blk_queue *queue;
	int error;

	if (!blk->is_running)
		return -EPIPE;
	if (index >= blk->queue_count)
		return -EINVAL;
	queue = &blk->queue[index];
	if (queue->partial || !has_free(queue))
		return -EAGAIN;
	error = check(blk, queue, request);
	if (error)
		return error;
	request->error_sector = 0;
	if (request->op == VIRTIO_BLK_FLUSH && !blk->info.has_flush) {
		/* What it has written stays anyway. */
		blk->config.ops->done(blk->config.ctx, request, 0);
		return 0;
	}
	request->status = 0;
	request->commands = 0;
	request->begun_ns = pci->ops->now_ns(pci->ctx);
	list_insert(&queue->in_flight, &request->link);
	commands_add(blk, queue, request);
	return 0;
}

void virtio_blk_kick(struct virtio_blk *blk, unsigned index)
{
	struct virtio_blk_queue *queue = &blk->queue[index];

	if (blk->is_running && index < blk->queue_count &&
	    virtqueue_publish(&queue->ring))
		virtio_pci_notify(&blk->virtio, &queue->doorbell);
}

/* ---- From the device ----------------------------------------------------- */

static int status_error(struct virtio_blk *blk, uint8_t status)
{
	switch (status) {
	case STATUS_OK:
		return 0;
	case STATUS_UNSUPP:
		return -ENOSYS;
	case STATUS_IOERR:
		return -EIO;
	}
	blk->bad_statuses++;
	return -EIO;
}

/* The device says it is done, and how it went. */
static int command_result(struct virtio_blk *blk,
			  const struct virtio_blk_command *command,
			  uint32_t length)
{
	const struct command_memory *memory = command->header.va;
	int error = status_error(blk, dma_load8(&memory->status));

	if (!error && length < command->expected) {
		/* What is in memory need not be from the disk. */
		blk->short_reads++;
		error = -EIO;
	}
	return error;
}

/* Fit to be printed, whatever it is. */
static void serial_take(struct virtio_blk *blk,
			const struct virtio_blk_command *command)
{
	const struct command_memory *memory = command->header.va;
	unsigned i;

	for (i = 0; i < VIRTIO_BLK_SERIAL; i++) {
		uint8_t byte = dma_load8(&memory->serial[i]);

		if (!byte)
			break;
		blk->serial[i] = (char)(byte < ' ' || byte > '~' ? '?' : byte);
	}
	blk->serial[i] = '\0';
}

static void request_failed(struct virtio_blk_queue *queue,
			   struct virtio_blk_request *request, int error,
			   uint64_t sector)
{
	if (!request->status || sector < request->error_sector)
		request->error_sector = sector;
	if (!request->status)
		request->status = error;
	/* No more commands of it. */
	request->left = 0;
	if (queue->partial == request)
		queue->partial = NULL;
}

static void command_done(struct virtio_blk *blk, struct virtio_blk_queue *queue,
			 struct virtio_blk_command *command, uint32_t length)
{
	struct virtio_blk_request *request = command->request;
	int error = command_result(blk, command, length);

	if (error)
		request_failed(queue, request, error, command->sector);
	else if (request->op == VIRTIO_BLK_GET_SERIAL)
		serial_take(blk, command);
	command->request = NULL;
	command->next_free = queue->free_first;
	queue->free_first = (uint16_t)(command - queue->command);
	request->commands--;
	if (queue->partial)
		commands_add(blk, queue, queue->partial);
	if (request->commands || request->left)
		return;
	list_remove(&request->link);
	blk->config.ops->done(blk->config.ctx, request, request->status);
}

int virtio_blk_poll(struct virtio_blk *blk, unsigned index)
{
	struct virtio_blk_queue *queue = &blk->queue[index];
	struct virtqueue_used used;
	unsigned most, n;
	int got = 0;

	if (!blk->is_running || index >= blk->queue_count)
		return -EPIPE;
	/* Not all that done() submits: it comes to an end.  One more, so that a
	 * device that has none and gives one back is found out. */
	most = virtqueue_outstanding(&queue->ring) + 1;
	virtqueue_wake(&queue->ring);
	for (n = 0; n < most; n++) {
		got = virtqueue_take(&queue->ring, &used);
		if (got != 1)
			break;
		command_done(blk, queue, used.cookie, used.length);
	}
	if (got < 0)
		return virtio_blk_broke(blk, queue->ring.broken);
	virtio_blk_kick(blk, index);
	return (int)n;
}

bool virtio_blk_sleep(struct virtio_blk *blk, unsigned index)
{
	if (!blk->is_running || index >= blk->queue_count)
		return true;
	return virtqueue_sleep(&blk->queue[index].ring);
}

uint64_t virtio_blk_oldest_ns(const struct virtio_blk *blk)
{
	uint64_t oldest = UINT64_MAX;

	for (unsigned i = 0; i < VIRTIO_BLK_QUEUES; i++) {
		const struct list *list = &blk->queue[i].in_flight;

		if (!list_is_empty(list))
			oldest = MIN(oldest,
				     list_entry(list->next,
						struct virtio_blk_request, link)
					     ->begun_ns);
	}
	return oldest;
}

void virtio_blk_return_all(struct virtio_blk *blk)
{
	blk->is_running = false;
	for (unsigned i = 0; i < VIRTIO_BLK_QUEUES; i++) {
		struct list *list = &blk->queue[i].in_flight;

		blk->queue[i].partial = NULL;
		while (!list_is_empty(list)) {
			struct virtio_blk_request *request = list_entry(
				list->next, struct virtio_blk_request, link);

			list_remove(&request->link);
			blk->config.ops->done(blk->config.ctx, request, -EPIPE);
		}
	}
}
