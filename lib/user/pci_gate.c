/* SPDX-License-Identifier: BSD-2-Clause */
/* See pci_gate.h. */
#include "lib/user/pci_gate.h"

#include "include/errno.h"
#include "lib/user/gate_calls.h"
#include "lib/user/mmio.h"

uint32_t pci_gate_config_read(void *ctx, unsigned offset, unsigned size)
{
	const struct gate_function *function = ctx;

	return (uint32_t)gate_device_read(function->n, offset, size);
}

void pci_gate_config_write(void *ctx, unsigned offset, unsigned size,
			   uint32_t value)
{
	const struct gate_function *function = ctx;

	gate_device_write(function->n, offset, size, value);
}

int pci_gate_bar_map(void *ctx, unsigned bar, struct pci_bar *mapped)
{
	const struct gate_function *function = ctx;
	const struct gate_device *device = &gate_config()->device[function->n];

	if (bar >= GATE_DEVICE_BARS || !device->bar_size[bar])
		return -ENODEV;
	*mapped = (struct pci_bar){
		.va = gate_device_bar(function->n, bar),
		.size = device->bar_size[bar],
	};
	return 0;
}

uint32_t pci_gate_mmio_read(void *ctx, const void *at, unsigned size)
{
	(void)ctx;
	return mmio_read(at, size);
}

void pci_gate_mmio_write(void *ctx, void *at, unsigned size, uint32_t value)
{
	(void)ctx;
	mmio_write(at, size, value);
}

uint64_t pci_gate_now_ns(void *ctx)
{
	(void)ctx;
	return gate_now_ns();
}
