/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vector case through the emulator: set up, one step, delivery through
 * the IVT in real mode, and the comparison of registers, defined flags and
 * memory.  Memory is handed out through ops->ram, so that every write is seen
 * and a stray one is a failure.
 *
 * References: tests/vectors/FORMAT.md.
 */
#include "include/emulate.h"
#include "tests/unit/vectors/xst.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WRITES 4096

struct bench {
	uint8_t ram[XST_MEMORY];
	uint8_t want[XST_MEMORY];
	struct {
		uint32_t address;
		uint32_t length;
	} write[WRITES];
	unsigned write_count;
	struct x86_state state;
	struct x86_xstate xstate;
	struct emul emul;
	char why[128];
};

static void *bench_ram(void *ctx, uint64_t gpa, size_t len, bool write)
{
	struct bench *b = ctx;

	if (gpa >= XST_MEMORY || len > XST_MEMORY - gpa)
		return NULL;
	if (write && b->write_count < WRITES) {
		b->write[b->write_count].address = (uint32_t)gpa;
		b->write[b->write_count++].length = (uint32_t)len;
	}
	return b->ram + gpa;
}

/* Every port reads all ones. */
static enum emul_status bench_io(void *ctx, uint16_t port, unsigned size,
				 bool is_write, uint32_t *data)
{
	(void)ctx;
	(void)port;
	if (!is_write)
		*data = (uint32_t)((1ULL << (8 * size)) - 1);
	return EMUL_OK;
}

static const struct emul_ops bench_ops = {
	.ram = bench_ram,
	.io = bench_io,
};

static const unsigned base_registers[] = { 14, 10, 18 };

#define ATTR_DATA (X86_ATTR_P | X86_ATTR_S | 3)
#define ATTR_CODE (ATTR_DATA | X86_ATTR_CODE)

static void segments_load(struct bench *b, enum xst_mode mode,
			  const uint64_t *sreg)
{
	struct x86_state *s = &b->state;
	uint64_t big = mode == XST_REAL16 ? 0 : X86_ATTR_DB | X86_ATTR_G;

	for (unsigned i = 0; i < X86_SEG_COUNT; i++) {
		struct x86_segment *seg = &s->seg[i];

		memset(seg, 0, sizeof(*seg));
		seg->attributes = (uint16_t)(ATTR_DATA | big);
		seg->limit = mode == XST_REAL16 ? 0xffff : 0xffffffff;
		if (mode == XST_REAL16 && i < 4) {
			seg->selector = (uint16_t)sreg[i];
			seg->base = seg->selector * 16U;
		}
	}
	if (mode == XST_PROT32)
		s->seg[X86_CS].attributes |= X86_ATTR_CODE;
	if (mode == XST_LONG64)
		s->seg[X86_CS].attributes =
			(uint16_t)(ATTR_CODE | X86_ATTR_L | X86_ATTR_G);
}

static void state_load(struct bench *b, const struct xst_file *f,
		       const uint64_t *r)
{
	enum xst_mode mode = f->header.mode;
	unsigned gprs = mode == XST_LONG64 ? 16 : 8;
	unsigned size = f->header.register_size;
	struct x86_state *s = &b->state;

	memset(s, 0, sizeof(*s));
	memcpy(s->gpr, r, gprs * sizeof(*r));
	s->rip = r[gprs];
	s->rflags = r[gprs + 1];
	s->valid = ~0U;
	s->idtr.limit = 0x3ff;
	segments_load(b, mode, r + 10);
	s->cr0 = X86_CR0_ET | (mode == XST_REAL16 ? 0 : X86_CR0_PE);
	s->cr4 = X86_CR4_OSFXSR | X86_CR4_OSXSAVE;
	s->xcr0 = X86_XCR0_X87 | X86_XCR0_SSE | X86_XCR0_AVX;
	if (mode == XST_LONG64) {
		s->cr4 |= X86_CR4_PAE;
		s->efer = X86_EFER_LME | X86_EFER_LMA;
	}
	memset(&b->xstate, 0, sizeof(b->xstate));
	b->xstate.xstate_bv = s->xcr0;
	for (unsigned i = base_registers[mode]; i < f->header.register_count;
	     i++)
		memcpy((uint8_t *)b->xstate.xmm +
			       (i - base_registers[mode]) * size,
		       &r[i], size);
}

static uint64_t flags_of(const struct xst_file *f, const uint64_t *r)
{
	return r[f->header.mode == XST_LONG64 ? 17 : 9];
}

#define FAIL(b, ...)                                               \
	do {                                                       \
		snprintf((b)->why, sizeof((b)->why), __VA_ARGS__); \
		return false;                                      \
	} while (0)

static bool registers_agree(struct bench *b, const struct xst_file *f,
			    const struct xst_case *c)
{
	unsigned size = f->header.register_size;
	unsigned gprs = f->header.mode == XST_LONG64 ? 16 : 8;
	uint64_t mask = ~0ULL >> (64 - 8 * size), have;
	const struct x86_state *s = &b->state;

	for (unsigned i = 0; i < f->header.register_count; i++) {
		uint64_t want = c->after[i], bits = mask;

		if (i < gprs) {
			have = s->gpr[i];
		} else if (i == gprs) {
			have = s->rip;
		} else if (i == gprs + 1) {
			have = s->rflags;
			bits &= c->flag_mask;
		} else if (i < base_registers[f->header.mode]) {
			have = s->seg[i - 10].selector;
		} else {
			have = 0;
			memcpy(&have,
			       (const uint8_t *)b->xstate.xmm +
				       (i - base_registers[f->header.mode]) *
					       size,
			       size);
		}
		if ((have ^ want) & bits)
			FAIL(b, "register %u is %" PRIx64 ", not %" PRIx64, i,
			     have & bits, want & bits);
	}
	return true;
}

