/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOVS, CMPS, STOS, LODS, SCAS, INS and OUTS, with REP.
 *
 * Registers advance item by item, so that a fault leaves the state of the
 * faulting iteration.  Upward runs from plain RAM, or of one value, are done a
 * page at a time, to RAM and where ops->mmio_bulk takes them.  A step does at
 * most REP_CHUNK items and then returns with RIP unchanged, so that interrupts
 * come in between.
 *
 * References: SDM volume 2, "REP", "MOVS", "INS".
 */
#include "emulate/breakpoint.h"
#include "emulate/execute.h"
#include "emulate/flags.h"

#define REP_CHUNK 4096
#define FILL_SIZE 512 /* bytes for a device at a time */

struct string {
	unsigned size;	  /* of an item */
	unsigned segment; /* of the source */
	uint64_t mask;	  /* of index registers and count */
	uint64_t count;	  /* items left */
	bool is_rep;
};

static void string_begin(struct emul *e, struct string *s)
{
	s->size = e->d->opcode & 1 ? e->d->operand_size : 1;
	s->segment = e->d->override ? e->d->override - 1 : X86_DS;
	s->mask = address_mask(e);
	s->is_rep = e->d->rep;
	s->count = s->is_rep ? e->state->gpr[X86_RCX] & s->mask : 1;
}

static uint64_t string_index(const struct emul *e, const struct string *s,
			     unsigned reg)
{
	return e->state->gpr[reg] & s->mask;
}

static void string_advance(struct emul *e, const struct string *s, unsigned reg,
			   uint64_t items)
{
	uint64_t by = items * s->size, *gpr = &e->state->gpr[reg];

	if (e->flags & X86_FLAG_DF)
		by = -by;
	gpr_set(e, reg, *gpr + by, e->d->address_size);
}

static void string_count(struct emul *e, struct string *s, uint64_t items)
{
	s->count -= items;
	if (s->is_rep)
		gpr_set(e, X86_RCX, s->count, e->d->address_size);
}

/*
 * Where the run of items at a register is, upwards and within a page; *items is
 * cut to what is there.  False sends the caller to the slow path, which raises
 * whatever is to be raised.
 */
static bool string_place(struct emul *e, const struct string *s, unsigned seg,
			 unsigned reg, uint32_t access, uint64_t *items,
			 struct emul_access *a)
{
	uint64_t offset = string_index(e, s, reg), linear, room;
	uint64_t bytes = *items * s->size;

	if (e->flags & X86_FLAG_DF || *items < 2)
		return false;
	linear = offset;
	if (!mode_is_64(e) || seg >= X86_FS)
		linear += e->state->seg[seg].base;
	room = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
	if (bytes > room)
		bytes = room & ~(uint64_t)(s->size - 1);
	if (!bytes || bytes - 1 > s->mask - offset ||
	    e->mode & (MODE_ALIGN | MODE_WATCH))
		return false;
	if (emul_linear(e, seg, offset, (unsigned)bytes, access, &linear) ||
	    emul_access_prepare(e, linear, (unsigned)bytes, access, a))
		return false;
	*items = bytes / s->size;
	return true;
}

/* The same in host memory; NULL: it is none, or the slow path's. */
static void *string_run(struct emul *e, const struct string *s, unsigned seg,
			unsigned reg, uint32_t access, uint64_t *items)
{
	uint64_t most = *items;
	struct emul_access a;

	if (!string_place(e, s, seg, reg, access, &most, &a) || !a.host)
		return NULL;
	*items = most;
	return a.host;
}

/* Items to a device's memory at a, which is no RAM; how many, 0: none. */
static uint64_t device_write(struct emul *e, const struct string *s,
			     const struct emul_access *a, const void *from,
			     uint64_t items)
{
	if (!e->ops->mmio_bulk || a->gpa[0] % s->size)
		return 0;
	return e->ops->mmio_bulk(e->ctx, a->gpa[0], s->size, from, items);
}

