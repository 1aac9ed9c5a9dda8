# SPDX-License-Identifier: BSD-2-Clause
"""The life of guests, seat's own, and every verb of docs/control.md."""

import contextlib
import os
import re
import time
import unittest

import core
import pattern
import rig
from bulkhead_tool.control import client, frames, keys, network, screen

CDROM = 'cdrom0 { bus = "ide"; unit = <2>; images = "cd1.iso", "cd2.iso"; };'
NIC = 'nic0 { model = "e1000"; switch = "lan0"; };'
CONSOLES = "virtio-console; debug-console; "
FRAME = b"\xff" * 6 + b"\x52\x54\0\0\0\1" + b"\x88\xb5" + bytes(46)
RESET_VECTOR = 0xfffffff0    # where a vCPU that was not started stands
CD_UNIT, NOT_READY = 2, "2"
TABLE = re.compile(r'^\t\{ "([a-z-]+)",', re.MULTILINE)


def medium(sectors, word):
    """A disc whose last sector begins with the word."""
    return bytes(2048 * (sectors - 1)) + word.ljust(2048, b"\0")


def verbs_of_seat():
    with open(os.path.join(rig.TOP, "services/seat/remote.c")) as f:
        text = f.read()
    begin = text.index("static const struct verb verbs[] = {")
    return TABLE.findall(text[begin:text.index("};", begin)])


