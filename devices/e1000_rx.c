/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the controllers receive: filters, buffers, descriptors.
 *
 * A frame is read where the backend has it.  Its first bytes are copied before
 * anything is decided by them, and its length is the backend's: what another
 * program changes meanwhile changes what the guest reads, and nothing else.
 *
 * References: the manual's chapter 3.2 (descriptors, buffers, thresholds) and
 * 13.4 to 13.6 (filters).
 */
#include "devices/e1000_internal.h"

#include "lib/string.h"

#define MAC_PAIRS    16
#define HEADER_BYTES 18	  /* addresses, a tag, the type */
#define USUAL_LENGTH 1518 /* without LPE, a tag among them, no FCS */
#define VLAN_ID	     0x0fff
#define VLAN_CFI     0x1000

/* A frame on its way. */
struct arrival {
	const uint8_t *frame;
	uint32_t length;
	uint8_t header[HEADER_BYTES]; /* a copy */
	bool is_tagged;
	bool is_stripped; /* of the tag */
	uint16_t tci;	  /* valid while is_tagged */
	uint32_t stored;  /* bytes for the buffers, FCS among them */
	struct e1000_rx_steer steer;
};

/* ---- Filters ------------------------------------------------------------ */

static bool is_own(const struct e1000_core *nic, const uint8_t *mac)
{
	const uint32_t *ra = nic->state->chip.ra;
	uint32_t low, high;

	low = mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 |
	      (uint32_t)mac[3] << 24;
	high = mac[4] | (uint32_t)mac[5] << 8;
	for (unsigned i = 0; i < MAC_PAIRS; i++)
		if (ra[2 * i + 1] & E1000_RAH_AV && ra[2 * i] == low &&
		    (ra[2 * i + 1] & 0xffff) == high)
			return true;
	return false;
}

/* Twelve bits of the address, which ones MO says, are a place in MTA. */
static bool is_hashed(const struct e1000_core *nic, const uint8_t *mac)
{
	static const uint8_t shifts[] = { 4, 3, 2, 0 };
	uint32_t rctl = nic->state->chip.reg.rctl;
	unsigned place = (mac[4] | (unsigned)mac[5] << 8) >>
			 shifts[FIELD_GET(E1000_RCTL_MO, rctl)];

	place &= 0xfff;
	return nic->state->chip.mta[place / 32] >> place % 32 & 1;
}

static bool passes_address(const struct e1000_core *nic, const uint8_t *mac)
{
	uint32_t rctl = nic->state->chip.reg.rctl;

	if (net_is_broadcast(mac) && rctl & E1000_RCTL_BAM)
		return true;
	if (mac[0] & 1)
		return rctl & E1000_RCTL_MPE || is_own(nic, mac) ||
		       is_hashed(nic, mac);
	return rctl & E1000_RCTL_UPE || is_own(nic, mac);
}

static bool passes_vlan(const struct e1000_core *nic,
			const struct arrival *arrival)
{
	uint32_t rctl = nic->state->chip.reg.rctl;
	unsigned id = arrival->tci & VLAN_ID;

	if (!(rctl & E1000_RCTL_VFE) || !arrival->is_tagged)
		return true;
	if (rctl & E1000_RCTL_CFIEN &&
	    !(arrival->tci & VLAN_CFI) != !(rctl & E1000_RCTL_CFI))
		return false;
	return nic->state->chip.vfta[id / 32] >> id % 32 & 1;
}

/* Counts what is of a wrong length. */
static bool passes(struct e1000_core *nic, const struct arrival *arrival)
{
	uint32_t rctl = nic->state->chip.reg.rctl;

	if (!(rctl & E1000_RCTL_EN) || !passes_vlan(nic, arrival) ||
	    !passes_address(nic, arrival->header))
		return false;
	if (arrival->length <= USUAL_LENGTH || rctl & E1000_RCTL_LPE)
		return true;
	e1000_count(nic, E1000_ROC);
	return false;
}

/* What the frame says: of *arrival, frame and length are there. */
static void arrival_read(const struct e1000_core *nic, struct arrival *arrival)
{
	const struct e1000_registers *reg = &nic->state->chip.reg;
	uint8_t *header = arrival->header;

	memcpy(header, arrival->frame, HEADER_BYTES);
	arrival->is_tagged = (header[12] << 8 | header[13]) == (int)reg->vet;
	arrival->tci = (uint16_t)(header[14] << 8 | header[15]);
	arrival->is_stripped = arrival->is_tagged && reg->ctrl & E1000_CTRL_VME;
	arrival->stored = arrival->length;
	if (arrival->is_stripped)
		arrival->stored -= NET_VLAN_TAG;
	if (!(reg->rctl & E1000_RCTL_SECRC))
		arrival->stored += NET_FCS_LENGTH;
}

/* ---- The ring ----------------------------------------------------------- */

static gpa_t descriptor_at(const struct e1000_ring *ring)
{
	return e1000_ring_base(ring) +
	       (uint64_t)*ring->head * E1000_DESCRIPTOR_SIZE;
}

/* Units of descriptors that the driver has free; 0 for a ring that makes no
 * sense. */
