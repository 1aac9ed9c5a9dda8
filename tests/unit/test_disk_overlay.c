/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk/overlay.c alone, against a plain array, and under a client:
 * the drive below is never written.
 */
#include "tests/unit/disk_test.h"

#define SPARSE BIT(39)
#define BOUNCE DISK_WHERE_BOUNCE

static struct {
	uint8_t bytes[64 * 4096];
	uint64_t fail_at; /* bytes that can be reached */
} client;

static int from_client(void *ctx, uint64_t offset, void *bytes, uint32_t length)
{
	(void)ctx;
	if (offset + length > client.fail_at)
		return -EFAULT;
	memcpy(bytes, client.bytes + offset, length);
	return 0;
}

static int to_client(void *ctx, uint64_t offset, const void *bytes,
		     uint32_t length)
{
	(void)ctx;
	memcpy(client.bytes + offset, bytes, length);
	return 0;
}

static const struct overlay_copy copy = { from_client, to_client, NULL };

static int overlay_setup(void **state)
{
	client.fail_at = UINT64_MAX;
	pages_out = 0;
	return disk_setup(state);
}

#define SECTORS 4096u

/* What is to be there: 0, not here; else the sector's byte, 1 for zeroes. */
static uint8_t model[SECTORS];

static void sector_check(const uint8_t *bytes, uint8_t is)
{
	assert_int_equal(bytes[0], is == 1 ? 0 : is);
	assert_memory_equal(bytes, bytes + 1, 511);
}

static void read_check(struct overlay *overlay, uint64_t at, uint32_t count)
{
	while (count) {
		bool is_here;
		uint32_t n = overlay_run(overlay, at, count, &is_here);

		assert_true(n > 0 && n <= count);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(is_here, model[at + i] != 0);
		if (is_here) {
			assert_int_equal(overlay_read(overlay, at, n, &copy),
					 0);
			for (uint32_t i = 0; i < n; i++)
				sector_check(client.bytes + i * 512,
					     model[at + i]);
		}
		at += n;
		count -= n;
	}
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct overlay overlay;

		random_state = seed * 0x9e3779b97f4a7c15ULL;
		memset(model, 0, sizeof(model));
		assert_int_equal(overlay_init(&overlay, &fake_overlay_ops, NULL,
					      SECTORS, 1000),
				 0);
		for (unsigned i = 0; i < 300; i++) {
			uint32_t count = 1 + random_below(200), done;
			uint64_t at = random_below(SECTORS - 200);
			uint8_t value = (uint8_t)(2 + random_below(250));

			if (random_below(3)) {
				memset(client.bytes, value, count * 512);
				assert_int_equal(overlay_write(&overlay, at,
							       count, &copy,
							       &done),
						 0);
			} else {
				value = 1;
				assert_int_equal(overlay_clear(&overlay, at,
							       count, false,
							       &done),
						 0);
			}
			assert_int_equal(done, count);
			memset(model + at, value, count);
			read_check(&overlay, random_below(SECTORS - 500), 500);
		}
		assert_int_equal(overlay.pages, pages_out);
		overlay_fini(&overlay);
		assert_int_equal(pages_out, 0);
	}
}

/* A drive of 256 TiB takes five pages for a sector at its end. */
static void test_sparse(void **state)
{
	struct overlay overlay;
	uint32_t done;
	bool is_here;

	(void)state;
	assert_int_equal(
		overlay_init(&overlay, &fake_overlay_ops, NULL, SPARSE + 1, 5),
		-ERANGE);
	assert_int_equal(
		overlay_init(&overlay, &fake_overlay_ops, NULL, SPARSE, 5), 0);
	client.bytes[0] = 77;
	assert_int_equal(overlay_write(&overlay, SPARSE - 1, 1, &copy, &done),
			 0);
	assert_int_equal(pages_out, 5);
	assert_int_equal(overlay_run(&overlay, SPARSE - 2, 2, &is_here), 1);
	assert_false(is_here);
	assert_int_equal(overlay_run(&overlay, SPARSE - 1, 1, &is_here), 1);
	assert_true(is_here);
	assert_int_equal(overlay_run(&overlay, 0, 1 << 20, &is_here), 4096);
	assert_int_equal(overlay_write(&overlay, 0, 1, &copy, &done), -ENOSPC);
	assert_int_equal(done, 0);
	/* Written over, it takes no more. */
	assert_int_equal(overlay_write(&overlay, SPARSE - 1, 1, &copy, &done),
			 0);
	overlay_fini(&overlay);
	assert_int_equal(pages_out, 0);
}

