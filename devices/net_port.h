/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What network cards have in common: a frame that waits in the backend until
 * the card has room, with a bound on how many are taken at once; addresses and
 * their hashes.
 */
#ifndef BULKHEAD_DEVICES_NET_PORT_H
#define BULKHEAD_DEVICES_NET_PORT_H

#include "devices/pci.h"
#include "include/device.h"
#include "include/net.h"

/* After so long a card goes on with what its budget has left. */
#define NET_PORT_MORE_NS 1000

#define NET_MULTICAST	 0x01 /* of an address's first byte */
#define NET_MACS_LENGTH	 (2 * NET_MAC_LENGTH)
#define NET_FCS_LENGTH	 4
/* A card without jumbo frames takes no longer one, a tag among it. */
#define NET_TAGGED_USUAL (NET_FRAME_USUAL + NET_VLAN_TAG)

#define NET_CLASS_ETHERNET 0x0200 /* of PCI */

/* What a card is given; all of it lives as long as the card. */
struct nic_config {
	struct pci_bus *pci;
	uint8_t devfn;
	const struct guest_ram *ram;
	struct clock *clock;
	const struct net_backend *net;
	struct device_log log;
	const uint8_t *rom; /* an expansion ROM's image; NULL: none */
	uint32_t rom_length;
};

struct net_port {
	const struct net_backend *net;
	/* The frame that receive() gave and for which there was no room. */
	const uint8_t *held;
	uint32_t held_length;
};

/* Whether the card is done with the frame; false: there is no room, it is
 * offered again in the next run. */
typedef bool (*net_take_fn)(void *dev, const uint8_t *frame, uint32_t length);

/* Offers what there is.  False: a budget ended it, and the card has to call
 * again in NET_PORT_MORE_NS. */
bool net_port_run(struct net_port *port, net_take_fn take, void *dev);
/* The frame that waits is lost. */
void net_port_release(struct net_port *port);

static inline bool net_is_broadcast(const uint8_t *mac)
{
	return (mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xff;
}

/*
 * The CRC-32 of IEEE 802.3 as it stands in the shift register after the bytes,
 * lowest bit first: inverted it is the FCS, in the order of bytes of the
 * processor.
 */
uint32_t net_crc(const uint8_t *bytes, uint32_t length);
/* The register's six bits that were shifted in last, or first: an address's
 * place in a table of 64. */
unsigned net_hash_low(const uint8_t *mac);
unsigned net_hash_high(const uint8_t *mac);

/* For cards whose registers BAR 0 has as ports and BAR 1 as memory, size bytes
 * in either; and the expansion ROM. */
int __must_check net_bars_add(struct pci_device *pci,
			      const struct nic_config *config,
			      const struct io_region *registers, uint64_t size);

/* A driver's fault, in the log. */
void net_warn(const struct device_log *log, const char *name, const char *text);

#endif
