/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer over the virtio-blk driver, on a device that does what the input
 * says: offers anything, completes anything in any order, writes to all of the
 * memory that it shares, changes, dies.  Whatever it does, the driver stays
 * within its memory and its registers, keeps to the specification itself, and
 * gives back each request once.
 *
 * The input is a shape of the device, then records: an opcode byte and its
 * operands.
 */
#include <stdlib.h>
#include <string.h>

#include "drivers/virtio_blk.h"
#include "include/errno.h"
#include "tests/unit/fake/virtio/blk.h"

#define DMA_AT	 0x7654000ULL
#define RAM_AT	 0x1200000000ULL
#define RAM_SIZE KIB(16)
#define QUEUES	 2
#define DEPTH	 4
#define REQUESTS 12
#define SEGMENTS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t dma[KIB(32)] __aligned(4096);
static uint8_t ram[RAM_SIZE];

struct item {
	struct virtio_blk_request request;
	struct virtio_blk_segment segment[SEGMENTS];
	bool is_out; /* submitted, and not come back */
};

static struct fuzz {
	struct fake_blk fake;
	struct virtio_blk blk;
	struct virtio_blk_config config;
	struct item item[REQUESTS];
	/* The device has lied about its rings, or written to the driver's: what
	 * it finds there is its own fault, until they are made anew. */
	bool is_tainted;
	const uint8_t *at, *end;
} fuzz;

static uint32_t take(unsigned bytes)
{
	uint32_t value = 0;

	while (bytes-- && fuzz.at < fuzz.end)
		value = value << 8 | *fuzz.at++;
	return value;
}

/* ---- The driver's side -----------------------------------------------------
 */

static void make_request(struct item *item, uint8_t op);

static void submit(struct item *item, unsigned queue)
{
	int error;

	item->is_out = true;
	error = virtio_blk_submit(&fuzz.blk, queue, &item->request);
	if (error) {
		MUST(item->is_out); /* refused, and done() all the same */
		item->is_out = false;
	}
}

static void done(void *ctx, struct virtio_blk_request *request, int status)
{
	struct item *item = request->cookie;

	(void)ctx;
	MUST(item->is_out);
	MUST(status == 0 || status == -EIO || status == -ENOSYS ||
	     status == -EPIPE);
	item->is_out = false;
	/* Some are submitted again at once. */
	if (request->begun_ns % 5 == 0) {
		make_request(item, (uint8_t)take(1));
		submit(item, request->begun_ns % QUEUES);
	}
}

static void resized(void *ctx)
{
	(void)ctx;
}

static const struct virtio_blk_ops ops = { done, resized };

static void make_request(struct item *item, uint8_t op)
{
	struct virtio_blk_request *request = &item->request;
	unsigned segments = (op >> 4 & 7) + 1;

	*request = (struct virtio_blk_request){
		.op = (enum virtio_blk_op)(op & 7),
		.may_unmap = op & 8,
		.sector = op & 0x80 ? take(2) : take(1) % FAKE_SECTORS,
		.sector_count = take(1),
		.segment = item->segment,
		.segment_count = segments,
		.cookie = item,
	};
	for (unsigned i = 0; i < segments; i++) {
		uint32_t length = take(1) << 5;

		/* Mostly whole sectors in the end. */
		if (i + 1 == segments)
			length = ALIGN_UP(length + 1, 512);
		item->segment[i] = (struct virtio_blk_segment){
			RAM_AT + take(1) * 16,
			length,
		};
	}
	if (segments > 1) {
		uint32_t sum = 0;

		for (unsigned i = 0; i + 1 < segments; i++)
			sum += item->segment[i].length;
		item->segment[segments - 1].length -= sum % 512;
	}
}

static void request_one(void)
{
	struct item *item = &fuzz.item[take(1) % REQUESTS];

	if (item->is_out)
		return;
	make_request(item, (uint8_t)take(1));
	submit(item, fuzz.at < fuzz.end ? *fuzz.at % (QUEUES + 1) : 0);
}

static void poll(unsigned queue)
{
	int n = virtio_blk_poll(&fuzz.blk, queue);

	MUST(n >= 0 || n == -EPROTO || n == -EPIPE);
	MUST(n != -EPROTO || virtio_blk_submit(&fuzz.blk, 0, NULL) == -EPIPE);
}

