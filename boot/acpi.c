/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's ACPI tables: CPUs and I/O APICs of the MADT, the power registers
 * of the FADT, and the S5 sleep types found by scanning the DSDT for the
 * package named _S5_; no AML is interpreted.
 *
 * Runs on the boot tables, which map the first 4 GiB: tables above that are
 * left alone.
 *
 * References: ACPI Specification 6.5, "ACPI Software Programming Model",
 * "ACPI Machine Language Specification".
 */
#include "boot/boot.h"

#include "include/errno.h"
#include "lib/string.h"
#include "mm/phys.h"

#define RSDP_SIGNATURE	 "RSD PTR "
#define RSDP_V1_LENGTH	 20
#define EBDA_SEGMENT	 0x40e
#define BIOS_START	 0xe0000
#define BIOS_END	 0x100000
#define TABLE_LENGTH_MAX MIB(16)
/* The root table of no machine lists more. */
#define TABLES_MAX	 1024
#define LAPIC_DEFAULT	 0xfee00000

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved[3];
} __packed;

struct table_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision, creator, creator_revision;
} __packed;
ASSERT_SIZE(struct table_header, 36);

struct fadt {
	struct table_header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control;
	uint32_t pm2_control, pm_timer, gpe0, gpe1;
	uint8_t lengths[4];
	uint8_t reserved1[20];
	uint32_t flags;
} __packed;
ASSERT_OFFSET(struct fadt, flags, 112);

#define FADT_TIMER_32BIT BIT(8)

struct madt {
	struct table_header header;
	uint32_t lapic_address, flags;
	uint8_t entries[];
} __packed;

/* clang-format off */
enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,
};
#define MADT_CPU_ENABLED     BIT(0)
#define MADT_POLARITY	     MASK(1, 0)
#define   POLARITY_LOW	     3
#define MADT_TRIGGER	     MASK(3, 2)
#define   TRIGGER_LEVEL	     3

enum aml_op {
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_PACKAGE = 0x12,
};
#define AML_LENGTH_BYTES     MASK(7, 6)
/* clang-format on */

struct madt_lapic {
	uint8_t type, length, processor, apic_id;
	uint32_t flags;
} __packed;

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} __packed;

struct madt_override {
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;
} __packed;

struct madt_lapic_address {
	uint8_t type, length;
	uint16_t reserved;
	uint64_t address;
} __packed;

struct madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t apic_id, flags, processor;
} __packed;

