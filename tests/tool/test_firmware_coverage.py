# SPDX-License-Identifier: BSD-2-Clause
"""Whether examples/firmware/ has a case for each verdict, step and fault there is, and
one whose expectation is wrong: the tables of the code against the cases."""

import os
import re
import socket
import unittest
from unittest import mock

from folder import FolderTest
from bulkhead_tool import host
from bulkhead_tool.test import (case, commands, fault, runner, simulation,
                                verdict)

FOLDER = os.path.join(host.TOP, "examples/firmware")
PAGE = os.path.join(host.TOP, "docs/testing-firmware.md")
# Steps that wait for something; the others do something.
WAITING = ("expect", "image", "until")
# No case may want these: tests of the tool end in them.
NOT_WANTED = {verdict.STALLED, verdict.CASE_ERROR}
NAMED_FAULTS = ("nmi", "memory-flip")


def kind_of(step):
    """expect and until are as many steps as they have places and ends."""
    if step.kind == "expect":
        return "expect on " + step.more.get("on", "serial")
    if step.kind == "until":
        return "until " + step.value
    return step.kind


def waiting():
    """All kinds of those that wait."""
    return ["expect on " + on for on in case.SOURCES] + \
        ["until " + end for end in case.ENDS] + ["image"]


def doing():
    return [kind for kind in case.STEPS if kind not in WAITING]


def read(folder):
    """{name: case.Case} of a folder's cases."""
    return {name: case.Case(path) for path, name in commands.files_of(folder)}


def missing(cases):
    """What there is no case for, as texts."""
    green = [c for c in cases.values() if c.verdict == verdict.PASSED]
    red = [c for c in cases.values() if c.verdict != verdict.PASSED]
    used = {kind_of(s) for c in green for s in c.steps}
    unmet = {kind_of(c.steps[-1]) for c in red}
    wanted = {c.verdict for c in cases.values()}
    faults = {name for c in cases.values()
              for name in c.values.get("fault", {}) if fault.is_any(
                  c.values["fault"]) or c.is_swept}
    found = ["verdict " + v for v in verdict.WANTED if v not in wanted]
    found += [kind for kind in waiting() + doing() if kind not in used]
    found += [kind + ", not met" for kind in waiting() if kind not in unmet]
    found += ["steps/%s-wrong" % kind for kind in doing()
              if cases.get("steps/%s-wrong" % kind) not in red]
    return found + ["fault " + name for name in (*fault.NODE, *NAMED_FAULTS)
                    if name not in faults]


class Examples(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.cases = read(FOLDER)

    def test_nothing_is_missing(self):
        self.assertEqual(missing(self.cases), [])

    def test_what_is_taken_away_is_missed(self):
        for name, lost in (
                ("verdicts/host-error", "verdict host-error"),
                ("steps/pointer-wrong", "steps/pointer-wrong"),
                ("steps/e9-wrong", "expect on e9, not met"),
                ("faults/nmi", "fault nmi"),
                ("steps/until-power-cut-wrong", "until power-cut, not met"),
                ("steps/power", "power")):
            with self.subTest(name):
                rest = {n: c for n, c in self.cases.items() if n != name}
                self.assertIn(lost, missing(rest))

    def test_what_is_new_is_missed(self):
        more = dict(case.STEPS, dance=case.STEPS["power"])
        with mock.patch.object(case, "STEPS", more):
            self.assertEqual(missing(self.cases),
                             ["dance", "steps/dance-wrong"])
        for where, name, lost in (
                (verdict, "WANTED", ["verdict bored"]),
                (case, "SOURCES", ["expect on bored",
                                   "expect on bored, not met"]),
                (case, "ENDS", ["until bored", "until bored, not met"])):
            with mock.patch.object(where, name,
                                   getattr(where, name) + ("bored",)):
                self.assertEqual(missing(self.cases), lost)

    def test_no_case_may_end_otherwise(self):
        for name, one in self.cases.items():
            for end in verdict.MEANING:
                run = runner.Run(one, self.folder)
                run.outcome(verdict.Outcome(end, "nothing"))
                run.finish()
                with self.subTest(name=name, end=end):
                    self.assertEqual(
                        run.result.is_green, end == one.verdict and (
                            one.why is None or
                            bool(one.why.search("nothing"))))

    def test_all_faults_are_known(self):
        known = fault.fields(case.Wrong, case.whole, case.count, case.table)
        self.assertEqual(set(known), {*fault.NODE, *NAMED_FAULTS})

    def test_the_page_has_all_of_them(self):
        with open(PAGE, encoding="utf-8") as f:
            page = f.read()
        words = set(re.findall(r"(?:`|= )\"?([\w-]+)", page))
        for name in (*verdict.MEANING, *case.STEPS, *case.SOURCES, *case.ENDS,
                     *fault.NODE, *NAMED_FAULTS):
            self.assertIn(name, words)


class NotWanted(FolderTest):
    """Verdicts that no case may want, for it would pass where nothing was tested."""

    def run_case(self, text):
        return runner.Run(case.Case(self.write("c.toml", text)), self.folder)

    def test_there_are_no_others(self):
        self.assertEqual(set(verdict.MEANING) - set(verdict.WANTED), NOT_WANTED)
        for name in NOT_WANTED:
            with self.assertRaisesRegex(Exception, "verdict: has to be one of"):
                self.run_case('verdict = "%s"\n[[step]]\nwait = 1\n' % name)

    def test_a_simulator_that_does_not_move(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        sim = simulation.Simulation.__new__(simulation.Simulation)
        sim.pace, sim.session, sim.now = ours, mock.Mock(is_over=False), 0
        sim.is_over, sim.is_exact = False, True
        run = self.run_case("[[step]]\nwait = 1\n")
        with mock.patch.object(simulation, "STALLED_AFTER", -1.0), run.judged():
            sim._await_report(True)
        self.assertEqual(run.result.verdict, verdict.STALLED)

    def test_a_manifest_that_is_not_there(self):
        run = self.run_case('manifest = "none.dts"\n[[step]]\nwait = 1\n')
        self.assertEqual(run.execute().verdict, verdict.CASE_ERROR)


if __name__ == "__main__":
    unittest.main(verbosity=2)
