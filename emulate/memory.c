/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data in guest memory: segmentation, alignment, the walk of one or two
 * pages, then RAM or MMIO.  An access is prepared first, which raises every
 * fault it can raise, then read or written, so that a store over two pages of
 * which the second faults writes nothing.
 *
 * Not modelled: memory types.
 *
 * References: SDM volume 3, "Protection"; APM volume 2, "Segmented Virtual
 * Memory".
 */
#include "emulate/memory.h"

#include "emulate/breakpoint.h"

static __always_inline const struct emul_window *
window_find(const struct emul *e, unsigned first, uint64_t gpa)
{
	const struct emul_window *w;

	for (w = &e->window[first]; unlikely(w->size); w++)
		if (unlikely(gpa - w->start < w->size))
			return w;
	return NULL;
}

const void *emul_window_at(const struct emul *e, uint64_t gpa)
{
	const struct emul_window *w = window_find(e, 0, gpa);

	return w ? w->host + (gpa - w->start) : NULL;
}

/* What is not in the first window. */
void *emul_ram_slow(struct emul *e, uint64_t gpa, unsigned size, bool write)
{
	const struct emul_window *w = window_find(e, 1, gpa);

	if (likely(!w))
		return e->ops->ram ? e->ops->ram(e->ctx, gpa, size, write)
				   : NULL;
	return write && w->is_read_only ? NULL : w->host + (gpa - w->start);
}

static enum emul_status segment_fault(struct emul *e, unsigned seg)
{
	return emul_raise_code(e, seg == X86_SS ? X86_VECTOR_SS : X86_VECTOR_GP,
			       0);
}

/* Everything but an access within a plain writable data segment. */
static bool segment_allows(const struct emul *e, const struct x86_segment *s,
			   uint64_t first, uint64_t last, uint32_t access)
{
	uint64_t top = s->attributes & X86_ATTR_DB ? UINT32_MAX : UINT16_MAX;

	if (!mode_is_protected(e))
		return last <= s->limit;
	if (!(s->attributes & X86_ATTR_P))
		return false;
	if (s->attributes & X86_ATTR_CODE)
		return !(access & ACCESS_WRITE) &&
		       s->attributes & X86_ATTR_READABLE && last <= s->limit;
	if (access & ACCESS_WRITE && !(s->attributes & X86_ATTR_WRITABLE))
		return false;
	if (s->attributes & X86_ATTR_EXPAND)
		return first > s->limit && last <= top;
	return last <= s->limit;
}

enum emul_status emul_linear_other(struct emul *e, unsigned seg,
				   uint64_t offset, unsigned size,
				   uint32_t access, uint64_t *linear)
{
	const struct x86_segment *s = &e->state->seg[seg];
	uint64_t last;

	if (e->mode & MODE_64) {
		if (seg >= X86_FS)
			offset += s->base;
		last = offset + size - 1;
		if (unlikely(!is_canonical(e, offset) ||
			     !is_canonical(e, last) ||
			     (int64_t)(offset ^ last) < 0))
			return segment_fault(e, seg);
		*linear = offset;
	} else {
		last = offset + size - 1;
		if (unlikely(!emul_segment_is_plain(s, last)) &&
		    !segment_allows(e, s, offset, last, access))
			return segment_fault(e, seg);
		*linear = (uint32_t)(s->base + offset);
	}
	if (unlikely(e->mode & MODE_ALIGN) && *linear & (size - 1) &&
	    size <= 8 && !(size & (size - 1)))
		return emul_raise_code(e, X86_VECTOR_AC, 0);
	if (unlikely(e->mode & MODE_WATCH))
		emul_watch_access(e, *linear, size, access & ACCESS_WRITE);
	return EMUL_OK;
}

enum emul_status emul_linear(struct emul *e, unsigned seg, uint64_t offset,
			     unsigned size, uint32_t access, uint64_t *linear)
{
	return linear_of(e, seg, offset, size, access, linear);
}

enum emul_status emul_access_prepare_two(struct emul *e, uint64_t linear,
					 unsigned size, uint32_t access,
					 struct emul_access *a)
{
	bool write = access & ACCESS_WRITE;
	unsigned first = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
	uint64_t next = linear + first;

	if (!mode_is_64(e) && !e->is_implicit)
		next = (uint32_t)next;
	TRY(emul_walk(e, linear, access, &a->gpa[0]));
	TRY(emul_walk(e, next, access, &a->gpa[1]));
	a->length[0] = first;
	a->length[1] = size - first;
	a->part[0] = emul_ram(e, a->gpa[0], first, write);
	a->part[1] = emul_ram(e, a->gpa[1], size - first, write);
	a->host = NULL;
	return EMUL_OK;
}

enum emul_status emul_access_prepare(struct emul *e, uint64_t linear,
				     unsigned size, uint32_t access,
				     struct emul_access *a)
{
	return access_prepare(e, linear, size, access | e->user_access, a);
}

/* Usual sizes without a call; each in one access, as far as it can be. */
static inline void bytes_copy(void *to, const void *from, unsigned size)
{
	switch (size) {
	case 1:
	case 2:
	case 4:
	case 8:
		ram_store(to, ram_load(from, size), size);
		break;
	case 16:
		__builtin_memcpy(to, from, 16);
		break;
	default:
		memcpy(to, from, size);
		break;
	}
}

/* The next power of two that a device access may have. */
static unsigned mmio_chunk(unsigned length)
{
	return length >= 8 ? 8 : 1U << (31 - (unsigned)__builtin_clz(length));
}

