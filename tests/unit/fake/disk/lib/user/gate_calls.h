/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of lib/user/gate_calls.h for services/disk/main.c: the calls are
 * functions of tests/unit/test_disk_main.c.
 */
#ifndef BULKHEAD_TESTS_FAKE_DISK_GATE_CALLS_H
#define BULKHEAD_TESTS_FAKE_DISK_GATE_CALLS_H

#include "include/gate.h"

#define GATE_LOG_ERROR 0
#define GATE_LOG_INFO  2

const struct gate_config *gate_config(void);
const void *gate_argument(void);
void gate_log(unsigned level, const char *format, ...) __printf(2, 3);
__noreturn void gate_exit(uint64_t code);
long gate_doorbell(unsigned slot);
long gate_channel_state(unsigned slot);
long gate_channel_detach(unsigned slot);
void *gate_channel(unsigned slot);
const struct gate_channel_memory *gate_channel_memory(unsigned slot);
const uint64_t *gate_channel_chunks(unsigned slot);
void *gate_module_memory(void);
void *gate_device_bar(unsigned n, unsigned bar);
void *gate_device_dma(unsigned n);
long gate_device_read(unsigned n, unsigned offset, unsigned size);
long gate_device_write(unsigned n, unsigned offset, unsigned size,
		       uint32_t value);
long gate_device_ack(unsigned n);
void gate_timer(uint64_t deadline_ns);
uint64_t gate_wait(void);
uint64_t gate_now_ns(void);

#endif
