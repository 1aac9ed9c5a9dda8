# SPDX-License-Identifier: BSD-2-Clause
"""What a guest says, by where it says it.

A guest's serial port and its debug ports come from the control port. So does the
monitor's log, and from the host's console, too: that is slower, as it goes through a
UART and gives guests their turns, but is there before the control port and after it.
"""

import collections
import re
import zlib

from .. import session
from ..control import frames, screen

KEPT = 1 << 20    # characters of a source for the report
# The guest's time between two pictures, so that it has most of it.
PICTURE_PAUSE = 0.012    # seconds
# Verbs of the control protocol and what is beside `guest`, by source.
TAPS = {"serial": ("serial", {}),
        "402": ("debug-console", {"port": 0x402}),
        "e9": ("debug-console", {"port": 0xe9})}

POST = re.compile(r"POST code ([0-9a-f]{2})$")
TRIPLE = re.compile(r"triple fault at RIP ([0-9a-f]+)")
STOPPED = re.compile(r"stopped: (.*)$")
CODE = re.compile(r"port 0xf4, code (\d+)$")
LOG_LINE = re.compile("^(" + session.STAMP + r")(?:(?:error|warning|debug): )?"
                      r"(?:\[([\w.-]+)\] )?(.*)$")
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


class Log:
    """The monitor's log by several ways, each of which may have a line first.

    log(guest, text) is called once for each line.  What else comes by a way, as
    guests' words on the console, is passed over.
    """

    def __init__(self, log):
        self.log = log
        self.rest = collections.defaultdict(bytes)
        self.seen = collections.defaultdict(collections.Counter)

    def feed(self, way, data):
        lines = (self.rest[way] + data).split(b"\n")
        self.rest[way] = lines.pop()
        for line in lines:
            text = line.decode("latin-1").replace("\r", "")
            found = LOG_LINE.match(session.CONTROL.sub(
                "", text.replace("\x18", "")))
            if found and self._is_news(way, found[0]):
                self.log(found[2], found[3])

    def _is_news(self, way, line):
        """As often as the way that has it most often has it."""
        self.seen[way][line] += 1
        return self.seen[way][line] > max(
            (lines[line] for other, lines in self.seen.items()
             if other != way), default=0)


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
        self.retry_at = seconds + PICTURE_PAUSE
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
