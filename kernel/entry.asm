; SPDX-License-Identifier: BSD-2-Clause
;
; Where the processor enters the monitor by itself: exceptions and interrupts.
; All 256 vectors push to one struct trap_frame.  Also: where a new thread
; begins and the user copies, whose faulting instructions are listed in .fixups.
;
; Who comes in, on which stack, with whose GS base and page tables:
;
; - An interrupt or exception in ring 3 comes in on TSS.RSP0 with ring 3's GS:
;   SWAPGS, then the thread's stack.  Ring 3's AC, NT, TF and DF go.
; - One in ring 0 stays on the stack it hit, and changes nothing.
; - #DB, NMI, #DF and #MC can hit ring 0 where the stack, GS or the page tables
;   are still ring 3's: at the first instructions of an entry, or at the last of
;   an exit.  Each has a stack of its own (IST), and looks at the GS base instead
;   of trusting the interrupted CS.  So does a #DB that TF raises behind SYSCALL:
;   it comes in at the first instruction of the gate.
; - #DB and #MC of ring 3 may end its VM, for which they leave the IST stack for
;   the thread's.  Other vectors cannot be raised by INT n there: no gate has
;   DPL 3.
; - The IST stacks are not entered twice: #DB does not raise #DB (TF is clear, DR7
;   has nothing on in ring 0), NMIs are masked until IRET, #MC in #MC and #DF in
;   #DF shut the processor down.  #MC or #DB inside an NMI's handler end in an
;   IRET that lets the next NMI in on its own stack: NMIs mean a panic here, from
;   which nothing returns.
;
; With page-table isolation (CPU_IS_ISOLATED) ring 3 runs on a root that has
; nothing of the monitor but this section, the IDT, each struct cpu and the IST
; stacks; TSS.RSP0 is a small stack in struct cpu, from which the frame moves to
; the thread's when CR3 is the monitor's.  Without it nothing of that is done.
;
; References: SDM volume 3, "Interrupt and Exception Handling"; APM volume 2,
; "SWAPGS Instruction".

%include "offsets.inc"

bits 64
default rel
section .text.entry exec

extern trap_handle
extern trap_prepare_user
global trap_return

VECTOR_DB	equ 1
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

; From the stack that ring 3's frame was pushed to, with a vector on top, to the
; thread's; GS is the monitor's.
%macro MOVE_TO_THREAD_STACK 0
	push rax
	cmp byte [gs:CPU_IS_ISOLATED], 0
	je %%same_root
	mov rax, [gs:CPU_MONITOR_ROOT]
	mov cr3, rax
%%same_root:
	mov rax, rsp
	mov rsp, [gs:CPU_KERNEL_STACK_TOP]
%assign word 7
%rep 7					; SS to vector
	push qword [rax + word * 8]
%assign word word - 1
%endrep
	mov rax, [rax]
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
%if vector == VECTOR_NMI || vector == VECTOR_DF
	jmp near trap_paranoid
%elif vector == VECTOR_DB || vector == VECTOR_MC
	jmp near trap_ist
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
	cmp byte [gs:CPU_IS_ISOLATED], 0
	jne trap_isolated
.from_user:
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
	cmp byte [gs:CPU_IS_ISOLATED], 0
	jne .isolated
	swapgs
	iretq
.to_monitor:
	POP_REGISTERS
	iretq
.isolated:
	mov [gs:CPU_SCRATCH], rax
	mov rax, rsp
	mov rsp, [gs:CPU_ENTRY_STACK_TOP]
%assign word 4
%rep 5					; SS to RIP
	push qword [rax + word * 8]
%assign word word - 1
%endrep
	mov rax, [gs:CPU_USER_ROOT]
	mov cr3, rax
	mov rax, [gs:CPU_SCRATCH]
	swapgs
	iretq

; #DB and #MC
trap_ist:
	test byte [rsp + FRAME_CS - FRAME_VECTOR], 3
	jz trap_paranoid
	swapgs
trap_isolated:
	MOVE_TO_THREAD_STACK
	jmp trap_common.from_user

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
	xor r14d, r14d
	cmp byte [gs:CPU_IS_ISOLATED], 0
	je .same_root
	mov r14, cr3
	mov rax, [gs:CPU_MONITOR_ROOT]
	mov cr3, rax
.same_root:
	mov rdi, rsp
	call trap_handle
	test r14, r14
	jz .keep_root
	mov cr3, r14
.keep_root:
	test ebx, ebx
	jz .keep_gs
	swapgs
.keep_gs:
	POP_REGISTERS
	iretq

section .text

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
