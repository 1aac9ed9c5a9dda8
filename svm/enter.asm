; SPDX-License-Identifier: BSD-2-Clause
;
; The entry into the guest and the way back.
;
; void svm_enter(hpa_t vmcb, struct x86_state *state, hpa_t host_vmcb)
;                rdi          rsi                      rdx
;
; VMRUN and #VMEXIT switch RAX, RSP, RIP, RFLAGS and what the VMCB holds;
; VMLOAD and VMSAVE switch FS, GS, TR, LDTR and the SYSCALL and SYSENTER
; MSRs, so that the monitor is whole again (IST, per-CPU data) before the
; first interrupt or exception can arrive.
;
; Interrupts are held by GIF from CLGI on.  RFLAGS.IF must be set when the
; guest runs, or host interrupts would not make it exit; STI stands far from
; VMRUN because some processors let its shadow reach the guest.
;
; Reference: APM volume 2, "VMRUN Instruction", "Global Interrupt Flag".

	%include "offsets.inc"
	%include "include/rsb.inc"

	bits 64
	section .text.svm_enter exec

	global svm_enter
svm_enter:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	push	rdx
	push	rsi
	clgi
	sti
	mov	rax, rdi
	mov	rcx, [rsi + STATE_RCX]
	mov	rdx, [rsi + STATE_RDX]
	mov	rbx, [rsi + STATE_RBX]
	mov	rbp, [rsi + STATE_RBP]
	mov	rdi, [rsi + STATE_RDI]
	mov	r8, [rsi + STATE_R8]
	mov	r9, [rsi + STATE_R9]
	mov	r10, [rsi + STATE_R10]
	mov	r11, [rsi + STATE_R11]
	mov	r12, [rsi + STATE_R12]
	mov	r13, [rsi + STATE_R13]
	mov	r14, [rsi + STATE_R14]
	mov	r15, [rsi + STATE_R15]
	mov	rsi, [rsi + STATE_RSI]
	vmload
	vmrun
	vmsave
	; rax is the VMCB again; rsp is ours.
	mov	rax, [rsp + 8]
	vmload
	test	byte [gs:CPU_FILLS_RSB], 1
	jnz	.fill
.filled:
	mov	rax, rsi
	pop	rsi
	cli
	stgi
	mov	[rsi + STATE_RCX], rcx
	mov	[rsi + STATE_RDX], rdx
	mov	[rsi + STATE_RBX], rbx
	mov	[rsi + STATE_RBP], rbp
	mov	[rsi + STATE_RSI], rax
	mov	[rsi + STATE_RDI], rdi
	mov	[rsi + STATE_R8], r8
	mov	[rsi + STATE_R9], r9
	mov	[rsi + STATE_R10], r10
	mov	[rsi + STATE_R11], r11
	mov	[rsi + STATE_R12], r12
	mov	[rsi + STATE_R13], r13
	mov	[rsi + STATE_R14], r14
	mov	[rsi + STATE_R15], r15
	pop	rdx
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	; Speculation must not carry guest values on: the caller-saved ones
	; that still hold them.
	xor	ecx, ecx
	; QEMU's VMRUN and #VMEXIT change the word of what is pending without the
	; lock under which timers and devices set bits in it: one may be lost, and
	; the CPU is never told what its local APIC has.  A write of the
	; priority, which is always 0, has that look.  Without a branch: it costs
	; less than one that only QEMU takes.
	mov	cr8, rcx
	xor	edi, edi
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	ret
.fill:
	RSB_FILL
	jmp	.filled
