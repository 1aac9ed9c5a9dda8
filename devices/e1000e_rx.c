/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the 82574L's reception differs: the shape of descriptors, and to which of
 * two queues a frame goes.
 *
 * Receive-side scaling hashes addresses, and ports of TCP, with the Toeplitz
 * function: for each bit of the input that is 1, from the highest of the first
 * byte on, the 32 bits of the key that begin at that bit's number are added
 * modulo 2.  The lowest seven bits of the hash are a place in RETA.
 *
 * References: the datasheet's chapters 7.1.4 (extended and split descriptors)
 * and 7.1.8 (RSS); Microsoft's "Verifying the RSS Hash Calculation".
 */
#include "devices/e1000e_internal.h"

#include "lib/string.h"

#define TYPE_OFFSET   12
#define TYPE_IPV4     0x0800
#define TYPE_IPV6     0x86dd
#define IPV4_HEADER   20
#define IPV6_HEADER   40
#define PROTOCOL_TCP  6
#define FRAGMENT_BITS 0x3fff	    /* offset, more fragments */
#define HEADERS_MAX   (18 + 60 + 4) /* Ethernet with a tag, IPv4, ports */
#define PORTS	      4		    /* bytes: of both ends */
#define INPUT_MAX     (32 + PORTS)

/* ---- Descriptors -------------------------------------------------------- */

static void split_sizes(uint32_t psrctl, struct e1000_rx_layout *layout)
{
	layout->size[0] =
		(uint32_t)FIELD_GET(E1000E_PSRCTL_BSIZE0, psrctl) * 128;
	layout->size[1] =
		(uint32_t)FIELD_GET(E1000E_PSRCTL_BSIZE1, psrctl) * 1024;
	layout->size[2] =
		(uint32_t)FIELD_GET(E1000E_PSRCTL_BSIZE2, psrctl) * 1024;
	layout->size[3] =
		(uint32_t)FIELD_GET(E1000E_PSRCTL_BSIZE3, psrctl) * 1024;
}

void e1000e_rx_layout(const struct e1000_core *core,
		      struct e1000_rx_layout *layout)
{
	const struct e1000e *nic = e1000e_of_const(core);
	uint32_t rctl = core->state->chip.reg.rctl;
	uint32_t flexible = (uint32_t)FIELD_GET(E1000E_RCTL_FLXBUF, rctl);

	if (flexible)
		layout->size[0] = layout->capacity = flexible * 1024;
	if (!(nic->state.chip.reg.rfctl & E1000E_RFCTL_EXSTEN))
		return;
	layout->format = E1000_RX_EXTENDED;
	if (FIELD_GET(E1000E_RCTL_DTYP, rctl) != E1000E_RCTL_SPLIT)
		return;
	layout->format = E1000_RX_SPLIT;
	layout->units = 2;
	layout->buffers = E1000_RX_BUFFERS;
	split_sizes(nic->state.chip.reg.psrctl, layout);
	layout->capacity = layout->size[0] + layout->size[1] + layout->size[2] +
			   layout->size[3];
	if (!layout->capacity)
		layout->size[0] = layout->capacity = 2048;
}

/* ---- Receive-side scaling ----------------------------------------------- */

static uint8_t key_byte(const struct e1000e_chip *chip, unsigned i)
{
	return (uint8_t)(chip->rssrk[i / 4] >> 8 * (i % 4));
}

static uint32_t toeplitz(const struct e1000e_chip *chip, const uint8_t *input,
			 unsigned length)
{
	uint32_t hash = 0, window = 0;

	for (unsigned i = 0; i < 4; i++)
		window = window << 8 | key_byte(chip, i);
	for (unsigned i = 0; i < length; i++) {
		uint8_t next = key_byte(chip, i + 4);

		for (unsigned bit = 8; bit-- > 0;) {
			if (input[i] >> bit & 1)
				hash ^= window;
			window = window << 1 | (next >> bit & 1);
		}
	}
	return hash;
}

