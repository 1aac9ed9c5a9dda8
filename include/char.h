/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A character stream behind a device: serial ports, debug consoles.
 *
 * Input takes the other way: the board asks the device for room and hands it
 * as many bytes (uart_room(), uart_receive()), so that what does not fit stays
 * with the sender.
 */
#ifndef BULKHEAD_CHAR_H
#define BULKHEAD_CHAR_H

#include "include/compiler.h"

struct char_backend {
	/*
	 * length bytes of output, 1 or more; data is valid during the call.
	 * Takes all of them: a receiver that is behind holds up the vCPU.
	 */
	void (*write)(void *ctx, const void *data, size_t length);
	void *ctx;
};

#endif
