/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends the host: by ACPI S5 on real machines, or by the simulator's own
 * means when the manifest asks for it.
 *
 * References: ACPI Specification 6.5, "Power Management 1 Control"; QEMU's
 * isa-debug-exit and Bochs' port 8900h by their documentation.
 */
#include "include/log.h"
#include "include/x86.h"
#include "kernel/host.h"

#define PM1_SLP_TYP MASK(12, 10)
#define PM1_SLP_EN  BIT(13)
#define PM1_SCI_EN  BIT(0)

#define ISA_DEBUG_EXIT 0xf4
#define BOCHS_EXIT     0x8900
#define ACPI_WAIT_SPIN 1000000

static void pm1_sleep(uint16_t port, uint8_t type)
{
	uint16_t value;

	if (!port)
		return;
	value = port_read16(port);
	value &= (uint16_t) ~(PM1_SLP_TYP | PM1_SLP_EN);
	value |= (uint16_t)(FIELD_PUT(PM1_SLP_TYP, type) | PM1_SLP_EN);
	port_write16(port, value);
}

static void acpi_power_off(const struct acpi_info *acpi)
{
	if (!acpi->has_s5 || !acpi->pm1a_control)
		return;
	/* Firmware may still own the power registers: ask for them. */
	if (acpi->smi_command && acpi->acpi_enable &&
	    !(port_read16(acpi->pm1a_control) & PM1_SCI_EN)) {
		port_write8(acpi->smi_command, acpi->acpi_enable);
		for (unsigned i = 0; i < ACPI_WAIT_SPIN; i++)
			if (port_read16(acpi->pm1a_control) & PM1_SCI_EN)
				break;
	}
	pm1_sleep(acpi->pm1a_control, acpi->s5_type_a);
	pm1_sleep(acpi->pm1b_control, acpi->s5_type_b);
	for (unsigned i = 0; i < ACPI_WAIT_SPIN; i++)
		cpu_relax();
}

void host_power_off(uint8_t code)
{
	struct host *host = this_host();
	static const char bochs_word[] = "Shutdown";

	irq_disable();
	log_flush(&host->log);
	if (host->off == GATE_OFF_ISA_DEBUG)
		port_write8(ISA_DEBUG_EXIT, code);
	if (host->off == GATE_OFF_BOCHS)
		for (const char *p = bochs_word; *p; p++)
			port_write8(BOCHS_EXIT, (uint8_t)*p);
	acpi_power_off(&host->acpi);
	log_info("it is now safe to turn off the host");
	cpu_halt_forever();
}
