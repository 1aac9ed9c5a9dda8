/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine/kvm*.c: leaves, registers, the clock, who is away, hypercalls and
 * what is wrong with them, structures in wrong places.
 */
#include "tests/unit/device_test.h"

#include "include/errno.h"
#include "tests/unit/kvm_test.h"

#define ON	 KVM_MSR_ENABLE
#define PAGE(n)	 ((uint64_t)(n)*PAGE_SIZE)
#define GHZ_MULT (1ULL << 32) /* a tick is a nanosecond */
#define FILL	 0x5a

static struct world world;
static uint8_t ram[WORLD_PAGES * PAGE_SIZE] __aligned(64);

static int begin(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	memset(ram, FILL, sizeof(ram));
	world_init(&world, ram, GHZ_MULT / 2);
	return 0;
}

static void set_of(unsigned vcpu, uint32_t msr, uint64_t value)
{
	uint64_t seen = ~value;

	assert_int_equal(kvm_msr_write(&world.kvm, vcpu, msr, value), 0);
	assert_int_equal(kvm_msr_read(&world.kvm, vcpu, msr, &seen), 0);
	assert_int_equal(seen, value);
}

static void set(uint32_t msr, uint64_t value)
{
	set_of(0, msr, value);
}

static bool is_untouched(void)
{
	for (unsigned i = 0; i < sizeof(ram); i++)
		if (ram[i] != FILL)
			return false;
	return true;
}

/* ---- What there is --------------------------------------------------------
 */

static void name_is(const struct cpuid_regs *regs, const char *name)
{
	char got[13] = "";

	memcpy(got, &regs->ebx, 4);
	memcpy(got + 4, &regs->ecx, 4);
	memcpy(got + 8, &regs->edx, 4);
	assert_string_equal(got, name);
}

static void table_init(struct cpuid_table *table, const char *name)
{
	struct cpuid_regs *first = &table->hypervisor[0].regs;

	memset(table, 0, sizeof(*table));
	first->eax = 0x40000010;
	memcpy(&first->ebx, name, 4);
	memcpy(&first->ecx, name + 4, 4);
	memcpy(&first->edx, name + 8, 4);
	table->hypervisor[16].regs.eax = 123;
}

static void test_cpuid(void **state)
{
	const struct kvm_leaves leaves = { .has_calls = true };
	static struct cpuid_table table;

	(void)state;
	table_init(&table, "BulkheadHV  ");
	kvm_cpuid(&table, &leaves);
	name_is(&cpuid_find(&table, 0x40000000, 0)->regs, "KVMKVMKVM");
	assert_int_equal(cpuid_find(&table, 0x40000000, 0)->regs.eax,
			 0x40000001);
	assert_int_equal(cpuid_find(&table, 0x40000001, 0)->regs.eax,
			 0x0100baaa);
	assert_int_equal(cpuid_find(&table, 0x40000010, 0)->regs.eax, 123);
	assert_int_equal(cpuid_find(&table, 0x40000100, 0)->regs.eax, 0);
	name_is(&cpuid_find(&table, 0x40000200, 0)->regs, "BulkheadHV  ");
	assert_int_equal(cpuid_find(&table, 0x40000200, 0)->regs.eax,
			 0x40000200);
}

static void test_cpuid_second(void **state)
{
	const struct kvm_leaves leaves = { .is_second = true };
	static struct cpuid_table table;

	(void)state;
	table_init(&table, "Microsoft Hv");
	kvm_cpuid(&table, &leaves);
	name_is(&cpuid_find(&table, 0x40000000, 0)->regs, "Microsoft Hv");
	assert_int_equal(cpuid_find(&table, 0x40000000, 0)->regs.eax,
			 0x40000010);
	name_is(&cpuid_find(&table, 0x40000100, 0)->regs, "KVMKVMKVM");
	assert_int_equal(cpuid_find(&table, 0x40000100, 0)->regs.eax,
			 0x40000101);
	assert_int_equal(cpuid_find(&table, 0x40000101, 0)->regs.eax,
			 0x0100922a);
	assert_int_equal(cpuid_find(&table, 0x40000200, 0)->regs.eax,
			 0x40000200);
	name_is(&cpuid_find(&table, 0x40000200, 0)->regs, "BulkheadHV  ");
}

