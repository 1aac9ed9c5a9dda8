/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices granted to programs on simulated CPUs, from many seeds: interrupts
 * come once for each ACK and none is lost, a device has stopped before its
 * domain has ended, its DMA memory stays its own, and whoever gets it next gets
 * all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "mm/phys.h"
#include "tests/unit/fake/pci.h"
#include "tests/unit/fake/program.h"

#define SEEDS	  40
#define DMA_PAGES 3 /* a power of two more */
#define BAR	  2
#define BAR_BASE  0xfe000000ULL
#define EVENTS	  6

/* Functions of the host, by what they are for. */
enum { MESSAGES, LINE, LINE_TOO, RESETS, FUNCTIONS };
#define ADDRESS(i) (uint16_t)((i) + 1)
#define IRQ_LINE   11

static unsigned ends;

static void domain_ended(struct domain *domain)
{
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		SIM_CHECK(vm_host()->devices.device[i].domain != domain);
		if (vm_host()->devices.device[i].domain)
			continue;
		SIM_CHECK(!(fake_pci[i].command & PCI_COMMAND_MASTER));
		SIM_CHECK(!fake_pci[i].is_msix_on);
	}
	ends++;
}

static void setup(unsigned seed, program_fn program)
{
	struct pci_function *function;
	static struct acpi_isa_irq route[ACPI_ISA_IRQ_COUNT];

	sim_setup(1 + seed % 2, seed + 1);
	ends = 0;
	fake_vms = (struct fake_vms){ .program = program };
	fake_vms_begin(domain_ended);
	memset(&sim.host.pci, 0, sizeof(sim.host.pci));
	memset(&vm_host()->devices, 0, sizeof(vm_host()->devices));
	route[IRQ_LINE] = (struct acpi_isa_irq){ IRQ_LINE, true, true };
	sim.host.irqs.route = route;
	function = fake_pci_add(ADDRESS(MESSAGES), 2, 0, false);
	function->bar[BAR] = (struct pci_bar){ 0, BAR_BASE, 8 * PAGE_SIZE };
	function->monitors[0] =
		(struct pci_range){ BAR, 2 * PAGE_SIZE, 3 * PAGE_SIZE };
	function->monitors[1] =
		(struct pci_range){ BAR, 5 * PAGE_SIZE, 6 * PAGE_SIZE };
	(void)fake_pci_add(ADDRESS(LINE), 0, IRQ_LINE, false);
	(void)fake_pci_add(ADDRESS(LINE_TOO), 0, IRQ_LINE, false);
	(void)fake_pci_add(ADDRESS(RESETS), GATE_DEVICE_VECTORS + 2, 0, true);
}

/* What devices keep for good. */
static void dma_forget(void)
{
	for (unsigned i = 0; i < sim.host.pci.count; i++) {
		struct device *device = &vm_host()->devices.device[i];

		if (device->dma)
			pages_free(&sim.host.pages, &sim.host.account,
				   device->dma, device->dma_order);
	}
}

static void run_all(unsigned seed)
{
	const char *why = sim_run();

	if (why)
		fail_msg("seed %u, %u CPUs: %s", seed, sim.cpu_count, why);
	dma_forget();
	assert_int_equal(sim.host.account.pages, 0);
	assert_int_equal(sim.pages, 0);
	sim_teardown();
}

static int grant(struct domain *domain, unsigned function, unsigned n)
{
	const struct gate_device_grant grant = {
		.address = ADDRESS(function),
		.n = (uint16_t)n,
		.dma_pages = DMA_PAGES,
	};

	return device_grant(domain, &grant);
}

static struct domain *domain_make(void)
{
	struct domain *domain;

	domain = domain_find(program_make(1));
	SIM_CHECK(domain);
	return domain;
}

static void domain_unmake(struct domain *domain)
{
	gate_id id = domain->id;

	domain_put(domain);
	program_unmake(id);
}

/* ---- What is granted ----------------------------------------------------- */

static void nothing(struct user_thread *user)
{
	(void)call(user, gate_wait, 0, 0);
}

static void check_told(struct domain *domain)
{
	const struct gate_device *told = &domain->config->device[1];
	uint64_t va = GATE_DEVICE_BAR_VA(1, BAR);
	struct table_leaf leaf;

	SIM_CHECK(told->is_there && told->vector_count == 2);
	SIM_CHECK(told->dma_size == 4 * PAGE_SIZE);
	SIM_CHECK(told->bar_size[BAR] == 8 * PAGE_SIZE);
	for (unsigned i = 0; i < 8; i++) {
		bool is_there = table_query(&domain->space.table,
					    va + i * PAGE_SIZE, &leaf);

		/* The table and the pending bits are the monitor's. */
		SIM_CHECK(is_there == (i != 2 && i != 5));
		SIM_CHECK(!is_there || (leaf.type == MAP_UNCACHED &&
					leaf.pa == BAR_BASE + i * PAGE_SIZE));
	}
	SIM_CHECK(table_query(&domain->space.table, GATE_DEVICE_DMA_VA(1),
			      &leaf) &&
		  leaf.pa == told->dma_address && leaf.type == MAP_WRITE_BACK);
}

