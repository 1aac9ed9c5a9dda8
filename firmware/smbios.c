/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMBIOS 2.8 tables from the board description: types 0 (only without
 * firmware), 1, 3, 4, 16, 17, 19, 32, 127.
 *
 * Not modelled: caches, slots, ports, the 64-bit anchor of SMBIOS 3.
 *
 * Reference: DMTF DSP0134, "System Management BIOS (SMBIOS) Reference
 * Specification" 2.8.
 */
#include "firmware/smbios.h"

#include "include/errno.h"
#include "firmware/buffer.h"
#include "firmware/e820.h"
#include "lib/printf.h"

#define MANUFACTURER "Bulkhead"
#define VERSION	     "1"
#define RELEASE_DATE "01/01/2026"

enum smbios_type {
	SMBIOS_BIOS = 0,
	SMBIOS_SYSTEM = 1,
	SMBIOS_CHASSIS = 3,
	SMBIOS_PROCESSOR = 4,
	SMBIOS_MEMORY_ARRAY = 16,
	SMBIOS_MEMORY_DEVICE = 17,
	SMBIOS_MEMORY_MAPPED = 19,
	SMBIOS_BOOT = 32,
	SMBIOS_END = 127,
};

/* Handles: the type, and a number in the low byte. */
#define HANDLE(type, n) ((uint16_t)((type) << 8 | (n)))

struct smbios_header {
	uint8_t type;
	uint8_t length;
	uint16_t handle;
} __packed;

/* Strings are numbered from 1 in the order of the call; 0 is none. */
struct smbios_bios {
	struct smbios_header header;
	uint8_t vendor;
	uint8_t version;
	uint16_t segment;
	uint8_t release_date;
	uint8_t rom_size;
	uint64_t characteristics;
	uint8_t extension[2];
	uint8_t release[2];
	uint8_t controller_release[2];
} __packed;
ASSERT_SIZE(struct smbios_bios, 24);

#define BIOS_NO_CHARACTERISTICS BIT(3)
#define BIOS_EXT2_VIRTUAL	BIT(4) /* runs in a virtual machine */

struct smbios_system {
	struct smbios_header header;
	uint8_t manufacturer;
	uint8_t product;
	uint8_t version;
	uint8_t serial;
	uint8_t uuid[BOARD_UUID_SIZE];
	uint8_t wake_up;
	uint8_t sku;
	uint8_t family;
} __packed;
ASSERT_SIZE(struct smbios_system, 27);

#define WAKE_UP_POWER_SWITCH 6

struct smbios_chassis {
	struct smbios_header header;
	uint8_t manufacturer;
	uint8_t type;
	uint8_t version;
	uint8_t serial;
	uint8_t asset;
	uint8_t boot_state;
	uint8_t power_state;
	uint8_t thermal_state;
	uint8_t security;
	uint32_t oem;
	uint8_t height;
	uint8_t cords;
	uint8_t element_count;
	uint8_t element_length;
	uint8_t sku;
} __packed;
ASSERT_SIZE(struct smbios_chassis, 22);

#define CHASSIS_OTHER	 1
#define STATE_SAFE	 3
#define SECURITY_UNKNOWN 2

struct smbios_processor {
	struct smbios_header header;
	uint8_t socket;
	uint8_t type;
	uint8_t family;
	uint8_t manufacturer;
	uint32_t signature;
	uint32_t features;
	uint8_t version;
	uint8_t voltage;
	uint16_t external_clock;
	uint16_t max_mhz;
	uint16_t current_mhz;
	uint8_t status;
	uint8_t upgrade;
	uint16_t cache[3];
	uint8_t serial;
	uint8_t asset;
	uint8_t part;
	uint8_t core_count;
	uint8_t core_enabled;
	uint8_t thread_count;
	uint16_t characteristics;
	uint16_t family2;
} __packed;
ASSERT_SIZE(struct smbios_processor, 42);

