/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the Am79C970A transmits and receives.
 *
 * A frame that is sent is gathered from its descriptors anew each time that it
 * is tried, and a frame that is received is stored only when there are
 * descriptors for all of it: between calls there is no half of one.
 *
 * References: Am79C970A data sheet: Buffer Management Unit, Transmit Operation,
 * Receive Operation, Address Matching.
 */
#include "devices/pcnet_internal.h"

#include "lib/string.h"

/* Descriptors that one call sends. */
#define BUDGET	256
#define POLL_NS 2000000 /* as of hardware at 33 MHz, more or less */

#define LENGTH_MAX (NET_TAGGED_USUAL + NET_FCS_LENGTH)

/* A frame to be sent, and the descriptors that it takes. */
struct departure {
	uint32_t length, descriptors;
	uint32_t first_flags, last_flags;
	uint8_t data[LENGTH_MAX];
};

static bool is_loopback(const struct pcnet_chip *chip)
{
	return chip->csr[PCNET_CSR_MODE] & PCNET_LOOP;
}

static uint32_t step(const struct pcnet_chip *chip, unsigned length,
		     uint32_t index, uint32_t by)
{
	return (index + by) % pcnet_ring_length(chip, length);
}

/* ---- Reception: filters ------------------------------------------------- */

/* The flags of a frame that is wanted, or 0. */
static uint64_t match(const struct pcnet_chip *chip, const uint8_t *mac)
{
	uint16_t mode = chip->csr[PCNET_CSR_MODE];
	unsigned hash;

	if (net_is_broadcast(mac)) {
		if (!(mode & PCNET_DRCVBC))
			return PCNET_D_BAM | PCNET_D_ENP;
	} else if (mac[0] & NET_MULTICAST) {
		hash = net_hash_low(mac);
		if (chip->csr[PCNET_CSR_LADRF + hash / 16] >> hash % 16 & 1)
			return PCNET_D_LAFM | PCNET_D_ENP;
	} else if (!(mode & PCNET_DRCVPA)) {
		const uint16_t *padr = &chip->csr[PCNET_CSR_PADR];

		if ((mac[0] | mac[1] << 8) == padr[0] &&
		    (mac[2] | mac[3] << 8) == padr[1] &&
		    (mac[4] | mac[5] << 8) == padr[2])
			return PCNET_D_PAM | PCNET_D_ENP;
	}
	return mode & PCNET_PROM ? PCNET_D_ENP : 0;
}

/* ---- Reception: descriptors --------------------------------------------- */

enum room { ROOM_NONE, ROOM_LATER, ROOM_NEVER, ROOM_FOUND };

/* Whether so many bytes have descriptors. */
static enum room find_room(struct pcnet *nic, uint32_t length)
{
	const struct pcnet_chip *chip = &nic->state.chip;
	uint32_t size = pcnet_ring_length(chip, PCNET_CSR_RCVRL);
	struct pcnet_descriptor descriptor;

	for (uint32_t i = 0; i < size; i++) {
		if (!pcnet_descriptor_load(
			    nic, PCNET_CSR_BADR,
			    step(chip, PCNET_CSR_RCVRL, chip->rx_next, i),
			    &descriptor))
			return ROOM_NONE;
		if (!(descriptor.flags & PCNET_D_OWN))
			return ROOM_LATER;
		if (pcnet_descriptor_length(&descriptor) >= length)
			return ROOM_FOUND;
		length -= pcnet_descriptor_length(&descriptor);
	}
	return ROOM_NEVER;
}

/* The length that is told is the frame's with its FCS. */
static void store(struct pcnet *nic, const uint8_t *frame, uint32_t length,
		  uint64_t flags)
{
	struct pcnet_chip *chip = &nic->state.chip;
	uint32_t done = 0;

	while (done < length) {
		struct pcnet_descriptor descriptor;
		uint32_t part;

		if (!pcnet_descriptor_load(nic, PCNET_CSR_BADR, chip->rx_next,
					   &descriptor))
			return;
		part = MIN(pcnet_descriptor_length(&descriptor), length - done);
		guest_ram_write(nic->config.ram, descriptor.address,
				frame + done, part);
		descriptor.flags &= (uint32_t)PCNET_D_BCNT;
		descriptor.flags |= done ? 0 : (uint32_t)PCNET_D_STP;
		done += part;
		descriptor.status = 0;
		if (done == length) {
			descriptor.flags |= (uint32_t)flags;
			descriptor.status = length;
		}
		pcnet_descriptor_store(nic, PCNET_CSR_BADR, chip->rx_next,
				       &descriptor);
		chip->rx_next = step(chip, PCNET_CSR_RCVRL, chip->rx_next, 1);
	}
	pcnet_raise(nic, PCNET_RINT);
}