static uint32_t ring_free(struct e1000_core *nic, struct e1000_ring *ring)
{
	uint32_t head = *ring->head, tail = *ring->tail;
	uint32_t size = e1000_ring_size(ring);

	if (*ring->is_broken || head == tail)
		return 0;
	if (head < size && tail < size)
		return tail > head ? tail - head : size - head + tail;
	*ring->is_broken = true;
	e1000_fail(nic, E1000_ERROR_RX_RING);
	return 0;
}

static uint32_t buffer_size(uint32_t rctl)
{
	uint32_t size = 2048U >> FIELD_GET(E1000_RCTL_BSIZE, rctl);

	/* 16384, 8192, 4096; the first of the larger ones is reserved. */
	return rctl & E1000_RCTL_BSEX && size != 2048 ? size * 16 : size;
}

static void layout_read(const struct e1000_core *nic,
			struct e1000_rx_layout *layout)
{
	layout->format = E1000_RX_LEGACY;
	layout->units = 1;
	layout->buffers = 1;
	layout->size[0] = buffer_size(nic->state->chip.reg.rctl);
	layout->capacity = layout->size[0];
	if (nic->model->rx_layout)
		nic->model->rx_layout(nic, layout);
}

/* Half, a quarter or an eighth of the descriptors are left. */
static bool is_low(const struct e1000_registers *reg, uint32_t size,
		   uint32_t left)
{
	uint64_t shift = FIELD_GET(E1000_RCTL_RDMTS, reg->rctl) + 1;

	return left <= size >> MIN(shift, 3UL);
}

/* ---- Delivery ----------------------------------------------------------- */

/* Bytes from `from` on of what is stored: frame without tag, zeros for FCS. */
static void bytes_store(struct e1000_core *nic, const struct arrival *arrival,
			gpa_t to, uint32_t from, uint32_t length)
{
	static const uint8_t fcs[NET_FCS_LENGTH];
	uint32_t skip = arrival->is_stripped ? NET_VLAN_TAG : 0;

	while (length) {
		const uint8_t *at = arrival->frame + from;
		uint32_t run = length;

		if (skip && from < NET_MACS_LENGTH) {
			run = MIN(run, NET_MACS_LENGTH - from);
		} else if (from + skip < arrival->length) {
			at += skip;
			run = MIN(run, arrival->length - skip - from);
		} else {
			at = fcs + (from + skip - arrival->length);
		}
		guest_ram_write(nic->config.ram, to, at, run);
		to += run;
		from += run;
		length -= run;
	}
}

static uint64_t last_bits(const struct e1000_core *nic,
			  const struct arrival *arrival)
{
	uint64_t bits = E1000_RXD_EOP |
			e1000_rx_check(nic, arrival->frame, arrival->length);

	/* Not by a table of addresses alone: software looks again. */
	if (arrival->header[0] & 1 && !is_own(nic, arrival->header) &&
	    !net_is_broadcast(arrival->header))
		bits |= E1000_RXD_PIF;
	if (!arrival->is_stripped)
		return bits;
	return bits | E1000_RXD_VP |
	       FIELD_PUT(E1000_RXD_SPECIAL, (uint64_t)arrival->tci);
}

/* A word is the driver's as soon as it is written. */
static void word_write(struct e1000_core *nic, gpa_t at, uint64_t word)
{
	uint64_t *to = guest_ram_at(nic->config.ram, at, sizeof(*to));

	if (to)
		__atomic_store_n(to, word, __ATOMIC_RELEASE);
}

/* What a descriptor is given: of what is stored, bytes from `from` on. */
struct filled {
	uint32_t from, length;
	uint32_t part[E1000_RX_BUFFERS]; /* of the length, by buffer */
	uint64_t word;			 /* as a legacy descriptor has it */
};

static void buffers_fill(struct e1000_core *nic, const struct arrival *arrival,
			 const struct e1000_rx_layout *layout, gpa_t at,
			 struct filled *filled)
{
	uint64_t buffer[E1000_RX_BUFFERS] = { 0 };
	uint32_t from = filled->from, left = filled->length;

	guest_ram_read(nic->config.ram, at, buffer, layout->buffers * 8);
	for (unsigned i = 0; i < layout->buffers; i++) {
		uint32_t part = MIN(layout->size[i], left);

		if (buffer[i]) /* of a null descriptor nothing is stored */
			bytes_store(nic, arrival, buffer[i], from, part);
		filled->part[i] = part;
		from += part;
		left -= part;
	}
}

/*
 * An extended descriptor has a hash, or a checksum and an identification that
 * is none here, in its first word, and in its second what a legacy one has, in
 * other places.  With several buffers the lengths of all but the first follow;
 * headers are in none of their own.
 */
