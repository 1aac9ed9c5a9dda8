/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/pci.c, where two CPUs change one Command register: a device that is
 * quiesced while its interrupt is taken elsewhere stays without DMA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/host.h"
#include "kernel/pci.h"
#include "tests/unit/fake/gs.h"

#define ADDRESS	     0x18
#define CONFIG	     0xcf8
#define CONFIG_DATA  0xcfc
#define ID	     0x10421af4
#define RELEASES_MAX 8

FAKE_X86_DEFINE;

static struct host host;
static struct cpu cpu = { .host = &host };
static struct cpu *gs = &cpu;
static struct pci_function function = { .info.address = ADDRESS };

static uint32_t selected, command;
static bool is_asserted;

/* The other CPU has its turn when a lock has been released for the n-th time.
 */
static unsigned releases, turn;

void fake_lock_wait(struct spinlock *lock)
{
	(void)lock;
	fail_msg("nobody holds a lock for the other CPU");
}

void fake_lock_taken(struct spinlock *lock)
{
	assert_ptr_equal(lock, &host.pci.lock);
}

void fake_lock_tried(struct spinlock *lock)
{
	assert_ptr_equal(lock, &host.pci.lock);
}

void fake_lock_released(struct spinlock *lock)
{
	(void)lock;
}

static void other_cpu(void)
{
	if (++releases == turn)
		pci_quiesce(&function);
}

static uint32_t port_read(uint16_t port, unsigned size)
{
	uint32_t status = is_asserted ? (uint32_t)PCI_STATUS_INTX : 0;

	assert_int_equal(port, CONFIG_DATA);
	assert_int_equal(size, 4);
	return selected % 0x100 == PCI_COMMAND ? command | status : ID;
}

static void port_written(uint16_t port, unsigned size, uint32_t value)
{
	if (port == CONFIG) {
		selected = value;
		return;
	}
	assert_int_equal(size, 2);
	assert_int_equal(selected & 0xffff, ADDRESS << 8 | PCI_COMMAND);
	command = value;
}

static int setup(void **state)
{
	(void)state;
	fake_gs_set(&gs);
	fake_x86.port_read = port_read;
	fake_x86.port_written = port_written;
	fake_x86.irq_opened = other_cpu;
	fake_x86.is_irq_on = true;
	return 0;
}

static void test_quiesced(void **state)
{
	(void)state;
	for (turn = 1; turn < RELEASES_MAX; turn++) {
		releases = 0;
		is_asserted = true;
		command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
		(void)pci_intx_take(&function);
		if (releases < turn)
			pci_quiesce(&function);
		assert_int_equal(command,
				 PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX);
	}
}

static void test_taken(void **state)
{
	(void)state;
	turn = 0;
	command = PCI_COMMAND_MEMORY;
	is_asserted = false;
	assert_false(pci_intx_take(&function));
	assert_int_equal(command, PCI_COMMAND_MEMORY);
	is_asserted = true;
	assert_true(pci_intx_take(&function));
	assert_int_equal(command, PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX);
	assert_false(pci_intx_take(&function));
	pci_command(&function, PCI_COMMAND_NO_INTX, PCI_COMMAND_MASTER);
	assert_int_equal(command, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void test_read(void **state)
{
	(void)state;
	turn = 0;
	assert_int_equal(pci_read(ADDRESS, PCI_ID, 4), ID);
	assert_int_equal(pci_read(ADDRESS, PCI_ID, 2), 0x1af4);
	assert_int_equal(pci_read(ADDRESS, PCI_ID + 2, 2), 0x1042);
	assert_int_equal(pci_read(ADDRESS, PCI_ID + 1, 1), 0x1a);
	assert_int_equal(pci_read(ADDRESS, PCI_ID + 3, 1), 0x10);
	assert_int_equal(selected, BIT(31) | ADDRESS << 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_quiesced, setup),
		cmocka_unit_test_setup(test_taken, setup),
		cmocka_unit_test_setup(test_read, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
