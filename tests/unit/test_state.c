/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of fields, images, timers and lists of devices, with devices made up
 * for it.  Real ones: test_state_devices.c, test_state_ide.c, test_state_pci.c.
 */
#include "tests/unit/device_test.h"

#include "devices/state.h"
#include "include/errno.h"

enum phase { PHASE_NONE, PHASE_ONE, PHASE_TWO };

struct part {
	uint16_t word;
	bool is_set;
	uint8_t reserved[1];
};

struct model_state {
	uint64_t deadline_ns;
	struct part part[2];
	int32_t number;
	enum phase phase;
	uint8_t matrix[2][3];
	uint8_t kept;
	uint8_t reserved[1];
};

static const struct state_field part_fields[] = {
	STATE_VALUE(struct part, word, .reset = 0x1234),
	STATE_VALUE(struct part, is_set),
	STATE_RESERVED(struct part, reserved),
};

static const struct state_description part_description =
	STATE_DESCRIPTION(struct part, part_fields);

static const struct state_field model_fields[] = {
	STATE_VALUE(struct model_state, deadline_ns, .reset = CLOCK_NEVER),
	STATE_STRUCTS(struct model_state, part, &part_description),
	STATE_VALUE(struct model_state, number, .min = (uint64_t)-5, .max = 5),
	STATE_VALUE(struct model_state, phase, .max = PHASE_TWO),
	STATE_TABLE(struct model_state, matrix, .reset = 7),
	STATE_VALUE(struct model_state, kept, .reset = 9, .flags = STATE_KEPT),
	STATE_RESERVED(struct model_state, reserved),
};

static const struct state_description model_description =
	STATE_DESCRIPTION(struct model_state, model_fields);

struct model {
	struct device device;
	struct model_state state;
	struct clock_timer timer;
	unsigned expired, reset, restored;
	bool is_busy;
};

static void model_reset(void *dev)
{
	((struct model *)dev)->reset++;
}

static void model_restored(void *dev)
{
	((struct model *)dev)->restored++;
}

static void model_expired(void *dev)
{
	((struct model *)dev)->expired++;
}

static bool model_is_idle(const void *dev)
{
	return !((const struct model *)dev)->is_busy;
}

/* Fields that contradict each other: 5 in phase 2. */
static bool model_is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct model_state *state = opaque;

	(void)dev;
	(void)now_ns;
	return state->number != 5 || state->phase != PHASE_TWO;
}

static const struct device_ops model_ops = {
	.name = "model",
	.version = 3,
	.state = &model_description,
	.reset = model_reset,
	.restored = model_restored,
	.is_valid = model_is_valid,
	.is_idle = model_is_idle,
};

static const struct device_ops newer_ops = {
	.name = "model",
	.version = 4,
	.state = &model_description,
};

static struct {
	struct bench b;
	struct model model[2];
	struct device_list list;
	char why[200];
	uint64_t scratch[64];
} bench;

static void now_set(void *ctx, uint64_t now_ns)
{
	((struct bench *)ctx)->now_ns = now_ns;
}

static void model_init(struct model *model, const struct device_ops *ops)
{
	memset(model, 0, sizeof(*model));
	device_init(&model->device, ops, model, &model->state);
	device_timer_init(&model->device, &bench.b.clock, &model->timer,
			  model_expired, model, &model->state.deadline_ns);
}

static int setup(void **state)
{
	unsigned i;

	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	bench.b.clock.now_set = now_set;
	device_list_init(&bench.list, &bench.b.clock);
	for (i = 0; i < 2; i++) {
		model_init(&bench.model[i], &model_ops);
		assert_int_equal(
			device_list_add(&bench.list, &bench.model[i].device),
			0);
	}
	return 0;
}

/* ---- Tables ------------------------------------------------------------ */

