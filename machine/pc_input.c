/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board `pc` in front of its user: keyboard, mouse, power button, trays,
 * counters.
 *
 * The mouse is a PS/2 one: it knows no places, so what is absolute is taken by
 * nobody, unless the guest has a driver of VMware's pointer or of a USB tablet.
 * USB devices in use come before all others (pc_usb.c).
 *
 * References: Linux, "Input event codes"; i8042.h's.
 */
#include "machine/pc_parts.h"

#include "include/errno.h"
#include "lib/string.h"

/* From a key that has no make code of its own number to the one that it has. */
static unsigned key_of(unsigned code)
{
	static const struct {
		uint8_t code, make;
	} extended[] = {
		{ INPUT_KEY_KEYPAD_ENTER, 0x1c },
		{ INPUT_KEY_RIGHT_CTRL, 0x1d },
		{ INPUT_KEY_KEYPAD_SLASH, 0x35 },
		{ INPUT_KEY_RIGHT_ALT, 0x38 },
		{ INPUT_KEY_HOME, 0x47 },
		{ INPUT_KEY_UP, 0x48 },
		{ INPUT_KEY_PAGE_UP, 0x49 },
		{ INPUT_KEY_LEFT, 0x4b },
		{ INPUT_KEY_RIGHT, 0x4d },
		{ INPUT_KEY_END, 0x4f },
		{ INPUT_KEY_DOWN, 0x50 },
		{ INPUT_KEY_PAGE_DOWN, 0x51 },
		{ INPUT_KEY_INSERT, 0x52 },
		{ INPUT_KEY_DELETE, 0x53 },
		{ INPUT_KEY_LEFT_META, 0x5b },
		{ INPUT_KEY_RIGHT_META, 0x5c },
		{ INPUT_KEY_MENU, 0x5d },
	};

	if (code < INPUT_KEY_SAME_AS_SET_1)
		return code;
	if (code == INPUT_KEY_PRINT)
		return I8042_KEY_PRINT;
	if (code == INPUT_KEY_PAUSE)
		return I8042_KEY_PAUSE;
	for (unsigned i = 0; i < ARRAY_SIZE(extended); i++)
		if (extended[i].code == code)
			return I8042_KEY_EXTENDED | extended[i].make;
	return 0;
}

static uint8_t button_of(unsigned code)
{
	switch (code) {
	case INPUT_BUTTON_LEFT:
		return I8042_BUTTON_LEFT;
	case INPUT_BUTTON_RIGHT:
		return I8042_BUTTON_RIGHT;
	case INPUT_BUTTON_MIDDLE:
		return I8042_BUTTON_MIDDLE;
	case INPUT_BUTTON_SIDE:
		return I8042_BUTTON_4;
	case INPUT_BUTTON_EXTRA:
		return I8042_BUTTON_5;
	default:
		return 0;
	}
}

static int32_t vmware_place(int32_t value)
{
	return value * VMWARE_PLACE_MAX / INPUT_ABSOLUTE_MAX;
}

static void vmware_move(struct pc *pc)
{
	const struct pc_pointer *pointer = &pc->pointer;
	struct vmware_report report = {
		.is_relative =
			!pointer->is_placed || !vmware_is_absolute(&pc->vmware),
		.x = pointer->dx,
		.y = pointer->dy,
		.wheel = pointer->dz,
		.buttons = pointer->buttons,
	};

	if (!report.is_relative) {
		report.x = vmware_place(pointer->x);
		report.y = vmware_place(pointer->y);
	}
	vmware_report(&pc->vmware, &report);
}

static void pointer_move(struct pc *pc)
{
	struct pc_pointer *pointer = &pc->pointer;

	if (pc_usb_move(pc))
		;
	else if (vmware_is_on(&pc->vmware))
		vmware_move(pc);
	else
		i8042_mouse(&pc->i8042, pointer->dx, pointer->dy, pointer->dz,
			    pointer->buttons);
	pointer->dx = pointer->dy = pointer->dz = 0;
	pointer->has_come = false;
}

/* Since the last INPUT_SYNC. */
static bool has_moved(const struct pc_pointer *pointer)
{
	return pointer->dx || pointer->dy || pointer->dz || pointer->has_come;
}

static bool key(struct pc *pc, const struct input_event *event)
{
	uint8_t button = button_of(event->code);
	unsigned make = key_of(event->code);

	if (make && pc_usb_key(pc, event))
		return true;
	if (make) {
		i8042_key(&pc->i8042, make, event->value);
		return true;
	}
	if (!button)
		return false;
	/* What was moved before, was with the buttons of before. */
	if (has_moved(&pc->pointer))
		pointer_move(pc);
	if (event->value)
		pc->pointer.buttons |= button;
	else
		pc->pointer.buttons &= (uint8_t)~button;
	pointer_move(pc);
	return true;
}

/* More than a mouse ever reports at once. */
#define MOVED_MAX 0x10000

static void add(int32_t *moved, int32_t by)
{
	*moved = MAX(MIN(*moved + by, MOVED_MAX), -MOVED_MAX);
}

static bool moved(struct pc *pc, const struct input_event *event)
{
	/* Bounded before its sign is turned. */
	int32_t by = MAX(MIN(event->value, MOVED_MAX), -MOVED_MAX);

	pc->pointer.is_placed &= event->code == INPUT_WHEEL;
	switch (event->code) {
	case INPUT_X:
		add(&pc->pointer.dx, by);
		return true;
	case INPUT_Y:
		add(&pc->pointer.dy, -by);
		return true;
	case INPUT_WHEEL:
		add(&pc->pointer.dz, -by);
		return true;
	default:
		return false;
	}
}

