/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random instructions on random state, executed once by the build machine's
 * processor (a traced child, single step, in 16-, 32- and 64-bit code) and
 * once by the emulator; registers, defined flags and memory are compared.
 *
 *	fuzz_native SECONDS [SEED]
 *
 * With 0 seconds always the same number of instructions.
 *
 * What would leave the sandbox is not generated: system calls, ports, segment
 * loads, far transfers.
 */
#include "tests/fuzz/fuzz_native.h"

#include "tests/unit/emulate_host.h"

#include <asm/ldt.h>
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FSW_ES BIT(7)

struct bench {
	pid_t child;
	uint8_t *shared; /* the child's memory */
	uint8_t *copy;	 /* the emulator's */
	uint8_t *ldt;
	uint64_t descriptors[LDT_COUNT];
	struct x86_state state;
	struct x86_xstate xstate;
	struct emul emul;
	struct user_regs_struct regs;
	uint8_t xarea[16384] __aligned(64); /* the child's, XSAVE's form */
	size_t xarea_size;
	int signal;
	uint64_t random;
	bool can_run[CODE64 + 1]; /* by width */
	bool has_ldt;
	unsigned long compared, faults, skipped, bad;
};

static uint64_t next(struct bench *b)
{
	return fuzz_next(&b->random);
}

static bool one_in(struct bench *b, unsigned n)
{
	return fuzz_one_in(&b->random, n);
}

static uint64_t value_make(struct bench *b, enum width width)
{
	unsigned how = next(b) >> 40 & 7;
	uint64_t value = next(b);

	if (width == CODE16)
		return how == 0 ? value & 0xff : value & 0xffff;
	if (how < 5)
		return REGION + (value >> 20) % REGION_SIZE;
	if (how < 6)
		return value & 0xff;
	return width == CODE64 ? value : value & UINT32_MAX;
}

static void segments_make(struct bench *b, enum width width)
{
	struct x86_state *s = &b->state;
	uint64_t flat = X86_ATTR_DB | X86_ATTR_G;

	for (unsigned i = 0; i < X86_SEG_COUNT; i++) {
		struct x86_segment *seg = &s->seg[i];

		seg->attributes = 0xf3;
		if (width == CODE16) {
			seg->selector = LDT_SELECTOR(LDT_DATA);
			seg->limit = 0xffff;
			seg->base = REGION;
		} else {
			seg->selector = USER_DS;
			seg->limit = UINT32_MAX;
			seg->attributes |= flat;
		}
	}
	s->seg[X86_FS] = s->seg[X86_GS] = (struct x86_segment){ 0 };
	s->seg[X86_CS].attributes |= X86_ATTR_CODE;
	if (width == CODE16) {
		s->seg[X86_CS].selector = LDT_SELECTOR(LDT_CODE);
	} else if (width == CODE32) {
		s->seg[X86_CS].selector = USER_CS32;
	} else {
		s->seg[X86_CS].selector = USER_CS64;
		s->seg[X86_CS].attributes ^= X86_ATTR_DB | X86_ATTR_L;
	}
}

/* A number that arithmetic may find interesting, in four or eight bytes. */
static uint64_t number_make(struct bench *b)
{
	static const uint64_t doubles[] = {
		0,
		1,
		0x3ff0000000000000,
		0x7ff0000000000000,
		0x7ff0000000000001,
		0x7ff8000000000000,
		0x0010000000000000,
		0x000fffffffffffff,
		0x7fefffffffffffff,
		0x43e0000000000000,
		0x36a0000000000000,
		0x47efffffffffffff,
	};
	static const uint32_t floats[] = {
		0,	    1,		0x3f800000, 0x7f800000, 0x7f800001,
		0x7fc00000, 0x00800000, 0x007fffff, 0x7f7fffff, 0x4f000000,
	};
	uint64_t value = next(b), pick = next(b) >> 40;

	switch (pick & 7) {
	case 0:
		return doubles[pick / 8 % 12] | (value & BIT(63));
	case 1:
	case 2:
		return (floats[pick / 8 % 10] |
			(uint64_t)floats[pick / 128 % 10] << 32) ^
		       (value & (BIT(63) | BIT(31)));
	case 3: /* near 1 */
		return (value & 0x8fffffffffffffff) | 0x3000000000000000;
	case 4:
		return (value & 0x80ffffff80ffffff) | 0x3f0000003f000000;
	case 5: /* halves */
		return (value & 0x8fff8fff8fff8fff) | 0x3000000030000000;
	default:
		return value;
	}
}

