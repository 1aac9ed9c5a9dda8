/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board and the emulator as an ordinary program: boots firmware without
 * any hypervisor below, under sanitizers and debuggers.
 *
 * One CPU, no local APIC; one instruction takes one nanosecond, HLT skips to
 * the next timer.  COM1 is on standard output and standard input, the debug
 * console on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "include/x86_msr.h"
#include "machine/pc.h"
#include "tests/host/host_cpu.h"

#define VRAM_SIZE   MIB(16)
#define ROM_SIZE    MIB(2)
#define TIMER_CHECK 64 /* instructions between looks at the clock */

struct host_disk {
	struct block_backend backend;
	uint8_t *image;
};

struct host_pc {
	struct pc pc;
	struct machine_config config;
	struct clock clock;
	struct host_cpu cpu;
	struct emul emul;
	struct host_disk disk[MACHINE_DISKS_MAX];
	uint64_t instructions;
	uint64_t skipped_ns; /* in HLT */
	uint64_t deadline_ns;
	uint64_t limit;
	bool intr;
	bool is_reset_wanted;
	bool is_remap_wanted;
	bool is_halted;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- What the board wants ---------------------------------------------- */

static uint64_t now_ns(void *ctx)
{
	const struct host_pc *host = ctx;

	return host->instructions + host->skipped_ns;
}

static void deadline_changed(void *ctx, uint64_t deadline_ns)
{
	((struct host_pc *)ctx)->deadline_ns = deadline_ns;
}

static void set_intr(void *ctx, bool level)
{
	((struct host_pc *)ctx)->intr = level;
}

static bool send_msi(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	(void)data;
	return true;
}

static void map(void *ctx, gpa_t gpa, uint64_t length, uint64_t offset,
		enum gate_map kind)
{
	(void)ctx;
	(void)gpa;
	(void)length;
	(void)offset;
	(void)kind;
}

static void reset(void *ctx)
{
	((struct host_pc *)ctx)->is_reset_wanted = true;
}

static void remap(void *ctx)
{
	((struct host_pc *)ctx)->is_remap_wanted = true;
}

static void finish(struct host_pc *host, const char *why, int status)
{
	fflush(stdout);
	fprintf(stderr, "host-pc: %s after %llu instructions\n", why,
		(unsigned long long)host->instructions);
	exit(status);
}

static void power_off(void *ctx)
{
	finish(ctx, "power-off", 0);
}

static void debug_exit(void *ctx, uint32_t code)
{
	finish(ctx, "exit port", (int)(code & 0x7f));
}

static void serial_write(void *ctx, const void *data, size_t length)
{
	(void)ctx;
	fwrite(data, 1, length, stdout);
	fflush(stdout);
}

static void debug_write(void *ctx, const void *data, size_t length)
{
	(void)ctx;
	fwrite(data, 1, length, stderr);
}

static void log_text(void *ctx, enum device_log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "host-pc: %s\n", text);
}

/* ---- Disks ------------------------------------------------------------- */

static void submit(void *ctx, struct block_request *request)
{
	struct host_disk *disk = ctx;
	uint8_t *at = disk->image + request->sector * BLOCK_SECTOR;
	uint32_t i;

	for (i = 0; i < request->segment_count; i++) {
		const struct block_segment *s = &request->segment[i];

		if (request->op == BLOCK_READ)
			memcpy(s->host, at, s->length);
		else if (request->op == BLOCK_WRITE)
			memcpy(at, s->host, s->length);
		at += s->length;
	}
	request->done(request->dev, request, 0);
}

static void *map_file(const char *name, uint64_t *size)
{
	int file = open(name, O_RDONLY);
	struct stat st;
	void *at;

	if (file < 0 || fstat(file, &st))
		die(name);
	*size = (uint64_t)st.st_size;
	at = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (at == MAP_FAILED)
		die(name);
	close(file);
	return at;
}

static void add_disk(struct host_pc *host, const char *name, bool is_cdrom)
{
	unsigned i = host->config.disk_count++;
	struct machine_disk_config *config = &host->config.disk[i];
	struct host_disk *disk = &host->disk[i];
	uint64_t size;

	if (i >= 4)
		die("more than four disks");
	disk->image = map_file(name, &size);
	disk->backend = (struct block_backend){
		.submit = submit,
		.ctx = disk,
		.sector_count = size / BLOCK_SECTOR,
		.is_read_only = is_cdrom,
	};
	config->sector_count = disk->backend.sector_count;
	config->bus = MACHINE_DISK_IDE;
	config->unit = (uint8_t)i;
	config->is_cdrom = is_cdrom;
}

static void add_blob(struct host_pc *host, enum machine_blob_kind kind,
		     const char *name)
{
	struct machine_blob *blob =
		&host->config.blob[host->config.blob_count++];

	blob->kind = kind;
	blob->va = (uint64_t)map_file(name, &blob->size);
}

/* ---- What the emulator wants ------------------------------------------- */

static void *ram(void *ctx, uint64_t gpa, size_t length, bool write)
{
	struct host_pc *host = ctx;

	return pc_ram_at(&host->pc, gpa, length, write);
}