static void test_table(void **state)
{
	(void)state;
	assert_int_equal(
		state_check(&model_description, bench.why, sizeof(bench.why)),
		0);
	assert_int_equal(model_fields[1].count, 2);
	assert_int_equal(model_fields[1].size, sizeof(struct part));
	assert_int_equal(model_fields[2].kind, STATE_SIGNED);
	assert_int_equal(model_fields[3].kind, STATE_UNSIGNED);
	assert_int_equal(model_fields[4].count, 6);
	assert_int_equal(model_fields[4].size, 1);
}

static void expect_complaint(const struct state_field *fields, uint32_t count,
			     uint32_t size, const char *why)
{
	const struct state_description description = { "sample", size, count,
						       fields };

	assert_int_equal(
		state_check(&description, bench.why, sizeof(bench.why)),
		-EINVAL);
	if (!strstr(bench.why, why))
		fail_msg("%s instead of %s", bench.why, why);
}

/* What people get wrong in a table, and what they are told. */
static void test_table_errors(void **state)
{
	struct {
		uint32_t a;
		uint8_t b;
	} sample;
	const struct state_field a = {
		.name = "a", .size = 4, .count = 1, .kind = STATE_UNSIGNED
	};
	const struct state_field b = { .name = "b",
				       .offset = 4,
				       .size = 1,
				       .count = 1,
				       .kind = STATE_UNSIGNED };
	const struct {
		uint64_t reset, min, max;
		uint8_t kind;
		const struct state_description *nested;
		const char *why;
	} values[] = {
		{ .reset = 256, .why = "b has a value that does not fit" },
		{ .min = 1, .why = "b has a lower limit alone" },
		{ .max = 3, .reset = 4, .why = "b is reset to a value out" },
		{ .kind = STATE_NESTED,
		  .nested = &part_description,
		  .why = "b has the description of another struct" },
	};
	const struct {
		struct state_field field[2];
		uint32_t count;
		const char *why;
	} layouts[] = {
		{ { b }, 1, "bytes 0 to 4 before b" },
		{ { a }, 1, "bytes 4 to 8 in no field" },
		{ { b, a }, 2, "bytes 0 to 4 before b" },
		{ { a, b }, 2, "bytes 5 to 8 in no field" },
		{ { a, a }, 2, "bytes 4 to 0 before a" },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		expect_complaint(layouts[i].field, layouts[i].count,
				 sizeof(sample), layouts[i].why);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		struct state_field fields[2] = { a, b };

		fields[1].reset = values[i].reset;
		fields[1].min = values[i].min;
		fields[1].max = values[i].max;
		fields[1].kind = values[i].kind;
		fields[1].nested = values[i].nested;
		expect_complaint(fields, 2, sizeof(sample), values[i].why);
	}
}

/* ---- Reset and timers -------------------------------------------------- */

static void test_reset(void **state)
{
	struct model *model = &bench.model[0];

	(void)state;
	assert_int_equal(model->state.part[1].word, 0x1234);
	assert_int_equal(model->state.matrix[1][2], 7);
	assert_int_equal(model->state.kept, 9);
	assert_int_equal(model->reset, 0);
	memset(&model->state.part, 1, sizeof(model->state.part));
	memset(&model->state.matrix, 1, sizeof(model->state.matrix));
	model->state.kept = 1;
	clock_timer_arm(&bench.b.clock, &model->timer, 100);
	assert_int_equal(model->state.deadline_ns, 100);
	device_list_reset(&bench.list);
	assert_int_equal(model->state.part[0].word, 0x1234);
	assert_int_equal(model->state.part[1].is_set, false);
	assert_int_equal(model->state.matrix[0][0], 7);
	assert_int_equal(model->state.kept, 1);
	assert_int_equal(model->state.deadline_ns, CLOCK_NEVER);
	assert_int_equal(model->reset, 1);
	bench_step(&bench.b, 1000);
	assert_int_equal(model->expired, 0);
}

