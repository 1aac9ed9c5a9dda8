; SPDX-License-Identifier: BSD-2-Clause
; Into S3 and back out of it, for smpsuspend.c: what the waking vector leads to
; is copied to a page below 1 MiB and gets from real mode to where the vCPU
; suspended, with its stack and the registers that a function keeps.

%include "tests/guest/lib/selectors.inc"

CR0_PE		equ 1
GDT_LIMIT	equ SEL_SPARE - 1
PATIENCE	equ 0x4000000

section .data
bits 16
global wake_code, wake_code_end
wake_code:
	cli
	cld
	mov	esi, cr0
	xor	ebp, ebp
	mov	bp, cs
	o32 lgdt [cs:.gdtr - wake_code]
	mov	eax, esi
	or	al, CR0_PE
	mov	cr0, eax
	jmp	dword SEL_CODE32:wake32
align 4
.gdtr:	dw	GDT_LIMIT
	dd	boot_gdt
wake_code_end:

section .text
bits 32
wake32:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	[wake_cr0], esi
	mov	[wake_cs], ebp
	mov	esp, [saved_esp]
	call	enter_long_mode
bits 64
	mov	esp, [saved_esp]
	mov	eax, 1
	jmp	suspend_enter.out

; (port, first value, second value): writes both.  1: woken; 0: nothing came
; of it.
global suspend_enter
suspend_enter:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[saved_esp], esp
	mov	ecx, edx
	mov	edx, edi
	mov	eax, esi
	out	dx, ax
	mov	eax, ecx
	out	dx, ax
	mov	ecx, PATIENCE
.wait:	pause
	dec	ecx
	jnz	.wait
	xor	eax, eax
.out:	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

section .bss
alignb 4
saved_esp:	resd 1
global wake_cr0, wake_cs
wake_cr0:	resd 1
wake_cs:	resd 1

extern enter_long_mode, boot_gdt
section .note.GNU-stack noalloc noexec nowrite progbits