static void restart(void)
{
	bool was_dead = fuzz.fake.device.reset_reads;
	int error = virtio_blk_reset(&fuzz.blk);

	if (error) {
		MUST(error == -EIO && was_dead);
		fuzz.fake.device.reset_reads = 1;
		virtio_blk_return_all(&fuzz.blk);
	}
	for (unsigned i = 0; i < REQUESTS; i++)
		MUST(!fuzz.item[i].is_out);
	error = virtio_blk_start(&fuzz.blk);
	MUST(!error || virtio_blk_why(&fuzz.blk));
	fuzz.is_tainted = false;
}

/* ---- The device's side ------------------------------------------------------
 */

static void do_one(unsigned i)
{
	const struct fake_command *command = &fuzz.fake.waiting[i];

	if (i >= fuzz.fake.count)
		return;
	/* Its capacity may have been a lie. */
	if (command->sector + command->bytes / 512 > FAKE_SECTORS ||
	    command->range_sector + command->range_count > FAKE_SECTORS)
		fake_blk_finish(&fuzz.fake, i, 1, FAKE_LENGTH);
	else
		fake_blk_do(&fuzz.fake, i);
}

static struct fake_queue *a_queue(uint32_t n)
{
	struct fake_queue *queue = &fuzz.fake.device.queue[n % QUEUES];

	return queue->is_enabled ? queue : NULL;
}

static uint8_t a_status(void)
{
	uint32_t value = take(1);

	return (uint8_t)((value & 7) == 7 ? value : value & 3);
}

/* An entry of the used ring, which may be right. */
static void lie(void)
{
	uint32_t what = take(1);
	struct fake_queue *queue = a_queue(what);
	uint32_t id = take(1), length = take(1);

	if (!queue)
		return;
	fuzz.is_tainted = true;
	if (what & 2)
		id = id << 24 | id;
	if (what & 4)
		length <<= 8;
	if (what & 8)
		*fake_ring_used_index(&queue->ring) = (uint16_t)take(2);
	else
		(void)fake_ring_push(&queue->ring, id, length);
}

static void scribble(void)
{
	uint32_t at = take(2), count = take(1) % 32;

	fuzz.is_tainted = true;
	while (count--)
		dma[at++ % sizeof(dma)] = (uint8_t)take(1);
}

/* Of what the driver reads again, anything; the rest only before a start. */
static void reconfigure(void)
{
	uint32_t at = take(1);

	fuzz.fake.device.config[at % 8] = (uint8_t)take(1);
	if (at & 8)
		fuzz.fake.device.config_changes = take(1);
	if (at & 0x10)
		fuzz.fake.device.status |= 0x40;
	fake_virtio_config_changed(&fuzz.fake.device);
}

static void shape_queues(struct fake_virtio *device)
{
	uint32_t what = take(1);

	device->queue_count = what & 3;
	device->access.vector_count = what >> 2 & 3;
	device->queue[0].max =
		(uint16_t)(1U << ((what >> 4 & 7) + (what >> 7) * 4));
	device->queue[1].max = (uint16_t)(what >> 7 ? 128 : take(2));
	if (what == 0xf3)
		device->queue[0].notify_offset = (uint16_t)take(2);
}

static void shape_config(struct fake_virtio *device, uint32_t what)
{
	if (what & 0x40)
		for (unsigned i = 8; i < FAKE_CONFIG_MAX; i++)
			device->config[i] = (uint8_t)take(1);
	if (what & 0x80)
		for (unsigned i = 36; i <= 56; i += 4)
			fake_blk_config(&fuzz.fake, i, 4, take(1));
	fake_blk_config(&fuzz.fake, 8, 2, take(2));
	fake_blk_config(&fuzz.fake, 12, 2, take(1));
	device->config[32] &= 1;
	device->config[56] &= 1;
}

