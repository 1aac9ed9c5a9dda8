/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On which of the host's CPUs a guest's vCPUs run: init/manifest_reader.h.
 *
 * Not here: whether the host has those CPUs, which only init knows
 * (init/load.c).
 */
#include "init/manifest_reader.h"

/* The first of them that is none: they are numbered by the host. */
static int check_numbers(struct manifest_reader *reader, int node,
			 const char *name, const uint32_t *list)
{
	for (uint32_t n = 1; n <= list[0]; n++)
		if (list[n] >= GATE_CPUS_MAX)
			return manifest_fail(reader, node, name,
					     "names CPU %u: CPUs are numbered "
					     "from 0 to %u",
					     list[n], GATE_CPUS_MAX - 1);
	return 0;
}

/* For all vCPUs alike. */
static int check_cpus(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest)
{
	const uint32_t *list = guest->cpu_list;
	int error = check_numbers(reader, node, "cpus", list);
	uint64_t all = 0;

	for (uint32_t n = 1; !error && n <= list[0]; n++) {
		if (all & BIT(list[n]))
			error = manifest_fail(reader, node, "cpus",
					      "names CPU %u twice: give each "
					      "once",
					      list[n]);
		all |= BIT(list[n]);
	}
	for (uint32_t i = 0; i < guest->vcpus; i++)
		guest->cpus[i] = all;
	return error;
}

/* A CPU for each. */
static int check_vcpu_cpus(struct manifest_reader *reader, int node,
			   struct guest_manifest *guest)
{
	static const char name[] = "vcpu-cpus";
	const uint32_t *list = guest->vcpu_cpu_list;
	int error = check_numbers(reader, node, name, list);

	if (error || !list[0])
		return error;
	if (guest->cpu_list[0])
		return manifest_fail(reader, node, name,
				     "excludes cpus: give one of them");
	if (list[0] != guest->vcpus)
		return manifest_fail(reader, node, name,
				     "has %u numbers, must be %u: a CPU for "
				     "each vCPU",
				     list[0], guest->vcpus);
	for (uint32_t i = 0; i < guest->vcpus; i++)
		guest->cpus[i] = BIT(list[i + 1]);
	return 0;
}

int manifest_check_sched(struct manifest_reader *reader, int node,
			 struct guest_manifest *guest)
{
	int error;

	if (guest->cap_percent > 100 * guest->vcpus)
		return manifest_fail(reader, node, "cap-percent",
				     "is %u, but %u vCPUs can use %u: leave it "
				     "out for no limit",
				     guest->cap_percent, guest->vcpus,
				     100 * guest->vcpus);
	error = check_cpus(reader, node, guest);
	return error ? error : check_vcpu_cpus(reader, node, guest);
}
