/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the RTL8139 transmits and receives.
 *
 * A frame is sent from where the driver has it.  One that is received is put
 * into the buffer behind CBR, with its status and length before and the FCS
 * behind it; the driver follows with CAPR, which is 16 bytes behind what it has
 * read.
 *
 * References: RTL8139C data sheet: Transmit Status Register, Receive
 * Configuration Register, Rx Buffer; Programming guide: Packet Reception.
 */
#include "devices/rtl8139_internal.h"

#include "lib/string.h"

#define LENGTH_MAX  1792 /* of what is sent */
#define HEADER	    4
#define READ_AHEAD  16 /* of CAPR */
#define BUFFER_MIN  KIB(8)
#define BUFFER_WRAP KIB(64) /* of that size WRAP has no effect */

bool rtl8139_is_loopback(const struct rtl8139 *nic)
{
	return FIELD_GET(RTL8139_TCR_LBK, nic->state.chip.reg[RTL8139_TCR]) ==
	       3;
}

/* ---- Filters ------------------------------------------------------------ */

static bool is_own(const uint32_t *reg, const uint8_t *mac)
{
	return (mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 |
		(uint32_t)mac[3] << 24) == reg[RTL8139_IDR0] &&
	       (mac[4] | (uint32_t)mac[5] << 8) == reg[RTL8139_IDR4];
}

static bool is_hashed(const uint32_t *reg, const uint8_t *mac)
{
	unsigned hash = net_hash_high(mac);

	return reg[hash < 32 ? RTL8139_MAR0 : RTL8139_MAR4] >> hash % 32 & 1;
}

/* The status that says why it is received, or 0. */
static uint32_t status_of(const uint32_t *reg, const uint8_t *mac)
{
	uint32_t rcr = reg[RTL8139_RCR];
	bool is_mine;

	if (net_is_broadcast(mac))
		return rcr & RTL8139_RCR_AB ? RTL8139_RX_ROK | RTL8139_RX_BAR
					    : 0;
	if (mac[0] & NET_MULTICAST)
		return rcr & RTL8139_RCR_AM && is_hashed(reg, mac)
			       ? RTL8139_RX_ROK | RTL8139_RX_MAR
			       : 0;
	is_mine = is_own(reg, mac);
	if (is_mine && rcr & (RTL8139_RCR_APM | RTL8139_RCR_AAP))
		return RTL8139_RX_ROK | RTL8139_RX_PAM;
	return !is_mine && rcr & RTL8139_RCR_AAP ? RTL8139_RX_ROK : 0;
}

/* ---- The receive buffer ------------------------------------------------- */

static uint32_t buffer_size(const uint32_t *reg)
{
	return (uint32_t)BUFFER_MIN
	       << FIELD_GET(RTL8139_RCR_RBLEN, reg[RTL8139_RCR]);
}

/* Bytes that are free; CAPR that makes no sense is some place as well. */
static uint32_t buffer_free(const uint32_t *reg)
{
	uint32_t size = buffer_size(reg);
	uint32_t read = reg[RTL8139_CAPR] + READ_AHEAD;
	uint32_t left = (read - reg[RTL8139_CBR]) & (size - 1);

	return left ? left : size;
}

bool rtl8139_rx_is_empty(const struct rtl8139 *nic)
{
	const uint32_t *reg = nic->state.chip.reg;

	return buffer_free(reg) == buffer_size(reg);
}

/* At CBR + *offset, which moves on. */
static void store(struct rtl8139 *nic, uint32_t *offset, const void *from,
		  uint32_t length)
{
	const uint32_t *reg = nic->state.chip.reg;
	uint32_t size = buffer_size(reg);
	uint32_t at = (reg[RTL8139_CBR] & (size - 1)) + *offset;
	uint32_t first = length;

	if (!(reg[RTL8139_RCR] & RTL8139_RCR_WRAP) || size == BUFFER_WRAP) {
		at &= size - 1;
		first = MIN(length, size - at);
	}
	guest_ram_write(nic->config.ram, (gpa_t)reg[RTL8139_RBSTART] + at, from,
			first);
	guest_ram_write(nic->config.ram, reg[RTL8139_RBSTART],
			(const uint8_t *)from + first, length - first);
	*offset += length;
}

/* False: there is no room. */
static bool deliver(struct rtl8139 *nic, const uint8_t *frame, uint32_t length,
		    uint32_t status)
{
	uint32_t *reg = nic->state.chip.reg;
	uint32_t header = status | (length + NET_FCS_LENGTH) << 16;
	uint32_t taken =
		(uint32_t)ALIGN_UP(HEADER + length + NET_FCS_LENGTH, 4U);
	uint32_t fcs, offset = 0;

	if (taken >= buffer_free(reg))
		return false;
	fcs = ~net_crc(frame, length);
	store(nic, &offset, &header, sizeof(header));
	store(nic, &offset, frame, length);
	store(nic, &offset, &fcs, sizeof(fcs));
	reg[RTL8139_CBR] = (reg[RTL8139_CBR] + taken) & (buffer_size(reg) - 1);
	rtl8139_raise(nic, RTL8139_ROK);
	return true;
}

