/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware-reduced ACPI: see acpi_reduced.h. */
#include "devices/acpi_reduced.h"

#include "devices/state.h"
#include "lib/string.h"

#define CONTROL_TYPE   MASK(4, 2)
#define CONTROL_ENABLE BIT(5)

static void line_update(struct acpi_reduced *acpi)
{
	irq_line_set(&acpi->out, acpi->state.events != 0);
}

static void register_read(struct acpi_reduced *acpi, struct io_access *io)
{
	io->data = 0;
	if (io->offset != ACPI_REDUCED_EVENTS)
		return;
	io->data = acpi->state.events;
	acpi->state.events = 0;
	line_update(acpi);
}

static void register_write(struct acpi_reduced *acpi,
			   const struct io_access *io)
{
	switch (io->offset) {
	case ACPI_REDUCED_CONTROL:
		if (io->data & CONTROL_ENABLE &&
		    FIELD_GET(CONTROL_TYPE, io->data) == ACPI_REDUCED_S5)
			acpi->ops->power_off(acpi->ctx);
		return;
	case ACPI_REDUCED_RESET_REG:
		if (io->data == ACPI_REDUCED_RESET)
			acpi->ops->reset(acpi->ctx);
		return;
	}
}

static void access(void *opaque, struct io_access *io)
{
	if (io->is_write)
		register_write(opaque, io);
	else
		register_read(opaque, io);
}

void acpi_reduced_button(struct acpi_reduced *acpi)
{
	acpi->state.events |= ACPI_REDUCED_EVENT_BUTTON;
	line_update(acpi);
}

/* ---- State --------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct acpi_reduced_state, events,
		    .max = ACPI_REDUCED_EVENT_BUTTON),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct acpi_reduced_state, fields);

static void tell_line(void *opaque)
{
	line_update(opaque);
}

const struct device_ops acpi_reduced_device_ops = {
	.name = "acpi_reduced",
	.version = 1,
	.state = &description,
	.reset = tell_line,
	.restored = tell_line,
};

int acpi_reduced_init(struct acpi_reduced *acpi, struct bus *ports,
		      uint16_t port, struct irq_line out,
		      const struct acpi_reduced_ops *ops, void *ctx)
{
	const struct io_region region = {
		.name = "acpi",
		.base = port,
		.length = ACPI_REDUCED_PORTS,
		.fn = access,
		.dev = acpi,
		.width_max = 1,
	};

	memset(acpi, 0, sizeof(*acpi));
	device_init(&acpi->device, &acpi_reduced_device_ops, acpi,
		    &acpi->state);
	acpi->out = out;
	acpi->ops = ops;
	acpi->ctx = ctx;
	return bus_add(ports, &region);
}
