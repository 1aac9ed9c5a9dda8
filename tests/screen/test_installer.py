# SPDX-License-Identifier: BSD-2-Clause
"""Debian's installer by keys to its third question: Text, and Graphical.

What it asks is met as a user would meet it, by `bulkhead wait`: words on the text
screen, and in graphics pieces of the screen, tests/screen/needles/*.png.
"""

import os
import unittest

import rig

rig.LIMIT = 500    # seconds; it takes a minute or two where nobody else works

NODE = ('installer { board = "pc"; memory-mib = <%d>; '
        'disk0 { bus = "ide"; image = "installer.img"; }; };')
NEEDLES = os.path.join(rig.TOP, "tests/screen/needles")
TOLERANCE = "24"    # of 255: what drawing of letters may differ by


class Installer(rig.HostTest):
    def start(self, frontend, memory):
        folder = os.path.join(rig.BUILD, "images")
        with open(os.path.join(folder, "installer-%s.img" % frontend),
                  "rb") as f:
            image = f.read()
        self.machine = self.host(NODE % memory, files={"installer.img": image})

    def wait(self, *words):
        return self.machine.tool("wait", "installer", *words, "--timeout",
                                 str(rig.LIMIT - 10))

    def type(self, keys):
        self.machine.tool("type", "installer", keys)


class Text(Installer):
    """What it has of RAM is little to it: that is its first question."""

    def test_third_question(self):
        self.start("text", 512)
        self.wait("--text", r"Low memory.*Entering low memory mode.*<Continue>")
        self.type("{ret}")
        self.wait("--text", r"Continent or region:.*Africa.*Europe")
        self.type("{down*6}")    # to Europe
        self.type("{ret}")
        self.wait("--text", r"Country, territory or area:.*Albania")


class Graphical(Installer):
    def needle(self, name, region):
        self.wait("--image", os.path.join(NEEDLES, name + ".png"),
                  "--region", region, "--tolerance", TOLERANCE)

    def test_third_question(self):
        """Where RAM is scarce the installer has no graphics."""
        self.start("gtk", 1024)
        self.needle("language", "0,160,1024,550")
        self.type("{ret}")
        self.needle("location", "0,210,1024,500")
        self.type("{ret}")
        self.needle("keyboard", "0,140,1024,120")


if __name__ == "__main__":
    unittest.main(verbosity=2)
