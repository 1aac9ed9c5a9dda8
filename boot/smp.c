/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the other CPUs, one after another, by INIT and startup IPIs.
 *
 * References: SDM volume 3, "MP Initialization Protocol Algorithm for
 * MP Systems".
 */
#include "boot/boot.h"

#include "include/errno.h"
#include "include/log.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "lib/string.h"
#include "mm/phys.h"

#define INIT_DELAY_NS	 (10 * NSEC_PER_MS)
#define STARTUP_DELAY_NS (200 * NSEC_PER_US)
#define ONLINE_WAIT_NS	 (200 * NSEC_PER_MS)

struct smp_mailbox {
	uint64_t cr3;
	uint64_t stack_top;
	uint64_t cpu;
	uint64_t entry;
};

extern const char smp_trampoline[], smp_trampoline_end[], smp_mailbox[];
void smp_cpu_main(struct cpu *cpu);

/* First C code of a CPU. */
void smp_cpu_main(struct cpu *cpu)
{
	cpu_init(cpu);
	lapic_init_cpu(&cpu->host->lapic);
	time_init_cpu(cpu);
	sched_init_cpu(cpu, &cpu->first_thread);
	__atomic_store_n(&cpu->is_online, true, __ATOMIC_RELEASE);
	sched_idle();
}

/* NULL when out of memory; what was taken then stays taken: it is boot. */
static struct cpu *cpu_new(struct host *host, uint32_t apic_id)
{
	struct cpu *cpu = pages_alloc_zeroed(&host->pages, &host->account, 0);

	_Static_assert(sizeof(*cpu) <= PAGE_SIZE, "a CPU is a page");
	if (!cpu)
		return NULL;
	cpu->host = host;
	cpu->id = host->cpu_count;
	cpu->apic_id = apic_id;
	cpu->node = acpi_node(&host->acpi, apic_id);
	if (trap_stacks_alloc(host, cpu))
		return NULL;
	cpu->first_thread.stack_top = (uint64_t)map_stack_alloc(&host->map);
	return cpu->first_thread.stack_top ? cpu : NULL;
}

static bool online_wait(const struct cpu *cpu, uint64_t ns)
{
	uint64_t end = time_now_ns() + ns;

	while (!__atomic_load_n(&cpu->is_online, __ATOMIC_ACQUIRE)) {
		if (time_now_ns() > end)
			return false;
		cpu_relax();
	}
	return true;
}

static bool cpu_start(const struct host *host, const struct cpu *cpu,
		      hpa_t trampoline)
{
	uint32_t startup = LAPIC_STARTUP | (uint32_t)(trampoline >> PAGE_SHIFT);

	lapic_send(&host->lapic, cpu->apic_id, LAPIC_INIT);
	time_delay_ns(INIT_DELAY_NS);
	lapic_send(&host->lapic, cpu->apic_id, startup);
	if (online_wait(cpu, STARTUP_DELAY_NS))
		return true;
	lapic_send(&host->lapic, cpu->apic_id, startup);
	return online_wait(cpu, ONLINE_WAIT_NS);
}

static uint64_t trampoline_offset(const char *symbol)
{
	return (uint64_t)symbol - (uint64_t)smp_trampoline;
}

static int cpu_bring_up(struct host *host, uint32_t apic_id, hpa_t trampoline)
{
	char *code = phys_to_virt(trampoline);
	struct cpu *cpu = cpu_new(host, apic_id);
	struct smp_mailbox mailbox = {
		.cr3 = host->map.table.root,
		.cpu = (uint64_t)cpu,
		.entry = (uint64_t)smp_cpu_main,
	};

	if (!cpu)
		return -ENOMEM;
	mailbox.stack_top = cpu->first_thread.stack_top;
	memcpy(code, smp_trampoline, trampoline_offset(smp_trampoline_end));
	memcpy(code + trampoline_offset(smp_mailbox), &mailbox,
	       sizeof(mailbox));
	if (!cpu_start(host, cpu, trampoline))
		return -EIO;
	host->cpu[host->cpu_count++] = cpu;
	return 0;
}

void smp_start_all(struct host *host, hpa_t trampoline)
{
	const struct acpi_info *acpi = &host->acpi;
	int error;

	if (acpi->cpu_count > 1 && !trampoline) {
		log_warn("no page below 1 MiB: other CPUs stay off");
		return;
	}
	/* Mapped where it is, for the moment in which paging comes on. */
	if (table_map(&host->map.table, trampoline, trampoline, PAGE_SIZE,
		      MAP_READ | MAP_EXEC, MAP_WRITE_BACK))
		return;
	for (unsigned i = 0; i < acpi->cpu_count; i++) {
		if (acpi->cpu_apic_id[i] == host->boot_cpu.apic_id)
			continue;
		error = cpu_bring_up(host, acpi->cpu_apic_id[i], trampoline);
		if (error)
			log_err("CPU with APIC id %u does not start: error %d",
				acpi->cpu_apic_id[i], error);
	}
	if (table_unmap(&host->map.table, trampoline, PAGE_SIZE))
		log_warn("trampoline page stays mapped");
	map_guest_flush(&host->map);
	log_info("CPUs: %u running", host->cpu_count);
	if (acpi->cpus_left_out)
		log_warn("%u more CPUs left off", acpi->cpus_left_out);
}
