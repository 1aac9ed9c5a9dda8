/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Against the monitor and the device: what a driver may do to what it has been
 * granted, and what its device may do.
 */
#include "tests/hostile/disk/disk.h"

#include "include/errno.h"
#include "kernel/irq.h"
#include "kernel/trap.h"
#include "lib/string.h"

#define CONFIG_SIZE	256
#define CONFIG_WORDS	(CONFIG_SIZE / 4)
#define COMMAND		0x04
#define COMMAND_MASTER	BIT(2)
#define STATUS_INTX	BIT(19)
#define CAPABILITIES	0x34
#define CAP_MSIX	0x11
#define MSIX_TABLE	4
#define MSIX_PENDING	8
#define DEPTH		32
#define DATA_SIZE	KIB(32) /* of the DMA memory */
#define MOVE_NS		(5000 * 1000000ULL)
#define ACKS_MIN	10
#define MONITOR_TEXT	"monitor panic: "
#define MONITOR_BASE	MIB(1) /* physical: see boot/monitor.ld */
#define MONITOR_END	MIB(2)
#define LAST_RAM_CHUNK	6 /* of the victim's 16 MiB; it uses the first */
#define DIE_LIVES	4
#define MESSAGE_ADDRESS 0xfee00000ULL
#define PHYSMAP		0xffff800000000000ULL
#define IMAGE		0xffffffff80000000ULL

/* services/disk/main.c's, bound when linked. */
extern const struct pci_ops pci_ops;

static const struct gate_device *device(unsigned n)
{
	return &gate_config()->device[n];
}

/* ---- A drive ------------------------------------------------------------- */

static void done(void *ctx, struct virtio_blk_request *request, int status)
{
	struct drive *drive = ctx;

	(void)request;
	drive->in_flight--;
	drive->status = status;
}

static void resized(void *ctx)
{
	(void)ctx;
}

static const struct virtio_blk_ops blk_ops = { done, resized };

struct drive *drive_open(void)
{
	static struct drive drive;
	struct virtio_blk_config config = {
		.pci = &drive.pci,
		.ops = &blk_ops,
		.ctx = &drive,
		.queues = 1,
		.depth = DEPTH,
	};
	uint64_t size = virtio_blk_dma_size(1, DEPTH);

	drive.pci = (struct pci_access){ &pci_ops, &drive,
					 device(0)->vector_count };
	drive.data =
		(struct dma_region){ gate_device_dma(0), device(0)->dma_address,
				     device(0)->dma_size };
	gate_device_ack(0);
	if (!device(0)->is_there ||
	    dma_cut(&drive.data, size, PAGE_SIZE, &config.memory) ||
	    drive.data.size < DATA_SIZE ||
	    virtio_blk_init(&drive.blk, &config) ||
	    virtio_blk_start(&drive.blk)) {
		SAY("FAIL there is no drive: %s", virtio_blk_why(&drive.blk));
		crash();
	}
	return &drive;
}

void drive_submit(struct drive *drive, struct virtio_blk_request *request)
{
	drive->in_flight++;
	if (virtio_blk_submit(&drive->blk, 0, request))
		drive->in_flight--;
}

void drive_poll(struct drive *drive)
{
	if (virtio_blk_poll(&drive->blk, 0) < 0)
		SAY("FAIL the drive %s", virtio_blk_why(&drive->blk));
}

/* Until all have come back; gives up after a while. */
static void drive_wait(struct drive *drive)
{
	uint64_t end = now_ns() + MOVE_NS;

	virtio_blk_kick(&drive->blk, 0);
	while (drive->in_flight && now_ns() < end) {
		drive_poll(drive);
		gate_yield();
	}
}

int drive_move(struct drive *drive, enum virtio_blk_op op, uint64_t sector,
	       uint64_t address, uint32_t length)
{
	struct virtio_blk_segment segment = { address, length };
	struct virtio_blk_request request = {
		.op = op,
		.sector = sector,
		.segment = &segment,
		.segment_count = 1,
	};

	drive->status = -EIO;
	drive_submit(drive, &request);
	drive_wait(drive);
	return drive->in_flight ? -EIO : drive->status;
}

/* ---- Configuration ------------------------------------------------------- */

