# SPDX-License-Identifier: BSD-2-Clause
"""The test runner, with lists of its own: what passes and what fails."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

RUN = os.path.realpath(os.path.join(os.path.dirname(__file__), "../run"))


class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.env = dict(os.environ, BULKHEAD_BUILD=self.folder)

    def script(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + text + "\n")
        os.chmod(path, 0o755)
        return path

    def listing(self, text):
        path = os.path.join(self.folder, "a.list")
        with open(path, "w") as f:
            f.write(text)
        return [sys.executable, RUN, "--from", path]

    def run_list(self, text, *words):
        return subprocess.run(self.listing(text) + list(words), env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60, check=False, encoding="utf-8")

    def verdict(self, report, text, limit=20):
        """Status, the last line and all of the output for one test."""
        path = self.script("t.sh", text)
        done = self.run_list("t %d %s %s\n" % (limit, report, path))
        return done.returncode, done.stdout.splitlines()[-1], done.stdout

    def test_silence_is_a_failure_where_a_report_is_due(self):
        for report in ("report", "cmocka", "unittest"):
            for text in ("true", "echo hello", "echo ' PASS a'"):
                status, last, output = self.verdict(report, text)
                self.assertEqual(status, 1)
                self.assertEqual(last, "0 passed, 1 failed, 0 skipped")
                self.assertIn("it reported nothing", output)
        self.assertEqual(self.verdict("exit", "true")[:2],
                         (0, "1 passed, 0 failed, 0 skipped"))

    def test_reports_count(self):
        for report, text, last in (
                ("report", "echo PASS a; echo PASS b; echo SKIP c: why",
                 "2 passed, 0 failed, 1 skipped"),
                ("report", "echo PASS a; echo FAIL b",
                 "1 passed, 1 failed, 0 skipped"),
                ("report", "echo PASS a; exit 3",
                 "1 passed, 1 failed, 0 skipped"),
                ("report", "echo PASS a; kill -KILL $$",
                 "1 passed, 1 failed, 0 skipped"),
                ("cmocka", "echo '[       OK ] a'",
                 "1 passed, 0 failed, 0 skipped"),
                ("unittest", "echo 'test_a (m.C.test_a) ... ok'",
                 "1 passed, 0 failed, 0 skipped"),
                ("unittest", "echo 'test_a (m.C.test_a)'; echo 'Words. ... ok';"
                 "echo 'test_b (m.C.test_b) ... ok'",
                 "2 passed, 0 failed, 0 skipped"),
                ("exit", "exit 4", "0 passed, 1 failed, 0 skipped"),
                ("exit", "echo SKIP: why; exit 77",
                 "0 passed, 0 failed, 1 skipped"),
                ("report", "exit 77", "0 passed, 1 failed, 0 skipped")):
            status, found, output = self.verdict(report, text)
            self.assertEqual(found, last, output)
            self.assertEqual(status, int(", 0 failed" not in last))

    def test_time_ends_everything(self):
        pid = os.path.join(self.folder, "pid")
        status, _, output = self.verdict(
            "exit", "sleep 60 & echo $! >%s; trap '' TERM; wait; wait" % pid,
            limit=1)
        self.assertEqual(status, 1)
        self.assertIn("not done after 1 s", output)
        with open(pid) as f, self.assertRaises(ProcessLookupError):
            os.kill(int(f.read()), 0)

    def test_the_slowest_are_listed(self):
        self.script("s1.sh", "sleep 0.6")
        for n in range(2, 13):
            self.script("s%d.sh" % n, "true")
        done = self.run_list("s 9 exit sh %s/s*.sh\n" % self.folder)
        lines = done.stdout.splitlines()
        at = lines.index("The slowest:")
        self.assertEqual(len(lines), at + 12)
        self.assertRegex(lines[at + 1], r"^ +\d\.\d s s/s1$")
        self.assertEqual(lines[-1], "12 passed, 0 failed, 0 skipped")

    def test_the_failed_are_told_again(self):
        self.script("s1.sh", "echo why >&2; exit 3")
        self.script("s2.sh", "true")
        done = self.run_list("s 9 exit sh %s/s*.sh\n" % self.folder)
        lines = done.stdout.splitlines()
        told = lines[lines.index("The failed:") + 1:-1]
        self.assertRegex(told[0], r"^FAIL s/s1 \d+\.\d s$")
        self.assertIn("     | why", told)
        self.assertFalse([l for l in told if "s/s2" in l])
        self.assertEqual(lines[-1], "1 passed, 1 failed, 0 skipped")

    def test_what_did_not_build_has_failed(self):
        path = self.script("t.sh", "true")
        done = self.run_list("t 20 exit %s\n" % path, "--not-built")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL build", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1],
                         "1 passed, 1 failed, 0 skipped")

    def test_lists_with_mistakes_are_no_lists(self):
        for text in ("a 9 exit\n", "a x exit true\n", "a 9 nosuch true\n"):
            done = self.run_list(text)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("a.list:1", done.stdout)
        done = self.run_list("a 9 exit true\n", "a", "b")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("no test is called 'b'", done.stdout)
        done = self.run_list("a 9 exit sh %s/*.none\n" % self.folder)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("no file is called", done.stdout)
        done = self.run_list("a 9 exit %s/not-there\n" % self.folder)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("cannot be started", done.stdout)

    @staticmethod
    def heed_signals():
        """As at a terminal, though these tests run in some background."""
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)

    def test_signals_end_the_tests_with_it(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            for name in ("1", "2", "3"):
                self.script(name + ".sh", "echo $$ >%s/pid%s; exec sleep 60" %
                            (self.folder, name))
            run = subprocess.Popen(
                self.listing("s 99 exit sh %s/?.sh\n" % self.folder),
                env=self.env, stdout=subprocess.PIPE,
                preexec_fn=self.heed_signals)
            paths = [os.path.join(self.folder, "pid" + n) for n in "12"]
            until = time.monotonic() + 20
            while time.monotonic() < until and not all(
                    os.path.exists(p) and os.path.getsize(p) for p in paths):
                time.sleep(0.02)
            run.send_signal(number)
            output, _ = run.communicate(timeout=30)
            self.assertEqual(run.returncode, 128 + number, output)
            for path in paths:
                with open(path) as f, \
                        self.assertRaises(ProcessLookupError):
                    os.kill(int(f.read()), 0)
                os.unlink(path)
            self.assertFalse(os.path.exists(self.folder + "/pid3"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
