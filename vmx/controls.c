/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control negotiation: a table says what is needed, what is taken if it is
 * there and what must be off; the capability MSRs have the last word.
 *
 * Not asked for, though some processors have them: virtual-interrupt delivery,
 * posted interrupts, virtualized x2APIC mode, the page-modification log, VMCS
 * shadowing.
 *
 * Reference: SDM volume 3, appendix A, "VMX Capability Reporting Facility".
 */
#include "vmx/controls.h"

#include "include/errno.h"
#include "vmx/vmcs.h"

enum need {
	NEED,	/* without it no guest runs */
	OFFER,	/* the same, but clear until somebody sets it */
	WANT,	/* set where it may be set */
	REFUSE, /* must be clear */
};

struct control_row {
	uint8_t word;
	uint8_t need;
	uint32_t bits;
	const char *why;
};

#define LACKS "the processor's VT-x has no "
#define KEEPS "the processor's VT-x cannot turn off "

/* clang-format off */
static const struct control_row rows[] = {
	{ WORD_PIN, NEED, PIN_EXTERNAL_INTERRUPT_EXITING,
	  LACKS "external-interrupt exiting" },
	{ WORD_PIN, NEED, PIN_NMI_EXITING, LACKS "NMI exiting" },
	{ WORD_PIN, NEED, PIN_VIRTUAL_NMIS, LACKS "virtual NMIs" },
	{ WORD_PIN, WANT, PIN_PREEMPTION_TIMER, NULL },

	{ WORD_PROC, NEED, PROC_TSC_OFFSETTING, LACKS "TSC offsetting" },
	{ WORD_PROC, NEED, PROC_HLT_EXITING, LACKS "HLT exiting" },
	{ WORD_PROC, NEED, PROC_MOV_DR_EXITING, LACKS "MOV-DR exiting" },
	{ WORD_PROC, NEED, PROC_UNCONDITIONAL_IO,
	  LACKS "unconditional I/O exiting" },
	{ WORD_PROC, NEED, PROC_MSR_BITMAPS, LACKS "MSR bitmaps" },
	{ WORD_PROC, NEED, PROC_SECONDARY, LACKS "secondary controls" },
	{ WORD_PROC, NEED, PROC_RDPMC_EXITING, LACKS "RDPMC exiting" },
	{ WORD_PROC, NEED, PROC_MWAIT_EXITING, LACKS "MWAIT exiting" },
	{ WORD_PROC, NEED, PROC_MONITOR_EXITING, LACKS "MONITOR exiting" },
	{ WORD_PROC, OFFER, PROC_INTERRUPT_WINDOW,
	  LACKS "interrupt-window exiting" },
	{ WORD_PROC, OFFER, PROC_NMI_WINDOW, LACKS "NMI-window exiting" },
	{ WORD_PROC, OFFER, PROC_PAUSE_EXITING, LACKS "PAUSE exiting" },
	{ WORD_PROC, OFFER, PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING,
	  LACKS "CR8 exiting" },
	{ WORD_PROC, WANT, PROC_TPR_SHADOW, NULL },
	{ WORD_PROC, REFUSE, PROC_CR3_LOAD_EXITING, KEEPS "CR3-load exiting" },
	{ WORD_PROC, REFUSE, PROC_CR3_STORE_EXITING,
	  KEEPS "CR3-store exiting" },
	{ WORD_PROC, REFUSE, PROC_INVLPG_EXITING, KEEPS "INVLPG exiting" },

	{ WORD_PROC2, NEED, PROC2_EPT, LACKS "EPT (nested paging)" },
	{ WORD_PROC2, WANT, PROC2_APIC_ACCESSES, NULL },
	{ WORD_PROC2, WANT, PROC2_APIC_REGISTERS, NULL },
	{ WORD_PROC2, WANT, PROC2_VPID, NULL },
	{ WORD_PROC2, WANT, PROC2_UNRESTRICTED, NULL },
	{ WORD_PROC2, WANT, PROC2_WBINVD_EXITING, NULL },
	{ WORD_PROC2, WANT, PROC2_PAUSE_LOOP, NULL },
	/* The guest's CPUID has it where the host's has. */
	{ WORD_PROC2, WANT, PROC2_RDTSCP, NULL }, /* and RDPID */
	{ WORD_PROC2, WANT, PROC2_INVPCID, NULL },

	{ WORD_EXIT, NEED, EXIT_HOST_64BIT, LACKS "64-bit host" },
	{ WORD_EXIT, NEED, EXIT_SAVE_DEBUG_CONTROLS,
	  LACKS "saving of debug controls" },
	{ WORD_EXIT, WANT, EXIT_SAVE_EFER | EXIT_LOAD_EFER, NULL },
	{ WORD_EXIT, WANT, EXIT_SAVE_PAT | EXIT_LOAD_PAT, NULL },
	{ WORD_EXIT, WANT, EXIT_SAVE_TIMER, NULL },

	{ WORD_ENTRY, NEED, ENTRY_LOAD_DEBUG_CONTROLS,
	  LACKS "loading of debug controls" },
	{ WORD_ENTRY, NEED, ENTRY_IA32E_GUEST, LACKS "64-bit guests" },
	{ WORD_ENTRY, WANT, ENTRY_LOAD_EFER, NULL },
	{ WORD_ENTRY, WANT, ENTRY_LOAD_PAT, NULL },
};

