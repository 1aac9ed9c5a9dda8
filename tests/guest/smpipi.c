/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts between vCPUs: every way to name a destination, in both modes of
 * the local APIC, to halted and to running vCPUs, with their priorities; none
 * is lost and none comes twice.
 */
#include "tests/guest/lib/smp.h"

#define VECTOR	     0x51
#define VECTOR_HIGH  0x71
#define VECTOR_PING  0x61
#define VECTOR_PONG  0x62
#define VECTOR_EACH  0x80 /* and one for each vCPU */
#define EXCHANGES    300
#define RUNNING_TURN 5
#define DFR_FLAT     0xffffffff
#define DFR_CLUSTER  0x0fffffff
#define FLAT_VCPUS   8 /* as many as a flat logical id can name */

static unsigned count;
static const char *mode; /* prefix of the names */

static void result(const char *name, uint64_t got, uint64_t want)
{
	if (got == want)
		print("PASS %s-%s\n", mode, name);
	else
		fail(name, "in mode %s %#llx, not %#llx", mode,
		     (unsigned long long)got, (unsigned long long)want);
}

static uint32_t others(void)
{
	return (uint32_t)MASK(count - 1, 0) & ~1u;
}

static uint32_t all(void)
{
	return (uint32_t)MASK(count - 1, 0);
}

/* Of the vCPUs numbered so, those that there are. */
static uint32_t there(uint32_t set)
{
	return set & all();
}

static void forget(void)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < ARRAY_SIZE(smp_cpus[i].taken); j++)
			smp_cpus[i].taken[j] = 0;
}

/* Who took it; a set of ~0 if somebody did so twice. */
static uint32_t who_took(unsigned vector)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < count; i++) {
		if (smp_cpus[i].taken[vector] > 1)
			return ~0u;
		set |= smp_cpus[i].taken[vector] << i;
	}
	return set;
}

/* ---- Destinations -------------------------------------------------------- */

static uint32_t destination, command;

/* The others halt at the barrier meanwhile. */
static void send_one(unsigned id)
{
	if (id == 0) {
		smp_send(destination, command);
		smp_let_in();
	}
	smp_barrier();
}

static uint32_t who_takes(uint32_t to, uint32_t how)
{
	forget();
	destination = to;
	command = how | VECTOR;
	smp_run(send_one);
	return who_took(VECTOR);
}

static void test_physical(void)
{
	result("self", who_takes(0, ICR_FIXED), BIT(0));
	result("physical-1", who_takes(1, ICR_FIXED), there(BIT(1)));
	result("physical-last", who_takes(count - 1, ICR_FIXED),
	       BIT(count - 1));
	result("absent", who_takes(count, ICR_FIXED), 0);
	result("absent-far", who_takes(0x7f, ICR_FIXED), 0);
	result("broadcast", who_takes(DESTINATION_ALL, ICR_FIXED), all());
	result("level", who_takes(1, ICR_FIXED | ICR_LEVEL), there(BIT(1)));
	result("shorthand-self", who_takes(1, ICR_FIXED | ICR_TO_SELF), BIT(0));
	result("shorthand-all", who_takes(1, ICR_FIXED | ICR_TO_ALL), all());
	result("shorthand-others", who_takes(0, ICR_FIXED | ICR_TO_OTHERS),
	       others());
}

static unsigned members(uint32_t set)
{
	unsigned n = 0;

	for (; set; set &= set - 1)
		n++;
	return n;
}

/* One of those that are named takes it, if there are some. */
static void test_lowest_of(const char *name, uint32_t to, uint32_t named)
{
	uint32_t set = who_takes(to, ICR_LOWEST | ICR_LOGICAL);

	result(name, members(set & named), named != 0);
	result(name, set & ~named, 0);
}

/* Each by its APIC id, with a vector of its own. */
static void send_each(unsigned id)
{
	if (id == 0) {
		for (unsigned i = 0; i < count; i++)
			smp_send(i, ICR_FIXED | (VECTOR_EACH + i));
		smp_let_in();
	}
	smp_barrier();
}

static void test_each(void)
{
	uint32_t wrong = 0;

	forget();
	smp_run(send_each);
	for (unsigned i = 0; i < count; i++)
		if (who_took(VECTOR_EACH + i) != BIT(i))
			wrong |= (uint32_t)BIT(i);
	result("physical-each", wrong, 0);
}

static void flat_ids(unsigned id)
{
	lapic_write(LAPIC_DFR, DFR_FLAT);
	lapic_write(LAPIC_LDR, id < FLAT_VCPUS ? (uint32_t)BIT(24 + id) : 0);
}

/* Four vCPUs a cluster, so that 32 of them do not reach number 15, which is all
 * clusters. */
