/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host's manifest after it was read and checked: docs/manifest.md names
 * every node and property.  init and the tool at build time read it with the
 * same code, init/manifest.c.
 */
#ifndef BULKHEAD_MANIFEST_H
#define BULKHEAD_MANIFEST_H

#include "include/compiler.h"
#include "include/gate.h"
#include "include/machine_config.h"

#define MANIFEST_GUESTS_MAX	80
#define MANIFEST_GUEST_WORDS	DIV_ROUND_UP(MANIFEST_GUESTS_MAX, 64)
#define MANIFEST_LIST_SIZE	128 /* of texts, each with its NUL */
#define MANIFEST_RULES_MAX	32
#define MANIFEST_CARDS_MAX	112 /* network cards of all guests */
#define MANIFEST_CLIENTS_MAX	16  /* guests with drives of the host's */
#define MANIFEST_NAME_SIZE	24
#define MANIFEST_FILE_SIZE	64 /* BOOT_MODULE_NAME_MAX */
#define MANIFEST_IMAGES_MAX	8  /* of a drive */
#define MANIFEST_SOURCE_SIZE	128
#define MANIFEST_ITEMS_MAX	MACHINE_ITEMS_MAX
#define MANIFEST_PORTS_MAX	MACHINE_PORTS_MAX
#define MANIFEST_BOOT_SIZE	32
#define MANIFEST_BOOT_INDEX_MAX 8
#define MANIFEST_CMDLINE_SIZE	MACHINE_CMDLINE_SIZE
#define MANIFEST_ERROR_SIZE	1024 /* with all features' names */

/* Beside MACHINE_DEVICE_*: no instruction runs natively. */
#define MANIFEST_EMULATE     BIT(31)
/* A kernel's: what neither says its kind decides. */
#define MANIFEST_BIOS_ALWAYS BIT(30) /* the BIOS runs first */
#define MANIFEST_BIOS_NEVER  BIT(29)
#define MANIFEST_FLAGS	     MASK(31, 29) /* not MACHINE_DEVICE_* */

#define MANIFEST_FIRMWARE	 "bios.bin"
#define MANIFEST_VGA_BIOS	 "vgabios.bin"
/* Of cards with a boot-index, by model. */
#define MANIFEST_NIC_ROM	 "nic.rom"
#define MANIFEST_NIC_ROM_RTL8139 "nic-rtl8139.rom"
#define MANIFEST_NIC_ROM_PCNET	 "nic-pcnet.rom"
#define MANIFEST_NIC_ROM_NE2000	 "nic-ne2000-pci.rom"
#define MANIFEST_NIC_ROM_E1000E	 "nic-e1000e.rom"
#define MANIFEST_NIC_ROM_VIRTIO	 "nic-virtio.rom"

enum manifest_restart {
	MANIFEST_RESTART_NEVER,
	MANIFEST_RESTART_ON_CRASH, /* its machine or its guest failed */
	MANIFEST_RESTART_ALWAYS,
};

enum manifest_end {
	MANIFEST_END_POWER_OFF,
	MANIFEST_END_ISA_DEBUG, /* QEMU's isa-debug-exit at 0xf4 */
	MANIFEST_END_BOCHS,	/* "Shutdown" to port 0x8900 */
};

/* How a disk that may be written is kept apart from its boot module. */
enum manifest_disk_mode {
	MANIFEST_DISK_COPY_ON_WRITE, /* page by page */
	MANIFEST_DISK_PRIVATE,	     /* a copy, made when the guest starts */
};

enum manifest_source {
	MANIFEST_SOURCE_NONE,	/* an image in memory */
	MANIFEST_SOURCE_FILE,	/* a drive of the simulated host */
	MANIFEST_SOURCE_SERIAL, /* a whole drive */
	MANIFEST_SOURCE_GPT,	/* a partition, by its name */
	MANIFEST_SOURCE_UUID,	/* by its UUID; in lower case */
};

/* What a file is to the simulator. */
enum manifest_format {
	MANIFEST_FORMAT_RAW,
	MANIFEST_FORMAT_QCOW2,
	MANIFEST_FORMAT_VMDK,
	MANIFEST_FORMAT_VDI,
};

/* Where writes go instead of to the source. */
enum manifest_overlay { MANIFEST_OVERLAY_NONE, MANIFEST_OVERLAY_MEMORY };

struct disk_source {
	uint8_t kind; /* enum manifest_source */
	char name[MANIFEST_SOURCE_SIZE];
};

