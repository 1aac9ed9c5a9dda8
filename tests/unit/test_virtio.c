/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of virtio devices: capabilities, the handshake, queues,
 * interrupts; legacy ports; all of it through configuration space.
 */
#include "tests/unit/virtio_test.h"

#include "tests/unit/virtio_echo.h"

#define WINDOW 0x84U /* the capability VIRTIO_CAP_PCI */
#define OK                                                  \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | \
	 VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)

static struct echo echo;

static uint32_t config(unsigned offset, unsigned size)
{
	return pci_config_read(&v.pci, VT_DEVFN, offset, size);
}

static void begin(bool is_transitional)
{
	vt_begin();
	assert_int_equal(
		echo_init(&echo, &v.pci, VT_DEVFN, &v.ram, is_transitional), 0);
	vt_plug();
}

static int setup(void **state)
{
	(void)state;
	begin(true);
	return 0;
}

static uint32_t in(unsigned offset, unsigned size)
{
	return (uint32_t)bus_in(&v.b.ports, VT_PORTS + offset, size);
}

static void out(unsigned offset, unsigned size, uint32_t value)
{
	bus_out(&v.b.ports, VT_PORTS + offset, value, size);
}

/* ---- A function of PCI --------------------------------------------------- */

static void test_identity(void **state)
{
	(void)state;
	assert_int_equal(config(0, 4), 0x10011af4);
	assert_int_equal(config(PCI_REVISION_ID, 4), 0x01000000);
	assert_int_equal(config(PCI_SUBSYSTEM_VENDOR_ID, 4), 0x00021af4);
	assert_int_equal(config(PCI_INTERRUPT_PIN, 1), 1);
	begin(false);
	assert_int_equal(config(0, 4), 0x10421af4);
	assert_int_equal(config(PCI_REVISION_ID, 4), 0x01000001);
	assert_int_equal(config(PCI_BAR0, 4), 0);
	assert_int_equal(in(VIRTIO_LEGACY_STATUS, 1), 0xff);
}

static void expect_cap(unsigned at, uint8_t type, uint32_t area, uint32_t size)
{
	assert_int_equal(config(at, 1), 9);
	assert_int_equal(config(at + 3, 1), type);
	assert_int_equal(config(at + 4, 1), 4);
	assert_int_equal(config(at + 8, 4), area);
	assert_int_equal(config(at + 12, 4), size);
}

static void test_capabilities(void **state)
{
	unsigned at = config(PCI_CAPABILITY_LIST, 1), count = 0;

	(void)state;
	while (at) {
		count++;
		at = config(at + 1, 1);
	}
	assert_int_equal(count, 6);
	expect_cap(0x40, 1, 0, 0x3c);
	expect_cap(0x50, 3, 0x1000, 1);
	expect_cap(0x60, 4, 0x2000, 12);
	expect_cap(0x70, 2, 0x3000, 4 * ECHO_QUEUES);
	assert_int_equal(config(0x80, 4), 4);
	assert_int_equal(config(0x84 + 3, 1), 5);
	/* MSI-X: a vector a queue and one. */
	assert_int_equal(config(0x98, 1), 0x11);
	assert_int_equal(config(0x98 + 2, 2), ECHO_QUEUES);
	assert_int_equal(config(0x98 + 4, 4), 1);
	assert_int_equal(config(0x98 + 8, 4), 0x801);
}

/* ---- The handshake ------------------------------------------------------- */

