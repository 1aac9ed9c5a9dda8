/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A seat with a fault: the service as it is, but for a request with the verb
 * "crash", at which it ends by an invalid instruction.  The linker puts this
 * before services/seat/request.c.
 */
#include "include/compiler.h"
#include "lib/string.h"
#include "services/seat/request.h"

int __real_request_parse(struct request *request, const char *text,
			 uint32_t length, const char **what);
int __wrap_request_parse(struct request *request, const char *text,
			 uint32_t length, const char **what);

int __wrap_request_parse(struct request *request, const char *text,
			 uint32_t length, const char **what)
{
	int error = __real_request_parse(request, text, length, what);

	if (!error && !strcmp(request->verb, "crash"))
		__builtin_trap();
	return error;
}
