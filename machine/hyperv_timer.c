/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Synthetic timers, and the messages that they send: see hyperv.h.  Ticks of a
 * periodic one that were missed are not made up for, lazy or not: the next is
 * at the next multiple of its period, which is at least PERIOD_LEAST.
 *
 * Reference: TLFS, "Timers", "Virtual Interrupt Controller".
 */
#include "machine/hyperv.h"

#include "include/errno.h"

/* In 100 ns.  A guest that asks for less has a slower one. */
#define PERIOD_LEAST 1000ULL /* 100 us */
/* As far away as a deadline is told to the clock: years. */
#define DELTA_MOST   (1ULL << 56)

#define CONFIG_DEFINED                                            \
	(HV_STIMER_ENABLE | HV_STIMER_PERIODIC | HV_STIMER_LAZY | \
	 HV_STIMER_AUTO | HV_STIMER_VECTOR | HV_STIMER_DIRECT |   \
	 HV_STIMER_SINT)
#define VECTOR_FIRST 16

#define MESSAGE_SIZE	256
#define MESSAGE_PENDING BIT(0) /* .flags */
#define MESSAGE_TIMER	0x80000010
#define SCONTROL_ENABLE BIT(0)

struct message {
	uint32_t type; /* 0: the slot is free */
	uint8_t size;
	uint8_t flags;
	uint16_t reserved;
	uint64_t sender;
	uint32_t timer;
	uint32_t reserved1;
	uint64_t expired, delivered;
};
ASSERT_SIZE(struct message, 40);
#define MESSAGE_HEADER 16

static struct hyperv_timer_state *state_of(const struct hyperv_timer *timer)
{
	return &timer->hv->state.vp[timer->vp].timer[timer->index];
}

/* ---- Messages -------------------------------------------------------------
 */

/* The slot of the VP's messages for that interrupt; NULL: it has none. */
static volatile struct message *slot_of(struct hyperv *hv, unsigned vp,
					unsigned sint)
{
	struct hyperv_vp_state *s = &hv->state.vp[vp];

	if (!(s->scontrol & SCONTROL_ENABLE) || !(s->simp & HV_PAGE_ENABLE))
		return NULL;
	return (volatile struct message *)(hyperv_overlay_bytes(hv,
								&s->simp_page) +
					   sint * MESSAGE_SIZE);
}

/* The guest reads .type first: it is written last. */
static void message_write(volatile struct message *slot, unsigned timer,
			  uint64_t expired, uint64_t now)
{
	slot->size = sizeof(*slot) - MESSAGE_HEADER;
	slot->flags = 0;
	slot->reserved = 0;
	slot->sender = 0;
	slot->timer = timer;
	slot->reserved1 = 0;
	slot->expired = expired;
	slot->delivered = now;
	__atomic_store_n(&slot->type, MESSAGE_TIMER, __ATOMIC_SEQ_CST);
}

static void post(struct hyperv_timer *timer)
{
	struct hyperv *hv = timer->hv;
	struct hyperv_timer_state *s = state_of(timer);
	unsigned sint = (unsigned)FIELD_GET(HV_STIMER_SINT, s->config);
	uint64_t how = hv->state.vp[timer->vp].sint[sint];
	volatile struct message *slot = slot_of(hv, timer->vp, sint);

	s->is_pending = false;
	if (!slot)
		return;
	if (__atomic_load_n(&slot->type, __ATOMIC_SEQ_CST)) {
		s->is_pending = true;
		slot->flags |= MESSAGE_PENDING;
		/* Taken out before it could see that: no EOM will come. */
		if (__atomic_load_n(&slot->type, __ATOMIC_SEQ_CST))
			return;
		s->is_pending = false;
	}
	message_write(slot, timer->index, s->expires, hyperv_reference(hv));
	if (!(how & HV_SINT_MASKED))
		hv->ops->interrupt(hv->ctx, timer->vp,
				   (uint8_t)FIELD_GET(HV_SINT_VECTOR, how));
}

void hyperv_message_end(struct hyperv *hv, unsigned vp)
{
	for (unsigned i = 0; i < HYPERV_TIMERS; i++)
		if (hv->state.vp[vp].timer[i].is_pending)
			post(&hv->timer[vp][i]);
}

/* ---- Time -----------------------------------------------------------------
 */

