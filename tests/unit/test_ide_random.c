/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IDE function with two disks and a CD-ROM on media that complete in any
 * order, late, in part or never, and a guest that does what it likes meanwhile.
 * After each step the rules hold that follow from ATA: one request a channel;
 * busy while there is one; its memory is nobody else's; what ends a wait is
 * told by an interrupt; every wait has an end; data are those of the sector.
 */
#include "tests/unit/ide_test.h"

#define ACTS   20000
#define SEEDS  24
#define DRIVES 3

static struct {
	uint64_t random;
	struct block_backend backend[DRIVES];
	struct block_request *pending[IDE_CHANNELS];
	unsigned is_lost[IDE_CHANNELS]; /* acts until it may complete */
	bool has_begun[IDE_CHANNELS];	/* no cancelling */
	uint32_t next[IDE_CHANNELS];	/* sector that PIO reads next */
	unsigned interrupts, completions, timeouts, resets, blocks, cancels;
} r;

static uint32_t roll(uint32_t sides)
{
	r.random = r.random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(r.random >> 33) % sides;
}

/* ---- Media: a sector's bytes are its number, whatever is written -------- */

static uint8_t byte_of(uint64_t sector)
{
	return (uint8_t)(sector * 7 + 3);
}

static void move(struct block_request *req, uint64_t sectors)
{
	uint64_t sector = req->sector;

	for (unsigned i = 0; i < req->segment_count; i++) {
		uint8_t *at = req->segment[i].host;
		uint32_t left = req->segment[i].length;

		for (; left && sectors; left -= BLOCK_SECTOR, sectors--) {
			if (req->op == BLOCK_READ)
				memset(at, byte_of(sector), BLOCK_SECTOR);
			at += BLOCK_SECTOR;
			sector++;
		}
	}
}

static int status_roll(struct block_request *req)
{
	static const int errors[] = { -EIO, -EIO, -EROFS, -ERANGE, -ENODEV };
	uint64_t good = roll(12);

	if (roll(5)) {
		move(req, UINT64_MAX);
		return 0;
	}
	if (roll(8) == 0) /* nonsense: it is of no sector of these */
		req->failed_sector = req->sector - 1 - roll(1000);
	else if (roll(3))
		req->failed_sector = req->sector + good;
	move(req, good);
	return errors[roll(5)];
}

static void complete(unsigned channel)
{
	struct block_request *req = r.pending[channel];

	r.pending[channel] = NULL;
	r.completions++;
	req->done(req->dev, req, status_roll(req));
}

static void submit(void *ctx, struct block_request *req)
{
	unsigned channel = req->dev == &t.ide.channel[1];

	(void)ctx;
	assert_null(r.pending[channel]);
	if (roll(3) == 0) {
		req->done(req->dev, req, status_roll(req));
		return;
	}
	r.pending[channel] = req;
	r.has_begun[channel] = roll(2);
	r.is_lost[channel] = roll(20) ? 0 : roll(300);
}

static void cancel(void *ctx, struct block_request *req)
{
	unsigned channel = req->dev == &t.ide.channel[1];

	(void)ctx;
	assert_ptr_equal(r.pending[channel], req);
	if (r.has_begun[channel])
		return;
	r.cancels++;
	r.pending[channel] = NULL;
	req->done(req->dev, req, -ECANCELED);
}

/* ---- The rules ---------------------------------------------------------- */

struct before {
	uint8_t status;
	enum ide_phase phase;
};

static struct before look(unsigned channel)
{
	return (struct before){ inb(channel ? 0x376 : 0x3f6),
				t.ide.channel[channel].phase };
}

static void check_rest(unsigned index)
{
	const struct ide_channel *channel = &t.ide.channel[index];
	uint8_t status = inb(index ? 0x376 : 0x3f6);

	assert_int_equal(channel->phase != IDE_PHASE_IDLE,
			 r.pending[index] != NULL);
	switch (channel->phase) {
	case IDE_PHASE_IDLE: /* SRST alone keeps it busy */
		assert_true(!(status & BSY) || channel->state->control & 4);
		break;
	case IDE_PHASE_IN_FLIGHT:
	case IDE_PHASE_RESETTING:
		assert_true(status & BSY ||
			    channel->drive[channel->state->selected].kind ==
				    IDE_NONE);
		/* The buffer is the request's. */
		assert_int_equal(channel->state->transfer, IDE_IDLE);
		break;
	default:
		fail();
	}
	assert_int_equal(t.irq[index], channel->state->intrq);
}

