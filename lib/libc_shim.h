/* SPDX-License-Identifier: BSD-2-Clause */
/* Prototypes for lib/libc_shim.c; nobody but libfdt calls these. */
#ifndef BULKHEAD_LIBC_SHIM_H
#define BULKHEAD_LIBC_SHIM_H

__attribute__((noreturn)) void __stack_chk_fail(void);
unsigned long strtoul(const char *text, char **end, int base);

#endif
