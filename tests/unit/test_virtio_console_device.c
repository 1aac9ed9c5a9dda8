/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio console's device side. */
#include "tests/unit/virtio_test.h"

#include "devices/virtio_console.h"
#include "include/virtio_console.h"

#define SIZE	  16 /* of queues */
#define MULTIPORT BIT(VIRTIO_CONSOLE_F_MULTIPORT)
#define BUFFER	  (VT_DATA + 0x1000)
#define EMERGENCY \
	(VT_CONFIG + offsetof(struct virtio_console_layout, emergency))

static struct {
	struct virtio_console console;
	struct far {
		char output[3 * VIRTIO_CONSOLE_RUN];
		size_t length, largest;
		char input[2048];
		size_t waiting, given;
	} far[VIRTIO_CONSOLE_PORTS];
} bench;

static void write_out(void *ctx, const void *data, size_t length)
{
	struct far *far = ctx;

	assert_true(length && far->length + length <= sizeof(far->output));
	memcpy(far->output + far->length, data, length);
	far->length += length;
	far->largest = MAX(far->largest, length);
}

static size_t read_in(void *ctx, void *data, size_t size)
{
	struct far *far = ctx;
	size_t n = MIN(size, far->waiting - far->given);

	memcpy(data, far->input + far->given, n);
	far->given += n;
	return n;
}

static void plug(bool is_second)
{
	struct virtio_console_config config = {
		.pci = &v.pci,
		.ram = &v.ram,
		.clock = &v.b.clock,
		.devfn = VT_DEVFN,
		.is_transitional = true,
		.port_count = 2,
	};

	vt_begin();
	memset(&bench, 0, sizeof(bench));
	for (unsigned i = 0; i < 2; i++)
		config.port[i] = (struct virtio_console_port_config){
			.name = i ? "log" : NULL,
			.output = { write_out, &bench.far[i] },
			.input = read_in,
			.is_second = is_second,
		};
	assert_int_equal(virtio_console_init(&bench.console, &config), 0);
	vt_plug();
}

static void start(uint64_t features)
{
	vt_handshake(VT_DEFAULT | features);
	for (unsigned i = 0; i < (features & MULTIPORT ? 6 : 2); i++)
		vt_queue_setup(i, SIZE);
	vt_driver_ok();
}

static int setup(void **state)
{
	(void)state;
	plug(false);
	return 0;
}

static uint16_t say(unsigned queue, const void *bytes, uint32_t length)
{
	uint16_t id;

	memcpy(v.bytes + VT_DATA, bytes, length);
	vt_out(VT_DATA, length);
	id = vt_add(queue);
	vt_kick(queue);
	return id;
}

static void type(unsigned port, const char *text)
{
	struct far *far = &bench.far[port];

	memcpy(far->input + far->waiting, text, strlen(text));
	far->waiting += strlen(text);
	virtio_console_input(&bench.console, port);
}

static uint16_t give(unsigned queue, uint32_t length)
{
	uint16_t id;

	vt_in(BUFFER, length);
	id = vt_add(queue);
	vt_kick(queue);
	return id;
}

static void expect_output(unsigned port, const char *text)
{
	assert_int_equal(bench.far[port].length, strlen(text));
	assert_memory_equal(bench.far[port].output, text, strlen(text));
	bench.far[port].length = 0;
}

static void test_config(void **state)
{
	(void)state;
	assert_true(vt_offered() & MULTIPORT);
	assert_true(vt_offered() & BIT(VIRTIO_CONSOLE_F_EMERG_WRITE));
	assert_true(vt_offered() & BIT(VIRTIO_CONSOLE_F_SIZE));
	assert_int_equal(vt_read(VT_CONFIG, 4), 0);
	assert_int_equal(vt_read(VT_CONFIG + 4, 4), 2);
	/* Before there is a queue; a byte each. */
	vt_write(EMERGENCY, 4, 'o');
	vt_write(EMERGENCY, 4, 0x1200 | 'h');
	expect_output(0, "oh");
	assert_int_equal(vt_read(EMERGENCY, 4), 0);
}

static void test_output(void **state)
{
	(void)state;
	start(0);
	assert_int_equal(vt_expect(VIRTIO_CONSOLE_TRANSMIT,
				   say(VIRTIO_CONSOLE_TRANSMIT, "hello", 5)),
			 0);
	expect_output(0, "hello");
	/* In pieces, and several at once: each in one go. */
	memcpy(v.bytes + VT_DATA, "abcdef", 6);
	vt_out(VT_DATA, 2);
	vt_out(VT_DATA + 2, 4);
	(void)vt_add(VIRTIO_CONSOLE_TRANSMIT);
	vt_out(VT_DATA, 1);
	(void)vt_add(VIRTIO_CONSOLE_TRANSMIT);
	vt_kick(VIRTIO_CONSOLE_TRANSMIT);
	expect_output(0, "abcdefa");
	assert_int_equal(bench.far[1].length, 0);
}

