/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest state between the VMCS and the neutral struct x86_state, by groups.
 *
 * CR0 and CR4 have a real value and one that the guest sees.  Owned by the
 * host are those bits that VMX operation fixes (NE, VMXE), those that would
 * act on the host's caches (CD, NW), and those that CPUID does not show; for
 * them the guest sees the shadow, and changing them exits.
 *
 * A processor without "unrestricted guest" can only run with PE and PG set, so
 * both are the host's as well.  Protected mode without paging then runs on an
 * identity page table; what cannot be entered at all is WORK_EMULATE.
 *
 * References: SDM volume 3, "Guest-State Area", "Guest/Host Masks and Read
 * Shadows for CR0 and CR4", "Checks on the Guest State Area".
 */
#include "vmx/internal.h"

#include "include/x86.h"
#include "include/x86_msr.h"

#define LOW32 0xffffffffULL

#define CR0_NAMED                                                         \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
	 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
	 X86_CR0_PG)
#define EFER_GUEST (X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE)

/* ---- Segments ---------------------------------------------------------- */

/* Access rights: the attribute bits with four reserved ones in their midst. */
#define ATTR_LOW      MASK(7, 0)
#define ATTR_HIGH     MASK(11, 8)
#define ATTR_TYPE_TSS 11 /* busy */

static uint16_t attributes_of(uint64_t rights)
{
	uint64_t attributes = FIELD_GET(AR_LOW, rights) |
			      FIELD_PUT(ATTR_HIGH, FIELD_GET(AR_HIGH, rights));

	if (rights & AR_UNUSABLE)
		attributes &= X86_ATTR_DPL;
	return (uint16_t)attributes;
}

static void segment_load(struct x86_segment *s, unsigned n)
{
	s->attributes = attributes_of(vmcs_read(VMCS_GUEST_RIGHTS(n)));
	s->selector = (uint16_t)vmcs_read(VMCS_GUEST_SELECTOR(n));
	s->limit = (uint32_t)vmcs_read(VMCS_GUEST_LIMIT(n));
	s->base = vmcs_read(VMCS_GUEST_BASE(n));
}

/*
 * Rights hardly ever change, and what was made of them last time still stands
 * in the gate page.
 */
static __always_inline void rights_load(struct vmx_vcpu *vmx,
					struct x86_state *state, unsigned n)
{
	uint32_t rights = (uint32_t)vmcs_read(VMCS_GUEST_RIGHTS(n));

	if (likely(rights == vmx->rights[n]))
		return;
	vmx->rights[n] = rights;
	state->seg[n].attributes = attributes_of(rights);
}

static __always_inline void register_load(struct vmx_vcpu *vmx,
					  struct x86_state *state, unsigned n)
{
	struct x86_segment *s = &state->seg[n];

	rights_load(vmx, state, n);
	s->selector = (uint16_t)vmcs_read(VMCS_GUEST_SELECTOR(n));
	s->limit = (uint32_t)vmcs_read(VMCS_GUEST_LIMIT(n));
	s->base = vmcs_read(VMCS_GUEST_BASE(n));
}

static uint32_t rights_of(uint16_t attributes)
{
	return (uint32_t)(FIELD_GET(ATTR_LOW, attributes) |
			  FIELD_PUT(AR_HIGH, FIELD_GET(ATTR_HIGH, attributes)));
}

/* With the granularity that goes with the limit. */
static void segment_store(const struct x86_segment *s, unsigned n,
			  uint32_t rights)
{
	uint32_t limit = s->limit;

	if (limit >> 20) {
		limit |= PAGE_SIZE - 1;
		rights |= FIELD_PUT(AR_HIGH, X86_ATTR_G >> 8);
	} else if ((limit & (PAGE_SIZE - 1)) != PAGE_SIZE - 1) {
		rights &= ~(uint32_t)FIELD_PUT(AR_HIGH, X86_ATTR_G >> 8);
	}
	vmcs_write(VMCS_GUEST_SELECTOR(n), s->selector);
	vmcs_write(VMCS_GUEST_LIMIT(n), limit);
	vmcs_write(VMCS_GUEST_BASE(n), s->base);
	vmcs_write(VMCS_GUEST_RIGHTS(n), rights);
}

