# SPDX-License-Identifier: BSD-2-Clause
"""Seat crashes: guests go on, it comes back by itself, nothing is held down.

The service is the real one, linked with seat_crash.c, by which the test has the
moment in hand.
"""

import time
import unittest

import rig
from bulkhead_tool.control import client, screen

SEAT = "screen/seat-crash/seat.elf"
INVALID_OPCODE = 6
A, S = 30, 31    # keys' codes, and their make codes


class Crash(rig.HostTest):
    def setUp(self):
        self.rig = self.host(rig.panel("one", 1), rig.panel("two", 2),
                             has_screen=True, services=SEAT)
        self.one = rig.Serial(self.rig, "one")
        self.two = rig.Serial(self.rig, "two")
        for serial in (self.one, self.two):
            serial.do("a", "^alive$")
            serial.do("g", "^drawn$")
        self.link = self.rig.client()
        self.watch = screen.Watch(self.link, "two", "pixels")
        self.assertTrue(self.watch.update(rig.LIMIT))

    def crash(self):
        with self.assertRaisesRegex(client.Refused, "lost"):
            self.link.ask("crash", rig.LIMIT)
        self.rig.expect(r"\[seat\] has ended: reason \d+, code \d+, vector %d at"
                        % INVALID_OPCODE)

    def comes_back(self):
        """With nobody's help, and the client's connection is the same."""
        until = rig.later()
        while True:
            try:
                return {g["guest"]: g for g in self.link.guests()}
            except client.Refused as error:
                self.assertEqual(error.error, "lost")
                self.assertLess(time.monotonic(), until)
                self.link.pause(0.2)

    def is_as_before(self, shade):
        """Guests, their screens, the host's, and the host's keyboard."""
        for serial in (self.one, self.two):
            serial.attach()
            serial.do("a", "^alive$")
            serial.do("k", "^held 0$")
        rig.expect_picture(self.link, "one", 1)
        rig.expect_picture(self.link, "two", 2)
        self.rig.shows(shade)
        self.rig.monitor.press("c")
        self.one.expect("^key 2e$")
        self.one.expect("^key ae$")

    def test_all_goes_on(self):
        self.rig.shows(1)
        # Held by a client, and by the person at the machine.
        self.link.ask("keys", rig.LIMIT, guest="two", keys=[A])
        self.two.expect("^key %02x$" % A)
        self.rig.monitor.key("s", True)
        self.one.expect("^key %02x$" % S)
        for serial in (self.one, self.two):
            serial.do("k", "^held 1$")
        self.crash()
        guests = self.comes_back()
        self.assertEqual([(g["state"], g["starts"]) for g in guests.values()],
                         [("running", 1)] * 2)
        self.is_as_before(1)
        # Not for good by chance: it does so again, with a guest that stands.
        self.link.ask("pause", rig.LIMIT, guest="two")
        self.crash()
        self.comes_back()
        self.one.attach()
        self.one.do("a", "^alive$")
        self.link.ask("resume", rig.LIMIT, guest="two")
        self.is_as_before(1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
