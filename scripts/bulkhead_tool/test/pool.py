# SPDX-License-Identifier: BSD-2-Clause
"""Many cases at a time, each by a tool of its own: what one does to itself, the
others do not see.

A worker is `bulkhead test CASE --worker FOLDER`; it leaves result.json there.
"""

import json
import os
import subprocess
import sys
import time

from .. import host, processes, session
from . import runner, verdict

TOOL = os.path.join(host.TOP, "scripts/bulkhead")
POLL = 0.05
RESULT = "result.json"
LOG = "tool.log"
WIDTH = 78


class Worker:
    def __init__(self, job, folder, options):
        self.job, self.folder = job, folder
        os.makedirs(folder)
        with open(os.path.join(folder, LOG), "wb") as log:
            self.child = processes.start(
                [sys.executable, TOOL, "test", job.path, "--worker", folder,
                 "--name", job.name, *options], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
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


def run(jobs, count, work, options, say):
    """All jobs, so many at a time; the results in the jobs' order."""
    waiting, running, results = list(jobs), [], {}
    progress = Progress(len(waiting), say)
    while waiting or running:
        while waiting and len(running) < count:
            job = waiting.pop(0)
            running.append(Worker(job, os.path.join(
                work, "case-%d" % job.number), options))
        progress.running([w.job.name for w in running])
        time.sleep(POLL)
        for worker in [w for w in running if w.child.poll() is not None]:
            running.remove(worker)
            results[worker.job.number] = worker.result()
            progress.finished(results[worker.job.number])
    return [results[job.number] for job in jobs]
