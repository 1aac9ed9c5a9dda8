# SPDX-License-Identifier: BSD-2-Clause
"""Hosts for the tests of disks: made, started, listened to, killed."""

import os
import re
import select
import signal
import subprocess
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.realpath(os.environ.get("BULKHEAD_BUILD",
                                        os.path.join(TOP, "build")))
# Where the files are that guests are booted with.
FILES = {"vmlinux": "bench", "linux.cpio": "disk", "power.elf": "disk",
         "probe.elf": "disk"}
LIMIT = 300    # seconds that a run may take, however busy this machine is


class Failure(Exception):
    """What a test has found."""


def guest(name, words, disks, memory=512, kernel="vmlinux", more=""):
    """A guest's node; disks: the text of its disks' nodes."""
    initrd = 'initrd = "linux.cpio"; ' if kernel == "vmlinux" else ""
    console = "console=ttyS0 tsc=reliable " if kernel == "vmlinux" else ""
    return ('%s { board = "pc"; memory-mib = <%d>; kernel = "%s"; %s'
            'cmdline = "%s%s"; %s %s };' %
            (name, memory, kernel, initrd, console, words, more, disks))


def disk(source, more=""):
    return 'disk0 { bus = "ide"; source = "%s"; %s };' % (source, more)


def manifest(folder, *guests):
    """The path of a manifest with these guests, beside the files they name."""
    for name, where in FILES.items():
        link = os.path.join(folder, name)
        if not os.path.lexists(link):
            os.symlink(os.path.join(BUILD, where, name), link)
    path = os.path.join(folder, "host.dts")
    with open(path, "w") as f:
        f.write('/dts-v1/; / { compatible = "bulkhead,host-v1"; guests { %s '
                '}; };' % " ".join(guests))
    return path


def attach(number, option, serial):
    """QEMU's arguments for a virtio drive that no manifest knows as a file.

    option: a -blockdev's value without node-name.
    """
    return ["-blockdev", "%s,node-name=test%d" % (option, number), "-device",
            "virtio-blk-pci,drive=test%d,serial=%s,disable-legacy=on,"
            "werror=report,rerror=report" % (number, serial)]


def raw(path):
    return "driver=raw,file.driver=file,file.filename=" + path.replace(",", ",,")


class Host:
    """A simulated host that runs; its console's text grows in `text`."""

    def __init__(self, folder, path, qemu=(), options=("--until-end",)):
        """Without --until-end among the options keys can be typed.

        Instructions are the clock, for then no timer's interrupt is lost: see
        accelerator() of the tool's qemu.py.
        """
        self.pid_file = os.path.join(folder, "qemu.pid")
        if os.path.exists(self.pid_file):
            os.unlink(self.pid_file)
        self.start([os.path.join(TOP, "scripts/bulkhead"), "run", path,
                    "--icount", "--cpus", "1", "--timeout", str(LIMIT),
                    *options] +
                   ["--qemu=" + word for word in
                    ["-pidfile", self.pid_file, *qemu]])

    def start(self, line):
        self.text = ""
        self.at = 0
        self.until = time.monotonic() + LIMIT
        self.child = subprocess.Popen(line, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, cwd=TOP)

    def pump(self):
        """False: there will be no more."""
        if time.monotonic() > self.until:
            raise Failure("not done after %d s" % LIMIT)
        output = self.child.stdout
        if not select.select([output], [], [], 1)[0]:
            return True
        data = os.read(output.fileno(), 65536)
        self.text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "",
                            data.decode("latin-1"))
        return bool(data)

    def expect(self, words):
        """The match of a regular expression, behind the last that was met."""
        while True:
            found = re.compile(words, re.MULTILINE).search(self.text, self.at)
            if found:
                self.at = found.end()
                return found
            if not self.pump():
                raise Failure("it ended before '%s'" % words)

    def type(self, keys):
        self.child.stdin.write(keys.encode())
        self.child.stdin.flush()

    def kill(self):
        """As a power cut ends it: without a word."""
        with open(self.pid_file) as f:
            os.kill(int(f.read()), signal.SIGKILL)
        while self.pump():
            pass
        self.child.wait()

    def end(self, good=(0,)):
        """Waits for its own end; it has to be a good one."""
        while self.pump():
            pass
        if self.child.wait() not in good:
            raise Failure("it ended with status %d" % self.child.returncode)

    def close(self):
        if self.child.poll() is None:
            self.child.terminate()
            self.child.wait()
        self.child.stdout.close()
        self.child.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close()
        if kind:
            print(self.tail(), flush=True)

    def tail(self):
        return "\n".join("  | " + line for line in self.text.split("\n")[-60:])


class Plain(Host):
    """The same guest on QEMU alone, with QEMU's IDE disk: to try a test."""

    def __init__(self, folder, kernel, words, option):
        self.pid_file = os.path.join(folder, "qemu.pid")
        line = ["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg",
                "-m", "512", "-display", "none", "-nodefaults", "-serial",
                "stdio", "-no-reboot", "-pidfile", self.pid_file,
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                "-blockdev", option + ",node-name=d",
                "-device", "ide-hd,drive=d,bus=ide.0", "-kernel",
                os.path.join(BUILD, FILES[kernel], kernel)]
        if kernel == "vmlinux":
            line += ["-initrd", os.path.join(BUILD, "disk", "linux.cpio")]
            words = "console=ttyS0 " + words
        self.start(line + ["-append", words])

    def end(self, good=(0, 1)):
        """isa-debug-exit makes 1 of a good end."""
        super().end(good)