/* In the future, as the clock wants it of a timer that is armed again. */
static void arm(struct hyperv_timer *timer)
{
	struct hyperv *hv = timer->hv;
	uint64_t now = hyperv_reference(hv), expires = state_of(timer)->expires;
	uint64_t delta = expires > now ? MIN(expires - now, DELTA_MOST) : 1;

	clock_timer_arm(hv->clock, &timer->clock,
			clock_now(hv->clock) + delta * 100);
}

static uint64_t period_of(const struct hyperv_timer_state *s)
{
	return MIN(MAX(s->count, PERIOD_LEAST), DELTA_MOST);
}

static void fire(struct hyperv_timer *timer)
{
	struct hyperv *hv = timer->hv;
	uint64_t config = state_of(timer)->config;

	if (config & HV_STIMER_DIRECT)
		hv->ops->interrupt(
			hv->ctx, timer->vp,
			(uint8_t)FIELD_GET(HV_STIMER_VECTOR, config));
	else
		post(timer);
}

static void expired(void *dev)
{
	struct hyperv_timer *timer = dev;
	struct hyperv_timer_state *s = state_of(timer);
	uint64_t now = hyperv_reference(timer->hv), period = period_of(s);

	/* The clock's nanoseconds and the TSC's are rounded each for itself. */
	if (now < s->expires) {
		arm(timer);
		return;
	}
	fire(timer);
	if (!(s->config & HV_STIMER_PERIODIC)) {
		s->config &= ~HV_STIMER_ENABLE;
		return;
	}
	s->expires += ((now - s->expires) / period + 1) * period;
	arm(timer);
}

static void start(struct hyperv_timer *timer)
{
	struct hyperv_timer_state *s = state_of(timer);

	clock_timer_disarm(timer->hv->clock, &timer->clock);
	s->is_pending = false;
	if (!(s->config & HV_STIMER_ENABLE) || !s->count)
		return;
	s->expires = s->count;
	if (s->config & HV_STIMER_PERIODIC)
		s->expires = hyperv_reference(timer->hv) + period_of(s);
	arm(timer);
}

/* ---- Registers ------------------------------------------------------------
 */

void hyperv_timer_read(const struct hyperv *hv, unsigned vp, unsigned n,
		       uint64_t *value)
{
	const struct hyperv_timer_state *s = &hv->state.vp[vp].timer[n / 2];

	*value = n & 1 ? s->count : s->config;
}

/* One that would send to interrupt 0 cannot be enabled. */
static bool has_target(uint64_t config)
{
	return config & HV_STIMER_DIRECT
		       ? FIELD_GET(HV_STIMER_VECTOR, config) >= VECTOR_FIRST
		       : config & HV_STIMER_SINT;
}

static int config_write(struct hyperv_timer_state *s, uint64_t value)
{
	if (value & HV_STIMER_DIRECT && value & HV_STIMER_ENABLE &&
	    !has_target(value))
		return -EINVAL;
	s->config = value & CONFIG_DEFINED;
	if (!has_target(value))
		s->config &= ~HV_STIMER_ENABLE;
	return 0;
}

static void count_write(struct hyperv_timer_state *s, uint64_t value)
{
	s->count = value;
	if (!value)
		s->config &= ~HV_STIMER_ENABLE;
	else if (s->config & HV_STIMER_AUTO && has_target(s->config))
		s->config |= HV_STIMER_ENABLE;
}

bool hyperv_timers_are_valid(const struct hyperv_vp_state *s)
{
	for (unsigned i = 0; i < HYPERV_TIMERS; i++) {
		uint64_t config = s->timer[i].config;

		if (config & ~CONFIG_DEFINED ||
		    (config & HV_STIMER_ENABLE && !has_target(config)))
			return false;
	}
	return true;
}

int hyperv_timer_write(struct hyperv *hv, unsigned vp, unsigned n,
		       uint64_t value)
{
	struct hyperv_timer *timer = &hv->timer[vp][n / 2];
	int error = 0;

	if (n & 1)
		count_write(state_of(timer), value);
	else
		error = config_write(state_of(timer), value);
	if (!error)
		start(timer);
	return error;
}

void hyperv_timers_init(struct hyperv *hv, unsigned vp)
{
	for (unsigned i = 0; i < HYPERV_TIMERS; i++) {
		struct hyperv_timer *timer = &hv->timer[vp][i];

		timer->hv = hv;
		timer->vp = (uint8_t)vp;
		timer->index = (uint8_t)i;
		device_timer_init(&hv->device, hv->clock, &timer->clock,
				  expired, timer,
				  &hv->state.vp[vp].timer[i].deadline_ns);
	}
}
