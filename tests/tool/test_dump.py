# SPDX-License-Identifier: BSD-2-Clause
"""A guest's core as a file: whole, or not there."""

import os
import pty
import signal
import subprocess
import sys
import threading
import unittest

from test_control import TOOL, HostTest
from bulkhead_tool import processes
from bulkhead_tool.control import dump, frames

PAGE = 4096
SIZE = 40 << 20


class DumpTest(HostTest):
    GUESTS = ("dos", "web")

    def setUp(self):
        super().setUp()
        self.web = self.guests[1]
        self.web.core_size = SIZE
        self.web.core = [(0, b"\x7fELF"), (500, b"notes" * 70), (1 << 20, b"")]
        self.web.core += [(n << 20, bytes([n]) * 3 * PAGE)
                          for n in range(1, 39)]
        self.out = self.file("cores/x.elf")
        os.mkdir(self.file("cores"))

    def expect_whole(self, path):
        whole = bytearray(SIZE)
        for offset, data in self.web.core:
            whole[offset:offset + len(data)] = data
        with open(path, "rb") as f:
            self.assertTrue(f.read() == whole)

    def expect_left(self, *names):
        """Nothing else is in the folder."""
        self.assertEqual(sorted(os.listdir(self.file("cores"))),
                         sorted(names))

    def refuse_dump(self, why):
        with open(self.out, "w", encoding="ascii") as f:
            f.write("before")
        self.refused(why, "dump", "web", "-o", self.out)
        self.expect_left("x.elf")
        with open(self.out, encoding="ascii") as f:
            self.assertEqual(f.read(), "before")

    def start_tool(self, **more):
        return subprocess.Popen(
            [sys.executable, TOOL, "dump", "web", "--socket", self.path, "-o",
             self.out], stdout=subprocess.PIPE, **more)


class Dumps(DumpTest):
    def test_a_core_is_saved(self):
        said = self.run_command("dump", "web", "-o", self.out)
        self.assertRegex(said, r"x.elf: the core of web, 40 MiB, 456 KiB of "
                         r"it not zero\n$")
        self.expect_whole(self.out)
        # What is zero takes no room, and what was there is no more.
        self.assertLess(os.stat(self.out).st_blocks * 512, SIZE // 2)
        self.run_command("ctl", "dump", "web", self.out)
        self.expect_whole(self.out)
        self.expect_left("x.elf")
        self.assertEqual(os.stat(self.out).st_mode & 0o777, 0o600)

    def test_which_guest_and_which_file(self):
        self.refused("which guest", "ctl", "dump", self.out)
        self.refused("say which file", "ctl", "dump")
        self.refused("say which file", "ctl", "dump", "web", self.out, "x=1")
        self.refused("no such guest", "dump", "win", "-o", self.out)
        self.refused("cannot be written", "dump", "web", "-o",
                     self.file("nowhere/x.elf"))
        self.refused("is a directory", "dump", "web", "-o", self.file("cores"))
        self.expect_left()
        self.assertEqual([r["verb"] for r in self.host.heard
                          if r["verb"] == "dump"], ["dump"])

    def test_two_at_once(self):
        self.run_command("ctl", "list")    # the broker has greeted it
        self.host.dumps[99] = [self.web, 0]
        self.refuse_dump("^dump: busy 'web': a dump is under way: later$")

    def test_it_ends_in_the_middle(self):
        for reason, why in (("reset", "was reset"), ("resumed", "resumed"),
                            ("not taken", "the guest goes on"),
                            ("ended", "has ended"), ("other", "other")):
            self.host.dump_more = lambda number, _taken, reason=reason: \
                self.host.dumps.pop(number, None) and \
                self.host.event(number, "gone", reason=reason)
            self.refuse_dump("^dump: .*" + why)

    def test_what_is_lost_on_the_way(self):
        whole = list(self.web.core)
        binary = self.host.binary

        def lossy(number, what, data):
            if data[0] != 5:
                binary(number, what, data)

        self.host.binary = lossy
        self.refuse_dump("^dump: a part was lost on the way")
        self.host.binary = binary
        event = self.host.event
        self.host.event = lambda number, name, **more: event(
            number, name, **dict(more, frames=len(whole) + 1))
        self.refuse_dump("^dump: a part was lost on the way")

    def test_a_host_that_lies(self):
        self.web.core.append((SIZE - 1, b"xy"))
        self.refuse_dump("do not belong to a file of")
        self.host.dump_more = lambda number, taken: \
            taken or self.host.binary(number, frames.CORE, b"short")
        self.refuse_dump("^dump: a frame of 5 bytes")
        del self.host.dump_more
        self.web.core_size = 1 << 63
        self.refuse_dump("^dump: a file of 9223372036854775808 bytes")

    def test_words_that_are_lost_are_said_again(self):
        before, dump.AGAIN = dump.AGAIN, 0.01
        self.addCleanup(setattr, dump, "AGAIN", before)
        more = self.host.dump_more
        deaf = [True] * 5

        def deaf_more(number, taken):
            if not (taken and deaf and deaf.pop()):
                more(number, taken)

        self.host.dump_more = deaf_more
        self.run_command("dump", "web", "-o", self.out)
        self.assertFalse(deaf)
        self.expect_whole(self.out)

    def test_nothing_comes(self):
        before = dump.AGAIN, dump.SILENCE_MAX
        dump.AGAIN, dump.SILENCE_MAX = 0.01, 0.1
        self.addCleanup(lambda: (setattr(dump, "AGAIN", before[0]),
                                 setattr(dump, "SILENCE_MAX", before[1])))
        self.host.dump_more = lambda number, taken: None
        self.refuse_dump("nothing came for 0.1 s")


class Interrupted(DumpTest):
    def stuck(self):
        """The host stops in the middle; set when somebody closes it."""
        closed = threading.Event()
        begun = threading.Event()
        more, close = self.host.dump_more, self.host.do_close

        def some(number, taken):
            if not taken:
                more(number, taken)
            else:
                begun.set()

        def closing(number, thing, guest):
            if thing["of"] in self.host.dumps:
                closed.set()
            close(number, thing, guest)

        self.host.dump_more, self.host.do_close = some, closing
        return begun, closed

    def test_a_signal_leaves_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            begun, closed = self.stuck()
            tool = self.start_tool(
                stderr=subprocess.DEVNULL,
                preexec_fn=lambda: processes.signal.signal(
                    processes.signal.SIGINT, processes.signal.SIG_DFL))
            self.assertTrue(begun.wait(60))
            tool.send_signal(number)
            tool.communicate(timeout=60)
            self.assertNotEqual(tool.returncode, 0)
            self.assertTrue(closed.wait(60))
            self.expect_left()
            del self.host.dump_more, self.host.do_close

    def test_progress_is_shown_on_a_terminal(self):
        ours, theirs = pty.openpty()
        tool = self.start_tool(stderr=theirs, start_new_session=True)
        os.close(theirs)
        said = b""
        try:
            while b"\x1b[K" not in said:
                said += os.read(ours, 4096)
        except OSError:
            pass
        tool.communicate(timeout=60)
        os.close(ours)
        self.assertEqual(tool.returncode, 0)
        self.assertRegex(said, rb"\r.*x\.elf: \d+ %")
        self.expect_whole(self.out)
        # And not in a file.
        tool = self.start_tool(stderr=subprocess.PIPE)
        self.assertEqual(tool.communicate(timeout=60)[1], b"")


if __name__ == "__main__":
    unittest.main(verbosity=2)
