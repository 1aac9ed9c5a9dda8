/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of ELF files that loaders need.
 *
 * Reference: System V ABI, "Object Files", "Program Loading".
 */
#ifndef BULKHEAD_ELF_H
#define BULKHEAD_ELF_H

#include "include/compiler.h"

struct elf_ident {
	uint8_t magic[4];
	uint8_t class;
	uint8_t data;
	uint8_t version;
	uint8_t pad[9];
} __packed;

#define ELF_CLASS_32	1
#define ELF_CLASS_64	2
#define ELF_DATA_LITTLE 1
#define ELF_TYPE_EXEC	2
#define ELF_TYPE_DYN	3
#define ELF_386		3
#define ELF_X86_64	62
#define ELF_PT_LOAD	1
#define ELF_PT_NOTE	4

/* Segment flags */
#define ELF_PF_EXEC  BIT(0)
#define ELF_PF_WRITE BIT(1)

struct elf64_header {
	struct elf_ident ident;
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
} __packed;
ASSERT_SIZE(struct elf64_header, 64);

struct elf32_header {
	struct elf_ident ident;
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint32_t entry;
	uint32_t phoff;
	uint32_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
} __packed;
ASSERT_SIZE(struct elf32_header, 52);

struct elf64_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
} __packed;
ASSERT_SIZE(struct elf64_segment, 56);

struct elf32_segment {
	uint32_t type;
	uint32_t offset;
	uint32_t vaddr;
	uint32_t paddr;
	uint32_t filesz;
	uint32_t memsz;
	uint32_t flags;
	uint32_t align;
} __packed;
ASSERT_SIZE(struct elf32_segment, 32);

struct elf_note {
	uint32_t name_length;
	uint32_t value_length;
	uint32_t type;
} __packed;

#endif
