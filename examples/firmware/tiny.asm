; SPDX-License-Identifier: BSD-2-Clause
;
; Firmware of 64 KiB for the cases beside it: says hello wherever firmware can, then
; does what its first byte says.  Cases change that byte (`patch`).
;
;	0 ends by port F4h, code 0	6 speaks on and on
;	1 triple fault			7 writes back what it reads at COM1
;	2 reset by the 8042, for ever	8 waits for the power button, powers off
;	3 goes round in one place	9 tells what the 8042 gives
;	4 HLT, interrupts off		10 waits for an NMI, ends with code 7
;	5 polls COM1, and says nothing	11 two resets, then as 0
	[map symbols MAP]
	bits 16
	org 0

COM1		equ 3f8h
DEBUG		equ 402h
HACK		equ 0e9h
POST		equ 80h
EXIT		equ 0f4h
KBD		equ 60h
KBD_STATUS	equ 64h
CMOS		equ 70h
CMOS_COUNT	equ 50h		; of resets: lasts as long as power does
PM_BASE		equ 600h
PM1_STS		equ PM_BASE
PM1_CNT		equ PM_BASE + 4
PWRBTN		equ 100h
SLEEP_S5	equ 2000h
APIC		equ 0fee00000h
PM_DEVICE	equ 80000b00h	; 00:01.3

what:	db 0

hello:	db "hello from the serial port", 13, 10, 0
debug:	db "hello from 402", 10, 0
hack:	db "hello from e9", 10, 0
again:	db "on and on", 13, 10, 0
bye:	db "the button was pressed", 13, 10, 0
nmi_text: db "an NMI came", 13, 10, 0
digits:	db "0123456789abcdef"

start:
	cli
	cld
	xor ax, ax
	mov es, ax
	mov ss, ax
	mov sp, 7000h
	mov ax, cs
	mov ds, ax
	mov al, 1
	out POST, al
	mov dx, COM1
	mov si, hello
	call say
	mov dx, DEBUG
	mov si, debug
	call say
	mov dx, HACK
	mov si, hack
	call say
	mov al, 0a5h
	out POST, al
	movzx bx, byte [what]
	add bx, bx
	jmp [bx + table]

table:	dw finish, triple, reset, around, halt, poll, chatter, echo, button
	dw input, await_nmi, resets

; SI: text, DX: port
say:
	lodsb
	test al, al
	jz .end
	out dx, al
	jmp say
.end:	ret

; AL as two digits and a blank at COM1
hex:
	push ax
	shr al, 4
	call .digit
	pop ax
	and al, 15
	call .digit
	mov al, ' '
	out dx, al
	ret
.digit:	movzx bx, al
	mov al, [bx + digits]
	mov dx, COM1
	out dx, al
	ret

finish:
	xor al, al
	out EXIT, al
halt:
	cli
	hlt
	jmp halt

triple:
	lidt [no_idt]
	int3
no_idt:	dw 0
	dd 0

reset:
	mov al, 0feh
	out KBD_STATUS, al
	jmp halt

around:
	jmp around

poll:
	mov dx, COM1 + 5
.again:	in al, dx
	test al, 1
	jz .again
	jmp poll

chatter:
	mov cx, 2000
.wait:	loop .wait
	mov dx, COM1
	mov si, again
	call say
	jmp chatter

echo:
	mov dx, COM1 + 5
	in al, dx
	test al, 1
	jz echo
	mov dx, COM1
	in al, dx
	out dx, al
	jmp echo

; EAX: configuration address of the power management function, AX: value
pm_write:
	mov dx, 0cf8h
	out dx, eax
	mov eax, ecx
	mov dx, 0cfch
	out dx, eax
	ret

button:
	mov eax, PM_DEVICE + 40h
	mov ecx, PM_BASE | 1
	call pm_write
	mov eax, PM_DEVICE + 80h	; PMREGMISC: I/O space on
	mov ecx, 1
	call pm_write
	mov dx, PM1_STS
.wait:	in ax, dx
	test ax, PWRBTN
	jz .wait
	mov dx, COM1
	mov si, bye
	call say
	mov dx, PM1_CNT
	mov ax, SLEEP_S5
	out dx, ax
	jmp halt

; All that comes from keyboard and mouse, which reports from now on.
input:
	mov al, 0a8h
	call command
	mov al, 60h
	call command
	mov al, 0			; no interrupts, no translation
	call data
	mov al, 0d4h
	call command
	mov al, 0f4h
	call data
.next:	in al, KBD_STATUS
	test al, 1
	jz .next
	in al, KBD
	call hex
	jmp .next

command:
	call ready
	out KBD_STATUS, al
	ret
data:
	call ready
	out KBD, al
	ret
ready:
	push ax
.wait:	in al, KBD_STATUS
	test al, 2
	jnz .wait
	pop ax
	ret

; An NMI comes by the local APIC's LINT1, which is masked after a reset.
await_nmi:
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	mov bx, 8
	mov fs, bx			; whose limit stays: 4 GiB
	and al, 0feh
	mov cr0, eax
	mov ebx, APIC
	mov dword [fs:ebx + 0f0h], 1ffh	; on
	mov dword [fs:ebx + 360h], 400h	; LINT1: NMI
	mov word [es:2 * 4], on_nmi
	mov [es:2 * 4 + 2], cs
.wait:	hlt
	jmp .wait
on_nmi:
	mov dx, COM1
	mov si, nmi_text
	call say
	mov al, 7
	out EXIT, al
	jmp halt

gdtr:	dw 15
	dd 0f0000h + gdt
gdt:	dq 0
	dq 00cf92000000ffffh

resets:
	mov al, CMOS_COUNT
	out CMOS, al
	in al, CMOS + 1
	inc al
	mov ah, al
	mov al, CMOS_COUNT
	out CMOS, al
	mov al, ah
	out CMOS + 1, al
	cmp al, 3
	jb reset
	jmp finish

	times 0fff0h - ($ - $$) db 0
	jmp 0f000h:start
	times 10000h - ($ - $$) db 0
