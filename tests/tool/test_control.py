# SPDX-License-Identifier: BSD-2-Clause
"""The client and its commands, at a broker and a host that run in threads.

Nothing here depends on time but how long a failing test takes to fail.
"""

import contextlib
import io
import json
import os
import pty
import re
import socket
import subprocess
import sys
import termios
import threading
import unittest

import control_host
from folder import FolderTest
from bulkhead_tool import Problem, main, processes
from bulkhead_tool.control import (broker, client, frames, keys, screen,
                                   screens, sockets, verbs)

try:
    from PIL import Image
except ImportError:
    Image = None

TOOL = os.path.join(os.path.dirname(__file__), "../../scripts/bulkhead")
RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (128, 128, 128)


def checkered(width, height, inside=()):
    """A grey picture with pixels (x, y, colour) in it."""
    rows = [[GREY] * width for _ in range(height)]
    for x, y, colour in inside:
        rows[y][x] = colour
    return width, height, rows


class HostTest(FolderTest):
    """A host with the guests of GUESTS behind self.path."""

    GUESTS = ("dos",)

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "x.sock")
        listener = sockets.Listener(self.path)
        ours, theirs = socket.socketpair()
        self.guests = [control_host.Guest(n, ["C:\\>"]) for n in self.GUESTS]
        self.guest = self.guests[0]
        self.host = control_host.Host(ours, self.guests)
        self.broker = broker.Broker(listener.socket,
                                    broker.Descriptor(theirs.detach()))
        self.threads = [threading.Thread(target=f) for f in
                        (self.host.run, self.broker.run)]
        for thread in self.threads:
            thread.start()
        self.addCleanup(self.finish, listener, ours)

    def finish(self, listener, end):
        end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        end.close()
        self.broker.close()
        listener.close()

    def run_command(self, name, *words):
        """Its status and what it says."""
        out = io.StringIO()
        args = main.parse_arguments([name, "--socket", self.path, *words])
        with contextlib.redirect_stdout(out):
            status = args.action(args, self.folder)
        self.assertEqual(status, 0)
        # processes.show() gives a test bytes, one a character.
        return out.getvalue().encode("latin-1").decode()

    def refused(self, why, *words):
        with self.assertRaisesRegex(Problem, why):
            self.run_command(*words)

    def file(self, name):
        return os.path.join(self.folder, name)


class Clients(HostTest):
    def test_repeatable_requests_survive_losses(self):
        with client.Client(self.path) as link:
            self.host.lose = {"list": 1, "reset": 1}
            before, client.AGAIN = client.AGAIN, 0.01
            self.addCleanup(setattr, client, "AGAIN", before)
            self.assertEqual([g["guest"] for g in link.guests()], ["dos"])
            with self.assertRaisesRegex(Problem, "reset: no answer"):
                link.ask("reset", 0.3, guest="dos")
            link.guests()    # comes after it
            self.assertEqual(self.guest.starts, 2)    # once, not again

    def test_what_comes_for_others_waits(self):
        with client.Client(self.path) as link:
            number = link.new_id()
            link.request("serial", number=number, guest="dos")
            for text in b"one", b"two":
                link.send_binary(number, frames.SERIAL, text)
                link.guests()
            link.guests()
            said = b""
            while len(said) < 13:
                said += link.next_part(10).data
            self.assertEqual(said, b"login: ONETWO")
            self.assertIsNone(link.next_part(0))

    def test_a_host_that_is_lost_is_asked_again(self):
        with client.Client(self.path) as link:
            self.host.has_greeted = False
            self.assertEqual(len(link.guests()), 1)
            self.host.has_greeted = False
            with self.assertRaisesRegex(Problem, "lost: "):
                link.ask("reset", guest="dos")
        self.assertEqual(self.guest.starts, 1)

    def test_a_host_without_an_answer_is_named(self):
        listener = sockets.Listener(self.file("y.sock"))
        self.addCleanup(listener.close)
        with self.assertRaisesRegex(Problem, "y.sock' does not answer: it has"):
            client.Client(listener.path, 0.1)
        listener.socket.close()
        with self.assertRaisesRegex(Problem, "nobody listens at"):
            client.Client(listener.path)

    def test_the_end_of_the_broker_is_named(self):
        with client.Client(self.path) as link:
            for one in list(self.broker.clients):
                one.socket.shutdown(socket.SHUT_RDWR)
            with self.assertRaisesRegex(Problem, "has ended: the host or its"):
                link.guests()

    def test_another_version_is_refused(self):
        self.broker.greeting = None
        with client.Client(self.path):    # waits for the greeting
            self.broker.greeting = dict(self.broker.greeting, version=2)
        with self.assertRaisesRegex(Problem, "speaks version 2"):
            client.Client(self.path)


