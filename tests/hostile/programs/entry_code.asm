; SPDX-License-Identifier: BSD-2-Clause
;
; Instructions that entry.c tries and that C has no words for.

	section .text

; Every software interrupt, four bytes each; those that come back return.
	bits 64
	global	int_stubs
int_stubs:
%assign vector 0
%rep 256
	db	0xcd, vector
	ret
	nop
%assign vector vector + 1
%endrep

; compat_run(code, stack): a far jump into the 32-bit segment, RSP set first.
SELECTOR_USER_CODE32 equ 0x1b
YIELD equ 9			; GATE_YIELD, which entry.c asserts

	global	compat_run
compat_run:
	mov	rsp, rsi
	mov	[rel compat_target], edi
	jmp	far dword [rel compat_target]

	bits 32
	global	compat_syscall, compat_sysenter, compat_int80
compat_syscall:
	mov	eax, YIELD
	syscall
	jmp	compat_syscall
compat_sysenter:
	sysenter
	jmp	compat_sysenter
compat_int80:
	int	0x80
	jmp	compat_int80

	bits 64
	section .data
compat_target:
	dd	0
	dw	SELECTOR_USER_CODE32
