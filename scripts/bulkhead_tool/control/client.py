# SPDX-License-Identifier: BSD-2-Clause
"""A client of the control protocol, at a broker's socket.

One thing after the other: request() returns when its answer is there.  What comes
meanwhile for other ids, a serial port's bytes say, waits for next_part().
"""

import collections
import select
import time

from .. import Problem
from . import frames, sockets

VERSION = 1
TIMEOUT = 10.0    # seconds without a word about a request
AGAIN = 2.0    # after which it is asked again, if that does no harm
LOST_PAUSE = 0.5

# Asked twice they do as much as asked once.
REPEATABLE = ("hello", "list", "statistics", "screen", "serial",
              "debug-console", "printer", "log", "close", "pause", "resume", "join",
              "capture")

HINTS = {
    "no such guest": "'bulkhead ctl list' shows them",
    "not running": "'bulkhead ctl list' shows the guests, and 'ctl start' "
                   "starts one",
    "unknown verb": "'bulkhead ctl --help' lists them",
}
# Where the answer has none of its own.
OTHER_HINTS = {"busy": "try it again"}


class Refused(Problem):
    """The host's answer was no."""

    def __init__(self, verb, answer):
        self.error = str(answer.get("error", "no reason given"))
        text = "%s: %s" % (verb, self.error)
        if answer.get("what"):
            text += " '%s'" % answer["what"]
        hint = HINTS.get(self.error) or answer.get("hint") or \
            OTHER_HINTS.get(self.error)
        super().__init__("%s: %s" % (text, hint) if hint else text)


class Gone(Problem):
    """The broker has ended the connection, or has ended."""


class Late(Exception):
    """No answer in its time; parts: what came instead."""

    def __init__(self, text, parts):
        super().__init__(text)
        self.parts = parts


# Of an event: what is None, data the object; of a binary frame: both.
Part = collections.namedtuple("Part", "number what data")
Reply = collections.namedtuple("Reply", "answer parts")


def readable(fd, seconds):
    select.select([fd], [], [], seconds)


class Client:
    """Connected and greeted; wait(fd, seconds) returns when there may be more.

    Whoever has other things to do meanwhile passes a wait() that does them, and
    whose time is another, the simulated host's say, passes its clock.  end: a socket
    that leads to the host without a broker; path is what it is called then.
    """

    def __init__(self, path, timeout=TIMEOUT, wait=readable, end=None,
                 clock=time.monotonic):
        self.path, self.wait, self.clock = path, wait, clock
        self.decoder = frames.Decoder()
        self.last_id = 0
        self.heard = collections.deque()    # Parts, and answers
        self.unclaimed = collections.deque()    # Parts of other requests
        self.socket = end or self._connected()
        self.socket.setblocking(False)
        try:
            self._hello(timeout)
        except BaseException:
            self.close()
            raise

    def _connected(self):
        try:
            return sockets.connected(self.path)
        except OSError as error:
            raise Problem("nobody listens at '%s' (%s): the host or its broker "
                          "has ended" % (self.path, error.strerror)) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def fileno(self):
        return self.socket.fileno()

    # ---- Frames ----------------------------------------------------------

    def _gone(self):
        return Gone("the connection at '%s' has ended: the host or its "
                    "broker is gone, or dropped us for not reading" %
                    self.path)

    def _send(self, frame):
        while frame:
            try:
                frame = frame[self.socket.send(frame):]
            except BlockingIOError:
                select.select([], [self.socket], [], 0.1)
                self._read()    # the broker may wait for us
            except OSError:
                raise self._gone() from None

    def _read(self):
        """What there is, to self.heard."""
        found = self.decoder.expire(self.clock())
        try:
            data = self.socket.recv(1 << 18)
            if not data:
                raise self._gone()
            found += self.decoder.feed(data, self.clock())
        except BlockingIOError:
            pass
        except OSError:
            raise self._gone() from None
        for kind, payload in found:
            if kind == frames.JSON:
                thing = frames.parse_json(payload)
                if thing:
                    self.heard.append(Part(thing.get("id"), None, thing))
            else:
                binary = frames.parse_binary(payload)
                if binary:
                    self.heard.append(Part(*binary))

    def _hear(self, until):
        """The next Part or answer; None when it is too late for one."""
        while not self.heard:
            left = until - self.clock()
            if left <= 0:
                return None
            self.wait(self.fileno(), left)
            self._read()
        return self.heard.popleft()

    def pause(self, seconds):
        """Time passes; what comes meanwhile is kept."""
        until = self.clock() + seconds
        while self.clock() < until:
            self.wait(self.fileno(), until - self.clock())
            self._read()

    # ---- Requests --------------------------------------------------------

    def _hello(self, timeout):
        try:
            answer = self.request("hello", timeout, version=VERSION).answer
        except Late:
            raise Problem("the host behind '%s' does not answer: it has not "
                          "booted yet, or has no second serial port" %
                          self.path) from None
        if answer.get("version") != VERSION:
            raise Problem("the host speaks version %s of the control protocol, "
                          "this tool version %d" % (answer.get("version"),
                                                    VERSION))
        self.host = answer.get("host")
        self.rights = answer.get("rights", [])

    def new_id(self):
        self.last_id += 1
        return self.last_id

    def _frame(self, verb, number, keys):
        try:
            return frames.encode_json(dict(id=number, verb=verb, **keys))
        except ValueError as error:
            raise Problem("%s: %s" % (verb, error)) from None

    def post(self, verb, number=None, **keys):
        """A request once, whose answer next_part() will have; its number."""
        number = number or self.new_id()
        self._send(self._frame(verb, number, keys))
        return number

    def request(self, verb, timeout=TIMEOUT, number=None, **keys):
        """The answer and what came before it; Refused, Late.

        The time is that since the last word about this request; None: for ever.
        """
        number = number or self.new_id()
        frame = self._frame(verb, number, keys)
        self._send(frame)
        parts = []
        began = asked = self.clock()
        while True:
            now = self.clock()
            end = began + timeout if timeout is not None else now + AGAIN
            if now >= end:
                raise Late("%s: no answer within %g s" % (verb, timeout), parts)
            until = min(end, asked + AGAIN) if verb in REPEATABLE else end
            part = self._hear(until)
            if part is None:
                if verb in REPEATABLE and self.clock() >= asked + AGAIN:
                    asked = self.clock()
                    self._send(frame)
            elif part.number != number:
                self.unclaimed.append(part)
            elif part.what is not None or "event" in part.data:
                parts.append(part)
                began = asked = self.clock()
            elif part.data.get("ok") is True:
                return Reply(part.data, parts)
            elif part.data.get("error") == "lost" and verb in REPEATABLE:
                asked = self.clock() - AGAIN + LOST_PAUSE
            else:
                raise Refused(verb, part.data)

    def ask(self, verb, timeout=TIMEOUT, **keys):
        """request(), whose time limit is a Problem."""
        try:
            return self.request(verb, timeout, **keys)
        except Late as error:
            raise Problem("%s: the host is busy, or has lost it" %
                          error) from None

    def send_binary(self, number, what, data):
        for at in range(0, len(data), 1024):
            self._send(frames.encode_binary(number, what, data[at:at + 1024]))

    def send_frame(self, number, data):
        """Whole: it is one frame of a network's."""
        self._send(frames.encode_binary(number, frames.NETWORK, data))

    def has_parts(self):
        """Whether next_part() has something without waiting."""
        return bool(self.unclaimed or self.heard)

    def next_part(self, seconds):
        """What comes for a watch; None if nothing does in that time."""
        if self.unclaimed:
            return self.unclaimed.popleft()
        if not self.heard:
            self._read()
        return self._hear(self.clock() + seconds)

    # ---- What several commands want --------------------------------------

    def guests(self):
        """What `list` says of each, in its order."""
        found = {}
        for part in self.ask("list").parts:
            if part.what is None and part.data.get("event") == "guest":
                found[part.data.get("guest")] = {
                    k: v for k, v in part.data.items()
                    if k not in ("id", "event")}
        return list(found.values())

    def the_guest(self, named=None):
        """The name of the guest that is meant: the only one if none is."""
        if named:
            return named
        names = [str(g["guest"]) for g in self.guests()]
        if len(names) == 1:
            return names[0]
        raise Problem("which guest? The host has %s" %
                      (", ".join(names) or "none"))
