/* SPDX-License-Identifier: BSD-2-Clause */
/* The gate's calls that are more than a register move. */
#include "lib/user/gate_calls.h"

#include "lib/printf.h"

void gate_log(unsigned level, const char *format, ...)
{
	char text[GATE_LOG_MAX + 1];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		return;
	gate_call(GATE_LOG, level, (uint64_t)text,
		  MIN((size_t)length, sizeof(text) - 1));
}
