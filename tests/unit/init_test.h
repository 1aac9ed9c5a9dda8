/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A gate for init that is arrays of domains and channels, and knows what is
 * left of them; and a seat's side of its channel with init.
 */
#ifndef BULKHEAD_TESTS_UNIT_INIT_TEST_H
#define BULKHEAD_TESTS_UNIT_INIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "include/disk.h"
#include "include/elf.h"
#include "include/errno.h"
#include "include/gate.h"
#include "include/seat.h"
#include "include/switch.h"
#include "init/init.h"

#define DOMAINS	  96
#define CHANNELS  192
#define OF_INIT	  UINT64_MAX /* the domain of its own ends */
#define LOG_SIZE  65536
#define PROGRAM	  GATE_PROGRAM_BASE
#define DISK_SIZE KIB(64)
#define NEVER	  UINT64_MAX

struct fake_domain {
	gate_id id; /* 0: free */
	struct gate_domain_spec spec;
	struct gate_domain_status status;
	struct x86_state state; /* of status.thread's vCPU */
	uint64_t mapped, written;
	struct machine_config config;
	struct disk_argument argument;	/* disk's */
	struct seat_screen screen;	/* seat's argument */
	struct switch_argument network; /* the switch's */
	uint64_t screen_va, screen_size;
	uint64_t zero_pages; /* at GATE_MODULE_VA, zero */
	unsigned device_count;
	uint16_t device[GATE_DEVICES_MAX];
	bool is_cow, has_shared, has_fs;
	bool is_reachable; /* by a device: it may not be destroyed */
};

struct fake_channel {
	gate_id id; /* 0: free */
	bool is_closed;
	gate_id memory_of; /* its far side knows that domain's memory */
	bool is_vm_told;   /* also where its VM's is */
	struct {
		gate_id domain; /* 0: nobody */
		unsigned slot;
	} end[2];
	uint8_t memory[GATE_CHANNEL_PAGES_MAX * PAGE_SIZE] __aligned(64);
};

/* A program of one page. */
struct file {
	struct elf64_header header;
	struct elf64_segment segment[2];
	uint8_t text[64];
	struct elf_note note;
	char owner[12];
	uint32_t version;
};

static struct {
	struct fake_domain domain[DOMAINS];
	struct fake_channel channel[CHANNELS];
	gate_id made;
	unsigned bells; /* rung by init */
	uint64_t now, deadline;
	unsigned calls, fail_at; /* the call that fails; 0: none */
	long fail_with;
	char log[LOG_SIZE];
	uint64_t pages_free;
	struct gate_pci_info pci[16];
	unsigned pci_count;
	long grant_error;
	int off; /* -1: on */
	enum gate_off how;
	jmp_buf turned_off;
} gate;

static struct init init;
static struct manifest manifest;
static struct gate_init_info info;
static struct file file __aligned(PAGE_SIZE);
/* As the boot loader puts them. */
static uint8_t bios[KIB(64)] __aligned(PAGE_SIZE);
static uint8_t disk[DISK_SIZE] __aligned(PAGE_SIZE);

static struct fake_domain *find(gate_id id)
{
	for (unsigned i = 0; i < DOMAINS; i++)
		if (id && gate.domain[i].id == id)
			return &gate.domain[i];
	return NULL;
}

static struct fake_domain *named(const char *name)
{
	for (unsigned i = 0; i < DOMAINS; i++)
		if (gate.domain[i].id &&
		    !strcmp(gate.domain[i].spec.name, name))
			return &gate.domain[i];
	return NULL;
}

static __maybe_unused unsigned domains(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < DOMAINS; i++)
		count += !!gate.domain[i].id;
	return count;
}

static __maybe_unused unsigned channels(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CHANNELS; i++)
		count += !!gate.channel[i].id;
	return count;
}

/* The channel that a domain has in a slot. */
static struct fake_channel *channel_of(gate_id domain, unsigned slot)
{
	for (unsigned i = 0; i < CHANNELS; i++)
		for (unsigned end = 0; end < 2; end++)
			if (gate.channel[i].id &&
			    gate.channel[i].end[end].domain == domain &&
			    gate.channel[i].end[end].slot == slot)
				return &gate.channel[i];
	return NULL;
}

static void channel_leave(struct fake_channel *channel, gate_id domain)
{
	for (unsigned end = 0; end < 2; end++)
		if (channel->end[end].domain == domain)
			channel->end[end].domain = 0;
	if (channel->is_closed && !channel->end[0].domain &&
	    !channel->end[1].domain)
		channel->id = 0;
}

