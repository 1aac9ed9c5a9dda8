# SPDX-License-Identifier: BSD-2-Clause
# Tests on simulated CPUs: tests/unit/fake/sim.h, tests/unit/fake/vm.h.

SIM_FLAGS := $(UNIT_FAKES) -include tests/unit/fake/atomic.h \
	-Wno-format-truncation
SIM_SRCS := tests/unit/fake/sim.c kernel/sched.c kernel/share.c kernel/balance.c \
	kernel/time.c kernel/cpu.c
SIM_VM_SRCS := $(SIM_SRCS) tests/unit/fake/vm.c tests/unit/fake/space.c \
	vm/vm.c vm/vm_memory.c vm/vcpu.c vm/domain.c vm/channel.c vm/memory.c vm/device.c \
	tests/unit/fake/pci.c \
	kernel/irq.c vm/vcpu_init.c vm/exits.c vm/policy.c cpumodel/apic.c \
	cpumodel/apic_vectors.c cpumodel/apic_route.c

UNIT_SRCS_test_sched := $(SIM_SRCS)
UNIT_SRCS_test_alone := $(SIM_SRCS)
UNIT_SRCS_test_share := $(SIM_SRCS)
UNIT_LIBS_test_share := -lm
UNIT_SRCS_test_wake := $(SIM_SRCS)
UNIT_SRCS_test_timer := $(SIM_SRCS)
SIM_VM_TESTS := test_vm_memory test_vcpu_away test_vcpu_exits test_vcpu_inject test_vcpu_smp test_vcpu_vectors

SIM_PROGRAM_TESTS := test_domain test_channel test_copies test_device
SIM_PROGRAM_SRCS := $(SIM_VM_SRCS) tests/unit/fake/program.c vm/gate_program.c

$(foreach t,$(SIM_PROGRAM_TESTS),$(eval UNIT_SRCS_$t := $(SIM_PROGRAM_SRCS)))
$(foreach t,$(SIM_VM_TESTS),$(eval UNIT_SRCS_$t := $(SIM_VM_SRCS)))
UNIT_SRCS_test_vm_memory += vm/gate_memory.c
$(foreach t,test_sched test_alone test_share test_wake test_timer $(SIM_VM_TESTS) $(SIM_PROGRAM_TESTS),\
	$(eval UNIT_FLAGS_$t := $(SIM_FLAGS)))

# CPUs that are threads, for ThreadSanitizer, in place of the other sanitizers.
UNIT_SRCS_test_timer_race := kernel/time.c
UNIT_FLAGS_test_timer_race := $(UNIT_FAKES)
UNIT_LIBS_test_timer_race := -fno-sanitize=all -fsanitize=thread -lpthread

UNIT_SRCS_test_map := mm/map.c
UNIT_FLAGS_test_map := $(UNIT_FAKES)

UNIT_SRCS_test_host_ioapic := kernel/ioapic.c
UNIT_SRCS_test_host_pci := kernel/pci.c
UNIT_FLAGS_test_host_pci := $(UNIT_FAKES)
UNIT_SRCS_test_boot_pci := boot/pci.c kernel/pci.c
UNIT_FLAGS_test_boot_pci := $(UNIT_FAKES)
