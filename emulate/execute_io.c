/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IN and OUT, and the permission of port accesses by IOPL and the I/O bitmap
 * of the task state segment.
 *
 * References: SDM volume 1, "Input/Output".
 */
#include "emulate/breakpoint.h"
#include "emulate/execute.h"
#include "emulate/segment.h"

#define TSS_IO_BASE 0x66

/* Two bytes are read even for one port, as the manual says. */
static enum emul_status io_bitmap(struct emul *e, unsigned port, unsigned size)
{
	const struct x86_segment *tr = &e->state->tr;
	unsigned type = tr->attributes & X86_ATTR_TYPE;
	uint16_t base, bits;
	uint64_t at;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	type = tr->attributes & X86_ATTR_TYPE;
	if (!(tr->attributes & X86_ATTR_P) ||
	    (type != SYSTEM_TSS32 && type != SYSTEM_TSS32_BUSY) ||
	    tr->limit < TSS_IO_BASE + 1)
		return raise_gp0(e);
	TRY(emul_system_read(e, tr->base + TSS_IO_BASE, &base, 2));
	at = (uint64_t)base + port / 8;
	if (at + 1 > tr->limit)
		return raise_gp0(e);
	TRY(emul_system_read(e, tr->base + at, &bits, 2));
	if (bits >> (port & 7) & (BIT(size) - 1))
		return raise_gp0(e);
	return EMUL_OK;
}

enum emul_status emul_io_permit(struct emul *e, unsigned port, unsigned size)
{
	if (e->mode & MODE_V86)
		return io_bitmap(e, port, size);
	if (!mode_is_protected(e) ||
	    cpl_get(e) <= FIELD_GET(X86_FLAG_IOPL, e->state->rflags))
		return EMUL_OK;
	return io_bitmap(e, port, size);
}

static unsigned io_port(const struct emul *e)
{
	return e->src & (e->d->row->imm ? 0xff : 0xffff);
}

static enum emul_status port_access(struct emul *e, unsigned size,
				    bool is_write, uint32_t *value)
{
	uint16_t port = (uint16_t)io_port(e);

	TRY(emul_io_permit(e, port, size));
	if (!e->ops->io)
		return EMUL_UNHANDLED;
	if (unlikely(e->mode & MODE_WATCH))
		emul_watch_port(e, port, size);
	return e->ops->io(e->ctx, port, size, is_write, value);
}

EXECUTE(in)
{
	unsigned size = MIN(e->d->size, 4);
	uint32_t value = 0;

	if (size != e->d->size)
		emul_decoded_own(e)->size = (uint8_t)size;
	TRY(port_access(e, size, false, &value));
	e->dst = value;
	return EMUL_OK;
}

EXECUTE(out)
{
	unsigned size = MIN(e->d->size, 4);
	uint32_t value = (uint32_t)(e->dst & size_mask(size));

	return port_access(e, size, true, &value);
}
