/* SPDX-License-Identifier: BSD-2-Clause */
/* States of the devices that sit on the ISA bus or beside it. */
#include "tests/unit/state_wanted.h"

#include "devices/debug_ports.h"
#include "devices/dma8237.h"
#include "devices/fdc.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "devices/i8042.h"
#include "devices/ioapic.h"
#include "devices/pflash.h"
#include "devices/pic.h"
#include "devices/pit.h"
#include "devices/rtc.h"
#include "devices/uart.h"

/* ---- The 8259 pair ----------------------------------------------------- */

static struct device *pic_build(struct rig *rig)
{
	struct pic *pic = rig->model;

	assert_int_equal(pic_init(pic, &rig->b.ports, rig_irq(rig, 0)), 0);
	return &pic->device;
}

static void pic_input(struct rig *rig)
{
	struct pic *pic = rig->model;
	uint32_t random = rig_random(rig);

	if (random & BIT(8))
		pic_irq_set(pic, random & 15, random & BIT(4));
	else
		rig_note(rig, pic_ack(pic));
}

static const struct subject_region pic_regions[] = {
	{ .base = 0x20, .length = 2, .size = 1 },
	{ .base = 0xa0, .length = 2, .size = 1 },
	{ .base = 0x4d0, .length = 2, .size = 1 },
};

/* ---- The 8254 ---------------------------------------------------------- */

static struct device *pit_build(struct rig *rig)
{
	struct pit *pit = rig->model;

	assert_int_equal(
		pit_init(pit, &rig->b.ports, &rig->b.clock, rig_irq(rig, 0)),
		0);
	return &pit->device;
}

static const struct subject_region pit_regions[] = {
	{ .base = 0x40, .length = 4, .size = 1 },
	{ .base = 0x43, .length = 1, .size = 1 },
	{ .base = 0x61, .length = 1, .size = 1 },
};

/* ---- The real-time clock ----------------------------------------------- */

static struct device *rtc_build(struct rig *rig)
{
	struct rtc *rtc = rig->model;

	assert_int_equal(
		rtc_init(rtc, &rig->b.ports, &rig->b.clock, rig_irq(rig, 8)),
		0);
	return &rtc->device;
}

/* Registers 0 to 15, which random indices would hardly ever hit. */
static void rtc_input(struct rig *rig)
{
	outb(&rig->b, 0x70, rig_random(rig) & 15);
	if (rig_random(rig) & 1)
		rig_note(rig, inb(&rig->b, 0x71));
	else
		outb(&rig->b, 0x71, (uint8_t)rig_random(rig));
}

static const struct subject_region rtc_regions[] = {
	{ .base = 0x70, .length = 4, .size = 1 },
};

/* ---- The HPET ---------------------------------------------------------- */

static void legacy_changed(void *ctx, bool is_legacy)
{
	rig_note(ctx, 0x1e9ac00 | is_legacy);
}

static struct device *hpet_build(struct rig *rig)
{
	struct hpet *hpet = rig->model;

	assert_int_equal(hpet_init(hpet, &rig->b.memory, &rig->b.clock,
				   rig_irq(rig, 0), legacy_changed, rig),
			 0);
	return &hpet->device;
}

/* Enabled counters and timers that come soon. */
static void hpet_input(struct rig *rig)
{
	struct bus *bus = &rig->b.memory;
	uint64_t timer = HPET_BASE + 0x100 + rig_random(rig) % 3 * 0x20;

	switch (rig_random(rig) % 4) {
	case 0:
		bus_out(bus, HPET_BASE + 0x10, 1 | rig_random(rig) % 4, 8);
		break;
	case 1:
		bus_out(bus, timer,
			0x4 | (rig_random(rig) & 0x14a) |
				(16 + rig_random(rig) % 8) << 9,
			8);
		break;
	case 2:
		bus_out(bus, timer + 8,
			bus_in(bus, HPET_BASE + 0xf0, 8) +
				rig_random(rig) % 100000,
			8);
		break;
	case 3:
		bus_out(bus, HPET_BASE + 0x20, rig_random(rig) % 8, 8);
		break;
	}
}

