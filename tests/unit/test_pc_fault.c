/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pc: where faults on purpose come between its devices. */
#include "tests/unit/pc_test.h"

#define IRQ_PIT 0

static struct machine_fault machine_fault;
static struct fault fault;
static uint8_t flash_image[KIB(4)];

static void power_cut(void *ctx)
{
	(void)ctx;
	bench.resets++;
}

static void fault_log(void *ctx, const char *text)
{
	log_text(ctx, DEVICE_LOG_INFO, text);
}

static void flash_read(void *ctx, struct block_request *request)
{
	(void)ctx;
	memcpy(request->segment[0].host, flash_image,
	       request->segment[0].length);
	request->done(request->dev, request, 0);
}

static void start(struct machine_fault wanted)
{
	const struct fault_config fault_config = {
		.machine = &machine_fault,
		.clock = &bench.clock,
		.power_cut = power_cut,
		.log = fault_log,
	};
	struct block_backend *disks[1] = { &bench.disk[0] };
	const struct board_config board = {
		.machine = &bench.config,
		.physical_bits = 40,
		.window = bench.window,
		.disks = disks,
		.clock = &bench.clock,
		.fault = &fault,
		.ops = &ops,
	};

	machine_fault = wanted;
	fault_init(&fault, &fault_config);
	memset(flash_image, 0xff, sizeof(flash_image));
	bench.disk[0] = (struct block_backend){
		.submit = flash_read,
		.sector_count = sizeof(flash_image) / BLOCK_SECTOR,
	};
	bench.config.disk_count = 1;
	bench.config.disk[0] = (struct machine_disk_config){
		.va = (uint64_t)flash_image,
		.sector_count = sizeof(flash_image) / BLOCK_SECTOR,
		.bus = MACHINE_DISK_FLASH,
	};
	assert_int_equal(pc_init(bench.pc, &board), 0);
	/* Both 8259s awake, all of the first one's pins open, its IRR shown. */
	out(0x20, 0x11, 1);
	out(0x21, 8, 1);
	out(0x21, 4, 1);
	out(0x21, 1, 1);
	out(0x21, 0, 1);
	out(0x20, 0x0a, 1);
}

/* The 8254's output rises, as its mode 0 does at the end. */
static void pit_rise(void)
{
	out(0x43, 0x30, 1);
	out(0x40, 100, 1);
	out(0x40, 0, 1);
	bench.now_ns += NSEC_PER_MS;
	clock_run(&bench.clock);
}

static bool is_requested(unsigned irq)
{
	return in(0x20, 1) & BIT(irq);
}

static void test_irq_lost(void **state)
{
	(void)state;
	start((struct machine_fault){
		.irq[0] = { .line = IRQ_PIT, .nth = 2 } });
	for (unsigned i = 1; i < 4; i++) {
		pit_rise();
		assert_int_equal(is_requested(IRQ_PIT), i != 2);
		assert_int_equal(bench.intr, i != 2);
	}
	assert_string_equal(bench.logged, "fault: interrupt 2 of IRQ 0 lost");
}

static void test_irq_late(void **state)
{
	(void)state;
	start((struct machine_fault){
		.irq[1] = { .line = IRQ_PIT, .nth = 1, .late_us = 3000 } });
	pit_rise();
	bench.now_ns += 2 * NSEC_PER_MS;
	clock_run(&bench.clock);
	assert_false(is_requested(IRQ_PIT));
	bench.now_ns += NSEC_PER_MS;
	clock_run(&bench.clock);
	assert_true(is_requested(IRQ_PIT));
}

static void test_flash(void **state)
{
	gpa_t base = GIB(4) - BIOS - sizeof(flash_image);

	(void)state;
	start((struct machine_fault){ .flash_fail = 2, .power_cut = 3 });
	for (unsigned i = 0; i < 3; i++) {
		store(base, 0x50, 1);
		store(base, 0x40, 1);
		store(base + i, 0x11, 1);
		assert_int_equal(load(base, 1) & PFLASH_WRITE_ERROR,
				 i ? PFLASH_WRITE_ERROR : 0);
	}
	store(base, 0xff, 1);
	assert_memory_equal(pc_ram_at(bench.pc, base, 3, false), "\x11\xff\xff",
			    3);
	assert_int_equal(bench.resets, 1);
	/* What it holds is there after the power is back. */
	pc_reset(bench.pc);
	fault_power_on(&fault);
	store(base, 0x40, 1);
	store(base + 2, 0x11, 1);
	store(base, 0xff, 1);
	assert_memory_equal(pc_ram_at(bench.pc, base, 3, false), "\x11\xff\x11",
			    3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_irq_lost, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_irq_late, prepare,
						teardown),
		cmocka_unit_test_setup_teardown(test_flash, prepare, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