/*
 * The child's state goes through the kernel's XSAVE, and AMD's processors store
 * zeros for the pointers where no exception is pending (APM volume 2, "Saving
 * Media and x87 State").
 */
static bool pointers_are_saved(const struct bench *b,
			       const struct x86_xstate *x)
{
	return b->emul.features & EMUL_FEATURE_INTEL || x->fsw & FSW_ES;
}

static void xstate_make(struct bench *b)
{
	struct x86_xstate *x = &b->xstate;

	x->fsw = (uint16_t)(next(b) >> 40 & 7) << 11;
	if (one_in(b, 4))
		x->fsw |= next(b) >> 40 & 0x477f;
	if (x->fsw & ~x->fcw & 0x3f)
		x->fsw |= 0x8080;
	x->fop = next(b) >> 40 & 0x7ff;
	x->fip = next(b) >> 33;
	x->fdp = next(b) >> 33;
	if (!pointers_are_saved(b, x)) /* each switch of tasks clears them */
		x->fop = x->fip = x->fdp = 0;
	x->ftw = one_in(b, 2) ? 0xff : (uint8_t)(next(b) >> 40);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t mantissa = number_make(b);
		uint16_t exponent = (uint16_t)(next(b) >> 40);

		if (one_in(b, 2)) {
			mantissa |= BIT(63);
			exponent = (exponent & 0x803f) | 0x3fe0;
		}
		if (one_in(b, 10))
			exponent |= 0x7fff;
		if (one_in(b, 10))
			exponent &= 0x8000;
		memcpy(x->st[i], &mantissa, 8);
		memcpy(x->st[i] + 8, &exponent, 2);
	}
	for (unsigned i = 0; i < 16; i++)
		for (unsigned j = 0; j < 16; j += 8) {
			uint64_t low = number_make(b), high = number_make(b);

			memcpy(x->xmm[i] + j, &low, 8);
			memcpy(x->ymm_high[i] + j, &high, 8);
		}
}

static void state_make(struct bench *b, enum width width)
{
	struct x86_state *s = &b->state;
	unsigned gprs = width == CODE64 ? 16 : 8;

	memset(s, 0, sizeof(*s));
	s->valid = ~0U;
	s->cpl = 3;
	s->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE;
	s->cr4 = X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXSAVE |
		 X86_CR4_OSXMMEXCPT;
	s->xcr0 = 7;
	s->efer = X86_EFER_LME | X86_EFER_LMA;
	s->rflags = X86_FLAG_ONE | X86_FLAG_IF | (next(b) & FLAGS_SEEN);
	if (!one_in(b, 4))
		s->rflags &= ~X86_FLAG_DF;
	segments_make(b, width);
	for (unsigned i = 0; i < gprs; i++)
		s->gpr[i] = value_make(b, width);
	if (one_in(b, 2))
		s->gpr[X86_RCX] = next(b) >> 58;
	s->ldtr =
		(struct x86_segment){ 8, 0x82, LDT_COUNT * 8 - 1, LDT_LINEAR };
	s->gpr[X86_RSP] = 0x4000 + (next(b) >> 56);
	s->rip = CODE;
	if (width != CODE16) {
		s->gpr[X86_RSP] += REGION;
		s->rip += REGION;
	}
	memset(&b->xstate, 0, sizeof(b->xstate));
	b->xstate.xstate_bv = 7;
	b->xstate.mxcsr = 0x1f80;
	b->xstate.mxcsr_mask = 0xffff;
	b->xstate.fcw = 0x37f;
	if (one_in(b, 2)) {
		b->xstate.mxcsr = next(b) >> 48;
		b->xstate.fcw = (next(b) >> 40 & 0x0f3f) | 0x40;
	}
	xstate_make(b);
}

