/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's processors made to differ from the host's: three steps of building
 * the table, in this order.  A table whose quirks are all zero is left alone.
 */
#ifndef BULKHEAD_MACHINE_CPUID_QUIRKS_H
#define BULKHEAD_MACHINE_CPUID_QUIRKS_H

#include "include/cpu_quirks.h"
#include "include/cpuid.h"

/* Vendor, family, model, stepping, name: before the topology, which each vendor
 * says elsewhere. */
void cpuid_quirks_identity(struct cpuid_table *table,
			   const struct cpu_quirks *quirks);
/* Features, and what needs them. */
void cpuid_quirks_features(struct cpuid_table *table,
			   const struct cpu_quirks *quirks);
/* Leaves that are not there: last. */
void cpuid_quirks_leaves(struct cpuid_table *table,
			 const struct cpu_quirks *quirks);

#endif
