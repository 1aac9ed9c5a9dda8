; SPDX-License-Identifier: BSD-2-Clause
;
; A floppy disk that boots: says so at COM1, reads whole tracks through the BIOS,
; writes a sector, reads it again, and ends by port F4h: code 0, or 1 if something
; was not as it should be.  Each sector begins with its number.
;
;	nasm -DCYLINDERS=80 -DHEADS=2 -DSECTORS=18 -DBIOS=18
;
; BIOS: as many sectors of a track as the BIOS knows of.
	bits 16
	org 7c00h

COM1	equ 3f8h
EXIT	equ 0f4h
TRACK	equ 1000h		; segment of what is read
LAST	equ CYLINDERS * HEADS * SECTORS - 1
WRITTEN	equ LAST - SECTORS + BIOS

	jmp start
	nop
	db "BULKHEAD"
	dw 512			; of a FAT's boot sector: what some look at
	times 24 - ($ - $$) db 0
	dw SECTORS, HEADS
	times 62 - ($ - $$) db 0

start:
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 7c00h
	mov [drive], dl
	mov si, hello
	call say
	mov al, [drive]
	add al, 'A'
	call put
	mov si, newline
	call say

	mov di, tracks
.next:
	mov ch, [di]		; cylinder
	mov dh, [di + 1]	; head
	cmp ch, 0ffh
	je .write
	push di
	call read_track
	pop di
	add di, 2
	jmp .next

.write:				; the last sector
	mov ax, TRACK
	mov es, ax
	xor bx, bx
	mov word [es:2], 5a5ah
	mov word [es:0], WRITTEN
	mov ax, 0301h
	call last
	mov word [es:2], 0
	mov ax, 0201h
	call last
	cmp word [es:2], 5a5ah
	jne bad
	mov si, good
	call say
	xor al, al
	jmp finish

bad:
	push ax
	mov si, wrong
	call say
	pop ax
	mov al, ah		; the BIOS's code
	aam 16
	add ax, 3030h
	push ax
	mov al, ah
	call put
	pop ax
	call put
	mov si, newline
	call say
	mov al, 1
finish:
	mov dx, EXIT
	out dx, al
	hlt

last:
	mov cx, (CYLINDERS - 1) << 8 | BIOS
	mov dx, (HEADS - 1) << 8
	mov dl, [drive]
	int 13h
	jc bad
	ret

; The sectors of cylinder CH, head DH; each has to begin with its number.
read_track:
	mov al, ch
	mov ah, HEADS
	mul ah			; fits a byte: 80 cylinders of 2 heads
	add al, dh
	mov ah, SECTORS
	mul ah
	mov bp, ax
	mov ax, TRACK
	mov es, ax
	xor bx, bx
	mov ax, 0200h | BIOS
	mov cl, 1
	mov dl, [drive]
	int 13h
	jc bad
	mov cx, BIOS
.each:
	xor ax, ax
	cmp [es:bx], bp
	jne bad
	inc bp
	add bx, 512
	loop .each
	ret

say:
	lodsb
	test al, al
	jz .end
	call put
	jmp say
.end:	ret

put:
	mov dx, COM1
	out dx, al
	ret

hello:	db "booted from floppy ", 0
good:	db "tracks are right", 13, 10, 0
wrong:	db "wrong: ", 0
newline: db 13, 10, 0
drive:	db 0
; The first cylinder after the boot sector's track, one in the middle, the last.
tracks:
	db 1, 0
	db 1, HEADS - 1
	db CYLINDERS / 2, HEADS - 1
	db CYLINDERS - 1, 0
	db 0ffh, 0

	times 510 - ($ - $$) db 0
	dw 0aa55h

%assign n 1
%rep LAST
	dw n
	times 510 db n & 0ffh
%assign n n + 1
%endrep