/* CS is never unusable; the others are when not present. */
static uint32_t segment_rights(const struct x86_state *state, unsigned n)
{
	uint16_t attributes = state->seg[n].attributes;
	bool is_present = attributes & X86_ATTR_P;
	uint32_t rights;

	if (n == X86_CS || is_present)
		attributes |= X86_ATTR_ACCESSED | X86_ATTR_P | X86_ATTR_S;
	rights = rights_of(attributes);
	if (n != X86_CS && !is_present)
		rights |= (uint32_t)AR_UNUSABLE;
	/* The privilege level is SS's DPL, usable or not. */
	if (n == X86_SS)
		rights = (uint32_t)((rights & ~X86_ATTR_DPL) |
				    FIELD_PUT(X86_ATTR_DPL, state->cpl));
	return rights;
}

/* SS's, usable or not; and the shadow, whose bits are those of X86_SHADOW_*. */
static inline uint8_t load_level(struct x86_state *state)
{
	state->cpl =
		(uint8_t)FIELD_GET(X86_ATTR_DPL, state->seg[X86_SS].attributes);
	state->interrupt_shadow =
		(uint8_t)(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
			  (BLOCKED_BY_STI | BLOCKED_BY_MOVSS));
	return state->interrupt_shadow;
}

static void load_segments(struct vmx_vcpu *vmx, struct x86_state *state)
{
	register_load(vmx, state, X86_ES);
	register_load(vmx, state, X86_CS);
	register_load(vmx, state, X86_SS);
	register_load(vmx, state, X86_DS);
	register_load(vmx, state, X86_FS);
	register_load(vmx, state, X86_GS);
	(void)load_level(state);
	state->nmi_open = 0;
}

static void store_segments(struct vmx_vcpu *vmx, const struct x86_state *state)
{
	uint64_t blocked =
		vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_NMI;

	if (state->nmi_open)
		blocked = 0;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++) {
		segment_store(&state->seg[i], i, segment_rights(state, i));
		/* The page's attributes need not be what these rights give. */
		vmx->rights[i] = UINT32_MAX;
	}
	if (state->interrupt_shadow & X86_SHADOW_MOVSS)
		blocked |= BLOCKED_BY_MOVSS;
	else if (state->interrupt_shadow && state->rflags & X86_FLAG_IF)
		blocked |= BLOCKED_BY_STI;
	vmx_shadow_set(blocked, state->rflags);
}

/* ---- Descriptor tables ------------------------------------------------- */

static void load_tables(struct x86_state *state)
{
	segment_load(&state->ldtr, VMCS_LDTR);
	segment_load(&state->tr, VMCS_TR);
	state->gdtr.base = vmcs_read(VMCS_GUEST_GDTR_BASE);
	state->gdtr.limit = (uint32_t)vmcs_read(VMCS_GUEST_GDTR_LIMIT);
	state->idtr.base = vmcs_read(VMCS_GUEST_IDTR_BASE);
	state->idtr.limit = (uint32_t)vmcs_read(VMCS_GUEST_IDTR_LIMIT);
}

static void store_tables(const struct x86_state *state)
{
	uint32_t ldtr = rights_of(state->ldtr.attributes);
	uint16_t tr = state->tr.attributes | X86_ATTR_P;

	if (!(ldtr & X86_ATTR_P))
		ldtr |= (uint32_t)AR_UNUSABLE;
	/* TR must hold a busy TSS, of 16 or 32 (64) bits. */
	tr = (uint16_t)((tr | BIT(1) | BIT(0)) & ~(BIT(2) | X86_ATTR_S));
	segment_store(&state->ldtr, VMCS_LDTR, ldtr);
	segment_store(&state->tr, VMCS_TR, rights_of(tr));
	vmcs_write(VMCS_GUEST_GDTR_BASE, state->gdtr.base);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, state->gdtr.limit & 0xffff);
	vmcs_write(VMCS_GUEST_IDTR_BASE, state->idtr.base);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, state->idtr.limit & 0xffff);
}

