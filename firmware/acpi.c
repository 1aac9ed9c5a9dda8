/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables from the board description.
 *
 * All tables but the RSDP lie in one block.  While it is built, a pointer in
 * it holds the target's offset in the block; the loader's commands, written
 * along the way, turn offsets into addresses and put checksums in.  SeaBIOS
 * runs them, or acpi_tables_place() for guests without firmware.
 *
 * Tables of ACPI 1.0 differ from later ones in the FADT, which ends earlier,
 * and in the RSDP, which knows no XSDT.  Both can be there: then the RSDT leads
 * to one FADT and the XSDT to the other.
 *
 * A board without the registers of a PC (BOARD_IS_REDUCED) has a DSDT of its
 * own, no FACS, and an FADT that says so.
 *
 * Not modelled: hot-plug, SRAT and SLIT, x2APIC entries (ids are below 255).
 *
 * References: ACPI 6.5, "ACPI Software Programming Model", "ACPI Machine
 * Language (AML) Specification"; QEMU, "QEMU Firmware Configuration Device".
 */
#include "firmware/acpi.h"

#include "devices/acpi_reduced.h"
#include "include/errno.h"
#include "firmware/acpi_layout.h"
#include "firmware/buffer.h"
#include "firmware/dsdt.hex"
#include "firmware/dsdt_pv.hex"
#include "firmware/parallel.hex"

#define OEM_ID	     "BULKHD"
#define OEM_TABLE_ID "BULKHEAD"
#define CREATOR_ID   "BKHD"

struct builder {
	const struct board_description *board;
	struct acpi_rsdp *rsdp;
	struct buffer tables;
	struct buffer loader;
};

/* ---- The loader's script ------------------------------------------------ */

static void loader_allocate(struct builder *b, const char *file, uint32_t align,
			    enum loader_zone zone)
{
	struct loader_command *command;

	command = buffer_take(&b->loader, sizeof(*command));
	if (!command)
		return;
	command->kind = LOADER_ALLOCATE;
	memcpy(command->allocate.file, file, strlen(file));
	command->allocate.align = align;
	command->allocate.zone = zone;
}

/* The size bytes at offset in file dest point into the block of tables. */
static void loader_pointer(struct builder *b, const char *dest, uint32_t offset,
			   uint8_t size)
{
	struct loader_command *command;

	command = buffer_take(&b->loader, sizeof(*command));
	if (!command)
		return;
	command->kind = LOADER_ADD_POINTER;
	memcpy(command->pointer.dest, dest, strlen(dest));
	memcpy(command->pointer.src, ACPI_FILE_TABLES,
	       sizeof(ACPI_FILE_TABLES));
	command->pointer.offset = offset;
	command->pointer.size = size;
}

static void loader_checksum(struct builder *b, const char *file,
			    uint32_t offset, uint32_t start, uint32_t length)
{
	struct loader_command *command;

	command = buffer_take(&b->loader, sizeof(*command));
	if (!command)
		return;
	command->kind = LOADER_ADD_CHECKSUM;
	memcpy(command->checksum.file, file, strlen(file));
	command->checksum.offset = offset;
	command->checksum.start = start;
	command->checksum.length = length;
}

/* ---- Tables ------------------------------------------------------------- */

static void header_fill(struct acpi_header *header, const char *signature,
			uint8_t revision)
{
	memcpy(header->signature, signature, sizeof(header->signature));
	header->revision = revision;
	memcpy(header->oem_id, OEM_ID, sizeof(header->oem_id));
	memcpy(header->oem_table_id, OEM_TABLE_ID,
	       sizeof(header->oem_table_id));
	header->oem_revision = 1;
	memcpy(header->creator_id, CREATOR_ID, sizeof(header->creator_id));
	header->creator_revision = 1;
}

/* Room for a table of size bytes with its header filled in, or NULL. */
static void *table_begin(struct builder *b, const char *signature,
			 uint8_t revision, uint32_t size)
{
	void *table = buffer_take(&b->tables, size);

	if (table)
		header_fill(table, signature, revision);
	return table;
}

