/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files that read a manifest share: manifest.c has the reader and the
 * host's and the guests' nodes, manifest_disk.c those of disks,
 * manifest_floppy.c those of floppy drives and the order, manifest_nic.c those
 * of network cards, manifest_usb.c that of USB, manifest_item.c those of files
 * in fw_cfg, manifest_fault.c that of faults, manifest_cpu.c that of
 * processors, manifest_os.c the presets, manifest_folder.c those of folders
 * that are disks, manifest_acpi.c that of ACPI; manifest_ports.c judges ports
 * of the host's.
 */
#ifndef BULKHEAD_INIT_MANIFEST_READER_H
#define BULKHEAD_INIT_MANIFEST_READER_H

#include "include/manifest.h"

enum manifest_property_type {
	PROPERTY_STRING,
	PROPERTY_FILE,
	PROPERTY_FILES,
	PROPERTY_SOURCE,
	PROPERTY_FLAG,
	PROPERTY_WORDS,
	PROPERTY_CELL,
	PROPERTY_CELLS, /* as many as the uint32_t of an array */
	PROPERTY_PAIRS, /* of numbers, up to as many; 0 behind the last */
	PROPERTY_TEXTS, /* strings, each with its NUL; "" behind the last */
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

/* "/guests/web: memory-mib: is 1, must be 2 to 1048576"; -EINVAL. */
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
