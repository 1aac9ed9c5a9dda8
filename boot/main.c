/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader's world to the monitor's: takes memory over, builds
 * the final page tables, starts clocks and CPUs, reads the manifest and hands
 * over to core.
 */
#include "boot/boot.h"
#include "boot/speculation.h"

#include "include/errno.h"
#include "include/log.h"
#include "include/panic.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "include/x86_state.h"
#include "kernel/host.h"
#include "kernel/trap.h"
#include "mm/phys.h"

#define COM1	       0x3f8
#define LOW_MEMORY_END MIB(1)
#define TRAMPOLINE_MIN 0x8000ULL
#define TRAMPOLINE_MAX 0x9f000ULL
#define LAPIC_SIZE     4096
#define IOAPIC_SIZE    4096

extern const char image_init_text[], image_init_rodata[], image_init_data[];
extern const char image_text[], image_rodata[], image_data[], image_end[];
extern char boot_stack_guard[], boot_stack_top[], boot_trap_stack_top[];

static struct boot_info boot_info;

static void early_init(struct host *host)
{
	struct cpu *cpu = &host->boot_cpu;

	cpu->host = host;
	host->cpu[0] = cpu;
	host->cpu_count = 1;
	host->time.boot_tsc = time_now_tsc();
	trap_build_idt();
	for (unsigned i = 0; i < TRAP_STACKS; i++)
		cpu->tss.ist[i] = (uint64_t)boot_trap_stack_top;
	cpu_init(cpu);
	log_init(&host->log, &log_ports, COM1);
	log_info("Bulkhead");
}

/* A page below 1 MiB for the other CPUs to start in; 0: none. */
static hpa_t trampoline_find(const struct boot_ranges *ram)
{
	for (unsigned i = 0; i < ram->count; i++) {
		const struct boot_range *range = &ram->range[i];
		hpa_t page =
			MAX(ALIGN_UP(range->base, PAGE_SIZE), TRAMPOLINE_MIN);

		if (page <= TRAMPOLINE_MAX &&
		    page + PAGE_SIZE <= range->base + range->length)
			return page;
	}
	return 0;
}

/*
 * What of the RAM is taken before the allocator sees it: low memory, the image
 * right behind it, modules.
 */
static int ram_reserve(struct boot_ranges *ram, const struct boot_info *boot)
{
	int error =
		ranges_remove(ram, 0, boot->image.base + boot->image.length);

	for (unsigned i = 0; !error && i < boot->modules.count; i++) {
		const struct boot_module *module = &boot->modules.module[i];
		hpa_t base = ALIGN_DOWN(module->base, PAGE_SIZE);
		hpa_t end = ALIGN_UP(module->base + module->length, PAGE_SIZE);

		error = ranges_remove(ram, base, end - base);
	}
	return error;
}

static hpa_t ram_top(const struct boot_ranges *ram)
{
	hpa_t top = 0;

	for (unsigned i = 0; i < ram->count; i++)
		top = MAX(top, ram->range[i].base + ram->range[i].length);
	return MIN(top, PHYSMAP_SIZE);
}

/* Gives the allocator the part of the RAM in [from, to). */
static void ram_release(struct host *host, const struct boot_ranges *ram,
			hpa_t from, hpa_t to)
{
	for (unsigned i = 0; i < ram->count; i++) {
		hpa_t base = MAX(ram->range[i].base, from);
		hpa_t end = MIN(ram->range[i].base + ram->range[i].length, to);

		if (base < end)
			pages_add(&host->pages, base, end - base);
	}
}

/* The physmap has all RAM but the image. */
static int physmap_fill(struct host *host, struct boot_info *boot)
{
	const struct boot_ranges *ram = &boot->ram;
	int error =
		ranges_remove(&boot->ram, boot->image.base, boot->image.length);

	for (unsigned i = 0; !error && i < ram->count; i++) {
		hpa_t end = ram->range[i].base + ram->range[i].length;

		if (ram->range[i].base < PHYSMAP_SIZE)
			error = map_add_ram(&host->map, ram->range[i].base,
					    MIN(end, PHYSMAP_SIZE) -
						    ram->range[i].base);
	}
	return error;
}

/* Does not return without memory for modules that have to move. */
static int modules_init(struct boot_info *boot)
{
	struct boot_ranges free = boot->ram;
	const struct boot_module *failed;
	int error = ram_reserve(&free, boot);

	if (error)
		return error;
	error = modules_place(&boot->ram, &free, &boot->modules, &failed);
	if (error)
		monitor_panic("no memory to move boot module %s, %lu KiB, to "
			      "pages of its own",
			      failed->name, failed->length / KIB(1));
	return 0;
}

static int memory_init(struct host *host, struct boot_info *boot)
{
	struct map_image image = {
		.init_text = (uint64_t)image_init_text,
		.init_rodata = (uint64_t)image_init_rodata,
		.init_data = (uint64_t)image_init_data,
		.text = (uint64_t)image_text,
		.rodata = (uint64_t)image_rodata,
		.data = (uint64_t)image_data,
		.end = (uint64_t)image_end,
		.boot_stack_guard = (uint64_t)boot_stack_guard,
	};
	struct boot_ranges ram = boot->ram;
	hpa_t top = ram_top(&ram);
	hpa_t metadata;
	int error;

	error = modules_init(boot);
	if (!error)
		error = ram_reserve(&ram, boot);
	if (error)
		return error;
	metadata = ranges_take(&ram, pages_metadata_size(top));
	if (!metadata)
		return -ENOMEM;
	pages_init(&host->pages, phys_to_virt(metadata), top);
	ram_release(host, &ram, 0, BOOT_REACH);
	error = map_init(&host->map, &host->pages, &image);
	if (!error)
		error = physmap_fill(host, boot);
	if (error)
		return error;
	map_activate(&host->map);
	ram_release(host, &ram, BOOT_REACH, top);
	return 0;
}