bool pc_takes_places(void *board)
{
	const struct pc *pc = board;

	return vmware_is_absolute(&pc->vmware) || pc_usb_has_tablet(pc);
}

/* On one of the axes. */
static bool placed(struct pc *pc, const struct input_event *event)
{
	int32_t place = MAX(MIN(event->value, INPUT_ABSOLUTE_MAX), 0);

	if (event->code > INPUT_Y || !pc_takes_places(pc))
		return false;
	if (event->code == INPUT_X)
		pc->pointer.x = place;
	else
		pc->pointer.y = place;
	pc->pointer.dx = pc->pointer.dy = 0;
	pc->pointer.is_placed = pc->pointer.has_come = true;
	return true;
}

/* What wakes the machine up is for that alone. */
static bool input_asleep(struct pc *pc, const struct input_event *event)
{
	bool is_key = event->kind == INPUT_KEY && !button_of(event->code);

	if (event->kind == INPUT_KEY && event->value)
		piix4_pm_gpe(&pc->pm, is_key ? PM_GPE_KEYBOARD : PM_GPE_MOUSE);
	return event->kind != INPUT_ABSOLUTE;
}

bool pc_input(void *board, const struct input_event *event)
{
	struct pc *pc = board;

	if (unlikely(pc_sleep(pc) != BOARD_AWAKE))
		return input_asleep(pc, event);
	switch (event->kind) {
	case INPUT_KEY:
		return key(pc, event);
	case INPUT_RELATIVE:
		return moved(pc, event);
	case INPUT_ABSOLUTE:
		return placed(pc, event);
	case INPUT_SYNC:
		if (has_moved(&pc->pointer))
			pointer_move(pc);
		return true;
	default:
		return false;
	}
}

/* UINT32_MAX: it is no number. */
static uint32_t number_of(const char *text)
{
	uint32_t number = 0;

	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number >= MACHINE_MEDIA_MAX)
			return UINT32_MAX;
		number = number * 10 + (uint32_t)(*text - '0');
	}
	return number;
}

/* Of those of the unit: the one of that number or name.  NULL: none is. */
static struct block_backend *medium_find(const struct pc *pc, uint32_t unit,
					 const char *medium)
{
	uint32_t wanted = number_of(medium), number = 0;

	if (!medium[0])
		return pc->medium[unit];
	for (unsigned i = 0; i < pc->config->medium_count; i++) {
		const struct machine_medium *it = &pc->config->medium[i];

		if (it->unit != unit)
			continue;
		if (number++ == wanted || !strcmp(it->name, medium))
			return pc->media[i];
	}
	return NULL;
}

/* Of those that open; a floppy drive may have been empty at first. */
static bool is_drive(const struct pc *pc, uint32_t unit)
{
	if (unit >= PC_UNITS)
		return false;
	if (unit < FACE_UNIT_FLOPPY || unit >= FACE_UNIT_FLOPPY + FDC_DRIVES)
		return pc->medium[unit];
	return pc->fdc.drive[unit - FACE_UNIT_FLOPPY].type != FLOPPY_DRIVE_NONE;
}

static int medium_change(struct pc *pc, uint32_t unit, const char *medium)
{
	struct block_backend *backend = NULL;

	if (!is_drive(pc, unit))
		return -ENODEV;
	if (medium) {
		backend = medium_find(pc, unit, medium);
		if (!backend)
			return -ERANGE;
	}
	if (unit >= FACE_UNIT_SCSI)
		return virtio_scsi_medium_change(
			&pc->virtio_disks.scsi, unit - FACE_UNIT_SCSI, backend);
	if (unit >= FACE_UNIT_FLOPPY)
		return fdc_medium_change(&pc->fdc, unit - FACE_UNIT_FLOPPY,
					 backend)
			       ? -ERANGE
			       : 0;
	ide_medium_change(&pc->ide, unit / IDE_DRIVES, unit % IDE_DRIVES,
			  backend);
	return 0;
}

int pc_command(void *board, uint32_t command, uint32_t unit, const char *medium)
{
	struct pc *pc = board;

	switch (command) {
	case FACE_POWER_BUTTON:
		if (pc->board.has_no_acpi)
			return -ENODEV;
		piix4_pm_power_button(&pc->pm);
		return 0;
	case FACE_EJECT:
		return medium_change(pc, unit, NULL);
	case FACE_INSERT:
		return medium_change(pc, unit, medium);
	case FACE_BALLOON:
		return virtio_smalls_balloon(&pc->virtio_smalls, unit);
	case FACE_TERMINAL:
		return virtio_consoles_size(&pc->virtio_consoles, unit);
	case FACE_UNREAD:
		return (int)i8042_unread(&pc->i8042);
	default:
		return -ENOSYS;
	}
}

void pc_statistics(void *board, struct face_statistics *to)
{
	struct pc *pc = board;

	_Static_assert(FACE_DISKS == IDE_CHANNELS * IDE_DRIVES, "one each");
	virtio_smalls_statistics(&pc->virtio_smalls, to);
	for (unsigned unit = 0; unit < FACE_DISKS; unit++) {
		const struct ide_drive *drive =
			&pc->ide.channel[unit / IDE_DRIVES]
				 .drive[unit % IDE_DRIVES];

		if (drive->kind == IDE_NONE)
			continue;
		to->disks |= BIT(unit);
		to->disk[unit] = (struct face_disk){
			.requests = drive->counts.requests,
			.errors = drive->counts.errors,
			.sectors_read = drive->counts.sectors_read,
			.sectors_written = drive->counts.sectors_written,
		};
	}
}
