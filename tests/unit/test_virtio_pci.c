/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/virtio_pci.c on a device of tests/unit/fake/virtio: how it is found,
 * started and reset, and what becomes of one that lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/virtio_pci.h"
#include "include/errno.h"
#include "tests/unit/fake/virtio/device.h"

#define KIND	 2
#define QUEUE_AT 0x40000ULL

static uint8_t memory[KIB(16)] __aligned(4096);

static struct bench {
	struct fake_virtio device;
	struct virtio_pci virtio;
} bench;

static int setup(void **state)
{
	(void)state;
	fake_virtio_fini(&bench.device);
	memset(&bench, 0, sizeof(bench));
	memset(memory, 0, sizeof(memory));
	bench.device.memory = (struct fake_memory){
		.count = 1,
		.region = { { memory, QUEUE_AT, sizeof(memory) } },
	};
	fake_virtio_init(&bench.device, KIND);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_virtio_fini(&bench.device);
	return 0;
}

static int probe(void)
{
	return virtio_pci_probe(&bench.virtio, &bench.device.access, KIND);
}

static void refused(int error, const char *why)
{
	assert_int_equal(probe(), error);
	assert_non_null(bench.virtio.why);
	assert_non_null(strstr(bench.virtio.why, why));
}

static void ready(void)
{
	assert_int_equal(probe(), 0);
	assert_int_equal(virtio_pci_reset(&bench.virtio), 0);
	assert_int_equal(
		virtio_pci_features(&bench.virtio, VIRTIO_F_EVENT_IDX | BIT(5)),
		0);
}

static uint8_t *cap(unsigned type)
{
	return &bench.device.pci_config[FAKE_CAP(type)];
}

/* ---- Finding it -----------------------------------------------------------
 */

static void test_found(void **state)
{
	(void)state;
	assert_int_equal(probe(), 0);
	assert_null(bench.virtio.why);
	assert_ptr_equal(bench.virtio.common.va, bench.device.bar);
	assert_ptr_equal(bench.virtio.isr.va, bench.device.bar + FAKE_ISR);
	assert_ptr_equal(bench.virtio.notify.va,
			 bench.device.bar + FAKE_NOTIFY);
	assert_ptr_equal(bench.virtio.device.va,
			 bench.device.bar + FAKE_CONFIG);
	assert_int_equal(bench.virtio.notify_multiplier, 4);
	/* Memory is on; bus mastering not before the device was reset. */
	assert_int_equal(bench.device.pci_config[4] & 6, 2);
	ready();
	assert_int_equal(bench.device.pci_config[4] & 6, 6);
	assert_int_equal(virtio_pci_dma_off(&bench.virtio), 0);
	assert_int_equal(bench.device.pci_config[4] & 6, 2);
}

static void test_other(void **state)
{
	uint8_t *config = bench.device.pci_config;

	(void)state;
	config[0] = 0x86;
	refused(-ENODEV, "another kind");
	config[0] = 0xf4;
	config[2] = 0x41; /* a network card */
	refused(-ENODEV, "another kind");
	config[2] = 0x82;
	refused(-ENODEV, "another kind");
	memset(config, 0xff, 256);
	refused(-ENODEV, "another kind");
}

/* One that can be both is driven as a modern one. */
static void test_transitional(void **state)
{
	uint8_t *config = bench.device.pci_config;

	(void)state;
	memcpy(&config[2], "\x01\x10", 2);
	assert_int_equal(probe(), 0);
	config[0x2e] = 1;
	refused(-ENODEV, "another kind");
}

static void test_legacy(void **state)
{
	uint8_t *config = bench.device.pci_config;

	(void)state;
	memcpy(&config[2], "\x01\x10", 2);
	config[0x34] = FAKE_CAP_MSIX;
	refused(-ENODEV, "legacy");
	config[6] = 0; /* no capabilities at all */
	refused(-ENODEV, "legacy");
	setup(NULL);
	bench.device.offered = BIT(28);
	assert_int_equal(probe(), 0);
	assert_int_equal(virtio_pci_reset(&bench.virtio), 0);
	assert_int_equal(virtio_pci_features(&bench.virtio, 0), -ENODEV);
	assert_non_null(strstr(bench.virtio.why, "VERSION_1"));
	assert_true(bench.device.status & 0x80);
}