static void memory_make(struct bench *b, const struct generated *g)
{
	uint64_t *at = (uint64_t *)b->copy;

	for (unsigned i = 0; i < REGION_SIZE / 8; i += 1 + (next(b) >> 58))
		at[i] = number_make(b);
	if (g->is_segment)
		for (unsigned i = 0; i < REGION_SIZE; i += 2) {
			b->copy[i] = (uint8_t)(next(b) >> 40 & 0x7b) | 4;
			b->copy[i + 1] = 0;
		}
	memcpy(b->copy + CODE, g->bytes, 16);
	memcpy(b->shared, b->copy, REGION_SIZE);
	/* The emulator's is in reach of what it emulates. */
	memcpy(b->ldt, b->descriptors, sizeof(b->descriptors));
}

/* The order of user_regs_struct by register number. */
static unsigned long long *reg_of(struct user_regs_struct *r, unsigned i)
{
	unsigned long long *const map[16] = {
		&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
		&r->rsi, &r->rdi, &r->r8,  &r->r9,  &r->r10, &r->r11,
		&r->r12, &r->r13, &r->r14, &r->r15,
	};

	return map[i];
}

static struct x86_xstate *child_xstate(struct bench *b)
{
	return (struct x86_xstate *)b->xarea;
}

static void child_xstate_get(struct bench *b)
{
	struct iovec iov = { b->xarea, sizeof(b->xarea) };

	if (ptrace(PTRACE_GETREGSET, b->child, NT_X86_XSTATE, &iov)) {
		perror("ptrace");
		exit(2);
	}
	b->xarea_size = iov.iov_len;
}

static void child_set(struct bench *b)
{
	struct iovec iov = { b->xarea, 0 };
	struct user_regs_struct *r = &b->regs;
	const struct x86_state *s = &b->state;

	for (unsigned i = 0; i < 16; i++)
		*reg_of(r, i) = s->gpr[i];
	r->rip = s->rip;
	r->eflags = s->rflags;
	r->cs = s->seg[X86_CS].selector;
	r->ss = s->seg[X86_SS].selector;
	r->ds = s->seg[X86_DS].selector;
	r->es = s->seg[X86_ES].selector;
	r->fs = r->gs = 0;
	r->fs_base = r->gs_base = 0;
	r->orig_rax = -1ULL;
	child_xstate(b)->xstate_bv |= 7;
	child_xstate(b)->mxcsr = b->xstate.mxcsr;
	child_xstate(b)->fcw = b->xstate.fcw;
	child_xstate(b)->fsw = b->xstate.fsw;
	child_xstate(b)->ftw = b->xstate.ftw;
	child_xstate(b)->fop = b->xstate.fop;
	child_xstate(b)->fip = b->xstate.fip;
	child_xstate(b)->fdp = b->xstate.fdp;
	memcpy(child_xstate(b)->st, b->xstate.st, sizeof(b->xstate.st));
	memcpy(child_xstate(b)->xmm, b->xstate.xmm, sizeof(b->xstate.xmm));
	memcpy(child_xstate(b)->ymm_high, b->xstate.ymm_high,
	       sizeof(b->xstate.ymm_high));
	iov.iov_len = b->xarea_size;
	if (ptrace(PTRACE_SETREGSET, b->child, NT_X86_XSTATE, &iov) ||
	    ptrace(PTRACE_SETREGS, b->child, 0, r)) {
		perror("ptrace");
		exit(2);
	}
}

#define STEPS_MAX 100
#define SHORT_RUN 20000

static void child_begin(struct bench *b);

#define STOP_TRIES 4000 /* a millisecond each, most of them */

/*
 * There are kernels that never get past some far returns: a
 * child that does not stop is replaced.
 */
static bool child_stops(struct bench *b)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	siginfo_t info;

	for (unsigned i = 0; i < STOP_TRIES; i++) {
		info.si_pid = 0;
		waitid(P_PID, (id_t)b->child, &info,
		       WSTOPPED | WEXITED | WNOHANG | WNOWAIT);
		if (info.si_pid)
			return true;
		if (i > 1000)
			nanosleep(&pause, NULL);
		else
			sched_yield();
	}
	kill(b->child, SIGKILL);
	waitpid(b->child, NULL, 0);
	child_begin(b);
	return false;
}