static void test_timer(void **state)
{
	struct model *model = &bench.model[0];

	(void)state;
	clock_timer_arm(&bench.b.clock, &model->timer, 100);
	clock_timer_arm(&bench.b.clock, &model->timer, CLOCK_NEVER);
	assert_null(bench.b.clock.first);
	assert_int_equal(model->state.deadline_ns, CLOCK_NEVER);
	clock_timer_arm(&bench.b.clock, &model->timer, 100);
	bench_step(&bench.b, 200);
	assert_int_equal(model->expired, 1);
	assert_int_equal(model->state.deadline_ns, CLOCK_NEVER);
}

/* ---- One device -------------------------------------------------------- */

static size_t save(struct model *model, uint8_t *image, size_t size)
{
	size_t length;

	assert_int_equal(device_save(&model->device, image, size, &length), 0);
	return length;
}

static int load(struct model *model, const uint8_t *image, size_t length)
{
	bench.why[0] = '\0';
	return device_load(&model->device, image, length, bench.scratch,
			   bench.why, sizeof(bench.why));
}

static void test_save(void **state)
{
	struct model *one = &bench.model[0], other;
	uint8_t image[500];
	size_t length, needed;

	(void)state;
	one->state.number = -5;
	one->state.phase = PHASE_TWO;
	one->state.matrix[1][0] = 0xfe;
	one->state.part[1].is_set = true;
	clock_timer_arm(&bench.b.clock, &one->timer, 500);
	length = save(one, image, sizeof(image));
	/* Asked for its size first. */
	assert_int_equal(device_save(&one->device, NULL, 0, &needed), -ENOSPC);
	assert_int_equal(needed, length);
	assert_int_equal(device_save(&one->device, image, length - 1, &needed),
			 -ENOSPC);
	model_init(&other, &model_ops);
	clock_timer_arm(&bench.b.clock, &other.timer, 3);
	length = save(one, image, sizeof(image));
	assert_int_equal(load(&other, image, length), 0);
	assert_memory_equal(&one->state, &other.state, sizeof(other.state));
	assert_int_equal(other.restored, 1);
	bench_step(&bench.b, 499);
	assert_int_equal(other.expired, 0);
	bench_step(&bench.b, 1);
	assert_int_equal(other.expired, 1);
	one->is_busy = true;
	assert_int_equal(
		device_save(&one->device, image, sizeof(image), &length),
		-EAGAIN);
}

/* Where in the image that text begins. */
static uint8_t *find(uint8_t *image, size_t length, const char *text)
{
	size_t i;

	for (i = 0; i + strlen(text) <= length; i++)
		if (!memcmp(image + i, text, strlen(text)))
			return image + i;
	fail_msg("no %s in the image", text);
	return NULL;
}

static void test_refused(void **state)
{
	struct model *model = &bench.model[0];
	uint8_t good[500], image[500];
	size_t length = save(model, good, sizeof(good));
	/* after: bytes behind the text's last one. */
	static const struct {
		const char *text;
		unsigned after;
		uint8_t value;
		const char *why;
	} rows[] = {
		{ "model", 0, 9, "model: instance 9 instead of 0" },
		{ "model", 2, 4, "model: version 4 instead of 3" },
		{ "model", 4, 255, "ends too early" },
		{ "kept", 0, 2, "field kept: width 2 instead of 1" },
		{ "kept", 1, 2, "field kept: 2 elements instead of 1" },
		{ "is_set", 5, 2, "field is_set: 2 is out of range" },
		{ "number", 5, 6, "field number: 6 is out of range" },
		{ "phase", 5, 3, "field phase: 3 is out of range" },
		{ "part", 5, 9, "struct part: 9 fields instead of 2" },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memcpy(image, good, length);
		find(image, length,
		     rows[i].text)[strlen(rows[i].text) + rows[i].after] =
			rows[i].value;
		assert_int_equal(load(model, image, length), -EINVAL);
		if (!strstr(bench.why, rows[i].why))
			fail_msg("row %u: %s", i, bench.why);
	}
	memcpy(image, good, length);
	find(image, length, "number")[0] = 'm';
	assert_int_equal(load(model, image, length), -EINVAL);
	assert_string_equal(bench.why, "field mumber where number is expected");
	/* Each within its limits, but not together. */
	memcpy(image, good, length);
	find(image, length, "number")[6 + 5] = 5;
	find(image, length, "phase")[5 + 5] = PHASE_TWO;
	assert_int_equal(load(model, image, length), -EINVAL);
	assert_string_equal(bench.why, "model: fields contradict each other");
	/* One byte too many, and every length that is too short. */
	good[length] = 0;
	assert_int_equal(load(model, good, length + 1), -EINVAL);
	assert_string_equal(bench.why, "1 bytes too many");
	for (i = 0; i < length; i++)
		assert_int_equal(load(model, good, i), -EINVAL);
	assert_int_equal(model->restored, 0);
	assert_int_equal(load(model, good, length), 0);
	/* Older and newer versions are strangers. */
	model_init(&bench.model[1], &newer_ops);
	assert_int_equal(load(&bench.model[1], good, length), -EINVAL);
	assert_string_equal(bench.why, "model: version 3 instead of 4");
}

