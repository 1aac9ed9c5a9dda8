/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random instructions on random state, executed once by the build machine's
 * processor (a traced child, single step, in 16-, 32- and 64-bit code) and
 * once by the emulator; registers, defined flags and memory are compared.
 *
 *	fuzz_native SECONDS [SEED]
 *
 * What would leave the sandbox is not generated: system calls, ports, segment
 * loads, far transfers, x87 arithmetic.
 */
#include "tests/fuzz/fuzz_native.h"

#include "include/emulate.h"

#include <asm/ldt.h>
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
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
	uint8_t xarea[8192] __aligned(64); /* the child's, XSAVE's form */
	size_t xarea_size;
	int signal;
	uint64_t random;
	unsigned long compared, faults, skipped, bad;
};

static uint64_t next(struct bench *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random * 0x2545f4914f6cdd1dULL;
}

static bool one_in(struct bench *b, unsigned n)
{
	return next(b) >> 33 % n == 0 ? (next(b) >> 40) % n == 0
				      : (next(b) >> 40) % n == 0;
}

/* Opcodes that would leave the sandbox or that are not compared. */
static bool is_excluded(const struct generated *g)
{
	static const uint8_t one[] = {
		0x06, 0x07, 0x0e, 0x0f, 0x16, 0x17, 0x1e, 0x1f, 0x26, 0x2e,
		0x36, 0x3e, 0x62, 0x64, 0x65, 0x66, 0x67, 0x6c, 0x6d, 0x6e,
		0x6f, 0x8e, 0x9a, 0x9b, 0x9c, 0x9d, 0xc4, 0xc5, 0xca, 0xcb,
		0xcc, 0xcd, 0xce, 0xcf, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd,
		0xde, 0xdf, 0xe4, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed, 0xee,
		0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xfa, 0xfb,
	};
	static const uint8_t two[] = {
		0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08,
		0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32,
		0x33, 0x34, 0x35, 0x37, 0x38, 0x3a, 0xa0, 0xa1,
		0xa2, 0xa8, 0xa9, 0xaa, 0xae, 0xb2, 0xb4, 0xb5,
	};
	unsigned reg = g->modrm >> 3 & 7;

	if (g->map == 1 && memchr(one, g->opcode, sizeof(one)))
		return true;
	if (g->map == 1 && g->width == CODE64 && (g->opcode & 0xf0) == 0x40)
		return true;
	if (g->map == 1 && g->opcode == 0xff && (reg == 3 || reg == 5))
		return true;
	/* Transactional memory, where it exists, in C6 and C7. */
	if (g->map == 1 && (g->opcode & 0xfe) == 0xc6 && reg == 7)
		return true;
	/* AMD's XOP encodings. */
	if (g->map == 1 && g->opcode == 0x8f && reg)
		return true;
	if (g->map == 2 && g->opcode == 0xc7 && reg != 1)
		return true;
	return g->map == 2 && memchr(two, g->opcode, sizeof(two));
}

static void put(struct generated *g, uint8_t byte)
{
	g->bytes[g->length++] = byte;
}

static void generate_prefixes(struct bench *b, struct generated *g)
{
	if (one_in(b, 4))
		put(g, 0x66);
	if (one_in(b, 10))
		put(g, 0x67);
	if (one_in(b, 6))
		put(g, 0xf2 | (next(b) >> 50 & 1));
	if (one_in(b, 12))
		put(g, 0xf0);
	if (one_in(b, 16))
		put(g, "\x26\x2e\x36\x3e"[next(b) >> 50 & 3]);
	if (g->width == CODE64 && one_in(b, 2))
		put(g, 0x40 | (next(b) >> 50 & 15));
}