class Lives(rig.HostTest):
    """Each verb has a method verb_NAME; they go one by one over one host."""

    @classmethod
    def setUpClass(cls):
        cls.rig = rig.start(cls, [rig.panel("one", 1, more="vcpus = <2>; " + CDROM),
                                  rig.panel("two", 2, more=CONSOLES + NIC)],
                            has_screen=True, files={
                                "cd1.iso": medium(32, b"ONE."),
                                "cd2.iso": medium(8, b"TWO.")})
        cls.one = rig.Serial(cls.rig, "one")
        cls.two = rig.Serial(cls.rig, "two")
        for serial in (cls.one, cls.two):
            serial.do("a", "^alive$")
            serial.do("g", "^drawn$")
        cls.link = cls.rig.client()

    def ask(self, verb, **more):
        return self.link.ask(verb, rig.LIMIT, guest="one", **more)

    def state(self, guest):
        return next(g for g in self.link.guests() if g["guest"] == guest)

    def wait_for_state(self, guest, state):
        until = rig.later()
        while self.state(guest)["state"] != state:
            self.assertLess(time.monotonic(), until,
                            "%s is %s" % (guest, self.state(guest)))
            self.link.pause(0.2)

    def reborn(self):
        """Another machine: it says that it is there."""
        until = rig.later()
        while True:
            try:
                self.one.attach()
                self.one.do("a", "^alive$")
                self.one.do("g", "^drawn$")
                return
            except rig.Gone:
                # That was the former one, which was about to end.
                if time.monotonic() > until:
                    raise

    # ---- What each verb does ---------------------------------------------

    def verb_hello(self):
        self.assertEqual(self.rig.client().rights,
                         ["watch", "type", "steer", "debug"])

    def verb_list(self):
        one = self.state("one")
        self.assertEqual((one["state"], one["vcpus"], one["memory"]),
                         ("running", 2, 16))
        self.assertEqual([g["guest"] for g in self.link.guests()],
                         ["one", "two"])

    def verb_stop(self):
        starts = self.state("one")["starts"]
        self.ask("stop")
        self.wait_for_state("one", "stopped")
        self.assertEqual(self.state("two")["state"], "running")
        self.two.do("a", "^alive$")
        with self.assertRaisesRegex(client.Refused, "not running"):
            self.ask("pause")
        self.ask("start")
        self.reborn()
        self.assertEqual(self.state("one")["starts"], starts + 1)

    verb_start = verb_stop

    def verb_restart(self):
        starts = self.state("one")["starts"]
        self.ask("restart")
        until = rig.later()
        while self.state("one")["starts"] == starts:
            self.assertLess(time.monotonic(), until)
            self.link.pause(0.2)
        self.reborn()
        self.assertEqual(self.state("one")["starts"], starts + 1)

    def verb_pause(self):
        self.ask("pause")
        self.assertEqual(self.state("one")["state"], "paused")
        self.one.send("a")
        self.two.do("a", "^alive$")
        self.one.take(1)
        self.assertNotIn("alive", self.one.text[self.one.at:])
        self.ask("resume")
        self.one.expect("^alive$")
        self.assertEqual(self.state("one")["state"], "running")

    verb_resume = verb_pause

    def verb_reset(self):
        starts = self.state("one")["starts"]
        self.ask("reset")
        self.one.expect("^panel ready$")
        self.assertEqual(self.state("one")["starts"], starts)

    def verb_power(self):
        self.ask("power")
        self.one.expect("^power button$")
        self.wait_for_state("one", "stopped")
        self.rig.expect(r"\[one\] stopped: powered off")
        self.ask("start")
        self.reborn()

    def verb_shutdown(self):
        """Of one guest: by its button, and nobody else's."""
        self.ask("shutdown")
        self.one.expect("^power button$")
        self.wait_for_state("one", "stopped")
        self.assertEqual(self.state("two")["state"], "running")
        self.ask("start")
        self.reborn()

    def verb_nmi(self):
        self.ask("nmi")
        self.one.expect("^nmi 1$")
        self.ask("nmi")
        self.one.expect("^nmi 2$")

    def verb_eject(self):
        self.one.do("c", "^cd 0$")
        self.ask("eject", unit=CD_UNIT)
        self.one.do("c", "^cd %s$" % NOT_READY)
        self.ask("insert", unit=CD_UNIT)
        self.one.do("c", "^cd 0$")
        with self.assertRaisesRegex(client.Refused, "refused.*unit"):
            self.ask("eject", unit=0)

    def reads(self, change, last, word):
        self.one.do("r", "^cd %s, sense 0, last %d, %s$" % (
            change, last, re.escape(word)))

    def verb_insert(self):
        """The guest sees another medium, of another size, with other contents."""
        self.one.do("c", "^cd 0$")
        self.reads("same", 31, "ONE.")
        before = self.ask("statistics").answer
        for which, last, word in (("cd2.iso", 7, "TWO."), (0, 31, "ONE."),
                                  (1, 7, "TWO."), (None, 31, "ONE.")):
            self.ask("insert", unit=CD_UNIT,
                     **({} if which is None else {"medium": which}))
            self.reads("changed", last, word)
            self.reads("same", last, word)
        after = self.ask("statistics").answer
        requests, sectors = (after[k][0] - before[k][0]
                             for k in ("disk_requests", "disk_read"))
        self.assertGreaterEqual(requests, 8)
        self.assertEqual(sectors, 4 * requests)
        self.assertEqual(after["disk_errors"], [0])
        for wrong in ("cd3.iso", 2, "cd2", "CD1.ISO"):
            with self.assertRaisesRegex(client.Refused, "refused.*medium"):
                self.ask("insert", unit=CD_UNIT, medium=wrong)
        with self.assertRaisesRegex(client.Refused, "refused.*unit"):
            self.ask("insert", unit=0, medium=0)
        self.reads("same", 31, "ONE.")
        # What is in it stays there in a reset, but not in another machine.
        self.rig.tool("ctl", "insert", "one", "unit=%d" % CD_UNIT,
                      "medium=cd2.iso")
        self.ask("reset")
        self.one.expect("^panel ready$")
        self.one.do("c", "^cd 0$")
        self.reads("same", 7, "TWO.")
        self.ask("stop")
        self.wait_for_state("one", "stopped")
        self.ask("start")
        self.reborn()
        self.one.do("c", "^cd 0$")
        self.reads("same", 31, "ONE.")

    def verb_terminal(self):
        """Its size is there for who has a virtio console, also after a reset."""
        self.two.do("t", "^terminal 0 x 0$")
        for columns, rows in ((132, 43), (65535, 1)):
            self.link.ask("terminal", rig.LIMIT, guest="two", columns=columns,
                          rows=rows)
            self.two.do("t", "^terminal %d x %d$" % (columns, rows))
        self.link.ask("reset", rig.LIMIT, guest="two")
        self.two.expect("^panel ready$")
        self.two.do("t", "^terminal 65535 x 1$")
        with self.assertRaisesRegex(client.Refused, "no virtio-console"):
            self.ask("terminal", columns=80, rows=25)

    def verb_balloon(self):
        """This one has none; tests/memory has."""
        with self.assertRaisesRegex(client.Refused, "balloon"):
            self.ask("balloon", unit=1)

    def verb_debug_console(self):
        """What comes by either port, and by both."""
        for more, words in (({"port": 0x402}, b"by 402h"),
                            ({"port": 0xe9}, b"by e9h"),
                            ({}, b"by 402hby e9h")):
            with contextlib.closing(self.rig.client()) as link:
                number = link.new_id()
                link.request("debug-console", rig.LIMIT, number=number,
                             guest="two", **more)
                self.two.do("d", "^debugged$")
                said, until = b"", rig.later()
                while len(said) < len(words):
                    self.assertLess(time.monotonic(), until, said)
                    part = link.next_part(1)
                    if part and part.number == number:
                        said += part.data
                self.assertEqual(said, words)
        with self.assertRaisesRegex(client.Refused, "port"):
            self.ask("debug-console", port=0x403)

    def verb_keys(self):
        self.ask("keys", keys=[keys.NAMES["f5"], -keys.NAMES["f5"]])
        self.one.expect("^key 3f$")
        self.one.expect("^key bf$")
        with self.assertRaisesRegex(client.Refused, "bad request"):
            self.ask("keys", keys=[0])

    def verb_pointer(self):
        self.ask("pointer", dx=7, dy=-1)
        self.one.expect("^mouse 08 7 1 0$")

    def verb_screen(self):
        self.one.do("g", "^drawn$")
        rig.expect_picture(self.link, "one", 1)
        shown = screen.take(self.link, "one", "text", rig.LIMIT)
        self.assertEqual((shown.mode, shown.cells), ("graphics", []))

    def verb_serial(self):
        """Two clients hear the same."""
        other = rig.Serial(self.rig, "one")
        self.one.do("a", "^alive$")
        other.expect("^alive$")
        other.link.close()

    def verb_join(self):
        """A client's frame comes to another that joined, and to a capture."""
        with contextlib.ExitStack() as stack:
            links = [stack.enter_context(contextlib.closing(self.rig.client()))
                     for _ in range(3)]
            others = (network.Port(links[0], "capture"),
                      network.Port(links[1], "join", "lan0"))
            one = network.Port(links[2], "join", "lan0")
            self.assertEqual({p.network for p in (one, *others)}, {"lan0"})
            one.send(FRAME)
            for port in others:
                until, found = rig.later(), None
                while not found:
                    self.assertLess(time.monotonic(), until)
                    found = port.next(1)
                self.assertEqual(found[1:], (FRAME, 0))
        with self.assertRaisesRegex(client.Refused, "there are lan0"):
            network.Port(self.link, "join", "lan1")

    verb_capture = verb_join

    def verb_unplug(self):
        """This one has no card; tests/net/cable.test has."""
        for verb in ("unplug", "plug"):
            with self.assertRaisesRegex(client.Refused, "network card"):
                self.ask(verb, unit=0)

    verb_plug = verb_unplug

    def verb_printer(self):
        """And no parallel port; tests/boot/printer.test has."""
        with self.assertRaisesRegex(client.Refused, "parallel0"):
            self.ask("printer")

    def verb_log(self):
        number = self.link.new_id()
        self.link.request("log", rig.LIMIT, number=number)
        self.ask("reset")
        self.ask("restart")
        said, until = "", rig.later()
        while "[one] stopped" not in said:
            self.assertLess(time.monotonic(), until, said)
            part = self.link.next_part(1)
            if part and part.number == number and part.what == frames.SERIAL:
                said += part.data.decode("latin-1")
        self.link.ask("close", rig.LIMIT, of=number)
        self.reborn()

    def verb_close(self):
        number = self.link.new_id()
        self.link.request("serial", rig.LIMIT, number=number, guest="two")
        self.link.ask("close", rig.LIMIT, of=number)
        self.link.ask("close", rig.LIMIT, of=number)
        self.two.do("a", "^alive$")
        self.link.unclaimed.clear()
        self.two.do("a", "^alive$")
        self.link.pause(0.5)
        self.assertIsNone(self.link.next_part(0))

    def verb_statistics(self):
        before = self.ask("statistics").answer
        self.ask("keys", keys=[30, -30])
        self.one.expect("^key 9e$")
        after = self.ask("statistics").answer
        self.assertEqual((after["vcpus"], after["paused"], after["ram"]),
                         (2, False, 16 << 20))
        # Video memory, tables, the machine itself.
        self.assertGreater(after["charged"], after["ram"])
        self.assertLess(after["charged"], 4 * after["ram"])
        self.assertEqual((after["disk_units"], after["disk_written"]),
                         ([CD_UNIT], [0]))
        self.assertEqual(after["inputs"] - before["inputs"], 2)
        # Counted from the first time on: the guest's accesses of the 8042.
        self.assertGreater(sum(after["exits"]), sum(before["exits"]))
        self.assertEqual(len(after["exits"]), len(after["ticks"]))
        for count, ticks in zip(after["exits"], after["ticks"]):
            self.assertEqual(bool(count), bool(ticks))

        self.time_of_vcpus()

    def time_of_vcpus(self):
        def said():
            found = self.ask("statistics").answer
            self.assertEqual(len(found["run"]), 2)
            lived = found["run"][0] + found["idle"][0]
            self.assertEqual(lived, found["run"][1] + found["idle"][1])
            return lived, found["run"], found["tsc_hz"]

        began, before, hz = said()
        ticks = int(self.one.do("b", r"^busy for (\d+)$")[1])
        ended, after, _ = said()
        # The second vCPU was never started: it waits all the time.
        self.assertEqual(before[1], after[1])
        self.assertGreaterEqual(after[0] - before[0], ticks)
        self.assertGreater(hz, 10 ** 6)
        # Then it goes into HLT.
        until = rig.later()
        while after[0] - before[0] == ended - began:
            self.assertLess(time.monotonic(), until)
            self.link.pause(0.2)
            ended, after, _ = said()
        # One that is paused waits all the time, too.
        self.ask("pause")
        began, before, _ = said()
        self.link.pause(0.2)
        ended, after, _ = said()
        self.assertEqual(before, after)
        self.assertGreater(ended, began)
        self.ask("resume")
        self.one.do("a", "^alive$")

    def verb_debug(self):
        """The guest stands while a debugger is there."""
        number = self.link.new_id()
        self.link.request("debug", rig.LIMIT, number=number, guest="one")
        self.debugged(self.link, number, b"$?#3f", rb"\$[ST]..[^#]*#..")
        self.link.ask("close", rig.LIMIT, of=number)
        self.one.do("a", "^alive$")

    def dumped(self, *words):
        """The core that a command of the tool's has saved."""
        path = os.path.join(self.rig.folder, "core.elf")
        self.rig.tool(*words, path)
        return path, core.Core(path)

    def verb_dump(self):
        path, made = self.dumped("dump", "one", "-o")
        self.one.do("a", "^alive$")
        self.assertEqual(made.kind, (b"\x7fELF\2\1\1", core.ET_CORE,
                                     core.EM_X86_64))
        self.assertEqual([n[:2] for n in made.notes], [
            ("CORE", 1), ("CORE", 1), ("QEMU", 0), ("QEMU", 0)])
        program = os.path.join(self.rig.folder, "panel.elf")
        start, text = core.text_of(program)
        one, two = made.threads()
        self.assertEqual((one["pid"], two["pid"]), (1, 2))
        self.assertIn(one["rip"], range(start, start + len(text)))
        self.assertIn(one["rsp"], range(start, 16 << 20))
        self.assertEqual(two["rip"], RESET_VECTOR)
        self.assertEqual(made.processors()[0], (1, 440, one["rip"],
                                                made.processors()[0][3]))
        self.assertTrue(made.processors()[0][3] & 1)    # protected mode
        self.assertFalse(made.processors()[1][3] & 1)
        self.assertEqual(made.memory(start, len(text)), text)
        regions = made.regions()
        self.assertEqual((regions[0], regions[1 << 20]), (0xa0000, 15 << 20))
        self.assertLess(os.stat(path).st_blocks * 512, len(made.data))
        said = core.gdb(program, path, "info threads", "info registers rip",
                        "x/4xb 0x%x" % start)
        for words in (r"\* 1 +(Thread|LWP|process) 1\b",
                      r"  2 +(Thread|LWP|process) 2\b",
                      r"(?m)^rip +0x%x\b" % one["rip"],
                      "\t".join("0x%02x" % b for b in text[:4])):
            self.assertRegex(said, words)
        self.dump_of_paused()
        self.dump_of_debugged()
        self.dump_ends()

    def dump_of_paused(self):
        self.ask("pause")
        _, made = self.dumped("ctl", "dump", "one")
        self.assertEqual(self.state("one")["state"], "paused")
        # It stands where it stood.
        self.assertEqual(self.dumped("ctl", "dump", "one")[1].data, made.data)
        self.one.send("a")
        self.one.take(1)
        self.assertNotIn("alive", self.one.text[self.one.at:])
        self.ask("resume")
        self.one.expect("^alive$")

    def debugged(self, link, number, packet, answer):
        """A packet of gdb's, and what is answered."""
        link.send_binary(number, frames.DEBUG, packet)
        said, until = b"", rig.later()
        while not re.search(answer, said):
            self.assertLess(time.monotonic(), until, said)
            part = link.next_part(1)
            if part and part.number == number and part.what == frames.DEBUG:
                said += part.data
        return re.search(answer, said)

    def dump_of_debugged(self):
        """The debugger's stop is one for both, and its own afterwards."""
        number = self.link.new_id()
        self.link.request("debug", rig.LIMIT, number=number, guest="one")
        self.debugged(self.link, number, b"$?#3f", rb"\$[ST]..[^#]*#..")
        made = [self.dumped("dump", "one", "-o")[1].data for _ in range(2)]
        self.assertEqual(made[0], made[1])
        self.debugged(self.link, number, b"+$m100000,4#ee", rb"\$02b0ad1b#..")
        # Paused by the way, it stays so when the debugger goes.
        self.ask("pause")
        self.link.ask("close", rig.LIMIT, of=number)
        self.one.send("a")
        self.one.take(1)
        self.assertNotIn("alive", self.one.text[self.one.at:])
        self.ask("resume")
        self.one.expect("^alive$")
        self.debugger_goes_on()

    def debugger_goes_on(self):
        """In the middle of a dump, for which the guest stands all the same."""
        link = self.rig.client()
        number = link.new_id()

        def begin():
            link.ask("debug", rig.LIMIT, number=number, guest="one")

        def go_on():
            self.debugged(link, number, b"$?#3f", rb"\$[ST]..[^#]*#..")
            link.send_binary(number, frames.DEBUG, b"+$c#63")
            self.one.at = len(self.one.text)
            self.one.send("a")
            self.one.take(1)
            said = self.one.text[self.one.at:]
            self.ask("resume")
            return said

        def again():
            link.ask("close", rig.LIMIT, of=number)
            begin()

        begin()
        self.assertNotIn("alive", self.dump_gone("resumed", go_on, again))
        self.one.expect("^alive$")
        link.close()

    def dump_gone(self, reason, act, between=lambda: None):
        """A client that takes nothing, until its dump is gone; what act() says.

        Where this machine was so slow that its time was over before, again.
        """
        until = rig.later()
        while True:
            number = self.link.new_id()
            self.link.request("dump", rig.LIMIT, number=number, guest="one")
            seen = act()
            event = None
            while not event:
                self.assertLess(time.monotonic(), until)
                part = self.link.next_part(1)
                if part and part.number == number and part.what is None:
                    event = part.data
            self.assertEqual(event["event"], "gone")
            if event["reason"] == reason:
                return seen
            self.assertEqual(event["reason"], "not taken")
            between()

    def dump_ends(self):
        """By others, and by itself: nobody holds a guest for ever."""
        def resume():
            """What a second one is told, and what the guest says meanwhile."""
            other = self.rig.client()
            with contextlib.closing(other):
                try:
                    other.ask("dump", rig.LIMIT, guest="one")
                    refused = "it was not"
                except client.Refused as error:
                    refused = str(error)
                self.one.at = len(self.one.text)
                self.one.send("a")
                self.one.take(1)
                said = self.one.text[self.one.at:]
                self.two.do("a", "^alive$")
                other.ask("resume", rig.LIMIT, guest="one")
            return refused, said

        refused, said = self.dump_gone("resumed", resume)
        self.assertRegex(refused, "^dump: busy 'one': a dump is under way")
        self.assertNotIn("alive", said)
        self.one.expect("^alive$")
        self.dump_gone("not taken", lambda: None)
        self.one.do("a", "^alive$")
        self.dump_gone("reset", lambda: self.ask("reset"))
        self.one.expect("^panel ready$")
        self.one.do("g", "^drawn$")
        # A client that goes.
        other = self.rig.client()
        other.request("dump", rig.LIMIT, guest="one")
        other.close()
        self.one.do("a", "^alive$")
        # And a guest that does.
        self.dump_gone("ended", lambda: self.ask("restart"), self.reborn)
        self.reborn()

    def verb_off(self):
        self.link.ask("off", rig.LIMIT)
        self.rig.end()

    def test_every_verb(self):
        verbs = verbs_of_seat()
        self.assertGreater(len(verbs), 20)
        verbs.sort(key="off".__eq__)    # it comes last
        done = set()
        self.desk()
        self.seat_again()
        for verb in verbs:
            method = getattr(self, "verb_" + verb.replace("-", "_"), None)
            self.assertIsNotNone(method, "no test of '%s'" % verb)
            if method not in done:
                method()
            done.add(method)

    # ---- The host's screen and keyboard ----------------------------------

    def desk(self):
        """ScrollLock twice is the menu; a guest is shown, and has the keys."""
        press = self.rig.monitor.press
        self.rig.shows(1)
        press("a")
        self.one.expect("^key 1e$")
        for rows, serial, shade in (("down", self.two, 2), ("up", self.one, 1)):
            press("scroll_lock", "scroll_lock")
            self.menu_is_there()
            press(rows, "ret")
            self.rig.shows(shade)
            press("b")
            serial.expect("^key 30$")
        self.assertNotIn("key 1c", self.one.text + self.two.text)

    def menu_is_there(self):
        """Both guests stand in it: neither's picture, and rows of the menu."""
        until = rig.later()
        path = os.path.join(self.rig.folder, "host.ppm")
        while True:
            self.rig.pump(0.2)
            image = self.rig.monitor.picture(path)
            colours = dict((c, n) for n, c in image.getcolors(1 << 20))
            # Rows of text, one of them chosen, on an empty screen.
            if len(colours) == 3 and colours.get((0, 0, 0), 0) > 600000:
                return
            self.assertLess(time.monotonic(), until, "no menu: %s" %
                            list(colours.items())[:8])

    # ---- Seat ends -------------------------------------------------------

    def seat_again(self):
        """Its guests go on, the broker greets it, the screen is as before."""
        watch = screen.Watch(self.link, "one", "pixels")
        self.assertTrue(watch.update(rig.LIMIT))
        # Of a dump that nobody takes the guest is rid, too.
        self.link.request("dump", rig.LIMIT, guest="one")
        self.rig.type("\x1d\x1d")
        self.rig.expect("input goes to host")
        self.rig.type("restart seat\r")
        self.rig.expect("seat")
        for serial in (self.one, self.two):
            serial.attach()
            serial.do("a", "^alive$")
        self.assertEqual(self.state("one")["starts"], 1)
        watch.is_first = True
        self.assertTrue(watch.update(rig.LIMIT))
        self.assertEqual(watch.screen.image().tobytes(), pattern.pixels(1))
        watch.close()
        self.rig.shows(1)
        self.rig.monitor.press("c")
        self.one.expect("^key 2e$")


