/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board pv, as a kernel finds it that was started by Multiboot 1 or 2 or by
 * PVH: what it is told of memory and ACPI, that nothing of a PC answers, PCI,
 * KVM's interface and x2APIC, and a reset by ACPI's register, after which all
 * is as at first.
 */
#include "tests/guest/lib/guest.h"

#include "firmware/acpi_layout.h"
#include "lib/string.h"

#define MULTIBOOT1_MAGIC 0x2badb002u
#define MULTIBOOT2_MAGIC 0x36d76289u
#define PVH_MAGIC	 0x336ec578u
#define MULTIBOOT2_RSDP	 15
#define MULTIBOOT2_MAP	 6
#define RAM_BYTES	 (MIB(64) - MIB(1)) /* above 1 MiB, of run-guest */
#define ACPI_EVENTS	 0x603
#define CPUID_HYPERVISOR 0x40000000u
#define L1_ECX_X2APIC	 BIT(21)
#define MSR_APIC_BASE	 0x1b
#define BASE_X2APIC	 BIT(10)
#define MSR_X2APIC_ID	 0x802
/* Low memory that nobody places anything in; a reset leaves it alone. */
#define STAGE_GPA	 0x70000
#define STAGE_RESET	 0x5245534554ull

static const void *at(uint64_t gpa)
{
	return (const void *)gpa;
}

static uint32_t word_at(uint64_t gpa)
{
	return *(const uint32_t *)gpa;
}

static uint64_t quad_at(uint64_t gpa)
{
	uint64_t value;

	memcpy(&value, at(gpa), sizeof(value));
	return value;
}

/* ---- What the loader says --------------------------------------------------
 */

struct told {
	uint64_t rsdp;
	uint64_t high; /* bytes of RAM that begins at 1 MiB */
};

static void map_entry(struct told *told, uint64_t base, uint64_t length,
		      uint32_t type)
{
	if (base == MIB(1) && type == 1)
		told->high = length;
}

static void told_by_multiboot1(struct told *told)
{
	uint32_t size = word_at(boot_info + 44), gpa = word_at(boot_info + 48);

	for (uint32_t end = gpa + size; gpa < end; gpa += word_at(gpa) + 4)
		map_entry(told, quad_at(gpa + 4), quad_at(gpa + 12),
			  word_at(gpa + 20));
	/* Where kernels look that are not told. */
	for (uint64_t place = 0xe0000; place < 0x100000; place += 16)
		if (!memcmp(at(place), "RSD PTR ", 8))
			told->rsdp = place;
}

static void told_by_multiboot2(struct told *told)
{
	uint64_t tag = boot_info + 8, end = boot_info + word_at(boot_info);

	for (; tag < end; tag += ALIGN_UP(word_at(tag + 4), 8)) {
		if (word_at(tag) == MULTIBOOT2_RSDP)
			told->rsdp = tag + 8;
		if (word_at(tag) != MULTIBOOT2_MAP)
			continue;
		for (uint64_t entry = tag + 16; entry < tag + word_at(tag + 4);
		     entry += word_at(tag + 8))
			map_entry(told, quad_at(entry), quad_at(entry + 8),
				  word_at(entry + 16));
	}
}

static void told_by_pvh(struct told *told)
{
	uint64_t entry = quad_at(boot_info + 40);

	told->rsdp = quad_at(boot_info + 32);
	for (uint32_t i = 0; i < word_at(boot_info + 48); i++, entry += 24)
		map_entry(told, quad_at(entry), quad_at(entry + 8),
			  word_at(entry + 16));
}

static struct told loader_information(void)
{
	struct told told = { 0 };

	if (boot_magic == MULTIBOOT1_MAGIC) {
		print("Multiboot 1\n");
		told_by_multiboot1(&told);
	} else if (boot_magic == MULTIBOOT2_MAGIC) {
		print("Multiboot 2\n");
		told_by_multiboot2(&told);
	} else if (word_at(boot_info) == PVH_MAGIC) {
		print("PVH\n");
		told_by_pvh(&told);
	}
	return told;
}

/* ---- ACPI -------------------------------------------------------------------
 */

static const struct acpi_header *table_find(uint64_t rsdp,
					    const char *signature)
{
	const struct acpi_rsdp *root = at(rsdp);
	const struct acpi_header *xsdt = at(root->xsdt);

	for (uint32_t i = sizeof(*xsdt); i < xsdt->length; i += 8) {
		const struct acpi_header *table = at(quad_at(root->xsdt + i));

		if (!memcmp(table->signature, signature, 4))
			return table;
	}
	return NULL;
}

static uint16_t tables(const struct told *told)
{
	const struct acpi_fadt *fadt =
		(const void *)table_find(told->rsdp, "FACP");

	check("fadt", fadt != NULL);
	if (!fadt)
		return 0;
	check("hardware-reduced", fadt->flags & FADT_HW_REDUCED);
	check("madt", table_find(told->rsdp, "APIC") != NULL);
	return (uint16_t)fadt->reset_reg.address;
}

/* ---- Devices ----------------------------------------------------------------
 */

static void nothing_of_a_pc(void)
{
	static const uint16_t ports[] = { 0x20,	 0x21,	0x40,  0x43,  0x60,
					  0x61,	 0x64,	0x70,  0x71,  0x92,
					  0xa1,	 0x1f7, 0x2fd, 0x3da, 0x402,
					  0x510, 0x604 };

	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		if (in8(ports[i]) != 0xff) {
			fail("no-pc", "port %x answers", ports[i]);
			return;
		}
	pass("no-pc");
}

static void pci(void)
{
	unsigned functions = 0;

	for (uint32_t devfn = 0; devfn < 256; devfn++) {
		out32(0xcf8, 0x80000000 | devfn << 8);
		functions += in16(0xcfc) != 0xffff;
	}
	out32(0xcf8, 0x80000008);
	check_equal("host-bridge", in16(0xcfe), 0x0600);
	/* It and the console. */
	check_equal("functions", functions, 2);
	check_equal("no-events", in8(ACPI_EVENTS), 0);
}

static void processor(void)
{
	struct cpuid kvm = cpuid(CPUID_HYPERVISOR, 0);

	check_equal("kvm", kvm.ebx, 0x4b4d564b);
	check("rates", cpuid(CPUID_HYPERVISOR + 0x10, 0).eax &&
			       cpuid(CPUID_HYPERVISOR + 0x10, 0).ebx);
	check("x2apic-offered", cpuid(1, 0).ecx & L1_ECX_X2APIC);
	check_equal("xapic-at-first", rdmsr(MSR_APIC_BASE) & BASE_X2APIC, 0);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_X2APIC);
	check_equal("x2apic", rdmsr(MSR_X2APIC_ID), 0);
}

void guest_main(void)
{
	volatile uint64_t *stage = (void *)STAGE_GPA;
	struct told told = loader_information();
	bool is_again = *stage == STAGE_RESET;
	uint16_t reset;

	check_equal("memory-map", told.high, RAM_BYTES);
	check("rsdp", told.rsdp && !memcmp(at(told.rsdp), "RSD PTR ", 8));
	if (!told.rsdp)
		guest_end();
	reset = tables(&told);
	nothing_of_a_pc();
	pci();
	processor();
	if (is_again || !reset) {
		check("reset", is_again);
		guest_end();
	}
	*stage = STAGE_RESET;
	out8(reset, 1);
	fail("reset", "goes on behind it");
}