/* False: there is no room. */
static bool deliver(struct pcnet *nic, const uint8_t *frame, uint32_t length,
		    uint64_t flags)
{
	uint8_t whole[LENGTH_MAX];
	uint32_t fcs;

	switch (find_room(nic, length + NET_FCS_LENGTH)) {
	case ROOM_FOUND:
		break;
	case ROOM_LATER:
		return false;
	case ROOM_NEVER:
		pcnet_fail(nic, PCNET_ERROR_RX_LENGTH);
		return true;
	default:
		return true;
	}
	memcpy(whole, frame, length);
	fcs = ~net_crc(whole, length);
	memcpy(whole + length, &fcs, sizeof(fcs));
	store(nic, whole, length + NET_FCS_LENGTH, flags);
	return true;
}

static bool take(struct pcnet *nic, const uint8_t *frame, uint32_t length)
{
	const struct pcnet_chip *chip = &nic->state.chip;
	uint8_t mac[NET_MAC_LENGTH]; /* a copy: it may change meanwhile */
	uint64_t flags;

	if (!(chip->csr[0] & PCNET_RXON) || length < NET_FRAME_MIN ||
	    length > NET_TAGGED_USUAL)
		return true;
	memcpy(mac, frame, sizeof(mac));
	flags = match(chip, mac);
	return !flags || deliver(nic, frame, length, flags);
}

static bool arrive(void *dev, const uint8_t *frame, uint32_t length)
{
	struct pcnet *nic = dev;

	return !nic->state.is_cable_up || is_loopback(&nic->state.chip) ||
	       take(nic, frame, length);
}

/* ---- Transmission ------------------------------------------------------- */

/* From the descriptors at tx_next on.  PCNET_ERROR_NONE, or what is wrong with
 * the frame: then *descriptors are those that belong to it. */
static enum pcnet_error gather(struct pcnet *nic, struct departure *frame)
{
	const struct pcnet_chip *chip = &nic->state.chip;
	uint32_t size = pcnet_ring_length(chip, PCNET_CSR_XMTRL);

	frame->length = 0;
	for (frame->descriptors = 0; frame->descriptors < size;) {
		struct pcnet_descriptor part;
		uint32_t length;

		if (!pcnet_descriptor_load(nic, PCNET_CSR_BADX,
					   step(chip, PCNET_CSR_XMTRL,
						chip->tx_next,
						frame->descriptors),
					   &part))
			return PCNET_ERROR_RING;
		if (!(part.flags & PCNET_D_OWN))
			return PCNET_ERROR_TX_CHAIN;
		if (!frame->descriptors++)
			frame->first_flags = part.flags;
		frame->last_flags = part.flags;
		length = pcnet_descriptor_length(&part);
		if (length > LENGTH_MAX - frame->length)
			return PCNET_ERROR_TX_LENGTH;
		guest_ram_read(nic->config.ram, part.address,
			       frame->data + frame->length, length);
		frame->length += length;
		if (part.flags & PCNET_D_ENP)
			return PCNET_ERROR_NONE;
	}
	return PCNET_ERROR_TX_CHAIN;
}

/* Gives the frame's descriptors back, the last with a status. */
static void give_back(struct pcnet *nic, uint32_t count, uint32_t status)
{
	struct pcnet_chip *chip = &nic->state.chip;

	while (count--) {
		struct pcnet_descriptor part;

		if (!pcnet_descriptor_load(nic, PCNET_CSR_BADX, chip->tx_next,
					   &part))
			return;
		part.flags &= ~(uint32_t)(PCNET_D_OWN | PCNET_D_ERR);
		part.status &= 0xffff;
		if (!count && status) {
			part.flags |= (uint32_t)PCNET_D_ERR;
			part.status |= status;
		}
		pcnet_descriptor_store(nic, PCNET_CSR_BADX, chip->tx_next,
				       &part);
		chip->tx_next = step(chip, PCNET_CSR_XMTRL, chip->tx_next, 1);
	}
}

/* Its FCS is the driver's where the card appends none; short ones are padded.*/
static void finish(const struct pcnet_chip *chip, struct departure *frame)
{
	if (chip->csr[PCNET_CSR_MODE] & PCNET_DXMTFCS &&
	    !(frame->first_flags & PCNET_D_ADD_FCS) &&
	    !(chip->csr[PCNET_CSR_FEATURES] & PCNET_APAD_XMT))
		frame->length -= MIN(frame->length, NET_FCS_LENGTH);
	if (frame->length < NET_FRAME_MIN) {
		memset(frame->data + frame->length, 0,
		       NET_FRAME_MIN - frame->length);
		frame->length = NET_FRAME_MIN;
	}
}

