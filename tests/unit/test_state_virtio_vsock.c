/* SPDX-License-Identifier: BSD-2-Clause */
/* State of virtio's sockets, with packets of drivers and peers at random. */
#include "tests/unit/state_virtio.h"

#include "devices/virtio_vsock.h"

#define DEVFN PCI_DEVFN(28, 0)
#define CID   3
#define PEER  4

struct model {
	struct pci_bus pci;
	struct guest_ram ram;
	struct virtio_vsock vsock;
	struct vsock_backend backend;
	struct vsock_device device;
	bool is_full, is_gone;
	uint32_t waiting; /* the packet's length, 0: none */
	struct {
		struct vsock_header header;
		uint8_t payload[256];
	} packet;
};

static void attach(void *ctx, const struct vsock_device *device)
{
	((struct model *)((struct rig *)ctx)->model)->device = *device;
}

static enum vsock_sent send(void *ctx, unsigned peer,
			    const struct vsock_header *header,
			    const void *payload)
{
	struct rig *rig = ctx;
	const struct model *model = rig->model;
	const uint8_t *bytes = payload;

	if (model->is_gone)
		return VSOCK_GONE;
	if (model->is_full)
		return VSOCK_FULL;
	assert_true(peer < 2 && header->length <= VSOCK_PAYLOAD_MAX);
	rig_note(rig, header->operation);
	rig_note(rig, header->length);
	for (uint32_t i = 0; i < header->length; i++)
		rig_note(rig, bytes[i]);
	return VSOCK_SENT;
}

static const uint8_t *receive(void *ctx, unsigned peer, uint32_t *length)
{
	struct model *model = ((struct rig *)ctx)->model;

	*length = model->waiting;
	return model->waiting && !peer ? (const uint8_t *)&model->packet : NULL;
}

static void release(void *ctx, unsigned peer)
{
	(void)peer;
	((struct model *)((struct rig *)ctx)->model)->waiting = 0;
}

static void intx(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)devfn;
	rig_line(ctx, pin, level);
}

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	const struct virtio_vsock_config config = {
		.pci = &model->pci,
		.devfn = DEVFN,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.backend = &model->backend,
	};

	model->ram = (struct guest_ram){ 1, { { 0, SV_MEMORY, rig->memory } } };
	model->backend = (struct vsock_backend){
		.attach = attach,
		.send = send,
		.receive = receive,
		.release = release,
		.ctx = rig,
		.cid = CID,
		.peer_count = 2,
		.peer = { PEER, PEER + 1 },
	};
	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->pci.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
	model->pci.intx_set = intx;
	model->pci.intx_ctx = rig;
	assert_int_equal(virtio_vsock_init(&model->vsock, &config), 0);
	return &model->vsock.device;
}

static struct sv_driver driver_of(struct rig *rig)
{
	struct model *model = rig->model;

	return (struct sv_driver){ &model->pci, DEVFN, 3, 1, 0, 0 };
}

static struct vsock_header header_make(uint32_t random, bool is_own)
{
	uint64_t cid = random & 0x300 ? PEER : PEER + (random >> 10 & 3);
	struct vsock_header header = {
		.from = is_own ? CID : cid,
		.to = is_own ? cid : CID,
		.from_port = random & 1,
		.to_port = random >> 1 & 1,
		.type = random & 0xf000 ? VSOCK_STREAM : 2,
		.operation = (uint16_t)(random >> 16 & 7),
	};

	if (header.operation == VSOCK_DATA)
		header.length = random >> 20 & 0xff;
	return header;
}

static void driver_sends(struct rig *rig)
{
	uint32_t random = rig_random(rig);
	const struct vsock_header header = header_make(random, true);

	sv_put(rig, SV_DATA, &header, sizeof(header));
	sv_chain(rig, 1, SV_DATA,
		 (uint32_t)sizeof(header) + (random & 4 ? header.length : 9),
		 0);
}

static void peer_sends(struct rig *rig)
{
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);

	if (model->waiting)
		return;
	model->packet.header = header_make(random, false);
	for (unsigned i = 0; i < sizeof(model->packet.payload); i++)
		model->packet.payload[i] = (uint8_t)(random >> i % 23);
	model->waiting = (uint32_t)sizeof(struct vsock_header) +
			 model->packet.header.length;
	if (!(random & 0x70))
		model->waiting -= random & 0xf;
	model->device.received(model->device.dev);
}

static void backend_changes(struct rig *rig, uint32_t random)
{
	struct model *model = rig->model;

	model->is_full = random & 1;
	model->is_gone = !(random & 6);
	if (model->is_gone)
		model->device.lost(model->device.dev, random >> 3 & 1);
	if (!model->is_full)
		model->device.writable(model->device.dev, random >> 3 & 1);
}

static void input(struct rig *rig)
{
	const struct sv_driver driver = driver_of(rig);
	uint32_t random = rig_random(rig);

	switch (random % 16) {
	case 0:
		sv_start(rig, &driver);
		break;
	case 1:
		sv_chains_make(rig, &driver);
		break;
	case 2:
		backend_changes(rig, random >> 8);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		sv_chain(rig, 0, SV_DATA + 0x1000, 44 + (random >> 8 & 0x7f),
			 VIRTQ_WRITE);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		peer_sends(rig);
		break;
	default:
		driver_sends(rig);
	}
}

/* What waits outside of the device is no state of its. */
static void drain(struct rig *rig)
{
	struct model *model = rig->model;

	sv_set(rig, VIRTIO_COMMON_STATUS, 1, 0);
	for (unsigned i = 0; i < VSOCK_PEERS_MAX; i++)
		model->vsock.held[i].record = NULL;
	model->waiting = 0;
}

static void copy(struct rig *to, const struct rig *from)
{
	struct model *model = to->model;
	const struct model *other = from->model;

	model->packet = other->packet;
	model->is_full = other->is_full;
	model->is_gone = other->is_gone;
	model->vsock.turn = other->vsock.turn;
	model->vsock.waiting = other->vsock.waiting;
}

static const struct subject_region regions[] = { SV_REGIONS };

static const struct subject subjects[] = {
	{ .name = "virtio_vsock",
	  .size = sizeof(struct model),
	  .memory_size = SV_MEMORY,
	  .build = build,
	  .regions = regions,
	  .region_count = ARRAY_SIZE(regions),
	  .step_shift = 24,
	  .input = input,
	  .drain = drain,
	  .copy = copy },
};

int main(void)
{
	return subjects_run("state_virtio_vsock", subjects,
			    ARRAY_SIZE(subjects), NULL, 0);
}
