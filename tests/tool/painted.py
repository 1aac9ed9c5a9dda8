# SPDX-License-Identifier: BSD-2-Clause
"""Guests whose screens show known pixels, sent as a host sends them: in pieces
that fit a frame, raw or as runs, and after the first picture only what changed.
"""

import random
import struct

import control_host
from bulkhead_tool.control import frames

PIECE_MAX = frames.TO_CLIENT_MAX - 64


def noise(width, height, seed=1):
    """Pixels of which no two in a row are alike, mostly: B, G, R, 0."""
    data = bytearray(random.Random(seed).randbytes(4 * width * height))
    data[3::4] = bytes(width * height)
    return data


def stripes(width, height):
    """Long runs that end in the middle of lines."""
    colours = [b"\0\0\xaa\0", b"\xff\x80\x40\0", b"\1\2\3\0"]
    return bytearray(b"".join(colours[at // 1000 % 3]
                              for at in range(width * height)))


def tiles(width, height, seed=1):
    """Squares of 16 pixels, each of some colour."""
    source = random.Random(seed)
    data = bytearray()
    for _ in range(0, height, 16):
        line = b"".join(source.randbytes(3) * 16 for _ in
                        range(0, width, 16))
        data += bytearray(b"".join(line[3 * x:3 * x + 3] + b"\0"
                                   for x in range(width))) * 16
    return data[:4 * width * height]


class Painted(control_host.Guest):
    """show() it, then mode() and pixels() are asked for by the host."""

    def __init__(self, name, width=720, height=400):
        super().__init__(name)
        self.paint(width, height, stripes(width, height))

    def paint(self, width, height, data, is_text=False):
        self.width, self.height, self.data = width, height, data
        self.is_text, self.is_on = is_text, True
        self.changed = None    # all
        self.version += 1

    def change(self, left, top, width, height, data):
        """One rectangle more."""
        for row in range(height):
            at = 4 * ((top + row) * self.width + left)
            self.data[at:at + 4 * width] = \
                data[4 * row * width:4 * (row + 1) * width]
        if self.changed is not None:
            self.changed.append((left, top, width, height))
        self.version += 1

    def off(self):
        self.is_on = False
        self.version += 1

    def screen(self):
        return self.width, self.height, bytes(self.data)

    def shape(self):
        if not self.is_on:
            return {"mode": "off", "width": 0, "height": 0, "depth": 0}
        return {"mode": "text" if self.is_text else "graphics",
                "width": self.width, "height": self.height, "depth": 24}

    def _cut(self, left, top, width, height):
        return b"".join(self.data[4 * (y * self.width + left):
                                  4 * (y * self.width + left + width)]
                        for y in range(top, top + height))

    @staticmethod
    def _runs(data):
        out, at = bytearray(), 0
        while at < len(data):
            pixel, count = data[at:at + 4], 1
            while count < 255 and data[at + 4 * count:
                                       at + 4 * count + 4] == pixel:
                count += 1
            out += bytes([count]) + pixel[:3]
            at += 4 * count
        return bytes(out)

    def _pieces(self, left, top, width, height):
        lines = max(1, PIECE_MAX // (4 * width))
        for y in range(top, top + height, lines):
            tall = min(lines, top + height - y)
            data = self._cut(left, y, width, tall)
            runs = self._runs(data)
            has_runs = len(runs) < len(data)
            yield struct.pack("<HHHHBxxx", left, y, width, tall, has_runs) + \
                (runs if has_runs else data)

    def pixels(self):
        if not self.is_on:
            return
        rects = [(0, 0, self.width, self.height)] \
            if self.changed is None else self.changed
        self.changed = []
        for rect in rects:
            yield from self._pieces(*rect)


class Host(control_host.Host):
    def do_screen(self, number, thing, guest):
        if number not in self.watches:
            guest.changed = None
        super().do_screen(number, thing, guest)