/* Discarding all of a drive takes nothing. */
static void test_discard(void **state)
{
	struct overlay overlay;
	uint32_t done;

	(void)state;
	assert_int_equal(
		overlay_init(&overlay, &fake_overlay_ops, NULL, SPARSE, 5), 0);
	assert_int_equal(overlay_clear(&overlay, 0, 1 << 20, true, &done), 0);
	assert_int_equal(done, 1 << 20);
	assert_int_equal(pages_out, 0);
	assert_int_equal(overlay_clear(&overlay, 0, 8, false, &done), 0);
	assert_int_equal(pages_out, 4);
	overlay_fini(&overlay);
}

static void test_full(void **state)
{
	struct overlay overlay;
	uint32_t done;

	(void)state;
	assert_int_equal(
		overlay_init(&overlay, &fake_overlay_ops, NULL, SECTORS, 11),
		0);
	/* The root, and ten pages of contents. */
	assert_int_equal(overlay_write(&overlay, 4, 512, &copy, &done),
			 -ENOSPC);
	assert_int_equal(done, 4 + 9 * 8);
	/* What is discarded makes room. */
	assert_int_equal(overlay_clear(&overlay, 8, 16, true, &done), 0);
	assert_int_equal(overlay_write(&overlay, 100, 1, &copy, &done), 0);
	assert_int_equal(overlay_write(&overlay, 200, 1, &copy, &done), 0);
	assert_int_equal(overlay_write(&overlay, 300, 1, &copy, &done),
			 -ENOSPC);
	overlay_fini(&overlay);
	assert_int_equal(pages_out, 0);
}

/* Memory that cannot be reached half way: what was not here still is not. */
static void test_fault(void **state)
{
	struct overlay overlay;
	uint32_t done;
	bool is_here;

	(void)state;
	client.fail_at = 4096 + 512;
	assert_int_equal(
		overlay_init(&overlay, &fake_overlay_ops, NULL, SECTORS, 11),
		0);
	assert_int_equal(overlay_write(&overlay, 0, 16, &copy, &done), -EFAULT);
	assert_int_equal(done, 8);
	assert_int_equal(overlay_run(&overlay, 0, 16, &is_here), 8);
	assert_true(is_here);
	overlay_fini(&overlay);
}

/* ---- Under a client ------------------------------------------------------ */

static void overlaid_begin(uint64_t pages)
{
	const struct disk_unit_spec spec = { .first = 64,
					     .count = 4096,
					     .has_overlay = true,
					     .overlay_pages = pages };

	client_add(0);
	assert_int_equal(disk_unit_add(&disk, 1, 0, &spec), 0);
	assert_int_equal(disk_client_start(&disk, 1), 0);
	machine_begin(0, 10);
}