static void shape(void)
{
	struct fake_virtio *device = &fuzz.fake.device;
	uint32_t what = take(1);

	device->memory = (struct fake_memory){
		.count = 2,
		.region = { { dma, DMA_AT, sizeof(dma) },
			    { ram, RAM_AT, sizeof(ram) } },
	};
	fake_blk_init(&fuzz.fake);
	device->offered = take(3) << 1 | (uint64_t)(what & 3) << 28 |
			  (what >> 4 == 15 ? 0 : BIT(32));
	shape_queues(device);
	what = take(1);
	device->reset_reads = what & 0x10 ? 7 : 0;
	device->is_feature_averse = (what & 15) == 1;
	device->is_dying = (what & 15) == 2;
	device->is_vector_averse = (what & 15) == 3;
	device->is_size_averse = (what & 15) == 4;
	device->step_ns = what & 0x20 ? NSEC_PER_SEC : 30000017;
	shape_config(device, what);
}

/* Any capabilities: the registers are within their BAR, or refused. */
static void probe_only(void)
{
	struct fake_virtio *device = &fuzz.fake.device;
	struct virtio_pci virtio;

	shape();
	while (fuzz.at < fuzz.end)
		device->pci_config[take(1)] = (uint8_t)take(1);
	if (virtio_pci_probe(&virtio, &device->access, 2)) {
		MUST(virtio.why);
		return;
	}
	MUST(virtio.common.length >= 0x38 && virtio.device.length >= 4);
	MUST(virtio.common.va >= device->bar &&
	     virtio.common.va + virtio.common.length <=
		     device->bar + FAKE_BAR_SIZE);
	MUST(virtio.notify.va >= device->bar &&
	     virtio.notify.va + virtio.notify.length <=
		     device->bar + FAKE_BAR_SIZE);
	MUST(virtio.device.va >= device->bar &&
	     virtio.device.va + virtio.device.length <=
		     device->bar + FAKE_BAR_SIZE);
}

/* ---- Operations
 * -------------------------------------------------------------- */

static void interrupt(uint8_t op)
{
	uint32_t queues = 0;
	int error = virtio_blk_interrupt(&fuzz.blk, op >> 4 & 3, &queues);

	MUST(!error || error == -EPROTO);
	for (unsigned i = 0; i < QUEUES; i++)
		if (queues & 1U << i)
			poll(i);
}

static void step(void)
{
	uint8_t op = (uint8_t)take(1);
	unsigned queue = op >> 4 & 1;

	switch (op & 15) {
	case 0 ... 3:
		request_one();
		break;
	case 4:
		virtio_blk_kick(&fuzz.blk, queue);
		break;
	case 5:
	case 6:
		if (!fuzz.is_tainted)
			(void)fake_blk_fetch(&fuzz.fake);
		break;
	case 7:
	case 8:
		do_one(op >> 4);
		break;
	case 9:
		if (op >> 5 < fuzz.fake.count)
			fake_blk_finish(&fuzz.fake, op >> 5, a_status(),
					op & 0x10 ? take(2) : FAKE_LENGTH);
		break;
	case 10:
		poll(op >> 4 & 3);
		break;
	case 11:
		if (!virtio_blk_sleep(&fuzz.blk, queue))
			poll(queue);
		break;
	case 12:
		interrupt(op);
		break;
	case 13:
		if (op & 0x80)
			scribble();
		else
			lie();
		break;
	case 14:
		reconfigure();
		break;
	default:
		if (op >> 4 == 1)
			fuzz.fake.device.reset_reads = UINT32_MAX;
		if (op >> 4 < 2)
			restart();
		else
			MUST(virtio_blk_set_write_cache(&fuzz.blk, queue) <= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first;

	fuzz.at = data;
	fuzz.end = data + size;
	first = (uint8_t)take(1);
	if (first == 0xff) {
		probe_only();
		return 0;
	}
	shape();
	fuzz.config = (struct virtio_blk_config){
		.pci = &fuzz.fake.device.access,
		.ops = &ops,
		.memory = { dma, DMA_AT, sizeof(dma) },
		.queues = 1 + (first & 1),
		.depth = 1 + (first >> 1) % DEPTH,
	};
	fuzz.is_tainted = false;
	if (virtio_blk_init(&fuzz.blk, &fuzz.config) ||
	    virtio_blk_start(&fuzz.blk))
		MUST(strcmp(virtio_blk_why(&fuzz.blk), "works"));
	while (fuzz.at < fuzz.end)
		step();
	restart();
	MUST(virtio_blk_oldest_ns(&fuzz.blk) == UINT64_MAX);
	return 0;
}
