/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 emulator's contract.
 *
 * A struct emul executes one instruction at a time on a struct x86_state, in
 * place.  It walks the guest's page tables itself and reaches the world only
 * through guest-physical RAM (windows, or ops->ram) and struct emul_ops.  It
 * has no TLB: what it remembers of page walks and decoded bytes it holds
 * against guest memory each time before it uses it.
 *
 * Use, per exit:
 *	emul.state = the gate page's state; status = emul_step(&emul);
 * One struct emul per vCPU; set up once with emul_init().
 *
 * Not modelled: AVX-512, TSX, CET and more that docs/emulator.md lists; CPUID
 * shows no guest any of it, and it is #UD.  EMUL_UNHANDLED, with the bytes in
 * .insn, is left for what an op is missing for.
 */
#ifndef BULKHEAD_EMULATE_H
#define BULKHEAD_EMULATE_H

#include "include/compiler.h"
#include "include/emulate_expect.h"
#include "include/x86_state.h"

enum emul_status {
	EMUL_OK,
	/* .fault holds an exception that was raised but not delivered. */
	EMUL_FAULT,
	/* Nothing happened; an op asked to run the instruction again. */
	EMUL_RETRY,
	/* Not an instruction this emulator knows; .insn holds its bytes. */
	EMUL_UNHANDLED,
};

/* What the last EMUL_OK meant beyond "executed": bits of emul.events. */
#define EMUL_EVENT_HLT	       BIT(0) /* CPU waits for an interrupt */
#define EMUL_EVENT_SINGLE_STEP BIT(1) /* TF was set: #DB due, DR6.BS */
#define EMUL_EVENT_NMI_UNMASK  BIT(2) /* IRET: NMIs are open again */
#define EMUL_EVENT_TASK_TRAP   BIT(3) /* switched to a task with T: #DB */
#define EMUL_EVENT_REP_PARTIAL BIT(4) /* work remains, RIP unchanged */
#define EMUL_EVENT_SHUTDOWN    BIT(5) /* triple fault */
#define EMUL_EVENT_WATCHED     BIT(6) /* a watcher said so; EMUL_RETRY, too */
/* Hardware breakpoints that were met: #DB due, DR6.B0 to B3. */
#define EMUL_EVENT_BREAKPOINT  BIT(16)
#define EMUL_EVENT_BREAKPOINTS MASK(19, 16)

struct emul_fault {
	uint8_t vector; /* enum x86_vector */
	bool has_error_code;
	/* A trap (INT3, INTO, ICEBP, INT n): RIP is past it.  Only of
	 * emul_step with .raise_software set. */
	bool is_trap;
	/* Raised by the delivery of another exception: of this vector. */
	bool is_nested;
	uint8_t during;
	uint32_t error_code;
	uint64_t cr2; /* #PF: also written to state->cr2 by delivery */
	uint64_t dr6; /* #DB: bits to set */
};

/* Plain RAM: guest-physical [start, start + size) is at host; whole pages. */
struct emul_window {
	uint64_t start;
	uint64_t size;
	uint8_t *host;
	bool is_read_only; /* writes go to ops->mmio_write */
};
#define EMUL_WINDOWS 4

enum emul_flush {
	EMUL_FLUSH_PAGE,   /* INVLPG: linear */
	EMUL_FLUSH_ALL,	   /* with global pages */
	EMUL_FLUSH_SPACE,  /* MOV CR3: without global pages */
	EMUL_FLUSH_CACHES, /* INVD, WBINVD, WBNOINVD, CLFLUSH: linear */
};

enum emul_event_type {
	EMUL_TYPE_EXTERNAL = 0, /* numbered as VMCB and VMCS do */
	EMUL_TYPE_NMI = 2,
	EMUL_TYPE_EXCEPTION = 3,
	EMUL_TYPE_SOFTWARE = 4,	      /* INT n */
	EMUL_TYPE_ICEBP = 5,	      /* INT1 */
	EMUL_TYPE_SOFT_EXCEPTION = 6, /* INT3, INTO */
};

/*
 * The emulator's way out.  Any op may be NULL: what would need it is then
 * EMUL_UNHANDLED (state_need: every group is taken to be valid; ram and
 * flush: not needed).  An op that returns EMUL_FAULT has filled the fault it
 * was handed through emul_raise(); a read that is answered EMUL_RETRY is
 * repeated from the instruction's start, so it must not have had an effect.
 */
