# SPDX-License-Identifier: BSD-2-Clause
# Tests on simulated CPUs: tests/unit/fake/sim.h.

SIM_FLAGS := $(UNIT_FAKES) -include tests/unit/fake/atomic.h
SIM_SRCS := tests/unit/fake/sim.c core/sched.c core/time.c core/cpu.c

SIM_TESTS := test_sched
$(foreach t,$(SIM_TESTS),$(eval UNIT_FLAGS_$t := $(SIM_FLAGS)))

UNIT_SRCS_test_sched := $(SIM_SRCS)
