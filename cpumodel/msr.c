/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR policy: see msr.h.
 *
 * Does not model: performance counters (AMD's read zero and ignore writes, as
 * guests probe them without asking CPUID), branch records (DEBUGCTL likewise),
 * machine check banks (there are none), speculation controls (hidden), power
 * and thermal management.  MTRRs are stored and otherwise without effect:
 * nested page tables give the memory types.
 *
 * References: SDM volume 3, "MTRR Feature Identification", "Page Attribute
 * Table"; SDM volume 4; APM volume 2, "Extended Feature Enable Register",
 * "MSR Cross-Reference".
 */
#include "cpumodel/msr.h"

#include "include/errno.h"
#include "include/x86_msr.h"
#include "lib/string.h"

#define MSR_P5_MC_ADDR	    0x00000000
#define MSR_PLATFORM_ID	    0x00000017
#define MSR_EBL_CR_POWERON  0x0000002a
#define MSR_FEATURE_CONTROL 0x0000003a
#define FEATURE_LOCKED	    BIT(0)
#define MSR_TSC_ADJUST	    0x0000003b
#define MSR_UCODE_UPDATE    0x00000079
#define MSR_PATCH_LEVEL	    0x0000008b
#define MSR_FSB_FREQ	    0x000000cd
#define MSR_PLATFORM_INFO   0x000000ce
#define MSR_MTRR_CAP	    0x000000fe
#define MTRR_CAP_COUNT	    MASK(7, 0)
#define MTRR_CAP_FIXED	    BIT(8)
#define MTRR_CAP_WC	    BIT(10)
#define MSR_MCG_CAP	    0x00000179
#define MSR_MCG_STATUS	    0x0000017a
#define MSR_PERF_STATUS	    0x00000198
#define MSR_PERF_CTL	    0x00000199
#define MSR_MISC_ENABLE	    0x000001a0
#define MISC_FAST_STRINGS   BIT(0)
#define MISC_NO_BTS	    BIT(11)
#define MISC_NO_PEBS	    BIT(12)
#define MISC_LIMIT_CPUID    BIT(22)
#define MISC_NO_XD	    BIT(34)
#define MSR_MTRR_VAR_FIRST  0x00000200
#define MSR_MTRR_FIX64K	    0x00000250
#define MSR_MTRR_FIX16K	    0x00000258
#define MSR_MTRR_FIX4K	    0x00000268
#define MSR_MTRR_DEFAULT    0x000002ff
#define MTRR_DEFAULT_TYPE   MASK(7, 0)
#define MTRR_DEFAULT_FIXED  BIT(10)
#define MTRR_DEFAULT_ENABLE BIT(11)
#define MTRR_VAR_TYPE	    MASK(7, 0)
#define MTRR_VAR_VALID	    BIT(11)
#define MSR_K7_EVNTSEL	    0xc0010000
#define MSR_SYSCFG	    0xc0010010
#define SYSCFG_WRITABLE	    MASK(22, 18)
#define MSR_HWCR	    0xc0010015
#define HWCR_TSC_FREQ_SEL   BIT(24)
#define HWCR_WRITABLE	    (MASK(24, 0) | BIT(27))
#define MSR_IORR	    0xc0010016
#define MSR_TOP_MEM	    0xc001001a
#define MSR_TOP_MEM2	    0xc001001d
#define MSR_NB_CFG	    0xc001001f
#define MSR_PATCH_LOADER    0xc0010020
#define MSR_INT_PENDING	    0xc0010055
#define MSR_MMIO_CONFIG	    0xc0010058
#define MSR_PSTATE_LIMIT    0xc0010061
#define MSR_SMM_BASE	    0xc0010111
#define MSR_VM_CR	    0xc0010114
#define VM_CR_LOCK	    BIT(3)
#define VM_CR_SVM_DISABLE   BIT(4)
#define MSR_SEV_STATUS	    0xc0010131
#define MSR_LS_CFG	    0xc0011020
#define MSR_TW_CFG	    0xc0011023
#define MSR_FP_CFG	    0xc0011028
#define MSR_DE_CFG	    0xc0011029
#define DE_CFG_LFENCE	    BIT(1)
#define MSR_BU_CFG2	    0xc001102a

/* Where a register's value lives. */
enum msr_kind {
	KIND_CONST,  /* .value; writes raise #GP */
	KIND_IGNORE, /* .value; writes are dropped */
	KIND_SLOT,   /* stored; .at is the slot of the first */
	KIND_STATE,  /* in struct x86_state; .at is the offset, .group where */
	KIND_VENDOR, /* the back end's */
	KIND_FILE,   /* computed by .read and .write */
};

