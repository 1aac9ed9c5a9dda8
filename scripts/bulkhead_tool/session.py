# SPDX-License-Identifier: BSD-2-Clause
"""One simulator run: a person at the terminal, or a list of expectations."""

import codecs
import re
import signal
import subprocess
import sys
import time

from . import Problem

# Bochs's UART loses what is typed in one burst.
TYPING_CHUNK, TYPING_PAUSE = 2, 0.03
TAIL_LINES = 12

# Cursor movements and the like, which firmware puts between any two letters;
# the last alternative is one that the next piece of output will complete.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[@-~]|\x1b[^\[]|\r"
                     r"|(\x1b(?:\[[0-9;?]*)?\Z)")


def interactive(line, timeout):
    """The guest's console on this terminal until the simulator ends."""
    print("The console follows. Ctrl-A X leaves, Ctrl-A C is QEMU's monitor,"
          "\nCtrl-A H lists the other keys.\n", flush=True)
    simulator = subprocess.Popen(line)
    # Ctrl-C belongs to the guest; QEMU has the terminal in raw mode anyway.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        simulator.wait(timeout)
    except subprocess.TimeoutExpired:
        raise Problem("still running after %g s, as --timeout asks: ended" %
                      timeout) from None
    finally:
        if simulator.poll() is None:
            simulator.terminate()
            simulator.wait()
        signal.signal(signal.SIGINT, previous)
    return 0


def unescape(text):
    return codecs.decode(text.replace("\\e", "\\x1b"), "unicode_escape")


class Plain:
    """Text piece by piece without control sequences and carriage returns."""

    def __init__(self):
        self.rest = ""

    def feed(self, piece):
        piece, self.rest = self.rest + piece, ""

        def drop(match):
            self.rest = match.group(1) or ""
            return ""

        return CONTROL.sub(drop, piece)


class Scripted:
    """Drives a simulator through steps ('expect', regex), ('send', text)."""

    def __init__(self, line, steps, args):
        import pexpect
        self.pexpect = pexpect
        self.steps = steps
        self.args = args
        self.began = time.monotonic()
        self.deadline = self.began + args.timeout
        self.child = pexpect.spawn(line[0], line[1:], encoding="latin-1",
                                   echo=False, maxread=65536,
                                   timeout=args.timeout,
                                   searchwindowsize=16384)
        self.child.delaybeforesend = None
        # What is expected is looked for in plain text; the log keeps all.
        raw, plain = self.child.read_nonblocking, Plain()
        self.child.read_nonblocking = \
            lambda *args, **names: plain.feed(raw(*args, **names))
        if not args.quiet:
            self.child.logfile_read = sys.stdout

    def seconds(self):
        return time.monotonic() - self.began

    def tail(self):
        text = self.child.before
        text = text if isinstance(text, str) else ""
        lines = text.splitlines()[-TAIL_LINES:]
        return "\n".join("  | " + l for l in lines)

    def wait_for(self, patterns, what):
        """Wait for the first pattern; the others are failures."""
        left = max(0.1, self.deadline - time.monotonic())
        # pexpect looks for the end only once, wherever the list says it twice.
        end, late = self.pexpect.EOF, self.pexpect.TIMEOUT
        full = [p for p in patterns if p is not end] + [end, late]
        found = full[self.child.expect(full, timeout=left)]
        if found == patterns[0]:
            return
        if found is end:
            why = "the simulator ended before"
        elif found is late:
            why = "not within %g s:" % self.args.timeout
        else:
            why = "'%s' appeared before" % self.child.match.group(0)
        raise Problem("%s %s\nThe last lines were:\n%s" %
                      (why, what, self.tail()))

    def expect(self, number, regex):
        total = sum(kind == "expect" for kind, _ in self.steps)
        what = "expectation %d of %d: '%s'" % (number, total, regex)
        self.wait_for([regex] + self.args.fail, what)
        print("\nbulkhead: expectation %d of %d met after %.1f s: '%s'" %
              (number, total, self.seconds(), regex), flush=True)

    def send(self, text):
        keys = unescape(text)
        if self.args.sim != "bochs":
            self.child.send(keys)
            return
        for at in range(0, len(keys), TYPING_CHUNK):
            self.child.send(keys[at:at + TYPING_CHUNK])
            time.sleep(TYPING_PAUSE)

    def run(self):
        try:
            number = 0
            for kind, text in self.steps:
                if kind == "send":
                    self.send(text)
                    continue
                number += 1
                self.expect(number, text)
            if self.args.until_end or not number:
                self.wait_for([self.pexpect.EOF] + self.args.fail,
                              "the simulator's own end")
                print("\nbulkhead: the simulator ended by itself after %.1f s"
                      % self.seconds(), flush=True)
        finally:
            self.child.close(force=True)
        return 0
