# SPDX-License-Identifier: BSD-2-Clause
"""Names for the addresses of the monitor's backtraces.

The monitor prints addresses, which its ELF file has the names of: the one with
64 bits beside the one that is booted.
"""

import bisect
import os
import re

from . import Problem, host, processes

# "[    1.234567] error:     ffffffff80112233"
FRAME = re.compile(r"^(\[ *\d+\.\d{6}\] error: +)([0-9a-f]{16})(?=\s*$)",
                   re.MULTILINE)
BACKTRACE_LINES_MAX = 40


def elf_of(monitor):
    """bulkhead.elf for bulkhead32.elf."""
    return re.sub(r"32(\.elf)$", r"\1", monitor)


class Symbols:
    """The functions of an ELF file."""

    def __init__(self, elf):
        status, output, complaints = processes.run(
            ["nm", "--defined-only", host.readable(elf, "monitor")])
        if status:
            raise Problem("%s: %s" % (elf, complaints.strip()))
        words = (line.split() for line in output.decode().splitlines())
        found = sorted((int(w[0], 16), w[2]) for w in words
                       if len(w) == 3 and w[1] in "tT" and
                       not w[2].startswith(".") and ".." not in w[2])
        self.addresses = [address for address, _ in found]
        self.names = [name for _, name in found]

    def name(self, address):
        """function+offset, or a question mark."""
        at = bisect.bisect_right(self.addresses, address) - 1
        if at < 0 or address < self.addresses[0]:
            return "?"
        return "%s+0x%x" % (self.names[at], address - self.addresses[at])

    def annotate(self, text):
        return FRAME.sub(lambda m: "%s%s %s" % (
            m.group(1), m.group(2), self.name(int(m.group(2), 16))), text)


def annotate_log(text, monitor):
    """What a log says, with names in its backtraces."""
    return Symbols(elf_of(monitor)).annotate(text)


def backtrace(text):
    """The frames that the log shows, with names; "" if there are none."""
    elf = elf_of(host.monitor())
    frames = [m.group(0) for m in FRAME.finditer(text)]
    if not frames or not os.path.exists(elf):
        return ""
    return Symbols(elf).annotate("\n".join(frames[:BACKTRACE_LINES_MAX]))
