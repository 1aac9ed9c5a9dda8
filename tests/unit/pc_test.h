/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pc on a bench: all that it wants of the world, and ways at it. */
#ifndef BULKHEAD_TESTS_UNIT_PC_TEST_H
#define BULKHEAD_TESTS_UNIT_PC_TEST_H

#include "tests/unit/device_test.h"

#include <stdlib.h>

#include "devices/state.h"
#include "include/errno.h"
#include "machine/msr_table.h"
#include "machine/pc.h"

#ifndef RAM
#define RAM MIB(16)
#endif
#define VRAM MIB(1)
#define ROM  MIB(2)
#define BIOS KIB(256)
#ifndef MAPS
#define MAPS (4096 * 1024 / 4096) /* pages below 4 MiB that are watched */
#endif

static struct {
	struct clock clock;
	uint64_t now_ns;
	struct machine_config config;
	struct block_backend disk[4], medium[4];
	struct pc *pc;
	uint8_t *window;
	uint8_t *bios;
	/* What guest-physical pages below 4 MiB show. */
	enum gate_map kind[MAPS];
	bool is_hole_shown; /* RAM was, ever, between 15 and 16 MiB */
	gpa_t module_gpa;   /* of the last GATE_MAP_MODULE */
	uint64_t offset[MAPS];
	uint64_t vram_gpa;
	bool intr;
	unsigned messages;
	uint32_t message;
	unsigned resets, power_offs, remaps;
	char serial[64], debug[64], e9[64], logged[256];
	struct cpu_msrs msrs;  /* of the machine, not the board's */
	unsigned typed, taken; /* bytes of input there are, that were read */
	char serial1[64];
	char printed[16];
	bool is_printer_full;
	/* The host's ports: what was last asked, and the answer. */
	uint16_t host_port;
	unsigned host_size, host_accesses;
	uint32_t host_value;
	uint64_t gpr[X86_GPR_COUNT];
	char typed1[8]; /* for COM2, not read yet */
} bench;

static __maybe_unused uint64_t now(void *ctx)
{
	(void)ctx;
	return bench.now_ns;
}

static __maybe_unused void set_intr(void *ctx, bool level)
{
	(void)ctx;
	bench.intr = level;
}

static __maybe_unused bool send_msi(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	bench.messages++;
	bench.message = data;
	return true;
}

static __maybe_unused void map(void *ctx, gpa_t gpa, uint64_t length,
			       uint64_t offset, enum gate_map kind)
{
	(void)ctx;
	assert_true(IS_ALIGNED(gpa | length | offset, PAGE_SIZE));
	if (kind == GATE_MAP_MODULE)
		bench.module_gpa = gpa;
	else if (kind != GATE_MAP_NONE)
		assert_true(offset + length <= RAM + VRAM + ROM);
	if (kind == GATE_MAP_RAM && gpa < MIB(16) && gpa + length > MIB(15))
		bench.is_hole_shown = true;
	if (offset == RAM && length == VRAM)
		bench.vram_gpa = kind == GATE_MAP_RAM ? gpa : 0;
	for (; length; length -= PAGE_SIZE) {
		if (gpa / PAGE_SIZE < MAPS) {
			bench.kind[gpa / PAGE_SIZE] = kind;
			bench.offset[gpa / PAGE_SIZE] = offset;
		}
		gpa += PAGE_SIZE;
		offset += PAGE_SIZE;
	}
}

static __maybe_unused void reset(void *ctx)
{
	(void)ctx;
	bench.resets++;
}

static __maybe_unused void power_off(void *ctx)
{
	(void)ctx;
	bench.power_offs++;
}

static __maybe_unused void append(char *to, size_t size, const void *data,
				  size_t length)
{
	size_t used = strlen(to);

	assert_true(used + length < size);
	memcpy(to + used, data, length);
}

static __maybe_unused void serial_write(void *ctx, const void *data,
					size_t length)
{
	(void)ctx;
	append(bench.serial, sizeof(bench.serial), data, length);
}

static __maybe_unused size_t serial_read(void *ctx, void *data, size_t size)
{
	size_t count = MIN(size, bench.typed - bench.taken);

	(void)ctx;
	for (size_t i = 0; i < count; i++)
		((uint8_t *)data)[i] = (uint8_t)bench.taken++;
	return count;
}

static __maybe_unused void serial1_write(void *ctx, const void *data,
					 size_t length)
{
	(void)ctx;
	append(bench.serial1, sizeof(bench.serial1), data, length);
}

static __maybe_unused size_t serial1_read(void *ctx, void *data, size_t size)
{
	size_t count = MIN(size, strlen(bench.typed1));

	(void)ctx;
	memcpy(data, bench.typed1, count);
	memmove(bench.typed1, bench.typed1 + count,
		sizeof(bench.typed1) - count);
	return count;
}

static __maybe_unused bool printer_write(void *ctx, uint8_t byte)
{
	(void)ctx;
	if (!bench.is_printer_full)
		append(bench.printed, sizeof(bench.printed), &byte, 1);
	return !bench.is_printer_full;
}

static __maybe_unused uint32_t port_read(void *ctx, uint16_t port,
					 unsigned size)
{
	(void)ctx;
	bench.host_port = port;
	bench.host_size = size;
	bench.host_accesses++;
	return bench.host_value;
}

static __maybe_unused void port_write(void *ctx, uint16_t port, unsigned size,
				      uint32_t value)
{
	(void)port_read(ctx, port, size);
	bench.host_value = value;
}

