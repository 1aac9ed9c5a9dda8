/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC of one vCPU: a plain state machine, reached through
 * its register page (xAPIC) or its MSRs (x2APIC), that calls out for time,
 * for messages to other APICs and for what its CPU must be told.
 *
 * Who may call what: the vCPU's own thread calls everything.  Any CPU may
 * call apic_matches(), apic_deliver(), apic_route(), apic_lint_raise() and
 * apic_post(): these
 * leave fixed interrupts in an atomic bitmap (the posted requests) that the
 * owner merges when it next asks for its highest pending vector, and then
 * kick the owner.
 *
 * Time is in nanoseconds: the timer's bus clock is 1 GHz, so a count of the
 * undivided timer is one nanosecond.  TSC deadlines are in guest TSC ticks
 * and are passed on as they are.
 *
 * References: SDM volume 3, "Advanced Programmable Interrupt Controller
 * (APIC)"; APM volume 2, "Advanced Programmable Interrupt Controller (APIC)".
 */
#ifndef BULKHEAD_CPUMODEL_APIC_H
#define BULKHEAD_CPUMODEL_APIC_H

#include "include/compiler.h"
#include "include/vendor.h"
#include "include/x86_msr.h"

#define APIC_DEFAULT_GPA 0xfee00000ULL
#define APIC_BUS_HZ	 1000000000ULL
#define APIC_BROADCAST	 0xffffffffU

#define APIC_SVR_ENABLE		BIT(8)
#define APIC_ESR_RECEIVE_VECTOR BIT(6)
#define APIC_DFR_MODEL		MASK(31, 28)
#define APIC_LDR_XAPIC		MASK(31, 24)
#define APIC_XAPIC_BROADCAST	0xffU
/* Vectors below are not accepted. */
#define APIC_VECTOR_FIRST	16

/* Register numbers: offset in the page / 16, or MSR - 0x800. */
enum apic_register {
	APIC_REG_ID = 0x02,
	APIC_REG_VERSION = 0x03,
	APIC_REG_TPR = 0x08,
	APIC_REG_APR = 0x09,
	APIC_REG_PPR = 0x0a,
	APIC_REG_EOI = 0x0b,
	APIC_REG_RRD = 0x0c,
	APIC_REG_LDR = 0x0d,
	APIC_REG_DFR = 0x0e,
	APIC_REG_SVR = 0x0f,
	APIC_REG_ISR = 0x10, /* eight registers each */
	APIC_REG_TMR = 0x18,
	APIC_REG_IRR = 0x20,
	APIC_REG_ESR = 0x28,
	APIC_REG_ICR = 0x30,
	APIC_REG_ICR_HIGH = 0x31,
	APIC_REG_LVT_TIMER = 0x32,
	APIC_REG_LVT_THERMAL = 0x33,
	APIC_REG_LVT_PERF = 0x34,
	APIC_REG_LVT_LINT0 = 0x35,
	APIC_REG_LVT_LINT1 = 0x36,
	APIC_REG_LVT_ERROR = 0x37,
	APIC_REG_TIMER_INITIAL = 0x38,
	APIC_REG_TIMER_CURRENT = 0x39,
	APIC_REG_TIMER_DIVIDE = 0x3e,
	APIC_REG_SELF_IPI = 0x3f,
	APIC_REG_COUNT,
};

/* Delivery modes, as in the ICR, the LVTs, the IOAPIC and MSI data. */
enum apic_mode {
	APIC_MODE_FIXED = 0,
	APIC_MODE_LOWEST = 1,
	APIC_MODE_SMI = 2,
	APIC_MODE_NMI = 4,
	APIC_MODE_INIT = 5,
	APIC_MODE_SIPI = 6,
	APIC_MODE_EXTINT = 7,
};

enum apic_shorthand {
	APIC_TO_DESTINATION = 0,
	APIC_TO_SELF = 1,
	APIC_TO_ALL = 2,
	APIC_TO_OTHERS = 3,
};

/* An interrupt message on its way to one or more local APICs. */
struct apic_message {
	uint32_t
		destination; /* APIC_BROADCAST whatever the format it came in */
	uint8_t vector;
	uint8_t mode;	   /* enum apic_mode */
	uint8_t shorthand; /* enum apic_shorthand */
	bool is_logical;
	bool is_level;	  /* trigger mode */
	bool is_deassert; /* an INIT level de-assert: nothing happens */
};

