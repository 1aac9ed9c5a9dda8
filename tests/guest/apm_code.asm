; SPDX-License-Identifier: BSD-2-Clause
; The 16-bit half of apm.c, which runs at 0800:0000, and what calls the BIOS in
; protected mode.

MASTER_BASE	equ 0x08
TIMER_ALONE	equ 0xfe
TICKS		equ 0x46c
IDLE_CALLS	equ 8

; An offset in the copy.
%define AT(label)	(label - apm_code)

section .text
bits 16
global apm_code, apm_code_end
apm_code:
	jmp	near start
	nop
version:	dw 0
signature:	dw 0
flags:		dw 0
connected:	dw 0
ticks_idle:	dd 0
idle_flags:	dw 0
ticks_halted:	dd 0
connect16:	dw 0, 0, 0	; AX, BX, CX of 5302h
connect32:	dw 0, 0, 0	; AX, CX, DX of 5303h
entry32:	dd 0

start:
	cld
	call	timer_alone
	xor	ax, ax
	mov	gs, ax
	mov	ax, 0x5300
	xor	bx, bx
	int	0x15
	mov	[AT(version)], ax
	mov	[AT(signature)], bx
	mov	[AT(flags)], cx
	mov	ax, 0x5301
	xor	bx, bx
	int	0x15
	pushf
	pop	word [AT(connected)]

	mov	edi, [gs:TICKS]
	mov	bp, IDLE_CALLS
.idle:
	mov	ax, 0x5305
	xor	bx, bx
	int	0x15
	pushf
	pop	ax
	or	[AT(idle_flags)], ax
	dec	bp
	jnz	.idle
	mov	eax, [gs:TICKS]
	sub	eax, edi
	mov	[AT(ticks_idle)], eax

	mov	edi, [gs:TICKS]
	mov	bp, IDLE_CALLS
.halt:
	sti
	hlt
	cli
	dec	bp
	jnz	.halt
	mov	eax, [gs:TICKS]
	sub	eax, edi
	mov	[AT(ticks_halted)], eax
	mov	ax, 0x5302
	xor	bx, bx
	int	0x15
	mov	[AT(connect16)], ax
	mov	[AT(connect16) + 2], bx
	mov	[AT(connect16) + 4], cx
	mov	ax, 0x5303
	xor	ebx, ebx
	int	0x15
	mov	[AT(connect32)], ax
	mov	[AT(connect32) + 2], cx
	mov	[AT(connect32) + 4], dx
	mov	[AT(entry32)], ebx
	mov	al, 0xff
	out	0x21, al
	retf

; The first 8259 as the BIOS left it, all masked but the timer; the second is
; masked by that.
timer_alone:
	mov	al, 0x11
	out	0x20, al
	mov	al, MASTER_BASE
	out	0x21, al
	mov	al, 4
	out	0x21, al
	mov	al, 1
	out	0x21, al
	mov	al, TIMER_ALONE
	out	0x21, al
	ret
apm_code_end:

; ---- Protected mode ---------------------------------------------------------

CODE_AT		equ 0x8000
DATA		equ 0x10	; as in selectors.inc
CODE32		equ 0x18
THUNK		equ 0x20
BIOS16		equ 0x28	; 16-bit entry: code, data
BIOS32		equ 0x38	; 32-bit entry: code of 32 and 16 bits, data
STACK16		equ 0x50
STACK_SIZE	equ 4096
CODE_16		equ 0x9a << 40 | 0xffff
CODE_32		equ CODE_16 | 0x40 << 48
DATA_16		equ 0x92 << 40 | 0xffff
FLAT		equ 0xcf << 48 | 0xffff
GATE32		equ 0x8e00

; Where a result of the real-mode half is.
%define RESULT(label)	(CODE_AT + AT(label))

; Descriptor %1 begins at segment [%2].
%macro BASE_OF_SEGMENT 2
	movzx	eax, word [%2]
	shl	eax, 4
	mov	edi, gdt + %1
	call	base_set
%endmacro

