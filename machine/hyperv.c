/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID leaves, overlay pages and MSRs: see hyperv.h.
 *
 * Reference: TLFS, "Feature and Interface Discovery", "Partition Properties",
 * "Hypercall Interface", "Timers", "Virtual Interrupt Controller", "Guest Crash
 * Enlightenment".
 */
#include "machine/hyperv.h"

#include "devices/state.h"
#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define REFERENCE_HZ 10000000ULL

#define PAGE_GPA	 MASK(63, 12)
#define RESET_NOW	 BIT(0)
#define SYNIC_VERSION	 1
#define SCONTROL_DEFINED BIT(0)
#define SINT_DEFINED	 (HV_SINT_VECTOR | MASK(18, 16)) /* auto EOI, polling */
#define VECTOR_FIRST	 16

#define CRASH_TEXT_MAX 4000 /* bytes of a message that are looked at */
#define CRASH_LINE     120
#define CRASH_LINES    48

/* ---- CPUID ----------------------------------------------------------------
 */

#define LEAVES_LAST 0x40000006

/* Of 40000003h. */
#define A_RUNTIME   BIT(0)
#define A_REF_COUNT BIT(1)
#define A_SYNIC	    BIT(2)
#define A_TIMERS    BIT(3)
#define A_APIC	    BIT(4) /* EOI, ICR, TPR, assist page */
#define A_HYPERCALL BIT(5)
#define A_VP_INDEX  BIT(6)
#define A_RESET	    BIT(7)
#define A_REF_TSC   BIT(9)
#define A_FREQUENCY BIT(11)
#define D_PARTITION BIT(3) /* processors may come and go: none does */
#define D_XMM_INPUT BIT(4)
#define D_FREQUENCY BIT(8)
#define D_CRASH	    BIT(10)
#define D_DIRECT    BIT(19)

/* Of 40000004h. */
#define H_LOCAL_FLUSH  BIT(1)
#define H_REMOTE_FLUSH BIT(2)
#define H_APIC_MSRS    BIT(3)
#define H_RELAXED      BIT(5)
#define H_NO_AUTO_EOI  BIT(9)
#define H_CLUSTER_IPI  BIT(10)
#define SPIN_FOREVER   UINT32_MAX /* tries before a hypercall says so */

void hyperv_cpuid(struct cpuid_table *table, unsigned vps, uint8_t phys_bits)
{
	/* clang-format off */
	const struct cpuid_regs leaf[] = {
		/* "Microsoft Hv", the interface that its software looks for. */
		{ LEAVES_LAST, 0x7263694d, 0x666f736f, 0x76482074 },
		{ 0x31237648, 0, 0, 0 }, /* "Hv#1" */
		{ 14393, 0x000a0000, 0, 0 }, /* the version this is like: 10.0 */
		{ A_RUNTIME | A_REF_COUNT | A_SYNIC | A_TIMERS | A_APIC |
		  A_HYPERCALL | A_VP_INDEX | A_RESET | A_REF_TSC | A_FREQUENCY,
		  0, 0,
		  D_PARTITION | D_XMM_INPUT | D_FREQUENCY | D_CRASH | D_DIRECT },
		{ H_LOCAL_FLUSH | H_REMOTE_FLUSH | H_APIC_MSRS | H_RELAXED |
		  H_NO_AUTO_EOI | H_CLUSTER_IPI, SPIN_FOREVER, phys_bits, 0 },
		{ vps, vps, 0, 0 },
		{ 0, 0, 0, 0 },
	};
	/* clang-format on */

	for (unsigned i = 0; i < ARRAY_SIZE(leaf); i++)
		table->hypervisor[i].regs = leaf[i];
}

/* ---- Overlays -------------------------------------------------------------
 */

#define OVERLAYS(hv) (2 + 3 * (hv)->vps)

static struct hyperv_overlay *overlay_at(struct hyperv *hv, unsigned i)
{
	struct hyperv_state *s = &hv->state;
	struct hyperv_vp_state *vp;