static bool fails(void)
{
	return ++gate.calls == gate.fail_at;
}

static long op_create(void *ctx, const struct gate_domain_spec *spec)
{
	(void)ctx;
	if (fails())
		return gate.fail_with;
	for (unsigned i = 0; i < DOMAINS; i++) {
		if (gate.domain[i].id)
			continue;
		gate.domain[i] = (struct fake_domain){ .id = ++gate.made,
						       .spec = *spec };
		gate.domain[i].status.state = GATE_DOMAIN_BUILDING;
		return (long)gate.made;
	}
	return -ENOSPC;
}

static long op_map(void *ctx, gate_id id, const struct gate_domain_map *map)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_BUILDING);
	assert_true(IS_ALIGNED(map->va | map->size | map->offset, PAGE_SIZE));
	if (fails())
		return gate.fail_with;
	domain->mapped += map->size;
	domain->has_fs |= map->va == GATE_FS_VA;
	domain->is_cow |= map->kind == GATE_MEMORY_MODULE_COW;
	domain->has_shared |= map->kind == GATE_MEMORY_MODULE;
	if (map->va == GATE_MODULE_VA && map->kind == GATE_MEMORY_ZERO_COW)
		domain->zero_pages = map->size / PAGE_SIZE;
	if (map->kind == GATE_MEMORY_SCREEN) {
		assert_int_equal(map->prot, GATE_PROT_READ | GATE_PROT_WRITE);
		assert_int_equal(map->offset, 0);
		domain->screen_va = map->va;
		domain->screen_size = map->size;
	}
	return 0;
}

static long op_write(void *ctx, gate_id id, uint64_t va, const void *from,
		     uint64_t length)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	if (fails())
		return gate.fail_with;
	domain->written += length;
	if (va == GATE_ARGUMENT_VA && !strcmp(domain->spec.name, "seat")) {
		assert_int_equal(length, sizeof(domain->screen));
		memcpy(&domain->screen, from, length);
	} else if (va == GATE_ARGUMENT_VA &&
		   !strcmp(domain->spec.name, "switch")) {
		assert_int_equal(length, sizeof(domain->network));
		memcpy(&domain->network, from, length);
	} else if (va == GATE_ARGUMENT_VA && !domain->spec.vm_memory) {
		assert_int_equal(length, sizeof(domain->argument));
		memcpy(&domain->argument, from, length);
	} else if (va == GATE_ARGUMENT_VA) {
		assert_int_equal(length, sizeof(domain->config));
		memcpy(&domain->config, from, length);
	}
	return 0;
}

static long op_read(void *ctx, gate_id id, uint64_t va, void *to,
		    uint64_t length)
{
	const struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_ENDED);
	assert_int_equal(length, sizeof(domain->state));
	if (!domain->spec.vm_memory)
		return -EINVAL;
	assert_int_equal(va, GATE_PAGE_VA(domain->status.thread));
	memcpy(to, &domain->state, length);
	return 0;
}

static long op_start(void *ctx, gate_id id, uint64_t entry)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	assert_int_equal(entry, PROGRAM + 4);
	assert_int_equal(domain->status.state, GATE_DOMAIN_BUILDING);
	if (fails())
		return gate.fail_with;
	domain->status.state = GATE_DOMAIN_RUNNING;
	return 0;
}

static long op_stop(void *ctx, gate_id id)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	if (domain->status.state == GATE_DOMAIN_BUILDING)
		return -EBUSY;
	if (domain->status.state == GATE_DOMAIN_RUNNING)
		domain->status.end = GATE_END_STOPPED;
	domain->status.state = GATE_DOMAIN_ENDED;
	return 0;
}

static long op_channel_create(void *ctx, uint64_t pages)
{
	(void)ctx;
	assert_true(pages && pages <= GATE_CHANNEL_PAGES_MAX);
	if (fails())
		return gate.fail_with;
	for (unsigned i = 0; i < CHANNELS; i++) {
		if (gate.channel[i].id)
			continue;
		memset(&gate.channel[i], 0, sizeof(gate.channel[i]));
		gate.channel[i].id = ++gate.made;
		return (long)gate.made;
	}
	return -ENOSPC;
}

static struct fake_channel *channel_find(gate_id id)
{
	for (unsigned i = 0; i < CHANNELS; i++)
		if (id && gate.channel[i].id == id)
			return &gate.channel[i];
	return NULL;
}