/* want gets the expected bytes; of a pushed FLAGS only the defined bits. */
static void memory_expect(struct bench *b, const struct xst_case *c)
{
	for (unsigned i = 0; i < c->after_count; i++)
		memcpy(b->want + c->ram_after[i].address, c->ram_after[i].bytes,
		       c->ram_after[i].length);
	if (c->flags_address && c->vector != XST_NO_VECTOR &&
	    c->flags_address + 1 < XST_MEMORY)
		for (unsigned i = 0; i < 2; i++) {
			uint8_t mask = (uint8_t)(c->flag_mask >> (8 * i));
			uint32_t at = c->flags_address + i;

			b->want[at] = (uint8_t)((b->want[at] & mask) |
						(b->ram[at] & ~mask));
		}
}

static bool memory_agrees(struct bench *b, const struct xst_case *c)
{
	uint32_t at, n;

	if (b->write_count == WRITES)
		FAIL(b, "more writes than can be watched");
	for (unsigned i = 0; i < c->after_count; i++) {
		at = c->ram_after[i].address;
		n = c->ram_after[i].length;
		if (memcmp(b->ram + at, b->want + at, n))
			FAIL(b, "memory differs at %x", at);
	}
	for (unsigned i = 0; i < b->write_count; i++) {
		at = b->write[i].address;
		n = b->write[i].length;
		if (memcmp(b->ram + at, b->want + at, n))
			FAIL(b, "stray write at %x", at);
	}
	return true;
}

static void memory_clear(struct bench *b, uint32_t at, uint32_t n)
{
	memset(b->ram + at, 0, n);
	memset(b->want + at, 0, n);
}

static enum emul_status case_step(struct bench *b, const struct xst_file *f,
				  int *vector)
{
	bool is_real = f->header.mode == XST_REAL16;
	enum emul_status status;

	b->emul.raise_software = !is_real;
	*vector = -1;
	status = emul_step(&b->emul);
	if (status != EMUL_FAULT)
		return status;
	*vector = b->emul.fault.vector;
	return is_real ? emul_deliver_fault(&b->emul) : EMUL_OK;
}

static bool case_agrees(struct bench *b, const struct xst_file *f,
			const struct xst_case *c, enum emul_status status,
			int vector)
{
	bool is_real = f->header.mode == XST_REAL16;
	int want = c->vector == XST_NO_VECTOR ? -1 : c->vector;

	if (status != EMUL_OK)
		FAIL(b, "status %d", status);
	/* Software interrupts of real mode are delivered by the step. */
	if (vector != want && !(is_real && vector < 0))
		FAIL(b, "vector %d, not %d", vector, want);
	memory_expect(b, c);
	return registers_agree(b, f, c) && memory_agrees(b, c);
}

static void case_print(const struct bench *b, const struct xst_file *f,
		       const struct xst_case *c)
{
	printf("  %.16s #%u ", f->header.name, c->id);
	for (unsigned i = 0; i < c->insn_length; i++)
		printf("%02x", c->insn[i]);
	printf(" flags %" PRIx64 ": %s\n", flags_of(f, c->before), b->why);
}

static bool case_run(struct bench *b, const struct xst_file *f,
		     const struct xst_case *c, enum emul_status *status)
{
	int vector;
	bool is_good;

	state_load(b, f, c->before);
	b->write_count = 0;
	for (unsigned i = 0; i < c->before_count; i++) {
		const struct xst_run *run = &c->ram_before[i];

		memcpy(b->ram + run->address, run->bytes, run->length);
		memcpy(b->want + run->address, run->bytes, run->length);
	}
	*status = case_step(b, f, &vector);
	is_good = case_agrees(b, f, c, *status, vector);
	for (unsigned i = 0; i < c->before_count; i++)
		memory_clear(b, c->ram_before[i].address,
			     c->ram_before[i].length);
	for (unsigned i = 0; i < c->after_count; i++)
		memory_clear(b, c->ram_after[i].address,
			     c->ram_after[i].length);
	for (unsigned i = 0; i < b->write_count; i++)
		memory_clear(b, b->write[i].address, b->write[i].length);
	return is_good;
}

int xst_run_file(const char *path, unsigned complaints, struct xst_score *score)
{
	static struct bench b;
	static struct xst_case c;
	enum emul_status status;
	struct xst_file f;
	int rc;

	if (xst_open(&f, path)) {
		printf("%s: not a vector file\n", path);
		return -1;
	}
	emul_init(&b.emul, &b.state, &bench_ops, &b);
	b.emul.xstate = &b.xstate;
	b.emul.rep_complete = true;
	/* Computed here, whatever this processor has. */
	b.emul.features |=
		EMUL_FEATURE_SSE3 | EMUL_FEATURE_SSE41 | EMUL_FEATURE_SSE42;
	while ((rc = xst_next(&f, &c)) > 0) {
		score->cases++;
		if (case_run(&b, &f, &c, &status)) {
			score->passed++;
			continue;
		}
		if (status == EMUL_UNHANDLED)
			score->unhandled++;
		else
			score->failed++;
		if (complaints) {
			complaints--;
			case_print(&b, &f, &c);
		}
	}
	xst_close(&f);
	if (rc)
		printf("%s: malformed record\n", path);
	return rc;
}
