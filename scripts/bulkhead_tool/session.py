# SPDX-License-Identifier: BSD-2-Clause
"""One simulator run: a person at the terminal, or a list of expectations.

The simulator has a pseudo terminal.  What it says there is shown, searched for
what is expected, and forgotten but for the last WINDOW characters; what it
says on its standard error is passed on.  When it has ended, its status and
what the host said before tell whether that was an end or a failure.
"""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
import tty

from . import Problem, processes, symbols

WINDOW = 32768    # characters in which an expectation has to fit
UNREAD_MAX = 1 << 22    # that wait, while keys are typed, to be searched
BATCH = 1 << 18    # bytes between two searches, at most
PAUSE = 0.005    # seconds of silence that end a batch
TAIL_LINES, TAIL_WIDTH = 12, 160

# Bochs's UART loses what is typed in one burst.
TYPING_CHUNK, TYPING_PAUSE = 2, 0.03

# Cursor movements and the like, which firmware puts between any two letters;
# the last alternative is one that the next piece of output will complete.  After
# RESET a line begins.
RESET = "\x1bc"
CONTROL = re.compile(r"\x1b\[[0-9;?]{0,32}[@-~]|\x1b[^\[]"
                     r"|(\x1b(?:\[[0-9;?]{0,32})?\Z)")
UNPRINTABLE = re.compile(r"[^\t -~]")

FLAGS = re.DOTALL | re.MULTILINE
STAMP = r"\[ *\d+\.\d{6}\] "
HOST_SPEAKS = re.compile(STAMP + "Bulkhead$", FLAGS)
# The host ends after these, and by itself nobody would know of it: a power-off
# is a power-off.
# The monitor begins a line for each; a guest that has the console for itself can
# write the same and make a run fail.  They count from their group on, so that
# who expects them sees them first.
# Of whole lines: what the caller waits for may be their rest.
HOST_FAILS = [re.compile("^" + STAMP + "(error: " + text + "[^\\n]*)\n", FLAGS) for text in (
    "monitor panic", "nothing is started: ", "no guest could be started",
    "manifest refused: ", "no boot module is called ")]
# Before the last line of a host whose guest ended itself by port 0xf4 with a
# code that is not 0.
EXIT_CODE = re.compile("^" + STAMP + "exit code (\\d{1,3})\n" + STAMP +
                       "all guests have stopped\n", FLAGS)
OVERLAP = 256    # longer than what these match

# What QEMU says of a file that another one has.
LOCKED = re.compile(rb"Is another process using the image \[(.*)\]\?")

LEAVE = b"\x01x"    # Ctrl-A X, QEMU's and ours

ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "e": b"\x1b", "0": b"\0",
           "a": b"\a", "b": b"\b", "\\": b"\\", "'": b"'", '"': b'"'}
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.|\Z)", re.DOTALL)


def pattern(text):
    """--expect's and --fail's argument; ValueError."""
    try:
        return re.compile(text, FLAGS)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError("'%s' is no regular expression: %s" %
                         (text, error)) from None


def unescape(text):
    """The bytes that --send's argument stands for; ValueError."""
    keys, at = b"", 0
    for found in ESCAPE.finditer(text):
        keys += os.fsencode(text[at:found.start()])
        name, at = found.group(1), found.end()
        if len(name) == 3:
            keys += bytes([int(name[1:], 16)])
        elif name in ESCAPES:
            keys += ESCAPES[name]
        else:
            raise ValueError("'%s': unknown escape '\\%s'; known are \\r \\n "
                             "\\t \\e \\a \\b \\0 \\\\ \\' \\\" \\xHH" %
                             (text, name))
    return keys + os.fsencode(text[at:])


