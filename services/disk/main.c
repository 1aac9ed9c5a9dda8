/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service `disk`: the host's drives and who uses them.  This file is the
 * gate's end of it: devices, channels, the loop of events.
 *
 *	virtio_drive.c	drives, by drivers/virtio_blk
 *	disk.c		clients' requests (disk.h has the others)
 *	admin.c		init's messages
 *
 * Rights and resources: GATE_RIGHT_DMA; gate_config.device[]: drives; slot 0
 * init's channel, the others clients'; memory for overlays from GATE_MODULE_VA
 * on.
 *
 * What a client's memory is the monitor says behind its channel: the device
 * reaches it, this program does not.  Only the channel itself, with its bounce
 * area, is mapped here.
 */
#include "include/errno.h"
#include "lib/user/gate_calls.h"
#include "lib/user/pci_gate.h"
#include "lib/user/shared.h"
#include "services/disk/admin.h"
#include "services/disk/pool.h"
#include "services/disk/virtio_drive.h"

#define RELAX_NS (100 * NSEC_PER_US)
#define CHUNKS_MAX \
	((MIB(1) - KIB(256) - PAGE_SIZE) / sizeof(uint64_t)) /* of a slot */

#define DEVICE_EVENTS ((BIT(GATE_DEVICES_MAX) - 1) << GATE_EVENT_DEVICE_BIT(0))

struct service {
	struct disk disk;
	struct admin admin;
	struct sources sources;
	struct pool pool;
	uint64_t events;   /* that are yet to be looked at */
	uint64_t timer_ns; /* what the monitor was told */
	bool is_again;	   /* a drive has more */
	struct gate_function function[GATE_DEVICES_MAX];
	struct virtio_drive drive[GATE_DEVICES_MAX];
};

/* The program's only instance; each program has its own data. */
static struct service service;

void program_main(unsigned thread);

/* ---- Time ---------------------------------------------------------------- */

/* One that is set for an earlier time stays: most requests end long before a
 * drive is late, and each would cost two calls. */
static void timer_set(uint64_t deadline_ns)
{
	if (service.timer_ns <= deadline_ns)
		return;
	service.timer_ns = deadline_ns;
	gate_timer(deadline_ns);
}

/* Until there are events, which the loop takes from service.events. */
static void events_wait(uint64_t deadline_ns)
{
	timer_set(deadline_ns);
	/* Nothing has come where the monitor had already given what it woke
	 * this thread for. */
	do
		service.events |= gate_wait();
	while (!service.events);
	if (service.events & BIT(GATE_EVENT_TIMER_BIT))
		service.timer_ns = UINT64_MAX;
	service.events &= ~BIT(GATE_EVENT_TIMER_BIT);
}

/* ---- PCI ----------------------------------------------------------------- */

/* Whatever comes meanwhile waits for the loop. */
static void relax(void *ctx)
{
	(void)ctx;
	events_wait(gate_now_ns() + RELAX_NS);
}

static const struct pci_ops pci_ops = { PCI_GATE_OPS, .relax = relax };

/* ---- Devices ------------------------------------------------------------- */

/*
 * INTx stays up until the device's status was read, which the driver does: it
 * is unmasked then.  With MSI-X what comes after the acknowledgement is another
 * event.
 */
static void device_event(unsigned n)
{
	struct virtio_drive *drive = &service.drive[n];
	long vectors;

	if (drive->config.pci.vector_count) {
		vectors = gate_device_ack(n);
		if (vectors > 0)
			virtio_drive_interrupt(drive, (uint64_t)vectors);
		return;
	}
	virtio_drive_interrupt(drive, BIT(0));
	gate_device_ack(n);
}

static void devices_handle(void)
{
	uint64_t devices = service.events & DEVICE_EVENTS;

	service.events &= ~DEVICE_EVENTS;
	for (; devices; devices &= devices - 1) {
		unsigned n = (unsigned)__builtin_ctzll(devices) -
			     GATE_EVENT_DEVICE_BIT(0);

		/* Of others it stays masked: nobody would lower INTx. */
		if (service.drive[n].state == VIRTIO_DRIVE_STARTING ||
		    service.drive[n].state == VIRTIO_DRIVE_WORKS)
			device_event(n);
	}
}

static void drive_wait(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	events_wait(deadline_ns);
	devices_handle();
}

/* The monitor takes the device away and keeps what it may reach. */
static void drive_runaway(void *ctx)
{
	(void)ctx;
	gate_exit(1);
}

static const struct virtio_drive_ops drive_ops = {
	.wait = drive_wait,
	.runaway = drive_runaway,
};

static void drive_start(unsigned n, const struct gate_device *device)
{
	struct sources *sources = &service.sources;
	struct gate_function *function = &service.function[n];
	const struct virtio_drive_config config = {
		.ops = &drive_ops,
		.address = device->address,
		.pci = { &pci_ops, function, device->vector_count },
		.memory = { gate_device_dma(n), device->dma_address,
			    device->dma_size },
	};
	int number;

	function->n = n;
	gate_device_ack(n); /* its interrupts may come from now on */
	number =
		virtio_drive_start(&service.drive[n], &config, &service.disk,
				   &sources->drive[sources->drive_count].table);
	/* The core and the sources count alike. */
	if (number < 0)
		return;
	sources->drive[number].info = &service.disk.drive[number].info;
	sources->drive_count++;
}

static void drives_start(void)
{
	const struct gate_config *config = gate_config();

	_Static_assert(DISK_HOST_DRIVES >= GATE_DEVICES_MAX, "a drive each");
	for (unsigned n = 0; n < GATE_DEVICES_MAX; n++)
		if (config->device[n].is_there)
			drive_start(n, &config->device[n]);
	if (!service.sources.drive_count)
		disk_log(&service.disk, "there is no drive");
}

