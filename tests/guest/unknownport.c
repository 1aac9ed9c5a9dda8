/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports that nobody claims read all ones and swallow writes.
 */
#include "tests/guest/lib/guest.h"

static const uint16_t ports[] = { 0x0e0,  0x1e0,  0x2b0,  0x5f0, 0x1234,
				  0x8900, 0xd000, 0xfff0, 0xfffc };

void guest_main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		uint16_t port = ports[i];

		out8(port, 0x12);
		out16(port, 0x1234);
		out32(port, 0x12345678);
		if (in8(port) != 0xff || in16(port) != 0xffff ||
		    in32(port) != 0xffffffff) {
			fail("unknown-port", "%#x reads %#x %#x %#x", port,
			     in8(port), in16(port), in32(port));
			return;
		}
	}
	pass("unknown-port");
	/* Across the end of the port space: any value, but no harm. */
	out32(0xffff, 0);
	(void)in32(0xffff);
	pass("port-wrap");
}