enum msr_vendor { ANY, AMD, INTEL };

struct msr_row {
	uint32_t first;
	uint16_t count;
	uint8_t vendor;
	uint8_t kind;
	uint16_t at;
	uint16_t group;
	uint64_t value;
	/* Writes of other values raise #GP; NULL: any will do. */
	bool (*is_valid)(const struct msr_file *file, uint32_t msr,
			 uint64_t value);
	int (*read)(struct msr_file *file, uint32_t msr, uint64_t *value);
	int (*write)(struct msr_file *file, uint32_t msr, uint64_t value);
};

/* ---- What may be written ----------------------------------------------- */

static bool is_memory_type(uint64_t type)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

static bool is_valid_pat(uint64_t pat)
{
	for (unsigned i = 0; i < 8; i++, pat >>= 8)
		if (!is_memory_type(pat & 0xff) && (pat & 0xff) != 7)
			return false;
	return true;
}

static bool valid_canonical(const struct msr_file *file, uint32_t msr,
			    uint64_t value)
{
	(void)file;
	(void)msr;
	return x86_is_canonical(value);
}

static bool valid_32(const struct msr_file *file, uint32_t msr, uint64_t value)
{
	(void)file;
	(void)msr;
	return value >> 32 == 0;
}

static bool valid_pat(const struct msr_file *file, uint32_t msr, uint64_t value)
{
	(void)file;
	(void)msr;
	return is_valid_pat(value);
}

static bool valid_zero(const struct msr_file *file, uint32_t msr,
		       uint64_t value)
{
	(void)file;
	(void)msr;
	return value == 0;
}

static bool valid_debugctl(const struct msr_file *file, uint32_t msr,
			   uint64_t value)
{
	(void)file;
	(void)msr;
	return (value & ~MASK(15, 0)) == 0;
}

static bool valid_mtrr_default(const struct msr_file *file, uint32_t msr,
			       uint64_t value)
{
	(void)file;
	(void)msr;
	return (value & ~(MTRR_DEFAULT_TYPE | MTRR_DEFAULT_FIXED |
			  MTRR_DEFAULT_ENABLE)) == 0 &&
	       is_memory_type(FIELD_GET(MTRR_DEFAULT_TYPE, value));
}

static bool valid_mtrr_fixed(const struct msr_file *file, uint32_t msr,
			     uint64_t value)
{
	(void)file;
	(void)msr;
	for (unsigned i = 0; i < 8; i++, value >>= 8)
		if (!is_memory_type(value & 0xff))
			return false;
	return true;
}

static bool valid_mtrr_variable(const struct msr_file *file, uint32_t msr,
				uint64_t value)
{
	uint64_t page = MASK(file->config->phys_bits - 1, PAGE_SHIFT);

	if (msr & 1) /* the mask of a pair */
		return (value & ~(page | MTRR_VAR_VALID)) == 0;
	return (value & ~(page | MTRR_VAR_TYPE)) == 0 &&
	       is_memory_type(FIELD_GET(MTRR_VAR_TYPE, value));
}

static bool valid_hwcr(const struct msr_file *file, uint32_t msr,
		       uint64_t value)
{
	(void)file;
	(void)msr;
	return (value & ~HWCR_WRITABLE) == 0;
}

static bool valid_syscfg(const struct msr_file *file, uint32_t msr,
			 uint64_t value)
{
	(void)file;
	(void)msr;
	return (value & ~SYSCFG_WRITABLE) == 0;
}

/* LFENCE may be made serializing; the processor's own bits stay. */
static bool valid_de_cfg(const struct msr_file *file, uint32_t msr,
			 uint64_t value)
{
	(void)msr;
	return ((value ^ file->slot[MSR_SLOT_DE_CFG]) & ~DE_CFG_LFENCE) == 0;
}

/* Hiding CPUID leaves or NX is not offered. */
static bool valid_misc_enable(const struct msr_file *file, uint32_t msr,
			      uint64_t value)
{
	(void)file;
	(void)msr;
	return (value & (MISC_LIMIT_CPUID | MISC_NO_XD)) == 0;
}

/* ---- Registers whose reads or writes compute --------------------------- */

