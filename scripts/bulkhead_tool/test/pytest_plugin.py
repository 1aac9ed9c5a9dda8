# SPDX-License-Identifier: BSD-2-Clause
"""The steps of `bulkhead test` as functions, for cases that are programs.

	PYTHONPATH=scripts pytest-3 -p bulkhead_tool.test.pytest_plugin tests.py

	def test_prompt(bulkhead):
	    pc = bulkhead(cdrom="grub-rescue.iso", limits={"instructions": "300M"})
	    pc.expect("GNU GRUB", on="screen")
	    pc.keys("c")

What bulkhead() is told are a case's keys (docs/testing-firmware.md), with _ for -;
files are looked for beside the test.  A step that is not met fails the test with
the verdict, what there was instead, and where the guest is.
"""

import os
import tempfile

import pytest

from .. import Problem, processes
from . import case as cases
from . import runner, steps, verdict


class Unmet(AssertionError):
    """A step's verdict; verdict, why and where say more."""

    def __init__(self, outcome):
        self.verdict, self.why = outcome.verdict, outcome.why
        self.where = outcome.where
        super().__init__("\n".join(["%s: %s" % (outcome.verdict, outcome.why)] +
                                   ["where: " + w for w in outcome.where]))


class Program(cases.Case):
    """A case that a test says, instead of a file."""

    def __init__(self, name, folder, values):
        self.path, self.name, self.folder = name, name, folder
        # take() wants steps; these are functions.
        self.take(dict(values, step=[{"wait": 1}]))


class Guest:
    """A PC that runs, in the hands of a test."""

    def __init__(self, case, work):
        self.run = runner.Run(case, work)
        self._guarded(self.run.boot)

    def _guarded(self, function, *words):
        try:
            return function(*words)
        except verdict.Outcome as outcome:
            raise Unmet(outcome) from None

    def _step(self, kind, value, **more):
        values = {k: v for k, v in more.items() if v is not None}
        step = cases.Step(dict(values, **{kind: value}),
                          self.run.case.values.get("layout", "us"))
        self._guarded(self.run.do, step)

    def expect(self, text, on="serial", within=None):
        """text: a regular expression."""
        self._step("expect", text, on=on, within=within)

    def image(self, needle, region=None, tolerance=None, within=None):
        self._step("image", needle, region=region, tolerance=tolerance,
                   within=within)

    def send(self, text):
        self._step("send", text)

    def keys(self, text):
        self._step("keys", text)

    def pointer(self, **values):
        self._step("pointer", values)

    def eject(self, unit):
        self._step("eject", unit)

    def insert(self, unit):
        self._step("insert", unit)

    def unplug(self, unit):
        self._step("unplug", unit)

    def plug(self, unit):
        self._step("plug", unit)

    def power(self):
        self._step("power", True)

    def reset(self):
        self._step("reset", True)

    def nmi(self):
        self._step("nmi", True)

    def wait(self, count):
        self._step("wait", count)

    def until(self, end, code=None, within=None):
        self._step("until", end, code=code, within=within)

    # ---- What is known of it ---------------------------------------------

    @property
    def instructions(self):
        return self.run.sim.now

    @property
    def exits(self):
        return self.run.exits()

    @property
    def resets(self):
        return self.run.sim.resets()

    def said(self, source="serial"):
        return [text for _, text in self.run.source(source).lines]

    def screen_text(self):
        """What the screen showed last, if a step looked at it."""
        watch = self.run.screens.get("text")
        return steps.shown_text(watch.shown) if watch else ""

    def close(self):
        if self.run.sim:
            self.run.sim.close()


def end(guests):
    for guest in guests:
        guest.close()
    processes.end_all()


@pytest.fixture
def bulkhead(request):
    """A function that starts a PC; all of them end with the test."""
    guests = []
    folder = os.path.dirname(str(request.node.fspath))
    with tempfile.TemporaryDirectory(prefix="bulkhead-") as work:
        def start(**values):
            named = {k.replace("_", "-"): v for k, v in values.items()}
            try:
                case = Program(request.node.name, folder, named)
            except cases.Wrong as error:
                raise Problem("bulkhead(): %s" % error) from None
            place = os.path.join(work, str(len(guests)))
            os.mkdir(place)
            guests.append(Guest(case, place))
            return guests[-1]

        try:
            yield start
        finally:
            processes.whole(end, guests)