/*
 * What an APIC needs of its surroundings.  nmi, init, sipi and kick may be
 * called on any CPU, the rest only from the owner's own calls.
 */
struct apic_ops {
	uint64_t (*now_ns)(void *ctx);
	/*
	 * Call apic_timer_expired() at or after the deadline; replaces what
	 * was armed.  A deadline in the past is due at once, but never from
	 * inside this call.
	 */
	void (*timer_arm)(void *ctx, uint64_t deadline_ns);
	void (*timer_arm_tsc)(void *ctx, uint64_t guest_tsc);
	void (*timer_disarm)(void *ctx);
	/* An IPI from the ICR; self-IPIs are not sent out.  See apic_route().*/
	void (*send)(void *ctx, const struct apic_message *message);
	/* A level-triggered vector was acknowledged: for the IOAPICs. */
	void (*eoi_level)(void *ctx, uint8_t vector);
	/* The page may have moved or vanished, and what no APIC accepted may be
	 * accepted now: IA32_APIC_BASE, SVR, LDR or DFR was written. */
	void (*changed)(void *ctx);
	void (*nmi)(void *ctx);
	void (*init)(void *ctx);
	void (*sipi)(void *ctx, uint8_t vector);
	/* There is a posted request: make the vCPU look. */
	void (*kick)(void *ctx);
};

enum apic_lvt {
	APIC_LVT_TIMER,
	APIC_LVT_THERMAL,
	APIC_LVT_PERF,
	APIC_LVT_LINT0,
	APIC_LVT_LINT1,
	APIC_LVT_ERROR,
	APIC_LVT_COUNT,
};

#define APIC_VECTOR_WORDS 4 /* of 64 vectors */

struct apic {
	struct vendor_apic shared; /* with the processor */
	uint8_t irr_highest;	   /* 0: none; what is posted apart */
	uint8_t isr_highest;
	uint8_t tpr;
	uint8_t ppr;
	uint8_t phys_bits;
	uint64_t base; /* IA32_APIC_BASE */
	const struct apic_ops *ops;
	void *ctx;

	uint32_t id;
	uint32_t ldr;
	uint32_t dfr;
	uint32_t svr;
	uint32_t esr;	      /* as last latched */
	uint32_t esr_pending; /* since then */
	uint32_t lvt[APIC_LVT_COUNT];

	uint32_t timer_initial;
	uint32_t timer_divide;
	uint8_t timer_shift;
	bool timer_running;
	uint64_t timer_deadline_ns;
	uint64_t tsc_deadline;

	/* Written by any CPU, atomically. */
	uint64_t posted[APIC_VECTOR_WORDS] __aligned(64);
	uint8_t has_posted;
};

/*
 * The caller has set shared.page to a page.
 * phys_bits bounds the page's address.  The state is that after reset: xAPIC
 * mode, software-disabled; but the boot processor's LINT0 is unmasked in
 * ExtINT mode, as firmware finds it under other hypervisors.
 */
void apic_init(struct apic *apic, uint32_t id, bool is_bsp, uint8_t phys_bits,
	       const struct apic_ops *ops, void *ctx);
/* Where register number reg is in the page. */
static inline uint32_t *apic_page_word(struct apic *apic, unsigned reg)
{
	return &apic->shared.page[reg * 4];
}

/* Power-on reset, and the INIT IPI's, which keeps IA32_APIC_BASE. */
void apic_reset(struct apic *apic);
void apic_reset_init(struct apic *apic);

static inline bool apic_is_enabled(const struct apic *apic)
{
	return apic->base & APIC_BASE_ENABLE;
}

/* Fixed interrupts are accepted only then. */
static inline bool apic_is_software_enabled(const struct apic *apic)
{
	return apic->base & APIC_BASE_ENABLE && apic->svr & APIC_SVR_ENABLE;
}

static inline bool apic_is_x2apic(const struct apic *apic)
{
	return apic->base & APIC_BASE_X2APIC;
}

