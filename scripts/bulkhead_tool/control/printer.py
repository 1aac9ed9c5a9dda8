# SPDX-License-Identifier: BSD-2-Clause
"""What a guest prints by its parallel port, as a file: `bulkhead printer`.

The guest's printer is busy while nobody takes what it has; so nothing is lost but
where the host's end of the conversation fails, which is said.
"""

import contextlib
import os

from .. import Problem, processes
from . import client, frames, sockets, verbs

CLOSE_MAX = 10.0    # seconds that the host may take to say that it is closed


class Printer:
    """One guest's; take() gives what it printed."""

    def __init__(self, link, guest):
        self.link = link
        self.number = link.new_id()
        reply = link.request("printer", number=self.number, guest=guest)
        link.unclaimed.extend(reply.parts)

    def take(self):
        """Bytes that have come, maybe none.  EOFError: it has ended, with a word
        where something may be missing."""
        part = self.link.next_part(0)
        if not part or part.number != self.number:
            return b""
        if part.what == frames.SERIAL:
            return part.data
        if part.what is None and part.data.get("event") == "gone":
            raise EOFError(part.data.get("hint", ""))
        return b""

    def wait(self, seconds):
        if not self.link.has_parts():
            client.readable(self.link, seconds)

    def close(self):
        """What was on its way is there to be taken then."""
        self.link.request("close", CLOSE_MAX, of=self.number)


def write(file, path, data):
    """At once: who reads the file sees what was printed."""
    try:
        processes.write_all(file.fileno(), data)
    except OSError as error:
        raise Problem("'%s' cannot be written: %s; what the guest prints from "
                      "here on is not in it" % (path, error.strerror)) from None
    return len(data)


def save(printer, file, path):
    """Until Ctrl-C or the guest's end; how many bytes, and how it ended."""
    done = 0

    def take_all():
        nonlocal done
        # What has been taken is written: no signal comes in between.
        with processes.held():
            done += write(file, path, printer.take())
            while printer.link.has_parts():
                done += write(file, path, printer.take())

    try:
        with verbs.until_interrupted():
            while True:
                printer.wait(1.0)
                take_all()
        with contextlib.suppress(EOFError):
            printer.close()
            take_all()
    except EOFError as end:
        return done, str(end)
    except client.Gone:
        return done, "the host has ended"
    except client.Late:
        return done, "the host does not answer"
    return done, ""


def do_printer(args, _work):
    with client.Client(sockets.find(args.socket), None) as link:
        guest = link.the_guest(args.guest)
        try:
            # What is in it goes when the printer is ours, and not before.
            file = open(args.output, "ab", buffering=0)
        except OSError as error:
            raise Problem("'%s' cannot be written: %s" %
                          (args.output, error.strerror)) from None
        with file:
            printer = Printer(link, guest)
            if not args.append and os.path.isfile(args.output):
                file.truncate(0)
            processes.say("bulkhead: what %s prints is in %s; Ctrl-C ends it" %
                          (guest, args.output))
            done, why = save(printer, file, args.output)
    processes.say("%s: %d byte(s) of %s" % (args.output, done, guest))
    if why:
        raise Problem("%s: %s: what was printed last may be missing; "
                      "--append goes on" % (args.output, why))
    return 0