class Watch:
    """The console's text without control sequences, as far as it is kept.

    What was found once is not found again, but still stands before the rest:
    ^ is where a line begins.
    """

    def __init__(self):
        self.text = ""
        self.at = 0    # where the next search begins
        self.rest = ""    # a control sequence that is not complete
        self.host_spoke = False
        self.failure = None    # what the host said when it failed
        self.code = 0    # the guest's

    def _plain(self, data):
        piece, self.rest = self.rest + data.decode("latin-1"), ""
        # Few of a flood's bytes are worth a look.
        piece = piece.replace("\r", "").replace("\x18", "")
        if "\x1b" not in piece:
            return piece

        def drop(match):
            self.rest = match.group(1) or ""
            return "\n" if match.group(0) == RESET else ""

        return CONTROL.sub(drop, piece)

    def feed(self, data):
        if len(self.text) > UNREAD_MAX:
            self._forget(len(self.text) - UNREAD_MAX // 2)
        fresh = max(0, len(self.text) - OVERLAP)
        self.text += self._plain(data)
        if not self.host_spoke:
            self.host_spoke = bool(HOST_SPEAKS.search(self.text, fresh))
        if not self.failure:
            self.failure = next(
                (self.line(m.start()) for m in
                 (p.search(self.text, fresh) for p in HOST_FAILS) if m), None)

        for match in EXIT_CODE.finditer(self.text, fresh):
            self.code = int(match.group(1)) & 0xff

    def _forget(self, count):
        if count > 0:
            self.text = self.text[count:]
            self.at = max(0, self.at - count)

    def line(self, at):
        return UNPRINTABLE.sub(".", self.text[at:].split("\n")[0])

    def search(self, patterns):
        """The first match and whose it is; (None, None)."""
        found = [(m.start(1 if m.re in HOST_FAILS else 0), n, m) for n, m in
                 enumerate(p.search(self.text, self.at) for p in patterns)
                 if m]
        if found:
            _, number, match = min(found, key=lambda f: f[:2])
            self.at = match.end()
            return patterns[number], match
        self._forget(len(self.text) - WINDOW)
        return None, None

    def tail(self):
        lines = [l for l in self.text[-WINDOW:].split("\n") if l.strip()]
        return "\n".join("  | " + UNPRINTABLE.sub(".", l)[-TAIL_WIDTH:]
                         for l in lines[-TAIL_LINES:])


class Session:
    """A simulator, from its start to its end.

    args: sim, quiet, timeout (None: none); host_end: how the host's manifest
    says it ends, None if that is not known; control: its control.running.Control,
    or what else the simulator has ends of: fds, and start() when it has them.
    """

    def __init__(self, line, args, host_end=None, control=None,
                 environment=None):
        self.args = args
        self.host_end = host_end
        self.name = "bochs" if args.sim == "bochs" else \
            os.path.basename(line[0])
        self.began = time.monotonic()
        self.deadline = self.began + args.timeout if args.timeout else None
        self.watch = Watch()
        self.words = b""    # the end of its standard error
        self.typing = b""
        self.type_at = 0.0
        self.is_over = False
        self.keyboard = None    # a file descriptor
        self.pause = PAUSE
        self.has_left = False    # by Ctrl-A X
        self.last_key = b""
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        try:
            self.child = processes.start(line, terminal=slave, stdin=slave,
                                         stdout=slave, stderr=subprocess.PIPE,
                                         env=environment,
                                         pass_fds=control.fds if control
                                         else [])
            if control:
                control.start()
        finally:
            os.close(slave)
        os.set_blocking(self.master, False)
        self.errors = self.child.stderr.fileno()
        os.set_blocking(self.errors, False)

    def close(self):
        processes.end(self.child)
        self.child.stderr.close()
        os.close(self.master)

    def seconds(self):
        return time.monotonic() - self.began

    # ---- Bytes -----------------------------------------------------------

    def _type(self):
        now = time.monotonic()
        is_slow = self.args.sim == "bochs" and self.keyboard is None
        if is_slow and now < self.type_at:
            return
        piece = self.typing[:TYPING_CHUNK if is_slow else 4096]
        with contextlib.suppress(BlockingIOError, OSError):
            self.typing = self.typing[os.write(self.master, piece):]
        self.type_at = now + TYPING_PAUSE

    def _read_keyboard(self):
        keys = os.read(self.keyboard, 4096)
        if not keys:
            self.keyboard = None
            return
        self.has_left |= LEAVE in (self.last_key + keys).lower()
        self.last_key = keys[-1:]
        self.typing += keys

    def _read_errors(self):
        try:
            data = os.read(self.errors, 65536)
        except BlockingIOError:
            return
        if not data:
            self.errors = None
            return
        self.words = (self.words + data)[-4096:]
        with contextlib.suppress(OSError):
            processes.show(data, "stderr")

    def _give_up_if_late(self):
        if self.is_late():
            raise Problem("not within %g s: nobody reads the console" %
                          self.args.timeout)

    def _read_console(self):
        """What there is, up to a batch; nothing if it is over."""
        data = b""
        while len(data) < BATCH:
            try:
                piece = os.read(self.master, 65536)
            except BlockingIOError:
                if not select.select([self.master], [], [],
                                     self.pause)[0]:
                    break
                continue
            except OSError:    # nobody has the other end open
                piece = b""
            if not piece:
                self.is_over = True
                break
            data += piece
        if data and not self.args.quiet:
            processes.show(data, waiting=self._give_up_if_late)
        self.watch.feed(data)

    def pump(self, wait=0.2, also=()):
        """Moves bytes for so many seconds, or until one of also has some."""
        inputs = [self.master, *also]
        if self.errors is not None:
            inputs.append(self.errors)
        if self.keyboard is not None and len(self.typing) < 4096:
            inputs.append(self.keyboard)
        outputs = []
        if self.typing:
            left = self.type_at - time.monotonic()
            if self.args.sim == "bochs" and left > 0:
                wait = min(wait, left)
            else:
                outputs = [self.master]
        ready, writable, _ = select.select(inputs, outputs, [], wait)
        if self.errors in ready:
            self._read_errors()
        if self.keyboard in ready:
            self._read_keyboard()
        if writable:
            self._type()
        if self.master in ready:
            self._read_console()
        elif self.child.poll() is not None:
            self._read_console()    # what it said last
            self.is_over = True
        if self.is_over:
            self._wait_for_end()

    def _wait_for_end(self):
        try:
            self.child.wait(processes.PATIENCE)
        except subprocess.TimeoutExpired:
            raise Problem("%s closed its terminal but did not end" %
                          self.name) from None
        if self.errors is not None:
            self._read_errors()

    def is_late(self):
        return self.deadline is not None and time.monotonic() > self.deadline

    # ---- What it means ---------------------------------------------------

    def why_bad(self):
        """Why the simulator's end is none to be content with; None."""
        status = self.child.returncode
        if status < 0:
            try:
                name = signal.Signals(-status).name
            except ValueError:
                name = "number %d" % -status
            return "%s was ended by signal %s" % (self.name, name)
        lock = LOCKED.search(self.words)
        if lock:
            return ("'%s' is a drive of another simulated host that runs: one "
                    "that writes a file has it for itself" %
                    lock[1].decode(errors="replace"))
        if not self.watch.host_spoke:
            return ("%s ended with status %d before the host said a word: "
                    "look at --cpu, --cpus, --host-memory and --%s" %
                    (self.name, status, "bios" if self.args.sim == "bochs"
                     else "qemu"))
        # isa-debug-exit makes status 2 * code + 1 of what the host writes.
        if status == (2 * self.watch.code + 1) & 0xff and \
                self.args.sim != "bochs" and \
                self.host_end in (None, "isa-debug-exit"):
            return None
        if status == 3:
            return "the host ended with an error"
        if status:
            return "%s failed with status %d" % (self.name, status)
        return None

    def status(self):
        """bulkhead's own, when all went well: the guest's exit code."""
        code = self.watch.code
        if code:
            processes.say("\nbulkhead: the guest ended with exit code %d" %
                          code)
        return code

    def context(self):
        words = self.words.decode(errors="replace").strip().splitlines()
        text = "\nIt said: %s" % UNPRINTABLE.sub(".", words[-1]) \
            if words else ""
        tail = self.watch.tail()
        frames = symbols.backtrace(self.watch.text)
        if frames:
            text += "\nThe monitor's backtrace:\n" + frames
        return text + ("\nThe last lines were:\n" + tail if tail else "")


@contextlib.contextmanager
def raw_keyboard():
    """Standard input, key by key if it is a terminal; its output as it is."""
    try:
        before = termios.tcgetattr(0) if os.isatty(0) else None
    except (OSError, termios.error):
        before = None
    if not before:
        yield
        return
    with processes.held():
        tty.setraw(0)
        mode = termios.tcgetattr(0)
        mode[1] = before[1]
        termios.tcsetattr(0, termios.TCSANOW, mode)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)


def interactive(line, args, host_end=None, control=None):
    """The guest's console on this terminal until the simulator ends."""
    processes.say("The console follows. Ctrl-A X leaves%s.\n" % (
        "" if args.sim == "bochs" else
        ", Ctrl-A C is QEMU's monitor,\nCtrl-A H lists the other keys"))
    session = Session(line, args, host_end, control)
    try:
        with raw_keyboard():
            session.keyboard = 0
            while not session.is_over:
                session.pump()
                session.watch.search([])
                if session.is_late():
                    raise Problem("still running after %g s, as --timeout "
                                  "asks: ended" % args.timeout)
        why = session.why_bad()
        # Nobody has to wait for the host before leaving.
        if session.has_left and session.child.returncode == 0:
            why = None
        if session.watch.failure:
            why = "the host failed: %s" % session.watch.failure
        if why:
            raise Problem(why + session.context())
    finally:
        session.close()
    return session.status()


class Scripted:
    """Drives a simulator through steps ('expect', regex), ('send', bytes).

    screens: a control.running.Steps, which does the steps 'expect-screen' and
    'type'.
    """

    def __init__(self, line, steps, args, host_end=None, control=None,
                 screens=None):
        self.steps = steps
        self.args = args
        self.number = 0    # of expectations so far
        self.screens = screens
        self.session = Session(line, args, host_end, control)

    def give_up(self, why, what):
        shown = self.screens.context() if self.screens else ""
        raise Problem("%s %s%s%s" % (why, what, shown, self.session.context()))

    def is_met(self, wanted, what):
        """Whether the pattern was there, or the end if there is none."""
        session = self.session
        patterns = ([wanted] if wanted else []) + self.args.fail + HOST_FAILS
        found, match = session.watch.search(patterns)
        if found:
            if found is wanted:
                return True
            self.give_up("'%s' appeared before" %
                         UNPRINTABLE.sub(".", match.group(0).strip()), what)
        if session.is_over:
            why = session.why_bad()
            if wanted:
                self.give_up((why + ",\n" if why else "") +
                             "the simulator ended before", what)
            if why:
                raise Problem(why + session.context())
            return True
        if session.is_late():
            self.give_up("not within %g s:" % self.args.timeout, what)
        return False

    def wait_for(self, wanted, what):
        while not self.is_met(wanted, what):
            self.session.pump()

    def expected(self, text):
        """The next expectation by its number."""
        self.number += 1
        return "expectation %d of %d: '%s'" % (
            self.number, sum(kind.startswith("expect") for kind, _ in
                             self.steps), text)

    def met(self, what):
        number, colon, text = what.partition(":")
        processes.say("\nbulkhead: %s met after %.1f s%s%s" %
                      (number, self.session.seconds(), colon, text))

    def expect(self, wanted):
        what = self.expected(wanted.pattern)
        self.wait_for(wanted, what)
        self.met(what)

    def send(self, keys):
        session = self.session
        session.typing += keys
        while session.typing and not session.is_over:
            if session.is_late():
                self.give_up("not within %g s:" % self.args.timeout,
                             "that what --send types is taken")
            session.pump()

    def pump_for(self, what):
        """What the host's control port is waited for with."""
        def pump(fd, seconds):
            if self.is_met(None, what):
                self.give_up("the simulator ended before", what)
            self.session.pump(min(0.2, seconds), [fd])
        return pump

    def expect_screen(self, text):
        what = self.expected(text)
        self.screens.pump = self.pump_for(what)
        self.screens.expect(text)
        self.met(what)

    def type(self, text):
        self.screens.pump = self.pump_for("that '%s' is typed" % text)
        self.screens.type(text)

    def run(self):
        acts = {"expect": self.expect, "send": self.send,
                "expect-screen": self.expect_screen, "type": self.type}
        try:
            for kind, value in self.steps:
                acts[kind](value)
            if self.args.until_end or not self.number:
                self.wait_for(None, "the simulator's own end")
                processes.say("\nbulkhead: the simulator ended by itself after"
                              " %.1f s" % self.session.seconds())
        finally:
            if self.screens:
                self.screens.close()
            self.session.close()
        return self.session.status()
