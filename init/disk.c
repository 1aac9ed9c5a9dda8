/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disk as init sees it: a service (init/service.c), guests that are its clients
 * with the drives that their manifests' sources name, and what is said by the
 * channel between the two; see include/disk.h, and init.h for the states.
 *
 * init keeps for each client what disk has yet to be told, and says it when
 * there is room.  Channels of clients stay when disk ends: to the next one all
 * is said again, and machines take their requests up with it.
 *
 * A device may write into a guest's memory for as long as disk has its client.
 * So the guest's domain is not destroyed before disk, this one or the next, has
 * answered that it let go.
 *
 * What disk was not asked for, and no answer for a long while, have the same
 * end as a crash.
 */
#include "include/disk.h"
#include "include/errno.h"
#include "init/init.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

#define END_MACHINE 0 /* of a client's channel */
#define END_DISK    1
/* A drive that does not answer fails what is asked of it after 15 seconds. */
#define ANSWER_NS   (20 * NSEC_PER_SEC)
/* The first: it looks at all drives before, some of which do not answer. */
#define AWAKE_NS    (60 * NSEC_PER_SEC)
#define STUCK_NS    (30 * NSEC_PER_SEC)
#define LISTED_MAX  2048
#define CLIENTS	    MANIFEST_GUESTS_MAX
/* In messages about the client itself: none of its drives. */
#define NO_DRIVE    DISK_DRIVES
#define BYTES_MAX   (1ULL << 33) /* struct disk_limits */
_Static_assert(MANIFEST_CLIENTS_MAX < DISK_SLOTS, "a slot of disk's for each");
_Static_assert(MACHINE_DISKS_MAX <= DISK_DRIVES, "a drive for each disk");

/* Guests without drives have none. */
static unsigned slot_of(const struct init *init, unsigned guest)
{
	unsigned slot = DISK_CONTROL_SLOT + 1;

	for (unsigned i = 0; i < guest; i++)
		slot += client_drives(&init->manifest->guest[i]) != 0;
	return slot;
}

/* guest_count: it is nobody's. */
static unsigned guest_of(const struct init *init, unsigned slot)
{
	unsigned at = DISK_CONTROL_SLOT, guest;

	for (guest = 0; guest < init->manifest->guest_count; guest++) {
		at += client_drives(&init->manifest->guest[guest]) != 0;
		if (at == slot && at > DISK_CONTROL_SLOT)
			break;
	}
	return guest;
}

/* When it has to have answered what it is asked now. */
static uint64_t answer_ns(const struct init *init)
{
	return init_now_ns(init) +
	       (init->disks.is_awake ? ANSWER_NS : AWAKE_NS);
}

static void distrust(struct init *init, const char *why)
{
	service_distrust(init, &init->disks.service, why);
}

static const struct guest_manifest *manifest_of(const struct init *init,
						unsigned index)
{
	return &init->manifest->guest[index];
}

/* The n-th disk of a guest's that has a source. */
static const struct disk_manifest *
drive_manifest(const struct guest_manifest *guest, unsigned n)
{
	const struct disk_manifest *disk = guest->disk;

	while (!disk_has_source(disk) || n--)
		disk++;
	return disk;
}

/* ---- Clients ------------------------------------------------------------- */

static void client_drop(struct init *init, struct client *client)
{
	(void)init->gate->channel_close(init->gate->ctx, client->channel);
	*client = (struct client){ 0 };
}

int client_open(struct init *init, unsigned guest, gate_id id)
{
	const struct init_gate *gate = init->gate;
	struct client *client = &init->disks.client[guest];
	const struct guest_manifest *m = manifest_of(init, guest);
	long error;

	if (!client_drives(m))
		return 0;
	if (init->disks.service.state == SERVICE_NONE) {
		init_log(init, 0, LOG_ERROR,
			 "/guests/%s/%s: source: needs the service disk, and "
			 "no boot module is called " DISK_PROGRAM,
			 m->name, drive_manifest(m, 0)->name);
		return -ENOENT;
	}
	error = gate->channel_create(gate->ctx, DISK_CHANNEL_PAGES);
	if (error <= 0)
		return (int)error;
	*client = (struct client){ .state = CLIENT_ADDING,
				   .channel = (gate_id)error,
				   .deadline_ns = answer_ns(init) };
	error = gate->channel_attach(gate->ctx, client->channel, END_MACHINE,
				     id, DISK_CLIENT_SLOT);
	if (!error)
		error = gate->memory_grant(gate->ctx, client->channel, id,
					   !guest_memory_moves(m));
	if (error == -ERANGE)
		init_log(init, id, LOG_ERROR,
			 "memory-mib: is more than a drive can be told of");
	if (error)
		client_drop(init, client);
	return (int)error;
}

