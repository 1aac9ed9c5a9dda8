/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scan for return addresses.
 *
 * References: SDM volume 2, "CALL": E8 rel32, and FF /2 with its ModRM forms.
 */
#include "kernel/backtrace.h"

#include "include/log.h"
#include "mm/map.h"

#define TRACE_WORDS_MAX	 1024
#define TRACE_FRAMES_MAX 24

extern const char image_text[], image_text_end[];

static bool is_text(uint64_t address)
{
	return address >= (uint64_t)image_text &&
	       address < (uint64_t)image_text_end;
}

/* Whether the bytes before address may be a CALL. */
static bool follows_call(uint64_t address)
{
	const uint8_t *p = (const uint8_t *)address;

	if (!is_text(address) || !is_text(address - 7))
		return false;
	if (p[-5] == 0xe8)
		return true;
	for (int length = 2; length <= 7; length++)
		if (p[-length] == 0xff && (p[-length + 1] & 0x38) == 0x10)
			return true;
	return false;
}

static void frame_print(uint64_t address)
{
	log_err("    %016lx", address);
}

void backtrace_print(uint64_t rip, uint64_t rsp)
{
	const uint64_t *word = (const uint64_t *)ALIGN_UP(rsp, 8);
	unsigned frames = 0;

	/* A stack that ran over ends in its guard page: start above that. */
	if (!map_is_mapped((uint64_t)word))
		word = (const uint64_t *)ALIGN_UP(rsp + 1, PAGE_SIZE);
	log_err("backtrace (by scanning; a line may be stale):");
	frame_print(rip);
	for (unsigned i = 0; i < TRACE_WORDS_MAX; i++) {
		/* A stack ends at a page's end, with nothing mapped behind. */
		if ((!i || IS_ALIGNED((uint64_t)&word[i], PAGE_SIZE)) &&
		    !map_is_mapped((uint64_t)&word[i]))
			break;
		if (word[i] == rip || !follows_call(word[i]))
			continue;
		frame_print(word[i]);
		if (++frames == TRACE_FRAMES_MAX)
			break;
	}
}
