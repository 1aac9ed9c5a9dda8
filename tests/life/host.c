/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A first program that is init, all of it but its manifest and its clock, and
 * an operator who has no mercy: guests are started, stopped and restarted,
 * crash and are started again, and so does seat, in random order and with the
 * work of all in flight.  Then all stop, and the host is as it was: the same
 * free pages, no domain, channel, thread or timer more.
 *
 * Three of the guests are copies, which share a disk's image; two conflict by
 * the policy, and are never up together; the memory of three comes when it is
 * touched, and one of them gives it back all the time.
 *
 * Options, as boot modules' names: count=N, of each kind of act at least;
 * seed=N.
 */
#include "include/seat.h"
#include "init/init.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"

/* init's clock: its seconds of back-off and patience are for real hosts. */
#define HASTE	 4
#define TICK_NS	 (NSEC_PER_MS / 4) /* between two acts, if nothing happens */
#define WARM_UP	 10
#define ACTS_MAX 1000 /* for one of each; more: something got stuck */

void program_main(unsigned thread);

static struct init the_init;
static struct init_gate gate;
static unsigned failed;
static uint64_t seed = 88172645463325252ULL;

/* clang-format off */
#define GUEST(NAME, RESTART, VCPUS, COMMAND)                                 \
	.name = NAME, .board = MACHINE_BOARD_PC, .memory_mib = 4,            \
	.vcpus = VCPUS, .restart = MANIFEST_RESTART_##RESTART,               \
	.cmdline = COMMAND
#define COPY(NAME)                                                           \
	{ GUEST(NAME, ON_CRASH, 1, "dead ms=1"), .kernel = "bad.elf",        \
	  .node = "copy", .count = 3, .disk_count = 1,                       \
	  .disk = { { .name = "disk0", .image = { "copy.img" },              \
		      .bus = MACHINE_DISK_IDE } } }
#define FLOOD 1 /* it and BELLS conflict */
#define BELLS 4

/* Machines and guests; none that keeps a processor busy for long. */
static const struct manifest manifest = {
	.rule_count = 1,
	.rule = { { .name = "wall", .conflict = "flood\0bells" } },
	.guest_count = 13,
	.guest = {
		{ GUEST("dead", ON_CRASH, 2, "dead ms=1"),
		  .kernel = "bad.elf" },
		{ GUEST("flood", NEVER, 1, "uartflood ms=1000000"),
		  .kernel = "bad.elf" },
		{ GUEST("crash", ON_CRASH, 2, "crash ms=1"),
		  .program = "evil.elf" },
		{ GUEST("spin", ALWAYS, 3, "spin ms=1"),
		  .program = "evil.elf" },
		{ GUEST("bells", NEVER, 1, "ringbells ms=2"),
		  .program = "evil.elf" },
		{ GUEST("waits", ALWAYS, 4, "waitend ms=1"),
		  .program = "evil.elf" },
		{ GUEST("rings", ON_CRASH, 1, "ringtouch ms=1"),
		  .program = "evil.elf" },
		COPY("copy-1"), COPY("copy-2"), COPY("copy-3"),
		{ GUEST("lazy", ON_CRASH, 2, "dead ms=1"),
		  .kernel = "bad.elf", .is_lazy = true },
		{ GUEST("balloon", ON_CRASH, 1, "dead ms=1"),
		  .kernel = "bad.elf", .is_lazy = true,
		  .devices = MACHINE_DEVICE_BALLOON },
		{ GUEST("gives", ALWAYS, 3, "release ms=2"),
		  .program = "evil.elf", .is_lazy = true },
	},
};
/* clang-format on */

#define CHECK(condition)                                                     \
	do {                                                                 \
		if (!(condition)) {                                          \
			failed++;                                            \
			gate_log(GATE_LOG_INFO, "FAIL line %d: " #condition, \
				 __LINE__);                                  \
		}                                                            \
	} while (0)

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* ---- init's clock -------------------------------------------------------- */

static uint64_t op_now_ns(void *ctx)
{
	(void)ctx;
	return gate_now_ns() * HASTE;
}

static void op_timer(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	gate_timer(MIN(deadline_ns / HASTE, gate_now_ns() + TICK_NS));
}

static __noreturn void op_off(void *ctx, enum gate_off how, uint8_t code)
{
	(void)how;
	if (!code)
		gate_log(GATE_LOG_INFO, "FAIL init turns the host off");
	init_gate_calls.off(ctx, GATE_OFF_ISA_DEBUG, code);
}

/* ---- What the operator does ---------------------------------------------- */

enum act {
	ACT_START,
	ACT_STOP,
	ACT_RESTART,
	ACT_SEAT_DIES, /* as by a fault: init has to see it */
	ACT_SEAT_LIES, /* init has to stop it */
	ACT_OWN,       /* a guest ends by itself and is started again */
	ACTS,
};

static const char *const act_name[ACTS] = {
	"starts",     "stops",	     "restarts",
	"dead seats", "lying seats", "guests' own ends",
};

static unsigned done[ACTS];

static bool guest_act(enum act act)
{
	struct guest *guest = &the_init.guest[any(manifest.guest_count)];

	guest->back_off.count = 0;
	switch (act) {
	case ACT_START:
		return guest->state == GUEST_STOPPED &&
		       !guest_start(&the_init, guest);
	case ACT_STOP:
		return guest->state != GUEST_STOPPED &&
		       guest->wish != WISH_STOP &&
		       !guest_stop(&the_init, guest);
	default:
		return guest->state == GUEST_RUNNING &&
		       guest->wish == WISH_NONE &&
		       !guest_restart(&the_init, guest);
	}
}

