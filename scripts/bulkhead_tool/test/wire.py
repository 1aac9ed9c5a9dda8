# SPDX-License-Identifier: BSD-2-Clause
"""A case's `net`: the guest's network and QEMU's user network.

Frames go between slices: what is outside takes real time.
"""

import contextlib
import select

from .. import Problem
from ..control import far_end, network
from . import verdict


class Wire:
    def __init__(self, run):
        """The host is there, its guest may be starting."""
        case = run.case
        try:
            options = "".join(",%s=%s" % pair for pair in
                              case.network_options(run.work))
        except Problem as problem:
            raise verdict.Outcome(verdict.CASE_ERROR, str(problem)) from None
        self.end = None
        try:
            self.end = far_end.parse(case.values["net"] + options).open()
            self.port = network.Port(run.link, "join")
        except ValueError as error:
            raise verdict.Outcome(verdict.CASE_ERROR,
                                  "net: %s" % error) from None
        except BaseException:
            self.close()
            raise
        run.claims[self.port.number] = self._heard

    def _heard(self, part):
        with contextlib.suppress(EOFError):    # the guest's host ends
            found = self.port.take(part)
            if found:
                self.end.send(found[1])

    def turn(self):
        """What has come from outside; Problem: nothing will any more."""
        if self.end.unsent:
            self.end.flush()
        while select.select([self.end], [], [], 0)[0]:
            for data in self.end.receive():
                self.port.send(data)

    def close(self):
        if self.end:
            with contextlib.suppress(Problem):
                self.end.close()
