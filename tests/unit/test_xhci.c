/* SPDX-License-Identifier: BSD-2-Clause */
/* xHCI: registers, ports, commands, transfers. */
#include "tests/unit/usb_test.h"

#include "devices/xhci_internal.h"

#define DEVFN	    PCI_DEVFN(6, 0)
#define BAR	    0xe0000000U
#define LINE	    2
#define CONTEXTS    0x1000
#define COMMANDS    0x2000
#define EVENTS	    0x3000
#define TABLE	    0x4000
#define INPUT	    0x5000
#define OUTPUT	    0x6000
#define CONTROL	    0x7000 /* its ring */
#define BULK_IN	    0x8000
#define BULK_OUT    0x9000
#define DATA	    0xa000
#define EVENT_COUNT 32

static struct {
	struct bench b;
	struct pci_bus pci;
	struct guest_ram ram;
	struct xhci xhci;
	struct test_disk disk;
	struct usb_hid hid;
	uint8_t memory[KIB(256)];
	uint32_t commands, control, in, out, events; /* where the next goes */
	bool event_cycle;
} t;

static void intx(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)ctx;
	assert_int_equal(devfn, DEVFN);
	assert_int_equal(pin, 0);
	bench_line(&t.b, LINE, level);
}

static bool line(void)
{
	return t.b.level & BIT(LINE);
}

static uint32_t get(uint32_t offset)
{
	return (uint32_t)bus_in(&t.b.memory, BAR + offset, 4);
}

static void put(uint32_t offset, uint32_t value)
{
	bus_out(&t.b.memory, BAR + offset, value, 4);
}

static uint32_t *words(uint32_t at)
{
	return (uint32_t *)(void *)(t.memory + at);
}

static int setup(void **state)
{
	struct xhci_config config = {
		.pci = &t.pci,
		.devfn = DEVFN,
		.ram = &t.ram,
		.clock = &t.b.clock,
		.port = { &t.disk.usb.usb, &t.hid.usb },
	};

	(void)state;
	memset(&t, 0, sizeof(t));
	bench_init(&t.b);
	t.ram = (struct guest_ram){ 1, { { 0, sizeof(t.memory), t.memory } } };
	assert_int_equal(pci_bus_init(&t.pci, &t.b.ports, &t.b.memory), 0);
	t.pci.window[0] = (struct pci_window){ 0x80000000, 0x7ec00000 };
	t.pci.intx_set = intx;
	test_disk_init(&t.disk, &t.b.clock);
	usb_hid_init(&t.hid, USB_HID_TABLET, &t.b.clock);
	assert_int_equal(xhci_init(&t.xhci, &config), 0);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, BAR);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2, 6);
	t.commands = COMMANDS;
	t.control = CONTROL;
	t.in = BULK_IN;
	t.out = BULK_OUT;
	t.events = EVENTS;
	t.event_cycle = true;
	words(TABLE)[0] = EVENTS;
	words(TABLE)[2] = EVENT_COUNT;
	words(CONTEXTS)[2] = OUTPUT;
	words(CONTEXTS)[4] = OUTPUT + 0x400;
	return 0;
}

static void start(void)
{
	put(XHCI_OPERATIONAL + XHCI_CONFIG, 8);
	put(XHCI_OPERATIONAL + XHCI_DCBAAP, CONTEXTS);
	put(XHCI_OPERATIONAL + XHCI_CRCR, COMMANDS | 1);
	put(XHCI_OPERATIONAL + XHCI_CRCR + 4, 0);
	put(XHCI_RUNTIME + XHCI_ERSTSZ, 1);
	put(XHCI_RUNTIME + XHCI_ERDP, EVENTS);
	put(XHCI_RUNTIME + XHCI_ERSTBA, TABLE);
	put(XHCI_RUNTIME + XHCI_ERSTBA + 4, 0);
	put(XHCI_RUNTIME + XHCI_IMAN, 2);
	put(XHCI_OPERATIONAL + XHCI_USBCMD, XHCI_RUN | XHCI_INTE);
}

/* The next event, taken. */
static const uint32_t *event(void)
{
	static uint32_t trb[4];

	memcpy(trb, words(t.events), sizeof(trb));
	if ((trb[3] & 1) != t.event_cycle)
		return NULL;
	t.events += 16;
	if (t.events == EVENTS + 16 * EVENT_COUNT) {
		t.events = EVENTS;
		t.event_cycle = !t.event_cycle;
	}
	put(XHCI_RUNTIME + XHCI_IMAN, 3);
	put(XHCI_RUNTIME + XHCI_ERDP, t.events | 8);
	return trb;
}

