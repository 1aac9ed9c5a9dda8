# SPDX-License-Identifier: BSD-2-Clause
"""Names for a guest's addresses, from what its linker wrote.

Known: ELF files (by nm), `nm` output and System.map, the maps of GNU ld, of NASM
and of Microsoft's linker.
"""

import bisect
import re

from .. import Problem, host, symbols

ROWS_MAX = 6
MAPS = (
    #             1234             1234  name
    re.compile(r"^ +[0-9A-F]+ +([0-9A-F]+)  ([A-Za-z_.?@]\S*)$"),
    # 00000000000f1234 T name
    re.compile(r"^([0-9a-fA-F]{4,16})\s+[A-Za-z]\s+([^\s]+)$"),
    #                 0x00000000000f1234                name
    re.compile(r"^\s+0x([0-9a-fA-F]{4,16})\s+([A-Za-z_.$?@][^\s=(]*)$"),
    #  0001:00000234       _name          00401234 f   file.obj
    re.compile(r"^\s+[0-9a-fA-F]{4}:[0-9a-fA-F]{8}\s+([^\s]+)\s+"
               r"([0-9a-fA-F]{8,16})\b"),
)


def map_entry(line):
    for number, form in enumerate(MAPS):
        found = form.match(line)
        if found:
            return (found[2], found[1]) if number == 3 else found.groups()
    return None


class Places:
    """name(address) of a linked program that was moved by offset."""

    def __init__(self, path=None, offset=0):
        self.offset = offset
        self.addresses, self.names = [], []
        if path:
            self._read(host.readable(path, "symbols"))

    def _read(self, path):
        with open(path, "rb") as f:
            is_elf = f.read(4) == b"\x7fELF"
        if is_elf:
            found = symbols.Symbols(path)
            self.addresses, self.names = found.addresses, found.names
            return
        with open(path, encoding="latin-1") as f:
            entries = [map_entry(line.rstrip("\n")) for line in f]
        pairs = sorted((int(address, 16), name) for address, name in
                       (e for e in entries if e))
        if not pairs:
            raise Problem("'%s' is no ELF file and no map that is known: nm, "
                          "GNU ld, NASM, Microsoft" % path)
        self.addresses = [a for a, _ in pairs]
        self.names = [n for _, n in pairs]

    def name(self, address):
        """As in "f0a12 (main+0x12)"; without a name where there is none."""
        text = "%x" % address
        at = bisect.bisect_right(self.addresses, address - self.offset) - 1
        if at < 0:
            return text
        return "%s (%s+0x%x)" % (text, self.names[at], address - self.offset -
                                 self.addresses[at])

    def table(self, addresses):
        """The addresses by how often they are there, as lines."""
        count = {}
        for address in addresses:
            count[address] = count.get(address, 0) + 1
        most = sorted(count.items(), key=lambda c: (-c[1], c[0]))
        return ["%d of %d at %s" % (n, len(addresses), self.name(a))
                for a, n in most[:ROWS_MAX]]