/* False: it does not stop. */
static bool child_go(struct bench *b, enum __ptrace_request how)
{
	int status;

	ptrace(how, b->child, 0, 0);
	if (!child_stops(b))
		return false;
	if (waitpid(b->child, &status, 0) != b->child || !WIFSTOPPED(status)) {
		fprintf(stderr, "the child is gone\n");
		exit(2);
	}
	ptrace(PTRACE_GETREGS, b->child, 0, &b->regs);
	b->signal = WSTOPSIG(status);
	return true;
}

/*
 * One instruction; a REP traps after each of its iterations, a gather where an
 * interrupt came in between.  False: not to be compared, because REP was cut
 * short or a page was not there.
 */
static bool child_run(struct bench *b, const struct generated *g)
{
	uint64_t rip = b->state.rip;
	siginfo_t info;
	unsigned i = 0;

	child_set(b);
	do {
		if (i == STEPS_MAX || !child_go(b, PTRACE_SINGLESTEP))
			return false;
		i++;
	} while (b->signal == SIGTRAP && b->regs.rip == rip &&
		 fuzz_is_resumed(g));
	/* Each trap has left flags that the fault would have taken back. */
	if (b->signal != SIGTRAP && i > 1 && fuzz_is_compare(g)) {
		child_set(b);
		if (!child_go(b, PTRACE_CONT))
			return false;
	}
	child_xstate_get(b);
	if (b->signal != SIGSEGV)
		return true;
	ptrace(PTRACE_GETSIGINFO, b->child, 0, &info);
	return info.si_code != SEGV_MAPERR && info.si_code != SEGV_ACCERR;
}

static const unsigned bits[] = { 16, 32, 64 };

static bool complain(struct bench *b, const struct generated *g,
		     const char *what, uint64_t have, uint64_t want)
{
	if (b->bad++ > 40)
		return false;
	printf("%u-bit ", bits[g->width]);
	for (unsigned i = 0; i < 16; i++)
		printf("%02x", g->bytes[i]);
	printf(": %s is %" PRIx64 ", processor has %" PRIx64 "\n", what, have,
	       want);
	return false;
}

static int vector_of_signal(int sig)
{
	return sig == SIGILL	? X86_VECTOR_UD
	       : sig == SIGFPE	? X86_VECTOR_DE /* or #MF or #XM */
	       : sig == SIGSEGV ? X86_VECTOR_GP
	       : sig == SIGBUS	? X86_VECTOR_SS
	       : sig == SIGTRAP ? -1
				: sig + 100;
}

/*
 * With an overflow or underflow that is not masked, PE is of a result without
 * limits to its exponent.
 */
static bool mxcsr_differs(const struct bench *b)
{
	uint32_t have = b->xstate.mxcsr;
	uint32_t differ = have ^ ((const struct x86_xstate *)b->xarea)->mxcsr;

	if (b->signal == SIGFPE && have & ~(have >> 7) & 0x18)
		differ &= ~0x20U;
	return differ;
}

static bool complain_xmm(struct bench *b, const struct generated *g)
{
	for (unsigned i = 0; i < 16; i++) {
		const uint8_t *have = b->xstate.xmm[i];
		const uint8_t *want = child_xstate(b)->xmm[i];

		if (!memcmp(have, want, 16))
			continue;
		complain(b, g, "xmm low", *(const uint64_t *)have,
			 *(const uint64_t *)want);
		return complain(b, g, "xmm high", *(const uint64_t *)(have + 8),
				*(const uint64_t *)(want + 8));
	}
	return true;
}

static uint64_t x87_words(const struct x86_xstate *x)
{
	return x->fcw | (uint64_t)x->fsw << 16 | (uint64_t)x->ftw << 32;
}

