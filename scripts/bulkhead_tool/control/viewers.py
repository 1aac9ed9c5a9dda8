# SPDX-License-Identifier: BSD-2-Clause
"""Guests' screens for programs that are not of this tool: `bulkhead vnc`."""

import ipaddress
import os
import re
import socket
import sys

from .. import Problem, host, processes
from ..arguments import argument
from . import commands, sockets, verbs

VNC_AT = ("127.0.0.1", 5900)
BACKLOG = 16


@argument
def address(text):
    """HOST:PORT, [IPV6]:PORT, or a PORT of this machine."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]:|([^:\[\]]+):)?(\d{1,5})",
                         text, re.ASCII)
    if not found or int(found[3]) > 65535:
        raise ValueError("'%s' has to be HOST:PORT, as 127.0.0.1:5900" % text)
    return found[1] or found[2] or VNC_AT[0], int(found[3])


def is_loopback(at):
    try:
        return ipaddress.ip_address(at[0]).is_loopback
    except ValueError:
        return at[0] == "localhost"


def shown(at):
    return ("[%s]:%d" if ":" in at[0] else "%s:%d") % tuple(at[:2])


def listen(at):
    """A socket that listens there; Problem."""
    try:
        family, kind, number, _, where = socket.getaddrinfo(
            at[0], at[1], type=socket.SOCK_STREAM)[0]
        end = socket.socket(family, kind, number)
    except OSError as error:
        raise Problem("%s: %s" % (shown(at), error.strerror)) from None
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        end.bind(where)
        end.listen(BACKLOG)
    except OSError as error:
        end.close()
        raise Problem("nobody can listen at %s: %s" %
                      (shown(at), error.strerror)) from None
    end.setblocking(False)
    return end


def vnc_program():
    path = os.path.join(host.BUILD, "bulkhead-vnc")
    if not os.path.exists(path):
        raise Problem("%s is missing: install libvncserver-dev, then run "
                      "'make build/bulkhead-vnc'" % path)
    return path


def vnc_line(guest, control, listener, password_file=None):
    """The server's command line, and what it has to inherit."""
    line = [vnc_program(), guest, str(control), str(listener)]
    return (line + [password_file] if password_file else line,
            (control, listener))


def password_check(path):
    """Rather than an open door: a file without a password."""
    try:
        with open(path, encoding="utf-8") as f:
            first = f.readline().rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise Problem("--password-file: '%s' cannot be read: %s" %
                      (path, getattr(error, "strerror", error))) from None
    if not first:
        raise Problem("--password-file: the first line of '%s' is empty" %
                      path)


def do_vnc(args, _work):
    if args.password_file:
        password_check(args.password_file)
    elif not is_loopback(args.listen):
        raise Problem("at %s others can connect: say --password-file, or "
                      "listen at 127.0.0.1 and use a tunnel" %
                      shown(args.listen))
    vnc_program()
    with verbs.connect(args) as link:
        names = [str(g["guest"]) for g in link.guests()]
        guest = link.the_guest(args.guest)
        if guest not in names:
            raise Problem("no such guest '%s': the host has %s" %
                          (guest, ", ".join(names) or "none"))
    control = sockets.connected(link.path)
    with control, listen(args.listen) as listener:
        line, inherited = vnc_line(guest, control.fileno(), listener.fileno(),
                                   args.password_file)
        child = processes.start(line, pass_fds=inherited,
                                stdin=processes.subprocess.DEVNULL)
        processes.say("bulkhead: %s's screen is at %s; Ctrl-C ends it" %
                      (guest, shown(listener.getsockname())))
        sys.stdout.flush()
    status = child.wait()
    processes.end(child)
    return 1 if status else 0


def add(all_commands):
    vnc = commands.new(
        all_commands, "vnc", do_vnc, "show a guest's screen to VNC viewers",
        "Serves a guest's screen, keyboard and mouse by the RFB protocol, to "
        "any number of viewers. Nothing is drawn while none is there.")
    vnc.add_argument("--listen", metavar="HOST:PORT", type=address,
                     default=VNC_AT, help="where to wait for viewers; port 0 "
                     "takes a free one (default: 127.0.0.1:5900)")
    vnc.add_argument("--password-file", metavar="FILE",
                     help="viewers have to know its first line, of which VNC "
                     "uses eight characters")
