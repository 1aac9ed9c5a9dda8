/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests' drives on disks of the service: what the IDE function of devices/
 * makes of it, through machine/disk_service.c, when the service is slow, fails,
 * dies; and that nothing of before a reset reaches RAM after it.
 */
#include "tests/unit/disk_service_test.h"
#include "tests/unit/ide_test.h"

#define CD_SECTORS 403 /* no whole block at its end */

static uint8_t data[65536];

/* ---- Harness ------------------------------------------------------------- */

/* A disk at unit 0, a CD-ROM at unit 2, both of the service. */
static int service_setup(void **state)
{
	struct ide_config config = {
		.pci = &t.pci,
		.devfn = IDE_DEVFN,
		.ports = &t.ports,
		.ram = &t.ram,
		.clock = &t.clock,
		.irq = { { irq_set, NULL, 0 }, { irq_set, NULL, 1 } },
	};

	setup(state);
	bench_init(2);
	bench.machine.window = t.ram_bytes;
	bench.machine.window_size = RAM_BYTES;
	bench.config[1].is_cdrom = true;
	bench.info[bench.config[1].drive].sector_count = CD_SECTORS;
	bench.info[bench.config[1].drive].flags |= DISK_DRIVE_READ_ONLY;
	service_start();
	bench.on_wait = service_read;
	assert_int_equal(disk_service_open(&bench.machine), 0);
	bench.on_wait = NULL;
	config.drive[0][0] = (struct ide_drive_config){
		.kind = IDE_DISK, .backend = bench.disk[0], .serial = "SERIAL1"
	};
	config.drive[1][0] =
		(struct ide_drive_config){ .kind = IDE_CDROM,
					   .backend = bench.disk[1] };
	bus_init_ports(&t.ports, t.index);
	assert_int_equal(pci_bus_init(&t.pci, &t.ports, &t.memory), 0);
	assert_int_equal(ide_init(&t.ide, &config), 0);
	pci_config_write(&t.pci, IDE_DEVFN, 0x20, 4, MASTER);
	pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 5);
	return 0;
}

static void time_passes(uint64_t ns)
{
	bench_time(ns);
	pass_time(ns);
}

static void answer(int status, uint64_t sector)
{
	service_read();
	service_answer(0, status, sector);
	event();
	service_read();
}

static void dma_begin(uint32_t lba, uint8_t command, bool to_memory)
{
	prd(0, 0x10000, 4096, true);
	outb(MASTER, 0);
	lba28(lba, 8, command);
	master_start(0, to_memory);
	service_read();
	assert_int_equal(bench.count, 1);
}

static bool is_untouched(void)
{
	for (unsigned i = 0; i < 4096; i++)
		if (t.ram_bytes[0x10000 + i] != 0x5a)
			return false;
	return true;
}

/* The guest has the memory anew. */
static void memory_reuse(void)
{
	memset(t.ram_bytes + 0x10000, 0x5a, 4096);
}

static void packet(const uint8_t *bytes)
{
	outb(0x176, 0xa0);
	outb(0x171, 0);
	outb(0x174, 0);
	outb(0x175, 0x80);
	outb(0x177, 0xa0);
	assert_int_equal(inb(0x177), DRQ);
	outsw(0x170, bytes, 6);
	service_read();
}

/* ---- Data and durability ------------------------------------------------- */

static void test_dma(void **state)
{
	(void)state;
	dma_begin(77, 0xc8, true);
	assert_int_equal(bench.taken[0].segment[0].where, 0x10000);
	assert_int_equal(inb(0x3f6), BSY);
	assert_false(t.irq[0]);
	answer(0, 0);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, medium_of(0, 77), 4096);
	memset(t.ram_bytes + 0x10000, 0x11, 4096);
	dma_begin(78, 0xca, false);
	answer(0, 0);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, medium_of(0, 78), 4096);
}

static void feature(uint8_t number)
{
	outb(0x1f6, 0xe0);
	outb(0x1f1, number);
	outb(0x1f7, 0xef);
	service_read();
}

static uint32_t flags_of_write(uint8_t command)
{
	uint32_t flags;

	lba48(100, 1, command);
	outsw(0x1f0, data, 256);
	service_read();
	assert_int_equal(bench.count, 1);
	assert_int_equal(bench.taken[0].op, DISK_OP_WRITE);
	flags = bench.taken[0].flags;
	answer(0, 0);
	/* One request: no flush follows. */
	assert_int_equal(bench.count, 0);
	expect_end(READY);
	return flags;
}

