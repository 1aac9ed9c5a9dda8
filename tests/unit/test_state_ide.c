/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the IDE function: saved and restored between any two accesses,
 * with commands in progress on a disk and a CD-ROM, PIO in mid-block, DMA that
 * waits for the bus master, requests that complete late, resets meanwhile.
 */
#include "tests/unit/state_media.h"

#include "devices/ide.h"
#include "devices/ide_internal.h"

#define MASTER	  0xc000
#define PRD_TABLE 0x1000
/* A fuzzer begins with new ones each time. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define RAM_BYTES    0x8000
#define DISK_SECTORS 64
#define CD_SECTORS   32
#else
#define RAM_BYTES    0x40000
#define DISK_SECTORS 512
#define CD_SECTORS   256
#endif
#define DEVFN PCI_DEVFN(1, 1)

struct memory {
	uint8_t ram[RAM_BYTES];
	uint8_t disk[DISK_SECTORS * BLOCK_SECTOR];
	uint8_t cd[CD_SECTORS * BLOCK_SECTOR];
};

struct model {
	struct pci_bus pci;
	struct ide ide;
	struct guest_ram ram;
	bool has_cd;
	struct medium disk, cd;
};

/* ---- The rig ----------------------------------------------------------- */

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	struct memory *memory = rig->memory;
	struct ide_config config = {
		.pci = &model->pci,
		.devfn = DEVFN,
		.ports = &rig->b.ports,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.irq = { rig_irq(rig, 14), rig_irq(rig, 15) },
		.drive = { { { .kind = IDE_DISK,
			       .backend = &model->disk.backend } },
			   { { .kind = IDE_CDROM,
			       .backend = &model->cd.backend } } },
	};

	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->ram.count = 1;
	model->ram.range[0] =
		(struct guest_ram_range){ 0, RAM_BYTES, memory->ram };
	medium_init(&model->disk, memory->disk, sizeof(memory->disk));
	medium_init(&model->cd, memory->cd, sizeof(memory->cd));
	model->cd.backend.is_read_only = true;
	model->has_cd = true;
	assert_int_equal(ide_init(&model->ide, &config), 0);
	return &model->ide.device;
}

static void drain(struct rig *rig)
{
	struct model *model = rig->model;

	while (model->disk.pending)
		medium_complete(&model->disk);
	while (model->cd.pending)
		medium_complete(&model->cd);
}

static void copy(struct rig *to, const struct rig *from)
{
	struct model *target = to->model;
	const struct model *source = from->model;

	target->pci.state = source->pci.state;
	target->disk.is_async = source->disk.is_async;
	target->cd.is_async = source->cd.is_async;
	if (!source->has_cd)
		ide_medium_change(&target->ide, 1, 0, NULL);
	target->has_cd = source->has_cd;
}

/* ---- What a driver does ------------------------------------------------ */

static void out(struct rig *rig, uint64_t port, unsigned size, uint32_t value)
{
	bus_out(&rig->b.ports, port, value, size);
}

static void disk_command(struct rig *rig)
{
	static const uint8_t commands[] = {
		0x20, 0x20, 0x24, 0x29, 0x30, 0x30, 0x34, 0x39, 0xc4,
		0xc5, 0xc8, 0xc8, 0xca, 0xca, 0x25, 0x35, 0x40, 0x91,
		0xc6, 0xe0, 0xe5, 0xe7, 0xea, 0xec, 0xef, 0xf8, 0x90,
	};
	uint32_t random = rig_random(rig);

	/* Mostly LBA, seldom the drive that is not there. */
	out(rig, 0x1f6, 1, random % 32 == 0 ? 0xf0 : random & 7 ? 0xe0 : 0xa1);
	out(rig, 0x1f2, 1, 0);
	out(rig, 0x1f2, 1, (random >> 8) % 200);
	for (unsigned port = 0x1f3; port <= 0x1f5; port++)
		out(rig, port, 1, 0);
	out(rig, 0x1f3, 1, random >> 16 & 0xff);
	out(rig, 0x1f4, 1, random >> 24 & 1);
	out(rig, 0x1f5, 1, 0);
	out(rig, 0x1f1, 1, random >> 25 & 1 ? 3 : 2);
	out(rig, 0x1f7, 1, commands[rig_random(rig) % sizeof(commands)]);
}

