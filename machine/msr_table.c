/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See msr_table.h.
 *
 * What was read may be written back, whichever register it is: constants take
 * their own value, where a processor's read-only registers raise #GP for any.
 *
 * Does not model: performance counters and last-branch records (those that no
 * CPUID bit announces read zero and ignore writes), machine check banks (there
 * are none), speculation controls (hidden), power and thermal management.
 * MTRRs are stored and otherwise without effect: nested page tables give the
 * memory types.  So are MISC_ENABLE's bits: NX and CPUID's leaves stay.
 *
 * References: SDM volume 3, "MTRR Feature Identification"; SDM volume 4; APM
 * volume 2, "MSR Cross-Reference"; the Processor Programming Reference for
 * family 17h.
 */
#include "machine/msr_table.h"

#include "devices/state.h"
#include "include/errno.h"

#define MSR_P5_MC_ADDR	    0x00000000
#define MSR_PLATFORM_ID	    0x00000017
#define MSR_EBL_CR_POWERON  0x0000002a
#define MSR_FEATURE_CONTROL 0x0000003a
#define FEATURE_LOCKED	    BIT(0)
#define MSR_UCODE_UPDATE    0x00000079
#define MSR_PATCH_LEVEL	    0x0000008b
#define MSR_FSB_FREQ	    0x000000cd
#define MSR_PLATFORM_INFO   0x000000ce
#define MSR_P6_PERFCTR	    0x000000c1
#define MSR_MTRR_CAP	    0x000000fe
#define MTRR_CAP_COUNT	    MASK(7, 0)
#define MTRR_CAP_FIXED	    BIT(8)
#define MTRR_CAP_WC	    BIT(10)
#define MSR_MCG_CAP	    0x00000179
#define MSR_MCG_STATUS	    0x0000017a
#define MSR_P6_EVNTSEL	    0x00000186
#define MSR_PERF_STATUS	    0x00000198
#define MSR_PERF_CTL	    0x00000199
#define MSR_MISC_ENABLE	    0x000001a0
#define MISC_FAST_STRINGS   BIT(0)
#define MISC_NO_BTS	    BIT(11)
#define MISC_NO_PEBS	    BIT(12)
#define MISC_READ_ONLY	    (MISC_NO_BTS | MISC_NO_PEBS)
#define MSR_LAST_BRANCH	    0x000001db
#define MSR_POWER_CTL	    0x000001fc
#define MSR_MTRR_VAR_FIRST  0x00000200
#define MSR_MTRR_FIX64K	    0x00000250
#define MSR_MTRR_FIX16K	    0x00000258
#define MSR_MTRR_FIX4K	    0x00000268
#define MSR_MTRR_DEFAULT    0x000002ff
#define MTRR_DEFAULT_TYPE   MASK(7, 0)
#define MTRR_DEFAULT_FIXED  BIT(10)
#define MTRR_DEFAULT_ENABLE BIT(11)
#define MTRR_FIX_AMD	    0x1818181818181818 /* RdMem, WrMem of each type */
#define MTRR_VAR_TYPE	    MASK(7, 0)
#define MTRR_VAR_VALID	    BIT(11)
#define MSR_RAPL_UNIT	    0x00000606
#define MSR_RAPL_PACKAGE    0x00000611
#define MSR_RAPL_DRAM	    0x00000619
#define MSR_RAPL_CORES	    0x00000639
#define MSR_RAPL_GRAPHICS   0x00000641
#define MSR_K7_EVNTSEL	    0xc0010000
#define MSR_SYSCFG	    0xc0010010
#define SYSCFG_FIX_MOD	    BIT(19)
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
#define MSR_COFVID_STATUS   0xc0010071
#define MSR_SMM_BASE	    0xc0010111
#define MSR_VM_CR	    0xc0010114
#define VM_CR_LOCK	    BIT(3)
#define VM_CR_SVM_DISABLE   BIT(4)
#define VM_CR_WRITABLE	    MASK(4, 0)
#define MSR_SEV_STATUS	    0xc0010131
#define MSR_LS_CFG	    0xc0011020
#define MSR_TW_CFG	    0xc0011023
#define MSR_FP_CFG	    0xc0011028
#define MSR_DE_CFG	    0xc0011029
#define DE_CFG_LFENCE	    BIT(1)
#define MSR_BU_CFG2	    0xc001102a

