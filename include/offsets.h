/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For X_offsets.c files alone: puts numbers of C into the assembler's output,
 * where the Makefile picks them up as NASM definitions.
 */
#ifndef BULKHEAD_OFFSETS_H
#define BULKHEAD_OFFSETS_H

#include "include/compiler.h"

#define CONSTANT(name, value) \
	__asm__ volatile("\n.ascii \"->" #name " %0\"" : : "i"(value))
#define OFFSET(name, type, member) CONSTANT(name, offsetof(type, member))

#endif
