/* SPDX-License-Identifier: BSD-2-Clause */
/* What network cards have in common: net_port.h. */
#include "devices/net_port.h"

#include "lib/printf.h"

/* Frames that one call offers. */
#define BUDGET 256

#define POLYNOMIAL 0xedb88320U /* its lowest bit is x^31 */

void net_port_release(struct net_port *port)
{
	if (port->held)
		port->net->release(port->net->ctx);
	port->held = NULL;
}

bool net_port_run(struct net_port *port, net_take_fn take, void *dev)
{
	const struct net_backend *net = port->net;

	for (unsigned i = 0; i < BUDGET; i++) {
		if (!port->held)
			port->held = net->receive(net->ctx, &port->held_length);
		if (!port->held || !take(dev, port->held, port->held_length))
			return true;
		net_port_release(port);
	}
	return false;
}

/* ---- CRC-32 ------------------------------------------------------------- */

#define STEP(crc) ((crc) >> 1 ^ ((crc)&1 ? POLYNOMIAL : 0))
#define NIBBLE(n) STEP(STEP(STEP(STEP((uint32_t)(n)))))

uint32_t net_crc(const uint8_t *bytes, uint32_t length)
{
	static const uint32_t table[16] = {
		NIBBLE(0),  NIBBLE(1),	NIBBLE(2),  NIBBLE(3),
		NIBBLE(4),  NIBBLE(5),	NIBBLE(6),  NIBBLE(7),
		NIBBLE(8),  NIBBLE(9),	NIBBLE(10), NIBBLE(11),
		NIBBLE(12), NIBBLE(13), NIBBLE(14), NIBBLE(15),
	};
	uint32_t crc = ~0U;

	while (length--) {
		crc ^= *bytes++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

unsigned net_hash_low(const uint8_t *mac)
{
	return net_crc(mac, NET_MAC_LENGTH) >> 26;
}

unsigned net_hash_high(const uint8_t *mac)
{
	uint32_t crc = net_crc(mac, NET_MAC_LENGTH);
	unsigned hash = 0;

	for (unsigned i = 0; i < 6; i++)
		hash = hash << 1 | (crc >> i & 1);
	return hash;
}

/* ---- PCI ---------------------------------------------------------------- */

int net_bars_add(struct pci_device *pci, const struct nic_config *config,
		 const struct io_region *registers, uint64_t size)
{
	struct pci_bar bar = {
		.kind = PCI_BAR_IO,
		.size = size,
		.region = *registers,
	};
	int error = pci_bar_add(pci, 0, &bar);

	bar.kind = PCI_BAR_MEMORY;
	if (!error)
		error = pci_bar_add(pci, 1, &bar);
	if (!error && config->rom)
		error = pci_rom_add(pci, config->rom, config->rom_length);
	return error;
}

/* ---- The log ------------------------------------------------------------ */

void net_warn(const struct device_log *log, const char *name, const char *text)
{
	char line[80];

	if (!log->print)
		return;
	(void)snprintf(line, sizeof(line), "%s: %s", name, text);
	log->print(log->ctx, DEVICE_LOG_WARN, line);
}
