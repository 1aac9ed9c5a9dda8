/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with a picture and ears: it draws what tests/screen/pattern.py knows,
 * and says on its serial port what reaches it: keys and the mouse's packets as
 * the keyboard controller hands them over, NMIs, the power button.  Bytes typed
 * at the serial port make it do something: `commands` has them.
 *
 * Options: shade=N, a byte of the picture, to tell two of these apart; width=N.
 */
#include "include/virtio.h"
#include "tests/hostile/guests/hostile.h"

#define CORNER 16u

#define DISPI_INDEX  0x1ce
#define DISPI_DATA   0x1cf
#define DISPI_XRES   1
#define DISPI_YRES   2
#define DISPI_BPP    3
#define DISPI_ENABLE 4
#define DISPI_ON     0x41 /* a linear frame buffer */

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000u
#define PCI_SLOTS   32
#define PCI_ID	    0x00
#define PCI_CLASS   0x08
#define PCI_BAR0    0x10
#define CLASS_MASK  0xff000000u
#define CLASS_VIDEO 0x03000000u
#define BAR_ADDRESS 0xfffffff0u

#define VIRTIO_PCI_CONSOLE 0x1003u /* the transitional one */

#define PORT_402 0x402
#define PORT_E9	 0xe9

#define COM1	 0x3f8
#define COM1_IER (COM1 + 1)
#define COM1_MCR (COM1 + 4)
#define COM1_LSR (COM1 + 5)
#define IER_DATA 0x01
#define MCR_IRQ	 0x08 /* OUT2, between UART and PIC */
#define LSR_DATA 0x01

#define I8042_DATA    0x60
#define I8042_STATUS  0x64
#define STATUS_OUTPUT BIT(0)
#define STATUS_INPUT  BIT(1)
#define STATUS_MOUSE  BIT(5)
#define I8042_READ    0x20 /* the command byte */
#define I8042_WRITE   0x60
#define I8042_AUX_ON  0xa8
#define I8042_TO_AUX  0xd4
#define CONFIG_IRQS   0x03
#define CONFIG_NO_AUX 0x20
#define KEY_UP	      0x80
#define KEY_EXTENDED  0xe0
#define MOUSE_RATE    0xf3
#define MOUSE_ID      0xf2
#define MOUSE_ENABLE  0xf4
#define MOUSE_ACK     0xfa
#define MOUSE_WHEEL   3 /* its identity once it has one */

#define IRQ_TIMER    0
#define IRQ_KEYBOARD 1
#define IRQ_COM1     4
#define IRQ_MOUSE    12

#define BUSY_TICKS 100000000

#define LVT_EXTINT 0x700 /* the PIC's interrupts, at LINT0 */
#define LVT_NMI	   0x400 /* at LINT1 */

#define PM_STATUS    0x600
#define PM_CONTROL   0x604
#define STATUS_POWER BIT(8)
#define SLEEP_ENABLE BIT(13) /* type 0: S5 */

/* The secondary channel's master. */
#define IDE		0x170
#define IDE_BYTES	(IDE + 4)
#define IDE_DRIVE	(IDE + 6)
#define IDE_COMMAND	(IDE + 7)
#define IDE_PACKET	0xa0
#define IDE_BUSY	BIT(7)
#define IDE_REQUEST	BIT(3)
#define IDE_ERROR	BIT(0)
#define PACKET_WORDS	6
#define CD_SECTOR	2048
#define SENSE_ATTENTION 6
#define READ_CAPACITY	0x25
#define READ_10		0x28

static volatile uint32_t nmis;
static uint32_t *pixels;
static uint32_t shade, width, height;
static bool is_down[128]; /* by make code; an extended key is its plain one */
static uint8_t packet[4];
static unsigned packet_size, packet_length;

/* ---- The picture --------------------------------------------------------- */

/* As pattern.py has it. */
static uint32_t colour(uint32_t x, uint32_t y)
{
	bool is_left = x < CORNER, is_top = y < CORNER;
	bool is_right = x >= width - CORNER, is_bottom = y >= height - CORNER;

	if ((is_left || is_right) && (is_top || is_bottom))
		return (is_left ? 0xff0000 : 0x0000ff) |
		       (is_top ? 0x00ff00 : 0x000000);
	return (x >> 2) << 16 | (y & 0xff) << 8 | ((x ^ y ^ shade) & 0xff);
}

static void dispi_write(uint16_t index, uint16_t value)
{
	out16(DISPI_INDEX, index);
	out16(DISPI_DATA, value);
}

/* Where the first BAR of the first device is whose register is so; or 0. */
static uint32_t pci_bar0(uint8_t reg, uint32_t mask, uint32_t value)
{
	for (uint32_t slot = 0; slot < PCI_SLOTS; slot++) {
		out32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | reg);
		if ((in32(PCI_DATA) & mask) != value)
			continue;
		out32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | PCI_BAR0);
		return in32(PCI_DATA) & BAR_ADDRESS;
	}
	return 0;
}

