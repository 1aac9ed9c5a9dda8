/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds for the state of every device, tried on one that a rig has: run
 * it a while on random accesses, time and input; save it; load that into a
 * fresh one; both then do the same.  A reset leads where a fresh one is, and
 * damaged images change nothing.
 *
 * A test names its devices in a table of struct subject and calls
 * subject_test() for each.
 */
#ifndef BULKHEAD_TESTS_UNIT_STATE_TEST_H
#define BULKHEAD_TESTS_UNIT_STATE_TEST_H

#include "tests/unit/device_test.h"

#include <stdlib.h>

#include "devices/state.h"
#include "include/errno.h"

#define RIG_TRACE 4096
#define RIG_IMAGE (1 << 20)

struct rig {
	struct bench b;
	uint64_t seed;
	/* A fuzzer's bytes, in place of the seed; after their end zeros. */
	const uint8_t *input, *input_end;
	/* What the device has said since the trace was last cleared. */
	uint64_t trace[RIG_TRACE];
	unsigned trace_length;
	void *model; /* struct X, of subject.size bytes */
	/* Of subject.memory_size bytes; all of a fuzzer's rigs have the same.
	 */
	void *memory;
	struct device *device;
};

/* Ports or memory with one kind of access. */
struct subject_region {
	uint64_t base;
	uint64_t length;
	uint8_t size; /* bytes of an access, at multiples of it */
	bool is_memory;
};

struct subject {
	const char *name;
	size_t size;
	/* Guest memory and media: no state, but moves with it.  Or 0. */
	size_t memory_size;
	/* Builds the device in rig->model, says where its struct device is. */
	struct device *(*build)(struct rig *rig);
	const struct subject_region *regions;
	unsigned region_count;
	/* How many of 400 damaged images are refused at least; 0: 100.  Of a
	 * state that is memory mostly, which may be anything, fewer are. */
	unsigned refused_min;
	/* Time goes in steps of up to 4.3 s, shifted right by this. */
	unsigned step_shift;
	/* What else happens to it: input lines, bytes from outside.  Or NULL.
	 */
	void (*input)(struct rig *rig);
	/* Lets what is in flight complete, before a save.  Or NULL. */
	void (*drain)(struct rig *rig);
	/* What else is no state of the device.  Or NULL. */
	void (*copy)(struct rig *to, const struct rig *from);
};

/* ---- A rig ------------------------------------------------------------- */

static inline void rig_note(struct rig *rig, uint64_t value)
{
	uint64_t *slot = &rig->trace[rig->trace_length % RIG_TRACE];

	/* What is too much is folded in. */
	*slot = rig->trace_length < RIG_TRACE ? value : *slot * 31 + value;
	rig->trace_length++;
}

static inline void rig_line(void *sink, unsigned pin, bool level)
{
	struct rig *rig = sink;

	bench_line(&rig->b, pin, level);
	rig_note(rig, 0x11e0000 | pin << 1 | level);
}

static inline struct irq_line rig_irq(struct rig *rig, unsigned pin)
{
	return (struct irq_line){ rig_line, rig, pin };
}

/* The next bytes of a fuzzer's input. */
static inline uint64_t rig_take(struct rig *rig, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes-- && rig->input < rig->input_end)
		value = value << 8 | *rig->input++;
	return value;
}

/* xorshift64*: 32 good bits. */
static inline uint32_t rig_random(struct rig *rig)
{
	if (rig->input)
		return (uint32_t)rig_take(rig, 4);
	rig->seed ^= rig->seed >> 12;
	rig->seed ^= rig->seed << 25;
	rig->seed ^= rig->seed >> 27;
	return (uint32_t)((rig->seed * 0x2545f4914f6cdd1dULL) >> 32);
}

/* rig, rig->model and rig->memory are zero. */
static inline void rig_init(struct rig *rig, const struct subject *subject,
			    uint64_t now_ns, uint64_t seed)
{
	bench_init(&rig->b);
	rig->b.now_ns = now_ns;
	rig->b.clock.epoch_s = 1700000000;
	rig->seed = seed;
	rig->device = subject->build(rig);
}

static inline struct rig *rig_new(const struct subject *subject,
				  uint64_t now_ns, uint64_t seed)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->model = calloc(1, subject->size);
	assert_non_null(rig->model);
	rig->memory = calloc(1, subject->memory_size);
	assert_non_null(rig->memory);
	rig_init(rig, subject, now_ns, seed);
	return rig;
}

static inline void rig_free(struct rig *rig)
{
	free(rig->memory);
	free(rig->model);
	free(rig);
}

static inline void rig_copy(struct rig *to, const struct rig *from,
			    const struct subject *subject)
{
	memcpy(to->memory, from->memory, subject->memory_size);
	if (subject->copy)
		subject->copy(to, from);
}

static inline void rig_access(struct rig *rig, const struct subject *subject)
{
	const struct subject_region *region =
		&subject->regions[rig_random(rig) % subject->region_count];
	struct bus *bus = region->is_memory ? &rig->b.memory : &rig->b.ports;
	uint64_t address = region->base +
			   rig_random(rig) % (region->length / region->size) *
				   region->size;
	uint64_t data = rig_random(rig);

	if (region->size == 8)
		data |= (uint64_t)rig_random(rig) << 32;
	/* Small numbers mean more than large ones. */
	if (rig_random(rig) & 1)
		data &= 0x1f;
	if (rig_random(rig) & 1)
		bus_out(bus, address, data, region->size);
	else
		rig_note(rig, bus_in(bus, address, region->size));
}

static inline void rig_step(struct rig *rig, const struct subject *subject)
{
	unsigned what = rig_random(rig) % 8;

	rig->trace_length = 0;
	if (what == 0)
		bench_step(&rig->b, rig_random(rig) >> subject->step_shift >>
					    rig_random(rig) % 32);
	else if (what < 3 && subject->input)
		subject->input(rig);
	else
		rig_access(rig, subject);
}

static inline void rig_drain(struct rig *rig, const struct subject *subject)
{
	rig->trace_length = 0;
	if (subject->drain)
		subject->drain(rig);
}

static inline void rig_run(struct rig *rig, const struct subject *subject,
			   unsigned steps)
{
	while (steps--)
		rig_step(rig, subject);
}

/* ---- Images ------------------------------------------------------------ */

struct image {
	size_t length;
	uint8_t data[RIG_IMAGE];
};

static inline void rig_save(const struct rig *rig, struct image *image)
{
	assert_int_equal(device_save(rig->device, image->data,
				     sizeof(image->data), &image->length),
			 0);
}

/* Both end where their memory does, so that the sanitizer sees what is beyond;
 * large pieces of the heap would be mapped anew each time. */
static inline int rig_load(struct rig *rig, const struct image *image,
			   char why[200])
{
	static uint8_t scratch[RIG_IMAGE] __attribute__((aligned(16)));
	static uint8_t copy[RIG_IMAGE];
	size_t size = rig->device->ops->state->size;
	uint8_t *from = copy + RIG_IMAGE - image->length;

	assert_true(size <= RIG_IMAGE - 16);
	why[0] = '\0';
	memcpy(from, image->data, image->length);
	return device_load(rig->device, from, image->length,
			   scratch + RIG_IMAGE - (size + 15) / 16 * 16, why,
			   200);
}

static inline void assert_same_image(const struct image *a,
				     const struct image *b)
{
	assert_int_equal(a->length, b->length);
	if (memcmp(a->data, b->data, a->length)) /* which is quick */
		assert_memory_equal(a->data, b->data, a->length);
}

/* ---- Tests ------------------------------------------------------------- */

static inline void subject_test_restore(const struct subject *subject,
					uint64_t seed)
{
	static struct image saved, again;
	struct rig *one = rig_new(subject, 12345678, seed);
	struct rig *two = rig_new(subject, 0, 0);
	unsigned step;
	char why[200];

	rig_run(one, subject, (unsigned)(seed % 2000));
	rig_drain(one, subject);
	rig_save(one, &saved);
	rig_copy(two, one, subject);
	two->b.now_ns = one->b.now_ns;
	two->seed = one->seed;
	if (rig_load(two, &saved, why))
		fail_msg("%s, seed %lu: %s", subject->name, seed, why);
	rig_save(two, &again);
	assert_same_image(&saved, &again);
	assert_int_equal(one->b.level, two->b.level);
	for (step = 0; step < 1000; step++) {
		rig_step(one, subject);
		rig_step(two, subject);
		if (one->trace_length != two->trace_length ||
		    memcmp(one->trace, two->trace,
			   MIN(one->trace_length, RIG_TRACE) *
				   sizeof(one->trace[0])))
			fail_msg("%s, seed %lu: differs at step %u",
				 subject->name, seed, step);
	}
	rig_drain(one, subject);
	rig_drain(two, subject);
	rig_save(one, &saved);
	rig_save(two, &again);
	assert_same_image(&saved, &again);
	rig_free(one);
	rig_free(two);
}

/* All but what lives through a reset. */
static inline void assert_same_reset(const struct state_description *table,
				     const uint8_t *a, const uint8_t *b)
{
	unsigned i, k;

	for (i = 0; i < table->field_count; i++) {
		const struct state_field *field = &table->field[i];

		if (field->flags & STATE_KEPT)
			continue;
		for (k = 0; k < field->count; k++) {
			size_t at = field->offset + k * field->size;

			if (field->kind == STATE_NESTED)
				assert_same_reset(field->nested, a + at,
						  b + at);
			else if (memcmp(a + at, b + at, field->size))
				fail_msg("%s.%s[%u] differs", table->name,
					 field->name, k);
		}
	}
}

static inline void subject_test_reset(const struct subject *subject,
				      uint64_t seed)
{
	struct rig *one = rig_new(subject, 12345678, seed);
	struct rig *fresh;

	rig_run(one, subject, 1000);
	rig_drain(one, subject);
	one->trace_length = 0;
	device_reset(one->device);
	fresh = rig_new(subject, one->b.now_ns, 0);
	assert_same_reset(one->device->ops->state, one->device->state,
			  fresh->device->state);
	rig_free(one);
	rig_free(fresh);
}

/* A well-formed image, but of values that no device would have come to. */
static inline void damage_values(struct rig *rig, struct image *image)
{
	struct device *device = rig->device;
	size_t i, size = device->ops->state->size;
	uint8_t *state = malloc(size);
	void *real = device->state;
	unsigned count = 1 + rig_random(rig) % 3;

	memcpy(state, real, size);
	while (count--) {
		size_t at = rig_random(rig) % size;
		size_t length = 1U << rig_random(rig) % 4;
		bool is_random = rig_random(rig) & 1;
		uint8_t fill = (uint8_t) - (rig_random(rig) & 1);

		for (i = at; i < MIN(at + length, size); i++)
			state[i] = is_random ? (uint8_t)rig_random(rig) : fill;
	}
	device->state = state;
	rig_save(rig, image);
	device->state = real;
	free(state);
}

static inline void damage(struct rig *rig, struct image *image)
{
	unsigned count = 1 + rig_random(rig) % 3;

	switch (rig_random(rig) % 8) {
	case 0:
		image->length = rig_random(rig) % image->length;
		return;
	case 1:
		image->length += 1 + rig_random(rig) % 16;
		return;
	}
	while (count--) {
		uint8_t *at = &image->data[rig_random(rig) % image->length];

		*at = (uint8_t)(rig_random(rig) & 1
					? rig_random(rig)
					: *at ^ BIT(rig_random(rig) % 8));
	}
}

/*
 * What is refused changes nothing.  What is not is in the device as it was in
 * the image, and can be run with.
 */
static inline void subject_test_damaged(const struct subject *subject,
					uint64_t seed)
{
	static struct image good, before, bad, after;
	struct rig *rig = rig_new(subject, 12345678, seed);
	unsigned i, refused = 0;
	char why[200];

	rig_run(rig, subject, (unsigned)(seed % 1000));
	rig_drain(rig, subject);
	rig_save(rig, &good);
	for (i = 0; i < 400; i++) {
		uint64_t now_ns = rig->b.now_ns;

		if (i % 2) {
			damage_values(rig, &bad);
		} else {
			bad = good;
			damage(rig, &bad);
		}
		rig_save(rig, &before);
		if (rig_load(rig, &bad, why)) {
			refused++;
			assert_true(why[0]);
			rig_save(rig, &after);
			assert_same_image(&before, &after);
			continue;
		}
		rig_save(rig, &after);
		assert_same_image(&bad, &after);
		rig_run(rig, subject, 100);
		rig_drain(rig, subject);
		rig->b.now_ns = now_ns;
	}
	assert_true(refused > (subject->refused_min ?: 100));
	rig_free(rig);
}

#define FIELD_ELEMENTS 32 /* of a field, are tried */

static inline void bit_test(struct rig *rig, uint8_t *byte, uint8_t bit,
			    const struct image *good, const char *field)
{
	static struct image bad, after;
	char why[200];

	*byte ^= bit;
	rig_save(rig, &bad);
	*byte ^= bit;
	if (rig_load(rig, &bad, why))
		return;
	rig_save(rig, &after);
	if (memcmp(bad.data, after.data, bad.length))
		fail_msg("%s: what is loaded, bit %#x of it the other way, "
			 "is changed by it",
			 field, bit);
	assert_int_equal(rig_load(rig, good, why), 0);
}

static inline void bits_test(struct rig *rig,
			     const struct state_description *table, uint8_t *at,
			     const struct image *good)
{
	for (unsigned i = 0; i < table->field_count; i++) {
		const struct state_field *field = &table->field[i];
		uint8_t *bytes = at + field->offset;
		uint32_t count = MIN(field->count, FIELD_ELEMENTS);

		if (field->kind == STATE_NESTED) {
			for (unsigned k = 0; k < field->count; k++)
				bits_test(rig, field->nested,
					  bytes + k * field->size, good);
			continue;
		}
		for (unsigned k = 0; k < count * field->size * 8; k++)
			bit_test(rig, &bytes[k / 8], (uint8_t)BIT(k % 8), good,
				 field->name);
	}
}

/* Every bit of a state the other way. */
static inline void subject_test_bits(const struct subject *subject,
				     uint64_t seed)
{
	static struct image good;
	struct rig *rig = rig_new(subject, 12345678, seed);
	char why[200];

	rig_run(rig, subject, (unsigned)(seed % 1000));
	rig_drain(rig, subject);
	rig_save(rig, &good);
	assert_int_equal(rig_load(rig, &good, why), 0);
	bits_test(rig, rig->device->ops->state, rig->device->state, &good);
	rig_free(rig);
}

/* Fields that do not go together, each within its limits. */
struct contradiction {
	const char *subject;
	void (*spoil)(void *state);
};

/* All are refused, and would not be without what spoil() does. */
static inline void contradictions_test(const struct subject *subjects,
				       const struct contradiction *rows,
				       unsigned count)
{
	static struct image image;
	char why[200];

	for (; count; count--, rows++) {
		const struct subject *subject = subjects;
		struct rig *rig, *victim;

		while (strcmp(subject->name, rows->subject))
			subject++;
		rig = rig_new(subject, 12345678, 1);
		victim = rig_new(subject, 12345678, 1);
		rig_save(rig, &image);
		assert_int_equal(rig_load(victim, &image, why), 0);
		rows->spoil(rig->device->state);
		rig_save(rig, &image);
		assert_int_equal(rig_load(victim, &image, why), -EINVAL);
		assert_non_null(strstr(why, "contradict"));
		rig_free(rig);
		rig_free(victim);
	}
}

static inline void subject_test(const struct subject *subject)
{
	struct rig *rig = rig_new(subject, 0, 0);
	uint64_t seed;
	char why[200];

	if (state_check(rig->device->ops->state, why, sizeof(why)))
		fail_msg("%s: %s", subject->name, why);
	rig_free(rig);
	for (seed = 1; seed <= 40; seed++) {
		subject_test_restore(subject, seed * 0x9e3779b97f4a7c15ULL);
		subject_test_reset(subject, seed * 0x9e3779b97f4a7c15ULL);
	}
	for (seed = 1; seed <= 10; seed++) {
		subject_test_damaged(subject, seed * 0x9e3779b97f4a7c15ULL);
		subject_test_bits(subject, seed * 0x9e3779b97f4a7c15ULL);
	}
}

/* ---- A file's main() ----------------------------------------------------- */

#define SUBJECTS_MAX 24 /* of one file, with the tests beside them */

static inline void subject_test_one(void **state)
{
	subject_test(*state);
}

/* A test for each subject, then the file's own: main()'s value. */
static inline int subjects_run(const char *name, const struct subject *subjects,
			       size_t count, const struct CMUnitTest *own,
			       size_t own_count)
{
	struct CMUnitTest tests[SUBJECTS_MAX] = { 0 };

	assert_true(count + own_count <= SUBJECTS_MAX);
	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){
			.name = subjects[i].name,
			.test_func = subject_test_one,
			.initial_state = (void *)&subjects[i],
		};
	for (size_t i = 0; i < own_count; i++)
		tests[count + i] = own[i];
	return _cmocka_run_group_tests(name, tests, count + own_count, NULL,
				       NULL);
}

#endif