static __maybe_unused void debug_write(void *ctx, const void *data,
				       size_t length)
{
	(void)ctx;
	append(bench.debug, sizeof(bench.debug), data, length);
}

static __maybe_unused void e9_write(void *ctx, const void *data, size_t length)
{
	(void)ctx;
	append(bench.e9, sizeof(bench.e9), data, length);
}

static __maybe_unused void log_text(void *ctx, enum device_log_level level,
				    const char *text)
{
	(void)ctx;
	(void)level;
	snprintf(bench.logged, sizeof(bench.logged), "%s", text);
}

static __maybe_unused uint64_t *registers(void *ctx)
{
	(void)ctx;
	return bench.gpr;
}

static const struct board_host_ops ops = {
	.set_intr = set_intr,
	.send_msi = send_msi,
	.map = map,
	.reset = reset,
	.power_off = power_off,
	.serial_write = serial_write,
	.serial_read = serial_read,
	.serial1_write = serial1_write,
	.serial1_read = serial1_read,
	.printer_write = printer_write,
	.port_read = port_read,
	.port_write = port_write,
	.debug_write = debug_write,
	.e9_write = e9_write,
	.log = log_text,
	.registers = registers,
};

static __maybe_unused void net_attach(void *ctx,
				      const struct net_device *device)
{
	(void)ctx;
	(void)device;
}

static __maybe_unused const void *net_receive(void *ctx, uint32_t *length)
{
	(void)ctx;
	(void)length;
	return NULL;
}

/* Of a board that is zeroed. */
static __maybe_unused int board_build(void)
{
	struct block_backend *disks[4] = { &bench.disk[0], &bench.disk[1],
					   &bench.disk[2], &bench.disk[3] };
	static struct block_backend *const media[4] = { &bench.medium[0],
							&bench.medium[1],
							&bench.medium[2],
							&bench.medium[3] };
	struct device *const devices[] = { &bench.msrs.device };
	static struct net_backend net = { .attach = net_attach,
					  .receive = net_receive };
	struct net_backend *nics[MACHINE_NICS_MAX] = { &net, &net };

	const struct board_config config = {
		.machine = &bench.config,
		.physical_bits = 40,
		.window = bench.window,
		.disks = disks,
		.media = media,
		.nics = nics,
		.devices = devices,
		.device_count = ARRAY_SIZE(devices),
		.clock = &bench.clock,
		.ops = &ops,
	};

	cpu_msrs_init(&bench.msrs, true, 40);
	return pc_init(bench.pc, &config);
}

static __maybe_unused int init(void)
{
	memset(bench.pc, 0, sizeof(*bench.pc));
	return board_build();
}

static __maybe_unused int prepare(void **state)
{
	unsigned i;

	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.pc = calloc(1, sizeof(*bench.pc));
	bench.window = calloc(1, RAM + VRAM + ROM);
	bench.bios = calloc(1, BIOS);
	for (i = 0; i < BIOS; i += 4096)
		bench.bios[i] = (uint8_t)(i / 4096);
	bench.clock.now_ns = now;
	bench.config = (struct machine_config){
		.vcpu_count = 3,
		.ram_size = RAM,
		.vram_size = VRAM,
		.rom_size = ROM,
		.blob_count = 1,
		.devices = MACHINE_DEVICE_DEBUG_CONSOLE,
		.blob = { { .kind = MACHINE_BLOB_BIOS,
			    .va = (uint64_t)bench.bios,
			    .size = BIOS } },
	};
	return 0;
}

static __maybe_unused int setup(void **state)
{
	(void)prepare(state);
	assert_int_equal(init(), 0);
	return 0;
}

static __maybe_unused int teardown(void **state)
{
	(void)state;
	free(bench.pc);
	free(bench.window);
	free(bench.bios);
	return 0;
}

static __maybe_unused uint32_t in(uint16_t port, unsigned size)
{
	struct io_access io = { .offset = port, .size = (uint8_t)size };

	pc_port_access(bench.pc, &io);
	return (uint32_t)io.data;
}

static __maybe_unused void out(uint16_t port, uint32_t data, unsigned size)
{
	struct io_access io = { .offset = port,
				.size = (uint8_t)size,
				.data = data,
				.is_write = true };

	pc_port_access(bench.pc, &io);
}

static __maybe_unused uint64_t load(gpa_t gpa, unsigned size)
{
	struct io_access io = { .offset = gpa, .size = (uint8_t)size };

	pc_mmio_access(bench.pc, &io);
	return io.data;
}

static __maybe_unused void store(gpa_t gpa, uint64_t data, unsigned size)
{
	struct io_access io = { .offset = gpa,
				.size = (uint8_t)size,
				.data = data,
				.is_write = true };

	pc_mmio_access(bench.pc, &io);
}

static __maybe_unused void config(unsigned slot, unsigned offset, uint32_t data,
				  unsigned size)
{
	out(0xcf8, 0x80000000 | slot << 11 | (offset & 0xfc), 4);
	out((uint16_t)(0xcfc + (offset & 3)), data, size);
}

static __maybe_unused uint8_t cmos(uint8_t index)
{
	out(0x70, index, 1);
	return (uint8_t)in(0x71, 1);
}

static __maybe_unused enum gate_map kind(gpa_t gpa)
{
	return bench.kind[gpa / PAGE_SIZE];
}

static __maybe_unused uint64_t offset(gpa_t gpa)
{
	return bench.offset[gpa / PAGE_SIZE];
}

#endif
