/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a byte costs that a guest writes to its virtio console, for
 * scripts/bench: a buffer of 64 of them, as exitbench's console.byte, by the
 * registers that the transitional device has for old drivers.  Its time is that
 * of a loop, longer than several slices of the CPU, with the burst before it
 * and without, so that what seat and the monitor do afterwards is in it.
 *
 * References: VIRTIO 1.2, 2.7.2, 4.1.4.10, 5.3.
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"

#define BURST	   64
#define ROUNDS	   24000000UL
#define SAMPLES	   7
#define CONSOLE_ID 0x10031af4u
#define BASE	   0xd800 /* of its registers, where nobody else is */
#define TRANSMIT   1	  /* the queue */
#define QUEUE_MAX  256

#define PCI_COMMAND    0x04
#define COMMAND_IO     BIT(0)
#define COMMAND_MASTER BIT(2)
#define PCI_BAR0       0x10

enum legacy_register {
	GUEST_FEATURES = 4,
	QUEUE_PAGE = 8,
	QUEUE_SIZE = 12,
	QUEUE_SELECT = 14,
	QUEUE_NOTIFY = 16,
	DEVICE_STATUS = 18,
};
#define STATUS_DRIVER_OK 7 /* with ACKNOWLEDGE and DRIVER */
#define NO_INTERRUPT	 1 /* in the flags of the ring of buffers */

struct descriptor {
	uint64_t gpa;
	uint32_t length;
	uint16_t flags, next;
};

static uint8_t queue[3 * 4096] __aligned(4096);
static uint8_t text[BURST];
static unsigned queue_size;

static void pci_write(uint32_t devfn, uint32_t offset, uint32_t value)
{
	out32(0xcf8, 0x80000000u | devfn << 8 | offset);
	out32(0xcfc, value);
}

static bool console_find(void)
{
	for (uint32_t devfn = 0; devfn < 256; devfn++) {
		out32(0xcf8, 0x80000000u | devfn << 8);
		if (in32(0xcfc) != CONSOLE_ID)
			continue;
		pci_write(devfn, PCI_BAR0, BASE);
		pci_write(devfn, PCI_COMMAND, COMMAND_IO | COMMAND_MASTER);
		return true;
	}
	return false;
}

static void console_start(void)
{
	struct descriptor *descriptor = (struct descriptor *)queue;

	out8(BASE + DEVICE_STATUS, 0);
	out8(BASE + DEVICE_STATUS, STATUS_DRIVER_OK & 3);
	out32(BASE + GUEST_FEATURES, 0);
	out16(BASE + QUEUE_SELECT, TRANSMIT);
	queue_size = in16(BASE + QUEUE_SIZE);
	if (!queue_size || queue_size > QUEUE_MAX)
		return;
	descriptor->gpa = (uint64_t)text;
	descriptor->length = sizeof(text);
	memset(text, '.', sizeof(text));
	*(volatile uint16_t *)&descriptor[queue_size] = NO_INTERRUPT;
	out32(BASE + QUEUE_PAGE, (uint32_t)((uint64_t)queue >> 12));
	out8(BASE + DEVICE_STATUS, STATUS_DRIVER_OK);
}

/* Each buffer is descriptor 0. */
static volatile uint16_t *available_index(void)
{
	return (volatile uint16_t *)(queue + 16 * queue_size) + 1;
}

static uint16_t used_index(void)
{
	uint64_t end = 16 * queue_size + 2 * (3 + queue_size);

	return ((volatile uint16_t *)(queue + ALIGN_UP(end, 4096)))[1];
}

static void burst(void)
{
	++*available_index();
	__asm__ volatile("" ::: "memory");
	out16(BASE + QUEUE_NOTIFY, TRANSMIT);
}

static uint64_t spend_while(bool with_burst)
{
	uint64_t rounds = ROUNDS, before = rdtsc();

	if (with_burst)
		burst();
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds));
	return rdtsc() - before;
}

static void sort(int64_t *sample)
{
	for (unsigned i = 1; i < SAMPLES; i++)
		for (unsigned j = i; j && sample[j - 1] > sample[j]; j--) {
			int64_t value = sample[j];

			sample[j] = sample[j - 1];
			sample[j - 1] = value;
		}
}

void guest_main(void)
{
	int64_t sample[SAMPLES];

	check("console", console_find());
	console_start();
	check("queue", queue_size && queue_size <= QUEUE_MAX);
	spend_while(true);
	for (unsigned i = 0; i < SAMPLES; i++)
		sample[i] = ((int64_t)spend_while(true) -
			     (int64_t)spend_while(false)) /
			    BURST;
	sort(sample);
	check_equal("bursts", used_index(), SAMPLES + 1);
	print("\nEB virtio.console.byte min=%ld p50=%ld\n", sample[0],
	      sample[SAMPLES / 2]);
	guest_end();
}
