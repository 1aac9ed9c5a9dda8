# SPDX-License-Identifier: BSD-2-Clause
"""A picture of 1024 * 768 pixels, through every way that leads out of a host."""

import os
import time
import unittest

import pattern
import rig
from bulkhead_tool.control import frames, screen

QUIET = 2.0    # seconds in which nothing may come
LINES_MAX = 16    # of a picture, that one changed pixel may cost: 64 KiB
NARROW = 320    # for a port that is slow
WANTED = {(width, dots): pattern.pixels(0, dots, width)
          for width in (pattern.WIDTH, NARROW) for dots in (0, 1)}


class Pixels(rig.HostTest):
    def begin(self, *options, has_screen=False, width=pattern.WIDTH):
        """A host whose guest has drawn."""
        self.width = width
        host = self.host(rig.panel("panel", width=width), options=options,
                         has_screen=has_screen)
        serial = rig.Serial(host, "panel")
        serial.do("g", "^drawn$")
        return host, serial

    def alike(self, image, dots, what):
        self.assertEqual(image.size, pattern.size(self.width), what)
        self.assertIsNone(pattern.difference(
            image.tobytes(), WANTED[self.width, dots], self.width), what)

    def screenshot(self, host, dots):
        path = os.path.join(host.folder, "shot.png")
        host.tool("screenshot", "-o", path)
        with screen.imaging().open(path) as image:
            self.alike(image.convert("RGB"), dots, "the screenshot")

    def on_host(self, host, dots):
        """The host's own screen shows it, some time."""
        until = rig.later()
        path = os.path.join(host.folder, "host.ppm")
        while True:
            host.pump(0.2)
            image = host.monitor.picture(path)
            if image.tobytes() == WANTED[self.width, dots] or \
                    time.monotonic() > until:
                self.alike(image, dots, "the host's screen")
                return

    def followed(self, host, serial):
        """A change of a pixel costs a line; where nothing changes nothing comes."""
        link = host.client()
        watch = screen.Watch(link, "panel", "pixels")
        self.assertTrue(watch.update(rig.LIMIT))
        self.alike(watch.screen.image(), 0, "the watched screen")
        number = watch.number
        try:
            reply = link.request("screen", QUIET, number=number, guest="panel",
                                 **{"as": "pixels"})
            self.fail("nothing has changed, but %d parts came" %
                      len(reply.parts))
        except rig.client.Late as late:
            self.assertEqual(late.parts, [])
        serial.do("p", "^dotted$")
        reply = link.request("screen", rig.LIMIT, number=number, guest="panel",
                             **{"as": "pixels"})
        count = sum(len(p.data) for p in reply.parts
                    if p.what == frames.PIXELS)
        self.assertGreater(count, 0)
        self.assertLessEqual(count, LINES_MAX * (4 * pattern.WIDTH + 12))
        for part in reply.parts:
            watch.screen.apply(part)
        self.alike(watch.screen.image(), 1, "after a change")

    def test_by_the_virtio_port(self):
        host, serial = self.begin()
        self.screenshot(host, 0)
        self.followed(host, serial)

    def test_by_the_serial_port(self):
        host, _ = self.begin("--control-serial", width=NARROW)
        self.screenshot(host, 0)

    def frames_drawn(self, link):
        return link.ask("statistics", rig.LIMIT, guest="panel").answer["frames"]

    def test_on_the_hosts_screen(self):
        host, serial = self.begin(has_screen=True)
        self.on_host(host, 0)
        # With a client that watches, too.
        self.followed(host, serial)
        self.on_host(host, 1)
        self.screenshot(host, 1)
        link = host.client()
        watch = screen.Watch(link, "panel", "pixels")
        self.assertTrue(watch.update(rig.LIMIT))
        watch.update(1)
        before = self.frames_drawn(link)
        link.pause(QUIET)
        self.assertLessEqual(self.frames_drawn(link) - before, 1,
                             "it draws without end though nothing changes")


if __name__ == "__main__":
    unittest.main(verbosity=2)
