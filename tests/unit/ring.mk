# SPDX-License-Identifier: BSD-2-Clause
# lib/user/ring.c with the tests' own shared memory.

RING_TESTS := test_ring test_ring_hostile

$(foreach t,$(RING_TESTS),$(eval UNIT_SRCS_$t := lib/user/ring.c))
$(foreach t,$(RING_TESTS),$(eval UNIT_FLAGS_$t := -Itests/unit/fake/ring))
