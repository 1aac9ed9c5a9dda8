/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct boot, the part that all protocols share: placing, the tables of the
 * BIOS area, the vCPU's first state.
 *
 * Not modelled: kernels above 4 GiB, EFI stubs.
 *
 * References: "The Linux/x86 Boot Protocol"; "Multiboot Specification" 0.6.96
 * and "Multiboot2 Specification" 2.0; Xen, "x86/HVM direct boot ABI".
 */
#include "firmware/direct.h"

#include "include/errno.h"
#include "firmware/direct_internal.h"
#include "firmware/tables.h"
#include "lib/printf.h"
#include "lib/string.h"

int direct_fail(struct direct_load *load, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(load->error, load->error_size, format, args);
	va_end(args);
	return -EINVAL;
}

bool direct_read(const struct direct_load *load, uint64_t offset, void *to,
		 uint64_t length)
{
	if (!direct_has(load, offset, length))
		return false;
	memcpy(to, (const uint8_t *)load->in->kernel + offset, length);
	return true;
}

void direct_info_write(struct direct_load *load, gpa_t gpa, const void *from,
		       size_t length)
{
	memcpy(load->in->plan->info + (gpa - DIRECT_DATA_BASE), from, length);
}

/* Of what may be used below 4 GiB. */
static uint64_t ram_end(const struct direct_load *load)
{
	uint64_t end = MIN(load->in->board->ram_low, GIB(4));

	return direct_has_bios(load) ? end - MIN(end, DIRECT_BIOS_KEEPS) : end;
}

bool direct_may_use(const struct direct_load *load, uint64_t gpa, uint64_t size)
{
	return gpa + size <= ram_end(load) &&
	       guest_ram_at(load->ram, gpa, size);
}

/* All lies below 4 GiB, as has been checked. */
static int piece_add(struct direct_load *load, enum direct_source source,
		     uint64_t offset, uint64_t length, uint64_t size,
		     uint64_t gpa)
{
	struct direct_plan *plan = load->in->plan;

	if (plan->count == DIRECT_PIECES_MAX || offset + length > UINT32_MAX)
		return direct_fail(load, "kernel: too large");
	plan->piece[plan->count++] = (struct direct_piece){
		.source = source,
		.offset = (uint32_t)offset,
		.length = (uint32_t)length,
		.size = (uint32_t)size,
		.gpa = (uint32_t)gpa,
	};
	return 0;
}

static bool overlaps(uint64_t base, uint64_t length, uint64_t start,
		     uint64_t end)
{
	return base < end && start < base + length;
}

int direct_place_kernel(struct direct_load *load, uint64_t gpa, uint64_t offset,
			uint64_t length, uint64_t size)
{
	if (!size)
		return 0;
	if (length > size)
		return direct_fail(load,
				   "kernel: segment at %#llx is larger "
				   "in the file than in memory",
				   (unsigned long long)gpa);
	if (!direct_has(load, offset, length))
		return direct_fail(load,
				   "kernel: file ends within the "
				   "segment for %#llx",
				   (unsigned long long)gpa);
	if (!direct_may_use(load, gpa, size))
		return direct_fail(load,
				   "kernel: %llu bytes at %#llx are not "
				   "RAM",
				   (unsigned long long)size,
				   (unsigned long long)gpa);
	if (overlaps(gpa, size, DIRECT_DATA_BASE, MIB(1)))
		return direct_fail(load,
				   "kernel: segment at %#llx overlaps "
				   "the boot data from %#x to 1 MiB",
				   (unsigned long long)gpa, DIRECT_DATA_BASE);
	load->kernel_end = MAX(load->kernel_end, gpa + size);
	return piece_add(load, DIRECT_FROM_KERNEL, offset, length, size, gpa);
}

int direct_place_initrd(struct direct_load *load, uint64_t limit)
{
	uint64_t length = load->in->initrd_length;
	uint64_t top = MIN(limit, ram_end(load));
	uint64_t lowest = ALIGN_UP(MAX(load->kernel_end, MIB(1)), PAGE_SIZE);

	if (!length)
		return 0;
	if (lowest > top || length > top - lowest)
		return direct_fail(load,
				   "initrd: %llu bytes do not fit between"
				   " kernel (ends at %#llx) and %#llx",
				   (unsigned long long)length,
				   (unsigned long long)load->kernel_end,
				   (unsigned long long)top);
	load->initrd_gpa = direct_has_bios(load)
				   ? lowest
				   : ALIGN_DOWN(top - length, PAGE_SIZE);
	if (!guest_ram_at(load->ram, load->initrd_gpa, length))
		return direct_fail(load, "initrd: %#llx is not RAM",
				   (unsigned long long)load->initrd_gpa);
	return piece_add(load, DIRECT_FROM_INITRD, 0, length, length,
			 load->initrd_gpa);
}

