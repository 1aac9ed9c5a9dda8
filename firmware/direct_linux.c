/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct boot of a Linux bzImage by its 32-bit protocol: the protected-mode
 * part at 1 MiB, a zero page with the setup header, the memory map, command
 * line and RAM disk, ESI pointing at it.  By the 64-bit protocol it is put
 * where it wants to run, so that it need not move itself there.
 *
 * Not modelled: kernels loaded low (zImage), protocols before 2.06.
 *
 * Reference: "The Linux/x86 Boot Protocol", "32-bit Boot Protocol", "Zero
 * Page".
 */
#include "firmware/direct_internal.h"

#include "lib/string.h"

#define SECTOR 512u

/* The setup header, at the same offset in the file and in the zero page. */
#define HEADER_OFFSET 0x1f1u
struct setup_header {
	uint8_t setup_sects;
	uint16_t root_flags;
	uint32_t syssize;
	uint16_t ram_size;
	uint16_t vid_mode;
	uint16_t root_dev;
	uint16_t boot_flag;
	uint8_t jump_opcode;
	uint8_t jump_offset; /* the header ends so far behind 0x202 */
	uint32_t magic;
	uint16_t version;
	uint32_t realmode_switch;
	uint16_t start_sys_seg;
	uint16_t kernel_version;
	uint8_t type_of_loader;
	uint8_t loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start;
	uint32_t ramdisk_image;
	uint32_t ramdisk_size;
	uint32_t bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver;
	uint8_t ext_loader_type;
	uint32_t cmd_line_ptr;
	uint32_t initrd_addr_max;
	uint32_t kernel_alignment;
	uint8_t relocatable_kernel;
	uint8_t min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size;
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset;
	uint32_t payload_length;
	uint64_t setup_data;
	uint64_t pref_address;
	uint32_t init_size;
	uint32_t handover_offset;
	uint32_t kernel_info_offset;
} __packed;
ASSERT_OFFSET(struct setup_header, magic, 0x202 - HEADER_OFFSET);
ASSERT_OFFSET(struct setup_header, cmd_line_ptr, 0x228 - HEADER_OFFSET);
ASSERT_OFFSET(struct setup_header, init_size, 0x260 - HEADER_OFFSET);

#define HEADER_MAGIC	 0x53726448u /* "HdrS" */
#define VERSION_MIN	 0x0206
#define VERSION_INIT	 0x020a /* has pref_address and init_size */
#define VERSION_LONG	 0x020c /* has xloadflags */
#define LOAD_KERNEL_64	 BIT(0) /* of xloadflags: there is a 64-bit entry */
#define ENTRY_64	 0x200	/* from the protected-mode part's start */
#define LOADED_HIGH	 BIT(0)
#define LOADER_UNDEFINED 0xff

/* What the display shows, as the kernel's VGA console takes it over. */
struct screen_info {
	uint8_t x; /* of the cursor */
	uint8_t y;
	uint16_t extended_memory;
	uint16_t page;
	uint8_t mode;
	uint8_t columns;
	uint16_t reserved0;
	uint16_t ega_bx; /* of INT 10h, AH 12h, BL 10h */
	uint16_t reserved1;
	uint8_t lines;
	uint8_t type;
	uint16_t font_height;
	uint8_t reserved2[0x40 - 0x12];
} __packed;
ASSERT_OFFSET(struct screen_info, ega_bx, 0xa);
ASSERT_OFFSET(struct screen_info, font_height, 0x10);
ASSERT_SIZE(struct screen_info, 0x40);

#define SCREEN_VGA_TEXT 1
#define EGA_BX_256_KIB	3 /* in colour */

/* The zero page, as far as it is used here. */
struct zero_page {
	struct screen_info screen;
	uint8_t reserved4[0x70 - 0x40];
	uint64_t acpi_rsdp_addr;
	uint8_t reserved0[0x1e8 - 0x78];
	uint8_t e820_entries;
	uint8_t reserved1[HEADER_OFFSET - 0x1e9];
	struct setup_header header;
	uint8_t reserved2[0x2d0 - HEADER_OFFSET - sizeof(struct setup_header)];
	struct e820_entry e820[128];
	uint8_t reserved3[0x1000 - 0xcd0];
} __packed;
ASSERT_OFFSET(struct zero_page, e820_entries, 0x1e8);
ASSERT_OFFSET(struct zero_page, e820, 0x2d0);
ASSERT_SIZE(struct zero_page, 4096);

#define KERNEL_GPA MIB(1)

static int header_check(struct direct_load *load, const struct setup_header *h)
{
	if (h->version < VERSION_MIN)
		return direct_fail(load,
				   "kernel: Linux boot protocol %x.%02x "
				   "is older than 2.06",
				   h->version >> 8, h->version & 0xff);
	if (!(h->loadflags & LOADED_HIGH))
		return direct_fail(load, "kernel: a zImage cannot be booted");
	if (load->in->cmdline && strlen(load->in->cmdline) > h->cmdline_size)
		return direct_fail(load,
				   "cmdline: this kernel takes %u "
				   "characters",
				   h->cmdline_size);
	return 0;
}

