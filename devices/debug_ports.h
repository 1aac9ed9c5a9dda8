/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports that firmware, kernels and tests talk to somebody outside with: the
 * debug consoles at 0x402 and 0xe9, the diagnostic port 0x80 and the exit
 * port of test programs.
 */
#ifndef BULKHEAD_DEVICES_DEBUG_PORTS_H
#define BULKHEAD_DEVICES_DEBUG_PORTS_H

#include "devices/bus.h"
#include "include/char.h"
#include "include/device.h"

struct debug_ports_state {
	uint8_t diagnostic; /* latest byte at 0x80 */
};

struct debug_ports {
	struct device device;
	struct debug_ports_state state;
	struct char_backend console; /* 0x402 */
	struct char_backend hack;    /* 0xe9 */
	/* Bytes at 0x80 that are not the one before; set after init, if at
	 * all: NULL. */
	struct char_backend post;
	void (*exit)(void *ctx, uint32_t code);
	void *ctx;
};

extern const struct device_ops debug_ports_ops;

/*
 * A console whose write is NULL has no port: firmware that does not find it
 * saves itself the trouble.  exit_port 0: no such port.  Writing n of any width
 * there calls exit(n); the program that runs the simulator makes what it likes
 * of n.
 */
int __must_check debug_ports_init(struct debug_ports *debug, struct bus *ports,
				  struct char_backend console,
				  struct char_backend hack, uint16_t exit_port,
				  void (*exit)(void *ctx, uint32_t code),
				  void *ctx);
void debug_ports_reset(struct debug_ports *debug);

#endif
