; SPDX-License-Identifier: BSD-2-Clause
;
; Firmware of 64 KiB for the cases in faults/: does what its first byte says, and
; tells at COM1 what came of it.
;
;	0 makes the variable of its flash memory a 'B', so that there always is one
;	1 the same, in its place: without power in between there is none
;	2 reads sector 5 of the first disk
;	3 writes sector 0 there, resets, and reads it
;	4 awaits three interrupts of the timer
;	5 waits until memory at 600h is another
;	6 goes round until an NMI comes
;	7 as 3, while three other CPUs run, which nobody but this one has started
;	8 as 0, while they do
;
; The variable is in one of two blocks: 5ah, value, its complement, a number that
; grows.  The first is written last; of two that are whole the higher number counts.
	[map symbols MAP]
	bits 16
	org 0

COM1		equ 3f8h
EXIT		equ 0f4h
KBD_STATUS	equ 64h
FLASH		equ 0fffee000h		; below 64 KiB of firmware
BLOCK		equ 1000h
MARK		equ 5ah
PROGRAM		equ 40h
ERASE		equ 20h
CONFIRM		equ 0d0h
CLEAR		equ 50h
ARRAY		equ 0ffh
ERRORS		equ 30h			; of the status register
IDE		equ 1f0h
PIC		equ 20h
PIT		equ 40h
PORT_B		equ 61h
APIC		equ 0fee00000h
WATCHED		equ 600h
TRIES		equ 4
OTHERS		equ 3			; CPUs
INIT_OTHERS	equ 0c4500h		; to all but this one
START_OTHERS	equ 0c4600h | OTHERS_AT >> 12
OTHERS_AT	equ 0f1000h

; In memory.
TICKED		equ 602h
STARTED		equ 603h		; others
COUNTED		equ 604h		; by all of them
BUFFER		equ 800h

what:	db WHAT

text_found:	db "variable ", 0
text_lost:	db "no variable: it is lost", 13, 10, 0
text_kept:	db "kept", 13, 10, 0
text_again:	db "written again", 13, 10, 0
text_broken:	db "it cannot be written", 13, 10, 0
text_read:	db "sector 5 was read", 13, 10, 0
text_error:	db "sector 5 cannot be read", 13, 10, 0
text_tick:	db "tick", 13, 10, 0
text_late:	db "late tick", 13, 10, 0
text_no_tick:	db "lost tick", 13, 10, 0
text_waits:	db "waits", 13, 10, 0
text_changed:	db "memory has changed", 13, 10, 0
text_nmi:	db "an NMI came", 13, 10, 0
text_astray:	db "a CPU runs that was not started", 13, 10, 0
text_end:	db 13, 10, 0

start:
	cli
	cld
	xor ax, ax
	mov es, ax
	mov ss, ax
	mov sp, 7000h
	mov ax, cs
	mov ds, ax
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	mov bx, 8
	mov fs, bx			; whose limit stays: 4 GiB
	and al, 0feh
	mov cr0, eax
	movzx bx, byte [what]
	add bx, bx
	jmp [bx + table]

table:	dw variable, variable, read_sector, write_sector, timer, memory, await_nmi
	dw several, several

gdtr:	dw 15
	dd 0f0000h + gdt
gdt:	dq 0
	dq 00cf92000000ffffh

; SI: text
say:
	push ax
	push dx
	mov dx, COM1
.next:	lodsb
	test al, al
	jz .end
	out dx, al
	jmp .next
.end:	pop dx
	pop ax
	ret

; AL: code
exit:
	out EXIT, al
	cli
	hlt
	jmp exit

reset:
	mov al, 0feh
	out KBD_STATUS, al
	hlt

; ---- The variable ------------------------------------------------------------

; EDI: block.  ZF: it is whole.
is_whole:
	cmp byte [fs:edi], MARK
	jne .end
	mov al, [fs:edi + 1]
	not al
	cmp al, [fs:edi + 2]
.end:	ret

; EDI: the block that counts, EBP: the other one.
find:
	mov edi, FLASH
	mov ebp, FLASH + BLOCK
	call is_whole
	jne .swap
	mov cl, [fs:edi + 3]
	xchg edi, ebp
	call is_whole
	jne .swap
	cmp cl, [fs:edi + 3]
	jb .end
.swap:	xchg edi, ebp
	call is_whole
	je .end
	mov si, text_lost
	call say
	mov al, 1
	jmp exit
.end:	ret

; EBX: place, AL: byte, AH: command.  It is tried again if there is an error.
change:
	mov cx, TRIES
.try:	mov [fs:ebx], ah
	mov [fs:ebx], al
	mov dl, [fs:ebx]
	mov byte [fs:ebx], CLEAR
	mov byte [fs:ebx], ARRAY
	test dl, ERRORS
	jz .end
	mov si, text_again
	call say
	loop .try
	mov si, text_broken
	call say
	mov al, 2
	jmp exit
.end:	ret

; EDI: block, DH: number.  One with a 'B'.
write:
	mov ebx, edi
	mov ax, ERASE << 8 | CONFIRM
	call change
	mov ah, PROGRAM
	lea ebx, [edi + 1]
	mov al, 'B'
	call change
	lea ebx, [edi + 2]
	mov al, ~'B' & 0ffh
	call change
	lea ebx, [edi + 3]
	mov al, dh
	call change
	mov ebx, edi
	mov al, MARK
	jmp change

variable:
	call find
	mov si, text_found
	call say
	mov al, [fs:edi + 1]
	mov dx, COM1
	out dx, al
	mov si, text_end
	call say
	cmp al, 'B'
	je kept
	mov dh, [fs:edi + 3]
	inc dh
	test byte [what], 1
	jnz .write
	mov edi, ebp
	mov bp, TRIES