static void cluster_ids(unsigned id)
{
	lapic_write(LAPIC_DFR, DFR_CLUSTER);
	lapic_write(LAPIC_LDR, (id / 4) << 28 | (uint32_t)BIT(24 + id % 4));
}

static void test_flat(void)
{
	uint32_t flat = there(MASK(FLAT_VCPUS - 1, 0));

	smp_run(flat_ids);
	result("flat-1", who_takes(BIT(1), ICR_FIXED | ICR_LOGICAL),
	       there(BIT(1)));
	result("flat-0-1", who_takes(3, ICR_FIXED | ICR_LOGICAL), there(3));
	result("flat-none", who_takes(0, ICR_FIXED | ICR_LOGICAL), 0);
	result("flat-absent", who_takes(0xff & ~flat, ICR_FIXED | ICR_LOGICAL),
	       0);
	result("flat-all", who_takes(0x7f, ICR_FIXED | ICR_LOGICAL),
	       there(0x7f));
}

static void test_cluster(void)
{
	smp_run(cluster_ids);
	result("cluster-0", who_takes(0x03, ICR_FIXED | ICR_LOGICAL), there(3));
	result("cluster-0-second", who_takes(0x02, ICR_FIXED | ICR_LOGICAL),
	       there(2));
	result("cluster-1", who_takes(0x13, ICR_FIXED | ICR_LOGICAL),
	       there(BIT(4) | BIT(5)));
	result("cluster-7", who_takes(0x7f, ICR_FIXED | ICR_LOGICAL),
	       there(MASK(31, 28)));
	result("cluster-no-such", who_takes(0xe3, ICR_FIXED | ICR_LOGICAL), 0);
	result("cluster-all", who_takes(0xff, ICR_FIXED | ICR_LOGICAL), all());
	test_lowest_of("cluster-lowest", 0xf, there(0xf));
	smp_run(flat_ids);
}

/* Logical ids follow from the APIC ids. */
static void test_x2_logical(void)
{
	result("logical-1", who_takes(BIT(1), ICR_FIXED | ICR_LOGICAL),
	       there(BIT(1)));
	result("logical-0-1", who_takes(3, ICR_FIXED | ICR_LOGICAL), there(3));
	result("logical-all", who_takes(0xffff, ICR_FIXED | ICR_LOGICAL),
	       there(0xffff));
	result("logical-cluster-1", who_takes(0x10003, ICR_FIXED | ICR_LOGICAL),
	       there(3u << 16));
	result("logical-cluster-1-all",
	       who_takes(0x1ffff, ICR_FIXED | ICR_LOGICAL),
	       there(MASK(31, 16)));
	result("logical-cluster-2", who_takes(0x2ffff, ICR_FIXED | ICR_LOGICAL),
	       0);
	test_lowest_of("cluster-1-lowest", 0x1ffff, there(MASK(31, 16)));
	result("broadcast-8-bit", who_takes(0xff, ICR_FIXED), 0);
}

static uint32_t tpr_of_0;

static volatile uint32_t ready;

/* The others halt, with nothing in service, when it is sent. */
static void send_with_tpr(unsigned id)
{
	if (id == 0) {
		smp_wait_count(&ready, count - 1);
		smp_apic_write(LAPIC_TPR, tpr_of_0);
	} else {
		smp_let_in();
		__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
		smp_wake(0);
	}
	send_one(id);
	if (id == 0) {
		smp_apic_write(LAPIC_TPR, 0);
		smp_let_in();
	}
}

static void test_lowest(void)
{
	uint32_t first8 = there(MASK(FLAT_VCPUS - 1, 0)) & 0x7f;
	uint32_t set = who_takes(first8, ICR_LOWEST | ICR_LOGICAL);

	result("lowest-one", members(set), 1);
	result("lowest-is-named", set & ~first8, 0);
	result("lowest-single",
	       who_takes(1u << (count > 1), ICR_LOWEST | ICR_LOGICAL),
	       BIT(count > 1));
	if (count < 2)
		return;
	forget();
	destination = first8;
	command = ICR_LOWEST | ICR_LOGICAL | VECTOR;
	tpr_of_0 = 0x20;
	ready = 0;
	smp_run(send_with_tpr);
	set = who_took(VECTOR);
	result("lowest-by-priority", members(set & ~1u), 1);
	result("lowest-not-the-higher", set & 1, 0);
}

static uint32_t who_takes_nmi(uint32_t to, uint32_t how)
{
	forget();
	destination = to;
	command = how;
	smp_run(send_one);
	return who_took(X86_VECTOR_NMI);
}

