/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory as DMA sees it, bounds checked.  See include/device.h.
 */
#include "include/device.h"
#include "lib/string.h"

/* Bytes of RAM from gpa on within one range; *host is where they are. */
static uint64_t run_at(const struct guest_ram *ram, gpa_t gpa, uint8_t **host)
{
	unsigned i;

	for (i = 0; i < ram->count; i++) {
		const struct guest_ram_range *range = &ram->range[i];

		if (gpa - range->base < range->length) {
			*host = range->host + (gpa - range->base);
			return range->length - (gpa - range->base);
		}
	}
	return 0;
}

/* Bytes from gpa, which is no RAM, to the next RAM or the end of the world. */
static uint64_t hole_at(const struct guest_ram *ram, gpa_t gpa)
{
	uint64_t hole = ~gpa; /* what is left before addresses wrap */
	unsigned i;

	for (i = 0; i < ram->count; i++)
		if (ram->range[i].base > gpa)
			hole = MIN(hole, ram->range[i].base - gpa);
	return hole;
}

void *guest_ram_at(const struct guest_ram *ram, gpa_t gpa, uint64_t length)
{
	uint8_t *host = NULL;

	return length <= run_at(ram, gpa, &host) && length ? host : NULL;
}

void guest_ram_read(const struct guest_ram *ram, gpa_t gpa, void *to,
		    uint64_t length)
{
	uint8_t *out = to;

	while (length) {
		uint8_t *host;
		uint64_t run = run_at(ram, gpa, &host);

		if (run) {
			run = MIN(run, length);
			memcpy(out, host, run);
		} else {
			run = MIN(MAX(hole_at(ram, gpa), 1), length);
			memset(out, 0xff, run);
		}
		out += run;
		gpa += run;
		length -= run;
	}
}

void guest_ram_write(const struct guest_ram *ram, gpa_t gpa, const void *from,
		     uint64_t length)
{
	const uint8_t *in = from;

	while (length) {
		uint8_t *host;
		uint64_t run = run_at(ram, gpa, &host);

		if (run) {
			run = MIN(run, length);
			memcpy(host, in, run);
		} else {
			run = MIN(MAX(hole_at(ram, gpa), 1), length);
		}
		in += run;
		gpa += run;
		length -= run;
	}
}