class SeveralVcpus(rig.HostTest):
    """What a manifest says of a guest's beginning and end, of four vCPUs."""

    def begin(self, flag):
        # The other one is there so that the host goes on without this one.
        self.rig = self.host(rig.panel("one", 1, more="vcpus = <4>; %s;" % flag),
                             rig.panel("two", 2))
        self.link = self.rig.client()
        self.serial = rig.Serial(self.rig, "one")

    def ask(self, verb, **more):
        return self.link.ask(verb, rig.LIMIT, guest="one", **more).answer

    def state(self):
        return next(g["state"] for g in self.link.guests()
                    if g["guest"] == "one")

    def places(self):
        """Where its vCPUs stand."""
        path = os.path.join(self.rig.folder, "core.elf")
        self.rig.tool("dump", "one", "-o", path)
        return [t["rip"] for t in core.Core(path).threads()]

    def test_start_paused(self):
        self.begin("start-paused")
        began = self.ask("statistics")
        self.assertEqual((began["paused"], began["vcpus"]), (True, 4))
        self.assertEqual(self.state(), "paused")
        first = self.places()
        self.assertEqual(first[1:], 3 * [RESET_VECTOR])
        self.link.pause(2)
        # None has had an exit, nor moved, nor said anything.
        again = self.ask("statistics")
        self.assertEqual((again["paused"], sum(again["exits"])), (True, 0))
        self.assertEqual(self.places(), first)
        self.assertEqual(self.serial.text, "")
        self.ask("resume")
        self.serial.expect("^panel ready$")
        self.assertTrue(self.serial.text.startswith("panel ready"))
        self.serial.do("a", "^alive$")
        # That was its start, and a reset is none.
        self.ask("reset")
        self.serial.expect("^panel ready$")
        self.assertEqual(self.state(), "running")

    def test_no_reboot(self):
        self.begin("no-reboot")
        self.serial.do("a", "^alive$")
        self.ask("reset")
        self.rig.expect(r"\[one[.\d]*\] reset, and no-reboot ends it")
        self.rig.expect(r"\[one\] stopped: powered off")
        until = rig.later()
        while self.state() != "stopped":
            self.assertLess(time.monotonic(), until)
            self.link.pause(0.2)
        self.ask("start")
        self.serial.attach()
        self.serial.do("a", "^alive$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
