/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files that read a manifest share: manifest_property.c has the reader
 * of nodes by tables, manifest.c the host's and the guests' nodes,
 * manifest_disk.c those of disks, manifest_floppy.c those of floppy drives and
 * the order, manifest_nic.c those of network cards, manifest_usb.c that of USB,
 * manifest_vsock.c that of sockets between guests, manifest_item.c those of
 * files in fw_cfg, manifest_fault.c that of faults, manifest_cpu.c that of
 * processors, manifest_os.c the presets, manifest_folder.c those of folders
 * that are disks, manifest_acpi.c that of ACPI, manifest_topology.c what
 * processors are, manifest_sched.c the CPUs they run on, manifest_policy.c that
 * of the policy; manifest_ports.c judges ports of the host's, manifest_pv.c
 * what only one board has, manifest_copies.c makes guests of a node with a
 * count, manifest_host.c judges all guests together.
 */
#ifndef BULKHEAD_INIT_MANIFEST_READER_H
#define BULKHEAD_INIT_MANIFEST_READER_H

#include "include/manifest.h"

enum manifest_property_type {
	PROPERTY_STRING,
	PROPERTY_NAME, /* a string as nodes are named */
	PROPERTY_FILE,
	PROPERTY_FILES,
	PROPERTY_SOURCE,
	PROPERTY_FLAG,
	PROPERTY_WORDS,
	PROPERTY_CELL,
	PROPERTY_CELLS,	  /* as many as the uint32_t of an array */
	PROPERTY_PAIRS,	  /* of numbers, up to as many; 0 behind the last */
	PROPERTY_NUMBERS, /* how many, then up to as many; at least one */
	PROPERTY_TEXTS,	  /* strings, each with its NUL; "" behind the last */
};

struct manifest_choice {
	const char *text;
	uint32_t value;
};

struct manifest_property {
	const char *name;
	enum manifest_property_type type;
	bool is_required;
	/* Where the value goes; strings and TEXTS to char[size], FILES to an
	 * array of char[MANIFEST_FILE_SIZE], the rest to integers. */
	size_t offset;
	size_t size;
	uint32_t min, max; /* PROPERTY_CELL */
	/* PROPERTY_STRING: by name only; PROPERTY_WORDS: bits of a word. */
	const struct manifest_choice *choices;
	uint32_t flag;	 /* PROPERTY_FLAG: this bit of a word */
	const char *why; /* what says why there are no other choices; NULL */
};

#define MANIFEST_IDE_UNITS 4
#define MANIFEST_PATH_SIZE 256

/* Where reading goes on, and what the first error was. */
struct manifest_reader {
	const void *blob;
	struct manifest *manifest;
	char *error;
	size_t error_size;
};

#define FIELD(type, member) \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* manifest_virtio.c: what such a disk cannot have, and what others cannot. */
int __must_check manifest_check_virtio_disk(struct manifest_reader *reader,
					    int node,
					    const struct disk_manifest *disk);