static bool sum_is_zero(const void *bytes, uint64_t length)
{
	const uint8_t *p = bytes;
	uint8_t sum = 0;

	while (length--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

static const struct rsdp *rsdp_at(hpa_t hpa)
{
	const struct rsdp *rsdp;

	if (hpa > BOOT_REACH - sizeof(*rsdp))
		return NULL;
	rsdp = phys_to_virt(hpa);
	if (memcmp(rsdp->signature, RSDP_SIGNATURE, 8) ||
	    !sum_is_zero(rsdp, RSDP_V1_LENGTH))
		return NULL;
	return rsdp;
}

static const struct rsdp *rsdp_scan(hpa_t from, hpa_t to)
{
	const struct rsdp *rsdp;

	for (; from + sizeof(*rsdp) <= to; from += 16) {
		rsdp = rsdp_at(from);
		if (rsdp)
			return rsdp;
	}
	return NULL;
}

static const struct rsdp *rsdp_find(hpa_t given)
{
	const struct rsdp *rsdp = NULL;
	const uint16_t *segment = phys_to_virt(EBDA_SEGMENT);
	hpa_t ebda = (hpa_t)*segment << 4;

	if (given)
		rsdp = rsdp_at(given);
	if (!rsdp && ebda)
		rsdp = rsdp_scan(ebda, ebda + KIB(1));
	if (!rsdp)
		rsdp = rsdp_scan(BIOS_START, BIOS_END);
	return rsdp;
}

/* NULL unless it is a sane table of that signature below 4 GiB. */
static const struct table_header *table_at(hpa_t hpa, const char *signature)
{
	const struct table_header *table;

	if (!hpa || hpa > BOOT_REACH - sizeof(*table))
		return NULL;
	table = phys_to_virt(hpa);
	if (memcmp(table->signature, signature, sizeof(table->signature)) ||
	    table->length < sizeof(*table) ||
	    table->length > MIN(TABLE_LENGTH_MAX, BOOT_REACH - hpa))
		return NULL;
	return sum_is_zero(table, table->length) ? table : NULL;
}

/* Version 1 has no more than RSDP_V1_LENGTH bytes; later ones sum up again. */
static bool rsdp_has_xsdt(const struct rsdp *rsdp)
{
	return rsdp->revision >= 2 && rsdp->length == sizeof(*rsdp) &&
	       rsdp->xsdt && sum_is_zero(rsdp, sizeof(*rsdp));
}

/* System Resource Affinity Table */
struct srat {
	struct table_header header;
	uint8_t reserved[12];
	uint8_t entries[];
} __packed;

enum srat_type { SRAT_LAPIC = 0, SRAT_MEMORY = 1, SRAT_X2APIC = 2 };

#define SRAT_ENABLED BIT(0)

struct srat_lapic {
	uint8_t type, length, node_low, apic_id;
	uint32_t flags;
	uint8_t sapic_eid, node_high[3];
	uint32_t clock_domain;
} __packed;

struct srat_memory {
	uint8_t type, length;
	uint32_t node;
	uint16_t reserved;
	uint64_t base, size;
	uint32_t reserved1, flags;
	uint64_t reserved2;
} __packed;

struct srat_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t node, apic_id, flags, clock_domain, reserved1;
} __packed;

static const void *table_find(const struct rsdp *rsdp, const char *signature)
{
	bool is_wide = rsdp_has_xsdt(rsdp);
	const struct table_header *root =
		is_wide ? table_at(rsdp->xsdt, "XSDT")
			: table_at(rsdp->rsdt, "RSDT");
	unsigned entry_size = is_wide ? 8 : 4;
	unsigned count;

	if (!root)
		return NULL;
	count = (root->length - sizeof(*root)) / entry_size;
	for (unsigned i = 0; i < MIN(count, TABLES_MAX); i++) {
		const struct table_header *table;
		uint64_t address = 0;

		memcpy(&address, (const uint8_t *)(root + 1) + i * entry_size,
		       entry_size);
		table = table_at(address, signature);
		if (table)
			return table;
	}
	return NULL;
}

static void cpu_add(struct acpi_info *info, uint32_t apic_id, uint32_t flags)
{
	if (!(flags & MADT_CPU_ENABLED))
		return;
	/* A CPU may be listed in both ways; it is started once. */
	for (unsigned i = 0; i < info->cpu_count; i++)
		if (info->cpu_apic_id[i] == apic_id)
			return;
	if (info->cpu_count == ACPI_CPUS_MAX)
		info->cpus_left_out++;
	else
		info->cpu_apic_id[info->cpu_count++] = apic_id;
}

static void override_add(struct acpi_info *info, const struct madt_override *o)
{
	struct acpi_isa_irq *irq;

	if (o->irq >= ACPI_ISA_IRQ_COUNT)
		return;
	irq = &info->isa_irq[o->irq];
	irq->gsi = o->gsi;
	irq->is_active_low = FIELD_GET(MADT_POLARITY, o->flags) == POLARITY_LOW;
	irq->is_level = FIELD_GET(MADT_TRIGGER, o->flags) == TRIGGER_LEVEL;
}

static void ioapic_note(struct acpi_info *info, const struct madt_ioapic *entry)
{
	if (info->ioapic_count == ACPI_IOAPICS_MAX)
		return;
	info->ioapic[info->ioapic_count++] =
		(struct acpi_ioapic){ entry->address, entry->gsi_base };
}

static void madt_entry(struct acpi_info *info, const void *entry)
{
	const struct madt_lapic *lapic = entry;
	const struct madt_x2apic *x2apic = entry;
	const struct madt_lapic_address *address = entry;

	switch (lapic->type) {
	case MADT_LAPIC:
		cpu_add(info, lapic->apic_id, lapic->flags);
		break;
	case MADT_X2APIC:
		cpu_add(info, x2apic->apic_id, x2apic->flags);
		break;
	case MADT_IOAPIC:
		ioapic_note(info, entry);
		break;
	case MADT_OVERRIDE:
		override_add(info, entry);
		break;
	case MADT_LAPIC_ADDRESS:
		info->lapic_address = address->address;
		break;
	}
}

typedef void (*entry_fn)(struct acpi_info *info, const void *entry);

/* Each entry that is as long as one of its type must be to be read as one. */
static void entries_parse(struct acpi_info *info,
			  const struct table_header *table, const uint8_t *at,
			  const uint8_t *lengths, unsigned types, entry_fn fn)
{
	const uint8_t *end = (const uint8_t *)table + table->length;

	while (end - at >= 2 && at[1] >= 2 && at[1] <= end - at) {
		if (at[0] < types && at[1] >= lengths[at[0]])
			fn(info, at);
		at += at[1];
	}
}

static void madt_parse(struct acpi_info *info, const struct madt *madt)
{
	static const uint8_t lengths[] = {
		[MADT_LAPIC] = sizeof(struct madt_lapic),
		[MADT_IOAPIC] = sizeof(struct madt_ioapic),
		[MADT_OVERRIDE] = sizeof(struct madt_override),
		[MADT_LAPIC_ADDRESS] = sizeof(struct madt_lapic_address),
		[MADT_X2APIC] = sizeof(struct madt_x2apic),
	};

	if (madt->header.length < sizeof(*madt))
		return;
	info->lapic_address = madt->lapic_address;
	entries_parse(info, &madt->header, madt->entries, lengths,
		      ARRAY_SIZE(lengths), madt_entry);
}

/* ---- Who is near to what ------------------------------------------------- */

static void node_set(struct acpi_info *info, uint32_t apic_id, uint32_t node)
{
	for (unsigned i = 0; i < info->cpu_count; i++)
		if (info->cpu_apic_id[i] == apic_id)
			info->cpu_node[i] = node;
}

static void memory_add(struct acpi_info *info, const struct srat_memory *memory)
{
	if (info->memory_count == ACPI_MEMORY_MAX ||
	    memory->base + memory->size <= memory->base)
		return;
	info->memory[info->memory_count++] =
		(struct acpi_memory){ memory->base, memory->base + memory->size,
				      memory->node };
}

static void srat_entry(struct acpi_info *info, const void *entry)
{
	const struct srat_lapic *lapic = entry;
	const struct srat_memory *memory = entry;
	const struct srat_x2apic *x2apic = entry;

	if (lapic->type == SRAT_MEMORY && memory->flags & SRAT_ENABLED)
		memory_add(info, memory);
	else if (lapic->type == SRAT_X2APIC && x2apic->flags & SRAT_ENABLED)
		node_set(info, x2apic->apic_id, x2apic->node);
	else if (lapic->type == SRAT_LAPIC && lapic->flags & SRAT_ENABLED)
		node_set(info, lapic->apic_id,
			 lapic->node_low | (uint32_t)lapic->node_high[0] << 8 |
				 (uint32_t)lapic->node_high[1] << 16 |
				 (uint32_t)lapic->node_high[2] << 24);
}

/* After the MADT, which says what CPUs there are. */
static void srat_parse(struct acpi_info *info, const struct srat *srat)
{
	static const uint8_t lengths[] = {
		[SRAT_LAPIC] = sizeof(struct srat_lapic),
		[SRAT_MEMORY] = sizeof(struct srat_memory),
		[SRAT_X2APIC] = sizeof(struct srat_x2apic),
	};

	if (srat->header.length < sizeof(*srat))
		return;
	entries_parse(info, &srat->header, srat->entries, lengths,
		      ARRAY_SIZE(lengths), srat_entry);
	for (unsigned i = 1; i < info->memory_count; i++)
		if (info->memory[i].node != info->memory[0].node)
			return;
	info->memory_count = 0;
}

uint32_t acpi_node(const struct acpi_info *info, uint32_t apic_id)
{
	for (unsigned i = 0; i < info->cpu_count; i++)
		if (info->cpu_apic_id[i] == apic_id)
			return info->cpu_node[i];
	return 0;
}

/* ---- Power --------------------------------------------------------------- */

/* An AML integer of a package element; false: something else. */
static bool aml_integer(const uint8_t **at, const uint8_t *end, uint8_t *value)
{
	if (*at >= end)
		return false;
	*value = *(*at)++;
	if (*value == AML_BYTE) {
		if (*at >= end)
			return false;
		*value = *(*at)++;
		return true;
	}
	return *value <= 1; /* ZeroOp, OneOp */
}

/* NameOp _S5_ PackageOp PkgLength NumElements integer integer ... */
static bool s5_parse(struct acpi_info *info, const uint8_t *at,
		     const uint8_t *end)
{
	if (end - at < 7 || at[4] != AML_PACKAGE)
		return false;
	at += 5;
	at += 1 + FIELD_GET(AML_LENGTH_BYTES, *at);
	at++;
	info->has_s5 = aml_integer(&at, end, &info->s5_type_a) &&
		       aml_integer(&at, end, &info->s5_type_b);
	return info->has_s5;
}

static void dsdt_scan(struct acpi_info *info, const struct table_header *dsdt)
{
	const uint8_t *at = (const uint8_t *)(dsdt + 1);
	const uint8_t *end = (const uint8_t *)dsdt + dsdt->length;

	for (at++; end - at >= 4; at++) {
		bool is_name = at[-1] == AML_NAME ||
			       (at[-1] == '\\' && at[-2] == AML_NAME);

		if (is_name && memcmp(at, "_S5_", 4) == 0 &&
		    s5_parse(info, at, end))
			return;
	}
}

static void fadt_parse(struct acpi_info *info, const struct fadt *fadt)
{
	const struct table_header *dsdt;

	if (fadt->header.length < sizeof(*fadt))
		return;
	info->pm1a_control = (uint16_t)fadt->pm1a_control;
	info->pm1b_control = (uint16_t)fadt->pm1b_control;
	info->pm_timer = (uint16_t)fadt->pm_timer;
	info->is_pm_timer_32bit = fadt->flags & FADT_TIMER_32BIT;
	info->smi_command = (uint16_t)fadt->smi_command;
	info->acpi_enable = fadt->acpi_enable;
	dsdt = table_at(fadt->dsdt, "DSDT");
	if (dsdt)
		dsdt_scan(info, dsdt);
}

int acpi_parse(hpa_t given, struct acpi_info *info)
{
	const struct rsdp *rsdp = rsdp_find(given);
	const struct madt *madt = rsdp ? table_find(rsdp, "APIC") : NULL;
	const struct srat *srat = rsdp ? table_find(rsdp, "SRAT") : NULL;
	const struct fadt *fadt = rsdp ? table_find(rsdp, "FACP") : NULL;

	memset(info, 0, sizeof(*info));
	info->lapic_address = LAPIC_DEFAULT;
	for (unsigned i = 0; i < ACPI_ISA_IRQ_COUNT; i++)
		info->isa_irq[i].gsi = i;
	if (!rsdp)
		return -ENODEV;
	info->is_present = true;
	if (madt)
		madt_parse(info, madt);
	if (srat)
		srat_parse(info, srat);
	if (fadt)
		fadt_parse(info, fadt);
	return 0;
}