int msr_efer_check(uint64_t valid, uint64_t cr0, uint64_t old, uint64_t value,
		   uint64_t *result)
{
	if (value & ~valid)
		return -EINVAL;
	if ((value ^ old) & X86_EFER_LME && cr0 & X86_CR0_PG)
		return -EINVAL;
	*result = (value & ~X86_EFER_LMA) | (old & X86_EFER_LMA);
	return 0;
}

static int efer_write(struct msr_file *file, uint32_t msr, uint64_t value)
{
	struct x86_state *state =
		file->ops->state(file->ctx, X86_GROUP_CONTROL);
	int error;

	(void)msr;
	error = msr_efer_check(file->config->efer_valid, state->cr0,
			       state->efer, value, &value);
	if (error)
		return error;
	state->efer = value;
	state->dirty |= X86_GROUP_CONTROL;
	return 0;
}

static int efer_read(struct msr_file *file, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = file->ops->state(file->ctx, X86_GROUP_CONTROL)->efer;
	return 0;
}

static int tsc_read_value(struct msr_file *file, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = file->ops->tsc_get(file->ctx);
	return 0;
}

/* Writing the counter shows in TSC_ADJUST, and the other way round. */
static int tsc_write_value(struct msr_file *file, uint32_t msr, uint64_t value)
{
	uint64_t old = file->ops->tsc_get(file->ctx);

	(void)msr;
	file->slot[MSR_SLOT_TSC_ADJUST] += value - old;
	file->ops->tsc_set(file->ctx, value);
	return 0;
}

static int tsc_adjust_write(struct msr_file *file, uint32_t msr, uint64_t value)
{
	uint64_t delta = value - file->slot[MSR_SLOT_TSC_ADJUST];

	(void)msr;
	file->slot[MSR_SLOT_TSC_ADJUST] = value;
	file->ops->tsc_set(file->ctx, file->ops->tsc_get(file->ctx) + delta);
	return 0;
}

static int tsc_adjust_read(struct msr_file *file, uint32_t msr, uint64_t *value)
{
	(void)msr;
	*value = file->slot[MSR_SLOT_TSC_ADJUST];
	return 0;
}

/* AMD has the revision in the low half, Intel in the high one. */
static int patch_level_read(struct msr_file *file, uint32_t msr,
			    uint64_t *value)
{
	(void)msr;
	*value = file->config->patch_level;
	if (!file->config->is_amd)
		*value <<= 32;
	return 0;
}

/* Intel's way of asking: zero is written before CPUID and the reading. */
static int patch_level_write(struct msr_file *file, uint32_t msr,
			     uint64_t value)
{
	(void)msr;
	(void)value;
	return file->config->is_amd ? -EINVAL : 0;
}

/* ---- The table --------------------------------------------------------- */

#define STATE(member) offsetof(struct x86_state, member)
#define SEG_BASE(s)                                                           \
	(offsetof(struct x86_state, seg) + (s) * sizeof(struct x86_segment) + \
	 offsetof(struct x86_segment, base))

