; SPDX-License-Identifier: BSD-2-Clause
;
; The gate: SYSCALL from a machine, and the first way into it.
;
; Convention (include/gate.h): number in RAX, arguments in RDI RSI RDX R10,
; result in RAX.  Callee-saved registers survive because C keeps them; what C
; may leave in the others is cleared, so that nothing of the monitor leaks.
; Interrupts stay off throughout (SFMASK).

	%include "offsets.inc"

	bits 64
	section .text.gate exec

	extern	gate_calls
	global	gate_syscall
gate_syscall:
	swapgs
	mov	[gs:CPU_SCRATCH], rsp
	mov	rsp, [gs:CPU_KERNEL_STACK_TOP]
	push	qword [gs:CPU_SCRATCH]
	push	rcx
	push	r11
	; The stack is 8 off, and C expects it not to be.
	push	0
	cmp	rax, GATE_CALLS
	jae	.unknown
	; Where the processor only guesses that, it stays in the table.
	and	eax, GATE_ROWS - 1
	mov	r9, [gs:CPU_THREAD]
	mov	r8, r10
	mov	rcx, rdx
	mov	rdx, rsi
	mov	rsi, rdi
	mov	rdi, [r9 + THREAD_ARG]
	shl	eax, GATE_ROW_SHIFT
	lea	r9, [gate_calls + rax]	; the row: its call's sixth argument
	call	[r9]
.back:
	pop	rdi
	xor	esi, esi
	xor	edx, edx
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	pop	r11
	pop	rcx
	pop	rsp
	swapgs
	o64 sysret
.unknown:
	mov	rax, GATE_UNKNOWN
	jmp	.back

; void gate_enter_machine(uint64_t rip, uint64_t rsp, uint64_t arg)
	global	gate_enter_machine
gate_enter_machine:
	cli
	mov	rcx, rdi
	mov	rsp, rsi
	mov	rdi, rdx
	mov	r11d, USER_RFLAGS
	xor	eax, eax
	xor	ebx, ebx
	xor	edx, edx
	xor	esi, esi
	xor	ebp, ebp
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r12d, r12d
	xor	r13d, r13d
	xor	r14d, r14d
	xor	r15d, r15d
	swapgs
	o64 sysret