static bool x87_pointers_agree(struct bench *b, const struct generated *g)
{
	const struct x86_xstate *have = &b->xstate, *want = child_xstate(b);

	if (!g->is_x87 || !pointers_are_saved(b, want) ||
	    (have->fop == want->fop && have->fip == want->fip &&
	     have->fdp == want->fdp))
		return true;
	return complain(b, g, "x87 pointers",
			have->fop ^ have->fip << 16 ^ have->fdp << 32,
			want->fop ^ want->fip << 16 ^ want->fdp << 32);
}

static bool x87_agrees(struct bench *b, const struct generated *g)
{
	const struct x86_xstate *have = &b->xstate, *want = child_xstate(b);
	bool is_fault = b->signal != SIGTRAP;

	/* The kernel's area may have it in its initial state. */
	if (!(want->xstate_bv & X86_XCR0_X87))
		return true;
	/* A store of MMX that faults has set TOP to 0 on Intel's. */
	if (is_fault && fuzz_is_mmx_store(g))
		return true;
	if (is_fault && fuzz_is_cut_image(g, &b->emul)) {
		if (have->fcw == want->fcw)
			return true;
	} else if (!memcmp(have->st, want->st, 8 * 16) &&
		   have->fcw == want->fcw && have->fsw == want->fsw &&
		   have->ftw == want->ftw) {
		return x87_pointers_agree(b, g);
	}
	return complain(b, g, "x87 control, status, tags", x87_words(have),
			x87_words(want));
}

static bool registers_agree(struct bench *b, const struct generated *g,
			    uint64_t defined)
{
	uint64_t mask = g->width == CODE64 ? UINT64_MAX : UINT32_MAX;
	const struct x86_state *s = &b->state;
	unsigned gprs = g->width == CODE64 ? 16 : 8;

	for (unsigned i = 0; i < gprs; i++)
		if ((s->gpr[i] ^ *reg_of(&b->regs, i)) & mask) {
			char name[8];

			snprintf(name, sizeof(name), "r%u", i);
			return complain(b, g, name, s->gpr[i],
					*reg_of(&b->regs, i));
		}
	if ((s->rip ^ b->regs.rip) & mask)
		return complain(b, g, "rip", s->rip, b->regs.rip);
	if ((s->rflags ^ b->regs.eflags) & defined)
		return complain(b, g, "flags", s->rflags & defined,
				b->regs.eflags & defined);
	if (!x87_agrees(b, g))
		return false;
	if (mxcsr_differs(b))
		return complain(b, g, "MXCSR", b->xstate.mxcsr,
				child_xstate(b)->mxcsr);
	if (g->is_segment && (s->seg[X86_DS].selector != b->regs.ds ||
			      s->seg[X86_ES].selector != b->regs.es ||
			      s->seg[X86_FS].selector != b->regs.fs ||
			      s->seg[X86_GS].selector != b->regs.gs ||
			      s->seg[X86_CS].selector != b->regs.cs ||
			      s->seg[X86_SS].selector != b->regs.ss))
		return complain(b, g, "segments", s->seg[X86_DS].selector,
				b->regs.ds);
	/* The kernel's area may have a component in its initial state. */
	if (child_xstate(b)->xstate_bv & X86_XCR0_SSE &&
	    memcmp(b->xstate.xmm, child_xstate(b)->xmm, gprs * 16))
		return complain_xmm(b, g);
	if (child_xstate(b)->xstate_bv & X86_XCR0_AVX &&
	    memcmp(b->xstate.ymm_high, child_xstate(b)->ymm_high, gprs * 16))
		return complain(b, g, "ymm", 0, 0);
	return true;
}

static void compare(struct bench *b, const struct generated *g,
		    enum emul_status status)
{
	int want = vector_of_signal(b->signal), have = -1;
	uint64_t defined = FLAGS_SEEN;

