/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer over one device by itself: accesses of its registers, time in small
 * steps and in leaps, what its board does to it, resets, and save and restore,
 * also of images that are damaged, at any moment.
 *
 * The devices are the subjects of a tests/unit/test_state_GROUP.c, which is
 * included (devices.mk): --device=NAME takes one of them, --list
 * names them all.  A new row there is fuzzed like the others.
 *
 * What has to hold: the sanitizers say nothing; an access ends, and so does
 * time (who arms a timer in its own expiry names a time to come); a device that
 * is saved and loaded into a fresh one is the same, its output lines too; an
 * image that is refused changes nothing, one that is taken can be run with.
 */
#define main state_main
#include SUBJECTS /* tests/unit/test_state_GROUP.c */
#undef main

#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#define STEP_EXPIRIES 2000 /* of timers in one step of time */
#define BULK_BYTES    256
#define HANG_SECONDS  60

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static const struct subject *subject;

/* ---- Rigs that begin again ----------------------------------------------- */

/*
 * Building a device is most of a short execution, so it is done once.  What
 * came of it is put back before each, where it is no longer so: most of it are
 * zeros still.  Nothing is allocated outside a rig.
 */
#define UNCHECKED \
	__attribute__((no_sanitize("address", "undefined", "coverage")))
#define CHUNK  1024
#define NOW_NS 12345678 /* when an execution begins */
#define PAGE   4096

typedef uint64_t block __attribute__((vector_size(32), aligned(8), may_alias));

struct copy {
	size_t size;
	uint8_t *bytes;
	bool *is_zero; /* a chunk each, whole ones */
};

/* One that is fuzzed, one that it moves to, which has the same memory. */
static struct rig *rigs[2];
/* As built to be fuzzed, and to be moved to. */
static struct {
	struct copy bench, model;
} built[2][2];
static struct copy memory;
static bool is_memory_clear;
static size_t image_length; /* always the same */

static UNCHECKED bool chunk_is_zero(const uint8_t *at)
{
	const block *blocks = (const void *)at;
	block any = { 0 };

	for (size_t i = 0; i < CHUNK / sizeof(block); i++)
		any |= blocks[i];
	return !(any[0] | any[1] | any[2] | any[3]);
}

static UNCHECKED bool is_same(const uint8_t *a, const uint8_t *b, size_t size)
{
	block any = { 0 };

	for (; size >= sizeof(block); size -= sizeof(block)) {
		block one, two;

		__builtin_memcpy(&one, a, sizeof(block));
		__builtin_memcpy(&two, b, sizeof(block));
		any |= one ^ two;
		a += sizeof(block);
		b += sizeof(block);
	}
	for (; size; size--)
		any[0] |= *a++ ^ *b++;
	return !(any[0] | any[1] | any[2] | any[3]);
}

static void *allocate(size_t size)
{
	void *bytes = calloc(1, size);

	CHECK(bytes);
	return bytes;
}

static struct copy copy_take(const void *from, size_t size)
{
	struct copy copy = {
		.size = size,
		.bytes = allocate(size),
		.is_zero = allocate(size / CHUNK),
	};

	memcpy(copy.bytes, from, size);
	for (size_t i = 0; i < size / CHUNK; i++)
		copy.is_zero[i] = chunk_is_zero(copy.bytes + i * CHUNK);
	return copy;
}

static void copy_put_back(const struct copy *copy, void *to)
{
	size_t i, count = copy->size / CHUNK;
	uint8_t *at = to;

	for (i = 0; i < count; i++, at += CHUNK) {
		if (!copy->is_zero[i])
			memcpy(at, copy->bytes + i * CHUNK, CHUNK);
		else if (!chunk_is_zero(at))
			memset(at, 0, CHUNK);
	}
	memcpy(at, copy->bytes + i * CHUNK, copy->size % CHUNK);
}

/* What is large and clear by page, of which few have been written. */
static void memory_put_back(void)
{
	if (is_memory_clear)
		CHECK(!madvise(rigs[0]->memory, memory.size, MADV_DONTNEED));
	else
		copy_put_back(&memory, rigs[0]->memory);
}