/* Whether it was received or not wanted; false: there is no room. */
static bool take(struct rtl8139 *nic, const uint8_t *frame, uint32_t length)
{
	const uint32_t *reg = nic->state.chip.reg;
	uint8_t mac[NET_MAC_LENGTH]; /* a copy: it may change meanwhile */
	uint32_t status;

	if (!(reg[RTL8139_CR] & RTL8139_CR_RE) || length < NET_FRAME_MIN ||
	    length > NET_TAGGED_USUAL)
		return true;
	memcpy(mac, frame, sizeof(mac));
	status = status_of(reg, mac);
	return !status || deliver(nic, frame, length, status);
}

static bool arrive(void *dev, const uint8_t *frame, uint32_t length)
{
	struct rtl8139 *nic = dev;

	return !nic->state.is_cable_up || rtl8139_is_loopback(nic) ||
	       take(nic, frame, length);
}

void rtl8139_rx_run(struct rtl8139 *nic)
{
	if (nic->state.chip.reg[RTL8139_CR] & RTL8139_CR_RE &&
	    !pci_is_master(&nic->pci))
		return;
	if (!net_port_run(&nic->port, arrive, nic))
		clock_timer_arm(nic->config.clock, &nic->more,
				clock_now(nic->config.clock) +
					NET_PORT_MORE_NS);
}

/* ---- Transmission ------------------------------------------------------- */

static void loop_back(struct rtl8139 *nic, const uint8_t *frame,
		      uint32_t length)
{
	uint32_t *reg = nic->state.chip.reg;
	uint8_t copy[LENGTH_MAX]; /* it may lie where it is received */

	memcpy(copy, frame, length);
	if (take(nic, copy, length))
		return;
	reg[RTL8139_MPC] = MIN(reg[RTL8139_MPC] + 1, 0xffffffU);
	rtl8139_raise(nic, RTL8139_RXOVW);
}

/* The frame of a descriptor; short ones are padded in *room. */
static const uint8_t *frame_of(struct rtl8139 *nic, gpa_t at, uint32_t *length,
			       uint8_t room[NET_FRAME_MIN])
{
	const uint8_t *frame = guest_ram_at(nic->config.ram, at, *length);

	if (!frame || *length >= NET_FRAME_MIN)
		return frame;
	memcpy(room, frame, *length);
	memset(room + *length, 0, NET_FRAME_MIN - *length);
	*length = NET_FRAME_MIN;
	return room;
}

static void descriptor_end(struct rtl8139 *nic, uint32_t status)
{
	struct rtl8139_chip *chip = &nic->state.chip;

	chip->reg[RTL8139_TSD0 + chip->tx_next] |=
		status | (uint32_t)RTL8139_TSD_OWN;
	chip->tx_next = (uint8_t)((chip->tx_next + 1) % RTL8139_DESCRIPTORS);
	rtl8139_raise(nic,
		      status & RTL8139_TSD_TOK ? RTL8139_TOK : RTL8139_TER);
}

static void descriptor_abort(struct rtl8139 *nic, enum rtl8139_error error)
{
	rtl8139_fail(nic, error);
	descriptor_end(nic, RTL8139_TSD_TABT);
}

/* The next descriptor.  False: the backend is full. */
static bool descriptor_send(struct rtl8139 *nic)
{
	const struct net_backend *net = nic->config.net;
	const struct rtl8139_chip *chip = &nic->state.chip;
	uint32_t tsd = chip->reg[RTL8139_TSD0 + chip->tx_next];
	uint32_t length = (uint32_t)FIELD_GET(RTL8139_TSD_SIZE, tsd);
	uint32_t fcs = chip->reg[RTL8139_TCR] & RTL8139_TCR_CRC
			       ? NET_FCS_LENGTH
			       : 0; /* the driver's own */
	uint8_t room[NET_FRAME_MIN];
	struct net_segment whole;

	if (length <= fcs || length > LENGTH_MAX) {
		descriptor_abort(nic, RTL8139_ERROR_TX_LENGTH);
		return true;
	}
	length -= fcs;
	whole.host = frame_of(nic, chip->reg[RTL8139_TSAD0 + chip->tx_next],
			      &length, room);
	whole.length = length;
	if (!whole.host) {
		descriptor_abort(nic, RTL8139_ERROR_TX_ADDRESS);
		return true;
	}
	if (rtl8139_is_loopback(nic))
		loop_back(nic, whole.host, length);
	else if (!nic->state.is_cable_up)
		tsd = RTL8139_TSD_CRS;
	else if (!net->send(net->ctx, &whole, 1))
		return false;
	descriptor_end(nic, RTL8139_TSD_TOK | (tsd & RTL8139_TSD_CRS));
	return true;
}

/* Ends when a descriptor is the driver's: each one that is sent becomes so. */
void rtl8139_tx_run(struct rtl8139 *nic)
{
	const struct rtl8139_chip *chip = &nic->state.chip;

	if (!pci_is_master(&nic->pci))
		return;
	while (chip->reg[RTL8139_CR] & RTL8139_CR_TE &&
	       !(chip->reg[RTL8139_TSD0 + chip->tx_next] & RTL8139_TSD_OWN))
		if (!descriptor_send(nic))
			return;
}
