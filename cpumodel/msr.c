/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSR policy: see msr.h.
 *
 * Does not model: branch records (DEBUGCTL ignores writes), speculation
 * controls (hidden).
 *
 * References: SDM volume 3, "Page Attribute Table"; SDM volume 4; APM volume 2,
 * "Extended Feature Enable Register", "MSR Cross-Reference".
 */
#include "cpumodel/msr.h"

#include "include/errno.h"
#include "include/x86_msr.h"
#include "lib/string.h"

#define MSR_TSC_ADJUST 0x0000003b

/* Where a register's value lives. */
enum msr_kind {
	KIND_IGNORE, /* reads 0; writes are dropped */
	KIND_STATE,  /* in struct x86_state; .at is the offset, .group where */
	KIND_VENDOR, /* the back end's */
	KIND_FILE,   /* computed by .read and .write */
};

struct msr_row {
	uint32_t msr;
	uint8_t kind;
	uint16_t at;
	uint16_t group;
	/* Writes of other values raise #GP; NULL: any will do. */
	bool (*is_valid)(uint64_t value);
	uint64_t (*read)(struct msr_file *file);
	int (*write)(struct msr_file *file, uint64_t value);
};

/* ---- What may be written ----------------------------------------------- */

static bool is_memory_type(uint64_t type)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 7);
}

static bool valid_pat(uint64_t pat)
{
	for (unsigned i = 0; i < 8; i++, pat >>= 8)
		if (!is_memory_type(pat & 0xff))
			return false;
	return true;
}

static bool valid_canonical(uint64_t value)
{
	return x86_is_canonical(value);
}

static bool valid_32(uint64_t value)
{
	return value >> 32 == 0;
}

static bool valid_debugctl(uint64_t value)
{
	return (value & ~MASK(15, 0)) == 0;
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

static int efer_write(struct msr_file *file, uint64_t value)
{
	struct x86_state *state =
		file->ops->state(file->ctx, X86_GROUP_CONTROL);
	int error;

	error = msr_efer_check(*file->efer_valid, state->cr0, state->efer,
			       value, &value);
	if (error)
		return error;
	state->efer = value;
	state->dirty |= X86_GROUP_CONTROL;
	return 0;
}

static uint64_t efer_read(struct msr_file *file)
{
	return file->ops->state(file->ctx, X86_GROUP_CONTROL)->efer;
}

static uint64_t tsc_read_value(struct msr_file *file)
{
	return file->ops->tsc_get(file->ctx);
}

/* Writing the counter shows in TSC_ADJUST, and the other way round. */
static int tsc_write_value(struct msr_file *file, uint64_t value)
{
	uint64_t old = file->ops->tsc_get(file->ctx);

	file->tsc_adjust += value - old;
	file->ops->tsc_set(file->ctx, value);
	return 0;
}

static int tsc_adjust_write(struct msr_file *file, uint64_t value)
{
	uint64_t delta = value - file->tsc_adjust;

	file->tsc_adjust = value;
	file->ops->tsc_set(file->ctx, file->ops->tsc_get(file->ctx) + delta);
	return 0;
}

static uint64_t tsc_adjust_read(struct msr_file *file)
{
	return file->tsc_adjust;
}

/* ---- The table --------------------------------------------------------- */

/* Where in struct x86_state it is, and what may be written there. */
#define SYSCALL(member, valid)                          \
	.kind = KIND_STATE, .group = X86_GROUP_SYSCALL, \
	.at = offsetof(struct x86_state, member), .is_valid = (valid)
#define SEG_BASE(s, valid)                               \
	.kind = KIND_STATE, .group = X86_GROUP_SEGMENTS, \
	.at = offsetof(struct x86_state, seg) +          \
	      (s) * sizeof(struct x86_segment) +         \
	      offsetof(struct x86_segment, base),        \
	.is_valid = (valid)

/* clang-format off */
/* Sorted by number. */
static const struct msr_row rows[] = {
	{ MSR_TSC, KIND_FILE, .read = tsc_read_value,
	  .write = tsc_write_value },
	{ MSR_TSC_ADJUST, KIND_FILE, .read = tsc_adjust_read,
	  .write = tsc_adjust_write },
	{ MSR_SYSENTER_CS, SYSCALL(sysenter_cs, valid_32) },
	{ MSR_SYSENTER_ESP, SYSCALL(sysenter_esp, valid_canonical) },
	{ MSR_SYSENTER_EIP, SYSCALL(sysenter_eip, valid_canonical) },
	{ MSR_DEBUGCTL, KIND_IGNORE, .is_valid = valid_debugctl },
	{ MSR_PAT, KIND_VENDOR, .is_valid = valid_pat },
	{ MSR_EFER, KIND_FILE, .read = efer_read, .write = efer_write },
	{ MSR_STAR, SYSCALL(star, NULL) },
	{ MSR_LSTAR, SYSCALL(lstar, valid_canonical) },
	{ MSR_CSTAR, SYSCALL(cstar, valid_canonical) },
	{ MSR_SFMASK, SYSCALL(sfmask, valid_32) },
	{ MSR_FS_BASE, SEG_BASE(X86_FS, valid_canonical) },
	{ MSR_GS_BASE, SEG_BASE(X86_GS, valid_canonical) },
	{ MSR_KERNEL_GS_BASE, SYSCALL(kernel_gs_base, valid_canonical) },
	{ MSR_TSC_AUX, KIND_VENDOR, .is_valid = valid_32 },
};
/* clang-format on */

static const struct msr_row *row_find(uint32_t msr)
{
	unsigned low = 0, high = ARRAY_SIZE(rows);

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (msr == rows[middle].msr)
			return &rows[middle];
		if (msr < rows[middle].msr)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
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
	row = row_find(msr);
	if (!row)
		return -ENOENT;
	switch ((enum msr_kind)row->kind) {
	case KIND_IGNORE:
		*value = 0;
		return 0;
	case KIND_STATE:
		*value = *state_member(file, row);
		return 0;
	case KIND_VENDOR:
		return file->ops->vendor_get(file->ctx, msr, value);
	case KIND_FILE:
		break;
	}
	*value = row->read(file);
	return 0;
}

int msr_file_write(struct msr_file *file, uint32_t msr, uint64_t value)
{
	const struct msr_row *row;

	if (is_apic_msr(msr))
		return apic_msr_write(file->apic, msr, value);
	row = row_find(msr);
	if (!row)
		return -ENOENT;
	if (row->is_valid && !row->is_valid(value))
		return -EINVAL;
	switch ((enum msr_kind)row->kind) {
	case KIND_IGNORE:
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
	return row->write(file, value);
}

void msr_reset(struct msr_file *file)
{
	file->tsc_adjust = 0;
}

void msr_init(struct msr_file *file, struct apic *apic,
	      const uint64_t *efer_valid, const struct msr_ops *ops, void *ctx)
{
	memset(file, 0, sizeof(*file));
	file->apic = apic;
	file->efer_valid = efer_valid;
	file->ops = ops;
	file->ctx = ctx;
}
