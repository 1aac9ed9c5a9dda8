/* SPDX-License-Identifier: BSD-2-Clause */
/* The buses, the clock's timers and guest memory. */
#include "tests/unit/device_test.h"

#include "include/errno.h"

/* Remembers accesses; reads give offset + 1 a byte. */
struct probe {
	struct io_access last;
	unsigned count;
	unsigned bulk_count;
	uint32_t bulk_limit;
};

static void probe_access(void *dev, struct io_access *io)
{
	struct probe *probe = dev;
	unsigned i;

	if (!io->is_write) {
		io->data = ~0xffffffffULL << 16; /* junk above: masked off */
		for (i = 0; i < io->size; i++) {
			io->data &= ~(0xffULL << (8 * i));
			io->data |= (io->offset + i + 1) << (8 * i);
		}
	}
	probe->last = *io;
	probe->count++;
}

static uint32_t probe_bulk(void *dev, struct io_access *io, void *buf,
			   uint32_t count)
{
	struct probe *probe = dev;

	if (count > probe->bulk_limit)
		count = probe->bulk_limit;
	if (!io->is_write)
		memset(buf, 0x5a, count * io->size);
	probe->bulk_count += count;
	return count;
}

static struct io_region region(struct probe *probe, uint64_t base,
			       uint64_t length, uint8_t min, uint8_t max)
{
	return (struct io_region){ .name = "probe",
				   .base = base,
				   .length = length,
				   .fn = probe_access,
				   .dev = probe,
				   .width_min = min,
				   .width_max = max };
}

static void test_lookup(void **state)
{
	static struct bench b;
	struct probe p = { 0 };
	struct io_region r = region(&p, 0x100, 8, 1, 4);

	(void)state;
	bench_init(&b);
	assert_int_equal(bus_add(&b.ports, &r), 0);
	assert_int_equal(bus_in(&b.ports, 0x100, 1), 1);
	assert_int_equal(bus_in(&b.ports, 0x107, 1), 8);
	assert_int_equal(bus_in(&b.ports, 0x106, 2), 0x0807);
	assert_int_equal(bus_in(&b.ports, 0xff, 1), 0xff);
	assert_int_equal(bus_in(&b.ports, 0x108, 4), 0xffffffff);
	assert_true(bus_is_claimed(&b.ports, 0x100));
	assert_false(bus_is_claimed(&b.ports, 0x108));
	assert_true(bus_has_fixed(&b.ports, 0xf9, 8));
	assert_true(bus_has_fixed(&b.ports, 0x107, 1));
	assert_false(bus_has_fixed(&b.ports, 0xf8, 8));
	assert_false(bus_has_fixed(&b.ports, 0x108, 8));
	assert_int_equal(bus_remove(&b.ports, 0x101, &p), -ENOENT);
	assert_int_equal(bus_remove(&b.ports, 0x100, &b), -ENOENT);
	assert_int_equal(bus_remove(&b.ports, 0x100, &p), 0);
	assert_int_equal(bus_in(&b.ports, 0x100, 1), 0xff);
	assert_false(bus_has_fixed(&b.ports, 0xf9, 8));
	r.is_movable = true;
	assert_int_equal(bus_add(&b.ports, &r), 0);
	assert_false(bus_has_fixed(&b.ports, 0xf9, 8));
}

