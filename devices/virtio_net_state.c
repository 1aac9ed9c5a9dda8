/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of the state of virtio's network card. */
#include "devices/virtio_net_internal.h"

static const struct state_field filter_fields[] = {
	STATE_VALUE(struct virtio_net_filter, is_promiscuous, .reset = true),
	STATE_VALUE(struct virtio_net_filter, has_all_groups),
	STATE_VALUE(struct virtio_net_filter, has_all_others),
	STATE_VALUE(struct virtio_net_filter, no_groups),
	STATE_VALUE(struct virtio_net_filter, no_own),
	STATE_VALUE(struct virtio_net_filter, no_broadcast),
	STATE_VALUE(struct virtio_net_filter, is_own_over),
	STATE_VALUE(struct virtio_net_filter, is_group_over),
	STATE_VALUE(struct virtio_net_filter, own_count,
		    .max = VIRTIO_NET_MACS),
	STATE_VALUE(struct virtio_net_filter, group_count,
		    .max = VIRTIO_NET_MACS),
	STATE_RESERVED(struct virtio_net_filter, reserved),
	STATE_TABLE(struct virtio_net_filter, mac),
	STATE_ARRAY(struct virtio_net_filter, vlan),
};

static const struct state_description filter_description =
	STATE_DESCRIPTION(struct virtio_net_filter, filter_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct virtio_net_state, virtio, &virtio_description),
	STATE_VALUE(struct virtio_net_state, is_cable_up, .flags = STATE_KEPT),
	STATE_VALUE(struct virtio_net_state, is_announcing),
	STATE_ARRAY(struct virtio_net_state, mac),
	STATE_STRUCT(struct virtio_net_state, filter, &filter_description),
	STATE_ARRAY(struct virtio_net_state, sent),
	STATE_ARRAY(struct virtio_net_state, pair_of, .max = NET_PAIRS_MAX - 1),
	STATE_ARRAY(struct virtio_net_state, kicks),
	STATE_VALUE(struct virtio_net_state, pairs, .reset = 1, .min = 1,
		    .max = NET_PAIRS_MAX),
	STATE_RESERVED(struct virtio_net_state, reserved),
	STATE_VALUE(struct virtio_net_state, more_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct virtio_net_state, poll_ns, .reset = CLOCK_NEVER),
};

const struct state_description virtio_net_description =
	STATE_DESCRIPTION(struct virtio_net_state, fields);

bool virtio_net_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct virtio_net *nic = dev;
	const struct virtio_net_state *state = saved;

	(void)now_ns;
	return state->filter.own_count + state->filter.group_count <=
		       VIRTIO_NET_MACS &&
	       state->pairs <= nic->config.pairs &&
	       virtio_is_valid(&nic->virtio, &state->virtio);
}