/* What init has not seen yet is not done to seat twice. */
static bool seat_act(enum act act)
{
	struct service *service = &the_init.seat.service;
	struct seat_control *memory = gate_channel(SEAT_CONTROL_SLOT);
	struct gate_domain_status status;

	service->back_off.count = 0;
	if (service->state != SERVICE_RUNNING ||
	    gate.query(NULL, service->id, &status) ||
	    status.state != GATE_DOMAIN_RUNNING)
		return false;
	if (act == ACT_SEAT_DIES)
		return !gate.stop(NULL, service->id);
	memory->from_seat.produced -= 1 + (uint32_t)any(1000);
	return true;
}

static void act(void)
{
	enum act what = (enum act)any(ACT_OWN);

	done[what] += what < ACT_SEAT_DIES ? guest_act(what) : seat_act(what);
}

/* Those that wait to be started again, and did not before. */
static void count_own_ends(void)
{
	static bool was_waiting[MANIFEST_GUESTS_MAX];

	for (unsigned i = 0; i < manifest.guest_count; i++) {
		bool is = the_init.guest[i].state == GUEST_WAITING;

		done[ACT_OWN] += is && !was_waiting[i];
		was_waiting[i] = is;
	}
}

static bool all_done(unsigned count)
{
	for (unsigned i = 0; i < ACTS; i++)
		if (done[i] < count)
			return false;
	return true;
}

static void turn(void)
{
	(void)gate_wait();
	init_events(&the_init);
	count_own_ends();
	CHECK(!the_init.guest[FLOOD].id || !the_init.guest[BELLS].id);
}

static void rounds(unsigned count)
{
	unsigned turns = 0;

	memset(done, 0, sizeof(done));
	while (!all_done(count) && turns++ < count * ACTS_MAX) {
		act();
		turn();
	}
	CHECK(all_done(count));
}

/* ---- As it was ----------------------------------------------------------- */

static bool all_stopped(void)
{
	for (unsigned i = 0; i < manifest.guest_count; i++)
		if (the_init.guest[i].state != GUEST_STOPPED)
			return false;
	return true;
}

/* No guest, and for this moment no seat. */
static struct gate_host_info quiet(void)
{
	struct gate_host_info info = { 0 };
	struct service *service = &the_init.seat.service;

	for (unsigned i = 0; i < manifest.guest_count; i++)
		(void)guest_stop(&the_init, &the_init.guest[i]);
	while (!all_stopped())
		turn();
	while (service->state != SERVICE_WAITING) {
		if (service->state == SERVICE_RUNNING)
			(void)gate.stop(NULL, service->id);
		turn();
	}
	CHECK(!gate_call(GATE_HOST_INFO, (uint64_t)&info, 0, 0));
	CHECK(info.domains == 1 && info.channels == 0);
	return info;
}

static unsigned option(const struct gate_init_info *info, const char *name,
		       unsigned value)
{
	size_t length = strlen(name);

	for (unsigned i = 0; i < info->module_count; i++) {
		const char *at = info->module[i].name;

		if (strncmp(at, name, length) || at[length] != '=')
			continue;
		value = 0;
		for (at += length + 1; *at >= '0' && *at <= '9'; at++)
			value = value * 10 + (unsigned)(*at - '0');
	}
	return value;
}

static void report(const struct gate_host_info *before,
		   const struct gate_host_info *after, unsigned cpus)
{
	CHECK(before->pages_free == after->pages_free);
	CHECK(before->threads == after->threads);
	/* init's own, the console's, and a slice of each processor's. */
	CHECK(after->timers <= 2 + cpus);
	for (unsigned i = 0; i < ACTS; i++)
		gate_log(GATE_LOG_INFO, "     %u %s", done[i], act_name[i]);
	gate_log(GATE_LOG_INFO,
		 "%s host: %lu pages free before, %lu after; %u and %u "
		 "threads, %u and %u timers",
		 failed ? "FAIL" : "PASS", before->pages_free,
		 after->pages_free, before->threads, after->threads,
		 before->timers, after->timers);
}

void program_main(unsigned thread)
{
	const struct gate_init_info *info = gate_argument();
	struct gate_host_info before, after;
	unsigned count = option(info, "count", 100);

	(void)thread;
	seed += option(info, "seed", 1);
	gate = init_gate_calls;
	gate.now_ns = op_now_ns;
	gate.timer = op_timer;
	gate.off = op_off;
	/* Of guests no more than what goes wrong. */
	(void)gate_call(GATE_LOG_LEVEL, LOG_ERROR, 0, 0);
	init_start(&the_init, &gate, info, &manifest);
	/* Stacks for as many threads as there will be, tables and so on. */
	rounds(WARM_UP);
	before = quiet();
	rounds(count);
	after = quiet();
	(void)gate_call(GATE_LOG_LEVEL, LOG_INFO, 0, 0);
	report(&before, &after, info->cpu_count);
	gate_log(GATE_LOG_INFO, "life: ends");
	init_gate_calls.off(NULL, GATE_OFF_ISA_DEBUG, failed != 0);
}