static void draw(void)
{
	pixels = (uint32_t *)(uint64_t)pci_bar0(PCI_CLASS, CLASS_MASK,
						CLASS_VIDEO);
	if (!pixels) {
		fail("draw", "there is no display");
		return;
	}
	dispi_write(DISPI_ENABLE, 0);
	dispi_write(DISPI_XRES, (uint16_t)width);
	dispi_write(DISPI_YRES, (uint16_t)height);
	dispi_write(DISPI_BPP, 32);
	dispi_write(DISPI_ENABLE, DISPI_ON);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			pixels[y * width + x] = colour(x, y);
	print("drawn\n");
}

/* Where pattern.py says. */
static void dot(void)
{
	if (pixels)
		pixels[100 * width + 200] ^= 0xffffff;
	print("dotted\n");
}

/* ---- Keys and the mouse -------------------------------------------------- */

static void i8042_wait(uint8_t bit, bool is_set)
{
	for (unsigned i = 0; i < 1000000; i++)
		if (!(in8(I8042_STATUS) & bit) == !is_set)
			return;
	fail("i8042", "bit %#x of its status", bit);
}

static void i8042_command(uint8_t command)
{
	i8042_wait(STATUS_INPUT, false);
	out8(I8042_STATUS, command);
}

static void i8042_write(uint8_t value)
{
	i8042_wait(STATUS_INPUT, false);
	out8(I8042_DATA, value);
}

static uint8_t i8042_read(void)
{
	i8042_wait(STATUS_OUTPUT, true);
	return in8(I8042_DATA);
}

static void mouse_write(uint8_t value)
{
	i8042_command(I8042_TO_AUX);
	i8042_write(value);
	if (i8042_read() != MOUSE_ACK)
		fail("mouse", "it does not take %#x", value);
}

/* With the knock that gives it a wheel. */
static void mouse_begin(void)
{
	static const uint8_t knock[] = { 200, 100, 80 };
	uint8_t config;

	i8042_command(I8042_AUX_ON);
	for (unsigned i = 0; i < ARRAY_SIZE(knock); i++) {
		mouse_write(MOUSE_RATE);
		mouse_write(knock[i]);
	}
	mouse_write(MOUSE_ID);
	packet_size = i8042_read() == MOUSE_WHEEL ? 4 : 3;
	mouse_write(MOUSE_ENABLE);
	i8042_command(I8042_READ);
	config = i8042_read();
	i8042_command(I8042_WRITE);
	i8042_write((uint8_t)((config & ~CONFIG_NO_AUX) | CONFIG_IRQS));
}

static void mouse_take(uint8_t byte)
{
	packet[packet_length++] = byte;
	if (packet_length < packet_size)
		return;
	packet_length = 0;
	print("mouse %02x %d %d %d\n", packet[0],
	      packet[1] - (packet[0] & BIT(4) ? 256 : 0),
	      packet[2] - (packet[0] & BIT(5) ? 256 : 0),
	      packet_size == 4 ? (int8_t)packet[3] : 0);
}

static void i8042_poll(void)
{
	uint8_t status;

	while ((status = in8(I8042_STATUS)) & STATUS_OUTPUT) {
		uint8_t byte = in8(I8042_DATA);

		if (status & STATUS_MOUSE) {
			mouse_take(byte);
			continue;
		}
		if (byte != KEY_EXTENDED)
			is_down[byte & ~KEY_UP] = !(byte & KEY_UP);
		print("key %02x\n", byte);
	}
}

static void keys_held(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(is_down); i++)
		count += is_down[i];
	print("held %u\n", count);
}

/* ---- The CD-ROM drive ---------------------------------------------------- */

static uint8_t ide_status(void)
{
	uint8_t status;

	for (unsigned i = 0; i < 1000000; i++) {
		status = in8(IDE_COMMAND);
		if (!(status & IDE_BUSY))
			return status;
	}
	fail("cd", "it stays busy");
	return 0;
}

/* The sense key, 0 where there is none; the first bytes of what comes. */
static unsigned cd_packet(const uint8_t packet_bytes[2 * PACKET_WORDS],
			  uint8_t *to, unsigned length)
{
	unsigned at = 0;
	uint8_t status;

	out8(IDE_DRIVE, 0xa0);
	out8(IDE_BYTES, 0);
	out8(IDE_BYTES + 1, CD_SECTOR >> 8);
	out8(IDE_COMMAND, IDE_PACKET);
	if (!(ide_status() & IDE_REQUEST))
		fail("cd", "it takes no packet");
	for (unsigned i = 0; i < PACKET_WORDS; i++)
		out16(IDE, (uint16_t)(packet_bytes[2 * i] |
				      packet_bytes[2 * i + 1] << 8));
	while ((status = ide_status()) & IDE_REQUEST) {
		uint16_t word = in16(IDE);

		for (unsigned i = 0; i < 2; i++, at++, word >>= 8)
			if (at < length)
				to[at] = (uint8_t)word;
	}
	return status & IDE_ERROR ? in8(IDE + 1) >> 4 : 0;
}