static const struct subject_region hpet_regions[] = {
	{ .base = HPET_BASE, .length = 0x180, .size = 8, .is_memory = true },
	{ .base = HPET_BASE, .length = 0x180, .size = 4, .is_memory = true },
};

/* ---- The I/O APIC ------------------------------------------------------ */

static bool send_message(void *ctx, uint64_t address, uint32_t data)
{
	rig_note(ctx, address);
	rig_note(ctx, data);
	return data & 1;
}

static struct device *ioapic_build(struct rig *rig)
{
	struct ioapic *ioapic = rig->model;

	assert_int_equal(ioapic_init(ioapic, &rig->b.memory, send_message, rig),
			 0);
	return &ioapic->device;
}

static void ioapic_input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	if (random & BIT(8))
		ioapic_irq_set(rig->model, random % 32, random & BIT(9));
	else
		ioapic_eoi(rig->model, (uint8_t)random);
}

static const struct subject_region ioapic_regions[] = {
	{ .base = IOAPIC_BASE, .length = 4, .size = 4, .is_memory = true },
	{ .base = IOAPIC_BASE + 0x10,
	  .length = 4,
	  .size = 4,
	  .is_memory = true },
	{ .base = IOAPIC_BASE, .length = 0x100, .size = 4, .is_memory = true },
};

/* ---- The keyboard controller ------------------------------------------- */

static void pulled_reset(void *ctx)
{
	rig_note(ctx, 0x4e5e7);
}

static struct device *i8042_build(struct rig *rig)
{
	struct i8042 *kbc = rig->model;

	assert_int_equal(i8042_init(kbc, &rig->b.ports, &rig->b.clock,
				    rig_irq(rig, 1), rig_irq(rig, 12),
				    pulled_reset, rig),
			 0);
	return &kbc->device;
}

static void i8042_input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	if (random & BIT(16))
		i8042_key(rig->model, random & 0x37f, random & BIT(17));
	else if (random & BIT(18))
		i8042_mouse(rig->model, (int8_t)random, (int8_t)(random >> 8),
			    (int)(random >> 28) - 8, random >> 19 & 31);
	else {
		/* Reporting on, or the mouse would seldom be heard. */
		outb(&rig->b, 0x64, 0xd4);
		outb(&rig->b, 0x60, 0xf4);
	}
}

static const struct subject_region i8042_regions[] = {
	{ .base = 0x60, .length = 1, .size = 1 },
	{ .base = 0x60, .length = 1, .size = 1 },
	{ .base = 0x64, .length = 1, .size = 1 },
	{ .base = 0x92, .length = 1, .size = 1 },
};

/* ---- The 16550A -------------------------------------------------------- */

static void write_out(void *ctx, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	while (length--)
		rig_note(ctx, 0xc4a700 | *bytes++);
}

static void drained(void *ctx)
{
	rig_note(ctx, 0xd4a13ed);
}

static struct device *uart_build(struct rig *rig)
{
	struct uart *uart = rig->model;

	assert_int_equal(uart_init(uart, &rig->b.ports, 0x3f8, &rig->b.clock,
				   rig_irq(rig, 4),
				   (struct char_backend){ write_out, rig }),
			 0);
	uart->drained = drained;
	uart->drained_ctx = rig;
	return &uart->device;
}

static void uart_input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	/* The board offers no more than there is room for, mostly. */
	assert_true(uart_room(rig->model) <= UART_FIFO);
	if (!(random & MASK(12, 8)))
		uart_receive_break(rig->model);
	else if (uart_room(rig->model) || !(random & MASK(15, 12)))
		uart_receive(rig->model, (uint8_t)random);
}

static const struct subject_region uart_regions[] = {
	{ .base = 0x3f8, .length = 8, .size = 1 },
};

/* ---- The configuration device ------------------------------------------ */

/* With the struct a memory for DMA, the same in all rigs. */
struct fw_cfg_model {
	struct fw_cfg fw_cfg;
	struct guest_ram ram;
	uint8_t memory[8192];
};

static struct device *fw_cfg_build(struct rig *rig)
{
	static const uint8_t file[300] = { 1, 2, 3, [100] = 100, [299] = 7 };
	struct fw_cfg_model *model = rig->model;
	struct fw_cfg *fw_cfg = &model->fw_cfg;

