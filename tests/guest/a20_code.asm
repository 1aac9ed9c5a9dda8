; SPDX-License-Identifier: BSD-2-Clause
; The 16-bit half of a20.c: runs at 0800:0000, FS with base 0 and a 4 GiB limit.

PORT_KBC	equ 0x60
PORT_KBC_CMD	equ 0x64
PORT_FAST	equ 0x92
KBC_IN_FULL	equ 2
KBC_OUTPUT	equ 0xd1
KBC_A20_OFF	equ 0xdd

; An offset in the copy.
%define AT(label)	(label - a20_code)

; A word of memory into the results.
%macro LOOK 1
	mov	eax, [fs:dword %1]
	stosd
%endmacro

section .text
bits 16
global a20_code, a20_code_end
a20_code:
	jmp	near start
	nop
results:
	times 3 * 14 dd 0

start:
	cld
	mov	di, AT(results)
	xor	bx, bx
.ways:
	xor	cx, cx
	call	[bx + AT(gates)]
	mov	edx, [fs:dword 0x504]
	mov	esi, [fs:dword 0x200504]
	movzx	eax, bx
	shr	ax, 1
	or	eax, 0xaaaa0000
	mov	[fs:dword 0x100504], eax
	xor	eax, 0x11110000
	mov	[fs:dword 0x300504], eax
	call	look
	LOOK	0x504
	LOOK	0x200504
	mov	[fs:dword 0x504], edx
	mov	[fs:dword 0x200504], esi
	push	es
	mov	ax, 0xffff
	mov	es, ax
	mov	eax, [es:0x510]
	pop	es
	stosd
	xor	eax, eax
	call	0xffff:0x8010 + AT(alias)
	stosd
	in	al, PORT_FAST
	push	ax
	mov	cx, 1
	call	[bx + AT(gates)]
	call	look
	pop	ax
	movzx	eax, al
	stosd
	in	al, PORT_FAST
	movzx	eax, al
	stosd
	add	bx, 2
	cmp	bx, 6
	jb	.ways
	retf

look:
	LOOK	0x100500
	LOOK	0x19e500
	LOOK	0x300500
	LOOK	0x200500
	ret

; Runs a megabyte above where it lies.
alias:
	mov	ax, 0x5a5a
	retf

; The gate to CX.
gates:	dw	AT(by_port92), AT(by_output), AT(by_command)

by_port92:
	mov	al, cl
	shl	al, 1
	out	PORT_FAST, al
	ret

by_output:
	call	kbc_wait
	mov	al, KBC_OUTPUT
	out	PORT_KBC_CMD, al
	call	kbc_wait
	mov	al, cl
	shl	al, 1
	or	al, KBC_A20_OFF
	out	PORT_KBC, al
	jmp	kbc_wait

by_command:
	call	kbc_wait
	mov	al, cl
	shl	al, 1
	or	al, KBC_A20_OFF
	out	PORT_KBC_CMD, al
	jmp	kbc_wait

kbc_wait:
	in	al, PORT_KBC_CMD
	test	al, KBC_IN_FULL
	jnz	kbc_wait
	ret
a20_code_end:
