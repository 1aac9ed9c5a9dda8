/* SPDX-License-Identifier: BSD-2-Clause */
/* The board pv: what is there and what is not, its power, and how it starts. */
#include "tests/unit/device_test.h"

#include <stdlib.h>

#include "include/errno.h"
#include "include/face.h"
#include "machine/pv.h"

#define RAM MIB(16)

static struct {
	struct clock clock;
	uint64_t now_ns;
	struct machine_config config;
	struct pv *pv;
	uint8_t *window;
	gpa_t mapped[4];
	uint64_t mapped_size[4], mapped_offset[4];
	unsigned maps, messages, resets, power_offs;
	uint32_t message, code;
	char serial[16], logged[256];
} bench;

static uint64_t now(void *ctx)
{
	(void)ctx;
	return bench.now_ns;
}

static void now_set(void *ctx, uint64_t now_ns)
{
	(void)ctx;
	bench.now_ns = now_ns;
}

static bool send_msi(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	bench.messages++;
	bench.message = data;
	return true;
}

static void map(void *ctx, gpa_t gpa, uint64_t length, uint64_t offset,
		enum gate_map kind)
{
	(void)ctx;
	assert_int_equal(kind, GATE_MAP_RAM);
	assert_true(bench.maps < ARRAY_SIZE(bench.mapped));
	bench.mapped[bench.maps] = gpa;
	bench.mapped_size[bench.maps] = length;
	bench.mapped_offset[bench.maps++] = offset;
}

static void reset(void *ctx)
{
	(void)ctx;
	bench.resets++;
}

static void power_off(void *ctx)
{
	(void)ctx;
	bench.power_offs++;
}

static void debug_exit(void *ctx, uint32_t code)
{
	(void)ctx;
	bench.code = code;
}

static void serial_write(void *ctx, const void *data, size_t length)
{
	size_t used = strlen(bench.serial);

	(void)ctx;
	assert_true(used + length < sizeof(bench.serial));
	memcpy(bench.serial + used, data, length);
}

static void log_text(void *ctx, enum device_log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	snprintf(bench.logged, sizeof(bench.logged), "%s", text);
}

static const struct board_host_ops ops = {
	.send_msi = send_msi,
	.map = map,
	.reset = reset,
	.power_off = power_off,
	.debug_exit = debug_exit,
	.serial_write = serial_write,
	.log = log_text,
};

static int init(void)
{
	const struct board_config config = {
		.machine = &bench.config,
		.physical_bits = 40,
		.window = bench.window,
		.clock = &bench.clock,
		.ops = &ops,
	};

	bench.maps = 0;
	memset(bench.pv, 0, sizeof(*bench.pv));
	return pv_board_ops.init(bench.pv, &config);
}

static int prepare(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.pv = calloc(1, sizeof(*bench.pv));
	bench.window = calloc(1, RAM);
	bench.clock.now_ns = now;
	bench.clock.now_set = now_set;
	bench.config = (struct machine_config){
		.board = MACHINE_BOARD_PV,
		.vcpu_count = 3,
		.ram_size = RAM,
		.devices = MACHINE_DEVICE_KVM,
	};
	return 0;
}

