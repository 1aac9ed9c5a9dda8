/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU's interpreter that says which instructions one operation of
 * the exit benchmark's takes: the guest's own, the monitor's and ring 3's, from
 * the first of the operation to its RET.
 *
 *   -plugin split.so,open=ADDR,size=BYTES,out=FILE
 *
 * open, size: the operation, a function of the guest's.  The file has a line
 * `samples N of M` and then, for the total that most of the M samples had, N of
 * them, a line `ADDR COUNT` for each instruction that is not there by chance.
 *
 * Nothing of the host changes by it.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scripts/pace/qemu_plugin.h"

/* Ring 3's programs and the monitor: what lies between is the guest's. */
#define PROGRAM_VA     0x400000u
#define PROGRAM_VA_END 0x40000000u
#define MONITOR_VA     0xffffffff80000000u

#define PLACES (1u << 18) /* a power of two */
#define TOTALS 256
#define RET    0xc3

/* An instruction, however often it was translated. */
struct place {
	uint64_t va; /* 0: none */
	uint64_t count, before;
};

/* Samples of the same length, by the first of them. */
struct total {
	uint64_t count;
	unsigned samples;
	uint32_t *spent; /* by place */
};

static struct {
	uint64_t open, size;
	FILE *out;
} options;

static struct place places[PLACES];
static struct total totals[TOTALS];
static unsigned total_count, sample_count;
static bool is_open;

static struct place *place_of(uint64_t va)
{
	uint64_t i = va * 0x9e3779b97f4a7c15u >> 32;

	for (unsigned tries = 0; tries < PLACES; tries++, i++) {
		struct place *place = &places[i % PLACES];

		if (!place->va)
			place->va = va;
		if (place->va == va)
			return place;
	}
	fprintf(stderr, "split: more than %u instructions\n", PLACES);
	exit(1);
}

static void on_open(unsigned cpu, void *ctx)
{
	(void)cpu;
	(void)ctx;
	for (unsigned i = 0; i < PLACES; i++)
		places[i].before = places[i].count;
	is_open = true;
}

static void total_new(struct total *total)
{
	total->spent = calloc(PLACES, sizeof(*total->spent));
	if (!total->spent)
		exit(1);
	for (unsigned i = 0; i < PLACES; i++)
		total->spent[i] =
			(uint32_t)(places[i].count - places[i].before);
	total_count++;
}

static void on_close(unsigned cpu, void *ctx)
{
	uint64_t count = 0;
	unsigned i;

	(void)cpu;
	(void)ctx;
	if (!is_open)
		return;
	is_open = false;
	sample_count++;
	for (i = 0; i < PLACES; i++)
		count += places[i].count - places[i].before;
	for (i = 0; i < total_count; i++)
		if (totals[i].count == count)
			break;
	if (i == TOTALS)
		return;
	totals[i].count = count;
	if (i == total_count)
		total_new(&totals[i]);
	totals[i].samples++;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t va = qemu_plugin_insn_vaddr(insn);
		bool is_op = va - options.open < options.size;

		if (va == options.open)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_open, CALLBACK_NO_REGS, NULL);
		if (is_op &&
		    *(const uint8_t *)qemu_plugin_insn_data(insn) == RET) {
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_close, CALLBACK_NO_REGS, NULL);
			continue;
		}
		if (is_op || va >= MONITOR_VA ||
		    (va >= PROGRAM_VA && va < PROGRAM_VA_END))
			qemu_plugin_register_vcpu_insn_exec_inline(
				insn, INLINE_ADD_U64, &place_of(va)->count, 1);
	}
}

static void report(qemu_plugin_id_t id, void *ctx)
{
	const struct total *most = &totals[0];

	(void)id;
	(void)ctx;
	for (unsigned i = 1; i < total_count; i++)
		if (totals[i].samples > most->samples)
			most = &totals[i];
	fprintf(options.out, "samples %u of %u\n", most->samples, sample_count);
	for (unsigned i = 0; i < PLACES && most->spent; i++)
		if (most->spent[i])
			fprintf(options.out, "%" PRIx64 " %" PRIu32 "\n",
				places[i].va, most->spent[i]);
	fclose(options.out);
}

static bool option(const char *word, const char *name, uint64_t *value)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) || word[length] != '=')
		return false;
	*value = strtoull(word + length + 1, NULL, 16);
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			options.out = fopen(argv[i] + 4, "w");
		else if (!option(argv[i], "open", &options.open) &&
			 !option(argv[i], "size", &options.size))
			return -1;
	}
	if (!options.out || !options.open || !options.size)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, report, NULL);
	return 0;
}
