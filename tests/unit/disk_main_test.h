/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ground for all of services/disk: a gate, virtio devices, a clock, an init
 * and machines of the test's own.
 *
 * The monitor's part is as vm/device.c has it: a vector, or the line, that came
 * is masked until the next acknowledgement; what comes meanwhile comes then.
 */
#ifndef BULKHEAD_TESTS_DISK_MAIN_TEST_H
#define BULKHEAD_TESTS_DISK_MAIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define IMAGE_BLOCKS 256u

#include "tests/unit/fake/disk/lib/user/gate_calls.h"
#include "tests/unit/fake/disk/lib/user/mmio.h"
/* Its variables are all zero for each test. */
#include "services/disk/main.c"

#include "lib/user/disk_client.h"
#include "tests/unit/disk_control_test.h"
#include "tests/unit/fake/virtio/blk.h"
#include "tests/unit/gpt_image.h"

#define DEVICES	      3
#define MACHINES      2
#define CALL_NS	      500 /* that one call takes */
#define RAM_SIZE      KIB(64)
#define RAM_AT(n)     (0x1200000000ULL + (uint64_t)(n)*GIB(1))
#define DMA_AT(n)     (0x7000000ULL + (uint64_t)(n)*MIB(1))
#define DMA_SIZE      (DISK_DMA_PAGES * PAGE_SIZE)
#define OVERLAY_PAGES 16
#define BOUNCE	      DISK_WHERE_BOUNCE

struct machine {
	uint8_t ram[RAM_SIZE];
	struct disk_channel channel __aligned(4096);
	struct gate_channel_memory memory;
	uint64_t chunk[1];
	struct disk_client_link link;
	uint64_t id;
	unsigned answers;
	int status[256]; /* by id; 1: none yet */
	bool is_rung;	 /* by disk */
};

static uint8_t dma[DEVICES][DMA_SIZE] __aligned(4096);
static uint8_t overlay_memory[OVERLAY_PAGES * PAGE_SIZE] __aligned(4096);
static struct machine machine[MACHINES];
static struct image image;

static struct {
	uint64_t now_ns, timer_ns, events;
	uint64_t answered_ns; /* the last request */
	unsigned calls, waits, rounds;
	unsigned vain; /* wake-ups to come that bring nothing */
	struct gate_config config;
	struct disk_argument argument;
	struct {
		struct fake_blk fake;
		bool is_mute;
		uint32_t masked, pending; /* vectors */
	} device[DEVICES];
	struct disk_control *control;
	struct control_end init;
	unsigned detached[DISK_SLOTS];
	char log[8192];
	bool (*step)(unsigned number); /* when disk waits; false: the end */
	unsigned steps;
	uint64_t exit_code;
	jmp_buf end;
} host;

static struct fake_virtio *device(unsigned n)
{
	return &host.device[n].fake.device;
}

/* ---- Devices ------------------------------------------------------------- */

static bool has_msix(unsigned n)
{
	return device(n)->access.vector_count;
}

static void interrupts_deliver(unsigned n)
{
	uint32_t up = has_msix(n) ? device(n)->interrupts : !!device(n)->isr;
	uint32_t came = up & ~host.device[n].masked;

	if (!came)
		return;
	if (has_msix(n))
		device(n)->interrupts &= ~came;
	host.device[n].masked |= came;
	host.device[n].pending |= came;
	host.events |= BIT(GATE_EVENT_DEVICE_BIT(n));
}

static bool has_work(unsigned n)
{
	return host.config.device[n].is_there && !host.device[n].is_mute &&
	       fake_blk_fetch(&host.device[n].fake);
}

/* Time passes at each call, and devices work at any moment. */
static void call(void)
{
	host.calls++;
	assert_true(host.calls < 2000000);
	host.now_ns += CALL_NS;
	for (unsigned n = 0; n < DEVICES; n++) {
		if (rand() % 4 == 0 && has_work(n))
			fake_blk_do(&host.device[n].fake,
				    (unsigned)rand() %
					    host.device[n].fake.count);
		interrupts_deliver(n);
	}
	if (host.timer_ns <= host.now_ns) {
		host.timer_ns = UINT64_MAX;
		host.events |= BIT(GATE_EVENT_TIMER_BIT);
	}
}

static struct fake_virtio *device_at(const void *at)
{
	for (unsigned n = 0; n < DEVICES; n++)
		if ((const uint8_t *)at >= device(n)->bar &&
		    (const uint8_t *)at < device(n)->bar + FAKE_BAR_SIZE)
			return device(n);
	fail_msg("no register");
	return NULL;
}

uint32_t mmio_read(const void *at, unsigned size)
{
	struct fake_virtio *of = device_at(at);

	return of->access.ops->mmio_read(of, at, size);
}

void mmio_write(void *at, unsigned size, uint32_t value)
{
	struct fake_virtio *of = device_at(at);

	of->access.ops->mmio_write(of, at, size, value);
}

long gate_device_read(unsigned n, unsigned offset, unsigned size)
{
	call();
	assert_true(n < DEVICES);
	return device(n)->access.ops->config_read(device(n), offset, size);
}