static enum emul_status mmio_read(void *ctx, uint64_t gpa, void *data,
				  unsigned size)
{
	struct host_pc *host = ctx;
	struct io_access io = { .offset = gpa, .size = (uint8_t)size };

	pc_mmio_access(&host->pc, &io);
	memcpy(data, &io.data, size);
	return EMUL_OK;
}

static enum emul_status mmio_write(void *ctx, uint64_t gpa, const void *data,
				   unsigned size)
{
	struct host_pc *host = ctx;
	struct io_access io = { .offset = gpa,
				.size = (uint8_t)size,
				.is_write = true };

	memcpy(&io.data, data, size);
	pc_mmio_access(&host->pc, &io);
	return EMUL_OK;
}

static enum emul_status port(void *ctx, uint16_t number, unsigned size,
			     bool is_write, uint32_t *data)
{
	struct host_pc *host = ctx;
	struct io_access io = { .offset = number,
				.size = (uint8_t)size,
				.is_write = is_write,
				.data = *data };

	pc_port_access(&host->pc, &io);
	*data = (uint32_t)io.data;
	return EMUL_OK;
}

static size_t port_bulk(void *ctx, uint16_t number, unsigned size,
			bool is_write, void *at, size_t count)
{
	struct host_pc *host = ctx;
	struct io_access io = { .offset = number,
				.size = (uint8_t)size,
				.is_write = is_write };

	return pc_port_bulk(&host->pc, &io, at, (uint32_t)count);
}

static enum emul_status cr_write(void *ctx, unsigned cr, uint64_t value)
{
	(void)ctx;
	(void)cr;
	(void)value;
	return EMUL_OK;
}

static enum emul_status msr_read(void *ctx, uint32_t msr, uint64_t *value)
{
	struct host_pc *host = ctx;

	*value = msr == MSR_TSC ? now_ns(ctx)
				: host_cpu_msr_read(&host->cpu, msr);
	return EMUL_OK;
}

static enum emul_status msr_write(void *ctx, uint32_t msr, uint64_t value)
{
	host_cpu_msr_write(&((struct host_pc *)ctx)->cpu, msr, value);
	return EMUL_OK;
}

static enum emul_status cpuid(void *ctx, uint32_t r[4])
{
	(void)ctx;
	host_cpu_cpuid(r);
	return EMUL_OK;
}

static enum emul_status tsc(void *ctx, uint64_t *value, uint32_t *aux)
{
	*value = now_ns(ctx);
	*aux = 0;
	return EMUL_OK;
}

static const struct emul_ops emul_ops = {
	.ram = ram,
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
	.io = port,
	.io_bulk = port_bulk,
	.cr_write = cr_write,
	.msr_read = msr_read,
	.msr_write = msr_write,
	.cpuid = cpuid,
	.tsc = tsc,
};

/* ---- The processor ----------------------------------------------------- */

static void windows_set(struct host_pc *host)
{
	host->is_remap_wanted = false;
	pc_remap(&host->pc);
	pc_emulator_windows(&host->pc, host->emul.window);
	emul_forget(&host->emul);
}

static void start(struct host_pc *host)
{
	host->is_reset_wanted = false;
	host->is_halted = false;
	host_cpu_reset(&host->cpu);
	if (pc_boot(&host->pc, &host->cpu.state))
		exit(2);
}

static void dump(const struct host_pc *host, const char *why)
{
	const struct x86_state *s = &host->cpu.state;
	unsigned i;

	fprintf(stderr, "\nhost-pc: %s at %04x:%llx (base %llx)\n", why,
		s->seg[X86_CS].selector, (unsigned long long)s->rip,
		(unsigned long long)s->seg[X86_CS].base);
	for (i = 0; i < host->emul.insn_length; i++)
		fprintf(stderr, "%02x ", host->emul.insn[i]);
	for (i = 0; i < X86_GPR_COUNT; i++)
		fprintf(stderr, "%sr%-2u %016llx", i % 4 ? " " : "\n", i,
			(unsigned long long)s->gpr[i]);
	fprintf(stderr, "\ncr0 %llx cr3 %llx cr4 %llx efer %llx\n",
		(unsigned long long)s->cr0, (unsigned long long)s->cr3,
		(unsigned long long)s->cr4, (unsigned long long)s->efer);
}

static void deliver_fault(struct host_pc *host)
{
	if (emul_deliver_fault(&host->emul) == EMUL_OK &&
	    !(host->emul.events & EMUL_EVENT_SHUTDOWN))
		return;
	dump(host, "triple fault");
	host->is_reset_wanted = true;
}

static void deliver_interrupt(struct host_pc *host)
{
	const struct emul_event event = {
		.vector = (uint8_t)pc_intack(&host->pc),
		.type = EMUL_TYPE_EXTERNAL,
	};

	host->is_halted = false;
	if (emul_deliver_event(&host->emul, &event) == EMUL_FAULT)
		deliver_fault(host);
}

