/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82540EM, a Gigabit Ethernet controller for PCI, with its copper PHY.
 *
 * Models: all registers that drivers use by memory and by the I/O BAR; EEPROM
 * by EERD and bit by bit; PHY by MDIC; legacy, context and data descriptors
 * with checksums, TCP segmentation and VLAN tags; address filters, buffers of
 * all sizes, checks of IP, TCP and UDP checksums; delays and throttling of
 * interrupts; statistics; loopback.
 *
 * Does not model: power management and wake-up (registers are memory); flow
 * control, collisions and speeds below 1000 Mbit/s; the packet buffer as
 * memory; flash; the second set of addresses of the 82542's registers; TXD_LOW.
 * A frame for which there is no descriptor waits in the backend, which is where
 * frames are lost.  The FCS of received frames, where it is asked for, is zero.
 * An interrupt comes as INTx: there is no message-signalled interrupt.
 *
 * Work is bounded: a call into the device moves so many descriptors, and the
 * rest waits for a timer.  Rings that make no sense stop until they are written
 * anew, and count (enum e1000_error).
 *
 * References: e1000_registers.h.
 */
#ifndef BULKHEAD_DEVICES_E1000_H
#define BULKHEAD_DEVICES_E1000_H

#include "devices/e1000_registers.h"
#include "devices/eeprom93c46.h"
#include "devices/net_port.h"
#include "devices/pci.h"
#include "include/device.h"
#include "include/net.h"

#define E1000_HEADER_MAX 255 /* of what is segmented */

/* What a driver did that hardware would not survive or not do. */
enum e1000_error {
	E1000_ERROR_NONE,
	E1000_ERROR_TX_RING,	/* head or tail outside of the ring */
	E1000_ERROR_TX_LENGTH,	/* a frame longer than NET_FRAME_MAX */
	E1000_ERROR_TX_SEGMENT, /* a context that segments nothing */
	E1000_ERROR_TX_TYPE,	/* an unknown descriptor */
	E1000_ERROR_RX_RING,
	E1000_ERROR_RX_LENGTH, /* a frame for which the ring is too short */
	E1000_ERRORS,
};

#define E1000_X(upper, lower, offset, writable, reset) uint32_t lower;
struct e1000_registers {
	E1000_REGISTERS(E1000_X)
};
#undef E1000_X

/* What a context descriptor says of where checksums go. */
struct e1000_sum {
	uint8_t start;	/* first byte that is added up */
	uint8_t offset; /* where the sum goes */
	uint16_t end;	/* last byte; 0: to the end of the frame */
};

struct e1000_context {
	struct e1000_sum ip, transport;
	uint32_t payload_length; /* of segmentation, without headers */
	uint16_t mss;
	uint8_t header_length;
	bool is_tcp, is_ipv4;
	uint8_t reserved[3];
};

/*
 * Where transmission is:
 *
 *           data descriptor         frame or segment complete
 *   FETCH ----------------> DATA ------------------------------> SEND
 *     ^ |                  |  ^                                   |  |
 *     | | context          |  |     more of the descriptor        |  |
 *     | v                  v  +-----------------------------------+  |
 *    (FETCH)              END <--------------------------------------+
 *     ^                    |
 *     +--------------------+  descriptor written back, head moved
 */
enum e1000_tx_stage {
	E1000_TX_FETCH,
	E1000_TX_DATA,
	E1000_TX_SEND, /* refused by the backend: waits here */
	E1000_TX_END,
	E1000_TX_STAGES,
};

struct e1000_tx_state {
	struct e1000_context checksum, segmentation;
	/* The descriptor. */
	uint64_t address;    /* of what is left of it */
	uint64_t descriptor; /* its last 8 bytes */
	uint32_t left;	     /* bytes */
	uint8_t stage;	     /* enum e1000_tx_stage */
	/* The packet. */
	bool is_open;	    /* a descriptor of it was seen */
	bool is_segmented;  /* by the context `segmentation` */
	bool is_dropped;    /* it had an error */
	bool has_ip_sum;    /* IXSM of its first descriptor */
	bool has_sum;	    /* TXSM, or IC: by `legacy` */
	bool is_legacy_sum; /* IC */
	bool is_last;	    /* of the segments */
	uint16_t segments;  /* sent */
	uint8_t reserved[6];
	uint32_t sent;	 /* bytes of payload in segments sent */
	uint32_t length; /* bytes in buffer */
	struct e1000_sum legacy;
	uint8_t header[E1000_HEADER_MAX + 1];
	uint8_t buffer[NET_FRAME_MAX];
};

#define E1000_X(upper, lower, offset, count, step, writable) \
	uint32_t lower[count];
/* What CTRL.RST resets. */
struct e1000_chip {
	struct e1000_registers reg;
	E1000_ARRAYS(E1000_X)
	uint32_t statistic[E1000_STATISTIC_COUNT];
	uint32_t io_address; /* IOADDR */
	bool is_asserted;    /* the interrupt */
	bool is_rx_broken, is_tx_broken;
	bool has_missed; /* RNBC has counted the frame that waits */
	uint8_t reserved[4];
	uint64_t throttle_ns, rx_delay_ns, tx_delay_ns, more_ns;
	uint64_t rx_limit_ns, tx_limit_ns; /* absolute delays */
	struct e1000_tx_state tx;
};
#undef E1000_X

struct e1000_state {
	struct pci_device_state pci;
	bool is_cable_up;      /* the backend's link */
	bool is_link_up;       /* what was last reported */
	bool has_link_dropped; /* since PHY_STATUS was read */
	uint8_t reserved[1];
	struct e1000_chip chip;
	struct eeprom93c46 eeprom;
	uint16_t phy[E1000_PHY_REGISTERS];
	uint64_t asserted_ns; /* when an interrupt was last */
};

struct e1000 {
	struct device device;
	struct nic_config config;
	struct pci_device pci;
	struct clock_timer throttle, rx_delay, tx_delay, more;
	struct e1000_state state;
	struct net_port port;
	bool is_running; /* inside transmission: it may receive what it sends */
	uint64_t errors[E1000_ERRORS];
};

extern const struct device_ops e1000_ops;

/* As pci_device_add() and pci_bar_add(). */
int __must_check e1000_init(struct e1000 *nic, const struct nic_config *config);
void e1000_reset(struct e1000 *nic);

#endif