static void test_input(void **state)
{
	uint16_t id;

	(void)state;
	start(0);
	type(0, "one");
	assert_int_equal(bench.far[0].given, 0);
	id = give(VIRTIO_CONSOLE_RECEIVE, 2);
	assert_int_equal(vt_expect(VIRTIO_CONSOLE_RECEIVE, id), 2);
	assert_memory_equal(v.bytes + BUFFER, "on", 2);
	id = give(VIRTIO_CONSOLE_RECEIVE, 64);
	assert_int_equal(vt_expect(VIRTIO_CONSOLE_RECEIVE, id), 1);
	/* The other way around: the buffer waits, without a kick. */
	id = give(VIRTIO_CONSOLE_RECEIVE, 64);
	vt_expect_none(VIRTIO_CONSOLE_RECEIVE);
	assert_false(vt_is_kick_wanted(VIRTIO_CONSOLE_RECEIVE, 0));
	type(0, "two");
	assert_int_equal(vt_expect(VIRTIO_CONSOLE_RECEIVE, id), 3);
	assert_memory_equal(v.bytes + BUFFER, "two", 3);
}

/* What another device has until the driver says something here. */
static void test_second(void **state)
{
	uint16_t id;

	(void)state;
	plug(true);
	start(0);
	id = give(VIRTIO_CONSOLE_RECEIVE, 64);
	type(0, "keys");
	assert_int_equal(bench.far[0].given, 0);
	assert_false(virtio_console_has_spoken(&bench.console, 0));
	(void)say(VIRTIO_CONSOLE_TRANSMIT, "$", 1);
	assert_true(virtio_console_has_spoken(&bench.console, 0));
	assert_int_equal(vt_expect(VIRTIO_CONSOLE_RECEIVE, id), 4);
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	assert_false(virtio_console_has_spoken(&bench.console, 0));
}

/* More than is to be done in one go, by one buffer and by many. */
static void test_long(void **state)
{
	struct far *far = &bench.far[0];
	uint32_t size = 2 * VIRTIO_CONSOLE_RUN + 100;

	(void)state;
	start(0);
	for (uint32_t i = 0; i < size; i++)
		v.bytes[VT_DATA + i] = (uint8_t)(i * 7);
	vt_out(VT_DATA, 30);
	vt_out(VT_DATA + 30, size - 30);
	(void)vt_add(VIRTIO_CONSOLE_TRANSMIT);
	vt_kick(VIRTIO_CONSOLE_TRANSMIT);
	assert_int_equal(far->length, VIRTIO_CONSOLE_RUN);
	vt_expect_none(VIRTIO_CONSOLE_TRANSMIT);
	bench_step(&v.b, 1);
	assert_int_equal(far->length, 2 * VIRTIO_CONSOLE_RUN);
	bench_step(&v.b, 1);
	assert_int_equal(far->length, size);
	assert_memory_equal(far->output, v.bytes + VT_DATA, size);
	assert_int_equal(vt_expect(VIRTIO_CONSOLE_TRANSMIT, 0), 0);
	bench_step(&v.b, NSEC_PER_SEC);
	assert_int_equal(far->length, size);
	/* Half of one when the driver goes: the next begins at its start. */
	vt_out(VT_DATA, size);
	(void)vt_add(VIRTIO_CONSOLE_TRANSMIT);
	far->length = 0;
	vt_kick(VIRTIO_CONSOLE_TRANSMIT);
	start(0);
	far->length = 0;
	(void)say(VIRTIO_CONSOLE_TRANSMIT, "new", 3);
	expect_output(0, "new");
	bench_step(&v.b, NSEC_PER_SEC);
	assert_int_equal(far->length, 0);
}

/* ---- Ports --------------------------------------------------------------- */

static void control(uint32_t port, uint16_t event, uint16_t value)
{
	const struct virtio_console_control message = { port, event, value };

	(void)vt_expect(VIRTIO_CONSOLE_CONTROL_TRANSMIT,
			say(VIRTIO_CONSOLE_CONTROL_TRANSMIT, &message,
			    sizeof(message)));
}

static void expect_told(uint32_t port, uint16_t event, const char *name)
{
	const struct virtio_console_control want = { port, event, 1 };
	uint16_t id = give(VIRTIO_CONSOLE_CONTROL_RECEIVE, 64);

	assert_int_equal(vt_expect(VIRTIO_CONSOLE_CONTROL_RECEIVE, id),
			 sizeof(want) + strlen(name));
	assert_memory_equal(v.bytes + BUFFER, &want, sizeof(want));
	assert_memory_equal(v.bytes + BUFFER + sizeof(want), name,
			    strlen(name));
}