static void rigs_build(void)
{
	void *bytes = NULL;

	CHECK(!posix_memalign(&bytes, PAGE, subject->memory_size));
	for (unsigned i = 0; i < 2; i++) {
		rigs[i] = allocate(sizeof(*rigs[i]));
		rigs[i]->model = allocate(subject->size);
		rigs[i]->memory = bytes;
		for (unsigned is_twin = 0; is_twin < 2; is_twin++) {
			memset(rigs[i]->model, 0, subject->size);
			memset(bytes, 0, subject->memory_size);
			rig_init(rigs[i], subject, is_twin ? 0 : NOW_NS, 1);
			built[i][is_twin].bench =
				copy_take(&rigs[i]->b, sizeof(rigs[i]->b));
			built[i][is_twin].model =
				copy_take(rigs[i]->model, subject->size);
		}
	}
	memory = copy_take(bytes, subject->memory_size);
	is_memory_clear = memory.size && !(memory.size % PAGE);
	for (size_t i = 0; i < memory.size / CHUNK; i++)
		is_memory_clear &= memory.is_zero[i];
	(void)device_save(rigs[0]->device, NULL, 0, &image_length);
}

/* What a device needs of a rig, without clearing traces. */
static struct rig *rig_again(struct rig *other)
{
	unsigned i = other == rigs[0];

	if (!other)
		memory_put_back();
	copy_put_back(&built[i][!!other].bench, &rigs[i]->b);
	copy_put_back(&built[i][!!other].model, rigs[i]->model);
	return rigs[i];
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char option[] = "--device=";

	for (int i = 1; i < *argc; i++) {
		const char *name = (*argv)[i] + strlen(option);
		bool is_list = !strcmp((*argv)[i], "--list");

		for (unsigned k = 0; k < ARRAY_SIZE(subjects); k++) {
			if (is_list)
				puts(subjects[k].name);
			else if (!strncmp((*argv)[i], option, strlen(option)) &&
				 !strcmp(name, subjects[k].name))
				subject = &subjects[k];
		}
		if (is_list)
			exit(0);
	}
	if (!subject) {
		fprintf(stderr, "which --device=NAME? --list knows them\n");
		exit(2);
	}
	return 0;
}

/* ---- What happens to it -------------------------------------------------- */

/* Operation: bit 4 write, bit 5 the value is small, bit 6 several at once. */
static void access_one(struct rig *rig, uint8_t op)
{
	const struct subject_region *region =
		&subject->regions[rig_take(rig, 1) % subject->region_count];
	struct bus *bus = region->is_memory ? &rig->b.memory : &rig->b.ports;
	uint64_t places = region->length / region->size;
	struct io_access io = {
		.size = region->size,
		.is_write = op & 0x10,
	};

	io.offset = region->base;
	if (places > 1)
		io.offset += rig_take(rig, places > 256 ? 3 : 1) % places *
			     region->size;
	if ((op & 0x40) && !region->is_memory && io.size <= 4) {
		uint8_t bytes[BULK_BYTES];

		memset(bytes, op, sizeof(bytes));
		bus_access_bulk(bus, &io, bytes,
				(uint32_t)rig_take(rig, 1) % (BULK_BYTES / 4));
		return;
	}
	if (io.is_write)
		io.data = rig_take(rig, op & 0x20 ? 1 : io.size);
	bus_access(bus, &io);
}

static void timers_run(struct rig *rig)
{
	clock_run(&rig->b.clock);
	CHECK(!rig->b.clock.first ||
	      rig->b.clock.first->deadline_ns > rig->b.now_ns);
}

/* Timers in time, or (bit 4) as late as a busy host has them. */
static void step_time(struct rig *rig, uint8_t op)
{
	uint64_t ns = rig_take(rig, 2) << (op >> 5) * 3;
	uint64_t end = rig->b.now_ns + ns;
	unsigned expiries = 0;

	while (!(op & 0x10) && rig->b.clock.first &&
	       rig->b.clock.first->deadline_ns <= end &&
	       expiries++ < STEP_EXPIRIES) {
		rig->b.now_ns =
			MAX(rig->b.now_ns, rig->b.clock.first->deadline_ns);
		timers_run(rig);
	}
	rig->b.now_ns = end;
	timers_run(rig);
}

/* ---- Images -------------------------------------------------------------- */

/* They end where their memory does: the sanitizer sees what is beyond. */
static uint8_t before[RIG_IMAGE], bad[RIG_IMAGE], after[RIG_IMAGE];

static uint8_t *image_in(uint8_t *room)
{
	return room + RIG_IMAGE - image_length;
}

static void image_save(const struct rig *rig, uint8_t *room)
{
	size_t length;

	CHECK(!device_save(rig->device, image_in(room), image_length, &length));
	CHECK(length == image_length);
}

