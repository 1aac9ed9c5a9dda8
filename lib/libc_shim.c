/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Debian's libfdt, compiled for a C library, wants besides string
 * functions.  Its stack canary lives at %fs:0x28: whoever calls it must have
 * FS point somewhere (GATE_FS_VA).  Host tests link the C library's.
 */
#include "lib/libc_shim.h"

#include "include/compiler.h"

void __stack_chk_fail(void)
{
	__builtin_trap();
}

/* Base 10 only, which is all that libfdt asks for; no overflow check. */
unsigned long strtoul(const char *text, char **end, int base)
{
	unsigned long value = 0;

	(void)base;
	while (*text >= '0' && *text <= '9')
		value = value * 10 + (unsigned long)(*text++ - '0');
	if (end)
		*end = (char *)(uintptr_t)text;
	return value;
}
