# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead test` without a simulator: cases, verdicts, sources, maps, reports."""

import json
import os
import re
import socket
import unittest
from unittest import mock
from xml.etree import ElementTree

from folder import FolderTest
from bulkhead_tool import Problem
from bulkhead_tool.test import (case, commands, golden, modes, places,
                                report_html, report_junit, report_tap, runner,
                                simulation, sources, verdict)

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

    def test_a_network(self):
        os.mkdir(os.path.join(self.folder, "files"))
        found = self.case('net = "user"\ntftp = "files"\nbootfile = "a"\n'
                          'disk = "d.img"\nboot = "disk0"\n' + STEP)
        self.assertEqual(list(found.network_options(self.folder)), [
            ("tftp", os.path.join(os.path.realpath(self.folder), "files")),
            ("bootfile", "a")])
        self.assertFalse(found.is_exact)
        text = case.manifest_text(found.values, {"disk0": "d.img"})
        self.assertIn('nic0 { model = "e1000"; switch = "net"; boot-index = '
                      '<2>; };', text)
        self.assertNotIn("nic0", case.manifest_text(self.case(STEP).values,
                                                    {}))

    def test_files_for_tftp_one_by_one(self):
        os.mkdir(os.path.join(self.folder, "work"))
        outside = self.write("outside", "far")
        os.mkdir(os.path.join(self.folder, "files"))
        self.write("files/near", "near")
        found = self.case('net = "user"\ntftp = ["files/near", "%s"]\n' %
                          outside + STEP)
        work = os.path.join(self.folder, "work")
        (_, folder), = found.network_options(work)
        self.assertEqual(sorted(os.listdir(folder)), ["near", "outside"])
        for name in ("near", "outside"):
            with open(os.path.join(folder, name), encoding="ascii") as f:
                self.assertEqual(f.read(), {"near": "near",
                                            "outside": "far"}[name])

    def test_a_file_for_tftp_that_is_not_there(self):
        found = self.case('net = "user"\ntftp = ["none"]\n' + STEP)
        with self.assertRaises(Problem) as caught:
            list(found.network_options(self.folder))
        self.assertIn("tftp: there is no file 'none'", str(caught.exception))

    def test_errors_name_the_key_and_what_is_allowed(self):
        for text, words in (
                ("fimware = 'x'\n" + STEP, ("fimware", "did you mean "
                                            "'firmware'?", "cdrom")),
                ("memory = 'x'\n" + STEP, ("memory: has to be a whole number",)),
                ("net = 'tap'\n" + STEP, ("net: has to be one of user",)),
                ("tftp = '.'\n" + STEP, ('tftp: is of a network: say net = '
                                         '"user", too',)),
                ("net = 'user'\ntftp = 'none'\n" + STEP,
                 ("tftp: there is no folder 'none'",)),
                ("net = 'user'\ntftp = []\n" + STEP,
                 ("tftp: has to be a folder, or a list of files",)),
                ("net = 'user'\ntftp = ['a/x', 'b/x']\n" + STEP,
                 ("each of another name",)),
                ("net = 'user'\nbootfile = 'a,b'\n" + STEP,
                 ("bootfile: has a comma",)),
                ("net = 'user'\nclock = 'instructions'\n" + STEP,
                 ("net: what is outside takes real time",)),
                ("floppy = ['a', 'b', 'c']\n" + STEP,
                 ("floppy: a board has but two",)),
                ("boot = ['floppy1']\nfloppy = 'a'\n" + STEP,
                 ("boot: there is no 'floppy1'", "floppy0")),
                ("boot = ['net0']\n" + STEP, ("boot: has to be a list of "
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

    def test_a_display_may_have_no_rom(self):
        self.assertIs(self.case("vga-bios = false\n" + STEP)
                      .values["vga-bios"], False)
        self.wrong("vga-bios = true\n" + STEP, "vga-bios: has to be")
        for value, is_rom in (("false", False), ('"v.bin"', True)):
            self.write("v.bin", "\x55\xaa")
            self.write("r.rom", "")
            found = self.case('firmware = "r.rom"\nvga-bios = %s\n' % value +
                              STEP)
            work = os.path.join(self.folder, "work" + str(is_rom))
            os.mkdir(work)
            with mock.patch.object(case.host, "Host"):
                case.build(found, work)
            with open(os.path.join(work, "files", "case.dts"),
                      encoding="utf-8") as f:
                name = f.read().split('vga-bios = "')[1].split('"')[0]
            with open(os.path.join(work, "files", name), "rb") as f:
                self.assertEqual(f.read(2) == b"\x55\xaa", is_rom)

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
                (self.look(exits=5), None, False, True, verdict.LIMIT),
                (self.look(exits=5), None, False, False, verdict.HANG),
                (self.look(), None, False, True, verdict.HANG),
                (self.look(halts=3, exits=3), "text", True, False,
                 verdict.WRONG_TEXT)):
            with self.subTest(wanted, look=vars(look)):
                self.assertEqual(verdict.unmet(look, kind, spoken, recent),
                                 wanted)

    def test_recent_is_a_part_of_what_was_waited(self):
        self.assertTrue(verdict.is_recent((10, 1), (100, 8)))
        self.assertFalse(verdict.is_recent((30, 1), (100, 8)))
        self.assertFalse(verdict.is_recent((10, 9), (100, 12)))


class Carriers(unittest.TestCase):
    def setUp(self):
        ours, self.theirs = socket.socketpair()
        self.carrier = simulation.Carrier(fileno=ours.detach())
        for end in (self.carrier, self.theirs):
            end.setblocking(False)
            self.addCleanup(end.close)

    def test_messages_go_in_one(self):
        for message in (b"first", b", ", b"second"):
            self.assertEqual(self.carrier.send(message), len(message))
            with self.assertRaises(BlockingIOError):
                self.theirs.recv(100)
        self.assertTrue(self.carrier.flush())
        self.assertEqual(self.theirs.recv(100), b"first, second")
        self.assertFalse(self.carrier.held)

    def test_what_has_no_room_waits(self):
        sent = bytes(range(256)) * (1 << 14)
        self.carrier.send(sent)
        self.assertFalse(self.carrier.flush())
        found = bytearray()
        while len(found) < len(sent):
            found += self.theirs.recv(len(sent))
            self.carrier.flush()
        self.assertEqual(found, sent)
        self.assertTrue(self.carrier.flush())

    def test_nobody_is_there_any_more(self):
        self.theirs.close()
        self.carrier.send(b"x")
        self.assertTrue(self.carrier.flush())
        self.assertFalse(self.carrier.held)


class Sources(unittest.TestCase):
    def setUp(self):
        self.log = []
        self.console = sources.Log(
            lambda guest, text: self.log.append((guest, text)))

    def test_a_console_is_taken_apart(self):
        self.console.feed("console", b"[    0.100000] [g] POST code a5\r\nfrom 402\r\n"
                          b"from serial\r\n[    0.200000] warning: [g.0] "
                          b"triple fault at RIP 1f: reset\r\nhalf")
        self.assertEqual(self.log, [("g", "POST code a5"),
                                    ("g.0", "triple fault at RIP 1f: reset")])

    def test_half_a_line_of_the_log_is_waited_for(self):
        self.console.feed("console", b"[    0.1000")
        self.assertEqual(self.log, [])
        self.console.feed("console", b"00] Bulkhead\r\n")
        self.assertEqual(self.log, [(None, "Bulkhead")])

    def test_a_line_that_comes_two_ways_is_one(self):
        self.console.feed("control", b"[    0.100000] [g] reset\n"
                          b"[    0.100000] [g] reset\n")
        self.console.feed("console", b"[    0.100000] [g] reset\r\n")
        self.console.feed("console", b"[    0.100000] [g] reset\r\n"
                          b"[    0.200000] [g] stopped: x\r\n")
        self.console.feed("control", b"[    0.200000] [g] stopped: x\n")
        self.assertEqual(self.log, [("g", "reset")] * 2 + [("g", "stopped: x")])

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


REGISTERS = """
EAX=00000000 EBX=00000000 ECX=00000000 EDX=00000663
EIP=0000fff0 EFL=%08x [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0
CR0=%08x CR2=00000000 CR3=00000000 CR4=00000000
EFER=%016x
"""


class Processor(unittest.TestCase):
    def state(self, flags, cr0, efer=0):
        return tuple(modes.parse(REGISTERS % (flags, cr0, efer)))

    def test_modes(self):
        self.assertEqual(self.state(2, 0x60000010),
                         ("real", False, True))
        # VM in real mode is no mode, nor is LME without paging.
        self.assertEqual(self.state(0x20202, 0x60000010, 0x100),
                         ("real", False, False))
        self.assertEqual(self.state(0x202, 0x11), ("protected", False, False))
        self.assertEqual(self.state(2, 0x80000011, 0x1000),
                         ("protected", True, True))
        self.assertEqual(self.state(0x20202, 0x80000011),
                         ("virtual-8086", True, False))
        self.assertEqual(self.state(0x20002, 0x80000011, 0x1500),
                         ("long", True, True))
        # As the monitor shows a CPU in long mode.
        self.assertEqual(modes.parse(
            "RIP=0000000000001000 RFL=00000246 [---Z-P-] CPL=0\n"
            "CR0=80050033 CR2=0 CR3=1 CR4=6b0\nEFER=0000000000000d01\n"),
            ("long", True, False))

    def test_changes_become_spans(self):
        found = modes.Modes()
        for now, words in ((10, (2, 0)), (20, (2, 0)), (30, (2, 1)),
                           (40, (0x202, 1)), (50, (2, 0))):
            found.take(now, REGISTERS % (*words, 0))
        self.assertEqual([c[0] for c in found.changes], [10, 30, 40, 50])
        self.assertEqual(found.samples, 5)
        self.assertEqual(modes.spans(found.changes, 60, lambda s: s.mode), [
            (10, 30, "real"), (30, 50, "protected"), (50, 60, "real")])
        self.assertEqual(modes.spans(
            found.changes, 60, lambda s: "off" if s.is_masked else ""),
            [(10, 40, "off"), (50, 60, "off")])


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


class Marks(unittest.TestCase):
    def test_where_a_guest_may_execute_is_not_the_monitor(self):
        """A guest's RAM from 1 MiB on, where .boot is linked, too."""
        marks = simulation.Marks()
        self.assertGreaterEqual(marks.first, 1 << 63)
        for name, address in marks.place.items():
            self.assertTrue(marks.first <= address < marks.last, name)


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
        self.assertIsNone(golden.differences(place, self.results[0]))
        golden.keep(place, self.results[0])
        self.assertEqual(golden.differences(place, self.results[0]),
                         {"lines": [], "counts": []})
        changed = result(events=[(5, "serial", "other")],
                         exits={"io": 11, "total": 13})
        found = golden.differences(place, changed)
        self.assertEqual(golden.explain(found), [
            'serial, line 1: was "a <b>\x01", is "other"',
            'post ends before line 1: "a5"',
            "exits io: 11, was 10 (+1)", "exits total: 13, was 12 (+1)"])
        changed["difference"] = found
        page = report_html.make([changed]).decode()
        self.assertIn("a &lt;b&gt;", page)
        self.assertIn("(nothing more)", page)
        self.assertIn("<td>exits total</td><td class=n>12</td>"
                      "<td class=n>13</td><td class=n>+1</td>", page)

    def test_lines_before_the_first_that_differs(self):
        was = ["a", "b", "c", "d", "e", "f"]
        self.assertIsNone(golden.first_difference("serial", was, list(was)))
        self.assertEqual(golden.first_difference("post", was, was[:4] + ["x"]),
                         ("post", 5, "e", "x", ["b", "c", "d"]))
        self.assertEqual(golden.first_difference("post", was[:1], was),
                         ("post", 2, None, "b", ["a"]))
        self.assertEqual(golden.first_difference("post", was, []),
                         ("post", 1, "a", None, []))

    def test_the_timeline_begins_with_the_guest(self):
        made = result(modes=[(600, "real", False, True),
                             (800, "protected", True, False)],
                      events=[(100, "serial", "too early"),
                              (700, "serial", "in time")])
        made["steps"] = [["expect x", 650, 900]]
        page = report_html.make([made]).decode()
        drawing = page[page.index("<svg"):page.index("</svg>")]
        self.assertNotIn("too early", drawing)
        self.assertIn("in time", drawing)
        self.assertIn("real, for", drawing)
        self.assertIn("protected, paging, for", drawing)
        self.assertEqual(drawing.count("interrupts masked, for"), 1)
        self.assertIn("too early", page)

    def test_what_a_newcomer_looks_for(self):
        page = report_html.make([
            result("two", verdict.HALTED),
            result("three", verdict.HANG, verdict.HANG)]).decode()
        self.assertIn(">halted (wanted: passed)<", page)
        self.assertIn(">hang, as wanted<", page)
        made = result(events=[(23_000_000, "fault", "power cut at write 3")],
                      counts={"instructions": 23_000_100})
        made["steps"] = [["expect x", 22_900_000, 23_000_000]]
        page = report_html.make([made]).decode()
        drawing = page[page.index("<svg"):page.index("</svg>")]
        self.assertIn("power cut at write 3", drawing)
        ticks = re.findall(r">([\d.]+ M)<", drawing)
        self.assertEqual(len(ticks), report_html.TICKS + 1)
        self.assertEqual(len(set(ticks)), len(ticks))

    def test_an_end_is_behind_what_was_said_before_it(self):
        events = [(8, "log", "begins"), (9, "log", "stopped: off"),
                  (9, "end", "off"), (8, "serial", "a"), (9, "serial", "b")]
        self.assertEqual([e[2] for e in runner.in_order(events)],
                         ["begins", "a", "b", "stopped: off", "off"])

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