/* clang-format off */
/* Sorted by number. */
static const struct msr_row rows[] = {
	/* The Pentium's machine check registers: still there, nothing in it. */
	{ MSR_P5_MC_ADDR, 2, ANY, KIND_IGNORE, .value = 0 },
	{ MSR_TSC, 1, ANY, KIND_FILE, .read = tsc_read_value,
	  .write = tsc_write_value },
	{ MSR_PLATFORM_ID, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_EBL_CR_POWERON, 1, INTEL, KIND_IGNORE, .value = 0 },
	{ MSR_FEATURE_CONTROL, 1, INTEL, KIND_CONST, .value = FEATURE_LOCKED },
	{ MSR_TSC_ADJUST, 1, ANY, KIND_FILE, .read = tsc_adjust_read,
	  .write = tsc_adjust_write },
	{ MSR_UCODE_UPDATE, 1, INTEL, KIND_IGNORE, .value = 0 },
	{ MSR_PATCH_LEVEL, 1, ANY, KIND_FILE, .read = patch_level_read,
	  .write = patch_level_write },
	{ MSR_FSB_FREQ, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_PLATFORM_INFO, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_MTRR_CAP, 1, ANY, KIND_CONST,
	  .value = FIELD_PUT(MTRR_CAP_COUNT, MSR_MTRR_VARIABLE) |
		   MTRR_CAP_FIXED | MTRR_CAP_WC },
	{ MSR_SYSENTER_CS, 1, ANY, KIND_STATE, STATE(sysenter_cs),
	  X86_GROUP_SYSCALL, .is_valid = valid_32 },
	{ MSR_SYSENTER_ESP, 1, ANY, KIND_STATE, STATE(sysenter_esp),
	  X86_GROUP_SYSCALL, .is_valid = valid_canonical },
	{ MSR_SYSENTER_EIP, 1, ANY, KIND_STATE, STATE(sysenter_eip),
	  X86_GROUP_SYSCALL, .is_valid = valid_canonical },
	{ MSR_MCG_CAP, 1, ANY, KIND_CONST, .value = 0 }, /* no banks, no MCG_CTL */
	{ MSR_MCG_STATUS, 1, ANY, KIND_SLOT, MSR_SLOT_MCG_STATUS,
	  .is_valid = valid_zero },
	{ MSR_PERF_STATUS, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_PERF_CTL, 1, INTEL, KIND_IGNORE, .value = 0 },
	{ MSR_MISC_ENABLE, 1, INTEL, KIND_SLOT, MSR_SLOT_MISC_ENABLE,
	  .is_valid = valid_misc_enable },
	{ MSR_DEBUGCTL, 1, ANY, KIND_IGNORE, .is_valid = valid_debugctl },
	{ MSR_MTRR_VAR_FIRST, 2 * MSR_MTRR_VARIABLE, ANY, KIND_SLOT,
	  MSR_SLOT_MTRR_VARIABLE, .is_valid = valid_mtrr_variable },
	{ MSR_MTRR_FIX64K, 1, ANY, KIND_SLOT, MSR_SLOT_MTRR_FIXED,
	  .is_valid = valid_mtrr_fixed },
	{ MSR_MTRR_FIX16K, 2, ANY, KIND_SLOT, MSR_SLOT_MTRR_FIXED + 1,
	  .is_valid = valid_mtrr_fixed },
	{ MSR_MTRR_FIX4K, 8, ANY, KIND_SLOT, MSR_SLOT_MTRR_FIXED + 3,
	  .is_valid = valid_mtrr_fixed },
	{ MSR_PAT, 1, ANY, KIND_VENDOR, .is_valid = valid_pat },
	{ MSR_MTRR_DEFAULT, 1, ANY, KIND_SLOT, MSR_SLOT_MTRR_DEFAULT,
	  .is_valid = valid_mtrr_default },
	{ MSR_EFER, 1, ANY, KIND_FILE, .read = efer_read,
	  .write = efer_write },
	{ MSR_STAR, 1, ANY, KIND_STATE, STATE(star), X86_GROUP_SYSCALL,
	  .is_valid = NULL },
	{ MSR_LSTAR, 1, ANY, KIND_STATE, STATE(lstar), X86_GROUP_SYSCALL,
	  .is_valid = valid_canonical },
	{ MSR_CSTAR, 1, ANY, KIND_STATE, STATE(cstar), X86_GROUP_SYSCALL,
	  .is_valid = valid_canonical },
	{ MSR_SFMASK, 1, ANY, KIND_STATE, STATE(sfmask), X86_GROUP_SYSCALL,
	  .is_valid = valid_32 },
	{ MSR_FS_BASE, 1, ANY, KIND_STATE, SEG_BASE(X86_FS),
	  X86_GROUP_SEGMENTS, .is_valid = valid_canonical },
	{ MSR_GS_BASE, 1, ANY, KIND_STATE, SEG_BASE(X86_GS),
	  X86_GROUP_SEGMENTS, .is_valid = valid_canonical },
	{ MSR_KERNEL_GS_BASE, 1, ANY, KIND_STATE, STATE(kernel_gs_base),
	  X86_GROUP_SYSCALL, .is_valid = valid_canonical },
	{ MSR_TSC_AUX, 1, ANY, KIND_VENDOR, .is_valid = valid_32 },
	/* Four event selectors, four counters. */
	{ MSR_K7_EVNTSEL, 8, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_SYSCFG, 1, AMD, KIND_SLOT, MSR_SLOT_SYSCFG,
	  .is_valid = valid_syscfg },
	{ MSR_HWCR, 1, AMD, KIND_SLOT, MSR_SLOT_HWCR, .is_valid = valid_hwcr },
	{ MSR_IORR, 4, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_TOP_MEM, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_TOP_MEM2, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_NB_CFG, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_PATCH_LOADER, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_INT_PENDING, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_MMIO_CONFIG, 1, AMD, KIND_IGNORE, .value = 0 },
	/* One P-state: limit, control, status; none is defined. */
	{ MSR_PSTATE_LIMIT, 3, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_SMM_BASE, 3, AMD, KIND_IGNORE, .value = 0 }, /* and TSEG's two */
	{ MSR_VM_CR, 1, AMD, KIND_CONST,
	  .value = VM_CR_LOCK | VM_CR_SVM_DISABLE },
	{ MSR_SEV_STATUS, 1, AMD, KIND_CONST, .value = 0 },
	/* Load-store, instruction and data cache, table walk and floating
	 * point configuration: bits that turn off parts with errata. */
	{ MSR_LS_CFG, 3, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_TW_CFG, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_FP_CFG, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_DE_CFG, 1, AMD, KIND_SLOT, MSR_SLOT_DE_CFG,
	  .is_valid = valid_de_cfg },
	{ MSR_BU_CFG2, 1, AMD, KIND_IGNORE, .value = 0 },
};
/* clang-format on */

