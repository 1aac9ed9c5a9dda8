# SPDX-License-Identifier: BSD-2-Clause
"""Tests that have a folder of their own, which goes with them."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../scripts"))

from bulkhead_tool import Problem, host    # noqa: E402


class FolderTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        """The path of a file of these bytes, below 256."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="latin-1") as f:
            f.write(text)
        return path


class ManifestTest(FolderTest):
    """self.host() of the class that follows makes a host in self.work."""

    def setUp(self):
        super().setUp()
        self.work = os.path.join(self.folder, "work")
        os.mkdir(self.work)

    def refused(self, *words, **change):
        with self.assertRaises(Problem) as caught:
            self.host(**change)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def guest(self, text):
        """A host with one guest of these properties and nodes."""
        source = self.write("host.dts", '/dts-v1/; / { compatible = "bulkhead,'
                            'host-v1"; guests { one { board = "pc"; %s }; }; '
                            '};' % text)
        return host.Host(source, self.work)

    def guest_refused(self, text, *words):
        with self.assertRaises(Problem) as caught:
            self.guest(text)
        for word in words:
            self.assertIn(word, str(caught.exception))


class ToolTest(FolderTest):
    """The command itself, with scripts of the simulators' names on PATH."""

    def setUp(self):
        super().setUp()
        for name in ("bin", "tmp", "build"):
            os.mkdir(os.path.join(self.folder, name))
        build = os.path.join(self.folder, "build")
        os.symlink(os.path.join(host.BUILD, "manifest-check"),
                   os.path.join(build, "manifest-check"))
        self.write("build/bulkhead32.elf", "")
        os.mkdir(os.path.join(build, "programs"))
        for name in ("init.elf", "machine.elf", "seat.elf", "disk.elf"):
            self.write("build/programs/" + name, "")
        self.manifest = self.write("h.dts", '/dts-v1/; / { compatible = "'
                                   'bulkhead,host-v1"; guests { one { board = '
                                   '"pc"; memory-mib = <64>; }; }; };')
        self.env = dict(os.environ, BULKHEAD_BUILD=build,
                        TMPDIR=os.path.join(self.folder, "tmp"),
                        PATH=os.path.join(self.folder, "bin") + ":" +
                        os.environ["PATH"])

    def simulator(self, script, name="qemu-system-x86_64"):
        os.chmod(self.write("bin/" + name, "#!/bin/sh\n" + script + "\n"),
                 0o755)

    def command(self, *words):
        return [sys.executable, os.path.join(host.TOP, "scripts/bulkhead"),
                *words]

    def run_tool(self, *words, **options):
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                    "stderr": subprocess.PIPE, "env": self.env,
                    "timeout": 30, "check": False}
        settings.update(options)
        done = subprocess.run(self.command(*words), **settings)
        self.assertNotIn(b"Traceback", done.stderr)
        self.assert_tidy()
        return done

    def assert_tidy(self):
        self.assertEqual(os.listdir(os.path.join(self.folder, "tmp")), [])

    def refused(self, status, why, *words):
        done = self.run_tool("run", self.manifest, *words)
        self.assertEqual(done.returncode, status, done)
        self.assertRegex(done.stderr.decode(), why)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "began")))

    @staticmethod
    def heed_signals():
        """As at a terminal, though these tests run in some background."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