static void test_features(void **state)
{
	uint64_t offered = vt_offered();

	(void)state;
	assert_true(offered & ECHO_F_OWN);
	assert_true(offered & VIRTIO_F_VERSION_1);
	assert_true(offered & VIRTIO_F_RING_PACKED);
	assert_false(offered & VIRTIO_F_ANY_LAYOUT);
	vt_set(VIRTIO_COMMON_OFFERED_SELECT, 4, 2);
	assert_int_equal(vt_get(VIRTIO_COMMON_OFFERED, 4), 0);
	/* Without VERSION_1, and what was not offered. */
	vt_accept(ECHO_F_OWN);
	vt_status_add(VIRTIO_STATUS_FEATURES_OK);
	assert_false(vt_status() & VIRTIO_STATUS_FEATURES_OK);
	vt_accept(VIRTIO_F_VERSION_1 | BIT(60));
	vt_status_add(VIRTIO_STATUS_FEATURES_OK);
	assert_false(vt_status() & VIRTIO_STATUS_FEATURES_OK);
	/* And it does not start like that. */
	vt_driver_ok();
	assert_false(vt_status() & VIRTIO_STATUS_DRIVER_OK);
	assert_int_equal(echo.started, 0);
	vt_accept(VIRTIO_F_VERSION_1 | ECHO_F_OWN);
	vt_status_add(VIRTIO_STATUS_FEATURES_OK);
	assert_true(vt_status() & VIRTIO_STATUS_FEATURES_OK);
	/* From now on they stay. */
	vt_accept(VIRTIO_F_VERSION_1);
	vt_driver_ok();
	assert_int_equal(vt_status() & OK, OK & ~3U);
	assert_int_equal(echo.started, 1);
	assert_true(virtio_has(&echo.virtio, 3));
	vt_set(VIRTIO_COMMON_ACCEPTED_SELECT, 4, 0);
	assert_int_equal(vt_get(VIRTIO_COMMON_ACCEPTED, 4), ECHO_F_OWN);
}

static void test_queue_registers(void **state)
{
	(void)state;
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUES, 2), ECHO_QUEUES);
	vt_set(VIRTIO_COMMON_QUEUE_SELECT, 2, 2);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_SIZE, 2), ECHO_SIZE);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_NOTIFY, 2), 2);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_VECTOR, 2), 0xffff);
	vt_set(VIRTIO_COMMON_QUEUE_VECTOR, 2, ECHO_QUEUES);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_VECTOR, 2), ECHO_QUEUES);
	vt_set(VIRTIO_COMMON_QUEUE_VECTOR, 2, ECHO_QUEUES + 1);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_VECTOR, 2), 0xffff);
	vt_set(VIRTIO_COMMON_QUEUE_SIZE, 2, 2 * ECHO_SIZE);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_SIZE, 2), ECHO_SIZE);
	vt_set(VIRTIO_COMMON_QUEUE_SIZE, 2, 0);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_SIZE, 2), ECHO_SIZE);
	vt_set(VIRTIO_COMMON_QUEUE_DESC, 4, 0x12345670);
	vt_set(VIRTIO_COMMON_QUEUE_DESC + 4, 4, 0x89);
	assert_int_equal(echo.state.virtio.queue[2].descriptors,
			 0x8912345670ULL);
	/* 8 bytes are two registers; fewer than one has are its low ones. */
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_DESC, 8), 0x8912345670ULL);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_DESC, 2), 0x5670);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_DESC + 2, 2), 0);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_SIZE, 1), ECHO_SIZE & 0xff);
	vt_set(VIRTIO_COMMON_QUEUE_SIZE, 1, 8);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_SIZE, 2), ECHO_SIZE);
	/* Enabled it does not change; there is no way back but a reset. */
	vt_set(VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
	vt_set(VIRTIO_COMMON_QUEUE_DESC, 4, 0);
	vt_set(VIRTIO_COMMON_QUEUE_ENABLE, 2, 0);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 1);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_DESC, 4), 0x12345670);
	/* RING_RESET was not accepted. */
	vt_set(VIRTIO_COMMON_QUEUE_RESET, 2, 1);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 1);
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	vt_set(VIRTIO_COMMON_QUEUE_SELECT, 2, 2);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 0);
	/* There is no fourth. */
	vt_set(VIRTIO_COMMON_QUEUE_SELECT, 2, ECHO_QUEUES);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_SIZE, 2), 0);
	vt_set(VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
	assert_int_equal(vt_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 0);
	vt_kick(ECHO_QUEUES);
	vt_kick(1000);
	assert_int_equal(echo.notified, 0);
}

static void start(void)
{
	vt_handshake(VT_DEFAULT);
	for (unsigned i = 0; i < ECHO_QUEUES; i++)
		vt_queue_setup(i, ECHO_SIZE);
	vt_driver_ok();
}