.write:	call write
	test byte [what], 1
	jnz reset
	call is_right
	je reset
	mov si, text_again
	call say
	dec bp
	jnz .write
	mov al, 3
	jmp exit

; EDI: block, DH: number.  ZF: it is what was written.
is_right:
	call is_whole
	jne .end
	cmp byte [fs:edi + 1], 'B'
	jne .end
	cmp dh, [fs:edi + 3]
.end:	ret

kept:
	mov si, text_kept
	call say
	xor al, al
	jmp exit

; ---- The disk ----------------------------------------------------------------

; AL: command, BL: sector
command:
	push ax
	mov dx, IDE + 7
.busy:	in al, dx
	test al, 80h
	jnz .busy
	mov dx, IDE + 2
	mov al, 1
	out dx, al
	inc dx
	mov al, bl
	out dx, al
	inc dx
	xor al, al
	out dx, al
	inc dx
	out dx, al
	inc dx
	mov al, 0e0h
	out dx, al
	inc dx
	pop ax
	out dx, al
; Returns AL: status.
settled:
	mov dx, IDE + 7
.busy:	in al, dx
	test al, 80h
	jnz .busy
	ret

; BL: sector.  CF: an error.
read:
	mov al, 20h
	call command
	test al, 1
	stc
	jnz .end
	mov dx, IDE
	mov di, BUFFER
	mov cx, 256
	rep insw
	clc
.end:	ret

read_sector:
	mov bl, 5
	call read
	mov si, text_read
	mov al, 0
	jnc .say
	mov si, text_error
	mov al, 3
.say:	call say
	jmp exit

write_sector:
	mov bl, 0
	call read
	cmp byte [es:BUFFER], 'B'
	je kept
	mov al, 30h
	call command
	mov di, BUFFER
	mov ax, 'BB'
	mov cx, 256
	rep stosw
	push es
	pop ds
	mov si, BUFFER
	mov dx, IDE
	mov cx, 256
	rep outsw
	push cs
	pop ds
	call settled
	jmp reset

; ---- Several CPUs ------------------------------------------------------------

several:
	mov ebx, [es:COUNTED]
	mov cx, 5
.more:	call pause
	loop .more
	mov si, text_astray
	mov al, 4
	cmp ebx, [es:COUNTED]
	jne .say
	mov byte [es:STARTED], 0
	mov ebx, APIC
	mov dword [fs:ebx + 0f0h], 1ffh	; on
	mov dword [fs:ebx + 300h], INIT_OTHERS
	call pause
	mov dword [fs:ebx + 300h], START_OTHERS
.wait:	cmp byte [es:STARTED], OTHERS
	jne .wait
	mov ebx, [es:COUNTED]
.still:	cmp ebx, [es:COUNTED]
	je .still
	test byte [what], 1
	jnz write_sector
	jmp variable
.say:	call say
	jmp exit

; ---- The timer ---------------------------------------------------------------

; 10 ms, by the counter that has no interrupt.
pause:
	in al, PORT_B
	and al, 0fch
	out PORT_B, al
	mov al, 0b0h
	out PIT + 3, al
	mov al, 9ch
	out PIT + 2, al
	mov al, 2eh
	out PIT + 2, al
	in al, PORT_B
	or al, 1
	out PORT_B, al
.wait:	in al, PORT_B
	test al, 20h
	jz .wait
	ret

on_tick:
	push ax
	mov byte [es:TICKED], 1
	mov al, 20h
	out PIC, al
	pop ax
	iret

timer:
	mov word [es:8 * 4], on_tick
	mov [es:8 * 4 + 2], cs
	mov al, 11h
	out PIC, al
	mov al, 8
	out PIC + 1, al
	mov al, 4
	out PIC + 1, al
	mov al, 1
	out PIC + 1, al
	mov al, 0feh
	out PIC + 1, al
	sti
	mov bx, 3
.next:	mov byte [es:TICKED], 0
	mov al, 30h			; once, 1 ms
	out PIT + 3, al
	mov al, 0a9h
	out PIT, al
	mov al, 4
	out PIT, al
	mov si, text_tick
	call pause
	cmp byte [es:TICKED], 0
	jne .say
	mov si, text_late
	mov cx, 5
.more:	call pause
	loop .more
	cmp byte [es:TICKED], 0
	jne .say
	mov si, text_no_tick
.say:	call say
	dec bx
	jnz .next
	xor al, al
	jmp exit

; ---- Memory, and an NMI ------------------------------------------------------

memory:
	mov byte [es:WATCHED], 0
	mov si, text_waits
	call say
.wait:	cmp byte [es:WATCHED], 0
	je .wait
	mov si, text_changed
	call say
	mov al, [es:WATCHED]
	jmp exit

; By the local APIC's LINT1, which is masked after a reset.
await_nmi:
	mov ebx, APIC
	mov dword [fs:ebx + 0f0h], 1ffh	; on
	mov dword [fs:ebx + 360h], 400h	; LINT1: NMI
	mov word [es:2 * 4], on_nmi
	mov [es:2 * 4 + 2], cs
	mov si, text_waits
	call say
.wait:	jmp .wait
on_nmi:
	mov si, text_nmi
	call say
	mov al, 7
	jmp exit

; Where a startup interrupt can send a CPU to: the beginning of a page.
	times (OTHERS_AT & 0ffffh) - ($ - $$) db 0
others:
	xor ax, ax
	mov ds, ax
	lock inc byte [STARTED]
.count:	lock inc dword [COUNTED]
	jmp .count

	times 0fff0h - ($ - $$) db 0
	jmp 0f000h:start
	times 10000h - ($ - $$) db 0
