/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board `pc` suspended to RAM and back.
 *
 * Both ways are a reset of all devices and vCPUs, as the supply's going and
 * coming is on a PC; memory keeps what it holds.  What keeps its power: events
 * and enables of the PM function, the clock with its alarm, CMOS memory.  What
 * memory shows below 1 MiB stays as well, as on QEMU's board: SeaBIOS resumes
 * from its copy in RAM, and CMOS cell 0Fh tells it, and OVMF, that this is no
 * power-on.  So do IDE's timing registers, whose enable bits SeaBIOS sets at
 * power-on alone: Linux takes a channel without them for switched off.
 *
 * Without firmware the board does what firmware would: sets the chip set up and
 * enters the system at the FACS' waking vector.
 *
 * References: ACPI 6.5, "Waking and Sleeping", "Firmware ACPI Control
 * Structure"; 82371AB (PIIX4), "Suspend/Resume and Power Plane Control"; IBM PC
 * AT Technical Reference, "Shutdown Status Byte".
 */
#include "machine/pc_parts.h"

#include "lib/string.h"

#define CMOS_SHUTDOWN 0x0f
#define SHUTDOWN_S3   0xfe
#define IDETIM	      0x40 /* both channels' */
#define IDETIM_SIZE   4

static void sleep_reset(void *ctx)
{
	struct pc *pc = ctx;

	if (pc->pm.state.sleep == PM_SUSPENDING)
		pc_flash_sync(pc);
	pc->ops->reset(pc->ctx);
}

static void alarm_set(void *sink, unsigned pin, bool level)
{
	struct pc *pc = sink;

	(void)pin;
	if (level)
		piix4_pm_alarm(&pc->pm);
}

void pc_sleep_init(struct pc *pc)
{
	pc->pm.sleep_reset = sleep_reset;
	pc->rtc.alarm = (struct irq_line){ alarm_set, pc, 0 };
}

enum board_sleep pc_sleep(void *board)
{
	const struct pc *pc = board;

	switch (pc->pm.state.sleep) {
	case PM_AWAKE:
		return BOARD_AWAKE;
	case PM_ASLEEP:
		return BOARD_ASLEEP;
	default:
		return BOARD_CHANGES;
	}
}

void pc_sleep_reset(struct pc *pc)
{
	struct piix4_pm_state pm = pc->pm.state;
	uint8_t b = rtc_cell_get(&pc->rtc, RTC_CELL_B);
	uint8_t c = rtc_cell_get(&pc->rtc, RTC_CELL_C);
	uint8_t pam[I440FX_PAMS], idetim[IDETIM_SIZE];
	uint8_t *ide = &pc->ide.pci.state->config[IDETIM];

	memcpy(pam, pc->host.pam, sizeof(pam));
	memcpy(idetim, ide, sizeof(idetim));
	device_list_reset(&pc->devices);
	i440fx_pam_set(&pc->host, pam);
	memcpy(ide, idetim, sizeof(idetim));
	rtc_alarm_keep(&pc->rtc, b, c);
	/* An alarm of meanwhile, whose line stays as it is from now on. */
	pm.status |= pc->pm.state.status;
	pc->is_resuming = piix4_pm_slept(&pc->pm, &pm);
	if (pc->is_resuming)
		rtc_cell_set(&pc->rtc, CMOS_SHUTDOWN, SHUTDOWN_S3);
	if (pm.sleep == PM_SUSPENDING)
		pc_log(pc, DEVICE_LOG_INFO, "suspended to RAM (S3)");
	if (pc->is_resuming)
		pc_log(pc, DEVICE_LOG_INFO, "resumes from S3");
}

/* ---- Without firmware --------------------------------------------------- */

uint32_t pc_waking_vector(struct pc *pc)
{
	bool is_resuming = pc->is_resuming;
	uint32_t vector;

	pc->is_resuming = false;
	if (!is_resuming)
		return 0;
	vector = firmware_tables_waking_vector(&pc->ram);
	if (vector && vector < MIB(1))
		return vector;
	pc_log(pc, DEVICE_LOG_WARN,
	       "the FACS has no waking vector below 1 MiB: the kernel starts "
	       "anew");
	return 0;
}

/* In real mode, as after the reset, but for where. */
void pc_waking_state(struct x86_state *state, uint32_t vector)
{
	state->seg[X86_CS].selector = (uint16_t)(vector >> 4);
	state->seg[X86_CS].base = vector & ~0xfU;
	state->rip = vector & 0xf;
	state->dirty |= X86_GROUP_SEGMENTS | X86_GROUP_GPR_RIP;
}