/* The table from start to here is complete: length, checksum. */
static void table_end(struct builder *b, uint32_t start)
{
	uint32_t length = b->tables.length - start;
	struct acpi_header *header = (void *)(b->tables.data + start);

	if (b->tables.is_overflown)
		return;
	header->length = length;
	loader_checksum(b, ACPI_FILE_TABLES,
			start + offsetof(struct acpi_header, checksum), start,
			length);
}

#define NO_FACS UINT32_MAX

static uint32_t facs_build(struct builder *b)
{
	struct acpi_facs *facs;
	uint32_t start;

	if (b->board->features & BOARD_IS_REDUCED)
		return NO_FACS;
	buffer_align(&b->tables, 64);
	start = b->tables.length;
	facs = buffer_take(&b->tables, sizeof(*facs));
	if (!facs)
		return start;
	memcpy(facs->signature, "FACS", sizeof(facs->signature));
	facs->length = sizeof(*facs);
	facs->version = 1;
	return start;
}

/* Name (NAME, DWord): an operator, the name, a prefix, four bytes. */
#define AML_NAME_OP	 0x08
#define AML_DWORD_PREFIX 0x0c

/* Gives the named integer of the compiled DSDT its value. */
static void dsdt_set(uint8_t *aml, uint32_t length, const char *name,
		     uint32_t value)
{
	for (uint32_t i = 0; i + 10 <= length; i++) {
		if (aml[i] != AML_NAME_OP || memcmp(aml + i + 1, name, 4) ||
		    aml[i + 5] != AML_DWORD_PREFIX)
			continue;
		memcpy(aml + i + 6, &value, sizeof(value));
		return;
	}
}

/* Objects of that name, which systems look for, become those of another. */
static void dsdt_hide(uint8_t *aml, uint32_t length, const char *name)
{
	for (uint32_t i = 0; i + 5 <= length; i++)
		if (aml[i] == AML_NAME_OP && !memcmp(aml + i + 1, name, 4))
			aml[i + 1] = 'N';
}

static uint32_t dsdt_build(struct builder *b)
{
	const struct board_description *board = b->board;
	bool is_reduced = board->features & BOARD_IS_REDUCED;
	const uint8_t *code = is_reduced ? dsdt_pv_aml_code : dsdt_aml_code;
	uint32_t length =
		is_reduced ? sizeof(dsdt_pv_aml_code) : sizeof(dsdt_aml_code);
	uint32_t start = b->tables.length;
	struct acpi_header *header = buffer_take(&b->tables, length);

	if (!header)
		return start;
	memcpy(header, code, length);
	header->checksum = 0;
	dsdt_set((void *)header, length, "PCIL", board->pci_hole_base);
	dsdt_set((void *)header, length, "PCIH", board->pci_hole_end - 1);
	dsdt_set((void *)header, length, "FEAT", board->features);
	if (!(board->features & BOARD_HAS_S3)) {
		dsdt_hide((void *)header, length, "_S3_");
		dsdt_hide((void *)header, length, "_PRW");
	}
	if (!(board->features & BOARD_HAS_S4))
		dsdt_hide((void *)header, length, "_S4_");
	table_end(b, start);
	return start;
}

/*
 * One object a CPU, in \_PR, as ACPI 1.0 knows them: Processor (CPnn, id, 0,
 * 0) {}.  The package lengths are in the two-byte form throughout.
 */
#define AML_SCOPE_OP	  0x10
#define AML_EXT_PREFIX	  0x5b
#define AML_PROCESSOR_OP  0x83
#define AML_PKG_TWO_BYTES BIT(6)

struct aml_processor {
	uint8_t op[2];
	uint8_t pkg_length[2];
	char name[4];
	uint8_t id;
	uint32_t pblk;
	uint8_t pblk_length;
} __packed;
ASSERT_SIZE(struct aml_processor, 14);

struct aml_processor_scope {
	uint8_t op;
	uint8_t pkg_length[2];
	char name[5];
} __packed;
ASSERT_SIZE(struct aml_processor_scope, 8);

/* Counts the length's own bytes and all that follows, up to 4095. */
static void aml_pkg_length(uint8_t at[2], uint32_t length)
{
	at[0] = (uint8_t)(AML_PKG_TWO_BYTES | (length & 0xf));
	at[1] = (uint8_t)(length >> 4);
}