/* What is no longer busy without the guest's doing has told it so. */
static void check_told(unsigned index, struct before was)
{
	const struct ide_channel *channel = &t.ide.channel[index];
	const struct ide_drive *drive =
		&channel->drive[channel->state->selected];

	if (!(was.status & BSY) || inb(index ? 0x376 : 0x3f6) & BSY ||
	    was.phase == IDE_PHASE_RESETTING)
		return;
	if (channel->state->transfer == IDE_DMA_PENDING)
		return;
	r.interrupts++;
	assert_true(drive->state->is_interrupting);
	assert_int_equal(t.irq[index], !(channel->state->control & 2));
}

/* ---- The guest ----------------------------------------------------------- */

static void command_ata(void)
{
	static const uint8_t commands[] = {
		0x20, 0x20, 0x24, 0xc4, 0x30, 0x34, 0xc5, 0xce, 0xc8,
		0xc8, 0x25, 0xca, 0x35, 0x3d, 0x40, 0x42, 0xe7, 0xea,
		0xe0, 0xec, 0xef, 0xe5, 0x90, 0x10, 0xc6, 0x91, 0x08,
	};
	uint8_t command = commands[roll(sizeof(commands))];
	uint32_t lba = roll(1250); /* of 1,200 */

	if (inb(0x3f6) & BSY || (inb(0x3f6) & 8 && roll(4)))
		return; /* others write while it is busy */
	outb(0x1f6, 0xe0);
	outb(0x1f1, roll(2) ? 0x82 : 0x02);
	lba48(lba, (uint16_t)(1 + roll(command == 0xc6 ? 16 : 200)), 0xe5);
	outb(0x1f6, roll(4) ? 0xe0 : 0xf0);
	outb(0x1f7, command);
	r.next[0] = command == 0x20 || command == 0x24 || command == 0xc4
			    ? lba
			    : UINT32_MAX;
}

static void command_cd(void)
{
	uint8_t packet[12] = { roll(4) ? 0x28 : (uint8_t)roll(256) };

	packet[5] = (uint8_t)roll(100);
	packet[8] = (uint8_t)roll(60);
	outb(0x176, 0xa0);
	if (roll(8) == 0) {
		outb(0x177, roll(2) ? 0x08 : 0xa1);
		return;
	}
	outb(0x171, (uint8_t)roll(2));
	outb(0x174, 0);
	outb(0x175, (uint8_t)(8 * (1 + roll(4))));
	outb(0x177, 0xa0);
	if (inb(0x376) == DRQ && inb(0x172) == 1)
		outsw(0x170, packet, 6);
}

static void data_read(void)
{
	static uint8_t bytes[512];
	const struct ide_channel_state *state = t.ide.channel[0].state;
	bool is_block = state->transfer == IDE_PIO_IN &&
			r.next[0] != UINT32_MAX && state->command != 0xec &&
			state->position % 512 == 0;

	insw(0x1f0, bytes, 256);
	if (!is_block)
		return;
	r.blocks++;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], byte_of(r.next[0]));
	r.next[0]++;
}

static void data_move(void)
{
	static uint8_t bytes[65536];

	if (t.ide.channel[0].state->transfer == IDE_PIO_IN)
		data_read();
	outsw(0x1f0, bytes, 1 + roll(2000));
	if (roll(2))
		insw(0x170, bytes, 1 + roll(2000));
}

static void master_act(void)
{
	unsigned channel = roll(2);
	unsigned cut = roll(2) ? 512 : 2 + 2 * roll(400);

	for (unsigned i = 0; i < 256; i++)
		prd(i, 0x100000 + i * 4096, (uint16_t)(i ? 4096 : cut),
		    i == 255);
	switch (roll(4)) {
	case 0:
		outb(MASTER + 8 * channel, 0);
		break;
	case 1:
		pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2,
				 roll(3) ? 5 : 1);
		break;
	default:
		outb(MASTER + 8 * channel, 0);
		master_start(channel, roll(2));
	}
}

