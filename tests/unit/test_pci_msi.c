/* SPDX-License-Identifier: BSD-2-Clause */
/* Message-signalled interrupts: capabilities, masks, pending bits, INTx. */
#include "tests/unit/device_test.h"

#include "devices/pci_msi.h"
#include "include/errno.h"

#define DEVFN	   PCI_DEVFN(3, 0)
#define BAR	   0xfeb00000U
#define MSI	   0xd0U
#define MSIX	   0xa0U
#define TABLE	   0x100U
#define PENDING	   0x800U
#define VECTORS	   5U
#define SENT_MAX   40
#define MASTER	   (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)
#define MSI_ON	   1U
#define MSIX_ON	   0x8000U
#define MASK_ALL   0x4000U
#define MSI_MASK   (MSI + 16)
#define MSI_PENDED (MSI + 20)

static struct {
	struct bench b;
	struct pci_bus pci;
	struct pci_device card;
	struct pci_device_state state;
	struct pci_msix_state table;
	unsigned sent;
	struct {
		uint64_t address;
		uint32_t data;
	} message[SENT_MAX];
	bool intx;
} bench;

static void message(void *ctx, uint64_t address, uint32_t data)
{
	assert_ptr_equal(ctx, &bench);
	assert_true(bench.sent < SENT_MAX);
	bench.message[bench.sent].address = address;
	bench.message[bench.sent++].data = data;
}

static void intx_set(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)ctx;
	assert_int_equal(devfn, DEVFN);
	assert_int_equal(pin, 0);
	bench.intx = level;
}

static void access_bar(void *dev, struct io_access *io)
{
	pci_msix_access(dev, io);
}

static void set(unsigned offset, unsigned size, uint32_t value)
{
	pci_config_write(&bench.pci, DEVFN, offset, size, value);
}

static uint32_t get(unsigned offset, unsigned size)
{
	return pci_config_read(&bench.pci, DEVFN, offset, size);
}

static void table_put(unsigned vector, unsigned word, uint32_t value)
{
	bus_out(&bench.b.memory, BAR + TABLE + 16 * vector + 4 * word, value,
		4);
}

static uint32_t table_get(unsigned vector, unsigned word)
{
	return (uint32_t)bus_in(&bench.b.memory,
				BAR + TABLE + 16 * vector + 4 * word, 4);
}

static uint32_t pended(void)
{
	return (uint32_t)bus_in(&bench.b.memory, BAR + PENDING, 4);
}

/* The function without capabilities, not on the bus yet. */
static void card_init(void)
{
	static const struct pci_identity identity = { .name = "card",
						      .vendor = 0x1234,
						      .device = 0x5678,
						      .class = 0x0200,
						      .interrupt_pin = 1 };
	const struct pci_bar bar = { .kind = PCI_BAR_MEMORY,
				     .size = 0x1000,
				     .region = { .fn = access_bar,
						 .dev = &bench.card,
						 .width_min = 4,
						 .width_max = 4 } };

	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	assert_int_equal(
		pci_bus_init(&bench.pci, &bench.b.ports, &bench.b.memory), 0);
	bench.pci.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
	bench.pci.message = message;
	bench.pci.message_ctx = &bench;
	bench.pci.intx_set = intx_set;
	pci_device_init(&bench.card, &identity, &bench.state);
	assert_int_equal(pci_bar_add(&bench.card, 1, &bar), 0);
}

static const struct pci_msix_place place = { 1, VECTORS, TABLE, PENDING };

static void card_add(unsigned messages, bool has_masks)
{
	assert_int_equal(pci_msi_add(&bench.card, MSI, messages, has_masks), 0);
	assert_int_equal(pci_msix_add(&bench.card, MSIX, &place, &bench.table),
			 0);
	assert_int_equal(pci_device_add(&bench.pci, &bench.card, DEVFN), 0);
	set(PCI_BAR0 + 4, 4, BAR);
	set(PCI_COMMAND, 2, MASTER);
}

static int setup(void **state)
{
	(void)state;
	card_init();
	card_add(8, true);
	return 0;
}

static void msi_set(uint32_t control)
{
	set(MSI + 4, 4, 0xfee01004);
	set(MSI + 12, 2, 0x4045);
	set(MSI + 2, 2, control);
}

static void vector_set(unsigned vector, bool is_masked)
{
	table_put(vector, 0, 0xfee00000 | vector << 12);
	table_put(vector, 1, 0);
	table_put(vector, 2, 0x40 + vector);
	table_put(vector, 3, is_masked);
}

static void assert_sent(unsigned n, uint64_t address, uint32_t data)
{
	assert_true(n < bench.sent);
	assert_int_equal(bench.message[n].address, address);
	assert_int_equal(bench.message[n].data, data);
}

