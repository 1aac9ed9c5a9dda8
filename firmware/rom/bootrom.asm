; SPDX-License-Identifier: BSD-2-Clause
;
; The option ROM that starts a kernel in a BIOS' stead: a PnP expansion header
; whose bootstrap entry vector the BIOS calls as it calls a network card's, when
; its power-on self-test is done.  It fetches what direct boot has planned
; (struct bootrom_handover) from fw_cfg by DMA, asks the BIOS for the memory map,
; carries the plan out and enters the kernel in flat 32-bit protected mode.  The
; BIOS stays where it is, its interrupt vectors in IDTR.
;
; firmware/bootrom.c fills in the checksums.
;
; References: "BIOS Boot Specification" 1.01; "Plug and Play BIOS Specification"
; 1.0A, "Option ROM Header"; QEMU, "QEMU Firmware Configuration (fw_cfg) Device";
; ACPI 6.5, "System Address Map Interfaces"; "PCI BIOS Specification" 2.1.

%include "bootrom_offsets.inc"

FW_CFG_DMA	equ 0x514
DMA_READ	equ 2
DMA_SKIP	equ 4
DMA_SELECT	equ 8
KEY_SHIFT	equ 16

PORT_FAST	equ 0x92	; A20 gate
FAST_A20	equ 2
FAST_RESET	equ 1

SMAP		equ 0x534d4150
E820_SIZE	equ 20
E820_RAM	equ 1
MIB		equ 0x100000

; PCI BIOS, INT 1Ah.
PCI_FIND_CLASS	equ 0xb103
PCI_READ_WORD	equ 0xb109
PCI_WRITE_WORD	equ 0xb10c
CLASS_IDE_MASTER equ 0x010180
PCI_COMMAND	equ 4
PCI_COMMAND_MASTER equ 4

; Offsets in the data's segment, behind the information.
DATA		equ DIRECT_DATA_BASE
HANDOVER	equ DIRECT_INFO_SIZE
COMMAND		equ HANDOVER + 0x1000	; of fw_cfg's DMA
COUNT		equ COMMAND + 16	; of map entries
UPPER		equ COUNT + 4
STACK		equ 0xb000

bits 16
org 0
	db	0x55, 0xaa
	db	BOOTROM_SIZE / 512
	jmp	near init
	times 0x18 - ($ - $$) db 0
	dw	0		; no PCI data structure
	dw	pnp
	times 0x20 - ($ - $$) db 0
pnp:
	db	"$PnP", 1, 2	; revision, length / 16
	dw	0		; next header
	db	0, 0		; reserved; checksum
	dd	0		; device identifier
	dw	maker, product
	db	1, 0x80, 0	; device type: mass storage, other
	db	0x14		; a boot device, not cached
	dw	0, 0		; boot connection, disconnect vector
	dw	bootstrap
	dw	0, 0

maker:	db	"Bulkhead", 0
product: db	"Kernel", 0

init:
	mov	ax, 0x20	; an initial program load device is attached
	retf

bootstrap:
	cld
	mov	ax, DATA >> 4
	cli
	mov	ss, ax
	mov	sp, STACK
	sti
	mov	ds, ax
	mov	es, ax

	mov	eax, (FW_CFG_HANDOVER << KEY_SHIFT) | DMA_SELECT | DMA_READ
	mov	ecx, HANDOVER_SIZE
	mov	edi, DATA + HANDOVER
	call	dma
	mov	si, HANDOVER + HANDOVER_PIECES
	call	piece		; the information
	push	si
	call	map
	call	sizes
	call	master
	pop	si

	; What is loaded now may lie over the BIOS' variables.
	cli
	mov	cx, [HANDOVER + HANDOVER_COUNT]
	jmp	.next
.piece:
	push	cx
	call	piece
	pop	cx
.next:
	loop	.piece
	jmp	enter

; The piece at SI.  SI: the next.
piece:
	mov	eax, [si]
	shl	eax, KEY_SHIFT
	or	eax, DMA_SELECT | DMA_SKIP
	mov	ecx, [si + PIECE_OFFSET]
	call	dma
	mov	eax, DMA_READ
	mov	ecx, [si + PIECE_LENGTH]
	mov	edi, [si + PIECE_GPA]
	call	dma
	; Of a key that is none zeroes are read.
	mov	eax, (FW_CFG_NOTHING << KEY_SHIFT) | DMA_SELECT | DMA_READ
	mov	ecx, [si + PIECE_FILL]
	sub	ecx, [si + PIECE_LENGTH]
	add	edi, [si + PIECE_LENGTH]
	call	dma
	add	si, PIECE_SIZE
	ret

