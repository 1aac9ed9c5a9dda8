/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests print, between their rings and who reads it: mux.h. */
#include "services/seat/mux_inner.h"

#include "include/errno.h"
#include "lib/printf.h"

int mux_printer_open(struct mux *mux, unsigned slot, const void *reader)
{
	struct mux_console *console = &mux->console[slot];

	if (!console->has_printer)
		return -ENODEV;
	if (console->printer_reader && console->printer_reader != reader)
		return -EEXIST;
	console->printer_reader = reader;
	return 0;
}

void mux_printer_close(struct mux *mux, unsigned slot, const void *reader)
{
	struct mux_console *console = &mux->console[slot];

	if (console->printer_reader == reader)
		console->printer_reader = NULL;
}

size_t mux_printer_read(struct mux *mux, unsigned slot, void *bytes,
			size_t size)
{
	struct mux_console *console = &mux->console[slot];
	long n;

	if (!console->has_printer)
		return 0;
	do
		n = ring_read(&console->printer, bytes, (uint32_t)size,
			      &console->is_bell_due);
	while (!n && !ring_sleep(&console->printer));
	if (n < 0) {
		console->has_printer = false;
		source_break(mux, console);
	}
	return n > 0 ? (size_t)n : 0;
}

void mux_printer_end(struct mux *mux, unsigned slot)
{
	struct mux_console *console = &mux->console[slot];
	long n = console->has_printer ? ring_space(&console->printer) : 0;
	char text[96];
	int length;

	console->has_printer = false;
	console->printer_reader = NULL;
	if (n <= 0)
		return;
	length = snprintf(text, sizeof(text),
			  "--- %ld bytes that %s printed are lost: nobody read "
			  "them ---\n",
			  n, console->name);
	mux_print(mux, text, (size_t)length);
}
