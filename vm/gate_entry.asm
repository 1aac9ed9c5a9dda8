; SPDX-License-Identifier: BSD-2-Clause
;
; The gate: SYSCALL from a program, and the first way into it.
;
; Convention (include/gate.h): number in RAX, arguments in RDI RSI RDX R10,
; result in RAX.  Callee-saved registers survive because C keeps them; what C
; may leave in the others is cleared, so that nothing of the monitor leaks.
; Interrupts stay off throughout (SFMASK).

	%include "offsets.inc"

	bits 64
	section .text.entry exec

	extern	gate_bad_entry

; From ring 3's stack, GS base and, with isolation, page tables to the thread's.
%macro TO_MONITOR 1			; 1: isolated
	swapgs
	mov	[gs:CPU_SCRATCH], rsp
%if %1
	mov	rsp, [gs:CPU_MONITOR_ROOT]
	mov	cr3, rsp
%endif
	mov	rsp, [gs:CPU_KERNEL_STACK_TOP]
%endmacro

; One of the two is in LSTAR: no call asks which.
%macro GATE 2				; name, 1: isolated
	global	%1
%1:
	TO_MONITOR %2
	push	qword [gs:CPU_SCRATCH]
	push	rcx
	push	r11
	; The stack is 8 off, and C expects it not to be.
	push	0
	; The call that every trip to a machine begins with: no arguments, and its
	; row is the table's first.
	test	rax, rax
	jz	.resume
	cmp	rax, GATE_CALLS
	jae	.unknown
	; Where the processor only guesses that, it stays in the table.
	and	eax, GATE_ROWS - 1
	mov	r8, r10
	mov	rcx, rdx
	mov	rdx, rsi
	mov	rsi, rdi
	mov	rdi, [gs:CPU_GATE_ARG]
	shl	eax, GATE_ROW_SHIFT
	add	rax, [gs:CPU_GATE_TABLE]
	mov	r9, rax			; the row: its call's sixth argument
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
%if %2
	mov	rdi, [gs:CPU_USER_ROOT]
	mov	cr3, rdi
	xor	edi, edi
%endif
	swapgs
	o64 sysret
.resume:
	mov	rdi, [gs:CPU_GATE_ARG]
	mov	rax, [gs:CPU_GATE_TABLE]
	call	[rax]
	jmp	.back
.unknown:
	mov	rax, GATE_UNKNOWN
	jmp	.back
%endmacro

	GATE	gate_syscall, 0
	GATE	gate_syscall_isolated, 1

; CSTAR: SYSCALL from 32-bit code, which only AMD's processors have.  No segment
; for such code exists; if one did, this would still be the end of its VM.
	global	gate_syscall32, gate_syscall32_isolated
gate_syscall32:
	TO_MONITOR 0
	call	gate_bad_entry
	ud2
gate_syscall32_isolated:
	TO_MONITOR 1
	call	gate_bad_entry
	ud2

; void gate_enter_user(uint64_t rip, uint64_t rsp, uint64_t arg)
	global	gate_enter_user
gate_enter_user:
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
	cmp	byte [gs:CPU_IS_ISOLATED], 0
	je	.same_root
	mov	r15, [gs:CPU_USER_ROOT]
	mov	cr3, r15
	xor	r15d, r15d
.same_root:
	swapgs
	o64 sysret
