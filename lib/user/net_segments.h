/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of which something is left undone (include/net.h): whether what is
 * said of one makes sense, and the frames that it is cut into, one after the
 * other, by whoever has its bytes.
 *
 * Nothing of a packet is believed.  Pure.
 *
 * References: RFC 791, 8200, 9293, 3168.
 */
#ifndef BULKHEAD_LIB_USER_NET_SEGMENTS_H
#define BULKHEAD_LIB_USER_NET_SEGMENTS_H

#include "include/net.h"
#include "lib/user/net_packet.h"

#define NET_SEGMENTS_HEADER 256 /* of all headers together, at most */
#define NET_TCP_SUM	    16	/* where its checksum is in TCP's header */

/* A packet that is cut, and how far it has come. */
struct net_segments {
	struct net_cut cut;
	uint32_t length; /* the packet's, headers among it */
	uint32_t mss, ip_end;
	/* The caller's, before begin(): what the packet begins with, at most
	 * NET_SEGMENTS_HEADER bytes of it. */
	uint8_t header[NET_SEGMENTS_HEADER];
};

/*
 * A packet of that length, its offload's undone having NET_UNDONE_CUT.  False:
 * it cannot be cut into frames, by one of either protocol.  Where each segment
 * begins its cut.segments and .sent are to be set.
 */
bool net_segments_begin(struct net_segments *segments,
			const struct net_offload *offload, uint32_t length);
/* How many frames it is. */
uint32_t net_segments_count(const struct net_segments *segments);
/* The payload of segment number n, whose place in the packet is *from. */
uint32_t net_segments_payload(const struct net_segments *segments, uint32_t n,
			      uint32_t *from);
/* That segment's headers: segments->cut.header_length bytes, with all sums. */
void net_segments_header(struct net_segments *segments, uint32_t n,
			 const uint8_t *payload, uint32_t length,
			 uint8_t *header);

/*
 * Whether what is left undone makes sense for a packet of that length, which
 * its bytes may still contradict where it is to be cut: net_segments_begin().
 */
bool net_undone_check(const struct net_offload *offload, uint32_t length);
/* The same of a frame like others, which nearly all are. */
static inline bool net_offload_check(const struct net_offload *offload,
				     uint32_t length)
{
	return offload->undone ? net_undone_check(offload, length)
			       : length <= NET_FRAME_MAX;
}

#endif
