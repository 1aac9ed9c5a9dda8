; SPDX-License-Identifier: BSD-2-Clause
;
; Into a shot's code and back, see shot.h.  Everything is restored but what
; mode32_run() restores anyway.

%include "tests/guest/lib/selectors.inc"

FLAG_VM		equ 1 << 17
SEL_AFTER	equ 0x90

; struct shot
S_GPR	equ 0
S_R11	equ 8 * 8
S_RIP	equ 8 * 9
S_FLAGS	equ 8 * 10
S_ES		equ 8 * 11
S_CS		equ 8 * 12
S_SS		equ 8 * 13
S_DS		equ 8 * 14
S_FS		equ 8 * 15
S_GS		equ 8 * 16
S_TR	equ 8 * 17
S_LDTR	equ 8 * 18
S_CR0	equ 8 * 19
S_CR4	equ 8 * 20
S_VECTOR	equ 8 * 23
S_ERROR	equ 8 * 24
S_CR2	equ 8 * 25
S_FRAME	equ 8 * 26
S_SIZE	equ 8 * 27

section .text
bits 32

; Called by mode32_run().
global shot_go32
shot_go32:
	mov	[saved_esp], esp
	lgdt	[shot_gdtr32]
	ltr	[shot_now + S_TR]
	lldt	[shot_now + S_LDTR]
	mov	eax, cr0
	or	eax, [shot_now + S_CR0]
	mov	cr0, eax
	mov	byte [shot_is_running], 1
	test	dword [shot_now + S_FLAGS], FLAG_VM
	jz	.protected
	push	dword [shot_now + S_GS]
	push	dword [shot_now + S_FS]
	push	dword [shot_now + S_DS]
	push	dword [shot_now + S_ES]
	jmp	.outer
.protected:
	test	byte [shot_now + S_CS], 3
	jnz	.outer
	mov	ss, [shot_now + S_SS]
	mov	esp, [shot_now + S_GPR + 8 * 4]
	jmp	.frame
.outer:
	push	dword [shot_now + S_SS]
	push	dword [shot_now + S_GPR + 8 * 4]
.frame:
	push	dword [shot_now + S_FLAGS]
	push	dword [shot_now + S_CS]
	push	dword [shot_now + S_RIP]
	test	dword [shot_now + S_FLAGS], FLAG_VM
	jnz	.registers
	mov	es, [shot_now + S_ES]
	mov	fs, [shot_now + S_FS]
	mov	gs, [shot_now + S_GS]
	push	dword [shot_now + S_DS]
.registers:
	mov	eax, [shot_now + S_GPR + 8 * 0]
	mov	ecx, [shot_now + S_GPR + 8 * 1]
	mov	edx, [shot_now + S_GPR + 8 * 2]
	mov	ebx, [shot_now + S_GPR + 8 * 3]
	mov	ebp, [shot_now + S_GPR + 8 * 5]
	mov	esi, [shot_now + S_GPR + 8 * 6]
	mov	edi, [shot_now + S_GPR + 8 * 7]
	test	dword [shot_now + S_FLAGS], FLAG_VM
	jnz	.go
	pop	ds
.go:
	iretd

; From stub32_common: vector and error code on the stack.
global shot_trap32
shot_trap32:
	cld
	push	ds
	push	eax
	mov	eax, SEL_DATA
	mov	ds, eax
	pop	dword [shot_now + S_GPR + 8 * 0]
	pop	eax
	movzx	eax, ax
	mov	[shot_now + S_DS], eax
	mov	[shot_now + S_GPR + 8 * 1], ecx
	mov	[shot_now + S_GPR + 8 * 2], edx
	mov	[shot_now + S_GPR + 8 * 3], ebx
	mov	[shot_now + S_GPR + 8 * 5], ebp
	mov	[shot_now + S_GPR + 8 * 6], esi
	mov	[shot_now + S_GPR + 8 * 7], edi
	mov	[shot_now + S_ES], es
	mov	[shot_now + S_FS], fs
	mov	[shot_now + S_GS], gs
	pop	dword [shot_now + S_VECTOR]
	pop	dword [shot_now + S_ERROR]
	mov	[shot_now + S_FRAME], esp
	pop	dword [shot_now + S_RIP]
	pop	dword [shot_now + S_CS]
	pop	dword [shot_now + S_FLAGS]
	test	dword [shot_now + S_FLAGS], FLAG_VM
	jnz	.v86
	test	byte [shot_now + S_CS], 3
	jnz	.outer
	mov	[shot_now + S_GPR + 8 * 4], esp
	mov	[shot_now + S_SS], ss
	jmp	.end
.outer:
	pop	dword [shot_now + S_GPR + 8 * 4]
	pop	dword [shot_now + S_SS]
	jmp	.end