struct disk_manifest {
	char name[MANIFEST_NAME_SIZE]; /* the node's: disk0, cdrom0 */
	/* One of the two is there.  Of several images, which only
	 * drives that open have, the first is in it at first; behind the last
	 * is "". */
	char image[MANIFEST_IMAGES_MAX][MANIFEST_FILE_SIZE];
	struct disk_source source;
	/* Of sources. */
	uint8_t format;	 /* enum manifest_format */
	uint8_t overlay; /* enum manifest_overlay */
	/* A second, and at once after a pause; 0: no limit, the limit. */
	uint32_t iops_limit, iops_burst, kib_limit, kib_burst;
	uint32_t size_kib;    /* flash memory's with a source: what it shows */
	uint8_t bus;	      /* enum machine_disk_bus */
	uint8_t unit;	      /* as machine_disk_config has it */
	uint8_t boot_index;   /* 0: none */
	uint8_t floppy_drive; /* enum floppy_drive; 0: as its image is */
	bool is_cdrom;
	bool is_read_only;
	uint8_t mode;	      /* enum manifest_disk_mode */
	uint32_t delay_us;    /* 0: none */
	uint32_t geometry[3]; /* cylinders, heads, sectors; 0: by its size */
	uint32_t sector_size; /* 0: 512 */
	uint32_t queues;      /* virtio; 0: one */
	char serial[MACHINE_SERIAL_SIZE];
	char model[MACHINE_MODEL_SIZE];
};

/* A network card, and the port of the switch that it is plugged into. */
struct nic_manifest {
	uint8_t model;	/* enum machine_nic_model */
	uint8_t number; /* the node's: nic0 */
	uint8_t mac[NET_MAC_LENGTH];
	char mac_text[24]; /* "": of the guest's name */
	char network[MANIFEST_NAME_SIZE];
	uint16_t vlan;	    /* 0: all of them */
	uint32_t kib_limit; /* a second, of what it sends; 0: none */
	uint8_t boot_index; /* 0: firmware does not start from it */
	uint8_t irq;	    /* "ne2000": of the ISA bus */
	uint16_t port;	    /* its first */
	uint8_t pairs;	    /* "virtio": of queues */
	uint16_t mtu;	    /* and the longest packet, bytes */
};

/* Sockets between guests, and to the host. */
struct vsock_manifest {
	uint32_t cid;	  /* 0: it has none */
	uint32_t control; /* enum seat_right, by the control protocol; or 0 */
	/* Guests' names, each with its NUL, as the manifest has them. */
	char peers[VSOCK_PEERS_MAX * MANIFEST_NAME_SIZE + 1];
	uint32_t peer_count;
	uint8_t peer[VSOCK_PEERS_MAX]; /* the same by index */
};

/* A USB controller, and what is plugged in beside disks. */
struct usb_manifest {
	uint8_t controller; /* enum machine_usb */
	uint32_t devices;   /* MACHINE_USB_KEYBOARD and so on */
};

/* A file in fw_cfg: a boot module, or the text. */
struct item_manifest {
	char item[MACHINE_ITEM_NAME];  /* what the guest calls it */
	char file[MANIFEST_FILE_SIZE]; /* "": the text */
	char text[MACHINE_ITEM_TEXT];
};

