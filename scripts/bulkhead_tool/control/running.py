# SPDX-License-Identifier: BSD-2-Clause
"""The control port of a host that `bulkhead run` simulates, and steps by it.

The simulator has one end of a pair of sockets as its second serial port, a broker
in a process of its own the other: clients are served whatever the tool is waiting
for.  When the simulator ends, so does the broker.
"""

import os
import re
import socket
import subprocess
import sys

from .. import Problem, host, processes, session
from . import client, keys, screen, screens, sockets, verbs

TOOL = os.path.join(host.TOP, "scripts/bulkhead")
NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_-]*):(.*)", re.DOTALL)


class Control:
    """fd is the simulator's end, until start() is called behind it."""

    def __init__(self, path, nets=()):
        self.nets, self.joins = nets, []    # far ends, as they were written
        self.listener = sockets.Listener(path)
        self.path = self.listener.path
        self.end, self.broker_end = socket.socketpair()
        self.fd = self.end.fileno()
        self.fds = [self.fd]
        self.broker = None

    def start(self):
        pair = self.listener.socket.fileno(), self.broker_end.fileno()
        for fd in pair:
            os.set_inheritable(fd, True)
        self.broker = processes.start(
            [sys.executable, TOOL, "broker", "--descriptors", "%d,%d" % pair],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            pass_fds=pair)
        # Who has an end open keeps the others from seeing that it is over.
        self.end.close()
        self.broker_end.close()
        self.listener.socket.close()
        for text in self.nets:
            self.joins.append(processes.start(
                [sys.executable, TOOL, "join", text, "--of-run", "--socket",
                 self.path], stdin=subprocess.DEVNULL))

    def close(self):
        for child in self.joins:
            processes.end(child)
        if self.broker:
            processes.end(self.broker)
        self.end.close()
        self.broker_end.close()
        self.listener.close()


# ---- Steps: --expect-screen and --type -------------------------------------

def screen_step(text):
    """--expect-screen's argument; ValueError."""
    session.pattern(rest(text))
    return text


def type_step(text):
    """--type's argument; ValueError if no layout has it."""
    problem = None
    for layout in keys.LAYOUTS:
        try:
            keys.parse(rest(text), layout)
            return text
        except ValueError as error:
            problem = problem or error
    raise problem


def rest(text):
    """Behind what looks like a guest's name; whether it is one is not known."""
    named = NAMED.match(text)
    return named[2] if named else text


def resolve(option, text, guests):
    """The guest's name, and what is to be seen or typed; Problem."""
    named = NAMED.match(text)
    if named and named[1] in guests:
        return named[1], named[2]
    if len(guests) != 1:
        raise Problem("--%s: '%s' has to begin with a guest's name and a "
                      "colon: the host has %s" %
                      (option, text, ", ".join(guests) or "none"))
    return guests[0], text


KINDS = ("expect-screen", "type")


class Steps:
    """Does them for a Scripted run.

    pump(fd, seconds) is called while it waits: it keeps the simulator's console
    going, and raises a Problem when there is no use in waiting.
    """

    def __init__(self, path, layout, guests=None):
        self.path, self.layout = path, layout
        self.guests = guests    # None: not known before the host says it
        self.link = None
        self.watches = {}    # by guest
        self.pump = client.readable

    def check(self, steps):
        """All of them, before anything is started, as far as that can be."""
        for option, text in steps:
            if option in KINDS and self.guests is not None:
                self._resolve(option, text)

    def _resolve(self, option, text):
        guest, what = resolve(option, text, self.guests)
        try:
            return guest, session.pattern(what) if option != "type" else \
                keys.parse(what, self.layout)
        except ValueError as error:
            raise Problem("--%s: %s" % (option, error)) from None

    def _connect(self):
        if not self.link:
            self.link = client.Client(
                self.path, None, lambda fd, s: self.pump(fd, s))
        if self.guests is None:
            self.guests = [str(g["guest"]) for g in self.link.guests()]

    def expect(self, text):
        """Returns when the screen shows it."""
        self._connect()
        guest, pattern = self._resolve("expect-screen", text)
        if guest not in self.watches:
            self.watches[guest] = screen.Watch(self.link, guest, "text",
                                               True)
        watch = self.watches[guest]
        watch.is_first = True    # what it shows now, not what it did
        while True:
            watch.update(None)
            shown = watch.screen
            if shown.cells and pattern.search(shown.text()):
                return

    def type(self, text):
        self._connect()
        guest, strokes = self._resolve("type", text)
        verbs.type_to_reader(self.link, guest, strokes)

    def context(self):
        """What the screens showed last, for a message."""
        return "".join("\n%s: %s" % (guest, screens.what_is_there(w.screen))
                       for guest, w in self.watches.items())

    def close(self):
        if self.link:
            self.link.close()
