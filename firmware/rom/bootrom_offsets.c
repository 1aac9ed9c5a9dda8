/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware/rom/bootrom.asm knows of its handover.
 */
#include "firmware/bootrom.h"
#include "firmware/direct_internal.h"
#include "include/offsets.h"

void offsets(void);

void offsets(void)
{
	OFFSET(HANDOVER_EIP, struct bootrom_handover, eip);
	OFFSET(HANDOVER_EAX, struct bootrom_handover, eax);
	OFFSET(HANDOVER_EBX, struct bootrom_handover, ebx);
	OFFSET(HANDOVER_ESI, struct bootrom_handover, esi);
	OFFSET(HANDOVER_MAP_GPA, struct bootrom_handover, map.gpa);
	OFFSET(HANDOVER_MAP_STRIDE, struct bootrom_handover, map.stride);
	OFFSET(HANDOVER_MAP_AT, struct bootrom_handover, map.at);
	OFFSET(HANDOVER_MAP_MAX, struct bootrom_handover, map.max);
	OFFSET(HANDOVER_MAP_COUNT, struct bootrom_handover, map.count_gpa);
	OFFSET(HANDOVER_MAP_SCALE, struct bootrom_handover, map.count_scale);
	OFFSET(HANDOVER_LOWER, struct bootrom_handover, map.lower_gpa);
	OFFSET(HANDOVER_UPPER, struct bootrom_handover, map.upper_gpa);
	OFFSET(HANDOVER_COUNT, struct bootrom_handover, count);
	OFFSET(HANDOVER_PIECES, struct bootrom_handover, piece);
	OFFSET(PIECE_OFFSET, struct bootrom_piece, offset);
	OFFSET(PIECE_LENGTH, struct bootrom_piece, length);
	OFFSET(PIECE_FILL, struct bootrom_piece, size);
	OFFSET(PIECE_GPA, struct bootrom_piece, gpa);
	CONSTANT(PIECE_SIZE, sizeof(struct bootrom_piece));
	CONSTANT(HANDOVER_SIZE, sizeof(struct bootrom_handover));
	CONSTANT(BOOTROM_SIZE, BOOTROM_SIZE);
	CONSTANT(FW_CFG_NOTHING, BOOTROM_KEY_NOTHING);
	CONSTANT(FW_CFG_HANDOVER, BOOTROM_KEY_HANDOVER);
	CONSTANT(DIRECT_DATA_BASE, DIRECT_DATA_BASE);
	CONSTANT(DIRECT_INFO_SIZE, DIRECT_INFO_SIZE);
	CONSTANT(DIRECT_CODE_SELECTOR, DIRECT_CODE_SELECTOR);
	CONSTANT(DIRECT_DATA_SELECTOR, DIRECT_DATA_SELECTOR);
	CONSTANT(DIRECT_GDT_GPA, DIRECT_GDT_GPA);
}
