# SPDX-License-Identifier: BSD-2-Clause
"""The power button: it wakes a Linux that is suspended to RAM, and at the next
press Linux, which is told by an event, powers off.  What presses it is a client of
the control protocol."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../screen"))

import rig    # noqa: E402

rig.LIMIT = 250    # seconds; the longest wait takes 30 where nobody else works

NODE = ('one { board = "pc"; memory-mib = <192>; vcpus = <2>; kernel = "vmlinux"; '
        '%s initrd = "linux.cpio"; cmdline = "console=ttyS0 quiet job=button"; '
        'acpi { tables = "%s"; sleep = "s3"; }; };')
SUSPENDED = r"\[one[.\d]*\] suspended to RAM \(S3\)"


def contents(path):
    with open(os.path.join(rig.BUILD, path), "rb") as f:
        return f.read()


class Button(rig.HostTest):
    def begin(self, bios, tables):
        self.machine = self.host(
            NODE % (bios, tables),
            files={name: contents(path)
                   for name, path in (("vmlinux", "bench/vmlinux"),
                                      ("linux.cpio", "sleep/linux.cpio"))})
        self.link = self.machine.client()

    def ask(self, verb):
        self.link.request(verb, rig.LIMIT, guest="one")

    def until_asleep(self):
        self.machine.expect(r"button: sleeps")
        self.machine.expect(SUSPENDED)

    def until_off(self):
        self.machine.expect(r"button: awake")
        self.ask("power")
        self.machine.expect(r"button: event .*\b1 116 1")
        self.machine.expect(r"button: end 0")
        self.machine.expect(r"\[one\] stopped: powered off")
        self.machine.end()

    def test_through_bios(self):
        self.begin("boot-through-bios;", "2.0")
        self.until_asleep()
        # A processor without power hears none.
        self.ask("nmi")
        self.ask("power")
        self.machine.expect(r"\[one[.\d]*\] resumes from S3")
        self.until_off()

    def test_at_once_with_old_tables(self):
        self.begin("", "1.0")
        self.until_asleep()
        self.ask("power")
        self.machine.expect(r"\[one[.\d]*\] resumes from S3")
        self.until_off()

    def test_reset_asleep(self):
        self.begin("", "1.0+6.0")
        self.until_asleep()
        self.ask("reset")
        # It starts as at power-on.
        self.machine.expect(r"button: begin")
        self.until_asleep()


if __name__ == "__main__":
    unittest.main(verbosity=2)
