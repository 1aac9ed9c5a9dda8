; SPDX-License-Identifier: BSD-2-Clause
;
; The entry into the guest and the way back.
;
; uint64_t vmx_enter(struct x86_state *state, uint64_t is_launched,
;                    rdi                      rsi
;                    uint64_t *host_rsp)
;                    rdx
;
; VM entry and exit switch RSP, RIP, RFLAGS and what the VMCS holds; the other
; general registers are ours to move.  The VMCS is told RSP only when it is
; not what it was, which *host_rsp remembers.  Interrupts are off on both
; sides: a VM exit leaves RFLAGS clear.
;
; Returns 0 after an exit, else RFLAGS of the VMLAUNCH or VMRESUME that failed
; (which are never 0).
;
; Reference: SDM volume 3, "VM Entries", "VM Exits".

	%include "offsets.inc"
	%include "include/rsb.inc"

	bits 64
	section .text.vmx_enter exec

	global vmx_enter, vmx_exit_point
vmx_enter:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	push	rdi
	cmp	[rdx], rsp
	jne	.new_stack
.load:
	test	esi, esi
	mov	rax, [rdi + STATE_RAX]
	mov	rcx, [rdi + STATE_RCX]
	mov	rdx, [rdi + STATE_RDX]
	mov	rbx, [rdi + STATE_RBX]
	mov	rbp, [rdi + STATE_RBP]
	mov	rsi, [rdi + STATE_RSI]
	mov	r8, [rdi + STATE_R8]
	mov	r9, [rdi + STATE_R9]
	mov	r10, [rdi + STATE_R10]
	mov	r11, [rdi + STATE_R11]
	mov	r12, [rdi + STATE_R12]
	mov	r13, [rdi + STATE_R13]
	mov	r14, [rdi + STATE_R14]
	mov	r15, [rdi + STATE_R15]
	mov	rdi, [rdi + STATE_RDI]
	jz	.launch
	vmresume
	jmp	.failed
.launch:
	vmlaunch
.failed:
	; No guest ran: the registers hold what was loaded, the stack is ours.
	pushfq
	pop	rax
	add	rsp, 8
	jmp	vmx_leave
.new_stack:
	mov	[rdx], rsp
	mov	eax, VMX_HOST_RSP
	vmwrite	rax, rsp
	jmp	.load

vmx_exit_point:
	push	rdi
	mov	rdi, [rsp + 8]
	mov	[rdi + STATE_RAX], rax
	mov	[rdi + STATE_RCX], rcx
	mov	[rdi + STATE_RDX], rdx
	mov	[rdi + STATE_RBX], rbx
	mov	[rdi + STATE_RBP], rbp
	mov	[rdi + STATE_RSI], rsi
	mov	[rdi + STATE_R8], r8
	mov	[rdi + STATE_R9], r9
	mov	[rdi + STATE_R10], r10
	mov	[rdi + STATE_R11], r11
	mov	[rdi + STATE_R12], r12
	mov	[rdi + STATE_R13], r13
	mov	[rdi + STATE_R14], r14
	mov	[rdi + STATE_R15], r15
	pop	rax
	mov	[rdi + STATE_RDI], rax
	test	byte [gs:CPU_FILLS_RSB], 1
	jnz	.fill
.filled:
	xor	eax, eax
	pop	rdi
vmx_leave:
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	; Speculation must not carry guest values on: the caller-saved ones
	; that still hold them.
	xor	ecx, ecx
	xor	edx, edx
	xor	esi, esi
	xor	edi, edi
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	ret
vmx_exit_point.fill:
	RSB_FILL
	jmp	vmx_exit_point.filled