static void test_refusals(void **state)
{
	static struct bench b;
	struct probe p = { 0 };
	struct io_region r = region(&p, 0x100, 8, 1, 4);
	unsigned i;

	(void)state;
	bench_init(&b);
	assert_int_equal(bus_add(&b.ports, &r), 0);
	r.base = 0xf9;
	assert_int_equal(bus_add(&b.ports, &r), -EEXIST);
	r.base = 0x107;
	assert_int_equal(bus_add(&b.ports, &r), -EEXIST);
	r.base = 0xfffc;
	assert_int_equal(bus_add(&b.ports, &r), -EINVAL);
	r.length = 0;
	assert_int_equal(bus_add(&b.ports, &r), -EINVAL);
	r = region(&p, 0x200, 4, 4, 2);
	assert_int_equal(bus_add(&b.ports, &r), -EINVAL);
	r = region(&p, 0x200, 4, 3, 4);
	assert_int_equal(bus_add(&b.ports, &r), -EINVAL);
	for (i = 1; i < BUS_REGIONS; i++) {
		r = region(&p, 0x1000 + 4 * i, 4, 1, 4);
		assert_int_equal(bus_add(&b.ports, &r), 0);
	}
	r = region(&p, 0x8000, 4, 1, 4);
	assert_int_equal(bus_add(&b.ports, &r), -ENOSPC);
}

static void test_widths(void **state)
{
	static struct bench b;
	struct probe byte = { 0 }, dword = { 0 };
	struct io_region r1 = region(&byte, 0x40, 4, 1, 1);
	struct io_region r4 = region(&dword, 0x80, 8, 4, 4);

	(void)state;
	bench_init(&b);
	assert_int_equal(bus_add(&b.ports, &r1), 0);
	assert_int_equal(bus_add(&b.ports, &r4), 0);
	/* Split into what the device takes. */
	assert_int_equal(bus_in(&b.ports, 0x40, 4), 0x04030201);
	assert_int_equal(byte.count, 4);
	bus_out(&b.ports, 0x42, 0xabcd, 2);
	assert_int_equal(byte.last.offset, 3);
	assert_int_equal(byte.last.data, 0xab);
	/* Too narrow: nobody listens. */
	assert_int_equal(bus_in(&b.ports, 0x80, 1), 0xff);
	bus_out(&b.ports, 0x80, 0, 2);
	assert_int_equal(dword.count, 0);
	assert_int_equal(bus_in(&b.ports, 0x84, 4), 0x08070605);
	/* Across the end, from either side. */
	byte.count = 0;
	assert_int_equal(bus_in(&b.ports, 0x43, 2), 0xff04);
	assert_int_equal(bus_in(&b.ports, 0x3f, 2), 0x01ff);
	assert_int_equal(bus_in(&b.ports, 0x3d, 4), 0x01ffffff);
	assert_int_equal(byte.count, 3);
	/* Ports wrap. */
	assert_int_equal(bus_in(&b.ports, 0xffff, 4), 0xffffffff);
}

static void test_memory(void **state)
{
	static const uint64_t bases[] = { 0x3000, 0x1000, 0x100000000000,
					  0x2000, 0xfec00000 };
	static struct bench b;
	struct probe p[ARRAY_SIZE(bases)] = { 0 };
	unsigned i;

	(void)state;
	bench_init(&b);
	assert_int_equal(bus_in(&b.memory, 0x1000, 8), ~0ULL);
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		struct io_region r = region(&p[i], bases[i], 0x800, 1, 8);

		assert_int_equal(bus_add(&b.memory, &r), 0);
	}
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		assert_int_equal(bus_in(&b.memory, bases[i] + 0x10, 1), 0x11);
		assert_int_equal(p[i].count, 1);
		assert_int_equal(bus_in(&b.memory, bases[i] + 0x800, 4),
				 0xffffffff);
		assert_int_equal(bus_in(&b.memory, bases[i] - 1, 1), 0xff);
	}
	assert_int_equal(bus_in(&b.memory, 0x17ff, 2) & 0xff00, 0xff00);
	assert_int_equal(bus_remove(&b.memory, 0x2000, &p[3]), 0);
	assert_int_equal(bus_in(&b.memory, 0x2000, 1), 0xff);
	assert_int_equal(bus_in(&b.memory, 0x3000, 1), 1);
	assert_int_equal(bus_in(&b.memory, ~0ULL, 8), ~0ULL);
	assert_int_equal(bus_in(&b.memory, ~0ULL, 8), ~0ULL);
	/* What was a hole may be filled. */
	assert_int_equal(bus_in(&b.memory, 0x1ffc, 8), ~0ULL);
	assert_int_equal(bus_in(&b.memory, 0x2ffc, 8), 0x04030201ffffffff);
	{
		struct io_region r = region(&p[3], 0x2000, 0x800, 1, 8);

		assert_int_equal(bus_add(&b.memory, &r), 0);
	}
	assert_int_equal(bus_in(&b.memory, 0x1ffc, 8), 0x04030201ffffffff);
	assert_int_equal(bus_in(&b.memory, 0x2010, 1), 0x11);
	/* Wide accesses to narrow memory. */
	assert_int_equal(bus_in(&b.memory, 0x1000, 8), 0x0807060504030201);
}

