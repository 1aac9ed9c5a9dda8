# SPDX-License-Identifier: BSD-2-Clause

.PHONY: test-matrix
test-matrix: $B/bulkhead32.elf programs $B/manifest-check guest-programs
	@BULKHEAD_BUILD=$(abspath $B) tests/matrix --output $B/matrix.md

## test-matrix    every tiny guest on every simulated processor: build/matrix.md
