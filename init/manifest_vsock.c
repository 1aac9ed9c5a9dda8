/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a guest's sockets to others: init/manifest_reader.h.  Who is a peer of
 * whom, both have to say; the host is one of who has rights by the control
 * protocol.
 */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "include/seat.h"
#include "lib/string.h"

#define NODE "vsock0"

static const struct manifest_property vsock_properties[] = {
	{ "cid", PROPERTY_CELL, .is_required = true, .min = VSOCK_CID_MIN,
	  .max = VSOCK_CID_MAX, FIELD(struct vsock_manifest, cid) },
	{ "peer", PROPERTY_TEXTS, FIELD(struct vsock_manifest, peers) },
	{ "control", PROPERTY_WORDS, .choices = manifest_rights,
	  FIELD(struct vsock_manifest, control) },
	{ 0 },
};

/* The host has no end for more of them. */
static int check_control(struct manifest_reader *reader, int node,
			 const struct vsock_manifest *vsock)
{
	const struct manifest *manifest = reader->manifest;
	unsigned count = 0;

	for (unsigned i = 0; i < manifest->guest_count; i++)
		count += !!manifest->guest[i].vsock.control;
	if (vsock->control && count == SEAT_SOCKETS)
		return manifest_fail(reader, node, "control",
				     "is for %d guests at most: take it from "
				     "another",
				     SEAT_SOCKETS);
	if (!vsock->control && !vsock->peers[0])
		return manifest_fail(reader, node, NULL,
				     "leads nowhere: give it a peer, or rights "
				     "by control");
	return 0;
}

int manifest_read_vsock(struct manifest_reader *reader, int node,
			struct guest_manifest *guest)
{
	const struct manifest *manifest = reader->manifest;
	struct vsock_manifest *vsock = &guest->vsock;
	int error = manifest_read_node(reader, node, vsock_properties, vsock);

	if (error)
		return error;
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (manifest->guest[i].vsock.cid == vsock->cid)
			return manifest_fail(reader, node, "cid",
					     "is that of /guests/%s/" NODE
					     ", too: give another",
					     manifest->guest[i].name);
	guest->devices |= MACHINE_DEVICE_VSOCK;
	return check_control(reader, node, vsock);
}

/* -1: there is none. */
static int guest_find(const struct manifest *manifest, const char *name)
{
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (!strcmp(manifest->guest[i].name, name))
			return (int)i;
	return -1;
}

static bool names(const struct vsock_manifest *vsock, const char *name)
{
	for (const char *at = vsock->peers; *at; at += strlen(at) + 1)
		if (!strcmp(at, name))
			return true;
	return false;
}

static int peer_add(struct manifest_reader *reader, int node,
		    struct guest_manifest *guest, const char *name)
{
	const struct manifest *manifest = reader->manifest;
	struct vsock_manifest *vsock = &guest->vsock;
	unsigned most = VSOCK_PEERS_MAX - !!vsock->control; /* the host */
	int peer = guest_find(manifest, name);

	if (peer < 0)
		return manifest_fail(reader, node, "peer",
				     "is \"%s\", and there is no such guest",
				     name);
	if (&manifest->guest[peer] == guest)
		return manifest_fail(reader, node, "peer",
				     "is the guest itself: name another one");
	if (!names(&manifest->guest[peer].vsock, guest->name))
		return manifest_fail(reader, node, "peer",
				     "is \"%s\", whose " NODE
				     " does not name %s: each has to name the "
				     "other",
				     name, guest->name);
	for (unsigned i = 0; i < vsock->peer_count; i++)
		if (vsock->peer[i] == peer)
			return manifest_fail(reader, node, "peer",
					     "has \"%s\" twice", name);
	if (vsock->peer_count == most)
		return manifest_fail(reader, node, "peer",
				     "has more than %u guests", most);
	vsock->peer[vsock->peer_count++] = (uint8_t)peer;
	return 0;
}

int manifest_check_vsock(struct manifest_reader *reader, int node,
			 struct guest_manifest *guest)
{
	const char *at = guest->vsock.peers;
	int error = 0;

	for (; !error && *at; at += strlen(at) + 1)
		error = peer_add(reader, node, guest, at);
	return error;
}
