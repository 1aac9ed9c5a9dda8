/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio's network card: features, configuration, life.  See virtio_net.h. */
#include "devices/virtio_net_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define QUEUE_SIZE 256
#define SPEED_MBIT 10000
#define FULL	   1 /* duplex */

/* clang-format off */
/* The device's own configuration. */
struct net_space {
	uint8_t mac[NET_MAC_LENGTH];
	uint16_t status;
#define STATUS_LINK_UP	BIT(0)
#define STATUS_ANNOUNCE	BIT(1)
	uint16_t pairs_max;
	uint16_t mtu;
	uint32_t speed;		/* Mbit/s */
	uint8_t duplex;
} __packed;
ASSERT_SIZE(struct net_space, 17);

#define FEATURES                                                          \
	(BIT(NET_F_CSUM) | BIT(NET_F_GUEST_CSUM) | BIT(NET_F_MTU) |       \
	 BIT(NET_F_MAC) | BIT(NET_F_HOST_TSO4) | BIT(NET_F_HOST_TSO6) |   \
	 BIT(NET_F_HOST_ECN) | BIT(NET_F_MRG_RXBUF) | BIT(NET_F_STATUS) | \
	 BIT(NET_F_CTRL_VQ) | BIT(NET_F_CTRL_RX) | BIT(NET_F_CTRL_VLAN) | \
	 BIT(NET_F_CTRL_RX_EXTRA) | BIT(NET_F_GUEST_ANNOUNCE) |           \
	 BIT(NET_F_CTRL_MAC_ADDR) | BIT(NET_F_SPEED_DUPLEX))
/* clang-format on */

void virtio_net_fail(struct virtio_net *nic, enum virtio_net_error error)
{
	static const char *const texts[VIRTIO_NET_ERRORS] = {
		[VIRTIO_NET_ERROR_TX_LENGTH] = "a frame of a length that "
					       "cannot be sent",
		[VIRTIO_NET_ERROR_TX_SEGMENT] = "a packet that cannot be cut",
		[VIRTIO_NET_ERROR_RX_LENGTH] = "buffers too small for a frame",
		[VIRTIO_NET_ERROR_CONTROL] = "a command that is refused",
	};

	nic->errors[error]++;
	net_warn(&nic->config.nic.log, "virtio-net", texts[error]);
}

/* ---- Configuration ------------------------------------------------------- */

static struct net_space space_of(const struct virtio_net *nic)
{
	const struct virtio_net_state *state = &nic->state;
	struct net_space space = {
		.status = (uint16_t)((state->is_cable_up ? STATUS_LINK_UP : 0) |
				     (state->is_announcing ? STATUS_ANNOUNCE
							   : 0)),
		.pairs_max = (uint16_t)nic->config.pairs,
		.mtu = nic->config.mtu,
		.speed = SPEED_MBIT,
		.duplex = FULL,
	};

	memcpy(space.mac, state->mac, sizeof(space.mac));
	return space;
}

static void config_read(void *dev, unsigned offset, void *to, unsigned size)
{
	const struct net_space space = space_of(dev);

	memcpy(to, (const uint8_t *)&space + offset, size);
}

/* A legacy driver's address; others have the control queue for it. */
static void config_write(void *dev, unsigned offset, const void *from,
			 unsigned size)
{
	struct virtio_net *nic = dev;

	if (virtio_has(&nic->virtio, NET_F_VERSION_1) ||
	    offset >= NET_MAC_LENGTH)
		return;
	memcpy(nic->state.mac + offset, from,
	       MIN(size, NET_MAC_LENGTH - offset));
}

/* ---- What is left undone ------------------------------------------------- */

/* What the backend's frames need not have. */
#define GUEST_TSO (BIT(NET_F_GUEST_TSO4) | BIT(NET_F_GUEST_TSO6))

unsigned virtio_net_takes(const struct virtio_net *nic)
{
	const struct virtio *virtio = &nic->virtio;

	if (!nic->config.nic.net->accept ||
	    !virtio_has(virtio, NET_F_GUEST_CSUM))
		return 0;
	return NET_UNDONE_SUM |
	       (virtio_has(virtio, NET_F_GUEST_TSO4) ? NET_UNDONE_TCP4 : 0) |
	       (virtio_has(virtio, NET_F_GUEST_TSO6) ? NET_UNDONE_TCP6 : 0);
}

/* The backend is told, of a driver that works or of none. */
static void takes_say(const struct virtio_net *nic)
{
	const struct net_backend *net = nic->config.nic.net;

	if (net->accept)
		net->accept(net->ctx, virtio_is_running(&nic->virtio)
					      ? virtio_net_takes(nic)
					      : 0);
}

static void started(void *dev)
{
	takes_say(dev);
}

/* ---- Work ---------------------------------------------------------------- */

void virtio_net_later(struct virtio_net *nic)
{
	clock_timer_arm(nic->config.nic.clock, &nic->more,
			clock_now(nic->config.nic.clock) + NET_PORT_MORE_NS);
}

static void tx_run_all(struct virtio_net *nic)
{
	for (unsigned i = 0; i < nic->config.pairs; i++)
		virtio_net_tx_run(nic, i);
}

static void more_expired(void *dev)
{
	virtio_net_control_run(dev);
	tx_run_all(dev);
	virtio_net_rx_run(dev);
}

/* More of them are of no interest until they are not enough again. */
static void buffers_have_come(struct virtio_net *nic, unsigned queue)
{
	virtio_queue_watch(&nic->virtio, queue, false);
	virtio_net_rx_run(nic);
}

