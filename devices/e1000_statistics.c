/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controllers' statistics: they stop at their highest value, and reading
 * one clears it; of those of 64 bits reading the upper half clears both.
 * Lengths are with the FCS, as on the wire.
 *
 * References: the manual's chapter 13.7.
 */
#include "devices/e1000_internal.h"

void e1000_count(struct e1000_core *nic, enum e1000_statistic which)
{
	uint32_t *counter = &nic->state->chip.statistic[which];

	if (*counter != UINT32_MAX)
		++*counter;
}

static void add(struct e1000_core *nic, enum e1000_statistic low,
		uint32_t length)
{
	uint32_t *counter = &nic->state->chip.statistic[low];
	uint64_t value = counter[0] | (uint64_t)counter[1] << 32;

	value = value > UINT64_MAX - length ? UINT64_MAX : value + length;
	counter[0] = (uint32_t)value;
	counter[1] = (uint32_t)(value >> 32);
}

/* 64 bytes; to 127, 255, 511, 1023; more. */
static unsigned size_class(uint32_t length)
{
	static const uint16_t limits[] = { 64, 127, 255, 511, 1023 };
	unsigned i = 0;

	while (i < ARRAY_SIZE(limits) && length > limits[i])
		i++;
	return i;
}

void e1000_count_sent(struct e1000_core *nic, const uint8_t *frame,
		      uint32_t length)
{
	length += NET_FCS_LENGTH;
	e1000_count(nic, E1000_TPT);
	e1000_count(nic, E1000_GPTC);
	e1000_count(nic, E1000_PTC64 + size_class(length));
	if (net_is_broadcast(frame))
		e1000_count(nic, E1000_BPTC);
	else if (frame[0] & 1)
		e1000_count(nic, E1000_MPTC);
	add(nic, E1000_TOTL, length);
	add(nic, E1000_GOTCL, length);
}

void e1000_count_received(struct e1000_core *nic, const uint8_t *frame,
			  uint32_t length)
{
	length += NET_FCS_LENGTH;
	e1000_count(nic, E1000_TPR);
	e1000_count(nic, E1000_GPRC);
	e1000_count(nic, E1000_PRC64 + size_class(length));
	if (net_is_broadcast(frame))
		e1000_count(nic, E1000_BPRC);
	else if (frame[0] & 1)
		e1000_count(nic, E1000_MPRC);
	add(nic, E1000_TORL, length);
	add(nic, E1000_GORCL, length);
}

uint32_t e1000_statistic_read(struct e1000_core *nic, unsigned index)
{
	uint32_t *counter = &nic->state->chip.statistic[index];
	uint32_t value = *counter;

	switch (index) {
	case E1000_GORCL:
	case E1000_GOTCL:
	case E1000_TORL:
	case E1000_TOTL:
		return value;
	case E1000_GORCL + 1:
	case E1000_GOTCL + 1:
	case E1000_TORL + 1:
	case E1000_TOTL + 1:
		counter[-1] = 0;
		break;
	}
	*counter = 0;
	return value;
}