struct guest_manifest {
	char name[MANIFEST_NAME_SIZE];
	/* Of copies, the node's, which is not theirs; else "". */
	char node[MANIFEST_NAME_SIZE];
	uint32_t count; /* what the node says; 0: it is one guest */
	uint32_t board; /* enum machine_board */
	uint32_t memory_mib;
	uint32_t vcpus; /* sockets * cores * threads */
	uint32_t sockets, cores, threads;
	uint32_t restart; /* enum manifest_restart */
	bool is_manual;	  /* it is started by the operator only */
	/* Names of guests, or of nodes whose copies all are meant; and BIT()
	 * of their indices. */
	char start_after[MANIFEST_LIST_SIZE];
	uint64_t after[MANIFEST_GUEST_WORDS];
	uint64_t after_all[MANIFEST_GUEST_WORDS]; /* and whom those wait for */
	uint32_t start_delay_ms;
	uint32_t shutdown_ms;		/* 0: power is taken at once */
	char label[MANIFEST_NAME_SIZE]; /* as guest_label() has it */
	uint32_t devices;		/* MACHINE_DEVICE_*, MANIFEST_FLAGS */
	uint32_t boot_menu_ms;		/* 0: no menu */
	char boot[MANIFEST_BOOT_SIZE]; /* "": boot-index or the firmware says */
	/* Boot module with the machine's program; "": machine.elf. */
	char program[MANIFEST_FILE_SIZE];
	/* Boot modules; "" is none.  With a kernel there is firmware only if
	 * guest_boots_through_bios(), with a program of its own only what is
	 * named. */
	char firmware[MANIFEST_FILE_SIZE];
	char vga_bios[MANIFEST_FILE_SIZE];
	char kernel[MANIFEST_FILE_SIZE];
	char initrd[MANIFEST_FILE_SIZE];
	char cmdline[MANIFEST_CMDLINE_SIZE];
	uint32_t disk_count;
	struct disk_manifest disk[MACHINE_DISKS_MAX];
	uint32_t nic_count;
	struct nic_manifest nic[MACHINE_NICS_MAX];
	struct vsock_manifest vsock;
	struct usb_manifest usb;
	uint32_t item_count;
	struct item_manifest item[MANIFEST_ITEMS_MAX];
	struct machine_fault fault;
	struct cpu_quirks cpu;
	uint32_t duty_percent; /* 0: all of its time */
	/* Beside other guests, as struct gate_domain_spec has them. */
	uint32_t weight, cap_percent;
	uint64_t cpus[GATE_MAX_VCPUS];
	/* What cpus comes from: how many numbers, then those. */
	uint32_t cpu_list[1 + GATE_MAX_VCPUS];
	uint32_t vcpu_cpu_list[1 + GATE_MAX_VCPUS];
	bool is_lazy; /* RAM comes when it is touched */
	/* Of the host: first, count; behind the last 0, 0. */
	uint32_t ports[MANIFEST_PORTS_MAX][2];
	uint32_t acpi_off;    /* MACHINE_DEVICE_NO_ACPI, or 0 */
	uint32_t memory_hole; /* MACHINE_DEVICE_HOLE, or 0 */
	/* A preset, and what it says of disks and cards; "": none. */
	char os[MANIFEST_NAME_SIZE];
	uint8_t default_bus; /* enum machine_disk_bus; 0: none */
	uint8_t default_nic; /* enum machine_nic_model */
	struct machine_acpi acpi;
};

/*
 * A rule of the policy, by the name of its node.  One with objects says whose
 * labels may have them; one without, which labels conflict.  Lists are texts,
 * each with its NUL, and "" behind the last.
 */
struct policy_rule {
	char name[MANIFEST_NAME_SIZE];
	char allow[MANIFEST_LIST_SIZE];
	char conflict[MANIFEST_LIST_SIZE];
	/* Objects. */
	char network[MANIFEST_LIST_SIZE];
	char image[2 * MANIFEST_LIST_SIZE];
	char source[2 * MANIFEST_LIST_SIZE]; /* as disks have them */
	char vsock[2 * MANIFEST_LIST_SIZE];  /* pairs of guests, "web:db" */
	uint32_t ports[MANIFEST_PORTS_MAX][2];
};

struct manifest {
	uint32_t log_level; /* enum log_level */
	enum manifest_end end;
	/* Against speculation between domains: what the processor needs, or
	 * nothing. */
	bool is_mitigations_off;
	/* What guests may be promised of the host's memory; 0: 100. */
	uint32_t overcommit_percent;
	uint32_t control_rights; /* enum seat_right: who has COM2 */
	bool has_policy;
	uint32_t rule_count;
	struct policy_rule rule[MANIFEST_RULES_MAX];
	uint32_t guest_count;
	struct guest_manifest guest[MANIFEST_GUESTS_MAX];
};

/* Whether name is the guest's, or that of the node of which it is a copy. */
bool guest_is_called(const struct guest_manifest *guest, const char *name);

/* The names that firmware has where the manifest gives none. */
void manifest_firmware_default(struct guest_manifest *guest);

/* What a manifest calls enum machine_nic_model; "none" if there is none. */
const char *manifest_nic_model(unsigned model);

/*
 * Reads a flattened device tree of length bytes.  0, or -EINVAL with node,
 * property and reason in error.  blob need not be aligned to more than 8.
 */
int __must_check manifest_parse(struct manifest *manifest, const void *blob,
				uint64_t length, char *error,
				uint64_t error_size);

#endif