static long op_channel_attach(void *ctx, gate_id id, unsigned end,
			      gate_id domain, unsigned slot)
{
	struct fake_channel *channel = channel_find(id);

	(void)ctx;
	assert_non_null(channel);
	assert_false(channel->is_closed);
	assert_true(slot < GATE_CHANNELS_MAX && end < 2);
	if (fails())
		return gate.fail_with;
	if (domain == GATE_SELF)
		domain = OF_INIT;
	else if (find(domain)->status.state == GATE_DOMAIN_ENDED)
		return -ENOENT;
	if (channel->end[end].domain || channel_of(domain, slot))
		return -EBUSY;
	channel->end[end].domain = domain;
	channel->end[end].slot = slot;
	return 0;
}

static long op_channel_close(void *ctx, gate_id id)
{
	struct fake_channel *channel = channel_find(id);

	(void)ctx;
	assert_non_null(channel);
	assert_false(channel->is_closed);
	channel->is_closed = true;
	channel_leave(channel, 0);
	return 0;
}

static long op_channel_detach(void *ctx, unsigned slot)
{
	struct fake_channel *channel = channel_of(OF_INIT, slot);

	(void)ctx;
	if (!channel)
		return -ENOENT;
	channel_leave(channel, OF_INIT);
	return 0;
}

static void *op_channel_memory(void *ctx, unsigned slot)
{
	struct fake_channel *channel = channel_of(OF_INIT, slot);

	(void)ctx;
	assert_non_null(channel);
	return channel->memory;
}

static long op_doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	assert_non_null(channel_of(OF_INIT, slot));
	gate.bells++;
	return 0;
}

static long op_pci_info(void *ctx, unsigned index, struct gate_pci_info *pci)
{
	(void)ctx;
	if (index >= gate.pci_count)
		return -ENOENT;
	*pci = gate.pci[index];
	return 0;
}

static long op_device_grant(void *ctx, gate_id id,
			    const struct gate_device_grant *grant)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_BUILDING);
	assert_true(domain->spec.rights & GATE_RIGHT_DMA);
	assert_true(grant->n < GATE_DEVICES_MAX && grant->dma_pages);
	if (gate.grant_error)
		return gate.grant_error;
	assert_int_equal(grant->n, domain->device_count);
	domain->device[domain->device_count++] = grant->address;
	return 0;
}

/* Before the far side attaches. */
static long op_memory_grant(void *ctx, gate_id id, gate_id of, bool with_vm)
{
	struct fake_channel *channel = channel_find(id);

	(void)ctx;
	assert_non_null(channel);
	assert_int_equal(channel->memory_of, 0);
	assert_int_equal(channel->end[1].domain, 0);
	assert_true(find(of)->spec.vm_memory);
	if (fails())
		return gate.fail_with;
	channel->memory_of = of;
	channel->is_vm_told = with_vm;
	return 0;
}

static long op_query(void *ctx, gate_id id, struct gate_domain_status *status)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	if (!domain)
		return -ENOENT;
	*status = domain->status;
	return 0;
}

static uint64_t op_pages_free(void *ctx)
{
	(void)ctx;
	return gate.pages_free;
}

static long op_destroy(void *ctx, gate_id id)
{
	struct fake_domain *domain = find(id);

	(void)ctx;
	assert_non_null(domain);
	assert_int_not_equal(domain->status.state, GATE_DOMAIN_RUNNING);
	assert_false(domain->is_reachable);
	for (unsigned i = 0; i < CHANNELS; i++)
		if (gate.channel[i].id)
			channel_leave(&gate.channel[i], id);
	domain->id = 0;
	return 0;
}

static void op_log(void *ctx, gate_id id, enum log_level level,
		   const char *text)
{
	size_t used = strlen(gate.log);
	const struct fake_domain *domain = find(id);

	(void)ctx;
	(void)level;
	assert_true(!id || domain);
	(void)snprintf(gate.log + used, sizeof(gate.log) - used, "%s%s%s%s\n",
		       domain ? "[" : "", domain ? domain->spec.name : "",
		       domain ? "] " : "", text);
}

static uint64_t op_now_ns(void *ctx)
{
	(void)ctx;
	return gate.now;
}

static void op_timer(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	gate.deadline = deadline_ns;
}

