# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead vnc`: what viewers see and do, behind a broker and a host that are
this test's.  Nothing waits for a while: each step ends when it has happened.
"""

import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import termios
import time
import unittest

import control_host
import painted
import test_control
from rfb_client import (EXTENDED_KEYS, NEW_SIZE, RAW, RELATIVE_POINTER,
                        RELATIVE_ZERO, SECURITY_NONE, SECURITY_VNC, Viewer)
from bulkhead_tool import Problem, host
from bulkhead_tool.control import client, keys, viewers

try:
    from PIL import Image, ImageChops
except ImportError:
    Image = None

PROGRAM = os.path.join(host.BUILD, "bulkhead-vnc")
XK = {"Shift_L": 0xffe1, "Return": 0xff0d, "F12": 0xffc9, "Delete": 0xffff}


@unittest.skipUnless(os.path.exists(PROGRAM), "build/bulkhead-vnc is missing")
class VncTest(test_control.HostTest):
    def setUp(self):
        # The host's class is taken from where the base class finds it.
        for name, kind in (("Host", painted.Host),
                           ("Guest", lambda n, _lines: painted.Painted(n))):
            before = getattr(control_host, name)
            setattr(control_host, name, kind)
            self.addCleanup(setattr, control_host, name, before)
        super().setUp()
        self.link = client.Client(self.path)
        self.addCleanup(self.link.close)

    def serve(self, *words):
        """The port at which the server waits."""
        self.server = subprocess.Popen(
            [sys.executable, test_control.TOOL, "vnc", "--socket", self.path,
             "--listen", "127.0.0.1:0", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end_server)
        said = self.server.stdout.readline().decode()
        return int(re.search(r"127\.0\.0\.1:(\d+)", said)[1])

    def end_server(self):
        self.server.terminate()
        self.server.wait()
        self.server.stdout.close()
        self.server.stderr.close()

    def look(self):
        """The host looks after its guests' screens when something comes."""
        self.link.guests()

    def until(self, is_so):
        """Asks the host for something again and again meanwhile."""
        while not is_so():
            self.look()

    def heard(self, verb):
        return [r for r in self.host.heard if r["verb"] == verb]

    def watches(self):
        return [w for w in self.host.watches.values() if w[0] == "screen"]


class Screens(VncTest):
    def test_pixels_are_the_guests(self):
        guest, port = self.guest, self.serve()
        with Viewer(port) as viewer:
            # The first size that is told is the guest's already.
            self.assertEqual((viewer.width, viewer.height, viewer.name),
                             (720, 400, "dos"))
            self.assertEqual((viewer.bits, viewer.is_big, viewer.red,
                              viewer.green, viewer.blue), (32, 0, 16, 8, 0))
            viewer.see(guest.screen())
            guest.paint(720, 400, painted.noise(720, 400))
            self.look()
            viewer.see(guest.screen())

    def test_only_what_has_changed_is_sent(self):
        guest, port = self.guest, self.serve()
        with Viewer(port) as viewer:
            viewer.see(guest.screen())
            viewer.rectangles.clear()
            self.until(lambda: self.host.waiting)
            guest.change(100, 50, 30, 20, painted.noise(30, 20, 2))
            self.look()
            viewer.update()
            self.assertEqual(bytes(viewer.pixels), guest.screen()[2])
            for left, top, width, height in viewer.rectangles:
                self.assertGreaterEqual((left, top), (100, 50))
                self.assertLessEqual(left + width, 130)
                self.assertLessEqual(top + height, 70)

    def test_another_mode_is_another_size(self):
        guest, port = self.guest, self.serve()
        with Viewer(port) as viewer:
            viewer.see(guest.screen())
            for width, height in (1024, 768), (320, 200), (721, 403):
                guest.paint(width, height, painted.stripes(width, height))
                self.look()
                viewer.see(guest.screen())
            guest.off()
            self.look()
            viewer.see((721, 403, bytes(4 * 721 * 403)))
            guest.paint(640, 480, painted.noise(640, 480, 3))
            self.look()
            viewer.see(guest.screen())

    def test_nothing_is_drawn_while_nobody_looks(self):
        guest, port = self.guest, self.serve()
        self.look()
        self.assertEqual(self.heard("screen"), [])
        with Viewer(port) as one:
            one.see(guest.screen())
            with Viewer(port) as other:
                other.see(guest.screen())
                self.assertEqual(len(self.watches()), 1)
            one.see(guest.screen())
            self.assertEqual(len(self.watches()), 1)
        self.until(lambda: not self.watches())
        # What the guest shows meanwhile is what the next one sees.
        guest.paint(640, 350, painted.noise(640, 350, 4))
        with Viewer(port) as viewer:
            self.assertEqual((viewer.width, viewer.height), (640, 350))
            viewer.see(guest.screen())

    def test_a_guest_without_a_machine_is_black_until_it_has_one(self):
        port = self.serve()
        act = self.host.do_screen
        self.host.do_screen = lambda number, *_: self.host.refuse(
            number, "not running", what="dos")
        with Viewer(port) as viewer:
            viewer.see((720, 400, bytes(4 * 720 * 400)))
            self.host.do_screen = act
            viewer.see(self.guest.screen())
        self.server.terminate()
        self.assertIn(b"dos: not running", self.server.stderr.read())

    def test_a_viewer_that_stops_reading_costs_nobody_else(self):
        guest, port = self.guest, self.serve()
        guest.paint(1024, 768, painted.noise(1024, 768, 5))
        with Viewer(port) as lazy, Viewer(port) as viewer:
            lazy.request(False)
            viewer.see(guest.screen())
            guest.paint(1024, 768, painted.noise(1024, 768, 6))
            self.look()
            viewer.see(guest.screen())
            # And it is not left behind when it reads on.
            lazy.see(guest.screen())

    def test_it_ends_when_the_host_has_gone(self):
        with Viewer(self.serve()):
            self.host.end.shutdown(socket.SHUT_RDWR)
            self.threads[1].join()
            self.broker.close()
            self.assertIn(b"has gone", self.server.stderr.read())
        self.assertEqual(self.server.wait(), 1)


