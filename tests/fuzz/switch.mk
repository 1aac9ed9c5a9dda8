# SPDX-License-Identifier: BSD-2-Clause
#
# The fuzzer of the service `switch`: machines that lie to it.

SWITCH_FUZZ_SRCS := tests/fuzz/fuzz_switch.c lib/user/ring.c \
	lib/user/net_packet.c lib/user/net_segments.c services/switch/switch.c

$B/fuzz/switch: $(SWITCH_FUZZ_SRCS) $(wildcard services/switch/*.h) \
		include/switch.h include/net.h include/ring.h services/rate.h
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$Qclang $(FUZZ_FLAGS) $(FUZZ_FASTER) -o $@ $(SWITCH_FUZZ_SRCS)

.PHONY: fuzz-switch switch-fuzzer
switch-fuzzer: $B/fuzz/switch

fuzz-switch: $B/fuzz/switch
	@mkdir -p $B/fuzz/switch.corpus
	$< -runs=$(RUNS) -max_len=2048 -len_control=0 -entropic=0 \
		-reduce_inputs=0 -artifact_prefix=$B/fuzz/ \
		$B/fuzz/switch.corpus

## fuzz-switch    machines that lie to the service switch (RUNS=n)