static __noreturn void op_off(void *ctx, enum gate_off how, uint8_t code)
{
	(void)ctx;
	gate.off = code;
	gate.how = how;
	longjmp(gate.turned_off, 1);
}

static const struct init_gate ops = {
	.create = op_create,
	.map = op_map,
	.write = op_write,
	.start = op_start,
	.stop = op_stop,
	.query = op_query,
	.read = op_read,
	.pages_free = op_pages_free,
	.destroy = op_destroy,
	.channel_create = op_channel_create,
	.channel_attach = op_channel_attach,
	.channel_close = op_channel_close,
	.channel_detach = op_channel_detach,
	.channel_memory = op_channel_memory,
	.doorbell = op_doorbell,
	.pci_info = op_pci_info,
	.device_grant = op_device_grant,
	.memory_grant = op_memory_grant,
	.log = op_log,
	.now_ns = op_now_ns,
	.timer = op_timer,
	.off = op_off,
};

static __maybe_unused void add_module(const char *name, const void *data,
				      uint64_t size)
{
	struct gate_module *module = &info.module[info.module_count++];

	(void)snprintf(module->name, sizeof(module->name), "%s", name);
	module->va = (uint64_t)data;
	module->size = size;
}

static __maybe_unused struct guest_manifest *add_guest(const char *name,
						       uint32_t vcpus)
{
	struct guest_manifest *guest = &manifest.guest[manifest.guest_count++];

	*guest = (struct guest_manifest){
		.board = MACHINE_BOARD_PC,
		.memory_mib = 64,
		.vcpus = vcpus,
		.firmware = "bios.bin",
		.disk_count = 1,
	};
	(void)snprintf(guest->name, sizeof(guest->name), "%s", name);
	guest->disk[0] = (struct disk_manifest){ .name = "disk0",
						 .image = { "disk.img" },
						 .bus = MACHINE_DISK_IDE };
	return guest;
}

static __maybe_unused int setup(void **state)
{
	(void)state;
	memset(&gate, 0, sizeof(gate));
	memset(&manifest, 0, sizeof(manifest));
	memset(&info, 0, sizeof(info));
	gate.off = -1;
	gate.pages_free = MIB(16384) / PAGE_SIZE;
	gate.now = NSEC_PER_SEC;
	gate.fail_with = -ENOMEM;
	file = (struct file){
		.header = {
			.ident = { { 0x7f, 'E', 'L', 'F' }, ELF_CLASS_64,
				   ELF_DATA_LITTLE, 1, { 0 } },
			.type = ELF_TYPE_EXEC,
			.machine = ELF_X86_64,
			.entry = PROGRAM + 4,
			.phoff = offsetof(struct file, segment),
			.phentsize = sizeof(struct elf64_segment),
			.phnum = 2,
		},
		.segment = { {
			.type = ELF_PT_LOAD,
			.flags = ELF_PF_EXEC,
			.offset = offsetof(struct file, text),
			.vaddr = PROGRAM,
			.filesz = sizeof(file.text),
			.memsz = sizeof(file.text),
		}, {
			.type = ELF_PT_NOTE,
			.offset = offsetof(struct file, note),
			.filesz = 28,
		} },
		.note = { 9, 4, 1 },
		.owner = "Bulkhead",
		.version = GATE_VERSION,
	};
	info.version = GATE_VERSION;
	info.cpu_count = 2;
	add_module("machine.elf", &file, sizeof(file));
	add_module("bios.bin", bios, sizeof(bios));
	add_module("disk.img", disk, sizeof(disk));
	return 0;
}

/* False: the host was turned off. */
static __maybe_unused bool begins(void)
{
	if (setjmp(gate.turned_off))
		return false;
	init_start(&init, &ops, &info, &manifest);
	return true;
}

static __maybe_unused bool goes_on(void)
{
	if (setjmp(gate.turned_off))
		return false;
	init_events(&init);
	return true;
}

static __maybe_unused void ends(const char *name, enum gate_end why,
				uint64_t code)
{
	struct fake_domain *domain = named(name);

	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_RUNNING);
	domain->status.state = GATE_DOMAIN_ENDED;
	domain->status.end = why;
	domain->status.code = code;
}

static __maybe_unused void assert_logged(const char *text)
{
	if (!strstr(gate.log, text))
		fail_msg("no \"%s\" in:\n%s", text, gate.log);
}

/* ---- seat's side --------------------------------------------------------- */