/* The frame's status, in *status.  False: the backend is full. */
static bool hand_over(struct pcnet *nic, struct departure *frame,
		      uint32_t *status)
{
	const struct net_backend *net = nic->config.net;
	struct pcnet_chip *chip = &nic->state.chip;
	struct net_segment whole;

	finish(chip, frame);
	whole = (struct net_segment){ frame->data, frame->length };
	*status = 0;
	if (is_loopback(chip)) {
		if (take(nic, frame->data, frame->length))
			return true;
		chip->csr[PCNET_CSR_MISSED]++;
		pcnet_raise(nic, PCNET_MISS);
		return true;
	}
	if (nic->state.is_cable_up)
		return net->send(net->ctx, &whole, 1);
	*status = (uint32_t)PCNET_D_LCAR;
	return true;
}

static bool tells(const struct pcnet_chip *chip, const struct departure *frame)
{
	uint16_t extended = chip->csr[PCNET_CSR_EXTENDED];

	if (extended & PCNET_LTINTEN)
		return frame->last_flags & PCNET_D_LTINT;
	return !(extended & PCNET_TOKINTD);
}

/* A frame that cannot be sent.  False: the transmitter is off. */
static bool refuse(struct pcnet *nic, const struct departure *frame,
		   enum pcnet_error error)
{
	if (error == PCNET_ERROR_RING) /* is told already */
		return false;
	pcnet_fail(nic, error);
	if (error == PCNET_ERROR_TX_LENGTH) {
		give_back(nic, frame->descriptors, 0);
		pcnet_raise(nic, PCNET_BABL | PCNET_TINT);
		return true;
	}
	nic->state.chip.csr[0] &= (uint16_t)~PCNET_TXON;
	give_back(nic, frame->descriptors,
		  (uint32_t)(PCNET_D_BUFF | PCNET_D_UFLO));
	pcnet_raise(nic, PCNET_TINT);
	return false;
}

/* One frame; how many descriptors, or 0: there is none, or it cannot be sent
 * now. */
static uint32_t send(struct pcnet *nic)
{
	struct pcnet_chip *chip = &nic->state.chip;
	struct pcnet_descriptor first;
	struct departure frame;
	enum pcnet_error error;
	uint32_t status;

	if (!(chip->csr[0] & PCNET_TXON) ||
	    !pcnet_descriptor_load(nic, PCNET_CSR_BADX, chip->tx_next,
				   &first) ||
	    !(first.flags & PCNET_D_OWN))
		return 0;
	if (!(first.flags & PCNET_D_STP)) {
		pcnet_fail(nic, PCNET_ERROR_TX_START);
		give_back(nic, 1, 0);
		return 1;
	}
	error = gather(nic, &frame);
	if (error)
		return refuse(nic, &frame, error) ? frame.descriptors : 0;
	if (!hand_over(nic, &frame, &status))
		return 0;
	give_back(nic, frame.descriptors, status);
	chip->csr[PCNET_CSR_FEATURES] |= (uint16_t)PCNET_TXSTRT;
	if (status || tells(chip, &frame))
		pcnet_raise(nic, PCNET_TINT);
	return frame.descriptors;
}

/* ---- Both --------------------------------------------------------------- */

static bool wants_poll(const struct pcnet *nic)
{
	const struct pcnet_chip *chip = &nic->state.chip;

	return nic->port.held ||
	       (chip->csr[0] & PCNET_TXON && !chip->has_demanded &&
		!(chip->csr[PCNET_CSR_FEATURES] & PCNET_DPOLL));
}

void pcnet_run(struct pcnet *nic)
{
	uint64_t now_ns = clock_now(nic->config.clock);
	uint32_t left = BUDGET, moved;
	bool is_done;

	if (nic->state.chip.csr[0] & (PCNET_TXON | PCNET_RXON) &&
	    !pci_is_master(&nic->pci))
		return;
	do {
		moved = send(nic);
		left -= MIN(left, moved);
	} while (moved && left);
	is_done = net_port_run(&nic->port, arrive, nic) && left;
	if (!is_done)
		clock_timer_arm(nic->config.clock, &nic->poll,
				now_ns + NET_PORT_MORE_NS);
	else if (wants_poll(nic))
		clock_timer_arm(nic->config.clock, &nic->poll,
				now_ns + POLL_NS);
	else
		clock_timer_disarm(nic->config.clock, &nic->poll);
}