static void test_list(void **state)
{
	(void)state;
	assert_int_equal(get(PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES,
			 PCI_STATUS_CAPABILITIES);
	assert_int_equal(get(PCI_CAPABILITY_LIST, 1), MSI);
	/* ID, next, eight messages, 64 bits, masks. */
	assert_int_equal(get(MSI, 4), 0x0186a005);
	assert_int_equal(get(MSIX, 4), 0x00040011);
	assert_int_equal(get(MSIX + 4, 4), TABLE | 1);
	assert_int_equal(get(MSIX + 8, 4), PENDING | 1);
}

static void test_masks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 24; i += 4)
		set(MSI + i, 4, ~0U);
	assert_int_equal(get(MSI, 4), 0x01f7a005);
	assert_int_equal(get(MSI + 4, 4), 0xfffffffc);
	assert_int_equal(get(MSI + 8, 4), 0xffffffff);
	assert_int_equal(get(MSI + 12, 4), 0xffff);
	assert_int_equal(get(MSI_MASK, 4), 0xff);
	assert_int_equal(get(MSI_PENDED, 4), 0);
	for (unsigned i = 0; i < 12; i += 4)
		set(MSIX + i, 4, ~0U);
	assert_int_equal(get(MSIX, 4), 0xc0040011);
	assert_int_equal(get(MSIX + 4, 4), TABLE | 1);
	assert_int_equal(get(MSIX + 8, 4), PENDING | 1);
	for (unsigned i = 0; i < 4; i++) {
		table_put(VECTORS - 1, i, ~0U);
		table_put(VECTORS, i, ~0U);
	}
	assert_int_equal(table_get(VECTORS - 1, 0), 0xfffffffc);
	assert_int_equal(table_get(VECTORS - 1, 1), 0xffffffff);
	assert_int_equal(table_get(VECTORS - 1, 2), 0xffffffff);
	assert_int_equal(table_get(VECTORS - 1, 3), 1);
	assert_int_equal(table_get(VECTORS, 0), 0);
	bus_out(&bench.b.memory, BAR + PENDING, ~0U, 4);
	assert_int_equal(pended(), 0);
	/* In halves of eight bytes the table is the same. */
	bus_out(&bench.b.memory, BAR + TABLE, 0x12345678fee01000, 8);
	assert_int_equal(table_get(0, 0), 0xfee01000);
	assert_int_equal(table_get(0, 1), 0x12345678);
}

static void test_msi(void **state)
{
	(void)state;
	msi_set(0);
	pci_message_send(&bench.card, 0);
	assert_int_equal(bench.sent, 0);
	assert_false(pci_msi_is_enabled(&bench.card));
	set(MSI + 2, 2, MSI_ON);
	assert_true(pci_msi_is_enabled(&bench.card));
	pci_message_send(&bench.card, 0);
	assert_sent(0, 0xfee01004, 0x4045);
	/* Of one message, all vectors are the one. */
	pci_message_send(&bench.card, 3);
	assert_sent(1, 0xfee01004, 0x4045);
	/* Four: the low bits of the data are the message's number. */
	set(MSI + 2, 2, MSI_ON | 2 << 4);
	pci_message_send(&bench.card, 2);
	pci_message_send(&bench.card, 7);
	assert_sent(2, 0xfee01004, 0x4046);
	assert_sent(3, 0xfee01004, 0x4047);
	/* More than it can: as many as it can. */
	set(MSI + 2, 2, MSI_ON | 7 << 4);
	pci_message_send(&bench.card, 7);
	pci_message_send(&bench.card, 8);
	assert_sent(4, 0xfee01004, 0x4047);
	assert_sent(5, 0xfee01004, 0x4040);
	set(MSI + 8, 4, 0x12);
	pci_message_send(&bench.card, 0);
	assert_sent(6, 0x12fee01004, 0x4040);
	assert_int_equal(bench.sent, 7);
}

static void test_msi_masked(void **state)
{
	(void)state;
	msi_set(MSI_ON | 3 << 4);
	set(MSI_MASK, 4, 0x0a);
	pci_message_send(&bench.card, 1);
	pci_message_send(&bench.card, 1);
	pci_message_send(&bench.card, 3);
	assert_int_equal(bench.sent, 0);
	assert_int_equal(get(MSI_PENDED, 4), 0x0a);
	/* Its cause has gone meanwhile. */
	pci_message_withdraw(&bench.card, 3);
	assert_int_equal(get(MSI_PENDED, 4), 2);
	/* It happened twice, and comes once; what is masked still does not. */
	set(MSI_MASK, 1, 8);
	assert_int_equal(bench.sent, 1);
	assert_sent(0, 0xfee01004, 0x4041);
	assert_int_equal(get(MSI_PENDED, 4), 0);
	set(MSI_MASK, 1, 0);
	assert_int_equal(bench.sent, 1);
	/* Unmasked while it is disabled: sent when it is enabled. */
	set(MSI_MASK, 1, 1);
	pci_message_send(&bench.card, 0);
	set(MSI + 2, 2, 3 << 4);
	set(MSI_MASK, 1, 0);
	assert_int_equal(bench.sent, 1);
	set(MSI + 2, 2, MSI_ON | 3 << 4);
	assert_int_equal(bench.sent, 2);
	assert_sent(1, 0xfee01004, 0x4040);
}

