/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vectors that a local APIC has requested and in service, their priorities
 * and trigger modes.
 *
 * They are 256-bit sets with their highest members cached, so that asking for
 * the next interrupt is two loads and a comparison; a set is only searched when
 * its highest member leaves.  They are kept in the register page, where some
 * processors let the guest read them by itself.
 *
 * References: SDM volume 3, "Task and Processor Priorities", "Interrupt
 * Acceptance for Fixed Interrupts".
 */
#include "cpumodel/apic.h"

static inline uint32_t vector_bit(uint8_t vector)
{
	return 1U << vector % 32;
}

/* set: the number of its first register. */
static inline uint32_t *vector_word(struct apic *apic, unsigned set,
				    uint8_t vector)
{
	return apic_page_word(apic, set + vector / 32);
}

/* The highest member below the end of that word which holds vector; or 0. */
static uint8_t set_highest(struct apic *apic, unsigned set, uint8_t vector)
{
	const uint32_t *word = vector_word(apic, set, vector);

	for (vector |= 31; !*word; word -= 4, vector -= 32)
		if (vector == 31)
			return 0;
	return vector - (uint8_t)__builtin_clz(*word);
}

/* ---- Priorities and acceptance ----------------------------------------- */

static void ppr_update(struct apic *apic)
{
	uint8_t tpr = apic->tpr;
	uint8_t in_service = apic->isr_highest & 0xf0;

	apic->ppr = (tpr & 0xf0) >= in_service ? tpr : in_service;
}

void apic_tpr_set(struct apic *apic, uint8_t tpr)
{
	apic->tpr = tpr;
	ppr_update(apic);
}

/* The trigger mode has to be there before the request is. */
static inline void tmr_set(struct apic *apic, uint8_t vector, bool is_level)
{
	uint32_t *word = vector_word(apic, APIC_REG_TMR, vector);
	bool was_level =
		__atomic_load_n(word, __ATOMIC_RELAXED) & vector_bit(vector);

	if (likely(was_level == is_level))
		return;
	if (is_level)
		__atomic_fetch_or(word, vector_bit(vector), __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(word, ~vector_bit(vector), __ATOMIC_SEQ_CST);
}

void apic_accept(struct apic *apic, uint8_t vector, bool is_level)
{
	if (unlikely(vector < APIC_VECTOR_FIRST)) {
		apic_error_raise(apic, APIC_ESR_RECEIVE_VECTOR);
		return;
	}
	tmr_set(apic, vector, is_level);
	*vector_word(apic, APIC_REG_IRR, vector) |= vector_bit(vector);
	if (vector > apic->irr_highest)
		apic->irr_highest = vector;
}

void apic_post(struct apic *apic, uint8_t vector, bool is_level)
{
	/* A vector below 16 is posted too: the owner reports it in its ESR. */
	tmr_set(apic, vector, is_level);
	__atomic_fetch_or(&apic->posted[vector / 64], BIT(vector % 64),
			  __ATOMIC_SEQ_CST);
	__atomic_store_n(&apic->has_posted, 1, __ATOMIC_SEQ_CST);
	apic->ops->kick(apic->ctx);
}

void apic_posted_merge(struct apic *apic)
{
	__atomic_store_n(&apic->has_posted, 0, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < APIC_VECTOR_WORDS; i++) {
		uint64_t posted;

		if (!__atomic_load_n(&apic->posted[i], __ATOMIC_RELAXED))
			continue;
		posted = __atomic_exchange_n(&apic->posted[i], 0,
					     __ATOMIC_SEQ_CST);
		if (i == 0 && posted & MASK(APIC_VECTOR_FIRST - 1, 0)) {
			posted &= ~MASK(APIC_VECTOR_FIRST - 1, 0);
			apic_error_raise(apic, APIC_ESR_RECEIVE_VECTOR);
			if (!posted)
				continue;
		}
		*apic_page_word(apic, APIC_REG_IRR + 2 * i) |= (uint32_t)posted;
		*apic_page_word(apic, APIC_REG_IRR + 2 * i + 1) |= posted >> 32;
		apic->irr_highest =
			MAX(apic->irr_highest,
			    i * 64 + 63 - (unsigned)__builtin_clzll(posted));
	}
}

uint8_t apic_take(struct apic *apic)
{
	uint8_t vector = apic->irr_highest;

	*vector_word(apic, APIC_REG_IRR, vector) &= ~vector_bit(vector);
	apic->irr_highest = set_highest(apic, APIC_REG_IRR, vector);
	*vector_word(apic, APIC_REG_ISR, vector) |= vector_bit(vector);
	apic->isr_highest = MAX(apic->isr_highest, vector);
	ppr_update(apic);
	return vector;
}

void apic_eoi(struct apic *apic)
{
	uint8_t vector = apic->isr_highest;
	uint32_t *word;

	if (vector == 0)
		return;
	*vector_word(apic, APIC_REG_ISR, vector) &= ~vector_bit(vector);
	apic->isr_highest = set_highest(apic, APIC_REG_ISR, vector);
	ppr_update(apic);
	word = vector_word(apic, APIC_REG_TMR, vector);
	if (unlikely(__atomic_load_n(word, __ATOMIC_RELAXED) &
		     vector_bit(vector)))
		apic->ops->eoi_level(apic->ctx, vector);
}
