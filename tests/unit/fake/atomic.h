/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included before all else in tests with simulated CPUs: another CPU may come
 * in before each atomic access of the code under test.  And the C library has a
 * sched_yield() of its own, which the sanitizers call.
 */
#ifndef BULKHEAD_FAKE_ATOMIC_H
#define BULKHEAD_FAKE_ATOMIC_H

#define sched_yield monitor_sched_yield

void sim_point(void);

#define __atomic_load_n(...)	 (sim_point(), __atomic_load_n(__VA_ARGS__))
#define __atomic_store_n(...)	 (sim_point(), __atomic_store_n(__VA_ARGS__))
#define __atomic_exchange_n(...) (sim_point(), __atomic_exchange_n(__VA_ARGS__))
#define __atomic_fetch_or(...)	 (sim_point(), __atomic_fetch_or(__VA_ARGS__))
#define __atomic_fetch_and(...)	 (sim_point(), __atomic_fetch_and(__VA_ARGS__))
#define __atomic_fetch_add(...)	 (sim_point(), __atomic_fetch_add(__VA_ARGS__))
#define __atomic_fetch_sub(...)	 (sim_point(), __atomic_fetch_sub(__VA_ARGS__))
#define __atomic_add_fetch(...)	 (sim_point(), __atomic_add_fetch(__VA_ARGS__))
#define __atomic_sub_fetch(...)	 (sim_point(), __atomic_sub_fetch(__VA_ARGS__))
#define __atomic_compare_exchange_n(...) \
	(sim_point(), __atomic_compare_exchange_n(__VA_ARGS__))

#endif
