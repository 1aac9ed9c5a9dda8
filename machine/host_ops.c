/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a board wants of the world, by the gate: interrupts as messages, the map
 * of guest-physical memory, consoles, time, the end of the VM.
 */
#include "machine/machine.h"

#include "lib/user/gate_calls.h"

/* With 15 bits for a destination those are its high ones, and no local APIC is
 * so high; else they have no meaning. */
#define MSI_DESTINATION_HIGH MASK(11, 5)

static bool op_send_msi(void *ctx, uint64_t address, uint32_t data)
{
	const struct machine *machine = ctx;

	if (machine->kvm && address & MSI_DESTINATION_HIGH)
		return false;
	return gate_msi(address, data) > 0;
}

static void op_map(void *ctx, gpa_t gpa, uint64_t length, uint64_t offset,
		   enum gate_map kind)
{
	struct machine *machine = ctx;

	machine_memory_map(&machine->memory, gpa, length, offset, kind);
}

static void op_fill(void *ctx, void *to, const void *from, uint64_t length)
{
	struct machine *machine = ctx;

	machine_memory_fill(&machine->memory, to, from, length);
}

static void op_release(void *ctx, uint64_t offset, uint64_t length)
{
	struct machine *machine = ctx;

	machine_memory_release(&machine->memory, offset, length);
}

static void op_entropy(void *ctx, void *to, size_t size)
{
	struct machine *machine = ctx;

	machine_entropy(&machine->entropy, to, size);
}

static void op_reset(void *ctx)
{
	machine_reset_want(ctx);
}

static void op_remap(void *ctx)
{
	rendezvous_wish(&((struct machine *)ctx)->rendezvous, RENDEZVOUS_REMAP);
}

static void op_power_off(void *ctx)
{
	machine_report_runs(ctx);
	gate_exit(MACHINE_EXIT_POWER_OFF);
}

static void op_debug_exit(void *ctx, uint32_t code)
{
	machine_report_runs(ctx);
	gate_exit(MACHINE_EXIT_DEBUG(code));
}

static void op_serial(void *ctx, const void *data, size_t length)
{
	struct machine *machine = ctx;

	machine_console_write(&machine->console, machine->holder,
			      CONSOLE_SERIAL, data, length);
}

static size_t op_serial_read(void *ctx, void *data, size_t size)
{
	struct machine *machine = ctx;

	return machine_console_read(&machine->console, 0, data, size);
}

static void op_serial1(void *ctx, const void *data, size_t length)
{
	struct machine *machine = ctx;

	machine_console_write(&machine->console, machine->holder,
			      CONSOLE_SERIAL1, data, length);
}

static size_t op_serial1_read(void *ctx, void *data, size_t size)
{
	struct machine *machine = ctx;

	return machine_console_read(&machine->console, 1, data, size);
}

static bool op_printer(void *ctx, uint8_t byte)
{
	struct machine *machine = ctx;

	return machine_console_print(&machine->console, byte);
}

static void op_debug(void *ctx, const void *data, size_t length)
{
	struct machine *machine = ctx;

	machine_console_write(&machine->console, machine->holder, CONSOLE_DEBUG,
			      data, length);
}

static void op_e9(void *ctx, const void *data, size_t length)
{
	struct machine *machine = ctx;

	machine_console_write(&machine->console, machine->holder, CONSOLE_E9,
			      data, length);
}

static uint32_t op_port_read(void *ctx, uint16_t port, unsigned size)
{
	(void)ctx;
	return (uint32_t)gate_port_read(port, size);
}

static void op_port_write(void *ctx, uint16_t port, unsigned size,
			  uint32_t value)
{
	(void)ctx;
	gate_port_write(port, size, value);
}

static void op_log(void *ctx, enum device_log_level level, const char *text)
{
	static const uint8_t gate_level[] = {
		[DEVICE_LOG_WARN] = GATE_LOG_WARNING,
		[DEVICE_LOG_INFO] = GATE_LOG_INFO,
		[DEVICE_LOG_DEBUG] = GATE_LOG_DEBUG,
	};

	(void)ctx;
	gate_log(gate_level[level], "%s", text);
}

static uint64_t *op_registers(void *ctx)
{
	struct machine *machine = ctx;

	return machine->vcpu[machine->holder]->page->state.gpr;
}

static uint64_t clock_now_ns(void *ctx)
{
	(void)ctx;
	return gate_now_ns();
}

static void clock_deadline_changed(void *ctx, uint64_t deadline_ns)
{
	((struct machine *)ctx)->console.timer_ns = deadline_ns;
	gate_timer(deadline_ns);
}

void machine_clock_init(struct machine *machine)
{
	machine->clock.now_ns = clock_now_ns;
	machine->clock.deadline_changed = clock_deadline_changed;
	machine->clock.ctx = machine;
	machine->console.timer_ns = UINT64_MAX;
	machine->clock.epoch_s = machine->gate->epoch_s;
}

/* ---- Faults on purpose --------------------------------------------------- */

static void fault_power_cut(void *ctx)
{
	machine_reset_want(ctx);
}

static void fault_log(void *ctx, const char *text)
{
	(void)ctx;
	gate_log(GATE_LOG_INFO, "%s", text);
}

bool machine_fault_init(struct machine *machine)
{
	static const struct machine_fault none;
	const struct machine_config *config = machine->config;
	const struct fault_config fault = {
		.machine = &config->fault,
		.clock = &machine->clock,
		.power_cut = fault_power_cut,
		.log = fault_log,
		.ctx = machine,
	};

	if (!__builtin_memcmp(&config->fault, &none, sizeof(none)))
		return false;
	fault_init(&machine->fault, &fault);
	for (unsigned i = 0; i < config->disk_count; i++)
		if (config->disk[i].bus == MACHINE_DISK_IDE)
			machine->disks[i] = fault_disk_add(&machine->fault,
							   config->disk[i].unit,
							   machine->disks[i]);
	return true;
}

const struct board_host_ops machine_host_ops = {
	.send_msi = op_send_msi,
	.map = op_map,
	.fill = op_fill,
	.entropy = op_entropy,
	.release = op_release,
	.reset = op_reset,
	.remap = op_remap,
	.power_off = op_power_off,
	.debug_exit = op_debug_exit,
	.serial_write = op_serial,
	.serial_read = op_serial_read,
	.serial1_write = op_serial1,
	.serial1_read = op_serial1_read,
	.printer_write = op_printer,
	.debug_write = op_debug,
	.e9_write = op_e9,
	.port_read = op_port_read,
	.port_write = op_port_write,
	.log = op_log,
	.registers = op_registers,
};
