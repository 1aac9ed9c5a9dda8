/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads in what a guest's processors differ from the host's:
 * init/manifest_reader.h, include/cpu_quirks.h.
 */
#include "init/manifest_reader.h"

#include "lib/printf.h"
#include "lib/string.h"

#define LEAF_MAX       0xd /* the machine's table ends there */
#define FAMILY_MIN     4
#define FAMILY_MAX     (15 + 255)
#define MODEL_MAX      255
#define MODEL_MAX_OLD  15 /* of families without extended models */
#define FAMILY_PRO     6
#define WITHOUT_LENGTH 512

struct cpu_properties {
	struct cpu_quirks quirks;
	char vendor[CPU_VENDOR_LENGTH + 1];
	char name[CPU_NAME_LENGTH];
	char without[WITHOUT_LENGTH]; /* each with its NUL; "" ends them */
	uint32_t family, model, stepping, leaf_max, tsc_khz;
};

/* clang-format off */
static const struct manifest_property cpu_properties[] = {
	{ "vendor", PROPERTY_STRING, FIELD(struct cpu_properties, vendor) },
	{ "model-name", PROPERTY_STRING, FIELD(struct cpu_properties, name) },
	{ "family", PROPERTY_CELL, .min = FAMILY_MIN, .max = FAMILY_MAX,
	  FIELD(struct cpu_properties, family) },
	{ "model", PROPERTY_CELL, .min = 0, .max = MODEL_MAX,
	  FIELD(struct cpu_properties, model) },
	{ "stepping", PROPERTY_CELL, .min = 0, .max = 15,
	  FIELD(struct cpu_properties, stepping) },
	{ "max-leaf", PROPERTY_CELL, .min = 1, .max = LEAF_MAX,
	  FIELD(struct cpu_properties, leaf_max) },
	{ "without", PROPERTY_TEXTS, FIELD(struct cpu_properties, without) },
	{ "tsc-khz", PROPERTY_CELL, .min = 1, .max = UINT32_MAX,
	  FIELD(struct cpu_properties, tsc_khz) },
	{ 0 },
};

/* As /proc/cpuinfo has them. */
static const struct {
	const char *name;
	uint8_t word;
	uint8_t bit;
} features[] = {
	{ "fpu", CPU_WORD_1_EDX, 0 }, { "vme", CPU_WORD_1_EDX, 1 },
	{ "de", CPU_WORD_1_EDX, 2 }, { "pse", CPU_WORD_1_EDX, 3 },
	{ "tsc", CPU_WORD_1_EDX, 4 }, { "msr", CPU_WORD_1_EDX, 5 },
	{ "pae", CPU_WORD_1_EDX, 6 }, { "mce", CPU_WORD_1_EDX, 7 },
	{ "cx8", CPU_WORD_1_EDX, 8 }, { "apic", CPU_WORD_1_EDX, 9 },
	{ "sep", CPU_WORD_1_EDX, 11 }, { "mtrr", CPU_WORD_1_EDX, 12 },
	{ "pge", CPU_WORD_1_EDX, 13 }, { "mca", CPU_WORD_1_EDX, 14 },
	{ "cmov", CPU_WORD_1_EDX, 15 }, { "pat", CPU_WORD_1_EDX, 16 },
	{ "pse36", CPU_WORD_1_EDX, 17 }, { "clflush", CPU_WORD_1_EDX, 19 },
	{ "mmx", CPU_WORD_1_EDX, 23 }, { "fxsr", CPU_WORD_1_EDX, 24 },
	{ "sse", CPU_WORD_1_EDX, 25 }, { "sse2", CPU_WORD_1_EDX, 26 },
	{ "ss", CPU_WORD_1_EDX, 27 },
	{ "pni", CPU_WORD_1_ECX, 0 }, { "pclmulqdq", CPU_WORD_1_ECX, 1 },
	{ "ssse3", CPU_WORD_1_ECX, 9 }, { "fma", CPU_WORD_1_ECX, 12 },
	{ "cx16", CPU_WORD_1_ECX, 13 }, { "pcid", CPU_WORD_1_ECX, 17 },
	{ "sse4_1", CPU_WORD_1_ECX, 19 }, { "sse4_2", CPU_WORD_1_ECX, 20 },
	{ "x2apic", CPU_WORD_1_ECX, 21 }, { "movbe", CPU_WORD_1_ECX, 22 },
	{ "popcnt", CPU_WORD_1_ECX, 23 },
	{ "tsc_deadline_timer", CPU_WORD_1_ECX, 24 },
	{ "aes", CPU_WORD_1_ECX, 25 }, { "xsave", CPU_WORD_1_ECX, 26 },
	{ "avx", CPU_WORD_1_ECX, 28 }, { "f16c", CPU_WORD_1_ECX, 29 },
	{ "rdrand", CPU_WORD_1_ECX, 30 }, { "hypervisor", CPU_WORD_1_ECX, 31 },
	{ "arat", CPU_WORD_6_EAX, 2 },
	{ "fsgsbase", CPU_WORD_7_EBX, 0 }, { "tsc_adjust", CPU_WORD_7_EBX, 1 },
	{ "bmi1", CPU_WORD_7_EBX, 3 }, { "avx2", CPU_WORD_7_EBX, 5 },
	{ "smep", CPU_WORD_7_EBX, 7 }, { "bmi2", CPU_WORD_7_EBX, 8 },
	{ "erms", CPU_WORD_7_EBX, 9 }, { "invpcid", CPU_WORD_7_EBX, 10 },
	{ "rdseed", CPU_WORD_7_EBX, 18 }, { "adx", CPU_WORD_7_EBX, 19 },
	{ "smap", CPU_WORD_7_EBX, 20 }, { "clflushopt", CPU_WORD_7_EBX, 23 },
	{ "clwb", CPU_WORD_7_EBX, 24 }, { "sha_ni", CPU_WORD_7_EBX, 29 },
	{ "umip", CPU_WORD_7_ECX, 2 }, { "gfni", CPU_WORD_7_ECX, 8 },
	{ "vaes", CPU_WORD_7_ECX, 9 }, { "vpclmulqdq", CPU_WORD_7_ECX, 10 },
	{ "rdpid", CPU_WORD_7_ECX, 22 }, { "movdiri", CPU_WORD_7_ECX, 27 },
	{ "movdir64b", CPU_WORD_7_ECX, 28 },
	{ "fsrm", CPU_WORD_7_EDX, 4 }, { "md_clear", CPU_WORD_7_EDX, 10 },
	{ "serialize", CPU_WORD_7_EDX, 14 },
	{ "xsaveopt", CPU_WORD_D1_EAX, 0 }, { "xsavec", CPU_WORD_D1_EAX, 1 },
	{ "xgetbv1", CPU_WORD_D1_EAX, 2 },
	{ "lahf_lm", CPU_WORD_E1_ECX, 0 }, { "cr8_legacy", CPU_WORD_E1_ECX, 4 },
	{ "abm", CPU_WORD_E1_ECX, 5 },
	{ "3dnowprefetch", CPU_WORD_E1_ECX, 8 },
	{ "syscall", CPU_WORD_E1_EDX, 11 }, { "nx", CPU_WORD_E1_EDX, 20 },
	{ "mmxext", CPU_WORD_E1_EDX, 22 }, { "fxsr_opt", CPU_WORD_E1_EDX, 25 },
	{ "pdpe1gb", CPU_WORD_E1_EDX, 26 }, { "rdtscp", CPU_WORD_E1_EDX, 27 },
	{ "lm", CPU_WORD_E1_EDX, 29 }, { "nonstop_tsc", CPU_WORD_E7_EDX, 8 },
	{ "clzero", CPU_WORD_E8_EBX, 0 }, { "xsaveerptr", CPU_WORD_E8_EBX, 2 },
};
/* clang-format on */