#define PROCESSOR_CENTRAL 3
#define PROCESSOR_OTHER	  1
#define PROCESSOR_ENABLED 0x41 /* socket populated, CPU enabled */
#define CACHE_NONE	  0xffff

struct smbios_memory_array {
	struct smbios_header header;
	uint8_t location;
	uint8_t use;
	uint8_t error_correction;
	uint32_t capacity_kib;
	uint16_t error_handle;
	uint16_t device_count;
	uint64_t extended_capacity;
} __packed;
ASSERT_SIZE(struct smbios_memory_array, 23);

#define ARRAY_OTHER	    1
#define ARRAY_SYSTEM_MEMORY 3
#define ARRAY_NO_CORRECTION 3
#define ARRAY_CAPACITY_EXT  0x80000000u
#define HANDLE_NONE	    0xfffe

struct smbios_memory_device {
	struct smbios_header header;
	uint16_t array;
	uint16_t error_handle;
	uint16_t total_width;
	uint16_t data_width;
	uint16_t size_mib;
	uint8_t form_factor;
	uint8_t set;
	uint8_t locator;
	uint8_t bank;
	uint8_t type;
	uint16_t type_detail;
	uint16_t speed;
	uint8_t manufacturer;
	uint8_t serial;
	uint8_t asset;
	uint8_t part;
	uint8_t attributes;
	uint32_t extended_size_mib;
	uint16_t configured_speed;
	uint16_t voltage[3];
} __packed;
ASSERT_SIZE(struct smbios_memory_device, 40);

#define WIDTH_UNKNOWN	0xffff
#define MEMORY_DIMM	9
#define MEMORY_RAM	7
#define MEMORY_OTHER	BIT(1)
#define MEMORY_SIZE_EXT 0x7fff
#define MEMORY_SIZE_EXT_AT                                \
	0x7fff /* MiB from which on the extension is used \
		*/

struct smbios_memory_mapped {
	struct smbios_header header;
	uint32_t start_kib;
	uint32_t end_kib; /* the last one */
	uint16_t array;
	uint8_t width;
	uint64_t extended_start;
	uint64_t extended_end;
} __packed;
ASSERT_SIZE(struct smbios_memory_mapped, 31);

#define MAPPED_EXT 0xffffffffu

struct smbios_boot {
	struct smbios_header header;
	uint8_t reserved[6];
	uint8_t status;
} __packed;
ASSERT_SIZE(struct smbios_boot, 11);

struct smbios_anchor {
	char signature[4];
	uint8_t checksum;
	uint8_t length;
	uint8_t major;
	uint8_t minor;
	uint16_t max_structure;
	uint8_t revision;
	uint8_t formatted[5];
	char dmi_signature[5];
	uint8_t dmi_checksum;
	uint16_t tables_length;
	uint32_t tables_gpa;
	uint16_t structure_count;
	uint8_t bcd_revision;
} __packed;
ASSERT_SIZE(struct smbios_anchor, SMBIOS_ANCHOR_SIZE);

#define ANCHOR_DMI_OFFSET offsetof(struct smbios_anchor, dmi_signature)

struct builder {
	struct buffer tables;
	uint16_t count;
	uint16_t largest;
};

/* A structure, its strings, a zero that ends them. */
static void structure_add(struct builder *b, void *structure, uint8_t length,
			  uint16_t handle, const char *const *strings,
			  unsigned string_count)
{
	struct smbios_header *header = structure;
	uint32_t start = b->tables.length;

	header->type = (uint8_t)(handle >> 8);
	header->length = length;
	header->handle = handle;
	buffer_bytes(&b->tables, structure, length);
	for (unsigned i = 0; i < string_count; i++)
		buffer_string(&b->tables, strings[i]);
	if (!string_count)
		buffer_u8(&b->tables, 0);
	buffer_u8(&b->tables, 0);
	b->count++;
	b->largest = MAX(b->largest, (uint16_t)(b->tables.length - start));
}

static void bios_add(struct builder *b)
{
	static const char *const strings[] = { MANUFACTURER, VERSION,
					       RELEASE_DATE };
	struct smbios_bios bios = {
		.vendor = 1,
		.version = 2,
		.segment = E820_BIOS_BASE >> 4,
		.release_date = 3,
		.characteristics = BIOS_NO_CHARACTERISTICS,
		.extension = { 0, BIOS_EXT2_VIRTUAL },
		.release = { 0xff, 0xff },
		.controller_release = { 0xff, 0xff },
	};

	structure_add(b, &bios, sizeof(bios), HANDLE(SMBIOS_BIOS, 0), strings,
		      ARRAY_SIZE(strings));
}

static void system_add(struct builder *b, const struct board_description *board)
{
	static const char *const chassis_strings[] = { MANUFACTURER, VERSION };
	const char *const strings[] = { MANUFACTURER, board->name, VERSION };
	struct smbios_system system = { .manufacturer = 1,
					.product = 2,
					.version = 3,
					.wake_up = WAKE_UP_POWER_SWITCH };
	struct smbios_chassis chassis = { .manufacturer = 1,
					  .type = CHASSIS_OTHER,
					  .version = 2,
					  .boot_state = STATE_SAFE,
					  .power_state = STATE_SAFE,
					  .thermal_state = STATE_SAFE,
					  .security = SECURITY_UNKNOWN };

	memcpy(system.uuid, board->uuid, sizeof(system.uuid));
	structure_add(b, &system, sizeof(system), HANDLE(SMBIOS_SYSTEM, 0),
		      strings, ARRAY_SIZE(strings));
	structure_add(b, &chassis, sizeof(chassis), HANDLE(SMBIOS_CHASSIS, 0),
		      chassis_strings, ARRAY_SIZE(chassis_strings));
}

static void processor_add(struct builder *b,
			  const struct board_description *board, unsigned i)
{
	char socket[16];
	const char *const strings[] = { socket, MANUFACTURER };
	struct smbios_processor cpu = {
		.socket = 1,
		.type = PROCESSOR_CENTRAL,
		.family = PROCESSOR_OTHER,
		.manufacturer = 2,
		.signature = board->cpu_signature,
		.features = board->cpu_features,
		.status = PROCESSOR_ENABLED,
		.upgrade = PROCESSOR_OTHER,
		.cache = { CACHE_NONE, CACHE_NONE, CACHE_NONE },
		.core_count = (uint8_t)board->cores,
		.core_enabled = (uint8_t)board->cores,
		.thread_count = (uint8_t)(board->cores * board->threads),
		.family2 = PROCESSOR_OTHER,
	};

	(void)snprintf(socket, sizeof(socket), "CPU %u", i);
	structure_add(b, &cpu, sizeof(cpu), HANDLE(SMBIOS_PROCESSOR, i),
		      strings, ARRAY_SIZE(strings));
}