static uint32_t ssdt_build(struct builder *b)
{
	static const char hex[] = "0123456789ABCDEF";
	uint32_t start = b->tables.length;
	unsigned count = b->board->vcpu_count;
	struct aml_processor_scope *scope;
	struct aml_processor *cpu;

	if (b->board->acpi_processors)
		count = MIN(count, (unsigned)b->board->acpi_processors);
	(void)table_begin(b, "SSDT", 1, sizeof(struct acpi_header));
	scope = buffer_take(&b->tables, sizeof(*scope));
	cpu = buffer_take(&b->tables, count * (uint32_t)sizeof(*cpu));
	if (!scope || !cpu)
		return start;
	scope->op = AML_SCOPE_OP;
	aml_pkg_length(scope->pkg_length,
		       (uint32_t)(sizeof(*scope) - 1 + count * sizeof(*cpu)));
	memcpy(scope->name, "\\_PR_", sizeof(scope->name));
	for (unsigned i = 0; i < count; i++, cpu++) {
		cpu->op[0] = AML_EXT_PREFIX;
		cpu->op[1] = AML_PROCESSOR_OP;
		aml_pkg_length(cpu->pkg_length, sizeof(*cpu) - 2);
		cpu->name[0] = 'C';
		cpu->name[1] = 'P';
		cpu->name[2] = hex[i >> 4];
		cpu->name[3] = hex[i & 0xf];
		cpu->id = (uint8_t)i;
	}
	table_end(b, start);
	return start;
}

static uint32_t parallel_build(struct builder *b)
{
	uint32_t start = b->tables.length;
	struct acpi_header *header =
		buffer_take(&b->tables, sizeof(parallel_aml_code));

	if (!header)
		return start;
	memcpy(header, parallel_aml_code, sizeof(parallel_aml_code));
	header->checksum = 0;
	table_end(b, start);
	return start;
}

static struct acpi_gas gas_io(unsigned port, uint8_t bytes)
{
	return (struct acpi_gas){ .space = ACPI_SPACE_IO,
				  .bit_width = (uint8_t)(bytes * 8),
				  .address = port };
}

static void fadt_fill_pm(struct acpi_fadt *fadt, uint16_t pm_base)
{
	fadt->pm1a_evt_blk = pm_base;
	fadt->pm1_evt_len = 4;
	fadt->x_pm1a_evt_blk = gas_io(pm_base, 4);
	fadt->pm1a_cnt_blk = pm_base + 4u;
	fadt->pm1_cnt_len = 2;
	fadt->x_pm1a_cnt_blk = gas_io(pm_base + 4u, 2);
	fadt->pm_tmr_blk = pm_base + 8u;
	fadt->pm_tmr_len = 4;
	fadt->x_pm_tmr_blk = gas_io(pm_base + 8u, 4);
}

static void fadt_fill_blocks(struct acpi_fadt *fadt,
			     const struct board_description *board)
{
	fadt_fill_pm(fadt, board->pm_base);
	fadt->gpe0_blk = board->gpe_base;
	fadt->gpe0_blk_len = 4;
	fadt->x_gpe0_blk = gas_io(board->gpe_base, 4);
	fadt->reset_reg = gas_io(board->reset_port, 1);
	fadt->reset_value = board->reset_value;
}

static void fadt_fill_reduced(struct acpi_fadt *fadt,
			      const struct board_description *board)
{
	fadt->iapc_boot_arch = FADT_NO_VGA | FADT_NO_CMOS_RTC;
	fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_PWR_BUTTON |
		      FADT_SLP_BUTTON | FADT_RESET_REG_SUP | FADT_HW_REDUCED;
	fadt->sleep_control_reg =
		gas_io(board->pm_base + ACPI_REDUCED_CONTROL, 1);
	fadt->sleep_status_reg =
		gas_io(board->pm_base + ACPI_REDUCED_STATUS, 1);
	fadt->reset_reg = gas_io(board->pm_base + ACPI_REDUCED_RESET_REG, 1);
	fadt->reset_value = ACPI_REDUCED_RESET;
}

