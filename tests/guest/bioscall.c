/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that goes back to real mode and calls the BIOS that has started it:
 * memory, A20, PCI, disk, clock, screen.
 */
#include "tests/guest/lib/modes.h"

/* Of bioscall_code.asm; results follow the code's first jump. */
extern char bios_code[], bios_code_end[];

struct bios_results {
	uint8_t jump[4];
	uint16_t memory;	 /* INT 12h */
	uint16_t a20_support[2]; /* AX, BX of INT 15h 2403h */
	uint16_t a20_off, a20_state_off;
	uint32_t alias_off;
	uint16_t a20_on, a20_state_on;
	uint32_t alias_on;
	uint32_t map_magic, map_entries;
	uint16_t pci_ax, pci_bx; /* INT 1Ah B101h */
	uint16_t disk_flags;	 /* INT 13h 02h: sector 0 */
	uint16_t disk_signature;
	uint16_t disk_heads; /* 08h: DX */
	uint16_t cursor;     /* INT 10h 03h: DX after an 'x' */
	uint32_t ticks;	     /* INT 1Ah 00h */
} __packed;

void guest_main(void)
{
	const volatile struct bios_results *r =
		(const volatile struct bios_results *)MODE16_CODE;
	volatile uint16_t *text = (volatile uint16_t *)0xb8000;

	if (*(volatile uint8_t *)0xffff0 != 0xea) {
		skip("bios", "none has been run");
		return;
	}
	modes_init();
	mode16_run(bios_code, (uint32_t)(bios_code_end - bios_code), 0);
	check("memory", r->memory > 600 && r->memory <= 640);
	check_equal("a20-support", r->a20_support[0] & 0xff00, 0);
	check_equal("a20-off", r->a20_off & 0xff00, 0);
	check_equal("a20-off-state", r->a20_state_off & 0xff, 0);
	check_equal("a20-off-memory", r->alias_off, 0x13579bdf);
	check_equal("a20-on", r->a20_on & 0xff00, 0);
	check_equal("a20-on-state", r->a20_state_on & 0xff, 1);
	check_equal("a20-on-memory", r->alias_on,
		    *(volatile uint32_t *)0x100500);
	check_equal("map", r->map_magic, 0x534d4150);
	check("map-entries", r->map_entries >= 4);
	check("pci", !(r->pci_ax >> 8) && r->pci_bx >= 0x0200);
	check_equal("disk", r->disk_flags & 1, 0);
	check_equal("disk-data", r->disk_signature, 0xaa55);
	check("disk-heads", r->disk_heads >> 8 && (r->disk_heads & 0xff) == 1);
	check("screen",
	      r->cursor & 0xff &&
		      (text[(r->cursor >> 8) * 80 + (r->cursor & 0xff) - 1] &
		       0xff) == 'x');
	check("clock", r->ticks < 0x1800b0);
}
