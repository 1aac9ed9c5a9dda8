/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that every program has, on what it has not: rights, ports, devices,
 * channels, others' events; and threads that wait.
 */
#include "tests/hostile/programs/evil.h"

#include "include/errno.h"
#include "include/seat.h"
#include "lib/string.h"

#define FAILS_SHOWN 5
#define IDS	    40 /* more domains than a run has */
#define PORTS	    65536
#define CONFIG_SIZE 256 /* of a PCI function */
#define NS_PER_US   1000ULL

/* ---- Judging ----------------------------------------------------------- */

static uint32_t fails; /* atomic */

static void expect(const char *what, uint64_t a, uint64_t b, long got,
		   long want)
{
	if (got != want &&
	    __atomic_add_fetch(&fails, 1, __ATOMIC_SEQ_CST) <= FAILS_SHOWN)
		SAY("FAIL %s (%lx, %lx) is %ld, not %ld", what, a, b, got,
		    want);
}

static void say_result(const struct self *self, const char *text)
{
	if (self->id == evil.ender &&
	    !__atomic_load_n(&fails, __ATOMIC_SEQ_CST))
		SAY("PASS %s", text);
}

/* ---- Rights ------------------------------------------------------------ */

/*
 * What each argument is: i a domain or channel, b a buffer, v an address of
 * the program, n bytes, k a small number.
 */
static const struct {
	enum gate_call call;
	char shape[5];
} with_rights[] = {
	{ GATE_LOG_LEVEL, "k" },       { GATE_DOMAIN_CREATE, "b" },
	{ GATE_DOMAIN_MAP, "ib" },     { GATE_DOMAIN_WRITE, "ivbn" },
	{ GATE_DOMAIN_READ, "ivbn" },  { GATE_DOMAIN_START, "iv" },
	{ GATE_DOMAIN_STOP, "i" },     { GATE_DOMAIN_QUERY, "ib" },
	{ GATE_DOMAIN_DESTROY, "i" },  { GATE_CHANNEL_CREATE, "k" },
	{ GATE_CHANNEL_CLOSE, "i" },   { GATE_CHANNEL_ATTACH, "iik" },
	{ GATE_HOST_INFO, "b" },       { GATE_HOST_OFF, "kk" },
	{ GATE_PCI_INFO, "kb" },       { GATE_DEVICE_GRANT, "ib" },
	{ GATE_CHANNEL_MEMORY, "ii" }, { GATE_LOG_READ, "bn" },
	/* LOG_READ is the last: seat has it. */
};

/* A call's argument in memory: one that init could make. */
union buffer {
	struct gate_domain_spec spec;
	struct gate_domain_map map;
	struct gate_domain_status status;
	struct gate_device_grant grant;
	uint8_t bytes[512];
};

static void buffer_init(union buffer *buffer, enum gate_call call)
{
	memset(buffer, 0, sizeof(*buffer));
	if (call == GATE_DOMAIN_MAP) {
		buffer->map = (struct gate_domain_map){
			.va = GATE_PROGRAM_BASE,
			.size = PAGE_SIZE,
			.kind = GATE_MEMORY_ZERO,
			.prot = GATE_PROT_READ | GATE_PROT_WRITE,
		};
		return;
	}
	if (call == GATE_DEVICE_GRANT) {
		/* The first function behind bridges and display. */
		buffer->grant = (struct gate_device_grant){
			.address = 3 << 3,
			.dma_pages = 16,
		};
		return;
	}
	buffer->spec.name[0] = 'x';
	buffer->spec.quota_pages = 1024;
	buffer->spec.thread_count = 1;
}

static uint64_t plausible(struct self *self, char kind, union buffer *buffer)
{
	switch (kind) {
	case 'i':
		return random_next(self) % IDS;
	case 'b':
		return (uint64_t)buffer;
	case 'v':
		return GATE_PROGRAM_BASE + random_next(self) % 64 * PAGE_SIZE;
	case 'n':
		return random_next(self) % sizeof(*buffer);
	case 'k':
		return random_next(self) % 5;
	default:
		return random_argument(self);
	}
}

