/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A first program that measures, with another on the same CPU, what a switch
 * between domains costs, and a doorbell to a domain that waits and one back.
 * Lines as exitbench prints them; times are ticks of the TSC.
 */
#include "include/gate.h"
#include "lib/program.h"
#include "lib/string.h"
#include "lib/user/gate_calls.h"
#include "tests/bench/domains/domains.h"

#define WARM	16
#define SAMPLES 256

void program_main(unsigned thread);

static uint64_t sample[SAMPLES];
static struct domains_page *page;

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static __noreturn void give_up(const char *what)
{
	gate_log(GATE_LOG_ERROR, "domains: %s failed", what);
	for (;;)
		(void)gate_wait();
}

static long must(const char *what, long result)
{
	if (result < 0)
		give_up(what);
	return result;
}

static void load_part(gate_id id, const struct program_part *part,
		      unsigned module)
{
	const struct gate_domain_map what = {
		.va = part->va,
		.size = ALIGN_UP(part->size, PAGE_SIZE),
		.kind = part->is_writable ? GATE_MEMORY_ZERO
					  : GATE_MEMORY_MODULE,
		.prot = GATE_PROT_READ |
			(part->is_writable ? GATE_PROT_WRITE : 0) |
			(part->is_executable ? GATE_PROT_EXEC : 0),
		.module = module,
		.offset = part->offset,
	};

	must("map", gate_call(GATE_DOMAIN_MAP, id, (uint64_t)&what, 0));
}

static gate_id load(const char *name, uint64_t *entry)
{
	const struct gate_init_info *info = gate_argument();
	const struct gate_domain_spec spec = {
		.name = "pong",
		.quota_pages = 256,
		.thread_count = 1,
	};
	struct program program;
	unsigned module = 0;
	const char *why;
	gate_id id;

	while (module < info->module_count &&
	       strcmp(info->module[module].name, name))
		module++;
	if (module == info->module_count ||
	    program_parse(&program, (const void *)info->module[module].va,
			  info->module[module].size, &why))
		give_up("its program");
	id = (gate_id)must(
		"create", gate_call(GATE_DOMAIN_CREATE, (uint64_t)&spec, 0, 0));
	for (unsigned i = 0; i < program.part_count; i++)
		load_part(id, &program.part[i], module);
	*entry = program.entry;
	return id;
}

static void begin(void)
{
	uint64_t entry;
	gate_id id = load("pong.elf", &entry);
	gate_id channel = (gate_id)must(
		"channel", gate_call(GATE_CHANNEL_CREATE, 1, 0, 0));

	must("attach",
	     gate_call(GATE_CHANNEL_ATTACH, channel, GATE_SELF, PING_SLOT));
	must("attach",
	     gate_call(GATE_CHANNEL_ATTACH, channel | BIT(63), id, PONG_SLOT));
	page = gate_channel(PING_SLOT);
	must("start", gate_call(GATE_DOMAIN_START, id, entry, 0));
}

/* Two switches. */
static void yield(void)
{
	gate_yield();
}

static void doorbell(void)
{
	(void)gate_doorbell(PING_SLOT);
	while (!(gate_wait() & BIT(GATE_EVENT_CHANNEL_BIT(PING_SLOT))))
		;
}

static void measure(const char *name, void (*fn)(void), unsigned parts)
{
	for (unsigned i = 0; i < WARM + SAMPLES; i++) {
		uint64_t start = rdtsc();

		fn();
		if (i >= WARM)
			sample[i - WARM] = (rdtsc() - start) / parts;
	}
	for (unsigned i = 1; i < SAMPLES; i++) {
		uint64_t value = sample[i];
		unsigned j = i;

		for (; j && sample[j - 1] > value; j--)
			sample[j] = sample[j - 1];
		sample[j] = value;
	}
	gate_log(GATE_LOG_INFO, "EB %s min=%lu p50=%lu max=%lu n=%u", name,
		 sample[0], sample[SAMPLES / 2], sample[SAMPLES - 1], SAMPLES);
}

void program_main(unsigned thread)
{
	(void)thread;
	begin();
	measure("doorbell.roundtrip", doorbell, 1);
	page->yields = 1;
	doorbell();
	measure("domain.switch", yield, 2);
	gate_log(GATE_LOG_INFO, "[bench] stopped");
	for (;;)
		(void)gate_wait();
}
