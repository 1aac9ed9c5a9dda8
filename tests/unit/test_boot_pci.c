/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot/pci.c on a model of configuration space: what is found of a function,
 * what is refused of it, and that it is left as firmware has made it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "boot/boot.h"
#include "include/log.h"
#include "kernel/host.h"
#include "kernel/pci.h"
#include "tests/unit/fake/gs.h"

#define CONFIG	      0xcf8
#define CONFIG_DATA   0xcfc
#define FUNCTIONS_MAX (PCI_FUNCTIONS_MAX + 2)
#define REGISTERS     (PCI_CONFIG_SIZE / 4)

#define BRIDGE	 0x06040000U
#define STORAGE	 0x01000001U
#define DECODING (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)

#define RAM_BASE  MIB(1)
#define RAM_SIZE  GIB(2)
#define MAPPED(a) ((void *)(0x1000000000ULL + (a)))

FAKE_X86_DEFINE;

struct model {
	uint16_t address;
	uint32_t value[REGISTERS];
	uint32_t bar_bits[GATE_DEVICE_BARS]; /* that can be written */
};

static struct host host;
static struct cpu cpu = { .host = &host };
static struct cpu *gs = &cpu;
static struct model model[FUNCTIONS_MAX];
static unsigned model_count, warnings;
static uint32_t selected;
static bool is_map_full; /* map_device() fails */
static const struct boot_ranges ram = { 1, { { RAM_BASE, RAM_SIZE } } };

void fake_lock_wait(struct spinlock *lock)
{
	(void)lock;
	fail_msg("there is one CPU");
}

void fake_lock_taken(struct spinlock *lock)
{
	(void)lock;
}

void fake_lock_tried(struct spinlock *lock)
{
	(void)lock;
}

void fake_lock_released(struct spinlock *lock)
{
	(void)lock;
}

void log_print(enum log_level level, const char *format, ...)
{
	(void)format;
	assert_int_equal(level, LOG_WARNING);
	warnings++;
}

void *map_device(struct kernel_map *map, hpa_t hpa, uint64_t length)
{
	assert_ptr_equal(map, &host.map);
	assert_true(length);
	return is_map_full ? NULL : MAPPED(hpa);
}

/* ---- The model ----------------------------------------------------------- */

static struct model *model_selected(void)
{
	assert_true(selected & BIT(31));
	for (unsigned i = 0; i < model_count; i++)
		if (model[i].address == (uint16_t)(selected >> 8))
			return &model[i];
	return NULL;
}

static uint32_t port_read(uint16_t port, unsigned size)
{
	const struct model *m = model_selected();

	assert_int_equal(port, CONFIG_DATA);
	assert_int_equal(size, 4);
	return m ? m->value[selected % PCI_CONFIG_SIZE / 4] : UINT32_MAX;
}

/* Whatever a BAR holds for a moment, nothing may answer there. */
static void bar_written(struct model *m, unsigned n, uint32_t value)
{
	uint32_t *bar = &m->value[PCI_BAR(n) / 4];

	assert_int_equal(m->value[PCI_COMMAND / 4] & DECODING, 0);
	*bar = (value & m->bar_bits[n]) | (*bar & ~m->bar_bits[n]);
}

static void port_written(uint16_t port, unsigned size, uint32_t value)
{
	struct model *m;
	unsigned at;

	if (port == CONFIG) {
		selected = value;
		return;
	}
	m = model_selected();
	assert_non_null(m);
	at = selected % PCI_CONFIG_SIZE;
	if (at == PCI_COMMAND) {
		assert_int_equal(size, 2);
		m->value[at / 4] &= ~(uint32_t)UINT16_MAX;
		m->value[at / 4] |= value;
		return;
	}
	assert_int_equal(size, 4);
	assert_in_range(at, PCI_BAR(0), PCI_BAR(GATE_DEVICE_BARS) - 1);
	bar_written(m, (at - PCI_BAR(0)) / 4, value);
}

static int setup(void **state)
{
	(void)state;
	fake_gs_set(&gs);
	fake_x86.port_read = port_read;
	fake_x86.port_written = port_written;
	fake_x86.is_irq_on = true;
	memset(&host.pci, 0, sizeof(host.pci));
	memset(model, 0, sizeof(model));
	model_count = warnings = 0;
	is_map_full = false;
	return 0;
}