int client_connected(const struct init *init, unsigned guest)
{
	switch (init->disks.client[guest].state) {
	case CLIENT_NONE:
	case CLIENT_STARTING:
	case CLIENT_OPEN:
		return 0;
	case CLIENT_REFUSED:
		return -ENODEV;
	default:
		return -EAGAIN;
	}
}

void client_start(struct init *init, unsigned guest)
{
	init->disks.client[guest].is_guest_running = true;
}

bool client_close(struct init *init, unsigned guest)
{
	struct client *client = &init->disks.client[guest];

	if (client->state == CLIENT_NONE)
		return true;
	if (!client->is_known) {
		client_drop(init, client);
		return true;
	}
	if (client->state < CLIENT_REMOVING) {
		client->state = CLIENT_REMOVING;
		client->deadline_ns = answer_ns(init);
		client->stuck_ns = init_now_ns(init) + STUCK_NS;
	}
	return false;
}

bool client_is_stuck(const struct init *init, unsigned guest)
{
	const struct client *client = &init->disks.client[guest];

	return client->state >= CLIENT_REMOVING &&
	       init_now_ns(init) >= client->stuck_ns;
}

/* disk owes it an answer, or takes no message of it. */
static bool is_waiting(const struct client *client)
{
	return client->state != CLIENT_NONE && client->state != CLIENT_OPEN &&
	       client->state != CLIENT_REFUSED;
}

/* What it owes for too long. */
static void clients_check(struct init *init, bool *bell)
{
	const struct disks *disks = &init->disks;
	bool is_late =
		disks->list != LIST_NONE && init_now_ns(init) >= disks->list_ns;

	(void)bell;
	for (unsigned i = 0; i < CLIENTS; i++)
		is_late |= is_waiting(&disks->client[i]) &&
			   init_now_ns(init) >= disks->client[i].deadline_ns;
	if (is_late)
		distrust(init, "it does not answer");
}

/* To a new disk. */
static void client_say_again(struct client *client, uint64_t deadline_ns)
{
	client->deadline_ns = deadline_ns;
	client->step = STEP_ATTACH;
	client->answered = client->refused = 0;
	client->is_broken = false;
	if (client->state == CLIENT_REMOVED)
		client->state = CLIENT_REMOVING;
	else if (client->state != CLIENT_NONE &&
		 client->state != CLIENT_REFUSED &&
		 client->state != CLIENT_REMOVING)
		client->state = CLIENT_ADDING;
}

/* Its guest does not run, and is not to wait for ever. */
static void client_give_up(struct init *init, unsigned index)
{
	struct client *client = &init->disks.client[index];

	if (client->state != CLIENT_ADDING || client->is_guest_running)
		return;
	init_log(init, 0, LOG_ERROR,
		 "guest %s is not started: disk does not work",
		 manifest_of(init, index)->name);
	client->state = CLIENT_REFUSED;
}

/* ---- Said ---------------------------------------------------------------- */

/* False: no room now. */
static bool say(struct init *init, enum disk_message_kind kind, unsigned slot,
		struct disk_message *message, bool *bell)
{
	message->kind = kind;
	message->slot = slot;
	return service_say(init, &init->disks.service, message, bell);
}

static bool say_short(struct init *init, enum disk_message_kind kind,
		      unsigned slot, bool *bell)
{
	struct disk_message message = { 0 };

	message.start = kind == DISK_BEGIN ? init->disks.service.starts : 0;
	return say(init, kind, slot, &message, bell);
}

/* False: disk has kept the slot, or has ended.  The next one gets it. */
static bool client_attach(struct init *init, unsigned index)
{
	struct client *client = &init->disks.client[index];

	if (init->gate->channel_attach(init->gate->ctx, client->channel,
				       END_DISK, init->disks.service.id,
				       slot_of(init, index))) {
		distrust(init, "a client's channel cannot be attached");
		return false;
	}
	client->is_known = true;
	return true;
}

