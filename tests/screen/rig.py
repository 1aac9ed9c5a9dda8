# SPDX-License-Identifier: BSD-2-Clause
"""Simulated hosts whose guests' screens are looked at and whose keys are pressed.

Nothing here is measured in time: what has to happen is waited for, LIMIT seconds at
most, which a busy machine does not need either.
"""

import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.realpath(os.environ.get("BULKHEAD_BUILD",
                                        os.path.join(TOP, "build")))
sys.path.insert(0, os.path.join(TOP, "scripts"))

import pattern    # noqa: E402
from bulkhead_tool import qmp    # noqa: E402
from bulkhead_tool.control import client, frames, screen    # noqa: E402

LIMIT = 100
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")
PANEL = ('%s { board = "pc"; memory-mib = <16>; kernel = "panel.elf"; '
         'boot-without-bios; cmdline = "shade=%d width=%d"; %s };')
# A screen for the host that nobody has to look at.
DISPLAY = "vnc=unix:%s/vnc"


class Failure(Exception):
    """What a test has found."""


class Gone(Failure):
    """A guest has ended, or its machine has."""


def later():
    return time.monotonic() + LIMIT


def panel(name, shade=0, width=1024, more=""):
    """A guest's node."""
    return PANEL % (name, shade, width, more)


class Monitor(qmp.Monitor):
    """QEMU's own monitor (QMP): the host's screen and keyboard."""

    def __init__(self, path):
        super().__init__(socket.socket(socket.AF_UNIX))
        self.end.settimeout(LIMIT)
        self.end.connect(path)
        self.begin()

    def key(self, name, is_down):
        self.ask("input-send-event", events=[{
            "type": "key", "data": {"down": is_down, "key": {
                "type": "qcode", "data": name}}}])

    def press(self, *names):
        """One key after the other, each down and up."""
        for name in names:
            self.key(name, True)
            self.key(name, False)

    def picture(self, path):
        """The host's screen."""
        self.ask("screendump", filename=path)
        with screen.imaging().open(path) as image:
            return image.convert("RGB")


class Host:
    """A host that runs; its console's text grows in `text`."""

    def __init__(self, folder, guests, options=(), services=None):
        os.symlink(os.path.join(BUILD, "screen/panel.elf"),
                   os.path.join(folder, "panel.elf"))
        path = os.path.join(folder, "host.dts")
        with open(path, "w") as f:
            f.write('/dts-v1/; / { compatible = "bulkhead,host-v1"; guests { %s '
                    '}; };' % " ".join(guests))
        self.folder = folder
        self.socket = os.path.join(folder, "control")
        self.text, self.at, self.closing = "", 0, []
        monitor = os.path.join(folder, "qmp")
        line = [os.path.join(TOP, "scripts/bulkhead"), "run", path,
                "--control", self.socket, "--timeout", str(2 * LIMIT),
                "--qemu=-qmp", "--qemu=unix:%s,server=on,wait=off" % monitor,
                *options]
        self.child = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=TOP, env=dict(
                os.environ, **({"BULKHEAD_SERVICES": services} if services
                               else {})))
        self.expect("Bulkhead$")
        self.monitor = self.kept(Monitor(monitor))

    def kept(self, thing):
        self.closing.append(thing)
        return thing

    # ---- The console -----------------------------------------------------

    def pump(self, seconds=1.0):
        """False: there will be no more."""
        output = self.child.stdout
        if not select.select([output], [], [], seconds)[0]:
            return True
        data = os.read(output.fileno(), 65536)
        self.text += ESCAPES.sub("", data.decode("latin-1"))
        return bool(data)

    def expect(self, words):
        """The match of a regular expression, behind the last that was met."""
        until = later()
        while True:
            found = re.compile(words, re.MULTILINE).search(self.text, self.at)
            if found:
                self.at = found.end()
                return found
            if not self.pump() or time.monotonic() > until:
                raise Failure("no '%s' on the console" % words)

    def shows(self, shade):
        """The host's own screen has a guest's picture, some time."""
        until = later()
        wanted = pattern.pixels(shade)
        path = os.path.join(self.folder, "host.ppm")
        while True:
            self.pump(0.2)
            image = self.monitor.picture(path).tobytes()
            if image == wanted:
                return
            if time.monotonic() > until:
                raise Failure(pattern.difference(image, wanted))

    def type(self, keys):
        self.child.stdin.write(keys.encode())
        self.child.stdin.flush()

    # ---- Its control port ------------------------------------------------

    def wait(self, fd, seconds):
        """For a client; the console is read meanwhile, or QEMU would wait."""
        output = self.child.stdout.fileno()
        if output in select.select([fd, output], [], [], seconds)[0] and \
                not self.pump(0):
            raise Failure("the simulator has ended")

    def client(self):
        return self.kept(client.Client(self.socket, LIMIT, self.wait))

    def tool(self, *words, status=0):
        """A command of the tool's; what it printed."""
        line = [os.path.join(TOP, "scripts/bulkhead"), *words,
                "--socket", self.socket]
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(line, stdin=subprocess.DEVNULL, cwd=TOP,
                                     stdout=output, stderr=subprocess.STDOUT)
            until = later()
            while child.poll() is None:
                self.pump(0.1)
                if time.monotonic() > until:
                    child.kill()
            output.seek(0)
            said = output.read().decode()
        if child.returncode != status:
            raise Failure("%s: status %s: %s" % (" ".join(words),
                                                 child.returncode, said))
        return said

    # ---- Its end ---------------------------------------------------------

    def end(self):
        """Waits for its own end, which has to be a good one."""
        until = later()
        while self.pump():
            if time.monotonic() > until:
                raise Failure("it does not end")
        if self.child.wait():
            raise Failure("it ended with status %d" % self.child.returncode)

    def close(self):
        for thing in reversed(self.closing):
            thing.close()
        if self.child.poll() is None:
            self.child.terminate()
            self.child.wait()
        self.child.stdout.close()
        self.child.stdin.close()

    def tail(self):
        return "\n".join("  | " + line for line in self.text.split("\n")[-40:])


class Serial:
    """A guest's first serial port, by a client of its own."""

    def __init__(self, host, guest):
        self.host, self.guest = host, guest
        self.text, self.at = "", 0
        self.link = None
        self.attach()

    def attach(self):
        """Again, when the guest's machine is another one."""
        if self.link:
            self.link.close()
        self.link = self.host.client()
        self.number = self.link.new_id()
        until = later()
        while True:
            try:
                self.link.request("serial", LIMIT, number=self.number,
                                  guest=self.guest)
                return
            except client.Refused as error:
                if error.error != "not running" or time.monotonic() > until:
                    raise
                self.link.pause(0.2)

    def send(self, text):
        self.link.send_binary(self.number, frames.SERIAL, text.encode())

    def take(self, seconds):
        part = self.link.next_part(seconds)
        if part and part.what == frames.SERIAL:
            self.text += part.data.decode("latin-1").replace("\r", "")
        elif part and part.data.get("event") == "gone":
            raise Gone("%s: its serial port is gone" % self.guest)

    def expect(self, words):
        until = later()
        while True:
            found = re.compile(words, re.MULTILINE).search(self.text, self.at)
            if found:
                self.at = found.end()
                return found
            if time.monotonic() > until:
                raise Failure("%s does not say '%s' but '%s'" % (
                    self.guest, words, self.text[-300:]))
            self.take(1)

    def do(self, command, answer):
        """A command of panel.c's: asked again until there is an answer, for it
        may not listen yet."""
        until = later()
        while True:
            self.send(command)
            again = time.monotonic() + 5
            while time.monotonic() < again:
                found = re.compile(answer, re.MULTILINE).search(self.text,
                                                                self.at)
                if found:
                    self.at = found.end()
                    return found
                self.take(1)
            if time.monotonic() > until:
                raise Failure("%s: '%s' is not answered by '%s'" % (
                    self.guest, command, answer))


def expect_picture(link, guest, shade):
    """A guest's screen, at the first look."""
    image = screen.take(link, guest, "pixels", LIMIT).image().tobytes()
    wanted = pattern.pixels(shade)
    if image != wanted:
        raise Failure(pattern.difference(image, wanted))


def start(owner, guests, options=(), has_screen=False, files=None, services=None):
    """A host that goes when the test, or the class, that owns it is done.

    files: what is to be beside its manifest, by name; services: programs below
    build/ in the place of seat.
    """
    is_class = isinstance(owner, type)
    cleanup = owner.addClassCleanup if is_class else owner.addCleanup
    folder = tempfile.TemporaryDirectory()
    cleanup(folder.cleanup)
    for name, data in (files or {}).items():
        with open(os.path.join(folder.name, name), "wb") as f:
            f.write(data)
    options = list(options)
    if has_screen:
        options += ["--display", DISPLAY % folder.name]
    host = Host(folder.name, guests, options, services)
    cleanup(host.close)
    owner.running = host
    return host


class HostTest(unittest.TestCase):
    running = None    # the host

    def host(self, *guests, **more):
        return start(self, guests, **more)

    def run(self, result=None):
        """With the console's last lines where something went wrong."""
        before = len(result.errors) + len(result.failures)
        super().run(result)
        if self.running and \
                len(result.errors) + len(result.failures) > before:
            print(self.running.tail(), flush=True)
        return result
