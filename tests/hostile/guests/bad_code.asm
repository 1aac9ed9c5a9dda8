; SPDX-License-Identifier: BSD-2-Clause
;
; What bad_loops.c runs outside of C.

%include "tests/guest/lib/selectors.inc"

CR0_AM		equ 1 << 18
FLAGS_AC	equ (1 << 18) | 2
MSR_EFER	equ 0xc0000080
EFER_LME	equ 1 << 8
RPL_USER	equ 3

section .text
bits 32
global acloop_code, ac_handler
acloop_code:
	mov	eax, cr0
	or	eax, CR0_AM
	mov	cr0, eax
	mov	ax, SEL_USER_DATA | RPL_USER
	mov	ds, ax
	mov	es, ax
	push	dword SEL_USER_DATA | RPL_USER
	push	dword ac_stack + 1025
	push	dword FLAGS_AC
	push	dword SEL_USER32 | RPL_USER
	push	dword .user
	iretd
.user:	push	eax
	jmp	.user
ac_handler:
	jmp	ac_handler

global lme_code
lme_code:
	mov	ecx, MSR_EFER
	rdmsr
	push	eax
	or	eax, EFER_LME
	wrmsr
	mov	ecx, 0x1000
.again:	in	al, 0x80
	loop	.again
	mov	ecx, MSR_EFER
	pop	eax
	xor	edx, edx
	wrmsr
	ret

bits 64
global db_handler
db_handler:
	iretq

section .bss
alignb 16
ac_stack:	resb 4096
