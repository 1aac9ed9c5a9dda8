; SPDX-License-Identifier: BSD-2-Clause
;
; Where the monitor starts a vCPU's thread in the machine: RDI is the vCPU's
; number, RSP the top of its stack.

	bits 64
	section .entry exec

	extern	machine_main
	global	machine_entry
machine_entry:
	xor	ebp, ebp
	call	machine_main
	ud2
