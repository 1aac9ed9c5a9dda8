# SPDX-License-Identifier: BSD-2-Clause
"""Keys and the mouse: from `bulkhead type` and `click` to a guest's port 60h."""

import unittest

import rig
from bulkhead_tool.control import keys, verbs

EXTENDED = {    # codes of Linux's input events to make codes behind E0h
    96: 0x1c, 97: 0x1d, 98: 0x35, 100: 0x38, 102: 0x47, 103: 0x48, 104: 0x49,
    105: 0x4b, 106: 0x4d, 107: 0x4f, 108: 0x50, 109: 0x51, 110: 0x52,
    111: 0x53, 125: 0x5b, 126: 0x5c, 127: 0x5d,
}
PAUSE = bytes((0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5))
ALL_CODES = sorted(set(keys.NAMES.values()) | {c for row in keys.ROWS
                                               for c in row})
FITS = 8    # bytes at a time: a keyboard has room for 16


def scancodes(event):
    """What a keyboard of scan set 1 says, by IBM's and Microsoft's tables."""
    code, is_down = abs(event), event > 0
    if code == 119:
        return PAUSE if is_down else b""
    if code == 99:
        # Print screen has a false shift around it.
        return bytes((0xe0, 0x2a, 0xe0, 0x37) if is_down else
                     (0xe0, 0xb7, 0xe0, 0xaa))
    up = 0 if is_down else 0x80
    if code in EXTENDED:
        return bytes((0xe0, EXTENDED[code] | up))
    return bytes((code | up,))


class Keys(rig.HostTest):
    @classmethod
    def setUpClass(cls):
        cls.rig = rig.start(cls, [rig.panel("panel")])
        cls.serial = rig.Serial(cls.rig, "panel")
        cls.serial.do("a", "^alive$")
        cls.link = cls.rig.client()

    def heard(self, count):
        return bytes(int(self.serial.expect(r"^key (..)$")[1], 16)
                     for _ in range(count))

    def stroke(self, codes):
        """Pressed and released; a few events at a time, as they fit."""
        events = keys.events(codes)
        at = 0
        while at < len(events):
            piece = [events[at]]
            while at + len(piece) < len(events) and len(b"".join(
                    scancodes(e) for e in
                    piece + [events[at + len(piece)]])) <= FITS:
                piece.append(events[at + len(piece)])
            at += len(piece)
            wanted = b"".join(scancodes(e) for e in piece)
            self.link.ask("keys", rig.LIMIT, guest="panel", keys=piece)
            self.assertEqual(self.heard(len(wanted)), wanted, piece)

    def test_every_key(self):
        for code in ALL_CODES:
            self.stroke([code])

    def test_every_layout(self):
        """All that a layout can type is made of keys that reach the guest."""
        strokes = set()
        for name in keys.LAYOUTS:
            layout = keys.Layout(name)
            for character in layout.strokes:
                for codes in layout.strokes[character]:
                    self.assertLessEqual(set(codes), set(ALL_CODES))
                    strokes.add(tuple(c for c in codes
                                      if c in (keys.SHIFT, keys.ALTGR)))
        # Each way to hold others down, once.
        for held in sorted(strokes):
            self.stroke([*held, 30])

    def test_the_command(self):
        self.rig.tool("type", "--layout", "de", "Z{ctrl+alt+del}", "--batch",
                      "2", "--delay", "0.2")
        wanted = b"".join(scancodes(e) for e in keys.events([42, 21]) +
                          keys.events([29, 56, 111]))
        self.assertEqual(self.heard(len(wanted)), wanted)

    def mouse(self):
        """Buttons, x to the right, y upwards, wheel towards the user."""
        found = self.serial.expect(r"^mouse (..) (-?\d+) (-?\d+) (-?\d+)$")
        return (int(found[1], 16) & 7, *(int(found[n]) for n in (2, 3, 4)))

    def point(self, **what):
        self.link.ask("pointer", rig.LIMIT, guest="panel", **what)
        return self.mouse()

    def test_the_mouse(self):
        self.assertEqual(self.point(dx=3, dy=5), (0, 3, -5, 0))
        self.assertEqual(self.point(dx=-100, dy=-101), (0, -100, 101, 0))
        for bit in (1, 2, 4):
            self.assertEqual(self.point(buttons=bit), (bit, 0, 0, 0))
            self.assertEqual(self.point(dx=1), (bit, 1, 0, 0))
            self.assertEqual(self.point(buttons=0), (0, 0, 0, 0))
        self.assertEqual(self.point(wheel=1), (0, 0, 0, -1))
        self.assertEqual(self.point(wheel=-2), (0, 0, 0, 2))
        # The command: there, pressed, released.
        self.rig.tool("click", "--move=300,-20", "--button", "right",
                      "--delay", "0.2")
        packets = [self.mouse()]
        while packets[-1][0] or len(packets) < 3 or packets[-2][0] != 2:
            packets.append(self.mouse())
        self.assertEqual(sum(p[1] for p in packets), 300)
        self.assertEqual(sum(p[2] for p in packets), 20)
        self.assertEqual([p[0] for p in packets[-2:]],
                         [verbs.BUTTONS["right"], 0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
