/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of ACPI and the loader's commands as they lie in memory.
 *
 * References: ACPI 6.5, "ACPI System Description Tables"; QEMU, "QEMU Firmware
 * Configuration Device", table-loader; SeaBIOS, romfile_loader.
 */
#ifndef BULKHEAD_FIRMWARE_ACPI_LAYOUT_H
#define BULKHEAD_FIRMWARE_ACPI_LAYOUT_H

#include "include/compiler.h"

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes: ACPI 1.0's part */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __packed;
ASSERT_SIZE(struct acpi_rsdp, 36);

#define ACPI_RSDP_V1_SIZE 20

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __packed;
ASSERT_SIZE(struct acpi_header, 36);

/* Generic address structure. */
struct acpi_gas {
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
} __packed;
ASSERT_SIZE(struct acpi_gas, 12);

#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO	  1

struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs;
	uint32_t dsdt;
	uint8_t int_model;
	uint8_t preferred_profile;
	uint16_t sci_int;
	uint32_t smi_cmd;
	uint8_t acpi_enable;
	uint8_t acpi_disable;
	uint8_t s4bios_req;
	uint8_t pstate_cnt;
	uint32_t pm1a_evt_blk;
	uint32_t pm1b_evt_blk;
	uint32_t pm1a_cnt_blk;
	uint32_t pm1b_cnt_blk;
	uint32_t pm2_cnt_blk;
	uint32_t pm_tmr_blk;
	uint32_t gpe0_blk;
	uint32_t gpe1_blk;
	uint8_t pm1_evt_len;
	uint8_t pm1_cnt_len;
	uint8_t pm2_cnt_len;
	uint8_t pm_tmr_len;
	uint8_t gpe0_blk_len;
	uint8_t gpe1_blk_len;
	uint8_t gpe1_base;
	uint8_t cst_cnt;
	uint16_t p_lvl2_lat;
	uint16_t p_lvl3_lat;
	uint16_t flush_size;
	uint16_t flush_stride;
	uint8_t duty_offset;
	uint8_t duty_width;
	uint8_t day_alrm;
	uint8_t mon_alrm;
	uint8_t century;
	uint16_t iapc_boot_arch;
	uint8_t reserved;
	uint32_t flags;
	struct acpi_gas reset_reg;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_facs;
	uint64_t x_dsdt;
	struct acpi_gas x_pm1a_evt_blk;
	struct acpi_gas x_pm1b_evt_blk;
	struct acpi_gas x_pm1a_cnt_blk;
	struct acpi_gas x_pm1b_cnt_blk;
	struct acpi_gas x_pm2_cnt_blk;
	struct acpi_gas x_pm_tmr_blk;
	struct acpi_gas x_gpe0_blk;
	struct acpi_gas x_gpe1_blk;
	struct acpi_gas sleep_control_reg;
	struct acpi_gas sleep_status_reg;
	uint64_t hypervisor_vendor;
} __packed;
ASSERT_OFFSET(struct acpi_fadt, flags, 112);
ASSERT_OFFSET(struct acpi_fadt, sleep_control_reg, 244);
ASSERT_SIZE(struct acpi_fadt, 276);

/* What revision 1 has: all before the reset register. */
#define FADT_SIZE_1	    offsetof(struct acpi_fadt, reset_reg)
#define FADT_REVISION	    3
#define FADT_WBINVD	    BIT(0)
#define FADT_PROC_C1	    BIT(2)
#define FADT_PWR_BUTTON	    BIT(4) /* no fixed power button */
#define FADT_SLP_BUTTON	    BIT(5) /* no fixed sleep button */
#define FADT_FIX_RTC	    BIT(6) /* no fixed RTC wake-up status */
#define FADT_RESET_REG_SUP  BIT(10)
#define FADT_HW_REDUCED	    BIT(20)
#define FADT_LEGACY_DEVICES BIT(0) /* of iapc_boot_arch */
#define FADT_8042	    BIT(1)
#define FADT_NO_VGA	    BIT(2)
#define FADT_NO_CMOS_RTC    BIT(5)
#define FADT_C2_NONE	    101	 /* microseconds: more than 100, so none */
#define FADT_C3_NONE	    1001 /* more than 1000 */
#define FADT_CENTURY	    0x32 /* CMOS cell */

struct acpi_facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature;
	uint32_t waking_vector;
	uint32_t global_lock;
	uint32_t flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} __packed;
ASSERT_SIZE(struct acpi_facs, 64);

struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags;
} __packed;
ASSERT_SIZE(struct acpi_madt, 44);

#define MADT_PCAT_COMPAT BIT(0) /* an 8259 pair is there too */

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
};

struct madt_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t processor;
	uint8_t apic_id;
	uint32_t flags;
} __packed;
ASSERT_SIZE(struct madt_lapic, 8);

#define MADT_LAPIC_ENABLED BIT(0)

struct madt_ioapic {
	uint8_t type;
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} __packed;
ASSERT_SIZE(struct madt_ioapic, 12);

struct madt_override {
	uint8_t type;
	uint8_t length;
	uint8_t bus;
	uint8_t source;
	uint32_t gsi;
	uint16_t flags;
} __packed;
ASSERT_SIZE(struct madt_override, 10);

/* Polarity and trigger mode; 0: what the bus has by nature. */
#define MADT_ACTIVE_HIGH 0x1
#define MADT_LEVEL	 0xc

struct madt_lapic_nmi {
	uint8_t type;
	uint8_t length;
	uint8_t processor;
	uint16_t flags;
	uint8_t lint;
} __packed;
ASSERT_SIZE(struct madt_lapic_nmi, 6);

#define MADT_ALL_PROCESSORS 0xff

struct acpi_hpet {
	struct acpi_header header;
	uint32_t id;
	struct acpi_gas address;
	uint8_t number;
	uint16_t min_tick;
	uint8_t page_protection;
} __packed;
ASSERT_SIZE(struct acpi_hpet, 56);

/* ---- The loader's commands --------------------------------------------- */

#define LOADER_FILE_NAME 56

enum loader_kind {
	LOADER_ALLOCATE = 1,
	LOADER_ADD_POINTER = 2,
	LOADER_ADD_CHECKSUM = 3,
};

enum loader_zone { LOADER_ZONE_HIGH = 1, LOADER_ZONE_FSEG = 2 };

struct loader_command {
	uint32_t kind;
	union {
		struct {
			char file[LOADER_FILE_NAME];
			uint32_t align;
			uint8_t zone;
		} __packed allocate;
		/* The value at offset in dest grows by src's address. */
		struct {
			char dest[LOADER_FILE_NAME];
			char src[LOADER_FILE_NAME];
			uint32_t offset;
			uint8_t size;
		} __packed pointer;
		/* The byte at offset makes [start, start + length) sum to 0. */
		struct {
			char file[LOADER_FILE_NAME];
			uint32_t offset;
			uint32_t start;
			uint32_t length;
		} __packed checksum;
		uint8_t pad[124];
	};
} __packed;
ASSERT_SIZE(struct loader_command, 128);

#endif