/* ---- All devices ------------------------------------------------------- */

static int list_load(const uint8_t *image, size_t length)
{
	bench.why[0] = '\0';
	return device_list_load(&bench.list, image, length, bench.scratch,
				bench.why, sizeof(bench.why));
}

static void test_list(void **state)
{
	uint8_t image[1000];
	size_t length;

	(void)state;
	assert_int_equal(bench.model[1].device.instance, 1);
	assert_int_equal(device_list_scratch(&bench.list),
			 sizeof(struct model_state));
	bench.b.now_ns = 1000;
	bench.model[0].state.kept = 10;
	bench.model[1].state.kept = 11;
	clock_timer_arm(&bench.b.clock, &bench.model[1].timer, 1500);
	assert_int_equal(
		device_list_save(&bench.list, image, sizeof(image), &length),
		0);
	/* Another board, at another time. */
	setup(NULL);
	bench.b.now_ns = 77;
	assert_int_equal(list_load(image, length), 0);
	assert_int_equal(bench.b.now_ns, 1000);
	assert_int_equal(bench.model[0].state.kept, 10);
	assert_int_equal(bench.model[1].state.kept, 11);
	assert_int_equal(bench.model[0].restored, 1);
	bench_step(&bench.b, 500);
	assert_int_equal(bench.model[1].expired, 1);
	bench.model[1].is_busy = true;
	assert_int_equal(
		device_list_save(&bench.list, image, sizeof(image), &length),
		-EAGAIN);
}

/* A fault in the last device leaves the first one alone, and the time. */
static void test_list_refused(void **state)
{
	uint8_t image[1000];
	size_t length, i;

	(void)state;
	bench.b.now_ns = 1000;
	bench.model[0].state.kept = 10;
	assert_int_equal(
		device_list_save(&bench.list, image, sizeof(image), &length),
		0);
	setup(NULL);
	for (i = 0; i < length; i++) {
		assert_int_equal(list_load(image, i), -EINVAL);
		assert_true(bench.why[0]);
	}
	assert_int_equal(list_load(image, length + 1), -EINVAL);
	assert_int_equal(bench.model[0].state.kept, 9);
	assert_int_equal(bench.b.now_ns, 0);
	bench.b.clock.now_set = NULL;
	assert_int_equal(list_load(image, length), -EINVAL);
	assert_string_equal(bench.why, "the clock cannot be set");
	bench.b.clock.now_set = now_set;
	bench.list.count = 1;
	assert_int_equal(list_load(image, length), -EINVAL);
	assert_string_equal(bench.why, "image: devices 2 instead of 1");
	while (!device_list_add(&bench.list, &bench.model[1].device))
		;
	assert_int_equal(bench.list.count, DEVICES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_table, setup),
		cmocka_unit_test_setup(test_table_errors, setup),
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_timer, setup),
		cmocka_unit_test_setup(test_save, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_list, setup),
		cmocka_unit_test_setup(test_list_refused, setup),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
