/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI, the i440FX host bridge and the PIIX3 ISA bridge. */
#include "tests/unit/device_test.h"

#include "devices/i440fx.h"
#include "devices/pci.h"
#include "devices/piix3.h"
#include "include/errno.h"

struct card {
	struct pci_device pci;
	struct pci_device_state state;
	unsigned accesses;
	uint64_t mapped_base;
	bool is_mapped;
	unsigned written;
	uint8_t rom[0x9000];
};

static struct {
	struct bench b;
	struct pci_bus pci;
	struct i440fx host;
	struct piix3 isa;
	struct card card[2];
	unsigned resets;
	uint32_t readable, writable; /* segments of 16 KiB from 0xc0000 */
	unsigned pam_calls;
} bench;

static void pam_changed(void *ctx, gpa_t base, uint64_t length, bool read_ram,
			bool write_ram)
{
	(void)ctx;
	bench.pam_calls++;
	for (; length; length -= 0x4000, base += 0x4000) {
		uint32_t bit = (uint32_t)BIT((base - 0xc0000) / 0x4000);

		bench.readable &= ~bit;
		bench.writable &= ~bit;
		if (read_ram)
			bench.readable |= bit;
		if (write_ram)
			bench.writable |= bit;
	}
}

static void reset(void *ctx)
{
	(void)ctx;
	bench.resets++;
}

static void card_access(void *dev, struct io_access *io)
{
	struct card *card = dev;

	card->accesses++;
	if (!io->is_write)
		io->data = io->offset;
}

static void card_mapped(struct pci_device *dev, unsigned bar, uint64_t base,
			bool enabled)
{
	struct card *card = container_of(dev, struct card, pci);

	(void)bar;
	card->mapped_base = base;
	card->is_mapped = enabled;
}

static void card_written(struct pci_device *dev, unsigned offset, unsigned size)
{
	struct card *card = container_of(dev, struct card, pci);

	(void)offset;
	(void)size;
	card->written++;
}