/* Bus mastering alone is the program's. */
long gate_device_write(unsigned n, unsigned offset, unsigned size,
		       uint32_t value)
{
	call();
	assert_true(n < DEVICES);
	if (offset == 4 && size == 2 && !device(n)->is_command_fixed)
		device(n)->pci_config[4] = (uint8_t)(2 | (value & 4));
	return 0;
}

long gate_device_ack(unsigned n)
{
	long came;

	assert_true(n < DEVICES);
	came = host.device[n].pending;
	host.device[n].pending = host.device[n].masked = 0;
	interrupts_deliver(n);
	call();
	return came;
}

void *gate_device_bar(unsigned n, unsigned bar)
{
	assert_int_equal(bar, FAKE_BAR);
	return device(n)->bar;
}

void *gate_device_dma(unsigned n)
{
	return dma[n];
}

/* ---- The gate ------------------------------------------------------------ */

const struct gate_config *gate_config(void)
{
	return &host.config;
}

const void *gate_argument(void)
{
	return &host.argument;
}

void *gate_module_memory(void)
{
	return overlay_memory;
}

void gate_log(unsigned level, const char *format, ...)
{
	size_t length = strlen(host.log);
	va_list args;

	(void)level;
	call();
	va_start(args, format);
	vsnprintf(host.log + length, sizeof(host.log) - length - 1, format,
		  args);
	va_end(args);
	strcat(host.log, "\n");
}

__noreturn void gate_exit(uint64_t code)
{
	host.exit_code = code;
	longjmp(host.end, 1);
}

long gate_doorbell(unsigned slot)
{
	call();
	if (slot && slot <= MACHINES)
		machine[slot - 1].is_rung = true;
	return slot <= MACHINES ? 0 : -EINVAL;
}

long gate_channel_state(unsigned slot)
{
	call();
	return slot <= MACHINES ? GATE_CHANNEL_OPEN : GATE_CHANNEL_NONE;
}

long gate_channel_detach(unsigned slot)
{
	call();
	assert_true(slot < DISK_SLOTS);
	host.detached[slot]++;
	return 0;
}

void *gate_channel(unsigned slot)
{
	assert_true(slot <= MACHINES);
	return slot ? (void *)&machine[slot - 1].channel : host.control;
}

const struct gate_channel_memory *gate_channel_memory(unsigned slot)
{
	assert_in_range(slot, 1, MACHINES);
	return &machine[slot - 1].memory;
}

const uint64_t *gate_channel_chunks(unsigned slot)
{
	assert_in_range(slot, 1, MACHINES);
	return machine[slot - 1].chunk;
}

void gate_timer(uint64_t deadline_ns)
{
	host.timer_ns = deadline_ns;
	call();
}

uint64_t gate_now_ns(void)
{
	host.now_ns += CALL_NS / 10;
	host.rounds++;
	return host.now_ns;
}

static bool is_anything_at_work(void)
{
	bool is = false;

	for (unsigned n = 0; n < DEVICES; n++)
		is |= has_work(n);
	return is;
}

/* Only what sets an event ends it: a device, time, or the others' step. */
uint64_t gate_wait(void)
{
	uint64_t events;

	host.waits++;
	call();
	if (host.vain) {
		host.vain--;
		return 0;
	}
	while (!host.events) {
		if (is_anything_at_work()) {
			call();
		} else if (host.timer_ns != UINT64_MAX &&
			   host.timer_ns < host.now_ns + NSEC_PER_MS) {
			host.now_ns = MAX(host.now_ns, host.timer_ns);
			call();
		} else if (host.step && host.step(host.steps++)) {
			call();
		} else if (host.timer_ns != UINT64_MAX) {
			host.now_ns = host.timer_ns;
			call();
		} else {
			longjmp(host.end, 1);
		}
		assert_true(host.steps < 100000);
	}
	events = host.events;
	host.events = 0;
	return events;
}

/* ---- init ---------------------------------------------------------------- */

static void ring_slot(unsigned slot)
{
	host.events |= BIT(GATE_EVENT_CHANNEL_BIT(slot));
}

static void tell(struct disk_message message)
{
	if (control_say(&host.init, &message))
		ring_slot(DISK_CONTROL_SLOT);
}

static void tell_kind(enum disk_message_kind kind, unsigned slot)
{
	tell(control_message(kind, host.argument.start, slot));
}

static void tell_drive(unsigned slot, unsigned number, const char *source,
		       uint32_t flags)
{
	tell(control_drive(slot, number, source, flags));
}

static void heard(enum disk_message_kind kind, const char *reason)
{
	struct disk_message message = control_hear(&host.init);

	assert_int_equal(message.start, host.argument.start);
	if (message.kind == DISK_REFUSED)
		assert_string_equal(message.reason, reason);
	assert_int_equal(message.kind, kind);
}

static bool is_silent(void)
{
	return control_is_silent(&host.init);
}

/* ---- Machines ------------------------------------------------------------ */

static void answered(void *ctx, uint64_t id, int status, uint64_t sector)
{
	struct machine *of = ctx;

	(void)sector;
	assert_int_equal(of->status[id % 256], 1);
	of->status[id % 256] = status;
	of->answers++;
	host.answered_ns = host.now_ns;
}

