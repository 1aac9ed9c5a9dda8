/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All devices of the board `pc` in one list: reset, save, load.
 *
 * What the board itself remembers is the wires.  Where RAM, ROM and video
 * memory show is told again by the devices that say so.
 */
#include "machine/pc_parts.h"

#include "devices/state.h"
#include "machine/extint.h"

/* ---- Wires ------------------------------------------------------------- */

/* They follow the devices, through a reset, too. */
static const struct state_field wires_fields[] = {
	STATE_VALUE(struct pc_wires, isa_lines, .flags = STATE_KEPT),
	STATE_VALUE(struct pc_wires, pirq_lines, .flags = STATE_KEPT),
	STATE_VALUE(struct pc_wires, hpet_lines, .flags = STATE_KEPT),
	STATE_VALUE(struct pc_wires, test_lines, .flags = STATE_KEPT),
	STATE_VALUE(struct pc_wires, is_hpet_legacy, .flags = STATE_KEPT),
	STATE_RESERVED(struct pc_wires, reserved),
};

static const struct state_description wires_description =
	STATE_DESCRIPTION(struct pc_wires, wires_fields);

static const struct device_ops wires_ops = {
	.name = "pc_wires",
	.version = 2,
	.state = &wires_description,
};

/* ---- The list ---------------------------------------------------------- */

int pc_devices_init(struct pc *pc, const struct board_config *config)
{
	struct pc_wires wires = pc->wires;
	struct device *const devices[] = {
		&pc->pic.device,   &pc->ioapic.device, &pc->wires_device,
		&pc->pit.device,   &pc->rtc.device,    &pc->hpet.device,
		&pc->i8042.device, &pc->com1.device,   &pc->fw_cfg.device,
		&pc->debug.device, &pc->pci.self,      &pc->host.device,
		&pc->isa.device,   &pc->pm.device,     &pc->ide.device,
		&pc->vga.device,   &pc->dma.device,
	};
	unsigned i;
	int error = 0;

	device_init(&pc->wires_device, &wires_ops, pc, &pc->wires);
	pc->wires = wires; /* the devices have told their levels already */
	device_list_init(&pc->devices, config->clock);
	for (i = 0; i < ARRAY_SIZE(devices) && !error; i++)
		if (devices[i] != &pc->pm.device || !pc->board.has_no_acpi)
			error = device_list_add(&pc->devices, devices[i]);
	if (pc_has_com2(pc) && !error)
		error = device_list_add(&pc->devices, &pc->com2.device);
	if (pc_has_lpt1(pc) && !error)
		error = device_list_add(&pc->devices, &pc->lpt1.device);
	if (pc->vmware.ops && !error)
		error = device_list_add(&pc->devices, &pc->vmware.device);
	if (pc->has_ahci && !error)
		error = device_list_add(&pc->devices, &pc->ahci.device);
	if (pc->has_lsi && !error)
		error = device_list_add(&pc->devices, &pc->lsi.device);
	if (pc->has_fdc && !error)
		error = device_list_add(&pc->devices, &pc->fdc.device);
	if (pc->flash.config.size && !error)
		error = device_list_add(&pc->devices, &pc->flash.device);
	if (pc->test.memory && !error)
		error = device_list_add(&pc->devices, &pc->test.device);
	for (i = 0; i < pc->config->nic_count && !error; i++)
		error = device_list_add(&pc->devices, pc->nic[i].device);
	if (!error)
		error = pc_usb_devices_add(pc);
	if (!error)
		error = pc_virtio_init(pc, config);
	for (i = 0; i < config->device_count && !error; i++)
		error = device_list_add(&pc->devices, config->devices[i]);
	return error;
}

void pc_reset(void *board)
{
	struct pc *pc = board;

	if (pc->extint)
		extint_drop(pc->extint);
	if (pc_sleep(pc) == BOARD_CHANGES)
		pc_sleep_reset(pc);
	else
		device_list_reset(&pc->devices);
}

int pc_save(struct pc *pc, void *image, size_t size, size_t *length)
{
	if (pc->extint)
		extint_withdraw(pc->extint);
	return device_list_save(&pc->devices, image, size, length);
}

int pc_load(struct pc *pc, const void *image, size_t length, void *scratch,
	    char *why, size_t why_size)
{
	/* An image that is refused leaves what the monitor did in the pair. */
	if (pc->extint)
		extint_withdraw(pc->extint);
	return device_list_load(&pc->devices, image, length, scratch, why,
				why_size);
}