static const struct msr_row *row_find(const struct msr_file *file, uint32_t msr)
{
	unsigned low = 0, high = ARRAY_SIZE(rows);

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct msr_row *row = &rows[middle];

		if (msr < row->first) {
			high = middle;
		} else if (msr - row->first >= row->count) {
			low = middle + 1;
		} else {
			if (row->vendor != ANY &&
			    (row->vendor == AMD) != file->config->is_amd)
				return NULL;
			return row;
		}
	}
	return NULL;
}

static int unknown(struct msr_file *file, uint32_t msr, bool is_write,
		   uint64_t value)
{
	if (file->unknown_count < MSR_LOG_LIMIT && file->ops->unknown) {
		file->unknown_count++;
		file->ops->unknown(file->ctx, msr, is_write, value);
	}
	return -EINVAL;
}

static bool is_apic_msr(uint32_t msr)
{
	return (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST) ||
	       msr == MSR_TSC_DEADLINE || msr == MSR_APIC_BASE;
}

static uint64_t *state_member(struct msr_file *file, const struct msr_row *row)
{
	struct x86_state *state = file->ops->state(file->ctx, row->group);

	return (uint64_t *)((char *)state + row->at);
}

int msr_file_read(struct msr_file *file, uint32_t msr, uint64_t *value)
{
	const struct msr_row *row;

	if (is_apic_msr(msr))
		return apic_msr_read(file->apic, msr, value);
	row = row_find(file, msr);
	if (!row)
		return unknown(file, msr, false, 0);
	switch ((enum msr_kind)row->kind) {
	case KIND_CONST:
	case KIND_IGNORE:
		*value = row->value;
		return 0;
	case KIND_SLOT:
		*value = file->slot[row->at + (msr - row->first)];
		return 0;
	case KIND_STATE:
		*value = *state_member(file, row);
		return 0;
	case KIND_VENDOR:
		return file->ops->vendor_get(file->ctx, msr, value);
	case KIND_FILE:
		break;
	}
	return row->read(file, msr, value);
}

int msr_file_write(struct msr_file *file, uint32_t msr, uint64_t value)
{
	const struct msr_row *row;

	if (is_apic_msr(msr))
		return apic_msr_write(file->apic, msr, value);
	row = row_find(file, msr);
	if (!row)
		return unknown(file, msr, true, value);
	if (row->is_valid && !row->is_valid(file, msr, value))
		return -EINVAL;
	switch ((enum msr_kind)row->kind) {
	case KIND_CONST:
		return -EINVAL;
	case KIND_IGNORE:
		return 0;
	case KIND_SLOT:
		file->slot[row->at + (msr - row->first)] = value;
		return 0;
	case KIND_STATE:
		*state_member(file, row) = value;
		file->ops->state(file->ctx, row->group)->dirty |= row->group;
		return 0;
	case KIND_VENDOR:
		return file->ops->vendor_set(file->ctx, msr, value);
	case KIND_FILE:
		break;
	}
	return row->write(file, msr, value);
}

void msr_reset(struct msr_file *file)
{
	memset(file->slot, 0, sizeof(file->slot));
	file->slot[MSR_SLOT_HWCR] = HWCR_TSC_FREQ_SEL;
	file->slot[MSR_SLOT_MISC_ENABLE] =
		MISC_FAST_STRINGS | MISC_NO_BTS | MISC_NO_PEBS;
}

void msr_init(struct msr_file *file, struct apic *apic,
	      const struct msr_config *config, const struct msr_ops *ops,
	      void *ctx)
{
	memset(file, 0, sizeof(*file));
	file->apic = apic;
	file->config = config;
	file->ops = ops;
	file->ctx = ctx;
	msr_reset(file);
}