static struct model *add(uint16_t address)
{
	struct model *m = &model[model_count++];

	m->address = address;
	m->value[PCI_ID / 4] = 0x10421af4;
	m->value[PCI_COMMAND / 4] = DECODING | PCI_COMMAND_MASTER;
	m->value[PCI_CLASS / 4] = STORAGE;
	m->value[PCI_SUBSYSTEM / 4] = 0x11001af4;
	m->value[PCI_IRQ_LINE / 4] = 0x10b;
	return m;
}

/* All of bits can be written; value: where firmware has put it, and its type.
 */
static void bar(struct model *m, unsigned n, uint32_t value, uint32_t bits)
{
	m->value[PCI_BAR(n) / 4] = value;
	m->bar_bits[n] = bits;
}

/* A capability; next: where the list goes on. */
static void cap(struct model *m, uint8_t at, uint8_t next, uint32_t header)
{
	m->value[PCI_COMMAND / 4] |= (uint32_t)PCI_STATUS_CAPS;
	m->value[at / 4] = header | next * 0x100U;
}

/* What was found of the only function, which has stayed as it was. */
static const struct pci_function *find(void)
{
	struct model before = model[0];

	memset(&host.pci, 0, sizeof(host.pci));
	pci_find(&host, &ram);
	assert_int_equal(host.pci.count, 1);
	assert_memory_equal(&before, &model[0], sizeof(before));
	return &host.pci.function[0];
}

/* ---- A function ---------------------------------------------------------- */

#define MSIX_AT	   0x40
#define EXPRESS_AT 0x60

/* 64 bits wide in BAR 0 and 1, MSI-X in BAR 2: the third page and the fifth. */
static struct model *typical(void)
{
	struct model *m = add(0x18);

	bar(m, 0, 0x0000000c, 0xffffc000);
	bar(m, 1, 0x00000008, UINT32_MAX);
	bar(m, 2, 0xfe000000, 0xffff8000);
	m->value[PCI_CAPS / 4] = MSIX_AT;
	cap(m, MSIX_AT, EXPRESS_AT, PCI_CAP_MSIX | 4U << 16);
	m->value[(MSIX_AT + PCI_MSIX_TABLE) / 4] = 0x2100 | 2;
	m->value[(MSIX_AT + PCI_MSIX_PENDING) / 4] = 0x4ff8 | 2;
	cap(m, EXPRESS_AT, 0, PCI_CAP_EXPRESS);
	m->value[(EXPRESS_AT + PCI_EXPRESS_CAPS) / 4] = PCI_EXPRESS_HAS_FLR;
	return m;
}

static void test_typical(void **state)
{
	const struct pci_function *function;

	(void)state;
	(void)typical();
	function = find();
	assert_int_equal(function->info.address, 0x18);
	assert_int_equal(function->info.vendor, 0x1af4);
	assert_int_equal(function->info.device, 0x1042);
	assert_int_equal(function->info.subsystem_vendor, 0x1af4);
	assert_int_equal(function->info.subsystem, 0x1100);
	assert_int_equal(function->info.class_code, STORAGE >> 8);
	assert_int_equal(function->info.revision, 1);
	assert_int_equal(function->info.irq_line, 0x0b);
	assert_true(function->info.has_flr);
	assert_int_equal(function->express, EXPRESS_AT);
	assert_false(function->is_misplaced);
	assert_int_equal(function->bar[0].base, 0x800000000);
	assert_int_equal(function->bar[0].size, 0x4000);
	assert_int_equal(function->bar[0].value, 0x0000000c);
	assert_int_equal(function->bar[1].size, 0);
	assert_int_equal(function->bar[1].value, 8);
	assert_int_equal(function->bar[2].base, 0xfe000000);
	assert_int_equal(function->bar[2].size, 0x8000);
	assert_int_equal(warnings, 0);
}

/* A display adapter, say: a line that is not its own would be claimed for it.
 */
static void test_without_interrupt(void **state)
{
	static const uint32_t registers[] = { 0x000, 0x00b, 0x0ff };

	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
		(void)setup(state);
		typical()->value[PCI_IRQ_LINE / 4] = registers[i];
		assert_int_equal(find()->info.irq_line, 0);
	}
}