struct emul_ops {
	/* Make groups valid in emul->state.  0 or -errno. */
	int (*state_need)(void *ctx, uint32_t groups);
	/*
	 * Host address of [gpa, gpa + len), which does not cross a page, if it
	 * is plain RAM that may be written when write is set; else NULL.  Asked
	 * only for what no window covers.  Valid for this instruction.
	 */
	void *(*ram)(void *ctx, uint64_t gpa, size_t len, bool write);
	/* size is 1, 2, 4 or 8; the access does not cross a page. */
	enum emul_status (*mmio_read)(void *ctx, uint64_t gpa, void *data,
				      unsigned size);
	enum emul_status (*mmio_write)(void *ctx, uint64_t gpa,
				       const void *data, unsigned size);
	/*
	 * Optional: REP MOVS and STOS, upwards: up to count items of size bytes
	 * to aligned addresses from gpa on, which is no RAM, within its page.
	 * Returns how many were done; 0 falls back to one mmio_write().
	 */
	size_t (*mmio_bulk)(void *ctx, uint64_t gpa, unsigned size,
			    const void *items, size_t count);
	/* size is 1, 2 or 4; permission has been checked. */
	enum emul_status (*io)(void *ctx, uint16_t port, unsigned size,
			       bool is_write, uint32_t *data);
	/*
	 * REP INS/OUTS, upwards, plain RAM: up to count items of size bytes.
	 * Returns how many were done; 0 falls back to one io().
	 */
	size_t (*io_bulk)(void *ctx, uint16_t port, unsigned size,
			  bool is_write, void *ram, size_t count);
	/*
	 * Before state->crN (0, 3, 4, 8) changes, after the architectural
	 * checks; EMUL_OK lets it.  EFER.LMA is kept by the emulator.
	 */
	enum emul_status (*cr_write)(void *ctx, unsigned cr, uint64_t value);
	/* XSETBV of XCR0; the checks of the value are the callee's. */
	enum emul_status (*xcr_write)(void *ctx, uint64_t value);
	enum emul_status (*msr_read)(void *ctx, uint32_t msr, uint64_t *value);
	enum emul_status (*msr_write)(void *ctx, uint32_t msr, uint64_t value);
	/* registers: EAX and ECX in, EAX EBX ECX EDX out. */
	enum emul_status (*cpuid)(void *ctx, uint32_t registers[4]);
	/* The time-stamp counter and TSC_AUX. */
	enum emul_status (*tsc)(void *ctx, uint64_t *tsc, uint32_t *aux);
	enum emul_status (*pmc)(void *ctx, uint32_t counter, uint64_t *value);
	/* VMCALL or VMMCALL; works on the state; RIP moves when EMUL_OK. */
	enum emul_status (*hypercall)(void *ctx);
	void (*flush)(void *ctx, enum emul_flush what, uint64_t linear);
};

enum emul_watch {
	EMUL_WATCH_GO,
	EMUL_WATCH_AFTER,  /* EMUL_EVENT_WATCHED behind it */
	EMUL_WATCH_BEFORE, /* the same in place of it, with EMUL_RETRY */
};

/*
 * Who looks on, beside the guest's own debug registers: a debugger.  All but
 * before() have to do with something that is about to happen, and may happen
 * again or not at all if the instruction does not come to its end: then there
 * is no EMUL_EVENT_WATCHED.  True wants one.  ctx is the emulator's.
 */
struct emul_watcher {
	enum emul_watch (*before)(void *ctx, uint64_t linear);
	/* NULL, and .port, too: nobody wants to be asked, and the emulator is
	 * some times faster. */
	bool (*access)(void *ctx, uint64_t linear, unsigned size,
		       bool is_write);
	bool (*port)(void *ctx, uint16_t port, unsigned size);
	/* Delivered by the emulator; INT n by emul_step(). */
	bool (*vector)(void *ctx, unsigned vector, enum emul_event_type type);
};