	if (i < 2)
		return i ? &s->tsc_page : &s->hypercall_page;
	vp = &s->vp[(i - 2) / 3];
	switch ((i - 2) % 3) {
	case 0:
		return &vp->assist_page;
	case 1:
		return &vp->siefp_page;
	default:
		return &vp->simp_page;
	}
}

static void exchange(uint8_t *ram, uint8_t *page)
{
	for (unsigned i = 0; i < PAGE_SIZE; i += sizeof(uint64_t)) {
		uint64_t a, b;

		memcpy(&a, ram + i, sizeof(a));
		memcpy(&b, page + i, sizeof(b));
		memcpy(ram + i, &b, sizeof(b));
		memcpy(page + i, &a, sizeof(a));
	}
}

static struct hyperv_overlay *find(struct hyperv *hv, gpa_t gpa, bool shown)
{
	for (unsigned i = 0; i < OVERLAYS(hv); i++) {
		struct hyperv_overlay *o = overlay_at(hv, i);

		if (o->is_on && o->gpa == gpa && o->is_shown == shown)
			return o;
	}
	return NULL;
}

static void toggle(struct hyperv *hv, struct hyperv_overlay *o)
{
	uint8_t *ram = hv->ops->page(hv->ctx, o->gpa);

	if (ram)
		exchange(ram, o->page);
	o->is_shown = ram && !o->is_shown;
}

static void hide(struct hyperv *hv, struct hyperv_overlay *o)
{
	struct hyperv_overlay *next;

	if (!o->is_on)
		return;
	o->is_on = false;
	if (!o->is_shown)
		return;
	toggle(hv, o);
	next = find(hv, o->gpa, false);
	if (next)
		toggle(hv, next);
}

/* -EINVAL: there is no RAM. */
static int show(struct hyperv *hv, struct hyperv_overlay *o, gpa_t gpa)
{
	if (!hv->ops->page(hv->ctx, gpa))
		return -EINVAL;
	if (o->is_on && o->gpa == gpa)
		return 0;
	hide(hv, o);
	o->gpa = gpa;
	o->is_on = true;
	o->is_shown = false;
	if (!find(hv, gpa, true))
		toggle(hv, o);
	return 0;
}

uint8_t *hyperv_overlay_bytes(struct hyperv *hv, struct hyperv_overlay *o)
{
	uint8_t *ram = o->is_shown ? hv->ops->page(hv->ctx, o->gpa) : NULL;

	return ram ? ram : o->page;
}

/* A register that says where an overlay is, if anywhere. */
static int place(struct hyperv *hv, struct hyperv_overlay *o, uint64_t *reg,
		 uint64_t value)
{
	gpa_t gpa = value & PAGE_GPA;

	if (gpa >> hv->phys_bits)
		return -EINVAL;
	if (!(value & HV_PAGE_ENABLE)) {
		hide(hv, o);
	} else {
		if (!o->is_on)
			memset(o->page, 0, sizeof(o->page));
		if (show(hv, o, gpa))
			return -EINVAL;
	}
	__atomic_store_n(reg, value, __ATOMIC_RELAXED);
	return 0;
}

void hyperv_withdraw(struct hyperv *hv)
{
	for (unsigned i = 0; i < OVERLAYS(hv); i++)
		hide(hv, overlay_at(hv, i));
}

/* ---- The partition's pages ------------------------------------------------
 */

static void hypercall_page_write(struct hyperv *hv)
{
	static const uint8_t code[2][4] = {
		{ 0x0f, 0x01, 0xc1, 0xc3 }, /* VMCALL, RET */
		{ 0x0f, 0x01, 0xd9, 0xc3 }, /* VMMCALL, RET */
	};

	memcpy(hyperv_overlay_bytes(hv, &hv->state.hypercall_page),
	       code[hv->is_amd], sizeof(code[0]));
}

/* Once it is locked, or while the guest has not said who it is, nothing
 * changes. */