	model->ram.count = 1;
	model->ram.range[0] =
		(struct guest_ram_range){ 0, sizeof(model->memory),
					  model->memory };
	assert_int_equal(fw_cfg_init(fw_cfg, &rig->b.ports, &model->ram), 0);
	assert_int_equal(fw_cfg_add_value(fw_cfg, FW_CFG_RAM_SIZE, 1 << 30, 8),
			 0);
	assert_int_equal(
		fw_cfg_add_file(fw_cfg, "etc/file", file, sizeof(file)), 0);
	return &fw_cfg->device;
}

static void fw_cfg_input(struct rig *rig)
{
	static const uint16_t keys[] = { 0, 1, 3, 0x19, 0x20, 0x8002 };
	uint32_t random = rig_random(rig);

	if (random & BIT(31))
		bus_out(&rig->b.ports, 0x510, keys[random % ARRAY_SIZE(keys)],
			2);
	else
		rig_note(rig, inb(&rig->b, 0x511));
}

static const struct subject_region fw_cfg_regions[] = {
	{ .base = 0x510, .length = 2, .size = 1 },
	{ .base = 0x510, .length = 2, .size = 2 },
	/* The second half of an address would start DMA, from anywhere. */
	{ .base = 0x514, .length = 4, .size = 4 },
};

/* ---- Debug ports ------------------------------------------------------- */

static void exit_called(void *ctx, uint32_t code)
{
	rig_note(ctx, code);
}

static struct device *debug_build(struct rig *rig)
{
	struct char_backend console = { write_out, rig };
	struct debug_ports *debug = rig->model;

	assert_int_equal(debug_ports_init(debug, &rig->b.ports, console,
					  console, 0xf4, exit_called, rig),
			 0);
	return &debug->device;
}

static const struct subject_region debug_regions[] = {
	{ .base = 0x80, .length = 1, .size = 1 },
	{ .base = 0xe9, .length = 1, .size = 1 },
	{ .base = 0x402, .length = 1, .size = 1 },
	{ .base = 0xf4, .length = 4, .size = 4 },
};

/* ---- Flash memory -------------------------------------------------------- */

#define FLASH_BASE 0xfff00000
#define FLASH_SIZE (2 * PFLASH_BLOCK)

static void flash_shown(void *ctx, bool is_array)
{
	rig_note(ctx, 0xf1a5400 | is_array);
}

static struct device *pflash_build(struct rig *rig)
{
	struct pflash *flash = rig->model;
	const struct pflash_config config = {
		.memory = &rig->b.memory,
		.clock = &rig->b.clock,
		.base = FLASH_BASE,
		.size = FLASH_SIZE,
		.array = rig->memory,
		.shown = flash_shown,
		.ctx = rig,
	};

	assert_int_equal(pflash_init(flash, &config), 0);
	return &flash->device;
}

/* Commands, whole ones at times. */
static void pflash_input(struct rig *rig)
{
	static const uint8_t first[] = { 0x40, 0x20, 0xe8, 0x60, 0x90,
					 0x98, 0x70, 0x50, 0xff };
	static const uint8_t then[] = { 0xd0, 0x00, 0x01, 0xff };
	struct bus *bus = &rig->b.memory;
	uint64_t at = FLASH_BASE + rig_random(rig) % FLASH_SIZE;

	bus_out(bus, at, first[rig_random(rig) % ARRAY_SIZE(first)], 1);
	bus_out(bus, at, then[rig_random(rig) % ARRAY_SIZE(then)], 1);
}

static const struct subject_region pflash_regions[] = {
	{ .base = FLASH_BASE,
	  .length = FLASH_SIZE,
	  .size = 1,
	  .is_memory = true },
	{ .base = FLASH_BASE,
	  .length = FLASH_SIZE,
	  .size = 4,
	  .is_memory = true },
};

/* ---- The 8237 pair ------------------------------------------------------- */

#define DMA_MEMORY 0x20000

struct dma_model {
	struct dma8237 dma;
	struct guest_ram ram;
};

static struct device *dma_build(struct rig *rig)
{
	struct dma_model *model = rig->model;