/* What the processor offers, so that the rest is #UD.  See emul_init(). */
#define EMUL_FEATURE_RDTSCP	BIT(0)
#define EMUL_FEATURE_BMI1	BIT(1)
#define EMUL_FEATURE_BMI2	BIT(2)
#define EMUL_FEATURE_ADX	BIT(3)
#define EMUL_FEATURE_MOVBE	BIT(4)
#define EMUL_FEATURE_AVX	BIT(5)
#define EMUL_FEATURE_LZCNT	BIT(6)
#define EMUL_FEATURE_POPCNT	BIT(7)
#define EMUL_FEATURE_INTEL	BIT(8) /* where the two vendors differ */
#define EMUL_FEATURE_1G_PAGES	BIT(9)
#define EMUL_FEATURE_MWAIT	BIT(10)
#define EMUL_FEATURE_AVX2	BIT(11)
#define EMUL_FEATURE_FSGSBASE	BIT(12)
#define EMUL_FEATURE_RDRAND	BIT(13) /* only where this processor has it */
#define EMUL_FEATURE_RDSEED	BIT(14) /* as RDRAND */
#define EMUL_FEATURE_RDPID	BIT(15)
#define EMUL_FEATURE_SERIALIZE	BIT(16)
#define EMUL_FEATURE_MOVDIRI	BIT(17)
#define EMUL_FEATURE_MOVDIR64B	BIT(18)
#define EMUL_FEATURE_CLZERO	BIT(19)
#define EMUL_FEATURE_CR8_LOCK	BIT(20) /* LOCK MOV CR0 is MOV CR8 */
/* Executed by the processor: only where this one has it, too. */
#define EMUL_FEATURE_SSE3	BIT(21)
#define EMUL_FEATURE_SSSE3	BIT(22)
#define EMUL_FEATURE_SSE41	BIT(23)
#define EMUL_FEATURE_SSE42	BIT(24)
#define EMUL_FEATURE_AES	BIT(25)
#define EMUL_FEATURE_PCLMUL	BIT(26)
#define EMUL_FEATURE_F16C	BIT(27)
#define EMUL_FEATURE_FMA	BIT(28)
#define EMUL_FEATURE_SHA	BIT(29)
#define EMUL_FEATURE_VAES	BIT(30)
#define EMUL_FEATURE_VPCLMUL	BIT(31)
#define EMUL_FEATURE_GFNI	BIT(32)
#define EMUL_FEATURE_XSAVEC	BIT(33)
#define EMUL_FEATURE_XSAVEOPT	BIT(34)
#define EMUL_FEATURE_XGETBV1	BIT(35)
#define EMUL_FEATURE_INVPCID	BIT(36)
#define EMUL_FEATURE_CLFLUSHOPT BIT(37)
#define EMUL_FEATURE_CLWB	BIT(38)
#define EMUL_FEATURE_HOST                                               \
	(EMUL_FEATURE_RDRAND | EMUL_FEATURE_RDSEED | EMUL_FEATURE_AVX | \
	 EMUL_FEATURE_AVX2 | MASK(32, 21))
/* All that are executed by the emulator alone. */
#define EMUL_FEATURE_ALL \
	(MASK(40, 0) & ~(EMUL_FEATURE_INTEL | EMUL_FEATURE_HOST))

#define EMUL_INSN_MAX 15

/*
 * One decoded instruction: a function of its bytes and the mode alone.
 * Private to emulate/, here for its size.
 */
struct emul_decoded {
	const struct emul_row *row;
	int64_t immediate; /* or an offset in the instruction */
	union {
		uint64_t prefixes; /* clears all of these */
		struct {
			uint8_t rex;	  /* 0 or 40..4f */
			uint8_t rep;	  /* 0, f2, f3 */
			uint8_t override; /* 1 + segment of a prefix, or 0 */
			bool has_opsize;  /* 66 */
			uint8_t vex_vvvv;
			uint8_t vex_l;
			union {
				uint16_t special; /* checked in one go */
				struct {
					bool has_lock;
					bool is_vex;
				};
			};
		};
	};
	union {
		uint64_t shape; /* clears all of these */
		struct {
			bool is_memory; /* ModRM names memory */
			bool has_base;
			bool is_complex; /* more than base and displacement */
			uint8_t modrm;
			uint8_t opcode;
			uint8_t segment; /* of the memory operand */
			uint8_t base;
		};
	};
	uint8_t operand_size; /* 2, 4, 8: the "v" width */
	uint8_t address_size; /* 2, 4, 8 */
	uint8_t length;
	uint8_t prefix_length; /* where the opcode starts */
	uint8_t reg;	       /* ModRM fields with REX */
	uint8_t rm;
	uint8_t index; /* EMUL_NO_INDEX: none */
	uint8_t scale;
	int32_t displacement;
	uint16_t immediate2; /* far selector, ENTER's level */
	bool is_checked;     /* the row demands more than operands */
	uint8_t dst_access;  /* DST_* */
	uint8_t size;	     /* of dst */
	uint8_t src_size;
	uint8_t dst_place; /* enum emul_place */
	uint8_t src_place;
	uint8_t dst_register;
	uint8_t src_register;
	bool is_rip_relative;
	bool is_moffs; /* the offset is in the instruction */
	bool is_locked;
	uint8_t store; /* enum emul_store: after execute */
};
#define EMUL_NO_INDEX 0xff

