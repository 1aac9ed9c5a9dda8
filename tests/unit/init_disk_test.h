/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disk's side of its channel with init.  A guest that it has as a client may
 * not be destroyed: the fake gate says so.
 */
#ifndef BULKHEAD_TESTS_UNIT_INIT_DISK_TEST_H
#define BULKHEAD_TESTS_UNIT_INIT_DISK_TEST_H

#include "tests/unit/init_test.h"

#define WEB  1 /* disk's slot of the first guest */
#define DB   2
#define LONG (25 * NSEC_PER_SEC) /* for an answer */

static struct {
	gate_id id;
	uint32_t start;
	struct ring in, out;
	unsigned started; /* DISK_START that came: BIT(slot) */
} fake_disk;

static __maybe_unused struct disk_control *disk_memory(void)
{
	return (struct disk_control *)channel_of(fake_disk.id,
						 DISK_CONTROL_SLOT)
		->memory;
}

static __maybe_unused bool disk_hears(struct disk_message *message)
{
	bool bell = false;

	return ring_get(&fake_disk.in, message, sizeof(*message), &bell) ==
	       (long)sizeof(*message);
}

static __maybe_unused void disk_expects(uint32_t kind, uint32_t slot,
					struct disk_message *message)
{
	assert_true(disk_hears(message));
	assert_int_equal(message->kind, kind);
	assert_int_equal(message->slot, slot);
}

/* As a disk that has just started. */
static __maybe_unused void disk_begins(void)
{
	const struct fake_domain *domain = named("disk");
	struct disk_message message;
	struct disk_control *memory;

	assert_non_null(domain);
	assert_int_equal(domain->status.state, GATE_DOMAIN_RUNNING);
	assert_int_equal(domain->argument.version, DISK_VERSION);
	memset(&fake_disk, 0, sizeof(fake_disk));
	fake_disk.id = domain->id;
	fake_disk.start = domain->argument.start;
	memory = disk_memory();
	ring_init(&fake_disk.in, &memory->to_disk, memory->to_disk_data,
		  DISK_CONTROL_SIZE, false, true);
	ring_init(&fake_disk.out, &memory->from_disk, memory->from_disk_data,
		  DISK_CONTROL_SIZE, true, true);
	disk_expects(DISK_BEGIN, 0, &message);
	assert_int_equal(message.start, fake_disk.start);
}

static __maybe_unused void disk_puts(const struct disk_message *message)
{
	bool bell = false;

	assert_int_equal(
		ring_put(&fake_disk.out, message, sizeof(*message), &bell),
		sizeof(*message));
}

static __maybe_unused void disk_says(uint32_t kind, uint32_t slot,
				     uint32_t drive, const char *reason)
{
	struct disk_message message = { .kind = kind,
					.slot = slot,
					.drive = drive,
					.start = fake_disk.start };

	(void)snprintf(message.reason, sizeof(message.reason), "%s", reason);
	disk_puts(&message);
}

static __maybe_unused struct fake_domain *client_domain(uint32_t slot)
{
	struct fake_channel *channel = channel_of(fake_disk.id, slot);

	assert_non_null(channel);
	assert_non_null(find(channel->memory_of));
	assert_int_equal(channel->end[0].domain, channel->memory_of);
	assert_int_equal(channel->end[0].slot, DISK_CLIENT_SLOT);
	return find(channel->memory_of);
}

static __maybe_unused void disk_removes(uint32_t slot)
{
	struct fake_channel *channel = channel_of(fake_disk.id, slot);

	if (channel) {
		find(channel->memory_of)->is_reachable = false;
		channel_leave(channel, fake_disk.id);
	}
	/* What a former disk had of the guest was reset. */
	for (unsigned i = 0; i < DOMAINS; i++)
		if (!strcmp(gate.domain[i].spec.name,
			    manifest.guest[slot - 1].name))
			gate.domain[i].is_reachable = false;
	disk_says(DISK_REMOVED, slot, 0, "");
}

static __maybe_unused void disk_does(const struct disk_message *message)
{
	switch (message->kind) {
	case DISK_ADD_CLIENT:
		client_domain(message->slot)->is_reachable = true;
		break;
	case DISK_ADD_DRIVE:
		disk_says(DISK_ADDED, message->slot, message->drive, "");
		break;
	case DISK_START:
		assert_true(client_domain(message->slot)->is_reachable);
		fake_disk.started |= (unsigned)BIT(message->slot);
		break;
	case DISK_REMOVE:
		disk_removes(message->slot);
		break;
	case DISK_LIST:
		disk_says(DISK_LISTED, 0, 0, "serial \"A\"");
		disk_says(DISK_LIST_END, 0, 0, "");
		break;
	default:
		fail_msg("message %u", message->kind);
	}
}

/* All that it is asked, until nothing is asked any more. */
static __maybe_unused void disk_obeys(void)
{
	struct disk_message message;
	bool is_idle;

	do {
		is_idle = true;
		while (ring_space(&fake_disk.out) > 2 * (long)sizeof(message) &&
		       disk_hears(&message)) {
			disk_does(&message);
			is_idle = false;
		}
		if (gate.off < 0)
			(void)goes_on();
	} while (!is_idle && gate.off < 0);
}

/* A disk that has been told, and answered, nothing. */
static __maybe_unused void next_disk(void)
{
	assert_true(gate.deadline != NEVER);
	gate.now = gate.deadline;
	assert_true(goes_on());
	disk_begins();
}

static __maybe_unused bool is_running(const char *name)
{
	const struct fake_domain *domain = named(name);

	return domain && domain->status.state == GATE_DOMAIN_RUNNING;
}

static __maybe_unused void time_passes(uint64_t ns)
{
	gate.now += ns;
	assert_true(goes_on());
}

static __maybe_unused void disk_dies(void)
{
	ends("disk", GATE_END_FAULT, 0);
	assert_true(goes_on());
	assert_null(named("disk"));
}

static __maybe_unused struct disk_manifest *
add_source(struct guest_manifest *guest, const char *name,
	   enum manifest_source kind, const char *source)
{
	struct disk_manifest *m = &guest->disk[guest->disk_count++];

	*m = (struct disk_manifest){ .bus = MACHINE_DISK_IDE };
	(void)snprintf(m->name, sizeof(m->name), "%s", name);
	m->source.kind = (uint8_t)kind;
	(void)snprintf(m->source.name, sizeof(m->source.name), "%s", source);
	return m;
}

/* A guest with a disk that has a source, and no other. */
static __maybe_unused struct guest_manifest *add_client(const char *name)
{
	struct guest_manifest *guest = add_guest(name, 1);

	guest->disk_count = 0;
	add_source(guest, "disk0", MANIFEST_SOURCE_FILE, "web.img");
	return guest;
}

static __maybe_unused void add_function(uint16_t address, uint16_t vendor,
					uint16_t device)
{
	gate.pci[gate.pci_count++] = (struct gate_pci_info){ .address = address,
							     .vendor = vendor,
							     .device = device,
							     .irq_line = 11 };
}

static __maybe_unused int setup_disk(void **state)
{
	setup(state);
	add_module("disk.elf", &file, sizeof(file));
	add_function(0x0008, 0x8086, 0x7000);
	add_function(0x0018, 0x1af4, 0x1001);
	add_function(0x0020, 0x1af4, 0x1042);
	add_function(0x0028, 0x1af4, 0x1041);
	return 0;
}

#endif