static uint16_t echo_one(unsigned queue)
{
	uint16_t id;

	vt_out(VT_DATA, 8);
	vt_in(VT_DATA + 8, 8);
	id = vt_add(queue);
	vt_kick(queue);
	return id;
}

/* ---- Interrupts ---------------------------------------------------------- */

static void test_intx(void **state)
{
	(void)state;
	start();
	assert_int_equal(vt_expect(0, echo_one(0)), 8);
	assert_true(v.intx);
	assert_int_equal(v.messages, 0);
	assert_int_equal(vt_read(VT_ISR, 1), VIRTIO_EVENT_QUEUE);
	assert_false(v.intx);
	assert_int_equal(vt_read(VT_ISR, 1), 0);
	virtio_config_changed(&echo.virtio);
	assert_true(v.intx);
	assert_int_equal(vt_get(VIRTIO_COMMON_GENERATION, 1), 1);
	assert_int_equal(vt_read(VT_ISR, 1), VIRTIO_EVENT_CONFIG);
	/* A reset takes it back. */
	virtio_config_changed(&echo.virtio);
	vt_set(VIRTIO_COMMON_STATUS, 1, 0);
	assert_false(v.intx);
	assert_int_equal(echo.stopped, 2);
}

static void test_msix(void **state)
{
	(void)state;
	vt_msix(ECHO_QUEUES + 1);
	start();
	vt_set(VIRTIO_COMMON_CONFIG_VECTOR, 2, 0);
	v.messages = 0;
	for (unsigned i = 0; i < ECHO_QUEUES; i++)
		vt_expect(i, echo_one(i));
	assert_int_equal(v.messages, ECHO_QUEUES);
	for (unsigned i = 0; i < ECHO_QUEUES; i++)
		assert_int_equal(v.message[i], i + 1);
	virtio_config_changed(&echo.virtio);
	assert_int_equal(v.message[ECHO_QUEUES], 0);
	assert_false(v.intx);
	assert_true(virtio_is_valid(&echo.virtio, &echo.state.virtio));
	/* Of the configuration alone (VIRTIO 4.1.4.5.1). */
	assert_int_equal(vt_read(VT_ISR, 1), VIRTIO_EVENT_CONFIG);
	assert_int_equal(vt_read(VT_ISR, 1), 0);
	/* No vector: nothing is said. */
	vt_set(VIRTIO_COMMON_QUEUE_SELECT, 2, 0);
	vt_set(VIRTIO_COMMON_QUEUE_VECTOR, 2, 0xffff);
	v.messages = 0;
	vt_want(0, true);
	vt_expect(0, echo_one(0));
	assert_int_equal(v.messages, 0);
}

/* Masked it waits, and comes once. */
static void test_msix_masked(void **state)
{
	(void)state;
	vt_msix(ECHO_QUEUES + 1);
	start();
	v.messages = 0;
	vt_write(VT_MSIX + 16 + 12, 4, 1);
	vt_expect(0, echo_one(0));
	assert_int_equal(v.messages, 0);
	assert_int_equal(vt_read(VT_MSIX + 0x800, 4), 2);
	vt_write(VT_MSIX + 16 + 12, 4, 0);
	assert_int_equal(v.messages, 1);
	assert_int_equal(v.message[0], 1);
}

/* ---- The kind's configuration -------------------------------------------- */

static void test_config(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ECHO_CONFIG; i++)
		echo.state.config[i] = (uint8_t)(0x10 + i);
	assert_int_equal(vt_read(VT_CONFIG, 4), 0x13121110);
	assert_int_equal(vt_read(VT_CONFIG + 1, 2), 0x1211);
	assert_int_equal(vt_read(VT_CONFIG, 8), 0x1716151413121110ULL);
	/* Its end. */
	assert_int_equal(vt_read(VT_CONFIG + 8, 4), 0x1918);
	assert_int_equal(vt_read(VT_CONFIG + 10, 4), 0);
	vt_write(VT_CONFIG + 8, 4, 0);
	assert_int_equal(vt_read(VT_CONFIG + 8, 2), 0x1918);
	vt_write(VT_CONFIG + 8, 2, 0xabcd);
	assert_int_equal(vt_read(VT_CONFIG + 8, 2), 0xabcd);
}

