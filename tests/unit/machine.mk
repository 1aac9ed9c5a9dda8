# SPDX-License-Identifier: BSD-2-Clause
UNIT_SRCS_test_cpuid := machine/cpuid_table.c machine/cpuid_quirks.c
UNIT_SRCS_test_cpuid_quirks := $(UNIT_SRCS_test_cpuid)
UNIT_SRCS_test_msr_table := machine/msr_table.c
HYPERV_SRCS := $(addprefix machine/,hyperv.c hyperv_call.c hyperv_timer.c)
UNIT_SRCS_test_hyperv := $(HYPERV_SRCS)
UNIT_SRCS_test_state_hyperv := $(HYPERV_SRCS)
KVM_SRCS := $(addprefix machine/,kvm.c kvm_call.c kvm_clock.c kvm_steal.c)
UNIT_SRCS_test_kvm := $(KVM_SRCS)
UNIT_SRCS_test_state_kvm := $(KVM_SRCS)

# The machine's lock and rendezvous, on a gate of the test's own; its vCPUs are
# threads, for ThreadSanitizer, in place of the other sanitizers.

UNIT_SRCS_test_rendezvous := machine/lock.c machine/rendezvous.c
UNIT_FLAGS_test_rendezvous := -Itests/unit/fake/machine
UNIT_LIBS_test_rendezvous := -fno-sanitize=all -fsanitize=thread -lpthread

# vCPU 0 comes in between the atomic accesses.
UNIT_SRCS_test_extint := machine/extint.c
UNIT_FLAGS_test_extint := -include tests/unit/fake/atomic.h

UNIT_SRCS_test_machine_console := machine/console.c
UNIT_FLAGS_test_machine_console := -Itests/unit/fake/machine

UNIT_SRCS_test_net_cable := machine/net_service.c
UNIT_FLAGS_test_net_cable := -Itests/unit/fake/machine

SERVICE_TESTS := test_disk_service test_disk_service_open test_disk_service_depth \
	test_disk_service_random test_ide_service

$(foreach t,$(SERVICE_TESTS),$(eval UNIT_SRCS_$t := machine/disk_service.c))
$(foreach t,$(SERVICE_TESTS),$(eval UNIT_FLAGS_$t := -Itests/unit/fake/machine))

# A debugger's end of the GDB remote protocol, on a guest of the test's own.
GDB_SRCS := $(addprefix machine/,gdb.c gdb_monitor.c gdb_packet.c \
	gdb_registers.c gdb_text.c)
GDB_TESTS := test_gdb test_gdb_registers test_gdb_random
$(foreach t,$(GDB_TESTS),$(eval UNIT_SRCS_$t := $(GDB_SRCS)))

# What stops a guest, with the machine's own emulator under it.
UNIT_SRCS_test_debug := $(GDB_SRCS) $(addprefix machine/,debug.c emulate_ops.c \
	lock.c msr_table.c rendezvous.c)
UNIT_FLAGS_test_debug := -Itests/unit/fake/debug

FACE_SRCS := $(addprefix machine/,face.c face_dump.c elf_core.c) $(GDB_SRCS)
UNIT_SRCS_test_face := $(FACE_SRCS)
UNIT_SRCS_test_face_lies := $(FACE_SRCS)
UNIT_SRCS_test_face_dump := $(FACE_SRCS)

UNIT_SRCS_test_fault := machine/fault.c
UNIT_SRCS_test_disk_delay := machine/disk_delay.c

UNIT_SRCS_test_machine_memory := machine/memory.c
UNIT_FLAGS_test_machine_memory := -Itests/unit/fake/machine
