; SPDX-License-Identifier: BSD-2-Clause
; The 16-bit half of parallel.c, which prints by the BIOS: runs at 0800:0000.

BIOS_MAX	equ 32

; An offset in the copy.
%define AT(label)	(label - bios_code)

section .text
bits 16
global bios_code, bios_code_end
bios_code:
	jmp	near start
	nop
initialized:	db 0
idle:		db 0
printed:	times BIOS_MAX db 0
text:		db "by the BIOS", 13, 10
		times BIOS_MAX - ($ - text) db 0

start:
	cld
	mov	ah, 1
	xor	dx, dx
	int	0x17
	mov	[AT(initialized)], ah
	mov	ah, 2
	xor	dx, dx
	int	0x17
	mov	[AT(idle)], ah
	xor	si, si
.next:
	mov	al, [si + AT(text)]
	test	al, al
	jz	.done
	xor	ah, ah
	xor	dx, dx
	int	0x17
	mov	[si + AT(printed)], ah
	inc	si
	jmp	.next
.done:
	retf
bios_code_end:
