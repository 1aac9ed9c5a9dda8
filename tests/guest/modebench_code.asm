; SPDX-License-Identifier: BSD-2-Clause
; What modebench.c times, for 32-bit code and for real mode.

ROUNDS	equ 32
OPS	equ 7

PIT_CH0		equ 0x40
LAPIC		equ 0xfee00000
LAPIC_VERSION	equ LAPIC + 0x30
LAPIC_TPR	equ LAPIC + 0x80
MMIO_HOLE	equ 0xd0000000

; Each op ROUNDS times between two RDTSC; ESI walks over the samples.
%macro TIMED_BEGIN 0
	mov	ebp, ROUNDS
%%begin:
%push timed
%define %$begin %%begin
	rdtsc
	mov	edi, eax
%endmacro

%macro TIMED_END 0
	rdtsc
	sub	eax, edi
	mov	[esi], eax
	add	esi, 4
	dec	ebp
	jnz	%$begin
%pop
%endmacro

; In the order of modebench.c's names; %1: the segment that reaches everything.
%macro TIMED_OPS 1
	TIMED_BEGIN
	TIMED_END

	TIMED_BEGIN
	xor	eax, eax
	cpuid
	TIMED_END

	TIMED_BEGIN
	in	al, PIT_CH0
	TIMED_END

	TIMED_BEGIN
	mov	eax, [%1:dword LAPIC_VERSION]
	TIMED_END

	TIMED_BEGIN
	mov	dword [%1:dword LAPIC_TPR], 0
	TIMED_END

	TIMED_BEGIN
	mov	eax, [%1:dword MMIO_HOLE]
	TIMED_END

	TIMED_BEGIN
	mov	dword [%1:dword MMIO_HOLE], 0
	TIMED_END
%endmacro

; Within a page: an instruction over two is decoded anew each time.
section .text align=1024
bits 32

	align	1024
global bench32
bench32:
	pushad
	mov	esi, bench_samples
	TIMED_OPS ds
	popad
	ret

bits 16

global bench16, bench16_end, bench16_samples
bench16:
	mov	esi, bench16_samples - bench16
	TIMED_OPS fs
	retf
	align	4
bench16_samples:
	times ROUNDS * OPS dd 0
bench16_end:

section .bss
alignb 4
global bench_samples
bench_samples:	resd ROUNDS * OPS

section .note.GNU-stack noalloc noexec nowrite progbits
