/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual local APIC: see apic.h for who may call what.
 *
 * Some processors read the register page by themselves: there they find
 * requests and vectors in service (cpumodel/apic_vectors.c), and copies of the
 * other registers.
 *
 * Models a Pentium 4 and later APIC (version 0x14, six LVT entries) with
 * xAPIC and x2APIC modes, the TSC-deadline timer, flat, cluster and x2APIC
 * logical destinations, and lowest-priority arbitration by priority class.
 *
 * Does not model: EOI broadcast suppression, extended APIC space and extended
 * LVTs (AMD), CMCI, SMI delivery (there is no SMM), focus processors, and
 * arbitration ids; a level at LINT0 or LINT1 is not looked at again after its
 * EOI.  Reserved bits of the LVTs and of SVR are dropped in both
 * modes, where a processor in x2APIC mode raises #GP.
 *
 * References: SDM volume 3, "Advanced Programmable Interrupt Controller
 * (APIC)"; APM volume 2, "Advanced Programmable Interrupt Controller (APIC)".
 */
#include "cpumodel/apic.h"

#include "include/errno.h"
#include "lib/string.h"

#define VERSION_VALUE (0x14 | (APIC_LVT_COUNT - 1) << 16)

#define SVR_VECTOR  MASK(7, 0)
#define SVR_FOCUS   BIT(9)
#define SVR_DEFAULT 0xffU

#define LVT_VECTOR     MASK(7, 0)
#define LVT_MODE       MASK(10, 8)
#define LVT_POLARITY   BIT(13)
#define LVT_LEVEL      BIT(15)
#define LVT_MASKED     BIT(16)
#define LVT_TIMER_MODE MASK(18, 17)

enum timer_mode {
	TIMER_ONE_SHOT = 0,
	TIMER_PERIODIC = 1,
	TIMER_TSC_DEADLINE = 2,
	TIMER_RESERVED = 3,
};

#define ESR_SEND_VECTOR BIT(5)
#define ESR_REGISTER	BIT(7)

#define ICR_VECTOR	MASK(7, 0)
#define ICR_MODE	MASK(10, 8)
#define ICR_LOGICAL	BIT(11)
#define ICR_STATUS	BIT(12) /* always reads idle */
#define ICR_ASSERT	BIT(14)
#define ICR_LEVEL	BIT(15)
#define ICR_SHORTHAND	MASK(19, 18)
#define ICR_XAPIC_DEST	MASK(63, 56)
#define ICR_X2APIC_DEST MASK(63, 32)
#define ICR_LOW_VALID                                                   \
	(ICR_VECTOR | ICR_MODE | ICR_LOGICAL | ICR_ASSERT | ICR_LEVEL | \
	 ICR_SHORTHAND)

#define DFR_DEFAULT 0xffffffffU

#define DIVIDE_VALID (BIT(3) | MASK(1, 0))
#define DIVIDE_LOW   MASK(1, 0)
#define DIVIDE_HIGH  BIT(3)

/* A shorter period would only make the guest busy with its own timer. */
#define PERIOD_MIN_NS 20000ULL