	model->ram.count = 1;
	model->ram.range[0] =
		(struct guest_ram_range){ 0, DMA_MEMORY, rig->memory };
	assert_int_equal(dma8237_init(&model->dma, &rig->b.ports, &model->ram),
			 0);
	return &model->dma.device;
}

/* Devices that ask and move; channels that let them. */
static void dma_input(struct rig *rig)
{
	struct dma_model *model = rig->model;
	uint32_t random = rig_random(rig);
	const struct dma_line line = { &model->dma, random % DMA_CHANNELS };
	uint8_t data[64] = { (uint8_t)random, (uint8_t)(random >> 8) };
	struct dma_transfer transfer = {
		.direction = random & BIT(3) ? DMA_TO_MEMORY : DMA_FROM_MEMORY,
		.data = data,
		.length = random >> 8 & 63,
	};

	if (random & BIT(16)) {
		outb(&rig->b, 0xd6, 0xc0);
		outb(&rig->b, 0xdc, 0);
		outb(&rig->b, 0x0e, 0);
	}
	dma_line_set(&line, random & BIT(17));
	dma_line_transfer(&line, &transfer);
	rig_note(rig, transfer.moved << 1 | transfer.is_terminal);
	rig_note(rig, data[random >> 18 & 63]);
}

static const struct subject_region dma_regions[] = {
	{ .base = 0x00, .length = 16, .size = 1 },
	{ .base = 0xc0, .length = 32, .size = 1 },
	{ .base = 0x81, .length = 15, .size = 1 },
};

/* ---- The floppy controller ------------------------------------------------
 */

#define FLOPPY_SIZE (180 * 1024)

/* Guest memory, then two disks. */
struct fdc_memory {
	uint8_t ram[DMA_MEMORY];
	uint8_t disk[2][FLOPPY_SIZE];
};

struct fdc_model {
	struct fdc fdc;
	struct dma_model dma;
	struct block_backend disk[2];
};

static void fdc_disk_submit(void *ctx, struct block_request *request)
{
	uint8_t *at = (uint8_t *)ctx + request->sector * BLOCK_SECTOR;

	assert_true(request->sector < FLOPPY_SIZE / BLOCK_SECTOR);
	if (request->op == BLOCK_READ)
		memcpy(request->segment[0].host, at, BLOCK_SECTOR);
	else
		memcpy(at, request->segment[0].host, BLOCK_SECTOR);
	request->done(request->dev, request, 0);
}

static struct device *fdc_build(struct rig *rig)
{
	struct fdc_model *model = rig->model;
	struct fdc_memory *memory = rig->memory;
	struct fdc_config config = {
		.ports = &rig->b.ports,
		.clock = &rig->b.clock,
		.irq = rig_irq(rig, 6),
		.dma = { &model->dma.dma, 2 },
	};

	model->dma.ram.count = 1;
	model->dma.ram.range[0] =
		(struct guest_ram_range){ 0, DMA_MEMORY, memory->ram };
	assert_int_equal(
		dma8237_init(&model->dma.dma, &rig->b.ports, &model->dma.ram),
		0);
	for (unsigned i = 0; i < 2; i++) {
		model->disk[i] = (struct block_backend){
			.submit = fdc_disk_submit,
			.ctx = memory->disk[i],
			.sector_count = FLOPPY_SIZE / BLOCK_SECTOR,
		};
		config.drive[i].type =
			i ? FLOPPY_DRIVE_1200K : FLOPPY_DRIVE_360K;
		config.drive[i].medium = &model->disk[i];
	}
	assert_int_equal(fdc_init(&model->fdc, &config), 0);
	return &model->fdc.device;
}

static void fdc_copy(struct rig *to, const struct rig *from)
{
	struct fdc_model *there = to->model;
	const struct fdc_model *here = from->model;

	there->dma.dma.state = here->dma.dma.state;
	for (unsigned i = 0; i < 2; i++)
		there->fdc.drive[i] = here->fdc.drive[i];
	for (unsigned i = 0; i < 2; i++)
		if (there->fdc.drive[i].medium)
			there->fdc.drive[i].medium = &there->disk[i];
}

static void fdc_bytes(struct rig *rig, unsigned count)
{
	while (count--)
		outb(&rig->b, 0x3f5,
		     (uint8_t)(rig_random(rig) & 1 ? rig_random(rig)
						   : rig_random(rig) & 7));
}

