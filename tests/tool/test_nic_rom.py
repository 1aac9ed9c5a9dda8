# SPDX-License-Identifier: BSD-2-Clause
"""Expansion ROMs that are given the IDs of their card."""

import struct
import unittest

import folder    # pylint: disable=unused-import # finds the tool
from bulkhead_tool import Problem, nic_rom


def image(code, blocks, is_last, ids=(0, 0)):
    data = bytearray(blocks * 512)
    data[0:2] = b"\x55\xaa"
    data[2] = blocks
    struct.pack_into("<H", data, 0x18, 0x40)
    struct.pack_into("<4sHHHHB3BHHBB", data, 0x40, b"PCIR", *ids, 0, 0x18, 0,
                     0, 0, 2, blocks, 0, code, 0x80 * is_last)
    data[100] = 77
    return bytes(data)


class NicRomTest(unittest.TestCase):
    def test_each_image_is_named(self):
        rom = image(0, 2, False) + image(3, 3, True, (0xfff3, 0))
        found = nic_rom.named(rom, 0x10ec, 0x8029)
        self.assertEqual(len(found), len(rom))
        for at in (0, 1024):
            self.assertEqual(struct.unpack_from("<HH", found, at + 0x44),
                             (0x10ec, 0x8029))
        # The sum is of a BIOS's image alone, and nothing else has changed.
        self.assertEqual(sum(found[:1024]) & 0xff, 0)
        changed = {i for i, byte in enumerate(found) if byte != rom[i]}
        self.assertLessEqual(changed, {6, 0x44, 0x45, 0x46, 0x47, 1024 + 0x44,
                                       1024 + 0x45, 1024 + 0x46, 1024 + 0x47})

    def test_what_is_damaged(self):
        good = image(0, 2, True)
        for data, word in ((b"", "no ROM's signature at 0x0"),
                           (good[:40], "within a header at 0x0"),
                           (good[:-1], "image at 0x0 is damaged"),
                           (good.replace(b"PCIR", b"PCIX"), "is damaged"),
                           (good[:0x50] + b"\0\0" + good[0x52:], "is damaged"),
                           (image(0, 2, False), "signature at 0x400")):
            with self.assertRaises(Problem) as caught:
                nic_rom.named(data, 1, 2)
            self.assertIn(word, str(caught.exception))


if __name__ == "__main__":
    unittest.main(verbosity=2)
