# SPDX-License-Identifier: BSD-2-Clause
# What console.test, many.test and order.test boot.

guest-programs: $(addprefix $B/hostile/,evil.elf bad.elf beat.elf idle.elf)
