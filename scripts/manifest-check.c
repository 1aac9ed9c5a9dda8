/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Usage: manifest-check MANIFEST.dtb
 * Reads a compiled manifest as the monitor will and says what is wrong with
 * it.  Exit status 0: nothing.
 */
#include <stdio.h>

#include "include/manifest.h"

#define SIZE_MAX_BYTES MIB(1)

int main(int argc, char **argv)
{
	static struct manifest manifest;
	char error[MANIFEST_ERROR_SIZE];
	static uint64_t blob[SIZE_MAX_BYTES / sizeof(uint64_t)];
	FILE *file;
	size_t length;

	if (argc != 2) {
		fprintf(stderr, "usage: manifest-check MANIFEST.dtb\n");
		return 2;
	}
	file = fopen(argv[1], "rb");
	if (!file) {
		perror(argv[1]);
		return 2;
	}
	length = fread(blob, 1, SIZE_MAX_BYTES, file);
	fclose(file);
	if (manifest_parse(&manifest, blob, length, error, sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	return 0;
}
