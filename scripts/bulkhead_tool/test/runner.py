# SPDX-License-Identifier: BSD-2-Clause
"""One case, from power-on to its verdict.

	boot() -> do(step) ... -> finish() -> Result

turn() is a slice of the simulation and all that follows from it: what was said goes
to its source, and whatever ends a case raises verdict.Outcome.
"""

import contextlib
import os
import select

from .. import Problem, host
from ..control import client, screen
from . import case as cases
from . import (fault, golden, modes, places, simulation, sources, steps, verdict,
               wire)
from .verdict import Outcome

BOOT_MAX = 2_000_000_000    # instructions until the host has a control port
SAMPLES, SAMPLE = 32, 20_011    # slices of a look, instructions of one
REST = 20    # slices without a block of the guest's: HLT, as it seems
LAST_SLICES = 16   # behind the end of a guest, for what it said
CLOCK_EVERY = 8    # slices between two looks at the guest's clock
DETAIL_LINES = 12
PICTURE_SECONDS = 3.0    # of the host's, without a word about the last one
HOSTS_EXITS = ("host_interrupt", "window", "nothing")
QUIET_MAX = 240    # characters of a line that is shown


class End:
    """How the guest ended, as the host's log says."""

    def __init__(self, text):
        self.text = text
        self.is_off = text == "powered off"
        code = sources.CODE.search(text)
        self.code = int(code[1]) if code else None
        self.is_failure = text in sources.MACHINE_FAILS


class Options:
    """Of the command line, for each case."""

    update_needles = False
    is_exact = False    # --icount, whatever the case says
    place = None    # a golden.Place
    is_accepting = False
    has_samples = False    # of the guest's registers, for the report


class Result:
    """What a case came to; plain() is for JSON."""

    def __init__(self, case, name=None, wanted=verdict.PASSED):
        self.path, self.name = case, name
        self.description = ""
        self.verdict, self.wanted = None, wanted
        self.why, self.where = "", []
        self.is_green = False
        self.step = None    # the number of the one not met
        self.steps = []    # label, began, ended
        self.events = []    # when, kind, text
        self.counts = {}
        self.exits = {}
        self.hashes = {}
        self.pictures = []    # file, caption
        self.modes = []    # modes.Modes.changes
        self.samples = 0    # that they are from
        self.code = None
        self.k = None    # of a sweep
        self.has_fault = False    # or is to have one
        self.faults = []    # that came
        self.is_exact = True
        self.notes = []
        self.difference = None    # golden.differences()
        self.moved = []    # the same as text
        self.seconds = 0.0

    def plain(self):
        return dict(self.__dict__)


def in_order(events):
    """By time; what was said in the slice in which the guest ended is before that."""
    ends = {at for at, kind, _ in events if kind == "end"}
    return sorted(events, key=lambda e: (
        e[0], e[0] in ends and e[1] in ("log", "end")))


def own_exits(sim):
    """Those that the guest's instructions made."""
    return sum(count for name, count in sim.exits().items()
               if name not in HOSTS_EXITS)