static uint32_t config_read(unsigned n, unsigned offset)
{
	return (uint32_t)gate_device_read(n, offset, 4);
}

/* What another read may differ in. */
static uint32_t changes_itself(unsigned word)
{
	return word == COMMAND / 4 ? (uint32_t)(COMMAND_MASTER | STATUS_INTX)
				   : 0;
}

static void compare(unsigned n, const uint32_t *before, unsigned offset)
{
	for (unsigned i = 0; i < CONFIG_WORDS; i++) {
		uint32_t now = config_read(n, i * 4);

		if ((now ^ before[i]) & ~changes_itself(i))
			SAY("FAIL a write at %x has made %x of %x at %x",
			    offset, now, before[i], i * 4);
	}
}

static void write_all(struct self *self, unsigned n, const uint32_t *before)
{
	for (unsigned offset = 0; offset < CONFIG_SIZE; offset++) {
		for (unsigned size = 1; size <= 4; size *= 2) {
			if (offset % size)
				continue;
			gate_device_write(n, offset, size, UINT32_MAX);
			gate_device_write(n, offset, size,
					  (uint32_t)random_next(self));
			gate_device_write(n, offset, size, 0);
		}
		compare(n, before, offset);
	}
}

static void try_master(unsigned n, uint32_t written, uint32_t want)
{
	gate_device_write(n, COMMAND, 2, written);
	if ((config_read(n, COMMAND) & COMMAND_MASTER) != want)
		SAY("FAIL bus mastering is not %x", want);
}

/*
 * Every register of every device it has: BARs, the command, MSI-X, the window
 * onto BARs in virtio's capability.
 */
static void config(struct self *self)
{
	uint32_t before[CONFIG_WORDS];
	unsigned devices = 0;

	for (unsigned n = 0; n < GATE_DEVICES_MAX; n++) {
		if (!device(n)->is_there)
			continue;
		devices++;
		for (unsigned i = 0; i < CONFIG_WORDS; i++)
			before[i] = config_read(n, i * 4);
		write_all(self, n, before);
		try_master(n, UINT32_MAX, COMMAND_MASTER);
		try_master(n, 0, 0);
		compare(n, before, CONFIG_SIZE);
	}
	if (devices)
		SAY("PASS of a configuration bus mastering alone is written");
}

/* The same calls as a machine without any right and any device. */
static void rights(struct self *self)
{
	evil.rights = GATE_RIGHT_DMA;
	try_rights(self);
}

/* ---- Memory -------------------------------------------------------------- */

/* Whether the monitor, which reads it as the program would, can. */
static bool can_read(uint64_t va)
{
	return gate_call(GATE_LOG, GATE_LOG_DEBUG, va, 1) == 0;
}

static void expect_hidden(uint64_t va)
{
	if (can_read(va))
		SAY("FAIL %lx can be read", va);
}

static unsigned msix(void)
{
	unsigned at = (unsigned)gate_device_read(0, CAPABILITIES, 1);

	for (unsigned i = 0; at && i < CONFIG_WORDS; i++) {
		if (gate_device_read(0, at, 1) == CAP_MSIX)
			return at;
		at = (unsigned)gate_device_read(0, at + 1, 1);
	}
	SAY("FAIL the device has no MSI-X");
	crash();
}

static uint64_t msix_va(unsigned which)
{
	uint32_t where = config_read(0, msix() + which);

	return GATE_DEVICE_BAR_VA(0, where & 7) + (where & ~7U);
}

/*
 * A vector's address and data are in the table, in pages of a BAR of its own
 * that are not mapped.  Each access ends a life.
 */
static void vectors(struct self *self)
{
	volatile uint32_t *table = (uint32_t *)msix_va(MSIX_TABLE);
	volatile uint32_t *pending = (uint32_t *)msix_va(MSIX_PENDING);
	uint32_t seen = 0;

	(void)self;
	expect_hidden((uint64_t)table);
	expect_hidden((uint64_t)pending);
	if (evil.life == 0)
		seen = *table;
	else if (evil.life == 1)
		*table = 0xfee00000;
	else
		seen = *pending;
	SAY("FAIL the vectors can be reached: %x", seen);
}