/* Whole commands that can succeed, at times; disks that come and go. */
static void fdc_input(struct rig *rig)
{
	static const uint8_t codes[] = { 0x46, 0xc5, 0xe6, 0x49, 0x4c, 0x42,
					 0x56, 0x51, 0x59, 0x5d, 0x4a, 0x4d,
					 0x0f, 0x07, 0x08, 0x13, 0x03, 0x8f };
	struct fdc_model *model = rig->model;
	uint32_t random = rig_random(rig);
	unsigned unit = random & 1;

	switch (random >> 8 & 15) {
	case 0:
		assert_int_equal(
			fdc_medium_change(&model->fdc, unit,
					  random & 2 ? NULL
						     : &model->disk[unit]),
			0);
		return;
	case 1:
		outb(&rig->b, 0x3f2, 0x3c | unit);
		outb(&rig->b, 0x3f7, unit ? 1 : 2);
		return;
	case 2:
		outb(&rig->b, 0xd6, 0xc0);
		outb(&rig->b, 0xdc, 0);
		outb(&rig->b, 0x0b, random & 2 ? 0x46 : 0x4a);
		outb(&rig->b, 0x0e, 0);
		return;
	case 3:
		bench_step(&rig->b, random >> 4);
		return;
	case 4: /* of the result, or data */
		for (unsigned i = 0; i < 10; i++)
			rig_note(rig, inb(&rig->b, 0x3f5));
		return;
	default:
		break;
	}
	outb(&rig->b, 0x3f5, codes[(random >> 16) % ARRAY_SIZE(codes)]);
	outb(&rig->b, 0x3f5, (uint8_t)unit);
	if (random & 2) { /* the first sectors, N as it is */
		outb(&rig->b, 0x3f5, 0);
		outb(&rig->b, 0x3f5, 0);
		outb(&rig->b, 0x3f5, (uint8_t)(1 + (random >> 24) % 9));
		outb(&rig->b, 0x3f5, 2);
	}
	fdc_bytes(rig, random >> 28 & 7);
}

static const struct subject_region fdc_regions[] = {
	{ .base = 0x3f0, .length = 6, .size = 1 },
	{ .base = 0x3f5, .length = 1, .size = 1 },
	{ .base = 0x3f7, .length = 1, .size = 1 },
	{ .base = 0x00, .length = 16, .size = 1 },
};

/* ---- All --------------------------------------------------------------- */

