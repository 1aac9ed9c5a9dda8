/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the driver of virtio's network card says by the control queue, and what
 * it wants to receive.
 *
 * References: VIRTIO 1.2, 5.1.6.5.
 */
#include "devices/virtio_net_internal.h"

#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define BUDGET		64	/* commands of a call */
#define BODY		2	/* after class and command */
#define ACK_OK		0
#define ACK_ERROR	1

#define CLASS_RX	0	/* command: which of the filter's switches */
#define CLASS_MAC	1
#define   MAC_TABLE_SET	  0
#define   MAC_ADDRESS_SET 1
#define CLASS_VLAN	2
#define   VLAN_ADD	  0
#define   VLAN_REMOVE	  1
#define CLASS_ANNOUNCE	3	/* command 0: acknowledged */
#define CLASS_MQ	4	/* command 0: pairs in use */

#define VLAN_ID		MASK(11, 0)
/* clang-format on */

/* ---- The filter ---------------------------------------------------------- */

/* All frames, for a driver without a control queue cannot say what it wants. */
void virtio_net_filter_reset(struct virtio_net *nic)
{
	memset(&nic->state.filter, 0, sizeof(nic->state.filter));
	nic->state.filter.is_promiscuous = true;
}

static bool is_vlan_wanted(const struct virtio_net *nic, const uint8_t *header)
{
	unsigned vlan = net_get16(header + NET_TYPE_OFFSET + 2) & VLAN_ID;

	return net_get16(header + NET_TYPE_OFFSET) != NET_TYPE_VLAN ||
	       !virtio_has(&nic->virtio, NET_F_CTRL_VLAN) ||
	       nic->state.filter.vlan[vlan / 32] >> vlan % 32 & 1;
}

static bool is_listed(const struct virtio_net_filter *filter, unsigned first,
		      unsigned count, const uint8_t *mac)
{
	for (unsigned i = first; i < first + count; i++)
		if (net_mac_is(filter->mac[i], mac))
			return true;
	return false;
}

bool virtio_net_is_wanted(const struct virtio_net *nic, const uint8_t *header)
{
	const struct virtio_net_filter *filter = &nic->state.filter;

	if (filter->is_promiscuous)
		return true;
	if (!is_vlan_wanted(nic, header))
		return false;
	if (net_is_broadcast(header))
		return !filter->no_broadcast;
	if (header[0] & NET_MULTICAST)
		return !filter->no_groups &&
		       (filter->has_all_groups || filter->is_group_over ||
			is_listed(filter, filter->own_count,
				  filter->group_count, header));
	return !filter->no_own &&
	       (filter->has_all_others || filter->is_own_over ||
		net_mac_is(nic->state.mac, header) ||
		is_listed(filter, 0, filter->own_count, header));
}

/* ---- Commands: whether it was done --------------------------------------- */

static bool do_rx(struct virtio_net *nic, unsigned command,
		  const struct virtio_chain *chain)
{
	struct virtio_net_filter *filter = &nic->state.filter;
	bool *const switches[] = {
		&filter->is_promiscuous, &filter->has_all_groups,
		&filter->has_all_others, &filter->no_groups,
		&filter->no_own,	 &filter->no_broadcast,
	};
	uint8_t on;

	if (command >= ARRAY_SIZE(switches) ||
	    virtio_chain_read(chain, BODY, &on, 1) != 1)
		return false;
	*switches[command] = on;
	return true;
}

/* One of the two tables, at *offset of the command; those that do not fit are
 * received with all of their kind. */
static bool table_read(struct virtio_net_filter *filter,
		       const struct virtio_chain *chain, uint32_t *offset,
		       unsigned first, uint8_t *count, bool *is_over)
{
	uint32_t entries, left;

	if (virtio_chain_read(chain, *offset, &entries, sizeof(entries)) !=
	    sizeof(entries))
		return false;
	*offset += sizeof(entries);
	left = chain->out_length - *offset;
	if (entries > left / NET_MAC_LENGTH)
		return false;
	*is_over = entries > VIRTIO_NET_MACS - first;
	*count = (uint8_t)(*is_over ? 0 : entries);
	virtio_chain_read(chain, *offset, filter->mac + first,
			  *count * NET_MAC_LENGTH);
	*offset += entries * NET_MAC_LENGTH;
	return true;
}

static bool do_mac_table(struct virtio_net *nic,
			 const struct virtio_chain *chain)
{
	struct virtio_net_filter next = nic->state.filter;
	uint32_t offset = BODY;

	if (!table_read(&next, chain, &offset, 0, &next.own_count,
			&next.is_own_over) ||
	    !table_read(&next, chain, &offset, next.own_count,
			&next.group_count, &next.is_group_over))
		return false;
	nic->state.filter = next;
	return true;
}

