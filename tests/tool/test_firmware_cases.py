# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead test` without a simulator: cases, verdicts, sources, maps, reports."""

import json
import os
import unittest
from unittest import mock
from xml.etree import ElementTree

from folder import FolderTest
from bulkhead_tool import Problem
from bulkhead_tool.test import (case, commands, golden, places, report_html,
                                report_junit, report_tap, runner, sources,
                                verdict)

STEP = '[[step]]\nexpect = "x"\n'


class Cases(FolderTest):
    def case(self, text):
        return case.Case(self.write("c.toml", text))

    def wrong(self, text, *words):
        with self.assertRaises(Problem) as caught:
            self.case(text)
        self.assertIn("c.toml", str(caught.exception))
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_what_may_be_said(self):
        found = self.case('firmware = "a.rom"\ndisk = "d.img"\nmemory = 16\n'
                          'verdict = "hang"\n[limits]\ninstructions = "40M"\n'
                          'exits = { io = 5, total = "2k" }\n' + STEP +
                          'on = "402"\nwithin = "1.5G"\n[[step]]\nkeys = '
                          '"a{f1}"\n[[step]]\nuntil = "exit"\ncode = 3\n')
        self.assertEqual(found.values["disk"], ["d.img"])
        self.assertEqual(found.limits["instructions"], 40_000_000)
        self.assertEqual(found.limits["exits"], {"io": 5, "total": 2000})
        self.assertEqual(found.limits["resets"], case.LIMITS["resets"])
        self.assertEqual([s.kind for s in found.steps],
                         ["expect", "keys", "until"])
        self.assertEqual(found.steps[0].more, {"on": "402",
                                               "within": 1_500_000_000})
        self.assertEqual(found.steps[1].value, [[30], [59]])

    def test_errors_name_the_key_and_what_is_allowed(self):
        for text, words in (
                ("fimware = 'x'\n" + STEP, ("fimware", "did you mean "
                                            "'firmware'?", "cdrom")),
                ("memory = 'x'\n" + STEP, ("memory: has to be a whole number",)),
                ("floppy = 'x'\n" + STEP, ("floppy: there is no floppy",)),
                ("boot = ['floppy0']\n" + STEP, ("boot: has to be a list of "
                                                 "drives",)),
                ("boot = ['disk0', 'disk0']\ndisk = 'a'\n" + STEP,
                 ("boot: has a drive twice",)),
                ("boot = ['disk1']\ndisk = 'a'\ncdrom = 'b'\n" + STEP,
                 ("boot: there is no 'disk1'", "disk0, cdrom0")),
                ("boot-menu-wait-ms = 0\n" + STEP,
                 ("boot-menu-wait-ms: has to be a whole number",)),
                ("manifest = 'm.dts'\nflash-vars = 'v.fd'\n" + STEP,
                 ("manifest: excludes flash-vars",)),
                ("verdict = 'bad'\n" + STEP, ("verdict: has to be one of",
                                              "triple-fault")),
                ("memory = 16\n", ("a case has to have steps",)),
                (STEP + "on = 'com9'\n", ("step 1: on: has to be one of serial",
                                          "post")),
                (STEP + STEP + "whithin = 3\n", ("step 2: whithin",
                                                 "'within'")),
                ("[[step]]\nwithin = 3\n", ("step 1: has to have one of",)),
                ("[[step]]\nxpect = 'a'\n", ("step 1: there is no such key",
                                            "'expect'")),
                ("[[step]]\nexpect = '('\n", ("no regular expression",)),
                ("[[step]]\nkeys = '{retrun}'\n", ("there is no key 'retrun'",)),
                ("[[step]]\nsend = '\\q'\n", ("unknown escape",)),
                ("[limits]\ninstructions = '4X'\n" + STEP,
                 ("limits: instructions: has to be a count",)),
                ("[limits]\nexits = { io = 0 }\n" + STEP,
                 ("limits: exits: io: has to be a count",)),
                ("manifest = 'm.dts'\nmemory = 3\n" + STEP,
                 ("manifest: excludes memory",)),
                ("memory = \n" + STEP, ("line 1",))):
            with self.subTest(text):
                self.wrong(text, *words)

    def test_a_short_case_is_a_manifest(self):
        found = self.case('disk = ["a", "b"]\ncdrom = "c"\nflash-vars = "v"\n'
                          'boot = ["cdrom0", "disk1"]\n'
                          'boot-menu-wait-ms = 70\n' + STEP)
        text = case.manifest_text(found.values, {
            "flash-vars": "v.fd", "disk0": "a.img", "disk1": "b.img",
            "cdrom0": "c.iso"})
        for line in ('boot-menu-wait-ms = <70>;',
                     'flash0 { image = "v.fd"; };',
                     'disk0 { bus = "ide"; image = "a.img"; };',
                     'disk1 { bus = "ide"; image = "b.img"; '
                     'boot-index = <2>; };',
                     'cdrom0 { bus = "ide"; image = "c.iso"; '
                     'boot-index = <1>; };'):
            self.assertIn("\t\t\t%s\n" % line, text)

    def test_a_patched_file_is_another_one_and_the_source_stays(self):
        self.write("r.rom", "\0\x01\x02")
        found = self.case('firmware = "r.rom"\npatch = [{ file = "firmware", '
                          'offset = 1, xor = 16 }]\n' + STEP)
        place = os.path.join(self.folder, "copy")
        case.fresh(found, "firmware", os.path.join(self.folder, "r.rom"), place)
        with open(place, "rb") as f:
            self.assertEqual(f.read(), b"\0\x11\x02")
        with open(os.path.join(self.folder, "r.rom"), "rb") as f:
            self.assertEqual(f.read(), b"\0\x01\x02")

    def test_cases_are_found_and_chosen(self):
        os.mkdir(os.path.join(self.folder, "sub"))
        for name in ("a.toml", "sub/ab.toml", "b.txt"):
            self.write(name, STEP)
        names = [j.name for j in commands.choose([self.folder], None)]
        self.assertEqual(names, ["a", "sub/ab"])
        self.assertEqual([j.name for j in commands.choose([self.folder],
                                                          "sub/*")],
                         ["sub/ab"])
        with self.assertRaisesRegex(Problem, "'zz' is in none of the 2"):
            commands.choose([self.folder], "zz")


class Verdicts(unittest.TestCase):
    def look(self, addresses=(0xf0000,), blocks=9, halts=0, exits=0):
        return verdict.Look(list(addresses), blocks, halts, exits)

    def test_what_is_ruled_out_first(self):
        spread = (0x1000, 0x90000)
        for look, kind, spoken, recent, wanted in (
                (self.look(blocks=0), "text", True, True, verdict.HALTED),
                (self.look(), "text", False, True, verdict.HANG),
                (self.look(), "text", True, True, verdict.HANG),
                (self.look(exits=5), "text", False, False, verdict.HANG),
                (self.look(exits=5), "text", True, False, verdict.WRONG_TEXT),
                (self.look(exits=5), "text", True, True, verdict.LIMIT),
                (self.look(spread), "text", True, False, verdict.HANG),
                (self.look(spread, exits=5), "text", True, True, verdict.LIMIT),
                (self.look(spread, exits=5), "text", False, False,
                 verdict.WRONG_TEXT),
                (self.look(spread, exits=5), "picture", False, False,
                 verdict.WRONG_PICTURE),
                (self.look(spread, exits=5), None, False, False, verdict.LIMIT),
                (self.look(halts=3, exits=3), "text", True, False,
                 verdict.WRONG_TEXT)):
            with self.subTest(wanted, look=vars(look)):
                self.assertEqual(verdict.unmet(look, kind, spoken, recent),
                                 wanted)

    def test_recent_is_a_part_of_what_was_waited(self):
        self.assertTrue(verdict.is_recent((10, 1), (100, 8)))
        self.assertFalse(verdict.is_recent((30, 1), (100, 8)))
        self.assertFalse(verdict.is_recent((10, 9), (100, 12)))


class Sources(unittest.TestCase):
    def setUp(self):
        self.log, self.debug = [], b""
        self.console = sources.Console(
            lambda guest, text: self.log.append((guest, text)), self.hear)

    def hear(self, data):
        self.debug += data

    def test_a_console_is_taken_apart(self):
        self.console.heard_serial(b"from serial\r\n")
        self.console.feed(b"[    0.100000] [g] POST code a5\r\nfrom 402\r\n"
                          b"from serial\r\n[    0.200000] warning: [g.0] "
                          b"triple fault at RIP 1f: reset\r\nhalf")
        self.console.settle()
        self.assertEqual(self.log, [("g", "POST code a5"),
                                    ("g.0", "triple fault at RIP 1f: reset")])
        self.assertEqual(self.debug, b"from 402\r\nhalf")

    def test_of_several_guests_one_is_looked_at(self):
        self.console.guest = "two"
        self.console.feed(b"[one] its line\r\n[two] a line\r\n[two]+and more"
                          b"\r\n[    0.100000] [two] POST code a5\r\n")
        self.assertEqual(self.debug, b"a line\r\nand more\r\n")
        self.assertEqual(self.log, [("two", "POST code a5")])

    def test_half_a_line_of_the_log_is_waited_for(self):
        self.console.feed(b"[    0.1000")
        self.console.settle()
        self.console.feed(b"00] Bulkhead\r\n")
        self.assertEqual((self.log, self.debug), ([(None, "Bulkhead")], b""))

    def test_lines_know_when_they_came(self):
        text = sources.Text("serial")
        text.feed(5, b"one\r\ntw")
        text.feed(7, b"o\r\n\x1b[1mthree")
        self.assertEqual(text.lines, [(5, "one"), (5, "two"), (7, "three")])
        self.assertEqual(text.since(5), ["three"])
        text.feed(9, b"!")
        self.assertEqual(text.since(8), ["three!"])
        self.assertTrue(text.search(case.pattern("^two$")))
        self.assertFalse(text.search(case.pattern("^one$")))


class Maps(FolderTest):
    def test_maps_that_are_known(self):
        for text in ("000f0010 T first\n000f0100 t second\n",
                     "                0x00000000000f0010                first\n"
                     "                0x00000000000f0100                second\n",
                     "           F0010            F0010  first\n"
                     "           F0100            F0100  second\n",
                     " 0001:00000010       first          000f0010 f   a.obj\n"
                     " 0001:00000100       second         000f0100 f   a.obj\n"):
            with self.subTest(text):
                found = places.Places(self.write("x.map", text))
                self.assertEqual(found.name(0xf0104), "f0104 (second+0x4)")
                self.assertEqual(found.name(0xf0000), "f0000")
        found = places.Places(self.write("x.map", text), 0x1000)
        self.assertEqual(found.name(0xf1104), "f1104 (second+0x4)")

    def test_what_is_no_map_is_refused(self):
        with self.assertRaisesRegex(Problem, "no map that is known"):
            places.Places(self.write("x.map", "hello\n"))

    def test_a_table_begins_with_the_most(self):
        self.assertEqual(places.Places().table([1, 2, 2, 2]),
                         ["3 of 4 at 2", "1 of 4 at 1"])


class Errors(FolderTest):
    """What goes wrong before there is a simulator."""

    def run_case(self, text):
        work = os.path.join(self.folder, "work")
        os.mkdir(work)
        return runner.Run(case.Case(self.write("c.toml", text)),
                          work).execute()

    def test_a_file_that_is_not_there_is_the_cases_error(self):
        found = self.run_case('firmware = "none.rom"\n' + STEP)
        self.assertEqual(found.verdict, verdict.CASE_ERROR)
        self.assertIn("there is no file 'none.rom'", found.why)
        self.assertFalse(found.is_green)

    def test_a_monitor_that_is_none_is_the_hosts_error(self):
        self.write("r.rom", "\0" * 65536)
        with mock.patch.dict(os.environ, {
                "BULKHEAD_MONITOR": self.write("no32.elf", "no ELF")}):
            found = self.run_case('firmware = "r.rom"\n' + STEP)
        self.assertEqual(found.verdict, verdict.HOST_ERROR)
        self.assertFalse(found.is_green)


def result(name="one", found=verdict.PASSED, wanted=verdict.PASSED, **more):
    made = runner.Result("x/%s.toml" % name, name, wanted)
    made.verdict, made.is_green = found, found == wanted
    made.counts = {"instructions": 1000, "resets": 0, "triple-faults": 0}
    made.exits = {"io": 10, "total": 12}
    made.steps = [["expect <x>", 10, 20], ["expect y", 20, None]]
    made.events = [(5, "serial", "a <b>\x01"), (6, "post", "a5"),
                   (7, "log", "noise")]
    for key, value in more.items():
        setattr(made, key, value)
    return made.plain()


class Reports(FolderTest):
    def setUp(self):
        super().setUp()
        self.results = [
            result(), result("two", verdict.HANG, why="said <nothing>",
                             where=["9 of 9 at f00 (loop+0x1)"], step=2),
            result("three", verdict.HOST_ERROR)]

    def test_junit_counts_failures_and_errors(self):
        suite = ElementTree.fromstring(report_junit.make(self.results))[0]
        self.assertEqual((suite.get("tests"), suite.get("failures"),
                          suite.get("errors")), ("3", "1", "1"))
        failure = suite.find("testcase/failure")
        self.assertEqual(failure.get("type"), "hang")
        self.assertIn("where: 9 of 9 at f00 (loop+0x1)", failure.text)
        self.assertIn("a <b>?", suite.find("testcase/system-out").text)

    def test_tap_has_a_plan_and_a_line_for_each(self):
        lines = report_tap.make(self.results).decode().split("\n")
        self.assertEqual(lines[:3], ["TAP version 13", "1..3", "ok 1 - one"])
        self.assertIn("not ok 2 - two", lines)
        self.assertIn('  verdict: "hang"', lines)

    def test_the_page_is_whole_and_escaped(self):
        page = report_html.make(self.results).decode()
        self.assertIn("1 of 3 cases ended as they should", page)
        self.assertIn("said &lt;nothing&gt;", page)
        self.assertNotIn("<nothing>", page)
        self.assertNotRegex(page, r"(src|href)=['\"]?(https?:|/|\w+\.)")

    def test_the_last_green_run_is_compared_with(self):
        place = golden.Place(os.path.join(self.folder, "one.toml"), "one")
        self.assertIsNone(golden.compare(place, self.results[0]))
        golden.keep(place, self.results[0])
        self.assertEqual(golden.compare(place, self.results[0]), [])
        changed = result(events=[(5, "serial", "other")],
                         exits={"io": 11, "total": 13})
        self.assertEqual(golden.compare(place, changed), [
            'serial, line 1: was "a <b>\x01", is "other"',
            'post ends before line 1: "a5"',
            "exits io: 11, was 10 (+1)", "exits total: 13, was 12 (+1)"])

    def test_accepted_counts_are_held_to(self):
        place = golden.Place("x/one.toml", "one", self.folder)
        with self.assertRaisesRegex(verdict.Outcome, "--accept writes it"):
            golden.check(place, 2, {"instructions": 1000, "exits": 12})
        golden.accept(place, self.results[0])
        with open(place.accepted, encoding="utf-8") as f:
            self.assertEqual(json.load(f), {"exits": 12, "instructions": 1000})
        golden.check(place, 2, {"instructions": 1020, "exits": 12})
        for counts in ({"instructions": 1021, "exits": 12},
                       {"instructions": 1000, "exits": 11}):
            with self.assertRaises(verdict.Outcome) as caught:
                golden.check(place, 2, counts)
            self.assertEqual(caught.exception.verdict, verdict.LIMIT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