static void test_fixed_command(void **state)
{
	(void)state;
	bench.device.is_command_fixed = true;
	refused(-ENODEV, "turned on");
	bench.device.pci_config[4] = 2;
	assert_int_equal(probe(), 0);
	assert_int_equal(virtio_pci_reset(&bench.virtio), 0);
	assert_int_equal(virtio_pci_features(&bench.virtio, 0), -ENODEV);
	assert_non_null(strstr(bench.virtio.why, "bus master"));
	assert_int_equal(virtio_pci_dma_off(&bench.virtio), 0);
	bench.device.pci_config[4] = 6;
	assert_int_equal(virtio_pci_dma_off(&bench.virtio), -EIO);
	assert_non_null(strstr(bench.virtio.why, "stays"));
	/* It is gone. */
	memset(&bench.device.pci_config[4], 0xff, 2);
	assert_int_equal(virtio_pci_dma_off(&bench.virtio), 0);
}

/* ---- Capabilities that are wrong ------------------------------------------
 */

static void test_loop(void **state)
{
	(void)state;
	cap(4)[1] = FAKE_CAP(1);
	refused(-EPROTO, "endless");
	cap(1)[1] = FAKE_CAP(1);
	refused(-EPROTO, "endless");
	/* An odd pointer, and one into the header, which ends the list. */
	setup(NULL);
	cap(4)[1] |= 3;
	assert_int_equal(probe(), 0);
	cap(3)[1] = 0x10;
	refused(-EPROTO, "lacks");
}

static void test_missing(void **state)
{
	(void)state;
	for (unsigned type = 1; type <= 4; type++) {
		setup(NULL);
		cap(type)[0] = 5;
		refused(type == 1 ? -ENODEV : -EPROTO,
			type == 1 ? "legacy" : "lacks");
		/* Kinds and BARs that nobody knows are passed over. */
		setup(NULL);
		cap(type)[3] = 77;
		refused(type == 1 ? -ENODEV : -EPROTO, "");
		setup(NULL);
		cap(type)[4] = 6;
		refused(type == 1 ? -ENODEV : -EPROTO, "");
		/* Ports, or nothing. */
		setup(NULL);
		cap(type)[4] = 0;
		refused(type == 1 ? -ENODEV : -EPROTO, "");
		/* The capability itself is cut short. */
		setup(NULL);
		cap(type)[2]--;
		refused(type == 1 ? -ENODEV : -EPROTO, "");
	}
}

static void test_outside(void **state)
{
	static const struct {
		uint32_t offset, length;
	} bad[] = {
		{ FAKE_BAR_SIZE, 1 },	  { FAKE_BAR_SIZE - 0x38, 0x3c },
		{ 0, FAKE_BAR_SIZE + 4 }, { 0xfffff000, 0x2000 },
		{ 0x1000, 0xfffff000 },	  { 0xfffffffc, 0xffffffff },
	};

	(void)state;
	for (unsigned type = 1; type <= 4; type++)
		for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
			setup(NULL);
			fake_virtio_cap(&bench.device, type, FAKE_BAR,
					bad[i].offset, bad[i].length);
			refused(-EPROTO, "outside of their BAR");
		}
}

/* vectors: of its table, which is at table; pending bits at pending. */
static void msix_put(unsigned vectors, uint32_t table, uint32_t pending)
{
	uint8_t *msix = &bench.device.pci_config[FAKE_CAP_MSIX];

	msix[2] = (uint8_t)(vectors - 1);
	msix[3] = (uint8_t)((vectors - 1) >> 8);
	memcpy(&msix[4], &table, 4);
	memcpy(&msix[8], &pending, 4);
}

/* Pages that are not mapped: a register in one would be a fault. */
static void test_beside_msix(void **state)
{
	static const struct {
		unsigned vectors;
		uint32_t table, pending;
		bool is_good;
	} at[] = {
		{ 4, 0, 0x800, true }, /* a BAR of its own */
		{ 4, FAKE_BAR | 0x4000, FAKE_BAR | 0x5000, true },
		{ 4, FAKE_BAR | 0x3f80, FAKE_BAR | 0x5000, false },
		{ 4, FAKE_BAR | 0x4000, FAKE_BAR | 0x3ff8, false },
		{ 4, FAKE_BAR | 0x1800, 0, false },
		/* It reaches into another. */
		{ 4, FAKE_BAR | 0xffffff00, 0, true },
		{ 256, 5, FAKE_BAR | 0x2000, false },
		{ 2048, 5, 0x8000, true },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		setup(NULL);
		msix_put(at[i].vectors, at[i].table, at[i].pending);
		assert_int_equal(probe(), 0); /* by INTx */
		bench.device.access.vector_count = 4;
		if (at[i].is_good)
			assert_int_equal(probe(), 0);
		else
			refused(-EPROTO, "in a page of its MSI-X table");
	}
}