static void check_refusals(struct domain *domain, struct domain *other)
{
	SIM_CHECK(grant(domain, FUNCTIONS, 0) == -ENODEV);
	SIM_CHECK(grant(domain, MESSAGES, GATE_DEVICES_MAX) == -EINVAL);
	SIM_CHECK(grant(domain, RESETS, 1) == -EBUSY);
	SIM_CHECK(grant(other, MESSAGES, 0) == -EBUSY);
	fake_pci[RESETS].is_lost = true;
	SIM_CHECK(grant(domain, RESETS, 2) == -EIO);
	fake_pci[RESETS].is_lost = false;
	sim.host.pci.function[RESETS].is_misplaced = true;
	SIM_CHECK(grant(domain, RESETS, 2) == -ERANGE);
	sim.host.pci.function[RESETS].is_misplaced = false;
	/* No interrupt: nothing is left of the try. */
	sim.host.pci.function[LINE].info.irq_line = 5;
	SIM_CHECK(grant(domain, LINE, 2) == -ENODEV);
	SIM_CHECK(!table_is_mapped(&domain->space.table,
				   GATE_DEVICE_BAR_VA(2, 0), 8 * GIB(1)));
	sim.host.pci.function[LINE].info.irq_line = IRQ_LINE;
	SIM_CHECK(grant(domain, LINE, 2) == 0);
}

/* The second owner's memory is the first's, and empty. */
static void grants(void *unused)
{
	struct domain *domain, *other;
	hpa_t dma;

	(void)unused;
	host_begin();
	domain = domain_make();
	other = domain_make();
	SIM_CHECK(!grant(domain, MESSAGES, 1));
	check_told(domain);
	check_refusals(domain, other);
	dma = domain->config->device[1].dma_address;
	*(uint64_t *)phys_to_virt(dma) = 1;
	domain_unmake(domain);
	SIM_CHECK(!grant(other, MESSAGES, 3));
	SIM_CHECK(other->config->device[3].dma_address == dma);
	SIM_CHECK(!*(uint64_t *)phys_to_virt(dma));
	SIM_CHECK(!grant(other, RESETS, 4));
	SIM_CHECK(other->config->device[4].vector_count == GATE_DEVICE_VECTORS);
	for (unsigned i = 0; i < GATE_DEVICE_VECTORS + 2; i++)
		SIM_CHECK(fake_pci[RESETS].is_masked[i] ==
			  (i >= GATE_DEVICE_VECTORS));
	SIM_CHECK(fake_pci[RESETS].resets == 2);
	domain_unmake(other);
	SIM_CHECK(fake_pci[RESETS].resets == 3);
	/* At once: that reset is waited for, and is enough. */
	domain = domain_make();
	SIM_CHECK(!grant(domain, RESETS, 0));
	SIM_CHECK(fake_pci[RESETS].resets == 3);
	domain_unmake(domain);
	host_end();
}

static void test_grants(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		setup(seed, nothing);
		(void)host_thread(grants, NULL, 0);
		run_all(seed);
	}
}

/* ---- How long it takes --------------------------------------------------- */

#define LARGE	   FUNCTIONS
#define LARGE_BASE 0xe0000000ULL
#define LARGE_SIZE MIB(64)
#define SMALLS	   512 /* leaves, in its first 2 MiB */
#define IN_A_ROW   32  /* leaves, of whatever size */
#define LEAVES	   (SMALLS + LARGE_SIZE / PAGE_2M - 1)

static uint64_t irq_opens(void)
{
	return sim.cpu[sim.current].irq_opens;
}

static struct pci_function *large_add(unsigned vectors, uint8_t line)
{
	struct pci_function *function =
		fake_pci_add(ADDRESS(LARGE), vectors, line, false);

	function->bar[BAR] = (struct pci_bar){ 0, LARGE_BASE, LARGE_SIZE };
	function->monitors[0] =
		(struct pci_range){ BAR, 2 * PAGE_SIZE, 3 * PAGE_SIZE };
	return function;
}

/* Interrupts come in between pieces, also where the grant fails. */
static void pieces(void *unused)
{
	struct domain *domain;
	uint64_t opens;

	(void)unused;
	host_begin();
	domain = domain_make();
	(void)large_add(FAKE_PCI_VECTORS, 0);
	opens = irq_opens();
	SIM_CHECK(!grant(domain, LARGE, 0));
	SIM_CHECK(irq_opens() - opens >= LEAVES / IN_A_ROW + FAKE_PCI_VECTORS);
	domain_unmake(domain);
	/* Without an interrupt it can be had; with one that is none, not. */
	sim.host.pci.function[LARGE].msix = 0;
	domain = domain_make();
	SIM_CHECK(!grant(domain, LARGE, 0));
	domain_unmake(domain);
	sim.host.pci.function[LARGE].info.irq_line = 5; /* by edges */
	domain = domain_make();
	opens = irq_opens();
	SIM_CHECK(grant(domain, LARGE, 0) == -ENODEV);
	SIM_CHECK(irq_opens() - opens >= 2 * (LEAVES / IN_A_ROW));
	SIM_CHECK(!table_is_mapped(&domain->space.table,
				   GATE_DEVICE_BAR_VA(0, 0), 8 * GIB(1)));
	domain_unmake(domain);
	host_end();
}