/* Bytes, and what they were found to mean. */
struct emul_cached {
	uint64_t bytes[2];
	uint64_t mask[2]; /* the bytes that count */
	uint16_t mode;	  /* and sizes; 0: empty */
	struct emul_decoded decoded;
	/* Where the bytes at RIP were: fetch_again(). */
	uint64_t rip;
	const struct emul_walked *walked;
	uint8_t padding[8]; /* a power of two is quick to index */
};
ASSERT_SIZE(struct emul_cached, 128);
#define EMUL_CACHED 64

/*
 * A page walk and the entries it went through, or the pairs of four-byte ones:
 * good as long as they all are what they were, which is looked up each time.
 */
struct emul_walked {
	uint64_t key; /* page and access; 0: empty */
	uint64_t cr3;
	uint64_t control;
	const uint64_t *where[5];
	uint64_t entry[5];
	uint64_t gpa;
	const uint8_t *host; /* of the page; NULL: fetch_remember() */
	uint64_t padding;
};
ASSERT_SIZE(struct emul_walked, 128);
#define EMUL_WALKED 32

/* Where a data access of one instruction goes.  Private to emulate/. */
struct emul_access {
	void *host;	 /* whole access in RAM, or NULL */
	uint64_t gpa[2]; /* else: first part, part on the next page */
	void *part[2];	 /* RAM of each part, or NULL: MMIO */
	uint32_t length[2];
};

struct emul {
	struct x86_state *state;
	struct x86_xstate *xstate; /* valid with X86_GROUP_XSTATE, or NULL */
	const struct emul_ops *ops;
	void *ctx;
	/* Most used first, no gaps; the first is writable, the last empty. */
	struct emul_window window[EMUL_WINDOWS + 1];
	uint64_t features;	/* EMUL_FEATURE_* */
	uint8_t physical_bits;	/* MAXPHYADDR, 32..52 */
	bool may_break_at_data; /* as may_break, of data accesses and ports */
	const struct emul_watcher *watcher; /* by emul_watch() */
	/* INT n, INT3, INTO, ICEBP raise a fault with is_trap set instead of
	 * being delivered by the emulator; with a watcher it is told. */
	bool raise_software;
	/* REP runs to its end within one step (tests). */
	bool rep_complete;
	/* DR7 enables a breakpoint, or did so when last looked at; or there is
	 * a watcher. */
	bool may_break;
	/* It breaks at instructions: not where the processor, which compares
	 * their addresses itself, has left this one to be emulated. */
	bool breaks_at_code;
	/* EMUL_EVENT_BREAKPOINTS that wait for MOV SS's shadow to pass. */
	uint32_t breaks_held;

	/* Results of the last step, and what it keeps for its end. */
	union {
		uint64_t per_step; /* clears all of these */
		struct {
			uint32_t events; /* EMUL_EVENT_* */
			union {
				uint32_t rare;
				struct {
					/* X86_SHADOW_* that this one casts */
					uint8_t shadow;
					bool keep_rf; /* IRET, task switch */
					/* past the commit point */
					bool is_task_switched;
					/* error codes get the EXT bit */
					bool is_external;
				};
			};
		};
	};
	struct emul_fault fault;
	uint8_t insn[EMUL_INSN_MAX + 5]; /* the rest is slack for wide reads */
	uint8_t insn_length;		 /* bytes in insn when EMUL_UNHANDLED */

	/* The rest is scratch of the running step. */
	uint8_t mode;
	uint16_t cache_mode;	 /* what bytes mean depends on */
	uint8_t default_operand; /* sizes without prefixes */
	uint8_t default_address;
	bool is_implicit;     /* the processor's own accesses, whatever CPL */
	uint32_t user_access; /* EMUL_ACCESS_USER at CPL 3 */
	/* What mode was worked out from. */
	uint64_t mode_cr0;
	uint64_t mode_efer;
	uint16_t mode_attributes;
	uint8_t mode_cpl; /* 0, or no level: work out each time */
	uint64_t rip_mask;
	uint64_t flags;
	uint64_t next_rip;
	uint64_t dst;
	uint64_t src;
	uint64_t old;		/* dst as loaded */
	struct emul_decoded *d; /* in the cache, or own */
	struct emul_decoded own;
	uint64_t offset;   /* effective address within the segment */
	uint8_t available; /* code bytes in insn */
	struct emul_access access;
	struct emul_walked walked[EMUL_WALKED];
	struct emul_cached cached[EMUL_CACHED];
};

/* Zeroes everything, then sets the pointers and sane defaults: all features,
 * 48 physical bits, no window. */
void emul_init(struct emul *emul, struct x86_state *state,
	       const struct emul_ops *ops, void *ctx);

