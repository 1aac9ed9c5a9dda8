; SPDX-License-Identifier: BSD-2-Clause
;
; Where the processor enters the monitor by itself: exceptions and interrupts.
; All 256 vectors push to one struct trap_frame.  Also: the thread switch and
; the user copies, whose faulting instructions are listed in .fixups.
;
; NMI, #DF and #MC can hit between SYSCALL and SWAPGS, so they look at the GS
; base instead of trusting the interrupted CS.
;
; References: SDM volume 3, "Interrupt and Exception Handling"; APM volume 2,
; "SWAPGS Instruction".

%include "offsets.inc"

bits 64
default rel
section .text

extern trap_handle
extern trap_prepare_user
global trap_return

VECTOR_NMI	equ 2
VECTOR_DF	equ 8
VECTOR_MC	equ 18
MSR_GS_BASE	equ 0xc0000101
RFLAGS_ONE	equ 2

; Vectors for which the processor pushes an error code itself.
%define HAS_ERROR(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || \
	(v) == 21 || (v) == 29 || (v) == 30)

%macro PUSH_REGISTERS 0
	push rax
	push rbx
	push rcx
	push rdx
	push rsi
	push rdi
	push rbp
	push r8
	push r9
	push r10
	push r11
	push r12
	push r13
	push r14
	push r15
%endmacro

%macro POP_REGISTERS 0
	pop r15
	pop r14
	pop r13
	pop r12
	pop r11
	pop r10
	pop r9
	pop r8
	pop rbp
	pop rdi
	pop rsi
	pop rdx
	pop rcx
	pop rbx
	pop rax
	add rsp, 16			; vector, error code
%endmacro

; ---- Entries, 16 bytes each ------------------------------------------------

align 16
global trap_entries
trap_entries:
%assign vector 0
%rep 256
	align 16
%if !HAS_ERROR(vector)
	push 0
%endif
	push vector
%if vector == VECTOR_NMI || vector == VECTOR_DF || vector == VECTOR_MC
	jmp near trap_paranoid
%else
	jmp near trap_common
%endif
%assign vector vector + 1
%endrep
	align 16

trap_common:
	test byte [rsp + FRAME_CS - FRAME_VECTOR], 3
	jz .from_monitor
	swapgs
	push RFLAGS_ONE			; ring 3's AC would lift SMAP
	popfq
.from_monitor:
	cld
	PUSH_REGISTERS
	mov rdi, rsp
	xor ebp, ebp
	call trap_handle
trap_return:
	test byte [rsp + FRAME_CS], 3
	jz .to_monitor
	cli
	mov rdi, rsp
	call trap_prepare_user
	POP_REGISTERS
	swapgs
	iretq
.to_monitor:
	POP_REGISTERS
	iretq

trap_paranoid:
	push RFLAGS_ONE
	popfq
	PUSH_REGISTERS
	mov ecx, MSR_GS_BASE
	rdmsr
	xor ebx, ebx
	test edx, edx
	js .has_cpu			; the upper half: ours already
	swapgs
	mov ebx, 1
.has_cpu:
	mov rdi, rsp
	call trap_handle
	test ebx, ebx
	jz .keep
	swapgs
.keep:
	POP_REGISTERS
	iretq

; ---- void thread_switch(uint64_t *save_rsp, uint64_t load_rsp) --------------

global thread_switch
thread_switch:
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	mov [rdi], rsp
	mov rsp, rsi
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret

; A new thread's first switch returns here, on its own stack.
extern thread_first
global thread_entry
thread_entry:
	xor ebp, ebp
	call thread_first
	ud2

; ---- int user_copy(void *to, const void *from, uint64_t length) ------------
; 0, or -1 after a fault: trap_handle() then resumes at user_copy_fault.

global user_copy
user_copy:
	mov rcx, rdx
	and edx, 7
	shr rcx, 3
.words:	rep movsq
	mov ecx, edx
.bytes:	rep movsb
	xor eax, eax
	ret
user_copy_fault:
	mov eax, -1
	ret

section .fixups alloc noexec nowrite align=8
	dq user_copy.words, user_copy_fault
	dq user_copy.bytes, user_copy_fault