/* Until init has attached it. */
static void client_wait(void)
{
	while (gate_channel_state(VICTIM_SLOT) == GATE_CHANNEL_NONE)
		(void)gate_wait();
}

static void expect_all_hidden(void)
{
	const struct gate_channel_memory *memory =
		gate_channel_memory(VICTIM_SLOT);
	const uint64_t *chunk = gate_channel_chunks(VICTIM_SLOT);

	if (!can_read((uint64_t)memory) || !can_read((uint64_t)chunk))
		SAY("FAIL its clients' addresses cannot be read");
	/* What they say, wherever somebody might have mapped it. */
	for (uint64_t i = 0; i < memory->vm_memory >> GATE_CHUNK_SHIFT; i++) {
		expect_hidden(GATE_WINDOW_VA + (i << GATE_CHUNK_SHIFT));
		expect_hidden(PHYSMAP + chunk[i]);
	}
	expect_hidden(PHYSMAP + device(0)->dma_address);
	expect_hidden(IMAGE + MONITOR_BASE);
	for (unsigned n = 0; n < 2 * GATE_DEVICES_MAX; n++) {
		bool is_mine = n < GATE_DEVICES_MAX && device(n)->is_there;

		for (unsigned bar = 0; !is_mine && bar < 8; bar++)
			expect_hidden(GATE_DEVICE_BAR_VA(n, bar));
	}
	expect_hidden(GATE_DEVICE_DMA_VA(0) + device(0)->dma_size);
	for (unsigned slot = 0; slot < GATE_CHANNELS_MAX; slot++)
		if (slot != VICTIM_SLOT)
			expect_hidden(GATE_CHANNEL_MEMORY_VA(slot));
}

/* By the CPU: its clients' memory, the tables that say where it is. */
static void memory(struct self *self)
{
	volatile struct gate_channel_memory *memory =
		(void *)GATE_CHANNEL_MEMORY_VA(VICTIM_SLOT);
	volatile uint64_t *chunk = (void *)GATE_CHANNEL_CHUNKS_VA(VICTIM_SLOT);

	(void)self;
	client_wait();
	expect_all_hidden();
	if (evil.life == 0)
		chunk[0] = MONITOR_BASE;
	else if (evil.life == 1)
		memory->vm_memory = UINT64_MAX;
	else if (evil.life == 2)
		SAY("%lx", *(volatile uint64_t *)GATE_WINDOW_VA);
	else
		SAY("%lx", *(volatile uint64_t *)GATE_DEVICE_DMA_VA(1));
	SAY("FAIL life %u has reached what is not its own", evil.life);
}

/* ---- Interrupts ---------------------------------------------------------- */

/*
 * As many as the device can send: the queue always full of what is done at
 * once, an interrupt for each, all acknowledged at once.
 */
static void storm(struct self *self)
{
	static struct virtio_blk_request request[DEPTH];
	static struct virtio_blk_segment segment[DEPTH];
	struct drive *drive;
	unsigned acks = 0, moved = 0;
	uint64_t end;

	drive = drive_open();
	end = now_ns() + MOVE_NS;
	while (goes_on(self) || (acks < ACKS_MIN && now_ns() < end)) {
		unsigned i;

		drive_poll(drive);
		for (i = 0; !drive->in_flight && i < DEPTH; i++, moved++) {
			segment[i].address = drive->data.address;
			segment[i].length = VIRTIO_BLK_SECTOR;
			request[i] = (struct virtio_blk_request){
				.op = VIRTIO_BLK_READ,
				.segment = &segment[i],
				.segment_count = 1,
			};
			drive_submit(drive, &request[i]);
			virtio_blk_kick(&drive->blk, 0);
		}
		(void)!virtio_blk_sleep(&drive->blk, 0);
		acks += gate_device_ack(0) > 0;
	}
	SAY("%u acknowledgements of %u reads", acks, moved);
}

/* ---- DMA ----------------------------------------------------------------- */

static bool has_text(const uint8_t *bytes, uint64_t size, const char *text)
{
	size_t length = strlen(text);

	for (uint64_t i = 0; i + length <= size; i++)
		if (!memcmp(bytes + i, text, length))
			return true;
	return false;
}

