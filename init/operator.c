/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's console: a line is a verb, and a guest's name where one is
 * needed.  Backspace and Ctrl-U edit; everything else that does not print is
 * ignored.
 */
#include "init/init.h"

#include "lib/string.h"

#define PROMPT	  "host> "
#define NO_GUEST  "is no guest: list shows them"
#define CTRL_U	  0x15
#define BACKSPACE 0x08
#define DELETE	  0x7f

struct verb {
	const char *name;
	/* Of these there is one; or both, and all is without a name. */
	void (*all)(struct init *init);
	const char *(*one)(struct init *init, struct guest *guest);
	/* Where no guest has the name. */
	const char *(*service)(struct init *init, struct service *service);
	const char *help;
	enum seat_verb remote; /* what clients call it; 0: not theirs */
};

static void do_help(struct init *init);
static void do_list(struct init *init);
static void do_drives(struct init *init);

/* clang-format off */
static const struct verb verbs[] = {
	{ "help", .all = do_help, .help = "this" },
	{ "list", .all = do_list, .help = "guests and services, and how they are" },
	{ "drives", .all = do_drives,
	  .help = "the host's drives and their partitions" },
	{ "start", .one = guest_start, .remote = SEAT_START,
	  .help = "starts one that is stopped" },
	{ "stop", .one = guest_stop, .remote = SEAT_STOP,
	  .help = "takes its power; the host stays on for it" },
	{ "restart", .one = guest_restart, .remote = SEAT_RESTART,
	  .service = service_restart,
	  .help = "stops and starts one, or seat, disk, switch" },
	{ "shutdown", .all = host_shutdown, .one = guest_shutdown,
	  .remote = SEAT_SHUTDOWN,
	  .help = "presses its power button; without a name all guests', then "
		  "off" },
	{ "off", .all = host_off, .remote = SEAT_OFF,
	  .help = "takes the power of all guests, then of the host" },
};
/* clang-format on */

static void do_help(struct init *init)
{
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		operator_print(init, "%-8s%-6s%s\r\n", verbs[i].name,
			       verbs[i].one ? "NAME" : "", verbs[i].help);
}

const char *guest_state_text(const struct guest *guest)
{
	switch (guest->state) {
	case GUEST_RUNNING:
		return guest->wish == WISH_NONE ? "running" : "stopping";
	case GUEST_CONNECTING:
		return "starting";
	case GUEST_LEAVING:
		return "stopping";
	case GUEST_WAITING:
		return "waiting";
	default:
		return "stopped";
	}
}

static struct service *service_find(struct init *init, const char *name)
{
	struct service *const services[] = { &init->seat.service,
					     &init->disks.service,
					     &init->nets.service };

	for (unsigned i = 0; i < ARRAY_SIZE(services); i++)
		if (services[i]->state != SERVICE_NONE &&
		    !strcmp(services[i]->kind->name, name))
			return services[i];
	return NULL;
}

static void list_service(struct init *init, const char *name)
{
	static const char *const states[] = {
		[SERVICE_RUNNING] = "running",
		[SERVICE_STOPPING] = "stopping",
		[SERVICE_WAITING] = "waiting",
	};
	const struct service *service = service_find(init, name);

	if (service)
		operator_print(init,
			       "%-24s%-9sa service              started %u "
			       "times\r\n",
			       name, states[service->state], service->starts);
}

static void do_drives(struct init *init)
{
	const char *why = disks_list(init);

	if (why)
		operator_print(init, "disk %s\r\n", why);
}

static void do_list(struct init *init)
{
	for (unsigned i = 0; i < init->manifest->guest_count; i++) {
		const struct guest *guest = &init->guest[i];
		const struct guest_manifest *m = guest->manifest;

		operator_print(
			init,
			"%-24s%-9s%2u vCPUs %7u MiB  started %u times\r\n",
			m->name, guest_state_text(guest), m->vcpus,
			m->memory_mib, guest->starts);
	}
	list_service(init, "seat");
	list_service(init, "disk");
	list_service(init, "switch");
}

struct guest *guest_find(struct init *init, const char *name)
{
	for (unsigned i = 0; i < init->manifest->guest_count; i++)
		if (!strcmp(init->guest[i].manifest->name, name))
			return &init->guest[i];
	return NULL;
}

static void run_one(struct init *init, const struct verb *verb,
		    const char *name)
{
	struct service *service = service_find(init, name);
	struct guest *guest = guest_find(init, name);
	const char *why = NO_GUEST;

	if (guest)
		why = verb->one(init, guest);
	else if (service && verb->service)
		why = verb->service(init, service);
	if (why)
		operator_print(init, "%s %s\r\n", name[0] ? name : "nobody",
			       why);
}

/* With some the name may be left out. */
static bool takes_one(const struct verb *verb, const char *name)
{
	return verb->one && (name[0] || !verb->all);
}

const char *operator_do(struct init *init, enum seat_verb verb,
			const char *name)
{
	struct guest *guest = guest_find(init, name);

	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!verb || verbs[i].remote != verb)
			continue;
		if (takes_one(&verbs[i], name))
			return guest ? verbs[i].one(init, guest) : NO_GUEST;
		verbs[i].all(init);
		return NULL;
	}
	return "is not done: init does not know the verb";
}

static void run_line(struct init *init, char *line)
{
	size_t length = strlen(line);
	char *name;

	while (length && line[length - 1] == ' ')
		line[--length] = '\0';
	name = strchr(line, ' ');
	if (name) {
		*name++ = '\0';
		while (*name == ' ')
			name++;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++) {
		const struct verb *verb = &verbs[i];

		if (strcmp(verb->name, line))
			continue;
		if (takes_one(verb, name ? name : ""))
			run_one(init, verb, name ? name : "");
		else if (name)
			operator_print(init, "%s takes no name\r\n", line);
		else
			verb->all(init);
		return;
	}
	if (line[0])
		operator_print(init, "%s? help shows what there is\r\n", line);
}

static void erase(struct init *init, struct operator* op)
{
	if (!op->length)
		return;
	op->length--;
	operator_print(init, "\b \b");
}

static void enter(struct init *init, struct operator* op)
{
	operator_print(init, "\r\n");
	op->line[op->length] = '\0';
	op->length = 0;
	run_line(init, op->line);
	operator_print(init, PROMPT);
}

static void input(struct init *init, struct operator* op, char byte)
{
	switch (byte) {
	case '\r':
	case '\n':
		enter(init, op);
		break;
	case BACKSPACE:
	case DELETE:
		erase(init, op);
		break;
	case CTRL_U:
		while (op->length)
			erase(init, op);
		break;
	default:
		if (byte < ' ' || byte > '~' ||
		    op->length == sizeof(op->line) - 1)
			break;
		op->line[op->length++] = byte;
		operator_print(init, "%c", byte);
	}
}

void operator_input(struct init *init, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		input(init, &init->operator, bytes[i]);
}