static void limits_fill(struct disk_limits *limits,
			const struct disk_manifest *m)
{
	uint64_t bytes = m->kib_limit * KIB(1), burst = m->kib_burst * KIB(1);

	limits->requests_per_s = m->iops_limit;
	limits->requests_burst = m->iops_burst ? m->iops_burst : m->iops_limit;
	limits->bytes_per_s = MIN(bytes, BYTES_MAX);
	limits->bytes_burst = MIN(burst ? burst : bytes, BYTES_MAX);
}

static bool say_drive(struct init *init, unsigned index, unsigned drive,
		      bool *bell)
{
	const struct guest_manifest *guest = manifest_of(init, index);
	const struct disk_manifest *m = drive_manifest(guest, drive);
	struct disk_message message = { .drive = drive };

	if (m->is_read_only || m->is_cdrom)
		message.flags |= DISK_ADD_READ_ONLY;
	if (m->overlay != MANIFEST_OVERLAY_NONE) {
		message.flags |= DISK_ADD_OVERLAY;
		message.add.overlay_pages = init->disks.overlay_pages;
	}
	limits_fill(&message.add.limits, m);
	source_text(message.add.source, sizeof(message.add.source), guest, m);
	(void)snprintf(message.add.node, sizeof(message.add.node),
		       "/guests/%s/%s", guest->name, m->name);
	return say(init, DISK_ADD_DRIVE, slot_of(init, index), &message, bell);
}

static bool say_client(struct init *init, unsigned index, bool *bell)
{
	struct disk_message message = { .drive = NO_DRIVE };

	(void)snprintf(message.client.name, sizeof(message.client.name), "%s",
		       manifest_of(init, index)->name);
	return say(init, DISK_ADD_CLIENT, slot_of(init, index), &message, bell);
}

/* All steps for which there is room. */
static bool client_add(struct init *init, unsigned index, bool *bell)
{
	struct client *client = &init->disks.client[index];
	unsigned steps = STEP_DRIVES + client_drives(manifest_of(init, index));
	bool is_done = true;

	while (is_done && client->step < steps) {
		if (client->step == STEP_ATTACH)
			is_done = client_attach(init, index);
		else if (client->step == STEP_CLIENT)
			is_done = say_client(init, index, bell);
		else
			is_done = say_drive(init, index,
					    client->step - STEP_DRIVES, bell);
		client->step += is_done;
	}
	if (is_done)
		client->state = CLIENT_ASKED;
	return is_done;
}

static bool client_say(struct init *init, unsigned index, bool *bell)
{
	struct client *client = &init->disks.client[index];
	unsigned slot = slot_of(init, index);

	switch (client->state) {
	case CLIENT_ADDING:
		return client_add(init, index, bell);
	case CLIENT_STARTING:
		if (!say_short(init, DISK_START, slot, bell))
			return false;
		client->state = CLIENT_OPEN;
		return true;
	case CLIENT_REMOVING:
		if (!say_short(init, DISK_REMOVE, slot, bell))
			return false;
		client->state = CLIENT_REMOVED;
		return true;
	default:
		return true;
	}
}

static bool clients_say(struct init *init, bool of_running_guests, bool *bell)
{
	bool has_room = true;

	for (unsigned i = 0; has_room && i < CLIENTS; i++)
		if (init->disks.client[i].is_guest_running == of_running_guests)
			has_room = client_say(init, i, bell);
	return has_room;
}

/* Where two would write to one thing it stays with a guest that runs. */
void disks_send(struct init *init)
{
	struct disks *disks = &init->disks;
	bool bell = false;

	if (disks->service.state != SERVICE_RUNNING)
		return;
	if (!disks->is_begun)
		disks->is_begun = say_short(init, DISK_BEGIN, 0, &bell);
	if (disks->is_begun && clients_say(init, true, &bell))
		(void)clients_say(init, false, &bell);
	if (disks->list == LIST_WANTED && disks->is_begun &&
	    say_short(init, DISK_LIST, 0, &bell))
		disks->list = LIST_SENT;
	if (bell)
		service_ring(init, &disks->service);
}

