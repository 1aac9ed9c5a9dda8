# SPDX-License-Identifier: BSD-2-Clause
"""A guest's core as a file for gdb and crash, while the guest stands.

What is zero does not come: the file has holes there.  It has another name until
it is complete, so that a file of the name that was asked for is a whole one.
"""

import contextlib
import os
import struct
import sys
import tempfile
import time

from .. import Problem, processes
from . import frames

HEAD = struct.Struct("<IIQ")    # a frame's number, 0, where it belongs
SIZE_MAX = (1 << 53) - 1    # of a file
TAKEN_EACH = 4    # frames after which the host hears of them
AGAIN = 2.0    # seconds without a word until it hears of them again
SILENCE_MAX = 60.0
PROGRESS_EACH = 0.2

REASONS = {
    "ended": "the guest has ended",
    "reset": "the guest was reset meanwhile",
    "resumed": "somebody resumed the guest",
    "not taken": "this end took nothing for too long, and the guest goes on",
    "broken": "the guest's machine does not keep to the protocol",
}


def nothing(_done, _size):
    pass


@contextlib.contextmanager
def new_file(path):
    """A file that gets its name at the end, if that is a good one."""
    folder, name = os.path.split(os.path.abspath(path))
    if os.path.isdir(path):
        raise Problem("'%s' cannot be written: it is a directory" % path)
    try:
        fd, temporary = tempfile.mkstemp(prefix=".%s." % name, dir=folder)
    except OSError as error:
        raise Problem("'%s' cannot be written: %s" %
                      (path, error.strerror)) from None
    try:
        with open(fd, "wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise Problem("'%s' cannot be written: %s" %
                      (path, error.strerror or error)) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


class Dump:
    """One that is under way; receive() is all of it."""

    def __init__(self, link, file, progress=nothing):
        self.link, self.file, self.progress = link, file, progress
        self.number = link.new_id()
        self.size = self.bytes = 0    # of the file, and those that came
        self.taken = self.told = 0    # frames

    def receive(self, guest):
        answer = self.link.ask("dump", number=self.number, guest=guest)
        self.size = answer.answer.get("size")
        if not isinstance(self.size, int) or not 0 <= self.size <= SIZE_MAX:
            raise Problem("dump: a file of %s bytes" % self.size)
        self.file.truncate(self.size)
        heard = time.monotonic()
        while True:
            part = self._next()
            if part and part.number == self.number:
                heard = time.monotonic()
                if part.what is None and self._event(part.data):
                    return
                if part.what == frames.CORE:
                    self._frame(part.data)
            elif time.monotonic() - heard > SILENCE_MAX:
                raise Problem("dump: nothing came for %g s: the host is busy, "
                              "or has lost it" % SILENCE_MAX)

    def _next(self):
        if self.taken - self.told >= TAKEN_EACH or \
                (self.taken != self.told and not self.link.has_parts()):
            self._tell()
        part = self.link.next_part(AGAIN)
        if not part:
            self._tell()    # the last may have been lost
        return part

    def _tell(self):
        self.told = self.taken
        self.link.send_binary(self.number, frames.CORE,
                              struct.pack("<I", self.taken))

    def _frame(self, data):
        if len(data) < HEAD.size:
            raise Problem("dump: a frame of %d bytes" % len(data))
        number, _, offset = HEAD.unpack_from(data)
        data = data[HEAD.size:]
        if number != self.taken & 0xffffffff:
            self._lost()
        if offset + len(data) > self.size:
            raise Problem("dump: bytes at %d do not belong to a file of %d" %
                          (offset, self.size))
        self.taken += 1
        self.bytes += len(data)
        self.file.seek(offset)
        self.file.write(data)
        self.progress(offset + len(data), self.size)

    def _event(self, thing):
        """True: it is complete."""
        if thing.get("event") == "gone":
            reason = str(thing.get("reason", ""))
            raise Problem("dump: %s" % (REASONS.get(reason) or reason or
                                        thing.get("hint", "it has ended")))
        if thing.get("event") != "done":
            return False
        if thing.get("frames") != self.taken:
            self._lost()
        return True

    def _lost(self):
        raise Problem("dump: a part was lost on the way to us: try it again")


class Progress:
    """On a terminal, in a line that is written again and again."""

    def __init__(self, name):
        self.name = name
        self.shown = 0.0
        self.is_there = False

    def __call__(self, done, size):
        now = time.monotonic()
        if now - self.shown < PROGRESS_EACH:
            return
        self.shown, self.is_there = now, True
        processes.show(("\r%s: %d %%" % (self.name, 100 * done // size))
                       .encode(errors="backslashreplace"), "stderr")

    def clear(self):
        if self.is_there:
            processes.show(b"\r\x1b[K", "stderr")


def save(link, guest, path):
    """The guest's core in a file of that name; what to say of it."""
    progress = Progress(path)
    shows = sys.stderr is not None and sys.stderr.isatty()
    try:
        with new_file(path) as file:
            dump = Dump(link, file, progress if shows else nothing)
            dump.receive(guest)
    finally:
        progress.clear()
    return "%s: the core of %s, %d MiB, %d KiB of it not zero" % (
        path, guest, dump.size >> 20, dump.bytes >> 10)