class Inputs(VncTest):
    def keys_of(self, count):
        self.until(lambda: len(self.guest.keys) >= count)
        return self.guest.keys

    def test_keysyms_are_keys(self):
        with Viewer(self.serve()) as viewer:
            for keysym in "a", "A", "1", "!", "\\", "~", " ", "Z":
                viewer.key(ord(keysym), True)
                viewer.key(ord(keysym), False)
            for name in XK:
                viewer.key(XK[name], True)
                viewer.key(XK[name], False)
            viewer.key(0x01000123, True)    # on no US keyboard
            viewer.key(ord("x"), True)
            want = [code for k in ("a", "a", "1", "1", "backslash", "grave",
                                   "space", "z", "lshift", "ret", "f12", "del")
                    for code in (self.code(k), -self.code(k))]
            want.append(self.code("x"))
            self.assertEqual(self.keys_of(len(want)), want)
        # Who goes away holds nothing down.
        self.assertEqual(self.keys_of(len(want) + 1)[-1], -self.code("x"))
        for request in self.heard("keys"):
            self.assertLessEqual(len(request["keys"]), 32)

    @staticmethod
    def code(name):
        return keys.NAMES.get(name) or keys.Layout("us").of(name)[0][0]

    def test_extended_keys_are_themselves(self):
        # What is printed on them does not matter: a German z is a US y.
        with Viewer(self.serve(), (RAW, NEW_SIZE, EXTENDED_KEYS)) as viewer:
            viewer.update()
            self.assertIn(EXTENDED_KEYS, viewer.acknowledged)
            for keycode, keysym in ((0x15, ord("z")), (0x9d, 0), (0xc8, 0),
                                    (0x56, 0), (0x54, 0), (0xb7, 0), (0xdd, 0),
                                    (0xf0, ord("q"))):
                viewer.extended_key(keycode, 1, keysym)
                viewer.extended_key(keycode, 0, keysym)
            want = [code for k in (21, 97, 103, 86, 99, 99, 127, 16)
                    for code in (k, -k)]
            self.assertEqual(self.keys_of(len(want)), want)

    def test_a_pointers_places_become_movements(self):
        with Viewer(self.serve()) as viewer:
            self.until(lambda: self.heard("screen"))
            viewer.pointer(100, 100)
            viewer.pointer(110, 95)
            viewer.pointer(110, 95, 1)
            viewer.pointer(110, 95, 0)
            viewer.pointer(110, 95, 4)
            viewer.pointer(107, 99, 4)
            viewer.pointer(107, 99, 8)
            viewer.pointer(107, 99)
            viewer.pointer(107, 99, 16)
            viewer.pointer(107, 99, 2)
            self.until(lambda: self.guest.pointer and
                       self.guest.pointer[-1][3] == 4)
            moves = [sum(e[axis] for e in self.guest.pointer)
                     for axis in range(3)]
            self.assertEqual(moves, [7, -1, 0])
            buttons = [e[3] for e in self.guest.pointer]
            self.assertEqual([b for at, b in enumerate(buttons)
                              if not at or b != buttons[at - 1]],
                             [0, 1, 0, 2, 0, 4])
        self.until(lambda: self.guest.pointer[-1][3] == 0)

    def test_a_relative_pointer_has_no_borders(self):
        with Viewer(self.serve(), (RAW, RELATIVE_POINTER)) as viewer:
            viewer.update()
            self.assertEqual(viewer.acknowledged[RELATIVE_POINTER][0], 0)
            viewer.pointer(RELATIVE_ZERO + 900, RELATIVE_ZERO - 1000)
            viewer.pointer(RELATIVE_ZERO + 900, RELATIVE_ZERO, 1)
            self.until(lambda: self.guest.pointer and
                       self.guest.pointer[-1][3] == 1)
            self.assertEqual([sum(e[axis] for e in self.guest.pointer)
                              for axis in range(2)], [1800, -1000])

    def test_places_go_along(self):
        # In the middle of pixels, of 0 to 32767 on either axis.
        with Viewer(self.serve()) as viewer:
            self.until(lambda: self.heard("screen"))
            viewer.pointer(0, 0, 1)
            viewer.pointer(719, 399, 0)
            viewer.pointer(2000, 2000, 2)
            viewer.pointer(360, 100, 1)
            self.until(lambda: len(self.guest.places) == 4)
        self.assertEqual(self.guest.places, [
            (22, 40), (32745, 32727), (32745, 32727), (16406, 8232)])
        for size, axis in ((720, 0), (400, 1)):
            self.assertEqual([p[axis] * size // 32768 for p in
                              self.guest.places], [0, size - 1, size - 1,
                                                   (360, 100)[axis]])

    def test_a_viewer_that_moves_is_told_of_places(self):
        with Viewer(self.serve(), (RAW, RELATIVE_POINTER)) as viewer:
            viewer.request(False)
            while RELATIVE_POINTER not in viewer.acknowledged:
                viewer.update()
            self.assertEqual(viewer.acknowledged[RELATIVE_POINTER][0], 0)
            for takes_places in True, False, True:
                self.guest.point(takes_places)
                while viewer.acknowledged[RELATIVE_POINTER][0] != takes_places:
                    viewer.request()
                    viewer.update()
            # It may not have heard of it when it said this.
            viewer.pointer(RELATIVE_ZERO + 3, RELATIVE_ZERO - 4, 1)
            viewer.pointer(360, 200, 0)
            viewer.pointer(361, 200, 0)
            self.until(lambda: len(self.guest.places) >= 2 and
                       self.guest.places[-1] == (16452, 16424))
            self.assertEqual(self.guest.pointer[0], [3, -4, 0, 1])
            self.assertIsNone(self.guest.places[0])
            # The first place is no movement.
            self.assertEqual(sum(e[0] for e in self.guest.pointer), 4)
            self.assertEqual(sum(e[1] for e in self.guest.pointer), -4)

    def test_a_viewer_that_comes_is_told_at_once(self):
        self.guest.point(True)
        port = self.serve()
        with Viewer(port) as first:
            first.see(self.guest.screen())
            with Viewer(port, (RAW, RELATIVE_POINTER)) as viewer:
                viewer.update()
                self.assertEqual(viewer.acknowledged[RELATIVE_POINTER][0], 1)
                # It has nothing to compare with, and yet has a place.
                viewer.pointer(10, 10)
                self.until(lambda: self.guest.places)

    def test_wheel_turns_away_from_the_user_are_positive(self):
        with Viewer(self.serve()) as viewer:
            for mask in 8, 0, 8, 0, 16, 0, 8, 0, 1:
                viewer.pointer(1, 1, mask)
            self.until(lambda: self.guest.pointer and
                       self.guest.pointer[-1][3] == 1)
            self.assertEqual(sum(e[2] for e in self.guest.pointer), 2)

    def test_keys_and_clicks_keep_their_order(self):
        with Viewer(self.serve()) as viewer:
            viewer.key(ord("a"), True)
            viewer.pointer(1, 1, 1)
            viewer.key(ord("a"), False)
            viewer.pointer(1, 1, 0)
            self.until(lambda: len(self.guest.pointer) == 2)
            did = [r["verb"] for r in self.host.heard
                   if r["verb"] in ("keys", "pointer")]
            self.assertEqual(did, ["keys", "pointer"] * 2)

    def test_cut_text_is_ignored(self):
        with Viewer(self.serve()) as viewer:
            viewer.cut_text(b"format c:")
            viewer.key(ord("b"), True)
            self.assertEqual(self.keys_of(1), [self.code("b")])