static void test_msix(void **state)
{
	const struct pci_function *function;

	(void)state;
	(void)typical();
	function = find();
	assert_int_equal(function->msix, MSIX_AT);
	assert_int_equal(function->info.vector_count, 5);
	assert_ptr_equal(function->table, MAPPED(0xfe002100));
	assert_int_equal(function->monitors[0].bar, 2);
	assert_int_equal(function->monitors[0].start, 0x2000);
	assert_int_equal(function->monitors[0].end, 0x3000);
	assert_int_equal(function->monitors[1].bar, 2);
	assert_int_equal(function->monitors[1].start, 0x4000);
	assert_int_equal(function->monitors[1].end, 0x5000);
}

/* A table that is not in memory of the function's: it has INTx. */
static void test_msix_is_wrong(void **state)
{
	static const struct {
		uint32_t table, pending;
		bool is_map_full;
	} rows[] = {
		{ 0x8000 | 2, 0x4000 | 2, false }, /* behind the BAR */
		{ 0x7fc0 | 2, 0x4000 | 2, false }, /* its end is */
		{ 0x2000 | 2, 0x8000 | 2, false }, /* pending bits are */
		{ 0xfffffff8 | 2, 0x4000 | 2, false },
		{ 0x0000 | 1, 0x4000 | 2, false }, /* no BAR of its own */
		{ 0x0000 | 3, 0x4000 | 2, false }, /* not there */
		{ 0x0000 | 6, 0x4000 | 2, false }, /* no BAR */
		{ 0x2000 | 2, 0x0000 | 7, false },
		{ 0x2000 | 2, 0x4000 | 2, true },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pci_function *function;
		struct model *m;

		(void)setup(NULL);
		m = typical();
		m->value[(MSIX_AT + PCI_MSIX_TABLE) / 4] = rows[i].table;
		m->value[(MSIX_AT + PCI_MSIX_PENDING) / 4] = rows[i].pending;
		is_map_full = rows[i].is_map_full;
		function = find();
		assert_int_equal(function->msix, 0);
		assert_int_equal(function->info.vector_count, 0);
		assert_null(function->table);
	}
}

/* ---- BARs ---------------------------------------------------------------- */