static void expect_event(unsigned type, unsigned code, uint64_t parameter,
			 uint32_t length)
{
	const uint32_t *trb = event();

	assert_non_null(trb);
	assert_int_equal(trb[3] >> 10 & 63, type);
	assert_int_equal(trb[2] >> 24, code);
	assert_int_equal(trb[0], parameter);
	assert_int_equal(trb[2] & 0xffffff, length);
}

static void trb_put(uint32_t *at, uint32_t a, uint32_t b, uint32_t c,
		    uint32_t d)
{
	uint32_t *to = words(*at);

	to[0] = a;
	to[1] = b;
	to[2] = c;
	to[3] = d | 1;
	*at += 16;
}

/* Its completion code. */
static unsigned command(unsigned type, uint32_t parameter, uint32_t flags)
{
	uint32_t at = t.commands;
	const uint32_t *trb;

	trb_put(&t.commands, parameter, 0, 0, type << 10 | flags);
	put(XHCI_DOORBELLS, 0);
	trb = event();
	assert_non_null(trb);
	assert_int_equal(trb[3] >> 10 & 63, XHCI_COMMAND_EVENT);
	assert_int_equal(trb[0], at);
	return trb[2] >> 24;
}

#define SLOT_1 (1U << 24)

static void ports_start(void)
{
	start();
	expect_event(XHCI_PORT_EVENT, 1, 1U << 24, 0);
	expect_event(XHCI_PORT_EVENT, 1, 2U << 24, 0);
	put(XHCI_PORT_REGISTERS, XHCI_PORT_RESET | XHCI_PORT_CSC);
	expect_event(XHCI_PORT_EVENT, 1, 1U << 24, 0);
}

static void control_context(uint32_t packet)
{
	uint32_t *to = words(INPUT + 64);

	to[1] = packet << 16 | XHCI_EP_CONTROL << 3 | 3 << 1;
	to[2] = CONTROL | 1;
	to[3] = 0;
}

/* The disk is slot 1, configured by the driver, its endpoints by commands. */
static void disk_start(void)
{
	ports_start();
	assert_int_equal(command(XHCI_ENABLE_SLOT, 0, 0), 1);
	words(INPUT)[1] = 3;
	words(INPUT + 32)[0] = 1U << 27 | 3U << 20;
	words(INPUT + 32)[1] = 1U << 16;
	control_context(64);
	assert_int_equal(command(XHCI_ADDRESS_DEVICE, INPUT, SLOT_1), 1);
	words(INPUT)[1] = 1 | 1 << 3 | 1 << 4;
	words(INPUT + 32)[0] = 4U << 27 | 3U << 20;
	words(INPUT + 128)[1] = 512U << 16 | XHCI_EP_BULK_IN << 3;
	words(INPUT + 128)[2] = BULK_IN | 1;
	words(INPUT + 160)[1] = 512U << 16 | XHCI_EP_BULK_OUT << 3;
	words(INPUT + 160)[2] = BULK_OUT | 1;
	assert_int_equal(command(XHCI_CONFIGURE_ENDPOINT, INPUT, SLOT_1), 1);
	usb_configure(&t.disk.usb.usb, 1);
}

static void ring(unsigned index)
{
	put(XHCI_DOORBELLS + 4, index);
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 8, 4) >> 8, 0x0c0330);
	assert_int_equal(get(0), 0x01000040);
	assert_int_equal(bus_in(&t.b.memory, BAR, 1), 0x40);
	assert_int_equal(bus_in(&t.b.memory, BAR + 2, 2), 0x100);
	assert_int_equal(get(4), 0x0c000108);
	assert_int_equal(get(0x14), XHCI_DOORBELLS);
	assert_int_equal(get(0x18), XHCI_RUNTIME);
	/* Both protocols cover all ports. */
	assert_int_equal(get(0x20), 0x02000402);
	assert_int_equal(get(0x28), 0x00000801);
	assert_int_equal(get(0x30), 0x03000002);
	assert_int_equal(get(0x38), 0x00000409);
	assert_int_equal(get(XHCI_OPERATIONAL + XHCI_USBSTS), XHCI_HALTED);
	assert_int_equal(get(XHCI_PORT_REGISTERS), 0x20ee1);
	assert_int_equal(get(XHCI_PORT_REGISTERS + 32), 0x2a0);
	put(XHCI_DOORBELLS, 0); /* halted: nobody hears it */
	assert_int_equal(get(XHCI_OPERATIONAL + XHCI_CRCR), 0);
	start();
	assert_int_equal(get(XHCI_OPERATIONAL + XHCI_USBSTS),
			 XHCI_EVENT | XHCI_PORT_CHANGE);
	bench_step(&t.b, NSEC_PER_MS);
	assert_int_equal(get(XHCI_RUNTIME + XHCI_MFINDEX), 8);
	put(XHCI_OPERATIONAL + XHCI_USBCMD, XHCI_HCRST);
	assert_int_equal(get(XHCI_OPERATIONAL + XHCI_USBSTS), XHCI_HALTED);
	assert_int_equal(get(XHCI_RUNTIME + XHCI_ERSTSZ), 0);
}