static void test_bulk(void **state)
{
	static struct bench b;
	struct probe p = { .bulk_limit = 3 };
	struct io_region r = region(&p, 0x1f0, 8, 1, 4);
	struct io_access io = { .offset = 0x1f0, .size = 2 };
	uint16_t buf[8];
	unsigned i;

	(void)state;
	bench_init(&b);
	r.bulk = probe_bulk;
	assert_int_equal(bus_add(&b.ports, &r), 0);
	memset(buf, 0, sizeof(buf));
	bus_access_bulk(&b.ports, &io, buf, 5);
	assert_int_equal(p.bulk_count, 3);
	assert_int_equal(p.count, 2);
	for (i = 0; i < 5; i++)
		assert_int_equal(buf[i], i < 3 ? 0x5a5a : 0x0201);
	assert_int_equal(buf[5], 0);
	io.offset = 0x300;
	bus_access_bulk(&b.ports, &io, buf, 8);
	for (i = 0; i < 8; i++)
		assert_int_equal(buf[i], 0xffff);
	/* The second byte has an owner. */
	io.offset = 0x1ef;
	bus_access_bulk(&b.ports, &io, buf, 2);
	assert_int_equal(buf[1], 0x01ff);
	io.offset = 0x1f4;
	io.is_write = true;
	p.bulk_limit = 0;
	buf[7] = 0x1234;
	bus_access_bulk(&b.ports, &io, buf, 8);
	assert_int_equal(p.last.data, 0x1234);
}

