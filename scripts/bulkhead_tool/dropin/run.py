# SPDX-License-Identifier: BSD-2-Clause
"""Runs the PC in a simulator, and ends as QEMU would.

	guest --serial, debug consoles--> control port --> files, standard output
	standard input --> control port --> guest's serial port

The guest stands before its first instruction until its ports are listened to.
"""

import contextlib
import os
import re
import select
import sys
import termios

from .. import Problem, processes, qemu, session
from ..control import client, frames, gdb, running, sockets, viewers
from . import manifest

CODE = re.compile(r"stopped: ended by the guest through port 0xf4, code "
                  r"(\d{1,3})$", re.MULTILINE)
START_TIMEOUT = 600.0    # seconds of waiting for a guest that does not come
RETRY = 0.1
DRAIN = 5.0    # seconds for what is on its way when the simulator has ended
LOG_KEPT = 1 << 16
MUX, LEAVE = 0x01, ord("x")    # Ctrl-A X


class Settings:
    """What `bulkhead run` has from its command line."""

    sim, quiet, timeout = "qemu", True, None
    parallel = iso = uefi = gdb = control_serial = icount = False
    bios = cpu_model = host_memory = serial_log = None
    cpus = 2

    def __init__(self, pc):
        self.display = pc.display
        self.qemu = ["-rtc", "base=" + qemu.comma_safe(pc.clock)] \
            if pc.clock else []


class Keyboard:
    """Standard input for the guest's serial port."""

    def __init__(self, is_muxed):
        self.is_muxed = is_muxed
        self.is_open, self.is_escaped, self.has_left = True, False, False

    def read(self):
        """What is typed to the guest."""
        data = os.read(0, 1024)
        self.is_open = bool(data)
        return self.plain(data) if self.is_muxed else data

    def plain(self, data):
        """Ctrl-A X leaves, Ctrl-A Ctrl-A is one; other commands are nothing."""
        typed = bytearray()
        for byte in data:
            if self.is_escaped:
                self.is_escaped = False
                self.has_left |= byte | 0x20 == LEAVE
                if byte == MUX:
                    typed.append(byte)
            elif byte == MUX:
                self.is_escaped = True
            else:
                typed.append(byte)
        return bytes(typed)


@contextlib.contextmanager
def keyboard_mode(is_muxed):
    """Key by key; without the monitor's keys Ctrl-C ends us, as it does QEMU."""
    with session.raw_keyboard():
        if not is_muxed and os.isatty(0):
            mode = termios.tcgetattr(0)
            mode[3] |= termios.ISIG
            termios.tcsetattr(0, termios.TCSANOW, mode)
        yield


