; SPDX-License-Identifier: BSD-2-Clause
;
; What iPXE fetches and starts, at 0000:7c00: says so on COM1 and ends the guest
; by port 0xf4.
BITS 16
ORG 0x7c00
COM1		equ 0x3f8
LINE_STATUS	equ 5
THR_EMPTY	equ 0x20
EXIT_PORT	equ 0xf4

	xor	ax, ax
	mov	ds, ax
	mov	si, text
	cld
next:
	mov	dx, COM1 + LINE_STATUS
wait_empty:
	in	al, dx
	test	al, THR_EMPTY
	jz	wait_empty
	lodsb
	test	al, al
	jz	done
	mov	dx, COM1
	out	dx, al
	jmp	next
done:
	out	EXIT_PORT, al
	hlt
	jmp	done

text	db	13, 10, "nbp: started from the network", 13, 10, 0
