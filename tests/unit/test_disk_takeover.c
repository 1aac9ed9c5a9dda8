/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine and the service `disk` on one channel, under the model checker of
 * ring_model.h: either dies between any two of its accesses and is taken over
 * by a successor.
 *
 * A machine writes a few sectors, each once, and is answered for each.  What it
 * was answered has been done; nothing is done any more after it was answered,
 * for then the guest may have written something else there; and in the end all
 * is answered.  One it may cancel: that may be done or not, but not later.
 */
#define PATH_MAX_ 32768
#define STEPS_MAX 30000
#define COPY_STEP 4

#include "tests/unit/ring_model.h"

#include "include/errno.h"
#include "lib/user/disk_client.h"
#include "services/disk/disk.h"

#define WRITES	  3
#define CANCELLED 1

enum { MACHINE, SERVICE };

static struct disk disk;
static struct disk_channel channel __aligned(4096);
static uint64_t chunk[1];
static uint8_t memory[4096] __aligned(4096);
static struct disk_client_link link_;

/* What the world sees; it outlives programs. */
static struct {
	uint64_t hellos;
	uint32_t starts;
	/* Of the present machine: each has sectors of its own. */
	uint32_t machine;
	bool is_done[WRITES], is_answered[WRITES];
	bool is_cancelled; /* CANCELLED */
	bool is_over;
	/* Of either: how often it may die, when it has gone round so often. */
	unsigned kills[ACTORS], rounds[ACTORS];
} world;

static struct {
	unsigned count;
	uint64_t cookie[16], sector[16];
} drive;

/* At random a program would be killed before it has done anything: it may die
 * from its n-th round on. */
static void round_begin(unsigned self)
{
	if (!world.rounds[self]--)
		model.actor[self].kills_left = world.kills[self];
}

/* ---- The drive ----------------------------------------------------------- */

static void drive_query(void *ctx, struct drive_info *info)
{
	(void)ctx;
	*info = (struct drive_info){ .sector_count = 1000,
				     .block_size = 512,
				     .depth = 2,
				     .segments_max = 4 };
}

static int drive_submit(void *ctx, const struct drive_request *request)
{
	(void)ctx;
	drive.cookie[drive.count] = request->cookie;
	drive.sector[drive.count++] = request->sector;
	return 0;
}

static void drive_kick(void *ctx)
{
	(void)ctx;
}

static int drive_reset(void *ctx)
{
	(void)ctx;
	drive.count = 0;
	return 0;
}

static const struct drive_ops drive_ops = {
	.query = drive_query,
	.submit = drive_submit,
	.kick = drive_kick,
	.reset = drive_reset,
};

/* It is done before the service knows. */
static void drive_do(unsigned index)
{
	uint64_t machine = drive.sector[index] / WRITES;
	uint64_t number = drive.sector[index] % WRITES;

	if (machine != world.machine) {
		/* A former machine's: nobody waits for it, and the present one
		 * thinks that its memory is its own. */
		if (link_.generation)
			model_fail("a former machine's request after HELLO");
		return;
	}
	if (world.is_answered[number])
		model_fail("done again after it was answered");
	world.is_done[number] = true;
}

/* ---- The service --------------------------------------------------------- */

static void service_bell(void *ctx, unsigned slot)
{
	(void)ctx;
	(void)slot;
	doorbell(MACHINE);
}