/* BMI, and AVX's moves and bitwise operations. */
static void generate_vex(struct bench *b, struct generated *g)
{
	static const uint8_t two[] = { 0x10, 0x11, 0x12, 0x13, 0x16, 0x17,
				       0x28, 0x29, 0x2b, 0x54, 0x55, 0x56,
				       0x57, 0x6e, 0x6f, 0x7e, 0x7f, 0xd4,
				       0xd6, 0xdb, 0xdf, 0xe7, 0xeb, 0xef,
				       0xf0, 0xfa, 0xfb, 0xfe, 0x77 };
	static const uint8_t three[] = { 0xf2, 0xf3, 0xf5, 0xf6, 0xf7 };
	uint8_t first = (uint8_t)(next(b) >> 40) & 0xe0;
	uint8_t last = (uint8_t)(next(b) >> 40);

	g->length = 0;
	g->is_vex = true;
	g->map = 2 + (next(b) >> 40) % 3;
	if (g->width != CODE64)
		first |= 0xc0;
	if (one_in(b, 2)) /* many of these want no second source */
		last |= 0x78;
	if (g->map == 2)
		g->opcode = two[(next(b) >> 40) % sizeof(two)];
	else if (g->map == 3)
		g->opcode = three[(next(b) >> 40) % sizeof(three)];
	else
		g->opcode = 0xf0;
	put(g, 0xc4);
	put(g, first | (uint8_t)(g->map - 1));
	put(g, last);
	put(g, g->opcode);
	g->modrm = (uint8_t)(next(b) >> 40);
	put(g, g->modrm);
}

static void generate_legacy(struct bench *b, struct generated *g)
{
	static const uint8_t three[] = { 0xf0, 0xf1, 0xf6, 0xf0, 0xf1, 0x2a };

	do {
		g->length = 0;
		generate_prefixes(b, g);
		g->map = one_in(b, 12) ? 3 : one_in(b, 3) ? 2 : 1;
		g->opcode = (uint8_t)(next(b) >> 40);
		if (g->map == 3)
			g->opcode = three[(next(b) >> 40) % sizeof(three)];
		if (g->map > 1)
			put(g, 0x0f);
		if (g->map > 2)
			put(g, 0x38);
		put(g, g->opcode);
		g->modrm = (uint8_t)(next(b) >> 40);
		put(g, g->modrm);
	} while (is_excluded(g));
}

/*
 * Loads of DS, ES, FS and GS, far transfers and questions about selectors, all
 * of the LDT.
 * Not SS: its single step would trap an instruction late.
 */
static void generate_segment(struct bench *b, struct generated *g)
{
	static const uint8_t one[] = { 0x8e, 0xc4, 0xc5, 0x07, 0x1f, 0xea,
				       0x9a, 0xca, 0xcb, 0xcf, 0xff, 0xff };
	static const uint8_t two[] = { 0x00, 0x02, 0x03, 0xb4, 0xb5,
				       0xa1, 0xa9, 0x02, 0x03 };
	uint8_t modrm;

	g->length = 0;
	g->is_segment = true;
	if (one_in(b, 4))
		put(g, 0x66);
	if (g->width == CODE64 && one_in(b, 3))
		put(g, 0x40 | (next(b) >> 50 & 15));
	g->map = 1 + (next(b) >> 50 & 1);
	g->opcode = g->map == 1 ? one[(next(b) >> 40) % sizeof(one)]
				: two[(next(b) >> 40) % sizeof(two)];
	if (g->map == 1 && g->width == CODE64 && g->opcode < 0xc8 &&
	    g->opcode != 0x8e)
		g->opcode = 0xcf;
	modrm = (uint8_t)(next(b) >> 40);
	if (g->opcode == 0x8e)
		modrm = (modrm & 0xc7) |
			(uint8_t)("\x00\x18\x20\x28"[next(b) >> 50 & 3]);
	if (g->map == 1 && (g->opcode == 0xc4 || g->opcode == 0xc5))
		modrm &= 0x7f; /* no VEX */
	if (g->map == 2 && g->opcode == 0)
		modrm = (modrm & 0xcf) | 0x20; /* VERR, VERW */
	if (g->map == 1 && g->opcode == 0xff)  /* far, in memory */
		modrm = (modrm & 0x87) | (next(b) >> 50 & 1 ? 0x18 : 0x28);
	g->modrm = modrm;
	if (g->map == 2)
		put(g, 0x0f);
	put(g, g->opcode);
	if (g->map == 2 || g->opcode == 0x8e || g->opcode == 0xff ||
	    g->opcode == 0xc4 || g->opcode == 0xc5)
		put(g, modrm);
	for (unsigned i = 0; i < 5; i++) {
		put(g, (uint8_t)(next(b) >> 40 & 0x7b) | 4);
		put(g, 0);
	}
}

