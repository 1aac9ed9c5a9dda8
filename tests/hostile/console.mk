# SPDX-License-Identifier: BSD-2-Clause
# What console.test boots.

guest-programs: $(addprefix $B/hostile/,evil.elf bad.elf beat.elf)
