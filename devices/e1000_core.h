/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel's Gigabit Ethernet controllers: what the 82540EM (e1000.h) and the
 * 82574L (e1000e.h) have in common, with what differs in a struct of parameters
 * and functions, struct e1000_model.
 *
 * Models: all registers that drivers use by memory and by the I/O BAR; EEPROM;
 * PHY by MDIC; legacy, context and data descriptors with checksums, TCP
 * segmentation and VLAN tags; address filters, buffers of all sizes, checks of
 * IP, TCP and UDP checksums; delays and throttling of interrupts; statistics;
 * loopback.
 *
 * Does not model: power management and wake-up (registers are memory); flow
 * control, collisions and speeds below 1000 Mbit/s; the packet buffer as
 * memory; flash; TXD_LOW.  A frame for which there is no descriptor waits in
 * the backend, which is where frames are lost.  The FCS of received frames,
 * where it is asked for, is zero.
 *
 * Work is bounded: a call into the device moves so many descriptors, and the
 * rest waits for a timer.  Rings that make no sense stop until they are written
 * anew, and count (enum e1000_error).
 *
 * References: e1000_registers.h.
 */
#ifndef BULKHEAD_DEVICES_E1000_CORE_H
#define BULKHEAD_DEVICES_E1000_CORE_H

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

#define E1000_QUEUES 2 /* in each direction, at most */

/* A ring of descriptors: its registers, which are in the state. */
struct e1000_ring {
	const uint32_t *low, *high, *length, *tail;
	uint32_t *head;
	bool *is_broken;
	uint32_t cause; /* with MSI-X, of a descriptor written back; 0: none */
};

struct e1000_tx_queue {
	struct e1000_ring ring;
	struct e1000_tx_state *tx;
};

/* What receive descriptors look like. */
enum e1000_rx_format {
	E1000_RX_LEGACY,
	E1000_RX_EXTENDED,
	E1000_RX_SPLIT, /* extended, with several buffers each */
};

#define E1000_RX_BUFFERS 4 /* of a descriptor, at most */

struct e1000_rx_layout {
	enum e1000_rx_format format;
	uint32_t units; /* of a descriptor, by which heads and tails count */
	unsigned buffers;
	uint32_t size[E1000_RX_BUFFERS]; /* bytes, 0 among them */
	uint32_t capacity;		 /* their sum; never 0 */
};

/* Which queue a received frame goes to, and why. */
struct e1000_rx_steer {
	unsigned queue;
	uint8_t type; /* of the hash, 0: none */
	uint32_t hash;
};

/* Registers by offset: rows of one member of the state, or of several. */
struct e1000_register_row {
	uint16_t offset; /* from BAR 0 */
	uint16_t member; /* bytes from the state's begin */
	uint16_t count;
	uint16_t step; /* bytes between two of them */
	uint32_t writable;
};

struct e1000_register_map {
	const struct e1000_register_row *rows; /* the first one is no row */
	const uint8_t *row_at; /* a row by offset / 4, 0: none has its own */
	uint32_t row_at_count;
	unsigned first_array, row_count; /* arrays come last */
};

struct e1000_core;

/* What one chip has and another has not.  Functions may be NULL. */
struct e1000_model {
	struct pci_identity identity;
	const struct device_ops *ops;
	uint32_t causes;	/* that ICR and IMS know */
	uint32_t others, other; /* each of these comes with that one */
	uint32_t registers;	/* bytes of BAR 0 with registers in them */
	uint32_t io_size;	/* bytes of BAR 2 */
	uint32_t packet_buffer; /* KiB */
	uint32_t loopbacks;	/* a bit for each RCTL.LBM that loops */
	uint32_t master_off;	/* CTRL's bit that ends mastering; 0: none */
	unsigned queues;
	/* EERD: where it has the word's number, and that it is done. */
	uint32_t eerd_address, eerd_done;
	const uint8_t (*eeprom)[3]; /* word, its high byte, its low byte */
	unsigned eeprom_count;
	uint16_t phy_id2;
	const uint16_t *phy_writable; /* bits that software may set */
	const struct e1000_register_map *registers_own; /* before the common */
	/* True: that was all. */
	bool (*read)(struct e1000_core *nic, uint32_t offset, uint32_t *value);
	bool (*write)(struct e1000_core *nic, uint32_t offset, uint32_t value);
	/* After the register was stored, and the common effects. */
	void (*written)(struct e1000_core *nic, uint32_t offset);
	/* After the chip's reset; without: what the state's table says. */
	void (*reset)(struct e1000_core *nic);
	/* ICR, IMS or how interrupts are sent has changed.  False: the line
	 * follows. */
	bool (*interrupt_update)(struct e1000_core *nic);
	void (*rx_layout)(const struct e1000_core *nic,
			  struct e1000_rx_layout *layout);
	/* The frame may change while it is read; *steer is zeroed. */
	void (*rx_steer)(const struct e1000_core *nic, const uint8_t *frame,
			 uint32_t length, struct e1000_rx_steer *steer);
};

struct e1000_core {
	struct device device;
	const struct e1000_model *model;
	struct nic_config config;
	struct pci_device pci;
	struct clock_timer throttle, rx_delay, tx_delay, more;
	struct e1000_state *state; /* the device's, or its begin */
	struct e1000_ring rx[E1000_QUEUES];
	struct e1000_tx_queue tx[E1000_QUEUES];
	struct net_port port;
	bool is_running; /* inside transmission: it may receive what it sends */
	uint64_t errors[E1000_ERRORS];
};

#endif
