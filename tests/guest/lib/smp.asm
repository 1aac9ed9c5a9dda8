; SPDX-License-Identifier: BSD-2-Clause
;
; Where a SIPI starts a vCPU: copied to a page below 1 MiB, from real mode into
; long mode with a stack of its own, smp_began(id).

%include "tests/guest/lib/selectors.inc"

STACK_SHIFT	equ 13
FOUND_SHIFT	equ 5		; sizeof(struct smp_found) is 32
CR0_PE		equ 1
MSR_EFER	equ 0xc0000080
GDT_LIMIT	equ SEL_SPARE - 1

section .data
bits 16
global smp_trampoline, smp_trampoline_end
smp_trampoline:
	cli
	cld
	mov	esi, cr0
	mov	edi, edx
	xor	ebp, ebp
	mov	bp, cs
	o32 lgdt [cs:.gdtr - smp_trampoline]
	mov	eax, esi
	or	al, CR0_PE
	mov	cr0, eax
	jmp	dword SEL_CODE32:smp_start32
align 4
.gdtr:	dw	GDT_LIMIT
	dd	boot_gdt
smp_trampoline_end:

section .text
bits 32
smp_start32:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	eax, 1
	xor	ecx, ecx
	cpuid
	shr	ebx, 24			; the APIC id
	mov	esp, ebx
	shl	esp, FOUND_SHIFT
	add	esp, smp_found
	mov	[esp], esi
	mov	[esp + 4], edi
	mov	[esp + 8], ebp
	mov	eax, cr4
	mov	[esp + 12], eax
	mov	eax, dr7
	mov	[esp + 16], eax
	mov	ecx, MSR_EFER
	rdmsr
	mov	[esp + 20], eax
	lea	esp, [ebx + 1]
	shl	esp, STACK_SHIFT
	add	esp, smp_stacks
	call	enter_long_mode
bits 64
	mov	edi, ebx
	call	smp_began
.end:	cli
	hlt
	jmp	.end

section .bss
alignb 4096
smp_stacks:	resb 32 << STACK_SHIFT
global smp_found
alignb 32
smp_found:	resb 32 << FOUND_SHIFT

extern smp_began, enter_long_mode, boot_gdt
section .note.GNU-stack noalloc noexec nowrite progbits
