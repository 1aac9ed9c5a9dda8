/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Says which rules the guest states of a log break: `bulkhead explain-entry`
 * gives it the log as its standard input.
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

int main(void)
{
	static struct dump dump;
	struct vmx_guest guest;
	char line[1024];
	unsigned dumps = 0;

	while (fgets(line, sizeof(line), stdin)) {
		int missing;

		if (!dump_line(&dump, line))
			continue;
		printf("dump %u: exit reason %lx, qualification %lx\n", ++dumps,
		       (unsigned long)dump.field[VMCS_EXIT_REASON],
		       (unsigned long)dump.field[VMCS_EXIT_QUALIFICATION]);
		missing = dump_guest(&dump, &guest);
		if (missing) {
			printf("  not whole: field %x is missing\n",
			       (unsigned)missing);
			return 1;
		}
		explain(&guest);
	}
	if (!dumps)
		printf("no dump of a VMCS is in this log\n");
	return dumps ? 0 : 1;
}
