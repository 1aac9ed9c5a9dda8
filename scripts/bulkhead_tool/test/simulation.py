# SPDX-License-Identifier: BSD-2-Clause
"""A simulated host that runs so many instructions at a time.

	Simulation --stop at N--> pace.so in QEMU --report--> Simulation

Between a report and the next stop the host stands.  What it has said by then is in
the console's log file and in the control port's socket, and what is sent to it then
arrives before it goes on.
"""

import array
import contextlib
import fcntl
import mmap
import os
import select
import socket
import struct
import subprocess
import termios
import time

from .. import Problem, host, processes, qemu, qmp, session, symbols
from . import verdict

SHIFT = 4    # an instruction takes 2^SHIFT ns where they are the clock
QUANTUM = 200_000    # instructions in a slice
LINKED_HIGH = 0xffffffff80000000    # KERNEL_BASE of boot/monitor.ld
REPORT_WORDS = 4    # before the marks: instructions, VMRUNs, blocks, address
NEVER = (1 << 64) - 1
STANDS, AT_REST, IN_GUEST = b"\0", b"\1", b"\2"

# Real time, in seconds.
TICK = 0.05
STALLED_AFTER = 300.0    # without a report
DELIVERY = 5.0

MARK_PREFIX = "exit_"
RESETS = "gate_reset"


class Idle(Exception):
    """Nothing will happen any more in this host by itself."""


class Monitor(qmp.Monitor):
    """Of the simulator, which has the host's clock."""

    def __init__(self, end):
        super().__init__(end)
        end.settimeout(STALLED_AFTER)

    def seconds(self):
        """The host's clock, since it was started."""
        now = self.ask("qom-get", path="/machine", property="rtc-time")
        return sum(now[k] * n for k, n in (
            ("tm_sec", 1), ("tm_min", 60), ("tm_hour", 3600),
            ("tm_mday", 86400)))

    def registers(self):
        return self.ask("human-monitor-command",
                        **{"command-line": "info registers"})


def plugin():
    path = os.path.join(host.BUILD, "pace.so")
    if not os.path.exists(path):
        raise Problem("%s is missing: run 'make pace'" % path)
    return path


class Marks:
    """Addresses of the monitor's, by name: handlers of exits, and its reset."""

    def __init__(self):
        found = symbols.Symbols(symbols.elf_of(host.monitor()))
        place = dict(zip(found.names, found.addresses))
        self.place = {name: address for name, address in place.items()
                      if name.startswith(MARK_PREFIX) or name == RESETS}
        self.names = list(self.place)
        # All of its text but its first instructions, which are linked at 1 MiB,
        # where guests are, too: what runs there is not the guest.
        self.first = min(a for a in place.values() if a >= LINKED_HIGH)
        self.last = max(place.values()) + 0x1000
        if RESETS not in self.place:
            raise Problem("the monitor has no '%s'" % RESETS)

    def option(self, fd, report, is_exact, has_samples):
        return "%s,fd=%d,report=%d,turns=%d,samples=%d,from=0x%x,to=0x%x%s" % (
            qemu.comma_safe(plugin()), fd, report, is_exact, has_samples,
            self.first, self.last,
            "".join(",mark=0x%x" % a for a in self.place.values()))


class Settings:
    """What `bulkhead run` has from its command line."""

    sim, quiet, timeout = "qemu", True, None
    parallel = iso = uefi = gdb = control_serial = False
    display, bios, cpu_model, cpus = "none", None, None, 1

    def __init__(self, icount, serial_log):
        self.icount, self.serial_log = icount, serial_log
        self.host_memory = None
        self.qemu = []
        if not icount:
            self.qemu = ["-rtc", "base=2024-01-01,clock=vm"]


class Carrier(socket.socket):
    """The control port's end on this side: what is sent goes with flush(), in one.

    QEMU makes a buffer of the host's virtio port of what it reads at once, and the
    host's work goes by buffers: of two messages one behind the other, QEMU would
    find now both and now the first alone.
    """

    def __init__(self, *words, **options):
        super().__init__(*words, **options)
        self.held = bytearray()

    def send(self, data):
        self.held += data
        return len(data)

    def flush(self):
        """As much as QEMU has room for; whether that is all."""
        try:
            while self.held:
                del self.held[:super().send(self.held)]
        except BlockingIOError:
            return False
        except OSError:    # the simulator has ended, as whoever reads will see
            self.held.clear()
        return True


