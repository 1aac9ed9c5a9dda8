/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's own words on the boot loader's command line.
 */
#include "boot/boot.h"

#include "include/log.h"
#include "lib/string.h"

#define WORD_MAX 64

static bool option_read(const char *word, struct boot_options *options)
{
	static const struct {
		const char *word;
		enum log_level level;
	} levels[] = {
		{ "log-level=error", LOG_ERROR },
		{ "log-level=warning", LOG_WARNING },
		{ "log-level=info", LOG_INFO },
		{ "log-level=debug", LOG_DEBUG },
	};

	if (strcmp(word, "mitigations=off") == 0)
		return options->is_mitigations_off = true;
	if (strcmp(word, "boot-cpu=idle") == 0)
		return options->is_boot_cpu_idle = true;
	for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(word, levels[i].word))
			continue;
		options->log_level = levels[i].level;
		return true;
	}
	return false;
}

static const char *spaces_skip(const char *at)
{
	while (*at == ' ')
		at++;
	return at;
}

static size_t word_length(const char *at)
{
	size_t length = 0;

	while (at[length] && at[length] != ' ')
		length++;
	return length;
}

void options_parse(const struct boot_info *boot, struct boot_options *options)
{
	const char *at = spaces_skip(boot->command);
	char word[WORD_MAX];

	*options = (struct boot_options){ .log_level = LOG_INFO };
	/* QEMU begins with the file's name, GRUB with the first argument. */
	if (strcmp(boot->loader, "qemu") == 0)
		at = spaces_skip(at + word_length(at));
	while (*at) {
		size_t length = word_length(at);
		size_t kept = MIN(length, sizeof(word) - 1);

		memcpy(word, at, kept);
		word[kept] = '\0';
		if (length > kept || !option_read(word, options))
			log_warn("command line: \"%s\" is no option, ignored",
				 word);
		at = spaces_skip(at + length);
	}
}