static void test_nmi(void)
{
	smp_count_nmis();
	result("nmi-1", who_takes_nmi(1, ICR_NMI), there(BIT(1)));
	result("nmi-others", who_takes_nmi(0, ICR_NMI | ICR_TO_OTHERS),
	       others());
	result("nmi-broadcast", who_takes_nmi(DESTINATION_ALL, ICR_NMI), all());
	result("nmi-logical", who_takes_nmi(BIT(1), ICR_NMI | ICR_LOGICAL),
	       there(BIT(1)));
	result("nmi-absent", who_takes_nmi(count, ICR_NMI), 0);
}

/* ---- To vCPUs that are at something ---------------------------------------
 */

static volatile uint32_t told, early, answers, is_closed;

static void answered(struct trap_frame *frame)
{
	(void)frame;
	answers++;
	smp_eoi();
}

/*
 * The last vCPU runs without halting; vCPU 0 halts for its answer.  First with
 * interrupts on, then off until it sees that one has been sent.
 */
static void run_target(void)
{
	struct smp_cpu *self = smp_this();

	sti();
	for (uint32_t i = 1; i <= RUNNING_TURN; i++) {
		while (self->taken[VECTOR] != i)
			__asm__ volatile("pause");
		smp_send(0, ICR_FIXED | VECTOR_PONG);
	}
	cli();
	is_closed = 1;
	smp_wake(0);
	while (!told)
		__asm__ volatile("pause");
	early = self->taken[VECTOR] - RUNNING_TURN;
	smp_let_in();
}

static void send_to_running(unsigned id)
{
	if (id == count - 1) {
		run_target();
	} else if (id == 0) {
		for (uint32_t i = 1; i <= RUNNING_TURN; i++) {
			smp_send(count - 1, ICR_FIXED | VECTOR);
			smp_wait_count(&answers, i);
		}
		smp_wait_count(&is_closed, 1);
		smp_send(count - 1, ICR_FIXED | VECTOR);
		told = 1;
	}
}

static void test_running(void)
{
	forget();
	told = early = answers = is_closed = 0;
	trap_hook(VECTOR_PONG, answered);
	smp_run(send_to_running);
	result("running-if-clear", early, 0);
	result("running", smp_cpus[count - 1].taken[VECTOR], RUNNING_TURN + 1);
}

static volatile uint8_t order[8];
static volatile uint32_t order_count;

static void note(struct trap_frame *frame)
{
	order[order_count++ & 7] = (uint8_t)frame->vector;
	smp_eoi();
}

/* Two of one vector are one; the higher goes first. */
static void send_three(unsigned id)
{
	if (id == 0) {
		smp_wait_count(&is_closed, 1);
		smp_send(count - 1, ICR_FIXED | VECTOR);
		smp_send(count - 1, ICR_FIXED | VECTOR);
		smp_send(count - 1, ICR_FIXED | VECTOR_HIGH);
		told = 1;
	} else if (id == count - 1) {
		/* Halting would let them in. */
		is_closed = 1;
		smp_wake(0);
		while (!told)
			__asm__ volatile("pause");
		smp_let_in();
	}
}

static void test_order(void)
{
	told = order_count = is_closed = 0;
	trap_hook(VECTOR, note);
	trap_hook(VECTOR_HIGH, note);
	smp_run(send_three);
	result("order-merged", order_count, 2);
	result("order-higher-first", order[0] << 8 | order[1],
	       VECTOR_HIGH << 8 | VECTOR);
	smp_count(VECTOR);
	smp_count(VECTOR_HIGH);
}

static volatile uint32_t masked_taken, service_taken;

/*
 * Halted with a task priority that holds VECTOR back: only VECTOR_HIGH wakes;
 * then VECTOR comes when the priority falls.
 */
static void tpr_target(struct smp_cpu *self)
{
	smp_apic_write(LAPIC_TPR, 0x60);
	smp_send(0, ICR_FIXED | VECTOR_PONG);
	smp_wait_count(&self->taken[VECTOR_HIGH], 1);
	masked_taken = self->taken[VECTOR];
	smp_apic_write(LAPIC_TPR, 0);
	smp_let_in();
}

static void send_masked(unsigned id)
{
	if (id == count - 1) {
		tpr_target(smp_this());
	} else if (id == 0) {
		smp_wait_count(&answers, 1);
		smp_send(count - 1, ICR_FIXED | VECTOR);
		smp_send(count - 1, ICR_FIXED | VECTOR_HIGH);
	}
}

static void test_tpr(void)
{
	forget();
	answers = 0;
	masked_taken = ~0u;
	smp_run(send_masked);
	result("tpr-masks", masked_taken, 0);
	result("tpr-lowered", who_took(VECTOR), BIT(count - 1));
}

