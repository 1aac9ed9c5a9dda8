; SPDX-License-Identifier: BSD-2-Clause
;
; Where the other CPUs start: in real mode, at the page that the startup IPI
; names, to which smp.c copied this code.  Straight to long mode on the
; monitor's own page tables, which map the page at its physical address for
; the time being, then to smp_cpu_main(cpu) on the stack prepared for it.
;
; References: SDM volume 3, "Multiple-Processor Initialization".

%include "offsets.inc"

MSR_EFER	equ 0xc0000080
EFER_LME_NXE	equ 0x900
CR4_PAE		equ 0x20
CR0_PE_PG_WP_ET	equ 0x80010011

section .rodata
global smp_trampoline, smp_trampoline_end, smp_mailbox

bits 16
smp_trampoline:
	cli
	cld
	; CS is the page: its linear address goes where code cannot know it.
	mov ax, cs
	mov ds, ax
	movzx ebx, ax
	shl ebx, 4
	lea eax, [ebx + start_gdt - smp_trampoline]
	mov [start_gdt_pointer - smp_trampoline + 2], eax
	lea eax, [ebx + .long_mode - smp_trampoline]
	mov [smp_far_jump - smp_trampoline], eax

	mov eax, [smp_mailbox - smp_trampoline]
	mov cr3, eax
	mov eax, CR4_PAE
	mov cr4, eax
	mov ecx, MSR_EFER
	rdmsr
	or eax, EFER_LME_NXE
	wrmsr
	o32 lgdt [start_gdt_pointer - smp_trampoline]
	mov eax, CR0_PE_PG_WP_ET
	mov cr0, eax
	jmp far dword [smp_far_jump - smp_trampoline]

bits 64
.long_mode:
	mov eax, 0x10
	mov ss, eax
	mov ds, eax
	mov es, eax
	mov rsp, [rbx + smp_mailbox - smp_trampoline + 8]
	mov rdi, [rbx + smp_mailbox - smp_trampoline + 16]
	mov rax, [rbx + smp_mailbox - smp_trampoline + 24]
	xor ebp, ebp
	call rax
	ud2

	align 8
smp_far_jump:
	dd 0
	dw 8
	align 8
start_gdt:
	dq 0
	dq 0x00af9b000000ffff
	dq 0x00cf93000000ffff
start_gdt_pointer:
	dw $ - start_gdt - 1
	dd 0
	align 8
smp_mailbox:			; struct smp_mailbox of smp.c
	dq 0, 0, 0, 0
smp_trampoline_end:
