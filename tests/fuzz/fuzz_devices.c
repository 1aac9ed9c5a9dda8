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

#define STEP_EXPIRIES 2000 /* of timers in one step of time */
#define BULK_BYTES    256

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static const struct subject *subject;
/* One that is fuzzed, one that it moves to; their memory is used again. */
static struct rig *rigs[2];

/* What a device needs of a rig, without clearing traces. */
static struct rig *rig_again(struct rig *other, uint64_t now_ns)
{
	struct rig **slot = &rigs[other == rigs[0]];
	struct rig *rig = *slot;

	if (!rig) {
		*slot = rig_new(subject, now_ns, 1);
		return *slot;
	}
	memset(rig->model, 0, subject->size);
	rig->input = NULL;
	rig_init(rig, subject, now_ns, 1);
	return rig;
}

/* The unused rest stays where it is. */
static void image_copy(struct image *to, const struct image *from)
{
	to->length = from->length;
	memcpy(to->data, from->data, from->length);
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

/* Goes on in another device that got its state. */
static struct rig *move(struct rig *rig)
{
	static struct image saved, again;
	struct rig *twin = rig_again(rig, 0);
	char why[200];

	rig_drain(rig, subject);
	rig_save(rig, &saved);
	if (subject->copy)
		subject->copy(twin, rig);
	twin->b.now_ns = rig->b.now_ns;
	twin->input = rig->input;
	twin->input_end = rig->input_end;
	CHECK(!rig_load(twin, &saved, why));
	rig_save(twin, &again);
	assert_same_image(&saved, &again);
	CHECK(twin->b.level == rig->b.level);
	return twin;
}

/* Bit 4: a byte of the image, else of the state that the image is made of. */
static void damage_one(struct rig *rig, uint8_t op)
{
	static struct image before, bad, after;
	size_t size = rig->device->ops->state->size;
	uint32_t where = (uint32_t)rig_take(rig, 3);
	unsigned length = 1U << (op >> 5 & 3);
	char why[200];

	rig_drain(rig, subject);
	rig_save(rig, &before);
	if (op & 0x10) {
		image_copy(&bad, &before);
		bad.data[where % bad.length] = (uint8_t)rig_take(rig, 1);
	} else {
		static uint8_t state[RIG_IMAGE] __attribute__((aligned(16)));
		void *real = rig->device->state;

		memcpy(state, real, size);
		for (size_t i = where % size; length-- && i < size; i++)
			state[i] = (uint8_t)rig_take(rig, 1);
		rig->device->state = state;
		rig_save(rig, &bad);
		rig->device->state = real;
	}
	if (rig_load(rig, &bad, why)) {
		CHECK(why[0]);
		image_copy(&bad, &before);
	}
	rig_save(rig, &after);
	assert_same_image(&bad, &after);
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
	struct rig *rig = rig_again(NULL, 12345678);

	rig->input = data;
	rig->input_end = data + size;
	while (rig->input < rig->input_end)
		rig = step(rig);
	rig_drain(rig, subject);
	return 0;
}