/* ---- What the core and admin stand on ------------------------------------ */

static void doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	gate_doorbell(slot); /* -EPIPE: it has ended; init will say so */
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	gate_log(GATE_LOG_INFO, "%s", text);
}

static void broken(void *ctx, unsigned slot, const char *why)
{
	(void)ctx;
	admin_broken(&service.admin, slot, why);
}

/* NULL: it is not in the bounce area. */
static uint8_t *bounce_at(unsigned slot, uint64_t where, uint32_t length)
{
	struct disk_channel *channel = gate_channel(slot);
	uint64_t offset = where & ~DISK_WHERE_BOUNCE;

	if (!(where & DISK_WHERE_BOUNCE) || offset > DISK_BOUNCE_SIZE ||
	    length > DISK_BOUNCE_SIZE - offset)
		return NULL;
	return channel->bounce + offset;
}

static int copy_in(void *ctx, unsigned slot, uint64_t where, void *bytes,
		   uint32_t length)
{
	const uint8_t *at = bounce_at(slot, where, length);

	(void)ctx;
	if (!at)
		return -EFAULT;
	shared_copy_in(bytes, at, length);
	return 0;
}

static int copy_out(void *ctx, unsigned slot, uint64_t where, const void *bytes,
		    uint32_t length)
{
	uint8_t *at = bounce_at(slot, where, length);

	(void)ctx;
	if (!at)
		return -EFAULT;
	shared_copy_out(at, bytes, length);
	return 0;
}

static const struct disk_ops disk_ops = {
	.doorbell = doorbell,
	.log = say,
	.broken = broken,
	.copy_in = copy_in,
	.copy_out = copy_out,
};

static void *page_take(void *ctx)
{
	return pool_take(&((struct service *)ctx)->pool);
}

static void page_give(void *ctx, void *page)
{
	pool_give(&((struct service *)ctx)->pool, page);
}

static const struct overlay_ops overlay_ops = {
	.page_take = page_take,
	.page_give = page_give,
};

static struct disk_channel *channel(void *ctx, unsigned slot)
{
	(void)ctx;
	if (gate_channel_state(slot) <= GATE_CHANNEL_NONE)
		return NULL;
	return gate_channel(slot);
}

static int window(void *ctx, unsigned slot, struct dma_window window[WINDOWS])
{
	const struct gate_channel_memory *memory = gate_channel_memory(slot);

	(void)ctx;
	_Static_assert(ARRAY_SIZE(memory->page) >= DISK_CHANNEL_PAGES, "all");
	for (unsigned i = 0; i < DISK_CHANNEL_PAGES; i++)
		if (!memory->page[i])
			return -EINVAL; /* a channel of fewer pages */
	if (memory->vm_memory >> GATE_CHUNK_SHIFT > CHUNKS_MAX)
		return -ERANGE;
	window[WINDOW_MEMORY] = (struct dma_window){
		.chunk = gate_channel_chunks(slot),
		.size = memory->vm_memory,
		.shift = GATE_CHUNK_SHIFT,
	};
	window[WINDOW_BOUNCE] = (struct dma_window){
		.chunk = memory->page +
			 offsetof(struct disk_channel, bounce) / PAGE_SIZE,
		.size = DISK_BOUNCE_SIZE,
		.shift = PAGE_SHIFT,
	};
	return 0;
}

static void detach(void *ctx, unsigned slot)
{
	(void)ctx;
	gate_channel_detach(slot);
}

static const struct admin_ops admin_ops = {
	.channel = channel,
	.window = window,
	.detach = detach,
	.doorbell = doorbell,
};

/* ---- Events -------------------------------------------------------------- */

static void channels_handle(void)
{
	uint64_t channels = service.events >> GATE_EVENT_CHANNEL_BIT(0);

	/* A device's may have come while another was reset: relax(). */
	service.events &= DEVICE_EVENTS;
	if (channels & BIT(DISK_CONTROL_SLOT) || service.admin.is_again)
		admin_read(&service.admin);
	for (; channels; channels &= channels - 1)
		disk_ring(&service.disk, (unsigned)__builtin_ctzll(channels));
}

static void drives_poll(void)
{
	service.is_again = false;
	for (unsigned n = 0; n < GATE_DEVICES_MAX; n++)
		if (service.drive[n].state == VIRTIO_DRIVE_WORKS)
			service.is_again |=
				virtio_drive_poll(&service.drive[n]);
}

static void events_handle(void)
{
	devices_handle();
	drives_poll();
	channels_handle();
	disk_run(&service.disk, gate_now_ns());
	admin_answer(&service.admin);
}

/* 0: at once. */
static uint64_t deadline(void)
{
	if (service.admin.is_again || service.is_again || service.events)
		return 0;
	return disk_deadline(&service.disk);
}

static void begin(const struct disk_argument *argument)
{
	if (argument->version != DISK_VERSION ||
	    gate_channel_state(DISK_CONTROL_SLOT) <= GATE_CHANNEL_NONE) {
		gate_log(GATE_LOG_ERROR, "init is of another version");
		gate_exit(1);
	}
	service.timer_ns = UINT64_MAX;
	disk_init(&service.disk, &disk_ops, &overlay_ops, &service);
	service.disk.now_ns = gate_now_ns();
	pool_init(&service.pool, gate_module_memory(), argument->overlay_pages);
	drives_start();
	admin_init(&service.admin, &admin_ops, &service, &service.disk,
		   &service.sources, gate_channel(DISK_CONTROL_SLOT),
		   argument->start);
	admin_read(&service.admin);
}

void program_main(unsigned thread)
{
	(void)thread;
	begin(gate_argument());
	for (;;) {
		events_handle();
		events_wait(deadline());
	}
}
