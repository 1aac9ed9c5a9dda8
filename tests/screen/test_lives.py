# SPDX-License-Identifier: BSD-2-Clause
"""The life of guests, seat's own, and every verb of docs/control.md."""

import os
import re
import time
import unittest

import pattern
import rig
from bulkhead_tool.control import client, frames, keys, screen

CDROM = 'cdrom0 { bus = "ide"; unit = <2>; images = "cd1.iso", "cd2.iso"; };'
CD_UNIT, NOT_READY = 2, "2"
TABLE = re.compile(r'^\t\{ "([a-z]+)",', re.MULTILINE)


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
                                  rig.panel("two", 2)],
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
        self.link.send_binary(number, frames.DEBUG, b"$?#3f")
        said, until = b"", rig.later()
        while not re.search(rb"\$[ST]..[^#]*#..", said):
            self.assertLess(time.monotonic(), until, said)
            part = self.link.next_part(1)
            if part and part.number == number and part.what == frames.DEBUG:
                said += part.data
        self.link.ask("close", rig.LIMIT, of=number)
        self.one.do("a", "^alive$")

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
            method = getattr(self, "verb_" + verb, None)
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