static void interrupts_init(struct host *host)
{
	const struct acpi_info *acpi = &host->acpi;

	pic_mask_all();
	lapic_init(&host->lapic,
		   map_device(&host->map, acpi->lapic_address, LAPIC_SIZE));
	lapic_init_cpu(&host->lapic);
	host->boot_cpu.apic_id = lapic_id(&host->lapic);
	host->boot_cpu.node = acpi_node(acpi, host->boot_cpu.apic_id);
	for (unsigned i = 0; i < acpi->ioapic_count; i++) {
		void *registers = map_device(
			&host->map, acpi->ioapic[i].address, IOAPIC_SIZE);

		if (!registers || ioapic_add(&host->ioapics, registers,
					     acpi->ioapic[i].gsi_base))
			log_warn("I/O APIC at 0x%lx left alone",
				 acpi->ioapic[i].address);
	}
	irqs_init(&host->irqs, &host->ioapics, acpi->isa_irq);
}

static void log_memory(const struct host *host, const struct boot_info *boot)
{
	uint64_t bytes = 0, ram_bytes = 0;

	for (unsigned i = 0; i < boot->ram.count; i++)
		ram_bytes += boot->ram.range[i].length;
	for (unsigned i = 0; i < boot->modules.count; i++) {
		const struct boot_module *module = &boot->modules.module[i];

		bytes += module->length;
		log_dbg("module %s: %lu KiB at 0x%lx", module->name,
			module->length / KIB(1), module->base);
	}
	log_info("memory: %lu MiB, %lu MiB free; monitor image %lu KiB, "
		 "%u boot modules of %lu KiB",
		 ram_bytes / MIB(1),
		 (uint64_t)(host->pages.free * PAGE_SIZE / MIB(1)),
		 boot->image.length / KIB(1), boot->modules.count,
		 bytes / KIB(1));
	if (boot->modules_broken)
		log_warn("%u boot modules left out: their addresses are wrong",
			 boot->modules_broken);
	if (boot->modules_left_out)
		log_warn("%u boot modules left out: at most %u are read",
			 boot->modules_left_out, BOOT_MODULES_MAX);
}

static void log_protections(void)
{
	uint64_t cr4 = cr4_read();

	log_info("protections: W^X, NX%s%s%s",
		 cr4 & X86_CR4_SMEP ? ", SMEP" : "",
		 cr4 & X86_CR4_SMAP ? ", SMAP" : "",
		 cr4 & X86_CR4_UMIP ? ", UMIP" : "");
}

static void clocks_init(struct host *host)
{
	time_calibrate(&host->time, &host->lapic);
	time_init_cpu(&host->boot_cpu);
	log_info("time: TSC %lu.%03lu MHz, timer %s%s",
		 host->time.tsc_hz / 1000000, host->time.tsc_hz / 1000 % 1000,
		 host->lapic.has_tsc_deadline ? "TSC deadline" : "count",
		 host->lapic.registers ? "" : ", x2APIC");
}

/* Other CPUs run nothing yet: they come up at the end of this. */
static void host_init(struct host *host, uint32_t magic, hpa_t info)
{
	struct boot_info *boot = &boot_info;
	struct boot_range image = {
		.base = LOW_MEMORY_END,
		.length = virt_to_phys(image_end) - LOW_MEMORY_END,
	};
	hpa_t trampoline;
	int error;

	error = multiboot_parse(magic, info, &image, boot);
	if (error)
		monitor_panic("no usable Multiboot information (magic 0x%x, "
			      "error %d)",
			      magic, error);
	options_parse(boot, &host->options);
	host->log.level = host->options.log_level;
	if (acpi_parse(boot->rsdp, &host->acpi))
		log_warn("no ACPI tables: one CPU, no power-off");
	trampoline = trampoline_find(&boot->ram);
	error = memory_init(host, boot);
	if (!error)
		error = trap_stacks_alloc(host, &host->boot_cpu);
	if (error)
		monitor_panic("memory cannot be set up: error %d", error);
	log_memory(host, boot);
	log_protections();
	interrupts_init(host);
	clocks_init(host);
	pci_find(host, &boot->ram);
	sched_init_cpu(&host->boot_cpu, &host->boot_cpu.first_thread);
	host->boot_cpu.is_online = true;
	host->map.flush_all = host_flush_tlbs;
	irq_enable();
	smp_start_all(host, trampoline);
}

void boot_main(uint32_t magic, uint32_t info)
{
	struct host *host = &the_host;

	early_init(host);
	host_init(host, magic, info);
	host->modules = boot_info.modules;
	host->screen = boot_info.screen;
	if (boot_first_program(&host->modules, &host->first_program,
			       &host->first_module))
		host_power_off(HOST_EXIT_CODE_PANIC);
	speculation_init(host, !host->options.is_mitigations_off);
	programs_init(host);
	host_enter();
}
