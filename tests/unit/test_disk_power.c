/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Power cuts: two guests write, flush and write through to their halves of a
 * drive with a volatile cache; requests end in any order, flushes fail and lose
 * what was cached, the service dies and is started anew, and at some instant
 * the power goes.  What a guest was told is permanent is there, and no sector
 * is of two writes.
 */
#include "tests/unit/disk_test.h"

#define SEEDS	1000
#define STEPS	250
#define GUESTS	2
#define SECTORS 48u
#define IDS	32

struct op {
	bool is_there;
	bool is_fua;
	enum disk_op op;
	uint32_t sector, count, version;
	/* FLUSH: of each sector what had been answered. */
	uint32_t answered[SECTORS];
};

static struct guest_model {
	uint64_t last_id;
	uint32_t version;
	uint32_t sent[SECTORS], answered[SECTORS], permanent[SECTORS];
	bool is_busy[SECTORS]; /* a request of its own has it */
	struct op op[IDS];
} guest[GUESTS];

static struct {
	unsigned flushes, lost, fua, failed, kills, cuts;
} count;

/* ---- What a guest believes ----------------------------------------------- */

static void flush_answered(struct guest_model *g, const struct op *op,
			   int status)
{
	if (!status) {
		count.flushes++;
		for (unsigned i = 0; i < SECTORS; i++)
			g->permanent[i] = MAX(g->permanent[i], op->answered[i]);
		return;
	}
	/* Told: it counts on nothing that was not permanent before. */
	count.lost++;
	memcpy(g->answered, g->permanent, sizeof(g->answered));
	for (unsigned i = 0; i < IDS; i++)
		memcpy(g->op[i].answered, g->permanent, sizeof(g->permanent));
}

static void write_answered(struct guest_model *g, const struct op *op,
			   int status)
{
	for (unsigned i = op->sector; i < op->sector + op->count; i++) {
		g->is_busy[i] = false;
		if (status)
			continue;
		g->answered[i] = op->version;
		if (op->is_fua)
			g->permanent[i] = op->version;
	}
	count.failed += status != 0;
	count.fua += !status && op->is_fua;
}

static void guest_done(unsigned number, uint64_t id, int status)
{
	struct guest_model *g = &guest[number];
	struct op *op = &g->op[id % IDS];

	assert_true(op->is_there);
	op->is_there = false;
	if (op->op == DISK_OP_FLUSH)
		flush_answered(g, op, status);
	else
		write_answered(g, op, status);
}

/* ---- What it does -------------------------------------------------------- */

/* Its memory for request id. */
static uint64_t where_of(uint64_t id)
{
	return id % 32 * 16 * DISK_SECTOR + 200;
}

static void version_fill(unsigned number, uint64_t id, const struct op *op)
{
	for (uint32_t i = 0; i < op->count * DISK_SECTOR; i++) {
		uint32_t word = op->version << 8 | (op->sector + i / 512);

		*memory_at(number, where_of(id) + i) =
			(uint8_t)(word >> (i % 4 * 8));
	}
}

static bool sectors_claim(struct guest_model *g, struct op *op)
{
	op->sector = random_below(SECTORS);
	op->count = 1 + random_below(MIN(16, SECTORS - op->sector));
	for (unsigned i = op->sector; i < op->sector + op->count; i++)
		if (g->is_busy[i])
			return false;
	op->version = ++g->version;
	for (unsigned i = op->sector; i < op->sector + op->count; i++) {
		g->is_busy[i] = true;
		g->sent[i] = op->version;
	}
	return true;
}

static void guest_act(unsigned number)
{
	struct guest_model *g = &guest[number];
	uint64_t id = g->last_id + 1;
	struct op *op = &g->op[id % IDS];
	struct disk_request request = { .id = id };

	if (machine[number].link.count == DISK_IN_FLIGHT || op->is_there)
		return;
	memset(op, 0, sizeof(*op));
	op->op = random_below(4) ? DISK_OP_WRITE : DISK_OP_FLUSH;
	if (op->op == DISK_OP_FLUSH) {
		memcpy(op->answered, g->answered, sizeof(op->answered));
	} else {
		if (!sectors_claim(g, op))
			return;
		op->is_fua = random_below(4) == 0;
		version_fill(number, id, op);
		request.flags = op->is_fua ? DISK_FUA : 0;
		request.sector = op->sector;
		request.sector_count = op->count;
		request.segment_count = 1;
		request.segment[0].where = where_of(id);
		request.segment[0].length = op->count * DISK_SECTOR;
	}
	op->is_there = true;
	g->last_id = id;
	request.op = op->op;
	assert_int_equal(disk_client_submit(&machine[number].link, &request),
			 0);
}