/*
 * An interrupt that its device was not granted, or that is masked: a message is
 * a write of four bytes.  This one is the device's own first vector, of changes
 * of its configuration, of which there are none.
 */
static void message_send(struct drive *drive)
{
	uint32_t *sector = drive->data.va;
	struct virtio_blk_segment segment[2] = {
		{ MESSAGE_ADDRESS, sizeof(*sector) },
		{ drive->data.address, VIRTIO_BLK_SECTOR - sizeof(*sector) },
	};
	struct virtio_blk_request request = {
		.op = VIRTIO_BLK_READ,
		.sector = DRIVE_FREE,
		.segment = segment,
		.segment_count = ARRAY_SIZE(segment),
	};

	memset(sector, 0, VIRTIO_BLK_SECTOR);
	*sector = VECTOR_ISA + IRQ_MSI;
	if (drive_move(drive, VIRTIO_BLK_WRITE, DRIVE_FREE, drive->data.address,
		       VIRTIO_BLK_SECTOR))
		SAY("FAIL nothing is written");
	gate_device_ack(0);
	drive_submit(drive, &request);
	drive_wait(drive);
	if (gate_device_ack(0) & BIT(0))
		SAY("PASS by DMA it sends an interrupt's message");
	else
		SAY("FAIL DMA sends no interrupt: say so in docs");
}

/*
 * Without an IOMMU the device reads what it is told to: the monitor's image, by
 * a write to the drive, whose sectors are read back then.
 */
static void dma(struct self *self)
{
	uint32_t length = DATA_SIZE;
	struct drive *drive;
	bool is_found = false;

	(void)self;
	drive = drive_open();
	/* Texts that cross a border of two pieces do not matter. */
	for (uint64_t at = MONITOR_BASE; at < MONITOR_END && !is_found;
	     at += length) {
		if (drive_move(drive, VIRTIO_BLK_WRITE, DRIVE_FREE, at,
			       length) ||
		    drive_move(drive, VIRTIO_BLK_READ, DRIVE_FREE,
			       drive->data.address, length))
			break;
		is_found = has_text(drive->data.va, length, MONITOR_TEXT);
		if (is_found)
			SAY("PASS by DMA it reads the monitor's image at %lx",
			    at);
	}
	if (!is_found)
		SAY("FAIL DMA does not reach the monitor: say so in docs");
	message_send(drive);
}

/* What the former life had; the channel's pages outlive it. */
static void same_address(uint32_t life)
{
	struct disk_channel *channel = gate_channel(VICTIM_SLOT);
	uint64_t *kept = (uint64_t *)channel->drive[DISK_DRIVES - 1].reserved;

	if (life && *kept != device(0)->dma_address)
		SAY("FAIL the DMA memory was at %lx and is at %lx", *kept,
		    device(0)->dma_address);
	*kept = device(0)->dma_address;
}

/*
 * Dies with the queue full of reads, into its own DMA memory and into its
 * client's, and with that one's request without an answer: they go on in the
 * device, while the next life begins.
 */
static void die(struct self *self)
{
	static struct virtio_blk_request request[DEPTH];
	static struct virtio_blk_segment segment[DEPTH];
	const uint64_t *chunk = gate_channel_chunks(VICTIM_SLOT);
	struct client client;
	struct drive *drive;

	(void)self;
	drive = drive_open();
	client_meet(&client);
	same_address(evil.life);
	for (unsigned i = 0; i < DEPTH; i++) {
		segment[i].address =
			i % 2 ? drive->data.address
			      : chunk[LAST_RAM_CHUNK] + i * DATA_SIZE / 4;
		segment[i].length = DATA_SIZE;
		request[i] = (struct virtio_blk_request){
			.op = VIRTIO_BLK_READ,
			.sector = DRIVE_FREE,
			.segment = &segment[i],
			.segment_count = 1,
		};
		drive_submit(drive, &request[i]);
	}
	virtio_blk_kick(&drive->blk, 0);
}

const struct fake fake_config = { 1, config };
const struct fake fake_rights = { 1, rights };
const struct fake fake_vectors = { 3, vectors };
const struct fake fake_memory = { 4, memory };
const struct fake fake_storm = { 1, storm };
const struct fake fake_dma = { 1, dma };
const struct fake fake_die = { DIE_LIVES, die };