/* As the processor does it: item by item upwards, whatever overlaps. */
static void items_copy(uint8_t *to, const uint8_t *from, size_t bytes,
		       unsigned size)
{
	if (to <= from || to >= from + bytes) {
		memmove(to, from, bytes);
		return;
	}
	for (; bytes; bytes -= size, to += size, from += size)
		ram_store(to, ram_load(from, size), size);
}

static void items_fill(uint8_t *to, uint64_t value, uint64_t items,
		       unsigned size)
{
	if (size == 1) {
		memset(to, (int)(value & 0xff), items);
		return;
	}
	/* Eight bytes at a time, and what is left. */
	value &= size_mask(size);
	for (unsigned wide = size; wide < sizeof(value); wide *= 2)
		value |= value << 8 * wide;
	for (; items * size >= sizeof(value);
	     items -= sizeof(value) / size, to += sizeof(value))
		ram_store(to, value, sizeof(value));
	for (; items; items--, to += size)
		ram_store(to, value, size);
}

static enum emul_status movs_bulk(struct emul *e, struct string *s)
{
	uint64_t items = s->count;
	struct emul_access to;
	uint8_t *from;

	if (!string_place(e, s, X86_ES, X86_RDI, ACCESS_WRITE, &items, &to))
		return EMUL_AGAIN;
	from = string_run(e, s, s->segment, X86_RSI, ACCESS_READ, &items);
	if (!from)
		return EMUL_AGAIN;
	if (to.host)
		items_copy(to.host, from, items * s->size, s->size);
	else
		items = device_write(e, s, &to, from, items);
	if (!items)
		return EMUL_AGAIN;
	string_advance(e, s, X86_RSI, items);
	string_advance(e, s, X86_RDI, items);
	string_count(e, s, items);
	return EMUL_OK;
}

static enum emul_status movs_item(struct emul *e, struct string *s)
{
	uint64_t value = 0;

	TRY(emul_memory_read(e, s->segment, string_index(e, s, X86_RSI), &value,
			     s->size));
	TRY(emul_memory_write(e, X86_ES, string_index(e, s, X86_RDI), &value,
			      s->size));
	string_advance(e, s, X86_RSI, 1);
	string_advance(e, s, X86_RDI, 1);
	string_count(e, s, 1);
	return EMUL_OK;
}

static enum emul_status stos_bulk(struct emul *e, struct string *s)
{
	uint64_t items = s->count, value = e->state->gpr[X86_RAX];
	uint8_t buffer[FILL_SIZE];
	struct emul_access to;

	if (!string_place(e, s, X86_ES, X86_RDI, ACCESS_WRITE, &items, &to))
		return EMUL_AGAIN;
	if (to.host) {
		items_fill(to.host, value, items, s->size);
	} else {
		items = MIN(items, FILL_SIZE / s->size);
		items_fill(buffer, value, items, s->size);
		items = device_write(e, s, &to, buffer, items);
	}
	if (!items)
		return EMUL_AGAIN;
	string_advance(e, s, X86_RDI, items);
	string_count(e, s, items);
	return EMUL_OK;
}

static enum emul_status stos_item(struct emul *e, struct string *s)
{
	TRY(emul_memory_write(e, X86_ES, string_index(e, s, X86_RDI),
			      &e->state->gpr[X86_RAX], s->size));
	string_advance(e, s, X86_RDI, 1);
	string_count(e, s, 1);
	return EMUL_OK;
}

static enum emul_status lods_item(struct emul *e, struct string *s)
{
	uint64_t value = 0;

	TRY(emul_memory_read(e, s->segment, string_index(e, s, X86_RSI), &value,
			     s->size));
	operand_register_set(e, X86_RAX, value, s->size);
	string_advance(e, s, X86_RSI, 1);
	string_count(e, s, 1);
	return EMUL_OK;
}

