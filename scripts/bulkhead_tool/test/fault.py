# SPDX-License-Identifier: BSD-2-Clause
"""A case's faults: what goes wrong on purpose.

Most are its machine's, by a node of the manifest's (docs/manifest.md), and the
machine says in the log when they come.  An NMI and a flipped bit come from here, at a
count of the host's instructions: the simulated host stands there meanwhile.
"""

import re

from ..control import frames
from . import verdict
from .verdict import Outcome

CAME = re.compile(r"fault: (.*)$")
POWER_CUT = "power cut"
CELL_MAX = (1 << 32) - 1
GPA_MAX = (1 << 52) - 1
# Of the machine: how many numbers, or from how many on to how many.
NODE = {"disk-error": (1, 2), "irq-lost": (2, 2), "irq-late": (3, 3),
        "flash-fail": (1, 1), "flash-torn": (1, 1), "power-cut": (1, 1),
        "power-cut-torn": (1, 1)}
AS_WORDS = {"irq-lost": "[line, n]", "irq-late": "[line, n, microseconds]",
            "disk-error": "a sector, or [sector, unit]"}
PATIENCE = 50    # slices until the debugger answers
# To QStartNoAckMode, to qRcmd, and to D.
ANSWERS = re.compile(rb"\$OK#..\+*\$((?:[0-9a-f]{2})+)#..\+*\$OK#..")


def fields(wrong, whole, count, table):
    """What a case's `fault` may have, by case.py's checks."""
    def cells(name, least, most):
        def check(value):
            found = value if isinstance(value, list) else [value]
            if not least <= len(found) <= most or not all(
                    type(n) is int and 0 <= n <= CELL_MAX for n in found):
                raise wrong("has to be %s" % AS_WORDS.get(
                    name, "a whole number, or k"))
            return found
        return check

    found = {name: cells(name, *counts) for name, counts in NODE.items()}
    found["nmi"] = count
    found["memory-flip"] = table({"address": whole(0, GPA_MAX),
                                  "bit": whole(0, 7), "at": count})
    return found


def check_all(fault, wrong):
    """Of keys that go only together."""
    flip = fault.get("memory-flip")
    missing = [] if flip is None else \
        [key for key in ("address", "bit", "at") if key not in flip]
    if missing:
        raise wrong("fault: memory-flip: has to have %s, too" %
                    " and ".join(missing))


def node(fault):
    """The manifest's node, or nothing."""
    lines = []
    for name in NODE:
        cells = fault.get(name)
        if cells is None:
            continue
        if name == "disk-error" and len(cells) == 2:
            lines.append("disk-unit = <%d>;" % cells[1])
            cells = cells[:1]
        lines.append("%s = <%s>;" % (name, " ".join(map(str, cells))))
    return "fault { %s };" % " ".join(lines) if lines else ""


def is_any(fault):
    """Not only those whose n is 0: never."""
    for name, cells in fault.items():
        if name not in NODE or name == "disk-error":
            return True
        if cells[1 if name.startswith("irq") else 0]:
            return True
    return False


def packet(text):
    """Of the GDB remote protocol."""
    return b"$%s#%02x" % (text.encode(), sum(text.encode()) & 0xff)


def monitor(run, line):
    """What the guest's debugger says to that, and the guest goes on at once.

    All of it is sent in one: while the guest stood and waited for more, the host
    would be at rest, and wake when it does.
    """
    heard = bytearray()
    number = run.link.new_id()
    run.claims[number] = lambda part: heard.extend(
        part.data if part.what == frames.DEBUG else b"")
    run.link.post("debug", number, guest=run.guest)
    run.link.send_binary(number, frames.DEBUG, packet("QStartNoAckMode") +
                         packet("qRcmd," + line.encode().hex()) + packet("D"))
    for _ in range(PATIENCE):
        run.turn_over()
        found = ANSWERS.search(heard)
        if found:
            run.link.ask("close", of=number)
            del run.claims[number]
            return bytes.fromhex(found[1].decode()).decode().strip()
    raise Outcome(verdict.HOST_ERROR, "the guest's debugger does not answer")


def flip(run, what):
    """A bit of the guest's memory."""
    said = monitor(run, "flip 0x%x %d" % (what["address"], what["bit"]))
    if ", now " not in said:
        raise Outcome(verdict.CASE_ERROR, "fault: memory-flip: %x: %s" % (
            what["address"], said))
    return "bit %d at %x flipped: %s" % (what["bit"], what["address"], said)


def nmi(run, _what):
    run.link.ask("nmi", guest=run.guest)
    return "NMI"


class Faults:
    """Of a run: those to come, and those that came."""

    def __init__(self, run):
        self.run = run
        fault = run.case.values.get("fault", {})
        self.is_any = is_any(fault)
        self.came = []
        self.cuts = 0
        self.due = []    # count of instructions, what, how
        if "nmi" in fault:
            self.due.append((fault["nmi"], nmi, None))
        if "memory-flip" in fault:
            what = fault["memory-flip"]
            self.due.append((what["at"], flip, what))
        self.due.sort(key=lambda due: due[0])

    def next(self):
        """The count of instructions to stop at; None."""
        return self.due[0][0] if self.due else None

    def begin(self):
        """The guest is attached."""
        if self.due and self.due[0][0] < self.run.sim.now:
            raise Outcome(verdict.CASE_ERROR, "fault: at %d instructions the "
                          "guest has not begun: it does at %d" %
                          (self.due[0][0], self.run.sim.now))

    def look(self):
        """After a slice."""
        while self.due and self.run.link and not self.run.end and \
                self.run.sim.now >= self.due[0][0]:
            at, make, what = self.due.pop(0)
            self._note("%s, at %d instructions" % (make(self.run, what), at))

    def logged(self, text):
        found = CAME.match(text)
        if not found:
            return
        if found[1].startswith(POWER_CUT):
            self.cuts += 1
            self.run.own_resets += 1
        self._note(found[1])

    def _note(self, text):
        self.came.append(text)
        self.run.note("fault", text)

    def check(self):
        """A case that was to have a fault has had it."""
        if self.is_any and not self.came and self.run.case.k is None:
            raise Outcome(verdict.NO_FAULT, "nothing was tested")
