/* SPDX-License-Identifier: BSD-2-Clause */
/* struct init_gate made of the gate's calls. */
#include "init/init.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"

#define WRITE_PIECE KIB(32)

static long op_create(void *ctx, const struct gate_domain_spec *spec)
{
	(void)ctx;
	return gate_call(GATE_DOMAIN_CREATE, (uint64_t)spec, 0, 0);
}

static long op_map(void *ctx, gate_id id, const struct gate_domain_map *map)
{
	(void)ctx;
	return gate_call(GATE_DOMAIN_MAP, id, (uint64_t)map, 0);
}

static long op_write(void *ctx, gate_id id, uint64_t va, const void *from,
		     uint64_t length)
{
	long error = 0;

	(void)ctx;
	for (uint64_t done = 0; !error && done < length; done += WRITE_PIECE)
		error = gate_call4(GATE_DOMAIN_WRITE, id, va + done,
				   (uint64_t)from + done,
				   MIN(length - done, WRITE_PIECE));
	return error;
}

/* At most what GATE_DOMAIN_READ takes. */
static long op_read(void *ctx, gate_id id, uint64_t va, void *to,
		    uint64_t length)
{
	(void)ctx;
	return gate_call4(GATE_DOMAIN_READ, id, va, (uint64_t)to, length);
}

static long op_start(void *ctx, gate_id id, uint64_t entry)
{
	(void)ctx;
	return gate_call(GATE_DOMAIN_START, id, entry, 0);
}

static long op_stop(void *ctx, gate_id id)
{
	(void)ctx;
	return gate_call(GATE_DOMAIN_STOP, id, 0, 0);
}

static long op_query(void *ctx, gate_id id, struct gate_domain_status *status)
{
	(void)ctx;
	return gate_call(GATE_DOMAIN_QUERY, id, (uint64_t)status, 0);
}

static uint64_t op_pages_free(void *ctx)
{
	struct gate_host_info info = { 0 };

	(void)ctx;
	gate_call(GATE_HOST_INFO, (uint64_t)&info, 0, 0);
	return info.pages_free;
}

static long op_destroy(void *ctx, gate_id id)
{
	(void)ctx;
	return gate_call(GATE_DOMAIN_DESTROY, id, 0, 0);
}

static long op_channel_create(void *ctx, uint64_t pages)
{
	(void)ctx;
	return gate_call(GATE_CHANNEL_CREATE, pages, 0, 0);
}

static long op_channel_attach(void *ctx, gate_id id, unsigned end,
			      gate_id domain, unsigned slot)
{
	(void)ctx;
	return gate_call(GATE_CHANNEL_ATTACH, id | (uint64_t)end << 63, domain,
			 slot);
}

static long op_channel_close(void *ctx, gate_id id)
{
	(void)ctx;
	return gate_call(GATE_CHANNEL_CLOSE, id, 0, 0);
}

static long op_channel_detach(void *ctx, unsigned slot)
{
	(void)ctx;
	return gate_channel_detach(slot);
}

static void *op_channel_memory(void *ctx, unsigned slot)
{
	(void)ctx;
	return gate_channel(slot);
}

static long op_doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	return gate_doorbell(slot);
}

static long op_pci_info(void *ctx, unsigned index, struct gate_pci_info *pci)
{
	(void)ctx;
	return gate_call(GATE_PCI_INFO, index, (uint64_t)pci, 0);
}

static long op_device_grant(void *ctx, gate_id id,
			    const struct gate_device_grant *grant)
{
	(void)ctx;
	return gate_call(GATE_DEVICE_GRANT, id, (uint64_t)grant, 0);
}

static long op_memory_grant(void *ctx, gate_id channel, gate_id id,
			    bool with_vm)
{
	(void)ctx;
	return gate_call(GATE_CHANNEL_MEMORY, channel, id, with_vm);
}

static void op_log(void *ctx, gate_id id, enum log_level level,
		   const char *text)
{
	(void)ctx;
	gate_call4(GATE_LOG, level, (uint64_t)text, strlen(text), id);
}

static uint64_t op_now_ns(void *ctx)
{
	(void)ctx;
	return gate_now_ns();
}

static void op_timer(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	gate_timer(deadline_ns);
}

static __noreturn void op_off(void *ctx, enum gate_off how, uint8_t code)
{
	(void)ctx;
	for (;;)
		gate_call(GATE_HOST_OFF, how, code, 0);
}

const struct init_gate init_gate_calls = {
	.create = op_create,
	.map = op_map,
	.write = op_write,
	.read = op_read,
	.start = op_start,
	.stop = op_stop,
	.query = op_query,
	.pages_free = op_pages_free,
	.destroy = op_destroy,
	.channel_create = op_channel_create,
	.channel_attach = op_channel_attach,
	.channel_close = op_channel_close,
	.channel_detach = op_channel_detach,
	.channel_memory = op_channel_memory,
	.doorbell = op_doorbell,
	.pci_info = op_pci_info,
	.device_grant = op_device_grant,
	.memory_grant = op_memory_grant,
	.log = op_log,
	.now_ns = op_now_ns,
	.timer = op_timer,
	.off = op_off,
};