static void test_pieces(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		setup(seed, nothing);
		(void)host_thread(pieces, NULL, 0);
		run_all(seed);
	}
}

/* ---- Interrupts ---------------------------------------------------------- */

static unsigned sent[FUNCTIONS], seen[FUNCTIONS];

static void master(struct user_thread *user, unsigned n)
{
	const struct gate_row row = { 0 };

	irq_disable();
	SIM_CHECK(gate_device_write(user, n, PCI_COMMAND, 2, UINT32_MAX,
				    &row) == 0);
	SIM_CHECK(gate_device_read(user, n, PCI_COMMAND, 2, 0, &row) ==
		  (long)fake_pci[n].command);
	SIM_CHECK(fake_pci[n].command & PCI_COMMAND_MASTER);
	SIM_CHECK(!(fake_pci[n].command & PCI_COMMAND_IO));
	SIM_CHECK(gate_device_read(user, n, 1, 2, 0, &row) == -EINVAL);
	SIM_CHECK(gate_device_read(user, n, 256, 4, 0, &row) == -EINVAL);
	SIM_CHECK(gate_device_read(user, n, 0, 3, 0, &row) == -EINVAL);
	SIM_CHECK(gate_device_read(user, FUNCTIONS, 0, 4, 0, &row) == -ENODEV);
	irq_enable();
}

/* Each that it is told of is acknowledged, and has come. */
static void events_take(struct user_thread *user, uint64_t events)
{
	for (unsigned n = 0; n < FUNCTIONS; n++) {
		long came;

		if (!(events & BIT(GATE_EVENT_DEVICE_BIT(n))))
			continue;
		fake_pci[n].is_asserted = false;
		came = call(user, gate_device_ack, n, 0);
		SIM_CHECK(came == 1);
		seen[n]++;
	}
}

static void driver(struct user_thread *user)
{
	bool is_done;

	for (unsigned n = 0; n < FUNCTIONS; n++)
		master(user, n);
	do {
		events_take(user, (uint64_t)call(user, gate_wait, 0, 0));
		is_done = true;
		for (unsigned n = 0; n < FUNCTIONS; n++)
			is_done &= seen[n] >= EVENTS;
	} while (!is_done);
	(void)call(user, gate_exit, 0, 0);
}

/* Sends the next when the one before was seen; a storm meanwhile is one. */
static void devices_act(void)
{
	irq_disable();
	for (unsigned n = 0; n < FUNCTIONS; n++) {
		if (sent[n] == seen[n])
			sent[n]++;
		if (seen[n] < EVENTS)
			for (unsigned i = 0; i < 3; i++)
				fake_pci_send(n, 0);
	}
	irq_enable();
}

static void interrupts(void *unused)
{
	struct domain *domain;

	(void)unused;
	host_begin();
	domain = domain_make();
	for (unsigned n = 0; n < FUNCTIONS; n++)
		SIM_CHECK(!grant(domain, n, n));
	SIM_CHECK(!domain_start(domain, FAKE_ENTRY));
	host_end();
	while (domain->state != GATE_DOMAIN_ENDED) {
		devices_act();
		host_pause(1);
	}
	host_begin();
	domain_unmake(domain);
	host_end();
	/* After its end nothing is anybody's. */
	irq_disable();
	for (unsigned n = 0; n < FUNCTIONS; n++)
		fake_pci_send(n, 0);
	irq_enable();
}

static void test_interrupts(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		memset(sent, 0, sizeof(sent));
		memset(seen, 0, sizeof(seen));
		setup(seed, driver);
		(void)host_thread(interrupts, NULL, 0);
		run_all(seed);
		assert_int_equal(ends, 1);
	}
}

/* ---- Strays -------------------------------------------------------------- */

static bool is_open(void)
{
	return fake_vms.unmasked & 1U << IRQ_LINE;
}

static void stray(void)
{
	irq_disable();
	irq_arrived(&sim.host.irqs, IRQ_LINE, 0);
	irq_enable();
}

/*
 * A device that was read, or reset, while its interrupt was on its way does not
 * assert any more: who waits for the next one is to get it.  What never ends is
 * masked.
 */
static void strays(void *unused)
{
	struct domain *domain;

	(void)unused;
	host_begin();
	domain = domain_make();
	SIM_CHECK(!grant(domain, LINE, 0));
	SIM_CHECK(is_open());
	stray();
	SIM_CHECK(is_open());
	fake_pci_send(LINE, 0);
	SIM_CHECK(vm_host()->devices.device[LINE].pending == 1);
	SIM_CHECK(is_open());
	for (unsigned i = 1; i < DEVICE_STRAYS_MAX; i++) {
		stray();
		SIM_CHECK(is_open());
	}
	stray();
	SIM_CHECK(!is_open());
	domain_unmake(domain);
	host_end();
}

static void test_strays(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		setup(seed, nothing);
		(void)host_thread(strays, NULL, 0);
		run_all(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_strays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