static void memory_add(struct builder *b, const struct board_description *board)
{
	static const char *const strings[] = { "DIMM 0", MANUFACTURER };
	uint64_t bytes = board->ram_low + board->ram_high;
	uint64_t kib = bytes >> 10;
	uint64_t mib = bytes >> 20;
	struct smbios_memory_array array = {
		.location = ARRAY_OTHER,
		.use = ARRAY_SYSTEM_MEMORY,
		.error_correction = ARRAY_NO_CORRECTION,
		.capacity_kib = ARRAY_CAPACITY_EXT,
		.error_handle = HANDLE_NONE,
		.device_count = 1,
	};
	struct smbios_memory_device device = {
		.array = HANDLE(SMBIOS_MEMORY_ARRAY, 0),
		.error_handle = HANDLE_NONE,
		.total_width = WIDTH_UNKNOWN,
		.data_width = WIDTH_UNKNOWN,
		.size_mib = MEMORY_SIZE_EXT,
		.form_factor = MEMORY_DIMM,
		.locator = 1,
		.type = MEMORY_RAM,
		.type_detail = MEMORY_OTHER,
		.manufacturer = 2,
	};

	if (kib < ARRAY_CAPACITY_EXT)
		array.capacity_kib = (uint32_t)kib;
	else
		array.extended_capacity = bytes;
	if (mib < MEMORY_SIZE_EXT_AT)
		device.size_mib = (uint16_t)mib;
	else
		device.extended_size_mib = (uint32_t)mib;
	structure_add(b, &array, sizeof(array), HANDLE(SMBIOS_MEMORY_ARRAY, 0),
		      strings, 0);
	structure_add(b, &device, sizeof(device),
		      HANDLE(SMBIOS_MEMORY_DEVICE, 0), strings,
		      ARRAY_SIZE(strings));
}

static void mapped_add(struct builder *b, unsigned n, uint64_t base,
		       uint64_t length)
{
	uint64_t last = base + length - 1;
	struct smbios_memory_mapped mapped = {
		.array = HANDLE(SMBIOS_MEMORY_ARRAY, 0),
		.width = 1,
	};

	if (!length)
		return;
	if (last >> 10 < MAPPED_EXT) {
		mapped.start_kib = (uint32_t)(base >> 10);
		mapped.end_kib = (uint32_t)(last >> 10);
	} else {
		mapped.start_kib = MAPPED_EXT;
		mapped.end_kib = MAPPED_EXT;
		mapped.extended_start = base;
		mapped.extended_end = last;
	}
	structure_add(b, &mapped, sizeof(mapped),
		      HANDLE(SMBIOS_MEMORY_MAPPED, n), NULL, 0);
}

static void tail_add(struct builder *b)
{
	struct smbios_boot boot = { .status = 0 };
	struct smbios_header end = { .type = SMBIOS_END };

	structure_add(b, &boot, sizeof(boot), HANDLE(SMBIOS_BOOT, 0), NULL, 0);
	structure_add(b, &end, sizeof(end), HANDLE(SMBIOS_END, 0), NULL, 0);
}

static void anchor_fill(struct smbios_anchor *anchor, const struct builder *b,
			uint32_t tables_gpa)
{
	*anchor = (struct smbios_anchor){
		.length = sizeof(*anchor),
		.major = 2,
		.minor = 8,
		.max_structure = b->largest,
		.tables_length = (uint16_t)b->tables.length,
		.tables_gpa = tables_gpa,
		.structure_count = b->count,
		.bcd_revision = 0x28,
	};
	memcpy(anchor->signature, "_SM_", sizeof(anchor->signature));
	memcpy(anchor->dmi_signature, "_DMI_", sizeof(anchor->dmi_signature));
	anchor->dmi_checksum = checksum_of(anchor->dmi_signature,
					   sizeof(*anchor) - ANCHOR_DMI_OFFSET);
	anchor->checksum = checksum_of(anchor, sizeof(*anchor));
}

int smbios_tables_build(struct smbios_tables *smbios,
			const struct board_description *board,
			uint32_t tables_gpa)
{
	struct builder b = {
		.tables = { .data = smbios->tables,
			    .size = sizeof(smbios->tables) },
	};

	if (tables_gpa)
		bios_add(&b);
	system_add(&b, board);
	for (unsigned i = 0;
	     i * board->cores * board->threads < board->vcpu_count; i++)
		processor_add(&b, board, i);
	memory_add(&b, board);
	mapped_add(&b, 0, 0, board->ram_low);
	mapped_add(&b, 1, GIB(4), board->ram_high);
	tail_add(&b);
	anchor_fill((void *)smbios->anchor, &b, tables_gpa);
	smbios->tables_length = b.tables.length;
	return b.tables.is_overflown ? -ENOSPC : 0;
}