static void cd_command(struct rig *rig)
{
	static const uint8_t opcodes[] = { 0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25,
					   0x28, 0x28, 0x28, 0x42, 0x43, 0x45,
					   0x46, 0x4a, 0x4b, 0x51, 0x55, 0x5a,
					   0xa8, 0xbd, 0xbe };
	uint32_t random = rig_random(rig);
	uint8_t packet[12] = { opcodes[random % sizeof(opcodes)] };
	struct io_access io = { .offset = 0x170, .size = 2, .is_write = true };

	out(rig, 0x176, 1, 0xa0);
	if (random >> 8 & 1 && random >> 9 & 1 && random >> 10 & 1) {
		out(rig, 0x177, 1, random >> 11 & 1 ? 0xa1 : 0x08);
		return;
	}
	packet[1] = packet[0] == 0x4a;
	if (packet[0] == 0x42) {
		packet[2] = 0x40;
		packet[3] = 1;
	}
	packet[4] = packet[0] == 0x4a ? 0x10 : (uint8_t)(random >> 12 & 3);
	packet[5] = (uint8_t)(random >> 14 & 63);
	packet[8] = (uint8_t)(random >> 20 & 63);
	packet[9] = packet[0] == 0xa8 ? (uint8_t)(random >> 20 & 63) : 0x10;
	if (packet[0] == 0x03 || packet[0] == 0x12)
		packet[4] = 36;
	out(rig, 0x171, 1, random >> 26 & 1);
	out(rig, 0x174, 1, 0);
	out(rig, 0x175, 1, random >> 27 & 15);
	out(rig, 0x177, 1, 0xa0);
	/* Now and then only a part of it, the rest comes by other steps. */
	bus_access_bulk(&rig->b.ports, &io, packet, random >> 31 ? 6 : 3);
}

/* REP INSW or OUTSW, up to several blocks. */
static void data_move(struct rig *rig)
{
	static uint8_t bytes[16384];
	uint32_t random = rig_random(rig);
	struct io_access io = {
		.offset = random & 1 ? 0x1f0 : 0x170,
		.size = random & 2 ? 2 : 4,
		.is_write = random >> 2 & 1,
	};
	uint32_t count = (random >> 8) % (sizeof(bytes) / io.size);
	uint64_t sum = 0;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(random + i);
	bus_access_bulk(&rig->b.ports, &io, bytes, count);
	for (unsigned i = 0; i < count * io.size; i++)
		sum = sum * 31 + bytes[i];
	rig_note(rig, sum);
}

static void master_start(struct rig *rig)
{
	struct memory *memory = rig->memory;
	uint32_t random = rig_random(rig);
	unsigned base = MASTER + (random & 1) * 8;

	/* Whole sectors, odd pieces, regions beyond RAM. */
	for (unsigned i = 0; i < 16; i++) {
		uint32_t bits = rig_random(rig);
		uint32_t entry[2] = { bits & (RAM_BYTES - 1) & ~1U,
				      bits & 1 ? 4096 : (bits >> 20 & 0xffe) };

		if (bits >> 16 & 1)
			entry[0] = ALIGN_DOWN(entry[0], 512);
		if (entry[0] < PRD_TABLE + 4096)
			entry[0] += 0x10000;
		if (i == 15 || bits >> 17 % 8 == 0)
			entry[1] |= 1U << 31;
		memcpy(memory->ram + PRD_TABLE + 8 * i, entry, 8);
	}
	out(rig, base + 4, 4, PRD_TABLE);
	out(rig, base + 2, 1, 6);
	out(rig, base, 1, random & 2 ? 8 : 0);
	out(rig, base, 1, random & 2 ? 9 : 1);
}