static void items_compare(struct emul *e, uint64_t d, uint64_t s, unsigned size)
{
	uint32_t ax;

	ASM_BINARY(size, "sub", d, s, ax);
	flags_set(e, FLAGS_ARITHMETIC, flags_of_asm(ax));
}

static enum emul_status cmps_item(struct emul *e, struct string *s)
{
	uint64_t from = 0, to = 0;

	TRY(emul_memory_read(e, s->segment, string_index(e, s, X86_RSI), &from,
			     s->size));
	TRY(emul_memory_read(e, X86_ES, string_index(e, s, X86_RDI), &to,
			     s->size));
	items_compare(e, from, to, s->size);
	string_advance(e, s, X86_RSI, 1);
	string_advance(e, s, X86_RDI, 1);
	string_count(e, s, 1);
	return EMUL_OK;
}

static enum emul_status scas_item(struct emul *e, struct string *s)
{
	uint64_t to = 0;

	TRY(emul_memory_read(e, X86_ES, string_index(e, s, X86_RDI), &to,
			     s->size));
	items_compare(e, e->state->gpr[X86_RAX], to, s->size);
	string_advance(e, s, X86_RDI, 1);
	string_count(e, s, 1);
	return EMUL_OK;
}

static enum emul_status io_bulk(struct emul *e, struct string *s, bool is_write)
{
	unsigned reg = is_write ? X86_RSI : X86_RDI;
	unsigned seg = is_write ? s->segment : X86_ES;
	uint16_t port = (uint16_t)e->state->gpr[X86_RDX];
	uint64_t items = s->count, done;
	void *ram;

	if (!e->ops->io_bulk)
		return EMUL_AGAIN;
	ram = string_run(e, s, seg, reg, is_write ? ACCESS_READ : ACCESS_WRITE,
			 &items);
	if (!ram)
		return EMUL_AGAIN;
	done = e->ops->io_bulk(e->ctx, port, s->size, is_write, ram, items);
	if (!done || done > items)
		return EMUL_AGAIN;
	string_advance(e, s, reg, done);
	string_count(e, s, done);
	return EMUL_OK;
}

static enum emul_status ins_bulk(struct emul *e, struct string *s)
{
	return io_bulk(e, s, false);
}

static enum emul_status outs_bulk(struct emul *e, struct string *s)
{
	return io_bulk(e, s, true);
}

static enum emul_status string_port(struct emul *e, const struct string *s,
				    bool is_write, uint32_t *value)
{
	uint16_t port = (uint16_t)e->state->gpr[X86_RDX];

	if (unlikely(e->mode & MODE_WATCH))
		emul_watch_port(e, port, s->size);
	return e->ops->io(e->ctx, port, s->size, is_write, value);
}

/* The target is prepared first: a fault must not have read the port. */
static enum emul_status ins_item(struct emul *e, struct string *s)
{
	uint32_t value = 0;
	struct emul_access a;
	uint64_t linear;

	TRY(emul_linear(e, X86_ES, string_index(e, s, X86_RDI), s->size,
			ACCESS_WRITE, &linear));
	TRY(emul_access_prepare(e, linear, s->size, ACCESS_WRITE, &a));
	TRY(string_port(e, s, false, &value));
	TRY(emul_access_write(e, &a, &value, s->size));
	string_advance(e, s, X86_RDI, 1);
	string_count(e, s, 1);
	return EMUL_OK;
}

static enum emul_status outs_item(struct emul *e, struct string *s)
{
	uint32_t value = 0;

	TRY(emul_memory_read(e, s->segment, string_index(e, s, X86_RSI), &value,
			     s->size));
	TRY(string_port(e, s, true, &value));
	string_advance(e, s, X86_RSI, 1);
	string_count(e, s, 1);
	return EMUL_OK;
}

typedef enum emul_status (*string_fn)(struct emul *e, struct string *s);