static void test_registers(void **state)
{
	static const uint32_t absent[] = { 0x11,       0x12,	   0x4b564cff,
					   0x4b564d02, 0x4b564d04, 0x4b564d06,
					   0x4b564d07, 0x4b564d08, 0x4b564d0f };
	struct kvm *kvm = &world.kvm;
	uint64_t value;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
		assert_int_equal(kvm_msr_read(kvm, 0, absent[i], &value),
				 -ENOENT);
		assert_int_equal(kvm_msr_write(kvm, 0, absent[i], 0), -ENOENT);
	}
	assert_int_equal(kvm_msr_read(kvm, 1, KVM_MSR_POLL_CONTROL, &value), 0);
	assert_int_equal(value, 1);
	set_of(1, KVM_MSR_POLL_CONTROL, 0);
	assert_int_equal(kvm_msr_write(kvm, 1, KVM_MSR_POLL_CONTROL, 2),
			 -EINVAL);
	assert_int_equal(kvm_msr_read(kvm, 0, KVM_MSR_POLL_CONTROL, &value), 0);
	assert_int_equal(value, 1);
	for (unsigned bit = 1; bit < 6; bit++)
		assert_int_equal(kvm_msr_write(kvm, 0, KVM_MSR_STEAL_TIME,
					       PAGE(1) | BIT(bit) | ON),
				 -EINVAL);
	assert_int_equal(kvm_msr_read(kvm, 0, KVM_MSR_STEAL_TIME, &value), 0);
	assert_int_equal(value, 0);
	assert_true(is_untouched());
}

/* ---- Time -----------------------------------------------------------------
 */

static struct kvm_clock_page *clock_at(uint64_t gpa)
{
	return (void *)(ram + gpa);
}

static void test_clock(void **state)
{
	struct kvm_clock_page *page = clock_at(PAGE(1) + 4);

	(void)state;
	page->version = 7;
	set_of(2, KVM_MSR_SYSTEM_TIME, (PAGE(1) + 4) | ON);
	assert_int_equal(page->version % 2, 0);
	assert_true(page->version > 7);
	assert_int_equal(page->tsc, 0);
	assert_int_equal(page->ns, 0);
	assert_int_equal(page->multiplier, 1U << 31);
	assert_int_equal(page->shift, 0);
	assert_int_equal(page->flags, KVM_CLOCK_STABLE);
	assert_int_equal(ram[PAGE(1) + 36], FILL);
	world.tsc_base = 12345;
	world.is_rough = true;
	set_of(2, KVM_MSR_SYSTEM_TIME, (PAGE(1) + 4) | ON);
	assert_int_equal(page->tsc, 12345);
	assert_int_equal(page->flags, 0);
	/* The others have none. */
	assert_int_equal(world.kvm.state.vcpu[0].system_time, 0);
}

/* The page's clock is the VM's, but for what it has no bits for. */
static void test_scale(void **state)
{
	static const uint64_t mults[] = {
		1,	     GHZ_MULT / 5,    GHZ_MULT - 1,
		GHZ_MULT,    GHZ_MULT + 1,    GHZ_MULT * 20,
		85899345920, GHZ_MULT * 1000,
	};
	static const uint64_t ticks[] = { 0, 1, 999, 123456789, 1ULL << 44 };
	const struct kvm_clock_page *page = clock_at(PAGE(2));

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(mults); i++) {
		world_init(&world, ram, mults[i]);
		set(KVM_MSR_SYSTEM_TIME, PAGE(2) | ON);
		assert_in_range(page->shift, 0, 31);
		for (unsigned j = 0; j < ARRAY_SIZE(ticks); j++) {
			uint64_t want =
				(uint64_t)(((unsigned __int128)ticks[j] *
					    mults[i]) >>
					   32);
			uint64_t got = (uint64_t)(((unsigned __int128)ticks[j]
						   << page->shift) *
							  page->multiplier >>
						  32);

			assert_in_range(got, want - (want >> 31), want);
		}
	}
}

static void test_wall(void **state)
{
	const struct kvm_wall_page *page = (void *)(ram + PAGE(1) - 12);

	(void)state;
	set(KVM_MSR_WALL_CLOCK, PAGE(1) - 12);
	assert_int_equal(page->version % 2, 0);
	assert_int_equal(page->seconds, WORLD_EPOCH);
	assert_int_equal(page->ns, 0);
	assert_int_equal(ram[PAGE(1)], FILL);
}

