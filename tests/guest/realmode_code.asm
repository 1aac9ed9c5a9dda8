; SPDX-License-Identifier: BSD-2-Clause
; The 16-bit half of realmode.c: runs at 0800:0000, FS with a 4 GiB limit.

PIC1		equ 0x20
PIC_VECTOR	equ 0x20
PIC_EOI		equ 0x20
PIT_CH0		equ 0x40
PIT_COMMAND	equ 0x43
PIT_MODE2	equ 0x34
PORT_NONE	equ 0x1e0
VECTOR		equ 0x60

; An offset in the copy.
%define AT(label)	(label - real_code)

; IVT entry: SET_VECTOR number, label.  Changes AX; FS is 0.
%macro SET_VECTOR 2
	mov	word [fs:%1 * 4], AT(%2)
	mov	[fs:%1 * 4 + 2], cs
%endmacro

section .text
bits 16
global real_code, real_code_end
real_code:
	jmp	near start
	nop
es_base:	dw 0
int_ax:		dw 0
int_flags:	dw 0
de_seen:	dw 0
ud_seen:	dw 0
stos_di:	dw 0
far_call:	dw 0
enter_sp:	dw 0
wide:		dd 0
cpuid_ebx:	dd 0
mmio:		dd 0
port:		dd 0
insw_di:	dw 0
insw_cx:	dw 0
hlt_ticks:	dw 0
bound_seen:	dw 0
loop_count:	dd 0

start:
	cld
	; FS was loaded with base 0 in protected mode and still is so.
	mov	ax, 0x2000
	mov	es, ax
	mov	word [es:0x10], 0xbeef
	mov	ax, [es:0x10]
	mov	[AT(es_base)], ax

	SET_VECTOR VECTOR, on_int
	SET_VECTOR 0, on_de
	SET_VECTOR 5, on_bound
	SET_VECTOR 6, on_ud
	SET_VECTOR PIC_VECTOR, on_irq0

	sti
	mov	ax, 0x4141
	int	VECTOR
	cli
	mov	[AT(int_ax)], ax

	xor	cx, cx
	mov	ax, 5
	div	cl
	ud2
	mov	ax, 3
	bound	ax, [AT(limits)]

	mov	ax, 0x3000
	mov	es, ax
	mov	di, 0xfffe
	mov	cx, 4
	mov	al, 0x77
	rep stosb
	mov	[AT(stos_di)], di

	push	cs
	push	word AT(after_far)
	push	cs
	push	word AT(far_target)
	retf
after_far:
	mov	bx, sp
	enter	8, 0
	leave
	sub	bx, sp
	mov	[AT(enter_sp)], bx

	mov	eax, 0x12345678
	imul	eax, eax, 3
	mov	[AT(wide)], eax
	xor	eax, eax
	cpuid
	mov	[AT(cpuid_ebx)], ebx
	mov	eax, 0xfee00030
	mov	eax, [fs:eax]
	mov	[AT(mmio)], eax
	mov	dx, PORT_NONE
	in	eax, dx
	mov	[AT(port)], eax
	mov	di, 0x100
	mov	cx, 8
	rep insw
	mov	[AT(insw_di)], di
	mov	[AT(insw_cx)], cx

	mov	cx, 1000
.loop:	inc	dword [AT(loop_count)]
	loop	.loop

	mov	al, PIT_MODE2
	out	PIT_COMMAND, al
	mov	al, 0
	out	PIT_CH0, al
	mov	al, 0x10
	out	PIT_CH0, al
	mov	al, 0xfe
	out	PIC1 + 1, al
	sti
	hlt
	cli
	mov	al, 0xff
	out	PIC1 + 1, al
	retf

far_target:
	mov	word [AT(far_call)], 0xfa12
	retf

on_int:
	pushf
	pop	word [AT(int_flags)]
	mov	ax, 0x4242
	iret

; Faults: IP is moved over the instruction, whose length is known.
on_de:
	inc	word [AT(de_seen)]
	push	bp
	mov	bp, sp
	add	word [bp + 2], 2
	pop	bp
	iret

on_ud:
	inc	word [AT(ud_seen)]
	push	bp
	mov	bp, sp
	add	word [bp + 2], 2
	pop	bp
	iret

on_bound:
	inc	word [AT(bound_seen)]
	push	bp
	mov	bp, sp
	add	word [bp + 2], 4
	pop	bp
	iret

on_irq0:
	inc	word [AT(hlt_ticks)]
	push	ax
	mov	al, PIC_EOI
	out	PIC1, al
	pop	ax
	iret

limits:	dw	10, 20
real_code_end:

section .note.GNU-stack noalloc noexec nowrite progbits