static void test_client(void **state)
{
	(void)state;
	/* Also over what cannot be written. */
	fake[0].info.is_read_only = true;
	service_begin();
	overlaid_begin(100);
	for (unsigned i = 0; i < sizeof(fake[0].cache); i++)
		fake[0].cache[i] = (uint8_t)(i / 512);
	memory_fill(0, BOUNCE, 20 * 512, 200);
	assert_int_equal(ask(0, DISK_OP_WRITE, 13, 20, BOUNCE), 0);
	assert_int_equal(ask(0, DISK_OP_WRITE_ZEROES, 20, 3, 0), 0);
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), 0);
	assert_int_equal(ask(0, DISK_OP_READ, 0, 60, BOUNCE + 10240), 0);
	assert_true(memory_is(0, BOUNCE + 10240, 13 * 512, 64));
	assert_true(memory_is(0, BOUNCE + 10240 + 13 * 512, 7 * 512, 200));
	for (unsigned i = 0; i < 3 * 512; i++)
		assert_int_equal(*memory_at(0, BOUNCE + 10240 + 20 * 512 + i),
				 0);
	assert_true(memory_is(0, BOUNCE + 10240 + 23 * 512, 10 * 512, 210));
	assert_true(memory_is(0, BOUNCE + 10240 + 33 * 512, 27 * 512, 64 + 33));
	assert_int_equal(fake[0].ended[DRIVE_WRITE], 0);
	assert_int_equal(fake[0].ended[DRIVE_WRITE_ZEROES], 0);
	assert_int_equal(fake[0].ended[DRIVE_FLUSH], 0);
	assert_int_equal(machine[0].channel.drive[0].flags &
				 (DISK_DRIVE_CACHE | DISK_DRIVE_BOUNCE),
			 DISK_DRIVE_BOUNCE);
	/* The guest's own memory is none that this program reaches. */
	assert_int_equal(ask(0, DISK_OP_WRITE, 13, 20, 1000), -EFAULT);
	assert_int_equal(ask(0, DISK_OP_READ, 13, 20, 1000), -EFAULT);
	assert_int_equal(disk_client_remove(&disk, 1), 0);
	assert_int_equal(disk_client_gone(&disk), 1);
	assert_int_equal(pages_out, 0);
}

static void test_client_full(void **state)
{
	(void)state;
	overlaid_begin(12);
	assert_int_equal(ask(0, DISK_OP_WRITE, 0, 80, BOUNCE), 0);
	assert_int_equal(ask(0, DISK_OP_WRITE, 80, 80, BOUNCE), -ENOSPC);
	assert_int_equal(ask(0, DISK_OP_WRITE, 0, 80, BOUNCE), 0);
	assert_int_equal(ask(0, DISK_OP_DISCARD, 0, 80, BOUNCE), 0);
	assert_int_equal(ask(0, DISK_OP_WRITE, 80, 80, BOUNCE), 0);
	assert_int_equal(disk_client_remove(&disk, 1), 0);
	assert_int_equal(disk_client_gone(&disk), 1);
	assert_int_equal(pages_out, 0);
}

/* What the overlay has does not need the drive. */
static void test_client_dead(void **state)
{
	(void)state;
	overlaid_begin(100);
	assert_int_equal(ask(0, DISK_OP_WRITE, 8, 16, BOUNCE), 0);
	send(0, 200, DISK_OP_READ, 100, 8, BOUNCE);
	step();
	fake[0].reset_status = -EIO;
	now_ns += DISK_TIMEOUT_NS;
	step();
	assert_int_equal(machine[0].status[200], -EIO);
	assert_int_equal(ask(0, DISK_OP_READ, 8, 16, BOUNCE), 0);
	assert_int_equal(ask(0, DISK_OP_WRITE, 100, 8, BOUNCE), 0);
	assert_int_equal(ask(0, DISK_OP_READ, 100, 8, BOUNCE), 0);
	assert_int_equal(ask(0, DISK_OP_FLUSH, 0, 0, 0), 0);
	assert_int_equal(ask(0, DISK_OP_READ, 16, 16, BOUNCE), -EIO);
	assert_int_equal(disk_client_remove(&disk, 1), 0);
	assert_int_equal(disk_client_gone(&disk), 1);
	assert_int_equal(pages_out, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, overlay_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_random), TEST(test_sparse),	   TEST(test_discard),
		TEST(test_full),   TEST(test_client_dead), TEST(test_fault),
		TEST(test_client), TEST(test_client_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