static void fadt_fill(struct acpi_fadt *fadt,
		      const struct board_description *board)
{
	if (board->features & BOARD_IS_REDUCED) {
		fadt_fill_reduced(fadt, board);
		return;
	}
	fadt->sci_int = board->sci_irq;
	if (board->features & BOARD_HAS_SMI) {
		fadt->smi_cmd = board->smi_port;
		fadt->acpi_enable = board->acpi_enable;
		fadt->acpi_disable = board->acpi_disable;
	}
	fadt_fill_blocks(fadt, board);
	fadt->p_lvl2_lat = FADT_C2_NONE;
	fadt->p_lvl3_lat = FADT_C3_NONE;
	fadt->century = FADT_CENTURY;
	fadt->iapc_boot_arch = FADT_LEGACY_DEVICES;
	if (board->features & BOARD_HAS_KEYBOARD)
		fadt->iapc_boot_arch |= FADT_8042;
	fadt->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON |
		      FADT_RESET_REG_SUP;
	/* Its alarm's status is beside the power button's. */
	if (!(board->features & BOARD_HAS_S3))
		fadt->flags |= FADT_FIX_RTC;
}

static uint32_t fadt_size(unsigned revision)
{
	if (revision < 3)
		return FADT_SIZE_1;
	if (revision < 5)
		return offsetof(struct acpi_fadt, sleep_control_reg);
	if (revision < 6)
		return offsetof(struct acpi_fadt, hypervisor_vendor);
	return sizeof(struct acpi_fadt);
}

static uint32_t fadt_build(struct builder *b, unsigned revision, uint32_t facs,
			   uint32_t dsdt)
{
	static const struct {
		uint8_t offset;
		uint8_t size;
	} pointer[] = {
		{ offsetof(struct acpi_fadt, facs), 4 },
		{ offsetof(struct acpi_fadt, dsdt), 4 },
		{ offsetof(struct acpi_fadt, x_dsdt), 8 },
	};
	uint32_t start = b->tables.length, size = fadt_size(revision);
	void *table = buffer_take(&b->tables, size);
	struct acpi_fadt fadt = { 0 };

	if (!table)
		return start;
	header_fill(&fadt.header, "FACP", (uint8_t)revision);
	fadt_fill(&fadt, b->board);
	/* x_facs stays 0: with both given some systems see two. */
	fadt.facs = facs == NO_FACS ? 0 : facs;
	fadt.dsdt = dsdt;
	fadt.x_dsdt = dsdt;
	if (revision < 3) {
		/* Both were yet to come. */
		fadt.iapc_boot_arch = 0;
		fadt.flags &= ~(uint32_t)FADT_RESET_REG_SUP;
	}
	memcpy(table, &fadt, size);
	/* The first leads to the FACS, if there is one. */
	for (unsigned i = facs == NO_FACS; i < ARRAY_SIZE(pointer); i++)
		if (pointer[i].offset < size)
			loader_pointer(b, ACPI_FILE_TABLES,
				       start + pointer[i].offset,
				       pointer[i].size);
	table_end(b, start);
	return start;
}

static void madt_add_override(struct builder *b, uint8_t irq, uint32_t gsi,
			      uint16_t flags)
{
	struct madt_override entry = { .type = MADT_OVERRIDE,
				       .length = sizeof(entry),
				       .source = irq,
				       .gsi = gsi,
				       .flags = flags };

	buffer_bytes(&b->tables, &entry, sizeof(entry));
}

/*
 * The timer is at pin 2.  Interrupts that PCI links can be set to and the SCI
 * are level-triggered and active high at the I/O APIC, as the PIIX3 hands
 * them on.
 */
static void madt_add_overrides(struct builder *b)
{
	static const uint8_t link_irqs[] = { 5, 10, 11 };
	uint16_t level = MADT_ACTIVE_HIGH | MADT_LEVEL;

	madt_add_override(b, 0, 2, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(link_irqs); i++)
		if (link_irqs[i] != b->board->sci_irq)
			madt_add_override(b, link_irqs[i], link_irqs[i], level);
	madt_add_override(b, b->board->sci_irq, b->board->sci_irq, level);
}

