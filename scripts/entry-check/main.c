/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry-check LOG: which rules the guest states of the dumps in a log break.
 * For `bulkhead explain-entry`.
 *
 * Exit status: 0 if there was a dump, 1 if not or if one was not whole.
 */
#include <stdio.h>

#include "scripts/entry-check/check.h"

static void explain(const struct vmx_guest *guest)
{
	unsigned broken = 0;

	for (unsigned i = 0; i < vmx_rule_count; i++) {
		if (vmx_rules[i].holds(guest, vmx_rules[i].arg))
			continue;
		printf("  %s: %s\n", vmx_rules[i].field, vmx_rules[i].text);
		broken++;
	}
	if (!broken)
		printf("  passes every check known here\n");
}

/* true: there was something to explain. */
static bool explain_log(FILE *log)
{
	static struct dump dump;
	struct vmx_guest guest;
	char line[1024];
	unsigned dumps = 0;

	while (fgets(line, sizeof(line), log)) {
		int missing;

		if (!dump_line(&dump, line))
			continue;
		printf("dump %u: exit reason %lx, qualification %lx\n", ++dumps,
		       (unsigned long)dump.field[VMCS_EXIT_REASON],
		       (unsigned long)dump.field[VMCS_EXIT_QUALIFICATION]);
		missing = dump_guest(&dump, &guest);
		if (missing) {
			printf("not whole: a line is missing (%x)\n",
			       (unsigned)missing);
			return false;
		}
		explain(&guest);
	}
	if (!dumps)
		printf("there is no dump of a VMCS in it\n");
	return dumps;
}

int main(int argc, char **argv)
{
	FILE *log;
	bool is_done;

	if (argc != 2) {
		fprintf(stderr, "usage: entry-check LOG\n");
		return 2;
	}
	log = fopen(argv[1], "r");
	if (!log) {
		perror(argv[1]);
		return 1;
	}
	is_done = explain_log(log);
	fclose(log);
	return is_done ? 0 : 1;
}
