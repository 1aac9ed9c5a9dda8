; SPDX-License-Identifier: BSD-2-Clause
;
; Entry from a Multiboot 1 or 2 loader in 32-bit protected mode: makes page
; tables that map the first 4 GiB three times (identity, physmap, kernel
; base), goes to long mode and calls boot_main(magic, info).  boot_main()
; replaces the tables by tight ones.
;
; References: Multiboot Specification 0.6.96; Multiboot2 Specification 2.0;
; SDM volume 3, "IA-32e Mode Operation".

MB1_MAGIC	equ 0x1badb002
MB1_FLAGS	equ 0x3			; page-align modules, memory map
MB2_MAGIC	equ 0xe85250d6
MB2_ARCH_I386	equ 0
MB2_TAG_END	equ 0
MB2_TAG_SCREEN	equ 5
MB2_OPTIONAL	equ 1
KERNEL_BASE	equ 0xffffffff80000000

PTE_P		equ 0x01
PTE_W		equ 0x02
PTE_LARGE	equ 0x80
CR0_PE_PG_WP	equ 0x80010001
CR4_PAE		equ 0x20
MSR_EFER	equ 0xc0000080
EFER_LME	equ 0x100

section .multiboot alloc noexec nowrite align=8
mb2_header:
	dd MB2_MAGIC
	dd MB2_ARCH_I386
	dd mb2_end - mb2_header
	dd -(MB2_MAGIC + MB2_ARCH_I386 + (mb2_end - mb2_header))
	; What the loader sets if it can, as seat does with an adapter it knows.
	dw MB2_TAG_SCREEN, MB2_OPTIONAL
	dd 20
	dd 1024, 768, 32
	align 8
	dw MB2_TAG_END, 0
	dd 8
mb2_end:
	align 4
mb1_header:
	dd MB1_MAGIC
	dd MB1_FLAGS
	dd -(MB1_MAGIC + MB1_FLAGS)

section .boot alloc exec nowrite align=16
bits 32
global boot_entry
boot_entry:
	cli
	cld
	mov ebp, eax			; magic
	mov esp, ebx			; info
	; A processor without long mode cannot say much: stop with 'L' on COM1.
	mov eax, 0x80000000
	cpuid
	cmp eax, 0x80000001
	jb .no_long_mode
	mov eax, 0x80000001
	cpuid
	bt edx, 29
	jnc .no_long_mode

	; Four page directories of 2 MiB pages: 0 to 4 GiB.
	mov edi, boot_directories - KERNEL_BASE
	mov eax, PTE_P | PTE_W | PTE_LARGE
	mov ecx, 4 * 512
.next_page:
	mov [edi], eax
	mov dword [edi + 4], 0
	add edi, 8
	add eax, 0x200000
	loop .next_page

	mov edi, boot_pdpt_low - KERNEL_BASE
	mov eax, boot_directories - KERNEL_BASE + PTE_P + PTE_W
	mov ecx, 4
.next_directory:
	mov [edi], eax
	add edi, 8
	add eax, 0x1000
	loop .next_directory
	mov dword [boot_pdpt_high - KERNEL_BASE + 510 * 8], \
		boot_directories - KERNEL_BASE + PTE_P + PTE_W

	mov edi, boot_pml4 - KERNEL_BASE
	mov eax, boot_pdpt_low - KERNEL_BASE + PTE_P + PTE_W
	mov [edi], eax			; identity
	mov [edi + 256 * 8], eax	; physmap
	mov dword [edi + 511 * 8], \
		boot_pdpt_high - KERNEL_BASE + PTE_P + PTE_W

	mov cr3, edi
	mov eax, CR4_PAE
	mov cr4, eax
	mov ecx, MSR_EFER
	rdmsr
	or eax, EFER_LME
	wrmsr
	mov eax, CR0_PE_PG_WP
	mov cr0, eax
	lgdt [boot_gdt_pointer]
	jmp 0x08:long_mode

.no_long_mode:
	mov dx, 0x3f8
	mov al, 'L'
	out dx, al
.stop:
	hlt
	jmp .stop

bits 64
long_mode:
	mov eax, 0x10
	mov ds, eax
	mov es, eax
	mov ss, eax
	xor eax, eax
	mov fs, eax
	mov gs, eax
	mov edi, ebp
	mov esi, esp
	mov rsp, boot_stack_top
	xor ebp, ebp
	mov rax, boot_main
	call rax
	ud2

	align 8
boot_gdt:
	dq 0
	dq 0x00af9b000000ffff		; 64-bit code, as the later GDT's
	dq 0x00cf93000000ffff
boot_gdt_pointer:
	dw $ - boot_gdt - 1
	dq boot_gdt


extern boot_main

section .boot_stack nobits alloc noexec write align=4096
global boot_stack_guard, boot_stack_top
boot_stack_guard:
	resb 4096
	resb 16384
boot_stack_top:

section .boot_tables nobits alloc noexec write align=4096
global boot_trap_stack_top
			resb 4096
boot_trap_stack_top:
boot_pml4:		resb 4096
boot_pdpt_low:		resb 4096
boot_pdpt_high:		resb 4096
boot_directories:	resb 4 * 4096