static void test_write_run(void **state)
{
	static struct bench b;
	struct probe p = { .bulk_limit = 3 };
	struct io_region r = region(&p, 0x1000, 0x10, 1, 4);
	struct io_access io = { .offset = 0x1000, .size = 2, .is_write = true };
	uint16_t items[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	(void)state;
	bench_init(&b);
	r.bulk = probe_bulk;
	assert_int_equal(bus_add(&b.memory, &r), 0);
	bus_write_run(&b.memory, &io, items, 5);
	assert_int_equal(p.bulk_count, 3);
	assert_int_equal(p.count, 2);
	assert_int_equal(p.last.offset, 8);
	assert_int_equal(p.last.data, 5);
	/* Some of it is beyond the region: each by itself. */
	io.offset = 0x100a;
	bus_write_run(&b.memory, &io, items, 8);
	assert_int_equal(p.bulk_count, 3);
	assert_int_equal(p.count, 5);
	assert_int_equal(p.last.offset, 0xe);
	assert_int_equal(p.last.data, 3);
}

/* ---- Clock ------------------------------------------------------------- */

struct ticker {
	struct bench *bench;
	struct clock_timer timer;
	unsigned count;
	uint64_t period;
};

static void tick(void *dev)
{
	struct ticker *t = dev;

	t->count++;
	if (t->period)
		clock_timer_arm(&t->bench->clock, &t->timer,
				t->bench->now_ns + t->period);
}

static void test_clock(void **state)
{
	static struct bench b;
	struct ticker t[3];
	unsigned i;

	(void)state;
	bench_init(&b);
	for (i = 0; i < 3; i++)
		t[i] = (struct ticker){
			.bench = &b, .timer = { .expired = tick, .dev = &t[i] }
		};
	clock_timer_arm(&b.clock, &t[0].timer, 300);
	clock_timer_arm(&b.clock, &t[1].timer, 100);
	clock_timer_arm(&b.clock, &t[2].timer, 200);
	assert_int_equal(b.announced_ns, 100);
	bench_step(&b, 99);
	assert_int_equal(t[1].count, 0);
	bench_step(&b, 1);
	assert_int_equal(t[1].count, 1);
	assert_int_equal(b.announced_ns, 200);
	clock_timer_disarm(&b.clock, &t[2].timer);
	clock_timer_disarm(&b.clock, &t[2].timer);
	assert_int_equal(b.announced_ns, 300);
	clock_timer_arm(&b.clock, &t[0].timer, 150);
	assert_int_equal(b.announced_ns, 150);
	t[0].period = 50;
	bench_step(&b, 400);
	assert_int_equal(t[0].count, 8);
	assert_int_equal(t[2].count, 0);
	assert_int_equal(b.announced_ns, 550);
	/* Woken for one that has meanwhile moved away. */
	clock_timer_arm(&b.clock, &t[0].timer, 1000);
	b.now_ns = 560;
	clock_run(&b.clock);
	assert_int_equal(t[0].count, 8);
	assert_int_equal(b.announced_ns, 1000);
	/* Woken too early: the one-shot is gone and has to be armed again. */
	b.announced_ns = 0;
	b.now_ns = 999;
	clock_run(&b.clock);
	assert_int_equal(t[0].count, 8);
	assert_int_equal(b.announced_ns, 1000);
	/* A timer in the past runs at the next opportunity. */
	clock_timer_arm(&b.clock, &t[1].timer, 10);
	assert_int_equal(t[1].count, 1);
	clock_run(&b.clock);
	assert_int_equal(t[1].count, 2);
}

/* ---- RAM --------------------------------------------------------------- */

static void test_ram(void **state)
{
	static uint8_t low[0x1000], high[0x800];
	const struct guest_ram ram = {
		.count = 2,
		.range = { { 0, sizeof(low), low },
			   { 0x100000000, sizeof(high), high } },
	};
	uint8_t buf[16];

	(void)state;
	low[0xfff] = 0x12;
	high[0] = 0x34;
	assert_ptr_equal(guest_ram_at(&ram, 0, 0x1000), low);
	assert_null(guest_ram_at(&ram, 0, 0x1001));
	assert_null(guest_ram_at(&ram, 0, 0));
	assert_null(guest_ram_at(&ram, 0x1000, 1));
	assert_ptr_equal(guest_ram_at(&ram, 0xfff, 1), low + 0xfff);
	assert_null(guest_ram_at(&ram, 0xfff, 2));
	assert_null(guest_ram_at(&ram, 0xfff, UINT64_MAX));
	assert_ptr_equal(guest_ram_at(&ram, 0x100000000, 0x800), high);
	assert_null(guest_ram_at(&ram, UINT64_MAX, 2));
	memset(buf, 0, sizeof(buf));
	guest_ram_read(&ram, 0xfff, buf, 4);
	assert_int_equal(buf[0], 0x12);
	assert_int_equal(buf[1], 0xff);
	assert_int_equal(buf[3], 0xff);
	assert_int_equal(buf[4], 0);
	guest_ram_read(&ram, 0xffffffff, buf, 2);
	assert_int_equal(buf[0], 0xff);
	assert_int_equal(buf[1], 0x34);
	buf[2] = 0x56;
	guest_ram_write(&ram, 0xfffffffe, buf, 3);
	assert_int_equal(high[0], 0x56);
	guest_ram_write(&ram, UINT64_MAX - 1, buf, 6);
	assert_int_equal(low[3], 0);
	guest_ram_read(&ram, UINT64_MAX, buf, 2);
	assert_int_equal(buf[0], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_write_run),
		cmocka_unit_test(test_ram),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
