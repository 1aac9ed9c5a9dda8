/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer over the whole board: ports, memory, string I/O, time, user
 * input, disk completions and resets in any order.  Whatever a guest does,
 * the devices stay within their memory and come back.
 *
 * The input is a program of records: an opcode byte and its operands.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/pc.h"

#define RAM_SIZE  MIB(20) /* there is some behind the hole */
#define VRAM_SIZE MIB(1)
#define ROM_SIZE  KIB(128)
#define DISKS	  2
#define SECTORS	  4096
#define PENDING	  8
#define BULK_MAX  600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fuzz {
	struct pc pc;
	struct machine_config config;
	struct clock clock;
	uint64_t now_ns;
	uint8_t *window;
	uint8_t bios[ROM_SIZE];
	uint8_t vgabios[KIB(40)];
	struct block_backend disk[DISKS];
	bool is_deferred; /* disks complete when told */
	struct block_request *pending[PENDING];
	unsigned pending_count;
	const uint8_t *at, *end;
} fuzz;

/* ---- Input ------------------------------------------------------------- */

static uint32_t take(unsigned bytes)
{
	uint32_t value = 0;

	while (bytes-- && fuzz.at < fuzz.end)
		value = value << 8 | *fuzz.at++;
	return value;
}

/* ---- What the board wants ---------------------------------------------- */

static uint64_t now_ns(void *ctx)
{
	(void)ctx;
	return fuzz.now_ns;
}

static void set_intr(void *ctx, bool level)
{
	(void)ctx;
	(void)level;
}

static bool send_msi(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	(void)data;
	return true;
}

/* What the gate would refuse must not be asked for. */
static void map(void *ctx, gpa_t gpa, uint64_t length, uint64_t offset,
		enum gate_map kind)
{
	const uint64_t all = RAM_SIZE + VRAM_SIZE + ROM_SIZE;

	(void)ctx;
	if (!IS_ALIGNED(gpa | length | offset, PAGE_SIZE) ||
	    gpa + length > 1ULL << 46)
		abort();
	if (kind != GATE_MAP_NONE && (length > all || offset > all - length))
		abort();
	/* Video memory never shadows RAM. */
	if (offset == RAM_SIZE && gpa < RAM_SIZE)
		abort();
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static void debug_exit(void *ctx, uint32_t code)
{
	(void)ctx;
	(void)code;
}

static size_t text_read(void *ctx, void *data, size_t size)
{
	(void)ctx;
	memset(data, 'a', size);
	return size;
}

/* The far end has room for every other byte. */
static bool printer_write(void *ctx, uint8_t byte)
{
	(void)ctx;
	return byte & 1;
}

/* Of the host: whatever the fuzzer says. */
static uint32_t port_read(void *ctx, uint16_t port, unsigned size)
{
	(void)ctx;
	if (port < 0x200 || port + size > 0x208)
		__builtin_trap();
	return take(size);
}

static void port_write(void *ctx, uint16_t port, unsigned size, uint32_t value)
{
	(void)ctx;
	(void)value;
	if (port < 0x200 || port + size > 0x208)
		__builtin_trap();
}

static void text_write(void *ctx, const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;

	(void)ctx;
	while (length--)
		sum ^= *bytes++;
	*(volatile uint8_t *)&sum = sum;
}

static void log_text(void *ctx, enum device_log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static const struct board_host_ops ops = {
	.set_intr = set_intr,
	.send_msi = send_msi,
	.map = map,
	.reset = nothing,
	.power_off = nothing,
	.debug_exit = debug_exit,
	.serial_write = text_write,
	.serial_read = text_read,
	.printer_write = printer_write,
	.port_read = port_read,
	.port_write = port_write,
	.debug_write = text_write,
	.e9_write = text_write,
	.log = log_text,
};

/* ---- Disks ------------------------------------------------------------- */

static void complete(struct block_request *request, int status)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < request->segment_count; i++) {
		const struct block_segment *s = &request->segment[i];

		if (request->op == BLOCK_READ)
			memset(s->host, (int)(request->sector + i), s->length);
		else
			text_write(NULL, s->host, s->length);
		bytes += s->length;
	}
	if (request->op != BLOCK_FLUSH &&
	    (request->sector >= SECTORS ||
	     bytes > (SECTORS - request->sector) * BLOCK_SECTOR))
		abort();
	request->done(request->dev, request, status);
}

