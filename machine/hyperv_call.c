/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: see hyperv.h.  Input is copied before it is looked at.  A flush
 * of some addresses, or of some VPs, is one of all: what they ask for is the
 * least that has to go.
 *
 * Reference: TLFS, "Hypercall Interface", "Virtual MMU", "Virtual Interrupt
 * Controller".
 */
#include "machine/hyperv.h"

#include "lib/string.h"

#define INPUT_CODE     MASK(15, 0)
#define INPUT_VARIABLE MASK(26, 17) /* of the header, in 8 bytes */
#define INPUT_COUNT    MASK(43, 32)
#define INPUT_START    MASK(59, 48)
#define INPUT_RESERVED (MASK(31, 27) | MASK(47, 44) | MASK(63, 60))
#define RESULT_REPS(n) ((uint64_t)(n) << 32)

#define FLUSH_ALL_VPS  BIT(0)
#define FLUSH_RESERVED MASK(63, 4)

#define SET_SPARSE 0
#define SET_ALL	   1
#define SET_BANKS  64

#define VECTOR_FIRST 16
#define VTL_NONE     0
#define VTL_0	     0x10 /* said to be meant */

#define FAST_WORDS 14 /* two general registers, six of XMM */
/* The longest header: that of a flush, with all banks. */
#define WORDS_MAX  (4 + SET_BANKS)

struct call {
	struct hyperv *hv;
	uint64_t word[WORDS_MAX];
	unsigned variable; /* words */
};

struct call_row {
	uint16_t code;
	uint8_t words; /* of the header's fixed part */
	bool is_list;
	bool has_variable;
	uint64_t (*fn)(const struct call *call);
};

/* ---- Sets of VPs ----------------------------------------------------------
 */

static uint64_t all_vps(const struct hyperv *hv)
{
	return MASK(hv->vps - 1, 0);
}

