/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first program, which starts all others: a boot module.
 */
#include "boot/boot.h"

#include "include/errno.h"
#include "include/log.h"
#include "lib/program.h"
#include "lib/string.h"
#include "mm/phys.h"

#define FIRST_PROGRAM "init.elf"

int boot_first_program(const struct boot_modules *modules,
		       struct program *program, const struct boot_module **file)
{
	const char *why;
	unsigned i = 0;

	while (i < modules->count &&
	       strcmp(modules->module[i].name, FIRST_PROGRAM) != 0)
		i++;
	if (i == modules->count) {
		log_err("no boot module is called " FIRST_PROGRAM
			": name it so in the boot loader's configuration");
		return -ENOENT;
	}
	*file = &modules->module[i];
	if (program_parse(program, phys_to_virt((*file)->base), (*file)->length,
			  &why)) {
		log_err("boot module " FIRST_PROGRAM ", %lu bytes, %s: "
			"put the one that was built with this monitor there",
			(*file)->length, why);
		return -EINVAL;
	}
	return 0;
}