	if (status == EMUL_FAULT)
		have = b->emul.fault.vector;
	b->compared++;
	b->faults += have >= 0;
	if (have == X86_VECTOR_MF || have == X86_VECTOR_XM)
		have = X86_VECTOR_DE; /* again the same */
	if (have == X86_VECTOR_NP)
		have = X86_VECTOR_SS; /* the same signal */
	if (have != want) {
		complain(b, g, "vector", (uint64_t)have, (uint64_t)want);
		return;
	}
	if (have < 0)
		defined &= ~fuzz_flags_undefined(g);
	if (!registers_agree(b, g, defined))
		return;
	/* What a CALL pushed before its target was refused, or FNSAVE stored
	 * before its end was. */
	if (have >= 0 && g->map == 1 &&
	    ((g->opcode | 0x17) == 0xff || g->is_x87))
		return;
	for (unsigned i = 0; i < REGION_SIZE; i++)
		if (b->copy[i] != b->shared[i]) {
			complain(b, g, "memory", i, b->shared[i]);
			return;
		}
}

static void run_one(struct bench *b)
{
	struct generated g = { .width = (next(b) >> 40) % 3 };
	struct x86_state before;
	struct x86_xstate xbefore;
	enum emul_status status;
	bool is_good;

	if (!b->can_run[g.width])
		return;
	fuzz_generate(&b->random, &g);
	if (g.is_segment && !b->has_ldt)
		return;
	state_make(b, g.width);
	/* Selectors and addresses at once. */
	if (g.is_segment)
		for (unsigned i = 0; i < 16; i++)
			if (i != X86_RSP && b->state.gpr[i])
				b->state.gpr[i] = (next(b) >> 40 & 0x7b) | 4 |
						  (g.width ? REGION : 0);
	memory_make(b, &g);
	before = b->state;
	xbefore = b->xstate;
	emul_forget(&b->emul);
	status = emul_step(&b->emul);
	/* An instruction over itself: each step would see another. */
	if (status == EMUL_UNHANDLED || memcmp(b->copy + CODE, g.bytes, 16)) {
		b->skipped++;
		return;
	}
	{
		struct x86_state after = b->state;
		struct x86_xstate xafter = b->xstate;

		b->state = before;
		b->xstate = xbefore;
		is_good = child_run(b, &g);
		b->state = after;
		b->xstate = xafter;
	}
	if (is_good)
		compare(b, &g, status);
	else
		b->skipped++;
}

/* The LDT: code and data of 16-bit code, and one of each kind. */
static const struct user_desc ldt[LDT_COUNT] = {
	{ .base_addr = REGION, .limit = 0xffff, .contents = 2 },
	{ .base_addr = REGION, .limit = 0xffff },
	{ .base_addr = REGION,
	  .limit = 0xfffff,
	  .seg_32bit = 1,
	  .limit_in_pages = 1 },
	{ .base_addr = 0x1234, .limit = 0x777, .read_exec_only = 1 },
	{ .limit = 0x10, .contents = 1, .seg_32bit = 1 },
	{ .limit = 0x10, .contents = 2, .read_exec_only = 1 },
	{ .limit = 0x10, .seg_not_present = 1, .useable = 1 },
	{ .limit = 0x10, .contents = 3, .seg_not_present = 1 },
	{ .limit = 0x10, .contents = 1, .read_exec_only = 1 },
	{ .limit = 0xfffff,
	  .contents = 2,
	  .seg_32bit = 1,
	  .limit_in_pages = 1,
	  .useable = 1 },
};

/* As the kernel makes descriptors of them: level 3, accessed. */
static uint64_t descriptor_of(const struct user_desc *d)
{
	uint64_t type = 1 | (uint64_t)!d->read_exec_only << 1 |
			(uint64_t)d->contents << 2;

	return (d->limit & 0xffff) | (uint64_t)(d->base_addr & 0xffffff) << 16 |
	       type << 40 | 7ULL << 44 | (uint64_t)!d->seg_not_present << 47 |
	       (uint64_t)(d->limit >> 16 & 15) << 48 |
	       (uint64_t)d->useable << 52 | (uint64_t)d->seg_32bit << 54 |
	       (uint64_t)d->limit_in_pages << 55 |
	       (uint64_t)(d->base_addr >> 24) << 56;
}

static void child_main(void)
{
	for (unsigned i = 0; i < LDT_COUNT; i++) {
		struct user_desc desc = ldt[i];

		desc.entry_number = i;
		if (syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc)))
			_exit(3);
	}
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	_exit(0);
}