static void test_short(void **state)
{
	static const uint32_t least[] = { 0, 0x38, 2, 1, 4 };

	(void)state;
	for (unsigned type = 1; type <= 4; type++) {
		setup(NULL);
		fake_virtio_cap(&bench.device, type, FAKE_BAR, 0x100,
				least[type] - 1);
		refused(-EPROTO, "cut short");
	}
	for (unsigned type = 1; type <= 4; type++) {
		setup(NULL);
		fake_virtio_cap(&bench.device, type, FAKE_BAR, 0x101, 0x100);
		if (type != 3)
			refused(-EPROTO, "misaligned");
		else
			assert_int_equal(probe(), 0);
	}
}

/* The last bytes of configuration space: what does not fit is not read. */
static void test_at_the_end(void **state)
{
	(void)state;
	bench.device.pci_config[FAKE_CAP_MSIX + 1] = 0xfc;
	bench.device.pci_config[0xfc] = 9;
	bench.device.pci_config[0xfd] = 0;
	bench.device.pci_config[0xfe] = 255;
	bench.device.pci_config[0xff] = 1;
	assert_int_equal(probe(), 0);
}

/* The first that can be used. */
static void test_several(void **state)
{
	(void)state;
	/* In place of the MSI-X capability, a second one of common registers;
	 * then the first is in ports, then outside. */
	memcpy(&bench.device.pci_config[0xe0], cap(1), 16);
	bench.device.pci_config[FAKE_CAP(4) + 1] = 0xe0;
	bench.device.pci_config[0xe1] = 0;
	bench.device.pci_config[0xe8] = 0x40;
	assert_int_equal(probe(), 0);
	assert_ptr_equal(bench.virtio.common.va, bench.device.bar);
	cap(1)[4] = 0;
	assert_int_equal(probe(), 0);
	assert_ptr_equal(bench.virtio.common.va, bench.device.bar + 0x40);
	fake_virtio_cap(&bench.device, 1, FAKE_BAR, 0x8000, 0x1000);
	assert_int_equal(probe(), 0);
	assert_null(bench.virtio.why);
}

/* Any configuration space at all: found or refused, with a reason. */
static void test_wild(void **state)
{
	uint64_t random = 88172645463325252;
	unsigned found = 0;

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		fake_virtio_init(&bench.device, KIND);
		for (unsigned i = 0; i < 4; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bench.device.pci_config[0x30 + random % 0xd0] =
				(uint8_t)(random >> 32);
		}
		if (probe())
			assert_non_null(bench.virtio.why);
		else
			found++;
	}
	assert_true(found > 1000 && found < 99000);
}

/* ---- Handshake ------------------------------------------------------------
 */

static void test_handshake(void **state)
{
	(void)state;
	bench.device.offered |= BIT(5) | BIT(6) | VIRTIO_F_ACCESS_PLATFORM |
				VIRTIO_F_ORDER_PLATFORM | BIT(34) | BIT(38);
	ready();
	/* What was asked for, and what a device may insist on. */
	assert_int_equal(bench.device.accepted,
			 VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | BIT(5) |
				 VIRTIO_F_ACCESS_PLATFORM |
				 VIRTIO_F_ORDER_PLATFORM);
	assert_int_equal(bench.virtio.features, bench.device.accepted);
	assert_int_equal(bench.device.status, 0x0b);
	assert_int_equal(virtio_pci_start(&bench.virtio), 0);
	assert_int_equal(bench.device.status, 0x0f);
	assert_false(virtio_pci_needs_reset(&bench.virtio));
	bench.device.status |= 0x40;
	assert_true(virtio_pci_needs_reset(&bench.virtio));
	assert_int_equal(virtio_pci_reset(&bench.virtio), 0);
	assert_int_equal(bench.device.status, 0);
	assert_int_equal(bench.virtio.features, 0);
}

