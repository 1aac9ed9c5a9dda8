# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead run` with a control port: a program of ours is QEMU and the host."""

import glob
import os
import signal
import socket
import subprocess
import sys
import unittest

from folder import ToolTest
from bulkhead_tool import Problem
from bulkhead_tool.control import client, running

HERE = os.path.dirname(os.path.realpath(__file__))
SPEAKS = "echo '[   0.000000] Bulkhead'; "
GUEST = "%s { board = \"pc\"; memory-mib = <64>; };"


class Runs(ToolTest):
    def setUp(self):
        super().setUp()
        self.manifest = self.hosts("dos")
        self.socket = os.path.join(self.folder, "build/run/dos.sock")
        self.simulator("exec %s %s/control_host.py \"$@\"" % (sys.executable,
                                                              HERE))

    def hosts(self, *names):
        self.env["FAKE_GUEST"] = ",".join(names)
        return self.write(names[0] + ".dts", '/dts-v1/; / { compatible = '
                          '"bulkhead,host-v1"; guests { %s }; };' %
                          "".join(GUEST % n for n in names))

    def assert_tidy(self):
        super().assert_tidy()
        self.assertEqual(glob.glob(self.folder + "/build/run/*"), [])

    def steps(self, *words, status=0):
        done = self.run_tool("run", self.manifest, *words)
        self.assertEqual(done.returncode, status, done)
        return (done.stdout + done.stderr).decode()

    def test_steps_are_done_in_order(self):
        said = self.steps("--expect", "Bulkhead", "--expect-screen", "^C:.>$",
                          "--type", "dir /w{ret}", "--expect-screen",
                          "^C:.>dir /w\n$", "--type", "dos:x",
                          "--expect-screen", "dos:^x$")
        self.assertIn("-chardev socket,id=control,fd=", said)
        self.assertIn("expectation 2 of 4 met", said)
        self.assertIn("expectation 4 of 4 met", said)

    def test_which_guest_is_said_where_there_are_several(self):
        self.manifest = self.hosts("dos", "web")
        self.steps("--type", "web:echo{ret}", "--expect-screen", "web:^C:.>echo",
                   "--expect-screen", "dos:^C:.>$")
        self.refused(1, "'echo' has to begin with a guest's name and a colon: "
                     "the host has dos, web", "--type", "echo")
        self.refused(1, "'dso:x' has to begin", "--expect-screen", "dso:x")

    def test_what_cannot_be_is_known_before_the_start(self):
        self.simulator("touch %s/began" % self.folder)
        self.refused(2, "no regular expression", "--expect-screen", "dos:(")
        self.refused(2, "no key 'retrun'", "--type", "{retrun}")
        self.refused(1, "layout us has no key for 'ä'", "--type", "ä")
        self.refused(1, "for QEMU only", "--control", "--sim", "bochs")
        self.refused(1, "for QEMU only", "--type", "x", "--sim", "bochs")

    def test_a_network_is_joined(self):
        far = socket.socket(socket.AF_UNIX)
        self.addCleanup(far.close)
        far.bind(os.path.join(self.folder, "far"))
        far.listen(1)
        tool, _ = self.begin("--net", "lan0=socket:" +
                             os.path.join(self.folder, "far"))
        peer, _ = far.accept()
        self.addCleanup(peer.close)
        peer.settimeout(60)
        # The host of this test answers each frame with itself.
        frame = bytes(range(60))
        peer.sendall(b"\0\0\0\x3c" + frame)
        heard = b""
        while len(heard) < 64:
            data = peer.recv(64)
            self.assertTrue(data)
            heard += data
        self.assertEqual(heard, b"\0\0\0\x3c" + frame)
        # And it is over with the run.
        tool.send_signal(signal.SIGTERM)
        self.assertEqual(tool.wait(30), 128 + signal.SIGTERM)
        self.assertEqual(peer.recv(1), b"")
        self.assert_tidy()

    def test_networks_that_cannot_be(self):
        self.refused(2, "has to be .SWITCH=.user", "--net", "usr")
        self.refused(2, "no folder", "--net", "user,tftp=/nowhere/at/all")
        self.refused(1, "--net: for QEMU only", "--net", "user", "--sim",
                     "bochs")

    def test_a_colon_need_not_name_a_guest(self):
        self.steps("--expect-screen", "C:.>$", "--layout", "de", "--type",
                   "c:{ret}", "--expect-screen", "C:.>")

    def test_the_screen_is_shown_where_another_was_expected(self):
        said = self.steps("--expect-screen", "nothing", "--fail", "second look",
                          status=1)
        self.assertIn("'second look' appeared before expectation 1 of 1: "
                      "'nothing'", said)
        self.assertIn("dos: The screen shows:\n  | Starting...\n  | C:\\>",
                      said)

    def test_waiting_for_a_screen_has_a_limit(self):
        said = self.steps("--expect-screen", "nothing", "--timeout", "0.5",
                          status=1)
        self.assertIn("not within 0.5 s: expectation 1 of 1: 'nothing'", said)

    def test_what_ends_a_run_ends_waiting_for_a_screen(self):
        self.simulator(SPEAKS + "exit 0")
        self.assertIn("the simulator ended before expectation 1 of 1",
                      self.steps("--expect-screen", "x", status=1))
        self.simulator(SPEAKS + "echo bad; sleep 60")
        self.assertIn("'bad' appeared before expectation 1 of 1: 'x'",
                      self.steps("--expect-screen", "x", "--fail", "bad",
                                 status=1))
        self.simulator(SPEAKS + "echo '[   1.000000] error: monitor "
                       "panic: x'; sleep 60")
        self.assertIn("monitor panic", self.steps("--type", "x", status=1))

    def begin(self, *words):
        """A run for people, at whose control port a client can be."""
        tool = subprocess.Popen(
            self.command("run", self.manifest, *words), env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=self.heed_signals)
        self.addCleanup(tool.stdout.close)
        self.addCleanup(lambda: tool.poll() is None and tool.kill())
        for line in tool.stdout:
            if b"control port is at" in line:
                return tool, line.split()[-1].decode()
        self.fail("it says no socket")

    def test_clients_and_the_end_of_the_run(self):
        tool, path = self.begin("--control")
        self.assertEqual(path, self.socket)
        with client.Client(path) as link:
            self.assertEqual([g["guest"] for g in link.guests()], ["dos"])
            # Found by itself, too.
            done = subprocess.run(self.command("ctl", "list"), env=self.env,
                                  stdout=subprocess.PIPE, check=True)
            self.assertIn(b"dos", done.stdout)
            self.refused_second()
            tool.send_signal(signal.SIGTERM)
            self.assertEqual(tool.wait(30), 128 + signal.SIGTERM)
            with self.assertRaises(client.Gone):
                while True:
                    link.guests()
        self.assert_tidy()

    def refused_second(self):
        done = subprocess.run(self.command("run", self.manifest, "--control"),
                              env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"in use: another host runs", done.stderr)

    def test_the_broker_ends_with_a_run_that_is_killed(self):
        tool, path = self.begin("--control", self.folder + "/own.sock")
        self.assertEqual(path, self.folder + "/own.sock")
        with client.Client(path) as link:
            tool.kill()
            tool.wait()
            # The simulator's terminal is gone, and then the broker's carrier.
            with self.assertRaises(client.Gone):
                while True:
                    link.guests()


class Steps(unittest.TestCase):
    def test_guests_are_told_from_text(self):
        resolve = running.resolve
        self.assertEqual(resolve("type", "a:b:c", ["a", "b"]), ("a", "b:c"))
        self.assertEqual(resolve("type", "c:b", ["a"]), ("a", "c:b"))
        self.assertEqual(resolve("type", "x y:z", ["a"]), ("a", "x y:z"))
        for guests in ([], ["a", "b"]):
            with self.assertRaisesRegex(Problem, "--type: 'c:b' has to"):
                resolve("type", "c:b", guests)

    def test_the_layout_decides(self):
        steps = running.Steps("x", "us", ["dos"])
        steps.check([("type", "z"), ("expect-screen", "ä"), ("send", b"x")])
        with self.assertRaisesRegex(Problem, "no key for 'ä'"):
            steps.check([("type", "ä")])
        running.Steps("x", "de", ["dos"]).check([("type", "ä")])
        running.type_step("ä")    # some layout has it
        with self.assertRaises(ValueError):
            running.type_step("漢")


if __name__ == "__main__":
    unittest.main(verbosity=2)
