; SPDX-License-Identifier: BSD-2-Clause
; What the flash memory of faults.asm holds at first: two blocks of 4 KiB, in the
; first of them the variable 'A'.
	bits 16
	db 5ah, 'A', ~'A' & 0ffh, 1
	times 2000h - ($ - $$) db 0ffh