#define SUBJECT(id, type, input_fn, ...)                                       \
	{                                                                      \
		.name = #id, .size = sizeof(type), .build = id##_build,        \
		.regions = id##_regions,                                       \
		.region_count = ARRAY_SIZE(id##_regions), .input = (input_fn), \
		__VA_ARGS__                                                    \
	}

static const struct subject subjects[] = {
	SUBJECT(pic, struct pic, pic_input),
	SUBJECT(pit, struct pit, NULL, .step_shift = 8),
	SUBJECT(rtc, struct rtc, rtc_input),
	SUBJECT(hpet, struct hpet, hpet_input, .step_shift = 8),
	SUBJECT(ioapic, struct ioapic, ioapic_input),
	SUBJECT(i8042, struct i8042, i8042_input),
	SUBJECT(uart, struct uart, uart_input),
	SUBJECT(fw_cfg, struct fw_cfg_model, fw_cfg_input),
	SUBJECT(debug, struct debug_ports, NULL),
	SUBJECT(parallel, struct parallel_model, parallel_input,
		.copy = parallel_copy),
	SUBJECT(vmware, struct vmware_model, vmware_input),
	SUBJECT(test, struct test_device, NULL,
		.memory_size = TEST_DEVICE_MEMORY),
	SUBJECT(pflash, struct pflash, pflash_input, .memory_size = FLASH_SIZE),
	SUBJECT(dma, struct dma_model, dma_input, .memory_size = DMA_MEMORY),
	SUBJECT(fdc, struct fdc_model, fdc_input,
		.memory_size = sizeof(struct fdc_memory), .copy = fdc_copy),
};

/* ---- Fields that contradict each other ---------------------------------- */

static void pit_begun_tomorrow(void *state)
{
	((struct pit_state *)state)->channel[1].start_tick = BIT(40);
}

static void pit_gate_from_tomorrow(void *state)
{
	((struct pit_state *)state)->channel[2].paused_at = BIT(40);
}

static void pit_late_switch(void *state)
{
	((struct pit_state *)state)->channel[0].switch_tick = BIT(40);
}

static void rtc_begun_tomorrow(void *state)
{
	((struct rtc_state *)state)->base_ns = INT64_MAX;
}

static void rtc_begun_before_all(void *state)
{
	((struct rtc_state *)state)->base_ns = -2 * (int64_t)NSEC_PER_SEC;
}

static void rtc_seen_tomorrow(void *state)
{
	((struct rtc_state *)state)->seen_32k = UINT64_MAX;
}

static void hpet_no_pin(void *state)
{
	((struct hpet_state *)state)->timer[2].pin = 9;
}

static void i8042_half_reply(void *state)
{
	((struct i8042_state *)state)->replies.count = 1;
}

static void i8042_long_pause(void *state)
{
	((struct i8042_state *)state)->quiet_until_ns = CLOCK_NEVER;
}

static void uart_fifo_without_fifo(void *state)
{
	((struct uart_state *)state)->count = 2;
	((struct uart_state *)state)->fcr = 0;
}

static void uart_row_without_end(void *state)
{
	((struct uart_state *)state)->row = 3;
	((struct uart_state *)state)->empty_ns = CLOCK_NEVER;
}

static void pflash_buffer_elsewhere(void *state)
{
	((struct pflash_state *)state)->buffer_at = 2 * FLASH_SIZE;
}

static void pflash_buffer_backwards(void *state)
{
	((struct pflash_state *)state)->buffer_from = 2;
	((struct pflash_state *)state)->buffer_to = 1;
}

static void pflash_writes_array(void *state)
{
	((struct pflash_state *)state)->step = PFLASH_PROGRAM;
	((struct pflash_state *)state)->shown = PFLASH_SHOWS_ARRAY;
}

static void parallel_unwanted(void *state)
{
	((struct parallel_state *)state)->control = 0xcc;
	((struct parallel_state *)state)->is_pending = true;
}

static void fdc_steps_without_command(void *state)
{
	((struct fdc_state *)state)->step = FDC_STEP_READ;
}

static void fdc_no_step(void *state)
{
	((struct fdc_state *)state)->phase = FDC_PHASE_EXECUTION;
	((struct fdc_state *)state)->step_ns = 1;
}

static void fdc_data_without_end(void *state)
{
	((struct fdc_state *)state)->phase = FDC_PHASE_EXECUTION;
	((struct fdc_state *)state)->pio = FDC_PIO_IN;
}

static void fdc_no_result(void *state)
{
	((struct fdc_state *)state)->phase = FDC_PHASE_RESULT;
}

static void fdc_command_too_long(void *state)
{
	((struct fdc_state *)state)->command_position = 3;
	((struct fdc_state *)state)->command_length = 2;
}

static void test_contradictions(void **unused)
{
	static const struct contradiction rows[] = {
		{ "pit", pit_begun_tomorrow },
		{ "pit", pit_gate_from_tomorrow },
		{ "pit", pit_late_switch },
		{ "rtc", rtc_begun_tomorrow },
		{ "rtc", rtc_begun_before_all },
		{ "rtc", rtc_seen_tomorrow },
		{ "hpet", hpet_no_pin },
		{ "i8042", i8042_half_reply },
		{ "i8042", i8042_long_pause },
		{ "uart", uart_fifo_without_fifo },
		{ "uart", uart_row_without_end },
		{ "parallel", parallel_unwanted },
		{ "pflash", pflash_buffer_elsewhere },
		{ "pflash", pflash_buffer_backwards },
		{ "pflash", pflash_writes_array },
		{ "fdc", fdc_steps_without_command },
		{ "fdc", fdc_no_step },
		{ "fdc", fdc_data_without_end },
		{ "fdc", fdc_no_result },
		{ "fdc", fdc_command_too_long },
	};

	(void)unused;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_contradictions),
	};

	return subjects_run("state_devices", subjects, ARRAY_SIZE(subjects),
			    own, ARRAY_SIZE(own));
}