; Command EAX, ECX bytes to EDI.  Changes EAX, DX.
dma:
	bswap	eax
	mov	[COMMAND], eax
	mov	eax, ecx
	bswap	eax
	mov	[COMMAND + 4], eax
	mov	dword [COMMAND + 8], 0
	mov	eax, edi
	bswap	eax
	mov	[COMMAND + 12], eax
	mov	dx, FW_CFG_DMA
	xor	eax, eax
	out	dx, eax
	mov	dx, FW_CFG_DMA + 4
	mov	eax, DATA + COMMAND
	bswap	eax
	out	dx, eax
	mov	eax, [COMMAND]
	bswap	eax
	test	eax, eax	; what is left: an error, or it is at it
	jnz	failed
	ret

; The BIOS' memory map as the kernel's protocol wants it.
map:
	xor	ebx, ebx
	mov	[COUNT], ebx
	mov	[UPPER], ebx
	mov	di, [HANDOVER + HANDOVER_MAP_GPA]	; within DATA's segment
.entry:
	mov	eax, [HANDOVER + HANDOVER_MAP_AT]
	test	ax, ax
	jz	.ask
	mov	dword [di], E820_SIZE
	add	di, ax
.ask:
	mov	eax, 0xe820
	mov	edx, SMAP
	mov	ecx, E820_SIZE
	push	di
	int	0x15
	pop	di
	jc	.done
	cmp	eax, SMAP
	jne	.done
	call	upper
	inc	dword [COUNT]
	sub	di, [HANDOVER + HANDOVER_MAP_AT]
	add	di, [HANDOVER + HANDOVER_MAP_STRIDE]
	mov	eax, [COUNT]
	cmp	eax, [HANDOVER + HANDOVER_MAP_MAX]
	jae	.done
	test	ebx, ebx
	jnz	.entry
.done:
	ret

; KiB from 1 MiB on, if the entry at DI is where that lies.  Changes EAX, EDX.
upper:
	cmp	dword [di + 16], E820_RAM
	jne	.no
	cmp	dword [di + 4], 0
	jne	.no
	mov	eax, [di]
	cmp	eax, MIB
	ja	.no
	mov	edx, [di + 12]
	add	eax, [di + 8]
	adc	edx, 0
	jnz	.no
	sub	eax, MIB
	jbe	.no
	shr	eax, 10
	mov	[UPPER], eax
.no:	ret

; What is known now goes where the kernel looks for it.
sizes:
	mov	eax, [COUNT]
	mul	dword [HANDOVER + HANDOVER_MAP_SCALE]
	mov	bx, [HANDOVER + HANDOVER_MAP_COUNT]
	mov	[bx], eax
	int	0x12
	movzx	eax, ax
	cmp	dword [HANDOVER + HANDOVER_LOWER], 0
	je	.upper
	mov	bx, [HANDOVER + HANDOVER_LOWER]
	mov	[bx], eax
.upper:
	cmp	dword [HANDOVER + HANDOVER_UPPER], 0
	je	.done
	mov	eax, [UPPER]
	mov	bx, [HANDOVER + HANDOVER_UPPER]
	mov	[bx], eax
.done:
	ret

; Bus mastering for the IDE controller, which SeaBIOS does not use itself.
master:
	mov	ax, PCI_FIND_CLASS
	mov	ecx, CLASS_IDE_MASTER
	xor	si, si
	int	0x1a
	jc	.none
	mov	ax, PCI_READ_WORD
	mov	di, PCI_COMMAND
	int	0x1a
	jc	.none
	or	cl, PCI_COMMAND_MASTER
	mov	ax, PCI_WRITE_WORD
	mov	di, PCI_COMMAND
	int	0x1a
.none:	ret

enter:
	in	al, PORT_FAST
	or	al, FAST_A20
	and	al, ~FAST_RESET & 0xff
	out	PORT_FAST, al
	xor	ebx, ebx
	mov	bx, cs
	shl	ebx, 4
	add	ebx, flat
	o32 lgdt [cs:gdtr]
	mov	eax, cr0
	or	al, 1
	mov	cr0, eax
	push	dword DIRECT_CODE_SELECTOR
	push	ebx
	o32 retf

gdtr:	dw	4 * 8 - 1
	dd	DIRECT_GDT_GPA

bits 32
flat:
	mov	eax, DIRECT_DATA_SELECTOR
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	esp, DATA + STACK
	mov	ebp, DATA + HANDOVER
	mov	eax, [ebp + HANDOVER_EAX]
	mov	ebx, [ebp + HANDOVER_EBX]
	mov	esi, [ebp + HANDOVER_ESI]
	xor	edi, edi
	push	dword [ebp + HANDOVER_EIP]
	xor	ebp, ebp
	ret

bits 16
failed:
	push	cs
	pop	ds
	mov	si, .text
.letter:
	lodsb
	test	al, al
	jz	.stop
	mov	ah, 0x0e
	mov	bx, 7
	int	0x10
	jmp	.letter
.stop:
	sti
	hlt
	jmp	.stop
.text:	db	"Bulkhead: the kernel cannot be fetched", 13, 10, 0

	times BOOTROM_SIZE - ($ - $$) db 0