class Run:
    def __init__(self, case, work, options=Options):
        self.case, self.work, self.options = case, work, options
        self.result = Result(case.path, case.name, case.verdict)
        self.result.description = case.values.get("description", "")
        self.result.k = case.k
        self.modes = modes.Modes()
        self.places = places.Places(
            case.find(case.values["symbols"], "symbols")
            if "symbols" in case.values else None,
            case.values.get("symbols-offset", 0))
        self.texts = {name: sources.Text(name)
                      for name in ("serial", "402", "e9", "post")}
        self.last_slices = LAST_SLICES
        self.log = sources.Log(self._logged)
        self.log_number = None    # of the control port's
        self.heard = []    # of the console, not yet taken apart
        self.screens = {}    # by form
        self.sim = self.link = None
        self.guest = self.wire = None
        self.taps = {}    # number: source
        self.end = None
        self.own_resets = 0
        self.resets_met = self.cuts_met = 0    # by steps that waited for one
        self.faults = fault.Faults(self)
        self.claims = {}    # by number: who gets the parts
        self.is_idle = False
        self.triples = []    # RIPs
        self.waiting = None    # kind, source, since when
        self.still = 0    # slices without a block of the guest's
        self.blocks = 0
        self.slices = 0
        self.seconds = 0
        self.spoke_at = self.spoke_second = 0
        self.resets_seen = 0
        self.needle = None    # the picture that is waited for
        self.last_screen = ""

    # ---- Its beginning ---------------------------------------------------

    def boot(self):
        try:
            the_host = cases.build(self.case, self.work)
        except Problem as problem:
            raise Outcome(verdict.CASE_ERROR, str(problem)) from None
        self.result.hashes = cases.hashes(the_host)
        names = host.names(the_host.guests)
        self.guest = self.case.values.get("guest", names[0])
        if self.guest not in names or \
                len(names) > 1 and "guest" not in self.case.values:
            raise Outcome(verdict.CASE_ERROR, "guest: has to be one of %s" %
                          ", ".join(names))
        is_exact = self.case.is_exact or self.options.is_exact
        if is_exact and "net" in self.case.values:
            raise Outcome(verdict.CASE_ERROR, "net: what is outside takes real "
                          "time: not with --icount")
        self.sim = simulation.Simulation(the_host, self.work, is_exact,
                                         self.heard.append,
                                         self._sampled if
                                         self.options.has_samples else None)
        self._check_exits()
        self.note("host", "is on")
        self._connect()
        if "net" in self.case.values:
            self.wire = wire.Wire(self)
        self._attach()
        self.faults.begin()

    def _check_exits(self):
        known = [n[len(simulation.MARK_PREFIX):] for n in self.sim.marks.names
                 if n != simulation.RESETS] + ["total"]
        for name in self.case.limits["exits"]:
            if name not in known:
                raise Outcome(verdict.CASE_ERROR, "limits: exits: %s: there is "
                              "no such exit; allowed are %s" %
                              (name, ", ".join(sorted(known))))

    def _connect(self):
        """The host says by itself that its control port is there."""
        while not select.select([self.sim.control], [], [], 0)[0]:
            self.sim.advance()
            self._take_console()
            if self.sim.is_over or self.sim.now > BOOT_MAX:
                raise Outcome(verdict.HOST_ERROR, self._host_failure() or
                              "it has no control port")
        self.link = client.Client("the host", wait=self.sim.wait,
                                  end=self.sim.control, clock=self.sim.clock)
        while not self.link.rights:
            self.sim.advance()
            self.link.rights = self.link.ask(
                "hello", version=client.VERSION).answer.get("rights")

    def _attach(self):
        """To all that it says; the serial port's answer is that of all."""
        self.log_number = self.link.new_id()
        self.link.post("log", self.log_number)
        self.taps = {self.link.new_id(): name for name in
                     sorted(sources.TAPS, key="serial".__eq__)}
        *others, last = self.taps
        while self.end is None:
            for number in others:
                verb, more = sources.TAPS[self.taps[number]]
                self.link.post(verb, number, guest=self.guest, **more)
            try:
                self.link.unclaimed.extend(self.link.request(
                    "serial", number=last, guest=self.guest).parts)
                return
            except client.Refused as error:
                if error.error != "not running":
                    raise
            self.turn()
            if self.is_idle or self.sim.now > BOOT_MAX:
                raise Outcome(verdict.MACHINE_ERROR, "the guest's machine "
                              "does not begin")

    # ---- What comes ------------------------------------------------------

    def note(self, kind, text):
        self.result.events.append((self.sim.now, kind, text))

    def _spoke(self):
        self.spoke_at, self.spoke_second = self.sim.now, self.seconds

    def _logged(self, guest, text):
        self.note("log", "[%s] %s" % (guest, text) if guest else text)
        if not guest or guest.split(".")[0] != self.guest:
            return
        code = sources.POST.match(text)
        if code:
            self.texts["post"].feed(self.sim.now, code[1].encode() + b"\n")
            self._spoke()
        self.faults.logged(text)
        triple = sources.TRIPLE.match(text)
        if triple:
            self.triples.append(int(triple[1], 16))
            self.note("triple fault", "RIP %s" % triple[1])
        stopped = sources.STOPPED.match(text)
        if stopped:
            self.end = End(stopped[1])
            self.result.code = self.end.code
            self.note("end", stopped[1])

    def _sampled(self, text):
        self.modes.take(self.sim.now, text)

    def _heard(self, name, part):
        if part.what is None and part.data.get("event") == "lost":
            self.result.notes.append("%s bytes of %s were lost" % (
                part.data.get("bytes"), name))
        data = sources.serial_bytes(part)
        if data:
            self.texts[name].feed(self.sim.now, data)
            self._spoke()

    def _take_console(self):
        for data in self.heard:
            self.log.feed("console", data)
        self.heard.clear()

    def _take_parts(self):
        part = self.link.next_part(0)
        while part:
            if part.number == self.log_number:
                self.log.feed("control", sources.serial_bytes(part) or b"")
            elif part.number in self.taps:
                self._heard(self.taps[part.number], part)
            if part.number in self.claims:
                self.claims[part.number](part)
            for watch in self.screens.values():
                if part.number == watch.number and watch.feed(
                        self.sim.now, self.sim.clock(), part):
                    self._saw(watch)
            part = self.link.next_part(0)

    def _saw(self, watch):
        text = steps.shown_text(watch.shown)
        if watch.form == "pixels" or text != self.last_screen:
            self._spoke()
        if text != self.last_screen:
            self.last_screen = text
            self.note("screen", text)

    def serial_id(self):
        return next(n for n, name in self.taps.items() if name == "serial")

    def source(self, name):
        return self.texts[name]

    def screen(self, form):
        if form not in self.screens:
            self.screens[form] = sources.Screen(self.link, self.guest, form)
        return self.screens[form]

    # ---- Slices ----------------------------------------------------------

    def turn_over(self):
        """A slice, and what was said in it; whether nothing happens any more."""
        is_idle = False
        if self.wire and not self.sim.is_over:
            self.wire.turn()
        try:
            self.sim.advance(until=self.faults.next())
        except simulation.Idle:
            is_idle = True
        if self.link:
            with contextlib.suppress(client.Gone):
                self._take_parts()
        self._take_console()
        self.slices += 1
        return is_idle

    def turn(self):
        if self.link and not self.sim.is_over:
            for watch in self.screens.values():
                watch.ask(self.sim.clock())
        is_idle = self.turn_over()
        self.faults.look()
        self.still = self.still + 1 if self.sim.blocks == self.blocks else 0
        self.blocks = self.sim.blocks
        if is_idle:
            self.still = max(self.still, REST)
        self._see_resets()
        self.is_idle = is_idle
        self.check()

    def is_halted(self):
        return self.still >= REST and self.blocks > 0

    def _see_resets(self):
        if self.sim.resets() != self.resets_seen:
            self.resets_seen = self.sim.resets()
            self.note("reset", "%d so far" % self.resets_seen)

    def _host_failure(self):
        """Why host or simulator ended other than they should; None."""
        failure = self.sim.session.watch.failure
        if failure:
            return "the host failed: %s" % failure
        if self.sim.is_over and self.end is None:
            return self.sim.session.why_bad() or "the host has ended"
        return None

    def check(self):
        """Whatever ends a case, the guest's end excepted."""
        failure = self._host_failure()
        if failure:
            raise Outcome(verdict.HOST_ERROR, failure)
        if self.end and self.end.is_failure:
            raise Outcome(verdict.MACHINE_ERROR, self.end.text)
        limits = self.case.limits
        if len(self.triples) > limits["triple-faults"]:
            raise Outcome(verdict.TRIPLE_FAULT, "%d triple fault%s, the last at "
                          "RIP %x" % (len(self.triples), "s" if
                                      len(self.triples) > 1 else "",
                                      self.triples[-1]),
                [self.places.name(self.sim.address)])
        resets = self.sim.resets() - self.own_resets
        if resets > limits["resets"]:
            raise Outcome(verdict.RESET_LOOP, "%d resets, at most %d are "
                          "allowed" % (resets, limits["resets"]),
                          self._look_and_tell())
        for name, most in limits["exits"].items():
            taken = self.exits().get(name, 0)
            if taken > most:
                raise Outcome(verdict.LIMIT, "%d exits %s, at most %d are "
                              "allowed" % (taken, name, most),
                              self._look_and_tell())

    def check_time(self):
        """Of a step that is not met yet."""
        limits = self.case.limits
        now = self.sim.now
        if self.slices % CLOCK_EVERY == 0 and not self.is_idle:
            self.seconds = self.sim.seconds()
        if now >= limits["instructions"]:
            self.give_up("not within %d instructions" % limits["instructions"])
        if self.seconds >= limits["guest-seconds"]:
            self.give_up("not within %d s of the guest's time" %
                         limits["guest-seconds"])
        if limits["silence"] and now - self.spoke_at >= limits["silence"]:
            self.give_up("nothing was said for %d instructions" %
                         limits["silence"])
        if self.is_idle:
            self.give_up("nothing will happen any more")

    def exits(self):
        return dict(self.sim.exits(), total=self.sim.vmruns)

    # ---- Steps that are not met ------------------------------------------

    def _look(self):
        """Some short slices more."""
        sim = self.sim
        blocks, exits = sim.blocks, own_exits(sim)
        halts = sim.met.get("exit_hlt", 0)
        addresses = []
        with contextlib.suppress(simulation.Idle, Problem):
            for _ in range(SAMPLES):
                before = sim.blocks
                sim.advance(SAMPLE)
                if sim.blocks != before:
                    addresses.append(sim.address)
            # The host may have had other things to do.
            for _ in range(REST):
                if sim.blocks != blocks:
                    break
                sim.advance()
        return verdict.Look(addresses or [sim.address], sim.blocks - blocks,
                            sim.met.get("exit_hlt", 0) - halts,
                            own_exits(sim) - exits)

    def _look_and_tell(self):
        return self.places.table(self._look().addresses)

    def _has_spoken(self, on, since):
        if on == "screen":
            return any(w.changed_at > since for w in self.screens.values())
        return on is not None and self.source(on).spoke_at > since

    def give_up(self, reason):
        kind, on, since, second = self.waiting or (None, None, 0, 0)
        recent = verdict.is_recent(
            (self.sim.now - self.spoke_at, self.seconds - self.spoke_second),
            (self.sim.now - since, self.seconds - second))
        look = self._look()
        found = verdict.unmet(look, kind, self._has_spoken(on, since), recent)
        raise Outcome(found, "%s; %s" % (reason, self.seen(kind, on, since)),
                      self.places.table(look.addresses))

    def seen(self, kind, on, since):
        """What there was instead."""
        if kind is None:
            return "the guest has not ended"
        if on == "screen":
            return "the screen shows:\n%s" % (self.last_screen or "(nothing)")
        lines = [l[:QUIET_MAX] for l in self.source(on).since(since)
                 if l.strip()]
        if not lines:
            return "%s said nothing" % on
        return "%s said:\n%s" % (on, "\n".join(lines[-DETAIL_LINES:]))

    def wrong_end(self, wanted):
        raise Outcome(verdict.HALTED, "the guest %s, not with %s" % (
            "stopped: " + self.end.text if self.end else "halted", wanted))

    def _hear_out(self):
        """What the guest said comes by another way than the word of its end, and may
        come behind it."""
        while self.last_slices and not self.sim.is_over:
            self.last_slices -= 1
            self.turn_over()

    def wait_for(self, is_met, kind, on, within):
        since = self.sim.now
        self.waiting = kind, on, since, self.seconds
        while not is_met():
            if self.end:
                self._hear_out()
                if is_met():
                    break
                raise Outcome(verdict.HALTED, "the guest has stopped: %s; %s" %
                              (self.end.text, self.seen(kind, on, since)
                               if kind else "that is not what was wanted"))
            self.turn()
            if is_met():
                break
            if within and self.sim.now - since >= within:
                self.give_up("not within %d instructions of the step" % within)
            if not self.end:
                self.check_time()
        self.waiting = None

    # ---- All of it -------------------------------------------------------

    def do(self, step):
        began = self.sim.now
        self.result.steps.append([step.label, began, None])
        if step.kind not in ("expect", "image", "wait", "until"):
            self.note(step.kind, step.label)
        steps.DO[step.kind](self, step)
        self.result.steps[-1][2] = self.sim.now

    def outcome(self, found):
        result = self.result
        result.verdict, result.why = found.verdict, found.why
        result.where = found.where
        if result.steps and result.steps[-1][2] is None:
            result.step = len(result.steps)

    @contextlib.contextmanager
    def judged(self):
        """Whatever happens inside becomes the result's verdict."""
        try:
            yield
            self.outcome(Outcome(verdict.PASSED, ""))
        except Outcome as found:
            self.outcome(found)
        except verdict.Stalled as problem:
            self.outcome(Outcome(verdict.STALLED, str(problem)))
        except simulation.Idle:
            self.outcome(Outcome(verdict.HOST_ERROR, "nothing happens in the "
                                 "host any more"))
        except (Problem, client.Late, OSError, EOFError) as problem:
            ended = self.sim and self._host_failure()
            self.outcome(Outcome(verdict.HOST_ERROR, ended or str(problem)))

    def execute(self):
        """All steps; the Result."""
        try:
            with self.judged():
                self.boot()
                for step in self.case.steps:
                    self.do(step)
                self.check_golden()
                self.faults.check()
            self.finish()
        finally:
            if self.wire:
                self.wire.close()
            if self.sim:
                self.sim.close()
        return self.result

    def check_golden(self):
        if self.case.golden is None or not self.options.place or \
                self.options.is_accepting:
            return
        golden.check(self.options.place, self.case.golden, {
            "instructions": self.sim.now, "exits": self.sim.vmruns})

    def finish(self):
        result, case = self.result, self.case
        result.is_green = result.verdict == case.verdict and (
            case.why is None or bool(case.why.search(
                "\n".join([result.why] + result.where))))
        if result.verdict == case.verdict and not result.is_green:
            result.notes.append("the verdict is the one wanted, but it does "
                                "not say '%s'" % case.why.pattern)
        if not self.sim:
            return
        result.has_fault = self.faults.is_any
        result.faults = self.faults.came
        result.is_exact = self.sim.is_exact
        result.counts = {"instructions": self.sim.now,
                         "resets": self.sim.resets(),
                         "triple-faults": len(self.triples)}
        result.exits = self.exits()
        # The picture below takes time, too.
        result.modes = list(self.modes.changes)
        result.samples = self.modes.samples
        for name, source in self.texts.items():
            result.events += [(at, name, line) for at, line in source.lines]
        result.events = in_order(result.events)
        self.picture()

    def picture(self):
        """What the screen shows in the end, if there still is one."""
        if self.sim.is_over or not self.link or self.end:
            return
        path = os.path.join(self.work, "screen.png")
        with contextlib.suppress(Problem, client.Late, simulation.Idle,
                                 OSError):
            shown = screen.take(self.link, self.guest, "pixels",
                                PICTURE_SECONDS)
            shown.image().save(path)
            self.result.pictures.append([path, golden.AT_END])
        if self.needle:
            self.result.pictures.append([self.needle, "expected"])
