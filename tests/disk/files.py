# SPDX-License-Identifier: BSD-2-Clause
"""What the job `files` of tests/disk/init writes, and whether it is there."""

import os
import re
import subprocess
import tempfile

MARK = re.compile(rb"ack (\d+)\n")
SBIN = os.environ["PATH"] + ":/usr/sbin:/sbin"


def run(*line):
    done = subprocess.run(line, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, PATH=SBIN))
    return done.returncode, done.stdout.decode(errors="replace").strip()


class Files:
    """Files 1 to `acked` of an ext4 file system of `size` bytes."""

    def __init__(self, size, work):
        self.size, self.work = size, work
        self.acked = 0

    def ack(self, number):
        self.acked = max(self.acked, number)

    def mark(self, at, data):
        """The number that the guest has written behind its file system."""
        found = MARK.match(data) if at == self.size else None
        return int(found[1]) if found else 0

    def check(self, read):
        """What is wrong with a disk; None."""
        path = os.path.join(self.work, "cut.img")
        with open(path, "wb") as f:
            f.write(read(0, self.size))
        # As a system's start does it: the journal, and what it leaves to do.
        for line, good in ((("e2fsck", "-p", path), (0, 1)),
                           (("e2fsck", "-fn", path), (0,))):
            status, words = run(*line)
            if status not in good:
                return "%s: status %d\n%s" % (" ".join(line), status, words)
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            status, words = run("debugfs", "-R", "rdump / " + folder, path)
            if status:
                return "debugfs: " + words
            return self._compare(folder)

    def _compare(self, folder):
        for number in range(1, self.acked + 1):
            name = os.path.join(folder, str(number))
            line = b"file %d\n" % number
            size = number * 7919 % 20000 + 1
            if not os.path.exists(name):
                return "file %d is not there, %d are permanent" % (number,
                                                                   self.acked)
            with open(name, "rb") as f:
                found = f.read()
            if found != (line * (size // len(line) + 1))[:size]:
                return "file %d, %d bytes, is not what was written" % (
                    number, len(found))
        return None