static void world_change(struct rig *rig)
{
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);

	switch (random % 8) {
	case 0:
		model->disk.is_async = random >> 8 & 1;
		model->cd.is_async = random >> 9 & 1;
		break;
	case 1:
		model->has_cd = random >> 8 & 1;
		ide_medium_change(&model->ide, 1, 0,
				  model->has_cd ? &model->cd.backend : NULL);
		break;
	case 2: /* software reset, by halves */
		out(rig, random >> 8 & 1 ? 0x3f6 : 0x376, 1, random >> 9 & 6);
		break;
	case 3:
		memory_note(rig, sizeof(struct memory));
		break;
	case 4:
		if (random >> 8 & 1)
			break;
		ide_reset(&model->ide);
		__attribute__((fallthrough));
	default:
		out(rig, 0x3f6, 1, random >> 16 & 2);
		out(rig, 0x376, 1, 0);
		pci_config_write(&model->pci, DEVFN, PCI_BAR0 + 16, 4, MASTER);
		pci_config_write(&model->pci, DEVFN, PCI_COMMAND, 2,
				 random >> 10 & 3 ? 5 : 1);
	}
}

static void input(struct rig *rig)
{
	struct model *model = rig->model;

	switch (rig_random(rig) % 8) {
	case 0:
		disk_command(rig);
		break;
	case 1:
		cd_command(rig);
		break;
	case 2:
		master_start(rig);
		break;
	case 3:
		medium_complete(&model->disk);
		break;
	case 4:
		medium_complete(&model->cd);
		break;
	case 5:
		world_change(rig);
		break;
	default:
		data_move(rig);
	}
}

static const struct subject_region regions[] = {
	{ .base = 0x1f0, .length = 4, .size = 4 },
	{ .base = 0x1f1, .length = 7, .size = 1 },
	{ .base = 0x1f7, .length = 1, .size = 1 },
	{ .base = 0x3f6, .length = 1, .size = 1 },
	{ .base = 0x170, .length = 2, .size = 2 },
	{ .base = 0x171, .length = 7, .size = 1 },
	{ .base = 0x177, .length = 1, .size = 1 },
	{ .base = MASTER, .length = 16, .size = 1 },
};

static const struct subject subjects[] = { {
	.name = "piix3-ide",
	.size = sizeof(struct model),
	.memory_size = sizeof(struct memory),
	.build = build,
	.regions = regions,
	.region_count = ARRAY_SIZE(regions),
	.input = input,
	.drain = drain,
	.copy = copy,
} };

/* ---- Tests ------------------------------------------------------------- */

static void test_table(void **state)
{
	struct rig *rig = rig_new(subjects, 0, 0);
	char why[200];

	(void)state;
	if (state_check(rig->device->ops->state, why, sizeof(why)))
		fail_msg("%s", why);
	rig_free(rig);
}

static void test_restore(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++)
		subject_test_restore(subjects, seed * 0x9e3779b97f4a7c15ULL);
}

static void test_reset(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++)
		subject_test_reset(subjects, seed * 0x9e3779b97f4a7c15ULL);
}

static void test_bits(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		subject_test_bits(subjects, seed * 0x9e3779b97f4a7c15ULL);
}

/* ---- Fields that contradict each other ---------------------------------- */

static void line_without_interrupt(void *state)
{
	((struct ide_state *)state)->channel[1].intrq = true;
}

static void interrupt_without_line(void *state)
{
	((struct ide_state *)state)->channel[0].drive[0].is_interrupting = true;
}

static void line_in_spite_of_nien(void *state)
{
	struct ide_channel_state *channel =
		&((struct ide_state *)state)->channel[0];

	channel->intrq = true;
	channel->drive[0].is_interrupting = true;
	channel->control = 2;
}

static void line_of_no_drive(void *state)
{
	struct ide_channel_state *channel =
		&((struct ide_state *)state)->channel[0];

	channel->intrq = true;
	channel->selected = 1;
	channel->drive[1].is_interrupting = true;
}

static void bar_on_command_block(void *state)
{
	struct pci_device_state *pci = &((struct ide_state *)state)->pci;

	pci_put32(pci->config, PCI_BAR0 + 16, 0x1f1);
	pci->config[PCI_COMMAND] = PCI_COMMAND_IO;
	pci->mapped = BIT(4);
}