static void test_places(void **state)
{
	static const struct {
		uint32_t msr;
		uint64_t value;
	} rows[] = {
		{ KVM_MSR_SYSTEM_TIME, PAGE(1) },
		{ KVM_MSR_SYSTEM_TIME, PAGE(1) | 2 | ON },
		{ KVM_MSR_SYSTEM_TIME, (PAGE(1) - 28) | ON },
		{ KVM_MSR_SYSTEM_TIME, PAGE(WORLD_PAGES) | ON },
		{ KVM_MSR_SYSTEM_TIME, UINT64_MAX },
		{ KVM_MSR_WALL_CLOCK, 1 },
		{ KVM_MSR_WALL_CLOCK, 2 },
		{ KVM_MSR_WALL_CLOCK, PAGE(1) - 8 },
		{ KVM_MSR_WALL_CLOCK, PAGE(WORLD_PAGES) },
		{ KVM_MSR_WALL_CLOCK, UINT64_MAX - 3 },
		{ KVM_MSR_STEAL_TIME, PAGE(1) },
		{ KVM_MSR_STEAL_TIME, PAGE(WORLD_PAGES) | ON },
		{ KVM_MSR_STEAL_TIME, ~0x3fULL | ON },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		set(rows[i].msr, rows[i].value);
		kvm_arrive(&world.kvm, 0);
		assert_true(is_untouched());
		assert_null(world.watched[0]);
	}
}

/* ---- Who is away ----------------------------------------------------------
 */

static struct kvm_steal_page *steal_at(uint64_t gpa)
{
	return (void *)(ram + gpa);
}

static void test_steal(void **state)
{
	struct kvm_steal_page *page = steal_at(PAGE(1) + 64);
	uint32_t version;

	(void)state;
	memset(page, 0, sizeof(*page));
	world.waited[1] = 5000;
	set_of(1, KVM_MSR_STEAL_TIME, (PAGE(1) + 64) | ON);
	assert_ptr_equal(world.watched[1], &page->away);
	assert_int_equal(page->ns, 0);
	version = page->version;
	world_leave(&world, 1);
	assert_int_equal(page->away, KVM_AWAY);
	world.waited[1] = 5700;
	kvm_arrive(&world.kvm, 1);
	assert_int_equal(page->away, 0);
	assert_int_equal(page->ns, 700);
	assert_true(page->version > version);
	assert_int_equal(page->version % 2, 0);
	assert_ptr_equal(world.watched[1], &page->away);
	assert_int_equal(world.flushes, 0);
	/* Nobody else's. */
	kvm_arrive(&world.kvm, 0);
	assert_null(world.watched[0]);
	set_of(1, KVM_MSR_STEAL_TIME, 0);
	assert_null(world.watched[1]);
	world.waited[1] = 9999;
	kvm_arrive(&world.kvm, 1);
	assert_int_equal(page->ns, 700);
}

static void test_flush(void **state)
{
	struct kvm_steal_page *page = steal_at(PAGE(1));

	(void)state;
	set(KVM_MSR_STEAL_TIME, PAGE(1) | ON);
	world.flushes = 0;
	world_leave(&world, 0);
	page->away |= KVM_AWAY_FLUSH;
	kvm_arrive(&world.kvm, 0);
	assert_int_equal(world.flushes, 1);
	assert_int_equal(page->away, 0);
	/* Between its way out of the guest and the register's change. */
	world_leave(&world, 0);
	page->away |= KVM_AWAY_FLUSH;
	set(KVM_MSR_STEAL_TIME, 0);
	assert_int_equal(world.flushes, 2);
	assert_int_equal(page->away, 0);
	kvm_arrive(&world.kvm, 0);
	assert_int_equal(world.flushes, 2);
}

static void test_reset(void **state)
{
	(void)state;
	set(KVM_MSR_STEAL_TIME, PAGE(1) | ON);
	set_of(2, KVM_MSR_STEAL_TIME, PAGE(2) | ON);
	device_reset(&world.kvm.device);
	assert_null(world.watched[0]);
	assert_null(world.watched[2]);
	memset(ram, FILL, sizeof(ram));
	kvm_arrive(&world.kvm, 0);
	assert_true(is_untouched());
}

/* ---- Hypercalls -----------------------------------------------------------
 */

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c,
		    uint64_t d)
{
	const struct kvm_input input = { number, { a, b, c, d }, true, true };

	return kvm_call(&world.kvm, &input);
}

