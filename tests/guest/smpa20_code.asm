; SPDX-License-Identifier: BSD-2-Clause
; The 16-bit halves of smpa20.c: who turns the gate, at 0800:0000, and who looks,
; at 0600:0000.

PORT_FAST	equ 0x92
ROUNDS		equ 8
STORM		equ 200
LIMIT		equ 0x4000000

; struct shared
BELOW		equ 0x600
SEEN		equ 0x604
LOOKS		equ 0x608
WRONG		equ 0x60c
STOP		equ 0x610
ABOVE		equ 0x614
STALE		equ 0x618
TIMEOUTS	equ 0x61c
DONE		equ 0x620
ALIAS		equ 0x610	; of BELOW, in segment FFFFh

section .text
bits 16
global toggle_code, toggle_code_end, look_code, look_code_end
toggle_code:
	xor	ax, ax
	mov	ds, ax
	mov	cx, ROUNDS
.round:
	push	cx
	inc	dword [BELOW]
	xor	al, al
	out	PORT_FAST, al
	mov	ebx, [BELOW]
	call	.seen
	mov	al, 2
	out	PORT_FAST, al
	mov	ebx, [ABOVE]
	call	.seen
	inc	dword [DONE]
	pop	cx
	loop	.round
	mov	cx, STORM
.storm:
	mov	al, cl
	and	al, 1
	shl	al, 1
	out	PORT_FAST, al
	loop	.storm
	mov	al, 2
	out	PORT_FAST, al
	mov	byte [STOP], 1
	retf

; The second look from now on, for the first may have begun before: EBX.
.seen:
	mov	edx, [LOOKS]
	mov	ecx, LIMIT
.wait:
	pause
	mov	eax, [LOOKS]
	sub	eax, edx
	cmp	eax, 2
	jae	.come
	a32 loop .wait
	inc	dword [TIMEOUTS]
.come:
	cmp	ebx, [SEEN]
	je	.right
	inc	dword [STALE]
.right:	ret
toggle_code_end:

look_code:
	cli
	xor	ax, ax
	mov	ds, ax
	mov	ax, 0xffff
	mov	es, ax
.look:
	mov	eax, [es:ALIAS]
	mov	[SEEN], eax
	inc	dword [LOOKS]
	cmp	eax, [ABOVE]
	je	.next
	shr	eax, 28
	cmp	al, 0xa
	je	.next
	inc	dword [WRONG]
.next:
	cmp	byte [STOP], 0
	je	.look
.end:
	hlt
	jmp	.end
look_code_end:
