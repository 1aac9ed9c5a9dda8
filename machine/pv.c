/* SPDX-License-Identifier: BSD-2-Clause */
/* The board `pv`: see pv.h for what there is, and how it is wired. */
#include "machine/pv_parts.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "machine/board_parts.h"

#define RESET_VECTOR_GPA 0xffff0

void pv_log(struct pv *pv, enum device_log_level level, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pv->ops->log(pv->ctx, level, text);
}

/* ---- Memory -------------------------------------------------------------- */

static int describe(struct pv *pv)
{
	int error = board_description_pv(&pv->board, pv->config->ram_size,
					 pv->config->vcpu_count);

	if (error || pv->board.ram_low < MIB(2)) {
		pv_log(pv, DEVICE_LOG_WARN, "memory or vCPUs out of range");
		return -EINVAL;
	}
	board_topology_describe(&pv->board, pv->config);
	if (pv_has_com1(pv))
		pv->board.features |= BOARD_HAS_COM1;
	pv->board.acpi_processors = (uint8_t)pv->config->acpi.processors;
	return 0;
}

static void range_add(struct pv *pv, gpa_t gpa, uint64_t size, uint64_t offset)
{
	if (!size)
		return;
	pv->ram.range[pv->ram.count++] =
		(struct guest_ram_range){ gpa, size, pv->window + offset };
	pv->ops->map(pv->ctx, gpa, size, offset, GATE_MAP_RAM);
}

static void memory_init(struct pv *pv)
{
	range_add(pv, 0, pv->board.ram_low, 0);
	range_add(pv, GIB(4), pv->board.ram_high, pv->board.ram_low);
}

static void *pv_ram_at(void *board, gpa_t gpa, size_t length, bool write)
{
	const struct pv *pv = board;
	void *at = guest_ram_at(&pv->ram, gpa, length);

	if (at || write)
		return at;
	return (void *)(uintptr_t)virtio_pmems_at(&pv->virtio_pmems, gpa,
						  length);
}

static unsigned pv_regions(void *board,
			   struct board_region region[BOARD_REGIONS_MAX])
{
	const struct pv *pv = board;

	for (unsigned i = 0; i < pv->ram.count; i++)
		region[i] = (struct board_region){ pv->ram.range[i].base,
						   pv->ram.range[i].length };
	return pv->ram.count;
}

static void pv_emulator_windows(void *board,
				struct emul_window window[EMUL_WINDOWS])
{
	const struct pv *pv = board;

	memset(window, 0, EMUL_WINDOWS * sizeof(*window));
	for (unsigned i = 0; i < pv->ram.count; i++)
		window[i] = (struct emul_window){
			.start = pv->ram.range[i].base,
			.size = pv->ram.range[i].length,
			.host = pv->ram.range[i].host,
		};
}

/* What memory shows never changes. */
static void pv_remap(void *board)
{
	(void)board;
}

/* ---- Accesses ------------------------------------------------------------ */

static void pv_port_access(void *board, struct io_access *io)
{
	struct pv *pv = board;

	bus_access(&pv->ports, io);
}

static uint32_t pv_port_bulk(void *board, struct io_access *io, void *buffer,
			     uint32_t count)
{
	struct pv *pv = board;

	bus_access_bulk(&pv->ports, io, buffer, count);
	return count;
}

static void pv_mmio_access(void *board, struct io_access *io)
{
	struct pv *pv = board;

	bus_access(&pv->memory, io);
}

static void pv_ioapic_eoi(void *board, uint8_t vector)
{
	struct pv *pv = board;

	if (vector == GATE_EOI_CHANGED)
		ioapic_retry(&pv->ioapic);
	else
		ioapic_eoi(&pv->ioapic, vector);
}

/* ---- Its user ------------------------------------------------------------ */

static void pv_console_input(void *board)
{
	struct pv *pv = board;

	virtio_consoles_input(&pv->virtio_consoles);
	if (pv_has_com1(pv) &&
	    !virtio_consoles_has_input(&pv->virtio_consoles, 0))
		board_serial_input(&pv->com1, pv->ops->serial_read, pv->ctx);
}

static void input_drained(void *opaque)
{
	pv_console_input(opaque);
}

/* There is neither keyboard nor mouse. */
static bool pv_input(void *board, const struct input_event *event)
{
	(void)board;
	(void)event;
	return false;
}

static int pv_command(void *board, uint32_t command, uint32_t unit,
		      const char *medium)
{
	struct pv *pv = board;

	(void)medium;
	switch (command) {
	case FACE_POWER_BUTTON:
		acpi_reduced_button(&pv->acpi);
		return 0;
	case FACE_BALLOON:
		return virtio_smalls_balloon(&pv->virtio_smalls, unit);
	case FACE_TERMINAL:
		return virtio_consoles_size(&pv->virtio_consoles, unit);
	case FACE_EJECT:
	case FACE_INSERT:
		return -ENODEV;
	default:
		return -ENOSYS;
	}
}

static void pv_statistics(void *board, struct face_statistics *to)
{
	virtio_smalls_statistics(&((struct pv *)board)->virtio_smalls, to);
}

/* ---- Building ------------------------------------------------------------ */

static struct irq_line pin(struct pv *pv, unsigned number)
{
	return (struct irq_line){ ioapic_irq_set, &pv->ioapic, number };
}

static void power_off(void *ctx)
{
	struct pv *pv = ctx;

	pv->ops->power_off(pv->ctx);
}

static void reset(void *ctx)
{
	struct pv *pv = ctx;

	pv->ops->reset(pv->ctx);
}

static void debug_exit(void *ctx, uint32_t code)
{
	struct pv *pv = ctx;

	pv->ops->debug_exit(pv->ctx, code);
}

static void message(void *ctx, uint64_t address, uint32_t data)
{
	const struct pv *pv = ctx;

	board_message(pv->ops, pv->ctx, &pv->ram, address, data);
}

static int init_pci(struct pv *pv, const struct board_config *config)
{
	uint64_t ram_end =
		virtio_pmems_end(pv->config, GIB(4) + pv->board.ram_high);
	uint64_t world = 1ULL << config->physical_bits;
	int error = pci_bus_init(&pv->pci, &pv->ports, &pv->memory);

	if (error)
		return error;
	pv->pci.message = message;
	pv->pci.message_ctx = pv;
	pv->pci.window[0] =
		(struct pci_window){ pv->board.pci_hole_base,
				     pv->board.pci_hole_end -
					     pv->board.pci_hole_base };
	if (world > ram_end)
		pv->pci.window[1] =
			(struct pci_window){ ram_end, world - ram_end };
	return pci_host_init(&pv->host, &pv->pci, pin(pv, BOARD_PV_PIN_INTX));
}

static int init_serial(struct pv *pv, struct clock *clock)
{
	int error;

	if (!pv_has_com1(pv))
		return 0;
	error = uart_init(
		&pv->com1, &pv->ports, BOARD_COM1_PORT, clock,
		pin(pv, BOARD_PV_PIN_COM1),
		(struct char_backend){ pv->ops->serial_write, pv->ctx });
	pv->com1.drained = input_drained;
	pv->com1.drained_ctx = pv;
	return error;
}

static int init_debug(struct pv *pv, const struct board_config *config)
{
	const uint32_t wanted =
		MACHINE_DEVICE_DEBUG_EXIT | MACHINE_DEVICE_DEBUG_CONSOLE;

	if (!(pv->config->devices & wanted))
		return 0;
	return board_debug_init(&pv->debug, &pv->ports, config, debug_exit, pv);
}

static int init_list(struct pv *pv, const struct board_config *config)
{
	struct device *const devices[] = {
		&pv->ioapic.device,
		&pv->acpi.device,
		&pv->pci.self,
		&pv->host.device,
		pv_has_com1(pv) ? &pv->com1.device : NULL,
		pv->debug.device.ops ? &pv->debug.device : NULL,
	};
	int error = 0;

	device_list_init(&pv->devices, config->clock);
	for (unsigned i = 0; i < ARRAY_SIZE(devices) && !error; i++)
		if (devices[i])
			error = device_list_add(&pv->devices, devices[i]);
	return error;
}

/* Behind the board's own, whose wires they lead to. */
static int add_others(struct pv *pv, const struct board_config *config)
{
	int error = pv_virtio_init(pv, config);

	for (unsigned i = 0; i < config->device_count && !error; i++)
		error = device_list_add(&pv->devices, config->devices[i]);
	return error;
}

static int build(struct pv *pv, const struct board_config *config)
{
	static const struct acpi_reduced_ops acpi_ops = { power_off, reset };
	int error = describe(pv);

	if (error)
		return error;
	memory_init(pv);
	error = ioapic_init(&pv->ioapic, &pv->memory, pv->ops->send_msi,
			    pv->ctx);
	pv->ioapic.has_long_ids = pv->config->devices & MACHINE_DEVICE_KVM;
	if (!error)
		error = acpi_reduced_init(
			&pv->acpi, &pv->ports, pv->board.pm_base,
			pin(pv, BOARD_PV_PIN_EVENTS), &acpi_ops, pv);
	if (!error)
		error = init_pci(pv, config);
	if (!error)
		error = init_serial(pv, config->clock);
	if (!error)
		error = init_debug(pv, config);
	if (!error)
		error = init_list(pv, config);
	return error ? error : add_others(pv, config);
}

static int pv_init(void *board, const struct board_config *config)
{
	struct pv *pv = board;
	int error;

	pv->config = config->machine;
	pv->ops = config->ops;
	pv->ctx = config->ctx;
	pv->window = config->window;
	clock_init(config->clock);
	bus_init_ports(&pv->ports, pv->port_index);
	bus_init_memory(&pv->memory);
	error = build(pv, config);
	if (error)
		pv_log(pv, DEVICE_LOG_WARN, "cannot build the board pv: %d",
		       error);
	return error;
}

static void pv_reset(void *board)
{
	struct pv *pv = board;

	device_list_reset(&pv->devices);
}

/*
 * Systems that find hardware-reduced ACPI and no EFI reset by what was a BIOS'
 * first instruction (Linux does): mov dx, port; mov al, value; out dx, al; hlt.
 */
static void reset_vector_place(const struct pv *pv)
{
	const uint16_t port = pv->board.pm_base + ACPI_REDUCED_RESET_REG;
	const uint8_t code[] = {
		0xba, port & 0xff, port >> 8, 0xb0, ACPI_REDUCED_RESET,
		0xee, 0xf4,	   0xeb,      0xfd
	};

	guest_ram_write(&pv->ram, RESET_VECTOR_GPA, code, sizeof(code));
}

static int pv_boot(void *board, struct x86_state *state)
{
	struct pv *pv = board;
	struct direct_boot boot =
		board_direct_boot(pv->config, pv->ops, pv->ctx);
	struct direct_entry entry;
	char why[160] = "";
	int error;

	boot.board = &pv->board;
	boot.tables = &pv->tables;
	boot.plan = &pv->plan;
	boot.wants_long = true;
	board_functions_set_up(&pv->pci, &pv->board);
	error = direct_boot_load(&pv->ram, &boot, &entry, why, sizeof(why));
	if (error) {
		pv_log(pv, DEVICE_LOG_WARN, "the kernel: %s", why);
		return error;
	}
	reset_vector_place(pv);
	direct_entry_state(&entry, state);
	return 0;
}

const struct board_ops pv_board_ops = {
	.init = pv_init,
	.reset = pv_reset,
	.boot_state = pv_boot,
	.port_access = pv_port_access,
	.port_bulk = pv_port_bulk,
	.mmio_access = pv_mmio_access,
	.ram_at = pv_ram_at,
	.regions = pv_regions,
	.remap = pv_remap,
	.emulator_windows = pv_emulator_windows,
	.ioapic_eoi = pv_ioapic_eoi,
	.console_input = pv_console_input,
	.input = pv_input,
	.command = pv_command,
	.statistics = pv_statistics,
};
