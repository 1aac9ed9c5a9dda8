# SPDX-License-Identifier: BSD-2-Clause
"""The guest's processor: in which mode it is, and whether it takes interrupts.

	registers of a sample --parse()--> State --Modes.take()--> changes

There is a sample behind each slice of the simulation in which the guest ran: what is
shorter than a slice may be missed.  With several vCPUs a sample is of the one that
runs then.

Reference: AMD64 Architecture Programmer's Manual, volume 2, "Operating Modes".
"""

import collections
import re

REAL, V8086, PROTECTED, LONG = "real", "virtual-8086", "protected", "long"
MODES = (REAL, V8086, PROTECTED, LONG)

CR0_PE, CR0_PG = 1 << 0, 1 << 31
EFER_LMA = 1 << 10
FLAGS_IF, FLAGS_VM = 1 << 9, 1 << 17

# As QEMU's monitor shows them.
FIELD = re.compile(r"\b(RFL|EFL|CR0|EFER)=([0-9a-f]+)")

State = collections.namedtuple("State", "mode has_paging is_masked")


def parse(text):
    """What `info registers` of QEMU's says of a CPU."""
    found = {name: int(value, 16) for name, value in FIELD.findall(text)}
    flags = found.get("RFL", found.get("EFL", 0))
    cr0 = found.get("CR0", 0)
    if not cr0 & CR0_PE:
        mode = REAL
    elif found.get("EFER", 0) & EFER_LMA:
        mode = LONG
    else:
        mode = V8086 if flags & FLAGS_VM else PROTECTED
    return State(mode, bool(cr0 & CR0_PG), not flags & FLAGS_IF)


class Modes:
    """changes: (instructions, *State) of each sample that is not as the last one."""

    def __init__(self):
        self.changes = []
        self.samples = 0

    def take(self, now, text):
        state = parse(text)
        self.samples += 1
        if not self.changes or self.changes[-1][1:] != state:
            self.changes.append((now, *state))


def spans(changes, end, label):
    """(from, to, what) where label(State) is the same, and something."""
    found = []
    ends = [c[0] for c in changes[1:]] + [end]
    for (at, *state), until in zip(changes, ends):
        what = label(State(*state))
        if found and found[-1][2] == what and found[-1][1] == at:
            found[-1] = (found[-1][0], until, what)
        elif what:
            found.append((at, until, what))
    return found
