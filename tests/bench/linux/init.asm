; SPDX-License-Identifier: BSD-2-Clause
;
; The first user program of the boot benchmark: says "BOOT tsc=N" on the
; console, where N is the time stamp counter, and ends the (virtual) machine
; through the ISA debug exit port.

SYS_WRITE	equ 1
SYS_IOPERM	equ 173
SYS_EXIT	equ 60
EXIT_PORT	equ 0xf4

section .text
global _start
_start:
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	lea	rdi, [rel digits_end]
	mov	ecx, 10
.digit:
	xor	edx, edx
	div	rcx
	add	dl, '0'
	dec	rdi
	mov	[rdi], dl
	test	rax, rax
	jnz	.digit
	; The label goes before the first digit.
	mov	rsi, rdi
	sub	rsi, label_end - label
	mov	rdi, rsi
	push	rsi
	lea	rsi, [rel label]
	mov	ecx, label_end - label
	rep movsb
	pop	rsi
	lea	rdx, [rel end]
	sub	rdx, rsi
	mov	edi, 1
	mov	eax, SYS_WRITE
	syscall
	mov	edi, EXIT_PORT
	mov	esi, 1
	mov	edx, 1
	mov	eax, SYS_IOPERM
	syscall
	xor	eax, eax
	out	EXIT_PORT, al
	xor	edi, edi
	mov	eax, SYS_EXIT
	syscall

section .data
label:	db	"BOOT tsc="
label_end:
	times 32 db 0
digits_end:
	db	10
end:

section .note.GNU-stack noalloc noexec nowrite progbits
