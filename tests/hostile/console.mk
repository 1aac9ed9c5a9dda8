# SPDX-License-Identifier: BSD-2-Clause
# What console.test and cow.test boot.

guest-programs: $(addprefix $B/hostile/,evil.elf bad.elf beat.elf)