/* Where a register's value comes from. */
enum msr_kind {
	KIND_CONST,  /* .value; writes of others raise #GP */
	KIND_IGNORE, /* .value; writes are dropped */
	KIND_STATE,  /* kept; .at is where in the state, .value what stays */
};

enum msr_vendor { ANY, AMD, INTEL };

struct msr_row {
	uint32_t first;
	uint16_t count;
	uint8_t vendor;
	uint8_t kind;
	uint32_t at;
	uint64_t value;
	/* Writes of other values raise #GP; NULL: any will do. */
	bool (*is_valid)(const struct cpu_msrs *msrs, uint32_t msr,
			 uint64_t value);
};

/* ---- What may be written ----------------------------------------------- */

static bool is_memory_type(uint64_t type)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

static bool valid_zero(const struct cpu_msrs *msrs, uint32_t msr,
		       uint64_t value)
{
	(void)msrs;
	(void)msr;
	return value == 0;
}

static bool valid_mtrr_default(const struct cpu_msrs *msrs, uint32_t msr,
			       uint64_t value)
{
	(void)msrs;
	(void)msr;
	return (value & ~(MTRR_DEFAULT_TYPE | MTRR_DEFAULT_FIXED |
			  MTRR_DEFAULT_ENABLE)) == 0 &&
	       is_memory_type(FIELD_GET(MTRR_DEFAULT_TYPE, value));
}

/* AMD's also say whether a range is DRAM, in bits that SYSCFG hides. */
static uint64_t mtrr_fixed_hidden(const struct cpu_msrs *msrs)
{
	return msrs->is_amd && msrs->state.syscfg & SYSCFG_FIX_MOD
		       ? 0
		       : MTRR_FIX_AMD;
}

static bool valid_mtrr_fixed(const struct cpu_msrs *msrs, uint32_t msr,
			     uint64_t value)
{
	(void)msr;
	if (value & mtrr_fixed_hidden(msrs))
		return false;
	value &= ~MTRR_FIX_AMD;
	for (unsigned i = 0; i < 8; i++, value >>= 8)
		if (!is_memory_type(value & 0xff))
			return false;
	return true;
}

static bool valid_mtrr_variable(const struct cpu_msrs *msrs, uint32_t msr,
				uint64_t value)
{
	uint64_t page = MASK(msrs->phys_bits - 1, PAGE_SHIFT);

	if (msr & 1) /* the mask of a pair */
		return (value & ~(page | MTRR_VAR_VALID)) == 0;
	return (value & ~(page | MTRR_VAR_TYPE)) == 0 &&
	       is_memory_type(FIELD_GET(MTRR_VAR_TYPE, value));
}

static bool valid_hwcr(const struct cpu_msrs *msrs, uint32_t msr,
		       uint64_t value)
{
	(void)msrs;
	(void)msr;
	return (value & ~HWCR_WRITABLE) == 0;
}

static bool valid_syscfg(const struct cpu_msrs *msrs, uint32_t msr,
			 uint64_t value)
{
	(void)msrs;
	(void)msr;
	return (value & ~SYSCFG_WRITABLE) == 0;
}

/* All that volume 4 of the SDM names for one model or another. */
static bool valid_misc_enable(const struct cpu_msrs *msrs, uint32_t msr,
			      uint64_t value)
{
	(void)msrs;
	(void)msr;
	return (value & ~(MASK(13, 0) | BIT(16) | MASK(20, 18) | MASK(24, 22) |
			  MASK(34, 33) | MASK(39, 37))) == 0;
}

/* Locked: what is written to it is dropped, but not reserved bits. */
static bool valid_vm_cr(const struct cpu_msrs *msrs, uint32_t msr,
			uint64_t value)
{
	(void)msrs;
	(void)msr;
	return (value & ~VM_CR_WRITABLE) == 0;
}

/* LFENCE may be made serializing; the processor's own bits, all 0, stay. */
static bool valid_de_cfg(const struct cpu_msrs *msrs, uint32_t msr,
			 uint64_t value)
{
	(void)msrs;
	(void)msr;
	return (value & ~DE_CFG_LFENCE) == 0;
}

/* ---- The table --------------------------------------------------------- */

#define STATE(member) offsetof(struct cpu_msrs_state, member)

