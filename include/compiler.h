/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every file may lean on: attributes, bit and field helpers, layout
 * assertions, an index that speculation keeps to.  No state.
 */
#ifndef BULKHEAD_COMPILER_H
#define BULKHEAD_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __must_check   __attribute__((warn_unused_result))
#define __noreturn     __attribute__((noreturn))
#define __packed       __attribute__((packed))
#define __aligned(n)   __attribute__((aligned(n)))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __noinline     __attribute__((noinline))
#undef __always_inline /* glibc has one */
#define __always_inline inline __attribute__((always_inline))
#define __maybe_unused	__attribute__((unused))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr)-offsetof(type, member)))

/* BIT(3) = 0x8; MASK(11, 8) = 0xf00.  64-bit: cast when a register is less. */
#define BIT(n)	     (1ULL << (n))
#define MASK(hi, lo) ((~0ULL >> (63 - (hi))) & (~0ULL << (lo)))

/* The value of the field that mask selects; a value moved into that field. */
#define FIELD_SHIFT(mask)    __builtin_ctzll(mask)
#define FIELD_GET(mask, reg) (((uint64_t)(reg) & (mask)) >> FIELD_SHIFT(mask))
#define FIELD_PUT(mask, value) \
	(((uint64_t)(value) << FIELD_SHIFT(mask)) & (mask))

/* n must be a power of two. */
#define ALIGN_DOWN(x, n)   ((x) & ~((uint64_t)(n)-1))
#define ALIGN_UP(x, n)	   ALIGN_DOWN((x) + (uint64_t)(n)-1, n)
#define IS_ALIGNED(x, n)   (((x) & ((uint64_t)(n)-1)) == 0)
#define DIV_ROUND_UP(a, b) (((a) + (b)-1) / (b))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define ASSERT_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), "size of " #type)
#define ASSERT_OFFSET(type, member, offset)                \
	_Static_assert(offsetof(type, member) == (offset), \
		       "offset of " #member " in " #type)

/*
 * index where it is below size, else 0, also where the processor only guesses
 * that it is: for tables that an index of somebody else's leads into, behind
 * the check that refuses it.
 */
static inline uint64_t index_nospec(uint64_t index, uint64_t size)
{
	uint64_t mask;

	__asm__ volatile("cmp %2, %1\n\t"
			 "sbb %0, %0"
			 : "=r"(mask)
			 : "r"(index), "r"(size)
			 : "cc");
	return index & mask;
}

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ULL
#define PAGE_2M	   MIB(2)
#define PAGE_1G	   GIB(1)

/* Addresses: guest-physical, guest-linear, host-physical. */
typedef uint64_t gpa_t;
typedef uint64_t gva_t;
typedef uint64_t hpa_t;

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_MS  1000000ULL
#define NSEC_PER_US  1000ULL

#endif
