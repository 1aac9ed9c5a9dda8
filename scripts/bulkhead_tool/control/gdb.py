# SPDX-License-Identifier: BSD-2-Clause
"""A guest's debugger at a TCP port, for gdb's `target remote`.

One gdb after the other; each has a connection to the host of its own, so that
what it leaves behind ends with it.
"""

import contextlib
import select
import socket

from .. import Problem, processes
from . import client, frames, verbs

PORT = 1234
BACKLOG = 1


def address(text):
    """HOST:PORT, PORT alone is this computer's; ValueError."""
    name, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port[:6]) > 65535:
        raise ValueError("'%s' has to be HOST:PORT, as 127.0.0.1:%d" %
                         (text, PORT))
    return name or "127.0.0.1", int(port)


def listener(where):
    try:
        return socket.create_server(where, backlog=BACKLOG)
    except OSError as error:
        raise Problem("nothing can listen at %s:%d: %s" %
                      (*where, error.strerror or error)) from None


def carry(link, number, gdb, paused=None):
    """Bytes both ways until gdb goes away; Problem when the host does.

    paused: a guest that is let go from its pause as soon as its debugger has
    answered, for then that holds it.
    """
    while True:
        if not link.has_parts():
            ready, _, _ = select.select([link, gdb], [], [])
            if gdb in ready:
                data = gdb.recv(4096)
                if not data:
                    return
                link.send_binary(number, frames.DEBUG, data)
            if link not in ready and not link.has_parts():
                continue
        part = link.next_part(0)
        while part:
            if part.number == number and part.what is not None:
                gdb.sendall(part.data)
                if paused and b"$" in part.data:
                    link.post("resume", guest=paused)
                    paused = None
            elif part.number == number and part.data.get("event") == "gone":
                raise Problem("the guest has ended: %s" % part.data.get(
                    "hint", "there is nothing to debug any more"))
            part = link.next_part(0)


def serve(link, guest, gdb, is_resumed=False):
    """One gdb, from its beginning to its end; a paused guest is in its hands."""
    gdb.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    number = link.new_id()
    reply = link.request("debug", number=number, guest=guest)
    link.unclaimed.extend(reply.parts)
    try:
        # gdb's end may break where it will: then it has left.
        with contextlib.suppress(OSError):
            carry(link, number, gdb, guest if is_resumed else None)
    finally:
        # The host sees it, too, when the next client says hello.
        with contextlib.suppress(Problem):
            link.ask("close", of=number)


def do_gdb(args, _work):
    with listener(args.listen) as server:
        with verbs.connect(args) as link:
            guest = link.the_guest(args.guest)
        processes.say("bulkhead: in gdb, 'target remote %s:%d' is %s; Ctrl-C "
                      "ends this" % (*server.getsockname()[:2], guest))
        while True:
            gdb, _ = server.accept()
            with gdb:
                try:
                    with verbs.connect(args) as link:
                        serve(link, guest, gdb, args.resume)
                except client.Refused as error:
                    # Of this guest now; it may run again.
                    verbs.notice(error)
                except client.Late as error:
                    verbs.notice(error)
