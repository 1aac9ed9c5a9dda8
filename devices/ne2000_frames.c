/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the NE2000 transmits and receives.
 *
 * The driver copies a frame into the card's memory and says which page it
 * begins at.  One that is received is put into pages from CURR on, behind a
 * header of status, next packet's page, and length with FCS; the driver follows
 * with BNRY.  The ring is from PSTART to before PSTOP, and full when CURR would
 * become BNRY.
 *
 * References: DP8390D data sheet: Packet Reception, Packet Transmission,
 * Loopback Diagnostics, Buffer Ring Overflow.
 */
#include "devices/ne2000_internal.h"

#include "lib/string.h"

#define HEADER	    4
#define MISSED_MAX  192 /* where a tally counter stops */
#define MISSED_TELL 128 /* where it says so */

/* ---- Filters ------------------------------------------------------------ */

static bool is_hashed(const struct ne2000_chip *chip, const uint8_t *mac)
{
	unsigned hash = net_hash_high(mac);

	return chip->mar[hash / 8] >> hash % 8 & 1;
}

/* The status that says why it is received, or 0. */
static uint8_t status_of(const struct ne2000_chip *chip, const uint8_t *mac)
{
	if (net_is_broadcast(mac))
		return chip->rcr & NE2000_RCR_AB
			       ? NE2000_RSR_PRX | NE2000_RSR_PHY
			       : 0;
	if (mac[0] & NET_MULTICAST)
		return chip->rcr & NE2000_RCR_AM && is_hashed(chip, mac)
			       ? NE2000_RSR_PRX | NE2000_RSR_PHY
			       : 0;
	return chip->rcr & NE2000_RCR_PRO ||
			       !memcmp(mac, chip->par, NET_MAC_LENGTH)
		       ? NE2000_RSR_PRX
		       : 0;
}

/* ---- The ring ----------------------------------------------------------- */

static void miss(struct ne2000 *nic)
{
	struct ne2000_chip *chip = &nic->state.chip;

	if (chip->missed < MISSED_MAX)
		chip->missed++;
	chip->rsr |= NE2000_RSR_MPA;
	if (chip->missed >= MISSED_TELL)
		ne2000_raise(nic, NE2000_CNT);
}

static unsigned ring_pages(const struct ne2000_chip *chip)
{
	return (unsigned)(chip->pstop - chip->pstart);
}

/* A BNRY outside is never met. */
static unsigned free_pages(const struct ne2000_chip *chip)
{
	if (chip->bnry < chip->pstart || chip->bnry >= chip->pstop)
		return ring_pages(chip);
	return chip->bnry > chip->curr
		       ? (unsigned)(chip->bnry - chip->curr)
		       : ring_pages(chip) - (unsigned)(chip->curr - chip->bnry);
}

static unsigned pages_of(uint32_t length)
{
	return DIV_ROUND_UP(HEADER + length + NET_FCS_LENGTH, NE2000_PAGE);
}

/* Whether a frame of that length fits an empty ring. */
static bool is_ring(const struct ne2000_chip *chip, uint32_t length)
{
	return chip->pstart < chip->pstop && chip->curr >= chip->pstart &&
	       chip->curr < chip->pstop && pages_of(length) < ring_pages(chip);
}

static void store(struct ne2000 *nic, unsigned *at, const void *from,
		  uint32_t length)
{
	const struct ne2000_chip *chip = &nic->state.chip;
	const uint8_t *bytes = from;

	for (uint32_t i = 0; i < length; i++) {
		ne2000_memory_write(nic, *at, bytes[i]);
		if (++*at == chip->pstop * NE2000_PAGE)
			*at = chip->pstart * NE2000_PAGE;
	}
}

