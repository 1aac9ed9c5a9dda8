/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In a Linux guest: puts another kernel into memory, or goes there.
 *
 *	kexec [-p] KERNEL INITRD CMDLINE	-p: for when this one crashes
 *	kexec					goes there
 *
 * Debian's package kexec-tools changes how the system it is installed on is
 * rebooted, so it is not asked for.
 *
 * Reference: kexec_load(2).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kexec.h>
#include <linux/reboot.h>

static int load(char **arg, unsigned long flags)
{
	int kernel = open(arg[0], O_RDONLY), initrd = open(arg[1], O_RDONLY);

	if (kernel < 0 || initrd < 0 ||
	    syscall(SYS_kexec_file_load, kernel, initrd, strlen(arg[2]) + 1,
		    arg[2], flags)) {
		perror("kexec");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "-p"))
		return load(argv + 2, KEXEC_FILE_ON_CRASH);
	if (argc == 4)
		return load(argv + 1, 0);
	if (argc == 1) {
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
		perror("kexec");
	}
	return 1;
}