static void poll_expired(void *dev)
{
	virtio_net_tx_poll(dev);
}

static void notified(void *dev, unsigned queue)
{
	struct virtio_net *nic = dev;

	if (queue == virtio_net_control_queue(nic))
		virtio_net_control_run(nic);
	else if (queue & 1)
		virtio_net_tx_kicked(nic, queue / 2);
	else
		buffers_have_come(nic, queue);
}

/* ---- Life ---------------------------------------------------------------- */

static void received(void *dev)
{
	virtio_net_rx_run(dev);
}

static void writable(void *dev)
{
	tx_run_all(dev);
}

static void link_changed(void *dev, bool is_up)
{
	struct virtio_net *nic = dev;

	if (nic->state.is_cable_up == is_up)
		return;
	nic->state.is_cable_up = is_up;
	nic->state.is_announcing =
		is_up && virtio_has(&nic->virtio, NET_F_GUEST_ANNOUNCE);
	virtio_config_changed(&nic->virtio);
}

/* All that a driver has said is forgotten. */
static void driver_forget(struct virtio_net *nic)
{
	struct virtio_net_state *state = &nic->state;

	memcpy(state->mac, nic->config.nic.net->mac, sizeof(state->mac));
	memset(state->sent, 0, sizeof(state->sent));
	memset(state->pair_of, 0, sizeof(state->pair_of));
	state->pairs = 1;
	state->is_announcing = false;
	virtio_net_filter_reset(nic);
	memset(state->kicks, 0, sizeof(state->kicks));
	nic->unflushed = 0;
	nic->unshown = 0;
	clock_timer_disarm(nic->config.nic.clock, &nic->more);
	clock_timer_disarm(nic->config.nic.clock, &nic->poll);
}

static void stopped(void *dev)
{
	driver_forget(dev);
	takes_say(dev);
}

static void queue_stopped(void *dev, unsigned queue)
{
	struct virtio_net *nic = dev;

	nic->unflushed &= ~(uint32_t)BIT(queue);
	if (queue & 1)
		nic->state.sent[queue / 2] = 0;
}

static void ops_reset(void *dev)
{
	struct virtio_net *nic = dev;

	virtio_reset(&nic->virtio);
	driver_forget(nic);
	takes_say(nic);
	net_port_release(&nic->port);
}

static void ops_restored(void *dev)
{
	struct virtio_net *nic = dev;

	nic->unflushed = 0;
	nic->unshown = 0;
	virtio_restored(&nic->virtio);
	takes_say(nic);
}

/* What was sent and not shown is in nobody's state; soon it is shown. */
static bool is_idle(const void *dev)
{
	return !((const struct virtio_net *)dev)->unflushed;
}

const struct device_ops virtio_net_ops = {
	.name = "virtio_net",
	.version = 1,
	.state = &virtio_net_description,
	.reset = ops_reset,
	.restored = ops_restored,
	.is_valid = virtio_net_is_valid,
	.is_idle = is_idle,
};

static const struct virtio_ops transport_ops = {
	.notified = notified,
	.started = started,
	.stopped = stopped,
	.queue_stopped = queue_stopped,
	.config_read = config_read,
	.config_write = config_write,
};

void virtio_net_reset(struct virtio_net *nic)
{
	device_reset(&nic->device);
}

static int transport_init(struct virtio_net *nic)
{
	const struct virtio_net_config *config = &nic->config;
	const struct virtio_config transport = {
		.ops = &transport_ops,
		.dev = nic,
		.pci = config->nic.pci,
		.devfn = config->nic.devfn,
		.ram = config->nic.ram,
		.name = "virtio-net",
		.kind = VIRTIO_KIND_NET,
		.class = NET_CLASS_ETHERNET,
		.queue_count = (uint16_t)(2 * config->pairs + 1),
		.queue_size = QUEUE_SIZE,
		.config_size = sizeof(struct net_space),
		.features = FEATURES | (config->pairs > 1 ? BIT(NET_F_MQ) : 0) |
			    (config->nic.net->accept ? GUEST_TSO : 0),
		.is_transitional = config->is_transitional,
		.rom = config->nic.rom,
		.rom_length = config->nic.rom_length,
		.log = &nic->config.nic.log,
	};

	return virtio_init(&nic->virtio, &transport, &nic->state.virtio);
}

int virtio_net_init(struct virtio_net *nic,
		    const struct virtio_net_config *config)
{
	const struct net_device device = {
		.received = received,
		.writable = writable,
		.link_changed = link_changed,
		.dev = nic,
	};
	const struct net_backend *net = config->nic.net;
	int error;

	if (!config->pairs || config->pairs > NET_PAIRS_MAX ||
	    config->mtu < NET_MTU_MIN || config->mtu > NET_MTU_MAX)
		return -EINVAL;
	memset(nic, 0, sizeof(*nic));
	nic->config = *config;
	device_init(&nic->device, &virtio_net_ops, nic, &nic->state);
	device_timer_init(&nic->device, config->nic.clock, &nic->more,
			  more_expired, nic, &nic->state.more_ns);
	device_timer_init(&nic->device, config->nic.clock, &nic->poll,
			  poll_expired, nic, &nic->state.poll_ns);
	nic->port.net = net;
	error = transport_init(nic);
	if (error)
		return error;
	driver_forget(nic);
	nic->state.is_cable_up = net->is_link_up;
	net->attach(net->ctx, &device);
	return 0;
}