static bool image_load(struct rig *rig, uint8_t *room)
{
	static uint8_t scratch[RIG_IMAGE] __attribute__((aligned(16)));
	size_t size = (rig->device->ops->state->size + 15) / 16 * 16;
	char why[200] = "";

	if (!device_load(rig->device, image_in(room), image_length,
			 scratch + RIG_IMAGE - size, why, sizeof(why)))
		return true;
	CHECK(why[0]);
	return false;
}

static void images_compare(uint8_t *a, uint8_t *b)
{
	a = image_in(a);
	b = image_in(b);
	if (!is_same(a, b, image_length))
		assert_memory_equal(a, b, image_length); /* says where */
}

/* Goes on in another device that got its state. */
static struct rig *move(struct rig *rig)
{
	struct rig *twin = rig_again(rig);

	rig_drain(rig, subject);
	image_save(rig, before);
	if (subject->copy)
		subject->copy(twin, rig);
	twin->b.now_ns = rig->b.now_ns;
	twin->input = rig->input;
	twin->input_end = rig->input_end;
	CHECK(image_load(twin, before));
	image_save(twin, after);
	images_compare(before, after);
	CHECK(twin->b.level == rig->b.level);
	return twin;
}

/* A byte of its image. */
static void damage_image(struct rig *rig, uint32_t where)
{
	uint8_t *byte = image_in(bad) + where % image_length;
	uint8_t old;

	image_save(rig, bad);
	old = *byte;
	*byte = (uint8_t)rig_take(rig, 1);
	if (!image_load(rig, bad))
		*byte = old;
	image_save(rig, after);
	images_compare(bad, after);
}

/* Bytes of the state that the image is made of. */
static void damage_state(struct rig *rig, uint32_t where, size_t length)
{
	size_t size = rig->device->ops->state->size;
	uint8_t old[8], *at = rig->device->state;
	bool is_taken;

	image_save(rig, before);
	where %= size;
	length = MIN(length, size - where);
	memcpy(old, at + where, length);
	for (size_t i = 0; i < length; i++)
		at[where + i] = (uint8_t)rig_take(rig, 1);
	image_save(rig, bad);
	memcpy(at + where, old, length);
	is_taken = image_load(rig, bad);
	image_save(rig, after);
	images_compare(is_taken ? bad : before, after);
}

static void damage_one(struct rig *rig, uint8_t op)
{
	uint32_t where = (uint32_t)rig_take(rig, 3);

	rig_drain(rig, subject);
	if (op & 0x10)
		damage_image(rig, where);
	else
		damage_state(rig, where, 1U << (op >> 5 & 3));
}

/* ---- An execution -------------------------------------------------------- */

static volatile uint64_t executions;

/* By now it would have ended. */
static void hang_check(int number)
{
	static uint64_t last;

	(void)number;
	CHECK(executions != last);
	last = executions;
}

/* By the processor's time: libFuzzer's own limit is of the wall clock's. */
static void hang_watch(void)
{
	const struct itimerval interval = { { HANG_SECONDS, 0 },
					    { HANG_SECONDS, 0 } };

	CHECK(signal(SIGVTALRM, hang_check) != SIG_ERR);
	CHECK(!setitimer(ITIMER_VIRTUAL, &interval, NULL));
}

static struct rig *step(struct rig *rig)
{
	uint8_t op = (uint8_t)rig_take(rig, 1);

	rig->trace_length = 0;
	switch (op & 15) {
	case 0 ... 8:
		access_one(rig, op);
		break;
	case 9 ... 10:
		step_time(rig, op);
		break;
	case 11 ... 13:
		if (subject->input)
			subject->input(rig);
		break;
	case 14:
		/* These are most of the time, so one in 64. */
		if (op >= 0xc0)
			damage_one(rig, op);
		else if (op >= 0x80)
			access_one(rig, op);
		else if (op < 0x20)
			return move(rig);
		else
			step_time(rig, op);
		break;
	default:
		if (op >= 0xe0)
			device_reset(rig->device);
		else
			step_time(rig, op);
	}
	return rig;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig *rig;

	if (!executions++) {
		rigs_build();
		hang_watch();
	}
	rig = rig_again(NULL);
	rig->input = data;
	rig->input_end = data + size;
	while (rig->input < rig->input_end)
		rig = step(rig);
	rig_drain(rig, subject);
	return 0;
}
