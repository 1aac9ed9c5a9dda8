; SPDX-License-Identifier: BSD-2-Clause
; The 32-bit half of paging32.c.

TARGET	equ 0x10000000
CR0_WP	equ 1 << 16

section .text
bits 32

global paging32_touch
paging32_touch:
	mov	eax, cr0
	or	eax, CR0_WP
	mov	cr0, eax
	mov	eax, [TARGET]
	mov	[results], eax
	mov	dword [TARGET], 0x87654321
	mov	eax, .absent
	call	catch32
	mov	[results + 4 * 1], eax
	mov	eax, [trap32_error]
	mov	[results + 4 * 2], eax
	mov	eax, cr2
	mov	[results + 4 * 3], eax
	mov	eax, .read_only
	call	catch32
	mov	[results + 4 * 4], eax
	mov	eax, [trap32_error]
	mov	[results + 4 * 5], eax
	mov	eax, [0xfee00030]
	mov	[results + 4 * 6], eax
	push	ebx
	xor	eax, eax
	cpuid
	mov	[results + 4 * 7], ebx
	pop	ebx
	ret
.absent:
	mov	eax, [TARGET + 0x2004]
	ret
.read_only:
	mov	dword [TARGET + 0x1000], 1
	ret

global paging32_execute
paging32_execute:
	mov	eax, TARGET + 0x100
	call	catch32
	mov	[results], eax
	mov	eax, [trap32_error]
	mov	[results + 4], eax
	ret

section .bss
alignb 4
global results
results:	resd 32

extern catch32, trap32_error
section .note.GNU-stack noalloc noexec nowrite progbits
