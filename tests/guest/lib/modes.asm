; SPDX-License-Identifier: BSD-2-Clause
;
; Out of long mode and back: mode32_run() calls a function in 32-bit protected
; mode, with or without paging; mode16_run() calls a piece of 16-bit code in
; real mode, from a copy of it below 64 KiB.  See modes.h.

%include "tests/guest/lib/selectors.inc"

CR0_PE		equ 1
CR0_PG		equ 0x80000000
CR0_START	equ 0x00000033	; NE ET MP PE
MSR_EFER	equ 0xc0000080

%macro SAVE 0
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	sidt	[long_idtr]
	mov	[long_stack], rsp
%endmacro

%macro RESTORE 0
	mov	rsp, [long_stack]
	lidt	[long_idtr]
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
%endmacro

section .text
bits 64
; void mode32_run(void (*fn)(void), uint32_t cr3, uint32_t cr4, uint32_t efer)
global mode32_run
mode32_run:
	SAVE
	mov	ebx, edi
	mov	ebp, esi
	mov	edi, edx
	mov	esi, ecx
	mov	rsp, mode32_stack
	push	SEL_CODE32
	push	.compat
	o64 retf

bits 32
.compat:
	call	leave_long_mode
	lidt	[idt32_pointer]
	mov	cr4, edi
	mov	ecx, MSR_EFER
	mov	eax, esi
	xor	edx, edx
	wrmsr
	test	ebp, ebp
	jz	.no_paging
	mov	cr3, ebp
	mov	eax, CR0_START | CR0_PG
	mov	cr0, eax
.no_paging:
	call	ebx
	mov	eax, CR0_START
	mov	cr0, eax
	mov	esp, mode32_stack
	call	enter_long_mode
bits 64
	RESTORE
	ret

; In compatibility mode: paging off, and with it long mode.
bits 32
leave_long_mode:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	mov	eax, CR0_START
	mov	cr0, eax
	mov	ecx, MSR_EFER
	xor	eax, eax
	xor	edx, edx
	wrmsr
	mov	cr4, eax
	ret

; For code that mode32_run() calls: calls EAX, returns in EAX the vector that
; ended it, or -1.  trap32_error, _eip, _cs, _flags have the rest.
global catch32
catch32:
	push	ebx
	push	ebp
	push	esi
	push	edi
	mov	[catch32_stack], esp
	call	eax
	mov	eax, -1
catch32_return:
	mov	esp, [catch32_stack]
	pop	edi
	pop	esi
	pop	ebp
	pop	ebx
	ret

align 16
global stubs32
stubs32:
%assign vector 0
%rep 256
align 16
%if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
	push	dword 0
%endif
	push	dword vector
	jmp	stub32_common
%assign vector vector + 1
%endrep

stub32_common:
	cmp	byte [cs:shot_is_running], 0
	jne	shot_trap32
	mov	ax, SEL_DATA
	mov	ds, ax
	mov	es, ax
	pop	eax
	pop	dword [trap32_error]
	pop	dword [trap32_eip]
	pop	dword [trap32_cs]
	pop	dword [trap32_flags]
	pop	dword [trap32_esp]	; only from another ring
	pop	dword [trap32_ss]
	mov	[trap32_vector], eax
	jmp	catch32_return

bits 64
; void mode16_run(const void *code, uint32_t length, uint16_t entry)
; The code returns by a near RET.
global mode16_run
mode16_run:
	SAVE
	mov	ebx, edx
	mov	ecx, esi
	mov	rsi, rdi
	mov	edi, MODE16_CODE
	cld
	rep movsb
	mov	esi, blob16
	mov	edi, MODE16_LIB
	mov	ecx, blob16_end - blob16
	rep movsb
	mov	rsp, mode32_stack
	push	SEL_CODE32
	push	.compat
	o64 retf
bits 32
.compat:
	call	leave_long_mode
	jmp	SEL_CODE16:MODE16_LIB

back32:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	mov	esp, mode32_stack
	call	enter_long_mode
bits 64
	RESTORE
	ret

; Copied to MODE16_LIB: into real mode, call of MODE16_CODE:BX, and back.
MODE16_LIB	equ 0x7000
MODE16_CODE	equ 0x8000
MODE16_STACK	equ 0x7f00

bits 16
blob16:
	mov	ax, SEL_DATA16
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	; FS keeps the limit of 4 GiB ("big real mode").
	mov	eax, cr0
	and	al, ~CR0_PE & 0xff
	mov	cr0, eax
	jmp	0:(MODE16_LIB + .real - blob16)
.real:
	xor	ax, ax
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	gs, ax
	mov	sp, MODE16_STACK
	lidt	[MODE16_LIB + .ivt - blob16]
	mov	ax, MODE16_CODE >> 4
	mov	ds, ax
	mov	es, ax
	push	cs
	push	word MODE16_LIB + .done - blob16
	push	ax
	push	bx
	retf
.done:
	cli
	xor	ax, ax
	mov	ds, ax
	o32 lgdt [MODE16_LIB + .gdtr - blob16]
	mov	eax, cr0
	or	al, CR0_PE
	mov	cr0, eax
	jmp	dword SEL_CODE32:back32
.ivt:
	dw	0x3ff
	dd	0
.gdtr:
	dw	0x88 - 1
	dd	boot_gdt
blob16_end:

section .bss
alignb 16
global idt32
idt32:		resq 256
global trap32_vector, trap32_error, trap32_eip, trap32_cs
global trap32_flags, trap32_esp, trap32_ss
trap32_vector:	resd 1
trap32_error:	resd 1
trap32_eip:	resd 1
trap32_cs:	resd 1
trap32_flags:	resd 1
trap32_esp:	resd 1
trap32_ss:	resd 1
catch32_stack:	resd 1
long_idtr:	resb 16
long_stack:	resq 1
		resb 8192
alignb 16
global mode32_stack
mode32_stack:

section .data
idt32_pointer:
	dw	256 * 8 - 1
	dd	idt32

extern enter_long_mode, boot_gdt, shot_is_running, shot_trap32
section .note.GNU-stack noalloc noexec nowrite progbits
