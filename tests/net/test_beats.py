# SPDX-License-Identifier: BSD-2-Clause
"""tests/net/beats: what is a heartbeat, a gap, a life, and what is not heard."""

import importlib.machinery
import importlib.util
import os
import struct
import unittest

PATH = os.path.join(os.path.dirname(os.path.realpath(__file__)), "beats")
LOADER = importlib.machinery.SourceFileLoader("beats", PATH)
SPEC = importlib.util.spec_from_loader("beats", LOADER)
beats = importlib.util.module_from_spec(SPEC)
LOADER.exec_module(beats)

MS = 10 ** 6


def frame(number=7, source=(10, 0, 1, 11), kind=8, protocol=1, ether=0x800):
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, protocol, 0,
                     bytes(source), bytes((10, 0, 1, 255)))
    icmp = struct.pack(">BBHHH", kind, 0, 0, 42, number)
    return b"\xff" * 6 + bytes(6) + struct.pack(">H", ether) + ip + icmp


def heard(*pairs):
    """A Sender that heard these numbers at these milliseconds."""
    sender = beats.Sender()
    for number, ms in pairs:
        sender.hear(number, ms * MS)
    return sender


class Frames(unittest.TestCase):
    def test_an_echo_request_is_one(self):
        self.assertEqual(beats.heartbeat(frame(513)), ("10.0.1.11", 513))

    def test_others_are_none(self):
        for other in (frame(kind=0), frame(protocol=17), frame(ether=0x806),
                      frame()[:40], frame()[:20], b""):
            self.assertIsNone(beats.heartbeat(other))


class Gaps(unittest.TestCase):
    def test_the_longest(self):
        sender = heard((0, 0), (1, 10), (2, 61), (3, 71))
        self.assertEqual(sender.longest, (51 * MS, 61 * MS))
        self.assertFalse(sender.is_good(50))
        self.assertTrue(sender.is_good(51))
        self.assertTrue(sender.is_good(None))
        self.assertEqual((sender.beats, sender.lives), (4, 1))

    def test_between_lives_is_none(self):
        sender = heard((0, 0), (1, 10), (0, 900), (1, 910))
        self.assertEqual(sender.lives, 2)
        self.assertEqual(sender.longest[0], 10 * MS)
        # The number at which it was killed says nothing.
        sender = heard((60000, 0), (0, 900), (1, 910))
        self.assertEqual((sender.lives, sender.lost), (2, 0))

    def test_numbers_begin_again(self):
        sender = heard((65534, 0), (65535, 10), (0, 40))
        self.assertEqual((sender.lives, sender.longest[0]), (1, 30 * MS))

    def test_what_was_not_heard_is_no_gap_and_not_good(self):
        sender = heard((0, 0), (1, 10), (4, 40))
        self.assertEqual((sender.lost, sender.longest[0]), (2, 10 * MS))
        self.assertFalse(sender.is_good(50))

    def test_who_says_nothing_is_not_good(self):
        self.assertFalse(beats.Sender().is_good(None))
        self.assertFalse(heard((0, 0)).is_good(None))

    def test_most_of_them(self):
        sender = heard(*((n, 10 * n) for n in range(1002)))
        sender.hear(1002, 10049 * MS)
        self.assertEqual(sender.under(0.999), 10.1)
        self.assertIn("99.9 % of the gaps are under 10.1 ms, the longest "
                      "39.0 ms", sender.line("x"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