class Run:
    """A host with the PC as its guest, from its start to its end."""

    def __init__(self, pc, the_host, work):
        self.pc = pc
        nets = [pc.nic.far_end] if pc.nic and pc.nic.far_end else []
        self.control = running.Control(
            sockets.place("qemu-%d" % os.getpid()), nets)
        self.session = self.link = None
        self.sinks = {}    # id: Port
        self.log = ""
        self.log_id = None
        self.helpers = []
        self.keyboard = None
        args = Settings(pc)
        try:
            line = qemu.command(the_host, args, work, False, self.control)
            self.session = session.Session(line, args, the_host.end,
                                           self.control)
        except BaseException:
            self.control.close()
            raise

    def close(self):
        for helper in self.helpers:
            processes.end(helper)
        if self.link:
            self.link.close()
        self.session.close()
        self.control.close()

    # ---- The start -------------------------------------------------------

    def wait(self, fd, seconds):
        """Of the client's, while the guest does not run."""
        self._give_up_if_over()
        self.session.pump(min(seconds, 0.2), [fd])
        self.session.watch.search([])

    def _give_up_if_over(self):
        watch = self.session.watch
        if watch.failure:
            raise Problem("the host failed: %s%s" % (watch.failure,
                                                     self.session.context()))
        if self.session.is_over:
            raise Problem((self.session.why_bad() or "the host ended before "
                           "the guest began") + self.session.context())

    def _state(self):
        return next((g.get("state") for g in self.link.guests()
                     if g.get("guest") == manifest.GUEST), None)

    def _await_guest(self):
        self.link = client.Client(self.control.path, None, self.wait)
        until = self.session.seconds() + START_TIMEOUT
        while self._state() not in ("running", "paused"):
            if self._state() == "stopped" or \
                    self.session.seconds() > until:
                raise Problem("the guest is not started" +
                              self.session.context())
            self.link.pause(RETRY)

    def _attach(self, verb, sink, **more):
        number = self.link.new_id()
        while True:
            try:
                reply = self.link.request(verb, number=number, timeout=None,
                                          guest=manifest.GUEST, **more)
                break
            except client.Refused as error:
                if error.error != "not running":
                    raise
                self.link.pause(RETRY)
        self.sinks[number] = sink
        self.link.unclaimed.extend(reply.parts)
        return number

    def begin(self):
        self._await_guest()
        self.log_id = self._attach("log", None)
        for number, port in sorted(self.pc.debug.items()):
            self._attach("debug-console", port, port=number)
        serial_ids = [self._attach("serial", port, port=number)
                      for number, port in enumerate(self.pc.serials)]
        if self.pc.parallel:
            self._attach("printer", self.pc.parallel)
        if self.pc.keyboard is not None:
            self.serial_id = serial_ids[self.pc.keyboard]
            self.keyboard = Keyboard(
                self.pc.serials[self.pc.keyboard].is_muxed)
        self._start_helpers()
        if not self.pc.is_paused:
            self.link.ask("resume", guest=manifest.GUEST)

    def _start_helpers(self):
        for name, where, words in (
                ("vnc", self.pc.vnc, ()),
                ("gdb", self.pc.gdb, ["--resume"] * self.pc.is_paused)):
            if where:
                self.helpers.append(processes.start(
                    [sys.executable, running.TOOL, name, manifest.GUEST,
                     "--listen", "%s:%d" % where, "--socket",
                     self.control.path, *words],
                    stdin=processes.subprocess.DEVNULL,
                    stdout=processes.subprocess.DEVNULL))

    # ---- The run ---------------------------------------------------------

    def _take(self, part):
        if part.number not in self.sinks:
            return
        port = self.sinks[part.number]
        if part.what == frames.SERIAL and part.number == self.log_id:
            self.log = (self.log + part.data.decode("latin-1"))[-LOG_KEPT:]
        elif part.what == frames.SERIAL:
            port.write(part.data)
        elif part.what is None and part.data.get("event") == "lost" and port:
            note("%s bytes of the guest's output were lost" %
                 part.data.get("bytes"))

    def _take_all(self, seconds=0.0):
        """What has come; False: nothing more will."""
        try:
            part = self.link.next_part(seconds)
            while part:
                self._take(part)
                part = self.link.next_part(0)
        except client.Gone:
            return False
        return True

    def _type(self):
        keys = self.keyboard.read()
        if keys:
            self.link.send_binary(self.serial_id, frames.SERIAL, keys)

    def go_on(self):
        """Until the simulator has ended, or somebody leaves."""
        is_open, gone_at = True, None
        # The host's end is none too early any more.
        self.link.wait = client.readable
        while not self.session.is_over:
            also = [self.link] if is_open else []
            is_typed = self.keyboard and self.keyboard.is_open
            self.session.pump(0.2, also + [0] * bool(is_typed))
            self.session.watch.search([])
            if is_open:
                is_open = self._take_all()
                gone_at = self.session.seconds()
            elif self.session.seconds() > gone_at + DRAIN:
                raise Problem("the host's control port is gone: what the "
                              "guest says cannot be shown any more")
            if is_typed and select.select([0], [], [], 0)[0]:
                self._type()
                if self.keyboard.has_left:
                    return
            if self.session.watch.failure:
                break
        until = self.session.seconds() + DRAIN
        while is_open and self.session.seconds() < until:
            is_open = self._take_all(0.2)

    def status(self):
        """QEMU's; Problem where the host failed."""
        if self.keyboard and self.keyboard.has_left:
            return 0
        why = self.session.watch.failure
        why = "the host failed: %s" % why if why else self.session.why_bad()
        if why:
            raise Problem(why + self.session.context())
        found = CODE.search(self.log) or CODE.search(self.session.watch.text)
        if found:
            return (int(found[1]) << 1 | 1) & 0xff
        return 0


def note(text):
    with contextlib.suppress(OSError):
        processes.write_all(2, ("bulkhead qemu: %s\n" % text).encode(
            errors="backslashreplace"))


def notes(pc, files):
    for option, text in pc.notes:
        note("%s: %s" % (option, text))
    if pc.is_paused and not pc.gdb:
        note("-S: 'bulkhead ctl resume' lets it run")
    for path in files.lasting:
        note("what is written to '%s' stays there" % path)


def bring_back(files, work):
    for folder in files.fats:
        count = folder.bring_back(work)
        if count:
            note("%d file(s) in '%s' changed" % (count, folder.folder))


def run(pc, work):
    """The whole of it; QEMU's status."""
    folder = os.path.join(work, "files")
    os.mkdir(folder)
    _, files = manifest.make(pc, folder)
    the_host = manifest.host_of(files, work)
    notes(pc, files)
    for where in (pc.vnc, pc.gdb):
        if where:
            gdb.listener(where).close()    # else it is said too late
    if pc.vnc:
        viewers.vnc_program()
    for port in pc.all_ports():
        port.open()
    if pc.pid_file:
        with open(pc.pid_file, "w", encoding="ascii") as f:
            f.write("%d\n" % os.getpid())
    try:
        status = simulate(pc, the_host, work)
    except processes.Ended as ended:
        # As QEMU, which is content to be ended.
        note("terminating on signal %d" % ended.number)
        status = 0
    finally:
        processes.whole(bring_back, files, work)
    return status


def simulate(pc, the_host, work):
    one = Run(pc, the_host, work)
    try:
        with contextlib.nullcontext() if pc.keyboard is None else \
                keyboard_mode(pc.serials[pc.keyboard].is_muxed):
            one.begin()
            one.go_on()
    finally:
        one.close()
    return one.status()