/* What plays began at a time that is no timer's. */
static void test_playing(void **state)
{
	static struct image image;
	struct rig *rig = rig_new(&subjects[0], 12345678, 1);
	struct ide_drive_state *drive =
		&((struct ide_state *)rig->device->state)->channel[1].drive[0];
	char why[200];

	(void)state;
	drive->audio = ATAPI_AUDIO_PLAYING;
	drive->audio_end = 8;
	drive->audio_since_ns = rig->b.now_ns;
	rig_save(rig, &image);
	assert_int_equal(rig_load(rig, &image, why), 0);
	drive->audio_since_ns++;
	rig_save(rig, &image);
	assert_int_not_equal(rig_load(rig, &image, why), 0);
	rig_free(rig);
}

static void test_contradictions(void **state)
{
	static const struct contradiction rows[] = {
		{ "piix3-ide", line_without_interrupt },
		{ "piix3-ide", interrupt_without_line },
		{ "piix3-ide", line_in_spite_of_nien },
		{ "piix3-ide", line_of_no_drive },
		{ "piix3-ide", bar_on_command_block },
	};

	(void)state;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

/* The saved states of the test above hold what they ought to try. */
static void test_coverage(void **state)
{
	unsigned seen[IDE_DMA_PENDING + 1] = { 0 }, middle = 0, abandoned = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct rig *rig =
			rig_new(subjects, 0, seed * 0x9e3779b97f4a7c15ULL);
		struct model *model = rig->model;

		for (unsigned i = 0; i < 500; i++) {
			const struct ide_channel *channel =
				&model->ide.channel[i & 1];

			rig_step(rig, subjects);
			seen[channel->state->transfer]++;
			middle += channel->state->transfer != IDE_IDLE &&
				  channel->state->position % 512;
			abandoned += channel->phase == IDE_PHASE_RESETTING;
		}
		rig_free(rig);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(seen); i++)
		assert_true(seen[i] > 100);
	assert_true(middle > 100);
	assert_true(abandoned > 100);
}

static void test_in_flight(void **state)
{
	static struct image image;
	struct rig *rig = rig_new(subjects, 0, 1);
	struct model *model = rig->model;

	(void)state;
	model->disk.is_async = true;
	out(rig, 0x1f6, 1, 0xe0);
	out(rig, 0x1f2, 1, 1);
	out(rig, 0x1f7, 1, 0x20);
	assert_int_equal(device_save(rig->device, image.data,
				     sizeof(image.data), &image.length),
			 -EAGAIN);
	/* Given up, it still writes into the buffer. */
	ide_reset(&model->ide);
	assert_int_equal(device_save(rig->device, image.data,
				     sizeof(image.data), &image.length),
			 -EAGAIN);
	drain(rig);
	rig_save(rig, &image);
	rig_free(rig);
}

/* Where the next buffer's name ends, which comes before its bytes. */
static size_t buffer_after(const struct image *image, size_t from)
{
	static const char name[] = "buffer";
	const size_t length = sizeof(name) - 1;

	for (; from + length <= image->length; from++)
		if (!memcmp(image->data + from, name, length))
			return from + length;
	return SIZE_MAX;
}

/* Everywhere but in the buffers, of which any content is good. */
static void test_damaged(void **state)
{
	static struct image good, bad, before, after;
	unsigned refused = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 24; seed++) {
		struct rig *rig =
			rig_new(subjects, 0, seed * 0x9e3779b97f4a7c15ULL);
		char why[200];

		rig_run(rig, subjects, 100 + seed);
		rig_drain(rig, subjects);
		rig_save(rig, &good);
		for (unsigned i = 0; i < 100; i++) {
			size_t at = rig_random(rig) %
				    (good.length - IDE_CHANNELS * IDE_BUFFER);

			for (size_t buffer = buffer_after(&good, 0);
			     buffer <= at; buffer = buffer_after(&good, buffer))
				at += IDE_BUFFER;
			bad = good;
			bad.data[at] ^= (uint8_t)(1 + rig_random(rig) % 255);
			rig_drain(rig, subjects);
			rig_save(rig, &before);
			if (rig_load(rig, &bad, why)) {
				refused++;
				rig_save(rig, &after);
				assert_same_image(&before, &after);
				continue;
			}
			rig_save(rig, &after);
			assert_same_image(&bad, &after);
			rig_run(rig, subjects, 100);
		}
		rig_drain(rig, subjects);
		rig_free(rig);
	}
	assert_true(refused > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_playing),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("state_ide", tests, NULL, NULL);
}