/* clang-format off */
static const struct msr_row rows[] = {
	/* The Pentium's machine check registers: still there, nothing in it. */
	{ MSR_P5_MC_ADDR, 2, ANY, KIND_IGNORE, .value = 0 },
	{ MSR_PLATFORM_ID, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_EBL_CR_POWERON, 1, INTEL, KIND_IGNORE, .value = 0 },
	{ MSR_FEATURE_CONTROL, 1, INTEL, KIND_CONST, .value = FEATURE_LOCKED },
	{ MSR_UCODE_UPDATE, 1, INTEL, KIND_IGNORE, .value = 0 },
	/* The microcode's revision: in the low half, and in Intel's high one,
	 * where zero is written before CPUID and the reading.  Kernels write it
	 * on any processor, and before they have an IDT. */
	{ MSR_PATCH_LEVEL, 1, ANY, KIND_IGNORE, .value = 0 },
	/* Two counters, two event selectors. */
	{ MSR_P6_PERFCTR, 2, INTEL, KIND_IGNORE, .value = 0 },
	{ MSR_P6_EVNTSEL, 2, INTEL, KIND_IGNORE, .value = 0 },
	{ MSR_FSB_FREQ, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_PLATFORM_INFO, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_MTRR_CAP, 1, ANY, KIND_CONST,
	  .value = FIELD_PUT(MTRR_CAP_COUNT, MTRR_VARIABLE) |
		   MTRR_CAP_FIXED | MTRR_CAP_WC },
	{ MSR_MCG_CAP, 1, ANY, KIND_CONST, .value = 0 }, /* no banks, no MCG_CTL */
	{ MSR_MCG_STATUS, 1, ANY, KIND_STATE, STATE(mcg_status),
	  .is_valid = valid_zero },
	{ MSR_PERF_STATUS, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_PERF_CTL, 1, INTEL, KIND_IGNORE, .value = 0 },
	/* Intel's, but other hypervisors have it on AMD's, too, and software
	 * for guests that looks at it without asking who made the processor. */
	{ MSR_MISC_ENABLE, 1, ANY, KIND_STATE, STATE(misc_enable),
	  .value = MISC_READ_ONLY, .is_valid = valid_misc_enable },
	/* From, to; the same before the last interrupt or exception. */
	{ MSR_LAST_BRANCH, 4, ANY, KIND_IGNORE, .value = 0 },
	{ MSR_POWER_CTL, 1, INTEL, KIND_IGNORE, .value = 0 },
	{ MSR_MTRR_VAR_FIRST, 2 * MTRR_VARIABLE, ANY, KIND_STATE,
	  STATE(mtrr_variable), .is_valid = valid_mtrr_variable },
	{ MSR_MTRR_FIX64K, 1, ANY, KIND_STATE, STATE(mtrr_fixed),
	  .is_valid = valid_mtrr_fixed },
	{ MSR_MTRR_FIX16K, 2, ANY, KIND_STATE, STATE(mtrr_fixed[1]),
	  .is_valid = valid_mtrr_fixed },
	{ MSR_MTRR_FIX4K, 8, ANY, KIND_STATE, STATE(mtrr_fixed[3]),
	  .is_valid = valid_mtrr_fixed },
	{ MSR_MTRR_DEFAULT, 1, ANY, KIND_STATE, STATE(mtrr_default),
	  .is_valid = valid_mtrr_default },
	/* Energy: its unit, and counters that stand. */
	{ MSR_RAPL_UNIT, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_RAPL_PACKAGE, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_RAPL_DRAM, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_RAPL_CORES, 1, INTEL, KIND_CONST, .value = 0 },
	{ MSR_RAPL_GRAPHICS, 1, INTEL, KIND_CONST, .value = 0 },
	/* Four event selectors, four counters. */
	{ MSR_K7_EVNTSEL, 8, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_SYSCFG, 1, AMD, KIND_STATE, STATE(syscfg),
	  .is_valid = valid_syscfg },
	{ MSR_HWCR, 1, AMD, KIND_STATE, STATE(hwcr), .is_valid = valid_hwcr },
	{ MSR_IORR, 4, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_TOP_MEM, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_TOP_MEM2, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_NB_CFG, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_PATCH_LOADER, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_INT_PENDING, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_MMIO_CONFIG, 1, AMD, KIND_IGNORE, .value = 0 },
	/* P-states: limit, control, status, eight of which none is enabled. */
	{ MSR_PSTATE_LIMIT, 11, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_COFVID_STATUS, 1, AMD, KIND_CONST, .value = 0 },
	{ MSR_SMM_BASE, 3, AMD, KIND_IGNORE, .value = 0 }, /* and TSEG's two */
	{ MSR_VM_CR, 1, AMD, KIND_IGNORE,
	  .value = VM_CR_LOCK | VM_CR_SVM_DISABLE, .is_valid = valid_vm_cr },
	{ MSR_SEV_STATUS, 1, AMD, KIND_CONST, .value = 0 },
	/* Load-store, instruction and data cache, table walk and floating
	 * point configuration: bits that turn off parts with errata. */
	{ MSR_LS_CFG, 3, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_TW_CFG, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_FP_CFG, 1, AMD, KIND_IGNORE, .value = 0 },
	{ MSR_DE_CFG, 1, AMD, KIND_STATE, STATE(de_cfg),
	  .is_valid = valid_de_cfg },
	{ MSR_BU_CFG2, 1, AMD, KIND_IGNORE, .value = 0 },
};
/* clang-format on */