/* ---- Through configuration space ------------------------------------------
 */

static void window_set(uint8_t bar, uint32_t offset, uint32_t size)
{
	vt_config(WINDOW + VIRTIO_CAP_BAR, 1, bar);
	vt_config(WINDOW + VIRTIO_CAP_AREA, 4, offset);
	vt_config(WINDOW + VIRTIO_CAP_AREA_SIZE, 4, size);
}

static void test_window(void **state)
{
	(void)state;
	vt_config(PCI_COMMAND, 2, 0);
	window_set(4, VIRTIO_COMMON_STATUS, 1);
	vt_config(WINDOW + VIRTIO_CAP_DATA, 4, VIRTIO_STATUS_ACKNOWLEDGE);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 1), 1);
	window_set(4, VIRTIO_COMMON_QUEUES, 2);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), ECHO_QUEUES);
	window_set(4, VIRTIO_COMMON_OFFERED, 4);
	assert_int_not_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 0);
	/* The legacy ports, and the table of MSI-X. */
	window_set(0, VIRTIO_LEGACY_STATUS, 1);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 1), 1);
	window_set(1, 12, 4);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 1);
	/* What is none leaves what was there. */
	window_set(4, 0x4000, 4);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 1);
	window_set(4, 0xffffffff, 1);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 1);
	window_set(4, 2, 4);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 1);
	window_set(1, 2, 2);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 1);
	window_set(5, 0, 4);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 1);
	window_set(200, 0, 4);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 1);
	window_set(4, 0, 8);
	vt_config(WINDOW + VIRTIO_CAP_DATA, 4, 7);
	assert_int_equal(config(WINDOW + VIRTIO_CAP_DATA, 4), 7);
}

/* ---- Legacy -------------------------------------------------------------- */

#define LEGACY_PAGE 0x40

static void legacy_start(unsigned queue)
{
	struct vt_ring *ring = &v.ring[queue];
	struct virtq_desc *desc = (void *)(v.bytes + LEGACY_PAGE * 4096);

	*ring = (struct vt_ring){
		.size = ECHO_SIZE,
		.descriptors = LEGACY_PAGE * 4096,
		.driver = LEGACY_PAGE * 4096 + 16 * ECHO_SIZE,
		.device = LEGACY_PAGE * 4096 + 4096,
	};
	for (uint16_t i = 0; i < ECHO_SIZE; i++)
		desc[i].next = (uint16_t)(i + 1);
	v.features = 0;
	out(VIRTIO_LEGACY_STATUS, 1, 0);
	out(VIRTIO_LEGACY_STATUS, 1, 3);
	out(VIRTIO_LEGACY_ACCEPTED, 4, ECHO_F_OWN | VIRTIO_F_ANY_LAYOUT);
	out(VIRTIO_LEGACY_QUEUE_SELECT, 2, queue);
	assert_int_equal(in(VIRTIO_LEGACY_QUEUE_SIZE, 2), ECHO_SIZE);
	assert_int_equal(in(VIRTIO_LEGACY_QUEUE_PAGE, 4), 0);
	out(VIRTIO_LEGACY_QUEUE_PAGE, 4, LEGACY_PAGE);
	assert_int_equal(in(VIRTIO_LEGACY_QUEUE_PAGE, 4), LEGACY_PAGE);
	out(VIRTIO_LEGACY_STATUS, 1, 7);
}

