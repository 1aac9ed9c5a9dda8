/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guests here share.
 *
 * Reference: Multiboot Specification 0.6.96, "Boot information format".
 */
#include "tests/hostile/guests/hostile.h"

#include "lib/string.h"

#define MULTIBOOT_CMDLINE  BIT(2)
#define HYPERVISOR_TIMING  0x40000010 /* EAX: the TSC's rate in kHz */
#define PROCESSORS_WAIT_US 2000
#define MEASURE_US	   2000
#define LVT_MASKED	   BIT(16)
#define DIVIDE_BY_1	   0xb
#define TRAMPOLINE	   0x8000
#define ICR_INIT_OTHERS	   0xc4500
#define ICR_SIPI_OTHERS	   (0xc4600 | TRAMPOLINE >> PAGE_SHIFT)

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
};

/* start.asm */
extern uint32_t boot_info;

/* processors.asm */
extern const uint8_t trampoline[], trampoline_end[];
extern volatile uint32_t processors_count;
extern void (*processors_main)(unsigned id);
extern struct {
	uint16_t limit;
	uint64_t base;
} __packed processors_idtr;

static const char *command_line(void)
{
	const struct multiboot_info *info = (const void *)(uint64_t)boot_info;

	if (!(info->flags & MULTIBOOT_CMDLINE))
		return "";
	return (const char *)(uint64_t)info->cmdline;
}

/* The length of the word at text; *next is where the one after it begins. */
static size_t word_length(const char *text, const char **next)
{
	size_t length = 0;

	while (text[length] && text[length] != ' ')
		length++;
	*next = text + length;
	while (**next == ' ')
		(*next)++;
	return length;
}

/* A boot protocol may put the file's name before the rest. */
static bool is_word(const char *text, size_t length)
{
	return !memchr(text, '=', length) && !memchr(text, '.', length);
}

void command_word(char *word, size_t size)
{
	const char *next, *at;

	memset(word, 0, size);
	for (at = command_line(); *at; at = next) {
		size_t length = word_length(at, &next);

		if (!is_word(at, length))
			continue;
		memcpy(word, at, MIN(length, size - 1));
		return;
	}
}

uint64_t command_option(const char *name, uint64_t otherwise)
{
	size_t name_length = strlen(name);
	const char *next, *at;

	for (at = command_line(); *at; at = next) {
		size_t length = word_length(at, &next);
		uint64_t value = 0;

		if (length <= name_length || at[name_length] != '=' ||
		    strncmp(at, name, name_length))
			continue;
		for (size_t i = name_length + 1; i < length; i++)
			value = value * 10 + (uint64_t)(at[i] - '0');
		return value;
	}
	return otherwise;
}

uint64_t tsc_per_us(void)
{
	return cpuid(HYPERVISOR_TIMING, 0).eax / 1000;
}

uint64_t now_us(void)
{
	static uint64_t rate;

	if (!rate)
		rate = tsc_per_us();
	return rdtsc() / rate;
}

static struct {
	uint8_t vector;
	uint64_t per_us;
} timer;

uint64_t lapic_timer_begin(uint8_t vector)
{
	uint64_t end;

	lapic_enable();
	irq_count_lapic(vector);
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED | vector);
	lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
	end = now_us() + MEASURE_US;
	while (now_us() < end)
		;
	timer.vector = vector;
	timer.per_us =
		(UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT)) / MEASURE_US;
	return timer.per_us;
}

void nap(uint64_t us)
{
	uint32_t count = irq_count;

	lapic_write(LAPIC_LVT_TIMER, timer.vector);
	lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)(us * timer.per_us));
	while (irq_count == count)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
}

unsigned processors_start(void (*fn)(unsigned id))
{
	uint64_t end;
	uint32_t seen;

	memcpy((void *)TRAMPOLINE, trampoline,
	       (size_t)(trampoline_end - trampoline));
	__asm__ volatile("sidt %0" : "=m"(processors_idtr));
	processors_main = fn;
	processors_count = 0;
	lapic_enable();
	lapic_write(LAPIC_ICR, ICR_INIT_OTHERS);
	lapic_write(LAPIC_ICR, ICR_SIPI_OTHERS);
	/* As long as more of them keep coming. */
	do {
		seen = processors_count;
		end = now_us() + PROCESSORS_WAIT_US;
		while (now_us() < end)
			__asm__ volatile("pause");
	} while (processors_count != seen);
	return processors_count;
}

uint64_t chance(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}