/* Address of the register page; only meaningful in xAPIC mode. */
static inline gpa_t apic_page_gpa(const struct apic *apic)
{
	return apic->base & APIC_BASE_ADDRESS;
}

/*
 * The register page: offset is 12 bits.  Outside xAPIC mode reads give all ones
 * and writes are dropped.  Reserved registers read as zero and leave an error
 * in the ESR.  A read begins at any byte of a register and is zero
 * beyond it; writes are of 32 bits.
 */
uint32_t apic_mmio_read(struct apic *apic, uint32_t offset);
void apic_mmio_write(struct apic *apic, uint32_t offset, uint32_t value);

/*
 * IA32_APIC_BASE, IA32_TSC_DEADLINE and the x2APIC range alone.  0, or -EINVAL
 * for #GP.
 */
int __must_check apic_msr_read(struct apic *apic, uint32_t msr,
			       uint64_t *value);
int __must_check apic_msr_write(struct apic *apic, uint32_t msr,
				uint64_t value);

/* TPR in its 8-bit form; CR8 is its upper half. */
void apic_tpr_set(struct apic *apic, uint8_t tpr);

static inline uint8_t apic_tpr(const struct apic *apic)
{
	return apic->tpr;
}

/* The processor acknowledges the vector in service with the highest priority.*/
void apic_eoi(struct apic *apic);
/* A processor has written that register of the page. */
void apic_page_written(struct apic *apic, uint32_t offset);

/* Owner's half of apic_post(). */
void apic_posted_merge(struct apic *apic);

/* Highest vector that the CPU would take now, were IF set; or -1. */
static inline int apic_pending_vector(struct apic *apic)
{
	if (unlikely(__atomic_load_n(&apic->has_posted, __ATOMIC_RELAXED)))
		apic_posted_merge(apic);
	if ((apic->irr_highest & 0xf0) <= (apic->ppr & 0xf0))
		return -1;
	return apic->irr_highest;
}

/* The CPU takes the vector that apic_pending_vector() returned last: that goes
 * into service, and is what this returns. */
uint8_t apic_take(struct apic *apic);

/* Would the CPU take INTR from the 8259 pair, were IF set? */
bool apic_extint_enabled(const struct apic *apic);

/*
 * A local interrupt pin goes up, told from any CPU: 0 is LINT0 (the 8259
 * pair), 1 is LINT1 (NMI).  In ExtINT mode nothing happens: the level counts,
 * see apic_extint_enabled().
 */
void apic_lint_raise(struct apic *apic, unsigned pin);

/* A bit of the ESR; the first since its last write interrupts. */
void apic_error_raise(struct apic *apic, uint32_t error);

/* The deadline last armed has passed; harmless if it has not. */
void apic_timer_expired(struct apic *apic);

/* Accept a fixed interrupt on the owner's thread. */
void apic_accept(struct apic *apic, uint8_t vector, bool is_level);
/* The same from any CPU; kicks the owner. */
void apic_post(struct apic *apic, uint8_t vector, bool is_level);

/* Is this APIC meant?  Shorthands apart. */
bool apic_matches(const struct apic *apic, uint32_t destination,
		  bool is_logical);
/* Hand a message to this APIC, from any CPU.  False: it does not accept it. */
bool apic_deliver(struct apic *apic, const struct apic_message *message);
/*
 * The APICs of a VM, and which of them has what id, so that a message which
 * names one is not compared with all.  Not changed while messages are routed.
 */
#define APIC_GROUP_MAX 32

struct apic_group {
	uint32_t count;
	struct apic *apic[APIC_GROUP_MAX];
	uint8_t by_id[256]; /* index + 1, or 0: nobody has that id */
};

/* The next of the group, or one that is in it, has that id; of several APICs
 * with one id the last gets what is sent to it alone. */
void apic_group_set(struct apic_group *group, unsigned index, struct apic *apic,
		    uint8_t id);
/*
 * Find the destinations in the group and deliver.  source is the sender of an
 * IPI, NULL for messages of devices.  Returns how many accepted it.
 */
unsigned apic_route(const struct apic_group *group, const struct apic *source,
		    const struct apic_message *message);
/* False: the address is no interrupt message's. */
bool __must_check apic_msi_decode(uint64_t address, uint32_t data,
				  struct apic_message *message);

#endif