static void deliver(struct ne2000 *nic, const uint8_t *frame, uint32_t length,
		    uint8_t status)
{
	struct ne2000_chip *chip = &nic->state.chip;
	uint32_t fcs = ~net_crc(frame, length), count = length + NET_FCS_LENGTH;
	unsigned next = chip->curr + pages_of(length);
	unsigned at = chip->curr * NE2000_PAGE;
	uint8_t header[HEADER] = { status, 0, (uint8_t)count,
				   (uint8_t)(count >> 8) };

	if (next >= chip->pstop)
		next -= ring_pages(chip);
	header[1] = (uint8_t)next;
	store(nic, &at, header, sizeof(header));
	store(nic, &at, frame, length);
	store(nic, &at, &fcs, sizeof(fcs));
	chip->clda = (uint16_t)at;
	chip->curr = (uint8_t)next;
	chip->rsr = status;
	ne2000_raise(nic, NE2000_PRX);
}

/* ---- Reception ---------------------------------------------------------- */

static bool is_receiving(const struct ne2000 *nic)
{
	return nic->state.chip.is_running && !ne2000_is_loopback(nic);
}

/* False: the ring is full.  After an overflow it is until the driver has
 * acknowledged. */
static bool arrive(void *dev, const uint8_t *frame, uint32_t length)
{
	struct ne2000 *nic = dev;
	struct ne2000_chip *chip = &nic->state.chip;
	uint8_t copy[NET_TAGGED_USUAL]; /* it may change meanwhile */
	uint8_t status;

	if (!nic->state.is_cable_up || !is_receiving(nic) ||
	    length < NET_FRAME_MIN || length > sizeof(copy))
		return true;
	memcpy(copy, frame, length);
	status = status_of(chip, copy);
	if (!status)
		return true;
	if (chip->rcr & NE2000_RCR_MON) {
		chip->rsr = NE2000_RSR_DIS;
		miss(nic);
		return true;
	}
	if (!is_ring(chip, length)) {
		ne2000_fail(nic, NE2000_ERROR_RING);
		miss(nic);
		return true;
	}
	if (chip->isr & NE2000_OVW || pages_of(length) >= free_pages(chip))
		return false;
	deliver(nic, copy, length, status);
	return true;
}

/* One that waits for a driver is patient; one that it no longer wants is not
 * kept. */
void ne2000_rx_run(struct ne2000 *nic)
{
	struct clock *clock = nic->config.clock;
	uint64_t now_ns = clock_now(clock);

	if (!net_port_run(&nic->port, arrive, nic))
		clock_timer_arm(clock, &nic->more, now_ns + NET_PORT_MORE_NS);
	if (!nic->port.held)
		clock_timer_disarm(clock, &nic->overflow);
	else if (!nic->overflow.is_armed)
		clock_timer_arm(clock, &nic->overflow,
				now_ns + NE2000_PATIENCE_NS);
}

void ne2000_ring_changed(struct ne2000 *nic)
{
	struct ne2000_chip *chip = &nic->state.chip;

	/* A packet was taken out: the receiver is no longer reset by OVW. */
	if (chip->is_running)
		chip->isr &= (uint8_t)~NE2000_RST;
	clock_timer_disarm(nic->config.clock, &nic->overflow);
	ne2000_rx_run(nic);
}

/* The driver has let a frame wait for too long. */
void ne2000_overflow(struct ne2000 *nic)
{
	if (!nic->port.held)
		return;
	net_port_release(&nic->port);
	miss(nic);
	ne2000_raise(nic, NE2000_OVW | NE2000_RST);
	ne2000_rx_run(nic);
}

/* ---- Transmission ------------------------------------------------------- */

static void transmitted(struct ne2000 *nic, unsigned status)
{
	struct ne2000_chip *chip = &nic->state.chip;

	chip->cr &= (uint8_t)~NE2000_CR_TXP;
	chip->tsr = (uint8_t)status;
	ne2000_raise(nic, status & NE2000_TSR_PTX ? NE2000_PTX : NE2000_TXE);
}

/* The last bytes that came back, then how many there were; the place of each
 * in the FIFO is its number's. */