static bool is_long(const struct direct_load *load,
		    const struct setup_header *h)
{
	return load->in->wants_long && !direct_has_bios(load) &&
	       h->version >= VERSION_LONG && h->xloadflags & LOAD_KERNEL_64;
}

/* Where the protected-mode part goes: 0 if that makes no sense. */
static uint64_t load_gpa(const struct direct_load *load,
			 const struct setup_header *h)
{
	uint64_t start = MAX(h->pref_address, KERNEL_GPA);
	uint32_t align = h->kernel_alignment;

	if (!is_long(load, h))
		return KERNEL_GPA;
	if (!h->relocatable_kernel)
		return h->pref_address;
	if (!align || align & (align - 1) || start > GIB(4))
		return 0;
	return ALIGN_UP(start, align);
}

/* What the kernel needs while it unpacks itself, beyond its file's size. */
static int reserve_init_size(struct direct_load *load,
			     const struct setup_header *h, uint64_t gpa)
{
	uint64_t start = h->relocatable_kernel ? MAX(h->pref_address, gpa)
					       : h->pref_address;

	if (h->version < VERSION_INIT)
		return 0;
	if (!direct_may_use(load, start, h->init_size))
		return direct_fail(load,
				   "kernel: needs %u KiB of RAM from "
				   "%#llx",
				   h->init_size >> 10,
				   (unsigned long long)start);
	load->kernel_end = MAX(load->kernel_end, start + h->init_size);
	return 0;
}

/*
 * Without it there is no VGA console, and nothing on the screen.  Mode 3 is
 * what the board is in, after a BIOS, too.
 */
static void screen_info_fill(struct screen_info *screen)
{
	screen->mode = 3;
	screen->columns = 80;
	screen->lines = 25;
	screen->ega_bx = EGA_BX_256_KIB;
	screen->type = SCREEN_VGA_TEXT;
	screen->font_height = 16;
}

static void zero_page_fill(struct direct_load *load, struct zero_page *page,
			   const struct setup_header *from, uint64_t gpa)
{
	struct setup_header *h = &page->header;
	size_t known = 0x202 - HEADER_OFFSET + from->jump_offset;

	memset(page, 0, sizeof(*page));
	memcpy(h, from, MIN(known, sizeof(*h)));
	h->type_of_loader = LOADER_UNDEFINED;
	h->code32_start = (uint32_t)gpa;
	h->cmd_line_ptr = DIRECT_CMDLINE_GPA;
	h->setup_data = 0;
	if (load->initrd_gpa) {
		h->ramdisk_image = (uint32_t)load->initrd_gpa;
		h->ramdisk_size = (uint32_t)load->in->initrd_length;
	}
	if (!(load->in->board->features & BOARD_IS_REDUCED))
		screen_info_fill(&page->screen);
	page->acpi_rsdp_addr = load->rsdp_gpa;
	/* The three bytes behind the count are zero, too. */
	load->in->plan->map = (struct direct_map){
		.gpa = DIRECT_INFO_GPA + offsetof(struct zero_page, e820),
		.stride = sizeof(page->e820[0]),
		.max = ARRAY_SIZE(page->e820),
		.count_gpa = DIRECT_INFO_GPA +
			     offsetof(struct zero_page, e820_entries),
		.count_scale = 1,
	};
}

static void entry_fill(struct direct_load *load, const struct setup_header *h,
		       uint64_t gpa)
{
	/* As the flat one, for 64-bit mode. */
	static const uint64_t code = 0x00af9b000000ffff;

	load->out->protocol = DIRECT_LINUX;
	load->out->eip = (uint32_t)gpa;
	load->out->esi = DIRECT_INFO_GPA;
	if (!is_long(load, h))
		return;
	load->out->is_long = true;
	load->out->eip += ENTRY_64;
	direct_info_write(load, DIRECT_GDT_GPA + DIRECT_CODE_SELECTOR, &code,
			  sizeof(code));
}

int direct_load_linux(struct direct_load *load)
{
	struct setup_header h;
	uint64_t offset, gpa;
	int error;

	if (!direct_read(load, HEADER_OFFSET, &h, sizeof(h)) ||
	    h.magic != HEADER_MAGIC)
		return 0;
	error = header_check(load, &h);
	if (error)
		return error;
	offset = ((h.setup_sects ? h.setup_sects : 4u) + 1u) * SECTOR;
	if (!direct_has(load, offset, 1))
		return direct_fail(load, "kernel: file ends within its setup");
	gpa = load_gpa(load, &h);
	if (!gpa)
		return direct_fail(load,
				   "kernel: cannot be placed at %#llx, aligned "
				   "to %#x",
				   (unsigned long long)h.pref_address,
				   h.kernel_alignment);
	error = direct_place_kernel(load, gpa, offset,
				    load->in->kernel_length - offset,
				    load->in->kernel_length - offset);
	if (!error)
		error = reserve_init_size(load, &h, gpa);
	if (!error)
		error = direct_place_initrd(load,
					    (uint64_t)h.initrd_addr_max + 1);
	if (error)
		return error;
	zero_page_fill(load, (struct zero_page *)load->in->plan->info, &h, gpa);
	entry_fill(load, &h, gpa);
	return 1;
}