static int setup(void **state)
{
	(void)prepare(state);
	assert_int_equal(init(), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(bench.pv);
	free(bench.window);
	return 0;
}

static uint32_t in(uint16_t port, unsigned size)
{
	struct io_access io = { .offset = port, .size = (uint8_t)size };

	pv_board_ops.port_access(bench.pv, &io);
	return (uint32_t)io.data;
}

static void out(uint16_t port, uint32_t data, unsigned size)
{
	struct io_access io = { .offset = port,
				.size = (uint8_t)size,
				.data = data,
				.is_write = true };

	pv_board_ops.port_access(bench.pv, &io);
}

static void store(gpa_t gpa, uint32_t value)
{
	struct io_access io = {
		.offset = gpa, .size = 4, .data = value, .is_write = true
	};

	pv_board_ops.mmio_access(bench.pv, &io);
}

/* Edge- or level-triggered, to vector 0x30 + pin. */
static void unmask(unsigned pin, uint32_t level)
{
	store(IOAPIC_BASE, 0x10 + 2 * pin);
	store(IOAPIC_BASE + 0x10, level | (0x30 + pin));
}

/* ---- What is there --------------------------------------------------------
 */

static bool is_expected(unsigned port)
{
	return (port >= 0xcf8 && port <= 0xcff) ||
	       (port >= 0x600 && port <= 0x603);
}

static void test_ports(void **state)
{
	(void)state;
	for (unsigned port = 0; port < BUS_PORTS; port++)
		if (bus_is_claimed(&bench.pv->ports, port) != is_expected(port))
			fail_msg("port %x", port);
}

static void test_ports_wanted(void **state)
{
	(void)prepare(state);
	bench.config.devices |=
		MACHINE_DEVICE_SERIAL0 | MACHINE_DEVICE_DEBUG_EXIT;
	assert_int_equal(init(), 0);
	out(0x3f8, 'x', 1);
	assert_string_equal(bench.serial, "x");
	out(0xf4, 7, 1);
	assert_int_equal(bench.code, 7);
	/* Its interrupt is at pin 4: the transmitter is empty. */
	unmask(BOARD_PV_PIN_COM1, 0);
	out(0x3f9, 2, 1);
	assert_int_equal(bench.messages, 1);
	assert_int_equal(bench.message & 0xff, 0x30 + BOARD_PV_PIN_COM1);
}

static void test_pci(void **state)
{
	(void)state;
	out(0xcfb, 1, 1);
	out(0xcf8, 0x80000000, 4);
	assert_int_equal(in(0xcf8, 4), 0x80000000);
	assert_int_equal(in(0xcfc, 4), 0x00081b36);
	out(0xcf8, 0x80000008, 4);
	assert_int_equal(in(0xcfe, 2), 0x0600);
	for (unsigned devfn = 1; devfn < 256; devfn++) {
		out(0xcf8, 0x80000000 | devfn << 8, 4);
		if (devfn == PCI_DEVFN(VIRTIO_SLOT_CONSOLE, 0))
			assert_int_equal(in(0xcfc, 4), 0x10431af4);
		else
			assert_int_equal(in(0xcfc, 4), UINT32_MAX);
	}
}

static void test_memory(void **state)
{
	struct board_region region[BOARD_REGIONS_MAX];

	(void)state;
	assert_int_equal(bench.maps, 1);
	assert_int_equal(bench.mapped[0], 0);
	assert_int_equal(bench.mapped_size[0], RAM);
	assert_ptr_equal(pv_board_ops.ram_at(bench.pv, 0xa0000, 4, true),
			 bench.window + 0xa0000);
	assert_null(pv_board_ops.ram_at(bench.pv, RAM - 2, 4, false));
	assert_int_equal(pv_board_ops.regions(bench.pv, region), 1);
	assert_int_equal(region[0].size, RAM);
	/* Above 3 GiB it goes on at 4 GiB.  Nothing of it is touched here. */
	bench.config.ram_size = GIB(5);
	assert_int_equal(init(), 0);
	assert_int_equal(bench.maps, 2);
	assert_int_equal(bench.mapped_size[0], GIB(3));
	assert_int_equal(bench.mapped[1], GIB(4));
	assert_int_equal(bench.mapped_size[1], GIB(2));
	assert_int_equal(bench.mapped_offset[1], GIB(3));
}

static void test_bounds(void **state)
{
	(void)prepare(state);
	bench.config.vcpu_count = BOARD_VCPUS_MAX + 1;
	assert_int_equal(init(), -EINVAL);
	bench.config.vcpu_count = 1;
	bench.config.ram_size = MIB(1);
	assert_int_equal(init(), -EINVAL);
}

/* ---- Power ----------------------------------------------------------------
 */

static void test_off(void **state)
{
	(void)state;
	out(0x600, 0x14, 1); /* type 5, not enabled */
	out(0x600, 0x2c, 1); /* type 3 */
	out(0x601, 0x34, 1);
	assert_int_equal(bench.power_offs, 0);
	out(0x600, 0x34, 1);
	assert_int_equal(bench.power_offs, 1);
	out(0x602, 0, 1);
	assert_int_equal(bench.resets, 0);
	out(0x602, 1, 1);
	assert_int_equal(bench.resets, 1);
}

static void test_button(void **state)
{
	(void)state;
	unmask(BOARD_PV_PIN_EVENTS, BIT(15));
	assert_int_equal(in(0x603, 1), 0);
	assert_int_equal(
		pv_board_ops.command(bench.pv, FACE_POWER_BUTTON, 0, NULL), 0);
	assert_int_equal(bench.messages, 1);
	assert_int_equal(bench.message & 0xff, 0x30 + BOARD_PV_PIN_EVENTS);
	/* As long as it has not been read it comes again. */
	pv_board_ops.ioapic_eoi(bench.pv, 0x30 + BOARD_PV_PIN_EVENTS);
	assert_int_equal(bench.messages, 2);
	assert_int_equal(in(0x603, 1), 1);
	assert_int_equal(in(0x603, 1), 0);
	pv_board_ops.ioapic_eoi(bench.pv, 0x30 + BOARD_PV_PIN_EVENTS);
	assert_int_equal(bench.messages, 2);
	assert_int_equal(pv_board_ops.command(bench.pv, FACE_EJECT, 0, NULL),
			 -ENODEV);
}

/* A press of before is forgotten, and its line is low. */
static void test_reset(void **state)
{
	(void)state;
	(void)pv_board_ops.command(bench.pv, FACE_POWER_BUTTON, 0, NULL);
	pv_board_ops.reset(bench.pv);
	assert_int_equal(in(0x603, 1), 0);
	unmask(BOARD_PV_PIN_EVENTS, BIT(15));
	assert_int_equal(bench.messages, 0);
}

static void test_saved(void **state)
{
	static uint8_t image[65536], scratch[65536];
	char why[128] = "";
	size_t length;

	(void)state;
	(void)pv_board_ops.command(bench.pv, FACE_POWER_BUTTON, 0, NULL);
	assert_int_equal(device_list_save(&bench.pv->devices, image,
					  sizeof(image), &length),
			 0);
	assert_int_equal(in(0x603, 1), 1);
	assert_true(device_list_scratch(&bench.pv->devices) <= sizeof(scratch));
	unmask(BOARD_PV_PIN_EVENTS, BIT(15));
	assert_int_equal(bench.messages, 0);
	assert_int_equal(device_list_load(&bench.pv->devices, image, length,
					  scratch, why, sizeof(why)),
			 0);
	assert_int_equal(in(0x603, 1), 1);
}

/* ---- Start ----------------------------------------------------------------
 */

#define BZ_SIZE (5 * 512 + 0x300)

/* A bzImage that wants to be at 2 MiB, with a 64-bit entry. */
static void make_bzimage(uint8_t file[BZ_SIZE])
{
	static const struct {
		uint16_t at;
		uint8_t size;
		uint32_t value;
	} fields[] = {
		{ 0x1f1, 1, 4 },
		{ 0x201, 1, 0x6a },
		{ 0x202, 4, 0x53726448 },
		{ 0x206, 2, 0x20f },
		{ 0x211, 1, 1 },
		{ 0x22c, 4, 0x7fffffff },
		{ 0x230, 4, 0x200000 },
		{ 0x234, 1, 1 },
		{ 0x236, 2, 1 },
		{ 0x238, 4, 2047 },
		{ 0x258, 4, (uint32_t)MIB(2) },
		{ 0x260, 4, (uint32_t)MIB(1) },
	};

	memset(file, 0, BZ_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		memcpy(file + fields[i].at, &fields[i].value, fields[i].size);
	memset(file + 5 * 512, 0xcc, 0x300);
}

static void test_boot(void **state)
{
	struct x86_state x = { 0 };
	uint8_t file[BZ_SIZE];
	uint64_t top;

	(void)state;
	make_bzimage(file);
	bench.config.blob[0] =
		(struct machine_blob){ .kind = MACHINE_BLOB_KERNEL,
				       .va = (uint64_t)file,
				       .size = sizeof(file) };
	bench.config.blob_count = 1;
	assert_int_equal(pv_board_ops.boot_state(bench.pv, &x), 0);
	assert_int_equal(x.rip, MIB(2) + 0x200);
	assert_int_equal(x.efer, X86_EFER_LME | X86_EFER_LMA);
	memcpy(&top, bench.window + x.cr3, sizeof(top));
	assert_int_equal(top & 3, 3);
	/* No screen is told of, and ACPI's root pointer is. */
	assert_int_equal(bench.window[x.gpr[X86_RSI] + 6], 0);
	memcpy(&top, bench.window + x.gpr[X86_RSI] + 0x70, sizeof(top));
	assert_memory_equal(bench.window + top, "RSD PTR ", 8);
	/* mov dx, 602h; mov al, 1; out dx, al; hlt */
	assert_memory_equal(bench.window + 0xffff0,
			    "\xba\x02\x06\xb0\x01\xee\xf4", 7);
}

static void test_no_kernel(void **state)
{
	struct x86_state x = { 0 };

	(void)state;
	assert_int_equal(pv_board_ops.boot_state(bench.pv, &x), -EINVAL);
	assert_non_null(strstr(bench.logged, "neither"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports_wanted, NULL,
						teardown),
		cmocka_unit_test_setup_teardown(test_pci, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, NULL, teardown),
		cmocka_unit_test_setup_teardown(test_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_button, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_kernel, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