static void service_log(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void service_broken(void *ctx, unsigned slot, const char *why)
{
	(void)ctx;
	(void)slot;
	model_fail(why);
}

static const struct disk_ops disk_ops = {
	.doorbell = service_bell,
	.log = service_log,
	.broken = service_broken,
};

static void service_begin(void)
{
	const struct dma_window window[WINDOWS] = {
		{ chunk, sizeof(memory), 12, 0 },
		{ chunk, 0, 12, 0 },
	};
	const struct disk_unit_spec spec = { .count = 1000 };

	drive.count = 0; /* reset before a new program has it */
	world.starts++;
	memset(&disk, 0, sizeof(disk));
	disk_init(&disk, &disk_ops, NULL, NULL);
	if (disk_drive_add(&disk, &drive_ops, NULL) ||
	    disk_client_add(&disk, 1, "m", world.starts, &channel, window) ||
	    disk_unit_add(&disk, 1, 0, &spec) || disk_client_start(&disk, 1))
		model_fail("setting up");
}

/* Now and then others get far while a request is in the drive. */
static void drive_take_time(void)
{
	unsigned steps = 0;

	if (model.is_random && drive.count && model_random() % 4 == 0)
		steps = model_random() % 200;
	while (steps--)
		(void)shared_load(&channel.requests.produced);
	disk_ring(&disk, 1);
	if (drive.count)
		disk_run(&disk, 0);
}

static void service_run(unsigned self, bool is_resumed)
{
	(void)self;
	(void)is_resumed;
	service_begin();
	while (!world.is_over) {
		round_begin(SERVICE);
		disk_run(&disk, 0);
		drive_take_time();
		if (drive.count) {
			/* The last first: answers are in no order. */
			drive_do(--drive.count);
			if (!disk_complete(&disk, drive.cookie[drive.count], 0))
				model_fail("an unknown cookie");
			continue;
		}
		if (disk_deadline(&disk) != 0) {
			doorbell_wait();
			disk_ring(&disk, 1);
		}
	}
}

/* ---- The machine --------------------------------------------------------- */

static void machine_done(void *ctx, uint64_t id, int status, uint64_t sector)
{
	bool is_cancelled = status == -ECANCELED && world.is_cancelled &&
			    id - 1 == CANCELLED;

	(void)ctx;
	(void)sector;
	if (status && !is_cancelled)
		model_fail("a write failed");
	if (!is_cancelled && !world.is_done[id - 1])
		model_fail("answered before it was done");
	if (world.is_answered[id - 1])
		model_fail("answered twice");
	world.is_answered[id - 1] = true;
}

static void machine_bell(void *ctx)
{
	(void)ctx;
	doorbell(SERVICE);
}

static const struct disk_client_ops machine_ops = {
	.done = machine_done,
	.doorbell = machine_bell,
};

static bool is_all_answered(void)
{
	for (unsigned i = 0; i < WRITES; i++)
		if (!world.is_answered[i])
			return false;
	return true;
}

static bool has_cancels;

static void maybe_cancel(void)
{
	if (!has_cancels || world.is_cancelled ||
	    (model.is_random && model_random() % 3))
		return;
	world.is_cancelled = true;
	if (disk_client_cancel(&link_, CANCELLED + 1))
		world.is_answered[CANCELLED] = true;
}

/* A successor of a machine that died begins from nothing. */
static void machine_run(unsigned self, bool is_resumed)
{
	(void)self;
	(void)is_resumed;
	world.machine++;
	memset(world.is_done, 0, sizeof(world.is_done));
	memset(world.is_answered, 0, sizeof(world.is_answered));
	world.is_cancelled = false;
	disk_client_init(&link_, &channel, ++world.hellos, &machine_ops, NULL);
	for (unsigned i = 0; i < WRITES; i++) {
		struct disk_request request = {
			.id = i + 1,
			.op = DISK_OP_WRITE,
			.sector = world.machine * WRITES + i,
			.sector_count = 1,
			.segment_count = 1,
			.segment[0] = { 0, 512, 0 },
		};

		if (disk_client_submit(&link_, &request))
			model_fail("no room for a request");
	}
	for (;;) {
		round_begin(MACHINE);
		disk_client_run(&link_);
		if (link_.is_broken)
			model_fail("the service lied");
		maybe_cancel();
		if (is_all_answered())
			break;
		doorbell_wait();
	}
	model.actor[MACHINE].kills_left = 0; /* nobody would serve another */
	world.is_over = true;
	doorbell(SERVICE);
}

/* ---- Executions ---------------------------------------------------------- */

static unsigned machine_kills, service_kills;

static void reset(void)
{
	memset(&channel, 0, sizeof(channel));
	memset(&world, 0, sizeof(world));
	memset(&drive, 0, sizeof(drive));
	chunk[0] = (uintptr_t)memory;
	model.actor[MACHINE].run = machine_run;
	model.actor[SERVICE].run = service_run;
	model.actor[MACHINE].is_resumed = model.actor[SERVICE].is_resumed =
		false;
	world.kills[MACHINE] = machine_kills;
	world.kills[SERVICE] = service_kills;
	for (unsigned i = 0; i < ACTORS; i++) {
		world.rounds[i] = model.is_random ? model_random() % 8 : 99;
		model.actor[i].kills_left =
			model.is_random ? 0 : world.kills[i];
	}
}

static void runs(unsigned of_machine, unsigned of_service, unsigned count)
{
	const char *failure;

	machine_kills = of_machine;
	service_kills = of_service;
	failure = random_runs(reset, count);
	if (failure)
		print_message("%s, after %llu executions\n", failure,
			      (unsigned long long)model.executions);
	assert_null(failure);
}

static void test_nobody_dies(void **state)
{
	(void)state;
	runs(0, 0, 300);
}

static void test_service_dies(void **state)
{
	(void)state;
	runs(0, 1, 500);
	runs(0, 3, 500);
}

static void test_machine_dies(void **state)
{
	(void)state;
	runs(1, 0, 500);
	runs(3, 0, 300);
}

static void test_both_die(void **state)
{
	(void)state;
	runs(2, 2, 1000);
}

static void test_cancels(void **state)
{
	(void)state;
	has_cancels = true;
	runs(0, 1, 500);
	runs(0, 3, 500);
	runs(2, 2, 500);
	has_cancels = false;
}

/* One death, at each instant of an execution that is plain otherwise. */
static void test_each_instant(void **state)
{
	const char *failure;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		machine_kills = i & 1;
		service_kills = !machine_kills;
		has_cancels = i >= 2;
		failure = explore(reset, 1);
		print_message("%llu executions\n",
			      (unsigned long long)model.executions);
		if (failure)
			print_message("%s\n", failure);
		assert_null(failure);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_dies),
		cmocka_unit_test(test_service_dies),
		cmocka_unit_test(test_machine_dies),
		cmocka_unit_test(test_both_die),
		cmocka_unit_test(test_cancels),
		cmocka_unit_test(test_each_instant),
	};

	return cmocka_run_group_tests(tests, NULL, model_end);
}
