/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How interrupt messages find local APICs: destinations, lowest-priority
 * arbitration, MSI addresses.  Everything here may run on any CPU: of another
 * vCPU's APIC it reads single words, and writes by apic_post() alone.
 *
 * Does not model: SMI, ExtINT messages, remote read, the redirection hint
 * (lowest-priority mode says as much).
 *
 * References: SDM volume 3, "Determining IPI Destination", "Message Signalled
 * Interrupts".
 */
#include "cpumodel/apic.h"

#define DFR_FLAT	0xfU
#define LDR_CLUSTER	MASK(31, 28)
#define LDR_CLUSTER_SET MASK(27, 24)
#define LDR_X2_CLUSTER	MASK(31, 16)
#define LDR_X2_SET	MASK(15, 0)

#define MSI_ADDRESS	  MASK(31, 20)
#define MSI_ADDRESS_VALUE 0xfeeU
#define MSI_DESTINATION	  MASK(19, 12)
#define MSI_LOGICAL	  BIT(2)
#define MSI_VECTOR	  MASK(7, 0)
#define MSI_MODE	  MASK(10, 8)
#define MSI_LEVEL	  BIT(15)

bool apic_matches(const struct apic *apic, uint32_t destination,
		  bool is_logical)
{
	uint32_t ldr = apic->ldr;

	if (!apic_is_enabled(apic))
		return false;
	if (destination == APIC_BROADCAST)
		return true;
	if (!is_logical)
		return destination == apic->id;
	if (apic_is_x2apic(apic))
		return (ldr & LDR_X2_CLUSTER) ==
			       (destination & LDR_X2_CLUSTER) &&
		       ldr & destination & LDR_X2_SET;
	if (destination > APIC_XAPIC_BROADCAST)
		return false;
	destination <<= FIELD_SHIFT(APIC_LDR_XAPIC);
	if (FIELD_GET(APIC_DFR_MODEL, apic->dfr) == DFR_FLAT)
		return ldr & destination;
	return (ldr & LDR_CLUSTER) == (destination & LDR_CLUSTER) &&
	       ldr & destination & LDR_CLUSTER_SET;
}

bool apic_deliver(struct apic *apic, const struct apic_message *message)
{
	switch (message->mode) {
	case APIC_MODE_FIXED:
	case APIC_MODE_LOWEST:
		if (!apic_is_software_enabled(apic))
			return false;
		apic_post(apic, message->vector, message->is_level);
		return message->vector >= APIC_VECTOR_FIRST;
	case APIC_MODE_NMI:
		apic->ops->nmi(apic->ctx);
		break;
	case APIC_MODE_INIT:
		if (!message->is_deassert)
			apic->ops->init(apic->ctx);
		break;
	case APIC_MODE_SIPI:
		apic->ops->sipi(apic->ctx, message->vector);
		break;
	default: /* no SMM; an ExtINT message has no 8259 to ask behind it */
		return false;
	}
	return true;
}

static bool is_target(const struct apic *apic, const struct apic *source,
		      const struct apic_message *message)
{
	switch (message->shorthand) {
	case APIC_TO_SELF:
		return apic == source;
	case APIC_TO_ALL:
		return apic_is_enabled(apic);
	case APIC_TO_OTHERS:
		return apic_is_enabled(apic) && apic != source;
	default:
		return apic_matches(apic, message->destination,
				    message->is_logical);
	}
}

/* ---- Who can be meant ------------------------------------------------------
 *
 * Sets of a group's APICs, a bit for each index.
 */

void apic_group_set(struct apic_group *group, unsigned index, struct apic *apic,
		    uint8_t id)
{
	if (index < group->count && group->by_id[apic->id] == index + 1)
		group->by_id[apic->id] = 0;
	group->apic[index] = apic;
	group->count = MAX(group->count, index + 1);
	group->by_id[id] = (uint8_t)(index + 1);
	apic->id = id;
}

/* Of wider ids than there can be: whoever has its low bits. */
static uint32_t named(const struct apic_group *group, uint32_t id)
{
	unsigned at = group->by_id[id & 0xff];

	return at ? 1U << (at - 1) : 0;
}

/*
 * All that apic_matches() is true of, perhaps more: one for each id that is
 * named. The 8-bit logical destinations name what APICs were told to be, so
 * that all have to be asked; the wider ones, which only x2APICs have, are made
 * of ids.
 */
static uint32_t candidates(const struct apic_group *group,
			   const struct apic_message *message)
{
	uint32_t to = message->destination, found = 0;

	if (message->shorthand != APIC_TO_DESTINATION || to == APIC_BROADCAST ||
	    (message->is_logical && to <= APIC_XAPIC_BROADCAST))
		return (uint32_t)MASK(group->count - 1, 0);
	if (!message->is_logical)
		return named(group, to);
	for (uint32_t set = to & LDR_X2_SET; set; set &= set - 1)
		found |= named(group,
			       (uint32_t)FIELD_GET(LDR_X2_CLUSTER, to) * 16 +
				       (unsigned)__builtin_ctz(set));
	return found;
}

static uint32_t targets(const struct apic_group *group,
			const struct apic *source,
			const struct apic_message *message)
{
	uint32_t found = 0;

	for (uint32_t set = candidates(group, message); set; set &= set - 1) {
		unsigned i = (unsigned)__builtin_ctz(set);

		if (is_target(group->apic[i], source, message))
			found |= 1U << i;
	}
	return found;
}

/*
 * Lowest priority goes to one of those in the lowest priority class; which of
 * several is chosen by vector, so that a device's interrupts stay with a CPU
 * and those of many devices spread.  Priorities may change meanwhile: then
 * anyone will do.
 */
static uint32_t lowest_of(const struct apic_group *group, uint32_t set,
			  unsigned vector)
{
	unsigned lowest = ~0U, count = 0;
	uint32_t found = 0;

	for (; set; set &= set - 1) {
		unsigned i = (unsigned)__builtin_ctz(set);
		unsigned class = group->apic[i]->ppr >> 4;

		if (class > lowest || !apic_is_software_enabled(group->apic[i]))
			continue;
		if (class < lowest)
			found = count = 0;
		found |= 1U << i;
		count++;
		lowest = class;
	}
	for (unsigned skip = count ? vector % count : 0; skip; skip--)
		found &= found - 1;
	return found & -found;
}

unsigned apic_route(const struct apic_group *group, const struct apic *source,
		    const struct apic_message *message)
{
	uint32_t set = targets(group, source, message);
	unsigned taken = 0;

	if (message->mode == APIC_MODE_LOWEST)
		set = lowest_of(group, set, message->vector);
	for (; set; set &= set - 1)
		taken += apic_deliver(group->apic[__builtin_ctz(set)], message);
	return taken;
}

bool apic_msi_decode(uint64_t address, uint32_t data,
		     struct apic_message *message)
{
	if (address >> 32 ||
	    FIELD_GET(MSI_ADDRESS, address) != MSI_ADDRESS_VALUE)
		return false;
	*message = (struct apic_message){
		.destination = FIELD_GET(MSI_DESTINATION, address),
		.vector = FIELD_GET(MSI_VECTOR, data),
		.mode = FIELD_GET(MSI_MODE, data),
		.is_logical = address & MSI_LOGICAL,
		.is_level = data & MSI_LEVEL,
	};
	if (message->destination == APIC_XAPIC_BROADCAST)
		message->destination = APIC_BROADCAST;
	return true;
}