static void submit(void *ctx, struct block_request *request)
{
	(void)ctx;
	if (fuzz.is_deferred && fuzz.pending_count < PENDING)
		fuzz.pending[fuzz.pending_count++] = request;
	else
		complete(request, 0);
}

static void complete_one(int status)
{
	struct block_request *request = fuzz.pending[0];

	if (!fuzz.pending_count)
		return;
	fuzz.pending_count--;
	memmove(&fuzz.pending[0], &fuzz.pending[1],
		fuzz.pending_count * sizeof(fuzz.pending[0]));
	complete(request, status);
}

/* ---- Operations -------------------------------------------------------- */

static uint16_t take_port(void)
{
	static const uint16_t bases[] = {
		0x20,  0x40,  0x60,   0x64,  0x70,  0x80,  0x92,  0xa0,
		0xb2,  0x170, 0x376,  0x1f0, 0x3f6, 0x1ce, 0x3c0, 0x3d0,
		0x3f8, 0x402, 0x4d0,  0x510, 0x514, 0x600, 0x700, 0xafe0,
		0xcf8, 0xcfc, 0xc000, 0xf4,  0x61,  0xe9,  0x3b0, 0xc008,
	};
	uint32_t value = take(1);

	return (uint16_t)(bases[value % ARRAY_SIZE(bases)] + (value >> 5));
}

static gpa_t take_gpa(void)
{
	static const gpa_t bases[] = {
		0xa0000,    0xb8000,	0xc0000,    0xf0000,
		0xfec00000, 0xfed00000, 0xfee00000, 0xfffffff0,
		0xe0000000, 0xfebf0000, 0xffffffff, 0x400000,
	};
	uint32_t value = take(3);

	return bases[value % ARRAY_SIZE(bases)] + (value >> 4 & 0xffff);
}

static void port_access(uint8_t op)
{
	struct io_access io = { .offset = take_port(),
				.size = (uint8_t)(1U << (op >> 4 & 3) % 3),
				.is_write = op & 0x40 };

	io.data = io.is_write ? take(io.size) : 0;
	pc_port_access(&fuzz.pc, &io);
}

static void memory_access(uint8_t op)
{
	struct io_access io = { .offset = take_gpa(),
				.size = (uint8_t)(1U << (op >> 4 & 3)),
				.is_write = op & 0x40 };

	io.data = io.is_write ? take(4) : 0;
	pc_mmio_access(&fuzz.pc, &io);
}

static void bulk_access(uint8_t op)
{
	struct io_access io = { .offset = take_port(),
				.size = (uint8_t)(1U << (op >> 4 & 3) % 3),
				.is_write = op & 0x40 };
	uint32_t count = take(2) % BULK_MAX;
	uint8_t *buffer = malloc((size_t)count * io.size + 1);

	memset(buffer, op, (size_t)count * io.size + 1);
	(void)pc_port_bulk(&fuzz.pc, &io, buffer, count);
	free(buffer);
}

/* A configuration write in one record, so that BARs get set. */
static void config_write(void)
{
	static const uint8_t devfns[] = { 0, 8, 9, 11, 16 };
	uint32_t where = take(2);

	pci_config_write(&fuzz.pc.pci, devfns[(where >> 8) % 5], where & 0xfc,
			 4, take(4));
}

static void step_time(uint8_t op)
{
	fuzz.now_ns += (uint64_t)take(2) << (op >> 4 & 15);
	clock_run(&fuzz.clock);
}

static void user_input(void)
{
	uint32_t value = take(2);

	switch (value >> 14) {
	case 0:
		i8042_key(&fuzz.pc.i8042, value & 0x3ff, value & 0x400);
		break;
	case 1:
		i8042_mouse(&fuzz.pc.i8042, (int)take(4), (int)take(4),
			    (int8_t)value, (uint8_t)value);
		break;
	case 2:
		pc_console_input(&fuzz.pc);
		break;
	default:
		uart_receive_break(&fuzz.pc.com1);
	}
}