/*
 * Flat segments, descriptors 2 and 3: base 0, limit 4 GiB, accessed, so that
 * the processor has nothing to write back.
 */
static const uint64_t flat_gdt[4] = {
	0,
	0,
	0x00cf9b000000ffff,
	0x00cf93000000ffff,
};

static int place_common(struct direct_load *load)
{
	const char *cmdline = load->in->cmdline ? load->in->cmdline : "";
	size_t length = strlen(cmdline) + 1;

	if (!guest_ram_at(load->ram, DIRECT_DATA_BASE,
			  E820_EBDA_BASE - DIRECT_DATA_BASE))
		return direct_fail(load, "no RAM below 640 KiB");
	if (length > DIRECT_CMDLINE_MAX)
		return direct_fail(load, "cmdline: longer than %u characters",
				   DIRECT_CMDLINE_MAX - 1);
	if (piece_add(load, DIRECT_FROM_INFO, 0, DIRECT_INFO_SIZE,
		      DIRECT_INFO_SIZE, DIRECT_DATA_BASE))
		return -EINVAL;
	direct_info_write(load, DIRECT_CMDLINE_GPA, cmdline, length);
	direct_info_write(load, DIRECT_GDT_GPA, flat_gdt, sizeof(flat_gdt));
	direct_info_write(load, DIRECT_NAME_GPA, DIRECT_LOADER_NAME,
			  sizeof(DIRECT_LOADER_NAME));
	load->out->gdt_base = DIRECT_GDT_GPA;
	load->out->gdt_limit = sizeof(flat_gdt) - 1;
	load->out->code_selector = DIRECT_CODE_SELECTOR;
	load->out->data_selector = DIRECT_DATA_SELECTOR;
	return 0;
}

/* The map's part of what a BIOS is asked for. */
static void map_write(struct direct_load *load)
{
	struct direct_plan *plan = load->in->plan;
	const struct direct_map *map = &plan->map;
	struct e820_entry e820[E820_ENTRIES_MAX];
	unsigned count = e820_build(load->in->board, e820);
	const uint32_t size = sizeof(e820[0]);
	uint32_t scaled = count * map->count_scale;
	uint32_t lower = E820_EBDA_BASE >> 10;
	uint32_t upper =
		(uint32_t)((board_extended_end(load->in->board) - MIB(1)) >>
			   10);

	for (unsigned i = 0; i < count; i++) {
		gpa_t at = map->gpa + i * map->stride;

		if (map->at)
			direct_info_write(load, at, &size, sizeof(size));
		direct_info_write(load, at + map->at, &e820[i], size);
	}
	if (map->count_gpa)
		direct_info_write(load, map->count_gpa, &scaled,
				  sizeof(scaled));
	if (map->lower_gpa)
		direct_info_write(load, map->lower_gpa, &lower, sizeof(lower));
	if (map->upper_gpa)
		direct_info_write(load, map->upper_gpa, &upper, sizeof(upper));
}

static void plan_carry_out(struct direct_load *load)
{
	const struct direct_boot *in = load->in;
	const void *const sources[] = {
		[DIRECT_FROM_INFO] = in->plan->info,
		[DIRECT_FROM_KERNEL] = in->kernel,
		[DIRECT_FROM_INITRD] = in->initrd,
	};

	for (unsigned i = 0; i < in->plan->count; i++) {
		const struct direct_piece *piece = &in->plan->piece[i];
		const uint8_t *from = sources[piece->source];
		uint8_t *to = guest_ram_at(load->ram, piece->gpa, piece->size);

		if (in->fill)
			in->fill(in->fill_ctx, to, from + piece->offset,
				 piece->length);
		else
			memcpy(to, from + piece->offset, piece->length);
		memset(to + piece->length, 0, piece->size - piece->length);
	}
}

#define TABLE_ENTRIES  512
#define TABLE_PRESENT  BIT(0)
#define TABLE_WRITABLE BIT(1)
#define TABLE_LARGE    BIT(7)
#define TABLE_LINK     (TABLE_PRESENT | TABLE_WRITABLE)
#define DIRECTORIES    4

/* The first 4 GiB in pages of 2 MiB, which every processor has. */
static void tables_place(const struct guest_ram *ram)
{
	uint64_t *directory =
		guest_ram_at(ram, DIRECT_TABLES_BASE, DIRECT_TABLES_SIZE);
	uint64_t *pointers = directory + DIRECTORIES * TABLE_ENTRIES;
	uint64_t *top = pointers + TABLE_ENTRIES;

	_Static_assert((DIRECTORIES + 2) * PAGE_SIZE == DIRECT_TABLES_SIZE,
		       "level 4, pointers, directories");
	memset(pointers, 0, 2 * PAGE_SIZE);
	for (unsigned i = 0; i < DIRECTORIES * TABLE_ENTRIES; i++)
		directory[i] = i * PAGE_2M | TABLE_LINK | TABLE_LARGE;
	for (unsigned i = 0; i < DIRECTORIES; i++)
		pointers[i] = (DIRECT_TABLES_BASE + i * PAGE_SIZE) | TABLE_LINK;
	top[0] = (DIRECT_TABLES_BASE + DIRECTORIES * PAGE_SIZE) | TABLE_LINK;
}

