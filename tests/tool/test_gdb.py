# SPDX-License-Identifier: BSD-2-Clause
"""gdb's bridge: a TCP port before the control protocol's debug frames."""

import re
import socket
import subprocess
import sys
import unittest

from test_control import TOOL, HostTest
from bulkhead_tool.control import gdb


class BridgeTest(HostTest):
    GUESTS = ("dos", "web")
    OPTIONS = ()

    def setUp(self):
        super().setUp()
        self.tool = subprocess.Popen(
            [sys.executable, "-u", TOOL, "gdb", "web", "--socket", self.path,
             "--listen", "127.0.0.1:0", *self.OPTIONS], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end_tool)
        line = self.tool.stdout.readline()
        where = re.search(r"'target remote ([0-9.]+):([0-9]+)' is web;", line)
        self.assertTrue(where, line)
        self.where = where[1], int(where[2])

    def end_tool(self):
        self.tool.kill()
        self.tool.communicate()

    def gdb(self):
        end = socket.create_connection(self.where, timeout=60)
        self.addCleanup(end.close)
        return end

    def read(self, end, size):
        data = b""
        while len(data) < size:
            piece = end.recv(size - len(data))
            if not piece:
                break
            data += piece
        return data

    def verbs(self):
        return [h["verb"] for h in self.host.heard]

    def test_bytes_go_both_ways(self):
        end = self.gdb()
        end.sendall(b"$g#67")
        self.assertEqual(self.read(end, 6), b"+$g#67")
        # More than a frame holds, and whatever bytes there are.
        data = bytes(range(256)) * 40
        end.sendall(data)
        answer = b""
        while answer.count(b"+") - data.count(b"+") < 1 or \
                len(answer.replace(b"+", b"")) < \
                len(data.replace(b"+", b"")):
            piece = end.recv(65536)
            self.assertTrue(piece)
            answer += piece
        self.assertEqual(answer.replace(b"+", b""), data.replace(b"+", b""))

    def test_one_after_the_other(self):
        for _ in range(2):
            end = self.gdb()
            end.sendall(b"x")
            self.assertEqual(self.read(end, 2), b"+x")
            end.close()
        # The second could only come after the first one's close.
        heard = [v for v in self.verbs() if v in ("debug", "close")]
        self.assertEqual(heard[:3], ["debug", "close", "debug"])

    def test_refused_it_waits_for_the_next(self):
        del self.host.guests["web"]
        self.assertEqual(self.read(self.gdb(), 1), b"")
        self.host.guests["web"] = self.guests[1]
        end = self.gdb()
        end.sendall(b"x")
        self.assertEqual(self.read(end, 2), b"+x")


class ResumeTest(BridgeTest):
    """A paused guest runs when its debugger has it, and not before."""

    OPTIONS = ("--resume",)

    def test_resumed_behind_the_first_answer(self):
        end = self.gdb()
        end.sendall(b"+")
        self.assertEqual(self.read(end, 2), b"++")
        self.assertNotIn("resume", self.verbs())
        end.sendall(b"$g#67")
        self.assertEqual(self.read(end, 6), b"+$g#67")
        # The next answer comes behind what was asked for before.
        end.sendall(b"$g#67")
        self.assertEqual(self.read(end, 6), b"+$g#67")
        self.assertEqual(self.verbs().count("resume"), 1)


class AddressTest(unittest.TestCase):
    def test_addresses(self):
        self.assertEqual(gdb.address("127.0.0.1:1234"), ("127.0.0.1", 1234))
        self.assertEqual(gdb.address(":1"), ("127.0.0.1", 1))
        self.assertEqual(gdb.address("1234"), ("127.0.0.1", 1234))
        for text in ("", "host", "host:", "host:x", "host:65536", ":-1"):
            with self.assertRaises(ValueError):
                gdb.address(text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