static uint32_t madt_build(struct builder *b)
{
	const struct board_description *board = b->board;
	bool is_reduced = board->features & BOARD_IS_REDUCED;
	uint32_t start = b->tables.length;
	struct madt_ioapic ioapic = { .type = MADT_IOAPIC,
				      .length = sizeof(ioapic),
				      .id = board->ioapic_id,
				      .address = board->ioapic_address };
	struct madt_lapic_nmi nmi = { .type = MADT_LAPIC_NMI,
				      .length = sizeof(nmi),
				      .processor = MADT_ALL_PROCESSORS,
				      .lint = 1 };
	struct acpi_madt *madt = table_begin(b, "APIC", 1, sizeof(*madt));

	if (!madt)
		return start;
	madt->lapic_address = board->lapic_address;
	madt->flags = is_reduced ? 0 : MADT_PCAT_COMPAT;
	for (unsigned i = 0; i < board->vcpu_count; i++) {
		struct madt_lapic lapic = { .type = MADT_LAPIC,
					    .length = sizeof(lapic),
					    .processor = (uint8_t)i,
					    .apic_id = board->apic_id[i],
					    .flags = MADT_LAPIC_ENABLED };

		buffer_bytes(&b->tables, &lapic, sizeof(lapic));
	}
	buffer_bytes(&b->tables, &ioapic, sizeof(ioapic));
	if (!is_reduced)
		madt_add_overrides(b);
	buffer_bytes(&b->tables, &nmi, sizeof(nmi));
	table_end(b, start);
	return start;
}

/* Vendor 8086h, 64-bit main counter, legacy replacement, 3 timers, rev. 1. */
#define HPET_ID 0x8086a201

static uint32_t hpet_build(struct builder *b)
{
	uint32_t start = b->tables.length;
	struct acpi_hpet *hpet = table_begin(b, "HPET", 1, sizeof(*hpet));

	if (!hpet)
		return start;
	hpet->id = HPET_ID;
	hpet->address = (struct acpi_gas){ .space = ACPI_SPACE_MEMORY,
					   .address = b->board->hpet_address };
	table_end(b, start);
	return start;
}

/* RSDT or XSDT: a header and one pointer of size bytes a table. */
static uint32_t root_build(struct builder *b, const char *signature,
			   uint8_t size, const uint32_t *table, unsigned count)
{
	uint32_t start = b->tables.length;

	(void)table_begin(b, signature, 1, sizeof(struct acpi_header));
	for (unsigned i = 0; i < count; i++) {
		uint64_t offset = table[i];

		loader_pointer(b, ACPI_FILE_TABLES, b->tables.length, size);
		buffer_bytes(&b->tables, &offset, size);
	}
	table_end(b, start);
	return start;
}

/* xsdt is 0 in ACPI 1.0. */
static void rsdp_build(struct builder *b, uint32_t rsdt, uint32_t xsdt)
{
	struct acpi_rsdp *rsdp = b->rsdp;

	*rsdp = (struct acpi_rsdp){ .rsdt = rsdt };
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, OEM_ID, sizeof(rsdp->oem_id));
	loader_pointer(b, ACPI_FILE_RSDP, offsetof(struct acpi_rsdp, rsdt), 4);
	loader_checksum(b, ACPI_FILE_RSDP, offsetof(struct acpi_rsdp, checksum),
			0, ACPI_RSDP_V1_SIZE);
	if (!xsdt)
		return;
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	loader_pointer(b, ACPI_FILE_RSDP, offsetof(struct acpi_rsdp, xsdt), 8);
	loader_checksum(b, ACPI_FILE_RSDP,
			offsetof(struct acpi_rsdp, extended_checksum), 0,
			sizeof(*rsdp));
}