static void card_add(struct card *card, uint8_t devfn)
{
	static const struct pci_identity identity = { .name = "card",
						      .vendor = 0x1234,
						      .device = 0x5678,
						      .class = 0x0200,
						      .interrupt_pin = 1 };
	const struct pci_bar bars[] = {
		{ .kind = PCI_BAR_IO,
		  .size = 0x20,
		  .region = { .fn = card_access, .dev = card } },
		{ .kind = PCI_BAR_MEMORY,
		  .size = 0x1000,
		  .region = { .fn = card_access, .dev = card } },
		{ .kind = PCI_BAR_MEMORY_PREFETCH,
		  .size = 0x1000000,
		  .mapped = card_mapped },
	};
	const struct pci_bar wide = { .kind = PCI_BAR_MEMORY_64_PREFETCH,
				      .size = GIB(4),
				      .region = { .fn = card_access,
						  .dev = card } };
	unsigned i;

	pci_device_init(&card->pci, &identity, &card->state);
	for (i = 0; i < 3; i++)
		assert_int_equal(pci_bar_add(&card->pci, i, &bars[i]), 0);
	assert_int_equal(pci_bar_add(&card->pci, 4, &wide), 0);
	for (i = 0; i < sizeof(card->rom); i++)
		card->rom[i] = (uint8_t)(i + devfn - PCI_DEVFN(3, 0));
	assert_int_equal(pci_rom_add(&card->pci, card->rom, sizeof(card->rom)),
			 0);
	card->pci.config_written = card_written;
	assert_int_equal(pci_device_add(&bench.pci, &card->pci, devfn), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	assert_int_equal(
		pci_bus_init(&bench.pci, &bench.b.ports, &bench.b.memory), 0);
	bench.pci.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
	bench.pci.window[1] = (struct pci_window){ GIB(4), GIB(1020) };
	assert_int_equal(
		i440fx_init(&bench.host, &bench.pci, pam_changed, NULL), 0);
	assert_int_equal(
		piix3_init(&bench.isa, &bench.pci,
			   (struct irq_line){ bench_line, &bench.b, 0 }, reset,
			   NULL),
		0);
	card_add(&bench.card[0], PCI_DEVFN(3, 0));
	card_add(&bench.card[1], PCI_DEVFN(4, 0));
	return 0;
}

static void address(unsigned slot, unsigned function, unsigned offset)
{
	bus_out(&bench.b.ports, 0xcf8,
		0x80000000 | slot << 11 | function << 8 | (offset & 0xfc), 4);
}

static uint32_t get(unsigned slot, unsigned offset, unsigned size)
{
	address(slot, 0, offset);
	return (uint32_t)bus_in(&bench.b.ports, 0xcfc + (offset & 3), size);
}

static void set(unsigned slot, unsigned offset, uint32_t value, unsigned size)
{
	address(slot, 0, offset);
	bus_out(&bench.b.ports, 0xcfc + (offset & 3), value, size);
}

static void test_mechanism(void **state)
{
	(void)state;
	assert_int_equal(get(0, 0, 4), 0x12378086);
	assert_int_equal(get(1, 0, 4), 0x70008086);
	assert_int_equal(get(1, 2, 2), 0x7000);
	assert_int_equal(get(1, 1, 1), 0x80);
	assert_int_equal(get(0, 0x2c, 4), 0x11001af4);
	assert_int_equal(get(2, 0, 4), 0xffffffff);
	assert_int_equal(get(2, 0, 2), 0xffff);
	/* The address register reads back, in dwords only. */
	bus_out(&bench.b.ports, 0xcf8, 0xffffffff, 4);
	assert_int_equal(bus_in(&bench.b.ports, 0xcf8, 4), 0x80fffffc);
	bus_out(&bench.b.ports, 0xcfb, 1, 1);
	assert_int_equal(bus_in(&bench.b.ports, 0xcf8, 4), 0x80fffffc);
	assert_int_equal(bus_in(&bench.b.ports, 0xcf8, 2), 0xffff);
	/* Another bus; not enabled. */
	bus_out(&bench.b.ports, 0xcf8, 0x80010000, 4);
	assert_int_equal(bus_in(&bench.b.ports, 0xcfc, 4), 0xffffffff);
	bus_out(&bench.b.ports, 0xcf8, 0, 4);
	assert_int_equal(bus_in(&bench.b.ports, 0xcfc, 4), 0xffffffff);
	/* Identity cannot be written. */
	set(3, 0, 0, 4);
	assert_int_equal(get(3, 0, 4), 0x56781234);
	set(3, 8, 0xffffffff, 4);
	assert_int_equal(get(3, 8, 4), 0x02000000);
	assert_int_equal(get(3, PCI_INTERRUPT_PIN, 1), 1);
	set(3, PCI_INTERRUPT_LINE, 0x0b, 1);
	assert_int_equal(get(3, PCI_INTERRUPT_LINE, 1), 0x0b);
	/* The last bytes, and beyond them. */
	assert_int_equal(get(3, 0xfc, 4), 0);
	assert_int_equal(pci_config_read(&bench.pci, 0x18, 0xfe, 4), ~0U);
	pci_config_write(&bench.pci, 0x18, 0xfe, 4, ~0U);
}

static void test_sizing(void **state)
{
	static const struct {
		unsigned offset;
		uint32_t size, flags;
	} rows[] = {
		{ 0x10, 0xffffffe1, 1 },  { 0x14, 0xfffff000, 0 },
		{ 0x18, 0xff000008, 8 },  { 0x1c, 0, 0 },
		{ 0x20, 0x0000000c, 12 }, { 0x24, 0xffffffff, 0 },
		{ 0x30, 0xffff0001, 0 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(get(3, rows[i].offset, 4), rows[i].flags);
		set(3, rows[i].offset, 0xffffffff, 4);
		assert_int_equal(get(3, rows[i].offset, 4), rows[i].size);
		set(3, rows[i].offset, 0, 4);
		assert_int_equal(get(3, rows[i].offset, 4), rows[i].flags);
	}
}

static void test_mapping(void **state)
{
	struct card *card = &bench.card[0];

	(void)state;
	set(3, 0x10, 0xc000, 4);
	set(3, 0x14, 0xfeb00000, 4);
	set(3, 0x18, 0xfd000000, 4);
	assert_int_equal(bus_in(&bench.b.ports, 0xc004, 1), 0xff);
	set(3, PCI_COMMAND, PCI_COMMAND_IO, 2);
	assert_int_equal(bus_in(&bench.b.ports, 0xc004, 1), 4);
	assert_int_equal(bus_in(&bench.b.memory, 0xfeb00004, 1), 0xff);
	assert_false(card->is_mapped);
	set(3, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
	assert_int_equal(bus_in(&bench.b.memory, 0xfeb00004, 1), 4);
	assert_true(card->is_mapped);
	assert_int_equal(card->mapped_base, 0xfd000000);
	/* Moved while decoding, half by half. */
	set(3, 0x12, 0x0000, 2);
	set(3, 0x10, 0xd001, 2);
	assert_int_equal(bus_in(&bench.b.ports, 0xc004, 1), 0xff);
	assert_int_equal(bus_in(&bench.b.ports, 0xd01f, 1), 0x1f);
	set(3, 0x18, 0xe0000000, 4);
	assert_int_equal(card->mapped_base, 0xe0000000);
	/* Sizing while decoding, and nonsense, map nothing. */
	set(3, 0x10, 0xffffffff, 4);
	set(3, 0x14, 0xffffffff, 4);
	set(3, 0x18, 0xffffffff, 4);
	assert_false(card->is_mapped);
	assert_int_equal(bus_in(&bench.b.ports, 0xd004, 1), 0xff);
	set(3, 0x18, 0x00000000, 4);
	assert_false(card->is_mapped);
	set(3, 0x18, 0x10000000, 4); /* in RAM */
	assert_false(card->is_mapped);
	set(3, 0x18, 0x80000000, 4);
	assert_true(card->is_mapped);
	set(3, PCI_COMMAND, 0, 2);
	assert_false(card->is_mapped);
}

static void test_wide_and_rom(void **state)
{
	(void)state;
	set(3, 0x20, 0, 4);
	set(3, 0x24, 0x20, 4);
	set(3, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(bus_in(&bench.b.memory, 0x2000000010, 1), 0x10);
	set(3, 0x24, 0x400, 4); /* beyond the window */
	assert_int_equal(bus_in(&bench.b.memory, 0x40000000010, 1), 0xff);
	set(3, 0x30, 0xfeb10000, 4);
	assert_int_equal(bus_in(&bench.b.memory, 0xfeb10010, 1), 0xff);
	set(3, 0x30, 0xfeb10001, 4);
	assert_int_equal(bus_in(&bench.b.memory, 0xfeb10010, 1), 0x10);
	set(3, 0x30, 0xfeb10000, 4);
	assert_int_equal(bus_in(&bench.b.memory, 0xfeb10010, 1), 0xff);
}

/* By pointer as on the bus, wherever the BARs are. */
static void test_roms(void **state)
{
	const struct card *one = &bench.card[0], *two = &bench.card[1];
	const uint32_t low = 0xfeb10000, high = 0xfeb80000, end = 0x9000;

	(void)state;
	set(3, 0x30, high | 1, 4);
	set(4, 0x30, low | 1, 4);
	assert_null(pci_rom_at(&bench.pci, high, 1));
	set(3, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	set(4, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_ptr_equal(pci_rom_at(&bench.pci, high, end), one->rom);
	assert_ptr_equal(pci_rom_at(&bench.pci, low, end), two->rom);
	assert_ptr_equal(pci_rom_at(&bench.pci, low + end - 1, 1),
			 two->rom + end - 1);
	assert_null(pci_rom_at(&bench.pci, low - 1, 2));
	assert_null(pci_rom_at(&bench.pci, low + end, 1));
	assert_null(pci_rom_at(&bench.pci, low + end - 1, 2));
	assert_null(pci_rom_at(&bench.pci, high, ~0ULL));
	assert_null(pci_rom_at(&bench.pci, high + end, 1));
	assert_int_equal(bus_in(&bench.b.memory, low + end - 1, 1),
			 two->rom[end - 1]);
	assert_int_equal(bus_in(&bench.b.memory, low + end - 1, 2),
			 two->rom[end - 1]);
	assert_int_equal(bus_in(&bench.b.memory, low + 0xffff, 1), 0);
	bus_out(&bench.b.memory, low, 0x77, 1);
	assert_int_equal(two->rom[0], 8);
	/* One after the other goes. */
	set(3, 0x30, high, 4);
	assert_null(pci_rom_at(&bench.pci, high, 1));
	assert_ptr_equal(pci_rom_at(&bench.pci, low, 1), two->rom);
	set(4, PCI_COMMAND, 0, 2);
	assert_null(pci_rom_at(&bench.pci, low, 1));
	set(3, 0x30, high | 1, 4);
	pci_device_reset(&bench.card[0].pci);
	assert_null(pci_rom_at(&bench.pci, high, 1));
}

static void test_conflict(void **state)
{
	struct card *one = &bench.card[0], *two = &bench.card[1];

	(void)state;
	set(3, 0x10, 0xc000, 4);
	set(3, 0x18, 0x90000000, 4);
	set(4, 0x10, 0xc010 & ~0x1f, 4);
	set(4, 0x18, 0x90000000, 4);
	set(3, PCI_COMMAND, 3, 2);
	set(4, PCI_COMMAND, 3, 2);
	one->accesses = two->accesses = 0;
	(void)bus_in(&bench.b.ports, 0xc000, 1);
	assert_int_equal(one->accesses, 1);
	assert_int_equal(two->accesses, 0);
	assert_true(one->is_mapped);
	assert_false(two->is_mapped);
	/* The first goes: the second takes its place. */
	set(3, 0x10, 0xd000, 4);
	(void)bus_in(&bench.b.ports, 0xc000, 1);
	assert_int_equal(two->accesses, 1);
	set(3, 0x18, 0xa0000000, 4);
	assert_true(two->is_mapped);
	assert_int_equal(one->mapped_base, 0xa0000000);
	/* On top of the configuration ports: not granted. */
	set(4, 0x10, 0xcf8 & ~0x1f, 4);
	assert_int_equal(get(0, 0, 4), 0x12378086);
}

static void test_bad_bars(void **state)
{
	static const struct {
		unsigned index;
		enum pci_bar_kind kind;
		uint64_t size;
	} rows[] = {
		{ 0, PCI_BAR_NONE, 16 },      { 0, PCI_BAR_IO, 2 },
		{ 0, PCI_BAR_IO, 512 },	      { 0, PCI_BAR_MEMORY, 8 },
		{ 0, PCI_BAR_MEMORY, 48 },    { 0, PCI_BAR_MEMORY, GIB(4) },
		{ 5, PCI_BAR_MEMORY_64, 16 }, { 6, PCI_BAR_MEMORY, 1024 },
		{ 6, PCI_BAR_IO, 4096 },      { 7, PCI_BAR_MEMORY, 4096 },
	};
	struct pci_device_state memory = { 0 };
	struct pci_device dev;
	const struct pci_identity id = { .name = "bad" };
	unsigned i;

	(void)state;
	pci_device_init(&dev, &id, &memory);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pci_bar bar = { .kind = rows[i].kind,
					     .size = rows[i].size };

		assert_int_equal(pci_bar_add(&dev, rows[i].index, &bar),
				 -EINVAL);
	}
	assert_int_equal(pci_device_add(&bench.pci, &dev, 0), -EEXIST);
}

static void test_intx(void **state)
{
	struct pci_device *one = &bench.card[0].pci, *two = &bench.card[1].pci;

	(void)state;
	pci_intx_set(one, true);
	assert_int_equal(bench.b.level, 0); /* not routed */
	assert_int_equal(get(3, PCI_STATUS, 2) & 8, 8);
	set(1, 0x60, 0x0b0b0a0a, 4);
	/* Slot 3 pin A: PIRQC. */
	assert_int_equal(bench.b.level, BIT(11));
	set(1, 0x62, 0x05, 1);
	assert_int_equal(bench.b.level, BIT(5));
	pci_intx_set(two, true); /* slot 4 pin A: PIRQD */
	assert_int_equal(bench.b.level, BIT(5) | BIT(11));
	set(1, 0x62, 0x0b, 1); /* shared */
	assert_int_equal(bench.b.level, BIT(11));
	pci_intx_set(one, false);
	assert_int_equal(bench.b.level, BIT(11));
	/* The device may be told to keep quiet. */
	set(4, PCI_COMMAND, PCI_COMMAND_INTX_OFF, 2);
	assert_int_equal(bench.b.level, 0);
	assert_int_equal(get(4, PCI_STATUS, 2) & 8, 8);
	set(4, PCI_COMMAND, 0, 2);
	assert_int_equal(bench.b.level, BIT(11));
	/* Off, and to interrupts there are none. */
	set(1, 0x63, 0x8b, 1);
	assert_int_equal(bench.b.level, 0);
	set(1, 0x63, 0x00, 1);
	assert_int_equal(bench.b.level, 0);
	set(1, 0x63, 0x0d, 1);
	assert_int_equal(bench.b.level, 0);
	set(1, 0x63, 0x0f, 1);
	assert_int_equal(bench.b.level, BIT(15));
	pci_device_reset(two);
	assert_int_equal(bench.b.level, 0);
}

static void test_device_reset(void **state)
{
	(void)state;
	set(3, 0x14, 0xfeb00000, 4);
	set(3, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(bus_in(&bench.b.memory, 0xfeb00004, 1), 4);
	pci_device_reset(&bench.card[0].pci);
	assert_int_equal(bus_in(&bench.b.memory, 0xfeb00004, 1), 0xff);
	assert_int_equal(get(3, 0x14, 4), 0);
	assert_int_equal(get(3, PCI_COMMAND, 2), 0);
}

static void test_pam(void **state)
{
	unsigned i;

	(void)state;
	set(0, 0x59, 0x30, 1);
	assert_int_equal(bench.readable, 0xf000);
	assert_int_equal(bench.writable, 0xf000);
	for (i = 0; i < 6; i++)
		set(0, 0x5a + i, i & 1 ? 0x12 : 0x21, 1);
	assert_int_equal(bench.readable, 0xf999);
	assert_int_equal(bench.writable, 0xf666);
	/* In one go, and only what changes is told. */
	bench.pam_calls = 0;
	set(0, 0x58, 0x33333000, 4);
	set(0, 0x5c, 0x33333333, 4);
	assert_int_equal(bench.readable, 0xffff);
	assert_int_equal(bench.writable, 0xffff);
	assert_int_equal(bench.pam_calls, 12);
	assert_int_equal(get(0, 0x59, 1), 0x30);
	set(0, 0x59, 0xff, 1);
	assert_int_equal(get(0, 0x59, 1), 0x33);
	i440fx_reset(&bench.host);
	assert_int_equal(bench.readable, 0);
	assert_int_equal(bench.writable, 0);
}

static void test_smram(void **state)
{
	(void)state;
	assert_int_equal(get(0, 0x72, 1), 0x02);
	set(0, 0x72, 0x4a, 1);
	assert_int_equal(get(0, 0x72, 1), 0x4a);
	set(0, 0x72, 0x5a, 1); /* locking closes it */
	assert_int_equal(get(0, 0x72, 1), 0x1a);
	set(0, 0x72, 0x4a, 1);
	assert_int_equal(get(0, 0x72, 1), 0x1a);
	i440fx_reset(&bench.host);
	set(0, 0x72, 0x4a, 1);
	assert_int_equal(get(0, 0x72, 1), 0x4a);
}

static void test_reset_control(void **state)
{
	(void)state;
	assert_int_equal(inb(&bench.b, 0xcf9), 0);
	outb(&bench.b, 0xcf9, 0x02);
	assert_int_equal(inb(&bench.b, 0xcf9), 0x02);
	assert_int_equal(bench.resets, 0);
	outb(&bench.b, 0xcf9, 0x06);
	assert_int_equal(bench.resets, 1);
	outb(&bench.b, 0xcf9, 0x06); /* no edge */
	assert_int_equal(bench.resets, 1);
	piix3_reset(&bench.isa);
	outb(&bench.b, 0xcf9, 0x04);
	assert_int_equal(bench.resets, 2);
	/* Wide writes go to the address register. */
	piix3_reset(&bench.isa);
	bus_out(&bench.b.ports, 0xcf8, 0x80000600, 4);
	assert_int_equal(bench.resets, 2);
	assert_int_equal(get(1, 0x0e, 1), 0x80);
	assert_int_equal(get(1, 0x60, 4), 0x80808080);
}

/* Whatever is written to configuration space, nothing breaks. */
static void test_noise(void **state)
{
	uint32_t seed = 7;
	unsigned i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		static const unsigned slots[] = { 0, 1, 3, 4 };
		unsigned slot = slots[seed >> 30];
		unsigned size = 1U << (seed >> 28 & 3) % 3;
		uint32_t value;

		seed = seed * 1664525 + 1013904223;
		value = seed ^ seed << 13;
		set(slot, seed >> 16 & 0xff & ~(size - 1), value, size);
		(void)bus_in(&bench.b.ports, seed & 0xffff, 4);
		(void)bus_in(&bench.b.memory, value, 8);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_mechanism),	 TEST(test_sizing),
		TEST(test_mapping),	 TEST(test_wide_and_rom),
		TEST(test_roms),	 TEST(test_conflict),
		TEST(test_bad_bars),	 TEST(test_intx),
		TEST(test_device_reset), TEST(test_pam),
		TEST(test_smram),	 TEST(test_reset_control),
		TEST(test_noise),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