static void test_legacy(void **state)
{
	uint16_t id;

	(void)state;
	assert_true(in(VIRTIO_LEGACY_OFFERED, 4) & VIRTIO_F_ANY_LAYOUT);
	legacy_start(1);
	assert_int_equal(in(VIRTIO_LEGACY_STATUS, 1), 7);
	assert_int_equal(echo.started, 1);
	assert_true(virtio_has(&echo.virtio, 3));
	assert_false(virtio_has(&echo.virtio, 32));
	vt_out(VT_DATA, 8);
	vt_in(VT_DATA + 8, 8);
	id = vt_add(1);
	out(VIRTIO_LEGACY_QUEUE_NOTIFY, 2, 1);
	assert_int_equal(vt_expect(1, id), 8);
	assert_true(v.intx);
	assert_int_equal(in(VIRTIO_LEGACY_ISR, 1), VIRTIO_EVENT_QUEUE);
	assert_false(v.intx);
	/* The page 0 is the queue's end. */
	out(VIRTIO_LEGACY_QUEUE_PAGE, 4, 0);
	assert_int_equal(echo.queue_stopped, 1);
	out(VIRTIO_LEGACY_QUEUE_NOTIFY, 2, 1);
	assert_int_equal(in(VIRTIO_LEGACY_QUEUE_SELECT, 2), 1);
}

/* Two registers more come before it while MSI-X is on. */
static void test_legacy_config(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ECHO_CONFIG; i++)
		echo.state.config[i] = (uint8_t)(0x10 + i);
	assert_int_equal(in(0x14, 4), 0x13121110);
	assert_int_equal(in(0x1d, 1), 0x19);
	assert_int_equal(in(0x1e, 1), 0);
	vt_msix(ECHO_QUEUES + 1);
	assert_int_equal(in(0x18, 4), 0x13121110);
	assert_int_equal(in(0x14, 2), 0xffff);
	out(0x14, 2, 1);
	assert_int_equal(in(0x14, 2), 1);
	out(0x16, 2, 99);
	assert_int_equal(in(0x16, 2), 0xffff);
	legacy_start(0);
	out(0x16, 2, 2);
	v.messages = 0;
	vt_out(VT_DATA, 8);
	vt_in(VT_DATA + 8, 8);
	vt_add(0);
	out(VIRTIO_LEGACY_QUEUE_NOTIFY, 2, 0);
	assert_int_equal(v.messages, 1);
	assert_int_equal(v.message[0], 2);
}

/* A page that is none breaks it, and no more. */
static void test_legacy_bad(void **state)
{
	(void)state;
	out(VIRTIO_LEGACY_STATUS, 1, 3);
	out(VIRTIO_LEGACY_QUEUE_PAGE, 4, 0xffffffff);
	out(VIRTIO_LEGACY_STATUS, 1, 7);
	assert_int_equal(in(VIRTIO_LEGACY_STATUS, 1),
			 7 | VIRTIO_STATUS_NEEDS_RESET);
	legacy_start(0);
	assert_int_equal(in(VIRTIO_LEGACY_STATUS, 1), 7);
}

/* The board's reset: as it was made. */
static void test_reset(void **state)
{
	(void)state;
	vt_msix(ECHO_QUEUES + 1);
	start();
	device_reset(&echo.device);
	assert_int_equal(echo.stopped, 2);
	assert_int_equal(vt_get(VIRTIO_COMMON_STATUS, 1), 0xff);
	vt_plug();
	assert_int_equal(vt_status(), 0);
	assert_int_equal(config(0x98 + 2, 2), ECHO_QUEUES);
	start();
	vt_expect(0, echo_one(0));
}

static void test_refused(void **state)
{
	struct virtio_config bad = echo.virtio.config;
	static struct echo other;

	(void)state;
	bad.queue_count = VIRTIO_QUEUES + 1;
	assert_int_equal(virtio_init(&other.virtio, &bad, &other.state.virtio),
			 -EINVAL);
	bad.queue_count = 1;
	bad.queue_size = 12;
	assert_int_equal(virtio_init(&other.virtio, &bad, &other.state.virtio),
			 -EINVAL);
	bad.queue_size = 16;
	assert_int_equal(virtio_init(&other.virtio, &bad, &other.state.virtio),
			 -EEXIST);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_identity),	  TEST(test_capabilities),
		TEST(test_features),	  TEST(test_queue_registers),
		TEST(test_intx),	  TEST(test_msix),
		TEST(test_msix_masked),	  TEST(test_config),
		TEST(test_window),	  TEST(test_legacy),
		TEST(test_legacy_config), TEST(test_legacy_bad),
		TEST(test_reset),	  TEST(test_refused),
	};

	return cmocka_run_group_tests_name("virtio", tests, NULL, NULL);
}