static void test_ports(void **state)
{
	(void)state;
	start();
	assert_true(line());
	expect_event(XHCI_PORT_EVENT, 1, 1U << 24, 0);
	assert_true(line()); /* there is another */
	expect_event(XHCI_PORT_EVENT, 1, 2U << 24, 0);
	assert_false(line());
	put(XHCI_PORT_REGISTERS, XHCI_PORT_RESET | XHCI_PORT_CSC);
	assert_int_equal(get(XHCI_PORT_REGISTERS), 0x200e03);
	expect_event(XHCI_PORT_EVENT, 1, 1U << 24, 0);
	/* Suspended, resumed. */
	put(XHCI_PORT_REGISTERS, XHCI_PORT_LINK_WRITE | 3 << 5);
	assert_int_equal(get(XHCI_PORT_REGISTERS) >> 5 & 15, 3);
	put(XHCI_PORT_REGISTERS, XHCI_PORT_LINK_WRITE | 15 << 5);
	put(XHCI_PORT_REGISTERS, XHCI_PORT_LINK_WRITE);
	assert_int_equal(get(XHCI_PORT_REGISTERS) >> 5 & 15, 0);
	expect_event(XHCI_PORT_EVENT, 1, 1U << 24, 0);
	put(XHCI_PORT_REGISTERS, XHCI_PORT_ENABLED);
	assert_int_equal(get(XHCI_PORT_REGISTERS) & 2, 0);
}

static void test_slots(void **state)
{
	(void)state;
	ports_start();
	assert_int_equal(command(XHCI_NO_OP_COMMAND, 0, 0), 1);
	assert_int_equal(command(63, 0, 0), XHCI_TRB_ERROR);
	assert_int_equal(command(XHCI_ADDRESS_DEVICE, INPUT, SLOT_1),
			 XHCI_SLOT_DISABLED);
	for (unsigned i = 0; i < XHCI_SLOTS; i++)
		assert_int_equal(command(XHCI_ENABLE_SLOT, 0, 0), 1);
	assert_int_equal(command(XHCI_ENABLE_SLOT, 0, 0), XHCI_NO_SLOTS);
	words(INPUT)[1] = 3;
	control_context(64);
	words(INPUT + 32)[1] = 3U << 16; /* a port without a device */
	assert_int_equal(command(XHCI_ADDRESS_DEVICE, INPUT, SLOT_1),
			 XHCI_TRANSACTION_ERROR);
	words(INPUT + 32)[1] = 99U << 16;
	assert_int_equal(command(XHCI_ADDRESS_DEVICE, INPUT, SLOT_1),
			 XHCI_PARAMETER_ERROR);
	words(INPUT + 32)[1] = 1U << 16;
	assert_int_equal(
		command(XHCI_ADDRESS_DEVICE, INPUT, SLOT_1 | XHCI_TRB_BSR), 1);
	assert_int_equal(words(OUTPUT)[3], 1U << 27);
	assert_int_equal(t.disk.usb.state.usb.address, 0);
	assert_int_equal(command(XHCI_ADDRESS_DEVICE, INPUT, SLOT_1), 1);
	assert_int_equal(words(OUTPUT)[3], 2U << 27 | 1);
	assert_int_equal(words(OUTPUT + 32)[0] & 7, 1);
	assert_int_equal(t.disk.usb.state.usb.address, 1);
	assert_int_equal(command(XHCI_ADDRESS_DEVICE, INPUT, SLOT_1),
			 XHCI_STATE_ERROR);
	/* The port is slot 1's. */
	assert_int_equal(command(XHCI_ADDRESS_DEVICE, INPUT, 2U << 24),
			 XHCI_PARAMETER_ERROR);
	words(INPUT)[1] = 2;
	control_context(8);
	assert_int_equal(command(XHCI_EVALUATE_CONTEXT, INPUT, SLOT_1), 1);
	assert_int_equal(words(OUTPUT + 32)[1] >> 16, 8);
	words(INPUT)[1] = 1U << 20;
	assert_int_equal(command(XHCI_CONFIGURE_ENDPOINT, INPUT, SLOT_1),
			 XHCI_RESOURCE_ERROR);
	assert_int_equal(command(XHCI_RESET_DEVICE, 0, SLOT_1), 1);
	assert_int_equal(words(OUTPUT)[3], 1U << 27);
	assert_int_equal(command(XHCI_DISABLE_SLOT, 0, SLOT_1), 1);
	assert_int_equal(command(XHCI_RESET_DEVICE, 0, SLOT_1),
			 XHCI_SLOT_DISABLED);
}

