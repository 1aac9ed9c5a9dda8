/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of lib/user/gate_calls.h for services/seat/main.c: the calls are
 * functions of tests/unit/test_seat_main.c.
 */
#ifndef BULKHEAD_TESTS_FAKE_SEAT_GATE_CALLS_H
#define BULKHEAD_TESTS_FAKE_SEAT_GATE_CALLS_H

#include "include/gate.h"

#define GATE_LOG_ERROR	 0
#define GATE_LOG_WARNING 1

long gate_port_read(uint16_t port, unsigned size);
long gate_port_write(uint16_t port, unsigned size, uint32_t value);
long gate_port_write_string(uint16_t port, const void *bytes, size_t length);
long gate_log_read(void *bytes, size_t length);
long gate_doorbell(unsigned slot);
long gate_channel_state(unsigned slot);
long gate_channel_detach(unsigned slot);
void *gate_channel(unsigned slot);
long gate_irq_ack(unsigned irq);
void gate_timer(uint64_t deadline_ns);
uint64_t gate_wait(void);
uint64_t gate_now_ns(void);
uint64_t gate_host_ns(void);
const struct gate_config *gate_config(void);
const void *gate_argument(void);
void *gate_device_bar(unsigned n, unsigned bar);
void *gate_device_dma(unsigned n);
long gate_device_read(unsigned n, unsigned offset, unsigned size);
long gate_device_write(unsigned n, unsigned offset, unsigned size,
		       uint32_t value);
long gate_device_ack(unsigned n);
void gate_log(unsigned level, const char *format, ...) __printf(2, 3);

#endif
