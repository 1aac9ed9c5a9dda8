; SPDX-License-Identifier: BSD-2-Clause
;
; The tiny guests' way in: Multiboot 1 entry in 32-bit protected mode (2 with
; MULTIBOOT2, PVH with PVH defined), the
; lower 4 GiB mapped one to one with 2 MiB pages, long mode, guest_start().
; Also: exception stubs, and trap_catch(), which calls a function and comes
; back even if that raises an exception.

%include "tests/guest/lib/selectors.inc"

MULTIBOOT_MAGIC	equ 0x1badb002
PTE_RW		equ 3		; present, writable
PTE_RW_LARGE	equ 0x83
CR4_START	equ 0x620	; PAE, OSFXSR, OSXMMEXCPT
CR0_START	equ 0x80000033	; PG NE ET MP PE
MSR_EFER	equ 0xc0000080
EFER_LME	equ 0x100

%ifdef MULTIBOOT2
MULTIBOOT2_MAGIC equ 0xe85250d6
section .multiboot
align 8
	dd MULTIBOOT2_MAGIC, 0, 24, -(MULTIBOOT2_MAGIC + 24)
	dw 0, 0			; no wishes
	dd 8
%elifdef PVH
section .pvh
align 4
	dd 4, 4, 18		; XEN_ELFNOTE_PHYS32_ENTRY
	db "Xen", 0
	dd _start
%else
section .multiboot
align 4
	dd MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC
%endif

bits 32
global _start
_start:
	cli
	cld
	mov	esp, stack_top
	mov	[boot_magic], eax
	mov	[boot_info], ebx
	mov	eax, boot_pdpt
	or	eax, PTE_RW
	mov	[boot_pml4], eax
	xor	ecx, ecx
.directories:
	mov	eax, ecx
	shl	eax, 12
	add	eax, boot_pd
	or	eax, PTE_RW
	mov	[boot_pdpt + ecx * 8], eax
	inc	ecx
	cmp	ecx, 4
	jne	.directories
	xor	ecx, ecx
.pages:
	mov	eax, ecx
	shl	eax, 21
	or	eax, PTE_RW_LARGE
	mov	[boot_pd + ecx * 8], eax
	inc	ecx
	cmp	ecx, 2048
	jne	.pages
	call	enter_long_mode
bits 64
	call	guest_start
.end:	cli
	hlt
	jmp	.end

; From 32-bit mode without paging into long mode; returns there.  The return
; address on the stack is 32 bits wide.  Changes eax, ecx, edx.
bits 32
global enter_long_mode
enter_long_mode:
	mov	eax, CR4_START
	mov	cr4, eax
	mov	eax, boot_pml4
	mov	cr3, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_LME
	wrmsr
	mov	eax, CR0_START
	mov	cr0, eax
	lgdt	[boot_gdtr]
	jmp	SEL_CODE64:.long
bits 64
.long:
	mov	eax, SEL_DATA
	mov	ds, eax
	mov	es, eax
	mov	ss, eax
	mov	fs, eax
	mov	gs, eax
	mov	eax, [rsp]
	add	rsp, 4
	jmp	rax

; Exceptions and interrupts: every stub makes the same struct trap_frame.
section .text
align 16
stubs:
%assign vector 0
%rep 256
align 16
%if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || \
      vector == 21 || vector == 29 || vector == 30)
	push	qword 0
%endif
	push	qword vector
	jmp	stub_common
%assign vector vector + 1
%endrep

stub_common:
	push	rax
	push	rcx
	push	rdx
	push	rbx
	push	rbp
	push	rsi
	push	rdi
	push	r8
	push	r9
	push	r10
	push	r11
	push	r12
	push	r13
	push	r14
	push	r15
	mov	rdi, rsp
	cld
	call	guest_trap
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rdi
	pop	rsi
	pop	rbp
	pop	rbx
	pop	rdx
	pop	rcx
	pop	rax
	add	rsp, 16
	iretq

global stubs

; int trap_catch(void (*fn)(void *), void *arg): the vector that fn raised, or
; -1.  guest_trap() goes to trap_resume with the stack pointer kept here.
global trap_catch
trap_catch:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[trap_stack], rsp
	mov	rax, rdi
	mov	rdi, rsi
	call	rax
	mov	eax, -1
trap_return:
	mov	qword [trap_stack], 0
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

global trap_resume
trap_resume:
	cld
	mov	eax, [trap_vector]
	jmp	trap_return

section .data
align 16
global boot_gdt
boot_gdt:
	dq	0
	dq	0x00af9b000000ffff	; SEL_CODE64
	dq	0x00cf93000000ffff	; SEL_DATA
	dq	0x00cf9b000000ffff	; SEL_CODE32
	dq	0x00009b000000ffff	; SEL_CODE16
	dq	0x000093000000ffff	; SEL_DATA16
	dq	0x00cffb000000ffff	; SEL_USER32
	dq	0x00cff3000000ffff	; SEL_USER_DATA
	dq	0x00affb000000ffff	; SEL_USER64
	dq	0, 0			; SEL_TSS
	dq	0, 0, 0, 0, 0, 0	; SEL_SPARE and behind: the test's
boot_gdt_end:
global boot_gdtr
boot_gdtr:
	dw	boot_gdt_end - boot_gdt - 1
	dq	boot_gdt

section .bss
alignb 4096
global boot_pml4, boot_pdpt, boot_pd
boot_pml4:	resb 4096
boot_pdpt:	resb 4096
boot_pd:	resb 4 * 4096
; Where the emulator remembers walks, its last page and the GDT's, IDT's or the
; handlers' have places of their own: smptimer counts to the instruction.
stack:		resb 65536
global stack_top
stack_top:
global boot_magic, boot_info
boot_magic:	resd 1
boot_info:	resd 1
global trap_stack, trap_vector
alignb 8
trap_stack:	resq 1
trap_vector:	resd 1

extern guest_start, guest_trap
section .note.GNU-stack noalloc noexec nowrite progbits
