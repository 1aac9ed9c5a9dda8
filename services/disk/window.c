/* SPDX-License-Identifier: BSD-2-Clause */
/* See window.h. */
#include "services/disk/window.h"

/* The physical address of offset; 0: there is nothing. */
static hpa_t address_of(const struct dma_window *window, uint64_t offset)
{
	uint64_t count = DIV_ROUND_UP(window->size, BIT(window->shift));
	uint64_t index = offset >> window->shift;
	hpa_t base;

	if (offset >= window->size || index >= count)
		return 0;
	base = window->chunk[index_nospec(index, count)];
	return base ? base + (offset & (BIT(window->shift) - 1)) : 0;
}

/* What is left from offset on of its piece. */
static uint64_t piece_left(const struct dma_window *window, uint64_t offset)
{
	return BIT(window->shift) - (offset & (BIT(window->shift) - 1));
}

bool window_holds(const struct dma_window *window, uint64_t offset,
		  uint64_t length)
{
	if (!length || offset >= window->size || length > window->size - offset)
		return false;
	for (;;) {
		uint64_t n = piece_left(window, offset);

		if (!address_of(window, offset))
			return false;
		if (n >= length)
			return true;
		offset += n;
		length -= n;
	}
}

static bool append(struct segment_list *list, hpa_t address, uint32_t length)
{
	if (list->count) {
		struct drive_segment *last = &list->segment[list->count - 1];

		if (last->address + last->length == address) {
			last->length += length;
			return true;
		}
	}
	if (list->count == list->max)
		return false;
	list->segment[list->count++] = (struct drive_segment){
		.address = address,
		.length = length,
	};
	return true;
}

uint32_t window_translate(const struct dma_window *window, uint64_t offset,
			  uint32_t length, struct segment_list *list)
{
	uint32_t done = 0;

	while (done < length) {
		uint64_t at = offset + done;
		uint32_t n = (uint32_t)MIN((uint64_t)(length - done),
					   piece_left(window, at));
		hpa_t address = address_of(window, at);

		if (address)
			n = (uint32_t)MIN((uint64_t)n, window->size - at);
		if (!address || !append(list, address, n))
			break;
		done += n;
	}
	return done;
}