static int hypercall_write(struct hyperv *hv, uint64_t value)
{
	struct hyperv_state *s = &hv->state;
	int error;

	if (!s->guest_os_id || s->hypercall & HV_HYPERCALL_LOCKED)
		return 0;
	error = place(
		hv, &s->hypercall_page, &s->hypercall,
		value & (PAGE_GPA | HV_PAGE_ENABLE | HV_HYPERCALL_LOCKED));
	if (!error && value & HV_PAGE_ENABLE)
		hypercall_page_write(hv);
	return error;
}

/* Zero takes the hypercall page away. */
static void guest_os_id_write(struct hyperv *hv, uint64_t value)
{
	struct hyperv_state *s = &hv->state;

	s->guest_os_id = value;
	if (value)
		return;
	hide(hv, &s->hypercall_page);
	__atomic_store_n(&s->hypercall, s->hypercall & PAGE_GPA,
			 __ATOMIC_RELAXED);
}

/* Sequence 1, as it never changes; 0 says that the TSC is not to be used. */
static int reference_tsc_write(struct hyperv *hv, uint64_t value)
{
	struct hyperv_state *s = &hv->state;
	const struct {
		uint32_t sequence, reserved;
		uint64_t scale;
		int64_t offset;
	} page = { .sequence = hv->tsc_scale != 0, .scale = hv->tsc_scale };
	int error = place(hv, &s->tsc_page, &s->reference_tsc,
			  value & (PAGE_GPA | HV_PAGE_ENABLE));

	if (!error && value & HV_PAGE_ENABLE)
		memcpy(hyperv_overlay_bytes(hv, &s->tsc_page), &page,
		       sizeof(page));
	return error;
}

/* ---- Time -----------------------------------------------------------------
 */

/* 10^7 * 2^64 / hz, which takes 64 bits where hz is above 10^7. */
static uint64_t scale_of(uint64_t hz)
{
	uint64_t scale = 0, rest = REFERENCE_HZ;

	if (hz <= REFERENCE_HZ || hz >> 63)
		return 0;
	for (unsigned i = 0; i < 64; i++) {
		rest <<= 1;
		scale <<= 1;
		if (rest >= hz) {
			rest -= hz;
			scale |= 1;
		}
	}
	return scale;
}

uint64_t hyperv_reference(const struct hyperv *hv)
{
	if (!hv->tsc_scale)
		return clock_now(hv->clock) / 100;
	return (uint64_t)(((unsigned __int128)hv->ops->tsc(hv->ctx) *
			   hv->tsc_scale) >>
			  64);
}

/* ---- Crashes --------------------------------------------------------------
 */

static char printable(uint8_t c)
{
	return c == '\t' || c < 0x20 || c > 0x7e ? ' ' : (char)c;
}

/* A part of the message, of one page. */
static unsigned crash_lines(struct hyperv *hv, const uint8_t *text,
			    unsigned length, unsigned lines)
{
	char line[CRASH_LINE + 1];
	unsigned n = 0;

	for (unsigned i = 0; i < length && lines; i++) {
		uint8_t c = text[i];

		if (c != '\n')
			line[n++] = printable(c);
		if (n && (c == '\n' || n == CRASH_LINE || i + 1 == length)) {
			line[n] = 0;
			hv->ops->log(hv->ctx, line);
			n = 0;
			lines--;
		}
	}
	return lines;
}

/* P3 is where it is, P4 how long. */
static void crash_message(struct hyperv *hv)
{
	gpa_t gpa = hv->state.crash[3];
	unsigned left = (unsigned)MIN(hv->state.crash[4], CRASH_TEXT_MAX);
	unsigned lines = CRASH_LINES;

	while (left && lines) {
		unsigned offset = (unsigned)(gpa % PAGE_SIZE);
		unsigned n = MIN(left, (unsigned)PAGE_SIZE - offset);
		const uint8_t *page = hv->ops->page(hv->ctx, gpa - offset);

		if (!page)
			return;
		lines = crash_lines(hv, page + offset, n, lines);
		gpa += n;
		left -= n;
	}
}

