# SPDX-License-Identifier: BSD-2-Clause
"""What a guest says, by where it says it.

The host's console shows one guest's serial port, its debug ports and the monitor's
log as one text; a guest's serial port is known by itself, from the control port.
What is neither a line of the log nor of the serial port was written to a debug port.
402h and E9h are one stream: the machine does not tell them apart.
"""

import re
import zlib

from .. import session
from ..control import frames, screen

KEPT = 1 << 20    # characters of a source for the report

POST = re.compile(r"POST code ([0-9a-f]{2})$")
TRIPLE = re.compile(r"triple fault at RIP ([0-9a-f]+)")
STOPPED = re.compile(r"stopped: (.*)$")
CODE = re.compile(r"port 0xf4, code (\d+)$")
LOG_LINE = re.compile("^" + session.STAMP + r"(?:(?:error|warning|debug): )?"
                      r"(?:\[([\w.-]+)\] )?(.*)$")
ROW = re.compile(rb"\[([\w-]+)\][ +](.*)", re.DOTALL)
MACHINE_FAILS = ("its machine crashed", "its machine gave up",
                 "its guest cannot go on", "out of memory",
                 "the processor refused the guest's state",
                 "machine check while the guest ran")


class Text:
    """One source: what it said, when, and the search in it."""

    def __init__(self, name):
        self.name = name
        self.watch = session.Watch()
        self.lines = []    # (when, text), the last one may go on
        self.is_open = False    # the last line
        self.kept = 0
        self.spoke_at = 0

    def feed(self, now, data):
        before = len(self.watch.text)
        self.watch.feed(data)
        fresh = self.watch.text[before:]
        if not fresh:
            return
        self.spoke_at = now
        self.kept += len(fresh)
        if self.kept > KEPT:
            return
        for number, piece in enumerate(fresh.split("\n")):
            if number == 0 and self.is_open:
                self.lines[-1] = (self.lines[-1][0],
                                  self.lines[-1][1] + piece)
            elif piece or number < fresh.count("\n"):
                self.lines.append((now, piece))
        self.is_open = not fresh.endswith("\n")

    def search(self, pattern):
        found, match = self.watch.search([pattern])
        return match if found else None

    def since(self, when):
        found = [text for at, text in self.lines if at > when]
        if not found and self.lines and self.spoke_at > when:
            found = [self.lines[-1][1]]    # which began before and went on
        return found


class Console:
    """The host's console, taken apart.

    log(guest, text) is called for each line of the log, debug(bytes) for what was
    written to a debug port.  Where several guests run their rows are at most 79
    columns wide, and have a name in front.
    """

    def __init__(self, log, debug):
        self.log, self.debug = log, debug
        self.guest = None    # whose rows are looked at, where there are several
        self.rest = b""
        self.serial = b""    # of the serial port, not yet seen here

    def heard_serial(self, data):
        self.serial = (self.serial + data.replace(b"\r", b""))[-KEPT:]

    def feed(self, data):
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            self._line(line + b"\n")

    def settle(self):
        """Behind a slice: what has no end of line yet, if it is a debug port's."""
        if self.rest and not self.serial and not self.rest.startswith(
                (b"[", b"\x18", b"--- ")):
            rest, self.rest = self.rest, b""
            self._line(rest)

    def _line(self, line):
        text = line.decode("latin-1").replace("\r", "")
        found = LOG_LINE.match(session.CONTROL.sub(
            "", text.replace("\x18", "")).rstrip("\n"))
        if found:
            self.log(found[1], found[2])
            return
        if self.guest:
            row = ROW.match(line)
            if not row or row[1].decode() != self.guest:
                return
            line = row[2]
        plain = line.replace(b"\r", b"")
        if self.serial and (self.serial.startswith(plain) or
                            plain.startswith(self.serial)):
            self.serial = self.serial[len(plain):]
        elif plain.strip() or not self.serial:
            self.debug(line)


class Screen:
    """A guest's screen, asked for again as soon as it is here.

    What is posted is answered when something has changed; feed() takes the answer's
    parts.
    """

    def __init__(self, link, guest, form):
        self.link, self.guest, self.form = link, guest, form
        self.number = link.new_id()
        self.shown = screen.Screen()
        self.is_asked = self.is_whole = False
        self.parts = []    # of the next picture, which has not come whole
        self.changes = 0
        self.changed_at = 0
        self.retry_at = 0.0
        self.look = None

    def ask(self, now):
        if self.is_asked or now < self.retry_at:
            return
        self.is_asked = True
        more = {} if self.is_whole else {"all": True}
        self.link.post("screen", self.number, guest=self.guest,
                       **{"as": self.form}, **more)

    def feed(self, now, seconds, part):
        """A part of this number's; True when the picture is another one."""
        is_answer = part.what is None and "event" not in part.data
        if not is_answer:
            self.parts.append(part)
            return False
        parts, self.parts = self.parts, []
        self.is_asked = False
        if part.data.get("ok") is not True:
            self.is_whole = False
            self.retry_at = seconds + screen.START_PAUSE
            return False
        self.is_whole = part.data.get("parts") in (None, len(parts))
        if not self.is_whole:    # some were lost
            return False
        for one in parts:
            self.shown.apply(one)
        look = zlib.crc32(self.shown.pixels) if self.form == "pixels" else \
            tuple(self.shown.cells)
        if look == self.look:
            return False
        self.look = look
        self.changes += 1
        self.changed_at = now
        return True


def serial_bytes(part):
    return part.data if part.what == frames.SERIAL else b""
