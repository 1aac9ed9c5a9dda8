/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio's sockets between guests: configuration and life.  See
 * virtio_vsock.h. */
#include "devices/virtio_vsock_internal.h"

#include "lib/string.h"

#define QUEUE_SIZE  128
#define CLASS_OTHER 0x0780 /* of PCI: communication */
#define F_STREAM    BIT(0)
#define MORE_NS	    1000

void virtio_vsock_fail(struct virtio_vsock *vsock,
		       enum virtio_vsock_error error)
{
	static const char *const texts[VIRTIO_VSOCK_ERRORS] = {
		[VIRTIO_VSOCK_ERROR_DRIVER] = "vsock: the driver's packet "
					      "makes no sense",
		[VIRTIO_VSOCK_ERROR_PEER] = "vsock: a peer's packet makes no "
					    "sense",
		[VIRTIO_VSOCK_ERROR_HOST] = "vsock: a connection to the host "
					    "is refused: no control in the "
					    "manifest",
	};
	const struct device_log *log = vsock->config.log;

	vsock->errors[error]++;
	if (log && log->print)
		log->print(log->ctx, DEVICE_LOG_WARN, texts[error]);
}

void virtio_vsock_later(struct virtio_vsock *vsock)
{
	clock_timer_arm(vsock->config.clock, &vsock->more,
			clock_now(vsock->config.clock) + MORE_NS);
}

/* ---- The driver ---------------------------------------------------------- */

static void config_read(void *dev, unsigned offset, void *to, unsigned size)
{
	const struct virtio_vsock *vsock = dev;
	const uint64_t cid = vsock->config.backend->cid;

	memcpy(to, (const uint8_t *)&cid + offset, size);
}

/* The event that all connections are over, once there is a buffer for it. */
static void event_run(struct virtio_vsock *vsock)
{
	static const uint32_t transport_reset;
	struct virtio_chain *chain = &vsock->chain;
	struct virtio *virtio = &vsock->virtio;

	if (!vsock->state.is_event_owed || !virtio_is_running(virtio)) {
		virtio_queue_watch(virtio, VSOCK_QUEUE_EVENT, false);
		return;
	}
	if (virtio_queue_take_or_watch(virtio, VSOCK_QUEUE_EVENT, chain) <= 0)
		return;
	vsock->state.is_event_owed = false;
	virtio_queue_return(virtio, chain,
			    virtio_chain_write(chain, 0, &transport_reset,
					       sizeof(transport_reset)));
	virtio_queue_flush(virtio, VSOCK_QUEUE_EVENT);
}

static void notified(void *dev, unsigned queue)
{
	struct virtio_vsock *vsock = dev;

	if (queue == VSOCK_QUEUE_EVENT)
		event_run(vsock);
	if (queue == VSOCK_QUEUE_RX) {
		virtio_queue_watch(&vsock->virtio, queue, false);
		virtio_vsock_rx_run(vsock);
	}
	virtio_vsock_tx_run(vsock);
}

static void more_expired(void *dev)
{
	virtio_vsock_rx_run(dev);
	virtio_vsock_tx_run(dev);
}

/* The peer has taken nothing for so long that others do not wait for it. */
static void patience_expired(void *dev)
{
	struct virtio_vsock *vsock = dev;

	vsock->state.stuck |= (uint8_t)BIT(vsock->waiting);
	vsock_lose(vsock, vsock->waiting);
	virtio_vsock_rx_run(vsock);
	virtio_vsock_tx_run(vsock);
}

/* ---- The backend --------------------------------------------------------- */

static void received(void *dev)
{
	virtio_vsock_rx_run(dev);
}

static void writable(void *dev, unsigned peer)
{
	struct virtio_vsock *vsock = dev;

	vsock->state.stuck &= (uint8_t)~BIT(peer);
	if (peer == vsock->waiting)
		clock_timer_disarm(vsock->config.clock, &vsock->patience);
	virtio_vsock_tx_run(vsock);
}

