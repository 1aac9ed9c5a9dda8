/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which attack, for how long, and the end.
 */
#include "tests/hostile/programs/evil.h"

#include "lib/string.h"

#define NS_PER_MS  1000000ULL
#define DEFAULT_MS 300
#define SPIN_WORK  1000 /* instructions between two looks at the clock */

struct evil evil;

void program_main(unsigned vcpu);

static const struct attack *const tables[] = {
	entry_attacks, lifetime_attacks, timer_attacks, memory_attacks,
	flood_attacks, state_attacks,	 apic_attacks,	other_attacks,
	fuzz_attacks,  garbage_attacks,	 right_attacks, cow_attacks,
	ring_attacks,  cpuid_attacks,	 disk_attacks,
};

uint64_t now_ns(void)
{
	const struct gate_config *config = gate_config();
	uint64_t ticks = __builtin_ia32_rdtsc() - config->tsc_base;

	return (uint64_t)(((unsigned __int128)ticks * config->tsc_mult) >> 32);
}

bool goes_on(const struct self *self)
{
	return self->id != evil.ender || now_ns() < evil.end_ns;
}

/* Reading the clock is slow on a simulator that counts instructions. */
void spin_ns(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end)
		for (unsigned i = 0; i < SPIN_WORK; i++)
			__asm__ volatile("");
}

void meet(struct self *self)
{
	uint32_t here = __atomic_add_fetch(&evil.begun, 1, __ATOMIC_SEQ_CST);
	uint32_t all = (here + self->vcpus - 1) / self->vcpus * self->vcpus;

	while (__atomic_load_n(&evil.begun, __ATOMIC_SEQ_CST) < all)
		gate_yield();
}

struct gate_page *any_page(struct self *self)
{
	return gate_page((unsigned)(random_next(self) % self->vcpus));
}

/* ---- The command line -------------------------------------------------- */

static uint64_t parse_number(const char *text)
{
	uint64_t value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (uint64_t)(*text++ - '0');
	return value;
}

static void take_word(const char *word)
{
	if (strncmp(word, "ms=", 3) == 0)
		evil.duration_ns = parse_number(word + 3) * NS_PER_MS;
	else if (strncmp(word, "seed=", 5) == 0)
		evil.seed = parse_number(word + 5);
	else if (strncmp(word, "ender=", 6) == 0)
		evil.ender = (unsigned)parse_number(word + 6);
	else if (!evil.attack[0])
		memcpy(evil.attack, word, EVIL_WORD_SIZE);
	else
		memcpy(evil.detail, word, EVIL_WORD_SIZE);
}

static void parse_command(const char *line)
{
	evil.duration_ns = DEFAULT_MS * NS_PER_MS;
	evil.end_ns = UINT64_MAX;
	while (*line) {
		char word[EVIL_WORD_SIZE] = "";
		size_t length = 0;

		while (*line && *line != ' ') {
			if (length < sizeof(word) - 1)
				word[length++] = *line;
			line++;
		}
		if (length)
			take_word(word);
		while (*line == ' ')
			line++;
	}
	evil.ender %= gate_config()->vcpu_count;
}

static const struct attack *find_attack(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct attack *a = tables[i]; a->name; a++)
			if (strcmp(a->name, evil.attack) == 0)
				return a;
	return NULL;
}

/* ---- Life -------------------------------------------------------------- */

/* Guests run; those attacks whose subject it is see to it themselves. */
static void set_cpuid(void)
{
	static struct cpuid_table table;

	cpuid_honest(&table);
	if (gate_cpuid_set(&table))
		SAY("FAIL no CPUID table");
}

static void begin(unsigned vcpu)
{
	if (vcpu == 0) {
		parse_command(machine_config()->cmdline);
		SAY("%s%s%s: begins on %u vCPUs", evil.attack,
		    evil.detail[0] ? " " : "", evil.detail,
		    gate_config()->vcpu_count);
		if (strncmp(evil.attack, "cpuid", 5) != 0)
			set_cpuid();
		__atomic_store_n(&evil.is_ready, 1, __ATOMIC_RELEASE);
	}
	while (!__atomic_load_n(&evil.is_ready, __ATOMIC_ACQUIRE))
		gate_yield();
}

void program_main(unsigned vcpu)
{
	struct self self = {
		.id = vcpu,
		.vcpus = gate_config()->vcpu_count,
		.page = gate_page(vcpu),
	};
	const struct attack *attack;

	begin(vcpu);
	/* Never zero, which the generator would not leave. */
	self.random =
		(evil.seed * GATE_MAX_VCPUS + vcpu + 1) * 0x9e3779b97f4a7c15ULL;
	attack = find_attack();
	if (!attack) {
		SAY("FAIL there is no attack \"%s\"", evil.attack);
		gate_exit(MACHINE_EXIT_ERROR);
	}
	/* The time runs from when all are here. */
	meet(&self);
	if (vcpu == evil.ender)
		evil.end_ns = now_ns() + evil.duration_ns;
	attack->run(&self);
	if (vcpu == evil.ender) {
		SAY("%s: ends", evil.attack);
		__atomic_store_n(&evil.is_over, 1, __ATOMIC_RELEASE);
		gate_exit(MACHINE_EXIT_POWER_OFF);
	}
	for (;;)
		gate_yield();
}