static unsigned bits(uint64_t mask)
{
	unsigned n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

/* At word: format, valid banks, their contents.  Who is not there is left
 * out, as in a mask. */
static uint64_t set_read(const struct call *call, unsigned at, uint64_t *set)
{
	uint64_t banks = call->word[at + 1];

	if (call->word[at] == SET_ALL) {
		*set = all_vps(call->hv);
		return HV_STATUS_SUCCESS;
	}
	if (call->word[at] != SET_SPARSE)
		return HV_STATUS_PARAMETER;
	if (bits(banks) != call->variable)
		return HV_STATUS_INVALID_INPUT;
	*set = banks & 1 ? call->word[at + 2] & all_vps(call->hv) : 0;
	return HV_STATUS_SUCCESS;
}

/* ---- Flushes ------------------------------------------------------------- */

static uint64_t flush(const struct call *call, uint64_t set)
{
	if (call->word[1] & FLUSH_RESERVED)
		return HV_STATUS_PARAMETER;
	if (call->word[1] & FLUSH_ALL_VPS || set & all_vps(call->hv))
		call->hv->ops->flush(call->hv->ctx);
	return HV_STATUS_SUCCESS;
}

static uint64_t call_flush(const struct call *call)
{
	return flush(call, call->word[2]);
}

static uint64_t call_flush_ex(const struct call *call)
{
	uint64_t set, status = set_read(call, 2, &set);

	return status ? status : flush(call, set);
}

/* ---- Interrupts -----------------------------------------------------------
 */

static uint64_t send(const struct call *call, uint64_t set)
{
	const struct hyperv *hv = call->hv;
	uint32_t vector = (uint32_t)call->word[0];
	uint32_t vtl = (uint32_t)(call->word[0] >> 32);

	if (vector < VECTOR_FIRST || vector > 0xff ||
	    (vtl != VTL_NONE && vtl != VTL_0))
		return HV_STATUS_PARAMETER;
	for (unsigned i = 0; i < hv->vps; i++)
		if (set & BIT(i))
			hv->ops->interrupt(hv->ctx, i, (uint8_t)vector);
	return HV_STATUS_SUCCESS;
}

static uint64_t call_send(const struct call *call)
{
	return send(call, call->word[1]);
}

static uint64_t call_send_ex(const struct call *call)
{
	uint64_t set, status = set_read(call, 1, &set);

	return status ? status : send(call, set);
}

/* ---- And others -----------------------------------------------------------
 */

static uint64_t call_spin(const struct call *call)
{
	call->hv->ops->yield(call->hv->ctx);
	return HV_STATUS_SUCCESS;
}

/* clang-format off */
static const struct call_row rows[] = {
	{ 0x0002, 3, false, false, call_flush },
	{ 0x0003, 3, true,  false, call_flush },
	{ 0x0008, 1, false, false, call_spin },
	{ 0x000b, 2, false, false, call_send },
	{ 0x0013, 4, false, true,  call_flush_ex },
	{ 0x0014, 4, true,  true,  call_flush_ex },
	{ 0x0015, 3, false, true,  call_send_ex },
};
/* clang-format on */

static const struct call_row *row_find(uint64_t code)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

bool hyperv_call_needs_xmm(uint64_t value)
{
	const struct call_row *row = row_find(FIELD_GET(INPUT_CODE, value));

	return value & HV_CALL_FAST && row &&
	       (row->words > 2 || value & INPUT_VARIABLE);
}

static bool is_well_formed(const struct call_row *row, uint64_t value)
{
	uint64_t count = FIELD_GET(INPUT_COUNT, value);
	uint64_t start = FIELD_GET(INPUT_START, value);
	uint64_t variable = FIELD_GET(INPUT_VARIABLE, value);

	if (value & INPUT_RESERVED || variable > SET_BANKS ||
	    (variable && !row->has_variable))
		return false;
	return row->is_list ? start < count : !start && !count;
}

static uint64_t fast_fetch(struct call *call, const struct hyperv_input *input,
			   unsigned all)
{
	if (all > FAST_WORDS)
		return HV_STATUS_INVALID_INPUT;
	memcpy(call->word, input->parameter, sizeof(input->parameter));
	if (input->xmm)
		memcpy(call->word + 2, input->xmm,
		       (FAST_WORDS - 2) * sizeof(uint64_t));
	return HV_STATUS_SUCCESS;
}

/* Neither may it cross a page. */
static uint64_t memory_fetch(struct call *call, gpa_t gpa, unsigned header,
			     unsigned all)
{
	const struct hyperv *hv = call->hv;
	uint64_t offset = gpa % PAGE_SIZE;
	const uint8_t *page;

	if (gpa % 8 || offset + all * sizeof(uint64_t) > PAGE_SIZE)
		return HV_STATUS_ALIGNMENT;
	page = hv->ops->page(hv->ctx, gpa - offset);
	if (!page)
		return HV_STATUS_INVALID_INPUT;
	memcpy(call->word, page + offset, header * sizeof(uint64_t));
	return HV_STATUS_SUCCESS;
}

uint64_t hyperv_call(struct hyperv *hv, const struct hyperv_input *input)
{
	const struct call_row *row =
		row_find(FIELD_GET(INPUT_CODE, input->value));
	uint64_t count = FIELD_GET(INPUT_COUNT, input->value), status;
	struct call call = { .hv = hv };
	unsigned header, all;

	if (!row)
		return HV_STATUS_INVALID_CODE;
	if (!is_well_formed(row, input->value))
		return HV_STATUS_INVALID_INPUT;
	call.variable = (unsigned)FIELD_GET(INPUT_VARIABLE, input->value);
	header = row->words + call.variable;
	all = header + (unsigned)count;
	status =
		input->value & HV_CALL_FAST
			? fast_fetch(&call, input, all)
			: memory_fetch(&call, input->parameter[0], header, all);
	if (!status)
		status = row->fn(&call);
	return status ? status : RESULT_REPS(count);
}