static void rude_act(void)
{
	unsigned control = roll(2) ? 0x3f6 : 0x376;

	switch (roll(6)) {
	case 0:
		r.resets++;
		outb(control, 4);
		if (roll(2))
			outb(control, 0);
		break;
	case 1:
		outb(control, (uint8_t)(roll(4) ? 0 : 2));
		break;
	case 2:
		outb((roll(2) ? 0x1f1 : 0x171) + roll(7), (uint8_t)roll(256));
		r.next[0] = UINT32_MAX;
		break;
	case 3:
		inb((roll(2) ? 0x1f1 : 0x171) + roll(7));
		break;
	case 4:
		ide_medium_change(&t.ide, 1, 0, roll(3) ? &r.backend[2] : NULL);
		break;
	default:
		if (roll(20) == 0) {
			r.resets++;
			ide_reset(&t.ide);
			pci_config_write(&t.pci, IDE_DEVFN, 0x20, 4, MASTER);
			pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 5);
		}
	}
}

static void guest_act(void)
{
	switch (roll(8)) {
	case 0:
	case 1:
		command_ata();
		break;
	case 2:
		command_cd();
		break;
	case 3:
	case 4:
		data_read();
		break;
	case 5:
		data_move();
		break;
	case 6:
		master_act();
		break;
	default:
		rude_act();
	}
}

/* ---- The world ------------------------------------------------------------
 */

static void world_act(void)
{
	unsigned channel = roll(2);
	struct before was[IDE_CHANNELS] = { look(0), look(1) };

	if (roll(12) == 0) {
		r.timeouts++;
		pass_time(roll(2) * IDE_TIMEOUT_NS + roll(1000));
	} else if (r.pending[channel] && r.is_lost[channel]) {
		r.is_lost[channel]--;
	} else if (r.pending[channel]) {
		complete(channel);
	}
	for (unsigned i = 0; i < IDE_CHANNELS; i++)
		check_told(i, was[i]);
}

/* What has begun is waited for, what has not is not; then nobody waits. */
static void check_end(void)
{
	outb(0x3f6, 0);
	outb(0x376, 0);
	for (unsigned i = 0; i < 100; i++)
		pass_time(IDE_TIMEOUT_NS);
	for (unsigned i = 0; i < IDE_CHANNELS; i++) {
		assert_true(!r.pending[i] || r.has_begun[i]);
		while (r.pending[i])
			complete(i);
	}
	assert_int_equal(inb(0x3f6) & BSY, 0);
	assert_int_equal(inb(0x376) & BSY, 0);
	assert_int_equal(t.ide.channel[0].phase, IDE_PHASE_IDLE);
	assert_int_equal(t.ide.channel[1].phase, IDE_PHASE_IDLE);
}

static void start(uint64_t seed)
{
	struct ide_config config = {
		.pci = &t.pci,
		.devfn = IDE_DEVFN + 8,
		.ports = &t.ports,
		.ram = &t.ram,
		.clock = &t.clock,
		.irq = { { irq_set, NULL, 0 }, { irq_set, NULL, 1 } },
	};

	teardown(NULL);
	setup_with(true, true);
	memset(r.pending, 0, sizeof(r.pending));
	r.random = seed;
	r.next[0] = UINT32_MAX;
	for (unsigned i = 0; i < DRIVES; i++) {
		r.backend[i] = (struct block_backend){
			.submit = submit,
			.cancel = cancel,
			.sector_count = 1200,
			.has_fua = seed & 1,
		};
		config.drive[i / 2][i % 2] =
			(struct ide_drive_config){ .kind = i == 2 ? IDE_CDROM
								  : IDE_DISK,
						   .backend = &r.backend[i] };
	}
	bus_init_ports(&t.ports, t.index);
	assert_int_equal(pci_bus_init(&t.pci, &t.ports, &t.memory), 0);
	config.devfn = IDE_DEVFN;
	assert_int_equal(ide_init(&t.ide, &config), 0);
	pci_config_write(&t.pci, IDE_DEVFN, 0x20, 4, MASTER);
	pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 5);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		start(seed);
		for (unsigned i = 0; i < ACTS; i++) {
			if (roll(2))
				guest_act();
			else
				world_act();
			check_rest(0);
			check_rest(1);
		}
		check_end();
	}
	print_message("%u completions, %u interrupts, %u blocks, %u resets, %u "
		      "cancels\n",
		      r.completions, r.interrupts, r.blocks, r.resets,
		      r.cancels);
	assert_true(r.completions > 3000);
	assert_true(r.interrupts > 1000);
	assert_true(r.blocks > 1000);
	assert_true(r.resets > 1000);
	assert_true(r.cancels > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_random) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
