# SPDX-License-Identifier: BSD-2-Clause
"""Character devices: where a serial port, debug consoles lead."""

import os

from .. import Problem, processes
from .syntax import Keys, Refused

NOWHERE = ("null", "none", "vc")
KNOWN = "known are stdio, mon:stdio, file:PATH, pipe:PATH, null, none, " \
    "chardev:ID"


class Port:
    """kind: stdio, file, pipe, null; is_muxed: Ctrl-A X leaves."""

    def __init__(self, kind, path=None, is_muxed=False, is_appended=False):
        self.kind, self.path = kind, path
        self.is_muxed, self.is_appended = is_muxed, is_appended
        self.fd = None

    def __eq__(self, other):
        return isinstance(other, Port) and \
            (self.kind, self.path) == (other.kind, other.path)

    @property
    def is_stdio(self):
        return self.kind == "stdio"

    def open(self):
        """Before anything runs: a file that cannot be written is said early."""
        if self.kind not in ("file", "pipe"):
            return
        path = self.path
        if self.kind == "pipe" and os.path.exists(path + ".out"):
            path += ".out"
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self.is_appended
                                            else os.O_TRUNC)
        if self.kind == "pipe":
            flags = os.O_RDWR    # which does not wait for a reader
        try:
            self.fd = os.open(path, flags, 0o666)
        except OSError as error:
            raise Problem("'%s' cannot be written: %s" %
                          (path, error.strerror)) from None

    def write(self, data):
        if self.is_stdio:
            processes.show(data)
        elif self.fd is not None:
            processes.write_all(self.fd, data)

    def close(self):
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def of_word(option, word, chardevs):
    """What -serial and -debugcon have; chardevs: {id: Port}."""
    kind, _, rest = word.partition(":")
    if word in NOWHERE or (kind == "vc" and rest):
        return Port("null")
    if word in ("stdio", "mon:stdio"):
        return Port("stdio", is_muxed=word != "stdio")
    if kind in ("file", "pipe") and rest:
        return Port(kind, rest)
    if kind == "chardev":
        return of_id(option, rest, chardevs)
    raise Refused(option, "'%s': %s" % (word, KNOWN))


def of_id(option, name, chardevs):
    if name not in chardevs:
        raise Refused(option, "there is no -chardev with id=%s" % name)
    return chardevs[name]


def of_chardev(text):
    """(id, Port) of a -chardev."""
    keys = Keys("-chardev", text, "backend")
    kind, name = keys.take("backend"), keys.take("id")
    if not name:
        raise Refused("-chardev", "it has no id")
    if kind == "stdio":
        port = Port("stdio", is_muxed=keys.flag("mux"))
        keys.ignore("signal")
    elif kind in ("file", "pipe"):
        path = keys.take("path")
        if not path:
            raise Refused("-chardev", "%s: it has no path" % kind)
        port = Port(kind, path, is_appended=keys.flag("append"))
    elif kind in NOWHERE:
        port = Port("null")
    else:
        raise Refused("-chardev", "%s: known are stdio, file, pipe and null" %
                      kind)
    keys.ignore("mux")
    keys.end()
    return name, port