/* GET_DESCRIPTOR of more than there is: the data stage is short. */
static void test_control(void **state)
{
	uint32_t data;

	(void)state;
	disk_start();
	trb_put(&t.control, 0x01000680, 0x00400000, 8,
		2 << 10 | 3 << 16 | 0x40);
	data = t.control;
	trb_put(&t.control, DATA, 0, 64, 3 << 10 | 1 << 16 | XHCI_TRB_ISP);
	trb_put(&t.control, 0, 0, 0, 4 << 10 | XHCI_TRB_IOC);
	ring(1);
	expect_event(XHCI_TRANSFER_EVENT, XHCI_SHORT_PACKET, data, 46);
	expect_event(XHCI_TRANSFER_EVENT, 1, t.control - 16, 0);
	assert_int_equal(t.memory[DATA], 18);
	assert_int_equal(t.memory[DATA + 17], 1);
	assert_null(event());
}

static void cbw_put(uint32_t at, uint8_t operation, uint8_t sectors, bool is_in)
{
	uint8_t *to = t.memory + at;

	memset(to, 0, 31);
	memcpy(to, "USBC", 4);
	to[9] = (uint8_t)(sectors * 2);
	to[12] = is_in ? 0x80 : 0;
	to[14] = 10;
	to[15] = operation;
	to[20] = 5; /* sector */
	to[23] = sectors;
}

/* A CBW in two pieces, and data in a chain of odd ones, over a link. */
static void test_chains(void **state)
{
	uint32_t last;

	(void)state;
	disk_start();
	cbw_put(DATA, 0x28, 4, true);
	trb_put(&t.out, DATA, 0, 10, 1 << 10 | XHCI_TRB_CHAIN);
	trb_put(&t.out, DATA + 10, 0, 21, 1 << 10 | XHCI_TRB_IOC);
	ring(4);
	expect_event(XHCI_TRANSFER_EVENT, 1, t.out - 16, 0);
	trb_put(&t.in, DATA + 0x1000, 0, 700, 1 << 10 | XHCI_TRB_CHAIN);
	/* The ring's end is its beginning, with the other cycle. */
	words(t.in)[0] = BULK_IN + 0x100;
	words(t.in)[3] = 6 << 10 | XHCI_TRB_CHAIN | 1;
	t.in = BULK_IN + 0x100;
	trb_put(&t.in, DATA + 0x2000, 0, 1000, 1 << 10 | XHCI_TRB_CHAIN);
	last = t.in;
	trb_put(&t.in, DATA + 0x3000, 0, 348, 1 << 10 | XHCI_TRB_CHAIN);
	trb_put(&t.in, 0xabcd, 0, 0, 7 << 10 | XHCI_TRB_IOC);
	ring(3);
	(void)last;
	expect_event(XHCI_TRANSFER_EVENT, 1, 0xabcd, 2048);
	assert_memory_equal(t.memory + DATA + 0x1000, t.disk.medium + 5 * 512,
			    700);
	assert_memory_equal(t.memory + DATA + 0x2000,
			    t.disk.medium + 5 * 512 + 700, 1000);
	assert_memory_equal(t.memory + DATA + 0x3000,
			    t.disk.medium + 5 * 512 + 1700, 348);
	trb_put(&t.in, DATA, 0, 13, 1 << 10 | XHCI_TRB_IOC);
	ring(3);
	expect_event(XHCI_TRANSFER_EVENT, 1, t.in - 16, 0);
	assert_memory_equal(t.memory + DATA, "USBS", 4);
}

/* While the disk works its endpoint waits, and goes on by itself. */
static void test_later(void **state)
{
	(void)state;
	disk_start();
	t.disk.is_late = true;
	cbw_put(DATA, 0x28, 2, true);
	trb_put(&t.out, DATA, 0, 31, 1 << 10);
	ring(4);
	trb_put(&t.in, DATA + 0x1000, 0, 1024, 1 << 10 | XHCI_TRB_IOC);
	ring(3);
	assert_null(event());
	assert_null(t.b.clock.first->next); /* but the disk's time limit */
	test_disk_end(&t.disk);
	expect_event(XHCI_TRANSFER_EVENT, 1, t.in - 16, 0);
	assert_memory_equal(t.memory + DATA + 0x1000, t.disk.medium + 5 * 512,
			    1024);
}

