/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of network cards' states share: a PCI bus, memory, and a network
 * with a frame that waits or none, and that is full or not.
 */
#ifndef BULKHEAD_TESTS_UNIT_STATE_NET_H
#define BULKHEAD_TESTS_UNIT_STATE_NET_H

#include "tests/unit/state_test.h"

#include "devices/net_port.h"
#include "devices/pci.h"
#include "include/net.h"
#include "lib/user/net_segments.h"

#define MEMORY KIB(64)
#define DEVFN  PCI_DEVFN(3, 0)
#define BAR0   0xe0000000U

/* The first member of a subject's model. */
struct net_model {
	struct pci_bus pci;
	struct guest_ram ram;
	struct net_backend net;
	struct net_device device;
	uint8_t frame[NET_FRAME_MAX];
	uint32_t waiting; /* the frame's length, 0: none */
	struct net_offload offload;
	unsigned accepted; /* enum net_undone */
	bool is_full;
};

static void attach(void *ctx, const struct net_device *device)
{
	((struct net_model *)((struct rig *)ctx)->model)->device = *device;
}

static bool send(void *ctx, const struct net_segment *segment, unsigned count)
{
	struct rig *rig = ctx;
	struct net_model *model = rig->model;

	if (model->is_full)
		return false;
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *bytes = segment[i].host;

		rig_note(rig, segment[i].length);
		assert_true(segment[i].length <= NET_PACKET_MAX);
		for (uint32_t k = 0; k < segment[i].length; k += 13)
			rig_note(rig, bytes[k]);
	}
	return true;
}

/* Of cards that send packets. */
static bool send_packet(void *ctx, const struct net_offload *offload,
			const struct net_segment *segment, unsigned count)
{
	struct rig *rig = ctx;
	uint32_t length = 0;

	for (unsigned i = 0; i < count; i++)
		length += segment[i].length;
	assert_true(count <= NET_PIECES_MAX && length >= NET_FRAME_MIN &&
		    net_offload_check(offload, length));
	rig_note(rig, offload->undone);
	rig_note(rig, offload->mss);
	rig_note(rig, offload->sum_start);
	rig_note(rig, offload->sum_offset);
	return send(ctx, segment, count);
}

static void accept(void *ctx, unsigned undone)
{
	struct net_model *model = ((struct rig *)ctx)->model;

	assert_false(undone & ~(unsigned)NET_UNDONE_ALL);
	model->accepted = undone;
}

static const void *receive(void *ctx, uint32_t *length)
{
	struct net_model *model = ((struct rig *)ctx)->model;

	*length = model->waiting;
	return model->waiting ? model->frame : NULL;
}

static void release(void *ctx)
{
	((struct net_model *)((struct rig *)ctx)->model)->waiting = 0;
}

static void intx(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)devfn;
	rig_line(ctx, pin, level);
}

/* The bus and the backend, before the card. */
static void net_model_init(struct rig *rig)
{
	struct net_model *model = rig->model;

	model->ram = (struct guest_ram){ 1, { { 0, MEMORY, rig->memory } } };
	model->net = (struct net_backend){
		.attach = attach,
		.send = send,
		.send_packet = send_packet,
		.accept = accept,
		.offload = &model->offload,
		.receive = receive,
		.release = release,
		.ctx = rig,
		.mac = { 0x52, 0x54, 0, 1, 2, 3 },
		.is_link_up = true,
	};
	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->pci.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
	model->pci.intx_set = intx;
	model->pci.intx_ctx = rig;
}

/* What its card is built with. */
static inline struct nic_config net_model_config(struct rig *rig)
{
	struct net_model *model = rig->model;

	return (struct nic_config){
		.pci = &model->pci,
		.devfn = DEVFN,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.net = &model->net,
	};
}

static void frame_put(struct rig *rig)
{
	struct net_model *model = rig->model;
	uint32_t random = rig_random(rig);

	if (model->waiting)
		return;
	model->waiting = NET_FRAME_MIN + random % 2000;
	if (random & BIT(30))
		model->waiting = random % (NET_FRAME_MAX + 100);
	model->waiting = MIN(MAX(model->waiting, 1U), (uint32_t)NET_FRAME_MAX);
	for (unsigned i = 0; i < 64; i++)
		model->frame[i] = (uint8_t)(random >> i % 23);
	model->frame[12] = random & BIT(28) ? 0x08 : 0x81;
	model->frame[13] = 0;
	if (random & BIT(29))
		model->frame[14] = 0x45;
	model->offload = (struct net_offload){ 0 };
	if (random & BIT(27)) {
		model->frame[34 + 12] = 0x50;
		model->offload = (struct net_offload){
			.undone = (uint16_t)(random >> 3 & 15),
			.mss = (uint16_t)(random >> 7 & 0x7ff),
			.sum_start = random & BIT(26) ? 34 : random >> 5 & 255,
			.sum_offset = random & BIT(25) ? 16 : random & 255,
		};
	}
	model->device.received(model->device.dev);
}

/* What the network does, and who configures the bus. */
static void net_input(struct rig *rig, uint32_t random)
{
	struct net_model *model = rig->model;

	switch (random % 8) {
	case 0:
		model->device.link_changed(model->device.dev, random & 256);
		break;
	case 1:
		model->is_full = random & 256;
		if (!model->is_full)
			model->device.writable(model->device.dev);
		break;
	case 2:
		pci_config_write(&model->pci, DEVFN, random >> 8 & 0xff, 1,
				 random >> 16 & 0xff);
		break;
	default:
		frame_put(rig);
	}
}

static void net_copy(struct rig *to, const struct rig *from)
{
	struct net_model *model = to->model;
	const struct net_model *other = from->model;

	memcpy(model->frame, other->frame, sizeof(model->frame));
	model->is_full = other->is_full;
	model->offload = other->offload;
}

#endif
