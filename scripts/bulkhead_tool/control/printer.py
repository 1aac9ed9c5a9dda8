# SPDX-License-Identifier: BSD-2-Clause
"""What a guest prints by its parallel port, as a file: `bulkhead printer`.

The guest's printer is busy while nobody takes what it has; so nothing is lost but
where the host's end of the conversation fails, which is said.
"""

import contextlib

from .. import Problem, processes
from . import client, frames, sockets, verbs

CLOSE_MAX = 10.0    # seconds that the host may take to say that it is closed


class Printer:
    """One guest's; next() gives what it printed."""

    def __init__(self, link, guest):
        self.link = link
        self.number = link.new_id()
        reply = link.request("printer", number=self.number, guest=guest)
        link.unclaimed.extend(reply.parts)

    def next(self, seconds):
        """Bytes, maybe none in that time.  EOFError: it has ended, with a word
        where something may be missing."""
        part = self.link.next_part(seconds)
        if not part or part.number != self.number:
            return b""
        if part.what == frames.SERIAL:
            return part.data
        if part.what is None and part.data.get("event") == "gone":
            raise EOFError(part.data.get("hint", ""))
        return b""

    def close(self):
        """What was on its way when it ended."""
        reply = self.link.request("close", CLOSE_MAX, of=self.number)
        return b"".join(p.data for p in reply.parts
                        if p.number == self.number and p.what == frames.SERIAL)


def write(file, path, data):
    """At once: who reads the file sees what was printed."""
    try:
        file.write(data)
        file.flush()
    except OSError as error:
        raise Problem("'%s' cannot be written: %s; what the guest prints from "
                      "here on is not in it" % (path, error.strerror)) from None
    return len(data)


def save(printer, file, path):
    """Until Ctrl-C or the guest's end; how many bytes, and how it ended."""
    done = 0
    with verbs.until_interrupted():
        try:
            while True:
                done += write(file, path, printer.next(1.0))
        except EOFError as end:
            return done, str(end)
        except client.Gone:
            return done, "the host has ended"
    with contextlib.suppress(client.Gone, client.Late):
        return done + write(file, path, printer.close()), ""
    return done, "the host does not answer"


def do_printer(args, _work):
    with client.Client(sockets.find(args.socket), None) as link:
        guest = link.the_guest(args.guest)
        try:
            file = open(args.output, "ab" if args.append else "wb")
        except OSError as error:
            raise Problem("'%s' cannot be written: %s" %
                          (args.output, error.strerror)) from None
        with file:
            printer = Printer(link, guest)
            processes.say("bulkhead: what %s prints is in %s; Ctrl-C ends it" %
                          (guest, args.output))
            done, why = save(printer, file, args.output)
    processes.say("%s: %d byte(s) of %s" % (args.output, done, guest))
    if why:
        raise Problem("%s: %s: what was printed last may be missing; "
                      "--append goes on" % (args.output, why))
    return 0