/* A STALL halts; the driver resets the endpoint and sets where it goes on. */
static void test_stall(void **state)
{
	(void)state;
	disk_start();
	cbw_put(DATA, 0xff, 2, true);
	trb_put(&t.out, DATA, 0, 31, 1 << 10);
	ring(4);
	trb_put(&t.in, DATA, 0, 1024, 1 << 10 | XHCI_TRB_IOC);
	ring(3);
	expect_event(XHCI_TRANSFER_EVENT, XHCI_STALL_ERROR, t.in - 16, 1024);
	assert_int_equal(words(OUTPUT + 96)[0] & 7, XHCI_EP_HALTED);
	ring(3);
	assert_null(event());
	assert_int_equal(command(XHCI_STOP_ENDPOINT, 0, SLOT_1 | 3 << 16),
			 XHCI_STATE_ERROR);
	assert_int_equal(command(XHCI_RESET_ENDPOINT, 0, SLOT_1 | 3 << 16), 1);
	assert_int_equal(command(XHCI_SET_DEQUEUE, t.in | 1, SLOT_1 | 3 << 16),
			 1);
	assert_int_equal(words(OUTPUT + 96)[0] & 7, XHCI_EP_STOPPED);
	assert_int_equal(words(OUTPUT + 96)[2], t.in | 1);
	assert_int_equal(usb_control(&t.disk.usb.usb, 2, USB_CLEAR_FEATURE, 0,
				     0x81, NULL, 0),
			 0);
	trb_put(&t.in, DATA, 0, 13, 1 << 10 | XHCI_TRB_IOC);
	ring(3);
	expect_event(XHCI_TRANSFER_EVENT, 1, t.in - 16, 0);
	assert_int_equal(t.memory[DATA + 12], 1);
}

static void test_stop(void **state)
{
	(void)state;
	disk_start();
	trb_put(&t.in, DATA, 0, 13, 1 << 10 | XHCI_TRB_IOC);
	ring(3);
	assert_null(event());
	trb_put(&t.commands, 0, 0, 0,
		XHCI_STOP_ENDPOINT << 10 | SLOT_1 | 3 << 16);
	put(XHCI_DOORBELLS, 0);
	expect_event(XHCI_TRANSFER_EVENT, XHCI_STOPPED, t.in - 16, 13);
	expect_event(XHCI_COMMAND_EVENT, 1, t.commands - 16, 0);
	assert_int_equal(words(OUTPUT + 96)[0] & 7, XHCI_EP_STOPPED);
	assert_int_equal(command(XHCI_STOP_ENDPOINT, 0, SLOT_1 | 7 << 16),
			 XHCI_ENDPOINT_DISABLED);
}

/* Without room for events nothing goes on, and nothing is lost. */
static void test_full(void **state)
{
	unsigned done = 0;

	(void)state;
	ports_start();
	for (unsigned i = 0; i < 64; i++)
		trb_put(&t.commands, 0, 0, 0, XHCI_NO_OP_COMMAND << 10);
	put(XHCI_DOORBELLS, 0);
	assert_true(t.xhci.state.is_command_pending);
	while (event())
		done++;
	assert_int_equal(done, 64);
	assert_false(t.xhci.state.is_command_pending);
}

/* Links to links, and a chain without end: no more than that it does not work.
 */
static void test_circles(void **state)
{
	(void)state;
	disk_start();
	words(BULK_OUT)[0] = BULK_OUT;
	words(BULK_OUT)[3] = 6 << 10 | 1;
	ring(4);
	assert_null(event());
	for (unsigned i = 0; i < 32; i++)
		trb_put(&t.in, 0, 0, 0, 1 << 10 | XHCI_TRB_CHAIN);
	words(t.in)[0] = BULK_IN;
	words(t.in)[3] = 6 << 10 | XHCI_TRB_CHAIN | 1;
	cbw_put(DATA, 0x28, 1, true);
	ring(3);
	bench_step(&t.b, NSEC_PER_MS);
	assert_int_equal(command(XHCI_NO_OP_COMMAND, 0, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_ports, setup),
		cmocka_unit_test_setup(test_slots, setup),
		cmocka_unit_test_setup(test_control, setup),
		cmocka_unit_test_setup(test_chains, setup),
		cmocka_unit_test_setup(test_later, setup),
		cmocka_unit_test_setup(test_stall, setup),
		cmocka_unit_test_setup(test_stop, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_circles, setup),
	};

	return cmocka_run_group_tests_name("xhci", tests, NULL, NULL);
}