static enum emul_status part_read(struct emul *e, uint64_t gpa, void *part,
				  uint8_t *data, unsigned length)
{
	unsigned n;

	/* A read-modify-write of ROM has no writable view, but contents. */
	if (!part)
		part = emul_ram(e, gpa, length, false);
	if (part) {
		memcpy(data, part, length);
		return EMUL_OK;
	}
	if (!e->ops->mmio_read)
		return EMUL_UNHANDLED;
	for (; length; length -= n, gpa += n, data += n) {
		n = mmio_chunk(length);
		TRY(e->ops->mmio_read(e->ctx, gpa, data, n));
	}
	return EMUL_OK;
}

static enum emul_status part_write(struct emul *e, uint64_t gpa, void *part,
				   const uint8_t *data, unsigned length)
{
	unsigned n;

	if (part) {
		memcpy(part, data, length);
		return EMUL_OK;
	}
	if (!e->ops->mmio_write)
		return EMUL_UNHANDLED;
	for (; length; length -= n, gpa += n, data += n) {
		n = mmio_chunk(length);
		TRY(e->ops->mmio_write(e->ctx, gpa, data, n));
	}
	return EMUL_OK;
}

enum emul_status emul_access_read(struct emul *e, const struct emul_access *a,
				  void *data, unsigned size)
{
	uint8_t *bytes = data;

	if (likely(a->host)) {
		bytes_copy(data, a->host, size);
		return EMUL_OK;
	}
	TRY(part_read(e, a->gpa[0], a->length[1] ? a->part[0] : NULL, bytes,
		      a->length[0]));
	if (!a->length[1])
		return EMUL_OK;
	return part_read(e, a->gpa[1], a->part[1], bytes + a->length[0],
			 a->length[1]);
}

enum emul_status emul_access_write(struct emul *e, const struct emul_access *a,
				   const void *data, unsigned size)
{
	const uint8_t *bytes = data;

	if (likely(a->host)) {
		bytes_copy(a->host, data, size);
		return EMUL_OK;
	}
	TRY(part_write(e, a->gpa[0], a->length[1] ? a->part[0] : NULL, bytes,
		       a->length[0]));
	if (!a->length[1])
		return EMUL_OK;
	return part_write(e, a->gpa[1], a->part[1], bytes + a->length[0],
			  a->length[1]);
}

enum emul_status emul_memory_read(struct emul *e, unsigned seg, uint64_t offset,
				  void *data, unsigned size)
{
	struct emul_access a;
	uint64_t linear;

	TRY(linear_of(e, seg, offset, size, ACCESS_READ, &linear));
	TRY(access_prepare(e, linear, size, ACCESS_READ | e->user_access, &a));
	if (unlikely(!a.host))
		return emul_access_read(e, &a, data, size);
	bytes_copy(data, a.host, size);
	return EMUL_OK;
}

enum emul_status emul_memory_write(struct emul *e, unsigned seg,
				   uint64_t offset, const void *data,
				   unsigned size)
{
	struct emul_access a;
	uint64_t linear;

	TRY(linear_of(e, seg, offset, size, ACCESS_WRITE, &linear));
	TRY(access_prepare(e, linear, size, ACCESS_WRITE | e->user_access, &a));
	if (unlikely(!a.host))
		return emul_access_write(e, &a, data, size);
	bytes_copy(a.host, data, size);
	return EMUL_OK;
}

enum emul_status emul_pieces_access(struct emul *e, uint64_t offset, void *data,
				    unsigned size, unsigned piece,
				    bool is_write)
{
	uint64_t mask = address_mask(e);
	uint8_t *bytes = data;

	if (likely((offset & mask) + size - 1 <= mask))
		piece = size;
	for (unsigned i = 0; i < size; i += piece) {
		uint64_t at = (offset + i) & mask;
		unsigned length = MIN(piece, size - i);

		if (is_write)
			TRY(emul_memory_write(e, e->d->segment, at, bytes + i,
					      length));
		else
			TRY(emul_memory_read(e, e->d->segment, at, bytes + i,
					     length));
	}
	return EMUL_OK;
}

enum emul_status emul_pieces_check(struct emul *e, uint64_t offset,
				   unsigned size, unsigned piece)
{
	uint64_t mask = address_mask(e), linear;
	struct emul_access a;

	if (likely((offset & mask) + size - 1 <= mask))
		piece = size;
	for (unsigned i = 0; i < size; i += piece) {
		unsigned length = MIN(piece, size - i);

		TRY(linear_of(e, e->d->segment, (offset + i) & mask, length,
			      ACCESS_WRITE, &linear));
		TRY(access_prepare(e, linear, length,
				   ACCESS_WRITE | e->user_access, &a));
	}
	return EMUL_OK;
}

enum emul_status emul_system_prepare(struct emul *e, uint64_t linear,
				     unsigned size, uint32_t access,
				     struct emul_access *a)
{
	enum emul_status status;

	if (!(e->state->efer & X86_EFER_LMA))
		linear = (uint32_t)linear;
	if (unlikely(e->mode & MODE_WATCH))
		emul_watch_access(e, linear, size, access & ACCESS_WRITE);
	e->is_implicit = true;
	status = access_prepare(e, linear, size, access, a);
	e->is_implicit = false;
	return status;
}

enum emul_status emul_system_read(struct emul *e, uint64_t linear, void *data,
				  unsigned size)
{
	struct emul_access a;

	TRY(emul_system_prepare(e, linear, size, ACCESS_READ, &a));
	return emul_access_read(e, &a, data, size);
}

enum emul_status emul_system_write(struct emul *e, uint64_t linear,
				   const void *data, unsigned size)
{
	struct emul_access a;

	TRY(emul_system_prepare(e, linear, size, ACCESS_WRITE, &a));
	return emul_access_write(e, &a, data, size);
}
