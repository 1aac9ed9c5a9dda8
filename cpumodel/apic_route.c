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

static bool is_candidate(const struct apic *apic, const struct apic *source,
			 const struct apic_message *message)
{
	return apic_is_software_enabled(apic) &&
	       is_target(apic, source, message);
}

/*
 * Lowest priority goes to one of those in the lowest priority class; which of
 * several is chosen by vector, so that a device's interrupts stay with a CPU
 * and those of many devices spread.
 */
static unsigned route_lowest(struct apic *const *apics, unsigned count,
			     const struct apic *source,
			     const struct apic_message *message)
{
	unsigned lowest = ~0U, candidates = 0, skip;
	struct apic *chosen = NULL;

	for (unsigned i = 0; i < count; i++) {
		unsigned class = apics[i]->ppr >> 4;

		if (class > lowest || !is_candidate(apics[i], source, message))
			continue;
		candidates = class < lowest ? 1 : candidates + 1;
		lowest = class;
	}
	if (candidates == 0)
		return 0;
	skip = message->vector % candidates;
	for (unsigned i = 0; i < count; i++) {
		if (!is_candidate(apics[i], source, message))
			continue;
		/* Priorities may change meanwhile: then anyone will do. */
		if (apics[i]->ppr >> 4 == (int)lowest || !chosen)
			chosen = apics[i];
		if (apics[i]->ppr >> 4 == (int)lowest && skip-- == 0)
			break;
	}
	return chosen && apic_deliver(chosen, message);
}

unsigned apic_route(struct apic *const *apics, unsigned count,
		    const struct apic *source,
		    const struct apic_message *message)
{
	unsigned taken = 0;

	if (message->mode == APIC_MODE_LOWEST)
		return route_lowest(apics, count, source, message);
	for (unsigned i = 0; i < count; i++)
		if (is_target(apics[i], source, message))
			taken += apic_deliver(apics[i], message);
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