static void test_features_refused(void **state)
{
	(void)state;
	bench.device.is_feature_averse = true;
	assert_int_equal(probe(), 0);
	assert_int_equal(virtio_pci_reset(&bench.virtio), 0);
	assert_int_equal(virtio_pci_features(&bench.virtio, 0), -ENODEV);
	assert_non_null(strstr(bench.virtio.why, "features"));
	assert_true(bench.device.status & 0x80);
}

static void test_dying(void **state)
{
	(void)state;
	bench.device.is_dying = true;
	ready();
	assert_int_equal(virtio_pci_start(&bench.virtio), -EPROTO);
	assert_non_null(strstr(bench.virtio.why, "start"));
}

static void test_slow_reset(void **state)
{
	(void)state;
	assert_int_equal(probe(), 0);
	bench.device.reset_reads = 500;
	assert_int_equal(virtio_pci_reset(&bench.virtio), 0);
	assert_int_equal(bench.device.reset_count, 1);
}

/* However long it takes, a second at most. */
static void test_endless_reset(void **state)
{
	uint64_t begin = bench.device.now_ns;

	(void)state;
	assert_int_equal(probe(), 0);
	bench.device.reset_reads = UINT32_MAX;
	bench.device.step_ns = NSEC_PER_MS;
	assert_int_equal(virtio_pci_reset(&bench.virtio), -EIO);
	assert_non_null(strstr(bench.virtio.why, "reset"));
	assert_true(bench.device.now_ns - begin < 1010 * NSEC_PER_MS);
	assert_int_equal(bench.device.reset_count, 0);
}

/* ---- Queues ---------------------------------------------------------------
 */

static const struct virtio_queue_spec spec = {
	.size = 16,
	.vector = 1,
	.descriptors = QUEUE_AT,
	.available = QUEUE_AT + 0x1000,
	.used = QUEUE_AT + 0x2000,
};

static void test_queue(void **state)
{
	struct virtio_doorbell doorbell;
	const struct fake_queue *queue = &bench.device.queue[2];

	(void)state;
	bench.device.queue_count = 3;
	bench.device.access.vector_count = 2;
	ready();
	assert_int_equal(virtio_pci_queue_max(&bench.virtio, 2), 128);
	assert_int_equal(virtio_pci_queue_max(&bench.virtio, 1), 128);
	assert_int_equal(virtio_pci_queue_max(&bench.virtio, 3), 0);
	assert_int_equal(virtio_pci_config_vector(&bench.virtio, 0), 0);
	assert_int_equal(
		virtio_pci_queue_setup(&bench.virtio, 2, &spec, &doorbell), 0);
	assert_true(queue->is_enabled);
	assert_int_equal(queue->size, 16);
	assert_int_equal(queue->vector, 1);
	assert_int_equal(queue->descriptors, spec.descriptors);
	assert_int_equal(queue->available, spec.available);
	assert_int_equal(queue->used, spec.used);
	assert_int_equal(bench.device.config_vector, 0);
	assert_int_equal(virtio_pci_start(&bench.virtio), 0);
	virtio_pci_notify(&bench.virtio, &doorbell);
	assert_int_equal(queue->notifications, 1);
}

static void test_queue_absent(void **state)
{
	(void)state;
	bench.device.queue[0].max = 0;
	ready();
	assert_int_equal(virtio_pci_queue_max(&bench.virtio, 0), 0);
	setup(NULL);
	bench.device.queue[0].max = 100;
	ready();
	assert_int_equal(virtio_pci_queue_max(&bench.virtio, 0), -EPROTO);
}

static void queue_refused(const char *why)
{
	struct virtio_doorbell doorbell;

	ready();
	assert_int_equal(
		virtio_pci_queue_setup(&bench.virtio, 0, &spec, &doorbell),
		-EPROTO);
	assert_non_null(strstr(bench.virtio.why, why));
	assert_false(bench.device.queue[0].is_enabled);
}

static void test_queue_refused(void **state)
{
	(void)state;
	bench.device.is_size_averse = true;
	queue_refused("size");
	setup(NULL);
	bench.device.access.vector_count = 2;
	bench.device.is_vector_averse = true;
	queue_refused("take its vectors");
	assert_int_equal(virtio_pci_config_vector(&bench.virtio, 0), -EPROTO);
	setup(NULL);
	bench.device.access.vector_count = 1;
	queue_refused("fewer vectors");
}