/* REPE and REPNE end on ZF; plain REP does not look. */
static bool string_ends(const struct emul *e, bool is_compare)
{
	bool is_zero = e->flags & X86_FLAG_ZF;

	return is_compare && is_zero != (e->d->rep == PREFIX_F3);
}

/* With 32-bit addresses Intel's processors write RCX, and what MOVS and STOS
 * address with, when there is nothing to be done, too. */
static void string_none(struct emul *e)
{
	uint64_t *gpr = e->state->gpr;
	unsigned opcode = e->d->opcode & ~1U;

	if (!(e->features & EMUL_FEATURE_INTEL) || e->d->address_size != 4)
		return;
	gpr[X86_RCX] = 0;
	if (opcode == 0xa4)
		gpr[X86_RSI] = (uint32_t)gpr[X86_RSI];
	if (opcode == 0xa4 || opcode == 0xaa)
		gpr[X86_RDI] = (uint32_t)gpr[X86_RDI];
}

/*
 * A fault takes back what the iterations before it did to the flags, and
 * nothing else; on AMD's processors not even that.
 */
static void flags_at_fault(struct emul *e)
{
	if (e->features & EMUL_FEATURE_INTEL)
		return;
	e->state->rflags = (e->state->rflags & ~FLAGS_ARITHMETIC) |
			   (e->flags & FLAGS_ARITHMETIC);
}

static enum emul_status string_execute(struct emul *e, string_fn item,
				       string_fn bulk, bool is_compare)
{
	bool is_stepped = e->state->rflags & X86_FLAG_TF && !e->rep_complete;
	struct string s;
	uint64_t begun;

	string_begin(e, &s);
	begun = s.count;
	if (!begun)
		string_none(e);
	while (s.count) {
		enum emul_status status = EMUL_AGAIN;

		if (bulk && s.is_rep && !is_stepped)
			status = bulk(e, &s);
		if (status == EMUL_AGAIN)
			status = item(e, &s);
		if (status != EMUL_OK) {
			/* RETRY after progress: as after an interrupt between
			 * two iterations. */
			if (status == EMUL_FAULT && begun != s.count)
				flags_at_fault(e);
			if (status != EMUL_RETRY || begun == s.count)
				return status;
			e->state->rflags = e->flags;
			break;
		}
		if (!s.is_rep || string_ends(e, is_compare))
			return EMUL_OK;
		/* A trap comes after the iteration that it is due to. */
		if (is_stepped || e->events ||
		    (begun - s.count >= REP_CHUNK && !e->rep_complete))
			break;
	}
	if (s.count) {
		/* What comes in between pushes RF, and does not break again. */
		e->next_rip = e->state->rip;
		e->events |= EMUL_EVENT_REP_PARTIAL;
		e->flags |= X86_FLAG_RF;
		e->keep_rf = true;
	}
	return EMUL_OK;
}

EXECUTE(movs)
{
	return string_execute(e, movs_item, movs_bulk, false);
}

EXECUTE(stos)
{
	return string_execute(e, stos_item, stos_bulk, false);
}

EXECUTE(lods)
{
	return string_execute(e, lods_item, NULL, false);
}

EXECUTE(cmps)
{
	return string_execute(e, cmps_item, NULL, true);
}

EXECUTE(scas)
{
	return string_execute(e, scas_item, NULL, true);
}

/* INS and OUTS know no 64-bit items. */
static enum emul_status io_execute(struct emul *e, string_fn item,
				   string_fn bulk)
{
	if (!e->ops->io)
		return EMUL_UNHANDLED;
	if (e->d->operand_size > 4)
		emul_decoded_own(e)->operand_size = 4;
	TRY(emul_io_permit(e, e->state->gpr[X86_RDX] & 0xffff,
			   e->d->opcode & 1 ? e->d->operand_size : 1));
	return string_execute(e, item, bulk, false);
}

EXECUTE(ins)
{
	return io_execute(e, ins_item, ins_bulk);
}

EXECUTE(outs)
{
	return io_execute(e, outs_item, outs_bulk);
}