static void extended_write(struct e1000_core *nic,
			   const struct arrival *arrival,
			   const struct e1000_rx_layout *layout, gpa_t at,
			   const struct filled *filled)
{
	const struct e1000_rx_steer *steer = &arrival->steer;
	uint64_t word = filled->word, first;
	uint64_t high = word >> 32;

	first = steer->type | (uint64_t)steer->queue << 8 |
		(uint64_t)steer->hash << 32;
	if (!(nic->state->chip.reg.rxcsum & E1000_RXCSUM_PCSD))
		first = FIELD_GET(E1000_RXD_CHECKSUM, word) << 48;
	word_write(nic, at, first);
	if (layout->format == E1000_RX_SPLIT) {
		word_write(nic, at + 16,
			   (uint64_t)filled->part[1] << 16 |
				   (uint64_t)filled->part[2] << 32 |
				   (uint64_t)filled->part[3] << 48);
		word_write(nic, at + 24, 0);
	}
	word_write(nic, at + 8,
		   (high & 0xff) | (high & 0xff00) << 16 |
			   (uint64_t)filled->part[0] << 32 |
			   (high & 0xffff0000) << 32);
}

static void store(struct e1000_core *nic, const struct arrival *arrival,
		  struct e1000_ring *ring, const struct e1000_rx_layout *layout)
{
	uint32_t done = 0;

	while (done < arrival->stored) {
		uint32_t length = MIN(layout->capacity, arrival->stored - done);
		gpa_t at = descriptor_at(ring);
		struct filled filled = {
			.from = done,
			.length = length,
			.word = FIELD_PUT(E1000_RXD_LENGTH, (uint64_t)length) |
				E1000_RXD_DD,
		};

		buffers_fill(nic, arrival, layout, at, &filled);
		done += length;
		if (done == arrival->stored)
			filled.word |= last_bits(nic, arrival);
		if (layout->format == E1000_RX_LEGACY)
			word_write(nic, at + 8, filled.word);
		else
			extended_write(nic, arrival, layout, at, &filled);
		*ring->head += layout->units;
		if (*ring->head >= e1000_ring_size(ring))
			*ring->head = 0;
	}
}

static void after(struct e1000_core *nic, const struct arrival *arrival,
		  const struct e1000_ring *ring, uint32_t left)
{
	struct e1000_registers *reg = &nic->state->chip.reg;
	uint32_t causes = 0;

	e1000_count_received(nic, arrival->header, arrival->length);
	if (is_low(reg, e1000_ring_size(ring), left))
		causes |= E1000_CAUSE_RXDMT0;
	if (reg->rsrpd && arrival->length + NET_FCS_LENGTH <= reg->rsrpd)
		causes |= E1000_CAUSE_SRPD;
	if (e1000_has_message(nic, ring)) {
		e1000_raise(nic, causes | ring->cause | E1000_CAUSE_RXT0);
		return;
	}
	if (causes)
		e1000_raise(nic, causes);
	e1000_rx_raise_later(nic);
}

/* False: there are too few descriptors. */
static bool deliver(struct e1000_core *nic, const struct arrival *arrival)
{
	struct e1000_chip *chip = &nic->state->chip;
	struct e1000_ring *ring = &nic->rx[arrival->steer.queue];
	struct e1000_rx_layout layout;
	uint32_t needed, available, size;

	layout_read(nic, &layout);
	size = e1000_ring_size(ring);
	needed = (uint32_t)DIV_ROUND_UP(arrival->stored, layout.capacity) *
		 layout.units;
	available = ring_free(nic, ring);
	if (needed >= size && size) {
		e1000_fail(nic, E1000_ERROR_RX_LENGTH);
		return true;
	}
	if (available < needed) {
		if (!chip->has_missed)
			e1000_count(nic, E1000_RNBC);
		chip->has_missed = true;
		return false;
	}
	chip->has_missed = false;
	store(nic, arrival, ring, &layout);
	after(nic, arrival, ring, available - needed);
	return true;
}

/* ---- Frames ------------------------------------------------------------- */

static bool take(struct e1000_core *nic, const uint8_t *frame, uint32_t length)
{
	struct arrival arrival = { .frame = frame, .length = length };

	if (length < NET_FRAME_MIN || length > NET_FRAME_MAX)
		return true;
	arrival_read(nic, &arrival);
	if (!passes(nic, &arrival))
		return true;
	if (nic->model->rx_steer)
		nic->model->rx_steer(nic, frame, length, &arrival.steer);
	return deliver(nic, &arrival);
}

void e1000_rx_loop(struct e1000_core *nic, const uint8_t *frame,
		   uint32_t length)
{
	if (!take(nic, frame, length))
		e1000_count(nic, E1000_MPC);
}

void e1000_rx_release(struct e1000_core *nic)
{
	net_port_release(&nic->port);
}

/* From the network, which is not heard while frames loop back. */
static bool arrive(void *dev, const uint8_t *frame, uint32_t length)
{
	struct e1000_core *nic = dev;

	return !e1000_is_link_up(nic) || e1000_is_loopback(nic) ||
	       take(nic, frame, length);
}

void e1000_rx_run(struct e1000_core *nic)
{
	bool is_enabled = nic->state->chip.reg.rctl & E1000_RCTL_EN;

	if (is_enabled && !e1000_is_master(nic))
		return;
	if (!net_port_run(&nic->port, arrive, nic))
		clock_timer_arm(nic->config.clock, &nic->more,
				clock_now(nic->config.clock) +
					NET_PORT_MORE_NS);
}
