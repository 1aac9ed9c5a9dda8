# SPDX-License-Identifier: BSD-2-Clause
"""Many cases at a time, each by a tool of its own: what one does to itself, the
others do not see.

A worker is `bulkhead test CASE --worker FOLDER`; it leaves result.json there.  It
begins as a copy of this process: a tool that has to be loaded anew takes a fifth of
a short case's time.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback

from .. import processes, session
from . import runner, verdict

POLL = 0.05
RESULT = "result.json"
LOG = "tool.log"
WIDTH = 78


class Copy:
    """A copy of this process that calls a function, whose result is its status; to be
    used as a subprocess.Popen."""

    def __init__(self, function, log):
        self.returncode = None
        with processes.held() as mask:
            self.pid = os.fork()
            if not self.pid:
                self._become(function, log, mask)
            processes.started.append(self)

    @staticmethod
    def _become(function, log, mask):
        """In a session of its own, with nothing of what its parent has begun."""
        status = 1
        try:
            os.setsid()
            processes.started.clear()
            for fd in (1, 2):
                os.dup2(log, fd)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            status = function()
        except BaseException:    # whatever it is, the parent's stack is not ours
            traceback.print_exc()
        finally:
            os._exit(status)    # without what the parent wanted done at its end

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=None):
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("a worker", timeout)
            time.sleep(POLL)
        return self.returncode

    def _signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self._signal(signal.SIGTERM)

    def kill(self):
        self._signal(signal.SIGKILL)


class Worker:
    def __init__(self, job, folder, options, tool):
        self.job, self.folder = job, folder
        os.makedirs(folder)
        line = ["test", job.path, "--worker", folder, "--name", job.name,
                *job.options(), *options]
        with open(os.path.join(folder, LOG), "wb") as log:
            self.child = Copy(lambda: tool(line), log.fileno())
        self.began = time.monotonic()

    def result(self):
        """What it left, as plain(); of one that left nothing, that."""
        processes.end(self.child)
        path = os.path.join(self.folder, RESULT)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                found = json.load(f)
        else:
            with open(os.path.join(self.folder, LOG), errors="replace",
                      encoding="utf-8") as f:
                words = f.read().strip().splitlines()[-session.TAIL_LINES:]
            broken = runner.Result(self.job.path, self.job.name)
            broken.k = self.job.k
            broken.verdict = verdict.HOST_ERROR
            broken.why = "the tool ended with status %s:\n%s" % (
                self.child.returncode, "\n".join(words))
            found = broken.plain()
        found["seconds"] = time.monotonic() - self.began
        return found


class Progress:
    """A line that lives, on a terminal; elsewhere a line for each result."""

    def __init__(self, total, say):
        self.total, self.say = total, say
        self.done = self.red = 0
        self.is_live = sys.stdout is not None and sys.stdout.isatty()

    def running(self, names):
        if self.is_live:
            text = "[%d/%d%s] %s" % (
                self.done, self.total,
                ", %d failed" % self.red if self.red else "",
                ", ".join(names))
            processes.show(("\r\x1b[K" + text[:WIDTH]).encode())

    def finished(self, result):
        self.done += 1
        self.red += not result["is_green"]
        if self.is_live:
            processes.show(b"\r\x1b[K")
        self.say(result)


def run(jobs, count, work, options, say, tool):
    """All jobs, so many at a time; the results in the jobs' order.

    tool: what does a command line of the tool's, and returns its status.
    """
    waiting, running, results = list(jobs), [], {}
    progress = Progress(len(waiting), say)
    while waiting or running:
        while waiting and len(running) < count:
            job = waiting.pop(0)
            running.append(Worker(job, os.path.join(
                work, "case-%d" % job.number), options, tool))
        progress.running([w.job.name for w in running])
        time.sleep(POLL)
        for worker in [w for w in running if w.child.poll() is not None]:
            running.remove(worker)
            results[worker.job.number] = worker.result()
            progress.finished(results[worker.job.number])
    return [results[job.number] for job in jobs]
