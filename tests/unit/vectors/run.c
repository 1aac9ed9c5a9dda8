/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the vector sets of a directory: every subdirectory with *.xst.gz is a
 * set.  Prints a line a set; exit status 0 only if every case passed.
 *
 *	vectors [-v COUNT] DIRECTORY [FILE-PREFIX]
 */
#include "tests/unit/vectors/xst.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SUFFIX ".xst.gz"

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && !strcmp(name + n - m, end);
}

static int is_vector_file(const struct dirent *entry)
{
	return ends_with(entry->d_name, SUFFIX);
}

static int run_set(const char *dir, const char *name, const char *prefix,
		   unsigned verbose)
{
	struct xst_score score = { 0 };
	struct dirent **list;
	char path[4096];
	int bad = 0, n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	n = scandir(path, &list, is_vector_file, alphasort);
	if (n < 0)
		return 0;
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", dir, name,
			 list[i]->d_name);
		if (!prefix ||
		    !strncmp(list[i]->d_name, prefix, strlen(prefix)))
			bad |= xst_run_file(path, verbose, &score);
		free(list[i]);
	}
	free(list);
	if (n)
		printf("%-8s cases %7lu  passed %7lu  failed %5lu  "
		       "unhandled %5lu\n",
		       name, score.cases, score.passed, score.failed,
		       score.unhandled);
	return bad || score.passed != score.cases;
}

static int is_set(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	unsigned verbose = 0;
	struct dirent **list;
	struct stat st;
	char path[4096];
	int bad = 0, n, at = 1;

	if (argc > 2 && !strcmp(argv[1], "-v")) {
		verbose = (unsigned)atoi(argv[2]);
		at = 3;
	}
	if (at >= argc) {
		fprintf(stderr, "usage: %s [-v COUNT] DIRECTORY [PREFIX]\n",
			argv[0]);
		return 2;
	}
	n = scandir(argv[at], &list, is_set, alphasort);
	if (n < 0) {
		perror(argv[at]);
		return 2;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", argv[at],
			 list[i]->d_name);
		if (!stat(path, &st) && S_ISDIR(st.st_mode))
			bad |= run_set(argv[at], list[i]->d_name,
				       at + 1 < argc ? argv[at + 1] : NULL,
				       verbose);
		free(list[i]);
	}
	free(list);
	return bad ? 1 : 0;
}