static const struct control_row ept_rows[] = {
	{ 0, NEED, EPT_CAP_4_LEVELS, LACKS "four-level EPT" },
	{ 0, NEED, EPT_CAP_WRITE_BACK, LACKS "write-back EPT" },
	{ 0, NEED, EPT_CAP_2M, LACKS "EPT pages of 2 MiB" },
	{ 0, NEED, EPT_CAP_INVEPT, LACKS "INVEPT" },
	/* Either will do. */
	{ 0, NEED, EPT_CAP_INVEPT_CONTEXT | EPT_CAP_INVEPT_ALL,
	  LACKS "INVEPT of whole contexts" },
};
/* clang-format on */

static uint32_t allowed1(const struct vmx_caps *caps, unsigned word)
{
	return (uint32_t)(caps->word[word] >> 32);
}

/* Bits that must be set, whoever wants them or not. */
static uint32_t forced(const struct vmx_caps *caps, unsigned word)
{
	return (uint32_t)caps->word[word];
}

static int row_apply(const struct control_row *row, const struct vmx_caps *caps,
		     uint32_t *value, const char **why)
{
	bool is_missing = row->bits & ~allowed1(caps, row->word);

	if (is_missing && (row->need == NEED || row->need == OFFER)) {
		*why = row->why;
		return -ENODEV;
	}
	if (row->need == OFFER)
		return 0;
	if (row->need == REFUSE) {
		if (forced(caps, row->word) & row->bits) {
			*why = row->why;
			return -ENODEV;
		}
		*value &= ~row->bits;
		return 0;
	}
	/* All of a wanted group or nothing of it. */
	if (!is_missing)
		*value |= row->bits;
	return 0;
}