static void try_right(struct self *self, unsigned row, bool is_plausible)
{
	enum gate_call call = with_rights[row].call;
	union buffer buffer, before;
	uint64_t a[4];

	buffer_init(&buffer, call);
	before = buffer;
	for (unsigned i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = plausible(self,
				 is_plausible ? with_rights[row].shape[i] : 0,
				 &buffer);
	expect("a call without the right", call, a[0],
	       gate_call4(call, a[0], a[1], a[2], a[3]), -EPERM);
	if (memcmp(&buffer, &before, sizeof(buffer)) != 0)
		expect("memory after a call without the right", call, a[0], 1,
		       0);
}

/* An access of four bytes to it touches a port of the program's own. */
static bool is_near_own(uint64_t port)
{
	for (unsigned i = 0; i < ARRAY_SIZE(evil.port); i++)
		if (evil.port[i].count && port + 4 > evil.port[i].first &&
		    port < (uint64_t)evil.port[i].first + evil.port[i].count)
			return true;
	return false;
}

/* Every port and size, each by one of the vCPUs. */
static void try_ports(struct self *self)
{
	static const unsigned sizes[] = { 1, 2, 4 };

	for (uint64_t port = self->id; port < PORTS; port += self->vcpus) {
		unsigned size = sizes[port / self->vcpus % ARRAY_SIZE(sizes)];

		if (is_near_own(port))
			continue;
		for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
			expect("a read of a port", port, sizes[i],
			       gate_port_read((uint16_t)port, sizes[i]),
			       -EPERM);
		expect("a write of a port", port, size,
		       gate_port_write((uint16_t)port, size, 0), -EPERM);
		expect("a string to a port", port, size,
		       gate_port_write_string((uint16_t)port, &size, size),
		       -EPERM);
	}
}

/* Accesses that begin or end outside of what was given. */
static void try_edges(unsigned range)
{
	uint16_t first = evil.port[range].first;
	uint16_t last = (uint16_t)(first + evil.port[range].count - 1);

	if (!evil.port[range].count)
		return;
	expect("a read before its ports", first, 2,
	       gate_port_read((uint16_t)(first - 1), 2), -EPERM);
	expect("a read across its first port", first, 4,
	       gate_port_read((uint16_t)(first - 1), 4), -EPERM);
	expect("a write behind its ports", last, 2, gate_port_write(last, 2, 0),
	       -EPERM);
	expect("a write far behind its ports", last, 4,
	       gate_port_write((uint16_t)(last - 2), 4, 0), -EPERM);
}

/* Sizes and ports that there are not. */
static void try_odd_ports(struct self *self)
{
	uint64_t port = random_argument(self), size = random_argument(self);
	bool is_real = size == 1 || size == 2 || size == 4;
	long want = port < PORTS && is_real ? -EPERM : -EINVAL;

	if (is_near_own(port))
		return;
	expect("an odd read of a port", port, size,
	       gate_call(GATE_PORT_READ, port, size, 0), want);
	expect("an odd write of a port", port, size,
	       gate_call(GATE_PORT_WRITE, port, size, random_next(self)), want);
	want = port < PORTS ? -EPERM : -EINVAL;
	expect("an odd string to a port", port, size,
	       gate_call(GATE_PORT_WRITE_STRING, port, random_argument(self),
			 size),
	       want);
}

/* ---- Devices ------------------------------------------------------------- */

static bool is_register(uint64_t offset, uint64_t size)
{
	return (size == 1 || size == 2 || size == 4) && offset < CONFIG_SIZE &&
	       offset % size == 0;
}

/* Of its own devices a program may read all that there is. */
static void try_register(uint64_t n, uint64_t offset, uint64_t size)
{
	bool is_mine =
		n < GATE_DEVICES_MAX && gate_config()->device[n].is_there;
	long want = is_mine ? -EINVAL : -ENODEV;

	if (is_mine && is_register(offset, size))
		return;
	expect("a read of a device", n, offset,
	       gate_call(GATE_DEVICE_READ, n, offset, size), want);
	expect("a write of a device", n, offset,
	       gate_call4(GATE_DEVICE_WRITE, n, offset, size, UINT32_MAX),
	       want);
	if (!is_mine)
		expect("an acknowledgement", n, 0,
		       gate_call(GATE_DEVICE_ACK, n, 0, 0), -ENODEV);
}

/* Each register of each number, and sizes, offsets that there are not. */
static void try_devices(struct self *self)
{
	static const uint64_t sizes[] = { 0, 1, 2, 3, 4, 8, 1ULL << 32 };

	for (uint64_t n = self->id; n < 4 * GATE_DEVICES_MAX; n += self->vcpus)
		for (uint64_t at = 0; at < 2 * CONFIG_SIZE; at++)
			try_register(n, at, sizes[at % ARRAY_SIZE(sizes)]);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		try_register(0, 1, sizes[i]);
		try_register(0, CONFIG_SIZE, sizes[i]);
		try_register(0, 1ULL << 32, sizes[i]);
		try_register(1ULL << 32, 0, sizes[i]);
		try_register(UINT64_MAX, UINT64_MAX, sizes[i]);
	}
}

