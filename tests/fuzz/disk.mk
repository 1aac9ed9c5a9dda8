# SPDX-License-Identifier: BSD-2-Clause
#
# The fuzzer of the service disk: partition tables and clients' records.

DISK_FUZZ_SRCS := tests/fuzz/fuzz_disk.c lib/user/ring.c lib/user/disk_client.c \
	$(filter-out %/main.c %/virtio_drive.c,$(wildcard services/disk/*.c))

$B/fuzz/disk: $(DISK_FUZZ_SRCS) $(wildcard services/disk/*.h) include/disk.h \
		tests/unit/disk_test.h tests/unit/gpt_image.h
	@mkdir -p $(@D)
	clang $(HOST) -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $(DISK_FUZZ_SRCS) -lcmocka

.PHONY: fuzz-disk
fuzz-disk: $B/fuzz/disk
	@mkdir -p $B/fuzz/disk.seeds
	$B/fuzz/disk -runs=$(RUNS) -max_len=1024 -len_control=0 \
		-artifact_prefix=$B/fuzz/ $B/fuzz/disk.seeds

## fuzz-disk      tables and clients that lie to the service disk (RUNS=n)
