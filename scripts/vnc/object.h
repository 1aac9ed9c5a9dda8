/* SPDX-License-Identifier: BSD-2-Clause */
/* A JSON object of the control protocol: its keys looked up, nothing kept. */
#ifndef BULKHEAD_VNC_OBJECT_H
#define BULKHEAD_VNC_OBJECT_H

#include "include/compiler.h"

/* Each finds the key's value and says whether it is there and of this kind. */
bool object_number(const char *text, size_t length, const char *key,
		   uint32_t *value);
bool object_text(const char *text, size_t length, const char *key, char *value,
		 size_t size); /* cut at the size; escapes stay as they are */
bool object_is_true(const char *text, size_t length, const char *key);

#endif