static void bench_begin(struct bench *b)
{
	b->shared = mmap(
		(void *)REGION, REGION_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	b->copy = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	b->ldt = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	if (b->shared == MAP_FAILED || b->copy == MAP_FAILED || !b->ldt) {
		perror("mmap");
		exit(2);
	}
	for (unsigned i = 0; i < LDT_COUNT; i++)
		b->descriptors[i] = descriptor_of(&ldt[i]);
	child_begin(b);
}

static void child_begin(struct bench *b)
{
	int status;

	b->child = fork();
	if (!b->child)
		child_main();
	if (waitpid(b->child, &status, 0) != b->child || !WIFSTOPPED(status)) {
		fprintf(stderr, "no traced child with an LDT here\n");
		exit(2);
	}
	ptrace(PTRACE_SETOPTIONS, b->child, 0, PTRACE_O_EXITKILL);
	ptrace(PTRACE_GETREGS, b->child, 0, &b->regs);
	child_xstate_get(b);
}

static bool probe(struct bench *b, const struct generated *g)
{
	memory_make(b, g);
	return child_run(b, g) && b->signal == SIGTRAP &&
	       (uint32_t)b->regs.rip == b->state.rip + g->length;
}

/*
 * Kernels without the compatibility mode or LDTs, and hosts below them that
 * keep these from their guests, refuse such code whatever it is: there is
 * nothing to compare with.
 */
static void bench_probe(struct bench *b)
{
	struct generated nop = { .bytes = { 0x90 }, .length = 1 };
	const struct generated lsl = { .bytes = { 0x0f, 0x03, 0xc1 },
				       .length = 3,
				       .width = CODE64 };
	const struct generated invpcid = { .bytes = { 0x66, 0x0f, 0x38, 0x82 },
					   .width = CODE64 };

	for (nop.width = CODE16; nop.width <= CODE64; nop.width++) {
		state_make(b, nop.width);
		b->can_run[nop.width] = probe(b, &nop);
		if (!b->can_run[nop.width])
			printf("no %u-bit code runs here: not compared\n",
			       bits[nop.width]);
	}
	if (!b->can_run[CODE64])
		exit(2);
	state_make(b, CODE64);
	b->state.gpr[X86_RCX] = LDT_SELECTOR(LDT_DATA);
	b->has_ldt = probe(b, &lsl) && b->regs.eflags & X86_FLAG_ZF;
	if (!b->has_ldt)
		printf("no LDT here: selectors not compared\n");
	/* Hypervisors take it out of CPUID; the processor refuses it by level
	 * all the same. */
	(void)probe(b, &invpcid);
	if (b->signal == SIGSEGV)
		b->emul.features |= EMUL_FEATURE_INVPCID;
}

int main(int argc, char **argv)
{
	static const struct emul_ops ops;
	static struct bench b;
	time_t end;

	if (argc < 2) {
		fprintf(stderr, "usage: %s SECONDS [SEED]\n", argv[0]);
		return 2;
	}
	b.random = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	printf("seed %" PRIu64 "\n", b.random);
	b.random = b.random * 2 + 1;
	bench_begin(&b);
	emul_init(&b.emul, &b.state, &ops, NULL);
	b.emul.xstate = &b.xstate;
	b.emul.features = host_features();
	b.emul.rep_complete = true;
	b.emul.raise_software = true;
	b.emul.window[0] = (struct emul_window){ .start = REGION,
						 .size = REGION_SIZE,
						 .host = b.copy };
	b.emul.window[1] = (struct emul_window){ .start = LDT_LINEAR,
						 .size = PAGE_SIZE,
						 .host = b.ldt };
	bench_probe(&b);
	end = time(NULL) + atol(argv[1]);
	do
		for (unsigned i = 0; i < SHORT_RUN; i++)
			run_one(&b);
	while (time(NULL) < end);
	ptrace(PTRACE_KILL, b.child, 0, 0);
	printf("%lu compared, of these %lu faults; %lu not comparable; "
	       "%lu differences\n",
	       b.compared, b.faults, b.skipped, b.bad);
	return b.bad ? 1 : 0;
}