class Simulation:
    """A host.Host in QEMU; heard(bytes) gets its console's, and sampled(text), if it
    is not None, the guest's registers once behind each slice.

    A session.Session's `control`, too: fd is the control port's end of QEMU's.
    """

    def __init__(self, the_host, work, is_exact, heard, sampled=None):
        self.is_exact, self.heard = is_exact, heard
        self.sampled = sampled
        self.work = work
        ours, control = socket.socketpair()
        self.control = Carrier(fileno=ours.detach())
        self.pace, pace = socket.socketpair()
        end, qmp = socket.socketpair()
        self.monitor = Monitor(end)
        self.theirs = [control, pace, qmp]
        self.report_fd = os.memfd_create("report")
        os.ftruncate(self.report_fd, mmap.PAGESIZE)
        self.report = mmap.mmap(self.report_fd, mmap.PAGESIZE)
        self.fds = [end.fileno() for end in self.theirs] + [self.report_fd]
        self.fd = self.fds[0]
        self.marks = Marks()
        self.now = self.vmruns = self.blocks = self.address = 0
        self.met = dict.fromkeys(self.marks.names, 0)
        self.is_standing = self.is_over = self.is_resting = False
        self.began = 0    # the host's clock
        self.log = os.path.join(work, "console.log")
        self.log_at = 0
        self.log_file = None
        self.session = None
        self._start(the_host)

    def _line(self, the_host):
        args = Settings(self.is_exact, self.log)
        args.qemu = args.qemu + [
            "-plugin", self.marks.option(self.fds[1], self.report_fd,
                                          self.is_exact,
                                          self.sampled is not None),
            "-chardev", "socket,id=qmp,fd=%d" % self.fds[2],
            "-mon", "chardev=qmp,mode=control",
            "-global", "virtio-serial-pci.ioeventfd=off"]
        return qemu.command(the_host, args, self.work, False, self,
                            SHIFT), args

    def _start(self, the_host):
        open(self.log, "wb").close()
        line, args = self._line(the_host)
        environment = dict(os.environ, LD_PRELOAD=plugin()) \
            if self.is_exact else None
        self.session = session.Session(line, args, the_host.end, self,
                                       environment)
        self.session.pause = 0
        self.log_file = open(self.log, "rb")
        self._await_report(False)
        if self.is_over:
            raise Problem(self.session.why_bad() or
                          "the simulator ended at once")
        self.monitor.begin()
        self.began = self.monitor.seconds()

    def start(self):
        """The simulator has its ends."""
        for end in self.theirs:
            end.close()
        os.close(self.report_fd)

    # ---- Slices ----------------------------------------------------------

    def clock(self):
        """Seconds, for who waits for answers."""
        return (self.now << SHIFT) / 1e9 if self.is_exact else \
            time.monotonic()

    def seconds(self):
        """That have passed for the guest, as far as they are known."""
        return self.monitor.seconds() - self.began

    def _deliver(self):
        """QEMU has taken what was sent and is done with it."""
        until = time.monotonic() + DELIVERY
        left = array.array("i", [0])
        while time.monotonic() < until:
            is_all = self.control.flush()
            fcntl.ioctl(self.control, termios.TIOCOUTQ, left)
            if is_all and not left[0]:
                break
            self.session.pump(0.001)
        else:
            self.is_exact = False    # the host does not take it now
        self.monitor.ask("query-status")

    def advance(self, count=QUANTUM, until=None):
        """Runs a slice, or up to `until`; Idle, Stalled.  is_over: the simulator
        has ended."""
        if self.is_over:
            return
        if self.is_standing:
            if self.control.held:
                self._deliver()
            stop = min(self.now - self.now % count + count, NEVER)
            if until is not None and until > self.now:
                stop = min(stop, until)
            self.is_standing = False
            with contextlib.suppress(OSError):
                self.pace.send(struct.pack("=Q", stop))
        elif self.is_resting and not self.control.held:
            raise Idle()
        else:
            self.control.flush()
        was_resting, self.is_resting = self.is_resting, False
        self._await_report(True, was_resting)
        self._read_console()
        if self.is_resting:
            raise Idle()

    def _await_report(self, may_idle, was_resting=False):
        began, before = time.monotonic(), self.now
        while not self._take_report():
            now = time.monotonic()
            if self.is_over:
                return
            if not self.is_exact and may_idle and now > began + TICK:
                self._read_report()
                return
            if was_resting and now > began + DELIVERY:
                self._read_report()
                if self.now == before:    # what was sent has woken nobody
                    self.is_resting = True
                    return
            if now > began + STALLED_AFTER:
                raise verdict.Stalled("no instruction within %d s of real "
                                      "time" % STALLED_AFTER)
            also = [self.pace] if self.is_exact else [self.pace, self.control]
            self.session.pump(TICK, also)
            if not self.is_exact and may_idle and \
                    select.select([self.control], [], [], 0)[0]:
                return

    def _take_report(self):
        if not select.select([self.pace], [], [], 0)[0]:
            self.is_over |= self.session.is_over
            return False
        word = self.pace.recv(1)
        if word == IN_GUEST:
            self._sample()
            return False
        self.is_standing, self.is_resting = word == STANDS, word == AT_REST
        if not word:
            self._end()
        self._read_report()
        return True

    def _sample(self):
        self._read_report()
        self.sampled(self.monitor.registers())
        with contextlib.suppress(OSError):
            self.pace.send(struct.pack("=Q", 0))

    def _read_report(self):
        words = struct.unpack_from("=%dQ" % (REPORT_WORDS +
                                             len(self.marks.names)),
                                   self.report)
        self.now, self.vmruns, self.blocks, self.address = words[:REPORT_WORDS]
        self.met = dict(zip(self.marks.names, words[REPORT_WORDS:]))

    def _end(self):
        until = time.monotonic() + processes.PATIENCE
        while not self.session.is_over and time.monotonic() < until:
            self.session.pump(TICK)
        self.is_over = True

    def _read_console(self):
        data = self.log_file.read()
        if data:
            self.heard(data)

    def wait(self, _fd, _seconds):
        """For a control.client.Client."""
        try:
            self.advance()
        except Idle:
            if not select.select([self.control], [], [], 0)[0]:
                raise Problem("the host stands still and does not "
                              "answer") from None
        if self.is_over:
            raise Problem("the simulator has ended")

    # ---- Counts ----------------------------------------------------------

    def exits(self):
        """By the name of the monitor's handler, without those that were none."""
        return {name[len(MARK_PREFIX):]: count
                for name, count in sorted(self.met.items())
                if name != RESETS and count}

    def resets(self):
        return self.met[RESETS]

    def close(self):
        self.pace.close()
        self.control.close()
        self.monitor.close()
        if self.session:
            self.session.close()
        if self.log_file:
            self.log_file.close()
        for end in self.theirs:
            end.close()
