; SPDX-License-Identifier: BSD-2-Clause
; A boot sector that says so and waits for interrupts, for ever.
	bits 16
	org 7c00h

start:
	xor ax, ax
	mov ds, ax
	mov si, text
	cld
.next:	lodsb
	test al, al
	jz .idle
	mov ah, 0eh
	mov bx, 7
	int 10h
	jmp .next
.idle:	sti
	hlt
	jmp .idle

text:	db "booted from the disk", 13, 10, 0

	times 510 - ($ - $$) db 0
	dw 0aa55h
	times 100000h - ($ - $$) db 0
