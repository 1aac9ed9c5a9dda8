# SPDX-License-Identifier: BSD-2-Clause
#
# A fuzzer of every device by itself: the subjects of the tests of states.  Each
# of the groups below is a program, --list names its devices.  Executions are
# short: tracing compares would cost more than it finds.

DEVICE_FUZZ_GROUPS := devices pci ide ahci lsi net e1000e nics usb msi virtio virtio_small virtio_net virtio_vsock virtio_scsi
DEVICE_FUZZERS	   := $(DEVICE_FUZZ_GROUPS:%=$B/fuzz/device_%)
DEVICE_FUZZ_OBJS   := $(patsubst %,$B/fuzz/%.o,$(wildcard devices/*.c) lib/floppy.c \
		      $(addprefix lib/user/,net_packet.c net_segments.c))
DEVICE_FUZZ	   := clang $(HOST) -O2 -Wno-missing-prototypes \
	-fno-sanitize-recover=all \
	-fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-coverage=trace-cmp \
	-fsanitize-ignorelist=tests/fuzz/devices.ignore \
	-fsanitize-coverage-ignorelist=tests/fuzz/devices.ignore \
	-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION

$(DEVICE_FUZZ_OBJS): $B/fuzz/%.o: %
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$Q$(DEVICE_FUZZ) -MMD -MP -c -o $@ $<

# Clearing its index is most of a short run; `make fuzz-pc` looks at it.
$B/fuzz/devices/bus.c.o: DEVICE_FUZZ := clang $(HOST)

$(DEVICE_FUZZERS): $B/fuzz/device_%: tests/fuzz/fuzz_devices.c \
		tests/unit/test_state_%.c tests/unit/state_test.h \
		tests/unit/state_net.h tests/unit/state_ne2000.h \
		tests/unit/state_e1000.h tests/unit/state_media.h \
		tests/unit/virtio_echo.h \
		tests/unit/device_test.h $(DEVICE_FUZZ_OBJS)
	$(call say,FUZZ)
	$Q$(DEVICE_FUZZ) -fsanitize=fuzzer -o $@ $< $(DEVICE_FUZZ_OBJS) \
		-DSUBJECTS='"tests/unit/test_state_$*.c"' -lcmocka

-include $(DEVICE_FUZZ_OBJS:.o=.d)

.PHONY: fuzz-devices device-fuzzers
device-fuzzers: $(DEVICE_FUZZERS)

fuzz-devices: $(DEVICE_FUZZERS)
	tests/fuzz/devices $B --runs $(RUNS) $(DEVICES)

## fuzz-devices   every device by itself (RUNS=n for each, DEVICES="pic vga")