/* Entry and exit must agree, and a TPR shadow spares the CR8 exits. */
static void settle_pairs(struct vmx_controls *controls)
{
	uint32_t *w = controls->word;

	controls->has_efer = (w[WORD_EXIT] & EXIT_LOAD_EFER) &&
			     (w[WORD_ENTRY] & ENTRY_LOAD_EFER);
	if (!controls->has_efer) {
		w[WORD_EXIT] &= ~(EXIT_SAVE_EFER | EXIT_LOAD_EFER);
		w[WORD_ENTRY] &= ~ENTRY_LOAD_EFER;
	}
	controls->has_pat = (w[WORD_EXIT] & EXIT_LOAD_PAT) &&
			    (w[WORD_ENTRY] & ENTRY_LOAD_PAT);
	if (!controls->has_pat) {
		w[WORD_EXIT] &= ~(EXIT_SAVE_PAT | EXIT_LOAD_PAT);
		w[WORD_ENTRY] &= ~ENTRY_LOAD_PAT;
	}
	/* IA-32e mode is the guest's business of the moment. */
	w[WORD_ENTRY] &= ~ENTRY_IA32E_GUEST;
	controls->has_tpr_shadow = w[WORD_PROC] & PROC_TPR_SHADOW;
	if (controls->has_tpr_shadow)
		w[WORD_PROC] &=
			~(PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING);
	else
		w[WORD_PROC] |= PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING;
	if (!controls->has_tpr_shadow)
		w[WORD_PROC2] &= ~PROC2_APIC_ACCESSES;
	controls->has_apic_accesses = w[WORD_PROC2] & PROC2_APIC_ACCESSES;
	controls->has_apic_registers = controls->has_apic_accesses &&
				       w[WORD_PROC2] & PROC2_APIC_REGISTERS;
	/* On while a guest's APIC is. */
	w[WORD_PROC2] &= ~(uint32_t)PROC2_APIC_REGISTERS;
}

/* What is left of the time goes on after an exit, or there is no use for it. */
static void settle_timer(struct vmx_controls *controls, uint64_t misc)
{
	uint32_t *w = controls->word;

	controls->has_timer = (w[WORD_PIN] & PIN_PREEMPTION_TIMER) &&
			      (w[WORD_EXIT] & EXIT_SAVE_TIMER);
	if (!controls->has_timer) {
		w[WORD_PIN] &= ~PIN_PREEMPTION_TIMER;
		w[WORD_EXIT] &= ~EXIT_SAVE_TIMER;
	}
	controls->timer_shift = (uint8_t)FIELD_GET(VMX_MISC_TIMER_SHIFT, misc);
}

static void settle_ept(struct vmx_controls *controls, uint64_t caps)
{
	uint32_t *w = controls->word;

	controls->has_unrestricted = w[WORD_PROC2] & PROC2_UNRESTRICTED;
	controls->has_invept_context = caps & EPT_CAP_INVEPT_CONTEXT;
	controls->has_invvpid_context =
		(caps & VPID_CAP_INVVPID) && (caps & VPID_CAP_CONTEXT);
	/* Without a way to flush one, VPIDs are of no use. */
	if (!controls->has_invvpid_context)
		w[WORD_PROC2] &= ~PROC2_VPID;
	controls->has_vpid = w[WORD_PROC2] & PROC2_VPID;
	/* With them each walk of the guest's tables counts as a write, which
	 * the page that stands in for "unrestricted guest" does not allow. */
	controls->has_ept_ad =
		(caps & EPT_CAP_AD) && controls->has_unrestricted;
}

int vmx_controls_negotiate(const struct vmx_caps *caps,
			   struct vmx_controls *controls, const char **why)
{
	unsigned i;

	*controls = (struct vmx_controls){ 0 };
	for (i = 0; i < WORD_COUNT; i++)
		controls->word[i] = forced(caps, i);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (row_apply(&rows[i], caps, &controls->word[rows[i].word],
			      why))
			return -ENODEV;
	for (i = 0; i < ARRAY_SIZE(ept_rows); i++) {
		if (caps->ept_vpid & ept_rows[i].bits)
			continue;
		*why = ept_rows[i].why;
		return -ENODEV;
	}
	settle_pairs(controls);
	settle_ept(controls, caps->ept_vpid);
	settle_timer(controls, caps->misc);
	/* Only VMs whose vCPUs share a CPU turn it on. */
	controls->has_pause_loop =
		controls->word[WORD_PROC2] & PROC2_PAUSE_LOOP;
	controls->word[WORD_PROC2] &= ~PROC2_PAUSE_LOOP;
	return 0;
}