/* Registers n and, where upper_bits is not 0, n + 1. */
static void test_bars(void **state)
{
	static const struct {
		unsigned n;
		uint32_t value, bits, upper, upper_bits;
		uint64_t base, size;
		bool is_misplaced;
	} rows[] = {
		{ 0, 0xfe000000, 0xfffff000, 0, 0, 0xfe000000, KIB(4), false },
		{ 4, 0xe0000008, 0xf8000000, 0, 0, 0xe0000000, MIB(128),
		  false },
		/* Others may share the page; I/O; not there; not placed. */
		{ 0, 0xfe000800, 0xfffff800, 0, 0, 0, 0, false },
		{ 0, 0x0000c001, 0x0000fffc, 0, 0, 0, 0, false },
		{ 0, 0, 0, 0, 0, 0, 0, false },
		{ 0, 0, 0xfffff000, 0, 0, 0, 0, false },
		/* 64 bits: the upper half is none of its own. */
		{ 2, 0xc0000004, 0xf0000000, 1, UINT32_MAX, 0x1c0000000,
		  MIB(256), false },
		{ 2, 4, 0xc0000000, 4, UINT32_MAX, 4 * GIB(4), GIB(1), false },
		/* Larger than is granted. */
		{ 2, 4, 0x80000000, 4, UINT32_MAX, 0, 0, true },
		{ 2, 4, 0, 8, 0xfffffff8, 0, 0, true },
		/* In RAM, to its last page; behind it. */
		{ 0, 0x00100000, 0xfffff000, 0, 0, 0, 0, true },
		{ 0, 0x80000000, 0xffe00000, 0, 0, 0, 0, true },
		{ 0, 0x80200000, 0xffe00000, 0, 0, 0x80200000, MIB(2), false },
		{ 0, 0x000c0000, 0xfffc0000, 0, 0, 0xc0000, KIB(256), false },
		/* The APICs'. */
		{ 0, 0xfec00000, 0xfffff000, 0, 0, 0, 0, true },
		{ 0, 0xfee00000, 0xfff00000, 0, 0, 0, 0, true },
		{ 0, 0xfe800000, 0xff800000, 0, 0, 0, 0, true },
		{ 0, 0xfef00000, 0xfff00000, 0, 0, 0xfef00000, MIB(1), false },
		/* The last register has no upper half. */
		{ 5, 0xfd000004, 0xfffff000, 0, 0, 0xfd000000, KIB(4), false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pci_function *function;
		struct model *m;

		(void)setup(NULL);
		m = add(8);
		bar(m, rows[i].n, rows[i].value, rows[i].bits);
		if (rows[i].upper_bits)
			bar(m, rows[i].n + 1, rows[i].upper,
			    rows[i].upper_bits);
		function = find();
		for (unsigned n = 0; n < GATE_DEVICE_BARS; n++) {
			uint64_t size = n == rows[i].n ? rows[i].size : 0;

			if (function->bar[n].size != size)
				fail_msg("row %u: size of BAR %u is %lx", i, n,
					 function->bar[n].size);
		}
		if (rows[i].size)
			assert_int_equal(function->bar[rows[i].n].base,
					 rows[i].base);
		if (function->is_misplaced != rows[i].is_misplaced)
			fail_msg("row %u: misplaced or not", i);
	}
}

/* ---- Capabilities -------------------------------------------------------- */

static void test_caps(void **state)
{
	struct model *m = add(8);

	(void)state;
	/* A list without the bit that says that there is one. */
	m->value[PCI_CAPS / 4] = EXPRESS_AT;
	m->value[EXPRESS_AT / 4] = PCI_CAP_EXPRESS;
	assert_int_equal(find()->express, 0);
	cap(m, EXPRESS_AT, 0, PCI_CAP_EXPRESS);
	assert_int_equal(find()->express, EXPRESS_AT);
	assert_false(find()->info.has_flr);
	/* The two lowest bits are reserved. */
	m->value[PCI_CAPS / 4] = EXPRESS_AT | 3;
	assert_int_equal(find()->express, EXPRESS_AT);
	/* A ring has no end; the header is no capability. */
	cap(m, EXPRESS_AT, EXPRESS_AT, 1);
	assert_int_equal(find()->express, 0);
	m->value[PCI_CAPS / 4] = 0x10;
	assert_int_equal(find()->express, 0);
}

/* ---- Which functions ----------------------------------------------------- */

static void test_functions(void **state)
{
	static const uint16_t found[] = { 0x08, 0x11, 0x17, 0xfff8 };
	struct model *m;

	(void)state;
	(void)add(0x08);
	(void)add(0x09); /* of a device that says it has one function */
	m = add(0x10);	 /* a bridge, but with others beside it */
	m->value[PCI_CLASS / 4] = BRIDGE;
	m->value[PCI_HEADER / 4] = (uint32_t)PCI_HEADER_MULTI | BIT(16);
	(void)add(0x11);
	(void)add(0x17);
	m = add(0x12); /* a bridge to the host has a usual header */
	m->value[PCI_CLASS / 4] = BRIDGE;
	m = add(0x13);
	m->value[PCI_HEADER / 4] = 2U << 16; /* CardBus */
	(void)add(0x21);		     /* without function 0 */
	(void)add(0xfff8);
	pci_find(&host, &ram);
	assert_int_equal(host.pci.count, ARRAY_SIZE(found));
	for (unsigned i = 0; i < ARRAY_SIZE(found); i++)
		assert_int_equal(host.pci.function[i].info.address, found[i]);
	assert_int_equal(warnings, 0);
}

static void test_too_many(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PCI_FUNCTIONS_MAX; i++)
		(void)add((uint16_t)(i * 8));
	pci_find(&host, &ram);
	assert_int_equal(host.pci.count, PCI_FUNCTIONS_MAX);
	assert_int_equal(warnings, 0);
	(void)add(PCI_FUNCTIONS_MAX * 8);
	(void)add(PCI_FUNCTIONS_MAX * 8 + 8);
	memset(&host.pci, 0, sizeof(host.pci));
	pci_find(&host, &ram);
	assert_int_equal(host.pci.count, PCI_FUNCTIONS_MAX);
	assert_int_equal(warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_typical, setup),
		cmocka_unit_test_setup(test_without_interrupt, setup),
		cmocka_unit_test_setup(test_msix, setup),
		cmocka_unit_test_setup(test_msix_is_wrong, setup),
		cmocka_unit_test_setup(test_bars, setup),
		cmocka_unit_test_setup(test_caps, setup),
		cmocka_unit_test_setup(test_functions, setup),
		cmocka_unit_test_setup(test_too_many, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