/* "/guests/web: memory-mib: is 1, must be 2 to 523264"; -EINVAL. */
int manifest_fail(struct manifest_reader *reader, int node,
		  const char *property, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Reads all properties of a node, and finds the missing and the unknown. */
int __must_check manifest_read_node(struct manifest_reader *reader, int node,
				    const struct manifest_property *table,
				    void *object);
/* Whether the node says anything of it. */
bool manifest_has(const struct manifest_reader *reader, int node,
		  const char *property);
/* The node's child of that name, or -FDT_ERR_*. */
int manifest_child(const struct manifest_reader *reader, int node,
		   const char *name);
/* It has no nodes below. */
int __must_check manifest_check_leaf(struct manifest_reader *reader, int node);
/* Up to the first error. */
int __must_check manifest_each_child(struct manifest_reader *reader, int node,
				     int (*read)(struct manifest_reader *reader,
						 int child));
/* The node's name, into MANIFEST_NAME_SIZE bytes. */
int __must_check manifest_read_name(struct manifest_reader *reader, int node,
				    char *to);
/* "disk3" is a "disk" that is numbered. */
bool manifest_is_numbered(const char *name, const char *kind);
/* What disks and floppy drives have alike. */
int __must_check manifest_check_images(struct manifest_reader *reader, int node,
				       const struct disk_manifest *disk);
/* index is 0, or no other's of the guest. */
int __must_check manifest_check_boot_index(struct manifest_reader *reader,
					   int node,
					   const struct guest_manifest *guest,
					   uint32_t index);
/* Whether a guest that has been read is called that. */
bool manifest_name_is_taken(const struct manifest *manifest, const char *name);
/* sockets, cores, threads, vcpus: what is not given follows. */
int __must_check manifest_read_topology(struct manifest_reader *reader,
					int node, struct guest_manifest *guest);
/* The guest that was read last counts from now on, as often as it says. */
int __must_check manifest_copy_guest(struct manifest_reader *reader, int node);
/* Addresses of a copy's cards, number 1 and up.  They may be another's. */
void manifest_copy_nics(struct guest_manifest *guest, unsigned number);
/* The card of a guest before this one whose address is that of one of guest's;
 * *of is its guest; or NULL. */
const struct nic_manifest *manifest_nic_twin(const struct manifest *manifest,
					     const struct guest_manifest *guest,
					     const struct guest_manifest **of);
/* All guests are there; node is theirs. */
int __must_check manifest_check_host(struct manifest_reader *reader, int node);
/* The node "policy", when all guests are there. */
int __must_check manifest_read_policy(struct manifest_reader *reader, int node);
/* A child of a guest's node. */
int __must_check manifest_read_disk(struct manifest_reader *reader, int node,
				    struct guest_manifest *guest);
/* Behind the others: with its unit, or the first one free.  The node's
 * properties were read. */
int __must_check manifest_add_disk(struct manifest_reader *reader, int node,
				   struct guest_manifest *guest,
				   struct disk_manifest *disk);
/* One that is called folder0 to folder9. */
int __must_check manifest_read_folder(struct manifest_reader *reader, int node,
				      struct guest_manifest *guest,
				      struct disk_manifest *disk);
/* One that is called floppy0 or floppy1, which is not full. */
int __must_check manifest_read_floppy(struct manifest_reader *reader, int node,
				      struct guest_manifest *guest,
				      struct disk_manifest *floppy);
/* The guest's "boot", when all drives are there. */
int __must_check manifest_read_boot(struct manifest_reader *reader, int node,
				    struct guest_manifest *guest);
/* One that is called nic0 to nic9. */
int __must_check manifest_read_nic(struct manifest_reader *reader, int node,
				   struct guest_manifest *guest);
/* enum seat_right, as the manifest has them. */
extern const struct manifest_choice manifest_rights[];
/* One that is called pmem0 or pmem1. */
int __must_check manifest_read_pmem(struct manifest_reader *reader, int node,
				    struct guest_manifest *guest);
/* One that is called vsock0. */
int __must_check manifest_read_vsock(struct manifest_reader *reader, int node,
				     struct guest_manifest *guest);
/* Whom it may talk to, when all guests have been read; node: its vsock0. */
int __must_check manifest_check_vsock(struct manifest_reader *reader, int node,
				      struct guest_manifest *guest);
/* One that is called usb0. */
int __must_check manifest_read_usb(struct manifest_reader *reader, int node,
				   struct guest_manifest *guest);
/* A disk of bus "usb", of which all else has been read. */
int __must_check manifest_add_usb_disk(struct manifest_reader *reader, int node,
				       struct guest_manifest *guest,
				       struct disk_manifest *disk);
/* When all nodes are there. */
int __must_check manifest_check_usb(struct manifest_reader *reader, int node,
				    const struct guest_manifest *guest);
/* Packages, cores, threads, and vCPUs: of those that are not given, too. */
int __must_check manifest_read_topology(struct manifest_reader *reader,
					int node, struct guest_manifest *guest);
/* Where vCPUs run, and the cap; after the topology. */
int __must_check manifest_check_sched(struct manifest_reader *reader, int node,
				      struct guest_manifest *guest);
/* The board "pv", when the guest's own properties were read: fills in what it
 * has always. */
int __must_check manifest_check_pv(struct manifest_reader *reader, int node,
				   struct guest_manifest *guest);
/* A child of the guest's node by that name may be there on its board. */
int __must_check manifest_check_node(struct manifest_reader *reader, int node,
				     const char *name,
				     const struct guest_manifest *guest);
/* What the board does not have, when all nodes are there. */
int __must_check manifest_check_board(struct manifest_reader *reader, int node,
				      const struct guest_manifest *guest);
/* Ports of the host's, when all nodes are there. */
int __must_check manifest_check_ports(struct manifest_reader *reader, int node,
				      const struct guest_manifest *guest);
/* One that is called fw-cfg0 to fw-cfg9. */
int __must_check manifest_read_item(struct manifest_reader *reader, int node,
				    struct guest_manifest *guest);
/* A child of a guest's node called "acpi". */
int __must_check manifest_read_acpi(struct manifest_reader *reader, int node,
				    struct guest_manifest *guest);
/* A child of a guest's node called "fault"; after the disks. */
int __must_check manifest_read_fault(struct manifest_reader *reader, int node,
				     struct guest_manifest *guest);
/* A child of a guest's node called "cpu"; after manifest_apply_os(). */
int __must_check manifest_read_cpu(struct manifest_reader *reader, int node,
				   struct guest_manifest *guest);
/* The guest's "os", when its properties were read and no child was. */
int __must_check manifest_apply_os(struct manifest_reader *reader, int node,
				   struct guest_manifest *guest);

#endif
