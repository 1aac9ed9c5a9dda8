; SPDX-License-Identifier: BSD-2-Clause
; The 32-bit half of protected.c.

%include "tests/guest/lib/selectors.inc"

SEL_DATA_BASED	equ SEL_SPARE
SEL_TASK	equ SEL_SPARE + 8
PORT_NONE	equ 0x1e0

section .text
bits 32

global protected_segments
protected_segments:
	mov	ax, SEL_DATA_BASED
	mov	fs, ax
	mov	dword [fs:0x10], 0xfeedface
	mov	eax, [fs:0x10]
	mov	[results], eax
	push	ebx
	xor	eax, eax
	cpuid
	mov	[results + 4], ebx
	pop	ebx
	mov	eax, [0xfee00030]
	mov	[results + 8], eax
	mov	dx, PORT_NONE
	xor	eax, eax
	in	ax, dx
	mov	[results + 12], eax
	ret

; CATCH label, n: results[n] = the vector that ends the call of label.
%macro CATCH 2
	mov	eax, %1
	call	catch32
	mov	[results + 4 * %2], eax
%endmacro

global protected_exceptions
protected_exceptions:
	CATCH	.ud, 0
	CATCH	.gp, 1
	mov	eax, [trap32_error]
	mov	[results + 4 * 2], eax
	CATCH	.de, 3
	CATCH	.of, 4
	CATCH	.br, 5
	ret
.ud:	ud2
.gp:	mov	ax, 0x7f8
	mov	es, ax
	ret
.de:	xor	edx, edx
	xor	ecx, ecx
	div	ecx
	ret
.of:	mov	al, 0x7f
	add	al, 1
	into
	ret
.br:	mov	eax, 5
	bound	eax, [bounds]
	ret

global protected_ring3
protected_ring3:
	mov	ax, SEL_TSS
	ltr	ax
	mov	ebx, .int
	CATCH	to_ring3, 0
	mov	eax, [trap32_cs]
	mov	[results + 4 * 1], eax
	mov	eax, [trap32_ss]
	mov	[results + 4 * 2], eax
	mov	ebx, .cli
	CATCH	to_ring3, 3
	mov	ebx, .in
	CATCH	to_ring3, 4
	mov	ebx, .hlt
	CATCH	to_ring3, 5
	ret
.int:	int	0x80
.cli:	cli
	int	0x81
.in:	in	al, 0x80
	int	0x81
.hlt:	hlt
	int	0x81

; To EBX in ring 3.
to_ring3:
	mov	ax, SEL_USER_DATA | 3
	mov	ds, ax
	mov	es, ax
	push	dword SEL_USER_DATA | 3
	push	dword user_stack
	push	dword 2
	push	dword SEL_USER32 | 3
	push	ebx
	iretd

FLAG_VM	equ 1 << 17

global protected_v86
protected_v86:
	CATCH	.enter, 0
	mov	eax, [trap32_flags]
	mov	[results + 4], eax
	mov	eax, [trap32_eip]
	mov	[results + 8], eax
	; The trap has zeroed FS and GS.
	mov	ax, SEL_DATA
	mov	fs, ax
	mov	gs, ax
	ret
.enter:
	push	dword 0		; gs
	push	dword 0		; fs
	push	dword 0x900	; ds
	push	dword 0		; es
	push	dword 0x900	; ss
	push	dword 0x800	; sp
	push	dword FLAG_VM | 2
	push	dword 0x800	; cs
	push	dword 0		; ip
	iretd

global protected_tasks
protected_tasks:
	; The task register's TSS is in use already.
	mov	dword [results + 8], 0
	call	SEL_TASK:0
	mov	dword [results + 8], 0xc0de
	mov	eax, cr0
	mov	[results + 12], eax
	clts
	ret

global task_code
task_code:
	mov	[results], ebx
	pushfd
	pop	eax
	mov	[results + 4], eax
	iretd
	jmp	task_code

section .data
bounds:	dd	10, 20

section .bss
alignb 16
global results
results:	resd 32
		resb 2048
alignb 16
user_stack:
		resb 2048
alignb 16
global task_stack
task_stack:

extern catch32, trap32_error, trap32_cs, trap32_ss, trap32_flags, trap32_eip
section .note.GNU-stack noalloc noexec nowrite progbits
