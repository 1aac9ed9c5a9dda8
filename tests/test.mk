# SPDX-License-Identifier: BSD-2-Clause
#
# Everything that `make test` needs built, then the runner.  A part that does
# not build keeps no other from being tested, and is counted as a failed test:
# what it built the last time would still pass.

RUN_TESTS = BULKHEAD_BUILD=$(abspath $B) tests/run

BOOT_IMAGES := $(addprefix $B/images/,quick.img debian.img memtest.img \
	grub-rescue.iso xen.elf installer-text.img)

# As many at a time as there are processors, unless somebody said how many.
TEST_JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: test boot-tests lint
test:
	@rm -f $B/test/summary
	@built=; $(MAKE) --no-print-directory $(TEST_JOBS) -k $(BOOT_IMAGES) \
		$B/bulkhead32.elf programs $B/bulkhead-soft32.elf \
		$B/selftest32.elf $B/manifest-check $B/entry-check \
		$B/bulkhead-vnc $B/web firmware-cases \
		unit-programs guest-programs hostile-programs life-programs \
		disk-programs net-programs sleep-programs smp-programs usb-programs scsi-programs virtio-programs screen-programs memory-programs bench-files device-fuzzers control-fuzzer switch-fuzzer || \
		built=--not-built; \
	$(RUN_TESTS) $$built $(foreach t,$(TESTS),'$t')

.PHONY: unit-programs guest-programs
unit-programs: $(UNIT_TESTS)

boot-tests: $B/bulkhead32.elf programs $B/manifest-check $(BOOT_IMAGES)
	@BOOT_LONG=y $(RUN_TESTS) 'boot/*'

lint:
	@$(RUN_TESTS) 'lint/*'

## test           everything below; TESTS="unit/* boot/quick" for some of it
## boot-tests     real operating systems under Bulkhead
## lint           format, headers, includes, sizes, GCC and Clang, cppcheck
