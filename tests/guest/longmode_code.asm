; SPDX-License-Identifier: BSD-2-Clause
; The ring 3 and SYSCALL parts of longmode.c.

%include "tests/guest/lib/selectors.inc"

FLAG_DF		equ 0x400

section .text
bits 64

; void longmode_enter(void *to), longmode_enter32(void *to): never return;
; the trap that ends them goes to trap_catch().
global longmode_enter
longmode_enter:
	push	SEL_USER_DATA | 3
	push	user_stack
	push	2
	push	SEL_USER64 | 3
	push	rdi
	iretq

global longmode_enter32
longmode_enter32:
	push	SEL_USER_DATA | 3
	push	user_stack
	push	2
	push	SEL_USER32 | 3
	push	rdi
	iretq

; In ring 3: a system call with DF set, then the end.
global longmode_user
longmode_user:
	lea	rdx, [rel .behind]
	mov	[longmode_results + 8 * 2], rdx
	std
	syscall
.behind:
	cld
	mov	eax, cs
	mov	[longmode_results + 8 * 5], rax
	int	0x81

global longmode_syscall_entry
longmode_syscall_entry:
	mov	eax, cs
	mov	[longmode_results + 8 * 0], rax
	mov	[longmode_results + 8 * 1], rcx
	mov	[longmode_results + 8 * 4], r11
	mov	rdx, rsp
	mov	rsp, kernel_stack
	pushfq
	pop	qword [longmode_results + 8 * 3]
	mov	rsp, rdx
	o64 sysret

bits 32
global longmode_user32
longmode_user32:
	; IRET took the kernel's data segment away.
	mov	eax, SEL_USER_DATA | 3
	mov	ds, eax
	; 40h is INC EAX here; in 64-bit mode it would be a prefix.
	mov	eax, 0xffffffff
	db	0x40		; inc eax
	mov	[longmode_results + 8 * 6], eax
	mov	dword [longmode_results + 8 * 6 + 4], 0
	int	0x82

section .bss
alignb 16
global longmode_results
longmode_results: resq 16
		resb 2048
alignb 16
user_stack:
		resb 2048
alignb 16
kernel_stack:

section .note.GNU-stack noalloc noexec nowrite progbits