static void look_up(void)
{
	gpa_t gpa = take_gpa();
	uint32_t length = take(2) + 1;
	uint8_t *host = pc_ram_at(&fuzz.pc, gpa, length, false);

	if (host)
		text_write(NULL, host, length);
	host = pc_ram_at(&fuzz.pc, gpa, length, true);
	if (host)
		memset(host, 0x5a, length);
}

static void picture(void)
{
	static uint8_t rgb[3 * 640 * 480];
	static struct vga_text text;
	unsigned width, height;
	int error;

	vga_size(&fuzz.pc.vga, &width, &height);
	if ((uint64_t)width * height * 3 <= sizeof(rgb))
		error = vga_render(&fuzz.pc.vga, rgb, sizeof(rgb));
	else
		error = vga_text_get(&fuzz.pc.vga, &text, false);
	(void)error;
}

static void step(void)
{
	uint8_t op = (uint8_t)take(1);

	switch (op & 15) {
	case 0 ... 4:
		port_access(op);
		break;
	case 5:
	case 6:
		memory_access(op);
		break;
	case 7:
		bulk_access(op);
		break;
	case 8:
		config_write();
		break;
	case 9:
		step_time(op);
		break;
	case 10:
		user_input();
		break;
	case 11:
		complete_one(op & 0x10 ? -5 : 0);
		break;
	case 12:
		(void)pc_intack(&fuzz.pc);
		pc_ioapic_eoi(&fuzz.pc, (uint8_t)take(1));
		break;
	case 13:
		look_up();
		break;
	case 14:
		picture();
		break;
	default:
		if (op & 0x10)
			fuzz.is_deferred = !fuzz.is_deferred;
		else
			pc_reset(&fuzz.pc);
	}
}

static void build(uint8_t quirks)
{
	struct block_backend *disks[DISKS];
	unsigned i;

	if (!fuzz.window)
		fuzz.window = calloc(1, RAM_SIZE + VRAM_SIZE + ROM_SIZE);
	fuzz.config = (struct machine_config){
		.vcpu_count = 2,
		.ram_size = RAM_SIZE,
		.vram_size = VRAM_SIZE,
		.rom_size = ROM_SIZE,
		.disk_count = DISKS,
		.disk = { { .sector_count = SECTORS, .bus = MACHINE_DISK_IDE },
			  { .sector_count = SECTORS,
			    .bus = MACHINE_DISK_IDE,
			    .unit = 2,
			    .is_cdrom = true,
			    .is_read_only = true } },
		.blob_count = 2,
		.blob = { { .kind = MACHINE_BLOB_BIOS,
			    .va = (uint64_t)fuzz.bios,
			    .size = sizeof(fuzz.bios) },
			  { .kind = MACHINE_BLOB_VGABIOS,
			    .va = (uint64_t)fuzz.vgabios,
			    .size = sizeof(fuzz.vgabios) } },
		.ports = { { 0x200, 8 } },
		.devices = MACHINE_DEVICE_DEBUG_EXIT |
			   MACHINE_DEVICE_PARALLEL0 |
			   MACHINE_DEVICE_DEBUG_CONSOLE |
			   (quirks & 1 ? MACHINE_DEVICE_NO_ACPI : 0) |
			   (quirks & 2 ? MACHINE_DEVICE_HOLE : 0),
	};
	for (i = 0; i < DISKS; i++) {
		fuzz.disk[i] = (struct block_backend){
			.submit = submit,
			.sector_count = SECTORS,
			.is_read_only = i == 1,
		};
		disks[i] = &fuzz.disk[i];
	}
	memset(&fuzz.pc, 0, sizeof(fuzz.pc));
	fuzz.now_ns = 0;
	fuzz.pending_count = 0;
	fuzz.is_deferred = false;
	fuzz.clock = (struct clock){ .now_ns = now_ns };
	const struct board_config config = {
		.machine = &fuzz.config,
		.physical_bits = 40,
		.window = fuzz.window,
		.disks = disks,
		.clock = &fuzz.clock,
		.ops = &ops,
	};

	if (pc_init(&fuzz.pc, &config))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz.at = data;
	fuzz.end = data + size;
	build(size ? data[size - 1] : 0);
	while (fuzz.at < fuzz.end)
		step();
	while (fuzz.pending_count)
		complete_one(0);
	return 0;
}