static int plan_make(struct direct_load *load)
{
	static int (*const loaders[])(struct direct_load *) = {
		direct_load_linux,
		direct_load_multiboot,
		direct_load_multiboot2,
		direct_load_pvh,
	};
	int result = place_common(load);

	if (result)
		return result;
	for (unsigned i = 0; i < ARRAY_SIZE(loaders); i++) {
		result = loaders[i](load);
		if (result)
			return result < 0 ? result : 0;
	}
	return direct_fail(load, "kernel: neither a Linux bzImage nor a "
				 "Multiboot or PVH kernel");
}

static void load_begin(struct direct_load *load)
{
	memset(load->in->plan, 0, sizeof(*load->in->plan));
	*load->out = (struct direct_entry){ 0 };
	if (load->error_size)
		load->error[0] = '\0';
}

int direct_boot_plan(const struct guest_ram *ram, const struct direct_boot *in,
		     struct direct_entry *out, char *error, size_t error_size)
{
	struct direct_boot without = *in;
	struct direct_load load = { .ram = ram,
				    .in = &without,
				    .out = out,
				    .error = error,
				    .error_size = error_size };

	without.tables = NULL; /* the BIOS has its own */
	load_begin(&load);
	return plan_make(&load);
}

int direct_boot_load(const struct guest_ram *ram, const struct direct_boot *in,
		     struct direct_entry *out, char *error, size_t error_size)
{
	struct direct_load load = { .ram = ram,
				    .in = in,
				    .out = out,
				    .error = error,
				    .error_size = error_size };
	int result;

	load_begin(&load);
	if (firmware_tables_place(in->tables, in->board, ram, &load.rsdp_gpa))
		return direct_fail(&load, "the board's tables do not fit below "
					  "1 MiB");
	result = plan_make(&load);
	if (result)
		return result;
	map_write(&load);
	plan_carry_out(&load);
	if (out->is_long)
		tables_place(ram);
	return 0;
}

/* ---- The vCPU's first state --------------------------------------------- */

static struct x86_segment flat_segment(uint16_t selector, uint16_t type)
{
	return (struct x86_segment){
		.selector = selector,
		.attributes = (uint16_t)(type | X86_ATTR_ACCESSED | X86_ATTR_S |
					 X86_ATTR_P | X86_ATTR_DB | X86_ATTR_G),
		.limit = UINT32_MAX,
	};
}

#define TYPE_LDT	2
#define TYPE_TSS32_BUSY 11

static void long_mode_set(struct x86_state *state)
{
	uint16_t *code = &state->seg[X86_CS].attributes;

	*code = (uint16_t)((*code & ~X86_ATTR_DB) | X86_ATTR_L);
	state->cr0 |= X86_CR0_PG;
	state->cr3 = DIRECT_TABLES_BASE + (DIRECTORIES + 1) * PAGE_SIZE;
	state->cr4 = X86_CR4_PAE;
	state->efer = X86_EFER_LME | X86_EFER_LMA;
}

void direct_entry_state(const struct direct_entry *entry,
			struct x86_state *state)
{
	struct x86_segment data =
		flat_segment(entry->data_selector, X86_ATTR_WRITABLE);

	*state = (struct x86_state){
		.rip = entry->eip,
		.rflags = X86_FLAG_ONE,
		.valid = X86_GROUPS_COMMON | X86_GROUP_TABLES |
			 X86_GROUP_DEBUG | X86_GROUP_SYSCALL,
		.ldtr = { .attributes = TYPE_LDT | X86_ATTR_P,
			  .limit = UINT16_MAX },
		.tr = { .attributes = TYPE_TSS32_BUSY | X86_ATTR_P,
			.limit = 0x67 },
		.gdtr = { .base = entry->gdt_base, .limit = entry->gdt_limit },
		.idtr = { .limit = 0 },
		.cr0 = X86_CR0_PE | X86_CR0_ET,
		.xcr0 = X86_XCR0_X87,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
	};
	state->dirty = state->valid;
	state->gpr[X86_RAX] = entry->eax;
	state->gpr[X86_RBX] = entry->ebx;
	state->gpr[X86_RSI] = entry->esi;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		state->seg[i] = data;
	state->seg[X86_CS] = flat_segment(entry->code_selector,
					  X86_ATTR_CODE | X86_ATTR_READABLE);
	if (entry->is_long)
		long_mode_set(state);
}