static void test_write_cache(void **state)
{
	(void)state;
	assert_int_equal(flags_of_write(0x34), 0);
	assert_int_equal(flags_of_write(0xce), DISK_FUA);
	/* Turning it off flushes, and counts once that is done. */
	feature(0x82);
	assert_int_equal(bench.taken[0].op, DISK_OP_FLUSH);
	answer(-EIO, 0);
	expect_error(ABRT);
	assert_int_equal(flags_of_write(0x34), 0);
	feature(0x82);
	answer(0, 0);
	expect_end(READY);
	assert_int_equal(flags_of_write(0x34), DISK_FUA);
	feature(0x02);
	expect_end(READY);
	assert_int_equal(bench.count, 0);
	assert_int_equal(flags_of_write(0x34), 0);
	for (unsigned i = 0; i < 2; i++) {
		outb(0x1f7, i ? 0xea : 0xe7);
		service_read();
		assert_int_equal(bench.taken[0].op, DISK_OP_FLUSH);
		assert_int_equal(inb(0x1f7), BSY);
		answer(0, 0);
		expect_end(READY);
	}
}

/* In the second piece of a request: what is before it goes to the guest. */
static void test_bad_sector(void **state)
{
	const uint32_t bad = 60;

	(void)state;
	lba28(1000, 128, 0x20);
	answer(0, 0);
	if (bench.taken[0].sector > 1000 + bad)
		fail();
	answer(-EIO, 1000 + bad);
	for (unsigned i = 0; i < bad; i++) {
		expect_end(DRQ);
		insw(0x1f0, data, 256);
		assert_memory_equal(data, medium_of(0, 1000 + i), 512);
		/* The rest is tried again, and fails with nothing moved. */
		if (i == bad - 1)
			answer(-EIO, 1000 + bad);
	}
	expect_error(UNC);
	assert_int_equal(inb(0x1f3) | inb(0x1f4) << 8, 1000 + bad);
	/* A write has no UNC. */
	dma_begin(1000, 0xca, false);
	answer(-EIO, 1003);
	expect_error(ABRT);
	assert_int_equal(inb(0x1f3) | inb(0x1f4) << 8, 1003);
	/* The overlay is full. */
	dma_begin(1000, 0xca, false);
	answer(-ENOSPC, 0);
	expect_error(ABRT);
}

/* ---- Rules of time ------------------------------------------------------- */

static void test_soft_reset(void **state)
{
	(void)state;
	for (unsigned dies = 0; dies < 2; dies++) {
		dma_begin(77, 0xc8, true);
		outb(0x3f6, 4);
		outb(0x3f6, 0);
		for (unsigned i = 0; i < 5; i++) {
			time_passes(NSEC_PER_SEC * 20);
			assert_int_equal(inb(0x3f6), BSY);
		}
		if (dies)
			service_die();
		else
			service_answer(0, 0, 0);
		assert_int_equal(inb(0x3f6), BSY);
		event();
		assert_int_equal(inb(0x1f7), READY);
		assert_int_equal(inb(0x1f1), 1);
		assert_int_equal(t.irq_edges[0], 0);
		memory_reuse();
	}
	/* Its successor is not asked for it. */
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 0);
	assert_true(is_untouched());
	/* In mid-absence: it does not wait. */
	dma_begin(77, 0xc8, true);
	service_die();
	event();
	assert_int_equal(inb(0x3f6), BSY);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	assert_int_equal(inb(0x3f6), READY);
	memory_reuse();
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 0);
	dma_begin(77, 0xc8, true);
	answer(0, 0);
	assert_int_equal(inb(0x1f7), READY);
}

/* The guest may be told that a command is over when it is, and no earlier. */
static void test_timeout(void **state)
{
	(void)state;
	dma_begin(77, 0xc8, true);
	for (unsigned i = 0; i < 10; i++) {
		time_passes(IDE_TIMEOUT_NS);
		assert_int_equal(inb(0x3f6), BSY);
	}
	answer(0, 0);
	expect_end(READY);
	/* Without a service the drive gives up. */
	dma_begin(77, 0xc8, true);
	service_die();
	event();
	time_passes(IDE_TIMEOUT_NS - 1);
	assert_int_equal(inb(0x3f6), BSY);
	time_passes(1);
	expect_error(ABRT);
	memory_reuse();
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 0);
	assert_true(is_untouched());
	/* It dies when the drive would have given up already. */
	dma_begin(77, 0xc8, true);
	time_passes(IDE_TIMEOUT_NS);
	assert_int_equal(inb(0x3f6), BSY);
	service_die();
	event();
	expect_error(ABRT);
	/* A flush. */
	service_start();
	event();
	outb(0x1f7, 0xe7);
	time_passes(IDE_FLUSH_TIMEOUT_NS);
	assert_int_equal(inb(0x3f6), BSY);
	answer(0, 0);
	expect_end(READY);
}

static void answer_at_last(void)
{
	bench.now_ns += NSEC_PER_SEC;
	if (bench.waits % 20 == 0)
		service_answer(0, 0, 0);
}