/* Per LVT entry, the bits software can change. */
static const uint32_t lvt_writable[APIC_LVT_COUNT] = {
	[APIC_LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_TIMER_MODE,
	[APIC_LVT_THERMAL] = LVT_VECTOR | LVT_MODE | LVT_MASKED,
	[APIC_LVT_PERF] = LVT_VECTOR | LVT_MODE | LVT_MASKED,
	[APIC_LVT_LINT0] =
		LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
	[APIC_LVT_LINT1] =
		LVT_VECTOR | LVT_MODE | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
	[APIC_LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
};

/* ---- Local interrupts -------------------------------------------------- */

static void lvt_deliver(struct apic *apic, enum apic_lvt entry)
{
	uint32_t lvt = apic->lvt[entry];

	if (lvt & LVT_MASKED || !apic_is_enabled(apic))
		return;
	switch (FIELD_GET(LVT_MODE, lvt)) {
	case APIC_MODE_FIXED:
		apic_accept(apic, lvt & LVT_VECTOR, false);
		break;
	case APIC_MODE_NMI:
		apic->ops->nmi(apic->ctx);
		break;
	case APIC_MODE_INIT:
		apic->ops->init(apic->ctx);
		break;
	default: /* ExtINT is not latched, SMI goes nowhere */
		break;
	}
}

/* Only a new error interrupts: an illegal LVT vector must not recurse. */
void apic_error_raise(struct apic *apic, uint32_t error)
{
	if (apic->esr_pending & error)
		return;
	apic->esr_pending |= error;
	lvt_deliver(apic, APIC_LVT_ERROR);
}

bool apic_extint_enabled(const struct apic *apic)
{
	uint32_t lvt = apic->lvt[APIC_LVT_LINT0];

	if (!apic_is_enabled(apic))
		return true; /* the pins are the processor's INTR and NMI */
	return !(lvt & LVT_MASKED) &&
	       FIELD_GET(LVT_MODE, lvt) == APIC_MODE_EXTINT;
}

void apic_lint_raise(struct apic *apic, unsigned pin)
{
	uint32_t *entry = &apic->lvt[APIC_LVT_LINT0 + (pin ? 1 : 0)];
	uint32_t lvt = __atomic_load_n(entry, __ATOMIC_RELAXED);
	uint8_t mode = FIELD_GET(LVT_MODE, lvt);

	if (!apic_is_enabled(apic))
		mode = pin ? APIC_MODE_NMI : APIC_MODE_EXTINT;
	else if (lvt & LVT_MASKED)
		return;
	if (mode == APIC_MODE_FIXED)
		apic_post(apic, lvt & LVT_VECTOR, lvt & LVT_LEVEL);
	else if (mode == APIC_MODE_NMI)
		apic->ops->nmi(apic->ctx);
	else if (mode == APIC_MODE_INIT)
		apic->ops->init(apic->ctx);
}

static void lvt_write(struct apic *apic, enum apic_lvt entry, uint32_t value)
{
	value &= lvt_writable[entry];
	if (!apic_is_software_enabled(apic))
		value |= LVT_MASKED;
	apic->lvt[entry] = value;
}

/* ---- Timer ------------------------------------------------------------- */

static enum timer_mode timer_mode(const struct apic *apic)
{
	return FIELD_GET(LVT_TIMER_MODE, apic->lvt[APIC_LVT_TIMER]);
}

static uint64_t timer_period_ns(const struct apic *apic)
{
	return (uint64_t)apic->timer_initial << apic->timer_shift;
}

static void timer_stop(struct apic *apic)
{
	if (apic->timer_running || apic->tsc_deadline)
		apic->ops->timer_disarm(apic->ctx);
	apic->timer_running = false;
	apic->tsc_deadline = 0;
}

static void timer_start(struct apic *apic, uint64_t deadline_ns)
{
	apic->timer_running = true;
	apic->timer_deadline_ns = deadline_ns;
	apic->ops->timer_arm(apic->ctx, deadline_ns);
}

static uint32_t timer_current(const struct apic *apic)
{
	uint64_t now_ns, left_ns, period_ns;

	if (!apic->timer_running)
		return 0;
	now_ns = apic->ops->now_ns(apic->ctx);
	if (now_ns < apic->timer_deadline_ns) {
		left_ns = apic->timer_deadline_ns - now_ns;
	} else if (timer_mode(apic) == TIMER_PERIODIC) {
		/* Expired, but its owner has not got round to saying so. */
		period_ns = timer_period_ns(apic);
		left_ns = period_ns -
			  (now_ns - apic->timer_deadline_ns) % period_ns;
	} else {
		return 0;
	}
	return (uint32_t)(left_ns >> apic->timer_shift);
}

static void timer_initial_write(struct apic *apic, uint32_t value)
{
	enum timer_mode mode = timer_mode(apic);

	if (mode == TIMER_TSC_DEADLINE || mode == TIMER_RESERVED)
		return;
	apic->timer_initial = value;
	if (value == 0)
		timer_stop(apic);
	else
		timer_start(apic, apic->ops->now_ns(apic->ctx) +
					  timer_period_ns(apic));
}

/* A running count goes on from where it is, at its new speed. */
static void timer_divide_write(struct apic *apic, uint32_t value)
{
	uint32_t current = timer_current(apic);
	unsigned code = (value & DIVIDE_LOW) | (value & DIVIDE_HIGH ? 4 : 0);

	apic->timer_divide = value & DIVIDE_VALID;
	apic->timer_shift = (code + 1) % 8; /* 7 is divide by 1 */
	if (apic->timer_running)
		timer_start(apic,
			    apic->ops->now_ns(apic->ctx) +
				    ((uint64_t)current << apic->timer_shift));
}

static void timer_lvt_write(struct apic *apic, uint32_t value)
{
	enum timer_mode old = timer_mode(apic), new;

	lvt_write(apic, APIC_LVT_TIMER, value);
	new = timer_mode(apic);
	if ((old == TIMER_TSC_DEADLINE) != (new == TIMER_TSC_DEADLINE) ||
	    new == TIMER_RESERVED)
		timer_stop(apic);
}

void apic_timer_expired(struct apic *apic)
{
	uint64_t now_ns, deadline_ns;

	if (timer_mode(apic) == TIMER_TSC_DEADLINE) {
		if (apic->tsc_deadline == 0)
			return;
		apic->tsc_deadline = 0;
		lvt_deliver(apic, APIC_LVT_TIMER);
		return;
	}
	if (!apic->timer_running)
		return;
	now_ns = apic->ops->now_ns(apic->ctx);
	deadline_ns = apic->timer_deadline_ns;
	if (now_ns < deadline_ns) {
		timer_start(apic, deadline_ns);
		return;
	}
	if (timer_mode(apic) == TIMER_PERIODIC) {
		/* Ticks missed meanwhile are lost, as with one pending bit. */
		uint64_t period_ns = MAX(timer_period_ns(apic), PERIOD_MIN_NS);

		deadline_ns += period_ns;
		if (deadline_ns <= now_ns)
			deadline_ns = now_ns + period_ns;
		timer_start(apic, deadline_ns);
	} else {
		apic->timer_running = false;
	}
	lvt_deliver(apic, APIC_LVT_TIMER);
}

static void tsc_deadline_write(struct apic *apic, uint64_t value)
{
	if (timer_mode(apic) != TIMER_TSC_DEADLINE)
		return;
	apic->tsc_deadline = value;
	if (value)
		apic->ops->timer_arm_tsc(apic->ctx, value);
	else
		apic->ops->timer_disarm(apic->ctx);
}

/* ---- The command register --------------------------------------------- */

static uint64_t icr_read(struct apic *apic)
{
	return (uint64_t)*apic_page_word(apic, APIC_REG_ICR_HIGH) << 32 |
	       *apic_page_word(apic, APIC_REG_ICR);
}

static void icr_send(struct apic *apic)
{
	uint64_t icr = icr_read(apic);
	struct apic_message message = {
		.vector = FIELD_GET(ICR_VECTOR, icr),
		.mode = FIELD_GET(ICR_MODE, icr),
		.shorthand = FIELD_GET(ICR_SHORTHAND, icr),
		.is_logical = icr & ICR_LOGICAL,
		/* Other modes than INIT are edges whatever the ICR says. */
		.is_deassert = icr & ICR_LEVEL && !(icr & ICR_ASSERT),
	};
	bool is_fixed = message.mode == APIC_MODE_FIXED ||
			message.mode == APIC_MODE_LOWEST;

	if (is_fixed && message.vector < APIC_VECTOR_FIRST) {
		apic_error_raise(apic, ESR_SEND_VECTOR);
		return;
	}
	if (is_fixed && message.shorthand == APIC_TO_SELF) {
		if (apic_is_software_enabled(apic))
			apic_accept(apic, message.vector, false);
		return;
	}
	if (apic_is_x2apic(apic)) {
		message.destination = FIELD_GET(ICR_X2APIC_DEST, icr);
	} else {
		message.destination = FIELD_GET(ICR_XAPIC_DEST, icr);
		if (message.destination == APIC_XAPIC_BROADCAST)
			message.destination = APIC_BROADCAST;
	}
	apic->ops->send(apic->ctx, &message);
}

/* ---- Registers --------------------------------------------------------- */

#define NO_REGISTER (-1)

/* NO_REGISTER: none to read in this mode. */
static int64_t register_read(struct apic *apic, unsigned reg)
{
	switch (reg) {
	case APIC_REG_ID:
		return apic_is_x2apic(apic) ? apic->id : apic->id << 24;
	case APIC_REG_VERSION:
		return VERSION_VALUE;
	case APIC_REG_TPR:
		return apic->tpr;
	case APIC_REG_PPR:
		return apic->ppr;
	case APIC_REG_LDR:
		return apic->ldr;
	case APIC_REG_SVR:
		return apic->svr;
	case APIC_REG_ISR ... APIC_REG_IRR + 7: /* and TMR between them */
		if (apic->has_posted)
			apic_posted_merge(apic);
		return *apic_page_word(apic, reg);
	case APIC_REG_ICR:
		return *apic_page_word(apic, reg);
	case APIC_REG_ESR:
		return apic->esr;
	case APIC_REG_LVT_TIMER ... APIC_REG_LVT_ERROR:
		return apic->lvt[reg - APIC_REG_LVT_TIMER];
	case APIC_REG_TIMER_INITIAL:
		return apic->timer_initial;
	case APIC_REG_TIMER_CURRENT:
		return timer_current(apic);
	case APIC_REG_TIMER_DIVIDE:
		return apic->timer_divide;
	}
	return NO_REGISTER;
}

/* And those that only the page has. */
static int64_t page_register_read(struct apic *apic, unsigned reg)
{
	int64_t value = register_read(apic, reg);

	if (likely(value != NO_REGISTER))
		return value;
	switch (reg) {
	case APIC_REG_APR:
		return apic->ppr;
	case APIC_REG_EOI: /* write-only and retired ones read as zero */
	case APIC_REG_RRD:
		return 0;
	case APIC_REG_DFR:
		return apic->dfr;
	case APIC_REG_ICR_HIGH:
		return *apic_page_word(apic, reg);
	}
	return NO_REGISTER;
}

/* Disabled or in x2APIC mode nobody answers there. */
static bool has_page(const struct apic *apic)
{
	return (apic->base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) ==
	       APIC_BASE_ENABLE;
}

/*
 * What a processor is to read by itself.  ISR, TMR and IRR are nowhere but in
 * the page, and other CPUs change TMR there: what was read must not be written
 * back.
 */
static void page_show(struct apic *apic, unsigned reg)
{
	int64_t value;

	if (reg >= APIC_REG_ISR && reg < APIC_REG_ESR)
		return;
	value = page_register_read(apic, reg);
	if (value != NO_REGISTER)
		*apic_page_word(apic, reg) = (uint32_t)value;
}

static void mode_update(struct apic *apic)
{
	struct vendor_apic *shared = &apic->shared;
	bool is_virtual = shared->can_be_virtual && has_page(apic) &&
			  apic->svr & APIC_SVR_ENABLE;

	if (is_virtual == shared->is_virtual)
		return;
	shared->is_virtual = is_virtual;
	for (unsigned reg = 0; reg < APIC_REG_COUNT; reg++)
		page_show(apic, reg);
}

static void svr_write(struct apic *apic, uint32_t value)
{
	apic->svr = value & (SVR_VECTOR | APIC_SVR_ENABLE | SVR_FOCUS);
	mode_update(apic);
	apic->ops->changed(apic->ctx);
	if (apic->svr & APIC_SVR_ENABLE)
		return;
	for (unsigned i = 0; i < APIC_LVT_COUNT; i++)
		apic->lvt[i] |= LVT_MASKED;
}

/* False: no such writable register in this mode. */
static bool register_write(struct apic *apic, unsigned reg, uint32_t value)
{
	switch (reg) {
	case APIC_REG_TPR:
		apic_tpr_set(apic, (uint8_t)value);
		return true;
	case APIC_REG_EOI:
		apic_eoi(apic);
		return true;
	case APIC_REG_SVR:
		svr_write(apic, value);
		return true;
	case APIC_REG_ESR:
		apic->esr = apic->esr_pending;
		apic->esr_pending = 0;
		return true;
	case APIC_REG_LVT_TIMER:
		timer_lvt_write(apic, value);
		return true;
	case APIC_REG_LVT_THERMAL ... APIC_REG_LVT_ERROR:
		lvt_write(apic, reg - APIC_REG_LVT_TIMER, value);
		return true;
	case APIC_REG_TIMER_INITIAL:
		timer_initial_write(apic, value);
		return true;
	case APIC_REG_TIMER_DIVIDE:
		timer_divide_write(apic, value);
		return true;
	}
	return false;
}

static bool page_register_write(struct apic *apic, unsigned reg, uint32_t value)
{
	switch (reg) {
	case APIC_REG_ID: /* fixed, as on current processors */
		return true;
	case APIC_REG_LDR:
		apic->ldr = value & APIC_LDR_XAPIC;
		apic->ops->changed(apic->ctx);
		return true;
	case APIC_REG_DFR:
		apic->dfr = value | ~(uint32_t)APIC_DFR_MODEL;
		apic->ops->changed(apic->ctx);
		return true;
	case APIC_REG_ICR:
		*apic_page_word(apic, reg) = value & ICR_LOW_VALID;
		icr_send(apic);
		return true;
	case APIC_REG_ICR_HIGH:
		*apic_page_word(apic, reg) = value & (ICR_XAPIC_DEST >> 32);
		return true;
	}
	return false;
}

uint32_t apic_mmio_read(struct apic *apic, uint32_t offset)
{
	unsigned reg = (offset & 0xff0) >> 4, byte = offset & 0xf;
	int64_t value;

	if (unlikely(!has_page(apic)))
		return ~0U;
	if (byte >= sizeof(uint32_t))
		return 0;
	value = page_register_read(apic, reg);
	if (unlikely(value == NO_REGISTER)) {
		apic_error_raise(apic, ESR_REGISTER);
		return 0;
	}
	return (uint32_t)value >> byte * 8;
}

void apic_mmio_write(struct apic *apic, uint32_t offset, uint32_t value)
{
	unsigned reg = (offset & 0xff0) >> 4;

	if (offset & 0xf || unlikely(!has_page(apic)))
		return;
	if (!register_write(apic, reg, value) &&
	    !page_register_write(apic, reg, value))
		apic_error_raise(apic, ESR_REGISTER);
	if (unlikely(apic->shared.is_virtual))
		page_show(apic, reg);
}

void apic_page_written(struct apic *apic, uint32_t offset)
{
	offset &= 0xff0;
	apic_mmio_write(apic, offset, *apic_page_word(apic, offset >> 4));
}

/* ---- MSRs -------------------------------------------------------------- */

static int x2apic_write(struct apic *apic, unsigned reg, uint64_t value)
{
	switch (reg) {
	case APIC_REG_SELF_IPI:
		if (value & ~ICR_VECTOR)
			return -EINVAL;
		if (value < APIC_VECTOR_FIRST)
			apic_error_raise(apic, ESR_SEND_VECTOR);
		else if (apic_is_software_enabled(apic))
			apic_accept(apic, (uint8_t)value, false);
		return 0;
	case APIC_REG_ICR:
		if (value & ~(ICR_LOW_VALID | ICR_STATUS | ICR_X2APIC_DEST))
			return -EINVAL;
		*apic_page_word(apic, APIC_REG_ICR) =
			(uint32_t)(value & ~ICR_STATUS);
		*apic_page_word(apic, APIC_REG_ICR_HIGH) =
			(uint32_t)(value >> 32);
		icr_send(apic);
		return 0;
	case APIC_REG_EOI:
	case APIC_REG_ESR:
		if (value)
			return -EINVAL;
		break;
	case APIC_REG_TPR:
		if (value > 0xff)
			return -EINVAL;
		break;
	default:
		if (value >> 32)
			return -EINVAL;
		break;
	}
	return register_write(apic, reg, (uint32_t)value) ? 0 : -EINVAL;
}

static int base_write(struct apic *apic, uint64_t value)
{
	uint64_t old = apic->base, page = MASK(apic->phys_bits - 1, PAGE_SHIFT);
	bool enable = value & APIC_BASE_ENABLE;
	bool x2apic = value & APIC_BASE_X2APIC;

	if (value &
	    ~(page | APIC_BASE_BSP | APIC_BASE_X2APIC | APIC_BASE_ENABLE))
		return -EINVAL;
	if (x2apic && (!enable || !(old & APIC_BASE_ENABLE)))
		return -EINVAL;
	if (!x2apic && enable && old & APIC_BASE_X2APIC)
		return -EINVAL;
	value = (value & ~APIC_BASE_BSP) | (old & APIC_BASE_BSP);
	if (value == old)
		return 0;
	apic->base = value;
	if (!enable && old & APIC_BASE_ENABLE)
		apic_reset_init(apic);
	if (x2apic && !(old & APIC_BASE_X2APIC)) {
		apic->ldr = (apic->id >> 4) << 16 | BIT(apic->id & 0xf);
		*apic_page_word(apic, APIC_REG_ICR_HIGH) = 0;
	}
	mode_update(apic);
	apic->ops->changed(apic->ctx);
	return 0;
}

int apic_msr_read(struct apic *apic, uint32_t msr, uint64_t *value)
{
	unsigned reg = msr - MSR_X2APIC_FIRST;
	int64_t low;

	if (likely(msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)) {
		if (!apic_is_x2apic(apic))
			return -EINVAL;
		if (reg == APIC_REG_ICR) {
			*value = icr_read(apic);
			return 0;
		}
		low = register_read(apic, reg);
		*value = (uint64_t)low;
		return low == NO_REGISTER ? -EINVAL : 0;
	}
	switch (msr) {
	case MSR_APIC_BASE:
		*value = apic->base;
		return 0;
	case MSR_TSC_DEADLINE:
		*value = apic->tsc_deadline;
		return 0;
	}
	return -EINVAL;
}

int apic_msr_write(struct apic *apic, uint32_t msr, uint64_t value)
{
	if (likely(msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST)) {
		if (!apic_is_x2apic(apic))
			return -EINVAL;
		return x2apic_write(apic, msr - MSR_X2APIC_FIRST, value);
	}
	switch (msr) {
	case MSR_TSC_DEADLINE:
		tsc_deadline_write(apic, value);
		return 0;
	case MSR_APIC_BASE:
		return base_write(apic, value);
	}
	return -EINVAL;
}

/* ---- Reset ------------------------------------------------------------- */

void apic_reset_init(struct apic *apic)
{
	timer_stop(apic);
	memset(apic->shared.page, 0, PAGE_SIZE);
	for (unsigned i = 0; i < APIC_VECTOR_WORDS; i++)
		__atomic_store_n(&apic->posted[i], 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&apic->has_posted, 0, __ATOMIC_SEQ_CST);
	apic->irr_highest = 0;
	apic->isr_highest = 0;
	apic->tpr = 0;
	apic->ppr = 0;
	apic->dfr = DFR_DEFAULT;
	apic->svr = SVR_DEFAULT;
	apic->esr = 0;
	apic->esr_pending = 0;
	for (unsigned i = 0; i < APIC_LVT_COUNT; i++)
		apic->lvt[i] = LVT_MASKED;
	apic->timer_initial = 0;
	apic->timer_divide = 0;
	apic->timer_shift = 1;
	/* In x2APIC mode it follows from the id. */
	if (!apic_is_x2apic(apic))
		apic->ldr = 0;
	mode_update(apic);
}

void apic_reset(struct apic *apic)
{
	bool is_bsp = apic->base & APIC_BASE_BSP;

	apic->base = APIC_DEFAULT_GPA | APIC_BASE_ENABLE |
		     (is_bsp ? APIC_BASE_BSP : 0);
	apic_reset_init(apic);
	/* Firmware expects the 8259 pair to reach the boot processor. */
	if (is_bsp)
		apic->lvt[APIC_LVT_LINT0] =
			FIELD_PUT(LVT_MODE, APIC_MODE_EXTINT);
}

void apic_init(struct apic *apic, uint32_t id, bool is_bsp, uint8_t phys_bits,
	       const struct apic_ops *ops, void *ctx)
{
	*apic = (struct apic){
		.shared.page = apic->shared.page,
		.id = id,
		.phys_bits = phys_bits,
		.ops = ops,
		.ctx = ctx,
		.base = is_bsp ? APIC_BASE_BSP : 0,
	};
	apic_reset(apic);
}
