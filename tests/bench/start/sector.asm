; SPDX-License-Identifier: BSD-2-Clause
;
; A boot sector that ends its guest through port 0xf4: where a BIOS hands over.

	bits	16
	org	0x7c00

	xor	ax, ax
	out	0xf4, al
	hlt

	times	510 - ($ - $$) db 0
	dw	0xaa55
