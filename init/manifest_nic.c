/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a guest's network cards: init/manifest_reader.h. */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "include/switch.h"
#include "lib/string.h"

#define KIB_LIMIT_MAX 8388608 /* a second: 8 GiB */
#define MAC_TEXT      17      /* "52:54:00:12:34:56" */

/* What a card on the ISA bus can have, and has unless told. */
#define ISA_PORT_MIN  0x200
#define ISA_PORT_MAX  0x340
#define ISA_PORTS     0x20
#define ISA_PORT      0x300
#define ISA_PORT_COM2 0x2e0 /* among the ports from there on */
#define ISA_IRQ_MIN   3
#define ISA_IRQ_MAX   7
#define ISA_IRQ	      3
#define ISA_IRQ_COM2  3
#define ISA_IRQ_COM1  4
#define ISA_IRQ_FDC   6
#define ISA_IRQ_LPT1  7

/* Of those that belong to no manufacturer: what QEMU's users know. */
static const uint8_t mac_prefix[] = { 0x52, 0x54, 0x00 };

/* clang-format off */
static const struct manifest_choice models[] = {
	{ "e1000", MACHINE_NIC_E1000 },
	{ "rtl8139", MACHINE_NIC_RTL8139 },
	{ "pcnet", MACHINE_NIC_PCNET },
	{ "ne2000-pci", MACHINE_NIC_NE2000_PCI },
	{ "ne2000", MACHINE_NIC_NE2000 },
	{ "e1000e", MACHINE_NIC_E1000E },
	{ "virtio", MACHINE_NIC_VIRTIO },
	{ 0 },
};

static const struct manifest_property nic_properties[] = {
	{ "model", PROPERTY_STRING, .choices = models,
	  FIELD(struct nic_manifest, model) },
	{ "switch", PROPERTY_NAME, .is_required = true,
	  FIELD(struct nic_manifest, network) },
	{ "mac", PROPERTY_STRING, FIELD(struct nic_manifest, mac_text) },
	{ "vlan", PROPERTY_CELL, .min = 1, .max = SWITCH_VLAN_MAX,
	  FIELD(struct nic_manifest, vlan) },
	{ "kib-limit", PROPERTY_CELL, .min = 1, .max = KIB_LIMIT_MAX,
	  FIELD(struct nic_manifest, kib_limit) },
	{ "boot-index", PROPERTY_CELL, .min = 1, .max = MANIFEST_BOOT_INDEX_MAX,
	  FIELD(struct nic_manifest, boot_index) },
	{ "port", PROPERTY_CELL, .min = ISA_PORT_MIN, .max = ISA_PORT_MAX,
	  FIELD(struct nic_manifest, port) },
	{ "irq", PROPERTY_CELL, .min = ISA_IRQ_MIN, .max = ISA_IRQ_MAX,
	  FIELD(struct nic_manifest, irq) },
	{ "queues", PROPERTY_CELL, .min = 1, .max = NET_PAIRS_MAX,
	  FIELD(struct nic_manifest, pairs) },
	{ "mtu", PROPERTY_CELL, .min = NET_MTU_MIN, .max = NET_MTU_MAX,
	  FIELD(struct nic_manifest, mtu) },
	{ 0 },
};
/* clang-format on */

const char *manifest_nic_model(unsigned model)
{
	for (const struct manifest_choice *at = models; at->text; at++)
		if (at->value == model)
			return at->text;
	return "none";
}