static struct {
	gate_id id;
	struct ring in, out, shown, typed;
	uint32_t rights;   /* clients' */
	unsigned heard;	   /* messages */
	char screen[8192]; /* the operator's */
} fake_seat;

/* As a seat that has just started. */
static __maybe_unused void seat_begins(void)
{
	const struct fake_domain *domain = named("seat");
	struct fake_channel *channel;
	struct seat_control *memory;

	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_RUNNING);
	channel = channel_of(domain->id, SEAT_CONTROL_SLOT);
	assert_non_null(channel);
	memory = (struct seat_control *)channel->memory;
	memset(&fake_seat, 0, sizeof(fake_seat));
	fake_seat.id = domain->id;
	ring_init(&fake_seat.in, &memory->to_seat, memory->to_seat_data,
		  SEAT_CONTROL_SIZE, false, true);
	ring_init(&fake_seat.out, &memory->from_seat, memory->from_seat_data,
		  SEAT_CONTROL_SIZE, true, true);
	ring_init(&fake_seat.shown, &memory->operator.output,
		  memory->operator.output_data, SEAT_OUTPUT_SIZE, false, true);
	ring_init(&fake_seat.typed, &memory->operator.input,
		  memory->operator.input_data, SEAT_INPUT_SIZE, true, true);
}

static __maybe_unused void seat_says(uint32_t kind, uint32_t slot, uint32_t tag)
{
	const struct seat_message message = { .kind = kind,
					      .slot = slot,
					      .tag = tag };
	bool bell = false;

	assert_int_equal(
		ring_put(&fake_seat.out, &message, sizeof(message), &bell),
		sizeof(message));
}

/* The next message; false: none.  The first of all is what clients may do. */
static __maybe_unused bool seat_hears(struct seat_message *message)
{
	bool bell = false;

	if (ring_get(&fake_seat.in, message, sizeof(*message), &bell) !=
	    (long)sizeof(*message))
		return false;
	if (fake_seat.heard++)
		return true;
	assert_int_equal(message->kind, SEAT_RIGHTS);
	fake_seat.rights = message->rights;
	return seat_hears(message);
}

static __maybe_unused void seat_expects(uint32_t kind, uint32_t slot,
					const char *name)
{
	struct seat_message message;

	assert_true(seat_hears(&message));
	assert_int_equal(message.kind, kind);
	assert_int_equal(message.slot, slot);
	assert_string_equal(message.name, name);
}

/* Detaches, as seat does before it answers. */
static __maybe_unused void seat_removes(uint32_t slot)
{
	struct fake_channel *channel = channel_of(fake_seat.id, slot);

	if (channel)
		channel_leave(channel, fake_seat.id);
	seat_says(SEAT_REMOVED, slot, 0);
}

/* Does all that it is asked. */
static __maybe_unused void seat_obeys(void)
{
	struct seat_message message;

	while (seat_hears(&message)) {
		if (message.kind == SEAT_REMOVE)
			seat_removes(message.slot);
		if (message.kind == SEAT_FLUSH)
			seat_says(SEAT_FLUSHED, 0, message.tag);
	}
}

/* ---- The operator's --------------------------------------------------------
 */

/* What is on the screen by now. */
static __maybe_unused void show(void)
{
	size_t used = strlen(fake_seat.screen);
	bool bell = false;
	long n = ring_read(&fake_seat.shown, fake_seat.screen + used,
			   (uint32_t)(sizeof(fake_seat.screen) - 1 - used),
			   &bell);

	assert_true(n >= 0);
	fake_seat.screen[used + (size_t)n] = 0;
}

static __maybe_unused void clear(void)
{
	show();
	fake_seat.screen[0] = 0;
}

/* Until init has read it all. */
static __maybe_unused bool type(const char *text)
{
	bool bell = false;
	size_t length = strlen(text);

	assert_int_equal(
		ring_write(&fake_seat.typed, text, (uint32_t)length, &bell),
		length);
	for (unsigned i = 0; i < 8; i++) {
		if (!goes_on())
			return false;
		show();
	}
	return true;
}

static __maybe_unused void assert_shown(const char *text)
{
	if (!strstr(fake_seat.screen, text))
		fail_msg("no \"%s\" in:\n%s", text, fake_seat.screen);
}

/* ---- Chance -------------------------------------------------------------- */

static __maybe_unused uint64_t seed;

static __maybe_unused unsigned random_below(unsigned n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)(seed * 0x2545f4914f6cdd1dULL >> 33) % n;
}

#endif