static void test_doorbell_outside(void **state)
{
	uint32_t multiplier = 0xfffffffe;

	(void)state;
	bench.device.queue[0].notify_offset = 0x400;
	queue_refused("doorbell");
	bench.device.queue[0].notify_offset = 0xffff;
	queue_refused("doorbell");
	memcpy(&cap(2)[16], &multiplier, 4);
	queue_refused("doorbell");
	bench.device.queue[0].notify_offset = 1;
	multiplier = 0xffd;
	memcpy(&cap(2)[16], &multiplier, 4);
	queue_refused("doorbell"); /* odd */
}

/* INTx: what it was about is told once. */
static void test_events(void **state)
{
	(void)state;
	ready();
	assert_int_equal(virtio_pci_events(&bench.virtio), 0);
	bench.device.isr = 0xfd;
	assert_int_equal(virtio_pci_events(&bench.virtio), VIRTIO_EVENT_QUEUE);
	assert_int_equal(virtio_pci_events(&bench.virtio), 0);
	fake_virtio_config_changed(&bench.device);
	fake_virtio_interrupt(&bench.device, 0);
	assert_int_equal(virtio_pci_events(&bench.virtio),
			 VIRTIO_EVENT_QUEUE | VIRTIO_EVENT_CONFIG);
}

/* ---- Its configuration ----------------------------------------------------
 */

static const struct virtio_field fields[] = { { 0, 4 }, { 4, 4 }, { 8, 1 } };

/* All fields are of one generation, in each of which they are equal. */
static void change(struct fake_virtio *device)
{
	uint8_t value = (uint8_t)(device->config[0] + 1);

	memset(device->config, value, FAKE_CONFIG_MAX);
}

static void test_generation(void **state)
{
	uint32_t value[3];

	(void)state;
	bench.device.config_changing = change;
	bench.device.config_changes = 7;
	ready();
	assert_int_equal(virtio_pci_config_get(&bench.virtio, fields, 3, value),
			 0);
	assert_int_equal(value[0], 0x07070707);
	assert_int_equal(value[1], 0x07070707);
	assert_int_equal(value[2], 7);
	bench.device.config_changes = UINT32_MAX;
	assert_int_equal(virtio_pci_config_get(&bench.virtio, fields, 3, value),
			 -EPROTO);
	assert_non_null(strstr(bench.virtio.why, "faster"));
}

static void config_written(struct fake_virtio *device, unsigned offset)
{
	assert_int_equal(offset, 8);
	device->config[offset] ^= 1;
}

static void test_config_end(void **state)
{
	uint32_t value[3];

	(void)state;
	memset(bench.device.config, 0x11, FAKE_CONFIG_MAX);
	fake_virtio_cap(&bench.device, 4, FAKE_BAR, FAKE_CONFIG, 8);
	bench.device.config_written = config_written;
	ready();
	assert_int_equal(virtio_pci_config_get(&bench.virtio, fields, 3, value),
			 0);
	assert_int_equal(value[1], 0x11111111);
	assert_int_equal(value[2], 0);
	assert_int_equal(virtio_pci_config_set(&bench.virtio, 8, 2), -ERANGE);
	fake_virtio_cap(&bench.device, 4, FAKE_BAR, FAKE_CONFIG, 9);
	ready();
	assert_int_equal(virtio_pci_config_set(&bench.virtio, 8, 2), 0);
	assert_int_equal(virtio_pci_config_get(&bench.virtio, fields, 3, value),
			 0);
	assert_int_equal(value[2], 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found),
		TEST(test_other),
		TEST(test_transitional),
		TEST(test_legacy),
		TEST(test_fixed_command),
		TEST(test_loop),
		TEST(test_missing),
		TEST(test_outside),
		TEST(test_short),
		TEST(test_beside_msix),
		TEST(test_at_the_end),
		TEST(test_several),
		TEST(test_wild),
		TEST(test_handshake),
		TEST(test_features_refused),
		TEST(test_dying),
		TEST(test_slow_reset),
		TEST(test_endless_reset),
		TEST(test_queue),
		TEST(test_queue_absent),
		TEST(test_queue_refused),
		TEST(test_doorbell_outside),
		TEST(test_events),
		TEST(test_generation),
		TEST(test_config_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