static void die_at_last(void)
{
	bench.now_ns += NSEC_PER_SEC;
	if (bench.waits % 20 == 0)
		service_die();
}

/* A reset of the machine: on return RAM is the guest's alone. */
static void test_machine_reset(void **state)
{
	static void (*const ends[])(void) = { answer_at_last, die_at_last };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 1 };

		dma_begin(77, 0xc8, true);
		packet(read10);
		assert_int_equal(bench.count, 2);
		ide_reset(&t.ide);
		bench.on_wait = ends[i];
		bench.waits = 0;
		assert_true(disk_service_drain(&bench.machine, 5));
		bench.on_wait = NULL;
		assert_int_equal(bench.count, 0);
		memory_reuse();
		assert_int_equal(inb(0x3f6), READY);
		assert_int_equal(inb(0x376), 0);
		assert_int_equal(t.irq_edges[0] + t.irq_edges[1], 0);
		if (bench.state != GATE_CHANNEL_OPEN)
			service_start();
		event();
		service_read();
		assert_int_equal(bench.count, 0);
		assert_true(is_untouched());
		pci_config_write(&t.pci, IDE_DEVFN, 0x20, 4, MASTER);
		pci_config_write(&t.pci, IDE_DEVFN, PCI_COMMAND, 2, 5);
	}
}

/* disk dies over and over: the guest sees a slow disk. */
static void test_deaths(void **state)
{
	(void)state;
	dma_begin(77, 0xc8, true);
	for (unsigned i = 0; i < 9; i++) {
		service_die();
		if (i % 2)
			event();
		time_passes(NSEC_PER_SEC);
		service_start();
		event();
		time_passes(NSEC_PER_SEC);
		service_read();
		assert_int_equal(bench.count, 1);
		assert_int_equal(inb(0x3f6), BSY);
	}
	answer(0, 0);
	expect_end(READY);
	assert_memory_equal(t.ram_bytes + 0x10000, medium_of(0, 77), 4096);
}

static void test_vanished(void **state)
{
	const uint8_t read10[12] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 1 };
	const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };

	(void)state;
	dma_begin(77, 0xc8, true);
	packet(read10);
	for (unsigned i = 0; i < 2; i++)
		bench.info[bench.config[i].drive].flags = 0;
	service_die();
	service_start();
	event();
	expect_error(ABRT);
	assert_true(t.irq[1]);
	assert_int_equal(inb(0x177), ERR);
	packet(sense);
	insw(0x170, data, 9);
	assert_int_equal(data[2] & 15, 2); /* not ready */
	assert_int_equal(data[12], 0x3a);
	lba28(1, 1, 0x20);
	expect_error(ABRT);
	assert_int_equal(bench.count, 0);
}

/* ---- CD-ROM -------------------------------------------------------------- */

static void test_cdrom(void **state)
{
	const uint8_t capacity[12] = { 0x25 };
	uint8_t read10[12] = { 0x28, 0, 0, 0, 0, CD_SECTORS / 4 - 1, 0, 0, 1 };
	const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };

	(void)state;
	packet(capacity);
	insw(0x170, data, 4);
	assert_int_equal(data[3], CD_SECTORS / 4 - 1);
	assert_int_equal(inb(0x177), READY);
	packet(read10);
	assert_int_equal(inb(0x376), BSY);
	answer(0, 0);
	assert_int_equal(inb(0x177), DRQ);
	insw(0x170, data, 1024);
	assert_memory_equal(data, medium_of(1, CD_SECTORS / 4 * 4 - 4), 2048);
	assert_int_equal(inb(0x177), READY);
	/* Beyond it there is none, though the medium has three sectors. */
	read10[5]++;
	packet(read10);
	assert_int_equal(inb(0x177), ERR);
	assert_int_equal(bench.count, 0);
	/* A bad sector is told as its block. */
	read10[5] = 9;
	read10[8] = 3;
	packet(read10);
	answer(-EIO, 9 * 4 + 5);
	assert_int_equal(inb(0x177), DRQ);
	insw(0x170, data, 1024);
	assert_memory_equal(data, medium_of(1, 9 * 4), 2048);
	answer(-EIO, 9 * 4 + 5);
	assert_int_equal(inb(0x177), ERR);
	packet(sense);
	insw(0x170, data, 9);
	assert_int_equal(data[2], 3);
	assert_int_equal(data[6], 10);
}

#define SERVICE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, service_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVICE_TEST(test_dma),	       SERVICE_TEST(test_write_cache),
		SERVICE_TEST(test_bad_sector), SERVICE_TEST(test_soft_reset),
		SERVICE_TEST(test_timeout),    SERVICE_TEST(test_machine_reset),
		SERVICE_TEST(test_deaths),     SERVICE_TEST(test_vanished),
		SERVICE_TEST(test_cdrom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
