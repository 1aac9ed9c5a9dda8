/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted printing into a buffer, standard contracts.  Conversions:
 * %d %i %u %x %X %o %c %s %p %%, flags - 0 + # and space, width and precision
 * (also *), lengths hh h l ll z t j.  No floating point, no %n.
 */
#ifndef BULKHEAD_PRINTF_H
#define BULKHEAD_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

int snprintf(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