/* What is hashed of a packet. */
struct input {
	uint8_t bytes[INPUT_MAX];
	unsigned length;
	uint8_t type; /* 0: nothing is */
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void input_put(struct input *input, const uint8_t *bytes,
		      unsigned length)
{
	memcpy(input->bytes + input->length, bytes, length);
	input->length += length;
}

/* ip: HEADERS_MAX - 18 bytes; left: so many are of the frame. */
static void ipv4_input(uint32_t mrqc, const uint8_t *ip, uint32_t left,
		       struct input *input)
{
	uint32_t header = (ip[0] & 15) * 4U;
	bool is_tcp = ip[9] == PROTOCOL_TCP && header >= IPV4_HEADER &&
		      !(get16(ip + 6) & FRAGMENT_BITS) &&
		      left >= header + PORTS;

	if (left < IPV4_HEADER)
		return;
	input_put(input, ip + 12, 8);
	if (is_tcp && mrqc & E1000E_MRQC_TCP_IPV4) {
		input_put(input, ip + header, PORTS);
		input->type = E1000E_RSS_TCP_IPV4;
	} else if (mrqc & E1000E_MRQC_IPV4) {
		input->type = E1000E_RSS_IPV4;
	}
}

static void ipv6_input(uint32_t mrqc, const uint8_t *ip, uint32_t left,
		       struct input *input)
{
	bool is_tcp = ip[6] == PROTOCOL_TCP && left >= IPV6_HEADER + PORTS;

	if (left < IPV6_HEADER)
		return;
	input_put(input, ip + 8, 32);
	if (is_tcp && mrqc & E1000E_MRQC_TCP_IPV6) {
		input_put(input, ip + IPV6_HEADER, PORTS);
		input->type = E1000E_RSS_TCP_IPV6;
	} else if (mrqc & E1000E_MRQC_IPV6) {
		input->type = E1000E_RSS_IPV6;
	} else if (mrqc & E1000E_MRQC_IPV6_EX) {
		input->type = E1000E_RSS_IPV6_EX;
	}
}

static bool is_scaling(const struct e1000e *nic)
{
	const struct e1000e_registers *reg = &nic->state.chip.reg;

	return FIELD_GET(E1000E_MRQC_ENABLE, reg->mrqc) == E1000E_MRQC_RSS &&
	       reg->rfctl & E1000E_RFCTL_EXSTEN &&
	       nic->state.common.chip.reg.rxcsum & E1000_RXCSUM_PCSD;
}

void e1000e_rx_steer(const struct e1000_core *core, const uint8_t *frame,
		     uint32_t length, struct e1000_rx_steer *steer)
{
	const struct e1000e *nic = e1000e_of_const(core);
	const struct e1000e_chip *chip = &nic->state.chip;
	uint8_t header[HEADERS_MAX] = { 0 };
	struct input input = { .length = 0 };
	uint32_t at = TYPE_OFFSET;
	unsigned place;

	if (!is_scaling(nic))
		return;
	memcpy(header, frame, MIN(length, HEADERS_MAX));
	if (get16(header + at) == core->state->chip.reg.vet)
		at += NET_VLAN_TAG;
	if (get16(header + at) == TYPE_IPV4)
		ipv4_input(chip->reg.mrqc, header + at + 2, length - at - 2,
			   &input);
	else if (get16(header + at) == TYPE_IPV6)
		ipv6_input(chip->reg.mrqc, header + at + 2, length - at - 2,
			   &input);
	if (!input.type)
		return;
	steer->type = input.type;
	steer->hash = toeplitz(chip, input.bytes, input.length);
	place = steer->hash % E1000E_RETA_ENTRIES;
	if (chip->reta[place / 4] >> 8 * (place % 4) & E1000E_RETA_QUEUE)
		steer->queue = 1;
}
