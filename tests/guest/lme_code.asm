; SPDX-License-Identifier: BSD-2-Clause
; The 32-bit half of lme.c: a step, some exits, a pair of results.

MSR_EFER	equ 0xc0000080
EFER_LME	equ 1 << 8
EFER_LMA	equ 1 << 10
CR4_PAE		equ 1 << 5
CR0_PG		equ 1 << 31
EXITS		equ 1000

section .text
bits 32

%macro EFER_SET 1
	mov	ecx, MSR_EFER
	mov	eax, %1
	xor	edx, edx
	wrmsr
%endmacro

%macro CR4_SET 1
	mov	eax, %1
	mov	cr4, eax
%endmacro

; Exits, then EFER's and CR4's bits to the next pair of results (EDI).
look:
	mov	ecx, EXITS
.again:
	in	al, 0x80
	loop	.again
	mov	ecx, MSR_EFER
	rdmsr
	and	eax, EFER_LME | EFER_LMA
	stosd
	mov	eax, cr4
	and	eax, CR4_PAE
	stosd
	ret

paging_on:
	mov	eax, cr0
	or	eax, CR0_PG
	mov	cr0, eax
	ret

paging_off:
	mov	eax, cr0
	and	eax, ~CR0_PG
	mov	cr0, eax
	ret

global lme_code
lme_code:
	mov	edi, lme_results
	mov	eax, boot_pml4
	mov	cr3, eax
	EFER_SET EFER_LME
	call	look
	CR4_SET CR4_PAE
	call	look
	CR4_SET 0
	call	look
	; Paging needs PAE now.
	mov	eax, paging_on
	call	catch32
	stosd
	mov	eax, cr0
	and	eax, CR0_PG
	stosd
	EFER_SET 0
	call	look
	CR4_SET CR4_PAE
	call	look
	EFER_SET EFER_LME
	call	look
	CR4_SET 0
	call	look
	; Into long mode, as compatibility mode, and out of it.
	CR4_SET CR4_PAE
	call	paging_on
	call	look
	call	paging_off
	call	look
	CR4_SET 0
	call	look
	CR4_SET CR4_PAE
	call	paging_on
	call	look
	call	paging_off
	ret

section .bss
global lme_results
lme_results:	resd 32

extern catch32, boot_pml4
section .note.GNU-stack noalloc noexec nowrite progbits
