/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host's ACPI tables say, as far as the monitor wants to know.
 * Filled in by boot/acpi.c; read-only afterwards.
 */
#ifndef BULKHEAD_ACPI_H
#define BULKHEAD_ACPI_H

#include "include/compiler.h"

#define ACPI_CPUS_MAX	   64
#define ACPI_IOAPICS_MAX   8
#define ACPI_ISA_IRQ_COUNT 16
#define ACPI_MEMORY_MAX	   32

struct acpi_ioapic {
	hpa_t address;
	uint32_t gsi_base;
};

/* Where an ISA interrupt arrives. */
struct acpi_isa_irq {
	uint32_t gsi;
	bool is_level;
	bool is_active_low;
};

/* Memory that a proximity domain's CPUs are nearer to than others. */
struct acpi_memory {
	hpa_t base;
	hpa_t end;
	uint32_t node;
};

struct acpi_info {
	bool is_present;
	hpa_t lapic_address;
	unsigned cpu_count; /* usable ones; 0: no MADT */
	uint32_t cpu_apic_id[ACPI_CPUS_MAX];
	uint32_t cpu_node[ACPI_CPUS_MAX]; /* its proximity domain, or 0 */
	unsigned cpus_left_out;		  /* beyond ACPI_CPUS_MAX */
	unsigned memory_count;		  /* 0: all is equally near to all */
	struct acpi_memory memory[ACPI_MEMORY_MAX];
	unsigned ioapic_count;
	struct acpi_ioapic ioapic[ACPI_IOAPICS_MAX];
	struct acpi_isa_irq isa_irq[ACPI_ISA_IRQ_COUNT];
	/* Power: ports, 0 if unknown; S5 sleep types of the two blocks. */
	uint16_t pm1a_control, pm1b_control;
	uint16_t pm_timer;
	bool is_pm_timer_32bit;
	bool has_s5;
	uint8_t s5_type_a, s5_type_b;
	uint16_t smi_command;
	uint8_t acpi_enable;
};

#endif
