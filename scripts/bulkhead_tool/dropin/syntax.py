# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's ways to write a value: keys with commas between, sizes, numbers."""

import re

from .. import Problem

PAGE = "docs/qemu-options.md"
SIZE = re.compile(r"(\d+(?:\.\d+)?)([bkmgt]?)(?:i?b)?\Z", re.IGNORECASE)
UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
ON, OFF = ("on", "yes", "true", "y"), ("off", "no", "false", "n")


class Refused(Problem):
    """An option that cannot be done here, and why."""

    def __init__(self, option, why):
        super().__init__("%s: %s (%s has all options)" % (option, why, PAGE))
        self.option, self.why = option, why


def split(text, first=None):
    """[(key, value)] of 'a,b=c,d': two commas are one that ends nothing.

    What has no '=' is the value of the key `first` where it stands first, else a
    flag that is on.
    """
    found = []
    pieces = text.replace(",,", "\0").split(",")
    for number, piece in enumerate(pieces):
        piece = piece.replace("\0", ",")
        key, equals, value = piece.partition("=")
        if not equals and number == 0 and first:
            found.append((first, piece))
        elif piece:
            found.append((key, value if equals else "on"))
    return found


class Keys:
    """A value's keys, each taken once; what is left over is refused."""

    def __init__(self, option, text, first=None):
        self.option = option
        self.values = dict(split(text, first))

    def take(self, name, default=None):
        return self.values.pop(name, default)

    def flag(self, name, default=False):
        value = self.take(name)
        if value is None:
            return default
        if value.lower() in ON + OFF:
            return value.lower() in ON
        raise Refused(self.option, "%s=%s: has to be on or off" %
                      (name, value))

    def number(self, name, default=None):
        value = self.take(name)
        return default if value is None else number(self.option, value)

    def ignore(self, *names):
        """What makes no difference here."""
        for name in list(self.values):
            if name in names or any(n.endswith("*") and name.startswith(n[:-1])
                                    for n in names):
                del self.values[name]

    def end(self):
        for name, value in self.values.items():
            raise Refused(self.option, "%s=%s: this key is not known here" %
                          (name, value))


def number(option, text):
    try:
        return int(text, 0)
    except ValueError:
        raise Refused(option, "'%s' is no number" % text) from None


def size(option, text, unit="m"):
    """Bytes."""
    found = SIZE.match(text)
    if not found:
        raise Refused(option, "'%s' is no size, as 256M or 1G" % text)
    return int(float(found[1]) * UNITS[(found[2] or unit).lower()])