static void step(struct host_pc *host)
{
	struct emul *emul = &host->emul;

	switch (emul_step(emul)) {
	case EMUL_OK:
		host->is_halted = emul->events & EMUL_EVENT_HLT;
		break;
	case EMUL_FAULT:
		deliver_fault(host);
		break;
	case EMUL_RETRY:
		break;
	case EMUL_UNHANDLED:
		dump(host, "unknown instruction");
		finish(host, "unknown instruction", 3);
	}
	host->instructions++;
}

static void run_timers(struct host_pc *host)
{
	if (host->is_halted) {
		if (!(host->cpu.state.rflags & X86_FLAG_IF) ||
		    host->deadline_ns == UINT64_MAX)
			finish(host, "halted for ever", 4);
		if (host->deadline_ns > now_ns(host))
			host->skipped_ns += host->deadline_ns - now_ns(host);
	}
	if (now_ns(host) >= host->deadline_ns)
		clock_run(&host->clock);
}

static void run(struct host_pc *host)
{
	while (host->instructions < host->limit) {
		if (host->is_halted || host->instructions % TIMER_CHECK == 0)
			run_timers(host);
		if (host->intr && (host->cpu.state.rflags & X86_FLAG_IF) &&
		    !host->cpu.state.interrupt_shadow)
			deliver_interrupt(host);
		if (!host->is_halted)
			step(host);
		if (host->is_reset_wanted) {
			fprintf(stderr, "host-pc: reset\n");
			pc_reset(&host->pc);
			start(host);
		}
		if (host->is_remap_wanted)
			windows_set(host);
	}
	dump(host, "limit");
	finish(host, "limit", 5);
}

/* ---- Start ------------------------------------------------------------- */

static void usage(void)
{
	fprintf(stderr, "usage: host-pc [-m MIB] [-n INSTRUCTIONS] [-b BIOS]\n"
			"  [-v VGABIOS] [-d DISK] [-c CDROM] [-k KERNEL]\n"
			"  [-i INITRD] [-a CMDLINE]\n");
	exit(2);
}

static void parse(struct host_pc *host, int argc, char **argv)
{
	struct machine_config *config = &host->config;
	int option;

	while ((option = getopt(argc, argv, "m:n:b:v:d:c:k:i:a:")) != -1) {
		switch (option) {
		case 'm':
			config->ram_size = MIB(strtoull(optarg, NULL, 0));
			break;
		case 'n':
			host->limit = strtoull(optarg, NULL, 0);
			break;
		case 'b':
			add_blob(host, MACHINE_BLOB_BIOS, optarg);
			break;
		case 'v':
			add_blob(host, MACHINE_BLOB_VGABIOS, optarg);
			break;
		case 'd':
		case 'c':
			add_disk(host, optarg, option == 'c');
			break;
		case 'k':
			add_blob(host, MACHINE_BLOB_KERNEL, optarg);
			break;
		case 'i':
			add_blob(host, MACHINE_BLOB_INITRD, optarg);
			break;
		case 'a':
			snprintf(config->cmdline, sizeof(config->cmdline), "%s",
				 optarg);
			break;
		default:
			usage();
		}
	}
}

int main(int argc, char **argv)
{
	static const struct board_host_ops ops = {
		.set_intr = set_intr,
		.send_msi = send_msi,
		.map = map,
		.reset = reset,
		.remap = remap,
		.power_off = power_off,
		.debug_exit = debug_exit,
		.serial_write = serial_write,
		.debug_write = debug_write,
		.e9_write = debug_write,
		.log = log_text,
	};
	struct host_pc *host = calloc(1, sizeof(*host));
	struct block_backend *disks[MACHINE_DISKS_MAX];
	struct board_config config;
	uint8_t *window;
	unsigned i;

	if (!host)
		die("memory");
	host->limit = UINT64_MAX;
	host->config = (struct machine_config){
		.version = MACHINE_CONFIG_VERSION,
		.board = MACHINE_BOARD_PC,
		.vcpu_count = 1,
		.ram_size = MIB(64),
		.vram_size = VRAM_SIZE,
		.rom_size = ROM_SIZE,
		.devices = MACHINE_DEVICE_DEBUG_EXIT |
			   MACHINE_DEVICE_DEBUG_CONSOLE | MACHINE_DEVICE_SERCON,
	};
	parse(host, argc, argv);
	window = mmap(NULL, host->config.ram_size + VRAM_SIZE + ROM_SIZE,
		      PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (window == MAP_FAILED)
		die("guest memory");
	for (i = 0; i < MACHINE_DISKS_MAX; i++)
		disks[i] = &host->disk[i].backend;
	host->clock.now_ns = now_ns;
	host->clock.deadline_changed = deadline_changed;
	host->clock.ctx = host;
	host->clock.epoch_s = 1704067200;
	config = (struct board_config){
		.machine = &host->config,
		.physical_bits = 40,
		.window = window,
		.disks = disks,
		.clock = &host->clock,
		.ops = &ops,
		.ctx = host,
	};
	if (pc_init(&host->pc, &config))
		return 2;
	emul_init(&host->emul, &host->cpu.state, &emul_ops, host);
	host->emul.xstate = &host->cpu.xstate;
	start(host);
	windows_set(host);
	run(host);
}