/* To be called after .window, .features or .physical_bits have changed. */
void emul_forget(struct emul *emul);

/* NULL: nobody looks on. */
void emul_watch(struct emul *emul, const struct emul_watcher *watcher);

/*
 * Exactly one instruction at CS:RIP (REP in bounded chunks: EMUL_OK with RIP
 * unchanged and EMUL_EVENT_REP_PARTIAL while work remains).  On EMUL_FAULT
 * the state is as before the instruction, where the manual does not say
 * otherwise.
 */
enum emul_status __must_check emul_step(struct emul *emul);
/*
 * The same of an instruction at which the processor has stopped, because a data
 * access of its led to gpa, which is no RAM for such an access: where that can
 * be nothing else but the operand of a MOV, it is neither checked nor walked
 * anew.  Of 64-bit code no more than X86_GROUP_FETCH needs to be valid.  With
 * the ops .mmio_read and .mmio_write.
 */
enum emul_status __must_check emul_step_device(struct emul *emul, uint64_t gpa,
					       bool is_write);

/*
 * Deliver an event through the IVT, IDT or a task gate.  insn_length counts
 * for software events only: RIP is moved past the instruction first.
 * EMUL_FAULT: delivery raised .fault; the state is unchanged.
 */
struct emul_event {
	uint8_t vector;
	enum emul_event_type type;
	bool has_error_code;
	uint32_t error_code;
	uint64_t cr2; /* #PF */
	uint64_t dr6; /* #DB: bits to set */
	uint8_t insn_length;
};
enum emul_status __must_check emul_deliver_event(struct emul *emul,
						 const struct emul_event *ev);

/*
 * emul_deliver_event for .fault as it stands, following faults on the way
 * into double faults and, as EMUL_EVENT_SHUTDOWN in .events, triple faults.
 */
enum emul_status __must_check emul_deliver_fault(struct emul *emul);

/* Why the hardware task switch is made. */
enum emul_task_reason {
	EMUL_TASK_CALL,
	EMUL_TASK_IRET,
	EMUL_TASK_JUMP,
	EMUL_TASK_GATE, /* an event through a task gate */
};
/*
 * Switch to the task of TSS selector.  RIP must be what the outgoing task is
 * to resume at.  has_error_code: push it onto the new task's stack.
 */
enum emul_status __must_check emul_task_switch(struct emul *emul,
					       uint16_t selector,
					       enum emul_task_reason reason,
					       bool has_error_code,
					       uint32_t error_code);

/*
 * What entering the handler of #DB does to DR6 and DR7, X86_GROUP_DEBUG being
 * valid.  dr6: the bits that tell why; 0 for INT1, which tells nothing.
 */
void emul_debug_enter(struct emul *emul, uint64_t dr6);
/* DR6.B0 to B3 of an access to a port; X86_GROUP_DEBUG and CONTROL are valid.
 */
uint32_t emul_port_breakpoints(const struct emul *emul, uint16_t port,
			       unsigned size);

/* Raise a fault, from within an op: returns EMUL_FAULT. */
enum emul_status emul_raise(struct emul *emul, unsigned vector);
enum emul_status emul_raise_code(struct emul *emul, unsigned vector,
				 uint32_t error_code);

/*
 * Length of the instruction at CS:RIP if it is the expected one, legal
 * prefixes included; -1 if it is another or cannot be read.  The processor
 * has just fetched it: no permission is checked, no state changed.
 */
int emul_insn_length(struct emul *emul, enum emul_expect what);
/* Without prefixes; 0 where they differ. */
unsigned emul_expect_length(enum emul_expect what);

/* For CR-access exits without decode assists. */
struct emul_mov_cr {
	uint8_t cr;
	uint8_t gpr;
	bool is_write;
	uint8_t length;
	/* LMSW, CLTS: the value to be written to CR0; else the GPR's. */
	uint64_t value;
};
/* -1 if the instruction at CS:RIP is no MOV CR, CLTS or LMSW of a register. */
int __must_check emul_decode_mov_cr(struct emul *emul, struct emul_mov_cr *mov);

/* Access kinds of emul_translate(), as page-fault error code bits. */
#define EMUL_ACCESS_WRITE BIT(1)
#define EMUL_ACCESS_USER  BIT(2)
#define EMUL_ACCESS_FETCH BIT(4)
/* With A and D bits left alone, and no fault raised: debuggers, tests. */
#define EMUL_ACCESS_PROBE BIT(31)

/* Linear to guest-physical through the guest's own tables. */
enum emul_status __must_check emul_translate(struct emul *emul, uint64_t linear,
					     uint32_t access, uint64_t *gpa);

#endif