/* ---- Control registers ------------------------------------------------- */

static bool is_pae(const struct x86_state *state)
{
	return state->cr0 & X86_CR0_PG && state->cr4 & X86_CR4_PAE &&
	       !(state->efer & X86_EFER_LMA);
}

static uint64_t read_efer(const struct vmx_vcpu *vmx)
{
	uint64_t lma = 0;

	if (vmx_features.controls.has_efer)
		return vmcs_read(VMCS_GUEST_EFER) & EFER_GUEST;
	if (vmcs_read(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E_GUEST)
		lma = X86_EFER_LMA;
	return (vmx->efer & ~X86_EFER_LMA) | lma;
}

/* What X86_GROUP_FETCH has of them. */
static inline void load_paging(const struct vmx_vcpu *vmx,
			       struct x86_state *state)
{
	state->cr0 = vmx_guest_cr0(vmx);
	state->cr4 = (vmcs_read(VMCS_GUEST_CR4) & ~vmx->cr4_mask) |
		     (vmx->cr4_shadow & vmx->cr4_mask);
	state->cr3 =
		vmx->is_identity_mapped ? vmx->cr3 : vmcs_read(VMCS_GUEST_CR3);
	state->efer = read_efer(vmx);
}

/* 7 VMREADs for 29.  False: it is not 64-bit code, or in a shadow. */
static bool load_fetch(struct vmx_vcpu *vmx, struct x86_state *state)
{
	rights_load(vmx, state, X86_CS);
	if (!(state->seg[X86_CS].attributes & X86_ATTR_L))
		return false;
	rights_load(vmx, state, X86_SS);
	load_paging(vmx, state);
	state->valid |= X86_GROUP_FETCH;
	return !load_level(state);
}

static void load_control(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	struct x86_state *state = vcpu->state;

	load_paging(vmx, state);
	state->cr2 = vmx->has_msrs ? cr2_read() : vmx->cr2;
	state->cr8 = vcpu->tpr >> TPR_CLASS_SHIFT;
	if (unlikely(is_pae(state)))
		for (unsigned i = 0; i < ARRAY_SIZE(state->pdpte); i++)
			state->pdpte[i] = vmcs_read(VMCS_GUEST_PDPTE(i));
}

static void store_cr0(struct vmx_vcpu *vmx, uint64_t cr0)
{
	const struct vmx_caps *caps = &vmx_features.caps;
	uint64_t real = cr0 & ~CR0_HOST_OWNED;
	uint64_t fixed = caps->cr0_fixed0;

	vmx->cr0_mask = ~CR0_NAMED | CR0_HOST_OWNED;
	if (vmx_features.controls.has_unrestricted)
		fixed &= ~(X86_CR0_PE | X86_CR0_PG);
	else
		vmx->cr0_mask |= X86_CR0_PE | X86_CR0_PG;
	vmx->cr0_shadow = cr0;
	vmcs_write(VMCS_GUEST_CR0, (real | fixed) & caps->cr0_fixed1);
	vmcs_write(VMCS_CR0_MASK, vmx->cr0_mask);
	vmcs_write(VMCS_CR0_SHADOW, cr0);
}

static void store_cr4(struct vendor_vcpu *vcpu, uint64_t cr4)
{
	struct vmx_vcpu *vmx = vcpu->private;
	const struct vmx_caps *caps = &vmx_features.caps;
	uint64_t real;

	cr4 &= vcpu->vm->guest_cr4_mask;
	real = cr4;
	vmx->cr4_mask = ~vcpu->vm->guest_cr4_mask | CR4_VMXE;
	if (vmx->is_identity_mapped) {
		/* The identity table is one of 4 MiB pages, for ring 3. */
		vmx->cr4_mask = UINT64_MAX;
		real &= ~(X86_CR4_PAE | X86_CR4_SMEP | X86_CR4_SMAP |
			  X86_CR4_PCIDE | X86_CR4_PKE);
		real |= X86_CR4_PSE;
	}
	vmx->cr4_shadow = cr4;
	vmcs_write(VMCS_GUEST_CR4,
		   (real | caps->cr4_fixed0) & caps->cr4_fixed1);
	vmcs_write(VMCS_CR4_MASK, vmx->cr4_mask);
	vmcs_write(VMCS_CR4_SHADOW, cr4);
}

static void store_efer(struct vmx_vcpu *vmx, uint64_t efer)
{
	uint32_t entry = vmx_features.controls.word[WORD_ENTRY];
	bool has_syscall = efer & X86_EFER_SCE;

	if (has_syscall != vmx->has_syscall_msrs) {
		vmx_msrs_save(vmx);
		vmx->has_syscall_msrs = has_syscall;
	}
	if (efer & X86_EFER_LMA)
		entry |= (uint32_t)ENTRY_IA32E_GUEST;
	vmcs_write(VMCS_ENTRY_CONTROLS, entry);
	vmx->efer = efer & EFER_GUEST;
	if (vmx_features.controls.has_efer)
		vmcs_write(VMCS_GUEST_EFER, vmx->efer);
	else
		vmx->entry_msrs[0].value = vmx->efer;
}

static void store_control(struct vendor_vcpu *vcpu,
			  const struct x86_state *state)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmx->is_identity_mapped = !vmx_features.controls.has_unrestricted &&
				  !(state->cr0 & X86_CR0_PG);
	store_cr0(vmx, (state->cr0 & LOW32) | X86_CR0_ET);
	store_cr4(vcpu, state->cr4);
	store_efer(vmx, state->efer);
	vmx_cr3_exiting(vmx, vmx->is_identity_mapped);
	vmx->cr3 = state->cr3;
	vmcs_write(VMCS_GUEST_CR3,
		   vmx->is_identity_mapped ? VMX_IDENTITY_GPA : state->cr3);
	if (unlikely(is_pae(state)))
		for (unsigned i = 0; i < ARRAY_SIZE(state->pdpte); i++)
			vmcs_write(VMCS_GUEST_PDPTE(i), state->pdpte[i]);
	if (vmx_features.controls.has_pat)
		vmcs_write(VMCS_GUEST_PAT, vcpu->pat);
	vmx->cr2 = state->cr2;
	if (vmx->has_msrs)
		cr2_write(state->cr2);
	vendor_cr8_set(vcpu, state->cr8);
	/* A changed CR3, CR4 or mode would have flushed in the processor. */
	vmx->work |= WORK_FLUSH_TLB;
}