static void test_ports(void **state)
{
	uint16_t id;

	(void)state;
	start(MULTIPORT);
	control(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_told(0, VIRTIO_CONSOLE_PORT_ADD, "");
	expect_told(1, VIRTIO_CONSOLE_PORT_ADD, "");
	control(1, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_told(1, VIRTIO_CONSOLE_PORT_NAME, "log");
	expect_told(1, VIRTIO_CONSOLE_PORT_OPEN, "");
	control(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_told(0, VIRTIO_CONSOLE_CONSOLE_PORT, "");
	expect_told(0, VIRTIO_CONSOLE_PORT_OPEN, "");
	/* Ports that there are none, and words that make no sense. */
	control(2, VIRTIO_CONSOLE_PORT_READY, 1);
	control(UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
	control(0, 77, 1);
	(void)say(VIRTIO_CONSOLE_CONTROL_TRANSMIT, "", 1);
	(void)vt_take(VIRTIO_CONSOLE_CONTROL_TRANSMIT, &(uint32_t){ 0 },
		      &(uint32_t){ 0 });
	assert_int_equal(vt_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
	/* Input waits until it is opened. */
	id = give(VIRTIO_CONSOLE_RECEIVE_1, 64);
	type(1, "typed");
	vt_expect_none(VIRTIO_CONSOLE_RECEIVE_1);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	assert_int_equal(vt_expect(VIRTIO_CONSOLE_RECEIVE_1, id), 5);
	(void)say(VIRTIO_CONSOLE_TRANSMIT_1, "line", 4);
	expect_output(1, "line");
	assert_int_equal(bench.far[0].length, 0);
	control(1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	(void)give(VIRTIO_CONSOLE_RECEIVE_1, 64);
	type(1, "more");
	vt_expect_none(VIRTIO_CONSOLE_RECEIVE_1);
}

/* Told when the port is ready, and whenever it changes, to who wants it. */
static void test_size(void **state)
{
	const struct virtio_console_control want = { 0, VIRTIO_CONSOLE_RESIZE,
						     1 };
	const uint16_t sizes[2][2] = { { 132, 43 }, { 80, 25 } };
	uint16_t id;

	(void)state;
	virtio_console_size(&bench.console, 132, 43);
	start(MULTIPORT | BIT(VIRTIO_CONSOLE_F_SIZE));
	assert_int_equal(vt_read(VT_CONFIG, 4), 132 | 43 << 16);
	control(0, VIRTIO_CONSOLE_PORT_READY, 1);
	control(1, VIRTIO_CONSOLE_PORT_READY, 1);
	expect_told(0, VIRTIO_CONSOLE_CONSOLE_PORT, "");
	expect_told(0, VIRTIO_CONSOLE_PORT_OPEN, "");
	for (unsigned i = 0; i < 2; i++) {
		id = give(VIRTIO_CONSOLE_CONTROL_RECEIVE, 64);
		assert_int_equal(vt_expect(VIRTIO_CONSOLE_CONTROL_RECEIVE, id),
				 12);
		assert_memory_equal(v.bytes + BUFFER, &want, sizeof(want));
		assert_memory_equal(v.bytes + BUFFER + 8, sizes[i], 4);
		if (i)
			break;
		expect_told(1, VIRTIO_CONSOLE_PORT_NAME, "log");
		expect_told(1, VIRTIO_CONSOLE_PORT_OPEN, "");
		virtio_console_size(&bench.console, 80, 25);
	}
	/* Who does not want it hears nothing; a reset forgets nothing. */
	start(MULTIPORT);
	control(0, VIRTIO_CONSOLE_PORT_READY, 1);
	virtio_console_size(&bench.console, 81, 25);
	expect_told(0, VIRTIO_CONSOLE_CONSOLE_PORT, "");
	expect_told(0, VIRTIO_CONSOLE_PORT_OPEN, "");
	(void)give(VIRTIO_CONSOLE_CONTROL_RECEIVE, 64);
	vt_expect_none(VIRTIO_CONSOLE_CONTROL_RECEIVE);
	assert_int_equal(vt_read(VT_CONFIG, 4), 81 | 25 << 16);
}

/* What is owed is owed once, however often it is asked for. */
static void test_owed(void **state)
{
	(void)state;
	start(MULTIPORT);
	for (unsigned i = 0; i < 1000; i++)
		control(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	expect_told(0, VIRTIO_CONSOLE_PORT_ADD, "");
	expect_told(1, VIRTIO_CONSOLE_PORT_ADD, "");
	(void)give(VIRTIO_CONSOLE_CONTROL_RECEIVE, 64);
	vt_expect_none(VIRTIO_CONSOLE_CONTROL_RECEIVE);
}

static void test_short(void **state)
{
	(void)state;
	start(MULTIPORT);
	control(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	(void)give(VIRTIO_CONSOLE_CONTROL_RECEIVE, 7);
	assert_true(vt_status() & VIRTIO_STATUS_NEEDS_RESET);
	start(MULTIPORT);
	(void)say(VIRTIO_CONSOLE_TRANSMIT, "back", 4);
	expect_output(0, "back");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config), TEST(test_output), TEST(test_input),
		TEST(test_second), TEST(test_long),   TEST(test_ports),
		TEST(test_size),   TEST(test_owed),   TEST(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
