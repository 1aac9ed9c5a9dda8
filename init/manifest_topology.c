/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's processors are: packages, cores, threads. */
#include "init/manifest_reader.h"

#include "include/gate.h"

/*
 * What is not given: threads is 1, cores are 1 if nothing says otherwise, and
 * the packages are as many as the vCPUs need.
 */
int manifest_read_topology(struct manifest_reader *reader, int node,
			   struct guest_manifest *guest)
{
	uint32_t product;

	guest->threads = MAX(guest->threads, 1U);
	if (!guest->cores)
		guest->cores = guest->sockets && guest->vcpus
				       ? MAX(guest->vcpus / guest->sockets /
						     guest->threads,
					     1U)
				       : 1;
	product = guest->cores * guest->threads;
	if (!guest->sockets)
		guest->sockets =
			guest->vcpus ? MAX(guest->vcpus / product, 1U) : 1;
	product *= guest->sockets;
	if (!guest->vcpus)
		guest->vcpus = product;
	if (product > GATE_MAX_VCPUS)
		return manifest_fail(
			reader, node, "sockets",
			"sockets * cores * threads is %u, at most %u can be",
			product, GATE_MAX_VCPUS);
	if (product != guest->vcpus)
		return manifest_fail(reader, node, "vcpus",
				     "is %u, but sockets * cores * threads is "
				     "%u * %u * %u",
				     guest->vcpus, guest->sockets, guest->cores,
				     guest->threads);
	return 0;
}
