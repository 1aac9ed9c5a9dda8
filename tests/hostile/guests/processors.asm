; SPDX-License-Identifier: BSD-2-Clause
;
; Where further processors start, from SIPI to a C function.  The trampoline is
; copied to 8000h.

%include "tests/guest/lib/selectors.inc"

TRAMPOLINE	equ 0x8000
CR0_PE		equ 1
STACK_SIZE	equ 8192
PROCESSORS_MAX	equ 16

extern boot_gdt, enter_long_mode

section .text
bits 16
global trampoline, trampoline_end
trampoline:
	cli
	mov	ax, cs
	mov	ds, ax
	o32 lgdt [.gdtr - trampoline]
	mov	eax, cr0
	or	eax, CR0_PE
	mov	cr0, eax
	jmp	dword SEL_CODE32:protected
.gdtr:	dw	0xff
	dd	boot_gdt
trampoline_end:

bits 32
protected:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	ebx, 1
	lock xadd [processors_count], ebx
	inc	ebx
	cmp	ebx, PROCESSORS_MAX
	jae	.surplus
	mov	eax, ebx
	imul	eax, STACK_SIZE
	lea	esp, [eax + stacks + STACK_SIZE]
	call	enter_long_mode
bits 64
	lidt	[processors_idtr]
	mov	edi, ebx
	call	[processors_main]
	ud2
bits 32
.surplus:
	cli
	hlt
	jmp	.surplus

section .bss
alignb 16
stacks:	resb PROCESSORS_MAX * STACK_SIZE
global processors_count, processors_main, processors_idtr
processors_main:	resq 1
processors_idtr:	resb 16
processors_count:	resd 1