static bool do_mac(struct virtio_net *nic, unsigned command,
		   const struct virtio_chain *chain)
{
	uint8_t mac[NET_MAC_LENGTH];

	if (command == MAC_TABLE_SET)
		return do_mac_table(nic, chain);
	if (command != MAC_ADDRESS_SET ||
	    virtio_chain_read(chain, BODY, mac, sizeof(mac)) != sizeof(mac))
		return false;
	memcpy(nic->state.mac, mac, sizeof(mac));
	return true;
}

static bool do_vlan(struct virtio_net *nic, unsigned command,
		    const struct virtio_chain *chain)
{
	uint16_t vlan;
	uint32_t *word;

	if (command > VLAN_REMOVE ||
	    virtio_chain_read(chain, BODY, &vlan, sizeof(vlan)) !=
		    sizeof(vlan) ||
	    vlan > VLAN_ID)
		return false;
	word = &nic->state.filter.vlan[vlan / 32];
	if (command == VLAN_ADD)
		*word |= (uint32_t)BIT(vlan % 32);
	else
		*word &= ~(uint32_t)BIT(vlan % 32);
	return true;
}

static bool do_announce(struct virtio_net *nic, unsigned command,
			const struct virtio_chain *chain)
{
	(void)chain;
	nic->state.is_announcing &= command != 0;
	return command == 0;
}

static bool do_mq(struct virtio_net *nic, unsigned command,
		  const struct virtio_chain *chain)
{
	uint16_t pairs;

	if (command ||
	    virtio_chain_read(chain, BODY, &pairs, sizeof(pairs)) !=
		    sizeof(pairs) ||
	    !pairs || pairs > nic->config.pairs)
		return false;
	nic->state.pairs = pairs;
	return true;
}

/* ---- The queue ----------------------------------------------------------- */

struct control_class {
	unsigned feature; /* without it there is no such class */
	bool (*fn)(struct virtio_net *nic, unsigned command,
		   const struct virtio_chain *chain);
};

static bool command_do(struct virtio_net *nic, const struct virtio_chain *chain)
{
	static const struct control_class classes[] = {
		[CLASS_RX] = { NET_F_CTRL_RX, do_rx },
		[CLASS_MAC] = { NET_F_CTRL_VQ, do_mac },
		[CLASS_VLAN] = { NET_F_CTRL_VLAN, do_vlan },
		[CLASS_ANNOUNCE] = { NET_F_GUEST_ANNOUNCE, do_announce },
		[CLASS_MQ] = { NET_F_MQ, do_mq },
	};
	uint8_t head[BODY];

	return virtio_chain_read(chain, 0, head, sizeof(head)) ==
		       sizeof(head) &&
	       head[0] < ARRAY_SIZE(classes) &&
	       virtio_has(&nic->virtio, classes[head[0]].feature) &&
	       classes[head[0]].fn(nic, head[1], chain);
}

unsigned virtio_net_control_queue(const struct virtio_net *nic)
{
	return virtio_has(&nic->virtio, NET_F_MQ) ? 2 * nic->config.pairs : 2;
}

/* As virtio_queue_take(); 1: there may be more. */
static int command_next(struct virtio_net *nic, unsigned queue)
{
	struct virtio_chain *chain = &nic->chain[0];
	int taken = virtio_queue_take(&nic->virtio, queue, chain);
	uint8_t ack = ACK_OK;

	if (taken <= 0)
		return taken;
	if (!command_do(nic, chain)) {
		virtio_net_fail(nic, VIRTIO_NET_ERROR_CONTROL);
		ack = ACK_ERROR;
	}
	virtio_queue_return(&nic->virtio, chain,
			    virtio_chain_write(chain, 0, &ack, sizeof(ack)));
	return 1;
}

void virtio_net_control_run(struct virtio_net *nic)
{
	unsigned queue = virtio_net_control_queue(nic), budget = BUDGET;
	int taken = 1;

	if (!virtio_is_running(&nic->virtio))
		return;
	while (budget && taken > 0) {
		taken = command_next(nic, queue);
		if (taken > 0)
			budget--;
		else if (!taken &&
			 virtio_queue_watch(&nic->virtio, queue, true))
			taken = 1;
	}
	virtio_queue_flush(&nic->virtio, queue);
	if (taken > 0)
		virtio_net_later(nic);
	/* The filter, or the pairs, may be others. */
	virtio_net_rx_run(nic);
}