int acpi_tables_build(struct acpi_tables *acpi,
		      const struct board_description *board)
{
	struct builder b = {
		.board = board,
		.rsdp = (void *)acpi->rsdp,
		.tables = { .data = acpi->tables, .size = ACPI_TABLES_SIZE },
		.loader = { .data = acpi->loader, .size = ACPI_LOADER_SIZE },
	};
	unsigned revision =
		board->fadt_revision ? board->fadt_revision : FADT_REVISION;
	uint32_t table[5];
	unsigned count = 0;
	uint32_t facs, dsdt, rsdt, xsdt = 0;

	loader_allocate(&b, ACPI_FILE_RSDP, 16, LOADER_ZONE_FSEG);
	loader_allocate(&b, ACPI_FILE_TABLES, 64, LOADER_ZONE_HIGH);
	facs = facs_build(&b);
	dsdt = dsdt_build(&b);
	acpi->fadt[0] = fadt_build(&b, revision, facs, dsdt);
	acpi->fadt_count = 1;
	if (board->has_acpi_1 && revision >= 3)
		acpi->fadt[acpi->fadt_count++] = fadt_build(&b, 1, facs, dsdt);
	table[count++] = acpi->fadt[0];
	table[count++] = ssdt_build(&b);
	table[count++] = madt_build(&b);
	if (board->features & BOARD_HAS_HPET)
		table[count++] = hpet_build(&b);
	if (board->features & BOARD_HAS_LPT1)
		table[count++] = parallel_build(&b);
	if (revision >= 3)
		xsdt = root_build(&b, "XSDT", 8, table, count);
	table[0] = acpi->fadt[acpi->fadt_count - 1];
	rsdt = root_build(&b, "RSDT", 4, table, count);
	rsdp_build(&b, rsdt, xsdt);
	acpi->tables_length = b.tables.length;
	acpi->loader_length = b.loader.length;
	return b.tables.is_overflown || b.loader.is_overflown ? -ENOSPC : 0;
}

void acpi_tables_move_pm(struct acpi_tables *acpi, uint16_t pm_base)
{
	for (unsigned i = 0; i < acpi->fadt_count; i++) {
		struct acpi_header *at = (void *)(acpi->tables + acpi->fadt[i]);
		struct acpi_fadt fadt = { 0 };
		uint32_t length = at->length;

		memcpy(&fadt, at, length);
		fadt_fill_pm(&fadt, pm_base);
		memcpy(at, &fadt, length);
	}
}

/* ---- Guests without firmware -------------------------------------------- */

/* The two files, once they are in RAM. */
struct placed_file {
	const char *name;
	uint8_t *data;
	uint32_t length;
	gpa_t gpa;
};

static const struct placed_file *placed_find(const struct placed_file file[2],
					     const char *name)
{
	return strcmp(file[0].name, name) ? &file[1] : &file[0];
}

/* The commands are our own, so their offsets need no checks. */
static void placed_run(const struct placed_file file[2],
		       const struct loader_command *command)
{
	const struct placed_file *target;
	uint64_t value = 0;
	uint8_t *at;

	switch (command->kind) {
	case LOADER_ADD_POINTER:
		target = placed_find(file, command->pointer.dest);
		at = target->data + command->pointer.offset;
		memcpy(&value, at, command->pointer.size);
		value += placed_find(file, command->pointer.src)->gpa;
		memcpy(at, &value, command->pointer.size);
		break;
	case LOADER_ADD_CHECKSUM:
		target = placed_find(file, command->checksum.file);
		at = target->data + command->checksum.offset;
		*at = 0;
		*at = checksum_of(target->data + command->checksum.start,
				  command->checksum.length);
		break;
	default:
		break;
	}
}

int acpi_tables_place(const struct acpi_tables *acpi,
		      const struct guest_ram *ram, gpa_t rsdp_gpa,
		      gpa_t tables_gpa)
{
	const struct loader_command *command = (const void *)acpi->loader;
	unsigned count = acpi->loader_length / sizeof(*command);
	struct placed_file file[2] = {
		{ .name = ACPI_FILE_RSDP,
		  .length = ACPI_RSDP_SIZE,
		  .gpa = rsdp_gpa },
		{ .name = ACPI_FILE_TABLES,
		  .length = acpi->tables_length,
		  .gpa = tables_gpa },
	};

	for (unsigned i = 0; i < 2; i++) {
		file[i].data = guest_ram_at(ram, file[i].gpa, file[i].length);
		if (!file[i].data)
			return -ERANGE;
	}
	memcpy(file[0].data, acpi->rsdp, file[0].length);
	memcpy(file[1].data, acpi->tables, file[1].length);
	for (unsigned i = 0; i < count; i++)
		placed_run(file, &command[i]);
	return 0;
}

/* The FACS comes first in the block. */
uint32_t acpi_waking_vector(const struct guest_ram *ram, gpa_t tables_gpa)
{
	const struct acpi_facs *facs =
		guest_ram_at(ram, tables_gpa, sizeof(*facs));

	if (!facs || memcmp(facs->signature, "FACS", sizeof(facs->signature)))
		return 0;
	return facs->waking_vector;
}
