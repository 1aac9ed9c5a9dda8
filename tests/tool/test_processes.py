# SPDX-License-Identifier: BSD-2-Clause
"""A signal wherever the tool is leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import types
import unittest
from unittest import mock

from folder import FolderTest
from bulkhead_tool import main, processes

class Struck:
    """The signal at the place number `at` behind start().

    A place is one where Python looks for signals: where a function begins, and
    behind a call of one that is not Python's.
    """

    def __init__(self, at):
        self.at = at
        self.seen = 0

    def __call__(self, _frame, event, _):
        if event in ("call", "c_return"):
            self.seen += 1
            if self.seen == self.at:
                sys.setprofile(None)
                os.kill(os.getpid(), signal.SIGTERM)


class Signals(FolderTest):
    def setUp(self):
        super().setUp()
        self.assertIs(threading.current_thread(), threading.main_thread())
        change = mock.patch("tempfile.tempdir", self.folder)
        change.start()
        self.addCleanup(change.stop)
        for number in processes.END_SIGNALS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK,
                        signal.pthread_sigmask(signal.SIG_BLOCK, []))

    def act(self, at):
        """An action that a signal strikes at a line; whether it was reached."""
        struck = Struck(at)
        child = None

        def action(_args, work):
            nonlocal child
            child = processes.start(["sleep", "1000"],
                                    stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
            self.addCleanup(child.kill)
            with open(os.path.join(work, "file"), "w", encoding="ascii"):
                sys.setprofile(struck)
            return 0

        for number in processes.END_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        processes.catch_signals()
        try:
            main.act(types.SimpleNamespace(action=action))
        except processes.Ended:
            pass
        finally:
            sys.setprofile(None)
        self.assertIsNotNone(child.returncode, "at place %d" % at)
        self.assertEqual(os.listdir(self.folder), [], "at place %d" % at)
        return struck.seen >= at

    def test_an_end_that_is_struck_by_a_signal_is_whole(self):
        at = 1
        while self.act(at):
            at += 1
        self.assertGreater(at, 15)


if __name__ == "__main__":
    unittest.main(verbosity=2)