static void fifo_fill(struct ne2000_chip *chip, const uint8_t *frame,
		      uint32_t length)
{
	const uint8_t count[3] = { (uint8_t)length, (uint8_t)(length >> 8),
				   (uint8_t)(length >> 8) };

	for (uint32_t i = 0; i < length; i++)
		chip->fifo[i % NE2000_FIFO_SIZE] = frame[i];
	for (unsigned i = 0; i < ARRAY_SIZE(count); i++)
		chip->fifo[(length + i) % NE2000_FIFO_SIZE] = count[i];
	chip->fifo_at = 0;
}

/* Whether its last bytes are the FCS of those before. */
static bool has_fcs(const uint8_t *frame, uint32_t length)
{
	uint32_t fcs;

	if (length <= NET_FCS_LENGTH)
		return false;
	length -= NET_FCS_LENGTH;
	fcs = ~net_crc(frame, length);
	return !memcmp(frame + length, &fcs, NET_FCS_LENGTH);
}

/* There is one CRC logic for both directions: a frame that it gives an FCS it
 * cannot check.  frame has room for an FCS behind it. */
static void loop_back(struct ne2000 *nic, uint8_t *frame, uint32_t length)
{
	static const uint8_t status[] = {
		0, NE2000_TSR_CDH | NE2000_TSR_CRS, /* inside of the DP8390 */
		NE2000_TSR_CDH, /* through its serial part */
		0,		/* through the transceiver */
	};
	struct ne2000_chip *chip = &nic->state.chip;
	unsigned mode = (unsigned)FIELD_GET(NE2000_TCR_LB, chip->tcr);
	uint32_t fcs = ~net_crc(frame, length);
	bool is_good = chip->tcr & NE2000_TCR_CRC && has_fcs(frame, length);

	if (!(chip->tcr & NE2000_TCR_CRC)) {
		memcpy(frame + length, &fcs, NET_FCS_LENGTH);
		length += NET_FCS_LENGTH;
	}
	if (!(chip->dcr & NE2000_DCR_LS)) {
		fifo_fill(chip, frame, length);
		chip->rsr = is_good ? NE2000_RSR_PRX : NE2000_RSR_CRC;
	}
	transmitted(nic, NE2000_TSR_PTX | NE2000_TSR_NDT | status[mode]);
}

/* The frame as it lies in memory; false: it has no length. */
static bool gather(struct ne2000 *nic, uint8_t *frame, uint32_t length)
{
	unsigned from = nic->state.chip.tpsr * NE2000_PAGE;

	if (!length || length > NET_TAGGED_USUAL + NET_FCS_LENGTH) {
		ne2000_fail(nic, NE2000_ERROR_TX_LENGTH);
		transmitted(nic, NE2000_TSR_ABT);
		return false;
	}
	for (uint32_t i = 0; i < length; i++)
		frame[i] = ne2000_memory_read(nic, from + i);
	return true;
}

void ne2000_tx_run(struct ne2000 *nic)
{
	const struct net_backend *net = nic->config.net;
	const struct ne2000_chip *chip = &nic->state.chip;
	uint8_t frame[NET_TAGGED_USUAL + 2 * NET_FCS_LENGTH];
	struct net_segment whole = { frame, chip->tbcr };

	if (!(chip->cr & NE2000_CR_TXP) || !gather(nic, frame, whole.length))
		return;
	if (ne2000_is_loopback(nic)) {
		loop_back(nic, frame, whole.length);
		return;
	}
	if (!nic->state.is_cable_up) {
		transmitted(nic, NE2000_TSR_PTX | NE2000_TSR_CRS);
		return;
	}
	if (chip->tcr & NE2000_TCR_CRC) /* the driver's own */
		whole.length -= MIN(whole.length, (uint32_t)NET_FCS_LENGTH);
	if (whole.length < NET_FRAME_MIN) {
		memset(frame + whole.length, 0, NET_FRAME_MIN - whole.length);
		whole.length = NET_FRAME_MIN;
	}
	if (net->send(net->ctx, &whole, 1))
		transmitted(nic, NE2000_TSR_PTX);
}