static bool is_for(const struct msr_row *row, const struct cpu_msrs *msrs)
{
	return row->vendor == ANY || (row->vendor == AMD) == msrs->is_amd;
}

static const struct msr_row *row_find(const struct cpu_msrs *msrs, uint32_t msr)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (msr - rows[i].first < rows[i].count &&
		    is_for(&rows[i], msrs))
			return &rows[i];
	return NULL;
}

static uint64_t *value_of(const void *state, const struct msr_row *row,
			  uint32_t msr)
{
	return (uint64_t *)((uintptr_t)state + row->at) + (msr - row->first);
}

int cpu_msrs_read(const struct cpu_msrs *msrs, uint32_t msr, uint64_t *value)
{
	const struct msr_row *row = row_find(msrs, msr);

	if (!row)
		return -ENOENT;
	*value = row->kind == KIND_STATE ? *value_of(&msrs->state, row, msr)
					 : row->value;
	if (row->is_valid == valid_mtrr_fixed)
		*value &= ~mtrr_fixed_hidden(msrs);
	return 0;
}

int cpu_msrs_write(struct cpu_msrs *msrs, uint32_t msr, uint64_t value)
{
	const struct msr_row *row = row_find(msrs, msr);

	if (!row)
		return -ENOENT;
	if (row->kind == KIND_CONST)
		return value == row->value ? 0 : -EINVAL;
	if (row->is_valid && !row->is_valid(msrs, msr, value))
		return -EINVAL;
	if (row->kind == KIND_STATE)
		*value_of(&msrs->state, row, msr) = value | row->value;
	return 0;
}

/* ---- The device -------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct cpu_msrs_state, mtrr_default),
	STATE_ARRAY(struct cpu_msrs_state, mtrr_variable),
	STATE_ARRAY(struct cpu_msrs_state, mtrr_fixed),
	STATE_VALUE(struct cpu_msrs_state, mcg_status),
	STATE_VALUE(struct cpu_msrs_state, hwcr, .reset = HWCR_TSC_FREQ_SEL),
	STATE_VALUE(struct cpu_msrs_state, de_cfg),
	STATE_VALUE(struct cpu_msrs_state, syscfg),
	STATE_VALUE(struct cpu_msrs_state, misc_enable,
		    .reset = MISC_FAST_STRINGS | MISC_NO_BTS | MISC_NO_PEBS),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct cpu_msrs_state, fields);

/* What the guest could have written. */
static bool is_valid(const void *dev, const void *state, uint64_t now_ns)
{
	struct cpu_msrs msrs = *(const struct cpu_msrs *)dev;

	(void)now_ns;
	/* It may have hidden them since. */
	msrs.state.syscfg |= SYSCFG_FIX_MOD;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct msr_row *row = &rows[i];

		for (uint32_t j = 0; j < row->count; j++)
			if (row->kind == KIND_STATE && row->is_valid &&
			    !row->is_valid(
				    &msrs, row->first + j,
				    *value_of(state, row, row->first + j)))
				return false;
	}
	return true;
}

static const struct device_ops ops = {
	.name = "cpu_msrs",
	.version = 1,
	.state = &description,
	.is_valid = is_valid,
};

void cpu_msrs_init(struct cpu_msrs *msrs, bool is_amd, uint8_t phys_bits)
{
	msrs->is_amd = is_amd;
	msrs->phys_bits = phys_bits;
	device_init(&msrs->device, &ops, msrs, &msrs->state);
}