static int feature_refused(struct manifest_reader *reader, int node,
			   const char *name)
{
	char known[800];
	size_t used = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(features) && used < sizeof(known);
	     i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used,
					 "%s%s", used ? ", " : "",
					 features[i].name);
	return manifest_fail(reader, node, "without",
			     "has \"%s\", known are: %s", name, known);
}

static int read_without(struct manifest_reader *reader, int node,
			const char *without, struct cpu_quirks *quirks)
{
	for (; *without; without += strlen(without) + 1) {
		unsigned i = 0;

		while (i < ARRAY_SIZE(features) &&
		       strcmp(features[i].name, without))
			i++;
		if (i == ARRAY_SIZE(features))
			return feature_refused(reader, node, without);
		quirks->off[features[i].word] |= BIT(features[i].bit);
	}
	return 0;
}

static int check_cpu(struct manifest_reader *reader, int node,
		     const struct cpu_properties *found)
{
	if (found->vendor[0] && strlen(found->vendor) != CPU_VENDOR_LENGTH)
		return manifest_fail(reader, node, "vendor",
				     "is \"%s\", must have %d characters, as "
				     "\"GenuineIntel\"",
				     found->vendor, CPU_VENDOR_LENGTH);
	if (found->family && found->family < FAMILY_PRO &&
	    found->model > MODEL_MAX_OLD)
		return manifest_fail(reader, node, "model",
				     "is %u, must be 0 to %d in family %u",
				     found->model, MODEL_MAX_OLD,
				     found->family);
	if (found->tsc_khz)
		return manifest_fail(
			reader, node, "tsc-khz",
			"cannot be had: it needs the processor's TSC scaling, "
			"which the monitor does not use; without = \"tsc\" "
			"hides the TSC");
	return 0;
}

int manifest_read_cpu(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest)
{
	struct cpu_properties found = { 0 };
	struct cpu_quirks *cpu = &guest->cpu;
	int error = manifest_read_node(reader, node, cpu_properties, &found);

	if (!error)
		error = check_cpu(reader, node, &found);
	if (error)
		return error;
	if (found.vendor[0])
		memcpy(cpu->vendor, found.vendor, sizeof(cpu->vendor));
	if (found.name[0])
		memcpy(cpu->name, found.name, sizeof(cpu->name));
	if (found.family)
		cpu->family = (uint16_t)found.family;
	if (manifest_has(reader, node, "model")) {
		cpu->model = (uint8_t)found.model;
		cpu->has_model = true;
	}
	if (manifest_has(reader, node, "stepping")) {
		cpu->stepping = (uint8_t)found.stepping;
		cpu->has_stepping = true;
	}
	if (found.leaf_max)
		cpu->leaf_max = (uint8_t)found.leaf_max;
	/* Instead of the preset's. */
	if (manifest_has(reader, node, "without"))
		memset(cpu->off, 0, sizeof(cpu->off));
	return read_without(reader, node, found.without, cpu);
}