/* -1: it is none. */
static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Pairs of digits with colons between. */
static bool mac_parse(const char *text, uint8_t mac[NET_MAC_LENGTH])
{
	if (strlen(text) != MAC_TEXT)
		return false;
	for (unsigned i = 0; i < NET_MAC_LENGTH; i++, text += 3) {
		int high = digit_of(text[0]), low = digit_of(text[1]);

		if (high < 0 || low < 0 ||
		    (i + 1 < NET_MAC_LENGTH && text[2] != ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The same at each start, and seldom another card's: FNV-1a of guest and
 * number. */
static void mac_make(const char *guest, unsigned number,
		     uint8_t mac[NET_MAC_LENGTH])
{
	uint32_t hash = 2166136261U;

	for (; *guest; guest++)
		hash = (hash ^ (uint8_t)*guest) * 16777619U;
	hash = (hash ^ (number + 1)) * 16777619U;
	hash ^= hash >> 24;
	memcpy(mac, mac_prefix, sizeof(mac_prefix));
	for (unsigned i = 3; i < NET_MAC_LENGTH; i++, hash >>= 8)
		mac[i] = (uint8_t)hash;
}

static int mac_read(struct manifest_reader *reader, int node,
		    const struct guest_manifest *guest,
		    struct nic_manifest *nic)
{
	if (!nic->mac_text[0]) {
		mac_make(guest->name, nic->number, nic->mac);
		return 0;
	}
	if (!mac_parse(nic->mac_text, nic->mac))
		return manifest_fail(reader, node, "mac",
				     "is \"%s\", must be like "
				     "52:54:00:12:34:56",
				     nic->mac_text);
	if (nic->mac[0] & 1)
		return manifest_fail(reader, node, "mac",
				     "is that of a group, for its first byte "
				     "is odd");
	return 0;
}

static const struct nic_manifest *nic_find(const struct guest_manifest *guest,
					   const uint8_t mac[NET_MAC_LENGTH])
{
	for (unsigned i = 0; i < guest->nic_count; i++)
		if (!memcmp(guest->nic[i].mac, mac, NET_MAC_LENGTH))
			return &guest->nic[i];
	return NULL;
}

/* Whose address it is already; in one network frames for two would go astray.
 */
static int mac_check(struct manifest_reader *reader, int node,
		     const struct nic_manifest *nic)
{
	const struct manifest *manifest = reader->manifest;

	/* The last is the guest that is being read. */
	for (unsigned i = 0; i <= manifest->guest_count; i++) {
		const struct guest_manifest *guest = &manifest->guest[i];
		const struct nic_manifest *twin = nic_find(guest, nic->mac);

		if (twin)
			return manifest_fail(reader, node, "mac",
					     "is that of /guests/%s/nic%u, "
					     "too: give another",
					     guest->name, twin->number);
	}
	return 0;
}

/* ---- On the ISA bus ------------------------------------------------------ */

static const struct nic_manifest *
isa_neighbour(const struct guest_manifest *guest)
{
	for (unsigned i = 0; i < guest->nic_count; i++)
		if (guest->nic[i].model == MACHINE_NIC_NE2000)
			return &guest->nic[i];
	return NULL;
}

static int port_check(struct manifest_reader *reader, int node,
		      const struct guest_manifest *guest,
		      const struct nic_manifest *nic)
{
	const struct nic_manifest *other = isa_neighbour(guest);

	if (nic->port % ISA_PORTS)
		return manifest_fail(reader, node, "port",
				     "is 0x%x, must be a multiple of 0x%x",
				     nic->port, ISA_PORTS);
	if (nic->port == ISA_PORT_COM2)
		return manifest_fail(reader, node, "port",
				     "is 0x%x, but COM2 is at 0x2f8: give "
				     "0x280, 0x300, 0x320 or 0x340",
				     nic->port);
	if (other && other->port == nic->port)
		return manifest_fail(reader, node, "port",
				     "is 0x%x, as nic%u's: give 0x280, 0x300, "
				     "0x320 or 0x340",
				     nic->port, other->number);
	return 0;
}

static int irq_check(struct manifest_reader *reader, int node,
		     const struct guest_manifest *guest,
		     const struct nic_manifest *nic)
{
	const struct nic_manifest *other = isa_neighbour(guest);
	const char *whose = NULL;

	if (nic->irq == ISA_IRQ_COM1)
		whose = "the first serial port's";
	else if (nic->irq == ISA_IRQ_FDC)
		whose = "the floppy controller's";
	else if (nic->irq == ISA_IRQ_COM2 &&
		 guest->devices & MACHINE_DEVICE_SERIAL1)
		whose = "the second serial port's";
	else if (nic->irq == ISA_IRQ_LPT1 &&
		 guest->devices & MACHINE_DEVICE_PARALLEL0)
		whose = "the parallel port's";
	else if (other && other->irq == nic->irq)
		whose = "another card's";
	if (whose)
		return manifest_fail(reader, node, "irq",
				     "is %u, which is %s: give 3, 5 or 7 that "
				     "is free",
				     nic->irq, whose);
	return 0;
}

/* Cards on PCI have neither: firmware and systems say where they are. */
static int isa_check(struct manifest_reader *reader, int node,
		     const struct guest_manifest *guest,
		     struct nic_manifest *nic)
{
	int error;

	if (nic->model != MACHINE_NIC_NE2000) {
		if (nic->port || nic->irq)
			return manifest_fail(reader, node,
					     nic->port ? "port" : "irq",
					     "is for model \"ne2000\"");
		return 0;
	}
	if (nic->boot_index)
		return manifest_fail(reader, node, "boot-index",
				     "is for cards with a boot ROM: give model "
				     "\"ne2000-pci\"");
	nic->port = nic->port ? nic->port : ISA_PORT;
	nic->irq = nic->irq ? nic->irq : ISA_IRQ;
	error = port_check(reader, node, guest, nic);
	return error ? error : irq_check(reader, node, guest, nic);
}

/* In the half that is not the vendor's. */
static void mac_add(uint8_t *mac, unsigned number)
{
	for (unsigned at = NET_MAC_LENGTH - 1; at >= 3; at--, number >>= 8) {
		number += mac[at];
		mac[at] = (uint8_t)number;
	}
}

/* Of those that the manifest gives the numbers go up from there. */
void manifest_copy_nics(struct guest_manifest *guest, unsigned number)
{
	for (unsigned i = 0; i < guest->nic_count; i++) {
		struct nic_manifest *nic = &guest->nic[i];

		if (nic->mac_text[0])
			mac_add(nic->mac, number - 1);
		else
			mac_make(guest->name, nic->number, nic->mac);
	}
}

const struct nic_manifest *manifest_nic_twin(const struct manifest *manifest,
					     const struct guest_manifest *guest,
					     const struct guest_manifest **of)
{
	const struct nic_manifest *twin = NULL;

	for (*of = manifest->guest; *of < guest; ++*of)
		for (unsigned i = 0; i < guest->nic_count; i++) {
			twin = nic_find(*of, guest->nic[i].mac);
			if (twin)
				return twin;
		}
	return twin;
}

/* ---- Of virtio ----------------------------------------------------------- */

/* Of other cards, drivers know how many queues there are, and what they take.
 */
static int virtio_check(struct manifest_reader *reader, int node,
			struct nic_manifest *nic)
{
	if (nic->model == MACHINE_NIC_VIRTIO) {
		nic->pairs = nic->pairs ? nic->pairs : 1;
		nic->mtu = nic->mtu ? nic->mtu : NET_MTU_USUAL;
		return 0;
	}
	if (nic->pairs || nic->mtu)
		return manifest_fail(reader, node,
				     nic->pairs ? "queues" : "mtu",
				     "is for model \"virtio\"");
	return 0;
}

int manifest_read_nic(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest)
{
	struct nic_manifest nic = { 0 };
	char name[MANIFEST_NAME_SIZE];
	int error = manifest_read_name(reader, node, name);

	if (!error)
		error = manifest_read_node(reader, node, nic_properties, &nic);
	if (error)
		return error;
	if (!manifest_has(reader, node, "model"))
		nic.model = guest->default_nic;
	if (!nic.model)
		return manifest_fail(reader, node, "model", "is missing");
	nic.number = (uint8_t)(name[strlen("nic")] - '0');
	if (guest->nic_count == MACHINE_NICS_MAX)
		return manifest_fail(reader, node, NULL,
				     "is more than the %d that fit",
				     MACHINE_NICS_MAX);
	error = mac_read(reader, node, guest, &nic);
	if (!error)
		error = mac_check(reader, node, &nic);
	if (!error)
		error = manifest_check_boot_index(reader, node, guest,
						  nic.boot_index);
	if (!error)
		error = isa_check(reader, node, guest, &nic);
	if (!error)
		error = virtio_check(reader, node, &nic);
	if (!error)
		guest->nic[guest->nic_count++] = nic;
	return error;
}