static void attack_rights(struct self *self)
{
	bool has_log = evil.rights & GATE_RIGHT_LOG;

	meet(self);
	expect("the program's rights", 0, 0, (long)gate_config()->rights,
	       (long)evil.rights);
	try_devices(self);
	for (unsigned i = 0; i < ARRAY_SIZE(evil.port); i++)
		try_edges(i);
	try_ports(self);
	meet(self);
	do {
		for (unsigned i = 0; i < ARRAY_SIZE(with_rights) - has_log;
		     i++) {
			try_right(self, i, true);
			try_right(self, i, false);
		}
		try_odd_ports(self);
		try_register(random_argument(self), random_argument(self),
			     random_next(self) % 6);
	} while (goes_on(self));
	say_result(self, "nothing without the right");
}

/* ---- Waiting ----------------------------------------------------------- */

/*
 * Waits and wakes from all to all.  The ender wakes itself before it waits, so
 * that this wait at least has to come back.
 */
static void attack_wait(struct self *self)
{
	meet(self);
	while (goes_on(self)) {
		uint64_t to = random_next(self) % self->vcpus;
		uint64_t wild = random_argument(self);

		expect("a wake", to, 0, gate_call(GATE_WAKE, to, 0, 0), 0);
		if (wild >= self->vcpus)
			expect("a wake of nobody", wild, 0,
			       gate_call(GATE_WAKE, wild, 0, 0), -EINVAL);
		if (self->id == evil.ender)
			(void)gate_wake(self->id);
		else if (one_in(self, 2))
			continue;
		expect("the events of a vCPU's thread", 0, 0, (long)gate_wait(),
		       0);
	}
	say_result(self, "each wake ended a wait");
}

/* Nobody wakes them, and the VM ends. */
static void attack_wait_end(struct self *self)
{
	meet(self);
	while (self->id != evil.ender)
		gate_wait();
	spin_ns(evil.duration_ns);
}

static void route(uint64_t event, uint64_t thread, unsigned threads)
{
	expect("a route", event, thread,
	       gate_call(GATE_EVENT_ROUTE, event, thread, 0),
	       event < GATE_EVENT_COUNT && thread < threads ? 0 : -EINVAL);
}

/* Every route; then the timer's event to one after another, who may wait. */
static void attack_route(struct self *self)
{
	meet(self);
	for (uint64_t event = 0; event < 70; event++)
		for (uint64_t to = 0; to < GATE_THREADS_MAX + 8; to++)
			route(event, to, self->vcpus);
	while (goes_on(self)) {
		route(random_argument(self), random_argument(self),
		      self->vcpus);
		route(GATE_EVENT_TIMER_BIT, random_next(self) % self->vcpus,
		      self->vcpus);
		gate_timer(now_ns() + random_next(self) % (50 * NS_PER_US));
		if (self->id != evil.ender && one_in(self, 4))
			gate_wait();
	}
	say_result(self, "events go where they may");
}

/* ---- Channels ---------------------------------------------------------- */

static void try_slot(uint64_t slot)
{
	bool is_slot = slot < GATE_CHANNELS_MAX;

	if (slot == SEAT_CONSOLE_SLOT)
		return;
	expect("a doorbell", slot, 0, gate_call(GATE_DOORBELL, slot, 0, 0),
	       is_slot ? -ENOENT : -EINVAL);
	expect("a channel's state", slot, 0,
	       gate_call(GATE_CHANNEL_STATE, slot, 0, 0),
	       is_slot ? GATE_CHANNEL_NONE : -EINVAL);
	expect("a detach", slot, 0, gate_call(GATE_CHANNEL_DETACH, slot, 0, 0),
	       is_slot ? -ENOENT : -EINVAL);
}

/* No channel is there but the console's, whatever the slot. */
static void attack_doorbell(struct self *self)
{
	meet(self);
	for (uint64_t slot = 0; slot < 300; slot++)
		try_slot(slot);
	for (unsigned bit = 8; bit < 64; bit++)
		for (unsigned i = 0; i < 3; i++)
			try_slot((1ULL << bit) - 1 + i);
	do {
		try_slot(random_next(self) % GATE_CHANNELS_MAX);
		try_slot(random_argument(self));
	} while (goes_on(self));
	say_result(self, "no other slot has a channel");
}

const struct attack right_attacks[] = {
	{ "rights", attack_rights },	 { "wait", attack_wait },
	{ "waitend", attack_wait_end },	 { "route", attack_route },
	{ "doorbell", attack_doorbell }, { 0 },
};
