# SPDX-License-Identifier: BSD-2-Clause
"""The host's screen as the boot loader has left it.

A display adapter that seat has no driver for: GRUB's mode of it, by a BIOS and by
UEFI, or the text mode where QEMU's own loader leaves one.
"""

import os
import re
import shutil
import time
import unittest

import pattern
import rig

BUILD_IMAGES = os.path.join(rig.BUILD, "images")
OVMF = "/usr/share/ovmf/OVMF.fd"
SCREEN = 1024, 768
CELLS_AT, COLUMNS, ROWS = 0xb8000, 80, 25
# Of services/seat: a letter's size, the menu's first row and width, colours.
CELL, MENU_ROW, MENU_WIDTH = (8, 16), 3, 64
CHOSEN, OTHER = (0xd0, 0xd0, 0xd0), (0x20, 0x3a, 0x6b)

has_grub = unittest.skipUnless(shutil.which("grub-mkrescue"),
                               "grub-mkrescue is not installed")
has_ovmf = unittest.skipUnless(os.path.exists(OVMF), "ovmf is not installed")


def adapter(name):
    """In place of the tool's own, which seat drives."""
    return ["--qemu=-vga", "--qemu=" + name]


def placed(width):
    """What the screen shows of a panel of so many pixels: made smaller if it is
    larger, else in the middle."""
    wide, high = pattern.size(width)
    found = bytearray(3 * SCREEN[0] * SCREEN[1])
    is_smaller = wide > SCREEN[0]
    left, top = (0, 0) if is_smaller else ((SCREEN[0] - wide) // 2,
                                           (SCREEN[1] - high) // 2)
    for y in range(SCREEN[1] if is_smaller else high):
        for x in range(SCREEN[0] if is_smaller else wide):
            at = 3 * ((top + y) * SCREEN[0] + left + x)
            found[at:at + 3] = bytes(pattern.colour(
                x * wide // SCREEN[0] if is_smaller else x,
                y * high // SCREEN[1] if is_smaller else y, 0, width))
    return bytes(found)


class Loader(rig.HostTest):
    def begin(self, *options, widths=(pattern.WIDTH,)):
        """A host whose guests have drawn: the first of them is shown."""
        names = ["panel%d" % width for width in widths]
        host = self.host(*(rig.panel(name, width=width)
                           for name, width in zip(names, widths)),
                         options=options)
        for name in names:
            rig.Serial(host, name).do("g", "^drawn$")
        return host

    def picture(self, host):
        host.pump(0.2)
        return host.monitor.picture(os.path.join(host.folder, "host.ppm"))

    def shows(self, host, width, lines=SCREEN[1]):
        """All its pixels, some time."""
        want = placed(width)[:3 * SCREEN[0] * lines]
        until = rig.later()
        while True:
            image = self.picture(host)
            if image.tobytes() == want:
                return
            if time.monotonic() > until:
                self.assertEqual(image.size, (SCREEN[0], lines))
                self.assertIsNone(pattern.difference(image.tobytes(), want))

    def shows_menu(self, host, rows, chosen):
        """Its lines' ground, some time; below them nothing."""
        left = (SCREEN[0] // CELL[0] - MENU_WIDTH) // 2
        at = [(left * CELL[0], (MENU_ROW + row) * CELL[1])
              for row in range(rows + 1)]
        want = [CHOSEN if row == chosen else OTHER for row in range(rows)]
        until = rig.later()
        while True:
            image = self.picture(host)
            found = [image.getpixel(place) for place in at]
            if found == want + [(0, 0, 0)]:
                return
            if time.monotonic() > until:
                self.assertEqual(found, want + [(0, 0, 0)])

    def goes_through_the_menu(self, host, widths, lines=SCREEN[1]):
        """From the first guest to the last; the menu has four rows and an empty
        one beside theirs."""
        rows = len(widths) + 5
        self.shows(host, widths[0], lines)
        host.monitor.press("scroll_lock", "scroll_lock")
        self.shows_menu(host, rows, 0)
        for number in range(1, len(widths)):
            host.monitor.press("down")
            self.shows_menu(host, rows, number)
        host.monitor.press("ret")
        self.shows(host, widths[-1], lines)

    @has_grub
    def test_32_bits_by_a_bios(self):
        widths = 640, 1280
        host = self.begin("--iso", *adapter("vmware"), widths=widths)
        self.assertRegex(host.text, "screen: 1024 x 768 pixels of 32 bits")
        self.goes_through_the_menu(host, widths)

    @has_grub
    def test_24_bits_by_a_bios(self):
        host = self.begin("--iso", *adapter("cirrus"))
        self.assertRegex(host.text, "screen: 1024 x 768 pixels of 24 bits")
        # QEMU's adapter of that name leaves the last line out.
        self.goes_through_the_menu(host, [pattern.WIDTH],
                                   self.picture(host).size[1])

    @has_grub
    @has_ovmf
    def test_memory_by_uefi(self):
        """No PCI function has it: it lies in RAM that is not given out."""
        host = self.begin("--uefi", *adapter("none"), "--qemu=-device",
                          "--qemu=ramfb")
        self.assertRegex(host.text, "screen: 1024 x 768 pixels of 32 bits")
        self.goes_through_the_menu(host, [pattern.WIDTH])


class Text(rig.HostTest):
    def cells(self, host):
        """The rows that the VGA shows."""
        path = os.path.join(host.folder, "cells")
        host.pump(0.2)
        host.monitor.ask("pmemsave", val=CELLS_AT, size=2 * COLUMNS * ROWS,
                         filename=path)
        with open(path, "rb") as f:
            text = f.read()[::2].decode("cp437")
        return "\n".join(text[at:at + COLUMNS].rstrip()
                         for at in range(0, len(text), COLUMNS))

    def shows(self, host, words):
        until = rig.later()
        while True:
            text = self.cells(host)
            if re.search(words, text, re.MULTILINE | re.DOTALL):
                return text
            if time.monotonic() > until:
                self.fail("no '%s' but:\n%s" % (words, text))

    def test_a_vgas_text(self):
        """A guest's text, the menu, a guest that shows graphics, the console."""
        name = "memtest.img"
        with open(os.path.join(BUILD_IMAGES, name), "rb") as f:
            image = f.read()
        host = self.host(
            'memtest { board = "pc"; memory-mib = <64>; vcpus = <1>; '
            'disk0 { bus = "ide"; image = "%s"; }; };' % name,
            rig.panel("panel"), options=adapter("cirrus"), files={name: image})
        rig.Serial(host, "panel").do("g", "^drawn$")
        self.shows(host, r"Memtest86\+.*<F1> +Configuration")
        host.monitor.press("f1")
        self.shows(host, r"Settings:.*<F1> +Test selection")
        host.monitor.press("scroll_lock", "scroll_lock")
        text = self.shows(host, "^ *memtest +running +1 vCPUs +64 MiB$"
                                ".*^ *panel +running.*Shut the host down")
        self.assertNotIn("Settings", text)
        host.monitor.press("down", "ret")
        self.shows(host, "graphics, 1024 x 768 pixels")
        host.monitor.press("scroll_lock", "scroll_lock")
        self.shows(host, "The host's console")
        host.monitor.press("down", "ret")
        self.shows(host, r"\[panel\] program.*^ Bulkhead: ScrollLock twice")
        host.monitor.press("l", "i", "s", "t", "ret")
        self.shows(host, "^memtest +running")


if __name__ == "__main__":
    unittest.main(verbosity=2)