static void crash_control_write(struct hyperv *hv, uint64_t value)
{
	const uint64_t *p = hv->state.crash;
	char text[160];

	if (!(value & HV_CRASH_NOTIFY))
		return;
	(void)snprintf(text, sizeof(text),
		       "the guest says that it has crashed: %lx %lx %lx %lx "
		       "%lx",
		       p[0], p[1], p[2], p[3], p[4]);
	hv->ops->log(hv->ctx, text);
	if (value & HV_CRASH_MESSAGE)
		crash_message(hv);
}

/* ---- Registers of the partition -------------------------------------------
 */

static bool is_within(uint32_t msr, uint32_t first, unsigned count)
{
	return msr - first < count;
}

static int partition_read(struct hyperv *hv, unsigned vp, uint32_t msr,
			  uint64_t *value)
{
	const struct hyperv_state *s = &hv->state;

	if (is_within(msr, HV_MSR_CRASH_P0, HYPERV_CRASH)) {
		*value = s->crash[msr - HV_MSR_CRASH_P0];
		return 0;
	}
	switch (msr) {
	case HV_MSR_GUEST_OS_ID:
		*value = s->guest_os_id;
		return 0;
	case HV_MSR_HYPERCALL:
		*value = s->hypercall;
		return 0;
	case HV_MSR_VP_INDEX:
		*value = vp;
		return 0;
	case HV_MSR_RESET:
		*value = 0;
		return 0;
	case HV_MSR_VP_RUNTIME:
		*value = hv->ops->runtime(hv->ctx, vp);
		return 0;
	case HV_MSR_REF_COUNT:
		*value = hyperv_reference(hv);
		return 0;
	case HV_MSR_REF_TSC:
		*value = s->reference_tsc;
		return 0;
	case HV_MSR_TSC_FREQ:
		*value = hv->tsc_hz;
		return 0;
	case HV_MSR_APIC_FREQ:
		*value = hv->apic_hz;
		return 0;
	case HV_MSR_CRASH_CTL:
		*value = HV_CRASH_NOTIFY | HV_CRASH_MESSAGE;
		return 0;
	default:
		return -ENOENT;
	}
}

static int partition_write(struct hyperv *hv, uint32_t msr, uint64_t value)
{
	struct hyperv_state *s = &hv->state;

	if (is_within(msr, HV_MSR_CRASH_P0, HYPERV_CRASH)) {
		s->crash[msr - HV_MSR_CRASH_P0] = value;
		return 0;
	}
	switch (msr) {
	case HV_MSR_GUEST_OS_ID:
		guest_os_id_write(hv, value);
		return 0;
	case HV_MSR_HYPERCALL:
		return hypercall_write(hv, value);
	case HV_MSR_RESET:
		if (value & RESET_NOW)
			hv->ops->reset(hv->ctx);
		return 0;
	case HV_MSR_REF_TSC:
		return reference_tsc_write(hv, value);
	case HV_MSR_CRASH_CTL:
		crash_control_write(hv, value);
		return 0;
	case HV_MSR_VP_INDEX:
	case HV_MSR_VP_RUNTIME:
	case HV_MSR_REF_COUNT:
	case HV_MSR_TSC_FREQ:
	case HV_MSR_APIC_FREQ:
		return -EINVAL;
	default:
		return -ENOENT;
	}
}

/* ---- Registers of a VP ----------------------------------------------------
 */