static void lost(void *dev, unsigned peer)
{
	struct virtio_vsock *vsock = dev;

	virtio_vsock_drop(vsock, peer);
	vsock_lose(vsock, peer);
	writable(vsock, peer);
	virtio_vsock_rx_run(vsock);
}

/* ---- Life ---------------------------------------------------------------- */

/* A driver that goes has left its connections. */
static void driver_forget(struct virtio_vsock *vsock)
{
	vsock_forget(vsock);
	vsock->state.sent = 0;
	vsock->state.is_event_owed = false;
	for (unsigned i = 0; i < VSOCK_PEERS_MAX; i++)
		virtio_vsock_drop(vsock, i);
	clock_timer_disarm(vsock->config.clock, &vsock->more);
	clock_timer_disarm(vsock->config.clock, &vsock->patience);
}

static void stopped(void *dev)
{
	driver_forget(dev);
}

static void queue_stopped(void *dev, unsigned queue)
{
	struct virtio_vsock *vsock = dev;

	if (queue == VSOCK_QUEUE_TX)
		vsock->state.sent = 0;
}

static void ops_reset(void *dev)
{
	struct virtio_vsock *vsock = dev;

	virtio_reset(&vsock->virtio);
	driver_forget(vsock);
}

static void ops_restored(void *dev)
{
	struct virtio_vsock *vsock = dev;

	vsock_forget(vsock);
	virtio_restored(&vsock->virtio);
	vsock->state.is_event_owed |= virtio_is_running(&vsock->virtio);
	event_run(vsock);
}

/* A packet that waits here is in nobody's state. */
static bool is_idle(const void *dev)
{
	const struct virtio_vsock *vsock = dev;

	for (unsigned i = 0; i < VSOCK_PEERS_MAX; i++)
		if (vsock->held[i].record)
			return false;
	return true;
}

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct virtio_vsock *vsock = dev;
	const struct virtio_vsock_state *state = saved;

	(void)now_ns;
	return virtio_is_valid(&vsock->virtio, &state->virtio);
}

const struct device_ops virtio_vsock_ops = {
	.name = "virtio_vsock",
	.version = 1,
	.state = &virtio_vsock_description,
	.reset = ops_reset,
	.restored = ops_restored,
	.is_valid = is_valid,
	.is_idle = is_idle,
};

static const struct virtio_ops transport_ops = {
	.notified = notified,
	.stopped = stopped,
	.queue_stopped = queue_stopped,
	.config_read = config_read,
};

void virtio_vsock_reset(struct virtio_vsock *vsock)
{
	device_reset(&vsock->device);
}

static int transport_init(struct virtio_vsock *vsock)
{
	const struct virtio_vsock_config *config = &vsock->config;
	const struct virtio_config transport = {
		.ops = &transport_ops,
		.dev = vsock,
		.pci = config->pci,
		.devfn = config->devfn,
		.ram = config->ram,
		.name = "virtio-vsock",
		.kind = VIRTIO_KIND_VSOCK,
		.class = CLASS_OTHER,
		.queue_count = VSOCK_QUEUES,
		.queue_size = QUEUE_SIZE,
		.config_size = sizeof(uint64_t),
		.features = F_STREAM,
		.log = config->log,
	};

	return virtio_init(&vsock->virtio, &transport, &vsock->state.virtio);
}

int virtio_vsock_init(struct virtio_vsock *vsock,
		      const struct virtio_vsock_config *config)
{
	const struct vsock_device device = {
		.received = received,
		.writable = writable,
		.lost = lost,
		.dev = vsock,
	};
	int error;

	memset(vsock, 0, sizeof(*vsock));
	vsock->config = *config;
	device_init(&vsock->device, &virtio_vsock_ops, vsock, &vsock->state);
	device_timer_init(&vsock->device, config->clock, &vsock->more,
			  more_expired, vsock, &vsock->state.more_ns);
	device_timer_init(&vsock->device, config->clock, &vsock->patience,
			  patience_expired, vsock, &vsock->state.patience_ns);
	error = transport_init(vsock);
	if (!error)
		config->backend->attach(config->backend->ctx, &device);
	return error;
}