.v86:
	pop	dword [shot_now + S_GPR + 8 * 4]
	pop	dword [shot_now + S_SS]
	pop	dword [shot_now + S_ES]
	pop	dword [shot_now + S_DS]
	pop	dword [shot_now + S_FS]
	pop	dword [shot_now + S_GS]
.end:
	mov	byte [shot_is_running], 0
	mov	eax, cr0
	mov	[shot_now + S_CR0], eax
	mov	eax, cr2
	mov	[shot_now + S_CR2], eax
	str	[shot_now + S_TR]
	sldt	[shot_now + S_LDTR]
	mov	eax, SEL_DATA
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	mov	esp, [saved_esp]
	clts
	xor	eax, eax
	lldt	ax
	; Long mode must not be entered with a 16-bit TSS.
	mov	eax, SEL_AFTER
	ltr	ax
	ret

bits 64
global shot_go64
shot_go64:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[saved_esp], rsp
	sidt	[saved_idtr]
	lgdt	[shot_gdtr]
	lidt	[shot_idtr]
	ltr	[shot_now + S_TR]
	lldt	[shot_now + S_LDTR]
	push	qword [shot_now + S_SS]
	push	qword [shot_now + S_GPR + 8 * 4]
	push	qword [shot_now + S_FLAGS]
	push	qword [shot_now + S_CS]
	push	qword [shot_now + S_RIP]
	mov	rax, [shot_now + S_CR0]
	mov	cr0, rax
	mov	rax, [shot_now + S_CR4]
	mov	cr4, rax
	mov	es, [shot_now + S_ES]
	mov	ds, [shot_now + S_DS]
	mov	fs, [shot_now + S_FS]
	mov	gs, [shot_now + S_GS]
	mov	rax, [shot_now + S_GPR + 8 * 0]
	mov	rcx, [shot_now + S_GPR + 8 * 1]
	mov	rdx, [shot_now + S_GPR + 8 * 2]
	mov	rbx, [shot_now + S_GPR + 8 * 3]
	mov	rbp, [shot_now + S_GPR + 8 * 5]
	mov	rsi, [shot_now + S_GPR + 8 * 6]
	mov	rdi, [shot_now + S_GPR + 8 * 7]
	mov	r11, [shot_now + S_R11]
	iretq

align 16
global shot_stubs
shot_stubs:
%assign vector 0
%rep 256
align 16
%if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || \
      vector == 21 || vector == 29 || vector == 30)
	push	qword 0
%endif
	push	qword vector
	jmp	shot_trap64
%assign vector vector + 1
%endrep

shot_trap64:
	cld
	mov	[shot_now + S_GPR + 8 * 0], rax
	mov	[shot_now + S_GPR + 8 * 1], rcx
	mov	[shot_now + S_GPR + 8 * 2], rdx
	mov	[shot_now + S_GPR + 8 * 3], rbx
	mov	[shot_now + S_GPR + 8 * 5], rbp
	mov	[shot_now + S_GPR + 8 * 6], rsi
	mov	[shot_now + S_GPR + 8 * 7], rdi
	mov	[shot_now + S_R11], r11
	mov	[shot_now + S_ES], es
	mov	[shot_now + S_DS], ds
	mov	[shot_now + S_FS], fs
	mov	[shot_now + S_GS], gs
	pop	qword [shot_now + S_VECTOR]
	pop	qword [shot_now + S_ERROR]
	mov	[shot_now + S_FRAME], rsp
	pop	qword [shot_now + S_RIP]
	pop	qword [shot_now + S_CS]
	pop	qword [shot_now + S_FLAGS]
	pop	qword [shot_now + S_GPR + 8 * 4]
	pop	qword [shot_now + S_SS]
	mov	rax, cr0
	mov	[shot_now + S_CR0], rax
	mov	rax, cr2
	mov	[shot_now + S_CR2], rax
	str	[shot_now + S_TR]
	sldt	[shot_now + S_LDTR]
	mov	rsp, [saved_esp]
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	fs, eax
	mov	gs, eax
	mov	ss, eax
	lidt	[saved_idtr]
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

section .data
shot_gdtr32:
	dw	128 * 8 - 1
	dd	shot_gdt
shot_gdtr:
	dw	128 * 8 - 1
	dq	shot_gdt
shot_idtr:
	dw	256 * 16 - 1
	dq	shot_idt

section .bss
alignb 16
global shot_now, shot_is_running
shot_now:	resb S_SIZE
saved_esp:	resq 1
saved_idtr:	resb 16
shot_is_running: resb 1
alignb 16
		resb 4096
global shot_ist_top
shot_ist_top:

extern shot_gdt, shot_idt
section .note.GNU-stack noalloc noexec nowrite progbits