/* ---- SYSCALL and SYSENTER ---------------------------------------------- */

static void load_syscall(const struct vmx_vcpu *vmx, struct x86_state *state)
{
	state->star = vmx->star;
	state->lstar = vmx->lstar;
	state->cstar = vmx->cstar;
	state->sfmask = vmx->sfmask;
	state->kernel_gs_base = vmx->has_msrs ? msr_read(MSR_KERNEL_GS_BASE)
					      : vmx->kernel_gs_base;
	state->sysenter_cs = vmcs_read(VMCS_GUEST_SYSENTER_CS);
	state->sysenter_esp = vmcs_read(VMCS_GUEST_SYSENTER_ESP);
	state->sysenter_eip = vmcs_read(VMCS_GUEST_SYSENTER_EIP);
}

/* Loading them must not fault; a hostile machine may store anything. */
static void keep_canonical(uint64_t *to, uint64_t value)
{
	if (x86_is_canonical(value))
		*to = value;
}

static void store_syscall(struct vmx_vcpu *vmx, const struct x86_state *state)
{
	vmx_msrs_save(vmx);
	vmx->star = state->star;
	keep_canonical(&vmx->lstar, state->lstar);
	keep_canonical(&vmx->cstar, state->cstar);
	vmx->sfmask = state->sfmask & LOW32;
	keep_canonical(&vmx->kernel_gs_base, state->kernel_gs_base);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, state->sysenter_cs & LOW32);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, state->sysenter_esp);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, state->sysenter_eip);
}