static void test_msi_without_masks(void **state)
{
	(void)state;
	card_init();
	card_add(1, false);
	assert_int_equal(get(MSI, 4), 0x0080a005);
	msi_set(MSI_ON);
	set(MSI_MASK, 4, ~0U);
	assert_int_equal(get(MSI_MASK, 4), 0);
	pci_message_send(&bench.card, 0);
	assert_sent(0, 0xfee01004, 0x4045);
}

static void test_msix(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VECTORS; i++) {
		assert_int_equal(table_get(i, 3), 1);
		vector_set(i, false);
	}
	pci_message_send(&bench.card, 2);
	assert_int_equal(bench.sent, 0);
	set(MSIX + 2, 2, MSIX_ON);
	assert_true(pci_msix_is_enabled(&bench.card));
	pci_message_send(&bench.card, 2);
	pci_message_send(&bench.card, 4);
	assert_sent(0, 0xfee02000, 0x42);
	assert_sent(1, 0xfee04000, 0x44);
	/* None of its vectors. */
	pci_message_send(&bench.card, VECTORS);
	pci_message_send(&bench.card, ~0U);
	pci_message_withdraw(&bench.card, ~0U);
	assert_int_equal(bench.sent, 2);
	/* MSI besides changes nothing. */
	msi_set(MSI_ON);
	pci_message_send(&bench.card, 1);
	assert_sent(2, 0xfee01000, 0x41);
}

static void test_msix_masked(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VECTORS; i++)
		vector_set(i, i == 1);
	set(MSIX + 2, 2, MSIX_ON);
	pci_message_send(&bench.card, 1);
	pci_message_send(&bench.card, 1);
	assert_int_equal(bench.sent, 0);
	assert_int_equal(pended(), 2);
	/* By its new address, as drivers move interrupts. */
	table_put(1, 0, 0xfee07000);
	assert_int_equal(bench.sent, 0);
	table_put(1, 3, 0);
	assert_int_equal(bench.sent, 1);
	assert_sent(0, 0xfee07000, 0x41);
	assert_int_equal(pended(), 0);
	/* All of them, and one besides. */
	set(MSIX + 2, 2, MSIX_ON | MASK_ALL);
	table_put(3, 3, 1);
	pci_message_send(&bench.card, 0);
	pci_message_send(&bench.card, 3);
	pci_message_send(&bench.card, 4);
	pci_message_withdraw(&bench.card, 4);
	assert_int_equal(pended(), 9);
	set(MSIX + 2, 2, MSIX_ON);
	assert_int_equal(bench.sent, 2);
	assert_sent(1, 0xfee00000, 0x40);
	assert_int_equal(pended(), 8);
	table_put(3, 3, 0);
	assert_sent(2, 0xfee03000, 0x43);
}

static void test_not_master(void **state)
{
	(void)state;
	vector_set(0, false);
	set(MSIX + 2, 2, MSIX_ON);
	set(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pci_message_send(&bench.card, 0);
	set(PCI_COMMAND, 2, MASTER);
	assert_int_equal(bench.sent, 0);
	pci_message_send(&bench.card, 0);
	assert_int_equal(bench.sent, 1);
}

/* The pin is low while messages are on; the status bit says what is asked. */
static void test_intx(void **state)
{
	static const struct {
		unsigned offset;
		uint32_t off, on;
	} rows[] = {
		{ MSI + 2, 0, MSI_ON },
		{ MSIX + 2, 0, MSIX_ON },
		{ MSIX + 2, 0, MSIX_ON | MASK_ALL },
		{ PCI_COMMAND, MASTER, MASTER | PCI_COMMAND_INTX_OFF },
	};

	(void)state;
	pci_intx_set(&bench.card, true);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(bench.intx);
		set(rows[i].offset, 2, rows[i].on);
		assert_false(bench.intx);
		pci_intx_set(&bench.card, false);
		assert_int_equal(get(PCI_STATUS, 2) & PCI_STATUS_INTX, 0);
		pci_intx_set(&bench.card, true);
		assert_false(bench.intx);
		assert_int_equal(get(PCI_STATUS, 2) & PCI_STATUS_INTX,
				 PCI_STATUS_INTX);
		set(rows[i].offset, 2, rows[i].off);
	}
	assert_true(bench.intx);
	assert_int_equal(bench.sent, 0);
}

