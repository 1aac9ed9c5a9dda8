; SPDX-License-Identifier: BSD-2-Clause
;
; Where the monitor starts each thread of a program: RDI is the thread's number,
; RSP the top of its stack.  The note says for which gate the program was built.

	%include "gate_version.inc"

	bits 64
	section .entry exec

	extern	program_main
	global	program_entry
program_entry:
	xor	ebp, ebp
	call	program_main
	ud2

	section .note.bulkhead note alloc
	dd	.name_end - .name, .desc_end - .desc, 1
.name:	db	"Bulkhead", 0
.name_end:
	align	4, db 0
.desc:	dd	GATE_VERSION
.desc_end:
