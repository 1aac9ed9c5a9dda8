# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead test`: a case's faults, and what is swept, without a simulator."""

import os
import unittest
from unittest import mock

from folder import FolderTest
from bulkhead_tool import Problem, fdt, host
from bulkhead_tool.test import case, commands, fault, runner, sweep, verdict

STEP = '[[step]]\nexpect = "x"\n'
MANIFEST = """/dts-v1/;
/ { compatible = "bulkhead,host-v1"; guests { a { board = "pc";
memory-mib = <16>; flash0 { image = "f.fd"; }; fault { flash-fail = <9>; }; };
}; };
"""


class Ranges(unittest.TestCase):
    def test_a_range_has_both_ends(self):
        self.assertEqual(list(sweep.parse("0..3")), [0, 1, 2, 3])
        self.assertEqual(list(sweep.parse("k=7..7")), [7])
        self.assertEqual(list(sweep.parse("0..12/4")), [0, 4, 8, 12])
        self.assertEqual(list(sweep.parse("k=1..6 / 4")), [1, 5])
        for text in ("3..1", "1-3", "k=1", "", "0..9999999", 3, "0..4/0",
                     "0..4/", "0..4/-1"):
            with self.subTest(text), self.assertRaises(ValueError):
                sweep.parse(text)

    def test_k_stands_alone_or_in_a_term(self):
        for text, wanted in (("k", 5), ("2*k", 10), ("k * 0x10", 80),
                             ("k + 0x100", 261), ("3 * k + 1", 16),
                             ("0 * k", 0)):
            self.assertEqual(sweep.at({"a": [{"b": text}]}, 5),
                             {"a": [{"b": wanted}]}, text)
        for text in ("kk", "k - 1", "disk", "1 + k", "k k", 5):
            self.assertEqual(sweep.at(text, 5), text)
            self.assertFalse(sweep.uses_k(text))

    def test_numbers_are_told_in_ranges(self):
        self.assertEqual(sweep.ranges([3, 1, 2, 7, 9, 10]), "1..3, 7, 9..10")
        self.assertTrue(sweep.ranges(range(0, 40, 2)).endswith(", 14, ..."))


class Cases(FolderTest):
    def case(self, text, k=None):
        return case.Case(self.write("c.toml", text), k)

    def wrong(self, text, *words):
        with self.assertRaises(Problem) as caught:
            self.case(text)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_each_fault_is_in_the_node(self):
        found = self.case('fault = { disk-error = [7, 2], irq-lost = [0, 3], '
                          'irq-late = [14, 1, 500], flash-fail = 1, '
                          'flash-torn = 2, power-cut = 3, power-cut-torn = 4, '
                          'nmi = "40M", memory-flip = { address = 0x600, '
                          'bit = 7, at = "50M" } }\n' + STEP)
        for _ in range(2):
            self.assertEqual(
                fault.node(found.values["fault"]),
                "fault { disk-unit = <2>; disk-error = <7>; irq-lost = <0 3>; "
                "irq-late = <14 1 500>; flash-fail = <1>; flash-torn = <2>; "
                "power-cut = <3>; power-cut-torn = <4>; };")
        due = fault.Faults(mock.Mock(case=found)).due
        self.assertEqual([d[0] for d in due], [40_000_000, 50_000_000])
        self.assertEqual(fault.node({"nmi": 5}), "")

    def test_errors_say_what_is_allowed(self):
        for text, words in (
                ("fault = { disk-eror = 1 }\n",
                 ("fault: disk-eror: there is no such key: did you mean "
                  "'disk-error'?", "irq-late", "memory-flip")),
                ("fault = { irq-lost = 3 }\n",
                 ("fault: irq-lost: has to be [line, n]",)),
                ("fault = { irq-late = [3, 1] }\n",
                 ("fault: irq-late: has to be [line, n, microseconds]",)),
                ('fault = { power-cut = "j" }\n',
                 ("fault: power-cut: has to be a whole number, or k",)),
                ("fault = { power-cut = -1 }\n", ("fault: power-cut",)),
                ("fault = { nmi = 0 }\n", ("fault: nmi: has to be a count",)),
                ("fault = { memory-flip = { bit = 8 } }\n",
                 ("memory-flip: bit: has to be a whole number from 0 to 7",)),
                ("fault = { memory-flip = { bit = 1 } }\n",
                 ("memory-flip: has to have address and at, too",)),
                ("fault = 3\n", ("fault: has to be a table",)),
                ('fault = { power-cut = "k" }\n',
                 ("fault: it uses k: give --sweep k=0..N",)),
                ('sweep = "0..3"\n', ("sweep: neither fault nor patch uses k",)),
                ('sweep = "3..0"\nfault = { power-cut = "k" }\n',
                 ("sweep: has to rise",)),
                ('sweep = "1..3"\ngolden = "2 %"\nfault = { nmi = "k" }\n',
                 ("golden: is not for a case that is swept",)),
                ('patch = [{ file = "firmware", offset = 1 }]\n',
                 ("patch: has to have file, offset, and either xor or bit",)),
                ('patch = [{ file = "firmware", offset = 1, xor = 1, bit = 1 }'
                 ']\n', ("either xor or bit",))):
            with self.subTest(text):
                self.wrong(text + STEP, *words)

    def test_k_is_filled_in(self):
        text = 'sweep = "2..4"\nfault = { power-cut = "k" }\n' \
            'patch = [{ file = "firmware", offset = 8, bit = "k + 16" }]\n'
        self.assertEqual(self.case(text + STEP).values["fault"],
                         {"power-cut": [2]})
        found = self.case(text + STEP, 3)
        self.assertEqual(found.values["fault"], {"power-cut": [3]})
        self.assertEqual(found.values["patch"],
                         [{"file": "firmware", "offset": 10, "xor": 8}])
        self.assertTrue(found.is_swept)

    def test_runs_of_a_sweep(self):
        self.write("a.toml", 'sweep = "2..4"\nfault = { power-cut = "k" }\n' +
                   STEP)
        self.write("b.toml", STEP)
        jobs = commands.choose([self.folder], None)
        self.assertEqual([(j.number, j.name, j.options()) for j in jobs],
                         [(0, "a k=2", ["--k", "2"]), (1, "a k=3", ["--k", "3"]),
                          (2, "a k=4", ["--k", "4"]), (3, "b", [])])
        jobs = commands.choose([self.folder], None, sweep.parse("0..1"))
        self.assertEqual([j.name for j in jobs], ["a k=0", "a k=1", "b"])
        with self.assertRaisesRegex(Problem, "--sweep: no case uses k"):
            commands.choose([self.folder], "b", sweep.parse("0..1"))

    def test_a_k_that_is_wrong_is_found_before_any_runs(self):
        self.write("a.toml", 'fault = { memory-flip = { address = 0, '
                   'bit = "k", at = "1M" } }\n' + STEP)
        self.assertEqual(len(commands.choose([self.folder], None,
                                             sweep.parse("0..7"))), 8)
        with self.assertRaisesRegex(Problem, "bit: has to be"):
            commands.choose([self.folder], None, sweep.parse("0..8"))


class Manifests(FolderTest):
    def test_a_manifest_has_the_fault_beside_what_it_says(self):
        self.write("m.dts", MANIFEST)
        found = case.Case(self.write("c.toml", 'manifest = "m.dts"\n'
                                     'fault = { power-cut = 3 }\n' + STEP))
        made = []
        with mock.patch.object(host, "Host", lambda *words: made.append(words)):
            case.manifest_host(found, self.folder)
        source, work, folder = made[0]
        self.assertEqual((work, folder),
                         (self.folder, os.path.realpath(self.folder)))
        guest = fdt.parse(fdt.compile_source(source)).child("guests") \
            .child("a")
        self.assertEqual(guest.child("fault").number("power-cut"), 3)
        self.assertEqual(guest.child("fault").number("flash-fail"), 9)
        self.assertEqual(guest.number("memory-mib"), 16)


class Came(FolderTest):
    def faults(self, text, k=None):
        run = mock.Mock(own_resets=0, case=case.Case(
            self.write("c.toml", text + STEP), k))
        return fault.Faults(run)

    def test_what_the_machine_says_is_heard(self):
        found = self.faults("fault = { power-cut = 3 }\n")
        for text in ("POST code 04", "fault: power cut at write 3",
                     "fault: flash write 4 failed"):
            found.logged(text)
        self.assertEqual(found.came, ["power cut at write 3",
                                      "flash write 4 failed"])
        # The reset that it makes is not the guest's.
        self.assertEqual((found.cuts, found.run.own_resets), (1, 1))
        found.check()

    def test_one_that_did_not_come_is_a_verdict(self):
        with self.assertRaises(verdict.Outcome) as caught:
            self.faults("fault = { power-cut = 3 }\n").check()
        self.assertEqual(caught.exception.verdict, verdict.NO_FAULT)
        self.faults("").check()
        self.faults("fault = { power-cut = 0, irq-lost = [3, 0] }\n").check()
        # A sweep goes beyond the last one.
        self.faults('fault = { power-cut = "k" }\n', 3).check()

    def test_which_are_none(self):
        for text, wanted in (("power-cut = 0", False), ("disk-error = 0", True),
                             ("irq-lost = [1, 0]", False),
                             ("irq-late = [0, 1, 5]", True),
                             ("nmi = 1", True)):
            self.assertEqual(self.faults("fault = { %s }\n" % text).is_any,
                             wanted, text)


def result(k, found=verdict.PASSED, where=(), has_fault=True, faults=("x",)):
    made = runner.Result("x/one.toml", "one k=%s" % k)
    made.verdict, made.where, made.k = found, list(where), k
    made.has_fault, made.faults = has_fault, list(faults)
    return made.plain()


class Summaries(unittest.TestCase):
    def test_by_verdict_and_place(self):
        results = [result(0, has_fault=False, faults=()), result(1), result(2),
                   result(3, verdict.HANG, ["9 of 9 at f00 (loop)"]),
                   result(4, verdict.HANG, ["7 of 9 at f00 (loop)"]),
                   result(5, verdict.HANG, ["9 of 9 at 1234"]),
                   result(6, faults=())]
        self.assertEqual(sweep.summary(results), [
            "one, swept:", "     4 passed: k = 0..2, 6",
            "     2 hang at f00 (loop): k = 3..4",
            "     1 hang at 1234: k = 5", "     no fault came: k = 6"])
        self.assertEqual(len(list(sweep.swept(results + [result(None)]))), 1)
        self.assertFalse(sweep.is_vacuous(results))

    def test_a_sweep_without_any_fault_is_none(self):
        self.assertTrue(sweep.is_vacuous([result(1, faults=()),
                                          result(2, faults=())]))
        self.assertFalse(sweep.is_vacuous([result(1, has_fault=False,
                                                  faults=())]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