/* ---- Heard --------------------------------------------------------------- */

/* Of text that another program wrote: what may be shown, and its end. */
static void text_clean(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void say_refused(struct init *init, unsigned index, unsigned drive,
			const char *reason)
{
	const struct guest_manifest *guest = manifest_of(init, index);
	const struct client *client = &init->disks.client[index];
	const char *what =
		client->is_guest_running ? "has lost a disk" : "is not started";

	if (drive == NO_DRIVE)
		init_log(init, 0, LOG_ERROR, "guest %s %s: disk: %s",
			 guest->name, what, reason);
	else
		init_log(init, 0, LOG_ERROR, "guest %s %s: /guests/%s/%s: %s",
			 guest->name, what, guest->name,
			 drive_manifest(guest, drive)->name, reason);
}

/* What it was asked of: false is a lie. */
static bool is_asked(const struct init *init, const struct client *client,
		     const struct disk_message *message)
{
	unsigned index = (unsigned)(client - init->disks.client);
	unsigned step = STEP_DRIVES + message->drive;

	if (client->state == CLIENT_NONE || message->drive > NO_DRIVE ||
	    client->answered & BIT(message->drive))
		return false;
	if (message->drive == NO_DRIVE)
		return message->kind == DISK_REFUSED && !client->answered &&
		       client->step > STEP_CLIENT;
	return message->drive < client_drives(manifest_of(init, index)) &&
	       client->step > step;
}

/* Nothing is to be done about the guest's drives but to start. */
static void heard_all(struct init *init, unsigned index)
{
	struct client *client = &init->disks.client[index];

	if (!client->refused || client->is_guest_running)
		client->state = CLIENT_STARTING;
	else
		client->state = CLIENT_REFUSED;
	/* Its guest's requests would wait for ever. */
	if (client->refused & BIT(NO_DRIVE) && client->is_guest_running)
		distrust(init, "it does not take a client again");
}

/* ADDED, REFUSED. */
static void heard_drive(struct init *init, unsigned index,
			struct disk_message *message)
{
	struct client *client = &init->disks.client[index];
	unsigned drives = client_drives(manifest_of(init, index));
	uint32_t all = (uint32_t)BIT(drives) - 1;

	if (!is_asked(init, client, message)) {
		distrust(init, "it answers what was not asked");
		return;
	}
	client->answered |= (uint32_t)BIT(message->drive);
	if (message->kind == DISK_REFUSED) {
		/* Without the client no drive can be added: one line is enough.
		 */
		if (!(client->refused & BIT(NO_DRIVE)) &&
		    client->state < CLIENT_REMOVING)
			say_refused(init, index, message->drive,
				    message->reason);
		client->refused |= (uint32_t)BIT(message->drive);
	}
	if (client->state == CLIENT_ASKED && (client->answered & all) == all)
		heard_all(init, index);
}

static void heard_removed(struct init *init, unsigned index)
{
	struct client *client = &init->disks.client[index];

	if (client->state == CLIENT_REMOVED)
		client_drop(init, client);
	else
		distrust(init, "it answers what was not asked");
}

static void heard_broken(struct init *init, unsigned index, const char *reason)
{
	struct client *client = &init->disks.client[index];

	if (client->is_broken ||
	    (client->state != CLIENT_OPEN && client->state < CLIENT_REMOVING)) {
		distrust(init, "it complains of a client without reason");
		return;
	}
	client->is_broken = true;
	init_log(init, 0, LOG_ERROR,
		 "guest %s: its machine has broken disk's protocol: %s",
		 manifest_of(init, index)->name, reason);
}

static void heard_client(struct init *init, struct disk_message *message)
{
	unsigned index = guest_of(init, message->slot);

	if (index >= init->manifest->guest_count)
		distrust(init, "it answers what was not asked");
	else if (message->kind == DISK_REMOVED)
		heard_removed(init, index);
	else if (message->kind == DISK_BROKEN)
		heard_broken(init, index, message->reason);
	else
		heard_drive(init, index, message);
}

static void heard_list(struct init *init, const struct disk_message *message)
{
	struct disks *disks = &init->disks;

	if (disks->list != LIST_SENT || disks->listed++ >= LISTED_MAX) {
		distrust(init, "it answers what was not asked");
		return;
	}
	if (message->kind == DISK_LISTED) {
		operator_print(init, "%10lu MiB  %s%.80s\r\n",
			       message->sector_count / (MIB(1) / DISK_SECTOR),
			       message->partition ? "  " : "", message->reason);
		return;
	}
	if (disks->listed == 1)
		operator_print(init, "there are no drives\r\n");
	disks->list = LIST_NONE;
}

static void heard(struct init *init, const void *record)
{
	struct disk_message message = *(const struct disk_message *)record;

	if (message.start != init->disks.service.starts) {
		distrust(init, "it speaks for another disk");
		return;
	}
	init->disks.is_awake = true;
	text_clean(message.reason, sizeof(message.reason));
	switch (message.kind) {
	case DISK_ADDED:
	case DISK_REFUSED:
	case DISK_REMOVED:
	case DISK_BROKEN:
		heard_client(init, &message);
		break;
	case DISK_LISTED:
	case DISK_LIST_END:
		heard_list(init, &message);
		break;
	default:
		distrust(init, "it says what nobody understands");
	}
}

/* ---- Its life ------------------------------------------------------------ */

static int disk_fill(struct init *init, void *channel)
{
	struct disks *disks = &init->disks;
	struct disk_control *memory = channel;

	ring_init(&disks->service.to, &memory->to_disk, memory->to_disk_data,
		  DISK_CONTROL_SIZE, true, false);
	ring_init(&disks->service.from, &memory->from_disk,
		  memory->from_disk_data, DISK_CONTROL_SIZE, false, false);
	disks->is_begun = disks->is_awake = false;
	for (unsigned i = 0; i < CLIENTS; i++)
		client_say_again(&disks->client[i], answer_ns(init));
	return disk_domain_fill(init);
}

static void disk_gone(struct init *init)
{
	struct disks *disks = &init->disks;

	if (disks->list != LIST_NONE)
		operator_print(init, "disk has ended: try again\r\n");
	disks->list = LIST_NONE;
	for (unsigned i = 0; i < CLIENTS; i++) {
		client_say_again(&disks->client[i], UINT64_MAX);
		if (disks->service.is_failing)
			client_give_up(init, i);
	}
}

static const struct service_kind disk_kind = {
	.name = "disk",
	.program = DISK_PROGRAM,
	.slot = 1,
	.peer_slot = DISK_CONTROL_SLOT,
	.control_pages = DISK_CONTROL_PAGES,
	.message_size = sizeof(struct disk_message),
	.spec = disk_domain_spec,
	.fill = disk_fill,
	.heard = heard,
	.check = clients_check,
	.gone = disk_gone,
};

void disks_init(struct init *init)
{
	struct service *service = &init->disks.service;
	unsigned drives = 0;

	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		drives += client_drives(manifest_of(init, i));
	if (!drives || init_module_find(init->info, DISK_PROGRAM) < 0)
		return;
	disk_domain_plan(init);
	service->promised = disk_domain_quota(init) + DISK_CONTROL_PAGES + 1;
	service_init(init, service, &disk_kind);
}

uint64_t disks_deadline(const struct init *init)
{
	const struct disks *disks = &init->disks;
	bool is_running = disks->service.state == SERVICE_RUNNING;
	uint64_t next_ns = service_deadline(init, &disks->service);

	if (is_running && disks->list != LIST_NONE)
		next_ns = MIN(next_ns, disks->list_ns);
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct client *client = &disks->client[i];

		if (is_running && is_waiting(client))
			next_ns = MIN(next_ns, client->deadline_ns);
		if (client->state >= CLIENT_REMOVING &&
		    init_now_ns(init) < client->stuck_ns)
			next_ns = MIN(next_ns, client->stuck_ns);
	}
	return next_ns;
}

const char *disks_list(struct init *init)
{
	struct disks *disks = &init->disks;

	if (disks->service.state == SERVICE_NONE)
		return "is not there: no guest has a source";
	if (disks->service.state != SERVICE_RUNNING)
		return "does not run now";
	if (disks->list != LIST_NONE)
		return "is asked already";
	disks->list = LIST_WANTED;
	disks->listed = 0;
	disks->list_ns = answer_ns(init);
	return NULL;
}
