# SPDX-License-Identifier: BSD-2-Clause
#
# The fuzzer of the control protocol: clients and machines that lie to seat.

CONTROL_FUZZ_SRCS := tests/fuzz/fuzz_control.c lib/user/ring.c \
	$(filter-out %/main.c %/carriers.c %/local.c,$(wildcard services/seat/*.c)) \
	lib/font.c drivers/framebuffer.c

$B/fuzz/control: $(CONTROL_FUZZ_SRCS) $(wildcard services/seat/*.h) \
		include/face.h include/seat.h \
		$(addprefix tests/unit/,seat_test.h remote_test.h screen_test.h \
		link_test.h)
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$Qclang $(FUZZ_FLAGS) $(FUZZ_FASTER) -o $@ $(CONTROL_FUZZ_SRCS) -lcmocka

.PHONY: fuzz-control control-fuzzer
control-fuzzer: $B/fuzz/control

fuzz-control: $B/fuzz/control
	@mkdir -p $B/fuzz/control.corpus
	$< -runs=$(RUNS) -max_len=2048 -len_control=0 -entropic=0 \
		-reduce_inputs=0 -artifact_prefix=$B/fuzz/ \
		$B/fuzz/control.corpus

## fuzz-control   clients and machines that lie to the service seat (RUNS=n)