static int vp_read(struct hyperv *hv, unsigned vp, uint32_t msr,
		   uint64_t *value)
{
	const struct hyperv_vp_state *s = &hv->state.vp[vp];

	if (is_within(msr, HV_MSR_SINT0, HYPERV_SINTS)) {
		*value = s->sint[msr - HV_MSR_SINT0];
		return 0;
	}
	if (is_within(msr, HV_MSR_STIMER0, 2 * HYPERV_TIMERS)) {
		hyperv_timer_read(hv, vp, msr - HV_MSR_STIMER0, value);
		return 0;
	}
	switch (msr) {
	case HV_MSR_VP_ASSIST:
		*value = s->assist;
		return 0;
	case HV_MSR_SCONTROL:
		*value = s->scontrol;
		return 0;
	case HV_MSR_SVERSION:
		*value = SYNIC_VERSION;
		return 0;
	case HV_MSR_SIEFP:
		*value = s->siefp;
		return 0;
	case HV_MSR_SIMP:
		*value = s->simp;
		return 0;
	case HV_MSR_EOM:
		*value = 0;
		return 0;
	default:
		return -ENOENT;
	}
}

static int sint_write(uint64_t *sint, uint64_t value)
{
	if (!(value & HV_SINT_MASKED) &&
	    FIELD_GET(HV_SINT_VECTOR, value) < VECTOR_FIRST)
		return -EINVAL;
	*sint = value & SINT_DEFINED;
	return 0;
}

static int vp_write(struct hyperv *hv, unsigned vp, uint32_t msr,
		    uint64_t value)
{
	struct hyperv_vp_state *s = &hv->state.vp[vp];
	uint64_t where = value & (PAGE_GPA | HV_PAGE_ENABLE);

	if (is_within(msr, HV_MSR_SINT0, HYPERV_SINTS))
		return sint_write(&s->sint[msr - HV_MSR_SINT0], value);
	if (is_within(msr, HV_MSR_STIMER0, 2 * HYPERV_TIMERS))
		return hyperv_timer_write(hv, vp, msr - HV_MSR_STIMER0, value);
	switch (msr) {
	case HV_MSR_VP_ASSIST:
		return place(hv, &s->assist_page, &s->assist, where);
	case HV_MSR_SCONTROL:
		s->scontrol = value & SCONTROL_DEFINED;
		return 0;
	case HV_MSR_SVERSION:
		return -EINVAL;
	case HV_MSR_SIEFP:
		return place(hv, &s->siefp_page, &s->siefp, where);
	case HV_MSR_SIMP:
		return place(hv, &s->simp_page, &s->simp, where);
	case HV_MSR_EOM:
		hyperv_message_end(hv, vp);
		return 0;
	default:
		return -ENOENT;
	}
}

int hyperv_msr_read(struct hyperv *hv, unsigned vp, uint32_t msr,
		    uint64_t *value)
{
	int error = partition_read(hv, vp, msr, value);

	return error == -ENOENT ? vp_read(hv, vp, msr, value) : error;
}

int hyperv_msr_write(struct hyperv *hv, unsigned vp, uint32_t msr,
		     uint64_t value)
{
	int error = partition_write(hv, msr, value);

	return error == -ENOENT ? vp_write(hv, vp, msr, value) : error;
}

/* ---- The device -----------------------------------------------------------
 */

static const struct state_field overlay_fields[] = {
	STATE_VALUE(struct hyperv_overlay, gpa),
	STATE_VALUE(struct hyperv_overlay, is_on),
	STATE_VALUE(struct hyperv_overlay, is_shown),
	STATE_RESERVED(struct hyperv_overlay, reserved),
	STATE_ARRAY(struct hyperv_overlay, page),
};
static const struct state_description overlay_description =
	STATE_DESCRIPTION(struct hyperv_overlay, overlay_fields);

static const struct state_field timer_fields[] = {
	STATE_VALUE(struct hyperv_timer_state, config),
	STATE_VALUE(struct hyperv_timer_state, count),
	STATE_VALUE(struct hyperv_timer_state, expires),
	STATE_VALUE(struct hyperv_timer_state, deadline_ns,
		    .reset = CLOCK_NEVER),
	STATE_VALUE(struct hyperv_timer_state, is_pending),
	STATE_RESERVED(struct hyperv_timer_state, reserved),
};
static const struct state_description timer_description =
	STATE_DESCRIPTION(struct hyperv_timer_state, timer_fields);

