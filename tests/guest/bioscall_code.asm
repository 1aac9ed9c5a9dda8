; SPDX-License-Identifier: BSD-2-Clause
; The 16-bit half of bioscall.c: runs at 0800:0000, FS with base 0 and a 4 GiB
; limit that the BIOS may take away.

MASTER_BASE	equ 0x08
SLAVE_BASE	equ 0x70
BUFFER		equ 0x1000	; a segment
MARK		equ 0x13579bdf
SMAP		equ 0x534d4150

; An offset in the copy.
%define AT(label)	(label - bios_code)

; The gate by function %1: its answer, the state and what FFFF:0510h shows.
%macro A20 3
	mov	ax, %1
	int	0x15
	mov	[AT(%2)], ax
	mov	ax, 0x2402
	int	0x15
	mov	[AT(%2) + 2], ax
	call	alias
	mov	[AT(%3)], eax
%endmacro

section .text
bits 16
global bios_code, bios_code_end
bios_code:
	jmp	near start
	nop
memory:		dw 0
a20_support:	dw 0, 0
a20_off:	dw 0, 0
alias_off:	dd 0
a20_on:		dw 0, 0
alias_on:	dd 0
map_magic:	dd 0
map_entries:	dd 0
pci:		dw 0, 0
disk_flags:	dw 0
disk_signature:	dw 0
disk_heads:	dw 0
cursor:		dw 0
ticks:		dd 0

start:
	cld
	call	vectors		; back to where the BIOS has its handlers
	int	0x12
	mov	[AT(memory)], ax

	mov	ax, 0x2403
	int	0x15
	mov	[AT(a20_support)], ax
	mov	[AT(a20_support) + 2], bx
	xor	ax, ax
	mov	gs, ax
	mov	dword [gs:0x500], MARK
	A20	0x2400, a20_off, alias_off
	A20	0x2401, a20_on, alias_on

	push	es
	mov	ax, BUFFER
	mov	es, ax
	xor	ebx, ebx
.entry:
	mov	eax, 0xe820
	mov	edx, SMAP
	mov	ecx, 20
	xor	di, di
	int	0x15
	jc	.mapped
	mov	[AT(map_magic)], eax
	inc	dword [AT(map_entries)]
	test	ebx, ebx
	jnz	.entry
.mapped:
	mov	ax, 0xb101
	xor	edi, edi
	int	0x1a
	mov	[AT(pci)], ax
	mov	[AT(pci) + 2], bx

	mov	ax, 0x0201
	mov	cx, 1
	mov	dx, 0x80
	xor	bx, bx
	int	0x13
	pushf
	pop	word [AT(disk_flags)]
	mov	ax, [es:510]
	mov	[AT(disk_signature)], ax
	mov	ah, 8
	mov	dl, 0x80
	xor	di, di
	int	0x13
	mov	[AT(disk_heads)], dx
	pop	es

	mov	ax, 0x0e78
	mov	bx, 7
	int	0x10
	mov	ah, 3
	xor	bx, bx
	int	0x10
	mov	[AT(cursor)], dx
	xor	ax, ax
	int	0x1a
	mov	[AT(ticks)], dx
	mov	[AT(ticks) + 2], cx
	mov	al, 0xff
	out	0x21, al
	out	0xa1, al
	retf

alias:
	push	es
	mov	ax, 0xffff
	mov	es, ax
	mov	eax, [es:0x510]
	pop	es
	ret

; The 8259 pair as the BIOS left it, with the disk's and the timer's lines open.
vectors:
	mov	al, 0x11
	out	0x20, al
	out	0xa0, al
	mov	al, MASTER_BASE
	out	0x21, al
	mov	al, SLAVE_BASE
	out	0xa1, al
	mov	al, 4
	out	0x21, al
	mov	al, 2
	out	0xa1, al
	mov	al, 1
	out	0x21, al
	out	0xa1, al
	mov	al, 0xf8
	out	0x21, al
	mov	al, 0x8e
	out	0xa1, al
	ret
bios_code_end:
