# SPDX-License-Identifier: BSD-2-Clause
"""A running host's networks: `capture` and `join` (docs/network.md)."""

import contextlib
import select
import struct
import time

from .. import Problem, processes
from . import client, frames, pcapng, sockets, verbs

HEAD = struct.Struct("<QII")    # time in ns, frames lost so far, 0
FRAME_MIN = 60    # bytes, without FCS
FRAME_MAX = frames.TO_HOST_MAX - 8    # to the host
AGAIN = 0.5    # seconds until a port that has ended is asked for again


class Port:
    """One of a network's, or with verb `capture` a copy of its frames."""

    def __init__(self, link, verb, network=None, vlan=None):
        self.link = link
        self.number = link.new_id()
        keys = {k: v for k, v in (("network", network), ("vlan", vlan)) if v}
        reply = link.request(verb, number=self.number, **keys)
        link.unclaimed.extend(reply.parts)
        self.network = str(reply.answer.get("network", ""))
        # The host's clock begins when it likes.
        self.epoch_ns = time.time_ns() - int(reply.answer.get("time", 0))
        self.lost = 0    # ever

    def next(self, seconds):
        """A frame as time in ns since 1970, bytes, how many before it are lost.

        None: none came in that time.  EOFError: the port has ended.
        """
        part = self.link.next_part(seconds)
        return self.take(part) if part and part.number == self.number else None

    def take(self, part):
        """The same of a part that came for it."""
        if part.what is None:
            if part.data.get("event") == "gone":
                raise EOFError
            return None
        if part.what != frames.NETWORK or len(part.data) <= HEAD.size:
            return None
        time_ns, lost, _ = HEAD.unpack_from(part.data)
        new = (lost - self.lost) & 0xffffffff
        self.lost += new
        return time_ns + self.epoch_ns, part.data[HEAD.size:], new

    def send(self, data):
        """What is no frame of this network's is lost, as on a wire."""
        if 14 <= len(data) <= FRAME_MAX:
            self.link.send_frame(self.number, data.ljust(FRAME_MIN, b"\0"))


# ---- capture ---------------------------------------------------------------

def record(port, writer, count):
    """Until so many, or the port has ended; how many."""
    seen = 0
    with contextlib.suppress(EOFError, client.Gone):
        while seen != count:
            found = port.next(1.0)
            if found:
                writer.frame(*found)
                seen += 1
    return seen


def do_capture(args, _work):
    # Its host may be booting.
    with client.Client(sockets.find(args.socket), None) as link:
        port = Port(link, "capture", args.network)
        try:
            file = open(args.output, "wb")
        except OSError as error:
            raise Problem("'%s' cannot be written: %s" %
                          (args.output, error.strerror)) from None
        with file:
            processes.say("bulkhead: capturing %s%s" % (
                port.network, "" if args.count else "; Ctrl-C ends it"))
            seen = None
            writer = pcapng.Writer(file, port.network)
            with verbs.until_interrupted():
                seen = record(port, writer, args.count)
    what = "the frames" if seen is None else "%d frame(s)" % seen
    processes.say("%s: %s of %s, %d lost" % (args.output, what, port.network,
                                             port.lost))
    return 0


# ---- join ------------------------------------------------------------------

def relay(port, end):
    """Frames both ways, until the port has ended: EOFError."""
    link = port.link
    while True:
        outputs = [end] if end.unsent else []
        ready, writable, _ = select.select(
            [link, end], outputs, [], 0 if link.has_parts() else 1.0)
        if writable:
            end.flush()
        if end in ready:
            for data in end.receive():
                port.send(data)
        if link in ready or link.has_parts():
            found = port.next(0)
            while found:
                end.send(found[1])
                found = port.next(0)


def join(path, end, network, vlan, say=processes.say):
    """While the host is there."""
    while True:
        with client.Client(path, None) as link:
            port = Port(link, "join", network, vlan)
            say("bulkhead: %s is plugged into %s" % (end.name, port.network))
            with contextlib.suppress(EOFError):
                relay(port, end)
        time.sleep(AGAIN)


def do_join(args, _work):
    path = sockets.find(args.socket)
    end = args.end.open()
    try:
        # Standard output of its `run` is the guest's.
        join(path, end, args.end.network, args.vlan,
             (lambda _: None) if args.of_run else processes.say)
    except (client.Gone, processes.Ended):
        # Its `run` says that it ends, and why.
        if not args.of_run:
            raise
    finally:
        end.close()
    return 0