/* ---- What happens to it -------------------------------------------------- */

static void service_starts(void)
{
	service_begin();
	for (unsigned i = 0; i < GUESTS; i++) {
		client_add(i);
		unit_add(i, 0, i * SECTORS, SECTORS);
		assert_int_equal(disk_client_start(&disk, i + 1), 0);
	}
}

/* The service dies: what was in flight is done or not, then comes the reset. */
static void service_kill(void)
{
	count.kills++;
	while (fake[0].count) {
		unsigned last = --fake[0].count;

		if (random_below(2) &&
		    fake[0].queue[last].request.op == DRIVE_WRITE)
			fake_move(&fake[0], &fake[0].queue[last],
				  fake[0].queue[last].request.sector_count);
	}
	service_starts();
}

static void power_step(void)
{
	unsigned what = random_below(100);

	if (what < 45)
		guest_act(random_below(GUESTS));
	else if (what < 95 && fake[0].count)
		fake_end(&fake[0], random_below(fake[0].count));
	else if (what == 95)
		service_kill();
	else if (what == 96 && fake[0].count) {
		fake_reset(&fake[0]);
		disk_drive_reset(&disk, 0, false);
	}
	if (random_below(2))
		disk_run(&disk, now_ns);
	else
		disk_client_run(&machine[random_below(GUESTS)].link);
	fake[0].is_flush_bad = random_below(12) == 0;
}

/* ---- What is there afterwards -------------------------------------------- */

static void sector_check(const struct guest_model *g, unsigned number,
			 uint32_t sector)
{
	const uint8_t *bytes =
		fake[0].platter + (number * SECTORS + sector) * DISK_SECTOR;
	uint32_t word, version;

	memcpy(&word, bytes, sizeof(word));
	for (unsigned i = 0; i < DISK_SECTOR; i++)
		assert_int_equal(bytes[i], (uint8_t)(word >> (i % 4 * 8)));
	version = word >> 8;
	if (word)
		assert_int_equal(word & 0xff, sector);
	assert_true(version >= g->permanent[sector]);
	assert_true(version <= g->sent[sector]);
}

static void seed_run(unsigned seed)
{
	disk_setup(NULL);
	random_state = seed * 0x9e3779b97f4a7c15ULL;
	memset(guest, 0, sizeof(guest));
	fake[0].info.sector_count = GUESTS * SECTORS;
	fake[0].info.has_fua = seed & 1;
	fake[0].info.sectors_max = seed & 2 ? 5 : 0;
	on_done = guest_done;
	service_starts();
	for (unsigned i = 0; i < GUESTS; i++)
		machine_begin(i, seed);
	for (unsigned i = 0, n = STEPS / 2 + random_below(STEPS); i < n; i++)
		power_step();
	power_cut(&fake[0]);
	count.cuts++;
	for (unsigned i = 0; i < GUESTS; i++)
		for (uint32_t s = 0; s < SECTORS; s++)
			sector_check(&guest[i], i, s);
}

static void test_power_cuts(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++)
		seed_run(seed);
	print_message("%u cuts: %u flushes and %u FUA writes answered, %u "
		      "flushes failed, %u writes failed, %u times disk died\n",
		      count.cuts, count.flushes, count.fua, count.lost,
		      count.failed, count.kills);
	assert_true(count.flushes > 10 * SEEDS && count.lost > SEEDS / 2 &&
		    count.fua > SEEDS && count.kills > SEEDS);
}

/* The model sees it when a flush is answered before it is done. */
static void test_model_sees(void **state)
{
	struct op op = { .op = DISK_OP_WRITE, .count = 1, .version = 1 };

	(void)state;
	memset(guest, 0, sizeof(guest));
	memset(fake[0].platter, 0, 512);
	guest[0].sent[0] = 1;
	write_answered(&guest[0], &op, 0);
	assert_int_equal(guest[0].permanent[0], 0);
	op.is_fua = true;
	write_answered(&guest[0], &op, 0);
	assert_int_equal(guest[0].permanent[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_power_cuts, disk_setup),
		cmocka_unit_test_setup(test_model_sees, disk_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
