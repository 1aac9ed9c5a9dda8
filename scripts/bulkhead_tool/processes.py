# SPDX-License-Identifier: BSD-2-Clause
"""The programs that the tool starts, and the signals that end them with it.

Whatever ends the tool ends what it started, each by its own process id: a
signal becomes the exception Ended, and end_all() does the rest.
"""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios

from . import Problem

END_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PATIENCE = 10    # seconds between asking a program to end and ending it

PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "dtc": "device-tree-compiler",
    "mformat": "mtools",
    "mcopy": "mtools",
    "mmd": "mtools",
    "qemu-img": "qemu-utils",
    "grub-mkrescue": "grub-common, grub-pc-bin, grub-efi-amd64-bin, xorriso, "
                     "mtools",
}

started = []    # not yet known to have ended
late = []    # a signal that came within whole()


class Ended(BaseException):
    """A signal that asks the tool to end."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def ignore_signals():
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def whole(tidy, *words):
    """tidy(*words) to its end: a signal raises Ended behind it, not within.

    For what a `finally:` has to do.  Neither a mask nor a `try` in here would
    be enough: Python takes signals where a function begins.
    """
    try:
        tidy(*words)
    finally:
        if late:
            raise Ended(late.pop())


def is_within(code, frame):
    while frame and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


def catch_signals():
    """From here on the signals raise Ended; what is ignored stays so."""
    def handler(number, frame):
        # One is enough: no other gets in the way of tidying up.
        ignore_signals()
        if not is_within(whole.__code__, frame):
            raise Ended(number)
        late.append(number)

    for number in END_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


@contextlib.contextmanager
def held():
    """No signal in between: what is begun here is noted, or undone whole."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start(line, terminal=None, **options):
    """A program in a session of its own; terminal becomes its terminal."""
    with held() as mask:
        def prepare():
            if terminal is not None:
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

        try:
            child = subprocess.Popen(line, start_new_session=True,
                                     preexec_fn=prepare, **options)
        except FileNotFoundError:
            raise Problem("%s is missing: install %s" % (
                line[0], PACKAGES.get(line[0], "it"))) from None
        except (OSError, ValueError) as error:
            raise Problem("%s cannot be started: %s" %
                          (line[0], error)) from None
        started.append(child)
    return child


def end(child):
    """Asks, waits, insists."""
    with held():
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child in started:
            started.remove(child)


def end_all():
    for child in list(started):
        # Helpers have children of their own; all are in their session.
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGTERM)
        end(child)


def run(line):
    """A helper to its end: its status, its output, its complaints."""
    child = start(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                  stderr=subprocess.PIPE)
    output, complaints = child.communicate()
    end(child)
    return child.returncode, output, complaints.decode(errors="replace")


PIECE = 4096    # what a pipe that has room takes without waiting


def write_all(fd, data, waiting=lambda: None):
    """All of it; waiting() is called again and again while nobody reads."""
    while data:
        if not select.select([], [fd], [], 0.5)[1]:
            waiting()
            continue
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(fd, data[:PIECE]):]


def say(text):
    """A line of the tool's own, behind what was written before."""
    show((text + "\n").encode(errors="backslashreplace"))


def show(data, name="stdout", waiting=lambda: None):
    """Bytes to standard output or, by its name, "stderr" as they are."""
    stream = getattr(sys, name)
    if stream is None:    # closed before we began
        return
    if not hasattr(stream, "buffer"):    # a test's
        stream.write(data.decode("latin-1"))
        return
    stream.flush()
    write_all(stream.fileno(), data, waiting)