/* TEST UNIT READY. */
static unsigned cd_sense(void)
{
	static const uint8_t packet_bytes[2 * PACKET_WORDS];

	return cd_packet(packet_bytes, NULL, 0);
}

static void cd(void)
{
	unsigned sense = cd_sense();

	if (sense == SENSE_ATTENTION)
		sense = cd_sense();
	print("cd %u\n", sense);
}

/* What is in it: whether it has changed, its last sector's number, and what
 * that begins with. */
static void cd_read(void)
{
	static const uint8_t capacity[2 * PACKET_WORDS] = { READ_CAPACITY };
	uint8_t read[2 * PACKET_WORDS] = { READ_10, [8] = 1 };
	uint8_t last[4] = { 0 }, bytes[4] = { 0 };
	bool has_changed = cd_sense() == SENSE_ATTENTION;
	unsigned sense = cd_packet(capacity, last, sizeof(last));

	for (unsigned i = 0; i < sizeof(last); i++)
		read[2 + i] = last[i];
	if (!sense)
		sense = cd_packet(read, bytes, sizeof(bytes));
	print("cd %s, sense %u, last %u, %c%c%c%c\n",
	      has_changed ? "changed" : "same", sense, last[2] << 8 | last[3],
	      bytes[0], bytes[1], bytes[2], bytes[3]);
}

/* Until so much time has passed for it, without waiting. */
static void busy(void)
{
	uint64_t begun = rdtsc(), ticks;

	do
		ticks = rdtsc() - begun;
	while (ticks < BUSY_TICKS);
	print("busy for %lu\n", ticks);
}

/* ---- Events -------------------------------------------------------------- */

/* What its virtio console says of who sits before it. */
static void terminal(void)
{
	uint32_t console = pci_bar0(
		PCI_ID, ~0u, VIRTIO_PCI_VENDOR | VIRTIO_PCI_CONSOLE << 16);
	uint32_t size = in32((uint16_t)(console + VIRTIO_LEGACY_CONFIG));

	if (console)
		print("terminal %u x %u\n", size & UINT16_MAX, size >> 16);
	else
		print("no virtio console\n");
}

/* A word on each port that has no device but a debug console. */
static void debug_consoles(void)
{
	for (const char *s = "by 402h"; *s; s++)
		out8(PORT_402, (uint8_t)*s);
	for (const char *s = "by e9h"; *s; s++)
		out8(PORT_E9, (uint8_t)*s);
	print("debugged\n");
}

static void alive(void)
{
	print("alive\n");
}

static const struct {
	uint8_t byte;
	void (*run)(void);
} commands[] = {
	{ 'g', draw },		 { 'p', dot },	     { 'c', cd },
	{ 'a', alive },		 { 'e', guest_end }, { 'r', cd_read },
	{ 'k', keys_held },	 { 'b', busy },	     { 't', terminal },
	{ 'd', debug_consoles },
};

static void serial_poll(void)
{
	while (in8(COM1_LSR) & LSR_DATA) {
		uint8_t byte = in8(COM1);

		for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
			if (commands[i].byte == byte)
				commands[i].run();
	}
}

static void power_poll(void)
{
	if (!(in16(PM_STATUS) & STATUS_POWER))
		return;
	out16(PM_STATUS, STATUS_POWER);
	print("power button\n");
	out16(PM_CONTROL, SLEEP_ENABLE);
}

static void nmi(struct trap_frame *frame)
{
	(void)frame;
	nmis++;
}

void guest_main(void)
{
	static const uint8_t irqs[] = { IRQ_TIMER, IRQ_KEYBOARD, IRQ_COM1,
					IRQ_MOUSE };
	uint32_t nmis_told = 0;
	uint16_t mask = 0;

	shade = (uint32_t)command_option("shade", 0);
	width = (uint32_t)command_option("width", 1024);
	height = width * 3 / 4;
	trap_hook(X86_VECTOR_NMI, nmi);
	for (unsigned i = 0; i < ARRAY_SIZE(irqs); i++) {
		irq_count_pic(irqs[i]);
		mask |= (uint16_t)BIT(irqs[i]);
	}
	lapic_enable();
	lapic_write(LAPIC_LVT_LINT0, LVT_EXTINT);
	lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
	mouse_begin();
	pic_enable(mask);
	out8(COM1_MCR, in8(COM1_MCR) | MCR_IRQ);
	out8(COM1_IER, IER_DATA);
	print("panel ready\n");
	for (;;) {
		i8042_poll();
		serial_poll();
		power_poll();
		for (; nmis_told != nmis; nmis_told++)
			print("nmi %u\n", nmis_told + 1);
		/* Interrupts wait until then: none is slept through. */
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	}
}