static volatile uint32_t inside, inside_in_service, inside_requested;

static bool bit_of(unsigned reg, unsigned vector)
{
	return smp_apic_read(reg + vector / 32 * 0x10) >> (vector & 31) & 1;
}

/* Its second request waits for the first one's EOI. */
static void hold(struct trap_frame *frame)
{
	(void)frame;
	if (service_taken++ == 0) {
		inside = 1;
		smp_send(0, ICR_FIXED | VECTOR_PONG);
		sti();
		smp_wait_count(&told, 1);
		cli();
		inside_in_service = bit_of(LAPIC_ISR, VECTOR);
		inside_requested = bit_of(LAPIC_IRR, VECTOR);
	}
	smp_eoi();
}

static void send_twice(unsigned id)
{
	if (id == count - 1) {
		smp_wait_count(&service_taken, 2);
	} else if (id == 0) {
		smp_send(count - 1, ICR_FIXED | VECTOR);
		smp_wait_count(&answers, 1);
		smp_send(count - 1, ICR_FIXED | VECTOR);
		told = 1;
		smp_wake(count - 1);
	}
}

static void test_service(void)
{
	answers = told = service_taken = 0;
	trap_hook(VECTOR, hold);
	smp_run(send_twice);
	smp_count(VECTOR);
	result("in-service", inside_in_service, 1);
	result("requested-again", inside_requested, 1);
	result("after-eoi", service_taken, 2);
}

/* ---- None lost ----------------------------------------------------------- */

static volatile uint32_t pings[SMP_MAX], pongs[SMP_MAX];

static unsigned next_of(unsigned id)
{
	return (id + 1) % count;
}

static unsigned previous_of(unsigned id)
{
	return (id + count - 1) % count;
}

static void on_ping(struct trap_frame *frame)
{
	unsigned id = smp_id();

	(void)frame;
	pings[id]++;
	smp_send(previous_of(id), ICR_FIXED | VECTOR_PONG);
	smp_eoi();
}

static void on_pong(struct trap_frame *frame)
{
	(void)frame;
	pongs[smp_id()]++;
	smp_eoi();
}

/* In a ring, all at the same time: each sends the next when it was answered. */
static void exchange(unsigned id)
{
	for (uint32_t i = 1; i <= EXCHANGES; i++) {
		smp_send(next_of(id), ICR_FIXED | VECTOR_PING);
		smp_wait_count(&pongs[id], i);
	}
}

/* The same without halting, which takes a slice of the scheduler's each. */
static void exchange_running(unsigned id)
{
	sti();
	for (uint32_t i = 1; i <= RUNNING_TURN; i++) {
		smp_send(next_of(id), ICR_FIXED | VECTOR_PING);
		while (pongs[id] != i)
			__asm__ volatile("pause");
	}
	cli();
}

static void test_exchange(const char *name, void (*fn)(unsigned), uint32_t want)
{
	uint64_t bad = 0;

	trap_hook(VECTOR_PING, on_ping);
	trap_hook(VECTOR_PONG, on_pong);
	for (unsigned i = 0; i < count; i++)
		pings[i] = pongs[i] = 0;
	smp_run(fn);
	for (unsigned i = 0; i < count; i++)
		bad += pings[i] != want || pongs[i] != want;
	result(name, bad, 0);
}

/* ---- All of it ----------------------------------------------------------- */

static void test_mode(const char *name)
{
	mode = name;
	test_physical();
	test_each();
	if (smp_this()->is_x2apic) {
		test_x2_logical();
	} else {
		test_cluster();
		test_flat();
	}
	test_lowest();
	test_nmi();
	if (count > 1) {
		test_running();
		test_order();
		test_tpr();
		test_service();
	}
	test_exchange("exchange", exchange, EXCHANGES);
	test_exchange("exchange-running", exchange_running, RUNNING_TURN);
}

static void enter_x2apic(unsigned id)
{
	(void)id;
	smp_apic_mode(true);
	smp_barrier();
}

static void enter_xapic(unsigned id)
{
	(void)id;
	smp_apic_mode(false);
	smp_barrier();
}

void guest_main(void)
{
	smp_start();
	count = smp_cpu_count();
	smp_count(VECTOR);
	smp_count(VECTOR_HIGH);
	for (unsigned i = 0; i < count; i++)
		smp_count(VECTOR_EACH + i);
	test_mode("xapic");
	if (smp_has_x2apic()) {
		smp_run(enter_x2apic);
		test_mode("x2apic");
		smp_run(enter_xapic);
		test_mode("xapic-again");
	} else {
		skip("x2apic", "CPUID does not offer it");
	}
}
