/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMware's backdoor, as far as drivers of an absolute pointer go: those for
 * DOS and Windows 3.x to NT, Linux' vmmouse, X.org's.
 *
 * IN EAX, DX at port 5658h with a magic number in EAX is a call: CX says which,
 * EBX has its parameter, and results come in EAX, EBX, ECX, EDX, ESI, EDI:
 *
 *	10	version: EAX 6, EBX the magic number, ECX a product
 *	39	data: EBX words out of the pointer's queue, 1 to 6
 *	40	status: bits 31-16 FFFFh while the pointer is off, else 0; bits
 *		15-0 how many words there are
 *	41	command in EBX: on, off, absolute, relative
 *
 * Any other call gives EAX FFFFFFFFh; without the magic number nobody is there.
 * A report is four words: buttons with bit 16 for relative movement, x, y,
 * wheel.  Places are 0 to FFFFh on either axis, movement is to the right and
 * upwards, the wheel's towards the user.  Whoever has reported tells the driver
 * by a packet of the PS/2 mouse, whose contents it does not look at.
 *
 * Not modelled: the "high bandwidth" port 5659h, messages, who may call
 * (command 86): whoever has the port may.
 *
 * References: VMware, open-vm-tools, "backdoor_def.h"; Ken Kato, "VMware
 * Backdoor I/O Port"; Linux, "vmmouse".
 */
#ifndef BULKHEAD_DEVICES_VMWARE_H
#define BULKHEAD_DEVICES_VMWARE_H

#include "include/device.h"

#define VMWARE_QUEUE	 64 /* words */
#define VMWARE_PLACE_MAX 0xffff

struct vmware_state {
	uint32_t queue[VMWARE_QUEUE];
	uint32_t head, count;
	bool is_on;
	bool is_absolute;
	/* The queue's last four words are a report, if they are still there. */
	bool is_report_last;
	uint8_t reserved[1];
};

struct vmware_ops {
	/* The general registers of who accesses the port, in x86_state.h's
	 * order. */
	uint64_t *(*registers)(void *ctx);
	/* Has the PS/2 mouse send something. */
	void (*notify)(void *ctx);
	/* A driver wants places from now on, or does no longer.  NULL: nobody
	 * cares. */
	void (*changed)(void *ctx);
};

struct vmware {
	struct device device;
	struct vmware_state state;
	const struct vmware_ops *ops;
	void *ctx;
};

struct vmware_report {
	bool is_relative;
	int32_t x, y; /* a place; or movement to the right, upwards */
	int32_t wheel;
	uint8_t buttons; /* I8042_BUTTON_* */
};

extern const struct device_ops vmware_device_ops;

int __must_check vmware_init(struct vmware *vmware, struct bus *ports,
			     const struct vmware_ops *ops, void *ctx);
/* A driver has the pointer; of one that is not there it is false, too. */
bool vmware_is_on(const struct vmware *vmware);
/* And wants places. */
bool vmware_is_absolute(const struct vmware *vmware);
/* Of a pointer that is on.  One that finds no room is lost; movement to a place
 * with the same buttons takes the last one's stead. */
void vmware_report(struct vmware *vmware, const struct vmware_report *report);

#endif
