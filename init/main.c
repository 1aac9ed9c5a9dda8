/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init as a program: the manifest read, and the loop that waits for events.
 */
#include "include/errno.h"
#include "init/init.h"
#include "lib/user/gate_calls.h"

#define MANIFEST_MODULE "manifest.dtb"
#define CODE_FAILED	1

static struct init the_init;
static struct manifest the_manifest;

void program_main(unsigned thread);

/* Does not return without a manifest that makes sense. */
static void manifest_read(const struct gate_init_info *info)
{
	int index = init_module_find(info, MANIFEST_MODULE);
	char error[MANIFEST_ERROR_SIZE];

	if (index < 0) {
		gate_log(GATE_LOG_ERROR,
			 "no boot module is called " MANIFEST_MODULE);
		init_gate_calls.off(NULL, GATE_OFF_POWER, CODE_FAILED);
	}
	if (!manifest_parse(&the_manifest, (const void *)info->module[index].va,
			    info->module[index].size, error, sizeof(error)))
		return;
	gate_log(GATE_LOG_ERROR, "manifest refused: %s", error);
	init_gate_calls.off(NULL, GATE_OFF_POWER, CODE_FAILED);
}

void program_main(unsigned thread)
{
	const struct gate_init_info *info = gate_argument();

	(void)thread;
	if (info->version != GATE_VERSION) {
		gate_log(GATE_LOG_ERROR, "init is for gate %u, this is %u",
			 GATE_VERSION, info->version);
		init_gate_calls.off(NULL, GATE_OFF_POWER, CODE_FAILED);
	}
	manifest_read(info);
	gate_call(GATE_LOG_LEVEL, the_manifest.log_level, 0, 0);
	if (the_manifest.is_mitigations_off && !info->is_mitigations_off)
		gate_log(GATE_LOG_WARNING,
			 "mitigations: \"off\" in the manifest, but not on "
			 "the boot loader's command line: they are on");
	init_start(&the_init, &init_gate_calls, info, &the_manifest);
	for (;;) {
		gate_wait();
		init_events(&the_init);
	}
}
