# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead printer`: what a guest prints becomes a file, whole, or it is said."""

import os
import signal
import threading
import time
import unittest

from test_control import HostTest
from bulkhead_tool import processes
from bulkhead_tool.control import client, printer


class Printers(HostTest):
    def setUp(self):
        super().setUp()
        self.out = self.file("out.prn")
        self.guest.end_of_printer = {}

    def written(self):
        with open(self.out, "rb") as file:
            return file.read()

    def write(self, data):
        with open(self.out, "wb") as file:
            file.write(data)

    def test_it_ends_with_the_guest(self):
        self.write(b"old")
        self.guest.prints = [b"\x1b@one\r\n", b"\0\xff\f"]
        said = self.run_command("printer", "dos", "-o", self.out)
        self.assertEqual(self.written(), b"\x1b@one\r\n\0\xff\f")
        self.assertIn("out.prn: 10 byte(s) of dos", said)

    def test_append(self):
        self.write(b"old ")
        self.guest.prints = [b"new"]
        self.run_command("printer", "-o", self.out, "--append")
        self.assertEqual(self.written(), b"old new")

    def test_what_may_be_missing_is_said(self):
        self.guest.prints = [b"half"]
        self.guest.end_of_printer = {"hint": "the host was away in between"}
        self.refused("away in between: what was printed last may be missing",
                     "printer", "dos", "-o", self.out)
        self.assertEqual(self.written(), b"half")

    def test_a_refusal_leaves_the_file_as_it_was(self):
        self.write(b"old")
        self.guest.end_of_printer = None
        with client.Client(self.path) as link:
            printer.Printer(link, "dos")
            self.refused("somebody else takes", "printer", "dos", "-o",
                         self.out)
        self.assertEqual(self.written(), b"old")
        self.refused("cannot be written", "printer", "dos", "-o",
                     self.file("nowhere/x"))

    def test_a_full_disk_is_said(self):
        self.guest.prints = [b"x"]
        self.out = "/dev/full"
        self.refused("'/dev/full' cannot be written: No space left",
                     "printer", "dos", "-o", self.out)

    def test_ctrl_c_loses_nothing(self):
        self.guest.end_of_printer = None
        self.guest.prints, self.guest.prints_late = [b"before "], b"and after"

        def interrupt():
            until = time.monotonic() + 30
            while time.monotonic() < until and (
                    not os.path.exists(self.out) or not self.written()):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        for number in processes.END_SIGNALS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
            # As at a terminal, though these tests run in some background.
            signal.signal(number, signal.SIG_DFL)
        processes.catch_signals()
        thread = threading.Thread(target=interrupt)
        thread.start()
        said = self.run_command("printer", "dos", "-o", self.out)
        thread.join()
        self.assertEqual(self.written(), b"before and after")
        self.assertIn("16 byte(s)", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