static void test_calls(void **state)
{
	struct kvm_input user = { KVM_CALL_YIELD, { 0 }, true, false };

	(void)state;
	assert_int_equal(call(KVM_CALL_POLL_IRQ, 0, 0, 0, 0), 0);
	assert_int_equal(call(KVM_CALL_YIELD, 70, 0, 0, 0), 0);
	assert_int_equal(call(KVM_CALL_YIELD, 2, 0, 0, 0), 0);
	assert_int_equal(world.yields[2], 1);
	assert_int_equal(call(KVM_CALL_KICK, 0, 70, 0, 0), 0);
	assert_int_equal(world.unhalted[2], 1);
	/* Nobody: not a vCPU's number, not the low part of a long one. */
	assert_int_equal(call(KVM_CALL_KICK, 0, 2, 0, 0), 0);
	assert_int_equal(call(KVM_CALL_KICK, 0, 0x101, 0, 0), 0);
	assert_int_equal(world.unhalted[0] + world.unhalted[1], 0);
	for (uint64_t n = 0; n < 64; n++)
		if (n != 1 && n != 5 && n != 10 && n != 11)
			assert_int_equal(call(n, 0, 0, 0, 0), -1000);
	assert_int_equal(call(BIT(32) | KVM_CALL_YIELD, 0, 0, 0, 0), -1000);
	assert_int_equal(kvm_call(&world.kvm, &user), -1);
	user.number = 99;
	assert_int_equal(kvm_call(&world.kvm, &user), -1);
	assert_int_equal(world.yields[0] + world.yields[1], 0);
	assert_int_equal(world.yields[2], 1);
}

static void test_send(void **state)
{
	/* clang-format off */
	static const struct { uint64_t low, high, least; bool is_short;
			      unsigned who; } rows[] = {
		{ UINT64_MAX, UINT64_MAX, 0, false, 7 },
		{ UINT64_MAX, 0, 0, false, 3 },
		{ 0, UINT64_MAX, 0, false, 4 },
		{ BIT(1), 0, 0, false, 1 },
		{ 0, BIT(6), 0, false, 4 },
		{ 1, 0, 4, false, 2 },
		{ 1, 0, 5, false, 0 },
		{ BIT(63), 0, 7, false, 4 },
		{ UINT64_MAX, UINT64_MAX, 71, false, 0 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, false, 0 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX - 126, false, 0 },
		{ UINT32_MAX, UINT32_MAX, 0, true, 3 },
		{ 0, UINT32_MAX, 0, true, 0 },
		{ 0, BIT(6), 32, true, 4 },
		{ 0, 0, 0, false, 0 },
	};
	/* clang-format on */

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct kvm_input input = {
			KVM_CALL_SEND_IPI,
			{ rows[i].low, rows[i].high, rows[i].least, 0x4051 },
			!rows[i].is_short,
			true,
		};
		unsigned who = 0;

		memset(world.messages, 0, sizeof(world.messages));
		assert_int_equal(kvm_call(&world.kvm, &input),
				 __builtin_popcount(rows[i].who));
		for (unsigned v = 0; v < WORLD_VCPUS; v++)
			who |= world.messages[v] << v;
		assert_int_equal(who, rows[i].who);
	}
	assert_int_equal(world.message, 0x51);
	assert_int_equal(call(KVM_CALL_SEND_IPI, 2, 0, 0, 0x400), 1);
	assert_int_equal(world.message, 0x400);
	world.is_deaf = true;
	assert_int_equal(call(KVM_CALL_SEND_IPI, 2, 0, 0, 0x51), 0);
}

static void test_send_errors(void **state)
{
	static const uint64_t icrs[] = {
		0,	 15,	  0x151,   0x251,   0x351,	0x500,
		0x600,	 0x700,	  0x851,   0x8051,  0x40051,	0x80051,
		0xc0051, 0x10051, BIT(31), BIT(32), UINT64_MAX,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(icrs); i++)
		assert_int_equal(call(KVM_CALL_SEND_IPI, UINT64_MAX, UINT64_MAX,
				      0, icrs[i]),
				 -22);
	for (unsigned v = 0; v < WORLD_VCPUS; v++)
		assert_int_equal(world.messages[v], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_cpuid, begin),
		cmocka_unit_test_setup(test_cpuid_second, begin),
		cmocka_unit_test_setup(test_registers, begin),
		cmocka_unit_test_setup(test_clock, begin),
		cmocka_unit_test_setup(test_scale, begin),
		cmocka_unit_test_setup(test_wall, begin),
		cmocka_unit_test_setup(test_places, begin),
		cmocka_unit_test_setup(test_steal, begin),
		cmocka_unit_test_setup(test_flush, begin),
		cmocka_unit_test_setup(test_reset, begin),
		cmocka_unit_test_setup(test_calls, begin),
		cmocka_unit_test_setup(test_send, begin),
		cmocka_unit_test_setup(test_send_errors, begin),
	};

	return cmocka_run_group_tests_name("kvm", tests, NULL, NULL);
}
