/* SPDX-License-Identifier: BSD-2-Clause */
/* An 8259 pair's output as an offer in the gate page: machine/extint.h. */
#include "machine/extint.h"

#define MASTER_COMMAND 0x20
#define EOI	       0x20
#define EOI_SPECIFIC   0x60 /* and the pin */

/* Ends after the first find nothing in service: they need not be done. */
#define ENDS_MAX 2

static void posts_disable(struct extint *extint)
{
	if (!extint->is_posting)
		return;
	extint->is_posting = false;
	for (unsigned i = 0; i < GATE_POSTS; i++)
		__atomic_store_n(&extint->page->post[i].enabled, false,
				 __ATOMIC_SEQ_CST);
}

/* What the monitor has counted since the last time, done or dropped. */
static void posts_take(struct extint *extint, bool is_done)
{
	for (unsigned i = 0; i < GATE_POSTS; i++) {
		const struct gate_post *post = &extint->page->post[i];
		uint32_t count =
			__atomic_load_n(&post->count, __ATOMIC_SEQ_CST);
		uint32_t ends = count - extint->seen[i];

		extint->seen[i] = count;
		for (ends = MIN(ends, ENDS_MAX); is_done && ends; ends--)
			pic_master_command(extint->pic, extint->value[i]);
	}
}

void extint_withdraw(struct extint *extint)
{
	uint32_t was;

	if (extint->is_withdrawn && !extint_is_behind(extint))
		return;
	extint->is_withdrawn = true;
	posts_disable(extint);
	was = __atomic_exchange_n(&extint->page->extint, 0, __ATOMIC_SEQ_CST);
	if (was & GATE_EXTINT_TAKEN)
		(void)pic_ack(extint->pic);
	posts_take(extint, true);
}

void extint_drop(struct extint *extint)
{
	extint->is_withdrawn = true;
	posts_disable(extint);
	__atomic_store_n(&extint->page->extint, 0, __ATOMIC_SEQ_CST);
	posts_take(extint, false);
}

static void posts_enable(struct extint *extint, unsigned pin)
{
	struct gate_post *post = extint->page->post;

	extint->value[1] = (uint8_t)(EOI_SPECIFIC + pin);
	extint->is_posting = true;
	for (unsigned i = 0; i < GATE_POSTS; i++) {
		post[i].port = MASTER_COMMAND;
		post[i].value = extint->value[i];
		__atomic_store_n(&post[i].enabled, true, __ATOMIC_SEQ_CST);
	}
}

bool extint_offer(struct extint *extint, bool is_vcpu0)
{
	uint32_t offer = GATE_EXTINT_KNOWN;
	struct pic_peek peek;

	pic_peek(extint->pic, &peek);
	if (peek.vector >= 0)
		offer |= GATE_EXTINT_LEVEL | (uint32_t)peek.vector |
			 (peek.has_more ? GATE_EXTINT_MORE : 0);
	extint->is_withdrawn = false;
	__atomic_store_n(&extint->page->extint, offer, __ATOMIC_SEQ_CST);
	if (is_vcpu0 && peek.postponable_pin >= 0)
		posts_enable(extint, (unsigned)peek.postponable_pin);
	return !is_vcpu0;
}

static bool is_count_new(const struct extint *extint, unsigned i)
{
	return __atomic_load_n(&extint->page->post[i].count,
			       __ATOMIC_SEQ_CST) != extint->seen[i];
}

bool extint_is_behind(const struct extint *extint)
{
	const uint32_t more = GATE_EXTINT_TAKEN | GATE_EXTINT_MORE;
	uint32_t now = __atomic_load_n(&extint->page->extint, __ATOMIC_SEQ_CST);

	return (now & more) == more || is_count_new(extint, 0) ||
	       is_count_new(extint, 1);
}

static void catch_up(void *ctx)
{
	extint_withdraw(ctx);
}

void extint_init(struct extint *extint, struct pic *pic, struct gate_page *page)
{
	*extint = (struct extint){ .pic = pic, .page = page };
	pic->catch_up = catch_up;
	pic->catch_up_ctx = extint;
	for (unsigned i = 0; i < GATE_POSTS; i++) {
		page->post[i].enabled = false;
		extint->value[i] = EOI;
		extint->seen[i] = page->post[i].count;
	}
	extint->is_withdrawn = true;
}