class Doors(VncTest):
    def test_a_password_is_asked_for(self):
        port = self.serve("--password-file", self.write("pw", "sesame\n"))
        with self.assertRaises(PermissionError):
            Viewer(port, security=SECURITY_VNC)
        with self.assertRaises((PermissionError, ConnectionError)):
            Viewer(port, security=SECURITY_NONE)
        self.assertEqual(self.guest.keys, [])

    def test_web_pages_are_not_let_in(self):
        port = self.serve()
        with Viewer(port):
            pass
        with socket.create_connection(("127.0.0.1", port), 30) as end:
            end.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: "
                        b"websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        b"Sec-WebSocket-Protocol: binary\r\n"
                        b"Sec-WebSocket-Version: 13\r\n"
                        b"Origin: http://evil.example\r\n\r\n")
            said = b""
            while more := end.recv(4096):
                said += more
        self.assertLess(len(said), 400)    # no more than a greeting

    def test_what_is_wrong_is_said(self):
        self.refused("no such guest 'dso': the host has dos", "vnc", "dso")
        self.refused("others can connect: say --password-file", "vnc",
                     "--listen", "0.0.0.0:0")
        self.refused("others can connect", "vnc", "--listen", "[::]:0")
        self.refused("first line of '.*' is empty", "vnc", "--password-file",
                     self.write("pw", "\n"))
        for text in "5900x", "a:b:1", "[::1]", "1.2.3.4:70000":
            with self.assertRaises(Exception):
                viewers.address(text)
        self.assertEqual(viewers.address("[::1]:5901"), ("::1", 5901))
        self.assertEqual(viewers.address("5901"), ("127.0.0.1", 5901))
        with viewers.listen(("127.0.0.1", 0)) as end:
            with self.assertRaisesRegex(Problem, "nobody can listen"):
                viewers.listen(end.getsockname())