class Commands(HostTest):
    GUESTS = ("dos", "web")

    def test_list_is_a_table_or_json(self):
        self.assertEqual(self.run_command("ctl", "list").splitlines(), [
            "GUEST  STATE    VCPUS  MIB  STARTS",
            "dos    running      2   64       1",
            "web    running      2   64       1"])
        lines = [json.loads(l) for l in
                 self.run_command("ctl", "list", "--json").splitlines()]
        self.assertEqual(lines[0]["guest"], "dos")
        self.assertEqual(lines[2], {"ok": True})

    def test_verbs_reach_their_guest(self):
        self.assertEqual(self.run_command("ctl", "pause", "web"), "")
        self.assertEqual([g.state for g in self.guests],
                         ["running", "paused"])
        self.run_command("ctl", "keys", "web", "keys=30,-30")
        self.run_command("ctl", "keys", "web", "keys=31")
        # What the command holds is released when it has gone, soon after.
        self.assertEqual(self.guests[1].keys[:3], [30, -30, 31])
        self.run_command("ctl", "pointer", "dos", "dx=-3", "buttons=1")
        self.assertEqual(self.guest.pointer[0], [-3, 0, 0, 1])
        said = self.run_command("ctl", "statistics", "dos")
        for line in ("run: 1500 0", "run_ns: 750000000 0",
                     "idle_ns: 250000000 1000000000", "exits: 5 6 7", "charged: 68157440", "disk_units: 0 2",
                     "disk_read: 2000 48"):
            self.assertIn(line, said.splitlines())
        self.assertIn("rights: watch type", self.run_command("ctl", "hello"))
        self.assertEqual(self.run_command("ctl", "screen", "dos"),
                         "text, 720 * 400\nC:\\>\n")
        shown = json.loads(self.run_command("ctl", "screen", "dos", "--json"))
        self.assertEqual((shown["mode"], shown["lines"][0], shown["cursor"]),
                         ("text", "C:\\>", 5))

    def test_what_goes_wrong_is_one_clear_line(self):
        self.refused("^reset: no such guest 'dso': 'bulkhead ctl list' shows",
                     "ctl", "reset", "dso")
        self.refused("^start: refused: it runs already$", "ctl", "start", "dos")
        self.refused("^which guest\\? The host has dos, web$", "ctl", "reset")
        self.refused("unknown verb 'nmi'", "ctl", "nmi", "dos")
        self.refused("'x' has to be KEY=VALUE", "ctl", "keys", "dos", "x")
        self.refused("of the whole host", "ctl", "list", "dos")
        self.refused("no key 'retrun'", "type", "dos", "{retrun}")
        self.refused("say -o", "screenshot", "dos")
        self.refused("say --text or --image", "wait", "dos")
        self.refused("be .gif", "record", "dos", "-o", "x")
        done = subprocess.run([sys.executable, TOOL, "ctl", "--socket",
                               self.path, "reset", "dso"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count(b"\n"), 2)
        self.assertNotIn(b"Traceback", done.stderr)

    def test_text_is_typed_and_seen(self):
        self.run_command("type", "web", "Dir /W{ret}x", "--delay", "0.001")
        self.assertEqual(self.run_command("screenshot", "web", "--text"),
                         "C:\\>Dir /W\nx\n")
        self.assertEqual(self.guest.keys, [])
        typed = [len(r["keys"]) for r in self.host.heard
                 if r["verb"] == "keys" and r["keys"]]
        self.assertGreater(len(typed), 2)
        self.assertLessEqual(max(typed), 8)
        self.run_command("type", "web", "z", "--layout", "de")
        self.assertEqual(self.guests[1].keys[-2:], [21, -21])

    def test_a_slow_reader_is_waited_for(self):
        self.guest.unread = 3
        self.run_command("type", "dos", "abcdefgh", "--delay", "0.001")
        self.assertEqual(self.guest.unread, 0)
        self.assertEqual(self.guest.lines[-1], "C:\\>abcdefgh")
        self.guest.leaves, self.guest.reads = 3, 0
        self.addCleanup(setattr, verbs, "UNREAD_MAX", verbs.UNREAD_MAX)
        verbs.UNREAD_MAX = 0.1
        self.refused("'dos' has not read its keyboard for 0.1 s, after 8 "
                     "presses and releases: the rest is not typed", "type",
                     "dos", "abcdefgh", "--delay", "0.001")

    def test_what_others_typed_is_read_first(self):
        self.guest.unread, self.guest.reads = 3, 0
        self.addCleanup(setattr, verbs, "UNREAD_MAX", verbs.UNREAD_MAX)
        verbs.UNREAD_MAX = 0.1
        self.refused("has not read its keyboard for 0.1 s, from before: the "
                     "rest is not typed", "type", "dos", "a")
        self.assertEqual(self.guest.keys, [])

    def test_options_stand_anywhere(self):
        for words in (("type", "--delay", "0.001", "dos", "x"),
                      ("type", "dos", "--delay", "0.001", "x"),
                      ("type", "dos", "x", "--delay", "0.001")):
            self.run_command(*words)
        self.assertEqual(self.guest.lines[-1], "C:\\>xxx")

    def test_clicks(self):
        fast = ("--delay", "0.001")
        self.run_command("click", "dos", "--move=-300,40", "--times", "2",
                         *fast)
        moves, clicks = self.guest.pointer[:3], self.guest.pointer[3:]
        self.assertEqual([sum(m[n] for m in moves) for n in range(4)],
                         [-300, 40, 0, 0])
        self.assertTrue(all(abs(m[0]) <= 127 for m in moves))
        self.assertEqual([c[3] for c in clicks], [1, 0, 1, 0])
        self.run_command("click", "dos", "--button", "right", *fast)
        self.run_command("click", "dos", "--button", "none", "--wheel", "-2",
                         *fast)
        self.assertEqual(self.guest.pointer[-3:],
                         [[0, 0, 0, 2], [0, 0, 0, 0], [0, 0, -2, 0]])

    def test_wait_for_text(self):
        self.guest.scenes = [(["Booting"],), (["Booting", "login: "],)]
        self.run_command("wait", "dos", "--text", "^login:$")
        self.refused("(?s)dos: not within 0.2 s: text 'passw'.*\\| login:",
                     "wait", "dos", "--text", "passw", "--timeout", "0.2")
        self.guest.show(picture=checkered(4, 4))
        self.refused("The screen's mode is graphics, 4 \\* 4", "wait", "dos",
                     "--text", "x", "--timeout", "0.2")
        self.refused("has no text: its mode is graphics", "screenshot", "dos",
                     "--text")

    def test_a_guest_that_starts_is_waited_for(self):
        self.guest.missing = 1
        self.refused("^screen: not running 'dos': 'bulkhead ctl list'",
                     "screenshot", "dos", "--text")
        before, screen.START_PAUSE = screen.START_PAUSE, 0.01
        self.addCleanup(setattr, screen, "START_PAUSE", before)
        self.guest.missing = 3
        self.run_command("wait", "dos", "--text", "^C:")
        self.guest.missing = 1 << 20
        self.refused("not within 0.2 s", "wait", "dos", "--text", "^C:",
                     "--timeout", "0.2")

    def test_the_end_of_a_stream_is_said(self):
        self.host.do_serial = lambda number, _t, _g: (
            self.host.answer(number), self.host.event(number, "gone"))
        self.refused("serial has ended: what it showed does not run any more",
                     "ctl", "serial", "dos")

    def test_top_prints_a_table(self):
        head, dos, web = self.run_command("top", "--once").splitlines()
        self.assertEqual(head.split(), list(screens.HEAD))
        # Nothing is known yet of how fast it goes.
        self.assertEqual(dos.split(), "dos running 2 64 1 65 18 3 0".split())

    def test_top_says_how_fast_counters_grow(self):
        def row(now, **said):
            self.host.do_statistics = lambda number, _t, _g: \
                self.host.answer(number, **said)
            return dict(zip(*top.rows(now)[:2]))

        with client.Client(self.path) as link:
            top = screens.Top(link)
            row(10.0, exits=[18], disk_read=[8, 0], disk_written=[], charged=1)
            found = row(12.0, exits=[18, 100], disk_read=[8, 4096],
                        disk_written=[], charged=(64 << 20) + 1)
            self.assertEqual([found[c] for c in (
                "CHARGED", "EXITS/S", "READ/S", "WRITE/S", "EXITS")],
                [65, 50, 1024, 0, 118])
            # It has begun anew; then it has no machine.
            found = row(13.0, exits=[1], disk_read=[4], disk_written=[2])
            self.assertEqual([found[c] for c in (
                "CHARGED", "EXITS/S", "READ/S", "WRITE/S")], ["", "", "", 1])
            # By the guest's clock: two vCPUs, three quarters of one's time.
            row(14.0, run=[100, 0], idle=[100, 200])
            found = row(99.0, run=[150, 100], idle=[250, 300])
            self.assertEqual(found["CPU%"], 75)
            found = row(100.0, run=[1, 1], idle=[250, 250])
            self.assertEqual(found["CPU%"], "")
            found = row(14.0)
            self.assertEqual(found["CPU%"], "")
            self.assertEqual(found["EXITS/S"], "")
            found = row(15.0, exits=[9], disk_read=[4], disk_written=[2])
            self.assertEqual(found["EXITS/S"], "")

    def test_cast_is_what_was_shown(self):
        self.guest.scenes = [(["\u2588A"],), (["end"],)]
        out = self.file("x.cast")
        record = screens.recorder(out)
        with client.Client(self.path) as link:
            watch = screen.Watch(link, "dos", "text")
            for number, shown in enumerate(screen.follow(watch, None)):
                record.add(number, shown)
                if number == 2:
                    break
            record.finish(3)
        with open(out, encoding="utf-8") as f:
            head, *lines = [json.loads(l) for l in f]
        self.assertEqual((head["version"], head["width"], head["height"]),
                         (2, 80, 25))
        self.assertEqual([l[:2] for l in lines], [[0, "o"], [1, "o"], [2, "o"]])
        self.assertIn("C:\\>", lines[0][2])
        self.assertIn("\x1b[1;1H\x1b[0;37;40m\u2588A ", lines[1][2])
        self.assertNotIn("\x1b[2;1H", lines[1][2])    # did not change

    def test_console_tells_the_size_of_its_terminal(self):
        for guest in ("web", "dos"):    # the latter has no virtio console
            ours, theirs = pty.openpty()
            termios.tcsetwinsize(theirs, (43, 132))
            tool = subprocess.Popen([sys.executable, TOOL, "console", "--socket",
                                     self.path, guest], stdin=theirs,
                                    stdout=theirs, stderr=subprocess.STDOUT,
                                    start_new_session=True)
            os.close(theirs)
            said = b""
            while b"login: " not in said:
                said += os.read(ours, 4096)
            termios.tcsetwinsize(ours, (25, 80))
            for _ in range(3):
                os.write(ours, b"x")
                while b"X" not in said:
                    said += os.read(ours, 4096)
                said = b""
            os.write(ours, b"\x1d")
            with contextlib.suppress(OSError):
                while os.read(ours, 4096):
                    pass
            self.assertEqual(tool.wait(60), 0)
            os.close(ours)
        self.assertEqual(self.guests[1].terminals, [(132, 43), (80, 25)])

    def test_console_types_shows_and_leaves(self):
        ours, theirs = pty.openpty()
        tool = subprocess.Popen([sys.executable, TOOL, "console", "--socket",
                                 self.path, "web"], stdin=theirs, stdout=theirs,
                                stderr=subprocess.STDOUT,
                                start_new_session=True)
        os.close(theirs)
        said = b""
        while b"login: " not in said:
            said += os.read(ours, 4096)
        os.write(ours, b"root\3\r")
        while b"ROOT\3" not in said:
            said += os.read(ours, 4096)
        os.write(ours, b"x\x1dy")
        with contextlib.suppress(OSError):
            while os.read(ours, 4096):
                pass
        self.assertEqual(tool.wait(60), 0)
        os.close(ours)
        self.assertEqual(self.guests[1].serial, b"root\3\rx")

    def test_top_draws_until_q(self):
        ours, theirs = pty.openpty()
        tool = subprocess.Popen([sys.executable, TOOL, "top", "--socket",
                                 self.path], stdin=theirs, stdout=theirs,
                                stderr=subprocess.STDOUT,
                                start_new_session=True,
                                env=dict(os.environ, TERM="vt100"))
        os.close(theirs)
        said = b""
        while b"web" not in said or b"q leaves" not in said:
            said += os.read(ours, 4096)
        self.assertIn(b"GUEST", said)
        os.write(ours, b"q")
        with contextlib.suppress(OSError):
            while os.read(ours, 4096):
                pass
        os.close(ours)
        self.assertEqual(tool.wait(60), 0)

    def test_debug_is_a_pipe(self):
        tool = subprocess.Popen([sys.executable, TOOL, "debug", "--socket",
                                 self.path, "web"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        tool.stdin.write(b"$g#67")
        tool.stdin.flush()
        self.assertEqual(tool.stdout.read(6), b"+$g#67")
        self.assertEqual(tool.communicate(timeout=60)[0], b"")
        self.assertEqual(tool.returncode, 0)

    def test_the_log_goes_on_until_ctrl_c(self):
        tool = subprocess.Popen(
            [sys.executable, TOOL, "ctl", "--socket", self.path, "log"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=lambda: processes.signal.signal(
                processes.signal.SIGINT, processes.signal.SIG_DFL))
        self.assertEqual(tool.stdout.readline(), b"[   0.000001] Bulkhead\n")
        tool.send_signal(processes.signal.SIGINT)
        self.assertEqual(tool.communicate(timeout=60)[0], b"")
        self.assertEqual(tool.returncode, 0)


@unittest.skipUnless(Image, "Pillow is not installed")
class Pictures(HostTest):
    SPOT = [(5, 3, RED), (6, 3, BLUE), (5, 4, BLUE), (7, 7, RED)]

    def setUp(self):
        super().setUp()
        self.guest.show(picture=checkered(12, 8, self.SPOT))

    def needle(self, pixels, size=(2, 2), mode="RGB"):
        image = Image.new(mode, size)
        image.putdata(pixels)
        path = self.file("needle.png")
        image.save(path)
        return path

    def test_screenshot_is_the_picture(self):
        self.run_command("screenshot", "-o", self.file("x.png"))
        with Image.open(self.file("x.png")) as image:
            self.assertEqual((image.size, image.mode), ((12, 8), "RGB"))
            self.assertEqual([(x, y, image.getpixel((x, y)))
                              for y in range(8) for x in range(12)
                              if image.getpixel((x, y)) != GREY], self.SPOT)
        self.refused("none of a picture", "screenshot", "-o",
                     self.file("x.what"))
        self.refused("cannot be written", "screenshot", "-o",
                     self.file("no/x.png"))

    def test_a_picture_of_which_something_is_lost_comes_again(self):
        for losses in range(1, 5):    # of the mode, pixels, and the next time
            self.guest.losses = losses
            self.run_command("screenshot", "-o", self.file("x.png"))
            with Image.open(self.file("x.png")) as image:
                self.assertEqual(image.size, (12, 8))
                self.assertEqual([image.getpixel(spot[:2])
                                  for spot in self.SPOT],
                                 [spot[2] for spot in self.SPOT])
            self.assertEqual(self.guest.losses, 0)

    def test_a_picture_is_found_within(self):
        path = self.needle([RED, BLUE, BLUE, GREY])
        for words, where in (((), "5,3\n"), (("--region", "5,3,2,2"), "5,3\n"),
                             (("--region", "0,2,12,6"), "5,3\n")):
            self.assertEqual(self.run_command("wait", "--image", path, *words),
                             where)
        self.refused("not within 0.2 s: image", "wait", "--image", path,
                     "--region", "6,3,6,5", "--timeout", "0.2")
        self.refused("no picture that can be read", "wait", "--image",
                     self.write("no.png", "x"))

    def test_tolerance_and_transparency(self):
        off = (250, 5, 0)
        path = self.needle([off, BLUE, BLUE, GREY])
        self.refused("not within", "wait", "--image", path, "--tolerance", "4",
                     "--timeout", "0.2")
        self.assertEqual(self.run_command("wait", "--image", path,
                                          "--tolerance", "5"), "5,3\n")
        path = self.needle([RED + (255,), (0, 9, 9, 0), (1, 2, 3, 0),
                            GREY + (255,)], mode="RGBA")
        self.assertEqual(self.run_command("wait", "--image", path), "5,3\n")
        path = self.needle([(0, 0, 0, 0)] * 4, mode="RGBA")
        self.refused("transparent everywhere", "wait", "--image", path)

    def test_a_picture_that_comes_later_is_waited_for(self):
        self.guest.show(["text"])
        self.guest.scenes = [(None, checkered(12, 8)),
                             (None, checkered(16, 9, self.SPOT))]
        self.assertEqual(self.run_command(
            "wait", "--image", self.needle([RED, BLUE, BLUE, GREY])), "5,3\n")

    def test_gif_has_each_picture(self):
        self.guest.scenes = [(None, checkered(14, 8)),
                             (None, checkered(12, 8, [(0, 0, RED)]))]
        record = screens.recorder(self.file("x.gif"))
        with client.Client(self.path) as link:
            watch = screen.Watch(link, "dos", "pixels")
            for number, shown in enumerate(screen.follow(watch, None)):
                record.add(0.5 * number, shown)
                if number == 2:
                    break
            record.finish(1.7)
        with Image.open(self.file("x.gif")) as image:
            self.assertEqual((image.n_frames, image.size), (3, (14, 8)))
            spans = []
            for number in range(3):
                image.seek(number)
                spans.append(image.info["duration"])
                corner = image.convert("RGB").getpixel((0, 0))
                self.assertEqual(corner, RED if number == 2 else GREY)
            self.assertEqual(spans, [500, 500, 700])

    def test_record_ends_after_its_seconds(self):
        self.run_command("record", "-o", self.file("x.gif"), "--seconds", "0.3")
        with Image.open(self.file("x.gif")) as image:
            self.assertEqual(image.n_frames, 1)


class Screens(unittest.TestCase):
    """What a host may send, without one."""

    @staticmethod
    def screen(width=2, height=2):
        shown = screen.Screen()
        shown.apply(client.Part(1, None, {
            "event": "mode", "mode": "graphics", "width": width,
            "height": height}))
        return shown

    def test_malformed_pictures_are_refused(self):
        head = bytes.fromhex
        for data in (b"", head("0000000002000200"),
                     head("010000000200010000000000") + b"\0" * 8,
                     head("000000000200020000000000") + b"\0" * 15,
                     head("000000000200020001000000") + b"\xff\1\2\3",
                     head("000000000200020001000000") + b"\4\1\2",
                     head("000000000200020002000000")):
            with self.assertRaisesRegex(Problem, "picture that is none"):
                self.screen().apply(client.Part(1, frames.PIXELS, data))
        with self.assertRaisesRegex(Problem, "picture that is none"):
            self.screen().apply(client.Part(1, frames.CELLS, b"\2\0\2\0" +
                                            b"\0" * 11))
        for size in (-1, "x", None, 1 << 20):
            with self.assertRaisesRegex(Problem, "picture that is none"):
                self.screen(size, 1 << 10)

    def test_part_of_a_picture_changes_only_that(self):
        shown = self.screen(3, 3)
        shown.apply(client.Part(1, frames.PIXELS, bytes.fromhex(
            "010001000200020001000000" "03010203" "01040506")))
        self.assertEqual(bytes(shown.pixels).hex(" ", 4).split(),
                         ["00000000"] * 4 + ["01020300"] * 2 + ["00000000"] +
                         ["01020300", "04050600"])

    def test_code_page_is_that_of_the_pc(self):
        self.assertEqual(len(screen.CP437), 256)
        for code, character in ((0, " "), (1, "☺"), (0x1f, "▼"), (0x41, "A"),
                                (0x7f, "⌂"), (0x81, "ü"), (0xb3, "│"),
                                (0xdb, "█"), (0xfe, "■"), (0xff, " ")):
            self.assertEqual(screen.CP437[code], character)

    def test_movements_add_up(self):
        from bulkhead_tool.control import verbs
        for goal in ((0, 0), (1, -1), (127, 0), (-128, 5), (1000, -777)):
            steps = list(verbs.movements(*goal))
            self.assertEqual(tuple(map(sum, zip(*steps))), goal)
            self.assertTrue(all(abs(n) <= 127 for s in steps for n in s))


if __name__ == "__main__":
    unittest.main(verbosity=2)