static void machine_bell(void *ctx)
{
	ring_slot((unsigned)((struct machine *)ctx - machine) + 1);
}

static const struct disk_client_ops machine_ops = { answered, machine_bell,
						    NULL };

static void send(unsigned n, enum disk_op op, uint64_t sector, uint32_t count,
		 uint64_t where)
{
	struct disk_request request = {
		.id = ++machine[n].id,
		.op = op,
		.sector = sector,
		.sector_count = count,
	};

	if (op == DISK_OP_READ || op == DISK_OP_WRITE) {
		request.segment_count = 1;
		request.segment[0].where = where;
		request.segment[0].length = count * 512;
	}
	machine[n].status[machine[n].id % 256] = 1;
	assert_int_equal(disk_client_submit(&machine[n].link, &request), 0);
}

/* All that rang it or has something to say; false: none. */
static bool machines_run(void)
{
	bool has_run = false;

	for (unsigned n = 0; n < MACHINES; n++) {
		if (!machine[n].is_rung)
			continue;
		machine[n].is_rung = false;
		disk_client_run(&machine[n].link);
		assert_false(machine[n].link.is_broken);
		has_run = true;
	}
	return has_run;
}

static bool are_all_answered(void)
{
	return !machine[0].link.count && !machine[1].link.count;
}

/* ---- Beginning ----------------------------------------------------------- */

static int teardown(void **state)
{
	(void)state;
	for (unsigned n = 0; n < DEVICES; n++)
		fake_blk_fini(&host.device[n].fake);
	free(host.control);
	host.control = NULL;
	return 0;
}

static void machine_setup(unsigned n)
{
	struct machine *of = &machine[n];

	memset(of, 0, sizeof(*of));
	for (unsigned i = 0; i < DISK_CHANNEL_PAGES; i++)
		of->memory.page[i] = (uintptr_t)&of->channel + i * PAGE_SIZE;
	of->memory.vm_memory = RAM_SIZE;
	of->chunk[0] = RAM_AT(n);
	of->is_rung = true;
	disk_client_init(&of->link, &of->channel, 77 + n, &machine_ops, of);
}

static void device_setup(unsigned n, const char *serial)
{
	struct fake_blk *fake = &host.device[n].fake;

	memset(dma[n], 0xee, DMA_SIZE);
	fake->device.memory = (struct fake_memory){
		.count = 4,
		.region = { { dma[n], DMA_AT(n), DMA_SIZE },
			    { machine[0].ram, RAM_AT(0), RAM_SIZE },
			    { machine[1].ram, RAM_AT(1), RAM_SIZE },
			    { machine[0].channel.bounce,
			      (uintptr_t)machine[0].channel.bounce,
			      DISK_BOUNCE_SIZE } },
	};
	fake_blk_init(fake);
	fake->serial = serial;
	memcpy(fake->disk, image.bytes, FAKE_SECTORS * 512);
	host.config.device[n] = (struct gate_device){
		.address = (uint16_t)((4 + n) << 3),
		.is_there = true,
		.bar_size[FAKE_BAR] = FAKE_BAR_SIZE,
		.dma_address = DMA_AT(n),
		.dma_size = DMA_SIZE,
	};
	host.device[n].masked = UINT32_MAX; /* until it is acknowledged */
}

static int setup(void **state)
{
	struct gpt_layout layout;

	teardown(state);
	memset(&service, 0, sizeof(service));
	memset(&host, 0, sizeof(host));
	srand(1);
	host.now_ns = NSEC_PER_SEC;
	host.timer_ns = UINT64_MAX;
	host.argument =
		(struct disk_argument){ DISK_VERSION, 5, OVERLAY_PAGES };
	image_init(&image, 512);
	layout = gpt_layout(&image);
	gpt_make(&image, &layout);
	for (unsigned n = 0; n < MACHINES; n++)
		machine_setup(n);
	device_setup(0, "ABC");
	host.control = calloc(1, sizeof(*host.control));
	control_begin(&host.init, host.control);
	return 0;
}

/* MSI-X, with a queue for each vector but the first. */
static void device_msix(unsigned n, unsigned vectors)
{
	device(n)->access.vector_count = (uint16_t)vectors;
	host.config.device[n].vector_count = (uint16_t)vectors;
	device(n)->queue_count = (uint16_t)vectors;
	device(n)->offered |= BIT(12);
	fake_blk_config(&host.device[n].fake, 34, 2, vectors);
}

static void tell_client(unsigned slot, const char *source, uint32_t flags)
{
	tell_kind(DISK_ADD_CLIENT, slot);
	tell_drive(slot, 0, source, flags);
	tell_kind(DISK_START, slot);
}

/* True: disk has ended by itself. */
static void disk_begin(bool (*step)(unsigned number))
{
	host.step = step;
	host.exit_code = UINT64_MAX;
	if (!setjmp(host.end))
		program_main(0);
}

static bool is_logged(const char *text)
{
	bool is = strstr(host.log, text);

	if (!is)
		print_message("no \"%s\" in:\n%s", text, host.log);
	return is;
}

#endif