@unittest.skipUnless(shutil.which("gvnccapture") and Image,
                     "needs gvncviewer and python3-pil")
class Gvnc(VncTest):
    """A viewer of others': GTK's, by what takes a picture with it."""

    def capture(self, port, password=None):
        """The screen as it saw it; displays are ports from 5900 on."""
        picture = self.file("x.png")
        keyboard, terminal = pty.openpty()    # a password comes from no pipe
        try:
            with subprocess.Popen(
                    ["gvnccapture", "127.0.0.1:%d" % (port - 5900), picture],
                    stdin=terminal, stdout=terminal) as child:
                # What it has not asked for yet it would throw away.
                while password and child.poll() is None and \
                        termios.tcgetattr(terminal)[3] & termios.ECHO:
                    time.sleep(0.01)
                os.write(keyboard, password or b"")
        finally:
            os.close(keyboard)
            os.close(terminal)
        self.assertEqual(child.returncode, 0)
        with Image.open(picture) as image:
            pixels = bytearray(image.convert("RGB").tobytes("raw", "BGRX"))
        pixels[3::4] = bytes(len(pixels) // 4)
        return (*image.size, bytes(pixels))

    def test_it_sees_the_same(self):
        port = self.serve()
        for width, height in (720, 400), (800, 600):
            self.guest.paint(width, height, painted.tiles(width, height))
            # It takes the first picture that it gets, which may be a part
            # where the machine is slow.
            while self.capture(port) != self.guest.screen():
                pass

    def test_who_knows_the_password_comes_in(self):
        port = self.serve("--password-file", self.write("pw", "sesame\n"))
        while self.capture(port, b"sesame\n") != self.guest.screen():
            pass


@unittest.skipUnless(shutil.which("vncsnapshot") and Image,
                     "needs vncsnapshot and python3-pil")
class Snapshot(VncTest):
    """Another: TightVNC's, which has no common line with the first."""

    def capture(self, port, encoding):
        path = self.file("x.jpg")
        done = subprocess.run(
            ["vncsnapshot", "-quiet", "-nojpeg", "-encodings", encoding,
             "127.0.0.1:%d" % (port - 5900), path], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        with Image.open(path) as image:
            return image.convert("RGB")

    def is_seen(self, image):
        """But for what JPEG, the only files that it writes, makes of it."""
        wanted = Image.frombytes("RGB", image.size, self.guest.screen()[2],
                                 "raw", "BGRX")
        low_high = ImageChops.difference(image, wanted).getextrema()
        return max(high for _, high in low_high) <= 4

    def test_it_sees_the_same(self):
        port = self.serve()
        self.guest.paint(800, 600, painted.tiles(800, 600))
        # Not "tight": with it this client asks for LastRect, and then takes a
        # last rectangle for an empty one and waits for the next.
        for encoding in ("raw", "hextile", "zlib"):
            image = self.capture(port, encoding)
            self.assertEqual(image.size, (800, 600))
            self.assertTrue(self.is_seen(image), encoding)


if __name__ == "__main__":
    unittest.main(verbosity=2)
