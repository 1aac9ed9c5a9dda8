# SPDX-License-Identifier: BSD-2-Clause
"""What tests/disk/power.c writes, and whether a disk still has it."""

import struct

SECTOR, SLOT_SECTORS = 512, 8
BASIS, PRIME, MASK = 0xcbf29ce484222325, 0x100000001b3, (1 << 64) - 1


def fnv(data, value=BASIS):
    for byte in data:
        value = (value ^ byte) * PRIME & MASK
    return value


class Records:
    """The records that a seed makes on a disk of so many bytes."""

    def __init__(self, seed, size):
        self.seed, self.slots = seed, size // SECTOR // SLOT_SECTORS
        self.known = {}    # sectors looked at before
        self.latest = {}    # of each slot, of what is permanent
        self.acked = 0

    def slot(self, number):
        value = fnv(struct.pack("<QQ", self.seed, number))
        return 1 + (value >> 16) % (self.slots - 1)

    def ack(self, number):
        """All up to this one are permanent."""
        for one in range(self.acked + 1, number + 1):
            self.latest[self.slot(one)] = one
        self.acked = max(self.acked, number)

    def mark(self, at, data):
        """The number that the guest has written to the first slot."""
        found = self.read(data[:SECTOR]) if at == 0 else None
        return found[0] if found else 0

    def read(self, sector):
        """(number, slot, index) of a record's sector; None: it is torn."""
        sector = bytes(sector)
        if sector in self.known:
            return self.known[sector]
        magic, number, slot, index = struct.unpack_from("<8sQII", sector)
        total, = struct.unpack_from("<Q", sector, SECTOR - 8)
        what = None
        if not any(sector):
            what = (0, None, None)
        elif magic == b"bulkhead" and total == fnv(sector[:SECTOR - 8]) and \
                slot in (0, self.slot(number)):
            what = (number, slot, index)
        self.known[sector] = what
        return what

    def check(self, read):
        """What is wrong with a disk; None.  read(offset, length) reads it."""
        for slot in range(1, self.slots):
            data = read(slot * SLOT_SECTORS * SECTOR, SLOT_SECTORS * SECTOR)
            for index in range(SLOT_SECTORS):
                wrong = self._check_sector(
                    data[index * SECTOR:(index + 1) * SECTOR], slot, index)
                if wrong:
                    return "sector %d: %s" % (slot * SLOT_SECTORS + index,
                                              wrong)
        return None

    def _check_sector(self, sector, slot, index):
        found = self.read(sector)
        want = self.latest.get(slot, 0)
        if not found:
            return "torn: no write has left it so"
        number, its_slot, its_index = found
        if number and (its_slot, its_index) != (slot, index):
            return "it is that of sector %d" % (its_slot * SLOT_SECTORS +
                                                its_index)
        if number < want:
            return "holds record %d, but %d was permanent (%d acknowledged)" \
                % (number, want, self.acked)
        return None
