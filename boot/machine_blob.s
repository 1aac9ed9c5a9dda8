# SPDX-License-Identifier: BSD-2-Clause
# The machine's ELF file, page-aligned.  include/manifest.h's neighbours read
# it through machine_blob and machine_blob_end.

	.section .rodata.machine, "a"
	.balign 4096
	.globl machine_blob, machine_blob_end
machine_blob:
	.incbin "machine.stripped"
machine_blob_end:
	.balign 4096
	.section .note.GNU-stack, "", @progbits