/* ---- Debug registers --------------------------------------------------- */
/*
 * All accesses exit, and #DB as well, so the guest's registers are here; the
 * VMCS has its DR7.  DR0-DR3 are in the processor while a breakpoint is on and
 * the vCPU has the CPU.
 */

void vmx_dr_load(struct vmx_vcpu *vmx)
{
	dr0_write(vmx->dr[0]);
	dr1_write(vmx->dr[1]);
	dr2_write(vmx->dr[2]);
	dr3_write(vmx->dr[3]);
	vmx->work &= ~WORK_DEBUG;
}

/* As #DB does: the breakpoints that were met are replaced, the rest added. */
void vmx_dr6_set(struct vmx_vcpu *vmx, uint64_t bits)
{
	vmx->dr6 =
		(vmx->dr6 & ~PENDING_DEBUG_BREAKPOINTS) | bits | X86_DR6_ONES;
}

static void load_debug(const struct vmx_vcpu *vmx, struct x86_state *state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vmx->dr); i++)
		state->dr[i] = vmx->dr[i];
	state->dr6 = vmx->dr6;
	state->dr7 = vmcs_read(VMCS_GUEST_DR7);
}

static void store_debug(struct vmx_vcpu *vmx, const struct x86_state *state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vmx->dr); i++)
		vmx->dr[i] = state->dr[i];
	vmx->dr6 = (state->dr6 & LOW32) | X86_DR6_ONES;
	vmcs_write(VMCS_GUEST_DR7, (state->dr7 & LOW32) | X86_DR7_ONE);
	vmx->has_breakpoints = state->dr7 & X86_DR7_ENABLES;
	vmx_dr_forget(vmx);
}

/* ---- All groups -------------------------------------------------------- */

void vmx_state_load(struct vendor_vcpu *vcpu, uint32_t groups)
{
	struct vmx_vcpu *vmx = vcpu->private;
	struct x86_state *state = vcpu->state;

	vmx_vmcs_use(vcpu);
	/* VT-x has every length: FETCH alone is never asked for. */
	if (groups & X86_GROUP_FETCH) {
		if (load_fetch(vmx, state))
			return;
		groups |= X86_GROUP_SEGMENTS | X86_GROUP_CONTROL;
	}
	if (groups & X86_GROUP_SEGMENTS)
		load_segments(vmx, state);
	if (groups & X86_GROUP_CONTROL)
		load_control(vcpu);
	if (groups & X86_GROUP_TABLES)
		load_tables(state);
	if (groups & X86_GROUP_DEBUG)
		load_debug(vmx, state);
	if (groups & X86_GROUP_SYSCALL)
		load_syscall(vmx, state);
	state->valid |= groups;
}

void vmx_state_store(struct vendor_vcpu *vcpu, uint32_t groups)
{
	struct vmx_vcpu *vmx = vcpu->private;
	struct x86_state *state = vcpu->state;

	vmx_vmcs_use(vcpu);
	if (groups & X86_GROUP_SEGMENTS)
		store_segments(vmx, state);
	if (groups & X86_GROUP_CONTROL)
		store_control(vcpu, state);
	if (groups & X86_GROUP_TABLES)
		store_tables(state);
	if (groups & X86_GROUP_DEBUG) {
		store_debug(vmx, state);
		vmx_emulate_choose(vcpu);
	}
	if (groups & X86_GROUP_SYSCALL)
		store_syscall(vmx, state);
	state->dirty &= ~groups;
	if (!vmx_features.controls.has_unrestricted)
		vmx_emulate_choose(vcpu);
}
