/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floppy_format DEVICE CYLINDERS: has Linux's driver format both sides of the
 * first cylinders, in the initial RAM disk of floppy.test.
 */
#include <fcntl.h>
#include <linux/fd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	struct format_descr track = { 0 };
	unsigned count = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
	int fd = open(argc == 3 ? argv[1] : "", O_WRONLY);

	if (fd < 0 || ioctl(fd, FDFMTBEG, 0)) {
		perror("floppy_format");
		return 1;
	}
	for (; track.track < count; track.track++) {
		for (track.head = 0; track.head < 2; track.head++) {
			if (ioctl(fd, FDFMTTRK, &track)) {
				perror("FDFMTTRK");
				return 1;
			}
		}
	}
	return ioctl(fd, FDFMTEND, 0) ? 1 : 0;
}
