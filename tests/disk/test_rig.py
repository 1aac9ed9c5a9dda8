# SPDX-License-Identifier: BSD-2-Clause
"""What judges power cuts: it has to see what it is there for."""

import os
import random
import struct
import tempfile
import unittest

import drive
import records

SLOT = records.SLOT_SECTORS * records.SECTOR


def record(maker, number, slot=None):
    """As tests/disk/power.c fills it."""
    slot = maker.slot(number) if slot is None else slot
    sectors = b""
    for index in range(records.SLOT_SECTORS):
        head = struct.pack("<8sQII", b"bulkhead", number, slot, index)
        body = (head + bytes([(number * 7 + index) & 255]) *
                (records.SECTOR - 32))
        sectors += body + struct.pack("<Q", records.fnv(body))
    return sectors


class Rig(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.contents = drive.Contents(os.path.join(folder.name, "d"),
                                       32 * SLOT)
        self.addCleanup(self.contents.close)
        self.maker = records.Records(1, self.contents.size)

    def write(self, number, is_permanent=False):
        self.contents.do(drive.WRITE, self.maker.slot(number) * SLOT,
                         record(self.maker, number), is_permanent)

    def wrong(self, seed):
        """What is wrong with the disk that this chance makes of it; None."""
        image = bytearray(self.contents.read(0, self.contents.size))
        for sector, data in self.contents.outcome(random.Random(seed)):
            at = sector * records.SECTOR
            image[at:at + records.SECTOR] = data
        return self.maker.check(lambda at, length: image[at:at + length])

    def test_what_was_flushed_is_there(self):
        for number in range(1, 100):
            self.write(number)
            if number % 3 == 0:
                self.contents.do(drive.FLUSH, 0, None, False)
                self.maker.ack(number)
            self.assertEqual([self.wrong(seed) for seed in range(5)],
                             [None] * 5)

    def test_what_was_not_flushed_may_be_lost(self):
        for number in range(1, 10):
            self.write(number)
        self.maker.ack(9)
        self.assertIn("was permanent", self.wrong(1))

    def test_fua_is_permanent_alone(self):
        self.write(1, is_permanent=True)
        self.maker.ack(1)
        self.assertEqual([self.wrong(seed) for seed in range(20)], [None] * 20)
        self.write(2)
        self.maker.ack(2)
        self.assertTrue(any(self.wrong(seed) for seed in range(20)))

    def test_a_torn_or_strange_sector_is_seen(self):
        at = self.maker.slot(1) * SLOT
        good = record(self.maker, 1)
        self.contents.write(at, good[:200] + bytes(312) + good[512:])
        self.contents.do(drive.FLUSH, 0, None, False)
        self.assertIn("torn", self.wrong(1))
        self.contents.write(at, good[512:1024] + good[512:])
        self.contents.do(drive.FLUSH, 0, None, False)
        self.assertIn("it is that of sector", self.wrong(1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