section .data
global apm_ticks16, apm_ticks32, apm_flags16, apm_flags32
align 8
gdt:
	dq 0, 0
	dq FLAT | 0x92 << 40
	dq FLAT | 0x9a << 40
	dq CODE_16
	dq CODE_16, DATA_16
	dq CODE_32, CODE_16, DATA_16
	dq DATA_16
gdtr:		dw $ - gdt - 1
		dd gdt
idt:		times 9 dq 0
idtr:		dw $ - idt - 1
		dd idt
old_gdtr:	times 3 dw 0
old_idtr:	times 3 dw 0
far16:		dw 0, BIOS16
far32:		dd 0
		dw BIOS32
calls:		dd 0
ticks:		dd 0
apm_ticks16:	dd 0
apm_ticks32:	dd 0
apm_flags16:	dd 0
apm_flags32:	dd 0
old_esp:	dd 0
stack16:	times STACK_SIZE db 0

section .text
bits 32
global apm_protected
; Flat segments, no paging, interrupts off.
apm_protected:
	pushad
	sgdt	[old_gdtr]
	sidt	[old_idtr]
	BASE_OF_SEGMENT BIOS16, RESULT(connect16)
	BASE_OF_SEGMENT BIOS16 + 8, RESULT(connect16) + 4
	BASE_OF_SEGMENT BIOS32, RESULT(connect32)
	BASE_OF_SEGMENT BIOS32 + 8, RESULT(connect32) + 2
	BASE_OF_SEGMENT BIOS32 + 16, RESULT(connect32) + 4
	mov	eax, thunk
	mov	edi, gdt + THUNK
	call	base_set
	mov	eax, stack16
	mov	edi, gdt + STACK16
	call	base_set
	mov	ax, [RESULT(connect16) + 2]
	mov	[far16], ax
	mov	eax, [RESULT(entry32)]
	mov	[far32], eax
	mov	eax, timer
	mov	[idt + 8 * MASTER_BASE], ax
	mov	word [idt + 8 * MASTER_BASE + 2], CODE32
	mov	word [idt + 8 * MASTER_BASE + 4], GATE32
	shr	eax, 16
	mov	[idt + 8 * MASTER_BASE + 6], ax
	lgdt	[gdtr]
	lidt	[idtr]
	mov	al, TIMER_ALONE
	out	0x21, al

	mov	dword [calls], IDLE_CALLS
	mov	dword [ticks], 0
.call32:
	mov	eax, 0x5305
	xor	ebx, ebx
	call	far [far32]
	pushfd
	pop	eax
	mov	ecx, DATA
	mov	ds, ecx
	mov	es, ecx
	or	[apm_flags32], eax
	dec	dword [calls]
	jnz	.call32
	mov	eax, [ticks]
	mov	[apm_ticks32], eax

	mov	dword [calls], IDLE_CALLS
	mov	dword [ticks], 0
.call16:
	jmp	THUNK:0
back:
	or	[apm_flags16], eax
	dec	dword [calls]
	jnz	apm_protected.call16
	mov	eax, [ticks]
	mov	[apm_ticks16], eax

	mov	al, 0xff
	out	0x21, al
	lidt	[old_idtr]
	lgdt	[old_gdtr]
	popad
	ret

; Descriptor EDI begins at EAX.
base_set:
	mov	[edi + 2], ax
	shr	eax, 16
	mov	[edi + 4], al
	mov	[edi + 7], ah
	ret

; Wherever the BIOS is: its data segment is not ours.
timer:
	push	eax
	push	ds
	mov	eax, DATA
	mov	ds, eax
	inc	dword [ticks]
	mov	al, 0x20
	out	0x20, al
	pop	ds
	pop	eax
	iretd

bits 16
; Its own segment, so that the BIOS can return to 16 bits, and a stack of 16 bits:
; SeaBIOS forgets the upper half of ESP.
thunk:
	mov	[dword old_esp], esp
	mov	cx, STACK16
	mov	ss, cx
	mov	esp, STACK_SIZE
	mov	ax, 0x5305
	xor	bx, bx
	call	far [dword far16]
	pushfd
	pop	eax
	mov	cx, DATA
	mov	ds, cx
	mov	es, cx
	mov	ss, cx
	mov	esp, [dword old_esp]
	jmp	dword CODE32:back