static const struct state_field vp_fields[] = {
	STATE_VALUE(struct hyperv_vp_state, assist),
	STATE_VALUE(struct hyperv_vp_state, scontrol),
	STATE_VALUE(struct hyperv_vp_state, siefp),
	STATE_VALUE(struct hyperv_vp_state, simp),
	STATE_ARRAY(struct hyperv_vp_state, sint, .reset = HV_SINT_MASKED),
	STATE_STRUCTS(struct hyperv_vp_state, timer, &timer_description),
	STATE_STRUCT(struct hyperv_vp_state, assist_page, &overlay_description),
	STATE_STRUCT(struct hyperv_vp_state, siefp_page, &overlay_description),
	STATE_STRUCT(struct hyperv_vp_state, simp_page, &overlay_description),
};
static const struct state_description vp_description =
	STATE_DESCRIPTION(struct hyperv_vp_state, vp_fields);

static const struct state_field fields[] = {
	STATE_VALUE(struct hyperv_state, guest_os_id),
	STATE_VALUE(struct hyperv_state, hypercall),
	STATE_VALUE(struct hyperv_state, reference_tsc),
	STATE_ARRAY(struct hyperv_state, crash),
	STATE_STRUCT(struct hyperv_state, hypercall_page, &overlay_description),
	STATE_STRUCT(struct hyperv_state, tsc_page, &overlay_description),
	STATE_STRUCTS(struct hyperv_state, vp, &vp_description),
};
static const struct state_description description =
	STATE_DESCRIPTION(struct hyperv_state, fields);

static bool overlay_is_valid(const struct hyperv *hv,
			     const struct hyperv_overlay *o, uint64_t reg)
{
	return o->is_on == (reg & HV_PAGE_ENABLE) && o->is_on >= o->is_shown &&
	       (!o->is_on ||
		(o->gpa == (reg & PAGE_GPA) && !(o->gpa >> hv->phys_bits)));
}

static bool vp_is_valid(const struct hyperv *hv,
			const struct hyperv_vp_state *s)
{
	for (unsigned i = 0; i < HYPERV_SINTS; i++)
		if (s->sint[i] & ~SINT_DEFINED ||
		    (!(s->sint[i] & HV_SINT_MASKED) &&
		     FIELD_GET(HV_SINT_VECTOR, s->sint[i]) < VECTOR_FIRST))
			return false;
	return hyperv_timers_are_valid(s) &&
	       overlay_is_valid(hv, &s->assist_page, s->assist) &&
	       overlay_is_valid(hv, &s->siefp_page, s->siefp) &&
	       overlay_is_valid(hv, &s->simp_page, s->simp);
}

static bool is_valid(const void *dev, const void *state, uint64_t now_ns)
{
	const struct hyperv *hv = dev;
	const struct hyperv_state *s = state;

	(void)now_ns;
	for (unsigned i = 0; i < HYPERV_VPS; i++)
		if (!vp_is_valid(hv, &s->vp[i]))
			return false;
	return overlay_is_valid(hv, &s->hypercall_page, s->hypercall) &&
	       overlay_is_valid(hv, &s->tsc_page, s->reference_tsc);
}

static const struct device_ops ops = {
	.name = "hyperv",
	.version = 1,
	.state = &description,
	.is_valid = is_valid,
};

void hyperv_init(struct hyperv *hv, const struct hyperv_config *config)
{
	hv->ops = config->ops;
	hv->ctx = config->ctx;
	hv->clock = config->clock;
	hv->vps = config->vps;
	hv->is_amd = config->is_amd;
	hv->phys_bits = config->phys_bits;
	hv->tsc_hz = config->tsc_hz;
	hv->apic_hz = config->apic_hz;
	hv->tsc_scale = scale_of(config->tsc_hz);
	device_init(&hv->device, &ops, hv, &hv->state);
	for (unsigned i = 0; i < hv->vps; i++)
		hyperv_timers_init(hv, i);
}