static void generate(struct bench *b, struct generated *g)
{
	if (one_in(b, 10))
		generate_segment(b, g);
	else if (one_in(b, 6))
		generate_vex(b, g);
	else
		generate_legacy(b, g);
	/* SIB, displacement, immediate: small as often as not. */
	for (unsigned i = 0; i < 10; i++)
		put(g, one_in(b, 2) ? (uint8_t)(next(b) >> 40) : 0);
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

static void state_make(struct bench *b, enum width width)
{
	struct x86_state *s = &b->state;
	unsigned gprs = width == CODE64 ? 16 : 8;

	memset(s, 0, sizeof(*s));
	s->valid = ~0U;
	s->cpl = 3;
	s->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE;
	s->cr4 = X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXSAVE;
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
	b->xstate.fcw = 0x37f;
	b->xstate.fsw = (uint16_t)(next(b) >> 40 & 7) << 11;
	b->xstate.ftw = (uint8_t)(next(b) >> 40);
	for (unsigned i = 0; i < 8; i++)
		for (unsigned j = 0; j < 10; j++)
			b->xstate.st[i][j] = (uint8_t)(next(b) >> 40);
	for (unsigned i = 0; i < 16; i++)
		for (unsigned j = 0; j < 16; j++) {
			b->xstate.xmm[i][j] = (uint8_t)(next(b) >> 40);
			b->xstate.ymm_high[i][j] = (uint8_t)(next(b) >> 40);
		}
}

static void memory_make(struct bench *b, const struct generated *g)
{
	uint64_t *at = (uint64_t *)b->copy;

	for (unsigned i = 0; i < REGION_SIZE / 8; i += 1 + (next(b) >> 58))
		at[i] = next(b);
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

/*
 * One instruction; a REP traps after each of its iterations.  False: not to
 * be compared, because REP was cut short or a page was not there.
 */
static bool child_run(struct bench *b, bool is_string)
{
	uint64_t rip = b->state.rip;
	siginfo_t info;
	int status;

	child_set(b);
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		ptrace(PTRACE_SINGLESTEP, b->child, 0, 0);
		if (waitpid(b->child, &status, 0) != b->child ||
		    !WIFSTOPPED(status)) {
			fprintf(stderr, "the child is gone\n");
			exit(2);
		}
		ptrace(PTRACE_GETREGS, b->child, 0, &b->regs);
		b->signal = WSTOPSIG(status);
		if (b->signal != SIGTRAP || b->regs.rip != rip || !is_string)
			break;
		if (i == STEPS_MAX - 1)
			return false;
	}
	child_xstate_get(b);
	if (b->signal != SIGSEGV)
		return true;
	ptrace(PTRACE_GETSIGINFO, b->child, 0, &info);
	return info.si_code != SEGV_MAPERR && info.si_code != SEGV_ACCERR;
}

/* Flags that the manual leaves undefined. */
static uint64_t flags_undefined(const struct generated *g)
{
	unsigned reg = g->modrm >> 3 & 7;

	if (g->is_vex) /* BMI's */
		return X86_FLAG_AF | X86_FLAG_PF |
		       (g->map == 3 && g->opcode == 0xf7 ? X86_FLAG_SF : 0);
	if (g->map == 1) {
		switch (g->opcode) {
		case 0x27:
		case 0x2f:
			return X86_FLAG_OF;
		case 0x37:
		case 0x3f:
			return X86_FLAG_OF | X86_FLAG_SF | X86_FLAG_ZF |
			       X86_FLAG_PF;
		case 0xd4:
		case 0xd5:
			return X86_FLAG_OF | X86_FLAG_AF | X86_FLAG_CF;
		case 0x69:
		case 0x6b:
			return FLAGS_MUL;
		case 0xf6:
		case 0xf7:
			return reg >= 6 ? FLAGS_ALL : reg >= 4 ? FLAGS_MUL : 0;
		case 0xc0:
		case 0xc1:
		case 0xd2:
		case 0xd3:
			return X86_FLAG_OF |
			       (reg >= 4 ? X86_FLAG_AF | X86_FLAG_CF : 0);
		default:
			return 0;
		}
	}
	if (g->map == 2) {
		switch (g->opcode) {
		case 0xa3:
		case 0xab:
		case 0xb3:
		case 0xbb:
		case 0xba:
			return FLAGS_BIT;
		case 0xa4:
		case 0xa5:
		case 0xac:
		case 0xad:
			return FLAGS_ALL; /* count above the size */
		case 0xaf:
			return FLAGS_MUL;
		case 0xbc:
		case 0xbd:
			return FLAGS_ALL & ~X86_FLAG_ZF;
		default:
			return 0;
		}
	}
	return 0;
}

static bool complain(struct bench *b, const struct generated *g,
		     const char *what, uint64_t have, uint64_t want)
{
	static const unsigned bits[] = { 16, 32, 64 };

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
	       : sig == SIGFPE	? X86_VECTOR_DE
	       : sig == SIGSEGV ? X86_VECTOR_GP
	       : sig == SIGBUS	? X86_VECTOR_SS
	       : sig == SIGTRAP ? -1
				: sig + 100;
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
	if (child_xstate(b)->xstate_bv & X86_XCR0_X87 &&
	    (memcmp(b->xstate.st, child_xstate(b)->st, 8 * 16) ||
	     b->xstate.fsw != child_xstate(b)->fsw ||
	     b->xstate.ftw != child_xstate(b)->ftw))
		return complain(b, g, "x87", b->xstate.ftw,
				child_xstate(b)->ftw);
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
		return complain(b, g, "xmm", 0, 0);
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
	if (have == X86_VECTOR_NP)
		have = X86_VECTOR_SS; /* the same signal */
	if (have != want) {
		complain(b, g, "vector", (uint64_t)have, (uint64_t)want);
		return;
	}
	if (have < 0)
		defined &= ~flags_undefined(g);
	if (!registers_agree(b, g, defined))
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

	generate(b, &g);
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
		is_good = child_run(b, g.map == 1 && g.opcode >= 0xa4 &&
					       g.opcode <= 0xaf);
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
	int status;

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

/* What this processor has, so that the emulator has no more. */
static uint64_t features_here(void)
{
	unsigned a, b, c, d;
	uint64_t features = EMUL_FEATURE_AVX | EMUL_FEATURE_AVX2;

	__cpuid(0, a, b, c, d);
	if (b == signature_INTEL_ebx)
		features |= EMUL_FEATURE_INTEL;
	__cpuid(1, a, b, c, d);
	features |= c & bit_MOVBE ? EMUL_FEATURE_MOVBE : 0;
	features |= c & bit_POPCNT ? EMUL_FEATURE_POPCNT : 0;
	__cpuid_count(7, 0, a, b, c, d);
	features |= b & bit_BMI ? EMUL_FEATURE_BMI1 : 0;
	features |= b & bit_BMI2 ? EMUL_FEATURE_BMI2 : 0;
	features |= b & bit_ADX ? EMUL_FEATURE_ADX : 0;
	features |= c & BIT(27) ? EMUL_FEATURE_MOVDIRI : 0;
	features |= c & BIT(28) ? EMUL_FEATURE_MOVDIR64B : 0;
	__cpuid(0x80000001, a, b, c, d);
	features |= c & bit_LZCNT ? EMUL_FEATURE_LZCNT : 0;
	return features;
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
	b.emul.features = features_here();
	b.emul.rep_complete = true;
	b.emul.raise_software = true;
	b.emul.window[0] = (struct emul_window){ .start = REGION,
						 .size = REGION_SIZE,
						 .host = b.copy };
	b.emul.window[1] = (struct emul_window){ .start = LDT_LINEAR,
						 .size = PAGE_SIZE,
						 .host = b.ldt };
	end = time(NULL) + atol(argv[1]);
	while (time(NULL) < end)
		for (unsigned i = 0; i < 100; i++)
			run_one(&b);
	ptrace(PTRACE_KILL, b.child, 0, 0);
	printf("%lu compared, of these %lu faults; %lu not comparable; "
	       "%lu differences\n",
	       b.compared, b.faults, b.skipped, b.bad);
	return b.bad ? 1 : 0;
}