static void test_reset(void **state)
{
	(void)state;
	msi_set(MSI_ON | 3 << 4);
	set(MSI_MASK, 4, 1);
	pci_message_send(&bench.card, 0);
	vector_set(1, false);
	set(MSIX + 2, 2, MSIX_ON | MASK_ALL);
	pci_message_send(&bench.card, 1);
	pci_device_reset(&bench.card);
	assert_int_equal(bench.sent, 0);
	assert_false(pci_msi_is_enabled(&bench.card));
	assert_int_equal(get(MSI, 4), 0x0186a005);
	assert_int_equal(get(MSI_PENDED, 4), 0);
	assert_int_equal(bench.table.pending, 0);
	assert_int_equal(bench.table.control[1], 1);
	assert_int_equal(bench.table.data[1], 0);
}

/* Saved images are not to be trusted. */
static void test_valid(void **state)
{
	struct pci_device_state saved;
	struct pci_msix_state table;

	(void)state;
	msi_set(MSI_ON);
	set(MSI_MASK, 4, 1);
	pci_message_send(&bench.card, 0);
	set(MSIX + 2, 2, MSIX_ON | MASK_ALL);
	pci_message_send(&bench.card, 4);
	assert_true(pci_device_is_valid(&bench.card, &bench.state));
	assert_true(pci_msix_is_valid(&bench.card, &bench.table));
	for (unsigned i = 0; i < 3; i++) {
		/* The list, the table's place, a message there is not. */
		static const uint8_t at[] = { MSI + 1, MSIX + 4,
					      MSI_PENDED + 1 };

		saved = bench.state;
		saved.config[at[i]] ^= 0x40;
		assert_false(pci_device_is_valid(&bench.card, &saved));
	}
	table = bench.table;
	table.pending |= 1U << VECTORS;
	assert_false(pci_msix_is_valid(&bench.card, &table));
}

static void test_restored(void **state)
{
	(void)state;
	pci_intx_set(&bench.card, true);
	assert_true(bench.intx);
	/* The image has messages enabled. */
	bench.state.config[MSIX + 3] = 0x80;
	pci_device_restored(&bench.card);
	assert_false(bench.intx);
}

static void test_bad(void **state)
{
	static const struct pci_msix_place places[] = {
		{ 1, 0, 0, 0x800 },	 { 1, 33, 0, 0x800 },
		{ 1, 5, 4, 0x800 },	 { 1, 5, 0, 0x804 },
		{ 1, 5, 0xfb8, 0x800 },	 { 1, 5, 0, 0x1000 },
		{ 1, 5, 0, 0x48 },	 { 0, 5, 0, 0x800 },
		{ 6, 5, 0, 0x800 },	 { 1, 5, 0, 0xfffffff8 },
		{ 1, 5, 0xfffffff8, 0 },
	};

	(void)state;
	card_init();
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		assert_int_equal(pci_msix_add(&bench.card, MSIX, &places[i],
					      &bench.table),
				 -EINVAL);
	assert_int_equal(pci_msi_add(&bench.card, MSI, 0, false), -EINVAL);
	assert_int_equal(pci_msi_add(&bench.card, MSI, 3, false), -EINVAL);
	assert_int_equal(pci_msi_add(&bench.card, MSI, 64, false), -EINVAL);
	assert_int_equal(pci_msi_add(&bench.card, 0x3c, 1, false), -EINVAL);
	assert_int_equal(pci_msi_add(&bench.card, 0xd2, 1, false), -EINVAL);
	assert_int_equal(pci_msi_add(&bench.card, 0xec, 1, true), -EINVAL);
	assert_int_equal(pci_msi_add(&bench.card, 0xe8, 32, true), 0);
	assert_int_equal(pci_msix_add(&bench.card, 0xe0, &place, &bench.table),
			 -EEXIST);
	assert_int_equal(pci_capability_add(&bench.card, 9, 0x40, 1), -EINVAL);
	assert_int_equal(pci_capability_add(&bench.card, 9, 0x40, 300),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_list, setup),
		cmocka_unit_test_setup(test_masks, setup),
		cmocka_unit_test_setup(test_msi, setup),
		cmocka_unit_test_setup(test_msi_masked, setup),
		cmocka_unit_test(test_msi_without_masks),
		cmocka_unit_test_setup(test_msix, setup),
		cmocka_unit_test_setup(test_msix_masked, setup),
		cmocka_unit_test_setup(test_not_master, setup),
		cmocka_unit_test_setup(test_intx, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_valid, setup),
		cmocka_unit_test_setup(test_restored, setup),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
