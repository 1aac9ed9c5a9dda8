; SPDX-License-Identifier: BSD-2-Clause
; Where the second vCPU of turns.c starts, copied to a page below 1 MiB: real
; mode, straight into protected and long mode, then ap_main().

%include "tests/guest/lib/selectors.inc"

CR0_PE	equ 1

section .text
bits 16
global ap_code, ap_code_end
ap_code:
	cli
	o32 lgdt [cs:.gdtr - ap_code]
	mov	eax, cr0
	or	al, CR0_PE
	mov	cr0, eax
	jmp	dword SEL_CODE32:ap_protected
.gdtr:
	dw	SEL_TSS - 1
	dd	boot_gdt
ap_code_end:

bits 32
ap_protected:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	esp, ap_stack_top
	call	enter_long_mode
bits 64
	call	ap_main
.end:	cli
	hlt
	jmp	.end

section .bss
alignb 16
ap_stack:	resb 4096
ap_stack_top:

extern boot_gdt, enter_long_mode, ap_main
section .note.GNU-stack noalloc noexec nowrite progbits
